"""Partially directed graphs: consistent extensions and the equivalence classes of these.

Entry [i, j] alone is the edge i -> j; entries [i, j] and [j, i] are the undirected edge i - j.
"""

from typing import NamedTuple

import numpy as np

from sparsekit.core.csr import CSR, read_only
from sparsekit.core.dag import mark_compelled
from sparsekit.core.jit import kernel

__all__ = ["completed", "consistent_extension"]


class _Sinks(NamedTuple):
    """Work of `_take_sinks`: the nodes that may be sinks, and what is left of the graph."""

    waiting: np.ndarray  # (d,) a queue, in a circle
    is_waiting: np.ndarray  # (d,)
    is_left: np.ndarray  # (d,)
    n_children: np.ndarray  # (d,) by directed edges, of those left


@kernel(inner=True)
def _start(marks, work):
    """Count children; all nodes wait."""
    d = len(marks)
    for i in range(d):
        work.n_children[i] = 0
        for j in range(d):
            work.n_children[i] += marks[i, j] and not marks[j, i]
        work.waiting[i], work.is_waiting[i], work.is_left[i] = i, True, True


@kernel(inner=True)
def _is_removable(node, marks, adjacency, is_left):
    """Whether the undirected neighbours of a node are adjacent to all others around it."""
    first, stop = adjacency.indptr[node], adjacency.indptr[node + 1]
    for slot in range(first, stop):
        u = adjacency.indices[slot]
        if not is_left[u] or not marks[node, u]:
            continue
        for other in range(first, stop):
            v = adjacency.indices[other]
            if v != u and is_left[v] and not marks[u, v] and not marks[v, u]:
                return False
    return True


@kernel
def _take_sinks(marks, adjacency, order, work):
    """Remove one sink after the other, filling the order from its end; returns how many stay."""
    d = len(marks)
    _start(marks, work)
    n_waiting, head, n_left = d, 0, d
    while n_waiting > 0:
        node = work.waiting[head]
        head = head + 1 if head + 1 < d else 0
        n_waiting -= 1
        work.is_waiting[node] = False
        if work.n_children[node] > 0 or not _is_removable(node, marks, adjacency, work.is_left):
            continue
        n_left -= 1
        order[n_left], work.is_left[node] = node, False
        for slot in range(adjacency.indptr[node], adjacency.indptr[node + 1]):
            other = adjacency.indices[slot]
            if not work.is_left[other]:
                continue
            work.n_children[other] -= not marks[node, other]
            if not work.is_waiting[other]:  # only now may it have become a sink
                work.waiting[(head + n_waiting) % d] = other
                work.is_waiting[other] = True
                n_waiting += 1
    return n_left


def _rows(mask: np.ndarray) -> CSR:
    """Where a square boolean array is true, as kernels see it."""
    d = len(mask)
    rows, columns = np.divmod(np.flatnonzero(mask), max(d, 1))  # faster than np.nonzero
    indptr = np.searchsorted(rows, np.arange(d + 1)).astype(np.int32)
    return read_only(CSR(indptr, columns.astype(np.int32), np.empty(0)))


def _extend(pdag: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Consistent extension, and a topological order of it."""
    d = len(pdag)
    marks = np.ascontiguousarray(pdag)
    adjacent = marks | marks.T
    order, rank = np.empty((2, d), dtype=np.intp)
    counts, flags = np.empty((2, d), dtype=np.intp), np.empty((2, d), dtype=np.bool_)
    work = _Sinks(counts[0], flags[0], flags[1], counts[1])
    if _take_sinks(marks, _rows(adjacent), order, work):
        return None
    rank[order] = np.arange(d)
    return adjacent & (rank[:, None] < rank), order


def consistent_extension(pdag: np.ndarray) -> np.ndarray | None:
    """Direct the undirected edges so that there is no cycle and no further v-structure.

    Takes time in the order of d^2, and the number of edges times the square of the largest degree
    at worst.

    Parameters
    ----------
    pdag : ndarray of shape (d, d), bool
        The diagonal must be empty.

    Returns
    -------
    ndarray of shape (d, d), bool, or None
        A directed acyclic graph. None if there is none.

    References
    ----------
    .. [1] D. Dor, M. Tarsi: "A simple algorithm to construct a consistent extension of a partially
       oriented graph", Technical Report R-185, Cognitive Systems Laboratory, UCLA 1992.

    Examples
    --------
    >>> import numpy as np
    >>> chain = np.array([[0, 1, 0], [0, 0, 1], [0, 1, 0]], dtype=bool)  # 0 -> 1 - 2
    >>> consistent_extension(chain).astype(int)
    array([[0, 1, 0],
           [0, 0, 1],
           [0, 0, 0]])
    """
    found = _extend(pdag)
    return None if found is None else found[0]


def completed(pdag: np.ndarray) -> np.ndarray | None:
    """Completed partially directed graph that all consistent extensions have in common.

    Directed edges of `pdag` that are in no v-structure and follow from none become undirected.

    Parameters
    ----------
    pdag : ndarray of shape (d, d), bool
        The diagonal must be empty.

    Returns
    -------
    ndarray of shape (d, d), bool, or None
        None if there is no consistent extension.

    Examples
    --------
    >>> import numpy as np
    >>> chain = np.array([[0, 1, 0], [0, 0, 1], [0, 1, 0]], dtype=bool)  # 0 -> 1 - 2
    >>> completed(chain).astype(int)
    array([[0, 1, 0],
           [1, 0, 1],
           [0, 1, 0]])
    """
    found = _extend(pdag)
    if found is None:
        return None
    dag, order = found
    parents = _rows(dag.T)
    compelled = np.zeros(len(parents.indices), dtype=np.bool_)
    mark_compelled(order, parents, compelled)
    children = np.repeat(np.arange(len(dag)), np.diff(parents.indptr))
    dag[children[~compelled], parents.indices[~compelled]] = True
    return dag
