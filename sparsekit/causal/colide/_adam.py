"""CoLiDE's published solver: Adam on the subgradients of the objective.

One product and one inverse an iteration: ``C W`` serves the gradient and, summed with the weights,
all residual variances.
"""

from collections.abc import Callable
from typing import Any, Protocol

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
from sparsekit.core.linalg import MMatrixInverse

__all__ = ["BETA_1", "BETA_2", "TOLERANCE", "Iterate", "adam_stage", "initial_scale", "run_stage"]

_LEARNING_RATE = 3e-4
_LEAST_LEARNING_RATE = 1e-16
BETA_1, BETA_2 = 0.99, 0.999
_CHECK_EVERY = 1000
_FIRST_VALUE = 1e16

# Entries of the inverse below minus this are outside the domain.
TOLERANCE = 1e-6

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
            m = BETA_1 * first[i, j] + (1.0 - BETA_1) * g
            v = BETA_2 * second[i, j] + (1.0 - BETA_2) * g * g
            first[i, j] = m
            second[i, j] = v
            gradient[i, j] = (m * correction_1) / (np.sqrt(v * correction_2) + 1e-8)


def initial_scale(problem: Problem) -> np.ndarray:
    """Noise scales that the published loop starts with, shape (d,)."""
    deviations = np.maximum(np.sqrt(problem.covariance.diagonal()), problem.floor)
    return np.full_like(deviations, deviations.min()) if problem.equal else deviations


class Iterate(Protocol):
    """Weights and what follows from them, on whatever arrays: what the loop moves."""

    weights: Any

    def invert(self, s: float) -> Any | None:
        """Inverse of the domain matrix, or None outside the domain."""

    def take_step(self, inverse: Any, mu: float, rate: float, iteration: int) -> None:
        """Update moments, weights and noise scales."""

    def shift(self, length: float) -> None:
        """Move along the last direction."""

    def value(self, mu: float, s: float) -> float:
        """Objective, infinite outside the domain."""


class _CompiledIterate:
    """Weights in numpy arrays, moved by kernels."""

    def __init__(self, problem: Problem, weights: np.ndarray) -> None:
        C = problem.covariance
        self.weights = weights.copy()
        self._problem, self._product, self._variances = problem, np.empty_like(C), np.empty(len(C))
        self._moments, self._direction = (np.zeros_like(C), np.zeros_like(C)), np.zeros_like(C)
        self._refresh()
        if not weights.any():
            self._scale = initial_scale(problem)

    def _refresh(self) -> None:
        """Bring the noise scales up to date; one product serves them and the gradient."""
        C = self._problem.covariance
        np.dot(C, self.weights, out=self._product)
        _sum_variances(C, self._product, self.weights, self._variances)
        self._scale = closed_form_scale(self._problem, self._variances)

    def invert(self, s: float) -> MMatrixInverse | None:
        return invert_domain_matrix(self.weights, s, tolerance=TOLERANCE)

    def take_step(self, inverse: MMatrixInverse, mu: float, rate: float, iteration: int) -> None:
        C, penalties = self._problem.covariance, self._problem.penalties
        transposed, factors = np.ascontiguousarray(inverse.inverse.T), mu / self._scale
        arrays = (C, self._product, self.weights, transposed, penalties, factors)
        _find_gradient(*arrays, mu, self._direction)
        corrections = (1 / (1 - BETA_1**iteration), 1 / (1 - BETA_2**iteration))
        _find_direction(*self._moments, *corrections, self._direction)
        self.shift(-rate)

    def shift(self, length: float) -> None:
        self.weights += length * self._direction
        self._refresh()

    def value(self, mu: float, s: float) -> float:
        inverse = self.invert(s)
        if inverse is None:
            return np.inf
        fit = score(self._variances, self._scale) + l1_norm(self._problem, self.weights)
        return mu * fit + acyclicity(inverse, s)


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
    return run_stage(lambda: _CompiledIterate(problem, weights), stage)


def run_stage(begin: Callable[[], Iterate], stage: Stage) -> StageResult:
    """Run the published loop; `begin` makes the iterate at the start, anew if the stage fails."""
    s, rate = stage.s, _LEARNING_RATE
    n_iter = 0
    while True:
        result = _run(begin(), stage._replace(s=s), rate)
        n_iter += result.n_iter
        if not result.failed:
            return result._replace(n_iter=n_iter)
        s, rate = s + 0.1, rate / 2


def _run(iterate: Iterate, stage: Stage, rate: float) -> StageResult:
    mu, s, max_iter, tol = stage.mu, stage.s, stage.max_iter, stage.tol
    previous = _FIRST_VALUE
    for iteration in range(1, max_iter + 1):
        inverse = iterate.invert(s)
        while inverse is None:
            if iteration == 1 or s <= _LARGE_S:
                return StageResult(iterate.weights, iteration, False, np.inf, s, failed=True)
            iterate.shift(rate)
            rate /= 2
            if rate <= _LEAST_LEARNING_RATE:
                return StageResult(iterate.weights, iteration, False, iterate.value(mu, s), s)
            iterate.shift(-rate)
            inverse = iterate.invert(s)
        iterate.take_step(inverse, mu, rate, iteration)
        if iteration % _CHECK_EVERY == 0 or iteration == max_iter:
            current = iterate.value(mu, s)
            # An infinite value, of weights that the next iteration takes back, is close to nothing.
            if abs(previous - current) <= tol * abs(previous) < np.inf:
                return StageResult(iterate.weights, iteration, True, current, s)
            previous = current
    return StageResult(iterate.weights, max_iter, False, previous, s)
