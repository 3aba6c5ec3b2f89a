"""Kernels of the propagation: one pass over the rows computes, measures and merges a hop."""

from typing import NamedTuple

import numpy as np

from sparsekit.core.csr import CSR, weighted_row_sum
from sparsekit.core.jit import kernel


class Operator(NamedTuple):
    """P = diag(left) A diag(right).

    Attributes
    ----------
    matrix : CSR
    left : ndarray of shape (n_rows,), float64
    right : ndarray of shape (n_columns,) or (0,), float64
        Empty stands for ones.
    reach : ndarray of shape (n_rows,), float64
        Upper bounds on the row norms of P U, given the largest row norm of U.
    """

    matrix: CSR
    left: np.ndarray
    right: np.ndarray
    reach: np.ndarray


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


@kernel(reassociate=True)
def _squared_norm(row):
    total = 0.0
    for c in range(row.size):
        value = np.float64(row[c])  # squares of single precision may overflow or vanish
        total += value * value
    return total


@kernel
def _norm_without_signs(operator, i, source):
    """Norm of sum_j P_ij |source[j]|: what the row would be if nothing cancelled."""
    indptr, indices, weights = operator.matrix
    total = np.zeros(source.shape[1])
    for k in range(indptr[i], indptr[i + 1]):
        value = operator.left[i]
        if weights.size > 0:
            value = value * weights[k]
        if operator.right.size > 0:
            value = value * operator.right[indices[k]]
        for c in range(total.size):
            total[c] += abs(value * source[indices[k], c])
    return np.sqrt(_squared_norm(total))


@kernel
def hop_rows(lo, hi, operator, source, target, norms, merge):
    """Rows lo .. hi of P source: into `target` (unless empty), its norms, and the embedding.

    A row whose terms cancel up to rounding counts as zero, or normalising would blow the noise up.
    """
    matrix, left, right, reach = operator
    embedding, prior, weight, normalize = merge
    n_columns = source.shape[1]
    dtype = embedding.dtype
    narrow = dtype.type
    rounding = 4.0 * np.finfo(dtype).eps
    total = np.empty(n_columns, dtype)
    for i in range(lo, hi):
        weighted_row_sum(matrix, i, left[i], right, source, total)
        norm = np.sqrt(_squared_norm(total))
        if normalize and norm <= rounding * reach[i]:  # cheap and seldom true
            noise = rounding * _norm_without_signs(operator, i, source)
            if norm <= noise:
                norm = 0.0
                total[:] = 0
        norms[i] = norm
        if target.shape[0] > 0:
            for c in range(n_columns):
                target[i, c] = total[c]
        if embedding.shape[0] > 0:
            a = narrow(weight / norm if normalize and norm > 0 else weight)
            if prior.size > 0:
                b = narrow(prior[i])
                for c in range(n_columns):
                    embedding[i, c] = b * source[i, c] + a * total[c]
            else:
                for c in range(n_columns):
                    embedding[i, c] += a * total[c]
