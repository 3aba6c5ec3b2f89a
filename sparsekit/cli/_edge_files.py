"""Edges of a learned graph, written to files. Imports numpy and networkx; commands defer it."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import networkx as nx
import numpy as np

from sparsekit.cli._files import replacing, write_table_file

__all__ = ["EDGE_SUFFIXES", "Edges", "edges_as_text", "write_edges"]

EDGE_SUFFIXES = (".csv", ".graphml", ".json", ".parquet", ".tsv")


class Edges(NamedTuple):
    """A learned graph as a table of edges and one of nodes.

    Attributes
    ----------
    columns : dict of str to ndarray of shape (n_edges,)
        ``source``, ``target``, ``weight`` and perhaps ``confidence``.
    nodes : dict of str to ndarray of shape (n_nodes,)
        ``name`` and what is known of each node.
    facts : dict
        What is known of the graph, and with which settings it was found.
    """

    columns: dict[str, np.ndarray]
    nodes: dict[str, np.ndarray]
    facts: dict[str, Any]


def edges_as_text(edges: Edges, delimiter: str = ",") -> str:
    """Table with a header, one row an edge."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(edges.columns)
    writer.writerows(_rows(edges.columns))
    return text.getvalue()


def write_edges(path: Path, edges: Edges) -> None:
    """Write a graph in the format that the suffix says.

    Parameters
    ----------
    path : Path
        Checked by `check_output`.
    edges : Edges
        Nodes without edges are kept by .json and .graphml only.

    Raises
    ------
    OSError
        If writing fails; nothing is left behind then.
    """
    kind = path.suffix.lower()
    if kind == ".parquet":
        _write_parquet(path, edges)
        return
    with replacing(path) as file:
        _WRITERS[kind](file, edges)


def _rows(columns: dict[str, np.ndarray]) -> list[tuple]:
    return list(zip(*(column.tolist() for column in columns.values()), strict=True))


def _records(columns: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in _rows(columns)]


def _write_csv(file: BinaryIO, edges: Edges) -> None:
    file.write(edges_as_text(edges).encode())


def _write_tsv(file: BinaryIO, edges: Edges) -> None:
    file.write(edges_as_text(edges, "\t").encode())


def _write_json(file: BinaryIO, edges: Edges) -> None:
    content = edges.facts | {"nodes": _records(edges.nodes), "edges": _records(edges.columns)}
    file.write((json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())


def _write_graphml(file: BinaryIO, edges: Edges) -> None:
    graph = nx.DiGraph()
    for node in _records(edges.nodes):
        graph.add_node(str(node.pop("name")), **node)
    for edge in _records(edges.columns):
        graph.add_edge(str(edge.pop("source")), str(edge.pop("target")), **edge)
    nx.write_graphml_xml(graph, file)


def _write_parquet(path: Path, edges: Edges) -> None:
    ids = {name: edges.columns[name] for name in ("source", "target")}
    numbers = [name for name in edges.columns if name not in ids]
    values = np.column_stack([edges.columns[name] for name in numbers])
    write_table_file(path, ids, values, numbers)


_WRITERS: dict[str, Callable[[BinaryIO, Edges], None]] = {
    ".csv": _write_csv,
    ".graphml": _write_graphml,
    ".json": _write_json,
    ".tsv": _write_tsv,
}
