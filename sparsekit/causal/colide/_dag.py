"""From weights to a graph that is acyclic for every input and every threshold."""

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from sparsekit.causal._gaussian import least_squares
from sparsekit.causal._weights import keep_required
from sparsekit.core import csr

__all__ = ["fill_required", "to_dag"]


def to_dag(
    weights: np.ndarray, threshold: float, required: np.ndarray | None = None
) -> sp.csr_array:
    """Keep large weights, and of those the largest that have no cycle.

    While the kept edges have a cycle, the one with the smallest absolute weight is deleted (ties:
    the smallest row, then column), whether it is on a cycle or not.

    Parameters
    ----------
    weights : ndarray of shape (d, d), float64
        The diagonal is ignored.
    threshold : float
        Edges are kept if their absolute weight is larger.
    required : ndarray of shape (d, d), bool, default=None
        An acyclic graph, whose edges are never deleted. Those without a weight count when cycles
        are broken, but are not stored: see `fill_required`.

    Returns
    -------
    csr_array of shape (d, d), float64
        Sorted, without explicit zeros.
    """
    d = len(weights)
    sizes = np.abs(weights)
    candidates = sizes > threshold
    np.fill_diagonal(candidates, False)
    fixed = np.zeros(0, dtype=np.int64)
    if required is not None:
        candidates &= ~required
        fixed = np.flatnonzero(required)
    edges = np.flatnonzero(candidates)
    # Largest last; equal ones by row and column, in which order they come.
    edges = edges[np.argsort(sizes.ravel()[edges], kind="stable")]
    n_deleted = _smallest_cut(edges, fixed, d)
    kept = np.concatenate([edges[n_deleted:], fixed])
    entries = (weights.ravel()[kept], np.unravel_index(kept, (d, d)))
    return csr.canonical(sp.csr_array(entries, shape=(d, d)))


def _smallest_cut(edges: np.ndarray, fixed: np.ndarray, d: int) -> int:
    """Smallest number of edges to delete from the front so that no cycle is left."""
    low, high = 0, len(edges)
    while low < high:  # fewer edges never make a cycle
        middle = (low + high) // 2
        if _is_acyclic(np.concatenate([edges[middle:], fixed]), d):
            high = middle
        else:
            low = middle + 1
    return low


def _is_acyclic(edges: np.ndarray, d: int) -> bool:
    ones = np.ones(len(edges), dtype=np.int8)
    graph = sp.csr_array((ones, np.unravel_index(edges, (d, d))), shape=(d, d))
    return bool(connected_components(graph, connection="strong", return_labels=False) == d)


def fill_required(
    adjacency: sp.csr_array, covariance: np.ndarray, required: np.ndarray | None
) -> sp.csr_array:
    """Give required edges without a weight one, by least squares on the parents of their target.

    Parameters
    ----------
    adjacency : csr_array of shape (d, d), float64
        Acyclic together with the required edges.
    covariance : ndarray of shape (d, d), float64
    required : ndarray of shape (d, d), bool, or None

    Returns
    -------
    csr_array of shape (d, d), float64
        Where least squares gives 0 the weight is 1e-8.
    """
    dense = adjacency.toarray()
    missing = np.zeros_like(dense, dtype=bool) if required is None else required & (dense == 0)
    if not missing.any():
        return adjacency
    dense[missing] = least_squares(covariance, (dense != 0) | missing).coefficients[missing]
    keep_required(dense, missing)
    return csr.canonical(dense)
