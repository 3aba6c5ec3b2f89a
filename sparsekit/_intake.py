"""What comes in, checked and numbered: matrices, pairs of ids, graphs of other packages, frames."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from sparsekit.core import csr

__all__ = [
    "EdgeTable",
    "as_list",
    "as_names",
    "edges_by_name",
    "edges_by_position",
    "from_frame",
    "from_igraph",
    "from_networkx",
    "matrix_of",
    "number_edges",
    "positions",
    "square_matrix",
]


_NOT_FINITE = "edge weights must be finite, got NaN or infinity: drop those edges or fill them in."
# Ids beyond this are no positions: the row pointers alone would take more than a terabyte.
_MOST_NODES = 2**37


class EdgeTable(NamedTuple):
    """Edges between nodes numbered 0 .. n_nodes - 1, parallel ones not yet summed.

    Attributes
    ----------
    sources, targets : ndarray of shape (n_edges,), int64
    weights : ndarray of shape (n_edges,), float64
    n_nodes : int
    names : ndarray of shape (n_nodes,) or None
    """

    sources: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    n_nodes: int
    names: np.ndarray | None = None


def square_matrix(adjacency: Any) -> sp.csr_array:
    """Check shape, type and values; the result may share memory with the input."""
    matrix = adjacency if sp.issparse(adjacency) else _dense_matrix(adjacency)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        hint = " Pairs of ids go through Graph.from_edges." if matrix.shape[-1:] == (2,) else ""
        raise ValueError(
            f"an adjacency is a square matrix (rows and columns are nodes), got shape "
            f"{matrix.shape}.{hint}"
        )
    if matrix.dtype.kind not in "biuf":
        raise ValueError(f"edge weights must be real numbers, got dtype {matrix.dtype}.")
    result = csr.canonical(matrix)
    if not np.all(np.isfinite(result.data)):
        raise ValueError(_NOT_FINITE)
    return result


def _dense_matrix(adjacency: Any) -> np.ndarray:
    if not isinstance(adjacency, np.ndarray | Sequence) or isinstance(adjacency, str):
        raise TypeError(
            f"can not read a graph from {type(adjacency).__name__}: pass a sparse matrix, an "
            "array, a networkx or igraph graph, or a frame with the columns source and target; "
            "files go through read_edge_list."
        )
    if isinstance(adjacency, np.ma.MaskedArray):
        raise TypeError("a masked array is no adjacency: fill it, with 0 where there is no edge.")
    return np.asarray(adjacency)


def as_list(values: Any) -> list:
    """Python objects, not numpy scalars, so that names compare and hash as users expect."""
    return values.tolist() if hasattr(values, "tolist") else list(values)


def as_names(names: Iterable) -> np.ndarray:
    """Check node names and freeze them: strings and integers as such, others as objects."""
    listed = as_list(names)
    try:
        n_repeated = len(listed) - len(set(listed))
    except TypeError as error:
        raise TypeError(f"node names must be hashable: {error}.") from None
    if n_repeated:
        raise ValueError(f"node names must be distinct, got {n_repeated} repetitions.")
    array = np.array(listed) if {type(name) for name in listed} in ({str}, {int}) else None
    if array is None or array.tolist() != listed:  # numpy drops null characters at the end
        array = np.empty(len(listed), dtype=object)
        for i, name in enumerate(listed):  # assigning the list at once would unpack tuples
            array[i] = name
    array.flags.writeable = False
    return array


def positions(ids: Any, n_nodes: int | None) -> np.ndarray:
    """Check that ids are integers in 0 .. n_nodes - 1; whole floats pass."""
    array = np.atleast_1d(np.asarray(ids))
    if array.dtype.kind == "O" and array.ndim == 1:
        array = _id_column(array)
    if array.size == 0:
        return np.empty(0, dtype=np.int64)
    if array.ndim != 1 or not _are_whole(array):
        raise ValueError(
            f"node ids must be a sequence of integers where a graph has no node names, got "
            f"{array.dtype} values of shape {array.shape}, such as {array.ravel().tolist()[0]!r}."
        )
    smallest, largest = int(array.min()), int(array.max())
    if smallest < 0 or largest >= (_MOST_NODES if n_nodes is None else n_nodes):
        limit = "" if n_nodes is None else f" and below n_nodes={n_nodes}"
        raise ValueError(
            f"node ids must be non-negative{limit}, got {smallest} .. {largest}: ids that are only "
            "labels can be given through node_names."
        )
    return array.astype(np.int64)


def _are_whole(array: np.ndarray) -> bool:
    """Whether the values are 64-bit integers, perhaps stored as floats."""
    if array.dtype.kind == "f":
        return bool(np.all(np.abs(array) < 2.0**63) and np.all(array == np.floor(array)))
    return array.dtype.kind == "i" or (array.dtype.kind == "u" and int(array.max()) < 2**63)


def edges_by_position(edges: Any, weights: Any, n_nodes: int | None) -> EdgeTable:
    """Edges given as pairs of integers; strings are numbered in sorted order."""
    pairs = edges.to_numpy() if hasattr(edges, "to_numpy") else np.asarray(edges)
    if pairs.dtype.kind == "U" and not isinstance(edges, np.ndarray):
        pairs = np.array(as_list(edges), dtype=object)  # numpy would have made strings of numbers
    if pairs.size == 0:
        pairs = np.empty((0, 2), dtype=np.int64)
    if pairs.ndim != 2 or pairs.shape[1] != 2:
        raise ValueError(f"edges must be pairs of node ids, shape (n_edges, 2), got {pairs.shape}.")
    sources, targets = pairs.T
    if pairs.dtype.kind in "OU":
        sources, targets = _id_columns(sources, targets)
        if sources.dtype.kind != "i":
            return number_edges(sources, targets, weights, n_nodes)
    sources, targets = positions(sources, n_nodes), positions(targets, n_nodes)
    if n_nodes is None:
        n_nodes = int(max(sources.max(initial=-1), targets.max(initial=-1))) + 1
    return _table(sources, targets, weights, n_nodes, None)


def edges_by_name(edges: Any, weights: Any, names: np.ndarray) -> EdgeTable:
    """Edges given as pairs of known names."""
    edges = edges.to_numpy() if hasattr(edges, "to_numpy") else edges
    pairs = [tuple(pair) for pair in as_list(edges)]
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError("edges must be pairs of node names.")
    position = {name: i for i, name in enumerate(names.tolist())}
    try:
        numbered = [(position[u], position[v]) for u, v in pairs]
    except KeyError as error:
        raise ValueError(f"an edge names a node that is not in node_names: {error}.") from None
    table = np.array(numbered, dtype=np.int64).reshape(-1, 2)
    return _table(table[:, 0], table[:, 1], weights, len(names), names)


def number_edges(
    sources: Any, targets: Any, weights: Any = None, n_nodes: int | None = None
) -> EdgeTable:
    """Edges given as two columns of ids that are names, unless they are exactly 0 .. n - 1.

    Nodes are numbered in sorted order, so that the order of the edges does not matter.
    """
    columns = np.concatenate(_id_columns(sources, targets))
    ids, numbers = np.unique(columns, return_inverse=True)
    numbers = numbers.reshape(2, -1).astype(np.int64)
    is_range = ids.dtype.kind == "i" and np.array_equal(ids, np.arange(len(ids)))
    names = None if is_range else as_names(ids)
    return _table(numbers[0], numbers[1], weights, n_nodes or len(ids), names)


def _id_columns(sources: Any, targets: Any) -> tuple[np.ndarray, np.ndarray]:
    """Two columns of int64 or two columns of strings."""
    first, second = _id_column(sources), _id_column(targets)
    if (first.dtype.kind == "i") != (second.dtype.kind == "i"):
        raise ValueError("node ids must be all integers or all strings, got both.")
    return first, second


def _id_column(column: Any) -> np.ndarray:
    array = np.asarray(column)
    if array.size == 0:
        return array.astype(np.int64)
    if array.dtype.kind == "O":
        kinds = {type(value) for value in array.tolist()}
        if kinds == {str}:
            return array
        if all(issubclass(kind, int | np.integer) and kind is not bool for kind in kinds):
            return array.astype(np.int64)
        if kinds - {str, int}:
            some = next(value for value in array.tolist() if type(value) not in (str, int))
            raise ValueError(
                f"node ids must be integers or strings, got {some!r}: drop or rename it."
            )
        raise ValueError("node ids must be all integers or all strings, got both.")
    if array.dtype.kind == "U":
        return array
    if _are_whole(array):
        return array.astype(np.int64)
    raise ValueError(
        f"node ids must be integers or strings, got {array.dtype} values such as "
        f"{array.tolist()[0]!r}."
    )


def _table(
    sources: np.ndarray,
    targets: np.ndarray,
    weights: Any,
    n_nodes: int,
    names: np.ndarray | None,
) -> EdgeTable:
    if names is not None and n_nodes != len(names):
        raise ValueError(f"n_nodes={n_nodes} does not fit {len(names)} node names: give one.")
    if weights is None:
        values = np.ones(len(sources))
    else:
        values = np.asarray(weights)
        if values.dtype.kind not in "biuf" or values.shape != sources.shape:
            raise ValueError(
                f"weights must be {len(sources)} real numbers, one an edge, got {values.dtype} "
                f"values of shape {values.shape}."
            )
    values = values.astype(np.float64)
    if not np.all(np.isfinite(values)):
        raise ValueError(_NOT_FINITE)
    return EdgeTable(sources, targets, values, n_nodes, names)


def from_networkx(graph: Any) -> EdgeTable:
    """Nodes other than 0 .. n - 1 in order become names; a missing weight is 1."""
    nodes = list(graph)
    position = {node: i for i, node in enumerate(nodes)}
    triples = [(position[u], position[v], w) for u, v, w in graph.edges(data="weight", default=1)]
    ends = np.array([triple[:2] for triple in triples], dtype=np.int64).reshape(-1, 2)
    names = None if nodes == list(range(len(nodes))) else as_names(nodes)
    weights = [weight for _, _, weight in triples]
    return _table(ends[:, 0], ends[:, 1], weights or None, len(nodes), names)


def from_igraph(graph: Any) -> EdgeTable:
    """Use the attributes ``weight`` of the edges and ``name`` of the vertices."""
    weights = graph.es["weight"] if "weight" in graph.es.attributes() else None
    names = as_names(graph.vs["name"]) if "name" in graph.vs.attributes() else None
    ends = np.array(graph.get_edgelist(), dtype=np.int64).reshape(-1, 2)
    return _table(ends[:, 0], ends[:, 1], weights or None, graph.vcount(), names)


def from_frame(frame: Any) -> EdgeTable:
    """Columns source, target and optionally weight of a pandas or polars frame."""
    columns = list(frame.columns)
    if not {"source", "target"} <= set(columns):
        raise ValueError(
            f"an edge table needs the columns source and target, got {columns[:8]}: rename them, "
            "or pass frame.to_numpy() if the frame is a square adjacency."
        )
    weights = frame["weight"].to_numpy() if "weight" in columns else None
    return number_edges(frame["source"].to_numpy(), frame["target"].to_numpy(), weights)


def matrix_of(table: EdgeTable, directed: bool) -> sp.csr_array:
    """Adjacency of a table; parallel edges are summed."""
    shape = (table.n_nodes, table.n_nodes)
    rows, columns = table.sources, table.targets
    if directed:
        return sp.csr_array(sp.coo_array((table.weights, (rows, columns)), shape=shape))
    # Summed in one triangle and then mirrored: both directions get the same rounding.
    ends = (np.minimum(rows, columns), np.maximum(rows, columns))
    upper = sp.csr_array(sp.coo_array((table.weights, ends), shape=shape))
    return upper + sp.triu(upper, k=1).T
