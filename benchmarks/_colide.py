"""What the comparisons of CoLiDE share: data, scores, recorded rows, the unit of time."""

import argparse
import csv
import io
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import scipy.linalg

from benchmarks._measure import ROOT, cold_and_warm, in_fresh_process
from benchmarks._report import Options, Table, Target, first_calls_table
from sparsekit.causal import CoLiDE
from sparsekit.datasets import make_linear_sem
from sparsekit.metrics import cpdag, edge_scores, structural_hamming_distance

__all__ = [
    "ALPHA",
    "FIRST_SEED",
    "NOISES",
    "RESULTS",
    "WEIGHTS",
    "Scores",
    "Setting",
    "append_row",
    "check_recorded",
    "data",
    "first_fits",
    "mean_and_error",
    "memory_table",
    "quiet",
    "read_rows",
    "record",
    "recording_parser",
    "scores_of",
    "settings",
    "unit_of_time",
    "until",
    "warm_up",
]

RESULTS = ROOT / "benchmarks" / "results"

# Penalty of the paper, for every contender that shares its meaning; CoLiDE's own default.
ALPHA = 0.05
N_SAMPLES = 1000
DEGREE = 4
WEIGHTS = {"strong": (0.5, 2.0), "weak": (0.25, 1.0)}
NOISES = ("equal", "unequal")
# Nothing was tuned on graphs of this seed or of later ones.
FIRST_SEED = 1000

_REPEATS, _BLOCKS = 100, 5

# So many fields tell one recorded fit from the others.
_KEY = 6

Row = TypeVar("Row", bound=tuple)
Piece = TypeVar("Piece")


class Setting(NamedTuple):
    """Kind of data: size, range of the weights by name, noise."""

    n_nodes: int
    weights: str
    noise: str


def settings(sizes: Iterable[int]) -> list[Setting]:
    """All settings of these sizes."""
    return [Setting(d, weights, noise) for d in sizes for weights in WEIGHTS for noise in NOISES]


@lru_cache(maxsize=4)
def data(setting: Setting, seed: int, standardised: bool = False) -> tuple[np.ndarray, Any]:
    """Read-only samples, and the adjacency of the true graph."""
    X, adjacency = make_linear_sem(
        N_SAMPLES,
        setting.n_nodes,
        degree=DEGREE,
        noise=setting.noise,
        weight_range=WEIGHTS[setting.weights],
        random_state=seed,
    )
    if standardised:
        X = X / X.std(axis=0)
    X.flags.writeable = False
    return X, adjacency


def warm_up() -> None:
    """Compile, or load, what the fits need."""
    X, _ = data(Setting(5, "strong", "equal"), FIRST_SEED)
    for solver in ("newton", "adam"):
        for noise in NOISES:
            model = CoLiDE(ALPHA, noise=noise, solver=solver, refine="bic", max_iter=1000)
            with quiet():
                model.fit(X)


class Scores(NamedTuple):
    """Structural Hamming distance, true positive rate and false discovery rate."""

    shd: int
    tpr: float
    fdr: float


def scores_of(true: Any, found: Any, *, equivalent: bool = False) -> Scores:
    """Compare with the true graph, or if `equivalent`, compare a CPDAG with the CPDAG of it."""
    true = cpdag(true) if equivalent else true
    edges = edge_scores(true, found)
    distance = structural_hamming_distance(true, found)
    return Scores(distance, edges.recall, edges.false_discovery_rate)


def mean_and_error(values: Iterable[float]) -> tuple[float, float]:
    """Mean, and its standard error; of a single value the error is unknown (nan)."""
    values = np.fromiter(values, dtype=float)
    error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    return float(values.mean()), float(error)


def unit_of_time(n_nodes: int) -> float:
    """CPU seconds of the dense algebra of an iteration of the published code, a lower bound of it.

    One inverse and three products of matrices of this size: the median of blocks of repetitions.
    """
    weights = data(Setting(n_nodes, "strong", "equal"), FIRST_SEED)[1].toarray()
    M = np.eye(n_nodes) - weights * weights / 10
    blocks = []
    for _ in range(_BLOCKS):
        start = time.process_time()
        for _ in range(_REPEATS):
            scipy.linalg.inv(M)
            for _ in range(3):
                M @ weights
        blocks.append((time.process_time() - start) / _REPEATS)
    return float(np.median(blocks))


def read_rows(path: Path, row_type: type[Row]) -> list[Row]:
    """Rows of a csv file whose header are the fields of a NamedTuple; none without the file."""
    if not path.exists():
        return []
    kinds = row_type.__annotations__
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        if reader.fieldnames != list(kinds):
            raise ValueError(f"expected the columns {list(kinds)}, got {reader.fieldnames}: {path}")
        return [row_type(*(kind(row[name]) for name, kind in kinds.items())) for row in reader]


def append_row(path: Path, row: Any) -> None:
    """Write one row at once, so that nothing is lost when the recording is stopped."""
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    with path.open("a", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        if is_new:
            writer.writerow(row._fields)
        writer.writerow([f"{cell:.4g}" if isinstance(cell, float) else cell for cell in row])


def until(minutes: float | None, work: Iterable[Piece]) -> Iterator[Piece]:
    """Yield pieces of work until the time is over; None: all of them."""
    end = np.inf if minutes is None else time.monotonic() + 60 * minutes
    for piece in work:
        if time.monotonic() > end:
            return
        yield piece


@contextmanager
def quiet() -> Iterator[None]:
    """Keep progress bars and warnings, which are no part of a comparison, from the terminal."""
    nowhere = io.StringIO()
    with redirect_stdout(nowhere), redirect_stderr(nowhere), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def record(
    path: Path,
    row_type: type[Row],
    work: Iterable[tuple],
    fit: Callable[..., Row],
    minutes: float | None,
) -> None:
    """Append the rows of all pieces of work, arguments of `fit`, that the file does not have yet.

    The first of the arguments is a `Setting`; its fields and the other arguments are the first
    fields of the row.
    """
    known = {row[:_KEY] for row in read_rows(path, row_type)}
    warm_up()
    missing = ((setting, *rest) for setting, *rest in work if (*setting, *rest) not in known)
    for piece in until(minutes, missing):
        row = fit(*piece)
        append_row(path, row)
        print(*row, flush=True)


def check_recorded(
    rows: Sequence[Row], fit: Callable[..., Row], which: str = "of the default solver"
) -> str:
    """Fit again what these rows tell, and say how many distances are as recorded."""
    again = (fit(Setting(*row[:3]), *row[3:_KEY]) for row in rows)
    same = sum(new.shd == old.shd for new, old in zip(again, rows, strict=True))
    return (
        f"Of the recorded fits, {len(rows)} {which} were repeated now: {same} have the same "
        "distance."
    )


def recording_parser(description: str, results: Path) -> argparse.ArgumentParser:
    """Options of the scripts that record rows."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--nodes", type=int, nargs="+", default=[20, 50, 100, 200])
    parser.add_argument("--seeds", type=int, nargs=2, default=[FIRST_SEED, FIRST_SEED + 20])
    parser.add_argument("--minutes", type=float, help="stop after the fit that exceeds this")
    parser.add_argument("--results", type=Path, default=results)
    return parser


_FIRST_FITS = """
import json, time, warnings
warnings.simplefilter("ignore")
start = time.process_time()
import numpy as np
from sparsekit.causal import BOSS, CoLiDE
X = np.random.default_rng(0).normal(size=(50, 5))
found = {{"imports": time.process_time() - start}}
for name, model in {{{models}}}.items():
    start = time.process_time()
    model.fit(X)
    found[name] = time.process_time() - start
print(json.dumps(found))
"""
_WHY_SLOW = "Compilation, once on a machine: the code is kept on disk for all later processes."


def first_fits(models: dict[str, str], options: Options) -> Iterator[Table | list[Target]]:
    """CPU seconds of imports and of first fits, one after the other; the first one has targets.

    Parameters
    ----------
    models : dict
        Calls of constructors by name.
    options : Options
    """
    source = _FIRST_FITS.format(models=", ".join(f"{key!r}: {models[key]}" for key in models))
    cold, warm = cold_and_warm(partial(in_fresh_process, ["-c", source]), quick=options.quick)
    first = next(iter(models))
    yield first_calls_table("fit", cold, warm)
    yield [
        Target("first fit, nothing compiled", cold[first], 3.0, None, " s", True, _WHY_SLOW),
        Target("first fit, compiled code on disk", warm[first], 0.3, None, " s", True),
    ]


def memory_table(peaks: Iterable[tuple[int, int, float]], note: str) -> Table:
    """Peaks in bytes by numbers of variables and samples, in units of what is unavoidable."""
    rows = []
    for n_nodes, n_samples, peak in peaks:
        sizes = (f"{n_nodes:,}", f"{n_samples:,}", f"{peak / 1e6:.1f} MB")
        units = (peak / (8 * n_nodes**2), peak / (8 * n_nodes * n_samples))
        rows.append((*sizes, *(f"{unit:.2f}" for unit in units)))
    units_note = "In units of a matrix of d x d numbers in double precision, and of the samples."
    columns = ("d", "samples", "peak", "d x d", "n x d")
    caption = "Peak extra memory of a fit, in a fresh process"
    return Table(caption, columns, rows, [f"{units_note} {note}"])
