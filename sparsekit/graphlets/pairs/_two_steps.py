"""What each node sees over paths of two steps.

For a node u and a node w at distance two, sums over the paths u - c - w and the number of edges
between the nodes c. Kernels keep all nodes that they meet in one list, and what is known of them in
rows of one table: position 1 is u, then come its d neighbours, and from d + 2 on the others, in no
particular order.
"""

import numpy as np

from sparsekit.core.bits import n_words, popcount
from sparsekit.core.jit import kernel

__all__ = [
    "EDGES",
    "FARTHER",
    "MIDDLES",
    "NEARER",
    "N_SUMS",
    "PATHS",
    "count_steps",
    "forget",
    "room_for",
]

# Columns of the sums over paths u - c - w, besides EDGES.
PATHS = 0  # how many there are
MIDDLES = 1  # other neighbours of c
NEARER = 2  # triangles on the edge u - c
FARTHER = 3  # triangles on the edge c - w
EDGES = 4  # edges between the nodes c
_STAMP = 5
N_SUMS = 6

_ONE = np.uint64(1)


@kernel(inner=True)
def room_for(lo, hi, indptr, indices):
    """Number of rows that `count_steps` needs for the nodes of this range; an upper bound."""
    most = 0
    for u in range(lo, hi):
        reached = 1
        for slot in range(indptr[u], indptr[u + 1]):
            c = indices[slot]
            reached += indptr[c + 1] - indptr[c]  # c itself in place of u
        most = max(most, reached)
    return min(most, indptr.size - 1) + 1


@kernel(inner=True)
def _visit(u, indptr, indices, triangles, position, seen, sums):
    """Meet all nodes and sum over paths; return one more than the number of nodes."""
    position[u], seen[1] = 1, u
    n_seen = 2
    for slot in range(indptr[u], indptr[u + 1]):
        position[indices[slot]], seen[n_seen] = n_seen, indices[slot]
        n_seen += 1
    for i in range(1, n_seen):
        for column in range(N_SUMS):
            sums[i, column] = 0
    for slot in range(indptr[u], indptr[u + 1]):
        c, nearer = indices[slot], triangles[slot]
        others = indptr[c + 1] - indptr[c] - 2
        for step in range(indptr[c], indptr[c + 1]):
            w = indices[step]
            i = position[w]
            if i == 0:
                i = n_seen
                position[w], seen[i] = i, w
                for column in range(N_SUMS):
                    sums[i, column] = 0
                n_seen += 1
            sums[i, PATHS] += 1
            sums[i, MIDDLES] += others
            sums[i, NEARER] += nearer
            sums[i, FARTHER] += triangles[step]
    return n_seen


@kernel(inner=True)
def _edges_by_bits(u, n_blocks, n_seen, indptr, indices, triangles, position, sums):
    """Meet the neighbours of u one by one, each with its edges to those before it.

    Only members count: neighbours of u in triangles with it. They are taken in blocks of 64; `met`
    holds for each node the members of the block next to it, `bit` for each member its own bit.
    Neighbours of u are counted for like other nodes, in vain: a branch would cost more.
    """
    met, bit = np.empty(n_seen, np.uint64), np.empty(n_seen, np.uint64)
    for block in range(n_blocks):
        for i in range(n_seen):
            met[i] = bit[i] = 0
        n, start = -1, block << 6
        for slot in range(indptr[u], indptr[u + 1]):
            n += triangles[slot] > 0
            if triangles[slot] == 0 or n < start:
                continue
            c, row = indices[slot], np.uint64(0)
            for step in range(indptr[c], indptr[c + 1]):
                row |= bit[position[indices[step]]]
            if row != 0:
                for step in range(indptr[c], indptr[c + 1]):
                    i = position[indices[step]]
                    sums[i, EDGES] += popcount(row & met[i])
            if n < start + 64:
                bit[position[c]] = own = _ONE << np.uint64(n - start)
                for step in range(indptr[c], indptr[c + 1]):
                    met[position[indices[step]]] |= own


@kernel(inner=True)
def _edges_by_walks(u, indptr, indices, triangles, position, sums):
    """Walk from both ends of each edge between neighbours of u, from the one of lower degree last.

    Stamps tell where the walk from the other end has led.
    """
    first = indptr[u + 1] - indptr[u] + 2
    for slot in range(indptr[u], indptr[u + 1]):
        if triangles[slot] == 0:
            continue
        c = indices[slot]
        d_c = indptr[c + 1] - indptr[c]
        for step in range(indptr[c], indptr[c + 1]):
            sums[position[indices[step]], _STAMP] = slot + 1
        for step in range(indptr[c], indptr[c + 1]):
            b = indices[step]
            d_b = indptr[b + 1] - indptr[b]
            i = position[b]
            if i == 1 or i >= first or d_b > d_c or (d_b == d_c and b > c):
                continue
            for last in range(indptr[b], indptr[b + 1]):
                i = position[indices[last]]
                if i >= first and sums[i, _STAMP] == slot + 1:
                    sums[i, EDGES] += 1


@kernel(inner=True)
def _count_edges(u, n_seen, indptr, indices, triangles, position, sums):
    n_members = n_paths = n_walks = 0
    for slot in range(indptr[u], indptr[u + 1]):
        if triangles[slot] > 0:
            c = indices[slot]
            n_members += 1
            n_paths += indptr[c + 1] - indptr[c]
            n_walks += triangles[slot] * (indptr[c + 1] - indptr[c]) // 2
    if n_members == 0:
        return
    n_blocks = n_words(n_members)
    # Steps of either kind take about as long. Where neighbours of u are densely linked bits win by
    # far (8 times on a geometric graph of degree 50), where they hardly are walks do.
    if (n_seen + n_paths) * n_blocks < n_walks:
        _edges_by_bits(u, n_blocks, n_seen, indptr, indices, triangles, position, sums)
    else:
        _edges_by_walks(u, indptr, indices, triangles, position, sums)


@kernel(inner=True)
def count_steps(u, indptr, indices, triangles, position, seen, sums):
    """Fill `sums` for all nodes within two steps of u.

    Parameters
    ----------
    u : int
    indptr, indices, triangles : ndarray
        The graph, and the number of triangles on each edge. If these are all 0 so are the sums
        that depend on them; PATHS and MIDDLES hold all the same.
    position : ndarray of shape (n_nodes,), int32
        Comes as zeros; written to.
    seen : ndarray of shape (room,), int32
        Written to: nodes by their position, from 1 on. For the room see `room_for`.
    sums : ndarray of shape (room, N_SUMS), int64
        Written to: sums by position. At those of neighbours only PATHS holds; the other columns are
        left half summed up and must not be read.

    Returns
    -------
    int
        One more than the number of nodes.
    """
    n_seen = _visit(u, indptr, indices, triangles, position, seen, sums)
    _count_edges(u, n_seen, indptr, indices, triangles, position, sums)
    return n_seen


@kernel
def forget(seen, n_seen, position):
    """Set the positions of all nodes that were seen back to 0."""
    for i in range(1, n_seen):
        position[seen[i]] = 0
