"""Lines between the boxes of a layered drawing: where they leave and enter, and how they bend."""

import numpy as np
from scipy.interpolate import PchipInterpolator

from sparsekit.plotting._layers import Layout, pass_boxes

__all__ = ["place_numbers", "routes"]

# Edges at one side of a box stand so far apart, if there is room between its round corners.
_BETWEEN_PORTS = 0.35
_CORNERS = 0.5
# Edges between boxes of one row are arcs; longer ones are higher, up to a limit.
_ARC, _HIGHEST_ARC = (0.5, 0.12), 1.6
# Where numbers are tried on an edge, and half of what they cover.
_SHARES = (0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8)
_HALF_NUMBER = (0.48, 0.25)
_CLEARANCE = 0.1
# Where a curve goes straight down, so that it does not cut a corner of the box beside it.
_BESIDE = np.array([[0.0, 0.5], [0.0, -0.5]])
# Boxes at less than this from each other's height are in one row.
_SAME_ROW = 0.1


def _bernstein(t: float) -> np.ndarray:
    """Shares of the four control points in the point at t of a cubic piece."""
    return np.array([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3])


_BERNSTEIN = np.array([_bernstein(t) for t in np.linspace(0, 1, 16)])


def routes(
    edges: list[tuple[int, int]], layout: Layout, widths: np.ndarray, height: float
) -> list[np.ndarray]:
    """Bezier curves of all edges.

    Parameters
    ----------
    edges : list of (int, int)
        Source and target, in any direction.
    layout : Layout
        Edges without lanes in it find the gaps between the boxes.
    widths : ndarray of shape (n_nodes,)
    height : float
        Of all boxes.

    Returns
    -------
    list of ndarray of shape (3 * n_pieces + 1, 2)
        Control points of cubic pieces, from source to target.
    """
    y = layout.positions[:, 1]
    is_up = [bool(y[target] > y[source]) for source, target in edges]
    pairs = [edge[::-1] if up else edge for edge, up in zip(edges, is_up, strict=True)]
    between = [_points_between(pair, layout, widths) for pair in pairs]
    ports = _ports(pairs, between, layout.positions, widths, height)
    reaches = np.column_stack([widths, np.full(len(widths), height)]) / 2 + _CLEARANCE
    curves = []
    for pair, points, (first, last) in zip(pairs, between, ports, strict=True):
        if abs(y[pair[0]] - y[pair[1]]) < _SAME_ROW:
            curves.append(_arc(first, last))
            continue
        curve = _smooth(np.vstack([first, points, last]))
        boxes = np.delete(layout.positions, pair, axis=0), np.delete(reaches, pair, axis=0)
        if _hits(curve, *boxes):
            upright = (points[:, None] + _BESIDE * height).reshape(-1, 2)
            curve = _smooth(np.vstack([first, upright, last]))
        curves.append(curve)
    return [curve[::-1] if up else curve for curve, up in zip(curves, is_up, strict=True)]


def place_numbers(
    curves: list[np.ndarray], positions: np.ndarray, widths: np.ndarray
) -> list[np.ndarray]:
    """Place for a number on each curve, near its middle, off the boxes and off other numbers."""
    centres = [*positions]
    reaches = [*np.column_stack([widths, np.ones(len(widths))]) / 2]
    places = []
    for curve in curves:
        candidates = [_point_at(curve, share) for share in _SHARES]
        overlaps = [
            np.all(np.abs(np.array(centres) - point) < np.array(reaches) + _HALF_NUMBER, axis=1)
            for point in candidates
        ]
        place = candidates[int(np.argmin([overlap.sum() for overlap in overlaps]))]
        places.append(place)
        centres.append(place)
        reaches.append(np.array(_HALF_NUMBER))
    return places


def _point_at(curve: np.ndarray, share: float) -> np.ndarray:
    """Point of a Bezier curve of cubic pieces, which count alike."""
    n_pieces = len(curve) // 3
    piece = min(int(share * n_pieces), n_pieces - 1)
    return _bernstein(share * n_pieces - piece) @ curve[3 * piece : 3 * piece + 4]


def _points_between(pair: tuple[int, int], layout: Layout, widths: np.ndarray) -> np.ndarray:
    if pair in layout.lanes:
        return layout.lanes[pair]
    upper, lower = layout.positions[list(pair)]
    return pass_boxes(upper, lower, layout.positions, widths)


def _ports(
    pairs: list[tuple[int, int]],
    between: list[np.ndarray],
    positions: np.ndarray,
    widths: np.ndarray,
    height: float,
) -> np.ndarray:
    """Where each edge leaves the upper and enters the lower box, shape (n_edges, 2, 2).

    The edges at one side of a box are in the order of the points that they come from.
    """
    sides: dict[tuple[int, int], list[tuple[float, int, int]]] = {}
    for number, ((upper, lower), points) in enumerate(zip(pairs, between, strict=True)):
        way = np.vstack([positions[upper], points, positions[lower]])
        in_row = abs(way[0, 1] - way[-1, 1]) < _SAME_ROW
        sides.setdefault((upper, 1 if in_row else -1), []).append((way[1, 0], number, 0))
        sides.setdefault((lower, 1), []).append((way[-2, 0], number, 1))
    ports = np.empty((len(pairs), 2, 2))
    for (node, side), meeting in sides.items():
        room = max(0.0, widths[node] - _CORNERS)
        step = min(_BETWEEN_PORTS, room / max(1, len(meeting) - 1))
        for place, (_, number, end) in enumerate(sorted(meeting)):
            offset = (place - (len(meeting) - 1) / 2) * step
            ports[number, end] = positions[node] + (offset, side * height / 2)
    return ports


def _arc(first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Over the top of what stands between two boxes of one row."""
    rise = min(_ARC[0] + _ARC[1] * abs(last[0] - first[0]), _HIGHEST_ARC)
    return np.array([first, first + (0, rise), last + (0, rise), last])


def _hits(curve: np.ndarray, centres: np.ndarray, reaches: np.ndarray) -> bool:
    """Whether a curve goes through a box."""
    starts = range(0, len(curve) - 1, 3)
    points = np.vstack([_BERNSTEIN @ curve[start : start + 4] for start in starts])
    return bool((np.abs(points[:, None] - centres) < reaches).all(axis=2).any())


def _leads_down(depth: np.ndarray) -> np.ndarray:
    """Which points are below all before them; at given places, boxes may be in each other's way."""
    middle = depth[1:-1]
    is_below = middle > np.maximum.accumulate(depth[:-1])[: len(middle)]
    return np.concatenate([[True], is_below & (middle < depth[-1]), [True]])


def _smooth(points: np.ndarray) -> np.ndarray:
    """Curve through points that go down, without a turn between two of them."""
    points = points[_leads_down(-points[:, 1])]
    depth = -points[:, 1]
    if depth[0] >= depth[-1]:
        return np.linspace(points[0], points[-1], 4)
    if len(points) == 2:
        slopes = np.full(2, np.diff(points[:, 0])[0] / np.diff(depth)[0])
    else:
        slopes = PchipInterpolator(depth, points[:, 0])(depth, 1)
    thirds = np.diff(depth)[:, None] / 3
    tangents = np.column_stack([slopes, -np.ones(len(points))])
    pieces = np.stack(
        [points[:-1], points[:-1] + thirds * tangents[:-1], points[1:] - thirds * tangents[1:]],
        axis=1,
    )
    return np.vstack([pieces.reshape(-1, 2), points[-1:]])
