"""Node orbits of graphlets of five nodes, in closed form.

Quantities are named as in `sparsekit.graphlets.orbits._count4`; in addition k are the cliques of
four nodes on an edge, C4 and K4 four-cycles and cliques at a node, g the sum of d(u) - 1 over the
neighbours, D12 and D13 the copies of orbits 12 and 13. Counts are of copies that need not be
induced.
"""

from collections.abc import Callable

import numpy as np

from sparsekit.core.jit import kernel, run_ranges
from sparsekit.core.ordering import Ordered, ranges_of_rows
from sparsekit.graphlets.orbits._binomials import choose2, choose3, choose4
from sparsekit.graphlets.orbits._count4 import EdgeCounts
from sparsekit.graphlets.orbits._five_cliques import CLIQUE_COLUMNS, clique_sums
from sparsekit.graphlets.orbits._five_cycles import five_cycles
from sparsekit.graphlets.orbits._five_pairs import PAIR_COLUMNS, pair_sums
from sparsekit.graphlets.orbits._five_triangles import (
    BOOKS,
    CLIQUES,
    CYCLES,
    DEGREES,
    ENDS,
    FANS,
    PAGES,
    SIDES,
    STRIPS,
    triangle_sums,
)

__all__ = ["count_five"]

# Columns of `sums`, from `node_sums`.
_S, _T, _C4, _K4 = 0, 1, 2, 3
# Columns of `around`: sums over the neighbours b of g(b), C(d(b) - 1, 2), t (d(b) - 2), T(b), and
# C(t, 2). They can be had from counts of four nodes, too, but lie closer together here.
_ONWARD, _FORKS, _TAILS, _CORNERS, _D13 = 0, 1, 2, 3, 4


@kernel
def _sum_around(lo, hi, ordered, edges, sums, around):
    indptr, _, indices, _ = ordered
    triangles = edges.triangles
    for v in range(lo, hi):
        onward = forks = tails = corners = diamonds = 0
        for slot in range(indptr[v], indptr[v + 1]):
            b, t = indices[slot], np.int64(triangles[slot])
            d_b = indptr[b + 1] - indptr[b]
            onward += sums[b, _S] - d_b
            forks += choose2(d_b - 1)
            tails += t * (d_b - 2)
            corners += sums[b, _T]
            diamonds += choose2(t)
        around[v, _ONWARD], around[v, _FORKS], around[v, _TAILS] = onward, forks, tails
        around[v, _CORNERS], around[v, _D13] = corners, diamonds


@kernel
def _fill_trees(lo, hi, ordered, nodes, edges, sums, around, counts):
    """Orbits 15 to 23; `counts` holds the copies of up to four nodes."""
    indptr, _, indices, _ = ordered
    triangles = edges.triangles
    for x in range(lo, hi):
        row = counts[nodes[x]]
        D, T, C4 = indptr[x + 1] - indptr[x], sums[x, _T], sums[x, _C4]
        g = sums[x, _S] - D
        n15 = n17 = n18 = n19 = n20 = n22 = earlier = 0
        for slot in range(indptr[x], indptr[x + 1]):
            u, t = indices[slot], np.int64(triangles[slot])
            d = indptr[u + 1] - indptr[u]
            g_u = sums[u, _S] - d
            n15 += around[u, _ONWARD] - g - (d - 1) * (d - 1) - (2 * sums[u, _T] - t)
            n17 += earlier * (d - 1) - t * (d - 1)
            earlier += d - 1
            n18 += around[u, _FORKS] - choose2(D - 1)
            n19 += (d - 2) * (g_u - (D - 1) - t) - 2 * sums[u, _T] + 2 * t
            n20 += (D - 1) * choose2(d - 1) - t * (d - 2)
            n22 += choose3(d - 1)
        row[15] = n15 - 2 * C4 - 2 * T * (D - 2)
        row[16] = (D - 1) * row[4] - row[10] - 2 * C4
        row[17] = n17 + T - C4
        row[18], row[19], row[20] = n18 - row[10], n19, n20
        row[21] = choose2(D - 1) * g - 2 * T * (D - 2)
        row[22], row[23] = n22, choose4(D)


@kernel
def _fill_one_cycle(lo, hi, ordered, nodes, edges, sums, around, corners, counts):
    """Orbits 24 to 33, 35, 37 and 38: graphlets with one cycle, of three or four nodes."""
    indptr, _, indices, _ = ordered
    triangles, _, cycles = edges
    for x in range(lo, hi):
        row = counts[nodes[x]]
        D, T, C4 = indptr[x + 1] - indptr[x], sums[x, _T], sums[x, _C4]
        D12, D13 = row[12], row[13]
        n24 = n26 = n27 = n28 = n29 = n30 = n31 = n32 = n35 = n37 = degree_sum = 0
        for slot in range(indptr[x], indptr[x + 1]):
            u, t = indices[slot], np.int64(triangles[slot])
            d = indptr[u + 1] - indptr[u]
            T_u, beyond = sums[u, _T], sums[u, _T] - t  # triangles at u, and those without x
            n24 += around[u, _TAILS] - t * (D - 2)
            n26 += t * ((D - 2) * (d - 2) - t + 1)
            n27 += around[u, _CORNERS] - T - (2 * T_u - t) - t * (t - 1)
            n28 += beyond * (D - 1)
            n29 += t * (sums[u, _S] - d - D + 1) - t * (t - 1)
            n30 += (T - t) * (d - 1) - t * (t - 1)
            n31 += beyond * (d - 3)
            n32 += t * choose2(d - 2)
            n35 += sums[u, _C4] - cycles[slot] - choose2(t)
            n37 += cycles[slot] * (d - 2)
            degree_sum += t * d
        # Over triangles xab: sum of d(a) + d(b) + 2 (t(ab) - 1)
        ends = degree_sum + 2 * D12
        row[24], row[25] = n24 - ends + 4 * T, corners[x, ENDS] - D12
        row[26], row[27], row[28] = n26, n27, n28 - 2 * D12
        row[29], row[30] = n29 - ends + 2 * T, n30
        row[31], row[32], row[33] = n31, n32, T * choose2(D - 2)
        row[35], row[37], row[38] = n35, n37 - 2 * D12, C4 * (D - 2) - D13


@kernel
def _fill_dense(lo, hi, ordered, nodes, edges, sums, around, per_edge, corners, counts):
    """Orbits 39 to 48, 52 to 61, 65 and 67: graphlets of triangles and cliques.

    Reads column 12 of other rows, which nobody writes to any more.
    """
    indptr, _, indices, _ = ordered
    triangles, cliques, cycles = edges
    degrees, sides = per_edge
    for x in range(lo, hi):
        row = counts[nodes[x]]
        D, T, K4 = indptr[x + 1] - indptr[x], sums[x, _T], sums[x, _K4]
        D12, D13 = row[12], row[13]
        n39 = n41 = n43 = n45 = n48 = n53 = n55 = n56 = n57 = n67 = squares = 0
        for slot in range(indptr[x], indptr[x + 1]):
            u, t, k = indices[slot], np.int64(triangles[slot]), cliques[slot]
            d = indptr[u + 1] - indptr[u]
            n39 += around[u, _D13] - choose2(t)
            n41 += choose2(t) * (d - 3)
            n43 += t * (sums[u, _T] - t)
            n45 += counts[nodes[u], 12] - t * (t - 1) - k
            n48 += (t - 1) * (degrees[slot] - 2 * t) - 2 * k
            n53 += t * cycles[slot] - sides[slot] + 2 * t
            n55 += choose3(t)
            n56 += sums[u, _K4] - k
            n57 += k * (d - 3)
            n67 += k * (t - 2)
            squares += t * t
        row[39], row[40], row[41], row[42] = n39 - 2 * D12, corners[x, FANS], n41, D13 * (D - 3)
        row[43], row[44] = n43 - 2 * D12, choose2(T) - D13
        row[45], row[46] = n45, corners[x, DEGREES] - T * D - 2 * D12 - 3 * K4
        row[47], row[48] = D12 * (D - 2) - 3 * K4, n48
        row[52], row[53] = corners[x, CYCLES] - squares + 2 * T, n53
        row[54], row[55], row[56], row[57], row[58] = corners[x, PAGES], n55, n56, n57, K4 * (D - 3)
        row[59] = corners[x, SIDES] - 2 * D12 - squares - 6 * K4
        row[60], row[61] = corners[x, STRIPS] - 6 * K4, corners[x, BOOKS] - 3 * K4
        row[65], row[67] = corners[x, CLIQUES] - 3 * K4, n67


def count_five(
    ordered: Ordered,
    nodes: np.ndarray,
    edges: EdgeCounts,
    sums: np.ndarray,
    counts: np.ndarray,
    n_jobs: int | None,
    stage: Callable,
) -> None:
    """Fill columns 15 to 72 of `counts`, row ``nodes[v]`` for node v.

    Parameters
    ----------
    ordered : Ordered
    nodes : ndarray of shape (n_nodes,), int64
    edges : EdgeCounts
    sums : ndarray of shape (n_nodes, 4), int64
        From `node_sums`.
    counts : ndarray of shape (n_nodes, 73), int64
        Its first 15 columns hold numbers of copies; the others are written to.
    n_jobs : int or None
    stage : callable
        As for `sparsekit.graphlets._counts.count_pattern`.
    """
    around = np.empty((len(nodes), 5), dtype=np.int64)
    rows = ranges_of_rows(ordered, n_jobs)
    known = (ordered, nodes, edges, sums, around)
    with stage("triangles"):
        run_ranges(_sum_around, rows, n_jobs, ordered, edges, sums, around)
        degrees, sides, corners = triangle_sums(ordered, edges, n_jobs)
        run_ranges(_fill_trees, rows, n_jobs, *known, counts)
        run_ranges(_fill_one_cycle, rows, n_jobs, *known, corners, counts)
        run_ranges(_fill_dense, rows, n_jobs, *known, (degrees, sides), corners, counts)
    with stage("cycles"):
        counts[nodes, 34] = five_cycles(ordered, edges.triangles, n_jobs)
    with stage("cliques"):
        _fill_from_cliques(counts, nodes, clique_sums(ordered, edges, n_jobs))
    with stage("pairs"):
        pairs = pair_sums(ordered, edges.triangles, sums[:, 0], n_jobs)
        _fill_from_pairs(counts, nodes, pairs)


def _fill_from_cliques(counts: np.ndarray, nodes: np.ndarray, cliques: np.ndarray) -> None:
    for orbit, column in CLIQUE_COLUMNS.items():
        counts[nodes, orbit] = cliques[:, column]


def _fill_from_pairs(counts: np.ndarray, nodes: np.ndarray, pairs: np.ndarray) -> None:
    for orbit, column in PAIR_COLUMNS.items():
        counts[nodes, orbit] = pairs[:, column]
    counts[:, 36] -= counts[:, 13]
    counts[:, 51] -= 2 * (counts[:, 12] + counts[:, 13])
    counts[:, 62] -= counts[:, 13]
    counts[:, 69] //= 2
