"""Five-node copies around triangles: sums over the edges opposite to a node."""

from typing import NamedTuple

import numpy as np

from sparsekit.core.jit import count_workers, kernel, run_ranges, run_workers
from sparsekit.core.ordering import Ordered, ranges_of_rows
from sparsekit.graphlets.orbits._count4 import EdgeCounts

__all__ = [
    "BOOKS",
    "CLIQUES",
    "CYCLES",
    "DEGREES",
    "ENDS",
    "FANS",
    "PAGES",
    "SIDES",
    "STRIPS",
    "TriangleSums",
    "triangle_sums",
]

# Columns of the sums over the triangles xab at a node x, with what is added.
DEGREES = 0  # degrees(ab), see TriangleSums
SIDES = 1  # sides(ab)
CYCLES = 2  # c4(ab)
CLIQUES = 3  # k(ab)
PAGES = 4  # C(t(ab) - 1, 2)
ENDS = 5  # (d(a) - 2)(d(b) - 2)
FANS = 6  # (t(ab) - 1)(d(a) + d(b) - 6)
BOOKS = 7  # (t(xa) - 1)(t(xb) - 1)
STRIPS = 8  # (t(ab) - 1)(t(xa) + t(xb) - 2)
_N_COLUMNS = 9


class TriangleSums(NamedTuple):
    """Sums over triangles, for edges (by slot) and for nodes.

    Attributes
    ----------
    degrees : ndarray of shape (nnz,), int64
        Sum of d(w) over the common neighbours w of the edge.
    sides : ndarray of shape (nnz,), int64
        Sum of t(aw) + t(bw) over the common neighbours w of the edge ab.
    corners : ndarray of shape (n_nodes, 9), int64
        Sums over the triangles at a node; the columns have names.
    """

    degrees: np.ndarray
    sides: np.ndarray
    corners: np.ndarray


@kernel
def _sum_edges(lo, hi, ordered, triangles, degrees, sides):
    """Look the rows of lower neighbours up in a higher node's row."""
    indptr, middle, indices, mirrored = ordered
    mark = np.zeros(middle.size, np.int64)
    for v in range(lo, hi):
        for slot in range(indptr[v], indptr[v + 1]):
            mark[indices[slot]] = slot + 1
        for slot in range(indptr[v], middle[v]):
            u = indices[slot]
            total_degree = total_side = 0
            for step in range(indptr[u], indptr[u + 1] if triangles[slot] > 0 else indptr[u]):
                w = indices[step]
                if mark[w] > 0:
                    total_degree += indptr[w + 1] - indptr[w]
                    total_side += triangles[step] + triangles[mark[w] - 1]
            degrees[slot] = degrees[mirrored[slot]] = total_degree
            sides[slot] = sides[mirrored[slot]] = total_side
        for slot in range(indptr[v], indptr[v + 1]):
            mark[indices[slot]] = 0


@kernel(inner=True)
def _add_to_corner(sums, opposite, left, right, d_left, d_right, edges, degrees, sides):
    """Add a triangle to the sums of one of its nodes: opposite = ab, left = xa, right = xb."""
    triangles, cliques, cycles = edges
    t, t_left, t_right = triangles[opposite] - 1, triangles[left] - 1, triangles[right] - 1
    sums[DEGREES] += degrees[opposite]
    sums[SIDES] += sides[opposite]
    sums[CYCLES] += cycles[opposite]
    sums[CLIQUES] += cliques[opposite]
    sums[PAGES] += np.int64(t) * (t - 1) // 2
    sums[ENDS] += (d_left - 2) * (d_right - 2)
    sums[FANS] += t * (d_left + d_right - 6)
    sums[BOOKS] += np.int64(t_left) * t_right
    sums[STRIPS] += np.int64(t) * (t_left + t_right)


@kernel
def _add_to_corners(lo, hi, worker, ordered, edges, degrees, sides, corners):
    indptr, middle, indices, _ = ordered
    triangles = edges.triangles
    mark = np.zeros(middle.size, np.int32)
    sums = corners[worker]
    for a in range(lo, hi):
        first, stop = middle[a], indptr[a + 1]
        d_a = stop - indptr[a]
        for slot in range(first, stop):
            mark[indices[slot]] = slot - first + 1
        for ab in range(first, stop):
            if triangles[ab] == 0:
                continue
            b = indices[ab]
            d_b = indptr[b + 1] - indptr[b]
            for bc in range(middle[b], indptr[b + 1]):
                c = indices[bc]
                if mark[c] > 0:
                    ac = first + mark[c] - 1
                    d_c = indptr[c + 1] - indptr[c]
                    _add_to_corner(sums[a], bc, ab, ac, d_b, d_c, edges, degrees, sides)
                    _add_to_corner(sums[b], ac, ab, bc, d_a, d_c, edges, degrees, sides)
                    _add_to_corner(sums[c], ab, ac, bc, d_a, d_b, edges, degrees, sides)
        for slot in range(first, stop):
            mark[indices[slot]] = 0


def triangle_sums(ordered: Ordered, edges: EdgeCounts, n_jobs: int | None) -> TriangleSums:
    """Sum over triangles, see `TriangleSums`."""
    n_slots = len(ordered.indices)
    ranges = ranges_of_rows(ordered, n_jobs)
    degrees, sides = np.empty(n_slots, dtype=np.int64), np.empty(n_slots, dtype=np.int64)
    run_ranges(_sum_edges, ranges, n_jobs, ordered, edges.triangles, degrees, sides)
    shape = (count_workers(ranges, n_jobs), len(ordered.middle), _N_COLUMNS)
    corners = np.zeros(shape, dtype=np.int64)
    run_workers(_add_to_corners, ranges, n_jobs, ordered, edges, degrees, sides, corners)
    return TriangleSums(degrees, sides, corners.sum(axis=0))
