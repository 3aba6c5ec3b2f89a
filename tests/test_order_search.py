"""Order search: the kernels against a search that solves for every variance anew."""

from itertools import pairwise

import hypothesis.strategies as st
import naive_causal
import naive_order as oracle
import numpy as np
import pytest
from hypothesis import assume, given

from sparsekit.causal.order._search import order_search
from sparsekit.datasets import make_linear_sem

SHAPES = ["plain", "copy", "constant", "sum", "rescaled"]


def covariance_of(rng, d, n, shape="plain", density=0.4):
    """Covariance of n samples of a random linear model; some columns as `shape` says."""
    order = rng.permutation(d)
    weights = np.triu(rng.normal(size=(d, d)) * (rng.random((d, d)) < density), k=1)
    X = rng.normal(size=(n, d)) * rng.uniform(0.5, 2, d) @ np.linalg.inv(np.eye(d) - weights)
    X = X[:, order]
    if shape == "sum" and d > 2:
        X[:, -1] = X[:, 0] - 2 * X[:, 1]
    X -= X.mean(axis=0)
    C = X.T @ X / n
    C = (C + C.T) / 2
    if shape == "copy":
        # By index, so that both columns are the same to the last bit, and ties exact.
        source = np.arange(d)
        source[-1] = 0
        C = C[np.ix_(source, source)]
    elif shape == "constant":
        C[:, d // 2] = C[d // 2] = 0
    elif shape == "rescaled":
        scale = 10.0 ** rng.uniform(-4, 4, d)
        C = C * np.outer(scale, scale)
    C.flags.writeable = False
    return C


def descend(C, n, starts, **settings):
    """Search to the first local optimum of every start, without perturbations."""
    return order_search(C, n, starts, n_perturbations=0, **settings)


def assert_same(C, n, starts, **settings):
    """Every start alone must go the way of the oracle, and all of them give the best."""
    expected = [oracle.search(C, n, start, **settings) for start in starts]
    for start, naive in zip(starts, expected, strict=True):
        found = descend(C, n, start[None], **settings)
        assert found.order.tolist() == naive.order
        assert np.array_equal(found.is_edge, naive.is_edge)
        np.testing.assert_allclose(found.variances, naive.variances, rtol=1e-7)
        assert found.score == pytest.approx(naive.score, rel=1e-8, abs=1e-8)
        assert (found.n_passes, found.converged) == (naive.n_passes, naive.converged)
    found = descend(C, n, starts, **settings)
    scores = [naive.score for naive in expected]
    np.testing.assert_allclose(found.start_scores, scores, rtol=1e-8, atol=1e-8)
    # Equivalent graphs have the same score but for rounding; the first of them is taken.
    best = expected[int(np.argmax(scores <= min(scores) + 1e-6))]
    assert found.score == pytest.approx(best.score, rel=1e-8, abs=1e-8)
    assert found.order.tolist() == best.order
    assert np.array_equal(found.is_edge, best.is_edge)


def random_starts(rng, d, n_starts):
    starts = np.array([rng.permutation(d) for _ in range(n_starts)])
    starts.flags.writeable = False
    return starts


@given(
    st.integers(0, 2**32 - 1),
    st.integers(2, 7),
    st.sampled_from([20, 200, 10**5]),
    st.booleans(),
    st.sampled_from(SHAPES),
    st.sampled_from([None, 0, 1, 2]),
    st.sampled_from([0.0, 1.0]),
)
def test_small_problems(seed, d, n, equal, shape, max_parents, gamma):
    # Dependent columns tie but for rounding; very different scales make the totals of equal noise
    # large, so that rounding says when the search ends.
    assume(shape != "sum" and not (equal and shape == "rescaled"))
    rng = np.random.default_rng(seed)
    C = covariance_of(rng, d, min(n, 500), shape)
    starts = random_starts(rng, d, 2)
    assert_same(C, n, starts, equal=equal, max_parents=max_parents, gamma=gamma)


@pytest.mark.parametrize("equal", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_ten_variables(seed, equal):
    rng = np.random.default_rng(seed)
    C = covariance_of(rng, 10, 300)
    assert_same(C, 300, random_starts(rng, 10, 1), equal=equal)


def test_fewer_samples_than_variables():
    for seed in range(6):
        rng = np.random.default_rng(seed)
        n, equal = 8 + seed % 3, seed % 2 == 1
        C = covariance_of(rng, 10, n)
        assert_same(C, n, random_starts(rng, 10, 1), equal=equal)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("equal", [False, True])
def test_the_score_is_that_of_the_graph(shape, equal):
    """Recomputed from nothing but the edges, by least squares on a root of the covariance."""
    rng = np.random.default_rng(5)
    d, n = 8, 100
    C = covariance_of(rng, d, n, shape)
    found = order_search(C, n, random_starts(rng, d, 3), equal=equal, n_perturbations=2)
    scale = np.sqrt(np.where(np.diag(C) > 0, np.diag(C), 1))
    values, vectors = np.linalg.eigh(C / np.outer(scale, scale))
    root = np.sqrt(np.maximum(values, 0))[:, None] * vectors.T
    variances = np.empty(d)
    for j in range(d):
        A = root[:, found.is_edge[:, j]]
        residual = root[:, j] - A @ np.linalg.lstsq(A, root[:, j])[0]
        variances[j] = max(residual @ residual, 1e-10) * C[j, j]
    np.testing.assert_allclose(found.variances, variances, rtol=1e-6)
    fit = np.log(variances[variances > 0]).sum()
    if equal:
        fit = d * np.log(variances.sum() / d)
    score = n / 2 * fit + (np.log(n) / 2 + np.log(d)) * found.is_edge.sum()
    assert found.score == pytest.approx(score, rel=1e-8)
    place = np.argsort(found.order)
    assert all(place[i] < place[j] for i, j in np.argwhere(found.is_edge))
    if shape == "constant":
        assert not found.is_edge[d // 2].any()
        assert not found.is_edge[:, d // 2].any()
        assert found.variances[d // 2] == 0


@pytest.mark.parametrize("seed", range(3))
def test_no_pass_raises_the_score(seed):
    rng = np.random.default_rng(seed)
    C = covariance_of(rng, 12, 200, density=0.6)
    starts = random_starts(rng, 12, 1)
    whole = descend(C, 200, starts)
    assert whole.converged
    assert whole.n_passes > 1
    scores = []
    for n_passes in range(1, whole.n_passes + 1):
        part = descend(C, 200, starts, max_passes=n_passes)
        assert (part.n_passes, part.converged) == (n_passes, n_passes == whole.n_passes)
        scores.append(part.score)
    assert all(after < before for before, after in pairwise(scores[:-1]))
    assert scores[-1] == scores[-2] == whole.score


def test_no_move_of_the_oracle_raises_the_total():
    """The rule of adoption itself, for both scores: within a pass with equal noise."""
    for seed in range(4):
        rng = np.random.default_rng(seed)
        C = covariance_of(rng, 8, 100, density=0.6)
        for equal in (False, True):
            naive = oracle.search(C, 100, rng.permutation(8), equal=equal)
            assert sum(len(totals) for totals in naive.totals) > naive.n_passes
            for totals in naive.totals:
                assert all(np.diff(totals) < 0)
            if not equal:
                last = [totals[-1] for totals in naive.totals]
                assert last == sorted(last, reverse=True)


def test_the_watch_sees_every_pass_and_can_end_it():
    rng = np.random.default_rng(1)
    C, starts = covariance_of(rng, 12, 200, density=0.6), random_starts(rng, 12, 1)
    calls = []
    whole = descend(C, 200, starts, watch=lambda: calls.append(1))
    assert len(calls) in (whole.n_passes - 1, whole.n_passes)
    assert whole.converged
    stopped = descend(C, 200, starts, watch=lambda: True)
    assert (stopped.n_passes, stopped.converged) == (1, False)
    assert stopped.score == descend(C, 200, starts, max_passes=1).score


def assert_equal_bits(one, other):
    for a, b in zip(one, other, strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("equal", [False, True])
def test_threads_do_not_change_a_bit(equal):
    rng = np.random.default_rng(2)
    C, starts = covariance_of(rng, 8, 100), random_starts(rng, 8, 4)
    one = order_search(C, 100, starts, equal=equal, n_perturbations=2, n_jobs=1)
    assert_equal_bits(order_search(C, 100, starts, equal=equal, n_perturbations=2, n_jobs=2), one)
    assert_equal_bits(order_search(C, 100, starts, equal=equal, n_perturbations=2), one)


@pytest.mark.parametrize("equal", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_columns_in_another_order(seed, equal):
    rng = np.random.default_rng(seed)
    C, starts = covariance_of(rng, 9, 150), random_starts(rng, 9, 1)
    new = rng.permutation(9)  # column i becomes column new[i]
    old = np.argsort(new)
    found = order_search(C, 150, starts, equal=equal, n_perturbations=3)
    moved = order_search(C[np.ix_(old, old)], 150, new[starts], equal=equal, n_perturbations=3)
    assert moved.order.tolist() == new[found.order].tolist()
    assert np.array_equal(moved.is_edge, found.is_edge[np.ix_(old, old)])
    np.testing.assert_allclose(moved.variances, found.variances[old], rtol=1e-9)
    assert moved.score == pytest.approx(found.score, rel=1e-10)


@pytest.mark.parametrize("seed", range(4))
def test_scale_does_not_matter_with_unequal_noise(seed):
    rng = np.random.default_rng(seed)
    d, n = 10, 150
    C, starts = covariance_of(rng, d, n), random_starts(rng, d, 3)
    scale = 10.0 ** rng.uniform(-5, 5, d)
    found = descend(C, n, starts)
    scaled = descend(C * np.outer(scale, scale), n, starts)
    assert np.array_equal(scaled.is_edge, found.is_edge)
    np.testing.assert_allclose(scaled.variances, found.variances * scale**2, rtol=1e-9)
    shift = n * np.log(scale).sum()
    np.testing.assert_allclose(scaled.start_scores, found.start_scores + shift, rtol=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_one_unit_for_all_does_not_matter_with_equal_noise(seed):
    rng = np.random.default_rng(seed)
    d, n = 10, 150
    C, starts = covariance_of(rng, d, n), random_starts(rng, d, 3)
    found = descend(C, n, starts, equal=True)
    for unit in (1e-6, 1e7):
        scaled = descend(C * unit**2, n, starts, equal=True)
        assert np.array_equal(scaled.is_edge, found.is_edge)
        np.testing.assert_allclose(scaled.variances, found.variances * unit**2, rtol=1e-9)
        assert scaled.score == pytest.approx(found.score + n * d * np.log(unit), rel=1e-9)


@pytest.mark.parametrize("equal", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_perturbations_never_make_it_worse(seed, equal):
    rng = np.random.default_rng(seed)
    C, starts = covariance_of(rng, 9, 100, density=0.6), random_starts(rng, 9, 2)
    runs = [
        order_search(C, 100, starts, equal=equal, n_perturbations=number) for number in (0, 1, 4)
    ]
    for fewer, more in pairwise(runs):
        assert (more.start_scores <= fewer.start_scores + 1e-5).all()
        assert more.n_passes > fewer.n_passes or more.score < fewer.score
    if not equal:  # equal noise leaves nothing to improve here
        assert runs[-1].start_scores.sum() < runs[0].start_scores.sum()


@pytest.mark.slow
def test_the_best_of_all_orders_is_found():
    n_found = 0
    for seed in range(100):
        X, _ = make_linear_sem(1000, 6, degree=1, random_state=seed)
        C = np.cov(X.T, bias=True)
        rng = np.random.default_rng(seed)
        found = descend(C, 1000, random_starts(rng, 6, 10))
        best = oracle.best_over_all_orders(C, 1000) + 500 * np.log(np.diag(C)).sum()
        assert found.score >= best - 1e-5
        n_found += found.score <= best + 1e-5
    assert n_found >= 90


@pytest.mark.parametrize("seed", range(5))
def test_the_equivalence_class_is_found_in_the_population(seed):
    """No noise of sampling and a light penalty: the true graph up to what can not be told."""
    rng = np.random.default_rng(seed)
    true = naive_causal.random_dag(5, 0.5, rng)
    paths = np.linalg.inv(np.eye(5) - true)
    C = paths.T @ np.diag(rng.uniform(0.5, 2, 5)) @ paths
    C = (C + C.T) / 2
    found = descend(C, 10**6, random_starts(rng, 5, 5))
    assert np.array_equal(naive_causal.cpdag(found.is_edge), naive_causal.cpdag(true))


@pytest.mark.parametrize("equal", [False, True])
@pytest.mark.parametrize("n", [10**8, 10**12])
def test_the_search_ends_however_many_samples(n, equal):
    # Orders of equivalent graphs differ by rounding, times the number of samples.
    for seed in range(4):
        rng = np.random.default_rng(seed)
        C = covariance_of(rng, 8, 60)
        found = descend(C, n, random_starts(rng, 8, 2), equal=equal)
        assert found.converged
        assert np.isfinite(found.start_scores).all()


@pytest.mark.parametrize("n", [50, 10**5])
def test_the_search_ends_whatever_the_scales_with_equal_noise(n):
    """The totals are large, and so is their rounding; a move must be worth more than that."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        C = covariance_of(rng, 8, 50, "rescaled")
        starts = random_starts(rng, 8, 1)
        assert descend(C, n, starts, equal=True).converged
        empty = descend(C, n, starts, equal=True, max_parents=0)
        assert (empty.n_passes, empty.order.tolist()) == (1, starts[0].tolist())


def test_two_samples_of_many_columns():
    C = covariance_of(np.random.default_rng(0), 6, 2)
    for equal in (False, True):
        found = order_search(C, 10**5, np.arange(6)[None], equal=equal, n_perturbations=2)
        assert found.converged
        assert np.isfinite(found.score)
        assert (found.is_edge.sum(axis=0) <= 1).all()


@pytest.mark.parametrize("equal", [False, True])
def test_of_two_copies_the_earlier_in_the_order_is_the_parent(equal):
    for seed in range(60):
        rng = np.random.default_rng(seed)
        C = np.cov((rng.normal(size=(50, 2)) @ rng.normal(size=(2, 2))).T, bias=True)
        C = C[np.ix_([0, 1, 0], [0, 1, 0])]
        only = np.ones((3, 3), dtype=bool)
        only[[0, 2], 1] = False  # column 1 has the parent 0 or its copy 2
        for order in ([0, 2, 1], [2, 0, 1]):
            found = descend(C, 50, np.array([order]), gamma=0, equal=equal, forbidden=only)
            if found.is_edge.any():
                assert np.argwhere(found.is_edge).tolist() == [[order[0], 1]]


@pytest.mark.parametrize("equal", [False, True])
@pytest.mark.parametrize("C", [np.full((1, 1), 4.0), np.zeros((1, 1)), np.zeros((3, 3))])
def test_nothing_to_find(C, equal):
    d = len(C)
    found = descend(C, 10, np.arange(d)[None], equal=equal)
    assert found.order.tolist() == list(range(d))
    assert not found.is_edge.any()
    assert (found.n_passes, found.converged) == (1, True)
    assert found.variances.tolist() == np.diag(C).tolist()
    assert found.score == pytest.approx(5 * np.log(4) if C[0, 0] else 0)


@pytest.mark.parametrize("equal", [False, True])
def test_perfect_explanations_end_at_the_floor(equal):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 100))
    C = np.cov(np.column_stack([x, y, 2 * x - y]).T, bias=True)
    found = descend(C, 100, np.array([[0, 1, 2]]), equal=equal)
    assert found.is_edge.sum() <= 3
    assert np.sum(found.variances == 1e-10 * np.diag(C)) <= 1
    assert np.isfinite(found.score)
