"""Metrics of causal graphs, against enumeration, stored values and identities."""

from pathlib import Path

import naive_causal as naive
import networkx as nx
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from sparsekit.datasets import load_sachs, make_linear_sem
from sparsekit.graph import Graph
from sparsekit.metrics import (
    cpdag,
    edge_scores,
    skeleton_scores,
    structural_hamming_distance,
    structural_intervention_distance,
    varsortability,
)

CASES = np.load(Path(__file__).parent / "cases" / "colide" / "metrics.npz")
OF_TWO_GRAPHS = [
    structural_hamming_distance,
    skeleton_scores,
    edge_scores,
    structural_intervention_distance,
]

seeds = st.integers(0, 2**32 - 1)

CHAIN = np.array([[0, 1, 0], [0, 0, 1], [0, 0, 0]])


def two_dags(seed, n_nodes=6):
    """Two DAGs over the same nodes; often, the second is like the first."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, n_nodes + 1))
    true, pred = (naive.random_dag(size, rng.random(), rng) for _ in range(2))
    if rng.random() < 0.5:
        pred = np.where(rng.random(true.shape) < 0.7, true, 0)
    return true, pred


def partially_directed(seed):
    """Two graphs with all kinds of edges; cycles do not matter."""
    rng = np.random.default_rng(seed)
    graphs = (rng.random((2, 7, 7)) < rng.random()).astype(float)
    return graphs * ~np.eye(7, dtype=bool)


class TestStoredCases:
    @pytest.mark.parametrize("number", range(4))
    def test_structural_hamming_distance(self, number):
        A, B = CASES[f"A{number}"], CASES[f"B{number}"]
        assert structural_hamming_distance(A, B) == CASES[f"shd{number}"]

    @pytest.mark.parametrize("number", range(4))
    def test_varsortability(self, number):
        found = varsortability(CASES[f"X{number}"], CASES[f"A{number}"])
        assert found == pytest.approx(float(CASES[f"varsort{number}"]), abs=1e-9)


class TestEdges:
    @given(seeds)
    def test_hamming_distance_by_pairs(self, seed):
        true, pred = partially_directed(seed)
        distance = structural_hamming_distance(true, pred)
        assert distance == naive.structural_hamming_distance(true, pred)
        assert distance == structural_hamming_distance(pred, true)
        assert type(distance) is int

    @given(seeds, seeds)
    def test_hamming_distance_is_a_metric(self, first, second):
        (A, B), (C, _) = partially_directed(first), partially_directed(second)
        direct = structural_hamming_distance(A, C)
        around = structural_hamming_distance(A, B) + structural_hamming_distance(B, C)
        assert direct <= around
        assert structural_hamming_distance(A, A) == 0

    @given(seeds)
    def test_edges_of_dags_are_entries(self, seed):
        true, pred = (naive.edges_of(A) for A in two_dags(seed))
        scores = edge_scores(*two_dags(seed))
        right = len(true & pred)
        assert scores.precision == (right / len(pred) if pred else 1)
        assert scores.recall == (right / len(true) if true else 1)
        assert scores.false_discovery_rate == 1 - scores.precision

    @given(seeds)
    def test_skeletons_are_unions(self, seed):
        true, pred = partially_directed(seed)
        expected = edge_scores(true + true.T, pred + pred.T)
        assert skeleton_scores(true, pred) == expected[:3]

    @given(seeds)
    def test_scores_and_distance_agree(self, seed):
        """Pairs that differ are those that are not right, reversed ones counted once."""
        true, pred = partially_directed(seed)
        edges, skeleton = edge_scores(true, pred), skeleton_scores(true, pred)
        n_pred = np.count_nonzero(np.triu(pred + pred.T))
        n_true = np.count_nonzero(np.triu(true + true.T))
        wrong_direction = (skeleton.precision - edges.precision) * n_pred
        surplus = (1 - skeleton.precision) * n_pred + (1 - skeleton.recall) * n_true
        assert structural_hamming_distance(true, pred) == pytest.approx(surplus + wrong_direction)

    @given(seeds)
    def test_f1_is_the_harmonic_mean(self, seed):
        for scores in (edge_scores(*two_dags(seed)), skeleton_scores(*two_dags(seed))):
            total = scores.precision + scores.recall
            expected = 2 * scores.precision * scores.recall / total if total else 0
            assert scores.f1 == pytest.approx(expected)

    def test_undirected_edges(self):
        line = CHAIN + CHAIN.T
        assert structural_hamming_distance(CHAIN, line) == 2
        assert skeleton_scores(CHAIN, line) == (1, 1, 1)
        assert edge_scores(CHAIN, line) == (0, 0, 0, 1)
        assert edge_scores(line, line) == (1, 1, 1, 0)

    def test_nothing_predicted_and_nothing_to_find(self):
        empty = np.zeros((3, 3))
        assert skeleton_scores(CHAIN, empty) == (1, 0, 0)
        assert skeleton_scores(empty, CHAIN) == (0, 1, 0)
        assert edge_scores(empty, empty) == (1, 1, 1, 0)
        assert structural_hamming_distance(np.zeros((0, 0)), np.zeros((0, 0))) == 0

    def test_sachs(self):
        consensus, cmu = load_sachs(), load_sachs(truth="cmu")
        # The three edges that one lacks, and PIP3 -> Plcg, which the other reverses.
        assert structural_hamming_distance(consensus.graph, cmu.graph) == 4
        assert skeleton_scores(consensus.graph, cmu.graph).recall == 1


class TestInterventions:
    @given(seeds)
    def test_definition(self, seed):
        true, pred = two_dags(seed, n_nodes=5)
        expected = naive.structural_intervention_distance(true, pred)
        assert structural_intervention_distance(true, pred) == expected

    @given(seeds)
    def test_effects_in_linear_models(self, seed):
        """The distance is the number of causal effects that regressions on `pred` get wrong."""
        true, pred = two_dags(seed, n_nodes=8)
        expected = naive.wrong_linear_effects(true, pred)
        assert structural_intervention_distance(true, pred) == expected

    @given(seeds)
    def test_additional_edges_do_no_harm(self, seed):
        true, _ = two_dags(seed, n_nodes=9)
        order = nx.lexicographical_topological_sort(nx.DiGraph(true))
        position = np.argsort(list(order))
        complete = position[:, None] < position
        assert structural_intervention_distance(true, complete) == 0
        assert structural_intervention_distance(true, true) == 0

    @given(seeds)
    def test_empty_prediction_misses_confounding(self, seed):
        """Without adjustment, pairs with a common ancestor above i, or i below j, are wrong."""
        true, _ = two_dags(seed)
        nodes = range(len(true))
        below = [naive.descendants(true, node) for node in nodes]
        without = [np.where(np.arange(len(true))[:, None] == i, 0, true) for i in nodes]
        wrong = sum(
            any(i in below[k] and j in naive.descendants(without[i], k) for k in nodes if k != i)
            for i in nodes
            for j in nodes
            if i != j
        )
        assert structural_intervention_distance(true, np.zeros_like(true)) == wrong

    def test_larger_than_enumeration_reaches(self):
        rng = np.random.default_rng(5)
        true, pred = (naive.random_dag(40, 0.08, rng) for _ in range(2))
        expected = naive.wrong_linear_effects(true, pred)
        assert structural_intervention_distance(true, pred) == expected

    def test_not_symmetric(self):
        empty = np.zeros((3, 3))
        assert structural_intervention_distance(empty, CHAIN) == 0
        assert structural_intervention_distance(CHAIN, empty) == 3

    def test_partially_directed_graphs_are_refused(self):
        with pytest.raises(ValueError, match=r"in pred: .*cycle (0 -> 1 -> 0|1 -> 0 -> 1)"):
            structural_intervention_distance(CHAIN, CHAIN + CHAIN.T)
        with pytest.raises(ValueError, match=r"in true: .*cycle"):
            structural_intervention_distance(CHAIN + CHAIN.T, CHAIN)


class TestEquivalence:
    @given(seeds)
    def test_against_enumeration(self, seed):
        A, _ = two_dags(seed, n_nodes=5)
        found = cpdag(A)
        np.testing.assert_array_equal(found.toarray(), naive.cpdag(A))
        assert isinstance(found, sp.csr_array)
        assert found.dtype == np.float64

    @given(seeds)
    def test_equivalent_graphs_are_at_distance_zero(self, seed):
        A, _ = two_dags(seed, n_nodes=5)
        graphs = [cpdag(B) for B in naive.equivalent_dags(A)]
        assert {structural_hamming_distance(graphs[0], graph) for graph in graphs} == {0}

    def test_result_is_canonical_and_new(self):
        A = make_linear_sem(10, 30, random_state=0)[1]
        found = cpdag(A)
        assert found.has_canonical_format
        found.data[:] = 7
        np.testing.assert_array_equal(cpdag(A).data, 1)


class TestVarsortability:
    def test_scale_of_the_data(self):
        X, A = make_linear_sem(500, 15, random_state=0)
        assert varsortability(X, A) > 0.9
        assert varsortability(3 * X + 5, A) == varsortability(X, A)
        assert varsortability(X / X.std(axis=0), A) == 0.5

    def test_without_edges(self):
        assert np.isnan(varsortability(np.eye(3), np.zeros((3, 3))))

    @pytest.mark.parametrize("scale", [1e300, 1e160, 1e-200, 1e-300])
    @pytest.mark.filterwarnings("error")
    def test_units_so_large_or_small_that_squares_leave_the_range(self, scale):
        X, A = make_linear_sem(500, 15, random_state=0)
        assert varsortability(scale * X, A) == varsortability(X, A)

    def test_constant_columns_are_equal(self):
        """The computed mean of a constant column may be rounded, and then its variance is not 0."""
        X = np.repeat([[0.1, 0.3, 0.7]], 1000, axis=0)
        assert np.any(X.var(axis=0) > 0)
        assert varsortability(X, CHAIN) == 0.5
        assert varsortability(np.zeros((4, 3)), CHAIN) == 0.5

    @pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame, pa.table])
    def test_columns_are_matched_by_name(self, frame):
        X = np.random.default_rng(0).normal(size=(50, 3)) * [1, 2, 3]
        shuffled = frame({"c": X[:, 2], "a": X[:, 0], "b": X[:, 1]})
        assert varsortability(shuffled, Graph(CHAIN, node_names=["a", "b", "c"])) == 1
        assert varsortability(shuffled, CHAIN) == pytest.approx(1 / 3)

    def test_numbered_columns_are_no_names(self):
        X = pd.DataFrame(np.random.default_rng(0).normal(size=(50, 3)) * [1, 2, 3])
        assert varsortability(X, Graph(CHAIN, node_names=["a", "b", "c"])) == 1

    def test_names_that_do_not_tell_columns_apart_are_refused(self):
        X = pd.DataFrame(np.eye(3), columns=["a", 1, "b"])
        with pytest.raises(TypeError, match=r"\['int', 'str'\] as feature name"):
            varsortability(X, CHAIN)
        with pytest.raises(ValueError, match="'a' 2 times"):
            varsortability(X.set_axis(["a", "a", "b"], axis=1), CHAIN)

    def test_bad_data(self):
        with pytest.raises(ValueError, match="got 2 columns and 3 nodes"):
            varsortability(np.eye(2), CHAIN)
        with pytest.raises(ValueError, match="NaN"):
            varsortability(np.full((4, 3), np.nan), CHAIN)
        with pytest.raises(ValueError, match="minimum of 2"):
            varsortability(np.ones((1, 3)), CHAIN)
        with pytest.raises(ValueError, match="cycle"):
            varsortability(np.eye(3), CHAIN + CHAIN.T)
        named = Graph(CHAIN, node_names=["a", "b", "c"])
        with pytest.raises(ValueError, match="'a' is not among 'x', 'y', 'z'"):
            varsortability(pd.DataFrame(np.eye(3), columns=["x", "y", "z"]), named)


class TestInput:
    @pytest.mark.parametrize("metric", OF_TWO_GRAPHS)
    @pytest.mark.parametrize(
        "convert",
        [
            *(sp.csr_matrix, sp.csc_array, sp.coo_array, sp.csr_array),
            *(np.ndarray.tolist, np.asfortranarray, lambda A: A != 0),
            *(lambda A: -3.5 * A, lambda A: Graph(A, directed=True)),
            lambda A: nx.DiGraph(np.asarray(A)),
        ],
    )
    def test_forms(self, metric, convert):
        true, pred = two_dags(12)
        true, pred = (np.where(A != 0, 1.0, 0.0) for A in (true, pred))
        expected = metric(true, pred)
        assert metric(convert(true), convert(pred)) == expected
        assert metric(convert(true), pred) == expected

    @pytest.mark.parametrize("metric", OF_TWO_GRAPHS)
    def test_input_is_left_alone(self, metric):
        true, pred = (sp.csr_array(A) for A in two_dags(3))
        for matrix in (true, pred):
            matrix.indices.flags.writeable = matrix.data.flags.writeable = False
        metric(true, pred)

    @given(seeds)
    def test_nodes_are_matched_by_name(self, seed):
        true, pred = two_dags(seed)
        names = [f"gene {i}" for i in range(len(true))]
        order = np.random.default_rng(seed).permutation(len(true))
        shuffled = pred[np.ix_(order, order)]
        named = Graph(true, node_names=names, directed=True)
        other = Graph(shuffled, node_names=[names[i] for i in order], directed=True)
        for metric in OF_TWO_GRAPHS:
            assert metric(named, other) == metric(true, pred)
            # Names say nothing if the other graph has none.
            assert metric(named, shuffled) == metric(true, shuffled)

    def test_networkx_graphs_list_numbers_in_any_order(self):
        pred = nx.DiGraph([(2, 1), (1, 0)])
        assert list(pred) == [2, 1, 0]
        assert structural_hamming_distance(CHAIN.T, pred) == 0
        assert structural_hamming_distance(pred, CHAIN.T) == 0
        assert structural_hamming_distance(pred, CHAIN) == 2

    def test_undirected_networkx_graphs_are_undirected_edges(self):
        line = nx.path_graph(3)
        assert structural_hamming_distance(line, CHAIN + CHAIN.T) == 0
        assert structural_hamming_distance(line, CHAIN) == 2

    @pytest.mark.parametrize("metric", OF_TWO_GRAPHS)
    def test_errors(self, metric):
        with pytest.raises(ValueError, match="3 nodes in true and 4 in pred"):
            metric(CHAIN, np.zeros((4, 4)))
        with pytest.raises(ValueError, match="square"):
            metric(CHAIN, np.zeros((3, 4)))
        with pytest.raises(ValueError, match="finite"):
            metric(CHAIN, CHAIN * np.nan)
        with pytest.raises(ValueError, match="in pred node 1 has an edge to itself"):
            metric(CHAIN, np.diag([0, 1, 0]))
        with pytest.raises(TypeError, match="can not read a graph"):
            metric(CHAIN, None)
        with pytest.raises(ValueError, match="'d' is not among 'a', 'b', 'c'"):
            metric(Graph(CHAIN, node_names="abc"), Graph(CHAIN, node_names="abd"))

    def test_cycles_are_compared_edge_by_edge(self):
        cycle = CHAIN.copy()
        cycle[2, 0] = 1
        assert structural_hamming_distance(CHAIN, cycle) == 1
        assert edge_scores(cycle, CHAIN) == (1, 2 / 3, 0.8, 0)
        assert skeleton_scores(cycle, cycle.T) == (1, 1, 1)

    @pytest.mark.parametrize("function", [cpdag, lambda A: varsortability(np.eye(len(A)), A)])
    def test_errors_of_one_graph(self, function):
        with pytest.raises(ValueError, match="in dag node 2 has an edge to itself"):
            function(np.diag([0, 0, 1]))
        with pytest.raises(ValueError, match="the cycle"):
            function(1 - np.eye(3))
