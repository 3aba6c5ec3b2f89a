"""Ranges of equal work: they cover, do not overlap, are not empty and balance."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from sparsekit.core.partition import ranges_by_cost, split_by_cost, split_evenly, split_rows

n_ranges_wanted = st.integers(1, 70)
cost_lists = st.lists(st.integers(0, 1000), max_size=60)


def assert_cuts(ranges, n_items, n_ranges):
    """Every item is in one range, in order; no range is empty; not too many of them."""
    assert len(ranges) <= n_ranges
    assert all(lo < hi for lo, hi in ranges)
    assert [i for lo, hi in ranges for i in range(lo, hi)] == list(range(n_items))
    assert all(type(bound) is int for pair in ranges for bound in pair)


@given(cost_lists, n_ranges_wanted)
def test_split_by_cost(costs, n_ranges):
    ranges = split_by_cost(np.cumsum([0, *costs]), n_ranges)
    assert_cuts(ranges, len(costs), n_ranges)
    fair = sum(costs) / n_ranges
    for lo, hi in ranges:
        assert sum(costs[lo:hi]) <= fair + max(costs, default=0) + 1e-9 * sum(costs)


@given(cost_lists, n_ranges_wanted)
def test_split_rows_counts_entries_and_rows(lengths, n_ranges):
    indptr = np.cumsum([0, *lengths]).astype(np.int32)
    ranges = split_rows(indptr, n_ranges)
    assert_cuts(ranges, len(lengths), n_ranges)
    fair = (sum(lengths) + len(lengths)) / n_ranges
    for lo, hi in ranges:
        assert sum(lengths[lo:hi]) + hi - lo <= fair + max(lengths) + 1 + 1e-6


@given(st.integers(0, 500), n_ranges_wanted)
def test_split_evenly(n_items, n_ranges):
    ranges = split_evenly(n_items, n_ranges)
    assert_cuts(ranges, n_items, n_ranges)
    assert len(ranges) == min(n_items, n_ranges)
    lengths = [hi - lo for lo, hi in ranges]
    assert max(lengths, default=0) - min(lengths, default=0) <= 1


def test_empty_rows_are_work_too():
    indptr = np.concatenate(([0], np.full(1000, 10)))
    assert max(hi - lo for lo, hi in split_rows(indptr, 10)) <= 120


def test_a_heavy_row_does_not_drag_the_following_rows_along():
    indptr = np.cumsum([0] + [1] * 50 + [10_000] + [1] * 50)
    assert 51 in [lo for lo, _ in split_rows(indptr, 10)]


def test_costs_near_the_limit_of_int32_do_not_wrap():
    indptr = np.array([0, 2**30, 2**31 - 1], dtype=np.int32)
    assert split_rows(indptr, 2) == [(0, 1), (1, 2)]


@pytest.mark.parametrize("split", [split_evenly, lambda n, k: split_rows(np.zeros(n + 1, int), k)])
def test_nothing_to_split(split):
    assert split(0, 4) == []


@given(st.lists(st.integers(0, 30_000), max_size=60))
def test_ranges_by_cost(costs):
    ranges = ranges_by_cost(np.array(costs), None)
    assert_cuts(sorted(ranges), len(costs), 64)
    lengths = [hi - lo for lo, hi in ranges]
    assert lengths == sorted(lengths)  # heavy items first


def test_a_small_job_is_one_range():
    assert ranges_by_cost(np.ones(8000), None) == [(0, 8000)]


def test_more_threads_share_more_ranges(monkeypatch):
    monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", 4)
    costs = np.full(1000, 10_000)
    assert len(ranges_by_cost(costs, 1)) == 64
    assert len(ranges_by_cost(costs, 4)) == 256
