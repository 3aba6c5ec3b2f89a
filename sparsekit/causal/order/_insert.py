"""Best place of one variable in the order, all others keeping theirs.

For each other variable its best parents with the moved one behind it or before it, whichever is not
so now (`_try_others`); sums along the order give the score of the others for every place
(`_add_others`). Then from the present place outwards the best parents of the variable itself, until
no place further away can pay (`_sweep_left`, `_sweep_right`).
"""

from typing import NamedTuple

import numpy as np

from sparsekit.causal.order._grow_shrink import grow_shrink
from sparsekit.causal.order._parent_sets import (
    FULL,
    N_GAINFUL,
    N_PARENTS,
    REQUIRED,
    SCORE,
    START,
    set_in_room,
    toggle,
)
from sparsekit.core.jit import kernel

__all__ = ["State", "Trial", "go_on", "settle"]

# What a trial comes to, besides `FULL`.
_STAYED, _MOVED = 0, 1


class State(NamedTuple):
    """An order with a set of parents for each variable.

    Attributes
    ----------
    order : ndarray of shape (d,), int64
    parents : ndarray of shape (d, d), int32
        Row j begins with the parents of j.
    n_parents : ndarray of shape (d,), int64
    is_parent, is_gainful : ndarray of shape (d, d), bool
        Entry [j, i] says whether i is a parent of j, and whether j would gain by it as one more.
    numbers : ndarray of shape (d,), int64
        Of the sets of parents.
    scores : ndarray of shape (d,), float64
        Of these sets.
    """

    order: np.ndarray
    parents: np.ndarray
    n_parents: np.ndarray
    is_parent: np.ndarray
    is_gainful: np.ndarray
    numbers: np.ndarray
    scores: np.ndarray


class Trial(NamedTuple):
    """What is found out about the places of one variable; the others are in the order `rest`.

    Attributes
    ----------
    rest : ndarray of shape (d,), int64
        Without the variable, so that the last entry means nothing.
    rank : ndarray of shape (d,), int64
        Place of every variable in `rest`.
    numbers : ndarray of shape (d,), int64
        Best parents of ``rest[k]`` with the variable on the other side of it: number of the set.
    own_numbers : ndarray of shape (d,), int64
        Best parents of the variable at each place.
    totals : ndarray of shape (d,), float64
        Score of everything with the variable at each place.
    bounds : ndarray of shape (d,), float64
        Least score of the others with the variable at each place or further away.
    """

    rest: np.ndarray
    rank: np.ndarray
    numbers: np.ndarray
    own_numbers: np.ndarray
    totals: np.ndarray
    bounds: np.ndarray


@kernel(inner=True)
def _adopt(target, number, sets, state):
    """Give a variable a set of parents."""
    is_parent, is_gainful = state.is_parent[target], state.is_gainful[target]
    for c in range(len(is_parent)):
        is_parent[c] = is_gainful[c] = False
    start, n_parents = sets.facts[number, START], sets.facts[number, N_PARENTS]
    for k in range(n_parents):
        node = sets.members[start + k]
        state.parents[target, k] = node
        is_parent[node] = True
    for k in range(start + n_parents, start + n_parents + sets.facts[number, N_GAINFUL]):
        is_gainful[sets.members[k]] = True
    state.n_parents[target], state.numbers[target] = n_parents, number
    state.scores[target] = sets.values[number, SCORE]


@kernel(inner=True)
def _take_out(problem, node, state, trial):
    """List the others; returns the present place and the first and last that are allowed."""
    k, place, first, last = 0, 0, 0, len(state.order) - 1
    for other in state.order:
        if other == node:
            place = k
            continue
        if problem.rules[node, other] == REQUIRED:
            first = k + 1
        if problem.rules[other, node] == REQUIRED and k < last:
            last = k
        trial.rest[k], trial.rank[other] = other, k
        k += 1
    return place, first, last


@kernel(inner=True)
def _try_others(problem, limits, node, first, last, sets, state, trial, room):
    """Best parents of all others once the variable is on their other side; returns success."""
    behind_all, before_all = len(trial.rank), -1
    for k in range(len(trial.rest) - 1):
        target = trial.rest[k]
        number = state.numbers[target]
        trial.numbers[k] = number
        if state.is_parent[target, node]:
            if k >= last:  # the variable never comes behind
                continue
            trial.rank[node] = behind_all
            number = toggle(problem, limits, target, number, node, sets, room)
        else:
            if k < first or not state.is_gainful[target, node]:
                continue
            trial.rank[node] = before_all
        number = grow_shrink(problem, limits, target, trial.rank, k, number, sets, room)
        if number == FULL:
            return False
        trial.numbers[k] = number
    return True


@kernel(inner=True)
def _add_others(node, last, sets, state, trial):
    """Total score of the others with the variable at every place."""
    before, behind = 0.0, 0.0
    for k in range(len(trial.rest) - 1):
        target = trial.rest[k]
        stays = state.is_parent[target, node]
        behind += sets.values[state.numbers[target] if stays else trial.numbers[k], SCORE]
    for place in range(last + 1):
        trial.totals[place] = before + behind
        if place < last:
            now, other = state.numbers[trial.rest[place]], trial.numbers[place]
            was_before = state.is_parent[trial.rest[place], node]
            before += sets.values[other if was_before else now, SCORE]
            behind -= sets.values[now if was_before else other, SCORE]


@kernel(inner=True)
def _bound(place, first, last, trial):
    """Least total of the others from each place outwards."""
    least = np.inf
    for k in range(first, place):
        least = min(least, trial.totals[k])
        trial.bounds[k] = least
    least = np.inf
    for k in range(last, place, -1):
        least = min(least, trial.totals[k])
        trial.bounds[k] = least


@kernel(inner=True)
def _last_parent(number, rank, sets):
    """Rank of the last one of the parents; -1 without any."""
    last, start = -1, sets.facts[number, START]
    for k in range(start, start + sets.facts[number, N_PARENTS]):
        last = max(last, rank[sets.members[k]])
    return last


@kernel(inner=True)
def _next_gainful(number, n_before, rank, sets):
    """Least rank, not below this one, of a variable that would gain; beyond all without any."""
    following = len(rank)
    start = sets.facts[number, START] + sets.facts[number, N_PARENTS]
    for k in range(start, start + sets.facts[number, N_GAINFUL]):
        if n_before <= rank[sets.members[k]] < following:
            following = rank[sets.members[k]]
    return following


@kernel(inner=True)
def _sweep_left(problem, limits, node, place, first, number, now, sets, trial, room):
    """Best parents of the variable at places further left, as long as these may pay.

    Returns the first place that was looked at, or `FULL`.
    """
    change = _last_parent(number, trial.rank, sets)
    for k in range(place - 1, first - 1, -1):
        # With fewer predecessors the score of the variable only rises.
        if sets.values[number, SCORE] + trial.bounds[k] >= now - limits.move:
            return k + 1
        if k == change:
            number = toggle(problem, limits, node, number, trial.rest[k], sets, room)
            if number != FULL:
                number = grow_shrink(problem, limits, node, trial.rank, k, number, sets, room)
            if number == FULL:
                return FULL
            change = _last_parent(number, trial.rank, sets)
        trial.own_numbers[k] = number
        trial.totals[k] += sets.values[number, SCORE]
    return first


@kernel(inner=True)
def _sweep_right(problem, limits, node, place, last, number, now, sets, trial, room):
    """Best parents of the variable at places further right, as long as these may pay.

    Returns the last place that was looked at, or `FULL`.
    """
    d = len(trial.rank)
    most = grow_shrink(problem, limits, node, trial.rank, d, number, sets, room)
    if most == FULL:
        return FULL
    change = _next_gainful(number, place, trial.rank, sets)
    for k in range(place + 1, last + 1):
        # With all others as predecessors its score is about the least it can be.
        if sets.values[most, SCORE] + trial.bounds[k] >= now - limits.move:
            return k - 1
        if k - 1 == change:
            number = grow_shrink(problem, limits, node, trial.rank, k, number, sets, room)
            if number == FULL:
                return FULL
            change = _next_gainful(number, k, trial.rank, sets)
        trial.own_numbers[k] = number
        trial.totals[k] += sets.values[number, SCORE]
    return last


@kernel
def _choose(place, first, last, totals, tolerance):
    """Place of the least total; of those as good as that the nearest, then the smaller."""
    least = np.inf
    for other in range(first, last + 1):
        least = min(least, totals[other])
    best, distance = first, len(totals)
    for other in range(first, last + 1):
        if totals[other] <= least + tolerance and abs(other - place) < distance:
            best, distance = other, abs(other - place)
    return best


@kernel(inner=True)
def _move(node, place, sets, state, trial):
    """Put the variable at a place, and give all variables the parents found for it."""
    for k in range(len(trial.rest) - 1):
        target = trial.rest[k]
        changed = trial.numbers[k] != state.numbers[target]
        if changed and state.is_parent[target, node] == (k < place):
            _adopt(target, trial.numbers[k], sets, state)
    _adopt(node, trial.own_numbers[place], sets, state)
    for k in range(len(trial.rest)):
        state.order[k] = trial.rest[k] if k < place else trial.rest[k - 1]
    state.order[place] = node


@kernel(inner=True)
def _insert(problem, limits, node, sets, state, trial, room):
    """Move a variable to its best place if that lowers the total; returns what came of it.

    With `FULL`, for want of room for sets, nothing has changed.
    """
    place, first, last = _take_out(problem, node, state, trial)
    if not _try_others(problem, limits, node, first, last, sets, state, trial, room):
        return FULL
    _add_others(node, last, sets, state, trial)
    _bound(place, first, last, trial)
    trial.rank[node] = len(trial.rank)
    number, now = state.numbers[node], state.scores.sum()
    number = grow_shrink(problem, limits, node, trial.rank, place, number, sets, room)
    if number == FULL:
        return FULL
    trial.own_numbers[place] = number
    trial.totals[place] += sets.values[number, SCORE]
    first = _sweep_left(problem, limits, node, place, first, number, now, sets, trial, room)
    last = _sweep_right(problem, limits, node, place, last, number, now, sets, trial, room)
    if first == FULL or last == FULL:
        return FULL
    best = _choose(place, first, last, trial.totals, limits.move)
    if trial.totals[best] >= now - limits.move:
        return _STAYED
    _move(node, best, sets, state, trial)
    return _MOVED


@kernel
def go_on(problem, limits, nodes, first, sets, state, trial, room):
    """Try to move these nodes from the first one on; returns how many were tried, and moved."""
    n_moves = 0
    for k in range(first, len(nodes)):
        outcome = _insert(problem, limits, nodes[k], sets, state, trial, room)
        if outcome == FULL:
            return k, n_moves
        n_moves += outcome == _MOVED
    return len(nodes), n_moves


@kernel
def settle(problem, limits, parents, n_parents, search, sets, state, trial, room):
    """Give all variables these parents, from which a search may start; returns success."""
    nothing = np.int64(0)  # a literal would be compiled for itself
    for k in range(len(state.order)):
        trial.rank[state.order[k]] = k
    for k in range(len(state.order)):
        target = state.order[k]
        for slot in range(n_parents[target]):
            room.parents[slot] = parents[target, slot]
        number = set_in_room(problem, limits, target, nothing, n_parents[target], sets, room)
        if search and number != FULL:
            number = grow_shrink(problem, limits, target, trial.rank, k, number, sets, room)
        if number == FULL:
            return False
        _adopt(target, number, sets, state)
    return True
