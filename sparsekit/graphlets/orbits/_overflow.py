"""Refuse graphs whose counts might not fit into 64 bits, before anything is counted wrongly.

Every occurrence of a graphlet has a spanning tree, and if it has a cycle a spanning subgraph with
exactly one. So counts of copies of trees and of graphs with one cycle, bounded here in floating
point, bound all others up to a factor: the number of ways to lay a graphlet onto given nodes.
"""

import numpy as np

from sparsekit.core.csr import CSR, row_sums
from sparsekit.core.ordering import Ordered, degrees_of
from sparsekit.graphlets.orbits._count4 import EdgeCounts

__all__ = ["check_cycles", "check_trees"]

# A little below 2**63: the sums below are rounded.
_LIMIT = 2.0**63 * (1 - 1e-9)
# Copies of one graphlet on given nodes, one of which is the root: at most 3! and 4!. Where kernels
# find copies of orbit 69 twice there are only 3 of them.
_COPIES = {4: 6.0, 5: 24.0}


def check_trees(ordered: Ordered, max_nodes: int, judged: np.ndarray | slice) -> None:
    """Raise OverflowError if a count of copies of a tree might exceed the range of int64.

    Parameters
    ----------
    ordered : Ordered
    max_nodes : {4, 5}
        For 5, the bounds hold for graphlets of four nodes as well.
    judged : ndarray of shape (n_nodes,), bool, or slice
        Nodes whose counts are wanted.

    Raises
    ------
    OverflowError
        Names the orbit and the bound.
    """
    degrees = degrees_of(ordered).astype(np.float64)
    if _is_small(degrees, max_nodes):
        return
    for orbit, bound in _tree_bounds(ordered, degrees, max_nodes).items():
        _refuse(f"orbit {orbit}", bound[judged].max(initial=0.0))


def check_cycles(
    ordered: Ordered,
    edges: EdgeCounts,
    sums: np.ndarray,
    max_nodes: int,
    judged: np.ndarray | slice,
) -> None:
    """Raise OverflowError if a count of copies of a graph with cycles might not fit.

    Parameters
    ----------
    ordered : Ordered
    edges : EdgeCounts
    sums : ndarray of shape (n_nodes, 4), int64
        From `sparsekit.graphlets.orbits._count4.node_sums`.
    max_nodes, judged : object
        As for `check_trees`.

    Raises
    ------
    OverflowError
        Names the orbit and the bound.
    """
    degrees = degrees_of(ordered).astype(np.float64)
    if _is_small(degrees, max_nodes):
        return
    bounds = _one_cycle_bounds(ordered, edges, sums.astype(np.float64), degrees, max_nodes)
    bounds = {orbit: bound[judged] for orbit, bound in bounds.items()}
    # Nodes that hold a cycle are counted in at least one of the bounds: their sum covers all.
    total = _COPIES[max_nodes] * sum(bounds.values())
    if np.max(total, initial=0.0) >= _LIMIT:
        node = np.argmax(total)
        largest = max(bounds, key=lambda orbit: bounds[orbit][node])
        _refuse("graphlets with cycles", total[node], f", most of it from orbit {largest}")


def _is_small(degrees: np.ndarray, max_nodes: int) -> bool:
    return _COPIES[max_nodes] * degrees.max(initial=0.0) ** (max_nodes - 1) < _LIMIT


def _refuse(what: str, bound: float, source: str = "") -> None:
    if bound >= _LIMIT:
        raise OverflowError(
            f"counts of {what} may reach {bound:.3g}{source}, beyond the range of 64-bit integers "
            f"(9.22e18). Count a smaller max_nodes, or remove the nodes of highest degree."
        )


def _choose(n: np.ndarray, k: int) -> np.ndarray:
    result = np.ones_like(n)
    for i in range(k):
        result *= np.maximum(n - i, 0.0) / (i + 1)
    return result


def _tree_bounds(ordered: Ordered, d: np.ndarray, max_nodes: int) -> dict[int, np.ndarray]:
    """For each tree orbit, at least the number of copies at each node."""

    def around(values):  # sum over neighbours, without one return to the node itself
        return row_sums(CSR(ordered.indptr, ordered.indices, values[ordered.indices]))

    onward = around(d - 1)
    n4 = np.maximum(around(onward) - d * (d - 1), 0.0)
    if max_nodes == 4:
        return {
            4: n4,
            5: (d - 1) * onward,
            6: around(_choose(d - 1, 2)),
            7: _choose(d, 3),
        }
    walks = around(around(onward)) - d * onward
    return {
        15: np.maximum(walks, 0.0),
        16: np.maximum(d - 1, 0.0) * n4,
        17: (onward**2 - around((d - 1) ** 2)) / 2,
        18: np.maximum(around(around(_choose(d - 1, 2))) - d * _choose(d - 1, 2), 0.0),
        19: around(np.maximum(d - 2, 0.0) * onward) - around(np.maximum(d - 2, 0.0)) * (d - 1),
        20: np.maximum(d - 1, 0.0) * around(_choose(d - 1, 2)),
        21: _choose(d - 1, 2) * onward,
        22: around(_choose(d - 1, 3)),
        23: _choose(d, 4),
    }


def _one_cycle_bounds(
    ordered: Ordered, edges: EdgeCounts, sums: np.ndarray, d: np.ndarray, max_nodes: int
) -> dict[int, np.ndarray]:
    """For each orbit of a graphlet with one cycle, at least the number of copies at each node."""
    neighbours = ordered.indices

    def along(values, weights=None):  # sum over neighbours, weighted by a count on the edge
        terms = values[neighbours] if weights is None else values[neighbours] * weights
        return row_sums(CSR(ordered.indptr, neighbours, terms))

    t, c4 = edges.triangles.astype(np.float64), edges.cycles.astype(np.float64)
    S, T, C4 = sums[:, 0], sums[:, 1], sums[:, 2]
    if max_nodes == 4:
        return {8: C4, 9: along(T), 10: along(d, t), 11: T * d}
    td = along(d, t)  # triangles on the edge to a neighbour, times the neighbour's degree
    return {
        24: along(td),
        25: along(d**2, t) / 2,
        26: d * td,
        27: along(along(T)),
        28: d * along(T),
        29: along(S, t),
        30: T * S,
        31: along(T * d),
        32: along(d**2, t) / 2,
        33: T * d**2 / 2,
        34: S**2 / 2,
        35: along(C4),
        36: C4 * d.max(),
        37: along(d, c4),
        38: C4 * d,
    }
