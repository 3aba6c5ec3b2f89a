"""``sparsekit embed``: a graph file in, a table of node vectors out."""

import argparse
import time
from pathlib import Path

from sparsekit.cli._output import progress_bars, write_line

__all__ = ["add_parser"]

_DESCRIPTION = """\
Embed the nodes of a graph by fast random projection (FastRP).

Input, by suffix:
  .csv .edgelist .edges .tsv .txt   edge list: two ids and optionally a weight
                                    a line
  .mtx                              Matrix Market adjacency
  .npz                              adjacency from scipy.sparse.save_npz
All but .npz may end in .gz.

Output, by suffix, one row a node:
  .csv .parquet    columns node, fastrp0, fastrp1, ...
  .npz             arrays node, values, columns
"""

_EPILOG = """\
examples:
  sparsekit embed edges.csv vectors.csv
  sparsekit embed --beta -0.64 --hop-weights 0,0,1,6.67 graph.mtx.gz v.parquet
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command ``embed``."""
    parser = subparsers.add_parser(
        "embed",
        help="turn the nodes of a graph into vectors",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    parser.add_argument("input", metavar="GRAPH", type=Path, help="file with a graph")
    parser.add_argument("output", metavar="VECTORS", type=Path, help="file to write or replace")
    parser.add_argument(
        "--directed",
        action=argparse.BooleanOptionalAction,
        help="edges have a direction (by default a matrix has if it is not symmetric)",
    )
    _add_parameters(parser.add_argument_group("parameters of FastRP"))


def _add_parameters(group: argparse._ArgumentGroup) -> None:
    def add(flag: str, text: str, **options: object) -> None:
        group.add_argument(flag, help=text, **options)  # type: ignore[arg-type]

    add("--n-components", "length of the vectors (%(default)s)", type=int, default=128, metavar="N")
    add(
        "--hop-weights",
        "weights of the hops (negative: --hop-weights=-1,2), or how many rising ones (%(default)s)",
        type=_hop_weights,
        default=16,
        metavar="W1,W2,...",
    )
    real: dict[str, object] = {"type": float, "metavar": "X"}
    add("--self-weight", "weight of a node's own vector (%(default)s)", **real, default=0.0)
    add("--beta", "power of the degree; negative damps hubs (%(default)s)", **real, default=0.0)
    add("--sparsity", "one in so many random entries is not 0 (%(default)s)", **real, default=3.0)
    operators = ("random_walk", "adjacency", "symmetric")
    add("--operator", "factor of a hop (%(default)s)", choices=operators, default="random_walk")
    add("--no-normalize", "keep row norms of hops", action="store_false", dest="normalize")
    add("--deflate", "remove what is common to all nodes", action="store_true")
    add("--standardize", "columns of mean 0 and deviation 1", action="store_true")
    dtypes = ("float32", "float64")
    add("--dtype", "precision (%(default)s)", choices=dtypes, default="float32")
    add("--seed", "of the random numbers (%(default)s)", type=int, default=0, metavar="N")
    add("--n-jobs", "threads, -1 for all cores (1)", type=int, metavar="N")


def _hop_weights(text: str) -> int | tuple[float, ...]:
    """An integer, or numbers separated by commas."""
    try:
        if text.strip().isdecimal():
            return int(text)
        return tuple(float(weight) for weight in text.removesuffix(",").split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected an integer or numbers like 0,0,1,6.67, got {text!r}"
        ) from None


def run(arguments: argparse.Namespace) -> None:
    """Read, embed, write."""
    import numpy as np

    from sparsekit.cli._files import check_output, read_graph, write_table_file
    from sparsekit.embedding import FastRP

    check_output(arguments.output, arguments.input)
    graph = read_graph(arguments.input, arguments.directed)
    given = vars(arguments) | {"random_state": arguments.seed}
    estimator = FastRP(**{name: given[name] for name in FastRP().get_params()})
    estimator.set_callbacks(*progress_bars())
    started = time.perf_counter()
    embedding = estimator.fit_transform(graph)
    seconds = time.perf_counter() - started
    nodes = np.arange(graph.n_nodes) if graph.node_names is None else graph.node_names
    columns = estimator.get_feature_names_out().tolist()
    write_table_file(arguments.output, {"node": nodes}, embedding, columns)
    n_nodes, n_components = embedding.shape
    write_line(
        f"{arguments.output}: {n_nodes} nodes x {n_components} components, from "
        f"{graph.n_edges} edges in {seconds:.2f} s"
    )
