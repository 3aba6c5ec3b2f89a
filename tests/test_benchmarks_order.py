"""The building blocks of the benchmarks of order search on tiny inputs; nothing here is timed."""

import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

ROOT = Path(__file__).resolve().parent.parent
if not (ROOT / "benchmarks").is_dir():
    pytest.skip("the benchmarks are not part of this installation", allow_module_level=True)
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from benchmarks import _colide, _colide_peers, _order, asv_order, compare  # noqa: E402
from benchmarks import compare_order as cost  # noqa: E402
from benchmarks import compare_order_quality as quality  # noqa: E402
from benchmarks import compare_order_resources as resources  # noqa: E402
from benchmarks._colide import Setting  # noqa: E402
from benchmarks._report import Options, Table  # noqa: E402
from sparsekit.causal import BOSS  # noqa: E402
from sparsekit.metrics import cpdag  # noqa: E402

TINY = Setting(4, "strong", "unequal")
QUICK = Options(quick=True)
PEERS = ["causal-learn BOSS", "causal-learn BOSS, EBIC", "causal-learn GRaSP"]
INSTALLED = [name for name in PEERS if _colide_peers.is_installed("causallearn")]
FIT = _order.Fit(
    50, "weak", "unequal", "standardised", "BOSS", 1000, 8.0, 4.0, 0.9, 190.0, -2.0, 1.0, 0.25
)


@pytest.fixture(autouse=True)
def short_fits(monkeypatch):
    """Sparse graphs; CoLiDE's solvers are not warmed up."""
    monkeypatch.setattr(_colide, "DEGREE", 1)
    monkeypatch.setattr(_colide, "warm_up", lambda: None)
    _colide.data.cache_clear()
    yield
    _colide.data.cache_clear()


def captions(blocks):
    return [block.caption for block in blocks if isinstance(block, Table)]


def random_dag(generator, n_nodes):
    order = generator.permutation(n_nodes)
    dag = np.triu(generator.random((n_nodes, n_nodes)) < 0.5, 1)
    return dag[np.ix_(order, order)]


def test_families_are_found_by_their_names():
    names = {"order", "order_quality", "order_resources"}
    assert names <= set(compare.chosen(["order"]))


class TestExtension:
    def test_has_the_class_it_was_made_of(self):
        generator = np.random.default_rng(0)
        for n_nodes in [2, 3, 4, 5, 6] * 4:
            pattern = cpdag(sp.csr_array(random_dag(generator, n_nodes)))
            found = _order.extension(pattern)
            assert (cpdag(sp.csr_array(found)) != pattern).nnz == 0

    def test_there_is_none(self):
        square = np.zeros((4, 4), dtype=bool)
        for i in range(4):
            square[i, (i + 1) % 4] = square[(i + 1) % 4, i] = True
        before = square.copy()
        assert _order.extension(square) is None
        np.testing.assert_array_equal(square, before)
        assert np.isnan(_order.excess(np.eye(4), square, None)).all()


class TestScore:
    def test_is_that_of_the_estimator(self):
        X, _ = _colide.data(Setting(6, "weak", "equal"), 5)
        for gamma in (0.0, 1.0):
            model = BOSS(gamma, n_starts=1, random_state=0).fit(X)
            dag = model.adjacency_.toarray() != 0
            score = _order.penalised(model.covariance_, len(X), dag, gamma)
            assert score == pytest.approx(model.score_, rel=1e-9)

    def test_is_that_of_all_graphs_of_the_class_and_of_rescaled_data(self):
        X, true = _colide.data(Setting(6, "strong", "equal"), 6)
        dag = _order.extension(cpdag(true))
        np.testing.assert_allclose(_order.excess(X, true, dag), 0, atol=1e-6)
        fewer = np.zeros_like(dag)
        worse = _order.excess(X, true, fewer)
        np.testing.assert_allclose(_order.excess(X * np.arange(1, 7), true, fewer), worse)
        assert worse[0] - worse[1] == pytest.approx(-true.nnz * np.log(6))
        assert min(worse) > 100

    def test_of_dags_and_of_classes(self):
        X, true = _colide.data(TINY, 5)
        right = _order.judged(X, true, true, equivalent=False)
        assert right == (0, 0, 1, true.nnz, 0, 0)
        as_class = _order.judged(X, true, cpdag(true), equivalent=True)
        assert np.isnan(as_class.shd)
        np.testing.assert_allclose(as_class[1:], right[1:], atol=1e-6)


class TestFits:
    def test_ours_do_not_see_scale(self):
        raw, standardised = (
            _order.fit(TINY, scale, "BOSS", 5) for scale in ("raw", "standardised")
        )
        assert raw[:3] == tuple(TINY)
        assert raw[6:-1] == pytest.approx(standardised[6:-1], abs=1e-6)

    def test_all_of_ours_run(self):
        ours = [name for name, learner in _order.CONTENDERS.items() if not learner.package]
        assert {"BOSS, equal noise", "CoLiDE NV, order", "sort and regress"} <= set(ours)
        for name in ours:
            assert _order.fit_here(TINY, "raw", name, 7).shd_cpdag <= 2

    @pytest.mark.parametrize("name", INSTALLED)
    def test_orders_of_peers(self, name):
        X = np.random.default_rng(0).normal(size=(1000, 4))
        X[:, 2] += X[:, 0] + X[:, 1]
        X[:, 3] += X[:, 2]
        X.flags.writeable = False
        learner = _colide_peers.available([name], _order.CONTENDERS)[name]
        with _colide.quiet():
            found = learner.learn(X)
            scaled = learner.learn(X * [1, 10, 100, 0.1])
        assert np.argwhere(found).tolist() == [[0, 2], [1, 2], [2, 3]]
        np.testing.assert_array_equal(found, scaled)

    def test_a_peer_that_takes_too_long_is_given_up(self, monkeypatch):
        """In a new process; a fit of it is a row without figures."""
        assert _order.patiently(0.2, eval, "all(i == 0 for i in iter(int, 1))") is None
        monkeypatch.setattr(_order, "patiently", lambda *given: None)
        row = _order.fit(TINY, "raw", "causal-learn BOSS", 5)
        assert row[:6] == (*TINY, "raw", "causal-learn BOSS", 5)
        assert np.isnan(row[6:-1]).all()
        assert row.cpu == _order.LIMIT


class TestCost:
    def test_runs_from_start_to_end(self, monkeypatch):
        monkeypatch.setattr(cost, "QUICK_SIZE", 3)
        monkeypatch.setattr(cost, "QUICK_REFINED_SIZES", (3,))
        monkeypatch.setattr(cost, "LEARNERS", (cost.OURS, cost.ONE_START))
        blocks = list(cost.run(QUICK))
        assert [caption[:7] for caption in captions(blocks)] == ["Means b", "CoLiDE "]
        assert [row[:2] for row in blocks[0].rows] == [
            (f"3, {weights}", name)
            for weights, name in product(_colide.WEIGHTS, ("BOSS", "BOSS, one start"))
        ]
        assert len(blocks[1].rows) == 4

    def test_targets(self):
        same = _order.Judged(np.nan, 3.0, 0.9, 10.0, 5.0, 6.0)
        means = {cost.OURS: (0.5, same._replace(ebic=2.0)), cost.ONE_START: (0.25, same)}
        assert list(cost._peer_targets(means, "here")) == []
        found = list(cost._peer_targets(means | {cost.PEER: (12.5, same)}, "here"))
        assert [one.measured for one in found] == [25.0, -3.0, 50.0, 0.0]
        assert found[0].verdict == "met, aim missed"

    def test_means(self):
        one = _order.Judged(np.nan, 3.0, 0.9, 10.0, 5.0, 6.0)
        cpu, mean = cost._means([(1.0, one), (2.0, one._replace(shd_cpdag=4.0))])
        assert (cpu, mean.shd_cpdag, mean.ebic) == (1.5, 3.5, 5.0)


class TestQuality:
    def test_tasks(self):
        work = list(quality.tasks([20, 200], range(1), ["BOSS", "GES"], ["raw", "standardised"]))
        assert {name for setting, _, name, _ in work if setting.n_nodes == 200} == {"BOSS"}
        # A peer that does not see scale is run once.
        assert {scale for _, scale, name, _ in work if name == "GES"} == {"standardised"}
        assert len(work) == 8 + 8 + 4
        given = ([20, 100], range(1), ["BOSS, equal noise"], ["raw", "standardised"])
        assert len(list(quality.tasks(*given))) == 8 + 4

    def test_means(self):
        fits = [FIT, FIT._replace(seed=1001, shd=10.0, ebic=4.0), FIT._replace(scale="raw")]
        nothing = dict.fromkeys(("shd", "shd_cpdag", "f1", "edges", "ebic", "bic"), np.nan)
        fits.append(FIT._replace(contender="causal-learn BOSS", shd=np.nan))
        fits.append(FIT._replace(contender="GES", cpu=_order.LIMIT, **nothing))
        table = quality.table_of(fits, Setting(50, "weak", "unequal"))
        ours, boss, ges = table.rows
        assert ours[:5] == ["BOSS", "2", "8.0", "4.0", "0.900"]
        assert ours[5:] == ["9.0 ± 1.0", "4.0 ± 0.0", "0.900", "+1", "250 ms"]
        assert boss[2:5] == boss[5:8] == ["", "4.0", "0.900"]
        assert ges == ["GES", "1", *[""] * 7, "> 600 s"]
        assert quality.table_of(fits, TINY).rows == []

    def test_targets(self, monkeypatch):
        setting = Setting(100, "weak", "equal")
        alone = FIT._replace(d=100, noise="equal", shd=4.0)
        refined = alone._replace(scale="raw", contender="CoLiDE EV, order", shd=5.0)
        goals = [target for (target,) in quality._goals([alone, refined])]
        assert [(one.measured, one.must) for one in goals] == [(5.0, 5.6), (4.0, 3.0)]
        assert [one.verdict for one in goals] == ["met", "missed"]
        monkeypatch.setattr(quality, "published_distances", lambda: {(setting, 1000): 20})
        others = [refined._replace(seed=1001), refined._replace(contender="CoLiDE NV, order")]
        table, (target,) = quality._against_published([alone, refined, *others])
        assert table.rows == [("100, weak, equal", "1", "20.0", "5.0", "0.250")]
        assert (target.measured, target.verdict) == (0.25, "missed")

    def test_published_distances_are_those_of_the_paper_s_solver(self):
        found = quality.published_distances()
        seeds = {seed for setting, seed in found if setting == Setting(100, "strong", "equal")}
        assert len(seeds) >= 10
        assert min(seeds) == _colide.FIRST_SEED

    def test_score_by_that_of_the_peer(self):
        peer = FIT._replace(contender=quality.PEER, ebic=5.0)
        missing = peer._replace(seed=1001, ebic=np.nan), peer._replace(seed=1002)
        (((target),),) = quality._against_peer([FIT, FIT._replace(seed=1001), peer, *missing])
        assert (target.measured, target.verdict) == (-7.0, "met")

    def test_runs_from_start_to_end(self, tmp_path, monkeypatch):
        monkeypatch.setattr(quality, "FILE", tmp_path / "fits.csv")
        assert "Nothing is recorded" in next(quality.run(QUICK))
        given = ["--nodes", "3", "--seeds", "7", "8", "--weights", "weak", "--contenders", "BOSS"]
        monkeypatch.setattr(sys, "argv", ["x", *given, "--results", str(quality.FILE)])
        quality.main()
        quality.main()
        fits = _colide.read_rows(quality.FILE, _order.Fit)
        assert [one[1:4] for one in fits] == [
            ("weak", noise, scale) for noise in _colide.NOISES for scale in quality.SCALES
        ]
        blocks = list(quality.run(QUICK))
        assert "4 of order search were repeated now: 4 have the same" in blocks[2]
        assert captions(blocks) == [
            "d = 3, weak weights, equal noise",
            "d = 3, weak weights, unequal noise",
        ]


class TestResources:
    def test_growth_and_large_graphs(self, tmp_path, monkeypatch):
        monkeypatch.setattr(resources, "FILE", tmp_path / "fits.csv")
        monkeypatch.setattr(resources, "QUICK_SIZES", (3,))
        monkeypatch.setattr(resources, "MOST_SECONDS", {3: np.inf})
        table, targets = resources._growth(QUICK)
        assert [row[0] for row in table.rows][:2] == ["3, strong, equal", "3, strong, unequal"]
        assert {target.verdict for target in targets} == {"met"}
        (nothing,) = resources._large(QUICK)
        assert "No large fit" in nothing
        given = ["--nodes", "3", "--weights", "weak", "--results", str(resources.FILE)]
        monkeypatch.setattr(sys, "argv", ["x", *given])
        resources.main()
        resources.main()
        table, (target,) = resources._large(QUICK)
        (row,) = table.rows
        assert row[:3] == ("3, weak, unequal", "1", "1")
        assert target.what == "a start, 3, weak, unequal"

    def test_memory_that_can_not_be_measured(self, monkeypatch):
        monkeypatch.setattr(resources, "memory_can_be_measured", lambda: False)
        found = resources.fit(TINY, 1, 1, 5)
        assert np.isnan(found.peak)
        assert found.n_passes > 0
        assert "not measured" in next(resources._memory(QUICK))

    def test_threads(self, monkeypatch):
        monkeypatch.setattr(resources, "QUICK_THREAD_SIZES", (5,))
        (threads,) = resources._threads(QUICK)
        assert threads.rows[0][-1] == "yes"


def test_suite_runs(monkeypatch):
    suite = asv_order.FitSuite()
    suite.setup(4, "unequal")
    suite.time_fit(4, "unequal")
    assert suite.track_score(4, "unequal") == suite.model.score_
