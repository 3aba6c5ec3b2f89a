"""Truncated singular value decompositions: exact also where Lanczos alone is not."""

import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp

from sparsekit.graphlets import OrbitAdjacencyEmbedding
from sparsekit.graphlets.factors import _factorise
from sparsekit.graphlets.factors._factorise import truncated_svd

DEGENERATE = {
    "cliques": nx.disjoint_union_all([nx.complete_graph(5)] * 120),
    "hypercube": nx.hypercube_graph(10),
    "trees": nx.disjoint_union_all([nx.random_labeled_tree(6 + i % 10, seed=i) for i in range(90)]),
    "pairs beside a large component": nx.disjoint_union_all(
        [nx.gnp_random_graph(500, 0.02, seed=1)] + [nx.path_graph(2)] * 60
    ),
}


def random_matrix(n_rows, n_columns, rank, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_rows, rank)) @ rng.normal(size=(rank, n_columns))


def check(matrix, n_components, symmetric=False):
    """Compare with LAPACK, by what does not depend on the choice of vectors."""
    dense = matrix.toarray() if sp.issparse(matrix) else matrix
    found = truncated_svd(matrix, n_components, np.random.RandomState(0), symmetric=symmetric)
    expected = np.linalg.svd(dense, compute_uv=False)[:n_components]
    np.testing.assert_allclose(found.values, expected, atol=1e-11 * expected[0])
    kept = found.values > 0
    for vectors in (found.left, found.right):
        np.testing.assert_allclose(vectors.T @ vectors, np.diag(kept), atol=1e-6)
    np.testing.assert_allclose(
        dense.T @ found.left, found.right * found.values, atol=1e-10 * expected[0]
    )
    largest = found.left[np.abs(found.left).argmax(axis=0), np.arange(n_components)]
    assert np.all(largest[kept] > 0)
    return found


@pytest.mark.parametrize("n_components", [1, 10, 300, 700])
@pytest.mark.parametrize("n_columns", [700, 2100])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
def test_every_way_to_decompose(n_components, n_columns, form):
    check(form(random_matrix(700, n_columns, 700)), n_components)


@pytest.mark.parametrize("n_rows", [50, 600])
@pytest.mark.parametrize("n_components", [20, 50])
def test_columns_beyond_the_rank_are_0(n_rows, n_components):
    found = check(random_matrix(n_rows, n_rows + 5, 12), n_components)
    assert np.count_nonzero(found.values) == 12
    assert not np.any(found.left[:, 12:])
    assert not np.any(found.right[:, 12:])


@pytest.mark.parametrize("n_rows", [40, 600])
@pytest.mark.parametrize("n_components", [7, 35])
def test_symmetric_matrix_with_eigenvalues_of_both_signs(n_rows, n_components):
    matrix = random_matrix(n_rows, n_rows, n_rows)
    check(matrix + matrix.T, n_components, symmetric=True)
    check(sp.csr_array(matrix + matrix.T), n_components, symmetric=True)


@pytest.mark.parametrize("name", sorted(DEGENERATE))
@pytest.mark.parametrize("n_components", [16, 64, 130])
def test_values_that_coincide(name, n_components):
    graph = nx.to_scipy_sparse_array(DEGENERATE[name], dtype=np.float64, format="csr")
    assert graph.shape[0] > _factorise._SMALL
    for symmetric in (False, True):
        check(graph, n_components, symmetric=symmetric)


@pytest.mark.parametrize("name", sorted(DEGENERATE))
def test_same_answer_for_the_same_seed(name):
    graph = nx.to_scipy_sparse_array(DEGENERATE[name], dtype=np.float64, format="csr")
    first, second = (truncated_svd(graph, 20, np.random.RandomState(3)) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("matrix", [sp.csr_array((4, 0)), sp.csr_array((4, 4)), np.zeros((4, 4))])
def test_nothing_to_decompose(matrix):
    left, values, right = truncated_svd(matrix, 3, np.random.RandomState(0))
    assert (left.shape, values.shape, right.shape) == ((4, 3), (3,), (matrix.shape[1], 3))
    assert not np.any(left)
    assert not np.any(values)
    assert not np.any(right)


@pytest.mark.parametrize(
    ("graph", "pair"),
    [
        (lambda: nx.gnp_random_graph(1000, 0.006, seed=1), (12, 12)),
        (lambda: nx.compose(nx.empty_graph(600), nx.path_graph(2)), (0, 0)),
        (lambda: nx.compose(nx.empty_graph(600), nx.path_graph(2)), "all"),
        (lambda: nx.disjoint_union_all([nx.complete_graph(4)] * 160), (0, 0)),
    ],
)
def test_fewer_directions_than_components(graph, pair):
    """Lanczos has nothing to find beyond the rank: columns of zeros, and no error."""
    model = OrbitAdjacencyEmbedding(16, pair=pair, random_state=0).fit(graph())
    rank = np.count_nonzero(model.singular_values_)
    assert 0 < rank <= 16
    assert not model.embedding_[:, rank:].any()
    gram = model.embedding_.T @ model.embedding_
    np.testing.assert_allclose(gram, np.diag(model.singular_values_), atol=1e-9)


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("n_components", [5, 16])
def test_rank_one_of_many_rows(n_components, symmetric):
    """Lanczos returns rounding for the other directions; there is nothing to look for."""
    ones = sp.csr_array(np.ones((600, 600)))
    found = truncated_svd(ones, n_components, np.random.RandomState(0), symmetric=symmetric)
    np.testing.assert_allclose(found.values[0], 600)
    assert not found.values[1:].any()
