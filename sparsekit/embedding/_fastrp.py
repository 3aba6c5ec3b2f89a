"""FastRP as a scikit-learn transformer, and as a function."""

from collections.abc import Iterator
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.callback import CallbackContext, CallbackSupportMixin, with_callbacks
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from sparsekit._sklearn_compat import Interval, StrOptions, fit_context
from sparsekit.core import csr
from sparsekit.core.csr import CSR
from sparsekit.embedding._propagate import Embedding, embed, embed_new
from sparsekit.embedding._settings import check_settings
from sparsekit.graph import adjacency_of, as_graph

__all__ = ["FastRP", "fastrp_embedding"]


class FastRP(
    CallbackSupportMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """Node embedding by fast random projection.

    A very sparse random matrix is propagated a few steps over the graph, and the steps are added
    with weights (Chen et al., CIKM 2019). There is no training: the cost is one sparse-times-dense
    product a hop.

    Parameters
    ----------
    n_components : int, default=128
        Length of the vectors.
    hop_weights : int or sequence of float, default=16
        Weights w_1, ..., w_k of the hops. An integer k stands for the rising weights
        1/k, 2/k, ..., 1. The paper's setting is ``(0, 0, 1, 6.67)``.
    self_weight : float, default=0.0
        Weight w_0 of a node's own random vector. If it is not 0, isolated nodes are not zero.
    beta : float, default=0.0
        Random vectors are scaled by the node's share of all degrees to this power; negative values
        damp hubs.
    sparsity : float, default=3.0
        One in `sparsity` entries of the random matrix is not zero; at least 1.
    operator : {"random_walk", "adjacency", "symmetric"}, default="random_walk"
        What a hop multiplies by: D^-1 A (mean over out-neighbours, weighted by the edges), A, or
        D^-1/2 A C^-1/2, where D and C hold the sums of rows and columns (equal if undirected).
    normalize : bool, default=True
        Divide the rows of each hop by their Euclidean norms before they are added.
    deflate : bool, default=False
        Remove the stationary direction, in which all nodes of a well-mixed graph become alike.
        Undirected graphs only, not with ``operator="adjacency"``.
    standardize : bool, default=False
        Give the columns mean 0 and standard deviation 1, as penalised linear models like it.
    dtype : dtype, default=numpy.float32
        Of the embedding, float32 or float64.
    random_state : int, RandomState instance or None, default=None
        An integer is the seed of the random matrix itself; its entries depend on the seed, the node
        and the column alone.
    n_jobs : int or None, default=None
        Threads; ``None`` means 1 and -1 all cores. The result does not depend on it.

    Attributes
    ----------
    embedding_ : ndarray of shape (n_nodes, n_components)
        Vectors of the fitted nodes, in `dtype`.
    n_features_in_ : int
        Number of nodes.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X was a frame with string columns.

    See Also
    --------
    fastrp_embedding : The same as a function of a graph.
    sparsekit.compose.NodeFeatures : Node vectors as features, for transductive cross-validation.

    Notes
    -----
    With the random matrix R, the degree scaling L and the operator P: U_0 = L R,
    U_h = P U_{h-1}, and E = w_0 N(U_0) + sum_h w_h N(U_h), where N normalises rows.

    X is the adjacency itself: samples are nodes, entry ``[i, j]`` is the edge i -> j. Because of
    the ``pairwise`` tag, cross-validation in scikit-learn then cuts rows and columns alike, so that
    it is inductive. The fitted adjacency is kept for `transform` and shares memory with a canonical
    CSR input: do not change that in place afterwards. Isolated nodes are zero unless `self_weight`
    is given.

    References
    ----------
    .. [1] Chen, Sultan, Tian, Chen, Skiena. "Fast and Accurate Network Embeddings via Very Sparse
       Random Projection." CIKM 2019. :arxiv:`1908.11512`
    .. [2] Li, Hastie, Church. "Very sparse random projections." KDD 2006.

    Examples
    --------
    >>> import networkx as nx
    >>> from sparsekit.embedding import FastRP
    >>> from sparsekit.graph import as_graph
    >>> graph = as_graph(nx.karate_club_graph())
    >>> FastRP(n_components=8, random_state=0).fit_transform(graph).shape
    (34, 8)
    """

    _parameter_constraints = {  # noqa: RUF012
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "hop_weights": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "self_weight": [Interval(Real, None, None, closed="neither")],
        "beta": [Interval(Real, None, None, closed="neither")],
        "sparsity": [Interval(Real, 1, None, closed="left")],
        "operator": [StrOptions({"random_walk", "adjacency", "symmetric"})],
        "normalize": ["boolean"],
        "deflate": ["boolean"],
        "standardize": ["boolean"],
        "dtype": "no_validation",  # anything that numpy.dtype takes; checked in _settings_of
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        n_components=128,
        *,
        hop_weights=16,
        self_weight=0.0,
        beta=0.0,
        sparsity=3.0,
        operator="random_walk",
        normalize=True,
        deflate=False,
        standardize=False,
        dtype=np.float32,
        random_state=None,
        n_jobs=None,
    ):
        self.n_components = n_components
        self.hop_weights = hop_weights
        self.self_weight = self_weight
        self.beta = beta
        self.sparsity = sparsity
        self.operator = operator
        self.normalize = normalize
        self.deflate = deflate
        self.standardize = standardize
        self.dtype = dtype
        self.random_state = random_state
        self.n_jobs = n_jobs

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Embed the nodes of a graph.

        Parameters
        ----------
        X : Graph or {array-like, sparse matrix} of shape (n_nodes, n_nodes)
            Adjacency with non-negative weights, or a networkx or igraph graph. Samples are nodes. A
            data frame is a square adjacency, too: edge tables go through `as_graph`.
        y : None
            Ignored.

        Returns
        -------
        self : FastRP

        Raises
        ------
        ValueError
            If X is not square, has negative, NaN or infinite weights, or a parameter is out of
            range.
        """
        adjacency = _require_square(self._checked(X))
        return self._embed(X, _packed(adjacency), _draw_seed(self.random_state))

    def fit_transform(self, X, y=None):
        """Embed the nodes of a graph and return their vectors.

        Parameters
        ----------
        X : Graph or {array-like, sparse matrix} of shape (n_nodes, n_nodes)
            As in `fit`.
        y : None
            Ignored.

        Returns
        -------
        ndarray of shape (n_nodes, n_components)
            A copy of `embedding_`, without checking and comparing X a second time.

        Raises
        ------
        ValueError
            As in `fit`.
        """
        return self.fit(X).embedding_.copy()

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None):
        """Add weights, and possibly nodes, to the fitted graph.

        Parameters
        ----------
        X : Graph or {array-like, sparse matrix} of shape (n_nodes_after, n_nodes_after)
            Weights to be added. It may have more nodes than were fitted: the additional ones are
            new. On the first call it is the graph itself.
        y : None
            Ignored.

        Returns
        -------
        self : FastRP
            The same as after a fit of the whole graph, with the random numbers of the first fit.

        Raises
        ------
        ValueError
            As in `fit`, or if X has fewer nodes than the fitted graph.
        """
        if not hasattr(self, "embedding_"):
            return self.fit(X)
        added = self._checked(X)
        grows = added.shape[0] == added.shape[1] > self.n_features_in_
        known = X.iloc[:, : self.n_features_in_] if grows and hasattr(X, "iloc") else X
        if not grows or hasattr(X, "iloc"):  # nodes in another order would be mixed up
            validate_data(self, adjacency_of(known), skip_check_array=True, reset=False)
        _require_square(added)
        total = csr.unpack(self._adjacency, self.n_features_in_).copy()
        total.resize(added.shape)
        return self._embed(X, _packed(total + csr.canonical(added)), self._seed)

    def transform(self, X):
        """Vectors of fitted or new nodes.

        Parameters
        ----------
        X : Graph or {array-like, sparse matrix} of shape (n_new, n_nodes)
            Weights of the edges from each new node to the fitted nodes. The fitted adjacency itself
            is recognised by its content and gives `embedding_`.

        Returns
        -------
        ndarray of shape (n_new, n_components)
            New nodes have no random vector of their own, hence no self term.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If X does not have one column a fitted node, or a weight is not finite or negative.
        """
        check_is_fitted(self)
        rows = _packed(self._checked(X))
        validate_data(self, adjacency_of(X), skip_check_array=True, reset=False)
        if csr.equal(rows, self._adjacency):
            return self.embedding_.copy()
        fitted = Embedding(self.embedding_, *self._fit_details)
        return embed_new(
            csr.read_only(self._adjacency),
            rows,
            self._seed,
            self._settings,
            fitted,
            n_jobs=self.n_jobs,
        )

    @property
    def _n_features_out(self):
        return self.embedding_.shape[1]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = True
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _checked(self, X):
        """Check the values of X; nothing of the estimator is changed yet, in case of an error."""
        X = adjacency_of(X)
        if {"source", "target"} <= set(getattr(X, "columns", ())):
            raise ValueError(
                "expected an adjacency, got a frame with the columns source and target: turn an "
                "edge table into a graph by sparsekit.graph.as_graph first."
            )
        return check_array(
            X,
            accept_sparse=("csr", "csc", "coo"),  # other formats would sum in narrow types
            dtype=(np.float64, np.float32),
            ensure_non_negative=True,
            estimator=self,
            input_name="X",
        )

    @with_callbacks
    def _embed(self, X, adjacency: CSR, seed: int):
        """Embed, and only then take over everything that a fit leaves behind."""
        settings = check_settings(self, adjacency)
        n_hops = len(settings.weights) - 1
        context = self._init_callback_context(max_subtasks=n_hops)
        context.call_on_fit_task_begin(estimator=self)
        hops = self._reported(context, n_hops)
        fitted = embed(adjacency, seed, settings, n_jobs=self.n_jobs, hops=hops)
        validate_data(self, adjacency_of(X), skip_check_array=True, reset=True)
        self.embedding_, *self._fit_details = fitted
        self._adjacency, self._settings, self._seed = adjacency, settings, seed
        context.call_on_fit_task_end(estimator=self)
        return self

    def _reported(self, context: CallbackContext, n_hops: int) -> Iterator[int]:
        """Count the hops, report each to the callbacks, and end early if one asks for it."""
        for h in range(1, n_hops + 1):
            hop = context.subcontext(task_name="hop").call_on_fit_task_begin(estimator=self)
            yield h
            if hop.call_on_fit_task_end(estimator=self):
                return


def fastrp_embedding(
    graph,
    n_components=128,
    *,
    hop_weights=16,
    self_weight=0.0,
    beta=0.0,
    sparsity=3.0,
    operator="random_walk",
    normalize=True,
    deflate=False,
    standardize=False,
    dtype=np.float32,
    random_state=None,
    n_jobs=None,
):
    """Embed the nodes of a graph by fast random projection.

    Parameters
    ----------
    graph : object
        Anything that `sparsekit.graph.as_graph` takes.
    n_components, hop_weights, self_weight, beta, sparsity, operator, normalize, deflate, \
standardize, dtype, random_state, n_jobs : object
        See `FastRP`.

    Returns
    -------
    ndarray of shape (n_nodes, n_components)
        Bitwise `FastRP.embedding_`.

    See Also
    --------
    FastRP : The estimator; formula and references.

    Examples
    --------
    >>> import networkx as nx
    >>> from sparsekit.embedding import fastrp_embedding
    >>> fastrp_embedding(nx.path_graph(5), 4, random_state=0).shape
    (5, 4)
    """
    estimator = FastRP(
        n_components,
        hop_weights=hop_weights,
        self_weight=self_weight,
        beta=beta,
        sparsity=sparsity,
        operator=operator,
        normalize=normalize,
        deflate=deflate,
        standardize=standardize,
        dtype=dtype,
        random_state=random_state,
        n_jobs=n_jobs,
    )
    return estimator.fit(as_graph(graph)).embedding_


def _require_square(X):
    if X.shape[0] != X.shape[1]:
        raise ValueError(
            f"expected a square adjacency (samples are nodes, rows and columns alike), got shape "
            f"{X.shape}."
        )
    return X


def _packed(X) -> CSR:
    return csr.pack(csr.canonical(X))


def _draw_seed(random_state) -> int:
    if isinstance(random_state, Integral):
        return int(random_state)
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))
