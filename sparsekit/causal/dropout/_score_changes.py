"""Changes of the score by an edge, computed once each.

Under deletion there is no score of a graph that is a sum over variables, for what is conditioned on
decides about the rows. But each operator of greedy equivalence search has a change of the score.
"""

import numpy as np

from sparsekit.causal.dropout._fisher_z import FisherZ
from sparsekit.causal.dropout._operators import (
    Best,
    Changes,
    NodeSets,
    Phase,
    Room,
    Wanted,
    choose,
    insert_again,
)
from sparsekit.causal.dropout._samples import Tests
from sparsekit.core.bits import n_words, unpack_rows

__all__ = ["ScoreChanges", "score_changes"]

# Changes that are computed in one go.
_AT_ONCE = 2**15

_LARGEST = 1 - 2.0**-52


def score_changes(rho: np.ndarray, n_rows: np.ndarray, n_all: int, penalty: float) -> np.ndarray:
    """Change of the score by an edge x -> y, given the other parents of y.

    Parameters
    ----------
    rho : ndarray, float64
        Partial correlations of x and y; 0 where there are too few rows.
    n_rows : ndarray of the same shape, int64
        Rows that they are computed on.
    n_all : int
        Rows of the data.
    penalty : float
        An edge costs ``penalty / 2 * log(n_all)``.

    Returns
    -------
    ndarray of the same shape, float64

    Notes
    -----
    A correlation on part of the rows counts as the one on all rows that would have the same
    p-value, if nothing was conditioned on.

    Examples
    --------
    >>> score_changes(np.array([0.5, 0.0]), np.array([100, 100]), 100, 1.0).round(2)
    array([12.08, -2.3 ])
    """
    strength = np.minimum(np.abs(rho), _LARGEST)
    part = (n_rows != n_all) & (n_rows > 3)
    share = (n_rows[part] - 3) / (n_all - 3)
    strength[part] = np.tanh(np.sqrt(share) * np.arctanh(strength[part]))
    return -n_all / 2 * np.log1p(-(strength**2)) - penalty / 2 * np.log(max(n_all, 1))


class ScoreChanges:
    """Changes of the score that are known, and the best operators by these.

    Parameters
    ----------
    test : FisherZ
    penalty : float
        An edge costs ``penalty / 2 * log(n_rows)``.
    """

    def __init__(self, test: FisherZ, penalty: float) -> None:
        d, words = test.n_features, n_words(test.n_features)
        self._test, self._penalty = test, penalty
        rho, n_rows = test.correlations()
        alone = self._changes(np.where(n_rows > 3, rho, 0.0), n_rows)
        # The result does not depend on them: with 64 bits no two sets that are asked for collide.
        codes = np.random.default_rng(0).integers(-(2**63), 2**63 - 1, size=(2, d))
        self._known = Changes(alone, np.zeros(2, dtype=np.int64), np.zeros(2), codes)
        self._n_known = 0
        self._wanted = Wanted(
            np.empty((_AT_ONCE, 2), dtype=np.int32),
            np.empty((_AT_ONCE, 2), dtype=np.int64),
            np.empty((_AT_ONCE, words), dtype=np.uint64),
            np.zeros(1, dtype=np.int64),
        )
        given, best = np.zeros((2, words), dtype=np.uint64)
        chosen, members = np.zeros((2, d + 1), dtype=np.int64)
        candidates = np.zeros((d + 1, words), dtype=np.uint64)
        self._room = Room(given, best, candidates, chosen, members)

    def choose(
        self, sets: NodeSets, pairs: np.ndarray, phase: Phase, best: Best
    ) -> tuple[int, int, np.ndarray]:
        """Find the best valid operator.

        Parameters
        ----------
        sets : NodeSets
        pairs : ndarray of shape (n, 2), int64
            To look at anew: at those operators that are not before what is noted in `best`.
        phase : Phase
        best : Best

        Returns
        -------
        x, y : int
            The pair; -1 if there is no operator.
        ndarray of shape (n_words,), uint64
            What it conditions on.
        """
        while True:
            self._make_room()
            x, y = choose(sets, pairs, phase, self._known, self._wanted, self._room, best)
            if self._wanted.used[0] == 0:
                return x, y, self._room.best
            self._compute()
            pairs = pairs[np.isnan(best.changes[pairs[:, 0], pairs[:, 1]])]
            best.forget(pairs)

    def _make_room(self) -> None:
        """Keep the table half empty."""
        size = len(self._known.keys)
        if 2 * (self._n_known + _AT_ONCE) > size:
            size = 2 ** int(4 * (self._n_known + _AT_ONCE) - 1).bit_length()
            arrays = np.zeros(size, dtype=np.int64), np.empty(size)
            larger = Changes(self._known.alone, *arrays, self._known.codes)
            insert_again(self._known, larger)
            self._known = larger

    def _compute(self) -> None:
        """Compute what is asked for, all that conditions on the same set together."""
        n = int(self._wanted.used[0])
        self._wanted.used[0] = 0
        self._n_known += n
        order = np.argsort(self._wanted.places[:n, 0], kind="stable")
        codes, slots = self._wanted.places[order].T
        starts = np.flatnonzero(np.diff(codes, prepend=0))  # no set has the code 0
        sets = unpack_rows(self._wanted.sets[order[starts]], self._test.n_features)
        group, members = np.nonzero(sets)
        x, y = self._wanted.pairs[order].T.copy()
        tests = Tests(
            x,
            y,
            np.append(starts, n),
            members.astype(np.int32),
            np.searchsorted(group, np.arange(len(starts) + 1)),
        )
        self._known.values[slots] = self._changes(*self._test.partial(tests))

    def _changes(self, rho: np.ndarray, n_rows: np.ndarray) -> np.ndarray:
        return score_changes(rho, n_rows, self._test.n_rows, self._penalty)
