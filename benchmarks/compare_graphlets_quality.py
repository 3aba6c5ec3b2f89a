"""Node classification: orbit adjacencies against random walks, counts and FastRP.

The claim of Windels et al. (arXiv:2405.14194) is that embeddings of orbit adjacencies predict
labels of nodes better than those of random walks do. Fixed before any score was seen:

Protocol: every method gives at most 64 columns (orbit counts 15 or 73) from the whole graph and
no label; columns are z-scored over all nodes. Half of the labelled nodes, at most 1000, are drawn
at random, five times (three on ppi), with seeds that nothing was chosen by, to train one
L2-penalised logistic regression a label; a node that has k labels gets the k labels with the
highest scores; micro and macro F1 over all other labelled nodes. C out of 0.01, 0.1 and 1 is that
of the highest micro F1 in a three-fold cross-validation within the training nodes. By the same
cross-validation, so without a look at test nodes, "best pair" takes one of all pairs of orbits and
both weightings, and "best walk" one of all windows, anew in every split.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.preprocessing import scale

from benchmarks._measure import cpu_seconds
from benchmarks._report import Options, Table, seconds
from benchmarks.compare_embedding_quality import LabelledGraph, best_labels, load
from sparsekit.datasets import load_digits_graph, load_karate_club, make_sbm_graph
from sparsekit.embedding import FastRP
from sparsekit.graphlets import OrbitAdjacencyEmbedding, OrbitCounter, RandomWalkEmbedding
from sparsekit.graphlets._tables import ORBIT_PAIRS
from sparsekit.graphlets.factors._random_walk import MAX_NODES

TITLE = "Graphlets: node classification"
NEEDS_DATA = True

N_COMPONENTS = 64
MAX_TRAIN = 1000
PENALTIES = (0.01, 0.1, 1.0)
N_FOLDS = 3
SEEDS = (7101, 7102, 7103, 7104, 7105)
# Fifty labels take as long as all other graphs together.
N_SPLITS = {"ppi": 3}
FILES = ("cora", "pubmed", "ppi")
PAIRS = tuple(dict.fromkeys((i, j) for i, j, _ in ORBIT_PAIRS))
WEIGHTINGS = ("ppmi", "normalized")
WINDOWS = (1, 2, 4, 10)
# The ends of induced paths have tens of millions of entries on larger graphs.
LARGEST_PAIR, MAX_NODES_OF_LARGEST = (4, 4), 10_000

PAIR, WALK = "pair ", "walk, window "
BEST_PAIR, BEST_WALK = "best pair", "best walk"
FREQUENCY = "most frequent labels"


class Scores(NamedTuple):
    """Of one method on one graph, each of shape (n_splits,)."""

    inner: np.ndarray  # micro F1 in the cross-validation within the training nodes
    micro: np.ndarray
    macro: np.ndarray


def label_scores(
    features: np.ndarray, labels: np.ndarray, asked: np.ndarray, penalties: tuple[float, ...]
) -> np.ndarray:
    """Scores of shape (n_penalties, n_asked, n_labels); increasing penalties start warm."""
    scores = np.empty((len(penalties), len(asked), labels.shape[1]))
    for label, given in enumerate(labels.T):
        if given.min() == given.max():  # a label that no training node has is never predicted
            scores[:, :, label] = np.inf if given[0] else -np.inf
            continue
        model = LogisticRegression(max_iter=1000, warm_start=True)
        for position, C in enumerate(penalties):
            model.set_params(C=C).fit(features, given)
            scores[position, :, label] = model.decision_function(asked)
    return scores


def micro_and_macro(truth: np.ndarray, scores: np.ndarray) -> tuple[float, float]:
    """F1 if every node gets as many labels as it has; 0 for a label that none has or gets."""
    predicted = best_labels(scores, truth.sum(axis=1))
    hits = np.sum(truth & predicted, axis=0)
    either = truth.sum(axis=0) + predicted.sum(axis=0)
    return float(2 * hits.sum() / either.sum()), float(np.mean(2 * hits / np.maximum(either, 1)))


def split(labels: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Training and test nodes out of the labelled ones."""
    order = np.random.default_rng(seed).permutation(np.flatnonzero(labels.sum(axis=1)))
    n_train = min(len(order) // 2, MAX_TRAIN)
    return order[:n_train], order[n_train:]


def inner_scores(features: np.ndarray, labels: np.ndarray, seed: int) -> np.ndarray:
    """Mean micro F1 of each C in a cross-validation within the training nodes."""
    found = []
    for fit, held_out in KFold(N_FOLDS, shuffle=True, random_state=seed).split(features):
        scores = label_scores(features[fit], labels[fit], features[held_out], PENALTIES)
        found.append([micro_and_macro(labels[held_out], one)[0] for one in scores])
    return np.mean(found, axis=0)


def evaluate(vectors: np.ndarray, labels: np.ndarray, seeds: tuple[int, ...]) -> Scores:
    """Scores of vectors in each split."""
    features, found = scale(vectors.astype(np.float64)), []
    for seed in seeds:
        train, test = split(labels, seed)
        inner = inner_scores(features[train], labels[train], seed)
        chosen = (PENALTIES[int(inner.argmax())],)
        scores = label_scores(features[train], labels[train], features[test], chosen)[0]
        found.append((inner.max(), *micro_and_macro(labels[test], scores)))
    return Scores(*np.transpose(found))


def frequencies(labels: np.ndarray, seeds: tuple[int, ...]) -> Scores:
    """Scores of predicting the labels that most training nodes have."""
    found = []
    for seed in seeds:
        train, test = split(labels, seed)
        scores = np.tile(labels[train].mean(axis=0), (len(test), 1))
        found.append((0.0, *micro_and_macro(labels[test], scores)))
    return Scores(*np.transpose(found))


def methods(n_nodes: int) -> dict[str, Any]:
    """Transformers of an adjacency by name."""
    found: dict[str, Any] = {}
    for weighting in WEIGHTINGS:
        orbits = partial(OrbitAdjacencyEmbedding, N_COMPONENTS, weighting=weighting, random_state=0)
        found[f"all pairs, {weighting}"] = orbits(pair="all")
        for pair in PAIRS:
            if pair != LARGEST_PAIR or n_nodes <= MAX_NODES_OF_LARGEST:
                found[f"{PAIR}{pair}, {weighting}"] = orbits(pair=pair)
    if n_nodes <= MAX_NODES:
        for window in WINDOWS:
            walks = RandomWalkEmbedding(N_COMPONENTS, window=window, random_state=0)
            found[f"{WALK}{window}"] = walks
    for size in (4, 5):
        found[f"orbit counts, {size} nodes"] = OrbitCounter(size, log=True)
    found["FastRP"] = FastRP(N_COMPONENTS, random_state=0)
    return found


def best(found: Mapping[str, Scores], prefix: str) -> tuple[Scores, Counter]:
    """Scores of the method that the inner cross-validation prefers in each split, and which."""
    names = [name for name in found if name.startswith(prefix)]
    chosen = np.argmax([found[name].inner for name in names], axis=0)
    fields = (
        np.array([getattr(found[names[one]], field)[place] for place, one in enumerate(chosen)])
        for field in Scores._fields
    )
    return Scores(*fields), Counter(names[one].removeprefix(prefix) for one in chosen)


class Result(NamedTuple):
    """All of one graph."""

    scores: dict[str, Scores]
    chosen: dict[str, Counter]
    seconds: dict[str, float]


def measure(graph: LabelledGraph, seeds: tuple[int, ...]) -> Result:
    """Embed by every method and classify."""
    found = {FREQUENCY: frequencies(graph.labels, seeds)}
    spent = {}
    for name, model in methods(graph.adjacency.shape[0]).items():
        start = cpu_seconds()
        vectors = model.fit_transform(graph.adjacency)
        spent[name] = cpu_seconds() - start
        found[name] = evaluate(vectors, graph.labels, seeds)
    chosen = {}
    for title, prefix in ((BEST_PAIR, PAIR), (BEST_WALK, WALK)):
        if any(name.startswith(prefix) for name in found):
            found[title], chosen[title] = best(found, prefix)
    return Result(found, chosen, spent)


def _one_label(adjacency: Any, target: np.ndarray) -> LabelledGraph:
    return LabelledGraph(adjacency, np.eye(int(target.max()) + 1, dtype=np.int8)[target])


def shipped_graphs() -> dict[str, Callable[[], LabelledGraph]]:
    """Labelled graphs that come with the package."""

    def blocks() -> LabelledGraph:
        settings = {"n_blocks": 10, "mean_degree": 10, "mixing": 0.5, "exponent": 1.5}
        graph, target = make_sbm_graph(2000, **settings, random_state=0)
        return _one_label(graph.adjacency, target)

    return {
        "karate": lambda: _one_label(*load_karate_club(return_X_y=True)),
        "digits": lambda: _one_label(load_digits_graph().data, load_digits().target),
        "SBM": blocks,
    }


def _with_error(values: np.ndarray, sign: str = "") -> str:
    """Mean and standard error over splits."""
    error = values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():{sign}.3f} ({error:.3f})"


def _main_tables(results: Mapping[str, Result]) -> Iterator[Table]:
    names = dict.fromkeys(name for result in results.values() for name in result.scores)
    first = [BEST_PAIR, *(f"all pairs, {weighting}" for weighting in WEIGHTINGS), BEST_WALK]
    last = [FREQUENCY]
    others = [name for name in names if not name.startswith(PAIR) and name not in first + last]
    for field in ("micro", "macro"):
        rows = []
        for name in first + others + last:
            found = [result.scores.get(name) for result in results.values()]
            cells = ["" if one is None else _with_error(getattr(one, field)) for one in found]
            rows.append((name, *cells))
        caption = f"{field.capitalize()} F1 (standard error over splits)"
        yield Table(caption, ("method", *results), rows, [_NOTE])


_NOTE = (
    "Splits share nodes, so that the standard errors are somewhat too small. Empty: "
    f"RandomWalkEmbedding takes at most {MAX_NODES:,} nodes. Karate has 17 training "
    "nodes and as many columns as nodes: an illustration, no evidence."
)


def _differences(results: Mapping[str, Result]) -> Iterator[Table | str]:
    rows, verdicts = [], Counter()
    for name, result in results.items():
        row = [name]
        ours = result.scores[BEST_PAIR].micro
        for other in (BEST_WALK, f"{WALK}1", "FastRP", "all pairs, ppmi"):
            theirs = result.scores.get(other)
            row.append("" if theirs is None else _with_error(ours - theirs.micro, "+"))
        if BEST_WALK in result.scores:
            verdicts[_verdict(ours - result.scores[BEST_WALK].micro)] += 1
        picked = (f"{pair} ({times})" for pair, times in result.chosen[BEST_PAIR].most_common(3))
        rows.append((*row, "; ".join(picked)))
    columns = (
        "graph",
        BEST_WALK,
        f"{WALK}1 (LINE)",
        "FastRP",
        "all pairs, ppmi",
        "pairs chosen (splits)",
    )
    note = "Differences within the same splits; of the pairs chosen the three most frequent ones."
    yield Table(
        "Micro F1 of the best pair minus that of others (standard error)", columns, rows, [note]
    )
    yield (
        "Against the best walk, by two standard errors, the best pair is "
        + ", ".join(f"{word} on {verdicts[word]}" for word in ("better", "worse", "equal"))
        + f" of {verdicts.total()} graphs."
    )


def _verdict(differences: np.ndarray) -> str:
    """Whether the mean is more than two standard errors away from 0."""
    error = differences.std(ddof=1) / np.sqrt(len(differences))
    mean = differences.mean()
    return "equal" if abs(mean) <= 2 * error else "better" if mean > 0 else "worse"


def _pair_tables(results: Mapping[str, Result]) -> Iterator[Table]:
    for field in ("micro", "macro"):
        rows = []
        for pair in PAIRS:
            cells = []
            for result in results.values():
                found = [
                    result.scores.get(f"{PAIR}{pair}, {weighting}") for weighting in WEIGHTINGS
                ]
                means = [f"{getattr(one, field).mean():.3f}" for one in found if one is not None]
                cells.append(" / ".join(means))
            if any(cells):
                rows.append((str(pair), *cells))
        caption = f"Each pair of orbits alone, {field} F1: {' / '.join(WEIGHTINGS)}"
        yield Table(caption, ("orbits", *results), rows, [_PAIRS_NOTE])


_PAIRS_NOTE = (
    "Hops of a pair are summed. (i, j) and (j, i) are each other's transposes: their vectors "
    "describe the first of the two orbits."
)


def _times_table(results: Mapping[str, Result]) -> Table:
    kinds = {f"one pair, {w} (median)": (PAIR, w) for w in WEIGHTINGS}
    kinds |= {f"all pairs, {w}": ("all pairs", w) for w in WEIGHTINGS}
    kinds |= {"one walk (median)": (WALK, ""), "orbit counts, 4 nodes": ("orbit counts, 4", "")}
    kinds |= {"orbit counts, 5 nodes": ("orbit counts, 5", ""), "FastRP": ("FastRP", "")}
    rows = []
    for title, (start, end) in kinds.items():
        cells = []
        for result in results.values():
            found = [
                value
                for name, value in result.seconds.items()
                if name.startswith(start) and name.endswith(end)
            ]
            cells.append(seconds(float(np.median(found))) if found else "")
        rows.append((title, *cells))
    note = f"{N_COMPONENTS} columns, one thread; measured once, by the way."
    return Table("CPU time of one embedding", ("method", *results), rows, [note])


def _graphs(options: Options) -> tuple[dict[str, Callable[[], LabelledGraph]], list[str]]:
    """Loaders of the graphs, and the names of files that are missing."""
    found = shipped_graphs()
    if options.quick:
        return {"karate": found["karate"]}, []
    paths = {name: (options.data or Path()) / f"{name}.npz" for name in FILES}
    found |= {name: partial(load, path) for name, path in paths.items() if path.exists()}
    return found, [name for name in paths if name not in found]


def warm_up() -> None:
    """Compile, or load, all kernels."""
    small = shipped_graphs()["karate"]().adjacency
    for model in methods(small.shape[0]).values():
        model.fit(small)


def run(options: Options) -> Iterator[str | Table]:
    """Yield the blocks of the page."""
    warm_up()
    graphs, missing = _graphs(options)
    if missing:
        yield f"Skipped for want of a file in the data folder: {', '.join(missing)}."
    yield " ".join(__doc__.partition("\n\n")[2].split())
    n_splits = dict.fromkeys(graphs, 2 if options.quick else len(SEEDS)) | N_SPLITS
    results = {name: measure(make(), SEEDS[: n_splits[name]]) for name, make in graphs.items()}
    yield from _main_tables(results)
    yield from _differences(results)
    yield from _pair_tables(results)
    yield _times_table(results)
