"""Slow, obvious reference implementation of CoLiDE, independent of sparsekit.

Dense float64 numpy, written to be compared with the formulas by eye: D = I - W, Q = D' C D,
M = s I - W o W, and F(W) = mu * [score(W, sigma) + alpha * sum |W|] + d log s - log det M. Nothing
here may import sparsekit.
"""

from typing import NamedTuple

import networkx as nx
import numpy as np


def noise_floor(C):
    """Hundredth of the smallest positive standard deviation, and something in any case."""
    variances = [v for v in np.diag(C) if v > 0]
    if not variances:
        return 1e-10
    return max(1e-2 * np.sqrt(min(variances)), 1e-10 * np.sqrt(max(variances)))


def residual_variances(C, W):
    D = np.eye(len(W)) - W
    return np.diag(D.T @ C @ D)


def noise_scale(C, W, equal):
    """Sigma that minimises the score, shape (d,), not below the floor."""
    q = residual_variances(C, W)
    q = np.full(len(q), q.mean()) if equal else q
    return np.maximum(np.sqrt(np.maximum(q, 0)), noise_floor(C))


def score(C, W, sigma, equal):
    q, d = residual_variances(C, W), len(W)
    if equal:
        return q.sum() / (2 * sigma[0]) + d * sigma[0] / 2
    return sum(q[j] / sigma[j] + sigma[j] for j in range(d)) / 2


def profiled_score(C, W, equal):
    return score(C, W, noise_scale(C, W, equal), equal)


def score_gradient(C, W, sigma):
    D = np.eye(len(W)) - W
    return -C @ D @ np.diag(1 / sigma)


def spectral_radius(A):
    return max(abs(np.linalg.eigvals(A)), default=0.0)


def is_inside(W, s):
    """Whether M = s I - W o W is a nonsingular M-matrix."""
    return spectral_radius(W * W) < s


def acyclicity(W, s):
    """Value of h, from the pivots of elimination without exchange of rows."""
    M = s * np.eye(len(W)) - W * W
    h = len(W) * np.log(s)
    for k in range(len(W)):
        h -= np.log(M[k, k])
        M[k + 1 :] -= np.outer(M[k + 1 :, k] / M[k, k], M[k])
    return h


def acyclicity_gradient(W, s):
    return 2 * W * np.linalg.inv(s * np.eye(len(W)) - W * W).T


def objective(C, W, penalties, mu, s, equal):
    """F; `penalties` are alpha, 0 at required edges, and anything where W is 0."""
    l1 = sum(penalties[i, j] * abs(W[i, j]) for i, j in np.argwhere(W != 0))
    return mu * (profiled_score(C, W, equal) + l1) + acyclicity(W, s)


def numerical_gradient(function, W, step=1e-5):
    """Central differences in every entry but the diagonal; O(step**4)."""
    gradient = np.zeros_like(W)
    for i, j in np.argwhere(~np.eye(len(W), dtype=bool)):
        E = np.zeros_like(W)
        E[i, j] = step
        near = function(W + E) - function(W - E)
        far = function(W + 2 * E) - function(W - 2 * E)
        gradient[i, j] = (8 * near - far) / (12 * step)
    return gradient


class AdamRun(NamedTuple):
    """Outcome of `adam_stage`, and how often its rare branches were taken."""

    weights: np.ndarray
    s: float
    n_restarts: int
    n_undone: int
    gave_up: bool


def adam_stage(C, start, *, mu, s, alpha, equal, max_iter, required=(), forbidden=()):
    """Stage of the published loop without its stopping rule, which looks every 1000 iterations."""
    rate, n_restarts = 3e-4, 0
    penalties = np.full(C.shape, alpha)
    for i, j in required:
        penalties[i, j] = 0
    free = ~np.eye(len(C), dtype=bool)
    for i, j in forbidden:
        free[i, j] = False
    while True:
        run = _adam(C, start, mu, s, penalties, free, equal, max_iter, rate)
        if run is not None:
            return run._replace(n_restarts=n_restarts)
        s, rate, n_restarts = s + 0.1, rate / 2, n_restarts + 1


def _adam(C, start, mu, s, penalties, free, equal, max_iter, rate):
    W, m, v, step = start.copy(), np.zeros(C.shape), np.zeros(C.shape), np.zeros(C.shape)
    sigma, n_undone = noise_scale(C, W, equal), 0
    if not W.any():
        deviations = np.sqrt(np.diag(C))
        sigma = np.full(len(C), deviations.min()) if equal else deviations
    for t in range(1, max_iter + 1):
        inverse = np.linalg.inv(s * np.eye(len(C)) - W * W)
        while inverse.min() < -1e-6:
            if t == 1 or s <= 0.9 + 1e-12:
                return None
            W, rate, n_undone = W + rate * step, rate / 2, n_undone + 1
            if rate <= 1e-16:
                return AdamRun(W, s, 0, n_undone, True)
            W = W - rate * step
            sigma = noise_scale(C, W, equal)
            inverse = np.linalg.inv(s * np.eye(len(C)) - W * W)
        gradient = mu * score_gradient(C, W, sigma) + mu * penalties * np.sign(W)
        gradient = (gradient + 2 * W * inverse.T) * free
        m = 0.99 * m + (1 - 0.99) * gradient
        v = 0.999 * v + (1 - 0.999) * gradient**2
        step = (m / (1 - 0.99**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        W = W - rate * step
        sigma = noise_scale(C, W, equal)
    return AdamRun(W, s, 0, n_undone, False)


def elastic_net_column(C, j, w0, *, a, ridge, tau, l1, tolerance=1e-12, max_sweeps=200_000):
    """Minimise a/2 (w'Cw - 2 C_j'w) + sum ridge w^2 + tau/2 |w - w0|^2 + sum l1 |w|, w_j = 0.

    `ridge` and `l1` have one entry for each parent; an infinite `l1` forbids it. Plain coordinate
    descent, until no coordinate moves by more than `tolerance` times the largest.
    """
    w = np.where(np.isinf(l1), 0.0, w0)
    w[j] = 0
    for _ in range(max_sweeps):
        before = w.copy()
        for i in range(len(C)):
            if i != j and np.isfinite(l1[i]):
                others = w.copy()
                others[i] = 0
                H = a * C[i, i] + 2 * ridge[i] + tau
                b = a * (C[i, j] - C[i] @ others) + tau * w0[i]
                w[i] = np.sign(b) * max(abs(b) - l1[i], 0) / H if H > 0 else 0.0
        if np.abs(w - before).max() <= tolerance * max(np.abs(w).max(), 1e-300):
            return w
    raise RuntimeError("no convergence")


def threshold_to_dag(W, threshold):
    """Keep |w| > threshold, then delete the smallest kept one while there is a cycle."""
    kept = {(i, j): abs(W[i, j]) for i, j in np.argwhere(np.abs(W) > threshold).tolist()}
    while not nx.is_directed_acyclic_graph(nx.DiGraph(list(kept))):
        del kept[min(kept, key=lambda edge: (kept[edge], edge))]
    result = np.zeros_like(W)
    for i, j in kept:
        result[i, j] = W[i, j]
    return result
