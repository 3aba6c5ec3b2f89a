"""Samples and conditional-independence tests as kernels read them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from sparsekit.core.bits import n_words, pack_rows, unpack_rows

__all__ = [
    "ZERO_HANDLINGS",
    "Samples",
    "Tests",
    "as_samples",
    "make_tests",
    "observed_blocks",
    "row_blocks",
]

ZERO_HANDLINGS = ("conditioning", "testwise", "listwise", "none")

# Entries of a dense block of rows, as blocked products need them.
_BLOCK_SIZE = 2**21

# Square of the mean, as a share of the mean square, above which a column is far from zero.
_FAR = 0.1
# Size of a value, as a share of the mean, below which it is small.
_SMALL = 2.0**-20


class Samples(NamedTuple):
    """Columns of a table, and where they are not zero.

    Attributes
    ----------
    values : ndarray of float64
        Dense: the columns, one after the other; from those far from zero their mean (where they
        are not zero) may have been subtracted. Sparse: the stored values, column by column. Divided
        by a power of two for each column, so that squares are in range.
    indices : ndarray of int32 or int64
        Sparse: rows of the stored values, ascending within a column. Dense: empty.
    indptr : ndarray of shape (n_features + 1,), int64
        Where the values of each column start.
    masks : ndarray of shape (n_features, n_words(n_rows)), uint64
        A bit a row: the value is not zero. Empty if nothing is deleted.
    stored : ndarray of the same shape, uint64
        Sparse: a bit a row: a value is stored.
    n_rows : int
    is_sparse : bool
    deletes : bool
        Whether tests use only rows where the variables of the conditioning set are not zero.
    testwise : bool
        Whether the two tested variables must not be zero, either.
    """

    values: np.ndarray
    indices: np.ndarray
    indptr: np.ndarray
    masks: np.ndarray
    stored: np.ndarray
    n_rows: int
    is_sparse: bool
    deletes: bool
    testwise: bool

    @property
    def n_features(self) -> int:
        """Number of columns."""
        return len(self.masks)


class Tests(NamedTuple):
    """Conditional-independence tests, grouped by what is conditioned on.

    Attributes
    ----------
    x, y : ndarray of shape (n_tests,), int32
        The two variables of each test.
    test_ptr : ndarray of shape (n_groups + 1,), int64
        Tests of group g are number ``test_ptr[g]`` to ``test_ptr[g + 1]``.
    members : ndarray, int32
        Conditioning sets of all groups, each ascending.
    member_ptr : ndarray of shape (n_groups + 1,), int64
    """

    x: np.ndarray
    y: np.ndarray
    test_ptr: np.ndarray
    members: np.ndarray
    member_ptr: np.ndarray

    def sizes(self) -> np.ndarray:
        """Size of the conditioning set of each test, shape (n_tests,), int64."""
        return np.repeat(np.diff(self.member_ptr), np.diff(self.test_ptr))


def make_tests(triples: Iterable[tuple[int, int, Sequence[int]]]) -> tuple[Tests, np.ndarray]:
    """Group tests by their conditioning sets.

    Parameters
    ----------
    triples : iterable of (x, y, conditioning set)

    Returns
    -------
    Tests
    ndarray of shape (n_tests,), intp
        Which of the triples each test is.

    Examples
    --------
    >>> tests, order = make_tests([(0, 1, (2,)), (0, 1, ()), (3, 0, (2,))])
    >>> tests.members.tolist(), tests.test_ptr.tolist(), order.tolist()
    ([2], [0, 1, 3], [1, 0, 2])
    """
    listed = [(tuple(sorted(given)), x, y) for x, y, given in triples]
    order = sorted(range(len(listed)), key=lambda k: listed[k][0])
    sets: list[tuple[int, ...]] = []
    starts: list[int] = []
    for position, number in enumerate(order):
        if not sets or listed[number][0] != sets[-1]:
            sets.append(listed[number][0])
            starts.append(position)
    pairs = np.array([listed[number][1:] for number in order], dtype=np.int32).reshape(-1, 2)
    tests = Tests(
        pairs[:, 0].copy(),
        pairs[:, 1].copy(),
        np.array([*starts, len(order)], dtype=np.int64),
        np.array([member for given in sets for member in given], dtype=np.int32),
        np.cumsum([0, *map(len, sets)], dtype=np.int64),
    )
    return tests, np.array(order, dtype=np.intp)


def as_samples(X: np.ndarray | sp.csc_array, zero_handling: str) -> Samples:
    """Bring a table to the form that kernels read.

    Parameters
    ----------
    X : ndarray or csc_array of shape (n, d), float64
        Finite; sparse ones with sorted indices, without stored zeros. Not changed. Dense ones are
        copied, sparse ones shared if no column needs to be scaled.
    zero_handling : {"conditioning", "testwise", "listwise", "none"}
        "listwise" keeps the rows without zeros, on which nothing is deleted any more.

    Returns
    -------
    Samples
    """
    if zero_handling == "listwise":
        X = X[_complete_rows(X)]
    n, d = X.shape
    deletes = zero_handling in ("conditioning", "testwise")
    masks = _masks(X) if deletes else np.zeros((d, 0), dtype=np.uint64)
    if sp.issparse(X):
        values, indices, indptr = X.data, X.indices, X.indptr
        scale = _powers_of_two(abs(X).max(axis=0).toarray().ravel() if n else np.zeros(d))
        if (scale != 1).any():
            values = values * np.repeat(scale, np.diff(indptr))
    else:
        scale = _powers_of_two(np.maximum(X.max(axis=0), -X.min(axis=0)) if n else np.zeros(d))
        columns = np.multiply(X.T, scale[:, None], order="C")
        if deletes:
            _centre(columns, np.count_nonzero(X, axis=0))
        values, indices, indptr = columns.ravel(), np.empty(0, dtype=np.int32), np.arange(d + 1) * n
    # Read-only, as arrays that are shared may be: else kernels would be compiled once more.
    arrays = map(_read_only, (values, indices, indptr.astype(np.int64), masks, masks))
    kind = sp.issparse(X), deletes, zero_handling == "testwise"
    return Samples(*arrays, n, *kind)


def _read_only(array: np.ndarray) -> np.ndarray:
    view = array.view()
    view.flags.writeable = False
    return view


def _powers_of_two(largest: np.ndarray) -> np.ndarray:
    """Factors that bring columns of extreme size near one; they do not round."""
    exponents = np.frexp(largest)[1]
    return np.where(np.abs(exponents) > 100, np.ldexp(1.0, -np.clip(exponents, -1000, 1000)), 1.0)


def _centre(columns: np.ndarray, n_values: np.ndarray) -> None:
    """Subtract means, of what is not zero, where this makes products precise and rounds nothing."""
    means = columns.sum(axis=1) / np.maximum(n_values, 1)
    squares = np.einsum("ij,ij->i", columns, columns) / np.maximum(n_values, 1)
    for column in np.flatnonzero(means**2 > _FAR * squares):
        # A value loses its digits if a mean that others made much larger is subtracted.
        is_large = np.abs(columns[column]) > _SMALL * abs(means[column])
        if np.count_nonzero(is_large) == n_values[column]:
            columns[column] -= means[column]


def _complete_rows(X: np.ndarray | sp.csc_array) -> np.ndarray:
    if sp.issparse(X):
        return np.flatnonzero(np.bincount(X.indices, minlength=X.shape[0]) == X.shape[1])
    return np.flatnonzero((X != 0).all(axis=1))


def _masks(X: np.ndarray | sp.csc_array) -> np.ndarray:
    """Bits of the rows where each column is not zero."""
    n, d = X.shape
    masks = np.zeros((d, n_words(n)), dtype=np.uint64)
    flags = np.zeros((1, n), dtype=np.bool_)
    for column in range(d):
        if sp.issparse(X):
            flags[:] = False
            flags[0, X.indices[X.indptr[column] : X.indptr[column + 1]]] = True
        else:
            np.not_equal(X[:, column], 0, out=flags[0])
        masks[column] = pack_rows(flags)[0]
    return masks


def row_blocks(samples: Samples) -> Iterator[np.ndarray]:
    """Dense blocks of rows that cover the samples, each of shape (n_block, d), float64."""
    n, d = samples.n_rows, samples.n_features
    step = max(1, _BLOCK_SIZE // max(d, 1))
    if samples.is_sparse:
        columns = sp.csc_array((samples.values, samples.indices, samples.indptr), shape=(n, d))
        rows = columns.tocsr()
        for start in range(0, n, step):
            yield rows[start : start + step].toarray()
    else:
        columns = samples.values.reshape(d, n)
        for start in range(0, n, step):
            yield columns[:, start : start + step].T


def observed_blocks(samples: Samples) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Blocks of rows of what is not zero.

    Yields
    ------
    shifted : ndarray of shape (n_block, d), float64
        Values less a number of each column, near its mean if that is far from zero; 0 for zeros.
    observed : ndarray of shape (n_block, d), float64
        1 where a value is not zero, else 0.
    """
    if samples.is_sparse:
        totals = np.add.reduceat(np.append(samples.values, 0.0), samples.indptr[:-1])
        counts = np.diff(samples.indptr)
        means = np.where(counts > 0, totals / np.maximum(counts, 1), 0.0)
        for block in row_blocks(samples):
            observed = (block != 0).astype(np.float64)
            yield (block - means) * observed, observed
        return
    flags = unpack_rows(samples.masks, samples.n_rows)
    start = 0
    for block in row_blocks(samples):
        observed = flags[:, start : start + len(block)].T.astype(np.float64)
        start += len(block)
        yield block * observed, observed
