"""CoLiDE on hundreds of variables, from recorded fits.

python -m benchmarks.compare_colide_large --nodes 500    records fits that are missing
"""

import time
from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import numpy as np

from benchmarks._colide import (
    ALPHA,
    FIRST_SEED,
    NOISES,
    RESULTS,
    WEIGHTS,
    Setting,
    data,
    quiet,
    read_rows,
    record,
    recording_parser,
    scores_of,
)
from benchmarks._measure import cpu_seconds, memory_can_be_measured, peak_extra_bytes
from benchmarks._report import Options, Table, seconds
from sparsekit.causal import CoLiDE

TITLE = "CoLiDE: large graphs"

FILE = RESULTS / "colide_large.csv"


class Fit(NamedTuple):
    """One fit, known by its first six fields, and what came of it; `peak` in bytes."""

    d: int
    weights: str
    noise: str
    n_restarts: int
    n_jobs: int
    seed: int
    shd: int
    tpr: float
    fdr: float
    wall: float
    cpu: float
    peak: float
    n_iter: int


def fit(setting: Setting, n_restarts: int, n_jobs: int, seed: int) -> Fit:
    """Fit one graph and watch clocks and memory."""
    X, true = data(setting, seed)
    model = CoLiDE(ALPHA, noise=setting.noise, n_restarts=n_restarts, n_jobs=n_jobs)
    with quiet():
        wall, cpu = time.perf_counter(), cpu_seconds()
        if memory_can_be_measured():
            peak = float(peak_extra_bytes(lambda: model.fit(X)))
        else:
            model.fit(X)
            peak = np.nan
        wall, cpu = time.perf_counter() - wall, cpu_seconds() - cpu
    scores = scores_of(true, model.adjacency_)
    return Fit(*setting, n_restarts, n_jobs, seed, *scores, wall, cpu, peak, model.n_iter_)


def _row(one: Fit) -> tuple[str, ...]:
    return (
        f"{one.d}, {one.weights}, {'EV' if one.noise == 'equal' else 'NV'}",
        str(one.n_restarts),
        str(one.n_jobs),
        seconds(one.wall),
        seconds(one.cpu),
        f"{one.peak / 1e6:.0f} MB",
        str(one.n_iter),
        str(one.shd),
        f"{one.tpr:.2f} / {one.fdr:.2f}",
    )


_NOTE = (
    "One graph each (seed 1000), 1000 samples, 4 d edges, in one process: fits of "
    "benchmarks/results/colide_large.csv. Peak: resident memory beyond that before the fit. "
    "Strong and weak weights: absolute values in [0.5, 2] and [0.25, 1]. With as many variables as "
    "samples the covariance is singular."
)


def run(options: Options) -> Iterator[str | Table]:
    """Yield the blocks of the page."""
    fits = sorted(read_rows(FILE, Fit))
    if not fits:
        yield "Nothing is recorded yet: `python -m benchmarks.compare_colide_large` does."
        return
    columns = ("d, weights, noise", "restarts", "threads", "wall", "CPU", "peak", "iterations")
    columns += ("distance", "TPR / FDR")
    yield Table("Fits of large graphs, recorded", columns, [_row(one) for one in fits], [_NOTE])


def main() -> None:
    """Record fits that are not in the file yet."""
    parser = recording_parser(__doc__.partition("\n")[0], FILE)
    parser.set_defaults(nodes=[500, 1000], seeds=[FIRST_SEED, FIRST_SEED + 1])
    parser.add_argument("--weights", nargs="+", choices=list(WEIGHTS), default=list(WEIGHTS))
    parser.add_argument("--noises", nargs="+", choices=NOISES, default=["equal"])
    parser.add_argument("--restarts", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    kinds = product(given.nodes, given.weights, given.noises, range(*given.seeds))
    work = (
        (Setting(d, weights, noise), given.restarts, given.threads, seed)
        for d, weights, noise, seed in kinds
    )
    record(given.results, Fit, work, fit, given.minutes)


if __name__ == "__main__":
    main()
