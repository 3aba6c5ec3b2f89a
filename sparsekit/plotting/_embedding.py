"""Scatter plot of an embedding in two dimensions."""

from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.utils import check_array, check_consistent_length, column_or_1d
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted

from sparsekit.plotting._style import (
    N_STYLES,
    PALETTE,
    import_matplotlib,
    new_axes,
    style_of_classes,
    widen_for_legend,
)

__all__ = ["EmbeddingDisplay"]

_ROWS_PER_LEGEND_COLUMN = 15
# Vector formats with more points than this are slow to open.
_RASTERIZED_FROM = 10_000

# Names under which a caller may give colours.
_COLOR_NAMES = {"c", "color", "facecolor"}
# Names under which a caller may give one value a point.
_PER_POINT_NAMES = _COLOR_NAMES | {"alpha", "edgecolor", "linewidth", "s"}


class EmbeddingDisplay:
    """Scatter plot of nodes in two dimensions, coloured by a label.

    Create it by `from_estimator` or `from_embedding`; all parameters are stored as attributes.
    Classes get colours that stay apart under colour vision deficiency, and from the eleventh class
    on other markers. Real numbers, and integers with more than 70 values, get a colour bar.

    Parameters
    ----------
    coordinates : ndarray of shape (n_nodes, 2)
        Positions.
    labels : ndarray of shape (n_nodes,), default=None
        Classes or real numbers.
    label_name : str, default=None
        Title of the legend.
    axis_names : pair of str, default=("dimension 1", "dimension 2")

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    scatter_ : matplotlib PathCollection
        All points, drawn in random order so that no class covers the others.
    legend_ : matplotlib Legend or None
    colorbar_ : matplotlib Colorbar or None

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from sparsekit.plotting import EmbeddingDisplay
    >>> embedding = np.random.default_rng(0).normal(size=(60, 16))
    >>> display = EmbeddingDisplay.from_embedding(embedding, np.arange(60) % 3)
    >>> [text.get_text() for text in display.legend_.get_texts()]
    ['0', '1', '2']
    >>> plt.show()
    """

    def __init__(
        self,
        coordinates: Any,
        *,
        labels: Any = None,
        label_name: str | None = None,
        axis_names: tuple[str, str] = ("dimension 1", "dimension 2"),
    ) -> None:
        self.coordinates = coordinates
        self.labels = labels
        self.label_name = label_name
        self.axis_names = axis_names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        method: Any = "pca",
        label_name: str | None = None,
        random_state: Any = None,
        ax: Any = None,
        **scatter_kwargs: Any,
    ) -> "EmbeddingDisplay":
        """Plot what a fitted transformer makes of X.

        Parameters
        ----------
        estimator : fitted transformer
            For example `FastRP`, `NodeFeatures` or a pipeline that ends in a transformer.
        X : {array-like, sparse matrix} of shape (n_nodes, n_features)
            Passed to ``estimator.transform``: an adjacency, or node ids for `NodeFeatures`.
        y : array-like of shape (n_nodes,), default=None
            Classes or real numbers that give the colours.
        method : {"pca", "tsne"}, transformer or None, default="pca"
            See `from_embedding`.
        label_name : str, default=None
            Title of the legend.
        random_state : int, RandomState instance or None, default=None
        ax : matplotlib Axes, default=None
            A new figure if omitted.
        **scatter_kwargs : dict
            Passed to ``Axes.scatter``.

        Returns
        -------
        EmbeddingDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it has no method `transform`.
        ImportError
            If matplotlib is missing.
        """
        import_matplotlib(f"{cls.__name__}.from_estimator")
        if not hasattr(estimator, "transform"):
            raise TypeError(
                f"expected a fitted transformer, got {type(estimator).__name__} without the method "
                "transform: pass its output to EmbeddingDisplay.from_embedding."
            )
        check_is_fitted(estimator)
        return cls.from_embedding(
            estimator.transform(X),
            y,
            method=method,
            label_name=label_name,
            random_state=random_state,
            ax=ax,
            **scatter_kwargs,
        )

    @classmethod
    def from_embedding(
        cls,
        embedding: Any,
        y: Any = None,
        *,
        method: Any = "pca",
        label_name: str | None = None,
        random_state: Any = None,
        ax: Any = None,
        **scatter_kwargs: Any,
    ) -> "EmbeddingDisplay":
        """Plot an embedding that is already computed.

        Parameters
        ----------
        embedding : array-like of shape (n_nodes, n_components)
            At least two nodes and two components.
        y : array-like of shape (n_nodes,), default=None
            Classes or real numbers that give the colours.
        method : {"pca", "tsne"}, transformer or None, default="pca"
            How to get two dimensions: principal components, which keep distances but may overlap;
            t-SNE, which shows groups but neither their sizes nor their distances, and takes seconds
            a thousand nodes; an object whose ``fit_transform`` returns two columns; None if the
            embedding has two columns to plot as they are.
        label_name : str, default=None
            Title of the legend; if omitted, the name of `y` if it is a Series.
        random_state : int, RandomState instance or None, default=None
            For principal components of large embeddings and for t-SNE.
        ax : matplotlib Axes, default=None
            A new figure if omitted.
        **scatter_kwargs : dict
            Passed to ``Axes.scatter``.

        Returns
        -------
        EmbeddingDisplay

        Raises
        ------
        ValueError
            If shapes do not fit or `method` is unknown.
        ImportError
            If matplotlib is missing.
        """
        import_matplotlib(f"{cls.__name__}.from_embedding")
        embedding = check_array(embedding, ensure_min_samples=2, ensure_min_features=2)
        if label_name is None:
            label_name = getattr(y, "name", None)
        if y is not None:
            y = column_or_1d(y)
            check_consistent_length(embedding, y)
        coordinates, axis_names = _project(embedding, method, random_state)
        display = cls(coordinates, labels=y, label_name=label_name, axis_names=axis_names)
        return display.plot(ax, **scatter_kwargs)

    # The name that displays of scikit-learn have for what needs no estimator.
    from_predictions = from_embedding

    def plot(self, ax: Any = None, **scatter_kwargs: Any) -> "EmbeddingDisplay":
        """Draw the points and the legend.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            A new figure if omitted.
        **scatter_kwargs : dict
            Passed to ``Axes.scatter``.

        Returns
        -------
        EmbeddingDisplay
            Itself, with the attributes that end in an underscore set.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        """
        caller = f"{type(self).__name__}.plot"
        matplotlib = import_matplotlib(caller)
        self.ax_ = new_axes(caller) if ax is None else ax
        self.figure_ = self.ax_.figure
        self.legend_ = self.colorbar_ = None
        given = matplotlib.cbook.normalize_kwargs(
            scatter_kwargs, matplotlib.collections.PathCollection
        )
        style = _default_style(len(self.coordinates)) | given
        if self.labels is None:
            self._plot_plain(style)
        elif _are_numbers(self.labels):
            self._plot_numbers(style)
        else:
            self._plot_classes(style)
        self.ax_.set(xlabel=self.axis_names[0], ylabel=self.axis_names[1], xticks=[], yticks=[])
        self.ax_.set_aspect("equal", adjustable="datalim")
        self.ax_.spines[:].set(color="0.7", linewidth=0.8)
        if ax is None and self.legend_ is not None:
            widen_for_legend(self.figure_, self.legend_)
        return self

    def _plot_plain(self, style: dict) -> None:
        if not _COLOR_NAMES & set(style):
            style = style | {"color": PALETTE[0]}
        self.scatter_ = self.ax_.scatter(*self.coordinates.T, **style)

    def _plot_numbers(self, style: dict) -> None:
        if _COLOR_NAMES & set(style):
            self._plot_plain(style)
            return
        self.scatter_ = self.ax_.scatter(*self.coordinates.T, c=self.labels, **style)
        self.colorbar_ = self.figure_.colorbar(self.scatter_, ax=self.ax_, label=self.label_name)
        self.colorbar_.solids.set_alpha(1)
        self.colorbar_.outline.set_visible(False)

    def _plot_classes(self, style: dict) -> None:
        classes, codes = np.unique(self.labels, return_inverse=True)
        colors, markers = style_of_classes(len(classes))
        order = np.random.RandomState(0).permutation(len(codes))
        codes = codes[order]
        style = {name: _reordered(name, value, order) for name, value in style.items()}
        if not _COLOR_NAMES & set(style):
            style["c"] = colors[codes]
        self.scatter_ = self.ax_.scatter(*self.coordinates[order].T, **style)
        if len(set(markers)) > 1 and "marker" not in style:
            paths = [_marker_path(marker) for marker in markers]
            self.scatter_.set_paths([paths[code] for code in codes])
        self.legend_ = self._draw_legend(classes, colors, markers)

    def _draw_legend(self, classes: np.ndarray, colors: np.ndarray, markers: Any) -> Any:
        """Legend beside the axes, with points large enough to tell their colours."""
        from matplotlib.lines import Line2D

        handles = [
            Line2D([], [], linestyle="", marker=marker, markersize=7, color=color, label=str(name))
            for name, color, marker in zip(classes, colors, markers, strict=True)
        ]
        return self.ax_.legend(
            handles=handles,
            title=self.label_name,
            loc="center left",
            bbox_to_anchor=(1.0, 0.5),
            frameon=False,
            ncols=-(-len(classes) // _ROWS_PER_LEGEND_COLUMN),
            handletextpad=0.1,
        )


def _reordered(name: str, value: Any, order: np.ndarray) -> Any:
    """Sizes, colours and the like of single points follow their points."""
    from matplotlib.colors import is_color_like

    is_per_point = name in _PER_POINT_NAMES and hasattr(value, "__len__")
    if not is_per_point or len(value) != len(order) or is_color_like(value):
        return value
    values = list(value)
    return [values[i] for i in order]


def _project(embedding: np.ndarray, method: Any, random_state: Any) -> tuple:
    """Two columns and what to call them."""
    if method is None:
        names, coordinates = ("dimension 1", "dimension 2"), embedding
    elif isinstance(method, str) and method == "pca":
        pca = PCA(n_components=2, random_state=random_state)
        coordinates = pca.fit_transform(embedding)
        shares = 100 * np.nan_to_num(pca.explained_variance_ratio_)
        names = tuple(f"PC {i} ({share:.0f} %)" for i, share in enumerate(shares, start=1))
    elif isinstance(method, str) and method == "tsne":
        perplexity = min(30.0, (len(embedding) - 1) / 3)
        tsne = TSNE(perplexity=perplexity, random_state=random_state)
        names, coordinates = ("t-SNE 1", "t-SNE 2"), tsne.fit_transform(embedding)
    elif hasattr(method, "fit_transform"):
        name = type(method).__name__
        names, coordinates = (f"{name} 1", f"{name} 2"), method.fit_transform(embedding)
    else:
        raise ValueError(
            "method must be 'pca', 'tsne', None or an object with the method fit_transform, got "
            f"{method!r}."
        )
    coordinates = np.asarray(coordinates)
    if coordinates.shape != (len(embedding), 2):
        raise ValueError(
            f"two columns can be plotted, method={method!r} gives the shape {coordinates.shape}."
        )
    return coordinates, names


def _are_numbers(labels: Any) -> bool:
    """Whether labels are measurements (or too many numbers to tell apart), not classes."""
    if type_of_target(labels).startswith("continuous"):
        return True
    return np.asarray(labels).dtype.kind in "iuf" and len(np.unique(labels)) > N_STYLES


def _default_style(n_points: int) -> dict:
    return {
        "s": float(np.clip(20_000 / n_points, 1, 40)),
        "alpha": 0.85,
        "linewidth": 0,
        "rasterized": n_points >= _RASTERIZED_FROM,
    }


def _marker_path(marker: str) -> Any:
    from matplotlib.markers import MarkerStyle

    style = MarkerStyle(marker)
    return style.get_path().transformed(style.get_transform())
