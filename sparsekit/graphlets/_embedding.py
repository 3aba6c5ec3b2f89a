"""Node embeddings by factorisation, as scikit-learn transformers."""

from abc import ABCMeta, abstractmethod
from collections.abc import Iterator
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.callback import with_callbacks
from sklearn.utils import check_random_state

from sparsekit._sklearn_compat import Interval, StrOptions, fit_context
from sparsekit.core import csr
from sparsekit.graphlets._adjacency import adjacencies_of
from sparsekit.graphlets._node_transformer import _NodeTransformer
from sparsekit.graphlets._pattern import pattern_of
from sparsekit.graphlets._rows import match_rows
from sparsekit.graphlets.factors._factorise import Factors, truncated_svd
from sparsekit.graphlets.factors._new_rows import batches, new_rows
from sparsekit.graphlets.factors._random_walk import MAX_NODES, walk_matrix, walk_rows
from sparsekit.graphlets.factors._weighting import blocks_of, stack_blocks, stack_new_blocks

__all__ = ["OrbitAdjacencyEmbedding", "RandomWalkEmbedding"]


class _FactorEmbedding(_NodeTransformer, metaclass=ABCMeta):
    """A matrix of pairs of nodes, factorised.

    With V ~ U S W' the fitted nodes are at U S^(1/2), and a new row v of V at v W S^(-1/2).
    """

    _symmetric = False

    @abstractmethod
    def _matrix_of(self, pattern) -> tuple[Any, dict]:
        """V, and the private attributes that `_rows_of` needs."""

    @abstractmethod
    def _rows_of(self, neighbours) -> Iterator:
        """Rows of V for nodes that join the fitted graph, each alone, in batches."""

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Embed the nodes of a graph.

        Parameters
        ----------
        X : Graph or {array-like, sparse matrix} of shape (n_nodes, n_nodes)
            Adjacency of an undirected graph, or a networkx or igraph graph. Samples are nodes.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If X is not square, its pattern not symmetric, a weight NaN or infinite, or a parameter
            out of range.
        """
        checked = self._checked(X)
        pattern = pattern_of(checked)
        factors, details = self._factorise(pattern)
        self._remember(X, checked, pattern)
        left, values, right = factors
        roots = np.sqrt(values)
        left *= roots
        right /= np.where(roots > 0, roots, 1)
        self.embedding_, self.singular_values_, self._projection = left, values, right
        vars(self).update(details)
        return self

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
        ndarray of shape (n_nodes, min(n_components, n_nodes)), float64
            A copy of `embedding_`.

        Raises
        ------
        ValueError
            As in `fit`.
        """
        return self.fit(X).embedding_.copy()

    def transform(self, X):
        """Vectors of fitted or new nodes.

        Parameters
        ----------
        X : Graph or {array-like, sparse matrix} of shape (n_rows, n_nodes)
            Edges from each node to the fitted nodes.

        Returns
        -------
        ndarray of shape (n_rows, min(n_components, n_nodes)), float64

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If X does not have one column a fitted node, or a weight is NaN or infinite.
        """
        rows, fitted = self._new_rows(X), self._fitted_adjacency()
        if csr.equal(csr.pack(rows), self._fitted):
            return self.embedding_.copy()
        found = match_rows(fitted, rows, values=True)
        unmatched = np.flatnonzero(found < 0)
        found[unmatched] = match_rows(fitted, csr.canonical(rows[unmatched]))
        vectors = self.embedding_[found]
        new = np.flatnonzero(found < 0)
        if len(new):
            neighbours = csr.canonical(rows[new])
            parts = [part @ self._projection for part in self._rows_of(neighbours)]
            vectors[new] = np.concatenate(parts)
        return vectors

    @property
    def _n_features_out(self):
        return self.embedding_.shape[1]

    @with_callbacks
    def _factorise(self, pattern) -> tuple[Factors, dict]:
        context = self._init_callback_context(max_subtasks=2)
        context.call_on_fit_task_begin(estimator=self)
        with self._stage(context, "weigh-pairs"):
            matrix, details = self._matrix_of(pattern)
        with self._stage(context, "factorise"):
            n_components = min(self.n_components, pattern.shape[0])
            random = check_random_state(self.random_state)
            factors = truncated_svd(matrix, n_components, random, symmetric=self._symmetric)
        context.call_on_fit_task_end(estimator=self)
        return factors, details


class OrbitAdjacencyEmbedding(_FactorEmbedding):
    """Node embedding by factorising which nodes meet on which orbits of graphlets.

    An orbit adjacency counts for each pair of nodes how often the one sits on orbit i and the other
    on orbit j of the same graphlet. Its entries are compared with what the sums of rows and columns
    let expect, and the result is factorised. Nodes come close to each other if they meet the same
    nodes in the same roles.

    Parameters
    ----------
    n_components : int, default=128
        Length of the vectors; at most the number of nodes is used.
    pair : "all", (int, int) or (int, int, int), default="all"
        Orbits of the two nodes, and optionally their distance inside the graphlet (without it
        counts at all distances are added). ``"all"``: every pair but (4, 4, 3), each scaled to
        Frobenius norm 1, side by side. To choose one is a case for `GridSearchCV`.
    weighting : {"ppmi", "normalized"}, default="ppmi"
        Positive pointwise mutual information, or counts over the root of both sums.
    random_state : int, RandomState instance or None, default=None
        Draws the vectors that the factorisation starts from. It matters by rounding only, unless
        singular values coincide.
    n_jobs : int or None, default=None
        Threads for counting; ``None`` means 1 and -1 all cores. The result does not depend on it.

    Attributes
    ----------
    embedding_ : ndarray of shape (n_nodes, min(n_components, n_nodes)), float64
        Vectors of the fitted nodes; columns beyond the rank are 0.
    singular_values_ : ndarray of shape (min(n_components, n_nodes),)
        Of the factorised matrix, decreasing; the columns' squared norms.
    n_features_in_ : int
        Number of nodes.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X was a frame with string columns.

    See Also
    --------
    orbit_adjacencies : The matrices themselves.
    RandomWalkEmbedding : The same factorisation of random walks.
    sparsekit.compose.NodeFeatures : Vectors as features, for transductive cross-validation.

    Notes
    -----
    With X an orbit adjacency, PPMI(u, v) = max(0, log(X(u, v) sum(X) / (X(u, .) X(., v)))) where
    X(u, v) > 0, and 0 elsewhere. Of its truncated singular value decomposition U S W' the vectors
    are U S^(1/2), with the sign of each column such that its largest entry is positive.

    X is the adjacency itself: samples are nodes. Weights and self-loops are ignored. Because of the
    ``pairwise`` tag, cross-validation in scikit-learn cuts rows and columns alike, so that it is
    inductive. In `transform`, a row with the values of a fitted one, or failing that with its
    non-zero columns, is that node (the first, if there are several). Any other row is a new node
    that alone joins the fitted graph: its row of V, weighted by the sums of the fitted graph, is
    multiplied by W S^(-1/2).

    Beyond some hundred nodes everything stays sparse, unless `n_components` is a third of the nodes
    or more. With ``pair="all"`` W has about 27 rows a node, and is kept.

    References
    ----------
    .. [1] Windels, Malod-Dognin, Przulj. "Graphlet Laplacians for topology-function and
       topology-disease relationships." Bioinformatics 2019.
    .. [2] Levy, Goldberg. "Neural word embedding as implicit matrix factorization." NeurIPS 2014.

    Examples
    --------
    >>> import networkx as nx
    >>> from sparsekit.graphlets import OrbitAdjacencyEmbedding
    >>> club = nx.karate_club_graph()
    >>> OrbitAdjacencyEmbedding(8, pair=(1, 2), random_state=0).fit_transform(club).shape
    (34, 8)
    """

    _parameter_constraints = {  # noqa: RUF012
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "pair": [StrOptions({"all"}), tuple, list],
        "weighting": [StrOptions({"ppmi", "normalized"})],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self, n_components=128, *, pair="all", weighting="ppmi", random_state=None, n_jobs=None
    ):
        self.n_components = n_components
        self.pair = pair
        self.weighting = weighting
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _matrix_of(self, pattern):
        blocks = blocks_of(self.pair)
        keys = [key for block in blocks for key in block]
        adjacencies = adjacencies_of(pattern, keys, self.n_jobs)
        matrix, kept = stack_blocks(adjacencies, blocks, self.weighting)
        return matrix, {"_blocks": kept, "_weighting": self.weighting}

    def _rows_of(self, neighbours):
        pattern = self._fitted_pattern()
        triangles = adjacencies_of(pattern, [(3, 3, 1)], self.n_jobs)[3, 3, 1]
        keys = [key for block, _ in self._blocks for key in block]
        for lo, hi in batches(pattern, neighbours):
            rows = new_rows(pattern, triangles, neighbours[lo:hi], keys)
            yield stack_new_blocks(rows, self._blocks, self._weighting, hi - lo)


class RandomWalkEmbedding(_FactorEmbedding):
    """Node embedding by factorising what random walks meet: DeepWalk and LINE without sampling.

    The baseline beside `OrbitAdjacencyEmbedding`: the same weighting and factorisation, of the
    average over the first steps of a random walk (NetMF).

    Parameters
    ----------
    n_components : int, default=128
        Length of the vectors; at most the number of nodes is used.
    window : int, default=10
        Number of steps T; 1 is LINE.
    weighting : {"ppmi"}, default="ppmi"
        Positive pointwise mutual information, the only choice.
    random_state : int, RandomState instance or None, default=None
        Draws the vectors that the factorisation starts from. It matters by rounding only, unless
        singular values coincide.
    n_jobs : int or None, default=None
        Threads for the walks; ``None`` means 1 and -1 all cores. The result does not depend on it.

    Attributes
    ----------
    embedding_ : ndarray of shape (n_nodes, min(n_components, n_nodes)), float64
        Vectors of the fitted nodes; columns beyond the rank are 0.
    singular_values_ : ndarray of shape (min(n_components, n_nodes),)
        Of the factorised matrix, decreasing; the columns' squared norms.
    n_features_in_ : int
        Number of nodes.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X was a frame with string columns.

    See Also
    --------
    OrbitAdjacencyEmbedding : The same factorisation of orbit adjacencies, sparse.
    sparsekit.embedding.FastRP : An embedding for graphs of any size.

    Notes
    -----
    V = log max(1, vol / T (P + ... + P^T) D^-1), with P = D^-1 A, the degrees D and their sum vol.
    Of its truncated singular value decomposition U S W' the vectors are U S^(1/2), with the sign of
    each column such that its largest entry is positive. V is dense, n_nodes by n_nodes: more than
    10,000 nodes (800 MB) are refused.

    X is the adjacency itself: samples are nodes. Weights and self-loops are ignored. Because of the
    ``pairwise`` tag, cross-validation in scikit-learn cuts rows and columns alike, so that it is
    inductive. In `transform`, a row with the values of a fitted one, or failing that with its
    non-zero columns, is that node (the first, if there are several). For any other row the walk
    starts at a new node and goes on in the fitted graph; the row of V that results is multiplied
    by W S^(-1/2).

    References
    ----------
    .. [1] Qiu, Dong, Ma, Li, Wang, Tang. "Network Embedding as Matrix Factorization: Unifying
       DeepWalk, LINE, PTE, and node2vec." WSDM 2018. :arxiv:`1710.02971`

    Examples
    --------
    >>> import networkx as nx
    >>> from sparsekit.graphlets import RandomWalkEmbedding
    >>> club = nx.karate_club_graph()
    >>> RandomWalkEmbedding(8, window=4, random_state=0).fit_transform(club).shape
    (34, 8)
    """

    _symmetric = True
    _parameter_constraints = {  # noqa: RUF012
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "window": [Interval(Integral, 1, None, closed="left")],
        "weighting": [StrOptions({"ppmi"})],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self, n_components=128, *, window=10, weighting="ppmi", random_state=None, n_jobs=None
    ):
        self.n_components = n_components
        self.window = window
        self.weighting = weighting
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _matrix_of(self, pattern):
        n_nodes = pattern.shape[0]
        if n_nodes > MAX_NODES:
            raise ValueError(
                f"RandomWalkEmbedding factorises a dense matrix and takes up to {MAX_NODES} nodes, "
                f"got {n_nodes}: use sparsekit.embedding.FastRP for larger graphs."
            )
        return walk_matrix(pattern, self.window, self.n_jobs), {"_window": self.window}

    def _rows_of(self, neighbours):
        return walk_rows(self._fitted_pattern(), neighbours, self._window, self.n_jobs)
