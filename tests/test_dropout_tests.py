"""Partial correlations on the rows of each test, against the oracle."""

import hypothesis.strategies as st
import naive_dropout as oracle
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis.extra.numpy import arrays

from sparsekit.causal import fisher_z_test
from sparsekit.causal.dropout import _samples
from sparsekit.causal.dropout._correlate import correlate
from sparsekit.causal.dropout._fisher_z import FisherZ
from sparsekit.causal.dropout._samples import as_samples, make_tests

HANDLINGS = ["conditioning", "testwise", "listwise", "none"]
EXACT = 1e-10

every_handling = pytest.mark.parametrize("zero_handling", HANDLINGS)
both_forms = pytest.mark.parametrize("form", [np.asarray, sp.csc_array])


def table(seed, n, d, zeros=0.4):
    """Correlated columns with zeros among them."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) @ (np.eye(d) + rng.normal(size=(d, d)) / 2)
    X[rng.random((n, d)) < zeros] = 0
    return X


def random_triples(seed, d, sizes):
    """A test for each of the sizes."""
    rng = np.random.default_rng(seed)
    drawn = (rng.permutation(d)[: size + 2].tolist() for size in sizes)
    return [(x, y, tuple(S)) for x, y, *S in drawn]


def assert_same(X, triples, zero_handling, form=np.asarray, tolerance=EXACT):
    """Compare both ways to correlations; returns those of the kernel, in the order of triples."""
    samples = as_samples(form(X), zero_handling)
    tests, order = make_tests(triples)
    test = oracle.Tester(X, zero_handling)
    expected = [test(*triples[number]) for number in order]
    rho, n_rows = correlate(samples, tests)
    assert n_rows.tolist() == [found.n_rows for found in expected]
    np.testing.assert_allclose(rho, [found.rho for found in expected], rtol=0, atol=tolerance)
    fisher = FisherZ(samples)
    others, n_rows = fisher.partial(tests)
    assert n_rows.tolist() == [found.n_rows for found in expected]
    np.testing.assert_allclose(others, rho, rtol=0, atol=tolerance)
    statistics = fisher(tests)[0]
    z = np.array([found.z for found in expected])
    weak = z < 8  # of the others, the statistic is as sensitive as atanh near 1
    np.testing.assert_allclose(statistics[weak], z[weak], rtol=1e-8, atol=100 * tolerance)
    return rho[np.argsort(order)]


def assert_same_pairs(X, zero_handling, form=np.asarray, tolerance=EXACT):
    """Compare the tests of all pairs given nothing."""
    d = X.shape[1]
    statistics, n_rows = FisherZ(as_samples(form(X), zero_handling)).marginal()
    test = oracle.Tester(X, zero_handling)
    for x in range(d):
        for y in range(x):
            expected = test(x, y)
            assert n_rows[x, y] == expected.n_rows
            share = np.tanh(statistics[x, y] / np.sqrt(max(expected.n_rows - 3, 1)))
            assert abs(share - abs(expected.rho)) <= tolerance


@every_handling
@both_forms
@pytest.mark.parametrize("seed", [0, 1])
def test_random_tables(seed, form, zero_handling):
    X = table(seed, 150, 8, zeros=0.1 if zero_handling == "listwise" else 0.4)
    assert_same(X, random_triples(seed, 8, [0, 1, 2, 3, 4, 5] * 4), zero_handling, form)
    assert_same_pairs(X, zero_handling, form)


@every_handling
@given(
    X=arrays(float, st.tuples(st.integers(1, 30), st.just(6)), elements=st.integers(-2, 2)),
    seed=st.integers(0, 1000),
)
def test_small_integers(zero_handling, X, seed):
    """Constant and dependent columns, and too few rows, come by themselves."""
    triples = random_triples(seed, 6, [0, 1, 2, 3, 4])
    dense = assert_same(X, triples, zero_handling)
    sparse = assert_same(X, triples, zero_handling, sp.csc_array)
    np.testing.assert_allclose(dense, sparse, rtol=0, atol=EXACT)
    assert_same_pairs(X, zero_handling)


@every_handling
@both_forms
def test_many_rows(form, zero_handling):
    """More rows than are gathered at once, and no multiple of a word of bits."""
    X = table(2, 5001, 5, zeros=0.2)
    X[:, 0] += np.linspace(0, 5, len(X)) * (X[:, 0] != 0)  # the first rows are not like the others
    assert_same(X, [(0, 1, (2, 3)), (4, 1, (2, 3)), (0, 4, ())], zero_handling, form)


@every_handling
@both_forms
def test_pairs_by_blocks_of_rows(form, zero_handling, monkeypatch):
    """Blocks differ in their means, and the last one is smaller; some have zeros only."""
    X = table(23, 203, 5, zeros=0.2)
    X += np.repeat([0, 1e4, 0, 0, -1e5], [60, 40, 40, 40, 23])[:, None] * (X != 0)
    X[20:60, 2] = 0
    monkeypatch.setattr(_samples, "_BLOCK_SIZE", 100)
    assert_same_pairs(X, zero_handling, form)


@both_forms
def test_rows_up_to_the_last_bit_of_a_word(form):
    for n in (63, 64, 65, 128):
        X = table(n, n, 4, zeros=0.3)
        X[-1] = 5.0
        for zero_handling in HANDLINGS:
            assert_same(X, [(0, 1, (2,)), (0, 3, (1, 2))], zero_handling, form)


@pytest.mark.parametrize("zero_handling", ["conditioning", "testwise", "none"])
@both_forms
def test_more_than_a_word_of_conditioning_variables(form, zero_handling):
    X = table(3, 200, 68, zeros=0.001)
    S = tuple(range(2, 67))
    assert_same(X, [(0, 1, S), (67, 0, S)], zero_handling, form, 1e-9)


@every_handling
@both_forms
def test_constant_columns(form, zero_handling):
    """Constant everywhere, and on the rows of the test alone; 0.1 has no exact sum."""
    X = table(4, 200, 6, zeros=0.1)
    X[:, 3] = 0.1
    X[:, 4] = np.where(X[:, 0] != 0, 0.1, X[:, 4])
    X[:, 5] = 0
    if zero_handling == "listwise":
        X[:, 5] = -1e9
    rho = assert_same(
        X,
        [(3, 1, ()), (3, 1, (0,)), (3, 5, (0,)), (1, 2, (3,)), (1, 2, (0, 3))],
        zero_handling,
        form,
    )
    np.testing.assert_array_equal(rho[:3], 0)
    constant = assert_same(X, [(4, 1, (0,)), (2, 4, (0, 1))], zero_handling, form)
    assert (constant == 0).all() == (zero_handling != "none")
    assert_same_pairs(X, zero_handling, form)


@every_handling
@both_forms
def test_skipped_members_count(form, zero_handling):
    """A constant or dependent member changes the degrees of freedom, not the correlation."""
    X = table(5, 100, 5, zeros=0.2)
    X[:, 3] = 7.0
    X[:, 4] = -3 * X[:, 2]
    triples = [(0, 1, (2,)), (0, 1, (2, 3)), (0, 1, (2, 4)), (0, 1, (2, 3, 4))]
    rho = assert_same(X, triples, zero_handling, form)
    np.testing.assert_allclose(rho, rho[0], rtol=0, atol=EXACT)
    found = [fisher_z_test(form(X), x, y, S, zero_handling=zero_handling) for x, y, S in triples]
    m = found[0].n_effective
    assert [test.n_effective for test in found] == [m] * 4
    expected = np.sqrt((m - 3 - np.array([1, 2, 2, 3])) / (m - 4)) * found[0].statistic
    np.testing.assert_allclose([test.statistic for test in found], expected)


@every_handling
@both_forms
def test_copies(form, zero_handling):
    """Copies depend on each other with certainty, given one of themselves on nothing."""
    X = table(6, 120, 5, zeros=0.2)
    X[:, 3] = X[:, 0]
    X[:, 4] = -2 * X[:, 0]
    rho = assert_same(X, [(0, 3, ()), (0, 4, ()), (0, 3, (1, 2))], zero_handling, form)
    np.testing.assert_allclose(rho, [1, -1, 1], rtol=0, atol=1e-14)
    assert np.abs(rho).max() < 1
    rho = assert_same(X, [(0, 1, (3,)), (4, 1, (0, 2)), (0, 4, (3,))], zero_handling, form)
    np.testing.assert_array_equal(rho, 0)
    assert fisher_z_test(form(X), 0, 3, (1,), zero_handling=zero_handling).pvalue < 1e-30


@pytest.mark.parametrize(("noise", "is_nothing"), [(1e-6, True), (1e-4, False)])
@every_handling
def test_what_is_almost_explained(noise, is_nothing, zero_handling):
    """A residual of 1e-10 of the variance is nothing, one of 1e-8 is something."""
    X = np.random.default_rng(7).normal(size=(500, 4))
    X[:, 2] = X[:, 0] + X[:, 1] + noise * X[:, 3]
    # What is left of the variance, 1e-8 of it, is rounded as the whole is.
    rho = assert_same(X, [(2, 3, (0, 1)), (3, 2, ())], zero_handling, tolerance=1e-6)
    assert (rho[0] == 0) == is_nothing
    assert is_nothing or rho[0] == pytest.approx(1)


@every_handling
@both_forms
def test_large_offsets(form, zero_handling):
    X = table(8, 400, 5, zeros=0)
    X += 1e6
    X[np.random.default_rng(8).random(X.shape) < 0.1] = 0
    assert_same(X, random_triples(8, 5, [0, 1, 2, 3] * 2), zero_handling, form, 1e-9)
    assert_same_pairs(X, zero_handling, form, 1e-9)


@every_handling
@both_forms
def test_outliers_in_the_first_row(form, zero_handling):
    X = table(9, 300, 5, zeros=0.2)
    X[0] = [1e9, -1e9, 3e7, 1, 1e-9]
    assert_same(X, random_triples(9, 5, [0, 1, 2, 3] * 2), zero_handling, form)
    X[0, 4] = 0  # given the last column the outliers are left out
    assert_same(X, [(0, 1, (4,)), (0, 2, (1, 4)), (3, 2, (4,))], zero_handling, form)
    assert_same_pairs(X, zero_handling, form)


@both_forms
def test_a_huge_value_on_other_rows(form):
    """Means that it shifts would take the digits of all other values."""
    X = table(24, 300, 5, zeros=0.2)
    X[0] = [1e17, 0, 0, 0, 0]
    for zero_handling in ("conditioning", "testwise"):
        assert_same(X, [(0, 1, (4,)), (1, 2, (3,))], zero_handling, form)


def test_few_of_very_many_rows():
    """One block of gathered rows spans more words of bits than it has rows."""
    X = table(25, 40, 3, zeros=0)
    columns = X.T.ravel(), np.tile(np.arange(0, 1_200_000, 30_000), 3), np.arange(0, 160, 40)
    found = fisher_z_test(sp.csc_array(columns, shape=(1_200_000, 3)), 0, 1, (2,))
    expected, _ = oracle.correlation(X, 0, 1, (2,), "conditioning")
    assert (found.rho, found.n_effective) == (pytest.approx(expected), 40)


@every_handling
@both_forms
def test_scales(form, zero_handling):
    """Squares of the values are out of range; the correlations are not touched by that."""
    X = table(10, 200, 5, zeros=0.2)
    triples = random_triples(10, 5, [0, 1, 2, 3] * 2)
    plain = assert_same(X, triples, zero_handling, form)
    scales = np.array([1e250, 1e-250, -1e150, 1e-300, 1.0])
    scaled = assert_same(X * scales, triples, zero_handling, form)
    signs = [np.sign(scales[x]) * np.sign(scales[y]) for x, y, _ in triples]
    np.testing.assert_allclose(scaled, plain * signs, rtol=0, atol=EXACT)
    assert_same_pairs(X * scales, zero_handling, form)


@every_handling
def test_few_rows(zero_handling):
    """With no more rows than members and three, nothing is tested."""
    X = table(11, 6, 6, zeros=0)
    rho = assert_same(X, [(0, 1, (2, 3)), (0, 1, (2, 3, 4)), (0, 1, ())], zero_handling)
    assert rho[1] == 0
    assert rho[0] != 0
    X[3] = 0
    found = fisher_z_test(X, 0, 1, (2, 3), zero_handling=zero_handling)
    n_left = 6 if zero_handling == "none" else 5
    assert found.n_effective == n_left
    if n_left == 5:
        assert found[:3] == (0, 1, 0)


def test_no_rows():
    X = table(12, 40, 4, zeros=0)
    X[np.arange(40), np.arange(40) % 4] = 0
    for form in (np.asarray, sp.csc_array):
        assert_same(X, [(0, 1, ()), (0, 1, (2, 3))], "listwise", form)
        assert_same_pairs(X, "listwise", form)
        assert_same(X, [(0, 1, ()), (0, 1, (2, 3))], "testwise", form)
    assert fisher_z_test(X, 0, 1, zero_handling="listwise") == (0, 1, 0, 0)


@every_handling
@both_forms
def test_nothing_is_changed_and_input_may_be_read_only(form, zero_handling):
    X = form(table(13, 80, 5, zeros=0.2) * [1e300, 1, 1, 1, 1])
    stored = (X.data, X.indices, X.indptr) if sp.issparse(X) else (X,)
    for array in stored:
        array.flags.writeable = False
    tests, _ = make_tests(random_triples(13, 5, [0, 1, 2, 3]))
    before = [array.copy() for array in (*stored, *tests)]
    FisherZ(as_samples(X, zero_handling))(tests)
    fisher_z_test(X, 0, 1, (2,), zero_handling=zero_handling)
    for array, copy in zip([*stored, *tests], before, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("zero_handling", ["conditioning", "testwise", "none"])
@both_forms
def test_threads_do_not_change_a_bit(form, zero_handling):
    X = table(14, 100, 12, zeros=0.2)
    samples = as_samples(form(X), zero_handling)
    tests, _ = make_tests(random_triples(14, 12, [1, 2, 3] * 20))
    rho, n_rows = correlate(samples, tests)
    for n_jobs in (2, -1):
        others = correlate(samples, tests, n_jobs)
        np.testing.assert_array_equal(others[0], rho)
        np.testing.assert_array_equal(others[1], n_rows)


@every_handling
def test_ends_are_interchangeable(zero_handling):
    X = table(15, 100, 4, zeros=0.2)
    samples = as_samples(X, zero_handling)
    there, _ = correlate(samples, make_tests([(0, 3, (1, 2)), (1, 0, ())])[0])
    back, _ = correlate(samples, make_tests([(3, 0, (2, 1)), (0, 1, ())])[0])
    np.testing.assert_allclose(there, back, rtol=1e-14)


@every_handling
@both_forms
def test_pairs_are_symmetric_to_the_last_bit(form, zero_handling):
    X = table(22, 150, 12, zeros=0.1)
    for found in FisherZ(as_samples(form(X), zero_handling)).marginal():
        np.testing.assert_array_equal(found, found.T)


def test_no_tests():
    tests, order = make_tests([])
    rho, n_rows = correlate(as_samples(table(16, 20, 3), "conditioning"), tests)
    assert len(rho) == len(n_rows) == len(order) == 0


def test_tests_are_grouped():
    triples = [(0, 1, (3, 2)), (4, 1, ()), (0, 4, (2, 3)), (2, 0, (1,))]
    tests, order = make_tests(triples)
    assert len(tests.test_ptr) == len(tests.member_ptr) == 4
    groups = np.repeat(np.arange(3), np.diff(tests.test_ptr))
    for k, number in enumerate(order.tolist()):
        first, last = tests.member_ptr[groups[k] : groups[k] + 2]
        x, y, S = triples[number]
        assert (tests.x[k], tests.y[k]) == (x, y)
        assert tests.members[first:last].tolist() == sorted(S)


# The public function.


@every_handling
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array, sp.csc_matrix, sp.coo_array])
def test_single_tests(form, zero_handling):
    X = table(17, 120, 5, zeros=0.1)
    for x, y, S in random_triples(17, 5, [0, 1, 2, 3]):
        found = fisher_z_test(form(X), x, y, S, zero_handling=zero_handling)
        expected = oracle.Tester(X, zero_handling)(x, y, S)
        assert found.rho == pytest.approx(expected.rho, rel=0, abs=EXACT)
        assert found.statistic == pytest.approx(expected.z, rel=1e-9, abs=1e-8)
        assert found.pvalue == pytest.approx(oracle.p_value(expected.z), rel=0, abs=EXACT)
        assert found.n_effective == expected.n_rows


def test_stored_zeros_are_zeros():
    X = table(18, 100, 4, zeros=0.3)
    stored = sp.csr_array(np.where(X == 0, 1, X))
    stored.data[(X == 0).ravel()] = 0
    assert stored.nnz == X.size
    for zero_handling in HANDLINGS:
        plain = fisher_z_test(X, 0, 1, (2, 3), zero_handling=zero_handling)
        found = fisher_z_test(stored, 0, 1, (2, 3), zero_handling=zero_handling)
        np.testing.assert_allclose(found, plain)
    assert stored.nnz == X.size


def test_integers_and_small_floats():
    X = np.random.default_rng(19).poisson(1.5, size=(200, 4))
    plain = fisher_z_test(X.astype(float), 0, 1, (2, 3))
    for dtype in (np.int16, np.uint8, np.int64, np.float32):
        assert fisher_z_test(X.astype(dtype), 0, 1, (2, 3)) == plain
        found = fisher_z_test(sp.csr_array(X.astype(dtype)), 0, 1, (2, 3))
        np.testing.assert_allclose(found, plain)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 4), "4"),
        ((0, 0), "0"),
        ((0, 1, (1, 2)), "1"),
        ((0, 1, (2, 2)), "2"),
        ((0, 1, (7,)), "7"),
        ((-1, 1), "-1"),
    ],
)
def test_variables_that_make_no_test(arguments, message):
    with pytest.raises(ValueError, match=message):
        fisher_z_test(table(20, 30, 4), *arguments)


def test_bad_input():
    X = table(21, 30, 4)
    with pytest.raises(ValueError, match="conditioning"):
        fisher_z_test(X, 0, 1, zero_handling="pairwise")
    with pytest.raises(TypeError, match="sequence of variables"):
        fisher_z_test(X, 0, 1, "gene")
    X[3, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        fisher_z_test(X, 0, 1)
