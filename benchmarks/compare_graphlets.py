"""Orbit counts against a sparse product, igraph and orca-graphlets: CPU time of one thread."""

from collections.abc import Callable, Iterator
from functools import cache, partial
from importlib.metadata import version
from importlib.util import find_spec
from math import isnan
from typing import Any, NamedTuple

import networkx as nx
import numpy as np
import scipy.sparse as sp

from benchmarks._graphlets import check_answers, check_totals, graph
from benchmarks._measure import Timing, alternate
from benchmarks._report import Options, Table, Target, count, seconds, times, with_targets
from sparsekit.graph import Graph, as_graph
from sparsekit.graphlets import count_orbits

TITLE = "Graphlets: orbit counts"

PRODUCT = "A @ A"
COUNTS = {
    f"{kind} {size}": {"kind": kind, "max_nodes": size}
    for size in (4, 5)
    for kind in ("node", "edge")
}
# Counts of larger graphs are not computed an additional time only to be checked.
CHECKED = 300_000
# Rounds, fewer where one takes seconds.
GRAPHS = {
    "er_1000_50": 15,
    "ba_1000_25": 15,
    "er_10000_20": 9,
    "ba_10000_10": 15,
    "plc_10000_10": 9,
    "geo_10000_50": 3,
    "er_100000_20": 2,
    "ba_100000_10": 2,
}
QUICK_GRAPHS = {"er_1000_50": 3, "ba_1000_25": 3, "ba_10000_10": 3}
LARGE = "ba_100000_10"
GROWTH = ("ba_1000_10", "ba_10000_10", LARGE, "er_10000_10", "er_10000_20", "er_10000_40")
QUICK_GROWTH = ("ba_1000_25", "ba_10000_10")
# Peers take minutes on larger ones.
PEER_CASES = {
    "er_500_30": ("node 4",),
    "ba_1000_10": ("node 4",),
    "geo_300_20": ("node 4", "edge 4", "node 5", "edge 5"),
}
QUICK_PEER_CASES = {"geo_300_20": ("node 4", "edge 4")}


class Stored(NamedTuple):
    """Time of ORCA in units of A @ A of its own time, as stored: lowest and highest seen."""

    four: tuple[float, float] | None
    five: float | None


ORCA = {
    "er_1000_50": Stored((2.4, 2.4), 335),
    "ba_1000_25": Stored(None, 1500),
    "ba_10000_10": Stored((1.7, 2.1), 505),
    "plc_10000_10": Stored((1.7, 2.1), None),
    "geo_10000_50": Stored((8.0, 8.3), None),
}


class Goal(NamedTuple):
    """Least speed in units of that of A @ A, and what is aimed at."""

    graph: str
    max_nodes: int
    must: float
    aim: float | None = None


GOALS = (
    Goal("ba_10000_10", 4, 2.8, 4.0),
    Goal("geo_10000_50", 4, 0.33, 0.6),
    Goal("er_1000_50", 4, 1.7),
    Goal("ba_10000_10", 5, 0.05, 0.08),
    Goal("ba_1000_25", 5, 0.025, 0.04),
    Goal("er_1000_50", 5, 0.08),
)


def warm_up() -> None:
    """Compile, or load, all kernels of the counts."""
    small = as_graph(nx.karate_club_graph())
    for parameters in COUNTS.values():
        for n_jobs in (1, 2):
            count_orbits(small, **parameters, n_jobs=n_jobs)


def contenders(given: Graph, names: list[str] | None = None) -> dict[str, Callable[[], Any]]:
    """The product of the adjacency with itself, and our counts."""
    adjacency = given.adjacency.astype(np.float64)
    known = {PRODUCT: lambda: adjacency @ adjacency}
    for name, parameters in COUNTS.items():
        known[name] = partial(count_orbits, given, **parameters)
    return known if names is None else {name: known[name] for name in names}


@cache
def measured(name: str, rounds: int) -> dict[str, Timing]:
    """Check the counts of a graph and time them in turn with the product."""
    if graph(name).n_edges <= CHECKED:
        for size in (4, 5):
            check_totals(*(count_orbits(graph(name), size, kind=kind) for kind in ("node", "edge")))
    return alternate(contenders(graph(name)), rounds)


def _against_product(options: Options) -> Iterator[str | Table | list[Target]]:
    graphs = QUICK_GRAPHS if options.quick else GRAPHS
    known = [name for name in graphs if check_answers(name)]
    found = {name: measured(name, rounds) for name, rounds in graphs.items()}
    yield (
        f"Before timing, counts were compared with known ones on {' and '.join(known)}, and on "
        f"graphs of up to {count(CHECKED)} edges the number of each graphlet was computed from "
        "each of its node orbits and each of its edge orbits, which are counted by different "
        "code: they agree."
    )
    yield _node_table(found)
    yield _edge_table(found)
    yield _stored_table(found)
    yield [
        Target(
            f"{goal.max_nodes} nodes, {goal.graph}",
            _speed(found[goal.graph], f"node {goal.max_nodes}"),
            goal.must,
            goal.aim,
            f" x {PRODUCT}",
            reason=_WHY_SLOW,
        )
        for goal in GOALS
        if goal.graph in found
    ]


def _speed(found: dict[str, Timing], name: str) -> float:
    """Time of the product by that of the counts."""
    return found[PRODUCT].cpu / found[name].cpu


def _node_table(found: dict[str, dict[str, Timing]]) -> Table:
    rows = []
    for name, timings in found.items():
        row = [name, f"{graph(name).n_edges:,}", seconds(timings[PRODUCT].cpu)]
        for size in (4, 5):
            row += [seconds(timings[f"node {size}"].cpu), f"{_speed(timings, f'node {size}'):.3f}"]
        rows.append(row)
    columns = ["graph", "edges", PRODUCT, "4 nodes", "speed", "5 nodes", "speed"]
    return Table("Node orbits, one thread, CPU time", columns, rows, [_GRAPHS_NOTE])


def _edge_table(found: dict[str, dict[str, Timing]]) -> Table:
    rows = []
    for name, timings in found.items():
        row = [name]
        for size in (4, 5):
            nodes, edges = (timings[f"{kind} {size}"].cpu for kind in ("node", "edge"))
            row += [seconds(edges), f"{edges / nodes:.2f}"]
        rows.append(row)
    columns = ("graph", "4 nodes", "of node orbits", "5 nodes", "of node orbits")
    note = "Of node orbits: time by that of the node orbits of the same size."
    return Table("Edge orbits, one thread, CPU time", columns, rows, [note])


def _stored_table(found: dict[str, dict[str, Timing]]) -> Table:
    rows = []
    for name, stored in ORCA.items():
        if name not in found:
            continue
        ours = {size: 1 / _speed(found[name], f"node {size}") for size in (4, 5)}
        row = [name, "", f"{ours[4]:.3g}", "", "", f"{ours[5]:.3g}", ""]
        if stored.four is not None:
            low, high = stored.four
            row[1] = f"{low:g}" if low == high else f"{low:g}-{high:g}"
            row[3] = times(low / ours[4])
        if stored.five is not None:
            row[4], row[6] = f"{stored.five:g}", times(stored.five / ours[5])
        rows.append(row)
    columns = ("graph", "ORCA 4, stored", "ours", "faster", "ORCA 5, stored", "ours", "faster")
    caption = f"Node orbits, in units of {PRODUCT}; ORCA by stored figures of another run"
    return Table(caption, columns, rows, [_STORED_NOTE])


_GRAPHS_NOTE = (
    "Speed: time of A @ A, the product in double precision by scipy, by that of the counts, both "
    "minima of the same run. Graphs are <model>_<nodes>_<number>: er uniform and geo geometric "
    "with this average degree, ba Barabasi-Albert and plc with closed triangles with so many edges "
    "a node."
)
_STORED_NOTE = (
    "ORCA is not run here. Stored: its time on another occasion, without reading and writing text, "
    "by that of A @ A then (the lowest and highest seen; for five nodes A @ A is from one more "
    "run, so indicative only). Faster: by the lower of the two."
)
_WHY_SLOW = "Other processes share the caches that decide both times."


def orca_calls(edges: np.ndarray) -> dict[str, Callable[[], np.ndarray]]:
    """Counts by the pure Python program of that name; none where it is not installed."""
    if find_spec("orca") is None:
        return {}
    from orca import orca_edges, orca_nodes

    return {
        f"{kind} {size}": partial(call, edges, graphlet_size=size)
        for kind, call in (("node", orca_nodes), ("edge", orca_edges))
        for size in (4, 5)
    }


def igraph_call(n_nodes: int, edges: np.ndarray) -> Callable[[], list[float]] | None:
    """Number of occurrences of each graphlet of four nodes in the whole graph, by igraph."""
    if find_spec("igraph") is None:
        return None
    import igraph

    return partial(igraph.Graph(n=n_nodes, edges=edges).motifs_randesu, 4)


def occurrences_of_four(counts: np.ndarray) -> list[int]:
    """Occurrences of star, path, paw, cycle, diamond and clique: the order of igraph."""
    totals = counts.sum(axis=0)
    sizes = {7: 1, 4: 2, 9: 1, 8: 4, 12: 2, 14: 4}  # orbit: nodes of the graphlet on it
    return [int(totals[orbit]) // size for orbit, size in sizes.items()]


def _against_peers(options: Options) -> Iterator[Table]:
    rows = []
    for name, kinds in (QUICK_PEER_CASES if options.quick else PEER_CASES).items():
        upper = sp.triu(graph(name).adjacency).tocoo()
        edges = np.column_stack((upper.row, upper.col)).astype(np.int64)
        edges = edges[np.lexsort((edges[:, 1], edges[:, 0]))]
        orca, motifs = orca_calls(edges), igraph_call(graph(name).n_nodes, edges)
        for kind in kinds:
            calls = contenders(graph(name), [kind])
            ours = calls[kind]()
            if kind in orca:
                if not np.array_equal(orca[kind](), ours):
                    raise RuntimeError(f"orca-graphlets counts otherwise: {kind} of {name}")
                calls["orca-graphlets"] = orca[kind]
            if motifs is not None and kind == "node 4":
                totals = [int(value) for value in motifs() if not isnan(value)]
                if totals != occurrences_of_four(ours):
                    raise RuntimeError(f"igraph counts otherwise: {name}")
                calls["igraph"] = motifs
            found = alternate(calls, 2)
            row = [name, f"{graph(name).n_edges:,}", kind, seconds(found[kind].cpu)]
            for peer in ("orca-graphlets", "igraph"):
                row += _peer_cells(found.get(peer), found[kind])
            rows.append(row)
    columns = (
        "graph",
        "edges",
        "orbits",
        "sparsekit",
        "orca-graphlets",
        "ratio",
        "igraph",
        "ratio",
    )
    caption = "Against programs that can be installed, one thread, CPU time"
    yield Table(caption, columns, rows, [_peer_note()])


def _peer_cells(peer: Timing | None, ours: Timing) -> list[str]:
    return ["", ""] if peer is None else [seconds(peer.cpu), times(peer.cpu / ours.cpu)]


def _peer_note() -> str:
    versions = [
        f"{package} {version(package) if find_spec(module) else '(not installed)'}"
        for package, module in (("orca-graphlets", "orca"), ("igraph", "igraph"))
    ]
    return (
        f"{', '.join(versions)}. orca-graphlets is pure Python. igraph: `motifs_randesu(4)`, which "
        "gives totals of the whole graph only. All results were compared and are equal."
    )


def _growth(options: Options) -> Iterator[Table]:
    graphs = QUICK_GROWTH if options.quick else GROWTH
    rows = []
    for name in graphs:
        found = measured(name, (QUICK_GRAPHS if options.quick else GRAPHS).get(name, 3))
        n_edges = graph(name).n_edges
        row = [name, f"{graph(name).n_nodes:,}", f"{n_edges:,}"]
        for kind in COUNTS:
            row += [seconds(found[kind].cpu), f"{found[kind].cpu / n_edges * 1e6:.3g}"]
        rows.append(row)
    columns = ["graph", "nodes", "edges"]
    for kind in COUNTS:
        columns += [kind, "µs / edge"]
    note = "Node 4: node orbits of up to four nodes, and so on; names of graphs as above."
    yield Table("Growth with edges and degree, one thread, CPU time", columns, rows, [note])


def run(options: Options) -> Iterator[str | Table]:
    """Yield the blocks of the page."""
    warm_up()
    yield from with_targets(part(options) for part in (_against_product, _against_peers, _growth))
