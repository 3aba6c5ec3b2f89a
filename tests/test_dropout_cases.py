"""Stored cases: the oracle itself, and both estimators."""

import functools
from pathlib import Path

import naive_dropout as oracle
import numpy as np
import pytest
import scipy.sparse as sp
from naive_dropout_ges import dropout_ges

from sparsekit.causal import DropoutGES, DropoutPC, fisher_z_test

CASES = Path(__file__).parent / "cases" / "dropout"
NAMES = sorted(path.stem for path in CASES.glob("*.npz"))
HANDLINGS = ["none", "conditioning", "testwise", "listwise"]
PARITY = {"sepset_rule": "all", "conflict": "first", "insufficient": "independent"}
FORMS = {"dense": np.asarray, "csr": sp.csr_array, "csc": sp.csc_matrix}

every_case = pytest.mark.parametrize("name", NAMES)
every_form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
# Some columns are constant, some data have no zeros and some tests no rows.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@functools.cache
def load(name):
    with np.load(CASES / f"{name}.npz") as case:
        return dict(case)


def samples(name):
    """Dense samples."""
    case = load(name)
    if "X" in case:
        return case["X"].copy()
    parts = (case["csr_data"].astype(float), case["csr_indices"], case["csr_indptr"])
    return sp.csr_array(parts, shape=case["shape"]).toarray()


@functools.cache
def oracle_test(name, zero_handling):
    """Remembers what it has tested."""
    return oracle.Tester(samples(name), zero_handling)


@functools.cache
def oracle_ges(name, zero_handling):
    return dropout_ges(samples(name), penalty=2.0, zero_handling=zero_handling)


def limits(name):
    case = load(name)
    size = int(case["max_cond_size"])
    return {"alpha": float(case["alpha"]), "max_cond_size": None if size < 0 else size}


def dense(stored, missing):
    """Stored entries of a sparse matrix, and else `missing`."""
    stored = sp.coo_array(stored)
    result = np.full(stored.shape, missing, dtype=float)
    result[stored.coords] = stored.data
    return result


def assert_record(case, zero_handling, adjacent, sepsets, n_tests, n_insufficient):
    d = len(adjacent)
    np.testing.assert_array_equal(adjacent, case[f"skel_{zero_handling}"])
    record = np.full((d, d, d), -1)
    for (i, j), S in sepsets.items():
        assert i < j
        assert list(S) == sorted(set(S))
        record[i, j] = record[j, i] = 0
        record[i, j, list(S)] = record[j, i, list(S)] = 1
    np.testing.assert_array_equal(record, case[f"sepunion_{zero_handling}"])
    np.testing.assert_array_equal(n_tests, case[f"ntests_{zero_handling}"])
    assert n_insufficient == case[f"ninsufficient_{zero_handling}"]


def assert_tests(case, zero_handling, pvalues, n_rows):
    """Of all pairs: here every pair is tested."""
    off = ~np.eye(len(pvalues), dtype=bool)
    largest = case[f"pmax_{zero_handling}"]
    np.testing.assert_allclose(pvalues[off], largest[off], rtol=0, atol=1e-10)
    np.testing.assert_array_equal(n_rows[off], case[f"nmin_{zero_handling}"][off])


def test_all_cases_are_there():
    assert len(NAMES) == 5
    assert sum("ges_none" in load(name) for name in NAMES) == 3
    checked = [load(name)[f"cpdag_checked_{kind}"] for name in NAMES for kind in HANDLINGS]
    assert sum(map(bool, checked)) == 11


@pytest.mark.parametrize("zero_handling", HANDLINGS)
@every_case
def test_oracle(name, zero_handling):
    case = load(name)
    settings = {"zero_handling": zero_handling, **limits(name), **PARITY}
    found, oriented = oracle.dropout_pc(samples(name), **settings)
    counts = found.n_tests, found.n_insufficient
    assert_record(case, zero_handling, found.adjacent, found.unions, *counts)
    assert_tests(case, zero_handling, found.pvalues, found.n_rows)
    np.testing.assert_array_equal(oriented.adjacency, case[f"cpdag_{zero_handling}"])


@every_form
@pytest.mark.parametrize("zero_handling", HANDLINGS)
@every_case
def test_parity_preset(name, zero_handling, form):
    case, X = load(name), form(samples(name))
    pc = DropoutPC(zero_handling=zero_handling, **limits(name), **PARITY).fit(X)
    adjacent = pc.skeleton_.toarray()
    counts = pc.n_tests_, pc.n_insufficient_
    assert_record(case, zero_handling, adjacent, pc.sepsets_, *counts)
    assert_tests(case, zero_handling, dense(pc.pvalues_, 0), dense(pc.n_effective_, -1))
    if case[f"cpdag_checked_{zero_handling}"]:
        np.testing.assert_array_equal(pc.adjacency_.toarray(), case[f"cpdag_{zero_handling}"])


@every_form
@pytest.mark.parametrize(("key", "insufficient"), [("keep50", "keep"), ("indep50", "independent")])
@every_case
def test_few_samples(name, key, insufficient, form):
    case, X = load(name), samples(name)
    settings = {"min_samples": 50, "max_cond_size": 3, "insufficient": insufficient}
    settings["alpha"] = float(case["alpha"])
    pc = DropoutPC(**settings).fit(form(X))
    np.testing.assert_array_equal(pc.skeleton_.toarray(), case[f"skel_{key}"])
    assert pc.n_insufficient_ == case[f"ninsufficient_{key}"]
    expected, _ = oracle.dropout_pc(X, **settings)
    np.testing.assert_array_equal(expected.adjacent, case[f"skel_{key}"])
    assert expected.n_insufficient == pc.n_insufficient_
    np.testing.assert_array_equal(pc.n_tests_, expected.n_tests)


@every_form
@pytest.mark.parametrize("kind", ["none", "conditioning", "testwise"])
@every_case
def test_single_tests(name, kind, form):
    case, X = load(name), form(samples(name))
    columns = 8 + 3 * ["none", "conditioning", "testwise"].index(kind)
    for row in case["ci_table"]:
        x, y, size, *members = row[:8].astype(int).tolist()
        S, (p, rho, n_rows) = members[:size], row[columns : columns + 3]
        found = fisher_z_test(X, x, y, S, zero_handling=kind)
        assert found.pvalue == pytest.approx(p, rel=0, abs=1e-10)
        assert found.rho == pytest.approx(rho, rel=0, abs=1e-10)
        assert found.n_effective == n_rows
        expected = oracle_test(name, kind)(x, y, S)
        assert oracle.p_value(expected.z) == pytest.approx(p, rel=0, abs=1e-10)
        assert (expected.rho, expected.n_rows) == (pytest.approx(rho, rel=0, abs=1e-10), n_rows)


@every_form
@pytest.mark.parametrize("zero_handling", ["none", "conditioning"])
@pytest.mark.parametrize("name", [name for name in NAMES if "ges_none" in load(name)])
def test_ges(name, zero_handling, form):
    case, X = load(name), form(samples(name))
    ges = DropoutGES(penalty=2.0, zero_handling=zero_handling).fit(X)
    graph = case[f"ges_{zero_handling}"]
    np.testing.assert_array_equal(ges.adjacency_.toarray(), graph)
    np.testing.assert_array_equal(ges.skeleton_.toarray(), graph | graph.T)
    expected, steps = oracle_ges(name, zero_handling)
    np.testing.assert_array_equal(expected, graph)
    assert ges.n_operators_ == len(steps)
    assert ges.score_ == pytest.approx(sum(steps), rel=1e-9)
