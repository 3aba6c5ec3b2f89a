"""Any accepted input gives the same canonical graph, and conversions give it back."""

import copy
import gzip
import pickle

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, assume, given, settings
from test_graph import arrays_of, assert_canonical

from sparsekit.graph import Graph, as_graph, read_edge_list

DTYPES = [bool, np.int8, np.uint8, np.int32, np.int64, np.float32, np.float64]
FORMATS = ["coo", "csr", "csc", "lil", "dense", "lists"]
finite = st.floats(min_value=-1e150, max_value=1e150, allow_nan=False)


@st.composite
def entries(draw):
    """Coordinates with repetitions, and weights (some zero) of one of the dtypes."""
    n_nodes = draw(st.integers(0, 6))
    n_entries = draw(st.integers(0, 14)) if n_nodes else 0
    ids = st.integers(0, max(n_nodes - 1, 0))
    rows, columns = (draw(st.lists(ids, min_size=n_entries, max_size=n_entries)) for _ in range(2))
    dtype = draw(st.sampled_from(DTYPES))
    low, high = (0, 120) if np.dtype(dtype).kind in "bu" else (-120, 120)
    values = draw(st.lists(st.integers(low, high), min_size=n_entries, max_size=n_entries))
    return n_nodes, np.array(rows, int), np.array(columns, int), np.array(values).astype(dtype)


def compressed(kind, n_nodes, major, minor, values):
    """CSR or CSC with the entries in the given order: unsorted, with duplicates and zeros."""
    order = np.argsort(major, kind="stable")
    indptr = np.concatenate(([0], np.cumsum(np.bincount(major, minlength=n_nodes))))
    return kind((values[order], minor[order], indptr), shape=(n_nodes, n_nodes))


@st.composite
def matrices(draw):
    """Pairs of an input and the dense float64 adjacency that it stands for."""
    n_nodes, rows, columns, values = draw(entries())
    shape = (n_nodes, n_nodes)
    expected = np.zeros(shape)
    kind = draw(st.sampled_from(FORMATS))
    if kind in ("lil", "dense", "lists"):  # no place for repetitions: the last one counts
        dense = np.zeros(shape, dtype=values.dtype)
        dense[rows, columns] = values
        expected = dense.astype(np.float64)
    else:
        np.add.at(expected, (rows, columns), values.astype(np.float64))
    is_array = draw(st.booleans())
    if kind == "coo":
        make = sp.coo_array if is_array else sp.coo_matrix
        return make((values, (rows, columns)), shape=shape), expected
    if kind == "csr":
        make = sp.csr_array if is_array else sp.csr_matrix
        return compressed(make, n_nodes, rows, columns, values), expected
    if kind == "csc":
        make = sp.csc_array if is_array else sp.csc_matrix
        return compressed(make, n_nodes, columns, rows, values), expected
    if kind == "lil":
        return (sp.lil_array if is_array else sp.lil_matrix)(dense), expected
    if kind == "lists":
        assume(n_nodes > 0)
        return dense.tolist(), expected
    return np.asfortranarray(dense) if is_array else dense, expected


def parts(matrix):
    """Arrays that an input consists of."""
    if isinstance(matrix, np.ndarray):
        return [matrix]
    names = ("data", "indices", "indptr", "row", "col", "rows")
    return [getattr(matrix, name) for name in names if hasattr(matrix, name)]


def with_index_dtype(matrix, dtype):
    for name in ("indices", "indptr"):
        if hasattr(matrix, name):
            setattr(matrix, name, getattr(matrix, name).astype(dtype))
    if hasattr(matrix, "coords"):
        matrix.coords = tuple(index.astype(dtype) for index in matrix.coords)
    return matrix


def strided(array):
    """A copy with gaps between the elements."""
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), dtype=array.dtype)
    wide[..., ::2] = array
    return wide[..., ::2]


@given(matrices(), st.sampled_from([np.int32, np.int64]), st.booleans(), st.booleans())
def test_any_matrix_gives_the_canonical_graph(case, index_dtype, read_only, gaps):
    matrix, expected = case
    if sp.issparse(matrix) and matrix.format != "lil":
        matrix = with_index_dtype(matrix, index_dtype)
        if gaps:
            matrix.data = strided(matrix.data)
    elif isinstance(matrix, np.ndarray) and gaps:
        matrix = strided(matrix)
    if not (sp.issparse(matrix) and matrix.format == "lil"):  # scipy itself writes to its lists
        for part in parts(matrix):
            part.flags.writeable = not read_only
    before = copy.deepcopy(parts(matrix))

    graph = as_graph(matrix)

    assert_canonical(graph)
    assert np.array_equal(graph.adjacency.toarray(), expected)
    assert graph.is_directed == (not np.array_equal(expected, expected.T))
    for part, old in zip(parts(matrix), before, strict=True):
        assert np.array_equal(part, old)
        assert part.dtype == old.dtype
        assert not any(np.shares_memory(part, own) for own in arrays_of(graph))


@given(matrices())
def test_union_with_the_transpose(case):
    matrix, dense = case
    graph = as_graph(matrix, directed=False)
    assert_canonical(graph)
    assert not graph.is_directed
    for i, j in np.ndindex(*dense.shape):
        stored = [value for value in (dense[i, j], dense[j, i]) if value != 0]
        assert graph.adjacency[i, j] == max(stored, default=0)


names_of_every_kind = st.one_of(
    st.text(max_size=3), st.integers(), st.tuples(st.text(max_size=1), st.integers(0, 9))
)


@st.composite
def graphs(draw):
    n_nodes = draw(st.integers(0, 5))
    ids = st.integers(0, max(n_nodes - 1, 0))
    edges = st.tuples(ids, ids, finite.filter(bool))
    table = draw(st.lists(edges, max_size=12 if n_nodes else 0))
    names = st.lists(names_of_every_kind, min_size=n_nodes, max_size=n_nodes, unique=True)
    plain = Graph.from_edges(
        [edge[:2] for edge in table],
        [edge[2] for edge in table],
        n_nodes=n_nodes,
        directed=draw(st.booleans()),
    )
    return Graph(plain.adjacency, node_names=draw(st.none() | names), directed=plain.is_directed)


@given(graphs())
def test_networkx_and_pickle_give_the_graph_back(graph):
    # networkx can not tell names that are 0 .. n - 1 in order from no names.
    assume(graph.node_names is None or graph.node_names.tolist() != list(range(graph.n_nodes)))
    assert as_graph(graph.to_networkx()) == graph
    assert pickle.loads(pickle.dumps(graph)) == graph
    assert hash(as_graph(graph.to_networkx())) == hash(graph)


@given(graphs())
def test_names_lead_to_positions(graph):
    names = range(graph.n_nodes) if graph.node_names is None else graph.node_names.tolist()
    assert graph.indices_of(list(names)).tolist() == list(range(graph.n_nodes))


@st.composite
def edge_tables(draw):
    """Columns source, target, weight with ids of one kind."""
    ids = draw(st.sampled_from([st.text("abcde", min_size=1, max_size=2), st.integers(-3, 12)]))
    rows = draw(st.lists(st.tuples(ids, ids, finite), min_size=1, max_size=10))
    return tuple(list(column) for column in zip(*rows, strict=True))


def expected_graph(sources, targets, weights, directed):
    """The graph of an edge table through from_edges: nodes in sorted order, names unless 0..n-1."""
    names = sorted({*sources, *targets})
    edges = list(zip(sources, targets, strict=True))
    named = Graph.from_edges(edges, weights, node_names=names, directed=directed)
    is_range = names == list(range(len(names)))
    return Graph(named.adjacency, directed=directed) if is_range else named


@given(edge_tables(), st.booleans())
def test_frames_give_the_graph_of_their_edges(table, directed):
    columns = dict(zip(("source", "target", "weight"), table, strict=True))
    expected = expected_graph(*table, directed)
    assert as_graph(pd.DataFrame(columns), directed=directed) == expected
    assert as_graph(pl.DataFrame(columns), directed=directed) == expected


@pytest.mark.parametrize("separator", [",", ";", "\t", " "])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edge_tables(), st.booleans(), st.booleans(), st.booleans())
def test_files_give_the_graph_of_their_edges(
    separator, tmp_path, table, directed, header, compress
):
    lines = [separator.join(map(str, edge)) for edge in zip(*table, strict=True)]
    if header:
        lines.insert(0, separator.join(("source", "target", "weight")))
    text = "\n".join(lines).encode()
    path = tmp_path / ("edges.csv.gz" if compress else "edges.csv")
    path.write_bytes(gzip.compress(text) if compress else text)
    assert read_edge_list(path, directed=directed) == expected_graph(*table, directed)
