"""Graphlet counts of whole graphs: exact counts, lists of graphs as X, use in pipelines."""

import pickle

import naive_graphlets as oracle
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import skops.io
from graphlet_helpers import SMALL_CASES, adjacency_of, load_case, messy, random_graphs, star
from hypothesis import given
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimator

from sparsekit.graph import as_graph
from sparsekit.graphlets import GraphletCounter, count_graphlets
from sparsekit.graphlets._graphlet_counter import _exact_sums


@given(random_graphs(9))
def test_counts_agree_with_enumeration(A):
    np.testing.assert_array_equal(count_graphlets(A, 5), oracle.graphlet_counts(A, 5))
    np.testing.assert_array_equal(count_graphlets(A), oracle.graphlet_counts(A, 4))


@pytest.mark.parametrize("name", SMALL_CASES)
@pytest.mark.parametrize("max_nodes", [4, 5])
def test_every_orbit_of_a_graphlet_gives_the_same_count(name, max_nodes):
    case = load_case(name)
    counts = count_graphlets(adjacency_of(case), max_nodes)
    assert counts.dtype == np.int64
    sums = case[f"node{max_nodes}"].sum(axis=0)
    for graphlet, (_, nodes, _) in enumerate(oracle.GRAPHLETS[: len(counts)]):
        for orbit in set(nodes):
            assert counts[graphlet] * nodes.count(orbit) == sums[orbit]


def test_known_counts():
    assert count_graphlets(nx.complete_graph(6), 5).nonzero()[0].tolist() == [0, 2, 8, 29]
    assert count_graphlets(nx.complete_graph(6), 5)[[0, 2, 8, 29]].tolist() == [15, 20, 15, 6]
    assert count_graphlets(nx.cycle_graph(8)).tolist() == [8, 8, 0, 8, 0, 0, 0, 0, 0]
    assert count_graphlets(nx.petersen_graph(), 5)[15] == 12  # cycles of five nodes


def test_sums_that_exceed_64_bits():
    columns = np.full((7, 2), 2**62, dtype=np.int64)
    columns[:3, 1] = 1, 2**40 + 5, 0
    assert _exact_sums(columns) == [7 * 2**62, 4 * 2**62 + 2**40 + 6]


def test_sums_of_orbits_may_exceed_64_bits(monkeypatch):
    """The four nodes of a clique add up beyond what their quotient needs."""
    orbits = np.zeros((8, 15), dtype=np.int64)
    orbits[:, 14] = 2**61
    monkeypatch.setattr(
        "sparsekit.graphlets._graphlet_counter.count_orbits", lambda *_, **__: orbits
    )
    assert count_graphlets("any")[8] == 2**62
    orbits[:, 14] = 2**62
    with pytest.raises(OverflowError, match="G8"):
        count_graphlets("any")


def test_large_star():
    n_leaves = 50_000
    expected = n_leaves * (n_leaves - 1) * (n_leaves - 2) // 6
    assert count_graphlets(star(n_leaves))[4] == expected


GRAPHS = [nx.karate_club_graph(), nx.star_graph(5), nx.empty_graph(3), nx.path_graph(["a", "b"])]


@pytest.mark.parametrize("max_nodes", [4, 5])
def test_transform(max_nodes):
    counter = GraphletCounter(max_nodes)
    counts = counter.fit_transform(GRAPHS)
    assert counts.dtype == np.int64
    np.testing.assert_array_equal(counts, [count_graphlets(g, max_nodes) for g in GRAPHS])
    np.testing.assert_array_equal(counter.transform(GRAPHS[1:3]), counts[1:3])


def test_normalized_rows():
    rows = GraphletCounter(normalize=True).transform(GRAPHS)
    counts = GraphletCounter().transform(GRAPHS)
    assert rows.dtype == np.float64
    assert np.all(rows[2] == 0)
    np.testing.assert_allclose(rows[[0, 1, 3]].sum(axis=1), 1)
    np.testing.assert_allclose(rows[0], counts[0] / counts[0].sum())


def test_every_kind_of_graph_and_of_list():
    A = nx.to_numpy_array(nx.karate_club_graph(), weight=None)
    kinds = [A, sp.csr_matrix(A), sp.coo_array(A), as_graph(A), nx.karate_club_graph(), messy(A)]
    counts = GraphletCounter().fit_transform(kinds)
    assert np.all(counts == counts[0])
    objects = np.empty(len(kinds), dtype=object)
    objects[:] = kinds
    for listed in (tuple(kinds), objects, pd.Series(kinds)):
        np.testing.assert_array_equal(GraphletCounter().transform(listed), counts)
    np.testing.assert_array_equal(GraphletCounter().transform(np.stack([A, A])), counts[:2])


@pytest.mark.parametrize("n_jobs", [2, -1])
def test_threads_do_not_matter(n_jobs):
    expected = GraphletCounter(5).transform(GRAPHS)
    np.testing.assert_array_equal(GraphletCounter(5, n_jobs=n_jobs).transform(GRAPHS), expected)


@pytest.mark.parametrize(
    "single",
    [np.eye(3), sp.eye_array(3), as_graph(np.eye(3)), nx.path_graph(3), pd.DataFrame(np.eye(3))],
    ids=["ndarray", "sparse", "Graph", "networkx", "frame"],
)
def test_a_single_graph_in_place_of_a_list(single):
    for method in (GraphletCounter().fit, GraphletCounter().transform):
        with pytest.raises(ValueError, match=r"list of graphs, got a single .* pass \[X\]"):
            method(single)


def test_a_single_igraph_graph():
    igraph = pytest.importorskip("igraph")
    with pytest.raises(ValueError, match="got a single Graph"):
        GraphletCounter().fit(igraph.Graph.Ring(4))
    assert GraphletCounter().transform([igraph.Graph.Ring(4)])[0, 5] == 1


def test_bad_input():
    with pytest.raises(ValueError, match="at least one graph, got an empty list"):
        GraphletCounter().fit([])
    with pytest.raises(TypeError, match="list of graphs, got int"):
        GraphletCounter().transform(3)
    path = nx.path_graph(3)
    for other in ((g for g in [path]), iter([path]), {"a": path}, {path}, {0: path}.values(), "ab"):
        for method in (GraphletCounter().fit, GraphletCounter().transform):
            with pytest.raises(TypeError, match=r"list of graphs, got \w+: pass a list"):
                method(other)
    with pytest.raises(ValueError, match=r"graph 1 of X: .*undirected"):
        GraphletCounter().transform([np.eye(2), nx.DiGraph([(0, 1)])])
    with pytest.raises(ValueError, match=r"graph 0 of X: .*square"):
        GraphletCounter().transform([np.ones((2, 3))])
    with pytest.raises(TypeError, match="graph 0 of X"):
        GraphletCounter().transform(["graph"])
    with pytest.raises(ValueError, match="'max_nodes' parameter"):
        GraphletCounter(max_nodes=6).fit(GRAPHS)
    for bad in (GraphletCounter(3), GraphletCounter(normalize="yes"), GraphletCounter([4])):
        for use in (lambda c: c.transform(GRAPHS), lambda c: c.get_feature_names_out()):
            with pytest.raises(ValueError, match=r"'(max_nodes|normalize)' parameter"):
                use(bad)
    with pytest.raises(ValueError, match="max_nodes to be 4 or 5"):
        count_graphlets(GRAPHS[0], 3)


def families(n_graphs, seed):
    """Random graphs of four kinds with about the same size and density, and their kinds."""
    rng = np.random.default_rng(seed)
    graphs, kinds = [], []
    for _ in range(n_graphs):
        n, s = int(rng.integers(60, 120)), int(rng.integers(2**31))
        graphs += [
            nx.gnp_random_graph(n, 6 / n, seed=s),
            nx.barabasi_albert_graph(n, 3, seed=s),
            nx.random_geometric_graph(n, np.sqrt(6 / (np.pi * n)), seed=s),
            nx.watts_strogatz_graph(n, 6, 0.1, seed=s),
        ]
        kinds += ["er", "ba", "geo", "ws"]
    return graphs, kinds


def test_grid_search_over_random_graphs():
    graphs, kinds = families(15, seed=0)
    model = make_pipeline(
        GraphletCounter(normalize=True),
        FunctionTransformer(np.sqrt),
        StandardScaler(),
        LogisticRegression(),
    )
    train, test, kinds_train, kinds_test = train_test_split(
        graphs, kinds, stratify=kinds, random_state=0
    )
    grid = {"graphletcounter__max_nodes": [4, 5], "logisticregression__C": [0.1, 10]}
    search = GridSearchCV(model, grid, cv=3).fit(train, kinds_train)
    assert search.score(test, kinds_test) > 0.9


def test_pandas_output():
    for max_nodes, n_columns in ((4, 9), (5, 30)):
        counter = GraphletCounter(max_nodes).set_output(transform="pandas")
        frame = counter.fit_transform(GRAPHS)
        assert frame.columns.tolist() == [f"graphlet_{i}" for i in range(n_columns)]
        assert frame.columns.tolist() == counter.get_feature_names_out().tolist()
        assert frame.dtypes.unique().tolist() == [np.int64]


def test_clone_pickle_and_skops():
    counter = GraphletCounter(5, normalize=True).fit(GRAPHS)
    expected = counter.transform(GRAPHS)
    dumped = skops.io.dumps(counter)
    types = skops.io.get_untrusted_types(data=dumped)
    for twin in (
        clone(counter),
        pickle.loads(pickle.dumps(counter)),
        skops.io.loads(dumped, trusted=types),
    ):
        assert twin.get_params() == counter.get_params()
        np.testing.assert_array_equal(twin.transform(GRAPHS), expected)


@pytest.mark.filterwarnings("ignore:Can't test estimator GraphletCounter")
def test_tags_and_checks():
    counter = GraphletCounter()
    assert not get_tags(counter).input_tags.two_d_array
    assert not get_tags(counter).requires_fit
    check_estimator(counter)
    assert "GraphletCounter" in counter._repr_html_()
