"""What all estimators of linear structural equation models do, mostly on the simplest one."""

import pickle
import re
import warnings

import networkx as nx
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from numpydoc.validate import validate
from scipy.stats import multivariate_normal
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from test_docs import IGNORED_CHECKS, own_methods

from sparsekit.causal import BOSS, CoLiDE
from sparsekit.causal._background import BackgroundKnowledge
from sparsekit.causal._gaussian import least_squares
from sparsekit.causal._moments import Moments, add_samples
from sparsekit.causal._sem import LinearSEMMixin
from sparsekit.core.csr import canonical

FLOOR = 1e-3


class SortAndRegress(LinearSEMMixin, BaseEstimator):
    """Every variable regressed on all with smaller variances."""

    _parameter_constraints = {  # noqa: RUF012
        "background": [BackgroundKnowledge, None],
        "random_state": ["random_state"],
    }

    def __init__(self, background=None, random_state=None):
        self.background = background
        self.random_state = random_state

    def _fit_moments(self, moments, names, constraints):
        ranks = moments.covariance.diagonal().argsort(kind="stable").argsort()
        is_edge = ranks[:, None] < ranks
        if constraints is not None:
            is_edge &= ~constraints.forbidden
        regressions = least_squares(moments.covariance, is_edge)
        self._set_model(moments, names, canonical(regressions.coefficients), FLOOR)
        return self


def samples(n_samples=200, offset=0.0):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_samples, 4))
    X[:, 2] += 2 * X[:, 0]
    X[:, 1] += X[:, 2] - 0.5 * X[:, 0]
    return X + offset


X = samples()
X.flags.writeable = False

every_estimator = pytest.mark.parametrize(
    "estimator",
    [SortAndRegress(), CoLiDE(n_restarts=0), BOSS(n_starts=1, random_state=0)],
    ids=lambda estimator: type(estimator).__name__,
)


class TestFit:
    """Three ways to fit the same data."""

    @every_estimator
    def test_covariance(self, estimator):
        model = clone(estimator).fit(X)
        other = clone(estimator).fit_covariance(np.cov(X.T, bias=True), 200, mean=X.mean(axis=0))
        np.testing.assert_allclose(
            other.adjacency_.toarray(), model.adjacency_.toarray(), atol=1e-12
        )
        np.testing.assert_allclose(other.predict(X), model.predict(X), atol=1e-12)
        assert other.score(X) == pytest.approx(model.score(X))
        assert (other.n_features_in_, other.n_samples_seen_) == (4, 200)
        centred = clone(estimator).fit_covariance(np.cov(X.T, bias=True).tolist(), np.int32(200))
        assert not centred.mean_.any()

    @every_estimator
    @pytest.mark.parametrize("offset", [0.0, 1e7])
    def test_partial_fit(self, offset, estimator):
        data = samples(offset=offset)
        model = clone(estimator).fit(data)
        parts = clone(estimator)
        for part in np.split(data, [50, 51, 120]):
            assert parts.partial_fit(part) is parts
        assert parts.n_samples_seen_ == 200
        np.testing.assert_allclose(
            parts.adjacency_.toarray(), model.adjacency_.toarray(), atol=1e-7
        )
        np.testing.assert_allclose(parts.mean_, model.mean_, rtol=1e-14)

    def test_partial_fit_continues_and_fit_forgets(self):
        expected = SortAndRegress().fit(X).covariance_
        continued = SortAndRegress().fit(X[:60]).partial_fit(X[60:])
        np.testing.assert_allclose(continued.covariance_, expected, atol=1e-14)
        first = np.cov(X[:60].T, bias=True)
        model = SortAndRegress().fit_covariance(first, 60, mean=X[:60].mean(axis=0))
        np.testing.assert_allclose(model.partial_fit(X[60:]).covariance_, expected, atol=1e-14)
        restored = pickle.loads(pickle.dumps(SortAndRegress().fit(X[:60])))
        np.testing.assert_array_equal(restored.partial_fit(X[60:]).mean_, continued.mean_)
        np.testing.assert_array_equal(continued.fit(X).covariance_, expected)
        assert continued.n_samples_seen_ == 200

    def test_partial_fit_looks_at_parameters_again(self):
        model = SortAndRegress().fit(X).set_params(background=[(0, 1)])
        with pytest.raises(ValueError, match="'background' parameter of SortAndRegress"):
            model.partial_fit(X)

    def test_one_sample(self):
        for method in ("fit", "partial_fit"):
            with pytest.raises(ValueError, match="at least 2 samples, got n_samples=1"):
                getattr(SortAndRegress(), method)(X[:1])
        with pytest.raises(ValueError, match="got n_samples=1"):
            SortAndRegress().fit_covariance(np.eye(2), 1)
        assert SortAndRegress().fit(X[:2]).partial_fit(X[2:3]).n_samples_seen_ == 3

    @every_estimator
    def test_a_failed_fit_changes_nothing(self, estimator):
        frame = pd.DataFrame(X, columns=list("abcd"))
        model = clone(estimator).fit(frame)
        before = dict(vars(model))
        calls = [
            lambda: model.fit(X[:1]),
            lambda: model.fit(X * np.nan),
            lambda: model.partial_fit(X[:, :3]),
            lambda: model.partial_fit(frame[list("abdc")]),
            lambda: model.partial_fit(X * 1e200),
            lambda: model.fit_covariance(-np.eye(3), 5),
            lambda: model.set_params(background=BackgroundKnowledge(required=[(0, 9)])).fit(X),
        ]
        for call in calls:
            with pytest.raises(ValueError):
                call()
        before["background"] = model.background
        assert vars(model).keys() == before.keys()
        assert all(vars(model)[name] is before[name] for name in before)

    @every_estimator
    def test_constant_columns(self, estimator):
        model = clone(estimator)
        data = np.column_stack([X, np.ones(200), np.ones(200)])
        for fit in (model.fit, clone(estimator).partial_fit, model.partial_fit):
            with pytest.warns(UserWarning, match=r"constant columns.*nodes: 4, 5\.") as caught:
                fit(data)
            assert caught[0].filename == __file__
        frame = pd.DataFrame(data[:, 3:], columns=["x", "y", "z"])
        with pytest.warns(UserWarning, match="isolated nodes: 'y', 'z'"):
            model.fit(frame)
        assert 0 < model.residual_scale_[1] == model.residual_scale_[2] < model.residual_scale_[0]
        assert model.adjacency_.nnz == 0
        with warnings.catch_warnings(action="error"), pytest.raises(UserWarning):
            model.fit(data)
        assert model.n_features_in_ == 3

    def test_frames(self):
        for frame in (
            pd.DataFrame(X, columns=list("abcd")),
            pl.DataFrame(X, schema=list("abcd")),
        ):
            model = SortAndRegress().fit(frame)
            assert model.feature_names_in_.tolist() == list("abcd")
            np.testing.assert_allclose(model.predict(frame), SortAndRegress().fit(X).predict(X))
        covariance = pd.DataFrame(X, columns=list("abcd")).cov(ddof=0)
        assert SortAndRegress().fit_covariance(covariance, 200).feature_names_in_[3] == "d"
        assert not hasattr(model.fit(X), "feature_names_in_")
        with pytest.raises(ValueError, match="feature names"):
            SortAndRegress().fit(frame).partial_fit(frame[["b", "a", "c", "d"]])

    def test_background_by_name(self):
        knowledge = BackgroundKnowledge(forbidden=[("a", "c")])
        frame = pd.DataFrame(X, columns=list("abcd"))
        assert SortAndRegress().fit(frame).adjacency_[0, 2] != 0
        for model in (
            SortAndRegress(knowledge).fit(frame),
            SortAndRegress(knowledge).fit_covariance(frame.cov(ddof=0), 200),
            SortAndRegress(knowledge).partial_fit(frame[:80]).partial_fit(frame[80:]),
        ):
            assert model.adjacency_[0, 2] == 0

    @pytest.mark.parametrize("dtype", [np.float32, np.int64, np.int8])
    def test_dtypes(self, dtype):
        data = np.round(X * 20).astype(dtype)
        model = SortAndRegress().fit(data)
        exact = SortAndRegress().fit(data.astype(np.float64))
        np.testing.assert_array_equal(model.covariance_, exact.covariance_)
        assert model.predict(data).dtype == np.float64
        np.testing.assert_array_equal(model.score_samples(data), exact.score_samples(data))

    def test_memory_maps(self, tmp_path):
        np.save(tmp_path / "X.npy", X.astype(np.float32))
        mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
        model = SortAndRegress().fit(mapped).partial_fit(mapped)
        expected = SortAndRegress().fit(X.astype(np.float32))
        np.testing.assert_allclose(model.covariance_, expected.covariance_, rtol=1e-12)
        assert type(model.covariance_) is type(model.mean_) is np.ndarray


class TestRefusals:
    """Messages that say what came and what to do."""

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_not_finite(self, value):
        bad = X.copy()
        bad[3, 1] = bad[5, 2] = value
        model = SortAndRegress().fit(X)
        for method in (model.fit, model.partial_fit):
            with pytest.raises(ValueError, match=r"columns 1, 2: drop.*impute.*fit_covariance"):
                method(bad)
        for method in (model.predict, model.score_samples, model.score):
            with pytest.raises(ValueError, match="columns 1, 2: drop"):
                method(bad)
        frame = pd.DataFrame(bad, columns=list("abcd"))
        with pytest.raises(ValueError, match="columns 'b', 'c':"):
            model.fit(frame)
        spoilt = pd.DataFrame(np.eye(4), columns=list("abcd"))
        spoilt.iloc[1:3, :] = spoilt.iloc[:, 1:3] = value
        with pytest.raises(ValueError, match="columns 'b', 'c': compute"):
            model.fit_covariance(spoilt, 200)
        with pytest.raises(ValueError, match="columns 0, 1: compute"):
            model.fit_covariance([[1.0, value], [value, 1.0]], 200)
        with pytest.raises(ValueError, match="0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"):
            model.fit(np.full((3, 12), np.nan))

    def test_sparse(self):
        for method in (SortAndRegress().fit, SortAndRegress().partial_fit):
            with pytest.raises(TypeError, match="dense data is required"):
                method(sp.csr_array(X))
        with pytest.raises(TypeError, match="dense data is required"):
            SortAndRegress().fit_covariance(sp.eye_array(3).tocsr(), 5)

    @pytest.mark.parametrize(
        ("covariance", "message"),
        [
            (np.ones((2, 3)), r"square covariance matrix, got shape \(2, 3\)"),
            ([[1.0, 0.5], [0.4, 1.0]], "symmetric covariance"),
            ([[1e8, 1.0], [1.001, 1e-8]], "symmetric covariance"),
            ([[1.0, 2.0], [2.0, 1.0]], "semi-definite.*eigenvalue -1:"),
            ([[0.0, 1.0], [1.0, 4.0]], "semi-definite"),
            (np.diag([1.0, -2.0]), "negative variances of 1"),
            (
                pd.DataFrame(np.eye(2), columns=["a", "b"], index=["b", "a"]),
                "rows and columns of the covariance to have the same names",
            ),
        ],
    )
    def test_covariances(self, covariance, message):
        with pytest.raises(ValueError, match=message):
            SortAndRegress().fit_covariance(covariance, 10)

    @pytest.mark.parametrize("dtype", [np.float64, np.float32])
    def test_rounding_of_singular_covariances(self, dtype):
        wide = np.random.default_rng(0).normal(size=(5, 20)).astype(dtype)
        covariance = np.cov(wide.T, bias=True, dtype=dtype)
        covariance[0, 1] *= 1 + 1e-9
        before = covariance.copy()
        model = SortAndRegress().fit_covariance(covariance, 5)
        np.testing.assert_array_equal(model.covariance_, model.covariance_.T)
        np.testing.assert_array_equal(covariance, before)
        assert np.isfinite(model.adjacency_.data).all()
        assert (model.residual_scale_ >= FLOOR).all()

    def test_means_by_name(self):
        frame = pd.DataFrame(X, columns=list("abcd"))
        covariance = frame.cov(ddof=0)
        with pytest.raises(ValueError, match="mean and covariance to have the same names, in the"):
            SortAndRegress().fit_covariance(covariance, 200, mean=frame.mean()[::-1])
        for mean in (frame.mean(), frame.mean().tolist(), frame.mean().reset_index(drop=True)):
            model = SortAndRegress().fit_covariance(covariance, 200, mean=mean)
            np.testing.assert_array_equal(model.mean_, frame.mean())

    def test_other_arguments(self):
        with pytest.raises(TypeError, match=r"n_samples to be an integer, got 10\.5"):
            SortAndRegress().fit_covariance(np.eye(2), 10.5)
        with pytest.raises(ValueError, match=r"one mean a feature, shape \(2,\), got shape \(3,\)"):
            SortAndRegress().fit_covariance(np.eye(2), 10, mean=np.zeros(3))
        with pytest.raises(ValueError, match="n_samples"):
            SortAndRegress().fit(X).sample(0)
        with pytest.raises(ValueError, match="X has 3 features"):
            SortAndRegress().fit(X).predict(X[:, :3])

    @pytest.mark.parametrize(
        "method", ["predict", "score", "score_samples", "sample", "to_frame", "to_networkx"]
    )
    def test_not_fitted(self, method):
        arguments = [X] if method in ("predict", "score", "score_samples") else []
        with pytest.raises(NotFittedError):
            getattr(SortAndRegress(), method)(*arguments)


class TestModel:
    """What a fitted model tells."""

    data = samples(offset=10.0)
    model = SortAndRegress().fit(data)

    @every_estimator
    def test_order_and_residuals(self, estimator):
        model = clone(estimator).fit(self.data)
        forward = model.adjacency_.toarray()[np.ix_(*[model.causal_order_] * 2)]
        assert forward.any()
        assert not np.tril(forward).any()
        residuals = self.data - model.predict(self.data)
        np.testing.assert_allclose(residuals.std(axis=0), model.residual_scale_)
        np.testing.assert_allclose(residuals.mean(axis=0), 0, atol=1e-12)

    @every_estimator
    def test_likelihood(self, estimator):
        """The density of the whole vector, not of one variable after the other."""
        model = clone(estimator).fit(self.data)
        mixing = np.linalg.inv(np.eye(4) - model.adjacency_.toarray())
        covariance = mixing.T @ np.diag(model.residual_scale_**2) @ mixing
        expected = multivariate_normal(model.mean_, covariance).logpdf(self.data)
        np.testing.assert_allclose(model.score_samples(self.data), expected)
        assert model.score(self.data) == pytest.approx(expected.mean())

    def test_samples(self):
        drawn = self.model.sample(200_000, random_state=0)
        np.testing.assert_allclose(np.cov(drawn.T), self.model.covariance_, atol=0.06)
        np.testing.assert_allclose(drawn.mean(axis=0), self.model.mean_, atol=0.02)
        assert self.model.sample().shape == (1, 4)
        np.testing.assert_array_equal(
            self.model.sample(3, random_state=np.random.RandomState(1)),
            self.model.sample(np.int64(3), random_state=1),
        )
        seeded = SortAndRegress(random_state=1).fit(self.data)
        np.testing.assert_array_equal(seeded.sample(3), self.model.sample(3, random_state=1))
        assert not np.array_equal(seeded.sample(3), seeded.sample(3, random_state=2))

    @pytest.mark.parametrize("names", [None, list("abcd")])
    def test_exports(self, names):
        data = self.data if names is None else pd.DataFrame(self.data, columns=names)
        model = SortAndRegress(BackgroundKnowledge(forbidden=[(3, i) for i in range(3)])).fit(data)
        labels = list(range(4)) if names is None else names
        graph = model.to_networkx()
        assert type(graph) is nx.DiGraph
        assert list(graph) == labels
        np.testing.assert_array_equal(nx.to_numpy_array(graph), model.adjacency_.toarray())
        frame = model.to_frame()
        assert list(frame.columns) == ["source", "target", "weight"]
        assert frame["weight"].abs().is_monotonic_decreasing
        from_frame = nx.from_pandas_edgelist(frame, edge_attr="weight", create_using=nx.DiGraph)
        assert nx.utils.edges_equal(graph.edges(data=True), from_frame.edges(data=True))
        assert type(frame["weight"][0]) is np.float64

    def test_an_empty_graph(self):
        model = SortAndRegress().fit(X[:, :1])
        assert model.to_frame().empty
        assert list(model.to_networkx()) == [0]
        np.testing.assert_array_equal(model.predict(X[:, :1]), np.tile(model.mean_, (200, 1)))


@pytest.mark.parametrize("name", own_methods(LinearSEMMixin))
def test_inherited_docstrings(name):
    """They are public, though the class is not."""
    errors = validate(f"sparsekit.causal._sem.LinearSEMMixin.{name}")["errors"]
    assert [error for error in errors if error[0] not in IGNORED_CHECKS] == []
    documented = getattr(LinearSEMMixin, name).__doc__
    assert not re.search(r"\b(CoLiDE|BOSS)\b", documented)


def test_moments_are_what_the_mixin_keeps():
    model = SortAndRegress().fit(X)
    kept = Moments(model.n_samples_seen_, model.mean_, model.covariance_)
    for one, other in zip(kept, add_samples(None, X), strict=True):
        np.testing.assert_array_equal(one, other)
