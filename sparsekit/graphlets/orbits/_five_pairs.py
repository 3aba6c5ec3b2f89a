"""Five-node copies around pairs of nodes with common neighbours.

For a pair (u, w) let p be the number of common neighbours and E the number of edges between them.
A common neighbour a is adjacent to c(a) others of them. Each pair is met once, from its higher
node u, over the paths u - a - w with w < u.
"""

import numpy as np

from sparsekit.core.bits import n_words, popcount
from sparsekit.core.jit import count_workers, kernel, run_workers
from sparsekit.core.ordering import Ordered, ranges_of_rows

__all__ = ["PAIR_COLUMNS", "pair_sums"]

_ONE = np.uint64(1)
_LOW_BITS = 63
# Words of bits a node, unless the graph itself has more neighbours a node: this bounds the memory.
_MOST_WORDS = 4

# Columns of the sums, named by the orbit that they lead to.
PAIR_COLUMNS = {36: 0, 49: 1, 50: 2, 51: 3, 62: 4, 63: 5, 64: 6, 68: 7, 69: 8}


@kernel(inner=True)
def _count_paths(u, indptr, indices, paths, seen):
    n_seen = 0
    for slot in range(indptr[u], indptr[u + 1]):
        a = indices[slot]
        for step in range(indptr[a], indptr[a + 1]):
            w = indices[step]
            if w >= u:
                break
            seen[n_seen] = w
            n_seen += paths[w] == 0
            paths[w] += 1
    return n_seen


@kernel(inner=True)
def _number_neighbours(u, indptr, indices, triangles, numbers):
    """Number those neighbours of u from 1 on that are adjacent to another; returns how many."""
    n_numbered = 0
    for slot in range(indptr[u], indptr[u + 1]):
        if triangles[slot] > 0:
            n_numbered += 1
            numbers[indices[slot]] = n_numbered
    return n_numbered


@kernel(inner=True)
def _lay_bits(u, indptr, indices, numbers, words, bits):
    """For each node w below u, lay its numbered neighbours out as bits."""
    for slot in range(indptr[u], indptr[u + 1]):
        a = indices[slot]
        number = numbers[a] - 1
        if number < 0:
            continue
        word, bit = number >> 6, _ONE << np.uint64(number & _LOW_BITS)
        for step in range(indptr[a], indptr[a + 1]):
            w = indices[step]
            if w >= u:
                break
            bits[w * words + word] |= bit


@kernel(inner=True)
def _count_by_bits(u, a, indptr, indices, numbers, words, bits, near, counts):
    """Set counts[w] to c(a) for each w below u that is adjacent to a."""
    for word in range(words):
        near[word] = 0
    for step in range(indptr[a], indptr[a + 1]):
        number = numbers[indices[step]] - 1
        if number >= 0:
            near[number >> 6] |= _ONE << np.uint64(number & _LOW_BITS)
    for step in range(indptr[a], indptr[a + 1]):
        w = indices[step]
        if w >= u:
            break
        n_common = 0
        for word in range(words):
            n_common += popcount(near[word] & bits[w * words + word])
        counts[w] = n_common


@kernel(inner=True)
def _count_by_rows(u, a, indptr, indices, numbers, common, counts):
    """Do the same, for a node u with many neighbours, from the rows of common neighbours."""
    for step in range(indptr[a], indptr[a + 1]):
        w = indices[step]
        if w >= u:
            break
        counts[w] = 0
    n_common = 0
    for step in range(indptr[a], indptr[a + 1]):
        common[n_common] = indices[step]
        n_common += numbers[indices[step]] > 0
    for i in range(n_common):
        b = common[i]
        for step in range(indptr[b], indptr[b + 1]):
            w = indices[step]
            if w >= u:
                break
            counts[w] += 1


@kernel(inner=True)
def _credit_inner_edges(u, a, indptr, indices, paths, counts, twice_inner, wheels, sums):
    """Sum c(a) and C(c(a), 2) for each w, and credit a."""
    rim = n_wheels = 0
    for step in range(indptr[a], indptr[a + 1]):
        w = indices[step]
        if w >= u:
            break
        c = np.int64(counts[w])
        if c > 0:
            twice_inner[w] += c
            wheels[w] += c * (c - 1) // 2
            n_wheels += c * (c - 1) // 2
            rim += c * (paths[w] - 2)
    sums[a, 6] += rim
    sums[a, 8] += n_wheels


@kernel(inner=True)
def _credit_ends(u, indptr, seen, n_seen, paths, twice_inner, wheels, sums):
    d_u = indptr[u + 1] - indptr[u]
    for i in range(n_seen):
        w = seen[i]
        p, inner = np.int64(paths[w]), twice_inner[w] >> 1
        if p < 2:
            continue
        pairs = p * (p - 1) // 2
        sums[u, 0] += pairs * (indptr[w + 1] - indptr[w] - 2)
        sums[w, 0] += pairs * (d_u - 2)
        triples = pairs * (p - 2) // 3
        sums[u, 2] += triples
        sums[w, 2] += triples
        sums[u, 5] += inner * (p - 2)
        sums[w, 5] += inner * (p - 2)
        sums[u, 7] += wheels[w]
        sums[w, 7] += wheels[w]


@kernel(inner=True)
def _credit_middles(u, indptr, indices, triangles, paths, twice_inner, sums):
    """Credit the common neighbours; and both ends with what depends on the edges of a path."""
    for slot in range(indptr[u], indptr[u + 1]):
        a, t = indices[slot], triangles[slot]
        twice_pairs = twice_edges = weighted = 0
        for step in range(indptr[a], indptr[a + 1]):
            w = indices[step]
            if w >= u:
                break
            others = np.int64(paths[w] - 1)
            if others > 0:
                twice_pairs += others * (others - 1)
                twice_edges += twice_inner[w]
                weighted += others * triangles[step]
                sums[w, 3] += others * t
        sums[a, 1] += twice_pairs >> 1
        sums[a, 4] += twice_edges >> 1
        sums[u, 3] += weighted


@kernel
def _sum_pairs(lo, hi, worker, ordered, triangles, most_words, sums):
    indptr, _, indices, _ = ordered
    n_nodes = indptr.size - 1
    sums = sums[worker]
    paths, seen = np.zeros(n_nodes, np.int32), np.empty(n_nodes + 1, np.uint32)
    numbers, common = np.zeros(n_nodes, np.int32), np.empty(n_nodes + 1, np.uint32)
    bits, near = np.zeros(n_nodes * most_words, np.uint64), np.empty(most_words, np.uint64)
    counts = np.zeros(n_nodes, np.int32)
    twice_inner, wheels = np.zeros(n_nodes, np.int64), np.zeros(n_nodes, np.int64)
    for u in range(lo, hi):
        if indptr[u + 1] - indptr[u] < 2:  # a leaf shares at most one neighbour with anybody
            continue
        n_seen = _count_paths(u, indptr, indices, paths, seen)
        words = n_words(_number_neighbours(u, indptr, indices, triangles, numbers))
        if words <= most_words:
            _lay_bits(u, indptr, indices, numbers, words, bits)
        for slot in range(indptr[u], indptr[u + 1]):
            a = indices[slot]
            if triangles[slot] == 0:
                continue
            if words <= most_words:
                _count_by_bits(u, a, indptr, indices, numbers, words, bits, near, counts)
            else:
                _count_by_rows(u, a, indptr, indices, numbers, common, counts)
            _credit_inner_edges(u, a, indptr, indices, paths, counts, twice_inner, wheels, sums)
        _credit_ends(u, indptr, seen, n_seen, paths, twice_inner, wheels, sums)
        _credit_middles(u, indptr, indices, triangles, paths, twice_inner, sums)
        for slot in range(indptr[u], indptr[u + 1]):
            numbers[indices[slot]] = 0
        for i in range(n_seen):
            w = seen[i]
            paths[w] = twice_inner[w] = wheels[w] = 0
            for word in range(words if words <= most_words else 0):
                bits[w * words + word] = 0


def pair_sums(
    ordered: Ordered,
    triangles: np.ndarray,
    costs: np.ndarray,
    n_jobs: int | None,
    most_words: int | None = None,
) -> np.ndarray:
    """Sum over pairs of nodes with common neighbours.

    Parameters
    ----------
    ordered : Ordered
    triangles : ndarray of shape (nnz,), int32
        By slot.
    costs : ndarray of shape (n_nodes,)
        Number of paths of length two from each node: what its row costs.
    n_jobs : int or None
    most_words : int, default=None
        How many words of bits to keep for each node. A node u with more than 64 times as many
        neighbours in triangles takes longer. By default as many as the memory of the graph allows.

    Returns
    -------
    ndarray of shape (n_nodes, 9), int64
        Columns as in `PAIR_COLUMNS`. For the node as u or w: 36 C(p, 2)(d(other) - 2), 50 C(p, 3),
        51 (p - 1) times the triangles on the farther edge, summed over paths, 63 E (p - 2),
        68 sum of C(c(a), 2). For the node as a: 49 C(p - 1, 2), 62 E, 64 c(a)(p - 2), and 69
        C(c(a), 2), which finds every wheel twice.
    """
    if most_words is None:
        most_words = max(_MOST_WORDS, len(ordered.indices) // max(1, len(ordered.middle)))
    ranges = ranges_of_rows(ordered, n_jobs, costs)
    shape = (count_workers(ranges, n_jobs), len(ordered.middle), len(PAIR_COLUMNS))
    sums = np.zeros(shape, dtype=np.int64)
    run_workers(_sum_pairs, ranges, n_jobs, ordered, triangles, most_words, sums)
    return sums.sum(axis=0)
