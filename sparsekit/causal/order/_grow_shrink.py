"""Best parents of a variable among those before it, found by adding and removing one at a time."""

import numpy as np

from sparsekit.causal.order._parent_sets import FULL, LEAVING, N_GAINFUL, N_PARENTS, START, toggle
from sparsekit.core.jit import kernel

__all__ = ["grow_shrink"]


@kernel(inner=True)
def _best_to_join(number, rank, n_before, sets):
    """Predecessor with the largest gain, the first in the order among equals; -1: none gains."""
    best, best_share = -1, np.float32(0.0)
    start = sets.facts[number, START] + sets.facts[number, N_PARENTS]
    for k in range(start, start + sets.facts[number, N_GAINFUL]):
        node, share = sets.members[k], sets.shares[k]
        if rank[node] >= n_before or share < best_share:
            continue
        if best < 0 or share > best_share or rank[node] < rank[best]:
            best, best_share = node, share
    return best


@kernel
def grow_shrink(problem, limits, target, rank, n_before, number, sets, room):
    """Add and remove parents, from a set on, while the score of the variable falls.

    Those whose rank is below `n_before` may join. Returns the number of the set, or `FULL`.
    """
    for _ in range(len(rank)):  # rounding can not make this endless
        while number != FULL:
            node = _best_to_join(number, rank, n_before, sets)
            if node < 0:
                break
            number = toggle(problem, limits, target, number, node, sets, room)
        grown = number
        while number != FULL and sets.facts[number, LEAVING] >= 0:
            node = sets.facts[number, LEAVING]
            number = toggle(problem, limits, target, number, node, sets, room)
        if number == grown:
            break
    return number
