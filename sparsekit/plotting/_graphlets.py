"""The picture of the 30 graphlets, drawn from the table that the counts are made from."""

from itertools import pairwise
from typing import Any

from sparsekit.graphlets._tables import GRAPHLETS, N_GRAPHLETS, Graphlet
from sparsekit.plotting._style import PALETTE, import_matplotlib

__all__ = ["plot_graphlets"]

# Where the nodes of each graphlet are drawn, in the order of the table; y points up. Only the
# complete graph of five nodes needs crossing edges.
# fmt: off
_PENTAGON = ((0.0, 0.92), (-0.95, 0.22), (0.95, 0.22), (-0.6, -0.85), (0.6, -0.85))
_LAYOUTS = (
    ((-0.5, 0.0), (0.5, 0.0)),
    ((0.0, 0.6), (-0.75, -0.6), (0.75, -0.6)),
    ((0.0, 0.6), (-0.75, -0.6), (0.75, -0.6)),
    ((-0.7, 0.7), (0.7, 0.7), (-0.7, -0.7), (0.7, -0.7)),
    ((0.0, 0.0), (0.0, 0.9), (-0.85, -0.7), (0.85, -0.7)),
    ((-0.7, 0.7), (0.7, 0.7), (-0.7, -0.7), (0.7, -0.7)),
    ((0.0, 0.1), (-0.75, -0.8), (0.75, -0.8), (0.0, 0.9)),
    ((0.0, 0.85), (0.0, -0.85), (-0.85, 0.0), (0.85, 0.0)),
    ((0.0, -0.15), (0.0, 0.9), (-0.9, -0.8), (0.9, -0.8)),
    _PENTAGON,
    ((0.0, -0.25), (0.0, 0.33), (-0.75, -0.85), (0.75, -0.85), (0.0, 0.92)),
    ((0.0, 0.0), (-0.75, 0.75), (0.75, 0.75), (-0.75, -0.75), (0.75, -0.75)),
    ((-0.5, 0.0), (0.5, 0.0), (0.0, -0.85), (-0.9, 0.8), (0.9, 0.8)),
    ((0.0, -0.25), (-0.75, -0.85), (0.75, -0.85), (0.0, 0.33), (0.0, 0.92)),
    ((0.0, 0.0), (-0.75, -0.75), (0.75, -0.75), (-0.75, 0.75), (0.75, 0.75)),
    _PENTAGON,
    ((0.0, 0.27), (-0.75, -0.3), (0.75, -0.3), (0.0, 0.92), (0.0, -0.88)),
    ((0.0, 0.27), (0.0, -0.88), (-0.8, -0.3), (0.8, -0.3), (0.0, 0.92)),
    ((0.0, 0.0), (-0.85, 0.65), (-0.85, -0.65), (0.85, 0.65), (0.85, -0.65)),
    ((-0.75, -0.3), (0.75, -0.3), (0.0, 0.27), (0.0, -0.88), (0.0, 0.92)),
    ((0.0, 0.85), (-0.85, 0.0), (0.0, 0.0), (0.85, 0.0), (0.0, -0.85)),
    ((-0.65, 0.2), (0.65, 0.2), (0.0, 0.9), (-0.65, -0.85), (0.65, -0.85)),
    ((-0.9, -0.85), (0.9, -0.85), (0.0, 0.92), (0.0, 0.3), (0.0, -0.32)),
    ((0.0, 0.28), (-0.9, -0.85), (0.9, -0.85), (0.0, -0.4), (0.0, 0.92)),
    ((0.0, -0.8), (-0.42, 0.7), (0.42, 0.7), (-0.95, -0.1), (0.95, -0.1)),
    ((0.0, 0.9), (0.0, 0.25), (-0.85, -0.15), (0.85, -0.15), (0.0, -0.85)),
    ((-0.9, 0.25), (0.9, 0.25), (0.0, -0.9), (0.0, -0.25), (0.0, 0.9)),
    ((0.0, 0.0), (-0.8, 0.8), (0.8, 0.8), (-0.8, -0.8), (0.8, -0.8)),
    ((-0.95, -0.85), (0.95, -0.85), (0.0, 0.28), (0.0, -0.4), (0.0, 0.92)),
    _PENTAGON,
)
# fmt: on

# A cell holds one graphlet; a row holds graphlets of one size, as many as fit.
_CELL = (2.72, 3.1)
_RADIUS = {"node": 0.28, "edge": 0.1}
_ROW_TITLES = {2: "2 and 3 nodes", 4: "4 nodes", 5: "5 nodes"}
# At most four orbits in a graphlet; text on each colour is black or white, whichever is legible.
_FILLS = (PALETTE[0], PALETTE[1], PALETTE[2], PALETTE[9])
_TEXTS = ("black", "black", "white", "black")


def plot_graphlets(max_nodes: int = 5, *, kind: str = "node", ax: Any = None) -> Any:
    """Draw the graphlets and the numbers of their orbits.

    Nodes (or edges) with the same number are exchanged by a symmetry of the graphlet; within a
    graphlet they also have the same colour. The numbers are the columns of what
    `sparsekit.graphlets.count_orbits` returns.

    Parameters
    ----------
    max_nodes : {4, 5}, default=5
        The 9 graphlets of up to four nodes or all 30.
    kind : {"node", "edge"}, default="node"
        Which orbits to show. The single edge has no edge orbit.
    ax : matplotlib Axes, default=None
        A new figure if omitted.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If `max_nodes` or `kind` is unknown.
    ImportError
        If matplotlib is missing.

    References
    ----------
    .. [1] N. Przulj: "Biological network comparison using graphlet degree distribution",
       Bioinformatics 23 (2007), e177-e183.
    .. [2] T. Hocevar, J. Demsar: "Computation of graphlet orbits for nodes and edges in sparse
       graphs", Journal of Statistical Software 71 (2016), issue 10.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sparsekit.plotting import plot_graphlets
    >>> axes = plot_graphlets(4)
    >>> plt.show()
    """
    if max_nodes not in N_GRAPHLETS:
        raise ValueError(f"max_nodes must be 4 or 5, got {max_nodes!r}.")
    if kind not in _RADIUS:
        raise ValueError(f"kind must be 'node' or 'edge', got {kind!r}.")
    matplotlib = import_matplotlib("plot_graphlets")
    rows = _rows(N_GRAPHLETS[max_nodes])
    n_columns = max(map(len, rows))
    width, height = n_columns * _CELL[0] + 0.8, len(rows) * _CELL[1]
    if ax is None:
        size = (0.5 * width, 0.5 * height)
        ax = matplotlib.pyplot.subplots(figsize=size, layout="constrained")[1]
    ax.set(xlim=(-0.8, width - 0.8), ylim=(-height, 0.1))
    ax.set_aspect("equal")
    ax.set_axis_off()
    points = _points_per_unit(ax, width, height)
    for row, numbers in enumerate(rows):
        _write_row_title(ax, row, GRAPHLETS[numbers[0]].n_nodes, points)
        for column, number in enumerate(numbers):
            origin = ((column + 0.5) * _CELL[0], -(row + 0.56) * _CELL[1])
            _draw_graphlet(ax, number, origin, kind, points)
    return ax


def _rows(n_graphlets: int) -> list[list[int]]:
    """Numbers of the graphlets of each row: 2 and 3 nodes, 4 nodes, 5 nodes in three rows."""
    starts = [0, 3, 9, 16, 23, 30]
    rows = [list(range(first, last)) for first, last in pairwise(starts)]
    return [row for row in rows if row[-1] < n_graphlets]


def _points_per_unit(ax: Any, width: float, height: float) -> float:
    """Size of a unit of the picture in points, so that text fits into the nodes of any axes."""
    box = ax.get_window_extent()
    return min(box.width / width, box.height / height) * 72 / ax.figure.dpi


def _write_row_title(ax: Any, row: int, n_nodes: int, points: float) -> None:
    if row > 2:  # the rows below the first of five nodes
        return
    ax.text(
        *(-0.55, -(row + 0.5) * _CELL[1], _ROW_TITLES[n_nodes]),
        rotation=90,
        ha="center",
        va="center",
        fontsize=0.36 * points,
    )


def _draw_graphlet(ax: Any, number: int, origin: tuple, kind: str, points: float) -> None:
    graphlet = GRAPHLETS[number]
    places = [(origin[0] + 1.05 * x, origin[1] + 1.05 * y) for x, y in _LAYOUTS[number]]
    title = (origin[0] - 0.47 * _CELL[0], origin[1] + 0.51 * _CELL[1])
    ax.text(*title, f"G{number}", va="top", fontsize=0.4 * points, fontweight="bold")
    if kind == "node":
        _draw_edges(ax, graphlet, places, [_foreground()] * len(graphlet.edges), points)
        styles = _styles(graphlet.node_orbits)
        for place, orbit in zip(places, graphlet.node_orbits, strict=True):
            _draw_node(ax, place, styles[orbit][0], kind)
            _write_orbit(ax, place, orbit, styles[orbit][1], points)
        return
    styles = _styles(graphlet.edge_orbits)
    colors = [styles[orbit][0] for orbit in graphlet.edge_orbits]
    _draw_edges(ax, graphlet, places, colors, points)
    for place in places:
        _draw_node(ax, place, _foreground(), kind)
    for (u, v), orbit in zip(graphlet.edges, graphlet.edge_orbits, strict=True):
        if orbit >= 0:
            middle = tuple((a + b) / 2 for a, b in zip(places[u], places[v], strict=True))
            _write_orbit(ax, middle, orbit, styles[orbit][1], points, box=styles[orbit][0])


def _styles(orbits: tuple[int, ...]) -> dict[int, tuple[str, str]]:
    """Fill and text colour of each orbit of one graphlet."""
    distinct = sorted(set(orbits))
    if distinct == [-1]:
        return {-1: (_foreground(), "")}
    return dict(zip(distinct, zip(_FILLS, _TEXTS, strict=True), strict=False))


def _foreground() -> str:
    """Colour of lines and text in the style that is in use."""
    import matplotlib

    return matplotlib.rcParams["text.color"]


def _draw_edges(ax: Any, graphlet: Graphlet, places: list, colors: list, points: float) -> None:
    from matplotlib.collections import LineCollection

    lines = [(places[u], places[v]) for u, v in graphlet.edges]
    ax.add_collection(LineCollection(lines, colors=colors, linewidths=0.055 * points, zorder=1))


def _draw_node(ax: Any, place: tuple, color: str, kind: str) -> None:
    from matplotlib.patches import Circle

    ax.add_patch(Circle(place, _RADIUS[kind], facecolor=color, edgecolor="none", zorder=2))


def _write_orbit(
    ax: Any, place: tuple, orbit: int, color: str, points: float, box: str | None = None
) -> None:
    size = 0.35 if box is None else 0.27
    text = ax.text(*place, str(orbit), color=color, fontsize=size * points, zorder=3)
    text.set(ha="center", va="center_baseline" if box is None else "center")
    if box is not None:
        text.set_bbox({"boxstyle": "round,pad=0.1", "facecolor": box, "edgecolor": "none"})
