"""Greedy equivalence search on the rows that zeros leave, as a scikit-learn estimator."""

from numbers import Integral, Real

from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin, with_callbacks

from sparsekit._sklearn_compat import Interval, StrOptions, fit_context
from sparsekit.causal._background import BackgroundKnowledge
from sparsekit.causal.dropout._base import DropoutGraphMixin, Steps
from sparsekit.causal.dropout._fisher_z import FisherZ
from sparsekit.causal.dropout._greedy import greedy_search
from sparsekit.causal.dropout._orientation import complete
from sparsekit.causal.dropout._samples import ZERO_HANDLINGS

__all__ = ["DropoutGES"]


class DropoutGES(CallbackSupportMixin, DropoutGraphMixin, BaseEstimator):
    """Causal graph of zero-inflated data by greedy equivalence search (GES).

    Starting without edges, the search inserts the edge that raises the score most as long as there
    is one, then deletes edges in the same way [1]_. What an edge x -> y adds to the score, given
    other parents of y, is computed from the samples in which none of these parents is zero [2]_:
    many zeros in counts of single cells are no measurements, and would hide which genes are
    independent given others. With ``zero_handling="none"`` it is GES with the score BIC.

    Parameters
    ----------
    penalty : float, default=2.0
        An edge costs ``penalty / 2 * log(n_samples)``: 1 is the usual BIC, and 2 the setting of
        [2]_. More gives sparser graphs.
    zero_handling : {"conditioning", "testwise", "listwise", "none"}, default="conditioning"
        Samples that decide about an edge x -> y. "conditioning": those where no other parent is
        zero. "testwise": where x and y are not zero, either; often better if there are enough
        samples. "listwise": those without any zero, the same for all edges. "none": all, zeros
        being values like others.
    max_parents : int or None, default=None
        Parents of a variable at most, as far as insertions decide about it. None: as many as raise
        the score.
    background : BackgroundKnowledge or None, default=None
        Edges that are forbidden or required, and tiers.
    n_jobs : int or None, default=None
        Threads; ``None`` means 1 and -1 all cores. The result does not depend on it.

    Attributes
    ----------
    adjacency_ : csr_array of shape (n_features_in_, n_features_in_), float64
        Ones: at [i, j] alone for i -> j, at [i, j] and [j, i] for i - j, of which no test of
        independence tells the direction.
    skeleton_ : csr_array of shape (n_features_in_, n_features_in_), float64
        Ones where there is any edge. Symmetric.
    score_ : float
        What all insertions and deletions together add to the score; not the log-density that the
        method `score` gives.
    n_operators_ : int
        Number of insertions and deletions.
    n_features_in_ : int
        Number of variables.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X was a frame with string columns, or an AnnData.

    Warns
    -----
    UserWarning
        If columns are constant, no value is exactly zero, or "listwise" leaves no samples.

    See Also
    --------
    DropoutPC : Tests instead of scores, which also tells how certain edges are.
    BOSS : Another search by scores, for data without dropouts.
    BackgroundKnowledge : Forbidden and required edges.
    BootstrapEdges : Confidence in edges.

    Notes
    -----
    Let r be the partial correlation of x and y given the other parents S of y, on the m of n
    samples where these are not zero. If m < n it is shrunk to ``tanh(sqrt((m - 3) / (n - 3))
    atanh(r))``, which is as unlikely by chance on n samples as r is on m. The edge then adds ``-n /
    2 log(1 - r^2) - penalty / 2 log(n)``. If m is no more than the size of S plus 3, r is 0.
    "listwise" and "none" use one set of samples, and n is their number.

    Only with one set of samples are these differences of a score: `score_` is then the BIC of the
    graph less that of no edges, if `penalty` is 1. Under deletion they depend on the way that the
    search goes. It ends all the same: each insertion and each deletion changes the number of edges
    by one. It never goes back to an equivalence class where it has been. Of equally good operators
    it takes the one for the smallest x, then y, then neighbours; else the result does not depend on
    the order of the variables.

    After an operator only those pairs are looked at again whose operators it may have changed, and
    no partial correlation is computed twice.

    Knowledge: required edges are there from the start and are not deleted. Forbidden edges are in
    no class that the search visits, in the sense that one of its graphs has none. In the end the
    class is narrowed down to such graphs, and `adjacency_` has all directions that follow.

    Sparse X stays sparse. Of an AnnData, ``X`` and ``var_names`` are used; a layer is passed as a
    matrix, ``adata.layers["counts"]``.

    The method `score` allows for model selection by cross-validation. Each variable has a linear
    regression on its parents in a DAG that the graph stands for, fitted and scored on the samples
    where these parents are not zero, as `zero_handling` has it. The log-density is averaged over
    the samples, then over those variables that have samples enough for this. Which DAG it is may
    depend on the order of the columns.

    Scikit-learn's callbacks see one task ``operator`` for each insertion or deletion; how many
    there will be is not known before. A callback that stops the fit leaves the graph so far.

    References
    ----------
    .. [1] D. M. Chickering: "Optimal structure identification with greedy search", Journal of
       Machine Learning Research 3, 2002.
    .. [2] "Gene Regulatory Network Inference in the Presence of Dropouts: a Causal View",
       arXiv:2403.15500.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsekit.causal import DropoutGES
    >>> rng = np.random.default_rng(0)
    >>> x, z = rng.normal(size=(2, 2000))
    >>> X = np.column_stack((x, x + z + rng.normal(size=2000), z))  # 0 -> 1 <- 2
    >>> X[rng.random(X.shape) < 0.3] = 0
    >>> DropoutGES().fit(X).adjacency_.toarray()
    array([[0., 1., 0.],
           [0., 0., 0.],
           [0., 1., 0.]])
    """

    _parameter_constraints = {  # noqa: RUF012
        "penalty": [Interval(Real, 0, None, closed="left")],
        "zero_handling": [StrOptions(set(ZERO_HANDLINGS))],
        "max_parents": [Interval(Integral, 0, None, closed="left"), None],
        "background": [BackgroundKnowledge, None],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        penalty=2.0,
        *,
        zero_handling="conditioning",
        max_parents=None,
        background=None,
        n_jobs=None,
    ):
        self.penalty = penalty
        self.zero_handling = zero_handling
        self.max_parents = max_parents
        self.background = background
        self.n_jobs = n_jobs

    @fit_context(prefer_skip_nested_validation=True)
    @with_callbacks
    def fit(self, X, y=None):
        """Learn a graph from samples.

        Parameters
        ----------
        X : {array-like, sparse matrix, AnnData} of shape (n_samples, n_features)
            Samples of the variables, such as counts of cells and genes. Zeros are dropouts, whether
            a sparse matrix stores them or not. Converted to float64; what is sparse stays sparse.
        y : None
            Ignored.

        Returns
        -------
        self : DropoutGES

        Raises
        ------
        TypeError, ValueError
            If X is not a table of numbers, has fewer than two samples, NaN or infinite values (the
            message names their columns), or two features of the same name; if a parameter is out of
            range, or `background` contradicts itself or X. The estimator then stays as it was.
        """
        context = self._init_callback_context(max_subtasks=None)
        context.call_on_fit_task_begin(estimator=self, X=X)
        problem = self._prepare(X)
        found = greedy_search(
            FisherZ(problem.samples, self.n_jobs),
            penalty=self.penalty,
            max_parents=self.max_parents,
            constraints=problem.constraints,
            watch=Steps(self, context, "operator").end_one,
        )
        adjacency = found.cpdag
        if problem.constraints is not None:
            adjacency = complete(adjacency, problem.constraints).adjacency

        self._set_graph(problem, adjacency)
        self.score_, self.n_operators_ = found.score, found.n_operators
        context.call_on_fit_task_end(estimator=self, X=X)
        return self
