"""CoLiDE's objective against stored values, the oracle, finite differences and its definition."""

import hypothesis.strategies as st
import naive_colide as oracle
import numpy as np
import pytest
from colide_helpers import (
    covariances,
    load_case,
    mask,
    random_covariance,
    random_weights,
    weights_for,
)
from hypothesis import given

from sparsekit.causal.colide._objective import (
    acyclicity,
    acyclicity_gradient,
    closed_form_scale,
    invert_domain_matrix,
    l1_norm,
    make_problem,
    noise_floor,
    objective,
    residual_variances,
    score,
    score_gradient,
)

METHODS = {"ev": True, "nv": False}
methods = pytest.mark.parametrize("method", sorted(METHODS))


def assert_close(found, expected, tolerance=1e-10):
    """Relative to the largest entry."""
    expected = np.asarray(expected)
    assert np.shape(found) == expected.shape
    assert np.abs(found - expected).max() <= tolerance * max(np.abs(expected).max(), 1e-300)


@pytest.fixture(scope="module")
def formulas():
    return load_case("formulas")


@methods
def test_stored_formulas(formulas, method):
    C, W, s, mu = (formulas[key] for key in ("C", "W", "s", "mu"))
    problem = make_problem(C, formulas["lam"], equal=METHODS[method])
    inverse = invert_domain_matrix(W, s)
    variances = residual_variances(problem, W)
    scale = closed_form_scale(problem, variances)
    assert_close(acyclicity(inverse, s), formulas["h"])
    assert_close(acyclicity_gradient(inverse, W), formulas["grad_h"])
    assert_close(scale, np.broadcast_to(formulas[f"sigma_{method}"], 5))
    assert_close(score(variances, scale), formulas[f"score_{method}"])
    assert_close(score_gradient(problem, W, scale), formulas[f"grad_score_{method}"])
    assert_close(objective(problem, W, mu, s), formulas[f"F_{method}"])


@methods
def test_stored_formulas_of_the_oracle(formulas, method):
    C, W, s, mu = (formulas[key] for key in ("C", "W", "s", "mu"))
    equal, penalties = METHODS[method], np.full(C.shape, formulas["lam"])
    scale = oracle.noise_scale(C, W, equal)
    assert_close(oracle.acyclicity(W, s), formulas["h"])
    assert_close(oracle.acyclicity_gradient(W, s), formulas["grad_h"])
    assert_close(scale, np.broadcast_to(formulas[f"sigma_{method}"], 5))
    assert_close(oracle.score(C, W, scale, equal), formulas[f"score_{method}"])
    assert_close(oracle.score_gradient(C, W, scale), formulas[f"grad_score_{method}"])
    assert_close(oracle.objective(C, W, penalties, mu, s, equal), formulas[f"F_{method}"])


def test_weights_outside_the_domain_are_refused(formulas):
    """The stored ones have a determinant of the right sign."""
    W = formulas["W_outside"]
    assert not oracle.is_inside(W, 0.9)
    assert invert_domain_matrix(W, 0.9) is None
    assert invert_domain_matrix(W, 0.9, tolerance=1e-6) is None
    problem = make_problem(np.eye(3), 0.05, equal=True)
    assert objective(problem, W, 1.0, 0.9) == np.inf


@given(data=st.data(), equal=st.booleans(), s=st.sampled_from([0.7, 0.9, 1.0, 1.3]))
def test_every_part_is_that_of_the_oracle(data, equal, s):
    C = data.draw(covariances())
    W = data.draw(weights_for(C, s))
    problem = make_problem(C, 0.05, equal=equal)
    largest = np.abs(C).max() * (1 + np.abs(W).sum(axis=0).max()) ** 2
    variances = residual_variances(problem, W)
    np.testing.assert_allclose(variances, oracle.residual_variances(C, W), atol=1e-12 * largest)
    scale = closed_form_scale(problem, variances)
    expected = oracle.score_gradient(C, W, scale)
    found = score_gradient(problem, W, scale)
    np.testing.assert_allclose(found, expected, atol=1e-12 * largest / scale.min())
    expected = oracle.score(C, W, scale, equal)
    assert score(variances, scale) == pytest.approx(expected, abs=1e-11 * largest / scale.min())
    inverse = invert_domain_matrix(W, s)
    tolerance = 1e-10 * (1 + np.abs(W).max()) * inverse.inverse.max()
    expected = oracle.acyclicity_gradient(W, s)
    np.testing.assert_allclose(acyclicity_gradient(inverse, W), expected, atol=tolerance)
    assert acyclicity(inverse, s) == pytest.approx(oracle.acyclicity(W, s), abs=1e-9)


@given(data=st.data(), equal=st.booleans(), mu=st.sampled_from([1.0, 0.1, 0.001]))
def test_gradients_are_those_of_finite_differences(data, equal, mu):
    """Of the profiled score: where sigma is the best one, its own change does not count."""
    C = data.draw(covariances(max_nodes=5, max_spread=2.0))
    W = data.draw(weights_for(C, 0.8))
    problem = make_problem(C, 0.0, equal=equal)

    def smooth(weights):
        return objective(problem, weights, mu, 1.0)

    scale = closed_form_scale(problem, residual_variances(problem, W))
    inverse = invert_domain_matrix(W, 1.0)
    found = mu * score_gradient(problem, W, scale) + acyclicity_gradient(inverse, W)
    np.fill_diagonal(found, 0)
    expected = oracle.numerical_gradient(smooth, W)
    # Beside the floor the curvature grows as 1 / sigma.
    tolerance = 1e-6 * (1 + mu * np.abs(C).max() / scale.min())
    np.testing.assert_allclose(found, expected, atol=tolerance * (1 + np.abs(W).max()))


@given(data=st.data(), equal=st.booleans(), factor=st.floats(0.2, 5))
def test_scales_minimise_the_score_above_the_floor(data, equal, factor):
    C = data.draw(covariances())
    W = data.draw(weights_for(C, 0.9))
    problem = make_problem(C, 0.05, equal=equal)
    variances = residual_variances(problem, W)
    scale = closed_form_scale(problem, variances)
    assert scale.shape == (len(C),)
    assert scale.min() >= problem.floor > 0
    if equal:
        assert np.ptp(scale) == 0
    other = np.maximum(scale * factor, problem.floor)
    assert score(variances, scale) <= score(variances, other) * (1 + 1e-12)
    for j in range(0 if equal else len(C)):
        other = scale.copy()
        other[j] = max(scale[j] * factor, problem.floor)
        assert score(variances, scale) <= score(variances, other) * (1 + 1e-12)
    above = np.sqrt(np.maximum(variances, 0)) if not equal else np.sqrt([variances.mean()])
    if above.min() > problem.floor:
        np.testing.assert_allclose(scale, np.broadcast_to(above, scale.shape))


@methods
def test_a_column_that_others_explain_has_the_scale_of_the_floor(method):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 3))
    X[:, 2] = 2 * X[:, 0] - X[:, 1]
    problem = make_problem(np.cov(X.T, bias=True), 0.05, equal=METHODS[method])
    W = np.zeros((3, 3))
    W[:2, 2] = 2, -1
    scale = closed_form_scale(problem, residual_variances(problem, W))
    gradient = score_gradient(problem, W, scale)
    assert np.isfinite(gradient).all()
    if method == "nv":
        assert scale[2] == problem.floor
        assert problem.floor == pytest.approx(0.01 * X.std(axis=0).min())


@pytest.mark.parametrize(
    ("variances", "floor"),
    [
        ([4.0, 9.0], 0.02),
        ([0.0, 4.0, 9.0], 0.02),
        ([0.0, 0.0], 1e-10),
        ([1e-20, 1e4], 1e-8),
        ([1e-20, 1e-30], 1e-17),
        ([1e20], 1e8),
    ],
)
def test_floor(variances, floor):
    assert noise_floor(np.diag(variances)) == pytest.approx(floor)
    assert oracle.noise_floor(np.diag(variances)) == pytest.approx(floor)


@given(
    data=st.data(),
    s=st.floats(0.5, 2),
    share=st.one_of(st.floats(0.01, 0.999), st.floats(1.001, 30)),
)
def test_domain_is_where_the_spectral_radius_is_below_s(data, s, share):
    C = data.draw(covariances(min_nodes=2, max_nodes=8))
    W = data.draw(weights_for(C, s))
    W *= np.sqrt(share)
    inside = oracle.is_inside(W, s)
    for tolerance in (None, 1e-6):
        assert (invert_domain_matrix(W, s, tolerance=tolerance) is not None) == inside
    problem = make_problem(C, 0.05, equal=True)
    assert np.isfinite(objective(problem, W, 1.0, s)) == inside


@given(data=st.data(), s=st.floats(0.5, 2))
def test_acyclicity_is_zero_exactly_on_dags(data, s):
    C = data.draw(covariances(min_nodes=2, max_nodes=8))
    W = data.draw(weights_for(C, s))
    value = acyclicity(invert_domain_matrix(W, s), s)
    trace = np.trace(np.linalg.matrix_power(np.eye(len(W)) + W * W, len(W))) - len(W)
    if trace == 0:
        assert abs(value) <= 1e-12
        assert not acyclicity_gradient(invert_domain_matrix(W, s), W)[W == 0].any()
    else:
        # h = sum_k tr((W o W / s)^k) / k
        assert value >= -1e-12
        assert value >= np.trace((W * W / s) @ (W * W / s)) / 2 * (1 - 1e-9) - 1e-12


def test_penalties_of_knowledge():
    forbidden, required = mask(4, [(0, 1), (3, 2)]), mask(4, [(1, 0)])
    problem = make_problem(np.eye(4), 0.25, equal=True, forbidden=forbidden, required=required)
    expected = np.full((4, 4), 0.25)
    expected[[0, 1, 2, 3, 0, 3], [0, 1, 2, 3, 1, 2]] = np.inf
    expected[1, 0] = 0
    np.testing.assert_array_equal(problem.penalties, expected)
    W = np.array([[0, 0, 2.0, 0], [5, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 0]])
    assert l1_norm(problem, W) == 0.25 * 3
    assert l1_norm(problem, np.zeros((4, 4))) == 0


@methods
def test_inputs_are_neither_changed_nor_narrowed(method):
    C = random_covariance(6, 40, 3.0, 0)
    W = 0.3 * np.triu(np.ones((6, 6)), k=1)
    kept_C, kept_W = C.copy(), W.copy()
    for array in (C, W):
        array.flags.writeable = False
    problem = make_problem(C, 0.05, equal=METHODS[method])
    variances = residual_variances(problem, W)
    scale = closed_form_scale(problem, variances)
    kept_variances = variances.copy()
    score(variances, scale)
    score_gradient(problem, W, scale)
    inverse = invert_domain_matrix(W, 1.0)
    acyclicity_gradient(inverse, W)
    expected = objective(problem, W, 0.1, 1.0)
    np.testing.assert_array_equal(C, kept_C)
    np.testing.assert_array_equal(W, kept_W)
    np.testing.assert_array_equal(variances, kept_variances)
    for other in (C.astype(np.float32).astype(np.float64), np.asfortranarray(C)):
        problem = make_problem(other, 0.05, equal=METHODS[method])
        assert problem.covariance.flags.c_contiguous
        assert objective(problem, W, 0.1, 1.0) == pytest.approx(expected, rel=1e-5)
    assert make_problem(C.astype(np.float32), 0.05, equal=True).covariance.dtype == np.float64


@methods
def test_memory_order_does_not_matter(method):
    C, W = random_covariance(5, 50, 2.0, 0), random_weights(5, 1.0, 0.5, 0)
    problem = make_problem(C, 0.1, equal=METHODS[method])
    expected = objective(problem, W, 0.1, 0.9)
    wide = np.zeros((10, 10))
    wide[::2, ::2] = W
    for same in (np.asfortranarray(W), wide[::2, ::2]):
        assert objective(problem, same, 0.1, 0.9) == pytest.approx(expected, rel=1e-12)
