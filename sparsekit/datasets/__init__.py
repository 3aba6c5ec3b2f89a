"""Small graphs to learn with and generators of graphs with a known structure."""

from sparsekit.datasets._generators import make_sbm_graph
from sparsekit.datasets._graphs import load_digits_graph, load_karate_club, load_les_miserables

__all__ = ["load_digits_graph", "load_karate_club", "load_les_miserables", "make_sbm_graph"]
