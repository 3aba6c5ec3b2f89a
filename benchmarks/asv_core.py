"""The sparse core, over the history of the project."""

import time

import numpy as np

from sparsekit.core.cliques import triangles_by_slot
from sparsekit.core.csr import multiply, pack
from sparsekit.core.memory import aligned_empty
from sparsekit.core.ordering import order_by_degree
from sparsekit.core.random import sparse_signs
from sparsekit.datasets import make_sbm_graph


class CoreSuite:
    """One product, triangles, random signs; one thread, compiled."""

    timer = staticmethod(time.process_time)

    def setup(self):
        """Build a graph of 50,000 nodes and a block of 128 columns."""
        graph, _ = make_sbm_graph(50_000, n_blocks=50, mean_degree=20, exponent=1.5, random_state=0)
        self.adjacency, self.packed = graph.adjacency, pack(graph.adjacency)
        self.block = aligned_empty((graph.n_nodes, 128), np.float32)
        self.block[:] = 1
        self.time_multiply()
        self.time_triangles_per_edge()
        self.time_sparse_signs()

    def time_multiply(self):
        """One hop."""
        multiply(self.packed, self.block)

    def time_triangles_per_edge(self):
        """Order the nodes by degree and count the triangles on every edge."""
        triangles_by_slot(order_by_degree(self.adjacency)[0])

    def time_sparse_signs(self):
        """Hash 6.4 million positions."""
        sparse_signs(0, 50_000, 128, 3.0)
