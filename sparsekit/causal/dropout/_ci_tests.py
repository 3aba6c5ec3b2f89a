"""Further conditional-independence tests: by ranks, for discrete data, and the user's own."""

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from itertools import combinations
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.special import chdtrc, erfcinv, ndtri
from scipy.stats import rankdata

from sparsekit.causal.dropout._fisher_z import ConditionalIndependenceTest, FisherZ
from sparsekit.causal.dropout._samples import Tests, as_samples, make_tests

__all__ = ["CI_TESTS", "make_ci_test"]

CI_TESTS = ("fisherz", "spearman", "nonparanormal", "gsquare")

# What remains of a variance, as a share, when nothing does; as for Fisher's z.
_NOTHING = 1e-10
_LARGEST = 1 - 2.0**-52

# More different values than this are not counted as discrete.
_MOST_LEVELS = 50

# Products held at once when many pairs of a group are correlated.
_BLOCK_SIZE = 2**20

_Table = np.ndarray | sp.csc_array


def make_ci_test(
    ci_test: str | Callable,
    X: _Table,
    zero_handling: str,
    n_jobs: int | None = None,
    labels: Sequence | None = None,
) -> ConditionalIndependenceTest:
    """Choose a conditional-independence test for a table.

    Parameters
    ----------
    ci_test : {"fisherz", "spearman", "nonparanormal", "gsquare"} or callable
        "fisherz": partial correlation. "spearman" and "nonparanormal": the same of ranks, or of
        normal scores of ranks, which are taken anew on the rows of each test (ties share a rank).
        "gsquare": likelihood ratio for discrete data. A callable takes x, y of shape (m,) and S of
        shape (m, l), the values on the m rows of the test, and returns a p-value.
    X : ndarray or csc_array of shape (n, d), float64
        Finite. Not changed.
    zero_handling : {"conditioning", "testwise", "listwise", "none"}
    n_jobs : int, default=None
        Number of threads. Only partial correlations use more than one, those of ranks only where
        no rows are deleted.
    labels : sequence of length d, default=None
        What messages call the columns; None: by index.

    Raises
    ------
    ValueError
        If the name is unknown, or the data are not discrete as "gsquare" needs them.
    """
    if callable(ci_test):
        return _UserTest(X, zero_handling, ci_test)
    if ci_test == "fisherz":
        return FisherZ(as_samples(X, zero_handling), n_jobs)
    if ci_test == "spearman":
        return _RankCorrelation(X, zero_handling, _keep_ranks, n_jobs)
    if ci_test == "nonparanormal":
        return _RankCorrelation(X, zero_handling, _normal_scores, n_jobs)
    if ci_test == "gsquare":
        return _GSquare(X, zero_handling, labels or range(X.shape[1]))
    raise ValueError(f"expected ci_test to be one of {CI_TESTS} or callable, got {ci_test!r}.")


class _OnRows:
    """A test that looks at the values on its rows; subclasses say how.

    Parameters
    ----------
    X : ndarray or csc_array of shape (n, d), float64
    zero_handling : str
    """

    def __init__(self, X: _Table, zero_handling: str):
        # Columns are read, over and over again.
        self.X = X if sp.issparse(X) else np.asfortranarray(X)
        self.deletes = zero_handling in ("conditioning", "testwise")
        self.testwise = zero_handling == "testwise"
        if zero_handling == "listwise":
            self.X = self.X[self._rows_without_zeros(range(X.shape[1]))]
        self.n_rows, self.n_features = self.X.shape

    def marginal(self) -> tuple[np.ndarray, np.ndarray]:
        """Statistics and numbers of rows of all pairs given nothing, as the protocol says."""
        d = self.n_features
        tests, _ = make_tests((x, y, ()) for x, y in combinations(range(d), 2))
        statistics, n_rows = np.zeros((d, d)), np.zeros((d, d), dtype=np.int64)
        values, counts = self(tests)
        statistics[tests.x, tests.y] = statistics[tests.y, tests.x] = values
        n_rows[tests.x, tests.y] = n_rows[tests.y, tests.x] = counts
        return statistics, n_rows

    def __call__(self, tests: Tests) -> tuple[np.ndarray, np.ndarray]:
        """Statistics and numbers of rows of tests, as the protocol says."""
        statistics = np.zeros(len(tests.x))
        n_rows = np.zeros(len(tests.x), dtype=np.int64)
        for group in range(len(tests.test_ptr) - 1):
            members = tests.members[tests.member_ptr[group] : tests.member_ptr[group + 1]]
            for chosen in self._with_the_same_rows(tests, group):
                x, y = tests.x[chosen], tests.y[chosen]
                rows = self._rows([*members, *x, *y] if self.testwise else members)
                n_rows[chosen] = len(rows)
                if len(rows) > len(members) + 3:
                    statistics[chosen] = self._statistics(rows, members, x, y)
        return statistics, n_rows

    def _with_the_same_rows(self, tests: Tests, group: int) -> list[slice]:
        start, stop = tests.test_ptr[group], tests.test_ptr[group + 1]
        if not self.testwise:
            return [slice(start, stop)]
        return [slice(test, test + 1) for test in range(start, stop)]

    def _rows(self, variables: Sequence[int]) -> np.ndarray:
        if self.deletes:
            return self._rows_without_zeros(variables)
        return np.arange(self.n_rows)

    def _rows_without_zeros(self, variables: Sequence[int]) -> np.ndarray:
        kept = np.ones(self.X.shape[0], dtype=bool)
        for variable in variables:
            kept &= self._column(variable) != 0
        return np.flatnonzero(kept)

    def _column(self, variable: int) -> np.ndarray:
        if not sp.issparse(self.X):
            return self.X[:, variable]
        stored = slice(self.X.indptr[variable], self.X.indptr[variable + 1])
        column = np.zeros(self.X.shape[0])
        column[self.X.indices[stored]] = self.X.data[stored]
        return column

    def _values(self, variables: Sequence[int], rows: np.ndarray) -> np.ndarray:
        values = np.empty((len(rows), len(variables)), order="F")
        for place, variable in enumerate(variables):
            values[:, place] = self._column(variable)[rows]
        return values

    def _statistics(
        self, rows: np.ndarray, members: np.ndarray, x: np.ndarray, y: np.ndarray
    ) -> np.ndarray:
        """Statistics of the pairs x, y given the same members, shape (len(x),)."""
        raise NotImplementedError


class _RankCorrelation(_OnRows):
    """Partial correlation of ranks, or of scores of ranks, with Fisher's z.

    The variance of z is 1 / (m - l - 3) as for values: for independent variables the variance
    of a rank correlation is 1 / (m - 1), as of any correlation. Corrections like that of Bonett and
    Wright (2000) widen confidence intervals around a dependence; at 0 they vanish.

    Parameters
    ----------
    X, zero_handling
        As `_OnRows`.
    score : callable (ranks, number of rows) -> ndarray
    n_jobs : int or None
    """

    def __init__(self, X: _Table, zero_handling: str, score: Callable, n_jobs: int | None):
        super().__init__(X, zero_handling)
        self.score, self.n_jobs = score, n_jobs

    @cached_property
    def _whole(self) -> FisherZ:
        """Test of the ranks among all rows."""
        return FisherZ(as_samples(_rank_columns(self.X, self.score), "none"), self.n_jobs)

    @cached_property
    def _marginal_statistics(self) -> np.ndarray:
        return self._whole.marginal()[0]

    def marginal(self) -> tuple[np.ndarray, np.ndarray]:
        return super().marginal() if self.testwise else self._whole.marginal()

    def __call__(self, tests: Tests) -> tuple[np.ndarray, np.ndarray]:
        return super().__call__(tests) if self.deletes else self._whole(tests)

    def _statistics(
        self, rows: np.ndarray, members: np.ndarray, x: np.ndarray, y: np.ndarray
    ) -> np.ndarray:
        m, n_members = len(rows), len(members)
        if n_members == 0 and not self.testwise:
            return self._marginal_statistics[x, y]
        others, places = np.unique(np.concatenate([x, y]), return_inverse=True)
        places = places.reshape(2, -1) + n_members
        ranks = rankdata(self._values([*members, *others], rows), axis=0)
        rho = _correlate_residuals(self.score(ranks, m), n_members, *places)
        return np.sqrt(m - n_members - 3) * np.abs(np.arctanh(rho))


def _keep_ranks(ranks: np.ndarray, _: int) -> np.ndarray:
    return ranks


def _normal_scores(ranks: np.ndarray, n_rows: int) -> np.ndarray:
    return ndtri(ranks / (n_rows + 1))


def _rank_columns(X: _Table, score: Callable) -> _Table:
    """Scores of the ranks of each column; of sparse ones less the score of zero, so as sparse."""
    n_rows = X.shape[0]
    if not sp.issparse(X):
        return score(rankdata(X, axis=0), n_rows)
    scores = np.empty(len(X.data))
    for start, stop in zip(X.indptr[:-1], X.indptr[1:], strict=True):
        values, n_zeros = X.data[start:stop], n_rows - (stop - start)
        ranks = rankdata(values) + n_zeros * (values > 0)
        rank_of_zero = np.count_nonzero(values < 0) + (n_zeros + 1) / 2
        scores[start:stop] = score(ranks, n_rows) - score(np.array(rank_of_zero), n_rows)
    return sp.csc_array((scores, X.indices, X.indptr), shape=X.shape)


def _correlate_residuals(
    values: np.ndarray, n_members: int, x: np.ndarray, y: np.ndarray
) -> np.ndarray:
    """Correlate pairs of columns after a regression of all on the first ones.

    Columns that are constant or determined by the first ones have the correlation 0; a first column
    that is determined by those before it is skipped.
    """
    residuals = values - values.mean(axis=0)
    variances = np.einsum("ij,ij->j", residuals, residuals)
    for member in range(n_members):
        direction = residuals[:, member].copy()
        square = direction @ direction
        if square > _NOTHING * variances[member]:
            residuals -= np.outer(direction, (direction @ residuals) / square)
    squares = np.einsum("ij,ij->j", residuals, residuals)
    inverse = np.zeros(len(squares))
    np.divide(1, np.sqrt(squares), out=inverse, where=squares > _NOTHING * variances)
    residuals *= inverse
    rho = np.empty(len(x))
    step = max(1, _BLOCK_SIZE // len(values))
    for start in range(0, len(x), step):
        pairs = slice(start, start + step)
        rho[pairs] = np.einsum("ij,ij->j", residuals[:, x[pairs]], residuals[:, y[pairs]])
    return np.clip(rho, -_LARGEST, _LARGEST)


class _GSquare(_OnRows):
    """Likelihood-ratio test of conditional independence in discrete data.

    The tables of x by y, one for each configuration of S, are tested together. A table with r rows
    and c columns that are not empty adds (r - 1)(c - 1) degrees of freedom; without any degree of
    freedom p is 1.

    Raises
    ------
    ValueError
        If a column has too many different values.
    """

    def __init__(self, X: _Table, zero_handling: str, labels: Sequence):
        super().__init__(_code_levels(X, labels), zero_handling)

    def _statistics(
        self, rows: np.ndarray, members: np.ndarray, x: np.ndarray, y: np.ndarray
    ) -> np.ndarray:
        strata = np.zeros(len(rows), dtype=np.int64)
        for member in members:
            strata = _cross(strata, self._column(member)[rows])
        p_values = [
            _g_square(self._column(i)[rows], self._column(j)[rows], strata)
            for i, j in zip(x, y, strict=True)
        ]
        return _from_p_values(p_values)


def _code_levels(X: _Table, labels: Sequence) -> _Table:
    """Number the values of each column, from 1 on; zeros stay zeros."""
    coded, is_sparse = X.copy(), sp.issparse(X)
    for column in range(X.shape[1]):
        stored = slice(*coded.indptr[column : column + 2]) if is_sparse else None
        values = coded[:, column] if stored is None else coded.data[stored]
        not_zero = values != 0
        levels, codes = np.unique(values[not_zero], return_inverse=True)
        if len(levels) > _MOST_LEVELS:
            raise ValueError(
                "expected discrete data for ci_test='gsquare', at most "
                f"{_MOST_LEVELS} different values a column besides zero, got {len(levels)} in "
                f"column {labels[column]!r}: choose another test or discretise the data, for "
                "example with sklearn.preprocessing.KBinsDiscretizer."
            )
        values[not_zero] = codes + 1
    return coded


def _cross(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Number the combinations that occur."""
    keys = one * (_MOST_LEVELS + 1) + other.astype(np.int64)
    return np.unique(keys, return_inverse=True)[1]


def _g_square(x: np.ndarray, y: np.ndarray, strata: np.ndarray) -> float:
    """P-value of the independence of x and y within strata, numbered from 0."""
    in_x, in_y = _cross(strata, x), _cross(strata, y)
    n_x, n_y, n_strata = np.bincount(in_x), np.bincount(in_y), np.bincount(strata)
    cells = np.unique(in_x * len(n_y) + in_y, return_counts=True)
    of_x, of_y = np.divmod(cells[0], len(n_y))
    stratum_of_x = np.empty(len(n_x), dtype=np.int64)
    stratum_of_y = np.empty(len(n_y), dtype=np.int64)
    stratum_of_x[in_x], stratum_of_y[in_y] = strata, strata
    expected = n_x[of_x] * (n_y[of_y] / n_strata[stratum_of_x[of_x]])
    g_square = 2 * np.sum(cells[1] * np.log(cells[1] / expected))
    levels = np.bincount(stratum_of_x) - 1, np.bincount(stratum_of_y) - 1
    freedom = int(levels[0] @ levels[1])
    return float(chdtrc(freedom, max(g_square, 0.0))) if freedom else 1.0


class _UserTest(_OnRows):
    """A test by a function of the user, called with arrays of its own.

    Raises
    ------
    ValueError
        When called, if the function returns no p-value.
    """

    def __init__(self, X: _Table, zero_handling: str, function: Callable):
        super().__init__(X, zero_handling)
        self.function = function

    def _statistics(
        self, rows: np.ndarray, members: np.ndarray, x: np.ndarray, y: np.ndarray
    ) -> np.ndarray:
        values = partial(self._values, rows=rows)
        p_values = []
        for i, j in zip(x, y, strict=True):
            p = self.function(values([i])[:, 0], values([j])[:, 0], values(members))
            p_values.append(_check_p_value(p, i, j, members))
        return _from_p_values(p_values)


def _check_p_value(p: Any, x: int, y: int, members: np.ndarray) -> float:
    try:
        value = float(p)
    except (TypeError, ValueError):
        value = np.nan
    if not 0 <= value <= 1:
        raise ValueError(
            f"expected ci_test to return a p-value between 0 and 1, got {p!r} for the columns "
            f"{int(x)} and {int(y)} given {members.tolist()}."
        )
    return value


def _from_p_values(p_values: Sequence[float]) -> np.ndarray:
    """Statistics z with ``erfc(z / sqrt(2))`` equal to the p-values; infinite for 0."""
    return np.sqrt(2) * erfcinv(np.array(p_values))
