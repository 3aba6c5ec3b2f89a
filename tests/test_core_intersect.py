"""Intersections of sorted rows, against sets and networkx."""

import hypothesis.strategies as st
import naive
import networkx as nx
import numpy as np
import pytest
from hypothesis import given

from sparsekit.core import intersect
from sparsekit.core.csr import canonical


def without_loops(A):
    return A - np.diag(np.diag(A))


def counts_by_edge(A, n_jobs=None):
    adjacency = canonical(A)
    counts = intersect.triangles_per_edge(adjacency, n_jobs)
    assert counts.dtype == np.int64
    entries = adjacency.tocoo()
    edges = zip(entries.row.tolist(), entries.col.tolist(), strict=True)
    return dict(zip(edges, counts.tolist(), strict=True))


@given(st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30)), st.integers(0, 60))
def test_count_common_of_any_two_rows(left, right, n_more):
    """With `n_more` columns in one row alone, the longer row is searched by bisection."""
    longer = right | set(range(31, 31 + n_more))
    indptr = np.array([0, len(left), len(left) + len(longer)], dtype=np.int32)
    indices = np.array(sorted(left) + sorted(longer), dtype=np.int32)
    for i, j in [(0, 1), (1, 0)]:
        assert intersect.count_common(indptr, indices, i, j) == len(left & right)
    assert intersect.count_common(indptr, indices, 1, 1) == len(longer)


def test_triangles_per_edge_of_the_oracle_graphs(symmetric_oracle_graph):
    A = without_loops(symmetric_oracle_graph)
    assert counts_by_edge(A) == naive.triangles_per_edge(A)


@given(st.integers(0, 12), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_triangles_per_edge_of_random_graphs(n_nodes, density, seed):
    A = nx.to_numpy_array(nx.gnp_random_graph(n_nodes, density, seed=seed)) if n_nodes else []
    A = np.array(A).reshape(n_nodes, n_nodes)
    assert counts_by_edge(A) == naive.triangles_per_edge(A)


def test_hubs_are_searched_by_bisection(hubs):
    degrees = hubs.sum(axis=1)
    assert degrees.max() > intersect._SEARCH_FACTOR * degrees.min()
    counts = counts_by_edge(hubs)
    assert counts == naive.triangles_per_edge(hubs)
    assert max(counts.values()) > 100


@pytest.mark.parametrize(
    "graph", [nx.karate_club_graph(), nx.barabasi_albert_graph(150, 4, seed=0)]
)
def test_sums_agree_with_networkx(graph):
    adjacency = canonical(nx.to_scipy_sparse_array(graph, weight=None))
    per_edge = adjacency.copy()
    per_edge.data = intersect.triangles_per_edge(adjacency).astype(float)
    assert per_edge.sum(axis=1).tolist() == [2 * t for t in nx.triangles(graph).values()]


def test_threads_give_the_same_counts(hubs, monkeypatch):
    monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", 4)
    adjacency = canonical(hubs)
    expected = intersect.triangles_per_edge(adjacency)
    for n_jobs in (1, 3, -1):
        assert np.array_equal(intersect.triangles_per_edge(adjacency, n_jobs), expected)


def test_weights_are_not_looked_at():
    A = nx.to_numpy_array(nx.complete_graph(4))
    assert set(counts_by_edge(-2.5 * A).values()) == {2}
