"""How a graph enters: `Graph`, `as_graph` and `read_edge_list`, once, for every family.

Rules that hold for all inputs
------------------------------
- Entry ``[i, j]`` of an adjacency is the edge i -> j.
- Parallel edges are summed. In an undirected edge list (i, j) and (j, i) are parallel.
- A matrix is directed unless it equals its transpose. Asked for an undirected graph, the union of
  the matrix and its transpose is taken; where both directions are stored, the larger weight counts.
- Self-loops stay and count as one edge. Explicit zeros are no edges. Any finite weight is accepted:
  an algorithm that needs non-negative weights checks that itself.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

import networkx as nx
import numpy as np
import scipy.sparse as sp

from sparsekit import _intake
from sparsekit._edge_list import read_edge_table
from sparsekit.core import csr

__all__ = ["Graph", "as_graph", "read_edge_list"]


class Graph:
    """An immutable graph with optional edge weights, directions and node names.

    Parameters
    ----------
    adjacency : sparse matrix, sparse array or array-like of shape (n_nodes, n_nodes)
        Entry ``[i, j]`` is the weight of the edge i -> j. The input is copied, never changed.
    node_names : sequence of hashable of length n_nodes, default=None
        Distinct names. Without names, nodes are called 0 .. n_nodes - 1. With names, every id is a
        name, also when the names are integers.
    directed : bool, default=None
        ``None``: directed unless the adjacency equals its transpose. ``True``: kept as it is.
        ``False``: union with the transpose, the larger of two differing weights.

    Attributes
    ----------
    adjacency : csr_array of shape (n_nodes, n_nodes), float64
        Canonical (sorted, no duplicates, no zeros, narrow indices) with read-only arrays.
    n_nodes, n_edges : int
        An undirected edge counts once, and so does a self-loop.
    is_directed, is_weighted : bool
        Weighted means that some weight differs from 1.
    node_names : ndarray of shape (n_nodes,) or None

    Raises
    ------
    ValueError
        If the adjacency is not square, not numeric or not finite, or names repeat or do not fit.
    TypeError
        If `adjacency` is no matrix; `as_graph` takes more kinds of input.

    Examples
    --------
    >>> from sparsekit.graph import Graph
    >>> graph = Graph([[0, 1, 0], [1, 0, 2], [0, 2, 0]], node_names=["a", "b", "c"])
    >>> graph
    Graph(n_nodes=3, n_edges=2, undirected, weighted, named)
    >>> graph.indices_of(["c", "a"])
    array([2, 0])
    """

    __slots__ = ("_adjacency", "_directed", "_hash", "_index", "_names")

    def __init__(
        self,
        adjacency: Any,
        *,
        node_names: Iterable | None = None,
        directed: bool | None = None,
    ) -> None:
        matrix = _intake.square_matrix(adjacency)
        symmetric = csr.is_symmetric(matrix)
        if directed is False and not symmetric:
            matrix, symmetric = csr.symmetrise(matrix), True
        copy = matrix.copy()
        self._adjacency = csr.frozen(copy.data, copy.indices, copy.indptr, copy.shape)
        self._directed = not symmetric if directed is None else bool(directed)
        self._names = None if node_names is None else _intake.as_names(node_names)
        if self._names is not None and len(self._names) != self.n_nodes:
            raise ValueError(f"{self.n_nodes} nodes need as many names, got {len(self._names)}.")
        self._index: dict | None = None
        self._hash: int | None = None

    @classmethod
    def from_edges(
        cls,
        edges: Any,
        weights: Any = None,
        *,
        n_nodes: int | None = None,
        node_names: Iterable | None = None,
        directed: bool = False,
    ) -> "Graph":
        """Build a graph from pairs of node ids.

        Parameters
        ----------
        edges : array-like of shape (n_edges, 2)
            Non-negative integers, or names if `node_names` is given or the ids are strings.
        weights : array-like of shape (n_edges,), default=None
            1 for every edge if omitted. Weights of parallel edges are summed, for an undirected
            graph in either order.
        n_nodes : int, default=None
            One more than the largest id if omitted; larger values add isolated nodes.
        node_names : sequence of hashable, default=None
            Names in the order of the nodes. Strings without `node_names` are named in sorted order.
        directed : bool, default=False

        Returns
        -------
        Graph

        Raises
        ------
        ValueError, TypeError
            If shapes do not fit, an id is negative, unknown or no integer, or a weight not finite.

        Examples
        --------
        >>> from sparsekit.graph import Graph
        >>> Graph.from_edges([(0, 1), (1, 0), (1, 2)]).adjacency.toarray()
        array([[0., 2., 0.],
               [2., 0., 1.],
               [0., 1., 0.]])
        """
        if node_names is None:
            table = _intake.edges_by_position(edges, weights, n_nodes)
        else:
            table = _intake.edges_by_name(edges, weights, _intake.as_names(node_names))
        if n_nodes is not None and n_nodes != table.n_nodes:
            raise ValueError(
                f"n_nodes={n_nodes} does not fit {table.n_nodes} node names: leave one of them out."
            )
        return _from_table(table, directed)

    @property
    def adjacency(self) -> sp.csr_array:
        """Canonical adjacency; a new wrapper around the same read-only arrays each time."""
        matrix = self._adjacency
        return csr.frozen(matrix.data, matrix.indices, matrix.indptr, matrix.shape)

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return int(self._adjacency.shape[0])

    @property
    def n_edges(self) -> int:
        """Number of edges; an undirected edge and a self-loop count once."""
        stored = int(self._adjacency.nnz)
        if self._directed:
            return stored
        return (stored + int(np.count_nonzero(self._adjacency.diagonal()))) // 2

    @property
    def is_directed(self) -> bool:
        """Whether edge directions matter."""
        return self._directed

    @property
    def is_weighted(self) -> bool:
        """Whether some weight differs from 1."""
        return bool(np.any(self._adjacency.data != 1))

    @property
    def node_names(self) -> np.ndarray | None:
        """Names in node order, read-only, or None."""
        return self._names

    def indices_of(self, names: Any) -> np.ndarray:
        """Positions of nodes.

        Parameters
        ----------
        names : sequence
            Node names, or integer ids if the graph has no names.

        Returns
        -------
        ndarray of shape (len(names),), int64

        Raises
        ------
        ValueError
            If a name is unknown, or an id is out of range or no integer.
        """
        if self._names is None:
            return _intake.positions(names, self.n_nodes)
        if self._index is None:
            self._index = {name: i for i, name in enumerate(self._names.tolist())}
        try:
            wanted = [names] if isinstance(names, str) else _intake.as_list(names)
            found = [self._index.get(name, -1) for name in wanted]
        except TypeError as error:
            raise ValueError(f"expected one sequence of node names, but {error}.") from None
        unknown = [name for name, i in zip(wanted, found, strict=True) if i < 0]
        if unknown:
            some = ", ".join(repr(name) for name in unknown[:5])
            known = ", ".join(repr(name) for name in self._names[:3].tolist())
            raise ValueError(
                f"{len(unknown)} of {len(wanted)} node names are not in the graph, such as {some}; "
                f"its names are like {known or 'none at all'}."
            )
        return np.array(found, dtype=np.int64)

    def to_networkx(self) -> nx.Graph:
        """Convert to networkx; weights become the edge attribute ``weight`` if there are any.

        Returns
        -------
        networkx.Graph or networkx.DiGraph
            Nodes are the names, or 0 .. n_nodes - 1, in order.
        """
        result = nx.DiGraph() if self._directed else nx.Graph()
        names = range(self.n_nodes) if self._names is None else self._names.tolist()
        result.add_nodes_from(names)
        matrix = self._adjacency if self._directed else sp.triu(self._adjacency)
        entries = matrix.tocoo()
        pairs = [(names[i], names[j]) for i, j in zip(entries.row, entries.col, strict=True)]
        if self.is_weighted:
            weighted = zip(pairs, entries.data.tolist(), strict=True)
            result.add_weighted_edges_from((u, v, weight) for (u, v), weight in weighted)
        else:
            result.add_edges_from(pairs)
        return result

    def __sklearn_clone__(self) -> "Graph":
        return self

    def __copy__(self) -> "Graph":
        return self

    def __deepcopy__(self, memo: dict) -> "Graph":
        return self

    def __getstate__(self) -> dict:
        matrix = self._adjacency
        arrays = {"data": matrix.data, "indices": matrix.indices, "indptr": matrix.indptr}
        return arrays | {"directed": self._directed, "names": self._names}

    def __setstate__(self, state: dict) -> None:
        n_nodes = len(state["indptr"]) - 1
        self._adjacency = csr.frozen(
            state["data"], state["indices"], state["indptr"], (n_nodes, n_nodes)
        )
        self._directed = state["directed"]
        self._names = None if state["names"] is None else _intake.as_names(state["names"])
        self._index = None
        self._hash = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Graph):
            return NotImplemented
        return (
            self._directed == other._directed
            and csr.equal(csr.pack(self._adjacency), csr.pack(other._adjacency))
            and _listed(self._names) == _listed(other._names)
        )

    def __hash__(self) -> int:
        if self._hash is None:
            digest = hashlib.blake2b(digest_size=8)
            for array in (self._adjacency.indptr, self._adjacency.indices, self._adjacency.data):
                digest.update(array)
            names = tuple(_listed(self._names) or ())
            self._hash = hash((digest.digest(), self._directed, names))
        return self._hash

    def __repr__(self) -> str:
        words = [
            "directed" if self._directed else "undirected",
            "weighted" if self.is_weighted else "unweighted",
        ] + (["named"] if self._names is not None else [])
        return f"Graph(n_nodes={self.n_nodes}, n_edges={self.n_edges}, {', '.join(words)})"


def as_graph(X: Any, *, directed: bool | None = None) -> Graph:
    """Turn what people hold into a `Graph`.

    Parameters
    ----------
    X : object
        - `Graph`: returned as it is if `directed` agrees;
        - scipy sparse matrix or array, dense array or nested lists, square: an adjacency (an
          ``.obsp`` entry of AnnData is one);
        - networkx graph of any kind: the edge attribute ``weight`` is used where present, nodes
          other than 0 .. n - 1 in order become names, parallel edges are summed;
        - igraph graph: likewise with the attributes ``weight`` and ``name``;
        - pandas or polars frame with the columns ``source``, ``target`` and optionally ``weight``:
          ids are names, numbered in sorted order, unless they are exactly 0 .. n - 1.
    directed : bool, default=None
        ``None`` keeps what the input says: the class of a networkx or igraph graph, the symmetry of
        a matrix, undirected for a table. ``False`` takes the union of a matrix and its transpose
        (the larger weight where both are stored).

    Returns
    -------
    Graph

    Raises
    ------
    TypeError
        If the input is none of the above.
    ValueError
        If it is, but not square, not finite, or without the expected columns.

    Examples
    --------
    >>> import networkx as nx
    >>> from sparsekit.graph import as_graph
    >>> as_graph(nx.path_graph(["x", "y", "z"]))
    Graph(n_nodes=3, n_edges=2, undirected, unweighted, named)
    """
    if isinstance(X, Graph):
        if directed is None or directed == X.is_directed:
            return X
        return Graph(X.adjacency, node_names=X.node_names, directed=directed)
    if _is_foreign_graph(X):
        read = _intake.from_networkx if isinstance(X, nx.Graph) else _intake.from_igraph
        return as_graph(_from_table(read(X), X.is_directed()), directed=directed)
    if hasattr(X, "obsp"):
        raise TypeError(
            "got an AnnData object, which may hold several graphs: pass one of them, for example "
            "adata.obsp['connectivities']."
        )
    if hasattr(X, "columns") and hasattr(X, "to_numpy"):
        return _from_table(_intake.from_frame(X), bool(directed))
    return Graph(X, directed=directed)


def adjacency_of(X: Any) -> Any:
    """Adjacency of a graph object; anything else as it is, for scikit-learn to validate.

    Parameters
    ----------
    X : object
        What an estimator was given.

    Returns
    -------
    csr_array or object

    Examples
    --------
    >>> import networkx as nx
    >>> adjacency_of(nx.path_graph(3)).shape
    (3, 3)
    """
    return as_graph(X).adjacency if isinstance(X, Graph) or _is_foreign_graph(X) else X


def _is_foreign_graph(X: Any) -> bool:
    return isinstance(X, nx.Graph) or type(X).__module__.partition(".")[0] == "igraph"


def read_edge_list(path: Any, *, directed: bool = False) -> Graph:
    """Read a graph from a text or csv file of edges.

    Parameters
    ----------
    path : str or path-like
        One edge a line: two ids and optionally a weight, separated by commas, semicolons, tabs or
        blanks (found out from the first line). Names ending in ``.gz`` are decompressed. Empty
        lines and lines that start with ``#`` or ``%`` are skipped. A header line is recognised if
        it names the columns (``source``, ``target``, ``weight`` and common synonyms); only with
        one may there be further columns.
    directed : bool, default=False
        Undirected: the weights of (i, j) and (j, i) are summed.

    Returns
    -------
    Graph
        If all ids are integers they are numbered in increasing order and kept as names, unless they
        are exactly 0 .. n - 1; otherwise they are strings, numbered in sorted order.

    Raises
    ------
    OSError
        If the file can not be read.
    ValueError
        If it holds no edges, a line has too few or too many columns or a weight is no number.
    """
    return _from_table(read_edge_table(path), directed)


def _listed(names: np.ndarray | None) -> list | None:
    return None if names is None else names.tolist()


def _from_table(table: _intake.EdgeTable, directed: bool) -> Graph:
    matrix = _intake.matrix_of(table, directed)
    return Graph(matrix, node_names=table.names, directed=directed)
