"""Inverses of M-matrices against scipy, and what must be refused."""

import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.linalg
from hypothesis import given

from sparsekit.core.linalg import invert_m_matrix


def m_matrix(n, density, share, seed):
    """Matrix s I - A with A >= 0 of spectral radius `share` times s (or 0), and s."""
    rng = np.random.default_rng(seed)
    A = rng.uniform(size=(n, n)) * (rng.random((n, n)) < density)
    radius = max(abs(np.linalg.eigvals(A)), default=0.0)
    s = rng.uniform(0.5, 2)
    if radius > 1e-3:
        return s * np.eye(n) - A * (share * s / radius), s
    return s * np.eye(n) - np.triu(A, k=1), s


matrices = st.builds(
    m_matrix, st.integers(1, 12), st.floats(0, 1), st.floats(0, 0.999), st.integers(0, 2**32 - 1)
)
overwrites = pytest.mark.parametrize("overwrite", [False, True])


@given(matrix=matrices, overwrite=st.booleans())
def test_inverse_and_determinant_are_those_of_scipy(matrix, overwrite):
    M, s = matrix
    result = invert_m_matrix(M.copy(), overwrite=overwrite)
    expected = scipy.linalg.inv(M)
    np.testing.assert_allclose(result.inverse, expected, rtol=0, atol=1e-10 * expected.max())
    sign, log_determinant = np.linalg.slogdet(M)
    assert sign == 1
    assert result.log_determinant == pytest.approx(log_determinant, rel=1e-9, abs=1e-9)
    # M^-1 = (I + A/s + (A/s)^2 + ...) / s
    assert result.inverse.diagonal().min() >= (1 - 1e-9) / s
    assert result.inverse.dtype == np.float64
    assert isinstance(result.log_determinant, float)


@given(
    n=st.integers(2, 10),
    density=st.floats(0.3, 1),
    share=st.one_of(st.floats(0, 0.999), st.floats(1.001, 20)),
    seed=st.integers(0, 2**32 - 1),
)
def test_accepted_exactly_if_the_spectral_radius_is_below_the_diagonal(n, density, share, seed):
    """Also where the determinant is positive again beyond further eigenvalues."""
    M, s = m_matrix(n, density, share, seed)
    radius = max(abs(np.linalg.eigvals(s * np.eye(n) - M)))
    assert (invert_m_matrix(M) is not None) == (radius < s)


@pytest.mark.parametrize(
    "M",
    [
        [[0.0]],
        [[-1.0]],
        [[1.0, -1.0], [-1.0, 1.0]],
        [[1.0, -2.0], [-2.0, 1.0]],
        np.zeros((3, 3)),
        -np.eye(4),
        # Two cycles outside the domain at once: the determinant is positive.
        scipy.linalg.block_diag([[1.0, -2.0], [-2.0, 1.0]], [[1.0, -2.0], [-2.0, 1.0]]),
        [[np.nan]],
        [[1.0, np.nan], [0.0, 1.0]],
        [[1.0, 0.0], [np.nan, 1.0]],
        [[np.inf, 0.0], [0.0, 1.0]],
        [[1.0, -np.inf], [0.0, 1.0]],
        [[1.0, 0.0], [-np.inf, 1.0]],
    ],
)
@overwrites
def test_what_is_no_nonsingular_m_matrix(M, overwrite):
    assert invert_m_matrix(np.array(M, dtype=float), overwrite=overwrite) is None


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
@overwrites
def test_one_by_one(scale, overwrite):
    result = invert_m_matrix(np.array([[2.0 * scale]]), overwrite=overwrite)
    assert result.inverse == pytest.approx(0.5 / scale)
    assert result.log_determinant == pytest.approx(np.log(2 * scale))


@overwrites
def test_no_rows(overwrite):
    result = invert_m_matrix(np.empty((0, 0)), overwrite=overwrite)
    assert result.inverse.shape == (0, 0)
    assert result.log_determinant == 0


def test_input_is_left_alone_unless_it_may_be_overwritten():
    M, _ = m_matrix(6, 0.5, 0.5, 0)
    kept = M.copy()
    M.flags.writeable = False
    result = invert_m_matrix(M)
    np.testing.assert_array_equal(M, kept)
    assert not np.shares_memory(result.inverse, M)
    scratch = kept.copy()
    in_place = invert_m_matrix(scratch, overwrite=True).inverse
    assert np.shares_memory(in_place, scratch)
    np.testing.assert_array_equal(in_place, result.inverse)


def test_any_memory_order():
    M, _ = m_matrix(6, 0.5, 0.5, 1)
    expected = invert_m_matrix(M).inverse
    wide = np.zeros((12, 12))
    wide[::2, ::2] = M
    for other in (np.asfortranarray(M), wide[::2, ::2]):
        np.testing.assert_allclose(invert_m_matrix(other).inverse, expected, rtol=1e-12)


def test_tolerance():
    """A positive entry off the diagonal leaves a negative one in the inverse."""
    M = np.array([[1.0, 1e-7], [0.0, 1.0]])
    assert invert_m_matrix(M) is None
    assert invert_m_matrix(M, tolerance=0.0) is None
    assert invert_m_matrix(M, tolerance=2e-7).inverse[0, 1] == -1e-7
    M[0, 1] = 1e-10
    assert invert_m_matrix(M) is not None
    assert invert_m_matrix(M, tolerance=0.0) is None
    assert invert_m_matrix(np.eye(3), tolerance=0.0) is not None
    # Relative to the largest entry of the inverse.
    M = np.array([[1.0, 1e-7, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1e-3]])
    assert invert_m_matrix(M) is not None


def block_beside_large_entries(weight):
    """A cycle outside the domain beside one acyclic edge of this weight."""
    M = np.eye(4)
    M[0, 1] = M[1, 0] = -1.5
    M[2, 3] = -weight
    return M


@pytest.mark.parametrize("weight", [1.0, 1e6, 1e12])
def test_a_small_cycle_beside_a_large_weight_is_refused(weight):
    assert invert_m_matrix(block_beside_large_entries(weight)) is None
