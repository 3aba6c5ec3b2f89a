"""Greedy equivalence search with the changes of the score that deletion leaves.

Two phases: insertions as long as one raises the score, then deletions. Each phase ends, for every
operator changes the number of adjacent pairs by one, and always the same way. No class is visited
twice: the changes are not those of a score, so a deletion could lead back to a class from which an
insertion has led away. After an operator only those pairs are looked at again whose operators it
may have changed.
"""

import hashlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from sparsekit.causal._background import Constraints
from sparsekit.causal.dropout._fisher_z import FisherZ
from sparsekit.causal.dropout._operators import Best, NodeSets, Phase
from sparsekit.causal.dropout._score_changes import ScoreChanges
from sparsekit.core.bits import pack_rows, unpack_rows
from sparsekit.core.pdag import completed

__all__ = ["GreedySearch", "greedy_search"]

# An operator has to raise the score by more.
_LEAST = 1e-6


class GreedySearch(NamedTuple):
    """What a search has found.

    Attributes
    ----------
    cpdag : ndarray of shape (d, d), bool
        Entry [i, j] alone is i -> j, both entries are i - j.
    score : float
        Sum of the changes by all operators.
    n_operators : int
    """

    cpdag: np.ndarray
    score: float
    n_operators: int


def _inserted(cpdag: np.ndarray, x: int, y: int, given: np.ndarray) -> np.ndarray:
    """Insert x -> y, and direct the neighbours of y that are given and not adjacent to x."""
    result = cpdag.copy()
    result[x, y] = True
    result[y, given & cpdag[y] & ~(cpdag[x] | cpdag[:, x])] = False
    return result


def _deleted(cpdag: np.ndarray, x: int, y: int, given: np.ndarray) -> np.ndarray:
    """Delete the edge, and direct edges to the neighbours of both that are not given."""
    result = cpdag.copy()
    result[x, y] = result[y, x] = False
    chosen = cpdag[y] & cpdag[:, y] & (cpdag[x] | cpdag[:, x]) & ~given
    result[chosen, y] = False
    result[chosen & cpdag[x], x] = False
    return result


def _touched(old: np.ndarray, new: np.ndarray, x: int, y: int) -> np.ndarray:
    """Pairs whose operators may have changed with an operator on x and y.

    They depend on the neighbours and parents of the second node, which of the neighbours are
    adjacent to the first node, and which to each other.
    """
    near = new & new.T
    # A column has both parents and neighbours.
    changed = (new != old).any(axis=0) | (near != (old & old.T)).any(axis=0)
    changed |= near[x] & near[y]
    pairs = np.broadcast_to(changed, new.shape).copy()
    pairs[x] |= near[y]
    pairs[y] |= near[x]
    pairs[x, y] = pairs[y, x] = True
    return pairs


def _digest(cpdag: np.ndarray) -> bytes:
    """Directed and undirected edges, in a few bytes."""
    return hashlib.blake2b(np.packbits(cpdag).tobytes(), digest_size=16).digest()


class _Search:
    """A search, and how far it is.

    Parameters
    ----------
    test : FisherZ
    penalty : float
    max_parents : int
    forbidden, required : ndarray of shape (d, d), bool
        As `Constraints` has them: the opposite of what is required is forbidden.

    Attributes
    ----------
    cpdag, score, n_operators : object
        See `GreedySearch`.
    """

    def __init__(
        self,
        test: FisherZ,
        penalty: float,
        max_parents: int,
        forbidden: np.ndarray,
        required: np.ndarray,
    ) -> None:
        start = completed(required)
        assert start is not None  # for required edges form no cycle
        self.cpdag = start
        self.score, self.n_operators = 0.0, 0
        self._changes = ScoreChanges(test, penalty)
        self._max_parents = max_parents
        self._forbidden = forbidden
        self._insertable = ~(forbidden & forbidden.T) & ~np.eye(len(forbidden), dtype=bool)
        self._deletable = ~(required | required.T)
        self._seen = {_digest(self.cpdag)}

    def run(self, inserts: bool, watch: Callable[[], bool] | None) -> bool:
        """Apply operators of one kind until none raises the score; returns whether to stop."""
        d = len(self.cpdag)
        phase = Phase(inserts, self._max_parents - 1 if inserts else d, _LEAST)
        changes, orders = np.empty((d, d)), np.empty((d, d), dtype=np.int64)
        best = Best(changes, orders, np.empty(d), np.empty((d, d), dtype=np.bool_))
        touched = np.ones((d, d), dtype=bool)
        while True:
            found = self._next(touched, phase, best)
            if found is None:
                return False
            cpdag, x, y = found
            touched = _touched(self.cpdag, cpdag, x, y) | best.passed
            self.cpdag = cpdag
            self.score += float(best.changes[x, y])
            self.n_operators += 1
            self._seen.add(_digest(cpdag))
            if watch is not None and watch():
                return True

    def _next(
        self, touched: np.ndarray, phase: Phase, best: Best
    ) -> tuple[np.ndarray, int, int] | None:
        """Find the best operator that may be applied: what comes of it, and its pair."""
        now, applied = self.cpdag, _inserted if phase.inserts else _deleted
        adjacent = now | now.T
        sets = NodeSets(*map(pack_rows, (adjacent, now & now.T, now.T & ~now, now)))
        possible = ~adjacent & self._insertable if phase.inserts else now & self._deletable
        best.changes[touched] = -np.inf
        best.passed[:] = False
        pairs = np.stack(np.divmod(np.flatnonzero(touched & possible), len(now)), axis=1)
        best.forget(pairs)
        while True:
            x, y, given = self._changes.choose(sets, pairs, phase, best)
            if x < 0:
                return None
            cpdag = completed(applied(now, x, y, unpack_rows(given[None], len(now))[0]))
            if cpdag is not None and _digest(cpdag) not in self._seen and self._agrees(cpdag):
                return cpdag, x, y
            best.passed[x, y] = True
            best.orders[x, y] += 1
            pairs = np.array([[x, y]])

    def _agrees(self, cpdag: np.ndarray) -> bool:
        """Whether some graph of the class has no forbidden edge."""
        allowed = cpdag & ~self._forbidden
        if np.array_equal(allowed, cpdag):
            return True
        narrowed = completed(allowed)
        return narrowed is not None and np.array_equal(narrowed, cpdag)


def greedy_search(
    test: FisherZ,
    *,
    penalty: float = 2.0,
    max_parents: int | None = None,
    constraints: Constraints | None = None,
    watch: Callable[[], bool] | None = None,
) -> GreedySearch:
    """Search for an equivalence class by insertions, then deletions, each the best one there is.

    Parameters
    ----------
    test : FisherZ
    penalty : float, default=2.0
        An edge costs ``penalty / 2 * log(n_rows)``.
    max_parents : int, default=None
        An insertion gives no variable more of them.
    constraints : Constraints, default=None
        Required edges are there from the start. All classes on the way have a graph without
        forbidden edges.
    watch : callable, default=None
        Called after every operator; returns whether to stop there.

    Returns
    -------
    GreedySearch
        The class; what is known of directions is not looked at.

    References
    ----------
    .. [1] D. M. Chickering: "Optimal structure identification with greedy search", Journal of
       Machine Learning Research 3, 2002.
    .. [2] J. Ramsey, M. Glymour, R. Sanchez-Romero, C. Glymour: "A million variables and more: the
       Fast Greedy Equivalence Search algorithm", International Journal of Data Science and
       Analytics 3, 2017: which operators are to be looked at again.
    """
    d = test.n_features
    nothing = np.zeros((d, d), dtype=bool)
    forbidden, required = constraints or (nothing, nothing)
    most = d if max_parents is None else min(max_parents, d)
    search = _Search(test, penalty, most, forbidden, required)
    for inserts in (True, False):
        if search.run(inserts, watch):
            break
    return GreedySearch(search.cpdag, search.score, search.n_operators)
