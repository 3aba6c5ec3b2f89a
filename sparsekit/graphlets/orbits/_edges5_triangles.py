"""Edge orbits of graphlets that grow from triangles and cliques: sums and formulas.

The sums are over the triangles on an edge, which `sparsekit.graphlets.orbits._edges5_cliques`
finds.
"""

import numpy as np

from sparsekit.core.jit import kernel, run_ranges
from sparsekit.core.ordering import Ordered, ranges_of_rows
from sparsekit.graphlets.orbits._binomials import pairs_of
from sparsekit.graphlets.orbits._edges4 import (
    CLIQUES,
    CYCLES,
    DEGREES,
    FROM_HIGHER,
    FROM_LOWER,
    TRIANGLES,
)

__all__ = ["CLIQUE_SUMS", "N_SUMS", "add_triangle", "fill_triangles"]

# Sums for an edge: over its triangles, and from this column on over the cliques of four nodes on
# it: common neighbours, less one, of the two triangles that hold one of its ends (for orbit 65);
# triangles on the opposite edge (for 60); and cliques of five nodes (for 67).
CLIQUE_SUMS = 14
N_SUMS = 17


@kernel(inner=True)
def _add_third(totals, edge, facts, first, second, towards, away, d, S, T, n_common):
    """Add what a third node, of this d, S and T, contributes to an edge.

    `first` and `second` are the edges between the third node and the ends of the edge; `towards`
    adds up triangles on edges from an end to the common neighbours of the end and the third node,
    `away` those from the third node to the same.
    """
    t_first, t_second = facts[first, TRIANGLES], facts[second, TRIANGLES]
    totals[edge, 0] += S - d  # for orbit 23
    totals[edge, 1] += pairs_of(d - 2)  # for orbit 26
    totals[edge, 2] += (t_first + t_second - 2) * (d - 3)  # for orbit 33
    totals[edge, 3] += T  # for orbit 36
    totals[edge, 4] += facts[first, DEGREES] + facts[second, DEGREES]  # for orbit 39
    totals[edge, 5] += facts[first, CYCLES] + facts[second, CYCLES]  # for orbit 45
    totals[edge, 6] += pairs_of(t_first - 1) + pairs_of(t_second - 1)  # for orbit 47
    totals[edge, 7] += away  # for orbit 52
    totals[edge, 8] += towards  # for orbit 53
    totals[edge, 9] += t_first * t_second  # for orbit 54
    totals[edge, 10] += facts[first, CLIQUES] + facts[second, CLIQUES]  # for orbit 59
    totals[edge, 11] += n_common * (d - 3)  # for orbit 50
    totals[edge, 12] += n_common * (t_first + t_second - 4)  # for orbit 61
    totals[edge, 13] += pairs_of(n_common)  # for orbit 66


@kernel(inner=True)
def add_triangle(v, u, w, vu, vw, uw, indptr, sums, facts, n_common, totals):
    """Add a triangle v < u < w, with the numbers of its edges, to the totals of its edges."""
    # Of each edge of the triangle: sum of t from its lower and its higher end.
    vu_low, vu_high = facts[vu, FROM_LOWER], facts[vu, FROM_HIGHER]
    vw_low, vw_high = facts[vw, FROM_LOWER], facts[vw, FROM_HIGHER]
    uw_low, uw_high = facts[uw, FROM_LOWER], facts[uw, FROM_HIGHER]
    _add_third(
        totals, vu, facts, vw, uw, vw_low + uw_low, vw_high + uw_high,
        indptr[w + 1] - indptr[w], sums[w, 0], sums[w, 1], n_common,
    )  # fmt: skip
    _add_third(
        totals, vw, facts, vu, uw, vu_low + uw_high, vu_high + uw_low,
        indptr[u + 1] - indptr[u], sums[u, 0], sums[u, 1], n_common,
    )  # fmt: skip
    _add_third(
        totals, uw, facts, vu, vw, vu_high + vw_high, vu_low + vw_low,
        indptr[v + 1] - indptr[v], sums[v, 0], sums[v, 1], n_common,
    )  # fmt: skip


@kernel
def _fill_rows(lo, hi, ordered, offsets, rows, facts, totals, counts):
    indptr, middle, indices, _ = ordered
    for v in range(lo, hi):
        d_v = indptr[v + 1] - indptr[v]
        for slot in range(middle[v], indptr[v + 1]):
            u, edge = indices[slot], slot - offsets[v]
            degrees = d_v + indptr[u + 1] - indptr[u]
            fact, total, row = facts[edge], totals[edge], counts[rows[edge]]
            t, k = fact[TRIANGLES], fact[CLIQUES]
            from_ends = fact[FROM_LOWER] + fact[FROM_HIGHER]
            row[23] = total[0] - t * (degrees - 4) - from_ends
            row[26] = total[1]
            row[33] = total[2]
            row[36] = total[3] - from_ends + t
            row[39] = total[4] - t * (degrees - 4) - 2 * from_ends - 4 * k
            row[45] = total[5] - from_ends - 2 * t * (t - 2)
            row[47] = total[6]
            row[52] = total[7] - 2 * from_ends + 2 * t - 4 * k
            row[53] = total[8] - 2 * t * (t - 1) - from_ends - 4 * k
            row[54] = total[9] - from_ends + t - 2 * k
            row[59] = total[10] - 4 * k
            row[50], row[61], row[66] = total[11], total[12], total[13]
            row[65] = total[14]
            row[60] = total[15] - 2 * k
            row[67] = total[16]


def fill_triangles(
    ordered: Ordered,
    offsets: np.ndarray,
    rows: np.ndarray,
    facts: np.ndarray,
    totals: np.ndarray,
    counts: np.ndarray,
    n_jobs: int | None,
) -> None:
    """Fill 17 columns of `counts`, from 23 to 67.

    Parameters are those of `fill_four`, and `totals` from
    `sparsekit.graphlets.orbits._edges5_cliques.clique_sums`.
    """
    arrays = (ordered, offsets, rows, facts, totals, counts)
    run_ranges(_fill_rows, ranges_of_rows(ordered, n_jobs), n_jobs, *arrays)
