"""Datasets: shapes, conventions shared with scikit-learn, statistics of generated graphs."""

import sys
import time

import networkx as nx
import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from sparsekit.datasets import (
    load_digits_graph,
    load_karate_club,
    load_les_miserables,
    make_sbm_graph,
)


@pytest.fixture(scope="module")
def digits():
    return load_digits_graph()


def between_share(graph, labels):
    ends = graph.adjacency.tocoo()
    return float(np.mean(labels[ends.row] != labels[ends.col]))


class TestDigits:
    def test_shapes(self, digits):
        assert digits.data.shape == (1797, 1797)
        assert digits.features.shape == (1797, len(digits.feature_names))
        assert digits.target.shape == (1797,)
        assert digits.target.dtype == np.int64
        np.testing.assert_array_equal(np.unique(digits.target), digits.target_names)

    def test_union_of_both_directions(self, digits):
        index = NearestNeighbors(n_neighbors=10).fit(digits.features)
        neighbours = index.kneighbors(return_distance=False)
        expected = np.zeros(digits.data.shape)
        expected[np.arange(1797)[:, None], neighbours] = 1
        np.testing.assert_array_equal(digits.data.toarray(), np.maximum(expected, expected.T))

    def test_graph_is_simple(self, digits):
        assert not digits.graph.is_directed
        assert not digits.graph.is_weighted
        assert not digits.data.diagonal().any()
        assert digits.graph.n_edges == digits.data.nnz / 2

    def test_neighbours_share_the_digit(self, digits):
        assert between_share(digits.graph, digits.target) < 0.1

    def test_n_neighbors(self, digits):
        few = load_digits_graph(n_neighbors=3)
        assert few.graph.n_edges < digits.graph.n_edges
        assert few.data.sum(axis=1).min() >= 3
        assert "3 nearest" in few.DESCR

    @pytest.mark.parametrize("n_neighbors", [0, 1797])
    def test_n_neighbors_out_of_range(self, n_neighbors):
        with pytest.raises(ValueError, match="n_neighbors"):
            load_digits_graph(n_neighbors=n_neighbors)

    def test_n_neighbors_is_an_integer(self):
        with pytest.raises(TypeError, match="n_neighbors"):
            load_digits_graph(n_neighbors=2.5)

    def test_source_and_licence(self, digits):
        assert "CC BY 4.0" in digits.DESCR
        assert "Alpaydin" in digits.DESCR


class TestSmallGraphs:
    def test_karate_club(self):
        club = load_karate_club()
        network = nx.karate_club_graph()
        np.testing.assert_array_equal(club.data.toarray(), nx.to_numpy_array(network))
        clubs = [club for _, club in network.nodes(data="club")]
        assert club.target_names[club.target].tolist() == clubs
        assert "Zachary" in club.DESCR

    def test_les_miserables(self):
        novel = load_les_miserables()
        network = nx.les_miserables_graph()
        assert novel.node_names.tolist() == list(network)
        np.testing.assert_array_equal(novel.data.toarray(), nx.to_numpy_array(network))
        assert "Knuth" in novel.DESCR


@pytest.mark.parametrize("load", [load_digits_graph, load_karate_club])
class TestLoaderConventions:
    def test_return_X_y(self, load):
        bunch = load()
        adjacency, target = load(return_X_y=True)
        assert (adjacency != bunch.data).nnz == 0
        np.testing.assert_array_equal(target, bunch.target)

    def test_as_frame(self, load):
        pd = pytest.importorskip("pandas")
        bunch, framed = load(), load(as_frame=True)
        assert isinstance(framed.target, pd.Series)
        np.testing.assert_array_equal(framed.target, bunch.target)
        if "features" in bunch:
            assert list(framed.features.columns) == bunch.feature_names
            np.testing.assert_array_equal(framed.features, bunch.features)

    def test_as_frame_with_return_X_y(self, load):
        pytest.importorskip("pandas")
        _, target = load(return_X_y=True, as_frame=True)
        assert target.name in ("digit", "club")

    def test_missing_pandas(self, load, monkeypatch):
        monkeypatch.setitem(sys.modules, "pandas", None)
        with pytest.raises(ImportError, match=r"pip install 'sparsekit\[dataframe\]'"):
            load(as_frame=True)

    def test_data_is_the_graph(self, load):
        bunch = load()
        assert (bunch.data != bunch.graph.adjacency).nnz == 0


class TestSBM:
    def test_reproducible(self):
        first, first_labels = make_sbm_graph(200, random_state=3)
        again, again_labels = make_sbm_graph(200, random_state=3)
        other, _ = make_sbm_graph(200, random_state=4)
        assert first == again
        assert first != other
        np.testing.assert_array_equal(first_labels, again_labels)

    def test_simple_graph(self):
        graph, labels = make_sbm_graph(300, exponent=1.5, random_state=0)
        assert not graph.is_directed
        assert not graph.is_weighted
        assert not graph.adjacency.diagonal().any()
        assert labels.dtype == np.int64

    def test_blocks_are_balanced(self):
        _, labels = make_sbm_graph(103, n_blocks=5, random_state=0)
        assert sorted(np.bincount(labels)) == [20, 20, 21, 21, 21]

    @pytest.mark.parametrize("mixing", [0.0, 0.3, 1.0])
    def test_mixing(self, mixing):
        graph, labels = make_sbm_graph(5000, n_blocks=4, mixing=mixing, random_state=0)
        expected = mixing * (1 - 1 / 4)
        error = 4 * np.sqrt(max(expected * (1 - expected), 0) / graph.n_edges)
        assert between_share(graph, labels) == pytest.approx(expected, abs=max(error, 1e-3))

    @pytest.mark.parametrize("exponent", [None, 2.5])
    def test_mean_degree(self, exponent):
        graph, _ = make_sbm_graph(5000, mean_degree=12, exponent=exponent, random_state=0)
        mean = 2 * graph.n_edges / graph.n_nodes
        assert 11 < mean <= 12

    def test_exponent_makes_heavy_tails(self):
        flat, _ = make_sbm_graph(5000, random_state=0)
        heavy, _ = make_sbm_graph(5000, exponent=1.5, random_state=0)
        assert heavy.adjacency.sum(axis=1).max() > 5 * flat.adjacency.sum(axis=1).max()

    def test_equal_propensities_give_poisson_degrees(self):
        graph, _ = make_sbm_graph(20_000, n_blocks=4, random_state=0)
        degrees = graph.adjacency.sum(axis=1)
        assert degrees.var() == pytest.approx(degrees.mean(), rel=0.05)

    def test_propensities_are_capped(self):
        graph, _ = make_sbm_graph(400, exponent=1e-9, mean_degree=20, random_state=0)
        flat, _ = make_sbm_graph(400, mean_degree=20, random_state=0)
        # All propensities at the cap are equal propensities.
        assert graph.adjacency.sum(axis=1).max() < 2 * flat.adjacency.sum(axis=1).max()

    def test_smallest(self):
        graph, labels = make_sbm_graph(1, n_blocks=1, random_state=0)
        assert graph.n_edges == 0
        assert labels.tolist() == [0]

    def test_no_edges(self):
        graph, _ = make_sbm_graph(10, mean_degree=0, random_state=0)
        assert graph.n_edges == 0

    def test_one_node_a_block(self):
        graph, labels = make_sbm_graph(6, n_blocks=6, mixing=0, random_state=0)
        assert graph.n_edges == 0
        assert sorted(labels) == list(range(6))

    def test_fast_enough(self):
        started = time.process_time()
        graph, _ = make_sbm_graph(
            100_000, n_blocks=50, mean_degree=20, exponent=1.5, random_state=0
        )
        assert time.process_time() - started < 5
        assert graph.n_edges > 900_000

    @pytest.mark.parametrize(
        ("parameters", "error", "message"),
        [
            ({"n_nodes": 0}, ValueError, "n_nodes == 0, must be >= 1"),
            ({"n_nodes": 10.0}, TypeError, "n_nodes must be an instance of int"),
            ({"n_blocks": 0}, ValueError, "n_blocks"),
            ({"n_nodes": 3, "n_blocks": 4}, ValueError, "n_blocks == 4, must be <= 3"),
            ({"mean_degree": -1}, ValueError, "mean_degree"),
            ({"mean_degree": np.inf}, ValueError, "mean_degree == inf, must be finite"),
            ({"mixing": 1.1}, ValueError, "mixing == 1.1, must be <= 1"),
            ({"mixing": np.nan}, ValueError, "mixing == nan, must be finite"),
            ({"mixing": "0.3"}, TypeError, "mixing"),
            ({"exponent": 0}, ValueError, "exponent == 0, must be > 0"),
            ({"random_state": "seed"}, ValueError, "seed"),
        ],
    )
    def test_bad_parameters(self, parameters, error, message):
        with pytest.raises(error, match=message):
            make_sbm_graph(**parameters)
