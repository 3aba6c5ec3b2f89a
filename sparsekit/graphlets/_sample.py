"""Estimated numbers of graphlets, for graphs on which five nodes are too many to count exactly."""

from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from sparsekit.core.jit import (
    RANGES_PER_THREAD,
    count_workers,
    effective_threads,
    run_ranges,
    run_workers,
)
from sparsekit.core.ordering import Ordered, degrees_of, order_by_degree, ranges_of_rows
from sparsekit.core.partition import split_evenly
from sparsekit.core.random import stream_key
from sparsekit.graphlets._counts import check_max_nodes
from sparsekit.graphlets._pattern import pattern_of
from sparsekit.graphlets._tables import GRAPHLETS, N_GRAPHLETS
from sparsekit.graphlets.orbits._count4 import EdgeCounts, edge_counts, node_sums
from sparsekit.graphlets.samples._copies import code_of, copies_matrix, graphlets_of_codes
from sparsekit.graphlets.samples._sample_cycles import BANNER, draw_at_nodes, weigh_nodes
from sparsekit.graphlets.samples._sample_slots import (
    BOOK,
    BULL,
    CRICKET,
    DART,
    FORK,
    LOLLIPOP,
    PATH,
    STAR,
    draw_at_slots,
    weigh_slots,
)
from sparsekit.graphlets.samples._sample_steps import choose_places
from sparsekit.graphlets.samples._totals import total_copies

__all__ = ["GraphletEstimate", "estimate_graphlets"]


class Kind(NamedTuple):
    """A kind of copies that are drawn.

    Attributes
    ----------
    graphlet : int
    places : int
        From how many slots or nodes the same copy can be drawn.
    share : int
        Share of the samples. Paths have two: nothing else finds cycles of five nodes.
    """

    graphlet: int
    places: int
    share: int


# Three trees, one of which lies in every graphlet, and what is denser and has a closed form: the
# denser a kind, the rarer its copies, and the more of them lie in dense graphlets.
KINDS = (
    Kind(PATH, places=2, share=2),
    Kind(FORK, places=1, share=1),
    Kind(STAR, places=4, share=1),
    Kind(BULL, places=1, share=1),
    Kind(LOLLIPOP, places=2, share=1),
    Kind(CRICKET, places=2, share=1),
    Kind(BANNER, places=1, share=1),
    Kind(DART, places=1, share=1),
    Kind(BOOK, places=1, share=1),
)

# A graphlet that n samples did not show has, with 95 % confidence, a share below 3/n: the standard
# error of an estimate of 0 is such that 1.96 of it reach there. In units of hits, squared:
_LEAST_VARIANCE = (3 / 1.96) ** 2
_SAMPLES_OF_A_RANGE = 8192


class Samples(NamedTuple):
    """What was drawn.

    Attributes
    ----------
    kinds : ndarray of shape (n_kinds,), int64
        Graphlets of which copies were drawn.
    n_draws : ndarray of shape (n_kinds,), int64
    ways : ndarray of shape (n_kinds,)
        Number of ways to draw, with coinciding nodes, divided by those that give the same copy.
    hits : ndarray of shape (n_kinds, 30), int64
        How many draws induced which graphlet. The other draws had coinciding nodes.
    """

    kinds: np.ndarray
    n_draws: np.ndarray
    ways: np.ndarray
    hits: np.ndarray


class GraphletEstimate(NamedTuple):
    """Estimated numbers of graphlets in a graph, as `estimate_graphlets` returns them.

    Parameters
    ----------
    counts : ndarray of shape (9 or 30,), float64
        Number of occurrences of each graphlet.
    stderr : ndarray of shape (9 or 30,), float64
        Their standard errors; 0 where the count is exact.
    n_samples : int
        Number of samples that were drawn.

    See Also
    --------
    estimate_graphlets : What the fields mean, in full.

    Examples
    --------
    >>> import networkx as nx
    >>> from sparsekit.graphlets import estimate_graphlets
    >>> estimate = estimate_graphlets(nx.star_graph(4), n_samples=100, random_state=0)
    >>> float(estimate.counts[11]), float(estimate.stderr[11])  # the graph is this graphlet
    (1.0, 0.0)
    """

    counts: np.ndarray
    stderr: np.ndarray
    n_samples: int


def estimate_graphlets(
    graph: Any,
    max_nodes: int = 5,
    *,
    n_samples: int = 100_000,
    random_state: Any = None,
    n_jobs: int | None = None,
) -> GraphletEstimate:
    """Estimate how often each graphlet occurs in a graph, with standard errors.

    Graphlets of up to four nodes are counted exactly, below 2**53. Those of five nodes are
    estimated from random samples, whose number does not depend on the size of the graph: for graphs
    on which exact counts of five nodes are out of reach.

    Parameters
    ----------
    graph : object
        An undirected graph: anything that `sparsekit.graph.as_graph` takes. Weights and self-loops
        are ignored.
    max_nodes : {4, 5}, default=5
        Size of the largest graphlets. With 4 nothing is drawn.
    n_samples : int, default=100_000
        Number of samples, at least 1. It is rounded up to a full share for each kind of sample.
        Standard errors decrease with its square root.
    random_state : int, RandomState instance or None, default=None
        Sample number i of each kind is a function of this seed and i.
    n_jobs : int or None, default=None
        Threads; ``None`` means 1 and -1 all cores. The result does not depend on it.

    Returns
    -------
    GraphletEstimate
        ``counts`` and ``stderr``, float64 of shape (9,) or (30,) for the graphlets G0, G1, ..., and
        ``n_samples``, the number of samples drawn. ``counts`` plus and minus 1.96 ``stderr`` is an
        approximate 95 % confidence interval once a count rests on about 20 hits, i.e. where
        ``stderr`` is below a fifth of it.

    Raises
    ------
    ValueError
        If the graph has directions, no nodes, or weights that are not finite; if `max_nodes` or
        `n_samples` is out of range.

    See Also
    --------
    count_graphlets : Exact counts.
    GraphletCounter : Exact counts for each of many graphs.
    count_orbits : Exact counts by node; with ``nodes=`` for a sample of nodes.

    Notes
    -----
    Nine kinds of subgraphs on five nodes, induced or not, are drawn uniformly: three trees, as
    every graphlet contains one, and six with a triangle or a cycle of four nodes. The number of
    copies N_k of each kind k is known in closed form. If n_k copies were drawn, and h_kH of them
    lie on nodes that induce graphlet H, which holds c_kH copies of this kind, then

        count_H = sum_k h_kH / sum_k (n_k c_kH / N_k)

    is the balance heuristic of multiple importance sampling [2]_. Draws whose nodes coincide are no
    copies; a kind that only had such draws is left out. The estimate is unbiased given that a copy
    of some kind that lies in H was drawn; otherwise it is 0, which is unlikely from some hundred
    samples on, unless copies of these kinds are very rare. Its variance is estimated from the
    binomial variances of h_kH. A graphlet that was not hit has the count 0 and the standard error
    that goes with 2.3 hits: 1.96 times it is the upper bound that the "rule of three" gives. A
    graphlet is known to be absent, with standard error 0, if it contains something that the graph
    does not; and it is known exactly if no other graphlet in the graph can contain the copies of
    some kind.

    Time and memory are those of counting four nodes, and about a microsecond and five bytes a
    sample. Above 2**53 counts are rounded, with a relative error of about 1e-12; they do not
    overflow.

    References
    ----------
    .. [1] Jha, Seshadhri, Pinar. "Path sampling: a fast and provable method for estimating 4-vertex
       subgraph counts." WWW 2015.
    .. [2] Veach, Guibas. "Optimally combining sampling techniques for Monte Carlo rendering."
       SIGGRAPH 1995.
    .. [3] Wang, Zhao, Zhang, Cheng, Li, Lui, Towsley, Tao, Guan. "MOSS-5: a fast method of
       approximating counts of 5-node graphlets in large graphs." IEEE TKDE 2018.

    Examples
    --------
    >>> import networkx as nx
    >>> from sparsekit.graphlets import estimate_graphlets
    >>> graph = nx.barabasi_albert_graph(100, 5, seed=0)
    >>> estimate = estimate_graphlets(graph, n_samples=2000, random_state=0)
    >>> estimate.counts.shape
    (30,)
    """
    check_max_nodes(max_nodes)
    if not isinstance(n_samples, Integral) or isinstance(n_samples, bool) or n_samples < 1:
        raise ValueError(f"expected n_samples to be an integer of at least 1, got {n_samples!r}.")
    seed = _draw_seed(random_state)
    ordered, _ = order_by_degree(pattern_of(graph))
    edges = edge_counts(ordered, n_jobs)
    sums = node_sums(ordered, edges, n_jobs)
    copies = total_copies(ordered, edges, sums, n_jobs)
    counts, stderr = _exact_counts(copies), np.zeros(N_GRAPHLETS[5])
    n_small = N_GRAPHLETS[4]
    if max_nodes == 4:
        return GraphletEstimate(counts[:n_small], stderr[:n_small], 0)
    samples = _draw_samples(ordered, edges, sums, copies, n_samples, seed, n_jobs)
    counts[n_small:], stderr[n_small:] = _combine(samples, copies)
    return GraphletEstimate(counts, stderr, int(samples.n_draws.sum()))


def _draw_seed(random_state: Any) -> np.uint64:
    if isinstance(random_state, Integral):
        return np.uint64(int(random_state) % 2**64)
    return np.uint64(check_random_state(random_state).randint(np.iinfo(np.int32).max))


def _exact_counts(copies: np.ndarray) -> np.ndarray:
    """Induced counts of up to four nodes; those of five nodes are 0."""
    small = slice(N_GRAPHLETS[4])
    counts = np.zeros(len(copies))
    # The inverse is one of integers. Above 2**53 its products are rounded, maybe to below 0.
    inverse = np.rint(np.linalg.inv(copies_matrix()[small, small]))
    counts[small] = np.maximum(inverse @ copies[small], 0.0)
    return counts


def _draw_samples(
    ordered: Ordered,
    edges: EdgeCounts,
    sums: np.ndarray,
    copies: np.ndarray,
    n_samples: int,
    seed: np.uint64,
    n_jobs: int | None,
) -> Samples:
    """Draw from all kinds of which there are copies."""
    kinds = [kind for kind in KINDS if copies[kind.graphlet] > 0]
    shares = np.array([kind.share for kind in kinds], dtype=np.int64)
    n_draws = -(-int(n_samples) // max(shares.sum(), 1)) * shares
    hits = np.zeros((len(kinds), N_GRAPHLETS[5]), dtype=np.int64)
    ways = np.zeros(len(kinds))
    offsets = np.zeros(len(ordered.indices) + 1, dtype=np.int64)
    np.cumsum(degrees_of(ordered)[ordered.indices] - 1, out=offsets[1:])
    for i, kind in enumerate(kinds):
        cumulative = _weigh(kind, ordered, edges, sums, n_jobs)
        ways[i] = cumulative[-1] / kind.places
        key = np.uint64(stream_key(seed, np.uint64(kind.graphlet)))
        arrays = (cumulative, offsets, ordered, edges)
        hits[i] = _draw(kind.graphlet, int(n_draws[i]), key, *arrays, n_jobs)
    return Samples(np.array([kind.graphlet for kind in kinds], dtype=np.int64), n_draws, ways, hits)


def _weigh(
    kind: Kind, ordered: Ordered, edges: EdgeCounts, sums: np.ndarray, n_jobs: int | None
) -> np.ndarray:
    """Cumulative weights of the slots, or nodes, from which this kind is drawn."""
    ranges = ranges_of_rows(ordered, n_jobs)
    if kind.graphlet == BANNER:
        weights = np.empty(len(ordered.middle))
        run_ranges(weigh_nodes, ranges, n_jobs, ordered, weights)
    else:
        weights = np.empty(len(ordered.indices))
        arrays = (kind.graphlet, ordered, edges.triangles, sums, weights)
        run_ranges(weigh_slots, ranges, n_jobs, *arrays)
    # Rounding moves the probability of a place by some 1e-16: far less than samples could show.
    return np.cumsum(weights, out=weights)


def _draw(
    graphlet: int,
    n_draws: int,
    key: np.uint64,
    cumulative: np.ndarray,
    offsets: np.ndarray,
    ordered: Ordered,
    edges: EdgeCounts,
    n_jobs: int | None,
) -> np.ndarray:
    """Draw this kind; count the graphlets that were hit, shape (30,)."""
    most_ranges = RANGES_PER_THREAD * effective_threads(n_jobs)
    ranges = split_evenly(n_draws, min(1 + n_draws // _SAMPLES_OF_A_RANGE, most_ranges))
    places = np.empty(n_draws, dtype=np.int64)
    run_ranges(choose_places, ranges, n_jobs, key, cumulative, places)
    order = np.argsort(places, kind="stable")
    known = code_of(5, GRAPHLETS[graphlet].edges)
    hits = np.zeros((count_workers(ranges, n_jobs), N_GRAPHLETS[5]), dtype=np.int64)
    task = (known, key, order, places, ordered)
    results = (graphlets_of_codes(5), hits)
    if graphlet == BANNER:
        run_workers(draw_at_nodes, ranges, n_jobs, *task, *results)
    else:
        task = (graphlet, *task, edges.triangles, offsets)
        run_workers(draw_at_slots, ranges, n_jobs, *task, *results)
    return hits.sum(axis=0)


def _combine(samples: Samples, copies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Counts and standard errors of graphlets of five nodes, by the balance heuristic."""
    inside = copies_matrix()[:, N_GRAPHLETS[4] :]
    absent = np.any(inside[copies == 0] > 0, axis=0)
    inside, totals = inside[samples.kinds], copies[samples.kinds]
    draws, chances = _balance(samples, inside, totals)
    expected = np.where(absent, 1.0, np.sum(draws * chances, axis=0))
    hits = samples.hits[:, N_GRAPHLETS[4] :].sum(axis=0)
    counts = hits / expected
    stderr = np.where(absent, 0.0, _standard_errors(hits, draws, chances, expected))
    for kind, total in zip(inside * ~absent, totals, strict=True):
        hosts = np.flatnonzero(kind)
        if len(hosts) == 1:  # all copies lie in this graphlet, which are therefore known
            counts[hosts], stderr[hosts] = total / kind[hosts], 0.0
    return counts, stderr


def _balance(
    samples: Samples, inside: np.ndarray, totals: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Draws of each kind that count for each graphlet, and the chance of a draw, an occurrence."""
    # Draws with coinciding nodes are left out, as if they had not been made. So are kinds of which
    # there was no other draw: they can not hit, and to expect hits of them would lower the counts.
    drawn = samples.hits.sum(axis=1)
    is_drawn = drawn > 0
    draws = np.repeat(drawn[:, np.newaxis], inside.shape[1], axis=1)
    # Where nothing is left, the number of ways says how many occurrences might go unseen.
    unseen = ~np.any(inside[is_drawn] > 0, axis=0)
    draws[:, unseen] = np.where(is_drawn, drawn, samples.n_draws)[:, np.newaxis]
    return draws, inside / np.where(is_drawn, totals, samples.ways)[:, np.newaxis]


def _standard_errors(
    hits: np.ndarray, draws: np.ndarray, chances: np.ndarray, expected: np.ndarray
) -> np.ndarray:
    """From the binomial variances of the hits of each kind; for rare hits those of Poisson."""
    shares = np.minimum(np.maximum(hits, _LEAST_VARIANCE) / expected * chances, 1.0)
    least = np.minimum(_LEAST_VARIANCE / np.maximum(draws, 1), 1.0)
    return np.sqrt(np.sum(draws * shares * np.maximum(1 - shares, least), axis=0)) / expected
