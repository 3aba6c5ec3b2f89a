"""What the tests of FastRP share."""

import numpy as np
import scipy.sparse as sp

from sparsekit.embedding import FastRP


def relative_error(found, expected):
    return np.abs(found - expected).max() / max(np.abs(expected).max(), 1e-300)


def random_matrix(n_nodes, n_components, seed=0, sparsity=3.0):
    """R as the public interface shows it."""
    plain = FastRP(
        n_components,
        hop_weights=(0.0,),
        self_weight=1.0,
        normalize=False,
        sparsity=sparsity,
        dtype=np.float64,
        random_state=seed,
    )
    return plain.fit(sp.csr_array((n_nodes, n_nodes))).embedding_


def random_graph(seed, n_nodes=25, density=0.2, directed=False, weighted=True):
    rng = np.random.default_rng(seed)
    A = rng.uniform(0.5, 3.0, (n_nodes, n_nodes)) * (rng.random((n_nodes, n_nodes)) < density)
    A = A if weighted else (A > 0).astype(float)
    return A if directed else np.triu(A) + np.triu(A, k=1).T
