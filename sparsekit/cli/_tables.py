"""Tables of numbers in: csv, tsv, parquet and numpy files. Imports numpy; commands defer it."""

import contextlib
import csv
import gzip
import io
import re
import warnings
import zlib
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np

__all__ = ["Table", "read_table"]

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


def read_table(path: Path) -> Table:
    """Read a table whose columns are variables.

    Parameters
    ----------
    path : Path
        The suffix decides: .csv, .tsv and .txt, all of them also with .gz; .parquet, .npy, .npz.

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
        table = _read_text(path, _DELIMITERS[kind], compressed)
    elif kind in _READERS and not compressed:
        table = _read_other(path, kind)
    else:
        raise ValueError(
            f"{path}: unknown kind of table: expected .csv, .tsv or .txt, each also with .gz, "
            ".parquet, .npy or .npz."
        )
    return _checked(table, path)


def _checked(table: Table, path: Path) -> Table:
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
        repeated = [name for number, name in enumerate(names) if name in names[:number]]
        if repeated:
            raise ValueError(f"{path}: two columns are called {repeated[0]!r}: rename one.")
    return Table(values.astype(np.float64, copy=False), names)


def _read_text(path: Path, delimiter: str | None, compressed: bool) -> Table:
    """Cells separated by the delimiter, or by blanks; the first line may hold names."""
    try:
        data = gzip.decompress(path.read_bytes()) if compressed else path.read_bytes()
        file = io.StringIO(data.decode("utf-8-sig"), newline=None)
    except (UnicodeDecodeError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{path}: not text in UTF-8, or broken: {error}.") from None
    first = _first_row(file, delimiter, path)
    has_names = _are_names(first)
    if not has_names:
        file.seek(0)
    # Tables of other programs have a column of row names, without a title.
    first_column = 1 if has_names and first[0] == "" else 0
    columns = range(first_column, len(first)) if first_column else None
    options: dict[str, Any] = {"delimiter": delimiter, "usecols": columns, "ndmin": 2}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of no data, which is checked later
            values = np.loadtxt(file, quotechar='"', comments=None, **options)
    except ValueError as error:
        reason = _explained(str(error), first if has_names else None)
        raise ValueError(f"{path}: {reason}") from None
    return Table(values, first[first_column:] if has_names else None)


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


def _first_row(file: TextIO, delimiter: str | None, path: Path) -> list[str]:
    line = file.readline()
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


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _read_other(path: Path, kind: str) -> Table:
    try:
        return _READERS[kind](path)
    except (ImportError, MemoryError):
        raise
    except Exception as error:  # zip, zlib, numpy and arrow each have their own
        raise ValueError(f"{path}: not a {kind} file with a table, or broken: {error}") from error


def _read_npy(path: Path) -> Table:
    return Table(np.load(path, allow_pickle=False), None)


def _read_npz(path: Path) -> Table:
    """One array of two dimensions, perhaps with the names of its columns."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    names = next((arrays[name].tolist() for name in _COLUMNS if name in arrays), None)
    found = [arrays[name] for name in _VALUES if name in arrays]
    found = found or [array for array in arrays.values() if array.ndim == 2]
    if len(found) != 1:
        raise ValueError(f"expected one table, called values, got the arrays {sorted(arrays)}")
    return Table(found[0], None if names is None else list(map(str, names)))


def _read_parquet(path: Path) -> Table:
    columns = {
        name: column
        for name, column in _parquet_columns(path).items()
        if not _INDEX_COLUMN.fullmatch(name)
    }
    for name, column in columns.items():
        if column.dtype.kind not in "biuf":
            raise ValueError(f"the column {name!r} is not of numbers but {column.dtype}")
    return Table(np.column_stack(list(columns.values())), list(map(str, columns)))


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
