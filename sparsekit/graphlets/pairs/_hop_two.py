"""Orbit adjacencies of nodes at distance two inside the graphlet: they are not adjacent."""

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from sparsekit.core.jit import kernel
from sparsekit.core.partition import ranges_by_cost
from sparsekit.graphlets.orbits._binomials import pairs_of
from sparsekit.graphlets.pairs._assemble import (
    Key,
    assemble,
    copy_nodes,
    finish_row,
    sorting_bits,
    sums_of_rows,
)
from sparsekit.graphlets.pairs._hop_one import EdgeTable, triangles_of
from sparsekit.graphlets.pairs._two_steps import (
    EDGES,
    FARTHER,
    MIDDLES,
    N_SUMS,
    NEARER,
    PATHS,
    count_steps,
    forget,
    room_for,
)

__all__ = ["HOP_TWO", "hop_two"]

# In the order of the rows that `_fill_values` fills.
HOP_TWO = (
    (1, 1, 2),
    (12, 12, 2),
    (8, 8, 2),
    (9, 10, 2),
    (10, 9, 2),
    (6, 6, 2),
    (4, 5, 2),
    (5, 4, 2),
)
# Those that only paths with a step inside a triangle add to.
_DIAMONDS = (12, 12, 2)
_OF_TRIANGLES = {_DIAMONDS, (9, 10, 2), (10, 9, 2)}


@kernel(inner=True)
def _fill_values(d_u, columns, n_columns, indptr, position, sums, values):
    # `sparsekit.graphlets.factors._new_rows._further` has the same formulas for a new node u.
    for j in range(n_columns):
        w = columns[j]
        d_w = indptr[w + 1] - indptr[w]
        row = sums[position[w]]
        p, q = row[PATHS], row[EDGES]
        x8_8 = pairs_of(p) - q
        x9_10, x10_9 = row[FARTHER] - 2 * q, row[NEARER] - 2 * q
        values[0, j], values[1, j], values[2, j] = p, q, x8_8
        values[3, j], values[4, j] = x9_10, x10_9
        values[5, j] = row[MIDDLES] - x9_10 - x10_9 - 2 * q
        values[6, j] = p * (d_w - 1) - x9_10 - 2 * x8_8 - 2 * q
        values[7, j] = p * (d_u - 1) - x10_9 - 2 * x8_8 - 2 * q


@kernel
def _rows(lo, hi, indptr, indices, triangles, output):
    n_nodes, room = indptr.size - 1, room_for(lo, hi, indptr, indices)
    position = np.zeros(n_nodes, np.int32)
    seen, sums = np.empty(room, np.int32), np.empty((room, N_SUMS), np.int64)
    bits = sorting_bits(n_nodes)
    columns, values = np.empty(room, np.int32), np.empty((len(HOP_TWO), room), np.int64)
    for u in range(lo, hi):
        n_seen = count_steps(u, indptr, indices, triangles, position, seen, sums)
        d_u = indptr[u + 1] - indptr[u]
        first = d_u + 2
        copy_nodes(seen[first:n_seen], output.writing, bits, columns)
        _fill_values(d_u, columns, n_seen - first, indptr, position, sums, values)
        finish_row(u, values, columns, n_seen - first, output)
        forget(seen, n_seen, position)


def hop_two(table: EdgeTable, keys: Sequence[Key], n_jobs: int | None) -> dict[Key, sp.csr_array]:
    """Orbit adjacencies of nodes two steps apart.

    Parameters
    ----------
    table : EdgeTable
        From `count_edges` for these keys, or more.
    keys : sequence of keys
        Out of `HOP_TWO`.
    n_jobs : int or None

    Returns
    -------
    dict of key to csr_array
    """
    if not keys:
        return {}
    if not set(keys) <= _OF_TRIANGLES:
        return _from_paths(table, keys, n_jobs)
    inner = _inside_triangles(table)
    if set(keys) == {_DIAMONDS}:
        return _from_paths(inner, keys, n_jobs)
    degrees = np.diff(table.indptr)
    if 2 * np.dot(degrees, np.diff(inner.indptr)) > np.dot(degrees, degrees):
        return _from_paths(table, keys, n_jobs)  # nearly all paths have such a step
    return _from_triangles(table, inner, keys, n_jobs)


def _from_paths(table, keys, n_jobs):
    """Walk all paths of length two."""
    degrees = np.diff(table.indptr)
    ranges = ranges_by_cost(sums_of_rows(table.indptr, degrees[table.indices]) + 1, n_jobs)
    arrays = (table.indptr, table.indices, triangles_of(table))
    return assemble(_rows, HOP_TWO, keys, ranges, n_jobs, len(degrees), *arrays)


def _from_triangles(table, inner, keys, n_jobs):
    """Walk only paths with a step inside a triangle: the leaves of a hub make no pairs.

    With the adjacency A and the triangles t on the edges, A t holds for pairs that are not adjacent
    (9, 10) + 2 (12, 12).
    """
    found = _from_paths(inner, [_DIAMONDS], n_jobs)
    adjacency = _matrix_of(table, np.ones(len(table.indices), dtype=np.int64))
    paths = adjacency @ _matrix_of(inner, triangles_of(inner).astype(np.int64))
    paths.setdiag(0)
    paws = (paths - paths.multiply(adjacency) - 2 * found[_DIAMONDS]).tocsr()
    for key, matrix in (((9, 10, 2), paws), ((10, 9, 2), paws.T.tocsr())):
        matrix.eliminate_zeros()
        matrix.sort_indices()
        found[key] = matrix
    return {key: found[key] for key in keys}


def _inside_triangles(table: EdgeTable) -> EdgeTable:
    """The graph without edges that are in no triangle; its triangles and diamonds are the same."""
    kept = triangles_of(table) > 0
    indptr = np.append(0, np.cumsum(kept))[table.indptr]
    return table._replace(
        indptr=indptr, indices=table.indices[kept], fact_rows=table.fact_rows[kept]
    )


def _matrix_of(table: EdgeTable, values: np.ndarray) -> sp.csr_array:
    n_nodes, index_type = len(table.ranks), sp.get_index_dtype(maxval=len(values))
    indices, indptr = table.indices.astype(index_type), table.indptr.astype(index_type)
    return sp.csr_array((values, indices, indptr), shape=(n_nodes, n_nodes))
