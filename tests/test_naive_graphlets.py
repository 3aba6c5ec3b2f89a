"""The enumerating oracle against stored answers, stored tables and answers known by hand."""

import json
from itertools import permutations
from math import comb
from pathlib import Path

import naive_graphlets as oracle
import networkx as nx
import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import spearmanr, wasserstein_distance

CASES = Path(__file__).parent / "cases" / "graphlets"
TABLES = json.loads((CASES / "tables.json").read_text())
SMALL = sorted(path for path in CASES.glob("*.npz") if not path.stem.startswith("big_"))


def random_matrix(n_nodes=9, density=0.45, seed=0):
    return nx.to_numpy_array(nx.gnp_random_graph(n_nodes, density, seed=seed))


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.stem)
def test_stored_cases(path):
    case = dict(np.load(path))
    A = np.zeros((int(case["n"]),) * 2)
    u, v = case["edges"].T
    A[u, v] = A[v, u] = 1
    assert oracle.upper_edges(A) == [tuple(edge) for edge in case["edges"].tolist()]
    for k in (4, 5):
        np.testing.assert_array_equal(oracle.node_orbits(A, k), case[f"node{k}"])
        np.testing.assert_array_equal(oracle.edge_orbits(A, k), case[f"edge{k}"])
    adjacencies = oracle.orbit_adjacencies(A)
    assert sorted(adjacencies) == sorted(tuple(pair) for pair in case["pairs"].tolist())
    for pair, expected in zip(case["pairs"].tolist(), case["orbit_adj"], strict=True):
        np.testing.assert_array_equal(adjacencies[tuple(pair)], expected)


@pytest.mark.parametrize("number", range(30))
def test_table_of_graphlets(number):
    stored = TABLES["graphlets"][number]
    edges, nodes, on_edges = oracle.GRAPHLETS[number]
    assert [list(edge) for edge in oracle.edge_list(number)] == stored["edges"]
    assert len(edges) == len(on_edges)
    assert nodes == stored["node_orbits"]
    assert [None if orbit < 0 else orbit for orbit in on_edges] == stored["edge_orbits"]


@pytest.mark.parametrize("number", range(30))
def test_orbits_are_classes_under_automorphisms(number):
    """Two nodes (edges) have one number exactly if networkx finds an isomorphism between them."""
    graph = nx.Graph(oracle.edge_list(number))
    _, nodes, on_edges = oracle.GRAPHLETS[number]
    matcher = nx.isomorphism.GraphMatcher(graph, graph)
    automorphisms = list(matcher.isomorphisms_iter())
    assert len(automorphisms) == TABLES["graphlets"][number]["automorphisms"]
    for a, b in permutations(range(len(nodes)), 2):
        assert (nodes[a] == nodes[b]) == any(image[a] == b for image in automorphisms)
    edges = dict(zip(map(frozenset, oracle.edge_list(number)), on_edges, strict=True))
    for first, second in permutations(edges, 2):
        moved = any({image[node] for node in first} == second for image in automorphisms)
        assert (edges[first] == edges[second]) == moved


def test_graphlets_are_all_connected_graphs():
    atlas = [graph for graph in nx.graph_atlas_g()[1:] if 2 <= len(graph) <= 5]
    connected = [graph for graph in atlas if nx.is_connected(graph)]
    found = set()
    for graph in connected:
        edges = frozenset(tuple(sorted(edge)) for edge in graph.edges)
        found.add(oracle.PLACEMENTS[len(graph), edges][0])
    assert len(connected) == 30
    assert found == set(range(30))


def test_pairs_and_affecting_orbits():
    pairs = [tuple(entry["pair"]) for entry in TABLES["orbit_pairs"]]
    assert sorted(pairs) == oracle.pair_orbits(4)
    assert len(oracle.pair_orbits(5)) == 190
    assert oracle.affecting_orbits() == TABLES["affecting_orbits"]


@pytest.mark.parametrize("size", ["four", "five"])
def test_matrices_between_induced_and_not(size):
    k = 4 if size == "four" else 5
    A = random_matrix()
    for name, count in (("node", oracle.node_orbits), ("edge", oracle.edge_orbits)):
        table = TABLES[f"{name}_noninduced"][size]
        induced, not_induced = (count(A, k, flag)[:, table["orbits"]] for flag in (True, False))
        np.testing.assert_array_equal(not_induced, induced @ np.array(table["M"]).T)
        np.testing.assert_array_equal(induced, not_induced @ np.array(table["Minv"]).T)


@pytest.mark.parametrize("size", ["four", "five"])
@pytest.mark.parametrize("kind", ["node", "edge"])
def test_equations(kind, size):
    A = random_matrix()
    count = {"node": oracle.node_orbits, "edge": oracle.edge_orbits}[kind]
    left = {"node": oracle.left_side, "edge": oracle.left_side_of_edges}[kind]
    orbits = count(A, 4 if size == "four" else 5)
    for equation in TABLES[f"{kind}_equations"][size]:
        right = sum(factor * orbits[:, int(q)] for q, factor in equation["coef"].items())
        np.testing.assert_array_equal(left(A, equation), right, err_msg=str(equation))


def test_clique():
    counts = oracle.node_orbits(nx.to_numpy_array(nx.complete_graph(5)), 5)
    expected = np.zeros((5, 73))
    expected[:, [0, 3, 14, 72]] = [4, 6, 4, 1]
    np.testing.assert_array_equal(counts, expected)
    not_induced = oracle.node_orbits(nx.to_numpy_array(nx.complete_graph(4)), 4, induced=False)
    assert not_induced[0].tolist() == [3, 6, 3, 3, 6, 6, 3, 1, 3, 3, 6, 3, 3, 3, 1]


def test_cycle():
    counts = oracle.node_orbits(nx.to_numpy_array(nx.cycle_graph(5)), 5)
    expected = np.zeros((5, 73))
    expected[:, [0, 1, 2, 4, 5, 34]] = [2, 2, 1, 2, 2, 1]
    np.testing.assert_array_equal(counts, expected)


@pytest.mark.parametrize("induced", [True, False])
def test_star(induced):
    counts = oracle.node_orbits(nx.to_numpy_array(nx.star_graph(7)), 5, induced)
    centre, leaf = np.zeros(73), np.zeros(73)
    centre[[0, 2, 7, 23]] = [7, comb(7, 2), comb(7, 3), comb(7, 4)]
    leaf[[0, 1, 6, 22]] = [1, 6, comb(6, 2), comb(6, 3)]
    np.testing.assert_array_equal(counts, np.vstack([centre] + [leaf] * 7))


def test_path():
    A = nx.to_numpy_array(nx.path_graph(5))
    counts = oracle.node_orbits(A, 5)
    assert np.flatnonzero(counts[0]).tolist() == [0, 1, 4, 15]
    assert np.flatnonzero(counts[2]).tolist() == [0, 1, 2, 5, 17]
    np.testing.assert_array_equal(np.flatnonzero(oracle.graphlet_counts(A, 5)), [0, 1, 3, 9])
    assert oracle.graphlet_counts(A, 5)[[0, 1, 3, 9]].tolist() == [4, 3, 2, 1]
    edges = oracle.edge_orbits(A, 5)
    assert edges[0, [0, 2, 12]].tolist() == [1, 1, 1]
    assert edges[1, [0, 2, 3, 13]].tolist() == [2, 1, 1, 1]
    far = oracle.orbit_adjacencies(A)[4, 4, 3]
    assert np.argwhere(far).tolist() == [[0, 3], [1, 4], [3, 0], [4, 1]]


def test_loops_weights_and_isolated_nodes():
    A = random_matrix(7)
    marked = np.zeros((9, 9))
    marked[:7, :7] = -2.5 * A + np.eye(7)
    marked[8, 8] = 1
    counts = oracle.node_orbits(marked, 5)
    np.testing.assert_array_equal(counts[:7], oracle.node_orbits(A, 5))
    assert not counts[7:].any()


def test_new_nodes():
    A = random_matrix(6)
    larger = oracle.with_new_node(A, [0, 3.0, 0, -1, 0, 1])
    assert np.flatnonzero(larger[6]).tolist() == [1, 3, 5]
    found = oracle.new_node_orbits(A, [larger[6, :6], np.zeros(6)])
    np.testing.assert_array_equal(found[0], oracle.node_orbits(larger)[6])
    assert not found[1].any()


def test_similarity_by_hand():
    weight = [1 - np.log(a) / np.log(73) for a in oracle.affecting_orbits()[:15]]
    X = np.zeros((2, 15), dtype=int)
    X[1, 2] = 3
    step = weight[2] * np.log(4) / np.log(5) / sum(weight)
    expected = np.array([[1, 1 - step], [1 - step, 1]])
    np.testing.assert_allclose(oracle.graphlet_degree_similarity(X, X), expected)


def test_correlations_are_those_of_scipy():
    A = random_matrix(10, 0.3)
    counts = np.vstack([oracle.node_orbits(A)[:, oracle.CORRELATED], np.ones(11)])
    expected = spearmanr(counts).statistic
    np.testing.assert_allclose(oracle.graphlet_correlation_matrix(A), expected, atol=1e-12)
    # Stars of one edge: every column is constant but the first, and that after the ones too.
    pairs = nx.to_numpy_array(nx.Graph([(0, 1), (2, 3)]))
    matrix = oracle.graphlet_correlation_matrix(pairs)
    assert matrix[0, 1:].tolist() == [0] * 10
    assert matrix[1, 2] == 1


def test_earth_mover_is_that_of_scipy_at_the_best_shift():
    rng = np.random.default_rng(0)
    for n_a, n_b in ((1, 1), (3, 5), (6, 4)):
        a, b = rng.integers(0, 9, n_a).tolist(), rng.integers(0, 9, n_b).tolist()
        shifts = np.linspace(-9, 9, 1801)
        rough = min(wasserstein_distance(a, np.add(b, shift)) for shift in shifts)
        assert oracle.shifted_earth_mover(a, b) == pytest.approx(rough, abs=1e-9)
    a, b = rng.normal(size=6).tolist(), rng.normal(size=7).tolist()
    best = minimize_scalar(lambda shift: wasserstein_distance(a, np.add(b, shift)), tol=1e-12)
    assert oracle.shifted_earth_mover(a, b) <= best.fun + 1e-12
    assert oracle.shifted_earth_mover(a, b) == pytest.approx(best.fun, rel=1e-5)


def test_random_walk_matrix_of_one_step_is_shifted_pmi():
    A = random_matrix(8)
    A[3] = A[:, 3] = 0
    degree = np.maximum(A.sum(axis=1), 1)
    one_step = np.log(np.maximum(1, A * A.sum() / np.outer(degree, degree)))
    np.testing.assert_allclose(oracle.random_walk_matrix(A, 1), one_step, atol=1e-12)
    np.testing.assert_allclose(oracle.weighted_counts(A, "ppmi"), one_step, atol=1e-12)
    for window in (1, 4):
        expected = oracle.random_walk_matrix(A, window)
        np.testing.assert_allclose(oracle.random_walk_rows(A, A, window), expected, atol=1e-12)
        assert not expected[3].any()


def test_all_pairs_leave_out_empty_matrices_and_the_far_ends_of_paths():
    assert oracle.all_pairs_matrix(nx.to_numpy_array(nx.complete_graph(4))).shape == (4, 12)
    assert oracle.all_pairs_matrix(np.zeros((3, 3))).shape == (3, 0)
    club = nx.to_numpy_array(nx.karate_club_graph())
    V = oracle.all_pairs_matrix(club, "normalized")
    assert V.shape == (34, 34 * 27)
    np.testing.assert_allclose(np.linalg.norm(V[:, :34]), 1)
