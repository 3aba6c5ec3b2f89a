"""FastRP over the history of the project."""

import pickle
import time

import numpy as np

from sparsekit.datasets import make_sbm_graph
from sparsekit.embedding import FastRP

SETTINGS = {
    "paper": {"hop_weights": (0, 0, 1, 6.67), "beta": -0.64},
    "defaults": {},
}


class FastRPSuite:
    """Fit and transform, one thread."""

    params = (sorted(SETTINGS),)
    param_names = ("setting",)
    timer = staticmethod(time.process_time)
    timeout = 300

    def setup_cache(self):
        """Generate the graph once, in a process of its own."""
        graph, _ = make_sbm_graph(
            100_000, n_blocks=50, mean_degree=20, mixing=0.3, exponent=1.5, random_state=0
        )
        with open("graph.pickle", "wb") as file:
            pickle.dump(graph.adjacency.astype(np.float32), file)

    def setup(self, setting):
        """Load the graph and compile."""
        with open("graph.pickle", "rb") as file:
            self.adjacency = pickle.load(file)
        self.small = make_sbm_graph(200, random_state=0)[0].adjacency.astype(np.float32)
        self.model = FastRP(**SETTINGS[setting], random_state=0)
        self.model.fit(self.small).transform(self.small[:5])

    def time_fit(self, setting):
        """Embed 100,000 nodes with 947,000 edges."""
        self.model.fit(self.adjacency)

    def peakmem_fit(self, setting):
        """Resident memory of the process, interpreter and graph included."""
        self.model.fit(self.adjacency)


class TransformSuite:
    """Vectors of new nodes: the hops of the fitted graph are computed again."""

    timer = staticmethod(time.process_time)

    def setup(self):
        """Fit a graph of 20,000 nodes."""
        graph, _ = make_sbm_graph(20_000, n_blocks=50, mean_degree=20, exponent=1.5, random_state=0)
        self.rows = graph.adjacency[:500]
        self.model = FastRP(random_state=0).fit(graph)
        self.model.transform(self.rows)

    def time_transform(self):
        """Embed 500 new nodes."""
        self.model.transform(self.rows)

    def peakmem_transform(self):
        """Resident memory of the process."""
        self.model.transform(self.rows)
