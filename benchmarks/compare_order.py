"""CPU time of order search against causal-learn's BOSS, and what it adds to CoLiDE."""

from collections.abc import Iterator
from functools import partial
from itertools import product

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks._colide import ALPHA, FIRST_SEED, WEIGHTS, Setting, data, quiet, settings
from benchmarks._colide_peers import Contender, available
from benchmarks._measure import alternate
from benchmarks._order import CONTENDERS, Judged, boss, judged, warm_up
from benchmarks._report import Options, Table, Target, seconds, times, with_targets
from sparsekit.causal import CoLiDE

TITLE = "Order search: time"

SIZE = 50
QUICK_SIZE = 20
N_GRAPHS = 3
QUICK_N_GRAPHS = 1

OURS = "BOSS"
ONE_START = "BOSS, one start"
PEER = "causal-learn BOSS"
PEER_EBIC = f"{PEER}, EBIC"
LEARNERS = (OURS, ONE_START, PEER, PEER_EBIC)

REFINED_SIZES = (50, 100)
QUICK_REFINED_SIZES = (20,)

# A learner's seconds and graphs, a graph each.
Trial = tuple[float, Judged]


def trials(n_nodes: int, weights: str, n_graphs: int) -> dict[str, list[Trial]]:
    """Fits of all learners that are installed, which take turns on each graph; standardised."""
    learners = available(LEARNERS, CONTENDERS | {ONE_START: Contender(partial(boss, n_starts=1))})
    found: dict[str, list[Trial]] = {name: [] for name in learners}
    for seed in range(FIRST_SEED, FIRST_SEED + n_graphs):
        X, true = data(Setting(n_nodes, weights, "unequal"), seed, standardised=True)
        graphs = {}

        def learn(name: str, X: np.ndarray = X, graphs: dict = graphs) -> None:
            graphs[name] = learners[name].learn(X)

        with quiet(), threadpool_limits(1):
            clocks = alternate({name: partial(learn, name) for name in learners}, 1)
        for name, learner in learners.items():
            result = judged(X, true, graphs[name], equivalent=learner.equivalent)
            found[name].append((clocks[name].cpu, result))
    return found


def _means(found: list[Trial]) -> tuple[float, Judged]:
    """Mean time and figures; a score is not known (nan) if it is not for one of the graphs."""
    cpu, results = zip(*found, strict=True)
    return float(np.mean(cpu)), Judged(*map(float, np.mean(results, axis=0)))


def _against_causal_learn(options: Options) -> Iterator[Table | list[Target]]:
    n_nodes, n_graphs = (QUICK_SIZE, QUICK_N_GRAPHS) if options.quick else (SIZE, N_GRAPHS)
    rows, targets = [], []
    for weights in WEIGHTS:
        means = {n: _means(found) for n, found in trials(n_nodes, weights, n_graphs).items()}
        for name, (cpu, result) in means.items():
            cells = (seconds(cpu), times(cpu / means[OURS][0]))
            scores = (f"{result.ebic:+.1f}", f"{result.bic:+.1f}")
            quality = (f"{result.shd_cpdag:.1f}", f"{result.f1:.3f}")
            rows.append((f"{n_nodes}, {weights}", name, *cells, *scores, *quality))
        if n_nodes == SIZE:
            targets += _peer_targets(means, f"d = {n_nodes}, {weights}")
    columns = ("d, weights", "learner", "CPU", f"by {OURS}", "EBIC", "BIC", "CPDAG", "F1")
    caption = "Means by learner, unequal noise, 1000 standardised samples, one thread, CPU time"
    yield Table(caption, columns, rows, [f"Graphs of each kind: {n_graphs}. {_PEER_NOTE}"])
    yield targets


def _peer_targets(means: dict[str, tuple[float, Judged]], where: str) -> Iterator[Target]:
    """Time and scores of the default and of one start, against the peer's one start."""
    for ours, peer in product((OURS, ONE_START), (PEER, PEER_EBIC)):
        if peer not in means:
            continue
        (cpu, found), (cpu_peer, theirs) = means[ours], means[peer]
        name = f"{ours}, against {peer}, {where}"
        yield Target(f"speed: {name}", cpu_peer / cpu, 20.0, 30.0, " x")
        worse = found.ebic - theirs.ebic
        yield Target(f"EBIC: {name}", worse, 0.0, upper=True, reason=_WHY_WORSE)


_PEER_NOTE = (
    "BOSS: the default, three random orders, the best result kept; one start is timed as well. "
    "Causal-learn's BOSS starts at one random order; its default penalty is 2 log n for each edge, "
    "and for EBIC it is that of ours. EBIC, BIC: scores of all graphs by one function from the "
    "covariance, minus those of the true graph; a CPDAG has the score of any DAG of its class. "
    "CPDAG: structural Hamming distance. F1: of the skeleton. Means over many graphs are in the "
    "section on graphs found."
)
_WHY_WORSE = "Both are local optima, which depend on the random orders, of a few graphs."


def _refinement(options: Options) -> Iterator[Table]:
    sizes = QUICK_REFINED_SIZES if options.quick else REFINED_SIZES
    rows = [_refinement_row(setting) for setting in settings(sizes)]
    columns = ("d, weights, noise", "CoLiDE", "bic", "order", "added by bic", "added by order")
    caption = "CoLiDE and its refinements, one graph, raw data, matched noise, CPU time"
    yield Table(caption, columns, rows, [_ADDED])


def _refinement_row(setting: Setting) -> tuple[str, ...]:
    X, _ = data(setting, FIRST_SEED)
    models = {
        str(refine): CoLiDE(ALPHA, noise=setting.noise, refine=refine)
        for refine in (None, "bic", "order")
    }
    with quiet(), threadpool_limits(1):
        found = alternate({name: partial(model.fit, X) for name, model in models.items()}, 3)
    cpu = [timing.cpu for timing in found.values()]
    added = [max(0.0, one - cpu[0]) for one in cpu[1:]]
    return (", ".join(map(str, setting)), *map(seconds, cpu), *map(seconds, added))


_ADDED = "Added: what the refined fit takes longer than the one without, which it contains."


def run(options: Options) -> Iterator[str | Table]:
    """Yield the blocks of the page."""
    warm_up()
    yield from with_targets(part(options) for part in (_against_causal_learn, _refinement))
