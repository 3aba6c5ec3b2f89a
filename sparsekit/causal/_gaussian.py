"""Local Gaussian scores from a covariance: residual variances of a variable on sets of parents.

Everything rests on one step, `condition_on`. With the rows ``Z = L^-1 C_S`` of the variables S so
far, where L is the Cholesky factor of ``C_SS``, one more variable costs one more row; the factor
itself is ``Z`` at the columns S. The residual variances of all variables on S are the diagonal of
``C - Z' Z``, so that the effect of every further parent is at hand.
"""

from typing import NamedTuple

import numpy as np

from sparsekit.core.jit import kernel

__all__ = [
    "Regressions",
    "condition_on",
    "drop_each",
    "is_redundant",
    "least_squares",
    "toggled_variances",
]

# A variable whose variance given the others is below this share of its own, or below the second
# number, is a linear combination of them: what is left is rounding.
_REDUNDANT = 1e-12
_LEAST_PIVOT = 1e-300


class Regressions(NamedTuple):
    """Every variable regressed on its parents.

    Attributes
    ----------
    coefficients : ndarray of shape (d, d), float64
        Zero outside the parents; entry [i, j] is that of i in the regression of j.
    variances : ndarray of shape (d,), float64
        Residual variances; rounding may leave them slightly negative.
    """

    coefficients: np.ndarray
    variances: np.ndarray


@kernel(inner=True)
def is_redundant(pivot, variance):
    """Whether a variable with this variance given the others adds nothing to them."""
    return pivot <= max(_LEAST_PIVOT, _REDUNDANT * variance)


@kernel(inner=True)
def condition_on(covariance, node, rows, n_rows, variances):
    """Condition all variables on one more, `node`.

    ``rows[:n_rows]`` holds Z and `variances` the residual variances; both are updated. Returns the
    number of rows, which does not grow if the variable is redundant.
    """
    if is_redundant(variances[node], covariance[node, node]):
        return n_rows
    d = len(variances)
    for c in range(d):
        rows[n_rows, c] = covariance[node, c]
    for m in range(n_rows):
        factor = rows[m, node]
        for c in range(d):
            rows[n_rows, c] -= factor * rows[m, c]
    deviation = np.sqrt(variances[node])
    for c in range(d):
        rows[n_rows, c] /= deviation
        variances[c] -= rows[n_rows, c] * rows[n_rows, c]
    return n_rows + 1


@kernel(inner=True)
def _condition_on_parents(covariance, parents, left_out, rows, variances, kept):
    """Condition on a list of parents but one; `kept` receives those that are not redundant."""
    for c in range(len(variances)):
        variances[c] = covariance[c, c]
    n_rows = 0
    for parent in parents:
        if parent != left_out:
            kept[n_rows] = parent
            n_rows = condition_on(covariance, parent, rows, n_rows, variances)
    return n_rows


@kernel(inner=True)
def _add_each(covariance, target, rows, n_rows, variances, toggled):
    """Residual variance of the target with each variable as one more parent."""
    for c in range(len(variances)):
        toggled[c] = covariance[target, c]
    for m in range(n_rows):
        factor = rows[m, target]
        for c in range(len(variances)):
            toggled[c] -= factor * rows[m, c]
    own = variances[target]
    for c in range(len(variances)):
        if is_redundant(variances[c], covariance[c, c]):
            toggled[c] = own
        else:
            share = toggled[c] / np.sqrt(variances[c])
            toggled[c] = own - share * share


@kernel(inner=True)
def drop_each(target, rows, parents, own, work, toggled):
    """Residual variance of the target with each parent left out; none may be redundant.

    Leaving out i adds ``beta_i^2 / P_ii``, where beta are the coefficients and P is the inverse of
    the parents' covariance. Both come from column i of the inverse of the Cholesky factor.
    """
    k = len(parents)
    for i in range(k):
        work[i] = 1.0 / rows[i, parents[i]]
        precision = work[i] * work[i]
        coefficient = work[i] * rows[i, target]
        for r in range(i + 1, k):
            total = 0.0
            for m in range(i, r):
                total -= rows[m, parents[r]] * work[m]
            work[r] = total / rows[r, parents[r]]
            precision += work[r] * work[r]
            coefficient += work[r] * rows[r, target]
        toggled[parents[i]] = own + coefficient * coefficient / precision


@kernel(inner=True)
def _list_parents(is_parent):
    parents, k = np.empty(len(is_parent), np.int64), 0
    for i in range(len(is_parent)):
        if is_parent[i]:
            parents[k] = i
            k += 1
    return parents[:k]


@kernel
def toggled_variances(covariance, target, is_parent, rows, toggled):
    """Residual variances of a variable if each other one joins, or leaves, its parents.

    `is_parent`, of length d, marks the parents, `rows` of shape (d, d) is room to work in, and
    `toggled` receives the result; its entry at the target has no meaning. Parents that are a linear
    combination of others count as if they were not there. Returns the present residual variance.
    """
    d = len(is_parent)
    parents = _list_parents(is_parent)
    kept, variances, work = np.empty(d, np.int64), np.empty(d), np.empty(d)
    n_rows = _condition_on_parents(covariance, parents, -1, rows, variances, kept)
    own = variances[target]
    _add_each(covariance, target, rows, n_rows, variances, toggled)
    if n_rows == len(parents):
        drop_each(target, rows, parents, own, work, toggled)
        return own
    for parent in parents:
        _condition_on_parents(covariance, parents, parent, rows, variances, kept)
        toggled[parent] = variances[target]
    return own


@kernel
def _gather(covariance, parents, target, block):
    """Copy the covariance of the parents and, at the end, the target."""
    k = len(parents)
    for a in range(k):
        for b in range(k):
            block[a, b] = covariance[parents[a], parents[b]]
        block[a, k] = block[k, a] = covariance[parents[a], target]
    block[k, k] = covariance[target, target]


@kernel
def _regress(covariance, target, is_parent, coefficients):
    """Coefficients of one variable, and its residual variance; redundant parents get 0."""
    parents = _list_parents(is_parent)
    k = len(parents)
    block, rows = np.empty((k + 1, k + 1)), np.empty((k + 1, k + 1))
    kept, variances = np.empty(k + 1, np.int64), np.empty(k + 1)
    _gather(covariance, parents, target, block)
    n_rows = _condition_on_parents(block, np.arange(k), -1, rows, variances, kept)
    for r in range(n_rows - 1, -1, -1):
        total = rows[r, k]
        for m in range(r + 1, n_rows):
            total -= rows[r, kept[m]] * coefficients[parents[kept[m]]]
        coefficients[parents[kept[r]]] = total / rows[r, kept[r]]
    return variances[k]


@kernel
def _regress_all(covariance, is_parent, coefficients, variances):
    """Regress all variables; arrays have one row a variable."""
    for target in range(len(variances)):
        variances[target] = _regress(covariance, target, is_parent[target], coefficients[target])


def least_squares(covariance: np.ndarray, is_edge: np.ndarray) -> Regressions:
    """Regress every variable on its parents.

    Parameters
    ----------
    covariance : ndarray of shape (d, d), float64, C-contiguous
    is_edge : ndarray of shape (d, d), bool
        Entry [i, j] says whether i is a parent of j.

    Returns
    -------
    Regressions
        Parents that are a linear combination of those before them have coefficient 0.
    """
    coefficients, variances = np.zeros_like(covariance), np.empty(len(covariance))
    _regress_all(covariance, np.ascontiguousarray(is_edge.T), coefficients, variances)
    return Regressions(np.ascontiguousarray(coefficients.T), variances)
