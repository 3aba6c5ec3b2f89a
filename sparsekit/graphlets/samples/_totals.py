"""Numbers of copies in a whole graph, induced or not, that have a closed form and a low cost."""

import numpy as np

from sparsekit.core.jit import kernel, run_ranges
from sparsekit.core.ordering import Ordered, degrees_of, ranges_of_rows
from sparsekit.graphlets._tables import N_GRAPHLETS
from sparsekit.graphlets.orbits._count4 import EdgeCounts

__all__ = ["total_copies"]

# Floats hold all integers up to here. Above, a difference that is smaller than this share of what
# is subtracted from is rounding: there is no copy.
_EXACT = 2.0**53
_ROUNDING = 1e-12


@kernel
def _sum_slots(lo, hi, ordered, triangles, sums):
    """Columns: sums over the neighbours u of each node of t (t - 1), t (d(u) - 2), C(t, 3), d'^2.

    d' is d(u) - 1.
    """
    indptr, _, indices, _ = ordered
    for v in range(lo, hi):
        for slot in range(indptr[v], indptr[v + 1]):
            u = indices[slot]
            t = np.float64(triangles[slot])
            sums[v, 0] += t * (t - 1)
            sums[v, 1] += t * (indptr[u + 1] - indptr[u] - 2)
            sums[v, 2] += t * (t - 1) * (t - 2) / 6
            sums[v, 3] += np.float64(indptr[u + 1] - indptr[u] - 1) ** 2


def total_copies(
    ordered: Ordered, edges: EdgeCounts, sums: np.ndarray, n_jobs: int | None
) -> np.ndarray:
    """Number of copies of graphlets in the whole graph.

    Parameters
    ----------
    ordered : Ordered
    edges : EdgeCounts
    sums : ndarray of shape (n_nodes, 4), int64
        From `sparsekit.graphlets.orbits._count4.node_sums`.
    n_jobs : int or None

    Returns
    -------
    ndarray of shape (30,), float64
        NaN for the graphlets of five nodes that have no closed form here. Exact below 2**53.
    """
    more = np.zeros((len(sums), 4))
    ranges = ranges_of_rows(ordered, n_jobs)
    run_ranges(_sum_slots, ranges, n_jobs, ordered, edges.triangles, more)
    d = degrees_of(ordered).astype(np.float64)
    S, T, C4, K4 = sums.T.astype(np.float64)
    walks = S - d  # of two steps that do not return: sum of d(u) - 1
    closed = more[:, 0].sum()  # ordered pairs of triangles on a common edge, once from each end
    # Copies with coinciding nodes come second.
    terms = {
        0: (d.sum() / 2, 0),
        1: (_choose(d, 2).sum(), 0),
        2: (T.sum() / 3, 0),
        3: (np.sum((d - 1) * walks) / 2, T.sum()),
        4: (_choose(d, 3).sum(), 0),
        5: (C4.sum() / 4, 0),
        6: (np.sum(T * (d - 2)), 0),
        7: (closed / 4, 0),
        8: (K4.sum() / 4, 0),
        # Node by node, so that nothing large is subtracted in the end.
        9: (np.sum(walks**2 - more[:, 3]) / 2, np.sum(2 * T * (d - 1) - T + C4)),
        10: (np.sum(_choose(d - 1, 2) * walks), np.sum(2 * T * (d - 2))),
        11: (_choose(d, 4).sum(), 0),
        12: (np.sum((d - 2) * more[:, 1]) / 2, closed / 2),
        13: (np.sum(T * walks), np.sum(2 * T * (d - 1)) + closed),
        14: (np.sum(T * _choose(d - 2, 2)), 0),
        16: (np.sum(C4 * (d - 2)), closed / 2),
        17: (np.sum(more[:, 0] * (d - 3)) / 2, 0),
        22: (more[:, 2].sum() / 2, 0),
    }
    copies = np.full(N_GRAPHLETS[5], np.nan)
    for graphlet, (all_, improper) in terms.items():
        n_copies = all_ - improper
        rounding = _ROUNDING * all_ if all_ > _EXACT else 0.0
        copies[graphlet] = n_copies if n_copies > rounding else 0.0
    return copies


def _choose(n: np.ndarray, k: int) -> np.ndarray:
    """Binomial coefficients as floats; 0 below k."""
    result = np.ones_like(n)
    for i in range(k):
        result = result * np.maximum(n - i, 0.0) / (i + 1)  # integers in between, too
    return result
