"""Kernels of the propagation: one pass over the rows computes, measures and merges a hop."""

import math
from typing import NamedTuple

import numpy as np

from sparsekit.core.csr import CSR, weighted_row_sum
from sparsekit.core.jit import kernel


class Operator(NamedTuple):
    """P = diag(left) A diag(right), and when a row of P U counts as cancelled.

    Attributes
    ----------
    matrix : CSR
    left : ndarray of shape (n_rows,), float64
    right : ndarray of shape (n_columns,) or (0,), float64
        Empty stands for ones.
    source_norms : ndarray of shape (n_columns,), float64
        Row norms of U.
    doubtful_below : float
        Rows of P U with a larger norm can not have cancelled.
    """

    matrix: CSR
    left: np.ndarray
    right: np.ndarray
    source_norms: np.ndarray
    doubtful_below: float


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


# The smallest norm whose inverse single precision can hold.
_SMALLEST_NORM = 1e-38


@kernel(reassociate=True)
def _norm(row):
    """Euclidean norm, in double precision: single-precision squares may overflow or vanish."""
    total = 0.0
    for c in range(row.size):
        total += float(row[c]) * float(row[c])
    return math.sqrt(total)


@kernel
def _uncancelled_norm(operator, i):
    """Bound sum_j P_ij ||U_j|| on the norm of a row: its size if nothing cancelled."""
    indptr, indices, weights = operator.matrix
    total = 0.0
    for k in range(indptr[i], indptr[i + 1]):
        size = operator.source_norms[indices[k]]
        total += size * weights[k] if weights.size > 0 else size
    return operator.left[i] * total


@kernel
def hop_rows(lo, hi, operator, source, target, norms, merge, rounding):
    """Rows lo .. hi of P U: into `target` (unless empty), their norms, and the embedding.

    U is diag(right) source. A row whose terms cancel up to `rounding` counts as zero: normalising
    would blow rounding errors up to full size.
    """
    matrix, left, right = operator.matrix, operator.left, operator.right
    doubtful_below = operator.doubtful_below
    embedding, prior, weight, normalize = merge
    n_columns = source.shape[1]
    narrow = embedding.dtype.type
    total = np.empty(n_columns, embedding.dtype)
    for i in range(lo, hi):
        weighted_row_sum(matrix, i, left[i], right, source, total)
        norm, factor = _norm(total), 1.0
        if normalize:
            if norm <= doubtful_below and norm <= rounding * _uncancelled_norm(operator, i):
                norm = 0.0
            factor = 1.0 / norm if norm > _SMALLEST_NORM else 0.0
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
