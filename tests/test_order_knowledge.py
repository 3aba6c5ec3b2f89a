"""Background knowledge in the order search, against the search that solves everything anew."""

import hypothesis.strategies as st
import naive_order as oracle
import numpy as np
import pytest
from hypothesis import given
from test_order_search import assert_same, covariance_of, descend, random_starts

from sparsekit.causal import BackgroundKnowledge
from sparsekit.causal.order._search import order_search


def knowledge_of(rng, d, share):
    """Random knowledge without contradictions: what it forbids and requires is on one order."""
    order = rng.permutation(d)
    forward = np.triu(np.ones((d, d), dtype=bool), k=1)
    known = rng.random((d, d)) < share
    required, forbidden = np.zeros((2, d, d), dtype=bool)
    required[np.ix_(order, order)] = forward & known & (rng.random((d, d)) < 0.5)
    forbidden[np.ix_(order, order)] = known & ~required[np.ix_(order, order)]
    tiers = np.array_split(order, 3) if rng.random() < 0.5 else None
    if tiers is not None:
        tiers = [tier.tolist() for tier in tiers[: rng.integers(1, 4)]]
    return BackgroundKnowledge(forbidden=forbidden, required=required, tiers=tiers)


def settings_of(knowledge, d):
    """Arguments of a search; read-only, as nothing may write to them."""
    settings = knowledge.resolve(d)._asdict()
    for matrix in settings.values():
        matrix.flags.writeable = False
    return settings


def assert_respected(found, forbidden, required):
    assert not found.is_edge[forbidden].any()
    assert found.is_edge[required].all()
    place = np.argsort(found.order)
    assert all(place[i] < place[j] for i, j in np.argwhere(found.is_edge))


@given(
    st.integers(0, 2**32 - 1),
    st.integers(2, 7),
    st.sampled_from([30, 10**5]),
    st.booleans(),
    st.sampled_from(["plain", "constant", "copy"]),
    st.sampled_from([None, 1, 3]),
    st.sampled_from([0.1, 0.3, 0.6]),
)
def test_small_problems(seed, d, n, equal, shape, max_parents, share):
    rng = np.random.default_rng(seed)
    C = covariance_of(rng, d, min(n, 500), shape)
    settings = settings_of(knowledge_of(rng, d, share), d)
    starts = random_starts(rng, d, 2)
    assert_same(C, n, starts, equal=equal, max_parents=max_parents, **settings)
    assert_respected(order_search(C, n, starts, equal=equal, **settings), **settings)


@pytest.mark.parametrize("equal", [False, True])
def test_starts_are_sorted_stably(equal):
    """A start against required edges is the sorted one: the same passes, the same graph."""
    rng = np.random.default_rng(0)
    C = covariance_of(rng, 6, 100)
    settings = settings_of(BackgroundKnowledge(required=[(4, 0), (0, 2), (5, 1)]), 6)
    found = descend(C, 100, np.array([[2, 1, 0, 3, 5, 4]]), equal=equal, **settings)
    again = descend(C, 100, np.array([[3, 5, 1, 4, 0, 2]]), equal=equal, **settings)
    assert oracle.Search(C, 100, **settings).sort([2, 1, 0, 3, 5, 4]) == [3, 5, 1, 4, 0, 2]
    for one, other in zip(found, again, strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("equal", [False, True])
def test_everything_is_known(equal):
    rng = np.random.default_rng(1)
    d, n = 6, 100
    C, starts = covariance_of(rng, d, n), random_starts(rng, d, 2)
    order = rng.permutation(d)
    complete = np.zeros((d, d), dtype=bool)
    complete[np.ix_(order, order)] = np.triu(np.ones((d, d), dtype=bool), k=1)
    found = order_search(C, n, starts, equal=equal, forbidden=complete.T, required=complete)
    assert np.array_equal(found.is_edge, complete)
    assert found.order.tolist() == order.tolist()
    pivots = np.diag(np.linalg.cholesky(C[np.ix_(order, order)])) ** 2
    np.testing.assert_allclose(found.variances[order], pivots)
    nothing = np.ones((d, d), dtype=bool)
    found = descend(C, n, starts, equal=equal, forbidden=nothing)
    assert not found.is_edge.any()
    np.testing.assert_allclose(found.variances, np.diag(C))
    assert (found.n_passes, found.order.tolist()) == (1, starts[0].tolist())


@pytest.mark.parametrize("equal", [False, True])
def test_tiers(equal):
    """Tiers of one: the parents of each are those that grow-shrink finds among all before it."""
    rng = np.random.default_rng(2)
    d, n = 7, 200
    C, starts = covariance_of(rng, d, n), random_starts(rng, d, 3)
    tiers = BackgroundKnowledge(tiers=[[i] for i in (3, 0, 6, 2, 5, 1, 4)])
    settings = settings_of(tiers, d)
    found = order_search(C, n, starts, equal=equal, **settings)
    assert_respected(found, **settings)
    inverted = settings_of(BackgroundKnowledge(tiers=[[i] for i in (4, 1, 5, 2, 6, 0, 3)]), d)
    other = order_search(C, n, starts, equal=equal, **inverted)
    assert_respected(other, **inverted)
    if not equal:
        free = oracle.Search(C, n)
        parents = free.sets_of([3, 0, 6, 2, 5, 1, 4])
        assert found.score == pytest.approx(free.score(parents), rel=1e-8)


@pytest.mark.parametrize("equal", [False, True])
def test_required_edges_from_copies_and_constants(equal):
    rng = np.random.default_rng(3)
    d, n = 5, 100
    x, y, z, u = rng.normal(size=(4, n))
    C = np.cov(np.column_stack([x, x, x + y, np.zeros(n), y + z + u]).T, bias=True)
    knowledge = BackgroundKnowledge(required=[(0, 2), (1, 2), (3, 2), (4, 3)])
    settings = settings_of(knowledge, d)
    starts = random_starts(rng, d, 3)
    assert_same(C, n, starts, equal=equal, **settings)
    found = order_search(C, n, starts, equal=equal, **settings)
    assert_respected(found, **settings)
    assert found.variances[3] == 0
    assert np.isfinite(found.score)


def test_a_limit_on_parents_lets_required_ones_be():
    rng = np.random.default_rng(4)
    C = covariance_of(rng, 6, 300, density=0.9)
    settings = settings_of(BackgroundKnowledge(required=[(0, 5), (1, 5), (2, 5)]), 6)
    found = order_search(C, 300, random_starts(rng, 6, 3), max_parents=1, **settings)
    assert np.flatnonzero(found.is_edge[:, 5]).tolist() == [0, 1, 2]
    assert found.is_edge[:, :5].sum(axis=0).max() == 1


@pytest.mark.parametrize("equal", [False, True])
def test_required_copies_fill_the_limit_too(equal):
    """What adds nothing as a regressor is still an edge of the graph, which the limit is about."""
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(2, 100))
    z = x + y + rng.normal(size=100) / 4
    C = np.cov(np.column_stack([x, x, y, z]).T, bias=True)
    settings = settings_of(BackgroundKnowledge(required=[(0, 3), (1, 3)]), 4)
    starts = np.arange(4)[None]
    free = order_search(C, 100, starts, equal=equal, **settings)
    assert free.is_edge[:, 3].tolist() == [True, True, True, False]
    limited = order_search(C, 100, starts, equal=equal, max_parents=2, **settings)
    assert limited.is_edge[:, 3].sum() == 2
