"""Refinement by BIC, against stored searches and a search that computes everything anew."""

from pathlib import Path

import hypothesis.strategies as st
import networkx as nx
import numpy as np
import pytest
from hypothesis import given

from sparsekit.causal.colide._objective import noise_floor
from sparsekit.causal.colide._refine import refine_bic

CASES = Path(__file__).parent / "cases" / "colide"
TOLERANCE = 1e-9


def naive_bic(covariance, n, graph, equal, floor):
    """Gaussian BIC with every regression done by numpy's least squares."""
    d = len(graph)
    values, vectors = np.linalg.eigh(covariance)
    root = vectors.T * np.sqrt(np.maximum(values, 0))[:, None]  # root.T @ root is the covariance
    variances = np.empty(d)
    for j in range(d):
        A = root[:, graph[:, j]]
        residual = root[:, j] - A @ np.linalg.lstsq(A, root[:, j], rcond=1e-7)[0]
        variances[j] = max(residual @ residual, 1e-300, floor**2)
    fit = n * d / 2 * np.log(variances.mean()) if equal else n / 2 * np.log(variances).sum()
    return fit + graph.sum() / 2 * np.log(n)


def neighbours(graph, forbidden, required):
    """All graphs one move away, in the order in which ties are broken."""
    for i, j in np.ndindex(graph.shape):
        if i == j:
            continue
        changes = [[(i, j, True)]]
        if graph[i, j]:
            changes = [] if required[i, j] else [[(i, j, False)], [(i, j, False), (j, i, True)]]
        for change in changes:
            moved = graph.copy()
            for source, target, value in change:
                moved[source, target] = value
            if not (moved & forbidden).any() and nx.is_directed_acyclic_graph(nx.DiGraph(moved)):
                yield moved


def naive_refine(covariance, n, graph, equal, floor, forbidden, required):
    """Greedy search; returns the graphs that it went through and their scores."""
    graphs, scores = [graph], [naive_bic(covariance, n, graph, equal, floor)]
    while True:
        best, best_score = None, scores[-1]
        for moved in neighbours(graphs[-1], forbidden, required):
            score = naive_bic(covariance, n, moved, equal, floor)
            if score < best_score - TOLERANCE:
                best, best_score = moved, score
        if best is None:
            return graphs, scores
        graphs.append(best)
        scores.append(best_score)


def random_dag(rng, d, density):
    order = rng.permutation(d)
    return (np.triu(rng.random((d, d)) < density, k=1))[np.ix_(order, order)]


def random_covariance(rng, d, n=60):
    weights = random_dag(rng, d, 0.5) * rng.choice([-1, 1], (d, d)) * rng.uniform(0.3, 2, (d, d))
    X = rng.normal(size=(n, d)) * rng.uniform(0.7, 2, d) @ np.linalg.inv(np.eye(d) - weights)
    return np.cov(X.T, bias=True).reshape(d, d)


def stored(name):
    with np.load(CASES / "refine.npz") as arrays:
        parts = {part: arrays[f"{name}__{part}"] for part in ("start", "end", "bic", "moves")}
    with np.load(CASES / f"{name.partition('__')[0]}.npz") as case:
        return parts, case["covariance"], int(case["n_samples"])


@pytest.mark.parametrize(
    "name",
    [
        f"{case}__{method}"
        for case in ("er4_d20_ev_s1", "er4_d20_nv_s2", "er4_d50_nv_s1")
        for method in ("ev", "nv")
    ],
)
def test_stored_searches(name):
    parts, covariance, n = stored(name)
    floor = noise_floor(covariance)
    found = refine_bic(covariance, n, parts["start"], equal=name.endswith("ev"), floor=floor)
    assert found.score <= parts["bic"][1] * (1 + 1e-6)
    assert np.array_equal(found.adjacency != 0, parts["end"])
    assert found.n_moves == parts["moves"]


@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.booleans(), st.booleans())
def test_the_moves_are_those_of_a_naive_search(seed, d, equal, restricted):
    rng = np.random.default_rng(seed)
    covariance, start, n = random_covariance(rng, d), random_dag(rng, d, 0.4), 60
    forbidden, required = np.zeros((2, d, d), dtype=bool)
    if restricted:
        required = start & (rng.random((d, d)) < 0.4)
        forbidden = ~start & (rng.random((d, d)) < 0.4)
    arguments = (covariance, n, start, equal, 1e-3, forbidden, required)
    graphs, scores = naive_refine(*arguments)
    for array in (covariance, start, forbidden, required):
        array.flags.writeable = False
    known = {"forbidden": forbidden, "required": required} if restricted else {}
    found = refine_bic(covariance, n, start, equal=equal, floor=1e-3, **known)
    assert found.score == pytest.approx(scores[-1], rel=1e-9)
    # Equivalent graphs have equal scores for unequal noise, and rounding takes the choice.
    if equal:
        assert np.array_equal(found.adjacency != 0, graphs[-1])
        assert found.n_moves == len(graphs) - 1
    assert not (found.adjacency != 0)[forbidden].any()
    assert (found.adjacency != 0)[required].all()


@pytest.mark.parametrize("equal", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_the_end_is_a_local_optimum(equal, seed):
    rng = np.random.default_rng(seed)
    covariance, start = random_covariance(rng, 9), random_dag(rng, 9, 0.3)
    none = np.zeros_like(start)
    found = refine_bic(covariance, 60, start, equal=equal, floor=1e-3)
    graph = found.adjacency != 0
    assert nx.is_directed_acyclic_graph(nx.DiGraph(graph))
    score = naive_bic(covariance, 60, graph, equal, 1e-3)
    assert found.score == pytest.approx(score, rel=1e-10)
    assert score <= naive_bic(covariance, 60, start, equal, 1e-3)
    for moved in neighbours(graph, none, none):
        assert naive_bic(covariance, 60, moved, equal, 1e-3) > score - 1e-7


@pytest.mark.parametrize("seed", range(5))
def test_columns_in_another_order(seed):
    rng = np.random.default_rng(seed)
    covariance, start, order = random_covariance(rng, 12), random_dag(rng, 12, 0.2), np.arange(12)
    rng.shuffle(order)
    permuted = np.ix_(order, order)
    found = refine_bic(covariance, 60, start, equal=True, floor=1e-3)
    again = refine_bic(covariance[permuted], 60, start[permuted], equal=True, floor=1e-3)
    np.testing.assert_allclose(again.adjacency, found.adjacency[permuted], atol=1e-10)
    np.testing.assert_allclose(again.variances, found.variances[order])


def test_coefficients_and_variances_are_those_of_least_squares():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(50, 4)) @ rng.normal(size=(4, 4))
    X -= X.mean(axis=0)
    covariance = X.T @ X / 50
    found = refine_bic(covariance, 50, np.zeros((4, 4), dtype=bool), equal=False, floor=0.0)
    assert found.n_moves > 0
    for j in range(4):
        parents = np.flatnonzero(found.adjacency[:, j])
        coefficients = np.linalg.lstsq(X[:, parents], X[:, j])[0]
        np.testing.assert_allclose(found.adjacency[parents, j], coefficients)
        residuals = X[:, j] - X[:, parents] @ coefficients
        assert found.variances[j] == pytest.approx(residuals @ residuals / 50)


def test_ties_go_to_the_first_pair():
    covariance = np.array([[1.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]])
    for equal in (True, False):
        found = refine_bic(covariance, 100, np.zeros((3, 3), bool), equal=equal, floor=1e-2)
        assert np.argwhere(found.adjacency).tolist() == [[0, 1]]


@pytest.mark.parametrize("equal", [True, False])
@pytest.mark.parametrize("n_samples", [10**8, 10**12])
def test_the_search_ends_however_many_samples(equal, n_samples):
    # Equivalent graphs differ by rounding, times the number of samples.
    for seed in range(5):
        rng = np.random.default_rng(seed)
        covariance = np.cov((rng.normal(size=(60, 8)) @ rng.normal(size=(8, 8))).T, bias=True)
        empty = np.zeros((8, 8), dtype=bool)
        found = refine_bic(covariance, n_samples, empty, equal=equal, floor=1e-3)
        assert 0 < found.n_moves < 200


@pytest.mark.parametrize("equal", [True, False])
def test_copies_and_constants(equal):
    rng = np.random.default_rng(0)
    x, y, z = rng.normal(size=(3, 200))
    X = np.column_stack([x, x, x + y, np.zeros(200), z, x + 2 * z])
    covariance = np.cov(X.T, bias=True)
    start = np.triu(np.ones((6, 6), dtype=bool), k=1)
    required = np.zeros_like(start)
    required[[0, 1], 2] = True  # copies of each other
    required[3, 4] = True  # a constant
    floor = noise_floor(covariance)
    found = refine_bic(covariance, 200, start, equal=equal, floor=floor, required=required)
    assert np.isfinite(found.adjacency).all()
    assert (found.variances >= floor**2).all()
    assert found.variances[2] == pytest.approx(np.var(y - np.polyval(np.polyfit(x, y, 1), x)))
    assert sorted(found.adjacency[[0, 1, 3], [2, 2, 4]])[:2] == [1e-8, 1e-8]
    graph = found.adjacency != 0
    assert nx.is_directed_acyclic_graph(nx.DiGraph(graph))
    # Nothing redundant is kept that is not required.
    assert np.argwhere(graph[3]).tolist() == [[4]]


def test_perfect_explanations_end_at_the_floor():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 100))
    covariance = np.cov(np.column_stack([x, y, 2 * x - y]).T, bias=True)
    found = refine_bic(covariance, 100, np.zeros((3, 3), bool), equal=False, floor=1e-2)
    assert found.variances.min() == pytest.approx(1e-4)
    assert np.isfinite(found.score)


def test_a_start_with_a_cycle_is_refused():
    start = np.zeros((3, 3), dtype=bool)
    start[[0, 1, 2], [1, 2, 0]] = True
    with pytest.raises(ValueError, match="cycle"):
        refine_bic(np.eye(3), 10, start, equal=True, floor=1e-2)


@pytest.mark.parametrize("equal", [True, False])
def test_one_variable(equal):
    found = refine_bic(np.array([[4.0]]), 10, np.zeros((1, 1), bool), equal=equal, floor=1e-2)
    assert found.adjacency.tolist() == [[0.0]]
    assert (found.variances.tolist(), found.n_moves) == ([4.0], 0)
    assert found.score == pytest.approx(5 * np.log(4))


def test_more_variables_than_samples():
    X = np.random.default_rng(0).normal(size=(8, 20))
    covariance = np.cov(X.T, bias=True)
    found = refine_bic(covariance, 8, np.zeros((20, 20), bool), equal=False, floor=1e-2)
    assert nx.is_directed_acyclic_graph(nx.DiGraph(found.adjacency != 0))
    assert np.isfinite(found.adjacency).all()
    assert (found.adjacency != 0).sum(axis=0).max() < 8
