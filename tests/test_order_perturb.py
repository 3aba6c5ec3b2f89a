"""Order search beyond the first local optimum; room for sets; numbers at their limits."""

from itertools import pairwise

import naive_causal
import naive_order as oracle
import numpy as np
import pytest
from test_order_knowledge import assert_respected, knowledge_of, settings_of
from test_order_search import assert_same, covariance_of, descend, random_starts

from sparsekit.causal.order import _descent, _parent_sets, _perturb
from sparsekit.causal.order._score import Score
from sparsekit.causal.order._search import order_search

both_noises = pytest.mark.parametrize("equal", [False, True])


def random_problem(rng, d):
    """A graph, its order, and knowledge that it fits; some variables have all parents they may."""
    order = rng.permutation(d)
    is_parent = np.zeros((d, d), dtype=bool)
    is_parent[np.ix_(order, order)] = np.tril(rng.random((d, d)) < 0.6, k=-1)
    rules = np.zeros((d, d), dtype=np.int8)
    rules[is_parent & (rng.random((d, d)) < 0.2)] = _parent_sets.REQUIRED
    barred = ~is_parent & (rng.random((d, d)) < 0.2)
    rules[barred | np.eye(d, dtype=bool)] = _parent_sets.FORBIDDEN
    keys = np.zeros((2, d), dtype=np.int64)
    most = np.full(d, rng.integers(2, 7))
    return _parent_sets.Problem(np.eye(d), rules, most, keys), order, is_parent


def follows(order, is_parent):
    place = np.argsort(order)
    return all(place[parent] < place[child] for child, parent in np.argwhere(is_parent))


def test_perturbed_orders_respect_required_edges():
    n_moved = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        problem, order, is_parent = random_problem(rng, int(rng.integers(1, 7)))
        is_parent.flags.writeable = order.flags.writeable = False
        perturbed = _perturb.perturb(problem, order, is_parent, seed)
        assert sorted(perturbed) == sorted(order)
        assert follows(perturbed, problem.rules == _parent_sets.REQUIRED)
        n_moved += not follows(perturbed, is_parent)
    assert n_moved > 10


def test_the_walk_stays_in_the_equivalence_class():
    n_changed = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        d = 5
        problem, order, is_parent = random_problem(rng, d)
        parents, n_parents = np.zeros((d, d), dtype=np.int32), is_parent.sum(axis=1)
        for child, row in enumerate(is_parent):
            parents[child, : row.sum()] = np.flatnonzero(row)
        walked, draws = is_parent.copy(), rng.integers(2**62, size=(10 * d, 2))
        _perturb._walk(problem, order, draws, parents, n_parents, walked)
        n_changed += (walked != is_parent).any()
        assert np.array_equal(naive_causal.cpdag(walked.T), naive_causal.cpdag(is_parent.T))
        assert walked[problem.rules == _parent_sets.REQUIRED].all()
        assert not walked[problem.rules == _parent_sets.FORBIDDEN].any()
        assert (n_parents <= np.maximum(problem.max_parents, is_parent.sum(axis=1))).all()
        for child, row in enumerate(walked):
            assert sorted(parents[child, : n_parents[child]]) == np.flatnonzero(row).tolist()
        arranged = np.empty(d, dtype=np.int64)
        _perturb._arrange(order, draws[:d, 0], n_parents, walked, arranged)
        assert follows(arranged, walked)
    assert n_changed > 5


@both_noises
def test_stopped_after_any_pass(equal):
    rng = np.random.default_rng(3)
    d, n = 8, 100
    C, starts = covariance_of(rng, d, n, density=0.6), random_starts(rng, d, 2)
    settings = settings_of(knowledge_of(rng, d, 0.1), d)

    def stopped_after(n_passes):
        passes = iter(range(1, n_passes))
        return order_search(
            C,
            n,
            starts,
            equal=equal,
            n_perturbations=2,
            watch=lambda: next(passes, None) is None,
            **settings,
        )

    runs = [stopped_after(n_passes) for n_passes in range(1, 30)]
    assert not runs[0].converged
    assert runs[0].start_scores[1] == np.inf
    assert runs[-1].converged
    problem = oracle.Search(C, n, equal=equal)
    for found in runs:
        assert_respected(found, **settings)
        parents = [np.flatnonzero(row).tolist() for row in found.is_edge.T]
        assert found.score == pytest.approx(problem.score(parents), rel=1e-8)
        assert found.score == pytest.approx(found.start_scores.min(), abs=1e-5)
    if not equal:
        for fewer, more in pairwise(runs):
            assert (more.start_scores <= fewer.start_scores + 1e-5).all()


@both_noises
def test_scale_does_not_matter_to_perturbations(equal):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        C, starts = covariance_of(rng, 8, 100), random_starts(rng, 8, 2)
        scale = np.full(8, 1e-7) if equal else 10.0 ** rng.uniform(-5, 5, 8)
        found = order_search(C, 100, starts, equal=equal, n_perturbations=3)
        scaled = C * np.outer(scale, scale)
        again = order_search(scaled, 100, starts, equal=equal, n_perturbations=3)
        assert again.order.tolist() == found.order.tolist()
        assert np.array_equal(again.is_edge, found.is_edge)
        assert (again.n_passes, again.converged) == (found.n_passes, found.converged)


@both_noises
def test_sets_are_forgotten_where_there_is_no_room(equal, monkeypatch):
    """The search is the same, and more memory is taken only if one step needs it."""
    rng = np.random.default_rng(4)
    C, starts = covariance_of(rng, 9, 200, density=0.6), random_starts(rng, 9, 1)
    whole = order_search(C, 200, starts, equal=equal, n_perturbations=8)
    sizes, make = [], _descent._no_sets

    def no_sets(d, size):
        sizes.append(size)
        return make(d, size)

    monkeypatch.setattr(_descent, "_no_sets", no_sets)
    for n_sets, n_members in [(1, 1), (6, 64)]:
        sizes.clear()
        monkeypatch.setattr(_descent, "_SETS", n_sets)
        monkeypatch.setattr(_descent, "_MEMBERS", n_members)
        found = order_search(C, 200, starts, equal=equal, n_perturbations=8)
        assert found.order.tolist() == whole.order.tolist()
        assert np.array_equal(found.is_edge, whole.is_edge)
        assert (found.n_passes, found.converged) == (whole.n_passes, whole.converged)
        assert len(sizes) > 1 if n_sets == 1 else sizes == [6]


def test_parents_that_rounding_makes_redundant_change_nothing():
    """Which variables depend on others may turn out otherwise in another order of them."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4, 50))
    C = X @ X.T / 50
    C[2] = C[0] - C[1]
    C[:, 2] = C[:, 0] - C[:, 1]
    d, limits = 4, Score(50, 4, 3.0, False).limits(np.ones(4))
    rules = np.zeros((d, d), dtype=np.int8)
    np.fill_diagonal(rules, _parent_sets.FORBIDDEN)
    keys = rng.integers(2**62, size=(2, d))
    problem = _parent_sets.Problem(C, rules, np.full(d, d), keys)
    vectors = (np.full(d, np.nan) for _ in range(4))
    parents, rows = np.zeros(d, dtype=np.int64), np.full((d, d), np.nan)
    room = _parent_sets.Room(parents, rows, *vectors, np.full(1, -1), np.zeros(1))
    sets = _descent._no_sets(d, 8)
    parents[:] = [0, 1, 2, -1]
    all_three = _parent_sets.set_in_room(problem, limits, 3, 0, 3, sets, room)
    assert sets.facts[all_three, _parent_sets.LEAVING] == 2
    without = _parent_sets.toggle(problem, limits, 3, all_three, 2, sets, room)
    assert sets.facts[without, _parent_sets.N_PARENTS] == 2
    variances = sets.values[[all_three, without], _parent_sets.VARIANCE]
    expected = oracle.Search(C, 50, equal=True).solve_variance(3, [0, 1])
    np.testing.assert_allclose(variances, [expected, expected], rtol=1e-9)


@pytest.mark.parametrize("unit", [1e22, 1e30, 1e60])
def test_one_column_in_large_units_with_equal_noise(unit):
    """Gains of the others are tiny in comparison, but differ."""
    for seed in range(6):
        rng = np.random.default_rng(seed)
        C, starts = covariance_of(rng, 7, 300, density=0.6), random_starts(rng, 7, 1)
        scale = np.append(unit, np.ones(6))
        assert_same(C * np.outer(scale, scale), 300, starts, equal=True)


@both_noises
def test_scales_as_far_apart_as_numbers_allow(equal):
    for seed in range(8):
        rng = np.random.default_rng(seed)
        d, n = 5, 100
        scale = 10.0 ** rng.uniform(-150, 150, d)
        C = covariance_of(rng, d, n)
        required = np.zeros((d, d), dtype=bool)
        required[np.argsort(scale)[0], np.argsort(scale)[1]] = True
        units, starts = np.outer(scale, scale), random_starts(rng, d, 2)
        found = order_search(
            C * units, n, starts, equal=equal, n_perturbations=1, required=required
        )
        variances = oracle.Search(C, n)
        for j, is_parent in enumerate(found.is_edge.T):
            expected = variances.unfloored(j, np.flatnonzero(is_parent).tolist())
            share = found.variances[j] / (C[j, j] * scale[j] ** 2)
            assert share == pytest.approx(expected, rel=1e-6)


def test_the_best_start_does_not_depend_on_units():
    rng = np.random.default_rng(6)
    C, starts = covariance_of(rng, 9, 100, density=0.6), random_starts(rng, 9, 6)
    for unit in (1.0, 1e-300):
        found = descend(C * unit, 10**10, starts, equal=True)
        assert found.start_scores[0] > found.start_scores.min() + 1
        assert found.score == pytest.approx(found.start_scores.min(), rel=1e-12)
