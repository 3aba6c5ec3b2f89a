"""What a directed acyclic graph implies: its equivalence class, the order of the variances."""

from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils import check_array

from sparsekit._sklearn_compat import column_names_of
from sparsekit.core import dag as core
from sparsekit.core.csr import canonical
from sparsekit.metrics._graphs import named_pattern, reorder

__all__ = ["cpdag", "varsortability"]


def cpdag(dag: Any) -> sp.csr_array:
    """Completed partially directed graph of a DAG, which stands for its Markov equivalence class.

    It has a directed edge where all DAGs that imply the same conditional independences agree, and
    an undirected one where they do not: these directions no independence test can tell.

    Parameters
    ----------
    dag : object
        Directed acyclic graph: anything that `sparsekit.graph.as_graph` takes. Entry [i, j] is the
        edge i -> j. Weights are ignored.

    Returns
    -------
    csr_array of shape (n_nodes, n_nodes), float64
        Ones: at [i, j] alone for i -> j, at [i, j] and [j, i] for i - j. Nodes are in the order of
        the input.

    Raises
    ------
    TypeError, ValueError
        If `dag` is no graph, has a weight that is not finite, an edge from a node to itself or a
        cycle.

    Notes
    -----
    By Chickering's labelling of edges [1]_, in a time in the order of nodes and edges, times the
    largest number of parents at worst.

    References
    ----------
    .. [1] D. M. Chickering: "A transformational characterization of equivalent Bayesian network
       structures", UAI 1995.

    Examples
    --------
    The edges of 0 -> 1 <- 2 meet in 1, which no equivalent graph may change; 2 -> 3 is free.

    >>> from sparsekit.metrics import cpdag
    >>> cpdag([[0, 1, 0, 0], [0, 0, 0, 0], [0, 1, 0, 1], [0, 0, 0, 0]]).toarray()
    array([[0., 1., 0., 0.],
           [0., 0., 0., 0.],
           [0., 1., 0., 1.],
           [0., 0., 1., 0.]])
    """
    pattern, _ = named_pattern(dag, "dag")
    return sp.csr_array(pattern + core.reversible_edges(pattern).T)


def varsortability(X: Any, dag: Any) -> float:
    """Share of the directed walks of a DAG along which the variance increases.

    For every length k, each pair of nodes (i, j) that a directed walk of k edges joins counts once:
    1 if the variance of j is larger than that of i, 1/2 if they are equal.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_nodes)
        Data, whose columns are the nodes. At least two samples.
    dag : object
        Directed acyclic graph: anything that `sparsekit.graph.as_graph` takes. Entry [i, j] is the
        edge i -> j. Weights are ignored. If X is a frame whose columns are called by strings, and
        the nodes have names, too, columns are matched with nodes by name.

    Returns
    -------
    float
        Between 0 and 1; about 1/2 if variances tell nothing of the order. NaN without edges.

    Raises
    ------
    TypeError, ValueError
        If `dag` is no graph, has a weight that is not finite, an edge from a node to itself or a
        cycle; if X is not numeric, not finite, or has other columns than `dag` has nodes; if some
        names of columns are strings and some are not.

    Notes
    -----
    Near 1, sorting the variables by variance almost gives the causal order, and a method that uses
    the scale of the data may do well for that reason alone: most generated data are so, data in
    arbitrary units are not [1]_. Variances are equal if their ratio differs from 1 by at most 1e-9.

    References
    ----------
    .. [1] A. G. Reisach, C. Seiler, S. Weichwald: "Beware of the simulated DAG! Causal discovery
       benchmarks may be easy to game", NeurIPS 2021. https://arxiv.org/abs/2102.13647

    Examples
    --------
    >>> from sparsekit.datasets import make_linear_sem
    >>> from sparsekit.metrics import varsortability
    >>> X, adjacency = make_linear_sem(1000, 20, random_state=0)
    >>> varsortability(X, adjacency) > 0.9
    True
    >>> varsortability(X / X.std(axis=0), adjacency)
    0.5
    """
    pattern, names = named_pattern(dag, "dag")
    columns = column_names_of(X)
    X = check_array(X, dtype=np.float64, ensure_min_samples=2, estimator="varsortability")
    if X.shape[1] != pattern.shape[0]:
        raise ValueError(
            f"expected one column a node, got {X.shape[1]} columns and {pattern.shape[0]} nodes: "
            "drop the other columns; isolated nodes count, too."
        )
    ordered = reorder(pattern, names, None if columns is None else columns.tolist())
    return core.varsortability(_variances(X), canonical(ordered))


def _variances(X: np.ndarray) -> np.ndarray:
    """Variances up to a common factor, of data of any scale; constant columns have exactly 0."""
    X = X / (np.abs(X).max() or 1)  # squares neither overflow nor vanish
    return (X - X[0]).var(axis=0)  # the mean of a constant column may be rounded
