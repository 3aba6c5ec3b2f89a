"""Orbit counts as a scikit-learn transformer."""

from functools import partial
from numbers import Integral

import numpy as np
from sklearn.callback import with_callbacks

from sparsekit._sklearn_compat import Options, fit_context
from sparsekit.core import csr
from sparsekit.graphlets._counts import N_STAGES, count_pattern, nearby
from sparsekit.graphlets._node_transformer import _NodeTransformer
from sparsekit.graphlets._pattern import pattern_of
from sparsekit.graphlets._rows import match_rows, with_new_node

__all__ = ["OrbitCounter"]


class OrbitCounter(_NodeTransformer):
    """Describe nodes by how often they sit on each orbit of the graphlets.

    Parameters
    ----------
    max_nodes : {4, 5}, default=4
        Size of the largest graphlets: 15 or 73 orbits.
    induced : bool, default=True
        Whether only induced occurrences count, or all copies.
    log : bool, default=False
        Return ``log(1 + count)``, as float64: counts span many orders of magnitude, which models
        that look at distances or are penalised do not like.
    n_jobs : int or None, default=None
        Threads; ``None`` means 1 and -1 all cores. The result does not depend on it.

    Attributes
    ----------
    counts_ : ndarray of shape (n_nodes, 15 or 73), int64
        Counts of the fitted nodes.
    n_features_in_ : int
        Number of nodes.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X was a frame with string columns.

    See Also
    --------
    count_orbits : The same as a function of a graph, also for edges.
    sparsekit.compose.NodeFeatures : Counts as features of nodes, for transductive cross-validation.

    Notes
    -----
    X is the adjacency itself: samples are nodes. Weights and self-loops are ignored. Because of the
    ``pairwise`` tag, cross-validation in scikit-learn cuts rows and columns alike, so that it is
    inductive.

    In `transform`, a row whose non-zero columns equal those of a fitted row, with its self-loop or
    without, is that node. Any other row is a new node; its counts are those it would have if it
    alone joined the fitted graph. So a new node with exactly the neighbours of a fitted one is
    taken for that one, and a fitted node that comes with a self-loop it did not have in `fit` for a
    new one.

    References
    ----------
    .. [1] Przulj. "Biological network comparison using graphlet degree distribution."
       Bioinformatics 2007.

    Examples
    --------
    >>> import networkx as nx
    >>> from sparsekit.graphlets import OrbitCounter
    >>> OrbitCounter().fit_transform(nx.karate_club_graph()).shape
    (34, 15)
    """

    _parameter_constraints = {  # noqa: RUF012
        "max_nodes": [Options(Integral, {4, 5})],
        "induced": ["boolean"],
        "log": ["boolean"],
        "n_jobs": [Integral, None],
    }

    def __init__(self, max_nodes=4, *, induced=True, log=False, n_jobs=None):
        self.max_nodes = max_nodes
        self.induced = induced
        self.log = log
        self.n_jobs = n_jobs

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Count the orbits of the nodes of a graph.

        Parameters
        ----------
        X : Graph or {array-like, sparse matrix} of shape (n_nodes, n_nodes)
            Adjacency of an undirected graph, or a networkx or igraph graph. Samples are nodes.
        y : None
            Ignored.

        Returns
        -------
        self : OrbitCounter

        Raises
        ------
        ValueError
            If X is not square, its pattern not symmetric, or a weight NaN or infinite.
        OverflowError
            If a count might not fit into 64 bits.
        """
        checked = self._checked(X)
        pattern = pattern_of(checked)
        settings = {"max_nodes": self.max_nodes, "induced": self.induced}
        counts = self._count(pattern, settings)
        self._remember(X, checked, pattern)
        self.counts_, self._settings = counts, settings
        return self

    def fit_transform(self, X, y=None):
        """Count the orbits of the nodes of a graph and return the counts.

        Parameters
        ----------
        X : Graph or {array-like, sparse matrix} of shape (n_nodes, n_nodes)
            As in `fit`.
        y : None
            Ignored.

        Returns
        -------
        ndarray of shape (n_nodes, 15 or 73), int64, or float64 if `log`

        Raises
        ------
        ValueError, OverflowError
            As in `fit`.
        """
        return self._presented(self.fit(X).counts_.copy())

    def transform(self, X):
        """Counts of fitted or new nodes.

        Parameters
        ----------
        X : Graph or {array-like, sparse matrix} of shape (n_rows, n_nodes)
            Edges from each node to the fitted nodes.

        Returns
        -------
        ndarray of shape (n_rows, 15 or 73), int64, or float64 if `log`

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If X does not have one column a fitted node, or a weight is NaN or infinite.
        OverflowError
            If a count might not fit into 64 bits.
        """
        rows = self._new_rows(X)
        pattern = self._fitted_pattern()
        found = match_rows(self._fitted_adjacency(), rows)
        unmatched = np.flatnonzero(found < 0)  # a self-loop less is no reason to be a new node
        found[unmatched] = match_rows(pattern, csr.canonical(rows[unmatched]))
        counts = self.counts_[found]
        for i in np.flatnonzero(found < 0):
            counts[i] = self._count_new(pattern, rows.indices[rows.indptr[i] : rows.indptr[i + 1]])
        return self._presented(counts)

    def get_feature_names_out(self, input_features=None):
        """Names of the columns: ``orbit_0``, ``orbit_1``, ...

        Parameters
        ----------
        input_features : array-like of shape (n_features_in_,), str, default=None
            Only checked against the names seen in `fit`.

        Returns
        -------
        ndarray of shape (15 or 73,), str objects
        """
        names = super().get_feature_names_out(input_features)
        return np.array([f"orbit_{orbit}" for orbit in range(len(names))], dtype=object)

    @property
    def _n_features_out(self):
        return self.counts_.shape[1]

    @with_callbacks
    def _count(self, pattern, settings):
        context = self._init_callback_context(max_subtasks=N_STAGES[self.max_nodes])
        context.call_on_fit_task_begin(estimator=self)
        stage = partial(self._stage, context)
        counts = count_pattern(pattern, **settings, n_jobs=self.n_jobs, stage=stage)
        context.call_on_fit_task_end(estimator=self)
        return counts

    def _count_new(self, pattern, neighbours):
        """Counts of a node that joins the fitted graph, from its neighbourhood alone."""
        reached = nearby(pattern, neighbours, self._settings["max_nodes"] - 2)
        part = csr.canonical(pattern[reached][:, reached])
        graph = with_new_node(part, np.searchsorted(reached, neighbours))
        new = np.array([graph.shape[0] - 1])
        return count_pattern(graph, **self._settings, rows=new, n_jobs=self.n_jobs)[0]

    def _presented(self, counts):
        return np.log1p(counts) if self.log else counts
