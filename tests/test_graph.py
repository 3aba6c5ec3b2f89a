"""The class Graph: construction, attributes, immutability, identity, names, errors."""

import copy
import pickle

import joblib
import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import BaseEstimator, clone

from sparsekit.graph import Graph, as_graph

PATH = [[0, 1, 0], [1, 0, 2], [0, 2, 0]]


def assert_canonical(graph):
    A = graph.adjacency
    assert isinstance(A, sp.csr_array)
    assert A.shape == (graph.n_nodes, graph.n_nodes)
    assert A.data.dtype == np.float64
    assert A.indices.dtype == A.indptr.dtype == np.int32
    for array in (A.data, A.indices, A.indptr):
        assert not array.flags.writeable
        assert array.flags.c_contiguous
    assert np.all(A.data != 0)
    for i in range(graph.n_nodes):
        assert np.all(np.diff(A.indices[A.indptr[i] : A.indptr[i + 1]]) > 0)


def arrays_of(graph):
    return graph.adjacency.data, graph.adjacency.indices, graph.adjacency.indptr


def test_oracle_graphs_are_read_as_they_are(oracle_graph):
    graph = Graph(oracle_graph)
    assert_canonical(graph)
    assert np.array_equal(graph.adjacency.toarray(), oracle_graph)
    symmetric = np.array_equal(oracle_graph, oracle_graph.T)
    assert graph.is_directed == (not symmetric)
    expected = np.count_nonzero(np.triu(oracle_graph) if symmetric else oracle_graph)
    assert graph.n_edges == expected
    assert graph.is_weighted == (not set(np.unique(oracle_graph)) <= {0.0, 1.0})
    assert graph.node_names is None


def test_types_of_attributes():
    graph = Graph(PATH)
    assert type(graph.n_nodes) is int
    assert type(graph.n_edges) is int
    assert type(graph.is_directed) is bool
    assert type(graph.is_weighted) is bool


def test_no_nodes_and_no_edges():
    empty = Graph(np.zeros((0, 0)))
    assert (empty.n_nodes, empty.n_edges, empty.is_directed, empty.is_weighted) == (0, 0, False, 0)
    assert Graph.from_edges([]) == empty
    assert Graph.from_edges([], n_nodes=3) == Graph(np.zeros((3, 3)))
    assert Graph.from_edges([], node_names=["a"]).n_nodes == 1
    assert empty.indices_of([]).dtype == np.int64


def test_a_loop_counts_once_in_both_kinds():
    A = [[3, 1], [1, 0]]
    assert Graph(A).n_edges == 2
    assert Graph(A, directed=True).n_edges == 3


def test_directed_argument():
    A = np.array([[0.0, 1, -4], [5, 0, 0], [0, 0, 0]])
    assert Graph(A).is_directed
    assert Graph(A, directed=True) == Graph(A)
    union = Graph(A, directed=False)
    assert not union.is_directed
    # The larger of two stored values counts; one stored alone stays, also below zero.
    assert union.adjacency.toarray().tolist() == [[0, 5, -4], [5, 0, 0], [-4, 0, 0]]
    both_ways = Graph(PATH, directed=True)
    assert both_ways.is_directed
    assert both_ways.n_edges == 4
    assert both_ways != Graph(PATH)


@pytest.mark.parametrize("weight", [1e308, -1e308, 5e-324, -2.5])
def test_any_finite_weight_is_accepted(weight):
    graph = Graph([[0, weight], [weight, 0]])
    assert graph.adjacency[0, 1] == weight
    assert graph.is_weighted


@pytest.mark.parametrize(
    ("adjacency", "error", "hint"),
    [
        (np.zeros((2, 3)), ValueError, r"square matrix .*rows and columns are nodes.*\(2, 3\)"),
        (np.zeros((5, 2)), ValueError, "Pairs of ids go through Graph.from_edges"),
        (np.zeros(3), ValueError, "square matrix"),
        (np.zeros((2, 2, 2)), ValueError, "square matrix"),
        (sp.csr_array((2, 3)), ValueError, "square matrix"),
        ([["a", "b"], ["c", "d"]], ValueError, "real numbers, got dtype <U1"),
        (np.eye(2, dtype=complex), ValueError, "real numbers, got dtype complex128"),
        (np.eye(2, dtype=object), ValueError, "real numbers, got dtype object"),
        ([[0, np.nan], [1, 0]], ValueError, "finite.*drop those edges or fill them in"),
        ([[0, -np.inf], [1, 0]], ValueError, "finite"),
        (sp.csr_array([[0, np.inf], [1, 0]]), ValueError, "finite"),
        ("edges.txt", TypeError, "can not read a graph from str: .*read_edge_list"),
        (None, TypeError, "NoneType: pass a sparse matrix"),
        ({0: [1]}, TypeError, "dict"),
        (np.ma.masked_equal(np.eye(2), 0), TypeError, "fill it, with 0"),
        (nx.path_graph(2), TypeError, "can not read a graph from Graph"),
    ],
)
def test_bad_adjacency(adjacency, error, hint):
    with pytest.raises(error, match=hint):
        Graph(adjacency)


def test_ragged_lists_are_refused():
    with pytest.raises(ValueError):
        Graph([[0], [1, 2]])


@pytest.mark.parametrize(
    ("names", "error", "hint"),
    [
        (["a", "b"], ValueError, "3 nodes need as many names, got 2"),
        (["a", "b", "a"], ValueError, "distinct, got 1 repetition"),
        ([["a"], ["b"], ["c"]], TypeError, "hashable"),
    ],
)
def test_bad_names(names, error, hint):
    with pytest.raises(error, match=hint):
        Graph(PATH, node_names=names)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, bool])
def test_parallel_entries_of_narrow_types_are_summed_without_wrapping(dtype):
    ones = np.full(3, 1 if dtype is bool else 100, dtype=dtype)
    given = sp.coo_array((ones, ([0, 0, 0], [1, 1, 1])), shape=(2, 2))
    assert Graph(given).adjacency[0, 1] == 3 * float(ones[0])


def test_half_precision_is_accepted():
    assert Graph(np.eye(2, dtype=np.float16)).adjacency.toarray().tolist() == np.eye(2).tolist()


def test_entries_that_cancel_are_no_edge():
    given = sp.coo_array(([1.0, -1.0], ([0, 0], [1, 1])), shape=(2, 2))
    assert Graph(given).n_edges == 0


def test_repr():
    assert repr(Graph(PATH)) == "Graph(n_nodes=3, n_edges=2, undirected, weighted)"
    named = Graph([[0, 1], [0, 0]], node_names=["a", "b"])
    assert repr(named) == "Graph(n_nodes=2, n_edges=1, directed, unweighted, named)"


class TestImmutability:
    def test_attributes_can_not_be_set(self):
        graph = Graph(PATH, node_names="abc")
        for name in ("adjacency", "n_nodes", "n_edges", "is_directed", "is_weighted", "node_names"):
            with pytest.raises(AttributeError):
                setattr(graph, name, 0)
        with pytest.raises(AttributeError):
            graph.new_attribute = 0

    def test_arrays_can_not_be_written(self):
        graph = Graph(PATH, node_names="abc")
        for array in (*arrays_of(graph), graph.node_names):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0

    def test_what_is_done_to_the_wrapper_stays_there(self):
        graph = Graph(PATH)
        wrapper = graph.adjacency
        wrapper.data = np.zeros_like(wrapper.data)
        wrapper.indices = wrapper.indices[::-1]
        assert graph == Graph(PATH)

    def test_memory_is_not_shared_with_the_input(self):
        given = sp.csr_array(np.array(PATH, dtype=float))
        names = np.array(["a", "b", "c"])
        graph = Graph(given, node_names=names)
        for array in (given.data, given.indices, given.indptr):
            assert not any(np.shares_memory(array, own) for own in arrays_of(graph))
        assert not np.shares_memory(names, graph.node_names)
        given.data[:] = 7
        names[0] = "z"
        assert graph == Graph(PATH, node_names="abc")

    def test_wrappers_share_the_arrays(self):
        graph = Graph(PATH)
        assert np.shares_memory(graph.adjacency.data, graph.adjacency.data)


class TestIdentity:
    def test_equal_by_content_and_hashable(self):
        graph = Graph(PATH, node_names="abc")
        twin = Graph(sp.coo_array(np.array(PATH, dtype=np.int8)), node_names=["a", "b", "c"])
        assert graph == twin
        assert hash(graph) == hash(twin)
        assert {graph: "found"}[twin] == "found"

    @pytest.mark.parametrize(
        "other",
        [
            Graph(PATH),
            Graph(PATH, node_names="abd"),
            Graph(PATH, node_names=[("a",), ("b",), ("c",)]),
            Graph(PATH, node_names="abc", directed=True),
            Graph([[0, 1, 0], [1, 0, 3], [0, 3, 0]], node_names="abc"),
            Graph([[0, 1, 2], [1, 0, 0], [2, 0, 0]], node_names="abc"),
            Graph(np.pad(PATH, (0, 1)), node_names="abcd"),
        ],
    )
    def test_different_content(self, other):
        assert Graph(PATH, node_names="abc") != other

    def test_not_equal_to_other_things(self):
        assert Graph(PATH) != PATH
        assert Graph(PATH) != 3

    def test_copies_are_the_graph_itself(self):
        graph = Graph(PATH)
        assert clone(graph) is graph
        assert copy.copy(graph) is graph
        assert copy.deepcopy([graph])[0] is graph

    def test_a_cloned_estimator_holds_the_same_graph(self):
        class WithGraph(BaseEstimator):
            def __init__(self, graph=None):
                self.graph = graph

        graph = Graph(PATH)
        assert clone(WithGraph(graph)).graph is graph

    @pytest.mark.parametrize("names", [None, "abc", [5, 7, 9], [("x", 1), None, "y"]])
    @pytest.mark.parametrize("directed", [None, True])
    def test_pickle(self, names, directed):
        graph = Graph(PATH, node_names=names, directed=directed)
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
            restored = pickle.loads(pickle.dumps(graph, protocol=protocol))
            assert restored == graph
            assert hash(restored) == hash(graph)
            assert_canonical(restored)
            if names is not None:
                assert not restored.node_names.flags.writeable
                assert restored.indices_of(list(names)[1:]).tolist() == [1, 2]

    def test_pickle_is_cheap(self):
        graph = Graph(nx.to_scipy_sparse_array(nx.cycle_graph(2000)))
        graph.indices_of([0])
        hash(graph)
        n_bytes = sum(array.nbytes for array in arrays_of(graph))
        assert len(pickle.dumps(graph)) < n_bytes + 2000

    def test_joblib_dump_and_hash(self, tmp_path):
        graph = Graph(PATH, node_names="abc")
        joblib.dump(graph, tmp_path / "graph.joblib")
        mapped = joblib.load(tmp_path / "graph.joblib", mmap_mode="r")
        assert mapped == graph
        assert_canonical(mapped)
        assert joblib.hash(mapped) == joblib.hash(graph) != joblib.hash(Graph(PATH))


def describe_in_worker(graph):
    """What a worker sees, as plain values."""
    owner = graph.adjacency.data
    while getattr(owner, "base", None) is not None:
        owner = owner.base
    assert_canonical(graph)
    return type(owner).__name__, float(graph.adjacency.sum()), graph.n_edges


def test_joblib_workers_get_memory_maps():
    graph = Graph(nx.to_scipy_sparse_array(nx.cycle_graph(500)))
    with joblib.parallel_config("loky", n_jobs=2, max_nbytes=1000):
        seen = joblib.Parallel()(joblib.delayed(describe_in_worker)(graph) for _ in range(2))
    assert seen == [("mmap", 1000.0, 500)] * 2


class TestIndicesOf:
    def test_without_names(self):
        graph = Graph(PATH)
        found = graph.indices_of([2, 0, 2])
        assert found.dtype == np.int64
        assert found.tolist() == [2, 0, 2]
        assert graph.indices_of(np.array([1.0])).tolist() == [1]

    @pytest.mark.parametrize(
        ("ids", "hint"),
        [
            ([3], r"non-negative and below n_nodes=3, got 3 \.\. 3"),
            ([-1], "non-negative"),
            ([0.5], "integers where a graph has no node names.*0.5"),
            ([np.nan], "integers"),
            ([np.inf], "node ids must be"),
            (["a"], "integers"),
            ([True], "integers"),
            ([[0, 1]], "sequence of integers.*shape"),
        ],
    )
    def test_without_names_bad_ids(self, ids, hint):
        with pytest.raises(ValueError, match=hint):
            Graph(PATH).indices_of(ids)

    @pytest.mark.parametrize(
        "names", [["b", "a", "ä"], [5, -7, 2**40], [("x", 1), ("x", 2), 3], [None, True, "t"]]
    )
    def test_with_names(self, names):
        graph = Graph(PATH, node_names=names)
        assert graph.node_names.tolist() == names
        assert graph.indices_of(names[::-1]).tolist() == [2, 1, 0]
        assert graph.indices_of([]).dtype == np.int64

    def test_with_names_every_id_is_a_name(self):
        graph = Graph(PATH, node_names=[2, 0, 1])
        assert graph.indices_of([0, 1, 2]).tolist() == [1, 2, 0]
        assert graph.indices_of(np.array([2], dtype=np.int16)).tolist() == [0]

    def test_one_string_is_one_name(self):
        assert Graph(PATH, node_names=["ab", "a", "b"]).indices_of("ab").tolist() == [0]

    def test_unknown_names(self):
        with pytest.raises(ValueError, match=r"2 of 3 node names .* such as 'x', 'y'.* like 'a'"):
            Graph(PATH, node_names="abc").indices_of(["x", "a", "y"])

    def test_unknown_name_in_a_graph_without_nodes(self):
        with pytest.raises(ValueError, match="not in the graph"):
            Graph(np.zeros((0, 0)), node_names=[]).indices_of(["x"])

    def test_unhashable_names(self):
        with pytest.raises((ValueError, TypeError), match="name"):
            Graph(PATH, node_names="abc").indices_of([["a"]])


class TestToNetworkx:
    def test_oracle_graphs(self, oracle_graph):
        graph = Graph(oracle_graph)
        result = graph.to_networkx()
        assert type(result) is (nx.DiGraph if graph.is_directed else nx.Graph)
        assert list(result) == list(range(graph.n_nodes))
        assert result.number_of_edges() == graph.n_edges
        if graph.n_nodes:  # networkx has no matrix of no nodes
            assert np.array_equal(nx.to_numpy_array(result), oracle_graph)
        assert as_graph(result) == graph

    def test_weights_are_python_floats_and_left_out_if_all_are_one(self):
        assert type(Graph(PATH).to_networkx().edges[1, 2]["weight"]) is float
        assert Graph([[0, 1], [1, 0]]).to_networkx().edges[0, 1] == {}

    @pytest.mark.parametrize("names", ["cab", [7, 5, 6], [("x", 1), ("x", 2), "y"]])
    def test_names(self, names):
        graph = Graph(PATH, node_names=names)
        result = graph.to_networkx()
        assert list(result) == list(names)
        assert all(type(node) is type(name) for node, name in zip(result, names, strict=True))
        assert as_graph(result) == graph
