"""What the graphlets family says about input that it can not take."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from graphlet_helpers import matrix_of

from sparsekit import graphlets
from sparsekit.graph import Graph, as_graph

PATH = matrix_of(nx.path_graph(4))

# Every way in for one graph: functions by name, so that each fails alone.
TAKERS = {
    "count_orbits": lambda A: graphlets.count_orbits(A),
    "count_orbits five": lambda A: graphlets.count_orbits(A, 5),
    "count_orbits edge": lambda A: graphlets.count_orbits(A, kind="edge"),
    "count_orbits edge five": lambda A: graphlets.count_orbits(A, 5, kind="edge"),
    "count_orbits nodes": lambda A: graphlets.count_orbits(A, nodes=[0]),
    "orbit_adjacency": lambda A: graphlets.orbit_adjacency(A, 0, 0),
    "orbit_adjacencies": lambda A: graphlets.orbit_adjacencies(A),
    "OrbitCounter": lambda A: graphlets.OrbitCounter().fit(A),
    "OrbitCounter fit_transform": lambda A: graphlets.OrbitCounter(5).fit_transform(A),
    "OrbitAdjacencyEmbedding": lambda A: graphlets.OrbitAdjacencyEmbedding(2).fit(A),
    "RandomWalkEmbedding": lambda A: graphlets.RandomWalkEmbedding(2).fit(A),
    "GraphletCounter": lambda A: graphlets.GraphletCounter().fit_transform([PATH, A]),
    "graphlet_correlation_distance": lambda A: graphlets.graphlet_correlation_distance(PATH, A),
    "netemd": lambda A: graphlets.netemd(A, PATH),
}
every_taker = pytest.mark.parametrize("name", sorted(TAKERS))


@every_taker
def test_directed_graphs(name):
    """The pattern has a direction; the message names both ways out of it."""
    one_way = np.array([[0.0, 1, 0], [0, 0, 1], [0, 1, 0]])
    for A in (one_way, sp.csr_array(one_way), Graph(one_way)):
        with pytest.raises(ValueError, match=r"undirected.*A\.maximum\(A\.T\)"):
            TAKERS[name](A)
    union = sp.csr_array(one_way)
    TAKERS[name](union.maximum(union.T))
    TAKERS[name](as_graph(one_way, directed=False).adjacency)


@pytest.mark.parametrize(
    "name", [name for name in sorted(TAKERS) if name[:5] in ("count", "orbit")]
)
def test_directed_networkx_graphs(name):
    with pytest.raises(ValueError, match="undirected"):
        TAKERS[name](nx.DiGraph([(0, 1), (1, 2)]))


@every_taker
def test_weights_that_differ_by_direction_are_no_directions(name):
    TAKERS[name](np.array([[0.0, 2, 0], [-1, 0, 1], [0, 3, 5]]))


@every_taker
def test_matrices_that_are_not_square(name):
    for A in (np.ones((2, 3)), sp.csr_array(np.ones((3, 2)))):
        with pytest.raises(ValueError, match=r"square|shape"):
            TAKERS[name](A)


@every_taker
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite(name, value):
    A = PATH.copy()
    A[0, 1] = A[1, 0] = value
    for matrix in (A, sp.csr_array(A)):
        with pytest.raises(ValueError, match=r"(?i)nan|inf|finite"):
            TAKERS[name](matrix)
    A[0, 1] = A[1, 0] = 1
    A[2, 2] = value  # a self-loop, which would be ignored
    with pytest.raises(ValueError, match=r"(?i)nan|inf|finite"):
        TAKERS[name](A)


@every_taker
def test_graphs_without_nodes(name):
    for A in (np.zeros((0, 0)), sp.csr_array((0, 0))):
        with pytest.raises(ValueError, match=r"at least one|minimum of 1|0 sample|0 nodes"):
            TAKERS[name](A)


@every_taker
def test_things_that_are_no_graphs(name):
    for thing in (None, "graph", 3, [[0, "a"], ["b", 0]]):
        with pytest.raises((TypeError, ValueError)):
            TAKERS[name](thing)


@pytest.mark.parametrize("max_nodes", [3, 6, 0, -4, None, "4", 4.0, 4.5])
def test_sizes(max_nodes):
    for call in (
        lambda: graphlets.count_orbits(PATH, max_nodes),
        lambda: graphlets.count_orbits(PATH, max_nodes, kind="edge"),
        lambda: graphlets.OrbitCounter(max_nodes).fit(PATH),
        lambda: graphlets.GraphletCounter(max_nodes).fit_transform([PATH]),
        lambda: graphlets.netemd(PATH, PATH, max_nodes=max_nodes),
    ):
        with pytest.raises(ValueError, match=r"max_nodes.*(4.*5|5.*4)"):
            call()


@pytest.mark.parametrize("kind", ["nodes", "Edge", None, 0])
def test_kinds(kind):
    with pytest.raises(ValueError, match=r"kind.*node.*edge"):
        graphlets.count_orbits(PATH, kind=kind)


def test_nodes_select_rows_of_nodes_only():
    with pytest.raises(ValueError, match="nodes"):
        graphlets.count_orbits(PATH, kind="edge", nodes=[0])


@pytest.mark.parametrize(("nodes", "first"), [([0, 4, 9], "4"), ([-1, 2], "-1"), ([0, 2**40], "1")])
def test_nodes_out_of_range(nodes, first):
    for wanted in (nodes, np.array(nodes)):
        with pytest.raises(ValueError, match=first):
            graphlets.count_orbits(PATH, nodes=wanted)


@pytest.mark.parametrize("nodes", ["a", ["a"], [0.5], [[0, 1]], [None]])
def test_nodes_that_are_no_indices(nodes):
    with pytest.raises((ValueError, TypeError)):
        graphlets.count_orbits(PATH, nodes=nodes)


def test_unknown_names():
    graph = Graph(PATH, node_names=["a", "b", "c", "d"])
    with pytest.raises(ValueError, match="'x'"):
        graphlets.count_orbits(graph, nodes=["a", "x", "y"])
    with pytest.raises(ValueError, match="0"):
        graphlets.count_orbits(graph, nodes=[0])


@pytest.mark.parametrize(
    "name", ["count_orbits", "OrbitCounter", "OrbitAdjacencyEmbedding", "RandomWalkEmbedding"]
)
def test_no_threads_at_all(name):
    calls = {
        "count_orbits": lambda: graphlets.count_orbits(PATH, n_jobs=0),
        "OrbitCounter": lambda: graphlets.OrbitCounter(n_jobs=0).fit_transform(PATH),
        "OrbitAdjacencyEmbedding": lambda: graphlets.OrbitAdjacencyEmbedding(2, n_jobs=0).fit(PATH),
        "RandomWalkEmbedding": lambda: graphlets.RandomWalkEmbedding(2, n_jobs=0).fit(PATH),
    }
    with pytest.raises(ValueError, match="n_jobs"):
        calls[name]()


@pytest.mark.parametrize(("orbit_u", "orbit_v"), [(0, 1), (1, 3), (15, 15), (-1, 0), (2, 2)])
def test_orbits_that_never_meet(orbit_u, orbit_v):
    with pytest.raises(ValueError, match=r"\(1, 2"):
        graphlets.orbit_adjacency(PATH, orbit_u, orbit_v)
    with pytest.raises(ValueError, match=r"\(1, 2"):
        graphlets.orbit_adjacencies(PATH, pairs=[(0, 0), (orbit_u, orbit_v)])
    with pytest.raises(ValueError, match=r"\(1, 2"):
        graphlets.OrbitAdjacencyEmbedding(2, pair=(orbit_u, orbit_v)).fit(PATH)


@pytest.mark.parametrize("hop", [0, 3, -1, "1"])
def test_hops_at_which_orbits_never_meet(hop):
    """The message lists the hops, 1 and 2, of orbits 4 and 5."""
    calls = (
        lambda: graphlets.orbit_adjacency(PATH, 4, 5, hop=hop),
        lambda: graphlets.orbit_adjacencies(PATH, pairs=[(4, 5, hop)]),
        lambda: graphlets.OrbitAdjacencyEmbedding(2, pair=(4, 5, hop)).fit(PATH),
    )
    for call in calls:
        with pytest.raises(ValueError, match=r"1.*2"):
            call()


@pytest.mark.parametrize("pairs", [[], (), {}])
def test_no_pairs(pairs):
    with pytest.raises(ValueError, match=r"pairs"):
        graphlets.orbit_adjacencies(PATH, pairs=pairs)


@pytest.mark.parametrize("pairs", ["some", [0], [(0,)], [(0, 0, 1, 1)], None])
def test_pairs_of_another_form(pairs):
    with pytest.raises((ValueError, TypeError), match="pair"):
        graphlets.orbit_adjacencies(PATH, pairs=pairs)


@pytest.mark.parametrize("weighting", ["pmi", None, "Normalized"])
def test_weightings(weighting):
    model = graphlets.OrbitAdjacencyEmbedding(2, weighting=weighting)
    with pytest.raises(ValueError, match=r"weighting.*(ppmi.*normalized|normalized.*ppmi)"):
        model.fit(PATH)


@pytest.mark.parametrize("weighting", ["normalized", None])
def test_weightings_of_random_walks(weighting):
    model = graphlets.RandomWalkEmbedding(2, weighting=weighting)
    with pytest.raises(ValueError, match=r"weighting.*ppmi"):
        model.fit(PATH)


@pytest.mark.parametrize("name", ["OrbitCounter", "OrbitAdjacencyEmbedding", "RandomWalkEmbedding"])
def test_other_numbers_of_columns(name):
    model = getattr(graphlets, name)().fit(PATH)
    for n_columns in (3, 5):
        text = f"X has {n_columns} features, but {name} is expecting 4 features"
        with pytest.raises(ValueError, match=text):
            model.transform(np.ones((2, n_columns)))


def test_edge_tables_are_graphs_for_functions():
    """A frame given to a function is an edge table, as everywhere in as_graph."""
    table = pd.DataFrame({"source": [0, 1], "target": [1, 2]})
    expected = graphlets.count_orbits(nx.path_graph(3))
    np.testing.assert_array_equal(graphlets.count_orbits(table), expected)
