"""Displays in the manner of scikit-learn; they need matplotlib (``sparsekit[plot]``)."""

from sparsekit.plotting._embedding import EmbeddingDisplay
from sparsekit.plotting._graphlets import plot_graphlets
from sparsekit.plotting._orbits import OrbitDisplay

__all__ = ["EmbeddingDisplay", "OrbitDisplay", "plot_graphlets"]
