"""Background knowledge: its forms, its contradictions, and what follows from it."""

import pickle
from copy import copy, deepcopy

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import networkx as nx
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
import skops.io
from hypothesis import given
from sklearn.base import clone

from sparsekit.causal import BackgroundKnowledge

NAMES = ["a", "b", "c"]
MATRIX = np.array([[False, True, True], [False, False, True], [False, False, False]])
PAIRS = [(0, 1), (0, 2), (1, 2)]
NAMED = [("a", "b"), ("a", "c"), ("b", "c")]


@pytest.mark.parametrize(
    "edges",
    [
        PAIRS,
        NAMED,
        [("a", 1), (0, "c"), ("b", "c")],
        set(NAMED),
        iter(PAIRS),
        np.array(PAIRS),
        np.array(PAIRS, dtype=np.uint8),
        np.array(NAMED),
        [np.array(pair) for pair in PAIRS],
        MATRIX,
        MATRIX.tolist(),
        np.asfortranarray(MATRIX),
        sp.csr_array(MATRIX * 0.3),
        sp.coo_matrix(MATRIX),
        pd.DataFrame(MATRIX),
        pd.DataFrame(MATRIX, columns=NAMES),
        pd.DataFrame(MATRIX, columns=NAMES, index=NAMES).loc[["c", "a", "b"], ["b", "c", "a"]],
        pl.DataFrame(MATRIX, schema=NAMES),
        pd.DataFrame(NAMED, columns=["source", "target"]).assign(weight=0.5),
        pl.DataFrame(PAIRS, schema=["source", "target"], orient="row"),
    ],
    ids=lambda edges: type(edges).__name__,
)
def test_forms_of_edges(edges):
    forbidden = BackgroundKnowledge(forbidden=edges).resolve(3, NAMES).forbidden
    np.testing.assert_array_equal(forbidden, MATRIX | np.eye(3, dtype=bool))
    assert not BackgroundKnowledge().resolve(3, NAMES).required.any()


def test_required_edges_have_the_same_forms():
    for edges in (PAIRS, NAMED, MATRIX, pd.DataFrame(MATRIX, columns=NAMES)):
        required = BackgroundKnowledge(required=edges).resolve(3, NAMES).required
        np.testing.assert_array_equal(required, MATRIX)


@pytest.mark.parametrize("empty", [(), [], np.empty((0, 2)), np.zeros((3, 3), bool)])
def test_nothing_known(empty):
    forbidden, required = BackgroundKnowledge(forbidden=empty, required=empty).resolve(3)
    np.testing.assert_array_equal(forbidden, np.eye(3, dtype=bool))
    assert not required.any()


def test_tiers():
    knowledge = BackgroundKnowledge(tiers=[["b", 3], [], ["a"]])
    forbidden, required = knowledge.resolve(4, [*NAMES, "d"])
    expected = np.eye(4, dtype=bool)
    expected[0, 1] = expected[0, 3] = True  # c is free, b and d are of one tier
    assert knowledge.number_tiers(4, [*NAMES, "d"]).tolist() == [2, 0, -1, 0]
    assert BackgroundKnowledge().number_tiers(2).tolist() == [-1, -1]
    np.testing.assert_array_equal(forbidden, expected)
    assert not required.any()


@st.composite
def acyclic(draw):
    d = draw(st.integers(1, 6))
    order = draw(st.permutations(range(d)))
    return np.triu(draw(hnp.arrays(bool, (d, d))), k=1)[np.ix_(order, order)]


@given(acyclic())
def test_what_closes_a_cycle_is_forbidden(required):
    d = len(required)
    forbidden, resolved = BackgroundKnowledge(required=required).resolve(d)
    np.testing.assert_array_equal(resolved, required)
    for i in range(d):
        for j in range(d):
            graph = nx.DiGraph(required)
            graph.add_edge(i, j)
            assert forbidden[i, j] != nx.is_directed_acyclic_graph(graph)


def test_the_diagonal_of_a_forbidden_matrix_means_nothing():
    for matrix in (~MATRIX, sp.csr_array(~MATRIX), pd.DataFrame(~MATRIX, columns=NAMES)):
        forbidden = BackgroundKnowledge(forbidden=matrix).resolve(3, NAMES).forbidden
        np.testing.assert_array_equal(forbidden, ~MATRIX)


@pytest.mark.parametrize(
    ("knowledge", "message"),
    [
        ({"required": [(0, 1)], "forbidden": [(0, 1)]}, "'a' -> 'b' is required and forbidden:"),
        (
            {"required": [("b", "a")], "tiers": [[0], [1]]},
            "'b' -> 'a' is required and forbidden by",
        ),
        ({"required": [(0, 1), (1, 2), (2, 0)]}, "the cycle 'a' -> 'b' -> 'c' -> 'a'"),
        ({"required": [(0, 1), (1, 0)]}, "cycle 'a' -> 'b' -> 'a'"),
        ({"required": [(1, 1)]}, "required has an edge from 'b' to itself"),
        ({"required": np.eye(3, dtype=bool)}, "required has an edge from 'a' to itself"),
        ({"forbidden": [("c", 2)]}, "forbidden has an edge from 'c' to itself"),
        ({"forbidden": [("a", "x")]}, "forbidden names 'x', which is no feature"),
        ({"tiers": [["x"]]}, "tiers names 'x', which is no feature"),
        ({"required": [(0, 3)]}, r"required has the index 3, expected 0 \.\. 2"),
        ({"required": [(-1, 0)]}, "required has the index -1"),
        ({"forbidden": np.zeros((2, 2), bool)}, r"forbidden of shape \(3, 3\).*got \(2, 2\)"),
        ({"tiers": [["a"], [0, 1]]}, "'a' is in two tiers"),
    ],
)
def test_contradictions(knowledge, message):
    knowledge = BackgroundKnowledge(**knowledge)  # the data decide what is wrong
    with pytest.raises(ValueError, match=message):
        knowledge.resolve(3, NAMES)


def test_names_need_names():
    with pytest.raises(ValueError, match=r"names the feature 'a'.*no feature names.*data frame"):
        BackgroundKnowledge(required=NAMED).resolve(3)
    with pytest.raises(ValueError, match="the edge 0 -> 1 is required and forbidden"):
        BackgroundKnowledge(required=[(0, 1)], forbidden=MATRIX).resolve(3)


@pytest.mark.parametrize(
    ("knowledge", "error", "message"),
    [
        ({"forbidden": "ab"}, TypeError, "pairs of features or a boolean matrix, got 'ab'"),
        ({"forbidden": 3}, TypeError, "pairs of features or a boolean matrix, got 3"),
        ({"required": ("a", "b")}, TypeError, r"got 'a' for a pair: write \[\(source, target\)"),
        ({"required": (0, 1)}, TypeError, "got 0 for a pair"),
        ({"required": [(0, 1, 2)]}, ValueError, "entry of length 3"),
        ({"required": np.ones((3, 3))}, ValueError, "entry of length 3: a matrix must be boolean"),
        ({"required": [(0.0, 1.0)]}, TypeError, r"by index or name in required, got 0\.0"),
        ({"required": [(0, None)]}, TypeError, "got None"),
        ({"forbidden": np.ones((2, 3), bool)}, ValueError, r"to be square.*\(2, 3\)"),
        ({"forbidden": np.ones(3, bool)}, ValueError, "to be square"),
        ({"forbidden": pd.DataFrame(np.eye(2))}, ValueError, "boolean frame or.*source and target"),
        (
            {"forbidden": pd.DataFrame(MATRIX, columns=NAMES, index=["a", "b", "x"])},
            ValueError,
            "rows and columns of forbidden to have the same names",
        ),
        (
            {"forbidden": pd.DataFrame(MATRIX, columns=list("aab"), index=list("aab"))},
            ValueError,
            "to have the same names, each once",
        ),
        (
            {"forbidden": pd.DataFrame(MATRIX)[[2, 1, 0]]},
            ValueError,
            r"no names \(numbers in order, from 0\)",
        ),
        (
            {"forbidden": pd.DataFrame(MATRIX, columns=NAMES).loc[[2, 1, 0]]},
            ValueError,
            r"no names \(numbers in order, from 0\)",
        ),
        ({"tiers": "abc"}, TypeError, "sequence of sequences of features"),
        ({"tiers": ["a", "b"]}, TypeError, "sequence of sequences of features"),
        ({"tiers": [0, 0, 1]}, TypeError, "sequence of sequences of features"),
        ({"tiers": 2}, TypeError, "sequence of sequences of features"),
        ({"tiers": [[1.5]]}, TypeError, r"in tiers, got 1\.5"),
    ],
)
def test_other_forms_are_refused(knowledge, error, message):
    with pytest.raises(error, match=message):
        BackgroundKnowledge(**knowledge)


def test_equality_and_hash():
    first = BackgroundKnowledge(forbidden=PAIRS, tiers=[[0, 1], [2]])
    same = BackgroundKnowledge(forbidden=PAIRS[::-1], tiers=[(1, 0), {2}])
    assert first == same
    assert hash(first) == hash(same)
    assert len({first, same, BackgroundKnowledge(forbidden=PAIRS)}) == 2
    assert BackgroundKnowledge(forbidden=MATRIX) == BackgroundKnowledge(forbidden=MATRIX.tolist())
    assert first != BackgroundKnowledge(required=PAIRS, tiers=[[0, 1], [2]])
    assert BackgroundKnowledge(forbidden=MATRIX) != BackgroundKnowledge(forbidden=~MATRIX)
    assert first != PAIRS


def test_input_and_content_can_not_be_changed():
    matrix = MATRIX.copy()
    knowledge = BackgroundKnowledge(forbidden=matrix, required=[["c", "a"]])
    matrix[:] = True
    np.testing.assert_array_equal(knowledge.forbidden, MATRIX)
    assert knowledge.required == (("c", "a"),)
    assert knowledge.tiers is None
    with pytest.raises(ValueError, match="read-only"):
        knowledge.forbidden[0, 0] = True
    with pytest.raises(AttributeError):
        knowledge.forbidden = ()
    knowledge.resolve(3, NAMES).required[:] = True
    assert not knowledge.resolve(3, NAMES).required[0].any()


def test_copies():
    knowledge = BackgroundKnowledge(forbidden=MATRIX.T, required=[(0, "c")], tiers=[["a"], ["b"]])
    assert clone(knowledge) is copy(knowledge) is deepcopy(knowledge) is knowledge
    pickled = pickle.loads(pickle.dumps(knowledge))
    dumped = skops.io.dumps(knowledge)
    types = skops.io.get_untrusted_types(data=dumped)
    assert types == ["sparsekit.causal._background.BackgroundKnowledge"]
    for restored in (pickled, skops.io.loads(dumped, trusted=types)):
        assert restored == knowledge
        assert repr(restored) == repr(knowledge)
        assert not restored.forbidden.flags.writeable


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("tiers", [None, [], [["a"], []]])
def test_pickles_of_little_knowledge(protocol, tiers):
    knowledge = BackgroundKnowledge(tiers=tiers)
    assert pickle.loads(pickle.dumps(knowledge, protocol)) == knowledge


def test_repr():
    assert repr(BackgroundKnowledge()) == "BackgroundKnowledge()"
    knowledge = BackgroundKnowledge(forbidden=MATRIX, required=[("a", 2)], tiers=[[0], ["c"]])
    assert repr(knowledge) == (
        "BackgroundKnowledge(forbidden=<3 edges among 3 features>, required=(('a', 2),), "
        "tiers=((0,), ('c',)))"
    )
    assert len(repr(BackgroundKnowledge(forbidden=[(0, i) for i in range(1, 1000)]))) < 200
