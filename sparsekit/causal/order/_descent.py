"""One start of the search: to a local optimum, from there on by perturbations, keeping the best."""

from typing import NamedTuple

import numpy as np

from sparsekit.causal.order._insert import State, Trial, go_on, settle
from sparsekit.causal.order._parent_sets import (
    REQUIRED,
    VARIANCE,
    Limits,
    ParentSets,
    Problem,
    Room,
)
from sparsekit.causal.order._perturb import perturb
from sparsekit.causal.order._score import Score

__all__ = ["Descent", "Found"]

# Sets of parents that are remembered, a variable, and numbers of variables kept for a set, up to so
# many in all (128 MB; and up to 88 bytes a set). Memory is taken for those that there are.
_SETS, _MEMBERS, _MOST_MEMBERS = 1024, 64, 2**24


class Found(NamedTuple):
    """A graph where passes ended: a local optimum, unless they were stopped.

    Attributes
    ----------
    order : ndarray of shape (d,), int64
    is_parent : ndarray of shape (d, d), bool
        Entry [j, i] says whether i is a parent of j.
    variances : ndarray of shape (d,), float64
        Residual ones.
    score : float
        Redundant required edges are not counted.
    converged : bool
        Whether the pass that ended here moved nothing.
    """

    order: np.ndarray
    is_parent: np.ndarray
    variances: np.ndarray
    score: float
    converged: bool


def _no_sets(d: int, size: int) -> ParentSets:
    """Room for sets; pages that nothing is written to take no memory."""
    capacity = size * d
    table = np.zeros(2 ** int(2 * capacity - 1).bit_length(), dtype=np.int64)
    facts, values = np.empty((capacity, 5), dtype=np.int64), np.empty((capacity, 2))
    n_members = min(_MEMBERS * capacity, size // _SETS * _MOST_MEMBERS) + d * d
    members = np.empty(n_members, dtype=np.int32), np.empty(n_members, dtype=np.float32)
    return ParentSets(table, facts, values, *members, np.zeros(2, dtype=np.int64))


def _no_state(d: int) -> State:
    order, n_parents, numbers = (np.zeros(d, dtype=np.int64) for _ in range(3))
    is_parent, is_gainful = (np.zeros((d, d), dtype=np.bool_) for _ in range(2))
    parents = np.empty((d, d), dtype=np.int32)
    return State(order, parents, n_parents, is_parent, is_gainful, numbers, np.zeros(d))


def _no_trial(d: int) -> Trial:
    rest, rank, numbers, own_numbers = (np.zeros(d, dtype=np.int64) for _ in range(4))
    return Trial(rest, rank, numbers, own_numbers, np.zeros(d), np.zeros(d))


class Descent:
    """A start, and how far it is.

    Parameters
    ----------
    problem : Problem
    score : Score
    fixed : (ndarray of shape (d, d), int32, ndarray of shape (d,), int64)
        Row j begins with required parents of j, of which there are so many.
    order : ndarray of shape (d,), int64
        To start from; required parents come first.
    max_passes : int
        From the start, and from each perturbation on.
    n_perturbations : int

    Attributes
    ----------
    best : Found or None
        None before the first local optimum.
    n_passes : int
    done : bool
    """

    def __init__(
        self,
        problem: Problem,
        score: Score,
        fixed: tuple[np.ndarray, np.ndarray],
        order: np.ndarray,
        max_passes: int,
        n_perturbations: int,
    ) -> None:
        d = len(order)
        self.problem, self.score, self._fixed = problem, score, fixed
        self.max_passes, self.n_perturbations = max_passes, n_perturbations
        self.best: Found | None = None
        self.n_passes, self.done = 0, False
        self._size = _SETS
        self._sets, self._state, self._trial = _no_sets(d, _SETS), _no_state(d), _no_trial(d)
        vectors = (np.zeros(d) for _ in range(4))
        parents, held = np.zeros(d, dtype=np.int64), np.full(1, -1)
        self._room = Room(parents, np.empty((d, d)), *vectors, held, np.zeros(1))
        self._limits = score.limits(problem.covariance.diagonal())
        self._next_order: np.ndarray | None = order
        self._n_perturbed = self._n_since = self._n_moves = 0

    def advance(self) -> None:
        """Make a pass. At a local optimum keep it, then perturb it, or be done."""
        if self._next_order is not None:
            self._begin(self._next_order)
        self._use(self.score.limits(self._variances()))
        self._n_moves = self._pass()
        self.n_passes += 1
        self._n_since += 1
        if self._n_moves > 0 and self._n_since < self.max_passes:
            return
        best = self.keep()
        self.done = self._n_perturbed == self.n_perturbations
        if not self.done:
            self._n_perturbed += 1
            is_parent = best.is_parent | (self.problem.rules == REQUIRED)
            self._next_order = perturb(self.problem, best.order, is_parent, self._n_perturbed)

    def keep(self) -> Found:
        """Keep the present graph if it is as good as the best one; returns the best one."""
        state = self._state
        variances = self._variances()
        score = self.score.total(variances, int(state.n_parents.sum()))
        if self.best is None or score < self.best.score - self.score.resolution:
            arrays = state.order.copy(), state.is_parent.copy(), variances
            self.best = Found(*arrays, score, self._n_moves == 0)
        return self.best

    def _begin(self, order: np.ndarray) -> None:
        """Start from an order."""
        self._next_order = None
        self._state.order[:] = order
        self._n_since, self._n_moves = 0, len(order)
        self._use(self.score.limits(self.problem.covariance.diagonal()), renew=False)
        self._settle(*self._fixed, search=True)

    def _pass(self) -> int:
        """Try to move each node once, in their present order; returns how many moved."""
        nodes, first, n_moves, forgot_at = self._state.order.copy(), 0, 0, -1
        while True:
            arrays = self._sets, self._state, self._trial, self._room
            first, n_moved = go_on(self.problem, self._limits, nodes, first, *arrays)
            n_moves += n_moved
            if first == len(nodes):
                return n_moves
            self._forget(enlarge=first == forgot_at)
            self._renew()
            forgot_at = first

    def _use(self, limits: Limits, *, renew: bool = True) -> None:
        """Change the settings of the score, on which all that is known of sets depends."""
        if limits != self._limits:
            self._limits = limits
            self._forget(enlarge=False)
            if renew:
                self._renew()

    def _forget(self, *, enlarge: bool) -> None:
        """Forget all sets, to have room for others."""
        self._room.held[0] = -1
        if enlarge:
            self._size *= 2
            self._sets = _no_sets(len(self._state.order), self._size)
        else:
            self._sets.table[:] = 0
            self._sets.used[:] = 0

    def _renew(self) -> None:
        """Look into the present sets of parents again."""
        self._settle(self._state.parents.copy(), self._state.n_parents.copy(), search=False)

    def _settle(self, parents: np.ndarray, n_parents: np.ndarray, *, search: bool) -> None:
        """Give all variables these parents, or the best ones that are found from there."""
        settings = self.problem, self._limits, parents, n_parents, search
        enlarge = False
        while not settle(*settings, self._sets, self._state, self._trial, self._room):
            self._forget(enlarge=enlarge)
            enlarge = True

    def _variances(self) -> np.ndarray:
        """Residual variances."""
        return self._sets.values[self._state.numbers, VARIANCE]
