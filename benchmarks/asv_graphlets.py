"""Graphlets over the history of the project."""

import time

import networkx as nx

from sparsekit.graph import as_graph
from sparsekit.graphlets import (
    OrbitAdjacencyEmbedding,
    OrbitCounter,
    RandomWalkEmbedding,
    count_orbits,
    orbit_adjacencies,
)
from sparsekit.graphlets._tables import ORBIT_PAIRS

GRAPHS = {
    "ba_10000_10": lambda: nx.barabasi_albert_graph(10_000, 10, seed=0),
    "geo_10000_20": lambda: nx.random_geometric_graph(10_000, 0.0252, seed=0),
}
STORED_PAIRS = [key for key in ORBIT_PAIRS if key != (4, 4, 3)]


class CountSuite:
    """Orbits of nodes and edges, one thread."""

    params = (sorted(GRAPHS), ("node", "edge"), (4, 5))
    param_names = ("graph", "kind", "max_nodes")
    timer = staticmethod(time.process_time)
    timeout = 300

    def setup_cache(self):
        """Generate the graphs once, in a process of their own."""
        return {name: as_graph(make()) for name, make in GRAPHS.items()}

    def setup(self, graphs, graph, kind, max_nodes):
        """Compile."""
        count_orbits(nx.karate_club_graph(), max_nodes, kind=kind)

    def time_count_orbits(self, graphs, graph, kind, max_nodes):
        """Count for all nodes or edges."""
        count_orbits(graphs[graph], max_nodes, kind=kind)

    def peakmem_count_orbits(self, graphs, graph, kind, max_nodes):
        """Resident memory of the process, interpreter and graphs included."""
        count_orbits(graphs[graph], max_nodes, kind=kind)


class AdjacencySuite:
    """The 27 orbit adjacencies of 100,000 edges, one thread."""

    timer = staticmethod(time.process_time)
    timeout = 300

    def setup(self):
        """Generate the graph and compile."""
        self.graph = as_graph(nx.gnm_random_graph(10_000, 100_000, seed=0))
        orbit_adjacencies(nx.karate_club_graph())

    def time_orbit_adjacencies(self):
        """All but (4, 4, 3)."""
        orbit_adjacencies(self.graph, pairs=STORED_PAIRS)

    def peakmem_orbit_adjacencies(self):
        """Resident memory of the process, 215 MB of result included."""
        orbit_adjacencies(self.graph, pairs=STORED_PAIRS)


class EmbeddingSuite:
    """Transformers of 2,000 nodes, one thread."""

    params = ("one pair", "all pairs", "random walk", "counts")
    param_names = ("method",)
    timer = staticmethod(time.process_time)
    timeout = 300

    def setup(self, method):
        """Generate the graph and compile."""
        self.graph = as_graph(nx.powerlaw_cluster_graph(2_000, 5, 0.5, seed=0))
        self.model = {
            "one pair": OrbitAdjacencyEmbedding(64, pair=(4, 5), random_state=0),
            "all pairs": OrbitAdjacencyEmbedding(64, random_state=0),
            "random walk": RandomWalkEmbedding(64, random_state=0),
            "counts": OrbitCounter(5, log=True),
        }[method]
        self.model.fit(nx.karate_club_graph())

    def time_fit(self, method):
        """Embed the graph."""
        self.model.fit(self.graph)
