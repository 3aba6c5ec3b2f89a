"""How graphs enter, over the history of the project."""

import time

import numpy as np
import scipy.sparse as sp

from sparsekit.datasets import make_sbm_graph
from sparsekit.graph import as_graph, read_edge_list


class GraphSuite:
    """From a matrix, a networkx graph and a text file, all with the same 160,000 edges."""

    timer = staticmethod(time.process_time)

    def setup_cache(self):
        """Write the edge list once."""
        graph, _ = make_sbm_graph(20_000, n_blocks=50, mean_degree=20, exponent=1.5, random_state=0)
        entries = sp.triu(graph.adjacency).tocoo()
        pairs = np.column_stack([entries.row, entries.col])
        np.savetxt("edges.txt", pairs, fmt="%d")
        return pairs

    def setup(self, pairs):
        """Build the inputs."""
        n_nodes = int(pairs.max()) + 1
        ones = np.ones(len(pairs))
        upper = sp.coo_array((ones, (pairs[:, 0], pairs[:, 1])), shape=(n_nodes, n_nodes))
        self.matrix = sp.csr_array(upper + upper.T)
        self.networkx = as_graph(self.matrix).to_networkx()

    def time_as_graph_matrix(self, pairs):
        """Check and copy a CSR matrix."""
        as_graph(self.matrix)

    def time_as_graph_networkx(self, pairs):
        """Walk through a networkx graph."""
        as_graph(self.networkx)

    def time_read_edge_list(self, pairs):
        """Read pairs of integers."""
        read_edge_list("edges.txt")

    def peakmem_read_edge_list(self, pairs):
        """Resident memory of the process, interpreter included."""
        read_edge_list("edges.txt")
