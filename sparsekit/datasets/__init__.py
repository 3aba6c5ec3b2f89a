"""Small data to learn with and generators of graphs and data with a known structure."""

from sparsekit.datasets._dropout_sem import make_dropout_sem
from sparsekit.datasets._generators import make_sbm_graph
from sparsekit.datasets._graphs import load_digits_graph, load_karate_club, load_les_miserables
from sparsekit.datasets._linear_sem import make_linear_sem
from sparsekit.datasets._pbmc import load_pbmc68k_reduced
from sparsekit.datasets._sachs import load_sachs

__all__ = [
    "load_digits_graph",
    "load_karate_club",
    "load_les_miserables",
    "load_pbmc68k_reduced",
    "load_sachs",
    "make_dropout_sem",
    "make_linear_sem",
    "make_sbm_graph",
]
