"""Which zeros depend on which genes: a check of what test-wise deletion takes for granted."""

from collections.abc import Iterator
from itertools import chain, combinations, islice
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.base import BaseEstimator
from sklearn.utils import check_array, check_scalar
from sklearn.utils.validation import check_is_fitted

from sparsekit.causal._inputs import labels_for
from sparsekit.causal.dropout._correlate import correlate
from sparsekit.causal.dropout._fisher_z import FisherZ, p_values
from sparsekit.causal.dropout._intake import read_table
from sparsekit.causal.dropout._samples import Samples, as_samples, make_tests
from sparsekit.causal.dropout._skeleton import search_skeleton

__all__ = ["DropoutMechanism", "dropout_mechanism_test"]

_ABSENT, _PRESENT, _UNDECIDABLE = "absent", "present", "undecidable"

_NO_ROWS = np.iinfo(np.int64).max

# Tests listed at once.
_BATCH_SIZE = 2**16

_Sets = dict[tuple[int, int], tuple[int, ...]]


class DropoutMechanism(NamedTuple):
    """Which zeros depend on which genes, as `dropout_mechanism_test` returns it.

    Parameters
    ----------
    status : ndarray of shape (n_features, n_features), str
        Entry [i, j]: whether the zeros of j depend directly on gene i, "absent", "present" or
        "undecidable".
    pvalues : ndarray of shape (n_features, n_features), float64
        Largest p-value of the tests of each pair, NaN if there was none.
    n_effective : ndarray of shape (n_features, n_features), int64
        Fewest rows of these tests, -1 if there was none.
    sepsets : dict
        Of each pair (i, j) that a test has separated: the conditioning set with the largest
        p-value at the level where that happened, a tuple of int.
    feature_names : ndarray of shape (n_features,), object, or None

    See Also
    --------
    dropout_mechanism_test : What the fields mean, in full.

    Examples
    --------
    >>> from sparsekit.causal import dropout_mechanism_test
    >>> from sparsekit.datasets import make_dropout_sem
    >>> X, adjacency = make_dropout_sem(2000, 4, degree=0.5, random_state=0)
    >>> mechanism = dropout_mechanism_test(X, adjacency, alpha=0.001)
    >>> mechanism.to_frame().columns.tolist()
    ['gene', 'zeros_of', 'status', 'pvalue', 'n_effective']
    """

    status: np.ndarray
    pvalues: np.ndarray
    n_effective: np.ndarray
    sepsets: _Sets
    feature_names: np.ndarray | None

    def to_frame(self) -> Any:
        """List all ordered pairs of different genes in a data frame; needs pandas.

        Returns
        -------
        pandas.DataFrame
            Columns ``gene``, ``zeros_of``, ``status``, ``pvalue`` and ``n_effective``; the smallest
            p-values first, pairs without a test last.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError(
                "to_frame needs pandas: pip install 'sparsekit[dataframe]'."
            ) from error
        labels = np.array(labels_for(self.feature_names, len(self.status)), dtype=object)
        i, j = np.nonzero(~np.eye(len(labels), dtype=bool))
        columns = {
            "gene": labels[i],
            "zeros_of": labels[j],
            "status": self.status[i, j],
            "pvalue": self.pvalues[i, j],
            "n_effective": self.n_effective[i, j],
        }
        frame = pd.DataFrame(columns).infer_objects()
        return frame.sort_values("pvalue", kind="stable", ignore_index=True)


def dropout_mechanism_test(
    X: Any,
    adjacency: Any = None,
    *,
    alpha: float = 0.05,
    max_cond_size: int | None = 2,
    min_samples: int | None = None,
    n_jobs: int | None = None,
) -> DropoutMechanism:
    """Test whether the zeros of a gene depend on other genes.

    `DropoutPC` and `DropoutGES` take for granted that whether a gene is seen as zero depends on the
    expression of this gene alone. This function drops that assumption for all pairs of genes that
    are not adjacent. The zeros of j do not depend directly on gene i if some set S of other genes
    makes ``X_i`` independent of the event ``X_j = 0``, on the rows where i and S are not zero.

    Parameters
    ----------
    X : array-like, sparse, data frame or AnnData of shape (n_samples, n_features)
        Sparse data are not made dense.
    adjacency : array-like or sparse of shape (n_features, n_features), or estimator, default=None
        Which genes are adjacent, in whatever direction: a graph, or a fitted estimator with a
        ``skeleton_``. It should be found with ``zero_handling="testwise"``, which stays valid if
        zeros depend on other genes. None: searched so, with the parameters below.
    alpha : float, default=0.05
        A pair is separated if the p-value of a test is larger. The tests of many pairs are not
        corrected: choose a smaller level, or apply `scipy.stats.false_discovery_control` to the
        p-values.
    max_cond_size : int, default=2
        Size of the sets S. None: no limit.
    min_samples : int, default=None
        Rows that a test needs at least; none needs fewer than the size of S plus 4. Tests with too
        few rows, or where gene or zeros do not vary on these rows given S, are left out.
    n_jobs : int, default=None
        Number of threads; None means 1. The result does not depend on it.

    Returns
    -------
    DropoutMechanism
        With, for all ordered pairs (i, j):

        - status : ndarray of shape (n_features, n_features), str.
          "absent": a test separates, or j is never zero. "present": there were tests and none
          separates. "undecidable": the genes are adjacent or the same, for then any dependence
          can come from ``X_j`` itself; or no test had rows enough.
        - pvalues : ndarray of shape (n_features, n_features), float64. The largest of each pair.
        - n_effective : ndarray of shape (n_features, n_features), int64. Fewest rows of its tests.
        - sepsets : dict of the sets that separate.
        - feature_names : ndarray of shape (n_features,), object, or None.

    Raises
    ------
    TypeError, ValueError
        If a parameter is of the wrong type or out of its range, X is no table of finite numbers, or
        the graph has another number of features.

    Notes
    -----
    The sets S are searched as by PC: of one size after the other, among the neighbours of i, and
    among those of j with the genes on which the zeros of j may still depend; neither i nor j are
    members. The tests are Fisher's z of ``X_i`` and the indicator of the zeros (a point-biserial
    partial correlation). As they see linear dependence only, false findings are possible where the
    rows that remain make the regression of ``X_i`` on ``X_S`` curved, as with truncation.

    A finding is as good as the graph: if two adjacent genes are taken for non-adjacent, the zeros
    of each depend on the other.

    References
    ----------
    H. Dai, I. Ng, G. Luo, P. Spirtes, P. Stojanov, K. Zhang: "Gene regulatory network inference in
    the presence of dropouts: a causal view", ICLR 2024, arXiv:2403.15500.

    Examples
    --------
    The zeros of the last gene depend on the first one, which is not its neighbour.

    >>> import numpy as np
    >>> from sparsekit.causal import dropout_mechanism_test
    >>> from sparsekit.datasets import make_dropout_sem
    >>> X, adjacency = make_dropout_sem(5000, 3, degree=0, random_state=0)
    >>> X[X[:, 0] > 1, 2] = 0
    >>> dropout_mechanism_test(X, adjacency, alpha=0.001).status.tolist()
    [['undecidable', 'absent', 'present'],
     ['absent', 'undecidable', 'absent'],
     ['absent', 'absent', 'undecidable']]
    """
    check_scalar(alpha, "alpha", Real, min_val=0, max_val=1, include_boundaries="neither")
    if max_cond_size is not None:
        check_scalar(max_cond_size, "max_cond_size", Integral, min_val=0)
    if min_samples is not None:
        check_scalar(min_samples, "min_samples", Integral, min_val=1)
    table = read_table(X, "dropout_mechanism_test")
    n, d = table.values.shape
    least = min_samples or 0
    if adjacency is None:
        adjacent = search_skeleton(
            FisherZ(as_samples(table.values, "testwise"), n_jobs),
            alpha=alpha,
            max_cond_size=max_cond_size,
            min_samples=least,
            keep=True,
        ).adjacent
    else:
        adjacent = _read_adjacency(adjacency, d)
    search = _Search(_with_indicators(table.values), adjacent, alpha, least, n_jobs)
    search.run(d if max_cond_size is None else max_cond_size)
    status = search.judge()
    status[:, _count_nonzero(table.values) == n] = _ABSENT
    n_rows = np.where(search.n_rows == _NO_ROWS, -1, search.n_rows)
    return DropoutMechanism(status, search.pvalues, n_rows, search.sepsets, table.names)


def _read_adjacency(adjacency: Any, n_features: int) -> np.ndarray:
    if isinstance(adjacency, BaseEstimator):
        expected = "expected a graph or a fitted estimator with a skeleton_, got %(name)s."
        check_is_fitted(adjacency, "skeleton_", msg=expected)
    matrix = getattr(adjacency, "skeleton_", adjacency)
    matrix = check_array(matrix, accept_sparse=True, input_name="adjacency")
    if matrix.shape != (n_features, n_features):
        raise ValueError(
            f"expected a graph of the {n_features} features of X, shape {(n_features, n_features)},"
            f" got shape {matrix.shape}."
        )
    edges = matrix.toarray() != 0 if sp.issparse(matrix) else matrix != 0
    return (edges | edges.T) & ~np.eye(n_features, dtype=bool)


def _count_nonzero(values: np.ndarray | sp.csc_array) -> np.ndarray:
    """Of each column; the sparse ones store no zeros."""
    return np.diff(values.indptr) if sp.issparse(values) else np.count_nonzero(values, axis=0)


def _with_indicators(values: np.ndarray | sp.csc_array) -> Samples:
    """Append, for each column, whether it is not zero; these are known in all rows."""
    if sp.issparse(values):
        ones = np.ones(len(values.data))
        seen = sp.csc_array((ones, values.indices, values.indptr), shape=values.shape)
        both = sp.csc_array(sp.hstack([values, seen], format="csc"))
    else:
        both = np.hstack([values, values != 0])
    samples = as_samples(both, "testwise")
    masks = samples.masks.copy()
    masks[values.shape[1] :] = ~np.uint64(0)
    masks.flags.writeable = False  # as those of other samples: kernels are compiled for one type
    return samples._replace(masks=masks)


class _Search:
    """Search for sets that separate genes from the indicators of others."""

    def __init__(
        self,
        samples: Samples,
        adjacent: np.ndarray,
        alpha: float,
        min_samples: int,
        n_jobs: int | None,
    ):
        self.samples, self.adjacent, self.n_jobs = samples, adjacent, n_jobs
        self.alpha, self.min_samples = alpha, min_samples
        # Entry [i, j]: the zeros of j may still depend on i, as far as tests have told.
        self.candidates = ~adjacent & ~np.eye(len(adjacent), dtype=bool)
        self.pvalues = np.full(adjacent.shape, np.nan)
        self.n_rows = np.full(adjacent.shape, _NO_ROWS)
        self.sepsets: _Sets = {}

    def run(self, max_size: int) -> None:
        """Test given larger and larger sets, each level on what the one before has left."""
        for size in range(max_size + 1):
            tests = self._tests(size)
            separated: dict[tuple[int, int], tuple[float, tuple[int, ...]]] = {}
            n_tests = 0
            while batch := list(islice(tests, _BATCH_SIZE)):
                n_tests += len(batch)
                self._test(batch, size, separated)
            if n_tests == 0:
                break
            for pair, (_, given) in separated.items():
                self.candidates[pair] = False
                self.sepsets[pair] = given

    def _tests(self, size: int) -> Iterator[tuple[int, int, tuple[int, ...]]]:
        frozen, d = self.candidates.copy(), len(self.candidates)
        near_gene = [np.flatnonzero(row).tolist() for row in self.adjacent]
        near_zeros = [np.flatnonzero(row).tolist() for row in (self.adjacent | frozen).T]
        for i, j in np.argwhere(frozen).tolist():
            sides = (
                combinations([k for k in near[end] if k not in (i, j)], size)
                for near, end in ((near_gene, i), (near_zeros, j))
            )
            for given in dict.fromkeys(chain.from_iterable(sides)):
                yield i, d + j, given

    def _test(
        self, batch: list[tuple[int, int, tuple[int, ...]]], size: int, separated: dict
    ) -> None:
        tests, order = make_tests(batch)
        rho, n_rows = correlate(self.samples, tests, self.n_jobs, undefined=np.nan)
        usable = ~np.isnan(rho) & (n_rows >= max(self.min_samples, size + 4))
        strengths = np.arctanh(np.abs(rho[usable]))
        p = p_values(np.sqrt(n_rows[usable] - size - 3) * strengths)
        i, j = tests.x[usable], tests.y[usable] - len(self.candidates)
        np.fmax.at(self.pvalues, (i, j), p)
        np.minimum.at(self.n_rows, (i, j), n_rows[usable])
        numbers = order[usable]
        for test in np.flatnonzero(p > self.alpha).tolist():
            pair = int(i[test]), int(j[test])
            found = -float(p[test]), batch[numbers[test]][2]
            separated[pair] = min(found, separated.get(pair, found))

    def judge(self) -> np.ndarray:
        """Status of each pair."""
        tested = ~np.isnan(self.pvalues)
        left = np.where(tested, _PRESENT, _UNDECIDABLE)
        return np.where(tested & ~self.candidates, _ABSENT, left)
