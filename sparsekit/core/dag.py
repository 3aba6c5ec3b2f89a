"""Directed acyclic graphs: causal order, Markov equivalence, agreement of an order with variances.

Entry [i, j] of an adjacency is the edge i -> j; of the weights only zero or not is looked at.
"""

import heapq

import numpy as np
import scipy.sparse as sp

from sparsekit.core.bits import pack_rows, popcount
from sparsekit.core.csr import canonical, pack
from sparsekit.core.jit import kernel

__all__ = ["mark_compelled", "reversible_edges", "topological_order", "varsortability"]

# Variances whose ratio differs from one by no more than this are equal.
_TIE = 1e-9


def topological_order(adjacency: sp.csr_array | np.ndarray) -> np.ndarray:
    """Order nodes so that all edges point forward; of the nodes that may come next, the smallest.

    Parameters
    ----------
    adjacency : csr_array or ndarray of shape (d, d)

    Returns
    -------
    ndarray of shape (d,), intp

    Raises
    ------
    ValueError
        If there is a cycle, naming one.

    Examples
    --------
    >>> import numpy as np
    >>> topological_order(np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]]))
    array([2, 1, 0])
    """
    children = canonical(adjacency)
    indptr, indices = children.indptr.tolist(), children.indices.tolist()
    waiting_for = np.bincount(children.indices, minlength=children.shape[0]).tolist()
    ready = [node for node, count in enumerate(waiting_for) if count == 0]
    order = []
    while ready:  # a heap: sorted lists are heaps
        node = heapq.heappop(ready)
        order.append(node)
        for child in indices[indptr[node] : indptr[node + 1]]:
            waiting_for[child] -= 1
            if waiting_for[child] == 0:
                heapq.heappush(ready, child)
    if len(order) < children.shape[0]:
        cycle = " -> ".join(map(str, _find_cycle(canonical(children.T), waiting_for)))
        raise ValueError(
            f"expected a directed acyclic graph, got one with the cycle {cycle}: remove an edge of "
            "it (two nodes with an undirected edge are such a cycle, too)."
        )
    return np.array(order, dtype=np.intp)


def _find_cycle(parents: sp.csr_array, waiting_for: list[int]) -> list[int]:
    """Walk up from a node that waits, from parent to waiting parent, until a node comes again."""
    node = next(node for node, count in enumerate(waiting_for) if count > 0)
    seen: dict[int, int] = {}
    while node not in seen:
        seen[node] = len(seen)
        above = parents.indices[parents.indptr[node] : parents.indptr[node + 1]]
        node = next(parent for parent in above.tolist() if waiting_for[parent] > 0)
    return [*list(seen)[seen[node] :], node][::-1]


@kernel
def mark_compelled(order, parents, compelled):
    """Mark the edges that have the same direction in all equivalent graphs.

    Chickering's labels, for all edges into a node at once: they depend on the last of its parents.
    """
    indptr, indices = parents.indptr, parents.indices
    rank = np.empty(order.size, np.int64)
    for position in range(order.size):
        rank[order[position]] = position
    parent_of = np.full(order.size, -1, np.int64)
    compels = np.full(order.size, -1, np.int64)
    for node in order:
        first, stop = indptr[node], indptr[node + 1]
        last = -1
        for slot in range(first, stop):
            parent_of[indices[slot]] = node
            if last < 0 or rank[indices[slot]] > rank[last]:
                last = indices[slot]
        if last < 0:
            continue
        n_shared = 0
        n_new = 0
        for slot in range(indptr[last], indptr[last + 1]):
            above = indices[slot]
            if parent_of[above] == node:
                n_shared += 1
            if compelled[slot]:
                compels[above] = node
                n_new += parent_of[above] != node
        # A parent that is not adjacent to the last one collides with it in this node; a compelled
        # edge into the last parent, from where there is none to this node, makes no new collision.
        every = n_new > 0 or n_shared < stop - first - 1
        for slot in range(first, stop):
            compelled[slot] = every or compels[indices[slot]] == node


def reversible_edges(adjacency: sp.csr_array) -> sp.csr_array:
    """Edges that point the other way in some Markov equivalent graph.

    Takes time in the order of nodes and edges, times the largest number of parents at worst.

    Parameters
    ----------
    adjacency : csr_array of shape (d, d)
        Acyclic.

    Returns
    -------
    csr_array of shape (d, d), float64
        Ones at the reversible ones of the edges.

    Raises
    ------
    ValueError
        If there is a cycle.

    References
    ----------
    .. [1] D. M. Chickering: "A transformational characterization of equivalent Bayesian network
       structures", UAI 1995.
    """
    order = topological_order(adjacency)
    parents = canonical(sp.csr_array(adjacency).T)
    compelled = np.zeros(parents.nnz, dtype=np.bool_)
    mark_compelled(order, pack(parents), compelled)
    reversible = sp.csr_array((~compelled, parents.indices, parents.indptr), shape=parents.shape)
    return canonical(reversible.T)


@kernel
def _count_walks(children, walks, longer, smaller, equal, counts):
    """Add the pairs with a walk: all, from smaller to larger variance, between equal ones.

    `walks` are those with a walk of one edge, as bits; on return those with the longest walks.
    """
    n_nodes, n_words_ = walks.shape
    found = True
    while found:
        found = False
        for i in range(n_nodes):
            for word in range(n_words_):
                pairs = walks[i, word]
                longer[i, word] = 0
                if pairs != 0:
                    found = True
                    counts[0] += popcount(pairs)
                    counts[1] += popcount(pairs & smaller[i, word])
                    counts[2] += popcount(pairs & equal[i, word])
            for slot in range(children.indptr[i], children.indptr[i + 1]):
                child = children.indices[slot]
                for word in range(n_words_):
                    longer[i, word] |= walks[child, word]
        walks, longer = longer, walks


def varsortability(variances: np.ndarray, adjacency: sp.csr_array | np.ndarray) -> float:
    """Share of the directed walks, one a pair of nodes and length, that end at a larger variance.

    Takes time in the order of d n_edges / 64 times the number of edges of the longest path.

    Parameters
    ----------
    variances : ndarray of shape (d,), float64
    adjacency : csr_array or ndarray of shape (d, d)
        Acyclic.

    Returns
    -------
    float
        Between 0 and 1; equal variances count one half. NaN without edges.

    Raises
    ------
    ValueError
        If there is a cycle.

    Examples
    --------
    >>> import numpy as np
    >>> varsortability(np.array([1.0, 2.0, 1.5]), np.array([[0, 1, 0], [0, 0, 1], [0, 0, 0]]))
    0.6666666666666666
    """
    children = canonical(adjacency)
    topological_order(children)  # walks on a cycle never end
    change = variances - variances[:, None]
    equal = np.abs(change) <= _TIE * variances[:, None]
    counts = np.zeros(3, dtype=np.int64)
    walks = pack_rows(children.astype(np.bool_).toarray())
    masks = pack_rows((change > 0) & ~equal), pack_rows(equal)
    _count_walks(pack(children), walks, np.empty_like(walks), *masks, counts)
    n_pairs, n_increasing, n_equal = counts.tolist()
    return (n_increasing + n_equal / 2) / n_pairs if n_pairs else float("nan")
