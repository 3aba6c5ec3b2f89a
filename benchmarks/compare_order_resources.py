"""Order search as the number of variables grows, on several threads, its memory and first fits.

python -m benchmarks.compare_order_resources --nodes 500    records large fits that are missing
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks._colide import (
    FIRST_SEED,
    NOISES,
    RESULTS,
    WEIGHTS,
    Setting,
    data,
    first_fits,
    memory_table,
    quiet,
    read_rows,
    record,
    recording_parser,
    settings,
)
from benchmarks._measure import (
    OtherLoad,
    alternate,
    cpu_seconds,
    in_fresh_process,
    memory_can_be_measured,
    peak_extra_bytes,
)
from benchmarks._order import judged, warm_up
from benchmarks._report import (
    Options,
    Table,
    Target,
    seconds,
    times,
    with_targets,
)
from sparsekit.causal import BOSS

TITLE = "Order search: growth, threads, memory and first fits"

FILE = RESULTS / "order_large.csv"

SIZES = (20, 50, 100, 200)
QUICK_SIZES = (20, 50)
N_STARTS = 3
# CPU seconds of a start.
MOST_SECONDS = {200: 5.0, 500: 300.0}

THREAD_SIZES = (50, 100)
QUICK_THREAD_SIZES = (50,)

# Variables, samples.
MEMORY_CASES = ((200, 1000), (500, 1000), (50, 100_000))
QUICK_MEMORY_CASES = ((50, 1000),)


class Fit(NamedTuple):
    """One fit, known by its first six fields, and what came of it; `peak` in bytes."""

    d: int
    weights: str
    noise: str
    n_starts: int
    n_jobs: int
    seed: int
    shd: float
    shd_cpdag: float
    f1: float
    ebic: float
    wall: float
    cpu: float
    peak: float
    n_passes: int


def fit(setting: Setting, n_starts: int, n_jobs: int, seed: int) -> Fit:
    """Fit one graph, standardised data, and watch clocks and memory."""
    X, true = data(setting, seed, standardised=True)
    model = BOSS(n_starts=n_starts, random_state=0, n_jobs=n_jobs)
    peak = np.nan
    with quiet(), threadpool_limits(1):
        wall, cpu = time.perf_counter(), cpu_seconds()
        if memory_can_be_measured():
            peak = float(peak_extra_bytes(lambda: model.fit(X)))
        else:
            model.fit(X)
        wall, cpu = time.perf_counter() - wall, cpu_seconds() - cpu
    found = judged(X, true, model.adjacency_, equivalent=False)
    quality = (found.shd, found.shd_cpdag, found.f1, found.ebic)
    return Fit(*setting, n_starts, n_jobs, seed, *quality, wall, cpu, peak, model.n_passes_)


def _row(one: Fit) -> tuple[str, ...]:
    return (
        f"{one.d}, {one.weights}, {one.noise}",
        str(one.n_starts),
        str(one.n_jobs),
        seconds(one.wall),
        seconds(one.cpu / one.n_starts),
        f"{one.peak / 1e6:.1f} MB",
        str(one.n_passes),
        f"{one.shd:.0f}",
        f"{one.shd_cpdag:.0f}",
        f"{one.f1:.3f}",
        f"{one.ebic:+.1f}",
    )


_COLUMNS = ("d, weights, noise", "starts", "threads", "wall", "CPU a start", "peak", "passes")
_COLUMNS += ("DAG", "CPDAG", "F1", "EBIC")
_GROWTH_NOTE = (
    "One graph each (seed 1000), 1000 standardised samples, 4 d edges; noise of the data, the "
    "search assumes it unequal. Peak: resident memory beyond that before the fit. DAG, CPDAG: "
    "structural Hamming distances. F1: of the skeleton. EBIC: minus that of the true graph. "
    "Strong and weak weights: absolute values in [0.5, 2] and [0.25, 1]."
)


def _time_targets(fits: list[Fit]) -> list[Target]:
    return [
        Target(f"a start, {_row(one)[0]}", one.cpu / one.n_starts, most, None, " s", True)
        for one in fits
        if (most := MOST_SECONDS.get(one.d)) is not None
    ]


def _growth(options: Options) -> Iterator[Table | list[Target]]:
    sizes = QUICK_SIZES if options.quick else SIZES
    fits = [fit(setting, N_STARTS, 1, FIRST_SEED) for setting in settings(sizes)]
    yield Table(
        "Growth with the number of variables", _COLUMNS, list(map(_row, fits)), [_GROWTH_NOTE]
    )
    yield _time_targets(fits)


def _large(options: Options) -> Iterator[str | Table | list[Target]]:
    fits = sorted(read_rows(FILE, Fit))
    if not fits:
        yield "No large fit is recorded: `python -m benchmarks.compare_order_resources` does."
        return
    note = "Fits of benchmarks/results/order_large.csv; columns as in the table above."
    yield Table("Fits of large graphs, recorded", _COLUMNS, list(map(_row, fits)), [note])
    yield _time_targets(fits)


def _threads(options: Options) -> Iterator[Table]:
    numbers = [n for n in (1, 2, 4) if n <= (os.cpu_count() or 1)]
    rows = []
    for n_nodes in QUICK_THREAD_SIZES if options.quick else THREAD_SIZES:
        X, _ = data(Setting(n_nodes, "strong", "unequal"), FIRST_SEED)
        models = {n: BOSS(n_starts=4, random_state=0, n_jobs=n) for n in numbers}
        others = OtherLoad()
        with quiet():
            found = alternate({str(n): partial(one.fit, X) for n, one in models.items()}, 3)
        graphs = [model.adjacency_.toarray() for model in models.values()]
        same = all(np.array_equal(graphs[0], one) for one in graphs[1:])
        row = [str(n_nodes), *(seconds(timing.wall) for timing in found.values())]
        row += [times(found["1"].wall / found[str(n)].wall) for n in numbers[1:]]
        rows.append((*row, others.cores(), "yes" if same else "NO"))
    columns = ["d", *(f"{n} threads" if n > 1 else "1 thread" for n in numbers)]
    columns += [f"speedup {n}" for n in numbers[1:]]
    caption = "Threads, wall time of four starts"
    yield Table(caption, [*columns, "others", "bitwise equal"], rows, [_THREADS_NOTE])


_THREADS_NOTE = (
    "Starts run in parallel, a pass of each at a time. Others: cores that other processes kept "
    "busy meanwhile; where they leave no second core free, there is no speedup to be seen."
)


def peak_bytes(n_nodes: int, n_samples: int) -> int:
    """Peak extra memory of a fit, in a fresh process."""
    # Freed blocks go back to the system at once instead of hiding in the process.
    environment = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
    request = json.dumps([n_nodes, n_samples])
    module = "benchmarks.compare_order_resources"
    return in_fresh_process(["-m", module, "--peak", request], environment)["bytes"]


def _answer_memory_request(request: str) -> None:
    """Child process of `peak_bytes`."""
    n_nodes, n_samples = json.loads(request)
    X = np.random.default_rng(0).normal(size=(n_samples, n_nodes))
    X[:, 1:] += X[:, :-1]
    warm_up()
    model = BOSS(n_starts=1, max_passes=1, random_state=0)
    with quiet():
        peak = peak_extra_bytes(lambda: model.fit(X))
    print(json.dumps({"bytes": peak}))


def _memory(options: Options) -> Iterator[str | Table]:
    if not memory_can_be_measured():
        yield "Peak memory was not measured: this system does not reset it."
        return
    cases = QUICK_MEMORY_CASES if options.quick else MEMORY_CASES
    note = (
        "A chain of "
        "variables, one start, one pass each from it and from its perturbations. Denser graphs and "
        "more passes remember more sets of parents: see the peaks above."
    )
    yield memory_table([(*case[:2], peak_bytes(*case)) for case in cases], note)


_FIRST_MODELS = {
    "BOSS": "BOSS(random_state=0)",
    "BOSS, equal noise": "BOSS(noise='equal', random_state=0)",
    "CoLiDE EV, order": "CoLiDE(refine='order')",
}


def run(options: Options) -> Iterator[str | Table]:
    """Yield the blocks of the page."""
    warm_up()
    parts = [part(options) for part in (_growth, _large, _threads, _memory)]
    yield from with_targets([*parts, first_fits(_FIRST_MODELS, options)])


def main() -> None:
    """Record large fits that are not in the file yet."""
    parser = recording_parser(__doc__.partition("\n")[0], FILE)
    parser.set_defaults(nodes=[500], seeds=[FIRST_SEED, FIRST_SEED + 1])
    parser.add_argument("--weights", nargs="+", choices=list(WEIGHTS), default=list(WEIGHTS))
    parser.add_argument("--noises", nargs="+", choices=NOISES, default=["unequal"])
    parser.add_argument("--starts", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    kinds = product(given.nodes, given.weights, given.noises, range(*given.seeds))
    work = (
        (Setting(d, weights, noise), given.starts, given.threads, seed)
        for d, weights, noise, seed in kinds
    )
    warm_up()
    record(given.results, Fit, work, fit, given.minutes)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peak"]:
        _answer_memory_request(sys.argv[2])
    else:
        main()
