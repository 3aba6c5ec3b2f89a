"""Penalty paths with extended BIC, and stability selection."""

import itertools
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sparsekit.causal import BackgroundKnowledge, CoLiDE, colide_path, stability_selection
from sparsekit.causal.colide._objective import make_problem, objective
from sparsekit.datasets import make_linear_sem
from sparsekit.metrics import structural_hamming_distance

pytestmark = [
    pytest.mark.filterwarnings("ignore:the order may reflect scale"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]


@pytest.fixture(scope="module")
def data():
    """Samples of six variables with unequal noise, and the graph."""
    return make_linear_sem(300, 6, degree=1, noise="unequal", random_state=1)


def test_estimators_are_those_of_single_fits(data):
    X, _ = data
    settings = {"noise": "unequal", "threshold": 0.2, "refine": "bic"}
    path = colide_path(X, alphas=[0.05, 5.0, 0.5], **settings)
    assert path.alphas.tolist() == [5.0, 0.5, 0.05]
    for alpha, fitted in zip(path.alphas, path.estimators, strict=True):
        alone = CoLiDE(alpha, **settings).fit(X)
        assert fitted.get_params() == alone.get_params()
        np.testing.assert_array_equal(fitted.weights_, alone.weights_)
        np.testing.assert_array_equal(fitted.adjacency_.toarray(), alone.adjacency_.toarray())
        np.testing.assert_allclose(fitted.predict(X), alone.predict(X))


def test_properties(data):
    X, _ = data
    path = colide_path(X, alphas=[10.0, 0.1])
    assert path.n_edges.tolist() == [fitted.adjacency_.nnz for fitted in path.estimators]
    assert path.adjacencies[1] is path.estimators[1].adjacency_
    assert path.noise_scales.shape == (2, 6)
    assert path.objectives.tolist() == [fitted.objective_ for fitted in path.estimators]
    assert path.ebic[path.best] == path.ebic.min()
    assert path.best_estimator.alpha == path.alpha_best == path.alphas[path.best]


def test_equal_graphs_are_represented_by_the_largest_alpha(data):
    path = colide_path(data[0], alphas=[1e6, 1e5, 1e4])
    assert path.n_edges.tolist() == [0, 0, 0]
    assert (path.best, path.alpha_best) == (0, 1e6)


@pytest.mark.parametrize("noise", ["equal", "unequal"])
def test_extended_bic(data, noise):
    X, _ = data
    n, d = X.shape
    centred = X - X.mean(axis=0)
    for gamma in (0.0, 0.5, 1.0):
        path = colide_path(X, alphas=[5.0, 0.05], noise=noise, ebic_gamma=gamma)
        for value, adjacency in zip(path.ebic, path.adjacencies, strict=True):
            graph = adjacency.toarray() != 0
            residuals = centred.copy()
            for j in range(d):
                parents = centred[:, graph[:, j]]
                residuals[:, j] -= parents @ np.linalg.lstsq(parents, centred[:, j])[0]
            v = (residuals**2).mean(axis=0)
            likelihood = n * d * np.log(v.mean()) if noise == "equal" else n * np.log(v).sum()
            penalty = graph.sum() * (np.log(n) + 4 * gamma * np.log(d))
            assert value == pytest.approx(likelihood + penalty)


@pytest.mark.parametrize(
    ("noise", "start"), list(itertools.product(["equal", "unequal"], repeat=2))
)
def test_the_largest_alpha_is_the_smallest_without_edges(data, noise, start):
    X, _ = data
    settings = {"noise": noise, "start": "zero" if start == "unequal" else "equal"}
    largest = colide_path(X, n_alphas=1, max_iter=2, **settings).alphas[0]
    C = np.cov(X.T, bias=True)
    modes = {noise, "equal"} if settings["start"] == "equal" else {noise}
    gains = {False: [], True: []}
    for equal in (mode == "equal" for mode in modes):
        for is_above in gains:
            problem = make_problem(C, largest * (1.001 if is_above else 0.999), equal=equal)
            zero = objective(problem, np.zeros((6, 6)), 1.0, 1.0)
            for i, j, sign in itertools.product(range(6), range(6), [-1e-6, 1e-6]):
                if i != j:
                    W = np.zeros((6, 6))
                    W[i, j] = sign
                    gains[is_above].append(zero - objective(problem, W, 1.0, 1.0))
    assert max(gains[True]) < 0
    assert max(gains[False]) > 0


def test_the_grid(data):
    path = colide_path(data[0], n_alphas=4, alpha_min_ratio=1e-3, max_iter=5, start="zero")
    np.testing.assert_allclose(path.alphas / path.alphas[0], [1, 0.1, 0.01, 0.001])
    assert path.n_edges[0] == 0
    assert path.n_edges[-1] > 0


def test_the_grid_leaves_out_what_is_forbidden(data):
    X, _ = data
    C = np.cov(X.T, bias=True)
    gradient = np.abs(C - np.diag(C.diagonal())) / np.sqrt(C.diagonal().mean())
    order = [np.unravel_index(slot, (6, 6)) for slot in np.argsort(-gradient, axis=None)]
    # The two largest belong to the same pair of variables.
    pairs = [(int(i), int(j)) for i, j in order[:2]]
    assert pairs[0] == pairs[1][::-1]
    path = colide_path(X, n_alphas=1, background=BackgroundKnowledge(forbidden=pairs), max_iter=2)
    assert path.alphas[0] == pytest.approx(gradient[order[2]])


@pytest.mark.parametrize("noise", ["equal", "unequal"])
def test_the_grid_begins_with_the_required_edges_alone(noise):
    X, truth = make_linear_sem(300, 8, degree=2, noise="unequal", random_state=0)
    heaviest = np.argsort(-np.abs(truth.toarray()), axis=None)[:4].tolist()
    required = [divmod(slot, 8) for slot in heaviest]
    settings = {"noise": noise, "background": BackgroundKnowledge(required=required)}
    largest = colide_path(X, n_alphas=1, threshold=0.0, **settings).alphas[0]
    path = colide_path(X, alphas=largest * np.array([1.02, 0.95]), threshold=0.0, **settings)
    assert path.n_edges[0] == 4
    assert path.n_edges[1] > 4


@pytest.mark.parametrize(("seed", "chosen"), [(0, "equal"), (1, "zero")])
def test_the_grid_follows_the_start_that_is_chosen(seed, chosen):
    X, _ = make_linear_sem(300, 12, degree=2, noise="unequal", random_state=seed)
    settings = {"noise": "unequal", "n_alphas": 1, "max_iter": 1}
    starts = ("auto", "equal", "zero")
    alphas = {start: colide_path(X, start=start, **settings).alphas[0] for start in starts}
    assert alphas["zero"] < 0.8 * alphas["equal"]
    assert alphas["auto"] == alphas[chosen]
    # The published loop always starts at zero.
    assert colide_path(X, solver="adam", **settings).alphas[0] == alphas["zero"]


def test_the_choice_is_close_to_the_truth():
    distances = []
    for seed in range(3):
        X, truth = make_linear_sem(1000, 8, degree=2, random_state=seed)
        path = colide_path(X, n_alphas=8)
        distances.append(structural_hamming_distance(truth, path.best_estimator.adjacency_))
    assert np.mean(distances) <= 2


def test_covariances_and_frames(data):
    X, _ = data
    alphas = [1.0, 0.1]
    expected = colide_path(X, alphas=alphas)
    frame = pd.DataFrame(np.cov(X.T, bias=True), columns=list("abcdef"), index=list("abcdef"))
    knowledge = BackgroundKnowledge(forbidden=[("a", "b")])
    found = colide_path(frame, n_samples=300, alphas=alphas)
    np.testing.assert_allclose(found.ebic, expected.ebic)
    assert found.best_estimator.feature_names_in_.tolist() == list("abcdef")
    samples = pd.DataFrame(X, columns=list("abcdef"))
    path = colide_path(samples, alphas=alphas, background=knowledge)
    assert all(adjacency[0, 1] == 0 for adjacency in path.adjacencies)


def test_workers_do_not_matter(data):
    X, _ = data
    settings = {"alphas": [1.0, 0.5, 0.1], "max_iter": 20}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = colide_path(X, **settings)
        selection = stability_selection(X, n_pairs=2, random_state=0, **settings)
        for backend in ("loky", "threading"):
            with joblib.parallel_config(backend=backend, n_jobs=2):
                again = colide_path(X, n_jobs=2, **settings)
                selected = stability_selection(X, n_pairs=2, random_state=0, n_jobs=2, **settings)
            np.testing.assert_array_equal(again.ebic, path.ebic)
            for one, other in zip(selected.frequencies, selection.frequencies, strict=True):
                np.testing.assert_array_equal(one.toarray(), other.toarray())


def test_variables_without_correlation():
    path = colide_path(np.array([[1.0], [2.0], [4.0]]), n_alphas=3)
    assert path.alphas[0] == 1
    assert path.n_edges.tolist() == [0, 0, 0]
    with pytest.warns(UserWarning, match=r"constant columns.*\(in 2 of 2 fits\)"):
        assert colide_path(np.ones((5, 3)), n_alphas=2).n_edges.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"alphas": [-1.0]}, "alphas"),
        ({"alphas": [np.nan]}, "alphas"),
        ({"alphas": [[1.0, 2.0]]}, "alphas"),
        ({"alphas": []}, "alphas"),
        ({"n_alphas": 0}, "n_alphas"),
        ({"alpha_min_ratio": 0}, "alpha_min_ratio"),
        ({"ebic_gamma": 2}, "ebic_gamma"),
        ({"ebic_gamma": np.nan}, "ebic_gamma"),
        ({"background": [(0, 1)]}, "background"),
        ({"noise": "odd"}, "noise"),
        ({"threshold": -1, "alphas": [1.0]}, "threshold"),
        ({"n_samples": 300}, "square"),
    ],
)
def test_bad_input_to_the_path(data, settings, message):
    with pytest.raises(ValueError, match=message):
        colide_path(data[0], **settings)


def test_unknown_parameters(data):
    with pytest.raises(TypeError, match="nonsense"):
        colide_path(data[0], nonsense=1)
    with pytest.raises(TypeError, match="alpha"):
        colide_path(data[0], alpha=1)


class TestStabilitySelection:
    """Frequencies over half-samples, and the bound on errors."""

    def test_frequencies_equal_a_manual_loop(self, data):
        X, _ = data
        alphas = [2.0, 0.05]
        selection = stability_selection(X, alphas=alphas, n_pairs=3, cutoff=0.6, random_state=0)
        rng = np.random.RandomState(0)
        expected = np.zeros((2, 6, 6))
        n_found = 0
        for _ in range(3):
            order = rng.permutation(300)
            for half in (order[:150], order[150:]):
                graphs = [CoLiDE(alpha).fit(X[half]).adjacency_.toarray() != 0 for alpha in alphas]
                expected += graphs
                n_found += np.any(graphs, axis=0).sum()
        expected /= 6
        found = [frequency.toarray() for frequency in selection.frequencies]
        np.testing.assert_allclose(found, expected)
        most = expected.max(axis=0)
        np.testing.assert_allclose(selection.stable.toarray(), np.where(most >= 0.6, most, 0))
        q = n_found / 6
        assert selection.n_selected == pytest.approx(q)
        assert selection.error_bound == pytest.approx(q**2 / (30 * 0.2))

    def test_odd_samples_leave_one_out(self, data, monkeypatch):
        sizes = []

        def fit(self, X):
            sizes.append(len(X))
            self.adjacency_ = sp.csr_array((6, 6))
            return self

        monkeypatch.setattr(CoLiDE, "fit", fit)
        stability_selection(data[0][:31], n_pairs=2, random_state=0)
        assert sizes == [15] * 4

    def test_what_all_halves_have_is_certain(self, monkeypatch):
        # Of 98 halves: 98 times the inverse of 98 is less than 1.
        def fit(self, X):
            self.adjacency_ = sp.csr_array([[0.0, 2.0], [0.0, 0.0]])
            return self

        monkeypatch.setattr(CoLiDE, "fit", fit)
        selection = stability_selection(np.eye(4, 2), n_pairs=49, cutoff=1.0)
        assert selection.stable.toarray().tolist() == [[0, 1], [0, 0]]

    def test_random_restarts_have_seeds(self, data, monkeypatch):
        seeds = []

        def fit(self, X):
            seeds.append(self.random_state)
            self.adjacency_ = sp.csr_array((6, 6))
            return self

        monkeypatch.setattr(CoLiDE, "fit", fit)
        for _ in range(2):
            stability_selection(data[0], n_pairs=2, n_restarts=5, random_state=0)
        assert seeds[:4] == seeds[4:]
        assert len(set(seeds)) == 4

    def test_known_edges_do_not_count_as_found(self, data):
        X, truth = data
        i, j = (int(end[0]) for end in truth.nonzero())
        names = list("abcdef")
        knowledge = BackgroundKnowledge(required=[(names[i], names[j])], tiers=[names])
        known = stability_selection(
            pd.DataFrame(X, columns=names), n_pairs=2, random_state=0, background=knowledge
        )
        assert known.stable[i, j] == 1
        assert known.n_selected == pytest.approx(known.frequencies[0].sum() - 1)
        # Neither the required edge nor its reverse, which it forbids, is a possible mistake.
        assert known.error_bound == pytest.approx(known.n_selected**2 / (28 * 0.5))

    def test_stable_edges_are_the_true_ones(self):
        X, truth = make_linear_sem(600, 6, degree=1, random_state=3)
        selection = stability_selection(X, n_pairs=5, random_state=0)
        assert structural_hamming_distance(truth, selection.stable) == 0

    @pytest.mark.parametrize(
        "settings",
        [
            {"cutoff": 0.5},
            {"cutoff": np.nan},
            {"n_pairs": 0},
            {"alphas": []},
            {"background": [(0, 1)]},
        ],
    )
    def test_bad_input(self, data, settings):
        with pytest.raises(ValueError, match=next(iter(settings))):
            stability_selection(data[0], **settings)

    @pytest.mark.parametrize("n_samples", [1, 3])
    def test_few_samples(self, data, n_samples):
        with pytest.raises(ValueError, match=f"4 samples.*n_samples={n_samples}"):
            stability_selection(data[0][:n_samples])
