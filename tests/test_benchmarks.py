"""The building blocks of the benchmarks on tiny inputs; nothing here is timed."""

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

from benchmarks import compare, compare_core, compare_embedding  # noqa: E402
from benchmarks import compare_embedding_quality as quality  # noqa: E402
from benchmarks._measure import alternate, conditions, cpu_seconds, in_fresh_process  # noqa: E402
from benchmarks._report import Table, Target, count, seconds, target_table, times  # noqa: E402
from benchmarks.compare_embedding import Case  # noqa: E402
from sparsekit.core.csr import multiply, pack  # noqa: E402

TINY = Case(n_nodes=60, mean_degree=6.0, n_components=8)


@pytest.mark.parametrize("setting", sorted(compare_embedding.SETTINGS))
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-9), (np.float32, 2e-5)])
def test_fastrp_equals_the_scipy_version(setting, dtype, tolerance):
    case = TINY._replace(setting=setting)
    assert compare_embedding.disagreement(case, dtype) <= tolerance


def test_scipy_version_in_single_precision_equals_itself_in_double():
    adjacency = compare_embedding.graph_of(TINY)
    matrix = compare_embedding.recovered_random_matrix(8, adjacency, seed=0)
    single, double = (
        compare_embedding.scipy_fastrp(
            adjacency, **TINY.parameters, dtype=dtype, random_matrix=matrix
        )
        for dtype in (np.float32, np.float64)
    )
    assert (single.dtype, double.dtype) == (np.float32, np.float64)
    np.testing.assert_allclose(single, double, atol=2e-5 * np.abs(double).max())


def test_scipy_version_draws_a_third_of_the_entries():
    # One hop over self-loops alone shows the random matrix, rows normalised.
    loops = sp.csr_array(sp.eye_array(200, dtype=np.float32))
    found = compare_embedding.scipy_fastrp(loops, n_components=64, hop_weights=(1.0,), beta=0.0)
    assert abs(np.mean(found != 0) - 1 / 3) < 0.03
    assert abs(np.mean(found > 0) - 1 / 6) < 0.03


@pytest.mark.parametrize(
    "name", [compare_embedding.OURS, compare_embedding.PEER, compare_embedding.PEER_64]
)
def test_contenders_run(name):
    found = compare_embedding.contenders(TINY, [name])[name]()
    assert getattr(found, "embedding_", found).shape == (60, 8)


def test_scikit_network_runs_where_it_is_installed():
    pytest.importorskip("sknetwork")
    adjacency = compare_embedding.graph_of(TINY)
    assert compare_embedding.scikit_network_projection(adjacency, TINY).shape == (60, 8)


def test_product_and_triangles_equal_those_of_the_peers():
    nx = pytest.importorskip("networkx")
    adjacency = compare_core.adjacency_of(80, 10.0)
    block = np.arange(80 * 3, dtype=np.float32).reshape(80, 3)
    np.testing.assert_allclose(multiply(pack(adjacency), block), adjacency @ block)
    ours, nodes = compare_core.triangles(adjacency)
    ordered = adjacency[nodes][:, nodes]
    np.testing.assert_array_equal(ours, compare_core.scipy_triangles(ordered))
    per_node = compare_core.networkx_triangles(nx.from_scipy_sparse_array(ordered))
    assert 0 < ours.sum() == 2 * per_node.sum()
    assert compare_core.traffic(10, 100, 4) == 100 * 20 + 160


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_peak_memory_covers_what_was_allocated():
    code = """
import json
import numpy as np
from benchmarks._measure import memory_can_be_measured, peak_extra_bytes
possible = memory_can_be_measured()
found = peak_extra_bytes(lambda: np.ones(4_000_000)) if possible else None
print(json.dumps({"bytes": found}))
"""
    found = in_fresh_process(["-c", code])["bytes"]
    if found is None:
        pytest.skip("this system does not reset its memory statistics")
    assert 31e6 < found < 40e6


def test_failures_of_processes_are_reported():
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        in_fresh_process(["-c", "1 / 0"])


@pytest.fixture
def labelled_file(tmp_path):
    """File in the format of the benchmark data: three communities, some nodes without a label."""
    rng = np.random.default_rng(0)
    groups = np.repeat([0, 1, 2], 20)
    likely = np.where(groups[:, None] == groups, 0.4, 0.02)
    upper = np.triu(rng.random((60, 60)) < likely, k=1)
    adjacency = sp.csr_array((upper | upper.T).astype(float))
    labels = sp.lil_array((60, 3), dtype=np.int8)
    labels[np.arange(55), groups[:55]] = 1
    labels[0, 1] = 1
    labels = sp.csr_array(labels)
    arrays = {"indptr": adjacency.indptr, "indices": adjacency.indices, "n": 60}
    arrays |= {"y_indptr": labels.indptr, "y_indices": labels.indices, "n_labels": 3}
    np.savez(tmp_path / "cora.npz", **arrays)
    return tmp_path / "cora.npz"


def test_protocol_of_node_classification(labelled_file):
    graph = quality.load(labelled_file)
    assert graph.adjacency.shape == (60, 60)
    assert graph.labels.sum() == 56
    perfect = graph.labels + 0.01 * np.random.default_rng(1).normal(size=(60, 3))
    micro, macro = quality.f1_scores(graph, perfect, 0.5, C=10.0)
    assert min(micro, macro) > 0.95
    noise = np.random.default_rng(1).normal(size=(60, 3))
    assert quality.f1_scores(graph, noise, 0.5, C=1.0)[0] < 0.7


def test_best_labels_are_as_many_as_the_node_has():
    scores = np.array([[0.1, 0.9, 0.5], [3.0, 2.0, 1.0]])
    np.testing.assert_array_equal(
        quality.best_labels(scores, np.array([2, 1])), [[0, 1, 1], [1, 0, 0]]
    )


def test_labels_that_no_training_node_has_are_never_predicted():
    given = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 1, 0]])
    scores = quality.label_scores(np.eye(4), given, np.eye(4), C=1.0)
    assert np.all(np.isneginf(scores[:, 2]))


def test_inductive_and_transductive_accuracy(labelled_file):
    graph = quality.load(labelled_file)
    found = quality.two_ways(graph.adjacency, np.repeat([0, 1, 2], 20), {"hop_weights": 2})
    assert all(0.5 < accuracy <= 1 for accuracy in found)


def test_reference_allows_for_the_spread_over_seeds():
    assert quality.Reference(0.5, 0.4, 0.01, 0.001).least == pytest.approx((0.475, 0.394))


def test_families_are_found_by_their_names():
    known = compare.families()
    assert {"core", "embedding", "embedding_quality", "latency"} <= set(known)
    assert set(compare.chosen(["embedding"])) == {"embedding", "embedding_quality"}
    assert compare.chosen([]) == known
    with pytest.raises(SystemExit, match="no such family"):
        compare.chosen(["nonsense"])


def test_page_keeps_the_sections_that_were_not_run(tmp_path):
    path = tmp_path / "docs" / "page.md"
    compare.write_page(path, {"## One": "## One\n\nold", "## Two": "## Two\n\nkept"})
    compare.write_page(path, {"## One": "## One\n\nnew"})
    page = path.read_text()
    assert page.startswith("# Benchmarks\n")
    assert compare.sections_of(page) == {"## One": "## One\n\nnew", "## Two": "## Two\n\nkept"}


def test_contenders_take_turns():
    order = []
    found = alternate({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 3)
    assert order == ["a", "b"] * 3
    assert found["a"].repeats == 3
    assert 0 <= found["a"].cpu <= found["a"].median_cpu
    assert cpu_seconds() > 0


def test_conditions_name_versions_but_no_folder():
    text = conditions()
    assert "numba" in text
    assert str(ROOT) not in text


def test_tables():
    table = Table("Caption", ("a", "b"), [("x", "1"), ("long", "22")], ["A note."])
    assert table.to_text() == "Caption\na      b\n----  --\nx      1\nlong  22\nA note."
    assert table.to_markdown().splitlines()[2:6] == [
        "| a | b |",
        "| --- | ---: |",
        "| x | 1 |",
        "| long | 22 |",
    ]


def test_targets_say_what_was_missed_and_why():
    met = Target("a", 4.0, must=3.0, aim=3.9)
    nearly = Target("b", 3.5, must=3.0, aim=3.9, reason="Because.")
    missed = Target("c", 3.5, must=3.0, unit=" s", upper=True)
    assert [target.verdict for target in (met, nearly, missed)] == [
        "met",
        "met, aim missed",
        "missed",
    ]
    # No rounding in one's own favour.
    assert Target("d", 1.996, must=2.0).verdict == "missed"
    table = target_table([met, nearly, missed])
    assert table.rows[2] == ("c", "", "<= 3 s", "3.500 s", "missed")
    assert table.notes == ["b: 3.500. Because."]


def test_numbers_are_printed_with_three_digits():
    assert [seconds(x) for x in (0.0123, 0.99, 1.5, 123.4)] == [
        "12.3 ms",
        "990 ms",
        "1.50 s",
        "123 s",
    ]
    assert [times(x) for x in (3.456, 34.56)] == ["3.46 x", "34.6 x"]
    assert [count(x) for x in (50, 947_338, 9_480_000)] == ["50", "947 k", "9.48 M"]
