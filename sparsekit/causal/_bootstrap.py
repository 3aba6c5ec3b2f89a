"""Confidence in edges: how often they are found again in resampled data."""

from numbers import Integral
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.callback import CallbackContext, CallbackSupportMixin, with_callbacks
from sklearn.utils import check_random_state, get_tags, resample
from sklearn.utils.validation import check_is_fitted

from sparsekit._sklearn_compat import Interval, fit_context
from sparsekit.causal._inputs import check_share
from sparsekit.causal._members import frequencies, run_members
from sparsekit.core import csr

__all__ = ["BootstrapEdges"]


class BootstrapEdges(CallbackSupportMixin, MetaEstimatorMixin, BaseEstimator):
    """Frequencies of edges over bootstrap resamples.

    The samples are drawn anew with replacement, `n_resamples` times, and a graph is learned from
    each. How often an edge is found says how far it depends on the very samples at hand [1]_. It
    says nothing of errors that all resamples share, such as those of a wrong model.

    Parameters
    ----------
    estimator : estimator
        One with the attribute ``adjacency_`` after `fit`, such as `CoLiDE`: an array or a sparse
        matrix of shape (n_features, n_features), a DAG or a CPDAG, in which an undirected edge is
        at both entries. If a ``random_state`` in it is None, each resample gets its own.
    n_resamples : int, default=100
        Number of resamples.
    random_state : int, RandomState instance or None, default=None
        Drawn from before the fits, so that the result does not depend on how they are run.
    n_jobs : int or None, default=None
        Resamples at a time, on joblib's workers; ``None`` means 1 and -1 all cores. The result does
        not depend on it.

    Attributes
    ----------
    edge_frequencies_ : csr_array of shape (n_features, n_features), float64
        Entry [i, j] is the share of resamples with the edge i -> j. The undirected edges of a CPDAG
        count at both entries.
    skeleton_frequencies_ : csr_array of shape (n_features, n_features), float64
        Share of resamples with any edge between i and j. Symmetric.
    estimator_ : estimator
        Fitted on all samples.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if the estimator has found names in X.

    See Also
    --------
    CoLiDE : Linear DAG learning.
    stability_selection : Half-samples instead, with a bound on the number of false edges.

    Notes
    -----
    With small samples a resample may lack a level of a variable, or leave a column constant;
    estimators of this package then have no edge there. Warnings of the fits are given once each.

    References
    ----------
    .. [1] Friedman, Goldszmidt, Wyner. "Data Analysis with Bayesian Networks: A Bootstrap
       Approach." UAI 1999.

    Examples
    --------
    >>> from sparsekit.causal import BootstrapEdges, CoLiDE
    >>> from sparsekit.datasets import make_linear_sem
    >>> X, adjacency = make_linear_sem(200, 4, degree=1, random_state=0)
    >>> bootstrap = BootstrapEdges(CoLiDE(), n_resamples=20, random_state=0).fit(X)
    >>> bool(bootstrap.edge_frequencies_[adjacency.nonzero()].min() > 0.9)
    True
    """

    _parameter_constraints = {  # noqa: RUF012
        "estimator": "no_validation",
        "n_resamples": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
    }

    def __init__(self, estimator, n_resamples=100, *, random_state=None, n_jobs=None):
        self.estimator = estimator
        self.n_resamples = n_resamples
        self.random_state = random_state
        self.n_jobs = n_jobs

    @fit_context(prefer_skip_nested_validation=False)
    @with_callbacks
    def fit(self, X, y=None):
        """Learn a graph from all samples, and from every resample.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Whatever the estimator takes.
        y : None
            Ignored.

        Returns
        -------
        self : BootstrapEdges

        Raises
        ------
        TypeError
            If the estimator has no ``adjacency_`` after its fit.
        ValueError
            If a parameter is out of range, or what the estimator raises.
        """
        context = self._init_callback_context(max_subtasks=1 + self.n_resamples)
        context.call_on_fit_task_begin(estimator=self, X=X)
        members = self._members(context, X)
        whole = members[0][2]
        _fit_member(*members[0])
        # The two decorators lie between this line and the caller's.
        patterns = run_members(_fit_member, members[1:], self.n_jobs, stacklevel=4)
        edges = frequencies(patterns)
        skeleton = frequencies([pattern + pattern.T for pattern in patterns])
        self.estimator_, self.n_features_in_ = whole, whole.n_features_in_
        if hasattr(whole, "feature_names_in_"):  # of an AnnData, too, which only it can read
            self.feature_names_in_ = whole.feature_names_in_
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        self.edge_frequencies_, self.skeleton_frequencies_ = edges, skeleton
        context.call_on_fit_task_end(estimator=self, X=X)
        return self

    def consensus_dag(self, min_frequency=0.5):
        """DAG of the most frequent edges.

        Edges are taken in the order of their frequencies (ties: row, then column), those that would
        close a cycle with the ones before left out.

        Parameters
        ----------
        min_frequency : float, default=0.5
            Edges below are left out.

        Returns
        -------
        csr_array of shape (n_features, n_features), float64
            Frequencies of the edges of the DAG.

        Raises
        ------
        NotFittedError
            Before `fit`.
        TypeError, ValueError
            If `min_frequency` is no number in [0, 1].
        """
        check_is_fitted(self)
        check_share(min_frequency, "min_frequency")
        edges = self.edge_frequencies_.tocoo()
        is_kept = np.zeros(edges.nnz, dtype=bool)
        reaches = np.eye(edges.shape[0], dtype=bool)
        for slot in np.argsort(-edges.data, kind="stable"):
            i, j = edges.row[slot], edges.col[slot]
            if edges.data[slot] >= min_frequency and not reaches[j, i]:
                is_kept[slot] = True
                reaches[reaches[:, i]] |= reaches[j]
        kept = (edges.data[is_kept], (edges.row[is_kept], edges.col[is_kept]))
        return csr.canonical(sp.csr_array(kept, shape=edges.shape))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags

    def _members(self, context: CallbackContext, X: Any) -> list[tuple]:
        """Arguments of all fits, that of all samples first; everything random is drawn here."""
        generator = check_random_state(self.random_state)
        seeds = generator.randint(np.iinfo(np.int32).max, size=(1 + self.n_resamples, 2))
        members = []
        for number, (rows_seed, fit_seed) in enumerate(seeds.tolist()):
            subtask = context.subcontext(task_name="resample" if number else "all-samples")
            estimator = _with_seed(clone(self.estimator), fit_seed)
            members.append((self, subtask, estimator, X, rows_seed if number else None))
        return members


def _with_seed(estimator: BaseEstimator, seed: int) -> BaseEstimator:
    """Set every random state that is None."""
    generator = np.random.RandomState(seed)
    names = sorted(
        name
        for name, value in estimator.get_params().items()
        if value is None and name.rpartition("__")[2] == "random_state"
    )
    return estimator.set_params(**{name: generator.randint(2**31 - 1) for name in names})


def _fit_member(
    caller: BaseEstimator,
    subtask: CallbackContext,
    estimator: BaseEstimator,
    X: Any,
    rows_seed: int | None,
) -> sp.csr_array:
    """Fit on a resample, or on all samples if there is no seed; returns the pattern of edges."""
    rows = X if rows_seed is None else resample(X, random_state=rows_seed)
    with subtask.propagate_callback_context(estimator):
        subtask.call_on_fit_task_begin(estimator=caller, X=rows)
        estimator.fit(rows)
    subtask.call_on_fit_task_end(estimator=caller, X=rows)
    if not hasattr(estimator, "adjacency_"):
        raise TypeError(
            "expected an estimator with the attribute adjacency_ after fit, such as CoLiDE, got "
            f"{estimator!r}."
        )
    return csr.canonical(estimator.adjacency_) != 0
