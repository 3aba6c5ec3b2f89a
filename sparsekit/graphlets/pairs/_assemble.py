"""Build several sparse matrices at once, row by row: count, allocate, fill.

Rows are computed twice, which is cheaper than to keep them until all of them are known: then
neither lists that grow nor copies are needed, and threads write to disjoint parts of the outputs.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from sparsekit.core.bits import n_words, trailing_zeros
from sparsekit.core.jit import kernel, run_ranges

__all__ = [
    "Key",
    "Output",
    "assemble",
    "copy_nodes",
    "finish_row",
    "sorting_bits",
    "sums_of_rows",
]

# Orbit of the row's node, orbit of the column's node, steps between them inside the graphlet.
Key = tuple[int, int, int]

_ONE = np.uint64(1)
_NARROW_LIMIT = 2**31 - 1
_FEW = 16  # nodes that are sorted by insertion


class Output(NamedTuple):
    """Where the rows of matrices go.

    Attributes
    ----------
    wanted : ndarray of shape (n_matrices,), int64
        Place of each matrix among those that can be built.
    writing : bool
        Whether rows are written; at first their entries are only counted.
    starts : ndarray of shape (n_matrices, n_nodes + 1), int64
        Number of entries in each row, one place further on; once it is written, where it starts.
    indices, data : tuple of ndarray
        Of the matrices, and of empty arrays up to the number of those that can be built.
    """

    wanted: np.ndarray
    writing: bool
    starts: np.ndarray
    indices: tuple[np.ndarray, ...]
    data: tuple[np.ndarray, ...]


@kernel(inner=True)
def sorting_bits(n_nodes):
    """What `copy_nodes` needs: one bit for each node, and one for each word of these bits."""
    size = n_words(n_nodes)
    return np.zeros(size, np.uint64), np.zeros(n_words(size), np.uint64)


@kernel(inner=True)
def _insert(found, columns):
    for i in range(found.size):
        v, j = found[i], i
        while j > 0 and columns[j - 1] > v:
            columns[j] = columns[j - 1]
            j -= 1
        columns[j] = v


@kernel(inner=True)
def copy_nodes(found, in_order, bits, columns):
    """Copy distinct nodes to `columns`, in increasing order if so desired.

    Each sets a bit, and one for its word of bits; reading these back sorts without comparisons.
    `bits` comes from `sorting_bits` and is left as it came.
    """
    if not in_order:
        for i in range(found.size):
            columns[i] = found[i]
        return
    if found.size <= _FEW:
        _insert(found, columns)
        return
    words, summary = bits
    for i in range(found.size):
        v = found[i]
        words[v >> 6] |= _ONE << np.uint64(v & 63)
        summary[v >> 12] |= _ONE << np.uint64((v >> 6) & 63)
    n_sorted = 0
    for block in range(summary.size):
        touched, summary[block] = summary[block], 0
        while touched != 0:
            word = (block << 6) + trailing_zeros(touched)
            touched &= touched - _ONE
            members, words[word] = words[word], 0
            while members != 0:
                columns[n_sorted] = (word << 6) + trailing_zeros(members)
                n_sorted += 1
                members &= members - _ONE


@kernel(inner=True)
def finish_row(u, values, columns, n_entries, output):
    """Count the non-zeros of row u of each matrix, or write them once there is room.

    Parameters
    ----------
    u : int
    values : ndarray of shape (n_matrices, n_entries or more), int64
        The row in each matrix that can be built, zeros included.
    columns : ndarray of shape (n_entries or more,), int32
        Sorted, if the row is to be written.
    n_entries : int
    output : Output
    """
    wanted, writing, starts, indices, data = output
    for i in range(wanted.size):
        row, slot = values[wanted[i]], starts[i, u]
        if not writing:
            for j in range(n_entries):
                starts[i, u + 1] += row[j] != 0
            continue
        row_indices, row_data = indices[i], data[i]
        if starts[i, u + 1] - slot == n_entries:  # without a branch inside, this is a plain copy
            for j in range(n_entries):
                row_indices[slot + j], row_data[slot + j] = columns[j], row[j]
            continue
        for j in range(n_entries):
            if row[j] != 0:
                row_indices[slot], row_data[slot] = columns[j], row[j]
                slot += 1


def assemble(
    task: Callable,
    possible: Sequence[Key],
    keys: Sequence[Key],
    ranges: list[tuple[int, int]],
    n_jobs: int | None,
    n_nodes: int,
    *arguments: Any,
) -> dict[Key, sp.csr_array]:
    """Build those of the possible matrices that are asked for.

    Parameters
    ----------
    task : callable
        A kernel that is called as ``task(lo, hi, *arguments, output)``. For each row of the range
        it computes the values in all possible matrices and calls `finish_row`. Only if
        ``output.writing`` is true the columns have to be sorted.
    possible : sequence of keys
        What `task` computes, in the order of its values.
    keys : sequence of keys
        What is wanted.
    ranges : list of (int, int)
    n_jobs : int or None
    n_nodes : int
    *arguments : object

    Returns
    -------
    dict of key to csr_array of shape (n_nodes, n_nodes), int64
        Canonical, without stored zeros.
    """
    if not keys:
        return {}
    wanted = np.array([possible.index(key) for key in keys])
    starts = np.zeros((len(keys), n_nodes + 1), dtype=np.int64)

    def run(writing, sizes, index_type):
        # Always as many arrays as there could be, so that one variant of the kernel is compiled.
        sizes = [*sizes, *[0] * (len(possible) - len(sizes))]
        indices = tuple(np.empty(size, dtype=index_type) for size in sizes)
        data = tuple(np.empty(size, dtype=np.int64) for size in sizes)
        output = Output(wanted, writing, starts, indices, data)
        run_ranges(task, ranges, n_jobs, *arguments, output)
        return indices, data

    run(False, [], np.int32)
    np.cumsum(starts, axis=1, out=starts)
    index_type = np.int32 if starts[:, -1].max() <= _NARROW_LIMIT else np.int64
    indices, data = run(True, starts[:, -1].tolist(), index_type)
    return {
        key: _wrap(data[i], indices[i], starts[i].astype(index_type)) for i, key in enumerate(keys)
    }


def _wrap(data: np.ndarray, indices: np.ndarray, indptr: np.ndarray) -> sp.csr_array:
    matrix = sp.csr_array((data, indices, indptr), shape=(len(indptr) - 1,) * 2)
    matrix.has_canonical_format = True
    return matrix


def sums_of_rows(indptr: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Sum of the integers of each row, int64."""
    cumulative = np.zeros(len(values) + 1, dtype=np.int64)
    np.cumsum(values, out=cumulative[1:])
    return np.diff(cumulative[indptr])
