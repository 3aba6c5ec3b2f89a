"""BootstrapEdges: how often edges are found again, whatever finds them."""

import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import skops.io
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import resample
from sklearn.utils.validation import check_random_state, validate_data

from sparsekit.causal import BootstrapEdges, CoLiDE
from sparsekit.datasets import make_linear_sem

pytestmark = [
    pytest.mark.filterwarnings("ignore:the order may reflect scale"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]


class CorrelationGraph(BaseEstimator):
    """Edges between correlated variables: forward, or at both entries as in a CPDAG."""

    def __init__(self, cutoff=0.3, *, undirected=False, sparse=True, random_state=None):
        self.cutoff = cutoff
        self.undirected = undirected
        self.sparse = sparse
        self.random_state = random_state

    def fit(self, X, y=None):
        X = validate_data(self, X)
        noise = 1e-9 * check_random_state(self.random_state).random_sample()
        with np.errstate(invalid="ignore"):
            correlations = np.nan_to_num(np.corrcoef(X.T)) + noise
        adjacency = np.where(np.abs(correlations) > self.cutoff, correlations, 0.0)
        adjacency -= np.diag(adjacency.diagonal())
        if not self.undirected:
            adjacency = np.triu(adjacency)
        self.adjacency_ = sp.csr_array(adjacency) if self.sparse else adjacency
        self.seed_ = noise
        return self


class Fixed(BaseEstimator):
    """Returns one of several graphs, by the first value of the resample."""

    def __init__(self, graphs, message=None):
        self.graphs = graphs
        self.message = message

    def fit(self, X, y=None):
        X = validate_data(self, X)
        number = int(X[0, 0])
        if self.message is not None:
            text = self.message.format(number=number, names=["'a'", "'a', 'b'", "'c d'"][number])
            warnings.warn(text, UserWarning, stacklevel=1)
        self.adjacency_ = np.asarray(self.graphs[number])
        return self


@pytest.fixture
def samples():
    return make_linear_sem(60, 5, degree=1, random_state=0)[0]


def dense(bootstrap):
    return bootstrap.edge_frequencies_.toarray(), bootstrap.skeleton_frequencies_.toarray()


@pytest.mark.parametrize("sparse", [True, False])
def test_frequencies_equal_a_manual_loop(samples, sparse):
    estimator = CorrelationGraph(0.2, sparse=sparse)
    bootstrap = BootstrapEdges(estimator, 25, random_state=3).fit(samples)
    seeds = np.random.RandomState(3).randint(2**31 - 1, size=(26, 2))[1:, 0]
    expected = np.zeros((5, 5))
    for seed in seeds:
        rows = resample(samples, random_state=int(seed))
        expected += CorrelationGraph(0.2, sparse=False).fit(rows).adjacency_ != 0
    edges, skeleton = dense(bootstrap)
    np.testing.assert_allclose(edges, expected / 25)
    np.testing.assert_allclose(skeleton, (expected + expected.T) / 25)
    assert 0 < edges[edges > 0].min() < 1
    assert sp.issparse(bootstrap.edge_frequencies_)
    assert bootstrap.edge_frequencies_.dtype == np.float64


def test_what_all_resamples_have_is_certain():
    # 49 times the inverse of 49 is less than 1.
    bootstrap = BootstrapEdges(Fixed([[[0, 1], [0, 0]]]), 49, random_state=0).fit(np.zeros((4, 2)))
    assert dense(bootstrap)[0].tolist() == [[0, 1], [0, 0]]
    assert bootstrap.consensus_dag(min_frequency=1.0).nnz == 1


def test_undirected_edges_count_at_both_entries():
    # i - j in one graph of three, i -> j in another, j -> i in the third.
    graphs = [[[0, 1], [1, 0]], [[0, 2.5], [0, 0]], [[0, 0], [-1, 0]]]
    X = np.repeat(np.arange(3.0), 2)[:, None] * np.ones((1, 2))
    bootstrap = BootstrapEdges(Fixed(graphs), 200, random_state=0).fit(X)
    edges, skeleton = dense(bootstrap)
    np.testing.assert_array_equal(skeleton, [[0, 1], [1, 0]])
    assert edges[0, 1] + edges[1, 0] > 1
    np.testing.assert_allclose([edges[0, 1], edges[1, 0]], 2 / 3, atol=0.15)


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_workers_do_not_matter(samples, backend):
    def fit(**settings):
        return dense(
            BootstrapEdges(CoLiDE(max_iter=20), 6, random_state=0, **settings).fit(samples)
        )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        expected = fit()
        with joblib.parallel_config(backend=backend):
            found = fit(n_jobs=2)
    np.testing.assert_array_equal(found, expected)


def test_more_resamples_start_with_the_same_ones(samples):
    few, many = (
        BootstrapEdges(CorrelationGraph(0.2), n, random_state=0).fit(samples) for n in (10, 30)
    )
    rest = 30 * dense(many)[0] - 10 * dense(few)[0]
    assert rest.min() > -1e-9
    assert rest.max() < 20 + 1e-9


def test_random_states(samples):
    def seeds(estimator, random_state):
        bootstrap = BootstrapEdges(estimator, 1, random_state=random_state).fit(samples)
        inner = bootstrap.estimator_
        return inner.seed_, inner.random_state

    # A seed of the estimator's own is kept; none is replaced by one that the fits agree upon.
    assert seeds(CorrelationGraph(random_state=7), 0) == seeds(CorrelationGraph(random_state=7), 1)
    assert seeds(CorrelationGraph(), 0) == seeds(CorrelationGraph(), 0)
    assert seeds(CorrelationGraph(), 0) != seeds(CorrelationGraph(), 1)


def test_the_estimator_itself_stays_as_it_was(samples):
    estimator = CorrelationGraph()
    before = samples.copy()
    samples.flags.writeable = False
    bootstrap = BootstrapEdges(estimator, 3, random_state=0).fit(samples)
    assert not hasattr(estimator, "adjacency_")
    assert estimator.random_state is None
    assert np.array_equal(samples, before)
    expected = CorrelationGraph().fit(samples).adjacency_ != 0
    assert np.array_equal((bootstrap.estimator_.adjacency_ != 0).toarray(), expected.toarray())


def test_constant_columns_of_resamples():
    X = np.zeros((30, 3))
    X[:, 0] = np.random.default_rng(0).normal(size=30)
    X[0, 1] = 1.0  # a third of the resamples do not have this sample
    X[:, 2] = X[:, 0]
    with pytest.warns(UserWarning, match=r"constant columns.*in \d+ of 20 fits") as caught:
        bootstrap = BootstrapEdges(CoLiDE(max_iter=20), 20, random_state=0).fit(X)
    assert sum("constant columns" in str(warning.message) for warning in caught) == 1
    edges, skeleton = dense(bootstrap)
    assert np.isfinite(edges).all()
    assert (edges <= skeleton).all()
    assert skeleton.max() <= 1


def test_warnings_are_given_once_a_kind():
    X = np.repeat(np.arange(3.0), 2)[:, None] * np.ones((1, 2))
    estimator = Fixed([np.zeros((2, 2))] * 3, "columns {names} are odd, {number} times")
    with pytest.warns(UserWarning, match="odd") as caught:
        BootstrapEdges(estimator, 30, random_state=0).fit(X)
    texts = [str(warning.message) for warning in caught]
    assert len(texts) == 2  # one of the fit of all samples
    assert texts[1].endswith("times (in 30 of 30 fits)")


def test_threads_leave_the_warnings_module_as_it_was():
    X = np.ones((4, 1))
    estimator = Fixed([np.zeros((1, 1))] * 3, "odd")
    before = warnings.showwarning, list(warnings.filters)
    with joblib.parallel_config(backend="threading"), pytest.warns(UserWarning, match="odd"):
        BootstrapEdges(estimator, 20, random_state=0, n_jobs=4).fit(X)
    assert (warnings.showwarning, list(warnings.filters)) == before


def test_warnings_can_be_errors():
    estimator = Fixed([np.zeros((1, 1))] * 3, "odd")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="odd"):
            BootstrapEdges(estimator, 3, random_state=0).fit(np.ones((4, 1)))


def test_frames_and_names(samples):
    frame = pd.DataFrame(samples, columns=list("abcde"))
    bootstrap = BootstrapEdges(CorrelationGraph(), 4, random_state=0).fit(frame)
    assert bootstrap.feature_names_in_.tolist() == list("abcde")
    assert bootstrap.n_features_in_ == 5
    np.testing.assert_array_equal(dense(bootstrap), dense(clone(bootstrap).fit(samples)))
    assert not hasattr(bootstrap.fit(samples), "feature_names_in_")


def test_a_pipeline_without_a_graph_is_refused(samples):
    bootstrap = BootstrapEdges(CorrelationGraph(), 3, random_state=0).fit(samples)
    frequencies = bootstrap.edge_frequencies_
    bootstrap.set_params(estimator=make_pipeline(StandardScaler(), CorrelationGraph()))
    with pytest.raises(TypeError, match="adjacency_"):
        bootstrap.fit(samples)
    assert bootstrap.edge_frequencies_ is frequencies


@pytest.mark.parametrize("parameters", [{"n_resamples": 0}, {"n_resamples": 2.5}, {"n_jobs": "2"}])
def test_parameters_out_of_range(samples, parameters):
    name = next(iter(parameters))
    with pytest.raises(ValueError, match=name):
        BootstrapEdges(CorrelationGraph(), **parameters).fit(samples)


class TestConsensus:
    """The DAG of the most frequent edges."""

    @staticmethod
    def of(frequencies, **settings):
        bootstrap = BootstrapEdges(CorrelationGraph())
        bootstrap.edge_frequencies_ = sp.csr_array(np.asarray(frequencies, dtype=float))
        return bootstrap.consensus_dag(**settings).toarray()

    def test_cycles_lose_their_rarest_edge(self):
        frequencies = np.zeros((4, 4))
        frequencies[[0, 1, 2, 3], [1, 2, 0, 0]] = [0.9, 0.7, 0.6, 0.4]
        expected = frequencies.copy()
        expected[2, 0] = expected[3, 0] = 0
        np.testing.assert_array_equal(self.of(frequencies), expected)
        expected[3, 0] = 0.4
        np.testing.assert_array_equal(self.of(frequencies, min_frequency=0.3), expected)

    def test_ties_go_to_the_first_row(self):
        np.testing.assert_array_equal(self.of([[0, 0.5], [0.5, 0]]), [[0, 0.5], [0, 0]])

    def test_every_result_is_a_dag(self):
        rng = np.random.default_rng(0)
        for _ in range(20):
            found = self.of(np.where(rng.random((8, 8)) < 0.5, rng.random((8, 8)), 0.0))
            assert not np.linalg.matrix_power(found > 0, 8).any()

    def test_bad_calls(self):
        with pytest.raises(NotFittedError):
            BootstrapEdges(CorrelationGraph()).consensus_dag()
        with pytest.raises(ValueError, match="min_frequency"):
            self.of([[0.0]], min_frequency=1.5)
        with pytest.raises(ValueError, match="min_frequency"):
            self.of([[0.0]], min_frequency=np.nan)


def test_copies_on_disk(samples, tmp_path):
    bootstrap = BootstrapEdges(CoLiDE(max_iter=5), 2, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        bootstrap.fit(samples)
    joblib.dump(bootstrap, tmp_path / "bootstrap.joblib")
    dumped = skops.io.dumps(bootstrap)
    trusted = skops.io.get_untrusted_types(data=dumped)
    for copy in (
        joblib.load(tmp_path / "bootstrap.joblib"),
        skops.io.loads(dumped, trusted=trusted),
    ):
        np.testing.assert_array_equal(dense(copy), dense(bootstrap))
        assert copy.get_params()["estimator__max_iter"] == 5
    assert clone(bootstrap).set_params(estimator__alpha=0.5).estimator.alpha == 0.5
    assert "BootstrapEdges" in bootstrap._repr_html_()


class Recorder:
    """A callback that counts tasks, in the estimators inside as well."""

    max_propagation_depth = None

    def __init__(self):
        self.tasks = []

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        self.tasks.append((type(estimator).__name__, context.task_name))


@pytest.mark.filterwarnings("ignore:The estimator CorrelationGraph does not support callbacks")
def test_callbacks_see_every_resample(samples):
    recorder = Recorder()
    bootstrap = BootstrapEdges(CorrelationGraph(), 3, random_state=0)
    bootstrap.set_callbacks(recorder).fit(samples)
    own = [task for estimator, task in recorder.tasks if estimator == "BootstrapEdges"]
    assert own == ["all-samples", "resample", "resample", "resample", "fit"]


def test_callbacks_reach_the_estimator(samples):
    recorder = Recorder()
    bootstrap = BootstrapEdges(CoLiDE(max_iter=2), 2, random_state=0).set_callbacks(recorder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        bootstrap.fit(samples)
    stages = recorder.tasks.count(("CoLiDE", "stage"))
    assert stages > 0
    assert stages % 3 == 0
