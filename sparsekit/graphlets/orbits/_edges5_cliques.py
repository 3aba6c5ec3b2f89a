"""Sums over triangles and cliques for edge orbits of five nodes.

Every triangle is visited once, from its lowest node v: its common neighbours are all among those of
v, so that one matrix of bits, with a row for each higher neighbour of v and a column for each
neighbour, shows all cliques of four and five nodes through it. The matrix is small: v has at most
as many neighbours as any higher node.
"""

from typing import NamedTuple

import numpy as np

from sparsekit.core.bits import n_words, popcount, trailing_zeros
from sparsekit.core.jit import count_workers, kernel, prefetch, run_workers
from sparsekit.core.ordering import Ordered, ranges_of_rows
from sparsekit.graphlets.orbits._edges4 import TRIANGLES, add_three, sum_of_workers
from sparsekit.graphlets.orbits._edges5_triangles import CLIQUE_SUMS, N_SUMS, add_triangle

__all__ = ["clique_sums"]

_ONE = np.uint64(1)
_LOW_BITS = 63
_AHEAD = 8  # triangles ahead of the one at hand, to hide a miss to memory


class _Local(NamedTuple):
    """The graph around a node v; all zeros, but for the last three, between two v.

    Neighbours of v go by their position in its row; higher ones also by their rank among these.

    Attributes
    ----------
    mark : ndarray of shape (n_nodes,), int32
        Position plus one.
    bits : ndarray of uint64
        Adjacency of higher neighbours (rows) to all neighbours (columns, 64 a word).
    across : ndarray of shape (.., 3), int64
        Sums for the edge from a higher neighbour (row) to a lower neighbour or to one that is
        higher than itself (column).
    along : ndarray of shape (.., 3), int64
        Sums for the edge from v to each neighbour.
    pairs : ndarray of shape (.., 3), int64
        Adjacent neighbours, the second one higher than v: rank of the second, position of the
        first, number of the edge between them. Those with both higher than v come first.
    inside : ndarray of shape (.., 2), int64
        For two higher neighbours by ranks, if adjacent: common neighbours of both and v, and
        triangles on the edge between them.
    common : ndarray of uint64
        Common neighbours of a triangle.
    """

    mark: np.ndarray
    bits: np.ndarray
    across: np.ndarray
    along: np.ndarray
    pairs: np.ndarray
    inside: np.ndarray
    common: np.ndarray


@kernel(inner=True)
def _list_pairs(v, ordered, offsets, triangles, local):
    """Fill bits and pairs; return the number of pairs of higher neighbours, and of all pairs."""
    indptr, middle, indices, mirrored = ordered
    mark, bits, pairs = local.mark, local.bits, local.pairs
    start, n_lower = indptr[v], middle[v] - indptr[v]
    words = n_words(indptr[v + 1] - start)
    n_pairs = 0
    for slot in range(middle[v], indptr[v + 1]):
        if triangles[slot] == 0:
            continue
        u = indices[slot]
        column, row = slot - start, slot - middle[v]
        for across in range(middle[u], indptr[u + 1]):
            other = mark[indices[across]] - 1
            if other >= 0:
                rank = other - n_lower
                bits[row * words + (other >> 6)] |= _ONE << np.uint64(other & _LOW_BITS)
                bits[rank * words + (column >> 6)] |= _ONE << np.uint64(column & _LOW_BITS)
                pairs[n_pairs, 0], pairs[n_pairs, 1] = rank, column
                pairs[n_pairs, 2] = across - offsets[u]
                n_pairs += 1
    n_higher = n_pairs
    if n_higher == 0:
        return 0, 0
    for column in range(n_lower):
        if triangles[start + column] == 0:
            continue
        u = indices[start + column]
        for across in range(np.int64(mirrored[start + column]) + 1, indptr[u + 1]):
            rank = mark[indices[across]] - 1 - n_lower
            if rank >= 0:
                bits[rank * words + (column >> 6)] |= _ONE << np.uint64(column & _LOW_BITS)
                pairs[n_pairs, 0], pairs[n_pairs, 1] = rank, column
                pairs[n_pairs, 2] = across - offsets[u]
                n_pairs += 1
    return n_higher, n_pairs


@kernel(inner=True)
def _intersect(i, j, words, local):
    """Common neighbours of v and its higher neighbours of ranks i and j; return their number."""
    bits, common = local.bits, local.common
    n_common = 0
    for word in range(words):
        common[word] = bits[i * words + word] & bits[j * words + word]
        n_common += popcount(common[word])
    return n_common


@kernel(inner=True)
def _visit_triangles(v, n_higher, ordered, offsets, sums, facts, local, totals):
    """Visit the triangles of which v is the lowest node; return whether any is in a clique."""
    indptr, middle, indices, _ = ordered
    n_rows, words = indptr[v + 1] - middle[v], n_words(indptr[v + 1] - indptr[v])
    any_clique = False
    first = middle[v] - offsets[v]
    for pair in range(n_higher):
        j, uw = local.pairs[pair, 0], local.pairs[pair, 2]
        i = local.pairs[pair, 1] - (middle[v] - indptr[v])
        if pair + _AHEAD < n_higher:
            prefetch(facts, local.pairs[pair + _AHEAD, 2])
            prefetch(totals, local.pairs[pair + _AHEAD, 2])
        n_common = _intersect(i, j, words, local)
        any_clique |= n_common > 0
        u, w = indices[middle[v] + i], indices[middle[v] + j]
        add_triangle(v, u, w, first + i, first + j, uw, indptr, sums, facts, n_common, totals)
        for place in (i * n_rows + j, j * n_rows + i):
            local.inside[place, 0] = n_common
            local.inside[place, 1] = facts[uw, TRIANGLES]
    return any_clique


@kernel(inner=True)
def _add_lower(i, j, degree, n_lower, excess, local):
    """Add n_common - 1 to edges between the triangle v, i, j and common neighbours below v."""
    across, along, common = local.across, local.along, local.common
    for word in range(n_words(n_lower)):
        rest = common[word]
        if (word << 6) + 64 > n_lower:
            rest &= (_ONE << np.uint64(n_lower & _LOW_BITS)) - _ONE
        while rest != 0:
            x = (word << 6) + trailing_zeros(rest)
            rest &= rest - _ONE
            along[x, 0] += excess
            across[i * degree + x, 0] += excess
            across[j * degree + x, 0] += excess


@kernel(inner=True)
def _count_fifth(row, degree, n_lower, local):
    """Count common neighbours above v of the triangle at hand and the neighbour with this row."""
    bits, common = local.bits, local.common
    word, words = n_lower >> 6, n_words(degree)
    row *= words
    above = ~((_ONE << np.uint64(n_lower & _LOW_BITS)) - _ONE)
    n_fifth = popcount(common[word] & bits[row + word] & above)
    for other in range(word + 1, words):
        n_fifth += popcount(common[other] & bits[row + other])
    return n_fifth


@kernel(inner=True)
def _add_cliques(i, j, degree, n_lower, near, facts, local):
    """Visit the cliques v, i, j, x with v < i < j < x.

    To each edge go: the numbers of common neighbours, less one, of the two triangles that hold v
    and one end of the edge; the triangles on the opposite edge; and the number of ways to a clique
    of five nodes, all others above v. `near` is the number of the first edge from v.
    """
    inside, across, along, common = local.inside, local.across, local.along, local.common
    n_rows, words = degree - n_lower, n_words(degree)
    c_ij, t_ij = inside[i * n_rows + j, 0] - 1, inside[i * n_rows + j, 1]
    t_i, t_j = facts[near + i, TRIANGLES], facts[near + j, TRIANGLES]
    over_i = over_j = opposite_i = opposite_j = opposite = n_five = 0
    first = n_lower + j + 1  # position of the next higher neighbour
    for word in range(first >> 6, words):
        rest = common[word]
        if word == first >> 6:
            rest &= ~((_ONE << np.uint64(first & _LOW_BITS)) - _ONE)
        while rest != 0:
            x = (word << 6) + trailing_zeros(rest)
            rest &= rest - _ONE
            rank = x - n_lower
            c_i, t_ix = inside[i * n_rows + rank, 0] - 1, inside[i * n_rows + rank, 1]
            c_j, t_jx = inside[j * n_rows + rank, 0] - 1, inside[j * n_rows + rank, 1]
            n_fifth = 0
            if c_ij > 0 and c_i > 0 and c_j > 0:
                n_fifth = _count_fifth(rank, degree, n_lower, local)
            over_i, over_j = over_i + c_i, over_j + c_j
            opposite_i, opposite_j = opposite_i + t_ix, opposite_j + t_jx
            opposite, n_five = opposite + facts[near + rank, TRIANGLES], n_five + n_fifth
            add_three(along, x, 0, c_ij, t_ij, n_fifth)
            add_three(across, i * degree + x, 0, c_ij + c_j, t_j, n_fifth)
            add_three(across, j * degree + x, 0, c_ij + c_i, t_i, n_fifth)
    add_three(across, i * degree + n_lower + j, 0, over_i + over_j, opposite, n_five)
    add_three(along, n_lower + i, 0, over_j, opposite_j, n_five)
    add_three(along, n_lower + j, 0, over_i, opposite_i, n_five)


@kernel(inner=True)
def _visit_cliques(v, n_higher, ordered, offsets, facts, local):
    indptr, middle, _, _ = ordered
    degree, n_lower = indptr[v + 1] - indptr[v], middle[v] - indptr[v]
    words = n_words(degree)
    near = middle[v] - offsets[v]
    for pair in range(n_higher):
        j, i = local.pairs[pair, 0], local.pairs[pair, 1] - n_lower
        n_common = local.inside[i * (degree - n_lower) + j, 0]
        if n_common > 0:
            _intersect(i, j, words, local)
            _add_lower(i, j, degree, n_lower, n_common - 1, local)
            _add_cliques(i, j, degree, n_lower, near, facts, local)


@kernel(inner=True)
def _move(source, row, n_visits, totals, edge):
    """Move sums to those of an edge, on which each clique of five was visited so often."""
    n_five = source[row, 2] // n_visits
    add_three(totals, edge, CLIQUE_SUMS, source[row, 0], source[row, 1], n_five)
    source[row, 0] = source[row, 1] = source[row, 2] = 0


@kernel(inner=True)
def _flush(v, n_higher, n_pairs, ordered, offsets, local, totals):
    """Move the sums around v to those of the edges."""
    indptr, middle, indices, mirrored = ordered
    degree, n_lower = indptr[v + 1] - indptr[v], middle[v] - indptr[v]
    for pair in range(n_pairs):
        i, x = local.pairs[pair, 0], local.pairs[pair, 1]
        if pair < n_higher:
            i, x = x - n_lower, i + n_lower
        _move(local.across, i * degree + x, 2, totals, local.pairs[pair, 2])
    for x in range(degree):
        slot = indptr[v] + x
        lower = v
        if x < n_lower:
            lower, slot = indices[slot], np.int64(mirrored[slot])
        _move(local.along, x, 3, totals, slot - offsets[lower])


@kernel
def _sum_cliques(lo, hi, worker, ordered, offsets, triangles, sums, facts, totals):
    indptr, middle, indices, _ = ordered
    most, largest, most_bits = 0, 0, 0
    for v in range(lo, hi):
        degree, n_higher = indptr[v + 1] - indptr[v], indptr[v + 1] - middle[v]
        most, largest = max(most, degree), max(largest, degree * n_higher)
        most_bits = max(most_bits, n_higher * n_words(degree))
    local = _Local(
        np.zeros(middle.size, np.int32),
        np.zeros(most_bits, np.uint64),
        np.zeros((largest, 3), np.int64),
        np.zeros((most, 3), np.int64),
        np.empty((largest, 3), np.int64),
        np.empty((largest, 2), np.int64),
        np.empty(n_words(most), np.uint64),
    )
    for v in range(lo, hi):
        n_rows = indptr[v + 1] - middle[v]
        if n_rows < 2:
            continue
        for slot in range(indptr[v], indptr[v + 1]):
            local.mark[indices[slot]] = slot - indptr[v] + 1
        n_higher, n_pairs = _list_pairs(v, ordered, offsets, triangles, local)
        for slot in range(indptr[v], indptr[v + 1]):
            local.mark[indices[slot]] = 0
        if n_higher > 0:
            own = totals[worker]
            if _visit_triangles(v, n_higher, ordered, offsets, sums, facts, local, own):
                _visit_cliques(v, n_higher, ordered, offsets, facts, local)
                _flush(v, n_higher, n_pairs, ordered, offsets, local, own)
            for word in range(n_rows * n_words(indptr[v + 1] - indptr[v])):
                local.bits[word] = 0


def clique_sums(
    ordered: Ordered,
    offsets: np.ndarray,
    triangles: np.ndarray,
    sums: np.ndarray,
    facts: np.ndarray,
    n_jobs: int | None,
) -> np.ndarray:
    """Sums over triangles and cliques on each edge, for `fill_triangles`.

    Parameters
    ----------
    ordered : Ordered
    offsets, sums, facts : ndarray
        As for `fill_four`.
    triangles : ndarray of shape (nnz,), int32
        Triangles on the edge of each slot.
    n_jobs : int or None

    Returns
    -------
    ndarray of shape (n_edges, N_SUMS), int64
        The columns are those of `sparsekit.graphlets.orbits._edges5_triangles`.
    """
    ranges = ranges_of_rows(ordered, n_jobs, sums[:, 0] + 1)
    totals = np.zeros((count_workers(ranges, n_jobs), len(facts), N_SUMS), dtype=np.int64)
    run_workers(_sum_cliques, ranges, n_jobs, ordered, offsets, triangles, sums, facts, totals)
    return sum_of_workers(totals)
