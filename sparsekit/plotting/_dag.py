"""Layered drawing of a directed acyclic graph, or of a graph that is directed in part."""

from collections import Counter
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sparsekit.graph import as_graph
from sparsekit.plotting._dag_edges import (
    KINDS,
    SIGNS,
    Edge,
    Look,
    adjacency_of,
    arrow_of,
    checked,
    checked_confidence,
    checked_positions,
    compare,
    edges_of,
    legend_of,
    line_of,
    looks_of,
    mixed,
    style_color,
    without_loops,
)
from sparsekit.plotting._drawing import FONT, Drawing, arrange, aspect_of, points_per_unit
from sparsekit.plotting._routes import place_numbers
from sparsekit.plotting._style import import_matplotlib

__all__ = ["DAGDisplay"]

# Size of the numbers on edges, in units of the height of a box.
_EDGE_FONT = 0.38
_CORNER = 0.35
_MOST_LETTERS = 16
# Below this size, in points, names are left out and boxes become dots.
_LEAST_FONT = 4.0
# A box of a new figure, in points, unless the figure would become larger than this, in inches.
_BOX = 18.0
_LEAST_SIZE, _LARGEST_SIZE = (4.0, 2.5), (13.0, 9.5)
_ASPECT = 1.4
# Numbers are written on the edges of graphs of up to so many edges.
_MOST_NUMBERS = 60
# What is left of the colour of an edge that no resample has.
_FAINTEST = 0.15


class DAGDisplay:
    """Layered drawing of a directed acyclic graph: edges point down, with few crossings.

    Create it by `from_estimator` or `from_adjacency`; all parameters are stored as attributes.
    Widths of lines grow with the absolute weight, colours tell its sign. Nodes without edges stand
    below the others. In large graphs names shrink with the boxes; where they could not be read any
    more, boxes become dots.

    With `confidence`, such as the frequencies of edges over bootstrap samples, uncertain edges are
    pale, and edges of graphs of up to 60 edges carry the number. With `true`, colours and dashes
    compare both graphs: *correct*, *reversed* (joined in both, but not in the same direction),
    *extra* and *missing*; the layers are those of the true graph, so that pictures of several
    estimates can be compared.

    Parameters
    ----------
    adjacency : csr_array of shape (n_nodes, n_nodes)
        Entry [i, j] is the weight of the edge i -> j. Entries at [i, j] and [j, i] are one
        undirected edge, as in a CPDAG.
    feature_names : ndarray of shape (n_nodes,), default=None
        Numbers if omitted.
    confidence : csr_array of shape (n_nodes, n_nodes), default=None
        Values in [0, 1]. The larger of both entries counts for an undirected edge.
    true : csr_array of shape (n_nodes, n_nodes), default=None
        Graph to compare with; its weights are ignored.
    positions : ndarray of shape (n_nodes, 2), default=None
        Centres of the boxes, in units of their height; `positions_` of another display with the
        same names. Computed if omitted.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    positions_ : ndarray of shape (n_nodes, 2)
    edges_ : dict of (int, int) to matplotlib FancyArrowPatch
        By (source, target); an undirected edge by (smaller, larger), a missing one as in `true`.
    nodes_ : list of matplotlib Patch
    names_ : list of matplotlib Text
        Empty where names are left out.
    legend_ : matplotlib Legend or None

    References
    ----------
    .. [1] K. Sugiyama, S. Tagawa, M. Toda: "Methods for visual understanding of hierarchical system
       structures", IEEE Transactions on Systems, Man, and Cybernetics 11 (1981), 109-125.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sparsekit.plotting import DAGDisplay
    >>> adjacency = [[0, 1.5, 0], [0, 0, -0.5], [0, 0, 0]]
    >>> display = DAGDisplay.from_adjacency(adjacency, feature_names=["rain", "river", "harvest"])
    >>> sorted(display.edges_)
    [(0, 1), (1, 2)]
    >>> plt.show()
    """

    def __init__(
        self,
        adjacency: Any,
        *,
        feature_names: Any = None,
        confidence: Any = None,
        true: Any = None,
        positions: Any = None,
    ) -> None:
        self.adjacency = adjacency
        self.feature_names = feature_names
        self.confidence = confidence
        self.true = true
        self.positions = positions

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        feature_names: Any = None,
        confidence: Any = None,
        true: Any = None,
        positions: Any = None,
        ax: Any = None,
    ) -> "DAGDisplay":
        """Draw the graph that an estimator has found.

        Parameters
        ----------
        estimator : fitted estimator
            With the attribute `adjacency_`, such as `CoLiDE`; or `BootstrapEdges`, which stands for
            its `estimator_` with `edge_frequencies_` as confidence.
        feature_names : array-like of shape (n_nodes,), default=None
            If omitted, `feature_names_in_` of the estimator if it has seen names, else numbers.
        confidence : {array-like, sparse matrix} of shape (n_nodes, n_nodes) or fitted estimator
            See `from_adjacency`. A fitted `BootstrapEdges` stands for its `edge_frequencies_`.
        true : {array-like, sparse matrix} of shape (n_nodes, n_nodes), default=None
            Graph to compare with.
        positions : array-like of shape (n_nodes, 2), default=None
            `positions_` of another display.
        ax : matplotlib Axes, default=None
            A new figure if omitted.

        Returns
        -------
        DAGDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is no estimator or has no `adjacency_`.
        ValueError
            As `from_adjacency`.
        ImportError
            If matplotlib is missing.
        """
        estimator, given = cls._read_estimator(estimator, feature_names, confidence)
        return cls.from_adjacency(
            estimator.adjacency_, **given, true=true, positions=positions, ax=ax
        )

    @classmethod
    def _read_estimator(
        cls, estimator: Any, feature_names: Any, confidence: Any
    ) -> tuple[Any, dict[str, Any]]:
        """What has the graph, and the names and the confidence that belong to it."""
        import_matplotlib(f"{cls.__name__}.from_estimator")
        check_is_fitted(estimator)
        if hasattr(estimator, "edge_frequencies_"):
            confidence = estimator if confidence is None else confidence
            estimator = estimator.estimator_
        if not hasattr(estimator, "adjacency_"):
            raise TypeError(
                f"expected an estimator with adjacency_, got {type(estimator).__name__}: pass a "
                f"graph to {cls.__name__}.from_adjacency."
            )
        if feature_names is None:
            feature_names = getattr(estimator, "feature_names_in_", None)
        return estimator, {"feature_names": feature_names, "confidence": confidence}

    @classmethod
    def from_adjacency(
        cls,
        adjacency: Any,
        *,
        feature_names: Any = None,
        confidence: Any = None,
        true: Any = None,
        positions: Any = None,
        ax: Any = None,
    ) -> "DAGDisplay":
        """Draw a graph.

        Parameters
        ----------
        adjacency : {array-like, sparse matrix} of shape (n_nodes, n_nodes), Graph or networkx graph
            Entry [i, j] is the edge i -> j; entries at [i, j] and [j, i] are one undirected edge.
        feature_names : array-like of shape (n_nodes,), default=None
            If omitted, the names of the nodes if the graph has any, else numbers.
        confidence : {array-like, sparse matrix} of shape (n_nodes, n_nodes) or fitted estimator
            Values in [0, 1] of the edges. A fitted `BootstrapEdges` stands for its
            `edge_frequencies_`. None: not shown.
        true : {array-like, sparse matrix} of shape (n_nodes, n_nodes), Graph or networkx graph
            Graph to compare with; nodes are matched by name if both graphs have names. None: no
            comparison.
        positions : array-like of shape (n_nodes, 2), default=None
            `positions_` of another display, so that both have their nodes at the same places.
        ax : matplotlib Axes, default=None
            A new figure if omitted. Sizes are made for the axes as they are now: set up all axes of
            a figure before.

        Returns
        -------
        DAGDisplay

        Raises
        ------
        ValueError
            If shapes do not fit, an entry or a position is not finite, a node has an edge to
            itself, or a confidence is outside [0, 1].
        ImportError
            If matplotlib is missing.
        """
        given = cls._read_graph(adjacency, feature_names, confidence, true, positions)
        return cls(**given).plot(ax)

    @classmethod
    def _read_graph(
        cls, adjacency: Any, feature_names: Any, confidence: Any, true: Any, positions: Any
    ) -> dict[str, Any]:
        """Check what `from_adjacency` is given; arguments of the class."""
        import_matplotlib(f"{cls.__name__}.from_adjacency")
        graph = as_graph(adjacency)
        n_nodes = graph.n_nodes
        if feature_names is None:
            feature_names = graph.node_names
        else:
            feature_names = checked("feature_names", np.asarray(feature_names), (n_nodes,))
        shape = (n_nodes, n_nodes)
        if true is not None:
            true = without_loops(checked("true", adjacency_of(true, feature_names), shape))
        return {
            "adjacency": without_loops(graph.adjacency),
            "feature_names": feature_names,
            "confidence": checked_confidence(confidence, shape),
            "true": true,
            "positions": checked_positions(positions, n_nodes),
        }

    # The name that displays of scikit-learn have for what needs no estimator.
    from_predictions = from_adjacency

    def plot(self, ax: Any = None) -> "DAGDisplay":
        """Draw boxes, names, edges and the legend.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            A new figure if omitted.

        Returns
        -------
        DAGDisplay
            Itself, with the attributes that end in an underscore set.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        """
        pyplot = import_matplotlib(f"{type(self).__name__}.plot").pyplot
        edges = self._shown_edges()
        drawing = self._arrange(
            edges, self._shown_names(), _ASPECT if ax is None else aspect_of(ax)
        )
        if ax is None:
            low, high = drawing.corners()
            size = np.clip((high - low) * _BOX / 72, _LEAST_SIZE, _LARGEST_SIZE)
            ax = pyplot.subplots(figsize=size, layout="constrained")[1]
        if FONT * points_per_unit(ax, drawing) < _LEAST_FONT:
            drawing = self._arrange(edges, [], aspect_of(ax))
        self.ax_, self.figure_, self.positions_ = ax, ax.figure, drawing.positions
        low, high = drawing.corners()
        ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
        ax.set_aspect("equal")
        ax.set_axis_off()
        points = points_per_unit(ax, drawing)
        self._draw_nodes(drawing, points)
        self._draw_edges(edges, drawing, points)
        self.legend_ = legend_of(ax, self._legend_groups(edges, points))
        return self

    def _shown_names(self) -> list[str]:
        names = range(self.adjacency.shape[0]) if self.feature_names is None else self.feature_names
        return [
            name if len(name) <= _MOST_LETTERS else name[: _MOST_LETTERS - 1] + "…"
            for name in map(str, names)
        ]

    def _shown_edges(self) -> list[Edge]:
        found = edges_of(self.adjacency)
        return found if self.true is None else compare(found, edges_of(self.true))

    def _arrange(self, edges: list[Edge], names: list[str], aspect: float) -> Drawing:
        graph = self.adjacency if self.true is None or not self.true.nnz else self.true
        return arrange(
            self.adjacency.shape[0],
            names,
            self._layering(edges_of(graph)),
            [edge[:2] for edge in edges],
            aspect,
            positions=self.positions,
            has_numbers=self._has_numbers(edges),
        )

    def _layering(self, edges: list[Edge]) -> list[tuple[int, int]]:
        """Pairs of nodes, the first of which is to stand above."""
        return [edge[:2] for edge in edges]

    def _looks(self, edges: list[Edge]) -> list[Look]:
        return looks_of(edges)

    def _heads(self, edge: Edge) -> str:
        return "-|>" if edge.is_directed else "-"

    def _has_numbers(self, edges: list[Edge]) -> bool:
        return self.confidence is not None and len(edges) <= _MOST_NUMBERS

    def _draw_nodes(self, drawing: Drawing, points: float) -> None:
        from matplotlib.patches import FancyBboxPatch

        self.nodes_, self.names_ = [], []
        height = drawing.height
        style = f"round,pad=0,rounding_size={_CORNER if drawing.names else height / 2}"
        face, line = style_color("axes.facecolor"), style_color("text.color")
        for (x, y), width in zip(drawing.positions, drawing.widths, strict=True):
            corner = (x - width / 2, y - height / 2)
            box = FancyBboxPatch(corner, width, height, boxstyle=style, zorder=3)
            box.set(facecolor=mixed(line, face, 0.08), edgecolor=mixed(line, face, 0.55))
            box.set_linewidth(0.05 * points)
            self.nodes_.append(self.ax_.add_patch(box))
        for (x, y), name in zip(drawing.positions, drawing.names, strict=False):
            text = self.ax_.text(x, y, name, fontsize=FONT * points, zorder=4, parse_math=False)
            text.set(ha="center", va="center_baseline", clip_on=True)
            self.names_.append(text)

    def _draw_edges(self, edges: list[Edge], drawing: Drawing, points: float) -> None:
        confidences = [self._confidence_of(edge) for edge in edges]
        face = style_color("axes.facecolor")
        self.edges_ = {}
        looks = self._looks(edges)
        for edge, curve, confidence, look in zip(
            edges, drawing.curves, confidences, looks, strict=True
        ):
            arrow = arrow_of(curve, self._heads(edge), look.width * points, points)
            color = mixed(look.color, face, _FAINTEST + (1 - _FAINTEST) * confidence)
            arrow.set(color=color, linestyle=look.style, zorder=1 + confidence)
            self.edges_[edge[:2]] = self.ax_.add_patch(arrow)
        if self._has_numbers(edges):
            written = [number for number, edge in enumerate(edges) if edge.kind != "missing"]
            curves = [drawing.curves[number] for number in written]
            places = place_numbers(curves, drawing.positions, drawing.widths)
            for number, place in zip(written, places, strict=True):
                self._write_number(place, f"{confidences[number]:.2f}", points)

    def _write_number(self, place: np.ndarray, number: str, points: float) -> None:
        text = self.ax_.text(*place, number, fontsize=_EDGE_FONT * points, zorder=2.5)
        box = {"boxstyle": "round,pad=0.1", "facecolor": style_color("axes.facecolor"), "lw": 0}
        text.set(ha="center", va="center", bbox=box, clip_on=True)

    def _confidence_of(self, edge: Edge) -> float:
        if self.confidence is None or edge.kind == "missing":
            return 1.0
        there = self.confidence[edge.source, edge.target]
        back = self.confidence[edge.target, edge.source]
        return float(there if edge.is_directed else max(there, back))

    def _legend_groups(self, edges: list[Edge], points: float) -> list[list[Any]]:
        """Entries of the legend; several groups stand side by side."""
        entries = {}
        if self.true is not None:
            counts = Counter(edge.kind for edge in edges)
            entries = {f"{kind} ({counts[kind]})": look for kind, look in KINDS.items()}
        elif any(edge.weight < 0 for edge in edges):
            entries = SIGNS
        return [[line_of(text, color, style) for text, (color, style) in entries.items()]]
