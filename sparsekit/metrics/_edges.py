"""Metrics that compare edges one by one."""

from typing import Any, NamedTuple

import scipy.sparse as sp

from sparsekit.metrics._graphs import patterns_of

__all__ = [
    "EdgeScores",
    "SkeletonScores",
    "edge_scores",
    "skeleton_scores",
    "structural_hamming_distance",
]


class SkeletonScores(NamedTuple):
    """How well pairs of adjacent nodes are found, as `skeleton_scores` returns it.

    Parameters
    ----------
    precision : float
        Share of the predicted pairs that are right.
    recall : float
        Share of the true pairs that are found.
    f1 : float
        Harmonic mean of the two.

    See Also
    --------
    skeleton_scores : What the fields mean, in full.

    Examples
    --------
    >>> from sparsekit.metrics import skeleton_scores
    >>> skeleton_scores([[0, 1], [0, 0]], [[0, 0], [1, 0]])
    SkeletonScores(precision=1.0, recall=1.0, f1=1.0)
    """

    precision: float
    recall: float
    f1: float


class EdgeScores(NamedTuple):
    """How well edges are found with their directions, as `edge_scores` returns it.

    Parameters
    ----------
    precision : float
        Share of the predicted edges that are right.
    recall : float
        Share of the true edges that are found; also called true positive rate.
    f1 : float
        Harmonic mean of the two.
    false_discovery_rate : float
        Share of the predicted edges that are wrong.

    See Also
    --------
    edge_scores : What the fields mean, in full.

    Examples
    --------
    >>> from sparsekit.metrics import edge_scores
    >>> edge_scores([[0, 1], [0, 0]], [[0, 0], [1, 0]]).false_discovery_rate
    1.0
    """

    precision: float
    recall: float
    f1: float
    false_discovery_rate: float


def structural_hamming_distance(true: Any, pred: Any) -> int:
    """Count the pairs of nodes between which two graphs have different edges.

    A missing, an additional and a reversed edge count 1 each, and so does an undirected edge in
    place of a directed one. The distance is symmetric.

    Parameters
    ----------
    true, pred : object
        Directed or partially directed graphs with the same nodes: anything that
        `sparsekit.graph.as_graph` takes. Entry [i, j] is the edge i -> j, and an undirected edge is
        stored at [i, j] and [j, i]. Weights are ignored, cycles allowed. Nodes are matched by name
        where both graphs have names, and by position otherwise. The numbers 0, 1, 2 and so on, in
        any order, are names that fit a graph without names, too.

    Returns
    -------
    int

    Raises
    ------
    TypeError, ValueError
        If an argument is no graph, a weight is not finite, a node has an edge to itself, or the
        nodes differ in number or names.

    See Also
    --------
    structural_intervention_distance : Counts wrong conclusions, not wrong edges.
    cpdag : Compare these instead if data can not tell equivalent graphs apart.

    Notes
    -----
    Of the definitions in use this is the one that counts a reversed edge once; some programs count
    it twice. The distance was introduced for partially directed graphs [1]_.

    References
    ----------
    .. [1] I. Tsamardinos, L. E. Brown, C. F. Aliferis: "The max-min hill-climbing Bayesian network
       structure learning algorithm", Machine Learning 65 (2006), 31-78.

    Examples
    --------
    The first edge is reversed, the second one missing.

    >>> from sparsekit.metrics import structural_hamming_distance
    >>> true = [[0, 1, 0], [0, 0, 1], [0, 0, 0]]
    >>> pred = [[0, 0, 0], [1, 0, 0], [0, 0, 0]]
    >>> structural_hamming_distance(true, pred)
    2
    """
    expected, predicted = (_states(pattern) for pattern in patterns_of(true, pred))
    return int((expected != predicted).nnz)


def skeleton_scores(true: Any, pred: Any) -> SkeletonScores:
    """Precision and recall of the adjacent pairs of nodes, whatever the directions.

    Parameters
    ----------
    true, pred : object
        As for `structural_hamming_distance`.

    Returns
    -------
    SkeletonScores
        precision : float
            Share of the pairs joined in `pred` that are joined in `true`; 1 if there are none.
        recall : float
            Share of the pairs joined in `true` that are joined in `pred`; 1 if there are none.
        f1 : float
            Harmonic mean of the two.

    Raises
    ------
    TypeError, ValueError
        As for `structural_hamming_distance`.

    See Also
    --------
    edge_scores : The same with directions.

    Examples
    --------
    >>> from sparsekit.metrics import skeleton_scores
    >>> true = [[0, 1, 0], [0, 0, 1], [0, 0, 0]]
    >>> pred = [[0, 0, 0], [1, 0, 0], [0, 0, 0]]
    >>> skeleton_scores(true, pred)
    SkeletonScores(precision=1.0, recall=0.5, f1=0.666...)
    """
    expected, predicted = (_states(pattern) for pattern in patterns_of(true, pred))
    n_right = expected.multiply(predicted).nnz
    return SkeletonScores(*_ratios(n_right, predicted.nnz, expected.nnz))


def edge_scores(true: Any, pred: Any) -> EdgeScores:
    """Precision and recall of the edges, with their directions.

    Parameters
    ----------
    true, pred : object
        As for `structural_hamming_distance`. An undirected edge is right where the other graph has
        an undirected edge.

    Returns
    -------
    EdgeScores
        precision : float
            Share of the edges of `pred` that are in `true`; 1 if there are none.
        recall : float
            Share of the edges of `true` that are in `pred`; 1 if there are none.
        f1 : float
            Harmonic mean of the two.
        false_discovery_rate : float
            1 - precision: reversed edges and those between nodes that are not adjacent.

    Raises
    ------
    TypeError, ValueError
        As for `structural_hamming_distance`.

    See Also
    --------
    skeleton_scores : The same without directions.

    Examples
    --------
    >>> from sparsekit.metrics import edge_scores
    >>> true = [[0, 1, 0], [0, 0, 1], [0, 0, 0]]
    >>> pred = [[0, 1, 0], [0, 0, 0], [0, 1, 0]]
    >>> edge_scores(true, pred)
    EdgeScores(precision=0.5, recall=0.5, f1=0.5, false_discovery_rate=0.5)
    """
    expected, predicted = (_states(pattern) for pattern in patterns_of(true, pred))
    n_joined = expected.multiply(predicted).nnz
    n_different = (expected != predicted).nnz
    # Pairs joined in both differ as well if they have different directions.
    n_right = expected.nnz + predicted.nnz - n_joined - n_different
    precision, recall, f1 = _ratios(n_right, predicted.nnz, expected.nnz)
    return EdgeScores(precision, recall, f1, 1 - precision)


def _states(pattern: sp.csr_array) -> sp.csr_array:
    """Edge between i < j, at [i, j]: 1 for i -> j, 2 for j -> i, 3 for an undirected one."""
    return sp.csr_array(sp.triu(pattern, k=1) + 2 * sp.triu(pattern.T, k=1))


def _ratios(n_right: int, n_predicted: int, n_true: int) -> tuple[float, float, float]:
    """Precision, recall and f1; of nothing, everything is right."""
    precision = n_right / n_predicted if n_predicted else 1.0
    recall = n_right / n_true if n_true else 1.0
    f1 = 2 * n_right / (n_predicted + n_true) if n_predicted or n_true else 1.0
    return precision, recall, f1
