"""``sparsekit dag``: a table of samples in, the edges of a causal graph out."""

import argparse
import contextlib
import csv
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparsekit.cli._output import progress_bars

if TYPE_CHECKING:
    import numpy as np

    from sparsekit.causal import BackgroundKnowledge
    from sparsekit.cli._edge_files import Edges
    from sparsekit.cli._tables import Table

__all__ = ["add_parser"]

_DESCRIPTION = """\
Learn a sparse linear directed acyclic graph from samples (CoLiDE).

Input, by suffix: one column a variable, one row a sample
  .csv .tsv .txt   separated by commas, tabs, blanks; names in the first line
                   are optional, and so is a first column of row names if its
                   title is empty; all may end in .gz
  .parquet         columns of numbers
  .npy .npz        a matrix; .npz: called values, with names called columns

Output, by suffix; without a file, csv on standard output:
  .csv .tsv .parquet   one row an edge: source, target, weight; the largest
                       weights first
  .json .graphml       also the nodes with their noise, and those without edges

Do not standardise the columns: the method reads directions off the scale of
the noise. If the units are arbitrary, so are the directions.
"""

_EPILOG = """\
examples:
  sparsekit dag cells.csv edges.csv
  sparsekit dag cells.csv edges.json --bootstrap 100 --figure graph.png
  sparsekit dag cells.csv --alpha ebic --noise unequal --refine bic
  sparsekit dag cells.csv --forbid Akt,Raf --tiers "PKC,PKA;Raf,Mek,Erk"
  sparsekit dag covariance.csv --covariance 853
"""

_EBIC = "ebic"
_FIGURE_SUFFIXES = (".pdf", ".png", ".svg")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command ``dag``."""
    parser = subparsers.add_parser(
        "dag",
        help="learn a causal graph from samples",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    parser.add_argument("input", metavar="TABLE", type=Path, help="file with samples")
    parser.add_argument(
        "output", metavar="EDGES", type=Path, nargs="?", help="file to write or replace"
    )
    _add_parameters(parser.add_argument_group("parameters of the method"))
    _add_knowledge(parser.add_argument_group("what is known"))
    _add_tasks(parser.add_argument_group("more to do"))


def _add_parameters(group: argparse._ArgumentGroup) -> None:
    def add(flag: str, text: str, **options: Any) -> None:
        group.add_argument(flag, help=text, **options)

    add("--method", "what learns the graph (%(default)s)", choices=("colide",), default="colide")
    add(
        "--alpha",
        "weight of the l1 penalty (%(default)s), or ebic to choose it by the extended BIC",
        type=_alpha,
        default=0.05,
        metavar="X",
    )
    noises = ("equal", "unequal")
    add("--noise", "one noise scale, or one a variable (%(default)s)", choices=noises)
    group.set_defaults(noise="equal")
    add(
        "--threshold",
        "edges have absolute weights above this (%(default)s)",
        type=float,
        default=0.3,
        metavar="X",
    )
    starts = ("auto", "equal", "zero")
    add("--start", "start of the path for unequal noise (%(default)s)", choices=starts)
    group.set_defaults(start="auto")
    add(
        "--restarts",
        "returns to an early stage, for a lower objective (%(default)s); after the third, from a "
        "random part of the weights",
        type=int,
        default=3,
        metavar="N",
    )
    add("--refine", "search on for a better BIC", choices=("bic",))
    add("--n-jobs", "threads, -1 for all cores (1)", type=int, metavar="N")


def _add_knowledge(group: argparse._ArgumentGroup) -> None:
    def add(flag: str, text: str, **options: Any) -> None:
        group.add_argument(flag, help=text, **options)

    edges: dict[str, Any] = {"action": "append", "metavar": "A,B", "default": []}
    add("--forbid", "no edge A -> B; may be repeated", **edges)
    add("--require", "an edge A -> B; may be repeated", **edges)
    add(
        "--tiers",
        'no edge from a later tier to an earlier one: "A,B;C,D", or @FILE with one tier a line',
        metavar="TIERS",
    )
    add(
        "--covariance",
        "the input is a covariance matrix of N samples, divided by N",
        type=int,
        metavar="N",
    )


def _add_tasks(group: argparse._ArgumentGroup) -> None:
    def add(flag: str, text: str, **options: Any) -> None:
        group.add_argument(flag, help=text, **options)

    add(
        "--bootstrap",
        "add the column confidence: in which share of N resamples the edge is found",
        type=int,
        metavar="N",
    )
    add("--figure", "draw the graph (.png, .svg, .pdf)", type=Path, metavar="FILE")
    add(
        "--seed",
        "of the resamples and random restarts (%(default)s)",
        type=int,
        default=0,
        metavar="N",
    )


def _alpha(text: str) -> float | str:
    if text == _EBIC:
        return text
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number or ebic, got {text!r}") from None


def run(arguments: argparse.Namespace) -> None:
    """Read, learn, write."""
    from sparsekit.cli._edge_files import edges_as_text, write_edges
    from sparsekit.cli._tables import read_table

    _check_files(arguments)
    if arguments.bootstrap is not None and arguments.covariance is not None:
        raise ValueError("--bootstrap draws samples again: leave it out, or --covariance.")
    table = read_table(arguments.input)
    if arguments.covariance is not None and table.values.shape[0] != table.values.shape[1]:
        raise ValueError(
            f"{arguments.input}: shape {table.values.shape} is no covariance matrix: leave out "
            "--covariance for samples."
        )
    if arguments.covariance is None and _is_symmetric(table.values):
        raise ValueError(
            f"{arguments.input}: symmetric, as a covariance matrix is: say of how many samples by "
            "--covariance N."
        )
    started = time.perf_counter()
    with _warnings_as_lines():
        model, frequencies = _learn(arguments, table)
    seconds = time.perf_counter() - started
    edges = _edges(arguments, table, model, frequencies)
    if arguments.output is None:
        sys.stdout.write(edges_as_text(edges))
    else:
        write_edges(arguments.output, edges)
    _report(arguments, model, seconds)
    if arguments.figure is not None:
        _draw(arguments.figure, model, table, frequencies)


def _is_symmetric(values: "np.ndarray") -> bool:
    n_rows, n_columns = values.shape
    return n_rows == n_columns > 1 and bool((values == values.T).all())


def _check_files(arguments: argparse.Namespace) -> None:
    """Find out before a long computation whether its results can be written."""
    from sparsekit.cli._edge_files import EDGE_SUFFIXES
    from sparsekit.cli._files import check_output

    if arguments.output is not None:
        check_output(arguments.output, arguments.input, EDGE_SUFFIXES)
    if arguments.figure is not None:
        from sparsekit.plotting._style import import_matplotlib

        check_output(arguments.figure, arguments.input, _FIGURE_SUFFIXES)
        import_matplotlib("--figure")


def _learn(arguments: argparse.Namespace, table: "Table") -> tuple[Any, "np.ndarray | None"]:
    """Fitted estimator, and the frequencies of edges if asked for."""
    from sparsekit.causal import CoLiDE

    model = CoLiDE(
        noise=arguments.noise,
        threshold=arguments.threshold,
        start=arguments.start,
        n_restarts=arguments.restarts,
        refine=arguments.refine,
        background=_background(arguments, table),
        random_state=arguments.seed,
        n_jobs=arguments.n_jobs,
    )
    X = _as_frame(table)
    model.set_params(alpha=_chosen_alpha(arguments, model, X))
    if arguments.covariance is not None:
        return model.fit_covariance(X, arguments.covariance), None
    if arguments.bootstrap is None:
        return model.set_callbacks(*progress_bars()).fit(X), None
    from sparsekit.causal import BootstrapEdges

    bootstrap = BootstrapEdges(model, arguments.bootstrap, random_state=arguments.seed)
    bootstrap.set_callbacks(*progress_bars()).fit(X)
    return bootstrap.estimator_, bootstrap.edge_frequencies_.toarray()


def _as_frame(table: "Table") -> Any:
    """Data frame, so that messages name the columns; an array where there is no package for it."""
    if table.names is not None:
        with contextlib.suppress(ImportError):
            import pandas as pd

            return pd.DataFrame(table.values, columns=table.names)
        with contextlib.suppress(ImportError):
            import polars as pl

            return pl.DataFrame(table.values, schema=table.names)
    return table.values


def _chosen_alpha(arguments: argparse.Namespace, model: Any, X: Any) -> float:
    """The penalty that was given, or the one with the least extended BIC."""
    if arguments.alpha != _EBIC:
        return arguments.alpha
    from sparsekit.causal import colide_path

    settings = model.get_params(deep=False)
    del settings["alpha"]
    return colide_path(X, n_samples=arguments.covariance, **settings).alpha_best


def _background(arguments: argparse.Namespace, table: "Table") -> "BackgroundKnowledge | None":
    from sparsekit.causal import BackgroundKnowledge

    if not (arguments.forbid or arguments.require or arguments.tiers is not None):
        return None
    names = range(table.values.shape[1]) if table.names is None else table.names
    numbers = {str(name): number for number, name in enumerate(names)}
    tiers = None
    if arguments.tiers is not None:
        tiers = [_numbers_of("--tiers", tier, numbers) for tier in _tiers(arguments.tiers)]
        if not any(tiers):
            raise ValueError(f'--tiers {arguments.tiers}: no names: expected tiers as in "A,B;C".')
    return BackgroundKnowledge(
        forbidden=[_pair("--forbid", edge, numbers) for edge in arguments.forbid],
        required=[_pair("--require", edge, numbers) for edge in arguments.require],
        tiers=tiers,
    )


def _tiers(text: str) -> list[str]:
    """Tiers as they were given, or the lines of a file."""
    if not text.startswith("@"):
        return text.split(";")
    try:
        lines = Path(text[1:]).read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"--tiers {text}: not a text file in UTF-8.") from None
    return [line for line in lines if line.strip()]


def _pair(flag: str, text: str, numbers: dict[str, int]) -> list[int]:
    pair = _numbers_of(flag, text, numbers)
    if len(pair) != 2:
        raise ValueError(f"{flag} {text}: expected two variables, as in {flag} A,B.")
    return pair


def _numbers_of(flag: str, text: str, numbers: dict[str, int]) -> list[int]:
    """Positions of variables that are separated by commas; names with a comma are in quotes."""
    try:
        [names] = csv.reader([text], skipinitialspace=True)
    except (csv.Error, ValueError):
        raise ValueError(f"{flag} {text!r}: expected names separated by commas.") from None
    for name in map(str.strip, names):
        if name not in numbers:
            some = ", ".join(list(numbers)[:3])
            raise ValueError(
                f"{flag}: {name!r} is not among the {len(numbers)} variables, such as {some}."
            )
    return [numbers[name.strip()] for name in names]


def _edges(
    arguments: argparse.Namespace, table: "Table", model: Any, frequencies: "np.ndarray | None"
) -> "Edges":
    """Tables of edges, the largest weights first, and of nodes."""
    import numpy as np

    from sparsekit.cli._edge_files import Edges

    found = model.adjacency_.tocoo()
    order = np.argsort(-np.abs(found.data), kind="stable")
    rows, columns = found.row[order], found.col[order]
    names = np.arange(model.n_features_in_) if table.names is None else np.array(table.names)
    edges = {"source": names[rows], "target": names[columns], "weight": found.data[order]}
    if frequencies is not None:
        edges["confidence"] = frequencies[rows, columns]
    nodes = {
        "name": names,
        "noise_scale": model.noise_scale_,
        "residual_scale": model.residual_scale_,
    }
    facts = {
        "method": arguments.method,
        "alpha": model.alpha,
        "noise": model.noise,
        "threshold": model.threshold,
        "start": model.start,
        "n_restarts": model.n_restarts,
        "refine": model.refine,
        "n_samples": model.n_samples_seen_,
        "converged": bool(model.converged_),
        # JSON knows no NaN, which stands for a graph without edges.
        "varsortability": model.varsortability_ if model.adjacency_.nnz else None,
    }
    return Edges(edges, nodes, facts)


def _report(arguments: argparse.Namespace, model: Any, seconds: float) -> None:
    where = "" if arguments.output is None else f"{arguments.output}: "
    n_edges, scale = model.adjacency_.nnz, model.noise_scale_
    noise = f"{scale[0]:.3g}" if model.noise == "equal" else f"{scale.min():.3g}-{scale.max():.3g}"
    agreement = f", varsortability {model.varsortability_:.2f}" if n_edges else ""
    sys.stderr.write(
        f"{where}{n_edges} edges among {model.n_features_in_} variables, from "
        f"{model.n_samples_seen_} samples in {seconds:.2f} s\n"
        f"alpha {model.alpha:.3g}, noise scale {noise}{agreement}\n"
    )


def _draw(path: Path, model: Any, table: "Table", frequencies: "np.ndarray | None") -> None:
    from matplotlib import pyplot

    from sparsekit.cli._files import replacing
    from sparsekit.plotting import DAGDisplay

    display = DAGDisplay.from_adjacency(
        model.adjacency_, feature_names=table.names, confidence=frequencies
    )
    with replacing(path) as file:
        display.figure_.savefig(file, format=path.suffix[1:].lower(), dpi=200)
    pyplot.close(display.figure_)
    sys.stderr.write(f"Figure: {path.resolve()}\n")


@contextlib.contextmanager
def _warnings_as_lines() -> Iterator[None]:
    """Write warnings to standard error, one line each, without the line of code that gave them."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        yield
    for text in dict.fromkeys(str(warning.message) for warning in caught):
        sys.stderr.write(f"sparsekit: warning: {' '.join(text.split())}\n")
