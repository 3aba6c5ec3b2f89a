"""Similarities of nodes and distances between graphs, against brute force and known answers."""

import tracemalloc

import naive_graphlets as oracle
import networkx as nx
import numpy as np
import pytest
from graphlet_helpers import matrix_of, messy, random_graphs, random_pattern
from hypothesis import given, settings
from hypothesis import strategies as st

from sparsekit.graphlets import (
    count_orbits,
    graphlet_correlation_distance,
    graphlet_correlation_matrix,
    graphlet_degree_similarity,
    netemd,
    pairwise_graph_distances,
)
from sparsekit.graphlets._compare import _scaled, _shifted_earth_mover

DISTANCES = [graphlet_correlation_distance, netemd]
every_distance = pytest.mark.parametrize("distance", DISTANCES, ids=["gcd", "netemd"])


@pytest.mark.parametrize("n_orbits", [15, 73])
def test_similarity_agrees_with_the_formula(n_orbits):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 1000, size=(6, n_orbits)) * (rng.random((6, n_orbits)) < 0.6)
    Y = np.vstack([X[:2], rng.integers(0, 10**12, size=(3, n_orbits))])
    expected = oracle.graphlet_degree_similarity(X, Y)
    found = graphlet_degree_similarity(X, Y)
    np.testing.assert_allclose(found, expected, rtol=1e-13)
    np.testing.assert_allclose(graphlet_degree_similarity(Y, X), found.T, rtol=1e-13)
    assert np.all(np.diag(found)[:2] == 1)


@given(random_graphs(), st.sampled_from([4, 5]))
def test_similarity_is_between_0_and_1(A, max_nodes):
    similarity = graphlet_degree_similarity(count_orbits(A, max_nodes))
    assert similarity.shape == A.shape
    assert np.all(similarity == similarity.T)
    assert np.all(np.diag(similarity) == 1)
    assert np.all((similarity >= 0) & (similarity <= 1))


def test_similarity_of_one_node_known_by_hand():
    x, y = np.zeros((2, 1, 15), dtype=np.int64)
    y[0, 0] = 1
    weight = 1 - np.log(oracle.affecting_orbits()[:15]) / np.log(73)
    expected = 1 - np.log(2) / np.log(3) / weight.sum()
    assert graphlet_degree_similarity(x, y)[0, 0] == pytest.approx(expected)


def test_similarity_of_counts_near_the_limit():
    X = np.full((1, 73), 2**63 - 1)
    assert graphlet_degree_similarity(X, np.zeros((1, 73)))[0, 0] == pytest.approx(0, abs=0.03)


@pytest.mark.parametrize(
    ("X", "Y", "message"),
    [
        (np.ones((2, 14)), None, "X with 15 or 73 columns"),
        (np.ones((2, 15)), np.ones((2, 12)), "Y with 15 or 73 columns"),
        (np.ones((2, 15)), np.ones((2, 73)), "equally many columns, got 15 and 73"),
        (-np.ones((2, 15)), None, "Negative values"),
        (np.full((2, 15), np.nan), None, "NaN"),
        (np.ones(15), None, "2D array"),
    ],
)
def test_similarity_of_bad_counts(X, Y, message):
    with pytest.raises(ValueError, match=message):
        graphlet_degree_similarity(X, Y)


@settings(max_examples=30)
@given(random_graphs(10))
def test_correlation_matrix(A):
    found = graphlet_correlation_matrix(A)
    np.testing.assert_allclose(found, oracle.graphlet_correlation_matrix(A), atol=1e-14)


@settings(max_examples=30)
@given(random_graphs(9), random_graphs(11))
def test_correlation_distance(A, B):
    found = graphlet_correlation_distance(A, B)
    assert found == pytest.approx(oracle.graphlet_correlation_distance(A, B), abs=1e-12)
    assert found == graphlet_correlation_distance(B, A)


@settings(max_examples=30)
@given(random_graphs(9), random_graphs(11), st.sampled_from([4, 5]))
def test_netemd(A, B, max_nodes):
    found = netemd(A, B, max_nodes=max_nodes)
    assert found == pytest.approx(oracle.netemd(A, B, max_nodes), abs=1e-12)
    assert found == pytest.approx(netemd(B, A, max_nodes=max_nodes), abs=1e-14)


@every_distance
@given(random_graphs(), st.integers(0, 2**32 - 1))
def test_distance_to_itself_in_any_order_of_nodes(distance, A, seed):
    order = np.random.default_rng(seed).permutation(len(A))
    assert distance(A, A) == 0
    assert distance(A, A[order][:, order]) == pytest.approx(0, abs=1e-13)
    assert distance(A, messy(A, seed)) == 0


@every_distance
def test_triangle_inequality_and_order(distance):
    graphs = [random_pattern(12, density, 0) for density in (0.1, 0.3, 0.5, 0.7)]
    D = np.array([[distance(A, B) for B in graphs] for A in graphs])
    assert np.all(D[:, :, None] <= D[:, None, :] + D.T[None, :, :] + 1e-12)
    assert np.all(D[np.triu_indices(4, 1)] > 0)


@every_distance
def test_regular_graphs_are_all_alike(distance):
    """All nodes look the same: nothing varies, so nothing correlates and shifts undo the rest."""
    assert netemd(nx.complete_graph(7), nx.cycle_graph(30), max_nodes=5) == 0
    assert distance(nx.cycle_graph(9), nx.cycle_graph(40)) == pytest.approx(0, abs=1e-12)
    assert distance(nx.empty_graph(4), nx.empty_graph(1)) == 0


def test_correlations_of_a_clique_by_hand():
    """The row of ones is below the degrees, and above the other orbits, which are all 0."""
    expected = np.ones((11, 11))
    expected[0, 1:] = expected[1:, 0] = -1
    np.testing.assert_allclose(graphlet_correlation_matrix(nx.complete_graph(5)), expected)


def test_clique_and_star_by_hand():
    """A star of n leaves: orbits 0, 2, 7 are high in the centre, 1, 6 on leaves, others 0."""
    n_leaves = 6
    star = graphlet_correlation_matrix(nx.star_graph(n_leaves))
    zeros = [3, 4, 7, 8, 9, 10]  # orbits 4, 5, 8 to 11
    assert np.all(star[np.ix_(zeros, zeros)] == pytest.approx(1))
    assert star[1, 5] == pytest.approx(1)  # orbits 1 and 6
    assert star[2, 6] == pytest.approx(1)  # orbits 2 and 7
    assert star[1, 2] < 0
    # In units of their deviation the centre is sqrt(n) + 1 / sqrt(n) away from the leaves.
    gap = np.sqrt(n_leaves) + 1 / np.sqrt(n_leaves)
    n_varying = 5  # orbits 0, 1, 2, 6, 7
    expected = n_varying * gap / (n_leaves + 1) / 15
    assert netemd(nx.complete_graph(9), nx.star_graph(n_leaves)) == pytest.approx(expected)


def test_netemd_of_samples_of_very_different_size():
    """Steps of both quantile functions, thousands of them, fall on each other or do not."""
    A, B = nx.gnp_random_graph(700, 0.01, seed=1), nx.barabasi_albert_graph(450, 3, seed=2)
    degrees = [count_orbits(graph)[:, 0] for graph in (A, B)]
    a, b = (np.sort(values) / values.std() for values in degrees)
    quantiles = np.arange(2 * 450 * 700) / (2 * 450 * 700)
    h = a[(quantiles * 700).astype(int)] - b[(quantiles * 450).astype(int)]
    expected = np.abs(h - np.median(h)).mean()
    found = _shifted_earth_mover(a[np.newaxis], b[np.newaxis])
    assert found == pytest.approx(expected, rel=1e-5)


def test_distances_tell_families_apart():
    graphs = [nx.gnp_random_graph(150, 6 / 149, seed=seed) for seed in range(3)]
    graphs += [nx.barabasi_albert_graph(100, 3, seed=seed) for seed in range(3)]
    for metric in ("netemd", "gcd"):
        D = pairwise_graph_distances(graphs, metric=metric)
        within = max(D[:3, :3].max(), D[3:, 3:].max())
        assert within < D[:3, 3:].min()


@pytest.mark.parametrize("metric", ["netemd", "gcd"])
def test_pairwise(metric):
    graphs = [nx.star_graph(6), random_pattern(12, 0.4, 1), nx.karate_club_graph()]
    distance = {"netemd": netemd, "gcd": graphlet_correlation_distance}[metric]
    D = pairwise_graph_distances(graphs, metric=metric, n_jobs=2)
    assert np.all(D == D.T)
    assert np.all(np.diag(D) == 0)
    rectangle = pairwise_graph_distances(graphs[:2], graphs, metric=metric)
    np.testing.assert_allclose(rectangle, D[:2], atol=1e-14)
    for i, j in ((0, 1), (1, 2)):
        assert D[i, j] == distance(graphs[i], graphs[j])


def test_pairwise_with_five_nodes():
    graphs = [random_pattern(10, density, 0) for density in (0.3, 0.6)]
    found = pairwise_graph_distances(graphs, max_nodes=5)[0, 1]
    assert found == netemd(*graphs, max_nodes=5) != netemd(*graphs)


def test_bad_input():
    path = matrix_of(nx.path_graph(3))
    for distance in (*DISTANCES, lambda A, B: pairwise_graph_distances([A, B])):
        with pytest.raises(ValueError, match="undirected"):
            distance(path, np.triu(path))
        with pytest.raises(ValueError, match="at least one node"):
            distance(nx.Graph(), path)
        with pytest.raises(ValueError, match=r"finite|NaN|infinit"):
            distance(path, path * np.nan)
    with pytest.raises(ValueError, match="max_nodes to be 4 or 5, got 6"):
        netemd(path, path, max_nodes=6)
    with pytest.raises(ValueError, match="metric to be 'netemd' or 'gcd', got 'emd'"):
        pairwise_graph_distances([path], metric="emd")
    with pytest.raises(ValueError, match="defined for max_nodes=4, got 5"):
        pairwise_graph_distances([path], metric="gcd", max_nodes=5)
    with pytest.raises(ValueError, match="max_nodes to be 4 or 5, got 6"):
        pairwise_graph_distances([path], max_nodes=6)
    with pytest.raises(ValueError, match="got a single ndarray"):
        pairwise_graph_distances(path)
    with pytest.raises(TypeError, match="got generator: pass a list"):
        pairwise_graph_distances(graph for graph in [path])


@pytest.mark.parametrize("metric", ["netemd", "gcd"])
def test_errors_say_which_graph(metric):
    path = matrix_of(nx.path_graph(3))
    with pytest.raises(ValueError, match=r"graph 1 of X: .*undirected"):
        pairwise_graph_distances([path, np.triu(path)], metric=metric)
    with pytest.raises(ValueError, match=r"graph 2 of Y: .*at least one node"):
        pairwise_graph_distances([path], [path, path, nx.Graph()], metric=metric)


def test_memory_of_netemd():
    """A few columns of the counts at a time, beside the counts."""
    graphs = [nx.cycle_graph(20_000), nx.path_graph(15_000)]
    rows = [_scaled(graph, 5, None) for graph in graphs]
    tracemalloc.start()
    _shifted_earth_mover(*rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 * 8 * 35_000
