"""Edge orbits of graphlets that grow from triangles and cliques: sums and formulas.

The sums are over the triangles on an edge; `sparsekit.graphlets.orbits._edges5_cliques` finds these.
"""

import numpy as np

from sparsekit.core.jit import kernel, run_ranges
from sparsekit.core.ordering import Ordered, ranges_of_rows
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
# it: common neighbours, less one, of the two triangles that hold one of its ends; triangles on the
# opposite edge; and cliques of five nodes.
CLIQUE_SUMS = 14
N_SUMS = 17


@kernel
def _pairs(n):
    """Pairs out of n. Here 0 <= n < 2**31, so that nothing can go wrong, and nothing is asked."""
    return (n * (n - 1)) >> 1


@kernel
def _add_third(sums, edge, facts, first, second, towards, away, d, S, T, n_common):
    """Add what a third node, of this d, S and T, contributes to an edge.

    `first` and `second` are the edges between the third node and the ends of the edge; `towards`
    adds up triangles on edges from an end to the common neighbours of the end and the third node,
    `away` those from the third node to the same.
    """
    t_first, t_second = facts[first, TRIANGLES], facts[second, TRIANGLES]
    sums[edge, 0] += S - d
    sums[edge, 1] += _pairs(d - 2)
    sums[edge, 2] += (t_first + t_second - 2) * (d - 3)
    sums[edge, 3] += T
    sums[edge, 4] += facts[first, DEGREES] + facts[second, DEGREES]
    sums[edge, 5] += facts[first, CYCLES] + facts[second, CYCLES]
    sums[edge, 6] += _pairs(t_first - 1) + _pairs(t_second - 1)
    sums[edge, 7] += away
    sums[edge, 8] += towards
    sums[edge, 9] += t_first * t_second
    sums[edge, 10] += facts[first, CLIQUES] + facts[second, CLIQUES]
    sums[edge, 11] += n_common * (d - 3)
    sums[edge, 12] += n_common * (t_first + t_second - 4)
    sums[edge, 13] += _pairs(n_common)


@kernel
def add_triangle(v, u, w, vu, vw, uw, indptr, nodes, facts, n_common, sums):
    """Add a triangle v < u < w, with the numbers of its edges, to the sums of its edges."""
    # Of each edge of the triangle: sum of t from its lower and its higher end.
    vu_low, vu_high = facts[vu, FROM_LOWER], facts[vu, FROM_HIGHER]
    vw_low, vw_high = facts[vw, FROM_LOWER], facts[vw, FROM_HIGHER]
    uw_low, uw_high = facts[uw, FROM_LOWER], facts[uw, FROM_HIGHER]
    _add_third(
        sums, vu, facts, vw, uw, vw_low + uw_low, vw_high + uw_high,
        indptr[w + 1] - indptr[w], nodes[w, 0], nodes[w, 1], n_common,
    )  # fmt: skip
    _add_third(
        sums, vw, facts, vu, uw, vu_low + uw_high, vu_high + uw_low,
        indptr[u + 1] - indptr[u], nodes[u, 0], nodes[u, 1], n_common,
    )  # fmt: skip
    _add_third(
        sums, uw, facts, vu, vw, vu_high + vw_high, vu_low + vw_low,
        indptr[v + 1] - indptr[v], nodes[v, 0], nodes[v, 1], n_common,
    )  # fmt: skip


@kernel
def _fill_rows(lo, hi, ordered, offsets, rows, facts, sums, counts):
    indptr, middle, indices, _ = ordered
    for v in range(lo, hi):
        d_v = indptr[v + 1] - indptr[v]
        for slot in range(middle[v], indptr[v + 1]):
            u, edge = indices[slot], slot - offsets[v]
            degrees = d_v + indptr[u + 1] - indptr[u]
            fact, total, row = facts[edge], sums[edge], counts[rows[edge]]
            t, k = fact[TRIANGLES], fact[CLIQUES]
            around = fact[FROM_LOWER] + fact[FROM_HIGHER]
            row[23] = total[0] - t * (degrees - 4) - around
            row[26] = total[1]
            row[33] = total[2]
            row[36] = total[3] - around + t
            row[39] = total[4] - t * (degrees - 4) - 2 * around - 4 * k
            row[45] = total[5] - around - 2 * t * (t - 2)
            row[47] = total[6]
            row[52] = total[7] - 2 * around + 2 * t - 4 * k
            row[53] = total[8] - 2 * t * (t - 1) - around - 4 * k
            row[54] = total[9] - around + t - 2 * k
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
    sums: np.ndarray,
    counts: np.ndarray,
    n_jobs: int | None,
) -> None:
    """Fill 17 columns of `counts`, from 23 to 67; parameters as for `fill_four`.

    `sums` come from `sparsekit.graphlets.orbits._edges5_cliques.clique_sums`.
    """
    arrays = (ordered, offsets, rows, facts, sums, counts)
    run_ranges(_fill_rows, ranges_of_rows(ordered, n_jobs), n_jobs, *arrays)
