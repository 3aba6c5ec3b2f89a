"""Counter-based random numbers: every draw is a function of (seed, stream, index) alone.

A draw hashes its own coordinates, so the numbers are the same for any split of the work, any number
of threads and any order of evaluation, and a longer run starts with the numbers of a shorter one.
The hash is the finaliser of splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number
generators", OOPSLA 2014).
"""

import numpy as np

from sparsekit.core.jit import RANGES_PER_THREAD, effective_threads, kernel, run_ranges
from sparsekit.core.memory import aligned_empty
from sparsekit.core.partition import split_evenly

__all__ = ["bits32", "mix64", "sparse_signs", "stream_key"]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MULTIPLIER_1 = np.uint64(0xBF58476D1CE4E5B9)
_MULTIPLIER_2 = np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31, _S32 = (np.uint64(shift) for shift in (27, 30, 31, 32))
_ONE = np.uint64(1)


@kernel
def mix64(x):
    """Hash a uint64 to a uint64 (a bijection)."""
    x = (x ^ (x >> _S30)) * _MULTIPLIER_1
    x = (x ^ (x >> _S27)) * _MULTIPLIER_2
    return x ^ (x >> _S31)


@kernel
def stream_key(seed, stream):
    """Key of the stream number `stream` of the generator `seed` (both uint64)."""
    return mix64(seed * _GOLDEN + stream)


@kernel
def bits32(key, index):
    """32 random bits, as a uint64, at position `index` of the stream with this key."""
    return mix64(key + (index + _ONE) * _GOLDEN) >> _S32


@kernel
def _fill_signs(lo, hi, seed, positive_below, nonzero_below, signs):
    for i in range(lo, hi):
        key = stream_key(seed, np.uint64(i))
        for j in range(signs.shape[1]):
            bits = bits32(key, np.uint64(j))
            signs[i, j] = np.int8(bits < nonzero_below) - np.int8(2) * np.int8(
                (bits >= positive_below) & (bits < nonzero_below)
            )


def sparse_signs(
    seed: int, n_rows: int, n_columns: int, sparsity: float, n_jobs: int | None = None
) -> np.ndarray:
    """Matrix of random signs, most of them zero.

    Each entry is +1 with probability 1/(2 `sparsity`), -1 with the same probability and otherwise
    0 (Li, Hastie, Church: "Very sparse random projections", KDD 2006). Entry (i, j) depends on
    `seed`, i, j and `sparsity` alone: more rows or columns leave the others unchanged.

    Parameters
    ----------
    seed : int
        Taken modulo 2**64.
    n_rows, n_columns : int
    sparsity : float
        At least 1; with 1 there are no zeros.
    n_jobs : int or None, default=None
        Threads; the result does not depend on it.

    Returns
    -------
    ndarray of shape (n_rows, n_columns), int8

    Examples
    --------
    >>> sparse_signs(0, 2, 8, 3.0)
    array([[ 0,  0,  1,  0,  1, -1, -1,  0],
           [ 0,  0,  0,  0, -1,  0,  0, -1]], dtype=int8)
    """
    signs = aligned_empty((n_rows, n_columns), np.int8)
    # An integer h is below a real bound exactly when it is below the bound rounded up.
    positive_below = np.uint64(np.ceil(2**32 / (2 * sparsity)))
    nonzero_below = np.uint64(np.ceil(2**32 / sparsity))
    ranges = split_evenly(n_rows, RANGES_PER_THREAD * effective_threads(n_jobs))
    wrapped_seed = np.uint64(int(seed) % 2**64)
    run_ranges(_fill_signs, ranges, n_jobs, wrapped_seed, positive_below, nonzero_below, signs)
    return signs
