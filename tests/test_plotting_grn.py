"""Drawings of gene regulatory networks: assertions on the artists."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.sparse as sp
from drawing_helpers import dags
from hypothesis import given, settings
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression

from sparsekit.causal import BackgroundKnowledge, BootstrapEdges, DropoutGES, DropoutPC
from sparsekit.datasets import make_linear_sem
from sparsekit.metrics import cpdag
from sparsekit.plotting import GRNDisplay

matplotlib = pytest.importorskip("matplotlib")

# 0 -> 1, 1 - 2, 2 <-> 3
GRAPH = np.array([[0, 1, 0, 0], [0, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0]])
PVALUES = np.array([[0, 1e-3, 0, 0], [0, 0, 1e-30, 0], [0, 0, 0, 1e-9], [0, 0, 0, 0]])
PVALUES = PVALUES + PVALUES.T
SHARES = np.array([0.0, 0.3, 0.6, 1.0])


@pytest.fixture(autouse=True)
def _agg():
    import matplotlib.pyplot as plt

    plt.switch_backend("Agg")
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def cells():
    X = np.random.default_rng(0).normal(size=(300, 4)).cumsum(axis=1)
    X[np.random.default_rng(1).random(X.shape) < 0.2] = 0
    return X


def color_of(display, edge):
    return matplotlib.colors.to_hex(display.edges_[edge].get_edgecolor())


def legend_of(display):
    return [text.get_text() for text in display.legend_.get_texts() if text.get_text()]


class TestKinds:
    def test_heads_and_colours(self):
        display = GRNDisplay.from_adjacency(GRAPH, bidirected=[(3, 2)])
        styles = {edge: type(arrow.get_arrowstyle()) for edge, arrow in display.edges_.items()}
        known = matplotlib.patches.ArrowStyle
        assert styles == {
            (0, 1): known.CurveFilledB,
            (1, 2): known.Curve,
            (2, 3): known.CurveFilledAB,
        }
        assert len({color_of(display, edge) for edge in styles}) == 3
        assert legend_of(display) == ["directed", "undirected", "bidirected"]

    def test_kinds_that_there_are_not(self):
        display = GRNDisplay.from_adjacency(GRAPH)
        assert color_of(display, (1, 2)) == color_of(display, (2, 3))
        assert legend_of(display) == ["directed", "undirected"]
        assert GRNDisplay.from_adjacency(np.zeros((3, 3))).legend_ is None

    @settings(max_examples=15)
    @given(dags(10))
    def test_directed_edges_lead_down(self, dag):
        graph = cpdag(dag)
        display = GRNDisplay.from_adjacency(graph)
        y = display.positions_[:, 1]
        directed = (graph.toarray() != 0) & (graph.toarray().T == 0)
        assert all(y[i] > y[j] for i, j in zip(*directed.nonzero(), strict=True))
        matplotlib.pyplot.close("all")

    def test_comparison(self):
        true = np.array([[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0], [1, 0, 0, 0]])
        display = GRNDisplay.from_adjacency(GRAPH, true=true, pvalues=PVALUES)
        counts = ["correct (1)", "reversed (1)", "extra (1)", "missing (1)"]
        assert legend_of(display)[:4] == counts
        assert len({color_of(display, edge) for edge in display.edges_}) == 4


class TestEvidence:
    def test_small_pvalues_are_bold(self):
        display = GRNDisplay.from_adjacency(GRAPH, pvalues=PVALUES)
        widths = {edge: arrow.get_linewidth() for edge, arrow in display.edges_.items()}
        assert widths[1, 2] > widths[2, 3] > widths[0, 1]
        assert legend_of(display)[-2:] == ["p = 1e-30", "p = 0.001"]

    def test_absent_pvalues_are_zero(self):
        pvalues = sp.csr_array(np.where(PVALUES == 1e-9, 0, PVALUES))
        display = GRNDisplay.from_adjacency(GRAPH, pvalues=pvalues)
        widths = {edge: arrow.get_linewidth() for edge, arrow in display.edges_.items()}
        assert max(widths, key=widths.get) == (2, 3)
        assert legend_of(display)[-2:] == ["p < 1e-300", "p = 0.001"]

    def test_widths_without_pvalues(self):
        display = GRNDisplay.from_adjacency(GRAPH)
        assert len({arrow.get_linewidth() for arrow in display.edges_.values()}) == 1
        confidence = GRAPH * np.array([[0.2], [0.5], [1.0], [1.0]])
        display = GRNDisplay.from_adjacency(GRAPH, confidence=confidence)
        widths = {edge: arrow.get_linewidth() for edge, arrow in display.edges_.items()}
        assert widths[0, 1] < widths[1, 2]
        numbers = {text.get_text() for text in display.ax_.texts} - set("0123")
        assert numbers == {"0.20", "1.00"}

    def test_no_edges(self):
        display = GRNDisplay.from_adjacency(np.zeros((3, 3)), pvalues=np.ones((3, 3)))
        assert display.edges_ == {}
        assert display.legend_ is None

    def test_no_evidence(self):
        """No division by the largest of all widths, which is zero."""
        display = GRNDisplay.from_adjacency(GRAPH, pvalues=np.ones((4, 4)))
        assert legend_of(display)[-1] == "p = 1"
        assert len(GRNDisplay.from_adjacency(GRAPH, confidence=np.zeros((4, 4))).edges_) == 3

    def test_required_edges_are_not_tested(self, cells):
        model = DropoutPC(background=BackgroundKnowledge(required=[(0, 3)])).fit(cells)
        display = GRNDisplay.from_estimator(model)
        widths = {edge: arrow.get_linewidth() for edge, arrow in display.edges_.items()}
        assert min(widths, key=widths.get) == (0, 3)
        assert sum(np.isnan(display.pvalues.data)) == 2
        tested = [model.pvalues_[edge] for edge in widths if edge != (0, 3)]
        assert legend_of(display)[-1] == f"p = {max(tested):.1g}"


class TestZeros:
    def test_shades(self):
        display = GRNDisplay.from_adjacency(GRAPH, zero_shares=SHARES)
        shades = [sum(box.get_facecolor()[:3]) for box in display.nodes_]
        assert shades == sorted(shades, reverse=True)
        assert len(set(shades)) == 4
        assert legend_of(display)[-3:] == ["0% zeros", "50% zeros", "100% zeros"]

    @pytest.mark.parametrize("style", ["default", "dark_background"])
    def test_names_can_be_read(self, style):
        with matplotlib.pyplot.style.context(style):
            display = GRNDisplay.from_adjacency(GRAPH, zero_shares=SHARES)
        for text, box in zip(display.names_, display.nodes_, strict=True):
            name = np.array(matplotlib.colors.to_rgb(text.get_color()))
            assert abs(name - box.get_facecolor()[:3]).min() > 0.4

    def test_many_genes_are_dots(self):
        _, dag = make_linear_sem(1, 160, degree=3, random_state=0)
        shares = np.random.default_rng(0).random(160)
        display = GRNDisplay.from_adjacency(dag, zero_shares=shares)
        assert display.names_ == []
        assert len({box.get_facecolor() for box in display.nodes_}) > 50


class TestFromEstimator:
    def test_pc(self, cells):
        model = DropoutPC().fit(cells)
        display = GRNDisplay.from_estimator(model, cells)
        assert len(display.edges_) == model.skeleton_.nnz / 2 > 0
        np.testing.assert_allclose(display.zero_shares, (cells == 0).mean(axis=0))
        assert display.pvalues.nnz == model.pvalues_.nnz

    def test_ges_and_data_of_other_types(self, cells):
        pd = pytest.importorskip("pandas")
        names = ["a", "b", "c", "d"]
        frame = pd.DataFrame(cells, columns=names)
        model = DropoutGES().fit(frame)
        annotated = SimpleNamespace(X=sp.csr_array(cells), var_names=names)
        for X in (frame, annotated, sp.csc_array(cells), cells.tolist()):
            display = GRNDisplay.from_estimator(model, X)
            np.testing.assert_allclose(display.zero_shares, (cells == 0).mean(axis=0))
            assert [text.get_text() for text in display.names_] == names
        assert GRNDisplay.from_estimator(model).zero_shares is None

    def test_bootstrap(self, cells):
        bootstrap = BootstrapEdges(DropoutPC(), 3, random_state=0).fit(cells)
        display = GRNDisplay.from_estimator(bootstrap)
        frequencies = bootstrap.edge_frequencies_.toarray()
        np.testing.assert_array_equal(display.confidence.toarray(), frequencies)
        assert display.pvalues.nnz == bootstrap.estimator_.pvalues_.nnz

    def test_bidirected(self):
        fitted = LinearRegression().fit([[0], [1]], [0, 1])
        fitted.adjacency_ = sp.csr_array(GRAPH)
        fitted.conflicts_ = [(1, 2, "undirected"), (2, 3, "bidirected")]
        assert GRNDisplay.from_estimator(fitted).bidirected == ((2, 3),)

    def test_not_fitted(self):
        with pytest.raises(NotFittedError):
            GRNDisplay.from_estimator(DropoutPC())

    def test_no_graph(self):
        with pytest.raises(TypeError, match="adjacency_"):
            GRNDisplay.from_estimator(LinearRegression().fit([[0], [1]], [0, 1]))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"feature_names": ["a"]}, "feature_names of shape"),
        ({"pvalues": np.ones((2, 2))}, "pvalues of shape"),
        ({"pvalues": 2 * PVALUES + 1}, r"pvalues must lie in \[0, 1\]"),
        ({"zero_shares": [0.1]}, "zero_shares of shape"),
        ({"zero_shares": [0, 1, 2, np.nan]}, r"zero_shares must lie in \[0, 1\]"),
        ({"confidence": 2 * GRAPH}, r"confidence must lie in \[0, 1\]"),
        ({"true": np.eye(4)}, "node 0 has an edge to itself"),
    ],
)
def test_what_does_not_fit(options, words):
    with pytest.raises(ValueError, match=words):
        GRNDisplay.from_adjacency(GRAPH, **options)


def test_plot_again():
    display = GRNDisplay.from_adjacency(GRAPH, zero_shares=SHARES, pvalues=PVALUES)
    axes = matplotlib.pyplot.subplots(1, 2)[1]
    assert display.plot(axes[1]) is display
    assert display.ax_ is axes[1]
    assert len(display.edges_) == 3


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"GRNDisplay\.from_adjacency needs matplotlib"):
        GRNDisplay.from_adjacency(GRAPH)
