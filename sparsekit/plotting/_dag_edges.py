"""The edges of a drawing: directed or not, compared with those of a true graph, and their looks."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from sparsekit.graph import as_graph
from sparsekit.plotting._style import PALETTE

__all__ = [
    "KINDS",
    "SIGNS",
    "Edge",
    "Look",
    "adjacency_of",
    "arrow_of",
    "checked",
    "checked_confidence",
    "checked_positions",
    "compare",
    "edges_of",
    "legend_of",
    "line_of",
    "looks_of",
    "mixed",
    "style_color",
    "without_loops",
]

# Colours and dashes. Orange and blue differ for everybody, and so do the dashes.
SIGNS = {"positive": (PALETTE[0], "-"), "negative": (PALETTE[6], "-")}
KINDS = {
    "correct": (PALETTE[0], "-"),
    "reversed": (PALETTE[1], (0, (5, 1.5))),
    "extra": (PALETTE[2], (0, (5, 1.2, 1, 1.2))),
    "missing": ("0.6", (0, (1, 1.5))),
}

# Widths of lines in units of the height of a box; graphs of more edges than this get finer lines.
_FINEST, _BOLDEST = 0.05, 0.17
_MANY_EDGES = 60
_INCHES_OF_AN_ENTRY = 1.4


def adjacency_of(graph: Any, names: Any) -> sp.csr_array:
    """Adjacency in the order of the names, if the graph has names, too."""
    graph = as_graph(graph)
    if names is None or graph.node_names is None:
        return graph.adjacency
    order = graph.indices_of(names)
    return graph.adjacency[order][:, order]


def checked(name: str, value: Any, shape: tuple[int, ...]) -> Any:
    """Raise ValueError unless the shape is that of the graph."""
    if value.shape != shape:
        raise ValueError(f"expected {name} of shape {shape} for this graph, got {value.shape}.")
    return value


def without_loops(adjacency: sp.csr_array) -> sp.csr_array:
    """Raise ValueError if a node has an edge to itself."""
    loops = np.flatnonzero(adjacency.diagonal())
    if len(loops):
        raise ValueError(
            f"node {loops[0]} has an edge to itself: set the diagonal of the adjacency to zero."
        )
    return adjacency


def checked_confidence(confidence: Any, shape: tuple[int, int]) -> sp.csr_array | None:
    """Frequencies of edges, or those of fitted resamples.

    Raises
    ------
    ValueError
        If the shape is not that of the graph or a value is outside [0, 1].
    """
    if confidence is None:
        return None
    confidence = getattr(confidence, "edge_frequencies_", confidence)
    confidence = checked("confidence", sp.csr_array(confidence), shape)
    if not all(0 <= value <= 1 for value in confidence.data):
        raise ValueError("confidence must lie in [0, 1]: pass shares of resamples.")
    return confidence


def checked_positions(positions: Any, n_nodes: int) -> np.ndarray | None:
    """Places of the nodes.

    Raises
    ------
    ValueError
        If there is not one for each node, or one is not finite.
    """
    if positions is None:
        return None
    positions = checked("positions", np.asarray(positions, dtype=float), (n_nodes, 2))
    if not np.isfinite(positions).all():
        raise ValueError("positions must be finite: give every node a place.")
    return positions


class Edge(NamedTuple):
    """One line of the drawing: source -> target, or source - target."""

    source: int
    target: int
    is_directed: bool
    weight: float
    kind: str = ""


class Look(NamedTuple):
    """Colour, dashes and width of a line."""

    color: str
    style: Any
    width: float


def edges_of(adjacency: sp.csr_array) -> list[Edge]:
    """Directed edges, and each undirected one once."""
    coo = adjacency.tocoo()
    ends = zip(coo.row.tolist(), coo.col.tolist(), strict=True)
    weights = dict(zip(ends, coo.data.tolist(), strict=True))
    return [
        Edge(i, j, (j, i) not in weights, weight)
        for (i, j), weight in weights.items()
        if i < j or (j, i) not in weights
    ]


def compare(found: Sequence[Edge], true: Sequence[Edge]) -> list[Edge]:
    """Edges of both graphs, one for each pair of nodes that is joined in either."""
    left = {frozenset(edge[:2]): edge for edge in true}
    edges = []
    for edge in found:
        other = left.pop(frozenset(edge[:2]), None)
        is_same = other is not None and other[:3] == edge[:3]
        kind = "extra" if other is None else "correct" if is_same else "reversed"
        edges.append(edge._replace(kind=kind))
    return edges + [edge._replace(weight=0.0, kind="missing") for edge in left.values()]


def looks_of(edges: Sequence[Edge]) -> list[Look]:
    """Kinds or else signs give colours, absolute weights give widths."""
    sizes = [abs(edge.weight) for edge in edges if edge.kind != "missing"]
    largest = max(sizes, default=0.0) or 1.0
    scale = min(1.0, (_MANY_EDGES / max(1, len(edges))) ** 0.5)
    looks = []
    for edge in edges:
        sign = "negative" if edge.weight < 0 else "positive"
        color, style = KINDS[edge.kind] if edge.kind else SIGNS[sign]
        share = abs(edge.weight) / largest if edge.kind != "missing" else 0.0
        if len(set(sizes)) == 1:  # not weighted
            share *= 0.5
        looks.append(Look(color, style, scale * (_FINEST + share * (_BOLDEST - _FINEST))))
    return looks


def style_color(parameter: str) -> np.ndarray:
    """Colour of a matplotlib parameter, in the style that is in use."""
    import matplotlib

    return np.array(matplotlib.colors.to_rgb(matplotlib.rcParams[parameter]))


def mixed(color: Any, background: np.ndarray, share: float) -> np.ndarray:
    """A paler colour; half-transparent lines would show where they cross their own arrow heads."""
    from matplotlib.colors import to_rgb

    return share * np.array(to_rgb(color)) + (1 - share) * background


def arrow_of(curve: np.ndarray, heads: str, width: float, points: float) -> Any:
    """Patch of one edge, with heads as in "-|>"; `width` and the size of a unit in points."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    codes = [Path.MOVETO] + [Path.CURVE4] * (len(curve) - 1)
    return FancyArrowPatch(
        path=Path(curve, codes),
        arrowstyle=heads,
        mutation_scale=0.45 * points + 2.0 * width,
        linewidth=width,
        joinstyle="miter",
    )


def line_of(text: str, color: Any, style: Any = "-", width: float = 2.0) -> Any:
    """Entry of a legend."""
    from matplotlib.lines import Line2D

    return Line2D([], [], color=color, linestyle=style, linewidth=width, label=text)


def legend_of(ax: Any, groups: list[list[Any]]) -> Any:
    """Legend below the axes, if there is anything in it; each of several groups is a column."""
    groups = [group for group in groups if group]
    if not groups:
        return None
    if len(groups) == 1:
        [handles] = groups
        fitting = ax.get_window_extent().width / ax.figure.dpi / _INCHES_OF_AN_ENTRY
        n_columns = len(handles) if len(handles) <= fitting else 2
    else:
        blank, length = line_of("", "none"), max(map(len, groups))
        handles = [entry for group in groups for entry in [*group, *[blank] * length][:length]]
        n_columns = len(groups)
    return ax.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        ncols=n_columns,
        frameon=False,
        fontsize="small",
    )
