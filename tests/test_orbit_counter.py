"""OrbitCounter: known and new rows, the interface of scikit-learn, pipelines."""

import pickle

import hypothesis.strategies as st
import naive_graphlets as oracle
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from graphlet_helpers import (
    SMALL_CASES,
    adjacency_of,
    load_case,
    matrix_of,
    messy,
    random_graphs,
    random_pattern,
    star,
)
from hypothesis import given
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from sparsekit.compose import NodeFeatures
from sparsekit.graph import Graph, as_graph
from sparsekit.graphlets import OrbitCounter, count_orbits

sizes = pytest.mark.parametrize("max_nodes", [4, 5])


def test_self_loops_are_no_reason_to_be_new():
    A = nx.to_numpy_array(nx.cycle_graph(5))
    model = OrbitCounter().fit(A + np.eye(5))
    np.testing.assert_array_equal(model.transform(A), model.counts_)
    np.testing.assert_array_equal(model.transform(A + np.eye(5)), model.counts_)


def test_nodes_in_another_order_are_not_mixed_up():
    names = [f"n{i}" for i in range(5)]
    path = nx.path_graph(names)
    model = OrbitCounter().fit(path)
    np.testing.assert_array_equal(model.transform(path), model.counts_)
    turned = nx.Graph()
    turned.add_nodes_from(reversed(names))
    turned.add_edges_from(path.edges)
    with pytest.raises(ValueError, match="ordered otherwise"):
        model.transform(turned)
    assert model.transform(nx.to_numpy_array(path)).shape == (5, 15)


def known_patterns(A):
    """Sets of neighbours of the fitted nodes, as they stand in the rows."""
    return [set(np.flatnonzero(row).tolist()) for row in A]


def expected_rows(A, rows, max_nodes, induced):
    """A row with the neighbours of a fitted node is that node; any other is added alone."""
    fitted = oracle.node_orbits(A, max_nodes, induced)
    known = known_patterns(A)
    result = oracle.new_node_orbits(A, rows, max_nodes, induced)
    for i, row in enumerate(known_patterns(np.asarray(rows))):
        if row in known:
            result[i] = fitted[known.index(row)]
    return result


@sizes
@pytest.mark.parametrize("name", SMALL_CASES)
def test_small_cases(name, max_nodes):
    case = load_case(name)
    A = adjacency_of(case)
    model = OrbitCounter(max_nodes)
    for found in (model.fit_transform(A), model.fit(A).transform(A)):
        assert found.dtype == np.int64
        np.testing.assert_array_equal(found, case[f"node{max_nodes}"])


@sizes
@given(A=random_graphs(10), induced=st.booleans(), seed=st.integers(0, 99))
def test_known_rows(max_nodes, A, induced, seed):
    """Rows of the fitted adjacency give the fitted nodes, also with weights and self-loops."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, len(A), size=5)
    for matrix in (A, messy(A, seed).toarray()):
        model = OrbitCounter(max_nodes, induced=induced)
        expected = model.fit_transform(matrix)
        np.testing.assert_array_equal(expected, oracle.node_orbits(A, max_nodes, induced))
        np.testing.assert_array_equal(model.transform(matrix), expected)
        np.testing.assert_array_equal(model.transform(matrix[rows]), expected[rows])
        np.testing.assert_array_equal(model.transform(matrix[:1]), expected[:1])


@sizes
@given(
    A=random_graphs(9), induced=st.booleans(), seed=st.integers(0, 2**32 - 1), n=st.integers(0, 5)
)
def test_new_rows(max_nodes, A, induced, seed, n):
    """Each new node is counted as if it alone were added; some rows are known, some empty."""
    rng = np.random.default_rng(seed)
    rows = (rng.random((n, len(A))) < rng.random()) * rng.choice([-2.0, 0.5], size=(n, len(A)))
    rows = np.vstack([rows, 3.0 * A[rng.integers(0, len(A), size=1)]])
    model = OrbitCounter(max_nodes, induced=induced).fit(A)
    expected = expected_rows(A, rows, max_nodes, induced)
    for given_rows in (rows, sp.csr_array(rows), sp.coo_matrix(rows)):
        found = model.transform(given_rows)
        assert found.dtype == np.int64
        np.testing.assert_array_equal(found, expected)


def test_new_rows_do_not_see_each_other():
    """Two new nodes on the same edge of a path: together they would close squares."""
    A = matrix_of(nx.path_graph(4))
    row = np.array([1.0, 1.0, 0.0, 0.0])
    model = OrbitCounter().fit(A)
    twice = model.transform([row, row])
    assert twice.tolist() == model.transform([row]).tolist() * 2
    assert twice[0, [0, 3, 8, 12]].tolist() == [2, 1, 0, 0]


def test_twins_of_fitted_nodes_count_as_the_twin():
    A = matrix_of(nx.star_graph(3))
    twin = np.array([[5.0, 0, 0, 0]])
    model = OrbitCounter().fit(A)
    assert model.transform(twin).tolist() == model.fit_transform(A)[1:2].tolist()
    # As a new node it would have met three leaves.
    assert oracle.new_node_orbits(A, twin)[0, 1] == 3
    assert model.transform(twin)[0, 1] == 2


def test_rows_without_edges():
    with_isolated = matrix_of(nx.disjoint_union(nx.cycle_graph(4), nx.empty_graph(1)))
    for A in (with_isolated, matrix_of(nx.cycle_graph(4)), np.zeros((3, 3))):
        for max_nodes in (4, 5):
            model = OrbitCounter(max_nodes).fit(A)
            assert not model.transform(np.zeros((2, len(A)))).any()


def test_weights_and_loops_of_the_fitted_graph_do_not_matter():
    A = random_pattern(8, 0.5, seed=1)
    rows = random_pattern(8, 0.5, seed=2)[:3]
    expected = OrbitCounter(5).fit(A).transform(rows)
    weighted = OrbitCounter(5).fit(A * -3.5)
    np.testing.assert_array_equal(weighted.transform(rows), expected)
    np.testing.assert_array_equal(weighted.transform(rows * 0.1), expected)


def test_gram_matrices():
    """scikit-learn checks pairwise estimators with them: full, weighted, with a diagonal."""
    X = np.random.default_rng(0).normal(size=(9, 3))
    gram = X @ X.T
    model = OrbitCounter().fit(gram)
    expected = oracle.node_orbits(np.ones((9, 9)))
    np.testing.assert_array_equal(model.transform(gram), expected)
    np.testing.assert_array_equal(model.transform(gram[[4, 4, 0]]), expected[:3])


@sizes
@pytest.mark.parametrize("induced", [True, False])
def test_log(max_nodes, induced):
    A = matrix_of(nx.karate_club_graph())
    counts = OrbitCounter(max_nodes, induced=induced).fit_transform(A)
    model = OrbitCounter(max_nodes, induced=induced, log=True)
    for found in (model.fit_transform(A), model.fit(A).transform(A)):
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, np.log1p(counts), rtol=1e-15)
    new = np.eye(34)[[3]] + np.eye(34)[[7]]
    plain = OrbitCounter(max_nodes, induced=induced).fit(A).transform(new)
    np.testing.assert_allclose(model.transform(new), np.log1p(plain), rtol=1e-15)


@sizes
def test_function_and_estimator_agree(max_nodes):
    club = nx.karate_club_graph()
    A = nx.to_scipy_sparse_array(club)
    for induced in (True, False):
        found = OrbitCounter(max_nodes, induced=induced).fit_transform(A)
        np.testing.assert_array_equal(found, count_orbits(club, max_nodes, induced=induced))


def test_threads_give_the_same_counts(monkeypatch):
    monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", 4)
    A = matrix_of(nx.powerlaw_cluster_graph(60, 3, 0.6, seed=0))
    rows = np.vstack([A[:7], random_pattern(60, 0.1, seed=3)[:5]])
    expected = OrbitCounter(5).fit(A).transform(rows)
    for n_jobs in (1, 2, -1):
        model = OrbitCounter(5, n_jobs=n_jobs).fit(A)
        np.testing.assert_array_equal(model.transform(rows), expected)


@sizes
def test_names_of_features(max_nodes):
    model = OrbitCounter(max_nodes).fit(matrix_of(nx.path_graph(3)))
    n_columns = {4: 15, 5: 73}[max_nodes]
    names = model.get_feature_names_out()
    assert names.dtype == object
    assert names.tolist() == [f"orbit_{i}" for i in range(n_columns)]


def test_pandas_output():
    names = [f"node{i}" for i in range(5)]
    A = matrix_of(nx.cycle_graph(5))
    model = OrbitCounter(5).set_output(transform="pandas")
    frame = model.fit_transform(A)
    assert isinstance(frame, pd.DataFrame)
    assert frame.columns.tolist() == [f"orbit_{i}" for i in range(73)]
    assert set(frame.dtypes) == {np.dtype(np.int64)}
    assert frame["orbit_34"].tolist() == [1] * 5
    square = pd.DataFrame(A, index=names, columns=names)
    model = OrbitCounter().set_output(transform="pandas").fit(square)
    assert model.feature_names_in_.tolist() == names
    assert model.transform(square).index.tolist() == names
    assert model.transform(square.iloc[[3]]).index.tolist() == ["node3"]


def test_parameters_clone_and_pickle():
    parameters = {"max_nodes": 5, "induced": False, "log": True, "n_jobs": 2}
    model = OrbitCounter(5, induced=False, log=True, n_jobs=2)
    assert model.get_params() == parameters
    assert OrbitCounter().get_params() == {
        "max_nodes": 4,
        "induced": True,
        "log": False,
        "n_jobs": None,
    }
    assert clone(model).get_params() == parameters
    A = matrix_of(nx.karate_club_graph())
    rows = np.vstack([A[:3], np.ones((1, 34))])
    expected = model.fit(A).transform(rows)
    restored = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(restored.transform(rows), expected)
    with pytest.raises(NotFittedError):
        clone(model).transform(A)
    assert repr(OrbitCounter(5, log=True)) == "OrbitCounter(log=True, max_nodes=5)"


def test_tags():
    tags = get_tags(OrbitCounter())
    assert tags.input_tags.pairwise
    assert tags.input_tags.sparse
    assert tags.transformer_tags.preserves_dtype == []


def test_the_fitted_graph_is_a_copy():
    A = matrix_of(nx.path_graph(5))
    sparse = sp.csr_array(A)
    new = np.array([[1.0, 1.0, 0, 0, 0]])
    for matrix in (A, sparse):
        model = OrbitCounter().fit(matrix)
        before = model.transform(new)
        (matrix.data if sp.issparse(matrix) else matrix)[:] = 0
        np.testing.assert_array_equal(model.transform(new), before)


def test_results_can_be_written_to():
    A = matrix_of(nx.cycle_graph(4))
    model = OrbitCounter().fit(A)
    model.transform(A)[:] = -1
    np.testing.assert_array_equal(model.transform(A), oracle.node_orbits(A))


def test_graphs_are_taken_as_they_are():
    A = matrix_of(nx.karate_club_graph())
    expected = oracle.node_orbits(A)
    graph = Graph(A)
    np.testing.assert_array_equal(OrbitCounter().fit(graph).transform(graph), expected)
    np.testing.assert_array_equal(OrbitCounter().fit_transform(graph), expected)


@pytest.mark.parametrize(
    "settings", [{"max_nodes": 3}, {"max_nodes": "5"}, {"induced": "yes"}, {"log": 3}]
)
def test_parameters_are_checked_in_fit(settings):
    model = OrbitCounter(**settings)
    with pytest.raises(ValueError, match=next(iter(settings))):
        model.fit(np.ones((3, 3)))


def test_transform_needs_as_many_columns_as_there_are_nodes():
    model = OrbitCounter().fit(matrix_of(nx.path_graph(4)))
    assert model.n_features_in_ == 4
    for n_columns in (3, 5):
        text = f"X has {n_columns} features, but OrbitCounter is expecting 4 features"
        with pytest.raises(ValueError, match=text):
            model.transform(np.ones((2, n_columns)))
    with pytest.raises(ValueError, match="NaN"):
        model.transform([[np.nan, 0, 0, 0]])
    with pytest.raises(ValueError, match="infinity"):
        model.transform([[np.inf, 0, 0, 0]])


def test_new_nodes_that_overflow():
    model = OrbitCounter(5).fit(np.zeros((4, 4)))
    assert model.transform(np.ones((1, 4)))[0, 23] == 1
    model.fit(sp.csr_array((130_000, 130_000)))
    with pytest.raises(OverflowError, match=r"orbit 23\b"):
        model.transform(sp.csr_array(np.ones((1, 130_000))))


def test_a_new_node_may_be_the_hub():
    model = OrbitCounter(5).fit(star(30))
    row = np.ones((1, 31))
    expected = oracle.new_node_orbits(star(8).toarray(), np.ones((1, 9)), 5)
    found = OrbitCounter(5).fit(star(8)).transform(np.ones((1, 9)))
    np.testing.assert_array_equal(found, expected)
    assert model.transform(row)[0, 0] == 31


def clubs():
    club = nx.karate_club_graph()
    side = np.array([club.nodes[node]["club"] == "Officer" for node in club])
    return nx.to_scipy_sparse_array(club, format="csr"), side


def test_pipeline_and_grid_search():
    """Inductive: scikit-learn cuts rows and columns because of the pairwise tag."""
    A, side = clubs()
    degree_is_high = np.asarray(A.astype(bool).sum(axis=1)).ravel() > 4
    model = make_pipeline(OrbitCounter(log=True), StandardScaler(), LogisticRegression())
    assert get_tags(model).input_tags.pairwise
    assert model.fit(A, degree_is_high).score(A, degree_is_high) == 1.0
    assert cross_val_score(model, A, degree_is_high, cv=4).mean() > 0.8
    grid = {"orbitcounter__max_nodes": [4, 5], "orbitcounter__induced": [True, False]}
    search = GridSearchCV(model, grid, cv=3).fit(A, side)
    assert len(search.cv_results_["mean_test_score"]) == 4
    assert not np.isnan(search.cv_results_["mean_test_score"]).any()
    assert search.predict(A).shape == (34,)


def test_folds_are_cut_to_the_training_nodes():
    """What cross-validation counts for the test nodes: each alone beside the training nodes."""
    A, _ = clubs()
    dense = A.toarray()
    train, test = np.arange(0, 34, 2), np.arange(1, 34, 2)
    model = OrbitCounter().fit(A[train][:, train])
    found = model.transform(A[test][:, train])
    expected = expected_rows(dense[np.ix_(train, train)], dense[np.ix_(test, train)], 4, True)
    np.testing.assert_array_equal(found, expected)


def test_node_features():
    """Transductive: counts of the whole graph, looked up by name."""
    club = nx.karate_club_graph()
    graph = as_graph(club)
    features = NodeFeatures(OrbitCounter(5), graph=graph)
    ids = np.array([[33], [0], [33]])
    found = features.fit_transform(ids)
    np.testing.assert_array_equal(found, count_orbits(club, 5)[ids[:, 0]])
    assert features.get_feature_names_out()[-1] == "orbit_72"
    named = Graph(graph.adjacency, node_names=[f"m{i}" for i in range(34)])
    features = NodeFeatures(OrbitCounter(5), graph=named).fit(["m0"])
    np.testing.assert_array_equal(features.transform(["m33", "m0", "m33"]), found)
    _, side = clubs()
    model = make_pipeline(
        NodeFeatures(OrbitCounter(log=True), graph=graph), StandardScaler(), LogisticRegression()
    )
    grid = {"nodefeatures__transformer__max_nodes": [4, 5]}
    search = GridSearchCV(model, grid, cv=3).fit(np.arange(34).reshape(-1, 1), side)
    assert not np.isnan(search.cv_results_["mean_test_score"]).any()
