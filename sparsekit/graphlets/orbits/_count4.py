"""Node orbits of graphlets of up to four nodes, in closed form.

Quantities are named as in the literature: d degree, t triangles on an edge, T triangles at a node,
S sum of the neighbours' degrees. Counts are of copies that need not be induced; `to_induced` turns
them into induced ones.
"""

from typing import NamedTuple

import numpy as np

from sparsekit.core.cliques import triangles_and_cliques
from sparsekit.core.cycles import four_cycles, four_cycles_at_nodes
from sparsekit.core.jit import kernel, run_ranges
from sparsekit.core.ordering import Ordered, ranges_of_rows
from sparsekit.graphlets.orbits._binomials import choose2, choose3

__all__ = ["EdgeCounts", "count_four", "edge_counts", "node_sums"]


class EdgeCounts(NamedTuple):
    """What is known of each edge, by slot of an `Ordered` graph.

    Attributes
    ----------
    triangles : ndarray of shape (nnz,), int32
    cliques : ndarray of shape (nnz,), int64
        Of four nodes.
    cycles : ndarray of shape (nnz,), int64
        Of four nodes, induced or not.
    """

    triangles: np.ndarray
    cliques: np.ndarray
    cycles: np.ndarray


def edge_counts(ordered: Ordered, n_jobs: int | None) -> EdgeCounts:
    """Count triangles, cliques and cycles on each edge."""
    return EdgeCounts(*triangles_and_cliques(ordered, n_jobs), four_cycles(ordered, n_jobs))


@kernel
def _sum_rows(lo, hi, ordered, edges, sums):
    indptr, _, indices, _ = ordered
    triangles, cliques, cycles = edges
    for v in range(lo, hi):
        degree_sum = n_triangles = n_cliques = n_cycles = 0
        for slot in range(indptr[v], indptr[v + 1]):
            u = indices[slot]
            degree_sum += indptr[u + 1] - indptr[u]
            n_triangles += triangles[slot]
            n_cliques += cliques[slot]
            if cycles.size > 0:
                n_cycles += cycles[slot]
        sums[v, 0], sums[v, 1] = degree_sum, n_triangles // 2
        sums[v, 2], sums[v, 3] = n_cycles // 2, n_cliques // 3


def node_sums(ordered: Ordered, edges: EdgeCounts, n_jobs: int | None) -> np.ndarray:
    """Sum over the edges of each node.

    Parameters
    ----------
    ordered : Ordered
    edges : EdgeCounts
        Without cycles (an empty array) they are counted for the nodes alone, which is faster.
    n_jobs : int or None

    Returns
    -------
    ndarray of shape (n_nodes, 4), int64
        Sum of the neighbours' degrees, triangles, four-cycles and cliques of four nodes.
    """
    sums = np.empty((len(ordered.middle), 4), dtype=np.int64)
    ranges = ranges_of_rows(ordered, n_jobs)
    run_ranges(_sum_rows, ranges, n_jobs, ordered, edges, sums)
    if len(edges.cycles) == 0:
        sums[:, 2] = four_cycles_at_nodes(ordered, n_jobs)
    return sums


@kernel
def _fill_rows(lo, hi, ordered, nodes, triangles, sums, diamonds, counts):
    indptr, _, indices, _ = ordered
    for v in range(lo, hi):
        row = counts[nodes[v]]
        d, T = indptr[v + 1] - indptr[v], sums[v, 1]
        steps = sums[v, 0] - d  # walks of length 2 that do not return: sum of d(u) - 1
        n4 = n6 = n9 = n10 = n13 = 0
        for slot in range(indptr[v], indptr[v + 1]):
            u, t = indices[slot], np.int64(triangles[slot])
            d_u = indptr[u + 1] - indptr[u]
            n4 += sums[u, 0] - d - (d_u - 1)
            n6 += choose2(d_u - 1)
            n9 += sums[u, 1] - t
            n10 += t * (d_u - 2)
            n13 += choose2(t)
        row[0], row[1], row[2], row[3] = d, steps, choose2(d), T
        row[4], row[5] = n4 - 2 * T, (d - 1) * steps - 2 * T
        row[6], row[7], row[8] = n6, choose3(d), sums[v, 2]
        row[9], row[10], row[11] = n9, n10, T * (d - 2)
        row[12], row[13], row[14] = diamonds[v], n13, sums[v, 3]


def count_four(
    ordered: Ordered,
    nodes: np.ndarray,
    triangles: np.ndarray,
    sums: np.ndarray,
    diamonds: np.ndarray,
    counts: np.ndarray,
    n_jobs: int | None,
) -> None:
    """Fill the first 15 columns of `counts`, row ``nodes[v]`` for node v.

    Parameters
    ----------
    ordered : Ordered
    nodes : ndarray of shape (n_nodes,), int64
    triangles : ndarray of shape (nnz,), int32
        By slot.
    sums : ndarray of shape (n_nodes, 4), int64
        From `node_sums`.
    diamonds : ndarray of shape (n_nodes,), int64
        From `sparsekit.core.cliques.cliques_and_diamonds`.
    counts : ndarray of shape (n_nodes, 15 or more), int64
        Written to: numbers of copies, induced or not.
    n_jobs : int or None
    """
    arrays = (ordered, nodes, triangles, sums, diamonds, counts)
    run_ranges(_fill_rows, ranges_of_rows(ordered, n_jobs), n_jobs, *arrays)
