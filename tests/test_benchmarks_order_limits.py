"""The data and tables of the benchmark of where order search loses; nothing here is timed."""

import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
if not (ROOT / "benchmarks").is_dir():
    pytest.skip("the benchmarks are not part of this installation", allow_module_level=True)
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from benchmarks import _limits  # noqa: E402
from benchmarks import compare_order_limits as limits  # noqa: E402
from benchmarks._colide import read_rows  # noqa: E402
from benchmarks._limits import CASES, RECIPES, Case, Recipe  # noqa: E402
from benchmarks._report import Options, Table  # noqa: E402

TINY = Case("tiny", "data", 5, 2000)


def tiny_data(monkeypatch, seed=0, **recipe):
    monkeypatch.setitem(RECIPES, TINY[:2], Recipe(degree=1, **recipe))
    _limits.data.cache_clear()
    return _limits.data(TINY, seed)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}-{case.n_samples}")
def test_all_kinds_of_data_are_finite(case):
    X, true = _limits.data(case._replace(n_samples=50), 0)
    assert X.shape == (50, case.n_nodes)
    assert np.isfinite(X).all()
    assert not X.flags.writeable
    assert true.nnz > 0


def test_linear_data_follow_their_graph(monkeypatch):
    X, true = tiny_data(monkeypatch, equal=True)
    noise = X - X @ true
    np.testing.assert_allclose(np.cov(noise.T, bias=True), np.eye(5), atol=0.1)


def test_hidden_variables_join_the_noise_of_their_children(monkeypatch):
    X, true = tiny_data(monkeypatch, equal=True, n_hidden=1)
    correlation = np.corrcoef((X - X @ true).T)
    assert np.sum(np.abs(np.tril(correlation, k=-1)) > 0.15) == 3


@pytest.mark.parametrize("link", list(_limits.LINKS))
def test_links_act_on_standardised_parents(monkeypatch, link):
    X, true = tiny_data(monkeypatch, link=link)
    again, _ = tiny_data(monkeypatch, link=link)
    np.testing.assert_array_equal(X, again)
    t = np.linspace(-2, 2, 7)[:, None] + np.arange(2)
    found = _limits.LINKS[link](t)
    assert found.shape == t.shape
    assert not np.allclose(found, t)
    assert true.nnz > 0


def test_reversed_graphs(monkeypatch):
    _, true = tiny_data(monkeypatch, graph="sf")
    _, turned = tiny_data(monkeypatch, graph="sf", reverse=True)
    np.testing.assert_array_equal(turned.toarray(), true.T.toarray())


def test_normal_scores_undo_distortions(monkeypatch):
    X, _ = tiny_data(monkeypatch)
    distorted, _ = tiny_data(monkeypatch, distorted=True)
    scores = _limits.normal_scores(distorted)
    np.testing.assert_allclose(scores, _limits.normal_scores(X))
    assert not np.allclose(np.corrcoef(X.T), np.corrcoef(distorted.T), atol=0.01)
    np.testing.assert_allclose(np.corrcoef(X.T), np.corrcoef(scores.T), atol=0.05)


def test_learners_fit_the_noise():
    unequal, equal = Case("tails", "Laplace"), Case("equal noise", "1 edge a node")
    assert "CoLiDE NV, order" in limits.learners_for(unequal)
    assert {"CoLiDE EV", "BOSS, equal noise"} <= set(limits.learners_for(equal))
    assert "PC" not in limits.learners_for(Case("dense", "8 edges a node"))
    work = list(limits.tasks(CASES, range(1)))
    assert {name for _, name, _ in work} <= set(limits.LEARNERS)


def test_runs_from_start_to_end(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "FILE", tmp_path / "fits.csv")
    monkeypatch.setattr(limits, "CASES", [TINY])
    monkeypatch.setattr(limits, "learners_for", lambda case: ["BOSS", "sort and regress"])
    tiny_data(monkeypatch)
    assert "Nothing is recorded" in next(limits.run(Options(quick=True)))
    given = ["x", "--nodes", "5", "--seeds", "7", "9", "--results", str(limits.FILE)]
    monkeypatch.setattr(sys, "argv", [*given, "--groups", "tiny"])
    limits.main()
    limits.main()
    fits = read_rows(limits.FILE, limits.Fit)
    assert [(one.contender, one.seed) for one in fits] == [
        (name, seed) for seed in (7, 8) for name in ("BOSS", "sort and regress")
    ]
    blocks = list(limits.run(Options(quick=True)))
    assert "2 were repeated now: 2 are the same" in blocks[2]
    tables = [block for block in blocks if isinstance(block, Table)]
    assert [table.caption for table in tables] == [
        "Distance of CPDAGs",
        "Distance of DAGs",
        "F1 of skeletons",
    ]
    assert tables[0].rows[0][0] == "tiny: data, 5 x 2000"
    assert [cell != "" for cell in tables[0].rows[0][2:]] == [
        column in ("BOSS", "sorted") for column in limits._COLUMNS
    ]
