"""Slow, obvious reference implementation of GES with deletion, independent of sparsekit.

Every step scores all operators anew. Where the text leaves a choice, it is read like this:

- A graph is visited if the search has stood there, the start included; both phases share them.
- `max_parents` limits what is inserted; deletions are never held back by it.
- N of 0 (listwise, no row left) counts as 1.
- The start is the CPDAG of the required edges; required edges are not deleted.
- An operator is rejected if no graph of its class agrees with all knowledge at once; to look at
  each compelled edge by itself (`jointly=False`) lets classes pass that knowledge contradicts.
- In the end the knowledge directs what is left undirected, and R1 to R4 close it by rounds.
"""

import math
from itertools import combinations
from typing import NamedTuple

import numpy as np
from naive_dropout import Tester
from naive_orientation import Mixed, close_by_passes, close_by_rounds, direct_by_knowledge


def neighbours(A, v):
    return set(np.flatnonzero(A[v] & A[:, v]).tolist())


def parents(A, v):
    return set(np.flatnonzero(A[:, v] & ~A[v]).tolist())


def adjacent_to(A, v):
    return set(np.flatnonzero(A[v] | A[:, v]).tolist())


def is_clique(A, nodes):
    return all(A[i, j] or A[j, i] for i, j in combinations(nodes, 2))


def is_blocked(A, y, x, blockers):
    """Whether every semi-directed path from y to x meets the blockers."""
    seen, stack = {y}, [y]
    while stack:
        for k in np.flatnonzero(A[stack.pop()]).tolist():
            if k == x:
                return False
            if k not in seen and k not in blockers:
                seen.add(k)
                stack.append(k)
    return True


def subsets(members):
    """Subsets in increasing bit order: bit k is the k-th smallest member."""
    members = sorted(members)
    for bits in range(2 ** len(members)):
        yield bits, {v for k, v in enumerate(members) if bits >> k & 1}


def extension(A):
    """Consistent extension of a partially directed graph by Dor and Tarsi."""
    left, rest, dag = set(range(len(A))), A.copy(), A & ~A.T
    while left:
        for x in sorted(left):
            is_sink = not (rest[x] & ~rest[:, x]).any()
            around = adjacent_to(rest, x)
            fits = all(around - {u} <= adjacent_to(rest, u) for u in neighbours(rest, x))
            if is_sink and fits:
                break
        else:
            raise ValueError("there is no consistent extension")
        for u in neighbours(rest, x):
            dag[u, x] = True
        rest[x] = rest[:, x] = False
        left.remove(x)
    return dag


def cpdag(dag):
    """V-structures of a DAG, closed by Meek's rules."""
    g = Mixed(dag | dag.T)
    for y in range(len(dag)):
        for x, z in combinations(np.flatnonzero(dag[:, y]).tolist(), 2):
            if not g.adjacent[x, z]:
                g.direct(x, y)
                g.direct(z, y)
    close_by_passes(g)
    return g.adjacency()


class Operator(NamedTuple):
    """In the order in which ties are broken."""

    negative_delta: float
    x: int
    y: int
    bits: int
    chosen: frozenset


class Search:
    """GES on one data set; `steps` are the scores of the applied operators."""

    def __init__(self, test, *, penalty=2.0, max_parents=None, knowledge=None, jointly=True):
        self.test, self.penalty, self.d = test, penalty, test.n_features
        self.jointly = jointly
        self.N = max(test.n_rows, 1)
        self.max_parents = self.d if max_parents is None else max_parents
        self.knowledge = knowledge
        nothing = np.zeros((self.d, self.d), dtype=bool)
        self.forbidden, self.required = (nothing, nothing) if knowledge is None else knowledge
        self.A, self.steps = cpdag(self.required), []
        self.visited = {self.A.tobytes()}

    def gain(self, x, y, S):
        """Change of the score by the edge x -> y, given the other parents S of y."""
        found = self.test(x, y, S)
        rho, m = abs(found.rho), found.n_rows
        if m != self.N and m > 3:
            rho = math.tanh(math.sqrt(m - 3) * math.atanh(rho) / math.sqrt(self.N - 3))
        return -self.N / 2 * math.log1p(-rho * rho) - self.penalty / 2 * math.log(self.N)

    def insertions(self):
        for x in range(self.d):
            for y in range(self.d):
                is_excluded = self.forbidden[x, y] and self.forbidden[y, x]
                if x == y or y in adjacent_to(self.A, x) or is_excluded:
                    continue
                shared = neighbours(self.A, y) & adjacent_to(self.A, x)
                for bits, T in subsets(neighbours(self.A, y) - adjacent_to(self.A, x)):
                    S = (shared | T | parents(self.A, y)) - {x}
                    if len(S) >= self.max_parents or not is_clique(self.A, shared | T):
                        continue
                    if is_blocked(self.A, y, x, shared | T):
                        yield Operator(-self.gain(x, y, S), x, y, bits, frozenset(T))

    def deletions(self):
        for x in range(self.d):
            for y in range(self.d):
                if not self.A[x, y] or self.required[x, y] or self.required[y, x]:
                    continue
                shared = neighbours(self.A, y) & adjacent_to(self.A, x)
                for bits, H in subsets(shared):
                    if is_clique(self.A, shared - H):
                        S = ((shared - H) | parents(self.A, y)) - {x}
                        yield Operator(self.gain(x, y, S), x, y, bits, frozenset(H))

    def inserted(self, operator):
        A = self.A.copy()
        for v in {operator.x} | operator.chosen:
            A[v, operator.y], A[operator.y, v] = True, False
        return cpdag(extension(A))

    def deleted(self, operator):
        A, (_, x, y, _, H) = self.A.copy(), operator
        A[x, y] = A[y, x] = False
        for h in H:
            A[h, y] = False
            if A[x, h] and A[h, x]:
                A[h, x] = False
        return cpdag(extension(A))

    def is_allowed(self, A):
        barred = self.forbidden | self.required.T
        if not self.jointly:
            return not (A & ~A.T & barred).any()
        try:
            return np.array_equal(cpdag(extension(A & ~barred)), A)
        except ValueError:
            return False

    def run_phase(self, operators, apply):
        found = True
        while found:
            found = False
            for operator in sorted(operators()):
                if not -operator.negative_delta > 1e-6:
                    break
                A = apply(operator)
                if A.tobytes() not in self.visited and self.is_allowed(A):
                    self.A, found = A, True
                    self.visited.add(A.tobytes())
                    self.steps.append(-operator.negative_delta)
                    break

    def run(self):
        self.run_phase(self.insertions, self.inserted)
        self.run_phase(self.deletions, self.deleted)
        if self.knowledge is None:
            return self.A
        g = Mixed(self.A | self.A.T)
        g.directed = self.A & ~self.A.T
        direct_by_knowledge(g, self.forbidden, self.required)
        close_by_rounds(g, with_knowledge=True)
        return g.adjacency()


def dropout_ges(X, *, zero_handling="conditioning", **settings):
    """The final graph and the score of each applied operator."""
    search = Search(Tester(X, zero_handling), **settings)
    return search.run(), search.steps
