"""Orbit counts as a function: from a graph to a table."""

from collections.abc import Callable
from contextlib import nullcontext
from numbers import Integral
from typing import Any

import numpy as np
import scipy.sparse as sp

from sparsekit.core import csr
from sparsekit.core.cliques import cliques_and_diamonds, triangles_by_slot
from sparsekit.core.cycles import four_cycles
from sparsekit.core.ordering import order_by_degree
from sparsekit.graph import as_graph
from sparsekit.graphlets._pattern import pattern_of
from sparsekit.graphlets._tables import n_orbits
from sparsekit.graphlets.orbits._convert import to_induced
from sparsekit.graphlets.orbits._count4 import EdgeCounts, count_four, node_sums
from sparsekit.graphlets.orbits._count5 import count_five
from sparsekit.graphlets.orbits._edges4 import edge_orbits_four
from sparsekit.graphlets.orbits._edges5 import edge_orbits_five
from sparsekit.graphlets.orbits._overflow import check_cycles, check_trees

__all__ = ["N_STAGES", "check_max_nodes", "count_orbits", "count_pattern", "nearby"]

N_STAGES = {4: 2, 5: 6}


def count_orbits(
    graph: Any,
    max_nodes: int = 4,
    *,
    kind: str = "node",
    induced: bool = True,
    nodes: Any = None,
    n_jobs: int | None = None,
) -> np.ndarray:
    """Count how often each node, or each edge, sits on each orbit of the graphlets.

    A graphlet is a small connected graph, an occurrence of it a connected induced subgraph, and an
    orbit a class of its nodes (or edges) that symmetries map onto each other. Counts are exact.

    Parameters
    ----------
    graph : object
        An undirected graph: anything that `sparsekit.graph.as_graph` takes. Weights and self-loops
        are ignored.
    max_nodes : {4, 5}, default=4
        Size of the largest graphlets.
    kind : {"node", "edge"}, default="node"
        Whether nodes or edges are counted for.
    induced : bool, default=True
        Whether only induced occurrences count. Otherwise every copy does, also where the graph has
        further edges between its nodes.
    nodes : sequence of int or of node names, default=None
        Count for these nodes only, in this order; repeats are allowed. Only their neighbourhoods up
        to distance ``max_nodes - 1`` are visited. Not with ``kind="edge"``.
    n_jobs : int or None, default=None
        Threads; ``None`` means 1 and -1 all cores. The result does not depend on it.

    Returns
    -------
    ndarray of shape (n_nodes or len(nodes), 15 or 73), int64
        One row a node, one column a node orbit, for ``kind="node"``.
    ndarray of shape (n_edges, 12 or 68), int64
        For ``kind="edge"``: one row an edge (i, j) with i < j, sorted; self-loops have no row.

    Raises
    ------
    ValueError
        If the graph has directions, no nodes, or weights that are not finite; if a parameter is not
        one of the values above or a node is unknown.
    OverflowError
        If a count might not fit into 64 bits; it names the orbit.

    See Also
    --------
    OrbitCounter : The same as a transformer.
    orbit_adjacency : Which pairs of nodes meet in these occurrences.

    Notes
    -----
    Copies of each graphlet have closed forms in degrees, triangles, four-cycles and a few more
    quantities; a fixed integer matrix turns them into induced counts. On sparse graphs five-node
    counts take about as long as one to three products of the adjacency with itself.

    References
    ----------
    .. [1] Przulj. "Biological network comparison using graphlet degree distribution."
       Bioinformatics 2007.
    .. [2] Hocevar, Demsar. "A combinatorial approach to graphlet counting." Bioinformatics 2014.

    Examples
    --------
    >>> import networkx as nx
    >>> from sparsekit.graphlets import count_orbits
    >>> count_orbits(nx.star_graph(3))
    array([[3, 0, 3, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
           [1, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0],
           [1, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0],
           [1, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]])
    """
    check_max_nodes(max_nodes)
    if kind not in ("node", "edge"):
        raise ValueError(f"expected kind to be 'node' or 'edge', got {kind!r}.")
    if not isinstance(induced, (bool, np.bool_)):
        raise ValueError(f"expected induced to be True or False, got {induced!r}.")
    if nodes is not None and kind == "edge":
        raise ValueError("nodes= selects rows of nodes: it can not be combined with kind='edge'.")
    graph = as_graph(graph)
    pattern = pattern_of(graph)
    if nodes is None:
        return count_pattern(pattern, max_nodes, kind=kind, induced=induced, n_jobs=n_jobs)
    wanted = graph.indices_of(nodes)
    reached = nearby(pattern, wanted, max_nodes - 1)
    part = csr.canonical(pattern[reached][:, reached])
    rows = np.searchsorted(reached, wanted)
    return count_pattern(part, max_nodes, induced=induced, rows=rows, n_jobs=n_jobs)


def check_max_nodes(max_nodes: Any) -> None:
    """Raise ValueError unless graphlets of this size are counted."""
    if not isinstance(max_nodes, Integral) or max_nodes not in (4, 5):
        raise ValueError(f"expected max_nodes to be 4 or 5, got {max_nodes!r}.")


def nearby(pattern: sp.csr_array, nodes: np.ndarray, radius: int) -> np.ndarray:
    """Nodes within this distance of the given ones, sorted."""
    reached = np.zeros(pattern.shape[0], dtype=bool)
    reached[nodes] = True
    frontier = np.flatnonzero(reached)
    for _ in range(radius):
        neighbours = pattern[frontier].indices
        frontier = np.unique(neighbours[~reached[neighbours]])
        reached[frontier] = True
    return np.flatnonzero(reached)


def count_pattern(
    pattern: sp.csr_array,
    max_nodes: int,
    *,
    kind: str = "node",
    induced: bool = True,
    rows: np.ndarray | None = None,
    n_jobs: int | None = None,
    stage: Callable = nullcontext,
) -> np.ndarray:
    """Count orbits of a pattern as `pattern_of` returns it.

    Parameters are those of `count_orbits`, and `rows`, the nodes whose counts are wanted, and
    `stage`: called with the name of each stage of work on nodes, it returns a context for it. There
    are as many as `N_STAGES` says.
    """
    ordered, nodes = order_by_degree(pattern)
    if kind == "edge":
        count = edge_orbits_four if max_nodes == 4 else edge_orbits_five
        return count(ordered, induced, n_jobs, nodes)
    counts = np.empty((len(nodes), n_orbits("node", max_nodes)), dtype=np.int64)
    judged = slice(None) if rows is None else np.isin(nodes, rows)
    check_trees(ordered, max_nodes, judged)
    with stage("edges"):
        triangles = triangles_by_slot(ordered, n_jobs)
        cliques, diamonds = cliques_and_diamonds(ordered, triangles, n_jobs)
        cycles = four_cycles(ordered, n_jobs) if max_nodes == 5 else np.empty(0, dtype=np.int64)
        edges = EdgeCounts(triangles, cliques, cycles)
    with stage("four nodes"):
        sums = node_sums(ordered, edges, n_jobs)
        check_cycles(ordered, edges, sums, max_nodes, judged)
        count_four(ordered, nodes, triangles, sums, diamonds, counts, n_jobs)
    if max_nodes == 5:
        count_five(ordered, nodes, edges, sums, counts, n_jobs, stage)
    if induced:
        to_induced(counts, "node", max_nodes, n_jobs)
    return counts if rows is None else counts[rows]
