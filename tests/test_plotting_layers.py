"""Layouts of drawings: who stands where, and what lines pass."""

import networkx as nx
import numpy as np
from drawing_helpers import dags
from hypothesis import given
from hypothesis import strategies as st

from sparsekit.plotting._layers import lay_out, pass_boxes
from sparsekit.plotting._routes import place_numbers, routes


def points_on(curve, n_points=60):
    """Points of a Bezier curve, by de Casteljau's construction."""
    found = []
    for start in range(0, len(curve) - 1, 3):
        for t in np.linspace(0, 1, n_points):
            points = curve[start : start + 4]
            while len(points) > 1:
                points = (1 - t) * points[:-1] + t * points[1:]
            found.append(points[0])
    return np.array(found)


def boxes_hit(points, positions, widths, height, ends):
    """Boxes other than the ends that points are in."""
    inside = (np.abs(points[:, None, 0] - positions[:, 0]) < widths / 2 - 1e-6) & (
        np.abs(points[:, None, 1] - positions[:, 1]) < height / 2 - 1e-6
    )
    return set(np.flatnonzero(inside.any(axis=0)).tolist()) - set(ends)


class TestLayers:
    @given(dags(), st.floats(0.3, 3))
    def test_edges_point_down_and_pass_all_boxes(self, dag, aspect):
        edges = np.argwhere(dag)
        widths = 1.3 + np.arange(len(dag)) % 4
        layout = lay_out(len(dag), edges, widths, aspect)
        y = layout.positions[:, 1]
        assert (y[edges[:, 0]] > y[edges[:, 1]] + 1).all()
        pairs = [tuple(edge) for edge in edges.tolist()]
        for pair, curve in zip(pairs, routes(pairs, layout, widths, 1.0), strict=True):
            points = points_on(curve)
            assert boxes_hit(points, layout.positions, widths, 1.0, pair) == set()
            assert (np.diff(points[:, 1]) <= 1e-9).all()

    @given(dags(), st.floats(0.3, 3))
    def test_boxes_do_not_overlap(self, dag, aspect):
        widths = 1.3 + np.arange(len(dag)) % 4
        x, y = lay_out(len(dag), np.argwhere(dag), widths, aspect).positions.T
        beside = np.abs(x[:, None] - x) >= (widths[:, None] + widths) / 2 + 0.5
        above = np.abs(y[:, None] - y) >= 1.5
        assert (beside | above | np.eye(len(dag), dtype=bool)).all()

    @given(dags())
    def test_nodes_without_edges_stand_below(self, dag):
        layout = lay_out(len(dag), np.argwhere(dag), np.full(len(dag), 2.0), 1.4)
        is_joined = dag.any(axis=0) | dag.any(axis=1)
        y = layout.positions[:, 1]
        if is_joined.any() and not is_joined.all():
            assert y[~is_joined].max() < y[is_joined].min() - 1

    @given(dags())
    def test_no_more_layers_than_the_longest_path(self, dag):
        graph = nx.from_numpy_array(dag, create_using=nx.DiGraph)
        positions = lay_out(len(dag), np.argwhere(dag), np.ones(len(dag)), 1.4).positions
        is_joined = dag.any(axis=0) | dag.any(axis=1)
        heights = np.unique(positions[is_joined, 1].round(6))
        assert len(heights) == (nx.dag_longest_path_length(graph) + 1 if dag.any() else 0)

    def test_crossings_that_can_be_avoided(self):
        # Two trees whose leaves are numbered so that the given order crosses.
        edges = np.array([[0, 2], [0, 4], [0, 6], [1, 3], [1, 5], [1, 7]])
        x = lay_out(8, edges, np.ones(8), 1.4).positions[:, 0]
        left, right = sorted(([2, 4, 6], [3, 5, 7]), key=lambda leaves: x[leaves].mean())
        assert x[left].max() < x[right].min()

    def test_cycles_and_edges_in_both_directions(self):
        edges = np.array([[0, 1], [1, 2], [2, 0], [3, 0], [0, 3]])
        layout = lay_out(4, edges, np.ones(4), 1.4)
        assert np.isfinite(layout.positions).all()
        y = layout.positions[:, 1]
        assert (y[edges[:, 0]] != y[edges[:, 1]]).all()

    def test_wide_pictures_have_layers_close_together(self):
        edges = np.array([[0, 1], [1, 2], [0, 3], [0, 4]])
        wide, high = (lay_out(5, edges, np.ones(5), aspect).positions for aspect in (3, 0.3))
        assert np.ptp(wide[:, 1]) < np.ptp(high[:, 1])

    def test_lanes_get_narrow_in_dense_graphs(self):
        dag = np.triu(np.ones((25, 25)), k=1)
        x = lay_out(25, np.argwhere(dag), np.full(25, 2.0), 1.4)
        lanes = np.concatenate([lane[:, 0] for lane in x.lanes.values() if len(lane)])
        assert np.ptp(lanes) < 30

    def test_passing_boxes_in_a_row(self):
        positions = np.array([[0, 0], [0, -3], [2.1, -3], [0, -6]])
        widths = np.full(4, 2.0)
        [point] = pass_boxes(positions[0], positions[3], positions, widths)
        assert point[1] == -3
        assert point[0] < -1.0  # left of both: there is no room between them

    def test_edges_within_a_row_are_arcs(self):
        layout = lay_out(3, np.zeros((0, 2), dtype=int), np.ones(3), 9.0)
        assert len(np.unique(layout.positions[:, 1])) == 1
        order = np.argsort(layout.positions[:, 0])
        pair = (int(order[0]), int(order[2]))
        points = points_on(*routes([pair], layout, np.ones(3), 1.0))
        assert boxes_hit(points, layout.positions, np.ones(3), 1.0, pair) == set()

    def test_numbers_keep_off_boxes_and_each_other(self):
        dag = np.triu(np.ones((6, 6)), k=1)
        pairs, widths = [tuple(edge) for edge in np.argwhere(dag).tolist()], np.full(6, 1.5)
        layout = lay_out(6, np.argwhere(dag), widths + 0.5, 1.4)
        places = np.array(
            place_numbers(routes(pairs, layout, widths, 1.0), layout.positions, widths)
        )
        far = np.abs(places[:, None] - places) > (0.6, 0.4)
        close = ~far.any(axis=2) & ~np.eye(len(places), dtype=bool)
        assert close.sum() <= 2 * 2
        assert boxes_hit(places, layout.positions, widths, 1.0, ()) == set()
