"""Which tests a level of the search consists of, grouped by conditioning sets."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from sparsekit.causal.dropout._samples import Tests
from sparsekit.core.bits import pack_rows, trailing_zeros
from sparsekit.core.jit import kernel

__all__ = ["Batch", "enumerate_tests"]

# Tests of a batch, at least; more only if those of one conditioning set are more.
_BATCH_SIZE = 2**17


class Batch(NamedTuple):
    """Some of the tests of a level.

    Attributes
    ----------
    tests : Tests
        With x < y, conditioning sets in lexicographic order.
    sides : ndarray of shape (n_tests,), uint8
        1 if the conditioning set is among the neighbours of x, plus 2 if among those of y.
    """

    tests: Tests
    sides: np.ndarray


class _Graph(NamedTuple):
    """Rows of bits."""

    near: np.ndarray  # (d, words) neighbours, among which conditioning sets are found
    tested: np.ndarray  # (d, words) what each variable is tested with; symmetric
    near_last: np.ndarray  # (words,) variables that have enough neighbours
    tiers: np.ndarray  # (d,) -1 for variables in none


class _Place(NamedTuple):
    """Where the enumeration is: a conditioning set, member by member."""

    members: np.ndarray  # (l,) int64
    common: np.ndarray  # (l + 1, words) variables near to all members so far
    untried: np.ndarray  # (l, words) members that may come next
    depth: np.ndarray  # (1,) int64; -1 at the end


class _Room(NamedTuple):
    """Where tests are written."""

    x: np.ndarray
    y: np.ndarray
    sides: np.ndarray
    test_ptr: np.ndarray
    members: np.ndarray


def enumerate_tests(
    near: np.ndarray, tested: np.ndarray, size: int, tiers: np.ndarray | None = None
) -> Iterator[Batch]:
    """List the tests of pairs given subsets of the neighbours of either variable, each once.

    Parameters
    ----------
    near : ndarray of shape (d, d), bool
        Symmetric: neighbours.
    tested : ndarray of shape (d, d), bool
        Symmetric: the pairs to test.
    size : int
        Of the conditioning sets, at least 1.
    tiers : ndarray of shape (d,), int, default=None
        Tier of each variable, -1 for none: what is in a later tier than both of a pair is not
        conditioned on.

    Yields
    ------
    Batch
    """
    d = len(near)
    n_near = near.sum(axis=1)
    # The other variable of a pair is not conditioned on.
    enough = (n_near > size) | ((n_near == size) & (tested & ~near).any(axis=1))
    enough &= tested.any(axis=1)
    tiers = np.full(d, -1) if tiers is None else tiers
    graph = _Graph(pack_rows(near), pack_rows(tested), pack_rows(enough[None])[0], tiers)
    place = _start(graph, near[enough].any(axis=0), size)
    most = max(_BATCH_SIZE, int(tested.sum()) // 2)
    while place.depth[0] >= 0:
        room = _Room(
            np.empty(most, dtype=np.int32),
            np.empty(most, dtype=np.int32),
            np.empty(most, dtype=np.uint8),
            np.zeros(most + 1, dtype=np.int64),
            np.empty((most, size), dtype=np.int32),
        )
        n_groups = _list_tests(graph, place, room)
        if n_groups:
            n = room.test_ptr[n_groups]
            members = room.members[:n_groups].ravel()
            starts = np.arange(n_groups + 1) * size
            tests = Tests(room.x[:n], room.y[:n], room.test_ptr[: n_groups + 1], members, starts)
            yield Batch(tests, room.sides[:n])


def _start(graph: _Graph, candidates: np.ndarray, size: int) -> _Place:
    words = graph.near.shape[1]
    common = np.zeros((size + 1, words), dtype=np.uint64)
    untried = np.zeros((size, words), dtype=np.uint64)
    common[0] = graph.near_last
    untried[0] = pack_rows(candidates[None])[0]
    return _Place(np.zeros(size, dtype=np.int64), common, untried, np.zeros(1, dtype=np.int64))


@kernel
def _list_tests(graph, place, room):
    """Go on with the enumeration until there may be no more room; returns the number of groups."""
    size = place.members.size
    n_words_ = graph.near.shape[1]
    depth = place.depth[0]
    n_groups, n_tests = 0, np.int64(0)  # no literal: a kernel would be compiled once more
    while depth >= 0:
        member = _next_member(place.untried, depth)
        if member < 0:
            depth -= 1
            continue
        place.members[depth] = member
        some = np.uint64(0)
        for word in range(n_words_):
            both = place.common[depth, word] & graph.near[member, word]
            place.common[depth + 1, word] = both
            some |= both
        if some == 0:
            continue
        if depth + 1 < size:
            depth += 1
            _list_members(graph, place, depth, member)
            continue
        stop = _list_pairs(graph, place, room, n_tests)
        if stop < 0:  # no room: this set comes first in the next batch
            place.untried[depth, member >> 6] |= np.uint64(1) << np.uint64(member & 63)
            break
        if stop > n_tests:
            for position in range(size):
                room.members[n_groups, position] = place.members[position]
            n_groups += 1
            room.test_ptr[n_groups] = stop
            n_tests = stop
    place.depth[0] = depth
    return n_groups


@kernel(inner=True)
def _next_member(untried, depth):
    """Take the smallest member that was not tried; -1 if there is none."""
    for word in range(untried.shape[1]):
        members = untried[depth, word]
        if members != 0:
            untried[depth, word] = members & (members - np.uint64(1))
            return 64 * word + trailing_zeros(members)
    return -1


@kernel(inner=True)
def _list_members(graph, place, depth, last):
    """Members after the last one that share a neighbour with those so far."""
    n_words_ = graph.near.shape[1]
    for word in range(n_words_):
        place.untried[depth, word] = 0
    for word in range(n_words_):
        rest = place.common[depth, word]
        while rest != 0:
            variable = 64 * word + trailing_zeros(rest)
            rest &= rest - np.uint64(1)
            for other in range(n_words_):
                place.untried[depth, other] |= graph.near[variable, other]
    first_word = (last + 1) >> 6
    for word in range(min(first_word + 1, n_words_)):
        keep = np.uint64(0)
        if word == first_word:
            keep = ~((np.uint64(1) << np.uint64((last + 1) & 63)) - np.uint64(1))
        place.untried[depth, word] &= keep


@kernel(inner=True)
def _list_pairs(graph, place, room, n_tests):
    """Write the tests of the present set; returns where they end, -1 if there is no room."""
    members, common, tiers = place.members, place.common[place.members.size], graph.tiers
    latest = -1
    for member in members:
        latest = max(latest, tiers[member])
    for word in range(common.size):
        rest = common[word]
        while rest != 0:
            x = 64 * word + trailing_zeros(rest)
            rest &= rest - np.uint64(1)
            for word_y in range(common.size):
                others = graph.tested[x, word_y]
                while others != 0:
                    bit = others & (~others + np.uint64(1))
                    others ^= bit
                    y = 64 * word_y + trailing_zeros(bit)
                    from_both = common[word_y] & bit != 0
                    if (from_both and y < x) or _contains(members, y):
                        continue
                    last_tier = max(tiers[x], tiers[y])
                    if latest > last_tier and min(tiers[x], tiers[y]) >= 0:
                        continue
                    if n_tests == room.x.size:
                        return -1
                    room.x[n_tests] = min(x, y)
                    room.y[n_tests] = max(x, y)
                    room.sides[n_tests] = 3 if from_both else (1 if x < y else 2)
                    n_tests += 1
    return n_tests


@kernel(inner=True)
def _contains(members, variable):
    found = False
    for member in members:
        found |= member == variable
    return found
