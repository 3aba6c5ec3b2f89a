"""Dropout-aware learners as data grow, on threads, their memory and first fits, single cells.

python -m benchmarks.compare_dropout_resources    records large fits that are missing
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from benchmarks._colide import RESULTS, read_rows, record, recording_parser
from benchmarks._dropout import FIRST_SEED, Case, data, fitted, least_seconds, warm_up
from benchmarks._measure import (
    OtherLoad,
    alternate,
    cold_and_warm,
    cpu_seconds,
    in_fresh_process,
    memory_can_be_measured,
    peak_extra_bytes,
)
from benchmarks._report import (
    Options,
    Table,
    Target,
    count,
    first_calls_table,
    seconds,
    times,
    with_targets,
)
from sparsekit.causal import DropoutGES, DropoutPC
from sparsekit.datasets import load_pbmc68k_reduced, make_dropout_sem

TITLE = "Dropout-aware PC and GES: growth, threads, memory and first fits"

FILE = RESULTS / "dropout_large.csv"
ALPHA = 0.01

GROWTH = ((50, 1000), (50, 10_000), (50, 100_000), (100, 2000), (200, 2000), (400, 2000))
QUICK_GROWTH = ((20, 1000),)
# Variables up to which the search by scores is timed.
LARGEST_GES = 200
THREAD_CASES = ((100, 20_000), (400, 2000))
QUICK_THREAD_CASES = ((20, 2000),)


class Setting(NamedTuple):
    """Kind of sparse data, variables, samples, size of the largest conditioning set."""

    what: str
    n_nodes: int
    n_samples: int
    max_cond_size: int


# Large values are lost less often; nine of ten are.
_EXPRESSION = {
    "degree": 2,
    "distribution": "lognormal",
    "mechanism": "logistic",
    "mechanism_params": (4.0, -0.8),
}
EXPRESSION, INDEPENDENT = "expression, 90 % zeros", "independent, 95 % zeros"
LARGE = (
    (Setting(EXPRESSION, 2000, 20_000, 2), 2),
    (Setting(EXPRESSION, 2000, 20_000, 2), 1),
    (Setting(INDEPENDENT, 2000, 200_000, 1), 1),
)
MEMORY_CASES = (Setting(INDEPENDENT, 300, 200_000, 1),)
QUICK_MEMORY_CASES = (Setting(INDEPENDENT, 50, 10_000, 1),)
# Bytes: of a fit (at most half of the dense table), and of a process, the data included.
MOST_EXTRA = {MEMORY_CASES[0]: 210e6, LARGE[2][0]: 1.6e9}
MOST_MEMORY, MOST_WALL = 4e9, 600.0

PBMC_GENES = 300
PBMC_SECONDS = 1.77


class Fit(NamedTuple):
    """One fit, known by its first six fields, and what came of it; memory in bytes.

    Attributes
    ----------
    peak, resident : float
        Of resident memory: beyond that before the fit, and of the whole process.
    """

    what: str
    d: int
    n_samples: int
    max_cond_size: int
    n_jobs: int
    seed: int
    n_tests: int
    edges: int
    wall: float
    cpu: float
    peak: float
    resident: float


def sparse_data(setting: Setting, seed: int) -> sp.csr_array:
    """Samples that fit into memory as sparse ones."""
    shape = (setting.n_samples, setting.n_nodes)
    if setting.what == EXPRESSION:
        return sp.csr_array(make_dropout_sem(*shape, random_state=seed, **_EXPRESSION)[0])
    generator = np.random.default_rng(seed)
    return sp.random_array(
        shape, density=0.05, format="csr", rng=generator, data_sampler=generator.standard_normal
    )


def fit(setting: Setting, n_jobs: int, seed: int) -> Fit:
    """Fit in a fresh process."""
    # Freed blocks go back to the system at once instead of hiding in the process.
    environment = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
    request = json.dumps([setting, n_jobs, seed])
    module = "benchmarks.compare_dropout_resources"
    found = in_fresh_process(["-m", module, "--fit", request], environment)
    return Fit(*setting, n_jobs, seed, **found)


def _answer(request: str) -> None:
    """Child process of `fit`."""
    given, n_jobs, seed = json.loads(request)
    print(json.dumps(watch(Setting(*given), n_jobs, seed)))


def watch(setting: Setting, n_jobs: int, seed: int) -> dict[str, float]:
    """Figures of a fit in this process."""
    X = sparse_data(setting, seed)
    warm_up()
    model = DropoutPC(ALPHA, max_cond_size=setting.max_cond_size, n_jobs=n_jobs)
    before = _resident()
    wall, cpu = time.perf_counter(), cpu_seconds()
    peak = float(peak_extra_bytes(lambda: fitted(model, X)))
    wall, cpu = time.perf_counter() - wall, cpu_seconds() - cpu
    sizes = {"n_tests": int(model.n_tests_.sum()), "edges": model.skeleton_.nnz // 2}
    return sizes | {"wall": wall, "cpu": cpu, "peak": peak, "resident": before + peak}


def _resident() -> float:
    """Bytes of this process in memory."""
    with open("/proc/self/statm", encoding="ascii") as pages:
        return float(pages.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


_COLUMNS = ("data", "d", "samples", "largest set", "threads", "tests", "wall", "CPU")
_COLUMNS += ("peak of the fit", "of the process", "dense table")


def _row(one: Fit) -> tuple[str, ...]:
    sizes = (one.what, f"{one.d:,}", f"{one.n_samples:,}", str(one.max_cond_size), str(one.n_jobs))
    dense = 8.0 * one.d * one.n_samples
    memory = (f"{size / 1e6:,.0f} MB" for size in (one.peak, one.resident, dense))
    return (*sizes, count(one.n_tests), seconds(one.wall), seconds(one.cpu), *memory)


def _memory_targets(fits: list[Fit]) -> Iterator[Target]:
    for one in fits:
        setting = Setting(*one[:4])
        label = f"{one.d:,} x {one.n_samples:,}, {one.what}, threads: {one.n_jobs}"
        if setting in MOST_EXTRA:
            most = MOST_EXTRA[setting] / 1e6
            yield Target(f"peak of the fit, {label}", one.peak / 1e6, most, None, " MB", True)
        if setting == LARGE[0][0]:
            most = MOST_MEMORY / 1e6
            yield Target(f"whole process, {label}", one.resident / 1e6, most, None, " MB", True)
            yield Target(f"wall time, {label}", one.wall, MOST_WALL, None, " s", True)


def _memory(options: Options) -> Iterator[str | Table | list[Target]]:
    if not memory_can_be_measured():
        yield "Peak memory was not measured: this system does not reset it."
        return
    cases = QUICK_MEMORY_CASES if options.quick else MEMORY_CASES
    fits = [fit(setting, 1, FIRST_SEED) for setting in cases]
    yield Table("Sparse data, a fresh process each", _COLUMNS, list(map(_row, fits)), [_SPARSE])
    yield list(_memory_targets(fits))


def _large(options: Options) -> Iterator[str | Table | list[Target]]:
    fits = read_rows(FILE, Fit)
    if not fits:
        yield "No large fit is recorded: `python -m benchmarks.compare_dropout_resources` does."
        return
    note = "Fits of benchmarks/results/dropout_large.csv; columns as in the table above."
    yield Table("Large sparse data, recorded", _COLUMNS, list(map(_row, fits)), [note])
    yield list(_memory_targets(fits))


_SPARSE = (
    "DropoutPC with default rules, level 0.01, CSR. Independent: no edges but by chance. "
    "Expression: lognormal, 2 edges a gene, logistic dropouts. Peak: "
    "resident memory beyond that before the fit; of the process: with data and interpreter. Dense "
    "table: what X alone would take in double precision."
)


def _cells(name: str) -> Any:
    models = {
        "conditioning": DropoutPC(ALPHA),
        "testwise": DropoutPC(ALPHA, zero_handling="testwise"),
        "none": DropoutPC(ALPHA, zero_handling="none"),
        "GES": DropoutGES(),
    }
    return models[name]


def _growth(options: Options) -> Iterator[Table]:
    names, rows = ("conditioning", "testwise", "none", "GES"), []
    for n_nodes, n_samples in QUICK_GROWTH if options.quick else GROWTH:
        problem = data(Case("Gaussian, logistic", n_nodes, n_samples, 1.0), FIRST_SEED)
        row = [f"{n_nodes}", f"{n_samples:,}"]
        for name in names:
            if name == "GES" and n_nodes > LARGEST_GES:
                row.append("")
                continue
            X = problem.latent if name == "none" else problem.X
            call = partial(fitted, _cells(name), X)
            with threadpool_limits(1):
                row.append(seconds(least_seconds({name: call}, 1)[name]))
        rows.append(row)
    columns = ("d", "samples", *(f"PC, {name}" for name in names[:3]), "GES, conditioning")
    yield Table("Growth with variables and samples, CPU time", columns, rows, [_GROWTH_NOTE])


_GROWTH_NOTE = (
    "One graph each, 1 edge a node, Gaussian, logistic dropouts; none: of the data without "
    "dropouts. Default rules, level 0.01, penalty 2."
)


def _threads(options: Options) -> Iterator[Table]:
    numbers, rows = [n for n in (1, 2, 4) if n <= (os.cpu_count() or 1)], []
    for n_nodes, n_samples in QUICK_THREAD_CASES if options.quick else THREAD_CASES:
        X = data(Case("Gaussian, logistic", n_nodes, n_samples, 1.0), FIRST_SEED).X
        models = {n: DropoutPC(ALPHA, n_jobs=n) for n in numbers}
        others = OtherLoad()
        found = alternate({str(n): partial(fitted, one, X) for n, one in models.items()}, 3)
        values = [model.pvalues_.toarray() for model in models.values()]
        same = all(np.array_equal(values[0], one) for one in values[1:])
        row = [f"{n_nodes}, {n_samples:,}", *(seconds(timing.wall) for timing in found.values())]
        row += [times(found["1"].wall / found[str(n)].wall) for n in numbers[1:]]
        rows.append((*row, others.cores(), "yes" if same else "NO"))
    columns = ["d, samples", *(f"{n} threads" if n > 1 else "1 thread" for n in numbers)]
    columns += [f"speedup {n}" for n in numbers[1:]]
    caption = "Threads, wall time of PC with deletion"
    yield Table(caption, [*columns, "others", "bitwise equal"], rows, [_THREADS_NOTE])


_THREADS_NOTE = (
    "Others: cores that other processes kept busy meanwhile; where they leave no second core "
    "free, there is no speedup to be seen."
)


def _single_cells(options: Options) -> Iterator[Table | list[Target]]:
    """Real expression, no truth."""
    X = load_pbmc68k_reduced().data
    chosen = np.sort(np.argsort(-X.count_nonzero(axis=0), kind="stable")[:PBMC_GENES])
    model = DropoutPC(ALPHA, max_cond_size=2)
    rows = []
    for name, table in {"sparse": X[:, chosen], "dense": X[:, chosen].toarray()}.items():
        with threadpool_limits(1):
            cpu = least_seconds({name: partial(fitted, model, table)}, 1)[name]
        cells = (count(model.n_tests_.sum()), seconds(cpu), str(model.skeleton_.nnz // 2))
        rows.append((name, *cells))
    columns = ("input", "tests", "CPU", "edges")
    caption = f"pbmc68k_reduced, {PBMC_GENES} genes, 700 cells, sets of at most 2"
    note = "The genes with the most values that are not zero; default rules, level 0.01."
    yield Table(caption, columns, rows, [note])
    what = "CPU time of pbmc68k_reduced"
    yield [Target(what, cpu, PBMC_SECONDS, None, " s", True)] if not options.quick else []


_FIRST_MODELS = {
    "DropoutPC": "DropoutPC()",
    "DropoutPC, testwise": "DropoutPC(zero_handling='testwise')",
    "DropoutPC, none": "DropoutPC(zero_handling='none')",
    "DropoutGES": "DropoutGES()",
}
_FIRST_FITS = """
import json, time, warnings
warnings.simplefilter("ignore")
start = time.process_time()
import numpy as np
import scipy.sparse as sp
from sparsekit.causal import DropoutGES, DropoutPC
generator = np.random.default_rng(0)
X = generator.normal(size=(200, 6)) * (generator.random((200, 6)) < 0.6)
X[:, 1:] += X[:, :-1]
found = {{"imports": time.process_time() - start}}
for kind, table in {{"dense": X, "sparse": sp.csr_array(X)}}.items():
    for name, model in {{{models}}}.items():
        start = time.process_time()
        model.fit(table)
        found[f"{{name}}, {{kind}}"] = time.process_time() - start
print(json.dumps(found))
"""


def _first_fits(options: Options) -> Iterator[Table | list[Target]]:
    models = ", ".join(f"{name!r}: {call}" for name, call in _FIRST_MODELS.items())
    arguments = ["-c", _FIRST_FITS.format(models=models)]
    cold, warm = cold_and_warm(partial(in_fresh_process, arguments), quick=options.quick)
    yield first_calls_table("fit", cold, warm)
    first, why = "DropoutPC, dense", "Compilation, once on a machine: the code is kept on disk."
    yield [
        Target("first fit, nothing compiled", cold[first], 3.0, None, " s", True, why),
        Target("first fit, compiled code on disk", warm[first], 0.3, None, " s", True),
    ]


def run(options: Options) -> Iterator[str | Table]:
    """Yield the blocks of the page."""
    warm_up()
    parts = (_growth, _threads, _memory, _large, _single_cells, _first_fits)
    yield from with_targets(part(options) for part in parts)


def main() -> None:
    """Record large fits that are not in the file yet."""
    parser = recording_parser(__doc__.partition("\n")[0], FILE)
    parser.set_defaults(nodes=[2000], seeds=[FIRST_SEED, FIRST_SEED + 1])
    given = parser.parse_args()
    work = (
        (setting, n_jobs, seed)
        for setting, n_jobs in LARGE
        for seed in range(*given.seeds)
        if setting.n_nodes in given.nodes
    )
    record(given.results, Fit, work, fit, given.minutes)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--fit"]:
        _answer(sys.argv[2])
    else:
        main()
