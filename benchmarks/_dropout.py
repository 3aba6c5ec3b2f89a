"""What the comparisons of dropout-aware learners share: data, learners, judgement, clocks."""

import warnings
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from benchmarks._measure import cpu_seconds
from sparsekit.causal import DropoutGES, DropoutPC
from sparsekit.datasets import make_dropout_sem
from sparsekit.metrics import cpdag, skeleton_scores, structural_hamming_distance

__all__ = [
    "FIRST_SEED",
    "KINDS",
    "PARITY",
    "Case",
    "Kind",
    "Problem",
    "Quality",
    "data",
    "fitted",
    "judged",
    "least_seconds",
    "warm_up",
]

# Nothing was tuned on graphs of this seed or of later ones.
FIRST_SEED = 1000

# The rules of causal-learn and of the paper's code; others are the defaults of `DropoutPC`.
PARITY = {"sepset_rule": "all", "conflict": "first"}

# A round lasts at least so many CPU seconds; a contender that takes longer has no second one.
_ROUND = 0.2
_SLOW = 5.0


class Kind(NamedTuple):
    """How expression is lost: parameters of `make_dropout_sem`."""

    mechanism: str
    distribution: str = "gaussian"
    mechanism_params: tuple[float, ...] | None = None


KINDS = {
    "Gaussian, fixed rate": Kind("fixed"),
    "Gaussian, truncation": Kind("truncation"),
    "Gaussian, logistic": Kind("logistic"),
    "lognormal, fixed rate": Kind("fixed", "lognormal"),
    "lognormal, truncation": Kind("truncation", "lognormal"),
    "lognormal, logistic": Kind("logistic", "lognormal"),
    "few rows": Kind("fixed", "gaussian", (0.2, 0.97)),
}


class Case(NamedTuple):
    """Kind of data by name, numbers of variables and samples, edges per node."""

    kind: str
    n_nodes: int
    n_samples: int
    degree: float


class Problem(NamedTuple):
    """Read-only data: observed, without dropouts, and the weights of the true graph."""

    X: np.ndarray
    latent: np.ndarray
    true: sp.csr_array


@lru_cache(maxsize=4)
def data(case: Case, seed: int) -> Problem:
    """Samples of one graph; kinds of the same distribution differ in what is lost alone."""
    X, true, latent = make_dropout_sem(
        case.n_samples,
        case.n_nodes,
        degree=case.degree,
        return_latent=True,
        random_state=seed,
        **KINDS[case.kind]._asdict(),
    )
    for array in (X, latent):
        array.flags.writeable = False
    return Problem(X, latent, true)


class Quality(NamedTuple):
    """Distance of CPDAGs, F1 of skeletons, edges."""

    shd: float
    f1: float
    edges: int


def judged(true: Any, pattern: Any) -> Quality:
    """Compare a CPDAG with that of the true graph."""
    joined = (sp.csr_array(pattern) + sp.csr_array(pattern).T) != 0
    distance = float(structural_hamming_distance(cpdag(true), pattern))
    return Quality(distance, float(skeleton_scores(true, pattern).f1), joined.nnz // 2)


def fitted(model: Any, X: Any) -> Any:
    """Fit without a word about data that have few rows or no zeros: that is what is looked at."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(X)


def warm_up() -> None:
    """Compile, or load, what the fits need."""
    problem = data(Case("Gaussian, logistic", 5, 300, 1.0), FIRST_SEED)
    for X in (problem.X, sp.csr_array(problem.X)):
        for zero_handling in ("conditioning", "testwise", "none"):
            fitted(DropoutPC(zero_handling=zero_handling), X)
            fitted(DropoutGES(zero_handling=zero_handling), X)


def least_seconds(calls: Mapping[str, Callable[[], Any]], rounds: int = 3) -> dict[str, float]:
    """CPU seconds of each call: the least of the means of some rounds, in which all take turns."""
    found: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            if not found[name] or found[name][0] < _SLOW:
                found[name].append(_round(call))
    return {name: min(means) for name, means in found.items()}


def _round(call: Callable[[], Any]) -> float:
    """Mean CPU seconds of calls that together take long enough to be measured."""
    n_calls, start = 0, cpu_seconds()
    while (spent := cpu_seconds() - start) < _ROUND:
        call()
        n_calls += 1
    return spent / n_calls
