"""Graphs in, tables out: the files of all commands. Imports numpy and scipy; commands defer it."""

import contextlib
import csv
import errno
import gzip
import io
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import scipy.io
import scipy.sparse as sp

from sparsekit.graph import Graph, read_edge_list

__all__ = [
    "PLAIN_SUFFIXES",
    "TABLE_SUFFIXES",
    "check_folder",
    "check_output",
    "read_graph",
    "replacing",
    "write_table_file",
]

_EDGE_LIST_SUFFIXES = (".csv", ".edgelist", ".edges", ".tsv", ".txt")

# Formats of any table, and the bare integers that other programs for graphlets read.
TABLE_SUFFIXES = (".csv", ".npz", ".parquet")
PLAIN_SUFFIXES = (".ndump2", ".out")


def read_graph(path: Path, directed: bool | None) -> Graph:
    """Read a graph from an edge list, a sparse matrix of scipy or a Matrix Market file.

    Parameters
    ----------
    path : Path
        The suffix decides: .csv, .edgelist, .edges, .tsv, .txt (edge list) and .mtx, all of them
        also with .gz, or .npz.
    directed : bool or None
        None: an edge list is undirected, a matrix is directed unless it is symmetric.

    Returns
    -------
    Graph

    Raises
    ------
    OSError
        If the file can not be opened.
    ValueError
        If the suffix is unknown or the content is broken.
    """
    compressed = path.suffix.lower() == ".gz"
    kind = Path(path.stem if compressed else path.name).suffix.lower()
    with path.open("rb"):  # says best why it can not be opened
        pass
    if kind in _EDGE_LIST_SUFFIXES:
        return read_edge_list(path, directed=bool(directed))
    if kind == ".mtx":
        return _read_matrix(path, _read_market, "a Matrix Market file", directed)
    if kind == ".npz" and not compressed:
        return _read_matrix(path, sp.load_npz, "written by scipy.sparse.save_npz", directed)
    known = ", ".join(_EDGE_LIST_SUFFIXES)
    raise ValueError(
        f"{path}: unknown kind of graph file: expected an edge list ({known}), Matrix Market "
        "(.mtx), both also with .gz, or a scipy sparse matrix (.npz)."
    )


def _read_market(path: Path) -> Any:
    """A matrix; scipy by itself knows compressed files by .gz in small letters only."""
    if path.suffix.lower() != ".gz":
        return scipy.io.mmread(path)
    with gzip.open(path) as file:
        return scipy.io.mmread(file)


def _read_matrix(
    path: Path, read: Callable[[Any], Any], expected: str, directed: bool | None
) -> Graph:
    try:
        matrix = read(path)
    except MemoryError:
        raise
    except Exception as error:  # zip, zlib, numpy and scipy each have their own
        raise ValueError(f"{path}: not {expected}, or broken: {error}") from error
    try:
        return Graph(matrix, directed=directed)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def check_output(path: Path, source: Path, suffixes: Sequence[str] = TABLE_SUFFIXES) -> None:
    """Find out before a long computation whether its result can be written.

    Parameters
    ----------
    path : Path
        An existing file will be replaced.
    source : Path
        The input, which must be another file.
    suffixes : sequence of str
        What the path may end in.

    Raises
    ------
    OSError
        If the folder is missing or not writable, or the path is something other than a file.
    ValueError
        If the suffix is unknown or the path is the input.
    ImportError
        If a package for the format is missing.
    """
    if path.suffix.lower() not in suffixes:
        raise ValueError(
            f"{path}: unknown kind of output file: expected the suffix {', '.join(suffixes)}."
        )
    check_folder(path.parent)
    if path.exists():
        if not path.is_file():
            raise FileExistsError(errno.EEXIST, "exists and is not a file", str(path))
        if path.samefile(source):
            raise ValueError(f"{path}: is the input file: choose another name for the output.")
        if not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    if path.suffix.lower() == ".parquet":
        _parquet_writer()


def check_folder(folder: Path) -> None:
    """Raise OSError unless files can be created in the folder."""
    if not folder.is_dir():
        code = errno.ENOTDIR if folder.exists() else errno.ENOENT
        raise OSError(code, os.strerror(code), str(folder))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file that appears under its name only once it is complete.

    Parameters
    ----------
    path : Path
        Links are followed; the permissions of an existing file are kept.

    Yields
    ------
    file object
        Binary; next to the target under a temporary name, which is removed after an exception.
    """
    target = path.resolve()
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            yield file
        if target.exists():
            shutil.copymode(target, part)
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_table_file(
    path: Path, ids: dict[str, np.ndarray], values: np.ndarray, column_names: list[str]
) -> None:
    """Write one row a node or edge, in the format that the suffix says.

    Parameters
    ----------
    path : Path
        Checked by `check_output`.
    ids : dict of ndarray of shape (n_rows,)
        What each row is, by the name of the column: ``node``, or ``source`` and ``target``.
    values : ndarray of shape (n_rows, n_columns)
    column_names : list of n_columns str

    Raises
    ------
    OSError
        If writing fails; nothing is left behind then.
    """
    with replacing(path) as file:
        _WRITERS[path.suffix.lower()](file, ids, values, column_names)


def _write_csv(
    file: BinaryIO, ids: dict[str, np.ndarray], values: np.ndarray, column_names: list[str]
) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*ids, *column_names])
    names = zip(*(column.tolist() for column in ids.values()), strict=True)
    # Floats as numpy scalars: they print with the fewest digits that read back as the same number.
    rows = values.tolist() if values.dtype.kind in "iu" else values
    writer.writerows([*name, *row] for name, row in zip(names, rows, strict=True))
    text.detach()


def _write_npz(
    file: BinaryIO, ids: dict[str, np.ndarray], values: np.ndarray, column_names: list[str]
) -> None:
    arrays: dict[str, Any] = {"values": values, "columns": np.array(column_names)}
    np.savez(file, **(arrays | ids))


def _write_parquet(
    file: BinaryIO, ids: dict[str, np.ndarray], values: np.ndarray, column_names: list[str]
) -> None:
    columns = dict(zip(column_names, values.T, strict=True))
    _parquet_writer()(ids | columns, file)


def _write_plain(
    file: BinaryIO, ids: dict[str, np.ndarray], values: np.ndarray, column_names: list[str]
) -> None:
    """Integers separated by blanks, without a header and without the ids."""
    for row in values.tolist():
        file.write((" ".join(map(str, row)) + "\n").encode("ascii"))


def _parquet_writer() -> Callable[[dict[str, np.ndarray], BinaryIO], None]:
    """Whichever package for parquet is installed."""
    with contextlib.suppress(ImportError):
        import pyarrow
        import pyarrow.parquet

        return lambda columns, file: pyarrow.parquet.write_table(pyarrow.table(columns), file)
    with contextlib.suppress(ImportError):
        import polars

        return lambda columns, file: polars.DataFrame(columns).write_parquet(file)
    raise ImportError("parquet needs pyarrow or polars: pip install 'sparsekit[dataframe]'.")


_WRITERS = {
    ".csv": _write_csv,
    ".npz": _write_npz,
    ".parquet": _write_parquet,
} | dict.fromkeys(PLAIN_SUFFIXES, _write_plain)
