"""Graph.from_edges: pairs of ids or names, weights, errors."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from sparsekit.graph import Graph


def test_parallel_edges_are_summed_in_either_order():
    edges, weights = [(0, 1), (1, 0), (0, 1), (1, 2), (2, 2)], [1, 2, 4, 8, 16]
    graph = Graph.from_edges(edges, weights)
    assert graph.adjacency.toarray().tolist() == [[0, 7, 0], [7, 0, 8], [0, 8, 16]]
    assert not graph.is_directed
    assert graph.n_edges == 3
    graph = Graph.from_edges(edges, weights, directed=True)
    assert graph.adjacency.toarray().tolist() == [[0, 5, 0], [2, 0, 8], [0, 0, 16]]
    assert graph.is_directed
    assert graph.n_edges == 4


def test_both_directions_get_the_same_rounding():
    edges = [(0, 1), (1, 0), (0, 1), (1, 0)]
    A = Graph.from_edges(edges, [0.1, 0.2, 0.3, 1e16]).adjacency
    assert A[0, 1] == A[1, 0]


def test_directed_stays_directed_when_symmetric():
    assert Graph.from_edges([(0, 1), (1, 0)], directed=True).is_directed


@pytest.mark.parametrize(
    "edges",
    [
        [(0, 2), (2, 1)],
        ((0, 2), (2, 1)),
        np.array([[0, 2], [2, 1]], dtype=np.uint8),
        np.array([[0, 2], [2, 1]], dtype=object),
        np.array([[0, 2], [2, 1]], dtype=float),
        np.array([[0, 9, 2], [2, 9, 1]], order="F")[:, ::2],
        list(nx.path_graph([0, 2, 1]).edges),
    ],
)
def test_kinds_of_pairs(edges):
    expected = Graph([[0, 0, 1], [0, 0, 1], [1, 1, 0]])
    assert Graph.from_edges(edges) == expected


def test_integers_are_positions_whatever_array_holds_them():
    for dtype in (np.int32, np.uint64, object):
        graph = Graph.from_edges(np.array([[0, 5]], dtype=dtype))
        assert graph.n_nodes == 6
        assert graph.node_names is None


def test_n_nodes_adds_isolated_nodes():
    assert Graph.from_edges([(0, 1)], n_nodes=4).n_nodes == 4
    assert Graph.from_edges(np.array([(0, 1)], dtype=object), n_nodes=4).n_nodes == 4


def test_strings_are_named_in_sorted_order():
    graph = Graph.from_edges([("c", "a"), ("a", "b")])
    assert graph.node_names.tolist() == ["a", "b", "c"]
    assert graph.adjacency.toarray().tolist() == [[0, 1, 1], [1, 0, 0], [1, 0, 0]]


@pytest.mark.parametrize(
    ("names", "edges"),
    [
        (["c", "b", "a"], [("c", "a")]),
        ([7, 5, 6], [(7, 6)]),
        ([7, 5, 6], np.array([[7, 6]])),
        ([("x", 1), "y", 3], [(("x", 1), 3)]),
    ],
)
def test_given_names_keep_their_order(names, edges):
    graph = Graph.from_edges(edges, [2.5], node_names=names)
    assert graph.node_names.tolist() == names
    assert graph.adjacency.toarray().tolist() == [[0, 0, 2.5], [0, 0, 0], [2.5, 0, 0]]
    assert Graph.from_edges(edges, [2.5], node_names=names, n_nodes=3) == graph


def test_nothing_given_is_changed_or_shared():
    edges, weights = np.array([[1, 0], [0, 1]]), np.array([1.0, 2.0])
    before = edges.copy(), weights.copy()
    graph = Graph.from_edges(edges, weights)
    assert np.array_equal(edges, before[0])
    assert np.array_equal(weights, before[1])
    weights[:] = 0
    assert graph.adjacency[0, 1] == 3


@pytest.mark.parametrize("weights", [[True, True], [1, 1], np.ones(2, dtype=np.float32)])
def test_kinds_of_weights(weights):
    graph = Graph.from_edges([(0, 1), (0, 1)], weights)
    assert graph.adjacency[0, 1] == 2


@pytest.mark.parametrize(
    ("edges", "arguments", "hint"),
    [
        ([(0, 1, 2)], {}, r"pairs of node ids, shape \(n_edges, 2\), got \(1, 3\)"),
        ([0, 1], {}, "pairs of node ids"),
        ([(0, -1)], {}, r"non-negative, got -1"),
        ([(0, 3)], {"n_nodes": 3}, r"below n_nodes=3, got 3"),
        (np.array([(0, 3)], dtype=object), {"n_nodes": 3}, r"below n_nodes=3, got 3"),
        ([(0, 0.5)], {}, "integers where a graph has no node names.*0.5"),
        ([(0, np.nan)], {}, "integers where a graph has no node names"),
        ([(0, np.inf)], {}, "node ids must be"),
        ([(0, 1e300)], {}, "node ids must be"),
        ([(0, 2**63)], {}, "node ids must be"),
        ([("a", 1)], {}, "all integers or all strings"),
        ([("a", None)], {}, "integers or strings, got None: drop or rename"),
        ([(0, 1)], {"weights": [1, 2]}, "weights must be 1 real numbers, one an edge"),
        ([(0, 1)], {"weights": ["1"]}, "real numbers"),
        ([(0, 1)], {"weights": [np.nan]}, "finite"),
        ([(0, 1), (1, 0)], {"weights": [1e308, 1e308]}, "finite"),
        ([("a", "b")], {"n_nodes": 3}, "n_nodes=3 does not fit 2 node names"),
        ([("a", "b")], {"n_nodes": 3, "node_names": "ab"}, "n_nodes=3 does not fit 2 node names"),
        ([("a", "x")], {"node_names": "ab"}, "not in node_names: 'x'"),
        ([("a", "b", "c")], {"node_names": "abc"}, "pairs of node names"),
        ([("a", "b")], {"node_names": "aba"}, "distinct"),
    ],
)
def test_errors(edges, arguments, hint):
    with pytest.raises(ValueError, match=hint):
        Graph.from_edges(edges, **arguments)


def test_names_that_differ_in_invisible_characters_stay_distinct():
    names = ["a", "a\0", "a "]
    graph = Graph.from_edges([("a", "a\0")], node_names=names)
    assert graph.node_names.tolist() == names
    assert graph.indices_of(names).tolist() == [0, 1, 2]


def test_frames_of_names():
    frame = pd.DataFrame({"source": ["a", "b"], "target": ["b", "c"]})
    expected = Graph.from_edges([("a", "b"), ("b", "c")], node_names=["c", "b", "a"])
    assert Graph.from_edges(frame, node_names=["c", "b", "a"]) == expected
    assert Graph.from_edges(frame).node_names.tolist() == ["a", "b", "c"]
