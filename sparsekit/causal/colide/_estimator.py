"""CoLiDE as a scikit-learn estimator."""

import warnings
from numbers import Integral, Real

import numpy as np
import scipy.sparse as sp
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
from sparsekit.causal.colide._dag import fill_required, to_dag
from sparsekit.causal.colide._objective import Problem, closed_form_scale, make_problem
from sparsekit.causal.colide._refine import refine_bic
from sparsekit.causal.colide._solve import Solution, n_stages, solve
from sparsekit.causal.order._align import align
from sparsekit.causal.order._collinear import warn_of_collinear
from sparsekit.causal.order._search import OrderSearch, order_search
from sparsekit.core import csr
from sparsekit.core.dag import topological_order, varsortability

__all__ = ["CoLiDE"]

# A graph whose order follows the variances this closely, while these differ by such a factor, may
# show the scale of the data rather than causes.
_SUSPECT_VARSORTABILITY = 0.9
_SUSPECT_RATIO = 10.0


class CoLiDE(CallbackSupportMixin, LinearSEMMixin, BaseEstimator):
    """Sparse linear directed acyclic graph, estimated together with the scale of the noise.

    Every variable is a weighted sum of its parents and noise, ``x = W' x + z``. The weights W and
    the standard deviations of z minimise a concomitant (square-root lasso) score with an l1 penalty
    and a log-determinant acyclicity function [1]_. Since the scale of the noise is estimated, the
    penalty needs no new choice when the noise changes (but see Notes about units).

    Parameters
    ----------
    alpha : float, default=0.05
        Weight of the l1 penalty.
    noise : {"equal", "unequal"}, default="equal"
        One noise scale for all variables (CoLiDE-EV), or one for each (CoLiDE-NV).
    threshold : float, default=0.3
        Edges of `adjacency_` have absolute weights above this. If cycles remain, the smallest
        weights are left out until there are none.
    solver : {"newton", "adam"}, default="newton"
        Proximal Newton method, or the published Adam loop, which takes up to 130,000 iterations.
    start : {"auto", "equal", "zero"}, default="auto"
        For unequal noise and "newton": start at the solution for equal noise, or at zero weights.
        The first finds better graphs where weights are strong, the second where they are weak.
        "auto" takes the first if the standard deviations of the columns spread by more than a
        factor of 2.4 (geometric standard deviation).
    n_restarts : int, default=3
        How often "newton" goes back to an early stage from the best solution so far and keeps what
        has a lower objective. The first three are deterministic; each further one forgets the
        parents of a random half of the variables. More find lower objectives at proportional cost,
        and mostly better graphs.
    refine : {"bic", "order"} or None, default=None
        "bic": search from the graph found for one with a better Gaussian BIC, edge by edge, then
        regress every variable on its parents. This is another estimator, with an l0 penalty.
        "order": search as `BOSS` does, from the order of the graph found and with that class's
        other defaults, whatever `noise` is. Mostly the far better graph: see Notes.
    background : BackgroundKnowledge or None, default=None
        Edges that are forbidden or required.
    tol : float, default=1e-6
        Relative change of the objective below which a stage ends. "newton" asks for two successive
        changes below 10 times as much in the last stage, and 1000 times in those before, which only
        lead there.
    max_iter : int or None, default=None
        Iterations of a stage at most. None: 200 for "newton", 20,000 and in the last stage 70,000
        for "adam".
    random_state : int, RandomState instance or None, default=None
        For more than three restarts, and for `sample`, if that is called without one.
    n_jobs : int or None, default=None
        Threads of solver "newton"; ``None`` means 1 and -1 all cores. The result does not depend on
        it.

    Attributes
    ----------
    adjacency_ : csr_array of shape (n_features_in_, n_features_in_), float64
        Entry [i, j] is the weight of the edge i -> j. A directed acyclic graph, always.
    weights_ : ndarray of shape (n_features_in_, n_features_in_), float64
        Solution before the threshold, which may have cycles.
    noise_scale_ : ndarray of shape (n_features_in_,), float64
        Estimated standard deviations of the noise, those of `weights_` (with `refine`, those of the
        refined graph). Equal noise: one value repeated.
    residual_scale_ : ndarray of shape (n_features_in_,), float64
        Standard deviations of what `adjacency_` leaves unexplained, which the likelihoods use: the
        edges that the threshold drops are missing there.
    causal_order_ : ndarray of shape (n_features_in_,), intp
        Features such that all edges point forward.
    objective_ : float
        Objective at `weights_`, in the last stage of the path.
    n_iter_ : int
        Iterations of all stages, those of restarts included.
    converged_ : bool
        Whether the last stage ended before `max_iter`, and the search of ``refine="order"`` at a
        local optimum.
    varsortability_ : float
        Agreement of the graph with the order of the variances, from 0 to 1; see
        `sparsekit.metrics.varsortability`. NaN without edges.
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
        If the last stage reached `max_iter`, or the search of ``refine="order"`` found no local
        optimum in the passes it has.
    UserWarning
        If columns are constant, or if the graph follows the order of very different variances and
        `refine` is not "order": see Notes. With ``refine="order"``, if columns are linear
        combinations of others, whose edges are then arbitrary.

    See Also
    --------
    BOSS : Search for an order, which does not depend on the scale of the variables.
    BackgroundKnowledge : Forbidden and required edges.
    sparsekit.metrics.structural_hamming_distance : Distance to a known graph.

    Notes
    -----
    The method reads directions off the scale of the variables: it assumes that noise scales are
    equal, or at least comparable, in the units of the data. Rescaling the columns changes the
    graph, and on standardised data it is hardly better than no graph at all. A common factor on all
    columns acts like the inverse factor on `alpha`. With a high
    `varsortability_`, compare with sorting the variables by variance and regressing each on those
    before it.

    With ``refine="order"`` scale decides where the search starts. Its score does not depend on
    scale, nor does it tell graphs of one Markov equivalence class apart: of these the graph is
    taken that agrees with CoLiDE's order, as far as reversals of single edges lead. So directions
    that the data can not tell (see `sparsekit.metrics.cpdag`) are CoLiDE's. There is no warning
    about scale then.

    Scikit-learn's callbacks see one task ``stage`` for each stage of the path. A callback that
    stops the fit leaves the solution of the stages so far, and `converged_` false.

    Covariances are all that is kept of samples: memory does not grow with their number.

    Under ``sklearn.config_context(array_api_dispatch=True)``, samples may be arrays of another
    library, on a GPU for instance. Their covariance is computed where they are, and "adam" runs
    there, too; "newton" runs on the CPU. Fitted attributes and predictions are numpy arrays.

    References
    ----------
    .. [1] S. S. Saboksayr, G. Mateos, M. Tepper: "CoLiDE: Concomitant Linear DAG Estimation", ICLR
       2024, equations 2 (equal noise) and 7 (unequal noise).
    .. [2] K. Bello, B. Aragam, P. Ravikumar: "DAGMA: Learning DAGs via M-matrices and a
       Log-Determinant Acyclicity Characterization", NeurIPS 2022.

    Examples
    --------
    >>> from sparsekit.causal import CoLiDE
    >>> from sparsekit.datasets import make_linear_sem
    >>> from sparsekit.metrics import structural_hamming_distance
    >>> X, truth = make_linear_sem(1000, 6, degree=1, random_state=0)
    >>> model = CoLiDE().fit(X)
    >>> structural_hamming_distance(truth, model.adjacency_)
    0
    """

    _parameter_constraints = {  # noqa: RUF012
        "alpha": [Interval(Real, 0, None, closed="left")],
        "noise": [StrOptions({"equal", "unequal"})],
        "threshold": [Interval(Real, 0, None, closed="left")],
        "solver": [StrOptions({"newton", "adam"})],
        "start": [StrOptions({"auto", "equal", "zero"})],
        "n_restarts": [Interval(Integral, 0, None, closed="left")],
        "refine": [StrOptions({"bic", "order"}), None],
        "background": [BackgroundKnowledge, None],
        "tol": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left"), None],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        alpha=0.05,
        *,
        noise="equal",
        threshold=0.3,
        solver="newton",
        start="auto",
        n_restarts=3,
        refine=None,
        background=None,
        tol=1e-6,
        max_iter=None,
        random_state=None,
        n_jobs=None,
    ):
        self.alpha = alpha
        self.noise = noise
        self.threshold = threshold
        self.solver = solver
        self.start = start
        self.n_restarts = n_restarts
        self.refine = refine
        self.background = background
        self.tol = tol
        self.max_iter = max_iter
        self.random_state = random_state
        self.n_jobs = n_jobs

    @with_callbacks
    def _fit_moments(
        self, moments: Moments, names: np.ndarray | None, constraints: Constraints | None
    ):
        problem = self._problem(moments.covariance, constraints)
        context = self._init_callback_context(max_subtasks=self._n_stages(problem))
        context.call_on_fit_task_begin(estimator=self)
        stages = _Stages(self, context)
        solution = self._solve(problem, stages, moments.place)
        n_samples, variances = moments.n_samples, moments.covariance.diagonal()
        adjacency, noise_scale, found = self._select(problem, solution, n_samples, constraints)
        settled = found is None or found.converged
        agreement = varsortability(variances, adjacency)
        if not stages.stopped_early:
            self._warn_of_limits(solution, settled=settled)
        self._warn_of_scale(agreement, variances)
        if found is not None:
            warn_of_collinear(
                found,
                variances,
                labels_for(names, len(variances)),
                stacklevel=6,
                advice="Leave out copies and sums of others.",
            )

        self._set_model(moments, names, adjacency, problem.floor)
        self.weights_, self.noise_scale_ = solution.weights, noise_scale
        self.objective_, self.n_iter_ = solution.objective, solution.n_iter
        self.converged_ = solution.converged and settled and not stages.stopped_early
        self.varsortability_ = agreement
        context.call_on_fit_task_end(estimator=self)
        return self

    def _problem(self, covariance: np.ndarray, constraints: Constraints | None) -> Problem:
        forbidden, required = constraints or (None, None)
        return make_problem(
            covariance,
            self.alpha,
            equal=self.noise == "equal",
            forbidden=forbidden,
            required=required,
        )

    def _n_stages(self, problem: Problem) -> int:
        return n_stages(problem, solver=self.solver, start=self.start, n_restarts=self.n_restarts)

    def _solve(self, problem: Problem, stages: "_Stages", place: tuple | None) -> Solution:
        return solve(
            problem,
            place=place,
            solver=self.solver,
            start=self.start,
            n_restarts=self.n_restarts,
            tol=self.tol,
            max_iter=self.max_iter,
            random_state=check_random_state(self.random_state),
            n_jobs=self.n_jobs,
            watch=stages.next,
        )

    def _select(
        self,
        problem: Problem,
        solution: Solution,
        n_samples: int,
        constraints: Constraints | None,
    ) -> tuple[sp.csr_array, np.ndarray, OrderSearch | None]:
        """Graph, refined if asked for, its noise scales, and the search over orders if any."""
        forbidden, required = constraints or (None, None)
        adjacency = to_dag(solution.weights, self.threshold, required)
        adjacency = fill_required(adjacency, problem.covariance, required)
        if self.refine is None:
            return adjacency, solution.noise_scale, None
        found = None
        if self.refine == "bic":
            refined = refine_bic(
                problem.covariance,
                n_samples,
                adjacency.toarray() != 0,
                equal=problem.equal,
                floor=problem.floor,
                forbidden=forbidden,
                required=required,
            )
            adjacency, variances = csr.canonical(refined.adjacency), refined.variances
        else:
            order = topological_order(adjacency)
            found = order_search(
                problem.covariance,
                n_samples,
                order[None],
                forbidden=forbidden,
                required=required,
            )
            is_edge = align(found.is_edge, order, forbidden, required)
            adjacency, variances = weighted_dag(problem.covariance, is_edge, required)
        return adjacency, closed_form_scale(problem, variances), found

    def _warn_of_limits(self, solution: Solution, *, settled: bool) -> None:
        if not solution.converged:
            warnings.warn(
                "the last stage stopped at its limit of iterations "
                f"({solution.n_iter} in all stages): raise max_iter, or tol.",
                ConvergenceWarning,
                stacklevel=7,
            )
        if not settled:
            warnings.warn(
                "the search of refine='order' found no local optimum in its passes: go on with "
                "BOSS, started from causal_order_, and more max_passes.",
                ConvergenceWarning,
                stacklevel=7,
            )

    def _warn_of_scale(self, agreement: float, variances: np.ndarray) -> None:
        positive = variances[variances > 0]
        if (
            self.refine != "order"
            and agreement > _SUSPECT_VARSORTABILITY
            and np.ptp(np.log(positive)) > np.log(_SUSPECT_RATIO)
        ):
            warnings.warn(
                f"the order may reflect scale: {agreement:.0%} of the paths lead to larger "
                "variances, as they would after sorting by variance (see the notes of CoLiDE).",
                UserWarning,
                stacklevel=7,
            )


class _Stages:
    """The stages of a fit, as callbacks see them."""

    def __init__(self, estimator: CoLiDE, context: CallbackContext) -> None:
        self.estimator = estimator
        self.context = context
        self.n_left = context.max_subtasks
        self.stopped_early = False
        self._begin()

    def _begin(self) -> None:
        stage = self.context.subcontext(task_name="stage")
        self.stage = stage.call_on_fit_task_begin(estimator=self.estimator)

    def next(self) -> bool:
        """End a stage and begin the next one, if there is any; returns whether to stop."""
        stop = self.stage.call_on_fit_task_end(estimator=self.estimator)
        self.n_left -= 1
        self.stopped_early = stop and self.n_left > 0
        if self.n_left > 0 and not stop:
            self._begin()
        return stop
