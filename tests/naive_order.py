"""Slow, obvious reference implementation of the order search, independent of sparsekit.

Plain numpy, written to be compared with the text of the specification by eye: every residual
variance is solved for anew, nothing is carried along. A graph is kept as one list of parents a
variable, in the order in which they joined. Nothing here may import sparsekit.

Where the text leaves a choice, it is read like this:

- Variances below 1e-10 of the variable's own are raised to that, before they enter any score.
- A member of a set is a regressor if its pivot, the variance given the members before it, is above
  1e-10 of its own variance. Only required parents can fail; they cost the penalty all the same.
- Predecessors have the order of the variables, with the moved one first where it is before others
  (b_k). This matters to exact ties alone.
- F(p) is found from the present place outwards, beginning there with the present set: to the left
  by grow-shrink from what is left whenever a member is lost, to the right whenever the new
  predecessor alone gains; and not where no place further away can come below the present total.
- A set at `max_parents`, required parents included, gains from nothing more.
- A move to the place where the variable stands, with other sets, is a move.
- The last pass, the one without a move, is counted.
"""

from itertools import permutations
from typing import NamedTuple

import numpy as np

TINY = 1e-10


class Found(NamedTuple):
    """Outcome of a search from one start; `totals` has the sums of f_j by pass and move."""

    order: list
    parents: list
    is_edge: np.ndarray
    variances: np.ndarray
    score: float
    n_passes: int
    converged: bool
    totals: list


class Insertion(NamedTuple):
    """All that trying one variable everywhere gives: totals by place, and the sets behind them."""

    rest: list
    present: int
    totals: dict
    own_sets: dict
    sets_before: list
    sets_after: list


class Search:
    """Scores and moves of one problem; `s2` is the scale of the equal-noise score."""

    def __init__(
        self, C, n, *, gamma=1.0, equal=False, max_parents=None, forbidden=None, required=None
    ):
        self.variances, self.n, self.d, self.equal = np.diag(C).copy(), n, len(C), equal
        scale = np.sqrt(np.where(self.variances > 0, self.variances, 1.0))
        self.C = C.copy() if equal else C / np.outer(scale, scale)
        self.pen = np.log(n) / 2 + gamma * np.log(self.d)
        self.max_parents = self.d if max_parents is None else max_parents
        none = np.zeros((self.d, self.d), dtype=bool)
        self.forbidden = none if forbidden is None else forbidden
        self.required = none if required is None else required
        eps = np.finfo(float).eps
        self.set_tolerance = max(1e-9, 64 * eps * n / 2)
        self.move_tolerance = max(1e-6, 64 * eps * n * self.d / 2)
        self.known_variances = {}
        self.s2 = self.median([self.C[j, j] for j in range(self.d)])

    # Scores.

    def is_constant(self, j):
        return self.variances[j] <= 0

    def median(self, variances):
        return np.median([v for j, v in enumerate(variances) if not self.is_constant(j)] or [1.0])

    def solve_variance(self, j, S):
        """C_jj - C_jS C_SS^-1 C_Sj."""
        C = self.C
        return C[j, j] - C[j, S] @ np.linalg.solve(C[np.ix_(S, S)], C[S, j])

    def is_independent(self, c, S):
        return self.unfloored(c, S) > TINY * self.C[c, c]

    def unfloored(self, j, S):
        """v_j(S) by the members that are independent of those before them."""
        key = (j, *S)
        if key not in self.known_variances:
            regressors = [c for k, c in enumerate(S) if self.is_independent(c, S[:k])]
            self.known_variances[key] = self.solve_variance(j, regressors)
        return self.known_variances[key]

    def variance(self, j, S):
        """v_j(S), above its floor."""
        return max(self.unfloored(j, S), TINY * self.C[j, j])

    def local(self, j, S):
        """f_j(S)."""
        if self.is_constant(j):
            return self.pen * len(S)
        v = self.variance(j, S)
        fit = v / (2 * self.s2) if self.equal else np.log(v) / 2
        return self.n * fit + self.pen * len(S)

    def gain(self, j, S, c):
        """Fall of the score of j if c joins its parents."""
        barred = c in S or self.forbidden[c, j] or self.is_constant(c) or self.is_constant(j)
        if barred or len(S) >= self.max_parents or not self.is_independent(c, S):
            return -np.inf
        return self.local(j, S) - self.local(j, S + [c])

    def score(self, parents):
        """What starts are compared by, in the units of the covariance."""
        free = [j for j in range(self.d) if not self.is_constant(j)]
        edges = sum(len(S) for S in parents)
        v = self.residual_variances(parents)
        if not free:
            return self.pen * edges
        if self.equal:
            return self.n * self.d / 2 * np.log(v.sum() / self.d) + self.pen * edges
        return self.n / 2 * np.log(v[free]).sum() + self.pen * edges

    def residual_variances(self, parents):
        v = np.array([self.variance(j, S) for j, S in enumerate(parents)])
        return v if self.equal else v * self.variances

    # Sets of parents.

    def required_parents(self, j):
        return np.flatnonzero(self.required[:, j]).tolist()

    def grow_shrink(self, j, predecessors, S):
        S = list(S)
        while True:
            grown = self.grow(j, predecessors, S)
            shrunk = self.shrink(j, grown)
            if shrunk == S:
                return S
            S = shrunk

    def grow(self, j, predecessors, S):
        while predecessors:
            gains = [self.gain(j, S, c) for c in predecessors]
            best = int(np.argmax(gains))
            if not gains[best] > self.set_tolerance:
                break
            S = S + [predecessors[best]]
        return S

    def shrink(self, j, S):
        while True:
            members = [c for c in S if not self.required[c, j]]
            smaller = [[other for other in S if other != c] for c in members]
            falls = [self.local(j, S) - self.local(j, fewer) for fewer in smaller]
            if not falls or not max(falls) > self.set_tolerance:
                return S
            S = smaller[int(np.argmax(falls))]

    # Orders.

    def sort(self, order):
        """Stable sort after which required parents come first."""
        left, placed = list(order), []
        while left:
            ready = [j for j in left if set(self.required_parents(j)) <= set(placed)]
            placed.append(ready[0])
            left.remove(ready[0])
        return placed

    def sets_of(self, order):
        """Grow-shrink of every variable among all before it."""
        parents = [[] for _ in order]
        for place, j in enumerate(order):
            parents[j] = self.grow_shrink(j, order[:place], self.required_parents(j))
        return parents

    def total(self, parents):
        return sum(self.local(j, S) for j, S in enumerate(parents))

    def try_everywhere(self, order, parents, v):
        rest, present = [j for j in order if j != v], order.index(v)
        sets_before, sets_after = [], []  # of rho_k, if v is behind it and if v is before it
        for k, j in enumerate(rest):
            S = parents[j]
            without = with_v = S
            if v in S:
                without = self.grow_shrink(j, rest[:k], [c for c in S if c != v])
            elif self.gain(j, S, v) > self.set_tolerance:
                with_v = self.grow_shrink(j, [v] + rest[:k], S)
            sets_before.append(without)
            sets_after.append(with_v)
        a = [self.local(j, S) for j, S in zip(rest, sets_before, strict=True)]
        b = [self.local(j, S) for j, S in zip(rest, sets_after, strict=True)]
        places = [p for p in range(self.d) if self.is_allowed(v, rest, p)]
        others = {p: sum(a[:p]) + sum(b[p:]) for p in places}
        limit = self.total(parents) - self.move_tolerance
        own_sets = self.own_sets(v, rest, present, parents[v], others, limit)
        totals = {p: self.local(v, S) + others[p] for p, S in own_sets.items()}
        return Insertion(rest, present, totals, own_sets, sets_before, sets_after)

    def own_sets(self, v, rest, present, S, others, limit):
        """Sets of v by place, from the present one outwards, as long as further ones may pay."""
        S = self.grow_shrink(v, rest[:present], S)
        found = {present: S}
        for p in range(present - 1, min(others) - 1, -1):
            # The score of v only rises with fewer predecessors.
            if self.local(v, S) + min(others[q] for q in others if q <= p) >= limit:
                break
            if rest[p] in S:
                S = self.grow_shrink(v, rest[:p], [c for c in S if c != rest[p]])
            found[p] = S
        S = found[present]
        least = self.local(v, self.grow_shrink(v, rest, S))
        for p in range(present + 1, max(others) + 1):
            if least + min(others[q] for q in others if q >= p) >= limit:
                break
            if self.gain(v, S, rest[p - 1]) > self.set_tolerance:
                S = self.grow_shrink(v, rest[:p], S)
            found[p] = S
        return found

    def is_allowed(self, v, rest, p):
        """Whether v may stand behind rho_1..rho_p and before all others."""
        late_parent = any(self.required[j, v] for j in rest[p:])
        early_child = any(self.required[v, j] for j in rest[:p])
        return not late_parent and not early_child

    def best_move(self, order, parents, v):
        """Order and sets after the best insertion of v, or None."""
        found = self.try_everywhere(order, parents, v)
        least = min(found.totals.values())
        if not least < self.total(parents) - self.move_tolerance:
            return None
        best = [p for p, total in found.totals.items() if total <= least + self.move_tolerance]
        place = min(best, key=lambda p: (abs(p - found.present), p))
        moved = list(parents)
        moved[v] = found.own_sets[place]
        for k, j in enumerate(found.rest):
            moved[j] = found.sets_before[k] if k < place else found.sets_after[k]
        return found.rest[:place] + [v] + found.rest[place:], moved

    def refresh_scale(self, parents):
        self.s2 = self.median([self.variance(j, S) for j, S in enumerate(parents)])

    def run(self, start, max_passes=20):
        self.s2 = self.median([self.C[j, j] for j in range(self.d)])
        order = self.sort(start)
        parents = self.sets_of(order)
        n_passes, converged, totals = 0, False, []
        while n_passes < max_passes and not converged:
            self.refresh_scale(parents)
            converged, sums = True, [self.total(parents)]
            for v in list(order):
                move = self.best_move(order, parents, v)
                if move is not None:
                    converged = False
                    order, parents = move
                    sums.append(self.total(parents))
            totals.append(sums)
            n_passes += 1
        is_edge = np.zeros((self.d, self.d), dtype=bool)
        for j, S in enumerate(parents):
            is_edge[S, j] = True
        v = self.residual_variances(parents)
        score = self.score(parents)
        return Found(order, parents, is_edge, v, score, n_passes, converged, totals)


def search(C, n, start, *, max_passes=20, **settings):
    """Search from one order."""
    return Search(C, n, **settings).run(list(start), max_passes)


def best_over_all_orders(C, n, **settings):
    """Least total of grow-shrink sets over all orders, with unequal noise; d! of them."""
    problem = Search(C, n, **settings)
    known = {}
    for j in range(problem.d):
        others = [i for i in range(problem.d) if i != j]
        for mask in range(2 ** len(others)):
            before = [i for bit, i in enumerate(others) if mask >> bit & 1]
            known[j, frozenset(before)] = problem.grow_shrink(j, before, [])
    best = np.inf
    local = {key: problem.local(key[0], S) for key, S in known.items()}
    for order in permutations(range(problem.d)):
        total = sum(local[j, frozenset(order[:k])] for k, j in enumerate(order))
        best = min(best, total)
    return best
