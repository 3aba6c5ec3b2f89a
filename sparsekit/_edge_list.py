"""Read edge lists from text files: find out the layout, then leave the parsing to numpy."""

import csv
import gzip
import io
import re
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sparsekit._intake import EdgeTable, number_edges

__all__ = ["read_edge_table"]

_COLUMN_NAMES = {
    "source": ("source", "src", "from", "node1", "id1", "protein1", "gene1"),
    "target": ("target", "dst", "dest", "to", "node2", "id2", "protein2", "gene2"),
    "weight": ("weight", "value", "score", "combined_score"),
}
_QUOTED = re.compile(r'"[^"]*"')
# A number with a decimal comma at the end of a line whose columns are separated by blanks.
_DECIMAL_COMMA = re.compile(r"\S\s+\S+\s+[-+]?[0-9]+,[0-9]+\s*$")
# An integer that does not print as it was written ("007", "+1") has to stay a string.
_UNUSUAL_INTEGER = re.compile(r"(?m)(?:^|[\s,;\"])(?:[+-]?0[0-9]|\+[0-9])")


class _Layout(NamedTuple):
    delimiter: str | None  # None: any blanks
    n_columns: int
    columns: list[int]  # of source, target and, if there is one, weight
    has_header: bool


def read_edge_table(path: Any) -> EdgeTable:
    """Read a file of edges; see `sparsekit.graph.read_edge_list` for the format."""
    text = _read_text(Path(path))
    if text.startswith("%%MatrixMarket"):
        raise ValueError(f"{path}: a Matrix Market file, no edge list: read it by scipy.io.mmread.")
    # Not splitlines, which also splits at characters that may be part of a name.
    lines = [line.rstrip("\r\n") for line in io.StringIO(text, newline=None)]
    lines = [line for line in lines if line.strip() and line.lstrip()[0] not in "#%"]
    if not lines:
        raise ValueError(f"{path}: no edges found: the file is empty or holds comments only.")
    try:
        layout = _find_layout(lines[0])
        lines = lines[layout.has_header :]
        if not lines:
            raise ValueError("no edges found below the header line.")
        if layout.has_header:
            _check_widths(lines, layout)
        columns = _read_integers(lines, layout)
        if columns is None or _UNUSUAL_INTEGER.search(text):
            names = _read_names(lines, layout, can_be_integers=columns is not None)
            if columns is None or not _print_alike(columns, names):
                columns = names
        return number_edges(*columns)
    except (ValueError, csv.Error) as error:
        raise ValueError(f"{path}: {error}") from None


def _read_text(path: Path) -> str:
    raw = path.read_bytes()
    if path.suffix.lower() == ".gz":
        try:
            raw = gzip.decompress(raw)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{path}: not a complete gzip file: {error}.") from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path}: not a text file in UTF-8.") from None


def _split(line: str, delimiter: str | None) -> list[str]:
    if delimiter is None and '"' not in line:
        return line.split()
    if delimiter is None:
        line, delimiter = line.strip(), " "
    fields = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))
    return [field.strip() for field in fields]


def _find_layout(first: str) -> _Layout:
    # The comma comes last: it may also stand in names and numbers of the other layouts.
    outside_quotes = _QUOTED.sub("", first)
    delimiter = next((mark for mark in ("\t", ";", ",") if mark in outside_quotes), None)
    if delimiter == "," and _DECIMAL_COMMA.search(first):
        raise ValueError(
            f"decimal commas are not understood, write 0.5 for 0,5 in {first[:60]!r}; if the comma "
            "separates two names, start with a header line source,target."
        )
    fields = _split(first, delimiter)
    lowered = [field.lower() for field in fields]
    found = [
        next((lowered.index(name) for name in names if name in lowered), None)
        for names in _COLUMN_NAMES.values()
    ]
    if found[0] is not None and found[1] is not None:
        columns = [column for column in found if column is not None]
        return _Layout(delimiter, len(fields), columns, True)
    if len(fields) not in (2, 3):
        raise ValueError(
            f"expected two ids and optionally a weight a line, got {len(fields)} column(s) in "
            f"{first[:60]!r}; with more columns, start with a header line that names the columns "
            "source and target."
        )
    return _Layout(delimiter, len(fields), list(range(len(fields))), False)


def _load(lines: list[str], layout: _Layout, dtype: Any, columns: list[int] | None) -> np.ndarray:
    return np.loadtxt(
        lines,
        dtype=dtype,
        comments=None,
        delimiter=layout.delimiter,
        usecols=columns,
        quotechar='"',
        ndmin=1,
    )


def _read_integers(lines: list[str], layout: _Layout) -> tuple | None:
    """Columns of a file whose ids are all integers, or None if some are not."""
    fields = [("source", np.int64), ("target", np.int64), ("weight", np.float64)]
    columns = layout.columns if layout.has_header else None
    try:
        table = _load(lines, layout, np.dtype(fields[: len(layout.columns)]), columns)
    except ValueError:
        return None
    return tuple(table[name] for name, _ in fields[: len(layout.columns)])


def _print_alike(columns: tuple, names: tuple) -> bool:
    """Whether the integer ids print as they were written: otherwise 007 and 7 would be one node."""
    return all(np.array_equal(columns[i].astype(str), names[i]) for i in range(2))


def _read_names(lines: list[str], layout: _Layout, *, can_be_integers: bool) -> tuple:
    """Columns of a file whose ids are names."""
    if not layout.has_header:  # otherwise they were checked before
        _check_widths(lines, layout)
    first_fields = _split(lines[0], layout.delimiter)
    may_be_header = not (layout.has_header or can_be_integers or first_fields[0].isdecimal())
    if may_be_header and len(lines) > 1 and _read_integers(lines[1:], layout):
        raise ValueError(
            f"the first line {lines[0][:60]!r} looks like a header, but its columns are not called "
            "source, target and weight: rename them or delete the line."
        )
    if any('"' in line for line in lines):
        table = np.array([_split(line, layout.delimiter) for line in lines])
    else:
        table = np.char.strip(_load(lines, layout, str, None).reshape(-1, layout.n_columns))
    columns = [table[:, column] for column in layout.columns]
    if any(np.any(column == "") for column in columns):
        raise ValueError("an id or a weight is empty.")
    if len(columns) == 3:
        columns[2] = columns[2].astype(np.float64)  # numpy names the value it can not convert
    return tuple(columns)


def _check_widths(lines: list[str], layout: _Layout) -> None:
    for number, line in enumerate(lines, start=1):
        if layout.delimiter and '"' not in line:
            n_columns = line.count(layout.delimiter) + 1
        else:
            n_columns = len(_split(line, layout.delimiter))
        if n_columns != layout.n_columns:
            raise ValueError(
                f"edge {number} has {n_columns} column(s), the first line {layout.n_columns}: "
                f"{line[:60]!r}."
            )
