"""Search for the skeleton, separating sets and votes, against the oracle."""

from itertools import combinations

import hypothesis.strategies as st
import naive_dropout as oracle
import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given

from sparsekit.causal.dropout import _enumerate
from sparsekit.causal.dropout._fisher_z import FisherZ, p_values
from sparsekit.causal.dropout._samples import as_samples
from sparsekit.causal.dropout._skeleton import search_skeleton
from sparsekit.causal.dropout._votes import middle_shares

RULES = ["all", "first", "max_p", "majority"]
HANDLINGS = ["conditioning", "testwise", "listwise", "none"]


def table(seed, n, d, zeros=0.3, density=0.4):
    """Samples of a linear model with random zeros."""
    rng = np.random.default_rng(seed)
    signs = rng.choice([-1, 1], size=(d, d)) * (rng.random((d, d)) < density)
    weights = np.triu(rng.uniform(0.8, 1.5, size=(d, d)) * signs, 1)
    X = rng.normal(size=(n, d)) @ np.linalg.inv(np.eye(d) - weights)
    X[rng.random((n, d)) < zeros] = 0
    return X


def random_pairs(rng, d, share):
    upper = np.triu(rng.random((d, d)) < share, 1)
    return upper | upper.T


def assert_same(
    X,
    zero_handling="conditioning",
    *,
    alpha=0.05,
    min_samples=0,
    keep=False,
    rule="all",
    form=np.asarray,
    **limits,
):
    """Compare with the oracle; returns what was found and the shares of votes."""
    test = FisherZ(as_samples(form(X), zero_handling))
    rows = {"alpha": alpha, "min_samples": min_samples, "keep": keep}
    found = search_skeleton(test, rule=rule, **rows, **limits)
    naive = oracle.Tester(X, zero_handling, **rows)
    expected = oracle.search_skeleton(naive, **limits)
    np.testing.assert_array_equal(found.adjacent, expected.adjacent)
    assert found.sepsets == expected.sepsets(rule)
    assert found.unions == expected.unions
    np.testing.assert_array_equal(found.n_rows, expected.n_rows)
    assert found.n_tests.tolist() == expected.n_tests
    assert found.n_insufficient == expected.n_insufficient
    np.testing.assert_allclose(p_values(found.statistic), expected.pvalues, rtol=0, atol=1e-10)
    np.testing.assert_array_equal(found.statistic, found.statistic.T)
    tiers = limits.get("tiers")
    shares = middle_shares(test, found, **rows, tiers=tiers)
    votes = {
        triple: oracle.votes(naive, expected, *triple, tiers)
        for triple in oracle.unshielded(expected.adjacent)
        if (triple[0], triple[2]) in expected.unions  # not by knowledge alone
    }
    assert shares.keys() == votes.keys()
    for triple, (with_middle, total) in votes.items():
        expected_share = with_middle / total if total else np.nan
        np.testing.assert_array_equal(shares[triple], expected_share)
    return found, shares


@pytest.mark.parametrize("zero_handling", HANDLINGS)
@pytest.mark.parametrize("rule", RULES)
def test_rules(rule, zero_handling):
    zeros = 0.05 if zero_handling == "listwise" else 0.3
    X = table(0, 300, 8, zeros=zeros)
    found, _ = assert_same(X, zero_handling, rule=rule)
    assert len(found.n_tests) >= 3
    assert found.sepsets


@given(
    seed=st.integers(0, 999),
    zero_handling=st.sampled_from(HANDLINGS),
    rule=st.sampled_from(RULES),
    keep=st.booleans(),
    min_samples=st.sampled_from([0, 20, 45]),
    alpha=st.sampled_from([0.001, 0.05, 0.3]),
    max_cond_size=st.sampled_from([None, 0, 1, 2]),
    form=st.sampled_from([np.asarray, sp.csc_array]),
)
def test_settings(seed, zero_handling, max_cond_size, **settings):
    rng = np.random.default_rng(seed)
    X = table(seed, int(rng.integers(5, 120)), int(rng.integers(1, 7)), zeros=rng.random() * 0.7)
    assert_same(X, zero_handling, max_cond_size=max_cond_size, **settings)


@given(
    seed=st.integers(0, 999),
    rule=st.sampled_from(RULES),
    keep=st.booleans(),
    excluded=st.sampled_from([0, 0.2, 1]),
    fixed=st.sampled_from([0, 0.2, 1]),
    with_tiers=st.booleans(),
)
def test_knowledge(seed, rule, keep, excluded, fixed, with_tiers):
    rng, d = np.random.default_rng(seed), 6
    excluded = random_pairs(rng, d, excluded)
    fixed = random_pairs(rng, d, fixed) & ~excluded
    tiers = rng.integers(-1, 3, size=d) if with_tiers else None
    found, _ = assert_same(
        table(seed, 80, d, zeros=0.3, density=0.8),
        rule=rule, keep=keep, excluded=excluded, fixed=fixed, tiers=tiers,
    )  # fmt: skip
    assert not found.adjacent[excluded].any()
    assert found.adjacent[fixed].all()
    np.testing.assert_array_equal(np.isnan(found.statistic[excluded | fixed]), True)
    np.testing.assert_array_equal(found.n_rows[excluded | fixed], -1)
    assert not any((excluded | fixed)[pair] for pair in found.sepsets)


def test_every_pair_excluded_or_fixed():
    X = table(1, 50, 4)
    pairs = ~np.eye(4, dtype=bool)
    found, _ = assert_same(X, excluded=pairs)
    assert len(found.n_tests) == 0
    found, _ = assert_same(X, fixed=pairs)
    assert found.n_tests.sum() == 0


def test_few_rows_separate_or_are_ignored():
    X = table(2, 60, 6, zeros=0.4, density=1.0)
    separated, _ = assert_same(X, min_samples=45, alpha=0.05)
    kept, _ = assert_same(X, min_samples=45, alpha=0.05, keep=True)
    assert separated.n_insufficient > 0
    assert kept.n_insufficient > 0
    assert kept.adjacent.sum() > separated.adjacent.sum()
    untested, _ = assert_same(X, min_samples=61, keep=True)
    assert untested.adjacent.sum() == 30
    np.testing.assert_array_equal(np.isnan(untested.statistic), True)
    assert untested.n_tests.tolist() == [15]  # and no more: larger sets leave no more rows
    assert untested.n_insufficient == 15


@pytest.mark.parametrize("zero_handling", HANDLINGS)
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_hardly_any_samples(n, zero_handling):
    for keep in (False, True):
        assert_same(table(3, n, 4, zeros=0.2), zero_handling, keep=keep)


@pytest.mark.parametrize("zero_handling", HANDLINGS)
@pytest.mark.parametrize("form", [np.asarray, sp.csc_array])
def test_no_row_and_no_entry(form, zero_handling):
    assert_same(np.zeros((50, 4)), zero_handling, form=form)
    X = table(4, 50, 4, zeros=0.1)
    X[:, 2] = 0
    assert_same(X, zero_handling, form=form)


@pytest.mark.parametrize("zero_handling", HANDLINGS)
def test_constant_columns_and_copies(zero_handling):
    """A constant column is isolated; copies stay adjacent, each separating the other from all."""
    X = table(5, 150, 6, zeros=0.1, density=0.8)
    X[:, 4], X[:, 5] = 3.0, X[:, 0]
    found, _ = assert_same(X, zero_handling)
    assert not found.adjacent[4].any()
    assert found.adjacent[0, 5]
    assert found.adjacent[0].sum() == 1


@pytest.mark.parametrize("d", [1, 2])
def test_one_and_two_columns(d):
    for form in (np.asarray, sp.csc_array):
        found, shares = assert_same(table(6, 50, d, density=1.0), form=form)
        assert len(found.n_tests) == d - 1
        assert shares == {}


@pytest.mark.parametrize("zero_handling", HANDLINGS)
@pytest.mark.parametrize("rule", ["all", "max_p"])
def test_permuted_columns(rule, zero_handling):
    X = table(7, 200, 8, zeros=0.05 if zero_handling == "listwise" else 0.3)
    plain, shares = assert_same(X, zero_handling, rule=rule)
    permutation = np.random.default_rng(7).permutation(8)
    other, others = assert_same(X[:, permutation], zero_handling, rule=rule)
    square = np.ix_(permutation, permutation)
    np.testing.assert_array_equal(other.adjacent, plain.adjacent[square])
    np.testing.assert_array_equal(other.n_rows, plain.n_rows[square])
    np.testing.assert_allclose(other.statistic, plain.statistic[square], rtol=1e-9)
    assert other.n_tests.tolist() == plain.n_tests.tolist()
    original = permutation.tolist()
    for name in ("sepsets", "unions"):
        back = {
            tuple(sorted(original[v] for v in pair)): tuple(sorted(original[v] for v in S))
            for pair, S in getattr(other, name).items()
        }
        assert back == getattr(plain, name)
    for (x, y, z), share in others.items():
        ends = sorted((original[x], original[z]))
        np.testing.assert_array_equal(share, shares[ends[0], original[y], ends[1]])


@pytest.mark.parametrize("rule", RULES)
def test_small_batches(rule, monkeypatch):
    X = table(8, 150, 8, density=0.7)
    whole, shares = assert_same(X, rule=rule)
    monkeypatch.setattr(_enumerate, "_BATCH_SIZE", 5)
    parts, others = assert_same(X, rule=rule)
    assert parts.sepsets == whole.sepsets
    assert parts.n_tests.tolist() == whole.n_tests.tolist()
    assert others.keys() == shares.keys()


def test_more_than_a_word_of_columns():
    X = table(9, 120, 70, zeros=0.05, density=0.03)
    found, _ = assert_same(X, alpha=0.001, max_cond_size=2)
    assert len(found.n_tests) == 3
    assert any(S and max(S) >= 64 for S in found.unions.values())


def test_watching_and_stopping():
    test = FisherZ(as_samples(table(10, 200, 7, density=0.8), "conditioning"))
    levels = []
    search_skeleton(test, alpha=0.05, watch=lambda level: levels.append(level))
    assert levels == list(range(len(levels)))
    assert len(levels) > 2
    stopped = search_skeleton(test, alpha=0.05, watch=lambda level: level == 1)
    limited = search_skeleton(test, alpha=0.05, max_cond_size=1)
    np.testing.assert_array_equal(stopped.adjacent, limited.adjacent)
    assert len(stopped.n_tests) == 2


class DSeparation:
    """Answers of a graph in place of data."""

    def __init__(self, dag):
        self.graph = nx.from_numpy_array(dag, create_using=nx.DiGraph)
        self.n_features, self.n_rows = len(dag), 1000

    def statistic(self, x, y, S):
        return 0.0 if nx.is_d_separator(self.graph, {x}, {y}, set(S)) else 40.0

    def marginal(self):
        d = self.n_features
        found = [[0.0 if x == y else self.statistic(x, y, ()) for y in range(d)] for x in range(d)]
        return np.array(found), np.full((d, d), self.n_rows)

    def __call__(self, tests):
        groups = np.repeat(np.arange(len(tests.test_ptr) - 1), np.diff(tests.test_ptr))
        found = []
        for x, y, group in zip(tests.x.tolist(), tests.y.tolist(), groups.tolist(), strict=True):
            first, last = tests.member_ptr[group : group + 2]
            found.append(self.statistic(x, y, tests.members[first:last].tolist()))
        return np.array(found), np.full(len(found), self.n_rows)


@pytest.mark.parametrize("seed", range(6))
def test_true_answers_give_the_true_graph(seed):
    """Of separating sets all or none have the middle of a triple: none, if it is a collider."""
    rng = np.random.default_rng(seed)
    d = 7
    order = rng.permutation(d)
    dag = np.triu(rng.random((d, d)) < 0.4, 1)[np.ix_(order, order)]
    test = DSeparation(dag)
    found = search_skeleton(test, alpha=0.05)
    np.testing.assert_array_equal(found.adjacent, dag | dag.T)
    for x, y in combinations(range(d), 2):
        assert ((x, y) in found.sepsets) != found.adjacent[x, y]
    shares = middle_shares(test, found, alpha=0.05)
    for (x, y, z), share in shares.items():
        assert share == (0 if dag[x, y] and dag[z, y] else 1)
        is_in_union = y in found.unions[x, z]
        assert is_in_union == (share == 1)
