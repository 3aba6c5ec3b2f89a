"""Five-node copies around cliques of four nodes, by bit matrices of neighbourhoods.

For a triangle abc let com be the set of nodes adjacent to all three. Every triangle is met once,
from its lowest node a, with the members of com as bits over the neighbours of a.
"""

import numpy as np

from sparsekit.core.bits import n_words, popcount, trailing_zeros
from sparsekit.core.jit import count_workers, kernel, run_workers
from sparsekit.core.ordering import Ordered, ranges_of_rows
from sparsekit.graphlets.orbits._count4 import EdgeCounts

__all__ = ["CLIQUE_COLUMNS", "clique_sums"]

# Columns of the sums, named by the orbit that they lead to.
CLIQUE_COLUMNS = {66: 0, 70: 1, 71: 2, 72: 3}

_ONE, _ALL = np.uint64(1), np.uint64(0xFFFFFFFFFFFFFFFF)
_LOW_BITS = 63


@kernel(inner=True)
def _build_bits(a, indptr, middle, indices, triangles, mark, bits, words, found):
    """Lay the neighbourhoods of a's higher neighbours over the neighbours of a.

    Neighbours of a go by their position in its row; rows of bits exist for the higher ones alone.
    Lists the adjacent pairs of higher neighbours with the slot between them and returns how many.
    """
    start, first = indptr[a], middle[a]
    n_found = 0
    for slot in range(start, indptr[a + 1]):
        mark[indices[slot]] = slot - start + 1
    for slot in range(first, indptr[a + 1]):
        if triangles[slot] < 2:  # on no clique
            continue
        b, row = indices[slot], (slot - first) * words
        for word in range(words):
            bits[row + word] = 0
        for across in range(indptr[b], indptr[b + 1]):
            j = mark[indices[across]] - 1
            if j >= 0:
                bits[row + (j >> 6)] |= _ONE << np.uint64(j & _LOW_BITS)
                if across >= middle[b] and triangles[start + j] >= 2:
                    found[n_found, 0], found[n_found, 1] = slot, start + j
                    found[n_found, 2] = across
                    n_found += 1
    for slot in range(start, indptr[a + 1]):
        mark[indices[slot]] = 0
    return n_found


@kernel(inner=True)
def _credit_members(common, words, start, indices, amount, sums):
    """Add an amount to every member of a set."""
    for word in range(words):
        members = common[word]
        while members != 0:
            d = indices[start + (word << 6) + trailing_zeros(members)]
            sums[d, 1] += amount
            members &= members - _ONE


@kernel(inner=True)
def _close_cliques(common, words, start, first_higher, position, bits, indices, sums):
    """Find the cliques of five with lowest nodes a, b and c, the last at a position of the row.

    Credits the two highest nodes of each, which are adjacent members of com above c, and returns
    how many there are.
    """
    first = position >> 6
    above = _ALL << np.uint64(position & _LOW_BITS)
    above ^= _ONE << np.uint64(position & _LOW_BITS)
    twice = 0
    for word in range(first, words):
        members = common[word]
        if word == first:
            members &= above
        while members != 0:
            d = (word << 6) + trailing_zeros(members)
            row = (d - first_higher) * words
            n_adjacent = popcount(bits[row + first] & common[first] & above)
            for other in range(first + 1, words):
                n_adjacent += popcount(bits[row + other] & common[other])
            sums[indices[start + d], 3] += n_adjacent
            twice += n_adjacent
            members &= members - _ONE
    return twice >> 1


@kernel(inner=True)
def _credit_triangle(a, b, c, ab, ac, bc, n_common, n_cliques, triangles, sums):
    pairs = n_common * (n_common - 1) // 2
    sums[a, 0] += n_common * (triangles[bc] - 2)
    sums[b, 0] += n_common * (triangles[ac] - 2)
    sums[c, 0] += n_common * (triangles[ab] - 2)
    sums[a, 2] += pairs
    sums[b, 2] += pairs
    sums[c, 2] += pairs
    sums[a, 3] += n_cliques
    sums[b, 3] += n_cliques
    sums[c, 3] += n_cliques


@kernel
def _sum_cliques(lo, hi, worker, ordered, edges, sums):
    indptr, middle, indices, _ = ordered
    triangles, cliques, _ = edges
    sums = sums[worker]
    most_higher = most_words = most_bits = 0
    for a in range(lo, hi):
        n_higher, words = indptr[a + 1] - middle[a], n_words(indptr[a + 1] - indptr[a])
        most_higher, most_words = max(most_higher, n_higher), max(most_words, words)
        most_bits = max(most_bits, n_higher * words)
    mark = np.zeros(middle.size, np.int32)
    bits, common = np.empty(most_bits, np.uint64), np.empty(most_words, np.uint64)
    found = np.empty((most_higher * (most_higher - 1) // 2, 3), np.int64)
    for a in range(lo, hi):
        start, n_cliques = indptr[a], 0
        for slot in range(middle[a], indptr[a + 1]):
            n_cliques += cliques[slot]
        if n_cliques == 0:
            continue
        words = n_words(indptr[a + 1] - start)
        n_found = _build_bits(a, indptr, middle, indices, triangles, mark, bits, words, found)
        for pair in range(n_found):
            ab, ac, bc = found[pair, 0], found[pair, 1], found[pair, 2]
            n_common, left, right = 0, (ab - middle[a]) * words, (ac - middle[a]) * words
            for word in range(words):
                common[word] = bits[left + word] & bits[right + word]
                n_common += popcount(common[word])
            if n_common == 0:
                continue
            n_five = 0
            if n_common > 1:
                _credit_members(common, words, start, indices, n_common - 1, sums)
                n_five = _close_cliques(
                    common, words, start, middle[a] - start, ac - start, bits, indices, sums
                )
            b, c = indices[ab], indices[ac]
            _credit_triangle(a, b, c, ab, ac, bc, n_common, n_five, triangles, sums)


def clique_sums(ordered: Ordered, edges: EdgeCounts, n_jobs: int | None) -> np.ndarray:
    """Sum over cliques of four nodes.

    Parameters
    ----------
    ordered : Ordered
    edges : EdgeCounts
    n_jobs : int or None

    Returns
    -------
    ndarray of shape (n_nodes, 4), int64
        Columns as in `CLIQUE_COLUMNS`, with k(abc) the size of com: 66 sum over triangles xab of
        k(xab)(t(ab) - 2), 71 of C(k(xab), 2), 70 sum over cliques xabc of k(abc) - 1, 72 the
        cliques of five nodes.
    """
    ranges = ranges_of_rows(ordered, n_jobs)
    shape = (count_workers(ranges, n_jobs), len(ordered.middle), len(CLIQUE_COLUMNS))
    sums = np.zeros(shape, dtype=np.int64)
    run_workers(_sum_cliques, ranges, n_jobs, ordered, edges, sums)
    return sums.sum(axis=0)
