"""Graphs of the comparisons of graphlets, by name, and checks of counts before they are timed."""

import hashlib
import math
from functools import lru_cache
from pathlib import Path

import networkx as nx
import numpy as np
import scipy.sparse as sp

from benchmarks._measure import ROOT
from sparsekit.graph import Graph, as_graph
from sparsekit.graphlets import count_orbits
from sparsekit.graphlets._tables import GRAPHLETS

__all__ = ["check_answers", "check_totals", "graph"]

_CASES = ROOT / "tests" / "cases" / "graphlets"


@lru_cache(maxsize=2)
def graph(name: str) -> Graph:
    """Random graph ``<model>_<nodes>_<number>``.

    The number is the average degree of er (uniform) and geo (unit square), and the edges that come
    with a node in ba (Barabasi-Albert) and plc (the same with half of the triangles closed).
    """
    if _case_file(name).exists():
        return _shipped(_case_file(name))
    model, nodes, number = name.split("_")
    n, k = int(nodes), int(number)
    made = {
        "er": lambda: nx.gnm_random_graph(n, n * k // 2, seed=0),
        "geo": lambda: nx.random_geometric_graph(n, math.sqrt(k / (math.pi * n)), seed=0),
        "ba": lambda: nx.barabasi_albert_graph(n, k, seed=0),
        "plc": lambda: nx.powerlaw_cluster_graph(n, k, 0.5, seed=0),
    }
    pattern = nx.to_scipy_sparse_array(made[model](), dtype=np.float64, weight=None)
    return as_graph(pattern, directed=False)


def _case_file(name: str) -> Path:
    return _CASES / f"big_{name}.npz"


def _shipped(path: Path) -> Graph:
    """Graph of the tests, whose counts are known."""
    with np.load(path) as stored:
        n_nodes = int(stored["n"])
        indices = stored["indices"].astype(np.int32)
        parts = (np.ones(len(indices)), indices, stored["indptr"])
        upper = sp.csr_array(parts, shape=(n_nodes, n_nodes))
    return as_graph(sp.csr_array(upper + upper.T), directed=False)


def check_answers(name: str) -> bool:
    """Compare counts with the known ones, where there are any, and say whether there are.

    Raises
    ------
    RuntimeError
        If a count differs.
    """
    if not _case_file(name).exists():
        return False
    with np.load(_case_file(name)) as stored:
        known = {key: str(stored[key]) for key in stored.files if key.endswith("_sha256")}
    for key, expected in known.items():
        kind, max_nodes = key[:4], int(key[4])
        counts = count_orbits(graph(name), max_nodes, kind=kind).astype("<i8")
        if hashlib.sha256(np.ascontiguousarray(counts).tobytes()).hexdigest() != expected:
            raise RuntimeError(f"{kind} orbits of {name} differ from the known ones")
    return True


def check_totals(nodes: np.ndarray, edges: np.ndarray) -> None:
    """Check that every graphlet occurs as often by each of its node orbits and edge orbits.

    Raises
    ------
    RuntimeError
        If it does not.
    """
    of_nodes, of_edges = nodes.sum(axis=0), edges.sum(axis=0)
    for number, graphlet in enumerate(GRAPHLETS):
        if number == 0 or max(graphlet.node_orbits) >= len(of_nodes):
            continue
        found = _occurrences(of_nodes, graphlet.node_orbits)
        found |= _occurrences(of_edges, graphlet.edge_orbits)
        if len(found) != 1:
            raise RuntimeError(f"graphlet {number} is counted in two ways: {sorted(found)}")


def _occurrences(totals: np.ndarray, orbits: tuple[int, ...]) -> set[float]:
    """Occurrences of a graphlet according to each of its orbits."""
    return {int(totals[orbit]) / orbits.count(orbit) for orbit in set(orbits)}
