"""Pictures of graphlets and of orbit counts: assertions on the artists."""

import sys

import numpy as np
import pytest
from naive_graphlets import CORRELATED, edge_list, graphlet_correlation_matrix, node_orbits
from scipy.stats import spearmanr
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sparsekit.compose import NodeFeatures
from sparsekit.datasets import load_karate_club
from sparsekit.graphlets import OrbitCounter
from sparsekit.graphlets._tables import GRAPHLETS, graphlet_of_orbit
from sparsekit.plotting import OrbitDisplay, plot_graphlets
from sparsekit.plotting._graphlets import _LAYOUTS, _RADIUS

matplotlib = pytest.importorskip("matplotlib")


@pytest.fixture(autouse=True)
def _agg():
    import matplotlib.pyplot as plt

    plt.switch_backend("Agg")
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def club():
    return load_karate_club()


@pytest.fixture(scope="module")
def counts(club):
    return node_orbits(club.data.toarray())


@pytest.fixture(scope="module")
def wide_counts(counts):
    """73 columns of plausible size."""
    wide = np.random.default_rng(0).poisson(20, size=(34, 73))
    wide[:, :15] = counts
    return wide


def written(axes):
    return [text.get_text() for text in axes.texts]


class TestPlotGraphlets:
    @pytest.mark.parametrize(("max_nodes", "n_graphlets"), [(4, 9), (5, 30)])
    def test_every_node_has_its_orbit(self, max_nodes, n_graphlets):
        texts = written(plot_graphlets(max_nodes))
        assert [f"G{number}" for number in range(n_graphlets)] == [t for t in texts if t[0] == "G"]
        expected = [orbit for graphlet in GRAPHLETS[:n_graphlets] for orbit in graphlet.node_orbits]
        assert [int(text) for text in texts if text.isdecimal()] == expected

    def test_every_edge_has_its_orbit(self):
        texts = written(plot_graphlets(kind="edge"))
        expected = [orbit for graphlet in GRAPHLETS[1:] for orbit in graphlet.edge_orbits]
        assert [int(text) for text in texts if text.isdecimal()] == expected

    @pytest.mark.parametrize("kind", ["node", "edge"])
    def test_nodes_and_lines(self, kind):
        axes = plot_graphlets(kind=kind)
        assert len(axes.patches) == sum(graphlet.n_nodes for graphlet in GRAPHLETS)
        assert len(axes.collections) == 30
        for number, lines in enumerate(axes.collections):
            assert len(lines.get_segments()) == len(edge_list(number))

    def test_colors_are_orbits(self):
        axes = plot_graphlets()
        colors = iter(matplotlib.colors.to_hex(circle.get_facecolor()) for circle in axes.patches)
        for graphlet in GRAPHLETS:
            of_orbit = {}
            for orbit in graphlet.node_orbits:
                of_orbit.setdefault(orbit, set()).add(next(colors))
            used = [color for [color] in of_orbit.values()]
            assert len(set(used)) == len(of_orbit)

    @pytest.mark.parametrize("number", range(30))
    def test_layouts_are_readable(self, number):
        """No node lies on another or on an edge that is not its own."""
        places, graphlet = np.array(_LAYOUTS[number]), GRAPHLETS[number]
        assert places.shape == (graphlet.n_nodes, 2)
        assert np.abs(places).max() <= 1
        for node, place in enumerate(places):
            others = np.delete(places, node, axis=0)
            assert np.linalg.norm(others - place, axis=1).min() > 2 * _RADIUS["node"]
            for u, v in graphlet.edges:
                if node not in (u, v):
                    assert distance_to_line(place, places[u], places[v]) > _RADIUS["node"]

    @pytest.mark.parametrize("kind", ["node", "edge"])
    def test_labels_do_not_overlap(self, kind):
        axes = plot_graphlets(kind=kind)
        axes.figure.draw_without_rendering()
        boxes = [text.get_window_extent() for text in axes.texts if text.get_text().isdecimal()]
        overlapping = [
            (a, b) for i, a in enumerate(boxes) for b in boxes[:i] if a.fully_overlaps(b)
        ]
        assert overlapping == []

    def test_text_fits_into_the_nodes_of_small_axes(self):
        axes = matplotlib.pyplot.subplots(figsize=(4, 3))[1]
        assert plot_graphlets(ax=axes) is axes
        axes.figure.draw_without_rendering()
        circle = axes.patches[-1].get_window_extent()
        label = next(text for text in axes.texts if text.get_text() == "72").get_window_extent()
        assert label.width < circle.width

    @pytest.mark.parametrize("kind", ["node", "edge"])
    def test_dark_style(self, kind):
        with matplotlib.style.context("dark_background"):
            axes = plot_graphlets(4, kind=kind)
            titles = [text for text in axes.texts if text.get_text()[0] == "G"]
            assert {text.get_color() for text in titles} == {"white"}
            assert axes.collections[0].get_colors()[0].tolist() == [1, 1, 1, 1]

    @pytest.mark.parametrize(
        ("parameters", "word"),
        [({"max_nodes": 3}, "max_nodes"), ({"max_nodes": "5"}, "'5'"), ({"kind": "pair"}, "pair")],
    )
    def test_bad_parameters(self, parameters, word):
        with pytest.raises(ValueError, match=word):
            plot_graphlets(**parameters)


def distance_to_line(point, a, b):
    share = np.clip(np.dot(point - a, b - a) / np.dot(b - a, b - a), 0, 1)
    return np.linalg.norm(a + share * (b - a) - point)


class TestSignature:
    def test_medians_and_quartiles(self, counts, club):
        display = OrbitDisplay.from_counts(counts, club.target)
        assert len(display.lines_) == 2
        for group, line in enumerate(display.lines_):
            members = counts[club.target == group]
            np.testing.assert_array_equal(line.get_ydata(), np.median(members, axis=0))
            band = display.ax_.collections[group].get_paths()[0].vertices
            low, high = np.quantile(members, (0.25, 0.75), axis=0)
            for orbit in range(15):
                ends = band[np.isclose(band[:, 0], orbit), 1]
                assert (ends.min(), ends.max()) == (low[orbit], high[orbit])

    def test_legend_counts_nodes(self, counts):
        groups = np.array(["b"] * 33 + ["a"])
        display = OrbitDisplay.from_counts(counts, groups, group_name="side")
        texts = [text.get_text() for text in display.legend_.get_texts()]
        assert texts == ["a", "b (33 nodes)"]
        assert display.legend_.get_title().get_text() == "side"
        assert display.ax_.get_ylabel() == "count (median)"

    def test_groups_of_several_types(self, counts):
        groups = np.array(["b"] * 20 + [None] * 10 + [7] * 4, dtype=object)
        display = OrbitDisplay.from_counts(counts, groups)
        texts = [text.get_text() for text in display.legend_.get_texts()]
        assert texts == ["7 (4 nodes)", "None (10 nodes)", "b (20 nodes)"]
        np.testing.assert_array_equal(display.lines_[1].get_ydata(), np.median(counts[20:30], 0))

    def test_named_nodes(self, counts):
        display = OrbitDisplay.from_counts(counts[[33, 0]], ["Officer", "Mr. Hi"])
        assert [line.get_label() for line in display.lines_] == ["Mr. Hi", "Officer"]
        np.testing.assert_array_equal(display.lines_[0].get_ydata(), counts[0])
        assert len(display.ax_.collections) == 0
        assert display.ax_.get_ylabel() == "count"

    def test_one_group_has_colors_of_graphlets(self, counts):
        display = OrbitDisplay.from_counts(counts)
        assert display.legend_ is None
        points = display.ax_.collections[-1]
        np.testing.assert_array_equal(points.get_offsets()[:, 1], np.median(counts, axis=0))
        colors = points.get_facecolors()
        same = np.all(colors[:, np.newaxis] == colors, axis=2)
        graphlets = graphlet_of_orbit()[:15]
        np.testing.assert_array_equal(same, graphlets[:, np.newaxis] == graphlets)

    @pytest.mark.parametrize("n_orbits", [15, 73])
    def test_orbits_below_and_graphlets_above(self, wide_counts, n_orbits):
        display = OrbitDisplay.from_counts(wide_counts[:, :n_orbits])
        below = [label.get_text() for label in display.ax_.get_xticklabels()]
        assert below == [str(orbit) for orbit in range(n_orbits)]
        n_graphlets = graphlet_of_orbit()[n_orbits - 1] + 1
        assert written(display.ax_) == [f"G{number}" for number in range(n_graphlets)]

    def test_zero_is_on_the_axis(self, counts):
        axes = OrbitDisplay.from_counts(counts).ax_
        assert axes.get_yscale() == "symlog"
        assert axes.get_ylim()[0] == 0

    def test_chosen_orbits(self, counts):
        display = OrbitDisplay.from_counts(counts, orbits=[7, 2, 0])
        np.testing.assert_array_equal(
            display.lines_[0].get_ydata(), np.median(counts, 0)[[7, 2, 0]]
        )
        assert written(display.ax_) == ["G4", "G1", "G0"]

    @pytest.mark.parametrize("n_groups", [3, 34])
    def test_legend_is_beside_the_axes(self, counts, n_groups):
        display = OrbitDisplay.from_counts(counts, np.arange(34) % n_groups)
        display.figure_.draw_without_rendering()
        legend = display.legend_.get_window_extent()
        assert legend.x0 >= display.ax_.get_window_extent().x1
        assert legend.x1 <= display.figure_.bbox.x1


class TestCorrelation:
    def test_is_the_matrix_of_the_distance(self, counts, club):
        display = OrbitDisplay.from_counts(counts, kind="correlation", orbits=CORRELATED)
        expected = graphlet_correlation_matrix(club.data.toarray())
        np.testing.assert_allclose(display.correlation_, expected, atol=1e-12)
        assert display.image_.get_array().shape == (11, 11)

    def test_default_orbits(self, counts):
        display = OrbitDisplay.from_counts(counts, kind="correlation")
        orbits = [int(label.get_text()) for label in display.ax_.get_xticklabels()]
        assert sorted(orbits) == CORRELATED
        names = [label.get_text() for label in display.ax_.get_yticklabels()]
        assert names == [f"{orbit} (G{graphlet_of_orbit()[orbit]})" for orbit in orbits]

    def test_spearman(self, counts):
        display = OrbitDisplay.from_counts(counts, kind="correlation", orbits=[0, 6])
        padded = np.vstack([counts, np.ones(15)])
        expected = spearmanr(padded[:, 0], padded[:, 6]).statistic
        assert display.correlation_[0, 1] == pytest.approx(expected)
        assert written(display.ax_)[1] == f"{expected:.2f}"
        assert (display.colorbar_.vmin, display.colorbar_.vmax) == (-1, 1)

    def test_constant_columns(self):
        display = OrbitDisplay.from_counts(np.ones((5, 15)), kind="correlation", orbits=[0, 3])
        np.testing.assert_array_equal(display.correlation_, np.eye(2))

    def test_many_orbits_have_no_numbers_in_the_cells(self, wide_counts):
        display = OrbitDisplay.from_counts(wide_counts, kind="correlation", orbits=range(73))
        assert written(display.ax_) == []
        assert display.figure_.get_size_inches()[0] > 8


class TestDisplay:
    def test_plot_again(self, counts, club):
        display = OrbitDisplay.from_counts(counts, club.target)
        first = display.ax_
        assert display.plot(kind="correlation") is display
        assert display.ax_ is not first
        assert display.lines_ == []
        assert display.legend_ is None

    def test_given_axes(self, counts):
        figure, axes = matplotlib.pyplot.subplots(ncols=2)
        display = OrbitDisplay.from_predictions(counts, ax=axes[1])
        assert display.ax_ is axes[1]
        assert display.figure_ is figure
        assert not axes[0].lines

    def test_group_name_from_series(self, counts, club):
        pd = pytest.importorskip("pandas")
        display = OrbitDisplay.from_counts(counts, pd.Series(club.target, name="club"))
        assert display.legend_.get_title().get_text() == "club"

    @pytest.mark.parametrize("kind", ["signature", "correlation"])
    @pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
    def test_saves(self, counts, club, tmp_path, kind, suffix):
        display = OrbitDisplay.from_counts(counts, club.target, kind=kind)
        path = tmp_path / f"figure.{suffix}"
        with matplotlib.style.context("dark_background"):
            display.figure_.savefig(path)
        assert path.stat().st_size > 5000

    @pytest.mark.parametrize(
        ("change", "word"),
        [
            ({"kind": "scatter"}, "scatter"),
            ({"orbits": [15]}, "from 0 to 14"),
            ({"orbits": [-1]}, "from 0 to 14"),
            ({"orbits": []}, "orbits"),
            ({"orbits": [0.5]}, "orbits"),
            ({"groups": np.zeros(33)}, "inconsistent"),
            ({"counts": np.ones((3, 12))}, "got 12"),
            ({"counts": -np.ones((3, 15))}, "[Nn]egative"),
            ({"counts": np.full((3, 15), np.nan)}, "NaN"),
        ],
    )
    def test_bad_input(self, counts, change, word):
        with pytest.raises(ValueError, match=word):
            OrbitDisplay.from_counts(**({"counts": counts} | change))


class TestFromEstimator:
    def test_counter(self, counts, club):
        counter = OrbitCounter().fit(club.data)
        display = OrbitDisplay.from_estimator(counter, club.data, club.target, group_name="club")
        np.testing.assert_array_equal(display.counts, counts)
        np.testing.assert_array_equal(display.groups, club.target)

    def test_logarithms_are_turned_back(self, counts, club):
        nodes = np.array([[33], [0], [5]])
        counter = OrbitCounter(log=True)
        fitted = counter.fit(club.data)
        np.testing.assert_array_equal(OrbitDisplay.from_estimator(fitted, club.data).counts, counts)
        features = NodeFeatures(counter, graph=club.graph).fit(nodes)
        display = OrbitDisplay.from_estimator(features, nodes, kind="correlation")
        np.testing.assert_array_equal(display.counts, counts[nodes[:, 0]])

    def test_pipeline(self, counts, club):
        pipeline = make_pipeline(OrbitCounter(), FunctionTransformer()).fit(club.data)
        display = OrbitDisplay.from_estimator(pipeline, club.data)
        np.testing.assert_array_equal(display.counts, counts)

    def test_not_fitted(self, club):
        with pytest.raises(NotFittedError):
            OrbitDisplay.from_estimator(OrbitCounter(), club.data)

    @pytest.mark.parametrize("estimator", [LogisticRegression(), "counter"])
    def test_no_transformer(self, club, estimator):
        with pytest.raises(TypeError, match="expected a fitted transformer"):
            OrbitDisplay.from_estimator(estimator, club.data)


def test_without_matplotlib(counts, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"from_counts needs matplotlib: .*'sparsekit\[plot\]'"):
        OrbitDisplay.from_counts(counts)
    with pytest.raises(ImportError, match=r"OrbitDisplay\.plot needs matplotlib"):
        OrbitDisplay(counts).plot()
    with pytest.raises(ImportError, match="plot_graphlets needs matplotlib"):
        plot_graphlets()
