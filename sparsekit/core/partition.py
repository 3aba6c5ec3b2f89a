"""Cut rows or items into ranges of equal work.

The same ranges serve threads, joblib workers and Dask tasks. Nothing here depends on how many of
them there are, so results do not either.
"""

from itertools import pairwise

import numpy as np

__all__ = ["split_by_cost", "split_evenly", "split_rows"]

Ranges = list[tuple[int, int]]


def split_by_cost(cumulative: np.ndarray, n_ranges: int) -> Ranges:
    """Cut items into at most `n_ranges` ranges of nearly equal total cost.

    Parameters
    ----------
    cumulative : ndarray of shape (n_items + 1,)
        ``cumulative[i]`` is the cost of all items before ``i``; non-decreasing, starts at 0.
    n_ranges : int
        Upper limit on the number of ranges.

    Returns
    -------
    list of (int, int)
        Half-open ranges that cover all items in order; none is empty.

    Examples
    --------
    >>> import numpy as np
    >>> split_by_cost(np.array([0, 1, 2, 10, 11]), 2)
    [(0, 3), (3, 4)]
    """
    n_items = len(cumulative) - 1
    targets = cumulative[-1] * np.arange(1, n_ranges) / n_ranges
    cuts = np.searchsorted(cumulative, targets)
    bounds = np.unique(np.concatenate(([0], cuts, [n_items])))
    return [(int(lo), int(hi)) for lo, hi in pairwise(bounds)]


def split_rows(indptr: np.ndarray, n_ranges: int) -> Ranges:
    """Cut the rows of a CSR matrix into ranges of nearly equal non-zeros plus rows.

    Counting the rows as well keeps long stretches of empty rows from ending up in one range.

    Parameters
    ----------
    indptr : ndarray of shape (n_rows + 1,)
    n_ranges : int

    Returns
    -------
    list of (int, int)

    Examples
    --------
    >>> import numpy as np
    >>> split_rows(np.array([0, 9, 9, 9, 18]), 2)
    [(0, 2), (2, 4)]
    """
    return split_by_cost(indptr + np.arange(len(indptr), dtype=np.int64), n_ranges)


def split_evenly(n_items: int, n_ranges: int) -> Ranges:
    """Cut ``0 .. n_items`` into ranges of nearly equal length.

    Parameters
    ----------
    n_items, n_ranges : int

    Returns
    -------
    list of (int, int)

    Examples
    --------
    >>> split_evenly(5, 2)
    [(0, 3), (3, 5)]
    """
    return split_by_cost(np.arange(n_items + 1, dtype=np.int64), n_ranges)
