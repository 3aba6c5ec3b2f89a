"""DropoutGES against its definition, and what it promises."""

import math
import pickle
from pathlib import Path

import naive_causal
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from naive_dropout import Tester
from naive_dropout_ges import Search, extension
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from test_colide import Recorder

from sparsekit.causal import BackgroundKnowledge, BootstrapEdges, DropoutGES
from sparsekit.causal.dropout import _greedy, _score_changes
from sparsekit.causal.dropout._score_changes import score_changes

CASES = Path(__file__).parent / "cases" / "dropout"
HANDLINGS = ["none", "conditioning", "testwise", "listwise"]

every_handling = pytest.mark.parametrize("zero_handling", HANDLINGS)
# Constant columns, no zeros, no rows: what is tested elsewhere.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def samples(seed, n=200, d=6, degree=1.5):
    """Linear model on a random graph, of which small values are mostly missed."""
    rng = np.random.default_rng(seed)
    weights = naive_causal.random_dag(d, min(1, degree / max(d - 1, 1)), rng)
    noise = rng.normal(size=(n, d)) * rng.uniform(1, 2, d)
    Z = noise @ np.linalg.inv(np.eye(d) - weights) + rng.uniform(-1, 2, d)
    return np.where(rng.random((n, d)) < 1 / (1 + np.exp(1 + 1.5 * Z)), 0, Z)


def pattern(model):
    return model.adjacency_.toarray() != 0


def assert_same(model, other, rtol=1e-9):
    np.testing.assert_array_equal(pattern(model), pattern(other))
    assert model.n_operators_ == other.n_operators_
    assert model.score_ == pytest.approx(other.score_, rel=rtol)


class EveryClass(Search):
    """Classes must have a graph without forbidden edges; those that compel one have none."""

    def is_allowed(self, A):
        members = naive_causal.equivalent_dags(extension(A))
        return any(not (dag & self.forbidden).any() for dag in members)


def assert_as_defined(X, zero_handling, knowledge=None, **settings):
    model = DropoutGES(zero_handling=zero_handling, background=knowledge, **settings).fit(X)
    constraints = None if knowledge is None else knowledge.resolve(X.shape[1])
    search = EveryClass(Tester(X, zero_handling), knowledge=constraints, **settings)
    np.testing.assert_array_equal(pattern(model), search.run())
    assert model.n_operators_ == len(search.steps)
    assert model.score_ == pytest.approx(sum(search.steps), rel=1e-8, abs=1e-8)
    return model


class TestDefinition:
    """Against scoring all operators anew, one by one."""

    @every_handling
    def test_small_problems(self, zero_handling):
        for seed in range(8):
            X = samples(seed, n=[8, 30, 100, 300][seed % 4], d=2 + seed % 5, degree=1 + seed % 3)
            for penalty in (0.3, 2.0):
                assert_as_defined(X, zero_handling, penalty=penalty)

    @pytest.mark.parametrize("max_parents", [0, 1, 2])
    def test_max_parents(self, max_parents):
        X = samples(3, d=6, degree=4)
        limited = assert_as_defined(X, "conditioning", max_parents=max_parents)
        assert (limited.n_operators_ == 0) == (max_parents == 0)
        assert (limited.score_ < DropoutGES().fit(X).score_) == (max_parents < 2)

    def test_a_limit_beyond_the_columns_is_none(self):
        X = samples(11, n=100, d=7, degree=4)
        for max_parents in (20, 10**30):
            limited = DropoutGES(0.3, max_parents=max_parents).fit(X)
            assert_same(limited, DropoutGES(0.3).fit(X), 0)

    @every_handling
    def test_constant_columns_are_isolated(self, zero_handling):
        X = samples(1, d=6)
        X[:, 1], X[:, 4] = 0, 2.5
        model = assert_as_defined(X, zero_handling)
        assert model.skeleton_.toarray()[[1, 4]].sum() == 0

    def test_copies(self):
        """The correlation is 1 but for rounding, so the score is no more than large."""
        X = samples(2, d=4)
        X[:, 3] = X[:, 0]
        for zero_handling in ("none", "conditioning"):
            model = DropoutGES(zero_handling=zero_handling).fit(X)
            expected = Search(Tester(X, zero_handling)).run()
            np.testing.assert_array_equal(pattern(model), expected)
            assert 1000 < model.score_ < 1e5

    @pytest.mark.parametrize("name", ["c1_gauss_none", "c2_gauss_logistic", "c5_lognorm_logistic"])
    def test_cases(self, name):
        with np.load(CASES / f"{name}.npz") as case:
            for zero_handling in ("none", "conditioning"):
                model = DropoutGES(zero_handling=zero_handling).fit(case["X"])
                np.testing.assert_array_equal(pattern(model), case[f"ges_{zero_handling}"] != 0)

    def test_no_class_is_visited_twice(self, monkeypatch):
        """Under deletion the way back to a class may seem to raise the score."""
        X = samples(40, n=60, d=5, degree=4)
        model = assert_as_defined(X, "conditioning", penalty=0.5)
        monkeypatch.setattr(_greedy, "_digest", lambda cpdag: object())
        assert DropoutGES(0.5).fit(X).n_operators_ == model.n_operators_ + 1

    def test_changes_of_the_score(self):
        rho, n_rows = np.array([0.3, -0.3, 0.3, 0.0, 1.0]), np.array([100, 40, 3, 100, 100])
        shrunk = math.tanh(math.sqrt(37 / 97) * math.atanh(0.3))
        strength = np.array([0.3, shrunk, 0.3, 0, 1 - 2.0**-52])
        expected = -50 * np.log1p(-(strength**2)) - 0.75 * math.log(100)
        np.testing.assert_allclose(score_changes(rho, n_rows, 100, 1.5), expected)
        nothing = score_changes(np.zeros(2), np.array([0, 0]), 0, 1.0)
        np.testing.assert_array_equal(nothing, [0, 0])


class TestScore:
    """With one set of rows the changes are those of a score."""

    @pytest.mark.parametrize("zero_handling", ["none", "listwise"])
    def test_gain_over_no_edges(self, zero_handling):
        for seed, penalty in enumerate([1.0, 2.0, 0.5]):
            X = samples(seed, n=400, d=6, degree=2)
            model = DropoutGES(penalty, zero_handling=zero_handling).fit(X)
            kept = X[(X != 0).all(axis=1)] if zero_handling == "listwise" else X
            dag = extension(pattern(model))
            gain = bic(kept, dag, penalty) - bic(kept, np.zeros_like(dag), penalty)
            assert model.score_ == pytest.approx(gain, rel=1e-8)
            assert model.score_ > 0

    def test_larger_penalties_make_it_sparser(self):
        X = samples(5, d=6, degree=3)
        edges = [DropoutGES(penalty).fit(X).skeleton_.nnz for penalty in (1.0, 8.0, 50.0, 1e4)]
        assert edges == sorted(edges, reverse=True)
        assert edges[0] > edges[-1] == 0


def bic(X, dag, penalty):
    """Gaussian log-likelihood, but for a constant, less what the edges cost."""
    centred, total = X - X.mean(axis=0), 0.0
    for child in range(X.shape[1]):
        above = centred[:, dag[:, child]]
        left = centred[:, child] - above @ np.linalg.lstsq(above, centred[:, child])[0]
        total -= len(X) / 2 * math.log(left @ left / len(X))
    return total - penalty / 2 * math.log(len(X)) * dag.sum()


class TestKnowledge:
    """Forbidden and required edges, tiers."""

    @pytest.mark.parametrize("zero_handling", ["none", "conditioning"])
    def test_small_problems(self, zero_handling):
        for seed in range(10):
            X = samples(seed, d=5, degree=2)
            rng = np.random.default_rng(seed)
            edges = np.argwhere(~np.eye(5, dtype=bool))[rng.permutation(20)].tolist()
            ordered = [(min(edge), max(edge)) for edge in edges[:2]]
            tiers = [rng.permutation(5)[:2].tolist()] if seed % 2 else None
            knowledge = BackgroundKnowledge(
                forbidden=[edge for edge in edges[2:8] if tuple(edge) not in ordered],
                required=ordered[: seed % 3],
                tiers=tiers,
            )
            model = assert_as_defined(X, zero_handling, knowledge, penalty=1.0)
            self.assert_holds(model, knowledge)

    def assert_holds(self, model, knowledge):
        forbidden, required = knowledge.resolve(model.n_features_in_)
        found = pattern(model)
        assert not (found & forbidden).any()
        assert (found & ~found.T)[required].all()

    def test_tiers_direct_edges(self):
        X = samples(2, n=500, d=5, degree=2)
        free = pattern(DropoutGES().fit(X))
        assert (free & free.T).any()
        tiers = BackgroundKnowledge(tiers=[[4], [3], [2], [1], [0]])
        model = DropoutGES(background=tiers).fit(X)
        assert not np.triu(pattern(model)).any()
        self.assert_holds(model, tiers)

    def test_required_edges_stay_without_reason(self):
        X = np.random.default_rng(0).normal(size=(300, 4))
        knowledge = BackgroundKnowledge(required=[(2, 0), (3, 0)])
        model = DropoutGES(background=knowledge).fit(X)
        assert np.argwhere(pattern(model)).tolist() == [[2, 0], [3, 0]]
        assert (model.n_operators_, model.score_) == (0, 0.0)

    def test_no_class_without_an_allowed_graph(self):
        """Both edges of 1 must point there, so it is no chain, and 0 - 2 explains the rest."""
        rng = np.random.default_rng(0)
        x = rng.normal(size=1000)
        y = x + rng.normal(size=1000)
        X = np.column_stack((x, y, y + rng.normal(size=1000)))
        assert pattern(DropoutGES().fit(X)).sum() == 4
        knowledge = BackgroundKnowledge(forbidden=[(1, 0), (1, 2)])
        model = assert_as_defined(X, "none", knowledge)
        assert pattern(model).astype(int).tolist() == [[0, 1, 1], [0, 0, 0], [1, 1, 0]]


class TestSameAnswer:
    """However the same samples are given."""

    @every_handling
    def test_permuted_columns(self, zero_handling):
        """Equal if no two operators are equally good, as in data without copies."""
        for seed in range(4):
            X = samples(seed, d=7, degree=2.5)
            columns = np.random.default_rng(seed).permutation(7)
            model = DropoutGES(1.0, zero_handling=zero_handling).fit(X)
            permuted = DropoutGES(1.0, zero_handling=zero_handling).fit(X[:, columns])
            places = columns.argsort()
            np.testing.assert_array_equal(pattern(permuted)[np.ix_(places, places)], pattern(model))
            assert permuted.score_ == pytest.approx(model.score_)

    @every_handling
    def test_sparse_frames_threads_and_read_only(self, zero_handling):
        X = samples(0, d=6, degree=2)
        expected = DropoutGES(zero_handling=zero_handling).fit(X)
        before = X.copy()
        X.flags.writeable = False
        for form in (np.asarray, sp.csr_array, sp.csc_matrix, pd.DataFrame, np.asfortranarray):
            assert_same(DropoutGES(zero_handling=zero_handling).fit(form(X)), expected)
        for n_jobs in (2, -1):
            assert_same(DropoutGES(zero_handling=zero_handling, n_jobs=n_jobs).fit(X), expected, 0)
        np.testing.assert_array_equal(X, before)

    @pytest.mark.parametrize("at_once", [1, 7])
    def test_small_batches(self, at_once, monkeypatch):
        """The table of what is known grows, and pairs are looked at again and again."""
        X = samples(1, d=6, degree=3)
        expected = DropoutGES(0.5).fit(X)
        monkeypatch.setattr(_score_changes, "_AT_ONCE", at_once)
        assert_same(DropoutGES(0.5).fit(X), expected)

    def test_many_columns(self):
        """Of which most are constant; the others are in several words of bits."""
        X = samples(6, d=6, degree=3)
        columns = [0, 5, 63, 64, 69, 130]
        wide = np.ones((len(X), 131))
        wide[:, columns] = X
        model, expected = DropoutGES(0.5).fit(wide), DropoutGES(0.5).fit(X)
        np.testing.assert_array_equal(pattern(model)[np.ix_(columns, columns)], pattern(expected))
        assert pattern(model).sum() == pattern(expected).sum()
        assert model.score_ == pytest.approx(expected.score_)

    def test_many_parents(self):
        """More than 64, all of which are conditioned on in the end."""
        X = np.random.default_rng(0).normal(size=(4000, 68))
        X[:, 30] = X[:, 30] / 10 + np.delete(X, 30, axis=1).sum(axis=1)
        model = DropoutGES(zero_handling="none").fit(X)
        star = np.zeros((68, 68), dtype=bool)
        star[:, 30] = np.arange(68) != 30
        np.testing.assert_array_equal(model.skeleton_.toarray() != 0, star | star.T)
        assert pattern(model)[:, 30].sum() > 64
        dag = extension(pattern(model))
        gain = bic(X, dag, 2.0) - bic(X, np.zeros_like(dag), 2.0)
        assert model.score_ == pytest.approx(gain, rel=1e-8)


class TestFewSamples:
    """Fits that find little."""

    @every_handling
    @pytest.mark.parametrize("n", [2, 4, 5])
    def test_few_rows(self, zero_handling, n):
        assert_as_defined(samples(0, n=n, d=4), zero_handling, penalty=0.1)

    def test_no_complete_row(self):
        X = samples(0, n=50, d=4)
        X[np.arange(50), np.arange(50) % 4] = 0
        with pytest.warns(UserWarning, match="leaves no row"):
            model = DropoutGES(0, zero_handling="listwise").fit(X)
        assert (model.n_operators_, model.score_, model.adjacency_.nnz) == (0, 0.0, 0)

    @pytest.mark.parametrize("d", [1, 2])
    def test_few_columns(self, d):
        model = assert_as_defined(samples(3, d=d, degree=9), "conditioning")
        assert model.adjacency_.nnz == 2 * (d - 1)


class TestEstimator:
    """Habits of scikit-learn."""

    def test_attributes(self):
        X = pd.DataFrame(samples(0), columns=list("abcdef"))
        model = DropoutGES().fit(X)
        assert model.n_features_in_ == 6
        assert model.feature_names_in_.tolist() == list("abcdef")
        assert (model.adjacency_.format, model.adjacency_.dtype) == ("csr", np.float64)
        expected = pattern(model) | pattern(model).T
        np.testing.assert_array_equal(model.skeleton_.toarray(), expected.astype(float))
        assert (type(model.score_), type(model.n_operators_)) == (float, int)
        assert list(model.to_networkx()) == list("abcdef")
        assert model.to_networkx().number_of_edges() == model.adjacency_.nnz
        table = model.edge_table()
        assert table.columns.tolist() == ["source", "target", "kind"]
        assert len(table) == model.skeleton_.nnz // 2
        assert_same(pickle.loads(pickle.dumps(model)), model, 0)

    def test_cross_validation(self):
        """Half of the columns are noise, so the largest penalty is too large, the least too low."""
        X = samples(0, n=300, d=6, degree=2)
        search = GridSearchCV(DropoutGES(), {"penalty": [0.0, 2.0, 1e4]}, cv=3).fit(X)
        assert search.best_params_ == {"penalty": 2.0}
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()

    def test_bootstrap(self):
        X = samples(0)
        frequencies = BootstrapEdges(DropoutGES(), 5, random_state=0).fit(X).edge_frequencies_
        assert 0 < frequencies.max() <= 1

    def test_a_failed_fit_changes_nothing(self):
        model = DropoutGES().fit(samples(0))
        expected = pickle.loads(pickle.dumps(model))
        bad = samples(1, d=4)
        bad[3, 2] = np.nan
        with pytest.raises(ValueError, match="zero, not NaN"):
            model.fit(bad)
        model.set_params(background=BackgroundKnowledge(required=[(0, 9)]))
        with pytest.raises(ValueError, match="index 9"):
            model.fit(samples(1, d=4))
        assert model.n_features_in_ == 6
        assert_same(model, expected, 0)

    @pytest.mark.parametrize(
        "settings",
        [{"penalty": -1}, {"zero_handling": "drop"}, {"max_parents": -1}, {"background": []}],
    )
    def test_bad_parameters(self, settings):
        with pytest.raises(ValueError, match=f"The '{next(iter(settings))}' parameter"):
            DropoutGES(**settings).fit(samples(0))

    def test_not_fitted(self):
        with pytest.raises(NotFittedError):
            DropoutGES().edge_table()

    def test_callbacks(self):
        X = samples(0)
        expected = DropoutGES().fit(X)
        recorder = Recorder()
        model = DropoutGES().set_callbacks(recorder).fit(X)
        operators = [("operator", number) for number in range(expected.n_operators_)]
        assert recorder.ended == [*operators, ("fit", 0)]
        assert_same(model, expected, 0)
        stopped = DropoutGES().set_callbacks(Recorder(stop_after=2)).fit(X)
        assert (stopped.n_operators_, stopped.skeleton_.nnz) == (2, 4)
        assert 0 < stopped.score_ < expected.score_
