"""Truncated singular value decompositions that are exact and deterministic.

Sparse matrices stay sparse beyond a few hundred rows, unless a third of all directions is wanted.
"""

from inspect import signature
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import ArpackError, ArpackNoConvergence, LinearOperator, eigsh
from sklearn.utils.extmath import svd_flip

__all__ = ["Factors", "truncated_svd"]

# Up to so many rows LAPACK takes less than a second, also if there are 27 times as many columns.
_SMALL = 512
# Of a dense matrix all eigenvectors take no longer than a few, up to so many rows, and Lanczos
# crawls where eigenvalues lie close together, as on paths and road networks.
_SMALL_DENSE = 3000
# Lanczos steps come in blocks that are larger than what is asked for; beyond this share of all
# directions a dense decomposition of the (n_rows, n_rows) product is cheaper.
_LANCZOS_SHARE = 1 / 3
# Directions come from squares of singular values: below the root of the precision they are noise.
_RANK_TOLERANCE = 1e-7
# A direction counts as overlooked if its eigenvalue exceeds the smallest one kept by this share. To
# look for one, so many Lanczos steps are taken before a restart.
_OVERLOOKED = 1e-5
_NOTHING = 1e-13  # eigenvalues, relative to the largest, that are rounding
_WIDE = 64
# Since version 1.17 scipy draws ARPACK's restarts from a generator, before that from a fixed seed.
_HAS_GENERATOR = "rng" in signature(eigsh).parameters


class Factors(NamedTuple):
    """Leading singular triplets, V ~ left @ diag(values) @ right.T.

    Attributes
    ----------
    left : ndarray of shape (n_rows, n_components)
    values : ndarray of shape (n_components,)
        Decreasing. Where V has no such rank the value and both vectors are 0.
    right : ndarray of shape (n_columns, n_components)
    """

    left: np.ndarray
    values: np.ndarray
    right: np.ndarray


def truncated_svd(
    matrix: Any, n_components: int, random: np.random.RandomState, *, symmetric: bool = False
) -> Factors:
    """Leading singular values and vectors of a matrix with at most as many rows as columns.

    Parameters
    ----------
    matrix : csr_array or ndarray of shape (n_rows, n_columns)
    n_components : int
        At most n_rows.
    random : RandomState
        Draws the vectors that Lanczos starts from; the result depends on them by rounding only,
        unless singular values coincide.
    symmetric : bool, default=False
        Whether the matrix is its own transpose, which halves the work.

    Returns
    -------
    Factors
        In the largest entry of each left vector the sign is positive.
    """
    n_rows, n_columns = matrix.shape
    if not np.any(matrix.data if sp.issparse(matrix) else matrix):
        shapes = (n_rows, n_components), n_components, (n_columns, n_components)
        return Factors(*map(np.zeros, shapes))
    # Nodes without entries are exact zeros; Lanczos would find them again and again.
    filled = np.flatnonzero(abs(matrix).sum(axis=1))
    part = matrix[filled][:, filled] if symmetric else matrix[filled]
    n_found = min(n_components, len(filled))
    found = _decompose(part, n_found, random, symmetric)
    left, values, right = _padded(found, filled, matrix.shape, n_components, symmetric)
    left, transposed = svd_flip(left, right.T)
    right = transposed.T
    rank = int(np.count_nonzero(values > _RANK_TOLERANCE * values[0]))
    left[:, rank:], values[rank:], right[:, rank:] = 0, 0, 0
    return Factors(left, values, right)


def _padded(found, filled, shape, n_components, symmetric):
    """Put rows and columns of zeros back, and components of zeros behind."""
    n_found = len(found[1])
    left, values = np.zeros((shape[0], n_components)), np.zeros(n_components)
    right = np.zeros((shape[1], n_components))
    left[filled, :n_found], values[:n_found] = found[0], found[1]
    right[filled if symmetric else slice(None), :n_found] = found[2]
    return left, values, right


def _decompose(matrix, n_components, random, symmetric):
    n_rows = matrix.shape[0]
    if n_rows <= _SMALL:
        u, s, wt = np.linalg.svd(_dense(matrix), full_matrices=False)
        return u[:, :n_components], s[:n_components], wt[:n_components].T
    small = not sp.issparse(matrix) and n_rows <= _SMALL_DENSE
    if small or n_components > _LANCZOS_SHARE * n_rows:
        square = _dense(matrix if symmetric else matrix @ matrix.T)
        left = _largest(*np.linalg.eigh(square), n_components)[1]
    else:
        left = _leading_subspace(_operator(matrix, symmetric), n_components, random)
    right = matrix.T @ left
    values = np.linalg.norm(right, axis=0)  # more precise than roots of eigenvalues
    order = np.argsort(-values, kind="stable")
    left, values, right = left[:, order], values[order], right[:, order]
    right /= np.maximum(values, np.finfo(np.float64).tiny)
    return left, values, right


def _largest(values, vectors, n_components):
    """Pairs of largest modulus, in decreasing order."""
    kept = np.argsort(-np.abs(values), kind="stable")[:n_components]
    return values[kept], vectors[:, kept]


def _dense(matrix):
    return matrix.toarray() if sp.issparse(matrix) else matrix


def _operator(matrix, symmetric) -> LinearOperator:
    """Symmetric operator whose eigenvectors are the left singular vectors."""
    n_rows, transposed = matrix.shape[0], matrix.T
    multiply = matrix.__matmul__ if symmetric else lambda x: matrix @ (transposed @ x)
    return LinearOperator((n_rows, n_rows), matvec=multiply, matmat=multiply, dtype=np.float64)


def _leading_subspace(operator, n_components, random):
    """Orthonormal basis for the eigenvalues of largest modulus.

    Lanczos sees one vector of each eigenspace and further ones by rounding alone. It may end
    before it has seen all of them, as on graphs with many equal components. So what it has found is
    taken out, and as long as the rest has a larger eigenvalue than was kept, both are merged.
    """
    values, basis = _lanczos(operator, n_components, random)
    n_more = min(n_components, 8)
    while True:
        rest = _without(operator, basis)
        largest = np.abs(_lanczos(rest, 1, random, ncv=_WIDE, tol=_OVERLOOKED)[0]).max(initial=0)
        least = _NOTHING * np.abs(values).max(initial=0)
        if len(values) == n_components:
            least = max(least, np.abs(values).min())
        if largest <= (1 + _OVERLOOKED) * least:
            return basis
        vectors = _lanczos(rest, n_more, random)[1]
        if vectors.shape[1] == 0:
            return basis
        joint, _ = np.linalg.qr(np.hstack((basis, vectors)))
        inside = joint.T @ operator.matmat(joint)
        eigenpairs = np.linalg.eigh((inside + inside.T) / 2)
        values, rotation = _largest(*eigenpairs, n_components)
        basis = joint @ rotation
        n_more = min(n_components, 2 * n_more)


def _lanczos(operator, n_components, random, **options):
    """Eigenvalues of largest modulus and their vectors, to full precision by default.

    Fewer, down to none, where ARPACK gives up because the operator has no such rank.
    """
    start = random.uniform(-1, 1, size=operator.shape[0])
    if _HAS_GENERATOR:
        options["rng"] = np.random.default_rng(random.randint(2**31 - 1))
    while n_components > 0:
        try:
            return eigsh(operator, n_components, v0=start, **options)
        except ArpackNoConvergence:
            raise
        except ArpackError:
            n_components //= 2
    return np.zeros(0), np.zeros((operator.shape[0], 0))


def _without(operator, basis) -> LinearOperator:
    """Restrict a symmetric operator to what is orthogonal to a basis."""

    def multiply(x):
        x = x - basis @ (basis.T @ x)
        y = operator.matvec(x)
        return y - basis @ (basis.T @ y)

    return LinearOperator(operator.shape, matvec=multiply, dtype=np.float64)
