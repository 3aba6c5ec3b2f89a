"""Orbit adjacencies: which pairs of nodes meet in occurrences of graphlets, and where."""

from collections.abc import Iterable, Sequence
from operator import index
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from sparsekit.graphlets._pattern import pattern_of
from sparsekit.graphlets._tables import ORBIT_PAIRS
from sparsekit.graphlets.pairs._assemble import Key
from sparsekit.graphlets.pairs._hop_one import count_edges, hop_one
from sparsekit.graphlets.pairs._hop_three import HOP_THREE, LongPaths, hop_three
from sparsekit.graphlets.pairs._hop_two import hop_two

__all__ = [
    "adjacencies_of",
    "keys_of",
    "orbit_adjacencies",
    "orbit_adjacency",
    "orbit_adjacency_operator",
]


def orbit_adjacency(
    graph: Any, orbit_u: int, orbit_v: int, *, hop: int | None = None, n_jobs: int | None = None
) -> sp.csr_array:
    """Count for each pair of nodes the graphlets in which they sit on these two orbits.

    Entry [u, v] is the number of occurrences of the graphlet, of up to four nodes, that hold u on
    `orbit_u` and v on `orbit_v`, `hop` edges apart inside the graphlet. Counts are exact.

    Parameters
    ----------
    graph : object
        An undirected graph: anything that `sparsekit.graph.as_graph` takes. Weights and self-loops
        are ignored.
    orbit_u : int
        Orbit of the row's node, 0 to 14.
    orbit_v : int
        Orbit of the column's node, in the same graphlet.
    hop : {1, 2, 3}, default=None
        Length of the shortest path between the two inside the graphlet. By default all that occur
        are added: 1 and 2 for the pairs (4, 5), (5, 4) and (8, 8); the others have one only.
    n_jobs : int or None, default=None
        Threads; ``None`` means 1 and -1 all cores. The result does not depend on it.

    Returns
    -------
    csr_array of shape (n_nodes, n_nodes), int64
        In canonical form: indices are sorted, zeros are not stored. Exchanging the orbits
        transposes it.

    Raises
    ------
    ValueError
        If the graph has directions, no nodes, or weights that are not finite; if there is no such
        pair of orbits or hop, naming those that there are.

    See Also
    --------
    orbit_adjacencies : Many at once, which costs little more than one.
    orbit_adjacency_operator : The same without storing the largest of them.
    count_orbits : How often each node sits on each orbit.

    Notes
    -----
    Row sums are orbit counts of the row's node, times the number of nodes on `orbit_v` at that
    distance. The sum over all pairs of orbits of one graphlet is its graphlet adjacency [1]_. Two
    nodes meet in at most as many occurrences as there are pairs of other nodes: 64 bits suffice.

    Pairs at distance 1 take the time to count triangles, cliques and four-cycles. Those at distance
    2 need all paths of length two, as the product of the adjacency with itself does, but (9, 10),
    (10, 9) and (12, 12) alone only those with a step inside a triangle; (4, 4) needs all of length
    three. Besides the result there is memory for a few numbers an edge, and for each thread up to
    some 15 a node.

    References
    ----------
    .. [1] Windels, Malod-Dognin, Przulj. "Graphlet Laplacians for topology-function and
       topology-disease relationships." Bioinformatics 2019.

    Examples
    --------
    In a path of four nodes, those at the ends are on orbit 4 and the others on orbit 5.

    >>> import networkx as nx
    >>> from sparsekit.graphlets import orbit_adjacency
    >>> orbit_adjacency(nx.path_graph(4), 4, 5).toarray()
    array([[0, 1, 1, 0],
           [0, 0, 0, 0],
           [0, 0, 0, 0],
           [0, 1, 1, 0]])
    >>> orbit_adjacency(nx.path_graph(4), 4, 5, hop=2).toarray()
    array([[0, 0, 1, 0],
           [0, 0, 0, 0],
           [0, 0, 0, 0],
           [0, 1, 0, 0]])
    """
    keys = _expand((orbit_u, orbit_v) if hop is None else (orbit_u, orbit_v, hop))
    first, *others = adjacencies_of(pattern_of(graph), keys, n_jobs).values()
    return sum(others, start=first)


def orbit_adjacencies(
    graph: Any, *, pairs: Any = "all", n_jobs: int | None = None
) -> dict[Key, sp.csr_array]:
    """Orbit adjacencies of many pairs of orbits.

    Parameters
    ----------
    graph : object
        An undirected graph: anything that `sparsekit.graph.as_graph` takes. Weights and self-loops
        are ignored.
    pairs : "all" or iterable of tuples, default="all"
        Pairs ``(orbit_u, orbit_v)``, which stand for all their hops, and ``(orbit_u, orbit_v,
        hop)``. Only what is asked for is computed. "all" are the 28 of graphlets of up to four
        nodes; (4, 4, 3) often has more entries than the other 27 together.
    n_jobs : int or None, default=None
        Threads; ``None`` means 1 and -1 all cores. The result does not depend on it.

    Returns
    -------
    dict
        From ``(orbit_u, orbit_v, hop)`` to csr_array of shape (n_nodes, n_nodes), int64, each as
        `orbit_adjacency` describes it. In the order of `pairs`.

    Raises
    ------
    ValueError
        If the graph has directions, no nodes, or weights that are not finite; if `pairs` is empty
        or one of them does not exist, naming those that do.

    See Also
    --------
    orbit_adjacency : One of them, and what the entries mean.

    Examples
    --------
    >>> import networkx as nx
    >>> from sparsekit.graphlets import orbit_adjacencies
    >>> club = nx.karate_club_graph()
    >>> len(orbit_adjacencies(club))
    28
    >>> some = orbit_adjacencies(club, pairs=[(3, 3), (8, 8)])
    >>> {key: int(matrix.sum()) for key, matrix in some.items()}
    {(3, 3, 1): 270, (8, 8, 1): 288, (8, 8, 2): 144}
    """
    return adjacencies_of(pattern_of(graph), keys_of(pairs), n_jobs)


def orbit_adjacency_operator(
    graph: Any,
    orbit_u: int = 4,
    orbit_v: int = 4,
    *,
    hop: int | None = None,
    n_jobs: int | None = None,
) -> LinearOperator:
    """Orbit adjacency as something to multiply with.

    For the ends of induced paths, (4, 4), the matrix is never formed: it often has hundreds of
    entries for each edge of the graph. Eigenvectors and singular vectors need products only.

    Parameters
    ----------
    graph : object
        An undirected graph: anything that `sparsekit.graph.as_graph` takes. Weights and self-loops
        are ignored.
    orbit_u, orbit_v : int, default=4
    hop : {1, 2, 3}, default=None
        As for `orbit_adjacency`. Matrices other than (4, 4) are stored.
    n_jobs : int or None, default=None
        Threads for what is computed in advance; ``None`` means 1 and -1 all cores.

    Returns
    -------
    LinearOperator of shape (n_nodes, n_nodes), float64
        Its products agree with those of the matrix but for rounding: see the notes for (4, 4).

    Raises
    ------
    ValueError
        As for `orbit_adjacency`.

    See Also
    --------
    orbit_adjacency : The matrix itself.

    Notes
    -----
    With the adjacency A, its degrees d, the numbers of triangles T at the nodes and of four-cycles
    c4 on the edges, and other orbit adjacencies X, that of (4, 4) is A^3 - C where C holds
    d(u) + d(v) - 1 + c4(uv) on the edges, 2 T on the diagonal, and X(9,10) + X(10,9) + 2 X(12,12).

    Products with (4, 4) are exact for integers x while ``A^3 |x|`` stays below 2**53. Otherwise
    their error is relative to that, not to the result, which may be far smaller: in a clique it is
    0. Products with other matrices are exact while those with ``|x|`` stay below 2**53.

    Examples
    --------
    >>> import networkx as nx
    >>> import numpy as np
    >>> from sparsekit.graphlets import orbit_adjacency_operator
    >>> orbit_adjacency_operator(nx.path_graph(5)) @ np.ones(5)
    array([1., 1., 0., 1., 1.])
    """
    keys = _expand((orbit_u, orbit_v) if hop is None else (orbit_u, orbit_v, hop))
    if keys == list(HOP_THREE):
        return LongPaths(pattern_of(graph), n_jobs)
    matrix = orbit_adjacency(graph, orbit_u, orbit_v, hop=hop, n_jobs=n_jobs)
    return aslinearoperator(matrix.astype(np.float64))


def keys_of(pairs: Any) -> list[Key]:
    """All keys (orbit_u, orbit_v, hop) that `pairs` stands for, each once.

    Parameters
    ----------
    pairs : "all" or iterable of tuples
        As for `orbit_adjacencies`.

    Returns
    -------
    list of (int, int, int)

    Raises
    ------
    ValueError
        If there are none, or one does not exist.
    """
    if isinstance(pairs, str) and pairs == "all":
        return list(ORBIT_PAIRS)
    if isinstance(pairs, str) or not isinstance(pairs, Iterable):
        raise _unknown("pairs to be 'all' or a list of", pairs)
    keys = dict.fromkeys(key for pair in pairs for key in _expand(pair))
    if not keys:
        raise _unknown("pairs to hold at least one of", pairs)
    return list(keys)


def _expand(pair: Any) -> list[Key]:
    """Keys that a pair with or without a hop stands for."""
    try:
        wanted = tuple(index(number) for number in pair)
    except TypeError:
        wanted = ()
    keys = [key for key in ORBIT_PAIRS if wanted in (key, key[:2])]
    if not keys:
        raise _unknown("a pair of orbits, with or without the hop, out of", pair)
    return keys


def _unknown(expected: str, got: Any) -> ValueError:
    known = ", ".join(map(str, ORBIT_PAIRS))
    return ValueError(f"expected {expected} (orbit_u, orbit_v, hop) = {known}; got {got!r}.")


def adjacencies_of(
    pattern: sp.csr_array, keys: Sequence[Key], n_jobs: int | None
) -> dict[Key, sp.csr_array]:
    """Orbit adjacencies of a pattern as `pattern_of` returns it, in the order of the keys."""
    table = count_edges(pattern, keys, n_jobs)
    found: dict[Key, sp.csr_array] = {}
    for hop, build in enumerate((hop_one, hop_two, hop_three), start=1):
        found |= build(table, [key for key in keys if key[2] == hop], n_jobs)
    return {key: found[key] for key in keys}
