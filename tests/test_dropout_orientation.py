"""Directing skeletons: against the oracle, on graphs drawn by hand, and in any order."""

from itertools import combinations, permutations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive_orientation import orient as naive_orient

from sparsekit.causal import BackgroundKnowledge
from sparsekit.causal.dropout._meek import as_adjacency, as_graph, close_in_rounds, direct_at_once
from sparsekit.causal.dropout._orientation import CONFLICTS, complete, judge_triples, orient
from sparsekit.metrics import cpdag

IN_ANY_ORDER = ("undirected", "bidirected")


def skeleton(d, edges):
    adjacent = np.zeros((d, d), dtype=bool)
    for i, j in edges:
        adjacent[i, j] = adjacent[j, i] = True
    return adjacent


def marks(adjacency):
    """Edges as text: "0>1" or, for those without a direction, "0-1"."""
    both = adjacency & adjacency.T
    directed = {f"{i}>{j}" for i, j in np.argwhere(adjacency & ~both)}
    return directed | {f"{i}-{j}" for i, j in np.argwhere(np.triu(both))}


def unshielded(adjacent):
    d = len(adjacent)
    return [
        (x, y, z)
        for y in range(d)
        for x, z in combinations(range(d), 2)
        if adjacent[x, y] and adjacent[y, z] and not adjacent[x, z] and y not in (x, z)
    ]


@st.composite
def problems(draw, knowledge=True):
    """Skeleton, colliders, ambiguous triples, and perhaps constraints; nothing need be right."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    d = draw(st.integers(1, 7))
    adjacent = np.triu(rng.random((d, d)) < rng.uniform(0.3, 0.9), 1)
    adjacent |= adjacent.T
    constraints = None
    if knowledge and draw(st.booleans()):
        order = rng.permutation(d).tolist()
        required = [pair for pair in combinations(order, 2) if rng.random() < 0.1]
        forbidden = [
            pair
            for pair in np.argwhere(rng.random((d, d)) < 0.15).tolist()
            if pair[0] != pair[1] and tuple(pair) not in required
        ]
        constraints = BackgroundKnowledge(forbidden=forbidden, required=required).resolve(d)
        adjacent |= constraints.required | constraints.required.T
        adjacent &= ~(constraints.forbidden & constraints.forbidden.T)
    kinds = rng.choice(3, size=d**3, p=[0.4, 0.45, 0.15])
    triples = list(zip(unshielded(adjacent), kinds.tolist(), strict=False))
    colliders = [triple for triple, kind in triples if kind == 0]
    ambiguous = [triple for triple, kind in triples if kind == 2]
    return adjacent, colliders, ambiguous, constraints


@pytest.mark.parametrize("conflict", CONFLICTS)
@given(problem=problems())
def test_the_oracle_agrees(conflict, problem):
    adjacent, colliders, ambiguous, constraints = problem
    known = None if constraints is None else constraints[:2]
    expected = naive_orient(adjacent, colliders, ambiguous, conflict=conflict, knowledge=known)
    before = adjacent.copy()
    found = orient(adjacent, colliders, ambiguous, conflict=conflict, constraints=constraints)
    assert marks(found.adjacency) == marks(expected.adjacency)
    assert found.conflicts == expected.conflicts
    np.testing.assert_array_equal(adjacent, before)


@pytest.mark.parametrize("conflict", IN_ANY_ORDER)
@given(problem=problems(), seed=st.integers(0, 2**32 - 1))
def test_the_order_of_nodes_does_not_matter(conflict, problem, seed):
    adjacent, colliders, ambiguous, constraints = problem
    new = np.random.default_rng(seed).permutation(len(adjacent))  # new[i] is the new name of i
    old = np.argsort(new)

    def renamed(triples):
        pairs = [(sorted((new[x], new[z])), new[y]) for x, y, z in triples]
        return sorted((int(x), int(y), int(z)) for (x, z), y in pairs)

    expected = orient(adjacent, colliders, ambiguous, conflict=conflict, constraints=constraints)
    if constraints is not None:
        matrices = [matrix[np.ix_(old, old)] for matrix in constraints[:2]]
        constraints = type(constraints)(*matrices)
    found = orient(
        adjacent[np.ix_(old, old)],
        renamed(colliders),
        renamed(ambiguous),
        conflict=conflict,
        constraints=constraints,
    )
    np.testing.assert_array_equal(found.adjacency, expected.adjacency[np.ix_(old, old)])
    conflicts = [(*sorted((int(new[i]), int(new[j]))), kind) for i, j, kind in expected.conflicts]
    assert found.conflicts == sorted(conflicts)


@pytest.mark.parametrize("conflict", CONFLICTS)
@given(seed=st.integers(0, 2**32 - 1), d=st.integers(1, 9))
def test_the_colliders_of_a_dag_give_its_equivalence_class(conflict, seed, d):
    rng = np.random.default_rng(seed)
    order = rng.permutation(d)
    dag = np.triu(rng.random((d, d)) < rng.uniform(0.1, 0.8), 1)[np.ix_(order, order)]
    adjacent = dag | dag.T
    colliders = [(x, y, z) for x, y, z in unshielded(adjacent) if dag[x, y] and dag[z, y]]
    found = orient(adjacent, colliders, conflict=conflict)
    np.testing.assert_array_equal(found.adjacency, cpdag(dag).toarray() != 0)
    assert found.conflicts == []


class TestConflicts:
    """Colliders 0 -> 1 <- 2 and 1 -> 2 <- 3 on a path want the edge 1 - 2 in both directions."""

    PATH = skeleton(4, [(0, 1), (1, 2), (2, 3)])
    COLLIDERS = ((0, 1, 2), (1, 2, 3))

    @pytest.mark.parametrize(
        ("conflict", "expected"),
        [
            ("first", {"0>1", "2>1", "2-3"}),
            ("overwrite", {"0>1", "1>2", "3>2"}),
            ("undirected", {"0>1", "1-2", "3>2"}),
            ("bidirected", {"0>1", "1-2", "3>2"}),
        ],
    )
    def test_two_colliders(self, conflict, expected):
        found = orient(self.PATH, self.COLLIDERS, conflict=conflict)
        assert marks(found.adjacency) == expected
        listed = [(1, 2, conflict)] if conflict in IN_ANY_ORDER else []
        assert found.conflicts == listed

    def test_the_order_of_colliders(self):
        swapped = self.COLLIDERS[::-1]
        first = orient(self.PATH, swapped, conflict="first")
        assert marks(first.adjacency) == {"0-1", "1>2", "3>2"}
        for conflict in IN_ANY_ORDER:
            results = [orient(self.PATH, c, conflict=conflict) for c in (self.COLLIDERS, swapped)]
            assert marks(results[0].adjacency) == marks(results[1].adjacency)
            assert results[0].conflicts == results[1].conflicts

    def test_a_locked_edge_is_used_by_no_rule(self):
        # 2 -> 4 follows from 3 -> 2; from 0 -> 1 and the locked 1 - 2 nothing does.
        adjacent = skeleton(5, [(0, 1), (1, 2), (2, 3), (2, 4)])
        found = orient(adjacent, [*self.COLLIDERS], conflict="undirected")
        assert marks(found.adjacency) == {"0>1", "1-2", "3>2", "2>4"}
        found = orient(adjacent, [*self.COLLIDERS], [(3, 2, 4)], conflict="undirected")
        assert marks(found.adjacency) == {"0>1", "1-2", "3>2", "2-4"}

    @pytest.mark.parametrize("conflict", IN_ANY_ORDER)
    def test_a_cycle_of_colliders(self, conflict):
        # A ring 0 .. 3 with a pendant at each node: each collides with the node before.
        ring = [(k, (k + 1) % 4) for k in range(4)]
        adjacent = skeleton(8, ring + [(k, k + 4) for k in range(4)])
        colliders = [(*sorted(((k - 1) % 4, k + 4)), k) for k in range(4)]
        found = orient(adjacent, [(x, y, z) for x, z, y in colliders], conflict=conflict)
        assert found.conflicts == sorted((*sorted(pair), "undirected") for pair in ring)
        pendants = {"4>0", "5>1", "6>2", "7>3"}
        assert marks(found.adjacency) == pendants | {"0-1", "1-2", "2-3", "0-3"}
        cyclic = orient(adjacent, [(x, y, z) for x, z, y in colliders], conflict="first")
        assert not nx.is_directed_acyclic_graph(nx.DiGraph(cyclic.adjacency))

    def test_rules_that_want_both_directions(self):
        # 0 -> 1 - 2 <- 3, and neither 1 nor 2 is a collider.
        constraints = BackgroundKnowledge(required=[(0, 1), (3, 2)]).resolve(4)
        found = orient(self.PATH, [], conflict="bidirected", constraints=constraints)
        assert found.conflicts == [(1, 2, "undirected")]
        assert marks(found.adjacency) == {"0>1", "1-2", "3>2"}


class TestTriples:
    """Which triples are colliders."""

    PATH = skeleton(3, [(0, 1), (1, 2)])

    @pytest.mark.parametrize(
        ("sepset", "share", "expected"),
        [
            ((), None, "collider"),
            ((1,), None, "other"),
            ((), np.nan, "collider"),
            ((1,), np.nan, "other"),
            ((1,), 0.0, "collider"),
            ((1,), 0.49, "collider"),
            ((), 0.5, "ambiguous"),
            ((), 0.51, "other"),
            ((), 1.0, "other"),
            (None, 0.0, "ambiguous"),
            (None, None, "ambiguous"),
        ],
    )
    def test_verdicts(self, sepset, share, expected):
        sepsets = {} if sepset is None else {(0, 2): sepset}
        shares = None if share is None else {(0, 1, 2): share}
        colliders, ambiguous = judge_triples(self.PATH, sepsets, shares)
        assert colliders == [(0, 1, 2)] * (expected == "collider")
        assert ambiguous == [(0, 1, 2)] * (expected == "ambiguous")

    @given(problem=problems(knowledge=False))
    def test_all_unshielded_triples_are_judged_in_order(self, problem):
        adjacent = problem[0]
        pairs = dict.fromkeys(combinations(range(len(adjacent)), 2), ())
        assert judge_triples(adjacent, pairs) == (unshielded(adjacent), [])
        assert judge_triples(adjacent, {}) == ([], unshielded(adjacent))


class TestMeeksRules:
    """Each rule alone, on the graph it is drawn with in the paper."""

    @pytest.mark.parametrize(
        ("directed", "undirected", "expected"),
        [
            ([(0, 1)], [(1, 2)], {"0>1", "1>2"}),
            ([(0, 1), (1, 2)], [(0, 2)], {"0>1", "1>2", "0>2"}),
            ([(1, 3), (2, 3)], [(0, 1), (0, 2), (0, 3)], {"1>3", "2>3", "0-1", "0-2", "0>3"}),
            ([(1, 2), (2, 3)], [(0, 1), (0, 2), (0, 3)], {"1>2", "2>3", "0-1", "0-2", "0>3"}),
        ],
    )
    def test_rules(self, directed, undirected, expected):
        adjacent = skeleton(4, directed + undirected)
        pattern = np.zeros((4, 4), dtype=bool)
        pattern[tuple(np.transpose(directed))] = True
        graph = as_graph(adjacent, pattern)
        close_in_rounds(graph, fourth=True)
        assert marks(as_adjacency(graph)) == expected

    def test_the_fourth_rule_is_off_without_knowledge(self):
        adjacent = skeleton(4, [(1, 2), (2, 3), (0, 1), (0, 2), (0, 3)])
        pattern = np.zeros((4, 4), dtype=bool)
        pattern[1, 2] = pattern[2, 3] = True
        graph = as_graph(adjacent, pattern)
        close_in_rounds(graph)
        assert "0-3" in marks(as_adjacency(graph))

    @pytest.mark.parametrize("fourth", [False, True])
    def test_ambiguous_triples_are_skipped(self, fourth):
        # By rules 1, 3 and 4 in turn; the middle is 1, 0 and 0.
        cases = [
            ([(0, 1)], [(1, 2)], (0, 1, 2)),
            ([(1, 3), (2, 3)], [(0, 1), (0, 2), (0, 3)], (1, 0, 2)),
            ([(1, 2), (2, 3)], [(0, 1), (0, 2), (0, 3)], (1, 0, 3)),
        ]
        for directed, undirected, triple in cases:
            adjacent = skeleton(4, directed + undirected)
            pattern = np.zeros((4, 4), dtype=bool)
            pattern[tuple(np.transpose(directed))] = True
            graph = as_graph(adjacent, pattern)
            close_in_rounds(graph, {triple}, fourth=fourth)
            assert (as_adjacency(graph) == adjacent & ~pattern.T).all()


def test_locked_edges_are_those_on_cycles_only():
    graph = as_graph(skeleton(5, [(0, 1), (1, 2), (0, 2), (2, 3), (3, 4)]))
    both, cyclic = direct_at_once(graph, {(0, 1), (1, 2), (2, 0), (2, 3), (3, 4), (4, 3)})
    assert (both, cyclic) == ({(3, 4)}, {(0, 1), (1, 2), (0, 2)})
    assert marks(as_adjacency(graph)) == {"0-1", "1-2", "0-2", "2>3", "3-4"}
    assert graph.undirected == [set()] * 5


class TestKnowledge:
    """Knowledge comes before colliders, and is not undone."""

    PATH = skeleton(3, [(0, 1), (1, 2)])

    @pytest.mark.parametrize("conflict", CONFLICTS)
    @pytest.mark.parametrize("how", [{"required": [(1, 0)]}, {"forbidden": [(0, 1)]}])
    def test_a_collider_against_knowledge(self, conflict, how):
        constraints = BackgroundKnowledge(**how).resolve(3)
        found = orient(self.PATH, [(0, 1, 2)], conflict=conflict, constraints=constraints)
        # "first" leaves the collider out; then nothing is known of 1 - 2.
        expected = {"1>0", "1-2"} if conflict == "first" else {"1>0", "2>1"}
        assert (marks(found.adjacency), found.conflicts) == (expected, [])

    @pytest.mark.parametrize("conflict", CONFLICTS)
    def test_forbidden_edges_on_a_cycle(self, conflict):
        triangle = skeleton(3, [(0, 1), (1, 2), (0, 2)])
        knowledge = BackgroundKnowledge(forbidden=[(1, 0), (2, 1), (0, 2)]).resolve(3)
        found = orient(triangle, [], conflict=conflict, constraints=knowledge)
        assert found.conflicts == [(i, j, "undirected") for i, j in ((0, 1), (0, 2), (1, 2))]
        assert marks(found.adjacency) == {"0-1", "1-2", "0-2"}

    @given(seed=st.integers(0, 2**32 - 1), d=st.integers(2, 5))
    def test_completion_keeps_all_members_of_a_class(self, seed, d):
        """Edges directed are those that all DAGs of the class agree on that obey the knowledge."""
        rng = np.random.default_rng(seed)
        dag = np.triu(rng.random((d, d)) < rng.uniform(0.3, 0.9), 1)
        members = members_of_class(dag)
        known = dag & (rng.random((d, d)) < 0.3)
        constraints = BackgroundKnowledge(forbidden=known.T).resolve(d)
        obeying = [other for other in members if not (other & known.T).any()]
        found = complete(cpdag(dag).toarray() != 0, constraints)
        assert found.conflicts == []
        np.testing.assert_array_equal(found.adjacency, np.any(obeying, axis=0))


def members_of_class(dag):
    """All DAGs with the skeleton and the colliders of this one, from all orders of the nodes."""
    adjacent = dag | dag.T
    triples = unshielded(adjacent)
    expected = [dag[x, y] and dag[z, y] for x, y, z in triples]
    members = {}
    for ranks in permutations(range(len(dag))):
        rank = np.array(ranks)
        graph = adjacent & (rank[:, None] < rank)
        if [graph[x, y] and graph[z, y] for x, y, z in triples] == expected:
            members[graph.tobytes()] = graph
    return list(members.values())
