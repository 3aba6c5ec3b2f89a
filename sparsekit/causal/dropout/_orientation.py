"""Directing the edges of a skeleton: knowledge, colliders, and Meek's rules.

Two ways, which share the rules: one that depends on the order of the variables and agrees with
programs that do ("first", "overwrite"), and one that does not ("undirected", "bidirected").
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from sparsekit.causal._background import Constraints
from sparsekit.causal.dropout._meek import (
    Edge,
    Graph,
    Triple,
    as_adjacency,
    as_graph,
    close_in_passes,
    close_in_rounds,
    direct,
    direct_at_once,
)
from sparsekit.causal.dropout._votes import unshielded_triples

__all__ = ["CONFLICTS", "Orientation", "complete", "judge_triples", "orient"]

CONFLICTS = ("first", "overwrite", "bidirected", "undirected")

Conflict = tuple[int, int, str]


class Orientation(NamedTuple):
    """A skeleton with directions.

    Attributes
    ----------
    adjacency : ndarray of shape (d, d), bool
        i -> j at [i, j] alone, all other edges at both entries.
    conflicts : list of (int, int, str)
        Edges i < j that could not be directed without contradiction, ascending, and whether they
        are "undirected" or "bidirected".
    """

    adjacency: np.ndarray
    conflicts: list[Conflict]


def judge_triples(
    adjacent: np.ndarray,
    sepsets: Mapping[Edge, Sequence[int]],
    shares: Mapping[Triple, float] | None = None,
) -> tuple[list[Triple], list[Triple]]:
    """Find which unshielded triples are colliders, and of which nothing can be told.

    Parameters
    ----------
    adjacent : ndarray of shape (d, d), bool
        Symmetric.
    sepsets : mapping
        A separating set, or the union of some, of pairs x < z. The triple is a collider if it does
        not have y; ambiguous if there is none, for then knowledge alone has separated the pair.
    shares : mapping, default=None
        Share of separating sets of x and z that have y, for each triple. It decides in the place of
        `sepsets` unless it is NaN: less than one half, and the triple is a collider; one half, and
        it is ambiguous.

    Returns
    -------
    colliders, ambiguous : list of (x, y, z)
        x < z are not adjacent, but both are adjacent to y. Ascending by y, then x, then z.
    """
    colliders, ambiguous = [], []
    for x, y, z in unshielded_triples(as_graph(adjacent).adjacent):
        sepset = sepsets.get((x, z))
        if sepset is None:
            ambiguous.append((x, y, z))
            continue
        share = math.nan if shares is None else shares[x, y, z]
        if math.isnan(share):
            share = float(y in sepset)
        if share == 0.5:
            ambiguous.append((x, y, z))
        elif share < 0.5:
            colliders.append((x, y, z))
    return colliders, ambiguous


def orient(
    adjacent: np.ndarray,
    colliders: Sequence[Triple],
    ambiguous: Sequence[Triple] = (),
    *,
    conflict: str = "undirected",
    constraints: Constraints | None = None,
) -> Orientation:
    """Direct a skeleton.

    Parameters
    ----------
    adjacent : ndarray of shape (d, d), bool
        Symmetric.
    colliders : sequence of (x, y, z)
        Unshielded triples x -> y <- z. Their order matters for "first" and "overwrite".
    ambiguous : sequence of (x, y, z), x < z
        Unshielded triples that no rule may use.
    conflict : {"first", "overwrite", "bidirected", "undirected"}, default="undirected"
        What becomes of an edge that colliders want in both directions. "first": a collider is left
        out if one of its edges points away from its middle. "overwrite": the last one wins. The
        other two direct all colliders at once; an edge that is wanted in both directions is never
        directed, and called by this name. They do not depend on the order of anything.
    constraints : Constraints, default=None
        Directs edges before the colliders, which can not undo that.

    Returns
    -------
    Orientation
        For "first" and "overwrite" only knowledge can be in conflict, if it closes a cycle.

    References
    ----------
    .. [1] D. Colombo, M. H. Maathuis: "Order-independent constraint-based causal structure
       learning", Journal of Machine Learning Research 15, 2014.
    """
    graph, locked = _start(adjacent, constraints)
    knows, skipped = constraints is not None, frozenset(ambiguous)
    clashing: set[Edge] = set()
    if conflict in ("first", "overwrite"):
        _direct_in_turn(graph, colliders, overwrite=conflict == "overwrite")
        close_in_passes(graph, skipped, fourth=knows)
    else:
        wanted = {(x, y) for x, y, _ in colliders} | {(z, y) for _, y, z in colliders}
        open_ = {(i, j) for i, j in wanted if j in graph.undirected[i]}
        clashing, cyclic = direct_at_once(graph, open_)
        locked |= cyclic.union(*close_in_rounds(graph, skipped, fourth=knows))
    kinds = dict.fromkeys(locked, "undirected") | dict.fromkeys(clashing, conflict)
    return Orientation(as_adjacency(graph), sorted((*edge, kind) for edge, kind in kinds.items()))


def complete(adjacency: np.ndarray, constraints: Constraints) -> Orientation:
    """Direct the undirected edges of a CPDAG as knowledge wants, and what follows from that.

    Parameters
    ----------
    adjacency : ndarray of shape (d, d), bool
        i -> j at [i, j] alone, i - j at both entries. No directed cycle.
    constraints : Constraints
        If the CPDAG has an extension that agrees with it, the result is the maximally directed
        graph of all those, and without conflicts.

    Returns
    -------
    Orientation
    """
    graph, locked = _start(adjacency | adjacency.T, constraints, adjacency & ~adjacency.T)
    locked.update(*close_in_rounds(graph, fourth=True))
    return Orientation(as_adjacency(graph), sorted((*edge, "undirected") for edge in locked))


def _start(
    adjacent: np.ndarray, constraints: Constraints | None, directed: np.ndarray | None = None
) -> tuple[Graph, set[Edge]]:
    """Graph with the directions that are known, and the edges locked by knowledge on cycles."""
    if constraints is None:
        return as_graph(adjacent, directed), set()
    forbidden, required = constraints
    directed = required if directed is None else directed | required
    graph = as_graph(adjacent, directed)
    one_way = adjacent & forbidden.T & ~forbidden & ~(directed | directed.T)
    _, cyclic = direct_at_once(graph, {(i, j) for i, j in np.argwhere(one_way).tolist()})
    return graph, cyclic


def _direct_in_turn(graph: Graph, colliders: Sequence[Triple], *, overwrite: bool) -> None:
    """Direct one collider after the other, but for the edges that knowledge has directed."""
    # Copies, for what colliders direct may be directed again.
    free = [neighbours.copy() for neighbours in graph.undirected]
    for x, y, z in colliders:
        if overwrite or graph.children[y].isdisjoint((x, z)):
            for end in (x, z):
                if y in free[end]:
                    direct(graph, end, y)
