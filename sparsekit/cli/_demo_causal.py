"""Demo of causal graphs. Imports scikit-learn at once: ``sparsekit demo`` imports it when run."""

import textwrap
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.linear_model import LassoLarsIC
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch
from threadpoolctl import threadpool_limits

from sparsekit.causal import BOSS, CoLiDE, colide_path
from sparsekit.cli._files import replacing
from sparsekit.cli._output import write_line, write_table
from sparsekit.datasets import load_sachs, make_linear_sem
from sparsekit.metrics import cpdag, structural_hamming_distance, varsortability
from sparsekit.plotting import DAGDisplay
from sparsekit.plotting._style import PALETTE, import_matplotlib

__all__ = ["section"]

_FIGURE_NAME = "sparsekit-demo-causal.png"
_SEED = 0
_N_RANDOM = 500
_N_GRAPHS = 5
_N_NODES = 20
_DATA = ("raw", "scaled")


class _Result(NamedTuple):
    method: str
    data: str
    n_edges: int
    n_joined: float
    n_correct: float
    distance: float
    seconds: float
    weights: np.ndarray

    @property
    def title(self) -> str:
        """Method and data."""
        return self.method if self.data == "-" else f"{self.method}, {self.data}"


def section(folder: Path) -> None:
    """Learn the signalling graph of proteins and compare with simple ways to draw one.

    Parameters
    ----------
    folder : Path
        Where the figure goes.
    """
    started = time.perf_counter()
    # Small arrays gain little from threads, and on a busy machine OpenMP threads wait for long.
    with threadpool_limits(limits=1), warnings.catch_warnings():
        # What it warns of, an order that follows the variances, is what the table shows.
        warnings.filterwarnings("ignore", "the order may reflect scale")
        sachs: Any = load_sachs()
        loading = _loading_time(sachs.data)
        _write_introduction(sachs)
        results = _results(sachs)
        _write_results(results, loading)
        _write_verdict(sachs, results)
        _write_generated()
        _write_figure(folder / _FIGURE_NAME, sachs, results)
    write_line(f"Everything took {time.perf_counter() - started:.1f} s.")


def _loading_time(X: np.ndarray) -> float:
    """Compile, or load what is compiled, so that it is not in the times of the table."""
    started = time.perf_counter()
    for refine in ("bic", "order"):
        CoLiDE(refine=refine).fit(X[:, :3])
    _boss().fit(X[:, :3])
    return time.perf_counter() - started


def _results(sachs: Bunch) -> list[_Result]:
    raw, scaled = sachs.data, StandardScaler().fit_transform(sachs.data)
    methods: list[tuple[str, str, Callable[[], Any]]] = [
        ("no edges", "-", lambda: np.zeros_like(sachs.adjacency.toarray())),
        ("sort by variance", "raw", lambda: _sort_and_regress(raw)),
        ("CoLiDE, equal noise", "raw", lambda: _weights(CoLiDE().fit(raw))),
        ("CoLiDE, unequal noise", "raw", lambda: _weights(CoLiDE(noise="unequal").fit(raw))),
        ("CoLiDE, alpha by EBIC", "raw", lambda: _weights(colide_path(raw).best_estimator)),
        ("CoLiDE + BIC search", "raw", lambda: _weights(CoLiDE(refine="bic").fit(raw))),
        ("CoLiDE + order search", "raw", lambda: _weights(CoLiDE(refine="order").fit(raw))),
        ("BOSS", "raw", lambda: _weights(_boss().fit(raw))),
        ("CoLiDE, equal noise", "scaled", lambda: _weights(CoLiDE().fit(scaled))),
        (
            "CoLiDE + order search",
            "scaled",
            lambda: _weights(CoLiDE(refine="order").fit(scaled)),
        ),
        ("BOSS", "scaled", lambda: _weights(_boss().fit(scaled))),
    ]
    results = [_run(*method, sachs) for method in methods]
    return [results[0], _random_graphs(sachs, results[2].n_edges), *results[1:]]


def _boss() -> BOSS:
    return BOSS(random_state=_SEED)


def _weights(model: BOSS | CoLiDE) -> np.ndarray:
    return model.adjacency_.toarray()


def _run(method: str, data: str, learn: Callable[[], np.ndarray], sachs: Bunch) -> _Result:
    started = time.perf_counter()
    weights = learn()
    seconds = time.perf_counter() - started
    return _Result(method, data, *_scores(sachs, weights), seconds, weights)


def _scores(sachs: Bunch, weights: np.ndarray) -> tuple[int, int, int, int]:
    """Numbers of edges, of those between the right pairs and of correct ones; the distance."""
    is_edge, is_true = weights != 0, sachs.adjacency.toarray() != 0
    n_joined = int((is_edge & (is_true | is_true.T)).sum())
    distance = structural_hamming_distance(sachs.adjacency, weights)
    return int(is_edge.sum()), n_joined, int((is_edge & is_true).sum()), distance


def _random_graphs(sachs: Bunch, n_edges: int) -> _Result:
    """Mean scores of random DAGs with so many edges."""
    generator = np.random.default_rng(_SEED)
    n_nodes = len(sachs.feature_names)
    above = np.argwhere(np.triu(np.ones((n_nodes, n_nodes)), k=1))
    scores = []
    for _ in range(_N_RANDOM):
        ends = generator.permutation(n_nodes)[generator.permutation(above)[:n_edges]]
        weights = np.zeros((n_nodes, n_nodes))
        weights[ends[:, 0], ends[:, 1]] = 1
        scores.append(_scores(sachs, weights))
    _, n_joined, n_correct, distance = np.mean(scores, axis=0).tolist()
    return _Result(
        f"random, mean of {_N_RANDOM}", "-", n_edges, n_joined, n_correct, distance, 0.0, weights
    )


def _sort_and_regress(X: np.ndarray) -> np.ndarray:
    """Regress each variable on those of smaller variance: no idea of causes, only of scale."""
    order = np.argsort(X.var(axis=0))
    adjacency = np.zeros((X.shape[1], X.shape[1]))
    for place, node in enumerate(order[1:], start=1):
        lasso = LassoLarsIC(criterion="bic").fit(X[:, order[:place]], X[:, node])
        adjacency[order[:place], node] = lasso.coef_
    return np.where(np.abs(adjacency) > CoLiDE().threshold, adjacency, 0.0)


def _write_introduction(sachs: Bunch) -> None:
    n_cells, n_proteins = sachs.data.shape
    for line in (
        "Causal graphs: which protein acts on which?",
        "",
        f"  Data      {n_proteins} proteins and lipids in {n_cells} single human cells",
        f"            (Sachs et al. 2005); {sachs.graph.n_edges} edges are held to be true",
        "  Distance  pairs of proteins whose edge is missing, extra or reversed; the",
        f"            empty graph has {sachs.graph.n_edges}",
        "  Scaled    each column divided by its standard deviation",
        "  Joined    edges between the right pairs, whatever their direction",
        "  Rules     default parameters; sorting goes with a lasso; a threshold of 0.3",
        "            for sorting and CoLiDE, whose searches are refine='bic' and 'order'",
        "",
    ):
        write_line(line)


def _write_results(results: list[_Result], loading: float) -> None:
    rows = [
        [
            result.method,
            result.data,
            str(result.n_edges),
            *(f"{x:.3g}" for x in (result.n_joined, result.n_correct, result.distance)),
            f"{result.seconds:.2f}" if result.data != "-" else "-",
        ]
        for result in results
    ]
    header = ["method", "data", "edges", "joined", "correct", "distance", "seconds"]
    write_table(header, rows, n_text_columns=2)
    write_line(f"Loading (the first time: compiling) took {loading:.1f} s, not in the table.")


def _write_verdict(sachs: Bunch, results: list[_Result]) -> None:
    """What the numbers say, and what they do not."""
    by_title = {result.title: result for result in results}
    sorting = by_title["sort by variance, raw"]
    raw, scaled = (by_title[f"CoLiDE, equal noise, {data}"] for data in _DATA)
    gap = sorting.distance - raw.distance
    verdict = "a tie" if gap == 0 else f"{abs(gap):g} {'better' if gap > 0 else 'worse'}"
    agreement = varsortability(sachs.data, sachs.adjacency)
    boss, again = (by_title[f"BOSS, {data}"] for data in _DATA)
    same = "the same" if ((boss.weights != 0) == (again.weights != 0)).all() else "other"
    open_pairs = cpdag(sachs.adjacency)
    n_open = int(np.count_nonzero((open_pairs * open_pairs.T).toarray())) // 2
    for paragraph in (
        f"CoLiDE against sorting by variance: {raw.distance:g} against {sorting.distance:g}, "
        f"{verdict}. A few edges on one graph decide nothing. Directions come from the scale of "
        f"the noise: with columns standardised the distance is {scaled.distance:g}, not far from "
        f"that of no edges. Along the true paths the variance rises in {agreement:.0%} of the "
        "cases.",
        f"BOSS does not see scale: {same} graph in both units. Of its {boss.n_edges} edges "
        f"{boss.n_joined:g} are between the right pairs, but only {boss.n_correct:g} have the "
        "accepted direction. It had no way to know: what is linear and Gaussian leaves "
        f"{n_open} of the {sachs.graph.n_edges} directions open.",
    ):
        write_line(textwrap.fill(paragraph, 79))
    write_line()


def _write_generated() -> None:
    """Mean distances where the truth is known, in the units of the generator and in others."""
    graphs = [
        make_linear_sem(1000, _N_NODES, degree=2, noise="unequal", random_state=seed)
        for seed in range(_N_GRAPHS)
    ]
    methods: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "no edges": lambda X: np.zeros((X.shape[1], X.shape[1])),
        "sort by variance": _sort_and_regress,
        "CoLiDE": lambda X: _weights(CoLiDE(noise="unequal").fit(X)),
        "CoLiDE + BIC search": lambda X: _weights(CoLiDE(noise="unequal", refine="bic").fit(X)),
        "CoLiDE + order search": lambda X: _weights(CoLiDE(noise="unequal", refine="order").fit(X)),
        "BOSS": lambda X: _weights(_boss().fit(X)),
    }
    rows = []
    for name, learn in methods.items():
        raw = [structural_hamming_distance(true, learn(X)) for X, true in graphs]
        scaled = [
            structural_hamming_distance(true, learn(StandardScaler().fit_transform(X)))
            for X, true in graphs
        ]
        rows.append([name, f"{np.mean(raw):.1f}", f"{np.mean(scaled):.1f}"])
    n_edges = np.mean([true.nnz for _, true in graphs])
    write_line(f"Where the truth is known: mean distances over {_N_GRAPHS} generated graphs of")
    write_line(f"{_N_NODES} variables and {n_edges:.0f} edges, unequal noise, 1000 samples.")
    write_line()
    write_table(["method", *_DATA], rows, n_text_columns=1)


def _write_figure(path: Path, sachs: Bunch, results: list[_Result]) -> None:
    started = time.perf_counter()
    try:
        figure = _draw(sachs, results)
    except ImportError as error:
        write_line(f"No figure: {error}")
        return
    with replacing(path) as file:
        figure.savefig(file, format="png", dpi=200)
    write_line(f"Figure ({time.perf_counter() - started:.1f} s): {path.resolve()}")


def _draw(sachs: Bunch, results: list[_Result]) -> Any:
    import_matplotlib("it")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 9), layout="constrained")
    left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=(0.8, 2))[0]
    bars = left.subplots()
    _draw_bars(bars, results)
    bars.set_title("Distance to the accepted graph", loc="left")
    figure.draw_without_rendering()
    shown = [
        result
        for result in results
        if result.method in ("CoLiDE, equal noise", "BOSS") and result.data in _DATA
    ]
    for axes, result in zip(right.subplots(2, 2).T.flat, shown, strict=True):
        names = sachs.feature_names
        DAGDisplay.from_adjacency(result.weights, feature_names=names, true=sachs.graph, ax=axes)
        axes.set_title(f"{result.title}: {result.distance:g}")
    return figure


def _color(method: str) -> str:
    """Colour of a bar: one for each method of this package, grey for the baselines."""
    colors = {"BOSS": PALETTE[1], "CoLiDE": PALETTE[0]}
    return colors.get(method.partition(" ")[0].rstrip(","), "0.8")


def _draw_bars(axes: Any, results: list[_Result]) -> None:
    names = [result.title for result in results]
    colors = [_color(result.method) for result in results]
    bars = axes.barh(names, [result.distance for result in results], color=colors, height=0.7)
    axes.bar_label(bars, fmt="%.3g", padding=4)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.tick_params(axis="y", length=0, labelsize=9)
    axes.tick_params(axis="x", color="0.7", labelsize=9)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set(color="0.7", linewidth=0.8)
