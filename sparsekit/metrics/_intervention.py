"""Structural intervention distance: conclusions about interventions that a wrong graph gets wrong.

One walk through the true graph for each node i finds all nodes j at once. Adjusting for a set Z of
nodes gives the effect of i on j unless

1. a node of Z descends from a node w, other than i, on a directed path from i to j, or
2. a path from i to j that is not directed is open given Z.

Part 1 holds for all that descend from some w below i and above Z. Part 2 needs no paths: walks on
which the colliders, and no other nodes, are in Z can be followed from edge to edge. They also pass
colliders that are only above Z, down to Z and up again. Where there is such a walk but no such
path, the walk goes down from i to a node w above j and on to a collider: then w is one of part 1.
"""

from typing import Any

import numpy as np

from sparsekit.core.csr import canonical, pack
from sparsekit.core.dag import topological_order
from sparsekit.core.jit import kernel
from sparsekit.metrics._graphs import patterns_of

__all__ = ["structural_intervention_distance"]

# How a walk has come to a node: against an edge, along one, along edges only. The first two are on
# walks that are not directed.
_UP, _DOWN, _DIRECTED = 0, 1, 2


def structural_intervention_distance(true: Any, pred: Any) -> int:
    """Count the effects of interventions that are inferred wrongly from a predicted graph.

    For each pair (i, j) of nodes the predicted graph says how to find the distribution of j under
    an intervention on i: adjust for the parents of i or, if j is one of them, expect no effect. The
    pair counts if that is wrong in the true graph.

    Parameters
    ----------
    true, pred : object
        Directed acyclic graphs with the same nodes: anything that `sparsekit.graph.as_graph` takes.
        Entry [i, j] is the edge i -> j. Weights are ignored. Nodes are matched as in
        `structural_hamming_distance`.

    Returns
    -------
    int
        Between 0 and n_nodes (n_nodes - 1). Not symmetric: 0 if `pred` has all edges of `true`, and
        more.

    Raises
    ------
    TypeError, ValueError
        If an argument is no graph, a weight is not finite, the nodes differ in number or names, or
        a graph is not a DAG. Partially directed graphs are refused, too: they stand for several
        DAGs, each with a distance of its own.

    See Also
    --------
    structural_hamming_distance : Counts wrong edges, also of partially directed graphs.

    Notes
    -----
    The definition is that of Peters and Buehlmann [1]_ with the complete criterion for adjustment
    [2]_. Takes time in the order of n_nodes (n_nodes + n_edges).

    References
    ----------
    .. [1] J. Peters, P. Buehlmann: "Structural intervention distance for evaluating causal graphs",
       Neural Computation 27 (2015), 771-799.
    .. [2] I. Shpitser, T. VanderWeele, J. M. Robins: "On the validity of covariate adjustment for
       estimating causal effects", UAI 2010.

    Examples
    --------
    An additional edge does no harm. A reversed one is wrong for both of its nodes.

    >>> from sparsekit.metrics import structural_intervention_distance
    >>> true = [[0, 1, 0], [0, 0, 1], [0, 0, 0]]
    >>> structural_intervention_distance(true, [[0, 1, 1], [0, 0, 1], [0, 0, 0]])
    0
    >>> structural_intervention_distance(true, [[0, 0, 0], [1, 0, 1], [0, 0, 0]])
    3
    """
    expected, predicted = patterns_of(true, pred)
    for argument, graph in (("true", expected), ("pred", predicted)):
        try:
            topological_order(graph)
        except ValueError as error:
            raise ValueError(f"in {argument}: {error}") from None
    children, parents = pack(expected), pack(canonical(expected.T))
    return int(_count_wrong(children, parents, pack(canonical(predicted.T))))


@kernel
def _count_wrong(children, parents, adjusted):
    """Count the wrong pairs; row i of `adjusted` are the parents of i in the predicted graph."""
    n_nodes = children.indptr.size - 1
    stack = np.empty(3 * n_nodes, np.int64)
    n_wrong = 0
    for i in range(n_nodes):
        in_set = np.zeros(n_nodes, np.bool_)
        for slot in range(adjusted.indptr[i], adjusted.indptr[i + 1]):
            in_set[adjusted.indices[slot]] = True
        above_set = in_set.copy()
        _spread(parents, above_set, stack)
        below = np.zeros(n_nodes, np.bool_)
        below[i] = True
        _spread(children, below, stack)
        spoiled = np.zeros(n_nodes, np.bool_)
        for node in range(n_nodes):
            spoiled[node] = node != i and below[node] and above_set[node]
        _spread(children, spoiled, stack)
        reached = _follow_open_walks(children, parents, i, in_set, stack)
        for j in range(n_nodes):
            if in_set[j]:
                n_wrong += below[j]
            elif j != i:
                n_wrong += spoiled[j] or reached[j, _UP] or reached[j, _DOWN]
    return n_wrong


@kernel
def _spread(neighbours, marked, stack):
    """Mark all that can be reached from marked nodes."""
    size = 0
    for node in range(marked.size):
        if marked[node]:
            stack[size] = node
            size += 1
    while size > 0:
        size -= 1
        node = stack[size]
        for slot in range(neighbours.indptr[node], neighbours.indptr[node + 1]):
            other = neighbours.indices[slot]
            if not marked[other]:
                marked[other] = True
                stack[size] = other
                size += 1


@kernel(inner=True)
def _follow_open_walks(children, parents, start, in_set, stack):
    """Nodes that open walks from `start` come to, by the way they come there."""
    reached = np.zeros((in_set.size, 3), np.bool_)
    reached[start] = True  # no walk passes there again
    size = _push_all(parents, start, _UP, reached, stack, 0)
    size = _push_all(children, start, _DIRECTED, reached, stack, size)
    while size > 0:
        size -= 1
        node, way = stack[size] // 3, stack[size] % 3
        if not in_set[node]:
            size = _push_all(children, node, max(way, _DOWN), reached, stack, size)
        if in_set[node] == (way != _UP):
            size = _push_all(parents, node, _UP, reached, stack, size)
    return reached


@kernel(inner=True)
def _push_all(neighbours, node, way, reached, stack, size):
    """Put the neighbours of a node that were not reached this way before on the stack."""
    for slot in range(neighbours.indptr[node], neighbours.indptr[node + 1]):
        other = neighbours.indices[slot]
        if not reached[other, way]:
            reached[other, way] = True
            stack[size] = 3 * other + way
            size += 1
    return size
