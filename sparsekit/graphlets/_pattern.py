"""What counting looks at: who is adjacent to whom, without weights, self-loops and directions."""

from typing import Any

import numpy as np
import scipy.sparse as sp

from sparsekit.core import csr
from sparsekit.graph import Graph, as_graph

__all__ = ["pattern_of"]


def pattern_of(graph: Any) -> sp.csr_array:
    """Adjacency pattern of an undirected graph.

    Parameters
    ----------
    graph : object
        Anything that `sparsekit.graph.as_graph` takes.

    Returns
    -------
    csr_array of shape (n_nodes, n_nodes), float64
        Canonical and read-only, ones where two different nodes are adjacent.

    Raises
    ------
    ValueError
        If the pattern is not symmetric, or there are no nodes.
    """
    graph = as_graph(graph)
    if graph.n_nodes == 0:
        raise ValueError("expected a graph with at least one node, got none.")
    matrix = _without_diagonal(graph)
    pattern = csr.frozen(np.ones(matrix.nnz), matrix.indices, matrix.indptr, matrix.shape)
    # Undirected graphs are symmetric by construction; a directed one may be so but for weights.
    if graph.is_directed and not csr.is_symmetric(pattern):
        raise ValueError(
            "orbits are defined for undirected graphs, but this one has edges in one direction "
            "only. If directions do not matter, pass the union of both, A.maximum(A.T), or "
            "as_graph(A, directed=False)."
        )
    return pattern


def _without_diagonal(graph: Graph) -> sp.csr_array:
    matrix = graph.adjacency
    rows = np.repeat(np.arange(graph.n_nodes, dtype=matrix.indices.dtype), np.diff(matrix.indptr))
    loops = np.flatnonzero(matrix.indices == rows)
    if len(loops) == 0:
        return matrix
    indptr = matrix.indptr - np.searchsorted(loops, matrix.indptr)
    indices = np.delete(matrix.indices, loops)
    return csr.frozen(np.ones(len(indices)), indices, indptr.astype(indices.dtype), matrix.shape)
