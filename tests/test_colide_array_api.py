"""CoLiDE's published solver on arrays of other libraries, against the compiled one."""

from importlib import import_module
from importlib.util import find_spec

import array_api_strict
import numpy as np
import pytest
from sklearn.base import clone

from sparsekit._sklearn_compat import get_namespace_and_device
from sparsekit.causal import CoLiDE
from sparsekit.causal._moments import array_api_moments
from sparsekit.causal.colide import _adam
from sparsekit.causal.colide._adam import adam_stage
from sparsekit.causal.colide._array_api import array_api_stage
from sparsekit.causal.colide._objective import make_problem, objective
from sparsekit.causal.colide._stage import Stage
from sparsekit.datasets import make_linear_sem

# The strict one implements the standard and nothing else; others are tested where installed.
NAMESPACES = [array_api_strict, np]
if find_spec("torch") and find_spec("array_api_compat"):
    NAMESPACES.append(import_module("array_api_compat.torch"))
named = {"ids": lambda xp: xp.__name__}

FIRST = Stage(mu=1.0, s=1.0, max_iter=300, tol=1e-6)


def problem_of(n_nodes, equal, seed=0, **constraints):
    noise = "equal" if equal else "unequal"
    X, _ = make_linear_sem(500, n_nodes, noise=noise, degree=2, random_state=seed)
    return make_problem(np.cov(X.T, bias=True), 0.05, equal=equal, **constraints)


def follow(stage_of, problem, max_iter):
    """Weights at the end of the path."""
    weights = np.zeros_like(problem.covariance)
    for mu, s in ((1.0, 1.0), (0.1, 0.9), (0.01, 0.8), (0.001, 0.7)):
        weights = stage_of(problem, weights, Stage(mu, s, max_iter, 1e-6)).weights
    return weights


def assert_same(found, expected, atol=1e-10):
    np.testing.assert_allclose(found.weights, expected.weights, rtol=0, atol=atol)
    assert found.objective == pytest.approx(expected.objective, rel=1e-8)
    assert found[2:3] + found[4:] == expected[2:3] + expected[4:]
    assert found.n_iter == expected.n_iter


@pytest.mark.parametrize("xp", NAMESPACES, **named)
@pytest.mark.parametrize("equal", [True, False])
class TestStage:
    def test_from_zero(self, xp, equal):
        problem = problem_of(10, equal)
        start = np.zeros((10, 10))
        assert_same(
            array_api_stage(problem, start, FIRST, xp=xp), adam_stage(problem, start, FIRST)
        )

    def test_from_weights_that_lie_outside(self, xp, equal):
        problem = problem_of(6, equal)
        start = np.zeros((6, 6))
        start[0, 1] = start[1, 0] = 1.0  # the domain matrix is singular
        start[2, 3] = start[3, 2] = 1.1  # its inverse has negative entries
        expected = adam_stage(problem, start, FIRST)
        assert expected.s > 1.15
        assert_same(array_api_stage(problem, start, FIRST, xp=xp), expected)

    @pytest.mark.parametrize("max_iter", [1, 50])
    def test_steps_that_leave_the_domain_are_undone(self, xp, equal, max_iter):
        # Steps are equally long: the small weight grows faster than the large one shrinks.
        problem = make_problem(np.array([[1.0, 0.9], [0.9, 1.0]]), 0.0, equal=equal)
        start = np.array([[0.0, 0.5], [1.99998, 0.0]])
        stage = FIRST._replace(mu=1e8, max_iter=max_iter)
        expected = adam_stage(problem, start, stage)
        assert expected.s == 1.0
        assert (expected.n_iter, np.isinf(expected.objective)) == (max_iter, max_iter == 1)
        assert_same(array_api_stage(problem, start, stage, xp=xp), expected, atol=1e-9)

    def test_stages_are_given_up_at_tiny_steps(self, xp, equal, monkeypatch):
        monkeypatch.setattr(_adam, "_LEAST_LEARNING_RATE", 1e-4)
        problem = make_problem(np.array([[1.0, 0.9], [0.9, 1.0]]), 0.0, equal=equal)
        start = np.array([[0.0, 0.5], [1.99998, 0.0]])
        stage = FIRST._replace(mu=1e8)
        found = array_api_stage(problem, start, stage, xp=xp)
        assert (found.n_iter, found.converged) == (2, False)
        np.testing.assert_allclose(found.weights, start, rtol=0, atol=1e-12)
        assert_same(found, adam_stage(problem, start, stage))

    def test_constraints_hold_and_nothing_is_changed(self, xp, equal):
        forbidden, required = np.zeros((2, 8, 8), dtype=bool)
        forbidden[0, 1:4] = required[1, 0] = True
        problem = problem_of(8, equal, forbidden=forbidden, required=required)
        start = np.zeros((8, 8))
        start[1, 0] = 0.1
        for array in (problem.covariance, problem.penalties, start):
            array.flags.writeable = False
        found = array_api_stage(problem, start, FIRST, xp=xp)
        assert not found.weights[forbidden].any()
        assert_same(found, adam_stage(problem, start, FIRST))

    def test_objective_and_the_rule_to_stop(self, xp, equal):
        problem = problem_of(5, equal)
        # The first value is compared with a huge one, so that this tolerance stops at once.
        stage = FIRST._replace(max_iter=3000, tol=1.0)
        found = array_api_stage(problem, np.zeros((5, 5)), stage, xp=xp)
        assert (found.converged, found.n_iter) == (True, 1000)
        value = objective(problem, found.weights, stage.mu, found.s)
        assert found.objective == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize("xp", NAMESPACES[1:], **named)
@pytest.mark.parametrize("equal", [True, False])
def test_the_whole_path_finds_the_same_graph(xp, equal):
    problem = problem_of(10, equal, seed=1)
    expected = follow(adam_stage, problem, 4000)
    found = follow(lambda *given: array_api_stage(*given, xp=xp), problem, 4000)
    kept = np.abs(expected) > 0.3
    assert kept.sum() > 10
    np.testing.assert_array_equal(np.abs(found) > 0.3, kept)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


def test_devices_without_double_precision():
    problem, start = problem_of(6, equal=True), np.zeros((6, 6))
    device = array_api_strict.Device("no_float64")
    found = array_api_stage(problem, start, FIRST, xp=array_api_strict, device=device)
    assert found.weights.dtype == np.float64
    expected = adam_stage(problem, start, FIRST).weights
    np.testing.assert_allclose(found.weights, expected, rtol=0, atol=1e-4)
    assert not np.allclose(found.weights, expected, rtol=0, atol=1e-12)


def test_other_errors_than_singular_matrices_are_reported(monkeypatch):
    def run_out_of_memory(matrix):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(array_api_strict.linalg, "inv", run_out_of_memory)
    problem = problem_of(4, equal=True)
    with pytest.raises(RuntimeError, match="out of memory"):
        array_api_stage(problem, np.zeros((4, 4)), FIRST, xp=array_api_strict)


@pytest.mark.parametrize("xp", NAMESPACES, **named)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_moments(xp, dtype):
    values = np.random.default_rng(0).normal(5.0, 2.0, (40, 3)).astype(dtype)
    values[:, 2] = 0.1
    X = xp.asarray(values)
    n_samples, mean, covariance, place = array_api_moments(X, xp=xp)
    assert place == (xp, None)
    assert n_samples == 40
    assert mean.dtype == covariance.dtype == np.float64
    exact = values.astype(np.float64)
    np.testing.assert_allclose(mean, exact.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(covariance[:2, :2], np.cov(exact[:, :2].T, bias=True), rtol=1e-12)
    assert not covariance[2].any()
    assert not covariance[:, 2].any()
    np.testing.assert_array_equal(np.asarray(X), values)


@pytest.mark.parametrize("xp", NAMESPACES, **named)
@pytest.mark.parametrize(
    ("factor", "what"), [(1e200, "overflow"), (1e-200, "underflow"), (1e308, "overflow")]
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_moments_of_extreme_values(xp, factor, what):
    X = xp.asarray(np.array([[1.0, 1.0], [-1.0, 1.0], [0.5, 1.0]]) * factor)
    with pytest.raises(ValueError, match=f"squares.*they {what}: multiply all columns"):
        array_api_moments(X, xp=xp)


@pytest.mark.parametrize(
    ("name", "atol"), [("CPU_DEVICE", 1e-10), ("device1", 1e-10), ("no_float64", 1e-4)]
)
@pytest.mark.filterwarnings("ignore:constant columns", "ignore:the last stage")
def test_estimators_on_devices(name, atol, monkeypatch):
    """In parts and at once, new data, a covariance: arrays that numpy can not read."""
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")
    values, _ = make_linear_sem(300, 4, degree=1, random_state=0)
    values = values.astype(np.float32)
    values[:, 3] = 0.1
    device = array_api_strict.Device(name)
    X = array_api_strict.asarray(values, device=device)
    spoilt = np.array([0, np.nan, 0, 0], dtype=np.float32)
    settings = {"solver": "adam", "max_iter": 200}
    expected = CoLiDE(**settings).fit(values)
    with import_module("sklearn").config_context(array_api_dispatch=True):
        whole = CoLiDE(**settings).fit(X)
        parts = CoLiDE(**settings).partial_fit(X[:100, :]).partial_fit(X[100:, :])
        moved = CoLiDE(**settings).fit_covariance(
            array_api_strict.asarray(expected.covariance_.astype(np.float32), device=device),
            300,
            mean=array_api_strict.asarray(expected.mean_.astype(np.float32), device=device),
        )
        predicted, score = expected.predict(X), expected.score(X)
        with pytest.raises(ValueError, match="NaN or infinite values in the columns 1: drop"):
            CoLiDE().fit(array_api_strict.asarray(values + spoilt, device=device))
    for model in (whole, parts):
        np.testing.assert_allclose(model.covariance_, expected.covariance_, atol=atol)
        np.testing.assert_allclose(model.mean_, expected.mean_, atol=atol)
        np.testing.assert_allclose(model.weights_, expected.weights_, atol=atol)
        assert not model.covariance_[3].any()
    np.testing.assert_allclose(moved.covariance_, expected.covariance_, rtol=1e-6)
    np.testing.assert_array_equal(predicted, expected.predict(values))
    assert score == expected.score(values)


@pytest.mark.parametrize("xp", [xp for xp in NAMESPACES if xp is not np], **named)
@pytest.mark.parametrize("noise", ["equal", "unequal"])
@pytest.mark.parametrize("solver", ["newton", "adam"])
@pytest.mark.filterwarnings("ignore:the last stage", "ignore:the order may reflect scale")
def test_both_solvers(xp, solver, noise, monkeypatch):
    """Newton's works on the CPU whatever comes in, and everything fitted is of numpy."""
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")
    values, _ = make_linear_sem(300, 6, degree=1, noise=noise, random_state=0)
    X = xp.asarray(values.copy())
    model = CoLiDE(solver=solver, noise=noise, max_iter=200)
    expected = clone(model).fit(values)
    with import_module("sklearn").config_context(array_api_dispatch=True):
        model.fit(X)
    np.testing.assert_array_equal(np.asarray(X), values)
    assert np.count_nonzero(expected.weights_) >= 6
    for name in ("weights_", "noise_scale_", "residual_scale_", "mean_", "covariance_"):
        assert type(getattr(model, name)) is np.ndarray
        np.testing.assert_allclose(getattr(model, name), getattr(expected, name), atol=1e-8)
    assert (model.adjacency_ != 0).toarray().tolist() == (
        expected.adjacency_ != 0
    ).toarray().tolist()
    assert model.n_iter_ == expected.n_iter_


def test_namespaces_as_scikit_learn_tells_them(monkeypatch):
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")
    X = array_api_strict.asarray(np.random.default_rng(0).normal(size=(20, 2)))
    sklearn = import_module("sklearn")
    with sklearn.config_context(array_api_dispatch=True):
        xp, is_array_api, device = get_namespace_and_device(X)
        assert is_array_api
        moments = array_api_moments(X, xp=xp, device=device)
        problem = make_problem(moments.covariance, 0.05, equal=True)
        stage = FIRST._replace(max_iter=20)
        found = array_api_stage(problem, np.zeros((2, 2)), stage, xp=xp, device=device)
    assert_same(found, adam_stage(problem, np.zeros((2, 2)), stage))
