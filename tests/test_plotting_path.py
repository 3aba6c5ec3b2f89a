"""Pictures of regularisation paths: assertions on the artists."""

import numpy as np
import pytest

from sparsekit.causal import colide_path
from sparsekit.datasets import make_linear_sem
from sparsekit.plotting import PathDisplay

matplotlib = pytest.importorskip("matplotlib")


@pytest.fixture(autouse=True)
def _agg():
    import matplotlib.pyplot as plt

    plt.switch_backend("Agg")
    yield
    plt.close("all")


def legend_of(display):
    return [text.get_text() for text in display.legend_.get_texts()]


@pytest.fixture(scope="module")
def path():
    X, _ = make_linear_sem(200, 4, degree=1, random_state=0)
    return colide_path(X, alphas=[100.0, 1.0, 0.1])


class TestPathDisplay:
    alphas = np.geomspace(10, 0.01, 12)

    def test_a_criterion(self):
        counts = np.arange(12)
        values = np.log(self.alphas) ** 2
        display = PathDisplay.from_values(self.alphas, values, counts=counts, chosen=1.0)
        [line] = display.lines_
        np.testing.assert_array_equal(line.get_xdata(), self.alphas)
        np.testing.assert_array_equal(line.get_ydata(), values)
        assert display.ax_.get_xscale() == "log"
        assert display.ax_.xaxis_inverted()
        assert display.chosen_line_.get_xdata() == [1.0, 1.0]
        assert display.legend_ is None
        [above] = display.ax_.child_axes
        ticks = dict(zip(above.get_xticks(), above.get_xticklabels(), strict=True))
        for alpha, label in ticks.items():
            assert counts[self.alphas == alpha] == int(label.get_text())

    def test_any_order_of_penalties(self):
        shuffled = np.random.default_rng(0).permutation(12)
        values = np.arange(12.0)
        display = PathDisplay.from_values(self.alphas[shuffled], values[shuffled])
        np.testing.assert_array_equal(display.lines_[0].get_ydata(), values)

    def test_large_coefficients_have_names(self):
        values = np.outer(np.arange(12), np.r_[0.0, np.arange(1.0, 15.0)])
        names = [f"x{column}" for column in range(15)]
        display = PathDisplay.from_values(self.alphas, values, curve_names=names)
        assert len(display.lines_) == 15
        assert legend_of(display) == names[5:]
        colors = [line.get_color() for line in display.lines_]
        assert len(set(colors[5:])) == 10
        assert set(colors[:5]) == {"0.8"}

    def test_no_penalty_is_no_logarithm(self):
        display = PathDisplay.from_values([1.0, 0.0], [1.0, 2.0])
        assert display.ax_.get_xscale() == "linear"

    def test_plot_again_on_given_axes(self):
        _, axes = matplotlib.pyplot.subplots(ncols=2)
        display = PathDisplay.from_values(self.alphas, self.alphas, ax=axes[0])
        assert display.ax_ is axes[0]
        assert display.plot(axes[0]).ax_.xaxis_inverted()

    @pytest.mark.parametrize(
        ("arguments", "options", "words"),
        [
            (([1, 2], [1.0, 2.0, 3.0]), {}, "expected 2 values"),
            (([1, 2], [1.0, 2.0]), {"counts": [1]}, "expected 2 counts"),
            (([1, 2], [1.0, 2.0]), {"curve_names": ["a", "b"]}, "expected 1 curve_names"),
            (([1, -2], [1.0, 2.0]), {}, "not negative"),
        ],
    )
    def test_what_does_not_fit(self, arguments, options, words):
        with pytest.raises(ValueError, match=words):
            PathDisplay.from_values(*arguments, **options)


class TestFromPath:
    def test_criterion(self, path):
        display = PathDisplay.from_path(path)
        np.testing.assert_array_equal(display.lines_[0].get_ydata(), path.ebic)
        assert display.chosen_line_.get_xdata()[0] == path.alpha_best
        assert display.counts.tolist() == path.n_edges.tolist()

    def test_weights(self, path):
        display = PathDisplay.from_path(path, kind="weights")
        edges = {
            tuple(e) for graph in path.adjacencies for e in np.argwhere(graph.toarray()).tolist()
        }
        assert {f"{i} → {j}" for i, j in edges} == set(legend_of(display))
        for (i, j), line in zip(sorted(edges), display.lines_, strict=True):
            weights = [model.weights_[i, j] for model in path.estimators]
            np.testing.assert_array_equal(line.get_ydata(), weights)

    def test_no_edges(self):
        X = np.random.default_rng(0).normal(size=(50, 2))
        with pytest.raises(ValueError, match="none of the graphs has an edge"):
            PathDisplay.from_path(colide_path(X, alphas=[10.0, 5.0]), kind="weights")

    def test_unknown_kind(self, path):
        with pytest.raises(ValueError, match="'ebic' or 'weights'"):
            PathDisplay.from_path(path, kind="edges")
