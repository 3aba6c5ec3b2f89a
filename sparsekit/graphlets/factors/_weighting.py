"""From orbit adjacencies to the matrix that is factorised."""

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from sparsekit.core import csr
from sparsekit.graphlets._adjacency import keys_of
from sparsekit.graphlets.pairs._assemble import Key

__all__ = ["Margins", "blocks_of", "stack_blocks", "stack_new_blocks", "weigh_rows"]

Block = tuple[Key, ...]

# The ends of induced paths: by far the most entries, and a dense matrix on many graphs.
_LEFT_OUT = (4, 4, 3)
# Logarithms of ratios that are 1 but for rounding.
_LEAST_LOGARITHM = 4 * np.finfo(np.float64).eps


class Margins(NamedTuple):
    """What new rows of a block have to be weighted with.

    Attributes
    ----------
    columns : ndarray of shape (n_nodes,)
        Sums of the columns of the counts.
    total : float
        Their sum.
    norm : float
        What the weighted block is divided by: 1 for a block alone.
    """

    columns: np.ndarray
    total: float
    norm: float


def blocks_of(pair: object) -> list[Block]:
    """Turn the parameter `pair` into keys of orbit adjacencies, those of a block to be added.

    Parameters
    ----------
    pair : "all", (int, int) or (int, int, int)

    Returns
    -------
    list of tuple of keys

    Raises
    ------
    ValueError
        If there is no such pair of orbits, or not at this distance.
    """
    if isinstance(pair, str) and pair == "all":
        return [(key,) for key in sorted(keys_of("all")) if key != _LEFT_OUT]
    return [tuple(sorted(keys_of([pair])))]


def weigh_rows(
    counts: sp.csr_array, weighting: str, columns: np.ndarray, total: float
) -> sp.csr_array:
    """Weight counts by what their row and column sums let expect.

    Parameters
    ----------
    counts : csr_array of shape (n_rows, n_nodes)
        May hold zeros.
    weighting : {"ppmi", "normalized"}
        Positive pointwise mutual information, or counts over the root of both sums.
    columns : ndarray of shape (n_nodes,)
        Sums of columns; entries in columns of sum 0 become 0.
    total : float

    Returns
    -------
    csr_array of shape (n_rows, n_nodes), float64
        Without stored zeros.
    """
    values = counts.data.astype(np.float64)
    lengths = np.diff(counts.indptr)
    sums = csr.row_sums(csr.CSR(counts.indptr, counts.indices, values))
    expected = np.repeat(sums, lengths) * columns[counts.indices]
    weights = np.zeros(len(values))
    known = (values > 0) & (expected > 0)
    if weighting == "normalized":
        weights[known] = values[known] / np.sqrt(expected[known])
    else:
        information = np.log(values[known] * total / expected[known])
        weights[known] = np.where(information > _LEAST_LOGARITHM, information, 0)
    result = sp.csr_array((weights, counts.indices, counts.indptr), shape=counts.shape, copy=True)
    result.eliminate_zeros()
    return result


def stack_blocks(
    adjacencies: dict[Key, sp.csr_array], blocks: list[Block], weighting: str
) -> tuple[sp.csr_array, list[tuple[Block, Margins]]]:
    """Weight the orbit adjacencies of a graph and set them side by side.

    Parameters
    ----------
    adjacencies : dict of key to csr_array of shape (n_nodes, n_nodes)
        Emptied on the way, to save memory.
    blocks : list of tuple of keys
        From `blocks_of`. Several blocks are scaled to the same Frobenius norm.
    weighting : {"ppmi", "normalized"}

    Returns
    -------
    csr_array of shape (n_nodes, n_blocks * n_nodes)
        Without blocks of norm 0.
    list of (tuple of keys, Margins)
        The blocks that are left.
    """
    n_nodes = next(iter(adjacencies.values())).shape[0]
    weighted, kept = [sp.csr_array((n_nodes, 0))], []
    for block in blocks:
        first, *others = (adjacencies.pop(key) for key in block)
        counts = sum(others, start=first)
        packed = csr.CSR(counts.indptr, counts.indices, counts.data.astype(np.float64))
        columns = csr.column_sums(packed, n_nodes)
        total = float(columns.sum())
        matrix = weigh_rows(counts, weighting, columns, total)
        norm = float(np.linalg.norm(matrix.data))
        if norm == 0:
            continue
        scale = norm if len(blocks) > 1 else 1.0
        matrix.data /= scale
        weighted.append(matrix)
        kept.append((block, Margins(columns, total, scale)))
    return sp.hstack(weighted, format="csr"), kept


def stack_new_blocks(
    rows: dict[Key, sp.csr_array], kept: list[tuple[Block, Margins]], weighting: str, n_new: int
) -> sp.csr_array:
    """Weight rows of new nodes with the margins of the fitted graph and set them side by side."""
    weighted = [sp.csr_array((n_new, 0))]
    for block, margins in kept:
        first, *others = (rows[key] for key in block)
        counts = sum(others, start=first)
        matrix = weigh_rows(counts, weighting, margins.columns, margins.total)
        weighted.append(matrix / margins.norm)
    return sp.hstack(weighted, format="csr")
