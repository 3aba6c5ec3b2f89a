"""FastRP against the same algorithm on scipy, and against scikit-network: time and memory."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from benchmarks._measure import (
    OtherLoad,
    Timing,
    alternate,
    in_fresh_process,
    memory_can_be_measured,
    peak_extra_bytes,
)
from benchmarks._report import Options, Table, Target, count, seconds, target_table, times
from sparsekit.datasets import make_sbm_graph
from sparsekit.embedding import FastRP

TITLE = "Embedding: time and memory"

SETTINGS = {
    "paper": {"hop_weights": (0, 0, 1, 6.67), "beta": -0.64},
    "defaults": {"hop_weights": 16, "beta": 0.0},
}
OURS, PEER, PEER_64, RELATIVE = "sparsekit", "scipy float32", "scipy float64", "scikit-network"


class Case(NamedTuple):
    """A graph and what to fit on it."""

    n_nodes: int = 100_000
    mean_degree: float = 20.0
    mixing: float = 0.3
    n_components: int = 128
    setting: str = "paper"

    @property
    def parameters(self) -> dict[str, Any]:
        """Keyword arguments that FastRP and its peers share."""
        return {"n_components": self.n_components, **SETTINGS[self.setting]}

    @property
    def n_hops(self) -> int:
        """Number of products with the adjacency."""
        return len(hop_weight_list(SETTINGS[self.setting]["hop_weights"]))


# A mean degree of 82.6 asks for 413,000 edges, of which 335,000 are distinct.
DENSE = Case(10_000, 82.6, 0.5, 256)


@lru_cache(maxsize=1)
def graph(n_nodes: int, mean_degree: float, mixing: float) -> sp.csr_array:
    """Degree-corrected stochastic block model of 50 blocks with a power-law tail, float32."""
    found, _ = make_sbm_graph(
        n_nodes,
        n_blocks=min(50, n_nodes),
        mean_degree=mean_degree,
        mixing=mixing,
        exponent=1.5,
        random_state=0,
    )
    return found.adjacency.astype(np.float32)


def graph_of(case: Case) -> sp.csr_array:
    """Graph of a case."""
    return graph(case.n_nodes, case.mean_degree, case.mixing)


def hop_weight_list(hop_weights: int | Sequence[float]) -> list[float]:
    """w_1, ..., w_k; an integer k stands for the rising weights."""
    if isinstance(hop_weights, int):
        return [h / hop_weights for h in range(1, hop_weights + 1)]
    return [float(weight) for weight in hop_weights]


def scipy_fastrp(
    adjacency: sp.csr_array,
    *,
    n_components: int,
    hop_weights: int | Sequence[float],
    beta: float,
    dtype: type = np.float32,
    seed: int = 0,
    random_matrix: np.ndarray | None = None,
) -> np.ndarray:
    """FastRP as one would write it with numpy and scipy, sparsity 3, rows normalised.

    Draws the random matrix unless one is given.
    """
    degrees = adjacency.sum(axis=1, dtype=np.float64)
    smallest = degrees[degrees > 0].min()
    scale = (np.maximum(degrees, smallest) / degrees.sum()) ** beta
    if random_matrix is None:
        draws = np.random.default_rng(seed).random((adjacency.shape[0], n_components), dtype=dtype)
        # +1 below 1/6, -1 below 1/3, otherwise 0
        signs = 2 * (draws < 1 / 6).view(np.int8) - (draws < 1 / 3).view(np.int8)
        del draws
        scale *= np.sqrt(3 / n_components)
        hop = signs * scale[:, None].astype(dtype)
        del signs
    else:
        hop = (random_matrix * scale[:, None]).astype(dtype)
    inverse = np.divide(1.0, degrees, out=np.zeros_like(degrees), where=degrees > 0)
    walk = adjacency.astype(dtype)
    walk.data *= np.repeat(inverse.astype(dtype), np.diff(adjacency.indptr))
    embedding = np.zeros_like(hop)
    for weight in hop_weight_list(hop_weights):
        hop = walk @ hop
        if weight != 0:
            norms = np.sqrt(np.einsum("ij,ij->i", hop, hop))
            factors = np.divide(weight, norms, out=np.zeros_like(norms), where=norms > 0)
            embedding += hop * factors[:, None]
    return embedding


def recovered_random_matrix(n_components: int, adjacency: sp.csr_array, seed: int) -> np.ndarray:
    """Random matrix that FastRP uses, through its public interface, float64."""
    own_vectors = {"hop_weights": (0.0,), "self_weight": 1.0, "normalize": False, "beta": 0.0}
    model = FastRP(n_components, **own_vectors, dtype=np.float64, random_state=seed)
    return model.fit_transform(adjacency)


def disagreement(case: Case, dtype: type = np.float32, n_jobs: int | None = None) -> float:
    """Largest difference between FastRP and the peer for the same random matrix.

    Relative to the largest entry. The peer that is compared with works in double precision.
    """
    adjacency = graph_of(case)
    matrix = recovered_random_matrix(case.n_components, adjacency, seed=0)
    theirs = scipy_fastrp(adjacency, **case.parameters, dtype=np.float64, random_matrix=matrix)
    model = FastRP(**case.parameters, dtype=dtype, random_state=0, n_jobs=n_jobs)
    ours = model.fit_transform(adjacency)
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def scikit_network_projection(adjacency: sp.csr_array, case: Case) -> np.ndarray:
    """The nearest method of scikit-network: dense Gaussian start, float64, no hop weights."""
    from sknetwork.embedding import RandomProjection

    model = RandomProjection(
        case.n_components, n_iter=case.n_hops, random_walk=True, random_state=0
    )
    return model.fit_transform(sp.csr_matrix(adjacency))  # it takes no sparse arrays


def has_scikit_network() -> bool:
    """Whether scikit-network is installed and runs on the installed numpy and scipy."""
    try:
        scikit_network_projection(graph(100, 6.0, 0.3), Case(100, 6.0, n_components=8))
    except Exception as error:  # an old release fails in its own ways; the page says so
        print(f"scikit-network does not run here: {error!r}", file=sys.stderr)
        return False
    return True


def contenders(case: Case, names: Sequence[str]) -> dict[str, Callable[[], Any]]:
    """Calls that fit one case, compiled and ready."""
    adjacency = graph_of(case)
    ours = FastRP(**case.parameters, random_state=0)
    scipys = partial(scipy_fastrp, adjacency, **case.parameters)
    known = {
        OURS: partial(ours.fit, adjacency),
        PEER: scipys,
        PEER_64: partial(scipys, dtype=np.float64),
        RELATIVE: partial(scikit_network_projection, adjacency, case),
    }
    warm_up(case)
    return {name: known[name] for name in names}


def warm_up(case: Case) -> None:
    """Compile for this dtype and setting, on a small graph."""
    small, _ = make_sbm_graph(200, random_state=0)
    parameters = dict(case.parameters, n_components=8)
    for n_jobs in (1, 2):
        FastRP(**parameters, random_state=0, n_jobs=n_jobs).fit(small.adjacency.astype(np.float32))


def _peers(options: Options) -> Iterator[str | Table | list[Target]]:
    names = [OURS, PEER, PEER_64] + ([RELATIVE] if has_scikit_network() else [])
    cases = {
        "SBM, paper": Case(),
        "SBM, defaults": Case(setting="defaults"),
        "dense, paper": DENSE,
    }
    rows, differences, speed = [], [], {}
    for name, case in cases.items():
        differences.append(disagreement(case))
        slow_last = names[:2] if options.quick and case.setting == "defaults" else names
        found = alternate(contenders(case, slow_last), 2 if options.quick else 7)
        rows.append(_peer_row(name, found, names))
        speed[name] = found[PEER].cpu / found[OURS].cpu
    worst = max(differences)
    if worst > 2e-5:
        raise RuntimeError(f"FastRP and the peer disagree: {worst:.1e} of the largest entry")
    yield (
        f"Given the same random matrix, FastRP in single precision and the scipy version in "
        f"double precision differ by at most {worst:.0e} of the largest entry on these graphs."
    )
    columns = ["graph, setting", OURS, "scipy f32", "ratio", "medians", "scipy f64", "ratio"]
    columns += [RELATIVE, "ratio"] if RELATIVE in names else []
    yield Table("One fit, one thread, CPU time", columns, rows, [_PEER_NOTE])
    paper, _, dense = speed.values()
    yield [
        Target("speed, SBM, paper", paper, 3.1, 3.9, " x", reason=_WHY_SLOW),
        Target("speed, dense, paper", dense, 2.0, 2.5, " x", reason=_WHY_SLOW_DENSE),
    ]


_WHY_SLOW = (
    "Nine tenths of the fit are hops, and a hop waits for rows of the block that no near cache "
    "holds: the last-level cache, which other processes share, decides."
)
_WHY_SLOW_DENSE = (
    "The block of 10 MB stays in the last-level cache, where plain loops of scipy do well, too; a "
    "tenth of the time goes into checking the input, counting and drawing."
)
_WHY_LARGE = (
    "Degrees, factors and norms are vectors of n in double precision, 2 / d n d each, and come on "
    "top of the blocks."
)
_PEER_NOTE = (
    "SBM: 100 k nodes, 947 k edges, d = 128; dense: 10 k nodes, 335 k edges, d = 256. Paper: hop "
    "weights (0, 0, 1, 6.67), beta -0.64; defaults: 16 rising hop weights, beta 0. Ratio: CPU time "
    "by that of sparsekit, both the minimum; medians: both the median. scipy: the same algorithm "
    "in single and double precision, drawing the random matrix included. scikit-network: "
    "RandomProjection with random_walk=True and as many iterations, a relative that draws a "
    "dense Gaussian matrix, orthogonalises it and works in double precision."
)


def _peer_row(name: str, found: dict[str, Timing], names: Sequence[str]) -> list[str]:
    ours, peer = found[OURS], found[PEER]
    row = [name, seconds(ours.cpu), seconds(peer.cpu), times(peer.cpu / ours.cpu)]
    row.append(times(peer.median_cpu / ours.median_cpu))
    for other in names[2:]:
        timing = found.get(other)
        row += ["", ""] if timing is None else [seconds(timing.cpu), times(timing.cpu / ours.cpu)]
    return row


def _scaling(options: Options) -> Iterator[Table]:
    sizes = [10_000, 100_000] if options.quick else [10_000, 100_000, 1_000_000]
    degrees = [] if options.quick else [5.0, 80.0]
    widths = [32] if options.quick else [32, 512]
    cases = [Case(n_nodes=size) for size in sizes]
    cases += [Case(mean_degree=degree) for degree in degrees]
    cases += [Case(n_components=width) for width in widths]
    rows = []
    for case in cases:
        found = alternate(contenders(case, (OURS, PEER)), 2 if options.quick else 5)
        entries = graph_of(case).nnz
        nanoseconds = found[OURS].cpu / (entries * case.n_hops * case.n_components) * 1e9
        sizes_of_case = (count(entries / 2), str(case.n_components))
        timings = (seconds(found[OURS].cpu), seconds(found[PEER].cpu))
        ratio = times(found[PEER].cpu / found[OURS].cpu)
        rows.append((count(case.n_nodes), *sizes_of_case, *timings, ratio, f"{nanoseconds:.3f}"))
    columns = ("nodes", "edges", "d", OURS, PEER, "ratio", "ns / (entry hop d)")
    note = "Last column: time of sparsekit by (2 edges) x hops x d."
    yield Table("Growth with nodes, edges and d; paper's setting", columns, rows, [note])


def _threads(options: Options) -> Iterator[Table]:
    cases = [Case(), Case(setting="defaults")]
    cases += [] if options.quick else [Case(n_nodes=1_000_000)]
    rows = []
    for case in cases:
        adjacency = graph_of(case)
        warm_up(case)
        models = {n: FastRP(**case.parameters, random_state=0, n_jobs=n) for n in (1, 2)}
        calls = {str(n): partial(model.fit, adjacency) for n, model in models.items()}
        others = OtherLoad()
        found = alternate(calls, 3 if options.quick else 15)
        busy = others.cores()
        one, two = found["1"], found["2"]
        same = np.array_equal(models[1].embedding_, models[2].embedding_)
        walls = (seconds(one.wall), seconds(two.wall), times(one.wall / two.wall))
        name = f"SBM {count(case.n_nodes)}, {case.setting}"
        rows.append((name, *walls, times(two.cpu / one.cpu), busy, "yes" if same else "NO"))
    columns = ("graph, setting", "1 thread", "2 threads", "speedup", "CPU time")
    columns += ("others", "bitwise equal")
    note = (
        "CPU time: of two threads by that of one. Others: cores that other processes kept busy "
        "meanwhile; where they leave no second core free, there is no speedup to be seen."
    )
    yield Table("Threads, wall time", columns, rows, [note])


def _memory(options: Options) -> Iterator[str | Table | list[Target]]:
    if not memory_can_be_measured():
        yield "Peak memory was not measured: this system does not reset it."
        return
    cases = {"SBM 100 k, paper": Case(), "SBM 100 k, defaults": Case(setting="defaults")}
    if not options.quick:
        cases["SBM 1 M, paper"] = Case(n_nodes=1_000_000)
    rows, ours = [], {}
    for name, case in cases.items():
        units = [memory_units(case, contender) for contender in (OURS, PEER)]
        ours[name] = units[0]
        gigabytes = units[0] * case.n_nodes * case.n_components * 4 / 1e9
        rows.append((name, f"{gigabytes:.2f} GB", *(f"{unit:.2f}" for unit in units)))
    columns = ("graph, setting", OURS, f"{OURS}, n d", f"{PEER}, n d")
    note = "n d: in units of one single-precision block, n x d x 4 bytes. The result is included."
    yield Table("Peak extra memory of one fit, in a fresh process", columns, rows, [note])
    paper, defaults = list(ours.values())[:2]
    unit = " n d"
    yield [
        Target("memory, SBM, paper", paper, 3.0, 2.0, unit, True, _WHY_LARGE),
        Target("memory, SBM, defaults", defaults, 4.0, 3.0, unit, True, _WHY_LARGE),
    ]


def memory_units(case: Case, contender: str) -> float:
    """Peak extra memory of a fit in a fresh process, in units of n d 4 bytes."""
    request = json.dumps({"case": case._asdict(), "contender": contender})
    # Freed blocks go back to the system at once instead of hiding in the process.
    environment = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
    found = in_fresh_process(["-m", "benchmarks.compare_embedding", request], environment)
    return found["bytes"] / (case.n_nodes * case.n_components * 4)


def _answer_memory_request(request: str) -> None:
    """Child process of `memory_units`."""
    asked = json.loads(request)
    case, contender = Case(**asked["case"]), asked["contender"]
    call = contenders(case, [contender])[contender]
    print(json.dumps({"bytes": peak_extra_bytes(call)}))


def run(options: Options) -> Iterator[str | Table]:
    """Yield the blocks of the page."""
    targets: list[Target] = []
    for part in (_peers, _scaling, _threads, _memory):
        for block in part(options):
            if isinstance(block, list):
                targets += block
            else:
                yield block
    yield target_table(targets)


if __name__ == "__main__":
    _answer_memory_request(sys.argv[1])
