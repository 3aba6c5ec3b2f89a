"""Sufficient statistics of linear models: number of samples, mean and covariance."""

from typing import Any, NamedTuple

import numpy as np

__all__ = ["Moments", "add_samples", "check_range", "combine", "without_variance"]

# Entries of a block of samples, of which centred copies are made.
_BLOCK_SIZE = 2**22


class Moments(NamedTuple):
    """What linear models need to know of their samples.

    Attributes
    ----------
    n_samples : int
    mean : ndarray of shape (d,), float64
    covariance : ndarray of shape (d, d), float64
        Divided by the number of samples. Exactly zero for constant variables.
    place : (module, object) or None
        Array namespace and device on which to go on computing; None: numpy.
    """

    n_samples: int
    mean: np.ndarray
    covariance: np.ndarray
    place: tuple[Any, Any] | None = None


def add_samples(moments: Moments | None, X: np.ndarray) -> Moments:
    """Update moments by the pairwise formula of Chan, Golub and LeVeque.

    Parameters
    ----------
    moments : Moments or None
        None: there were no samples before.
    X : ndarray of shape (n_samples, d), float64 or float32
        Copied block by block only.

    Returns
    -------
    Moments

    Raises
    ------
    ValueError
        If squares overflow or underflow.

    References
    ----------
    .. [1] T. F. Chan, G. H. Golub, R. J. LeVeque: "Algorithms for computing the sample variance:
       analysis and recommendations", The American Statistician 37, 1983.
    """
    X = np.asarray(X)  # drops the class of memory maps
    d = X.shape[1]
    if moments is None:
        moments = Moments(0, X[0].astype(np.float64), np.zeros((d, d)))
    n_rows = max(1, _BLOCK_SIZE // d)
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(X), n_rows):
            moments = _add_block(moments, X[start : start + n_rows])
    tiny = without_variance(moments)
    check_range(moments, underflows=bool((X[:, tiny] != moments.mean[tiny]).any()))
    return moments


def without_variance(moments: Moments) -> np.ndarray:
    """Whether each variable is constant, or its squares underflow."""
    return moments.covariance.diagonal() < np.finfo(np.float64).tiny


def check_range(moments: Moments, *, underflows: bool) -> None:
    """Raise ValueError if squares underflow, as the caller has seen, or overflow."""
    if underflows or not np.isfinite(moments.covariance).all():
        raise ValueError(
            f"expected data whose squares are in the range of floating-point numbers, but they "
            f"{'underflow' if underflows else 'overflow'}: multiply all columns by a common number."
        )


def _add_block(moments: Moments, block: np.ndarray) -> Moments:
    """Centre at the old mean first: what is common to all samples cancels without rounding."""
    centred = np.subtract(block, moments.mean, dtype=np.float64)
    shift = centred.mean(axis=0)
    centred -= shift
    return combine(moments, len(block), shift, centred.T @ centred / len(block))


def combine(moments: Moments, n_added: int, shift: np.ndarray, covariance: np.ndarray) -> Moments:
    """Add samples of which the number, the mean less the old one, and the covariance are known."""
    n_before = moments.n_samples
    n = n_before + n_added
    covariance = covariance * (n_added / n)
    covariance += moments.covariance * (n_before / n)
    covariance += np.outer(shift, shift) * (n_before / n * (n_added / n))
    return Moments(n, moments.mean + shift * (n_added / n), covariance)
