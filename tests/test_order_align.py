"""The member of an equivalence class that agrees best with an order."""

import numpy as np
import pytest

from sparsekit.causal import BackgroundKnowledge
from sparsekit.causal.order._align import align
from sparsekit.metrics import cpdag


def random_dag(seed, d=7):
    generator = np.random.default_rng(seed)
    upper = np.triu(generator.random((d, d)) < 0.4, 1)
    order = generator.permutation(d)
    return upper[np.ix_(order, order)], generator.permutation(d)


def backward(is_edge, order):
    rank = np.argsort(order)
    return is_edge & (rank[:, None] > rank)


@pytest.mark.parametrize("seed", range(20))
def test_the_class_stays_and_no_covered_edge_points_backward(seed):
    is_edge, order = random_dag(seed)
    is_edge.flags.writeable = False
    aligned = align(is_edge, order)
    np.testing.assert_array_equal(cpdag(aligned).toarray(), cpdag(is_edge).toarray())
    assert backward(aligned, order).sum() <= backward(is_edge, order).sum()
    for parent, child in zip(*backward(aligned, order).nonzero(), strict=True):
        others = aligned[:, child].copy()
        others[parent] = False
        assert (others != aligned[:, parent]).any()


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 1, 3, 0, 4]])
@pytest.mark.parametrize("graph", [np.eye(5, k=1), np.triu(np.ones((5, 5)), 1)])
def test_a_member_in_the_order_is_found(graph, order):
    """There is one of a chain if the order runs outwards from somewhere, and of a clique always."""
    aligned = align(graph != 0, np.array(order))
    assert not backward(aligned, np.array(order)).any()


def test_knowledge_stays():
    chain = np.eye(3, k=1, dtype=bool)
    order = np.array([2, 1, 0])
    free = align(chain, order, *BackgroundKnowledge().resolve(3))
    np.testing.assert_array_equal(free, chain.T)
    required = BackgroundKnowledge(required=[(0, 1)]).resolve(3)
    np.testing.assert_array_equal(align(chain, order, *required), chain)
    forbidden = BackgroundKnowledge(forbidden=[(1, 0)]).resolve(3)
    np.testing.assert_array_equal(align(chain, order, *forbidden), chain)
    np.testing.assert_array_equal(align(chain, order, forbidden.forbidden), chain)
    np.testing.assert_array_equal(align(chain, order, required=required.required), chain)


def test_columns_may_be_renumbered():
    is_edge, order = random_dag(3)
    numbers = np.random.default_rng(1).permutation(len(order))
    renumbered = align(is_edge[np.ix_(numbers, numbers)], np.argsort(numbers)[order])
    np.testing.assert_array_equal(renumbered, align(is_edge, order)[np.ix_(numbers, numbers)])
