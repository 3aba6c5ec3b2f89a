"""Data from linear structural equation models over random directed acyclic graphs."""

from numbers import Integral, Real
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils import check_random_state, check_scalar

__all__ = ["make_linear_sem"]

_GRAPHS = ("er", "sf")
_NOISES = ("equal", "unequal")

# Variances of unequal noise are uniform between these, as in the experiments of the CoLiDE paper.
_UNEQUAL_VARIANCES = (0.5, 10.0)


def make_linear_sem(
    n_samples: int = 1000,
    n_nodes: int = 20,
    *,
    graph: str = "er",
    degree: float = 4,
    noise: str = "equal",
    weight_range: tuple[float, float] = (0.5, 2.0),
    return_noise: bool = False,
    random_state: Any = None,
) -> tuple[Any, ...]:
    """Generate samples of a linear structural equation model over a random DAG.

    Every variable is a weighted sum of its parents and Gaussian noise of its own, ``x = W' x + z``.
    The nodes are numbered at random, so that the order of the columns says nothing about the graph.
    The order of the variances does: see `sparsekit.metrics.varsortability`.

    Parameters
    ----------
    n_samples : int, default=1000
    n_nodes : int, default=20
    graph : {"er", "sf"}, default="er"
        "er": every pair of nodes is joined with the same probability (Erdos-Renyi), in the
        direction of a random order. "sf": each node in turn receives ``round(degree)`` edges from
        nodes before it, chosen in proportion to one plus their number of edges (scale-free, hubs).
    degree : float, default=4
        Expected number of edges per node: "er" has ``degree * n_nodes`` expected edges (edge
        probability ``2 * degree / (n_nodes - 1)``, at most 1).
    noise : {"equal", "unequal"}, default="equal"
        Variances of the noise: all 1, or uniform in [0.5, 10].
    weight_range : (float, float), default=(0.5, 2.0)
        Absolute values of the weights are uniform between these two, which are positive; signs are
        even.
    return_noise : bool, default=False
        Whether to return the standard deviations of the noise, too.
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    X : ndarray of shape (n_samples, n_nodes), float64
    adjacency : csr_array of shape (n_nodes, n_nodes), float64
        Entry [i, j] is the weight of the edge i -> j.
    noise_scale : ndarray of shape (n_nodes,), float64
        Standard deviations of the noise. Only if `return_noise`.

    Raises
    ------
    TypeError, ValueError
        If a parameter is of the wrong type, not finite or out of its range.

    Examples
    --------
    >>> from sparsekit.datasets import make_linear_sem
    >>> X, adjacency = make_linear_sem(100, 5, degree=1, random_state=0)
    >>> X.shape, adjacency.shape
    ((100, 5), (5, 5))
    >>> bool(abs(adjacency.data).min() >= 0.5)
    True
    """
    check_scalar(n_samples, "n_samples", Integral, min_val=1)
    check_scalar(n_nodes, "n_nodes", Integral, min_val=1)
    _check_choice(graph, "graph", _GRAPHS)
    _check_choice(noise, "noise", _NOISES)
    check_scalar(degree, "degree", Real, min_val=0)
    if not degree < np.inf:  # NaN passes all comparisons with a limit
        raise ValueError(f"expected degree to be a finite number, got {degree!r}.")
    low, high = _check_range(weight_range)
    generator = check_random_state(random_state)
    draw_edges = _erdos_renyi if graph == "er" else _scale_free
    # Edges run from smaller to larger numbers, which a permutation then hides.
    sources, targets = draw_edges(n_nodes, degree, generator)
    weights = generator.uniform(low, high, len(sources))
    weights *= generator.choice([-1.0, 1.0], len(sources))
    scale = np.ones(n_nodes)
    if noise == "unequal":
        scale = np.sqrt(generator.uniform(*_UNEQUAL_VARIANCES, n_nodes))
    names = generator.permutation(n_nodes)
    ordered = sp.csc_array((weights, (sources, targets)), shape=(n_nodes, n_nodes))
    samples = _sample_in_order(ordered, scale, n_samples, generator)

    X, noise_scale = np.empty_like(samples), np.empty(n_nodes)
    X[:, names], noise_scale[names] = samples, scale
    entries = (weights, (names[sources], names[targets]))
    adjacency = sp.csr_array(entries, shape=(n_nodes, n_nodes))
    return (X, adjacency, noise_scale) if return_noise else (X, adjacency)


def _check_choice(value: Any, name: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"expected {name} to be one of {choices}, got {value!r}.")


def _check_range(weight_range: Any) -> tuple[float, float]:
    if np.shape(weight_range) != (2,):
        raise ValueError(f"expected weight_range to be two numbers, got {weight_range!r}.")
    low, high = weight_range
    for value in (low, high):
        check_scalar(value, "weight_range", Real, min_val=0)
    if not 0 < low <= high < np.inf:
        raise ValueError(
            "expected weight_range to increase, from a number above 0, and be finite, got "
            f"{weight_range!r}."
        )
    return float(low), float(high)


def _erdos_renyi(
    n_nodes: int, degree: float, generator: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    probability = min(1.0, 2 * degree / max(1, n_nodes - 1))
    drawn = generator.random_sample((n_nodes, n_nodes)) < probability
    return np.nonzero(np.triu(drawn, k=1))


def _scale_free(
    n_nodes: int, degree: float, generator: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    n_edges = round(degree)
    weights = np.ones(n_nodes)
    sources, targets = [], []
    for node in range(1, n_nodes):
        attractions = weights[:node] / weights[:node].sum()
        chosen = generator.choice(node, min(node, n_edges), replace=False, p=attractions)
        weights[chosen] += 1
        weights[node] += len(chosen)
        sources.append(chosen)
        targets.append(np.full(len(chosen), node))
    empty = np.empty(0, dtype=np.int64)
    return np.concatenate([empty, *sources]), np.concatenate([empty, *targets])


def _sample_in_order(
    ordered: sp.csc_array, scale: np.ndarray, n_samples: int, generator: np.random.RandomState
) -> np.ndarray:
    """Sample ancestors first; `ordered` is strictly upper triangular."""
    samples = generator.standard_normal((n_samples, len(scale))) * scale
    for node in range(len(scale)):
        slots = slice(ordered.indptr[node], ordered.indptr[node + 1])
        samples[:, node] += samples[:, ordered.indices[slots]] @ ordered.data[slots]
    return samples
