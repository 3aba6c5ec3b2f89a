"""Checks of what enters causal estimators, with messages that name the variables."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_array, check_scalar
from sklearn.utils.validation import validate_data

from sparsekit._sklearn_compat import convert_to_numpy, get_namespace_and_device

__all__ = [
    "check_finite",
    "check_mean",
    "check_n_samples",
    "check_share",
    "checked_covariance",
    "feature_names",
    "labels_for",
    "list_labels",
    "to_float64",
    "to_numpy",
]

# Rounding that a covariance may have: asymmetry as a share of the deviations, and the negative part
# of an eigenvalue of the correlations as a share of the largest one.
_ASYMMETRY = 1e-8
_NEGATIVE = 1e-8

# Labels that a message lists.
_MOST_LABELS = 10


def to_numpy(values: Any) -> Any:
    """Bring arrays of other libraries to numpy, wherever they are; all else stays as it is."""
    xp, is_array_api, _ = get_namespace_and_device(values)
    return convert_to_numpy(values, xp) if is_array_api else values


def to_float64(values: Any, xp: Any) -> np.ndarray:
    """Copy an array of the namespace `xp`, wherever it is, to one of numpy in double precision."""
    return np.array(convert_to_numpy(values, xp), dtype=np.float64)


def feature_names(X: Any) -> np.ndarray | None:
    """Names that scikit-learn finds, without setting them on an estimator whose fit may fail."""
    other = BaseEstimator()
    validate_data(other, X, skip_check_array=True)
    return getattr(other, "feature_names_in_", None)


def labels_for(names: np.ndarray | None, n_features: int) -> list:
    """How messages and tables call the features: by name or by index."""
    return list(range(n_features)) if names is None else names.tolist()


def list_labels(labels: Sequence, mask: np.ndarray) -> str:
    """Labels of the features in a mask, as messages list them."""
    chosen = [repr(labels[index]) for index in np.flatnonzero(mask).tolist()]
    hidden = len(chosen) - _MOST_LABELS
    return ", ".join(chosen[:_MOST_LABELS]) + (f" and {hidden} more" if hidden > 0 else "")


def check_finite(values: Any, labels: Sequence, what: str, advice: str) -> None:
    """Raise ValueError if there are NaN or infinite values, naming their columns."""
    xp, *_ = get_namespace_and_device(values)
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(float(xp.sum(values))):  # cheap, and true unless something may be wrong
            return
    bad = ~convert_to_numpy(xp.all(xp.isfinite(values), axis=0), xp)
    if bad.any():
        columns = list_labels(labels, bad)
        raise ValueError(f"{what} has NaN or infinite values in the columns {columns}: {advice}")


def check_n_samples(n_samples: Any) -> int:
    """Check a number of samples.

    Raises
    ------
    TypeError, ValueError
        If it is no integer, or less than two.
    """
    if not isinstance(n_samples, Integral) or isinstance(n_samples, bool):
        raise TypeError(f"expected n_samples to be an integer, got {n_samples!r}.")
    if n_samples < 2:
        raise ValueError(
            f"expected at least 2 samples, got n_samples={n_samples}: variances need more."
        )
    return int(n_samples)


def check_share(value: Any, name: str, *, above: float | None = None) -> None:
    """Check a number in [0, 1], or in (above, 1].

    Raises
    ------
    TypeError, ValueError
        If it is no number, or another one.
    """
    low, boundaries = (0, "both") if above is None else (above, "right")
    check_scalar(value, name, Real, min_val=low, max_val=1, include_boundaries=boundaries)
    if np.isnan(value):  # which passes all comparisons with a limit
        raise ValueError(f"expected {name} to be a number up to 1, got {value!r}.")


def check_mean(mean: Any, n_features: int, names: np.ndarray | None) -> np.ndarray:
    """Check a mean and copy it.

    Raises
    ------
    ValueError
        If it has another shape or other names, or is not finite.
    """
    _check_names(mean, names, "mean and covariance")
    mean = to_numpy(mean)
    checked = check_array(mean, dtype=np.float64, ensure_2d=False, input_name="mean", copy=True)
    if checked.shape != (n_features,):
        raise ValueError(
            f"expected one mean a feature, shape ({n_features},), got shape {checked.shape}."
        )
    return checked


def _check_names(values: Any, names: np.ndarray | None, what: str) -> None:
    """Raise ValueError if a frame's or series' rows are called differently than the features."""
    index = getattr(values, "index", ())
    rows = [] if names is None or callable(index) else list(index)  # lists have such a method
    if rows and all(isinstance(row, str) for row in rows) and rows != names.tolist():
        raise ValueError(f"expected {what} to have the same names, in the same order.")


def checked_covariance(covariance: Any) -> tuple[np.ndarray, np.ndarray | None]:
    """Check a covariance matrix; what rounding did to its symmetry is mended in a copy.

    Parameters
    ----------
    covariance : array-like of shape (d, d)

    Returns
    -------
    ndarray of shape (d, d), float64
    ndarray of shape (d,) or None
        Feature names.

    Raises
    ------
    TypeError
        If it is sparse.
    ValueError
        If it is not finite, square, symmetric, or positive semi-definite, or if its rows are named
        differently than its columns.
    """
    given = check_array(
        to_numpy(covariance),
        dtype=(np.float64, np.float32),
        ensure_all_finite=False,
        input_name="covariance",
    )
    names = feature_names(covariance)
    labels = labels_for(names, given.shape[1])
    if given.shape[0] != given.shape[1]:
        raise ValueError(
            f"expected a square covariance matrix, got shape {given.shape}: samples go to fit."
        )
    for part in (given.diagonal()[None], given):  # a bad column spoils its row, too
        check_finite(part, labels, "covariance", "compute it from complete samples.")
    _check_names(covariance, names, "rows and columns of the covariance")
    precision = max(_NEGATIVE, 10 * float(np.finfo(given.dtype).eps))
    return _check_definite(_symmetric(given.astype(np.float64), labels), precision), names


def _symmetric(covariance: np.ndarray, labels: Sequence) -> np.ndarray:
    variances = covariance.diagonal()
    if (variances < 0).any():
        listed = list_labels(labels, variances < 0)
        raise ValueError(f"expected a covariance matrix, got negative variances of {listed}.")
    scale = np.sqrt(variances)
    if (np.abs(covariance - covariance.T) > _ASYMMETRY * np.outer(scale, scale)).any():
        raise ValueError(
            "expected a symmetric covariance matrix: if it differs from its transpose by rounding "
            "only, pass the mean of both."
        )
    return covariance / 2 + covariance.T / 2


def _check_definite(covariance: np.ndarray, precision: float) -> np.ndarray:
    scale = np.sqrt(covariance.diagonal())
    scale[scale == 0] = 1.0
    eigenvalues = np.linalg.eigvalsh(covariance / scale / scale[:, None])
    if eigenvalues[0] < -precision * eigenvalues[-1]:
        raise ValueError(
            "expected a positive semi-definite covariance matrix, but its correlations have the "
            f"eigenvalue {eigenvalues[0]:.3g}: compute it from complete samples."
        )
    return covariance
