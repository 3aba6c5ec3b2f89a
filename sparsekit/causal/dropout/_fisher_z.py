"""Fisher's z test of partial correlations, on the rows that zeros leave."""

from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any, NamedTuple, Protocol

import numpy as np
from scipy.special import erfc

from sparsekit.causal.dropout._correlate import correlate
from sparsekit.causal.dropout._intake import read_table
from sparsekit.causal.dropout._marginal import all_correlations
from sparsekit.causal.dropout._pairwise import pairwise_correlations
from sparsekit.causal.dropout._samples import (
    ZERO_HANDLINGS,
    Samples,
    Tests,
    as_samples,
    make_tests,
)

__all__ = ["ConditionalIndependenceTest", "FisherZ", "FisherZTest", "fisher_z_test", "p_values"]


class ConditionalIndependenceTest(Protocol):
    """What the search for a skeleton needs to know of a test.

    A statistic is not negative, and has the p-value ``erfc(z / sqrt(2))`` of a standard normal
    variable in absolute value. Whether the rows suffice is decided by the caller.
    """

    n_rows: int
    n_features: int

    def marginal(self) -> tuple[np.ndarray, np.ndarray]:
        """Test all pairs of variables given nothing.

        Returns
        -------
        statistics : ndarray of shape (n_features, n_features), float64
            Symmetric.
        n_rows : ndarray of shape (n_features, n_features), int64
            Rows used.
        """

    def __call__(self, tests: Tests) -> tuple[np.ndarray, np.ndarray]:
        """Do all tests.

        Returns
        -------
        statistics : ndarray of shape (n_tests,), float64
        n_rows : ndarray of shape (n_tests,), int64
        """


class FisherZ:
    """Fisher's z test of partial correlations.

    Parameters
    ----------
    samples : Samples
    n_jobs : int, default=None
        Number of threads; None means 1.
    """

    def __init__(self, samples: Samples, n_jobs: int | None = None) -> None:
        self.samples = samples
        self.n_jobs = n_jobs
        self.n_rows = samples.n_rows
        self.n_features = samples.n_features
        self._pairs: tuple[np.ndarray, np.ndarray] | None = None

    def correlations(self) -> tuple[np.ndarray, np.ndarray]:
        """Correlations of all pairs and rows used, each of shape (d, d); computed once."""
        if self._pairs is None:
            if self.samples.testwise:
                self._pairs = pairwise_correlations(self.samples)
            else:
                found = all_correlations(self.samples)
                self._pairs = found, np.full(found.shape, self.n_rows)
        return self._pairs

    def partial(self, tests: Tests) -> tuple[np.ndarray, np.ndarray]:
        """Partial correlations and rows used of tests."""
        known = None if self.samples.deletes else self.correlations()[0]
        return correlate(self.samples, tests, self.n_jobs, correlations=known)

    def marginal(self) -> tuple[np.ndarray, np.ndarray]:
        """Test all pairs of variables given nothing."""
        correlations, n_rows = self.correlations()
        return _statistics(correlations, n_rows, 0), n_rows

    def __call__(self, tests: Tests) -> tuple[np.ndarray, np.ndarray]:
        """Do all tests."""
        rho, n_rows = self.partial(tests)
        return _statistics(rho, n_rows, tests.sizes()), n_rows


def _statistics(rho: np.ndarray, n_rows: np.ndarray, n_given: np.ndarray | int) -> np.ndarray:
    """Fisher's statistics of partial correlations."""
    strength = np.arctanh(np.minimum(np.abs(rho), 1 - 2.0**-52))
    return np.sqrt(np.maximum(n_rows - n_given - 3, 0)) * strength


def p_values(statistics: np.ndarray) -> np.ndarray:
    """Probability that a standard normal variable is at least as large in absolute value."""
    return erfc(statistics / np.sqrt(2))


class FisherZTest(NamedTuple):
    """Result of `fisher_z_test`.

    Attributes
    ----------
    statistic : float
        sqrt(n_effective - len(given) - 3) times the absolute value of atanh(rho); 0 if there are
        too few rows.
    pvalue : float
    rho : float
        Partial correlation.
    n_effective : int
        Rows used.
    """

    statistic: float
    pvalue: float
    rho: float
    n_effective: int


def fisher_z_test(
    X: Any,
    x: int | str,
    y: int | str,
    given: Sequence[int | str] = (),
    *,
    zero_handling: str = "conditioning",
) -> FisherZTest:
    """Test whether two variables are independent given others, on the rows that zeros leave.

    Parameters
    ----------
    X : array-like, sparse matrix, data frame or AnnData of shape (n_samples, n_features)
        Zeros are dropouts. Not changed, and not made dense.
    x, y : int or str
        The two variables, by index or name.
    given : sequence of int or str, default=()
        The variables that are conditioned on.
    zero_handling : {"conditioning", "testwise", "listwise", "none"}, default="conditioning"
        Rows that are used: those where no variable of `given` is zero; where `x` and `y` are not
        zero, either; without any zero; all.

    Returns
    -------
    FisherZTest
        ``(statistic, pvalue, rho, n_effective)``. With no more than ``len(given) + 3`` rows the
        first three are 0, 1 and 0; so they are if x or y is constant on these rows, or if `given`
        determines it. A variable of `given` that is constant, or determined by the others, explains
        nothing, but is counted.

    Raises
    ------
    TypeError, ValueError
        If X is no table of finite numbers, if a variable is not in it, if the variables are not all
        different, or if `given` is no sequence.

    References
    ----------
    .. [1] R. A. Fisher: "The distribution of the partial correlation coefficient", Metron 3, 1924.
    .. [2] H. Dai et al.: "Gene regulatory network inference in the presence of dropouts: a causal
       view", ICLR 2024 (arXiv:2403.15500).

    Examples
    --------
    >>> import numpy as np
    >>> from sparsekit.causal import fisher_z_test
    >>> cause, left, right = np.random.default_rng(0).normal(size=(3, 1000))
    >>> X = np.column_stack([cause, cause + left, cause + right])
    >>> bool(fisher_z_test(X, 1, 2).pvalue < 1e-6)
    True
    >>> bool(fisher_z_test(X, 1, 2, given=[0]).pvalue > 0.05)
    True
    """
    if zero_handling not in ZERO_HANDLINGS:
        raise ValueError(
            f"expected zero_handling to be one of {ZERO_HANDLINGS}, got {zero_handling!r}."
        )
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise TypeError(
            f"expected given to be a sequence of variables, such as [2], got {given!r}."
        )
    given = list(given)
    table = read_table(X, "fisher_z_test")
    first, second, *members = (_index(variable, table.labels) for variable in (x, y, *given))
    if len({first, second, *members}) < 2 + len(members):
        raise ValueError(f"expected different variables, got {x!r}, {y!r} and {given!r}.")
    values = table.values
    if zero_handling != "listwise":  # where the zeros of the others matter
        values = values[:, [first, second, *sorted(members)]]
        first, second, members = 0, 1, list(range(2, values.shape[1]))
    tests, _ = make_tests([(first, second, members)])
    rho, n_rows = FisherZ(as_samples(values, zero_handling)).partial(tests)
    (statistic,) = _statistics(rho, n_rows, len(members))
    return FisherZTest(float(statistic), float(p_values(statistic)), float(rho[0]), int(n_rows[0]))


def _index(variable: int | str, labels: list) -> int:
    """Index of a variable given by index or name."""
    if isinstance(variable, str) and variable in labels:
        return labels.index(variable)
    is_index = isinstance(variable, Integral) and not isinstance(variable, bool)
    if is_index and 0 <= variable < len(labels):
        return int(variable)
    raise ValueError(
        f"expected variables by index, 0 .. {len(labels) - 1}, or by name, got {variable!r}."
    )
