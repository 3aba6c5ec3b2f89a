"""Best order score search as an estimator: what comes in, what comes out, and what it promises."""

import inspect
import pickle
import warnings
from importlib import import_module

import array_api_strict
import networkx as nx
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from test_colide import DATA, EDGE_CASES, TRUTH, assert_same, everything

from sparsekit.causal import BOSS, BackgroundKnowledge, BootstrapEdges
from sparsekit.causal._gaussian import least_squares
from sparsekit.causal.order._search import order_search
from sparsekit.datasets import make_linear_sem
from sparsekit.metrics import cpdag, structural_hamming_distance

SCALES = np.array([1e-3, 1.0, 50.0, 1e4, 0.2, 7.0])
NAMES = list("abcdef")

both_noises = pytest.mark.parametrize("noise", ["unequal", "equal"])


def boss(**settings):
    return BOSS(**{"random_state": 0, "n_starts": 1} | settings)


def pattern(model):
    return model.adjacency_.toarray() != 0


def assert_close(model, expected, scale=1.0):
    """The same graph, of data whose columns were multiplied by `scale`."""
    scale = np.broadcast_to(scale, expected.mean_.shape)
    np.testing.assert_array_equal(model.causal_order_, expected.causal_order_)
    np.testing.assert_array_equal(model.cpdag_.toarray(), expected.cpdag_.toarray())
    np.testing.assert_array_equal(pattern(model), pattern(expected))
    weights = expected.adjacency_.toarray() * scale / scale[:, None]
    np.testing.assert_allclose(model.adjacency_.toarray(), weights, rtol=1e-7)
    for name in ("noise_scale_", "residual_scale_"):
        np.testing.assert_allclose(getattr(model, name), getattr(expected, name) * scale, rtol=1e-7)


class TestAttributes:
    """Fitted attributes against their definitions."""

    @both_noises
    def test_definitions(self, noise):
        model = boss(noise=noise, gamma=0.5, n_starts=2).fit(DATA)
        C, n, d = np.cov(DATA.T, bias=True), 500, 6
        coefficients, variances = least_squares(C, pattern(model))
        np.testing.assert_allclose(model.adjacency_.toarray(), coefficients)
        np.testing.assert_allclose(model.residual_scale_, np.sqrt(variances))
        penalty = (np.log(n) / 2 + 0.5 * np.log(d)) * model.adjacency_.nnz
        if noise == "equal":
            np.testing.assert_allclose(model.noise_scale_, [np.sqrt(variances.mean())] * d)
            assert model.score_ == pytest.approx(n * d / 2 * np.log(variances.mean()) + penalty)
        else:
            np.testing.assert_allclose(model.noise_scale_, np.sqrt(variances))
            assert model.score_ == pytest.approx(n / 2 * np.log(variances).sum() + penalty)
        assert model.start_scores_.shape == (2,)
        assert model.score_ == pytest.approx(model.start_scores_.min())
        expected = cpdag(model.adjacency_)
        assert (model.cpdag_.dtype, model.cpdag_.format) == (expected.dtype, expected.format)
        np.testing.assert_array_equal(model.cpdag_.toarray(), expected.toarray())
        forward = pattern(model)[np.ix_(*[model.causal_order_] * 2)]
        assert not np.tril(forward).any()
        assert (model.converged_, model.adjacency_.format) == (True, "csr")
        assert model.n_passes_ >= 1
        assert type(model.score(DATA)) is float

    def test_the_order_is_that_of_the_search(self):
        start = np.array([3, 0, 5, 1, 4, 2])
        found = order_search(np.cov(DATA.T, bias=True), 500, start[None])
        model = BOSS(start=start).fit(DATA)
        np.testing.assert_array_equal(model.causal_order_, found.order)
        assert model.causal_order_.dtype == np.intp
        np.testing.assert_array_equal(pattern(model), found.is_edge)
        independent = np.random.default_rng(0).normal(size=(1000, 4))
        kept = BOSS(start=[2, 0, 3, 1]).fit(independent)
        assert kept.causal_order_.tolist() == [2, 0, 3, 1]
        assert kept.cpdag_.nnz == 0

    def test_the_truth_is_found(self):
        for X in (DATA, DATA * SCALES):
            assert structural_hamming_distance(cpdag(TRUTH), boss().fit(X).cpdag_) == 0
        equal = boss(noise="equal").fit(DATA)
        assert structural_hamming_distance(TRUTH, equal.adjacency_) == 0

    def test_perturbations(self):
        """They are those of the search, whatever the seed, and never make it worse."""
        X, _ = make_linear_sem(200, 8, degree=3, random_state=1)
        start = np.arange(8)[::-1]
        models = {k: BOSS(n_perturbations=k, start=start).fit(X) for k in (0, 1, 10)}
        for k, model in models.items():
            found = order_search(np.cov(X.T, bias=True), 200, start[None], n_perturbations=k)
            np.testing.assert_array_equal(model.causal_order_, found.order)
            assert model.n_passes_ == found.n_passes
        assert models[10].score_ < models[0].score_ - 1
        assert models[10].n_passes_ > models[1].n_passes_ > models[0].n_passes_
        assert_same(BOSS(start=start, random_state=1).fit(X), models[10])

    def test_gamma_and_max_parents_make_it_sparser(self):
        edges = [boss(gamma=gamma).fit(DATA).adjacency_.nnz for gamma in (0.0, 1.0, 300.0, 1e4)]
        assert edges == sorted(edges, reverse=True)
        assert edges[0] > edges[-1] == 0
        for most in (0, 1):
            limited = pattern(boss(max_parents=most).fit(DATA)).sum(axis=0)
            assert limited.max() == most


class TestSameAnswer:
    """However the same samples are given."""

    @pytest.mark.parametrize(
        "scale", [SCALES, 1 / DATA.std(axis=0), 1e150, 1e-150, 10.0 ** np.arange(-140, 150, 50)]
    )
    def test_scale_does_not_matter(self, scale):
        X = DATA * scale
        X.flags.writeable = False
        model, expected = boss().fit(X), boss().fit(DATA)
        assert_close(model, expected, scale)
        shift = 500 * np.log(np.broadcast_to(scale, 6)).sum()
        assert model.score_ - shift == pytest.approx(expected.score_, abs=1e-6)
        assert np.isfinite(model.score(X))

    @pytest.mark.parametrize("factor", [1e150, 1e-150, 3.0])
    def test_a_common_factor_does_not_matter_for_equal_noise(self, factor):
        model, expected = (boss(noise="equal").fit(X) for X in (DATA * factor, DATA))
        assert_close(model, expected, factor)

    @both_noises
    def test_covariance_and_parts(self, noise):
        X = DATA + 1e3
        model = boss(noise=noise).fit(X)
        parts = boss(noise=noise)
        for part in np.split(X, [10, 150, 300]):
            parts.partial_fit(part)
        covariance = boss(noise=noise).fit_covariance(np.cov(X.T, bias=True), 500)
        for other in (parts, covariance):
            assert_close(other, model)
        assert parts.score(X) == pytest.approx(model.score(X), rel=1e-6)

    @both_noises
    def test_permuted_columns(self, noise):
        for seed in range(2):
            X, _ = make_linear_sem(400, 6, degree=2, noise=noise, random_state=seed)
            rng = np.random.default_rng(seed)
            start, columns = rng.permutation(6), rng.permutation(6)
            places = columns.argsort()
            model = BOSS(noise=noise, start=start).fit(X)
            permuted = BOSS(noise=noise, start=places[start]).fit(X[:, columns])
            np.testing.assert_array_equal(permuted.causal_order_, places[model.causal_order_])
            expected = model.adjacency_.toarray()[np.ix_(columns, columns)]
            np.testing.assert_allclose(permuted.adjacency_.toarray(), expected, rtol=1e-7)

    def test_threads_and_seeds(self):
        expected = boss(n_starts=4, random_state=3).fit(DATA)
        for jobs in (2, -1):
            assert_same(boss(n_starts=4, random_state=3, n_jobs=jobs).fit(DATA), expected)
        generator = np.random.RandomState(3)
        assert_same(boss(n_starts=4, random_state=generator).fit(DATA), expected)
        order = np.random.RandomState(3).permutation(6)
        alone = boss(random_state=3).fit(DATA)
        assert_same(BOSS(start=order).fit(DATA), alone)

    def test_dtypes_and_layouts(self):
        X = np.round(DATA * 50).astype(np.int16)
        expected = boss().fit(X.astype(np.float64))
        strided = np.zeros((1000, 12))
        strided[::2, ::2] = X
        for same in (X, X.astype(np.float32), X.tolist(), strided[::2, ::2]):
            assert_same(boss().fit(same), expected)
        assert_close(boss().fit(np.asfortranarray(X)), expected)

    def test_arrays_of_other_libraries(self, monkeypatch):
        monkeypatch.setenv("SCIPY_ARRAY_API", "1")
        expected = boss().fit(DATA)
        for device in ("CPU_DEVICE", "device1"):
            X = array_api_strict.asarray(DATA.copy(), device=array_api_strict.Device(device))
            with import_module("sklearn").config_context(array_api_dispatch=True):
                model = boss().fit(X)
                predicted = model.predict(X)
            assert_close(model, expected)
            assert type(model.covariance_) is type(predicted) is np.ndarray

    def test_frames_and_names(self):
        start = [4, 2, 0, 5, 1, 3]
        expected = BOSS(start=start).fit(DATA)
        named = [NAMES[i] for i in start]
        for frame in (pd.DataFrame(DATA, columns=NAMES), pl.DataFrame(DATA, schema=NAMES)):
            for same in (start, named, np.array(named), pd.Series(named), [*start[:3], *named[3:]]):
                model = BOSS(start=same).fit(frame)
                np.testing.assert_array_equal(model.causal_order_, expected.causal_order_)
        assert model.feature_names_in_.tolist() == NAMES
        assert set(model.to_frame()["source"]) <= set(NAMES)


class TestKnowledge:
    """Required and forbidden edges, tiers."""

    @both_noises
    @pytest.mark.parametrize("start", ["random", range(6), range(5, -1, -1)])
    def test_it_holds(self, noise, start):
        knowledge = BackgroundKnowledge(
            forbidden=[(1, 4), (2, 3)], required=[(3, 5), (5, 0)], tiers=[[2], [4, 1]]
        )
        resolved = knowledge.resolve(6)
        for most in (None, 1, 0):
            model = boss(noise=noise, start=start, max_parents=most, background=knowledge).fit(DATA)
            assert not pattern(model)[resolved.forbidden].any()
            assert pattern(model)[resolved.required].all()
            ranks = model.causal_order_.argsort()
            sources, targets = model.adjacency_.nonzero()
            assert (ranks[sources] < ranks[targets]).all()
            assert np.isfinite(model.score(DATA))
        assert model.adjacency_.nnz == 2

    def test_required_edges_of_a_constant_column_stay(self):
        X = DATA.copy()
        X[:, 2] = 7.0
        knowledge = BackgroundKnowledge(required=[(2, 4), (3, 2)])
        with pytest.warns(UserWarning, match="isolated nodes: 2"):
            model = boss(background=knowledge).fit(X)
        assert model.adjacency_[2, 4] == model.adjacency_[3, 2] == 1e-8


class TestDifficultData:
    """Columns that are constant, copies or combinations; few columns; few samples."""

    def check(self, X, model):
        before = X.copy()
        X.flags.writeable = False
        model.fit(X)
        np.testing.assert_array_equal(X, before)
        d = X.shape[1]
        for values in (model.adjacency_.data, model.score_, model.start_scores_, model.score(X)):
            assert np.isfinite(values).all()
        assert min(model.noise_scale_.min(), model.residual_scale_.min()) > 0
        assert nx.is_directed_acyclic_graph(nx.DiGraph(model.adjacency_.toarray()))
        assert sorted(model.causal_order_) == list(range(d))
        assert model.cpdag_.shape == (d, d)
        assert model.sample(3, random_state=0).shape == (3, d)
        return model

    @both_noises
    @pytest.mark.parametrize("name", sorted(EDGE_CASES))
    @pytest.mark.filterwarnings("ignore:c:UserWarning")
    def test_edge_cases(self, name, noise):
        X = EDGE_CASES[name]
        limit = {"max_parents": 3} if name == "wide" else {}
        model = self.check(X.copy(), boss(noise=noise, **limit))
        assert (model.adjacency_.nnz == 0) == (name in ("constant", "one"))

    @both_noises
    @pytest.mark.parametrize("n_samples", [2, 3, 5])
    @pytest.mark.filterwarnings("ignore:collinear:UserWarning")
    def test_few_samples(self, n_samples, noise):
        self.check(DATA[:n_samples].copy(), boss(noise=noise))

    @both_noises
    @pytest.mark.filterwarnings("ignore:constant columns:UserWarning")
    def test_constant_columns(self, noise):
        model = self.check(np.full((5, 3), 2.5), boss(noise=noise))
        assert (model.adjacency_.nnz, model.score_) == (0, 0)
        X = np.column_stack([DATA[:, :2], np.full(500, 1e8), DATA[:, 2:]])
        model = self.check(X, boss(noise=noise))
        rest = pattern(model)
        assert not rest[2].any()
        assert not rest[:, 2].any()
        edges = structural_hamming_distance(np.delete(np.delete(rest, 2, 0), 2, 1), TRUTH)
        assert edges == 0 if noise == "equal" else edges <= TRUTH.nnz
        assert model.residual_scale_[2] <= 1e-5 * DATA.std(axis=0).min() * (1 + 1e-9)

    @pytest.mark.filterwarnings("ignore:collinear:UserWarning")
    def test_equal_noise_has_one_scale(self):
        """Also where it is below the least residual scale of the larger columns."""
        cause = DATA[:, 0] / DATA[:, 0].std()
        model = self.check(np.column_stack([cause, 1e6 * cause]), BOSS(noise="equal", start=[0, 1]))
        np.testing.assert_allclose(model.residual_scale_, [1, 10])
        np.testing.assert_allclose(model.noise_scale_, np.sqrt([50.5, 50.5]))

    def test_collinear_columns_are_named(self):
        frame = pd.DataFrame(DATA, columns=NAMES)
        for copied in (frame["c"], -3 * frame["c"] + 5):
            with pytest.warns(UserWarning, match="^collinear columns, whose edges are") as caught:
                model = boss().fit(frame.assign(copy=copied))
            assert len(caught) == 1
            assert "'c', 'copy'. Leave" in str(caught[0].message)
            assert caught[0].filename == __file__
            assert model.adjacency_[2, 6] or model.adjacency_[6, 2]
        with pytest.warns(UserWarning, match=r"arbitrary: 0, 3, 6\. Leave"):
            boss().fit(np.column_stack([DATA, DATA[:, 0] - 2 * DATA[:, 3]]))


class TestRefusals:
    """Messages that say what came, and estimators that stay as they were."""

    @pytest.mark.parametrize(
        "start",
        [
            [0, 1, 2],
            [0, 1, 2, 3, 4, 4],
            [1, 2, 3, 4, 5, 6],
            [-1, 0, 1, 2, 3, 4],
            [0.0, 1.0, 2.0, 3.0, 4.0, 5.0],
            ["a", "b", "c", "d", "e", "g"],
            [[0, 1, 2], [3, 4, 5]],
            [[0], [1, 2], 3, 4, 5, None],
            [False, True, 2, 3, 4, 5],
            np.array(3),
        ],
    )
    def test_starts(self, start):
        frame = pd.DataFrame(DATA, columns=NAMES)
        with pytest.raises(ValueError, match=r"start to be 'random' or all 6 features.* got \["):
            BOSS(start=start).fit(frame)
        with pytest.raises(ValueError, match="start to be 'random'"):
            BOSS(start=start).fit_covariance(np.eye(6), 10)

    def test_names_need_a_frame(self):
        with pytest.raises(ValueError, match=r"by index or name, got \['a', 'b', 'c', 'd', 'e'"):
            BOSS(start=NAMES).fit(DATA)

    @pytest.mark.parametrize(
        "settings",
        [
            *({"gamma": -0.1}, {"gamma": np.inf}, {"noise": "ev"}, {"n_starts": 0}),
            *({"n_starts": 2.0}, {"start": "zero"}, {"start": 3}),
            *({"n_perturbations": -1}, {"n_perturbations": 1.0}),
            *({"max_passes": 0}, {"max_parents": -1}, {"background": [(0, 1)]}, {"n_jobs": 1.5}),
        ],
    )
    def test_parameters(self, settings):
        (name,) = settings
        for method, arguments in (("fit", [DATA]), ("fit_covariance", [np.eye(3), 10])):
            with pytest.raises(ValueError, match=f"'{name}' parameter of BOSS"):
                getattr(BOSS(**settings), method)(*arguments)

    def test_a_failed_refit_changes_nothing(self):
        model = BOSS(start=range(6)).fit(DATA)
        before = everything(model)
        other = DATA[:, ::-1]
        copied = np.column_stack([DATA, DATA[:, 0]])
        with warnings.catch_warnings(action="error"):
            for change, X, error in (
                ({"start": [0, 0]}, DATA, ValueError),
                ({"start": range(6), "max_passes": 1}, other, ConvergenceWarning),
                ({"start": "random", "max_passes": 20}, copied, UserWarning),
            ):
                with pytest.raises(error):
                    model.set_params(**change).fit(X)
        assert all(everything(model)[name] is value for name, value in before.items())

    def test_no_convergence(self):
        with pytest.warns(ConvergenceWarning, match="last of max_passes=1: raise") as caught:
            model = BOSS(start=range(5, -1, -1), max_passes=1).fit(DATA)
        assert caught[0].filename == __file__
        assert model.converged_ is False


def test_other_tools_take_it():
    X = DATA[::5]
    search = GridSearchCV(boss(), {"gamma": [1.0, 300.0]}, cv=2).fit(X)
    assert search.best_params_ == {"gamma": 1.0}
    bootstrap = BootstrapEdges(BOSS(n_starts=1), n_resamples=3, random_state=0).fit(DATA)
    assert bootstrap.skeleton_frequencies_[TRUTH.nonzero()].mean() > 0.8
    restored = pickle.loads(pickle.dumps(boss().fit(X)))
    assert_close(restored.partial_fit(DATA), boss().fit(np.vstack([X, DATA])))


def test_interface():
    """Names, order and defaults of the parameters are a contract."""
    parameters = inspect.signature(BOSS).parameters
    assert {name: parameter.default for name, parameter in parameters.items()} == {
        **{"gamma": 1.0, "noise": "unequal", "n_starts": 3, "n_perturbations": 10},
        **{"start": "random", "max_passes": 20},
        **dict.fromkeys(["max_parents", "background", "random_state", "n_jobs"]),
    }
    positional = [name for name, p in parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert positional == ["gamma"]
