"""Graphs found by order search and by others, raw and standardised, from recorded fits.

python -m benchmarks.compare_order_quality --nodes 20 50    records fits that are missing
"""

import os
from collections.abc import Iterable, Iterator
from itertools import product
from typing import NamedTuple

import numpy as np

from benchmarks._colide import (
    FIRST_SEED,
    NOISES,
    RESULTS,
    WEIGHTS,
    Setting,
    check_recorded,
    mean_and_error,
    read_rows,
    record,
    recording_parser,
    settings,
)
from benchmarks._colide_peers import available
from benchmarks._measure import ONE_THREAD
from benchmarks._order import CONTENDERS, LIMIT, Fit, fit, warm_up
from benchmarks._report import Options, Table, Target, seconds, with_targets
from benchmarks.compare_colide_paired import FILE as PUBLISHED_FILE
from benchmarks.compare_colide_paired import Fit as PublishedFit
from benchmarks.compare_colide_quality import MATCHED, SCALES, of_kind

TITLE = "Order search: graphs found"

FILE = RESULTS / "order_quality.csv"

# Fits that are repeated, to see whether the recorded ones are those of the present code.
REPEATED = ("BOSS", "BOSS, equal noise", "CoLiDE EV, order", "CoLiDE NV, order")
CHECKED = 12

PEER = "causal-learn BOSS"

# Part of the published method's distance that the refinement may leave.
LEFT_OVER = 0.2
PUBLISHED_SIZES = (100, 200)


class Goal(NamedTuple):
    """Mean distances of the prototype: refined on raw data, alone on standardised data."""

    refined: float
    alone: float


GOALS = {
    Setting(50, "strong", "unequal"): Goal(np.nan, 8.5),
    Setting(50, "weak", "unequal"): Goal(np.nan, 7.5),
    Setting(100, "strong", "equal"): Goal(3.0, 4.0),
    Setting(100, "strong", "unequal"): Goal(9.67, 3.8),
    Setting(100, "weak", "equal"): Goal(5.6, 3.0),
    Setting(100, "weak", "unequal"): Goal(13.8, 11.3),
    Setting(200, "strong", "equal"): Goal(7.0, 11.0),
    Setting(200, "strong", "unequal"): Goal(7.5, 16.3),
    Setting(200, "weak", "unequal"): Goal(36.0, 21.3),
}


def tasks(nodes: list[int], seeds: range, names: Iterable[str], scales: list[str]) -> Iterator:
    """Arguments of `fit`; small graphs first, and all kinds of data of a seed before the next.

    A peer that does not see scale has no need of raw data; ours has to show that it does not. In
    standardised data noise is never equal: the graphs grow dense, and an hour would go into each
    large one.
    """
    for n_nodes, seed, weights, noise in product(nodes, seeds, WEIGHTS, NOISES):
        for scale, name in product(scales, names):
            contender = CONTENDERS[name]
            if n_nodes > contender.largest:
                continue
            if scale == "raw" and contender.scale_free and contender.package:
                continue
            if scale == "standardised" and name == "BOSS, equal noise" and n_nodes > 50:
                continue
            yield Setting(n_nodes, weights, noise), scale, name, seed


def _distance(values: list[float]) -> str:
    known = [value for value in values if not np.isnan(value)]
    if not known:
        return ""
    mean, error = mean_and_error(known)
    return f"{mean:.1f}" + ("" if np.isnan(error) else f" ± {error:.1f}")


def _found(fits: list[Fit]) -> list[str]:
    """Distances of DAGs and of CPDAGs, and how good the skeletons are."""
    distances = [_distance([getattr(one, key) for one in fits]) for key in ("shd", "shd_cpdag")]
    f1 = [one.f1 for one in fits if not np.isnan(one.f1)]
    return [*distances, f"{np.mean(f1):.3f}" if f1 else ""]


def _row(name: str, fits: list[Fit]) -> list[str]:
    standardised = of_kind(fits, scale="standardised")
    raw = standardised if _recorded_once(name) else of_kind(fits, scale="raw")
    score = [one.ebic for one in standardised if not np.isnan(one.ebic)]
    cpu = float(np.median([one.cpu for one in fits]))
    return [
        name,
        str(len({one.seed for one in fits})),
        *_found(raw),
        *_found(standardised),
        f"{np.mean(score):+.0f}" if score else "",
        f"> {seconds(LIMIT)}" if cpu >= LIMIT else seconds(cpu),
    ]


def _recorded_once(name: str) -> bool:
    return CONTENDERS[name].scale_free and bool(CONTENDERS[name].package)


def _of_setting(fits: list[Fit], setting: Setting, **wanted: str) -> list[Fit]:
    n_nodes, weights, noise = setting
    return of_kind(fits, d=n_nodes, weights=weights, noise=noise, **wanted)


def table_of(fits: list[Fit], setting: Setting) -> Table:
    """Means by learner, for fits of one size and kind of data."""
    chosen = {name: _of_setting(fits, setting, contender=name) for name in CONTENDERS}
    rows = [_row(name, found) for name, found in chosen.items() if found]
    columns = ("learner", "graphs", "raw: DAG", "CPDAG", "F1")
    columns += ("standardised: DAG", "CPDAG", "F1", "EBIC", "CPU")
    caption = f"d = {setting.n_nodes}, {setting.weights} weights, {setting.noise} noise"
    return Table(caption, columns, rows)


def _recorded(fits: list[Fit]) -> Iterator[Table]:
    for setting in settings(sorted({one.d for one in fits})):
        table = table_of(fits, setting)
        if table.rows:
            yield table


_READ_TABLES = (
    "Recorded fits of benchmarks/results/order_quality.csv, on random graphs of average degree 8 "
    "(4 edges for each node), 1000 samples, seeds from 1000 on, which served for no choice. Strong "
    "and weak weights: absolute values in [0.5, 2] and [0.25, 1]. Standardised: each variable is "
    "divided by its standard deviation. DAG and CPDAG: mean structural Hamming distances ± their "
    "standard errors; the second leaves out directions that no data can tell if noise is unequal. "
    "F1: of the skeleton. EBIC: extended BIC of the graph found in standardised data minus that of "
    "the true graph, in the mean; below 0 the search has done all that the score asks for. CPU: "
    f"median of all fits, one thread; peers are given up after {LIMIT:.0f} s."
)
_READ_LEARNERS = (
    "BOSS: three random orders. CoLiDE: with equal (EV) or unequal noise (NV), alone, or its graph "
    'the start of `refine="bic"` or "order". Causal-learn\'s BOSS and GRaSP: one random order, its '
    "default penalty 2 log n for each edge, and for EBIC that of ours. It finds CPDAGs, in raw "
    "data the same as in standardised ones, and was run on the latter. Sort and regress: each "
    "variable by a lasso with BIC on those of smaller variance."
)


def by_method(fits: list[Fit], setting: Setting) -> dict[str, list[float]]:
    """Distances on raw data after refinement, and of order search alone on standardised data."""
    refined = _of_setting(fits, setting, scale="raw", contender=_refined(setting))
    alone = _of_setting(fits, setting, scale="standardised", contender="BOSS")
    return {"refined": [one.shd for one in refined], "alone": [one.shd for one in alone]}


def _refined(setting: Setting) -> str:
    return f"CoLiDE {MATCHED[setting.noise]}, order"


def _goals(fits: list[Fit]) -> Iterator[list[Target]]:
    for setting, goal in GOALS.items():
        for method, distances in by_method(fits, setting).items():
            must = getattr(goal, method)
            if distances and not np.isnan(must):
                mean, error = mean_and_error(distances)
                name = f"distance, {method}, {_label(setting)}"
                why = f"Mean of {len(distances)} graphs, standard error {error:.1f}. {_FEW}"
                yield [Target(name, mean, must, upper=True, reason=why)]


_FEW = "The figure to reach is itself a mean of three to five other graphs."


def _label(setting: Setting) -> str:
    return f"{setting.n_nodes}, {setting.weights}, {setting.noise}"


def published_distances() -> dict[tuple[Setting, int], int]:
    """Recorded distances of the published method, by kind of data and seed; matched noise."""
    return {
        (Setting(*one[:3]), one.seed): one.shd
        for one in read_rows(PUBLISHED_FILE, PublishedFit)
        if one.solver == "adam" and one.method == one.noise
    }


def _against_published(fits: list[Fit]) -> Iterator[Table | list[Target]]:
    """Distance after refinement by that of the published method, on the same graphs."""
    published, rows, targets = published_distances(), [], []
    for setting in settings(PUBLISHED_SIZES):
        found = _of_setting(fits, setting, scale="raw", contender=_refined(setting))
        both = [
            (one.shd, published[setting, one.seed])
            for one in found
            if (setting, one.seed) in published
        ]
        if both:
            ours, theirs = np.mean(both, axis=0)
            cells = (f"{theirs:.1f}", f"{ours:.1f}", f"{ours / theirs:.3f}")
            rows.append((_label(setting), str(len(both)), *cells))
            name = f"distance, refined by published, {_label(setting)}"
            targets.append(Target(name, float(ours / theirs), LEFT_OVER, upper=True))
    if rows:
        columns = ("d, weights, noise", "graphs", "published", "refined", "ratio")
        yield Table("Published CoLiDE and refinement by order, raw data", columns, rows, [_SAME])
        yield targets


def _against_peer(fits: list[Fit]) -> Iterator[list[Target]]:
    """Score of ours minus that of causal-learn's BOSS, same graphs."""
    for setting in settings([50]):
        kind = {"scale": "standardised"}
        ours = {one.seed: one.ebic for one in _of_setting(fits, setting, contender="BOSS", **kind)}
        theirs = _of_setting(fits, setting, contender=PEER, **kind)
        worse = [ours[one.seed] - one.ebic for one in theirs if one.seed in ours]
        known = [one for one in worse if not np.isnan(one)]
        if known:
            mean, error = mean_and_error(known)
            why = f"Mean of {len(known)} graphs, standard error {error:.1f}."
            name = f"EBIC minus that of {PEER}, {_label(setting)}"
            yield [Target(name, mean, 0.0, upper=True, reason=why)]


_SAME = (
    "Mean structural Hamming distances on the same graphs, method with the noise of the data. "
    "Published: its solver, recorded in benchmarks/results/colide_paired.csv."
)


def run(options: Options) -> Iterator[str | Table]:
    """Yield the blocks of the page."""
    fits = read_rows(FILE, Fit)
    if not fits:
        yield "Nothing is recorded yet: `python -m benchmarks.compare_order_quality` does."
        return
    warm_up()
    yield _READ_TABLES
    yield _READ_LEARNERS
    again = [one for one in fits if one.contender in REPEATED and one.d <= 50][:CHECKED]
    yield check_recorded(again, fit, "of order search")
    parts = (_recorded, _against_published, _against_peer, _goals)
    yield from with_targets(part(fits) for part in parts)


def main() -> None:
    """Record fits that are not in the file yet."""
    os.environ.update(ONE_THREAD)  # for the processes of the peers
    parser = recording_parser(__doc__.partition("\n")[0], FILE)
    parser.set_defaults(seeds=[FIRST_SEED, FIRST_SEED + 10])
    ours = [name for name, contender in CONTENDERS.items() if not contender.package]
    parser.add_argument("--contenders", nargs="+", choices=list(CONTENDERS), default=ours)
    parser.add_argument("--scales", nargs="+", choices=SCALES, default=list(SCALES))
    parser.add_argument("--weights", nargs="+", choices=list(WEIGHTS), default=list(WEIGHTS))
    parser.add_argument("--noises", nargs="+", choices=NOISES, default=list(NOISES))
    given = parser.parse_args()
    names = available(given.contenders, CONTENDERS)
    work = tasks(given.nodes, range(*given.seeds), names, given.scales)
    chosen = (
        piece
        for piece in work
        if piece[0].weights in given.weights and piece[0].noise in given.noises
    )
    warm_up()
    record(given.results, Fit, chosen, fit, given.minutes)


if __name__ == "__main__":
    main()
