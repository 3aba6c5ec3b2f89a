"""Which zeros depend on which genes: against a direct search, and on data where it is known."""

import sys
from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from scipy import stats
from scipy.special import expit

from sparsekit.causal import DropoutMechanism, DropoutPC, dropout_mechanism_test
from sparsekit.causal.dropout._fisher_z import FisherZ
from sparsekit.causal.dropout._samples import as_samples
from sparsekit.causal.dropout._skeleton import search_skeleton
from sparsekit.datasets import make_dropout_sem


def with_cross_edges(n_samples, n_nodes, seed, n_cross=4, mechanism="logistic"):
    """Data, graph, and pairs (i, j) of genes, not adjacent, where i makes zeros of j."""
    X, adjacency, latent = make_dropout_sem(
        n_samples, n_nodes, degree=1, mechanism=mechanism, return_latent=True, random_state=seed
    )
    rng = np.random.default_rng(seed)
    near = (adjacency + adjacency.T + sp.eye_array(n_nodes)).toarray() != 0
    free = np.argwhere(~near)
    cross = free[rng.choice(len(free), n_cross, replace=False)]
    standardised = (latent - latent.mean(axis=0)) / latent.std(axis=0)
    for i, j in cross:
        X[rng.random(n_samples) < expit(1.5 * standardised[:, i] - 1.5), j] = 0
    is_cross = np.zeros((n_nodes, n_nodes), dtype=bool)
    is_cross[tuple(cross.T)] = True
    return X, adjacency, is_cross


def p_value(X, i, j, given):
    """Of gene i and the zeros of j, on the rows where i and the given ones are not zero."""
    rows = (X[:, [i, *given]] != 0).all(axis=1)
    design = np.column_stack([np.ones(rows.sum()), X[np.ix_(rows, given)]])
    ends = np.column_stack([X[rows, i], X[rows, j] == 0])
    if len(ends) <= len(given) + 3 or np.ptp(ends, axis=0).min() == 0:
        return np.nan, 0
    residuals = ends - design @ np.linalg.lstsq(design, ends)[0]
    z = np.sqrt(len(ends) - len(given) - 3) * np.arctanh(np.corrcoef(residuals.T)[0, 1])
    return 2 * stats.norm.sf(abs(z)), len(ends)


def search_naively(X, near, alpha, max_size):
    """Largest p-value of each pair and the pairs that nothing separates."""
    d = len(near)
    left = ~near & ~np.eye(d, dtype=bool)
    largest, fewest = np.full((d, d), np.nan), np.full((d, d), 10**9)
    for size in range(max_size + 1):
        frozen = left.copy()
        for i, j in np.argwhere(frozen):
            sides = np.flatnonzero(near[i]), np.flatnonzero(near[j] | frozen[:, j])
            sets = {
                given
                for side in sides
                for given in combinations([k for k in side if k not in (i, j)], size)
            }
            for given in sets:
                p, n_rows = p_value(X, i, j, list(given))
                if np.isnan(p):
                    continue
                largest[i, j] = np.fmax(largest[i, j], p)
                fewest[i, j] = min(fewest[i, j], n_rows)
                left[i, j] &= p <= alpha
    fewest[fewest == 10**9] = -1
    return largest, fewest, left


@pytest.fixture(scope="module")
def small():
    """Data, symmetric adjacency, and the result."""
    X, adjacency, _ = with_cross_edges(300, 7, 0)
    near = (adjacency + adjacency.T).toarray() != 0
    return X, near, dropout_mechanism_test(X, adjacency, alpha=0.2)


class TestSearch:
    def test_against_a_direct_search(self, small):
        X, near, found = small
        largest, fewest, left = search_naively(X, near, 0.2, 2)
        np.testing.assert_allclose(found.pvalues, largest, atol=1e-9)
        np.testing.assert_array_equal(found.n_effective, fewest)
        np.testing.assert_array_equal(found.status == "present", left)
        undecided = near | np.eye(7, dtype=bool)
        np.testing.assert_array_equal(found.status == "undecidable", undecided)

    def test_sets_separate(self, small):
        X, _, found = small
        assert set(found.sepsets) == {
            (i, j) for i, j in np.argwhere(found.status == "absent").tolist()
        }
        for (i, j), given in found.sepsets.items():
            assert not {i, j} & set(given)
            assert p_value(X, i, j, list(given))[0] == pytest.approx(found.pvalues[i, j])

    def test_order_of_columns(self, small):
        X, near, found = small
        order = np.random.default_rng(0).permutation(7)
        again = dropout_mechanism_test(X[:, order], near[np.ix_(order, order)], alpha=0.2)
        np.testing.assert_array_equal(again.status, found.status[np.ix_(order, order)])
        np.testing.assert_allclose(again.pvalues, found.pvalues[np.ix_(order, order)])

    def test_power_and_false_alarms(self):
        hits, alarms = [], []
        for seed in range(5):
            X, adjacency, is_cross = with_cross_edges(5000, 12, seed)
            status = dropout_mechanism_test(X, adjacency, alpha=0.01).status
            present, undecided = status == "present", status == "undecidable"
            hits.append(present[is_cross].mean())
            alarms.append(present[~is_cross & ~undecided].mean())
        assert np.mean(hits) > 0.8
        assert np.mean(alarms) < 0.01

    def test_a_chain_through_another_gene(self):
        """Zeros of 2 depend on 1 alone; 0 is a parent of 1, and independent of them given 1."""
        rng = np.random.default_rng(0)
        X = rng.normal(size=(5000, 3))
        X[:, 1] += X[:, 0]
        X[X[:, 1] > 0.5, 2] = 0
        status = dropout_mechanism_test(X, [[0, 1, 0], [0, 0, 0], [0, 0, 0]], alpha=0.001).status
        assert status[:2, 2].tolist() == ["absent", "present"]

    def test_the_graph_is_searched_with_testwise_deletion(self, small):
        X, _, _ = small
        limits = {"alpha": 0.2, "max_cond_size": 1, "min_samples": 50, "keep": True}
        skeleton = search_skeleton(FisherZ(as_samples(X, "testwise")), **limits)
        options = {"alpha": 0.2, "max_cond_size": 1, "min_samples": 50}
        expected = dropout_mechanism_test(X, skeleton.adjacent, **options)
        found = dropout_mechanism_test(X, **options)
        np.testing.assert_array_equal(found.status, expected.status)
        np.testing.assert_array_equal(found.pvalues, expected.pvalues)


class TestLimits:
    def test_genes_that_are_never_or_always_zero(self):
        X = np.random.default_rng(0).normal(size=(60, 3))
        X[:, 1] = 0
        X[:20, 2] = 0
        status = dropout_mechanism_test(X, np.zeros((3, 3))).status
        assert (status[:, 0] == "absent").all()
        assert (status[:, 1] == "undecidable").all()
        assert status[1, 2] == "undecidable"
        assert status[0, 2] == "absent"

    def test_a_correlation_of_exactly_zero_separates(self):
        """Unlike one that does not exist because nothing varies."""
        X = np.column_stack([np.tile([1.0, 2.0], 40), np.tile([3.0, 4.0, 0, 0], 20)])
        found = dropout_mechanism_test(X, np.zeros((2, 2)))
        assert (found.status[0, 1], found.pvalues[0, 1]) == ("absent", 1)

    def test_few_rows(self, small):
        X, near, found = small
        most = found.n_effective.max()
        none = dropout_mechanism_test(X, near, min_samples=301)
        assert set(none.status.ravel()) == {"undecidable"}
        assert np.isnan(none.pvalues).all()
        assert (none.n_effective == -1).all()
        some = dropout_mechanism_test(X, near, min_samples=int(most))
        assert (some.n_effective[some.status != "undecidable"] >= most).all()

    def test_size_of_sets(self, small):
        X, near, _ = small
        found = dropout_mechanism_test(X, near, alpha=0.2, max_cond_size=0)
        assert set(found.sepsets.values()) == {()}
        unlimited = dropout_mechanism_test(X, near, alpha=0.2, max_cond_size=None)
        assert max(map(len, unlimited.sepsets.values())) <= 5


class TestInput:
    def test_forms(self, small):
        X, near, found = small
        skeleton = sp.csr_array(near.astype(float))
        directed = np.triu(near)
        for graph in (near, skeleton, directed, SimpleNamespace(skeleton_=skeleton)):
            for data in (X, sp.csr_array(X), sp.csc_array(X)):
                again = dropout_mechanism_test(data, graph, alpha=0.2)
                np.testing.assert_array_equal(again.status, found.status)
                np.testing.assert_allclose(again.pvalues, found.pvalues, atol=1e-9)

    def test_threads(self, small):
        X, near, found = small
        again = dropout_mechanism_test(X, near, alpha=0.2, n_jobs=2)
        np.testing.assert_array_equal(again.pvalues, found.pvalues)

    def test_nothing_is_changed(self, small):
        X, near, found = small
        frozen, graph = sp.csc_array(X), near.copy()
        for array in (frozen.data, frozen.indices, frozen.indptr, graph):
            array.flags.writeable = False
        again = dropout_mechanism_test(frozen, graph, alpha=0.2)
        np.testing.assert_array_equal(again.status, found.status)

    def test_frame(self, small):
        X, near, found = small
        names = [f"g{k}" for k in range(7)]
        named = dropout_mechanism_test(pd.DataFrame(X, columns=names), near, alpha=0.2)
        frame = named.to_frame()
        assert len(frame) == 42
        assert frame.pvalue.dropna().is_monotonic_increasing
        for row in frame.itertuples():
            pair = names.index(row.gene), names.index(row.zeros_of)
            assert (row.status, row.n_effective) == (found.status[pair], found.n_effective[pair])
        assert found.to_frame().gene.dtype == np.int64

    def test_missing_pandas(self, small, monkeypatch):
        monkeypatch.setitem(sys.modules, "pandas", None)
        assert isinstance(small[2], DropoutMechanism)
        with pytest.raises(ImportError, match=r"pip install 'sparsekit\[dataframe\]'"):
            small[2].to_frame()

    @pytest.mark.parametrize(
        ("parameters", "error", "message"),
        [
            ({"alpha": 0}, ValueError, "alpha == 0"),
            ({"alpha": "small"}, TypeError, "alpha"),
            ({"max_cond_size": -1}, ValueError, "max_cond_size == -1"),
            ({"min_samples": 0.5}, TypeError, "min_samples"),
            ({"adjacency": np.eye(3)}, ValueError, r"the 7 features of X, .* got shape \(3, 3\)"),
            ({"adjacency": DropoutPC()}, ValueError, "skeleton_, got DropoutPC"),
            ({"X": [[1, np.nan], [0, 1]]}, ValueError, "NaN"),
        ],
    )
    def test_bad_input(self, small, parameters, error, message):
        X, near, _ = small
        with pytest.raises(error, match=message):
            dropout_mechanism_test(**({"X": X, "adjacency": near} | parameters))
