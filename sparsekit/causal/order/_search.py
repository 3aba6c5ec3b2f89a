"""Best order score search: several starts, each to a local optimum and on; the best one wins."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from sparsekit.causal.order._descent import Descent
from sparsekit.causal.order._parent_sets import FORBIDDEN, REDUNDANT, REQUIRED, Problem
from sparsekit.causal.order._score import Score
from sparsekit.core.dag import topological_order
from sparsekit.core.jit import effective_threads, run_ranges

__all__ = ["OrderSearch", "order_search"]

# Equal noise: smaller shares of the largest variance count as this one, whose square is not 0.
_LEAST_VARIANCE = 1e-140


class OrderSearch(NamedTuple):
    """Outcome of a search.

    Attributes
    ----------
    order : ndarray of shape (d,), intp
        Of the best start, which is the first one with the lowest score.
    is_edge : ndarray of shape (d, d), bool
        Entry [i, j] says whether i is a parent of j.
    variances : ndarray of shape (d,), float64
        Residual variances, not below 1e-10 of the variances.
    score : float
    start_scores : ndarray of shape (n_starts,), float64
        Infinite for those that were not begun when `watch` stopped the search.
    n_passes : int
        Of the best start, those after perturbations included.
    converged : bool
        Whether the graph is a local optimum: the pass that ended there moved nothing.
    """

    order: np.ndarray
    is_edge: np.ndarray
    variances: np.ndarray
    score: float
    start_scores: np.ndarray
    n_passes: int
    converged: bool


def _scaled(covariance: np.ndarray, *, equal: bool) -> tuple[np.ndarray, np.ndarray]:
    """Covariance in units in which variances are about one, and the variances of the units.

    The score for unequal noise does not depend on units. That for equal noise does: one unit for
    all variables.
    """
    variances = covariance.diagonal()
    varies, wanted = variances > 0, np.ones(len(variances))
    if equal and varies.any():
        wanted = np.maximum(variances / variances.max(), _LEAST_VARIANCE)
    units = np.where(varies, variances / wanted, 1.0)
    scale = np.sqrt(units)
    scaled = covariance / np.outer(scale, scale)
    np.fill_diagonal(scaled, wanted * varies)
    return np.ascontiguousarray(scaled), units


def _problem(
    covariance: np.ndarray,
    max_parents: int | None,
    forbidden: np.ndarray | None,
    required: np.ndarray | None,
) -> tuple[Problem, tuple[np.ndarray, np.ndarray]]:
    """Set up the search; also lists the required parents that are not redundant."""
    d = len(covariance)
    rules = np.zeros((d, d), dtype=np.int8)
    rules[np.eye(d, dtype=bool) if forbidden is None else forbidden.T] = FORBIDDEN
    np.fill_diagonal(rules, FORBIDDEN)
    fixed, n_fixed = np.empty((d, d), dtype=np.int32), np.zeros(d, dtype=np.int64)
    most = np.full(d, d if max_parents is None else max_parents, dtype=np.int64)
    if required is not None:
        rules[required.T] = REQUIRED
        for target in np.flatnonzero(required.any(axis=0)).tolist():
            parents = np.flatnonzero(required[:, target])
            kept = _independent(covariance, parents)
            fixed[target, : len(kept)], n_fixed[target] = kept, len(kept)
            most[target] -= len(parents) - len(kept)  # the others are parents, too
    # Whatever they are, the result does not depend on them.
    keys = np.random.default_rng(0).integers(-(2**63), 2**63 - 1, size=(2, d))
    return Problem(covariance, rules, most, keys), (fixed, n_fixed)


def _independent(covariance: np.ndarray, nodes: np.ndarray) -> list[int]:
    """Those of the nodes that the ones before them do not explain wholly."""
    kept: list[int] = []
    for node in nodes.tolist():
        block = covariance[np.ix_(kept, kept)]
        explained = covariance[node, kept] @ np.linalg.solve(block, covariance[kept, node])
        if covariance[node, node] - explained > REDUNDANT * covariance[node, node]:
            kept.append(node)
    return kept


def _sorted(order: np.ndarray, required: np.ndarray | None) -> np.ndarray:
    """Order in which required parents come first, otherwise as it was where that is possible."""
    return order if required is None else order[topological_order(required[np.ix_(order, order)])]


def _advance_some(low: int, high: int, descents: list[Descent]) -> None:
    """Advance some starts by a pass."""
    for descent in descents[low:high]:
        descent.advance()


def _advance(descents: list[Descent], n_jobs: int | None, watch: Callable[[], bool] | None) -> bool:
    """Advance starts by a pass at a time until they are done; returns whether they were stopped."""
    active = descents
    while active:
        run_ranges(_advance_some, [(k, k + 1) for k in range(len(active))], n_jobs, active)
        if watch is not None and watch():
            return True
        active = [descent for descent in active if not descent.done]
    return False


def order_search(
    covariance: np.ndarray,
    n_samples: int,
    orders: np.ndarray,
    *,
    gamma: float = 1.0,
    equal: bool = False,
    max_passes: int = 20,
    n_perturbations: int = 10,
    max_parents: int | None = None,
    forbidden: np.ndarray | None = None,
    required: np.ndarray | None = None,
    n_jobs: int | None = None,
    watch: Callable[[], bool] | None = None,
) -> OrderSearch:
    """Search for the order, and in it the sets of parents, with the least score.

    Parameters
    ----------
    covariance : ndarray of shape (d, d), float64
        Divided by the number of samples.
    n_samples : int
    orders : ndarray of shape (n_starts, d), intp
        Permutations to start from; required parents are moved before their children.
    gamma : float, default=1.0
        Of the extended BIC; 0 is BIC.
    equal : bool, default=False
        Whether all noise variances are equal.
    max_passes : int, default=20
        From a start, and from each perturbation on.
    n_perturbations : int, default=10
        How often the search goes on, from a step away from the best local optimum of a start.
    max_parents : int, default=None
        Besides required ones, nothing has more parents.
    forbidden, required : ndarray of shape (d, d), bool, default=None
        As `Constraints` has them.
    n_jobs : int, default=None
        Threads, over which starts are spread.
    watch : callable, default=None
        Called after every pass, of all starts that run at a time; returns whether to stop there.
        Which starts those are, and so the result of stopping, depends on `n_jobs`.

    Returns
    -------
    OrderSearch

    References
    ----------
    .. [1] B. Andrews, J. Ramsey, R. Sanchez-Romero, J. Camchong, E. Kummerfeld: "Fast scalable and
       accurate discovery of DAGs using the best order score search and grow-shrink trees", NeurIPS
       2023.
    """
    d = len(covariance)
    penalty = float(np.log(n_samples) / 2 + gamma * np.log(d))
    score = Score(int(n_samples), d, penalty, bool(equal))
    scaled, units = _scaled(covariance, equal=equal)
    problem, fixed = _problem(scaled, max_parents, forbidden, required)
    n_threads, found, n_passes = effective_threads(n_jobs), [], []
    for first in range(0, len(orders), n_threads):  # no more at a time, for they take memory
        descents = [
            Descent(problem, score, fixed, _sorted(order, required), max_passes, n_perturbations)
            for order in orders[first : first + n_threads]
        ]
        stopped = _advance(descents, n_jobs, watch)
        found += [descent.keep() for descent in descents]
        n_passes += [descent.n_passes for descent in descents]
        if stopped:
            break
    edges = [(each.is_parent | (problem.rules == REQUIRED)).T for each in found]
    variances = [each.variances * units for each in found]
    scores = np.full(len(orders), np.inf)
    for k, (residual, graph) in enumerate(zip(variances, edges, strict=True)):
        scores[k] = score.total(residual, int(graph.sum()))
    # Equivalent graphs differ by rounding only, which in `scores` depends on the units of the data.
    totals = np.array([each.score for each in found])
    best = int(np.argmax(totals <= totals.min() + score.resolution))
    return OrderSearch(
        found[best].order.astype(np.intp),
        np.ascontiguousarray(edges[best]),
        variances[best],
        float(scores[best]),
        scores,
        n_passes[best],
        found[best].converged,
    )
