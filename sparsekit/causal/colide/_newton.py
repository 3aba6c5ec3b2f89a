"""CoLiDE's second-order solver: proximal Newton steps with exactly solved columns.

With the noise scale held and the acyclicity function replaced by its linearisation in ``W o W``, a
sum of squares weighted with ``(M^-1)'``, the objective falls apart into one elastic net for each
column. A line search on the exact objective corrects what the model leaves out.

Inside, weights are stored by target (V, the transpose of W), and so are residual covariances,
``R = C - V C``: along a line both are linear and residual variances quadratic, so that a trial step
costs one inverse and no product.
"""

from typing import NamedTuple

import numpy as np

from sparsekit.causal.colide._columns import ColumnModels, ColumnSolver
from sparsekit.causal.colide._objective import (
    Problem,
    acyclicity,
    closed_form_scale,
    invert_domain_matrix,
    score,
)
from sparsekit.causal.colide._stage import Stage, StageResult
from sparsekit.core.linalg import MMatrixInverse

__all__ = ["newton_stage"]

_HALVINGS = 30
_SUFFICIENT_DECREASE = 1e-4

# A stage ends after this many successive small decreases: a single one may follow a short step.
_SMALL_DECREASES = 2

# The proximal term after a step below one half, as a share of mu, and its growth and decay.
_LEAST_DAMPING, _DAMPING_FACTOR = 1e-2, 4.0


class _Iterate(NamedTuple):
    """Weights by target and all that is known of them."""

    weights: np.ndarray
    residuals: np.ndarray
    variances: np.ndarray
    scale: np.ndarray
    penalty: float
    inverse: MMatrixInverse
    value: float


class _Stage:
    """One stage: the objective for given mu and s, with the penalties by target."""

    def __init__(self, problem: Problem, mu: float, s: float) -> None:
        self.problem, self.mu, self.s = problem, mu, s
        self.thresholds = mu * np.ascontiguousarray(problem.penalties.T)
        # Weights with an infinite threshold are zero, which would make NaN of the product.
        self._finite = np.where(np.isfinite(self.thresholds), self.thresholds, 0.0)

    def penalty(self, weights: np.ndarray) -> float:
        return float(np.einsum("ij,ij->", self._finite, np.abs(weights)))

    def begin(self, weights: np.ndarray) -> _Iterate:
        """First iterate; enlarges s until it lies inside the domain."""
        C = self.problem.covariance
        while (inverse := invert_domain_matrix(weights, self.s)) is None:
            self.s += 0.1
        residuals = C - weights @ C
        variances = C.diagonal() - np.einsum("ij,ij->i", weights, C + residuals)
        return self.evaluate(weights, residuals, variances, inverse)

    def evaluate(
        self,
        weights: np.ndarray,
        residuals: np.ndarray,
        variances: np.ndarray,
        inverse: MMatrixInverse,
    ) -> _Iterate:
        scale, penalty = closed_form_scale(self.problem, variances), self.penalty(weights)
        value = self.mu * score(variances, scale) + penalty + acyclicity(inverse, self.s)
        return _Iterate(weights, residuals, variances, scale, penalty, inverse, value)

    def models(self, at: _Iterate, tau: float) -> ColumnModels:
        return ColumnModels(
            covariance=self.problem.covariance,
            weights=at.weights,
            residuals=at.residuals,
            ridges=2.0 * at.inverse.inverse.T,
            thresholds=self.thresholds,
            factors=self.mu / at.scale,
            tau=tau,
        )

    def search(
        self, at: _Iterate, models: ColumnModels, goal: tuple[np.ndarray, np.ndarray]
    ) -> tuple[_Iterate, float] | None:
        """Go from an iterate towards the models' solution; the new iterate and the step."""
        weights, residuals = goal
        change = weights - at.weights
        slope = -np.einsum("ij,ij->i", change, at.residuals)
        curvature = np.einsum("ij,ij->i", change, at.residuals - residuals)
        predicted = (
            models.factors @ slope
            + np.einsum("ij,ij,ij->", change, models.ridges, at.weights)
            + self.penalty(weights)
            - at.penalty
        )
        if not predicted < 0.0:
            return None
        step = 1.0
        for _ in range(_HALVINGS):
            trial = weights if step == 1.0 else at.weights + step * change
            inverse = invert_domain_matrix(trial, self.s)
            if inverse is not None:
                variances = at.variances + step * (2.0 * slope + step * curvature)
                rest = (
                    residuals if step == 1.0 else at.residuals + step * (residuals - at.residuals)
                )
                reached = self.evaluate(trial, rest, variances, inverse)
                if reached.value <= at.value + _SUFFICIENT_DECREASE * step * predicted:
                    return reached, step
            step /= 2
        return None


def newton_stage(
    problem: Problem, weights: np.ndarray, stage: Stage, n_jobs: int | None = None
) -> StageResult:
    """Run one stage of the path.

    Parameters
    ----------
    problem : Problem
    weights : ndarray of shape (d, d), float64
        Start; not changed.
    stage : Stage
        It ends after two successive relative decreases of the objective below `tol`, or where no
        step decreases it.
    n_jobs : int or None
        Threads for the columns; the result does not depend on it.

    Returns
    -------
    StageResult
    """
    objective = _Stage(problem, stage.mu, stage.s)
    at = objective.begin(np.ascontiguousarray(weights.T))
    columns = ColumnSolver(at.weights, n_jobs)
    tau, n_small, n_iter, converged = 0.0, 0, 0, False
    while n_iter < stage.max_iter and not converged:
        n_iter += 1
        models = objective.models(at, tau)
        found = objective.search(at, models, columns.solve(models))
        if found is None:
            converged = True
            break
        reached, step = found
        if step == 1.0:
            tau /= _DAMPING_FACTOR
        elif step < 0.5:
            tau = max(_DAMPING_FACTOR * tau, _LEAST_DAMPING * stage.mu)
        small = at.value - reached.value < stage.tol * abs(at.value)
        n_small = n_small + 1 if small else 0
        converged = n_small >= _SMALL_DECREASES
        at = reached
    return StageResult(at.weights.T.copy(), n_iter, converged, at.value, objective.s)
