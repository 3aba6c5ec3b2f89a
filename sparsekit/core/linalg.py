"""Inverses and determinants of M-matrices."""

from typing import NamedTuple

import numpy as np
from scipy.linalg.lapack import dgetrf, dgetri, dgetri_lwork

__all__ = ["MMatrixInverse", "invert_m_matrix"]

# Rounding leaves tiny negative entries where the inverse of an M-matrix is zero. Beside very large
# entries they may be negative for another reason, but then a diagonal entry is, or is too small.
_NEGATIVE = 1e-9
_DIAGONAL = 1e-6


class MMatrixInverse(NamedTuple):
    """Inverse of a nonsingular M-matrix.

    Attributes
    ----------
    inverse : ndarray of shape (n, n), float64
    log_determinant : float
    """

    inverse: np.ndarray
    log_determinant: float


def invert_m_matrix(
    matrix: np.ndarray, *, tolerance: float | None = None, overwrite: bool = False
) -> MMatrixInverse | None:
    """Invert a matrix with non-positive off-diagonal entries if it is a nonsingular M-matrix.

    Such a matrix is one exactly if its inverse has no negative entry [1]_; the sign of the
    determinant is no test.

    Parameters
    ----------
    matrix : ndarray of shape (n, n), float64, C-contiguous
        Only its off-diagonal entries have a sign that matters; they are not checked.
    tolerance : float, default=None
        Entries of the inverse down to ``-tolerance`` count as zero. None: 1e-9 times the largest.
    overwrite : bool, default=False
        Whether `matrix` may be overwritten with its inverse.

    Returns
    -------
    MMatrixInverse or None
        None if the matrix is singular or no M-matrix.

    References
    ----------
    .. [1] A. Berman, R. J. Plemmons: "Nonnegative Matrices in the Mathematical Sciences", SIAM
       1994, chapter 6.
    """
    if not len(matrix):
        return MMatrixInverse(np.empty((0, 0)), 0.0)
    diagonal = matrix.diagonal().copy()
    # LAPACK sees the transpose of a C-contiguous array, and returns the transpose of the inverse.
    factors, pivots, singular = dgetrf(matrix.T, overwrite_a=overwrite)
    pivot_sizes = np.abs(factors.diagonal())
    if singular or not np.isfinite(pivot_sizes).all():
        return None
    log_determinant = float(np.log(pivot_sizes).sum())
    # Without room for blocks LAPACK takes up to half as long again.
    size, _ = dgetri_lwork(len(matrix))
    transposed, failed = dgetri(factors, pivots, lwork=int(size), overwrite_lu=True)
    if failed:
        return None
    smallest = transposed.min()
    limit = _NEGATIVE * transposed.max() if tolerance is None else tolerance
    # Both are also false for NaN. The products are at least 1 for M-matrices, whatever their scale.
    products = transposed.diagonal() * diagonal
    if not (smallest >= -limit and (products >= 1.0 - _DIAGONAL).all()):
        return None
    return MMatrixInverse(transposed.T, log_determinant)
