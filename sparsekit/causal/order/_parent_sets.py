"""Sets of parents that a search has come by, each with all that the search asks about it.

A search by orders meets the same sets again and again. What it wants to know of one depends on
nothing else: the score, which further parent would gain, which parent should leave. So every set is
looked into once, and later found by its key (grow-shrink trees of [1]_, as a hash table).

With the parents S of a variable j, every other variable c has a residual variance ``u_c`` given S
and a partial covariance ``r_c`` with j. As one more parent it lowers the residual variance of j by
``r_c^2 / u_c``, its share.

References
----------
.. [1] B. Andrews, J. Ramsey, R. Sanchez-Romero, J. Camchong, E. Kummerfeld: "Fast scalable and
   accurate discovery of DAGs using the best order score search and grow-shrink trees", NeurIPS
   2023.
"""

from typing import NamedTuple

import numpy as np

from sparsekit.causal._gaussian import condition_on, drop_each
from sparsekit.core.jit import kernel

__all__ = [
    "FORBIDDEN",
    "FULL",
    "LEAVING",
    "N_GAINFUL",
    "N_PARENTS",
    "REDUNDANT",
    "REQUIRED",
    "SCORE",
    "START",
    "VARIANCE",
    "Limits",
    "ParentSets",
    "Problem",
    "Room",
    "set_in_room",
    "toggle",
]

# Residual variances are not taken below this share of the variance. A variable of which less is
# left given the parents is a linear combination of them and does not join.
REDUNDANT = 1e-10

# Instead of the pivot of a parent that rounding has made a linear combination of the others, which
# thus adds nothing; its square is finite, and so is that of its inverse.
_NO_PIVOT = 1e100

# Instead of the number of a set, if there is no room for one more.
FULL = -1

# Columns of what is known of sets.
KEY, START, N_PARENTS, N_GAINFUL, LEAVING = range(5)
VARIANCE, SCORE = range(2)

# What is known of an edge before.
REQUIRED, FORBIDDEN = 1, -1


class Problem(NamedTuple):
    """What does not change during a search.

    Attributes
    ----------
    covariance : ndarray of shape (d, d), float64
        The variances must not be so small that their squares vanish.
    rules : ndarray of shape (d, d), int8
        Entry [j, i] says whether i must be (1), may be (0) or must not be (-1) a parent of j.
    max_parents : ndarray of shape (d,), int64
        Nothing joins so many parents.
    keys : ndarray of shape (2, d), int64
        Random numbers: the key of a set is the exclusive or of those of the parents, in the first
        row, and that of the variable itself, in the second.
    """

    covariance: np.ndarray
    rules: np.ndarray
    max_parents: np.ndarray
    keys: np.ndarray


class Limits(NamedTuple):
    """The score of a variable with residual variance v and k parents, and when a change pays.

    Attributes
    ----------
    factor : float
        Unequal noise: the score is ``factor log(v) + penalty k``. Equal noise: it is ``factor v +
        penalty k``.
    penalty : float
    equal : bool
    join : (float, float)
        A parent joins if it lowers v by more than ``join[0] v + join[1]``.
    leave : (float, float)
        A parent leaves if it raises v by less than ``leave[0] v + leave[1]``.
    move : float
        Least improvement of the total for which a variable moves.
    """

    factor: float
    penalty: float
    equal: bool
    join: tuple[float, float]
    leave: tuple[float, float]
    move: float


class ParentSets(NamedTuple):
    """Sets of parents by number.

    Attributes
    ----------
    table : ndarray of shape (power of two,), int64
        Hash table with linear probing: the number plus one, or 0.
    facts : ndarray of shape (capacity, 5), int64
        ``KEY``; ``START``: where the ``N_PARENTS`` parents are in `members`, in the order in which
        they joined, and behind them the ``N_GAINFUL`` variables that would gain as one more;
        ``LEAVING``: parent whose removal lowers the score most, or -1.
    values : ndarray of shape (capacity, 2), float64
        ``VARIANCE``: the residual one, floored; ``SCORE``.
    members : ndarray of shape (room,), int32
    shares : ndarray of shape (room,), float32
        Of those that would gain, in units of the residual variance. They are most of what is kept,
        and are only compared.
    used : ndarray of shape (2,), int64
        How many sets there are, and members.
    """

    table: np.ndarray
    facts: np.ndarray
    values: np.ndarray
    members: np.ndarray
    shares: np.ndarray
    used: np.ndarray


class Room(NamedTuple):
    """Arrays to work in: a list of parents, and what all variables are given these.

    Attributes
    ----------
    parents : ndarray of shape (d,), int64
    rows : ndarray of shape (d, d), float64
        See `condition_on`.
    variances, partial : ndarray of shape (d,), float64
        The numbers u and r above; u is infinite for what can not join.
    work, raised : ndarray of shape (d,), float64
    held : ndarray of shape (1,), int64
        Number of the set that all this is about, or -1.
    raw : ndarray of shape (1,), float64
        The residual variance of the target, not floored.
    """

    parents: np.ndarray
    rows: np.ndarray
    variances: np.ndarray
    partial: np.ndarray
    work: np.ndarray
    raised: np.ndarray
    held: np.ndarray
    raw: np.ndarray


@kernel(inner=True)
def _is_full(d, sets):
    """Whether one more set might not fit."""
    n_sets, n_members = sets.used[0], sets.used[1]
    return n_sets == len(sets.facts) or n_members + d > len(sets.members)


@kernel(inner=True)
def _clear(problem, target, room):
    """Begin without parents; returns the variance of the target."""
    for c in range(len(room.partial)):
        room.partial[c] = problem.covariance[target, c]
        forbidden = problem.rules[target, c] == FORBIDDEN
        room.variances[c] = np.inf if forbidden else problem.covariance[c, c]
    return problem.covariance[target, target]


@kernel(inner=True)
def _ignore(node, row):
    """Write the row of a parent that is redundant, by rounding, so that it changes nothing."""
    for c in range(len(row)):
        row[c] = 0.0
    row[node] = _NO_PIVOT


@kernel(inner=True)
def _condition(problem, target, first, n_parents, variance, room):
    """Condition all on the parents from the first one on; returns the variance of the target."""
    for k in range(first, n_parents):
        node = room.parents[k]
        if condition_on(problem.covariance, node, room.rows, k, room.variances) == k:
            _ignore(node, room.rows[k])
        room.variances[node] = np.inf
        share = room.rows[k, target]
        variance -= share * share
        for c in range(len(room.partial)):
            room.partial[c] -= share * room.rows[k, c]
    return variance


@kernel(inner=True)
def _list_gainful(problem, limits, target, variance, floor, n, sets, room):
    """Append to the members those that lower the score as one more parent; returns the number."""
    least = limits.join[0] * variance + limits.join[1]
    first = n
    for c in range(len(room.partial)):
        square, u = room.partial[c] * room.partial[c], room.variances[c]
        if square > least * u and u > REDUNDANT * problem.covariance[c, c]:
            share = min(square / u, variance - floor)
            if share > least:
                sets.members[n], sets.shares[n] = c, share / variance
                n += 1
    return n - first


@kernel(inner=True)
def _find_leaving(problem, limits, target, variance, floor, n_parents, room):
    """Parent whose removal lowers the score most, the first in the list among equals; or -1."""
    parents = room.parents[:n_parents]
    drop_each(target, room.rows, parents, variance, room.work, room.raised)
    floored = max(variance, floor)
    leaving, least = np.int64(-1), floored + limits.leave[0] * floored + limits.leave[1]
    for parent in parents:
        without = max(room.raised[parent], floor)
        if without < least and problem.rules[target, parent] != REQUIRED:
            leaving, least = parent, without
    return leaving


@kernel(inner=True)
def _add(problem, limits, target, n_known, n_parents, key, sets, room):
    """Look into the set in the room, which is a new one; returns its number.

    The room is about the first `n_known` parents already.
    """
    number, start = sets.used[0], sets.used[1]
    if n_known == 0:
        room.raw[0] = _clear(problem, target, room)
    variance = _condition(problem, target, n_known, n_parents, room.raw[0], room)
    room.held[0], room.raw[0] = number, variance
    floor = REDUNDANT * problem.covariance[target, target]
    floored = max(variance, floor)
    for k in range(n_parents):
        sets.members[start + k] = room.parents[k]
    n_gainful = 0
    if n_parents < problem.max_parents[target] and floored > floor:
        n_gainful = _list_gainful(
            problem, limits, target, floored, floor, start + n_parents, sets, room
        )
    fit = 0.0  # constant variables count nothing
    if limits.equal:
        fit = limits.factor * floored
    elif floored > 0:
        fit = limits.factor * np.log(floored)
    facts, values = sets.facts[number], sets.values[number]
    facts[KEY], facts[START] = key, start
    facts[N_PARENTS], facts[N_GAINFUL] = n_parents, n_gainful
    facts[LEAVING] = _find_leaving(problem, limits, target, variance, floor, n_parents, room)
    values[VARIANCE], values[SCORE] = floored, fit + limits.penalty * n_parents
    sets.used[0], sets.used[1] = number + 1, start + n_parents + n_gainful
    return number


@kernel(inner=True)
def _slot_of(key, sets):
    """Slot of the table where this key is, or the free one where it belongs."""
    mask = len(sets.table) - 1
    slot = key & mask
    while sets.table[slot] > 0 and sets.facts[sets.table[slot] - 1, KEY] != key:
        slot = (slot + 1) & mask
    return slot


@kernel
def set_in_room(problem, limits, target, n_known, n_parents, sets, room):
    """Number of the set of parents that is listed in the room; or `FULL`.

    The room is about the first `n_known` of them already.
    """
    key = problem.keys[1, target]
    for k in range(n_parents):
        key ^= problem.keys[0, room.parents[k]]
    slot = _slot_of(key, sets)
    if sets.table[slot] == 0:
        if _is_full(len(room.parents), sets):
            return FULL
        sets.table[slot] = 1 + _add(problem, limits, target, n_known, n_parents, key, sets, room)
    return sets.table[slot] - 1


@kernel
def toggle(problem, limits, target, number, node, sets, room):
    """Number of the set that has one parent more, or less, than another one; or `FULL`."""
    slot = _slot_of(sets.facts[number, KEY] ^ problem.keys[0, node], sets)
    if sets.table[slot] > 0:
        return sets.table[slot] - 1
    start, n_before, n_parents = sets.facts[number, START], sets.facts[number, N_PARENTS], 0
    for k in range(start, start + n_before):
        if sets.members[k] != node:
            room.parents[n_parents] = sets.members[k]
            n_parents += 1
    n_known = 0
    if n_parents == n_before:
        room.parents[n_parents] = node
        n_parents += 1
        n_known = n_before if room.held[0] == number else 0
    return set_in_room(problem, limits, target, n_known, n_parents, sets, room)
