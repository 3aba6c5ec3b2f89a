"""What the tests of CoLiDE share: stored cases, random problems, distances."""

from pathlib import Path

import hypothesis.strategies as st
import naive_colide as oracle
import numpy as np

from sparsekit.causal.colide._objective import make_problem
from sparsekit.causal.colide._solve import solve

CASES = Path(__file__).parent / "cases" / "colide"

# Penalty and threshold with which the stored estimates were made.
ALPHA, THRESHOLD = 0.05, 0.3


def case_names(n_nodes, noise):
    """Names of the stored cases with equal ("ev") or unequal ("nv") noise."""
    return sorted(path.stem for path in CASES.glob(f"er4_d{n_nodes}_{noise}_*.npz"))


def load_case(name):
    with np.load(CASES / f"{name}.npz") as arrays:
        return dict(arrays)


def graph_of(case, which="true"):
    """Weights (d, d) of the true graph, or of the stored estimate "ev", "nv" or "dagma"."""
    weights = np.zeros_like(case["covariance"])
    weights[case[f"{which}_rows"], case[f"{which}_columns"]] = case[f"{which}_values"]
    return weights


def problem_of(case, method, alpha=ALPHA, **knowledge):
    """Solver's problem of a case with equal ("ev") or unequal ("nv") noise."""
    return make_problem(case["covariance"], alpha, equal=method == "ev", **knowledge)


def shd(true, found):
    """Pairs of nodes whose edge differs; weights are ignored."""
    differs = (true != 0) != (found != 0)
    return int(np.triu(differs | differs.T).sum())


def distance_of(case, method, **settings):
    """Structural Hamming distance of a fit to the true graph."""
    solution = solve(problem_of(case, method), **settings)
    return shd(graph_of(case), oracle.threshold_to_dag(solution.weights, THRESHOLD))


def mean_distances(names, method, **settings):
    """Mean structural Hamming distances over cases: of fits and of the stored estimates."""
    cases = [load_case(name) for name in names]
    found = [distance_of(case, method, **settings) for case in cases]
    stored = [shd(graph_of(case), graph_of(case, method)) for case in cases]
    return np.mean(found), np.mean(stored)


def mask(n_nodes, edges):
    """Boolean matrix with these entries."""
    matrix = np.zeros((n_nodes, n_nodes), dtype=bool)
    for i, j in edges:
        matrix[i, j] = True
    return matrix


def random_covariance(n_nodes, n_samples, spread, seed):
    """Covariance of correlated columns of different scales; singular if there are few samples."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, n_nodes)) @ rng.normal(size=(n_nodes, n_nodes))
    X *= spread ** rng.uniform(-1, 1, n_nodes)
    X -= X.mean(axis=0)
    C = X.T @ X / n_samples
    return (C + C.T) / 2


def random_weights(n_nodes, density, radius, seed):
    """Weights whose W o W has this spectral radius; 0: those of a DAG."""
    rng = np.random.default_rng(seed)
    W = rng.normal(size=(n_nodes, n_nodes)) * (rng.random((n_nodes, n_nodes)) < density)
    np.fill_diagonal(W, 0)
    if radius == 0:
        order = rng.permutation(n_nodes)
        return np.triu(W)[np.ix_(order, order)]
    # Acyclic apart from rounding: leave it as it is.
    found = oracle.spectral_radius(W * W)
    return W * np.sqrt(radius / found) if found > 1e-3 else np.triu(W)


def covariances(min_nodes=1, max_nodes=7, max_spread=10.0):
    """Strategy for covariances."""
    return st.builds(
        random_covariance,
        st.integers(min_nodes, max_nodes),
        st.integers(2, 30),
        st.floats(1.0, max_spread),
        st.integers(0, 2**32 - 1),
    )


def weights_for(C, max_radius):
    """Strategy for weights that fit a covariance."""
    return st.builds(
        random_weights,
        st.just(len(C)),
        st.floats(0, 1),
        st.sampled_from([0.0, 0.01, 0.5, 0.9]).map(lambda share: share * max_radius),
        st.integers(0, 2**32 - 1),
    )
