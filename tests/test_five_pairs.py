"""The two ways in which edges between common neighbours are counted."""

import networkx as nx
import numpy as np
import pytest

from sparsekit.core.cliques import triangles_by_slot
from sparsekit.core.csr import canonical
from sparsekit.core.ordering import degrees_of, order_by_degree
from sparsekit.graphlets import count_orbits
from sparsekit.graphlets.orbits._five_pairs import pair_sums

GRAPHS = {
    "random": lambda: nx.gnp_random_graph(14, 0.5, seed=0),
    "two words of neighbours": lambda: nx.windmill_graph(30, 4),
    "clique with a fringe": lambda: nx.lollipop_graph(12, 3),
    "karate": nx.karate_club_graph,
}


@pytest.mark.parametrize("name", sorted(GRAPHS))
def test_rows_and_bits_agree(name):
    adjacency = canonical(nx.to_scipy_sparse_array(GRAPHS[name](), weight=None))
    ordered, _ = order_by_degree(adjacency)
    triangles, costs = triangles_by_slot(ordered), degrees_of(ordered)
    by_rows = pair_sums(ordered, triangles, costs, None, most_words=0)
    for most_words in (1, 2, None):
        found = pair_sums(ordered, triangles, costs, None, most_words=most_words)
        np.testing.assert_array_equal(found, by_rows)
    assert by_rows.any()


def test_cliques_of_more_than_four_words():
    """In a clique of n nodes the only induced graphlets are cliques."""
    n_nodes = 290
    counts = count_orbits(nx.complete_graph(n_nodes), 5)
    expected = np.zeros(73, dtype=np.int64)
    expected[[0, 3, 14, 72]] = 289, 289 * 144, 289 * 288 * 287 // 6, 289 * 288 * 287 * 286 // 24
    np.testing.assert_array_equal(counts, np.tile(expected, (n_nodes, 1)))
