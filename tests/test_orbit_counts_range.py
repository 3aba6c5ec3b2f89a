"""Orbit counts of large graphs: identities on 100,000 nodes, and the edge of 64-bit integers."""

from functools import cache
from math import comb

import naive_graphlets as oracle
import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
from graphlet_helpers import star

from sparsekit import graphlets
from sparsekit.graphlets import count_orbits

LARGEST = 2**63 - 1


def family(max_nodes):
    return oracle.GRAPHLETS[: oracle.N_GRAPHLETS[max_nodes]]


def orbits_with(n_nodes, degree):
    """Node orbits of graphlets of n_nodes nodes on which a node has that degree."""
    found = set()
    for graphlet, (_, orbits, _) in enumerate(oracle.GRAPHLETS):
        if len(orbits) == n_nodes:
            degrees = oracle.graphlet_matrix(graphlet).sum(axis=1)
            found |= {orbit for orbit, d in zip(orbits, degrees, strict=True) if d == degree}
    return sorted(found)


def incidence(max_nodes):
    """Entry [i, j]: number of edges on edge orbit j at a node on node orbit i."""
    matrix = np.zeros((oracle.N_NODE_ORBITS[max_nodes], oracle.N_EDGE_ORBITS[max_nodes]), np.int64)
    for graphlet, (_, orbits, on_edges) in enumerate(family(max_nodes)):
        first = [orbits.index(orbit) for orbit in orbits]
        for (a, b), orbit in zip(oracle.edge_list(graphlet), on_edges, strict=True):
            for node in (a, b):
                if orbit >= 0 and first[node] == node:
                    matrix[orbits[node], orbit] += 1
    return matrix


def choose(d, k):
    """Binomial coefficients of an int64 array."""
    result = np.ones_like(d)
    for i in range(k):
        result = result * np.maximum(d - i, 0) // (i + 1)
    return result


def assert_identities(A, counts, max_nodes):
    d = np.diff(A.indptr).astype(np.int64)
    assert np.array_equal(counts[:, 0], d)
    for k in range(3, max_nodes + 1):
        full = counts[:, orbits_with(k, k - 1)].sum(axis=1)
        np.testing.assert_array_equal(full, choose(d, k - 1))
    np.testing.assert_array_equal(
        (d - 2) * counts[:, 3], counts[:, [11, 13, 13, 14, 14, 14]].sum(1)
    )
    totals = counts.sum(axis=0)
    for _, orbits, _ in family(max_nodes):
        occurrences = [divmod(int(totals[i]), orbits.count(i)) for i in sorted(set(orbits))]
        assert len(set(occurrences)) == 1
        assert occurrences[0][1] == 0


def assert_edges_agree(A, counts, on_edges, max_nodes):
    """The orbits of the edges at a node follow from the orbits of the node."""
    entries = sp.triu(A, k=1).tocsr().tocoo()
    at_nodes = np.zeros((A.shape[0], on_edges.shape[1]), dtype=np.int64)
    for ends in (entries.row, entries.col):
        np.add.at(at_nodes, ends, on_edges)
    np.testing.assert_array_equal(at_nodes, counts @ incidence(max_nodes))


def random_graph(n_nodes, n_edges, seed):
    """Uniform pairs; loops and parallel edges are dropped."""
    ends = np.random.default_rng(seed).integers(0, n_nodes, size=(2, n_edges))
    ends = ends[:, ends[0] != ends[1]]
    A = sp.csr_array((np.ones(ends.shape[1]), tuple(ends)), shape=(n_nodes, n_nodes))
    return sp.csr_array(((A + A.T) > 0).astype(float))


def clustered_graph(n_nodes, seed):
    """Points on a long strip, each tied to those near it, and hubs over all of it."""
    rng = np.random.default_rng(seed)
    place = np.sort(rng.random(n_nodes) * n_nodes)
    rows, columns = [], []
    for step in range(1, 12):
        near = np.flatnonzero(place[step:] - place[:-step] < 3.0)
        rows.append(near)
        columns.append(near + step)
    hubs = rng.integers(0, n_nodes, size=(5, 1))
    reached = rng.integers(0, n_nodes, size=(5, 400))
    rows.append(np.broadcast_to(hubs, reached.shape).ravel())
    columns.append(reached.ravel())
    ends = np.concatenate(rows), np.concatenate(columns)
    A = sp.csr_array((np.ones(len(ends[0])), ends), shape=(n_nodes, n_nodes))
    A = sp.csr_array(((A + A.T) > 0).astype(float))
    A.setdiag(0)
    A.eliminate_zeros()
    return A


GRAPHS = {
    "uniform": lambda: random_graph(100_000, 300_000, seed=0),
    "clustered": lambda: clustered_graph(100_000, seed=0),
    "power law": lambda: sp.csr_array(
        nx.to_scipy_sparse_array(nx.barabasi_albert_graph(100_000, 3, seed=0))
    ),
}


@cache
def large_graph(name):
    return GRAPHS[name]()


@pytest.mark.slow
@pytest.mark.parametrize("max_nodes", [4, 5])
@pytest.mark.parametrize("name", sorted(GRAPHS))
def test_identities_on_many_nodes(name, max_nodes):
    A = large_graph(name)
    counts = count_orbits(A, max_nodes, n_jobs=-1)
    assert_identities(A, counts, max_nodes)
    on_edges = count_orbits(A, max_nodes, kind="edge", n_jobs=-1)
    assert_edges_agree(A, counts, on_edges, max_nodes)


def test_identities_on_few_nodes():
    """The identities themselves hold for the oracle."""
    A = sp.csr_array(nx.to_scipy_sparse_array(nx.gnp_random_graph(12, 0.4, seed=0)))
    dense = A.toarray()
    for max_nodes in (4, 5):
        counts = oracle.node_orbits(dense, max_nodes)
        assert_identities(A, counts, max_nodes)
        assert_edges_agree(A, counts, oracle.edge_orbits(dense, max_nodes), max_nodes)


@pytest.mark.slow
@pytest.mark.parametrize("max_nodes", [4, 5])
@pytest.mark.parametrize("name", sorted(GRAPHS))
def test_rows_and_threads_on_many_nodes(name, max_nodes):
    A = large_graph(name)
    everything = count_orbits(A, max_nodes)
    assert np.array_equal(count_orbits(A, max_nodes, n_jobs=2), everything)
    nodes = np.random.default_rng(1).integers(0, 100_000, size=50)
    some = count_orbits(A, max_nodes, nodes=nodes)
    np.testing.assert_array_equal(some, everything[nodes])
    assert np.array_equal(count_orbits(A, max_nodes, nodes=nodes, n_jobs=2), some)


def assert_star(counts, n_leaves):
    """Counts of a star with node 0 in the centre; all leaves are alike."""
    centre = {0: n_leaves, 2: comb(n_leaves, 2), 7: comb(n_leaves, 3), 23: comb(n_leaves, 4)}
    others = n_leaves - 1
    leaf = {0: 1, 1: others, 6: comb(others, 2), 22: comb(others, 3)}
    n_columns = counts.shape[1]
    for row, orbits in ((counts[0], centre), (counts[1], leaf)):
        expected = {i: value for i, value in orbits.items() if i < n_columns}
        assert {i: int(row[i]) for i in np.flatnonzero(row)} == expected
    assert np.array_equal(counts[1:].min(axis=0), counts[1:].max(axis=0))


@pytest.mark.parametrize("induced", [True, False])
def test_five_nodes_up_to_the_largest_integer(induced):
    """Products of four degrees overflow from 55,109 leaves on, the count itself later."""
    for n_leaves in (56_000, 121_000):
        assert comb(n_leaves, 4) <= LARGEST
        assert_star(count_orbits(star(n_leaves), 5, induced=induced), n_leaves)


@pytest.mark.slow
@pytest.mark.parametrize("induced", [True, False])
def test_four_nodes_up_to_the_largest_integer(induced):
    """Products of three degrees overflow from 2.09 million leaves on."""
    counts = count_orbits(star(2_200_000), 4, induced=induced)
    assert_star(counts, 2_200_000)


def largest_star(k):
    """Leaves of the largest star whose centre still counts in 64 bits."""
    n_leaves = int((LARGEST * {3: 6, 4: 24}[k]) ** (1 / k))
    while comb(n_leaves + 1, k) <= LARGEST:
        n_leaves += 1
    while comb(n_leaves, k) > LARGEST:
        n_leaves -= 1
    return n_leaves


@pytest.mark.parametrize("induced", [True, False])
def test_the_exact_limit_of_five_nodes(induced):
    """One leaf more than fits raises; rounding in the check may refuse the very last ones."""
    n_leaves = largest_star(4)
    assert_star(count_orbits(star(n_leaves - 5), 5, induced=induced), n_leaves - 5)
    with pytest.raises(OverflowError, match=r"orbit 23\b"):
        count_orbits(star(n_leaves + 1), 5, induced=induced)


def test_a_star_too_large_for_five_nodes_is_counted_up_to_four():
    A = star(200_000)
    with pytest.raises(OverflowError, match=r"orbit 23\b"):
        count_orbits(A, 5)
    assert_star(count_orbits(A, 4), 200_000)


@pytest.mark.slow
@pytest.mark.parametrize("induced", [True, False])
def test_too_many_leaves_for_four_nodes(induced):
    with pytest.raises(OverflowError, match=r"orbit 7\b"):
        count_orbits(star(4_000_000), 4, induced=induced)


@pytest.mark.slow
def test_edge_orbits_beyond_the_largest_integer():
    """An edge of this star sees more than 2**63 triples of the others."""
    with pytest.raises(OverflowError, match=r"orbit \d+"):
        count_orbits(star(4_000_000), 5, kind="edge")


def test_edge_orbits_of_a_large_star():
    n_leaves = 60_000
    counts = count_orbits(star(n_leaves), 5, kind="edge")
    others = n_leaves - 1
    expected = {0: others, 4: comb(others, 2), 17: comb(others, 3)}
    assert {i: int(counts[7, i]) for i in np.flatnonzero(counts[7])} == expected
    assert np.array_equal(counts.min(axis=0), counts.max(axis=0))


def test_totals_fit_where_their_sums_over_nodes_do_not():
    """Every claw of four leaves is seen from each of them: four times more than there are."""
    n_leaves = 100_000
    assert 4 * comb(n_leaves, 4) > LARGEST
    counts = graphlets.GraphletCounter(5).fit_transform([star(n_leaves)])[0]
    expected = {0: n_leaves, 1: comb(n_leaves, 2), 4: comb(n_leaves, 3), 11: comb(n_leaves, 4)}
    assert {i: int(counts[i]) for i in np.flatnonzero(counts)} == expected


def test_totals_beyond_the_largest_integer():
    """Each star fits, both together do not."""
    both = sp.block_diag([star(121_000), star(121_000)], format="csr")
    with pytest.raises(OverflowError):
        graphlets.GraphletCounter(5).fit_transform([both])


def test_hubs_that_share_leaves():
    """Complete bipartite graph of 3 and many nodes, in closed form."""
    n = 2_000
    rows, columns = np.repeat([0, 1, 2], n), np.tile(np.arange(3, n + 3), 3)
    upper = sp.coo_array((np.ones(3 * n), (rows, columns)), shape=(n + 3, n + 3))
    counts = count_orbits(upper + upper.T, 5)
    hub = {0: n, 1: 2 * n, 2: comb(n, 2), 6: n, 7: comb(n, 3), 8: 2 * comb(n, 2)}
    hub |= {23: comb(n, 4), 50: 2 * comb(n, 3), 49: comb(n, 2)}
    found = counts[0]
    assert {i: int(found[i]) for i in np.flatnonzero(found)} == hub
    leaf = {0: 3, 1: 3 * (n - 1), 2: 3, 6: 3 * comb(n - 1, 2), 7: 1, 8: 3 * (n - 1)}
    leaf |= {22: 3 * comb(n - 1, 3), 49: 3 * comb(n - 1, 2), 50: n - 1}
    found = counts[-1]
    assert {i: int(found[i]) for i in np.flatnonzero(found)} == leaf


def test_two_hubs_with_leaves_of_their_own():
    """Double star: the closed forms multiply degrees of neighbours."""
    n = 40_000
    hubs = np.repeat([0, 1], n)
    rows = np.concatenate([[0], hubs])
    columns = np.concatenate([[1], np.arange(2, 2 * n + 2)])
    shape = (2 * n + 2, 2 * n + 2)
    upper = sp.coo_array((np.ones(len(rows)), (rows, columns)), shape=shape)
    counts = count_orbits(upper + upper.T, 5)
    hub = {0: n + 1, 1: n, 2: comb(n + 1, 2), 5: n * n, 6: comb(n, 2), 7: comb(n + 1, 3)}
    hub |= {20: n * comb(n, 2), 21: n * comb(n, 2), 22: comb(n, 3), 23: comb(n + 1, 4)}
    assert {i: int(counts[0, i]) for i in np.flatnonzero(counts[0])} == hub


def test_rows_beside_a_hub_that_does_not_fit():
    """Only the rows that are asked for have to fit."""
    counts = count_orbits(star(150_000), 5, nodes=[1, 2])
    others = 149_999
    assert counts[:, [0, 1, 6, 22]].tolist() == [[1, others, comb(others, 2), comb(others, 3)]] * 2
    with pytest.raises(OverflowError, match=r"orbit 23\b"):
        count_orbits(star(150_000), 5, nodes=[1, 0])
