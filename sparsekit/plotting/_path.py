"""Regularisation paths: what becomes of coefficients or of a criterion as the penalty falls."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils import check_array, column_or_1d

from sparsekit.plotting._style import PALETTE, import_matplotlib, new_axes, widen_for_legend

__all__ = ["PathDisplay"]

# So many numbers of edges (or whatever is counted) are written above the axes.
_N_COUNTS = 7
# Single curves of up to so many penalties have markers.
_MOST_MARKERS = 40


class PathDisplay:
    """Values along a path of penalties, from the largest penalty to the smallest.

    Create it by `from_path` or `from_values`; all parameters are stored as attributes. A single
    curve shows a criterion or a count; of many curves, such as coefficients, the ten largest have
    colours and names and the others are grey. Counts, such as numbers of edges, stand above the
    axes.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,)
        Penalties, in any order.
    values : ndarray of shape (n_alphas, n_curves)
        What to draw.
    value_name : str, default="value"
        Label of the vertical axis.
    curve_names : sequence of n_curves str, default=None
        Names for the legend.
    counts : ndarray of shape (n_alphas,), default=None
        Numbers for above the axes.
    count_name : str, default="edges"
        What is counted.
    chosen : float, default=None
        Penalty to mark by a vertical line.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : list of matplotlib Line2D
        One a curve, in the order of the columns.
    chosen_line_ : matplotlib Line2D or None
    legend_ : matplotlib Legend or None

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from sparsekit.plotting import PathDisplay
    >>> alphas = np.geomspace(1, 0.01, 9)
    >>> criterion = (np.log10(alphas) + 1.3) ** 2
    >>> display = PathDisplay.from_values(alphas, criterion, value_name="EBIC", chosen=0.05)
    >>> display.ax_.get_xscale()
    'log'
    >>> plt.show()
    """

    def __init__(
        self,
        alphas: Any,
        values: Any,
        *,
        value_name: str = "value",
        curve_names: Sequence[str] | None = None,
        counts: Any = None,
        count_name: str = "edges",
        chosen: float | None = None,
    ) -> None:
        self.alphas = alphas
        self.values = values
        self.value_name = value_name
        self.curve_names = curve_names
        self.counts = counts
        self.count_name = count_name
        self.chosen = chosen

    @classmethod
    def from_path(cls, path: Any, *, kind: str = "ebic", ax: Any = None) -> "PathDisplay":
        """Draw what `colide_path` returns.

        Parameters
        ----------
        path : CoLiDEPath
            Fits along a path of penalties.
        kind : {"ebic", "weights"}, default="ebic"
            The extended BIC, or the weights (before the threshold) of the edges that are in any of
            the graphs. Numbers of edges stand above the axes, the alpha with the least extended BIC
            is marked.
        ax : matplotlib Axes, default=None
            A new figure if omitted.

        Returns
        -------
        PathDisplay

        Raises
        ------
        ValueError
            If `kind` is unknown, or there are no edges whose weights could be drawn.
        ImportError
            If matplotlib is missing.
        """
        if kind == "ebic":
            values, names, title = path.ebic, None, "extended BIC"
        elif kind == "weights":
            values, names = _weights_along(path)
            title = "weight"
        else:
            raise ValueError(f"kind must be 'ebic' or 'weights', got {kind!r}.")
        return cls.from_values(
            path.alphas,
            values,
            value_name=title,
            curve_names=names,
            counts=path.n_edges,
            chosen=path.alpha_best,
            ax=ax,
        )

    @classmethod
    def from_values(
        cls,
        alphas: Any,
        values: Any,
        *,
        value_name: str = "value",
        curve_names: Sequence[str] | None = None,
        counts: Any = None,
        count_name: str = "edges",
        chosen: float | None = None,
        ax: Any = None,
    ) -> "PathDisplay":
        """Draw values that are already computed.

        Parameters
        ----------
        alphas : array-like of shape (n_alphas,)
            Penalties.
        values : array-like of shape (n_alphas,) or (n_alphas, n_curves)
            What to draw.
        value_name : str, default="value"
            Label of the vertical axis.
        curve_names : sequence of n_curves str, default=None
            Names for the legend.
        counts : array-like of shape (n_alphas,), default=None
            Numbers for above the axes.
        count_name : str, default="edges"
            What is counted.
        chosen : float, default=None
            Penalty to mark by a vertical line.
        ax : matplotlib Axes, default=None
            A new figure if omitted.

        Returns
        -------
        PathDisplay

        Raises
        ------
        ValueError
            If lengths do not fit or a penalty is negative.
        ImportError
            If matplotlib is missing.
        """
        import_matplotlib(f"{cls.__name__}.from_values")
        alphas = column_or_1d(alphas, dtype=np.float64)
        if not np.all(alphas >= 0):
            raise ValueError(f"penalties are not negative, got alphas={alphas}.")
        values = np.asarray(values)
        values = check_array(values[:, None] if values.ndim == 1 else values, dtype=np.float64)
        lengths = {"values": len(values)}
        if counts is not None:
            counts = column_or_1d(counts)
            lengths["counts"] = len(counts)
        for name, length in lengths.items():
            if length != len(alphas):
                raise ValueError(f"expected {len(alphas)} {name}, one an alpha, got {length}.")
        if curve_names is not None and len(curve_names) != values.shape[1]:
            raise ValueError(f"expected {values.shape[1]} curve_names, got {len(curve_names)}.")
        display = cls(
            alphas,
            values,
            value_name=value_name,
            curve_names=curve_names,
            counts=counts,
            count_name=count_name,
            chosen=chosen,
        )
        return display.plot(ax)

    # The name that displays of scikit-learn have for what needs no estimator.
    from_predictions = from_values

    def plot(self, ax: Any = None) -> "PathDisplay":
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            A new figure if omitted.

        Returns
        -------
        PathDisplay
            Itself, with the attributes that end in an underscore set.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        """
        caller = f"{type(self).__name__}.plot"
        import_matplotlib(caller)
        self.ax_ = new_axes(caller) if ax is None else ax
        self.figure_ = self.ax_.figure
        self._draw_curves()
        self._draw_axes()
        self.chosen_line_ = None
        if self.chosen is not None:
            self._mark(self.chosen)
        self._draw_legend()
        if ax is None and self.legend_ is not None:
            widen_for_legend(self.figure_, self.legend_)
        return self

    def _largest(self) -> list[int]:
        """Columns with a colour of their own."""
        sizes = np.abs(self.values).max(axis=0)
        largest = np.argsort(-sizes, kind="stable")[: len(PALETTE)]
        return sorted(column for column in largest.tolist() if sizes[column] > 0)

    def _draw_curves(self) -> None:
        order = np.argsort(-self.alphas, kind="stable")
        alphas, n_curves = self.alphas[order], self.values.shape[1]
        colors = dict(zip(self._largest(), PALETTE, strict=False))
        marker = "o" if n_curves == 1 and len(alphas) <= _MOST_MARKERS else ""
        self.lines_ = []
        for column in range(n_curves):
            style = {"color": colors.get(column, "0.8"), "marker": marker, "markersize": 4}
            style |= {"zorder": 3, "linewidth": 1.5} if column in colors else {"linewidth": 0.7}
            self.lines_ += self.ax_.plot(alphas, self.values[order, column], **style)
            if self.curve_names is not None and column in colors:
                self.lines_[-1].set_label(str(self.curve_names[column]))

    def _draw_axes(self) -> None:
        ax = self.ax_
        if np.all(self.alphas > 0):
            ax.set_xscale("log")
        if not ax.xaxis_inverted():
            ax.invert_xaxis()
        ax.set(xlabel="alpha", ylabel=self.value_name)
        ax.spines[["top", "right"]].set_visible(False)
        if self.counts is None:
            return
        chosen = np.unique(np.linspace(0, len(self.alphas) - 1, _N_COUNTS).round().astype(int))
        above = ax.secondary_xaxis("top")
        above.set_xticks(self.alphas[chosen], [f"{count:g}" for count in self.counts[chosen]])
        above.set_xticks([], minor=True)
        above.set_xlabel(self.count_name)
        above.tick_params(length=0)
        above.spines[:].set_visible(False)

    def _mark(self, alpha: float) -> None:
        self.chosen_line_ = self.ax_.axvline(alpha, color="0.4", ls="--", linewidth=1, zorder=1)
        self.ax_.annotate(
            f"{alpha:.3g}",
            (alpha, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(4, -4),
            textcoords="offset points",
            va="top",
            color="0.4",
        )

    def _draw_legend(self) -> None:
        self.legend_ = None
        if any(not line.get_label().startswith("_") for line in self.ax_.get_lines()):
            self.legend_ = self.ax_.legend(
                loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False
            )


def _weights_along(path: Any) -> tuple[np.ndarray, list[str]]:
    """Weights of the edges of any graph, shape (n_alphas, n_edges), and what the edges join."""
    used = sum(abs(adjacency) for adjacency in path.adjacencies).tocoo()
    if not used.nnz:
        raise ValueError("none of the graphs has an edge: try smaller alphas, or kind='ebic'.")
    rows, columns = used.row, used.col
    values = np.array([estimator.weights_[rows, columns] for estimator in path.estimators])
    first = path.estimators[0]
    names = getattr(first, "feature_names_in_", np.arange(first.n_features_in_))
    return values, [f"{names[i]} → {names[j]}" for i, j in zip(rows, columns, strict=True)]
