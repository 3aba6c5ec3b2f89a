"""Totals of copies: small ones beside very large ones."""

import networkx as nx
import pytest
import scipy.sparse as sp
from graphlet_helpers import star

from sparsekit.graphlets import estimate_graphlets


def test_few_paths_beside_a_large_hub():
    paths = nx.to_scipy_sparse_array(nx.disjoint_union_all([nx.path_graph(5)] * 10))
    graph = sp.block_diag((sp.csr_array(star(400_003)), paths), format="csr")
    estimate = estimate_graphlets(graph, n_samples=20_000, random_state=0)
    assert estimate.counts[9] == pytest.approx(10, abs=1e-9)
    assert estimate.stderr[9] < 0.01
