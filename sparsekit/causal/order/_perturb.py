"""A step away from a local optimum: another order of an equivalent graph, with some moves.

The graphs of one Markov equivalence class have the same score, but their orders have different
neighbours. So first the graph walks through its class, by reversals of covered edges [1]_; then its
nodes are put in a random order that fits; and a few of them are moved elsewhere. All is random by
place in the order, not by number of the variable.

References
----------
.. [1] D. M. Chickering: "A transformational characterization of equivalent Bayesian network
   structures", UAI 1995.
"""

import numpy as np

from sparsekit.causal.order._parent_sets import FORBIDDEN, REQUIRED, Problem
from sparsekit.core.jit import kernel

__all__ = ["perturb"]

# Attempts to reverse an edge, a node; the least number of moves, and so many nodes to a move.
_N_ATTEMPTS = 10
_LEAST_MOVES, _NODES = 3, 33

# Draws are taken modulo small numbers.
_LARGE = 2**62


@kernel(inner=True)
def _is_covered(parent, child, parents, n_parents, is_parent):
    """Whether the other parents of the child are those of the parent."""
    if n_parents[child] != n_parents[parent] + 1:
        return False
    covered = True
    for k in range(n_parents[parent]):
        covered &= is_parent[child, parents[parent, k]]
    return covered


@kernel
def _walk(problem, order, draws, parents, n_parents, is_parent):
    """Reverse covered edges at random."""
    for k in range(len(draws)):
        child = order[draws[k, 0] % len(order)]
        if n_parents[child] == 0:
            continue
        slot = draws[k, 1] % n_parents[child]
        parent = parents[child, slot]
        free = (
            problem.rules[parent, child] != FORBIDDEN and problem.rules[child, parent] != REQUIRED
        )
        full = n_parents[parent] >= problem.max_parents[parent]
        if full or not free or not _is_covered(parent, child, parents, n_parents, is_parent):
            continue
        n_parents[child] -= 1
        parents[child, slot] = parents[child, n_parents[child]]
        parents[parent, n_parents[parent]] = child
        n_parents[parent] += 1
        is_parent[child, parent], is_parent[parent, child] = False, True


@kernel
def _arrange(order, draws, n_parents, is_parent, arranged):
    """Put the nodes in a random order in which parents come first."""
    d = len(order)
    waiting_for, ready = n_parents.copy(), np.empty(d, np.int64)
    n_ready = 0
    for node in order:
        if waiting_for[node] == 0:
            ready[n_ready] = node
            n_ready += 1
    for place in range(d):
        slot = draws[place] % n_ready
        node = ready[slot]
        n_ready -= 1
        ready[slot] = ready[n_ready]
        arranged[place] = node
        for other in order:
            if is_parent[other, node]:
                waiting_for[other] -= 1
                if waiting_for[other] == 0:
                    ready[n_ready] = other
                    n_ready += 1


@kernel(inner=True)
def _displace(problem, draws, order):
    """Move nodes to random places between their required parents and children."""
    for k in range(len(draws)):
        place = draws[k, 0] % len(order)
        node = order[place]
        first, last = 0, len(order) - 1
        for other in range(len(order)):
            if problem.rules[node, order[other]] == REQUIRED:
                first = other + 1
            if problem.rules[order[other], node] == REQUIRED and last == len(order) - 1:
                last = other - 1
        target = first + draws[k, 1] % (last - first + 1)
        step = 1 if target > place else -1
        while place != target:
            order[place] = order[place + step]
            place += step
        order[target] = node


@kernel
def _perturb(problem, order, walk, arrangement, moves, parents, n_parents, is_parent, result):
    """Carry out a perturbation; the graph is changed in place."""
    _walk(problem, order, walk, parents, n_parents, is_parent)
    _arrange(order, arrangement, n_parents, is_parent, result)
    _displace(problem, moves, result)


def perturb(problem: Problem, order: np.ndarray, is_parent: np.ndarray, number: int) -> np.ndarray:
    """Draw another order to search on from.

    Parameters
    ----------
    problem : Problem
    order : ndarray of shape (d,), int64
    is_parent : ndarray of shape (d, d), bool
        Entry [j, i] says whether i is a parent of j; all of them come first in the order, and
        required ones are among them.
    number : int
        Of the perturbation; determines the draws.

    Returns
    -------
    ndarray of shape (d,), int64
        Required parents come first.
    """
    d = len(order)
    n_parents = is_parent.sum(axis=1)
    children, ranks = np.nonzero(is_parent[:, order])
    slots = np.arange(len(children)) - (np.cumsum(n_parents) - n_parents)[children]
    parents = np.empty((d, d), dtype=np.int32)
    parents[children, slots] = order[ranks]
    generator = np.random.default_rng(number)
    walk = generator.integers(_LARGE, size=(_N_ATTEMPTS * d, 2))
    arrangement = generator.integers(_LARGE, size=d)
    moves = generator.integers(_LARGE, size=(max(_LEAST_MOVES, d // _NODES), 2))
    result = np.empty(d, dtype=np.int64)
    graph = parents, n_parents, is_parent.copy()
    _perturb(problem, order, walk, arrangement, moves, *graph, result)
    return result
