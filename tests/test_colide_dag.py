"""From weights to a graph: the literal rule of deletion, required edges."""

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import naive_colide as oracle
import networkx as nx
import numpy as np
import pytest
from hypothesis import given

from sparsekit.causal.colide._dag import fill_required, to_dag

# Few different values, so that ties and zeros are frequent.
VALUES = st.sampled_from([0.0, 0.1, -0.1, 0.3, -0.3, 0.5, 1.0, -2.0])


@st.composite
def weight_matrices(draw):
    d = draw(st.integers(1, 6))
    weights = draw(hnp.arrays(np.float64, (d, d), elements=VALUES))
    np.fill_diagonal(weights, 0)
    return weights


@st.composite
def required_graphs(draw):
    """Weights, and an acyclic graph of required edges."""
    weights = draw(weight_matrices())
    order = draw(st.permutations(range(len(weights))))
    drawn = draw(hnp.arrays(bool, weights.shape))
    return weights, np.triu(drawn, k=1)[np.ix_(order, order)]


def is_dag(matrix):
    return nx.is_directed_acyclic_graph(nx.DiGraph(np.asarray(matrix) != 0))


@given(weight_matrices(), st.sampled_from([0.0, 0.1, 0.2, 0.3, 5.0]))
def test_the_rule(weights, threshold):
    before = weights.copy()
    found = to_dag(weights, threshold)
    np.testing.assert_array_equal(found.toarray(), oracle.threshold_to_dag(weights, threshold))
    np.testing.assert_array_equal(weights, before)
    assert found.has_canonical_format
    assert np.count_nonzero(found.data) == found.nnz


@given(required_graphs(), st.sampled_from([0.0, 0.2, 5.0]))
def test_required_edges_are_kept(graph, threshold):
    weights, required = graph
    fixed = [tuple(edge) for edge in np.argwhere(required).tolist()]
    free = np.argwhere((np.abs(weights) > threshold) & ~required).tolist()
    kept = sorted((abs(weights[i, j]), i, j) for i, j in free)
    while not nx.is_directed_acyclic_graph(nx.DiGraph([*fixed, *(edge[1:] for edge in kept)])):
        del kept[0]
    expected = np.zeros_like(weights)
    for i, j in [*fixed, *(edge[1:] for edge in kept)]:
        expected[i, j] = weights[i, j]
    np.testing.assert_array_equal(to_dag(weights, threshold, required).toarray(), expected)


def test_the_smallest_edge_goes_even_if_it_is_on_no_cycle():
    weights = np.zeros((4, 4))
    weights[0, 1], weights[1, 0], weights[2, 3] = 1.0, 0.9, 0.5
    assert to_dag(weights, 0.3).nnz == 1
    assert to_dag(weights, 0.3)[0, 1] == 1.0


def test_threshold_is_strict_and_the_diagonal_ignored():
    weights = np.array([[7.0, 0.3], [0.0, 7.0]])
    assert to_dag(weights, 0.3).nnz == 0
    assert to_dag(weights, np.nextafter(0.3, 0)).nnz == 1


def test_many_dense_weights():
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(150, 150))
    found = to_dag(weights, 0.0).toarray()
    assert is_dag(found)
    smallest = np.abs(found[found != 0]).min()
    largest_deleted = np.abs(np.where(found == 0, weights * (1 - np.eye(150)), 0)).max()
    assert smallest > largest_deleted
    again = found.copy()
    again[np.abs(weights) == largest_deleted] = largest_deleted
    assert not is_dag(again)


@pytest.mark.parametrize("shape", [(0, 0), (1, 1)])
def test_hardly_any_nodes(shape):
    assert to_dag(np.ones(shape), 0.0).shape == shape


def test_required_edges_without_a_weight_get_their_regression():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 3))
    X[:, 2] += X[:, 0] - 2 * X[:, 1]
    X -= X.mean(axis=0)
    required = np.zeros((3, 3), dtype=bool)
    required[0, 2] = True
    weights = np.zeros((3, 3))
    weights[1, 2] = -1.9
    found = to_dag(weights, 0.3, required)
    filled = fill_required(found, X.T @ X / 500, required)
    expected = np.linalg.lstsq(X[:, :2], X[:, 2])[0]
    assert filled[0, 2] == pytest.approx(expected[0])
    assert filled[1, 2] == -1.9  # keeps the value it has
    assert filled.nnz == 2


def test_a_constant_required_parent_stays_an_edge():
    required = np.zeros((2, 2), dtype=bool)
    required[0, 1] = True
    filled = fill_required(to_dag(np.zeros((2, 2)), 0.3, required), np.diag([0.0, 1.0]), required)
    assert filled[0, 1] == 1e-8
    assert filled.nnz == 1
