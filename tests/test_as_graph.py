"""as_graph: what people hold, matrix formats aside (tests/test_graph_properties.py has those)."""

from types import SimpleNamespace

import networkx as nx
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp

from sparsekit.graph import Graph, as_graph

FRAMES = [pd.DataFrame, pl.DataFrame]
DIRECTED = np.array([[0.0, 1, -4], [5, 0, 0], [0, 0, 0]])


class TestGraphsAndMatrices:
    def test_a_graph_is_returned_as_it_is(self):
        graph = Graph(DIRECTED)
        assert as_graph(graph) is graph
        assert as_graph(graph, directed=True) is graph

    def test_a_graph_is_converted_where_directions_disagree(self):
        graph = Graph(DIRECTED, node_names="abc")
        union = as_graph(graph, directed=False)
        assert union == Graph(DIRECTED, node_names="abc", directed=False)
        assert union.adjacency[0, 2] == -4
        assert as_graph(union, directed=True).is_directed

    def test_an_adjacency(self, oracle_graph):
        for given in (oracle_graph, oracle_graph.tolist(), sp.csc_matrix(oracle_graph)):
            if oracle_graph.size or not isinstance(given, list):
                assert as_graph(given) == Graph(oracle_graph)
        assert as_graph(oracle_graph, directed=False) == Graph(oracle_graph, directed=False)

    def test_other_objects_are_refused_with_a_list_of_what_is_taken(self):
        for given in (None, 3, "edges.csv", {0: 1}, iter([[0]])):
            with pytest.raises(TypeError, match=r"networkx or igraph graph, or a frame"):
                as_graph(given)


class TestNetworkx:
    @pytest.mark.parametrize(
        "kind", [nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph], ids=lambda k: k.__name__
    )
    def test_kinds(self, kind):
        given = kind([(0, 1), (1, 2), (2, 2)])
        graph = as_graph(given)
        assert graph.is_directed == given.is_directed()
        assert graph.node_names is None
        assert np.array_equal(graph.adjacency.toarray(), nx.to_numpy_array(given))

    def test_parallel_edges_are_summed(self):
        given = nx.MultiGraph()
        given.add_weighted_edges_from([(0, 1, 2.0), (1, 0, 3.0), (1, 1, 4.0)])
        given.add_edge(0, 1)
        graph = as_graph(given)
        assert graph.adjacency.toarray().tolist() == [[0, 6], [6, 4]]
        assert graph.n_edges == 2

    def test_a_directed_graph_stays_directed_when_symmetric(self):
        assert as_graph(nx.DiGraph([(0, 1), (1, 0)])).is_directed

    def test_directed_argument(self):
        given = nx.DiGraph()
        given.add_weighted_edges_from([(0, 1, 2.0), (1, 0, 3.0), (1, 2, -1.0)])
        graph = as_graph(given, directed=False)
        assert not graph.is_directed
        assert graph.adjacency.toarray().tolist() == [[0, 3, 0], [3, 0, -1], [0, -1, 0]]
        assert as_graph(nx.path_graph(3), directed=True).n_edges == 4

    def test_missing_weights_are_one_and_zero_weights_no_edges(self):
        given = nx.Graph([(0, 1)])
        given.add_edge(1, 2, weight=2.5)
        given.add_edge(0, 2, weight=0)
        assert as_graph(given).adjacency.toarray().tolist() == [[0, 1, 0], [1, 0, 2.5], [0, 2.5, 0]]

    @pytest.mark.parametrize("nodes", ["cab", [1, 2, 3], [2, 1, 0], [("a", 1), ("a", 2), 0]])
    def test_other_nodes_become_names_in_order(self, nodes):
        graph = as_graph(nx.path_graph(nodes))
        assert graph.node_names.tolist() == list(nodes)
        assert graph.adjacency.toarray().tolist() == [[0, 1, 0], [1, 0, 1], [0, 1, 0]]

    def test_isolated_nodes_stay(self):
        assert as_graph(nx.empty_graph(3)) == Graph(np.zeros((3, 3)))
        assert as_graph(nx.Graph()).n_nodes == 0

    @pytest.mark.parametrize("weight", [None, "heavy", np.nan])
    def test_bad_weights(self, weight):
        given = nx.Graph()
        given.add_edge(0, 1, weight=weight)
        with pytest.raises(ValueError, match=r"weights must be"):
            as_graph(given)


class TestIgraph:
    @pytest.fixture
    def igraph(self):
        return pytest.importorskip("igraph", reason="igraph is taken where it is installed")

    def test_plain(self, igraph):
        given = igraph.Graph([(0, 1), (1, 2), (2, 2), (1, 0)])
        graph = as_graph(given)
        assert graph.node_names is None
        assert not graph.is_directed
        assert graph.adjacency.toarray().tolist() == [[0, 2, 0], [2, 0, 1], [0, 1, 1]]

    def test_names_weights_and_directions(self, igraph):
        given = igraph.Graph([(0, 1), (1, 2)], directed=True)
        given.vs["name"], given.es["weight"] = ["x", "y", "z"], [2.0, 3.0]
        graph = as_graph(given)
        assert graph.is_directed
        assert graph.node_names.tolist() == ["x", "y", "z"]
        assert graph.adjacency.toarray().tolist() == [[0, 2, 0], [0, 0, 3], [0, 0, 0]]
        assert as_graph(given, directed=False).n_edges == 2

    def test_no_edges(self, igraph):
        assert as_graph(igraph.Graph(3)) == Graph(np.zeros((3, 3)))
        assert as_graph(igraph.Graph(0)).n_nodes == 0


@pytest.mark.parametrize("frame", FRAMES, ids=["pandas", "polars"])
class TestFrames:
    def test_weights_are_summed_and_other_columns_ignored(self, frame):
        table = frame(
            {"weight": [1, 2, 4], "note": ["", "", ""], "target": [1, 0, 2], "source": [0, 1, 1]}
        )
        graph = as_graph(table)
        assert not graph.is_directed
        assert graph.node_names is None
        assert graph.adjacency.toarray().tolist() == [[0, 3, 0], [3, 0, 4], [0, 4, 0]]
        assert as_graph(table, directed=True).adjacency[0, 1] == 1

    def test_strings_are_named_in_sorted_order(self, frame):
        graph = as_graph(frame({"source": ["c", "a"], "target": ["a", "b"]}))
        assert graph.node_names.tolist() == ["a", "b", "c"]
        assert graph.indices_of(["c"]).tolist() == [2]

    def test_integers_are_names_unless_they_are_a_range(self, frame):
        graph = as_graph(frame({"source": [10, 30], "target": [20, 10]}))
        assert graph.node_names.tolist() == [10, 20, 30]
        assert as_graph(frame({"source": [1, 2], "target": [0, 1]})).node_names is None
        whole_floats = frame({"source": [1.0, 2.0], "target": [3.0, 1.0]})
        assert as_graph(whole_floats).node_names.tolist() == [1, 2, 3]

    def test_no_rows(self, frame):
        assert as_graph(frame({"source": [], "target": []})).n_nodes == 0

    @pytest.mark.parametrize(
        ("columns", "hint"),
        [
            ({"from": [0], "to": [1]}, r"columns source and target, got \['from', 'to'\]"),
            ({"0": [0.0, 1.0], "1": [1.0, 0.0]}, r"frame\.to_numpy\(\) if .* square adjacency"),
            ({"source": [0, 1], "target": ["a", "b"]}, "all integers or all strings"),
            ({"source": ["a", None], "target": ["a", "b"]}, "integers or strings, got None"),
            ({"source": [0.5], "target": [1.0]}, "integers or strings, got float64.*0.5"),
            ({"source": [float("nan")], "target": [1.0]}, "integers or strings"),
            ({"source": [float("inf")], "target": [1.0]}, "integers or strings"),
            ({"source": [1e300], "target": [1.0]}, "integers or strings"),
            ({"source": [True], "target": [False]}, "integers or strings"),
            ({"source": [0], "target": [1], "weight": ["x"]}, "weights must be 1 real numbers"),
            ({"source": [0], "target": [1], "weight": [float("nan")]}, "finite"),
        ],
    )
    def test_errors(self, frame, columns, hint):
        with pytest.raises(ValueError, match=hint):
            as_graph(frame(columns))

    def test_the_frame_is_not_changed(self, frame):
        table = frame({"source": [3, 1], "target": [1, 3], "weight": [1.0, 2.0]})
        before = table.to_numpy().copy()
        as_graph(table)
        assert np.array_equal(table.to_numpy(), before)


class TestAnndata:
    def test_the_whole_object_is_refused_with_the_way_out(self):
        stand_in = SimpleNamespace(obsp={"connectivities": sp.eye_array(3)})
        with pytest.raises(TypeError, match=r"adata\.obsp\['connectivities'\]"):
            as_graph(stand_in)

    def test_an_entry_is_an_adjacency(self):
        anndata = pytest.importorskip("anndata", reason="the anndata extra is not installed")
        A = sp.csr_matrix(np.ones((3, 3), dtype=np.float32))
        data = anndata.AnnData(np.zeros((3, 2), dtype=np.float32), obsp={"connectivities": A})
        assert as_graph(data.obsp["connectivities"]) == Graph(np.ones((3, 3)))
        with pytest.raises(TypeError, match="AnnData"):
            as_graph(data)
