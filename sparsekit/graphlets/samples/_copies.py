"""How often graphlets lie in each other as subgraphs, and graphlets by their adjacency code."""

from functools import cache
from itertools import combinations, permutations

import numpy as np

from sparsekit.graphlets._tables import GRAPHLETS

__all__ = ["code_of", "copies_matrix", "graphlets_of_codes"]


def code_of(n_nodes: int, edges) -> int:
    """Adjacency of all pairs (0, 1), (0, 2), ..., (1, 2), ... of nodes, one bit each."""
    present = {tuple(sorted(edge)) for edge in edges}
    pairs = combinations(range(n_nodes), 2)
    return sum(1 << bit for bit, pair in enumerate(pairs) if pair in present)


@cache
def graphlets_of_codes(n_nodes: int) -> np.ndarray:
    """Number of the graphlet of each adjacency code; -1 if it is not connected.

    Parameters
    ----------
    n_nodes : {2, 3, 4, 5}

    Returns
    -------
    ndarray of shape (2 ** (n_nodes * (n_nodes - 1) / 2),), int64
        Read-only.
    """
    numbers = np.full(1 << (n_nodes * (n_nodes - 1) // 2), -1, dtype=np.int64)
    for number, graphlet in enumerate(GRAPHLETS):
        if graphlet.n_nodes == n_nodes:
            for image in permutations(range(n_nodes)):
                edges = [(image[u], image[v]) for u, v in graphlet.edges]
                numbers[code_of(n_nodes, edges)] = number
    numbers.flags.writeable = False
    return numbers


@cache
def copies_matrix() -> np.ndarray:
    """Copies of each graphlet in each other one of the same size.

    Returns
    -------
    ndarray of shape (30, 30), int64
        ``copies = copies_matrix() @ induced`` for counts of a whole graph: entry [i, j] is the
        number of not necessarily induced copies of graphlet i in graphlet j. Read-only.
    """
    matrix = np.zeros((len(GRAPHLETS), len(GRAPHLETS)), dtype=np.int64)
    for host, graphlet in enumerate(GRAPHLETS):
        numbers = graphlets_of_codes(graphlet.n_nodes)
        missing = ~code_of(graphlet.n_nodes, graphlet.edges)
        inside = numbers[np.arange(len(numbers)) & missing == 0]
        matrix[:, host] = np.bincount(inside[inside >= 0], minlength=len(GRAPHLETS))
    matrix.flags.writeable = False
    return matrix
