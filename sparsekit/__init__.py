"""Scikit-learn-compatible estimators for sparse structure, accelerated with numba."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# Imported on first use: `import sparsekit` must not pay for numba or scikit-learn.
_SUBPACKAGES = (
    "causal",
    "cli",
    "compose",
    "core",
    "datasets",
    "embedding",
    "graph",
    "graphlets",
    "metrics",
    "plotting",
)

__all__ = ["__version__", *_SUBPACKAGES]


def __getattr__(name: str) -> Any:
    if name in _SUBPACKAGES:
        return import_module(f"sparsekit.{name}")
    raise AttributeError(f"module 'sparsekit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
