"""What the estimators that learn from the rows that zeros leave have in common."""

import warnings
from typing import Any, NamedTuple

import networkx as nx
import numpy as np
import scipy.sparse as sp
from sklearn.callback import CallbackContext
from sklearn.utils.validation import check_is_fitted, validate_data

from sparsekit.causal._background import Constraints
from sparsekit.causal._inputs import labels_for
from sparsekit.causal.dropout._densities import fit_densities, mean_log_density, observe
from sparsekit.causal.dropout._intake import Table, is_annotated, read_table, warn_of_columns
from sparsekit.causal.dropout._samples import Samples, as_samples

__all__ = ["DropoutGraphMixin", "Problem", "Steps", "as_csr"]


class Problem(NamedTuple):
    """What an estimator learns from.

    Attributes
    ----------
    table : Table
        Checked samples, and names of the features.
    samples : Samples
        The same for kernels; "listwise" has left the complete rows only.
    constraints : Constraints or None
        Background knowledge about these features.
    tiers : ndarray of shape (d,), int, or None
        Tier of each feature, -1 for none.
    """

    table: Table
    samples: Samples
    constraints: Constraints | None
    tiers: np.ndarray | None


class DropoutGraphMixin:
    """Intake of samples, and what a fitted CPDAG tells.

    An estimator that uses it has the parameters `zero_handling` and `background`. Its `fit`, with
    the decorators ``fit_context`` and ``with_callbacks`` in this order, calls ``_prepare(X)``
    first, computes everything from the result, and calls `_set_graph` and sets further attributes
    last: a fit that fails changes nothing. `_edge_columns` may add columns to the edge table.
    """

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def score(self, X, y=None):
        """Compute the mean log-density of new samples, each variable given its parents.

        Parameters
        ----------
        X : {array-like, sparse matrix, AnnData} of shape (n_samples, n_features)
        y : None
            Ignored.

        Returns
        -------
        float
            Larger is better. See Notes of the class.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If X has other features, values that are not finite, or no row that `zero_handling`
            would use for any variable.
        """
        check_is_fitted(self)
        table = self._read_new(X)
        samples = as_samples(table.values, self.zero_handling)
        return mean_log_density(observe(table.values, samples), self._densities)

    def to_networkx(self):
        """Convert the graph to networkx.

        Returns
        -------
        networkx.DiGraph
            Nodes are the feature names, or 0 .. n_features_in_ - 1, in order. Edges have the
            attribute ``kind``: "directed", "undirected" or "bidirected"; the last two kinds are
            there in both directions.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        check_is_fitted(self)
        labels = self._labels()
        graph = nx.DiGraph()
        graph.add_nodes_from(labels)
        for i, j, kind in zip(*self._edges(), strict=True):
            graph.add_edge(labels[i], labels[j], kind=kind)
            if kind != "directed":
                graph.add_edge(labels[j], labels[i], kind=kind)
        return graph

    def edge_table(self):
        """List the edges in a data frame; needs pandas.

        Returns
        -------
        pandas.DataFrame
            Columns ``source`` and ``target``, which are feature names or indices, ``kind``
            ("directed", "undirected" or "bidirected"; the last two are listed once), and what the
            estimator knows of an edge. `DropoutPC` adds ``pvalue`` and ``n_effective``, the most
            certain edges first.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ImportError
            If pandas is not installed.
        """
        check_is_fitted(self)
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError(
                "edge_table needs pandas: pip install 'sparsekit[dataframe]'."
            ) from error
        sources, targets, kinds = self._edges()
        labels = np.array(self._labels(), dtype=object)
        ends = {"source": labels[sources], "target": labels[targets], "kind": kinds}
        frame = pd.DataFrame(ends | self._edge_columns(sources, targets)).infer_objects()
        if "pvalue" not in frame:
            return frame
        return frame.sort_values("pvalue", kind="stable", ignore_index=True)

    def _edge_columns(self, sources: np.ndarray, targets: np.ndarray) -> dict[str, np.ndarray]:
        """Further columns of the edge table, by name."""
        return {}

    def _bidirected(self) -> set[tuple[int, int]]:
        """Pairs i < j of the bidirected edges."""
        return set()

    def _prepare(self, X: Any) -> Problem:
        """Check samples and knowledge; the caller is `fit`, two decorators below the user."""
        table = read_table(X, self)
        constraints = tiers = None
        if self.background is not None:
            features = table.values.shape[1], table.names
            constraints = self.background.resolve(*features)
            tiers = self.background.number_tiers(*features) if self.background.tiers else None
        warn_of_columns(table, self.zero_handling, stacklevel=5)
        samples = as_samples(table.values, self.zero_handling)
        if samples.n_rows == 0:
            warnings.warn(
                "zero_handling='listwise' leaves no row, for each has a zero: no test has "
                "samples. Take fewer variables, or 'conditioning' or 'testwise'.",
                UserWarning,
                stacklevel=5,
            )
        return Problem(table, samples, constraints, tiers)

    def _set_graph(
        self, problem: Problem, adjacency: np.ndarray, correlations: np.ndarray | None = None
    ) -> None:
        """Set what all dropout estimators share.

        `adjacency` is boolean, of shape (d, d): i -> j at [i, j] alone, i - j at both.
        `correlations` of all columns save time, where they are known and nothing is deleted.
        """
        observed = observe(problem.table.values, problem.samples)
        densities = fit_densities(observed, adjacency, correlations)
        directed, skeleton = as_csr(adjacency), as_csr(adjacency | adjacency.T)
        self.n_features_in_ = len(adjacency)
        names = problem.table.names
        if names is not None:
            self.feature_names_in_ = names
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        self.adjacency_, self.skeleton_, self._densities = directed, skeleton, densities

    def _labels(self) -> list:
        return labels_for(getattr(self, "feature_names_in_", None), self.n_features_in_)

    def _edges(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Sources, targets and kinds of the edges; i < j where both directions are stored."""
        matrix = self.adjacency_.toarray() != 0
        both = matrix & matrix.T
        sources, targets = np.nonzero(matrix & ~np.tril(both))
        kinds = np.where(both[sources, targets], "undirected", "directed").astype(object)
        bidirected = self._bidirected()
        for number, pair in enumerate(zip(sources.tolist(), targets.tolist(), strict=True)):
            if pair in bidirected:
                kinds[number] = "bidirected"
        return sources, targets, kinds

    def _read_new(self, X: Any) -> Table:
        """Check samples that need to have the features of `fit`."""
        table = read_table(X, self, min_samples=1)
        fitted = getattr(self, "feature_names_in_", None)
        if is_annotated(X) and fitted is not None:
            if table.labels != fitted.tolist():
                raise ValueError(
                    "expected the same var_names as in fit, in the same order: take "
                    "adata[:, model.feature_names_in_]."
                )
        else:
            matrix = table.values if is_annotated(X) else X
            validate_data(self, matrix, skip_check_array=True, reset=False)
        return table


class Steps:
    """The steps of a fit as callbacks see them: all at once when they have ended.

    Whether there will be another one is not known before.
    """

    def __init__(self, estimator: Any, context: CallbackContext, name: str) -> None:
        self.estimator = estimator
        self.context = context
        self.name = name

    def end_one(self, *_: Any) -> bool:
        """Tell of a step; returns whether to stop."""
        task = self.context.subcontext(task_name=self.name)
        task.call_on_fit_task_begin(estimator=self.estimator)
        return task.call_on_fit_task_end(estimator=self.estimator)


def as_csr(pattern: np.ndarray, values: np.ndarray | None = None) -> sp.csr_array:
    """Sparse matrix with entries where a square boolean array is true: values by rows, or ones."""
    rows, columns = np.nonzero(pattern)
    indptr = np.searchsorted(rows, np.arange(len(pattern) + 1)).astype(np.int32)
    data = np.ones(len(columns)) if values is None else values
    return sp.csr_array((data, columns.astype(np.int32), indptr), shape=pattern.shape)
