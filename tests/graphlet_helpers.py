"""What the tests of graphlets share: stored cases, tables, random graphs."""

import hashlib
import json
from pathlib import Path

import hypothesis.strategies as st
import networkx as nx
import numpy as np
import scipy.sparse as sp

CASES = Path(__file__).parent / "cases" / "graphlets"
SMALL_CASES = sorted(path.stem for path in CASES.glob("*.npz") if path.stem[:4] != "big_")
BIG_CASES = sorted(path.stem for path in CASES.glob("big_*.npz"))
TABLES = json.loads((CASES / "tables.json").read_text())


def load_case(name):
    with np.load(CASES / f"{name}.npz") as arrays:
        return dict(arrays)


def adjacency_of(case):
    """Symmetric csr adjacency of a case, small or big."""
    n_nodes = int(case["n"])
    if "edges" in case:
        rows, columns = case["edges"].T
        upper = sp.coo_array((np.ones(len(rows)), (rows, columns)), shape=(n_nodes, n_nodes))
    else:
        values = np.ones(len(case["indices"]))
        upper = sp.csr_array((values, case["indices"], case["indptr"]), shape=(n_nodes, n_nodes))
    return sp.csr_array(upper + upper.T)


def sha256(counts):
    return hashlib.sha256(np.ascontiguousarray(counts, dtype="<i8").tobytes()).hexdigest()


def random_pattern(n_nodes, density, seed):
    """Dense symmetric 0/1 matrix without diagonal."""
    upper = np.triu(np.random.default_rng(seed).random((n_nodes, n_nodes)) < density, k=1)
    return (upper | upper.T).astype(float)


def messy(A, seed=0):
    """The same graph with weights of either sign, self-loops, stored zeros and repeated entries."""
    rng = np.random.default_rng(seed)
    weights = np.where(rng.random(A.shape) < 0.5, -1, 1) * rng.uniform(0.5, 2.0, A.shape)
    weights = np.triu(weights) + np.triu(weights, k=1).T
    entries = sp.coo_array(A * weights)
    loops = np.flatnonzero(rng.random(len(A)) < 0.4)
    zeros = rng.integers(0, len(A), size=(2, 3))
    rows = np.concatenate([entries.row, entries.row, loops, zeros[0]])
    columns = np.concatenate([entries.col, entries.col, loops, zeros[1]])
    values = np.concatenate([entries.data, entries.data, np.ones(len(loops)), np.zeros(3)])
    order = rng.permutation(len(rows))
    return sp.coo_array((values[order], (rows[order], columns[order])), shape=A.shape)


def random_graphs(max_nodes=12):
    """Strategy for dense patterns of 1 to `max_nodes` nodes."""
    return st.builds(
        random_pattern, st.integers(1, max_nodes), st.floats(0, 1), st.integers(0, 2**32 - 1)
    )


def matrix_of(graph):
    """Dense 0/1 adjacency of a networkx graph."""
    return nx.to_numpy_array(graph, weight=None)


def star(n_leaves):
    """Star as csr adjacency; node 0 is the centre."""
    leaves = np.arange(1, n_leaves + 1, dtype=np.int32)
    centre = np.zeros(n_leaves, dtype=np.int32)
    ends = (np.concatenate([centre, leaves]), np.concatenate([leaves, centre]))
    return sp.csr_array((np.ones(2 * n_leaves), ends), shape=(n_leaves + 1, n_leaves + 1))
