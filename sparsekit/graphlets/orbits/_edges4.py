"""Edge orbits of graphlets of up to four nodes, in closed form.

Quantities are named as in the literature: d degree, t triangles on an edge, T triangles at a node,
S sum of the neighbours' degrees. Counts are of copies that need not be induced; `to_induced` turns
them into induced ones. An edge is known by its number: the upward slots of an `Ordered` graph, in
their order.
"""

import numpy as np

from sparsekit.core.jit import count_workers, kernel, run_ranges, run_workers
from sparsekit.core.ordering import Ordered, ranges_of_rows
from sparsekit.graphlets.orbits._binomials import choose2
from sparsekit.graphlets.orbits._convert import to_induced
from sparsekit.graphlets.orbits._count4 import EdgeCounts, edge_counts, node_sums

__all__ = [
    "ABOVE",
    "BELOW",
    "CLIQUES",
    "CYCLES",
    "DEGREES",
    "FROM_HIGHER",
    "FROM_LOWER",
    "TRIANGLES",
    "add_three",
    "edge_facts",
    "edge_offsets",
    "edge_orbits_four",
    "fill_four",
    "rows_of_edges",
    "sum_of_workers",
    "upward_slots",
]

# Columns of `edge_facts`, for an edge (u, v) with u < v and its common neighbours w.
DEGREES = 0  # sum of d(w)
FROM_LOWER = 1  # sum of t(u, w)
FROM_HIGHER = 2  # sum of t(v, w)
BELOW = 3  # number of w < v
ABOVE = 4  # sum over the nodes of the triangle of their neighbours above all three
TRIANGLES = 5
CLIQUES = 6  # of four nodes
CYCLES = 7  # of four nodes, induced or not


def edge_offsets(ordered: Ordered) -> np.ndarray:
    """By how much upward slots of each node exceed the numbers of their edges, int64."""
    n_higher = ordered.indptr[1:] - ordered.middle
    return ordered.middle - (np.cumsum(n_higher) - n_higher)


def upward_slots(ordered: Ordered) -> np.ndarray:
    """Slot from the lower to the higher node of each edge, in the order of edge numbers, int64."""
    n_higher = ordered.indptr[1:] - ordered.middle
    return np.arange(n_higher.sum()) + np.repeat(edge_offsets(ordered), n_higher)


@kernel
def _number_rows(ordered, offsets, nodes, ranks, cursor, rows):
    """Visit nodes in their original order: each row of the triangle receives its edges sorted."""
    indptr, middle, indices, mirrored = ordered
    for v in range(nodes.size):
        for slot in range(middle[v], indptr[v + 1]):
            cursor[min(nodes[v], nodes[indices[slot]]) + 1] += 1
    for i in range(nodes.size):
        cursor[i + 1] += cursor[i]
    for j in range(nodes.size):
        v = ranks[j]
        for slot in range(indptr[v], indptr[v + 1]):
            u = indices[slot]
            if nodes[u] < j:
                upward, lower = slot, v
                if slot < middle[v]:
                    upward, lower = np.int64(mirrored[slot]), u
                rows[upward - offsets[lower]] = cursor[nodes[u]]
                cursor[nodes[u]] += 1


def rows_of_edges(ordered: Ordered, offsets: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    """Row of each edge in a table of all edges.

    Parameters
    ----------
    ordered : Ordered
    offsets : ndarray of shape (n_nodes,), int64
        From `edge_offsets`.
    nodes : ndarray of shape (n_nodes,), int64
        Original number of each node.

    Returns
    -------
    ndarray of shape (n_edges,), int64
        The place of the edge in the sorted upper triangle of the original adjacency.
    """
    rows = np.empty(len(ordered.indices) // 2, dtype=np.int64)
    ranks = np.empty_like(nodes)
    ranks[nodes] = np.arange(len(nodes))
    cursor = np.zeros(len(nodes) + 1, dtype=np.int64)
    _number_rows(ordered, offsets, nodes, ranks, cursor, rows)
    return rows


def sum_of_workers(parts: np.ndarray) -> np.ndarray:
    """Sum of the workers' parts; the part itself if it is the only one."""
    return parts[0] if len(parts) == 1 else parts.sum(axis=0)


@kernel(inner=True)
def add_three(table, row, column, first, second, third):
    """Add to three neighbouring columns of a row."""
    table[row, column] += first
    table[row, column + 1] += second
    table[row, column + 2] += third


@kernel(inner=True)
def _add(sums, edge, degree, from_lower, from_higher, below, above):
    sums[edge, DEGREES] += degree
    sums[edge, FROM_LOWER] += from_lower
    sums[edge, FROM_HIGHER] += from_higher
    sums[edge, BELOW] += below
    sums[edge, ABOVE] += above


@kernel(inner=True)
def _add_triangle(v, u, w, vu, vw, uw, ordered, offsets, triangles, sums):
    """Add a triangle v < u < w, with its slots, to the sums of its three edges."""
    indptr, middle = ordered.indptr, ordered.middle
    above = (indptr[v + 1] - 1 - vw) + (indptr[u + 1] - 1 - uw) + indptr[w + 1] - middle[w]
    t_vu, t_vw = np.int64(triangles[vu]), np.int64(triangles[vw])
    t_uw = np.int64(triangles[uw])
    _add(sums, vu - offsets[v], indptr[w + 1] - indptr[w], t_vw, t_uw, 0, above)
    _add(sums, vw - offsets[v], indptr[u + 1] - indptr[u], t_vu, t_uw, 1, above)
    _add(sums, uw - offsets[u], indptr[v + 1] - indptr[v], t_vu, t_vw, 1, above)


@kernel
def _sum_triangles(lo, hi, worker, ordered, offsets, triangles, sums):
    indptr, middle, indices, _ = ordered
    mark = np.zeros(middle.size, np.int32)
    for v in range(lo, hi):
        first, stop = middle[v], indptr[v + 1]
        for slot in range(first, stop):
            mark[indices[slot]] = slot - first + 1
        for slot in range(first, stop):
            if triangles[slot] == 0:
                continue
            u = indices[slot]
            for across in range(middle[u], indptr[u + 1]):
                w = indices[across]
                if mark[w] > 0:
                    longest = first + mark[w] - 1
                    _add_triangle(
                        v, u, w, slot, longest, across, ordered, offsets, triangles, sums[worker]
                    )
        for slot in range(first, stop):
            mark[indices[slot]] = 0


def edge_facts(
    ordered: Ordered, offsets: np.ndarray, edges: EdgeCounts, n_jobs: int | None
) -> np.ndarray:
    """What is known of each edge and of the triangles on it.

    Parameters
    ----------
    ordered : Ordered
    offsets : ndarray of shape (n_nodes,), int64
        From `edge_offsets`.
    edges : EdgeCounts
    n_jobs : int or None

    Returns
    -------
    ndarray of shape (n_edges, 8), int64
        The columns have names: `DEGREES`, ..., `CYCLES`.
    """
    ranges = ranges_of_rows(ordered, n_jobs)
    slots = upward_slots(ordered)
    facts = np.zeros((count_workers(ranges, n_jobs), len(slots), 8), dtype=np.int64)
    for column, values in zip((TRIANGLES, CLIQUES, CYCLES), edges, strict=True):
        facts[0, :, column] = values[slots]
    run_workers(_sum_triangles, ranges, n_jobs, ordered, offsets, edges.triangles, facts)
    return sum_of_workers(facts)


@kernel
def _fill_rows(lo, hi, ordered, offsets, rows, sums, facts, counts):
    indptr, middle, indices, _ = ordered
    for v in range(lo, hi):
        d_v = indptr[v + 1] - indptr[v]
        for slot in range(middle[v], indptr[v + 1]):
            u = indices[slot]
            d_u, steps = indptr[u + 1] - indptr[u], sums[v, 0] + sums[u, 0]
            edge = slot - offsets[v]
            fact, row = facts[edge], counts[rows[edge]]
            t = fact[TRIANGLES]
            row[0], row[1] = d_v + d_u - 2, t
            row[2] = steps - 2 * (d_v + d_u - 1) - 2 * t
            row[3] = (d_v - 1) * (d_u - 1) - t
            row[4] = choose2(d_v - 1) + choose2(d_u - 1)
            row[5] = fact[CYCLES]
            row[6] = sums[v, 1] + sums[u, 1] - 2 * t
            row[7] = fact[DEGREES] - 2 * t
            row[8] = t * (d_v + d_u - 4)
            row[9] = fact[FROM_LOWER] + fact[FROM_HIGHER] - 2 * t
            row[10], row[11] = choose2(t), fact[CLIQUES]


def fill_four(
    ordered: Ordered,
    offsets: np.ndarray,
    rows: np.ndarray,
    sums: np.ndarray,
    facts: np.ndarray,
    counts: np.ndarray,
    n_jobs: int | None,
) -> None:
    """Fill the first 12 columns of `counts`, one row an edge.

    Parameters
    ----------
    ordered : Ordered
    offsets : ndarray of shape (n_nodes,), int64
        From `edge_offsets`.
    rows : ndarray of shape (n_edges,), int64
        From `rows_of_edges`.
    sums : ndarray of shape (n_nodes, 4), int64
        From `sparsekit.graphlets.orbits._count4.node_sums`.
    facts : ndarray of shape (n_edges, 8), int64
        From `edge_facts`.
    counts : ndarray of shape (n_edges, 12 or more), int64
        Written to: numbers of copies, induced or not.
    n_jobs : int or None
    """
    arrays = (ordered, offsets, rows, sums, facts, counts)
    run_ranges(_fill_rows, ranges_of_rows(ordered, n_jobs), n_jobs, *arrays)


def edge_orbits_four(
    ordered: Ordered, induced: bool, n_jobs: int | None, nodes: np.ndarray
) -> np.ndarray:
    """Count edge orbits of graphlets of up to four nodes.

    Parameters
    ----------
    ordered : Ordered
    induced : bool
    n_jobs : int or None
    nodes : ndarray of shape (n_nodes,), int64
        Original number of each node.

    Returns
    -------
    ndarray of shape (n_edges, 12), int64
        Rows in the order of the original upper triangle.
    """
    # No check of the range: counts grow with squared degrees only, which are below 2**62.
    counts = np.empty((len(ordered.indices) // 2, 12), dtype=np.int64)
    offsets = edge_offsets(ordered)
    edges = edge_counts(ordered, n_jobs)
    sums = node_sums(ordered, edges, n_jobs)
    facts = edge_facts(ordered, offsets, edges, n_jobs)
    rows = rows_of_edges(ordered, offsets, nodes)
    fill_four(ordered, offsets, rows, sums, facts, counts, n_jobs)
    if induced:
        to_induced(counts, "edge", 4, n_jobs)
    return counts
