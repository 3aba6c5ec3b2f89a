"""Data with dropouts: expression by a structural equation model, of which a part is seen as 0."""

from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from scipy.special import expit, ndtr
from sklearn.utils import check_random_state, check_scalar

from sparsekit.datasets._linear_sem import (
    _check_choice,
    _check_range,
    _sample_in_order,
    _scale_free,
)

__all__ = ["make_dropout_sem"]

_GRAPHS = ("er", "sf")
_DISTRIBUTIONS = ("gaussian", "lognormal")

# The noise of each variable has a mean and a standard deviation that are uniform between these.
_NOISE_MEANS = (-1.0, 1.0)
_NOISE_SCALES = (1.0, 2.0)


def make_dropout_sem(
    n_samples: int = 1000,
    n_nodes: int = 20,
    *,
    graph: str = "er",
    degree: float = 2,
    mechanism: str = "fixed",
    distribution: str = "gaussian",
    mechanism_params: Sequence[float] | None = None,
    weight_range: tuple[float, float] = (0.25, 1.0),
    return_latent: bool = False,
    random_state: Any = None,
) -> tuple[Any, ...]:
    """Generate samples with dropouts of a structural equation model over a random DAG.

    The latent expression ``Z`` of every gene is a weighted sum of its parents and Gaussian noise of
    its own, with a mean in [-1, 1] and a standard deviation in [1, 2]. What is observed is
    ``X = (1 - D) Z``, where the indicator D of a dropout depends on the same gene only. As ``Z`` is
    never exactly zero, ``X == 0`` marks the dropouts.

    Parameters
    ----------
    n_samples : int, default=1000
    n_nodes : int, default=20
    graph : {"er", "sf"}, default="er"
        "er": ``round(degree * n_nodes)`` pairs of nodes, at most all, drawn without preference and
        joined in the direction of a random order. (`make_linear_sem` draws this number, too.)
        "sf": scale-free, as in `make_linear_sem`.
    degree : float, default=2
        Edges per node. A node has twice as many neighbours on average, which other authors call
        the degree.
    mechanism : str, default="fixed"
        What makes a zero, with `mechanism_params` and their default for Gaussian and lognormal
        expression:

        - "fixed": D is 1 with a probability that each gene draws from U(low, high); (0.4, 0.7) and
          (0.3, 0.6).
        - "truncation": values up to a percentile of the gene, drawn from U(low, high), are lost;
          (20, 50) and (20, 40).
        - "logistic", "probit": D is 1 with probability ``f(intercept + slope * Z)``, f the logistic
          function or the Gaussian distribution function; (-0.5, -1.5) and (0.5, -0.5).
        - "michaelis_menten": D is 1 with probability ``1 - E / (E + half)``, where E is the mean of
          the absolute values of the gene; (1,) for both.
        - "quantile": values below a percentile of the gene are lost with a probability;
          (50, 0.5) for both.
        - "poisson": no dropouts but errors of measurement: X are Poisson counts with the mean
          ``depth * max(Z, 0)``; (1,) for both.
    distribution : {"gaussian", "lognormal"}, default="gaussian"
        "lognormal": the columns of Z are standardised, then replaced by their exponential.
    mechanism_params : sequence of float, default=None
        Parameters of the mechanism; None means the defaults above.
    weight_range : (float, float), default=(0.25, 1.0)
        Absolute values of the weights are uniform between these two, which are positive; signs are
        even.
    return_latent : bool, default=False
        Whether to return the expression without dropouts, too.
    random_state : int, RandomState instance or None, default=None
        An integer gives the same data in every version of sparsekit.

    Returns
    -------
    X : ndarray of shape (n_samples, n_nodes), float64
        Observed values.
    adjacency : csr_array of shape (n_nodes, n_nodes), float64
        Entry [i, j] is the weight of the edge i -> j.
    latent : ndarray of shape (n_samples, n_nodes), float64
        Expression without dropouts. Only if `return_latent`.

    Raises
    ------
    TypeError, ValueError
        If a parameter is of the wrong type, not finite or out of its range.

    References
    ----------
    H. Dai, I. Ng, G. Luo, P. Spirtes, P. Stojanov, K. Zhang: "Gene regulatory network inference in
    the presence of dropouts: a causal view", ICLR 2024, arXiv:2403.15500. The defaults follow the
    simulations published with the paper.

    Examples
    --------
    >>> from sparsekit.datasets import make_dropout_sem
    >>> X, adjacency = make_dropout_sem(500, 10, mechanism="truncation", random_state=0)
    >>> X.shape, adjacency.nnz
    ((500, 10), 20)
    >>> bool(0.2 < (X == 0).mean() < 0.5)
    True
    """
    check_scalar(n_samples, "n_samples", Integral, min_val=1)
    check_scalar(n_nodes, "n_nodes", Integral, min_val=1)
    _check_choice(graph, "graph", _GRAPHS)
    _check_choice(distribution, "distribution", _DISTRIBUTIONS)
    _check_choice(mechanism, "mechanism", tuple(_MECHANISMS))
    check_scalar(degree, "degree", Real, min_val=0)
    if not degree < np.inf:  # NaN passes all comparisons with a limit
        raise ValueError(f"expected degree to be a finite number, got {degree!r}.")
    bounds = _check_range(weight_range)
    params = _check_params(mechanism_params, mechanism, distribution)
    generator = check_random_state(random_state)

    draw_edges = _pairs if graph == "er" else _scale_free
    sources, targets = draw_edges(n_nodes, degree, generator)
    weights = generator.uniform(*bounds, len(sources))
    weights *= generator.choice([-1.0, 1.0], len(sources))
    names = generator.permutation(n_nodes)
    entries = (weights, (names[sources], names[targets]))
    adjacency = sp.csr_array(entries, shape=(n_nodes, n_nodes))
    # Edges run from smaller to larger numbers, which the permutation hides.
    ordered = sp.csc_array((weights, (sources, targets)), shape=(n_nodes, n_nodes))
    latent = np.empty((n_samples, n_nodes))
    latent[:, names] = _express(ordered, n_samples, generator)
    if distribution == "lognormal":
        latent = np.exp(_standardise(latent))

    X = _MECHANISMS[mechanism].observe(latent, params, generator)
    return (X, adjacency, latent) if return_latent else (X, adjacency)


def _pairs(
    n_nodes: int, degree: float, generator: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    sources, targets = np.triu_indices(n_nodes, k=1)
    n_edges = min(len(sources), round(degree * n_nodes))
    chosen = np.sort(generator.choice(len(sources), n_edges, replace=False))
    return sources[chosen], targets[chosen]


def _express(ordered: sp.csc_array, n_samples: int, generator: np.random.RandomState) -> np.ndarray:
    """Sample the structural equations; `ordered` is strictly upper triangular."""
    n_nodes = ordered.shape[0]
    means = generator.uniform(*_NOISE_MEANS, n_nodes)
    scales = generator.uniform(*_NOISE_SCALES, n_nodes)
    centred = _sample_in_order(ordered, scales, n_samples, generator)
    return centred + np.linalg.solve(np.eye(n_nodes) - ordered.T.toarray(), means)


def _standardise(values: np.ndarray) -> np.ndarray:
    scales = values.std(axis=0)
    scales[scales == 0] = 1  # a single sample
    return (values - values.mean(axis=0)) / scales


def _with_zeros(latent: np.ndarray, probability: Any, generator: Any) -> np.ndarray:
    return np.where(generator.random_sample(latent.shape) < probability, 0.0, latent)


def _fixed(latent: np.ndarray, params: tuple, generator: Any) -> np.ndarray:
    return _with_zeros(latent, generator.uniform(*params, latent.shape[1]), generator)


def _truncation(latent: np.ndarray, params: tuple, generator: Any) -> np.ndarray:
    shares = generator.uniform(*params, latent.shape[1])
    limits = [
        np.percentile(*column_and_share) for column_and_share in zip(latent.T, shares, strict=True)
    ]
    return np.where(latent <= limits, 0.0, latent)


def _logistic(latent: np.ndarray, params: tuple, generator: Any) -> np.ndarray:
    intercept, slope = params
    return _with_zeros(latent, expit(intercept + slope * latent), generator)


def _probit(latent: np.ndarray, params: tuple, generator: Any) -> np.ndarray:
    intercept, slope = params
    return _with_zeros(latent, ndtr(intercept + slope * latent), generator)


def _michaelis_menten(latent: np.ndarray, params: tuple, generator: Any) -> np.ndarray:
    (half,) = params
    return _with_zeros(latent, half / (np.abs(latent).mean(axis=0) + half), generator)


def _quantile(latent: np.ndarray, params: tuple, generator: Any) -> np.ndarray:
    percentile, probability = params
    low = latent < np.percentile(latent, percentile, axis=0)
    return _with_zeros(latent, np.where(low, probability, 0.0), generator)


def _poisson(latent: np.ndarray, params: tuple, generator: Any) -> np.ndarray:
    (depth,) = params
    return generator.poisson(depth * np.maximum(latent, 0)).astype(np.float64)


class _Mechanism(NamedTuple):
    observe: Callable[[np.ndarray, tuple, Any], np.ndarray]
    gaussian: tuple[float, ...]  # default parameters
    lognormal: tuple[float, ...]
    limits: tuple[tuple[float, float], ...]  # of each parameter, which may attain them
    increasing: bool = False  # whether the parameters are the two ends of a range


_ANY, _SHARE, _PERCENT, _POSITIVE = (-1e300, 1e300), (0, 1), (0, 100), (1e-300, 1e9)

_MECHANISMS = {
    "fixed": _Mechanism(_fixed, (0.4, 0.7), (0.3, 0.6), (_SHARE, _SHARE), True),
    "truncation": _Mechanism(_truncation, (20, 50), (20, 40), (_PERCENT, _PERCENT), True),
    "logistic": _Mechanism(_logistic, (-0.5, -1.5), (0.5, -0.5), (_ANY, _ANY)),
    "probit": _Mechanism(_probit, (-0.5, -1.5), (0.5, -0.5), (_ANY, _ANY)),
    "michaelis_menten": _Mechanism(_michaelis_menten, (1,), (1,), (_POSITIVE,)),
    "quantile": _Mechanism(_quantile, (50, 0.5), (50, 0.5), (_PERCENT, _SHARE)),
    "poisson": _Mechanism(_poisson, (1,), (1,), (_POSITIVE,)),
}


def _check_params(given: Any, mechanism: str, distribution: str) -> tuple[float, ...]:
    chosen = _MECHANISMS[mechanism]
    if given is None:
        return chosen.gaussian if distribution == "gaussian" else chosen.lognormal
    if np.shape(given) != (len(chosen.limits),):
        raise ValueError(
            f"expected mechanism_params of mechanism={mechanism!r} to be a sequence of "
            f"{len(chosen.limits)} numbers, got {given!r}."
        )
    for value, (low, high) in zip(given, chosen.limits, strict=True):
        check_scalar(value, "mechanism_params", Real)
        if not low <= value <= high:
            raise ValueError(
                f"expected mechanism_params of mechanism={mechanism!r} in "
                f"{[list(limits) for limits in chosen.limits]}, got {given!r}."
            )
    if chosen.increasing and given[0] > given[1]:
        raise ValueError(f"expected mechanism_params to increase, got {given!r}.")
    return tuple(float(value) for value in given)
