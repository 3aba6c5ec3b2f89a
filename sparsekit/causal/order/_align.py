"""The member of an equivalence class whose edges agree best with an order."""

import numpy as np

__all__ = ["align"]


def align(
    is_edge: np.ndarray,
    order: np.ndarray,
    forbidden: np.ndarray | None = None,
    required: np.ndarray | None = None,
) -> np.ndarray:
    """Reverse edges that point backward in an order, as long as the graphs are equivalent.

    Parameters
    ----------
    is_edge : ndarray of shape (d, d), bool
        A directed acyclic graph.
    order : ndarray of shape (d,), intp
    forbidden, required : ndarray of shape (d, d), bool, default=None
        Edges that are not made, and edges that stay.

    Returns
    -------
    ndarray of shape (d, d), bool
        No covered edge is left that points backward and may be reversed.

    References
    ----------
    .. [1] D. M. Chickering: "A transformational characterization of equivalent Bayesian network
       structures", UAI 1995.
    """
    fixed = np.zeros_like(is_edge)
    if forbidden is not None:
        fixed |= forbidden.T
    if required is not None:
        fixed |= required
    rank = np.argsort(order)
    parents = [set(np.flatnonzero(column).tolist()) for column in is_edge.T]
    reversed_any = True
    while reversed_any:  # each reversal leaves one edge less that points backward
        reversed_any = False
        for child in order.tolist():
            for parent in sorted(parents[child], key=rank.__getitem__):
                covered = parents[child] == parents[parent] | {parent}
                if rank[parent] > rank[child] and covered and not fixed[parent, child]:
                    parents[child].remove(parent)
                    parents[parent].add(child)
                    reversed_any = True
    aligned = np.zeros_like(is_edge)
    for child, members in enumerate(parents):
        aligned[sorted(members), child] = True
    return aligned
