"""What a fresh process pays: imports, the first fit with and without compiled code on disk."""

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from statistics import median

from benchmarks._measure import empty_kernel_cache, in_fresh_process
from benchmarks._report import Options, Table, Target, seconds, target_table

TITLE = "Latency"

_IMPORT = """
import json, time
wall, cpu = time.perf_counter(), time.process_time()
import {module}
print(json.dumps({{"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}}))
"""

_FIRST_FIT = """
import json, time
start, cpu_start = time.perf_counter(), time.process_time()
import sparsekit.embedding, sparsekit.graph
import scipy.sparse
adjacency = scipy.sparse.random_array((200, 200), density=0.05, format="csr", rng=0)
imported, cpu_imported = time.perf_counter(), time.process_time()
sparsekit.embedding.FastRP(16, random_state=0).fit(adjacency + adjacency.T)
end, cpu_end = time.perf_counter(), time.process_time()
print(json.dumps({
    "import": imported - start, "import_cpu": cpu_imported - cpu_start,
    "fit": end - imported, "fit_cpu": cpu_end - cpu_imported,
}))
"""

MODULES = (
    "sparsekit",
    "sparsekit.embedding",
    "sparsekit.graphlets",
    "sklearn",
    "numba",
    "sknetwork.embedding",
)


def measure_import(module: str) -> dict[str, float]:
    """Seconds of one import in a fresh process that has imported nothing else."""
    return in_fresh_process(["-c", _IMPORT.format(module=module)])


def measure_first_fit(environment: dict[str, str]) -> dict[str, float]:
    """Seconds of imports and of the first fit in a fresh process."""
    return in_fresh_process(["-c", _FIRST_FIT], environment)


Runs = dict[str, list[float]]  # one list of seconds a clock


def _collected(found: Iterable[dict[str, float]]) -> Runs:
    runs: Runs = {}
    for one in found:
        for clock, value in one.items():
            runs.setdefault(clock, []).append(value)
    return runs


def _imports(repeats: int) -> dict[str, Runs]:
    known = [module for module in MODULES if find_spec(module.partition(".")[0]) is not None]
    return {module: _collected(measure_import(module) for _ in range(repeats)) for module in known}


def _first_fits(repeats: int) -> tuple[Runs, Runs]:
    """With nothing compiled, and with what the process before has left on disk."""
    cold, warm = [], []
    for _ in range(repeats):
        with empty_kernel_cache() as environment:
            cold.append(measure_first_fit(environment))
            warm += [measure_first_fit(environment) for _ in range(2)]
    return _collected(cold), _collected(warm)


def _row(name: str, wall: list[float], cpu: list[float]) -> tuple[str, ...]:
    return (name, seconds(min(wall)), seconds(median(wall)), seconds(min(cpu)))


def _added(left: list[float], right: list[float]) -> list[float]:
    return [a + b for a, b in zip(left, right, strict=True)]


def run(options: Options) -> Iterator[str | Table]:
    """Yield the blocks of the page."""
    columns = ("in a fresh process", "wall, minimum", "wall, median", "CPU, minimum")
    imports = _imports(2 if options.quick else 7)
    rows = [_row(f"import {name}", runs["wall"], runs["cpu"]) for name, runs in imports.items()]
    yield Table("Imports", columns, rows)
    cold, warm = _first_fits(2 if options.quick else 5)
    rows = []
    for name, runs in (("nothing compiled", cold), ("compiled code on disk", warm)):
        rows.append(_row(f"fit, {name}", runs["fit"], runs["fit_cpu"]))
        both = (_added(runs[f"import{clock}"], runs[f"fit{clock}"]) for clock in ("", "_cpu"))
        rows.append(_row(f"imports and fit, {name}", *both))
    yield Table("FastRP: the first fit of a process", columns, rows, [_FIT_NOTE])
    yield target_table(
        [
            Target("import sparsekit", min(imports["sparsekit"]["wall"]), 0.2, None, " s", True),
            Target("fit, nothing compiled", min(cold["fit"]), 3.0, None, " s", True, _BUSY),
            Target("fit, compiled code on disk", min(warm["fit"]), 0.3, None, " s", True, _BUSY),
        ]
    )


_FIT_NOTE = (
    "A graph of 200 nodes, d = 16; imports are those of `sparsekit.embedding`, `sparsekit.graph` "
    "and `scipy.sparse`. Of the fit with compiled code on disk, nearly all is numba's own start."
)
_BUSY = (
    "This is wall time, as a user feels it; what exceeds the CPU time above was spent waiting for "
    "a core."
)
