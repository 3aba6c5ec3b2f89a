"""Orbit adjacencies of nodes that are adjacent.

Values follow in closed form from what is counted on each edge: triangles, cliques, four-cycles and
sums over triangles. Edges are counted in degree order; here they go by the number that they have
there, and rows and columns by the numbers of the nodes in the graph.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from sparsekit.core.cliques import triangles_and_cliques
from sparsekit.core.cycles import four_cycles
from sparsekit.core.jit import kernel
from sparsekit.core.ordering import Ordered, order_by_degree
from sparsekit.core.partition import ranges_by_cost
from sparsekit.graphlets.orbits._binomials import pairs_of
from sparsekit.graphlets.orbits._count4 import EdgeCounts
from sparsekit.graphlets.orbits._edges4 import (
    CLIQUES,
    CYCLES,
    DEGREES,
    FROM_HIGHER,
    FROM_LOWER,
    TRIANGLES,
    edge_facts,
    edge_offsets,
)
from sparsekit.graphlets.pairs._assemble import Key, assemble, finish_row, sums_of_rows

__all__ = ["HOP_ONE", "EdgeTable", "count_edges", "hop_one", "triangles_of"]

# In the order of the rows that `_fill_values` fills.
HOP_ONE = (
    (0, 0, 1),
    (1, 2, 1),
    (2, 1, 1),
    (3, 3, 1),
    (14, 14, 1),
    (13, 13, 1),
    (12, 13, 1),
    (13, 12, 1),
    (8, 8, 1),
    (9, 11, 1),
    (11, 9, 1),
    (10, 10, 1),
    (10, 11, 1),
    (11, 10, 1),
    (6, 7, 1),
    (7, 6, 1),
    (5, 5, 1),
    (4, 5, 1),
    (5, 4, 1),
)
_WITHOUT_TRIANGLES = {(0, 0, 1), (1, 1, 2)}
_WITH_CYCLES = {(8, 8, 1), (5, 5, 1), (4, 5, 1), (5, 4, 1)}


class EdgeTable(NamedTuple):
    """A graph in its own order, and what is known of its edges in degree order.

    Attributes
    ----------
    indptr : ndarray of shape (n_nodes + 1,), int64
    indices : ndarray of shape (nnz,), int32
    ranks : ndarray of shape (n_nodes,), int32
        Number of each node in degree order.
    fact_rows : ndarray of shape (nnz,), uint32 or int64
        Row of `facts` for each entry.
    facts : ndarray of shape (n_edges, 8), int64
        From `sparsekit.graphlets.orbits._edges4.edge_facts`; columns that are not needed are 0.
    """

    indptr: np.ndarray
    indices: np.ndarray
    ranks: np.ndarray
    fact_rows: np.ndarray
    facts: np.ndarray


@kernel
def _number_edges(ordered, offsets, nodes, ranks, own_indptr, fact_rows):
    """Visit nodes in the graph's order: each of its rows then receives its entries sorted."""
    indptr, middle, indices, mirrored = ordered
    cursor = own_indptr[:-1].copy()
    for v in range(nodes.size):
        rank = ranks[v]
        for slot in range(indptr[rank], indptr[rank + 1]):
            u, is_upward = nodes[indices[slot]], slot >= middle[rank]
            upward = slot if is_upward else mirrored[slot]
            fact_rows[cursor[u]] = upward - offsets[rank if is_upward else indices[slot]]
            cursor[u] += 1


def count_edges(pattern: sp.csr_array, keys: Sequence[Key], n_jobs: int | None) -> EdgeTable:
    """Count what these orbit adjacencies need to know of each edge.

    Parameters
    ----------
    pattern : csr_array of shape (n_nodes, n_nodes)
        From `sparsekit.graphlets._pattern.pattern_of`.
    keys : sequence of keys
        Of any hop.
    n_jobs : int or None

    Returns
    -------
    EdgeTable
    """
    ordered, nodes = order_by_degree(pattern)
    ranks = np.empty(len(nodes), dtype=np.int32)
    ranks[nodes] = np.arange(len(nodes), dtype=np.int32)
    indptr = pattern.indptr.astype(np.int64)
    indices = pattern.indices.astype(np.int32, copy=False)
    fact_rows = np.empty_like(ordered.mirrored)
    offsets = edge_offsets(ordered)
    _number_edges(ordered, offsets, nodes, ranks, indptr, fact_rows)
    facts = _facts(ordered, offsets, set(keys), n_jobs)
    return EdgeTable(indptr, indices, ranks, fact_rows, facts)


def _facts(ordered: Ordered, offsets: np.ndarray, keys: set, n_jobs: int | None) -> np.ndarray:
    if keys <= _WITHOUT_TRIANGLES:
        return np.zeros((len(ordered.indices) // 2, 8), dtype=np.int64)
    triangles, cliques = triangles_and_cliques(ordered, n_jobs)
    cycles = four_cycles(ordered, n_jobs) if keys & _WITH_CYCLES else np.zeros_like(cliques)
    return edge_facts(ordered, offsets, EdgeCounts(triangles, cliques, cycles), n_jobs)


def triangles_of(table: EdgeTable) -> np.ndarray:
    """Triangles on the edge of each entry, int32."""
    return table.facts[:, TRIANGLES].astype(np.int32)[table.fact_rows]


@kernel(inner=True)
def _fill_values(d_u, d_v, S_u, S_v, T_u, T_v, t, k, c4, at_u, at_v, degrees, values, j):
    """Values for an edge uv, in column j.

    With w their common neighbours, `at_u` is the sum of t(u, w), `at_v` that of t(v, w) and
    `degrees` that of d(w). The same formulas for a new node u are in
    `sparsekit.graphlets.factors._new_rows._hop_one`.
    """
    x13_13 = pairs_of(t) - k
    x12_13, x13_12 = at_v - t - 2 * k, at_u - t - 2 * k
    chorded = x12_13 + x13_12 + 2 * k  # squares of which uv is a side, with one chord or both
    x8_8 = c4 - chorded
    x9_11, x11_9 = T_v - t - x12_13 - k, T_u - t - x13_12 - k
    x10_10 = degrees - 2 * t - chorded
    x10_11 = t * (d_v - 2) - 2 * x13_13 - x12_13 - 2 * k
    x11_10 = t * (d_u - 2) - 2 * x13_13 - x13_12 - 2 * k
    not_paths = d_u + d_v - 1 + t + x10_10 + x8_8 + chorded
    values[0, j] = 1
    values[1, j], values[2, j] = d_v - 1 - t, d_u - 1 - t
    values[3, j], values[4, j], values[5, j] = t, k, x13_13
    values[6, j], values[7, j] = x12_13, x13_12
    values[8, j] = x8_8
    values[9, j], values[10, j] = x9_11, x11_9
    values[11, j], values[12, j], values[13, j] = x10_10, x10_11, x11_10
    values[14, j] = pairs_of(d_v - 1) - x9_11 - x10_11 - x12_13 - x13_13 - k
    values[15, j] = pairs_of(d_u - 1) - x11_9 - x11_10 - x13_12 - x13_13 - k
    values[16, j] = (d_u - 1) * (d_v - 1) - t - x8_8 - x10_11 - x11_10 - 2 * x13_13 - chorded
    values[17, j] = S_v - not_paths - 2 * x9_11 - x12_13
    values[18, j] = S_u - not_paths - 2 * x11_9 - x13_12


@kernel
def _rows(lo, hi, table, degree_sums, node_triangles, output):
    indptr, indices, ranks, fact_rows, facts = table
    most = 0
    for u in range(lo, hi):
        most = max(most, indptr[u + 1] - indptr[u])
    columns, values = np.empty(most, np.int32), np.empty((len(HOP_ONE), most), np.int64)
    for u in range(lo, hi):
        d_u = indptr[u + 1] - indptr[u]
        for j in range(d_u):
            v, fact = indices[indptr[u] + j], facts[fact_rows[indptr[u] + j]]
            at_u, at_v = fact[FROM_LOWER], fact[FROM_HIGHER]
            if ranks[u] > ranks[v]:
                at_u, at_v = at_v, at_u
            columns[j] = v
            _fill_values(
                d_u,
                indptr[v + 1] - indptr[v],
                degree_sums[u],
                degree_sums[v],
                node_triangles[u],
                node_triangles[v],
                fact[TRIANGLES],
                fact[CLIQUES],
                fact[CYCLES],
                at_u,
                at_v,
                fact[DEGREES],
                values,
                j,
            )
        finish_row(u, values, columns, d_u, output)


def hop_one(table: EdgeTable, keys: Sequence[Key], n_jobs: int | None) -> dict[Key, sp.csr_array]:
    """Orbit adjacencies of adjacent nodes.

    Parameters
    ----------
    table : EdgeTable
        From `count_edges` for these keys, or more.
    keys : sequence of keys
        Out of `HOP_ONE`.
    n_jobs : int or None

    Returns
    -------
    dict of key to csr_array
    """
    degrees = np.diff(table.indptr)
    degree_sums = sums_of_rows(table.indptr, degrees[table.indices])
    node_triangles = sums_of_rows(table.indptr, triangles_of(table)) // 2
    arrays = (table, degree_sums, node_triangles)
    ranges = ranges_by_cost(degrees + 1, n_jobs)
    return assemble(_rows, HOP_ONE, keys, ranges, n_jobs, len(degrees), *arrays)
