"""The references themselves, against published values and the stored cases."""

import json
from pathlib import Path

import naive
import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp

CASES = Path(__file__).parent / "cases" / "embedding"
FORMULA_CASES = sorted(path.stem for path in CASES.glob("formula_*.npz"))


def load(name):
    with np.load(CASES / f"{name}.npz") as case:
        return dict(case)


def dense(case, prefix="", n_rows="n", n_columns="n"):
    arrays = [case[prefix + part] for part in ("data", "indices", "indptr")]
    return sp.csr_array(tuple(arrays), shape=(case[n_rows], case[n_columns])).toarray()


def settings(case):
    """Each setting of a case with its number, its parameters as naive.fastrp takes them."""
    return list(enumerate(json.loads(case["configs"].item())))


def random_matrix(case):
    return case["R_sign"] * np.sqrt(case["sparsity"] / case["R_sign"].shape[1])


def assert_close(actual, expected):
    assert actual.shape == expected.shape
    assert np.abs(actual - expected).max() <= 1e-9 * max(np.abs(expected).max(), 1e-300)


def test_all_cases_are_there():
    assert len(FORMULA_CASES) == 8


@pytest.mark.parametrize("name", FORMULA_CASES)
def test_fastrp_gives_the_stored_embeddings(name):
    case = load(name)
    assert len(settings(case)) >= 8
    for i, parameters in settings(case):
        actual = naive.fastrp(dense(case), random_matrix(case), **parameters)
        assert_close(actual, case[f"E{i}"])


def test_fastrp_of_new_rows_gives_the_stored_embeddings():
    case = load("inductive")
    A, A_new = dense(case), dense(case, "new_", n_rows="n_new")
    assert not A_new[4].any()
    for i, parameters in settings(case):
        assert_close(naive.fastrp(A, random_matrix(case), **parameters), case[f"E{i}"])
        actual = naive.fastrp_new_rows(A, random_matrix(case), A_new, **parameters)
        assert_close(actual, case[f"Enew{i}"])


def test_fastrp_of_a_grown_graph_gives_the_stored_embeddings():
    case = load("partial_fit")
    before, R = dense(case), random_matrix(case)
    after = dense(case, "add_", n_rows="n_after", n_columns="n_after")
    after[: len(before), : len(before)] += before
    for i, parameters in settings(case):
        assert_close(naive.fastrp(before, R[: len(before)], **parameters), case[f"E{i}"])
        assert_close(naive.fastrp(after, R, **parameters), case[f"Eafter{i}"])


def test_second_moment():
    """E = M R with Cov(R) = I, so the mean of E E^T is M M^T, M the embedding of the identity."""
    case = load("second_moment")
    A = dense(case)
    M = naive.fastrp(
        A, np.eye(len(A)), hop_weights=case["hop_weights"], beta=case["beta"], normalize=False
    )
    assert_close(M @ M.T, case["gram"])


@pytest.mark.parametrize("operator", ["random_walk", "adjacency", "symmetric"])
def test_new_rows_equal_to_fitted_rows_get_their_embedding(operator):
    """For a symmetric graph the formula of new nodes is that of fitted ones, less the self term."""
    A, R = dense(load("formula_plain")), random_matrix(load("formula_plain"))
    parameters = {"hop_weights": 3, "beta": -0.5, "operator": operator, "standardize": True}
    E = naive.fastrp(A, R, **parameters)
    np.testing.assert_allclose(naive.fastrp_new_rows(A, R, A[5:9], **parameters), E[5:9])


@pytest.mark.parametrize("operator", ["random_walk", "symmetric"])
def test_deflation_removes_the_trivial_direction_from_every_hop(operator):
    A = nx.to_numpy_array(nx.karate_club_graph())
    U = naive.hops(A, naive.random_matrix(0, len(A), 4), 5, operator=operator, deflate=True)
    d = A.sum(axis=1)
    left = d if operator == "random_walk" else np.sqrt(d)
    for hop in U:
        np.testing.assert_allclose(left @ hop, 0, atol=1e-10)


def test_deflation_refuses_what_has_no_trivial_direction():
    A = nx.to_numpy_array(nx.path_graph(3))
    with pytest.raises(ValueError, match="symmetric graph"):
        naive.deflated(A, np.eye(3), "adjacency")
    with pytest.raises(ValueError, match="symmetric graph"):
        naive.deflated(np.triu(A), np.eye(3), "random_walk")


def test_mixer_is_splitmix64():
    """First outputs of splitmix64 with seed 0, as published with the reference implementation."""
    golden = 0x9E3779B97F4A7C15
    outputs = [naive.mix64(golden * (k + 1) % 2**64) for k in range(3)]
    assert outputs == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]


def test_signs_have_no_zeros_at_sparsity_one():
    assert set(naive.sparse_signs(3, 5, 20, 1.0).ravel()) == {-1, 1}
