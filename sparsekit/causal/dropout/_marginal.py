"""Correlations of all pairs of variables on all rows."""

import numpy as np

from sparsekit.causal._moments import Moments, add_samples
from sparsekit.causal.dropout._samples import Samples, row_blocks

__all__ = ["all_correlations", "inverse_root"]


def all_correlations(samples: Samples) -> np.ndarray:
    """Correlations on all rows.

    Returns
    -------
    ndarray of shape (d, d), float64
        0 where a column is constant, on the diagonal too, which else is 1.
    """
    d = samples.n_features
    if samples.n_rows < 2:
        return np.zeros((d, d))
    moments: Moments | None = None
    for block in row_blocks(samples):
        moments = add_samples(moments, block)
    assert moments is not None
    covariance = moments.covariance
    scale = inverse_root(covariance.diagonal())
    covariance *= np.outer(scale, scale)  # in one step, which stays symmetric
    np.fill_diagonal(covariance, scale > 0)
    return covariance


def inverse_root(variances: np.ndarray) -> np.ndarray:
    """1 / sqrt of each; 0 of what is not positive."""
    root = np.sqrt(np.maximum(variances, 0))
    return np.divide(1.0, root, out=np.zeros_like(root), where=root > 0)
