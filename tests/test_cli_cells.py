"""Cells and genes on their way into ``sparsekit grn``."""

import gzip

import numpy as np
import pytest
import scipy.io
import scipy.sparse as sp
from cli_dag_helpers import write_csv

from sparsekit.cli._cells import (
    Cells,
    as_input,
    log_normalised,
    read_cells,
    select_genes,
    zero_shares,
)

COUNTS = np.array([[0, 4.0, 0], [1, 0, 1], [0, 0, 0], [2, 2, 4]])


@pytest.mark.parametrize("make", [np.array, sp.csr_array, sp.csc_array])
def test_log_normalised(make):
    """Totals are 4, 2, 0 and 8: their median without the empty cell is 4."""
    given = make(COUNTS)
    found = log_normalised(Cells(given, None)).values
    dense = found if isinstance(found, np.ndarray) else found.toarray()
    factors = np.array([1, 2, 1, 0.5])[:, None]
    np.testing.assert_allclose(dense, np.log1p(COUNTS * factors))
    assert sp.issparse(found) == sp.issparse(given)
    np.testing.assert_array_equal(given if make is np.array else given.toarray(), COUNTS)


def test_sparse_stays_sparse():
    found = select_genes(Cells(sp.csc_array(COUNTS), ["a", "b", "c"]), ["c", "a"], 2)
    assert sp.issparse(found.values)
    assert found.names == ["c", "a"]
    np.testing.assert_array_equal(found.values.toarray(), COUNTS[:, [2, 0]])


@pytest.mark.parametrize("make", [np.array, sp.csr_array])
def test_zero_shares(make):
    found = zero_shares(Cells(make(COUNTS), None))
    np.testing.assert_allclose(found, [0.5, 0.5, 0.5])


def test_stored_zeros_are_zeros():
    stored = sp.csc_array(COUNTS)
    stored.data[:] = 0
    np.testing.assert_array_equal(zero_shares(Cells(stored, None)), 1)


@pytest.mark.parametrize("make", [np.array, sp.csc_array])
def test_names_reach_the_estimator(make):
    """Also without a package for data frames."""
    given = as_input(Cells(make(COUNTS), ["a", "b", "c"]))
    assert given.var_names == ["a", "b", "c"]
    assert as_input(Cells(given.X, None)) is given.X


NAMED = [[f"cell{i}", *row] for i, row in enumerate(COUNTS.tolist())]


def assert_cells(found, names):
    values, found_names = found
    np.testing.assert_array_equal(values.toarray() if sp.issparse(values) else values, COUNTS)
    assert found_names == names


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ([["cell", "a", "b", "c"]], ["a", "b", "c"]),
        ([["", "a", "b", "c"]], ["a", "b", "c"]),
        ([["a", "b", "c"]], ["a", "b", "c"]),  # as R writes them
        ([["cell", 0, 1, 2]], ["0", "1", "2"]),
        ([], None),
    ],
)
def test_names_of_cells_are_left_out(tmp_path, header, names):
    write_csv(tmp_path / "x.csv", [*header, *NAMED])
    assert_cells(read_cells(tmp_path / "x.csv"), names)


def test_texts_that_repeat_are_no_names(tmp_path):
    rows = [[f"kind{i % 2}", *row] for i, row in enumerate(COUNTS.tolist())]
    write_csv(tmp_path / "x.csv", [["kind", "a", "b", "c"], *rows])
    with pytest.raises(ValueError, match=r"row 1, column 1 \(kind\): expected a number"):
        read_cells(tmp_path / "x.csv")


def test_names_of_cells_in_parquet(tmp_path):
    pytest.importorskip("pyarrow")
    pd = pytest.importorskip("pandas")
    index = pd.Index([row[0] for row in NAMED], name="cell")
    pd.DataFrame(COUNTS, index, list("abc")).to_parquet(tmp_path / "x.parquet")
    assert_cells(read_cells(tmp_path / "x.parquet"), ["a", "b", "c"])


def test_folder(tmp_path):
    """As 10x Genomics writes it: genes x cells."""
    with pytest.raises(ValueError, match=r"without matrix\.mtx"):
        read_cells(tmp_path)
    scipy.io.mmwrite(tmp_path / "matrix.mtx", sp.coo_array(COUNTS.T))
    with pytest.raises(ValueError, match=r"without features\.tsv or genes\.tsv"):
        read_cells(tmp_path)
    (tmp_path / "genes.tsv.gz").write_bytes(gzip.compress(b"ENSG1\ta\nENSG2\tb\nENSG3\tc\n"))
    found = read_cells(tmp_path)
    assert sp.issparse(found.values)
    assert_cells(found, ["a", "b", "c"])
    with pytest.raises(ValueError, match="leave out --transpose"):
        read_cells(tmp_path, transpose=True)
