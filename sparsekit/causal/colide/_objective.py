"""CoLiDE's objective: a concomitant score, an l1 penalty and a log-determinant acyclicity function.

With ``D = I - W``, ``Q = D' C D``, ``q = diag(Q)`` and ``M = s I - W o W`` the objective is

    F(W) = mu * [ score(W, sigma) + sum_ij penalties_ij |W_ij| ] + d log s - log det M,

where the score is ``sum(q) / (2 sigma) + d sigma / 2`` for equal noise (equation 2 of the paper)
and ``sum_j (q_j / sigma_j + sigma_j) / 2`` for unequal noise (equation 7). The noise scales are
always those that minimise the score, ``sqrt(mean(q))`` or ``sqrt(q)``, but not below a floor.
"""

from typing import NamedTuple

import numpy as np

from sparsekit.core.linalg import MMatrixInverse, invert_m_matrix

__all__ = [
    "Problem",
    "acyclicity",
    "acyclicity_gradient",
    "closed_form_scale",
    "invert_domain_matrix",
    "l1_norm",
    "make_problem",
    "noise_floor",
    "objective",
    "residual_variances",
    "score",
    "score_gradient",
]

# The floor as a share of the smallest standard deviation, and what it is at least as a share of the
# largest one; a share of each column's own would bind on columns with large-variance parents.
_FLOOR = 1e-2
_LEAST_FLOOR = 1e-10


class Problem(NamedTuple):
    """What a solver needs to know; nothing else of the data is used.

    Attributes
    ----------
    covariance : ndarray of shape (d, d), float64, C-contiguous
        Divided by the number of samples, symmetric.
    penalties : ndarray of shape (d, d), float64, C-contiguous
        l1 penalty of each weight: zero for required edges, infinite for forbidden ones and on the
        diagonal.
    floor : float
        Least noise scale.
    equal : bool
        Whether all variables have one noise scale.
    alpha : float
        The penalty of weights of which nothing is known.
    """

    covariance: np.ndarray
    penalties: np.ndarray
    floor: float
    equal: bool
    alpha: float


def make_problem(
    covariance: np.ndarray, alpha: float, *, equal: bool, forbidden=None, required=None
) -> Problem:
    """Set up a problem; `forbidden` and `required` are boolean (d, d) arrays or None."""
    covariance = np.ascontiguousarray(covariance, dtype=np.float64)
    penalties = np.full(covariance.shape, float(alpha))
    if required is not None:
        penalties[required] = 0.0
    if forbidden is not None:
        penalties[forbidden] = np.inf
    np.fill_diagonal(penalties, np.inf)
    return Problem(covariance, penalties, noise_floor(covariance), equal, float(alpha))


def noise_floor(covariance: np.ndarray) -> float:
    """Least noise scale, positive also if columns are constant or explain each other."""
    variances = covariance.diagonal()
    positive = variances[variances > 0]
    if not len(positive):
        return _LEAST_FLOOR
    return float(max(_FLOOR * np.sqrt(positive.min()), _LEAST_FLOOR * np.sqrt(positive.max())))


def residual_variances(problem: Problem, weights: np.ndarray) -> np.ndarray:
    """Diagonal of ``(I - W)' C (I - W)``; rounding may leave it slightly negative."""
    D = np.eye(len(weights)) - weights
    return np.einsum("ij,ij->j", D, problem.covariance @ D)


def closed_form_scale(problem: Problem, variances: np.ndarray) -> np.ndarray:
    """Noise scales, shape (d,), that minimise the score for these residual variances."""
    variances = np.maximum(variances, 0.0)
    if problem.equal:
        variances = np.full_like(variances, variances.mean())
    return np.maximum(np.sqrt(variances), problem.floor)


def score(variances: np.ndarray, scale: np.ndarray) -> float:
    """Concomitant score; `scale` holds one value for each variable, equal noise or not.

    Negative variances are rounding, of variables much larger than their noise. Divided by a small
    scale they would outweigh all else.
    """
    return float((np.maximum(variances, 0.0) / scale + scale).sum() / 2)


def score_gradient(problem: Problem, weights: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Gradient of the score in the weights, ``-C D diag(1 / sigma)``."""
    C = problem.covariance
    return (C @ weights - C) / scale


def l1_norm(problem: Problem, weights: np.ndarray) -> float:
    """Penalty of the weights; forbidden ones are zero and cost nothing."""
    used = weights != 0
    return float((problem.penalties[used] * np.abs(weights[used])).sum())


def invert_domain_matrix(
    weights: np.ndarray, s: float, *, tolerance: float | None = None
) -> MMatrixInverse | None:
    """Inverse of ``M = s I - W o W``, or None if the weights lie outside the domain."""
    M = np.negative(weights)
    M *= weights
    np.einsum("ii->i", M)[:] += s
    return invert_m_matrix(M, tolerance=tolerance, overwrite=True)


def acyclicity(inverse: MMatrixInverse, s: float) -> float:
    """Value of ``h_s(W) = d log s - log det M``: non-negative, and zero exactly on DAGs."""
    return len(inverse.inverse) * float(np.log(s)) - inverse.log_determinant


def acyclicity_gradient(inverse: MMatrixInverse, weights: np.ndarray) -> np.ndarray:
    """Gradient of `acyclicity`, ``2 W o (M^-1)'``."""
    return 2.0 * weights * inverse.inverse.T


def objective(problem: Problem, weights: np.ndarray, mu: float, s: float) -> float:
    """Value of F, infinite outside the domain."""
    inverse = invert_domain_matrix(weights, s)
    if inverse is None:
        return np.inf
    variances = residual_variances(problem, weights)
    value = score(variances, closed_form_scale(problem, variances)) + l1_norm(problem, weights)
    return mu * value + acyclicity(inverse, s)
