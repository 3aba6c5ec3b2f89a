"""NodeFeatures: transductive cross-validation, and the inductive one of a bare transformer."""

from pathlib import Path

import joblib
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import TruncatedSVD
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sparsekit.compose import NodeFeatures
from sparsekit.embedding import FastRP
from sparsekit.graph import Graph, as_graph

CASE = Path(__file__).parent / "cases" / "embedding" / "sbm_labels.npz"
FOLDS = StratifiedKFold(3, shuffle=True, random_state=0)


@pytest.fixture(scope="module")
def blocks():
    """Graph of 180 nodes in 4 blocks, and the labels."""
    with np.load(CASE) as case:
        parts = (case["data"], case["indices"], case["indptr"])
        return sp.csr_array(parts, shape=(int(case["n"]),) * 2), case["labels"]


@pytest.fixture
def named():
    """A small graph with names, and its embedding."""
    graph = as_graph(nx.les_miserables_graph())
    return graph, FastRP(8, random_state=0).fit(graph).embedding_


def classifier():
    return make_pipeline(StandardScaler(), LogisticRegression())


def test_transductive_grid_search_equals_the_manual_loop(blocks):
    A, labels = blocks
    ids = np.arange(len(labels)).reshape(-1, 1)
    features = NodeFeatures(FastRP(32, random_state=0), graph=Graph(A))
    betas = [-0.5, 0.0]
    search = GridSearchCV(
        make_pipeline(features, *classifier()),
        {"nodefeatures__transformer__beta": betas},
        cv=FOLDS,
    ).fit(ids, labels)
    for beta, scores in zip(betas, search.cv_results_["mean_test_score"], strict=True):
        E = FastRP(32, beta=beta, random_state=0).fit(A).embedding_
        manual = [
            classifier().fit(E[train], labels[train]).score(E[test], labels[test])
            for train, test in FOLDS.split(ids, labels)
        ]
        assert scores == pytest.approx(np.mean(manual), abs=1e-12)
    assert search.best_score_ > 0.6  # four blocks: chance is a quarter


def test_inductive_cross_validation_equals_the_manual_loop(blocks):
    A, labels = blocks
    model = make_pipeline(FastRP(32, random_state=0), *classifier())
    scores = cross_val_score(model, A, labels, cv=FOLDS)
    for score, (train, test) in zip(scores, FOLDS.split(A, labels), strict=True):
        embedding = FastRP(32, random_state=0).fit(A[train][:, train])
        fitted = classifier().fit(embedding.embedding_, labels[train])
        manual = fitted.score(embedding.transform(A[test][:, train]), labels[test])
        assert score == pytest.approx(manual, abs=1e-12)


@pytest.mark.parametrize(
    "form",
    [
        lambda names: names,
        lambda names: np.array(names),
        lambda names: np.array(names, dtype=object).reshape(-1, 1),
        lambda names: [[name] for name in names],
        lambda names: pd.Series(names),
        lambda names: pd.DataFrame({"node": names}),
    ],
)
def test_ids_in_every_form(named, form):
    graph, E = named
    wanted = ["Valjean", "Javert", "Valjean"]
    model = NodeFeatures(FastRP(8, random_state=0), graph=graph).fit(form(wanted))
    np.testing.assert_array_equal(model.transform(form(wanted)), E[graph.indices_of(wanted)])
    assert model.n_features_in_ == 1


def test_tuples_are_names():
    grid = nx.grid_2d_graph(3, 3)
    model = NodeFeatures(FastRP(4, random_state=0), graph=grid)
    found = model.fit_transform([(1, 2), (0, 0)])
    np.testing.assert_array_equal(found, FastRP(4, random_state=0).fit(grid).embedding_[[5, 0]])


def test_positions_without_names():
    model = NodeFeatures(FastRP(4, random_state=0), graph=nx.path_graph(6))
    E = FastRP(4, random_state=0).fit(nx.path_graph(6)).embedding_
    np.testing.assert_array_equal(model.fit_transform([[5], [0]]), E[[5, 0]])
    np.testing.assert_array_equal(model.transform(np.array([2.0, 3.0])), E[[2, 3]])
    mixed = np.array([[3], [1]], dtype=object)
    np.testing.assert_array_equal(model.transform(mixed), E[[3, 1]])


def test_the_whole_graph_is_fitted_whatever_the_ids(named):
    graph, E = named
    model = NodeFeatures(FastRP(8, random_state=0), graph=graph).fit(["Valjean"])
    np.testing.assert_array_equal(model.transform(graph.node_names), E)


def test_graph_is_neither_copied_nor_cloned(named):
    graph, _ = named
    model = NodeFeatures(FastRP(8), graph=graph)
    assert clone(model).graph is graph
    assert model.fit(["Valjean"]).graph_ is graph
    assert not hasattr(model.transformer, "embedding_")


def test_any_transformer_and_pipelines(named):
    graph, _ = named
    pipeline = make_pipeline(FastRP(8, random_state=0), TruncatedSVD(2, random_state=0))
    features = NodeFeatures(pipeline, graph=graph).fit_transform(graph.node_names)
    np.testing.assert_array_equal(features, clone(pipeline).fit_transform(graph.adjacency))
    assert features.shape == (77, 2)


class Adjacency(TransformerMixin, BaseEstimator):
    """Sparse features: the rows of the adjacency."""

    def fit(self, X, y=None):
        """Do nothing."""
        return self

    def transform(self, X):
        """Return the input as columns."""
        return X.tocsc()


def test_sparse_features_stay_sparse(named):
    graph, _ = named
    found = NodeFeatures(Adjacency(), graph=graph).fit_transform(["Javert", "Valjean"])
    assert sp.issparse(found)
    expected = graph.adjacency[graph.indices_of(["Javert", "Valjean"])]
    np.testing.assert_array_equal(found.toarray(), expected.toarray())


def test_pandas_output(named):
    graph, E = named
    ids = pd.DataFrame({"node": ["Javert", "Valjean"]}, index=[10, 20])
    for transformer in (
        FastRP(8, random_state=0),
        FastRP(8, random_state=0).set_output(transform="pandas"),
    ):
        model = NodeFeatures(transformer, graph=graph).set_output(transform="pandas")
        out = model.fit_transform(ids)
        assert list(out.columns) == [f"fastrp{i}" for i in range(8)]
        assert list(out.index) == [10, 20]
        np.testing.assert_array_equal(out.to_numpy(), E[graph.indices_of(ids["node"])])


class CountingFastRP(FastRP):
    """Leaves one file for each fit."""

    def __init__(self, folder=None, random_state=None):
        super().__init__(4, random_state=random_state)
        self.folder = folder

    def fit(self, X, y=None):
        """Leave a trace and fit."""
        folder = Path(self.folder)
        (folder / str(len(list(folder.iterdir())))).touch()
        return super().fit(X)


def test_memory_computes_the_features_once(named, tmp_path):
    graph, _ = named
    traces = tmp_path / "traces"
    traces.mkdir()
    model = NodeFeatures(
        CountingFastRP(str(traces), random_state=0),
        graph=graph,
        memory=joblib.Memory(tmp_path / "cache", verbose=0),
    )
    first = model.fit_transform(["Javert"])
    again = clone(model).fit_transform(["Javert"])
    np.testing.assert_array_equal(first, again)
    assert len(list(traces.iterdir())) == 1
    clone(model).set_params(transformer__random_state=1).fit(["Javert"])
    assert len(list(traces.iterdir())) == 2


def test_errors(named):
    graph, _ = named
    model = NodeFeatures(FastRP(4), graph=graph)
    with pytest.raises(NotFittedError):
        model.transform(["Javert"])
    with pytest.raises(ValueError, match="such as 'Nobody'"):
        model.fit(["Javert", "Nobody"])
    with pytest.raises(NotFittedError):
        model.transform(["Javert"])
    with pytest.raises(ValueError, match="the string 'Javert': pass a list"):
        model.fit("Javert")
    model.fit(["Javert"])
    with pytest.raises(ValueError, match="1 of 1 node names are not in the graph"):
        model.transform(["Nobody"])
    with pytest.raises(ValueError, match=r"one column of node ids, got shape \(77, 77\)"):
        model.fit(graph.adjacency)
    with pytest.raises(ValueError, match=r"one column of node ids, got shape \(2, 2\)"):
        model.transform(np.array([["Javert", "Valjean"]] * 2))
    with pytest.raises(TypeError, match="can not read a graph from"):
        NodeFeatures(FastRP(4), graph=None).fit([0])


def test_progress_reaches_the_inner_transformer(named):
    graph, _ = named
    seen = []

    class Recorder:
        max_propagation_depth = None

        def setup(self, estimator, context):
            pass

        def teardown(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            seen.append((context.estimator_name, context.task_name))

        def on_fit_task_end(self, estimator, context):
            pass

    model = NodeFeatures(FastRP(4, hop_weights=3), graph=graph)
    model.set_callbacks(Recorder()).fit(["Javert"])
    assert seen.count(("FastRP", "hop")) == 3
