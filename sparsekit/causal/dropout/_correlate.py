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
from sparsekit.core.jit import count_workers, kernel, run_workers
from sparsekit.core.memory import aligned_empty
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
    cursor: np.ndarray  # sparse: the next entry of each variable
    block: np.ndarray  # gathered values, variable by variable
    moments: np.ndarray  # (at most d, 3): shift, sum and sum of squares of shifted values
    products: np.ndarray  # (at most d, l): with each variable conditioned on; then its weights
    joint: np.ndarray  # products of the two variables of each test


def correlate(
    samples: Samples,
    tests: Tests,
    n_jobs: int | None = None,
    *,
    correlations: np.ndarray | None = None,
    undefined: float = 0.0,
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
    undefined : float, default=0.0
        What stands for the correlation if a variable is constant or determined by the conditioning
        set, and if there are no more rows than variables in this set plus 3.

    Returns
    -------
    rho : ndarray of shape (n_tests,), float64
        At most 1 - 2^-52 in absolute value.
    n_rows : ndarray of shape (n_tests,), int64
        Rows used.
    """
    n_tests, n_groups = len(tests.x), len(tests.test_ptr) - 1
    rho, n_rows = np.full(n_tests, undefined), np.empty(n_tests, dtype=np.int64)
    if n_groups == 0:
        return rho, n_rows
    if samples.deletes:
        correlations = np.empty((0, 0))
    elif correlations is None:
        correlations = all_correlations(samples)
    sizes = np.diff(tests.member_ptr)
    per_test = 8 + (samples.n_rows >> 2 if samples.deletes else 0)
    ranges = ranges_by_cost(np.diff(tests.test_ptr) * (per_test + sizes), n_jobs)
    most_members, most_tests = int(sizes.max()), int(np.diff(tests.test_ptr).max())
    n_workers = count_workers(ranges, n_jobs)
    works = [_make_work(samples, most_members, most_tests) for _ in range(n_workers)]

    def do_range(lo: int, hi: int, worker: int) -> None:
        _correlate(lo, hi, samples, tests, correlations, works[worker], rho, n_rows)

    run_workers(do_range, ranges, n_jobs)
    return rho, n_rows


def _make_work(samples: Samples, most_members: int, most_tests: int) -> _Work:
    n_features, n_words = samples.masks.shape
    n_variables = min(n_features, most_members + 2 * most_tests)
    n_entries = max(_BLOCK_ENTRIES, _LEAST_ROWS * n_variables) if samples.deletes else 0
    return _Work(
        place=np.full(n_features, -1, dtype=np.int64),
        variables=np.empty(n_variables, dtype=np.int64),
        mask=np.empty((2, n_words), dtype=np.uint64),
        rows=np.empty(min(n_entries, _BLOCK_ENTRIES), dtype=np.uint64),
        cursor=np.empty(n_variables, dtype=np.int64),
        block=aligned_empty((n_entries,), np.float64),
        moments=np.empty((n_variables, 3)),
        products=np.empty((n_variables, most_members)),
        joint=np.empty(most_tests),
    )


@kernel
def _correlate(lo, hi, samples, tests, correlations, work, rho, n_rows):
    """Do the groups lo .. hi."""
    x, y = tests.x, tests.y
    for group in range(lo, hi):
        members = tests.members[tests.member_ptr[group] : tests.member_ptr[group + 1]]
        size, start, last = members.size, tests.test_ptr[group], tests.test_ptr[group + 1]
        if samples.deletes:
            _start_mask(members, samples.n_rows, samples.masks, work.mask)
        while start < last:
            stop = start + 1 if samples.testwise else last
            m = samples.n_rows
            if samples.deletes:
                m = _narrow_mask(x[start], y[start], samples.testwise, samples.masks, work.mask)
            for test in range(start, stop):
                n_rows[test] = m
            if m > size + 3:
                n = _number_variables(members, start, stop, x, y, work.place, work.variables)
                if samples.deletes:
                    # What is not precise enough is done again with columns centred on these rows.
                    for attempt in range(2):
                        shifts = samples.is_sparse or attempt == 1
                        if _gather_products(n, size, start, stop, m, shifts, samples, x, y, work):
                            break
                else:
                    _copy_products(n, size, start, stop, correlations, x, y, work)
                _eliminate(n, size, start, stop, x, y, work, rho)
                for number in range(n):
                    work.place[work.variables[number]] = -1
            start = stop


@kernel(inner=True)
def _start_mask(members, n_rows, masks, mask):
    """Rows where no variable of the conditioning set is zero."""
    for word in range(mask.shape[1]):
        left = n_rows - 64 * word
        rows = ~np.uint64(0)
        if left < 64:
            rows = (np.uint64(1) << np.uint64(left)) - np.uint64(1)
        mask[0, word] = rows
    for position in range(members.size):
        for word in range(mask.shape[1]):
            mask[0, word] &= masks[members[position], word]


@kernel(inner=True)
def _narrow_mask(x, y, testwise, masks, mask):
    """Rows of a test, or of all tests of the group; returns their number."""
    m = 0
    for word in range(mask.shape[1]):
        rows = mask[0, word]
        if testwise:
            rows &= masks[x, word] & masks[y, word]
        mask[1, word] = rows
        m += popcount(rows)
    return m


@kernel(inner=True)
def _number_variables(members, start, stop, x, y, place, variables):
    """Number the variables of the tests start .. stop; returns how many there are."""
    n_variables = members.size
    for number in range(n_variables):
        place[members[number]] = number
        variables[number] = members[number]
    for test in range(start, stop):
        for end in range(2):
            variable = x[test] if end == 0 else y[test]
            if place[variable] < 0:
                place[variable] = n_variables
                variables[n_variables] = variable
                n_variables += 1
    return n_variables


@kernel(inner=True)
def _copy_products(n_variables, n_members, start, stop, correlations, x, y, work):
    for number in range(n_variables):
        variable = work.variables[number]
        work.moments[number, 2] = correlations[variable, variable]
        for member in range(n_members):
            work.products[number, member] = correlations[variable, work.variables[member]]
    for test in range(start, stop):
        work.joint[test - start] = correlations[x[test], y[test]]


@kernel(inner=True)
def _gather_products(n_variables, n_members, start, stop, m, shifts, samples, x, y, work):
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
        word, n = _list_rows(first_word, stride, work.mask[1], work.rows)
        for number in range(n_variables):
            _gather(number, number * stride, n, first_word, word, done == 0, shifts, samples, work)
        _add_products(n_variables, n_members, start, stop, stride, n, x, y, work)
        done += n
    for number in range(n_variables):
        mean = work.moments[number, 1] / m
        for member in range(n_members):
            work.products[number, member] -= mean * work.moments[member, 1]
    for test in range(start, stop):
        a, b = work.place[x[test]], work.place[y[test]]
        work.joint[test - start] -= work.moments[a, 1] / m * work.moments[b, 1]
    precise = True
    for number in range(n_variables):
        square = work.moments[number, 2]
        work.moments[number, 2] -= work.moments[number, 1] ** 2 / m
        precise &= work.moments[number, 2] > _DOUBTFUL * square
    return precise or shifts


@kernel(inner=True)
def _list_rows(first_word, most, mask, rows):
    """List at most so many rows of the mask from a word on; returns the next word, the number."""
    n = 0
    word = first_word
    while word < mask.size and n + 64 <= most:
        rest = mask[word]
        while rest != 0:
            rows[n] = 64 * word + trailing_zeros(rest)
            rest &= rest - np.uint64(1)
            n += 1
        word += 1
    return word, n


@kernel(inner=True)
def _gather(number, base, n, first_word, end_word, is_first, shifts, samples, work):
    """Values of a variable on the listed rows, less its mean on the first of these blocks."""
    values = work.block[base : base + n]
    variable = work.variables[number]
    if samples.is_sparse:
        work.cursor[number] = _scatter(
            values,
            first_word,
            end_word,
            work.mask[1],
            samples.stored[variable],
            samples.values,
            work.cursor[number],
        )
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


@kernel(reassociate=True, inner=True)
def _exact_mean(values):
    """Mean that of equal values is exactly their value."""
    origin = values[0]
    total = 0.0
    for i in range(values.size):
        total += values[i] - origin
    return origin + total / values.size


@kernel(inner=True)
def _scatter(values, first_word, end_word, mask, stored, entries, slot):
    """Values of a sparse column on the rows of the words first_word .. end_word of the mask.

    Its next entry is number `slot`; returns that of the words to come.
    """
    for i in range(values.size):
        values[i] = 0.0
    start = 0
    for word in range(first_word, end_word):
        rows = mask[word]
        both = stored[word] & rows
        while both != 0:
            below = (both & (~both + np.uint64(1))) - np.uint64(1)
            value = entries[slot + popcount(stored[word] & below)]
            values[start + popcount(rows & below)] = value
            both &= both - np.uint64(1)
        slot += popcount(stored[word])
        start += popcount(rows)
    return slot


@kernel(reassociate=True, inner=True)
def _dot(block, first, second, n):
    # Views: with sums as indices the loop would not use vector instructions.
    a, b = block[first : first + n], block[second : second + n]
    total = 0.0
    for i in range(n):
        total += a[i] * b[i]
    return total


@kernel(reassociate=True, inner=True)
def _sum(values):
    total = 0.0
    for i in range(values.size):
        total += values[i]
    return total


@kernel(inner=True)
def _add_products(n_variables, n_members, start, stop, stride, n, x, y, work):
    block = work.block
    for number in range(n_variables):
        base = number * stride
        work.moments[number, 1] += _sum(block[base : base + n])
        work.moments[number, 2] += _dot(block, base, base, n)
        for member in range(min(n_members, number)):
            work.products[number, member] += _dot(block, base, member * stride, n)
    for test in range(start, stop):
        a, b = work.place[x[test]], work.place[y[test]]
        work.joint[test - start] += _dot(block, a * stride, b * stride, n)


@kernel(inner=True)
def _eliminate(n_variables, n_members, start, stop, x, y, work, rho):
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
        a, b = work.place[x[test]], work.place[y[test]]
        left_a, left_b = moments[a, 1], moments[b, 1]
        if left_a > _NOTHING and left_b > _NOTHING:
            r = work.joint[test - start] * moments[a, 0] * moments[b, 0]
            for member in range(n_members):
                r -= products[a, member] * products[b, member]
            r /= np.sqrt(left_a * left_b)
            rho[test] = max(-_LARGEST, min(_LARGEST, r))
