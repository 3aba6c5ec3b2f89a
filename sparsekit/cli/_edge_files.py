"""Edges of a learned graph, written to files. Imports numpy and networkx; commands defer it."""

import csv
import io
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import networkx as nx
import numpy as np

from sparsekit.cli._files import replacing, write_table_file

__all__ = ["EDGE_SUFFIXES", "Edges", "output_edges"]

EDGE_SUFFIXES = (".csv", ".graphml", ".json", ".parquet", ".tsv")


class Edges(NamedTuple):
    """A learned graph as a table of edges and one of nodes.

    Attributes
    ----------
    columns : dict of str to ndarray of shape (n_edges,)
        ``source``, ``target``, and what is known of each edge; NaN where it is not known.
    nodes : dict of str to ndarray of shape (n_nodes,)
        ``name`` and what is known of each node.
    facts : dict
        What is known of the graph, and with which settings it was found.
    """

    columns: dict[str, np.ndarray]
    nodes: dict[str, np.ndarray]
    facts: dict[str, Any]


def output_edges(path: Path | None, edges: Edges) -> None:
    """Write a graph in the format that the suffix says, or as csv on standard output.

    Parameters
    ----------
    path : Path or None
        Checked by `check_output`.
    edges : Edges
        Nodes without edges are kept by .json and .graphml only.

    Raises
    ------
    OSError
        If writing fails; nothing is left behind then.
    """
    if path is None:
        sys.stdout.write(_as_text(edges))
        return
    kind = path.suffix.lower()
    if kind == ".parquet":
        _write_parquet(path, edges)
        return
    with replacing(path) as file:
        _WRITERS[kind](file, edges)


def _as_text(edges: Edges, delimiter: str = ",") -> str:
    """Table with a header, one row an edge; cells of what is not known are empty."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(edges.columns)
    writer.writerows(_rows(edges.columns))
    return text.getvalue()


def _rows(columns: dict[str, np.ndarray]) -> list[tuple]:
    cells = ([_cell(value) for value in column.tolist()] for column in columns.values())
    return list(zip(*cells, strict=True))


def _cell(value: Any) -> Any:
    """None for NaN, which JSON does not know."""
    return None if isinstance(value, float) and math.isnan(value) else value


def _records(columns: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in _rows(columns)]


def _write_csv(file: BinaryIO, edges: Edges) -> None:
    file.write(_as_text(edges).encode())


def _write_tsv(file: BinaryIO, edges: Edges) -> None:
    file.write(_as_text(edges, "\t").encode())


def _write_json(file: BinaryIO, edges: Edges) -> None:
    content = edges.facts | {"nodes": _records(edges.nodes), "edges": _records(edges.columns)}
    file.write((json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())


def _write_graphml(file: BinaryIO, edges: Edges) -> None:
    graph = nx.DiGraph()
    for node in _records(edges.nodes):
        graph.add_node(str(node.pop("name")), **node)
    for edge in _records(edges.columns):
        known = {name: value for name, value in edge.items() if value is not None}
        graph.add_edge(str(known.pop("source")), str(known.pop("target")), **known)
    nx.write_graphml_xml(graph, file)


def _write_parquet(path: Path, edges: Edges) -> None:
    n_edges = len(edges.columns["source"])
    write_table_file(path, edges.columns, np.empty((n_edges, 0)), [])


_WRITERS: dict[str, Callable[[BinaryIO, Edges], None]] = {
    ".csv": _write_csv,
    ".graphml": _write_graphml,
    ".json": _write_json,
    ".tsv": _write_tsv,
}
