"""Triangles and cliques of four nodes on every edge, by walking from lower to higher nodes."""

import numpy as np

from sparsekit.core.bits import n_words, popcount
from sparsekit.core.jit import count_workers, kernel, run_ranges, run_workers
from sparsekit.core.ordering import Ordered, ranges_of_rows

__all__ = ["cliques_and_diamonds", "triangles_and_cliques", "triangles_by_slot"]

_ONE = np.uint64(1)
_LOW_BITS = 63


@kernel
def _count_triangles(lo, hi, ordered, triangles):
    """Look up the rows of lower neighbours, which are the shorter ones, in a higher node's row."""
    indptr, middle, indices, mirrored = ordered
    adjacent = np.zeros(middle.size, np.int8)
    for v in range(lo, hi):
        for slot in range(indptr[v], indptr[v + 1]):
            adjacent[indices[slot]] = 1
        for slot in range(indptr[v], middle[v]):
            u = indices[slot]
            n_common = 0
            for step in range(indptr[u], indptr[u + 1]):
                n_common += np.int64(adjacent[indices[step]])
            triangles[slot] = n_common
            triangles[mirrored[slot]] = n_common
        for slot in range(indptr[v], indptr[v + 1]):
            adjacent[indices[slot]] = 0


def triangles_by_slot(ordered: Ordered, n_jobs: int | None = None) -> np.ndarray:
    """Number of triangles that each edge is part of.

    Parameters
    ----------
    ordered : Ordered
    n_jobs : int or None, default=None
        Threads; the result does not depend on it.

    Returns
    -------
    ndarray of shape (nnz,), int32
        Both slots of an edge carry the same count.
    """
    triangles = np.empty(len(ordered.indices), np.int32)
    run_ranges(_count_triangles, ranges_of_rows(ordered, n_jobs), n_jobs, ordered, triangles)
    return triangles


@kernel(inner=True)
def _list_marked(first, stop, indices, mark, hits):
    """List the slots whose node is marked; without a branch, as hits are hard to predict."""
    n_hits = 0
    for slot in range(first, stop):
        hits[n_hits] = slot
        n_hits += mark[indices[slot]] > 0
    return n_hits


@kernel(inner=True)
def _list_triangles(v, indptr, middle, indices, triangles, mark, bits, hits, found, diamonds):
    """Visit the triangles of which v is the lowest node.

    Lists those that may be part of a clique by their three slots, with the adjacency of higher
    neighbours as bits (neighbours go by their position among the higher ones). Returns how many.
    """
    first, stop = middle[v], indptr[v + 1]
    words = n_words(stop - first)
    for slot in range(first, stop):
        mark[indices[slot]] = slot - first + 1
    for word in range((stop - first) * words):
        bits[word] = 0
    n_found = total = 0
    for left in range(first, stop):
        t_left = triangles[left]
        if t_left == 0:
            continue
        u, total_u = indices[left], 0
        n_hits = _list_marked(middle[u], indptr[u + 1], indices, mark, hits)
        for hit in range(n_hits):
            across = hits[hit]
            w = indices[across]
            right = first + mark[w] - 1
            t_right, t_across = triangles[right], triangles[across]
            total += t_across - 1
            total_u += t_right - 1
            diamonds[w] += t_left - 1
            if t_left > 1 and t_right > 1 and t_across > 1:
                i, j = left - first, right - first
                bits[i * words + (j >> 6)] |= _ONE << np.uint64(j & _LOW_BITS)
                bits[j * words + (i >> 6)] |= _ONE << np.uint64(i & _LOW_BITS)
                found[n_found, 0], found[n_found, 1], found[n_found, 2] = left, right, across
                n_found += 1
        diamonds[u] += total_u
    diamonds[v] += total
    for slot in range(first, stop):
        mark[indices[slot]] = 0
    return n_found


@kernel(inner=True)
def _count_cliques(first, words, bits, found, n_found, through, cliques):
    """Close each triangle with every common neighbour among the higher neighbours."""
    for triangle in range(n_found):
        i, j = found[triangle, 0] - first, found[triangle, 1] - first
        n_common = 0
        for word in range(words):
            n_common += popcount(bits[i * words + word] & bits[j * words + word])
        if n_common > 0:
            cliques[found[triangle, 2]] += n_common
            through[i] += n_common
            through[j] += n_common
    for triangle in range(n_found):
        for end in range(2):
            slot = found[triangle, end]
            cliques[slot] += through[slot - first] >> 1  # each clique was met from two triangles
            through[slot - first] = 0


@kernel
def _count(lo, hi, worker, ordered, triangles, cliques, diamonds):
    indptr, middle, indices, _ = ordered
    most_higher = 0
    for v in range(lo, hi):
        most_higher = max(most_higher, indptr[v + 1] - middle[v])
    mark, hits = np.zeros(middle.size, np.int32), np.empty(middle.size + 1, np.int64)
    bits = np.empty(most_higher * n_words(most_higher), np.uint64)
    found = np.empty((most_higher * (most_higher - 1) // 2, 3), np.int64)
    through = np.zeros(most_higher, np.int64)
    for v in range(lo, hi):
        n_higher = indptr[v + 1] - middle[v]
        if n_higher < 2:
            continue
        n_found = _list_triangles(
            v, indptr, middle, indices, triangles, mark, bits, hits, found, diamonds[worker]
        )
        if n_found >= 3:
            words = n_words(n_higher)
            _count_cliques(middle[v], words, bits, found, n_found, through, cliques[worker])


@kernel
def _total(lo, hi, ordered, parts, totals):
    """Add the workers' counts of upward slots and copy them to the mirrored ones."""
    indptr, middle, _, mirrored = ordered
    for v in range(lo, hi):
        for slot in range(middle[v], indptr[v + 1]):
            total = 0
            for worker in range(len(parts)):
                total += parts[worker, slot]
            totals[slot] = total
            totals[mirrored[slot]] = total


def cliques_and_diamonds(
    ordered: Ordered, triangles: np.ndarray, n_jobs: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Number of cliques of four nodes on each edge, and of diamonds hanging on each node.

    Parameters
    ----------
    ordered : Ordered
    triangles : ndarray of shape (nnz,), int32
        From `triangles_by_slot`.
    n_jobs : int or None, default=None
        Threads; each needs two more numbers an edge. The result does not depend on it.

    Returns
    -------
    cliques : ndarray of shape (nnz,), int64
        By slot; both slots of an edge carry the same count.
    diamonds : ndarray of shape (n_nodes,), int64
        Pairs of triangles vab and abw with v at one of the two tips, whether or not v and w are
        adjacent.
    """
    ranges = ranges_of_rows(ordered, n_jobs)
    n_workers = count_workers(ranges, n_jobs)
    cliques = np.zeros((n_workers, len(ordered.indices)), np.int64)
    diamonds = np.zeros((n_workers, len(ordered.middle)), np.int64)
    run_workers(_count, ranges, n_jobs, ordered, triangles, cliques, diamonds)
    totals = np.empty(len(ordered.indices), np.int64)
    run_ranges(_total, ranges, n_jobs, ordered, cliques, totals)
    return totals, diamonds.sum(axis=0)


def triangles_and_cliques(
    ordered: Ordered, n_jobs: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Number of triangles and of cliques of four nodes that each edge is part of.

    Parameters
    ----------
    ordered : Ordered
    n_jobs : int or None, default=None
        Threads; each needs two more numbers an edge. The result does not depend on it.

    Returns
    -------
    triangles : ndarray of shape (nnz,), int32
        By slot; both slots of an edge carry the same count.
    cliques : ndarray of shape (nnz,), int64

    Examples
    --------
    >>> import numpy as np
    >>> from sparsekit.core.csr import canonical
    >>> from sparsekit.core.ordering import order_by_degree
    >>> ordered, _ = order_by_degree(canonical(np.ones((4, 4)) - np.eye(4)))
    >>> triangles, cliques = triangles_and_cliques(ordered)
    >>> triangles[0], cliques[0]
    (np.int32(2), np.int64(1))
    """
    triangles = triangles_by_slot(ordered, n_jobs)
    return triangles, cliques_and_diamonds(ordered, triangles, n_jobs)[0]
