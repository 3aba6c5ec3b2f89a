"""From the parents of every variable to a weighted graph."""

import numpy as np
import scipy.sparse as sp

from sparsekit.causal._gaussian import least_squares
from sparsekit.core import csr

__all__ = ["keep_required", "weighted_dag"]

# What a required edge weighs if least squares gives it nothing.
_LEAST_WEIGHT = 1e-8


def keep_required(weights: np.ndarray, required: np.ndarray | None) -> None:
    """Give required edges of weight 0 a tiny one, in place: only what is stored is an edge."""
    if required is not None:
        weights[required & (weights == 0)] = _LEAST_WEIGHT


def weighted_dag(
    covariance: np.ndarray, is_edge: np.ndarray, required: np.ndarray | None = None
) -> tuple[sp.csr_array, np.ndarray]:
    """Regress every variable on its parents.

    Parameters
    ----------
    covariance : ndarray of shape (d, d), float64
        In any units: the regressions are done on correlations, which neither overflow nor vanish.
    is_edge : ndarray of shape (d, d), bool
        Entry [i, j] says whether i is a parent of j.
    required : ndarray of shape (d, d), bool, default=None
        Edges that are kept also where their coefficient is 0, with a weight of 1e-8.

    Returns
    -------
    csr_array of shape (d, d), float64
        The weights.
    ndarray of shape (d,), float64
        Residual variances.
    """
    scale = np.sqrt(covariance.diagonal())
    scale[scale == 0] = 1.0
    coefficients, variances = least_squares(covariance / np.outer(scale, scale), is_edge)
    weights = coefficients * scale / scale[:, None]
    keep_required(weights, required)
    return csr.canonical(weights), np.maximum(variances, 0.0) * scale * scale
