"""Graphs found by CoLiDE and by others: distances, rates and time, most of it from recorded fits.

python -m benchmarks.compare_colide_quality --nodes 20 50    records fits that are missing
"""

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from benchmarks._colide import (
    ALPHA,
    NOISES,
    RESULTS,
    WEIGHTS,
    Setting,
    check_recorded,
    data,
    mean_and_error,
    quiet,
    read_rows,
    record,
    recording_parser,
    scores_of,
    warm_up,
)
from benchmarks._colide_peers import CONTENDERS, Contender, available, colide, peer_note
from benchmarks._measure import cpu_seconds
from benchmarks._report import Options, Table, Target, seconds, with_targets
from sparsekit.causal import colide_path
from sparsekit.datasets import load_sachs

TITLE = "CoLiDE: graphs found"

FILE = RESULTS / "colide_quality.csv"
SCALES = ("raw", "standardised")

# Minutes for a single graph; recorded only if asked for by name.
SLOW = {"GOLEM"}

# Fits that are repeated, to see whether the recorded ones are those of the present code.
REPEATED = ("CoLiDE EV", "CoLiDE NV", "CoLiDE EV, bic", "CoLiDE NV, bic")
CHECKED = 8

MATCHED = {"equal": "EV", "unequal": "NV"}


class Fit(NamedTuple):
    """One fit, known by its first six fields, and what came of it."""

    d: int
    weights: str
    noise: str
    scale: str
    contender: str
    seed: int
    shd: int
    tpr: float
    fdr: float
    cpu: float


def fit(setting: Setting, scale: str, name: str, seed: int) -> Fit:
    """Fit one graph in the time of this process."""
    contender = CONTENDERS[name]
    X, true = data(setting, seed, scale == "standardised")
    with quiet():
        start = cpu_seconds()
        found = contender.learn(X)
        spent = cpu_seconds() - start
    scores = scores_of(true, found, equivalent=contender.equivalent)
    return Fit(*setting, scale, name, seed, *scores, spent)


def tasks(nodes: list[int], seeds: range, names: Iterable[str], scales: list[str]) -> Iterator:
    """Arguments of `fit`; small graphs first, and all kinds of data of a seed before the next."""
    for n_nodes, seed, scale, weights, noise in product(nodes, seeds, scales, WEIGHTS, NOISES):
        for name in names:
            if n_nodes <= CONTENDERS[name].largest:
                yield Setting(n_nodes, weights, noise), scale, name, seed


def of_kind(fits: list[Fit], **wanted: object) -> list[Fit]:
    """Fits whose fields have these values."""
    return [one for one in fits if all(getattr(one, key) == value for key, value in wanted.items())]


def _cells(fits: list[Fit], most: int) -> list[str]:
    """Distance, rates and time; the number of graphs where it is less than that of the others."""
    if not fits:
        return ["", "", ""]
    mean, error = mean_and_error(one.shd for one in fits)
    distance = f"{mean:.1f}" + ("" if np.isnan(error) else f" ± {error:.1f}")
    distance += f" ({len(fits)})" if len(fits) < most else ""
    tpr, fdr, cpu = (np.mean([getattr(one, key) for one in fits]) for key in ("tpr", "fdr", "cpu"))
    return [distance, f"{tpr:.2f} / {fdr:.2f}", seconds(cpu)]


def table_of(fits: list[Fit], caption: str) -> Table:
    """Means by learner and size, for fits of one kind of data."""
    sizes = sorted({one.d for one in fits})
    most = {d: max(len(of_kind(fits, d=d, contender=name)) for name in CONTENDERS) for d in sizes}
    rows = []
    for name in CONTENDERS:
        if of_kind(fits, contender=name):
            cells = (_cells(of_kind(fits, contender=name, d=d), most[d]) for d in sizes)
            rows.append([name, *(cell for three in cells for cell in three)])
    columns = ["learner", *(cell for d in sizes for cell in (f"d = {d}", "TPR / FDR", "CPU"))]
    numbers = ", ".join(f"{count} of {d}" for d, count in most.items())
    return Table(caption, columns, rows, [f"Graphs by number of variables: {numbers}."])


def _recorded(fits: list[Fit]) -> Iterator[str | Table]:
    if not fits:
        yield "Nothing is recorded yet: `python -m benchmarks.compare_colide_quality` does."
        return
    yield f"{_READ_TABLES} {peer_note()}"
    for scale, weights, noise in product(SCALES, WEIGHTS, NOISES):
        chosen = of_kind(fits, scale=scale, weights=weights, noise=noise)
        if chosen:
            caption = f"Structural Hamming distance, {weights} weights, {noise} noise, {scale} data"
            yield table_of(chosen, caption)


_READ_TABLES = (
    "Mean structural Hamming distances ± their standard errors, with true positive and false "
    "discovery rates of directed edges and CPU time of one thread: recorded fits of "
    "benchmarks/results/colide_quality.csv, on random graphs of average degree 8 (4 edges for each "
    "node), 1000 samples, seeds from 1000 on; a number in brackets tells that a learner has seen "
    "fewer graphs than others. Strong and weak weights: absolute values in [0.5, 2] and [0.25, 1]. "
    'Adam: the published solver. Bic: `refine="bic"`, another estimator.'
)


def _refinement(fits: list[Fit]) -> Iterator[list[Target]]:
    """Distance after refinement by that of the paper's solver, matched noise, same graphs."""
    refined, published = [], []
    for one in of_kind(fits, scale="raw", weights="strong"):
        name = f"CoLiDE {MATCHED[one.noise]}, adam"
        if one.contender != name or one.d not in (20, 50):
            continue
        partner = one._replace(contender=name.replace("adam", "bic"))[:6]
        found = [other.shd for other in fits if other[:6] == partner]
        refined += found[-1:]
        published += [one.shd] * bool(found)
    if published:
        share = float(np.mean(refined) / np.mean(published))
        yield [Target("distance, bic by adam, d = 20 and 50", share, 0.5, upper=True)]


def by_ebic(X: np.ndarray, noise: str) -> sp.csr_array:
    """Graph with the penalty that the extended BIC prefers."""
    return colide_path(X, noise=noise).best_estimator.adjacency_


def sachs_learners(options: Options) -> dict[str, Contender]:
    """Learners for the protein data."""
    ours = {
        "CoLiDE EV, no restarts": partial(colide, noise="equal", n_restarts=0),
        "CoLiDE NV, no restarts": partial(colide, noise="unequal", n_restarts=0),
        "CoLiDE NV, start equal": partial(colide, noise="unequal", start="equal"),
        "CoLiDE NV, start zero": partial(colide, noise="unequal", start="zero"),
        "CoLiDE EV, penalty by EBIC": partial(by_ebic, noise="equal"),
        "CoLiDE NV, penalty by EBIC": partial(by_ebic, noise="unequal"),
    }
    usual = available(name for name in CONTENDERS if name not in SLOW)
    learners = usual | {name: Contender(learn) for name, learn in ours.items()}
    return {name: one for name, one in learners.items() if not (options.quick and one.package)}


def _sachs(options: Options) -> Iterator[Table | list[Target]]:
    raw, true = load_sachs(return_X_y=True)
    standardised = (raw - raw.mean(axis=0)) / raw.std(axis=0)
    rows, distances = [], {}
    for name, learner in sachs_learners(options).items():
        row = [name]
        for X in (raw, standardised):
            with quiet():
                found = learner.learn(X)
            distance = scores_of(true, found, equivalent=learner.equivalent).shd
            distances.setdefault(name, distance)
            row += [str(distance), str(int((found != 0).sum()))]
        rows.append(row)
    columns = ("learner", "raw", "edges", "standardised", "edges")
    yield Table("Sachs' protein data: structural Hamming distance", columns, rows, [_SACHS_NOTE])
    yield [
        Target("Sachs, CoLiDE EV, raw", distances["CoLiDE EV"], 13, upper=True),
        Target("Sachs, CoLiDE NV, raw", distances["CoLiDE NV"], 12, upper=True),
    ]


_SACHS_NOTE = (
    "853 cells, 11 molecules; the truth is the graph of 17 edges (`load_sachs` has another one of "
    f"20), from which the empty graph has distance 17. Threshold 0.3; penalty {ALPHA}, or the one "
    "that the extended BIC prefers. Edges: entries found; an undirected edge counts twice."
)


def run(options: Options) -> Iterator[str | Table]:
    """Yield the blocks of the page."""
    fits = read_rows(FILE, Fit)
    warm_up()
    again = [one for one in fits if one.contender in REPEATED and one.d <= 50][:CHECKED]
    if again:
        yield check_recorded(again, fit)
    yield from with_targets([_recorded(fits), _refinement(fits), _sachs(options)])


def main() -> None:
    """Record fits that are not in the file yet."""
    parser = recording_parser(__doc__.partition("\n")[0], FILE)
    usual = [name for name in CONTENDERS if name not in SLOW]
    parser.add_argument("--contenders", nargs="+", choices=list(CONTENDERS), default=usual)
    parser.add_argument("--scales", nargs="+", choices=SCALES, default=["raw"])
    given = parser.parse_args()
    work = tasks(given.nodes, range(*given.seeds), available(given.contenders), given.scales)
    record(given.results, Fit, work, fit, given.minutes)


if __name__ == "__main__":
    main()
