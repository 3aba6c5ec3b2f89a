"""What a random walk of few steps sees: the matrix behind DeepWalk and LINE."""

from collections.abc import Iterator

import numpy as np
import scipy.sparse as sp

from sparsekit.core import csr

__all__ = ["MAX_NODES", "walk_matrix", "walk_rows"]

MAX_NODES = 10_000
# Walks at the same time: enough for vector instructions, few enough for the cache.
_WIDTH = 128


def walk_matrix(pattern: sp.csr_array, window: int, n_jobs: int | None) -> np.ndarray:
    """Log of how much more often than by chance a random walk meets v around u.

    Parameters
    ----------
    pattern : csr_array of shape (n_nodes, n_nodes)
        From `sparsekit.graphlets._pattern.pattern_of`.
    window : int
        Number of steps.
    n_jobs : int or None

    Returns
    -------
    ndarray of shape (n_nodes, n_nodes), float64
        Symmetric but for rounding; rows and columns of isolated nodes are 0.
    """
    matrix = np.empty(pattern.shape)
    for number, rows in enumerate(walk_rows(pattern, pattern, window, n_jobs)):
        matrix[number * _WIDTH : number * _WIDTH + len(rows)] = rows
    return matrix


def walk_rows(
    pattern: sp.csr_array, neighbours: sp.csr_array, window: int, n_jobs: int | None
) -> Iterator[np.ndarray]:
    """Rows of the same for nodes whose first step leads to their neighbours.

    Parameters
    ----------
    pattern : csr_array of shape (n_nodes, n_nodes)
    neighbours : csr_array of shape (n_rows, n_nodes)
        Values are ignored.
    window : int
    n_jobs : int or None

    Yields
    ------
    ndarray of shape (128 or fewer, n_nodes), float64
        The rows in batches.
    """
    degrees = np.diff(pattern.indptr)
    inverse = 1 / np.maximum(degrees, 1)
    steps = csr.CSR(pattern.indptr, pattern.indices, np.repeat(inverse, degrees))
    # D^-1 A D^-1 is symmetric, so that columns may walk in place of rows: the products are faster.
    lengths = np.diff(neighbours.indptr)
    shares = np.repeat(1 / np.maximum(lengths, 1), lengths) * inverse[neighbours.indices]
    first = sp.csr_array((shares, neighbours.indices, neighbours.indptr), shape=neighbours.shape)
    for lo in range(0, first.shape[0], _WIDTH):
        seen = np.ascontiguousarray(first[lo : lo + _WIDTH].toarray().T)
        total = seen.copy()
        for _ in range(window - 1):
            seen = csr.multiply(steps, seen, n_jobs)
            total += seen
        yield np.log(np.maximum(total.T * (degrees.sum() / window), 1))
