"""Cycles of five nodes at each node, each found once from its highest node.

Let x be the highest node of the cycle x - a - b - c - d, and p(b) the number of nodes adjacent to x
and b, all below x. An edge bc is opposite to x in (p(b) - [xc])(p(c) - [xb]) cycles, but for those
with a = d, which stand for a triangle abc with an edge ax; they are taken off in bulk.
"""

import numpy as np

from sparsekit.core.cycles import count_paths_below
from sparsekit.core.jit import count_workers, kernel, run_workers
from sparsekit.core.ordering import Ordered, ranges_of_rows

__all__ = ["five_cycles"]


@kernel(inner=True)
def _mark_neighbours(x, indptr, middle, indices, paths, adjacent, through):
    """Mark the neighbours a of x; sum p(a) over those that are adjacent to b, for each b."""
    for slot in range(indptr[x], middle[x]):
        a = indices[slot]
        adjacent[a] = 1
        if paths[a] == 0:
            continue
        for step in range(indptr[a], indptr[a + 1]):
            b = indices[step]
            if b >= x:
                break
            through[b] += paths[a]


@kernel(inner=True)
def _close_cycles(x, indptr, indices, paths, adjacent, through, seen, n_seen, onward, cycles):
    """Credit the cycles to x and to its opposite nodes.

    Leaves in onward[b] the sum over edges bc of p(c) - [xb], and 1 more if b is adjacent to x.
    """
    twice = 0
    for i in range(n_seen):
        b = seen[i]
        total = 0
        step, stop = indptr[b], indptr[b + 1]
        while step < stop and indices[step] < x:
            total += paths[indices[step]]
            step += 1
        degree = step - indptr[b]
        p = np.int64(paths[b])
        found = p * total - through[b] - adjacent[b] * p * (degree - 1)
        cycles[b] += found
        twice += found
        onward[b] = total - adjacent[b] * (degree - 1)
    cycles[x] += twice >> 1


@kernel(inner=True)
def _credit_neighbours(x, indptr, middle, indices, paths, onward, cycles):
    for slot in range(indptr[x], middle[x]):
        a = indices[slot]
        total = 0
        for step in range(indptr[a], indptr[a + 1]):
            b = indices[step]
            if b >= x:
                break
            total += onward[b] - paths[a]
        cycles[a] += total


@kernel
def _count(lo, hi, worker, ordered, cycles):
    indptr, middle, indices, _ = ordered
    n_nodes = middle.size
    paths, seen = np.zeros(n_nodes, np.int32), np.empty(n_nodes + 1, np.uint32)
    adjacent, through = np.zeros(n_nodes, np.int8), np.zeros(n_nodes, np.int64)
    onward = np.empty(n_nodes, np.int64)
    found = cycles[worker]
    for x in range(lo, hi):
        n_seen, _ = count_paths_below(x, indptr, middle, indices, paths, seen)
        _mark_neighbours(x, indptr, middle, indices, paths, adjacent, through)
        _close_cycles(x, indptr, indices, paths, adjacent, through, seen, n_seen, onward, found)
        _credit_neighbours(x, indptr, middle, indices, paths, onward, found)
        for slot in range(indptr[x], middle[x]):
            adjacent[indices[slot]] = 0
        for i in range(n_seen):
            paths[seen[i]] = 0
            through[seen[i]] = 0


@kernel
def _list_tops(lo, hi, worker, ordered, triangles, cycles, tops, below):
    """Take what was closed over a triangle off its nodes, and note where else to take it off.

    A triangle abc with highest node c was closed with every x > c adjacent to one of them. `tops`
    counts the triangles at a whose highest node is c, by the slot of (a, c); `below` those of
    which a node is the highest.
    """
    indptr, middle, indices, _ = ordered
    mark = np.zeros(middle.size, np.int32)
    cycles, tops, below = cycles[worker], tops[worker], below[worker]
    for a in range(lo, hi):
        first, stop = middle[a], indptr[a + 1]
        for slot in range(first, stop):
            mark[indices[slot]] = slot - first + 1
        for ab in range(first, stop):
            if triangles[ab] == 0:
                continue
            b = indices[ab]
            for bc in range(middle[b], indptr[b + 1]):
                c = indices[bc]
                if mark[c] > 0:
                    ac = first + mark[c] - 1
                    n_a, n_b = stop - ac - 1, indptr[b + 1] - bc - 1
                    n_c = indptr[c + 1] - middle[c]
                    total = n_a + n_b + n_c
                    cycles[a] -= total + n_a
                    cycles[b] -= total + n_b
                    cycles[c] -= total + n_c
                    tops[ac] += 1
                    tops[bc] += 1
                    below[c] += 1
        for slot in range(first, stop):
            mark[indices[slot]] = 0


@kernel
def _correct_highest(ordered, tops, below, cycles):
    """Take triangles abc off the nodes x above them that are adjacent to a."""
    indptr, middle, indices, _ = ordered
    for a in range(middle.size):
        n_triangles = below[a]
        for slot in range(middle[a], indptr[a + 1]):
            cycles[indices[slot]] -= n_triangles
            n_triangles += tops[slot]


def five_cycles(ordered: Ordered, triangles: np.ndarray, n_jobs: int | None) -> np.ndarray:
    """Number of cycles of five nodes, induced or not, that each node is part of.

    Parameters
    ----------
    ordered : Ordered
    triangles : ndarray of shape (nnz,), int32
        By slot.
    n_jobs : int or None

    Returns
    -------
    ndarray of shape (n_nodes,), int64
    """
    n_nodes = len(ordered.middle)
    ranges = ranges_of_rows(ordered, n_jobs)
    n_workers = count_workers(ranges, n_jobs)
    cycles = np.zeros((n_workers, n_nodes), dtype=np.int64)
    run_workers(_count, ranges, n_jobs, ordered, cycles)
    tops = np.zeros((n_workers, len(ordered.indices)), dtype=np.int64)
    below = np.zeros((n_workers, n_nodes), dtype=np.int64)
    run_workers(_list_tops, ranges, n_jobs, ordered, triangles, cycles, tops, below)
    result = cycles.sum(axis=0)
    _correct_highest(ordered, tops.sum(axis=0), below.sum(axis=0), result)
    return result
