"""CoLiDE's published solver on the arrays of another library, on a GPU for instance.

The loop is that of `_adam`; all (d, d) arrays stay on the device from the start of a stage to its
end. Of the array API standard it needs `linalg.inv`, `linalg.slogdet` and products. The column
solves of the other solver run on the CPU.
"""

from typing import Any

import numpy as np

from sparsekit._sklearn_compat import max_precision_float_dtype
from sparsekit.causal._inputs import to_float64
from sparsekit.causal.colide._adam import BETA_1, BETA_2, TOLERANCE, initial_scale, run_stage
from sparsekit.causal.colide._objective import Problem
from sparsekit.causal.colide._stage import Stage, StageResult

__all__ = ["array_api_stage"]


def array_api_stage(
    problem: Problem, weights: np.ndarray, stage: Stage, *, xp: Any, device: Any = None
) -> StageResult:
    """Run one stage of the path, as `_adam.adam_stage` does.

    Parameters
    ----------
    problem : Problem
    weights : ndarray of shape (d, d), float64
        Start; not changed.
    stage : Stage
    xp : module
        Namespace with the array API, as scikit-learn's `get_namespace` returns it.
    device : object, default=None
        Where to compute. None: the default device of the library.

    Returns
    -------
    StageResult
        Its `weights` are a numpy array of float64 again; they equal those of `adam_stage` to
        rounding for some hundred iterations, and are as good afterwards.
    """
    result = run_stage(lambda: _DeviceIterate(problem, weights, xp, device), stage)
    return result._replace(weights=to_float64(result.weights, xp))


class _DeviceIterate:
    """Weights on a device, what follows from them, and the moments of Adam.

    Attributes
    ----------
    weights : array of shape (d, d)
    """

    def __init__(self, problem: Problem, weights: np.ndarray, xp: Any, device: Any) -> None:
        dtype = max_precision_float_dtype(xp, device)

        def move(values: np.ndarray) -> Any:
            # A copy, because libraries warn of read-only arrays or share their memory.
            return xp.asarray(values.astype(np.float64), dtype=dtype, device=device, copy=True)

        allowed = np.isfinite(problem.penalties)
        self._xp, self._problem, self._size = xp, problem, len(weights)
        self._covariance, self.weights = move(problem.covariance), move(weights)
        self._allowed = move(allowed)
        self._penalties = move(np.where(allowed, problem.penalties, 0.0))
        self._identity = move(np.eye(len(weights)))
        self._first = self._second = self._direction = xp.zeros_like(self._covariance)
        self._refresh()
        if not weights.any():
            self._scale = move(initial_scale(problem))

    def _refresh(self) -> None:
        """Bring the noise scales up to date; one product serves them and the gradient."""
        xp, C = self._xp, self._covariance
        self._gap = C - C @ self.weights
        variances = xp.linalg.diagonal(self._gap) - xp.sum(self.weights * self._gap, axis=0)
        self._variances = variances = xp.clip(variances, min=0.0)
        if self._problem.equal:
            variances = xp.broadcast_to(xp.mean(variances), variances.shape)
        self._scale = xp.clip(xp.sqrt(variances), min=self._problem.floor)

    def _domain_matrix(self, s: float) -> Any:
        return s * self._identity - self.weights * self.weights

    def invert(self, s: float) -> Any | None:
        """Inverse of the domain matrix, or None outside the domain."""
        try:
            inverse = self._xp.linalg.inv(self._domain_matrix(s))
        except Exception as error:
            # Each library has its own class for singular matrices, under a similar name.
            if "LinAlgError" not in type(error).__name__:
                raise
            return None
        # Also None for NaN.
        return inverse if float(self._xp.min(inverse)) >= -TOLERANCE else None

    def take_step(self, inverse: Any, mu: float, rate: float, iteration: int) -> None:
        """Update moments, weights and noise scales."""
        xp, W = self._xp, self.weights
        gradient = mu * (self._penalties * xp.sign(W) - self._gap / self._scale)
        gradient = (gradient + 2.0 * W * inverse.T) * self._allowed
        self._first = BETA_1 * self._first + (1.0 - BETA_1) * gradient
        self._second = BETA_2 * self._second + (1.0 - BETA_2) * gradient * gradient
        first = self._first / (1.0 - BETA_1**iteration)
        second = self._second / (1.0 - BETA_2**iteration)
        self._direction = first / (xp.sqrt(second) + 1e-8)
        self.shift(-rate)

    def shift(self, length: float) -> None:
        """Move along the last direction."""
        self.weights = self.weights + length * self._direction
        self._refresh()

    def value(self, mu: float, s: float) -> float:
        """Objective, infinite outside the domain."""
        if self.invert(s) is None:
            return np.inf
        xp = self._xp
        score = float(xp.sum(self._variances / self._scale + self._scale)) / 2
        penalty = float(xp.sum(self._penalties * xp.abs(self.weights)))
        log_determinant = float(xp.linalg.slogdet(self._domain_matrix(s)).logabsdet)
        return mu * (score + penalty) + self._size * float(np.log(s)) - log_determinant
