"""The building blocks of the benchmarks of CoLiDE on tiny inputs; nothing here is timed."""

import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

ROOT = Path(__file__).resolve().parent.parent
if not (ROOT / "benchmarks").is_dir():
    pytest.skip("the benchmarks are not part of this installation", allow_module_level=True)
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from benchmarks import _colide, _colide_peers, asv_colide, compare  # noqa: E402
from benchmarks import compare_colide as cost  # noqa: E402
from benchmarks import compare_colide_large as large  # noqa: E402
from benchmarks import compare_colide_paired as paired  # noqa: E402
from benchmarks import compare_colide_quality as quality  # noqa: E402
from benchmarks import compare_colide_resources as resources  # noqa: E402
from benchmarks._colide import Setting  # noqa: E402
from benchmarks._report import Options, Table  # noqa: E402
from sparsekit.causal.colide._dag import to_dag  # noqa: E402

TINY = Setting(5, "strong", "equal")
QUICK = Options(quick=True)
PEERS = [
    name
    for name in ("DAGMA", "NOTEARS", "GES", "PC")
    if _colide_peers.is_installed(_colide_peers.CONTENDERS[name].module)
]


@pytest.fixture(autouse=True)
def short_fits(monkeypatch):
    """Sparse graphs, and as few repetitions as possible."""
    monkeypatch.setattr(_colide, "DEGREE", 1)
    monkeypatch.setattr(_colide, "_REPEATS", 1)
    _colide.data.cache_clear()
    yield
    _colide.data.cache_clear()


def captions(blocks):
    return [block.caption for block in blocks if isinstance(block, Table)]


def test_families_are_found_by_their_names():
    names = {f"colide{part}" for part in ("", "_large", "_paired", "_quality", "_resources")}
    assert set(compare.chosen(["colide"])) == names


def test_settings_and_data():
    assert len(_colide.settings([20, 50])) == 8
    X, true = _colide.data(TINY, 1000)
    assert X.shape == (1000, 5)
    assert not X.flags.writeable
    assert np.abs(true.data).min() >= 0.5
    scaled, _ = _colide.data(TINY, 1000, standardised=True)
    np.testing.assert_allclose(scaled.std(axis=0), 1)


def test_scores():
    true = sp.csr_array([[0, 2.0, 0], [0, 0, 1.0], [0, 0, 0]])
    reversed_edge = np.array([[0, 1, 0], [0, 0, 0], [0, 1, 0]])
    assert _colide.scores_of(true, reversed_edge) == (1, 0.5, 0.5)
    # A chain has no direction that data could tell.
    undirected = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
    assert _colide.scores_of(true, undirected, equivalent=True) == (0, 1.0, 0.0)


def test_means_and_their_errors():
    mean, error = _colide.mean_and_error([1, 2, 3, 6])
    assert mean == 3
    assert error == pytest.approx(np.sqrt(14 / 3 / 4))
    assert np.isnan(_colide.mean_and_error([4])[1])


def test_rows_survive_a_file(tmp_path):
    path = tmp_path / "new" / "rows.csv"
    assert _colide.read_rows(path, paired.Fit) == []
    rows = [paired.Fit(20, "weak", "equal", "equal", "adam", seed, 3, 0.25, 70) for seed in (1, 2)]
    for row in rows:
        _colide.append_row(path, row)
    assert _colide.read_rows(path, paired.Fit) == rows
    assert path.read_text().startswith("d,weights,noise,method,solver,seed,shd,cpu,n_iter\n")
    with pytest.raises(ValueError, match="expected the columns"):
        _colide.read_rows(path, quality.Fit)


def test_work_ends_with_the_time():
    assert list(_colide.until(None, range(3))) == [0, 1, 2]
    assert list(_colide.until(-1.0, range(3))) == []


def test_quiet_keeps_everything_from_the_terminal(capsys, recwarn):
    with _colide.quiet():
        sys.stdout.write("progress")
        sys.stderr.write("progress")
        np.float64(1) / np.float64(0)
    assert capsys.readouterr() == ("", "")
    assert not recwarn.list


class TestPeers:
    def test_marks_of_causal_learn(self):
        endpoints = np.zeros((4, 4), dtype=int)
        endpoints[0, 1], endpoints[1, 0] = -1, 1  # 0 -> 1
        endpoints[1, 2] = endpoints[2, 1] = -1  # 1 - 2
        endpoints[2, 3] = endpoints[3, 2] = 1  # a conflict
        found = np.argwhere(_colide_peers.pattern_of(endpoints)).tolist()
        assert found == [[0, 1], [1, 2], [2, 1], [2, 3], [3, 2]]

    def test_sort_and_regress_needs_the_scale(self):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(500, 3))
        X[:, 0] += 2 * X[:, 2]
        X[:, 1] += 2 * X[:, 0]
        found = _colide_peers.sort_and_regress(X).toarray()
        assert np.argwhere(found).tolist() == [[0, 1], [2, 0]]
        assert found[2, 0] == pytest.approx(2, abs=0.1)
        X[:, 2] *= 100
        assert _colide_peers.sort_and_regress(X)[[2], [0]] == 0

    @pytest.mark.parametrize("name", [*PEERS, "CoLiDE EV", "CoLiDE NV, bic", "CoLiDE EV, adam"])
    def test_learners_find_a_collider(self, name):
        """Its directions can be told by all: a transposed result would have distance two."""
        X = np.random.default_rng(0).normal(size=(1000, 3))
        X[:, 2] += X[:, 0] + X[:, 1]
        X.flags.writeable = False
        (learner,) = _colide_peers.available([name]).values()
        with _colide.quiet():
            found = learner.learn(X)
        true = np.array([[0, 0, 1], [0, 0, 1], [0, 0, 0]])
        assert _colide.scores_of(true, found, equivalent=learner.equivalent) == (0, 1.0, 0.0)

    @pytest.mark.parametrize("name", [name for name in PEERS if name in ("GES", "PC")])
    def test_a_chain_stays_undirected(self, name):
        X = np.random.default_rng(0).normal(size=(1000, 3))
        X[:, 1] += X[:, 0]
        X[:, 2] += X[:, 1]
        with _colide.quiet():
            found = _colide_peers.available([name])[name].learn(X)
        np.testing.assert_array_equal(found, [[0, 1, 0], [1, 0, 1], [0, 1, 0]])

    def test_peers_that_are_missing_are_left_out(self, monkeypatch):
        monkeypatch.setattr(_colide_peers, "find_spec", lambda module: None)
        assert list(_colide_peers.available(["DAGMA", "CoLiDE EV"])) == ["CoLiDE EV"]
        assert "dagma (not installed)" in _colide_peers.peer_note()


class TestCost:
    def test_stored_cases(self):
        (case, *others) = cost.cases(20, "ev")
        assert len(others) == 4
        assert case.covariance.shape == case.true.shape == (20, 20)
        assert case.n_iter > 10_000
        # What the published code found is acyclic already, and near the truth.
        assert to_dag(case.found, 0.0).nnz == np.count_nonzero(case.found)
        assert _colide.scores_of(case.true, case.found).shd < 20

    def test_loops_agree(self, monkeypatch):
        monkeypatch.setattr(cost, "N_ITER", 40)
        calls = cost.loops(5)
        np.testing.assert_allclose(calls["literal"](), calls["ours"]().weights, atol=1e-12)

    def test_runs_from_start_to_end(self, monkeypatch):
        monkeypatch.setattr(cost, "cases", lambda *given: [self.tiny_case()])
        monkeypatch.setattr(cost, "QUICK_LOOP_SIZES", (5,))
        monkeypatch.setattr(cost, "N_ITER", 20)
        monkeypatch.setattr(cost, "QUICK_PEERS", {5: ("CoLiDE EV", "sort and regress")})
        blocks = list(cost.run(QUICK))
        assert [row[1] for row in blocks[0].rows] == ["0", "3"] * 2
        assert [caption[:12] for caption in captions(blocks)] == [
            "Newton again",
            "An iteration",
            "One graph, s",
            "Targets",
        ]
        assert [row[0] for row in blocks[-1].rows][1] == "distance, d = 50, EV"

    @staticmethod
    def tiny_case():
        X, true = _colide.data(TINY, 1000)
        return cost.Case(np.cov(X.T, bias=True), 1000, true.toarray(), true.toarray(), 1000)


class TestPaired:
    def test_recorded_once(self, tmp_path, monkeypatch, capsys):
        path = tmp_path / "fits.csv"
        given = ["--nodes", "3", "--seeds", "7", "8", "--results", str(path)]
        monkeypatch.setattr(sys, "argv", ["x", *given, "--solvers", "newton"])
        paired.main()
        fits = _colide.read_rows(path, paired.Fit)
        kinds = [(one.weights, one.noise, one.method) for one in fits]
        assert kinds == [(w, noise, noise) for w in _colide.WEIGHTS for noise in _colide.NOISES]
        assert {one[4:6] for one in fits} == {("newton", 7)}
        paired.main()
        assert _colide.read_rows(path, paired.Fit) == fits
        assert len(capsys.readouterr().out.splitlines()) == len(fits)

    def test_pairs(self, monkeypatch):
        fit = paired.Fit(20, "weak", "equal", "equal", "adam", 1000, 10, 4.0, 1_000)
        fits = [fit, fit._replace(solver="newton", shd=8, cpu=1.0, n_iter=100)]
        fits += [one._replace(seed=1001, shd=one.shd + (one.solver == "newton")) for one in fits]
        fits.append(fit._replace(d=500, solver="newton"))
        fits.append(fits[0]._replace(n_iter=1_500))  # measured again: the later one counts
        ((group, pairs),) = paired.by_group(fits).items()
        assert group == (Setting(20, "weak", "equal"), "equal")
        np.testing.assert_array_equal(sorted(paired.differences(pairs)), [-2, -1])
        monkeypatch.setattr(paired, "cost_of_loops", lambda n_nodes: (4e-3, 6e-3))
        assert paired.speed(pairs) == (5.0, 7.5)
        row = paired._row(group, pairs)
        assert row[:6] == ("20, weak, EV", "2", "10.0", "8.5", "-1.50 ± 0.50", "2/0/0")
        assert paired._cell(pairs, 2) == "-1.5 ± 0.5, 1.00 s"
        assert paired._cell(pairs, 3) == "-1.5 ± 0.5, 1.00 s (2)"

    def test_starts_are_for_unequal_noise(self):
        work = list(paired.tasks([20], range(1), ["newton", "newton, start zero"]))
        assert len(work) == 6
        assert {noise for _, noise, solver, _ in work if "start" in solver} == {"unequal"}

    def test_published_loop_with_zero_diagonal(self):
        X, true = _colide.data(TINY, 1000)
        found, n_iter = paired.learn(X, "equal", paired.ZERO_DIAGONAL)
        assert _colide.scores_of(true, found).shd == 0
        assert n_iter % 1000 == 0

    def test_runs_from_start_to_end(self, tmp_path, monkeypatch):
        monkeypatch.setattr(paired, "FILE", tmp_path / "fits.csv")
        monkeypatch.setattr(cost, "N_ITER", 20)
        assert "Nothing is recorded" in next(paired.run(QUICK))
        for solver in ("adam", "newton", "newton, no restarts"):
            _colide.append_row(paired.FILE, paired.fit(TINY, "equal", solver, 1000))
        first, table, variants, targets = paired.run(QUICK)
        assert "1 of the default solver were repeated now: 1 have the same" in first
        assert len(table.rows) == 1
        assert [cell != "" for cell in variants.rows[0]] == [True, True, True, False, False, False]
        assert len(targets.rows) == 2


class TestLarge:
    def test_recorded_once(self, tmp_path, monkeypatch):
        monkeypatch.setattr(large, "FILE", tmp_path / "fits.csv")
        assert "Nothing is recorded" in next(large.run(QUICK))
        given = ["--nodes", "5", "--threads", "1", "--results", str(large.FILE)]
        monkeypatch.setattr(sys, "argv", ["x", *given])
        large.main()
        large.main()
        (table,) = large.run(QUICK)
        assert [row[:3] for row in table.rows] == [
            ("5, strong, EV", "0", "1"),
            ("5, weak, EV", "0", "1"),
        ]
        assert table.rows[0][-2:] == ("0", "1.00 / 0.00")

    def test_memory_that_can_not_be_measured(self, monkeypatch):
        monkeypatch.setattr(large, "memory_can_be_measured", lambda: False)
        found = large.fit(TINY, 0, 1, 1000)
        assert np.isnan(found.peak)
        assert found.n_iter > 0


class TestQuality:
    def test_tasks_are_within_reach(self):
        work = list(quality.tasks([20, 100], range(1), ["CoLiDE EV", "GES"], ["raw"]))
        assert [name for setting, _, name, _ in work if setting.n_nodes == 100] == ["CoLiDE EV"] * 4
        assert len(work) == 12

    def test_means(self):
        fit = quality.Fit(20, "weak", "equal", "raw", "CoLiDE EV", 1000, 10, 0.9, 0.1, 2.0)
        fits = [fit, fit._replace(seed=1001, shd=12, tpr=0.7), fit._replace(contender="PC")]
        (ours, peer) = quality.table_of(fits, "Caption").rows
        assert ours == ["CoLiDE EV", "11.0 ± 1.0", "0.80 / 0.10", "2.00 s"]
        assert peer == ["PC", "10.0 (1)", "0.90 / 0.10", "2.00 s"]

    def test_share_after_refinement(self):
        fit = quality.Fit(20, "strong", "unequal", "raw", "CoLiDE NV, adam", 0, 10, 0.9, 0.1, 2.0)
        others = [fit._replace(contender="CoLiDE EV, adam"), fit._replace(weights="weak")]
        assert list(quality._refinement([fit, *others])) == []
        refined = fit._replace(contender="CoLiDE NV, bic", shd=4)
        (((target),),) = quality._refinement([fit, *others, refined])
        assert (target.measured, target.verdict) == (0.4, "met")

    def test_runs_from_start_to_end(self, tmp_path, monkeypatch):
        monkeypatch.setattr(quality, "FILE", tmp_path / "fits.csv")
        ours = ["CoLiDE EV", "CoLiDE NV"]
        monkeypatch.setattr(
            quality, "sachs_learners", lambda options: _colide_peers.available(ours)
        )
        monkeypatch.setattr(quality, "WEIGHTS", {"strong": (0.5, 2.0)})
        given = ["--nodes", "3", "--seeds", "7", "8", "--contenders", *ours]
        monkeypatch.setattr(sys, "argv", ["x", *given, "--results", str(quality.FILE)])
        quality.main()
        blocks = list(quality.run(QUICK))
        assert "4 of the default solver were repeated now: 4 have the same" in blocks[0]
        assert len(captions(blocks)) == 4
        assert captions(blocks)[-2:] == [
            "Sachs' protein data: structural Hamming distance",
            "Targets",
        ]
        # The file was found: without it there would be no tables by setting.
        assert captions(blocks)[0].endswith("strong weights, equal noise, raw data")

    def test_learners_for_the_protein_data(self):
        names = list(quality.sachs_learners(QUICK))
        assert {"CoLiDE NV, penalty by EBIC", "CoLiDE NV, start zero"} <= set(names)
        assert not {"DAGMA", "GOLEM"} & set(names)
        X = np.random.default_rng(0).normal(size=(500, 2))
        X[:, 1] += X[:, 0]
        with _colide.quiet():
            assert np.argwhere(quality.by_ebic(X, "equal").toarray()).tolist() == [[0, 1]]


class TestResources:
    def test_growth(self, monkeypatch):
        monkeypatch.setattr(resources, "QUICK_SIZES", (3, 5))
        (table,) = resources._growth(QUICK)
        assert [row[0] for row in table.rows] == ["3, EV", "5, EV", "3, NV", "5, NV"]
        assert all(int(row[2]) > int(row[6]) > 0 for row in table.rows)

    def test_threads_and_memory(self, monkeypatch):
        monkeypatch.setattr(resources, "QUICK_THREAD_SIZES", (5,))
        monkeypatch.setattr(resources, "QUICK_MEMORY_CASES", ((5, 200_000, 1),))
        (threads,) = resources._threads(QUICK)
        assert threads.rows[0][-1] == "yes"
        for block in resources._memory(QUICK):
            if isinstance(block, Table):  # else: this system does not tell
                assert 0 < float(block.rows[0][-1]) < 8


def test_suites_run(monkeypatch):
    monkeypatch.setattr(asv_colide, "problem", lambda n, noise: np.eye(3) + 0.5)
    fits = asv_colide.FitSuite()
    fits.setup(20, "equal")
    fits.time_fit(20, "equal")
    assert fits.track_n_iter(20, "equal") > 0
    for what in asv_colide.SolverSuite.params:
        suite = asv_colide.SolverSuite()
        suite.setup(what)
        suite.time_fit(what)
        assert suite.model.covariance_.shape == (3, 3)
