"""Learners of graphs that CoLiDE is compared with, each as a function from samples to a graph."""

import logging
import random
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from math import log
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.linear_model import LassoLarsIC

from benchmarks._colide import ALPHA, quiet
from sparsekit.causal import CoLiDE
from sparsekit.causal.colide._dag import to_dag

__all__ = [
    "CONTENDERS",
    "Contender",
    "available",
    "colide",
    "is_installed",
    "pattern_of",
    "peer_note",
    "search_orders",
    "sort_and_regress",
]

THRESHOLD = 0.3
_SEARCH = "causallearn.search"


class Contender(NamedTuple):
    """A learner.

    Attributes
    ----------
    learn : callable
        From samples to an adjacency; does not change them.
    largest : int
        Number of variables up to which it is run.
    package : str
        Distribution that it needs.
    module : str
        What is imported of it; empty for our own.
    equivalent : bool
        Whether it finds a CPDAG.
    scale_free : bool
        Whether it finds the same in columns that were rescaled.
    """

    learn: Callable[[np.ndarray], Any]
    largest: int = 200
    package: str = ""
    module: str = ""
    equivalent: bool = False
    scale_free: bool = False


def colide(X: np.ndarray, **parameters: Any) -> sp.csr_array:
    """Graph found by CoLiDE."""
    return CoLiDE(ALPHA, threshold=THRESHOLD, **parameters).fit(X).adjacency_


def sort_and_regress(X: np.ndarray) -> sp.csr_array:
    """Regress each variable on those of smaller variance, by a lasso that minimises the BIC.

    The baseline of "Beware of the Simulated DAG!": it uses the scale of the data and nothing else
    to find directions.
    """
    order = np.argsort(X.var(axis=0), kind="stable")
    weights = np.zeros((len(order), len(order)))
    for position in range(1, len(order)):
        before, node = order[:position], order[position]
        weights[before, node] = LassoLarsIC(criterion="bic").fit(X[:, before], X[:, node]).coef_
    return to_dag(weights, THRESHOLD)


def dagma(X: np.ndarray) -> sp.csr_array:
    """DAGMA with the penalty, the path and the numbers of iterations of CoLiDE's paper."""
    from dagma.linear import DagmaLinear

    path = {"T": 4, "mu_init": 1.0, "mu_factor": 0.1, "s": [1.0, 0.9, 0.8, 0.7]}
    limits = {"warm_iter": 20_000, "max_iter": 70_000, "checkpoint": 1000}
    model = DagmaLinear(loss_type="l2")
    found = model.fit(X.copy(), lambda1=ALPHA, w_threshold=THRESHOLD, lr=3e-4, **path, **limits)
    return to_dag(np.asarray(found, dtype=np.float64), THRESHOLD)


def _castle(name: str, X: np.ndarray, **parameters: Any) -> sp.csr_array:
    logging.disable(logging.INFO)
    try:
        from castle import algorithms

        model = getattr(algorithms, name)(**parameters)
        model.learn(X.copy())
    finally:
        logging.disable(logging.NOTSET)
    return to_dag(np.asarray(model.causal_matrix, dtype=np.float64), 0.0)


def ges(X: np.ndarray) -> np.ndarray:
    """Greedy equivalence search of causal-learn."""
    from causallearn.search.ScoreBased.GES import ges as search

    covariance = np.cov(X.T)
    found = search(score_func="local_score_BIC_from_cov", cov=covariance, n=len(X))
    return pattern_of(found["G"].graph)


def pc(X: np.ndarray) -> np.ndarray:
    """PC algorithm of causal-learn, level 0.05."""
    from causallearn.search.ConstraintBased.PC import pc as search

    return pattern_of(search(X.copy(), alpha=0.05, show_progress=False).G.graph)


def search_orders(X: np.ndarray, *, name: str, extended: bool = False) -> np.ndarray:
    """BOSS or GRaSP of causal-learn from one random order.

    Its default penalty is 2 log n for each edge; if `extended` it is that of the extended BIC.
    """
    search = getattr(import_module(f"{_SEARCH}.PermutationBased.{name}"), name.lower())
    # It multiplies this by log n.
    parameters = {"lambda_value": 0.5 + log(X.shape[1]) / log(len(X))} if extended else None
    random.seed(0)
    np.random.seed(0)
    found = search(
        X.copy(), score_func="local_score_BIC_from_cov", parameters=parameters, verbose=False
    )
    return pattern_of(found.graph)


def pattern_of(endpoints: np.ndarray) -> np.ndarray:
    """CPDAG, boolean, of causal-learn's marks: [j, i] = 1 and [i, j] = -1 is the edge i -> j.

    An undirected edge has -1 at both, a bidirected one (a conflict of the tests) 1 at both: it is
    held to be undirected.
    """
    directed = (endpoints == -1) & (endpoints.T == 1)
    return directed | ((endpoints != 0) & (endpoints == endpoints.T))


CONTENDERS = {
    "CoLiDE EV": Contender(partial(colide, noise="equal")),
    "CoLiDE NV": Contender(partial(colide, noise="unequal")),
    "CoLiDE EV, bic": Contender(partial(colide, noise="equal", refine="bic")),
    "CoLiDE NV, bic": Contender(partial(colide, noise="unequal", refine="bic")),
    "CoLiDE EV, adam": Contender(partial(colide, noise="equal", solver="adam")),
    "CoLiDE NV, adam": Contender(partial(colide, noise="unequal", solver="adam")),
    "sort and regress": Contender(sort_and_regress),
    "DAGMA": Contender(dagma, 200, "dagma", "dagma.linear"),
    "NOTEARS": Contender(partial(_castle, "Notears"), 20, "gcastle", "castle.algorithms"),
    "GOLEM": Contender(partial(_castle, "GOLEM"), 20, "gcastle", "castle.algorithms"),
    "GES": Contender(ges, 20, "causal-learn", f"{_SEARCH}.ScoreBased.GES", True, True),
    "PC": Contender(pc, 50, "causal-learn", f"{_SEARCH}.ConstraintBased.PC", True, True),
}


def is_installed(module: str) -> bool:
    """Whether the package of a module is there; true for our own."""
    return not module or find_spec(module.partition(".")[0]) is not None


def available(
    names: Iterable[str] = CONTENDERS, among: Mapping[str, Contender] = CONTENDERS
) -> dict[str, Contender]:
    """Those contenders whose packages are installed, with these imported: that is not timed."""
    found = {name: among[name] for name in names if is_installed(among[name].module)}
    with quiet():
        for contender in found.values():
            if contender.module:
                import_module(contender.module)
    return found


def peer_note() -> str:
    """Versions of the peers, and what is not installed."""
    packages = {one.package: one.module for one in CONTENDERS.values() if one.package}
    parts = [
        f"{package} {version(package) if is_installed(module) else '(not installed)'}"
        for package, module in packages.items()
    ]
    return (
        f"{', '.join(parts)}. DAGMA: penalty, path and iterations as CoLiDE; NOTEARS and GOLEM "
        "(gCastle), GES and PC (causal-learn) with their own defaults. GES and PC find CPDAGs and "
        "are compared with the CPDAG of the true graph, in which directions that the data can not "
        "tell do not count. On one graph of 20 variables (strong weights, equal noise, seed 1000) "
        "it was looked into why GES is far off: it stops at a graph whose BIC is worse than that "
        "of the true one. Sort and regress: each variable by a lasso with BIC on those of smaller "
        "variance."
    )
