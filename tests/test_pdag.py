"""Partially directed graphs in the core, against enumeration."""

from itertools import combinations, product

import naive_causal as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_core_dag import wide_dag

from sparsekit import metrics
from sparsekit.core.pdag import completed, consistent_extension

seeds = st.integers(0, 2**32 - 1)


def random_pdag(seed, n_nodes=5):
    """Some edges directed, others not; half of them with a consistent extension for sure."""
    rng = np.random.default_rng(seed)
    dag = naive.random_dag(int(rng.integers(1, n_nodes + 1)), rng.random(), rng) != 0
    if rng.random() < 0.5:
        pdag = naive.cpdag(dag)
        return pdag & ~(pdag.T & dag.T & (rng.random(dag.shape) < 0.3))
    return dag | (dag.T & (rng.random(dag.shape) < 0.5))


def v_structures(pdag):
    """Triples i -> k <- j, directed both, of nodes that are not adjacent."""
    directed, adjacent = pdag & ~pdag.T, pdag | pdag.T
    return {
        (i, k, j)
        for k in range(len(pdag))
        for i, j in combinations(np.flatnonzero(directed[:, k]).tolist(), 2)
        if not adjacent[i, j]
    }


def extensions(pdag):
    """All ways to direct the undirected edges without a cycle or a further v-structure."""
    pairs = np.argwhere(np.triu(pdag & pdag.T)).tolist()
    for flips in product([False, True], repeat=len(pairs)):
        dag = pdag & ~pdag.T
        for (i, j), flip in zip(pairs, flips, strict=True):
            dag[(j, i) if flip else (i, j)] = True
        if naive.is_acyclic(dag) and v_structures(dag) == v_structures(pdag):
            yield dag


@given(seeds)
def test_against_enumeration(seed):
    pdag = random_pdag(seed)
    before = pdag.copy()
    found, cpdag = consistent_extension(pdag), completed(pdag)
    np.testing.assert_array_equal(pdag, before)
    possible = [dag.tolist() for dag in extensions(pdag)]
    if not possible:
        assert found is cpdag is None
        return
    assert found.tolist() in possible
    assert cpdag.tolist() == naive.cpdag(found).tolist()
    assert (found.dtype, cpdag.dtype) == (bool, bool)


@given(seeds)
def test_classes_are_complete(seed):
    """The class of any member of a class is the class."""
    dag = naive.random_dag(5, 0.5, np.random.default_rng(seed)) != 0
    cpdag = naive.cpdag(dag)
    assert completed(dag).tolist() == completed(cpdag).tolist() == cpdag.tolist()


@pytest.mark.parametrize("density", [0.02, 0.1, 0.5])
def test_larger_graphs(density):
    dag = naive.random_dag(40, density, np.random.default_rng(0)) != 0
    cpdag = metrics.cpdag(dag).toarray() != 0
    np.testing.assert_array_equal(completed(cpdag), cpdag)
    extension = consistent_extension(np.asfortranarray(cpdag))
    np.testing.assert_array_equal(metrics.cpdag(extension).toarray() != 0, cpdag)


def test_hubs_and_long_paths():
    dag = wide_dag() != 0
    dag.flags.writeable = False
    np.testing.assert_array_equal(completed(dag), metrics.cpdag(dag).toarray() != 0)
    np.testing.assert_array_equal(consistent_extension(dag), dag)


def test_without_an_extension():
    square = np.zeros((4, 4), dtype=bool)
    for i in range(4):  # undirected: any direction has a cycle or a v-structure
        square[i, (i + 1) % 4] = square[(i + 1) % 4, i] = True
    cycle = np.roll(np.eye(3, dtype=bool), 1, axis=1)
    for graph in (square, cycle):
        assert consistent_extension(graph) is completed(graph) is None


@pytest.mark.parametrize("d", [0, 1, 3])
def test_without_edges(d):
    nothing = np.zeros((d, d), dtype=bool)
    for found in (completed(nothing), consistent_extension(nothing)):
        np.testing.assert_array_equal(found, nothing)
