"""How far an estimated causal graph is from the true one, and what helps to judge it."""

from sparsekit.metrics._dag import cpdag, varsortability
from sparsekit.metrics._edges import (
    EdgeScores,
    SkeletonScores,
    edge_scores,
    skeleton_scores,
    structural_hamming_distance,
)
from sparsekit.metrics._intervention import structural_intervention_distance

__all__ = [
    "EdgeScores",
    "SkeletonScores",
    "cpdag",
    "edge_scores",
    "skeleton_scores",
    "structural_hamming_distance",
    "structural_intervention_distance",
    "varsortability",
]
