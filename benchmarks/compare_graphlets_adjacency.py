"""Orbit adjacencies: CPU time against a sparse product, entries and peak memory."""

import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import networkx as nx
import numpy as np
import scipy.sparse as sp

from benchmarks._graphlets import graph
from benchmarks._measure import (
    Timing,
    alternate,
    in_fresh_process,
    memory_can_be_measured,
    peak_extra_bytes,
)
from benchmarks._report import Options, Table, Target, count, seconds, times, with_targets
from benchmarks.compare_graphlets import PRODUCT, contenders
from sparsekit.graphlets import count_orbits, orbit_adjacencies, orbit_adjacency_operator
from sparsekit.graphlets._tables import ORBIT_PAIRS

TITLE = "Graphlets: orbit adjacencies"

LARGEST = (4, 4, 3)
# What is asked for: the pairs on edges, all but the largest one, all.
PAIRS = {
    "on edges": [key for key in ORBIT_PAIRS if key[2] == 1],
    "27": [key for key in ORBIT_PAIRS if key != LARGEST],
    "28": list(ORBIT_PAIRS),
}
# Rounds.
GRAPHS = {"er_1000_50": 5, "er_10000_20": 7, "ba_10000_10": 2, "geo_10000_50": 2}
QUICK_GRAPHS = {"er_1000_50": 2}
# The 28 of others take gigabytes.
WITH_LARGEST = ("er_1000_50", "er_10000_20")
OF_GOALS = "er_10000_20"
ENTRIES = {"er_10000_20": 17_912_032}
N_COLUMNS = 32


def calls_of(name: str, asked: list[str]) -> dict[str, Callable[[], Any]]:
    """Product of the adjacency with itself, and orbit adjacencies."""
    calls = contenders(graph(name), [PRODUCT])
    calls |= {what: partial(orbit_adjacencies, graph(name), pairs=PAIRS[what]) for what in asked}
    return calls


def asked_of(name: str) -> list[str]:
    """Sets of pairs that are computed for a graph."""
    return [what for what in PAIRS if what != "28" or name in WITH_LARGEST]


def warm_up() -> None:
    """Compile, or load, all kernels."""
    orbit_adjacencies(nx.karate_club_graph())
    orbit_adjacency_operator(nx.karate_club_graph())


def check(name: str, found: dict[tuple[int, int, int], sp.csr_array]) -> None:
    """Compare row sums with orbit counts, which other code computes, and look for stored zeros.

    Raises
    ------
    RuntimeError
        If a row sum differs, a zero is stored, or the number of entries is not the known one.
    """
    counts = count_orbits(graph(name))
    for key, matrix in found.items():
        expected = ORBIT_PAIRS[key] * counts[:, key[0]]
        if not np.array_equal(matrix.sum(axis=1), expected) or not np.all(matrix.data):
            raise RuntimeError(f"orbit adjacency {key} of {name} is wrong")
    entries = sum(matrix.nnz for key, matrix in found.items() if key != LARGEST)
    if entries != ENTRIES.get(name, entries):
        raise RuntimeError(f"{entries} entries in {name}")


def _sizes(name: str, asked: list[str]) -> dict[str, tuple[int, int]]:
    """Entries and bytes of each set of pairs, checked."""
    found = orbit_adjacencies(graph(name), pairs=PAIRS[asked[-1]])
    check(name, found)
    sizes = {}
    for what in asked:
        matrices = [found[key] for key in PAIRS[what]]
        n_bytes = sum(m.data.nbytes + m.indices.nbytes + m.indptr.nbytes for m in matrices)
        sizes[what] = sum(m.nnz for m in matrices), n_bytes
    return sizes


def _time(options: Options) -> Iterator[str | Table | list[Target]]:
    graphs = QUICK_GRAPHS if options.quick else GRAPHS
    rows, goals = [], []
    for name, rounds in graphs.items():
        asked = asked_of(name)
        sizes = _sizes(name, asked)
        found = alternate(calls_of(name, asked), rounds)
        rows += [_time_row(name, what, sizes[what][0], found) for what in asked]
        if name == OF_GOALS:
            ratio = found["27"].cpu / found[PRODUCT].cpu
            goals = [Target(f"27, {name}, time", ratio, 100, 30, f" x {PRODUCT}", True)]
    yield (
        "Before timing, row sums were compared with the orbit counts; no zero is stored, and the "
        "27 of er_10000_20 hold the known 17,912,032 entries."
    )
    columns = ("graph", "pairs", "entries", "CPU time", f"in {PRODUCT}", "ns / entry")
    yield Table("Orbit adjacencies, one thread, CPU time", columns, rows, [_TIME_NOTE])
    yield goals


def _time_row(name: str, what: str, entries: int, found: dict[str, Timing]) -> tuple[str, ...]:
    spent = found[what].cpu
    times_product = f"{spent / found[PRODUCT].cpu:.1f}"
    return name, what, count(entries), seconds(spent), times_product, f"{spent / entries * 1e9:.0f}"


_TIME_NOTE = (
    "Pairs: those of adjacent nodes, all but (4, 4, 3), all. Stored figure of another occasion: "
    "GRADCO, which returns all 28 as dense matrices of 4 bytes an entry, took 32 s and 8.8 GB for "
    "er_10000_20."
)


def peak_bytes(name: str, what: str) -> int:
    """Peak extra memory in a fresh process, the result included."""
    # Freed blocks go back to the system at once instead of hiding in the process.
    environment = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
    arguments = ["-m", "benchmarks.compare_graphlets_adjacency", name, what]
    return in_fresh_process(arguments, environment)["bytes"]


def _answer_memory_request(name: str, what: str) -> None:
    """Child process of `peak_bytes`."""
    call = calls_of(name, [what])[what]
    warm_up()
    print(json.dumps({"bytes": peak_extra_bytes(call)}))


def _memory(options: Options) -> Iterator[str | Table | list[Target]]:
    if not memory_can_be_measured():
        yield "Peak memory was not measured: this system does not reset it."
        return
    rows, goals = [], []
    for name in QUICK_GRAPHS if options.quick else (OF_GOALS, "ba_10000_10"):
        asked = asked_of(name)
        sizes = _sizes(name, asked)
        for what in asked[1:]:
            entries, n_bytes = sizes[what]
            peak = peak_bytes(name, what)
            row = (name, what, count(entries), f"{n_bytes / 1e6:.0f} MB", f"{peak / 1e6:.0f} MB")
            rows.append((*row, times(peak / n_bytes)))
            if (name, what) == (OF_GOALS, "27"):
                goals = [Target(f"27, {name}, memory", peak / 1e6, 900, 500, " MB", True)]
    columns = ("graph", "pairs", "entries", "result", "peak", "of result")
    note = "The result is included. Entries are 8 bytes and an index of 4."
    yield Table("Peak extra memory, in a fresh process", columns, rows, [note])
    yield goals


def _operator(options: Options) -> Iterator[Table]:
    rows = []
    for name in QUICK_GRAPHS if options.quick else WITH_LARGEST:
        given = graph(name)
        block = np.random.default_rng(0).random((given.n_nodes, N_COLUMNS))
        build = {
            "stored": partial(orbit_adjacencies, given, pairs=[LARGEST]),
            "operator": partial(orbit_adjacency_operator, given),
        }
        matrix = build["stored"]()[LARGEST].astype(np.float64)
        operator = build["operator"]()
        if not np.allclose(matrix @ block, operator @ block):
            raise RuntimeError(f"the operator differs on {name}")
        rounds = 2 if options.quick else 3
        built = alternate(build, rounds)
        multiply = {
            "stored": partial(matrix.__matmul__, block),
            "operator": partial(operator.matmat, block),
        }
        applied = alternate(multiply, rounds)
        for way in build:
            entries = count(matrix.nnz) if way == "stored" else ""
            rows.append((name, way, entries, seconds(built[way].cpu), seconds(applied[way].cpu)))
    columns = ("graph", "(4, 4, 3)", "entries", "to build", f"product with {N_COLUMNS} columns")
    note = "Operator: `orbit_adjacency_operator`, which never forms the matrix."
    yield Table("The largest one, stored and as an operator, CPU time", columns, rows, [note])


def run(options: Options) -> Iterator[str | Table]:
    """Yield the blocks of the page."""
    warm_up()
    yield from with_targets(part(options) for part in (_time, _memory, _operator))


if __name__ == "__main__":
    _answer_memory_request(*sys.argv[1:3])
