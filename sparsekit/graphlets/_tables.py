"""The 30 graphlets of two to five nodes, their orbits, and how counts convert into each other.

The numbering of node orbits and edge orbits is the published one (Przulj 2007; Hocevar and Demsar
2014). Everything that can be derived from the edges is derived here by code.
"""

from functools import cache
from itertools import permutations
from typing import NamedTuple

import numpy as np

__all__ = [
    "AFFECTING_ORBITS",
    "GRAPHLETS",
    "N_EDGE_ORBITS",
    "N_GRAPHLETS",
    "N_NODE_ORBITS",
    "ORBIT_PAIRS",
    "Graphlet",
    "conversion",
    "first_orbit",
    "graphlet_of_orbit",
    "n_orbits",
]

# Columns of counts for graphlets of up to so many nodes.
N_NODE_ORBITS = {4: 15, 5: 73}
N_EDGE_ORBITS = {4: 12, 5: 68}
N_GRAPHLETS = {4: 9, 5: 30}

# Edges | orbit of each node | orbit of each edge (the single edge has no number).
_TABLE = """
01 | 0 0 | -
01 02 | 2 1 1 | 0 0
01 02 12 | 3 3 3 | 1 1 1
01 02 13 | 5 5 4 4 | 3 2 2
01 02 03 | 7 6 6 6 | 4 4 4
01 02 13 23 | 8 8 8 8 | 5 5 5 5
01 02 03 12 | 11 10 10 9 | 8 8 6 7
01 02 03 12 13 | 13 13 12 12 | 10 9 9 9 9
01 02 03 12 13 23 | 14 14 14 14 | 11 11 11 11 11 11
01 02 13 24 | 17 16 16 15 15 | 13 13 12 12
01 02 03 14 | 21 20 19 19 18 | 16 15 15 14
01 02 03 04 | 23 22 22 22 22 | 17 17 17 17
01 02 03 12 14 | 26 26 25 24 24 | 20 19 18 19 18
01 02 03 12 34 | 30 29 29 28 27 | 24 24 22 23 21
01 02 03 04 12 | 33 32 32 31 31 | 27 27 25 25 26
01 02 13 24 34 | 34 34 34 34 34 | 28 28 28 28 28
01 02 03 14 24 | 38 37 37 35 36 | 31 31 29 30 30
01 02 03 04 12 13 | 42 41 40 40 39 | 35 34 34 32 33 33
01 02 03 04 12 34 | 44 43 43 43 43 | 37 37 37 37 36 36
01 02 03 12 13 24 | 48 48 47 46 45 | 41 40 39 40 39 38
01 02 03 14 24 34 | 50 49 49 49 50 | 42 42 42 42 42 42
01 02 03 12 14 34 | 53 53 52 51 51 | 46 45 44 45 44 43
01 02 03 04 12 13 14 | 55 55 54 54 54 | 48 47 47 47 47 47 47
01 02 03 04 12 13 23 | 58 57 57 57 56 | 51 51 51 49 50 50 50
01 02 03 04 12 13 24 | 61 60 60 59 59 | 55 55 53 53 54 52 52
01 02 03 12 13 24 34 | 64 64 63 63 62 | 58 57 57 57 57 56 56
01 02 03 04 12 13 14 23 | 67 67 66 66 65 | 62 61 61 59 61 61 59 60
01 02 03 04 12 13 24 34 | 69 68 68 68 68 | 64 64 64 64 63 63 63 63
01 02 03 04 12 13 14 23 24 | 71 71 71 70 70 | 66 66 65 65 66 65 65 65 65
01 02 03 04 12 13 14 23 24 34 | 72 72 72 72 72 | 67 67 67 67 67 67 67 67 67 67
"""

# Number of different orbits that the root takes in the connected induced subgraphs that hold it,
# itself included: how much a difference in this orbit's count is explained by other orbits.
# fmt: off
AFFECTING_ORBITS = (
    1, 2, 2, 2, 3, 4, 3, 3, 4, 3, 4, 4, 4, 4, 3, 4, 6, 5, 4, 5, 6, 6, 4, 4, 5, 5, 8, 4, 6, 6, 7,
    5, 6, 6, 6, 5, 6, 7, 7, 5, 7, 7, 7, 6, 5, 5, 6, 8, 8, 6, 6, 8, 6, 9, 6, 6, 4, 6, 6, 8, 9, 6,
    6, 8, 8, 6, 7, 7, 8, 5, 6, 6, 4,
)
# fmt: on

# (orbit of the row node, orbit of the column node, distance inside the graphlet): how many entries
# one occurrence adds to the row of a node, so that row sums are this multiple of the orbit count.
ORBIT_PAIRS = {
    (0, 0, 1): 1,
    (1, 2, 1): 1,
    (2, 1, 1): 2,
    (1, 1, 2): 1,
    (3, 3, 1): 2,
    (4, 5, 1): 1,
    (5, 4, 1): 1,
    (4, 5, 2): 1,
    (5, 4, 2): 1,
    (4, 4, 3): 1,
    (5, 5, 1): 1,
    (6, 7, 1): 1,
    (7, 6, 1): 3,
    (6, 6, 2): 2,
    (8, 8, 1): 2,
    (8, 8, 2): 1,
    (9, 10, 2): 2,
    (10, 9, 2): 1,
    (9, 11, 1): 1,
    (11, 9, 1): 1,
    (10, 10, 1): 1,
    (10, 11, 1): 1,
    (11, 10, 1): 2,
    (12, 12, 2): 1,
    (12, 13, 1): 2,
    (13, 12, 1): 2,
    (13, 13, 1): 1,
    (14, 14, 1): 3,
}


class Graphlet(NamedTuple):
    """A small connected graph.

    Attributes
    ----------
    n_nodes : int
    edges : tuple of (int, int)
        Between nodes 0 .. n_nodes - 1, the smaller one first.
    node_orbits : tuple of int
        Orbit of each node.
    edge_orbits : tuple of int
        Orbit of each edge; -1 for the single edge, which has no number.
    """

    n_nodes: int
    edges: tuple[tuple[int, int], ...]
    node_orbits: tuple[int, ...]
    edge_orbits: tuple[int, ...]


def _parse(line: str) -> Graphlet:
    edges, node_orbits, edge_orbits = (part.split() for part in line.split("|"))
    return Graphlet(
        len(node_orbits),
        tuple((int(edge[0]), int(edge[1])) for edge in edges),
        tuple(map(int, node_orbits)),
        tuple(-1 if orbit == "-" else int(orbit) for orbit in edge_orbits),
    )


GRAPHLETS = tuple(_parse(line) for line in _TABLE.strip().splitlines())


def n_orbits(kind: str, max_nodes: int) -> int:
    """Number of columns of counts of this kind ("node" or "edge")."""
    return (N_NODE_ORBITS if kind == "node" else N_EDGE_ORBITS)[max_nodes]


def first_orbit(kind: str, n_nodes: int) -> int:
    """Lowest orbit of graphlets of exactly so many nodes."""
    firsts = {"node": {3: 1, 4: 4, 5: 15}, "edge": {3: 0, 4: 2, 5: 12}}
    return firsts[kind][n_nodes]


@cache
def graphlet_of_orbit() -> np.ndarray:
    """Number of the graphlet of each of the 73 node orbits."""
    graphlets = np.empty(N_NODE_ORBITS[5], dtype=np.int64)
    for number, graphlet in enumerate(GRAPHLETS):
        graphlets[list(graphlet.node_orbits)] = number
    return graphlets


def _items(graphlet: Graphlet, kind: str) -> dict[tuple[int, ...], int]:
    """Orbit of each node (a tuple of one) or each edge."""
    if kind == "node":
        return {(node,): orbit for node, orbit in enumerate(graphlet.node_orbits)}
    return dict(zip(graphlet.edges, graphlet.edge_orbits, strict=True))


def _embeddings(pattern: Graphlet, host: Graphlet) -> list[tuple[int, ...]]:
    """All ways to lay the pattern's nodes onto the host's so that edges fall onto edges."""
    if len(pattern.edges) > len(host.edges):
        return []
    edges = set(host.edges) | {(v, u) for u, v in host.edges}
    return [
        image
        for image in permutations(range(host.n_nodes))
        if all((image[u], image[v]) in edges for u, v in pattern.edges)
    ]


@cache
def conversion(kind: str, n_nodes: int) -> np.ndarray:
    """Matrix M between counts of copies and counts of induced occurrences, of one size.

    Parameters
    ----------
    kind : {"node", "edge"}
    n_nodes : {3, 4, 5}

    Returns
    -------
    ndarray of shape (n_orbits_of_that_size, n_orbits_of_that_size), int64
        ``copies = M @ induced``: entry [i, j] is the number of not necessarily induced copies of
        the graphlet of orbit i, with the root on orbit i, in the graphlet of orbit j with the root
        on orbit j. Its determinant is 1.
    """
    first = first_orbit(kind, n_nodes)
    family = [graphlet for graphlet in GRAPHLETS if graphlet.n_nodes == n_nodes]
    size = 1 + max(max(_items(graphlet, kind).values()) for graphlet in family) - first
    matrix = np.zeros((size, size), dtype=np.int64)
    for pattern in family:
        n_automorphisms = len(_embeddings(pattern, pattern))
        for host in family:
            hits = np.zeros((size, size), dtype=np.int64)
            targets = _items(host, kind)
            for image in _embeddings(pattern, host):
                for item, orbit in _items(pattern, kind).items():
                    target = tuple(sorted(image[node] for node in item))
                    hits[orbit - first, targets[target] - first] += 1
            # Items of one orbit have equally many copies: divide by how many there are.
            sizes = np.bincount(np.array(list(targets.values())) - first, minlength=size)
            matrix += hits // (n_automorphisms * np.maximum(sizes, 1))
    matrix.flags.writeable = False
    return matrix
