"""Embeddings of nodes by factorisation: the formula, rows at transform time, clear errors."""

import pickle

import naive_graphlets as oracle
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from graphlet_helpers import matrix_of, messy, random_graphs, random_pattern
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from sparsekit.compose import NodeFeatures
from sparsekit.datasets import make_sbm_graph
from sparsekit.graph import as_graph
from sparsekit.graphlets import OrbitAdjacencyEmbedding, RandomWalkEmbedding
from sparsekit.graphlets.factors._new_rows import new_rows
from sparsekit.graphlets.factors._random_walk import MAX_NODES
from sparsekit.graphlets.factors._weighting import weigh_rows

KARATE = matrix_of(nx.karate_club_graph())
ESTIMATORS = {
    "all": OrbitAdjacencyEmbedding(8, random_state=0),
    "all, normalized": OrbitAdjacencyEmbedding(8, weighting="normalized", random_state=0),
    "both hops": OrbitAdjacencyEmbedding(8, pair=(4, 5), random_state=0),
    "one hop": OrbitAdjacencyEmbedding(8, pair=(8, 8, 2), random_state=0),
    "path ends": OrbitAdjacencyEmbedding(8, pair=(4, 4), weighting="normalized", random_state=0),
    "line": RandomWalkEmbedding(8, window=1, random_state=0),
    "walk": RandomWalkEmbedding(8, random_state=0),
}
every_estimator = pytest.mark.parametrize("name", list(ESTIMATORS))


def counts_of(A, pair):
    """Dense orbit adjacency, the sum over hops if none is given."""
    found = oracle.orbit_adjacencies(A)
    return sum(X for key, X in found.items() if tuple(pair) in (key, key[:2]))


def matrix_behind(estimator, A):
    """V of a dense pattern, by enumeration."""
    if isinstance(estimator, RandomWalkEmbedding):
        return oracle.random_walk_matrix(A, estimator.window)
    if estimator.pair == "all":
        return oracle.all_pairs_matrix(A, estimator.weighting)
    return oracle.weighted_counts(counts_of(A, estimator.pair), estimator.weighting)


def rows_behind(estimator, A, rows):
    """Rows of V for new nodes, each added alone."""
    if isinstance(estimator, RandomWalkEmbedding):
        return oracle.random_walk_rows(A, rows, estimator.window)
    fitted = oracle.orbit_adjacencies(A)
    larger = [oracle.orbit_adjacencies(oracle.with_new_node(A, row)) for row in rows]
    blocks = [[key] for key in sorted(fitted) if key != (4, 4, 3)]
    if estimator.pair != "all":
        blocks = [[key for key in fitted if estimator.pair in (key, key[:2])]]
    columns = [np.zeros((len(rows), 0))]
    for block in blocks:
        X = sum(fitted[key] for key in block)
        new = np.array([sum(found[key][-1, :-1] for key in block) for found in larger])
        new[:, X.sum(axis=0) == 0] = 0  # nothing is known of these
        V = oracle.weighted_counts(X, estimator.weighting)
        if np.any(V):
            all_new = np.array([sum(found[key][-1] for key in block).sum() for found in larger])
            margins = (all_new, X.sum(axis=0), X.sum())
            scale = np.linalg.norm(V) if estimator.pair == "all" else 1
            columns.append(oracle.weighted_counts(new, estimator.weighting, *margins) / scale)
    return np.hstack(columns)


@every_estimator
@settings(max_examples=15)
@given(random_graphs(11))
def test_singular_vectors_of_the_formula(name, A):
    """They solve V'U = WS; which ones, where values coincide, is free."""
    model = clone(ESTIMATORS[name]).fit(A)
    E, s = model.embedding_, model.singular_values_
    assert E.shape == (len(A), min(8, len(A)))
    assert E.dtype == np.float64
    V = matrix_behind(model, A)
    if V.shape[1] == 0:
        V = np.zeros(A.shape)
    expected = np.linalg.svd(V, compute_uv=False)[: len(s)]
    np.testing.assert_allclose(s, np.where(expected > 1e-7 * expected[0], expected, 0), atol=1e-9)
    np.testing.assert_allclose(E.T @ E, np.diag(s), atol=1e-9)
    np.testing.assert_allclose(V @ (V.T @ E), E * s**2, atol=1e-9)
    assert not np.any(E[:, s == 0])


@every_estimator
def test_every_column_and_its_sign(name):
    model = clone(ESTIMATORS[name]).fit(KARATE)
    u, s, _ = np.linalg.svd(matrix_behind(model, KARATE))
    gaps = -np.diff(s)
    unique = np.minimum(gaps, np.insert(gaps[:-1], 0, 1))[:8] > 1e-3
    assert unique.sum() >= 4
    expected = (u[:, :8] * np.sqrt(s[:8]))[:, unique]
    np.testing.assert_allclose(np.abs(model.embedding_[:, unique]), np.abs(expected), atol=1e-9)
    largest = np.abs(model.embedding_).argmax(axis=0)
    assert np.all(model.embedding_[largest, np.arange(8)] > 0)


def test_line_of_a_path_by_hand():
    """Edges of a path of three nodes: each is 4 / (1 * 2) times as frequent as by chance."""
    V = np.log(2) * matrix_of(nx.path_graph(3))
    found = RandomWalkEmbedding(3, window=1).fit_transform(nx.path_graph(3))
    s = np.log(2) * np.sqrt(2)
    np.testing.assert_allclose(found @ found.T, V @ V / s, atol=1e-12)


@settings(max_examples=30)
@given(random_graphs(10), st.integers(0, 2**32 - 1))
def test_rows_of_new_nodes_in_orbit_adjacencies(A, seed):
    rng = np.random.default_rng(seed)
    rows = (rng.random((3, len(A))) < rng.random()).astype(float)
    found = new_rows(sp.csr_array(A), sp.csr_array((A @ A) * A), sp.csr_array(rows))
    for i, row in enumerate(rows):
        expected = oracle.orbit_adjacencies(oracle.with_new_node(A, row))
        assert set(found) == set(expected)
        for key, matrix in found.items():
            np.testing.assert_array_equal(matrix.toarray()[i], expected[key][-1, :-1], str(key))
    for key in found:
        alone = new_rows(sp.csr_array(A), sp.csr_array((A @ A) * A), sp.csr_array(rows), [key])
        assert list(alone) == [key]
        np.testing.assert_array_equal(alone[key].toarray(), found[key].toarray(), str(key))


def new_neighbours(A, n_rows, seed):
    """Rows that none of the fitted nodes has."""
    rng = np.random.default_rng(seed)
    rows = (rng.random((2 * n_rows, len(A))) < 6 / len(A)).astype(float)
    rows = [row for row in rows if not any(np.array_equal(row, old) for old in A)]
    return np.array(rows[:n_rows])


@every_estimator
@pytest.mark.parametrize("batch", [10**6, 2])
def test_new_nodes(name, batch, monkeypatch):
    monkeypatch.setattr("sparsekit.graphlets.factors._new_rows._BATCH", 40 * batch)
    monkeypatch.setattr("sparsekit.graphlets.factors._random_walk._WIDTH", batch)
    A = random_pattern(16, 0.25, seed=3)
    rows = np.vstack([new_neighbours(A, 5, seed=4), np.zeros(16)])
    model = clone(ESTIMATORS[name]).fit(A)
    V, new = matrix_behind(model, A), rows_behind(model, A, rows)
    expected = new @ (V.T @ (model.embedding_ / np.maximum(model.singular_values_, 1e-99) ** 2))
    found = model.transform(2.0 * sp.coo_array(rows))
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert not np.any(found[-1])
    np.testing.assert_allclose(model.transform(rows[[3]]), found[[3]], atol=1e-12)


def test_new_nodes_that_meet_what_the_fitted_graph_has_not():
    """No triangle was fitted: nothing is known to compare new ones with."""
    model = OrbitAdjacencyEmbedding(4, pair=(3, 3)).fit(nx.path_graph(6))
    assert not np.any(model.embedding_)
    assert not np.any(model.transform(np.array([[1.0, 1, 0, 0, 0, 0]])))
    model = OrbitAdjacencyEmbedding(4, pair=(3, 3)).fit(nx.lollipop_graph(4, 3))
    assert np.any(model.transform(np.array([[1.0, 1, 0, 0, 0, 0, 0]])))
    assert not np.any(model.transform(np.array([[0.0, 0, 0, 0, 0, 1, 1]])))


@every_estimator
def test_rows_of_fitted_nodes(name):
    A = messy(KARATE)
    model = clone(ESTIMATORS[name]).fit(A)
    np.testing.assert_array_equal(model.transform(A), model.embedding_)
    dense = A.toarray()
    some = [30, 2, 2, 17]
    np.testing.assert_array_equal(model.transform(dense[some]), model.embedding_[some])
    np.testing.assert_array_equal(model.transform(-3 * dense[some]), model.embedding_[some])
    clean = clone(model).fit(KARATE)
    np.testing.assert_allclose(clean.embedding_, model.embedding_, atol=1e-12)


@every_estimator
def test_equal_rows_are_the_first_of_them_and_the_whole_graph_is_itself(name):
    star = matrix_of(nx.star_graph(5))
    weighted = star * np.arange(1, 7)[:, None] * np.arange(1, 7)
    for A, positions in ((star, [0, 1, 1, 1, 1, 1]), (weighted, [0, 1, 2, 3, 4, 5])):
        model = clone(ESTIMATORS[name]).fit(A)
        np.testing.assert_array_equal(model.transform(A), model.embedding_)
        np.testing.assert_array_equal(model.transform(A[::-1]), model.embedding_[positions[::-1]])
        np.testing.assert_array_equal(model.transform(A[1:]), model.embedding_[positions[1:]])


@every_estimator
@pytest.mark.parametrize("n_nodes", [1, 5])
def test_graphs_without_edges(name, n_nodes):
    empty = np.zeros((n_nodes, n_nodes))
    model = clone(ESTIMATORS[name]).fit(empty)
    np.testing.assert_array_equal(model.embedding_, np.zeros((n_nodes, min(n_nodes, 8))))
    assert not np.any(model.transform(empty[:1]))
    assert not np.any(model.transform(np.ones((2, n_nodes))))


@every_estimator
def test_isolated_nodes_are_zero(name):
    graph = nx.disjoint_union(nx.karate_club_graph(), nx.empty_graph(2))
    model = clone(ESTIMATORS[name]).fit(graph)
    assert not np.any(model.embedding_[-2:])
    alone = clone(ESTIMATORS[name]).fit(nx.karate_club_graph())
    # Where singular values coincide, as those of twins do, rounding may rotate the vectors.
    found, expected = (e @ e.T for e in (model.embedding_[:-2], alone.embedding_))
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_blocks_that_are_zero_but_for_rounding_are_left_out():
    """Of a star, leaves meet the centre exactly as often as chance lets expect."""
    A = matrix_of(nx.star_graph(6))
    for pair in ((1, 2), (6, 7)):
        assert not np.any(OrbitAdjacencyEmbedding(3, pair=pair).fit(A).embedding_)
    kept = [block for block, _ in OrbitAdjacencyEmbedding().fit(A)._blocks]
    assert kept == [((0, 0, 1),), ((1, 1, 2),), ((6, 6, 2),)]


@pytest.mark.parametrize("weighting", ["ppmi", "normalized"])
def test_weights(weighting):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 10**6, size=(7, 9)) * (rng.random((7, 9)) < 0.6)
    X[3], X[:, 4] = 0, 0
    found = weigh_rows(sp.csr_array(X), weighting, X.sum(axis=0).astype(float), float(X.sum()))
    np.testing.assert_allclose(found.toarray(), oracle.weighted_counts(X, weighting), rtol=1e-12)
    assert np.all(found.data > 0)


@every_estimator
def test_every_form_of_the_input_gives_the_same_vectors(name):
    expected = clone(ESTIMATORS[name]).fit_transform(KARATE)
    frame = pd.DataFrame(KARATE, columns=[f"n{i}" for i in range(34)])
    forms = (sp.csc_matrix(KARATE), as_graph(KARATE), nx.karate_club_graph(), frame, messy(KARATE))
    for form in forms:
        np.testing.assert_allclose(
            clone(ESTIMATORS[name]).fit_transform(form), expected, atol=1e-12
        )
    model = clone(ESTIMATORS[name]).fit(frame)
    assert model.feature_names_in_.tolist() == frame.columns.tolist()
    with pytest.raises(ValueError, match="feature names should match"):
        model.transform(frame[frame.columns[::-1]])


@every_estimator
def test_threads_and_seeds_and_inputs(name):
    A = sp.csr_array(random_pattern(700, 0.01, seed=0))  # large enough for Lanczos
    before = A.copy()
    rows = new_neighbours(A.toarray(), 3, seed=5)
    model = clone(ESTIMATORS[name]).fit(A)
    threaded = clone(ESTIMATORS[name]).set_params(n_jobs=2).fit(A)
    np.testing.assert_array_equal(threaded.embedding_, model.embedding_)
    np.testing.assert_array_equal(threaded.transform(rows), model.transform(rows))
    other = clone(ESTIMATORS[name]).set_params(random_state=1).fit(A)
    np.testing.assert_allclose(other.embedding_, model.embedding_, atol=1e-8)
    drawn = [
        clone(ESTIMATORS[name]).set_params(random_state=np.random.RandomState(7)).fit(A)
        for _ in range(2)
    ]
    np.testing.assert_array_equal(drawn[0].embedding_, drawn[1].embedding_)
    assert np.array_equal(A.data, before.data)
    assert np.array_equal(A.indices, before.indices)
    model.transform(A)[:] = 0
    model.fit_transform(A)[:] = 0
    assert np.any(model.embedding_)


@every_estimator
def test_failed_fits_leave_the_fitted_state(name):
    model = clone(ESTIMATORS[name]).fit(KARATE)
    state = pickle.dumps(vars(model))
    for bad in (np.ones((2, 3)), np.triu(KARATE[:5, :5]), KARATE * np.nan, np.zeros((0, 0))):
        with pytest.raises(ValueError):
            model.fit(bad)
        assert pickle.dumps(vars(model)) == state
    model.set_params(n_components=0)
    with pytest.raises(ValueError, match="'n_components' parameter"):
        model.fit(KARATE[:5, :5])
    np.testing.assert_array_equal(model.transform(KARATE), pickle.loads(state)["embedding_"])


@every_estimator
def test_parameters_changed_after_a_fit_do_not_change_transform(name):
    rows = new_neighbours(KARATE, 3, seed=1)
    model = clone(ESTIMATORS[name]).fit(KARATE)
    expected = model.transform(rows)
    changes = {"n_components": 2, "pair": (0, 0), "weighting": "ppmi", "window": 7}
    model.set_params(**{key: value for key, value in changes.items() if hasattr(model, key)})
    np.testing.assert_array_equal(model.transform(rows), expected)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).transform(rows), expected)


@every_estimator
def test_bad_graphs(name):
    estimator = clone(ESTIMATORS[name])
    with pytest.raises(ValueError, match=r"undirected graphs.*A\.maximum\(A\.T\)"):
        estimator.fit(np.triu(KARATE))
    with pytest.raises(ValueError, match="square"):
        estimator.fit(KARATE[:5])
    with pytest.raises(ValueError, match="NaN"):
        estimator.fit(KARATE * np.nan)
    estimator.fit(KARATE)
    with pytest.raises(ValueError, match=r"X has 5 features, but .* is expecting 34 features"):
        estimator.transform(KARATE[:5, :5])
    with pytest.raises(ValueError, match="infinity"):
        estimator.transform(KARATE + np.inf)


@pytest.mark.parametrize("pair", [(2, 3), (4, 4, 1), (1,), (), (0, 0, 1, 1), [15, 16], ("a", "b")])
def test_unknown_pairs(pair):
    with pytest.raises(ValueError, match=r"\(0, 0, 1\), .*\(14, 14, 1\)"):
        OrbitAdjacencyEmbedding(pair=pair).fit(KARATE)


@pytest.mark.parametrize("parameters", [{"pair": "some"}, {"pair": 3}, {"weighting": "count"}])
def test_bad_parameters(parameters):
    with pytest.raises(ValueError, match=f"'{next(iter(parameters))}' parameter"):
        OrbitAdjacencyEmbedding(**parameters).fit(KARATE)


def test_lists_and_numpy_integers_are_pairs():
    expected = OrbitAdjacencyEmbedding(4, pair=(4, 5, 2), random_state=0).fit_transform(KARATE)
    for pair in ([4, 5, 2], tuple(np.array([4, 5, 2]))):
        found = OrbitAdjacencyEmbedding(4, pair=pair, random_state=0).fit_transform(KARATE)
        np.testing.assert_array_equal(found, expected)


def test_walks_over_large_graphs_are_refused():
    large = sp.csr_array((MAX_NODES + 1, MAX_NODES + 1))
    with pytest.raises(ValueError, match=r"up to 10000 nodes, got 10001: use .*FastRP"):
        RandomWalkEmbedding().fit(large)


class Recorder:
    """A callback that lists the stages of a fit."""

    def __init__(self):
        self.stages = []

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        self.stages.append(context.task_name)

    def on_fit_task_end(self, estimator, context):
        self.stages.append("end")


@every_estimator
def test_callbacks_see_the_stages(name):
    recorder = Recorder()
    clone(ESTIMATORS[name]).set_callbacks(recorder).fit(KARATE)
    assert recorder.stages == ["fit", "weigh-pairs", "end", "factorise", "end", "end"]


def test_column_names():
    model = OrbitAdjacencyEmbedding(3, pair=(0, 0)).set_output(transform="pandas")
    frame = model.fit_transform(KARATE)
    assert frame.columns.tolist() == [f"orbitadjacencyembedding{i}" for i in range(3)]
    assert RandomWalkEmbedding(128).fit(KARATE).get_feature_names_out().shape == (34,)


def test_grid_search_over_pairs():
    graph, blocks = make_sbm_graph(120, n_blocks=3, mixing=0.2, random_state=0)
    nodes = np.arange(120).reshape(-1, 1)
    features = NodeFeatures(OrbitAdjacencyEmbedding(8, random_state=0), graph=graph)
    model = make_pipeline(features, LogisticRegression(max_iter=1000))
    grid = {"nodefeatures__transformer__pair": ["all", (0, 0), (1, 1), (3, 3)]}
    search = GridSearchCV(model, grid, cv=3).fit(nodes, blocks)
    assert search.best_score_ > 0.9


@pytest.mark.parametrize("name", ["all", "path ends", "walk"])
def test_inductive_cross_validation(name):
    graph, blocks = make_sbm_graph(120, n_blocks=3, mixing=0.2, random_state=0)
    model = make_pipeline(clone(ESTIMATORS[name]), LogisticRegression(C=100, max_iter=1000))
    assert cross_val_score(model, graph.adjacency, blocks, cv=10).mean() > 0.6
