"""What the tests of drawings share."""

import numpy as np
from hypothesis import strategies as st

__all__ = ["dags"]


@st.composite
def dags(draw, max_nodes=12):
    """Boolean adjacency of a DAG whose nodes are numbered at random."""
    n_nodes = draw(st.integers(1, max_nodes))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    upper = np.triu(generator.random((n_nodes, n_nodes)) < draw(st.floats(0, 0.6)), k=1)
    order = generator.permutation(n_nodes)
    return upper[order][:, order]
