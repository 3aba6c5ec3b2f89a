"""Slow, obvious reference implementation of the orientation of skeletons.

Independent of sparsekit, written to be compared with the text of the specification by eye. Where
the text leaves a choice, it is read like this:

- A collider never turns an edge that knowledge has directed: "first" leaves the triple, the others
  keep the arrowhead of the other arm.
- Ambiguous triples orient nothing: they are skipped in R4 as well, where k - i - j is the triple.
- What knowledge directs is subject to the cycle rule, required edges are not.
- Under "bidirected" only conflicts of colliders are bidirected; what Meek's rules want both ways
  and what is on a cycle is undirected.
- R4 comes last in a pass and loops i, j, k, m.
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy.sparse.csgraph import connected_components

# Section 4.3 and 4.4: orientation.


class Mixed:
    """Graph under orientation: what is adjacent, directed, and locked."""

    def __init__(self, adjacent, ambiguous=()):
        self.adjacent, self.d = adjacent.copy(), len(adjacent)
        self.directed, self.locked = np.zeros_like(adjacent), np.zeros_like(adjacent)
        self.ambiguous = set(ambiguous)

    def is_undirected(self, i, j):
        """Undirected and free to be directed."""
        return (
            self.adjacent[i, j]
            and not self.directed[i, j]
            and not self.directed[j, i]
            and not self.locked[i, j]
        )

    def is_ambiguous(self, x, y, z):
        return (min(x, z), y, max(x, z)) in self.ambiguous

    def direct(self, i, j):
        self.directed[i, j], self.directed[j, i] = True, False

    def reaches(self, i, j):
        """Whether a directed path leads from i to j."""
        seen, stack = {i}, [i]
        while stack:
            for k in np.flatnonzero(self.directed[stack.pop()]).tolist():
                if k not in seen:
                    seen.add(k)
                    stack.append(k)
        return j in seen

    def adjacency(self):
        return self.adjacent & ~self.directed.T


def rule_1(g):
    for j in range(g.d):
        for i in np.flatnonzero(g.directed[:, j]).tolist():
            for k in range(g.d):
                if k == i or g.adjacent[i, k] or not g.is_undirected(j, k):
                    continue
                if g.directed[i, j] and not g.is_ambiguous(i, j, k):
                    yield j, k


def rule_2(g):
    for j in range(g.d):
        for i in range(g.d):
            for k in range(g.d):
                if g.directed[i, j] and g.directed[j, k] and g.is_undirected(i, k):
                    yield i, k


def rule_3(g):
    for i in range(g.d):
        for l in range(g.d):  # noqa: E741 - the name in the text
            middles = [j for j in range(g.d) if g.is_undirected(i, j) and g.directed[j, l]]
            for j, k in combinations(middles, 2):
                if g.adjacent[j, k] or g.is_ambiguous(j, i, k):
                    continue
                if g.is_undirected(i, l):
                    yield i, l


def rule_4(g):
    for i in range(g.d):
        for j in range(g.d):
            for k in range(g.d):
                if j == k or g.adjacent[k, j] or g.is_ambiguous(k, i, j):
                    continue
                for m in range(g.d):
                    on_way = g.directed[k, m] and g.directed[m, j] and g.adjacent[i, m]
                    if on_way and g.is_undirected(i, k) and g.is_undirected(i, j):
                        yield i, j


def rules(with_knowledge):
    return (rule_1, rule_2, rule_3, rule_4) if with_knowledge else (rule_1, rule_2, rule_3)


def close_by_passes(g, with_knowledge=False):
    """Meek's rules to a fixpoint, each orientation at once (the rules look at the live graph)."""
    changed = True
    while changed:
        changed = False
        for rule in rules(with_knowledge):
            for i, j in rule(g):
                if not g.reaches(j, i):
                    g.direct(i, j)
                    changed = True


def direct_all(g, wanted):
    """Direct all wanted edges at once, and lock what is wanted both ways or closes cycles.

    Returns the pairs wanted both ways and those on cycles.
    """
    both_ways = {(i, j) for i, j in wanted if (j, i) in wanted}
    new = {edge for edge in wanted if edge not in both_ways and not g.directed[edge]}
    on_cycle = set()
    while True:
        directed = g.directed.copy()
        for i, j in new:
            directed[i, j] = True
        _, component = connected_components(directed, connection="strong")
        inside = {(i, j) for i, j in new if component[i] == component[j]}
        if not inside:
            break
        new -= inside
        on_cycle |= inside
    for i, j in both_ways | on_cycle:
        g.locked[i, j] = g.locked[j, i] = True
    for i, j in new:
        g.direct(i, j)
    return tuple({(min(e), max(e)) for e in edges} for edges in (both_ways, on_cycle))


def close_by_rounds(g, with_knowledge=False):
    """Meek's rules from frozen graphs; the pairs that they lock."""
    locked = set()
    while wanted := {edge for rule in rules(with_knowledge) for edge in rule(g)}:
        locked.update(*direct_all(g, wanted))
    return locked


def direct_by_knowledge(g, forbidden, required):
    """What knowledge directs; the pairs on cycles, locked."""
    g.directed |= required
    one_way = g.adjacent & forbidden.T & ~forbidden & ~g.directed
    _, on_cycle = direct_all(g, {tuple(edge) for edge in np.argwhere(one_way).tolist()})
    return on_cycle


class Oriented(NamedTuple):
    """Stored marks, the list of conflicts and the list of ambiguous triples."""

    adjacency: np.ndarray
    conflicts: list
    ambiguous: list


def orient(adjacent, colliders, ambiguous, *, conflict="undirected", knowledge=None):
    """Orient a skeleton; `knowledge` is (forbidden, required), two boolean matrices."""
    with_knowledge, nothing = knowledge is not None, np.zeros_like(adjacent)
    forbidden, required = knowledge if with_knowledge else (nothing, nothing)
    g = Mixed(adjacent, ambiguous)
    kinds = dict.fromkeys(direct_by_knowledge(g, forbidden, required), "undirected")
    known = g.directed | g.locked
    if conflict in ("first", "overwrite"):
        for x, y, z in colliders:
            if conflict == "first" and (g.directed[y, x] or g.directed[y, z]):
                continue
            for arm in (x, z):
                if not known[y, arm] and not g.locked[y, arm]:
                    g.direct(arm, y)
        close_by_passes(g, with_knowledge)
    else:
        arms = {(arm, y) for x, y, z in colliders for arm in (x, z)}
        arms = {(i, j) for i, j in arms if not known[j, i] and not g.locked[i, j]}
        both_ways, on_cycle = direct_all(g, arms)
        kinds |= dict.fromkeys(both_ways, conflict) | dict.fromkeys(on_cycle, "undirected")
        kinds |= dict.fromkeys(close_by_rounds(g, with_knowledge), "undirected")
    conflicts = sorted((i, j, kind) for (i, j), kind in kinds.items())
    return Oriented(g.adjacency(), conflicts, ambiguous)
