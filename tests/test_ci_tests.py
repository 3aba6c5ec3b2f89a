"""Conditional-independence tests by ranks, for discrete data and of the user, against scipy."""

from itertools import combinations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from naive_dropout import rows_of
from scipy import stats
from scipy.special import erfc

from sparsekit.causal.dropout._ci_tests import CI_TESTS, make_ci_test
from sparsekit.causal.dropout._samples import ZERO_HANDLINGS, make_tests
from sparsekit.datasets import make_dropout_sem

BY_RANKS = ["spearman", "nonparanormal"]
TRIPLES = [
    (x, y, S)
    for x, y in combinations(range(5), 2)
    for size in range(4)
    for S in combinations([v for v in range(5) if v not in (x, y)], size)
]


def p_values(statistics):
    return erfc(statistics / np.sqrt(2))


def results(test, triples):
    """Statistics and rows in the order of the triples."""
    tests, order = make_tests(triples)
    statistics, n_rows = np.empty(len(order)), np.empty(len(order), dtype=int)
    statistics[order], n_rows[order] = test(tests)
    return statistics, n_rows


@pytest.fixture(scope="module")
def continuous():
    X, _ = make_dropout_sem(120, 5, degree=1.5, mechanism="quantile", random_state=0)
    X.flags.writeable = False
    return X


@pytest.fixture(scope="module")
def counts():
    """With ties, negative values and many zeros."""
    X, _ = make_dropout_sem(400, 5, degree=1.5, mechanism="quantile", random_state=1)
    X = np.rint(X)
    X.flags.writeable = False
    return X


def score_naively(values, name):
    ranks = np.apply_along_axis(stats.rankdata, 0, values)
    return ranks if name == "spearman" else stats.norm.ppf(ranks / (len(values) + 1))


def rank_statistic(X, x, y, S, zero_handling, name):
    rows = rows_of(X, x, y, S, zero_handling)
    if len(rows) <= len(S) + 3:
        return 0.0, len(rows)
    scores = score_naively(X[np.ix_(rows, [x, y, *S])], name)
    design = np.column_stack([np.ones(len(rows)), scores[:, 2:]])
    residuals = scores[:, :2] - design @ np.linalg.lstsq(design, scores[:, :2])[0]
    rho = np.corrcoef(residuals.T)[0, 1]
    return np.sqrt(len(rows) - len(S) - 3) * abs(np.arctanh(rho)), len(rows)


def g_square_naively(X, x, y, S, zero_handling):
    """P-value: the sum over all configurations of S, each tested by scipy."""
    rows = rows_of(X, x, y, S, zero_handling)
    statistic = freedom = 0
    for configuration in np.unique(X[np.ix_(rows, S)], axis=0):
        inside = rows[(X[np.ix_(rows, S)] == configuration).all(axis=1)]
        table = stats.contingency.crosstab(X[inside, x], X[inside, y]).count
        found = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")
        statistic, freedom = statistic + found.statistic, freedom + found.dof
    return stats.chi2.sf(statistic, freedom) if freedom else 1.0, len(rows)


class TestRanks:
    @pytest.mark.parametrize("name", BY_RANKS)
    @pytest.mark.parametrize("zero_handling", ZERO_HANDLINGS)
    @pytest.mark.parametrize("data", ["continuous", "counts"])
    def test_against_regression_of_ranks(self, data, zero_handling, name, request):
        X = request.getfixturevalue(data)
        statistics, n_rows = results(make_ci_test(name, X, zero_handling), TRIPLES)
        expected = [rank_statistic(X, *triple, zero_handling, name) for triple in TRIPLES]
        np.testing.assert_allclose(statistics, [z for z, _ in expected], atol=1e-9)
        np.testing.assert_array_equal(n_rows, [m for _, m in expected])

    def test_against_scipy(self, counts):
        statistics, _ = make_ci_test("spearman", counts, "none").marginal()
        rho = stats.spearmanr(counts).statistic
        off_diagonal = ~np.eye(5, dtype=bool)
        expected = np.sqrt(len(counts) - 3) * np.abs(np.arctanh(rho[off_diagonal]))
        np.testing.assert_allclose(statistics[off_diagonal], expected, atol=1e-9)

    def test_against_the_recursion_of_partial_correlations(self, continuous):
        rho = stats.spearmanr(continuous[:, :3]).statistic
        numerator = rho[0, 1] - rho[0, 2] * rho[1, 2]
        expected = numerator / np.sqrt((1 - rho[0, 2] ** 2) * (1 - rho[1, 2] ** 2))
        statistics, n_rows = results(make_ci_test("spearman", continuous, "none"), [(0, 1, (2,))])
        assert statistics[0] == pytest.approx(np.sqrt(n_rows[0] - 4) * abs(np.arctanh(expected)))

    @pytest.mark.parametrize("name", BY_RANKS)
    @pytest.mark.parametrize("zero_handling", ["conditioning", "testwise"])
    @given(seed=st.integers(0, 2**32 - 1))
    def test_increasing_functions_change_nothing(self, name, zero_handling, seed):
        """As long as zeros stay zeros and signs stay."""
        X = np.random.default_rng(seed).normal(size=(40, 3)) * (np.arange(40)[:, None] % 5 != 0)
        triples = [(0, 1, ()), (0, 1, (2,)), (1, 2, (0,))]
        expected, _ = results(make_ci_test(name, X, zero_handling), triples)
        found, _ = results(make_ci_test(name, np.sinh(X), zero_handling), triples)
        np.testing.assert_allclose(found, expected, atol=1e-10)

    @pytest.mark.parametrize("name", BY_RANKS)
    def test_share_of_false_alarms(self, name):
        rng = np.random.default_rng(0)
        X = rng.lognormal(sigma=2, size=(60, 90)) * (rng.random((60, 90)) < 0.8)
        statistics, _ = make_ci_test(name, X, "none").marginal()
        p = p_values(statistics[np.triu_indices(90, k=1)])
        for alpha in (0.01, 0.05, 0.2):
            assert (p <= alpha).mean() == pytest.approx(alpha, abs=0.012)

    def test_normal_scores_see_what_heavy_tails_hide(self):
        _, _, Z = make_dropout_sem(
            2000, 2, degree=1, return_latent=True, weight_range=(0.25, 0.25), random_state=0
        )
        X = np.sign(Z) * np.exp(3 * np.abs(Z))
        (values, _), (scores, _) = (
            results(make_ci_test(name, X, "none"), [(0, 1, ())])
            for name in ("fisherz", "nonparanormal")
        )
        assert scores[0] > 1.5 * values[0]

    @pytest.mark.parametrize("name", BY_RANKS)
    @pytest.mark.parametrize("zero_handling", ZERO_HANDLINGS)
    def test_degenerate_columns(self, name, zero_handling):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(50, 5))
        X[:, 1] = 3.0
        X[:, 2] = np.exp(X[:, 0])
        X[:, 3] = 2 * X[:, 0]
        triples = [(0, 1, ()), (0, 1, (4,)), (0, 2, ()), (0, 4, (2,)), (2, 4, (0, 3)), (0, 4, (1,))]
        statistics, n_rows = results(make_ci_test(name, X, zero_handling), triples)
        p = p_values(statistics)
        # Constant, or determined by what is given: independent. The same ranks: dependent.
        np.testing.assert_array_equal(p[[0, 1, 3, 4]], 1)
        assert p[2] == 0
        # A member that is constant is skipped but counted.
        alone, _ = results(make_ci_test(name, X, zero_handling), [(0, 4, ())])
        assert statistics[5] == pytest.approx(alone[0] * np.sqrt(46 / 47))
        assert (n_rows == 50).all()


class TestGSquare:
    @pytest.mark.parametrize("zero_handling", ZERO_HANDLINGS)
    def test_against_scipy(self, counts, zero_handling):
        statistics, n_rows = results(make_ci_test("gsquare", counts, zero_handling), TRIPLES)
        expected = [g_square_naively(counts, *triple, zero_handling) for triple in TRIPLES]
        too_few = n_rows <= [len(S) + 3 for _, _, S in TRIPLES]
        np.testing.assert_array_equal(statistics[too_few], 0)
        p = np.array([p for p, _ in expected])
        np.testing.assert_allclose(p_values(statistics)[~too_few], p[~too_few], atol=1e-10)
        np.testing.assert_array_equal(n_rows, [m for _, m in expected])

    @given(st.integers(0, 2**32 - 1))
    def test_names_of_levels_do_not_matter(self, seed):
        rng = np.random.default_rng(seed)
        X = rng.integers(1, 4, size=(60, 3))
        names = rng.permutation([-7.5, 0.1, 3.0, 1e9])
        triples = [(0, 1, ()), (0, 1, (2,))]
        expected, _ = results(make_ci_test("gsquare", X.astype(float), "conditioning"), triples)
        found, _ = results(make_ci_test("gsquare", names[X], "conditioning"), triples)
        np.testing.assert_allclose(found, expected)

    def test_dependence_that_is_not_linear(self):
        x = np.tile([-1.0, 0, 1], 40)
        X = np.column_stack([x, x**2])
        triple = [(0, 1, ())]
        assert results(make_ci_test("fisherz", X, "none"), triple)[0][0] < 1e-6
        assert results(make_ci_test("gsquare", X, "none"), triple)[0][0] > 8

    def test_constant_columns_are_independent(self):
        X = np.column_stack([np.ones(20), np.arange(20) % 2 + 1, np.arange(20) % 3])
        statistics, _ = results(make_ci_test("gsquare", X, "none"), [(0, 1, ()), (0, 1, (2,))])
        np.testing.assert_array_equal(statistics, 0)

    @pytest.mark.parametrize("form", [np.asarray, sp.csc_array])
    def test_data_that_are_not_discrete(self, form):
        X = np.column_stack([np.arange(200) % 4, np.linspace(0, 1, 200)])
        with pytest.raises(ValueError, match=r"at most 50 different .*199 in column 1: .*KBins"):
            make_ci_test("gsquare", form(X), "none")


class TestUserTest:
    def test_pearson(self, continuous):
        """What the function sees, and what comes of its p-values."""

        def pearson(x, y, S):
            if S.shape[1]:
                design = np.column_stack([np.ones(len(x)), S])
                x, y = (v - design @ np.linalg.lstsq(design, v)[0] for v in (x, y))
            z = np.sqrt(len(x) - S.shape[1] - 3) * np.arctanh(np.corrcoef(x, y)[0, 1])
            return 2 * stats.norm.sf(abs(z))

        for zero_handling in ZERO_HANDLINGS:
            found, n_found = results(make_ci_test(pearson, continuous, zero_handling), TRIPLES)
            fisher_z = make_ci_test("fisherz", continuous, zero_handling)
            expected, n_expected = results(fisher_z, TRIPLES)
            np.testing.assert_allclose(found, expected, atol=1e-8)
            np.testing.assert_array_equal(n_found, n_expected)

    def test_it_may_write_into_its_arguments(self, continuous):
        def rude(x, y, S):
            x[:] = y[:] = S[:] = 0
            return 0.5

        before = continuous.copy()
        results(make_ci_test(rude, continuous, "conditioning"), TRIPLES)
        np.testing.assert_array_equal(continuous, before)

    @pytest.mark.parametrize("p", [0, 1e-300, 0.05, np.float32(0.25), np.array(0.5), 1])
    def test_p_values_come_back(self, p, continuous):
        test = make_ci_test(lambda x, y, S: p, continuous, "none")
        statistics, _ = results(test, [(0, 1, (2,))])
        assert p_values(statistics)[0] == pytest.approx(float(p), rel=1e-9, abs=0)

    @pytest.mark.parametrize("p", [np.nan, -0.1, 1.5, None, "no", (0.1, 0.2)])
    def test_bad_p_values(self, p, continuous):
        test = make_ci_test(lambda x, y, S: p, continuous, "none")
        with pytest.raises(
            ValueError, match=r"p-value between 0 and 1, got .* 1 and 3 given \[2\]"
        ):
            results(test, [(1, 3, (2,))])


@pytest.mark.parametrize("name", CI_TESTS)
@pytest.mark.parametrize("zero_handling", ZERO_HANDLINGS)
class TestAll:
    def test_sparse(self, counts, name, zero_handling):
        dense = results(make_ci_test(name, counts, zero_handling), TRIPLES)
        sparse = results(make_ci_test(name, sp.csc_array(counts), zero_handling), TRIPLES)
        np.testing.assert_allclose(sparse[0], dense[0], atol=1e-9)
        np.testing.assert_array_equal(sparse[1], dense[1])

    def test_marginal(self, counts, name, zero_handling):
        test = make_ci_test(name, counts, zero_handling)
        statistics, n_rows = test.marginal()
        pairs = list(combinations(range(5), 2))
        expected = results(test, [(x, y, ()) for x, y in pairs])
        for found, one_by_one in zip((statistics, n_rows), expected, strict=True):
            np.testing.assert_allclose(found, found.T)
            np.testing.assert_allclose([found[pair] for pair in pairs], one_by_one, atol=1e-9)
        assert test.n_features == 5
        assert test.n_rows == len(rows_of(counts, 0, 1, (), zero_handling)) or (
            zero_handling == "testwise" and test.n_rows == len(counts)
        )


def test_threads_do_not_change_a_bit(counts):
    for name in CI_TESTS:
        one, two = (results(make_ci_test(name, counts, "none", n), TRIPLES)[0] for n in (1, 2))
        np.testing.assert_array_equal(one, two)


def test_unknown_names():
    with pytest.raises(
        ValueError, match=r"one of \('fisherz', .*'gsquare'\) or callable, got 'kci'"
    ):
        make_ci_test("kci", np.ones((3, 2)), "none")
