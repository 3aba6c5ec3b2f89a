"""Best order score search under callbacks: progress and early stops, pass by pass."""

import warnings

import networkx as nx
import numpy as np
import pytest
from sklearn.callback import ProgressBar
from test_boss import boss
from test_colide import DATA, Recorder, assert_same

from sparsekit.causal import BOSS


def test_every_pass_is_seen():
    recorder = Recorder()
    model = BOSS(start=range(6)).set_callbacks(recorder).fit(DATA)
    passes = [("pass", number) for number in range(model.n_passes_)]
    assert len(passes) > 1
    assert recorder.begun == [("fit", 0), *passes]
    assert recorder.ended == [*passes, ("fit", 0)]
    assert_same(model.set_callbacks(), BOSS(start=range(6)).fit(DATA))


@pytest.mark.parametrize("method", ["fit", "partial_fit", "fit_covariance"])
def test_a_callback_stops_the_fit(method):
    model = BOSS(start=range(6)).set_callbacks(Recorder(stop_after=1))
    arguments = [np.cov(DATA.T), 500] if method == "fit_covariance" else [DATA]
    with warnings.catch_warnings(action="error"):
        getattr(model, method)(*arguments)
    assert (model.converged_, model.n_passes_) == (False, 1)
    assert nx.is_directed_acyclic_graph(model.to_networkx())


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_starts_that_were_not_begun(n_jobs):
    """Starts run `n_jobs` at a time."""
    expected = boss(n_starts=3).fit(DATA)
    recorder = Recorder()
    boss(n_starts=3, n_jobs=n_jobs).set_callbacks(recorder).fit(DATA)
    assert len(recorder.ended) - 1 > expected.n_passes_
    stop = Recorder(stop_after=1)
    model = boss(n_starts=3, n_jobs=n_jobs).set_callbacks(stop).fit(DATA)
    assert np.isfinite(model.start_scores_).tolist() == [True, n_jobs == 2, False]
    assert model.score_ == pytest.approx(model.start_scores_.min())


def test_a_stop_at_a_local_optimum():
    plain = BOSS(start=range(6), n_perturbations=0).fit(DATA)
    stop = Recorder(stop_after=plain.n_passes_)
    assert_same(BOSS(start=range(6)).set_callbacks(stop).fit(DATA).set_callbacks(), plain)


def test_a_stop_after_the_last_pass_is_none():
    expected = BOSS(start=range(6)).fit(DATA)
    stop = Recorder(stop_after=expected.n_passes_)
    assert BOSS(start=range(6)).set_callbacks(stop).fit(DATA).converged_ is True


def test_progress_bar(capsys):
    boss().set_callbacks(ProgressBar()).fit(DATA)
    assert "BOSS" in capsys.readouterr().out
