"""From copies that need not be induced to induced occurrences."""

from functools import cache

import numpy as np
import scipy.sparse as sp

from sparsekit.core.jit import kernel, run_ranges
from sparsekit.core.partition import split_evenly
from sparsekit.graphlets._tables import conversion, first_orbit

__all__ = ["to_induced"]

_ROWS_OF_A_RANGE = 4096
_BLOCK = 64  # rows at a time, side by side, so that sums use vector instructions


@cache
def _corrections(kind: str, n_nodes: int) -> sp.csr_array:
    """Integer matrix with ``induced = copies + corrections @ copies``: the inverse of `conversion`.

    Only denser graphlets correct: it is strictly upper triangular.
    """
    # The determinant is 1 and entries stay below 25, so that rounding is exact.
    inverse = np.rint(np.linalg.inv(conversion(kind, n_nodes))).astype(np.int64)
    return sp.csr_array(np.triu(inverse, 1))


@kernel
def _correct_rows(lo, hi, indptr, indices, coefficients, first, counts):
    size = indptr.size - 1
    block = np.zeros((size, _BLOCK), np.int64)
    for start in range(lo, hi, _BLOCK):
        stop = min(start + _BLOCK, hi)
        for row in range(start, stop):
            for j in range(size):
                block[j, row - start] = counts[row, first + j]
        for i in range(size):
            for entry in range(indptr[i], indptr[i + 1]):
                c, j = coefficients[entry], indices[entry]
                if c == 1:  # most coefficients are 1 or -1, and 64-bit products are slow
                    for b in range(_BLOCK):
                        block[i, b] += block[j, b]
                elif c == -1:
                    for b in range(_BLOCK):
                        block[i, b] -= block[j, b]
                else:
                    for b in range(_BLOCK):
                        block[i, b] += c * block[j, b]
        for row in range(start, stop):
            for j in range(size):
                counts[row, first + j] = block[j, row - start]


def to_induced(counts: np.ndarray, kind: str, max_nodes: int, n_jobs: int | None) -> None:
    """Replace counts of copies by counts of induced occurrences, in place.

    Sums may wrap around on the way; modulo 2**64 the result is right all the same.
    """
    n_ranges = max(1, len(counts) // _ROWS_OF_A_RANGE)
    for n_nodes in range(3, max_nodes + 1):
        matrix = _corrections(kind, n_nodes)
        arrays = (matrix.indptr, matrix.indices, matrix.data, first_orbit(kind, n_nodes))
        run_ranges(_correct_rows, split_evenly(len(counts), n_ranges), n_jobs, *arrays, counts)
