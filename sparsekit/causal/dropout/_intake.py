"""How tables of cells and genes, or of any samples and variables, enter the dropout estimators."""

import warnings
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.base import BaseEstimator
from sklearn.utils import check_array

from sparsekit.causal._inputs import check_finite, feature_names, labels_for, list_labels

__all__ = ["Table", "is_annotated", "read_table", "warn_of_columns"]

_WITHOUT_NAN = (
    "drop those samples or impute them (sklearn.impute). What marks a dropout is zero, not NaN."
)
_NARROW_LIMIT = 2**31 - 1
# Rows that decide for most columns whether they are constant.
_FIRST_ROWS = 64


class Table(NamedTuple):
    """Checked samples.

    Attributes
    ----------
    values : ndarray or csc_array of shape (n_samples, n_features), float64
        Finite. Sparse: sorted indices, no stored zeros. May share memory with what came in.
    names : ndarray of shape (n_features,), object, or None
        Names of the features, distinct.
    """

    values: np.ndarray | sp.csc_array
    names: np.ndarray | None

    @property
    def labels(self) -> list:
        """How the features are called: by name or by index."""
        return labels_for(self.names, self.values.shape[1])


def read_table(X: Any, estimator: BaseEstimator | str, *, min_samples: int = 2) -> Table:
    """Check samples; what is sparse stays sparse, and nothing is changed.

    Parameters
    ----------
    X : array-like, sparse matrix, data frame or AnnData of shape (n_samples, n_features)
        Of an AnnData, or what has its attributes ``X`` and ``var_names``, these two are used.
    estimator : estimator or str
        Whose name messages tell.
    min_samples : int, default=2

    Returns
    -------
    Table

    Raises
    ------
    TypeError, ValueError
        If it is no table of finite numbers with so many samples or more, or two features have the
        same name.
    """
    matrix, names = _parts(X)
    values = check_array(
        matrix,
        accept_sparse="csc",
        dtype=np.float64,
        ensure_all_finite=False,
        ensure_min_samples=min_samples,
        estimator=estimator,
        input_name="X",
    )
    if sp.issparse(values):
        values = _canonical(values)
    table = Table(values, names)
    _check_finite(table)
    return table


def is_annotated(X: Any) -> bool:
    """Whether something is an AnnData, or looks like one."""
    return hasattr(X, "var_names") and hasattr(X, "X") and not hasattr(X, "columns")


def _parts(X: Any) -> tuple[Any, np.ndarray | None]:
    """Matrix and names of the features."""
    if not is_annotated(X):
        return X, _distinct(feature_names(X), "rename one")
    if X.X is None:
        raise ValueError("expected an AnnData with a matrix X, got none: pass one of its layers.")
    # What is on disk ("backed") is read.
    matrix = X.X.to_memory() if hasattr(X.X, "to_memory") else X.X
    names = np.array([str(name) for name in X.var_names], dtype=object)
    return matrix, _distinct(names, "call adata.var_names_make_unique()")


def _distinct(names: np.ndarray | None, advice: str) -> np.ndarray | None:
    if names is not None and len(set(names)) < len(names):
        first = next(name for i, name in enumerate(names) if name in names[:i])
        raise ValueError(
            f"expected distinct feature names, got {first!r} more than once: {advice}."
        )
    return names


def _canonical(matrix: Any) -> sp.csc_array:
    """Sorted, without duplicates and stored zeros; copied only if it was not."""
    result = sp.csc_array(matrix)
    result.check_format(full_check=True)  # kernels do not look
    if not result.has_canonical_format:
        result = result.copy()
        result.sum_duplicates()
    if np.count_nonzero(result.data) < len(result.data):
        result = result.copy()
        result.eliminate_zeros()
    if max(result.nnz, *result.shape) <= _NARROW_LIMIT:  # kernels are compiled for one type
        result.indices = result.indices.astype(np.int32, copy=False)
        result.indptr = result.indptr.astype(np.int32, copy=False)
    return result


def _check_finite(table: Table) -> None:
    values = table.values
    if isinstance(values, sp.csc_array):  # one entry a column says the same
        columns = values.indptr.searchsorted(np.flatnonzero(~np.isfinite(values.data)), "right")
        values = np.zeros((1, values.shape[1]))
        values[0, columns - 1] = np.nan
    check_finite(values, table.labels, "X", _WITHOUT_NAN)


def warn_of_columns(table: Table, zero_handling: str, *, stacklevel: int) -> None:
    """Warn of constant columns, and of tables in which nothing is zero.

    Parameters
    ----------
    table : Table
    zero_handling : str
    stacklevel : int
        Seen from the caller: 1 for its own line.
    """
    constant = _constant_columns(table.values)
    if constant.any():
        warnings.warn(
            "constant or empty columns, which become isolated nodes: "
            f"{list_labels(table.labels, constant)}.",
            UserWarning,
            stacklevel=stacklevel + 1,
        )
    if zero_handling != "none" and not _has_zero(table.values):
        warnings.warn(
            "X has no exact zero, so nothing is taken for a dropout: pass the data before they are "
            "centred or smoothed (log1p and a factor for each sample keep zeros), or set "
            "zero_handling='none'.",
            UserWarning,
            stacklevel=stacklevel + 1,
        )


def _constant_columns(values: np.ndarray | sp.csc_array) -> np.ndarray:
    """Mask of the columns in which all values are equal."""
    if isinstance(values, sp.csc_array):
        counts = np.diff(values.indptr)
        constant = counts == 0
        for column in np.flatnonzero(counts == values.shape[0]):
            stored = values.data[values.indptr[column] : values.indptr[column + 1]]
            constant[column] = (stored == stored[0]).all()
        return constant
    constant = (values[:_FIRST_ROWS] == values[0]).all(axis=0)
    left = np.flatnonzero(constant)
    constant[left] = (values[:, left] == values[0, left]).all(axis=0)
    return constant


def _has_zero(values: np.ndarray | sp.csc_array) -> bool:
    if isinstance(values, sp.csc_array):
        return values.nnz < values.shape[0] * values.shape[1]
    return not (values[:_FIRST_ROWS].all() and values.all())
