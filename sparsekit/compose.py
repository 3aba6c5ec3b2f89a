"""Node features for transductive learning: embed the whole graph, look up the asked-for nodes."""

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.callback import CallbackContext, CallbackSupportMixin, with_callbacks
from sklearn.utils.validation import check_is_fitted, check_memory

from sparsekit.graph import Graph, as_graph

__all__ = ["NodeFeatures"]


class NodeFeatures(CallbackSupportMixin, TransformerMixin, BaseEstimator):
    """Features of nodes from a transformer of the whole graph.

    X is one column of node ids. `fit` fits `transformer` on the adjacency of all nodes, whatever
    ids it is given; `transform` returns the rows of the given ids. In a pipeline, cross-validation
    and grid search thus split the labels but not the graph (transductive learning).

    Parameters
    ----------
    transformer : transformer or Pipeline
        Anything that turns an adjacency of shape (n_nodes, n_nodes) into features of shape
        (n_nodes, n_features).
    graph : Graph
        Or anything that `sparsekit.graph.as_graph` takes; a `Graph` is neither copied nor cloned.
    memory : str or joblib.Memory, default=None
        Cache for the features, so that folds and repeated settings compute them once. Needs an
        integer ``random_state`` in `transformer`.

    Attributes
    ----------
    transformer_ : transformer
        Fitted on the whole graph.
    features_ : {ndarray, sparse matrix} of shape (n_nodes, n_features)
        Features of all nodes.
    graph_ : Graph
    n_features_in_ : int
        Always 1: the column of ids.

    See Also
    --------
    sparsekit.embedding.FastRP : Used bare, it is cross-validated inductively.

    Notes
    -----
    Transductive scores use the edges (never the labels) of the test nodes, so they differ from
    inductive ones.

    Examples
    --------
    >>> import networkx as nx
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import cross_val_score
    >>> from sklearn.pipeline import make_pipeline
    >>> from sparsekit.compose import NodeFeatures
    >>> from sparsekit.embedding import FastRP
    >>> from sparsekit.graph import as_graph
    >>> club = nx.karate_club_graph()
    >>> nodes = np.arange(34).reshape(-1, 1)
    >>> side = np.array([club.nodes[node]["club"] for node in club])
    >>> features = NodeFeatures(FastRP(16, random_state=0), graph=as_graph(club))
    >>> model = make_pipeline(features, LogisticRegression())
    >>> bool(cross_val_score(model, nodes, side, cv=4).mean() > 0.8)
    True
    """

    def __init__(self, transformer, *, graph, memory=None):
        self.transformer = transformer
        self.graph = graph
        self.memory = memory

    @with_callbacks
    def fit(self, X, y=None):
        """Fit the transformer on the whole graph.

        Parameters
        ----------
        X : array-like of shape (n_samples,) or (n_samples, 1)
            Node names, or positions if the graph has no names.
        y : None
            Ignored.

        Returns
        -------
        self : NodeFeatures

        Raises
        ------
        ValueError
            If X has more than one column or an id that is not in the graph.
        TypeError
            If `graph` is no graph.
        """
        context = self._init_callback_context(max_subtasks=1)
        context.call_on_fit_task_begin(estimator=self)
        graph = as_graph(self.graph)
        graph.indices_of(_node_ids(X))
        subtask = context.subcontext(task_name="embed-graph")
        subtask.call_on_fit_task_begin(estimator=self)
        embed = check_memory(self.memory).cache(_fit_transform, ignore=["subtask"])
        transformer, features = embed(clone(self.transformer), graph, subtask)
        subtask.call_on_fit_task_end(estimator=self)
        self.graph_, self.transformer_, self.features_ = graph, transformer, features
        self.n_features_in_ = 1
        context.call_on_fit_task_end(estimator=self)
        return self

    def transform(self, X):
        """Features of the given nodes.

        Parameters
        ----------
        X : array-like of shape (n_samples,) or (n_samples, 1)
            Node names, or positions if the graph has no names.

        Returns
        -------
        {ndarray, sparse matrix} of shape (n_samples, n_features)

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If X has more than one column or an id that is not in the graph.
        """
        check_is_fitted(self)
        return self.features_[self.graph_.indices_of(_node_ids(X))]

    def get_feature_names_out(self, input_features=None):
        """Names of the features, as the transformer calls them.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        ndarray of shape (n_features,), object
        """
        check_is_fitted(self)
        return self.transformer_.get_feature_names_out()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags


def _fit_transform(transformer, graph: Graph, subtask: CallbackContext):
    """Run in the cache, whose key must not see the callbacks: they differ from run to run."""
    with subtask.propagate_callback_context(transformer):
        features = transformer.fit_transform(graph.adjacency)
    if hasattr(features, "to_numpy"):  # the transformer was set to give frames
        features = features.to_numpy()
    return transformer, features.tocsr() if issparse(features) else np.asarray(features)


def _node_ids(X):
    """One column of ids as a flat sequence, without turning tuples into columns."""
    if isinstance(X, str):
        raise ValueError(f"expected one column of node ids, got the string {X!r}: pass a list.")
    ids = X.to_numpy() if hasattr(X, "to_numpy") else X
    shape = getattr(ids, "shape", None)
    if shape is None:
        rows = list(ids)
        nested = bool(rows) and all(isinstance(row, list) and len(row) == 1 for row in rows)
        return [row[0] for row in rows] if nested else rows
    if len(shape) == 2 and shape[1] == 1:
        return ids[:, 0]
    if len(shape) != 1:
        raise ValueError(
            f"expected one column of node ids, got shape {shape}: the graph itself belongs into "
            "the parameter graph."
        )
    return ids
