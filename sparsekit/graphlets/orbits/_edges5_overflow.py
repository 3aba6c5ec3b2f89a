"""Refuse graphs whose five-node edge orbit counts might not fit into 64 bits.

Every occurrence of a graphlet on an edge has a spanning tree with that edge, and if it has a cycle
a spanning subgraph with exactly one. So counts of these, bounded here in floating point, bound all
others up to a factor: the number of ways to lay a graphlet onto five given nodes.
"""

import numpy as np

from sparsekit.core.csr import CSR, row_sums
from sparsekit.core.ordering import Ordered, degrees_of
from sparsekit.graphlets.orbits._edges4 import CYCLES, DEGREES, TRIANGLES, upward_slots

__all__ = ["check_edge_range"]

# A little below 2**63: the sums below are rounded.
_LIMIT = 2.0**63 * (1 - 1e-9)
# Copies of one graphlet on given nodes: 5! over at least two symmetries.
_COPIES = 60.0
# Bounds of trees on an edge add up to at most 8.4 cubed degrees.
_OF_CUBED_DEGREE = 512.0


def check_edge_range(ordered: Ordered, sums: np.ndarray, facts: np.ndarray) -> None:
    """Raise OverflowError if a count of copies might exceed the range of int64.

    Parameters
    ----------
    ordered : Ordered
    sums : ndarray of shape (n_nodes, 4), int64
        From `sparsekit.graphlets.orbits._count4.node_sums`.
    facts : ndarray of shape (n_edges, 8), int64
        From `sparsekit.graphlets.orbits._edges4.edge_facts`.

    Raises
    ------
    OverflowError
        Names the orbit and the bound.
    """
    degrees = degrees_of(ordered).astype(np.float64)
    if _OF_CUBED_DEGREE * degrees.max() ** 3 < _LIMIT:
        return
    sums, facts = sums.astype(np.float64), facts.astype(np.float64)
    slots = upward_slots(ordered)
    ends = ordered.indices[ordered.mirrored[slots]], ordered.indices[slots]
    for orbit, bound in _tree_bounds(ordered, degrees, sums, *ends).items():
        _refuse(f"edge orbit {orbit}", bound.max())
    cyclic = _one_cycle_bounds(ordered, degrees, sums, facts, *ends)
    # Nodes that hold a cycle are counted in at least one of the bounds: their sum covers all.
    total = _COPIES * sum(cyclic.values())
    edge = np.argmax(total)
    largest = max(cyclic, key=lambda orbit: cyclic[orbit][edge])
    _refuse(
        "edge orbits of five-node graphlets with cycles",
        total[edge],
        f", most of it from orbit {largest}",
    )


def _refuse(what: str, bound: float, source: str = "") -> None:
    if bound >= _LIMIT:
        raise OverflowError(
            f"counts of {what} may reach {bound:.3g}{source}, beyond the range of 64-bit "
            f"integers (9.22e18). Count a smaller max_nodes, or remove the nodes of highest degree."
        )


def _around(ordered: Ordered, values: np.ndarray) -> np.ndarray:
    return row_sums(CSR(ordered.indptr, ordered.indices, values[ordered.indices]))


def _tree_bounds(ordered, d, sums, u, v) -> dict[int, np.ndarray]:
    """For each orbit of a tree, at least the number of copies on each edge (u, v)."""
    steps, pairs, triples = sums[:, 0] - d, d * (d - 1) / 2, (d - 1) * (d - 2) * (d - 3) / 6
    walks, forks = _around(ordered, steps), _around(ordered, (d - 1) * (d - 2) / 2)
    return {
        12: walks[u] + walks[v],
        13: d[u] * steps[v] + d[v] * steps[u],
        14: forks[u] + forks[v],
        15: d[u] * steps[u] + d[v] * steps[v],
        16: pairs[u] * d[v] + pairs[v] * d[u],
        17: triples[u] + triples[v],
    }


def _one_cycle_bounds(ordered, d, sums, facts, u, v) -> dict[int, np.ndarray]:
    """For each orbit of a graphlet with one cycle, at least the number of copies on each edge."""
    S, T, C4 = sums[:, 0], sums[:, 1], sums[:, 2]
    t, c4, degrees = facts[:, TRIANGLES], facts[:, CYCLES], facts[:, DEGREES]
    further = _around(ordered, T)
    walks = _around(ordered, S)
    tails = _around(ordered, T * d)
    return {
        18: 2 * (tails[u] + tails[v]),
        19: (d[u] + d[v]) * degrees,
        20: t * d[u] * d[v],
        21: further[u] + further[v],
        22: T[v] * d[u] + T[u] * d[v],
        23: t * S.max(),
        24: t * (S[u] + S[v]),
        25: T[u] * d[u] + T[v] * d[v],
        26: degrees * d.max(),
        27: t * (d[u] ** 2 + d[v] ** 2),
        28: np.minimum(walks[u], walks[v]),
        29: C4[u] + C4[v],
        30: 2 * c4 * d.max(),
        31: c4 * (d[u] + d[v]),
    }
