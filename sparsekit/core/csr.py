"""Compressed sparse rows: canonical form, sums, symmetry and the product with a dense block."""

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from sparsekit.core.jit import RANGES_PER_THREAD, effective_threads, kernel, prefetch, run_ranges
from sparsekit.core.memory import aligned_empty
from sparsekit.core.partition import split_rows

__all__ = [
    "CSR",
    "canonical",
    "column_sums",
    "entries_ahead",
    "equal",
    "frozen",
    "is_symmetric",
    "multiply",
    "pack",
    "read_only",
    "row_ranges",
    "row_sums",
    "symmetrise",
    "unpack",
    "weighted_row_sum",
]

_NARROW_LIMIT = 2**31 - 1
# Rows of the dense block are prefetched so many bytes ahead, to hide a miss to memory (the best of
# 4 to 48 KiB for rows of 128 bytes to 2 KiB), within these limits on the number of entries.
_PREFETCH_BYTES = 12288
_LEAST_AHEAD, _MOST_AHEAD = 8, 96


class CSR(NamedTuple):
    """A matrix as kernels see it.

    Attributes
    ----------
    indptr : ndarray of shape (n_rows + 1,), int32 or int64
    indices : ndarray of shape (nnz,), the same dtype
        Sorted and distinct within a row.
    weights : ndarray of shape (nnz,) or (0,), float64
        Empty means that every stored entry is 1.
    """

    indptr: np.ndarray
    indices: np.ndarray
    weights: np.ndarray


def canonical(matrix) -> sp.csr_array:
    """Canonical CSR form: narrow sorted indices, summed duplicates, no zeros, float64, read-only.

    Arrays that already comply are shared with the input, as read-only views; the input itself is
    never changed.

    Parameters
    ----------
    matrix : sparse matrix, sparse array or ndarray of shape (n_rows, n_columns)

    Returns
    -------
    csr_array
        Indices are int32 where the shape and the number of entries allow it.

    Raises
    ------
    ValueError
        If indices or row pointers are out of range: kernels do not look.
    """
    if not sp.issparse(matrix):
        matrix = sp.csr_array(np.asarray(matrix, dtype=np.float64))
    if hasattr(matrix, "check_format"):  # on a copy that shares the arrays: it may replace them
        type(matrix)(matrix).check_format(full_check=True)
    if matrix.format != "csr":  # duplicates are summed on the way, so in double precision
        matrix = matrix.astype(np.float64).tocsr()
    values = matrix.data.astype(np.float64, copy=False)
    result = sp.csr_array((values, matrix.indices, matrix.indptr), shape=matrix.shape)
    if not result.has_canonical_format:
        result = result.copy()
        result.sum_duplicates()
    if np.count_nonzero(result.data) != len(result.data):
        result = result.copy()
        result.eliminate_zeros()
    narrow = max(result.nnz, *result.shape) <= _NARROW_LIMIT
    index_dtype = np.int32 if narrow else np.int64
    return frozen(
        result.data,
        result.indices.astype(index_dtype, copy=False),
        result.indptr.astype(index_dtype, copy=False),
        result.shape,
    )


def frozen(data, indices, indptr, shape) -> sp.csr_array:
    """Wrap canonical arrays in a `csr_array` of read-only views."""
    indptr, indices, data = read_only(CSR(indptr, indices, np.ascontiguousarray(data)))
    result = sp.csr_array((data, indices, indptr), shape=shape)
    result.has_canonical_format = True
    return result


def pack(matrix: sp.csr_array) -> CSR:
    """Turn a canonical matrix into kernel arguments; unit weights are left out."""
    weights = matrix.data
    if np.all(weights == 1):
        weights = np.empty(0)
        weights.flags.writeable = False
    return CSR(matrix.indptr, matrix.indices, weights)


def read_only(matrix: CSR) -> CSR:
    """Views that can not be written to: unpickled arrays could, and kernels would compile anew."""
    views = [array.view() for array in matrix]
    for view in views:
        view.flags.writeable = False
    return CSR(*views)


def unpack(matrix: CSR, n_columns: int) -> sp.csr_array:
    """Turn kernel arguments back into a canonical matrix."""
    weights = matrix.weights if len(matrix.weights) else np.ones(len(matrix.indices))
    return frozen(weights, matrix.indices, matrix.indptr, (len(matrix.indptr) - 1, n_columns))


def row_sums(matrix: CSR) -> np.ndarray:
    """Sum of each row, float64; infinite where it overflows."""
    starts, lengths = matrix.indptr[:-1], np.diff(matrix.indptr)
    sums = lengths.astype(np.float64)
    if len(matrix.weights):
        filled = lengths > 0  # reduceat would give an empty row the first value of the next
        with np.errstate(over="ignore"):
            sums[filled] = np.add.reduceat(matrix.weights, starts[filled])
    return sums


def column_sums(matrix: CSR, n_columns: int) -> np.ndarray:
    """Sum of each column, float64."""
    weights = matrix.weights if len(matrix.weights) else None
    return np.bincount(matrix.indices, weights, minlength=n_columns).astype(np.float64)


def equal(left: CSR, right: CSR) -> bool:
    """Whether two packed matrices with the same number of columns have the same content."""
    return all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))


def is_symmetric(matrix: sp.csr_array) -> bool:
    """Whether a canonical matrix equals its transpose exactly."""
    return matrix.shape[0] == matrix.shape[1] and equal(pack(matrix), pack(canonical(matrix.T)))


def symmetrise(matrix: sp.csr_array) -> sp.csr_array:
    """Union of a canonical matrix and its transpose; of two stored values the larger is kept.

    An entry stored in one direction only keeps its value, also when it is negative (an element-wise
    maximum with the missing zero would lose it).
    """
    entries = matrix.tocoo()
    rows = np.concatenate((entries.row, entries.col))
    columns = np.concatenate((entries.col, entries.row))
    values = np.concatenate((entries.data, entries.data))
    order = np.lexsort((columns, rows))
    rows, columns, values = rows[order], columns[order], values[order]
    first = np.flatnonzero(np.diff(rows, prepend=-1) | np.diff(columns, prepend=-1))
    larger = np.maximum.reduceat(values, first) if len(first) else values
    return canonical(sp.coo_array((larger, (rows[first], columns[first])), shape=matrix.shape))


def row_ranges(matrix: CSR | sp.csr_array, n_jobs: int | None) -> list[tuple[int, int]]:
    """Ranges of rows of equal work for `n_jobs` threads."""
    return split_rows(matrix.indptr, RANGES_PER_THREAD * effective_threads(n_jobs))


@kernel
def entries_ahead(source):
    """How many stored entries ahead to prefetch rows of `source`."""
    ahead = _PREFETCH_BYTES // max(1, source.shape[1] * source.itemsize)
    return max(_LEAST_AHEAD, min(_MOST_AHEAD, ahead))


@kernel(reassociate=True)
def weighted_row_sum(matrix, i, scale, right, source, ahead, total):
    """Set total = scale * sum_k matrix[i, k] * right[k] * source[k], in a fixed order.

    An empty `right` stands for ones. `total` is a short buffer that stays in the first-level cache;
    `ahead` comes from `entries_ahead`. Coefficients are formed in double precision and rounded
    once.
    """
    indptr, indices, weights = matrix
    n_columns = source.shape[1]
    narrow = total.dtype.type
    last = indices.size - 1
    for c in range(n_columns):
        total[c] = 0
    k, stop = indptr[i], indptr[i + 1]
    while k + 4 <= stop:
        for later in range(k + ahead, k + ahead + 4):
            prefetch(source, indices[later if later < last else last])
        j0, j1, j2, j3 = indices[k], indices[k + 1], indices[k + 2], indices[k + 3]
        w0 = w1 = w2 = w3 = scale
        if weights.size > 0:
            w0, w1 = w0 * weights[k], w1 * weights[k + 1]
            w2, w3 = w2 * weights[k + 2], w3 * weights[k + 3]
        if right.size > 0:
            w0, w1, w2, w3 = w0 * right[j0], w1 * right[j1], w2 * right[j2], w3 * right[j3]
        a0, a1, a2, a3 = narrow(w0), narrow(w1), narrow(w2), narrow(w3)
        for c in range(n_columns):
            total[c] += (a0 * source[j0, c] + a1 * source[j1, c]) + (
                a2 * source[j2, c] + a3 * source[j3, c]
            )
        k += 4
    while k < stop:
        later = k + ahead
        prefetch(source, indices[later if later < last else last])
        j = indices[k]
        weight = scale
        if weights.size > 0:
            weight = weight * weights[k]
        if right.size > 0:
            weight = weight * right[j]
        a = narrow(weight)
        for c in range(n_columns):
            total[c] += a * source[j, c]
        k += 1


@kernel
def _multiply_rows(lo, hi, matrix, dense, product):
    unscaled = np.empty(0, np.float64)
    total = np.empty(dense.shape[1], product.dtype)
    ahead = entries_ahead(dense)
    for i in range(lo, hi):
        weighted_row_sum(matrix, i, 1.0, unscaled, dense, ahead, total)
        for c in range(total.size):
            product[i, c] = total[c]


def multiply(matrix: CSR, dense: np.ndarray, n_jobs: int | None = None) -> np.ndarray:
    """Product of a sparse matrix and a dense block of columns.

    Parameters
    ----------
    matrix : CSR
    dense : ndarray of shape (n_columns_of_matrix, n_columns), float32 or float64, C-contiguous
        Fastest if it comes from `aligned_empty`.
    n_jobs : int or None, default=None
        Threads; each row is summed by one thread in a fixed order, so the result is bitwise
        independent of it.

    Returns
    -------
    ndarray of shape (n_rows, n_columns), the dtype of `dense`
    """
    product = aligned_empty((len(matrix.indptr) - 1, dense.shape[1]), dense.dtype)
    run_ranges(_multiply_rows, row_ranges(matrix, n_jobs), n_jobs, matrix, dense, product)
    return product
