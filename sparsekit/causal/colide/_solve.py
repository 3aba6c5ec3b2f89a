"""The path of CoLiDE: four stages that turn from fit to acyclicity, and restarts along it.

The objective is not convex, so the result depends on the path. For unequal noise the path may start
at the solution for equal noise. Restarts of the second-order solver go back to an early stage from
the solution, or from what is left of it without a part of its weights, and keep what has the lowest
objective.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from sparsekit.causal.colide._adam import adam_stage
from sparsekit.causal.colide._array_api import array_api_stage
from sparsekit.causal.colide._newton import newton_stage
from sparsekit.causal.colide._objective import (
    Problem,
    closed_form_scale,
    objective,
    residual_variances,
)
from sparsekit.causal.colide._stage import Stage, StageResult

__all__ = ["Solution", "choose_start", "n_stages", "solve"]

_MU = (1.0, 0.1, 0.01, 0.001)
_S = (1.0, 0.9, 0.8, 0.7)
_MAX_ITER = {"newton": (200,) * 4, "adam": (20_000, 20_000, 20_000, 70_000)}

# The second-order solver's tolerances of the stages as multiples of `tol`. Early stages only lead
# to a basin, and solving them further does not find better ones.
_NEWTON_TOLERANCES = (1000.0, 1000.0, 1000.0, 10.0)

# Where the standard deviations of the variables spread by more than this factor (geometric), the
# order shows in them whatever the noise scales, and equal noise is the better start.
_WIDE_SPREAD = 2.4

# Weights above this are what the restart "without strong weights" forgets.
_STRONG = 0.3

Watch = Callable[[], bool]


class Solution(NamedTuple):
    """Solution of a problem.

    Attributes
    ----------
    weights : ndarray of shape (d, d), float64
        Before any threshold; zero diagonal.
    noise_scale : ndarray of shape (d,), float64
        Closed form at `weights`.
    objective : float
        At the last mu and s.
    n_iter : int
        Over all stages and restarts.
    converged : bool
        Whether the last stage that led to `weights` stopped by itself.
    """

    weights: np.ndarray
    noise_scale: np.ndarray
    objective: float
    n_iter: int
    converged: bool


class _Step(NamedTuple):
    """A stage to run: for which problem, with which solver's function."""

    problem: Problem
    stage: Stage
    run: Callable[[Problem, np.ndarray, Stage], StageResult]


def n_stages(problem: Problem, *, solver: str, start: str, n_restarts: int) -> int:
    """Number of stages that `solve` runs."""
    if solver == "adam":
        return len(_MU)
    first = len(_MU) + (not problem.equal and choose_start(problem, start) == "equal")
    return first + sum(len(_MU) - _first_stage(restart) for restart in range(n_restarts))


def solve(
    problem: Problem,
    *,
    solver: str = "newton",
    start: str = "auto",
    n_restarts: int = 3,
    tol: float = 1e-6,
    max_iter: int | None = None,
    random_state: np.random.RandomState | None = None,
    n_jobs: int | None = None,
    watch: Watch | None = None,
    place: tuple[Any, Any] | None = None,
) -> Solution:
    """Follow the path from zero weights, and restart along it.

    Parameters
    ----------
    problem : Problem
    solver : {"newton", "adam"}
        "adam" is the published loop: it ignores `start` and `n_restarts`.
    start : {"auto", "equal", "zero"}
        Start for unequal noise: the solution for equal noise or zero. "auto" decides by the spread
        of the variances.
    n_restarts : int
        The first three are deterministic; each further one forgets the parents of a random half of
        the variables.
    tol : float
        Tolerance of a stage, see `_NEWTON_TOLERANCES`.
    max_iter : int or None
        Iterations of a stage.
    random_state : RandomState or None
        Needed for more than three restarts.
    n_jobs : int or None
        Threads for the columns; BLAS always uses one, so that results do not depend on either.
    watch : callable or None
        Called after every stage; returns whether to stop.
    place : (module, object) or None
        Array namespace and device for "adam".

    Returns
    -------
    Solution
    """
    watch = watch or (lambda: False)
    limits = _MAX_ITER[solver] if max_iter is None else (max_iter,) * len(_MU)
    with threadpool_limits(limits=1, user_api="blas"):
        if solver == "adam":
            found = _follow_published(problem, limits, tol, watch, place)
        else:
            tolerances = [factor * tol for factor in _NEWTON_TOLERANCES]
            stages = [Stage(*values) for values in zip(_MU, _S, limits, tolerances, strict=True)]
            run = partial(newton_stage, n_jobs=n_jobs)
            steps = [_Step(problem, stage, run) for stage in stages]
            found = _search(steps, choose_start(problem, start), n_restarts, random_state, watch)
        scale = closed_form_scale(problem, residual_variances(problem, found.weights))
    return Solution(found.weights, scale, found.objective, found.n_iter, found.converged)


def choose_start(problem: Problem, start: str) -> str:
    """Start for unequal noise: what "auto" means for this problem."""
    if start != "auto":
        return start
    variances = problem.covariance.diagonal()
    spread = np.exp(np.std(np.log(variances[variances > 0])) / 2) if variances.any() else 1.0
    return "equal" if spread > _WIDE_SPREAD else "zero"


def _follow(
    steps: list[_Step], weights: np.ndarray, watch: Watch
) -> tuple[StageResult, _Step, bool]:
    """Run stages one after the other; the last result, its step, and whether to stop."""
    n_iter, stop = 0, False
    for step in steps:
        result = step.run(step.problem, weights, step.stage)
        weights, n_iter = result.weights, n_iter + result.n_iter
        stop = watch()
        if stop:
            break
    return result._replace(n_iter=n_iter), step, stop


def _follow_published(
    problem: Problem, limits: tuple[int, ...], tol: float, watch: Watch, place: Any
) -> StageResult:
    """Follow the path with the published loop, which lets weights of variables on themselves in.

    Holding them at zero instead, as the paper's formulas have it, finds other graphs (see the
    findings in the documentation).
    """
    free = problem.penalties.copy()
    np.fill_diagonal(free, problem.alpha)
    run = adam_stage
    if place is not None:
        run = partial(array_api_stage, xp=place[0], device=place[1])
    steps = [
        _Step(problem._replace(penalties=free), Stage(mu, s, limit, tol), run)
        for mu, s, limit in zip(_MU, _S, limits, strict=True)
    ]
    result, last, _ = _follow(steps, np.zeros_like(problem.covariance), watch)
    weights = result.weights.copy()
    np.fill_diagonal(weights, 0.0)
    value = objective(problem, weights, last.stage.mu, result.s)
    return result._replace(weights=weights, objective=value)


def _search(
    steps: list[_Step],
    start: str,
    n_restarts: int,
    random_state: np.random.RandomState | None,
    watch: Watch,
) -> StageResult:
    """Follow the path, then restart; the result with the lowest objective."""
    problem, first = steps[0].problem, steps
    if not problem.equal and start == "equal":
        same = problem._replace(equal=True)
        first = [step._replace(problem=same) for step in steps] + steps[-1:]
    best, last, stop = _follow(first, np.zeros_like(problem.covariance), watch)
    if last.problem is not problem:  # stopped on the way to the start for unequal noise
        value = objective(problem, best.weights, last.stage.mu, best.s)
        best = best._replace(objective=value)
    n_iter = best.n_iter
    for restart in range(n_restarts):
        if stop:
            break
        weights = _disturb(best.weights, restart, random_state)
        found, last, stop = _follow(steps[_first_stage(restart) :], weights, watch)
        n_iter += found.n_iter
        # Objectives of different mu or s can not be compared.
        complete = last is steps[-1]
        if complete and found.s == best.s and found.objective < best.objective:
            best = found
    return best._replace(n_iter=n_iter)


def _first_stage(restart: int) -> int:
    return 1 if restart == 0 else 2


def _disturb(
    weights: np.ndarray, restart: int, random_state: np.random.RandomState | None
) -> np.ndarray:
    """Start of a restart: the weights, the weak ones, or those of a random half of the columns."""
    if restart < 2:
        return weights
    if restart == 2:
        return np.where(np.abs(weights) > _STRONG, 0.0, weights)
    return np.where(random_state.random_sample(len(weights)) < 0.5, 0.0, weights)
