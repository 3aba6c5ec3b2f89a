"""FastRP as a plain function: very sparse random projection, propagated over a graph.

Chen, Sultan, Tian, Chen, Skiena: "Fast and Accurate Network Embeddings via Very Sparse Random
Projection", CIKM 2019. With the random matrix R, the degree scaling L and the operator P

    U_0 = L R,   U_h = P U_{h-1},   E = w_0 N(U_0) + sum_h w_h N(U_h),

where N divides rows by their norms. P^h is never formed.
"""

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from sparsekit.core import csr
from sparsekit.core.csr import CSR
from sparsekit.core.jit import run_ranges
from sparsekit.core.random import sparse_signs
from sparsekit.embedding._kernels import Merge, Operator, hop_rows

__all__ = ["Settings", "embed", "embed_new"]

_NO_SCALE = np.empty(0)
_SAFE_EXPONENT = 60  # of the 127 of single precision
_ROWS_A_BLOCK = 4096  # temporary float64 copies stay in the cache


class Settings(NamedTuple):
    """Parameters of the formula, checked; see `sparsekit.embedding.FastRP`."""

    n_components: int
    weights: tuple[float, ...]  # w_0 (self), w_1, ..., w_k; the last one is not zero
    beta: float
    sparsity: float
    operator: str
    normalize: bool
    deflate: bool
    standardize: bool
    dtype: np.dtype


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
    """
    weights = settings.weights
    n_hops = len(weights) - 1
    scaling = _scaling(adjacency, settings.operator)
    block = _first_block(adjacency, seed, settings, n_jobs)
    # E starts out as two terms at once, w_{h-1} N(U_{h-1}) + w_h N(U_h), written over the buffer
    # that the last hop does not need; so weights on the last two hops alone take two buffers.
    first = next(h for h, weight in enumerate(weights) if weight != 0)
    start = min(first + 1, n_hops)
    h = 0
    spare = embedding = None
    for h in hops if hops is not None else range(1, n_hops + 1):
        buffer = np.empty(block.values.shape, settings.dtype) if spare is None else spare
        target = buffer if h < n_hops else None
        prior = None
        if h == start:
            prior = _merge_factors(block, weights[h - 1], settings)
            embedding = np.empty_like(buffer) if h < n_hops else buffer
        merged = embedding if weights[h] != 0 or prior is not None else None
        following = _hop(scaling, block, target, merged, prior, weights[h], settings, n_jobs)
        spare = block.values if block.values.dtype == settings.dtype else None
        block = following
    if embedding is None:
        embedding = _merge_alone(block, weights[h], settings)
    moments = _standardize(embedding) if settings.standardize else ()
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
    old_scaling = _scaling(adjacency, settings.operator)
    new_scaling = _scaling(rows, settings.operator, fitted_graph=adjacency)
    block = _first_block(adjacency, seed, settings, n_jobs)
    embedding = np.zeros((len(rows.indptr) - 1, settings.n_components), settings.dtype)
    spare = None
    for h in range(1, len(weights)):
        if weights[h] != 0:
            _hop(new_scaling, block, None, embedding, None, weights[h], settings, n_jobs)
        if h < len(weights) - 1:
            target = np.empty(block.values.shape, settings.dtype) if spare is None else spare
            following = _hop(old_scaling, block, target, None, None, 0.0, settings, n_jobs)
            spare = block.values if block.values.dtype == settings.dtype else None
            block = following
    if settings.standardize:
        _shift_and_divide(embedding, fitted.mean, fitted.deviation)
    return embedding


def _power(values: np.ndarray, exponent: float) -> np.ndarray:
    """Raise to a power, with 0 for 0; infinite where it overflows."""
    result = np.zeros_like(values)
    positive = values > 0
    with np.errstate(over="ignore"):
        result[positive] = values[positive] ** exponent
    return result


class Scaling(NamedTuple):
    """P = diag(left) matrix diag(right); an empty `right` stands for ones."""

    matrix: CSR
    left: np.ndarray
    right: np.ndarray
    largest_sum: float  # upper bound on the row sums of P


def _scaling(matrix: CSR, kind: str, fitted_graph: CSR | None = None) -> Scaling:
    """P for the rows of `matrix`; columns are scaled by the degrees in the fitted graph."""
    degrees = csr.row_sums(matrix)
    right = _NO_SCALE
    if kind == "random_walk":
        left = _power(degrees, -1.0)
    elif kind == "symmetric":
        graph = matrix if fitted_graph is None else fitted_graph
        left = _power(degrees, -0.5)
        right = _power(csr.column_sums(graph, len(graph.indptr) - 1), -0.5)
    else:
        left = np.ones_like(degrees)
    if not (np.all(np.isfinite(left)) and np.all(np.isfinite(degrees))):
        raise ValueError(
            "the sums of the edge weights leave the range of double precision: rescale the weights."
        )
    largest_sum = (degrees * left).max(initial=0.0) * (right.max() if len(right) else 1.0)
    return Scaling(matrix, left, right, float(largest_sum))


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
    values = np.multiply(block.values, block.scale[:, None].astype(settings.dtype))
    total = degrees.sum()
    if total > 0:
        if settings.operator == "random_walk":
            right, left = (degrees > 0).astype(np.float64), degrees / total
        else:
            right, left = np.sqrt(degrees), np.sqrt(degrees) / total
        mean = sum(left[rows] @ values[rows].astype(np.float64) for rows in _row_blocks(values))
        for rows in _row_blocks(values):
            values[rows] -= right[rows, None] * mean
    norms = np.empty(len(values))
    for rows in _row_blocks(values):
        norms[rows] = np.linalg.norm(values[rows].astype(np.float64), axis=1)
    return Block(values, _NO_SCALE, norms, block.exponent)


def _hop(
    scaling: Scaling,
    block: Block,
    target: np.ndarray | None,
    embedding: np.ndarray | None,
    prior: np.ndarray | None,
    weight: float,
    settings: Settings,
    n_jobs: int | None,
) -> Block:
    """Compute P U_{h-1}, store it in `target` and merge it into `embedding`, where given."""
    nothing = np.empty((0, settings.n_components), settings.dtype)
    bound = scaling.largest_sum * block.norms.max(initial=0.0)
    shift = _excess(bound)
    left, right, source_norms = np.ldexp(scaling.left, -shift), scaling.right, block.norms
    if len(scaling.right):
        source_norms = source_norms * right
    if len(block.scale):
        right = block.scale * right if len(right) else block.scale
    rounding = 4.0 * float(np.finfo(settings.dtype).eps)
    doubtful_below = rounding * math.ldexp(bound, -shift)
    operator = Operator(scaling.matrix, left, right, source_norms, doubtful_below)
    if not settings.normalize:
        weight = float(np.ldexp(weight, block.exponent + shift))
    merge = Merge(
        nothing if embedding is None else embedding,
        _NO_SCALE if prior is None else prior,
        weight,
        settings.normalize,
    )
    values = nothing if target is None else target
    norms = np.empty(len(left))
    ranges = csr.row_ranges(scaling.matrix, n_jobs)
    arrays = (operator, block.values, values, norms, merge)
    run_ranges(hop_rows, ranges, n_jobs, *arrays, rounding)
    if not settings.normalize and not abs(weight) * norms.max(initial=0.0) <= _largest(settings):
        raise ValueError(
            f"the embedding overflows {settings.dtype}: use normalize=True, fewer hops, "
            "operator='random_walk' or dtype=numpy.float64."
        )
    return Block(values, _NO_SCALE, norms, block.exponent + shift)


def _largest(settings: Settings) -> float:
    return float(np.finfo(settings.dtype).max)


def _excess(bound: float) -> int:
    """Power of two to divide by so that `bound` is at a safe distance from over- and underflow."""
    exponent = int(np.frexp(bound)[1])
    return max(exponent - _SAFE_EXPONENT, 0) + min(exponent + _SAFE_EXPONENT, 0)


def _merge_factors(block: Block, weight: float, settings: Settings) -> np.ndarray:
    """Factors f with w N(U_h) = diag(f) values."""
    if settings.normalize:
        factors = weight * _power(block.norms, -1.0)
    else:
        factors = np.full(len(block.norms), np.ldexp(weight, block.exponent))
    return factors * block.scale if len(block.scale) else factors


def _merge_alone(block: Block, weight: float, settings: Settings) -> np.ndarray:
    """The single term w N(U_h)."""
    factors = _merge_factors(block, weight, settings)
    return np.multiply(block.values, factors[:, None].astype(settings.dtype))


def _row_blocks(values: np.ndarray) -> Iterator[slice]:
    for start in range(0, len(values), _ROWS_A_BLOCK):
        yield slice(start, start + _ROWS_A_BLOCK)


def _standardize(embedding: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give each column mean 0 and population standard deviation 1, in place."""
    mean = embedding.mean(axis=0, dtype=np.float64)
    squares, largest = np.zeros_like(mean), np.ones_like(mean)
    for rows in _row_blocks(embedding):
        squares += np.square(embedding[rows] - mean).sum(axis=0)
        largest = np.maximum(largest, np.abs(embedding[rows]).max(axis=0))
    deviation = np.sqrt(squares / len(embedding))
    tolerance = 1e-6 if embedding.dtype == np.float32 else 1e-12
    deviation[deviation < tolerance * largest] = 1.0
    _shift_and_divide(embedding, mean, deviation)
    return mean, deviation


def _shift_and_divide(embedding: np.ndarray, mean: np.ndarray, deviation: np.ndarray) -> None:
    for rows in _row_blocks(embedding):
        embedding[rows] = (embedding[rows] - mean) / deviation
