"""Partially directed graphs as sets of neighbours, and Meek's rules on them."""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np

__all__ = [
    "Edge",
    "Graph",
    "Triple",
    "as_adjacency",
    "as_graph",
    "close_in_passes",
    "close_in_rounds",
    "direct",
    "direct_at_once",
    "reaches",
]

Edge = tuple[int, int]
Triple = tuple[int, int, int]


class Graph(NamedTuple):
    """A partially directed graph that is being directed; each is a set a node.

    Attributes
    ----------
    adjacent : list of set of int
        All neighbours. A locked edge, which no rule looks at, is in this set alone.
    parents, children : list of set of int
    undirected : list of set of int
        Neighbours by edges that may be directed yet.
    """

    adjacent: list[set[int]]
    parents: list[set[int]]
    children: list[set[int]]
    undirected: list[set[int]]


def as_graph(adjacent: np.ndarray, directed: np.ndarray | None = None) -> Graph:
    """Read a partially directed graph.

    Parameters
    ----------
    adjacent : ndarray of shape (d, d), bool
        Symmetric.
    directed : ndarray of shape (d, d), bool, default=None
        i -> j at [i, j], among the adjacent pairs.
    """
    directed = np.zeros_like(adjacent) if directed is None else directed
    undirected = adjacent & ~(directed | directed.T)
    return Graph(_rows(adjacent), _rows(directed.T), _rows(directed), _rows(undirected))


def _rows(pattern: np.ndarray) -> list[set[int]]:
    rows, columns = np.nonzero(pattern)
    stops = np.searchsorted(rows, np.arange(1, len(pattern) + 1)).tolist()
    listed = columns.tolist()
    return [set(listed[lo:hi]) for lo, hi in zip([0, *stops], stops, strict=False)]


def as_adjacency(graph: Graph) -> np.ndarray:
    """Boolean matrix of a graph: i -> j at [i, j] alone, all other edges at both entries."""
    d = len(graph.adjacent)
    adjacency = np.zeros((d, d), dtype=bool)
    for i, (adjacent, parents) in enumerate(zip(graph.adjacent, graph.parents, strict=True)):
        adjacency[i, list(adjacent - parents)] = True
    return adjacency


def direct(graph: Graph, i: int, j: int) -> None:
    """Make an undirected edge, or the opposite one, i -> j."""
    graph.undirected[i].discard(j)
    graph.undirected[j].discard(i)
    graph.children[j].discard(i)
    graph.parents[i].discard(j)
    graph.children[i].add(j)
    graph.parents[j].add(i)


def _lock(graph: Graph, i: int, j: int) -> None:
    for a, b in ((i, j), (j, i)):
        graph.undirected[a].discard(b)
        graph.children[a].discard(b)
        graph.parents[a].discard(b)


def reaches(graph: Graph, i: int, j: int) -> bool:
    """Whether there is a directed path from i to j."""
    seen, waiting = {i}, [i]
    while waiting:
        children = graph.children[waiting.pop()]
        if j in children:
            return True
        new = children - seen
        seen |= new
        waiting.extend(new)
    return False


def _is_acyclic(graph: Graph) -> bool:
    """Whether all nodes can be taken away, each when its parents are gone."""
    waiting_for = [len(parents) for parents in graph.parents]
    ready = [node for node, count in enumerate(waiting_for) if count == 0]
    for node in ready:  # which grows
        for child in graph.children[node]:
            waiting_for[child] -= 1
            if waiting_for[child] == 0:
                ready.append(child)
    return len(ready) == len(waiting_for)


def direct_at_once(graph: Graph, wanted: Collection[Edge]) -> tuple[set[Edge], set[Edge]]:
    """Direct undirected edges, lest there are directed cycles.

    Those wanted in both directions become locked, and then those on directed cycles. The result
    does not depend on the order of anything.

    Parameters
    ----------
    graph : Graph
        Without directed cycles. Changed in place.
    wanted : set of (int, int)
        Directions of undirected edges.

    Returns
    -------
    both, cyclic : set of (int, int)
        Pairs i < j of the edges that were locked.
    """
    both = {(i, j) for i, j in wanted if i < j and (j, i) in wanted}
    new = [(i, j) for i, j in wanted if (min(i, j), max(i, j)) not in both]
    for i, j in both:
        _lock(graph, i, j)
    for i, j in new:
        direct(graph, i, j)
    if not new or _is_acyclic(graph):
        return both, set()
    # All new edges within strongly connected components: what is left then has no cycle, for the
    # old edges had none.
    cyclic = [(i, j) for i, j in new if reaches(graph, j, i)]
    for i, j in cyclic:
        _lock(graph, i, j)
    return both, {(min(edge), max(edge)) for edge in cyclic}


def _is_open(graph: Graph, ambiguous: Collection[Triple], i: int, y: int, k: int) -> bool:
    """Whether y is known to be no collider between nodes that are not adjacent."""
    return k not in graph.adjacent[i] and (min(i, k), y, max(i, k)) not in ambiguous


def _rule_1(graph: Graph, ambiguous: Collection[Triple], j: int, k: int) -> bool:
    """From i -> j - k with i, k not adjacent: j -> k, or else j were a collider."""
    above = graph.parents[j] - graph.adjacent[k]
    if not ambiguous:
        return bool(above)
    return any(_is_open(graph, ambiguous, i, j, k) for i in above)


def _rule_2(graph: Graph, i: int, k: int) -> bool:
    """From i -> j -> k with i - k: i -> k, or else there were a cycle."""
    return not graph.children[i].isdisjoint(graph.parents[k])


def _rule_3(graph: Graph, ambiguous: Collection[Triple], i: int, k: int) -> bool:
    """From i - j -> k and i - l -> k with i - k, and j, l not adjacent: i -> k."""
    between = graph.undirected[i] & graph.parents[k]
    return len(between) > 1 and any(
        any(_is_open(graph, ambiguous, j, i, other) for other in between if other > j)
        for j in between
    )


def _rule_4(graph: Graph, ambiguous: Collection[Triple], i: int, j: int) -> bool:
    """From i - k -> m -> j with i - j, i and m adjacent, and k, j not adjacent: i -> j."""
    last = graph.parents[j] & graph.adjacent[i]
    return bool(last) and any(
        not graph.children[k].isdisjoint(last) and _is_open(graph, ambiguous, k, i, j)
        for k in graph.undirected[i] - graph.adjacent[j]
        if k != j
    )


def close_in_rounds(
    graph: Graph, ambiguous: Collection[Triple] = (), *, fourth: bool = False
) -> tuple[set[Edge], set[Edge]]:
    """Apply Meek's rules until nothing changes, in rounds.

    A round collects what all rules want of the graph as it is, then directs it at once; so the
    result does not depend on the order of anything. Of a graph with a consistent extension, this is
    the maximally directed one; nothing is locked then.

    Parameters
    ----------
    graph : Graph
        Without directed cycles. Changed in place.
    ambiguous : set of (x, y, z), x < z, default=()
        Unshielded triples, y in the middle, of which rules assume nothing.
    fourth : bool, default=False
        Whether to use rule 4, which is needed if directions were known before.

    Returns
    -------
    both, cyclic : set of (int, int)
        Pairs i < j of the edges that were locked, see `direct_at_once`.

    References
    ----------
    .. [1] C. Meek: "Causal inference and causal explanation with background knowledge", UAI 1995.
    """
    both: set[Edge] = set()
    cyclic: set[Edge] = set()
    while wanted := {
        (i, j)
        for i, neighbours in enumerate(graph.undirected)
        for j in neighbours
        if _rule_1(graph, ambiguous, i, j)
        or _rule_2(graph, i, j)
        or _rule_3(graph, ambiguous, i, j)
        or (fourth and _rule_4(graph, ambiguous, i, j))
    }:
        new = direct_at_once(graph, wanted)
        both |= new[0]
        cyclic |= new[1]
    return both, cyclic


def close_in_passes(
    graph: Graph, ambiguous: Collection[Triple] = (), *, fourth: bool = False
) -> None:
    """Apply Meek's rules until nothing changes, one edge at a time in the order of the nodes.

    Each edge counts for those after it, and is left out if it would close a directed cycle. This
    depends on the order, as the programs do that it agrees with.

    Parameters
    ----------
    graph : Graph
        Changed in place.
    ambiguous, fourth : object
        As for `close_in_rounds`.
    """
    d = len(graph.adjacent)
    changed = True
    while changed:
        changed = False
        for j in range(d):
            for k in sorted(graph.undirected[j]):
                if _rule_1(graph, ambiguous, j, k):
                    changed |= _direct_unless_cyclic(graph, j, k)
        for j in range(d):  # the middle
            for i in sorted(graph.parents[j]):
                for k in sorted(graph.undirected[i] & graph.children[j]):
                    changed |= _direct_unless_cyclic(graph, i, k)
        for rule in (_rule_3, _rule_4) if fourth else (_rule_3,):
            for i in range(d):
                for k in sorted(graph.undirected[i]):
                    if rule(graph, ambiguous, i, k):
                        changed |= _direct_unless_cyclic(graph, i, k)


def _direct_unless_cyclic(graph: Graph, i: int, j: int) -> bool:
    """Direct an edge unless that would close a cycle; returns whether it did."""
    if reaches(graph, j, i):
        return False
    direct(graph, i, j)
    return True
