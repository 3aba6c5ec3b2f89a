"""Estimated numbers of graphlets against exact ones: no bias, honest standard errors."""

from functools import cache

import naive_graphlets as oracle
import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
from conftest import JIT_DISABLED
from graphlet_helpers import (
    adjacency_of,
    load_case,
    matrix_of,
    messy,
    random_graphs,
    random_pattern,
    star,
)
from hypothesis import given

from sparsekit.core.csr import canonical
from sparsekit.core.ordering import order_by_degree
from sparsekit.graphlets import GraphletEstimate, _sample, estimate_graphlets
from sparsekit.graphlets._sample import KINDS
from sparsekit.graphlets.orbits._count4 import edge_counts, node_sums
from sparsekit.graphlets.samples import _totals
from sparsekit.graphlets.samples._copies import copies_matrix, graphlets_of_codes
from sparsekit.graphlets.samples._totals import total_copies

NEEDS_COMPILER = pytest.mark.skipif(JIT_DISABLED, reason="hundreds of thousands of samples")
GRAPHS = {
    "dense": random_pattern(14, 0.45, 1),
    "hub": matrix_of(nx.compose(nx.star_graph(15), nx.gnp_random_graph(16, 0.15, seed=2))),
    "clustered": matrix_of(nx.connected_caveman_graph(4, 5)),
    "bipartite": matrix_of(nx.complete_bipartite_graph(4, 7)),
    "karate": matrix_of(nx.karate_club_graph()),
}


@cache
def exact(name):
    return oracle.graphlet_counts(GRAPHS[name], 5)


@cache
def repeated(name):
    """Estimates of the same graph for 200 seeds."""
    estimates = [
        estimate_graphlets(GRAPHS[name], n_samples=2000, random_state=seed) for seed in range(200)
    ]
    return np.array([e.counts for e in estimates]), np.array([e.stderr for e in estimates])


def prepared(A):
    ordered, _ = order_by_degree(canonical(sp.csr_array(A)))
    edges = edge_counts(ordered, None)
    return ordered, edges, node_sums(ordered, edges, None)


def samples_of(A, n_samples, seed, n_jobs=None):
    arrays = prepared(A)
    copies = total_copies(*arrays, n_jobs)
    return _sample._draw_samples(*arrays, copies, n_samples, np.uint64(seed), n_jobs), copies


def test_codes():
    for n_nodes, n_connected in {2: 1, 3: 4, 4: 38, 5: 728}.items():
        numbers = graphlets_of_codes(n_nodes)
        assert np.count_nonzero(numbers >= 0) == n_connected
        assert {oracle.n_nodes_of(i) for i in set(numbers.tolist()) - {-1}} == {n_nodes}
        with pytest.raises(ValueError, match="read-only"):
            numbers[0] = 0


def test_copies_in_each_other():
    """Rooted copies, as the oracle lists them, summed over the roots."""
    for host in range(30):
        rooted = oracle.node_orbits(oracle.graphlet_matrix(host), 5, induced=False).sum(axis=0)
        for pattern in range(30):
            if oracle.n_nodes_of(pattern) == oracle.n_nodes_of(host):
                orbits = oracle.GRAPHLETS[pattern][1]
                expected = rooted[orbits[0]] // orbits.count(orbits[0])
                assert copies_matrix()[pattern, host] == expected
            else:
                assert copies_matrix()[pattern, host] == 0


@given(random_graphs(9))
def test_totals(A):
    copies = total_copies(*prepared(A), None)
    known = ~np.isnan(copies)
    assert set(np.flatnonzero(known)) == set(range(9)) | {kind.graphlet for kind in KINDS}
    induced = oracle.graphlet_counts(A, 5)
    np.testing.assert_array_equal(copies[known], (copies_matrix() @ induced)[known])


@NEEDS_COMPILER
@pytest.mark.parametrize("name", GRAPHS)
def test_every_kind_is_drawn_uniformly(name):
    """The shares of the graphlets among the copies, and of the copies among the draws."""
    samples, copies = samples_of(GRAPHS[name], 400_000, 0)
    assert len(samples.kinds) == sum(copies[kind.graphlet] > 0 for kind in KINDS)
    for kind, n_draws, ways, hits in zip(*samples, strict=True):
        expected = copies_matrix()[kind] * exact(name) / copies[kind]
        assert expected.sum() == pytest.approx(1)
        n_copies = hits.sum()
        sigma = np.sqrt(n_copies * expected * (1 - expected))
        assert np.all(np.abs(hits - n_copies * expected) <= 4.5 * sigma + 1e-9)
        share = copies[kind] / ways
        assert abs(n_copies - n_draws * share) <= 4 * np.sqrt(n_draws * share * (1 - share)) + 1e-9


@NEEDS_COMPILER
@pytest.mark.parametrize("name", GRAPHS)
def test_no_bias(name):
    counts, _ = repeated(name)
    error = counts.mean(axis=0) - exact(name)
    sigma = counts.std(axis=0, ddof=1) / np.sqrt(len(counts))
    np.testing.assert_array_equal(error[:9], 0)
    assert np.all(np.abs(error) <= 4 * sigma + 1e-9 * exact(name))


@NEEDS_COMPILER
@pytest.mark.parametrize(("name", "n_samples"), [("karate", 10), ("cliques", 100)])
def test_no_bias_from_kinds_without_a_proper_draw(name, n_samples):
    """Among 200 cliques of four nodes hardly a draw has five different nodes."""
    parts = [nx.complete_graph(4)] * 200
    parts += [nx.complete_graph(5), nx.wheel_graph(5), nx.lollipop_graph(4, 1)]
    A = GRAPHS[name] if name in GRAPHS else matrix_of(nx.disjoint_union_all(parts))
    large = matrix_of(nx.disjoint_union_all(parts[200:]))  # the only parts with five nodes
    truth = exact(name) if name in GRAPHS else oracle.graphlet_counts(large, 5)
    found = [estimate_graphlets(A, n_samples=n_samples, random_state=s).counts for s in range(1000)]
    error = np.mean(found, axis=0)[9:] - truth[9:]
    sigma = np.std(found, axis=0, ddof=1)[9:] / np.sqrt(len(found))
    assert np.all(np.abs(error) <= 4 * sigma + 1e-9 * truth[9:])


@NEEDS_COMPILER
@pytest.mark.parametrize("name", [name for name in GRAPHS if name != "bipartite"])
def test_intervals_cover_the_truth(name):
    counts, stderr = repeated(name)
    truth = exact(name)
    covered = np.mean(np.abs(counts - truth) <= 1.96 * stderr + 1e-9 * truth, axis=0)
    certain = np.all(stderr == 0, axis=0)
    np.testing.assert_array_equal(covered[certain], 1)
    often = ~certain & (truth**2 > 20 * np.mean(stderr**2, axis=0))  # at least 20 hits
    assert np.count_nonzero(often) >= 6
    margin = 4 * np.sqrt(0.95 * 0.05 / len(counts))
    assert np.all(covered[often] > 0.95 - margin)
    assert 0.93 < covered[often].mean() < 0.97
    ratio = counts.var(axis=0, ddof=1)[often] / np.mean(stderr**2, axis=0)[often]
    assert np.all((ratio > 0.6) & (ratio < 1.5))  # chi-square: 1 +- 4 sqrt(2 / 199)


@NEEDS_COMPILER
def test_rare_graphlets_are_covered_rather_too_often():
    """With less than 20 hits counts are skewed; without any the rule of three holds."""
    counts, stderr = repeated("karate")
    rare = (exact("karate") > 0) & (stderr.mean(axis=0) > 0.3 * exact("karate"))
    assert np.any(rare)
    covered = np.mean(counts + 1.96 * stderr >= exact("karate"), axis=0)
    assert np.all(covered[rare] > 0.85)
    assert np.all(stderr[(counts == 0) & (exact("karate") > 0)] > 0)


@pytest.mark.parametrize("number", range(30))
def test_each_graphlet_is_found_in_itself(number):
    """Every draw hits it."""
    A = oracle.graphlet_matrix(number)
    estimate = estimate_graphlets(A, n_samples=1000, random_state=number)
    np.testing.assert_allclose(estimate.counts, oracle.graphlet_counts(A, 5), rtol=1e-12)
    assert np.all(estimate.stderr[:9] == 0)
    assert np.all(estimate.stderr[oracle.graphlet_counts(A, 5) > 0] < 0.1)


def test_result():
    estimate = estimate_graphlets(GRAPHS["dense"], n_samples=101, random_state=0)
    assert isinstance(estimate, GraphletEstimate)
    assert estimate.counts.shape == estimate.stderr.shape == (30,)
    assert estimate.counts.dtype == estimate.stderr.dtype == np.float64
    assert estimate.n_samples == 110  # eleven for each of ten shares
    np.testing.assert_array_equal(estimate.counts[:9], exact("dense")[:9])


def test_four_nodes_are_exact():
    counts, stderr, n_samples = estimate_graphlets(GRAPHS["karate"], 4)
    np.testing.assert_array_equal(counts, oracle.graphlet_counts(GRAPHS["karate"], 4))
    np.testing.assert_array_equal(stderr, np.zeros(9))
    assert n_samples == 0


def test_seeds():
    A = GRAPHS["karate"]
    first, again, other = (
        estimate_graphlets(A, n_samples=300, random_state=seed) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first.counts, again.counts)
    np.testing.assert_array_equal(first.stderr, again.stderr)
    assert np.any(first.counts != other.counts)
    states = [
        estimate_graphlets(A, n_samples=300, random_state=np.random.RandomState(3))
        for _ in range(2)
    ]
    np.testing.assert_array_equal(states[0].counts, states[1].counts)
    estimate_graphlets(A, n_samples=1, random_state=-1)
    estimate_graphlets(A, n_samples=1, random_state=2**64 + 5)


@NEEDS_COMPILER
@pytest.mark.parametrize("name", ["big_er_200_20", "big_er_1000_50", "big_er_10000_20"])
def test_big_cases(name):
    case = load_case(name)
    counts, stderr, _ = estimate_graphlets(adjacency_of(case), random_state=0)
    by_orbit = case["node5_colsum"]
    truth = np.array(
        [by_orbit[orbits[0]] // orbits.count(orbits[0]) for _, orbits, _ in oracle.GRAPHLETS]
    )
    np.testing.assert_array_equal(counts[:9], truth[:9])
    assert np.all(np.abs(counts - truth) <= 4 * stderr)
    assert np.all(stderr[9:13] < 0.01 * truth[9:13])


@NEEDS_COMPILER
@pytest.mark.parametrize("n_jobs", [2, -1])
def test_threads(n_jobs):
    graph = nx.barabasi_albert_graph(2000, 5, seed=0)
    alone = estimate_graphlets(graph, n_samples=200_000, random_state=0)
    found = estimate_graphlets(graph, n_samples=200_000, random_state=0, n_jobs=n_jobs)
    np.testing.assert_array_equal(found.counts, alone.counts)
    np.testing.assert_array_equal(found.stderr, alone.stderr)


def test_more_samples_continue_fewer():
    fewer, _ = samples_of(GRAPHS["dense"], 500, 0)
    more, _ = samples_of(GRAPHS["dense"], 1500, 0)
    assert np.all(more.n_draws == 3 * fewer.n_draws)
    assert np.all(more.hits >= fewer.hits)


DEGENERATE = {
    "one node": np.zeros((1, 1)),
    "no edges": np.zeros((6, 6)),
    "one edge": matrix_of(nx.path_graph(2)),
    "four nodes": matrix_of(nx.complete_graph(4)),
    "disconnected": matrix_of(nx.disjoint_union(nx.cycle_graph(4), nx.empty_graph(3))),
    "star": matrix_of(nx.star_graph(6)),
    "spider": matrix_of(nx.Graph([(0, 1), (0, 2), (0, 3), (3, 4)])),
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_what_can_be_known_is_exact(name):
    """What is absent, and a kind of copies that only one graphlet can hold."""
    A = DEGENERATE[name]
    counts, stderr, _ = estimate_graphlets(A, n_samples=1, random_state=0)
    np.testing.assert_allclose(counts, oracle.graphlet_counts(A, 5), rtol=1e-12)
    np.testing.assert_array_equal(stderr, np.zeros(30))


def test_forest():
    """Only that no path closes to a cycle of five nodes is not known."""
    A = matrix_of(nx.disjoint_union(nx.balanced_tree(2, 3), nx.star_graph(6)))
    counts, stderr, _ = estimate_graphlets(A, n_samples=1, random_state=0)
    np.testing.assert_allclose(counts, oracle.graphlet_counts(A, 5), rtol=1e-12)
    assert set(np.flatnonzero(stderr)) == {9, 15}


@pytest.mark.parametrize(
    "graph",
    [nx.complete_graph(7), nx.path_graph(9), nx.cycle_graph(5), nx.cycle_graph(8)],
    ids=["clique", "path", "five-cycle", "cycle"],
)
def test_one_graphlet_only(graph):
    counts, _, _ = estimate_graphlets(graph, n_samples=50, random_state=0)
    np.testing.assert_allclose(counts, oracle.graphlet_counts(matrix_of(graph), 5), rtol=1e-12)


def test_absent_parts():
    _, stderr, _ = estimate_graphlets(GRAPHS["bipartite"], n_samples=300, random_state=0)
    uncertain = np.flatnonzero(stderr)
    assert set(uncertain) <= {9, 10, 15, 16, 20}  # the others hold a triangle, or are stars
    assert 20 in uncertain


def test_disconnected_parts_add_up():
    A = GRAPHS["dense"]
    both = np.block([[A, np.zeros_like(A)], [np.zeros_like(A), A]])
    both = sp.block_diag([both, np.zeros((3, 3))]).toarray()
    counts, stderr, _ = estimate_graphlets(both, n_samples=4000, random_state=1)
    np.testing.assert_array_equal(counts[:9], 2 * exact("dense")[:9])
    assert np.all(np.abs(counts - 2 * exact("dense")) <= 5 * stderr + 1e-9)


@pytest.mark.parametrize("n_samples", [1, 2, 9])
def test_few_samples_give_finite_results(n_samples):
    for seed in range(20):
        counts, stderr, _ = estimate_graphlets(
            GRAPHS["clustered"], n_samples=n_samples, random_state=seed
        )
        assert np.all(np.isfinite(counts))
        assert np.all(np.isfinite(stderr))
        assert np.all(counts >= 0)


def test_draws_that_never_succeed():
    """Of many cycles of four nodes and one path, hardly a draw of paths finds the path."""
    parts = [matrix_of(nx.cycle_graph(4))] * 50 + [matrix_of(nx.path_graph(5))]
    counts, stderr, _ = estimate_graphlets(sp.block_diag(parts), n_samples=1, random_state=0)
    np.testing.assert_array_equal(counts[:9], [204, 203, 0, 2, 0, 50, 0, 0, 0])
    np.testing.assert_array_equal(counts[9:], np.zeros(21))
    assert set(np.flatnonzero(stderr)) == {9, 15}
    assert 1.96 * stderr[9] > 1


def test_weights_and_loops_do_not_matter():
    A = GRAPHS["karate"]
    plain, other = (estimate_graphlets(X, n_samples=300, random_state=0) for X in (A, messy(A)))
    np.testing.assert_array_equal(plain.counts, other.counts)
    np.testing.assert_array_equal(plain.stderr, other.stderr)


@NEEDS_COMPILER
def test_counts_beyond_64_bits():
    n_leaves = 200_000
    A = star(n_leaves)
    counts, stderr, _ = estimate_graphlets(A, n_samples=10, random_state=0)
    expected = n_leaves * (n_leaves - 1) * (n_leaves - 2) * (n_leaves - 3) // 24
    assert expected > 2**63
    assert counts[11] == pytest.approx(expected, rel=1e-12)
    assert np.count_nonzero(counts) == 4
    assert np.all(stderr == 0)


def test_nothing_is_rounded_off_below_2_to_the_53(monkeypatch):
    arrays = prepared(GRAPHS["clustered"])
    expected = total_copies(*arrays, None)
    monkeypatch.setattr(_totals, "_ROUNDING", 1.0)  # more than any difference
    np.testing.assert_array_equal(total_copies(*arrays, None), expected)
    monkeypatch.setattr(_totals, "_EXACT", 1.0)
    assert total_copies(*arrays, None)[9] == 0 < expected[9]


@NEEDS_COMPILER
def test_large_totals_keep_their_precision():
    """A hub of 150,000 neighbours next to a clique: both are found."""
    n_leaves = 150_000
    graph = sp.block_diag([star(n_leaves), matrix_of(nx.complete_graph(12))], format="csr")
    counts, stderr, _ = estimate_graphlets(graph, n_samples=20_000, random_state=0)
    assert abs(counts[29] - 792) <= 4 * stderr[29] + 1e-9
    assert counts[29] == pytest.approx(792, rel=0.2)
    assert counts[8] == 495


@pytest.mark.parametrize("n_samples", [0, -3, 1.5, "many", None, True])
def test_bad_n_samples(n_samples):
    with pytest.raises(ValueError, match="n_samples"):
        estimate_graphlets(GRAPHS["dense"], n_samples=n_samples)


@pytest.mark.parametrize("max_nodes", [3, 6, "5", None])
def test_bad_max_nodes(max_nodes):
    with pytest.raises(ValueError, match="max_nodes"):
        estimate_graphlets(GRAPHS["dense"], max_nodes)


def test_bad_graphs():
    with pytest.raises(ValueError, match="undirected"):
        estimate_graphlets(np.triu(GRAPHS["dense"]))
    with pytest.raises(ValueError, match="at least one node"):
        estimate_graphlets(np.zeros((0, 0)))
    with pytest.raises(ValueError):
        estimate_graphlets(np.full((2, 2), np.nan))
    with pytest.raises(ValueError, match="seed"):
        estimate_graphlets(GRAPHS["dense"], random_state="seed")
