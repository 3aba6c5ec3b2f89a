"""The parameters of the formula, checked."""

from numbers import Integral
from typing import NamedTuple

import numpy as np

from sparsekit.core import csr
from sparsekit.core.csr import CSR

__all__ = ["Settings", "check_settings"]


class Settings(NamedTuple):
    """Parameters of the formula, checked; see `sparsekit.embedding.FastRP`."""

    n_components: int
    weights: tuple[float, ...]  # w_0 (self), w_1, ..., w_k; the last one is not zero
    beta: float
    sparsity: float
    operator: str
    normalize: bool
    deflate: bool
    standardize: bool
    dtype: np.dtype


def check_settings(estimator, adjacency: CSR) -> Settings:
    """Check what scikit-learn's parameter constraints can not: several parameters, or the graph.

    Parameters
    ----------
    estimator : FastRP
    adjacency : CSR

    Returns
    -------
    Settings

    Raises
    ------
    ValueError
        With the values that came and what to do.
    """
    try:
        dtype = None if estimator.dtype is None else np.dtype(estimator.dtype)
    except TypeError:
        dtype = None
    if dtype not in (np.float32, np.float64):
        raise ValueError(f"dtype must be numpy.float32 or numpy.float64, got {estimator.dtype!r}.")
    if estimator.deflate and estimator.operator == "adjacency":
        raise ValueError(
            "deflate=True needs operator='random_walk' or 'symmetric': the stationary "
            "direction of 'adjacency' is not known in advance."
        )
    n_nodes = len(adjacency.indptr) - 1
    if estimator.deflate and not csr.is_symmetric(csr.unpack(adjacency, n_nodes)):
        raise ValueError("deflate=True needs an undirected graph: the adjacency is asymmetric.")
    weights = _all_weights(estimator.self_weight, estimator.hop_weights)
    if not np.sum(np.abs(weights)) <= np.finfo(dtype).max:
        raise ValueError(f"hop_weights and self_weight overflow {dtype}: make them smaller.")
    return Settings(
        n_components=int(estimator.n_components),
        weights=weights,
        beta=float(estimator.beta),
        sparsity=float(estimator.sparsity),
        operator=estimator.operator,
        normalize=bool(estimator.normalize),
        deflate=bool(estimator.deflate),
        standardize=bool(estimator.standardize),
        dtype=dtype,
    )


def _all_weights(self_weight: float, hop_weights) -> tuple[float, ...]:
    """w_0, w_1, ..., w_k without trailing zeros."""
    if isinstance(hop_weights, Integral):
        hop_weights = np.arange(1, hop_weights + 1) / hop_weights
    weights = np.asarray(hop_weights)
    if weights.size == 0:
        weights = np.empty(0)
    if weights.ndim != 1 or weights.dtype.kind not in "biuf" or not np.all(np.isfinite(weights)):
        raise ValueError(f"hop_weights must be an integer or finite numbers, got {hop_weights!r}.")
    weights = np.concatenate(([float(self_weight)], weights))
    used = np.flatnonzero(weights)
    if len(used) == 0:
        raise ValueError("hop_weights and self_weight are all zero: at least one must not be.")
    return tuple(weights[: used[-1] + 1].tolist())
