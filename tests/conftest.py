"""What all tests share: the place of compiled kernels, warnings, hypothesis profiles, graphs."""

import hashlib
import os
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def _numba_cache_directory():
    """Directory for compiled kernels that changes with every edit of the package.

    Numba recompiles a kernel when its own file has changed, not when a kernel that it calls in
    another file has: without this a test could run stale machine code.
    """
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted((ROOT / "sparsekit").rglob("*.py")):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "")
    parent = Path(tempfile.gettempdir(), f"sparsekit-tests-{user}")
    parent.mkdir(mode=0o700, exist_ok=True)
    if hasattr(os, "getuid") and parent.stat().st_uid != user:
        raise RuntimeError(f"{parent} belongs to somebody else, who could plant code in it")
    return str(parent / digest.hexdigest())


# Before the first import of numba, which reads its environment once; workers inherit it.
os.environ.setdefault("NUMBA_CACHE_DIR", _numba_cache_directory())

import hypothesis  # noqa: E402
import networkx as nx  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402

JIT_DISABLED = os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")

# Reproducible by default, so that a red run is red again; HYPOTHESIS_PROFILE=explore looks further.
hypothesis.settings.register_profile(
    "default_repeatable",
    deadline=None,  # the first example pays for compilation
    derandomize=True,
    database=None,
    max_examples=5 if JIT_DISABLED else 60,
)
hypothesis.settings.register_profile("explore", deadline=None, max_examples=1000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default_repeatable"))


# Tests that are too large to be interpreted and cover no further line; files or single functions.
ONLY_COMPILED = {
    "test_threads.py": "the graphs are large enough for threads to meet",
    "test_fastrp_range.py::test_many_hops_of_the_adjacency_do_not_overflow": "forty dense hops",
    "test_fastrp_range.py::test_components_of_very_different_size_do_not_disturb_each_other": (
        "a clique of 1000 nodes"
    ),
    "test_fastrp_formula.py::test_second_moment": "8192 columns",
    "test_fastrp_formula.py::test_random_matrix_statistics": "half a million random numbers",
    "test_orbit_counts_range.py": "stars of millions of leaves",
    "test_orbit_counts.py::test_big_cases": "ten thousand nodes",
    "test_orbit_counts.py::test_cliques_fill_words_of_bits": "a clique of 131 nodes",
    "test_five_pairs.py::test_cliques_of_more_than_four_words": "a clique of 290 nodes",
    "test_graphlet_totals.py": "400,000 leaves",
    "test_dropout_cases.py::test_single_tests": "hundreds of fits",
    "test_dropout_cases.py::test_few_samples": "thousands of tests",
    "test_dropout_cases.py::test_ges": "thousands of rows",
    "test_dropout_cases.py::test_parity_preset": "thousands of rows",
    "test_dropout_mechanism.py::test_power_and_false_alarms": "thousands of tests on many rows",
    "test_orbit_adjacency_large.py": "hundreds of nodes with all pairs",
    "test_graphlet_compare.py::test_memory_of_netemd": "a hundred thousand nodes",
    "test_graphlet_embedding.py::test_inductive_cross_validation": "dozens of fits",
    "test_graphlet_embedding.py::test_grid_search_over_pairs": "dozens of fits",
    "test_graphlet_factorise.py::test_every_way_to_decompose": "thousands of rows",
    "test_graphlet_estimates.py::test_small_differences_of_large_totals_are_copies": "a large hub",
    "test_graphlet_factorise.py::test_fewer_directions_than_components": "a thousand nodes",
    "test_graphlet_embedding.py::test_threads_and_seeds_and_inputs": "many graphs with all pairs",
    "test_graphlet_counter.py::test_grid_search_over_random_graphs": "fits of dozens of graphs",
    "test_orbit_counter.py::test_new_nodes_that_overflow": "a star of 130,000 leaves",
    "test_colide_solve.py::test_distances_to_the_true_graphs": "paths of 20 variables and more",
    "test_colide_solve.py::test_permuted_columns": "paths of 20 and 50 variables",
    "test_colide_solve.py::test_threads_do_not_change_a_bit": "paths of 20 and 50 variables",
    "test_colide_solve.py::test_rounding_of_the_covariance": "paths of 20 variables",
    "test_colide_solve.py::test_they_never_raise_the_objective": "paths of 20 variables",
    "test_colide_solve.py::test_they_find_lower_ones": "paths of 20 variables",
    "test_colide_solve.py::test_more_than_three_are_drawn": "paths of 20 variables",
    "test_colide_solve.py::test_equal_noise_has_one_start_only": "paths of 20 variables",
    "test_colide_solve.py::test_dependent_columns": "tens of thousands of iterations",
    "test_colide.py::test_more_columns_than_samples": "paths of 30 variables",
    "test_colide.py::test_a_stored_case": "paths of 20 variables",
    "test_colide.py::test_the_published_solver_agrees": "tens of thousands of iterations",
    "test_colide_array_api.py::test_the_whole_path_finds_the_same_graph": (
        "tens of thousands of iterations"
    ),
    "test_order_search.py::test_the_best_of_all_orders_is_found": "a thousand searches",
}


def pytest_configure(config):
    for category in ("DeprecationWarning", "FutureWarning"):
        config.addinivalue_line("filterwarnings", rf"error::{category}:sparsekit\.")
    # Compiled code wraps integers modulo 2**64, on which the random numbers stand, and rounds
    # floats to 0 or infinity in silence. Interpreted, the same operations on numpy's scalars warn.
    action = "ignore" if JIT_DISABLED else "error"
    config.addinivalue_line("filterwarnings", rf"{action}::RuntimeWarning:sparsekit\.")


def pytest_collection_modifyitems(items):
    for item in items if JIT_DISABLED else []:
        file, name = item.path.name, getattr(item, "originalname", item.name)
        reason = ONLY_COMPILED.get(file) or ONLY_COMPILED.get(f"{file}::{name}")
        if reason:
            item.add_marker(pytest.mark.skip(reason=f"slow without the compiler: {reason}"))


def _with_entries(n_nodes, entries):
    A = np.zeros((n_nodes, n_nodes))
    for i, j, weight in entries:
        A[i, j] = weight
    return A


def _hubs():
    """Three hubs over a long cycle: rows of very different length share neighbours."""
    A = nx.to_numpy_array(nx.cycle_graph(120))
    for hub in (0, 1, 60):
        A[hub, :] = A[:, hub] = 1
    np.fill_diagonal(A, 0)
    return A


def _oracle_graphs():
    rng = np.random.default_rng(0)
    weighted = np.triu(rng.random((12, 12)) * (rng.random((12, 12)) < 0.4), k=1)
    tail = [(0, 1), (1, 2), (0, 2), (2, 3)]
    loops = _with_entries(5, [(0, 0, 2.0), (0, 1, 1.0), (1, 0, 1.0), (3, 3, -1.0)])
    return {
        "no_nodes": np.zeros((0, 0)),
        "one_node": np.zeros((1, 1)),
        "one_loop": np.ones((1, 1)),
        "no_edges": np.zeros((4, 4)),
        "triangle_with_tail": nx.to_numpy_array(nx.Graph(tail), nodelist=range(4)),
        "complete": nx.to_numpy_array(nx.complete_graph(6)),
        "components": nx.to_numpy_array(nx.disjoint_union(nx.star_graph(4), nx.empty_graph(2))),
        "loops": loops,
        "karate": nx.to_numpy_array(nx.karate_club_graph(), weight=None),
        "weighted": weighted + weighted.T,
        "huge_weights": _with_entries(3, [(0, 1, 1e300), (1, 0, 1e300), (2, 1, -1e-300)]),
        "directed_cycle": nx.to_numpy_array(nx.cycle_graph(5, create_using=nx.DiGraph)),
        "directed_acyclic": np.triu(rng.normal(size=(8, 8)), k=1),
        "hubs": _hubs(),
    }


ORACLE_GRAPHS = _oracle_graphs()


@pytest.fixture(params=sorted(ORACLE_GRAPHS))
def oracle_graph(request):
    """Dense adjacency of each of the oracle graphs in turn, a fresh copy."""
    return ORACLE_GRAPHS[request.param].copy()


@pytest.fixture(params=sorted(name for name, A in ORACLE_GRAPHS.items() if np.all(A == A.T)))
def symmetric_oracle_graph(request):
    """The same, undirected ones only."""
    return ORACLE_GRAPHS[request.param].copy()


@pytest.fixture(scope="session")
def hubs():
    """Dense adjacency with three hubs, read-only."""
    A = ORACLE_GRAPHS["hubs"].copy()
    A.flags.writeable = False
    return A
