"""Layered drawings of directed graphs: who stands where, and how edges get past the others.

The scheme of Sugiyama, Tagawa and Toda: nodes on layers so that edges point down, an order within
each layer with few crossings, and then positions. An edge that passes a layer stands there with a
place of its own, so that it crosses no box.
"""

from typing import NamedTuple

import numpy as np
from sklearn.isotonic import isotonic_regression

__all__ = ["Layout", "lay_out", "order_of", "pass_boxes"]

# Distances of layers, so that the picture gets the wanted shape.
_GAPS = (2.2, 7.0)
_N_SWEEPS = 12
_N_ROUNDS = 10
# Room between two boxes, and beside an edge that passes; boxes have height 1.
_MARGIN = 0.7
_LANE = 0.4
# In graphs of many edges lanes get narrower, so that those of a layer need no more than so many
# times the room of its boxes; but not narrower than this.
_LANES_TO_BOXES = 1.5
_NARROWEST = 0.08
# An edge that passes layers is pulled straight before the boxes are centred over their children.
_WEIGHT_OF_A_LANE = 4.0
# Nodes without edges stand this far below the others, in rows this far apart.
_ABOVE_ISOLATED, _ROW = 2.0, 1.6


class Layout(NamedTuple):
    """A drawing, in units of the height of a box; y points up.

    Attributes
    ----------
    positions : ndarray of shape (n_nodes, 2)
        Centres of the boxes.
    lanes : dict of (int, int) to ndarray of shape (n_layers_passed, 2)
        Where an edge passes the layers between its ends, from the upper to the lower end; by the
        pair (upper, lower).
    """

    positions: np.ndarray
    lanes: dict[tuple[int, int], np.ndarray]


class _Chains(NamedTuple):
    """Edges cut at the layers: places 0 .. n_nodes - 1 are nodes, further ones are lanes."""

    layers: np.ndarray
    uppers: np.ndarray
    lowers: np.ndarray
    of_edge: dict[tuple[int, int], list[int]]


def lay_out(n_nodes: int, edges: np.ndarray, widths: np.ndarray, aspect: float) -> Layout:
    """Find positions for all nodes of a graph that is directed or nearly so.

    Parameters
    ----------
    n_nodes : int
    edges : ndarray of shape (n_edges, 2), int
        Ends of the edges, first the one that is to stand above; cycles are allowed.
    widths : ndarray of shape (n_nodes,)
        Widths of the boxes.
    aspect : float
        Width of the picture over its height; the distance of the layers adapts to it.

    Returns
    -------
    Layout
    """
    rank = order_of(n_nodes, edges)
    swapped = rank[edges[:, 0]] > rank[edges[:, 1]]
    downward = np.unique(np.where(swapped[:, None], edges[:, ::-1], edges), axis=0)
    is_joined = np.zeros(n_nodes, dtype=bool)
    is_joined[downward] = True
    chains = _cut(_layer_of(downward, rank), downward)
    rows = _cross_less(chains, is_joined)
    room = np.zeros(len(chains.layers))
    room[:n_nodes] = widths
    x = _spread(chains, rows, room)
    positions = np.column_stack([x, -chains.layers.astype(float)])
    extent = np.ptp(x[is_joined.nonzero()]) if is_joined.any() else 0.0
    gap = (extent + 4) / aspect / max(1, len(rows) - 1)
    positions[:, 1] *= np.clip(gap, *_GAPS)
    _place_isolated(positions, is_joined, widths, aspect)
    lanes = {edge: positions[places] for edge, places in chains.of_edge.items()}
    return Layout(positions[:n_nodes], lanes)


def order_of(n_nodes: int, edges: np.ndarray) -> np.ndarray:
    """Rank of each node in an order along the edges; in a cycle, starts at the largest source."""
    children: list[set[int]] = [set() for _ in range(n_nodes)]
    parents: list[set[int]] = [set() for _ in range(n_nodes)]
    for above, below in edges.tolist():
        children[above].add(below)
        parents[below].add(above)
    rank = np.full(n_nodes, -1)
    left = set(range(n_nodes))
    ready = sorted(node for node in left if not parents[node])
    for number in range(n_nodes):
        if ready:
            node = ready.pop(0)
        else:
            node = min(left, key=lambda v: (len(parents[v]) - len(children[v]), v))
        rank[node] = number
        left.discard(node)
        for child in sorted(children[node] & left):
            parents[child].discard(node)
            if not parents[child]:
                ready.append(child)
        for parent in parents[node] & left:
            children[parent].discard(node)
    return rank


def _layer_of(edges: np.ndarray, rank: np.ndarray) -> np.ndarray:
    """Layers by the longest path from above; a source then moves down to its children."""
    layers = np.zeros(len(rank), dtype=np.int64)
    by_upper = edges[np.argsort(rank[edges[:, 0]], kind="stable")]
    for above, below in by_upper.tolist():
        layers[below] = max(layers[below], layers[above] + 1)
    is_source = np.ones(len(rank), dtype=bool)
    is_source[edges[:, 1]] = False
    highest = np.full(len(rank), len(rank))
    np.minimum.at(highest, edges[:, 0], layers[edges[:, 1]])
    moves = is_source & (highest < len(rank))
    layers[moves] = highest[moves] - 1
    return layers


def _cut(layers: np.ndarray, edges: np.ndarray) -> _Chains:
    of_edge, all_layers = {}, [layers]
    n_places = len(layers)
    uppers, lowers = [], []
    for above, below in edges.tolist():
        passed = np.arange(layers[above] + 1, layers[below])
        lanes = list(range(n_places, n_places + len(passed)))
        n_places += len(passed)
        all_layers.append(passed)
        of_edge[above, below] = lanes
        uppers += [above, *lanes]
        lowers += [*lanes, below]
    ends = (np.array(places, dtype=np.int64) for places in (uppers, lowers))
    return _Chains(np.concatenate(all_layers), *ends, of_edge)


def _cross_less(chains: _Chains, is_joined: np.ndarray) -> list[np.ndarray]:
    """Places of each layer from left to right, by sweeps of barycentres down and up."""
    is_shown = np.ones(len(chains.layers), dtype=bool)
    is_shown[: len(is_joined)] = is_joined
    n_layers = int(chains.layers[is_shown].max(initial=-1)) + 1
    rows = [np.flatnonzero(is_shown & (chains.layers == layer)) for layer in range(n_layers)]
    if n_layers < 2:
        return rows
    ranks = np.zeros(len(chains.layers))
    for row in rows:
        ranks[row] = np.arange(len(row))
    best, fewest = rows, np.inf
    for sweep in range(_N_SWEEPS):
        down = sweep % 2 == 0
        own, other = (chains.lowers, chains.uppers) if down else (chains.uppers, chains.lowers)
        for layer in range(1, n_layers) if down else range(n_layers - 2, -1, -1):
            # Sums over all edges, though one layer changes: arrays beat loops at any size drawn.
            n_edges = np.bincount(own, minlength=len(ranks))
            sums = np.bincount(own, weights=ranks[other], minlength=len(ranks))
            row = rows[layer]
            means = np.where(n_edges[row] > 0, sums[row] / np.maximum(n_edges[row], 1), ranks[row])
            row = row[np.lexsort((ranks[row], means))]
            ranks[row] = np.arange(len(row))
            rows = [*rows[:layer], row, *rows[layer + 1 :]]
        n_crossings = _crossings(chains, ranks)
        if n_crossings < fewest:
            best, fewest = rows, n_crossings
    return best


def _crossings(chains: _Chains, ranks: np.ndarray) -> int:
    """Pairs of edges between the same two layers whose ends are in opposite orders."""
    count = 0
    layers = chains.layers[chains.uppers]
    for layer in range(int(layers.max()) + 1):
        chosen = layers == layer
        left, right = ranks[chains.uppers[chosen]], ranks[chains.lowers[chosen]]
        right = right[np.lexsort((right, left))]
        left = np.sort(left)
        later = left[None, :] > left[:, None]
        count += int(np.count_nonzero(later & (right[None, :] < right[:, None])))
    return count


def _spread(chains: _Chains, rows: list[np.ndarray], widths: np.ndarray) -> np.ndarray:
    """Abscissae: near the mean of the neighbours, in the given order, without overlap."""
    n_nodes = len(widths) - sum(map(len, chains.of_edge.values()))
    is_lane = np.arange(len(widths)) >= n_nodes
    x = np.zeros(len(widths))
    starts = []
    for row in rows:
        n_lanes, room = is_lane[row].sum(), (widths[row] + _MARGIN)[~is_lane[row]].sum()
        lane = np.clip(_LANES_TO_BOXES * room / max(1, n_lanes), _NARROWEST, _LANE)
        n_ends = is_lane[row[1:]].astype(int) + is_lane[row[:-1]]
        margins = np.choose(n_ends, [_MARGIN, _LANE, lane])
        steps = (widths[row[1:]] + widths[row[:-1]]) / 2 + margins
        start = np.concatenate([[0.0], np.cumsum(steps)])
        starts.append(start)
        x[row] = start - start[-1] / 2
    weights = np.where(is_lane, _WEIGHT_OF_A_LANE, 1.0)
    ends = [(chains.uppers, chains.lowers), (chains.lowers, chains.uppers)]
    for round_ in range(_N_ROUNDS):
        # Down, up, and at last both at once.
        pulls = ends if round_ >= _N_ROUNDS - 4 else [ends[round_ % 2]]
        other = np.concatenate([pull[0] for pull in pulls])
        own = np.concatenate([pull[1] for pull in pulls])
        n_edges = np.bincount(own, minlength=len(x))
        for row, start in zip(rows, starts, strict=True):
            sums = np.bincount(own, weights=x[other], minlength=len(x))
            wanted = np.where(n_edges[row] > 0, sums[row] / np.maximum(n_edges[row], 1), x[row])
            x[row] = start + isotonic_regression(wanted - start, sample_weight=weights[row])
    return x


def _place_isolated(
    positions: np.ndarray, is_joined: np.ndarray, widths: np.ndarray, aspect: float
) -> None:
    """Rows below the drawing, centred."""
    isolated, joined = np.flatnonzero(~is_joined), positions[is_joined.nonzero()]
    if not len(isolated):
        return
    steps = widths[isolated] + _MARGIN
    total, width, left, y = steps.sum(), 0.0, 0.0, 0.0
    if len(joined):
        left, width = joined[:, 0].min(), np.ptp(joined[:, 0])
        y = joined[:, 1].min() - _ABOVE_ISOLATED
    n_rows = max(1, round(total / max(width, np.sqrt(total * _ROW * aspect))))
    rows = np.minimum((np.cumsum(steps) - steps / 2) * n_rows // total, n_rows - 1)
    for number in range(n_rows):
        step = steps[rows == number]
        x = np.cumsum(step) - step / 2 - step.sum() / 2 + left + width / 2
        positions[isolated[rows == number]] = np.column_stack([x, np.full(len(x), y)])
        y -= _ROW


def pass_boxes(
    upper: np.ndarray, lower: np.ndarray, positions: np.ndarray, widths: np.ndarray
) -> np.ndarray:
    """Points at which an edge without lanes gets past the boxes of the rows between its ends.

    Parameters
    ----------
    upper, lower : ndarray of shape (2,)
    positions : ndarray of shape (n_nodes, 2)
    widths : ndarray of shape (n_nodes,)

    Returns
    -------
    ndarray of shape (n_rows_passed, 2)
    """
    heights = np.unique(positions[:, 1])[::-1]
    points = []
    for y in heights[(heights < upper[1] - 0.1) & (heights > lower[1] + 0.1)]:
        share = (upper[1] - y) / (upper[1] - lower[1])
        x = (1 - share) * upper[0] + share * lower[0]
        row = positions[:, 1] == y
        reach = widths[row] / 2 + _LANE / 2
        points.append((_free_place(x, positions[row, 0] - reach, positions[row, 0] + reach), y))
    return np.array(points).reshape(-1, 2)


def _free_place(x: float, lefts: np.ndarray, rights: np.ndarray) -> float:
    """The place nearest to x that lies in none of the intervals."""
    places = np.concatenate([[x], lefts, rights])
    taken = (places[:, None] > lefts + 1e-9) & (places[:, None] < rights - 1e-9)
    free = places[~taken.any(axis=1)]
    return float(free[np.argmin(np.abs(free - x))])
