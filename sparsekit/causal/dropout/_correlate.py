"""Partial correlations of many tests, each on its own rows.

All tests that condition on the same variables are done together. The rows where these are not zero
come from bit masks; the columns involved are gathered once, block by block; and the products of
those columns give all covariances, from which the conditioning variables are eliminated.
"""

from typing import NamedTuple

import numpy as np

from sparsekit.causal.dropout._marginal import all_correlations
from sparsekit.causal.dropout._samples import Samples, Tests
from sparsekit.core.bits import popcount, trailing_zeros
from sparsekit.core.jit import kernel, run_ranges
from sparsekit.core.partition import ranges_by_cost

__all__ = ["correlate"]

# What remains of a variance, as a share, when nothing does.
_NOTHING = 1e-10
_LARGEST = 1 - 2.0**-52

# Variance as a share of the mean square, below which columns are centred before they are squared.
_DOUBTFUL = 1e-3

# Entries of a gathered block of rows (in the cache of a core), and its fewest rows.
_BLOCK_ENTRIES = 16384
_LEAST_ROWS = 128


class _Work(NamedTuple):
    """Room for one group of tests at a time.

    Variables are numbered within the group: those conditioned on come first.
    """

    place: np.ndarray  # (d,) number of each variable, -1 if not in the group
    variables: np.ndarray  # (at most d,)
    mask: np.ndarray  # (2, words): rows of the group, rows of the test
    rows: np.ndarray  # rows of a block (unsigned: so they are read without a check)
    starts: np.ndarray  # where the rows of each word of a block start
    cursor: np.ndarray  # sparse: the next entry of each variable
    block: np.ndarray  # gathered values, variable by variable
    moments: np.ndarray  # (at most d, 3): shift, sum and sum of squares of shifted values
    products: np.ndarray  # (at most d, l): with each variable conditioned on; then its weights
    joint: np.ndarray  # products of the two variables of each test


def correlate(
    samples: Samples, tests: Tests, n_jobs: int | None = None, *, correlations=None
) -> tuple[np.ndarray, np.ndarray]:
    """Partial correlations of pairs of variables given sets of others.

    Parameters
    ----------
    samples : Samples
    tests : Tests
    n_jobs : int, default=None
        Number of threads; None means 1.
    correlations : ndarray of shape (d, d), float64, default=None
        As `all_correlations` gives them. Used if nothing is deleted; computed if None.

    Returns
    -------
    rho : ndarray of shape (n_tests,), float64
        At most 1 - 2^-52 in absolute value. 0 if a variable is constant or determined by the
        conditioning set, and if there are no more rows than variables in this set plus 3.
    n_rows : ndarray of shape (n_tests,), int64
        Rows used.
    """
    n_tests, n_groups = len(tests.x), len(tests.test_ptr) - 1
    rho, n_rows = np.zeros(n_tests), np.empty(n_tests, dtype=np.int64)
    if n_groups == 0:
        return rho, n_rows
    if samples.deletes:
        correlations = np.empty((0, 0))
    elif correlations is None:
        correlations = all_correlations(samples)
    sizes = np.diff(tests.member_ptr)
    per_test = 8 + (samples.n_rows >> 2 if samples.deletes else 0)
    ranges = ranges_by_cost(np.diff(tests.test_ptr) * (per_test + sizes), n_jobs)
    most = int(sizes.max())
    largest = int(np.diff(tests.test_ptr).max())
    run_ranges(_correlate, ranges, n_jobs, samples, tests, correlations, most, largest, rho, n_rows)
    return rho, n_rows


@kernel
def _make_work(samples, most_members, most_tests):
    n_features, n_words = samples.masks.shape
    n_variables = min(n_features, most_members + 2 * most_tests)
    n_rows = max(_BLOCK_ENTRIES, _LEAST_ROWS) if samples.deletes else 0
    n_entries = max(_BLOCK_ENTRIES, _LEAST_ROWS * n_variables) if samples.deletes else 0
    return _Work(
        np.full(n_features, -1, np.int64),
        np.empty(n_variables, np.int64),
        np.empty((2, n_words), np.uint64),
        np.empty(n_rows, np.uint64),
        np.empty(n_rows + 1, np.int64),
        np.empty(n_variables, np.int64),
        np.empty(n_entries, np.float64),
        np.empty((n_variables, 3), np.float64),
        np.empty((n_variables, most_members), np.float64),
        np.empty(most_tests, np.float64),
    )


@kernel
def _correlate(lo, hi, samples, tests, correlations, most_members, most_tests, rho, n_rows):
    """Do the groups lo .. hi."""
    work = _make_work(samples, most_members, most_tests)
    for group in range(lo, hi):
        first, last = tests.test_ptr[group], tests.test_ptr[group + 1]
        if samples.deletes:
            _start_mask(group, samples, tests, work)
        step = 1 if samples.testwise else last - first
        for start in range(first, last, max(step, 1)):
            stop = start + step
            m = samples.n_rows
            if samples.deletes:
                m = _narrow_mask(start, samples, tests, work)
            for test in range(start, stop):
                n_rows[test] = m
                rho[test] = 0.0
            n_members = tests.member_ptr[group + 1] - tests.member_ptr[group]
            if m <= n_members + 3:
                continue
            n_variables = _number_variables(group, start, stop, tests, work)
            if samples.deletes:
                # Dense columns are roughly centred; if that is not enough, on these rows.
                for attempt in range(2):
                    shifts = samples.is_sparse or attempt == 1
                    if _gather_products(
                        n_variables, n_members, start, stop, shifts, samples, tests, work, m
                    ):
                        break
            else:
                _copy_products(n_variables, n_members, start, stop, correlations, tests, work)
            _eliminate(n_variables, n_members, start, stop, tests, work, rho)
            for number in range(n_variables):
                work.place[work.variables[number]] = -1


@kernel
def _start_mask(group, samples, tests, work):
    """Rows where no variable of the conditioning set is zero."""
    n_words = work.mask.shape[1]
    for word in range(n_words):
        left = samples.n_rows - 64 * word
        rows = ~np.uint64(0)
        if left < 64:
            rows = (np.uint64(1) << np.uint64(left)) - np.uint64(1)
        work.mask[0, word] = rows
    for slot in range(tests.member_ptr[group], tests.member_ptr[group + 1]):
        member = tests.members[slot]
        for word in range(n_words):
            work.mask[0, word] &= samples.masks[member, word]


@kernel
def _narrow_mask(test, samples, tests, work):
    """Rows of a test, or of all tests of the group; returns their number."""
    m = 0
    for word in range(work.mask.shape[1]):
        rows = work.mask[0, word]
        if samples.testwise:
            rows &= samples.masks[tests.x[test], word] & samples.masks[tests.y[test], word]
        work.mask[1, word] = rows
        m += popcount(rows)
    return m


@kernel
def _number_variables(group, start, stop, tests, work):
    """Number the variables of the tests start .. stop; returns how many there are."""
    n_variables = 0
    for slot in range(tests.member_ptr[group], tests.member_ptr[group + 1]):
        variable = tests.members[slot]
        work.place[variable] = n_variables
        work.variables[n_variables] = variable
        n_variables += 1
    for test in range(start, stop):
        for variable in (tests.x[test], tests.y[test]):
            if work.place[variable] < 0:
                work.place[variable] = n_variables
                work.variables[n_variables] = variable
                n_variables += 1
    return n_variables


@kernel
def _copy_products(n_variables, n_members, start, stop, correlations, tests, work):
    for number in range(n_variables):
        variable = work.variables[number]
        work.moments[number, 2] = correlations[variable, variable]
        for member in range(n_members):
            work.products[number, member] = correlations[variable, work.variables[member]]
    for test in range(start, stop):
        work.joint[test - start] = correlations[tests.x[test], tests.y[test]]


@kernel
def _gather_products(n_variables, n_members, start, stop, shifts, samples, tests, work, m):
    """Centred products of the columns on the rows of the tests; whether they are precise."""
    for number in range(n_variables):
        work.cursor[number] = samples.indptr[work.variables[number]]
        work.moments[number, 1] = 0.0
        work.moments[number, 2] = 0.0
        for member in range(n_members):
            work.products[number, member] = 0.0
    for test in range(stop - start):
        work.joint[test] = 0.0
    stride = max(_LEAST_ROWS, (_BLOCK_ENTRIES // n_variables) & ~63)
    # Numbers of a type, not literals: of those each kernel would be compiled once more.
    done, word = np.int64(0), np.int64(0)
    while done < m:
        first_word = word
        word, n = _list_rows(first_word, stride, work)
        for number in range(n_variables):
            _gather(number, number * stride, n, first_word, word, done == 0, shifts, samples, work)
        _add_products(n_variables, n_members, start, stop, stride, n, tests, work)
        done += n
    for number in range(n_variables):
        mean = work.moments[number, 1] / m
        for member in range(n_members):
            work.products[number, member] -= mean * work.moments[member, 1]
    for test in range(start, stop):
        x, y = work.place[tests.x[test]], work.place[tests.y[test]]
        work.joint[test - start] -= work.moments[x, 1] / m * work.moments[y, 1]
    precise = True
    for number in range(n_variables):
        square = work.moments[number, 2]
        work.moments[number, 2] -= work.moments[number, 1] ** 2 / m
        precise &= work.moments[number, 2] > _DOUBTFUL * square
    return precise or shifts


@kernel
def _list_rows(first_word, most, work):
    """List at most so many rows of the mask from a word on; returns the next word, the number."""
    n = 0
    word = first_word
    while word < work.mask.shape[1] and n + 64 <= most:
        work.starts[word - first_word] = n
        rows = work.mask[1, word]
        while rows != 0:
            work.rows[n] = 64 * word + trailing_zeros(rows)
            rows &= rows - np.uint64(1)
            n += 1
        word += 1
    return word, n


@kernel
def _gather(number, base, n, first_word, end_word, is_first, shifts, samples, work):
    """Values of a variable on the listed rows, less its mean on the first of these blocks."""
    values = work.block[base : base + n]
    variable = work.variables[number]
    if samples.is_sparse:
        _scatter(number, values, first_word, end_word, samples, work)
    else:
        column = samples.values[samples.indptr[variable] : samples.indptr[variable + 1]]
        for i in range(n):
            values[i] = column[work.rows[i]]
    if shifts:
        if is_first:
            work.moments[number, 0] = _exact_mean(values)
        shift = work.moments[number, 0]
        for i in range(n):
            values[i] -= shift


@kernel(reassociate=True)
def _exact_mean(values):
    """Mean that of equal values is exactly their value."""
    origin = values[0]
    total = 0.0
    for i in range(values.size):
        total += values[i] - origin
    return origin + total / values.size


@kernel
def _scatter(number, values, first_word, end_word, samples, work):
    """Values of a sparse column on the rows of the words first_word .. end_word of the mask."""
    for i in range(values.size):
        values[i] = 0.0
    variable = work.variables[number]
    slot = work.cursor[number]
    for word in range(first_word, end_word):
        stored = samples.stored[variable, word]
        rows = work.mask[1, word]
        start = work.starts[word - first_word]
        both = stored & rows
        while both != 0:
            below = (both & (~both + np.uint64(1))) - np.uint64(1)
            value = samples.values[slot + popcount(stored & below)]
            values[start + popcount(rows & below)] = value
            both &= both - np.uint64(1)
        slot += popcount(stored)
    work.cursor[number] = slot


@kernel(reassociate=True)
def _dot(block, first, second, n):
    # Views: with sums as indices the loop would not use vector instructions.
    a, b = block[first : first + n], block[second : second + n]
    total = 0.0
    for i in range(n):
        total += a[i] * b[i]
    return total


@kernel(reassociate=True)
def _sum(values):
    total = 0.0
    for i in range(values.size):
        total += values[i]
    return total


@kernel
def _add_products(n_variables, n_members, start, stop, stride, n, tests, work):
    block = work.block
    for number in range(n_variables):
        base = number * stride
        work.moments[number, 1] += _sum(block[base : base + n])
        work.moments[number, 2] += _dot(block, base, base, n)
        for member in range(min(n_members, number)):
            work.products[number, member] += _dot(block, base, member * stride, n)
    for test in range(start, stop):
        x, y = work.place[tests.x[test]], work.place[tests.y[test]]
        work.joint[test - start] += _dot(block, x * stride, y * stride, n)


@kernel
def _eliminate(n_variables, n_members, start, stop, tests, work, rho):
    """Partial correlations from products: Cholesky's elimination of the conditioning set."""
    moments, products = work.moments, work.products
    for number in range(n_variables):
        variance = moments[number, 2]
        scale = 1.0 / np.sqrt(variance) if variance > 0 else 0.0
        moments[number, 0] = scale
        moments[number, 1] = 1.0 if variance > 0 else 0.0  # what is left of it
        for member in range(min(n_members, number)):
            weight = products[number, member] * scale * moments[member, 0]
            for before in range(member):
                weight -= products[number, before] * products[member, before]
            # Constant variables and those that earlier ones determine explain nothing more.
            left = moments[member, 1]
            weight = weight / np.sqrt(left) if left > _NOTHING else 0.0
            products[number, member] = weight
            moments[number, 1] -= weight * weight
    for test in range(start, stop):
        x, y = work.place[tests.x[test]], work.place[tests.y[test]]
        left_x, left_y = moments[x, 1], moments[y, 1]
        if left_x > _NOTHING and left_y > _NOTHING:
            r = work.joint[test - start] * moments[x, 0] * moments[y, 0]
            for member in range(n_members):
                r -= products[x, member] * products[y, member]
            r /= np.sqrt(left_x * left_y)
            rho[test] = max(-_LARGEST, min(_LARGEST, r))
