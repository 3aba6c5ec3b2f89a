"""Orbit counts on several threads, their memory, and what their first calls cost."""

import json
import os
import sys
from collections.abc import Iterator
from functools import partial

import numpy as np

from benchmarks._graphlets import graph
from benchmarks._measure import (
    OtherLoad,
    alternate,
    cold_and_warm,
    in_fresh_process,
    memory_can_be_measured,
    peak_extra_bytes,
)
from benchmarks._report import (
    Options,
    Table,
    Target,
    first_calls_table,
    seconds,
    times,
    with_targets,
)
from benchmarks.compare_graphlets import COUNTS, LARGE, PRODUCT, contenders, warm_up
from sparsekit.graphlets import count_orbits

TITLE = "Graphlets: threads, memory and first calls"

QUICK_THREADS = {"ba_10000_10": COUNTS}
THREADS = {"geo_10000_50": COUNTS, LARGE: ("node 4", "node 5")}


def _threads(options: Options) -> Iterator[Table]:
    cases = QUICK_THREADS if options.quick else THREADS
    numbers = [n for n in (1, 2, 4) if n <= (os.cpu_count() or 1)]
    rows = []
    for name, kinds in cases.items():
        for kind in kinds:
            count_kind = partial(count_orbits, graph(name), **COUNTS[kind])
            calls = {str(n): partial(count_kind, n_jobs=n) for n in numbers}
            same = all(np.array_equal(calls["1"](), call()) for call in list(calls.values())[1:])
            others = OtherLoad()
            found = alternate(calls, 2 if options.quick else 3)
            row = [f"{name}, {kind}", *(seconds(timing.wall) for timing in found.values())]
            row += [times(found["1"].wall / found[str(n)].wall) for n in numbers[1:]]
            rows.append((*row, others.cores(), "yes" if same else "NO"))
    columns = ["graph, orbits", *(f"{n} threads" if n > 1 else "1 thread" for n in numbers)]
    columns += [f"speedup {n}" for n in numbers[1:]]
    note = (
        "Others: cores that other processes kept busy meanwhile; where they leave no second core "
        f"free, there is no speedup to be seen. This machine has {os.cpu_count()} cores."
    )
    yield Table("Threads, wall time", [*columns, "others", "equal"], rows, [note])


def peak_bytes(name: str) -> dict[str, int]:
    """Peak extra memory of each kind of count, in a fresh process, the result included."""
    # Freed blocks go back to the system at once instead of hiding in the process.
    environment = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
    return in_fresh_process(["-m", "benchmarks.compare_graphlets_resources", name], environment)


def _answer_memory_request(name: str) -> None:
    """Child process of `peak_bytes`."""
    calls = contenders(graph(name))
    warm_up()
    print(json.dumps({kind: peak_extra_bytes(call) for kind, call in calls.items()}))


def _memory(options: Options) -> Iterator[str | Table]:
    if not memory_can_be_measured():
        yield "Peak memory was not measured: this system does not reset it."
        return
    names = ["ba_10000_10"] if options.quick else ["ba_10000_10", LARGE]
    columns = ["graph", "nodes", "edges", PRODUCT, *COUNTS]
    rows = []
    for name in names:
        peaks = peak_bytes(name)
        sizes = (f"{graph(name).n_nodes:,}", f"{graph(name).n_edges:,}")
        rows.append((name, *sizes, *(f"{peaks[kind] / 1e6:.0f} MB" for kind in columns[3:])))
    note = "The result is included: 15 or 73 numbers of 8 bytes a node, 12 or 68 an edge."
    yield Table("Peak extra memory, in a fresh process", columns, rows, [note])


_FIRST_CALLS = """
import json, time
start = time.process_time()
import networkx as nx
from sparsekit.graph import as_graph
from sparsekit.graphlets import count_orbits, orbit_adjacencies
graph = as_graph(nx.karate_club_graph())
found = {"imports": time.process_time() - start}
calls = {
    "node orbits, 4": lambda: count_orbits(graph),
    "node orbits, 5": lambda: count_orbits(graph, 5),
    "edge orbits, 4": lambda: count_orbits(graph, kind="edge"),
    "edge orbits, 5": lambda: count_orbits(graph, 5, kind="edge"),
    "orbit adjacencies": lambda: orbit_adjacencies(graph),
}
for name, call in calls.items():
    start = time.process_time()
    call()
    found[name] = time.process_time() - start
print(json.dumps(found))
"""


def first_calls(environment: dict[str, str]) -> dict[str, float]:
    """CPU seconds of imports and of the first call of each kind, one after the other."""
    return in_fresh_process(["-c", _FIRST_CALLS], environment)


def _first_calls(options: Options) -> Iterator[Table | list[Target]]:
    cold, warm = cold_and_warm(first_calls, quick=options.quick)
    compiling = sum(value for name, value in cold.items() if name != "imports")
    yield first_calls_table("call", cold, warm, ("all but imports", seconds(compiling), ""))
    first = "node orbits, 4"
    yield [
        Target("first calls of all kinds, nothing compiled", compiling, 25.0, None, " s", True),
        Target("first count, nothing compiled", cold[first], 3.0, None, " s", True, _WHY_SLOW),
        Target("first count, compiled code on disk", warm[first], 0.3, None, " s", True),
    ]


_WHY_SLOW = (
    "Compilation of some twenty kernels, once on a machine: their code is kept on disk for all "
    "later processes."
)


def run(options: Options) -> Iterator[str | Table]:
    """Yield the blocks of the page."""
    warm_up()
    yield from with_targets(part(options) for part in (_threads, _memory, _first_calls))


if __name__ == "__main__":
    _answer_memory_request(sys.argv[1])
