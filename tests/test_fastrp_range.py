"""FastRP where numbers grow, shrink or cancel: right or refused, never silently wrong."""

import naive
import numpy as np
import pytest
from fastrp_helpers import random_graph, random_matrix, relative_error

from sparsekit.embedding import FastRP
from sparsekit.embedding._kernels import _norm


def test_huge_and_tiny_weights_do_not_overflow_single_precision():
    A = random_graph(7, weighted=False)
    for operator in ("random_walk", "adjacency", "symmetric"):
        expected = FastRP(8, operator=operator, random_state=0).fit(A).embedding_
        for unit in (2.0**-200, 2.0**200):
            found = FastRP(8, operator=operator, random_state=0).fit(unit * A).embedding_
            assert relative_error(found, expected) < 2e-5


def test_many_hops_of_the_adjacency_do_not_overflow():
    A = np.ones((300, 300))
    E = FastRP(8, operator="adjacency", hop_weights=40, random_state=0).fit(A).embedding_
    assert np.all(np.isfinite(E))
    with pytest.raises(ValueError, match="overflows float32: use normalize=True"):
        FastRP(8, operator="adjacency", hop_weights=40, normalize=False).fit(A)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_components_of_very_different_size_do_not_disturb_each_other(dtype):
    """With the adjacency as operator, hops of a dense component grow far faster."""
    A = np.zeros((1002, 1002))
    A[:1000, :1000] = 1 - np.eye(1000)
    A[1000, 1001] = A[1001, 1000] = 1
    model = FastRP(16, operator="adjacency", dtype=dtype, random_state=0)
    R = random_matrix(1002, 16)[1000:]
    pair = naive.fastrp(A[1000:, 1000:], R, hop_weights=16, operator="adjacency")
    assert relative_error(model.fit(A).embedding_[1000:], pair) < 1e-5
    scales = np.diag([1.0, 1e-4, 1e-6])
    edges = np.kron(scales, np.array([[0, 1], [1, 0]]))
    for unit in (1e-20, 1.0, 1e20):
        model = FastRP(8, hop_weights=(1,), operator="adjacency", dtype=dtype, random_state=0)
        norms = np.linalg.norm(model.fit(unit * edges).embedding_, axis=1)
        np.testing.assert_allclose(norms, np.any(random_matrix(6, 8)[[1, 0, 3, 2, 5, 4]], axis=1))


def test_symmetric_operator_of_very_different_weights():
    pair = np.array([[0, 1.0], [1.0, 0]])
    A = np.kron(np.diag([1e52, 1e-52]), pair)
    found = FastRP(8, operator="symmetric", random_state=0).fit(A).embedding_
    expected = FastRP(8, operator="symmetric", random_state=0).fit(np.kron(np.eye(2), pair))
    np.testing.assert_allclose(found, expected.embedding_, atol=1e-5)


def test_rows_that_single_precision_can_not_hold_are_refused():
    A = np.kron(np.diag([1e30, 1.0]), np.array([[0, 1.0], [1.0, 0]]))
    with pytest.raises(ValueError, match=r"rows too small for float32.*float64"):
        FastRP(8, operator="adjacency", random_state=0, hop_weights=4).fit(A)
    double = FastRP(8, operator="adjacency", random_state=0, hop_weights=4, dtype=np.float64)
    assert np.all(np.any(double.fit(A).embedding_, axis=1))
    with pytest.raises(ValueError, match="overflow float32: make them smaller"):
        FastRP(4, hop_weights=(1e39,)).fit(A)


def test_weights_beyond_double_precision_are_refused():
    A = np.zeros((3, 3))
    A[0, 1:] = A[1:, 0] = 1.5e308
    with pytest.raises(ValueError, match="rescale the weights"):
        FastRP(4).fit(A)
    with pytest.raises(ValueError, match="rescale the weights"):
        FastRP(4, operator="symmetric").fit(np.full((3, 1), 1e308) * [[1, 0, 0]] + np.eye(3))
    tiny = np.full((2, 2), 5e-324)
    with pytest.raises(ValueError, match="rescale the weights"):
        FastRP(4).fit(tiny)
    with pytest.raises(ValueError, match="move it towards 0"):
        FastRP(4, beta=-1e6).fit(random_graph(0))


def test_cancelled_rows_are_zero():
    """Two neighbours with opposite vectors leave rounding noise that must not be blown up."""
    R = random_matrix(40, 2, sparsity=1.0)
    i = 0
    j = next(j for j in range(1, 40) if np.array_equal(R[j], -R[i]))
    A = np.zeros((41, 41))
    A[40, [i, j]] = A[[i, j], 40] = 0.1  # the mean of x and -x, weighted 0.1 / 0.2 each
    A[40, i] = A[i, 40] = 0.1 + 1e-17
    for dtype in (np.float32, np.float64):
        model = FastRP(2, hop_weights=(1,), sparsity=1.0, dtype=dtype, random_state=0)
        np.testing.assert_array_equal(model.fit(A).embedding_[40], 0)


@pytest.mark.parametrize("size", [1e-30, 1.0, 1e30])
def test_norms_of_single_precision_rows_are_taken_in_double_precision(size):
    row = np.full(4, size, dtype=np.float32)
    assert _norm(row) == pytest.approx(2 * float(row[0]), rel=1e-12)


def test_neighbours_without_random_numbers_are_no_reason_to_distrust_a_row():
    R = np.sign(random_matrix(200, 16, sparsity=1000.0))
    silent = next(i for i in range(200) if not R[i].any())
    heard = next(i for i in range(200) if R[i].any())
    A = np.zeros((201, 201))
    A[200, silent], A[200, heard] = 1.0, 1e-6
    model = FastRP(16, hop_weights=(1.0,), sparsity=1000.0, random_state=0)
    assert np.linalg.norm(model.fit(A).embedding_[200]) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "settings",
    [
        {"hop_weights": (1.0, 0.0, 1e-30)},
        {"hop_weights": (1.0,), "self_weight": 1.0, "operator": "adjacency"},
        {"hop_weights": (), "self_weight": 1.0},
    ],
)
def test_every_term_is_checked_for_overflow(settings):
    A = 1e-30 * (np.eye(6, k=1) + np.eye(6, k=-1))
    with pytest.raises(ValueError, match="the embedding overflows float32"):
        FastRP(8, normalize=False, beta=-60, **settings).fit(A)
