"""FastRP as a plain function: very sparse random projection, propagated over a graph.

Chen, Sultan, Tian, Chen, Skiena: "Fast and Accurate Network Embeddings via Very Sparse Random
Projection", CIKM 2019. With the random matrix R, the degree scaling L and the operator P

    U_0 = L R,   U_h = P U_{h-1},   E = w_0 N(U_0) + sum_h w_h N(U_h),

where N divides rows by their norms. P^h is never formed.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from sparsekit.core import csr
from sparsekit.core.csr import CSR
from sparsekit.core.jit import run_ranges
from sparsekit.core.memory import aligned_empty
from sparsekit.core.random import sparse_signs
from sparsekit.embedding._columns import row_blocks, shift_and_divide, standardize
from sparsekit.embedding._kernels import TOO_SMALL, Hop, Merge, hop_rows
from sparsekit.embedding._settings import Settings

__all__ = ["Embedding", "embed", "embed_new"]

_NO_SCALE = np.empty(0)
_SAFE_EXPONENT = 60  # of the 127 of single precision


class Block(NamedTuple):
    """U_h = 2**exponent diag(scale) values.

    The power of two, 1 unless numbers grow very large or small, keeps single precision from
    overflowing; multiplying by it is exact.

    Attributes
    ----------
    values : ndarray of shape (n, n_components), int8 (random signs) or the embedding's dtype
    scale : ndarray of shape (n,) or (0,), float64
        Empty stands for ones.
    norms : ndarray of shape (n,), float64
        Row norms of ``diag(scale) values``.
    exponent : int
    """

    values: np.ndarray
    scale: np.ndarray
    norms: np.ndarray
    exponent: int


class Embedding(NamedTuple):
    """Result of `embed`.

    Attributes
    ----------
    vectors : ndarray of shape (n, n_components)
    n_hops : int
        Less than asked for if the propagation was stopped.
    mean, deviation : ndarray of shape (n_components,) or None
        Of the columns before they were standardized; None if they were not.
    """

    vectors: np.ndarray
    n_hops: int
    mean: np.ndarray | None = None
    deviation: np.ndarray | None = None


def embed(
    adjacency: CSR,
    seed: int,
    settings: Settings,
    *,
    n_jobs: int | None = None,
    hops: Iterable[int] | None = None,
) -> Embedding:
    """Embed all nodes of a graph.

    Parameters
    ----------
    adjacency : CSR
        Square, canonical, non-negative.
    seed : int
        The random matrix is a function of it.
    settings : Settings
    n_jobs : int or None, default=None
    hops : iterable of int, default=None
        The numbers 1 .. k; an iterable that ends early stops the propagation there.

    Returns
    -------
    Embedding

    Raises
    ------
    ValueError
        If numbers leave the range of the floating-point type.
    """
    weights = settings.weights
    n_hops = len(weights) - 1
    walk = _Walk(adjacency, seed, settings, n_jobs)
    # E starts out as two terms at once, w_{h-1} N(U_{h-1}) + w_h N(U_h), written over the buffer
    # that the last hop does not need; so weights on the last two hops alone take two buffers.
    first = next(h for h, weight in enumerate(weights) if weight != 0)
    start = min(first + 1, n_hops)
    h, embedding = 0, None
    for h in hops if hops is not None else range(1, n_hops + 1):
        is_last = h == n_hops
        term = Term(embedding, weights[h]) if embedding is not None and weights[h] != 0 else None
        if h == start:
            prior = _merge_factors(walk.block, weights[h - 1], settings)
            embedding = walk.free_buffer() if is_last else walk.new_buffer()
            term = Term(embedding, weights[h], prior)
        walk.advance(term, keep=not is_last)
    if embedding is None:
        embedding = _merge_alone(walk.block, weights[h], settings)
    moments = standardize(embedding) if settings.standardize else ()
    return Embedding(embedding, h, *moments)


def embed_new(
    adjacency: CSR,
    rows: CSR,
    seed: int,
    settings: Settings,
    fitted: Embedding,
    *,
    n_jobs: int | None = None,
) -> np.ndarray:
    """Embed new nodes from their edges to the nodes of a fitted graph.

    The hops of the fitted graph are computed again rather than kept: keeping them would take
    n_hops times the memory of the embedding.

    Parameters
    ----------
    adjacency, seed, settings
        Those of the fit.
    rows : CSR
        Weights from each new node to the fitted nodes.
    fitted : Embedding
        Result of the fit.
    n_jobs : int or None, default=None

    Returns
    -------
    ndarray of shape (n_new, n_components)
        Without a self term: a new node has no row in the random matrix.
    """
    weights = settings.weights[: fitted.n_hops + 1]
    walk = _Walk(adjacency, seed, settings, n_jobs)
    new_rows = _propagation_matrix(rows, settings.operator, fitted_graph=adjacency)
    embedding = np.zeros((len(rows.indptr) - 1, settings.n_components), settings.dtype)
    for h in range(1, len(weights)):
        if weights[h] != 0:
            _hop(new_rows, walk.block, settings, n_jobs, term=Term(embedding, weights[h]))
        if h < len(weights) - 1:
            walk.advance()
    if settings.standardize:
        shift_and_divide(embedding, fitted.mean, fitted.deviation)
    return embedding


class Term(NamedTuple):
    """Add w_h N(U_h) to `embedding`; with `prior`, overwrite it by diag(prior) values first."""

    embedding: np.ndarray
    weight: float
    prior: np.ndarray | None = None


class _Walk:
    """The blocks U_0, U_1, ... of a graph, in two buffers that take turns."""

    def __init__(self, adjacency: CSR, seed: int, settings: Settings, n_jobs: int | None) -> None:
        self._matrix = _propagation_matrix(adjacency, settings.operator)
        self._settings = settings
        self._n_jobs = n_jobs
        self._free: np.ndarray | None = None
        self.block = _first_block(adjacency, seed, settings, n_jobs)
        self.shape = self.block.values.shape

    def new_buffer(self) -> np.ndarray:
        """Memory for another block."""
        return aligned_empty(self.shape, self._settings.dtype)

    def free_buffer(self) -> np.ndarray:
        """Take the buffer that the current block does not occupy."""
        buffer = self.new_buffer() if self._free is None else self._free
        self._free = None
        return buffer

    def advance(self, term: Term | None = None, *, keep: bool = True) -> None:
        """Go from U_{h-1} to U_h, merging it; without `keep` its values are not stored."""
        target = self.free_buffer() if keep else None
        values = self.block.values
        self.block = _hop(
            self._matrix, self.block, self._settings, self._n_jobs, target=target, term=term
        )
        if values.dtype == self._settings.dtype:  # not the signs of U_0
            self._free = values


def _power(values: np.ndarray, exponent: float) -> np.ndarray:
    """Raise to a power, with 0 for 0; infinite where it overflows."""
    result = np.zeros_like(values)
    positive = values > 0
    with np.errstate(over="ignore"):
        result[positive] = values[positive] ** exponent
    return result


class PropagationMatrix(NamedTuple):
    """P = diag(left) matrix diag(right); an empty `right` stands for ones."""

    matrix: CSR
    left: np.ndarray
    right: np.ndarray
    largest_sum: float  # of the rows of P


def _propagation_matrix(
    matrix: CSR, kind: str, fitted_graph: CSR | None = None
) -> PropagationMatrix:
    """P for the rows of `matrix`; columns are scaled by the degrees in the fitted graph."""
    degrees = sums = csr.row_sums(matrix)
    right = _NO_SCALE
    if kind == "random_walk":
        left = _power(degrees, -1.0)
    elif kind == "symmetric":
        graph = matrix if fitted_graph is None else fitted_graph
        column_sums = csr.column_sums(graph, len(graph.indptr) - 1)
        left, right = _power(degrees, -0.5), _power(column_sums, -0.5)
        scaled = matrix.weights if len(matrix.weights) else 1.0
        sums = csr.row_sums(matrix._replace(weights=scaled * right[matrix.indices]))
        degrees = np.append(degrees, column_sums.sum())
    else:
        left = np.ones_like(degrees)
    if not (np.all(np.isfinite(left)) and np.all(np.isfinite(degrees))):
        raise ValueError(
            "the sums of the edge weights leave the range of double precision: rescale the weights."
        )
    return PropagationMatrix(matrix, left, right, float((sums * left).max(initial=0.0)))


def _degree_scale(degrees: np.ndarray, beta: float) -> np.ndarray:
    """L = (d_j / sum d)^beta; a node without edges counts like one of the smallest degree."""
    total = degrees.sum()
    if beta == 0 or total == 0:
        return np.ones_like(degrees)
    smallest = degrees[degrees > 0].min()
    with np.errstate(over="ignore"):
        scale = (np.maximum(degrees, smallest) / total) ** beta
    if not np.all(np.isfinite(scale)):
        raise ValueError(f"beta={beta} makes powers of the degrees overflow: move it towards 0.")
    return scale


def _first_block(adjacency: CSR, seed: int, settings: Settings, n_jobs: int | None) -> Block:
    """U_0 = L R, deflated if asked for."""
    degrees = csr.row_sums(adjacency)
    signs = sparse_signs(seed, len(degrees), settings.n_components, settings.sparsity, n_jobs)
    scale = _degree_scale(degrees, settings.beta)
    scale *= np.sqrt(settings.sparsity / settings.n_components)
    exponent = _excess(scale.max())
    scale = np.ldexp(scale, -exponent)
    norms = scale * np.sqrt(np.count_nonzero(signs, axis=1))
    block = Block(signs, scale, norms, exponent)
    return _deflate(block, degrees, settings) if settings.deflate else block


def _deflate(block: Block, degrees: np.ndarray, settings: Settings) -> Block:
    """Remove the stationary direction; because pi P = pi it is then gone from every hop.

    random_walk: U_0 - v (pi U_0) with v = 1 for nodes with edges and pi = d / sum(d);
    symmetric: U_0 - q (q U_0) / sum(d) with q = sqrt(d).
    """
    values = aligned_empty(block.values.shape, settings.dtype)
    np.multiply(block.values, block.scale[:, None].astype(settings.dtype), out=values)
    total = degrees.sum()
    if total > 0:
        if settings.operator == "random_walk":
            right, left = (degrees > 0).astype(np.float64), degrees / total
        else:
            right, left = np.sqrt(degrees), np.sqrt(degrees) / total
        mean = sum(left[rows] @ values[rows].astype(np.float64) for rows in row_blocks(values))
        for rows in row_blocks(values):
            values[rows] -= right[rows, None] * mean
    norms = np.empty(len(values))
    for rows in row_blocks(values):
        norms[rows] = np.linalg.norm(values[rows].astype(np.float64), axis=1)
    return Block(values, _NO_SCALE, norms, block.exponent)


def _hop(
    propagation: PropagationMatrix,
    block: Block,
    settings: Settings,
    n_jobs: int | None,
    *,
    target: np.ndarray | None = None,
    term: Term | None = None,
) -> Block:
    """Compute U_h = P U_{h-1}, store its values in `target` and merge it, where asked for."""
    nothing = np.empty((0, settings.n_components), settings.dtype)
    limits = np.finfo(settings.dtype)
    bound = propagation.largest_sum * block.norms.max(initial=0.0)
    shift = _excess(bound)
    exponent = block.exponent + shift
    right, source_norms = propagation.right, block.norms
    if len(right):
        source_norms = source_norms * right
    if len(block.scale):
        right = block.scale * right if len(right) else block.scale
    rounding = 4.0 * float(limits.eps)
    hop = Hop(
        propagation.matrix,
        np.ldexp(propagation.left, -shift),
        right,
        source_norms,
        rounding=rounding,
        doubtful_below=rounding * math.ldexp(bound, -shift),
        smallest=float(limits.tiny / limits.eps),
    )
    embedding, weight, prior = term or Term(nothing, 0.0)
    if not settings.normalize:
        weight = _unscaled(weight, exponent)
    merge = Merge(embedding, _NO_SCALE if prior is None else prior, weight, settings.normalize)
    values, norms = nothing if target is None else target, np.empty(len(propagation.left))
    ranges = csr.row_ranges(propagation.matrix, n_jobs)
    run_ranges(hop_rows, ranges, n_jobs, hop, block.values, values, norms, merge)
    _check_range(norms, weight, settings)
    return Block(values, _NO_SCALE, norms, exponent)


def _check_range(norms: np.ndarray, weight: float, settings: Settings) -> None:
    if settings.normalize:
        if norms.min(initial=0.0) == TOO_SMALL:
            raise ValueError(
                f"a hop has rows too small for {settings.dtype}: weights or degrees differ by too "
                "many orders of magnitude; use dtype=numpy.float64, operator='random_walk', fewer "
                "hops or a beta nearer to 0."
            )
    elif not abs(weight) * norms.max(initial=0.0) <= np.finfo(settings.dtype).max:
        raise ValueError(
            f"the embedding overflows {settings.dtype}: use normalize=True, fewer hops, "
            "operator='random_walk' or dtype=numpy.float64."
        )


def _unscaled(weight: float, exponent: int) -> float:
    """Weight of values that were divided by 2**exponent; infinite where it overflows."""
    with np.errstate(over="ignore"):
        return float(np.ldexp(weight, exponent))


def _excess(bound: float) -> int:
    """Power of two to divide by so that `bound` is at a safe distance from over- and underflow."""
    exponent = int(np.frexp(bound)[1])
    return max(exponent - _SAFE_EXPONENT, 0) + min(exponent + _SAFE_EXPONENT, 0)


def _merge_factors(block: Block, weight: float, settings: Settings) -> np.ndarray:
    """Factors f with w N(U_h) = diag(f) values."""
    if settings.normalize:
        factors = weight * _power(block.norms, -1.0)
    else:
        weight = _unscaled(weight, block.exponent)
        _check_range(block.norms, weight, settings)
        factors = np.full(len(block.norms), weight)
    return factors * block.scale if len(block.scale) else factors


def _merge_alone(block: Block, weight: float, settings: Settings) -> np.ndarray:
    """The single term w N(U_h)."""
    factors = _merge_factors(block, weight, settings)
    return np.multiply(block.values, factors[:, None].astype(settings.dtype))
