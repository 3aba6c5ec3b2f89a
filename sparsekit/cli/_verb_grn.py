"""``sparsekit grn``: a table of cells and genes in, the edges of a gene regulatory network out."""

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparsekit.cli._figures import check_figure, save_figure
from sparsekit.cli._grn_methods import (
    add_parameters,
    facts_of,
    make_model,
    settle_parameters,
    summary_of,
)
from sparsekit.cli._knowledge_options import add_knowledge, lines_of, names_in, read_knowledge
from sparsekit.cli._output import progress_bars, warnings_as_lines

if TYPE_CHECKING:
    import numpy as np

    from sparsekit.cli._cells import Cells
    from sparsekit.cli._edge_files import Edges

__all__ = ["add_parser"]

# More genes than this are hardly meant.
_MOST_GENES = 10_000

_DESCRIPTION = """\
Learn a graph of genes from single cells, many of whose zeros are dropouts, by
tests that leave out cells where a gene that they condition on is zero
(DropoutPC, DropoutGES).

Input, by suffix: one column a gene, one row a cell; with --transpose the other
way round
  .csv .tsv .txt   separated by commas, tabs, blanks; names of the genes in the
                   first line (--transpose: in the first column), those of
                   cells are optional; all may end in .gz
  .parquet         columns of numbers
  .npy .npz        a matrix; .npz: called values, with names called columns, or
                   a sparse matrix of scipy
  .mtx .mtx.gz     Matrix Market, with the names in a file for --gene-names
  .h5ad            AnnData
  a folder         as 10x Genomics writes it: matrix.mtx with features.tsv or
                   genes.tsv, each perhaps with .gz; rows are genes

Output, by suffix; without a file, csv on standard output:
  .csv .tsv .parquet   one row an edge: source, target, kind; with --method pc
                       also pvalue (the largest of all tests of this pair) and
                       n_effective (the fewest cells of a test)
  .json .graphml       also the genes with their shares of zeros

The kind of an edge is directed, undirected (the data leave the direction open)
or bidirected. Values should be normalised and logarithmic; zeros must be kept,
so do not centre or scale genes. Whether leaving out zeros helps depends on the
data: compare with --zero-handling none.
"""

_EPILOG = """\
examples:
  sparsekit grn cells.csv edges.csv --alpha 0.01
  sparsekit grn cells.h5ad edges.csv --genes @markers.txt --figure graph.png
  sparsekit grn filtered_feature_bc_matrix edges.json --log-normalize
            --genes @markers.txt
  sparsekit grn cells.csv --zero-handling testwise --min-samples 100
  sparsekit grn cells.csv --method ges --penalty 1 --bootstrap 50
  sparsekit grn cells.csv --tiers @factors_then_targets.txt
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command ``grn``."""
    parser = subparsers.add_parser(
        "grn",
        help="learn a graph of genes from single cells with dropouts",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "input", metavar="TABLE", type=Path, help="file or folder with cells and genes"
    )
    parser.add_argument(
        "output", metavar="EDGES", type=Path, nargs="?", help="file to write or replace"
    )
    _add_genes(parser.add_argument_group("cells and genes"))
    add_parameters(parser)
    add_knowledge(parser.add_argument_group("what is known"))
    _add_tasks(parser.add_argument_group("more to do"))


def _add_genes(group: argparse._ArgumentGroup) -> None:
    def add(flag: str, text: str, **options: Any) -> None:
        group.add_argument(flag, help=text, **options)

    add("--transpose", "rows are genes, columns are cells", action="store_true")
    add(
        "--gene-names",
        "file with the name of each gene, one a line; of several columns the second one",
        type=Path,
        metavar="FILE",
    )
    add("--layer", "of an .h5ad file, or raw for its raw values", metavar="NAME")
    add("--genes", "take these genes only: A,B,C, or @FILE with one a line", metavar="GENES")
    add(
        "--min-cells", "leave out genes that are zero in all but fewer cells", type=int, metavar="N"
    )
    add(
        "--log-normalize",
        "the values are counts: scale each cell to the median total, then take log(1 + x)",
        action="store_true",
    )


def _add_tasks(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--bootstrap",
        help="add the columns confidence and joined: in which share of N resamples the edge is "
        "found, and in which its genes are joined at all",
        type=int,
        metavar="N",
    )
    group.add_argument(
        "--figure", help="draw the graph (.png, .svg, .pdf)", type=Path, metavar="FILE"
    )
    group.add_argument(
        "--seed", help="of the resamples (%(default)s)", type=int, default=0, metavar="N"
    )


def run(arguments: argparse.Namespace) -> None:
    """Read, learn, write."""
    from sparsekit.cli._edge_files import EDGE_SUFFIXES, output_edges
    from sparsekit.cli._files import check_output

    settle_parameters(arguments)
    if arguments.output is not None:
        check_output(arguments.output, arguments.input, EDGE_SUFFIXES)
    if arguments.figure is not None:
        check_figure(arguments.figure, arguments.input)
    cells = _read(arguments)
    started = time.perf_counter()
    with warnings_as_lines():
        model, bootstrap = _learn(arguments, cells)
    seconds = time.perf_counter() - started
    edges = _edges(arguments, cells, model, bootstrap)
    output_edges(arguments.output, edges)
    _report(arguments, cells, model, edges, seconds)
    if arguments.figure is not None:
        _draw(arguments.figure, cells, model, bootstrap)


def _read(arguments: argparse.Namespace) -> "Cells":
    """Cells with the chosen genes."""
    from sparsekit.cli._cells import log_normalised, read_cells, select_genes

    cells = read_cells(
        arguments.input,
        transpose=arguments.transpose,
        gene_names=arguments.gene_names,
        layer=arguments.layer,
    )
    if arguments.log_normalize:  # before genes are left out: totals are of all of them
        cells = log_normalised(cells)
    cells = select_genes(cells, _wanted(arguments.genes), arguments.min_cells)
    _check_shape(arguments, *cells.values.shape)
    return cells


def _check_shape(arguments: argparse.Namespace, n_cells: int, n_genes: int) -> None:
    """Refuse too many genes; say so if the table looks turned."""
    path, hint = arguments.input, ""
    if n_genes > n_cells and path.suffix.lower() != ".h5ad" and not path.is_dir():
        change = "leave out" if arguments.transpose else "add"
        hint = f", or {change} --transpose if that is the other way round"
    if n_genes > _MOST_GENES:
        raise ValueError(
            f"{path}: {n_genes} genes in {n_cells} cells are too many for a graph: choose some by "
            f"--genes or --min-cells{hint}."
        )
    if hint:
        sys.stderr.write(
            f"sparsekit: warning: {n_genes} genes in {n_cells} cells: choose some by --genes or "
            f"--min-cells{hint}.\n"
        )


def _wanted(genes: str | None) -> list[str] | None:
    """Names that were asked for, each once."""
    if genes is None:
        return None
    parts = lines_of("--genes", genes) if genes.startswith("@") else [genes]
    names = [name for part in parts for name in names_in("--genes", part) if name]
    if not names:
        raise ValueError(f"--genes {genes}: no names: expected A,B,C, or @FILE with one a line.")
    return list(dict.fromkeys(names))


def _learn(arguments: argparse.Namespace, cells: "Cells") -> tuple[Any, Any]:
    """Fitted estimator, and fitted resamples if asked for."""
    from sparsekit.causal import BootstrapEdges
    from sparsekit.cli._cells import as_input

    names = range(cells.values.shape[1]) if cells.names is None else cells.names
    model = make_model(arguments, read_knowledge(arguments, names)).fit(as_input(cells))
    if arguments.bootstrap is None:
        return model, None
    bootstrap = BootstrapEdges(model, arguments.bootstrap, random_state=arguments.seed)
    return model, bootstrap.set_callbacks(*progress_bars()).fit(cells.values)


def _edges(arguments: argparse.Namespace, cells: "Cells", model: Any, bootstrap: Any) -> "Edges":
    """Tables of edges and of genes."""
    import numpy as np

    from sparsekit.cli._cells import zero_shares
    from sparsekit.cli._edge_files import Edges

    n_cells, n_genes = cells.values.shape
    names = np.arange(n_genes) if cells.names is None else np.array(cells.names)
    edges = _columns(model)
    if bootstrap is not None:
        i, j = edges["source"], edges["target"]
        frequencies = bootstrap.edge_frequencies_.toarray()
        edges["confidence"] = frequencies[i, j]
        edges["joined"] = bootstrap.skeleton_frequencies_.toarray()[i, j]
    for end in ("source", "target"):
        edges[end] = names[edges[end]]
    facts = facts_of(model, arguments.method) | {"n_cells": n_cells, "n_genes": n_genes}
    return Edges(edges, {"name": names, "zero_share": zero_shares(cells)}, facts)


def _columns(model: Any) -> "dict[str, np.ndarray]":
    """Edges with the numbers of their ends, the smallest p-values first; undirected ones once."""
    import numpy as np

    found = model.adjacency_.tocoo()
    is_edge = model.adjacency_.toarray() != 0
    both = is_edge[found.col, found.row]
    shown = ~both | (found.row < found.col)
    i, j, both = found.row[shown], found.col[shown], both[shown]
    kinds = np.where(both, "undirected", "directed").astype(object)
    crossed = {pair[:2] for pair in getattr(model, "conflicts_", ()) if pair[2] == "bidirected"}
    for number, pair in enumerate(zip(i.tolist(), j.tolist(), strict=True)):
        if pair in crossed:
            kinds[number] = "bidirected"
    columns = {"source": i, "target": j, "kind": kinds.astype(str)}
    if hasattr(model, "pvalues_"):
        columns["pvalue"] = _stored(model.pvalues_, i, j)
        columns["n_effective"] = model.n_effective_.toarray()[i, j]
        order = np.lexsort((j, i, columns["pvalue"]))
        columns = {name: column[order] for name, column in columns.items()}
    return columns


def _stored(matrix: Any, rows: "np.ndarray", columns: "np.ndarray") -> "np.ndarray":
    """Entries of a sparse matrix, NaN where there is none: required edges are not tested."""
    import numpy as np

    pattern = matrix.copy()
    pattern.data = np.ones(pattern.nnz, dtype=bool)
    values = matrix.toarray()[rows, columns]
    is_stored = pattern.toarray()[rows, columns]
    return values if is_stored.all() else np.where(is_stored, values, np.nan)


def _report(
    arguments: argparse.Namespace, cells: "Cells", model: Any, edges: "Edges", seconds: float
) -> None:
    n_cells, n_genes = cells.values.shape
    kinds = edges.columns["kind"].tolist()
    counts = {kind: kinds.count(kind) for kind in ("directed", "undirected", "bidirected")}
    listed = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    where = "" if arguments.output is None else f"{arguments.output}: "
    sys.stderr.write(
        f"{where}{len(kinds)} edges among {n_genes} genes, from {n_cells} cells in "
        f"{seconds:.2f} s\n{listed + '; ' if listed else ''}{summary_of(model, arguments.method)}\n"
    )


def _draw(path: Path, cells: "Cells", model: Any, bootstrap: Any) -> None:
    from sparsekit.plotting import GRNDisplay

    display = GRNDisplay.from_estimator(
        model, cells.values, feature_names=cells.names, confidence=bootstrap
    )
    save_figure(path, display.figure_)
