"""The forms in which background knowledge is written down, brought into one."""

from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any

import numpy as np
import scipy.sparse as sp

__all__ = ["Edges", "Feature", "Tiers", "as_edges", "as_tiers"]

# By index or by name.
Feature = int | str
# Pairs of features, or a read-only boolean matrix.
Edges = tuple[tuple[Feature, Feature], ...] | np.ndarray
Tiers = tuple[tuple[Feature, ...], ...]


def as_edges(edges: Any, what: str) -> Edges:
    """Normal form of everything that the constructor takes for edges."""
    if sp.issparse(edges):
        return _frozen(edges.toarray() != 0, what)
    if hasattr(edges, "columns"):
        return _edges_of_frame(edges, what)
    if isinstance(edges, np.ndarray) and edges.dtype == bool:
        return _frozen(edges, what)
    if isinstance(edges, str) or not isinstance(edges, Iterable):
        raise TypeError(
            f"expected {what} to be pairs of features or a boolean matrix, got {edges!r}."
        )
    rows = [_row(row, what) for row in edges]
    if rows and all(isinstance(value, bool | np.bool_) for row in rows for value in row):
        return _frozen(np.array(rows), what)
    return tuple(_as_pair(row, what) for row in rows)


def _row(row: Any, what: str) -> Sequence:
    if isinstance(row, str) or not isinstance(row, Sequence | np.ndarray):
        raise TypeError(
            f"expected {what} to be pairs of features, got {row!r} for a pair: write "
            "[(source, target), ...], also if there is one only."
        )
    return row


def _as_pair(row: Sequence, what: str) -> tuple[Feature, Feature]:
    if len(row) != 2:
        raise ValueError(
            f"expected {what} to be pairs (source, target), got an entry of length {len(row)}: a "
            "matrix must be boolean, such as matrix != 0."
        )
    return (_as_feature(row[0], what), _as_feature(row[1], what))


def _as_feature(feature: Any, what: str) -> Feature:
    if isinstance(feature, str):
        return str(feature)
    if isinstance(feature, Integral) and not isinstance(feature, bool):
        return int(feature)
    raise TypeError(f"expected features by index or name in {what}, got {feature!r}.")


def as_tiers(tiers: Any) -> Tiers:
    """Normal form of tiers.

    Parameters
    ----------
    tiers : sequence of sequences of int or str

    Returns
    -------
    tuple of tuples

    Raises
    ------
    TypeError
    """
    groups = [] if isinstance(tiers, str) or not isinstance(tiers, Iterable) else list(tiers)
    is_flat = any(isinstance(tier, str) or not isinstance(tier, Iterable) for tier in groups)
    if is_flat or not isinstance(tiers, Iterable) or isinstance(tiers, str):
        raise TypeError(
            "expected tiers to be a sequence of sequences of features, such as [['a', 'b'], "
            f"['c']], got {tiers!r}."
        )
    return tuple(tuple(_as_feature(one, "tiers") for one in tier) for tier in groups)


def _edges_of_frame(frame: Any, what: str) -> Edges:
    columns = list(frame.columns)
    if {"source", "target"} <= set(columns):
        pairs = zip(frame["source"], frame["target"], strict=True)
        return tuple(_as_pair(pair, what) for pair in pairs)
    matrix = np.asarray(frame)
    if matrix.dtype != bool:
        raise ValueError(
            f"expected {what} to be a boolean frame or one with the columns source and target, got "
            f"{matrix.dtype} values: compare it with 0 first."
        )
    frozen, rows = _frozen(matrix, what), list(getattr(frame, "index", columns))
    numbers = list(range(len(matrix)))
    if columns == rows == numbers:
        return frozen
    if rows == numbers:  # numbered rows follow the columns
        rows = columns
    is_named = all(isinstance(column, str) for column in columns)
    if not is_named or set(rows) != set(columns) or len(set(columns)) < len(columns):
        raise ValueError(
            f"expected the rows and columns of {what} to have the same names, each once, or no "
            "names (numbers in order, from 0)."
        )
    pairs = [(rows[i], columns[j]) for i, j in np.argwhere(matrix).tolist()]
    return tuple(pair for pair in pairs if what == "required" or pair[0] != pair[1])


def _frozen(matrix: np.ndarray, what: str) -> np.ndarray:
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(
            f"expected {what} as a matrix to be square, one row and column a feature, got shape "
            f"{matrix.shape}."
        )
    copy = matrix.copy()
    copy.flags.writeable = False
    return copy
