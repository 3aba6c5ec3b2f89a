"""Slow, obvious references for graphlets, independent of sparsekit.

Everything is enumerated: all connected sets of at most five nodes, all edge sets on them, all ways
to lay a graphlet over them. No closed form stands here. Graphs are dense matrices, of which only
the pattern of non-zeros off the diagonal matters. Nothing here may import sparsekit.
"""

from functools import cache
from itertools import combinations, permutations

import numpy as np
from naive import neighbours

# The published graphlets: edges, orbits of nodes 0, 1, ..., orbits of the edges as written.
GRAPHLETS = [
    (edges.split(), [int(o) for o in nodes.split()], [int(o) for o in on_edges.split()])
    for edges, nodes, on_edges in [
        ("01", "0 0", "-1"),
        ("01 02", "2 1 1", "0 0"),
        ("01 02 12", "3 3 3", "1 1 1"),
        ("01 02 13", "5 5 4 4", "3 2 2"),
        ("01 02 03", "7 6 6 6", "4 4 4"),
        ("01 02 13 23", "8 8 8 8", "5 5 5 5"),
        ("01 02 03 12", "11 10 10 9", "8 8 6 7"),
        ("01 02 03 12 13", "13 13 12 12", "10 9 9 9 9"),
        ("01 02 03 12 13 23", "14 14 14 14", "11 11 11 11 11 11"),
        ("01 02 13 24", "17 16 16 15 15", "13 13 12 12"),
        ("01 02 03 14", "21 20 19 19 18", "16 15 15 14"),
        ("01 02 03 04", "23 22 22 22 22", "17 17 17 17"),
        ("01 02 03 12 14", "26 26 25 24 24", "20 19 18 19 18"),
        ("01 02 03 12 34", "30 29 29 28 27", "24 24 22 23 21"),
        ("01 02 03 04 12", "33 32 32 31 31", "27 27 25 25 26"),
        ("01 02 13 24 34", "34 34 34 34 34", "28 28 28 28 28"),
        ("01 02 03 14 24", "38 37 37 35 36", "31 31 29 30 30"),
        ("01 02 03 04 12 13", "42 41 40 40 39", "35 34 34 32 33 33"),
        ("01 02 03 04 12 34", "44 43 43 43 43", "37 37 37 37 36 36"),
        ("01 02 03 12 13 24", "48 48 47 46 45", "41 40 39 40 39 38"),
        ("01 02 03 14 24 34", "50 49 49 49 50", "42 42 42 42 42 42"),
        ("01 02 03 12 14 34", "53 53 52 51 51", "46 45 44 45 44 43"),
        ("01 02 03 04 12 13 14", "55 55 54 54 54", "48 47 47 47 47 47 47"),
        ("01 02 03 04 12 13 23", "58 57 57 57 56", "51 51 51 49 50 50 50"),
        ("01 02 03 04 12 13 24", "61 60 60 59 59", "55 55 53 53 54 52 52"),
        ("01 02 03 12 13 24 34", "64 64 63 63 62", "58 57 57 57 57 56 56"),
        ("01 02 03 04 12 13 14 23", "67 67 66 66 65", "62 61 61 59 61 61 59 60"),
        ("01 02 03 04 12 13 24 34", "69 68 68 68 68", "64 64 64 64 63 63 63 63"),
        ("01 02 03 04 12 13 14 23 24", "71 71 71 70 70", "66 66 65 65 66 65 65 65 65"),
        ("01 02 03 04 12 13 14 23 24 34", "72 72 72 72 72", "67 67 67 67 67 67 67 67 67 67"),
    ]
]
N_GRAPHLETS = {4: 9, 5: 30}
N_NODE_ORBITS = {4: 15, 5: 73}
N_EDGE_ORBITS = {4: 12, 5: 68}
CORRELATED = [0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11]


def edge_list(graphlet):
    """Edges of a graphlet as pairs of its nodes, the smaller first."""
    return [(int(edge[0]), int(edge[1])) for edge in GRAPHLETS[graphlet][0]]


def n_nodes_of(graphlet):
    return len(GRAPHLETS[graphlet][1])


def graphlet_matrix(graphlet):
    """Dense adjacency of a graphlet."""
    A = np.zeros((n_nodes_of(graphlet),) * 2)
    for a, b in edge_list(graphlet):
        A[a, b] = A[b, a] = 1
    return A


def _placements():
    """All ways to lay a graphlet over k positions.

    {(k, edges between positions): (graphlet, [graphlet node at each position, ...])}
    """
    found = {}
    for graphlet in range(len(GRAPHLETS)):
        k = n_nodes_of(graphlet)
        for nodes in permutations(range(k)):
            position = {node: i for i, node in enumerate(nodes)}
            edges = frozenset(
                (min(position[a], position[b]), max(position[a], position[b]))
                for a, b in edge_list(graphlet)
            )
            found.setdefault((k, edges), (graphlet, []))[1].append(nodes)
    return found


PLACEMENTS = _placements()


def connected_sets(A, max_nodes):
    """All sets of 2 .. max_nodes nodes that are connected in the graph, as sorted tuples."""
    near = neighbours(A)
    found = []
    current = {(v,) for v in range(len(near))}
    for _ in range(max_nodes - 1):
        current = {
            tuple(sorted((*nodes, w)))
            for nodes in current
            for w in set().union(*(near[v] for v in nodes)) - set(nodes)
        }
        found.extend(sorted(current))
    return found


def induced_subgraphs(A, max_nodes):
    """Pairs (nodes, edges between positions in nodes) of all connected induced subgraphs."""
    near = neighbours(A)
    for nodes in connected_sets(A, max_nodes):
        pairs = combinations(range(len(nodes)), 2)
        yield nodes, frozenset((i, j) for i, j in pairs if nodes[j] in near[nodes[i]])


@cache
def graphlets_on(k, edges, induced):
    """Graphlets laid over all k positions: the one of all edges, or one a connected edge set."""
    if induced:
        return [(edges, *PLACEMENTS[k, edges])]
    subsets = (frozenset(part) for size in range(k - 1, 11) for part in combinations(edges, size))
    return [(part, *PLACEMENTS[k, part]) for part in subsets if (k, part) in PLACEMENTS]


@cache
def orbits_at_positions(k, edges, induced):
    """Count how often each position (row) sits on each node orbit (column)."""
    counts = np.zeros((k, 73), dtype=np.int64)
    for _, graphlet, placements in graphlets_on(k, edges, induced):
        for i in range(k):
            counts[i, GRAPHLETS[graphlet][1][placements[0][i]]] += 1
    return counts


@cache
def orbits_at_pairs(k, edges, induced):
    """Count {(i, j): how often that pair of positions sits on each edge orbit}."""
    counts = {edge: np.zeros(68, dtype=np.int64) for edge in edges}
    for part, graphlet, placements in graphlets_on(k, edges, induced):
        on_edges = dict(zip(edge_list(graphlet), GRAPHLETS[graphlet][2], strict=True))
        for i, j in part if k > 2 else ():
            a, b = sorted((placements[0][i], placements[0][j]))
            counts[i, j][on_edges[a, b]] += 1
    return counts


def node_orbits(A, max_nodes=4, induced=True):
    """Orbit counts of all nodes, (n, 15 | 73)."""
    counts = np.zeros((len(A), 73), dtype=np.int64)
    for nodes, edges in induced_subgraphs(A, max_nodes):
        counts[list(nodes)] += orbits_at_positions(len(nodes), edges, induced)
    return counts[:, : N_NODE_ORBITS[max_nodes]]


def upper_edges(A):
    """Edges (u, v) with u < v, sorted."""
    near = neighbours(A)
    return [(u, v) for u in range(len(near)) for v in sorted(near[u]) if u < v]


def edge_orbits(A, max_nodes=4, induced=True):
    """Orbit counts of all edges, (m, 12 | 68), in the order of `upper_edges`."""
    row = {edge: i for i, edge in enumerate(upper_edges(A))}
    counts = np.zeros((len(row), 68), dtype=np.int64)
    for nodes, edges in induced_subgraphs(A, max_nodes):
        for (i, j), orbits in orbits_at_pairs(len(nodes), edges, induced).items():
            counts[row[nodes[i], nodes[j]]] += orbits
    return counts[:, : N_EDGE_ORBITS[max_nodes]]


def graphlet_counts(A, max_nodes=4):
    """Number of occurrences of each graphlet, (9 | 30,)."""
    counts = np.zeros(30, dtype=np.int64)
    for nodes, edges in induced_subgraphs(A, max_nodes):
        counts[PLACEMENTS[len(nodes), edges][0]] += 1
    return counts[: N_GRAPHLETS[max_nodes]]


def distances(A):
    """Path lengths between all nodes of a connected graph: first power with an entry."""
    reached = np.eye(len(A), dtype=bool)
    length = np.zeros(A.shape, dtype=int)
    for step in range(1, len(A)):
        further = (reached @ (A != 0)) | reached
        length[further & ~reached] = step
        reached = further
    return length


@cache
def _graphlet_distances(graphlet):
    return distances(graphlet_matrix(graphlet))


def pair_orbits(max_nodes=4):
    """All keys (orbit_u, orbit_v, distance inside the graphlet), sorted."""
    keys = set()
    for graphlet in range(N_GRAPHLETS[max_nodes]):
        orbit, length = GRAPHLETS[graphlet][1], _graphlet_distances(graphlet)
        for a, b in permutations(range(len(orbit)), 2):
            keys.add((orbit[a], orbit[b], int(length[a, b])))
    return sorted(keys)


def orbit_adjacencies(A, max_nodes=4):
    """All dense orbit adjacencies {(orbit_u, orbit_v, hop): (n, n)}, 28 or 190 of them."""
    result = {key: np.zeros((len(A),) * 2, dtype=np.int64) for key in pair_orbits(max_nodes)}
    for nodes, edges in induced_subgraphs(A, max_nodes):
        graphlet, placements = PLACEMENTS[len(nodes), edges]
        orbit, length = GRAPHLETS[graphlet][1], _graphlet_distances(graphlet)
        for (i, a), (j, b) in permutations(enumerate(placements[0]), 2):
            result[orbit[a], orbit[b], int(length[a, b])][nodes[i], nodes[j]] += 1
    return result


def with_new_node(A, row):
    """Graph in which one more node, the last, has the given edges."""
    larger = np.zeros((len(A) + 1,) * 2)
    larger[:-1, :-1] = A
    larger[-1, :-1] = larger[:-1, -1] = np.asarray(row) != 0
    return larger


def new_node_orbits(A, rows, max_nodes=4, induced=True):
    """Orbit counts of new nodes, each added alone."""
    counts = [node_orbits(with_new_node(A, row), max_nodes, induced)[-1] for row in rows]
    return np.array(counts, dtype=np.int64).reshape(-1, N_NODE_ORBITS[max_nodes])


def left_side(A, equation):
    """Left side of an entry of "node_equations", for every node.

    Sum over occurrences of the graphlet with x at the root, over the images in it, of their common
    neighbours less the cn that lie in the occurrence itself.
    """
    near = neighbours(A)
    total = np.zeros(len(A), dtype=np.int64)
    for nodes, edges in induced_subgraphs(A, n_nodes_of(equation["graphlet"])):
        graphlet, placements = PLACEMENTS[len(nodes), edges]
        if graphlet != equation["graphlet"]:
            continue
        for i, x in enumerate(nodes):
            rooted = [placed for placed in placements if placed[i] == equation["root"]]
            for image in equation["images"] if rooted else ():
                places = [near[nodes[rooted[0].index(node)]] for node in image]
                total[x] += len(set.intersection(*places)) - equation["cn"]
    return total


def left_side_of_edges(A, equation):
    """Left side of an entry of "edge_equations", for every edge of `upper_edges`."""
    near = neighbours(A)
    row = {edge: i for i, edge in enumerate(upper_edges(A))}
    total = np.zeros(len(row), dtype=np.int64)
    for nodes, edges in induced_subgraphs(A, n_nodes_of(equation["graphlet"])):
        graphlet, placements = PLACEMENTS[len(nodes), edges]
        if graphlet != equation["graphlet"]:
            continue
        for i, j in edges:
            root = sorted(equation["root"])
            rooted = [placed for placed in placements if sorted((placed[i], placed[j])) == root]
            for image in equation["images"] if rooted else ():
                places = [near[nodes[rooted[0].index(node)]] for node in image]
                total[row[nodes[i], nodes[j]]] += len(set.intersection(*places)) - equation["cn"]
    return total


def affecting_orbits():
    """Count the orbits that a node on orbit i takes in connected parts of its own graphlet."""
    counts = {}
    for graphlet in range(30):
        rows = node_orbits(graphlet_matrix(graphlet), 5)
        for node, orbit in enumerate(GRAPHLETS[graphlet][1]):
            counts[orbit] = int(np.count_nonzero(rows[node]))
    return [counts[orbit] for orbit in range(73)]


def graphlet_degree_similarity(X, Y):
    """Similarity of count rows, (n_x, n_y)."""
    n_orbits = len(X[0])
    weight = [1 - np.log(a) / np.log(73) for a in affecting_orbits()[:n_orbits]]
    result = np.zeros((len(X), len(Y)))
    for i, x in enumerate(X):
        for j, y in enumerate(Y):
            distance = 0.0
            for orbit in range(n_orbits):
                a, b = float(x[orbit]), float(y[orbit])
                step = abs(np.log(a + 1) - np.log(b + 1)) / np.log(max(a, b) + 2)
                distance += weight[orbit] * step
            result[i, j] = 1 - distance / sum(weight)
    return result


def average_ranks(values):
    values = np.asarray(values)
    return np.array([np.sum(values < v) + (np.sum(values == v) + 1) / 2 for v in values])


def graphlet_correlation_matrix(A):
    """Spearman correlation of eleven orbits, after a row of ones; constant columns correlate 0."""
    counts = np.vstack([node_orbits(A)[:, CORRELATED], np.ones(11, dtype=np.int64)])
    ranks = [average_ranks(column) - (len(counts) + 1) / 2 for column in counts.T]
    result = np.eye(11)
    for i, j in permutations(range(11), 2):
        size = np.sqrt(np.sum(ranks[i] ** 2) * np.sum(ranks[j] ** 2))
        result[i, j] = np.sum(ranks[i] * ranks[j]) / size if size > 0 else 0.0
    return result


def graphlet_correlation_distance(A, B):
    difference = graphlet_correlation_matrix(A) - graphlet_correlation_matrix(B)
    return np.sqrt(sum(difference[i, j] ** 2 for i, j in combinations(range(11), 2)))


def shifted_earth_mover(a, b):
    """Earth mover's distance of two samples, the best over all shifts at which it can kink."""
    first = np.sort(np.repeat(np.asarray(a, dtype=float), len(b)))
    second = np.sort(np.repeat(np.asarray(b, dtype=float), len(a)))
    return min(np.mean(np.abs(first - second - (x - y))) for x in set(a) for y in set(b))


def netemd(A, B, max_nodes=4):
    """Mean over orbits of the shifted distance between values in units of their deviation."""
    distance = []
    for a, b in zip(node_orbits(A, max_nodes).T, node_orbits(B, max_nodes).T, strict=True):
        scaled = [v / np.std(v) if len(set(v.tolist())) > 1 else v / 1 for v in (a, b)]
        distance.append(shifted_earth_mover(scaled[0].tolist(), scaled[1].tolist()))
    return np.mean(distance)


def weighted_counts(X, weighting, row_sums=None, column_sums=None, total=None):
    """PPMI, or counts divided by the root of both marginals; the marginals may be given."""
    rows = X.sum(axis=1) if row_sums is None else row_sums
    columns = X.sum(axis=0) if column_sums is None else column_sums
    total = X.sum() if total is None else total
    V = np.zeros(X.shape)
    for u, v in zip(*np.nonzero(X), strict=True):
        if weighting == "normalized":
            V[u, v] = X[u, v] / np.sqrt(float(rows[u]) * float(columns[v]))
        else:
            V[u, v] = max(0.0, np.log(X[u, v] * float(total) / (float(rows[u]) * columns[v])))
    return V


def all_pairs_matrix(A, weighting="ppmi"):
    """27 weighted orbit adjacencies of unit Frobenius norm, side by side in the order of keys."""
    blocks = []
    for key, X in sorted(orbit_adjacencies(A).items()):
        V = weighted_counts(X, weighting)
        if key != (4, 4, 3) and np.any(V):
            blocks.append(V / np.linalg.norm(V))
    return np.hstack(blocks) if blocks else np.zeros((len(A), 0))


def walk_sums(A, window):
    """Sum of the powers 0 .. window - 1 of the random walk, divided by degree; isolated: 0."""
    pattern = (A != 0) & ~np.eye(len(A), dtype=bool)
    degree = pattern.sum(axis=1)
    inverse = np.diag([1 / d if d > 0 else 0.0 for d in degree])
    P = inverse @ pattern
    return sum(np.linalg.matrix_power(P, r) for r in range(window)) @ inverse, P, degree.sum()


def random_walk_matrix(A, window=10):
    """Matrix that DeepWalk factorises: log max(1, (vol / T) sum_r P^r / d)."""
    sums, P, volume = walk_sums(A, window)
    return np.log(np.maximum(1.0, volume / window * (P @ sums)))


def random_walk_rows(A, rows, window=10):
    """Rows of that matrix for new nodes, of which the fitted nodes know nothing."""
    sums, _, volume = walk_sums(A, window)
    steps = np.array([(row != 0) / max(np.count_nonzero(row), 1) for row in np.asarray(rows)])
    return np.log(np.maximum(1.0, volume / window * (steps @ sums)))
