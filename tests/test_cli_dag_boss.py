"""``sparsekit dag --method boss``, through `main`."""

import csv
import json

import numpy as np
import pytest
from cli_dag_helpers import NAMES, close, expected_rows, run, write_csv

from sparsekit.causal import BOSS, BootstrapEdges
from sparsekit.cli._dag_methods import summary_of


@pytest.fixture(scope="module")
def collider():
    """Two causes of one effect, which leads to a fourth: no other graph is equivalent."""
    noise = np.random.default_rng(1).normal(size=(400, 4))
    noise[:, 2] += noise[:, 0] + noise[:, 1]
    noise[:, 3] += noise[:, 2]
    return noise.round(6)


@pytest.fixture
def path(tmp_path, collider):
    write_csv(tmp_path / "x.csv", [NAMES, *collider.tolist()])
    return tmp_path / "x.csv"


def rows_of(capsys, *argv):
    """Header and rows of the edges that order search finds."""
    header, *rows = csv.reader(run(capsys, *argv, "--method", "boss").out.splitlines())
    return header, rows


def test_edges_and_directions(capsys, path, collider):
    header, rows = rows_of(capsys, path)
    assert header == ["source", "target", "weight", "directed"]
    close([row[:3] for row in rows], expected_rows(BOSS(random_state=0).fit(collider)))
    ends = {(NAMES.index(row[0]), NAMES.index(row[1])): row[3] for row in rows}
    assert ends == {(0, 2): "1", (1, 2): "1", (2, 3): "1"}


def test_directions_that_are_left_open(capsys, tmp_path):
    chain = np.random.default_rng(0).normal(size=(300, 3)).cumsum(axis=1)
    np.save(tmp_path / "x.npy", chain)
    _, rows = rows_of(capsys, tmp_path / "x.npy")
    assert {frozenset(row[:2]) for row in rows} == {frozenset("01"), frozenset("12")}
    assert [row[3] for row in rows] == ["0", "0"]


def test_parameters(capsys, path, collider):
    argv = ["--gamma", 0, "--starts", 2, "--perturbations", 1, "--max-parents", 1]
    model = BOSS(0, n_starts=2, n_perturbations=1, max_parents=1, random_state=4).fit(collider)
    out = path.with_name("edges.json")
    run(capsys, path, out, "--method", "boss", *argv, "--seed", 4, "--n-jobs", 2)
    found = json.loads(out.read_text(encoding="utf-8"))
    close([[*edge.values()][:3] for edge in found["edges"]], expected_rows(model))
    assert found["start_scores"] == model.start_scores_.tolist()
    settings = ("method", "gamma", "noise", "n_starts", "n_perturbations", "max_parents")
    assert [found[name] for name in settings] == ["boss", 0, "unequal", 2, 1, 1]
    assert found["n_samples"] == 400
    assert not {"alpha", "threshold", "varsortability"} & set(found)


def test_equal_noise(capsys, path, collider):
    header, rows = rows_of(capsys, path, "--noise", "equal")
    assert header == ["source", "target", "weight"]
    close(rows, expected_rows(BOSS(noise="equal", random_state=0).fit(collider)))


def test_covariance(capsys, tmp_path, path, collider):
    np.save(tmp_path / "c.npy", np.cov(collider.T, bias=True))
    _, rows = rows_of(capsys, tmp_path / "c.npy", "--covariance", 400)
    model = BOSS(random_state=0).fit(collider)
    close([row[:3] for row in rows], expected_rows(model, "0123"))


def test_knowledge(capsys, path):
    _, rows = rows_of(capsys, path, "--tiers", f"{NAMES[0]};Ärger")
    assert ["Ärger", "rain"] not in [row[:2] for row in rows]
    _, rows = rows_of(capsys, path, "--require", "Ärger,rain")
    assert ["Ärger", "rain"] in [row[:2] for row in rows]


def test_bootstrap(capsys, path, collider):
    """The graph is that without resamples; these have random orders of their own."""
    header, rows = rows_of(capsys, path, "--bootstrap", 5, "--seed", 3)
    assert header == ["source", "target", "weight", "confidence", "directed"]
    close([row[:3] for row in rows], expected_rows(BOSS(random_state=3).fit(collider)))
    bootstrap = BootstrapEdges(BOSS(), 5, random_state=3).fit(collider)
    frequencies = bootstrap.edge_frequencies_.toarray()
    for source, target, _, confidence, _ in rows:
        assert float(confidence) == frequencies[NAMES.index(source), NAMES.index(target)]


def test_summary(capsys, path):
    lines = run(capsys, path, "--method", "boss").err.splitlines()
    assert lines[0].startswith("3 edges among 4 variables, from 400 samples")
    assert "gamma 1, noise scale 0." in lines[1]
    assert lines[1].endswith("of 3 starts")
    assert max(map(len, lines)) <= 80


def test_summary_counts_the_best_starts():
    fit = BOSS()
    fit.noise_scale_, fit.score_ = np.array([1.0, 2.0]), 5.0
    fit.start_scores_ = np.array([7.0, 5.0, 5.0 + 1e-12])
    words = "gamma 1, noise scale 1-2, score 5, from 2 of 3 starts"
    assert summary_of(fit, "boss") == words
