"""Correlations of all pairs of variables, each on the rows where neither is zero."""

import numpy as np

from sparsekit.causal.dropout._correlate import correlate
from sparsekit.causal.dropout._marginal import inverse_root
from sparsekit.causal.dropout._samples import Samples, Tests, observed_blocks

__all__ = ["pairwise_correlations"]

# Variance on the rows of a pair, as a share of squares, that may be rounding.
_DOUBTFUL = 1e-6


def pairwise_correlations(samples: Samples) -> tuple[np.ndarray, np.ndarray]:
    """Correlations of each pair on the rows where both are not zero, and the number of these.

    Returns
    -------
    correlations : ndarray of shape (d, d), float64
        0 on the diagonal, and where a column is constant or there are no more than 3 rows.
    n_rows : ndarray of shape (d, d), int64
    """
    d = samples.n_features
    counts, sums, squares, products = np.zeros((4, d, d))
    for shifted, observed in observed_blocks(samples):
        counts += observed.T @ observed
        sums += shifted.T @ observed  # [i, j]: of variable i on the rows of the pair
        squares += (shifted**2).T @ observed
        products += shifted.T @ shifted
    m = np.maximum(counts, 1)
    variances = squares - sums**2 / m
    scale = inverse_root(variances)
    correlations = (products - sums * sums.T / m) * (scale * scale.T)
    n_rows = counts.astype(np.int64)
    doubtful = (variances <= _DOUBTFUL * squares) & (n_rows > 3)
    _repair(correlations, doubtful | doubtful.T, samples)
    correlations[n_rows <= 3] = 0.0
    np.fill_diagonal(correlations, 0.0)
    return correlations, n_rows


def _repair(correlations: np.ndarray, doubtful: np.ndarray, samples: Samples) -> None:
    """Compute doubtful entries again from centred columns."""
    x, y = np.nonzero(np.triu(doubtful, 1))
    if len(x):
        no_members = np.empty(0, dtype=np.int32), np.zeros(2, dtype=np.int64)
        tests = Tests(x.astype(np.int32), y.astype(np.int32), np.array([0, len(x)]), *no_members)
        rho, _ = correlate(samples, tests)
        correlations[x, y] = correlations[y, x] = rho
