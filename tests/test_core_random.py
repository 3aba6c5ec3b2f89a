"""Counter-based random numbers, against Python integers."""

import naive
import numpy as np
import pytest
from conftest import JIT_DISABLED
from hypothesis import example, given
from hypothesis import strategies as st

from sparsekit.core import random

words = st.integers(0, 2**64 - 1)


@given(words)
@example(0)
@example(2**64 - 1)
def test_mix64(x):
    assert int(random.mix64(np.uint64(x))) == naive.mix64(x)


@given(words, words, words)
@example(0, 0, 0)
@example(2**64 - 1, 2**64 - 1, 2**64 - 1)
def test_keys_and_bits(seed, stream, index):
    key = int(random.stream_key(np.uint64(seed), np.uint64(stream)))
    assert key == naive.stream_key(seed, stream)
    bits = int(random.bits32(np.uint64(key), np.uint64(index)))
    assert bits == naive.bits32(key, index)
    assert bits < 2**32


@pytest.mark.parametrize("seed", [0, 1, 42, 2**32 - 1, 2**63, 2**64 - 1])
@pytest.mark.parametrize("sparsity", [1.0, 1.5, 3.0, 10 / 3, 100.0])
def test_signs_are_those_of_the_formula(seed, sparsity):
    signs = random.sparse_signs(seed, 7, 9, sparsity)
    assert signs.dtype == np.int8
    assert np.array_equal(signs, naive.sparse_signs(seed, 7, 9, sparsity))


@pytest.mark.parametrize(
    ("below_positive", "below_nonzero", "sign"), [(1, 1, 1), (0, 1, -1), (0, 0, 0)]
)
def test_thresholds_are_exclusive(below_positive, below_nonzero, sign):
    bits = naive.bits32(naive.stream_key(42, 0), 0)
    signs = np.full((1, 1), 7, dtype=np.int8)
    limits = np.uint64(bits + below_positive), np.uint64(bits + below_nonzero)
    random._fill_signs(0, 1, np.uint64(42), *limits, signs)
    assert signs[0, 0] == sign


def test_signs_never_change_between_versions():
    """Written down once: whoever stored an embedding's seed has to get the same matrix again."""
    assert random.sparse_signs(42, 3, 8, 3.0).tolist() == [
        [0, 0, 0, 1, 0, 0, 1, 0],
        [0, -1, 0, 0, 1, -1, 0, 1],
        [0, -1, 0, 0, 0, 1, 0, -1],
    ]


@pytest.mark.parametrize("seed", [np.int32(5), np.int64(5), np.uint32(5), np.uint64(5), 5 + 2**64])
def test_kinds_of_seeds(seed):
    assert np.array_equal(random.sparse_signs(seed, 3, 8, 3.0), random.sparse_signs(5, 3, 8, 3.0))


def test_negative_seeds_wrap():
    expected = random.sparse_signs(2**64 - 1, 3, 8, 3.0)
    assert np.array_equal(random.sparse_signs(-1, 3, 8, 3.0), expected)


@pytest.mark.parametrize(("n_rows", "n_columns"), [(0, 0), (0, 5), (5, 0), (1, 1)])
def test_empty_and_tiny_shapes(n_rows, n_columns):
    assert random.sparse_signs(0, n_rows, n_columns, 3.0).shape == (n_rows, n_columns)


def test_more_rows_and_columns_leave_the_others_unchanged():
    signs = random.sparse_signs(3, 40, 30, 3.0)
    assert np.array_equal(random.sparse_signs(3, 25, 30, 3.0), signs[:25])
    assert np.array_equal(random.sparse_signs(3, 40, 11, 3.0), signs[:, :11])


def test_threads_give_the_same_bits(monkeypatch):
    monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", 4)
    expected = random.sparse_signs(7, 300, 5, 3.0)
    for n_jobs in (1, 2, 3, -1):
        assert np.array_equal(random.sparse_signs(7, 300, 5, 3.0, n_jobs), expected)


def test_no_zeros_at_sparsity_one():
    assert set(random.sparse_signs(0, 20, 20, 1.0).ravel().tolist()) == {-1, 1}


N_ROWS, N_COLUMNS = (100, 30) if JIT_DISABLED else (2000, 200)


def assert_within_five_sigma(count, n, probability):
    sigma = np.sqrt(n * probability * (1 - probability))
    assert abs(count - n * probability) < 5 * sigma


@pytest.mark.parametrize("seed", [0, 1, 12345])
@pytest.mark.parametrize("sparsity", [1.0, 3.0, 50.0])
def test_density_and_balance_of_signs(seed, sparsity):
    signs = random.sparse_signs(seed, N_ROWS, N_COLUMNS, sparsity)
    n_nonzero = np.count_nonzero(signs)
    if sparsity == 1:
        assert n_nonzero == signs.size
    else:
        assert_within_five_sigma(n_nonzero, signs.size, 1 / sparsity)
    assert_within_five_sigma(np.count_nonzero(signs > 0), n_nonzero, 0.5)


def test_rows_columns_and_seeds_are_uncorrelated():
    signs = random.sparse_signs(0, N_ROWS, N_COLUMNS, 1.0).astype(float)
    other = random.sparse_signs(1, N_ROWS, N_COLUMNS, 1.0).astype(float)
    pairs = [
        (signs[1:], signs[:-1]),
        (signs[:, 1:], signs[:, :-1]),
        (signs, other),
        (signs[1:, :-1], signs[:-1, 1:]),
    ]
    for left, right in pairs:
        assert abs(np.sum(left * right)) < 5 * np.sqrt(left.size)
