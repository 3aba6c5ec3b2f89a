"""Draw copies of trees and of graphs with triangles uniformly, each from a slot.

A copy is drawn from a slot that is chosen with a weight, the edge from v to u, and by a few uniform
choices around it. Kinds of copies go by the number of their graphlet, and their nodes by their
place in its list of edges.
"""

import numpy as np

from sparsekit.core.jit import kernel
from sparsekit.graphlets.samples._sample_steps import (
    adjacency_code,
    draw_chances,
    find,
    first_above,
    insert,
    pick,
    take_two,
)

__all__ = [
    "BOOK",
    "BULL",
    "CRICKET",
    "DART",
    "FORK",
    "LOLLIPOP",
    "PATH",
    "STAR",
    "draw_at_slots",
    "weigh_slots",
]

PATH, FORK, STAR, BULL, LOLLIPOP, CRICKET, DART, BOOK = 9, 10, 11, 12, 13, 14, 17, 22


@kernel(inner=True)
def _weight(kind, d, d_u, t, walks, upward):
    """Number of ways to complete a copy from the slot of (v, u), some of them improper.

    Given are the degrees of v and u, the triangles on the edge and, at v, the walks of two steps
    that do not return at once.
    """
    if kind == PATH:
        return (d_u - 1) * (walks - (d_u - 1))
    if kind == FORK:
        return (d_u - 1) * (d - 1) * (d - 2) / 2
    if kind == STAR:
        return (d - 1) * (d - 2) * (d - 3) / 6
    if kind == BULL:
        return upward * t * (d - 2) * (d_u - 2)
    if kind == LOLLIPOP:
        return t * (walks - (d_u - 1))
    if kind == CRICKET:
        return t * (d - 2) * (d - 3) / 2
    if kind == DART:
        return t * (t - 1) / 2 * (d - 3)
    return upward * t * (t - 1) * (t - 2) / 6


@kernel
def weigh_slots(lo, hi, kind, ordered, triangles, sums, weights):
    """Weight of each slot in rows lo .. hi for copies of this kind, as float64."""
    indptr, _, indices, _ = ordered
    for v in range(lo, hi):
        d = np.float64(indptr[v + 1] - indptr[v])
        walks = np.float64(sums[v, 0]) - d
        for slot in range(indptr[v], indptr[v + 1]):
            u = indices[slot]
            d_u, t = np.float64(indptr[u + 1] - indptr[u]), np.float64(triangles[slot])
            weights[slot] = _weight(kind, d, d_u, t, walks, v < u)


@kernel(inner=True)
def _pick_leaf(chance, ordered, v, taken, n_taken):
    """Neighbour of v that is not at one of the slots that are taken; its slot is, then, too."""
    return ordered.indices[pick(chance, ordered.indptr[v], ordered.indptr[v + 1], taken, n_taken)]


@kernel(inner=True)
def _pick_branch(chance, ordered, v, slot, offsets):
    """Walk from v of two steps that neither starts at this slot nor returns.

    ``offsets[slot + 1] - offsets[slot]`` is the number of ways to go on after a slot.
    """
    indptr, _, indices, mirrored = ordered
    first, stop = indptr[v], indptr[v + 1]
    n_without = offsets[slot + 1] - offsets[slot]
    number = offsets[first] + np.int64(chance * (offsets[stop] - offsets[first] - n_without))
    if number >= offsets[slot]:
        number += n_without
    other = first_above(offsets, first, stop, number) - 1
    leaf = indptr[indices[other]] + number - offsets[other]
    return indices[other], indices[leaf + (leaf >= mirrored[other])]


@kernel(inner=True)
def _list_common(ordered, v, u, n_wanted, found):
    """Slots in the row of v of its first common neighbours with u."""
    indptr, indices = ordered.indptr, ordered.indices
    low, high = min(v, u), max(v, u)
    at, stop, n_found = indptr[high], indptr[high + 1], 0
    for slot in range(indptr[low], indptr[low + 1]):
        if n_found == n_wanted:
            break
        at = first_above(indices, at, stop, np.int64(indices[slot]) - 1)
        if at < stop and indices[at] == indices[slot]:
            found[n_found] = slot if low == v else at
            n_found += 1


@kernel(inner=True)
def _draw_path(chances, ordered, slot, offsets, nodes, taken):
    """From the centre and a neighbour: a further neighbour, and one more of each of the two."""
    nodes[2], nodes[4] = _pick_branch(chances[1], ordered, nodes[0], slot, offsets)
    taken[0], n_taken = ordered.mirrored[slot], np.int64(1)
    nodes[3] = _pick_leaf(chances[2], ordered, nodes[1], taken, n_taken)
    return nodes[3] != nodes[2] and nodes[4] != nodes[1] and nodes[3] != nodes[4]


@kernel(inner=True)
def _draw_fork(chances, ordered, slot, nodes, taken):
    """From the centre and a neighbour: two further ones of the centre, one of the neighbour."""
    taken[0], n_taken = slot, np.int64(1)
    nodes[2] = _pick_leaf(chances[1], ordered, nodes[0], taken, n_taken)
    nodes[3] = _pick_leaf(chances[2], ordered, nodes[0], taken, n_taken + 1)
    taken[0] = ordered.mirrored[slot]
    nodes[4] = _pick_leaf(chances[3], ordered, nodes[1], taken, n_taken)
    return nodes[4] != nodes[2] and nodes[4] != nodes[3]


@kernel(inner=True)
def _draw_bull(chances, ordered, slot, third, nodes, taken):
    """From a triangle with an edge at this slot: a further neighbour of each end of the edge."""
    u = nodes[1]
    nodes[2] = ordered.indices[third]
    n_taken = take_two(slot, third, taken)
    nodes[3] = _pick_leaf(chances[2], ordered, nodes[0], taken, n_taken)
    third = find(ordered.indices, ordered.indptr[u], ordered.indptr[u + 1], nodes[2])
    n_taken = take_two(np.int64(ordered.mirrored[slot]), third, taken)
    nodes[4] = _pick_leaf(chances[3], ordered, u, taken, n_taken)
    return nodes[3] != nodes[4]


@kernel(inner=True)
def _draw_lollipop(chances, ordered, slot, third, offsets, nodes):
    """From a triangle with an edge at this slot: a walk of two steps from v."""
    nodes[2] = ordered.indices[third]
    nodes[3], nodes[4] = _pick_branch(chances[2], ordered, nodes[0], slot, offsets)
    return nodes[3] != nodes[2] and nodes[4] != nodes[1] and nodes[4] != nodes[2]


@kernel(inner=True)
def _draw_fan(chances, ordered, slot, t, n_triangles, common, nodes, taken):
    """From an edge: none to three triangles on it, and for the rest other neighbours of v."""
    first = np.int64(0)
    for i in range(n_triangles):
        pick(chances[1 + i], first, t, taken, i)
    for i in range(n_triangles):
        nodes[2 + i] = common[taken[i]]
    taken[0] = slot
    for i in range(n_triangles):
        insert(nodes[2 + i], taken, 1 + i)
        nodes[2 + i] = ordered.indices[nodes[2 + i]]
    for i in range(n_triangles, 3):
        nodes[2 + i] = _pick_leaf(chances[1 + i], ordered, nodes[0], taken, 1 + i)
    return True


@kernel(inner=True)
def _draw_at_slot(kind, chances, ordered, slot, t, common, offsets, nodes, taken):
    """Fill `nodes` with a copy on this slot; whether it is one: its nodes may coincide."""
    nodes[0], nodes[1] = ordered.indices[ordered.mirrored[slot]], ordered.indices[slot]
    if kind == PATH:
        return _draw_path(chances, ordered, slot, offsets, nodes, taken)
    if kind == FORK:
        return _draw_fork(chances, ordered, slot, nodes, taken)
    if kind == BULL:
        third = common[np.int64(chances[1] * t)]
        return _draw_bull(chances, ordered, slot, third, nodes, taken)
    if kind == LOLLIPOP:
        third = common[np.int64(chances[1] * t)]
        return _draw_lollipop(chances, ordered, slot, third, offsets, nodes)
    n_triangles = 0 if kind == STAR else 1 if kind == CRICKET else 2 if kind == DART else 3
    return _draw_fan(chances, ordered, slot, t, n_triangles, common, nodes, taken)


@kernel
def draw_at_slots(
    lo, hi, worker, kind, known, seed, order, slots, ordered, triangles, offsets, graphlets, hits
):
    """Draw the copies number order[lo:hi] of this kind; add 1 to the graphlet that each induces.

    Draws whose nodes coincide add nothing. The samples of one slot stand together in this order, so
    that the triangles on it are listed once.
    """
    most, last = 0, -1
    for i in range(lo, hi):
        most = max(most, triangles[slots[order[i]]])
    common, chances = np.empty(most, np.int64), np.empty(4)
    nodes, taken = np.empty(5, np.int64), np.empty(5, np.int64)
    for i in range(lo, hi):
        slot = slots[order[i]]
        t = np.int64(triangles[slot])
        if slot != last and kind > STAR:
            v = ordered.indices[ordered.mirrored[slot]]
            _list_common(ordered, v, ordered.indices[slot], t, common)
            last = slot
        draw_chances(seed, order[i], chances)
        if _draw_at_slot(kind, chances, ordered, slot, t, common, offsets, nodes, taken):
            hits[worker, graphlets[adjacency_code(ordered, known, nodes)]] += 1
