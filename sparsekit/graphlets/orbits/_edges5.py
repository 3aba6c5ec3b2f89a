"""Edge orbits of graphlets of five nodes, in closed form.

As in `sparsekit.graphlets.orbits._count5`, every orbit has a formula for its copies, induced or
not, in a few quantities that are summed up once for all edges. This module holds the formulas that
need no more than what is known of an edge and of its two nodes; others come from sums over cycles,
cliques and pairs of nodes.
"""

from typing import NamedTuple

import numpy as np

from sparsekit.core.jit import kernel, run_ranges
from sparsekit.core.ordering import Ordered, ranges_of_rows
from sparsekit.graphlets.orbits._binomials import choose2, choose3
from sparsekit.graphlets.orbits._convert import to_induced
from sparsekit.graphlets.orbits._count4 import edge_counts, node_sums
from sparsekit.graphlets.orbits._edges4 import (
    CLIQUES,
    CYCLES,
    DEGREES,
    FROM_HIGHER,
    FROM_LOWER,
    TRIANGLES,
    edge_facts,
    edge_offsets,
    fill_four,
    rows_of_edges,
)
from sparsekit.graphlets.orbits._edges5_cliques import clique_sums
from sparsekit.graphlets.orbits._edges5_cycles import cycle_sums, fill_cycles
from sparsekit.graphlets.orbits._edges5_overflow import check_edge_range
from sparsekit.graphlets.orbits._edges5_pairs import fill_pairs, pair_sums
from sparsekit.graphlets.orbits._edges5_triangles import fill_triangles

__all__ = ["edge_orbits_five"]

# Columns that `_sum_around` fills, for a node v and its neighbours u.
_DEGREE = 0
_STEPS = 1  # sum of d(u) - 1
_TRIANGLES = 2
_CYCLES = 3
_CLIQUES = 4
_FORKS = 5  # sum of C(d(u) - 1, 2)
_WALKS = 6  # sum of the neighbours' _STEPS
_TAILS = 7  # sum of t(uv) (d(u) - 2)
_FURTHER = 8  # sum of the neighbours' _TRIANGLES
_CHORDS = 9  # sum of C(t(uv), 2)
_TIPS = 10  # diamonds in which v has degree 2
_N_COLUMNS = 11


class _Edge(NamedTuple):
    """Quantities of an edge in the direction from u to v.

    Attributes
    ----------
    t, k, c4 : int64
        Triangles, cliques and cycles of four nodes.
    degrees : int64
        Sum of d(w) over common neighbours w.
    from_u, from_v : int64
        Sum of t(uw), or t(vw), over common neighbours w.
    """

    t: np.int64
    k: np.int64
    c4: np.int64
    degrees: np.int64
    from_u: np.int64
    from_v: np.int64


@kernel
def _sum_around(lo, hi, ordered, offsets, sums, facts, around):
    indptr, middle, indices, mirrored = ordered
    for v in range(lo, hi):
        row = around[v]
        row[_DEGREE], row[_TRIANGLES] = indptr[v + 1] - indptr[v], sums[v, 1]
        row[_STEPS] = sums[v, 0] - row[_DEGREE]
        row[_CYCLES], row[_CLIQUES] = sums[v, 2], sums[v, 3]
        forks = walks = tails = further = chords = opposite = 0
        for slot in range(indptr[v], indptr[v + 1]):
            u = indices[slot]
            d_u = indptr[u + 1] - indptr[u]
            if slot < middle[v]:
                fact = facts[np.int64(mirrored[slot]) - offsets[u]]
                opposite += fact[FROM_LOWER]
            else:
                fact = facts[slot - offsets[v]]
                opposite += fact[FROM_HIGHER]
            t = fact[TRIANGLES]
            forks += choose2(d_u - 1)
            walks += sums[u, 0] - d_u
            tails += t * (d_u - 2)
            further += sums[u, 1]
            chords += choose2(t)
        row[_FORKS], row[_WALKS], row[_TAILS], row[_FURTHER] = forks, walks, tails, further
        # Each triangle v, u, w was met twice, and one of the t(uw) is v: sum of t(uw) - 1.
        row[_CHORDS], row[_TIPS] = chords, opposite // 2 - sums[v, 1]


@kernel(inner=True)
def _add_trees(row, u, v, edge):
    """Add copies of graphlets without cycle in which the edge goes from u to v."""
    t = edge.t
    d_u, d_v, steps_v = u[_DEGREE], v[_DEGREE], v[_STEPS]
    beyond = steps_v - (d_u - 1) - t  # paths from v that avoid u
    row[12] += v[_WALKS] - u[_STEPS] - (d_v - 1) * (d_v - 1) - t * (d_u - 3) - 2 * v[_TRIANGLES]
    row[12] -= edge.c4
    row[13] += (d_u - 1) * beyond - edge.degrees + 2 * t - edge.c4
    row[14] += v[_FORKS] - choose2(d_u - 1) - edge.degrees + 2 * t
    row[15] += (d_v - 2) * beyond - 2 * v[_TRIANGLES] + 2 * t
    row[16] += choose2(d_u - 1) * (d_v - 1) - t * (d_u - 2)
    row[17] += choose3(d_u - 1)


@kernel(inner=True)
def _add_one_cycle(row, u, v, edge):
    """Add copies of graphlets with one cycle in which the edge goes from u to v."""
    t, d_u, d_v, chords = edge.t, u[_DEGREE], v[_DEGREE], edge.from_u - edge.t
    row[18] += v[_TAILS] - t * (d_u - 2) - edge.degrees + 2 * t - (edge.from_v - t)
    row[19] += (d_u - 2) * (edge.degrees - 2 * t) - chords
    row[21] += v[_FURTHER] - u[_TRIANGLES] - 2 * v[_TRIANGLES] + t - chords
    row[22] += (v[_TRIANGLES] - t) * (d_u - 1) - (edge.from_v - t)
    row[24] += t * (u[_STEPS] - d_v + 2 - t) - edge.degrees + t - chords
    row[25] += (v[_TRIANGLES] - t) * (d_v - 3)
    row[27] += t * choose2(d_u - 2)
    row[29] += v[_CYCLES] - edge.c4 - choose2(t)
    row[31] += edge.c4 * (d_u - 2) - chords


@kernel(inner=True)
def _add_more_cycles(row, u, v, edge):
    """Add copies of graphlets with several cycles in which the edge goes from u to v."""
    t, d_u, d_v, chords = edge.t, u[_DEGREE], v[_DEGREE], edge.from_u - edge.t
    row[32] += v[_CHORDS] - choose2(t) - (edge.from_v - t)
    row[34] += chords * (d_u - 3)
    row[35] += choose2(t) * (d_u - 3)
    row[37] += t * (u[_TRIANGLES] - t + 1) - edge.from_u
    row[38] += v[_TIPS] - chords - edge.k
    row[40] += chords * (d_v - 2) - 2 * edge.k
    row[49] += v[_CLIQUES] - edge.k
    row[51] += edge.k * (d_u - 3)
    row[55] += (t - 1) * chords - 2 * edge.k


@kernel
def _fill_rows(lo, hi, ordered, offsets, rows, around, facts, counts):
    indptr, middle, indices, _ = ordered
    for lower in range(lo, hi):
        for slot in range(middle[lower], indptr[lower + 1]):
            edge = slot - offsets[lower]
            row, fact = counts[rows[edge]], facts[edge]
            for column in range(12, row.size):
                row[column] = 0
            t, k, c4 = fact[TRIANGLES], fact[CLIQUES], fact[CYCLES]
            u, v = around[lower], around[indices[slot]]
            from_u, from_v = fact[FROM_LOWER], fact[FROM_HIGHER]
            for _ in range(2):  # first from the lower to the higher node, then back
                directed = _Edge(t, k, c4, fact[DEGREES], from_u, from_v)
                _add_trees(row, u, v, directed)
                _add_one_cycle(row, u, v, directed)
                _add_more_cycles(row, u, v, directed)
                u, v, from_u, from_v = v, u, from_v, from_u
            row[20] = t * ((u[_DEGREE] - 2) * (v[_DEGREE] - 2) - t + 1)
            row[41] = (t - 1) * (fact[DEGREES] - 2 * t) - 2 * k
            row[46] = c4 * t - (from_u + from_v - 2 * t)
            row[48] = choose3(t)
            row[62] = k * (t - 2)


def _fill_local(ordered, offsets, rows, sums, facts, counts, n_jobs):
    """Fill the columns of this module, and clear those of the others of five nodes."""
    around = np.empty((len(sums), _N_COLUMNS), dtype=np.int64)
    ranges = ranges_of_rows(ordered, n_jobs)
    run_ranges(_sum_around, ranges, n_jobs, ordered, offsets, sums, facts, around)
    run_ranges(_fill_rows, ranges, n_jobs, ordered, offsets, rows, around, facts, counts)


def edge_orbits_five(
    ordered: Ordered, induced: bool, n_jobs: int | None, nodes: np.ndarray
) -> np.ndarray:
    """Count edge orbits of graphlets of up to five nodes.

    Parameters
    ----------
    ordered : Ordered
    induced : bool
    n_jobs : int or None
        Threads; each needs some 35 more numbers an edge at most. The result does not depend on it.
    nodes : ndarray of shape (n_nodes,), int64
        Original number of each node.

    Returns
    -------
    ndarray of shape (n_edges, 68), int64
        Rows in the order of the original upper triangle.

    Raises
    ------
    OverflowError
        If a count might not fit.
    """
    counts = np.empty((len(ordered.indices) // 2, 68), dtype=np.int64)
    offsets = edge_offsets(ordered)
    rows = rows_of_edges(ordered, offsets, nodes)
    edges = edge_counts(ordered, n_jobs)
    sums = node_sums(ordered, edges, n_jobs)
    facts = edge_facts(ordered, offsets, edges, n_jobs)
    check_edge_range(ordered, sums, facts)
    fill_four(ordered, offsets, rows, sums, facts, counts, n_jobs)
    _fill_local(ordered, offsets, rows, sums, facts, counts, n_jobs)
    # One after the other, so that the sums of only one of them are in memory.
    cycles = cycle_sums(ordered, edges.triangles, sums, n_jobs)
    fill_cycles(ordered, offsets, rows, sums, facts, cycles, counts, n_jobs)
    del cycles
    cliques = clique_sums(ordered, offsets, edges.triangles, sums, facts, n_jobs)
    fill_triangles(ordered, offsets, rows, facts, cliques, counts, n_jobs)
    del cliques
    pairs = pair_sums(ordered, offsets, edges.triangles, sums, n_jobs)
    fill_pairs(ordered, offsets, rows, facts, pairs, counts, n_jobs)
    del pairs
    if induced:
        to_induced(counts, "edge", 5, n_jobs)
    return counts
