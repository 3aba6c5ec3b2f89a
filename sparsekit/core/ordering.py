"""Degree order: the relabelling that makes counting cheap on graphs with hubs."""

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from sparsekit.core.jit import kernel
from sparsekit.core.partition import ranges_by_cost

__all__ = ["Ordered", "degrees_of", "order_by_degree", "ranges_of_rows"]

_MOST_NODES = 2**31 - 1  # many kernels keep numbers of nodes in int32
_NARROW_LIMIT = 2**32 - 1  # largest slot that uint32 holds


class Ordered(NamedTuple):
    """An undirected simple graph whose nodes are numbered by increasing degree.

    A slot is the position of a stored entry (v, u). Row v has the slots
    ``indptr[v] .. indptr[v + 1]``, sorted by u; those before ``middle[v]`` lead to lower, the
    others to higher nodes.

    Attributes
    ----------
    indptr : ndarray of shape (n_nodes + 1,), int64
    middle : ndarray of shape (n_nodes,), int64
    indices : ndarray of shape (nnz,), uint32
        Unsigned, because an index that may be negative costs kernels a comparison each time.
    mirrored : ndarray of shape (nnz,), uint32 or (for 2**32 slots and more) int64
        Slot of (u, v) for the slot of (v, u).
    """

    indptr: np.ndarray
    middle: np.ndarray
    indices: np.ndarray
    mirrored: np.ndarray


@kernel
def _relabel(nodes, ranks, old_indptr, old_indices, indptr, indices):
    """Visit nodes in their new order: every row then receives its entries sorted."""
    cursor = indptr[:-1].copy()
    for v in range(nodes.size):
        old = nodes[v]
        for slot in range(old_indptr[old], old_indptr[old + 1]):
            u = ranks[old_indices[slot]]
            indices[cursor[u]] = v
            cursor[u] += 1


@kernel
def _find_mirrored(indptr, indices, middle, mirrored):
    cursor = indptr[:-1].copy()
    for v in range(middle.size):
        middle[v] = cursor[v]  # all lower nodes have passed by
        for slot in range(indptr[v], indptr[v + 1]):
            u = indices[slot]
            mirrored[slot] = cursor[u]
            cursor[u] += 1


def order_by_degree(adjacency: sp.csr_array) -> tuple[Ordered, np.ndarray]:
    """Number the nodes by increasing degree; of equal degrees the earlier node comes first.

    Every node then has at most sqrt(2 n_edges) higher neighbours, which bounds the work of
    algorithms that only walk from lower to higher nodes or that stay below the highest one.

    Parameters
    ----------
    adjacency : csr_array of shape (n_nodes, n_nodes)
        Canonical, with a symmetric pattern and without diagonal; weights are not looked at.

    Returns
    -------
    Ordered
    nodes : ndarray of shape (n_nodes,), int64
        ``nodes[v]`` is the original number of node v.

    Raises
    ------
    ValueError
        If there are 2**31 nodes or more.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsekit.core.csr import canonical
    >>> ordered, nodes = order_by_degree(canonical(np.array([[0, 1, 1], [1, 0, 0], [1, 0, 0]])))
    >>> nodes
    array([1, 2, 0])
    >>> ordered.indices
    array([2, 2, 0, 1], dtype=uint32)
    """
    if adjacency.shape[0] > _MOST_NODES:
        raise ValueError(f"expected at most {_MOST_NODES} nodes, got {adjacency.shape[0]}.")
    degrees = np.diff(adjacency.indptr)
    nodes = np.argsort(degrees, kind="stable")
    ranks = np.empty(len(nodes), dtype=np.uint32)
    ranks[nodes] = np.arange(len(nodes), dtype=np.uint32)
    indptr = np.zeros(len(nodes) + 1, dtype=np.int64)
    np.cumsum(degrees[nodes], out=indptr[1:])
    indices = np.empty(adjacency.nnz, dtype=np.uint32)
    _relabel(nodes, ranks, adjacency.indptr, adjacency.indices, indptr, indices)
    middle = np.empty(len(nodes), dtype=np.int64)
    narrow = adjacency.nnz <= _NARROW_LIMIT
    mirrored = np.empty(adjacency.nnz, dtype=np.uint32 if narrow else np.int64)
    _find_mirrored(indptr, indices, middle, mirrored)
    return Ordered(indptr, middle, indices, mirrored), nodes


def degrees_of(ordered: Ordered) -> np.ndarray:
    """Degree of each node, int64."""
    return np.diff(ordered.indptr)


def ranges_of_rows(
    ordered: Ordered, n_jobs: int | None, costs: np.ndarray | None = None
) -> list[tuple[int, int]]:
    """Ranges of rows of equal cost, those of heavy rows first: of the highest nodes, as a rule.

    Parameters
    ----------
    ordered : Ordered
    n_jobs : int or None
    costs : ndarray of shape (n_nodes,), default=None
        Degree plus one if omitted.

    Returns
    -------
    list of (int, int)
        From `sparsekit.core.partition.ranges_by_cost`.
    """
    return ranges_by_cost(degrees_of(ordered) + 1 if costs is None else costs, n_jobs)
