"""Draw cycles of four nodes with a leaf uniformly, each from the highest node of its cycle."""

import numpy as np

from sparsekit.core.jit import kernel
from sparsekit.graphlets.samples._sample_steps import (
    adjacency_code,
    draw_chances,
    find,
    first_above,
    pick,
    take_two,
)

__all__ = ["BANNER", "draw_at_nodes", "weigh_nodes"]

BANNER = 16  # number of the graphlet


@kernel(inner=True)
def _count_paths(u, ordered, paths, seen):
    """Count in `paths` the paths u - v - w with v and w below u; return how many w were `seen`."""
    indptr, middle, indices, _ = ordered
    n_seen = 0
    for slot in range(indptr[u], middle[u]):
        v = indices[slot]
        for step in range(indptr[v], indptr[v + 1]):
            w = indices[step]
            if w >= u:
                break
            seen[n_seen] = w
            n_seen += paths[w] == 0
            paths[w] += 1
    return n_seen


@kernel
def weigh_nodes(lo, hi, ordered, weights):
    """Four times the cycles of four nodes with node u on top, times d(u) - 2."""
    paths = np.zeros(ordered.middle.size, np.int32)
    seen = np.empty(ordered.middle.size + 1, np.int32)
    for u in range(lo, hi):
        n_seen, n_cycles = _count_paths(u, ordered, paths, seen), 0
        for i in range(n_seen):
            n_paths = np.int64(paths[seen[i]])
            n_cycles += n_paths * (n_paths - 1) // 2
            paths[seen[i]] = 0
        weights[u] = 4.0 * n_cycles * (ordered.indptr[u + 1] - ordered.indptr[u] - 2)


@kernel(inner=True)
def _pick_sides(chances, ordered, w, n_paths, below, nodes):
    """Let nodes[1], nodes[2] be two neighbours of w from the `n_paths` ones that are `below`."""
    a = np.int64(chances[2] * n_paths)
    b = np.int64(chances[3] * (n_paths - 1))
    b += b >= a
    n_passed = 0
    for slot in range(ordered.indptr[w], ordered.indptr[w + 1]):
        if below[ordered.indices[slot]]:
            if n_passed == min(a, b):
                nodes[1] = ordered.indices[slot]
            elif n_passed == max(a, b):
                nodes[2] = ordered.indices[slot]
                break
            n_passed += 1


@kernel(inner=True)
def _draw_banner(chances, ordered, u, w, n_paths, below, nodes, taken):
    """A cycle u - v - w - v', one of its nodes as corner, a further neighbour of the corner.

    A corner is as likely to get a leaf as it has neighbours, compared with u, which has the most;
    otherwise the draw counts for nothing. So all leaves of all corners are equally likely.
    """
    indptr, indices = ordered.indptr, ordered.indices
    nodes[0], nodes[4] = u, w
    _pick_sides(chances, ordered, w, n_paths, below, nodes)
    corner = np.int64(chances[4] * 4)
    if corner & 2:
        nodes[0], nodes[1], nodes[2], nodes[4] = nodes[1], nodes[0], nodes[4], nodes[2]
    if corner & 1:
        nodes[0], nodes[4] = nodes[4], nodes[0]
    first, stop = indptr[nodes[0]], indptr[nodes[0] + 1]
    n_leaves = stop - first - 2
    number = chances[5] * (indptr[u + 1] - indptr[u] - 2)
    if number >= n_leaves:
        return False
    a, b = find(indices, first, stop, nodes[1]), find(indices, first, stop, nodes[2])
    nodes[3] = indices[pick(number / n_leaves, first, stop, taken, take_two(a, b, taken))]
    return nodes[3] != nodes[4]


@kernel(inner=True)
def _turn_to(u, previous, n_seen, ordered, paths, seen, n_cycles, below):
    """Count the paths from u instead of from the previous node, and sum up the cycles."""
    indptr, middle, indices, _ = ordered
    for i in range(n_seen):
        paths[seen[i]] = 0
    if previous >= 0:
        for slot in range(indptr[previous], middle[previous]):
            below[indices[slot]] = False
    for slot in range(indptr[u], middle[u]):
        below[indices[slot]] = True
    n_seen = _count_paths(u, ordered, paths, seen)
    for i in range(n_seen):
        n_paths = np.int64(paths[seen[i]])
        n_cycles[i + 1] = n_cycles[i] + n_paths * (n_paths - 1) // 2
    return n_seen


@kernel
def draw_at_nodes(lo, hi, worker, known, seed, order, places, ordered, graphlets, hits):
    """As `draw_at_slots` for cycles of four nodes with a leaf, from the highest node of the cycle.

    The paths from a node are counted once for all of its samples.
    """
    n_nodes = ordered.middle.size
    paths, seen = np.zeros(n_nodes, np.int32), np.empty(n_nodes + 1, np.int32)
    n_cycles, below = np.zeros(n_nodes + 1, np.int64), np.zeros(n_nodes, np.bool_)
    nodes, taken, chances = np.empty(5, np.int64), np.empty(5, np.int64), np.empty(6)
    first = np.int64(0)
    last, n_seen = np.int64(-1), np.int64(0)
    for i in range(lo, hi):
        u = places[order[i]]
        if u != last:
            n_seen = _turn_to(u, last, n_seen, ordered, paths, seen, n_cycles, below)
            last = u
        draw_chances(seed, order[i], chances)
        number = np.int64(chances[1] * n_cycles[n_seen])
        w = np.int64(seen[first_above(n_cycles, first, n_seen, number) - 1])
        if _draw_banner(chances, ordered, u, w, np.int64(paths[w]), below, nodes, taken):
            hits[worker, graphlets[adjacency_code(ordered, known, nodes)]] += 1
