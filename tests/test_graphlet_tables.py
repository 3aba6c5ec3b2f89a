"""The tables of graphlets against the stored ones; those are verified by enumeration elsewhere."""

import json
from pathlib import Path

import naive_graphlets as oracle
import numpy as np
import pytest

from sparsekit.graphlets import _tables

STORED = json.loads((Path(__file__).parent / "cases" / "graphlets" / "tables.json").read_text())
SIZES = {4: "four", 5: "five"}


@pytest.mark.parametrize("number", range(30))
def test_graphlets(number):
    stored, graphlet = STORED["graphlets"][number], _tables.GRAPHLETS[number]
    assert graphlet.n_nodes == stored["n_nodes"]
    assert [list(edge) for edge in graphlet.edges] == stored["edges"]
    assert list(graphlet.node_orbits) == stored["node_orbits"]
    assert [None if orbit < 0 else orbit for orbit in graphlet.edge_orbits] == stored["edge_orbits"]


def test_numbers_of_orbits():
    assert len(_tables.GRAPHLETS) == 30
    for max_nodes, n_graphlets in _tables.N_GRAPHLETS.items():
        family = _tables.GRAPHLETS[:n_graphlets]
        assert {graphlet.n_nodes for graphlet in family} == set(range(2, max_nodes + 1))
        nodes = {orbit for graphlet in family for orbit in graphlet.node_orbits}
        edges = {orbit for graphlet in family for orbit in graphlet.edge_orbits} - {-1}
        for kind, orbits in (("node", nodes), ("edge", edges)):
            assert orbits == set(range(_tables.n_orbits(kind, max_nodes)))
    assert _tables.N_NODE_ORBITS == oracle.N_NODE_ORBITS
    assert _tables.N_EDGE_ORBITS == oracle.N_EDGE_ORBITS
    assert _tables.N_GRAPHLETS == oracle.N_GRAPHLETS


@pytest.mark.parametrize("kind", ["node", "edge"])
@pytest.mark.parametrize("n_nodes", [3, 4, 5])
def test_first_orbits(kind, n_nodes):
    orbits = set()
    for graphlet in _tables.GRAPHLETS:
        if graphlet.n_nodes == n_nodes:
            orbits |= set(graphlet.node_orbits if kind == "node" else graphlet.edge_orbits)
    assert _tables.first_orbit(kind, n_nodes) == min(orbits)


def test_graphlet_of_each_orbit():
    found = _tables.graphlet_of_orbit()
    assert found.shape == (73,)
    for orbit, number in enumerate(found.tolist()):
        assert orbit in STORED["graphlets"][number]["node_orbits"]


def test_pairs_and_multiples():
    stored = {tuple(entry["pair"]): entry["row_sum_multiple"] for entry in STORED["orbit_pairs"]}
    assert stored == _tables.ORBIT_PAIRS


def test_affecting_orbits():
    assert list(_tables.AFFECTING_ORBITS) == STORED["affecting_orbits"]


@pytest.mark.parametrize("n_nodes", [4, 5])
@pytest.mark.parametrize("kind", ["node", "edge"])
def test_conversions(kind, n_nodes):
    stored = STORED[f"{kind}_noninduced"][SIZES[n_nodes]]
    matrix = _tables.conversion(kind, n_nodes)
    first = _tables.first_orbit(kind, n_nodes)
    columns = np.array(stored["orbits"]) - first
    assert columns.tolist() == list(range(len(matrix)))
    assert matrix.dtype == np.int64
    np.testing.assert_array_equal(matrix, stored["M"])
    np.testing.assert_array_equal(matrix @ np.array(stored["Minv"]), np.eye(len(matrix)))


def test_conversion_of_three_nodes():
    np.testing.assert_array_equal(_tables.conversion("node", 3), [[1, 0, 2], [0, 1, 1], [0, 0, 1]])
    np.testing.assert_array_equal(
        _tables.conversion("edge", 3), STORED["edge_noninduced"]["three"]["M"]
    )


@pytest.mark.parametrize("kind", ["node", "edge"])
def test_conversions_are_triangular_by_number_of_edges(kind):
    """A graphlet lies in itself once and in no other with as few edges: integers all the way."""
    for n_nodes in (3, 4, 5):
        matrix = _tables.conversion(kind, n_nodes)
        assert np.all(np.diag(matrix) == 1)
        assert round(np.linalg.det(matrix)) == 1
        with pytest.raises(ValueError, match="read-only"):
            matrix[0, 0] = 0
