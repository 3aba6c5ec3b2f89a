"""Intersections of sorted rows: what orbit counts, link scores and edge weights share."""

import numpy as np
import scipy.sparse as sp

from sparsekit.core.csr import reverse_slots, row_ranges
from sparsekit.core.jit import kernel, run_ranges

__all__ = ["count_common", "triangles_per_edge"]

# A binary search of the longer row wins once it is this many times longer than the shorter one.
_SEARCH_FACTOR = 16


@kernel
def _lower_bound(values, lo, hi, wanted):
    """First position in the sorted values[lo:hi] that is not below `wanted`."""
    while lo < hi:
        middle = (lo + hi) >> 1
        if values[middle] < wanted:
            lo = middle + 1
        else:
            hi = middle
    return lo


@kernel
def count_common(indptr, indices, i, j):
    """Number of columns that rows i and j have in common."""
    a, a_end, b, b_end = indptr[i], indptr[i + 1], indptr[j], indptr[j + 1]
    if a_end - a > b_end - b:
        a, a_end, b, b_end = b, b_end, a, a_end
    n_common = 0
    if b_end - b > _SEARCH_FACTOR * (a_end - a):
        while a < a_end and b < b_end:
            b = _lower_bound(indices, b, b_end, indices[a])
            n_common += b < b_end and indices[b] == indices[a]
            a += 1
        return n_common
    while a < a_end and b < b_end:
        left, right = indices[a], indices[b]
        n_common += left == right
        a += left <= right
        b += right <= left
    return n_common


@kernel
def _count_triangles(lo, hi, indptr, indices, mirrored, counts):
    for i in range(lo, hi):
        for slot in range(indptr[i], indptr[i + 1]):
            j = indices[slot]
            if i < j:
                n_common = count_common(indptr, indices, i, j)
                counts[slot] = n_common
                counts[mirrored[slot]] = n_common


def triangles_per_edge(adjacency: sp.csr_array, n_jobs: int | None = None) -> np.ndarray:
    """Number of triangles that each stored edge is part of.

    Parameters
    ----------
    adjacency : csr_array of shape (n_nodes, n_nodes)
        Canonical and symmetric, without diagonal entries; weights are not looked at.
    n_jobs : int or None, default=None
        Threads; the result does not depend on it.

    Returns
    -------
    ndarray of shape (nnz,), int64
        In the order of the stored entries; (i, j) and (j, i) carry the same count.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsekit.core.csr import canonical
    >>> triangle_with_tail = canonical(
    ...     np.array([[0, 1, 1, 0], [1, 0, 1, 0], [1, 1, 0, 1], [0, 0, 1, 0]])
    ... )
    >>> triangles_per_edge(triangle_with_tail)
    array([1, 1, 1, 1, 1, 1, 0, 0])
    """
    counts = np.zeros(adjacency.nnz, dtype=np.int64)
    ranges = row_ranges(adjacency, n_jobs)
    mirrored = reverse_slots(adjacency)
    arrays = (adjacency.indptr, adjacency.indices, mirrored, counts)
    run_ranges(_count_triangles, ranges, n_jobs, *arrays)
    return counts
