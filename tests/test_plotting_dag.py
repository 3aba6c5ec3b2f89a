"""Drawings of graphs: assertions on the artists."""

import sys
from collections import Counter
from types import SimpleNamespace

import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
from drawing_helpers import dags
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression

from sparsekit.causal import CoLiDE
from sparsekit.datasets import load_sachs, make_linear_sem
from sparsekit.graph import Graph
from sparsekit.metrics import structural_hamming_distance
from sparsekit.plotting import DAGDisplay, PathDisplay

matplotlib = pytest.importorskip("matplotlib")

CHAIN = np.array([[0, 2.0, 0], [0, 0, -1.0], [0, 0, 0]])


@pytest.fixture(autouse=True)
def _agg():
    import matplotlib.pyplot as plt

    plt.switch_backend("Agg")
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def sachs():
    return load_sachs()


def look(display, edge):
    arrow = display.edges_[edge]
    return matplotlib.colors.to_hex(arrow.get_edgecolor()), arrow.get_linewidth()


def legend_of(display):
    return [text.get_text() for text in display.legend_.get_texts()]


class TestDAGDisplay:
    def test_signs_and_sizes(self):
        display = DAGDisplay.from_adjacency(CHAIN, feature_names=["a", "b", "c"])
        positive, negative = look(display, (0, 1)), look(display, (1, 2))
        assert positive[0] != negative[0]
        assert positive[1] > negative[1]
        assert legend_of(display) == ["positive", "negative"]
        assert [text.get_text() for text in display.names_] == ["a", "b", "c"]

    def test_arrows_lead_from_box_to_box(self):
        display = DAGDisplay.from_adjacency(CHAIN)
        start = display.edges_[0, 1].get_path().vertices[0]
        np.testing.assert_allclose(start, display.positions_[0] - (0, 0.5), atol=1e-9)
        display.figure_.draw_without_rendering()
        arrow = display.edges_[0, 1].get_window_extent()
        upper, lower = (display.nodes_[node].get_window_extent() for node in (0, 1))
        assert arrow.y1 <= upper.y0 + 2
        assert -2 < arrow.y0 - lower.y1 < 8  # the outline of the head takes the rest

    def test_unweighted(self):
        display = DAGDisplay.from_adjacency(CHAIN != 0)
        assert look(display, (0, 1)) == look(display, (1, 2))
        assert display.legend_ is None

    def test_undirected_edges_have_no_head(self):
        cpdag = [[0, 1, 1], [1, 0, 0], [0, 0, 0]]
        display = DAGDisplay.from_adjacency(cpdag)
        assert set(display.edges_) == {(0, 1), (0, 2)}
        styles = {edge: type(arrow.get_arrowstyle()) for edge, arrow in display.edges_.items()}
        assert styles[0, 1] is matplotlib.patches.ArrowStyle.Curve
        assert styles[0, 2] is matplotlib.patches.ArrowStyle.CurveFilledB

    @settings(max_examples=20)
    @given(dags(8), st.integers(0, 2**32 - 1))
    def test_comparison_counts_the_hamming_distance(self, true, seed):
        generator = np.random.default_rng(seed)
        found = generator.random(true.shape) < 0.3
        np.fill_diagonal(found, False)
        display = DAGDisplay.from_adjacency(found, true=true)
        counts = {text.split()[0]: int(text.split("(")[1][:-1]) for text in legend_of(display)}
        assert set(counts) == {"correct", "reversed", "extra", "missing"}
        wrong = sum(counts.values()) - counts["correct"]
        assert wrong == structural_hamming_distance(true, found)
        joined = (true | true.T) | (found | found.T)
        assert len(display.edges_) == sum(counts.values()) == np.triu(joined).sum()
        matplotlib.pyplot.close("all")

    def test_kinds_look_different(self):
        true = np.zeros((5, 5))
        true[0, [1, 2, 3]] = 1
        found = np.zeros((5, 5))
        found[0, 1] = found[2, 0] = found[3, 4] = 1
        display = DAGDisplay.from_adjacency(found, true=true)
        edges = [(0, 1), (2, 0), (3, 4), (0, 3)]  # correct, reversed, extra, missing
        assert set(display.edges_) == set(edges)
        assert len({look(display, edge)[0] for edge in edges}) == 4
        assert len({str(display.edges_[edge].get_linestyle()) for edge in edges}) == 4

    def test_comparisons_share_their_places(self, sachs):
        names = sachs.feature_names
        first = DAGDisplay.from_adjacency(np.zeros((11, 11)), feature_names=names, true=sachs.graph)
        other = sachs.adjacency.toarray()
        other[0, 1], other[1, 0] = 0, 1
        second = DAGDisplay.from_adjacency(other, feature_names=names, true=sachs.graph)
        np.testing.assert_array_equal(first.positions_, second.positions_)
        assert legend_of(first)[-1] == "missing (17)"

    def test_true_graph_goes_by_name(self):
        true = Graph.from_edges([("b", "a"), ("b", "c")], directed=True)
        found = np.zeros((3, 3))
        found[0, 1] = found[0, 2] = 1
        display = DAGDisplay.from_adjacency(found, feature_names=["b", "c", "a"], true=true)
        assert legend_of(display)[0] == "correct (2)"

    def test_given_positions(self):
        display = DAGDisplay.from_adjacency(CHAIN)
        reverse = DAGDisplay.from_adjacency(CHAIN.T, positions=display.positions_)
        np.testing.assert_array_equal(reverse.positions_, display.positions_)
        start = reverse.edges_[1, 0].get_path().vertices[0]
        np.testing.assert_allclose(start, display.positions_[1] + (0, 0.5), atol=1e-9)  # up

    @pytest.mark.parametrize("step", [0.0, 0.3, 1.0, 1.4])
    def test_given_positions_of_boxes_that_overlap(self, step):
        positions = step * np.array([[0.1, 2], [0, 1], [0, 0]])
        display = DAGDisplay.from_adjacency(np.triu(np.ones((3, 3)), 1), positions=positions)
        for arrow in display.edges_.values():
            assert np.isfinite(arrow.get_path().vertices).all()

    def test_blank_names(self):
        display = DAGDisplay.from_adjacency(CHAIN, feature_names=["", " ", "a"])
        assert [text.get_text() for text in display.names_] == ["", " ", "a"]

    def test_confidence(self):
        confidence = np.array([[0, 1.0, 0], [0, 0, 0.25], [0, 0, 0]])
        plain = DAGDisplay.from_adjacency(CHAIN)
        display = DAGDisplay.from_adjacency(CHAIN, confidence=confidence)
        assert look(display, (0, 1)) == look(plain, (0, 1))
        sure = matplotlib.colors.to_rgb(look(plain, (1, 2))[0])
        unsure = matplotlib.colors.to_rgb(look(display, (1, 2))[0])
        assert sum(unsure) > sum(sure)  # paler on white
        numbers = {text.get_text() for text in display.ax_.texts} - {"0", "1", "2"}
        assert numbers == {"1.00", "0.25"}

    def test_confidence_of_undirected_edges(self):
        cpdag, confidence = np.array([[0, 1], [1, 0]]), np.array([[0, 0.2], [0.6, 0]])
        display = DAGDisplay.from_adjacency(cpdag, confidence=sp.coo_array(confidence))
        assert "0.60" in {text.get_text() for text in display.ax_.texts}

    def test_many_edges_carry_no_numbers(self):
        dag = np.triu(np.ones((13, 13)), k=1)
        display = DAGDisplay.from_adjacency(dag, confidence=dag)
        assert len(display.ax_.texts) == len(display.names_)

    def test_names_fit_into_their_boxes(self):
        names = ["a", "a name", "a very long name, longer than that", "in $ or $"]
        display = DAGDisplay.from_adjacency(np.diag(np.ones(3), k=1), feature_names=names)
        display.figure_.draw_without_rendering()
        for text, box in zip(display.names_, display.nodes_, strict=True):
            assert text.get_window_extent().width < box.get_window_extent().width
        assert display.names_[2].get_text() == "a very long nam…"
        assert display.names_[3].get_text().count("$") == 2

    @pytest.mark.parametrize(
        ("n_nodes", "degree", "has_names"), [(11, 1, True), (100, 1, True), (160, 3, False)]
    )
    def test_names_shrink_and_vanish(self, n_nodes, degree, has_names):
        _, dag = make_linear_sem(1, n_nodes, degree=degree, random_state=0)
        display = DAGDisplay.from_adjacency(dag)
        assert len(display.names_) == has_names * n_nodes
        assert len(display.nodes_) == n_nodes
        sizes = {text.get_fontsize() for text in display.names_}
        assert all(4 <= size <= 11 for size in sizes)
        assert (display.figure_.get_size_inches() <= (13.01, 9.51)).all()

    def test_given_axes(self):
        figure, axes = matplotlib.pyplot.subplots(ncols=2)
        display = DAGDisplay.from_adjacency(CHAIN, ax=axes[1])
        assert display.ax_ is axes[1]
        assert display.figure_ is figure
        assert not axes[0].patches

    def test_plot_again(self):
        display = DAGDisplay.from_adjacency(CHAIN)
        first = display.ax_
        assert display.plot() is display
        assert display.ax_ is not first

    @pytest.mark.parametrize("shape", [(0, 0), (1, 1), (4, 4)])
    def test_no_edges(self, shape):
        display = DAGDisplay.from_adjacency(np.zeros(shape))
        assert display.edges_ == {}
        assert len(display.nodes_) == shape[0]
        assert DAGDisplay.from_adjacency(np.zeros(shape), true=np.zeros(shape)).edges_ == {}

    def test_networkx_and_names(self):
        graph = nx.DiGraph([("rain", "river"), ("river", "harvest")])
        display = DAGDisplay.from_predictions(graph)
        assert [text.get_text() for text in display.names_] == ["rain", "river", "harvest"]

    @pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
    def test_saves(self, sachs, tmp_path, suffix):
        path = tmp_path / f"figure.{suffix}"
        DAGDisplay.from_adjacency(sachs.graph).figure_.savefig(path)
        assert path.stat().st_size > 5000

    def test_dark_style(self):
        with matplotlib.pyplot.style.context("dark_background"):
            display = DAGDisplay.from_adjacency(CHAIN)
        assert sum(display.nodes_[0].get_facecolor()[:3]) < 1

    def test_input_is_not_changed(self):
        adjacency = sp.csr_array(CHAIN)
        for array in (adjacency.data, adjacency.indices, adjacency.indptr):
            array.flags.writeable = False
        DAGDisplay.from_adjacency(adjacency, true=adjacency, confidence=abs(adjacency) / 2)
        np.testing.assert_array_equal(adjacency.toarray(), CHAIN)

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"feature_names": ["a", "b"]}, "feature_names of shape"),
            ({"confidence": np.ones((2, 2))}, "confidence of shape"),
            ({"confidence": 2 * np.ones((3, 3))}, r"in \[0, 1\]"),
            ({"true": np.zeros((2, 2))}, "true of shape"),
            ({"true": np.eye(3)}, "node 0 has an edge to itself"),
            ({"positions": np.zeros((3, 3))}, "positions of shape"),
            ({"positions": [[0, 0], [1, np.nan], [2, 2]]}, "positions must be finite"),
        ],
    )
    def test_what_does_not_fit(self, options, words):
        with pytest.raises(ValueError, match=words):
            DAGDisplay.from_adjacency(CHAIN, **options)

    @pytest.mark.parametrize("adjacency", [np.eye(2), np.ones((2, 3)), [[0, np.nan], [0, 0]]])
    def test_no_graph(self, adjacency):
        with pytest.raises(ValueError):
            DAGDisplay.from_adjacency(adjacency)


class TestFromEstimator:
    def test_names_and_edges(self):
        pd = pytest.importorskip("pandas")
        X = np.random.default_rng(0).normal(size=(400, 3))
        X[:, 1] += X[:, 0]
        model = CoLiDE().fit(pd.DataFrame(X, columns=["a", "b", "c"]))
        display = DAGDisplay.from_estimator(model)
        assert [text.get_text() for text in display.names_] == ["a", "b", "c"]
        assert set(display.edges_) == {(0, 1)}

    def test_bootstrap_shows_its_estimate(self):
        found = SimpleNamespace(adjacency_=CHAIN)
        frequencies = np.where(CHAIN, 0.5, 0)
        bootstrap = LinearRegression().fit([[0], [1]], [0, 1])
        bootstrap.estimator_, bootstrap.edge_frequencies_ = found, frequencies
        display = DAGDisplay.from_estimator(bootstrap)
        assert Counter(text.get_text() for text in display.ax_.texts)["0.50"] == 2

    def test_not_fitted(self):
        with pytest.raises(NotFittedError):
            DAGDisplay.from_estimator(CoLiDE())

    @pytest.mark.parametrize("estimator", [LinearRegression().fit([[0], [1]], [0, 1]), "model"])
    def test_no_graph(self, estimator):
        with pytest.raises(TypeError):
            DAGDisplay.from_estimator(estimator)


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(
        ImportError, match=r"from_adjacency needs matplotlib: .*'sparsekit\[plot\]'"
    ):
        DAGDisplay.from_adjacency(CHAIN)
    with pytest.raises(ImportError, match=r"DAGDisplay\.plot needs matplotlib"):
        DAGDisplay(sp.csr_array(CHAIN)).plot()
    with pytest.raises(ImportError, match="from_values needs matplotlib"):
        PathDisplay.from_values([1, 2], [1, 2])
