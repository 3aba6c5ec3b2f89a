"""Orbit adjacencies of larger graphs by their identities, on threads, and as operators."""

import gc
import pickle
from math import comb
from pathlib import Path

import hypothesis.strategies as st
import naive_graphlets as oracle
import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
from conftest import JIT_DISABLED
from graphlet_helpers import adjacency_of, load_case, messy, random_graphs, random_pattern, star
from hypothesis import given
from orbit_adjacency_helpers import KEYS, assert_canonical, equal
from scipy.sparse.linalg import eigsh

from sparsekit.graph import as_graph
from sparsekit.graphlets import (
    count_orbits,
    orbit_adjacencies,
    orbit_adjacency,
    orbit_adjacency_operator,
)
from sparsekit.graphlets._tables import ORBIT_PAIRS

compiled_only = pytest.mark.skipif(JIT_DISABLED, reason="takes minutes without the compiler")


def shuffled(graph):
    numbers = np.random.default_rng(0).permutation(len(graph)).tolist()
    return nx.relabel_nodes(graph, dict(zip(graph, numbers, strict=True)))


def medium_graphs():
    size = 40 if JIT_DISABLED else 240
    hubs = nx.barabasi_albert_graph(size, 4, seed=0)
    hubs.add_edges_from((hub, leaf) for hub in (0, 7) for leaf in range(20, size))
    return {
        "sparse": nx.gnp_random_graph(size, 8 / size, seed=1),
        "dense": nx.gnp_random_graph(size // 2, 0.7, seed=2),  # neighbourhoods of more than 64
        "geometric": nx.random_geometric_graph(size, 0.12, seed=3),
        "power law": nx.powerlaw_cluster_graph(size, 5, 0.7, seed=4),
        "hubs": hubs,
        "shuffled": shuffled(hubs),
        "lattice": shuffled(nx.triangular_lattice_graph(15, 32)),  # few nodes within three steps
    }


MEDIUM = {
    name: nx.to_scipy_sparse_array(graph, nodelist=range(len(graph)))
    for name, graph in medium_graphs().items()
}
medium = pytest.mark.parametrize("name", sorted(MEDIUM))


def assert_identities(A, found, counts):
    """Row sums are multiples of orbit counts; exchanging the orbits transposes."""
    for (i, j, hop), matrix in found.items():
        row_sums = matrix.sum(axis=1)
        np.testing.assert_array_equal(row_sums, ORBIT_PAIRS[i, j, hop] * counts[:, i])
        assert equal(matrix, found[j, i, hop].T.tocsr())
    near = found[0, 0, 1]
    assert equal(near, (A != 0).astype(np.int64))
    for (_, _, hop), matrix in found.items():
        on_edges = matrix.multiply(near).sum()
        assert on_edges == (matrix.sum() if hop == 1 else 0)


@medium
def test_identities(name):
    A = MEDIUM[name]
    found = orbit_adjacencies(A)
    for matrix in found.values():
        assert_canonical(matrix, A.shape[0])
    assert_identities(A, found, count_orbits(A))


@medium
def test_ends_of_diamonds(name):
    """(12, 12): edges between the common neighbours, by products of dense matrices."""
    A = MEDIUM[name].toarray().astype(float)
    apart = A + np.eye(len(A)) == 0
    found = orbit_adjacency(A, 12, 12).toarray()
    for u in range(0, len(A), 9):
        common = A * A[u]
        expected = ((common @ A) * common).sum(axis=1) / 2
        np.testing.assert_array_equal(found[u], expected * apart[u])


@medium
def test_ends_of_long_paths(name):
    """(4, 4): walks of three steps between nodes that are not adjacent, less those with chords."""
    A = MEDIUM[name].toarray().astype(float)
    found = orbit_adjacencies(A, pairs=[(9, 10), (10, 9), (12, 12), (4, 4)])
    apart = A + np.eye(len(A)) == 0
    paws, swaps, diamonds, paths = (matrix.toarray() for matrix in found.values())
    expected = (np.linalg.matrix_power(A, 3) - paws - swaps - 2 * diamonds) * apart
    np.testing.assert_array_equal(paths, expected)


def test_threads_give_the_same_matrices(monkeypatch):
    monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", 4)
    for A in (*MEDIUM.values(), star(40)):
        alone = orbit_adjacencies(A)
        for n_jobs in (1, 2, 3, -1):
            found = orbit_adjacencies(A, n_jobs=n_jobs)
            assert all(equal(found[key], alone[key]) for key in KEYS)
        some = orbit_adjacency(A, 4, 5, n_jobs=2)
        assert equal(some, alone[4, 5, 1] + alone[4, 5, 2])
    with pytest.raises(ValueError, match="n_jobs"):
        orbit_adjacency(A, 0, 0, n_jobs=0)


def test_a_large_star():
    """Values beyond 32 bits; nothing of the size of all pairs is made."""
    n_leaves = 70_000 if not JIT_DISABLED else 70
    found = orbit_adjacencies(star(n_leaves), pairs=[(0, 0), (1, 2), (6, 7), (7, 6), (5, 5)])
    assert found[6, 7, 1].nnz == found[7, 6, 1].nnz == n_leaves
    assert found[6, 7, 1][5, 0] == found[7, 6, 1][0, 5] == comb(n_leaves - 1, 2)
    assert found[1, 2, 1][n_leaves, 0] == n_leaves - 1
    assert found[5, 5, 1].nnz == 0


def test_leaves_of_a_star():
    n_leaves = 300 if not JIT_DISABLED else 30
    found = orbit_adjacencies(star(n_leaves), pairs=[(1, 1), (6, 6), (4, 5), (4, 4)])
    leaves = (np.ones((n_leaves, n_leaves)) - np.eye(n_leaves)).astype(int)
    np.testing.assert_array_equal(found[1, 1, 2].toarray()[1:, 1:], leaves)
    np.testing.assert_array_equal(found[6, 6, 2].toarray()[1:, 1:], (n_leaves - 2) * leaves)
    assert found[1, 1, 2].nnz == found[6, 6, 2].nnz == n_leaves * (n_leaves - 1)
    assert [found[key].nnz for key in ((4, 5, 1), (4, 5, 2), (4, 4, 3))] == [0, 0, 0]


def test_a_star_has_no_pairs_in_triangles():
    """Found without looking at all pairs of leaves, also if one triangle leads over the hub."""
    n_leaves = 100_000 if not JIT_DISABLED else 100
    A = star(n_leaves)
    keys = [(9, 10, 2), (10, 9, 2), (12, 12, 2)]
    assert not any(matrix.nnz for matrix in orbit_adjacencies(A, pairs=keys).values())
    assert not np.any(orbit_adjacency_operator(A) @ np.ones(n_leaves + 1))
    A = sp.csr_array(A).tolil()
    A[3, 4] = A[4, 3] = 1
    found = orbit_adjacencies(A.tocsr(), pairs=keys)
    assert [matrix.nnz for matrix in found.values()] == [2 * (n_leaves - 2)] * 2 + [0]
    for matrix in found.values():
        assert_canonical(matrix, n_leaves + 1)
    assert np.all(found[9, 10, 2].data == 1)
    assert equal(found[9, 10, 2], found[10, 9, 2].T.tocsr())


@medium
@pytest.mark.parametrize("n_leaves", [0, 300])
def test_pairs_in_triangles(name, n_leaves):
    """By products of matrices where hubs have leaves, by walks where triangles are everywhere."""
    A = sp.csr_array(MEDIUM[name])
    if n_leaves:
        hub = sp.csr_array(np.eye(A.shape[0], 1)) @ sp.csr_array(np.ones((1, n_leaves)))
        A = sp.block_array([[A, hub], [hub.T, None]], format="csr")
    found, keys = orbit_adjacencies(A), [(10, 9, 2), (12, 12, 2), (9, 10, 2)]
    for some in (keys, keys[:1], keys[1:]):
        for key, matrix in orbit_adjacencies(A, pairs=some, n_jobs=2).items():
            assert_canonical(matrix, A.shape[0])
            assert equal(matrix, found[key])


def test_how_exact_the_operator_is():
    """No two nodes of a clique are ends of a path: all of A^3 x is taken out again."""
    A = np.ones((4, 4)) - np.eye(4)
    operator = orbit_adjacency_operator(A)
    largest = 2**53 // 27  # A^3 of ones is 27
    assert not np.any(operator @ np.full(4, float(largest)))
    for x in (0.1, 2.0**51 + 1):  # rounded: relative to A^3 |x|
        assert np.max(np.abs(operator @ np.full(4, x))) <= 1e-14 * x


@given(A=random_graphs(), seed=st.integers(0, 99))
def test_operator_of_random_graphs(A, seed):
    expected = oracle.orbit_adjacencies(A)[4, 4, 3]
    rng = np.random.default_rng(seed)
    operator = orbit_adjacency_operator(messy(A, seed))
    assert operator.shape == A.shape
    assert operator.dtype == np.float64
    np.testing.assert_array_equal(operator @ np.eye(len(A)), expected)
    x, block = rng.normal(size=len(A)), rng.normal(size=(len(A), 3))
    np.testing.assert_allclose(operator @ x, expected @ x, atol=1e-9)
    np.testing.assert_allclose(operator.T @ x, expected @ x, atol=1e-9)
    np.testing.assert_allclose(operator.H @ block, expected @ block, atol=1e-9)
    np.testing.assert_allclose(operator.rmatvec(x * 1j), 1j * (expected @ x), atol=1e-9)


@medium
def test_operators_agree_with_matrices(name):
    A = MEDIUM[name]
    x = np.random.default_rng(0).integers(-9, 9, size=(A.shape[0], 2))
    for pair, hop in (((4, 4), None), ((4, 4), 3), ((4, 5), None), ((8, 8), 2)):
        matrix = orbit_adjacency(A, *pair, hop=hop)
        operator = orbit_adjacency_operator(A, *pair, hop=hop, n_jobs=2)
        assert operator.dtype == np.float64
        assert np.array_equal(operator @ x, matrix @ x)
        assert np.array_equal(operator.T @ x[:, 0], matrix.T @ x[:, 0])


def test_operators_are_small_and_lead_to_eigenvectors():
    A = MEDIUM["sparse"]
    operator = orbit_adjacency_operator(A)
    matrix = orbit_adjacency(A, 4, 4)
    start = np.ones(A.shape[0])
    np.testing.assert_allclose(
        eigsh(operator, 3, v0=start, return_eigenvectors=False),
        eigsh(matrix.astype(float), 3, v0=start, return_eigenvectors=False),
    )
    again = pickle.loads(pickle.dumps(operator))
    assert np.array_equal(again @ start, matrix.sum(axis=1))


def reset_peak():
    """Forget the largest resident size so far; return the present one, in bytes."""
    gc.collect()
    try:
        Path("/proc/self/clear_refs").write_text("5")
        return resident("VmRSS")
    except OSError:
        pytest.skip("needs a kernel that tells the largest resident size")


def resident(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(name))


@compiled_only
@pytest.mark.slow
def test_ten_thousand_nodes():
    """Time is left to the benchmarks; memory is for the result and little else."""
    case = load_case("big_er_10000_20")
    A, pairs = as_graph(adjacency_of(case)), [key for key in KEYS if key != (4, 4, 3)]
    orbit_adjacencies(random_pattern(9, 0.5, seed=0), pairs=pairs)
    before = reset_peak()
    found = orbit_adjacencies(A, pairs=pairs)
    assert resident("VmHWM") - before < 350e6
    assert sum(matrix.nnz for matrix in found.values()) == 17_912_032
    for (i, j, hop), matrix in found.items():
        assert_canonical(matrix, 10_000)
        row_sums = matrix.sum(axis=1)[case["node4_rows"]]
        expected = ORBIT_PAIRS[i, j, hop] * case["node4_values"][:, i]
        np.testing.assert_array_equal(row_sums, expected)
        assert matrix.sum() == ORBIT_PAIRS[i, j, hop] * case["node4_colsum"][i]


@compiled_only
@pytest.mark.slow
def test_ends_of_long_paths_among_ten_thousand_nodes():
    case = load_case("big_er_10000_20")
    A = as_graph(adjacency_of(case))
    x = np.random.default_rng(0).integers(-1000, 1000, size=10_000)
    matrix = orbit_adjacency(A, 4, 4)
    assert matrix.nnz == 53_424_402
    assert np.array_equal(matrix.sum(axis=1)[case["node4_rows"]], case["node4_values"][:, 4])
    assert np.array_equal(orbit_adjacency_operator(A) @ x, matrix @ x)
