"""CoLiDE as the number of variables grows, on several threads, its memory and first fits."""

import json
import os
import sys
from collections.abc import Iterator
from functools import partial

import numpy as np

from benchmarks._colide import (
    ALPHA,
    FIRST_SEED,
    Setting,
    data,
    first_fits,
    memory_table,
    quiet,
    warm_up,
)
from benchmarks._measure import (
    OtherLoad,
    alternate,
    in_fresh_process,
    memory_can_be_measured,
    peak_extra_bytes,
)
from benchmarks._report import (
    Options,
    Table,
    seconds,
    times,
    with_targets,
)
from benchmarks.compare_colide_paired import Fit, fit
from sparsekit.causal import CoLiDE

TITLE = "CoLiDE: growth, threads, memory and first fits"

SIZES = (20, 50, 100, 200)
QUICK_SIZES = (20, 50)
GROWTH_SOLVERS = ("newton", "newton, no restarts")

THREAD_SIZES = (50, 100)
QUICK_THREAD_SIZES = (50,)

# Variables, samples, iterations a stage (a cubic matter: the peak does not need many).
MEMORY_CASES = ((200, 1000, 3), (500, 1000, 3), (50, 100_000, 3))
QUICK_MEMORY_CASES = ((50, 1000, 3),)


def _growth(options: Options) -> Iterator[Table]:
    rows = []
    for noise, method in (("equal", "EV"), ("unequal", "NV")):
        for n_nodes in QUICK_SIZES if options.quick else SIZES:
            setting = Setting(n_nodes, "strong", noise)
            found = [fit(setting, noise, solver, FIRST_SEED) for solver in GROWTH_SOLVERS]
            rows.append((f"{n_nodes}, {method}", *(cell for one in found for cell in _cells(one))))
    columns = ("d, method", "CPU", "iterations", "CPU an iteration", "distance")
    columns += tuple(f"{name}, no restarts" for name in columns[1:])
    yield Table("Growth with the number of variables", columns, rows, [_GROWTH_NOTE])


def _cells(one: Fit) -> tuple[str, ...]:
    return seconds(one.cpu), str(one.n_iter), seconds(one.cpu / one.n_iter), str(one.shd)


_GROWTH_NOTE = (
    "One graph each, strong weights, matched noise, 1000 samples, 4 d edges; the default fit, and "
    "that without restarts. Larger graphs are in the section on these."
)


def _threads(options: Options) -> Iterator[Table]:
    numbers = [n for n in (1, 2, 4) if n <= (os.cpu_count() or 1)]
    rows = []
    for n_nodes in QUICK_THREAD_SIZES if options.quick else THREAD_SIZES:
        X, _ = data(Setting(n_nodes, "strong", "equal"), FIRST_SEED)
        models = {str(n): CoLiDE(ALPHA, n_jobs=n) for n in numbers}
        others = OtherLoad()
        with quiet():
            found = alternate({n: partial(model.fit, X) for n, model in models.items()}, 3)
        weights = [model.weights_ for model in models.values()]
        same = all(np.array_equal(weights[0], one) for one in weights[1:])
        row = [str(n_nodes), *(seconds(timing.wall) for timing in found.values())]
        row += [times(found["1"].wall / found[str(n)].wall) for n in numbers[1:]]
        rows.append((*row, others.cores(), "yes" if same else "NO"))
    columns = ["d", *(f"{n} threads" if n > 1 else "1 thread" for n in numbers)]
    columns += [f"speedup {n}" for n in numbers[1:]]
    note = (
        "Others: cores that other processes kept busy meanwhile; where they leave no second core "
        "free, there is no speedup to be seen. Only the columns are solved in parallel, not the "
        "inverse between."
    )
    yield Table("Threads, wall time", [*columns, "others", "bitwise equal"], rows, [note])


def peak_bytes(n_nodes: int, n_samples: int, max_iter: int) -> int:
    """Peak extra memory of a fit, in a fresh process."""
    # Freed blocks go back to the system at once instead of hiding in the process.
    environment = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
    request = json.dumps([n_nodes, n_samples, max_iter])
    return in_fresh_process(["-m", "benchmarks.compare_colide_resources", request], environment)[
        "bytes"
    ]


def _answer_memory_request(request: str) -> None:
    """Child process of `peak_bytes`."""
    n_nodes, n_samples, max_iter = json.loads(request)
    X = np.random.default_rng(0).normal(size=(n_samples, n_nodes))
    X[:, 1:] += X[:, :-1]
    warm_up()
    model = CoLiDE(ALPHA, max_iter=max_iter)
    with quiet():
        peak = peak_extra_bytes(lambda: model.fit(X))
    print(json.dumps({"bytes": peak}))


def _memory(options: Options) -> Iterator[str | Table]:
    if not memory_can_be_measured():
        yield "Peak memory was not measured: this system does not reset it."
        return
    cases = QUICK_MEMORY_CASES if options.quick else MEMORY_CASES
    note = "Fits are stopped after a few iterations: later ones need no more."
    yield memory_table([(*case[:2], peak_bytes(*case)) for case in cases], note)


_FIRST_MODELS = {
    "EV": "CoLiDE()",
    "NV": "CoLiDE(noise='unequal')",
    "EV, bic": "CoLiDE(refine='bic')",
    "EV, adam": "CoLiDE(solver='adam', max_iter=1)",
}


def run(options: Options) -> Iterator[str | Table]:
    """Yield the blocks of the page."""
    warm_up()
    parts = [part(options) for part in (_growth, _threads, _memory)]
    yield from with_targets([*parts, first_fits(_FIRST_MODELS, options)])


if __name__ == "__main__":
    _answer_memory_request(sys.argv[1])
