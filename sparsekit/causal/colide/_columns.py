"""Exact solution of the elastic nets into which a Newton step of CoLiDE falls apart.

For each column w of W, with target j, the model at ``w0`` is

    a/2 (w' C w - 2 C_j' w) + 1/2 sum_i ridge_i w_i^2 + tau/2 ||w - w0||^2 + sum_i t_i |w_i|.

An active-set method solves it: guess the signs of the support, minimise the quadratic that they
leave, drop what comes out with another sign, add what violates the optimality conditions. Supports
change little from one Newton step to the next and are long (half of all variables), so nearly all
time goes into Cholesky factors. They are kept while the support changes: members that drop out or
join invalidate only the rows from their place on, and the newest, which are most likely to drop out
again, stand last.

Weights are stored by target (the transpose of W), so that the parents of a column are contiguous.
"""

from typing import NamedTuple

import numpy as np

from sparsekit.core.jit import count_workers, kernel, run_workers
from sparsekit.core.partition import split_evenly

__all__ = ["ColumnModels", "ColumnSolver"]

# Rounds of adding violators, and of dropping members of the wrong sign in each of them. What is
# left then is found in the next Newton step.
_ROUNDS = 3
_DROPS = 20

# Violations below this share of the threshold are rounding.
_SLACK = 1e-4

# A pivot below this share of its diagonal is a singular matrix: of copies of a variable, or of more
# variables than samples. The column is then solved again with a proximal term of its own, one after
# the other of these shares of the mean diagonal, until something is gained: copies that should join
# together never would without.
_SINGULAR = 1e-12
_DAMPINGS = (0.0, 1e-4, 1e-2, 1.0)

# What `_solve_column` returns instead of a number of members.
_NOTHING_GAINED, _IS_SINGULAR = -1, -2

_ONE, _TWO, _THREE = np.uint64(1), np.uint64(2), np.uint64(3)


class ColumnModels(NamedTuple):
    """The models of all columns, by target.

    Attributes
    ----------
    covariance : ndarray of shape (d, d), float64
    weights : ndarray of shape (d, d), float64
        Transpose of W: row j is w0 of column j.
    residuals : ndarray of shape (d, d), float64
        ``C - weights @ C``: row j is ``C_j - C w0``.
    ridges : ndarray of shape (d, d), float64
    thresholds : ndarray of shape (d, d), float64
        Infinite for weights that must stay zero.
    factors : ndarray of shape (d,), float64
        The a of each column.
    tau : float
    """

    covariance: np.ndarray
    weights: np.ndarray
    residuals: np.ndarray
    ridges: np.ndarray
    thresholds: np.ndarray
    factors: np.ndarray
    tau: float


@kernel(inner=True)
def _extend_row(U, i, first, n):
    """Subtract from ``U[i, first:n]`` what the rows above explain, four rows at a time."""
    row = U[i]
    k = np.uint64(0)
    while k + _THREE < i:
        f0, f1, f2, f3 = U[k, i], U[k + _ONE, i], U[k + _TWO, i], U[k + _THREE, i]
        r0, r1, r2, r3 = U[k], U[k + _ONE], U[k + _TWO], U[k + _THREE]
        for c in range(first, n):
            row[c] -= f0 * r0[c] + f1 * r1[c] + f2 * r2[c] + f3 * r3[c]
        k += np.uint64(4)
    while k < i:
        factor, above = U[k, i], U[k]
        for c in range(first, n):
            row[c] -= factor * above[c]
        k += _ONE


@kernel
def _factorise(C, members, n_valid, n, a, ridge, tau, U, y):
    """Extend the factor ``U' U`` of the Hessian and ``y = U'^-1 rhs`` from `n_valid` to `n`.

    On entry ``y[n_valid:n]`` holds the right-hand side. Returns False if the matrix is singular.
    """
    for i in range(np.uint64(n)):
        first = max(i, np.uint64(n_valid))
        row, variable = U[i], members[i]
        for c in range(first, np.uint64(n)):
            row[c] = a * C[variable, members[c]]
        if i == first:
            row[i] += ridge[variable] + tau
            diagonal = row[i]
            _extend_row(U, i, first, np.uint64(n))
            if not row[i] > _SINGULAR * diagonal:
                return False
            row[i] = np.sqrt(row[i])
            y[i] /= row[i]
            first += _ONE
        else:
            _extend_row(U, i, first, np.uint64(n))
        inverse = 1.0 / row[i]
        value = y[i]
        for c in range(first, np.uint64(n)):
            row[c] *= inverse
            y[c] -= row[c] * value
    return True


@kernel(reassociate=True, inner=True)
def _back_substitute(U, y, n, v):
    """Solve ``U v = y``."""
    for i in range(n - 1, -1, -1):
        row = U[i]
        total = 0.0
        for c in range(i + 1, n):
            total += row[c] * v[c]
        v[i] = (y[i] - total) / row[i]


@kernel(inner=True)
def _drop_wrong_signs(members, n, v, y, sign, thresholds):
    """Keep the members whose value has the sign that was assumed; the number and first place."""
    kept, first = 0, n
    for k in range(n):
        i = members[k]
        if v[k] * sign[i] <= 0.0 and thresholds[i] > 0.0:
            sign[i] = 0.0
            first = min(first, k)
        else:
            members[kept] = i
            v[kept] = v[k]
            kept += 1
    return kept, first


@kernel(inner=True)
def _add_violators(members, n, r, w0, a, tau, sign, thresholds):
    """Append variables whose weight should leave zero; the new number of members."""
    for i in range(len(sign)):
        if sign[i] == 0.0 and thresholds[i] < np.inf:
            pull = a * r[i] + tau * w0[i]
            if abs(pull) > thresholds[i] * (1.0 + _SLACK):
                sign[i] = 1.0 if pull > 0.0 else -1.0
                members[n] = i
                n += 1
    return n


@kernel
def _minimise_over_support(j, C, members, n, n_valid, w0, ridge, thresholds, a, tau, sign, U, y, v):
    """Solve for the members' values in `v`, dropping those that change sign.

    Returns how many are left, and for how many of these the factor holds.
    """
    for _ in range(_DROPS):
        for k in range(n_valid, n):
            i = members[k]
            y[k] = a * C[j, i] + tau * w0[i] - thresholds[i] * sign[i]
        if not _factorise(C, members, n_valid, n, a, ridge, tau, U, y):
            return _IS_SINGULAR, n_valid
        _back_substitute(U, y, n, v)
        kept, n_valid = _drop_wrong_signs(members, n, v, y, sign, thresholds)
        if kept == n:
            break
        n = kept
    return n, n_valid


@kernel(inner=True)
def _copy(source, target):
    """Copy a row; assigning to a slice costs seconds of compilation."""
    for i in range(len(target)):
        target[i] = source[i]


@kernel(inner=True)
def _set_residual(j, C, members, n, w, r):
    """Compute ``r = C_j - C w``, four members at a time."""
    _copy(C[j], r)
    k = 0
    while k + 3 < n:
        i0, i1, i2, i3 = members[k], members[k + 1], members[k + 2], members[k + 3]
        w0, w1, w2, w3 = w[i0], w[i1], w[i2], w[i3]
        c0, c1, c2, c3 = C[i0], C[i1], C[i2], C[i3]
        for i in range(len(r)):
            r[i] -= w0 * c0[i] + w1 * c1[i] + w2 * c2[i] + w3 * c3[i]
        k += 4
    while k < n:
        value, row = w[members[k]], C[members[k]]
        for i in range(len(r)):
            r[i] -= value * row[i]
        k += 1


@kernel(reassociate=True, inner=True)
def _model_change(w, r, w0, r0, ridge, thresholds, a, tau):
    """Value of the model at w minus that at w0."""
    total = 0.0
    for i in range(len(w)):
        change = w[i] - w0[i]
        if change != 0.0:
            total += change * (ridge[i] * w0[i] - 0.5 * a * (r0[i] + r[i]))
            total += 0.5 * (ridge[i] + tau) * change * change
            total += thresholds[i] * (abs(w[i]) - abs(w0[i]))
    return total


@kernel(inner=True)
def _solve_column(j, C, w, r, w0, r0, ridge, thresholds, a, tau, members, n, sign, U, y, v):
    """Overwrite w and r with the solution; the number of members, or why there is none."""
    for i in range(len(sign)):
        sign[i] = np.sign(w0[i])
    n = _add_violators(members, n, r0, w0, a, tau, sign, thresholds)
    n_valid = np.int64(0)  # a literal would compile a variant of its own
    for _ in range(_ROUNDS):
        n, n_valid = _minimise_over_support(
            j, C, members, n, n_valid, w0, ridge, thresholds, a, tau, sign, U, y, v
        )
        if n == _IS_SINGULAR:
            return n
        for i in range(len(w)):
            w[i] = 0.0
        for k in range(n):
            w[members[k]] = v[k]
        _set_residual(j, C, members, n, w, r)
        n_solved = n
        n = _add_violators(members, n, r, w0, a, tau, sign, thresholds)
        if n == n_solved:
            break
    if _model_change(w, r, w0, r0, ridge, thresholds, a, tau) < 0.0:
        return n_solved
    return _NOTHING_GAINED


@kernel(inner=True)
def _list_support(w, members):
    """Write the places of the nonzeros into `members`; how many there are."""
    n = 0
    for i in range(len(w)):
        if w[i] != 0.0:
            members[n] = i
            n += 1
    return n


@kernel(inner=True)
def _keep_support(w, members, n):
    """Drop members without weight, in their order; how many are left."""
    kept = 0
    for k in range(n):
        if w[members[k]] != 0.0:
            members[kept] = members[k]
            kept += 1
    return kept


@kernel
def _solve_columns(lo, hi, worker, models, weights, residuals, members, counts, scratch):
    """Solve the models of the columns lo .. hi - 1, each from its last support."""
    C, W0, R0, ridges, thresholds, factors, tau = models
    U, vectors = scratch[0][worker], scratch[1][worker]
    sign, y, v = vectors[0], vectors[1], vectors[2]
    mean_variance = 0.0
    for j in range(len(C)):
        mean_variance += C[j, j] / len(C)
    for j in range(lo, hi):
        n_known = _keep_support(W0[j], members[j], counts[j])
        for share in _DAMPINGS:
            n = _solve_column(
                j, C, weights[j], residuals[j], W0[j], R0[j], ridges[j], thresholds[j], factors[j],
                tau + share * factors[j] * mean_variance, members[j], n_known, sign, U, y, v,
            )  # fmt: skip
            if n >= 0 or (share == 0.0 and n == _NOTHING_GAINED):
                break
            n_known = _list_support(W0[j], members[j])
        if n < 0:
            _copy(W0[j], weights[j])
            _copy(R0[j], residuals[j])
            n = _list_support(W0[j], members[j])
        counts[j] = n


class ColumnSolver:
    """Solver that remembers the order in which variables joined the supports.

    Parameters
    ----------
    weights : ndarray of shape (d, d), float64
        Transpose of the weights that the first models start from.
    n_jobs : int or None
        Columns are independent: the result is the same for any number of threads.
    """

    def __init__(self, weights: np.ndarray, n_jobs: int | None = None):
        d = len(weights)
        self._n_jobs = n_jobs
        self._ranges = split_evenly(d, min(d, 64))
        n_workers = count_workers(self._ranges, n_jobs)
        self._scratch = np.empty((n_workers, d, d)), np.empty((n_workers, 3, d))
        self._members = np.zeros((d, d), dtype=np.uint32)
        self._counts = np.count_nonzero(weights, axis=1)
        for row, members, count in zip(weights, self._members, self._counts, strict=True):
            members[:count] = np.flatnonzero(row)

    def solve(self, models: ColumnModels) -> tuple[np.ndarray, np.ndarray]:
        """New weights and residuals, arranged as in `models`."""
        weights, residuals = np.empty_like(models.weights), np.empty_like(models.residuals)
        arrays = (weights, residuals, self._members, self._counts, self._scratch)
        run_workers(_solve_columns, self._ranges, self._n_jobs, tuple(models), *arrays)
        return weights, residuals
