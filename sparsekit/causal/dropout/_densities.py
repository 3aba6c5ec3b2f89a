"""Gaussian densities of each variable given its parents, for scores of new samples."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from sparsekit.causal.dropout._fisher_z import FisherZ
from sparsekit.causal.dropout._samples import Samples
from sparsekit.core.bits import unpack_rows
from sparsekit.core.pdag import consistent_extension

__all__ = ["Densities", "Observed", "fit_densities", "mean_log_density", "observe"]

# What counts as nothing: shares of a variance, and a deviation as a share of the mean.
_NOTHING = 1e-10
_ROUNDING = 1e-13


class Observed(NamedTuple):
    """Values, and which of them a test would use.

    Attributes
    ----------
    columns : csc_array of shape (n, d), or ndarray of shape (d, n), float64
    samples : Samples
        Of the same rows.
    """

    columns: np.ndarray | sp.csc_array
    samples: Samples

    def rows(self, variable: int, parents: np.ndarray) -> np.ndarray:
        """Rows that a test of the variable given its parents would use."""
        kept = np.append(parents, variable) if self.samples.testwise else parents
        if not self.samples.deletes or len(kept) == 0:
            return np.arange(self.samples.n_rows)
        mask = np.bitwise_and.reduce(self.samples.masks[kept], axis=0)
        return np.flatnonzero(unpack_rows(mask[None], self.samples.n_rows))

    def block(self, variables: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Values of variables on rows, shape (n_variables, n_rows)."""
        block = np.empty((len(variables), len(rows)))
        for number, variable in enumerate(variables.tolist()):
            self._column(variable).take(rows, out=block[number], mode="clip")
        return block

    def _column(self, variable: int) -> np.ndarray:
        if isinstance(self.columns, np.ndarray):
            return self.columns[variable]
        column = np.zeros(self.samples.n_rows)
        slots = slice(self.columns.indptr[variable], self.columns.indptr[variable + 1])
        column[self.columns.indices[slots]] = self.columns.data[slots]
        return column


def observe(values: np.ndarray | sp.csc_array, samples: Samples) -> Observed:
    """Pair a table with its samples, which may have fewer rows: those without any zero."""
    if samples.n_rows < values.shape[0]:
        counts = (values != 0).sum(axis=1)
        values = values[np.flatnonzero(counts == values.shape[1])]
    if sp.issparse(values):
        return Observed(values, samples)
    # One copy is cheaper than to gather from rows, over and over again.
    return Observed(np.ascontiguousarray(values.T) if samples.deletes else values.T, samples)


class Densities(NamedTuple):
    """A linear regression with Gaussian noise for each variable.

    Attributes
    ----------
    indptr : ndarray of shape (d + 1,), intp
    parents : ndarray, intp
        Those of v are at ``indptr[v]`` to ``indptr[v + 1]``.
    slopes : ndarray, float64
    intercepts : ndarray of shape (d,), float64
    scales : ndarray of shape (d,), float64
        Standard deviations of the noise; 0 for variables without a density.
    """

    indptr: np.ndarray
    parents: np.ndarray
    slopes: np.ndarray
    intercepts: np.ndarray
    scales: np.ndarray


class _Moments(NamedTuple):
    """Moments of k variables, each after its p parents, on the rows of their tests."""

    variables: np.ndarray  # (k, p + 1)
    means: np.ndarray  # (k, p + 1)
    deviations: np.ndarray  # (k, p + 1)
    correlations: np.ndarray  # (k, p + 1, p + 1)


def fit_densities(
    observed: Observed, adjacency: np.ndarray, correlations: np.ndarray | None = None
) -> Densities:
    """Regress each variable on its parents, on the rows that a test given the parents would use.

    Parents are those of a consistent extension. If there is none, undirected edges point from
    earlier to later columns.

    Parameters
    ----------
    observed : Observed
    adjacency : ndarray of shape (d, d), bool
        Partially directed: i -> j at [i, j] alone, i - j at both.
    correlations : ndarray of shape (d, d), float64, default=None
        Of all rows; saves time if nothing is deleted.

    Returns
    -------
    Densities
        Variables that are constant on their rows have none, nor those with fewer than two rows more
        than parents. Parents that are constant or copies of others take no part.
    """
    dag = consistent_extension(adjacency)
    if dag is None:
        dag = adjacency & ~(np.tril(adjacency) & adjacency.T)
    child, parents = np.nonzero(dag.T)
    d = len(dag)
    indptr = np.searchsorted(child, np.arange(d + 1))
    found = Densities(indptr, parents, np.zeros(len(parents)), np.zeros(d), np.zeros(d))
    # Values whose squares are not in range leave no density.
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        overall = None if observed.samples.deletes else _overall(observed, correlations)
        for family in _families(found):
            if observed.samples.n_rows > family.shape[1]:
                moments = _pick(overall, family) if overall else _gather(observed, family)
                _regress(moments, found)
    return found


def _families(found: Densities) -> Iterator[np.ndarray]:
    """Variables with p parents, each after these, in arrays of shape (k, p + 1)."""
    counts = np.diff(found.indptr)
    for p in np.unique(counts).tolist():
        variables = np.flatnonzero(counts == p)
        above = found.parents[found.indptr[variables][:, None] + np.arange(p)]
        yield np.column_stack((above, variables))


def _overall(observed: Observed, correlations: np.ndarray | None) -> _Moments:
    """Moments of all columns on all rows."""
    columns, n = observed.columns, max(observed.samples.n_rows, 1)
    if isinstance(columns, sp.csc_array):
        counts = np.diff(columns.indptr)
        column = np.repeat(np.arange(len(counts)), counts)
        means = np.bincount(column, columns.data, len(counts)) / n
        stored = np.bincount(column, np.square(columns.data - means[column]), len(counts))
        squares = stored + (n - counts) * np.square(means)
    else:
        means = columns.sum(axis=1) / n
        centred = columns - means[:, None]
        squares = np.einsum("ij,ij->i", centred, centred)
    if correlations is None:
        correlations, _ = FisherZ(observed.samples).correlations()
    return _Moments(np.arange(len(means)), means, np.sqrt(squares / n), correlations)


def _pick(overall: _Moments, family: np.ndarray) -> _Moments:
    """Moments of families from those of all columns."""
    chosen = overall.correlations[family[:, :, None], family[:, None, :]]
    return _Moments(family, overall.means[family], overall.deviations[family], chosen)


def _gather(observed: Observed, family: np.ndarray) -> _Moments:
    """Moments of families on the rows of each of them; not a number if there are too few."""
    k, size = family.shape
    means, products = np.full((k, size), np.nan), np.zeros((k, size, size))
    for number, variables in enumerate(family):
        rows = observed.rows(variables[-1], variables[:-1])
        if len(rows) > size:
            block = observed.block(variables, rows)
            means[number] = block.mean(axis=1)
            block -= means[number][:, None]
            np.matmul(block, block.T, out=products[number])
            products[number] /= len(rows)
    deviations = np.sqrt(np.diagonal(products, axis1=1, axis2=2))
    units = np.where(deviations > 0, deviations, np.inf)
    return _Moments(family, means, deviations, products / units[:, :, None] / units[:, None, :])


def _regress(moments: _Moments, found: Densities) -> None:
    """Least squares of the last variable of each family on the others."""
    variables, means, deviations, correlations = moments
    usable = np.isfinite(deviations) & (deviations > _ROUNDING * np.abs(means))
    deviations, means = np.where(usable, deviations, 0.0), np.where(usable, means, 0.0)
    correlations = np.where(usable[:, :, None] & usable[:, None, :], correlations, 0.0)
    joint = correlations[:, :-1, -1]
    inverse = np.linalg.pinv(correlations[:, :-1, :-1], rcond=_NOTHING, hermitian=True)
    weights = np.einsum("kij,kj->ki", inverse, joint)
    left = np.maximum(1.0 - np.einsum("ki,ki->k", weights, joint), _NOTHING)
    slopes = weights * deviations[:, -1:] / np.where(usable, deviations, 1.0)[:, :-1]
    child, slots = variables[:, -1], np.arange(weights.shape[1])
    found.slopes[found.indptr[child][:, None] + slots] = slopes
    found.intercepts[child] = means[:, -1] - np.einsum("ki,ki->k", slopes, means[:, :-1])
    found.scales[child] = deviations[:, -1] * np.sqrt(left)


def mean_log_density(observed: Observed, densities: Densities) -> float:
    """Mean of the log-densities over rows, then over variables.

    Variables without a density, and those for which no row is left, do not count.

    Raises
    ------
    ValueError
        If no variable counts.
    """
    indptr, above, slopes, intercepts, scales = densities
    means = []
    for variable in np.flatnonzero(scales).tolist():
        slots = slice(indptr[variable], indptr[variable + 1])
        rows = observed.rows(variable, above[slots])
        if len(rows):
            block = observed.block(np.append(above[slots], variable), rows)
            expected = intercepts[variable] + slopes[slots] @ block[:-1]
            distances = np.square((block[-1] - expected) / scales[variable])
            constant = np.log(scales[variable]) + np.log(2 * np.pi) / 2
            means.append(-distances.mean() / 2 - constant)
    if not means:
        raise ValueError(
            "no variable has a density and samples to score: for each of them all rows are "
            "deleted, or it was constant in fit. Pass more samples, or set zero_handling='none'."
        )
    return float(np.mean(means))
