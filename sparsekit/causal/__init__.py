"""Learning directed acyclic graphs from data."""

from sparsekit.causal._background import BackgroundKnowledge
from sparsekit.causal._bootstrap import BootstrapEdges
from sparsekit.causal.colide._estimator import CoLiDE
from sparsekit.causal.colide._path import CoLiDEPath, colide_path
from sparsekit.causal.colide._stability import StabilitySelection, stability_selection
from sparsekit.causal.dropout._fisher_z import fisher_z_test
from sparsekit.causal.dropout._ges import DropoutGES
from sparsekit.causal.dropout._mechanism import DropoutMechanism, dropout_mechanism_test
from sparsekit.causal.dropout._pc import DropoutPC
from sparsekit.causal.order._boss import BOSS

__all__ = [
    "BOSS",
    "BackgroundKnowledge",
    "BootstrapEdges",
    "CoLiDE",
    "CoLiDEPath",
    "DropoutGES",
    "DropoutMechanism",
    "DropoutPC",
    "StabilitySelection",
    "colide_path",
    "dropout_mechanism_test",
    "fisher_z_test",
    "stability_selection",
]
