"""The sparse core against scipy and networkx: one hop, and triangles per edge."""

from collections.abc import Iterator
from functools import lru_cache, partial

import networkx as nx
import numpy as np
import scipy.sparse as sp

from benchmarks._measure import alternate, cpu_seconds
from benchmarks._report import Options, Table, count, seconds, times
from sparsekit.core.cliques import triangles_by_slot
from sparsekit.core.csr import multiply, pack
from sparsekit.core.memory import aligned_empty
from sparsekit.core.ordering import order_by_degree
from sparsekit.datasets import make_sbm_graph

TITLE = "Sparse core"

_COPY_BYTES = 2**28


@lru_cache(maxsize=1)
def adjacency_of(n_nodes: int, mean_degree: float, mixing: float = 0.3) -> sp.csr_array:
    """Block model with a power-law tail; its adjacency is canonical."""
    graph, _ = make_sbm_graph(
        n_nodes,
        n_blocks=50,
        mean_degree=mean_degree,
        mixing=mixing,
        exponent=1.5,
        random_state=0,
    )
    return graph.adjacency


def traffic(n_nodes: int, n_entries: int, n_columns: int) -> int:
    """Bytes that one single-precision hop moves if no row of the block is met twice in a cache."""
    return n_entries * (4 * n_columns + 4) + 4 * n_nodes * n_columns


def copy_bandwidth() -> float:
    """Bytes read and written a second by a large copy on one thread."""
    source = np.ones(_COPY_BYTES // 8)
    target = np.zeros_like(source)
    durations = []
    for _ in range(5):
        start = cpu_seconds()
        np.copyto(target, source)
        durations.append(cpu_seconds() - start)
    return 2 * _COPY_BYTES / min(durations)


def triangles(adjacency: sp.csr_array) -> tuple[np.ndarray, np.ndarray]:
    """Triangles per entry of the graph in degree order, and the original number of its nodes."""
    ordered, nodes = order_by_degree(adjacency)
    return triangles_by_slot(ordered), nodes


def scipy_triangles(adjacency: sp.csr_array) -> np.ndarray:
    """Triangles per stored entry, as paths of length two along each edge."""
    counts = ((adjacency @ adjacency) * adjacency).tocsr()
    # Entries without a triangle are missing there: add them with the count 0.
    aligned = counts + adjacency
    aligned.sort_indices()
    return aligned.data.astype(np.int64) - 1


def networkx_triangles(graph: nx.Graph) -> np.ndarray:
    """Triangles per node; networkx has no count per edge."""
    counts = nx.triangles(graph)
    return np.array([counts[node] for node in range(len(graph))])


def _hops(options: Options) -> Iterator[Table]:
    bandwidths = [copy_bandwidth()]
    sparse, dense = (100_000, 20.0), (10_000, 82.6, 0.5)
    cases = [(sparse, 128), (sparse, 32), (dense, 256)]
    cases += [] if options.quick else [(sparse, 512), ((1_000_000, 20.0), 128)]
    rows = []
    for kind, n_columns in cases:
        n_nodes, adjacency = kind[0], adjacency_of(*kind)
        packed, single = pack(adjacency), adjacency.astype(np.float32)
        block = aligned_empty((n_nodes, n_columns), np.float32)
        np.random.default_rng(0).standard_normal(dtype=np.float32, out=block)
        difference = np.abs(multiply(packed, block) - single @ block).max()
        if difference > 1e-4 * np.sqrt(adjacency.indptr.max()):
            raise RuntimeError(f"the products differ by {difference}")
        calls = {"ours": partial(multiply, packed, block), "scipy": partial(single.dot, block)}
        found = alternate(calls, 5 if options.quick else 11)
        ours, peer = found["ours"].cpu, found["scipy"].cpu
        rate = traffic(n_nodes, adjacency.nnz, n_columns) / ours
        sizes = (count(n_nodes), count(adjacency.nnz), str(n_columns))
        timings = (seconds(ours), seconds(peer), times(peer / ours))
        rows.append((*sizes, *timings, f"{ours / adjacency.nnz * 1e9:.1f}", rate))
        bandwidths.append(copy_bandwidth())
    bandwidth = max(bandwidths)  # the least disturbed
    rows = [(*row, f"{rate / 1e9:.1f}", f"{rate / bandwidth:.2f}") for *row, rate in rows]
    columns = ("nodes", "entries", "d", "sparsekit", "scipy", "ratio")
    columns += ("ns / entry", "GB/s", "of copy")
    note = (
        "GB/s: traffic without any reuse, entries x (4 d + 4) + 4 n d bytes, by time; of copy: its "
        f"share of the {bandwidth / 1e9:.0f} GB/s (read and written) of a copy of "
        f"{_COPY_BYTES >> 20} MiB. More than 1 means that caches served neighbours again. U "
        "starts at a cache line, as the blocks of FastRP do."
    )
    yield Table("One product A U, float32, unit weights, CPU time", columns, rows, [note])


def _triangles(options: Options) -> Iterator[Table]:
    sizes = [(5_000, 20.0)] if options.quick else [(20_000, 20.0), (5_000, 80.0)]
    rows = []
    for n_nodes, mean_degree in sizes:
        adjacency = adjacency_of(n_nodes, mean_degree)
        graph = nx.from_scipy_sparse_array(adjacency, edge_attribute=None)
        ours, nodes = triangles(adjacency)
        theirs = scipy_triangles(adjacency[nodes][:, nodes])
        ends = np.repeat(nodes, np.diff(adjacency.indptr)[nodes])
        per_node = np.bincount(ends, ours, minlength=n_nodes) / 2  # each triangle by two edges
        if not (
            np.array_equal(ours, theirs) and np.array_equal(per_node, networkx_triangles(graph))
        ):
            raise RuntimeError("the triangle counts differ")
        calls = {
            "ours": partial(triangles, adjacency),
            "scipy": partial(scipy_triangles, adjacency),
            "networkx": partial(networkx_triangles, graph),
        }
        found = alternate(calls, 3 if options.quick else 5)
        fastest = found["ours"].cpu
        row = [count(n_nodes), count(adjacency.nnz / 2), count(int(ours.sum()) // 6)]
        row += [seconds(fastest), f"{fastest / adjacency.nnz * 2e9:.0f}"]
        for peer in ("scipy", "networkx"):
            row += [seconds(found[peer].cpu), times(found[peer].cpu / fastest)]
        rows.append(row)
    columns = ("nodes", "edges", "triangles", "sparsekit", "ns / edge")
    columns += ("scipy", "ratio", "networkx", "ratio")
    note = "scipy: `(A @ A) * A`. networkx: per node only. The counts were compared and are equal."
    yield Table("Triangles per edge, one thread, CPU time", columns, rows, [note])


def run(options: Options) -> Iterator[str | Table]:
    """Yield the blocks of the page."""
    yield from _hops(options)
    yield from _triangles(options)
