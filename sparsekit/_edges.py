"""From pairs of ids to numbered edges: the intake of everything that is not a matrix."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

__all__ = [
    "EdgeTable",
    "as_list",
    "as_names",
    "edges_by_name",
    "edges_by_position",
    "from_frame",
    "from_igraph",
    "from_networkx",
    "number_edges",
    "positions",
]


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
    if {type(name) for name in listed} in ({str}, {int}):
        array = np.array(listed)
    else:
        array = np.empty(len(listed), dtype=object)
        for i, name in enumerate(listed):  # assigning the list at once would unpack tuples
            array[i] = name
    array.flags.writeable = False
    return array


def positions(ids: Any, n_nodes: int | None) -> np.ndarray:
    """Check that ids are integers in 0 .. n_nodes - 1; whole floats pass."""
    array = np.atleast_1d(np.asarray(ids))
    if array.size == 0:
        return np.empty(0, dtype=np.int64)
    whole = array.dtype.kind in "iu" or (
        array.dtype.kind == "f" and bool(np.all(array == np.floor(array)))
    )
    if array.ndim != 1 or not whole:
        raise ValueError(
            f"node ids must be a sequence of integers where a graph has no node names, got "
            f"{array.dtype} values of shape {array.shape}, such as {array.flat[0]!r}."
        )
    if array.min() < 0 or (n_nodes is not None and array.max() >= n_nodes):
        limit = "" if n_nodes is None else f" and below n_nodes={n_nodes}"
        raise ValueError(
            f"node ids must be non-negative{limit}, got {array.min()} .. {array.max()}."
        )
    return array.astype(np.int64)


def edges_by_position(edges: Any, weights: Any, n_nodes: int | None) -> EdgeTable:
    """Edges given as pairs of integers; strings are numbered in sorted order."""
    pairs = np.asarray(edges)
    if pairs.size == 0:
        pairs = np.empty((0, 2), dtype=np.int64)
    if pairs.ndim != 2 or pairs.shape[1] != 2:
        raise ValueError(f"edges must be pairs of node ids, shape (n_edges, 2), got {pairs.shape}.")
    if pairs.dtype.kind in "OU":
        return number_edges(pairs[:, 0], pairs[:, 1], weights, n_nodes)
    sources, targets = positions(pairs[:, 0], n_nodes), positions(pairs[:, 1], n_nodes)
    if n_nodes is None:
        n_nodes = int(max(sources.max(initial=-1), targets.max(initial=-1))) + 1
    return _table(sources, targets, weights, n_nodes, None)


def edges_by_name(edges: Any, weights: Any, names: np.ndarray) -> EdgeTable:
    """Edges given as pairs of known names."""
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
    columns = [_id_column(column) for column in (sources, targets)]
    if {column.dtype.kind for column in columns} not in ({"i"}, {"U"}):
        raise ValueError("the ids of both columns must be all integers or all strings.")
    ids, numbers = np.unique(np.concatenate(columns), return_inverse=True)
    numbers = numbers.reshape(2, -1).astype(np.int64)
    is_range = ids.dtype.kind == "i" and np.array_equal(ids, np.arange(len(ids)))
    names = None if is_range else as_names(ids)
    return _table(numbers[0], numbers[1], weights, n_nodes or len(ids), names)


def _id_column(column: Any) -> np.ndarray:
    array = np.asarray(column)
    if array.size == 0:
        return array.astype(np.int64)
    if array.dtype.kind == "O":
        kinds = {type(value) for value in array.tolist()}
        if kinds == {str}:
            return array.astype(str)
        if kinds <= {int, np.int64, np.int32}:
            return array.astype(np.int64)
        some = next(value for value in array.tolist() if type(value) is not str)
        raise ValueError(f"node ids must be integers or strings, got {some!r}: drop or rename it.")
    if array.dtype.kind == "U":
        return array
    if array.dtype.kind in "iu" or (array.dtype.kind == "f" and np.all(array == np.floor(array))):
        return array.astype(np.int64)
    raise ValueError(
        f"node ids must be integers or strings, got {array.dtype} values such as {array.flat[0]!r}."
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
    return EdgeTable(sources, targets, values.astype(np.float64), n_nodes, names)


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
