"""Slow, obvious reference implementations, independent of sparsekit.

Plain Python and dense float64 numpy, written to be compared with the formulas by eye. Nothing here
may import sparsekit.
"""

import numpy as np

_MASK = 2**64 - 1
_GOLDEN = 0x9E3779B97F4A7C15


def mix64(x):
    """Finaliser of splitmix64, on Python integers below 2**64."""
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)


def stream_key(seed, stream):
    return mix64((seed * _GOLDEN + stream) & _MASK)


def bits32(key, index):
    return mix64((key + (index + 1) * _GOLDEN) & _MASK) >> 32


def sparse_signs(seed, n_rows, n_columns, sparsity):
    """Signs with probability 1 / (2 sparsity) each, by the thresholds on 32 random bits."""
    signs = np.zeros((n_rows, n_columns), dtype=np.int8)
    for i in range(n_rows):
        key = stream_key(seed, i)
        for j in range(n_columns):
            h = bits32(key, j)
            if h < 2**32 / (2 * sparsity):
                signs[i, j] = 1
            elif h < 2**32 / sparsity:
                signs[i, j] = -1
    return signs


def random_matrix(seed, n_rows, n_columns, sparsity=3.0):
    """Scale the signs so that the columns have unit expected energy a row: R of FastRP."""
    return sparse_signs(seed, n_rows, n_columns, sparsity) * np.sqrt(sparsity / n_columns)


def neighbours(A):
    """Sets of neighbours of the nodes of a dense adjacency, without self-loops."""
    return [{j for j in range(len(A)) if A[i, j] != 0 and j != i} for i in range(len(A))]


def hop_weight_list(hop_weights):
    """Turn an integer k into the rising weights (1/k, 2/k, ..., 1)."""
    if isinstance(hop_weights, (int, np.integer)):
        return [(h + 1) / hop_weights for h in range(hop_weights)]
    return [float(weight) for weight in hop_weights]


def power(values, exponent):
    """Element-wise power, with 0 ** exponent = 0 also for a negative exponent."""
    return np.array([value**exponent if value != 0 else 0.0 for value in values])


def propagation_matrix(A, operator):
    """P of the formula, dense."""
    d, c = A.sum(axis=1), A.sum(axis=0)
    if operator == "random_walk":
        return np.diag(power(d, -1.0)) @ A
    if operator == "adjacency":
        return A
    if operator == "symmetric":
        return np.diag(power(d, -0.5)) @ A @ np.diag(power(c, -0.5))
    raise ValueError(operator)


def new_propagation_rows(A, A_new, operator):
    """Rows of P for new nodes, given their weights to the nodes of A."""
    total = A_new.sum(axis=1)
    if operator == "random_walk":
        return np.diag(power(total, -1.0)) @ A_new
    if operator == "adjacency":
        return A_new
    if operator == "symmetric":
        c = A.sum(axis=0)
        return np.diag(power(total, -0.5)) @ A_new @ np.diag(power(c, -0.5))
    raise ValueError(operator)


def normalized(U):
    """Each row divided by its Euclidean norm; zero rows stay zero."""
    norms = np.array([np.sqrt(np.sum(row**2)) for row in U])
    return np.array([row / norm if norm > 0 else row for row, norm in zip(U, norms, strict=True)])


def degree_scaling(A, beta):
    """Diagonal of L: (d / sum(d)) ** beta, isolated nodes as if they had the smallest degree."""
    d = A.sum(axis=1)
    if beta == 0 or not np.any(d > 0):
        return np.ones(len(A))
    return (np.where(d > 0, d, d[d > 0].min()) / d.sum()) ** beta


def deflated(A, U, operator):
    """Remove the trivial eigenvector of P from the columns of U."""
    if operator == "adjacency" or not np.array_equal(A, A.T):
        raise ValueError("deflation needs a symmetric graph and a normalised operator")
    d = A.sum(axis=1)
    if d.sum() == 0:
        return U
    if operator == "random_walk":
        return U - np.outer(d > 0, (d / d.sum()) @ U)
    q = np.sqrt(d)
    return U - np.outer(q, q @ U) / d.sum()


def hops(A, R, n_hops, *, beta=0.0, operator="random_walk", deflate=False):
    """U_0, U_1, ..., U_n_hops."""
    U = degree_scaling(A, beta)[:, np.newaxis] * R
    if deflate:
        U = deflated(A, U, operator)
    P = propagation_matrix(A, operator)
    result = [U]
    for _ in range(n_hops):
        result.append(P @ result[-1])
    return result


def column_statistics(E):
    """Mean and population standard deviation of the columns; 1 for columns without spread."""
    mean, spread = E.mean(axis=0), E.std(axis=0)
    limit = 1e-12 * max(1.0, np.abs(E).max())
    return mean, np.where(spread < limit, 1.0, spread)


def _merged(A, R, hop_weights, self_weight, beta, operator, normalize, deflate):
    weights = hop_weight_list(hop_weights)
    all_hops = hops(A, R, len(weights), beta=beta, operator=operator, deflate=deflate)
    scaled = normalized if normalize else np.array
    E = np.zeros_like(R, dtype=np.float64)
    for weight, U in zip([self_weight, *weights], all_hops, strict=True):
        E = E + weight * scaled(U)
    return E, all_hops


def fastrp(
    A,
    R,
    *,
    hop_weights,
    self_weight=0.0,
    beta=0.0,
    operator="random_walk",
    normalize=True,
    deflate=False,
    standardize=False,
):
    """FastRP embedding of all nodes, given the random matrix R."""
    A, R = np.asarray(A, dtype=np.float64), np.asarray(R, dtype=np.float64)
    E, _ = _merged(A, R, hop_weights, self_weight, beta, operator, normalize, deflate)
    if standardize:
        mean, spread = column_statistics(E)
        E = (E - mean) / spread
    return E


def fastrp_new_rows(
    A,
    R,
    A_new,
    *,
    hop_weights,
    self_weight=0.0,
    beta=0.0,
    operator="random_walk",
    normalize=True,
    deflate=False,
    standardize=False,
):
    """FastRP embedding of new nodes, given their weights to the nodes of the fitted graph.

    A new node has no row of R, hence no self term; `self_weight` enters only through the column
    statistics of the fitted embedding.
    """
    A, R = np.asarray(A, dtype=np.float64), np.asarray(R, dtype=np.float64)
    A_new = np.asarray(A_new, dtype=np.float64)
    E, all_hops = _merged(A, R, hop_weights, self_weight, beta, operator, normalize, deflate)
    P_new = new_propagation_rows(A, A_new, operator)
    scaled = normalized if normalize else np.array
    E_new = np.zeros((len(A_new), R.shape[1]))
    for h, weight in enumerate(hop_weight_list(hop_weights)):
        E_new = E_new + weight * scaled(P_new @ all_hops[h])
    if standardize:
        mean, spread = column_statistics(E)
        E_new = (E_new - mean) / spread
    return E_new
