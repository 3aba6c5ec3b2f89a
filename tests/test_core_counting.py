"""Degree order and the counts that walk along it, against dense matrices."""

import hypothesis.strategies as st
import networkx as nx
import numpy as np
import pytest
from conftest import JIT_DISABLED
from hypothesis import given

from sparsekit.core.bits import popcount, trailing_zeros
from sparsekit.core.cliques import triangles_and_cliques
from sparsekit.core.csr import canonical
from sparsekit.core.cycles import four_cycles
from sparsekit.core.jit import kernel
from sparsekit.core.ordering import degrees_of, order_by_degree


def pattern_of(A):
    """0 and 1, int64, without the diagonal."""
    pattern = (np.asarray(A) != 0).astype(np.int64)
    np.fill_diagonal(pattern, 0)
    return pattern


def dense_counts(A):
    """Triangles, cliques of four nodes and 4-cycles on each edge, as matrices."""
    squares = A @ A
    degrees = A.sum(axis=1)
    cliques = np.zeros_like(A)
    for u, v in np.argwhere(A):
        common = A[u] * A[v]
        cliques[u, v] = common @ A @ common // 2
    # Walks u - a - b - v, without those through the edge uv itself.
    cycles = (squares @ A - degrees[:, None] - degrees[None, :] + 1) * A
    return squares * A, cliques, cycles


def sparse_counts(A, n_jobs=None):
    """The same from the kernels, in the original order of the nodes."""
    ordered, nodes = order_by_degree(canonical(A))
    triangles, cliques = triangles_and_cliques(ordered, n_jobs)
    cycles = four_cycles(ordered, n_jobs)
    assert [values.dtype for values in (triangles, cliques, cycles)] == ["i4", "i8", "i8"]
    rows = nodes[np.repeat(np.arange(len(A)), np.diff(ordered.indptr))]
    columns = nodes[ordered.indices]
    for values in (triangles, cliques, cycles):
        dense = np.zeros(A.shape, dtype=np.int64)
        dense[rows, columns] = values
        yield dense


def assert_counts(A, n_jobs=None):
    for found, expected in zip(sparse_counts(A, n_jobs), dense_counts(A), strict=True):
        np.testing.assert_array_equal(found, expected)


def assert_ordered(A):
    ordered, nodes = order_by_degree(canonical(A))
    n_nodes, n_slots = len(A), np.count_nonzero(A)
    assert [part.shape for part in ordered] == [(n_nodes + 1,), (n_nodes,), (n_slots,), (n_slots,)]
    assert [part.dtype for part in ordered] == ["i8", "i8", "u4", "u4"]
    assert nodes.dtype == np.int64
    degrees = A.sum(axis=1)
    order = sorted(range(n_nodes), key=lambda v: degrees[v])  # stable
    assert nodes.tolist() == order
    assert degrees_of(ordered).tolist() == [degrees[v] for v in order]
    rank = {node: i for i, node in enumerate(order)}
    for v, node in enumerate(order):
        slots = slice(ordered.indptr[v], ordered.indptr[v + 1])
        row = ordered.indices[slots].tolist()
        assert row == sorted(rank[int(u)] for u in np.flatnonzero(A[node]))
        assert ordered.middle[v] - ordered.indptr[v] == sum(u < v for u in row)
    rows = np.repeat(np.arange(n_nodes), np.diff(ordered.indptr))
    assert np.array_equal(ordered.mirrored[ordered.mirrored], np.arange(n_slots))
    assert np.array_equal(rows[ordered.mirrored], ordered.indices)
    assert np.array_equal(ordered.indices[ordered.mirrored], rows)


def random_pattern(n_nodes, density, seed):
    upper = np.triu(np.random.default_rng(seed).random((n_nodes, n_nodes)) < density, k=1)
    return pattern_of(upper | upper.T)


random_patterns = st.builds(
    random_pattern, st.integers(0, 14), st.floats(0, 1), st.integers(0, 2**32 - 1)
)


def test_order_of_the_oracle_graphs(symmetric_oracle_graph):
    assert_ordered(pattern_of(symmetric_oracle_graph))


@given(random_patterns)
def test_order_of_random_graphs(A):
    assert_ordered(A)


def test_weights_are_not_looked_at():
    A = pattern_of(nx.to_numpy_array(nx.karate_club_graph()))
    weighted = canonical(A * -2.5)
    for found, expected in zip(
        order_by_degree(weighted)[0], order_by_degree(canonical(A))[0], strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_counts_of_the_oracle_graphs(symmetric_oracle_graph):
    assert_counts(pattern_of(symmetric_oracle_graph))


@given(random_patterns)
def test_counts_of_random_graphs(A):
    assert_counts(A)


@pytest.mark.parametrize("n_nodes", [64, 65, 66, 129] if not JIT_DISABLED else [66])
def test_cliques_around_the_word_boundary(n_nodes):
    """A node with 63, 64, 65, 128 higher neighbours fills, meets and passes words of bits."""
    A = pattern_of(np.ones((n_nodes, n_nodes)))
    A[1, 2] = A[2, 1] = 0
    assert_counts(A)


def test_edges_with_many_common_neighbours():
    """More than a byte counts: 300 pages of a book, some of them joined."""
    book = nx.complete_multipartite_graph(1, 1, 300)
    book.add_edges_from((page, page + 1) for page in range(2, 300, 2))
    assert_counts(pattern_of(nx.to_numpy_array(book)))


def test_counts_of_graphs_with_hubs():
    n_nodes = 60 if JIT_DISABLED else 300
    graph = nx.powerlaw_cluster_graph(n_nodes, 8, 0.7, seed=1)
    assert_counts(pattern_of(nx.to_numpy_array(graph)))
    lollipop = nx.lollipop_graph(20, 40)
    lollipop.add_edges_from((59, node) for node in range(0, 58, 3))
    assert_counts(pattern_of(nx.to_numpy_array(lollipop)))


def test_threads_give_the_same_counts(hubs, monkeypatch):
    monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", 4)
    for A in (pattern_of(hubs), random_pattern(40, 0.3, seed=0), np.zeros((3, 3), dtype=np.int64)):
        expected = list(sparse_counts(A))
        for n_jobs in (1, 2, 3, -1):
            for found, alone in zip(sparse_counts(A, n_jobs), expected, strict=True):
                np.testing.assert_array_equal(found, alone)


def test_known_counts():
    """Complete graph, complete bipartite graph, cycle, star."""
    for graph, triangles, cliques, cycles in [
        (nx.complete_graph(7), 5, 10, 20),
        (nx.complete_bipartite_graph(4, 5), 0, 0, 12),
        (nx.cycle_graph(4), 0, 0, 1),
        (nx.cycle_graph(9), 0, 0, 0),
        (nx.star_graph(6), 0, 0, 0),
    ]:
        A = pattern_of(nx.to_numpy_array(graph))
        for found, value in zip(sparse_counts(A), (triangles, cliques, cycles), strict=True):
            np.testing.assert_array_equal(found, value * A)


@kernel
def bits_of(word):
    """Number of ones and lowest one: the instructions exist in compiled code only."""
    return popcount(word), trailing_zeros(word)


@pytest.mark.parametrize("word", [1, 2, 3, 88, 2**31, 2**32, 2**63, 2**63 + 1, 2**64 - 1])
def test_bits(word):
    lowest = next(i for i in range(64) if word >> i & 1)
    assert bits_of(np.uint64(word)) == (bin(word).count("1"), lowest)
