"""Boxes with names and lines between them, in units of the height of a box."""

from typing import Any, NamedTuple

import numpy as np

from sparsekit.plotting._layers import Layout, lay_out
from sparsekit.plotting._routes import routes

__all__ = ["FONT", "Drawing", "arrange", "aspect_of", "points_per_unit"]

# Size of names.
FONT = 0.56
_PADDING, _LEAST_WIDTH = 0.7, 1.3
# Boxes without names are dots of this diameter.
_DOT = 0.8
# Further room between boxes if edges carry numbers.
_ROOM_FOR_NUMBERS = 0.5
_FRAME = 0.6


class Drawing(NamedTuple):
    """Everything that has a place.

    Attributes
    ----------
    names : list of n_nodes str, or empty
    widths : ndarray of shape (n_nodes,)
    height : float
        Of all boxes.
    positions : ndarray of shape (n_nodes, 2)
        Centres of the boxes.
    curves : list of ndarray
        As of `routes`.
    """

    names: list[str]
    widths: np.ndarray
    height: float
    positions: np.ndarray
    curves: list[np.ndarray]

    def corners(self) -> tuple[np.ndarray, np.ndarray]:
        """Lower left and upper right corner."""
        if not len(self.positions):
            return np.zeros(2), np.ones(2)
        half = np.column_stack([self.widths, np.full(len(self.widths), self.height)]) / 2
        points = np.vstack([self.positions - half, self.positions + half, *self.curves])
        return points.min(axis=0) - _FRAME, points.max(axis=0) + _FRAME


def arrange(
    n_nodes: int,
    names: list[str],
    skeleton: list[tuple[int, int]],
    edges: list[tuple[int, int]],
    aspect: float,
    *,
    positions: np.ndarray | None = None,
    has_numbers: bool = False,
) -> Drawing:
    """Place boxes and lines.

    Parameters
    ----------
    n_nodes : int
    names : list of n_nodes str
        Empty: dots.
    skeleton : list of (int, int)
        Edges that decide about the layers.
    edges : list of (int, int)
        Edges that are drawn.
    aspect : float
        Width of the picture over its height.
    positions : ndarray of shape (n_nodes, 2), default=None
        Given centres.
    has_numbers : bool, default=False
        Whether edges need room for numbers.

    Returns
    -------
    Drawing
    """
    widths = np.array([_width_of(name) for name in names]) if names else np.full(n_nodes, _DOT)
    height = 1.0 if names else _DOT
    if positions is not None:
        layout = Layout(positions, {})
    else:
        ends = np.array(skeleton, dtype=np.int64).reshape(-1, 2)
        layout = lay_out(n_nodes, ends, widths + has_numbers * _ROOM_FOR_NUMBERS, aspect)
    curves = routes(edges, layout, widths, height)
    return Drawing(names, widths, height, layout.positions, curves)


def _width_of(name: str) -> float:
    from matplotlib.textpath import TextPath

    if not name.strip():  # no outline
        return _LEAST_WIDTH
    # A dollar sign would start a formula, which is not how names are written.
    length = TextPath((0, 0), name.replace("$", "S"), size=1).get_extents().width
    return max(_LEAST_WIDTH, FONT * length + _PADDING)


def aspect_of(ax: Any) -> float:
    """Width of the axes over their height."""
    box = ax.get_window_extent()
    return box.width / box.height


def points_per_unit(ax: Any, drawing: Drawing) -> float:
    """Size of a unit in points if the drawing fills the axes."""
    box = ax.get_window_extent()
    low, high = drawing.corners()
    width, height = high - low
    return min(box.width / width, box.height / height) * 72 / ax.figure.dpi
