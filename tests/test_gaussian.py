"""Local Gaussian scores: residual variances from a covariance, against the pseudo-inverse."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from sparsekit.causal._gaussian import least_squares, toggled_variances


def covariance_of(seed, d, kinds):
    """Covariance of random columns; a kind makes one constant, a copy or a sum of the first two."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(40, d)) @ rng.normal(size=(d, d)) * rng.uniform(0.1, 10, d)
    for column, kind in enumerate(kinds, start=2):
        if kind != "free" and column < d:
            X[:, column] = {"constant": 0.0, "copy": X[:, 0], "sum": X[:, 0] - 2 * X[:, 1]}[kind]
    X -= X.mean(axis=0)
    return X.T @ X / len(X)


def residual_variance(covariance, target, parents):
    """Residual variance by the pseudo-inverse of correlations."""
    parents = [parent for parent in parents if covariance[parent, parent] > 0]
    scale = np.sqrt(covariance.diagonal()[parents])
    block = covariance[np.ix_(parents, parents)] / scale / scale[:, None]
    cross = covariance[parents, target] / scale
    return covariance[target, target] - cross @ np.linalg.pinv(block, rcond=1e-11) @ cross


columns = st.lists(st.sampled_from(["free", "constant", "copy", "sum"]), min_size=2, max_size=4)


@given(st.integers(0, 2**32 - 1), st.integers(1, 7), columns, st.data())
def test_toggled_variances(seed, d, kinds, data):
    covariance = covariance_of(seed, d, kinds)
    target = data.draw(st.integers(0, d - 1))
    is_parent = np.array([data.draw(st.booleans()) for _ in range(d)])
    is_parent[target] = False
    toggled = np.empty(d)
    own = toggled_variances(covariance, target, is_parent, np.empty((d, d)), toggled)
    tolerance = 1e-9 * covariance[target, target]
    parents = set(np.flatnonzero(is_parent).tolist())
    expected = residual_variance(covariance, target, sorted(parents))
    assert own == pytest.approx(expected, rel=0, abs=tolerance)
    for other in set(range(d)) - {target}:
        expected = residual_variance(covariance, target, sorted(parents ^ {other}))
        assert toggled[other] == pytest.approx(expected, rel=0, abs=tolerance)


@given(st.integers(0, 2**32 - 1), st.integers(1, 7), columns)
def test_least_squares(seed, d, kinds):
    covariance = covariance_of(seed, d, kinds)
    covariance.flags.writeable = False
    rng = np.random.default_rng(seed)
    is_edge = np.triu(rng.random((d, d)) < 0.6, k=1)
    coefficients, variances = least_squares(covariance, is_edge)
    assert not coefficients[~is_edge].any()
    paths = np.eye(d) - coefficients
    scale = covariance.diagonal()
    # The residuals are uncorrelated with all parents, those without a coefficient included.
    normal = np.abs(covariance @ paths)[is_edge] / np.sqrt(np.outer(scale, scale) + 1e-30)[is_edge]
    assert normal.max(initial=0) < 1e-9
    np.testing.assert_allclose(
        variances, np.einsum("ij,ij->j", paths, covariance @ paths), atol=1e-9 * scale.max()
    )


def test_coefficients_of_copies():
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(2, 100))
    X = np.column_stack([x, x, 3 * x + z])
    is_edge = np.zeros((3, 3), dtype=bool)
    is_edge[[0, 1], 2] = True
    coefficients, variances = least_squares(np.cov(X.T, bias=True), is_edge)
    assert coefficients[0, 2] == pytest.approx(3 + np.cov(x, z)[0, 1] / x.var(ddof=1))
    assert coefficients[1, 2] == 0
    assert variances[2] == pytest.approx(np.polyfit(x, z, 1, full=True)[1][0] / 100)


@pytest.mark.parametrize("factor", [1e-100, 1e100])
def test_units_do_not_matter(factor):
    covariance = covariance_of(0, 5, ["free"])
    units = np.array([factor, 1.0, 1.0, 1 / factor, 1.0])
    is_edge = np.triu(np.ones((5, 5), dtype=bool), k=1)
    coefficients, variances = least_squares(covariance, is_edge)
    scaled = least_squares(covariance * units * units[:, None], is_edge)
    np.testing.assert_allclose(scaled.coefficients, coefficients / units[:, None] * units)
    np.testing.assert_allclose(scaled.variances, variances * units**2)
