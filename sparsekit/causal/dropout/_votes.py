"""Majority rule: in how many separating sets the middle of an unshielded triple is."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from sparsekit.causal.dropout._enumerate import enumerate_tests
from sparsekit.causal.dropout._fisher_z import ConditionalIndependenceTest
from sparsekit.causal.dropout._skeleton import Limits, Skeleton
from sparsekit.core.jit import kernel

__all__ = ["middle_shares", "unshielded_triples"]


class _Votes(NamedTuple):
    """Separating sets of the ends of triples, which are sorted by their ends."""

    pair: np.ndarray  # (d, d) int32: number of each pair of ends x < y, else -1
    first: np.ndarray  # (n_pairs + 1,) where the triples of each pair start
    middle: np.ndarray  # (n_triples,)
    n_sets: np.ndarray  # (n_pairs,)
    n_with: np.ndarray  # (n_triples,) those with the middle


def unshielded_triples(neighbours: Sequence[set[int]]) -> Iterator[tuple[int, int, int]]:
    """Triples x - y - z with x < z not adjacent, by y, then x, then z."""
    for y, ends in enumerate(neighbours):
        for x in sorted(ends):
            yield from ((x, y, z) for z in sorted(ends - neighbours[x]) if z > x)


def middle_shares(
    test: ConditionalIndependenceTest,
    skeleton: Skeleton,
    *,
    alpha: float,
    min_samples: int = 0,
    keep: bool = False,
    tiers: np.ndarray | None = None,
) -> dict[tuple[int, int, int], float]:
    """Share of the sets that separate the ends of each unshielded triple with its middle in them.

    Looked through are all subsets of the neighbours of either end in the final skeleton, up to the
    size of the last level of the search.

    Parameters
    ----------
    test : ConditionalIndependenceTest
    skeleton : Skeleton
    alpha, min_samples, keep, tiers : object
        As for `search_skeleton`.

    Returns
    -------
    dict
        Of triples (x, y, z) with x < z and middle y, if the search has separated the ends. NaN if
        no set separates them now.

    References
    ----------
    .. [1] D. Colombo, M. H. Maathuis: "Order-independent constraint-based causal structure
       learning", Journal of Machine Learning Research 15, 2014.
    """
    neighbours = [set(np.flatnonzero(row).tolist()) for row in skeleton.adjacent]
    found = [t for t in unshielded_triples(neighbours) if (t[0], t[2]) in skeleton.sepsets]
    triples = np.array(found, dtype=np.intp).reshape(-1, 3)
    triples = triples[np.lexsort((triples[:, 1], triples[:, 2], triples[:, 0]))]
    votes, ends = _open_vote(triples, skeleton.adjacent.shape)
    limits = Limits(float(-ndtri(alpha / 2)), min_samples, keep)
    if len(triples):
        statistic, n_rows = test.marginal()
        statistic, _ = limits.judge(statistic, n_rows, 0)
        separated = (statistic < limits.statistic) & (votes.pair >= 0)
        votes.n_sets[votes.pair[separated]] += 1
    for size in range(1, len(skeleton.n_tests)):
        for batch in enumerate_tests(skeleton.adjacent, ends, size, tiers):
            statistic, n_rows = test(batch.tests)
            statistic, _ = limits.judge(statistic, n_rows, size)
            _count(batch.tests, statistic < limits.statistic, votes)
    n_sets = np.repeat(votes.n_sets, np.diff(votes.first)).astype(np.float64)
    n_sets[n_sets == 0] = np.nan
    shares = (votes.n_with / n_sets).tolist()
    return dict(zip(map(tuple, triples.tolist()), shares, strict=True))


def _open_vote(triples: np.ndarray, shape: tuple[int, int]) -> tuple[_Votes, np.ndarray]:
    """Votes of triples that are sorted by their ends, and a symmetric matrix of these."""
    x, middle, z = triples.T
    starts = np.flatnonzero(np.diff(x, prepend=-1) | np.diff(z, prepend=-1))
    pair, ends = np.full(shape, -1, dtype=np.int32), np.zeros(shape, dtype=bool)
    pair[x[starts], z[starts]] = np.arange(len(starts))
    ends[x, z] = ends[z, x] = True
    counts = np.zeros(len(starts), dtype=np.int64), np.zeros(len(triples), dtype=np.int64)
    return _Votes(pair, np.append(starts, len(triples)), middle.copy(), *counts), ends


@kernel
def _count(tests, separates, votes):
    """Count sets that separate, in all and with each middle."""
    for group in range(tests.test_ptr.size - 1):
        for test in range(tests.test_ptr[group], tests.test_ptr[group + 1]):
            if not separates[test]:
                continue
            pair = votes.pair[tests.x[test], tests.y[test]]
            votes.n_sets[pair] += 1
            for slot in range(tests.member_ptr[group], tests.member_ptr[group + 1]):
                for triple in range(votes.first[pair], votes.first[pair + 1]):
                    votes.n_with[triple] += votes.middle[triple] == tests.members[slot]
