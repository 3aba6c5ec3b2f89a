"""Rows of an adjacency at transform time: which are fitted nodes, which are new ones."""

import numpy as np
import scipy.sparse as sp

from sparsekit.core import csr

__all__ = ["match_rows", "with_new_node"]


def match_rows(fitted: sp.csr_array, rows: sp.csr_array, *, values: bool = False) -> np.ndarray:
    """Find rows among fitted ones.

    Parameters
    ----------
    fitted : csr_array of shape (n_nodes, n_nodes)
        Canonical.
    rows : csr_array of shape (n_rows, n_nodes)
        Canonical.
    values : bool, default=False
        Whether stored values have to agree as well, or columns only.

    Returns
    -------
    ndarray of shape (n_rows,), int64
        Position of the first equal fitted row, -1 where there is none.
    """
    known: dict[bytes, int] = {}
    for i, key in enumerate(_keys(fitted, values)):
        known.setdefault(key, i)
    return np.array([known.get(key, -1) for key in _keys(rows, values)], dtype=np.int64)


def _keys(matrix: sp.csr_array, values: bool):
    indices = matrix.indices.astype(np.int64, copy=False)
    for lo, hi in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True):
        key = indices[lo:hi].tobytes()
        yield key + matrix.data[lo:hi].tobytes() if values else key


def with_new_node(pattern: sp.csr_array, neighbours: np.ndarray) -> sp.csr_array:
    """Pattern with one more node, the last one, adjacent to the given ones."""
    n_nodes = pattern.shape[0]
    column = sp.csr_array(
        (np.ones(len(neighbours)), (neighbours, np.zeros_like(neighbours))), shape=(n_nodes, 1)
    )
    return csr.canonical(sp.block_array([[pattern, column], [column.T, None]], format="csr"))
