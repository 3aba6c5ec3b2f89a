"""Orbit adjacencies of nodes at distance two inside the graphlet: they are not adjacent."""

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from sparsekit.core.jit import kernel
from sparsekit.graphlets.orbits._binomials import choose2
from sparsekit.graphlets.pairs._assemble import (
    assemble,
    copy_nodes,
    finish_row,
    ranges_by_cost,
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


@kernel
def _fill_values(d_u, columns, n_columns, indptr, position, sums, values):
    for j in range(n_columns):
        w = columns[j]
        d_w = indptr[w + 1] - indptr[w]
        row = sums[position[w]]
        p, q = row[PATHS], row[EDGES]
        x8_8 = choose2(p) - q
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
        copy_nodes(seen[first:n_seen], output[1], bits, columns)
        _fill_values(d_u, columns, n_seen - first, indptr, position, sums, values)
        finish_row(u, values, columns, n_seen - first, output)
        forget(seen, n_seen, position)


def hop_two(
    table: EdgeTable, keys: Sequence[tuple[int, int, int]], n_jobs: int | None
) -> dict[tuple[int, int, int], sp.csr_array]:
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
    degrees = np.diff(table.indptr)
    ranges = ranges_by_cost(sums_of_rows(table.indptr, degrees[table.indices]) + 1, n_jobs)
    arrays = (table.indptr, table.indices, triangles_of(table))
    return assemble(_rows, HOP_TWO, keys, ranges, n_jobs, len(degrees), *arrays)
