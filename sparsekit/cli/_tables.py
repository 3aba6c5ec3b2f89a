"""Tables of numbers in: csv, tsv, parquet and numpy files. Imports numpy; commands defer it."""

import contextlib
import csv
import gzip
import io
import re
import warnings
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np

__all__ = ["Table", "as_frame", "first_repeated", "read_table"]

_DELIMITERS = {".csv": ",", ".tsv": "\t", ".txt": None}
# Names that arrays of an .npz file may have.
_VALUES, _COLUMNS = ("values", "X", "data"), ("columns", "feature_names")
# What programs write where a value is missing, in small letters.
_MISSING = ("", "-", ".", "?", "n/a", "na", "none", "null")
# The index of a pandas frame that is not 0, 1, 2, ..., in a parquet file: no variable.
_INDEX_COLUMN = re.compile(r"__index_level_\d+__")


class Table(NamedTuple):
    """A table of numbers.

    Attributes
    ----------
    values : ndarray of shape (n_rows, n_columns), float64
    names : list of str or None
        Of the columns; None if the file has none.
    """

    values: np.ndarray
    names: list[str] | None


def read_table(path: Path, *, transpose: bool = False) -> Table:
    """Read a table whose columns, or whose rows, are variables.

    Parameters
    ----------
    path : Path
        The suffix decides: .csv, .tsv and .txt, all of them also with .gz; .parquet, .npy, .npz.
    transpose : bool, default=False
        Whether variables are rows. Their names are then the first column of a text, if it is not
        numbers or has no title, or the only column of a .parquet file that is not numbers. They may
        repeat. If variables are columns, such a column is left out where its names all differ.

    Returns
    -------
    Table

    Raises
    ------
    OSError
        If the file can not be opened.
    ValueError
        If the suffix is unknown, the content is broken or no table of numbers, or names repeat.
    ImportError
        If a package for the format is missing.
    """
    compressed = path.suffix.lower() == ".gz"
    kind = Path(path.stem if compressed else path.name).suffix.lower()
    with path.open("rb"):  # says best why it can not be opened
        pass
    if kind in _DELIMITERS:
        table = _read_text(path, _DELIMITERS[kind], compressed, transpose)
    elif kind in _READERS and not compressed:
        table = _read_other(path, kind, transpose)
    else:
        raise ValueError(
            f"{path}: unknown kind of table: expected .csv, .tsv or .txt, each also with .gz, "
            ".parquet, .npy or .npz."
        )
    return _checked(table, path, may_repeat=transpose)


def as_frame(table: Table) -> Any:
    """Data frame, so that messages name the columns; an array where there is no package for it."""
    if table.names is not None:
        with contextlib.suppress(ImportError):
            import pandas as pd

            return pd.DataFrame(table.values, columns=table.names)
        with contextlib.suppress(ImportError):
            import polars as pl

            return pl.DataFrame(table.values, schema=table.names)
    return table.values


def first_repeated(names: Iterable[str]) -> str | None:
    """Find a name that was there before."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def _checked(table: Table, path: Path, may_repeat: bool) -> Table:
    values, names = table
    if values.ndim != 2 or values.dtype.kind not in "biuf":
        raise ValueError(
            f"{path}: expected a table of numbers, got shape {values.shape} and type "
            f"{values.dtype}."
        )
    if not values.size:
        raise ValueError(f"{path}: no rows of numbers.")
    if names is not None:
        if len(names) != values.shape[1]:
            raise ValueError(f"{path}: {len(names)} names for {values.shape[1]} columns.")
        names = [name.strip() for name in names]
        if "" in names:
            raise ValueError(f"{path}: column {names.index('') + 1} has no name: give it one.")
        repeated = None if may_repeat else first_repeated(names)
        if repeated is not None:
            raise ValueError(f"{path}: two columns are called {repeated!r}: rename one.")
    return Table(values.astype(np.float64, copy=False), names)


def _read_text(path: Path, delimiter: str | None, compressed: bool, transpose: bool) -> Table:
    """Cells separated by the delimiter, or by blanks; the first line may hold names."""
    try:
        data = gzip.decompress(path.read_bytes()) if compressed else path.read_bytes()
        file = io.StringIO(data.decode("utf-8-sig"), newline=None)
    except (UnicodeDecodeError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{path}: not text in UTF-8, or broken: {error}.") from None
    return (_read_rows if transpose else _read_columns)(file, delimiter, path)


def _read_columns(file: TextIO, delimiter: str | None, path: Path) -> Table:
    """Variables are columns; the first line may name them, the first column the rows."""
    first = _next_row(file, delimiter, path)
    titles = first if _are_names(first) else None
    columns = None
    if titles is not None:
        width = len(first) if first[0] == "" else _width_of_named_rows(file, delimiter, path)
        if width:
            columns = range(1, width)
            titles = first if len(first) >= width else ["", *first]  # R gives row names no title
            if first[0] != "" and not _are_names(titles[1:]):
                titles = None  # a sample with its name
    if titles is None:
        file.seek(0)
    values = _load_numbers(file, delimiter, columns, path, titles)
    return Table(values, None if titles is None else titles[columns is not None :])


def _width_of_named_rows(file: TextIO, delimiter: str | None, path: Path) -> int:
    """Cells of a row if rows, from here on, start with names: texts that all differ; else 0."""
    start = file.tell()
    row = _next_row(file, delimiter, path)
    names = []
    if len(row) > 1 and not _is_number(row[0]) and _is_number(row[1]):
        names = [row[0], *(_split(line, delimiter, path)[0] for line in file if line.strip())]
    file.seek(start)
    are_names = len(set(names)) == len(names) > 0 and not any(map(_is_number, names))
    return len(row) if are_names and all(name.lower() not in _MISSING for name in names) else 0


def _read_rows(file: TextIO, delimiter: str | None, path: Path) -> Table:
    """Variables are rows; the first column may name them, the first line the samples."""
    first = _next_row(file, delimiter, path)
    if not _are_titles(first):
        file.seek(0)
    start = file.tell()
    row = _next_row(file, delimiter, path)
    has_names = first[:1] == [""] or bool(row and not _is_number(row[0]))
    file.seek(start)
    if not has_names:
        return Table(_load_numbers(file, delimiter, None, path, None).T, None)
    values = _load_numbers(file, delimiter, range(1, len(row)), path, None)
    file.seek(start)
    names = [_split(line, delimiter, path)[0] for line in file if line.strip()]
    return Table(values.T, names)


def _load_numbers(
    file: TextIO,
    delimiter: str | None,
    columns: Sequence[int] | None,
    path: Path,
    titles: list[str] | None,
) -> np.ndarray:
    options: dict[str, Any] = {"delimiter": delimiter, "usecols": columns, "ndmin": 2}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of no data, which is checked later
            return np.loadtxt(file, quotechar='"', comments=None, **options)
    except ValueError as error:
        raise ValueError(f"{path}: {_explained(str(error), titles)}") from None


def _explained(message: str, names: list[str] | None) -> str:
    """What numpy says about a cell, in the words of the file; its rows count from 0."""
    cell = re.search(r"string (.*) to \w+ at row (\d+), column (\d+)", message)
    if cell:
        row, column = int(cell[2]) + 1, int(cell[3])
        name = f" ({names[column - 1]})" if names and column <= len(names) else ""
        advice = "fill in what is missing, or leave out this row or column"
        if ";" in cell[1]:
            advice = "separate cells by commas, and write decimals with a point"
        return f"row {row}, column {column}{name}: expected a number, got {cell[1]}; {advice}."
    lengths = re.search(r"from (\d+) to (\d+) at row (\d+)", message)
    if lengths:
        return f"row {lengths[3]} has {lengths[2]} cells, those before it {lengths[1]}."
    return message


def _next_row(file: TextIO, delimiter: str | None, path: Path) -> list[str]:
    return _split(file.readline(), delimiter, path)


def _split(line: str, delimiter: str | None, path: Path) -> list[str]:
    """Cells of a line."""
    if delimiter is None:
        return [cell.strip('"') for cell in line.split()]
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error as error:
        raise ValueError(f"{path}: {error}.") from None


def _are_names(first: list[str]) -> bool:
    """Whether a first line holds names, and is not a sample, perhaps one with missing cells."""
    texts = [cell for cell in first if not _is_number(cell)]
    if not texts:
        # Programs number columns without names; in one or two columns that may well be a sample.
        return len(first) > 2 and first == list(map(str, range(len(first))))
    if len(texts) == len(first) or any(cell.lower() not in _MISSING for cell in texts):
        return True
    return first[0] == "" and all(map(str.isdigit, first[1:]))


def _are_titles(first: list[str]) -> bool:
    """Whether a first line names the samples, in a table whose rows start with names."""
    if first[:1] == [""] or not all(_is_number(cell) for cell in first[1:]):
        return True
    return not _is_number(first[0]) and _are_names(first[1:]) if first else False


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _read_other(path: Path, kind: str, transpose: bool) -> Table:
    try:
        return _READERS[kind](path, transpose)
    except (ImportError, MemoryError):
        raise
    except Exception as error:  # zip, zlib, numpy and arrow each have their own
        raise ValueError(f"{path}: not a {kind} file with a table, or broken: {error}") from error


def _read_npy(path: Path, transpose: bool) -> Table:
    values = np.load(path, allow_pickle=False)
    return Table(values.T if transpose else values, None)


def _read_npz(path: Path, transpose: bool) -> Table:
    """One array of two dimensions, perhaps with the names of the variables."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    names = next((arrays[name].tolist() for name in _COLUMNS if name in arrays), None)
    found = [arrays[name] for name in _VALUES if name in arrays]
    found = found or [array for array in arrays.values() if array.ndim == 2]
    if len(found) != 1:
        raise ValueError(f"expected one table, called values, got the arrays {sorted(arrays)}")
    values = found[0].T if transpose else found[0]
    return Table(values, None if names is None else list(map(str, names)))


def _read_parquet(path: Path, transpose: bool) -> Table:
    columns = _parquet_columns(path)
    texts = [name for name, column in columns.items() if column.dtype.kind not in "biuf"]
    names = None
    if len(texts) == 1:
        # Names of the rows, if they all differ; those of variables may repeat.
        found = list(map(str, columns[texts[0]].tolist()))
        if transpose or first_repeated(found) is None:
            names = found
            del columns[texts[0]]
    numbers = {
        name: column for name, column in columns.items() if not _INDEX_COLUMN.fullmatch(name)
    }
    for name, column in numbers.items():
        if column.dtype.kind not in "biuf":
            raise ValueError(f"the column {name!r} is not of numbers but {column.dtype}")
    values = np.column_stack(list(numbers.values()))
    if transpose:
        return Table(values.T, names)
    return Table(values, list(map(str, numbers)))


def _parquet_columns(path: Path) -> dict[str, Any]:
    """By whichever package for parquet is installed."""
    with contextlib.suppress(ImportError):
        import pyarrow.parquet

        table = pyarrow.parquet.read_table(path)
        return {name: table[name].to_numpy() for name in table.column_names}
    with contextlib.suppress(ImportError):
        import polars

        return {column.name: column.to_numpy() for column in polars.read_parquet(path)}
    raise ImportError("parquet needs pyarrow or polars: pip install 'sparsekit[dataframe]'.")


_READERS = {".npy": _read_npy, ".npz": _read_npz, ".parquet": _read_parquet}
