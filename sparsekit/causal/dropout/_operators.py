"""Operators of greedy equivalence search, looked at pair by pair, with sets as bits.

Let NA be the neighbours of y (by undirected edges) that are adjacent to x. An insertion of x -> y
comes with a set T of other neighbours of y, a deletion with a subset H of NA. An insertion is valid
only if NA and T are a clique, a deletion if NA without H is one [1]_. So not all subsets are tried:
from a clique the walk goes on to those with one member more, below all others. That gives the sets
T, or NA without H, in increasing bit order.

The change of the score depends on the pair and on what is conditioned on: the clique and the
parents of y. It is looked up in a hash table, and asked for if it is not there.

References
----------
.. [1] D. M. Chickering: "Optimal structure identification with greedy search", Journal of Machine
   Learning Research 3 (2002), theorems 15 and 17.
"""

from typing import NamedTuple

import numpy as np

from sparsekit.core.bits import trailing_zeros
from sparsekit.core.jit import kernel

__all__ = ["Best", "Changes", "NodeSets", "Phase", "Room", "Wanted", "choose", "insert_again"]


class NodeSets(NamedTuple):
    """Sets of nodes around each node, as bits.

    Attributes
    ----------
    adjacent, neighbours, parents : ndarray of shape (d, n_words), uint64
        Neighbours are those with an undirected edge.
    open : ndarray of shape (d, n_words), uint64
        Where a semi-directed path may go: children and neighbours.
    """

    adjacent: np.ndarray
    neighbours: np.ndarray
    parents: np.ndarray
    open: np.ndarray


class Changes(NamedTuple):
    """Change of the score by an edge between two variables, given other variables.

    Attributes
    ----------
    alone : ndarray of shape (d, d), float64
        Given nothing; only the upper triangle is looked at.
    keys : ndarray of shape (power of two,), int64
        Hash table with linear probing: the exclusive or of the codes of all variables, or 0.
    values : ndarray of the same shape, float64
        NaN while it is asked for.
    codes : ndarray of shape (2, d), int64
        Random numbers: of variables that are conditioned on, and of the two others.
    """

    alone: np.ndarray
    keys: np.ndarray
    values: np.ndarray
    codes: np.ndarray


class Wanted(NamedTuple):
    """Changes that are asked for.

    Attributes
    ----------
    pairs : ndarray of shape (capacity, 2), int32
        The two variables, the smaller one first.
    places : ndarray of shape (capacity, 2), int64
        Code of the set that is conditioned on, and where in the table the answer belongs.
    sets : ndarray of shape (capacity, n_words), uint64
        What is conditioned on.
    used : ndarray of shape (1,), int64
    """

    pairs: np.ndarray
    places: np.ndarray
    sets: np.ndarray
    used: np.ndarray


class Phase(NamedTuple):
    """Which operators are looked for.

    Attributes
    ----------
    inserts : bool
        Insertions, or else deletions.
    most : int
        So many variables at most are conditioned on.
    least : float
        An operator has to raise the score by more.
    """

    inserts: bool
    most: int
    least: float


class Best(NamedTuple):
    """The best operator of each pair that was not passed over.

    Attributes
    ----------
    changes : ndarray of shape (d, d), float64
        Change of the score; minus infinity if there is no operator, infinity if all are to be
        looked at.
    orders : ndarray of shape (d, d), int64
        Number of the operator in the order of ties.
    tops : ndarray of shape (d,), float64
        Largest change of each row.
    passed : ndarray of shape (d, d), bool
        Whether a better one was passed over.
    """

    changes: np.ndarray
    orders: np.ndarray
    tops: np.ndarray
    passed: np.ndarray

    def forget(self, pairs: np.ndarray) -> None:
        """Have all operators of these pairs looked at."""
        self.changes[pairs[:, 0], pairs[:, 1]] = np.inf
        self.orders[pairs[:, 0], pairs[:, 1]] = 0


class Room(NamedTuple):
    """Arrays to work in.

    Attributes
    ----------
    given, best : ndarray of shape (n_words,), uint64
        What an operator conditions on: the present one, and the best one of the last pair.
    candidates : ndarray of shape (d + 1, n_words), uint64
        What may join a clique of so many members.
    chosen, codes : ndarray of shape (d + 1,), int64
        The last candidate that was tried at this size, and the code of the set.
    """

    given: np.ndarray
    best: np.ndarray
    candidates: np.ndarray
    chosen: np.ndarray
    codes: np.ndarray


@kernel(inner=True)
def _next_member(words, after):
    """Smallest member of a set above this one; -1 if there is none."""
    word = (after + 1) >> 6
    skipped = np.uint64((after + 1) & 63)
    while word < len(words):
        left = (words[word] >> skipped) << skipped
        if left != 0:
            return (word << 6) + trailing_zeros(left)
        skipped = np.uint64(0)
        word += 1
    return -1


@kernel(inner=True)
def _flip(words, member):
    words[member >> 6] ^= np.uint64(1) << np.uint64(member & 63)


@kernel(inner=True)
def _begin(sets, x, y, inserts, codes, room):
    """Set up the walk over a pair's cliques; returns the size of what is always conditioned on.

    It is larger than any set if there is no operator.
    """
    n_words, given, candidates = len(room.given), room.given, room.candidates[0]
    for word in range(n_words):
        near, around = sets.neighbours[y, word], sets.adjacent[x, word]
        given[word] = near & around if inserts else np.uint64(0)
        candidates[word] = near & ~around if inserts else near & around
    member = _next_member(given, np.int64(-1))
    while member >= 0:
        for word in range(n_words):
            outside = given[word] & ~sets.adjacent[member, word]
            if word == member >> 6:
                outside &= ~(np.uint64(1) << np.uint64(member & 63))
            if outside != 0:
                return len(room.chosen)
            candidates[word] &= sets.adjacent[member, word]
        member = _next_member(given, member)
    for word in range(n_words):
        given[word] |= sets.parents[y, word]
    if (given[x >> 6] >> np.uint64(x & 63)) & np.uint64(1) != 0:
        _flip(given, x)
    size, code, member = 0, np.int64(0), _next_member(given, np.int64(-1))
    while member >= 0:
        size, code, member = size + 1, code ^ codes[0, member], _next_member(given, member)
    room.codes[0], room.chosen[0] = code, -1
    return size


@kernel(inner=True)
def _slot_of(key, keys):
    """Slot of the table where this key is, or the free one where it belongs."""
    mask = len(keys) - 1
    slot = key & mask
    while keys[slot] != 0 and keys[slot] != key:
        slot = (slot + 1) & mask
    return slot


@kernel(inner=True)
def _look_up(x, y, code, given, changes, wanted):
    """Change of the score by x -> y; NaN if it is not known yet."""
    low, high = min(x, y), max(x, y)
    if code == 0:
        return changes.alone[low, high]
    key = code ^ changes.codes[1, x] ^ changes.codes[1, y]
    slot = _slot_of(key, changes.keys)
    if changes.keys[slot] == 0 and wanted.used[0] < len(wanted.pairs):
        changes.keys[slot], changes.values[slot] = key, np.nan
        number = wanted.used[0]
        wanted.used[0] += 1
        wanted.pairs[number, 0], wanted.pairs[number, 1] = low, high
        wanted.places[number, 0], wanted.places[number, 1] = code, slot
        for word in range(len(given)):
            wanted.sets[number, word] = given[word]
    return changes.values[slot] if changes.keys[slot] == key else np.nan


@kernel(inner=True)
def _go_deeper(sets, depth, size, most, codes, room):
    """Go to the next clique; returns how many candidates it has, or -1 after the last one."""
    while depth >= 0:
        candidates, member = room.candidates[depth], np.int64(-1)
        if size + depth < most:
            member = _next_member(candidates, room.chosen[depth])
        if member >= 0:
            below = member >> 6
            for word in range(len(candidates)):
                left = candidates[word] & sets.adjacent[member, word]
                if word == below:
                    left &= (np.uint64(1) << np.uint64(member & 63)) - np.uint64(1)
                room.candidates[depth + 1, word] = left if word <= below else np.uint64(0)
            _flip(room.given, member)
            room.chosen[depth], room.chosen[depth + 1] = member, -1
            room.codes[depth + 1] = room.codes[depth] ^ codes[0, member]
            return depth + 1
        depth -= 1
        if depth >= 0:
            _flip(room.given, room.chosen[depth])
    return depth


@kernel(inner=True)
def _has_path(sets, source, target, room):
    """Whether a semi-directed path goes past the neighbours of its source that are given."""
    queue, blocked, n_found, k = room.codes, room.given, 1, 0
    for word in range(len(blocked)):
        blocked[word] = room.best[word] & sets.neighbours[source, word]
    queue[0] = source
    _flip(blocked, source)
    while k < n_found:
        node = queue[k]
        k += 1
        for word in range(len(blocked)):
            left = sets.open[node, word] & ~blocked[word]
            blocked[word] |= left
            while left != 0:
                queue[n_found] = (word << 6) + trailing_zeros(left)
                n_found += 1
                left &= left - np.uint64(1)
    return (blocked[target >> 6] >> np.uint64(target & 63)) & np.uint64(1) != 0


@kernel(inner=True)
def _scan_pair(sets, x, y, phase, changes, wanted, room, best):
    """Find the best operator of a pair that is not before the one that is noted for it.

    `room.best` is what it conditions on.
    """
    most_change, least_order = best.changes[x, y], best.orders[x, y]
    top, top_order, number, depth = -np.inf, np.int64(0), np.int64(0), np.int64(0)
    size, is_known = _begin(sets, x, y, phase.inserts, changes.codes, room), True
    if size > phase.most:
        depth = np.int64(-1)
    while depth >= 0:
        change, order = _look_up(x, y, room.codes[depth], room.given, changes, wanted), number
        is_known &= not np.isnan(change)
        if not phase.inserts:  # the smaller H comes first, of which the clique is the complement
            change, order = -change, -number
        fits = change < most_change or (change == most_change and order >= least_order)
        if fits and (change > top or (change == top and order < top_order)):
            top, top_order = change, order
            for word in range(len(room.given)):
                room.best[word] = room.given[word]
        number += 1
        depth = _go_deeper(sets, depth, size, phase.most, changes.codes, room)
    best.changes[x, y], best.orders[x, y] = top if is_known else np.nan, top_order


@kernel(inner=True)
def _first_largest(values):
    largest, place = -np.inf, 0
    for k in range(len(values)):
        if values[k] > largest:
            largest, place = values[k], k
    return place


@kernel
def choose(sets, pairs, phase, changes, wanted, room, best):
    """Find the best operator of all, of the valid ones that are not passed over.

    Parameters
    ----------
    sets : NodeSets
    pairs : ndarray of shape (n, 2), int64
        Pairs x and y to look at anew: those operators that are not before what is noted in `best`.
    phase : Phase
    changes : Changes
    wanted : Wanted
        On return what has to be known first. Then `best` has NaN where pairs are to be looked at
        again, and nothing is chosen.
    room : Room
        On return `room.best` is what the operator conditions on.
    best : Best

    Returns
    -------
    x, y : int
        The pair; of equal operators the smallest x, then y. -1 if none raises the score.
    """
    for k in range(len(pairs)):
        x, y = pairs[k, 0], pairs[k, 1]
        if wanted.used[0] < len(wanted.pairs):
            _scan_pair(sets, x, y, phase, changes, wanted, room, best)
        else:
            best.changes[x, y] = np.nan
    for row in range(len(best.tops)):
        best.tops[row] = best.changes[row, _first_largest(best.changes[row])]
    while wanted.used[0] == 0:
        x = _first_largest(best.tops)
        if not best.tops[x] > phase.least:
            break
        y = _first_largest(best.changes[x])
        _scan_pair(sets, x, y, phase, changes, wanted, room, best)
        if not phase.inserts or not _has_path(sets, y, x, room):
            return x, y
        best.orders[x, y] += 1
        best.passed[x, y] = True
        _scan_pair(sets, x, y, phase, changes, wanted, room, best)
        best.tops[x] = best.changes[x, _first_largest(best.changes[x])]
    return -1, -1


@kernel
def insert_again(old, new):
    """Move all that is known from a table to a larger one."""
    for slot in range(len(old.keys)):
        if old.keys[slot] != 0:
            place = _slot_of(old.keys[slot], new.keys)
            new.keys[place], new.values[place] = old.keys[slot], old.values[slot]
