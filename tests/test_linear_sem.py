"""Data of linear structural equation models: generated ones, and the real ones of Sachs et al."""

import sys
from importlib.resources import files

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from sparsekit.core.dag import topological_order
from sparsekit.datasets import load_sachs, make_linear_sem

GRAPHS = ["er", "sf"]


@pytest.fixture(scope="module", params=GRAPHS)
def large(request):
    """Many samples of each kind of graph, with unequal noise."""
    options = {"degree": 2, "noise": "unequal", "return_noise": True}
    return make_linear_sem(200_000, 12, graph=request.param, **options, random_state=0)


class TestMakeLinearSEM:
    def test_residuals_are_the_noise(self, large):
        """The equations of the model: x - W' x is noise, independent of all that is not below."""
        X, adjacency, noise_scale = large
        noise = X - X @ adjacency
        covariance = np.cov(noise.T)
        np.testing.assert_allclose(np.sqrt(np.diag(covariance)), noise_scale, rtol=0.01)
        correlation = covariance / np.outer(noise_scale, noise_scale)
        np.testing.assert_allclose(correlation, np.eye(12), atol=0.01)
        np.testing.assert_allclose(noise.mean(axis=0), 0, atol=0.02)

    def test_covariance_is_that_of_the_model(self, large):
        X, adjacency, noise_scale = large
        total = np.linalg.inv(np.eye(12) - adjacency.toarray())
        expected = total.T @ np.diag(noise_scale**2) @ total
        scale = np.sqrt(np.diag(expected))
        error = (np.cov(X.T) - expected) / np.outer(scale, scale)
        np.testing.assert_allclose(error, 0, atol=0.02)

    @given(st.integers(0, 2**32 - 1), st.sampled_from(GRAPHS), st.integers(1, 30))
    def test_graph(self, seed, graph, n_nodes):
        X, adjacency = make_linear_sem(2, n_nodes, graph=graph, degree=3, random_state=seed)
        assert X.shape == (2, n_nodes)
        assert np.isfinite(X).all()
        assert isinstance(adjacency, sp.csr_array)
        assert adjacency.dtype == np.float64
        assert adjacency.has_canonical_format
        assert sorted(topological_order(adjacency)) == list(range(n_nodes))

    def test_number_of_edges(self):
        counts = [make_linear_sem(1, 50, random_state=seed)[1].nnz for seed in range(40)]
        deviation = np.sqrt(200 * (1 - 8 / 49) / 40)
        assert abs(np.mean(counts) - 200) < 4 * deviation
        assert len(set(counts)) > 10

    def test_edges_of_scale_free_graphs(self):
        _, adjacency = make_linear_sem(1, 400, graph="sf", degree=3, random_state=0)
        assert adjacency.nnz == 1 + 2 + 3 * 397
        parents = np.bincount(adjacency.indices, minlength=400)
        assert sorted(parents) == [0, 1, 2] + [3] * 397
        # Hubs: a random graph of this size has no node with so many children.
        _, random = make_linear_sem(1, 400, degree=3, random_state=0)
        assert np.diff(adjacency.indptr).max() > 2 * np.diff(random.indptr).max()

    def test_degree_is_capped(self):
        _, adjacency = make_linear_sem(1, 6, degree=100, random_state=0)
        assert adjacency.nnz == 15

    @pytest.mark.parametrize("graph", GRAPHS)
    def test_no_edges(self, graph):
        X, adjacency = make_linear_sem(5, 6, graph=graph, degree=0, random_state=0)
        assert adjacency.nnz == 0
        assert X.shape == (5, 6)

    def test_nodes_are_numbered_at_random(self):
        graphs = [make_linear_sem(1, 20, random_state=seed)[1] for seed in range(40)]
        share = sum(sp.triu(graph).nnz for graph in graphs) / sum(graph.nnz for graph in graphs)
        assert share == pytest.approx(0.5, abs=0.1)

    def test_weights(self):
        _, adjacency = make_linear_sem(1, 200, weight_range=(0.25, 1.0), random_state=0)
        sizes = np.abs(adjacency.data)
        assert 0.25 <= sizes.min() < 0.26
        assert 0.99 < sizes.max() <= 1
        assert sizes.mean() == pytest.approx(0.625, abs=0.03)
        assert np.mean(adjacency.data > 0) == pytest.approx(0.5, abs=0.06)

    def test_noise_scales(self):
        *_, equal = make_linear_sem(1, 500, return_noise=True, random_state=0)
        np.testing.assert_array_equal(equal, 1)
        *_, unequal = make_linear_sem(1, 500, noise="unequal", return_noise=True, random_state=0)
        assert 0.5 <= (unequal**2).min() < 0.7
        assert 9.8 < (unequal**2).max() <= 10
        assert (unequal**2).mean() == pytest.approx(5.25, abs=0.5)

    def test_seeds(self):
        X, adjacency = make_linear_sem(5, 8, random_state=3)
        again, same = make_linear_sem(5, 8, random_state=np.random.RandomState(3))
        np.testing.assert_array_equal(X, again)
        assert (adjacency != same).nnz == 0
        assert not np.array_equal(X, make_linear_sem(5, 8, random_state=4)[0])

    @pytest.mark.parametrize(
        ("options", "first_row", "edges"),
        [
            (
                {"noise": "unequal"},
                [-0.89730823, -6.37701679, 0.74960821, -2.50136764],
                [(0, 1), (0, 3), (2, 3), (3, 1)],
            ),
            (
                {"graph": "sf"},
                [4.27372868, 1.26611853, -2.17376585, 0.07692836],
                [(1, 2), (2, 0), (2, 3)],
            ),
        ],
    )
    def test_a_seed_means_the_same_in_every_release(self, options, first_row, edges):
        """Published results name seeds."""
        X, adjacency = make_linear_sem(2, 4, degree=1, **options, random_state=0)
        np.testing.assert_allclose(X[0], first_row, rtol=1e-7)
        assert list(zip(*adjacency.nonzero(), strict=True)) == edges

    @pytest.mark.parametrize(
        ("parameters", "error", "message"),
        [
            ({"n_samples": 0}, ValueError, "n_samples == 0, must be >= 1"),
            ({"n_nodes": 2.5}, TypeError, "n_nodes must be an instance of int"),
            ({"graph": "ws"}, ValueError, r"graph to be one of \('er', 'sf'\), got 'ws'"),
            ({"noise": None}, ValueError, "noise to be one of"),
            ({"degree": -1}, ValueError, "degree == -1, must be >= 0"),
            ({"degree": "4"}, TypeError, "degree"),
            ({"degree": np.nan}, ValueError, "degree to be a finite number, got nan"),
            ({"degree": np.inf, "graph": "sf"}, ValueError, "degree to be a finite number"),
            ({"weight_range": 2}, ValueError, "weight_range to be two numbers, got 2"),
            ({"weight_range": (1, 2, 3)}, ValueError, "weight_range to be two numbers"),
            ({"weight_range": (np.nan, 1)}, ValueError, "weight_range to increase"),
            ({"weight_range": (2, 1)}, ValueError, "weight_range to increase"),
            ({"weight_range": (1, np.inf)}, ValueError, "weight_range to.* be finite"),
            ({"weight_range": (0, 1)}, ValueError, r"from a number above 0.*got \(0, 1\)"),
            ({"random_state": "seed"}, ValueError, "seed"),
        ],
    )
    def test_bad_parameters(self, parameters, error, message):
        with pytest.raises(error, match=message):
            make_linear_sem(**parameters)


class TestSachs:
    def test_data(self):
        sachs = load_sachs()
        assert sachs.data.shape == (853, 11)
        assert sachs.data.dtype == np.float64
        assert sachs.data.min() > 0
        # The first and the last cell, as in the published table.
        np.testing.assert_array_equal(sachs.data[0, :4], [26.4, 13.2, 8.82, 18.3])
        np.testing.assert_array_equal(sachs.data[-1, -4:], [478, 20.9, 36.8, 9.65])
        assert sachs.feature_names[:3] == ["Raf", "Mek", "Plcg"]

    @pytest.mark.parametrize(("truth", "n_edges"), [("consensus", 17), ("cmu", 20)])
    def test_graphs(self, truth, n_edges):
        sachs = load_sachs(truth=truth)
        assert sachs.truth == truth
        assert sachs.graph.n_edges == n_edges
        assert sachs.graph.node_names.tolist() == sachs.feature_names
        assert (sachs.adjacency != sachs.graph.adjacency).nnz == 0
        network = sachs.graph.to_networkx()
        assert nx.is_directed_acyclic_graph(network)
        assert {("Raf", "Mek"), ("Mek", "Erk"), ("PKA", "Akt"), ("PKC", "PKA")} <= set(
            network.edges
        )
        assert f'{n_edges} edges, truth="{truth}"' in sachs.DESCR

    def test_what_the_graphs_share(self):
        consensus, cmu = (
            set(load_sachs(truth=truth).graph.to_networkx().edges) for truth in ("consensus", "cmu")
        )
        assert f"share {len(consensus & cmu)} edges" in load_sachs().DESCR
        assert consensus - cmu == {("Plcg", "PIP3")}

    def test_return_X_y(self):
        sachs = load_sachs()
        data, adjacency = load_sachs(return_X_y=True)
        np.testing.assert_array_equal(data, sachs.data)
        assert (adjacency != sachs.adjacency).nnz == 0

    def test_as_frame(self):
        sachs = load_sachs(as_frame=True)
        assert isinstance(sachs.data, pd.DataFrame)
        assert list(sachs.data.columns) == sachs.feature_names
        np.testing.assert_array_equal(sachs.data, load_sachs().data)
        frame, _ = load_sachs(return_X_y=True, as_frame=True)
        assert isinstance(frame, pd.DataFrame)

    def test_data_of_one_call_do_not_reach_the_next(self):
        load_sachs().data[:] = 0
        assert load_sachs().data.min() > 0

    def test_unknown_truth(self):
        with pytest.raises(ValueError, match=r"one of \('consensus', 'cmu'\), got 'sachs'"):
            load_sachs(truth="sachs")

    def test_missing_pandas(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "pandas", None)
        assert load_sachs().data.shape == (853, 11)
        with pytest.raises(ImportError, match=r"pip install 'sparsekit\[dataframe\]'"):
            load_sachs(as_frame=True)

    def test_licences_travel_with_the_data(self):
        folder = files("sparsekit.datasets") / "data" / "sachs"
        assert "CC0 1.0 Universal" in (folder / "LICENSE.CC0").read_text()
        assert (
            "Authors of Gradient-Based Neural DAG Learning" in (folder / "LICENSE.MIT").read_text()
        )
        assert "CC0 1.0" in load_sachs().DESCR
        assert "MIT" in load_sachs().DESCR
