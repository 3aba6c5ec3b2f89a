"""CoLiDE as an estimator: what comes in, what comes out, and what it promises of it."""

import inspect
import warnings

import naive_colide as oracle
import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
from colide_helpers import ALPHA, CASES, distance_of, graph_of, load_case, shd
from sklearn.callback import ProgressBar
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

from sparsekit.causal import BackgroundKnowledge, CoLiDE
from sparsekit.causal._gaussian import least_squares
from sparsekit.datasets import load_sachs, make_linear_sem
from sparsekit.metrics import structural_hamming_distance, varsortability

with np.load(CASES / "edge_cases.npz") as arrays:
    EDGE_CASES = dict(arrays)

DATA, TRUTH = make_linear_sem(500, 6, degree=1.5, random_state=4)
DATA.flags.writeable = False

pytestmark = pytest.mark.filterwarnings("ignore:the order may reflect scale:UserWarning")

every_refinement = pytest.mark.parametrize("refine", [None, "bic", "order"])


def everything(model):
    """All arrays and numbers that a fit leaves behind."""
    fitted = {name: value for name, value in vars(model).items() if name.endswith("_")}
    return {name: value.data if sp.issparse(value) else value for name, value in fitted.items()}


def assert_same(one, other):
    assert vars(one).keys() == vars(other).keys()
    for name, value in everything(one).items():
        np.testing.assert_array_equal(value, everything(other)[name], err_msg=name)


def fit_difficult(name, **settings):
    """Fit a case that may well go wrong, and check what holds in all of them."""
    X = EDGE_CASES[name].copy()
    X.flags.writeable = False
    model = CoLiDE(**settings).fit(X)
    np.testing.assert_array_equal(X, EDGE_CASES[name])
    d = X.shape[1]
    for values in (model.weights_, model.noise_scale_, model.adjacency_.data, model.objective_):
        assert np.isfinite(values).all()
    assert model.noise_scale_.min() > 0
    assert model.residual_scale_.min() > 0
    assert nx.is_directed_acyclic_graph(nx.DiGraph(model.adjacency_.toarray()))
    assert sorted(model.causal_order_) == list(range(d))
    assert np.isfinite(model.score(X))
    assert model.sample(3, random_state=0).shape == (3, d)
    return model


@every_refinement
@pytest.mark.parametrize("noise", ["equal", "unequal"])
class TestDifficultData:
    """Columns that are constant, copies or combinations; one column; few samples."""

    @pytest.mark.filterwarnings("ignore:collinear:UserWarning")
    @pytest.mark.parametrize("name", ["duplicate", "equicorrelated", "explained", "two"])
    def test_dependent_columns(self, name, noise, refine):
        fit_difficult(name, noise=noise, refine=refine)

    def test_a_constant_column(self, noise, refine):
        with pytest.warns(UserWarning, match=r"isolated nodes: 2\."):
            model = fit_difficult("constant", noise=noise, refine=refine)
        assert not model.weights_[2].any()
        assert not model.weights_[:, 2].any()
        assert model.residual_scale_[2] == oracle.noise_floor(model.covariance_)

    def test_one_column(self, noise, refine):
        model = fit_difficult("one", noise=noise, refine=refine)
        assert model.adjacency_.nnz == 0
        assert np.isnan(model.varsortability_)

    @pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
    def test_more_columns_than_samples(self, noise, refine):
        assert fit_difficult("wide", noise=noise, refine=refine).adjacency_.nnz > 0


def test_all_edge_cases_are_used():
    names = {"constant", "duplicate", "equicorrelated", "explained", "one", "two", "wide"}
    assert names == set(EDGE_CASES)


@pytest.mark.parametrize("noise", ["equal", "unequal"])
class TestAttributes:
    """Fitted attributes against their definitions."""

    def test_without_refinement(self, noise):
        model = CoLiDE(noise=noise).fit(DATA)
        C, equal = np.cov(DATA.T, bias=True), noise == "equal"
        expected = oracle.threshold_to_dag(model.weights_, 0.3)
        np.testing.assert_array_equal(model.adjacency_.toarray(), expected)
        assert model.adjacency_.format == "csr"
        assert not model.weights_.diagonal().any()
        scale = oracle.noise_scale(C, model.weights_, equal)
        np.testing.assert_allclose(model.noise_scale_, scale)
        residuals = oracle.residual_variances(C, expected)
        np.testing.assert_allclose(model.residual_scale_, np.sqrt(residuals))
        penalties = np.full((6, 6), 0.05)
        value = oracle.objective(C, model.weights_, penalties, mu=0.001, s=0.7, equal=equal)
        assert model.objective_ == pytest.approx(value)
        assert model.varsortability_ == varsortability(DATA, model.adjacency_)
        assert model.converged_ is True
        assert model.n_iter_ > 0

    def test_with_refinement(self, noise):
        plain, model = (CoLiDE(noise=noise, refine=refine).fit(DATA) for refine in (None, "bic"))
        np.testing.assert_array_equal(model.weights_, plain.weights_)
        assert model.objective_ == plain.objective_
        dense = model.adjacency_.toarray()
        regressions = least_squares(model.covariance_, dense != 0)
        np.testing.assert_allclose(dense, regressions.coefficients)
        variances = regressions.variances
        if noise == "equal":
            variances = np.full(6, variances.mean())
        np.testing.assert_allclose(model.noise_scale_, np.sqrt(variances))
        np.testing.assert_allclose(model.residual_scale_, np.sqrt(regressions.variances))
        assert model.score(DATA) >= plain.score(DATA)


def test_a_small_graph_is_found():
    changes = {"noise": "unequal"}, {"refine": "bic"}, {"refine": "order"}, {"alpha": 0.0}
    for settings in ({}, *changes):
        model = CoLiDE(**settings).fit(DATA)
        assert structural_hamming_distance(TRUTH, model.adjacency_) == 0


def test_the_published_solver_agrees():
    newton, adam = (CoLiDE(solver=solver).fit(DATA) for solver in ("newton", "adam"))
    np.testing.assert_allclose(adam.weights_, newton.weights_, atol=0.01)
    assert adam.n_iter_ >= 4000


@pytest.mark.parametrize("method", ["ev", "nv"])
def test_a_stored_case(method):
    case = load_case("er4_d20_nv_s1")
    model = CoLiDE(ALPHA, noise={"ev": "equal", "nv": "unequal"}[method])
    model.fit_covariance(case["covariance"], 1000)
    found = shd(graph_of(case), model.adjacency_.toarray())
    assert found == distance_of(case, method)
    order = np.random.default_rng(0).permutation(20)
    permuted = CoLiDE(ALPHA, noise=model.noise)
    permuted.fit_covariance(case["covariance"][np.ix_(order, order)], 1000)
    again = shd(graph_of(case)[np.ix_(order, order)], permuted.adjacency_.toarray())
    assert again == found


@pytest.mark.parametrize(("noise", "most"), [("equal", 13), ("unequal", 12)])
def test_sachs(noise, most):
    sachs = load_sachs()
    model = CoLiDE(noise=noise).fit(sachs.data)
    assert structural_hamming_distance(sachs.adjacency, model.adjacency_) <= most


class TestSameAnswer:
    """However the same samples are given."""

    @pytest.mark.parametrize(
        "settings", [{}, {"noise": "unequal", "refine": "bic"}, {"refine": "order"}]
    )
    def test_covariance_and_parts(self, settings):
        X = DATA + 1e5
        model = CoLiDE(**settings).fit(X)
        parts = CoLiDE(**settings)
        for part in np.split(X, [10, 150, 300]):
            parts.partial_fit(part)
        covariance = CoLiDE(**settings).fit_covariance(np.cov(X.T, bias=True), 500)
        for other in (parts, covariance):
            dense = other.adjacency_.toarray()
            np.testing.assert_array_equal(dense != 0, model.adjacency_.toarray() != 0)
            np.testing.assert_allclose(dense, model.adjacency_.toarray(), atol=1e-5)
        assert parts.score(X) == pytest.approx(model.score(X), rel=1e-6)

    def test_threads(self):
        assert_same(CoLiDE(noise="unequal", n_jobs=2).fit(DATA), CoLiDE(noise="unequal").fit(DATA))

    def test_dtypes_and_layouts(self):
        X = np.round(DATA * 50).astype(np.int16)
        expected = CoLiDE().fit(X.astype(np.float64))
        for same in (X, X.astype(np.float32), X.tolist()):
            assert_same(CoLiDE().fit(same), expected)
        np.testing.assert_allclose(CoLiDE().fit(np.asfortranarray(X)).weights_, expected.weights_)


class TestKnowledge:
    """Required and forbidden edges, tiers."""

    @every_refinement
    @pytest.mark.parametrize("noise", ["equal", "unequal"])
    @pytest.mark.parametrize("solver", ["newton", "adam"])
    def test_it_holds(self, solver, noise, refine):
        knowledge = BackgroundKnowledge(forbidden=[(1, 4), (2, 3)], required=[(3, 5), (5, 0)])
        resolved = knowledge.resolve(6)
        against = [(1, 4), (2, 3), (0, 3), (0, 5), (5, 3)]
        assert all(TRUTH[edge] and resolved.forbidden[edge] for edge in against)
        limit = {"max_iter": 100} if solver == "adam" else {}
        with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
            model = CoLiDE(
                noise=noise, solver=solver, refine=refine, background=knowledge, **limit
            ).fit(DATA)
        assert not model.weights_[resolved.forbidden].any()
        assert not model.adjacency_.toarray()[resolved.forbidden].any()
        assert model.adjacency_.toarray()[resolved.required].all()
        assert nx.is_directed_acyclic_graph(model.to_networkx())

    def test_required_edges_are_not_penalised(self):
        """With everything else forbidden, what is left is a regression."""
        required = np.zeros((6, 6), dtype=bool)
        required[[0, 1, 2], 3] = True
        knowledge = BackgroundKnowledge(required=required, forbidden=~required)
        model = CoLiDE(alpha=10.0, threshold=100.0, background=knowledge).fit(DATA)
        centred = DATA - DATA.mean(axis=0)
        expected = np.linalg.lstsq(centred[:, :3], centred[:, 3])[0]
        np.testing.assert_allclose(model.adjacency_.toarray()[:3, 3], expected, atol=1e-3)
        assert model.adjacency_.nnz == 3

    @every_refinement
    def test_a_required_edge_from_a_constant_column_stays(self, refine):
        X = DATA.copy()
        X[:, 2] = 7.0
        knowledge = BackgroundKnowledge(required=[(2, 4)])
        with pytest.warns(UserWarning, match="isolated nodes: 2"):
            model = CoLiDE(background=knowledge, refine=refine).fit(X)
        assert model.adjacency_[2, 4] == 1e-8

    def test_tiers(self):
        backwards = [[int(node)] for node in CoLiDE().fit(DATA).causal_order_[::-1]]
        model = CoLiDE(background=BackgroundKnowledge(tiers=backwards)).fit(DATA)
        ranks = np.argsort([node for [node] in backwards])
        sources, targets = model.adjacency_.nonzero()
        assert len(sources) > 0
        assert (ranks[sources] < ranks[targets]).all()

    def test_contradictions_come_before_any_work(self, monkeypatch):
        monkeypatch.setattr("sparsekit.causal._sem.add_samples", None)
        knowledge = BackgroundKnowledge(required=[(0, 1)], forbidden=[(0, 1)])
        with pytest.raises(ValueError, match="0 -> 1 is required and forbidden"):
            CoLiDE(background=knowledge).fit(DATA)
        with pytest.raises(ValueError, match="'background' parameter of CoLiDE"):
            CoLiDE(background=[(0, 1)]).fit(DATA)


class TestWarnings:
    """What a fit says about itself."""

    def test_no_convergence(self):
        with pytest.warns(ConvergenceWarning, match="raise max_iter") as caught:
            model = CoLiDE(max_iter=1).fit(DATA)
        assert caught[0].filename == __file__
        assert model.converged_ is False
        assert model.n_iter_ == 4 + 3 + 2 + 2  # one in each stage

    @pytest.mark.filterwarnings("default:the order may reflect scale:UserWarning")
    def test_scale(self):
        with pytest.warns(UserWarning, match="the order may reflect scale") as caught:
            model = CoLiDE().fit(DATA)
        assert model.varsortability_ > 0.9
        assert len(caught) == 1
        assert "\n" not in str(caught[0].message)
        assert caught[0].filename == __file__
        with warnings.catch_warnings(action="error"):
            CoLiDE().fit(DATA / DATA.std(axis=0))

    def test_warnings_as_errors_change_nothing(self):
        model = CoLiDE().fit(DATA)
        before = everything(model)
        with warnings.catch_warnings(action="error"):
            for change in ({"max_iter": 1}, {"max_iter": None}):
                with pytest.raises((ConvergenceWarning, UserWarning)):
                    model.set_params(**change).fit(2 * DATA)
        assert all(everything(model)[name] is value for name, value in before.items())


@pytest.mark.parametrize(
    "settings",
    [
        {"alpha": -0.1},
        {"alpha": np.inf},
        {"threshold": -0.1},
        {"noise": "ev"},
        {"solver": "lbfgs"},
        {"start": "random"},
        {"n_restarts": -1},
        {"n_restarts": 2.0},
        {"refine": "boss"},
        {"tol": -1.0},
        {"max_iter": 0},
        {"n_jobs": 1.5},
    ],
)
def test_bad_parameters(settings):
    (name,) = settings
    for method, arguments in (("fit", [DATA]), ("fit_covariance", [np.eye(3), 10])):
        with pytest.raises(ValueError, match=f"'{name}' parameter of CoLiDE"):
            getattr(CoLiDE(**settings), method)(*arguments)


@pytest.mark.parametrize("factor", [1e150, 1e-150])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_extreme_scales(factor):
    X = DATA * factor
    model = CoLiDE().fit(X)
    values = (model.weights_, model.noise_scale_, model.residual_scale_, model.predict(X))
    assert all(np.isfinite(value).all() for value in values)
    assert np.isfinite(model.score(X))
    with pytest.raises(ValueError, match=r"squares are in the range"):
        CoLiDE().fit(X * factor)


class Recorder:
    """A callback that counts stages and may ask to stop."""

    def __init__(self, stop_after=None):
        self.stop_after = stop_after
        self.begun, self.ended = [], []

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        self.begun.append((context.task_name, context.task_id))

    def on_fit_task_end(self, estimator, context):
        self.ended.append((context.task_name, context.task_id))
        return len(self.ended) == self.stop_after


class TestCallbacks:
    """Progress and early stops, stage by stage."""

    def test_every_stage_is_seen(self):
        recorder = Recorder()
        model = CoLiDE().set_callbacks(recorder).fit(DATA)
        stages = [("stage", number) for number in range(4 + 3 + 2 + 2)]
        assert recorder.begun == [("fit", 0), *stages]
        assert recorder.ended == [*stages, ("fit", 0)]
        assert_same(model.set_callbacks(), CoLiDE().fit(DATA))

    @pytest.mark.parametrize("method", ["fit", "partial_fit", "fit_covariance"])
    def test_a_callback_stops_the_fit(self, method):
        recorder = Recorder(stop_after=2)
        model = CoLiDE().set_callbacks(recorder)
        arguments = [np.cov(DATA.T), 500] if method == "fit_covariance" else [DATA]
        with warnings.catch_warnings(action="error", category=ConvergenceWarning):
            getattr(model, method)(*arguments)
        assert recorder.ended == [("stage", 0), ("stage", 1), ("fit", 0)]
        assert len(recorder.begun) == 3
        assert model.converged_ is False
        assert model.n_iter_ < CoLiDE().fit(DATA).n_iter_
        assert nx.is_directed_acyclic_graph(model.to_networkx())

    def test_a_stop_after_the_last_stage_is_none(self):
        assert CoLiDE().set_callbacks(Recorder(stop_after=11)).fit(DATA).converged_ is True

    def test_progress_bar(self, capsys):
        CoLiDE(noise="unequal").set_callbacks(ProgressBar()).fit(DATA)
        assert "CoLiDE" in capsys.readouterr().out


def test_grid_search_by_likelihood():
    knowledge = BackgroundKnowledge(tiers=[[0], [1, 2, 3, 4, 5]])
    search = GridSearchCV(CoLiDE(background=knowledge), {"alpha": [0.05, 50.0]}, cv=3)
    search.fit(DATA)
    assert search.best_params_ == {"alpha": 0.05}
    assert search.best_estimator_.background is knowledge


def test_interface():
    """Names, order and defaults of the parameters are a contract."""
    parameters = inspect.signature(CoLiDE).parameters
    assert {name: parameter.default for name, parameter in parameters.items()} == {
        "alpha": 0.05,
        "noise": "equal",
        "threshold": 0.3,
        "solver": "newton",
        "start": "auto",
        "n_restarts": 3,
        "refine": None,
        "background": None,
        "tol": 1e-6,
        "max_iter": None,
        "random_state": None,
        "n_jobs": None,
    }
    positional = [name for name, p in parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert positional == ["alpha"]
