"""What the comparisons of order search share: learners, scores of graphs, recorded fits."""

import os
import threading
import time
from collections.abc import Callable
from functools import partial
from math import log, nan
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from benchmarks import _colide
from benchmarks._colide import FIRST_SEED, Setting, data, quiet
from benchmarks._colide_peers import CONTENDERS as COLIDE_CONTENDERS
from benchmarks._colide_peers import Contender, available, colide, search_orders
from benchmarks._measure import cpu_seconds
from sparsekit.causal import BOSS
from sparsekit.metrics import cpdag, skeleton_scores, structural_hamming_distance

__all__ = [
    "CONTENDERS",
    "LIMIT",
    "Fit",
    "Judged",
    "boss",
    "excess",
    "extension",
    "fit",
    "fit_here",
    "judged",
    "patiently",
    "penalised",
    "warm_up",
]

# CPU seconds after which a fit of a peer is given up.
LIMIT = 600.0

_PERMUTATION = "causallearn.search.PermutationBased"


def boss(X: np.ndarray, **parameters: Any) -> sp.csr_array:
    """Graph found by our order search."""
    return BOSS(random_state=0, **parameters).fit(X).adjacency_


def _peer(name: str, **parameters: Any) -> Contender:
    learn = partial(search_orders, name=name, **parameters)
    return Contender(learn, 100, "causal-learn", f"{_PERMUTATION}.{name}", True, True)


_BEFORE = ("CoLiDE EV", "CoLiDE NV", "CoLiDE EV, bic", "CoLiDE NV, bic", "sort and regress")
CONTENDERS = {
    "BOSS": Contender(boss, scale_free=True),
    "BOSS, equal noise": Contender(partial(boss, noise="equal")),
    "CoLiDE EV, order": Contender(partial(colide, noise="equal", refine="order")),
    "CoLiDE NV, order": Contender(partial(colide, noise="unequal", refine="order")),
    **{name: COLIDE_CONTENDERS[name] for name in _BEFORE},
    "DAGMA": COLIDE_CONTENDERS["DAGMA"],
    "causal-learn BOSS": _peer("BOSS"),
    "causal-learn BOSS, EBIC": _peer("BOSS", extended=True),
    "causal-learn GRaSP": _peer("GRaSP"),
    "GES": COLIDE_CONTENDERS["GES"]._replace(largest=50),
    "PC": COLIDE_CONTENDERS["PC"],
}


class Fit(NamedTuple):
    """One fit, known by its first six fields, and what came of it.

    Attributes
    ----------
    shd, shd_cpdag : float
        Structural Hamming distances between DAGs and between CPDAGs; nan where there is no DAG.
    f1 : float
        Of the skeleton.
    edges : float
        Pairs of variables that are joined.
    ebic, bic : float
        Scores minus those of the true graph; nan if no DAG has the CPDAG.
    cpu : float
        Seconds; that of a fit that was given up is the limit, and all else is nan.
    """

    d: int
    weights: str
    noise: str
    scale: str
    contender: str
    seed: int
    shd: float
    shd_cpdag: float
    f1: float
    edges: float
    ebic: float
    bic: float
    cpu: float


class Judged(NamedTuple):
    """What a `Fit` tells of a graph."""

    shd: float
    shd_cpdag: float
    f1: float
    edges: float
    ebic: float
    bic: float


def warm_up() -> None:
    """Compile, or load, what the fits need."""
    _colide.warm_up()
    X, _ = data(Setting(5, "strong", "equal"), FIRST_SEED)
    with quiet():
        for name in ("BOSS", "BOSS, equal noise", "CoLiDE EV, order"):
            CONTENDERS[name].learn(X)


def _dense(graph: Any) -> np.ndarray:
    return (graph.toarray() if sp.issparse(graph) else np.asarray(graph)) != 0


def extension(pattern: Any) -> np.ndarray | None:
    """A DAG whose CPDAG this is, None if there is none.

    Dor and Tarsi (1992): take a variable without children whose undirected neighbours are joined to
    all its other neighbours, let its undirected edges point at it, and go on without it.
    """
    left = _dense(pattern)
    dag, alive = left & ~left.T, np.ones(len(left), dtype=bool)
    while alive.any():
        joined = left | left.T | np.eye(len(left), dtype=bool)
        sinks = (sink for sink in np.flatnonzero(alive) if _can_be_last(left, joined, sink))
        sink = next(sinks, None)
        if sink is None:
            return None
        dag[left[sink], sink] = True
        left[sink] = left[:, sink] = alive[sink] = False
    return dag


def _can_be_last(left: np.ndarray, joined: np.ndarray, node: np.intp) -> bool:
    """Whether all edges of a node may point at it."""
    undirected = left[node]
    if (undirected & ~left[:, node]).any():
        return False
    return bool(joined[np.ix_(undirected, left[:, node])].all())


def penalised(covariance: np.ndarray, n_samples: int, dag: np.ndarray, gamma: float) -> float:
    """Extended BIC of a graph, as `BOSS` defines it for unequal noise; gamma = 0: BIC."""
    total = (log(n_samples) / 2 + gamma * log(len(dag))) * np.count_nonzero(dag)
    for node, parents in enumerate(map(np.flatnonzero, dag.T)):
        both = np.append(parents, node)
        # The last pivot of the factor is what the parents leave unexplained.
        pivot = np.linalg.cholesky(covariance[np.ix_(both, both)])[-1, -1]
        total += n_samples * log(pivot)
    return float(total)


def excess(X: np.ndarray, true: Any, dag: np.ndarray | None) -> tuple[float, float]:
    """Extended BIC and BIC of a graph minus those of the true one: scale does not matter."""
    if dag is None:
        return nan, nan
    covariance = np.cov(X.T, bias=True)
    ebic, bic = (
        penalised(covariance, len(X), dag, gamma)
        - penalised(covariance, len(X), _dense(true), gamma)
        for gamma in (1.0, 0.0)
    )
    return round(ebic, 6), round(bic, 6)


def judged(X: np.ndarray, true: Any, found: Any, *, equivalent: bool) -> Judged:
    """Compare a graph, or a CPDAG if `equivalent`, with the true graph."""
    pattern = found if equivalent else cpdag(found)
    shd = nan if equivalent else float(structural_hamming_distance(true, found))
    shd_cpdag = float(structural_hamming_distance(cpdag(true), pattern))
    joined = _dense(pattern) | _dense(pattern).T
    dag = extension(found) if equivalent else _dense(found)
    scores = excess(X, true, dag)
    return Judged(shd, shd_cpdag, skeleton_scores(true, pattern).f1, joined.sum() / 2, *scores)


def fit(setting: Setting, scale: str, name: str, seed: int) -> Fit:
    """Fit one graph: a peer in a process of its own, which ends when it takes too long."""
    if not CONTENDERS[name].package:
        return fit_here(setting, scale, name, seed)
    row = patiently(LIMIT, fit_here, setting, scale, name, seed)
    nothing = Judged(*[nan] * len(Judged._fields))
    return Fit(*setting, scale, name, seed, *nothing, LIMIT) if row is None else row


def fit_here(setting: Setting, scale: str, name: str, seed: int) -> Fit:
    """Fit one graph in this process."""
    contender = available([name], CONTENDERS)[name]
    X, true = data(setting, seed, scale == "standardised")
    with quiet():
        start = cpu_seconds()
        found = contender.learn(X)
        spent = cpu_seconds() - start
    result = judged(X, true, found, equivalent=contender.equivalent)
    return Fit(*setting, scale, name, seed, *result, spent)


_OUT_OF_TIME = 3


def patiently(limit: float, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a new process; None if it needs more than these CPU seconds."""
    context = get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(there, limit, function, *arguments))
    process.start()
    there.close()  # or the end of the process would not be noticed
    try:
        answer = here.recv()
    except EOFError:
        answer = None
    process.join()
    if process.exitcode not in (0, _OUT_OF_TIME):
        raise RuntimeError(f"a process of the benchmark failed: {function}, {arguments}.")
    return answer


def _answer(
    connection: Connection, limit: float, function: Callable[..., Any], *arguments: Any
) -> None:
    """Child process of `patiently`."""
    guard = threading.Thread(target=_end_after, args=(limit,), daemon=True)
    guard.start()
    connection.send(function(*arguments))


def _end_after(limit: float) -> None:
    end = time.process_time() + limit
    while time.process_time() < end:
        time.sleep(min(limit, 1.0))
    os._exit(_OUT_OF_TIME)
