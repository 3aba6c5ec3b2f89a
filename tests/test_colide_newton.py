"""A stage of CoLiDE's second-order solver: optimality, descent, the domain."""

import hypothesis.strategies as st
import naive_colide as oracle
import numpy as np
import pytest
from colide_helpers import (
    ALPHA,
    covariances,
    mask,
    random_covariance,
    random_weights,
    weights_for,
)
from hypothesis import assume, given, settings

from sparsekit.causal.colide import _newton
from sparsekit.causal.colide._newton import newton_stage
from sparsekit.causal.colide._objective import (
    acyclicity_gradient,
    closed_form_scale,
    invert_domain_matrix,
    make_problem,
    objective,
    residual_variances,
    score_gradient,
)
from sparsekit.causal.colide._stage import Stage

noises = pytest.mark.parametrize("equal", [True, False], ids=["ev", "nv"])
stages = pytest.mark.parametrize(("mu", "s"), [(1.0, 1.0), (0.1, 0.9), (0.001, 0.7)])


def violation(problem, W, mu, s):
    """Largest distance of zero to the subdifferential of F / mu."""
    scale = closed_form_scale(problem, residual_variances(problem, W))
    inverse = invert_domain_matrix(W, s)
    gradient = score_gradient(problem, W, scale) + acyclicity_gradient(inverse, W) / mu
    free = np.isfinite(problem.penalties)
    penalties = np.where(free, problem.penalties, 0)
    at_zero = np.maximum(np.abs(gradient) - penalties, 0)
    distances = np.where(W != 0, np.abs(gradient + penalties * np.sign(W)), at_zero)
    return distances[free].max(initial=0)


@noises
@stages
@settings(max_examples=15)
@given(data=st.data())
def test_a_stage_ends_in_a_stationary_point(equal, mu, s, data):
    C = data.draw(covariances(max_spread=3.0))
    C += 0.01 * np.diag(C.diagonal())
    W = data.draw(weights_for(C, 0.7 * s))
    problem = make_problem(C, ALPHA, equal=equal)
    result = newton_stage(problem, W, Stage(mu, s, 2000, 1e-13))
    value = objective(problem, result.weights, mu, s)
    assert result.objective == pytest.approx(value, rel=1e-9, abs=1e-12)
    assert value <= objective(problem, W, mu, s) * (1 + 1e-12)
    assert result.s == s
    assert not result.weights.diagonal().any()
    assume(result.converged)
    # The curvature next to the floor is 1 / sigma.
    scale = closed_form_scale(problem, residual_variances(problem, result.weights))
    assert violation(problem, result.weights, mu, s) <= 1e-4 * (1 + np.abs(C).max() / scale.min())


@noises
@stages
def test_every_iteration_decreases_the_objective(equal, mu, s):
    problem = make_problem(random_covariance(10, 100, 3.0, 0), ALPHA, equal=equal)
    start = random_weights(10, 0.5, 0.5, 1)
    values = [objective(problem, start, mu, s)]
    for max_iter in (1, 2, 3, 5, 10, 20, 200):
        result = newton_stage(problem, start, Stage(mu, s, max_iter, 1e-6))
        values.append(objective(problem, result.weights, mu, s))
        assert result.n_iter <= max_iter
    assert (np.diff(values) < 1e-9).all()
    assert values[1] < values[0]
    assert result.converged
    assert not newton_stage(problem, start, Stage(mu, s, 1, 1e-6)).converged


@noises
def test_weights_of_a_known_order_are_those_of_separate_regressions(equal):
    """Without any cycle h is zero, and the profiled score is convex."""
    C = random_covariance(6, 80, 2.0, 0)
    backward = np.tril(np.ones((6, 6), dtype=bool), k=-1)
    problem = make_problem(C, ALPHA, equal=equal, forbidden=backward)
    W = newton_stage(problem, np.zeros((6, 6)), Stage(1.0, 1.0, 500, 1e-14)).weights
    scale = oracle.noise_scale(C, W, equal)
    assert np.triu(W, k=1).any()
    for j in range(6):
        l1 = np.where(np.arange(6) < j, ALPHA, np.inf)
        zeros = np.zeros(6)
        expected = oracle.elastic_net_column(C, j, zeros, a=1 / scale[j], ridge=zeros, tau=0, l1=l1)
        np.testing.assert_allclose(W[:, j], expected, atol=1e-6 * max(1, np.abs(expected).max()))


@noises
def test_a_start_outside_the_domain_needs_a_larger_s(equal):
    problem = make_problem(random_covariance(5, 50, 3.0, 0), ALPHA, equal=equal)
    start = random_weights(5, 1.0, 0.95, 1)
    result = newton_stage(problem, start, Stage(0.1, 0.7, 200, 1e-6))
    assert result.s == pytest.approx(1.0)
    assert result.objective == pytest.approx(objective(problem, result.weights, 0.1, result.s))
    assert np.isfinite(result.objective)


@noises
def test_the_start_is_not_changed(equal):
    C, W = random_covariance(6, 50, 3.0, 0), random_weights(6, 1.0, 0.5, 0)
    kept_C, kept_W = C.copy(), W.copy()
    for array in (C, W):
        array.flags.writeable = False
    problem = make_problem(C, ALPHA, equal=equal)
    newton_stage(problem, W, Stage(0.1, 0.9, 50, 1e-6))
    np.testing.assert_array_equal(C, kept_C)
    np.testing.assert_array_equal(W, kept_W)


@noises
def test_a_solution_is_recognised(equal):
    """No step from there decreases the objective, and none is taken."""
    problem = make_problem(random_covariance(6, 100, 2.0, 0), 100.0, equal=equal)
    result = newton_stage(problem, np.zeros((6, 6)), Stage(1.0, 1.0, 10, 1e-6))
    assert not result.weights.any()
    assert (result.n_iter, result.converged) == (1, True)
    assert result.objective == pytest.approx(objective(problem, np.zeros((6, 6)), 1.0, 1.0))


def test_a_stage_ends_after_two_small_decreases(monkeypatch):
    problem = make_problem(random_covariance(8, 100, 3.0, 0), ALPHA, equal=True)
    start, stage = np.zeros((8, 8)), Stage(0.1, 0.9, 200, 1e-3)
    values = [objective(problem, start, 0.1, 0.9)]
    result = newton_stage(problem, start, stage)
    for max_iter in range(1, result.n_iter + 1):
        cut = newton_stage(problem, start, stage._replace(max_iter=max_iter))
        values.append(cut.objective)
        assert cut.converged == (max_iter == result.n_iter)
    small = -np.diff(values) < stage.tol * np.abs(values[:-1])
    assert small[-2:].all()
    assert not (small[:-2] & small[1:-1]).any()
    monkeypatch.setattr(_newton, "_SMALL_DECREASES", 1)
    assert newton_stage(problem, start, stage).n_iter == 1 + np.argmax(small)


def test_no_step_may_leave_the_domain():
    """The score pulls both weights out of it: the barrier holds, by shorter steps."""
    problem = make_problem(np.array([[1.0, 0.9], [0.9, 1.0]]), 0.01, equal=False)
    start = mask(2, [(0, 1), (1, 0)]) * 0.1
    result = newton_stage(problem, start, Stage(1e4, 0.5, 100, 1e-9))
    assert oracle.is_inside(result.weights, 0.5)
    assert oracle.spectral_radius(result.weights**2) > 0.49
    assert result.objective < objective(problem, start, 1e4, 0.5)
