"""Similarities of nodes and distances between graphs, from orbit counts."""

from itertools import combinations
from typing import Any

import numpy as np
from scipy.stats import rankdata
from sklearn.utils import check_array

from sparsekit.graphlets._counts import check_max_nodes, count_orbits
from sparsekit.graphlets._graphlet_counter import for_each_graph
from sparsekit.graphlets._tables import AFFECTING_ORBITS, N_NODE_ORBITS

__all__ = [
    "graphlet_correlation_distance",
    "graphlet_correlation_matrix",
    "graphlet_degree_similarity",
    "netemd",
    "pairwise_graph_distances",
    "rank_correlations",
]

# Orbits of graphlets of up to four nodes whose counts do not follow from the others.
_NOT_REDUNDANT = [0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11]


def graphlet_degree_similarity(X: Any, Y: Any = None) -> np.ndarray:
    """Similarity of nodes by their orbit counts.

    Parameters
    ----------
    X : array-like of shape (n_x, 15 or 73)
        Counts, as `count_orbits` returns them.
    Y : array-like of shape (n_y, 15 or 73), default=None
        Counts of other nodes, possibly of another graph; X itself if omitted.

    Returns
    -------
    ndarray of shape (n_x, n_y), float64
        From 0 to 1; 1 for equal counts.

    Raises
    ------
    ValueError
        If the counts are negative, not finite, or do not have 15 or 73 columns both.

    See Also
    --------
    count_orbits : Counts the orbits.

    Notes
    -----
    With counts x and y of orbit i, D_i = w_i abs(log(x + 1) - log(y + 1)) / log(max(x, y) + 2),
    and the similarity is 1 - sum(D_i) / sum(w_i). The weight is w_i = 1 - log(a_i) / log(73), where
    a_i is the number of orbits that the count of orbit i depends on, itself included.

    References
    ----------
    .. [1] Milenkovic, Przulj. "Uncovering biological network function via graphlet degree
       signatures." Cancer Informatics 2008.

    Examples
    --------
    >>> import networkx as nx
    >>> from sparsekit.graphlets import count_orbits, graphlet_degree_similarity
    >>> graphlet_degree_similarity(count_orbits(nx.path_graph(3))).round(2)
    array([[1.  , 0.88, 1.  ],
           [0.88, 1.  , 0.88],
           [1.  , 0.88, 1.  ]])
    """
    X = _checked_counts(X, "X")
    Y = X if Y is None else _checked_counts(Y, "Y")
    if X.shape[1] != Y.shape[1]:
        raise ValueError(
            f"expected X and Y with equally many columns, got {X.shape[1]} and {Y.shape[1]}."
        )
    weights = 1 - np.log(AFFECTING_ORBITS[: X.shape[1]]) / np.log(N_NODE_ORBITS[5])
    distance = np.zeros((len(X), len(Y)))
    for i, weight in enumerate(weights):
        x, y = X[:, i], Y[:, i]
        difference = np.abs(np.subtract.outer(np.log1p(x), np.log1p(y)))
        difference /= np.maximum.outer(np.log(x + 2), np.log(y + 2))
        difference *= weight
        distance += difference
    return 1 - distance / weights.sum()


def _checked_counts(counts, name):
    counts = check_array(counts, dtype=np.float64, ensure_non_negative=True, input_name=name)
    if counts.shape[1] not in N_NODE_ORBITS.values():
        raise ValueError(
            f"expected {name} with 15 or 73 columns, the orbits of up to four or five nodes; got "
            f"{counts.shape[1]}."
        )
    return counts


def graphlet_correlation_matrix(graph: Any, *, n_jobs: int | None = None) -> np.ndarray:
    """Correlations between the counts of eleven orbits, over the nodes of a graph.

    Parameters
    ----------
    graph : object
        An undirected graph: anything that `sparsekit.graph.as_graph` takes. Weights and self-loops
        are ignored.
    n_jobs : int or None, default=None
        Threads; ``None`` means 1 and -1 all cores. The result does not depend on it.

    Returns
    -------
    ndarray of shape (11, 11), float64
        Spearman's correlations, with ones on the diagonal.

    Raises
    ------
    ValueError
        If the graph has directions, no nodes, or weights that are not finite.

    See Also
    --------
    graphlet_correlation_distance : Compares two of them.

    Notes
    -----
    Orbits 0, 1, 2 and 4 to 11; the counts of the others follow from these. A row of ones is
    appended, so that ranks are defined for every graph; constant columns have correlation 0.

    References
    ----------
    .. [1] Yaveroglu, Malod-Dognin, Davis, Levnajic, Janjic, Karapandza, Stojmirovic, Przulj.
       "Revealing the hidden language of complex networks." Scientific Reports 2014.

    Examples
    --------
    >>> import networkx as nx
    >>> from sparsekit.graphlets import graphlet_correlation_matrix
    >>> graphlet_correlation_matrix(nx.karate_club_graph()).shape
    (11, 11)
    """
    return rank_correlations(count_orbits(graph, n_jobs=n_jobs)[:, _NOT_REDUNDANT])


def rank_correlations(counts: np.ndarray) -> np.ndarray:
    """Spearman's correlations of columns, after a row of ones is appended.

    Parameters
    ----------
    counts : ndarray of shape (n_nodes, n_orbits)

    Returns
    -------
    ndarray of shape (n_orbits, n_orbits), float64
        Ones on the diagonal; 0 elsewhere for constant columns.
    """
    counts = np.vstack((counts, np.ones(counts.shape[1], dtype=counts.dtype)))
    ranks = rankdata(counts, axis=0) - (len(counts) + 1) / 2
    products = ranks.T @ ranks
    squares = np.diag(products)
    norms = np.sqrt(np.multiply.outer(squares, squares))  # one root: equal columns give exactly 1
    correlations = products / np.where(norms > 0, norms, 1)
    np.fill_diagonal(correlations, 1)
    return correlations


def graphlet_correlation_distance(
    graph_a: Any, graph_b: Any, *, n_jobs: int | None = None
) -> float:
    """Distance between two graphs by the correlations of their orbit counts.

    Parameters
    ----------
    graph_a, graph_b : object
        Undirected graphs, possibly of different sizes: anything that `sparsekit.graph.as_graph`
        takes. Weights and self-loops are ignored.
    n_jobs : int or None, default=None
        Threads; ``None`` means 1 and -1 all cores. The result does not depend on it.

    Returns
    -------
    float
        Euclidean distance between the upper triangles of the correlation matrices.

    Raises
    ------
    ValueError
        If a graph has directions, no nodes, or weights that are not finite.

    See Also
    --------
    graphlet_correlation_matrix : What is compared.
    netemd : Compares distributions of counts.

    References
    ----------
    .. [1] Yaveroglu, Malod-Dognin, Davis, Levnajic, Janjic, Karapandza, Stojmirovic, Przulj.
       "Revealing the hidden language of complex networks." Scientific Reports 2014.

    Examples
    --------
    >>> import networkx as nx
    >>> from sparsekit.graphlets import graphlet_correlation_distance
    >>> graphlet_correlation_distance(nx.karate_club_graph(), nx.karate_club_graph())
    0.0
    """
    first, second = (_correlations(graph, n_jobs=n_jobs) for graph in (graph_a, graph_b))
    return _correlation_distance(first, second)


def _correlations(graph, n_jobs):
    """Upper triangle of the correlation matrix."""
    upper = np.triu_indices(len(_NOT_REDUNDANT), k=1)
    return graphlet_correlation_matrix(graph, n_jobs=n_jobs)[upper]


def _correlation_distance(first, second):
    return float(np.linalg.norm(first - second))


def netemd(graph_a: Any, graph_b: Any, *, max_nodes: int = 4, n_jobs: int | None = None) -> float:
    """Distance between two graphs by the shapes of the distributions of their orbit counts.

    Parameters
    ----------
    graph_a, graph_b : object
        Undirected graphs, possibly of different sizes: anything that `sparsekit.graph.as_graph`
        takes. Weights and self-loops are ignored.
    max_nodes : {4, 5}, default=4
        Size of the largest graphlets: 15 or 73 orbits.
    n_jobs : int or None, default=None
        Threads; ``None`` means 1 and -1 all cores. The result does not depend on it.

    Returns
    -------
    float
        Mean over the orbits of the earth mover's distances.

    Raises
    ------
    ValueError
        If a graph has directions, no nodes, or weights that are not finite, or for another
        `max_nodes`.
    OverflowError
        If a count might not fit into 64 bits.

    See Also
    --------
    graphlet_correlation_distance : Compares correlations between orbits.

    Notes
    -----
    For each orbit, the counts of each graph's nodes are divided by their standard deviation; what
    is left is the smallest earth mover's distance over all shifts of one against the other. The
    best shift is a median of the difference of the quantile functions, so it is found exactly.

    References
    ----------
    .. [1] Wegner, Ospina-Forero, Gaunt, Deane, Reinert. "Identifying networks with common
       organizational principles." Journal of Complex Networks 2018. :arxiv:`1704.00387`

    Examples
    --------
    >>> import networkx as nx
    >>> from sparsekit.graphlets import netemd
    >>> netemd(nx.cycle_graph(10), nx.cycle_graph(30))
    0.0
    """
    first, second = (_scaled(graph, max_nodes, n_jobs) for graph in (graph_a, graph_b))
    return _shifted_earth_mover(first, second)


def _scaled(graph, max_nodes, n_jobs):
    """Sorted counts in units of their standard deviation, one row an orbit."""
    counts = count_orbits(graph, max_nodes, n_jobs=n_jobs)
    scaled = np.empty(counts.shape[::-1])
    for row, column in zip(scaled, counts.T, strict=True):
        row[:] = np.sort(column)
        if column.min() < column.max():  # otherwise the deviation may be a rounding error
            row /= row.std()
    return scaled


def _shifted_earth_mover(a, b):
    """Mean earth mover's distance of sorted rows, for the best shift of each."""
    n_a, n_b = a.shape[1], b.shape[1]
    # Both quantile functions are constant between these steps, in units of 1 / (n_a n_b).
    ends = np.union1d(np.arange(1, n_a + 1) * n_b, np.arange(1, n_b + 1) * n_a)
    lengths = np.diff(ends, prepend=0)
    of_a, of_b = (ends - 1) // n_b, (ends - 1) // n_a
    total = 0.0
    for x, y in zip(a, b, strict=True):  # all rows at once would take a multiple of the memory
        differences = x[of_a] - y[of_b]
        order = np.argsort(differences)
        middle = np.argmax(2 * np.cumsum(lengths[order]) >= ends[-1])
        total += lengths @ np.abs(differences - differences[order[middle]])
    return float(total / ends[-1] / len(a))


def pairwise_graph_distances(
    X: Any,
    Y: Any = None,
    *,
    metric: str = "netemd",
    max_nodes: int = 4,
    n_jobs: int | None = None,
) -> np.ndarray:
    """Distances between all pairs of graphs, for which each graph is counted once.

    Parameters
    ----------
    X : sequence of graphs
        Undirected graphs: anything that `sparsekit.graph.as_graph` takes.
    Y : sequence of graphs, default=None
        X itself if omitted.
    metric : {"netemd", "gcd"}, default="netemd"
        `netemd` or `graphlet_correlation_distance`.
    max_nodes : {4, 5}, default=4
        Size of the largest graphlets; 4 for "gcd".
    n_jobs : int or None, default=None
        Threads for each graph; ``None`` means 1 and -1 all cores. The result does not depend on it.

    Returns
    -------
    ndarray of shape (len(X), len(Y)), float64
        Fit for the estimators of scikit-learn with ``metric="precomputed"``.

    Raises
    ------
    ValueError
        If X or Y is empty or one single graph, a graph has directions, no nodes, or weights that
        are not finite (it says which), or for another `metric` or `max_nodes`.
    TypeError
        If X or Y is no sequence, or holds something that is no graph.
    OverflowError
        If a count might not fit into 64 bits.

    See Also
    --------
    GraphletCounter : Features of graphs.

    Examples
    --------
    >>> import networkx as nx
    >>> from sparsekit.graphlets import pairwise_graph_distances
    >>> graphs = [nx.cycle_graph(10), nx.cycle_graph(30), nx.star_graph(10)]
    >>> pairwise_graph_distances(graphs).round(2)
    array([[0.  , 0.  , 0.11],
           [0.  , 0.  , 0.11],
           [0.11, 0.11, 0.  ]])
    """
    if metric not in ("netemd", "gcd"):
        raise ValueError(f"expected metric to be 'netemd' or 'gcd', got {metric!r}.")
    if metric == "gcd" and max_nodes != 4:
        raise ValueError(f"metric='gcd' is defined for max_nodes=4, got {max_nodes!r}.")

    check_max_nodes(max_nodes)

    def describe(graph):
        if metric == "gcd":
            return _correlations(graph, n_jobs)
        return _scaled(graph, max_nodes, n_jobs)

    distance = _correlation_distance if metric == "gcd" else _shifted_earth_mover
    first = for_each_graph(X, describe)
    if Y is not None:
        second = for_each_graph(Y, describe, "Y")
        return np.array([[distance(a, b) for b in second] for a in first])
    result = np.zeros((len(first),) * 2)
    for i, j in combinations(range(len(first)), 2):
        result[i, j] = result[j, i] = distance(first[i], first[j])
    return result
