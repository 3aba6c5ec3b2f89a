"""Cycles of four nodes, each found once from its highest node.

A cycle is u - v - w - v' with all others below u: if p(w) paths of length two lead from u to w,
each of them lies on p(w) - 1 cycles.
"""

import numpy as np

from sparsekit.core.jit import count_workers, kernel, run_ranges, run_workers
from sparsekit.core.ordering import Ordered, ranges_of_rows

__all__ = ["count_paths_below", "four_cycles", "four_cycles_at_nodes"]


@kernel(inner=True)
def count_paths_below(u, indptr, middle, indices, paths, seen):
    """Count paths u - v - w below u and list the nodes w.

    Parameters
    ----------
    u : int
    indptr, middle, indices : ndarray
        Of an `Ordered` graph.
    paths : ndarray of shape (n_nodes,), int32
        Comes as zeros; written to: number of paths to each w.
    seen : ndarray of shape (n_nodes + 1,), uint32
        Written to: the nodes w.

    Returns
    -------
    int
        How many nodes there are.
    bool
        Whether some node is reached twice: else there is no cycle.
    """
    n_seen = n_steps = 0
    for slot in range(indptr[u], middle[u]):
        v = indices[slot]
        for step in range(indptr[v], indptr[v + 1]):
            w = indices[step]
            if w >= u:
                break
            seen[n_seen] = w
            n_seen += paths[w] == 0
            paths[w] += 1
            n_steps += 1
    return n_seen, n_steps > n_seen


@kernel(inner=True)
def _credit_edges(u, indptr, middle, indices, paths, cycles):
    for slot in range(indptr[u], middle[u]):
        v = indices[slot]
        total = 0
        for step in range(indptr[v], indptr[v + 1]):
            w = indices[step]
            if w >= u:
                break
            n_cycles = paths[w] - 1
            cycles[step] += n_cycles
            total += n_cycles
        cycles[slot] += total


@kernel(inner=True)
def _credit_middles(u, indptr, middle, indices, paths, cycles):
    for slot in range(indptr[u], middle[u]):
        v = indices[slot]
        total = 0
        for step in range(indptr[v], indptr[v + 1]):
            w = indices[step]
            if w >= u:
                break
            total += paths[w] - 1
        cycles[v] += total


@kernel(inner=True)
def _credit_ends(u, seen, n_seen, paths, cycles):
    total = 0
    for i in range(n_seen):
        p = np.int64(paths[seen[i]])
        cycles[seen[i]] += p * (p - 1) // 2
        total += p * (p - 1) // 2
    cycles[u] += total


@kernel
def _count(lo, hi, worker, ordered, of_edges, cycles):
    indptr, middle, indices, _ = ordered
    paths, seen = np.zeros(middle.size, np.int32), np.empty(middle.size + 1, np.uint32)
    for u in range(lo, hi):
        n_seen, closed = count_paths_below(u, indptr, middle, indices, paths, seen)
        if closed and of_edges:
            _credit_edges(u, indptr, middle, indices, paths, cycles[worker])
        elif closed:
            _credit_middles(u, indptr, middle, indices, paths, cycles[worker])
            _credit_ends(u, seen, n_seen, paths, cycles[worker])
        for i in range(n_seen):
            paths[seen[i]] = 0


@kernel
def _total(lo, hi, ordered, parts, totals):
    """Add what was found on both slots of an edge, by all workers."""
    indptr, middle, _, mirrored = ordered
    for v in range(lo, hi):
        for slot in range(middle[v], indptr[v + 1]):
            total = 0
            for worker in range(len(parts)):
                total += parts[worker, slot] + parts[worker, mirrored[slot]]
            totals[slot] = total
            totals[mirrored[slot]] = total


def four_cycles(ordered: Ordered, n_jobs: int | None = None) -> np.ndarray:
    """Number of cycles of four nodes, induced or not, that each edge is part of.

    Parameters
    ----------
    ordered : Ordered
    n_jobs : int or None, default=None
        Threads; each needs two more numbers an edge. The result does not depend on it.

    Returns
    -------
    ndarray of shape (nnz,), int64
        By slot; both slots of an edge carry the same count.

    References
    ----------
    .. [1] Chiba, Nishizeki. "Arboricity and subgraph listing algorithms." SIAM J. Comput. 1985.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsekit.core.csr import canonical
    >>> from sparsekit.core.ordering import order_by_degree
    >>> ordered, _ = order_by_degree(canonical(np.ones((4, 4)) - np.eye(4)))
    >>> four_cycles(ordered)[0]
    np.int64(2)
    """
    ranges = ranges_of_rows(ordered, n_jobs)
    counts = np.zeros((count_workers(ranges, n_jobs), len(ordered.indices)), np.int64)
    run_workers(_count, ranges, n_jobs, ordered, True, counts)
    totals = np.empty(len(ordered.indices), np.int64)
    run_ranges(_total, ranges, n_jobs, ordered, counts, totals)
    return totals


def four_cycles_at_nodes(ordered: Ordered, n_jobs: int | None = None) -> np.ndarray:
    """Number of cycles of four nodes, induced or not, that each node is part of.

    Half the sum of `four_cycles` over a node's edges, in less time.

    Parameters
    ----------
    ordered : Ordered
    n_jobs : int or None, default=None
        Threads; the result does not depend on it.

    Returns
    -------
    ndarray of shape (n_nodes,), int64
    """
    ranges = ranges_of_rows(ordered, n_jobs)
    counts = np.zeros((count_workers(ranges, n_jobs), len(ordered.middle)), np.int64)
    run_workers(_count, ranges, n_jobs, ordered, False, counts)
    return counts.sum(axis=0)
