"""CoLiDE's published solver against the loop as its description says it, and stored estimates."""

import hypothesis.strategies as st
import naive_colide as oracle
import numpy as np
import pytest
from colide_helpers import (
    ALPHA,
    THRESHOLD,
    covariances,
    graph_of,
    load_case,
    mask,
    mean_distances,
    problem_of,
    random_covariance,
    random_weights,
    shd,
    weights_for,
)
from hypothesis import given, settings

from sparsekit.causal.colide import _adam
from sparsekit.causal.colide._adam import adam_stage, initial_scale
from sparsekit.causal.colide._objective import make_problem, objective
from sparsekit.causal.colide._solve import solve
from sparsekit.causal.colide._stage import Stage

noises = pytest.mark.parametrize("equal", [True, False], ids=["ev", "nv"])

# Noises of columns 0 and 1 shrink as their weights on each other grow, against the third's: with a
# large mu the steps leave the domain.
OUTWARD = np.array([[1.0, 0.0, 0.6], [0.0, 1.0, 0.6], [0.6, 0.6, 1.0]])


def outward_weights(radius):
    W = np.zeros((3, 3))
    W[0, 1] = W[1, 0] = np.sqrt(radius)
    W[2, :2] = -100
    return W


def both(C, start, stage, *, equal, required=(), forbidden=()):
    """Run the stage by the oracle and by the solver, and compare what both return."""
    expected = oracle.adam_stage(
        C,
        start,
        mu=stage.mu,
        s=stage.s,
        alpha=ALPHA,
        equal=equal,
        max_iter=stage.max_iter,
        required=required,
        forbidden=forbidden,
    )
    knowledge = {"required": mask(len(C), required), "forbidden": mask(len(C), forbidden)}
    found = adam_stage(make_problem(C, ALPHA, equal=equal, **knowledge), start, stage)
    np.testing.assert_allclose(found.weights, expected.weights, rtol=0, atol=1e-10)
    assert found.s == expected.s
    assert not found.failed
    return expected, found


@noises
@pytest.mark.parametrize(("mu", "s"), [(1.0, 1.0), (0.1, 0.9), (0.001, 0.7)])
@settings(max_examples=15)
@given(data=st.data())
def test_fifty_iterations(equal, mu, s, data):
    C = data.draw(covariances())
    W = data.draw(weights_for(C, s))
    expected, found = both(C, W, Stage(mu, s, 50, 1e-6), equal=equal)
    if expected.n_restarts == 0:
        assert found.n_iter == 50


@noises
@pytest.mark.parametrize("seed", range(3))
def test_zero_start(equal, seed):
    """The first gradient stands on other noise scales than the closed form."""
    C = random_covariance(8, 60, 5.0, seed)
    both(C, np.zeros_like(C), Stage(1.0, 1.0, 50, 1e-6), equal=equal)


@noises
def test_known_edges(equal):
    C, start = random_covariance(6, 60, 2.0, 0), np.zeros((6, 6))
    required, forbidden = [(0, 1), (4, 2)], [(1, 0), (5, 3), (3, 5), (2, 4)]
    stage = Stage(1.0, 1.0, 50, 1e-6)
    free, _ = both(C, start, stage, equal=equal, forbidden=forbidden)
    known, found = both(C, start, stage, equal=equal, required=required, forbidden=forbidden)
    assert not found.weights[mask(6, forbidden)].any()
    assert (known.weights != free.weights)[mask(6, required)].all()


@pytest.mark.parametrize("solver_sees", ["forbidden", "all but forbidden"])
def test_forbidden_weights_stay_exactly_zero(solver_sees):
    """Along the whole path, where other weights take thousands of steps."""
    C = random_covariance(5, 60, 2.0, 1)
    forbidden = mask(5, [(0, 1), (1, 0), (2, 3), (4, 0)])
    if solver_sees != "forbidden":
        forbidden = ~forbidden
    problem = make_problem(C, ALPHA, equal=True, forbidden=forbidden)
    weights = solve(problem, solver="adam", max_iter=1000).weights
    assert not weights[forbidden].any()
    assert not weights.diagonal().any()
    np.fill_diagonal(forbidden, True)
    assert weights[~forbidden].all()


@noises
@pytest.mark.parametrize("mu", [1e6, 1e14])
def test_a_step_out_of_the_domain_is_undone(equal, mu):
    expected, found = both(OUTWARD, outward_weights(0.999), Stage(mu, 1.0, 50, 1e-6), equal=equal)
    assert expected.n_undone > 5
    assert not expected.gave_up
    assert found.n_iter == 50
    assert oracle.is_inside(found.weights, 1.0)


def test_gives_up_when_no_step_stays_inside():
    stage = Stage(1e18, 1.0, 400, 1e-6)
    expected, found = both(OUTWARD, outward_weights(0.999), stage, equal=False)
    assert expected.gave_up
    assert found.n_iter < 400
    assert not found.converged


@noises
@pytest.mark.parametrize(("s", "n_restarts"), [(0.9, 1), (0.8, 2), (0.7, 3)])
def test_a_start_outside_the_domain_needs_a_larger_s(equal, s, n_restarts):
    C, W = random_covariance(5, 50, 3.0, 0), random_weights(5, 1.0, 0.95, 1)
    expected, found = both(C, W, Stage(0.1, s, 50, 1e-6), equal=equal)
    assert expected.n_restarts == n_restarts
    # The attempts failed at once.
    assert found.n_iter == 50 + n_restarts


@noises
def test_leaving_the_domain_of_a_small_s_restarts_the_stage(equal):
    start = outward_weights(0.795)
    expected, found = both(OUTWARD, start, Stage(1e6, 0.8, 50, 1e-6), equal=equal)
    assert expected.n_restarts > 0
    assert found.n_iter > 50 + expected.n_restarts


@noises
def test_objective_is_compared_every_thousand_iterations(equal):
    problem = make_problem(random_covariance(5, 50, 3.0, 0), ALPHA, equal=equal)
    start = np.zeros((5, 5))
    results = {}
    for max_iter, tol in [(999, 2.0), (5000, 2.0), (5000, 0.9), (1500, 0.9), (1500, 0.0)]:
        result = adam_stage(problem, start, Stage(1.0, 1.0, max_iter, tol))
        results[max_iter, tol] = (result.n_iter, result.converged)
        value = objective(problem, result.weights, 1.0, 1.0)
        assert result.objective == pytest.approx(value, rel=1e-10)
    # Everything is close to the first value, 1e16, if 2 is allowed, which the last iteration sees.
    assert results == {
        (999, 2.0): (999, True),
        (5000, 2.0): (1000, True),
        (5000, 0.9): (2000, True),
        (1500, 0.9): (1500, True),
        (1500, 0.0): (1500, False),
    }


@noises
def test_an_infinite_objective_is_no_convergence(equal, monkeypatch):
    """The weights are compared while they are outside, where the next iteration finds them."""
    problem = make_problem(OUTWARD, ALPHA, equal=equal)
    start, stage = outward_weights(0.999), Stage(1e6, 1.0, 20, 1e-9)
    monkeypatch.setattr(_adam, "_CHECK_EVERY", 1)
    assert np.isinf(adam_stage(problem, start, stage._replace(max_iter=1)).objective)
    result = adam_stage(problem, start, stage)
    assert (result.n_iter, result.converged) == (20, False)


def test_initial_scales():
    C = np.diag([4.0, 9.0, 0.0])
    floor = 0.02
    problem = make_problem(C, ALPHA, equal=False)
    np.testing.assert_allclose(initial_scale(problem), [2, 3, floor])
    problem = make_problem(C, ALPHA, equal=True)
    np.testing.assert_allclose(initial_scale(problem), [floor] * 3)
    problem = make_problem(C[:2, :2], ALPHA, equal=True)
    np.testing.assert_allclose(initial_scale(problem), [2, 2])


@noises
def test_the_start_is_not_changed(equal):
    C, W = random_covariance(4, 50, 3.0, 0), random_weights(4, 1.0, 0.5, 0)
    kept = W.copy()
    for array in (C, W):
        array.flags.writeable = False
    adam_stage(make_problem(C, ALPHA, equal=equal), W, Stage(0.1, 0.3, 5, 1e-6))
    np.testing.assert_array_equal(W, kept)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["er4_d20_ev_s5", "er4_d20_nv_s1", "er4_d20_nv_s2"])
def test_stored_estimates_return(name):
    case, method = load_case(name), name.split("_")[2]
    solution = solve(problem_of(case, method), solver="adam")
    assert not solution.weights.diagonal().any()
    expected = graph_of(case, method)
    found = oracle.threshold_to_dag(solution.weights, THRESHOLD)
    assert shd(found, expected) == 0
    np.testing.assert_allclose(found, expected, atol=2e-3)
    # The stored scales are those with weights of variables on themselves.
    np.testing.assert_allclose(solution.noise_scale, case[f"{method}_sigma"], rtol=0.01)
    assert abs(solution.n_iter - case[f"{method}_iterations"].sum()) <= 1000
    assert solution.converged


@pytest.mark.slow
@pytest.mark.parametrize("noise", ["ev", "nv"])
def test_distances_to_the_true_graphs(noise):
    """At most one edge worse than the stored estimates; single graphs differ more, either way."""
    names = [f"er4_d20_{noise}_s{seed}" for seed in (1, 2, 5)]
    found, stored = mean_distances(names, noise, solver="adam")
    assert found <= stored + 1
