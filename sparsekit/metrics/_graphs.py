"""Causal graphs as metrics see them: patterns of edges, nodes in the same order."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp

from sparsekit.core import csr
from sparsekit.graph import Graph, as_graph

__all__ = ["named_pattern", "patterns_of", "reorder"]


def patterns_of(true: Any, pred: Any) -> tuple[sp.csr_array, sp.csr_array]:
    """Patterns of two graphs, the nodes of the second in the order of the first.

    Parameters
    ----------
    true, pred : object
        Anything that `sparsekit.graph.as_graph` takes.

    Returns
    -------
    tuple of two csr_array of shape (n_nodes, n_nodes), float64
        Canonical and read-only, ones where there is an edge.

    Raises
    ------
    ValueError
        If the numbers or the names of the nodes differ, or a node has an edge to itself.
    """
    expected, names = named_pattern(true, "true")
    pattern, pred_names = named_pattern(pred, "pred")
    if expected.shape != pattern.shape:
        raise ValueError(
            f"expected two graphs with the same nodes, got {expected.shape[0]} nodes in true and "
            f"{pattern.shape[0]} in pred: isolated nodes count, too."
        )
    return expected, reorder(pattern, pred_names, names)


def named_pattern(X: Any, argument: str) -> tuple[sp.csr_array, Sequence | None]:
    """Pattern of a graph without self-loops, and the names of its nodes if there are any."""
    graph = as_graph(X, directed=True)
    matrix = graph.adjacency
    loops = np.flatnonzero(matrix.diagonal())
    if len(loops):
        raise ValueError(
            f"expected a graph without self-loops, but in {argument} node {loops[0]} has an edge "
            "to itself: set the diagonal to 0."
        )
    pattern = csr.frozen(np.ones(matrix.nnz), matrix.indices, matrix.indptr, matrix.shape)
    return pattern, _names_of(graph)


def _names_of(graph: Graph) -> Sequence | None:
    return None if graph.node_names is None else graph.node_names.tolist()


def reorder(pattern: sp.csr_array, names: Sequence | None, wanted: Sequence | None) -> sp.csr_array:
    """Bring nodes into a wanted order, by their names.

    Nodes without names are called 0, 1, 2 and so on. If only one of the two orders has names, and
    these are not such numbers, nodes are taken to be in the wanted order already.
    """
    labels = range(pattern.shape[0]) if names is None else names
    order = range(pattern.shape[0]) if wanted is None else wanted
    wanted_names = set(order)
    missing = [name for name in labels if name not in wanted_names]
    if missing and (names is None or wanted is None):
        return pattern
    if missing:
        raise ValueError(
            f"expected the same names of nodes twice, but {missing[0]!r} is not among "
            f"{', '.join(map(repr, order[:5]))}: rename nodes, or pass matrices in the same order."
        )
    position = {name: i for i, name in enumerate(labels)}
    places = np.array([position[name] for name in order], dtype=np.intp)
    return csr.canonical(pattern[places][:, places])
