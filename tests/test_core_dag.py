"""Directed acyclic graphs in the core, against enumeration."""

from itertools import pairwise

import naive_causal as naive
import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from sparsekit import metrics
from sparsekit.core import dag

seeds = st.integers(0, 2**32 - 1)


def random_dag(seed, n_nodes=6):
    rng = np.random.default_rng(seed)
    return naive.random_dag(int(rng.integers(0, n_nodes + 1)), rng.random(), rng)


def wide_dag(n_nodes=150):
    """More nodes than fit into two words of bits, hubs and a long path."""
    rng = np.random.default_rng(0)
    A = naive.random_dag(n_nodes, 0.03, rng)
    order = nx.lexicographical_topological_sort(nx.DiGraph(A))
    path = list(order)
    A[path[:-1], path[1:]] = 1
    A[path[3], path[4:]] = 1
    return A


class TestTopologicalOrder:
    @given(seeds)
    def test_first_of_all_orders(self, seed):
        A = random_dag(seed)
        order = dag.topological_order(A)
        assert order.tolist() == naive.first_topological_order(A)
        assert order.dtype == np.intp

    def test_larger_graph(self):
        A = naive.random_dag(200, 0.02, np.random.default_rng(1))
        expected = list(nx.lexicographical_topological_sort(nx.DiGraph(A)))
        assert dag.topological_order(sp.csr_array(A)).tolist() == expected

    def test_explicit_zeros_are_no_edges(self):
        A = sp.csr_array(([1.0, 0.0], ([0, 1], [1, 0])), shape=(2, 2))
        assert dag.topological_order(A).tolist() == [0, 1]
        assert A.nnz == 2

    @pytest.mark.parametrize(
        ("edges", "cycle"),
        [
            ([(0, 1), (1, 0)], "0 -> 1 -> 0|1 -> 0 -> 1"),
            ([(0, 1), (1, 2), (2, 3), (3, 1), (3, 4)], "1 -> 2 -> 3 -> 1|2 -> 3 -> 1 -> 2"),
            ([(2, 2)], "2 -> 2"),
        ],
    )
    def test_a_cycle_is_named(self, edges, cycle):
        A = np.zeros((5, 5))
        A[tuple(np.transpose(edges))] = 1
        with pytest.raises(ValueError, match=rf"cycle ({cycle}):"):
            dag.topological_order(A)

    @given(seeds)
    def test_the_named_cycle_is_one(self, seed):
        rng = np.random.default_rng(seed)
        A = rng.random((8, 8)) < 0.25
        if naive.is_acyclic(A):
            A[0, 0] = True
        with pytest.raises(ValueError) as caught:
            dag.topological_order(A)
        words = str(caught.value).partition("the cycle ")[2].partition(":")[0]
        nodes = [int(node) for node in words.split(" -> ")]
        assert nodes[0] == nodes[-1]
        assert len(set(nodes)) == len(nodes) - 1
        assert all(A[i, j] for i, j in pairwise(nodes))


def cpdag(A):
    return metrics.cpdag(A).toarray() != 0


class TestEquivalence:
    @given(seeds)
    def test_union_of_all_equivalent_dags(self, seed):
        A = random_dag(seed, n_nodes=5) != 0
        np.testing.assert_array_equal(cpdag(A), naive.cpdag(A))

    @given(seeds)
    def test_equivalent_dags_have_the_same(self, seed):
        A = random_dag(seed, n_nodes=5)
        graphs = [cpdag(B) for B in naive.equivalent_dags(A)]
        assert all(np.array_equal(graph, graphs[0]) for graph in graphs)

    def test_reversible_edges_are_edges(self):
        A = wide_dag()
        reversible = dag.reversible_edges(sp.csr_array(A))
        assert np.all(A[reversible.nonzero()] != 0)
        # Within what is left no edge of a v-structure may be reversible.
        for i, k, j in naive.v_structures(A[:40, :40]):
            assert reversible[i, k] == reversible[j, k] == 0

    def test_a_complete_graph_is_free_and_a_collider_is_not(self):
        complete = np.triu(np.ones((7, 7), dtype=bool), k=1)
        np.testing.assert_array_equal(cpdag(complete), ~np.eye(7, dtype=bool))
        collider = np.zeros((7, 7), dtype=bool)
        collider[:6, 6] = True
        np.testing.assert_array_equal(cpdag(collider), collider)

    def test_cycles_are_refused(self):
        with pytest.raises(ValueError, match="acyclic"):
            cpdag(np.array([[0, 1], [1, 0]], dtype=bool))


class TestVarsortability:
    @given(seeds)
    def test_definition(self, seed):
        A = random_dag(seed)
        variances = np.random.default_rng(seed).choice([1.0, 1.0 + 1e-10, 2.0, 3.0], len(A))
        found, expected = dag.varsortability(variances, A), naive.varsortability(variances, A)
        assert found == pytest.approx(expected, abs=1e-12, nan_ok=True)

    def test_more_nodes_than_bits_of_a_word(self):
        A = wide_dag(70)
        variances = np.random.default_rng(2).random(70)
        expected = naive.varsortability(variances, A)
        assert dag.varsortability(variances, sp.csr_array(A)) == pytest.approx(expected, abs=1e-12)

    @given(seeds)
    def test_reversed_variances(self, seed):
        A = random_dag(seed)
        variances = np.exp(np.random.default_rng(seed).normal(size=len(A)))
        forward, backward = (dag.varsortability(v, A) for v in (variances, 1 / variances))
        expected = 1 if A.any() else np.nan
        assert forward + backward == pytest.approx(expected, nan_ok=True)

    def test_zero_variances(self):
        A = np.array([[0, 1, 0], [0, 0, 1], [0, 0, 0]])
        assert dag.varsortability(np.zeros(3), A) == 0.5
        assert dag.varsortability(np.array([0.0, 1, 1]), A) == pytest.approx(2.5 / 3)

    def test_cycles_are_refused(self):
        with pytest.raises(ValueError, match="acyclic"):
            dag.varsortability(np.ones(2), np.ones((2, 2)))
