"""Orbit signatures of groups of nodes, and the correlation of orbits over nodes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils import check_array, check_consistent_length, column_or_1d
from sklearn.utils.validation import check_is_fitted, check_non_negative

from sparsekit.graphlets._compare import rank_correlations
from sparsekit.graphlets._tables import N_NODE_ORBITS, graphlet_of_orbit
from sparsekit.plotting._style import (
    PALETTE,
    import_matplotlib,
    style_of_classes,
    widen_for_legend,
)

__all__ = ["OrbitDisplay"]

_KINDS = ("signature", "correlation")
# The eleven orbits of the graphlet correlation distance: middles of open graphlets, orbits on
# cycles, then loose ends, so that similar ones stand side by side.
_CORRELATED = (0, 2, 5, 7, 8, 10, 11, 6, 9, 4, 1)
# Values are written into the cells of a matrix of up to so many orbits.
_MOST_ANNOTATED = 15
_ROWS_PER_LEGEND_COLUMN = 15


class OrbitDisplay:
    """Orbit counts as a picture: the signature of groups of nodes, or how orbits correlate.

    Create it by `from_estimator` or `from_counts`; all parameters are stored as attributes.

    *Signature*: for each orbit the median count of a group of nodes, with a band from the lower to
    the upper quartile, on a logarithmic axis that goes down to zero. A group of one node is its own
    line. Shaded columns and the labels above them are graphlets.

    *Correlation*: Spearman's rank correlation of the counts of two orbits over all nodes, the
    matrix that the graphlet correlation distance compares [1]_.

    Parameters
    ----------
    counts : ndarray of shape (n_nodes, 15) or (n_nodes, 73)
        Node orbit counts, not on a logarithmic scale.
    groups : ndarray of shape (n_nodes,), default=None
        Group of each node, for signatures. None: all nodes are one group. Labels of several types
        are shown, told apart and sorted as strings.
    group_name : str, default=None
        Title of the legend.
    orbits : sequence of int, default=None
        Which orbits to show and in which order. None: all for signatures; for correlations the
        eleven of the graphlet correlation distance, similar ones side by side.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : list of matplotlib Line2D
        Medians, one a group in sorted order; empty for correlations.
    legend_ : matplotlib Legend or None
    correlation_ : ndarray of shape (n_orbits, n_orbits) or None
        What was drawn, for correlations.
    image_ : matplotlib AxesImage or None
    colorbar_ : matplotlib Colorbar or None

    References
    ----------
    .. [1] O. N. Yaveroglu et al.: "Revealing the hidden language of complex networks", Scientific
       Reports 4 (2014), 4547.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sparsekit.datasets import load_karate_club
    >>> from sparsekit.graphlets import OrbitCounter
    >>> from sparsekit.plotting import OrbitDisplay
    >>> club = load_karate_club()
    >>> counter = OrbitCounter().fit(club.data)
    >>> display = OrbitDisplay.from_estimator(counter, club.data, club.target)
    >>> [text.get_text() for text in display.legend_.get_texts()]
    ['0 (17 nodes)', '1 (17 nodes)']
    >>> display = display.plot(kind="correlation")
    >>> display.correlation_.shape
    (11, 11)
    >>> plt.show()
    """

    def __init__(
        self,
        counts: Any,
        *,
        groups: Any = None,
        group_name: str | None = None,
        orbits: Sequence[int] | None = None,
    ) -> None:
        self.counts = counts
        self.groups = groups
        self.group_name = group_name
        self.orbits = orbits

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        groups: Any = None,
        *,
        kind: str = "signature",
        orbits: Sequence[int] | None = None,
        group_name: str | None = None,
        ax: Any = None,
    ) -> "OrbitDisplay":
        """Plot what a fitted counter makes of X.

        Parameters
        ----------
        estimator : fitted transformer
            `OrbitCounter`, or `NodeFeatures` or a pipeline whose output are its counts. Counts on a
            logarithmic scale (``log=True``) are turned back.
        X : {array-like, sparse matrix} of shape (n_nodes, n_features)
            Passed to ``estimator.transform``: an adjacency, or node ids for `NodeFeatures`.
        groups : array-like of shape (n_nodes,), default=None
            Group of each node, for signatures.
        kind : {"signature", "correlation"}, default="signature"
        orbits : sequence of int, default=None
            See the class.
        group_name : str, default=None
            Title of the legend; if omitted, the name of `groups` if it is a Series.
        ax : matplotlib Axes, default=None
            A new figure if omitted.

        Returns
        -------
        OrbitDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it has no method `transform`.
        ValueError
            As `from_counts`.
        ImportError
            If matplotlib is missing.
        """
        import_matplotlib(f"{cls.__name__}.from_estimator")
        if not hasattr(estimator, "transform"):
            raise TypeError(
                f"expected a fitted transformer, got {type(estimator).__name__} without the method "
                "transform: pass orbit counts to OrbitDisplay.from_counts."
            )
        check_is_fitted(estimator)
        counts = np.asarray(estimator.transform(X))
        if _is_logarithmic(estimator):
            counts = np.rint(np.expm1(counts))
        return cls.from_counts(
            counts, groups, kind=kind, orbits=orbits, group_name=group_name, ax=ax
        )

    @classmethod
    def from_counts(
        cls,
        counts: Any,
        groups: Any = None,
        *,
        kind: str = "signature",
        orbits: Sequence[int] | None = None,
        group_name: str | None = None,
        ax: Any = None,
    ) -> "OrbitDisplay":
        """Plot node orbit counts that are already computed.

        Parameters
        ----------
        counts : array-like of shape (n_nodes, 15) or (n_nodes, 73)
            As from `count_orbits`, of all nodes or of some.
        groups : array-like of shape (n_nodes,), default=None
            Group of each node, for signatures: labels, or names to show single nodes.
        kind : {"signature", "correlation"}, default="signature"
        orbits : sequence of int, default=None
            See the class.
        group_name : str, default=None
            Title of the legend; if omitted, the name of `groups` if it is a Series.
        ax : matplotlib Axes, default=None
            A new figure if omitted.

        Returns
        -------
        OrbitDisplay

        Raises
        ------
        ValueError
            If shapes do not fit, a count is negative, or `kind` or an orbit is unknown.
        ImportError
            If matplotlib is missing.
        """
        import_matplotlib(f"{cls.__name__}.from_counts")
        counts = check_array(counts)
        check_non_negative(counts, cls.__name__)
        if counts.shape[1] not in N_NODE_ORBITS.values():
            raise ValueError(
                f"node orbit counts have 15 columns (up to 4 nodes) or 73 (up to 5), got "
                f"{counts.shape[1]}."
            )
        if group_name is None:
            group_name = getattr(groups, "name", None)
        if groups is not None:
            groups = column_or_1d(groups)
            check_consistent_length(counts, groups)
        display = cls(counts, groups=groups, group_name=group_name, orbits=orbits)
        return display.plot(ax, kind=kind)

    # The name that displays of scikit-learn have for what needs no estimator.
    from_predictions = from_counts

    def plot(self, ax: Any = None, *, kind: str = "signature") -> "OrbitDisplay":
        """Draw signatures or the correlation matrix.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            A new figure if omitted.
        kind : {"signature", "correlation"}, default="signature"

        Returns
        -------
        OrbitDisplay
            Itself, with the attributes that end in an underscore set.

        Raises
        ------
        ValueError
            If `kind` or an orbit is unknown.
        ImportError
            If matplotlib is missing.
        """
        pyplot = import_matplotlib(f"{type(self).__name__}.plot").pyplot
        if kind not in _KINDS:
            raise ValueError(f"kind must be 'signature' or 'correlation', got {kind!r}.")
        orbits = self._shown_orbits(kind)
        self.lines_: list = []
        self.legend_ = self.correlation_ = self.image_ = self.colorbar_ = None
        is_own = ax is None
        if is_own:
            size = _figure_size(kind, len(orbits))
            ax = pyplot.subplots(figsize=size, layout="constrained")[1]
        self.ax_, self.figure_ = ax, ax.figure
        if kind == "signature":
            self._plot_signatures(orbits)
        else:
            self._plot_correlation(orbits)
        if is_own and self.legend_ is not None:
            widen_for_legend(self.figure_, self.legend_)
        return self

    def _shown_orbits(self, kind: str) -> np.ndarray:
        n_orbits = self.counts.shape[1]
        if self.orbits is None:
            return np.array(_CORRELATED if kind == "correlation" else range(n_orbits))
        orbits = np.asarray(self.orbits)
        is_valid = orbits.ndim == 1 and orbits.size > 0 and orbits.dtype.kind in "iu"
        if not is_valid or orbits.min() < 0 or orbits.max() >= n_orbits:
            raise ValueError(
                f"orbits must be a list of numbers from 0 to {n_orbits - 1}, got {self.orbits!r}."
            )
        return orbits

    def _plot_signatures(self, orbits: np.ndarray) -> None:
        counts, places = self.counts[:, orbits], np.arange(len(orbits))
        groups = np.zeros(len(counts), dtype=int) if self.groups is None else self.groups
        names, codes, sizes = _unique(groups)
        colors, markers = style_of_classes(len(names))
        if len(names) == 1:  # the points get the colours of their graphlets instead
            colors = ["0.6"]
        for number, name in enumerate(names):
            low, middle, high = np.quantile(counts[codes == number], (0.25, 0.5, 0.75), axis=0)
            style = {"color": colors[number], "marker": markers[number], "markersize": 5}
            text = str(name) if sizes[number] == 1 else f"{name} ({sizes[number]} nodes)"
            self.lines_ += self.ax_.plot(places, middle, label=text, clip_on=False, **style)
            if sizes[number] > 1:
                self.ax_.fill_between(places, low, high, color=colors[number], alpha=0.2, lw=0)
        if len(names) == 1:
            self._color_by_graphlet(orbits)
        if self.groups is not None:
            self._draw_legend()
        self._label_orbits(orbits)

    def _color_by_graphlet(self, orbits: np.ndarray) -> None:
        """The points of a single line."""
        [line] = self.lines_
        line.set_marker("")
        colors = [PALETTE[graphlet % len(PALETTE)] for graphlet in graphlet_of_orbit()[orbits]]
        self.ax_.scatter(*line.get_data(), c=colors, s=36, zorder=3, clip_on=False)

    def _draw_legend(self) -> None:
        self.legend_ = self.ax_.legend(
            title=self.group_name,
            loc="center left",
            bbox_to_anchor=(1.0, 0.5),
            frameon=False,
            ncols=-(-len(self.lines_) // _ROWS_PER_LEGEND_COLUMN),
        )

    def _label_orbits(self, orbits: np.ndarray) -> None:
        """Orbits below, graphlets above; every other graphlet is shaded."""
        is_wide = len(orbits) > _MOST_ANNOTATED
        graphlets = graphlet_of_orbit()[orbits]
        starts = np.flatnonzero(np.diff(graphlets, prepend=-1))
        for number, (first, last) in enumerate(
            zip(starts, np.append(starts[1:], len(orbits)), strict=True)
        ):
            if number % 2 == 0:
                self.ax_.axvspan(first - 0.5, last - 0.5, color="0.5", alpha=0.12, lw=0, zorder=0)
            self.ax_.annotate(
                f"G{graphlets[first]}",
                ((first + last - 1) / 2, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(0, 4),
                textcoords="offset points",
                ha="center",
                fontsize=7 if is_wide else 9,
                rotation=90 if is_wide else 0,
            )
        self.ax_.set_yscale("symlog", linthresh=1, linscale=0.5)
        self.ax_.set(xlabel="orbit", ylabel="count" if self._is_single() else "count (median)")
        self.ax_.set_xlim(-0.5, len(orbits) - 0.5)
        self.ax_.set_ylim(bottom=0)
        self.ax_.set_xticks(range(len(orbits)), orbits)
        if is_wide:
            self.ax_.tick_params(axis="x", labelsize=7, rotation=90)
        self.ax_.spines[["top", "right"]].set_visible(False)

    def _is_single(self) -> bool:
        return len(self.counts) == len(self.lines_)

    def _plot_correlation(self, orbits: np.ndarray) -> None:
        self.correlation_ = rank_correlations(self.counts[:, orbits])
        ax, numbers = self.ax_, range(len(orbits))
        self.image_ = ax.imshow(self.correlation_, cmap="RdBu_r", vmin=-1, vmax=1)
        is_wide = len(orbits) > _MOST_ANNOTATED
        names = [f"{orbit} (G{graphlet_of_orbit()[orbit]})" for orbit in orbits]
        ax.set_xticks(numbers, orbits, rotation=90 if is_wide else 0)
        ax.set_yticks(numbers, names)
        ax.tick_params(length=0, labelsize=5 if is_wide else 9)
        ax.spines[:].set_visible(False)
        ax.set(xlabel="orbit", ylabel="orbit (graphlet)")
        self.colorbar_ = self.figure_.colorbar(
            self.image_, ax=ax, label="Spearman correlation", shrink=0.85
        )
        self.colorbar_.outline.set_visible(False)
        for (row, column), value in np.ndenumerate(self.correlation_):
            if not is_wide:
                color = "white" if abs(value) > 0.65 else "black"
                style = {"ha": "center", "va": "center", "fontsize": 7}
                ax.text(column, row, f"{value:.2f}", color=color, **style)


def _figure_size(kind: str, n_orbits: int) -> tuple[float, float]:
    """Room for the number of each orbit."""
    if kind == "signature":
        return max(5.6, 1.5 + 0.15 * n_orbits), 4.6
    return (5.6, 4.6) if n_orbits <= _MOST_ANNOTATED else (9.0, 8.0)


def _is_logarithmic(estimator: Any) -> bool:
    """Whether an `OrbitCounter`, perhaps inside other estimators, returns logarithms."""
    parameters = estimator.get_params() if hasattr(estimator, "get_params") else {}
    return any(
        value is True for name, value in parameters.items() if name.rpartition("__")[2] == "log"
    )


def _unique(groups: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distinct groups in sorted order, the number of each node's group, and their sizes."""
    try:
        return np.unique(groups, return_inverse=True, return_counts=True)
    except TypeError:  # such as strings and None, which have no order
        texts = np.array([str(group) for group in groups])
        return np.unique(texts, return_inverse=True, return_counts=True)
