"""Steps of drawing a sample: random choices, searches in sorted rows, what the nodes induce.

Each choice is a function of the seed, the number of the sample and the number of the choice.
Kernels compile once more for each integer literal that they are called with: here and below these
are typed, or avoided.
"""

import numpy as np

from sparsekit.core.jit import kernel
from sparsekit.core.random import stream_key

__all__ = [
    "adjacency_code",
    "choose_places",
    "draw_chances",
    "find",
    "first_above",
    "insert",
    "pick",
    "take_two",
]

_S12 = np.uint64(12)
_UNIT = 2.0**-52


@kernel(inner=True)
def _uniform(key, number):
    """Random number in [0, 1), a multiple of 2**-52."""
    return np.float64(stream_key(key, number) >> _S12) * _UNIT


@kernel(inner=True)
def draw_chances(seed, sample, chances):
    """Fill `chances` with the random numbers of a sample; the first one has chosen its place."""
    key = stream_key(seed, np.uint64(sample))
    for i in range(chances.size):
        chances[i] = _uniform(key, np.uint64(i))


@kernel(inner=True)
def first_above(values, lo, hi, x):
    """First position in the non-decreasing values[lo:hi] with a value above x; else hi."""
    while lo < hi:
        middle = (lo + hi) >> 1
        if values[middle] <= x:
            lo = middle + 1
        else:
            hi = middle
    return lo


@kernel
def choose_places(lo, hi, seed, cumulative, places):
    """Choose a slot or node, with the probability of its weight, for each of the samples."""
    first, stop = np.int64(0), cumulative.size
    for sample in range(lo, hi):
        key = stream_key(seed, np.uint64(sample))
        x = _uniform(key, np.uint64(0)) * cumulative[stop - 1]
        places[sample] = first_above(cumulative, first, stop, x)


@kernel(inner=True)
def find(indices, lo, hi, wanted):
    """Slot among lo .. hi that leads to this node, or -1."""
    slot = first_above(indices, lo, hi, wanted - 1)
    return slot if slot < hi and indices[slot] == wanted else -1


@kernel
def insert(value, taken, n_taken):
    """Put a value into the sorted taken[:n_taken]."""
    place = n_taken
    while place > 0 and taken[place - 1] > value:
        taken[place] = taken[place - 1]
        place -= 1
    taken[place] = value


@kernel
def pick(chance, first, stop, taken, n_taken):
    """Number in first .. stop that is not among the sorted taken[:n_taken]; it is inserted."""
    value = first + np.int64(chance * (stop - first - n_taken))
    for i in range(n_taken):
        value += taken[i] <= value
    insert(value, taken, n_taken)
    return value


@kernel(inner=True)
def take_two(a, b, taken):
    """Start `taken` with two values; return their number."""
    taken[0], taken[1] = min(a, b), max(a, b)
    return np.int64(2)


@kernel(inner=True)
def adjacency_code(ordered, known, nodes):
    """Adjacency of all pairs of places, one bit each; those on the copy are known.

    Whether two nodes are adjacent is asked of the lower one: it has few higher neighbours.
    """
    code, bit = known, 1
    for i in range(4):
        for j in range(i + 1, 5):
            if known & bit == 0:
                low, high = min(nodes[i], nodes[j]), max(nodes[i], nodes[j])
                row = ordered.middle[low], ordered.indptr[low + 1]
                code |= bit * (find(ordered.indices, row[0], row[1], high) >= 0)
            bit <<= 1
    return code
