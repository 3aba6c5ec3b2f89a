"""Refinement of a DAG: greedy search on the Gaussian BIC, then least squares.

With residual variances ``v_j`` of each variable on its parents, k edges and n samples the score is

    (n d / 2) log(sum_j v_j / d) + (k / 2) log n     equal noise,
    (n / 2) sum_j log v_j        + (k / 2) log n     unequal noise.

A step adds, deletes or reverses the edge that lowers it most. It changes one or two columns of the
graph; what the others would gain is kept.
"""

from typing import NamedTuple

import numpy as np

from sparsekit.causal._gaussian import least_squares, toggled_variances
from sparsekit.causal._weights import keep_required
from sparsekit.core.jit import kernel

__all__ = ["Refined", "Score", "gaussian_bic", "refine_bic", "score_settings"]

# The least improvement that counts; moves closer than this are ties. It is more, by the second
# number, where rounding of the logarithms times the factor of the score is: graphs that differ by
# rounding only would improve upon each other in turn without end.
_TOLERANCE = 1e-9
_ROUNDING = 64 * float(np.finfo(np.float64).eps)

# Below this no logarithm is taken.
_LEAST_VARIANCE = 1e-300

# Kinds of moves: how many edges more there are.
_DELETE, _REVERSE, _ADD = -1, 0, 1


class Refined(NamedTuple):
    """Outcome of a refinement.

    Attributes
    ----------
    adjacency : ndarray of shape (d, d), float64
        Least-squares coefficients on the parents.
    variances : ndarray of shape (d,), float64
        Residual variances, floored.
    score : float
    n_moves : int
    """

    adjacency: np.ndarray
    variances: np.ndarray
    score: float
    n_moves: int


class Score(NamedTuple):
    """Settings of the score.

    Attributes
    ----------
    factor : float
        n d / 2 for equal noise, n / 2 otherwise.
    penalty : float
        Of an edge.
    least : float
        Least variance.
    equal : bool
    tolerance : float
        Least improvement.
    """

    factor: float
    penalty: float
    least: float
    equal: bool
    tolerance: float


def score_settings(n_samples: int, d: int, *, equal: bool, floor: float) -> Score:
    """Set up the score for so many samples of `d` variables."""
    factor = float(n_samples * (d if equal else 1) / 2)
    least = max(_LEAST_VARIANCE, float(floor) ** 2)
    tolerance = max(_TOLERANCE, _ROUNDING * factor)
    return Score(factor, float(np.log(n_samples) / 2), least, bool(equal), tolerance)


def gaussian_bic(score: Score, variances: np.ndarray, n_edges: int) -> float:
    """Score of a graph with these residual variances."""
    variances = np.maximum(variances, score.least)
    logarithm = np.log(variances.mean()) if score.equal else np.log(variances).sum()
    return float(score.factor * logarithm + score.penalty * n_edges)


@kernel(inner=True)
def _gain(score, before, after):
    """Gain of a column, negative if it is better after: see `_change`."""
    return after - before if score.equal else score.factor * np.log(after / before)


@kernel(inner=True)
def _change(score, gain, sum_variances, kind):
    """Change of the score by a move of this kind whose columns have this gain in all."""
    change = score.factor * np.log1p(gain / sum_variances) if score.equal else gain
    return change + score.penalty * kind


@kernel(inner=True)
def _set_limits(score, gain, kind, sum_variances, limits):
    """Gain below which a move of each kind is better than this one; -1 is the last entry."""
    change = _change(score, gain, sum_variances, kind) - score.tolerance
    for other in (_DELETE, _REVERSE, _ADD):
        limit = change - score.penalty * other
        limits[other] = sum_variances * np.expm1(limit / score.factor) if score.equal else limit


@kernel(inner=True)
def _update_column(covariance, score, target, is_parent, rows, variances, gains):
    """Compute the variance of a variable and its gains by one parent more or less."""
    toggled = np.empty(len(variances))
    own = toggled_variances(covariance, target, is_parent[target], rows, toggled)
    variances[target] = max(own, score.least)
    for i in range(len(toggled)):
        gains[i, target] = _gain(score, variances[target], max(toggled[i], score.least))
    gains[target, target] = np.inf


@kernel(inner=True)
def _find_descendants(is_edge, is_parent, descendants):
    """Find which nodes reach which; returns how many do not reach a cycle."""
    d = len(is_edge)
    n_children, ready = np.zeros(d, np.int64), np.empty(d, np.int64)
    n_ready = 0
    for i in range(d):
        for j in range(d):
            n_children[i] += is_edge[i, j]
            descendants[i, j] = is_edge[i, j]
        if n_children[i] == 0:
            ready[n_ready] = i
            n_ready += 1
    done = 0
    while done < n_ready:
        j = ready[done]
        done += 1
        for i in range(d):
            if is_parent[j, i]:
                for k in range(d):
                    descendants[i, k] |= descendants[j, k]
                n_children[i] -= 1
                if n_children[i] == 0:
                    ready[n_ready] = i
                    n_ready += 1
    return done


@kernel(inner=True)
def _has_other_path(is_edge, descendants, i, j):
    """Whether i reaches j by another way than the edge i -> j."""
    found = False
    for child in range(len(is_edge)):
        found |= is_edge[i, child] and descendants[child, j]
    return found


@kernel(inner=True)
def _best_move(score, gains, sum_variances, is_edge, descendants, forbidden, required):
    """Best move (i, j, kind), the first one among ties; i is -1 if nothing improves the score."""
    move, limits = (-1, -1, _REVERSE), np.empty(3)
    _set_limits(score, 0.0, _REVERSE, sum_variances, limits)
    for i in range(len(gains)):
        for j in range(len(gains)):
            gain = gains[i, j]
            if not is_edge[i, j]:
                if gain < limits[_ADD] and not (forbidden[i, j] or descendants[j, i]):
                    move = (i, j, _ADD)
                    _set_limits(score, gain, _ADD, sum_variances, limits)
            elif not required[i, j]:
                if gain < limits[_DELETE]:
                    move = (i, j, _DELETE)
                    _set_limits(score, gain, _DELETE, sum_variances, limits)
                gain += gains[j, i]
                possible = gain < limits[_REVERSE] and not forbidden[j, i]
                if possible and not _has_other_path(is_edge, descendants, i, j):
                    move = (i, j, _REVERSE)
                    _set_limits(score, gain, _REVERSE, sum_variances, limits)
    return move


@kernel(inner=True)
def _set_edge(graph, i, j, value):
    is_edge, is_parent = graph
    is_edge[i, j] = is_parent[j, i] = value


@kernel(inner=True)
def _attempt(covariance, score, move, sum_variances, graph, rows, variances, gains):
    """Make a move unless it only seemed to be an improvement, by rounding; returns whether.

    The variances that decide are functions of the parents alone, however they were reached. So
    the search can not run in circles, and a move that is taken back is not tried again.
    """
    i, j, kind = move
    ends = (j, i)
    n_columns, d = 2 if kind == _REVERSE else 1, len(gains)
    old_gains, old_variances, actual = np.empty((2, d)), np.empty(2), np.zeros(2)
    limits = np.empty(3)
    _set_limits(score, 0.0, _REVERSE, sum_variances, limits)
    _set_edge(graph, i, j, kind == _ADD)
    _set_edge(graph, j, i, kind == _REVERSE)
    for c in range(n_columns):
        old_variances[c] = variances[ends[c]]
        for k in range(d):
            old_gains[c, k] = gains[k, ends[c]]
        _update_column(covariance, score, ends[c], graph[1], rows, variances, gains)
        actual[c] = _gain(score, old_variances[c], variances[ends[c]])
    if actual[0] + actual[1] < limits[kind]:  # the same test as in `_best_move`
        return True
    _set_edge(graph, i, j, kind != _ADD)
    _set_edge(graph, j, i, False)
    for c in range(n_columns):
        variances[ends[c]] = old_variances[c]
        for k in range(d):
            gains[k, ends[c]] = old_gains[c, k]
        gains[ends[1 - c], ends[c]] = actual[c]
    return False


@kernel
def _search(covariance, score, forbidden, required, graph):
    """Improve a graph in place; returns the number of moves, or -1 if it has a cycle."""
    is_edge, is_parent = graph
    d = len(is_edge)
    rows, gains, variances = np.empty((d, d)), np.empty((d, d)), np.empty(d)
    descendants = np.empty((d, d), np.bool_)
    if _find_descendants(is_edge, is_parent, descendants) < d:
        return -1
    for j in range(d):
        _update_column(covariance, score, j, is_parent, rows, variances, gains)
    n_moves = 0
    while True:
        total = variances.sum()
        move = _best_move(score, gains, total, is_edge, descendants, forbidden, required)
        if move[0] < 0:
            return n_moves
        if _attempt(covariance, score, move, total, graph, rows, variances, gains):
            n_moves += 1
            _find_descendants(is_edge, is_parent, descendants)


def refine_bic(
    covariance: np.ndarray,
    n_samples: int,
    start: np.ndarray,
    *,
    equal: bool,
    floor: float,
    forbidden: np.ndarray | None = None,
    required: np.ndarray | None = None,
) -> Refined:
    """Improve a DAG edge by edge until the Gaussian BIC has a local minimum.

    Parameters
    ----------
    covariance : ndarray of shape (d, d), float64
        Divided by the number of samples.
    n_samples : int
    start : ndarray of shape (d, d), bool
        A DAG with all required and no forbidden edges.
    equal : bool
        Whether all noise variances are equal.
    floor : float
        Least noise scale; residual variances are not taken below its square.
    forbidden, required : ndarray of shape (d, d), bool, or None
        Edges that are never added, and never deleted or reversed.

    Returns
    -------
    Refined

    Raises
    ------
    ValueError
        If the start has a cycle.
    """
    covariance = np.ascontiguousarray(covariance, dtype=np.float64)
    is_edge = np.array(start, dtype=bool, order="C")
    none = np.zeros_like(is_edge)
    forbidden = none if forbidden is None else np.ascontiguousarray(forbidden)
    required = none if required is None else np.ascontiguousarray(required)
    score = score_settings(n_samples, len(covariance), equal=equal, floor=floor)
    graph = (is_edge, np.ascontiguousarray(is_edge.T))
    n_moves = _search(covariance, score, forbidden, required, graph)
    if n_moves < 0:
        raise ValueError("expected the search to start at a DAG, got a graph with a cycle.")
    adjacency, variances = least_squares(covariance, is_edge)
    keep_required(adjacency, required)
    variances = np.maximum(variances, score.least)
    return Refined(adjacency, variances, gaussian_bic(score, variances, is_edge.sum()), n_moves)
