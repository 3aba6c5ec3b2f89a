"""Slow, obvious references for causal graphs, independent of sparsekit.

Everything is enumerated: walks, paths, directions of edges. Graphs are dense matrices with the edge
i -> j at [i, j], of which only the pattern of non-zeros matters. Nothing here may import sparsekit.
"""

from itertools import combinations, pairwise, permutations, product

import networkx as nx
import numpy as np


def edges_of(A):
    """Pairs (i, j) with an edge i -> j."""
    return {(int(i), int(j)) for i, j in np.argwhere(np.asarray(A) != 0)}


def parents_of(A, node):
    return {i for i, j in edges_of(A) if j == node}


def is_acyclic(A):
    return nx.is_directed_acyclic_graph(nx.DiGraph((np.asarray(A) != 0).astype(int)))


def random_dag(n_nodes, density, rng):
    """Weighted DAG whose nodes are numbered at random."""
    weights = rng.uniform(0.5, 2, (n_nodes, n_nodes)) * rng.choice([-1, 1], (n_nodes, n_nodes))
    ordered = np.triu(weights * (rng.random((n_nodes, n_nodes)) < density), k=1)
    names = rng.permutation(n_nodes)
    A = np.zeros_like(ordered)
    A[np.ix_(names, names)] = ordered
    return A


def first_topological_order(A):
    """Lexicographically first of the permutations in which all edges point forward."""
    n = len(A)
    for order in permutations(range(n)):
        if all(order.index(i) < order.index(j) for i, j in edges_of(A)):
            return list(order)
    raise ValueError("cyclic")


def walks_of_length(A, k):
    """Pairs (i, j) with a directed walk of exactly k edges, from their numbers."""
    return edges_of(np.linalg.matrix_power((np.asarray(A) != 0).astype(float), k))


def descendants(A, node):
    """Nodes that a directed walk from `node` comes to, itself included."""
    return {node} | {j for k in range(1, len(A)) for i, j in walks_of_length(A, k) if i == node}


def varsortability(variances, A):
    scores = []
    for k in range(1, len(A)):
        for i, j in walks_of_length(A, k):
            ratio = variances[j] / variances[i]
            scores.append(0.5 if abs(ratio - 1) <= 1e-9 else float(ratio > 1))
    return float(np.mean(scores)) if scores else float("nan")


def state(A, i, j):
    """Edge between i and j: whether there is i -> j, whether there is j -> i."""
    return bool(A[i, j]), bool(A[j, i])


def structural_hamming_distance(A, B):
    return sum(state(A, i, j) != state(B, i, j) for i, j in combinations(range(len(A)), 2))


def v_structures(A):
    """Triples i -> k <- j of which i and j are not adjacent."""
    edges = edges_of(A)
    adjacent = edges | {(j, i) for i, j in edges}
    return {
        (i, k, j)
        for i, k in edges
        for j, other in edges
        if other == k and i < j and (i, j) not in adjacent
    }


def equivalent_dags(A):
    """All DAGs with the same adjacent pairs and the same v-structures."""
    pairs = sorted({tuple(sorted(edge)) for edge in edges_of(A)})
    for flips in product([False, True], repeat=len(pairs)):
        B = np.zeros(np.shape(A), dtype=bool)
        for (i, j), flip in zip(pairs, flips, strict=True):
            B[(j, i) if flip else (i, j)] = True
        if is_acyclic(B) and v_structures(B) == v_structures(A):
            yield B


def cpdag(A):
    """Union of all equivalent DAGs."""
    return np.logical_or.reduce(list(equivalent_dags(A)))


def is_open(A, path, given):
    """Whether a path, as a list of nodes, is open given a set of nodes."""
    edges = edges_of(A)
    for before, node, after in zip(path, path[1:], path[2:], strict=False):
        is_collider = (before, node) in edges and (after, node) in edges
        if is_collider and not descendants(A, node) & given:
            return False
        if not is_collider and node in given:
            return False
    return True


def is_valid_adjustment(A, i, j, given):
    """Criterion for adjustment, path by path."""
    edges = edges_of(A)
    skeleton = nx.Graph([*edges])
    skeleton.add_nodes_from(range(len(A)))
    for path in nx.all_simple_paths(skeleton, i, j):
        if all(step in edges for step in pairwise(path)):
            if any(descendants(A, node) & given for node in path[1:]):
                return False
        elif is_open(A, path, given):
            return False
    return True


def structural_intervention_distance(A, B):
    """Number of pairs whose effect is wrong if the parents in B are adjusted for."""
    wrong = 0
    for i, j in permutations(range(len(A)), 2):
        given = parents_of(B, i)
        if j in given:
            wrong += j in descendants(A, i)
        else:
            wrong += not is_valid_adjustment(A, i, j, given)
    return wrong


def wrong_linear_effects(W, B):
    """The same from numbers: total effects in a linear model with weights W, against regressions.

    The effect of i on j is inferred as the coefficient of i if j is regressed, in the population,
    on i and the parents of i in B.
    """
    d = len(W)
    total = np.linalg.inv(np.eye(d) - W)
    covariance = total.T @ total
    wrong = 0
    for i, j in permutations(range(d), 2):
        given = sorted(parents_of(B, i))
        if j in given:
            inferred = 0.0
        else:
            regressors = [i, *given]
            gram = covariance[np.ix_(regressors, regressors)]
            inferred = np.linalg.solve(gram, covariance[regressors, j])[0]
        wrong += abs(inferred - total[i, j]) > 1e-9 * (1 + abs(total[i, j]))
    return wrong
