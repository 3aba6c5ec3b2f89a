"""FastRP against the stored cases and the formula, through the public interface."""

import json
from pathlib import Path

import naive
import numpy as np
import pytest
import scipy.sparse as sp
from fastrp_helpers import random_graph, random_matrix, relative_error
from hypothesis import given
from hypothesis import strategies as st

from sparsekit.embedding import FastRP, _propagate

CASES = Path(__file__).parent / "cases" / "embedding"
TOLERANCE = {np.float64: 1e-9, np.float32: 2e-5}


def load_case(name):
    with np.load(CASES / f"{name}.npz") as arrays:
        return dict(arrays)


def csr_of(case, prefix="", n_rows="n", n_columns="n"):
    parts = tuple(case[prefix + part] for part in ("data", "indices", "indptr"))
    return sp.csr_array(parts, shape=(int(case[n_rows]), int(case[n_columns])))


def settings_of(case):
    for i, config in enumerate(json.loads(str(case["configs"]))):
        yield i, {key: value for key, value in config.items() if key != "n_components"}


@pytest.fixture
def injected(monkeypatch):
    """Let the propagation use given signs instead of drawing them."""

    def inject(signs):
        monkeypatch.setattr(
            _propagate, "sparse_signs", lambda seed, n_rows, *_: signs[:n_rows].copy()
        )

    return inject


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("path", sorted(CASES.glob("formula_*.npz")), ids=lambda path: path.stem)
def test_formula_cases(path, dtype, injected):
    case = load_case(path.stem)
    injected(case["R_sign"])
    for i, settings in settings_of(case):
        inexact = settings.get("deflate") or settings.get("standardize")
        if dtype == np.float32 and inexact:
            continue  # the cases promise single precision for the plain sums only
        model = FastRP(12, sparsity=float(case["sparsity"]), dtype=dtype, **settings)
        found = model.fit(csr_of(case)).embedding_
        assert found.dtype == dtype
        assert relative_error(found, case[f"E{i}"]) < TOLERANCE[dtype], settings


def test_inductive_cases(injected):
    case = load_case("inductive")
    injected(case["R_sign"])
    new = csr_of(case, "new_", n_rows="n_new")
    for i, settings in settings_of(case):
        model = FastRP(12, sparsity=float(case["sparsity"]), dtype=np.float64, **settings)
        model.fit(csr_of(case))
        assert relative_error(model.transform(new), case[f"Enew{i}"]) < 1e-9, settings


def test_growth_cases(injected):
    case = load_case("partial_fit")
    injected(case["R_sign"])
    added = csr_of(case, "add_", "n_after", "n_after")
    for i, settings in settings_of(case):
        model = FastRP(12, sparsity=float(case["sparsity"]), dtype=np.float64, **settings)
        model.partial_fit(csr_of(case))
        assert relative_error(model.embedding_, case[f"E{i}"]) < 1e-9, settings
        model.partial_fit(added)
        assert relative_error(model.embedding_, case[f"Eafter{i}"]) < 1e-9, settings
        assert model.n_features_in_ == case["n_after"]


@pytest.mark.parametrize("permuted", [False, True])
def test_second_moment(permuted):
    case = load_case("second_moment")
    A, gram = csr_of(case), case["gram"]
    if permuted:
        order = np.random.default_rng(0).permutation(A.shape[0])
        A, gram = A[order][:, order], gram[np.ix_(order, order)]
    weights = tuple(case["hop_weights"])
    model = FastRP(8192, hop_weights=weights, beta=float(case["beta"]), normalize=False)
    E = model.set_params(random_state=1, dtype=np.float64).fit(A).embedding_
    assert np.linalg.norm(E @ E.T - gram) <= 0.05 * np.linalg.norm(gram)


@pytest.mark.parametrize("sparsity", [1.0, 2.5, 3.0])
@pytest.mark.parametrize("seed", [0, 7, 2**31 - 1])
def test_random_matrix_is_the_documented_one(seed, sparsity):
    found = random_matrix(9, 20, seed, sparsity)
    np.testing.assert_array_equal(found, naive.random_matrix(seed, 9, 20, sparsity))


def test_random_matrix_statistics():
    n_nodes, n_components = 4000, 64
    signs = np.sign(random_matrix(n_nodes, n_components))
    n_entries = signs.size
    n_nonzero = np.count_nonzero(signs)
    assert abs(n_nonzero - n_entries / 3) < 5 * np.sqrt(n_entries * (1 / 3) * (2 / 3))
    assert abs(signs.sum()) < 5 * np.sqrt(n_nonzero)
    columns = np.corrcoef(signs, rowvar=False) - np.eye(n_components)
    assert np.abs(columns).max() < 6 / np.sqrt(n_nodes)
    rows = np.corrcoef(signs[:200]) - np.eye(200)
    assert np.abs(rows).max() < 6 / np.sqrt(n_components)
    other = np.sign(random_matrix(n_nodes, n_components, seed=1))
    assert abs(np.corrcoef(signs.ravel(), other.ravel())[0, 1]) < 5 / np.sqrt(n_entries)


def test_random_matrix_prefixes():
    small, large = random_matrix(20, 8), random_matrix(30, 16)
    np.testing.assert_array_equal(np.sign(small), np.sign(large[:20, :8]))


@st.composite
def formula_settings(draw):
    weight = st.sampled_from([0.0, 0.0, 1.0, -0.5, 2.0])
    operator = draw(st.sampled_from(["random_walk", "adjacency", "symmetric"]))
    directed = draw(st.booleans())
    return directed, {
        "hop_weights": tuple(draw(st.lists(weight, max_size=5))) + (1.0,),
        "self_weight": draw(weight),
        "beta": draw(st.sampled_from([0.0, -0.64, 0.5])),
        "operator": operator,
        "normalize": draw(st.booleans()),
        "deflate": draw(st.booleans()) and operator != "adjacency" and not directed,
        "standardize": draw(st.booleans()),
    }


@given(formula_settings(), st.integers(0, 2**31), st.booleans())
def test_formula_through_the_public_interface(drawn, seed, weighted):
    directed, settings = drawn
    A = random_graph(seed, directed=directed, weighted=weighted)
    A[[3, 4]] = A[:, [3, 4]] = 0
    R = random_matrix(len(A), 16, seed % 1000)
    model = FastRP(16, dtype=np.float64, random_state=seed % 1000, **settings).fit(A)
    expected = naive.fastrp(A, R, **settings)
    assert relative_error(model.embedding_, expected) < 1e-9
    new = random_graph(seed + 1, directed=True)[:7]
    new[2] = 0
    expected = naive.fastrp_new_rows(A, R, new, **settings)
    assert relative_error(model.transform(new), expected) < 1e-9
