"""What users rely on in FastRP: invariances, edge cases, new data, callbacks, clear errors."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from fastrp_helpers import random_graph, relative_error
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sparsekit.embedding import FastRP, fastrp_embedding
from sparsekit.graph import Graph, as_graph


def test_single_precision_agrees_with_double():
    A = random_graph(5, n_nodes=200, density=0.05)
    single = FastRP(32, random_state=0).fit(A).embedding_
    double = FastRP(32, random_state=0, dtype="float64").fit(A).embedding_
    assert (single.dtype, double.dtype) == (np.float32, np.float64)
    assert relative_error(single, double) < 2e-5


@pytest.mark.parametrize("deflate", [False, True])
def test_transform_of_known_rows(deflate):
    A = sp.csr_array(random_graph(1, n_nodes=40))
    model = FastRP(16, random_state=0, deflate=deflate).fit(A)
    np.testing.assert_array_equal(model.transform(A.tocoo()), model.embedding_)
    some = [3, 17, 5]
    assert np.abs(model.transform(A[some]) - model.embedding_[some]).max() < 1e-5


def test_transform_returns_a_copy():
    A = random_graph(1)
    model = FastRP(4, self_weight=1.0, random_state=0).fit(A)
    model.transform(A)[:] = 0
    assert np.any(model.embedding_)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_partial_fit_equals_a_fresh_fit(dtype):
    A, added = random_graph(2, n_nodes=20), random_graph(3, n_nodes=26, density=0.1)
    whole = added.copy()
    whole[:20, :20] += A
    model = FastRP(8, dtype=dtype, random_state=np.random.RandomState(5))
    model.partial_fit(A).partial_fit(added)
    seed = np.random.RandomState(5).randint(2**31 - 1)
    fresh = FastRP(8, dtype=dtype, random_state=seed).fit(whole)
    assert relative_error(model.embedding_, fresh.embedding_) < 1e-5
    np.testing.assert_array_equal(model.transform(whole), model.embedding_)


def test_partial_fit_refuses_fewer_nodes():
    model = FastRP(4, random_state=0).fit(random_graph(0))
    before = model.embedding_.copy()
    with pytest.raises(ValueError, match="X has 3 features, but FastRP is expecting 25 features"):
        model.partial_fit(np.ones((3, 3)))
    with pytest.raises(ValueError, match="X has 30 features, but FastRP is expecting 25 features"):
        model.partial_fit(np.ones((2, 30)))
    with pytest.raises(ValueError, match="square adjacency"):
        model.partial_fit(np.ones((2, 25)))
    np.testing.assert_array_equal(model.embedding_, before)


def test_partial_fit_refuses_nodes_in_another_order():
    names = ["a", "b", "c"]
    frame = pd.DataFrame(np.ones((3, 3)), index=names, columns=names)
    larger = pd.DataFrame(np.ones((4, 4)), columns=["a", "b", "c", "d"])
    model = FastRP(4, random_state=0).fit(frame)
    with pytest.raises(ValueError, match="feature names should match"):
        model.partial_fit(frame[["c", "a", "b"]])
    with pytest.raises(ValueError, match="feature names should match"):
        model.partial_fit(larger[["d", "a", "b", "c"]])
    assert model.partial_fit(larger).feature_names_in_.tolist() == ["a", "b", "c", "d"]


def messy_versions(A):
    """The same matrix in every form that must not matter."""
    unsorted = sp.csr_matrix(A)
    for i in range(len(A)):
        row = slice(unsorted.indptr[i], unsorted.indptr[i + 1])
        unsorted.indices[row] = unsorted.indices[row][::-1].copy()
        unsorted.data[row] = unsorted.data[row][::-1].copy()
    unsorted.has_sorted_indices = False
    entries = sp.coo_array(A)
    halves = np.concatenate([entries.data / 2, entries.data / 2, [0.0]])
    row = np.concatenate([entries.row, entries.row, [0]]).astype(np.int64)
    column = np.concatenate([entries.col, entries.col, [0]]).astype(np.int64)
    read_only = np.asfortranarray(A)
    read_only.flags.writeable = False
    wide = sp.csr_array(A)
    wide.indices, wide.indptr = wide.indices.astype(np.int64), wide.indptr.astype(np.int64)
    yield from (sp.csr_array(A), sp.csc_matrix(A), unsorted, wide, read_only, Graph(A))
    yield sp.coo_matrix((halves, (row, column)), shape=A.shape)
    yield sp.csr_array((halves, (row, column)), shape=A.shape)
    yield np.repeat(np.repeat(A, 2, axis=0), 2, axis=1)[::2, ::2]


def test_every_form_of_the_input_gives_the_same_numbers():
    A = 2.0 * random_graph(4, weighted=False)
    expected = FastRP(8, random_state=0).fit(A).embedding_
    for version in messy_versions(A):
        np.testing.assert_array_equal(FastRP(8, random_state=0).fit(version).embedding_, expected)
    for dtype in (bool, int, np.float32, np.uint8):
        unit = (A > 0).astype(dtype)
        found = FastRP(8, random_state=0).fit(sp.csr_array(unit)).embedding_
        np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint8, np.float32])
@pytest.mark.parametrize("kind", [sp.coo_array, sp.csr_array])
def test_parallel_entries_of_narrow_types(dtype, kind):
    rows, columns = np.array([0, 1, 0, 1, 2, 0]), np.array([1, 0, 1, 0, 0, 2])
    values = np.array([100, 100, 100, 100, 7, 7]).astype(dtype)
    order = np.argsort(rows, kind="stable")
    if kind is sp.coo_array:
        A = sp.coo_array((values, (rows, columns)), shape=(3, 3))
    else:  # built by hand: the constructor would sum
        A = sp.csr_array((values[order], columns[order], [0, 3, 5, 6]), shape=(3, 3))
    exact = np.zeros((3, 3))
    np.add.at(exact, (rows, columns), values.astype(float))
    expected = FastRP(8, random_state=0).fit(exact).embedding_
    np.testing.assert_array_equal(FastRP(8, random_state=0).fit(A).embedding_, expected)


def test_malformed_matrices_are_refused():
    A = sp.csr_array(np.ones((2, 2)))
    A.indices = np.array([0, 1, 0, 900_000_000], dtype=np.int32)
    with pytest.raises(ValueError, match="indices"):
        FastRP(4).fit(A)
    A.indices = np.array([0, 1, 0, -5], dtype=np.int32)
    with pytest.raises(ValueError, match="indices"):
        Graph(A)


def test_a_failed_fit_changes_nothing():
    A = random_graph(0)
    model = FastRP(4, random_state=0)
    with pytest.raises(ValueError, match="all zero"):
        model.set_params(hop_weights=(0,)).fit(A)
    with pytest.raises(NotFittedError):
        model.transform(A)
    model.set_params(hop_weights=4).fit(A)
    before = model.transform(A[:3])
    for bad, settings in [
        (np.ones((3, 500)), {}),
        (A[:20, :20], {"hop_weights": (0,)}),
        (A[:20, :20], {"n_jobs": 0}),
        (A[:20, :20], {"operator": "adjacency", "deflate": True}),
    ]:
        with pytest.raises(ValueError):
            model.set_params(random_state=1, **settings).fit(bad)
        with pytest.raises(ValueError):
            model.partial_fit(bad)
        model.set_params(hop_weights=4, n_jobs=None, operator="random_walk", deflate=False)
        assert model.n_features_in_ == 25
        np.testing.assert_array_equal(model.transform(A[:3]), before)


def test_edge_tables_are_not_taken_for_adjacencies():
    table = pd.DataFrame({"source": [0, 1], "target": [1, 2]})
    with pytest.raises(ValueError, match="as_graph first"):
        FastRP(2).fit(table)
    assert FastRP(2).fit(as_graph(table)).n_features_in_ == 3


def test_input_is_never_changed():
    for version in messy_versions(random_graph(4)):
        if isinstance(version, Graph):
            continue
        copy = version.copy()
        FastRP(8, random_state=0).fit(version).transform(version)
        for part in ("data", "indices", "indptr", "row", "col"):
            if hasattr(copy, part) and sp.issparse(copy):
                np.testing.assert_array_equal(getattr(version, part), getattr(copy, part))
        if not sp.issparse(copy):
            np.testing.assert_array_equal(version, copy)


@pytest.mark.parametrize("operator", ["random_walk", "symmetric"])
@pytest.mark.parametrize("normalize", [True, False])
def test_unit_of_the_weights_does_not_matter(operator, normalize):
    A = random_graph(6)
    settings = {"operator": operator, "normalize": normalize, "beta": -0.5, "dtype": np.float64}
    expected = FastRP(8, random_state=0, **settings).fit(A).embedding_
    for unit in (1e-8, 3.0, 1e12):
        found = FastRP(8, random_state=0, **settings).fit(unit * A).embedding_
        assert relative_error(found, expected) < 1e-9


def test_isolated_nodes():
    A = random_graph(8)
    A[[0, 5]] = A[:, [0, 5]] = 0
    assert not np.any(FastRP(64, random_state=0).fit(A).embedding_[[0, 5]])
    spoken = FastRP(64, self_weight=-2.0, random_state=0, beta=-1.0).fit(A).embedding_
    np.testing.assert_allclose(np.linalg.norm(spoken[[0, 5]], axis=1), 2.0, rtol=1e-5)


@pytest.mark.parametrize("n_nodes", [1, 2, 5])
def test_edgeless_graphs_and_more_columns_than_nodes(n_nodes):
    A = sp.csr_array((n_nodes, n_nodes))
    for settings in ({}, {"deflate": True}, {"standardize": True}, {"operator": "symmetric"}):
        E = FastRP(16, random_state=0, **settings).fit(A).embedding_
        np.testing.assert_array_equal(E, np.zeros((n_nodes, 16)))


def test_standardize():
    A = random_graph(9, n_nodes=60)
    E = FastRP(16, standardize=True, random_state=0, dtype=np.float64).fit(A).embedding_
    np.testing.assert_allclose(E.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(E.std(axis=0), 1, atol=1e-12)


def test_deflation_removes_the_stationary_direction():
    A = random_graph(10, n_nodes=60, density=0.4)
    settings = {"hop_weights": (0, 0, 1), "normalize": False, "dtype": np.float64}
    deflated = FastRP(16, deflate=True, random_state=0, **settings).fit(A).embedding_
    plain = FastRP(16, random_state=0, **settings).fit(A).embedding_
    share = A.sum(axis=1) / A.sum()
    assert np.abs(share @ deflated).max() < 1e-12 < np.abs(share @ plain).max()


def test_trailing_zero_weights_and_rising_weights():
    A = random_graph(11)
    for given_weights, equivalent in [((1, 2, 0, 0), (1, 2)), (4, (0.25, 0.5, 0.75, 1.0))]:
        found = FastRP(8, hop_weights=given_weights, random_state=0).fit(A).embedding_
        expected = FastRP(8, hop_weights=equivalent, random_state=0).fit(A).embedding_
        np.testing.assert_array_equal(found, expected)


def test_seeds():
    A = random_graph(12)
    first = FastRP(8, random_state=3).fit(A).embedding_
    np.testing.assert_array_equal(FastRP(8, random_state=3).fit(A).embedding_, first)
    drawn = [FastRP(8, random_state=np.random.RandomState(0)).fit(A).embedding_ for _ in range(2)]
    np.testing.assert_array_equal(*drawn)
    assert not np.array_equal(FastRP(8, random_state=4).fit(A).embedding_, first)
    unseeded = FastRP(8)
    assert not np.array_equal(unseeded.fit_transform(A), unseeded.fit_transform(A))


def test_fitted_settings_survive_set_params():
    A = random_graph(13)
    model = FastRP(8, random_state=0).fit(A)
    before = model.transform(A[:3])
    model.set_params(hop_weights=2, operator="adjacency", n_components=3)
    np.testing.assert_array_equal(model.transform(A[:3]), before)


def test_function_and_other_graph_classes():
    club = nx.karate_club_graph()
    expected = FastRP(8, random_state=0).fit(as_graph(club)).embedding_
    np.testing.assert_array_equal(fastrp_embedding(club, 8, random_state=0), expected)
    np.testing.assert_array_equal(FastRP(8, random_state=0).fit_transform(club), expected)
    frame = pd.DataFrame({"source": [0, 1], "target": [1, 2]})
    assert fastrp_embedding(frame, 4, random_state=0).shape == (3, 4)


def test_frames_in_and_out():
    names = [f"n{i}" for i in range(25)]
    frame = pd.DataFrame(random_graph(14), index=names, columns=names)
    model = FastRP(3, random_state=0).set_output(transform="pandas")
    out = model.fit_transform(frame)
    assert list(out.columns) == ["fastrp0", "fastrp1", "fastrp2"]
    assert list(out.index) == names
    assert list(model.feature_names_in_) == names


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"operator": "laplacian"}, "random_walk"),
        ({"n_components": 0}, "n_components"),
        ({"n_components": 2.5}, "n_components"),
        ({"sparsity": 0.9}, "sparsity"),
        ({"sparsity": np.inf}, "sparsity"),
        ({"beta": np.nan}, "beta"),
        ({"beta": np.inf}, "beta"),
        ({"self_weight": -np.inf}, "self_weight"),
        ({"hop_weights": (1, np.nan)}, "hop_weights"),
        ({"hop_weights": (1, np.inf)}, "hop_weights"),
        ({"hop_weights": 0}, "hop_weights"),
        ({"hop_weights": [[1.0]]}, "hop_weights"),
        ({"hop_weights": "many"}, "hop_weights"),
        ({"hop_weights": ["a"]}, "hop_weights"),
        ({"hop_weights": (0, 0)}, "all zero"),
        ({"hop_weights": ()}, "all zero"),
        ({"dtype": np.float16}, "dtype must be numpy.float32 or numpy.float64"),
        ({"dtype": None}, "dtype must be numpy.float32 or numpy.float64"),
        ({"dtype": "vector"}, "dtype must be numpy.float32 or numpy.float64"),
        ({"deflate": True, "operator": "adjacency"}, "deflate=True needs operator"),
        ({"n_jobs": 0}, "expected n_jobs to be None"),
    ],
)
def test_bad_parameters(settings, message):
    with pytest.raises((ValueError, TypeError), match=message):
        FastRP(**settings).fit(random_graph(0))


def test_bad_graphs():
    good = random_graph(0)
    with pytest.raises(ValueError, match=r"samples are nodes.*got shape \(20, 25\)"):
        FastRP().fit(good[:20])
    with pytest.raises(ValueError, match="Negative values in data"):
        FastRP().fit(-good)
    for value in (np.nan, np.inf):
        bad = sp.csr_array(good)
        bad.data[3] = value
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            FastRP().fit(bad)
    with pytest.raises(ValueError, match="needs an undirected graph"):
        FastRP(deflate=True).fit(random_graph(0, directed=True))
    with pytest.raises(NotFittedError):
        FastRP().transform(good)
    with pytest.raises(ValueError, match="X has 20 features, but FastRP is expecting 25"):
        FastRP(4).fit(good).transform(good[:, :20])
    with pytest.raises(ValueError, match="Negative values in data"):
        FastRP(4).fit(good).transform(-good[:2])


class Recorder:
    """A callback that counts hops and may ask to stop."""

    def __init__(self, stop_after=None):
        self.stop_after = stop_after
        self.n_begun = self.n_ended = 0

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        self.n_begun += context.task_name == "hop"

    def on_fit_task_end(self, estimator, context):
        self.n_ended += context.task_name == "hop"
        return self.n_ended == self.stop_after


def test_callbacks_see_every_hop():
    recorder = Recorder()
    FastRP(4, hop_weights=5).set_callbacks(recorder).fit(random_graph(0))
    assert (recorder.n_begun, recorder.n_ended) == (5, 5)


@pytest.mark.parametrize("weights", [(1, 2, 3, 4), (0, 0, 1, 2), (0, 2, 0, 3), (0, 0, 0, 1)])
@pytest.mark.parametrize("stop_after", [1, 2, 3, 4])
def test_a_callback_stops_the_propagation(weights, stop_after):
    A = random_graph(0)
    stopped = FastRP(8, hop_weights=weights, random_state=0)
    stopped.set_callbacks(Recorder(stop_after)).fit(A)
    shorter = [w if h < stop_after else 0 for h, w in enumerate(weights)]
    if any(shorter):
        expected = FastRP(8, hop_weights=shorter, random_state=0).fit(A).embedding_
    else:
        expected = np.zeros((25, 8))
    np.testing.assert_allclose(stopped.embedding_, expected, atol=1e-6)
    # New nodes are embedded with the hops that were run.
    np.testing.assert_allclose(stopped.transform(A[:5]), expected[:5], atol=1e-6)


def test_clone_keeps_parameters_only():
    model = FastRP(4, hop_weights=(1, 2), random_state=0).fit(random_graph(0))
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert not hasattr(copy, "embedding_")
