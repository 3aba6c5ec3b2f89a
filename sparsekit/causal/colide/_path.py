"""CoLiDE along a grid of penalties, and the choice of one by extended BIC."""

from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.utils import check_array, check_scalar

from sparsekit.causal._background import Constraints
from sparsekit.causal._gaussian import least_squares
from sparsekit.causal._inputs import check_n_samples, check_share, checked_covariance
from sparsekit.causal._members import run_members
from sparsekit.causal._moments import Moments
from sparsekit.causal.colide._estimator import CoLiDE
from sparsekit.causal.colide._objective import (
    closed_form_scale,
    noise_floor,
    residual_variances,
    score_gradient,
)
from sparsekit.causal.colide._refine import gaussian_bic, score_settings
from sparsekit.causal.colide._solve import choose_start

__all__ = ["CoLiDEPath", "check_alphas", "colide_path"]


class CoLiDEPath(NamedTuple):
    """Fits of CoLiDE with decreasing penalties, as `colide_path` returns them.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,), float64
        Decreasing.
    estimators : tuple of CoLiDE
        Fitted, one for each of the alphas.
    ebic : ndarray of shape (n_alphas,), float64
        Extended BIC of the graphs.

    See Also
    --------
    colide_path : What the fields mean, in full.

    Examples
    --------
    >>> from sparsekit.causal import colide_path
    >>> from sparsekit.datasets import make_linear_sem
    >>> X, adjacency = make_linear_sem(200, 4, degree=1, random_state=0)
    >>> path = colide_path(X, alphas=[0.01, 100.0])
    >>> path.alphas, path.n_edges, path.alpha_best
    (array([1.e+02, 1.e-02]), array([0, 4]), 0.01)
    """

    alphas: np.ndarray
    estimators: tuple[CoLiDE, ...]
    ebic: np.ndarray

    @property
    def best(self) -> int:
        """Position of the lowest extended BIC, and of those the largest alpha."""
        return int(np.argmin(self.ebic))

    @property
    def alpha_best(self) -> float:
        """Penalty with the lowest extended BIC."""
        return float(self.alphas[self.best])

    @property
    def best_estimator(self) -> CoLiDE:
        """Fit with the lowest extended BIC."""
        return self.estimators[self.best]

    @property
    def adjacencies(self) -> tuple[sp.csr_array, ...]:
        """Graphs, csr_arrays of shape (n_features, n_features), one for each of the alphas."""
        return tuple(estimator.adjacency_ for estimator in self.estimators)

    @property
    def n_edges(self) -> np.ndarray:
        """Numbers of edges, an int64 array of shape (n_alphas,)."""
        return np.array([adjacency.nnz for adjacency in self.adjacencies], dtype=np.int64)

    @property
    def noise_scales(self) -> np.ndarray:
        """Noise scales, a float64 array of shape (n_alphas, n_features)."""
        return np.array([estimator.noise_scale_ for estimator in self.estimators])

    @property
    def objectives(self) -> np.ndarray:
        """Objectives at the solutions, a float64 array of shape (n_alphas,)."""
        return np.array([estimator.objective_ for estimator in self.estimators])


def colide_path(
    X: Any,
    *,
    n_samples: int | None = None,
    alphas: Any = None,
    n_alphas: int = 20,
    alpha_min_ratio: float = 1e-5,
    ebic_gamma: float = 0.5,
    n_jobs: int | None = None,
    **parameters: Any,
) -> CoLiDEPath:
    """Fit CoLiDE with decreasing penalties and compare the graphs by extended BIC.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features) or (n_features, n_features)
        Samples of the variables, or with `n_samples` their covariance matrix.
    n_samples : int, default=None
        Given if X is a covariance matrix: the number of samples behind it.
    alphas : array-like of shape (n_alphas,), default=None
        Penalties. None: a geometric grid.
    n_alphas : int, default=20
        Length of the grid.
    alpha_min_ratio : float, default=1e-5
        Smallest alpha of the grid, as a share of the largest one, which is the smallest at which
        no stage of the solver leaves zero, but for required edges.
    ebic_gamma : float, default=0.5
        Weight of the term for the number of possible graphs, from 0 (BIC) to 1.
    n_jobs : int or None, default=None
        Alphas at a time, on joblib's workers; ``None`` means 1 and -1 all cores. The result does
        not depend on it.
    **parameters : object
        Further parameters of `CoLiDE`, such as `noise`, `threshold` and `background`.

    Returns
    -------
    CoLiDEPath
        ``alphas``, decreasing, fitted ``estimators`` and their ``ebic``, with the properties
        ``best``, ``alpha_best``, ``best_estimator``, ``adjacencies``, ``n_edges``, ``noise_scales``
        and ``objectives``.

    Raises
    ------
    TypeError, ValueError
        If X, a parameter or `background` is not as `CoLiDE` needs it, or the alphas are negative,
        not finite or none.

    See Also
    --------
    CoLiDE : The estimator, for one alpha.
    stability_selection : Edges that are found again in half-samples.

    Notes
    -----
    Every fit starts at zero weights: `estimators` are what ``CoLiDE(alpha).fit(X)`` gives.

    With the residual variances v_j of least squares on each graph, k edges, n samples and d
    variables, and up to a constant, the extended BIC [1]_ is

    ``n d log(mean_j v_j) + k (log n + 4 ebic_gamma log d)`` for equal noise and
    ``n sum_j log v_j + k (log n + 4 ebic_gamma log d)`` for unequal noise.

    At weights of zero the gradient of the score is ``-C_ij / sigma_j``, so that the largest alpha
    is the largest absolute value of these; required edges have their least-squares weights, and
    the gradient is the one there. Penalties are relative to the scale of the variables:
    where some variances are large, useful ones are far below it.

    References
    ----------
    .. [1] Foygel, Drton. "Extended Bayesian Information Criteria for Gaussian Graphical Models."
       NeurIPS 2010.

    Examples
    --------
    >>> from sparsekit.causal import CoLiDE, colide_path
    >>> from sparsekit.datasets import make_linear_sem
    >>> from sparsekit.metrics import structural_hamming_distance
    >>> X, adjacency = make_linear_sem(200, 5, degree=1, random_state=0)
    >>> path = colide_path(X, n_alphas=5)
    >>> structural_hamming_distance(adjacency, path.best_estimator.adjacency_)
    0
    >>> model = CoLiDE(alpha=path.alpha_best).fit(X)  # the same
    """
    check_share(ebic_gamma, "ebic_gamma")
    base = CoLiDE(1.0, **parameters)  # given by position, alpha can not be given twice
    base._validate_params()
    moments, constraints = _statistics(base, X, n_samples)
    if alphas is None:
        largest = _largest_alpha(base, moments.covariance, constraints)
        alphas = _grid(largest, n_alphas, alpha_min_ratio)
    alphas = check_alphas(alphas)
    members = [(clone(base).set_params(alpha=alpha), X, n_samples) for alpha in alphas.tolist()]
    estimators = tuple(run_members(_fit, members, n_jobs, stacklevel=2))
    graphs = [estimator.adjacency_.toarray() != 0 for estimator in estimators]
    equal = base.noise == "equal"
    ebic = [_extended_bic(moments, graph, equal, ebic_gamma) for graph in graphs]
    return CoLiDEPath(alphas, estimators, np.array(ebic))


def check_alphas(alphas: Any) -> np.ndarray:
    """Check penalties, one or more; returns them in decreasing order, each once.

    Raises
    ------
    ValueError
        If there is none, or one is negative or not finite.
    """
    given = alphas if np.ndim(alphas) else [alphas]
    checked = check_array(
        given, dtype=np.float64, ensure_2d=False, ensure_min_samples=0, input_name="alphas"
    )
    if checked.ndim != 1 or not len(checked) or checked.min() < 0:
        raise ValueError(
            f"expected alphas to be a list of numbers >= 0, at least one, got {alphas!r}."
        )
    return np.unique(checked)[::-1]


def _statistics(base: CoLiDE, X: Any, n_samples: int | None) -> tuple[Moments, Constraints | None]:
    if n_samples is None:
        checked, names = base._check_samples(X)
        check_n_samples(checked.shape[0])
        moments = base._add_samples(None, checked)
    else:
        covariance, names = checked_covariance(X)
        moments = Moments(check_n_samples(n_samples), np.zeros(len(covariance)), covariance)
    return moments, base._resolve(len(moments.covariance), names)


def _largest_alpha(base: CoLiDE, covariance: np.ndarray, constraints: Constraints | None) -> float:
    """Smallest alpha at which every stage of `base` is solved by required edges alone."""
    problem = base._problem(covariance, constraints)
    problems = [problem]
    if base.solver == "newton" and choose_start(problem, base.start) == "equal":
        problems.append(problem._replace(equal=True))
    # Least squares on an acyclic graph, so that no stage has anything to say against it.
    weights = least_squares(problem.covariance, problem.penalties == 0.0).coefficients
    variances = residual_variances(problem, weights)
    largest = 0.0
    for each in problems:
        gradient = np.abs(score_gradient(each, weights, closed_form_scale(each, variances)))
        largest = max(largest, gradient.max(where=problem.penalties == base.alpha, initial=0.0))
    return float(largest)


def _grid(largest: float, n_alphas: int, alpha_min_ratio: float) -> np.ndarray:
    check_scalar(n_alphas, "n_alphas", Integral, min_val=1)
    check_share(alpha_min_ratio, "alpha_min_ratio", above=0.0)
    largest = largest or 1.0  # nothing is correlated with anything: any grid will do
    return np.geomspace(largest, largest * alpha_min_ratio, n_alphas)


def _fit(estimator: CoLiDE, X: Any, n_samples: int | None) -> CoLiDE:
    return estimator.fit(X) if n_samples is None else estimator.fit_covariance(X, n_samples)


def _extended_bic(moments: Moments, graph: np.ndarray, equal: bool, ebic_gamma: float) -> float:
    n, d, n_edges = moments.n_samples, len(graph), int(graph.sum())
    score = score_settings(n, d, equal=equal, floor=noise_floor(moments.covariance))
    variances = least_squares(moments.covariance, graph).variances
    bic = 2 * gaussian_bic(score, variances, n_edges)
    return bic + 4 * ebic_gamma * n_edges * float(np.log(d))
