"""Demo of graphlet orbits. Imports scikit-learn at once: ``sparsekit demo`` imports it when run."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import networkx as nx
import numpy as np
from scipy.stats import rankdata, spearmanr
from sklearn.cluster import KMeans
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from sparsekit.cli._files import replacing
from sparsekit.cli._output import write_line, write_table
from sparsekit.datasets import load_digits_graph, load_les_miserables
from sparsekit.graphlets import OrbitCounter, count_orbits
from sparsekit.graphlets._tables import GRAPHLETS, N_GRAPHLETS, N_NODE_ORBITS
from sparsekit.plotting import OrbitDisplay
from sparsekit.plotting._style import PALETTE, import_matplotlib

__all__ = ["section"]

_FIGURE_NAME = "sparsekit-demo-graphlets.png"
_SEED = 0
_N_SHOWN = 8
_N_ROLES = 4
# Orbits of the table: neighbours, middle of an open path, triangle, inside a path of four.
_DEGREE, _BROKER, _TRIANGLE, _CHAIN, _CLIQUE = 0, 2, 3, 5, 14


class _Novel(NamedTuple):
    graph: Any
    names: np.ndarray
    counts: np.ndarray
    betweenness: np.ndarray
    roles: np.ndarray


def section(folder: Path) -> None:
    """Count the orbits of the characters of a novel and group them by their roles.

    Parameters
    ----------
    folder : Path
        Where the figure goes.
    """
    started = time.perf_counter()
    # Small arrays gain little from threads, and on a busy machine OpenMP threads wait for long.
    with threadpool_limits(limits=1):
        loading = _seconds_of(lambda: count_orbits(np.ones((6, 6))))[0]
        novel = _load_novel()
        _write_introduction(novel)
        _write_brokers(novel)
        _write_times(novel, loading)
        _write_figure(folder / _FIGURE_NAME, novel)
    write_line(f"Everything took {time.perf_counter() - started:.1f} s.")


def _load_novel() -> _Novel:
    bunch: Any = load_les_miserables()
    counts = count_orbits(bunch.graph)
    between = nx.betweenness_centrality(nx.from_scipy_sparse_array(bunch.data))
    model = make_pipeline(
        OrbitCounter(log=True),
        StandardScaler(),
        KMeans(_N_ROLES, n_init=10, random_state=_SEED),
    )
    roles = model.fit_predict(bunch.data)
    # Numbered by what a typical member of the group has of brokerage.
    medians = [np.median(counts[roles == role, _BROKER]) for role in range(_N_ROLES)]
    order = np.argsort(np.argsort(-np.array(medians), kind="stable"))
    betweenness = np.array([between[node] for node in range(len(counts))])
    return _Novel(bunch.graph, bunch.node_names, counts, betweenness, order[roles] + 1)


def _write_introduction(novel: _Novel) -> None:
    for line in (
        "Graphlet orbits: who brings together people that do not meet?",
        "",
        f"  Graph  {novel.graph.n_nodes} characters of Les Miserables, "
        f"{novel.graph.n_edges} pairs who share a chapter",
        "  Broker how often a character is the middle of an open path, that is, knows two",
        "         characters who never meet: orbit 2 of the graphlets of 3 nodes",
        "",
    ):
        write_line(line)


def _write_brokers(novel: _Novel) -> None:
    header = ["character", "knows", "broker", "triangles", "chains", "4-cliques", "betweenness"]
    orbits = [_DEGREE, _BROKER, _TRIANGLE, _CHAIN, _CLIQUE]
    ranks = rankdata(-novel.betweenness, method="min").astype(int)
    shown = np.argsort(-novel.counts[:, _BROKER], kind="stable")[:_N_SHOWN]
    rows = [
        [str(novel.names[node]), *map(str, novel.counts[node, orbits]), f"no. {ranks[node]}"]
        for node in shown
    ]
    write_table(header, rows, n_text_columns=1)
    for name, orbit in (("the number of acquaintances", _DEGREE), ("orbit 2", _BROKER)):
        correlation = spearmanr(novel.counts[:, orbit], novel.betweenness).statistic
        write_line(f"Rank correlation of betweenness with {name}: {correlation:.2f}.")
    write_line("Orbit 2 needs no shortest paths; it sees two steps and no further, so a bridge")
    write_line("that matters from afar, such as Myriel, ranks lower.")
    write_line()


def _write_times(novel: _Novel, loading: float) -> None:
    """Counting beside enumeration, and on a graph on which its time can be measured."""
    digits: Any = load_digits_graph()
    network = nx.from_scipy_sparse_array(novel.graph.adjacency)
    plain, enumerated = _seconds_of(lambda: _enumerate_orbits(network))
    runs = [
        (novel.graph, "enumeration in Python", plain),
        (novel.graph, "count_orbits", _seconds_of(lambda: count_orbits(novel.graph))[0]),
        (digits.graph, "count_orbits", _seconds_of(lambda: count_orbits(digits.graph))[0]),
    ]
    write_table(
        ["graph", "method, one thread", "seconds"],
        [
            [f"{graph.n_nodes} nodes, {graph.n_edges} edges", method, f"{seconds:.4f}"]
            for graph, method, seconds in runs
        ],
        n_text_columns=2,
    )
    is_same = np.array_equal(enumerated, novel.counts)
    write_line(f"Enumeration gives {'the same' if is_same else 'DIFFERENT'} counts.")
    write_line(f"Loading (the first time: compiling) took {loading:.1f} s, not in the table.")
    write_line("The larger graph: handwritten digits. max_nodes=5 counts 73 orbits, not 15.")
    write_line()


def _enumerate_orbits(network: nx.Graph) -> np.ndarray:
    """Orbit counts by visiting every connected set of up to four nodes.

    Up to four nodes, the degrees inside the set tell which graphlet it is, and a node's degree on
    which orbit it sits.
    """
    orbits = {}
    for graphlet in GRAPHLETS[: N_GRAPHLETS[4]]:
        degrees = np.bincount(np.ravel(graphlet.edges)).tolist()
        orbits[tuple(sorted(degrees))] = dict(zip(degrees, graphlet.node_orbits, strict=True))
    neighbours = {node: set(network[node]) for node in network}
    counts = np.zeros((len(network), N_NODE_ORBITS[4]), dtype=np.int64)
    found = {frozenset([node]) for node in network}
    for _ in range(3):
        found = {known | {w} for known in found for v in known for w in neighbours[v] - known}
        for nodes in found:
            degrees = {v: len(nodes & neighbours[v]) for v in nodes}
            of_degree = orbits[tuple(sorted(degrees.values()))]
            for v, degree in degrees.items():
                counts[v, of_degree[degree]] += 1
    return counts


def _seconds_of(task: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = task()
    return time.perf_counter() - started, result


def _write_figure(path: Path, novel: _Novel) -> None:
    started = time.perf_counter()
    try:
        figure = _draw(novel)
    except ImportError as error:
        write_line(f"No figure: {error}")
        return
    with replacing(path) as file:
        figure.savefig(file, format="png", dpi=200)
    write_line(f"Figure ({time.perf_counter() - started:.1f} s): {path.resolve()}")


def _draw(novel: _Novel) -> Any:
    import_matplotlib("it")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 5.2), layout="constrained")
    left, right = figure.subplots(ncols=2, width_ratios=(1, 1))
    _draw_network(left, novel)
    left.set_title("Characters, coloured by role; size: broker (orbit 2)", loc="left", pad=20)
    groups = np.array([f"role {role}" for role in novel.roles])
    OrbitDisplay.from_counts(novel.counts, groups, ax=right)
    right.set_title("Orbit counts of the roles", loc="left", pad=20)
    return figure


def _draw_network(axes: Any, novel: _Novel) -> None:
    network = nx.from_scipy_sparse_array(novel.graph.adjacency)
    places = nx.kamada_kawai_layout(network, weight=None)
    nx.draw_networkx_edges(network, places, ax=axes, edge_color="0.8", width=0.6)
    nx.draw_networkx_nodes(
        network,
        places,
        ax=axes,
        node_color=[PALETTE[role - 1] for role in novel.roles],
        node_size=20 + 8 * np.sqrt(novel.counts[:, _BROKER]),
        linewidths=0,
    )
    named = np.argsort(-novel.counts[:, _BROKER], kind="stable")[:_N_SHOWN]
    middle = np.mean([places[node][0] for node in named])
    for node in named:
        side = 1 if places[node][0] > middle else -1
        steps = [places[other] - places[node] for other in named]
        is_blocked = any(0 < side * step[0] < 0.4 and abs(step[1]) < 0.1 for step in steps)
        axes.annotate(
            str(novel.names[node]),
            places[node],
            xytext=(0, 13) if is_blocked else (8 * side, 0),
            textcoords="offset points",
            ha="center" if is_blocked else {1: "left", -1: "right"}[side],
            va="center",
            fontsize=9,
            bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "alpha": 0.7, "lw": 0},
        )
    axes.set_axis_off()
