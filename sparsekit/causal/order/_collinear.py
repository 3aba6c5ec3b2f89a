"""Columns that others explain wholly, of whose edges a search over orders can say nothing."""

import warnings

import numpy as np

from sparsekit.causal._inputs import list_labels
from sparsekit.causal.order._parent_sets import REDUNDANT
from sparsekit.causal.order._search import OrderSearch

__all__ = ["warn_of_collinear"]

# Variances up to this factor above the least possible one are at it.
_ROUNDING = 1 + 1e-6


def warn_of_collinear(
    found: OrderSearch, variances: np.ndarray, labels: list, *, stacklevel: int, advice: str
) -> None:
    """Warn of columns whose residual variance is the least possible one, and of their parents.

    Parameters
    ----------
    found : OrderSearch
    variances : ndarray of shape (d,), float64
        Of the columns.
    labels : list of str or int
    stacklevel : int
        As for ``warnings.warn``, counted from the caller.
    advice : str
        What to do, at the end of the message.
    """
    explained = (found.variances <= _ROUNDING * REDUNDANT * variances) & (variances > 0)
    if explained.any():
        collinear = explained | found.is_edge[:, explained].any(axis=1)
        warnings.warn(
            f"collinear columns, whose edges are arbitrary: {list_labels(labels, collinear)}. "
            f"{advice}",
            UserWarning,
            stacklevel=stacklevel + 1,
        )
