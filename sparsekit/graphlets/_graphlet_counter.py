"""Graphlet counts of whole graphs, as a function and as a scikit-learn transformer."""

from collections.abc import Callable, Mapping, Set
from numbers import Integral
from typing import Any

import networkx as nx
import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from sparsekit._sklearn_compat import Options, fit_context
from sparsekit.graph import Graph
from sparsekit.graphlets._counts import count_orbits
from sparsekit.graphlets._tables import GRAPHLETS, N_GRAPHLETS

__all__ = ["GraphletCounter", "count_graphlets", "for_each_graph"]

_LOW_BITS = 32
_LARGEST = 2**63 - 1


def count_graphlets(graph: Any, max_nodes: int = 4, *, n_jobs: int | None = None) -> np.ndarray:
    """Count the occurrences of each graphlet in a graph.

    An occurrence is a connected induced subgraph. Counts are exact.

    Parameters
    ----------
    graph : object
        An undirected graph: anything that `sparsekit.graph.as_graph` takes. Weights and self-loops
        are ignored.
    max_nodes : {4, 5}, default=4
        Size of the largest graphlets.
    n_jobs : int or None, default=None
        Threads; ``None`` means 1 and -1 all cores. The result does not depend on it.

    Returns
    -------
    ndarray of shape (9 or 30,), int64
        Counts of G0 (edges), G1 (paths of three nodes), G2 (triangles), ...

    Raises
    ------
    ValueError
        If the graph has directions, no nodes, or weights that are not finite, or for another
        `max_nodes`.
    OverflowError
        If a count does not fit into 64 bits.

    See Also
    --------
    GraphletCounter : The same for many graphs, as a transformer.
    count_orbits : How often each node takes part, and where.

    Examples
    --------
    >>> import networkx as nx
    >>> from sparsekit.graphlets import count_graphlets
    >>> count_graphlets(nx.star_graph(4))
    array([4, 6, 0, 0, 4, 0, 0, 0, 0])
    """
    sums = _exact_sums(count_orbits(graph, max_nodes, n_jobs=n_jobs))
    counts = []
    for graphlet in GRAPHLETS[: N_GRAPHLETS[max_nodes]]:
        orbit = graphlet.node_orbits[0]  # any of them would do
        counts.append(sums[orbit] // graphlet.node_orbits.count(orbit))
    if max(counts) > _LARGEST:
        raise OverflowError(
            f"the number of graphlets G{counts.index(max(counts))} does not fit into 64 bits."
        )
    return np.array(counts, dtype=np.int64)


def _exact_sums(counts: np.ndarray) -> list[int]:
    """Sums of columns of non-negative integers, which may exceed 64 bits."""
    high, low = counts >> _LOW_BITS, counts & ((1 << _LOW_BITS) - 1)
    halves = zip(high.sum(axis=0).tolist(), low.sum(axis=0).tolist(), strict=True)
    return [(upper << _LOW_BITS) + lower for upper, lower in halves]


class GraphletCounter(TransformerMixin, BaseEstimator):
    """Describe graphs by how often each graphlet occurs in them.

    Parameters
    ----------
    max_nodes : {4, 5}, default=4
        Size of the largest graphlets: 9 or 30 columns.
    normalize : bool, default=False
        Divide the counts of a graph by their sum, so that graphs of different sizes compare.
        Graphs without edges stay 0.
    n_jobs : int or None, default=None
        Threads for each graph; ``None`` means 1 and -1 all cores. The result does not depend on it.

    See Also
    --------
    count_graphlets : The counts of one graph.
    OrbitCounter : Describes nodes.
    netemd, graphlet_correlation_distance : Compare two graphs.

    Notes
    -----
    X is a list of graphs: a sample is a graph. There is nothing to fit. Counts span many orders of
    magnitude; linear models and distances like their logarithms better
    (``FunctionTransformer(numpy.log1p)``).

    References
    ----------
    .. [1] Przulj, Corneil, Jurisica. "Modeling interactome: scale-free or geometric?"
       Bioinformatics 2004.

    Examples
    --------
    >>> import networkx as nx
    >>> from sparsekit.graphlets import GraphletCounter
    >>> GraphletCounter().fit_transform([nx.complete_graph(4), nx.path_graph(4)])
    array([[6, 0, 4, 0, 0, 0, 0, 0, 1],
           [3, 2, 0, 1, 0, 0, 0, 0, 0]])
    """

    _parameter_constraints = {  # noqa: RUF012
        "max_nodes": [Options(Integral, {4, 5})],
        "normalize": ["boolean"],
        "n_jobs": [Integral, None],
    }

    def __init__(self, max_nodes=4, *, normalize=False, n_jobs=None):
        self.max_nodes = max_nodes
        self.normalize = normalize
        self.n_jobs = n_jobs

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the parameters; there is nothing to learn.

        Parameters
        ----------
        X : sequence of graphs
            Undirected graphs: anything that `sparsekit.graph.as_graph` takes.
        y : None
            Ignored.

        Returns
        -------
        self : GraphletCounter

        Raises
        ------
        ValueError
            If X is empty, one single graph, or a parameter out of range.
        TypeError
            If X is no sequence: a generator, a set or a dictionary is none.
        """
        _list_of_graphs(X)
        return self

    def transform(self, X):
        """Count the graphlets of each graph.

        Parameters
        ----------
        X : sequence of graphs
            Undirected graphs: anything that `sparsekit.graph.as_graph` takes.

        Returns
        -------
        ndarray of shape (n_graphs, 9 or 30), int64, or float64 if `normalize`

        Raises
        ------
        ValueError, TypeError
            As in `fit`, or if one of the graphs is none, has directions or no nodes; it says which.
        OverflowError
            If a count does not fit into 64 bits.
        """
        self._validate_params()  # there may have been no fit
        counts = np.stack(for_each_graph(X, self._count))
        if not self.normalize:
            return counts
        sums = counts.sum(axis=1, dtype=np.float64, keepdims=True)
        return counts / np.where(sums > 0, sums, 1)

    def get_feature_names_out(self, input_features=None):
        """Names of the columns: ``graphlet_0``, ``graphlet_1``, ...

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        ndarray of shape (9 or 30,), str objects

        Raises
        ------
        ValueError
            If a parameter is out of range.
        """
        self._validate_params()
        numbers = range(N_GRAPHLETS[self.max_nodes])
        return np.array([f"graphlet_{number}" for number in numbers], dtype=object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.two_d_array = False
        tags.transformer_tags.preserves_dtype = []
        return tags

    def __sklearn_is_fitted__(self):
        return True

    def _count(self, graph):
        return count_graphlets(graph, self.max_nodes, n_jobs=self.n_jobs)


def for_each_graph(X: Any, describe: Callable[[Any], Any], name: str = "X") -> list:
    """Results of a function for each graph of a sequence; its errors say which graph.

    Parameters
    ----------
    X : sequence of graphs
    describe : callable
        Called with one graph.
    name : str, default="X"
        What errors call the sequence.

    Returns
    -------
    list

    Raises
    ------
    ValueError, TypeError, OverflowError
        If X is empty, one single graph or no sequence, or from the function.
    """
    results = []
    for number, graph in enumerate(_list_of_graphs(X)):
        try:
            results.append(describe(graph))
        except (TypeError, ValueError, OverflowError) as error:
            raise type(error)(f"graph {number} of {name}: {error}") from error
    return results


def _list_of_graphs(X):
    """Check that X is a sequence of graphs and not a single one."""
    is_matrix = getattr(X, "ndim", 0) == 2 or hasattr(X, "columns")
    if is_matrix or isinstance(X, (Graph, nx.Graph)) or hasattr(X, "get_edgelist"):
        raise ValueError(
            f"expected a list of graphs, got a single {type(X).__name__}: pass [X] for one graph."
        )
    is_other = isinstance(X, (Mapping, Set, str, bytes))
    if is_other or not (hasattr(X, "__len__") and hasattr(X, "__getitem__")):
        raise TypeError(f"expected a list of graphs, got {type(X).__name__}: pass a list.")
    graphs = list(X)
    if not graphs:
        raise ValueError("expected at least one graph, got an empty list.")
    return graphs
