"""Demo of node embedding. Imports scikit-learn at once: ``sparsekit demo`` imports it when run."""

import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.semi_supervised import LabelSpreading
from sklearn.utils import Bunch
from threadpoolctl import threadpool_limits

from sparsekit.cli._files import replacing
from sparsekit.cli._output import progress_bars, write_line, write_table
from sparsekit.compose import NodeFeatures
from sparsekit.datasets import load_digits_graph
from sparsekit.embedding import FastRP
from sparsekit.plotting import EmbeddingDisplay
from sparsekit.plotting._style import PALETTE, import_matplotlib

__all__ = ["section"]

_FIGURE_NAME = "sparsekit-demo-embedding.png"
_SEED = 0
_LABELLED_SHARE = 0.1
_STRENGTHS = {"logisticregression__C": [0.01, 0.1, 1.0]}


class _Contender(NamedTuple):
    features: str
    classifier: str
    search: GridSearchCV


class _Result(NamedTuple):
    contender: _Contender
    accuracy: float
    macro_f1: float
    seconds: float


class _NodeLabelSpreading(ClassifierMixin, BaseEstimator):
    """Label spreading over a given graph; X is a column of node ids, as for `NodeFeatures`."""

    def __init__(self, graph: Any, alpha: float = 0.2) -> None:
        self.graph = graph
        self.alpha = alpha

    def fit(self, X: np.ndarray, y: np.ndarray) -> "_NodeLabelSpreading":
        labels = np.full(self.graph.n_nodes, -1)
        labels[X[:, 0]] = y
        adjacency = self.graph.adjacency
        model = LabelSpreading(kernel=lambda *_: adjacency, alpha=self.alpha, max_iter=200)
        self.labels_ = model.fit(np.zeros((len(labels), 1)), labels).transduction_
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        return self.labels_[X[:, 0]]


def section(folder: Path) -> None:
    """Embed the graph of handwritten digits and classify its nodes from few labels.

    Parameters
    ----------
    folder : Path
        Where the figure goes.
    """
    started = time.perf_counter()
    # Small arrays gain little from threads, and on a busy machine OpenMP threads wait for long.
    with threadpool_limits(limits=1):
        digits: Any = load_digits_graph()
        nodes = np.arange(digits.graph.n_nodes).reshape(-1, 1)
        labelled, held_out = train_test_split(
            nodes, train_size=_LABELLED_SHARE, stratify=digits.target, random_state=_SEED
        )
        _write_introduction(digits, len(labelled), len(held_out))
        results = [
            _evaluate(contender, digits, labelled, held_out) for contender in _contenders(digits)
        ]
        _write_results(results, len(held_out))
        _write_figure(folder / _FIGURE_NAME, digits, results, len(held_out))
    write_line(f"Everything took {time.perf_counter() - started:.1f} s.")


def _contenders(digits: Bunch) -> list[_Contender]:
    """Baselines first, each tuned in the same way on the same labels; the last one is ours."""
    logistic = "logistic regression"
    degrees = np.log(digits.data.sum(axis=1)).reshape(-1, 1)
    spreading = _NodeLabelSpreading(digits.graph)
    spreading_grid = {"alpha": [0.2, 0.5, 0.8, 0.95]}
    fastrp = NodeFeatures(FastRP(random_state=_SEED), graph=digits.graph)
    fastrp_grid = _STRENGTHS | {
        "nodefeatures__transformer__beta": [-0.5, 0.0],
        "nodefeatures__transformer__hop_weights": [4, 8, 16],
    }
    fastrp_search = _search(_logistic(fastrp), fastrp_grid).set_callbacks(*progress_bars())
    on_degrees, on_pixels = (_logistic(_rows_of(table)) for table in (degrees, digits.features))
    return [
        _Contender("none", "most frequent digit", _search(DummyClassifier(), {})),
        _Contender("node degree", logistic, _search(on_degrees, _STRENGTHS)),
        _Contender("pixels", logistic, _search(on_pixels, _STRENGTHS)),
        _Contender("graph", "label spreading", _search(spreading, spreading_grid)),
        _Contender("FastRP of the graph", logistic, fastrp_search),
    ]


def _logistic(features: Any) -> Any:
    return make_pipeline(features, StandardScaler(), LogisticRegression(max_iter=1000))


def _rows_of(table: np.ndarray) -> FunctionTransformer:
    return FunctionTransformer(lambda ids: table[ids[:, 0]])


def _search(estimator: Any, grid: dict) -> GridSearchCV:
    folds = StratifiedKFold(5, shuffle=True, random_state=_SEED)
    return GridSearchCV(estimator, grid, cv=folds)


def _evaluate(
    contender: _Contender, digits: Bunch, labelled: np.ndarray, held_out: np.ndarray
) -> _Result:
    started = time.perf_counter()
    contender.search.fit(labelled, digits.target[labelled[:, 0]])
    predicted = contender.search.predict(held_out)
    seconds = time.perf_counter() - started
    expected = digits.target[held_out[:, 0]]
    accuracy = accuracy_score(expected, predicted)
    macro_f1 = f1_score(expected, predicted, average="macro", zero_division=0)
    return _Result(contender, accuracy, macro_f1, seconds)


def _write_introduction(digits: Bunch, n_labelled: int, n_held_out: int) -> None:
    n_nodes, n_edges = digits.graph.n_nodes, digits.graph.n_edges
    share = f"{100 * _LABELLED_SHARE:.0f} %"
    for line in (
        "Node embedding: which digit is it?",
        "",
        f"  Graph  {n_nodes} handwritten digits of 8 x 8 pixels, each joined to the 10 that",
        f"         look most alike: {n_edges} edges",
        f"  Task   {n_labelled} nodes are labelled ({share}), predict the other {n_held_out}",
        "  Rules  each method is tuned by 5-fold cross-validation of the labelled nodes",
        "",
    ):
        write_line(line)


def _write_results(results: list[_Result], n_held_out: int) -> None:
    header = ["features", "classifier", "accuracy", "macro-F1", "seconds"]
    rows = [
        [
            *result.contender[:2],
            f"{result.accuracy:.3f}",
            f"{result.macro_f1:.3f}",
            f"{result.seconds:.2f}",
        ]
        for result in results
    ]
    write_table(header, rows, n_text_columns=2)
    ours = results[-1]
    error = np.sqrt(ours.accuracy * (1 - ours.accuracy) / n_held_out)
    chosen = ours.contender.search.best_params_
    settings = ", ".join(f"{name.rpartition('__')[2]}={value}" for name, value in chosen.items())
    write_line(f"Chosen for FastRP: {settings}.")
    write_line(
        f"One split: the standard error of an accuracy of {ours.accuracy:.3f} is {error:.3f}."
    )
    write_line()


def _write_figure(path: Path, digits: Bunch, results: list[_Result], n_held_out: int) -> None:
    started = time.perf_counter()
    try:
        figure = _draw(digits, results, n_held_out)
    except ImportError as error:
        write_line(f"No figure: {error}")
        return
    with replacing(path) as file:
        figure.savefig(file, format="png", dpi=200)
    write_line(f"Figure ({time.perf_counter() - started:.1f} s): {path.resolve()}")


def _draw(digits: Bunch, results: list[_Result], n_held_out: int) -> Any:
    import_matplotlib("it")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.4), layout="constrained")
    left, right = figure.subplots(ncols=2, width_ratios=(1.2, 1))
    EmbeddingDisplay.from_estimator(
        results[-1].contender.search.best_estimator_[:-2],
        np.arange(digits.graph.n_nodes).reshape(-1, 1),
        digits.target,
        method="tsne",
        label_name="digit",
        random_state=_SEED,
        ax=left,
    )
    left.set_title(f"FastRP embedding of {digits.graph.n_nodes} nodes", loc="left")
    _draw_bars(right, results)
    right.set_title(f"Accuracy on {n_held_out} held-out nodes", loc="left")
    return figure


def _draw_bars(axes: Any, results: list[_Result]) -> None:
    names = [f"{result.contender.features}\n{result.contender.classifier}" for result in results]
    colors = ["0.8"] * (len(results) - 1) + [PALETTE[0]]
    bars = axes.barh(names, [result.accuracy for result in results], color=colors, height=0.7)
    axes.bar_label(bars, fmt="{:.3f}", padding=4)
    axes.set(xlim=(0, 1.12), xticks=[0, 0.25, 0.5, 0.75, 1])
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0, labelsize=9)
    axes.tick_params(axis="x", color="0.7", labelsize=9)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set(color="0.7", linewidth=0.8, bounds=(0, 1))
