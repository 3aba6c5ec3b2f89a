"""Rows that new nodes would have in the orbit adjacencies, by algebra of sparse matrices.

Each new node is added to the fitted graph alone. Its rows follow in closed form from what it sees
within two steps, so that many of them cost a few sparse products, not one graph each.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from sparsekit.core.partition import split_by_cost
from sparsekit.graphlets._tables import ORBIT_PAIRS
from sparsekit.graphlets.pairs._assemble import Key

__all__ = ["batches", "new_rows"]

Rows = dict[Key, sp.csr_array]

# Entries of all matrices of a batch that are as large as the largest: some 50 MB each.
_BATCH = 2**22
# What needs no more than common neighbours, and what needs walks of three steps.
_SIMPLE = {(0, 0, 1), (1, 2, 1), (2, 1, 1), (3, 3, 1), (1, 1, 2)}
_WITH_WALKS = {(8, 8, 1), (5, 5, 1), (4, 5, 1), (5, 4, 1), (4, 4, 3)}


class _Seen(NamedTuple):
    """What new nodes x see, as matrices with one row each and a column for each fitted node.

    Those that are not needed are empty.

    Attributes
    ----------
    adjacent : csr_array
        The neighbours of x.
    degrees : ndarray of shape (n_new,)
        How many.
    paths : csr_array
        Common neighbours c of x and v.
    edges : csr_array
        Edges between them.
    middles : csr_array
        Sum over c of the degree of c, less x and v.
    nearer, farther : csr_array
        Sum over c of triangles: on the edge x - c; on the edge c - v, without x.
    walks : csr_array
        Walks of three steps from x to v that do not return to x.
    """

    adjacent: sp.csr_array
    degrees: np.ndarray
    paths: sp.csr_array
    edges: sp.csr_array
    middles: sp.csr_array
    nearer: sp.csr_array
    farther: sp.csr_array
    walks: sp.csr_array


def batches(pattern: sp.csr_array, neighbours: sp.csr_array) -> list[tuple[int, int]]:
    """Ranges of new nodes that see so few others within three steps that memory suffices."""
    near, reached = _ones(neighbours), _ones(pattern)
    degrees = reached.sum(axis=1)
    three_steps = np.minimum(near @ (reached @ degrees), pattern.shape[0])
    costs = near @ degrees + three_steps + 1
    return split_by_cost(np.append(0, np.cumsum(costs)), 1 + int(costs.sum() // _BATCH))


def new_rows(
    pattern: sp.csr_array,
    triangles: sp.csr_array,
    neighbours: sp.csr_array,
    keys: Iterable[Key] = tuple(ORBIT_PAIRS),
) -> Rows:
    """Rows of new nodes in orbit adjacencies of up to four nodes.

    Parameters
    ----------
    pattern : csr_array of shape (n_nodes, n_nodes)
        From `sparsekit.graphlets._pattern.pattern_of`.
    triangles : csr_array of shape (n_nodes, n_nodes)
        Triangles on each edge: the orbit adjacency of orbits 3 and 3.
    neighbours : csr_array of shape (n_new, n_nodes)
        Canonical; the fitted nodes that each new node is adjacent to. Values are ignored.
    keys : iterable of keys
        What is wanted; by default all.

    Returns
    -------
    dict of key (orbit of the new node, orbit of the other, hop) to csr_array of shape \
(n_new, n_nodes), int64
        They may hold zeros.
    """
    pattern, adjacent = _ones(pattern), _ones(neighbours)
    triangles = triangles.astype(np.int64)
    degrees = np.diff(pattern.indptr).astype(np.int64)
    wanted = list(keys)
    seen = _look_around(pattern, triangles, adjacent, degrees, set(wanted))
    rows: Rows = {}
    if any(hop == 1 for _, _, hop in wanted):
        rows |= _hop_one(seen, pattern, triangles, degrees)
    if any(hop > 1 for _, _, hop in wanted):
        rows |= _further(seen, degrees)
    return {key: rows[key] for key in wanted}


def _look_around(pattern, triangles, adjacent, degrees, wanted) -> _Seen:
    paths = adjacent @ pattern
    edges = middles = nearer = farther = walks = sp.csr_array(adjacent.shape, dtype=np.int64)
    if not wanted <= _SIMPLE:
        edges = _edges_between(pattern, adjacent)
        middles = _scaled(adjacent, degrees - 1) @ pattern
        nearer = paths.multiply(adjacent).tocsr() @ pattern
        farther = adjacent @ triangles
    if wanted & _WITH_WALKS:
        walks = paths @ pattern
    n_neighbours = np.diff(adjacent.indptr).astype(np.int64)
    return _Seen(adjacent, n_neighbours, paths, edges, middles, nearer, farther, walks)


def _ones(matrix):
    data = np.ones(matrix.nnz, dtype=np.int64)
    return sp.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def _scaled(matrix, columns):
    """Multiply each column by a number."""
    data = matrix.data * columns[matrix.indices]
    return sp.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def _scaled_rows(matrix, rows):
    data = matrix.data * np.repeat(rows, np.diff(matrix.indptr))
    return sp.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def _pairs(matrix):
    """Pairs out of as many as each entry says."""
    data = matrix.data * (matrix.data - 1) // 2
    return sp.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def _edges_between(pattern, adjacent):
    """Edges among the neighbours of each new node that make a triangle with each fitted node.

    One row an entry (x, c) of `adjacent`: `far` holds the neighbours of c, `near` those that are
    neighbours of x as well, under the number of their own entry.
    """
    n_entries = adjacent.nnz
    owners = np.repeat(np.arange(adjacent.shape[0]), np.diff(adjacent.indptr))
    numbered = sp.csr_array(
        (np.arange(1, n_entries + 1), adjacent.indices, adjacent.indptr), shape=adjacent.shape
    )
    far = pattern[adjacent.indices]
    near = far.multiply(numbered[owners]).tocoo()
    ones = np.ones(near.nnz, dtype=np.int64)
    near = sp.csr_array((ones, (near.row, near.data - 1)), shape=(n_entries, n_entries))
    collect = sp.csr_array(
        (np.ones(n_entries, dtype=np.int64), np.arange(n_entries), adjacent.indptr),
        shape=(adjacent.shape[0], n_entries),
    )
    twice = collect @ far.multiply(near @ far)
    return sp.csr_array((twice.data // 2, twice.indices, twice.indptr), shape=twice.shape)


def _hop_one(seen: _Seen, pattern, triangles, degrees) -> Rows:
    """Rows for neighbours v of x, named by the orbits of x and v.

    The formulas of `sparsekit.graphlets.pairs._hop_one` with x as another node of the graph.
    """
    B, d_x = seen.adjacent, seen.degrees
    paths, k, middles, nearer, farther, walks = (M.multiply(B).tocsr() for M in seen[2:])
    t = paths
    sums = pattern @ degrees
    T_v = triangles.sum(axis=1) // 2
    T_x, S_x = t.sum(axis=1) // 2, B @ (degrees + 1)
    on_13_13 = _pairs(t) - k
    on_12_13, on_13_12 = farther - 2 * k, nearer - t - 2 * k
    chords = on_12_13 + on_13_12 + 2 * k
    on_8_8 = walks - _scaled(B, degrees) - chords
    on_9_11 = _scaled(B, T_v) - on_12_13 - k
    on_11_9 = _scaled_rows(B, T_x) - t - on_13_12 - k
    on_10_10 = middles - chords
    on_10_11 = _scaled(t, degrees - 1) - 2 * on_13_13 - on_12_13 - 2 * k
    on_11_10 = _scaled_rows(t, d_x - 2) - 2 * on_13_13 - on_13_12 - 2 * k
    both = _scaled_rows(_scaled(B, degrees), d_x - 1)
    away = on_10_10 + on_8_8 + chords
    return {
        (0, 0, 1): B,
        (1, 2, 1): _scaled(B, degrees) - t,
        (2, 1, 1): _scaled_rows(B, d_x - 1) - t,
        (3, 3, 1): t,
        (14, 14, 1): k,
        (13, 13, 1): on_13_13,
        (12, 13, 1): on_12_13,
        (13, 12, 1): on_13_12,
        (8, 8, 1): on_8_8,
        (9, 11, 1): on_9_11,
        (11, 9, 1): on_11_9,
        (10, 10, 1): on_10_10,
        (10, 11, 1): on_10_11,
        (11, 10, 1): on_11_10,
        (6, 7, 1): _scaled(B, degrees * (degrees - 1) // 2)
        - (on_9_11 + on_10_11 + on_12_13 + on_13_13 + k),
        (7, 6, 1): _scaled_rows(B, (d_x - 1) * (d_x - 2) // 2)
        - (on_11_9 + on_11_10 + on_13_12 + on_13_13 + k),
        (5, 5, 1): both - (t + on_8_8 + on_10_11 + on_11_10 + 2 * on_13_13 + chords),
        (4, 5, 1): _scaled(B, sums - degrees) - (away + 2 * on_9_11 + on_12_13),
        (5, 4, 1): _scaled_rows(B, S_x - d_x)
        - (_scaled(B, degrees) + t + away + 2 * on_11_9 + on_13_12),
    }


def _further(seen: _Seen, degrees) -> Rows:
    """Rows for nodes w that are not adjacent to x, named by the orbits of x and w.

    The formulas of `sparsekit.graphlets.pairs._hop_two` and `_hop_three` with x as another node.
    """
    # Neighbours of x are left out.
    p, q, middles, nearer, farther, walks = (
        (M - M.multiply(seen.adjacent)).tocsr() for M in seen[2:]
    )
    on_8_8 = _pairs(p) - q
    on_9_10, on_10_9 = farther - 2 * q, nearer - 2 * q
    tailed = on_9_10 + on_10_9 + 2 * q
    return {
        (1, 1, 2): p,
        (12, 12, 2): q,
        (8, 8, 2): on_8_8,
        (9, 10, 2): on_9_10,
        (10, 9, 2): on_10_9,
        (6, 6, 2): middles - tailed,
        (4, 5, 2): _scaled(p, degrees - 1) - (on_9_10 + 2 * on_8_8 + 2 * q),
        (5, 4, 2): _scaled_rows(p, seen.degrees - 1) - (on_10_9 + 2 * on_8_8 + 2 * q),
        (4, 4, 3): walks - tailed,
    }
