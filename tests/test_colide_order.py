"""CoLiDE refined by a search over orders."""

import warnings
from functools import partial

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from test_colide import DATA, TRUTH, Recorder, everything

from sparsekit.causal import CoLiDE, colide_path, stability_selection
from sparsekit.causal._gaussian import least_squares
from sparsekit.causal.order._align import align
from sparsekit.causal.order._search import order_search
from sparsekit.core.dag import topological_order

pytestmark = pytest.mark.filterwarnings("ignore:the order may reflect scale:UserWarning")

both_noises = pytest.mark.parametrize("noise", ["equal", "unequal"])


def refined(**settings):
    return CoLiDE(refine="order", n_restarts=0, **settings)


@both_noises
def test_attributes(noise):
    """The order of the plain graph is where the search starts; all else of CoLiDE's stays."""
    plain = CoLiDE(noise=noise, alpha=1.0, n_restarts=0).fit(DATA)
    model = refined(noise=noise, alpha=1.0).fit(DATA)
    np.testing.assert_array_equal(model.weights_, plain.weights_)
    assert (model.objective_, model.n_iter_) == (plain.objective_, plain.n_iter_)
    order = topological_order(plain.adjacency_)
    found = order_search(model.covariance_, 500, order[None])
    dense = model.adjacency_.toarray()
    aligned = align(found.is_edge, order)
    np.testing.assert_array_equal(dense != 0, aligned)
    assert (found.is_edge != (plain.adjacency_ != 0).toarray()).any()
    coefficients, variances = least_squares(model.covariance_, aligned)
    np.testing.assert_allclose(dense, coefficients)
    np.testing.assert_allclose(model.residual_scale_, np.sqrt(variances))
    expected = [np.sqrt(variances.mean())] * 6 if noise == "equal" else np.sqrt(variances)
    np.testing.assert_allclose(model.noise_scale_, expected)
    np.testing.assert_array_equal(model.causal_order_, topological_order(model.adjacency_))


@pytest.mark.parametrize(("scale", "edge"), [(3.0, (0, 1)), (0.3, (1, 0))])
def test_directions_that_the_data_can_not_tell_stay(scale, edge):
    """CoLiDE reads them off the scale, and no perturbation turns them."""
    cause, noise = np.random.default_rng(0).normal(size=(2, 500))
    X = np.column_stack([cause, scale * (cause + noise)])
    plain, model = CoLiDE(n_restarts=0).fit(X), refined().fit(X)
    for found in (plain, model):
        assert list(zip(*found.adjacency_.nonzero(), strict=True)) == [edge]


def test_no_convergence(monkeypatch):
    short = partial(order_search, max_passes=1, n_perturbations=0)
    monkeypatch.setattr("sparsekit.causal.colide._estimator.order_search", short)
    X = DATA[:, ::-1]  # in the order of its columns, effects come first
    with pytest.warns(ConvergenceWarning, match="no local optimum in its passes") as caught:
        model = refined(alpha=50.0).fit(X)
    assert [warning.filename for warning in caught] == [__file__]
    assert model.converged_ is False
    before = everything(model)
    with warnings.catch_warnings(action="error"):
        with pytest.raises(ConvergenceWarning):
            model.fit(X)
        assert all(everything(model)[name] is value for name, value in before.items())
        stopped = refined(alpha=50.0).set_callbacks(Recorder(stop_after=1)).fit(X)
    assert stopped.converged_ is False


def test_collinear_columns_are_named():
    X = np.column_stack([DATA, DATA[:, 2]])
    model = refined()
    for fit in (model.fit, model.partial_fit):
        with pytest.warns(UserWarning, match=r"^collinear columns.*: 2, 6\. Leave") as caught:
            fit(X)
        assert [warning.filename for warning in caught] == [__file__]


@pytest.mark.filterwarnings("default:the order may reflect scale:UserWarning")
def test_no_warning_of_scale():
    with pytest.warns(UserWarning, match="the order may reflect scale"):
        CoLiDE(n_restarts=0).fit(DATA)
    with warnings.catch_warnings(action="error"):
        model = refined().fit(DATA)
    assert model.varsortability_ > 0.9
    before = everything(model)
    with pytest.raises(ValueError, match="NaN"):
        model.fit(DATA * np.nan)
    assert all(everything(model)[name] is value for name, value in before.items())


def test_paths_and_half_samples():
    settings = {"refine": "order", "n_restarts": 0}
    path = colide_path(DATA, alphas=[0.05, 2.0], **settings)
    expected = CoLiDE(0.05, **settings).fit(DATA)
    np.testing.assert_array_equal(path.adjacencies[1].toarray(), expected.adjacency_.toarray())
    assert path.ebic[path.best] <= path.ebic.max()
    selection = stability_selection(DATA, alphas=[0.05], n_pairs=2, random_state=0, **settings)
    found = selection.frequencies[0] + selection.frequencies[0].T
    assert found[TRUTH.nonzero()].mean() > 0.8
