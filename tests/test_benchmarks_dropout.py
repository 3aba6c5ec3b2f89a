"""The building blocks of the benchmarks of DropoutPC and DropoutGES on tiny inputs; untimed."""

import sys
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

ROOT = Path(__file__).resolve().parent.parent
if not (ROOT / "benchmarks").is_dir():
    pytest.skip("the benchmarks are not part of this installation", allow_module_level=True)
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from benchmarks import _colide, _dropout, _dropout_goals, _dropout_peers, asv_dropout, compare  # noqa: E402  # noqa: E402
from benchmarks import compare_dropout as cost  # noqa: E402
from benchmarks import compare_dropout_quality as quality  # noqa: E402
from benchmarks import compare_dropout_resources as resources  # noqa: E402
from benchmarks._colide_peers import available, is_installed  # noqa: E402
from benchmarks._dropout import Case  # noqa: E402
from benchmarks._report import Options, Table  # noqa: E402
from sparsekit.causal import DropoutPC  # noqa: E402
from sparsekit.causal.dropout._fisher_z import p_values  # noqa: E402
from sparsekit.metrics import cpdag  # noqa: E402

TINY = Case("Gaussian, logistic", 4, 150, 1.0)
QUICK = Options(quick=True)
INSTALLED = [name for name, peer in _dropout_peers.PEERS.items() if is_installed(peer.module)]
FIT = quality.Fit(
    "Gaussian, logistic", 30, 10_000, 0.5, "PC, testwise", 1000, 8.0, 0.9, 14, 0.25, 1.5
)


@pytest.fixture(autouse=True)
def no_other_learners(monkeypatch):
    """CoLiDE's solvers are not warmed up."""
    monkeypatch.setattr(_colide, "warm_up", lambda: None)


def captions(blocks):
    return [block.caption for block in blocks if isinstance(block, Table)]


def two_causes():
    """Samples of 0 -> 2 <- 1, 2 -> 3."""
    X = np.random.default_rng(0).normal(size=(1000, 4))
    X[:, 2] += X[:, 0] + X[:, 1]
    X[:, 3] += X[:, 2]
    X.flags.writeable = False
    return X


def test_families_are_found_by_their_names():
    names = {"dropout", "dropout_quality", "dropout_resources"}
    assert names <= set(compare.chosen(["dropout"]))


class TestShared:
    def test_kinds_of_data_differ_in_zeros_alone(self):
        one, other = (_dropout.data(TINY._replace(kind=kind), 5) for kind in quality.DROPOUTS[:2])
        np.testing.assert_array_equal(one.latent, other.latent)
        assert (one.true != other.true).nnz == 0
        seen = one.X != 0
        assert 0 < seen.sum() < seen.size
        np.testing.assert_array_equal(one.X[seen], one.latent[seen])
        assert not one.X.flags.writeable

    def test_judgement(self):
        true = _dropout.data(TINY, 5).true
        assert _dropout.judged(true, cpdag(true)) == (0, 1, true.nnz)
        assert _dropout.judged(true, sp.csr_array((4, 4)))[::2] == (true.nnz, 0)

    def test_least_of_three_rounds_of_a_fifth_of_a_second(self, monkeypatch):
        spent, calls = {"now": 0.0}, []
        durations = {"quick": iter([0.1, 0.1, 0.15, 0.15, 0.1, 0.2]), "slow": iter([100.0])}

        def call(name):
            calls.append(name)
            spent["now"] += next(durations[name])

        monkeypatch.setattr(_dropout, "cpu_seconds", lambda: spent["now"])
        found = _dropout.least_seconds(
            {"quick": lambda: call("quick"), "slow": lambda: call("slow")}
        )
        assert found == pytest.approx({"quick": 0.1, "slow": 100.0})
        assert calls == ["quick", "quick", "slow", *["quick"] * 4]


class TestPeers:
    @pytest.mark.parametrize("name", INSTALLED)
    def test_find_a_plain_graph(self, name):
        found = available([name], _dropout_peers.PEERS)[name].learn(two_causes())
        assert np.argwhere(found).tolist() == [[0, 2], [1, 2], [2, 3]]

    @pytest.mark.parametrize("name", [one for one in INSTALLED if one == cost.PEER])
    def test_zeros_are_missing_values(self, name):
        X = two_causes().copy()
        X[::3, 0] = 0  # as values they would not hide the edge, but change the tests
        found = _dropout_peers.pc(X, test="mv_fisherz")
        ours = cost.parity("testwise").fit(X)
        np.testing.assert_array_equal(found, ours.adjacency_.toarray() != 0)

    def test_single_tests_are_those_of_the_search(self):
        X = _dropout.data(TINY, 5).X
        tests = _dropout_peers.single_tests(X, alpha=0.2)
        model = _dropout.fitted(DropoutPC(0.2), X)
        sizes = [len(test.given) for test in tests]
        assert np.bincount(sizes).tolist() == model.n_tests_.tolist()
        assert max(sizes) > 0
        found = _dropout_peers.one_by_one(X, tests)
        statistics = np.array([test.statistic for test in tests])
        np.testing.assert_allclose(found, p_values(statistics), rtol=0, atol=1e-12)


class TestCost:
    def test_runs_from_start_to_end(self, monkeypatch):
        for name in ("", "LOOP_", "TESTWISE_", "GES_"):
            monkeypatch.setattr(cost, f"QUICK_{name}GRAPHS", {4: 2})
        monkeypatch.setattr(cost, "N_SAMPLES", 200)
        monkeypatch.setattr(cost, "GES_SAMPLES", 200)
        monkeypatch.setattr(cost, "PEERS", {})
        monkeypatch.setattr(cost, "available", lambda names, among: {})
        monkeypatch.setattr(cost, "pace", lambda: 2.0)
        monkeypatch.setattr(cost, "PAPER_GES", {4: 10.0})
        monkeypatch.setattr(cost, "least_seconds", one_second)
        blocks = list(cost.run(QUICK))
        assert [caption.split(",")[0] for caption in captions(blocks)] == [
            "PC without zeros",
            "PC with deletion",
            "PC with testwise deletion",
            "GES without zeros",
            "GES with deletion",
            "Targets",
        ]
        assert [row[2] for row in blocks[0].rows] == [cost.OURS, cost.OURS_DEFAULT]
        assert blocks[4].rows[0][-2:] == ("20.0 s", "20.0 x")

    def test_other_pairs(self):
        directed, reversed_ = sp.csr_array([[0, 1], [0, 0]]), np.array([[0, 0], [1, 0]])
        assert cost.different_pairs(directed, reversed_) == 0
        assert cost.different_pairs(directed, np.zeros((2, 2))) == 1

    def test_targets(self):
        found = {cost.OURS: [cost.Trial(0.01, 0, 3.0, 0.9)], cost.PEER: []}
        found[cost.PEER] = [cost.Trial(0.8, 0, 3.0, 0.9), cost.Trial(1.0, 1, 4.0, 0.8)]
        averages = cost.means(found)
        assert averages[cost.PEER] == pytest.approx((0.9, 1, 3.5, 0.85))
        speed, pairs = cost._peer_targets(50, averages)
        assert (speed.measured, speed.verdict) == (pytest.approx(90), "missed")
        assert (pairs.measured, pairs.verdict) == (1, "missed")
        assert len(list(cost._loop_targets(100, 80, 120))) == 1
        assert [one.verdict for one in cost._loop_targets(50, 80, 90)] == ["met", "missed"]
        assert [one.measured for one in cost._ges_targets(50, 0.1, 25.0)] == [250]
        assert [one.verdict for one in cost._ges_targets(100, 1.5, np.nan)] == ["missed"]


def one_second(calls):
    for call in calls.values():
        call()
    return dict.fromkeys(calls, 1.0)


class TestQuality:
    def test_goals_are_those_of_the_table(self):
        goals = _dropout_goals.PC_GOALS
        assert len(goals) == 24
        assert goals["Gaussian, logistic", "PC, testwise"] == (26.7, 0.819)
        assert _dropout_goals.GES_GOALS["lognormal, logistic", "GES, zeros"] == (15.4, 0.8)
        known = {name for _, name in (goals | _dropout_goals.GES_GOALS)}
        assert known <= set(quality.LEARNERS)

    def test_tasks(self):
        work = list(quality.tasks())
        n_seeds, fits_of_latent = quality.N_GRAPHS, 2 * 3
        assert len(work) == len(set(work)) == n_seeds * (6 * (3 * 5 + 3) + fits_of_latent + 9)
        assert {case.kind for case, name, _ in work if "keep" in name} == {quality.FEW_ROWS}

    def test_spread_between_degrees_is_no_error(self):
        fits = [FIT._replace(degree=k, shd=10 * k + s) for k in quality.DEGREES for s in (0.0, 2.0)]
        assert quality.mean_of_degrees(fits, "shd") == pytest.approx((16, 1 / np.sqrt(3)))
        alone = [one._replace(degree=1.0) for one in fits[:2]]
        assert quality.mean_of_degrees(alone, "shd") == pytest.approx((6, 1))

    def test_targets(self):
        fits = [FIT._replace(shd=28.0), FIT._replace(seed=1001, shd=30.0)]
        rows = {FIT.kind: fits}
        (goal,) = quality._goals(rows, _dropout_goals.PC_GOALS)
        # The table's mean is of five graphs, ours of two.
        assert (goal.measured, goal.must) == (29.0, round(26.7 + 2 * np.sqrt(2 / 5), 3))
        shared = FIT._replace(kind="Gaussian, fixed rate", learner=quality.LATENT)
        assert quality._by_kind([*fits, shared], 30)[FIT.kind] == [*fits, shared]
        default = [one._replace(learner="PC default, testwise", shd=one.shd + 1) for one in fits]
        *_, worse = [block for block in quality._pc_part(fits + default) if isinstance(block, list)]
        assert [(one.measured, one.verdict) for one in worse] == [(1.0, "met")]

    def test_the_default_rules_do_not_see_the_order_of_columns(self):
        X = _dropout.data(TINY._replace(n_nodes=6), 5).X
        assert set(quality.order_distances(X)) == {0}

    def test_runs_from_start_to_end(self, tmp_path, monkeypatch):
        work = [(TINY, name, 7) for name in quality.LEARNERS]
        monkeypatch.setattr(quality, "FILE", tmp_path / "fits.csv")
        monkeypatch.setattr(quality, "tasks", lambda: iter(work))
        monkeypatch.setattr(quality, "_sachs", lambda fits: ())
        monkeypatch.setattr(quality, "_permutations", lambda fits: ())
        assert "Nothing is recorded" in next(quality.run(QUICK))
        given = ["--seeds", "7", "8", "--nodes", "4", "--results", str(quality.FILE)]
        monkeypatch.setattr(sys, "argv", ["x", *given])
        quality.main()
        quality.main()
        fits = _colide.read_rows(quality.FILE, quality.Fit)
        assert [one.learner for one in fits] == list(quality.LEARNERS)
        as_pc = [one for one in fits if "30" not in one.learner]
        rows = [one._replace(d=30 if one.learner.startswith("PC") else 20) for one in as_pc]
        monkeypatch.setattr(quality, "check", lambda fits: "")
        monkeypatch.setattr(quality, "read_rows", lambda path, kind: rows)
        blocks = list(quality.run(QUICK))
        assert [caption[:3] for caption in captions(blocks)] == ["PC,", "GES", "Tar"]

    def test_recorded_fits_are_repeated(self):
        fits = [quality.fit(TINY, name, 7) for name in ("PC, latent", "GES, testwise")]
        changed = fits[1]._replace(shd=fits[1].shd + 1)
        assert "2 were repeated now: 1 are the same" in quality.check([fits[0], changed])

    def test_proteins(self, monkeypatch):
        monkeypatch.setattr(quality, "available", lambda names, among: {})
        (table,) = quality._sachs([])
        assert len(table.rows) == 4
        assert all(float(row[2]) > 0.4 for row in table.rows)


class TestResources:
    SETTINGS = tuple(
        resources.Setting(what, 12, 300, 1)
        for what in (resources.EXPRESSION, resources.INDEPENDENT)
    )

    @pytest.mark.parametrize("setting", SETTINGS, ids=["expression", "independent"])
    def test_sparse_data(self, setting):
        X = resources.sparse_data(setting, 5)
        share = X.count_nonzero() / (12 * 300)
        wanted = 0.1 if setting.what == resources.EXPRESSION else 0.05
        assert X.format == "csr"
        assert abs(share - wanted) < 0.05

    def test_recorded_fits(self, tmp_path, monkeypatch):
        monkeypatch.setattr(resources, "FILE", tmp_path / "fits.csv")
        (nothing,) = resources._large(QUICK)
        assert "No large fit" in nothing
        numbers = count(1.0)
        monkeypatch.setattr(resources, "peak_extra_bytes", lambda call: call() and next(numbers))
        monkeypatch.setattr(
            resources, "in_fresh_process", lambda given, environment: answer(given[-1])
        )
        monkeypatch.setattr(resources, "LARGE", [(setting, 1) for setting in self.SETTINGS])
        given = ["--nodes", "12", "--results", str(resources.FILE)]
        monkeypatch.setattr(sys, "argv", ["x", *given])
        resources.main()
        resources.main()
        table, targets = resources._large(QUICK)
        assert [row[0] for row in table.rows] == [resources.EXPRESSION, resources.INDEPENDENT]
        assert [target.what.split(",")[0] for target in targets] == ["whole process", "wall time"]

    def test_memory_that_can_not_be_measured(self, monkeypatch):
        monkeypatch.setattr(resources, "memory_can_be_measured", lambda: False)
        assert "not measured" in next(resources._memory(QUICK))

    def test_growth_threads_and_single_cells(self, monkeypatch):
        monkeypatch.setattr(resources, "QUICK_GROWTH", ((4, 150),))
        monkeypatch.setattr(resources, "QUICK_THREAD_CASES", ((5, 200),))
        monkeypatch.setattr(resources, "LARGEST_GES", 3)
        monkeypatch.setattr(resources, "PBMC_GENES", 8)
        (growth,) = resources._growth(QUICK)
        assert growth.rows[0][0] == "4"
        assert growth.rows[0][-1] == ""
        (threads,) = resources._threads(QUICK)
        assert threads.rows[0][-1] == "yes"
        cells, targets = resources._single_cells(QUICK)
        assert cells.rows[0][1::2] == cells.rows[1][1::2]
        assert targets == []


def answer(request):
    """Figures that a fresh process would give."""
    given, n_jobs, seed = resources.json.loads(request)
    return resources.watch(resources.Setting(*given), n_jobs, seed)


def test_suites_run(monkeypatch):
    monkeypatch.setattr(asv_dropout, "problem", lambda *sizes: _dropout.data(TINY, 5).X)
    for suite, track in (
        (asv_dropout.TestsSuite(), "n_tests"),
        (asv_dropout.ScoresSuite(), "score"),
    ):
        suite.setup(4, "testwise")
        suite.time_fit(4, "testwise")
        assert getattr(suite, f"track_{track}")(4, "testwise") >= 0
