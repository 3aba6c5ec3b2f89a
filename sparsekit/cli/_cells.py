"""Cells x genes tables in: text, parquet, numpy, Matrix Market and AnnData files.

Sparse files stay sparse. Imports numpy and scipy; commands defer it.
"""

import csv
import gzip
import io
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import scipy.io
import scipy.sparse as sp

from sparsekit.cli._tables import first_repeated, read_table

__all__ = ["Cells", "as_input", "log_normalised", "read_cells", "select_genes", "zero_shares"]

# Unknown names that a message lists.
_MOST_NAMES = 5
# The name of `.raw` of an AnnData file, which is no layer.
_RAW = "raw"


class Cells(NamedTuple):
    """Expression of genes in cells.

    Attributes
    ----------
    values : ndarray or csc_array of shape (n_cells, n_genes), float64
    names : list of str or None
        Of the genes; None if the file has none.
    """

    values: Any
    names: list[str] | None


def read_cells(
    path: Path, *, transpose: bool = False, gene_names: Path | None = None, layer: str | None = None
) -> Cells:
    """Read a table of cells and genes.

    Parameters
    ----------
    path : Path
        The suffix decides: .h5ad, .mtx (also with .gz), .npz of scipy, or what `read_table` reads.
        A folder holds what 10x Genomics writes: matrix.mtx, and features.tsv or genes.tsv.
    transpose : bool, default=False
        Whether rows are genes.
    gene_names : Path, default=None
        Names of the genes, one a line; of several columns, as 10x writes them, the second one.
    layer : str, default=None
        Of an .h5ad file: a layer, or ``raw`` for ``.raw.X``; ``.X`` if omitted.

    Returns
    -------
    Cells
        Names may repeat.

    Raises
    ------
    OSError
        If a file can not be opened.
    ValueError
        If the content is broken, or does not fit the options.
    ImportError
        If a package for the format is missing.
    """
    kind = _kind_of(path)
    if layer is not None and kind != ".h5ad":
        raise ValueError(f"--layer is for .h5ad files, got {path}: leave it out.")
    if path.is_dir():
        if transpose:
            raise ValueError(f"{path}: rows of a folder are always genes: leave out --transpose.")
        matrix = _in_folder(path, "matrix.mtx")
        names = gene_names or _in_folder(path, "features.tsv", "genes.tsv")
        return read_cells(matrix, transpose=True, gene_names=names)
    with path.open("rb"):  # says best why it can not be opened
        pass
    if kind == ".h5ad":
        if transpose or gene_names is not None:
            raise ValueError(
                f"{path}: .h5ad files are cells x genes and name their genes: leave out "
                "--transpose and --gene-names."
            )
        return _read_h5ad(path, layer)
    if kind == ".mtx" or (kind == ".npz" and _is_sparse(path)):
        values = _as_columns(_read_sparse(path, kind), path, transpose)
        cells = Cells(values, None)
    else:
        cells = Cells(*read_table(path, transpose=transpose))
    return cells if gene_names is None else _named(cells, gene_names, path)


def select_genes(cells: Cells, wanted: Sequence[str] | None, min_cells: int | None) -> Cells:
    """Keep some genes.

    Parameters
    ----------
    cells : Cells
    wanted : sequence of str or None
        Names, or numbers if the genes have none; the order of the result. None: all.
    min_cells : int or None
        Genes that are not zero in fewer cells are dropped.

    Raises
    ------
    ValueError
        If a name is unknown or not unique, or nothing is left.
    """
    values, names = cells
    if wanted is not None:
        columns = _columns_of(wanted, names or list(map(str, range(values.shape[1]))))
        values, names = values[:, columns], list(wanted)
    if min_cells is not None:
        kept = np.flatnonzero(_nonzero_cells(values) >= min_cells)
        values = values[:, kept]
        names = None if names is None else [names[column] for column in kept.tolist()]
    if not values.shape[1]:
        raise ValueError("no genes are left: take a smaller --min-cells.")
    if names is not None and (repeated := first_repeated(names)) is not None:
        raise ValueError(
            f"two genes are called {repeated!r}: choose others by --genes, or give names that "
            "differ by --gene-names."
        )
    return Cells(values, names)


def log_normalised(cells: Cells) -> Cells:
    """Scale each cell to the median total of the cells, then take log(1 + x); zeros stay zeros.

    Raises
    ------
    ValueError
        If a value is negative.
    """
    values = cells.values
    data = values.data if sp.issparse(values) else values
    if data.size and data.min() < 0:
        raise ValueError(
            "--log-normalize takes counts, but some values are negative: leave it out for data "
            "that are normalised already."
        )
    totals = np.asarray(values.sum(axis=1)).ravel()
    positive = totals > 0
    factors = np.ones(len(totals))
    factors[positive] = np.median(totals[positive]) / totals[positive] if positive.any() else 1.0
    if sp.issparse(values):
        scaled = sp.csc_array(values, copy=True)
        scaled.data = np.log1p(scaled.data * factors[scaled.indices])
        return cells._replace(values=scaled)
    return cells._replace(values=np.log1p(values * factors[:, None]))


def zero_shares(cells: Cells) -> np.ndarray:
    """In which share of the cells each gene is zero."""
    n_cells = cells.values.shape[0]
    return (n_cells - _nonzero_cells(cells.values)) / n_cells


def as_input(cells: Cells) -> Any:
    """What an estimator takes, with names if there are any, so that messages name the genes."""
    if cells.names is None:
        return cells.values
    return SimpleNamespace(X=cells.values, var_names=cells.names)


def _kind_of(path: Path) -> str:
    """Suffix in small letters, without .gz."""
    inner = path.stem if path.suffix.lower() == ".gz" else path.name
    return Path(inner).suffix.lower()


def _in_folder(folder: Path, *names: str) -> Path:
    """The first of these files that there is, perhaps with .gz."""
    for name in names:
        for path in (folder / name, folder / f"{name}.gz"):
            if path.exists():
                return path
    raise ValueError(
        f"{folder}: a folder without {' or '.join(names)}, each perhaps with .gz: expected a file "
        "with cells and genes, or what 10x Genomics writes."
    )


def _columns_of(wanted: Sequence[str], names: Sequence[str]) -> list[int]:
    numbers: dict[str, list[int]] = {}
    for number, name in enumerate(names):
        numbers.setdefault(name, []).append(number)
    unknown = [repr(name) for name in wanted if name not in numbers]
    if unknown:
        hidden = f" and {len(unknown) - _MOST_NAMES} more" if len(unknown) > _MOST_NAMES else ""
        raise ValueError(
            f"--genes: not among the {len(names)} genes, such as {', '.join(names[:3])}: "
            f"{', '.join(unknown[:_MOST_NAMES])}{hidden}."
        )
    for name in wanted:
        if len(numbers[name]) > 1:
            raise ValueError(
                f"--genes: {len(numbers[name])} genes are called {name!r}: give names that differ "
                "by --gene-names."
            )
    return [numbers[name][0] for name in wanted]


def _nonzero_cells(values: Any) -> np.ndarray:
    """In how many cells each gene is not zero."""
    if not sp.issparse(values):
        return np.count_nonzero(values, axis=0)
    return np.asarray((values != 0).sum(axis=0)).ravel()


def _named(cells: Cells, path: Path, source: Path) -> Cells:
    names = _read_names(path)
    n_genes = cells.values.shape[1]
    if len(names) != n_genes:
        hint = " (rows are genes: --transpose)" if len(names) == cells.values.shape[0] else ""
        raise ValueError(f"{path}: {len(names)} names for the {n_genes} genes of {source}{hint}.")
    return cells._replace(names=names)


def _read_names(path: Path) -> list[str]:
    """One name a line; of several columns, as in features.tsv of 10x, the second one."""
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix.lower() == ".gz" else data).decode("utf-8-sig")
    except (UnicodeDecodeError, gzip.BadGzipFile, EOFError) as error:
        raise ValueError(f"{path}: not text in UTF-8, or broken: {error}.") from None
    delimiter = "," if _kind_of(path) == ".csv" else "\t"
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if row]
    return [row[min(1, len(row) - 1)].strip() for row in rows]


def _is_sparse(path: Path) -> bool:
    """Whether a .npz file was written by scipy."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return "indptr" in file.files
    except Exception:  # broken: `read_table` says so
        return False


def _read_sparse(path: Path, kind: str) -> Any:
    try:
        if kind == ".npz":
            return sp.load_npz(path)
        if path.suffix.lower() == ".gz":  # scipy by itself knows small letters only
            with gzip.open(path) as file:
                return scipy.io.mmread(file, spmatrix=False)
        return scipy.io.mmread(path, spmatrix=False)
    except MemoryError:
        raise
    except Exception as error:  # zip, zlib, numpy and scipy each have their own
        raise ValueError(f"{path}: not a {kind} file with a matrix, or broken: {error}") from error


def _as_columns(matrix: Any, path: Path, transpose: bool) -> Any:
    """Columns of numbers; dense stays dense, sparse stays sparse."""
    if matrix is None or matrix.ndim != 2 or matrix.dtype.kind not in "biuf":
        kind = None if matrix is None else matrix.dtype
        raise ValueError(f"{path}: expected a matrix of numbers, got one of {kind}.")
    if not min(matrix.shape):
        raise ValueError(f"{path}: expected cells and genes, got shape {matrix.shape}.")
    matrix = matrix.T if transpose else matrix
    if sp.issparse(matrix):
        return sp.csc_array(matrix, dtype=np.float64)
    return np.asarray(matrix, dtype=np.float64)


def _read_h5ad(path: Path, layer: str | None) -> Cells:
    try:
        import anndata
    except ImportError as error:
        raise ImportError(".h5ad files need anndata: pip install 'sparsekit[anndata]'.") from error
    try:
        data = anndata.read_h5ad(path)
    except MemoryError:
        raise
    except Exception as error:  # h5py and anndata have many
        raise ValueError(f"{path}: not an AnnData file, or broken: {error}") from error
    part, matrix = data, data.X
    if layer is not None and layer in data.layers:
        matrix = data.layers[layer]
    elif layer == _RAW and data.raw is not None:
        part, matrix = data.raw, data.raw.X
    elif layer is not None:
        known = sorted([*data.layers, *([_RAW] if data.raw is not None else [])])
        raise ValueError(f"{path}: no layer {layer!r}: it has {', '.join(known) or 'none'}.")
    names = [str(name) for name in part.var_names]
    return Cells(_as_columns(matrix, path, transpose=False), names)
