"""Sufficient statistics of linear models: number of samples, mean and covariance."""

from typing import Any, NamedTuple

import numpy as np

from sparsekit._sklearn_compat import max_precision_float_dtype
from sparsekit.causal._inputs import to_float64

__all__ = ["Moments", "add_samples", "array_api_moments"]

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
    tiny = _without_variance(moments)
    _check_range(moments, underflows=bool((X[:, tiny] != moments.mean[tiny]).any()))
    return moments


def array_api_moments(
    X: Any, *, xp: Any, device: Any = None, moments: Moments | None = None
) -> Moments:
    """Update number, mean and covariance of samples where these are, as `add_samples` does.

    Parameters
    ----------
    X : array of shape (n, d)
        Of any library that follows the array API standard; finite; not changed.
    xp : module
        Namespace of `X`, as scikit-learn's `get_namespace` returns it.
    device : object, default=None
        Where `X` is. None: the default device of the library.
    moments : Moments, default=None
        None: there were no samples before.

    Returns
    -------
    Moments
        Numpy arrays of float64; computed in single precision where the device has no other. `place`
        is where.

    Raises
    ------
    ValueError
        If squares overflow or underflow.
    """
    X = xp.astype(X, max_precision_float_dtype(xp, device))
    if moments is None:
        mean, d = to_float64(X[0, :], xp), X.shape[1]
        moments = Moments(0, mean, np.zeros((d, d)))
    origin = xp.asarray(moments.mean, dtype=X.dtype, device=device, copy=True)
    # Constant columns are exactly zero from here on, and so are their variances.
    X = X - origin
    varies = to_float64(xp.any(X != 0, axis=0), xp)
    mean = xp.mean(X, axis=0)
    X = X - mean
    # Sums in another order make some libraries' products asymmetric.
    covariance = to_float64(X.T @ X / X.shape[0], xp)
    covariance = covariance / 2 + covariance.T / 2
    # The origin may have been rounded.
    shift = to_float64(mean, xp) + (to_float64(origin, xp) - moments.mean)
    with np.errstate(over="ignore", invalid="ignore"):
        moments = _combine(moments, X.shape[0], shift, covariance)
    _check_range(moments, underflows=bool(varies[_without_variance(moments)].any()))
    return moments._replace(place=(xp, device))


def _without_variance(moments: Moments) -> np.ndarray:
    """Whether each variable is constant, or its squares underflow."""
    return moments.covariance.diagonal() < np.finfo(np.float64).tiny


def _check_range(moments: Moments, *, underflows: bool) -> None:
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
    return _combine(moments, len(block), shift, centred.T @ centred / len(block))


def _combine(moments: Moments, n_added: int, shift: np.ndarray, covariance: np.ndarray) -> Moments:
    """Add samples of which the number, the mean less the old one, and the covariance are known."""
    n_before = moments.n_samples
    n = n_before + n_added
    covariance = covariance * (n_added / n)
    covariance += moments.covariance * (n_before / n)
    covariance += np.outer(shift, shift) * (n_before / n * (n_added / n))
    return Moments(n, moments.mean + shift * (n_added / n), covariance)
