"""Slow, obvious reference implementation of PC with deletion, independent of sparsekit.

Plain numpy, written to be compared with the text of the specification by eye: every test gathers
its rows anew. Orientation is in `naive_orientation`, GES in `naive_dropout_ges`. Nothing here may
import sparsekit.

Where the text leaves a choice, it is read like this:

- Members of a conditioning set are skipped in ascending order: of two copies the second one.
- With `keep`, the statistic of a pair is that of its sufficient tests, NaN if there are none.
- All S of a level are tested under every rule, `first` included: counts do not depend on it.
- The largest p is the least z; ties are ties of z.
- Levels go by the degrees of the whole graph, fixed edges included; one may thus have no tests.
- Tiers restrict the sets of the majority rule, too.
"""

import math
from itertools import combinations
from typing import NamedTuple

import numpy as np
from naive_orientation import orient

TINY = 1e-10
ALMOST_ONE = 1 - 2.0**-52

# Section 3: one test.


def rows_of(X, x, y, S, zero_handling):
    """Rows that a test uses."""
    n_features = X.shape[1]
    needed = {
        "none": [],
        "conditioning": list(S),
        "testwise": [x, y, *S],
        "listwise": range(n_features),
    }
    return np.flatnonzero((X[:, list(needed[zero_handling])] != 0).all(axis=1))


def unexplained(column, basis):
    """Residual on orthonormal vectors, of length one; None if the column is constant or explained.

    Long doubles, so that what differs is the rounding of the code that is tested.
    """
    if np.all(column == column[0]):
        return None
    centred = column.astype(np.longdouble) - column[0]
    centred = centred / np.abs(centred).max()
    centred = centred - centred.mean()
    residual = centred
    for _ in range(2):  # the second time for what rounding has left
        for vector in basis:
            residual = residual - (vector @ residual) * vector
    if residual @ residual <= TINY * (centred @ centred):
        return None
    return residual / np.sqrt(residual @ residual)


def correlation(X, x, y, S, zero_handling):
    """Partial correlation of x and y given S on the rows of the test, and the number of rows."""
    rows = rows_of(X, x, y, S, zero_handling)
    if len(rows) <= len(S) + 3:
        return 0.0, len(rows)
    basis = []
    for s in sorted(S):
        vector = unexplained(X[rows, s], basis)
        if vector is not None:
            basis.append(vector)
    # In ascending order, so that (x, y) and (y, x) are the same to the last bit.
    first, second = (unexplained(X[rows, v], basis) for v in sorted((x, y)))
    if first is None or second is None:
        return 0.0, len(rows)
    return float(np.clip(first @ second, -ALMOST_ONE, ALMOST_ONE)), len(rows)


def p_value(z):
    return math.erfc(z / math.sqrt(2))


class Outcome(NamedTuple):
    """Of one test; `separates` by the rules for few rows."""

    rho: float
    n_rows: int
    z: float
    is_sufficient: bool
    separates: bool


class Tester:
    """All tests of one data set; remembers what it has tested."""

    def __init__(
        self, X, zero_handling="conditioning", *, alpha=0.05, min_samples=None, keep=False
    ):
        self.X, self.zero_handling, self.alpha, self.keep = X, zero_handling, alpha, keep
        self.n_features = X.shape[1]
        # Rows that could serve: N of the specification.
        self.n_rows = len(
            rows_of(X, 0, 0, (), "listwise" if zero_handling == "listwise" else "none")
        )
        is_share = min_samples is not None and 0 < min_samples < 1
        self.min_samples = (min_samples or 0) * (self.n_rows if is_share else 1)
        self.known = {}

    def __call__(self, x, y, S=()):
        key = (min(x, y), max(x, y), tuple(sorted(S)))
        if key not in self.known:
            self.known[key] = self.test(*key)
        return self.known[key]

    def test(self, x, y, S):
        rho, m = correlation(self.X, x, y, S, self.zero_handling)
        if m <= len(S) + 3 or m < self.min_samples:
            return Outcome(rho, m, 0.0, False, not self.keep)
        z = math.sqrt(m - len(S) - 3) * abs(math.atanh(rho))
        return Outcome(rho, m, z, True, p_value(z) > self.alpha)


# Section 4.1 and 4.2: skeleton and separating sets.


class Skeleton(NamedTuple):
    """Outcome of the search; `separating` has the list of (S, z) of each removed pair, in order."""

    adjacent: np.ndarray
    separating: dict
    statistic: np.ndarray
    n_rows: np.ndarray
    n_tests: list
    n_insufficient: int

    @property
    def unions(self):
        """Union of all separating sets of each removed pair."""
        return {
            pair: tuple(sorted(set().union(*(S for S, _ in found))))
            for pair, found in self.separating.items()
        }

    def sepsets(self, rule):
        if rule == "all":
            return self.unions
        if rule == "first":
            return {pair: found[0][0] for pair, found in self.separating.items()}
        return {
            pair: min(found, key=lambda record: (record[1], record[0]))[0]
            for pair, found in self.separating.items()
        }

    @property
    def pvalues(self):
        """Largest p of each tested pair, NaN elsewhere."""
        return np.vectorize(p_value, otypes=[float])(self.statistic)


def candidates_of(adjacent, x, y, tiers):
    """Candidates of conditioning sets from the side of x."""
    members = [v for v in np.flatnonzero(adjacent[x]).tolist() if v != y]
    if tiers is None or tiers[x] < 0 or tiers[y] < 0:
        return members
    return [v for v in members if tiers[v] <= max(tiers[x], tiers[y])]


def sets_of(adjacent, x, y, size, tiers):
    """Distinct conditioning sets of a size: first from the side of x, then from that of y."""
    both = [
        S
        for a, b in ((x, y), (y, x))
        for S in combinations(candidates_of(adjacent, a, b, tiers), size)
    ]
    return list(dict.fromkeys(both))


def search_skeleton(test, *, max_cond_size=None, excluded=None, fixed=None, tiers=None):
    d = test.n_features
    none = np.zeros((d, d), dtype=bool)
    excluded, fixed = (none if m is None else m for m in (excluded, fixed))
    adjacent = ~np.eye(d, dtype=bool) & ~excluded
    separating, n_tests, n_insufficient = {}, [], 0
    statistic, n_rows = np.full((d, d), np.nan), np.full((d, d), -1)
    limit = d if max_cond_size is None else max_cond_size
    size = 0
    while d and adjacent.sum(axis=1).max() - 1 >= size and size <= limit:
        frozen = adjacent.copy()
        n_tests.append(0)
        n_before = n_insufficient
        for x, y in combinations(range(d), 2):
            if not frozen[x, y] or fixed[x, y]:
                continue
            for S in sets_of(frozen, x, y, size, tiers):
                found = test(x, y, S)
                n_tests[-1] += 1
                n_insufficient += not found.is_sufficient
                known = n_rows[x, y] >= 0
                fewest = min(found.n_rows, n_rows[x, y]) if known else found.n_rows
                n_rows[x, y] = n_rows[y, x] = fewest
                if found.is_sufficient or not test.keep:
                    statistic[x, y] = statistic[y, x] = np.fmin(statistic[x, y], found.z)
                if found.separates:
                    separating.setdefault((x, y), []).append((S, found.z))
                    adjacent[x, y] = adjacent[y, x] = False
        if test.keep and 0 < n_tests[-1] == n_insufficient - n_before:
            break  # larger sets leave no more rows
        size += 1
    return Skeleton(adjacent, separating, statistic, n_rows, n_tests, n_insufficient)


def unshielded(adjacent):
    """Triples (x, y, z), x < z, in the order of y, x, z."""
    for y in range(len(adjacent)):
        for x, z in combinations(np.flatnonzero(adjacent[y]).tolist(), 2):
            if not adjacent[x, z]:
                yield x, y, z


def votes(test, skeleton, x, y, z, tiers=None):
    """Separating sets of the ends among the final neighbours: with the middle, and all of them."""
    with_middle = total = 0
    for size in range(len(skeleton.n_tests)):
        for S in sets_of(skeleton.adjacent, x, z, size, tiers):
            if test(x, z, S).separates:
                total += 1
                with_middle += y in S
    return with_middle, total


def judge_triples(test, skeleton, rule, excluded=None, tiers=None):
    """Colliders and ambiguous triples."""
    records = skeleton.unions if rule == "majority" else skeleton.sepsets(rule)
    colliders, ambiguous = [], []
    for x, y, z in unshielded(skeleton.adjacent):
        if excluded is not None and excluded[x, z]:
            ambiguous.append((x, y, z))
            continue
        with_middle, total = 0, 0
        if rule == "majority":
            with_middle, total = votes(test, skeleton, x, y, z, tiers)
        if total == 0:
            is_collider = y not in records[x, z]
        elif 2 * with_middle == total:
            ambiguous.append((x, y, z))
            continue
        else:
            is_collider = 2 * with_middle < total
        if is_collider:
            colliders.append((x, y, z))
    return colliders, ambiguous


def dropout_pc(
    X,
    alpha=0.05,
    *,
    zero_handling="conditioning",
    max_cond_size=None,
    min_samples=None,
    insufficient="independent",
    sepset_rule="majority",
    conflict="undirected",
    knowledge=None,
    tiers=None,
):
    """Skeleton and its orientation."""
    keep = insufficient == "keep"
    test = Tester(X, zero_handling, alpha=alpha, min_samples=min_samples, keep=keep)
    excluded = fixed = None
    if knowledge is not None:
        forbidden, required = knowledge
        excluded, fixed = forbidden & forbidden.T, required | required.T
    limits = {"max_cond_size": max_cond_size, "excluded": excluded, "fixed": fixed, "tiers": tiers}
    skeleton = search_skeleton(test, **limits)
    colliders, ambiguous = judge_triples(test, skeleton, sepset_rule, excluded, tiers)
    settings = {"conflict": conflict, "knowledge": knowledge}
    return skeleton, orient(skeleton.adjacent, colliders, ambiguous, **settings)
