"""Learning directed acyclic graphs from data."""

from sparsekit.causal._background import BackgroundKnowledge
from sparsekit.causal._bootstrap import BootstrapEdges
from sparsekit.causal.colide._estimator import CoLiDE
from sparsekit.causal.colide._path import CoLiDEPath, colide_path
from sparsekit.causal.colide._stability import StabilitySelection, stability_selection
from sparsekit.causal.order._boss import BOSS

__all__ = [
    "BOSS",
    "BackgroundKnowledge",
    "BootstrapEdges",
    "CoLiDE",
    "CoLiDEPath",
    "StabilitySelection",
    "colide_path",
    "stability_selection",
]
