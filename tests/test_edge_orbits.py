"""The solvers for edge orbits: against the oracle, stored answers, closed forms and node orbits."""

from math import comb
from unittest import mock

import hypothesis.strategies as st
import naive_graphlets as oracle
import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
from conftest import JIT_DISABLED
from graphlet_helpers import (
    SMALL_CASES,
    adjacency_of,
    load_case,
    matrix_of,
    random_graphs,
    random_pattern,
    star,
)
from hypothesis import given

from sparsekit.core.csr import canonical
from sparsekit.core.ordering import order_by_degree
from sparsekit.graphlets import count_orbits
from sparsekit.graphlets.orbits import _edges5_overflow
from sparsekit.graphlets.orbits._count4 import edge_counts, node_sums
from sparsekit.graphlets.orbits._edges4 import (
    edge_facts,
    edge_offsets,
    edge_orbits_four,
    rows_of_edges,
    upward_slots,
)
from sparsekit.graphlets.orbits._edges5 import edge_orbits_five
from sparsekit.graphlets.orbits._edges5_overflow import check_edge_range

SOLVERS = {4: edge_orbits_four, 5: edge_orbits_five}
sizes = pytest.mark.parametrize("max_nodes", sorted(SOLVERS))


def solve(A, max_nodes, induced=True, n_jobs=None):
    """Counts in the order of the upper triangle of A."""
    ordered, nodes = order_by_degree(canonical(sp.csr_array(A)))
    counts = SOLVERS[max_nodes](ordered, induced, n_jobs, nodes)
    assert counts.dtype == np.int64
    assert counts.flags.c_contiguous
    return counts


@sizes
@pytest.mark.parametrize("name", SMALL_CASES)
def test_small_cases(name, max_nodes):
    case = load_case(name)
    found = solve(adjacency_of(case), max_nodes)
    np.testing.assert_array_equal(found, case[f"edge{max_nodes}"])


@sizes
@given(A=random_graphs(), induced=st.booleans())
def test_random_graphs(max_nodes, A, induced):
    found = solve(A, max_nodes, induced)
    np.testing.assert_array_equal(found, oracle.edge_orbits(A, max_nodes, induced))


@given(A=random_graphs())
def test_rows_of_edges(A):
    ordered, nodes = order_by_degree(canonical(A))
    slots, offsets = upward_slots(ordered), edge_offsets(ordered)
    lower, higher = ordered.indices[ordered.mirrored[slots]], ordered.indices[slots]
    assert np.all(lower < higher)
    assert np.array_equal(slots - offsets[lower], np.arange(len(slots)))
    rows = rows_of_edges(ordered, offsets, nodes)
    ends = np.sort([nodes[lower], nodes[higher]], axis=0).T
    expected = {edge: i for i, edge in enumerate(oracle.upper_edges(A))}
    assert rows.tolist() == [expected[tuple(edge)] for edge in ends.tolist()]


@sizes
@pytest.mark.parametrize("n_nodes", [1, 2, 5])
def test_no_edges(n_nodes, max_nodes):
    counts = solve(np.zeros((n_nodes, n_nodes)), max_nodes)
    assert counts.shape == (0, {4: 12, 5: 68}[max_nodes])


@pytest.mark.parametrize("induced", [True, False])
@pytest.mark.parametrize("n_leaves", [1, 2, 3, 4, 70])
def test_stars(n_leaves, induced):
    counts = solve(star(n_leaves), 5, induced)
    others = n_leaves - 1
    expected = np.zeros((n_leaves, 68), dtype=np.int64)
    expected[:, 0], expected[:, 4], expected[:, 17] = others, comb(others, 2), comb(others, 3)
    np.testing.assert_array_equal(counts, expected)


@pytest.mark.parametrize("n_nodes", [3, 4, 5, 8, 12 if JIT_DISABLED else 66])
def test_cliques(n_nodes):
    counts = solve(np.ones((n_nodes, n_nodes)) - np.eye(n_nodes), 5)
    others = n_nodes - 2
    expected = np.zeros((comb(n_nodes, 2), 68), dtype=np.int64)
    expected[:, 1], expected[:, 11], expected[:, 67] = others, comb(others, 2), comb(others, 3)
    np.testing.assert_array_equal(counts, expected)


def test_copies_in_a_clique():
    """Every graphlet is a subgraph of a clique: copies on an edge by counting placements."""
    n_nodes = 7
    counts = solve(np.ones((n_nodes, n_nodes)) - np.eye(n_nodes), 5, induced=False)
    for graphlet, (_, _, orbits) in enumerate(oracle.GRAPHLETS[1:], start=1):
        k = oracle.n_nodes_of(graphlet)
        n_placements = sum(found == graphlet for found, _ in oracle.PLACEMENTS.values())
        for orbit in set(orbits):
            # Placements on k nodes spread evenly over the edges between these.
            expected = comb(n_nodes - 2, k - 2) * n_placements * orbits.count(orbit) / comb(k, 2)
            assert np.all(counts[:, orbit] == expected)


def test_more_nodes_than_int32_can_number(monkeypatch):
    monkeypatch.setattr("sparsekit.core.ordering._MOST_NODES", 4)
    assert len(solve(star(3), 4)) == 3
    with pytest.raises(ValueError, match="at most 4 nodes, got 5"):
        solve(star(4), 4)


def incidences():
    """How many edges on each edge orbit (column) meet at a node on each node orbit (row)."""
    counts = np.zeros((73, 68), dtype=np.int64)
    for graphlet, (_, on_nodes, on_edges) in enumerate(oracle.GRAPHLETS[1:], start=1):
        for node in range(len(on_nodes)):
            counts[on_nodes[node]] = 0
            for edge, orbit in zip(oracle.edge_list(graphlet), on_edges, strict=True):
                counts[on_nodes[node], orbit] += node in edge
    return counts


def assert_agrees_with_nodes(A, counts):
    """Occurrences seen from the edges at a node are those seen from the node."""
    upper = sp.csr_array(sp.triu(sp.csr_array(A), 1)).tocoo()
    at_nodes = np.zeros((A.shape[0], 68), dtype=np.int64)
    np.add.at(at_nodes, upper.row, counts)
    np.add.at(at_nodes, upper.col, counts)
    np.testing.assert_array_equal(at_nodes, count_orbits(A, 5) @ incidences())


def test_node_orbits_of_the_oracle():
    A = random_pattern(10, 0.5, seed=0)
    at_nodes = np.zeros((10, 68), dtype=np.int64)
    for edge, row in zip(oracle.upper_edges(A), oracle.edge_orbits(A, 5), strict=True):
        at_nodes[list(edge)] += row
    np.testing.assert_array_equal(at_nodes, oracle.node_orbits(A, 5) @ incidences())


SCALE = 1 if JIT_DISABLED else 6
LARGER = {
    "dense": lambda: random_pattern(26 * SCALE, 0.6, seed=1),
    "nearly complete": lambda: random_pattern(22 * SCALE, 0.97, seed=2),
    "sparse": lambda: random_pattern(60 * SCALE, 0.05, seed=3),
    "clustered": lambda: matrix_of(nx.powerlaw_cluster_graph(40 * SCALE, 6, 0.8, seed=4)),
    "geometric": lambda: matrix_of(nx.random_geometric_graph(40 * SCALE, 0.2, seed=5)),
    "parts": lambda: matrix_of(nx.complete_multipartite_graph(*[4 * SCALE] * 4)),
    "hubs": lambda: matrix_of(nx.barabasi_albert_graph(60 * SCALE, 3, seed=6)),
}


@pytest.mark.parametrize("n_jobs", [None, 3])
@pytest.mark.parametrize("name", sorted(LARGER))
def test_agreement_with_node_orbits(name, n_jobs, monkeypatch):
    """Neighbourhoods of more than a word of bits, on one thread and on several."""
    monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", 4)
    A = LARGER[name]()
    assert_agrees_with_nodes(A, solve(A, 5, n_jobs=n_jobs))


@sizes
@pytest.mark.parametrize("name", ["clustered", "dense", "sparse"])
def test_threads_give_the_same_counts(name, max_nodes, monkeypatch):
    monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", 4)
    A = LARGER[name]()
    alone = solve(A, max_nodes, induced=False)
    for n_jobs in (2, -1):
        assert np.array_equal(solve(A, max_nodes, induced=False, n_jobs=n_jobs), alone)


@given(A=random_graphs())
def test_bounds_hold(A):
    """Trees and graphlets with one cycle are bounded each, all others by a multiple of these."""
    ordered, nodes = order_by_degree(canonical(A))
    offsets, edges = edge_offsets(ordered), edge_counts(ordered, None)
    sums, facts = node_sums(ordered, edges, None), edge_facts(ordered, offsets, edges, None)
    rows = rows_of_edges(ordered, offsets, nodes)
    copies = edge_orbits_five(ordered, False, None, nodes)[rows]
    copies[:, :12] = 0
    with mock.patch.object(_edges5_overflow, "_LIMIT", max(1.0, copies.max(initial=0.0))):
        if copies.any():
            with pytest.raises(OverflowError, match=r"edge orbit.* (1[2-9]|2\d|3[01])[ ,]"):
                check_edge_range(ordered, sums, facts)
    slots = upward_slots(ordered)
    arguments = np.diff(ordered.indptr), sums
    ends = ordered.indices[ordered.mirrored[slots]], ordered.indices[slots]
    bounds = _edges5_overflow._tree_bounds(ordered, *arguments, *ends)
    if len(slots) > 0:
        bounds |= _edges5_overflow._one_cycle_bounds(ordered, *arguments, facts, *ends)
    for orbit, bound in bounds.items():
        assert np.all(copies[:, orbit] <= bound)


@pytest.mark.skipif(JIT_DISABLED, reason="a hub of hundreds of thousands of leaves")
def test_a_hub_with_more_sets_of_four_than_fit():
    n_leaves = 200_000
    counts = solve(star(n_leaves), 5)
    assert np.all(counts[:, 17] == comb(n_leaves - 1, 3))


@pytest.mark.skipif(JIT_DISABLED, reason="hubs of hundreds of thousands of leaves")
def test_hubs_with_triangles():
    """Two adjacent hubs with many common neighbours: orbits of a triangle with two leaves."""
    n_common, n_leaves = 20, 300_000
    ends = np.concatenate([np.zeros(n_leaves, int), np.ones(n_common, int), [0]])
    others = np.concatenate([np.arange(2, n_leaves + 2), np.arange(2, n_common + 2), [1]])
    upper = sp.coo_array((np.ones(len(ends)), (ends, others)), shape=(n_leaves + 2,) * 2)
    counts = solve(upper.tocsr() + upper.tocsr().T, 5, induced=False)
    between = counts[0]  # the row of edge 0 - 1 is the first
    assert between[1] == n_common
    assert between[27] == n_common * (comb(n_leaves - 1, 2) + comb(n_common - 1, 2))
    assert between[48] == comb(n_common, 3)
    assert between[58] == 0
