"""CoLiDE's published solver: Adam on the subgradients of the objective.

One product and one inverse an iteration: ``C W`` serves the gradient and, summed with the weights,
all residual variances.
"""

import numpy as np

from sparsekit.causal.colide._objective import (
    Problem,
    acyclicity,
    closed_form_scale,
    invert_domain_matrix,
    l1_norm,
    score,
)
from sparsekit.causal.colide._stage import Stage, StageResult
from sparsekit.core.jit import kernel

__all__ = ["adam_stage", "initial_scale"]

_LEARNING_RATE = 3e-4
_LEAST_LEARNING_RATE = 1e-16
_BETA_1, _BETA_2 = 0.99, 0.999
_CHECK_EVERY = 1000
_FIRST_VALUE = 1e16

# Entries of the inverse below minus this are outside the domain.
_TOLERANCE = 1e-6

# From this s on, a step that leaves the domain is undone; below, the stage starts again.
_LARGE_S = 0.9 + 1e-12


@kernel
def _sum_variances(covariance, product, weights, variances):
    """Diagonal of ``(I - W)' C (I - W)`` from ``product = C W``."""
    d = len(variances)
    for j in range(d):
        variances[j] = covariance[j, j] - product[j, j]
    for i in range(d):
        for j in range(d):
            variances[j] -= weights[i, j] * (covariance[i, j] - product[i, j])


# Two short kernels rather than one: with fewer arrays in a loop it compiles to vector instructions.
@kernel
def _find_gradient(covariance, product, weights, transposed_inverse, penalties, factors, mu, out):
    """Subgradient of the objective; `factors` are ``mu / sigma``, forbidden weights have zero."""
    d = len(weights)
    for i in range(d):
        for j in range(d):
            w, penalty = weights[i, j], penalties[i, j]
            sign = np.float64(w > 0.0) - np.float64(w < 0.0)
            gradient = factors[j] * (product[i, j] - covariance[i, j])
            gradient += mu * penalty * sign + 2.0 * w * transposed_inverse[i, j]
            out[i, j] = gradient if penalty < np.inf else 0.0


@kernel
def _find_direction(first, second, correction_1, correction_2, gradient):
    """Update the moments and overwrite the gradient with Adam's direction."""
    d = len(gradient)
    for i in range(d):
        for j in range(d):
            g = gradient[i, j]
            m = _BETA_1 * first[i, j] + (1.0 - _BETA_1) * g
            v = _BETA_2 * second[i, j] + (1.0 - _BETA_2) * g * g
            first[i, j] = m
            second[i, j] = v
            gradient[i, j] = (m * correction_1) / (np.sqrt(v * correction_2) + 1e-8)


def initial_scale(problem: Problem) -> np.ndarray:
    """Noise scales that the published loop starts with, shape (d,)."""
    deviations = np.maximum(np.sqrt(problem.covariance.diagonal()), problem.floor)
    return np.full_like(deviations, deviations.min()) if problem.equal else deviations


def adam_stage(problem: Problem, weights: np.ndarray, stage: Stage) -> StageResult:
    """Run one stage of the path.

    Parameters
    ----------
    problem : Problem
    weights : ndarray of shape (d, d), float64
        Start; not changed.
    stage : Stage
        Its `max_iter` and `tol` are those of the published loop: the objective is compared every
        1000 iterations.

    Returns
    -------
    StageResult
        `weights` without exact zeros.
    """
    s, rate = stage.s, _LEARNING_RATE
    n_iter = 0
    while True:
        result = _run(problem, weights, stage._replace(s=s), rate)
        n_iter += result.n_iter
        if not result.failed:
            return result._replace(n_iter=n_iter)
        s, rate = s + 0.1, rate / 2


def _run(problem: Problem, start: np.ndarray, stage: Stage, rate: float) -> StageResult:
    mu, s, max_iter, tol = stage.mu, stage.s, stage.max_iter, stage.tol
    C, penalties = problem.covariance, problem.penalties
    W, product = start.copy(), np.empty_like(C)
    direction, moments = np.zeros_like(C), (np.zeros_like(C), np.zeros_like(C))
    variances = np.empty(len(C))

    def refresh() -> np.ndarray:
        np.dot(C, W, out=product)
        _sum_variances(C, product, W, variances)
        return closed_form_scale(problem, variances)

    def value() -> float:
        inverse = invert_domain_matrix(W, s, tolerance=_TOLERANCE)
        if inverse is None:
            return np.inf
        return mu * (score(variances, scale) + l1_norm(problem, W)) + acyclicity(inverse, s)

    scale = refresh()
    if not W.any():
        scale = initial_scale(problem)
    previous = _FIRST_VALUE
    for iteration in range(1, max_iter + 1):
        inverse = invert_domain_matrix(W, s, tolerance=_TOLERANCE)
        while inverse is None:
            if iteration == 1 or s <= _LARGE_S:
                return StageResult(start, iteration, False, np.inf, s, failed=True)
            W += rate * direction
            rate /= 2
            if rate <= _LEAST_LEARNING_RATE:
                scale = refresh()
                return StageResult(W, iteration, False, value(), s)
            W -= rate * direction
            scale = refresh()
            inverse = invert_domain_matrix(W, s, tolerance=_TOLERANCE)
        transposed = np.ascontiguousarray(inverse.inverse.T)
        _find_gradient(C, product, W, transposed, penalties, mu / scale, mu, direction)
        corrections = (1 / (1 - _BETA_1**iteration), 1 / (1 - _BETA_2**iteration))
        _find_direction(*moments, *corrections, direction)
        W -= rate * direction
        scale = refresh()
        if iteration % _CHECK_EVERY == 0 or iteration == max_iter:
            current = value()
            # An infinite value, of weights that the next iteration takes back, is close to nothing.
            if abs(previous - current) <= tol * abs(previous) < np.inf:
                return StageResult(W, iteration, True, current, s)
            previous = current
    return StageResult(W, max_iter, False, previous, s)
