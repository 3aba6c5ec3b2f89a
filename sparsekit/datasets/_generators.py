"""Random graphs with a known structure."""

from numbers import Integral, Real
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils import check_random_state, check_scalar

from sparsekit.graph import Graph

__all__ = ["make_sbm_graph"]


def make_sbm_graph(
    n_nodes: int = 1000,
    *,
    n_blocks: int = 5,
    mean_degree: float = 10.0,
    mixing: float = 0.3,
    exponent: float | None = None,
    random_state: Any = None,
) -> tuple[Graph, np.ndarray]:
    """Generate a stochastic block model: a random graph with planted communities.

    Nodes belong to blocks of equal size (up to one node), in random order. About
    ``n_nodes * mean_degree / 2`` edges are sampled. The first end of an edge is any node; the
    second is, with probability `mixing`, any node too and otherwise a node of the same block. Both
    are drawn in proportion to their propensities. With `exponent` the propensities follow a power
    law and the model is degree-corrected [1]_, otherwise all are equal [2]_.

    Parameters
    ----------
    n_nodes : int, default=1000
    n_blocks : int, default=5
        Between 1 and `n_nodes`.
    mean_degree : float, default=10.0
        Degree that is aimed at. Edges from a node to itself are dropped and repeated ones merged,
        so dense or heavy-tailed graphs stay below.
    mixing : float, default=0.3
        Share of edges that ignore the blocks, in [0, 1]: 0 gives separate communities, 1 none. As
        "any node" may lie in the same block, a share ``mixing * (1 - 1 / n_blocks)`` of the sampled
        edges joins two blocks, if the propensities are equal.
    exponent : float, default=None
        Propensities are ``(1 - u) ** (-1 / exponent)`` with u uniform in [0, 1), at most
        ``sqrt(n_nodes)``: smaller exponents mean heavier tails. None: all equal.
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    graph : Graph
        Undirected, unweighted, without self-loops.
    labels : ndarray of shape (n_nodes,), int64
        Block of each node, 0 .. n_blocks - 1.

    Raises
    ------
    TypeError, ValueError
        If a parameter is of the wrong type, not finite or out of its range.

    References
    ----------
    .. [1] B. Karrer, M. E. J. Newman: "Stochastic blockmodels and community structure in networks",
       Physical Review E 83 (2011), 016107.
    .. [2] P. W. Holland, K. B. Laskey, S. Leinhardt: "Stochastic blockmodels: first steps", Social
       Networks 5 (1983), 109-137.

    Examples
    --------
    >>> from sparsekit.datasets import make_sbm_graph
    >>> graph, labels = make_sbm_graph(100, n_blocks=2, mixing=0.1, random_state=0)
    >>> graph.n_nodes, labels.shape
    (100, (100,))
    >>> ends = graph.adjacency.tocoo()
    >>> bool((labels[ends.row] == labels[ends.col]).mean() > 0.9)
    True
    """
    check_scalar(n_nodes, "n_nodes", Integral, min_val=1)
    check_scalar(n_blocks, "n_blocks", Integral, min_val=1, max_val=n_nodes)
    _check_real(mean_degree, "mean_degree", min_val=0)
    _check_real(mixing, "mixing", min_val=0, max_val=1)
    if exponent is not None:
        _check_real(exponent, "exponent", min_val=0, include_boundaries="neither")
    generator = check_random_state(random_state)
    labels = generator.permutation(np.arange(n_nodes, dtype=np.int64) % n_blocks)
    propensities = _draw_propensities(n_nodes, exponent, generator)
    n_edges = round(n_nodes * mean_degree / 2)
    pairs = _sample_pairs(labels, propensities, n_edges, mixing, generator)
    return _merge_pairs(*pairs, n_nodes), labels


def _check_real(value: Any, name: str, **limits: Any) -> None:
    check_scalar(value, name, Real, **limits)
    if not np.isfinite(value):
        raise ValueError(f"{name} == {value}, must be finite.")


def _draw_propensities(
    n_nodes: int, exponent: float | None, generator: np.random.RandomState
) -> np.ndarray:
    if exponent is None:
        return np.ones(n_nodes)
    # The cap in the exponent, not of the power: a tiny `exponent` would overflow.
    log_power = -np.log1p(-generator.random_sample(n_nodes)) / exponent
    return np.exp(np.minimum(log_power, np.log(n_nodes) / 2))


def _sample_pairs(
    labels: np.ndarray,
    propensities: np.ndarray,
    n_edges: int,
    mixing: float,
    generator: np.random.RandomState,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw both ends of every edge by inverting one cumulative sum over nodes sorted by block."""
    order = np.argsort(labels, kind="stable")
    cumulative = np.concatenate([[0.0], np.cumsum(propensities[order])])
    starts = np.concatenate([[0], np.cumsum(np.bincount(labels))])

    def draw(first: Any, last: Any) -> np.ndarray:
        low, high = cumulative[first], cumulative[last]
        values = low + generator.random_sample(n_edges) * (high - low)
        found = np.searchsorted(cumulative, values, side="right") - 1
        return order[np.minimum(found, last - 1)]  # rounding may reach the upper end

    sources = draw(0, len(order))
    mixed = generator.random_sample(n_edges) < mixing
    blocks = labels[sources]
    first = np.where(mixed, 0, starts[blocks])
    last = np.where(mixed, len(order), starts[blocks + 1])
    return sources, draw(first, last)


def _merge_pairs(sources: np.ndarray, targets: np.ndarray, n_nodes: int) -> Graph:
    distinct = sources != targets
    rows, columns = sources[distinct], targets[distinct]
    ends = (np.concatenate([rows, columns]), np.concatenate([columns, rows]))
    adjacency = sp.csr_array((np.ones(len(ends[0])), ends), shape=(n_nodes, n_nodes))
    adjacency.data[:] = 1.0  # repeated pairs were summed
    return Graph(adjacency, directed=False)
