"""What the dropout-aware learners are timed against: peers of PyPI, a loop over single tests."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from math import atanh, copysign, sqrt
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import norm

from benchmarks._colide import quiet
from benchmarks._colide_peers import Contender, pattern_of
from sparsekit.causal.dropout._fisher_z import FisherZ
from sparsekit.causal.dropout._samples import Tests, as_samples
from sparsekit.causal.dropout._skeleton import search_skeleton

__all__ = ["PEERS", "Single", "ges", "one_by_one", "pc", "single_tests"]

_SEARCH = "causallearn.search"


def pc(X: np.ndarray, *, alpha: float = 0.01, test: str = "fisherz") -> np.ndarray:
    """PC of causal-learn by the rules of the parity preset; zeros are missing in `mv_fisherz`."""
    from causallearn.search.ConstraintBased.PC import pc as search

    X = np.where(X == 0, np.nan, X) if test == "mv_fisherz" else X.copy()
    with quiet():
        found = search(
            X,
            alpha,
            test,
            stable=True,
            uc_rule=0,
            uc_priority=2,
            verbose=False,
            show_progress=False,
        )
    return pattern_of(found.G.graph)


def ges(X: np.ndarray) -> np.ndarray:
    """Greedy equivalence search of causal-learn with the usual BIC."""
    from causallearn.search.ScoreBased.GES import ges as search

    with quiet():
        found = search(score_func="local_score_BIC_from_cov", cov=np.cov(X.T), n=len(X))
    return pattern_of(found["G"].graph)


def pgmpy_pc(X: np.ndarray, *, alpha: float = 0.01) -> np.ndarray:
    """PC of pgmpy, the stable one with the test of partial correlations."""
    import pandas as pd
    from pgmpy.causal_discovery import PC

    limits = {"significance_level": alpha, "max_cond_vars": X.shape[1]}
    with _silent():
        model = PC("stable", "pearsonr", n_jobs=1, show_progress=False, **limits)
        model.fit(pd.DataFrame(X))
    found = model.adjacency_matrix_  # a frame whose order is not that of the columns of X
    order = range(X.shape[1])
    return found.loc[order, order].to_numpy() != 0


def castle_pc(X: np.ndarray, *, alpha: float = 0.01) -> np.ndarray:
    """PC of gCastle, the stable one."""
    from castle.algorithms import PC

    with _silent():
        model = PC(variant="stable", alpha=alpha, ci_test="fisherz")
        model.learn(X.copy())
    return np.asarray(model.causal_matrix) != 0


@contextmanager
def _silent() -> Iterator[None]:
    logging.disable(logging.INFO)
    try:
        with quiet():
            yield
    finally:
        logging.disable(logging.NOTSET)


PEERS = {
    "causal-learn PC": Contender(pc, 200, "causal-learn", f"{_SEARCH}.ConstraintBased.PC", True),
    "pgmpy PC": Contender(pgmpy_pc, 50, "pgmpy", "pgmpy.causal_discovery", True),
    "gCastle PC": Contender(castle_pc, 50, "gcastle", "castle.algorithms", True),
    "causal-learn GES": Contender(ges, 50, "causal-learn", f"{_SEARCH}.ScoreBased.GES", True),
}


class Single(NamedTuple):
    """One conditional-independence test, and what we make of it."""

    x: int
    y: int
    given: tuple[int, ...]
    statistic: float


class _Listener:
    """A test that writes down what it is asked and what it answers."""

    def __init__(self, test: Any):
        self.test, self.asked = test, []
        self.n_rows, self.n_features = test.n_rows, test.n_features

    def marginal(self) -> tuple[np.ndarray, np.ndarray]:
        """All pairs given nothing."""
        answers = self.test.marginal()
        pairs = zip(*np.triu_indices(self.n_features, k=1), strict=True)
        self.asked += [Single(int(x), int(y), (), answers[0][x, y]) for x, y in pairs]
        return answers

    def __call__(self, tests: Tests) -> tuple[np.ndarray, np.ndarray]:
        """The tests of a level."""
        answers = self.test(tests)
        groups = np.repeat(np.arange(len(tests.test_ptr) - 1), np.diff(tests.test_ptr))
        for x, y, group, z in zip(tests.x, tests.y, groups, answers[0], strict=True):
            given = tests.members[tests.member_ptr[group] : tests.member_ptr[group + 1]]
            self.asked.append(Single(int(x), int(y), tuple(given.tolist()), float(z)))
        return answers


def single_tests(X: np.ndarray, *, alpha: float = 0.01) -> list[Single]:
    """All tests of the search for a skeleton by deletion."""
    listener = _Listener(FisherZ(as_samples(X, "conditioning")))
    search_skeleton(listener, alpha=alpha)
    return listener.asked


def one_by_one(X: np.ndarray, tests: Iterable[Single]) -> np.ndarray:
    """P-values of tests, each by itself with the means of numpy and scipy.

    Rows without zeros in the conditioning set, their correlations, a pseudo-inverse, the normal
    distribution function: what a test takes in a general package.
    """
    X = np.asfortranarray(X)
    seen = X != 0
    return np.array([_p_value(X, seen, one) for one in tests])


def _p_value(X: np.ndarray, seen: np.ndarray, test: Single) -> float:
    rows = seen[:, test.given].all(axis=1)
    chosen = X[np.ix_(rows, [test.x, test.y, *test.given])]
    precision = np.linalg.pinv(np.corrcoef(chosen, rowvar=False))
    rho = -precision[0, 1] / sqrt(precision[0, 0] * precision[1, 1])
    if abs(rho) >= 1:
        rho = copysign(1 - 2.0**-52, rho)
    z = sqrt(len(chosen) - len(test.given) - 3) * abs(atanh(rho))
    return float(2 * (1 - norm.cdf(z)))
