"""Graphs found from data with dropouts, by what is done about zeros, from recorded fits.

python -m benchmarks.compare_dropout_quality    records fits that are missing
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from benchmarks._colide import RESULTS, mean_and_error, read_rows, record, recording_parser
from benchmarks._colide_peers import available
from benchmarks._dropout import FIRST_SEED, KINDS, PARITY, Case, data, fitted, judged, warm_up
from benchmarks._dropout_goals import GES_GOALS, PC_GOALS, Goal
from benchmarks._dropout_peers import PEERS
from benchmarks._measure import cpu_seconds
from benchmarks._report import Options, Table, Target, with_targets
from sparsekit.causal import BOSS, DropoutGES, DropoutPC
from sparsekit.datasets import load_sachs
from sparsekit.metrics import structural_hamming_distance

TITLE = "Dropout-aware PC and GES: graphs found"

FILE = RESULTS / "dropout_quality.csv"

FEW_ROWS = "few rows"
DROPOUTS = [kind for kind in KINDS if kind != FEW_ROWS]
DEGREES = (0.5, 1.5, 2.5)
# Seeds of each kind of data and degree; and of the means that are to be reached.
N_GRAPHS, N_GOAL = 20, 5
# Fits that are repeated, to see whether the recorded ones are those of the present code.
CHECKED = 40
# How much further than by the parity preset the default rules may be from the truth.
MOST_WORSE = 2.0


class Learner(NamedTuple):
    """A way to learn; `latent`: from the data without dropouts."""

    make: Callable[..., Any]
    latent: bool = False


def _pc(zero_handling: str, **more: Any) -> Callable[[Case], DropoutPC]:
    """PC at the level of the kind of data."""

    def make(case: Case) -> DropoutPC:
        chosen = {"alpha": 0.01, "max_cond_size": 4} if case.kind == FEW_ROWS else {"alpha": 0.05}
        return DropoutPC(zero_handling=zero_handling, **(more | chosen))

    return make


def _ges(zero_handling: str) -> Callable[[Case], DropoutGES]:
    return lambda case: DropoutGES(zero_handling=zero_handling)


def _keep(min_samples: int) -> Learner:
    return Learner(
        _pc("conditioning", **PARITY, insufficient="keep", min_samples=min_samples),
    )


LATENT = "PC, latent"
LEARNERS = {
    LATENT: Learner(_pc("none", **PARITY), latent=True),
    "PC, zeros": Learner(_pc("none", **PARITY, max_cond_size=5)),
    "PC, conditioning": Learner(_pc("conditioning", **PARITY)),
    "PC, testwise": Learner(_pc("testwise", **PARITY)),
    "PC default, conditioning": Learner(_pc("conditioning")),
    "PC default, testwise": Learner(_pc("testwise")),
    "PC, keep 200": _keep(200),
    "PC, keep 400": _keep(400),
    "PC, keep 800": _keep(800),
    "GES, zeros": Learner(_ges("none")),
    "GES, conditioning": Learner(_ges("conditioning")),
    "GES, testwise": Learner(_ges("testwise")),
}
PC_LEARNERS = tuple(LEARNERS)[:6]
GES_LEARNERS = tuple(LEARNERS)[-3:]
ROWS_LEARNERS = {
    1000: ("PC, zeros", "PC, conditioning", "PC, testwise", "PC, keep 200", "PC, keep 400"),
    5000: ("PC, zeros", "PC, conditioning", "PC, testwise", "PC, keep 800"),
}


class Fit(NamedTuple):
    """One fit, known by its first six fields, and what came of it.

    Attributes
    ----------
    shd, f1, edges : float, float, int
        As `judged` has them.
    insufficient : float
        Share of the tests that had not enough rows; nan for GES.
    cpu : float
        Seconds.
    """

    kind: str
    d: int
    n_samples: int
    degree: float
    learner: str
    seed: int
    shd: float
    f1: float
    edges: int
    insufficient: float
    cpu: float


def fit(case: Case, name: str, seed: int) -> Fit:
    """Fit one graph."""
    problem, learner = data(case, seed), LEARNERS[name]
    model = learner.make(case)
    start = cpu_seconds()
    fitted(model, problem.latent if learner.latent else problem.X)
    spent = cpu_seconds() - start
    share = np.nan
    if isinstance(model, DropoutPC):
        share = model.n_insufficient_ / max(1, model.n_tests_.sum())
    return Fit(*case, name, seed, *judged(problem.true, model.adjacency_), share, spent)


def latent_kind(kind: str) -> str:
    """Kind of data whose latent values are recorded: all of a distribution have the same."""
    distribution = KINDS[kind].distribution
    return next(one for one in DROPOUTS if KINDS[one].distribution == distribution)


def tasks() -> Iterator[tuple[Case, str, int]]:
    """Arguments of `fit`, one graph of each kind before the next."""
    for seed in range(FIRST_SEED, FIRST_SEED + N_GRAPHS):
        for case, names in _kinds():
            for name in names:
                if name != LATENT or case.kind == latent_kind(case.kind):
                    yield case, name, seed


def _kinds() -> Iterator[tuple[Case, Sequence[str]]]:
    for kind in DROPOUTS:
        for degree in DEGREES:
            yield Case(kind, 30, 10_000, degree), PC_LEARNERS
        yield Case(kind, 20, 5000, 1.0), GES_LEARNERS
    for n_samples, names in ROWS_LEARNERS.items():
        yield Case(FEW_ROWS, 30, n_samples, 1.0), names


def mean_of_degrees(fits: Sequence[Fit], measure: str) -> tuple[float, float]:
    """Mean and standard error; graphs of each degree are drawn apart, and their spread is too."""
    groups = [[getattr(one, measure) for one in fits if one.degree == degree] for degree in DEGREES]
    known = [mean_and_error(group) for group in groups if group]
    if not known:
        return mean_and_error([getattr(one, measure) for one in fits])
    means, errors = np.array(known).T
    return float(means.mean()), float(np.sqrt((errors**2).sum()) / len(known))


def _cell(fits: Sequence[Fit]) -> str:
    if not fits:
        return ""
    (shd, error), (f1, _) = (mean_of_degrees(fits, measure) for measure in ("shd", "f1"))
    return f"{shd:.1f} ± {error:.1f} ({f1:.3f})"


def _table(
    caption: str, rows: dict[str, list[Fit]], names: Sequence[str], note: str
) -> Iterator[Table]:
    cells = []
    for label, fits in rows.items():
        chosen = ([one for one in fits if one.learner == name] for name in names)
        if fits:
            cells.append((label, *map(_cell, chosen)))
    if cells:
        yield Table(caption, ("data", *names), cells, [note])


def _by_kind(fits: list[Fit], n_nodes: int) -> dict[str, list[Fit]]:
    chosen = [one for one in fits if one.d == n_nodes]
    return {
        kind: [
            one
            for one in chosen
            if one.kind == (latent_kind(kind) if one.learner == LATENT else kind)
        ]
        for kind in DROPOUTS
    }


def _pc_part(fits: list[Fit]) -> Iterator[Table | list[Target]]:
    rows = _by_kind(fits, 30)
    yield from _table("PC, 30 variables, 10,000 samples, level 0.05", rows, PC_LEARNERS, _PC_NOTE)
    yield list(_goals(rows, PC_GOALS))
    for rules in ("conditioning", "testwise"):
        pairs = [f"PC{default}, {rules}" for default in (" default", "")]
        chosen = [one for found in rows.values() for one in found if one.learner in pairs]
        default, parity = ([one.shd for one in chosen if one.learner == name] for name in pairs)
        if default and len(default) == len(parity):
            worse = float(np.mean(default) - np.mean(parity))
            what = f"distance, {pairs[0]} minus {pairs[1]}, all kinds"
            yield [Target(what, worse, MOST_WORSE, upper=True)]


def _ges_part(fits: list[Fit]) -> Iterator[Table | list[Target]]:
    rows = _by_kind(fits, 20)
    caption = "GES, 20 variables, 1 edge a node, 5000 samples, penalty 2"
    yield from _table(caption, rows, GES_LEARNERS, _GRAPHS)
    yield list(_goals(rows, GES_GOALS))


def _rows_part(fits: list[Fit]) -> Iterator[Table]:
    rows: dict[str, list[Fit]] = {}
    for one in fits:
        if one.kind == FEW_ROWS:
            rows.setdefault(f"{one.n_samples} samples", []).append(one)
    names = list(dict.fromkeys(name for names in ROWS_LEARNERS.values() for name in names))
    yield from _table("Few rows, 30 variables, 1 edge a node, level 0.01", rows, names, _ROWS_NOTE)


def _goals(rows: dict[str, list[Fit]], goals: dict[tuple[str, str], Goal]) -> Iterator[Target]:
    """Mean distances are at most two standard errors of the means to be reached above these."""
    for (label, name), goal in goals.items():
        fits = [one for one in rows.get(label, ()) if one.learner == name]
        n_graphs = len({one.seed for one in fits})
        if n_graphs > 1 and (name != LATENT or label == latent_kind(label)):
            mean, error = mean_of_degrees(fits, "shd")
            error *= np.sqrt(n_graphs / N_GOAL)
            f1 = mean_of_degrees(fits, "f1")[0]
            why = (
                f"Mean of {n_graphs} seeds, F1 {f1:.3f}; {goal.shd:g} and {goal.f1:g} are means "
                f"of {N_GOAL} others, whose standard error is {error:.2f} by the spread here."
                + (_WHY_LATENT if name == LATENT else "")
            )
            most = round(goal.shd + 2 * error, 3)
            yield Target(f"distance, {label}, {name}", mean, most, None, "", True, why)


_WHY_LATENT = " Nothing is deleted: causal-learn's PC finds the same skeletons."
_READ = (
    "Recorded fits of benchmarks/results/dropout_quality.csv: distances of CPDAGs ± their standard "
    "errors, and F1 of skeletons, of graphs with seeds from 1000 on, which served for no choice. "
    "Latent: the data without dropouts. Zeros: dropouts are used as values. Conditioning, "
    "testwise: `zero_handling`. PC by the rules of causal-learn and of the paper's code; default: "
    "by those of `DropoutPC`. Kinds of data and their parameters are those of `make_dropout_sem`."
)
_GRAPHS = f"Graphs of each kind: {N_GRAPHS}."
_PC_NOTE = (
    f"{N_GRAPHS} graphs of each kind and of 0.5, 1.5 and 2.5 edges a node; standard errors within "
    "these. Zeros as values: conditioning sets of at most 5 variables, or the search would take "
    "long."
)
_ROWS_NOTE = (
    f"{N_GRAPHS} graphs, Gaussian, shares of zeros between 0.2 and 0.97; conditioning sets of at "
    'most 4 variables. Keep: `insufficient="keep"` and this number as `min_samples`, with '
    "conditioning. Otherwise tests with too few rows remove edges."
)


def _sachs(fits: list[Fit]) -> Iterator[Table]:
    """Real data without dropouts."""
    sachs = load_sachs()
    X = np.log1p(sachs.data)
    learners: dict[str, Callable[[np.ndarray], Any]] = {
        "DropoutPC": lambda X: fitted(DropoutPC(zero_handling="none"), X).adjacency_,
        "DropoutPC, causal-learn's rules": lambda X: (
            fitted(DropoutPC(zero_handling="none", **PARITY), X).adjacency_
        ),
        "DropoutGES": lambda X: fitted(DropoutGES(zero_handling="none"), X).adjacency_,
        "BOSS": lambda X: fitted(BOSS(random_state=0), X).cpdag_,
    }
    for name, peer in available(["causal-learn PC", "causal-learn GES"], PEERS).items():
        learners[name] = peer.learn
    rows = []
    for name, learn in learners.items():
        quality = judged(sachs.adjacency, learn(X))
        rows.append((name, f"{quality.shd:.0f}", f"{quality.f1:.3f}", str(quality.edges)))
    yield Table("Protein data", ("learner", "CPDAG", "F1", "edges"), rows, [_SACHS_NOTE])


_SACHS_NOTE = (
    "Sachs et al. (2005), 853 cells, 11 proteins, log(1 + x); zeros are no dropouts here, nothing "
    "is deleted. True are 17 edges of the literature. PC at level 0.05 (causal-learn: 0.01)."
)


def _permutations(fits: list[Fit]) -> Iterator[Table]:
    """How much the order of the columns matters."""
    rows = []
    for n_nodes in (20, 30):
        X = data(Case("Gaussian, logistic", n_nodes, 2000, 1.5), FIRST_SEED).X
        for name, rules in {"causal-learn's": PARITY, "default": {}}.items():
            changed = order_distances(X, **rules)
            cells = (f"{np.mean(changed):.1f}", str(max(changed)))
            rows.append((f"{n_nodes}", name, *cells))
    note = "Nineteen permutations of the columns, mapped back; the skeletons are all the same."
    columns = ("d", "rules", "mean", "most")
    caption = "Distance of CPDAGs from that of the columns in their first order"
    yield Table(caption, columns, rows, [note])


def order_distances(X: np.ndarray, **rules: Any) -> list[int]:
    """Distances of the graphs found in permuted columns from that of the first order."""
    first = fitted(DropoutPC(**rules), X)
    changed, generator = [], np.random.default_rng(0)
    for _ in range(19):
        order = generator.permutation(X.shape[1])
        model, back = fitted(DropoutPC(**rules), X[:, order]), np.argsort(order)
        skeleton = model.skeleton_[back][:, back]
        if (skeleton != first.skeleton_).nnz:
            raise AssertionError("expected the same skeleton in every order of the columns.")
        found = model.adjacency_[back][:, back]
        changed.append(structural_hamming_distance(first.adjacency_, found))
    return changed


def check(fits: list[Fit]) -> str:
    """Fit some again, and say how many distances are as recorded."""
    chosen = fits[:: max(1, len(fits) // CHECKED)]
    again = (fit(Case(*one[:4]), one.learner, one.seed) for one in chosen)
    same = sum(new.shd == old.shd for new, old in zip(again, chosen, strict=True))
    return f"Of the recorded fits, {len(chosen)} were repeated now: {same} are the same."


def run(options: Options) -> Iterator[str | Table]:
    """Yield the blocks of the page."""
    fits = read_rows(FILE, Fit)
    if not fits:
        yield "Nothing is recorded yet: `python -m benchmarks.compare_dropout_quality` does."
        return
    warm_up()
    yield _READ
    yield check(fits)
    parts = (_pc_part, _ges_part, _rows_part, _sachs, _permutations)
    yield from with_targets(part(fits) for part in parts)


def main() -> None:
    """Record fits that are not in the file yet."""
    parser = recording_parser(__doc__.partition("\n")[0], FILE)
    parser.set_defaults(seeds=[FIRST_SEED, FIRST_SEED + N_GRAPHS], nodes=[20, 30])
    parser.add_argument("--learners", nargs="+", choices=list(LEARNERS), default=list(LEARNERS))
    given = parser.parse_args()
    chosen = (
        (case, name, seed)
        for case, name, seed in tasks()
        if case.n_nodes in given.nodes and name in given.learners and seed in range(*given.seeds)
    )
    warm_up()
    record(given.results, Fit, chosen, fit, given.minutes)


if __name__ == "__main__":
    main()
