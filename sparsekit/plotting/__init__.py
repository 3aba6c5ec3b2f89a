"""Displays in the manner of scikit-learn; they need matplotlib (``sparsekit[plot]``)."""

from sparsekit.plotting._embedding import EmbeddingDisplay

__all__ = ["EmbeddingDisplay"]
