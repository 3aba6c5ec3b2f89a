"""The path of CoLiDE: stages, starts and restarts, invariances, knowledge, stored cases."""

import naive_colide as oracle
import numpy as np
import pytest
from colide_helpers import (
    ALPHA,
    THRESHOLD,
    case_names,
    distance_of,
    graph_of,
    load_case,
    mask,
    mean_distances,
    problem_of,
    random_covariance,
    random_weights,
    shd,
)

from sparsekit.causal.colide._adam import adam_stage
from sparsekit.causal.colide._objective import (
    closed_form_scale,
    make_problem,
    objective,
    residual_variances,
    score,
)
from sparsekit.causal.colide._solve import n_stages, solve
from sparsekit.causal.colide._stage import Stage
from sparsekit.datasets import make_linear_sem

noises = pytest.mark.parametrize("equal", [True, False], ids=["ev", "nv"])
solvers = pytest.mark.parametrize("solver", ["newton", "adam"])


@noises
def test_required_edges_cost_nothing_and_forbidden_ones_stay_zero(equal):
    C = random_covariance(7, 80, 2.0, 3)
    required, forbidden = mask(7, [(0, 1), (4, 2)]), mask(7, [(1, 0), (2, 4), (5, 3), (3, 5)])
    problem = make_problem(C, 10.0, equal=equal, required=required, forbidden=forbidden)
    solution = solve(problem)
    # So large a penalty leaves nothing else, and least squares for what is left.
    np.testing.assert_array_equal(solution.weights != 0, required)
    for i, j in np.argwhere(required):
        assert solution.weights[i, j] == pytest.approx(C[i, j] / C[i, i], rel=1e-3)
    problem = make_problem(C, ALPHA, equal=equal, required=required, forbidden=forbidden)
    weights = solve(problem).weights
    assert not weights[forbidden].any()
    assert weights[required].all()
    assert np.count_nonzero(weights) > 4


@pytest.mark.parametrize(("name", "equal"), [("er4_d20_nv_s2", False), ("er4_d50_ev_s1", True)])
def test_threads_do_not_change_a_bit(name, equal):
    problem = problem_of(load_case(name), "ev" if equal else "nv")
    one, two = solve(problem), solve(problem, n_jobs=2)
    np.testing.assert_array_equal(one.weights, two.weights)
    np.testing.assert_array_equal(one.noise_scale, two.noise_scale)
    assert one[2:] == two[2:]


@solvers
@noises
def test_what_a_solution_says(solver, equal):
    problem = make_problem(random_covariance(6, 80, 2.0, 0), ALPHA, equal=equal)
    solution = solve(problem, solver=solver, max_iter=1000)
    W = solution.weights
    assert W.shape == (6, 6)
    assert not W.diagonal().any()
    scale = oracle.noise_scale(problem.covariance, W, equal)
    np.testing.assert_allclose(solution.noise_scale, scale, rtol=1e-9)
    assert solution.objective == pytest.approx(objective(problem, W, 0.001, 0.7), rel=1e-9)
    assert isinstance(solution.n_iter, int)
    assert isinstance(solution.converged, bool)
    limit = n_stages(problem, solver=solver, start="auto", n_restarts=3)
    assert limit <= solution.n_iter
    short = solve(problem, solver=solver, max_iter=1)
    assert short.n_iter <= limit
    assert not short.converged


class TestStages:
    """How many there are, and who may stop them."""

    problem = make_problem(random_covariance(5, 80, 2.0, 0), ALPHA, equal=False)

    def run(self, *, equal, stop_after=None, **settings):
        """Solution, and how many stages were seen."""
        seen = []

        def watch():
            seen.append(None)
            return len(seen) == stop_after

        problem = self.problem._replace(equal=equal)
        generator = np.random.RandomState(0)
        settings = {"max_iter": 200, "random_state": generator, **settings}
        return solve(problem, watch=watch, **settings), len(seen)

    @solvers
    @noises
    @pytest.mark.parametrize("start", ["equal", "zero", "auto"])
    @pytest.mark.parametrize("n_restarts", [0, 1, 3, 5])
    def test_all_are_seen(self, solver, equal, start, n_restarts):
        settings = {"solver": solver, "start": start, "n_restarts": n_restarts}
        _, n_seen = self.run(equal=equal, **settings)
        assert n_seen == n_stages(self.problem._replace(equal=equal), **settings)

    def test_numbers(self):
        def count(**changes):
            settings = {"solver": "newton", "start": "equal", "n_restarts": 0, **changes}
            return n_stages(self.problem, **settings)

        assert count(solver="adam", n_restarts=3) == 4
        assert (count(start="zero"), count(start="equal")) == (4, 5)
        # Back to the second stage once, to the third one from then on.
        assert [count(n_restarts=n) for n in (1, 2, 3, 4)] == [8, 10, 12, 14]

    @solvers
    @noises
    def test_a_stop_leaves_what_there_is(self, solver, equal):
        whole, n_stages = self.run(equal=equal, solver=solver)
        iterations = []
        for stop_after in range(1, n_stages + 1):
            solution, n_seen = self.run(equal=equal, solver=solver, stop_after=stop_after)
            assert n_seen == stop_after
            assert np.isfinite(solution.objective)
            assert not solution.weights.diagonal().any()
            iterations.append(solution.n_iter)
            if stop_after >= 5 - equal and solver == "newton":
                # The first solution is there already: restarts may only improve it.
                value = objective(self.problem._replace(equal=equal), solution.weights, 0.001, 0.7)
                assert solution.objective == pytest.approx(value)
        assert (np.diff(iterations) > 0).all()
        np.testing.assert_array_equal(solution.weights, whole.weights)
        assert solution.n_iter == whole.n_iter

    @pytest.mark.parametrize("stop_after", [1, 2, 3, 4])
    def test_a_stop_before_unequal_noise_began(self, stop_after):
        """The start is a solution for equal noise: its objective is another one."""
        solution, _ = self.run(equal=False, start="equal", stop_after=stop_after)
        mu, s = ((1.0, 1.0), (0.1, 0.9), (0.01, 0.8), (0.001, 0.7))[stop_after - 1]
        value = objective(self.problem, solution.weights, mu, s)
        assert solution.objective == pytest.approx(value, rel=1e-12)

    def test_a_stop_after_a_restart_keeps_what_it_found(self):
        problem, n_seen = problem_of(load_case("er4_d20_nv_s3"), "ev"), 0

        def watch():
            nonlocal n_seen
            n_seen += 1
            return n_seen == 7

        stopped, whole = solve(problem, watch=watch), solve(problem, n_restarts=1)
        assert whole.objective < solve(problem, n_restarts=0).objective
        np.testing.assert_array_equal(stopped.weights, whole.weights)
        assert stopped[2:] == whole[2:]

    @noises
    def test_watching_changes_nothing(self, equal):
        watched, _ = self.run(equal=equal)
        plain = solve(self.problem._replace(equal=equal))
        np.testing.assert_array_equal(watched.weights, plain.weights)
        assert watched[2:] == plain[2:]


class TestStart:
    """Where the path for unequal noise begins."""

    wide, _ = make_linear_sem(300, 12, noise="unequal", random_state=0)
    narrow, _ = make_linear_sem(
        300, 12, noise="unequal", degree=1, weight_range=(0.25, 1), random_state=0
    )

    @pytest.mark.parametrize(("name", "expected"), [("wide", "equal"), ("narrow", "zero")])
    def test_the_rule(self, name, expected):
        C = np.cov(getattr(self, name).T, bias=True)
        problem = make_problem(C, ALPHA, equal=False)
        chosen = solve(problem, n_restarts=0)
        for start in ("equal", "zero"):
            solution = solve(problem, start=start, n_restarts=0)
            assert np.array_equal(solution.weights, chosen.weights) == (start == expected)

    @pytest.mark.parametrize("factor", [1e-6, 3.0, 1e6])
    def test_units_do_not_matter(self, factor):
        for data, expected in ((self.wide, 5), (self.narrow, 4)):
            C = np.cov(factor * data.T, bias=True)
            problem = make_problem(C, ALPHA, equal=False)
            assert n_stages(problem, solver="newton", start="auto", n_restarts=0) == expected

    @pytest.mark.parametrize(
        ("deviations", "expected"),
        [([1, 5.7], 4), ([1, 5.9], 5), ([0, 1, 5.7], 4), ([0, 1, 5.9], 5), ([0, 0], 4), ([3], 4)],
    )
    def test_the_limit(self, deviations, expected):
        """Two values spread by the root of their ratio; constant columns do not count."""
        problem = make_problem(np.diag(np.square(deviations, dtype=float)), ALPHA, equal=False)
        assert n_stages(problem, solver="newton", start="auto", n_restarts=0) == expected

    def test_equal_noise_has_one_start_only(self):
        problem = problem_of(load_case("er4_d20_nv_s1"), "ev")
        one, other = (solve(problem, start=start) for start in ("equal", "zero"))
        np.testing.assert_array_equal(one.weights, other.weights)


class TestRestarts:
    """Further ways down, of which the lowest end is kept."""

    @pytest.mark.parametrize("name", ["er4_d20_nv_s1", "er4_d20_nv_s4", "er4_d20_ev_s3"])
    @noises
    def test_they_never_raise_the_objective(self, name, equal):
        problem = problem_of(load_case(name), "ev" if equal else "nv")
        values, iterations = [], []
        for n_restarts in range(4):
            solution = solve(problem, n_restarts=n_restarts)
            values.append(solution.objective)
            iterations.append(solution.n_iter)
        assert (np.diff(values) <= 0).all()
        assert (np.diff(iterations) > 0).all()

    def test_they_find_lower_ones(self):
        problem = problem_of(load_case("er4_d20_nv_s4"), "ev")
        first, best = (solve(problem, n_restarts=n).objective for n in (0, 3))
        assert best < 0.97 * first

    def test_more_than_three_are_drawn(self):
        problem = problem_of(load_case("er4_d20_nv_s3"), "ev")

        def run(seed):
            return solve(problem, n_restarts=8, random_state=np.random.RandomState(seed))

        three, one, again = solve(problem), run(0), run(0)
        np.testing.assert_array_equal(one.weights, again.weights)
        assert one.n_iter == again.n_iter != run(1).n_iter
        assert one.objective < three.objective


@noises
def test_the_published_loop_lets_self_loops_in_and_drops_them(equal):
    """What its last iteration has there is no part of the solution, nor of its noise scales."""
    problem = make_problem(random_covariance(5, 80, 2.0, 0), ALPHA, equal=equal)
    solution = solve(problem, solver="adam", max_iter=1000)
    free = problem._replace(penalties=np.full((5, 5), ALPHA))
    held = problem.penalties.copy()
    W = np.zeros((5, 5))
    for mu, s in zip((1.0, 0.1, 0.01, 0.001), (1.0, 0.9, 0.8, 0.7), strict=True):
        W = adam_stage(free, W, Stage(mu, s, 1000, 1e-6)).weights
    assert W.diagonal().any()
    np.fill_diagonal(W, 0)
    np.testing.assert_array_equal(solution.weights, W)
    np.testing.assert_array_equal(problem.penalties, held)
    assert np.isinf(held.diagonal()).all()


def _edge_cases():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 5)) * [1, 1, 1e3, 1e-3, 1]
    duplicate, explained, constant = X.copy(), X.copy(), X.copy()
    duplicate[:, 4] = X[:, 0]
    explained[:, 4] = 2 * X[:, 0] - X[:, 1]
    constant[:, 1] = 7
    return {
        "one variable": X[:, :1],
        "two variables": X[:, :2],
        "scales": X,
        "duplicate": duplicate,
        "explained": explained,
        "constant": constant,
        "all constant": np.ones((10, 3)),
        "fewer samples than variables": rng.normal(size=(6, 15)) @ rng.normal(size=(15, 15)),
        "two samples": rng.normal(size=(2, 4)),
    }


EDGE_CASES = _edge_cases()


@solvers
@noises
@pytest.mark.parametrize("name", sorted(EDGE_CASES))
def test_degenerate_data(name, equal, solver):
    X = EDGE_CASES[name]
    C = np.atleast_2d(np.cov(X.T, bias=True))
    solution = solve(make_problem(C, ALPHA, equal=equal), solver=solver, max_iter=300)
    assert np.isfinite(solution.weights).all()
    assert np.isfinite(solution.objective)
    assert np.isfinite(solution.noise_scale).all()
    assert solution.noise_scale.min() > 0
    constant = C.diagonal() == 0
    if solver == "newton":
        assert not solution.weights[constant].any()
        assert not solution.weights[:, constant].any()


@noises
def test_negative_variances_are_no_gain(equal):
    """They are rounding, which variables much larger than the least noise make a lot of."""
    weights = 1e3 * np.eye(6, k=1)
    X = np.random.default_rng(0).normal(size=(300, 6)) @ np.linalg.inv(np.eye(6) - weights)
    problem = make_problem(np.cov(X.T, bias=True), ALPHA, equal=equal)
    assert residual_variances(problem, weights).min() < -1e6 * problem.floor
    assert score(np.array([-1.0, 4.0]), np.array([1e-3, 2.0])) == pytest.approx(2 + 5e-4)
    scale = closed_form_scale(problem, np.array([-1e20] * 3 + [4e20] * 3))
    np.testing.assert_allclose(scale[3:], 1e10 * (np.sqrt(2) if equal else 2))
    assert solve(problem).objective > 0


@noises
@pytest.mark.parametrize("columns", [[0, 1, 2, 3, 4, 0, 1], [0, 0, 1], [0, 1, 2, 3, 4]])
def test_dependent_columns(equal, columns):
    """Copies, and fewer samples than variables: equations of columns have no unique solution."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 5)) @ (np.eye(5) + random_weights(5, 0.8, 0.5, 0))
    X = X[: 40 if len(set(columns)) < len(columns) else 4, columns]
    problem = make_problem(np.cov(X.T, bias=True), ALPHA, equal=equal)
    # The other solver has no such equations. Which copy is the parent only chance can decide.
    newton = solve(problem, n_restarts=20, random_state=np.random.RandomState(0))
    assert newton.objective <= 1.02 * solve(problem, solver="adam").objective


@pytest.mark.parametrize(
    ("name", "method"), [("er4_d20_ev_s2", "nv"), ("er4_d20_nv_s3", "ev"), ("er4_d50_ev_s3", "ev")]
)
def test_permuted_columns(name, method):
    case = load_case(name)
    C, true = case["covariance"], graph_of(case)
    order = np.random.default_rng(0).permutation(len(C))
    pick = np.ix_(order, order)
    permuted = solve(make_problem(C[pick], ALPHA, equal=method == "ev")).weights
    expected = distance_of(case, method)
    assert shd(true[pick], oracle.threshold_to_dag(permuted, THRESHOLD)) == expected


@noises
@pytest.mark.parametrize("name", ["er4_d20_ev_s1", "er4_d20_nv_s1"])
def test_rounding_of_the_covariance(name, equal):
    """Of two ways to compute it from the same samples."""
    case = load_case(name)
    C = np.cov(case["X"].T, bias=True)
    found = solve(make_problem(C, ALPHA, equal=equal)).weights
    expected = solve(make_problem(case["covariance"], ALPHA, equal=equal)).weights
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_array_equal(found != 0, expected != 0)


@pytest.mark.parametrize("n_nodes", [20, pytest.param(50, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("noise", "method", "share"), [("ev", "ev", 1.0), ("nv", "nv", None), ("nv", "ev", 1.0)]
)
def test_distances_to_the_true_graphs(n_nodes, noise, method, share):
    """At most this share of the stored estimates' mean distance."""
    share = share or {20: 0.75, 50: 0.9}[n_nodes]
    # Three restarts leave 8.2 on these five graphs, against 8.0.
    more = (n_nodes, noise, method) == (20, "nv", "ev")
    settings = {"n_restarts": 10, "random_state": np.random.RandomState(0)} if more else {}
    found, stored = mean_distances(case_names(n_nodes, noise), method, **settings)
    assert found <= share * stored
