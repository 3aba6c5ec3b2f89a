"""Score of a graph, and what follows from it for a single variable.

With residual variances ``v_j`` of the d variables on their parents, k edges and n samples, the
score is

    (n / 2) sum_j log v_j        + pen k     unequal noise,
    (n d / 2) log(sum_j v_j / d) + pen k     equal noise,

where ``pen = (1 / 2) log n + gamma log d`` (extended BIC). The second is no sum over variables: the
search follows ``n v_j / (2 s2) + pen k_j`` instead, where s2 is the median of the v_j at the
beginning of a pass.
"""

from typing import NamedTuple

import numpy as np

from sparsekit.causal.order._parent_sets import Limits

__all__ = ["Score"]

# The least improvements that count: by one parent, and by a move. They are more, by the third
# number, where the rounding of the logarithms times the number of samples is.
_PARENT_TOLERANCE = 1e-9
_MOVE_TOLERANCE = 1e-6
_LARGE = 700.0  # exponential functions of more overflow
_ROUNDING = 64 * float(np.finfo(np.float64).eps)


class Score(NamedTuple):
    """Settings of the score for data whose variances are about one."""

    n_samples: int
    d: int
    penalty: float
    equal: bool

    @property
    def resolution(self) -> float:
        """Least improvement of a total that counts."""
        return max(_MOVE_TOLERANCE, _ROUNDING * self.n_samples / 2 * self.d)

    def limits(self, variances: np.ndarray) -> Limits:
        """Settings for a pass that begins with these residual variances."""
        half = self.n_samples / 2
        tolerance = max(_PARENT_TOLERANCE, _ROUNDING * half)
        join, leave = self.penalty + tolerance, self.penalty - tolerance
        if not self.equal:
            # Nothing is worth the largest of penalties.
            limits = (-np.expm1(-join / half), 0.0), (np.expm1(min(leave / half, _LARGE)), 0.0)
            return Limits(half, self.penalty, False, *limits, self.resolution)
        factor = half / (float(np.median(variances[variances > 0])) if variances.any() else 1.0)
        move = max(self.resolution, _ROUNDING * factor * float(variances.sum()))
        return Limits(factor, self.penalty, True, (0.0, join / factor), (0.0, leave / factor), move)

    def total(self, variances: np.ndarray, n_edges: int) -> float:
        """Score of a graph with these residual variances."""
        half, positive = self.n_samples / 2, variances[variances > 0]
        if self.equal:
            fit = half * self.d * np.log(variances.mean()) if len(positive) else 0.0
        else:
            fit = half * np.log(positive).sum()
        return float(fit + self.penalty * n_edges)
