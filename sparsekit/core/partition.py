"""Cut rows or items into ranges of equal work.

The same ranges serve threads, joblib workers and Dask tasks. Results must not depend on how work is
cut.
"""

from itertools import pairwise

import numpy as np

from sparsekit.core.jit import RANGES_PER_THREAD, effective_threads

__all__ = ["ranges_by_cost", "split_by_cost", "split_evenly", "split_rows"]

Ranges = list[tuple[int, int]]

_COST_OF_A_CALL = 8192  # slots that are visited in about the time of ten calls of a kernel


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


def ranges_by_cost(costs: np.ndarray, n_jobs: int | None) -> Ranges:
    """Ranges of equal cost for threads to share, those of heavy items first.

    Parameters
    ----------
    costs : ndarray of shape (n_items,)
        In visits to an entry of a sparse matrix, or steps that take as long.
    n_jobs : int or None

    Returns
    -------
    list of (int, int)
        Few if there is little to do, where a call costs more than an item; many otherwise, so that
        threads share the work evenly and an interruption is noticed. The fewer the items of a range
        the earlier it comes: a heavy one that is started last would keep the other threads waiting.

    Examples
    --------
    >>> import numpy as np
    >>> ranges_by_cost(np.repeat([1, 100], [9000, 90]), None)
    [(9030, 9090), (6000, 9030), (0, 6000)]
    """
    cumulative = np.zeros(len(costs) + 1)
    np.cumsum(costs, out=cumulative[1:])
    wanted = 1 + int(cumulative[-1] // _COST_OF_A_CALL)
    ranges = split_by_cost(cumulative, min(wanted, RANGES_PER_THREAD * effective_threads(n_jobs)))
    return sorted(ranges, key=lambda bounds: (bounds[1] - bounds[0], -bounds[0]))
