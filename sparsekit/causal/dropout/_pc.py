"""The PC algorithm on the rows that zeros leave, as a scikit-learn estimator."""

import math
import warnings
from numbers import Integral, Real
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin, with_callbacks

from sparsekit._sklearn_compat import Interval, StrOptions, fit_context
from sparsekit.causal._background import BackgroundKnowledge
from sparsekit.causal.dropout._base import DropoutGraphMixin, Problem, Steps, as_csr
from sparsekit.causal.dropout._ci_tests import CI_TESTS, make_ci_test
from sparsekit.causal.dropout._fisher_z import ConditionalIndependenceTest, FisherZ, p_values
from sparsekit.causal.dropout._orientation import CONFLICTS, Orientation, judge_triples, orient
from sparsekit.causal.dropout._samples import ZERO_HANDLINGS
from sparsekit.causal.dropout._skeleton import SEPSET_RULES, Skeleton, search_skeleton
from sparsekit.causal.dropout._votes import middle_shares

__all__ = ["DropoutPC"]


class DropoutPC(CallbackSupportMixin, DropoutGraphMixin, BaseEstimator):
    """Causal graph of zero-inflated data by conditional-independence tests (PC algorithm).

    Many zeros in counts of single cells are no measurements: the gene was expressed, and missed.
    Taken for values they hide which genes are independent given others, and graphs come out dense
    and wrong. Here a test of x and y given S uses only the samples in which no variable of S is
    zero; all else is the PC algorithm, in a form whose result does not depend on the order of the
    variables [1]_ [2]_. With ``zero_handling="none"`` it is a PC algorithm for any data.

    Parameters
    ----------
    alpha : float, default=0.05
        Level of the tests, between 0 and 1. Less gives sparser graphs.
    zero_handling : {"conditioning", "testwise", "listwise", "none"}, default="conditioning"
        Samples that a test uses. "conditioning": those where no variable of the conditioning set is
        zero. "testwise": where the two tested variables are not zero, either; often better if there
        are enough samples. "listwise": those without any zero, the same for all tests. "none": all,
        zeros being values like others.
    ci_test : {"fisherz", "spearman", "nonparanormal", "gsquare"} or callable, default="fisherz"
        Test of conditional independence: partial correlations of the values, of their ranks, or of
        normal scores of their ranks; "gsquare" for discrete data. A function is called with x and y
        of shape (m,) and S of shape (m, n_given), the values on the samples of a test, and returns
        a p-value.
    max_cond_size : int or None, default=None
        Largest conditioning set. None: as large as the neighbourhoods.
    min_samples : int, float or None, default=None
        Fewest samples of a test: their number, or a share of all samples (of those kept by
        "listwise") between 0 and 1. A test always needs 4 more than variables conditioned on.
    insufficient : {"independent", "keep"}, default="independent"
        What a test with too few samples says. "independent": the edge is removed. "keep": nothing;
        with `min_samples` mostly the better choice if samples are few.
    sepset_rule : {"majority", "all", "first", "max_p"}, default="majority"
        How it is decided whether y is a collider, x -> y <- z, if x and z are not adjacent: it is
        unless y is in their separating set. "all": in any that was found; "first": in the first;
        "max_p": in that with the largest p-value; "majority": in at least half of all sets of
        their neighbours that separate them, which are tested again (ambiguous if it is one half).
    conflict : {"undirected", "bidirected", "first", "overwrite"}, default="undirected"
        What becomes of an edge that colliders want in both directions. It stays "undirected", or is
        called "bidirected"; or the "first" collider in the order of the variables wins, or the last
        one ("overwrite"). The last two depend on the order of the variables.
    background : BackgroundKnowledge or None, default=None
        Edges that are forbidden or required, and tiers.
    n_jobs : int or None, default=None
        Threads; ``None`` means 1 and -1 all cores. The result does not depend on it.

    Attributes
    ----------
    adjacency_ : csr_array of shape (n_features_in_, n_features_in_), float64
        Ones: at [i, j] alone for i -> j, at [i, j] and [j, i] for edges without a direction.
    skeleton_ : csr_array of shape (n_features_in_, n_features_in_), float64
        Ones where there is any edge. Symmetric.
    sepsets_ : dict
        Tuple of the variables that separate i and j, ascending, for each pair (i, j), i < j, that a
        test has separated; by `sepset_rule`, where "majority" is as "max_p". Of equally large
        p-values, such as those of tests with too few samples, the smallest tuple counts.
    pvalues_ : csr_array of shape (n_features_in_, n_features_in_), float64
        Largest p-value of the tests of each pair: above `alpha` exactly if they are not adjacent.
        Symmetric; stored where there was a test, zeros included. Tests of the majority rule do not
        count, here and below.
    n_effective_ : csr_array of shape (n_features_in_, n_features_in_), int64
        Fewest samples used by a test of each pair. Symmetric.
    n_tests_ : ndarray of shape (n_levels,), int64
        Number of tests, for each size of the conditioning set.
    n_insufficient_ : int
        Tests that had too few samples.
    conflicts_ : list of (int, int, str)
        Edges i < j without a direction because there would be contradictions or cycles, each
        "undirected" or "bidirected". They look like others in `adjacency_`.
    ambiguous_triples_ : list of (int, int, int)
        x, y, z with x < z and edges x - y - z, of which the tests do not tell whether y is a
        collider.
    n_features_in_ : int
        Number of variables.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X was a frame with string columns, or an AnnData.

    Warns
    -----
    UserWarning
        If columns are constant, no value is exactly zero, "listwise" leaves no samples, or more
        than half of the tests had too few.

    See Also
    --------
    DropoutGES : Search by scores instead of tests.
    fisher_z_test : One test alone.
    BackgroundKnowledge : Forbidden and required edges.
    BootstrapEdges : Confidence in edges.

    Notes
    -----
    The tests are valid if a zero says nothing about other variables that the variable itself does
    not say, and if variables are related linearly; with very many zeros too few samples may be
    left. See the user guide.

    Sparse X stays sparse. Of an AnnData, ``X`` and ``var_names`` are used; a layer is passed as a
    matrix, ``adata.layers["counts"]``.

    ``DropoutPC(sepset_rule="all", conflict="first")`` gives the graphs of other programs, which
    depend on the order of the variables.

    The method `score` allows for model selection by cross-validation. Each variable has a linear
    regression on its parents in a DAG that the graph stands for (where there is none, edges without
    a direction point to the later column), fitted and scored on the samples that a test given these
    parents would use. The log-density is averaged over the samples, then over those variables that
    have samples enough for this. Which DAG it is may depend on the order of the columns.

    Scikit-learn's callbacks see one task ``level`` for each size of the conditioning set; how many
    there will be is not known before. A callback that stops the fit leaves the graph of the levels
    so far.

    References
    ----------
    .. [1] "Gene Regulatory Network Inference in the Presence of Dropouts: a Causal View",
       arXiv:2403.15500.
    .. [2] D. Colombo, M. H. Maathuis: "Order-independent constraint-based causal structure
       learning", Journal of Machine Learning Research 15, 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsekit.causal import DropoutPC
    >>> rng = np.random.default_rng(0)
    >>> x, z = rng.normal(3, 1, size=(2, 2000))
    >>> X = np.column_stack((x, x + z + rng.normal(size=2000), z))  # 0 -> 1 <- 2
    >>> X[rng.random(X.shape) < 0.3] = 0
    >>> model = DropoutPC(alpha=0.01).fit(X)
    >>> model.adjacency_.toarray()
    array([[0., 1., 0.],
           [0., 0., 0.],
           [0., 1., 0.]])
    """

    _parameter_constraints = {  # noqa: RUF012
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "zero_handling": [StrOptions(set(ZERO_HANDLINGS))],
        "ci_test": [StrOptions(set(CI_TESTS)), callable],
        "max_cond_size": [Interval(Integral, 0, None, closed="left"), None],
        "min_samples": [
            Interval(Integral, 0, None, closed="left"),
            Interval(Real, 0, 1, closed="neither"),
            None,
        ],
        "insufficient": [StrOptions({"independent", "keep"})],
        "sepset_rule": [StrOptions(set(SEPSET_RULES))],
        "conflict": [StrOptions(set(CONFLICTS))],
        "background": [BackgroundKnowledge, None],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        alpha=0.05,
        *,
        zero_handling="conditioning",
        ci_test="fisherz",
        max_cond_size=None,
        min_samples=None,
        insufficient="independent",
        sepset_rule="majority",
        conflict="undirected",
        background=None,
        n_jobs=None,
    ):
        self.alpha = alpha
        self.zero_handling = zero_handling
        self.ci_test = ci_test
        self.max_cond_size = max_cond_size
        self.min_samples = min_samples
        self.insufficient = insufficient
        self.sepset_rule = sepset_rule
        self.conflict = conflict
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
        self : DropoutPC

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
        steps = Steps(self, context, "level")
        test = self._make_test(problem)
        settings = self._settings(problem, test.n_rows)
        skeleton = self._search(problem, test, settings, steps)
        oriented, ambiguous = self._orient(problem, test, settings, skeleton)
        if 2 * skeleton.n_insufficient > skeleton.n_tests.sum() and test.n_rows > 0:
            self._warn_of_insufficient(skeleton)

        known = test.correlations()[0] if isinstance(test, FisherZ) else None
        judged, tested = ~np.isnan(skeleton.statistic), skeleton.n_rows >= 0
        pvalues = as_csr(judged, p_values(skeleton.statistic[judged]))
        n_effective = as_csr(tested, skeleton.n_rows[tested])
        self._set_graph(problem, oriented.adjacency, known)
        self.pvalues_, self.n_effective_ = pvalues, n_effective
        self.sepsets_, self.conflicts_ = skeleton.sepsets, oriented.conflicts
        self.ambiguous_triples_ = ambiguous
        self.n_tests_, self.n_insufficient_ = skeleton.n_tests, skeleton.n_insufficient
        context.call_on_fit_task_end(estimator=self, X=X)
        return self

    def __getstate__(self):
        state = super().__getstate__()
        if "sepsets_" in state:  # formats built on JSON have no tuples for keys
            state = state | {"sepsets_": list(state["sepsets_"].items())}
        return state

    def __setstate__(self, state):
        if "sepsets_" in state:
            state = state | {"sepsets_": dict(state["sepsets_"])}
        super().__setstate__(state)

    def _make_test(self, problem: Problem) -> ConditionalIndependenceTest:
        if self.ci_test == "fisherz":
            return FisherZ(problem.samples, self.n_jobs)
        table = problem.table
        return make_ci_test(
            self.ci_test, table.values, self.zero_handling, self.n_jobs, table.labels
        )

    def _settings(self, problem: Problem, n_rows: int) -> dict[str, Any]:
        """Settings of the search for a skeleton that the majority rule shares."""
        least = self.min_samples or 0
        if not isinstance(least, Integral):
            least = math.ceil(least * n_rows - 1e-9)  # 0.1 * 30 is more than 3
        return {
            "alpha": self.alpha,
            "min_samples": int(least),
            "keep": self.insufficient == "keep",
            "tiers": problem.tiers,
        }

    def _search(
        self,
        problem: Problem,
        test: ConditionalIndependenceTest,
        settings: dict[str, Any],
        steps: Steps,
    ) -> Skeleton:
        excluded = fixed = None
        if problem.constraints is not None:
            forbidden, required = problem.constraints
            excluded, fixed = forbidden & forbidden.T, required | required.T
        return search_skeleton(
            test,
            max_cond_size=self.max_cond_size,
            rule=self.sepset_rule,
            excluded=excluded,
            fixed=fixed,
            watch=steps.end_one,
            **settings,
        )

    def _orient(
        self,
        problem: Problem,
        test: ConditionalIndependenceTest,
        settings: dict[str, Any],
        skeleton: Skeleton,
    ) -> tuple[Orientation, list]:
        """Graph with directions, and the ambiguous triples."""
        sepsets, shares = skeleton.sepsets, None
        if self.sepset_rule == "majority":
            sepsets = skeleton.unions
            shares = middle_shares(test, skeleton, **settings)
        colliders, ambiguous = judge_triples(skeleton.adjacent, sepsets, shares)
        oriented = orient(
            skeleton.adjacent,
            colliders,
            ambiguous,
            conflict=self.conflict,
            constraints=problem.constraints,
        )
        return oriented, ambiguous

    def _warn_of_insufficient(self, skeleton: Skeleton) -> None:
        consequence, advice = {
            "independent": ("counted as independent", "set insufficient='keep' with min_samples"),
            "keep": ("were ignored", "lower min_samples"),
        }[self.insufficient]
        warnings.warn(
            f"{skeleton.n_insufficient} of {skeleton.n_tests.sum()} tests had too few samples, and "
            f"{consequence}: {advice}, lower max_cond_size, or take fewer or less sparse "
            "variables.",
            UserWarning,
            stacklevel=5,
        )

    def _edge_columns(self, sources: np.ndarray, targets: np.ndarray) -> dict[str, np.ndarray]:
        n_rows, pvalues = (
            _lookup(matrix, sources, targets) for matrix in (self.n_effective_, self.pvalues_)
        )
        return {"pvalue": pvalues, "n_effective": n_rows}

    def _bidirected(self) -> set[tuple[int, int]]:
        return {(i, j) for i, j, kind in self.conflicts_ if kind == "bidirected"}


def _lookup(matrix: sp.csr_array, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Entries of a matrix; where none is stored, NaN."""
    stored = matrix.copy()
    stored.data = np.ones(stored.nnz, dtype=bool)
    values = matrix.toarray()[rows, columns]
    is_stored = stored.toarray()[rows, columns]
    return values if is_stored.all() else np.where(is_stored, values, np.nan)
