"""Orbit counts against stored answers and the enumerating oracle, and what must not change them."""

import hypothesis.strategies as st
import naive_graphlets as oracle
import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
from graphlet_helpers import (
    BIG_CASES,
    SMALL_CASES,
    TABLES,
    adjacency_of,
    load_case,
    matrix_of,
    messy,
    random_graphs,
    random_pattern,
    sha256,
)
from hypothesis import given

from sparsekit.graph import Graph
from sparsekit.graphlets import count_orbits

ORACLE = {"node": oracle.node_orbits, "edge": oracle.edge_orbits}
kinds = pytest.mark.parametrize("kind", ["node", "edge"])
sizes = pytest.mark.parametrize("max_nodes", [4, 5])


def assert_counts(found, expected):
    assert found.dtype == np.int64
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, expected)


@sizes
@kinds
@pytest.mark.parametrize("name", SMALL_CASES)
def test_small_cases(name, kind, max_nodes):
    case = load_case(name)
    found = count_orbits(adjacency_of(case), max_nodes, kind=kind)
    assert_counts(found, case[f"{kind}{max_nodes}"])


def answers_of_big_cases():
    for name in BIG_CASES:
        case = load_case(name)
        for key in ("node4", "node5", "edge4", "edge5"):
            if f"{key}_sha256" in case:
                yield pytest.param(name, key[:4], int(key[4:]), id=f"{name}-{key}")


@pytest.mark.parametrize(("name", "kind", "max_nodes"), list(answers_of_big_cases()))
def test_big_cases(name, kind, max_nodes):
    case, key = load_case(name), f"{kind}{max_nodes}"
    found = count_orbits(adjacency_of(case), max_nodes, kind=kind)
    np.testing.assert_array_equal(found[case[f"{key}_rows"]], case[f"{key}_values"])
    np.testing.assert_array_equal(found.sum(axis=0), case[f"{key}_colsum"])
    assert sha256(found) == str(case[f"{key}_sha256"])


@sizes
@kinds
@given(A=random_graphs(), induced=st.booleans(), seed=st.integers(0, 99))
def test_random_graphs(kind, max_nodes, A, induced, seed):
    expected = ORACLE[kind](A, max_nodes, induced)
    for graph in (A, messy(A, seed)):
        assert_counts(count_orbits(graph, max_nodes, kind=kind, induced=induced), expected)


@sizes
@kinds
def test_oracle_graphs(symmetric_oracle_graph, kind, max_nodes):
    A = symmetric_oracle_graph
    if len(A) in (0, 120):
        pytest.skip("no node is an error; hubs have too many sets for the oracle")
    for induced in (True, False):
        found = count_orbits(A, max_nodes, kind=kind, induced=induced)
        assert_counts(found, ORACLE[kind](A, max_nodes, induced))


GALLERY = {
    "clique": nx.complete_graph(9),
    "bipartite": nx.complete_bipartite_graph(3, 5),
    "many parts": nx.complete_multipartite_graph(2, 3, 3),
    "cocktail party": nx.complement(nx.Graph([(0, 1), (2, 3), (4, 5), (6, 7)])),
    "wheel": nx.wheel_graph(9),
    "pentagons": nx.petersen_graph(),
    "solid": nx.icosahedral_graph(),
    "ladder": nx.circular_ladder_graph(6),
    "tree": nx.balanced_tree(3, 2),
    "lollipop": nx.lollipop_graph(6, 4),
    "barbell": nx.barbell_graph(5, 2),
    "windmill": nx.windmill_graph(4, 4),
    "caveman": nx.relaxed_caveman_graph(4, 5, 0.2, seed=0),
    "clustered": nx.powerlaw_cluster_graph(24, 4, 0.8, seed=0),
}


@sizes
@kinds
@pytest.mark.parametrize("name", sorted(GALLERY))
def test_gallery(name, kind, max_nodes):
    """Graphs rich in what random ones of this size lack: cliques, cycles, twins, bridges."""
    A = matrix_of(GALLERY[name])
    for induced in (True, False):
        found = count_orbits(A, max_nodes, kind=kind, induced=induced)
        assert_counts(found, ORACLE[kind](A, max_nodes, induced))


@pytest.mark.parametrize("n_nodes", [64, 66, 131])
def test_cliques_fill_words_of_bits(n_nodes):
    """Neighbourhoods of 63, 65 and 130 nodes; one edge is missing."""
    A = np.ones((n_nodes, n_nodes))
    A[3, 4] = A[4, 3] = 0
    counts = count_orbits(A, 5)
    others = n_nodes - 2
    pairs = others * (others - 1) // 2
    triples = pairs * (others - 2) // 3
    quadruples = triples * (others - 3) // 4
    expected = {0: others, 1: others, 3: pairs, 12: pairs, 14: triples, 70: triples, 72: quadruples}
    assert {i: int(counts[3, i]) for i in np.flatnonzero(counts[3])} == expected
    assert counts[3].tolist() == counts[4].tolist()
    assert count_orbits(A, 4)[0].tolist() == counts[0, :15].tolist()


@sizes
@kinds
def test_edgeless_graphs(kind, max_nodes):
    n_columns = {"node": {4: 15, 5: 73}, "edge": {4: 12, 5: 68}}[kind][max_nodes]
    for n_nodes in (1, 2, 7):
        n_rows = n_nodes if kind == "node" else 0
        for A in (np.zeros((n_nodes, n_nodes)), np.eye(n_nodes)):
            assert_counts(
                count_orbits(A, max_nodes, kind=kind), np.zeros((n_rows, n_columns), np.int64)
            )


def test_single_edge():
    A = sp.csr_array(np.array([[0, 1], [1, 0]]))
    assert count_orbits(A).tolist() == [[1] + [0] * 14] * 2
    assert count_orbits(A, 5, kind="edge").tolist() == [[0] * 68]


@sizes
def test_four_node_columns_come_first(max_nodes):
    A = matrix_of(nx.karate_club_graph())
    for kind, n_columns in (("node", 15), ("edge", 12)):
        found = count_orbits(A, max_nodes, kind=kind)[:, :n_columns]
        np.testing.assert_array_equal(found, count_orbits(A, kind=kind))


@sizes
@given(A=random_graphs(9), data=st.data())
def test_rows_of_given_nodes(max_nodes, A, data):
    nodes = data.draw(st.lists(st.integers(0, len(A) - 1), max_size=6))
    induced = data.draw(st.booleans())
    expected = count_orbits(A, max_nodes, induced=induced)[np.array(nodes, dtype=int)]
    for wanted in (nodes, tuple(nodes), np.array(nodes, dtype=np.int32)):
        assert_counts(count_orbits(A, max_nodes, induced=induced, nodes=wanted), expected)
    names = [f"node {i}" for i in range(len(A))]
    named = Graph(A, node_names=names)
    wanted = [names[i] for i in nodes]
    assert_counts(count_orbits(named, max_nodes, induced=induced, nodes=wanted), expected)


@sizes
def test_names_of_the_stored_case(max_nodes):
    case = load_case("names_n16_s12")
    graph = Graph(adjacency_of(case), node_names=case["names"])
    expected = case[f"node{max_nodes}"]
    assert_counts(count_orbits(graph, max_nodes), expected)
    order = [5, 0, 15, 5, 3]
    assert_counts(count_orbits(graph, max_nodes, nodes=case["names"][order]), expected[order])


def test_integer_names_are_names():
    graph = Graph(matrix_of(nx.star_graph(2)), node_names=[10, 2, 0])
    assert count_orbits(graph, nodes=[2, 10])[:, 0].tolist() == [1, 2]
    with pytest.raises(ValueError, match="1"):
        count_orbits(graph, nodes=[1])


@sizes
@kinds
def test_threads_give_the_same_counts(monkeypatch, kind, max_nodes):
    monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", 4)
    for A in (
        matrix_of(nx.powerlaw_cluster_graph(90, 4, 0.6, seed=3)),
        matrix_of(nx.star_graph(20)),
        random_pattern(30, 0.4, seed=0),
    ):
        for induced in (True, False):
            alone = count_orbits(A, max_nodes, kind=kind, induced=induced)
            for n_jobs in (1, 2, 3, -1):
                found = count_orbits(A, max_nodes, kind=kind, induced=induced, n_jobs=n_jobs)
                assert_counts(found, alone)


@pytest.mark.parametrize("n_jobs", [None, 2])
@sizes
def test_given_nodes_on_threads(monkeypatch, max_nodes, n_jobs):
    monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", 4)
    A = matrix_of(nx.powerlaw_cluster_graph(60, 4, 0.6, seed=4))
    everything = count_orbits(A, max_nodes)
    for nodes in ([59, 0, 7, 7], range(0, 60, 3), [11]):
        found = count_orbits(A, max_nodes, nodes=nodes, n_jobs=n_jobs)
        assert_counts(found, everything[list(nodes)])


@sizes
@given(A=random_graphs(10), seed=st.integers(0, 2**32 - 1))
def test_relabelling_moves_the_rows(max_nodes, A, seed):
    order = np.random.default_rng(seed).permutation(len(A))
    moved = A[np.ix_(order, order)]
    expected = count_orbits(A, max_nodes)[order]
    np.testing.assert_array_equal(count_orbits(moved, max_nodes), expected)
    row = {edge: i for i, edge in enumerate(oracle.upper_edges(A))}
    back = [row[tuple(sorted((order[u], order[v])))] for u, v in oracle.upper_edges(moved)]
    on_edges = count_orbits(A, max_nodes, kind="edge")[np.array(back, dtype=int)]
    np.testing.assert_array_equal(count_orbits(moved, max_nodes, kind="edge"), on_edges)


@sizes
@kinds
@given(A=random_graphs(9), B=random_graphs(6), n_isolated=st.integers(0, 3))
def test_components_do_not_see_each_other(kind, max_nodes, A, B, n_isolated):
    both = sp.block_diag([A, np.zeros((n_isolated, n_isolated)), B], format="csr")
    parts = [count_orbits(part, max_nodes, kind=kind) for part in (A, B)]
    if kind == "node":
        parts.insert(1, np.zeros((n_isolated, parts[0].shape[1]), dtype=np.int64))
    found = count_orbits(both, max_nodes, kind=kind)
    assert_counts(found, np.vstack(parts))


@pytest.mark.parametrize("size", ["four", "five"])
@pytest.mark.parametrize(
    "graph",
    [nx.random_geometric_graph(36, 0.24, seed=1), nx.gnp_random_graph(24, 0.3, seed=2)],
    ids=["geometric", "random"],
)
def test_equations_with_common_neighbours(graph, size):
    """Each equation ties a few orbits to common neighbours of graphlets with one node less."""
    A = matrix_of(graph)
    counts = count_orbits(A, 4 if size == "four" else 5)
    for equation in TABLES["node_equations"][size]:
        right = sum(factor * counts[:, int(q)] for q, factor in equation["coef"].items())
        expected = oracle.left_side(A, equation)
        np.testing.assert_array_equal(right, expected, err_msg=str(equation))


@sizes
@kinds
def test_every_form_of_a_graph(kind, max_nodes):
    club = nx.karate_club_graph()
    expected = count_orbits(matrix_of(club), max_nodes, kind=kind)
    wide = nx.to_scipy_sparse_array(club)
    wide.indices, wide.indptr = wide.indices.astype(np.int64), wide.indptr.astype(np.int64)
    directed = Graph(nx.to_scipy_sparse_array(club), directed=True)
    skewed = matrix_of(club) * np.arange(1, 35)  # weights differ by direction, the pattern does not
    frozen = matrix_of(club)
    frozen.flags.writeable = False
    for graph in (club, wide, wide.tocoo(), sp.csc_matrix(wide), directed, skewed, frozen):
        found = count_orbits(graph, max_nodes, kind=kind)
        assert_counts(found, expected)
    assert np.array_equal(frozen, matrix_of(club))
    assert found.flags.writeable


def test_extreme_weights():
    A = matrix_of(nx.cycle_graph(5))
    expected = count_orbits(A, 5)
    for weight in (1e300, -1e-300, 5e-324):
        np.testing.assert_array_equal(count_orbits(weight * A, 5), expected)
