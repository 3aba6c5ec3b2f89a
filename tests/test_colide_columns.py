"""The elastic nets of CoLiDE's Newton steps against plain coordinate descent."""

import hypothesis.strategies as st
import naive_colide as oracle
import numpy as np
import pytest
from colide_helpers import covariances, random_covariance, random_weights
from hypothesis import given

from sparsekit.causal.colide._columns import (
    _DROPS,
    ColumnModels,
    ColumnSolver,
    _minimise_over_support,
)


def models_of(C, V, *, a, ridge, l1, tau):
    """Models at weights V, by target; `ridge` multiplies squares without the factor 1/2."""
    return ColumnModels(C, V, C - V @ C, 2 * ridge, l1, a, tau)


def solve_columns(C, V, solver=None, **model):
    """New weights by target, and that what comes with them are their residuals."""
    solver = ColumnSolver(V) if solver is None else solver
    new, residuals = solver.solve(models_of(C, V, **model))
    np.testing.assert_allclose(residuals, C - new @ C, atol=1e-9 * np.abs(C).max())
    return new


def model_value(C, j, w, w0, *, a, ridge, tau, l1):
    free = np.isfinite(l1)
    quadratic = a / 2 * (w @ C @ w - 2 * C[j] @ w) + ridge @ w**2 + tau / 2 * (w - w0) @ (w - w0)
    return quadratic + np.abs(w[free]) @ l1[free]


def draw_model(d, V, alpha, largest_ridge, tau, seed):
    """Settings of all columns, some weights forbidden where they are zero, some not penalised."""
    rng = np.random.default_rng(seed)
    l1 = np.full((d, d), alpha)
    l1[rng.random((d, d)) < 0.1] = 0
    l1[(rng.random((d, d)) < 0.2) & (V == 0)] = np.inf
    np.fill_diagonal(l1, np.inf)
    ridge = largest_ridge * rng.exponential(size=(d, d))
    return {"a": rng.uniform(0.2, 3, d), "ridge": ridge, "l1": l1, "tau": tau}


def column(model, j):
    return {"a": model["a"][j], "ridge": model["ridge"][j], "l1": model["l1"][j]}


@given(
    C=covariances(min_nodes=2, max_spread=3.0),
    alpha=st.sampled_from([0.01, 0.1, 1.0]),
    largest_ridge=st.sampled_from([0.0, 0.01, 1.0]),
    tau=st.sampled_from([0.0, 0.1]),
    seed=st.integers(0, 2**32 - 1),
)
def test_elastic_nets(C, alpha, largest_ridge, tau, seed):
    d = len(C)
    C = C + 0.01 * np.diag(C.diagonal())
    V = random_weights(d, 0.5, 0.5, seed)
    model = draw_model(d, V, alpha, largest_ridge, tau, seed)
    solver = ColumnSolver(V)
    found = solve_columns(C, V, solver, **model)
    assert not found[np.isinf(model["l1"])].any()
    again = found
    for _ in range(0 if tau else 30):
        again = solve_columns(C, again, solver, **model)
    for j in range(d):
        settings = {**column(model, j), "tau": tau}
        expected = oracle.elastic_net_column(C, j, V[j], **settings)
        start, reached, least = (
            model_value(C, j, w, V[j], **settings) for w in (V[j], found[j], expected)
        )
        # A few rounds suffice nearly always, and many do.
        assert reached - least <= 0.05 * (start - least) + 1e-9 * (1 + abs(least))
        if not tau:
            np.testing.assert_allclose(again[j], expected, atol=1e-6 * (1 + abs(expected).max()))


@given(C=covariances(min_nodes=2, max_spread=3.0), seed=st.integers(0, 2**32 - 1))
def test_singular_matrices(C, seed):
    """Copies, and fewer samples than variables: of several minimisers one is approached."""
    C = np.kron(C, np.ones((2, 2)))
    d = len(C)
    V = random_weights(d, 0.3, 0.5, seed)
    model = draw_model(d, V, 0.1, 0.0, 0.0, seed)
    model["l1"] = np.maximum(model["l1"], 0.01)
    solver, found = ColumnSolver(V), V
    before = [model_value(C, j, V[j], V[j], tau=0.0, **column(model, j)) for j in range(d)]
    for _ in range(100):
        found = solve_columns(C, found, solver, **model)
        after = [model_value(C, j, found[j], V[j], tau=0.0, **column(model, j)) for j in range(d)]
        scale = 1e-9 * (1 + np.abs(before))
        assert (np.array(after) <= before + scale).all()
        before = after
    for j in range(d):
        gradient = model["a"][j] * (C[j] - C @ found[j])
        outside = np.abs(gradient) - model["l1"][j]
        assert outside[np.isfinite(outside)].max(initial=-1) <= 1e-3 * (1 + np.abs(C).max())


def test_copies_that_should_join_do():
    """Both exceed the threshold at first, and their matrix is singular."""
    C = np.array([[1.0, 1.0, 0.8], [1.0, 1.0, 0.8], [0.8, 0.8, 1.0]])
    l1 = np.full((3, 3), np.inf)
    l1[2, :2] = 0.1
    model = {"a": np.ones(3), "ridge": np.zeros((3, 3)), "l1": l1, "tau": 0.0}
    solver, V = ColumnSolver(np.zeros((3, 3))), np.zeros((3, 3))
    for _ in range(3):
        V = solve_columns(C, V, solver, **model)
    assert V[2].sum() == pytest.approx(0.7, abs=1e-9)
    assert not V[:2].any()


def test_columns_that_can_not_be_solved_stay():
    """No covariance has such a block; what was known of the column's support is kept as well."""
    C = np.array([[1, 99, 0.8, 0], [99, 1, 0.8, 0], [0.8, 0.8, 1, 0.3], [0, 0, 0.3, 1]])
    l1 = np.full((4, 4), np.inf)
    l1[2, :2] = l1[3, 2] = 0.1
    V = np.zeros((4, 4))
    V[2, :2] = 0.2, -0.3
    model = {"a": np.ones(4), "ridge": np.zeros((4, 4)), "l1": l1, "tau": 0.0}
    solver, given = ColumnSolver(V), models_of(C, V, **model)
    new, residuals = solver.solve(given)
    np.testing.assert_array_equal(new[2], V[2])
    np.testing.assert_array_equal(residuals[2], given.residuals[2])
    assert new[3, 2] == pytest.approx(0.2)
    # The next models are solved from there.
    C = random_covariance(4, 50, 1.0, 0)
    expected = solve_columns(C, new, **model)
    assert not np.allclose(expected[2], V[2])
    np.testing.assert_allclose(solve_columns(C, new, solver, **model), expected, atol=1e-12)


def test_factors_after_more_drops_than_allowed():
    """Of the first members' least squares always just the last has the wrong sign."""
    n = _DROPS + 5
    y = -(2.0 ** np.arange(n))
    y[0] = 1
    U = np.eye(n)
    for c in range(1, n):
        for i in range(c):
            U[i, c] = (y[i] - U[i, i:c].sum()) / y[c]
    # From the front, so that every drop leaves nothing of the factor.
    H, target = (U.T @ U)[::-1, ::-1], (U.T @ y)[::-1]
    C = np.block([[H, target[:, None]], [target, np.ones((1, 1))]])
    members, sign = np.arange(n, dtype=np.uint32), np.ones(n)
    ridge, factor, (known, values, w0) = np.zeros(n), np.full((n, n), np.nan), np.zeros((3, n))
    left, n_valid = _minimise_over_support(
        n, C, members, n, 0, w0, ridge, np.full(n, 1e-9), 1.0, 0.0, sign, factor, known, values
    )
    assert left == n - _DROPS
    np.testing.assert_array_equal(members[:left], np.arange(_DROPS, n))
    found = np.triu(factor[:n_valid, :n_valid])
    pick = members[:n_valid]
    np.testing.assert_allclose(found.T @ found, H[np.ix_(pick, pick)], rtol=1e-9)


def test_solutions_stay_where_they_are():
    C = np.array([[1.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]])
    l1 = np.full((3, 3), 0.25)
    np.fill_diagonal(l1, np.inf)
    V = np.array([[0.0, 0.25, 0.0], [0.25, 0.0, 0.0], [0.0, 0.0, 0.0]])
    model = {"a": np.ones(3), "ridge": np.zeros((3, 3)), "l1": l1, "tau": 0.0}
    np.testing.assert_array_equal(solve_columns(C, V, **model), V)


@pytest.mark.parametrize("tau", [0.0, 0.1])
def test_what_a_solver_remembers_saves_work_only(tau):
    d = 12
    C = random_covariance(d, 200, 2.0, 0)
    V = random_weights(d, 0.5, 0.5, 1)
    solver = ColumnSolver(V)
    for step in range(6):
        # Models move, so that members join and leave.
        model = draw_model(d, V, 0.02 + 0.05 * (step % 3), 0.1, tau, step)
        model["l1"][V != 0] = np.minimum(model["l1"][V != 0], 1.0)
        expected = solve_columns(C, V, **model)
        V = solve_columns(C, V, solver, **model)
        for j in range(d):
            settings = {**column(model, j), "tau": tau}
            found, fresh = (model_value(C, j, w[j], V[j], **settings) for w in (V, expected))
            assert found <= fresh + 1e-3 * abs(fresh)
    assert np.count_nonzero(V) > d


def test_threads_share_the_columns():
    d = 30
    C = random_covariance(d, 100, 2.0, 0)
    V = random_weights(d, 0.2, 0.5, 1)
    model = draw_model(d, V, 0.05, 0.1, 0.0, 2)
    one, two = (solve_columns(C, V, ColumnSolver(V, n_jobs), **model) for n_jobs in (1, 2))
    np.testing.assert_array_equal(one, two)
