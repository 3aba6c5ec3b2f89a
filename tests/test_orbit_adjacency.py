"""Orbit adjacencies against stored answers and the enumerating oracle."""

import pickle

import hypothesis.strategies as st
import naive_graphlets as oracle
import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
from graphlet_helpers import (
    SMALL_CASES,
    adjacency_of,
    load_case,
    matrix_of,
    messy,
    random_graphs,
    random_pattern,
)
from hypothesis import given
from orbit_adjacency_helpers import KEYS, assert_canonical, equal

from sparsekit.graph import Graph, as_graph
from sparsekit.graphlets import orbit_adjacencies, orbit_adjacency, orbit_adjacency_operator
from sparsekit.graphlets._tables import ORBIT_PAIRS

SEVERAL_HOPS = [(4, 5), (5, 4), (8, 8)]


def assert_adjacencies(found, expected):
    """Equal to dense matrices, in the form that is promised."""
    assert found.keys() == expected.keys()
    for key, matrix in found.items():
        assert_canonical(matrix, len(expected[key]))
        np.testing.assert_array_equal(matrix.toarray(), expected[key], err_msg=str(key))


@pytest.mark.parametrize("name", SMALL_CASES)
def test_small_cases(name):
    case = load_case(name)
    keys = [tuple(key) for key in case["pairs"].tolist()]
    found = orbit_adjacencies(adjacency_of(case))
    assert_adjacencies(found, dict(zip(keys, case["orbit_adj"], strict=True)))


@given(A=random_graphs(), seed=st.integers(0, 99))
def test_random_graphs(A, seed):
    expected = oracle.orbit_adjacencies(A)
    for graph in (A, messy(A, seed)):
        assert_adjacencies(orbit_adjacencies(graph), expected)


def test_oracle_graphs(symmetric_oracle_graph):
    A = symmetric_oracle_graph
    if len(A) in (0, 120):
        pytest.skip("no node is an error; hubs have too many sets for the oracle")
    assert_adjacencies(orbit_adjacencies(A), oracle.orbit_adjacencies(A))


GALLERY = {
    "clique": nx.complete_graph(9),
    "bipartite": nx.complete_bipartite_graph(3, 5),
    "many parts": nx.complete_multipartite_graph(2, 3, 3),
    "wheel": nx.wheel_graph(9),
    "pentagons": nx.petersen_graph(),
    "solid": nx.icosahedral_graph(),
    "tree": nx.balanced_tree(3, 2),
    "lollipop": nx.lollipop_graph(6, 4),
    "windmill": nx.windmill_graph(4, 4),
    "caveman": nx.relaxed_caveman_graph(4, 6, 0.2, seed=0),
    "clustered": nx.powerlaw_cluster_graph(30, 4, 0.8, seed=0),
    "cycle": nx.cycle_graph(70),
}


@pytest.mark.parametrize("name", sorted(GALLERY))
def test_gallery(name):
    A = matrix_of(GALLERY[name])
    assert_adjacencies(orbit_adjacencies(A), oracle.orbit_adjacencies(A))


@pytest.mark.parametrize("n_nodes", [1, 2, 7])
def test_edgeless_graphs(n_nodes):
    nothing = dict.fromkeys(KEYS, np.zeros((n_nodes, n_nodes)))
    for A in (np.zeros((n_nodes, n_nodes)), np.eye(n_nodes)):
        assert_adjacencies(orbit_adjacencies(A), nothing)
        assert np.array_equal(orbit_adjacency_operator(A) @ np.ones(n_nodes), np.zeros(n_nodes))


def test_the_keys_are_those_of_the_oracle():
    assert sorted(ORBIT_PAIRS) == KEYS
    assert list(orbit_adjacencies(matrix_of(nx.path_graph(3)))) == list(ORBIT_PAIRS)


@given(A=random_graphs(10), seed=st.integers(0, 2**32 - 1))
def test_relabelling_moves_rows_and_columns(A, seed):
    order = np.random.default_rng(seed).permutation(len(A))
    found = orbit_adjacencies(A)
    for key, matrix in orbit_adjacencies(A[np.ix_(order, order)]).items():
        expected = found[key].toarray()[np.ix_(order, order)]
        np.testing.assert_array_equal(matrix.toarray(), expected)


@given(A=random_graphs())
def test_one_at_a_time(A):
    together = orbit_adjacencies(A)
    for i, j, hop in together:
        alone = orbit_adjacency(A, i, j, hop=hop)
        assert_canonical(alone, len(A))
        assert equal(alone, together[i, j, hop])


@given(A=random_graphs())
def test_hops_are_added(A):
    found = orbit_adjacencies(A)
    for i, j in dict.fromkeys(key[:2] for key in found):
        parts = [matrix for key, matrix in found.items() if key[:2] == (i, j)]
        assert len(parts) == (2 if (i, j) in SEVERAL_HOPS else 1)
        total = orbit_adjacency(A, i, j)
        assert_canonical(total, len(A))
        np.testing.assert_array_equal(total.toarray(), sum(part.toarray() for part in parts))
        assert total.nnz == sum(part.nnz for part in parts)  # nowhere do two hops meet


def test_which_pairs_are_returned():
    A = matrix_of(nx.karate_club_graph())
    pairs = [(8, 8), (1, 2, 1), np.array([8, 8, 2]), [5, 4], (1, 2)]
    keys = [(8, 8, 1), (8, 8, 2), (1, 2, 1), (5, 4, 1), (5, 4, 2)]
    for wanted in (pairs, tuple(pairs), iter(pairs)):
        found = orbit_adjacencies(A, pairs=wanted)
        assert list(found) == keys
        assert all(type(number) is int for key in found for number in key)
    everything = orbit_adjacencies(A)
    assert all(equal(found[key], everything[key]) for key in keys)


@pytest.mark.parametrize("pair", [(1, 5), (2, 2), (15, 15), (-1, 0), (1, 2, 2), (4, 4, 0)])
def test_unknown_pairs(pair):
    hop = pair[2] if len(pair) == 3 else None
    A = matrix_of(nx.path_graph(4))
    for call in (
        lambda: orbit_adjacency(A, *pair[:2], hop=hop),
        lambda: orbit_adjacencies(A, pairs=[(0, 0), pair]),
        lambda: orbit_adjacency_operator(A, *pair[:2], hop=hop),
    ):
        with pytest.raises(ValueError, match=r"\(0, 0, 1\), \(1, 2, 1\).*\(14, 14, 1\); got"):
            call()


@pytest.mark.parametrize("pairs", [[], "some", "", None, 4, (4, 5), [(1.0, 2)], [("1", "2")]])
def test_pairs_of_another_form(pairs):
    with pytest.raises(ValueError, match=r"pair.*\(14, 14, 1\); got"):
        orbit_adjacencies(matrix_of(nx.path_graph(4)), pairs=pairs)


def forbid(monkeypatch, *names):
    for name in names:

        def fail(*arguments, name=name):
            raise AssertionError(f"{name} is not needed")

        monkeypatch.setattr(f"sparsekit.graphlets.pairs._hop_one.{name}", fail)


def test_only_what_is_asked_is_computed(monkeypatch):
    A = random_pattern(20, 0.4, seed=0)
    expected = oracle.orbit_adjacencies(A)

    def check(*keys):
        found = orbit_adjacencies(A, pairs=keys)
        assert_adjacencies(found, {key: expected[key] for key in keys})

    forbid(monkeypatch, "four_cycles")
    cyclic = {(4, 5, 1), (5, 4, 1), (5, 5, 1), (8, 8, 1)}
    check(*sorted(set(KEYS) - cyclic))
    forbid(monkeypatch, "triangles_and_cliques", "edge_facts")
    check((0, 0, 1), (1, 1, 2))


def test_matrices_with_very_many_entries_have_wide_indices(monkeypatch):
    monkeypatch.setattr("sparsekit.graphlets.pairs._assemble._NARROW_LIMIT", 4)
    A = matrix_of(nx.karate_club_graph())
    found = orbit_adjacency(A, 3, 3)
    assert found.indices.dtype == found.indptr.dtype == np.int64
    np.testing.assert_array_equal(found.toarray(), oracle.orbit_adjacencies(A)[3, 3, 1])


def test_results_are_independent():
    """They can be changed, share no memory with each other or the graph, and pickle."""
    graph = as_graph(nx.karate_club_graph())
    found = list(orbit_adjacencies(graph).values())
    arrays = [array for m in [graph.adjacency, *found] for array in (m.data, m.indices, m.indptr)]
    for i, array in enumerate(arrays[3:], start=3):
        assert array.flags.writeable
        assert not any(np.shares_memory(array, other) for other in arrays[:i])
    assert equal(pickle.loads(pickle.dumps(found[5])), found[5])


def test_every_form_of_a_graph():
    club = nx.karate_club_graph()
    expected = orbit_adjacency(matrix_of(club), 9, 10)
    wide = nx.to_scipy_sparse_array(club)
    wide.indices, wide.indptr = wide.indices.astype(np.int64), wide.indptr.astype(np.int64)
    directed = Graph(nx.to_scipy_sparse_array(club), directed=True)
    named = Graph(matrix_of(club), node_names=[f"member {i}" for i in range(34)])
    for graph in (club, wide, wide.tocoo(), sp.csc_matrix(wide), directed, named):
        assert equal(orbit_adjacency(graph, 9, 10), expected)
