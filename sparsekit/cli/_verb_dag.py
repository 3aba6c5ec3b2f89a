"""``sparsekit dag``: a table of samples in, the edges of a causal graph out."""

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparsekit.cli._dag_methods import (
    EBIC,
    add_parameters,
    facts_of,
    make_model,
    settle_parameters,
    summary_of,
)
from sparsekit.cli._figures import check_figure, save_figure
from sparsekit.cli._knowledge_options import add_knowledge, read_knowledge
from sparsekit.cli._output import progress_bars, warnings_as_lines

if TYPE_CHECKING:
    import numpy as np

    from sparsekit.cli._edge_files import Edges
    from sparsekit.cli._tables import Table

__all__ = ["add_parser"]

_DESCRIPTION = """\
Learn a sparse linear directed acyclic graph from samples (CoLiDE, BOSS).

Input, by suffix: one column a variable, one row a sample
  .csv .tsv .txt   separated by commas, tabs, blanks; names in the first line
                   are optional, and so is a first column of row names, if
                   they all differ; all may end in .gz
  .parquet         columns of numbers
  .npy .npz        a matrix; .npz: called values, with names called columns

Output, by suffix; without a file, csv on standard output:
  .csv .tsv .parquet   one row an edge: source, target, weight; the largest
                       weights first
  .json .graphml       also the nodes with their noise, and those without edges

Do not standardise columns for colide: it reads directions off the scale of the
noise. If the units are arbitrary, use boss, whose graph does not depend on
them. From unequal Gaussian noise it can not tell equivalent graphs apart: the
column directed is 1 for edges whose direction is the same in all of them.
"""

_EPILOG = """\
examples:
  sparsekit dag cells.csv edges.csv
  sparsekit dag cells.csv edges.json --bootstrap 100 --figure graph.png
  sparsekit dag cells.csv --alpha ebic --noise unequal --refine bic
  sparsekit dag cells.csv --method boss --gamma 2 --starts 10
  sparsekit dag cells.csv --forbid Akt,Raf --tiers "PKC,PKA;Raf,Mek,Erk"
  sparsekit dag covariance.csv --covariance 853
"""


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
    add_parameters(parser)
    known = parser.add_argument_group("what is known")
    add_knowledge(known)
    known.add_argument(
        "--covariance",
        help="the input is a covariance matrix of N samples, divided by N",
        type=int,
        metavar="N",
    )
    _add_tasks(parser.add_argument_group("more to do"))


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
        "of the resamples, random restarts and random orders (%(default)s)",
        type=int,
        default=0,
        metavar="N",
    )


def run(arguments: argparse.Namespace) -> None:
    """Read, learn, write."""
    from sparsekit.cli._edge_files import output_edges
    from sparsekit.cli._tables import read_table

    settle_parameters(arguments)
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
    with warnings_as_lines():
        model, frequencies = _learn(arguments, table)
    seconds = time.perf_counter() - started
    output_edges(arguments.output, _edges(arguments, table, model, frequencies))
    _report(arguments, model, seconds)
    if arguments.figure is not None:
        from sparsekit.plotting import DAGDisplay

        display = DAGDisplay.from_adjacency(
            model.adjacency_, feature_names=table.names, confidence=frequencies
        )
        save_figure(arguments.figure, display.figure_)


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
        check_figure(arguments.figure, arguments.input)


def _learn(arguments: argparse.Namespace, table: "Table") -> tuple[Any, "np.ndarray | None"]:
    """Fitted estimator, and the frequencies of edges if asked for."""
    from sparsekit.cli._tables import as_frame

    names = range(table.values.shape[1]) if table.names is None else table.names
    model = make_model(arguments, read_knowledge(arguments, names))
    X = as_frame(table)
    if arguments.method == "colide" and arguments.alpha == EBIC:
        model.set_params(alpha=_chosen_alpha(arguments, model, X))
    if arguments.covariance is not None:
        return model.fit_covariance(X, arguments.covariance), None
    model.set_callbacks(*progress_bars()).fit(X)
    if arguments.bootstrap is None:
        return model, None
    from sklearn.base import clone

    from sparsekit.causal import BootstrapEdges

    # Each resample gets a seed of its own: the same random orders in all of them would make
    # directions that the data leave open look certain.
    unseeded = clone(model).set_params(random_state=None)
    bootstrap = BootstrapEdges(unseeded, arguments.bootstrap, random_state=arguments.seed)
    bootstrap.set_callbacks(*progress_bars()).fit(X)
    return model, bootstrap.edge_frequencies_.toarray()


def _chosen_alpha(arguments: argparse.Namespace, model: Any, X: Any) -> float:
    """Penalty with the least extended BIC."""
    from sparsekit.causal import colide_path

    settings = model.get_params(deep=False)
    del settings["alpha"]
    return colide_path(X, n_samples=arguments.covariance, **settings).alpha_best


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
    if (is_directed := _directions(model)) is not None:
        edges["directed"] = is_directed[rows, columns].astype(int)
    nodes = {
        "name": names,
        "noise_scale": model.noise_scale_,
        "residual_scale": model.residual_scale_,
    }
    return Edges(edges, nodes, facts_of(model, arguments.method))


def _directions(model: Any) -> "np.ndarray | None":
    """Which edges have one direction in all graphs that the score can not tell apart, if any."""
    if model.noise == "equal" or not hasattr(model, "cpdag_"):
        return None
    is_edge = model.cpdag_.toarray() != 0
    return is_edge & ~is_edge.T


def _report(arguments: argparse.Namespace, model: Any, seconds: float) -> None:
    where = "" if arguments.output is None else f"{arguments.output}: "
    sys.stderr.write(
        f"{where}{model.adjacency_.nnz} edges among {model.n_features_in_} variables, from "
        f"{model.n_samples_seen_} samples in {seconds:.2f} s\n"
        f"{summary_of(model, arguments.method)}\n"
    )
