"""Displays: assertions on the artists."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sparsekit.compose import NodeFeatures
from sparsekit.datasets import load_karate_club
from sparsekit.embedding import FastRP
from sparsekit.plotting import EmbeddingDisplay

matplotlib = pytest.importorskip("matplotlib")


@pytest.fixture(autouse=True)
def _agg():
    import matplotlib.pyplot as plt

    plt.switch_backend("Agg")
    yield
    plt.close("all")


@pytest.fixture
def embedding():
    return np.random.default_rng(0).normal(size=(120, 8))


def drawn_colors(display):
    """Face colour of every point as hex, keyed by its position."""
    points = map(tuple, display.scatter_.get_offsets().data.round(9))
    colors = map(matplotlib.colors.to_hex, display.scatter_.get_facecolors())
    return dict(zip(points, colors, strict=True))


def test_values_of_single_points_follow_their_points(embedding):
    labels = np.arange(120) % 3
    sizes = np.arange(1.0, 121.0)
    coordinates = embedding[:, :2]
    display = EmbeddingDisplay.from_embedding(coordinates, labels, method=None, s=sizes)
    drawn = dict(
        zip(
            map(tuple, display.scatter_.get_offsets().data),
            display.scatter_.get_sizes(),
            strict=True,
        )
    )
    assert [drawn[tuple(point)] for point in coordinates] == sizes.tolist()
    few = EmbeddingDisplay.from_embedding(
        coordinates[:3], ["x", "y", "z"], method=None, color=(1, 0, 0), marker=(5, 1, 0)
    )
    assert few.scatter_.get_facecolors()[:, :3].tolist() == [[1, 0, 0]]
    black = EmbeddingDisplay.from_predictions(coordinates, labels, method=None, color="k")
    assert black.scatter_.get_facecolors()[:, :3].tolist() == [[0, 0, 0]]
    assert [text.get_text() for text in black.legend_.get_texts()] == ["0", "1", "2"]


class TestProjection:
    def test_pca(self, embedding):
        display = EmbeddingDisplay.from_embedding(embedding)
        pca = PCA(n_components=2).fit(embedding)
        np.testing.assert_allclose(display.coordinates, pca.transform(embedding))
        share = 100 * pca.explained_variance_ratio_[0]
        assert display.ax_.get_xlabel() == f"PC 1 ({share:.0f} %)"
        np.testing.assert_allclose(display.scatter_.get_offsets(), display.coordinates)

    def test_tsne(self, embedding):
        first = EmbeddingDisplay.from_embedding(embedding, method="tsne", random_state=0)
        again = EmbeddingDisplay.from_embedding(embedding, method="tsne", random_state=0)
        assert first.ax_.get_ylabel() == "t-SNE 2"
        np.testing.assert_array_equal(first.coordinates, again.coordinates)

    def test_tsne_of_few_nodes(self, embedding):
        display = EmbeddingDisplay.from_embedding(embedding[:5], method="tsne", random_state=0)
        assert display.coordinates.shape == (5, 2)

    def test_as_it_is(self, embedding):
        display = EmbeddingDisplay.from_embedding(embedding[:, :2], method=None)
        np.testing.assert_array_equal(display.coordinates, embedding[:, :2])

    def test_own_transformer(self, embedding):
        svd = TruncatedSVD(2, random_state=0)
        display = EmbeddingDisplay.from_embedding(embedding, method=svd)
        assert display.ax_.get_xlabel() == "TruncatedSVD 1"

    @pytest.mark.parametrize("method", ["umap", 3, PCA])
    def test_unknown_method(self, embedding, method):
        with pytest.raises((ValueError, TypeError)):
            EmbeddingDisplay.from_embedding(embedding, method=method)

    @pytest.mark.parametrize("method", [None, PCA(3)])
    def test_not_two_columns(self, embedding, method):
        with pytest.raises(ValueError, match="two columns"):
            EmbeddingDisplay.from_embedding(embedding, method=method)

    @pytest.mark.parametrize("shape", [(1, 5), (5, 1)])
    def test_too_small(self, shape):
        with pytest.raises(ValueError, match="minimum of 2"):
            EmbeddingDisplay.from_embedding(np.ones(shape))

    def test_equal_rows(self):
        with np.errstate(all="ignore"):
            display = EmbeddingDisplay.from_embedding(np.ones((4, 3)))
        assert display.ax_.get_xlabel() == "PC 1 (0 %)"


class TestLabels:
    def test_color_of_each_node(self, embedding):
        y = np.arange(120) % 3
        display = EmbeddingDisplay.from_embedding(embedding, y)
        of_point = drawn_colors(display)
        of_class = [handle.get_color() for handle in display.legend_.legend_handles]
        for position, label in zip(display.coordinates.round(9), y, strict=True):
            assert of_point[tuple(position)] == of_class[label]

    def test_legend_names_the_classes(self, embedding):
        y = np.array(["b", "a", "c"])[np.arange(120) % 3]
        display = EmbeddingDisplay.from_embedding(embedding, y)
        assert [text.get_text() for text in display.legend_.get_texts()] == ["a", "b", "c"]
        assert display.colorbar_ is None

    def test_legend_title_from_series(self, embedding):
        pd = pytest.importorskip("pandas")
        y = pd.Series(np.arange(120) % 3, name="block")
        display = EmbeddingDisplay.from_embedding(embedding, y)
        assert display.legend_.get_title().get_text() == "block"
        display = EmbeddingDisplay.from_embedding(embedding, y, label_name="community")
        assert display.legend_.get_title().get_text() == "community"

    @pytest.mark.parametrize("n_classes", [10, 11, 34, 60])
    def test_classes_look_different(self, embedding, n_classes):
        display = EmbeddingDisplay.from_embedding(embedding, np.arange(120) % n_classes)
        handles = display.legend_.legend_handles
        looks = {(handle.get_color(), handle.get_marker()) for handle in handles}
        assert len(looks) == n_classes
        n_shapes = len({path.vertices.tobytes() for path in display.scatter_.get_paths()})
        assert n_shapes == -(-n_classes // 10)

    @pytest.mark.parametrize("n_classes", [3, 12, 60])
    def test_legend_is_inside_the_figure_and_beside_the_points(self, embedding, n_classes):
        display = EmbeddingDisplay.from_embedding(embedding, np.arange(120) % n_classes)
        display.figure_.draw_without_rendering()
        legend = display.legend_.get_window_extent()
        figure, axes = display.figure_.bbox, display.ax_.get_window_extent()
        assert legend.x0 >= axes.x1
        assert legend.x1 <= figure.x1
        assert legend.y0 >= figure.y0
        assert legend.y1 <= figure.y1
        assert axes.width > 0.5 * figure.width

    def test_no_class_hides_the_others(self, embedding):
        y = np.sort(np.arange(120) % 3)
        display = EmbeddingDisplay.from_embedding(embedding, y)
        colors = display.scatter_.get_facecolors()
        changes = np.any(colors[1:] != colors[:-1], axis=1).sum()
        assert changes > 50

    def test_numbers_get_a_color_bar(self, embedding):
        values = np.linspace(0, 0.7, 120)
        display = EmbeddingDisplay.from_embedding(embedding, values)
        np.testing.assert_array_equal(display.scatter_.get_array(), values)
        assert display.legend_ is None
        assert display.colorbar_.vmax == 0.7

    def test_many_integers_are_numbers(self, embedding):
        display = EmbeddingDisplay.from_embedding(embedding, np.arange(120))
        assert display.colorbar_ is not None

    def test_without_labels(self, embedding):
        display = EmbeddingDisplay.from_embedding(embedding)
        assert display.legend_ is None
        assert len(display.scatter_.get_facecolors()) == 1

    def test_wrong_length(self, embedding):
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            EmbeddingDisplay.from_embedding(embedding, np.zeros(119))

    def test_several_labels_a_node(self, embedding):
        with pytest.raises(ValueError, match="1d array"):
            EmbeddingDisplay.from_embedding(embedding, np.zeros((120, 2)))


class TestAxes:
    def test_no_ticks_and_equal_aspect(self, embedding):
        display = EmbeddingDisplay.from_embedding(embedding)
        assert len(display.ax_.get_xticks()) == len(display.ax_.get_yticks()) == 0
        assert display.ax_.get_aspect() == 1

    def test_given_axes(self, embedding):
        figure, axes = matplotlib.pyplot.subplots(ncols=2)
        size = figure.get_size_inches().tolist()
        display = EmbeddingDisplay.from_embedding(embedding, np.arange(120) % 40, ax=axes[1])
        assert display.ax_ is axes[1]
        assert display.figure_ is figure
        assert not axes[0].collections
        assert figure.get_size_inches().tolist() == size

    def test_plot_again(self, embedding):
        display = EmbeddingDisplay.from_embedding(embedding, np.arange(120) % 3)
        first = display.ax_
        assert display.plot() is display
        assert display.ax_ is not first

    @pytest.mark.parametrize("y", [None, np.arange(120) % 3, np.arange(120) % 30])
    def test_scatter_kwargs(self, embedding, y):
        display = EmbeddingDisplay.from_embedding(embedding, y, s=7, linewidths=2, alpha=0.5)
        assert display.scatter_.get_sizes().tolist() == [7]
        assert display.scatter_.get_linewidths().tolist() == [2]
        assert display.scatter_.get_alpha() == 0.5

    def test_own_color(self, embedding):
        display = EmbeddingDisplay.from_embedding(embedding, color="black", alpha=1)
        np.testing.assert_array_equal(display.scatter_.get_facecolors(), [[0, 0, 0, 1]])

    @pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
    def test_saves(self, embedding, tmp_path, suffix):
        display = EmbeddingDisplay.from_embedding(embedding, np.arange(120) % 12)
        path = tmp_path / f"figure.{suffix}"
        display.figure_.savefig(path)
        assert path.stat().st_size > 5000

    def test_many_points_are_rasterized(self):
        few = EmbeddingDisplay(np.zeros((10, 2))).plot()
        many = EmbeddingDisplay(np.zeros((10_000, 2))).plot()
        assert not few.scatter_.get_rasterized()
        assert many.scatter_.get_rasterized()


class TestFromEstimator:
    def test_fastrp(self):
        club = load_karate_club()
        fastrp = FastRP(16, random_state=0).fit(club.data)
        display = EmbeddingDisplay.from_estimator(fastrp, club.data, club.target)
        expected = EmbeddingDisplay.from_embedding(fastrp.embedding_)
        np.testing.assert_array_equal(display.coordinates, expected.coordinates)

    def test_node_features(self):
        club = load_karate_club()
        nodes = np.array([[33], [0], [5]])
        features = NodeFeatures(FastRP(16, random_state=0), graph=club.graph).fit(nodes)
        display = EmbeddingDisplay.from_estimator(features, nodes, club.target[nodes[:, 0]])
        assert display.coordinates.shape == (3, 2)

    def test_pipeline(self, embedding):
        pipeline = make_pipeline(StandardScaler(), PCA(4)).fit(embedding)
        display = EmbeddingDisplay.from_estimator(pipeline, embedding, np.arange(120) % 2)
        expected = EmbeddingDisplay.from_embedding(pipeline.transform(embedding))
        np.testing.assert_allclose(display.coordinates, expected.coordinates)

    def test_pandas_output(self, embedding):
        pytest.importorskip("pandas")
        pca = PCA(4).set_output(transform="pandas").fit(embedding)
        display = EmbeddingDisplay.from_estimator(pca, embedding)
        assert display.coordinates.shape == (120, 2)

    def test_not_fitted(self, embedding):
        with pytest.raises(NotFittedError):
            EmbeddingDisplay.from_estimator(PCA(4), embedding)

    @pytest.mark.parametrize("estimator", [LogisticRegression(), BaseEstimator(), "fastrp"])
    def test_no_transformer(self, embedding, estimator):
        with pytest.raises(TypeError, match="expected a fitted transformer"):
            EmbeddingDisplay.from_estimator(estimator, embedding)


class TestWithoutMatplotlib:
    def test_message(self, embedding, monkeypatch):
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
        message = r"EmbeddingDisplay.from_embedding needs matplotlib: .*'sparsekit\[plot\]'"
        with pytest.raises(ImportError, match=message):
            EmbeddingDisplay.from_embedding(embedding)
        with pytest.raises(ImportError, match=r"EmbeddingDisplay\.plot needs matplotlib"):
            EmbeddingDisplay(embedding[:, :2]).plot()

    def test_import_does_not_need_it(self):
        code = "import sys, sparsekit.plotting; sys.exit('matplotlib' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
