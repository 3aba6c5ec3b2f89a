"""Best order score search as a scikit-learn estimator."""

import reprlib
import warnings
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackContext, CallbackSupportMixin, with_callbacks
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from sparsekit._sklearn_compat import Interval, StrOptions
from sparsekit.causal._background import BackgroundKnowledge, Constraints
from sparsekit.causal._inputs import labels_for
from sparsekit.causal._moments import Moments
from sparsekit.causal._sem import LinearSEMMixin
from sparsekit.causal._weights import weighted_dag
from sparsekit.causal.order._collinear import warn_of_collinear
from sparsekit.causal.order._parent_sets import REDUNDANT
from sparsekit.causal.order._search import OrderSearch, order_search
from sparsekit.core import csr
from sparsekit.core.dag import reversible_edges

__all__ = ["BOSS"]


class BOSS(CallbackSupportMixin, LinearSEMMixin, BaseEstimator):
    """Sparse linear directed acyclic graph, found by best order score search (BOSS).

    Given the causal order, a sparse graph is easy to find: every variable is regressed on some of
    those before it, chosen one by one. BOSS searches for the order whose graph has the best score,
    a Gaussian likelihood with a penalty for each edge, by moving one variable at a time to its best
    place [1]_. Where nothing is left to move it takes a random step aside and searches on.

    Use it rather than `CoLiDE` if the units of the variables are arbitrary, or if they were
    standardised: BOSS does not see scale, which `CoLiDE` reads directions from. Where both apply it
    mostly finds better graphs in less time. What it can not tell are the directions that no test of
    independence can: see Notes.

    Parameters
    ----------
    gamma : float, default=1.0
        Weight of the term of the penalty that grows with the number of variables (extended BIC,
        [2]_): an edge costs ``log(n_samples) / 2 + gamma * log(n_features)``. 0 is BIC, which lets
        false edges in once there are some ten variables; more than 1 gives sparser graphs.
    noise : {"unequal", "equal"}, default="unequal"
        One noise scale for each variable, or one for all. Equal noise identifies all directions,
        but depends on the units of the variables, and the search more often stays in a poor
        optimum: the default is the better choice for most data of either kind.
    n_starts : int, default=3
        Random orders to start at; the result with the lowest score is kept. More help if
        `start_scores_` differ, at proportional cost.
    n_perturbations : int, default=10
        How often each start, when no move is left, searches on from a random step away from the
        best graph it has found: to an equivalent graph, another order of it, and a few random
        moves. What is not better is taken back. The steps are the same in every fit, whatever
        `random_state`. 0: only the search of [1]_.
    start : "random" or array-like of shape (n_features,), default="random"
        Order to start at: all features, each once, by index or name, causes first. `n_starts` is
        ignored then. It need not agree with `background`.
    max_passes : int, default=20
        Passes at most, from a start and from each perturbation on. Each tries to move every
        variable once; one without a move is the last.
    max_parents : int or None, default=None
        Parents of a variable at most. Required ones count, but stay if they are more. None: as many
        as lower the score.
    background : BackgroundKnowledge or None, default=None
        Edges that are forbidden or required.
    random_state : int, RandomState instance or None, default=None
        For the random orders, and for `sample`, if that is called without one.
    n_jobs : int or None, default=None
        Threads, over the starts; ``None`` means 1 and -1 all cores. The result does not depend on
        it.

    Attributes
    ----------
    adjacency_ : csr_array of shape (n_features_in_, n_features_in_), float64
        Entry [i, j] is the weight of the edge i -> j, the coefficient of least squares of j on its
        parents. A directed acyclic graph, always.
    cpdag_ : csr_array of shape (n_features_in_, n_features_in_), float64
        Markov equivalence class of `adjacency_`, as `sparsekit.metrics.cpdag` gives it: ones at
        [i, j] alone for i -> j, at [i, j] and [j, i] for i - j. Knowledge of directions is not
        looked at.
    causal_order_ : ndarray of shape (n_features_in_,), intp
        The order that was found. All edges point forward.
    noise_scale_ : ndarray of shape (n_features_in_,), float64
        Standard deviations of the noise. Equal noise: one value repeated.
    residual_scale_ : ndarray of shape (n_features_in_,), float64
        Standard deviations of what the parents leave unexplained, which the likelihoods use.
    score_ : float
        What the search minimises, see Notes; not the log-likelihood that the method `score` gives.
    start_scores_ : ndarray of shape (n_starts,), float64
        The same for each start; infinite for those not yet begun when a callback stopped the fit.
    n_passes_ : int
        Passes of the start that was kept, those after perturbations included.
    converged_ : bool
        Whether the graph is a local optimum: no variable moved in the last pass that led to it.
    mean_ : ndarray of shape (n_features_in_,), float64
        Mean of the samples.
    covariance_ : ndarray of shape (n_features_in_, n_features_in_), float64
        Covariance of the samples, divided by their number.
    n_samples_seen_ : int
        Number of samples, those of `partial_fit` included.
    n_features_in_ : int
        Number of variables.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X was a frame with string columns.

    Warns
    -----
    ConvergenceWarning
        If the graph is no local optimum, because variables still moved in the last of
        `max_passes`.
    UserWarning
        If columns are constant, or linear combinations of others.

    See Also
    --------
    CoLiDE : Continuous optimisation, which reads directions off the scale of the variables.
    BackgroundKnowledge : Forbidden and required edges.
    sparsekit.metrics.cpdag : Equivalence class of a known graph, to compare `cpdag_` with.

    Notes
    -----
    With n samples, d variables, k edges in all, residual variances v_j of least squares on the
    parents, and a penalty ``p = log(n) / 2 + gamma log(d)``, `score_` is

    ``n / 2 sum_j log(v_j) + p k`` for unequal noise and
    ``n d / 2 log(sum_j v_j / d) + p k`` for equal noise.

    For unequal noise, graphs with the same conditional independences have the same score. So only
    the equivalence class is found: compare `cpdag_` with that of a known graph. Which of its
    members `adjacency_` is depends on the start. Rescaled columns give the same graph, with weights
    rescaled.

    The search is greedy: each start ends at the best of some local optima, which need not be the
    global one. A pass tries up to d^2 places, and looks into the sets of parents that it has not
    met before; passes after a perturbation are cheaper, for few sets are new there. `n_jobs` starts
    run at a time, the others after them.

    Variables that are the sum of others, or copies, are explained by these up to rounding:
    what else points at them is then arbitrary, and a warning names them. With about as many samples
    as variables, or fewer, many are; `max_parents` helps.

    Scikit-learn's callbacks see one task ``pass`` for each pass, of the starts that run at a time
    together; how many there will be is not known before. A callback that stops the fit leaves the
    best graph so far.

    Covariances are all that is kept of samples: memory does not grow with their number. Samples may
    be arrays of another library under ``sklearn.config_context(array_api_dispatch=True)``: their
    covariance is computed where they are, the search runs on the CPU.

    References
    ----------
    .. [1] B. Andrews, J. Ramsey, R. Sanchez-Romero, J. Camchong, E. Kummerfeld: "Fast Scalable and
       Accurate Discovery of DAGs Using the Best Order Score Search and Grow-Shrink Trees", NeurIPS
       2023.
    .. [2] R. Foygel, M. Drton: "Extended Bayesian Information Criteria for Gaussian Graphical
       Models", NeurIPS 2010.

    Examples
    --------
    >>> from sparsekit.causal import BOSS
    >>> from sparsekit.datasets import make_linear_sem
    >>> from sparsekit.metrics import cpdag, structural_hamming_distance
    >>> X, truth = make_linear_sem(1000, 6, degree=1, random_state=0)
    >>> standardised = (X - X.mean(axis=0)) / X.std(axis=0)
    >>> model = BOSS(random_state=0).fit(standardised)
    >>> structural_hamming_distance(cpdag(truth), model.cpdag_)
    0
    """

    _parameter_constraints = {  # noqa: RUF012
        "gamma": [Interval(Real, 0, None, closed="left")],
        "noise": [StrOptions({"equal", "unequal"})],
        "n_starts": [Interval(Integral, 1, None, closed="left")],
        "n_perturbations": [Interval(Integral, 0, None, closed="left")],
        "start": [StrOptions({"random"}), "array-like"],
        "max_passes": [Interval(Integral, 1, None, closed="left")],
        "max_parents": [Interval(Integral, 0, None, closed="left"), None],
        "background": [BackgroundKnowledge, None],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        gamma=1.0,
        *,
        noise="unequal",
        n_starts=3,
        n_perturbations=10,
        start="random",
        max_passes=20,
        max_parents=None,
        background=None,
        random_state=None,
        n_jobs=None,
    ):
        self.gamma = gamma
        self.noise = noise
        self.n_starts = n_starts
        self.n_perturbations = n_perturbations
        self.start = start
        self.max_passes = max_passes
        self.max_parents = max_parents
        self.background = background
        self.random_state = random_state
        self.n_jobs = n_jobs

    @with_callbacks
    def _fit_moments(
        self, moments: Moments, names: np.ndarray | None, constraints: Constraints | None
    ):
        covariance = moments.covariance
        labels = labels_for(names, len(covariance))
        orders = self._orders(labels)
        context = self._init_callback_context(max_subtasks=None)
        context.call_on_fit_task_begin(estimator=self)
        passes = _Passes(self, context)
        found = self._search(moments, orders, constraints, passes)
        required = None if constraints is None else constraints.required
        adjacency, _ = weighted_dag(covariance, found.is_edge, required)
        self._warn(found, passes, covariance.diagonal(), labels)

        cpdag = csr.canonical((adjacency != 0) + reversible_edges(adjacency).T)
        floor = _least_scale(covariance.diagonal())
        noise_scale = self._noise_scale(found.variances, floor)

        self._set_model(moments, names, adjacency, floor, order=found.order)
        self.cpdag_, self.noise_scale_ = cpdag, noise_scale
        self.score_, self.start_scores_ = found.score, found.start_scores
        self.n_passes_, self.converged_ = found.n_passes, found.converged
        context.call_on_fit_task_end(estimator=self)
        return self

    def _orders(self, labels: list) -> np.ndarray:
        """Orders to start at, a row each."""
        if not isinstance(self.start, str):
            return _as_order(self.start, labels)[None]
        generator = check_random_state(self.random_state)
        orders = [generator.permutation(len(labels)) for _ in range(self.n_starts)]
        return np.array(orders, dtype=np.intp)

    def _search(
        self,
        moments: Moments,
        orders: np.ndarray,
        constraints: Constraints | None,
        passes: "_Passes",
    ) -> OrderSearch:
        forbidden, required = constraints or (None, None)
        return order_search(
            moments.covariance,
            moments.n_samples,
            orders,
            gamma=self.gamma,
            equal=self.noise == "equal",
            max_passes=self.max_passes,
            n_perturbations=self.n_perturbations,
            max_parents=self.max_parents,
            forbidden=forbidden,
            required=required,
            n_jobs=self.n_jobs,
            watch=passes.end_one,
        )

    def _noise_scale(self, variances: np.ndarray, floor: np.ndarray) -> np.ndarray:
        if self.noise == "equal":
            variances, floor = np.full_like(variances, variances.mean()), floor.min()
        return np.maximum(np.sqrt(variances), floor)

    def _warn(
        self, found: OrderSearch, passes: "_Passes", variances: np.ndarray, labels: list
    ) -> None:
        if not (found.converged or passes.stopped):
            warnings.warn(
                "the best graph is no local optimum, for variables still moved in the last of "
                f"max_passes={self.max_passes}: raise it.",
                ConvergenceWarning,
                stacklevel=7,
            )
        warn_of_collinear(
            found,
            variances,
            labels,
            stacklevel=7,
            advice="Leave out copies and sums of others, or with few samples set max_parents.",
        )


class _Passes:
    """The passes of a search, as callbacks see them: all at once when they have ended.

    Whether there will be another one is not known before.
    """

    def __init__(self, estimator: BOSS, context: CallbackContext) -> None:
        self.estimator = estimator
        self.context = context
        self.stopped = False

    def end_one(self) -> bool:
        """Tell of a pass; returns whether to stop."""
        task = self.context.subcontext(task_name="pass")
        task.call_on_fit_task_begin(estimator=self.estimator)
        self.stopped = task.call_on_fit_task_end(estimator=self.estimator)
        return self.stopped


def _as_order(start: Any, labels: list) -> np.ndarray:
    """Indices of features given by index or name.

    Raises
    ------
    ValueError
        If they are not all features, each once.
    """
    numbers = range(len(labels))
    known = dict(zip(labels, numbers, strict=True)) | dict(enumerate(numbers))
    entries = np.atleast_1d(np.asarray(start, dtype=object)).tolist()
    # A float or a boolean would be found, too, for it equals an integer.
    keys = [
        e if isinstance(e, Integral | str) and not isinstance(e, bool) else None for e in entries
    ]
    order = [known.get(key, -1) for key in keys]
    if sorted(order) != list(numbers):
        raise ValueError(
            f"expected start to be 'random' or all {len(labels)} features in an order, each once, "
            f"by index or name, got {reprlib.repr(entries)}."
        )
    return np.array(order, dtype=np.intp)


def _least_scale(variances: np.ndarray) -> np.ndarray:
    """Least noise scale of each variable; constant ones have the smallest of the others."""
    scale = np.sqrt(variances)
    scale[scale == 0] = scale[scale > 0].min() if scale.any() else 1.0
    return scale * np.sqrt(REDUNDANT)
