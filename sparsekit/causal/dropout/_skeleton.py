"""Search for the skeleton: which pairs of variables no test separates (PC-stable)."""

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from sparsekit.causal.dropout._enumerate import enumerate_tests
from sparsekit.causal.dropout._fisher_z import ConditionalIndependenceTest
from sparsekit.core.bits import n_words, unpack_rows
from sparsekit.core.jit import kernel

__all__ = ["SEPSET_RULES", "SeparatingSets", "Skeleton", "search_skeleton"]

SEPSET_RULES = ("all", "first", "majority", "max_p")

SeparatingSets = dict[tuple[int, int], tuple[int, ...]]

_NO_ROWS = np.iinfo(np.int64).max


class Skeleton(NamedTuple):
    """Result of `search_skeleton`.

    Attributes
    ----------
    adjacent : ndarray of shape (d, d), bool
        Symmetric.
    sepsets : dict
        Of pairs (i, j), i < j, that were separated: the separating set by the rule, ascending.
    unions : dict
        Of the same pairs: all that is in any set that separated the pair at the level where it was
        removed, ascending.
    statistic : ndarray of shape (d, d), float64
        Least statistic of each pair over all its tests, symmetric; NaN if there was none.
    n_rows : ndarray of shape (d, d), int64
        Fewest rows of each pair over all its tests, symmetric; -1 if there was none.
    n_tests : ndarray of shape (n_levels,), int64
        Tests of each level, that is, size of conditioning sets.
    n_insufficient : int
        Tests that had too few rows.
    """

    adjacent: np.ndarray
    sepsets: SeparatingSets
    unions: SeparatingSets
    statistic: np.ndarray
    n_rows: np.ndarray
    n_tests: np.ndarray
    n_insufficient: int


class Limits(NamedTuple):
    """When a test separates.

    Attributes
    ----------
    statistic : float
        Below it a test separates.
    min_samples : int
        With fewer rows, or no more than 3 beyond the conditioning set, a test is insufficient.
    keep : bool
        Whether insufficient tests are ignored; otherwise they separate.
    """

    statistic: float
    min_samples: int
    keep: bool

    def judge(
        self, statistic: np.ndarray, n_rows: np.ndarray, size: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Statistics by the rule for too few rows (NaN: ignored), and where it applied."""
        short = n_rows < max(self.min_samples, size + 4)
        return np.where(short, np.nan if self.keep else 0.0, statistic), short


def search_skeleton(
    test: ConditionalIndependenceTest,
    *,
    alpha: float,
    max_cond_size: int | None = None,
    min_samples: int = 0,
    keep: bool = False,
    rule: str = "all",
    excluded: np.ndarray | None = None,
    fixed: np.ndarray | None = None,
    tiers: np.ndarray | None = None,
    watch: Callable[[int], bool] = lambda level: False,
) -> Skeleton:
    """Remove the edges between variables that are independent given some of their neighbours.

    At each level, all tests given sets of one size are done on the graph that the level before has
    left; so nothing depends on the order of the variables.

    Parameters
    ----------
    test : ConditionalIndependenceTest
    alpha : float
        A test separates if its p-value is larger.
    max_cond_size : int, default=None
        Of conditioning sets; None: no limit.
    min_samples : int, default=0
        Rows that a test needs at least.
    keep : bool, default=False
        Whether tests with too few rows are ignored; otherwise they separate. If all tests of a
        level are ignored, the search ends: larger sets leave no more rows.
    rule : {"all", "first", "max_p", "majority"}, default="all"
        Which separating set is recorded of those found at the level where a pair is removed: their
        union, the first in lexicographic order (of neighbours of x, then of y), or (the last two)
        that of the largest p-value.
    excluded, fixed : ndarray of shape (d, d), bool, default=None
        Symmetric: pairs that are not adjacent from the beginning, or always; neither is tested.
    tiers : ndarray of shape (d,), int, default=None
        See `enumerate_tests`.
    watch : callable, optional
        Called with each level that has ended; returns whether to stop there.

    Returns
    -------
    Skeleton

    References
    ----------
    .. [1] D. Colombo, M. H. Maathuis: "Order-independent constraint-based causal structure
       learning", Journal of Machine Learning Research 15, 2014.
    """
    d = test.n_features
    adjacent = ~np.eye(d, dtype=bool)
    if excluded is not None:
        adjacent &= ~excluded
    fixed = np.zeros((d, d), dtype=bool) if fixed is None else fixed
    search = _Search(test, Limits(float(-ndtri(alpha / 2)), min_samples, keep), rule)
    level, last = 0, d if max_cond_size is None else max_cond_size
    while level <= last and adjacent.sum(axis=1).max(initial=0) > level:
        tested = adjacent & ~fixed
        if level == 0:
            separated = search.first_level(tested)
        else:
            separated = search.later_level(adjacent, tested, level, tiers)
        adjacent &= ~separated
        if watch(level) or search.only_short():
            break
        level += 1
    return search.result(adjacent)


class _Level(NamedTuple):
    """What the tests of one level find; of a pair x < y, or in a row of its own."""

    statistic: np.ndarray  # (d, d) least so far, NaN if there is none
    n_rows: np.ndarray  # (d, d) fewest so far
    row: np.ndarray  # (d, d) int32
    union: np.ndarray  # (n_pairs, words) all that is in a separating set
    chosen: np.ndarray  # (n_pairs, l) a separating set
    least: np.ndarray  # (n_pairs,) its statistic, NaN if there is none
    from_x: np.ndarray  # (n_pairs,) whether it is among the neighbours of x


class _Search:
    """State of a search."""

    def __init__(self, test: ConditionalIndependenceTest, limits: Limits, rule: str) -> None:
        d = test.n_features
        self.test = test
        self.limits = limits
        self.rule = rule
        self.statistic = np.full((d, d), np.nan)
        self.n_rows = np.full((d, d), _NO_ROWS)
        self.sepsets: SeparatingSets = {}
        self.unions: SeparatingSets = {}
        self.n_tests: list[int] = []
        self.n_short: list[int] = []

    def first_level(self, tested: np.ndarray) -> np.ndarray:
        """Test pairs given nothing; returns which were separated, symmetric."""
        tested = np.triu(tested)
        statistic, n_rows = self.test.marginal()
        statistic, short = self.limits.judge(statistic, n_rows, 0)
        np.copyto(self.statistic, statistic, where=tested)
        np.copyto(self.n_rows, n_rows, where=tested)
        separated = tested & (statistic < self.limits.statistic)
        i, j = np.nonzero(separated)
        self.sepsets = dict.fromkeys(zip(i.tolist(), j.tolist(), strict=True), ())
        self.unions = self.sepsets.copy()
        self.n_tests.append(int(tested.sum()))
        self.n_short.append(int((tested & short).sum()))
        return separated | separated.T

    def later_level(
        self, adjacent: np.ndarray, tested: np.ndarray, size: int, tiers: np.ndarray | None
    ) -> np.ndarray:
        """Test pairs given neighbours; returns which were separated, symmetric."""
        x, y = np.nonzero(np.triu(tested))
        row = np.full(tested.shape, -1, dtype=np.int32)
        row[x, y] = np.arange(len(x))
        union = np.zeros((len(x), n_words(len(tested))), dtype=np.uint64)
        chosen = np.zeros((len(x), size), dtype=np.int32)
        least, from_x = np.full(len(x), np.nan), np.zeros(len(x), dtype=np.bool_)
        level = _Level(self.statistic, self.n_rows, row, union, chosen, least, from_x)
        takes_first, n_tests, n_short = self.rule == "first", 0, 0
        for batch in enumerate_tests(adjacent, tested, size, tiers):
            statistic, n_rows = self.test(batch.tests)
            statistic, short = self.limits.judge(statistic, n_rows, size)
            _record(batch, statistic, n_rows, self.limits.statistic, takes_first, level)
            n_short += int(short.sum())
            n_tests += len(statistic)
        self.n_tests.append(n_tests)
        self.n_short.append(n_short)
        found = ~np.isnan(least)
        x, y = x[found], y[found]
        self._add_sets(x, y, union[found], chosen[found])
        separated = np.zeros_like(tested)
        separated[x, y] = separated[y, x] = True
        return separated

    def only_short(self) -> bool:
        """Whether all tests of the last level had too few rows, and so nothing can change."""
        return self.limits.keep and 0 < self.n_tests[-1] == self.n_short[-1]

    def _add_sets(self, x: np.ndarray, y: np.ndarray, union: np.ndarray, chosen: np.ndarray):
        pairs = list(zip(x.tolist(), y.tolist(), strict=True))
        rows, members = np.nonzero(unpack_rows(union, self.test.n_features))
        ends = np.searchsorted(rows, np.arange(len(pairs) + 1)).tolist()
        listed = members.tolist()
        unions = [tuple(listed[lo:hi]) for lo, hi in pairwise(ends)]
        self.unions.update(zip(pairs, unions, strict=True))
        single = unions if self.rule == "all" else map(tuple, chosen.tolist())
        self.sepsets.update(zip(pairs, single, strict=True))

    def result(self, adjacent: np.ndarray) -> Skeleton:
        n_rows = np.minimum(self.n_rows, self.n_rows.T)
        n_rows[n_rows == _NO_ROWS] = -1
        return Skeleton(
            adjacent,
            self.sepsets,
            self.unions,
            np.fmin(self.statistic, self.statistic.T),
            n_rows,
            np.array(self.n_tests, dtype=np.int64),
            sum(self.n_short),
        )


@kernel
def _record(batch, statistic, n_rows, largest, takes_first, level):
    """Note what tests have found."""
    tests = batch.tests
    for group in range(tests.test_ptr.size - 1):
        for test in range(tests.test_ptr[group], tests.test_ptr[group + 1]):
            x, y, z = tests.x[test], tests.y[test], statistic[test]
            level.n_rows[x, y] = min(level.n_rows[x, y], n_rows[test])
            if z != z:  # NaN: too few rows
                continue
            if not level.statistic[x, y] <= z:  # or there was none
                level.statistic[x, y] = z
            if z >= largest:
                continue
            row = level.row[x, y]
            from_x = batch.sides[test] & 1 != 0
            if takes_first:
                better = level.least[row] != level.least[row] or (from_x and not level.from_x[row])
            else:
                better = not level.least[row] <= z
            if better:
                level.least[row] = z
                level.from_x[row] = from_x
            start = tests.member_ptr[group]
            for position in range(level.chosen.shape[1]):
                member = tests.members[start + position]
                level.union[row, member >> 6] |= np.uint64(1) << np.uint64(member & 63)
                if better:
                    level.chosen[row, position] = member
