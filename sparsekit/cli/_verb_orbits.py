"""``sparsekit orbits``: a graph file in, a table of orbit counts out."""

import argparse
import csv
import io
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sparsekit.cli._output import write_line

if TYPE_CHECKING:
    import numpy as np
    import scipy.sparse as sp

    from sparsekit.graph import Graph

__all__ = ["add_parser"]

_DESCRIPTION = """\
Count in how many graphlets (small connected induced subgraphs) each node or
edge of a graph takes part, and on which orbit. Weights and self-loops are
ignored; the graph must be undirected.

Input, by suffix:
  .csv .edgelist .edges .tsv .txt   edge list: two ids and optionally a weight
                                    a line
  .mtx                              Matrix Market adjacency
  .npz                              adjacency from scipy.sparse.save_npz
All but .npz may end in .gz.

Output, by suffix, one row a node, or a row an edge with --kind edge:
  .csv .parquet    columns node, orbit_0, ... or source, target, orbit_0, ...
  .npz             arrays node, or source and target; values, columns
  .out .ndump2     plain text for other programs: counts separated by blanks,
                   no header and no ids
Nodes are in the order of the graph (integer ids rising, other names sorted),
edges are sorted by the positions of their ends.
"""

_EPILOG = """\
examples:
  sparsekit orbits edges.csv counts.csv
  sparsekit orbits --max-nodes 5 --n-jobs -1 graph.mtx.gz counts.parquet
  sparsekit orbits --kind edge edges.csv counts.csv
  sparsekit orbits --nodes @names.txt edges.csv counts.csv
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command ``orbits``."""
    parser = subparsers.add_parser(
        "orbits",
        help="count the graphlet orbits of nodes or edges",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)

    def add(*flags: str, text: str, **options: object) -> None:
        parser.add_argument(*flags, help=text, **options)  # type: ignore[arg-type]

    add("input", text="file with a graph", metavar="GRAPH", type=Path)
    add("output", text="file to write or replace", metavar="COUNTS", type=Path)
    add(
        "--max-nodes",
        text="size of the largest graphlets (%(default)s): 15 or 73 node orbits, 12 or 68 edge "
        "orbits",
        type=int,
        choices=(4, 5),
        default=4,
    )
    add("--kind", text="what to count for (%(default)s)", choices=("node", "edge"), default="node")
    add(
        "--not-induced",
        text="count all copies, also those with further edges among their nodes",
        action="store_true",
    )
    add(
        "--nodes",
        text="only the rows of these nodes, in this order: ids separated by commas (negative: "
        "--nodes=-3,5), or @FILE with one id a line",
        metavar="IDS",
    )
    add(
        "--undirected",
        text="ignore the directions of the edges (a matrix has some if an entry i, j is there "
        "without j, i)",
        action="store_true",
    )
    add("--n-jobs", text="threads, -1 for all cores (1)", type=_n_jobs, metavar="N")


def _n_jobs(text: str) -> int:
    """An integer other than 0."""
    try:
        n_jobs = int(text)
    except ValueError:
        n_jobs = 0
    if n_jobs == 0:
        raise argparse.ArgumentTypeError(
            f"expected a number of threads, or -1 for all cores, got {text!r}"
        )
    return n_jobs


def run(arguments: argparse.Namespace) -> None:
    """Read, count, write."""
    from sparsekit.cli._files import (
        PLAIN_SUFFIXES,
        TABLE_SUFFIXES,
        check_output,
        read_graph,
        write_table_file,
    )
    from sparsekit.graphlets import count_orbits

    if arguments.nodes is not None and arguments.kind == "edge":
        raise ValueError("--nodes selects rows of nodes: leave it out, or --kind edge.")
    check_output(arguments.output, arguments.input, (*TABLE_SUFFIXES, *PLAIN_SUFFIXES))
    graph = read_graph(arguments.input, False if arguments.undirected else None)
    pattern = _pattern(graph, arguments.input)
    nodes = None if arguments.nodes is None else _positions(graph, arguments.nodes)
    started = time.perf_counter()
    counts = count_orbits(
        graph,
        arguments.max_nodes,
        kind=arguments.kind,
        induced=not arguments.not_induced,
        nodes=None if nodes is None else _names(graph)[nodes],
        n_jobs=arguments.n_jobs,
    )
    seconds = time.perf_counter() - started
    columns = [f"orbit_{number}" for number in range(counts.shape[1])]
    write_table_file(arguments.output, _ids(graph, pattern, arguments.kind, nodes), counts, columns)
    write_line(
        f"{arguments.output}: {counts.shape[0]} {arguments.kind}s x {counts.shape[1]} orbits, from "
        f"{pattern.nnz // 2} edges in {seconds:.2f} s"
    )


def _pattern(graph: "Graph", path: Path) -> "sp.csr_array":
    """What is counted: no weights, no self-loops; each edge is stored twice."""
    from sparsekit.graphlets._pattern import pattern_of

    try:
        return pattern_of(graph)
    except ValueError as error:
        if not graph.is_directed:
            raise ValueError(f"{path}: {error}") from None
        raise ValueError(
            f"{path}: has edges in one direction only, orbits need an undirected graph: add "
            "--undirected to ignore directions."
        ) from None


def _names(graph: "Graph") -> "np.ndarray":
    """Ids as users know them, by position."""
    import numpy as np

    return np.arange(graph.n_nodes) if graph.node_names is None else graph.node_names


def _positions(graph: "Graph", text: str) -> "np.ndarray":
    """Positions of the nodes that ``--nodes`` lists."""
    import numpy as np

    wanted = _listed_ids(text)
    positions = {str(name): position for position, name in enumerate(_names(graph).tolist())}
    for name in wanted:
        if name not in positions:
            some = ", ".join(list(positions)[:3])
            raise ValueError(f"--nodes: {name!r} is not in the graph; its nodes are like {some}.")
    return np.array([positions[name] for name in wanted], dtype=np.int64)


def _listed_ids(text: str) -> list[str]:
    """Ids separated by commas, those with a comma in quotes; or the lines of a file."""
    try:
        if text.startswith("@"):
            wanted = [_unquoted(line) for line in _lines(Path(text[1:]))]
        else:
            rows = csv.reader([text], skipinitialspace=True)
            wanted = [name.strip() for row in rows for name in row]
    except csv.Error as error:
        raise ValueError(f"--nodes {text}: {error}.") from None
    wanted = [name for name in wanted if name]
    if not wanted:
        raise ValueError(f"--nodes {text}: no id given.")
    return wanted


def _lines(path: Path) -> list[str]:
    """Lines of a text file, stripped, as an edge list is read."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"--nodes @{path}: not a text file in UTF-8.") from None
    # Not splitlines, which also splits at characters that may be part of a name.
    return [line.strip() for line in io.StringIO(text, newline=None)]


def _unquoted(line: str) -> str:
    """One id, which may be in quotes and may hold commas without any."""
    if not line.startswith('"'):
        return line
    fields = next(csv.reader([line]))
    return fields[0].strip() if len(fields) == 1 else line


def _ids(
    graph: "Graph", pattern: "sp.csr_array", kind: str, nodes: "np.ndarray | None"
) -> "dict[str, np.ndarray]":
    """Columns that say what each row is."""
    names = _names(graph)
    if kind == "node":
        return {"node": names if nodes is None else names[nodes]}
    import scipy.sparse as sp

    edges = sp.triu(pattern, k=1, format="csr").tocoo()
    return {"source": names[edges.row], "target": names[edges.col]}
