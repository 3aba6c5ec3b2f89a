"""Kernels of the propagation: one pass over the rows computes, measures and merges a hop."""

import math
from typing import NamedTuple

import numpy as np

from sparsekit.core.csr import CSR, entries_ahead, weighted_row_sum
from sparsekit.core.jit import kernel


class Hop(NamedTuple):
    """P U = diag(left) matrix diag(right) source, and when a row of it can not be trusted.

    Attributes
    ----------
    matrix : CSR
    left : ndarray of shape (n_rows,), float64
    right : ndarray of shape (n_columns,) or (0,), float64
        Empty stands for ones.
    source_norms : ndarray of shape (n_columns,), float64
        Upper bounds on the row norms of ``diag(right) source``.
    rounding : float
        A row that is smaller than its terms by this factor is rounding noise.
    doubtful_below : float
        Rows with a larger norm can be neither noise nor too small.
    smallest : float
        Size of the terms of a row below which they lose digits.
    """

    matrix: CSR
    left: np.ndarray
    right: np.ndarray
    source_norms: np.ndarray
    rounding: float
    doubtful_below: float
    smallest: float


class Merge(NamedTuple):
    """embedding[i] (+)= prior[i] source[i] + weight N(row i).

    Attributes
    ----------
    embedding : ndarray of shape (n_rows, n_components) or (0, n_components)
        Empty: nothing is merged.
    prior : ndarray of shape (n_rows,) or (0,), float64
        Empty: the hop is added to what is there; otherwise the old content is overwritten.
    weight : float
    normalize : bool
        Whether N divides a row by its Euclidean norm.
    """

    embedding: np.ndarray
    prior: np.ndarray
    weight: float
    normalize: bool


TOO_SMALL = -1.0


@kernel(reassociate=True)
def _norm(row):
    """Euclidean norm, in double precision: single-precision squares may overflow or vanish."""
    total = 0.0
    for c in range(row.size):
        value = np.float64(row[c])
        total += value * value
    return math.sqrt(total)


@kernel(inner=True)
def _size_of_terms(matrix, i, sizes):
    """Bound sum_k matrix[i, k] sizes[k] on the norm of a row: its size if nothing cancelled."""
    indptr, indices, weights = matrix
    total = 0.0
    for k in range(indptr[i], indptr[i + 1]):
        weight = weights[k] if weights.size > 0 else 1.0
        total += weight * sizes[indices[k]]
    return total


@kernel
def hop_rows(lo, hi, hop, source, target, norms, merge):
    """Rows lo .. hi of P U: into `target` (unless empty), their norms, and the embedding.

    Normalising would blow rounding errors up to full size, so a row of nothing else becomes zero.
    The norm of a row whose terms are too small to be computed with is given as `TOO_SMALL`.
    """
    matrix, left, right, source_norms, rounding, doubtful_below, smallest = hop
    embedding, prior, weight, normalize = merge
    n_columns = source.shape[1]
    narrow = embedding.dtype.type
    total = np.empty(n_columns, embedding.dtype)
    ahead = entries_ahead(source)
    for i in range(lo, hi):
        weighted_row_sum(matrix, i, left[i], right, source, ahead, total)
        norm, factor = _norm(total), 1.0
        if normalize:
            if norm <= doubtful_below:
                size = left[i] * _size_of_terms(matrix, i, source_norms)
                if norm <= rounding * size:
                    norm = 0.0
                if 0.0 < size < smallest:
                    norm = TOO_SMALL
            factor = 1.0 / norm if norm > 0 else 0.0
        norms[i] = norm
        if target.shape[0] > 0:
            kept = narrow(1.0 if factor > 0 else 0.0)
            for c in range(n_columns):
                target[i, c] = kept * total[c]
        if embedding.shape[0] > 0:
            a = narrow(weight * factor)
            if prior.size > 0:
                b = narrow(prior[i])
                for c in range(n_columns):
                    embedding[i, c] = b * source[i, c] + a * total[c]
            else:
                for c in range(n_columns):
                    embedding[i, c] += a * total[c]
