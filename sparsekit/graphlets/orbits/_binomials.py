"""Binomial coefficients that do not overflow on the way to a result that fits."""

import numpy as np

from sparsekit.core.jit import kernel

__all__ = ["choose2", "choose3", "choose4", "pairs_of"]


@kernel(inner=True)
def pairs_of(n):
    """Number of pairs out of n, where 0 <= n < 2**31 is known: nothing is asked, for hot loops."""
    return (np.int64(n) * (n - 1)) >> 1


@kernel(inner=True)
def choose2(n):
    """Number of pairs out of n; 0 for n < 2."""
    if n < 2:
        return 0
    return (n // 2) * (n - 1) if n % 2 == 0 else n * ((n - 1) // 2)


@kernel(inner=True)
def choose3(n):
    """Number of triples out of n; 0 for n < 3."""
    if n < 3:
        return 0
    pairs = choose2(n)
    return (pairs // 3) * (n - 2) + (pairs % 3) * (n - 2) // 3


@kernel(inner=True)
def choose4(n):
    """Number of quadruples out of n; 0 for n < 4."""
    if n < 4:
        return 0
    triples = choose3(n)
    return (triples // 4) * (n - 3) + (triples % 4) * (n - 3) // 4
