"""The building blocks of the benchmarks of graphlets on tiny inputs; nothing here is timed."""

import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
if not (ROOT / "benchmarks").is_dir():
    pytest.skip("the benchmarks are not part of this installation", allow_module_level=True)
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.metrics import f1_score  # noqa: E402

from benchmarks import _graphlets, asv_graphlets, compare  # noqa: E402
from benchmarks import compare_graphlets as counts  # noqa: E402
from benchmarks import compare_graphlets_adjacency as adjacency  # noqa: E402
from benchmarks import compare_graphlets_quality as quality  # noqa: E402
from benchmarks import compare_graphlets_resources as resources  # noqa: E402
from benchmarks._measure import Timing  # noqa: E402
from benchmarks._report import Options, Table, Target  # noqa: E402
from benchmarks.compare_embedding_quality import LabelledGraph  # noqa: E402
from sparsekit.graphlets import count_orbits, orbit_adjacencies  # noqa: E402

TINY = "plc_60_3"


def test_families_are_found_by_their_names():
    names = {"graphlets", "graphlets_adjacency", "graphlets_quality", "graphlets_resources"}
    assert set(compare.chosen(["graphlets"])) == names
    assert compare.needs_data("compare_graphlets_quality")


@pytest.mark.parametrize(
    ("name", "n_edges"),
    [("er_50_6", 150), ("ba_50_3", 141), ("plc_50_3", None), ("geo_90_8", None)],
)
def test_graphs_are_made_by_their_names(name, n_edges):
    graph = _graphlets.graph(name)
    assert graph.n_nodes == int(name.split("_")[1])
    assert not graph.is_directed
    assert not graph.is_weighted
    assert graph.n_edges == (n_edges or graph.n_edges)


def test_average_degree_of_geometric_graphs():
    # Nodes near the border have fewer neighbours.
    assert 7 < 2 * _graphlets.graph("geo_2000_10").n_edges / 2000 < 10.5


def test_shipped_graphs_are_taken_where_there_are_any_and_their_answers_compared(monkeypatch):
    name = "er_200_20"
    if not (ROOT / "tests" / "cases" / "graphlets" / f"big_{name}.npz").exists():
        pytest.skip("the cases are not part of this installation")
    assert _graphlets.graph(name).n_nodes == 200
    assert _graphlets.check_answers(name)
    assert not _graphlets.check_answers("ba_50_3")
    wrong = lambda *given, **options: count_orbits(*given, **options) + 1  # noqa: E731
    monkeypatch.setattr(_graphlets, "count_orbits", wrong)
    with pytest.raises(RuntimeError, match="differ from the known ones"):
        _graphlets.check_answers(name)


@pytest.mark.parametrize("max_nodes", [4, 5])
def test_totals_by_nodes_and_by_edges_agree(max_nodes):
    found = [
        count_orbits(_graphlets.graph(TINY), max_nodes, kind=kind) for kind in ("node", "edge")
    ]
    _graphlets.check_totals(*found)
    found[1][0, 5] += 1
    with pytest.raises(RuntimeError, match="graphlet 5 is counted in two ways"):
        _graphlets.check_totals(*found)


def test_contenders_run():
    calls = counts.contenders(_graphlets.graph(TINY))
    assert calls[counts.PRODUCT]().shape == (60, 60)
    n_edges = _graphlets.graph(TINY).n_edges
    shapes = {name: calls[name]().shape for name in counts.COUNTS}
    assert shapes == {
        "node 4": (60, 15),
        "edge 4": (n_edges, 12),
        "node 5": (60, 73),
        "edge 5": (n_edges, 68),
    }


def test_igraph_counts_the_same():
    pytest.importorskip("igraph")
    graph = _graphlets.graph(TINY)
    edges = np.argwhere(np.triu(graph.adjacency.toarray()))
    found = [value for value in counts.igraph_call(60, edges)() if not np.isnan(value)]
    assert found == counts.occurrences_of_four(count_orbits(graph))


def test_orca_graphlets_counts_the_same():
    pytest.importorskip("orca")
    graph = _graphlets.graph(TINY)
    calls = counts.orca_calls(np.argwhere(np.triu(graph.adjacency.toarray())))
    for name, parameters in counts.COUNTS.items():
        np.testing.assert_array_equal(calls[name](), count_orbits(graph, **parameters))


def test_peers_that_are_missing_are_left_out(monkeypatch):
    monkeypatch.setattr(counts, "find_spec", lambda module: None)
    edges = np.array([[0, 1], [1, 2]])
    assert counts.orca_calls(edges) == {}
    assert counts.igraph_call(3, edges) is None
    assert "orca-graphlets (not installed), igraph (not installed)" in counts._peer_note()


def _timing(seconds):
    return Timing(seconds, seconds, seconds, seconds, 1)


def test_tables_of_counts():
    timings = {counts.PRODUCT: _timing(1.0), "node 4": _timing(0.25), "edge 4": _timing(0.5)}
    timings |= {"node 5": _timing(4.0), "edge 5": _timing(12.0)}
    found = {"ba_1000_25": timings, "er_1000_50": timings}
    assert counts._node_table(found).rows[0][2:] == ["1.00 s", "250 ms", "4.000", "4.00 s", "0.250"]
    assert counts._edge_table(found).rows[0][1:] == ["500 ms", "2.00", "12.0 s", "3.00"]
    of_er, of_ba = counts._stored_table(found).rows
    assert of_er == ["er_1000_50", "2.4", "0.25", "9.60 x", "335", "4", "83.8 x"]
    assert of_ba == ["ba_1000_25", "", "0.25", "", "1500", "4", "375 x"]


def test_counts_run_from_start_to_end(monkeypatch):
    """All tables of the section, on graphs of sixty nodes."""
    monkeypatch.setattr(counts, "QUICK_GRAPHS", {TINY: 1})
    monkeypatch.setattr(counts, "QUICK_GROWTH", (TINY,))
    monkeypatch.setattr(counts, "QUICK_PEER_CASES", {TINY: ("node 4",)})
    monkeypatch.setattr(counts, "GOALS", (counts.Goal(TINY, 4, 0.0),))
    blocks = list(counts.run(Options(quick=True)))
    assert [block.caption[:9] for block in blocks if isinstance(block, Table)] == [
        "Node orbi",
        "Edge orbi",
        "Node orbi",
        "Against p",
        "Growth wi",
        "Targets",
    ]


def test_threads_run_from_start_to_end(monkeypatch):
    monkeypatch.setattr(resources, "COUNTS", {"node 4": {"kind": "node", "max_nodes": 4}})
    monkeypatch.setattr(resources, "QUICK_THREADS", {TINY: ("node 4",)})
    (table,) = resources._threads(Options(quick=True))
    assert table.rows[0][0] == f"{TINY}, node 4"
    assert table.rows[0][-1] == "yes"


def test_targets_of_first_calls(monkeypatch):
    cold = {"imports": 1.0, "node orbits, 4": 2.0, "node orbits, 5": 20.0}
    warm = {"imports": 1.0, "node orbits, 4": 0.2, "node orbits, 5": 0.1}
    found = iter([cold, warm])
    monkeypatch.setattr(resources, "first_calls", lambda environment: next(found))
    table, targets = resources._first_calls(Options(quick=True))
    assert table.rows[-1] == ("all but imports", "22.0 s", "")
    assert [target.measured for target in targets] == [22.0, 2.0, 0.2]
    assert all(isinstance(target, Target) for target in targets)


def test_sets_of_orbit_pairs():
    sizes = {what: len(pairs) for what, pairs in adjacency.PAIRS.items()}
    assert sizes == {"on edges": 19, "27": 27, "28": 28}
    assert adjacency.asked_of("er_1000_50") == ["on edges", "27", "28"]
    assert adjacency.asked_of("ba_10000_10") == ["on edges", "27"]


def test_orbit_adjacencies_are_checked_before_they_are_timed():
    found = orbit_adjacencies(_graphlets.graph(TINY))
    adjacency.check(TINY, found)
    found[3, 3, 1] = found[3, 3, 1].copy()
    found[3, 3, 1].data[0] += 1
    with pytest.raises(RuntimeError, match=r"orbit adjacency \(3, 3, 1\)"):
        adjacency.check(TINY, found)


def test_orbit_adjacencies_run_from_start_to_end(monkeypatch):
    monkeypatch.setattr(adjacency, "QUICK_GRAPHS", {TINY: 1})
    monkeypatch.setattr(adjacency, "WITH_LARGEST", (TINY,))
    monkeypatch.setattr(adjacency, "peak_bytes", lambda name, what: 2_000_000)
    captions = [
        block.caption for block in adjacency.run(Options(quick=True)) if isinstance(block, Table)
    ]
    assert len(captions) == 3


@pytest.fixture(scope="module")
def labelled():
    """Three communities; the last four nodes have no label, the first one has two."""
    rng = np.random.default_rng(0)
    groups = np.repeat([0, 1, 2], 20)
    likely = np.where(groups[:, None] == groups, 0.4, 0.02)
    upper = np.triu(rng.random((60, 60)) < likely, k=1)
    labels = np.eye(3, dtype=np.int8)[groups]
    labels[-4:] = 0
    labels[0, 1] = 1
    return LabelledGraph((upper | upper.T).astype(float), labels)


def test_scores_are_those_of_f1_score(labelled):
    rng = np.random.default_rng(1)
    truth = labelled.labels[:-4]
    scores = truth + rng.normal(size=truth.shape)
    micro, macro = quality.micro_and_macro(truth, scores)
    predicted = quality.best_labels(scores, truth.sum(axis=1))
    assert micro == pytest.approx(f1_score(truth, predicted, average="micro"))
    assert macro == pytest.approx(f1_score(truth, predicted, average="macro"))


def test_a_label_that_none_has_or_gets_scores_nothing():
    truth = np.array([[1, 0], [1, 0]], dtype=np.int8)
    assert quality.micro_and_macro(truth, truth.astype(float)) == (1.0, 0.5)


def test_classifiers_that_start_warm_find_the_same(labelled):
    features = np.random.default_rng(2).normal(size=(56, 5))
    labels = labelled.labels[:-4]
    scores = quality.label_scores(features, labels, features, (0.01, 1.0))
    for position, C in enumerate((0.01, 1.0)):
        for label in range(3):
            model = LogisticRegression(C=C).fit(features, labels[:, label])
            expected = model.decision_function(features)
            np.testing.assert_allclose(scores[position, :, label], expected, atol=5e-3)


def test_labels_that_no_training_node_has_are_never_predicted():
    given = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 1, 0]])
    scores = quality.label_scores(np.eye(4), given, np.eye(4), (1.0,))
    assert np.all(np.isneginf(scores[0, :, 2]))


def test_training_nodes_are_labelled_and_never_tested(labelled, monkeypatch):
    train, test = quality.split(labelled.labels, seed=3)
    assert (len(train), len(test)) == (28, 28)
    assert set(train) | set(test) == set(range(56))
    assert not np.array_equal(train, quality.split(labelled.labels, seed=4)[0])
    monkeypatch.setattr(quality, "MAX_TRAIN", 10)
    assert len(quality.split(labelled.labels, seed=3)[0]) == 10


def test_choice_of_penalty_sees_no_test_node(labelled, monkeypatch):
    """The same choice and vectors, but other labels of the test nodes: the inner score is equal."""
    vectors = np.random.default_rng(5).normal(size=(60, 4)) + labelled.labels @ np.eye(3, 4)
    _, test = quality.split(labelled.labels, seed=6)
    changed = labelled.labels.copy()
    changed[test] = changed[test][:, ::-1]
    before, after = (quality.evaluate(vectors, y, (6,)) for y in (labelled.labels, changed))
    assert before.inner == after.inner
    assert before.micro != after.micro


def test_vectors_that_show_the_labels_score_high(labelled):
    noise = np.random.default_rng(7).normal(size=(60, 3))
    good = quality.evaluate(labelled.labels + 0.05 * noise, labelled.labels, (1, 2))
    bad = quality.evaluate(noise, labelled.labels, (1, 2))
    assert good.micro.min() > 0.9 > 0.7 > bad.micro.max()
    assert quality.frequencies(labelled.labels, (1, 2)).micro.max() < 0.6


def test_the_best_is_chosen_by_the_inner_score_in_every_split():
    scores = quality.Scores
    found = {
        "pair a": scores(np.array([0.9, 0.1]), np.array([0.3, 0.4]), np.array([0.0, 0.0])),
        "pair b": scores(np.array([0.5, 0.5]), np.array([0.8, 0.6]), np.array([0.0, 0.0])),
        "walk": scores(np.array([1.0, 1.0]), np.array([1.0, 1.0]), np.array([1.0, 1.0])),
    }
    chosen, which = quality.best(found, "pair ")
    np.testing.assert_array_equal(chosen.micro, [0.3, 0.6])
    assert which == {"a": 1, "b": 1}


def test_methods_leave_out_what_is_too_large():
    small, large = quality.methods(100), quality.methods(20_000)
    assert len(quality.PAIRS) == 25
    assert len(small) == 2 * 26 + 4 + 3
    assert set(small) - set(large) == {
        *(f"walk, window {window}" for window in quality.WINDOWS),
        "pair (4, 4), ppmi",
        "pair (4, 4), normalized",
    }


def test_verdicts():
    assert quality._verdict(np.array([0.1, 0.11, 0.12])) == "better"
    assert quality._verdict(np.array([-0.1, -0.11, -0.12])) == "worse"
    assert quality._verdict(np.array([-0.1, 0.1, 0.02])) == "equal"


def test_quality_runs_from_start_to_end(labelled, monkeypatch):
    """All tables of the section, for a graph with walks and one that is too large for them."""
    for name, value in {"WEIGHTINGS": ("ppmi",), "WINDOWS": (1,), "PENALTIES": (0.1,)}.items():
        monkeypatch.setattr(quality, name, value)
    monkeypatch.setattr(quality, "PAIRS", ((0, 0), (4, 5)))
    monkeypatch.setattr(quality, "MAX_NODES", 50)
    monkeypatch.setattr(quality, "warm_up", lambda: None)
    part = LabelledGraph(labelled.adjacency[:50, :50], labelled.labels[:50])
    graphs = {"small": lambda: part, "large": lambda: labelled}
    monkeypatch.setattr(quality, "_graphs", lambda options: (graphs, ["cora"]))
    monkeypatch.setattr(quality, "SEEDS", (1, 2))
    blocks = list(quality.run(Options(quick=True)))
    assert "cora" in blocks[0]
    assert "Protocol: every method" in blocks[1]
    assert "of 1 graphs" in blocks[5]
    micro, _, differences, pairs, _, times = (block for block in blocks if isinstance(block, Table))
    rows = {row[0]: row[1:] for row in micro.rows}
    assert next(iter(rows)) == "best pair"
    assert rows["walk, window 1"][0] == rows["best walk"][0]
    assert rows["walk, window 1"][1] == ""
    assert [row[0] for row in differences.rows] == ["small", "large"]
    assert [row[0] for row in pairs.rows] == ["(0, 0)", "(4, 5)"]
    assert times.columns == ("method", "small", "large")


def test_shipped_graphs_have_a_label_a_node():
    for make in quality.shipped_graphs().values():
        graph = make()
        assert graph.labels.shape[0] == graph.adjacency.shape[0]
        assert np.all(graph.labels.sum(axis=1) == 1)


def test_asv_suites_run_on_tiny_graphs(monkeypatch):
    graph = _graphlets.graph(TINY)
    suite = asv_graphlets.CountSuite()
    suite.setup({TINY: graph}, TINY, "edge", 4)
    suite.time_count_orbits({TINY: graph}, TINY, "edge", 4)
    suite = asv_graphlets.EmbeddingSuite()
    suite.setup("one pair")
    suite.graph = graph
    suite.time_fit("one pair")
    assert len(asv_graphlets.STORED_PAIRS) == 27
