"""Edge orbits of graphlets that are two nodes and the graph between their common neighbours.

Every pair of nodes w < u is visited once, from u: the paths u - a - w are listed by w, and the
edges among the middles a are found in the graph around u.
"""

from typing import NamedTuple

import numpy as np

from sparsekit.core.bits import n_words, popcount, trailing_zeros
from sparsekit.core.jit import count_workers, kernel, run_ranges, run_workers
from sparsekit.core.ordering import Ordered, degrees_of, ranges_of_rows
from sparsekit.graphlets.orbits._binomials import pairs_of
from sparsekit.graphlets.orbits._edges4 import (
    FROM_HIGHER,
    FROM_LOWER,
    TRIANGLES,
    add_three,
    sum_of_workers,
)

__all__ = ["Pairs", "fill_pairs", "pair_sums"]

_ONE = np.uint64(1)
_LOW_BITS = 63


class Pairs(NamedTuple):
    """Sums over pairs of nodes, for the edges between a pair and its common neighbours.

    Those of an edge are divided between its two slots.

    Attributes
    ----------
    outer : ndarray of shape (nnz, 2), int64
        Pairs of further common neighbours, and edges between common neighbours.
    inner : ndarray of shape (nnz, 3), int64
        With n common neighbours of the pair, and c of them adjacent to the one at hand: sums of
        ``c * (n - 2)`` and ``C(c, 2)``, and of c - 1 of those adjacent.
    between : ndarray of shape (n_edges,), int64
        For edges between common neighbours: sum of n - 2.
    """

    outer: np.ndarray
    inner: np.ndarray
    between: np.ndarray


class _Paths(NamedTuple):
    """Paths u - a - w with w < u, by their end w. Counts and edges are 0 between two u.

    Attributes
    ----------
    counts : ndarray of shape (n_nodes,), int32
    ends : ndarray of shape (n_nodes + 1,), int32
        The nodes w in no order.
    outer : ndarray of shape (n_nodes, 2), int64
        What the pair u, w adds to `Pairs.outer`.
    starts, stops : ndarray of shape (n_nodes,), int64
        Where the paths to w are listed: those whose middle lies in a triangle with u.
    middles : ndarray of int32
        Position of a in row u.
    slots : ndarray of int64
        Slot from a to w.
    """

    counts: np.ndarray
    ends: np.ndarray
    outer: np.ndarray
    starts: np.ndarray
    stops: np.ndarray
    middles: np.ndarray
    slots: np.ndarray


class _Around(NamedTuple):
    """The graph between the neighbours of u, which go by their position in row u.

    Attributes
    ----------
    mark : ndarray of shape (n_nodes,), int32
        Position plus one; 0 between two u.
    first : ndarray of int64
        Where the words of each neighbour start.
    words : ndarray of int32
        Which word of 64 positions it is; only those with a bit are there.
    bits : ndarray of uint64
        Adjacent neighbours of higher position.
    base : ndarray of int64
        Number of edges before those of this word.
    edge, between : ndarray of int64
        Number of each edge, and its share of `Pairs.between`.
    members : ndarray of uint64
        Bits of the common neighbours of the pair at hand.
    degree, onward : ndarray of int32, int64
        By position, for these: how many of the others are adjacent, and how many of the others are
        adjacent to those. All 0 between two pairs.
    found : ndarray of int32
        Later ends of the edges between them.
    stops : ndarray of int64
        Where in `found` those end that start at each of them.
    """

    mark: np.ndarray
    first: np.ndarray
    words: np.ndarray
    bits: np.ndarray
    base: np.ndarray
    edge: np.ndarray
    between: np.ndarray
    members: np.ndarray
    degree: np.ndarray
    onward: np.ndarray
    found: np.ndarray
    stops: np.ndarray


@kernel(inner=True)
def _count_paths(u, ordered, begins, paths):
    """Count paths by their end, and return the number of ends."""
    indptr, _, indices, _ = ordered
    counts, ends = paths.counts, paths.ends
    n_ends = 0
    for slot in range(indptr[u], indptr[u + 1]):
        a = indices[slot]
        for step in range(begins[a], indptr[a + 1]):
            w = indices[step]
            if w >= u:
                break
            ends[n_ends] = w
            n_ends += counts[w] == 0
            counts[w] += 1
    n_listed = 0
    for i in range(n_ends):
        w = ends[i]
        paths.outer[w, 0], paths.outer[w, 1] = pairs_of(counts[w] - 1), 0
        paths.starts[w] = paths.stops[w] = n_listed
        n_listed += counts[w]
    return n_ends


@kernel(inner=True)
def _list_paths(u, ordered, begins, triangles, paths):
    """List the paths that can have an edge between their middle and another one."""
    indptr, _, indices, _ = ordered
    counts, stops = paths.counts, paths.stops
    for slot in range(indptr[u], indptr[u + 1]):
        if triangles[slot] == 0:
            continue
        a = indices[slot]
        for step in range(begins[a], indptr[a + 1]):
            w = indices[step]
            if w >= u:
                break
            if counts[w] > 1:
                entry = stops[w]
                paths.middles[entry] = slot - indptr[u]
                paths.slots[entry] = step
                stops[w] = entry + 1


@kernel(inner=True)
def _list_edges(u, ordered, offsets, triangles, around):
    """List the edges between neighbours of u, and return their number."""
    indptr, middle, indices, _ = ordered
    mark, words, bits = around.mark, around.words, around.bits
    start, stop = indptr[u], indptr[u + 1]
    for slot in range(start, stop):
        mark[indices[slot]] = slot - start + 1
    n_edges = n_used = 0
    for slot in range(start, stop):
        around.first[slot - start] = n_used
        if triangles[slot] == 0:
            continue
        a, last = indices[slot], -1
        for step in range(middle[a], indptr[a + 1]):
            j = mark[indices[step]] - 1
            if j >= 0:
                if j >> 6 != last:
                    last = j >> 6
                    words[n_used], bits[n_used], around.base[n_used] = last, 0, n_edges
                    n_used += 1
                bits[n_used - 1] |= _ONE << np.uint64(j & _LOW_BITS)
                around.edge[n_edges], around.between[n_edges] = step - offsets[a], 0
                n_edges += 1
    around.first[stop - start] = n_used
    for slot in range(start, stop):
        mark[indices[slot]] = 0
    return n_edges


@kernel(inner=True)
def _find_edges(start, stop, extra, middles, around):
    """List the edges between the middles of these paths, and return their number."""
    words, bits, members = around.words, around.bits, around.members
    degree, between, found = around.degree, around.between, around.found
    n_found = 0
    for entry in range(start, stop):
        i = middles[entry]
        members[i >> 6] |= _ONE << np.uint64(i & _LOW_BITS)
    for entry in range(start, stop):
        i, before = middles[entry], n_found
        for k in range(around.first[i], around.first[i + 1]):
            row, position = bits[k], np.int64(words[k]) << 6
            rest = row & members[position >> 6]
            while rest != 0:
                lowest = rest & (~rest + _ONE)
                j = position + trailing_zeros(rest)
                between[around.base[k] + popcount(row & (lowest - _ONE))] += extra
                degree[j] += 1
                found[n_found] = j
                n_found += 1
                rest ^= lowest
        around.stops[entry - start] = n_found
        degree[i] += n_found - before
    for entry in range(start, stop):
        members[middles[entry] >> 6] = 0
    return n_found


@kernel(inner=True)
def _visit_pair(row_u, n_paths, start, stop, paths, around, inner):
    """Add what a pair with edges between its common neighbours contributes."""
    degree, onward, found = around.degree, around.onward, around.found
    f = 0
    for entry in range(start, stop):
        i = paths.middles[entry]
        others, total = degree[i] - 1, np.int64(0)
        while f < around.stops[entry - start]:
            j = found[f]
            total += degree[j] - 1
            onward[j] += others
            f += 1
        onward[i] += total
    for entry in range(start, stop):
        i = paths.middles[entry]
        if degree[i] > 0:
            thick, spokes = degree[i] * (n_paths - 2), pairs_of(degree[i])
            add_three(inner, row_u + i, 0, thick, spokes, onward[i])
            add_three(inner, paths.slots[entry], 0, thick, spokes, onward[i])
            degree[i], onward[i] = 0, 0


@kernel(inner=True)
def _visit_pairs(u, n_ends, n_edges, ordered, paths, around, pairs):
    row_u = ordered.indptr[u]
    for i in range(n_ends):
        w = paths.ends[i]
        start, stop = paths.starts[w], paths.stops[w]
        if stop - start > 1:
            n_paths = np.int64(paths.counts[w])
            n_found = _find_edges(start, stop, n_paths - 2, paths.middles, around)
            if n_found > 0:
                _visit_pair(row_u, n_paths, start, stop, paths, around, pairs.inner)
                paths.outer[w, 1] = n_found
    for e in range(n_edges):
        pairs.between[around.edge[e]] += around.between[e]


@kernel
def _spread(u, ordered, begins, values, outer):
    """Add the values of each pair u, w to the edges ua and aw of all paths between them."""
    indptr, _, indices, _ = ordered
    for slot in range(indptr[u], indptr[u + 1]):
        a = indices[slot]
        first = second = 0
        for step in range(begins[a], indptr[a + 1]):
            w = indices[step]
            if w >= u:
                break
            first += values[w, 0]
            second += values[w, 1]
            outer[step, 0] += values[w, 0]
            outer[step, 1] += values[w, 1]
        outer[slot, 0] += first
        outer[slot, 1] += second


@kernel
def _sum_pairs(lo, hi, worker, ordered, offsets, begins, triangles, sums, pairs):
    indptr, size = ordered.indptr, ordered.middle.size
    most = most_paths = most_edges = 1
    for u in range(lo, hi):
        most = max(most, indptr[u + 1] - indptr[u])
        most_paths, most_edges = max(most_paths, sums[u, 0]), max(most_edges, sums[u, 1])
    paths = _Paths(
        np.zeros(size, np.int32), np.empty(size + 1, np.int32), np.empty((size, 2), np.int64),
        np.empty(size, np.int64), np.empty(size, np.int64),
        np.empty(most_paths, np.int32), np.empty(most_paths, np.int64),
    )  # fmt: skip
    around = _Around(
        np.zeros(size, np.int32), np.empty(most + 1, np.int64),
        np.empty(most_edges, np.int32), np.empty(most_edges, np.uint64),
        np.empty(most_edges, np.int64), np.empty(most_edges, np.int64),
        np.empty(most_edges, np.int64), np.zeros(n_words(most), np.uint64),
        np.zeros(most, np.int32), np.zeros(most, np.int64),
        np.empty(most_edges + 1, np.int32), np.empty(most, np.int64),
    )  # fmt: skip
    own = Pairs(pairs.outer[worker], pairs.inner[worker], pairs.between[worker])
    for u in range(lo, hi):
        if indptr[u + 1] - indptr[u] < 2:
            continue
        n_ends = _count_paths(u, ordered, begins, paths)
        if sums[u, 1] > 0:
            _list_paths(u, ordered, begins, triangles, paths)
            n_edges = _list_edges(u, ordered, offsets, triangles, around)
            _visit_pairs(u, n_ends, n_edges, ordered, paths, around, own)
        _spread(u, ordered, begins, paths.outer, own.outer)
        for i in range(n_ends):
            paths.counts[paths.ends[i]] = 0


def _first_useful_slots(ordered: Ordered) -> np.ndarray:
    """Where in each row the nodes of degree 2 and more start.

    Leaves have no two neighbours in common with any node, and hubs may have so many of them that
    pairs of them can not be visited.
    """
    n_leaves = np.searchsorted(degrees_of(ordered), 2)
    hubs = ordered.indices[: ordered.indptr[n_leaves]]
    return ordered.indptr[:-1] + np.bincount(hubs, minlength=len(ordered.middle))


def pair_sums(
    ordered: Ordered,
    offsets: np.ndarray,
    triangles: np.ndarray,
    sums: np.ndarray,
    n_jobs: int | None,
) -> Pairs:
    """Sum over pairs of nodes.

    Parameters
    ----------
    ordered : Ordered
    offsets, sums : ndarray
        As for `fill_four`.
    triangles : ndarray of shape (nnz,), int32
        Triangles on the edge of each slot.
    n_jobs : int or None
    """
    ranges = ranges_of_rows(ordered, n_jobs, sums[:, 0] + 1)
    n_workers, n_slots = count_workers(ranges, n_jobs), len(ordered.indices)
    pairs = Pairs(
        np.zeros((n_workers, n_slots, 2), np.int64),
        np.zeros((n_workers, n_slots, 3), np.int64),
        np.zeros((n_workers, n_slots // 2), np.int64),
    )
    begins = _first_useful_slots(ordered)
    run_workers(_sum_pairs, ranges, n_jobs, ordered, offsets, begins, triangles, sums, pairs)
    return Pairs(*map(sum_of_workers, pairs))


@kernel
def _fill_rows(lo, hi, ordered, offsets, rows, facts, pairs, counts):
    indptr, middle, _, mirrored = ordered
    outer, inner, between = pairs
    for v in range(lo, hi):
        for slot in range(middle[v], indptr[v + 1]):
            edge, back = slot - offsets[v], mirrored[slot]
            fact, row = facts[edge], counts[rows[edge]]
            chords = fact[FROM_LOWER] + fact[FROM_HIGHER] - 2 * fact[TRIANGLES]
            row[42] = outer[slot, 0] + outer[back, 0]
            row[56] = outer[slot, 1] + outer[back, 1] - chords
            row[57] = inner[slot, 0] + inner[back, 0]
            row[58] = between[edge]
            # Each wheel was met from two pairs: both diagonals of its rim.
            row[63] = (inner[slot, 2] + inner[back, 2]) >> 1
            row[64] = inner[slot, 1] + inner[back, 1]


def fill_pairs(
    ordered: Ordered,
    offsets: np.ndarray,
    rows: np.ndarray,
    facts: np.ndarray,
    pairs: Pairs,
    counts: np.ndarray,
    n_jobs: int | None,
) -> None:
    """Fill columns 42, 56 to 58, 63 and 64 of `counts`.

    Parameters are those of `fill_four`, and `pairs` from `pair_sums`.
    """
    arrays = (ordered, offsets, rows, facts, pairs, counts)
    run_ranges(_fill_rows, ranges_of_rows(ordered, n_jobs), n_jobs, *arrays)
