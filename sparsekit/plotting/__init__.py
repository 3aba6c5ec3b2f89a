"""Displays in the manner of scikit-learn; they need matplotlib (``sparsekit[plot]``)."""

from sparsekit.plotting._dag import DAGDisplay
from sparsekit.plotting._embedding import EmbeddingDisplay
from sparsekit.plotting._graphlets import plot_graphlets
from sparsekit.plotting._grn import GRNDisplay
from sparsekit.plotting._orbits import OrbitDisplay
from sparsekit.plotting._path import PathDisplay

__all__ = [
    "DAGDisplay",
    "EmbeddingDisplay",
    "GRNDisplay",
    "OrbitDisplay",
    "PathDisplay",
    "plot_graphlets",
]
