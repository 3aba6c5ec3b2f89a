"""Orbit adjacency of the two ends of an induced path of four nodes: stored, and merely applied.

For nodes u and x that are not adjacent, the walks of length three between them are paths; those
that are not induced close a triangle at one end or the other, or both.
"""

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import LinearOperator

from sparsekit.core.jit import kernel
from sparsekit.core.partition import ranges_by_cost
from sparsekit.graphlets.orbits._edges4 import CYCLES
from sparsekit.graphlets.pairs._assemble import (
    Key,
    assemble,
    copy_nodes,
    finish_row,
    sorting_bits,
    sums_of_rows,
)
from sparsekit.graphlets.pairs._hop_one import EdgeTable, count_edges, triangles_of
from sparsekit.graphlets.pairs._hop_two import hop_two
from sparsekit.graphlets.pairs._two_steps import (
    EDGES,
    FARTHER,
    N_SUMS,
    NEARER,
    PATHS,
    count_steps,
    forget,
    room_for,
)

__all__ = ["HOP_THREE", "LongPaths", "hop_three"]

HOP_THREE = ((4, 4, 3),)


@kernel(inner=True)
def _reaches_many(n_seen, n_nodes, indptr, seen):
    """Whether so many nodes are reached that it is faster to look at all than to list them."""
    n_steps = 0
    for i in range(2, n_seen):
        n_steps += indptr[seen[i] + 1] - indptr[seen[i]]
    return 2 * n_steps > n_nodes


@kernel
def _count_walks(d_u, n_seen, many, indptr, indices, seen, sums, walks, reached):
    """Count induced paths of length three to each node; list the nodes unless they are many.

    Returns
    -------
    int
        Length of the list, which holds nodes with a count of 0 as well.
    """
    n_reached = 0
    for i in range(2, n_seen):
        b, n_paths = seen[i], sums[i, PATHS]
        if n_paths == 0:
            continue
        if many:
            for step in range(indptr[b], indptr[b + 1]):
                walks[indices[step]] += n_paths
            continue
        for step in range(indptr[b], indptr[b + 1]):
            x = indices[step]
            reached[n_reached] = x
            n_reached += walks[x] == 0
            walks[x] += n_paths
    for i in range(1, d_u + 2):
        walks[seen[i]] = 0  # u and its neighbours
    for i in range(d_u + 2, n_seen):
        walks[seen[i]] -= sums[i, NEARER] + sums[i, FARTHER] - 2 * sums[i, EDGES]
    return n_reached


@kernel(inner=True)
def _collect(walks, columns, values):
    """Move all counts to `values` and their nodes to `columns`, sorted; return how many."""
    n_found = 0
    for x in range(walks.size):
        columns[n_found], values[n_found] = x, walks[x]
        n_found += walks[x] != 0
        walks[x] = 0
    return n_found


@kernel
def _rows(lo, hi, indptr, indices, triangles, output):
    n_nodes, room = indptr.size - 1, room_for(lo, hi, indptr, indices)
    position = np.zeros(n_nodes, np.int32)
    seen, sums = np.empty(room, np.int32), np.empty((room, N_SUMS), np.int64)
    bits = sorting_bits(n_nodes)
    walks, reached = np.zeros(n_nodes, np.int64), np.empty(n_nodes + 1, np.int32)
    columns, values = np.empty(n_nodes, np.int32), np.empty((1, n_nodes), np.int64)
    for u in range(lo, hi):
        n_seen = count_steps(u, indptr, indices, triangles, position, seen, sums)
        d_u, many = indptr[u + 1] - indptr[u], _reaches_many(n_seen, n_nodes, indptr, seen)
        n_reached = _count_walks(d_u, n_seen, many, indptr, indices, seen, sums, walks, reached)
        if many:
            n_reached = _collect(walks, columns, values[0])
        else:
            copy_nodes(reached[:n_reached], output.writing, bits, columns)
            for j in range(n_reached):
                values[0, j], walks[columns[j]] = walks[columns[j]], 0
        finish_row(u, values, columns, n_reached, output)
        forget(seen, n_seen, position)


def hop_three(table: EdgeTable, keys: Sequence[Key], n_jobs: int | None) -> dict[Key, sp.csr_array]:
    """Orbit adjacency of the two ends of an induced path of four nodes.

    Parameters
    ----------
    table : EdgeTable
        From `count_edges` for these keys, or more.
    keys : sequence of keys
        Out of `HOP_THREE`.
    n_jobs : int or None

    Returns
    -------
    dict of key to csr_array
    """
    indptr, indices = table.indptr, table.indices
    degrees = np.diff(indptr)
    steps = sums_of_rows(indptr, degrees[indices])
    ranges = ranges_by_cost(sums_of_rows(indptr, steps[indices]) + 1, n_jobs)
    arrays = (indptr, indices, triangles_of(table))
    return assemble(_rows, HOP_THREE, keys, ranges, n_jobs, len(degrees), *arrays)


class LongPaths(LinearOperator):
    """Orbit adjacency of the two ends of an induced path of four nodes, not stored.

    Of all walks of length three, those are taken out again that return, lead to a neighbour, or are
    not induced. These are few and stored.

    Parameters
    ----------
    pattern : csr_array of shape (n_nodes, n_nodes)
        From `sparsekit.graphlets._pattern.pattern_of`.
    n_jobs : int or None
    """

    def __init__(self, pattern: sp.csr_array, n_jobs: int | None):
        super().__init__(np.float64, pattern.shape)
        self._pattern = pattern
        self._others = _walks_but_long_paths(pattern, n_jobs)

    def _matmat(self, X):
        return self._pattern @ (self._pattern @ (self._pattern @ X)) - self._others @ X

    def _matvec(self, x):
        return self._matmat(x)

    def _adjoint(self):
        return self

    def _transpose(self):
        return self


def _walks_but_long_paths(pattern: sp.csr_array, n_jobs: int | None) -> sp.csr_array:
    keys = ((9, 10, 2), (12, 12, 2))
    table = count_edges(pattern, (*keys, (8, 8, 1)), n_jobs)
    paws, diamonds = hop_two(table, keys, n_jobs).values()
    degrees = np.diff(table.indptr)
    rows = np.repeat(np.arange(len(degrees)), degrees)
    along = degrees[rows] + degrees[table.indices] - 1 + table.facts[table.fact_rows, CYCLES]
    adjacent = sp.csr_array((along, pattern.indices, pattern.indptr), shape=pattern.shape)
    closed = sums_of_rows(table.indptr, triangles_of(table))
    returning = sp.diags_array(closed.astype(np.float64), format="csr")
    return returning + adjacent + paws + paws.T + 2 * diamonds
