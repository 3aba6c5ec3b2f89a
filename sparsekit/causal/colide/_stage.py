"""What the stages of the path have in common, whichever solver runs them."""

from typing import NamedTuple

import numpy as np

__all__ = ["Stage", "StageResult"]


class Stage(NamedTuple):
    """One stage of the path.

    Attributes
    ----------
    mu : float
        Weight of score and penalty against the acyclicity function.
    s : float
        Scale of the domain.
    max_iter : int
    tol : float
    """

    mu: float
    s: float
    max_iter: int
    tol: float


class StageResult(NamedTuple):
    """Outcome of a stage.

    Attributes
    ----------
    weights : ndarray of shape (d, d), float64
    n_iter : int
    converged : bool
        Whether the stage stopped by itself rather than at `max_iter`.
    objective : float
    s : float
        Scale of the domain that was used: larger than asked if the start lay outside.
    failed : bool
        Whether the domain was left in a way that only a larger `s` mends.
    """

    weights: np.ndarray
    n_iter: int
    converged: bool
    objective: float
    s: float
    failed: bool = False
