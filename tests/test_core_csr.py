"""Canonical form, symmetry, sums and the product with a dense block."""

import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis.extra.numpy import arrays
from test_graph import assert_canonical as assert_canonical_graph

from sparsekit.core import csr
from sparsekit.core.memory import CACHE_LINE, aligned_empty
from sparsekit.graph import Graph

small_integers = st.integers(-3, 3).map(float)


def dense_matrices(square=True):
    sizes = st.integers(0, 7)
    shapes = sizes.map(lambda n: (n, n)) if square else st.tuples(sizes, sizes)
    return shapes.flatmap(lambda shape: arrays(np.float64, shape, elements=small_integers))


def packed(A):
    return csr.pack(csr.canonical(A))


def random_csr(n_rows, n_columns, density, seed=0, weighted=True):
    """Rows of very different length, some of them empty, as `canonical` makes them."""
    rng = np.random.default_rng(seed)
    present = rng.random((n_rows, n_columns)) < density * rng.random((n_rows, 1)) * 2
    return csr.canonical(np.where(present, rng.normal(size=present.shape) if weighted else 1.0, 0))


class TestCanonical:
    def test_arrays_that_comply_are_shared_read_only(self):
        given_matrix = sp.csr_array(np.eye(3))
        result = csr.canonical(given_matrix)
        for name in ("data", "indices", "indptr"):
            assert np.shares_memory(getattr(result, name), getattr(given_matrix, name))
            assert getattr(given_matrix, name).flags.writeable
            assert not getattr(result, name).flags.writeable

    def test_what_does_not_comply_is_not_changed(self):
        data, indices, indptr = np.array([1.0, 2, 0, 4]), np.array([2, 0, 1, 1]), [0, 2, 4, 4]
        given_matrix = sp.csr_array((data, indices, indptr), shape=(3, 3))
        result = csr.canonical(given_matrix)
        assert result.toarray().tolist() == [[2, 0, 1], [0, 4, 0], [0, 0, 0]]
        assert given_matrix.data.tolist() == [1, 2, 0, 4]
        assert given_matrix.indices.tolist() == [2, 0, 1, 1]

    def test_rectangular(self):
        assert csr.canonical(sp.csc_array([[0, 2, 1]])).indices.tolist() == [1, 2]

    @given(dense_matrices(square=False))
    def test_content_is_kept(self, A):
        result = csr.canonical(sp.coo_array(A))
        assert np.array_equal(result.toarray(), A)
        assert result.has_canonical_format
        assert result.indices.dtype == np.int32

    def test_wide_indices_stay_where_they_are_needed(self, monkeypatch):
        monkeypatch.setattr(csr, "_NARROW_LIMIT", 2)
        assert csr.canonical(np.eye(3)).indices.dtype == np.int64
        assert csr.canonical(np.eye(2)).indptr.dtype == np.int32

    def test_frozen_copies_only_what_has_gaps(self):
        data = np.arange(1.0, 7.0)[::2]
        result = csr.frozen(data, np.arange(3), np.arange(4), (3, 3))
        assert result.data.flags.c_contiguous
        assert result.toarray().tolist() == np.diag([1.0, 3, 5]).tolist()


class TestEqual:
    def test_content(self):
        A = packed(np.eye(3))
        assert csr.equal(A, packed(sp.coo_array(np.eye(3, dtype=np.int8))))
        for other in (np.eye(4), 2 * np.eye(3), np.eye(3)[::-1], np.zeros((3, 3))):
            assert not csr.equal(A, packed(other))

    def test_unit_weights_differ_from_others_with_the_same_pattern(self):
        assert not csr.equal(packed(np.diag([1.0, 1])), packed(np.diag([1.0, 2])))


class TestSymmetry:
    @given(dense_matrices(square=False))
    def test_is_symmetric(self, A):
        assert csr.is_symmetric(csr.canonical(A)) == np.array_equal(A, A.T)

    @given(dense_matrices())
    def test_symmetrise(self, A):
        graph = csr.symmetrise(csr.canonical(A))
        expected = np.zeros_like(A)
        for i, j in np.ndindex(*A.shape):
            stored = [value for value in (A[i, j], A[j, i]) if value != 0]
            expected[i, j] = max(stored, default=0)
        assert np.array_equal(graph.toarray(), expected)
        assert csr.is_symmetric(graph)
        assert_canonical_graph(Graph(graph))
        assert graph.has_canonical_format

    def test_symmetrise_keeps_negative_weights_of_one_direction(self):
        union = csr.symmetrise(csr.canonical([[0, -2, 0], [0, 0, -3], [0, -1, -4]]))
        assert union.toarray().tolist() == [[0, -2, 0], [-2, 0, -1], [0, -1, -4]]

    def test_symmetrise_leaves_a_symmetric_matrix_alone(self, symmetric_oracle_graph):
        A = csr.canonical(symmetric_oracle_graph)
        assert csr.equal(csr.pack(csr.symmetrise(A)), csr.pack(A))


class TestSums:
    def test_oracle_graphs(self, oracle_graph):
        A = packed(oracle_graph)
        rows, columns = csr.row_sums(A), csr.column_sums(A, len(oracle_graph))
        assert rows.dtype == columns.dtype == np.float64
        np.testing.assert_allclose(rows, oracle_graph.sum(axis=1), rtol=1e-12)
        np.testing.assert_allclose(columns, oracle_graph.sum(axis=0), rtol=1e-12)

    @given(dense_matrices(square=False))
    def test_rectangular(self, A):
        assert csr.row_sums(packed(A)).tolist() == A.sum(axis=1).tolist()
        assert csr.column_sums(packed(A), A.shape[1]).tolist() == A.sum(axis=0).tolist()


class TestPack:
    def test_unit_weights_are_left_out(self):
        assert packed(np.eye(3)).weights.shape == (0,)
        assert packed(2 * np.eye(3)).weights.tolist() == [2, 2, 2]
        assert packed(np.diag([1, 1, 2.0])).weights.tolist() == [1, 1, 2]

    def test_types_do_not_depend_on_the_content(self):
        matrices = [packed(A) for A in (np.zeros((2, 2)), np.eye(2), 3 * np.eye(2))]
        for part in csr.CSR._fields:
            arrays_of_part = [getattr(matrix, part) for matrix in matrices]
            assert len({array.dtype for array in arrays_of_part}) == 1
            assert not any(array.flags.writeable for array in arrays_of_part)

    @given(dense_matrices(square=False))
    def test_unpack_is_the_inverse(self, A):
        result = csr.unpack(packed(A), A.shape[1])
        assert np.array_equal(result.toarray(), A)
        assert result.data.dtype == np.float64
        assert not result.data.flags.writeable

    def test_read_only_leaves_the_given_arrays_writable(self):
        given_arrays = csr.CSR(np.zeros(1, np.int32), np.zeros(0, np.int32), np.zeros(0))
        views = csr.read_only(given_arrays)
        assert not any(view.flags.writeable for view in views)
        assert all(array.flags.writeable for array in given_arrays)
        assert all(view.base is array for view, array in zip(views, given_arrays, strict=True))


class TestMultiply:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("weighted", [True, False])
    @pytest.mark.parametrize("n_columns", [1, 7, 32])
    def test_against_scipy(self, dtype, weighted, n_columns):
        A = random_csr(60, 45, 0.3, weighted=weighted)
        lengths = np.diff(A.indptr)
        assert {0, 1, 2, 3} <= set(lengths % 4)  # every remainder of the unrolled loop
        dense = np.random.default_rng(1).normal(size=(45, n_columns)).astype(dtype)
        product = csr.multiply(csr.pack(A), dense)
        assert product.dtype == dtype
        assert product.shape == (60, n_columns)
        tolerance = {np.float32: 1e-5, np.float64: 1e-13}[dtype]
        np.testing.assert_allclose(product, A @ dense.astype(float), rtol=0, atol=tolerance * 20)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_threads_give_the_same_bits(self, dtype, monkeypatch):
        monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", 4)
        A = csr.pack(random_csr(200, 150, 0.2))
        dense = np.random.default_rng(1).normal(size=(150, 5)).astype(dtype)
        expected = csr.multiply(A, dense)
        for n_jobs in (1, 2, 3, -1):
            assert np.array_equal(csr.multiply(A, dense, n_jobs), expected)

    def test_hubs_and_read_only_blocks(self, hubs):
        dense = np.random.default_rng(0).normal(size=(len(hubs), 4))
        dense.flags.writeable = False
        product = csr.multiply(packed(hubs), dense)
        np.testing.assert_allclose(product, hubs @ dense, atol=1e-12)

    @pytest.mark.parametrize("shape", [(0, 0), (3, 0), (0, 3), (3, 2)])
    def test_nothing_stored(self, shape):
        product = csr.multiply(packed(np.zeros(shape)), np.ones((shape[1], 2)))
        assert product.shape == (shape[0], 2)
        assert not product.any()

    def test_no_columns(self):
        assert csr.multiply(packed(np.eye(3)), np.ones((3, 0))).shape == (3, 0)

    def test_weights_out_of_the_range_of_single_precision(self):
        """Coefficients are formed in double precision, so only the product has to fit."""
        A = csr.canonical(np.diag([1e300, 1e-300, 3e38]))
        total = np.empty(1, np.float32)
        for i, scale, expected in [(0, 1e-300, 1), (1, 1e300, 1), (2, 1e-38, 3)]:
            ones = np.ones((3, 1), np.float32)
            csr.weighted_row_sum(csr.pack(A), i, scale, np.empty(0), ones, 8, total)
            assert total[0] == pytest.approx(expected, rel=1e-6)

    @pytest.mark.parametrize("weighted", [True, False])
    def test_scaled_on_both_sides(self, weighted):
        A = random_csr(20, 20, 0.5, weighted=weighted)
        right = np.linspace(1, 2, 20)
        dense = np.random.default_rng(1).normal(size=(20, 3))
        total = np.empty(3)
        for i in range(20):
            csr.weighted_row_sum(csr.pack(A), i, 2.5, right, dense, 8, total)
            expected = 2.5 * (A.toarray()[i] * right) @ dense
            np.testing.assert_allclose(total, expected, atol=1e-12)


@pytest.mark.parametrize(
    ("n_columns", "dtype", "expected"),
    [(128, np.float32, 24), (128, np.int8, 96), (256, np.float64, 8), (0, np.float32, 96)],
)
def test_rows_are_prefetched_by_bytes_within_limits(n_columns, dtype, expected):
    assert csr.entries_ahead(np.empty((2, n_columns), dtype)) == expected


@pytest.mark.parametrize("shape", [(0, 3), (5, 7), (4, 16)])
@pytest.mark.parametrize("dtype", [np.int8, np.float32, np.float64])
def test_aligned_memory(shape, dtype):
    block = aligned_empty(shape, dtype)
    assert (block.shape, block.dtype) == (shape, dtype)
    assert block.flags.c_contiguous
    assert block.size == 0 or block.ctypes.data % CACHE_LINE == 0
    block[:] = 1  # within the memory that was asked for
    assert block.sum() == block.size


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_row_ranges_cover_the_rows(n_jobs, hubs):
    ranges = csr.row_ranges(packed(hubs), n_jobs)
    assert [i for lo, hi in ranges for i in range(lo, hi)] == list(range(len(hubs)))
