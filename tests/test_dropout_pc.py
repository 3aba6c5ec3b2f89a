"""DropoutPC as an estimator: what comes in, what comes out, and what it promises."""

import math
import warnings
from itertools import combinations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from naive_dropout import dropout_pc as naive_pc
from sklearn.callback import ProgressBar
from test_colide import Recorder

from sparsekit.causal import BackgroundKnowledge, DropoutPC, fisher_z_test
from sparsekit.causal.dropout._orientation import CONFLICTS
from sparsekit.causal.dropout._samples import ZERO_HANDLINGS
from sparsekit.causal.dropout._skeleton import SEPSET_RULES

every_handling = pytest.mark.parametrize("zero_handling", ZERO_HANDLINGS)


def make_data(n=300, d=6, seed=0, share=0.25, density=0.5):
    """Zero-inflated samples of a random linear graph."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    weights = np.triu(rng.uniform(0.4, 1.2, size=(d, d)) * (rng.random((d, d)) < density), 1)
    for j in range(d):
        X[:, j] += X @ weights[:, j] + rng.uniform(-1, 1)
    X[rng.random(X.shape) < share] = 0
    return X[:, rng.permutation(d)]


X = make_data()
X.flags.writeable = False


def everything(model):
    """All that a fit leaves behind, comparable by ==."""
    found = {}
    for name, value in vars(model).items():
        if name.endswith("_") and not name.startswith("_"):
            if sp.issparse(value):
                value = (value.toarray().tolist(), (value.data.tolist()))
            found[name] = value.tolist() if isinstance(value, np.ndarray) else value
    return found


def assert_same(model, other, tolerance=0.0):
    """The same result, p-values up to a tolerance."""
    one, two = everything(model), everything(other)
    np.testing.assert_allclose(
        model.pvalues_.toarray(), other.pvalues_.toarray(), rtol=0, atol=tolerance
    )
    for name in ("pvalues_", "feature_names_in_"):
        one.pop(name, None), two.pop(name, None)
    assert one == two


def assert_oracle_agrees(model, X, **settings):
    skeleton, oriented = naive_pc(X, model.alpha, **settings)
    rule = settings.get("sepset_rule", "majority")
    np.testing.assert_array_equal(model.skeleton_.toarray() != 0, skeleton.adjacent)
    np.testing.assert_array_equal(model.adjacency_.toarray() != 0, oriented.adjacency)
    assert model.sepsets_ == skeleton.sepsets(rule)
    assert model.conflicts_ == oriented.conflicts
    assert model.ambiguous_triples_ == oriented.ambiguous
    assert model.n_tests_.tolist() == skeleton.n_tests
    assert model.n_insufficient_ == skeleton.n_insufficient
    expected = np.nan_to_num(skeleton.pvalues)
    np.testing.assert_allclose(model.pvalues_.toarray(), expected, rtol=0, atol=1e-10)
    assert model.pvalues_.nnz == np.isfinite(skeleton.statistic).sum()
    np.testing.assert_array_equal(model.n_effective_.toarray(), np.maximum(skeleton.n_rows, 0))
    assert model.n_effective_.nnz == (skeleton.n_rows >= 0).sum()


class TestOracle:
    """The whole estimator against the literal implementation."""

    @every_handling
    @pytest.mark.parametrize("rule", SEPSET_RULES)
    @pytest.mark.filterwarnings("ignore::UserWarning")
    def test_handlings_and_rules(self, zero_handling, rule):
        for seed, conflict in enumerate(CONFLICTS):
            data = make_data(120, 6, seed, share=0.2)
            settings = {"zero_handling": zero_handling, "sepset_rule": rule, "conflict": conflict}
            assert_oracle_agrees(DropoutPC(0.1, **settings).fit(data), data, **settings)

    @pytest.mark.parametrize("insufficient", ["independent", "keep"])
    @pytest.mark.parametrize("min_samples", [None, 40, 0.4])
    @pytest.mark.filterwarnings("ignore::UserWarning")
    def test_few_samples(self, insufficient, min_samples):
        data = make_data(60, 5, seed=3, share=0.35)
        settings = {"insufficient": insufficient, "min_samples": min_samples, "max_cond_size": 2}
        assert_oracle_agrees(DropoutPC(0.2, **settings).fit(data), data, **settings)

    def test_a_share_of_the_samples_is_not_rounded_up(self):
        for share, rows in ((0.07, 7), (0.55, 55), (0.05, 5), (0.051, 6)):
            data = make_data(100, 2, share=0.0)
            data[rows:, 0] = 0
            model = DropoutPC(min_samples=share, zero_handling="testwise").fit(data)
            assert (model.n_effective_[0, 1], model.n_insufficient_) == (rows, 0)
            with pytest.warns(UserWarning, match="1 of 1 tests had too few samples"):
                model.set_params(min_samples=share + 0.01).fit(data)

    @pytest.mark.filterwarnings("ignore::UserWarning")
    def test_background(self):
        for seed in range(4):
            data = make_data(150, 6, seed)
            rng = np.random.default_rng(seed)
            order = rng.permutation(6).tolist()
            knowledge = BackgroundKnowledge(
                required=[(order[0], order[3])],
                forbidden=[(order[1], order[2]), (order[2], order[1]), (order[4], order[5])],
                tiers=[order[:2], order[3:5]],
            )
            forbidden, required = knowledge.resolve(6)
            tiers = knowledge.number_tiers(6)
            for rule in ("all", "majority"):
                settings = {"sepset_rule": rule, "conflict": CONFLICTS[seed]}
                model = DropoutPC(0.1, background=knowledge, **settings).fit(data)
                settings |= {"knowledge": (forbidden, required), "tiers": tiers}
                assert_oracle_agrees(model, data, **settings)


class TestSameAnswer:
    """However the same samples are given."""

    @given(seed=st.integers(0, 1000), conflict=st.sampled_from(["undirected", "bidirected"]))
    def test_permuted_columns(self, seed, conflict):
        data = make_data(100, 6, seed)
        new = np.random.default_rng(seed).permutation(6)
        settings = {"alpha": 0.1, "conflict": conflict}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            expected = DropoutPC(**settings).fit(data)
            found = DropoutPC(**settings).fit(data[:, np.argsort(new)])
        back = np.ix_(new, new)
        for name in ("adjacency_", "skeleton_", "n_effective_"):
            matrix = getattr(found, name).toarray()[back]
            np.testing.assert_array_equal(matrix, getattr(expected, name).toarray())
        np.testing.assert_allclose(
            found.pvalues_.toarray()[back], expected.pvalues_.toarray(), rtol=1e-9, atol=1e-12
        )
        assert found.n_tests_.tolist() == expected.n_tests_.tolist()
        assert found.n_insufficient_ == expected.n_insufficient_

        def renamed(i, j):
            return tuple(sorted((int(new[i]), int(new[j]))))

        assert found.sepsets_ == {
            renamed(*pair): tuple(sorted(new[list(s)].tolist()))
            for pair, s in expected.sepsets_.items()
        }
        conflicts = [(*renamed(i, j), kind) for i, j, kind in expected.conflicts_]
        assert found.conflicts_ == sorted(conflicts)
        triples = [(renamed(x, z), int(new[y])) for x, y, z in expected.ambiguous_triples_]
        assert sorted(found.ambiguous_triples_) == sorted((x, y, z) for (x, z), y in triples)

    @every_handling
    @pytest.mark.filterwarnings("ignore::UserWarning")
    def test_sparse(self, zero_handling):
        expected = DropoutPC(zero_handling=zero_handling).fit(X)
        stored_zeros = sp.csr_matrix(np.where(X == 0, 1, X))
        stored_zeros.data[X.ravel() == 0] = -0.0
        for given_as in (
            sp.csr_matrix(X),
            sp.csr_array(X),
            sp.csc_matrix(X),
            sp.csc_array(X),
            sp.coo_array(X),
            stored_zeros,
            sp.csc_array(stored_zeros),
        ):
            before = [array.tolist() for array in (given_as.data, *given_as.nonzero())]
            model = DropoutPC(zero_handling=zero_handling).fit(given_as)
            assert_same(model, expected, tolerance=1e-12)
            assert model.score(given_as) == pytest.approx(expected.score(X))
            assert [array.tolist() for array in (given_as.data, *given_as.nonzero())] == before

    def test_unsorted_and_repeated_entries(self):
        rows, columns = np.nonzero(X)
        order = np.random.default_rng(0).permutation(len(rows))
        halves = np.tile(X[rows, columns][order] / 2, 2)
        ends = (np.tile(rows[order], 2), np.tile(columns[order], 2))
        columnwise = np.argsort(ends[1], kind="stable")
        indptr = np.searchsorted(ends[1][columnwise], np.arange(7))
        messy = sp.csc_array((halves[columnwise], ends[0][columnwise], indptr), shape=X.shape)
        assert not messy.has_canonical_format
        for array in (messy.data, messy.indices, messy.indptr):
            array.flags.writeable = False
        assert_same(DropoutPC().fit(messy), DropoutPC().fit(X), tolerance=1e-12)

    @pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, np.float32, bool])
    def test_types(self, dtype):
        counts = np.clip(np.round(2 * np.abs(X)), 0, 1 if dtype is bool else 100)
        expected = DropoutPC().fit(counts)
        for given_as in (counts.astype(dtype), sp.csr_array(counts.astype(dtype))):
            assert_same(DropoutPC().fit(given_as), expected, tolerance=1e-12)

    def test_memory_layouts(self):
        expected = DropoutPC().fit(X)
        wide = np.zeros((300, 12))
        wide[:, ::2] = X
        for given_as in (np.asfortranarray(X), wide[:, ::2], X.tolist(), np.where(X, X, -0.0)):
            assert_same(DropoutPC().fit(given_as), expected, tolerance=1e-12)

    @pytest.mark.parametrize("n_jobs", [1, 2, -1])
    def test_threads(self, n_jobs):
        for settings in ({}, {"zero_handling": "none"}, {"zero_handling": "testwise"}):
            expected = DropoutPC(**settings).fit(X)
            assert_same(DropoutPC(n_jobs=n_jobs, **settings).fit(X), expected)


class TestAttributes:
    """Fitted attributes against their definitions."""

    def test_types_and_formats(self):
        model = DropoutPC().fit(X)
        for name in ("adjacency_", "skeleton_", "pvalues_", "n_effective_"):
            matrix = getattr(model, name)
            assert isinstance(matrix, sp.csr_array)
            assert (matrix.shape, matrix.has_canonical_format) == ((6, 6), True)
        assert set(model.adjacency_.data) == set(model.skeleton_.data) == {1.0}
        assert model.n_effective_.dtype == np.int64
        assert model.n_tests_.dtype == np.int64
        assert type(model.n_insufficient_) is int
        assert type(model.score(X)) is float
        adjacency = model.adjacency_.toarray()
        np.testing.assert_array_equal(np.maximum(adjacency, adjacency.T), model.skeleton_.toarray())
        pvalues = model.pvalues_.toarray()
        np.testing.assert_array_equal(pvalues, pvalues.T)
        apart = ~np.eye(6, dtype=bool)
        np.testing.assert_array_equal((pvalues <= 0.05) & apart, model.skeleton_.toarray() != 0)

    def test_one_test(self):
        model = DropoutPC(0.999999, max_cond_size=0).fit(X)
        single = fisher_z_test(X, 1, 3)
        assert model.pvalues_[1, 3] == pytest.approx(single.pvalue)
        assert model.n_effective_[1, 3] == single.n_effective == 300

    def test_p_values_of_zero_are_stored(self):
        line = np.linspace(1, 2, 2000)
        copies = np.column_stack((line, line, 3 - line))
        model = DropoutPC(zero_handling="none", max_cond_size=0).fit(copies)
        assert (model.pvalues_.nnz, model.pvalues_.toarray().max()) == (6, 0.0)
        assert model.edge_table()["pvalue"].tolist() == [0.0] * 3

    def test_constant_columns(self):
        data = np.column_stack((X, np.full(300, 4.0), np.zeros(300)))
        for given_as in (data, sp.csr_array(data)):
            with pytest.warns(UserWarning, match=r"constant or empty.*: 6, 7\."):
                model = DropoutPC().fit(given_as)
            assert model.skeleton_.toarray()[6:].sum() == 0
            plain = DropoutPC().fit(X)
            shown = model.adjacency_.toarray()[:6, :6]
            np.testing.assert_array_equal(shown, plain.adjacency_.toarray())
            # Only variables with a density are scored.
            assert model.score(given_as) == pytest.approx(plain.score(X))

    @pytest.mark.parametrize("d", [1, 2])
    def test_few_columns(self, d):
        model = DropoutPC().fit(X[:, :d])
        assert model.adjacency_.shape == (d, d)
        assert model.n_tests_.tolist() == [1] * (d - 1)
        assert math.isfinite(model.score(X[:, :d]))
        assert model.edge_table().columns.tolist() == [
            *("source", "target", "kind"),
            *("pvalue", "n_effective"),
        ]

    def test_a_matrix_of_zeros(self):
        for data in (np.zeros((10, 3)), sp.csr_array((10, 3))):
            for zero_handling in ("conditioning", "none"):
                with pytest.warns(UserWarning, match="constant or empty columns"):
                    model = DropoutPC(zero_handling=zero_handling).fit(data)
                assert model.adjacency_.nnz == 0
                with pytest.raises(ValueError, match="no variable has a density"):
                    model.score(data)

    def test_other_tests(self):
        for ci_test in ("spearman", "nonparanormal", lambda x, y, S: abs(x.mean() - y.mean()) / 10):
            model = DropoutPC(ci_test=ci_test, max_cond_size=1).fit(X)
            assert model.n_tests_.sum() >= 15
            assert math.isfinite(model.score(X))
        parted = DropoutPC(ci_test=lambda x, y, S: 1.0 - S.shape[1], max_cond_size=1).fit(X)
        assert (parted.skeleton_.nnz, parted.pvalues_.toarray().max()) == (0, 1.0)


class TestBackground:
    """Each rule of prior knowledge."""

    def fit(self, **knowledge):
        return DropoutPC(0.1, background=BackgroundKnowledge(**knowledge)).fit(X)

    def test_forbidden_in_both_directions(self):
        plain, n_over = DropoutPC(0.1).fit(X), 0
        for i, j in combinations(range(6), 2):
            model = self.fit(forbidden=[(i, j), (j, i)])
            for matrix in (model.skeleton_, model.pvalues_, model.n_effective_):
                assert matrix[i, j] == matrix[j, i] == 0
            assert (i, j) not in model.sepsets_
            assert model.n_tests_[0] == plain.n_tests_[0] - 1
            adjacent = model.skeleton_.toarray() != 0
            over = [(i, int(y), j) for y in np.flatnonzero(adjacent[i] & adjacent[j])]
            assert set(over) <= set(model.ambiguous_triples_)
            n_over += len(over)
        assert n_over > 0

    def test_forbidden_in_one_direction(self):
        plain = DropoutPC(0.1).fit(X)
        for i, j in np.argwhere(plain.skeleton_.toarray()).tolist():
            model = self.fit(forbidden=[(i, j)])
            assert (model.adjacency_[i, j], model.adjacency_[j, i]) == (0, 1)
            assert model.n_tests_.tolist() == plain.n_tests_.tolist()

    def test_required(self):
        for i, j in ((0, 1), (5, 2)):
            model = self.fit(required=[(i, j)])
            assert (model.adjacency_[i, j], model.adjacency_[j, i]) == (1, 0)
            assert model.pvalues_[i, j] == 0
            assert model.n_effective_[i, j] == 0
            assert model.n_tests_[0] == 14
            row = model.edge_table().query("source == @i and target == @j")
            assert np.isnan(row["pvalue"].item())

    def test_tiers(self):
        model = self.fit(tiers=[[3, 5], [0, 1], [2]])
        adjacency = model.adjacency_.toarray()
        tier = np.array([1, 1, 2, 0, -1, 0])
        backwards = (tier[:, None] > tier) & (tier >= 0)
        assert not adjacency[backwards].any()
        for (i, j), given_ in model.sepsets_.items():
            if tier[i] >= 0 and tier[j] >= 0:
                assert all(tier[k] <= max(tier[i], tier[j]) for k in given_)

    @pytest.mark.parametrize(
        ("knowledge", "message"),
        [
            ({"required": [(0, 1)], "forbidden": [(0, 1)]}, "0 -> 1 is required and forbidden"),
            ({"required": [(0, 1), (1, 0)]}, "cycle"),
            ({"forbidden": [("x", "a")]}, "'x'"),
            ({"forbidden": [(0, 17)]}, "17"),
        ],
    )
    def test_contradictions(self, knowledge, message):
        with pytest.raises(ValueError, match=message):
            self.fit(**knowledge)


class TestCallbacks:
    """One task a level."""

    def test_every_level_is_seen(self):
        recorder = Recorder()
        model = DropoutPC().set_callbacks(recorder).fit(X)
        levels = [("level", number) for number in range(len(model.n_tests_))]
        assert len(levels) > 2
        assert recorder.begun == [("fit", 0), *levels]
        assert recorder.ended == [*levels, ("fit", 0)]
        assert_same(model, DropoutPC().fit(X))

    def test_a_callback_stops_the_search(self):
        for stop_after in (1, 2):
            model = DropoutPC().set_callbacks(Recorder(stop_after=stop_after)).fit(X)
            assert_same(model, DropoutPC(max_cond_size=stop_after - 1).fit(X))

    def test_progress_bar(self, capsys):
        DropoutPC().set_callbacks(ProgressBar()).fit(X)
        assert "DropoutPC" in capsys.readouterr().out
