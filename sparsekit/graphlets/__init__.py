"""Graphlets: how often nodes and edges sit where in small subgraphs."""

from sparsekit.graphlets._adjacency import (
    orbit_adjacencies,
    orbit_adjacency,
    orbit_adjacency_operator,
)
from sparsekit.graphlets._compare import (
    graphlet_correlation_distance,
    graphlet_correlation_matrix,
    graphlet_degree_similarity,
    netemd,
    pairwise_graph_distances,
)
from sparsekit.graphlets._counter import OrbitCounter
from sparsekit.graphlets._counts import count_orbits
from sparsekit.graphlets._embedding import OrbitAdjacencyEmbedding, RandomWalkEmbedding
from sparsekit.graphlets._graphlet_counter import GraphletCounter, count_graphlets
from sparsekit.graphlets._sample import GraphletEstimate, estimate_graphlets

__all__ = [
    "GraphletCounter",
    "GraphletEstimate",
    "OrbitAdjacencyEmbedding",
    "OrbitCounter",
    "RandomWalkEmbedding",
    "count_graphlets",
    "count_orbits",
    "estimate_graphlets",
    "graphlet_correlation_distance",
    "graphlet_correlation_matrix",
    "graphlet_degree_similarity",
    "netemd",
    "orbit_adjacencies",
    "orbit_adjacency",
    "orbit_adjacency_operator",
    "pairwise_graph_distances",
]
