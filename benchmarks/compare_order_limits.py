"""Order search where its assumptions fail or its data are few, from recorded fits.

python -m benchmarks.compare_order_limits    records fits that are missing
"""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from benchmarks._colide import (
    FIRST_SEED,
    RESULTS,
    mean_and_error,
    quiet,
    read_rows,
    record,
    recording_parser,
)
from benchmarks._colide_peers import Contender, available
from benchmarks._limits import CASES, RECIPES, Case, data, normal_scores
from benchmarks._measure import cpu_seconds
from benchmarks._order import CONTENDERS, boss, warm_up
from benchmarks._report import Options, Table
from benchmarks.compare_colide_quality import MATCHED
from sparsekit.metrics import cpdag, skeleton_scores, structural_hamming_distance

TITLE = "Order search: where it loses"

FILE = RESULTS / "order_limits.csv"

# Our fits that are repeated, to see whether the recorded ones are those of the present code.
CHECKED = 12

LEARNERS = {
    "BOSS": CONTENDERS["BOSS"],
    "BOSS, normal scores": Contender(lambda X: boss(normal_scores(X))),
    "BOSS, gamma 0": Contender(partial(boss, gamma=0.0)),
    "BOSS, equal noise": CONTENDERS["BOSS, equal noise"],
    **{name: CONTENDERS[name] for name in ("CoLiDE EV", "CoLiDE NV")},
    **{name: CONTENDERS[name] for name in ("CoLiDE EV, order", "CoLiDE NV, order")},
    **{name: CONTENDERS[name] for name in ("sort and regress", "PC")},
}
_EXTRA = {
    "non-linear": "BOSS, normal scores",
    "tails": "BOSS, normal scores",
    "few samples": "BOSS, gamma 0",
    "equal noise": "BOSS, equal noise",
}


def learners_for(case: Case) -> list[str]:
    """Those that are run: CoLiDE with the noise of the data."""
    colide = f"CoLiDE {MATCHED['equal' if RECIPES[case.group, case.kind].equal else 'unequal']}"
    names = ["BOSS", colide, f"{colide}, order"]
    names += [_EXTRA[case.group]] if case.group in _EXTRA else []
    # The lasso with BIC needs more samples than variables; PC would take too long.
    names += ["sort and regress"] if case.n_samples > case.n_nodes else []
    slow = case.group == "dense" or case.n_nodes * case.n_samples > 20_000
    return names if slow else [*names, "PC"]


class Fit(NamedTuple):
    """One fit, known by its first six fields, and what came of it; nan: it has no DAG."""

    group: str
    kind: str
    d: int
    n_samples: int
    contender: str
    seed: int
    true_edges: int
    edges: float
    shd: float
    shd_cpdag: float
    f1: float
    cpu: float


def fit(case: Case, name: str, seed: int) -> Fit:
    """Fit one graph in the time of this process."""
    learner = available([name], LEARNERS)[name]
    X, true = data(case, seed)
    with quiet():
        start = cpu_seconds()
        found = learner.learn(X)
        spent = cpu_seconds() - start
    pattern = found if learner.equivalent else cpdag(found)
    joined = (pattern != 0) + (pattern.T != 0)
    shd = np.nan if learner.equivalent else float(structural_hamming_distance(true, found))
    shd_cpdag = float(structural_hamming_distance(cpdag(true), pattern))
    f1 = skeleton_scores(true, pattern).f1
    return Fit(*case, name, seed, true.nnz, joined.sum() / 2, shd, shd_cpdag, f1, spent)


def tasks(cases: list[Case], seeds: range) -> Iterator[tuple[Case, str, int]]:
    """Arguments of `fit`, one graph of each kind before the next."""
    for seed in seeds:
        for case in cases:
            for name in available(learners_for(case), LEARNERS):
                yield case, name, seed


# Columns of the tables: CoLiDE is the one that is matched to the noise.
_COLUMNS = {
    "BOSS": ("BOSS",),
    "normal scores": ("BOSS, normal scores",),
    "gamma 0": ("BOSS, gamma 0",),
    "equal noise": ("BOSS, equal noise",),
    "CoLiDE": ("CoLiDE EV", "CoLiDE NV"),
    "CoLiDE, order": ("CoLiDE EV, order", "CoLiDE NV, order"),
    "sorted": ("sort and regress",),
    "PC": ("PC",),
}
_MEASURES = {
    "shd_cpdag": ("Distance of CPDAGs", 1),
    "shd": ("Distance of DAGs", 1),
    "f1": ("F1 of skeletons", 3),
}


def _cell(fits: list[Fit], measure: str, places: int) -> str:
    values = [value for one in fits if not np.isnan(value := getattr(one, measure))]
    if not values:
        return ""
    mean, error = mean_and_error(values)
    return f"{mean:.{places}f}" + ("" if np.isnan(error) else f" ± {error:.{places}f}")


def _row(case: Case, fits: list[Fit], measure: str, places: int) -> list[str]:
    name = f"{case.group}: {case.kind}, {case.n_nodes} x {case.n_samples}"
    edges = float(np.mean([one.true_edges for one in fits if one.contender == "BOSS"]))
    cells = (
        _cell([one for one in fits if one.contender in names], measure, places)
        for names in _COLUMNS.values()
    )
    return [name, f"{edges:.0f}", *cells]


def table_of(fits: list[Fit], measure: str) -> Table:
    """Means of one measure by kind of data and learner."""
    what, places = _MEASURES[measure]
    rows = []
    for case in CASES:
        chosen = [one for one in fits if one[: len(case)] == case]
        if chosen:
            rows.append(_row(case, chosen, measure, places))
    return Table(what, ("variables x samples", "edges", *_COLUMNS), rows)


_READ_TABLES = (
    "Recorded fits of benchmarks/results/order_limits.csv: means ± their standard errors on ten "
    "graphs (seeds from 1000 on, which served for no choice), data as they are, not standardised. "
    "Unless named otherwise: 4 edges a node at random, absolute weights in [0.5, 2], normal noise "
    "with variances in [0.5, 10]. Normal scores: BOSS on normal "
    "quantiles of ranks. Gamma 0: with plain BIC. Equal noise: with that score. CoLiDE: with the "
    "noise of the data, alone, and as the start of order search. Sorted: each variable by a lasso "
    "on those of smaller variance. PC: causal-learn, level 0.05; it finds no DAG. An empty graph "
    "is as far from the truth as the latter has edges."
)
_READ_KINDS = (
    "Non-linear: sums of functions of standardised parents: tanh(2 t); (t² - 1) / √2; mixed with "
    "t and sin(2 t); products of two parents. Distorted: a linear model with weights in [0.25, 1], "
    "each variable then observed through its exponential, cube or signed root. Hubs: every node "
    "has 4 parents among those before it, in proportion to their edges, or all of that turned "
    "round; weights in [0.25, 1]. Hidden causes: each of three variables; the true graph is that "
    "of direct effects. Equal noise: directions can be told by scale, CPDAGs ignore that."
)


def check(fits: list[Fit]) -> str:
    """Fit some again, and say how many distances are as recorded."""
    chosen = [one for one in fits if one.contender == "BOSS"][:CHECKED]
    again = (fit(Case(*one[:4]), one.contender, one.seed) for one in chosen)
    same = sum(new.shd == old.shd for new, old in zip(again, chosen, strict=True))
    return f"Of the recorded fits of BOSS, {len(chosen)} were repeated now: {same} are the same."


def run(options: Options) -> Iterator[str | Table]:
    """Yield the blocks of the page."""
    fits = read_rows(FILE, Fit)
    if not fits:
        yield "Nothing is recorded yet: `python -m benchmarks.compare_order_limits` does."
        return
    warm_up()
    yield _READ_TABLES
    yield _READ_KINDS
    yield check(fits)
    for measure in _MEASURES:
        yield table_of(fits, measure)


def main() -> None:
    """Record fits that are not in the file yet."""
    parser = recording_parser(__doc__.partition("\n")[0], FILE)
    groups = sorted({case.group for case in CASES})
    parser.set_defaults(nodes=[20, 50], seeds=[FIRST_SEED, FIRST_SEED + 10])
    parser.add_argument("--groups", nargs="+", choices=groups, default=groups)
    given = parser.parse_args()
    cases = [one for one in CASES if one.group in given.groups and one.n_nodes in given.nodes]
    warm_up()
    record(given.results, Fit, tasks(cases, range(*given.seeds)), fit, given.minutes)


if __name__ == "__main__":
    main()
