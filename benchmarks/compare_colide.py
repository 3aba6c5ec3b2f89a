"""CoLiDE's CPU time against the published code, its own Adam loop and other programs."""

import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
import scipy.linalg
from threadpoolctl import threadpool_limits

from benchmarks._colide import (
    ALPHA,
    FIRST_SEED,
    NOISES,
    Setting,
    data,
    quiet,
    scores_of,
    unit_of_time,
    warm_up,
)
from benchmarks._colide_peers import available, peer_note
from benchmarks._measure import ROOT, alternate
from benchmarks._report import Options, Table, Target, seconds, times, with_targets
from sparsekit.causal import CoLiDE
from sparsekit.causal.colide._adam import adam_stage
from sparsekit.causal.colide._array_api import array_api_stage
from sparsekit.causal.colide._objective import Problem, make_problem
from sparsekit.causal.colide._stage import Stage

TITLE = "CoLiDE: time"

_CASES = ROOT / "tests" / "cases" / "colide"
SIZES = (50, 100)
QUICK_SIZES = (50,)

# Name of a method in the files, noise that it assumes.
METHODS = {"ev": "equal", "nv": "unequal"}
DEFAULT_RESTARTS = CoLiDE().n_restarts
LEAST_SPEED = {(50, "ev"): 20.0, (50, "nv"): 15.0, (100, "ev"): 9.5, (100, "nv"): 6.0}

N_ITER = 300
LOOP_SIZES = (20, 50, 100, 200)
QUICK_LOOP_SIZES = (20, 50)

# Learners that take turns on one graph of this size.
PEERS = {
    20: ("CoLiDE EV", "CoLiDE NV", "CoLiDE EV, adam", "sort and regress", "DAGMA", "PC"),
    50: ("CoLiDE EV", "CoLiDE NV", "CoLiDE EV, adam", "sort and regress", "DAGMA"),
}
QUICK_PEERS = {20: ("CoLiDE EV", "CoLiDE NV", "CoLiDE EV, adam", "sort and regress", "DAGMA")}


class Case(NamedTuple):
    """A stored problem with what the published code made of it."""

    covariance: np.ndarray
    n_samples: int
    true: np.ndarray
    found: np.ndarray
    n_iter: int


def _dense(stored: Any, which: str) -> np.ndarray:
    weights = np.zeros_like(stored["covariance"])
    weights[stored[f"{which}_rows"], stored[f"{which}_columns"]] = stored[f"{which}_values"]
    return weights


def cases(n_nodes: int, method: str) -> list[Case]:
    """Stored problems whose noise is that which the method assumes."""
    found = []
    for path in sorted(_CASES.glob(f"er4_d{n_nodes}_{method}_*.npz")):
        with np.load(path) as stored:
            graphs = (_dense(stored, "true"), _dense(stored, method))
            n_iter = int(stored[f"{method}_iterations"].sum())
            found.append(Case(stored["covariance"], int(stored["n_samples"]), *graphs, n_iter))
    return found


class Fits(NamedTuple):
    """Fits of some cases: CPU seconds, iterations of both, distances of both."""

    cpu: float
    n_iter: int
    n_iter_published: int
    shd: float
    shd_published: float


def fit_cases(chosen: list[Case], noise: str, n_restarts: int) -> Fits:
    """Fit each case once."""
    cpu, n_iter, distances = 0.0, 0, []
    for case in chosen:
        model = CoLiDE(ALPHA, noise=noise, n_restarts=n_restarts)
        with quiet():
            start = time.process_time()
            model.fit_covariance(case.covariance, case.n_samples)
            cpu += time.process_time() - start
        n_iter += model.n_iter_
        both = (model.adjacency_, case.found)
        distances.append([scores_of(case.true, found).shd for found in both])
    published = sum(case.n_iter for case in chosen)
    return Fits(cpu, n_iter, published, *map(float, np.mean(distances, axis=0)))


def _against_published(options: Options) -> Iterator[str | Table | list[Target]]:
    rows, targets = [], []
    for n_nodes in QUICK_SIZES if options.quick else SIZES:
        for method, noise in METHODS.items():
            chosen = cases(n_nodes, method)
            for n_restarts in (0, DEFAULT_RESTARTS):
                before = unit_of_time(n_nodes)
                fits = fit_cases(chosen, noise, n_restarts)
                unit = (before + unit_of_time(n_nodes)) / 2
                speed = fits.n_iter_published * unit / fits.cpu
                label = (f"{n_nodes}, {method.upper()}", str(n_restarts), str(len(chosen)))
                rows.append((*label, *_published_cells(len(chosen), unit, fits, speed)))
            # The last fits are those with the defaults.
            targets += _published_targets(n_nodes, method, fits, speed)
    columns = ("d, method", "restarts", "graphs", "unit", "iterations", "published", "CPU", "ratio")
    columns += ("distance", "published")
    caption = "Newton against the published code, by stored numbers of its iterations"
    yield Table(caption, columns, rows, [_PUBLISHED_NOTE])
    yield targets


def _published_targets(n_nodes: int, method: str, fits: Fits, speed: float) -> Iterator[Target]:
    name = f"d = {n_nodes}, {method.upper()}"
    yield Target(f"speed, {name}", speed, LEAST_SPEED[n_nodes, method], unit=" x")
    # One graph, as there is of 100 variables, decides nothing about distances.
    if n_nodes < 100:
        yield Target(f"distance, {name}", fits.shd, fits.shd_published, upper=True)


def _published_cells(n_cases: int, unit: float, fits: Fits, speed: float) -> tuple[str, ...]:
    return (
        f"{unit * 1e6:.0f} µs",
        f"{fits.n_iter / n_cases:,.0f}",
        f"{fits.n_iter_published / n_cases:,.0f}",
        seconds(fits.cpu / n_cases),
        times(speed),
        f"{fits.shd:.1f}",
        f"{fits.shd_published:.1f}",
    )


_PUBLISHED_NOTE = (
    "Stored problems of the tests, matched noise, penalty 0.05; means over graphs. "
    f"{DEFAULT_RESTARTS} restarts are the default. The published "
    "code is not run: its time is taken to be its stored number of iterations times the unit, an "
    "inverse and three products, measured before and after our fits. It computes more than that, "
    "so the ratio understates. Distance: structural Hamming distance of the same fits."
)


def literal_loop(problem: Problem, stage: Stage) -> np.ndarray:
    """Adam as published, diagonal included: an inverse and three products an iteration."""
    C, d = problem.covariance, len(problem.covariance)
    eye, scale = np.eye(d), np.sqrt(problem.covariance.diagonal().min())
    W, first, second = np.zeros((3, d, d))
    for iteration in range(1, stage.max_iter + 1):
        inverse = scipy.linalg.inv(stage.s * eye - W * W)
        if (inverse < -1e-6).any():
            break
        gradient = stage.mu * (-(C @ (eye - W)) / scale + ALPHA * np.sign(W)) + 2 * W * inverse.T
        first = 0.99 * first + 0.01 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        corrected = second / (1 - 0.999**iteration)
        W = W - 3e-4 * first / (1 - 0.99**iteration) / (np.sqrt(corrected) + 1e-8)
        D = eye - W
        scale = np.sqrt(np.trace(D.T @ C @ D) / d)
    return W


def loops(n_nodes: int) -> dict[str, Callable[[], Any]]:
    """Adam from zero, the same iterations each: literal, ours, ours on torch."""
    X, _ = data(Setting(n_nodes, "strong", "equal"), FIRST_SEED)
    problem = make_problem(np.cov(X.T, bias=True), ALPHA, equal=True)
    # The published loop lets weights of variables on themselves vary.
    np.fill_diagonal(problem.penalties, ALPHA)
    stage, start = Stage(1.0, 1.0, N_ITER, 1e-6), np.zeros((n_nodes, n_nodes))
    calls = {
        "literal": partial(literal_loop, problem, stage),
        "ours": partial(adam_stage, problem, start, stage),
    }
    if find_spec("torch") is not None and find_spec("array_api_compat") is not None:
        import array_api_compat.torch as namespace

        calls["torch"] = partial(array_api_stage, problem, start, stage, xp=namespace)
    return calls


@cache
def cost_of_loops(n_nodes: int) -> tuple[float, float]:
    """CPU seconds of an iteration of our Adam and of the literal loop."""
    calls = {name: call for name, call in loops(n_nodes).items() if name != "torch"}
    with threadpool_limits(1):
        found = alternate(calls, 3)
    return found["ours"].cpu / N_ITER, found["literal"].cpu / N_ITER


def _cost_of_an_iteration(options: Options) -> Iterator[Table | list[Target]]:
    rows, targets = [], []
    for n_nodes in QUICK_LOOP_SIZES if options.quick else LOOP_SIZES:
        calls = loops(n_nodes)
        with threadpool_limits(1):
            difference = np.abs(calls["literal"]() - calls["ours"]().weights).max()
            if difference > 1e-6:
                raise RuntimeError(f"the two loops disagree: {difference:.1e}")
            found = alternate(calls, 3 if options.quick else 5)
        unit = unit_of_time(n_nodes)
        cost = {name: timing.cpu / N_ITER for name, timing in found.items()}
        share = cost["ours"] / cost["literal"]
        row = [str(n_nodes), *(f"{cost[name] * 1e6:.0f} µs" for name in ("literal", "ours"))]
        row += [f"{share:.2f}", f"{cost['ours'] / unit:.2f}"]
        rows.append((*row, f"{cost['torch'] * 1e6:.0f} µs" if "torch" in cost else ""))
        if n_nodes >= 50:
            name = f"cost of an iteration of Adam, d = {n_nodes}"
            targets.append(Target(name, share, 0.75, unit=" of literal", upper=True))
    columns = ("d", "literal", "ours", "of literal", "of the unit", "torch on the CPU")
    yield Table("An iteration of Adam, one thread, CPU time", columns, rows, [_LOOP_NOTE])
    yield targets


_LOOP_NOTE = (
    f"The first {N_ITER} iterations on one graph; literal and ours end at the same weights. "
    "Literal: the published loop written down in numpy, with an inverse and three products. Of the "
    "unit: our time by that of an inverse and three products alone. Torch: the array API path, "
    "which is there for devices that are not the CPU."
)


def _against_peers(options: Options) -> Iterator[Table]:
    rows = []
    for n_nodes, names in (QUICK_PEERS if options.quick else PEERS).items():
        for noise in NOISES:
            rows += _peer_rows(Setting(n_nodes, "strong", noise), names)
    columns = ("d, noise", "learner", "CPU", "by CoLiDE EV", "distance", "TPR", "FDR")
    caption = "One graph, strong weights, 1000 samples, one thread, CPU time"
    yield Table(caption, columns, rows, [peer_note(), _ONE_GRAPH])


_ONE_GRAPH = "A single graph decides nothing about distances: means over many are further down."


def _peer_rows(setting: Setting, names: tuple[str, ...]) -> Iterator[list[str]]:
    X, true = data(setting, FIRST_SEED)
    learners = available(names)
    graphs = {}

    def learn(name: str) -> None:
        graphs[name] = learners[name].learn(X)

    with quiet(), threadpool_limits(1):
        found = alternate({name: partial(learn, name) for name in learners}, 2)
    for name, timing in found.items():
        scores = scores_of(true, graphs[name], equivalent=learners[name].equivalent)
        row = [f"{setting.n_nodes}, {setting.noise}", name, seconds(timing.cpu)]
        row += [times(timing.cpu / found["CoLiDE EV"].cpu), str(scores.shd)]
        yield [*row, f"{scores.tpr:.2f}", f"{scores.fdr:.2f}"]


def run(options: Options) -> Iterator[str | Table]:
    """Yield the blocks of the page."""
    warm_up()
    parts = (_against_published, _cost_of_an_iteration, _against_peers)
    yield from with_targets(part(options) for part in parts)
