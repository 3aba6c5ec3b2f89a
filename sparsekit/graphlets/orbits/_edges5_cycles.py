"""Edge orbits of graphlets that grow from cycles: pentagons and what hangs on a four-cycle.

Every cycle is found once, from its highest node x, by walking through lower nodes only.
"""

from typing import NamedTuple

import numpy as np

from sparsekit.core.jit import count_workers, kernel, run_ranges, run_workers
from sparsekit.core.ordering import Ordered, ranges_of_rows
from sparsekit.graphlets.orbits._edges4 import (
    ABOVE,
    BELOW,
    CYCLES,
    FROM_HIGHER,
    FROM_LOWER,
    TRIANGLES,
    add_three,
    sum_of_workers,
)

__all__ = ["Cycles", "cycle_sums", "fill_cycles"]


class Cycles(NamedTuple):
    """Sums over cycles by slot; those of an edge are divided arbitrarily between its two slots.

    Attributes
    ----------
    pentagons : ndarray of shape (nnz,), int64
        Cycles of five nodes, and some more that `fill_cycles` takes off.
    squares : ndarray of shape (nnz, 3), int64
        Sums over the four-cycles a - b - c - d of edge ab: ``d(c) + d(d)``, ``t(cd)`` and
        ``t(bc) + t(da)``.
    """

    pentagons: np.ndarray
    squares: np.ndarray


class _Paths(NamedTuple):
    """Paths x - a - b below x, by their end b; all zeros between two x.

    Attributes
    ----------
    counts : ndarray of shape (n_nodes,), int32
    sums : ndarray of shape (n_nodes, 3), int64
        Of ``d(a)``, ``t(xa)`` and ``t(ab)``.
    onward : ndarray of shape (n_nodes,), int64
        Sum of the counts at the neighbours of b, without what leads back.
    near : ndarray of shape (n_nodes,), int32
        Whether b is adjacent to x.
    """

    counts: np.ndarray
    sums: np.ndarray
    onward: np.ndarray
    near: np.ndarray


@kernel(inner=True)
def _find_paths(x, ordered, triangles, paths, ends):
    """List the ends of paths from x and return their number."""
    indptr, middle, indices, _ = ordered
    counts, sums, _, near = paths
    n_ends = 0
    for slot in range(indptr[x], middle[x]):
        a = indices[slot]
        near[a] = 1
        d_a, t_xa = indptr[a + 1] - indptr[a], triangles[slot]
        for step in range(indptr[a], indptr[a + 1]):
            b = indices[step]
            if b >= x:
                break
            ends[n_ends] = b
            n_ends += counts[b] == 0
            counts[b] += 1
            add_three(sums, b, 0, d_a, t_xa, triangles[step])
    return n_ends


@kernel(inner=True)
def _cross_pentagons(x, ordered, paths, ends, n_ends, pentagons):
    """Add cycles x - a - b - c - d to their edge bc, and sum up the paths beyond each b."""
    indptr, middle, indices, _ = ordered
    counts, _, onward, near = paths
    for i in range(n_ends):
        b = ends[i]
        n_paths, is_near = np.int64(counts[b]), np.int64(near[b])
        total = 0
        for slot in range(indptr[b], middle[b]):
            c = indices[slot]
            n_other = np.int64(counts[c])
            total += n_other
            pentagons[slot] += (n_paths - near[c]) * (n_other - is_near)
        slot, stop = middle[b], indptr[b + 1]
        while slot < stop and indices[slot] < x:
            total += counts[indices[slot]]
            slot += 1
        onward[b] = total - is_near * (slot - indptr[b] - 1)


@kernel(inner=True)
def _close_cycles(x, ordered, triangles, paths, cycles):
    """Add cycles x - a - b - ... to their edges xa and ab."""
    indptr, middle, indices, _ = ordered
    counts, sums, onward, _ = paths
    pentagons, squares = cycles
    d_x = indptr[x + 1] - indptr[x]
    for slot in range(indptr[x], middle[x]):
        a = indices[slot]
        d_a, t_xa = indptr[a + 1] - indptr[a], np.int64(triangles[slot])
        n_pentagons = 0
        for step in range(indptr[a], indptr[a + 1]):
            b = indices[step]
            if b >= x:
                break
            n_beyond = onward[b] - counts[a]
            pentagons[step] += n_beyond
            n_pentagons += n_beyond
            others = np.int64(counts[b] - 1)
            if others > 0:
                d_b, t_ab = indptr[b + 1] - indptr[b], np.int64(triangles[step])
                # over the other paths x - e - b of the cycle: d(e), t(xe), t(eb)
                degrees, near, far = sums[b, 0] - d_a, sums[b, 1] - t_xa, sums[b, 2] - t_ab
                add_three(squares, step, 0, others * d_x + degrees, near, others * t_xa + far)
                add_three(squares, slot, 0, others * d_b + degrees, far, others * t_ab + near)
        pentagons[slot] += n_pentagons


@kernel
def _sum_cycles(lo, hi, worker, ordered, triangles, cycles):
    indptr, middle, indices, _ = ordered
    size = middle.size
    paths = _Paths(
        np.zeros(size, np.int32),
        np.zeros((size, 3), np.int64),
        np.empty(size, np.int64),
        np.zeros(size, np.int32),
    )
    ends = np.empty(size + 1, np.int32)
    own = Cycles(cycles.pentagons[worker], cycles.squares[worker])
    for x in range(lo, hi):
        if middle[x] == indptr[x]:
            continue
        n_ends = _find_paths(x, ordered, triangles, paths, ends)
        _cross_pentagons(x, ordered, paths, ends, n_ends, own.pentagons)
        _close_cycles(x, ordered, triangles, paths, own)
        for i in range(n_ends):
            paths.counts[ends[i]] = 0
            for column in range(3):
                paths.sums[ends[i], column] = 0
        for slot in range(indptr[x], middle[x]):
            paths.near[indices[slot]] = 0


def cycle_sums(
    ordered: Ordered, triangles: np.ndarray, sums: np.ndarray, n_jobs: int | None
) -> Cycles:
    """Sum over the cycles of four and five nodes on each edge.

    Parameters
    ----------
    ordered : Ordered
    triangles : ndarray of shape (nnz,), int32
    sums : ndarray of shape (n_nodes, 4), int64
        From `sparsekit.graphlets.orbits._count4.node_sums`.
    n_jobs : int or None
    """
    ranges = ranges_of_rows(ordered, n_jobs, sums[:, 0] + 1)
    shape = count_workers(ranges, n_jobs), len(ordered.indices)
    cycles = Cycles(np.zeros(shape, np.int64), np.zeros((*shape, 3), np.int64))
    run_workers(_sum_cycles, ranges, n_jobs, ordered, triangles, cycles)
    return Cycles(*map(sum_of_workers, cycles))


@kernel
def _fill_rows(lo, hi, ordered, offsets, rows, sums, facts, cycles, counts):
    indptr, middle, _, mirrored = ordered
    pentagons, squares = cycles
    for v in range(lo, hi):
        # Of the triangles at v, those whose other nodes are below the neighbour at hand.
        n_below = sums[v, 1]
        for slot in range(middle[v], indptr[v + 1]):
            n_below -= facts[slot - offsets[v], BELOW]
        for slot in range(middle[v], indptr[v + 1]):
            edge, back = slot - offsets[v], mirrored[slot]
            fact, row = facts[edge], counts[rows[edge]]
            # t(uw) - 1 and t(vw) - 1 summed over common neighbours w: four-cycles with a chord
            chords = fact[FROM_LOWER] + fact[FROM_HIGHER] - 2 * fact[TRIANGLES]
            row[28] = pentagons[slot] + pentagons[back] - fact[ABOVE] - 2 * n_below
            row[30] = squares[slot, 0] + squares[back, 0] - 4 * fact[CYCLES] - chords
            row[43] = squares[slot, 1] + squares[back, 1] - chords
            row[44] = squares[slot, 2] + squares[back, 2] - 2 * chords
            n_below += fact[BELOW]


def fill_cycles(
    ordered: Ordered,
    offsets: np.ndarray,
    rows: np.ndarray,
    sums: np.ndarray,
    facts: np.ndarray,
    cycles: Cycles,
    counts: np.ndarray,
    n_jobs: int | None,
) -> None:
    """Fill columns 28, 30, 43 and 44 of `counts`.

    Parameters are those of `fill_four`, and `cycles` from `cycle_sums`.
    """
    arrays = (ordered, offsets, rows, sums, facts, cycles, counts)
    run_ranges(_fill_rows, ranges_of_rows(ordered, n_jobs), n_jobs, *arrays)
