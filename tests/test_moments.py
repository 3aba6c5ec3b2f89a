"""Number of samples, mean and covariance, in parts."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from sparsekit.causal._moments import add_samples

X = np.random.default_rng(0).normal(size=(200, 4)) @ np.triu(np.ones((4, 4)))
X.flags.writeable = False


@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=6),
    st.sampled_from([0.0, -3.0, 1e9]),
    st.sampled_from([np.float64, np.float32]),
)
def test_parts(sizes, offset, dtype):
    data = (np.random.default_rng(sum(sizes)).normal(size=(sum(sizes), 3)) + offset).astype(dtype)
    moments = None
    for part in np.split(data, np.cumsum(sizes)[:-1]):
        moments = add_samples(moments, part)
    exact = data.astype(np.longdouble)
    centred = exact - exact.mean(axis=0)
    assert moments.n_samples == len(data)
    np.testing.assert_allclose(moments.mean, exact.mean(axis=0).astype(float), 1e-15, 1e-15)
    expected = (centred.T @ centred / len(data)).astype(float)
    rounding = 1e-13 + 1e-15 * abs(offset)  # of the data themselves
    np.testing.assert_allclose(moments.covariance, expected, atol=rounding)


def test_blocks(monkeypatch):
    monkeypatch.setattr("sparsekit.causal._moments._BLOCK_SIZE", 30)
    moments = add_samples(None, X)
    np.testing.assert_allclose(moments.covariance, np.cov(X.T, bias=True), rtol=1e-13)
    assert np.array_equal(moments.covariance, moments.covariance.T)


@pytest.mark.parametrize("value", [0.1, 1e16 / 3, -1e-300])
def test_constant_columns_have_no_variance_at_all(value):
    data = np.column_stack([np.full(7, value), np.arange(7.0) + 1e9])
    moments = add_samples(add_samples(None, data), data[:3])
    assert not moments.covariance[0].any()
    assert not moments.covariance[:, 0].any()
    assert moments.mean[0] == value


@pytest.mark.parametrize(
    ("factor", "what"), [(1e154, "overflow"), (1e308, "overflow"), (1e-160, "underflow")]
)
def test_extreme_values(factor, what):
    with pytest.raises(ValueError, match=f"squares.*they {what}: multiply all columns"):
        add_samples(None, np.array([[1.0], [-1.0], [0.5]]) * factor)
