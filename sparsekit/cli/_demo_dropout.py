"""Demo of graphs of genes. Imports scikit-learn at once: ``sparsekit demo`` imports it when run."""

import textwrap
import time
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from sparsekit.causal import DropoutGES, DropoutPC
from sparsekit.cli._files import replacing
from sparsekit.cli._output import write_line, write_table
from sparsekit.datasets import make_dropout_sem
from sparsekit.metrics import cpdag, skeleton_scores, structural_hamming_distance
from sparsekit.plotting import GRNDisplay
from sparsekit.plotting._style import PALETTE, import_matplotlib

__all__ = ["section"]

_FIGURE_NAME = "sparsekit-demo-dropout.png"
_N_GRAPHS = 5
_N_GENES = 20
_DEGREE = 1.5
_N_CELLS = (5000, 500)
_ALPHA = 0.01

# What is done about zeros: how the table calls it.
_HANDLING = {
    "none": "zeros as values",
    "conditioning": "conditioning",
    "testwise": "testwise",
}
_NO_EDGES, _NO_DROPOUTS = "no edges", "no dropouts"


class _Data(NamedTuple):
    X: np.ndarray
    true: sp.csr_array
    latent: np.ndarray


class _Result(NamedTuple):
    """Means over the graphs, and the first graph that was found."""

    method: str
    zeros: str
    distance: float
    f1: float
    seconds: float
    graph: Any

    @property
    def title(self) -> str:
        """Method and what it does about zeros."""
        return self.method if self.zeros == "-" else f"{self.method}, {self.zeros}"


def section(folder: Path) -> None:
    """Learn graphs from data with dropouts, with zeros as values and without them.

    Parameters
    ----------
    folder : Path
        Where the figure goes.
    """
    started = time.perf_counter()
    # Small arrays gain little from threads, and on a busy machine OpenMP threads wait for long.
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*tests had too few samples")  # part of the comparison
        data = {n_cells: _generate(n_cells) for n_cells in _N_CELLS}
        loading = _loading_time(data[_N_CELLS[-1]][0].X)
        results = {n_cells: _results(given) for n_cells, given in data.items()}
        _write_introduction(data)
        _write_results(results, loading)
        _write_verdict(results)
        _write_figure(folder / _FIGURE_NAME, data[_N_CELLS[0]][0], results)
    write_line(f"Everything took {time.perf_counter() - started:.1f} s.")


def _generate(n_cells: int) -> list[_Data]:
    return [
        _Data(
            *make_dropout_sem(
                n_cells,
                _N_GENES,
                degree=_DEGREE,
                mechanism="logistic",
                return_latent=True,
                random_state=seed,
            )
        )
        for seed in range(_N_GRAPHS)
    ]


def _loading_time(X: np.ndarray) -> float:
    """Compile, or load what is compiled, so that it is not in the times of the table."""
    started = time.perf_counter()
    for zeros in _HANDLING:
        _pc(zeros).fit(X)
        _ges(zeros).fit(X)
    return time.perf_counter() - started


def _pc(zeros: str) -> DropoutPC:
    return DropoutPC(_ALPHA, zero_handling=zeros)


def _ges(zeros: str) -> DropoutGES:
    return DropoutGES(zero_handling=zeros)


def _results(data: list[_Data]) -> list[_Result]:
    empty = sp.csr_array((_N_GENES, _N_GENES))
    methods: list[tuple[str, str, Any]] = [
        (_NO_EDGES, "-", lambda given: empty),
        ("DropoutPC", _NO_DROPOUTS, lambda given: _pc("none").fit(given.latent).adjacency_),
    ]
    for name, make in (("DropoutPC", _pc), ("DropoutGES", _ges)):
        for zeros, title in _HANDLING.items():
            model = make(zeros)
            methods.append((name, title, lambda given, model=model: model.fit(given.X).adjacency_))
    return [_run(*method, data) for method in methods]


def _run(method: str, zeros: str, learn: Any, data: list[_Data]) -> _Result:
    started = time.perf_counter()
    graphs = [learn(given) for given in data]
    seconds = (time.perf_counter() - started) / len(data)
    pairs = [(cpdag(given.true), graph) for given, graph in zip(data, graphs, strict=True)]
    distance = np.mean([structural_hamming_distance(*pair) for pair in pairs])
    f1 = np.mean([skeleton_scores(*pair).f1 for pair in pairs])
    return _Result(method, zeros, float(distance), float(f1), seconds, graphs[0])


def _write_introduction(data: dict[int, list[_Data]]) -> None:
    given = data[_N_CELLS[0]]
    zeros = np.mean([(one.X == 0).mean() for one in given])
    n_edges = np.mean([one.true.nnz for one in given])
    for line in (
        "Graphs of genes: what to do about the zeros of single cells?",
        "",
        f"  Data      {_N_GRAPHS} generated graphs of {_N_GENES} genes and {n_edges:.0f} edges;",
        f"            low values are lost more often, {zeros:.0%} of all are zero",
        "  Distance  pairs of genes with a wrong or missing edge or direction, between",
        "            classes of equivalent graphs (the columns called cells)",
        "  F1        of pairs that are joined, whatever the direction",
        "  Zeros     are values; or tests leave out cells: those where a gene that they",
        "            condition on is zero, or where any of their genes is (testwise)",
        f"  Rules     DropoutPC at the level {_ALPHA}, DropoutGES with its defaults; no",
        "            dropouts: the same data before values were lost",
        "",
    ):
        write_line(line)


def _write_results(results: dict[int, list[_Result]], loading: float) -> None:
    rows = []
    for many, few in zip(*results.values(), strict=True):
        scores = [cell for one in (many, few) for cell in (f"{one.distance:.1f}", f"{one.f1:.2f}")]
        seconds = "-" if many.method == _NO_EDGES else f"{many.seconds:.3f}"
        rows.append([many.title, *scores, seconds])
    sizes = [title for n_cells in results for title in (f"{n_cells} cells", "F1")]
    write_table(["method", *sizes, "seconds"], rows, n_text_columns=1)
    for line in (
        f"Seconds are those of a graph of {_N_CELLS[0]} cells. Loading (the first time: compiling)",
        f"took {loading:.1f} s, not in the table.",
        "",
    ):
        write_line(line)


def _write_verdict(results: dict[int, list[_Result]]) -> None:
    """What the numbers say, and what they do not."""
    for n_cells, found in results.items():
        parts = [_verdict_of(method, found) for method in ("DropoutPC", "DropoutGES")]
        write_line(textwrap.fill(f"With {n_cells} cells, {'; '.join(parts)}.", 79))
    caveat = (
        "These data obey the assumptions; real cells may not. Without zeros few cells are left for "
        "a test of many genes, and DropoutPC takes out edges that it can not test, unless "
        "insufficient='keep'. No setting is best everywhere."
    )
    write_line(textwrap.fill(caveat, 79))
    write_line()


def _verdict_of(method: str, found: list[_Result]) -> str:
    """Zeros as values against the better way to leave them out."""
    own = {result.zeros: result for result in found if result.method == method}
    kept = own.pop(_HANDLING["none"])
    best = min((one for one in own.values() if one.zeros in _HANDLING.values()), key=_distance_of)
    gain = kept.distance - best.distance
    verdict = "neither better nor worse" if gain == 0 else "better" if gain > 0 else "worse"
    return (
        f"leaving out zeros makes {method} {verdict} (at best, {best.zeros}: distance "
        f"{best.distance:.3g} against {kept.distance:.3g}, F1 {best.f1:.2f} against {kept.f1:.2f})"
    )


def _distance_of(result: _Result) -> float:
    return result.distance


def _write_figure(path: Path, given: _Data, results: dict[int, list[_Result]]) -> None:
    started = time.perf_counter()
    try:
        figure = _draw(given, results)
    except ImportError as error:
        write_line(f"No figure: {error}")
        return
    with replacing(path) as file:
        figure.savefig(file, format="png", dpi=200)
    write_line(f"Figure ({time.perf_counter() - started:.1f} s): {path.resolve()}")


def _draw(given: _Data, results: dict[int, list[_Result]]) -> Any:
    import_matplotlib("it")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 9), layout="constrained")
    left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=(0.8, 2))[0]
    bars = left.subplots()
    _draw_bars(bars, results)
    figure.draw_without_rendering()
    true, zero_shares = cpdag(given.true), (given.X == 0).mean(axis=0)
    shown = [
        result
        for result in results[_N_CELLS[0]]
        if result.zeros in (_HANDLING["none"], _HANDLING["conditioning"])
    ]
    for axes, result in zip(right.subplots(2, 2).T.flat, shown, strict=True):
        GRNDisplay.from_adjacency(result.graph, true=true, zero_shares=zero_shares, ax=axes)
        distance = structural_hamming_distance(true, result.graph)
        axes.set_title(f"{result.title}: distance {distance}")
    return figure


def _draw_bars(axes: Any, results: dict[int, list[_Result]]) -> None:
    height = 0.8 / len(results)
    places = np.arange(len(results[_N_CELLS[0]]))
    for number, (n_cells, found) in enumerate(results.items()):
        bars = axes.barh(
            places + (number - 0.5) * height,
            [result.distance for result in found],
            height=height,
            color=PALETTE[number],
            label=f"{n_cells} cells",
        )
        axes.bar_label(bars, fmt="%.3g", padding=4, fontsize=8)
    axes.set_yticks(places, [result.title for result in results[_N_CELLS[0]]])
    axes.set_title(f"Distance, mean of {_N_GRAPHS} graphs", loc="left")
    axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.04), ncols=2)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.tick_params(axis="y", length=0, labelsize=9)
    axes.tick_params(axis="x", color="0.7", labelsize=9)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set(color="0.7", linewidth=0.8)
