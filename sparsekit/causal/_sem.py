"""What estimators of linear structural equation models have in common."""

import warnings
from numbers import Integral
from typing import Any

import networkx as nx
import numpy as np
import scipy.sparse as sp
from sklearn.base import DensityMixin
from sklearn.utils import check_array, check_random_state, check_scalar
from sklearn.utils.validation import check_is_fitted, validate_data

from sparsekit._sklearn_compat import fit_context, get_namespace_and_device
from sparsekit.causal._background import Constraints
from sparsekit.causal._inputs import (
    check_finite,
    check_mean,
    check_n_samples,
    checked_covariance,
    feature_names,
    labels_for,
    list_labels,
    to_numpy,
)
from sparsekit.causal._moments import Moments, add_samples, array_api_moments
from sparsekit.core.dag import topological_order

__all__ = ["LinearSEMMixin"]

_WITHOUT_NAN = (
    "drop those samples, impute them (sklearn.impute), or pass a covariance without them to "
    "fit_covariance."
)


class LinearSEMMixin(DensityMixin):
    """Fitting from samples or covariances, and what a fitted linear SEM with Gaussian noise tells.

    An estimator that uses it has the parameters `background` and `random_state`, and a method
    ``_fit_moments(moments, names, constraints)`` that computes everything first, then calls
    `_set_model` and sets further attributes last: a fit that fails changes nothing.
    """

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn a graph from samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples of the variables. Centred here; of everything else than mean and covariance
            nothing is used. Whatever the dtype, the computation is in float64.
        y : None
            Ignored.

        Returns
        -------
        self : object
            Earlier data are forgotten.

        Raises
        ------
        TypeError
            If X is sparse.
        ValueError
            If X has fewer than two samples, NaN or infinite values (the message names their
            columns), a parameter is out of range, or `background` contradicts itself or X.
        """
        checked, names = self._check_samples(X)
        constraints = self._resolve(checked.shape[1], names)
        return self._learn(self._add_samples(None, checked), names, constraints)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None):
        """Learn a graph from these and all earlier samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Further samples. The first call, unless there was a fit of any kind before, needs two;
            later ones may be of one.
        y : None
            Ignored.

        Returns
        -------
        self : object
            As after `fit` of all samples together, up to rounding. Every call solves the whole
            problem anew: fewer, larger parts are cheaper.

        Raises
        ------
        TypeError, ValueError
            As in `fit`, or if the features are not those of earlier samples. The estimator then
            stays as it was.
        """
        self._validate_params()  # the decorator does so only before the first fit
        checked, names = self._check_samples(X)
        fitted = None
        if hasattr(self, "covariance_"):
            validate_data(self, X, skip_check_array=True, reset=False)
            names = getattr(self, "feature_names_in_", None)
            fitted = Moments(self.n_samples_seen_, self.mean_, self.covariance_)
        constraints = self._resolve(checked.shape[1], names)
        return self._learn(self._add_samples(fitted, checked), names, constraints)

    @fit_context(prefer_skip_nested_validation=True)
    def fit_covariance(self, covariance, n_samples, *, mean=None):
        """Learn a graph from a covariance matrix, as `fit` does from the samples behind it.

        Parameters
        ----------
        covariance : array-like of shape (n_features, n_features)
            Divided by the number of samples, as ``numpy.cov(X.T, bias=True)`` and
            ``frame.cov(ddof=0)`` are. Columns of a data frame name the features.
        n_samples : int
            Number of samples behind it, at least 2.
        mean : array-like of shape (n_features,), default=None
            Mean of the samples, for `predict`, `score_samples`, `sample` and a later `partial_fit`;
            zero if omitted.

        Returns
        -------
        self : object

        Raises
        ------
        TypeError
            If the covariance is sparse, or `n_samples` is no integer.
        ValueError
            If the covariance is not square, symmetric (to 1e-8 of the standard deviations), finite
            and positive semi-definite up to rounding, if rows, columns and mean have different
            names, `n_samples` is less than 2, or as in `fit`.
        """
        n_samples = check_n_samples(n_samples)
        checked, names = checked_covariance(covariance)
        mean = np.zeros(len(checked)) if mean is None else check_mean(mean, len(checked), names)
        constraints = self._resolve(len(checked), names)
        return self._learn(Moments(n_samples, mean, checked), names, constraints)

    def predict(self, X):
        """Predict every variable from its parents.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_features), float64
            ``mean + (X - mean) @ adjacency_``: the mean where a variable has no parents.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If X has other features, or values that are not finite.
        """
        checked = self._check_new(X)
        return self.mean_ + (checked - self.mean_) @ self.adjacency_

    def score_samples(self, X):
        """Compute the log-likelihood of each sample under Gaussian noise.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,), float64
            With `residual_scale_` as standard deviations.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If X has other features, or values that are not finite.
        """
        checked = self._check_new(X)
        centred = checked - self.mean_
        residuals = (centred - centred @ self.adjacency_) / self.residual_scale_
        constant = np.log(self.residual_scale_).sum() + len(self.mean_) * np.log(2 * np.pi) / 2
        return -np.einsum("ij,ij->i", residuals, residuals) / 2 - constant

    def score(self, X, y=None):
        """Compute the mean log-likelihood of samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : None
            Ignored.

        Returns
        -------
        float
            Mean of `score_samples`.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If X has other features, or values that are not finite.
        """
        return float(self.score_samples(X).mean())

    def sample(self, n_samples=1, random_state=None):
        """Draw samples from the fitted model, causes first.

        Parameters
        ----------
        n_samples : int, default=1
        random_state : int, RandomState instance or None, default=None
            None: the estimator's own `random_state`.

        Returns
        -------
        ndarray of shape (n_samples, n_features), float64
            With Gaussian noise of standard deviations `residual_scale_`.

        Raises
        ------
        NotFittedError
            Before `fit`.
        TypeError, ValueError
            If `n_samples` is no positive integer.
        """
        check_is_fitted(self)
        check_scalar(n_samples, "n_samples", Integral, min_val=1)
        generator = check_random_state(self.random_state if random_state is None else random_state)
        samples = generator.standard_normal((n_samples, len(self.mean_))) * self.residual_scale_
        parents = sp.csc_array(self.adjacency_)
        for node in self.causal_order_:
            slots = slice(parents.indptr[node], parents.indptr[node + 1])
            samples[:, node] += samples[:, parents.indices[slots]] @ parents.data[slots]
        return samples + self.mean_

    def to_networkx(self):
        """Convert the graph to networkx.

        Returns
        -------
        networkx.DiGraph
            Nodes are the feature names, or 0 .. n_features_in_ - 1, in order; edges have the
            attribute ``weight``.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        check_is_fitted(self)
        graph = nx.DiGraph()
        graph.add_nodes_from(self._labels())
        graph.add_weighted_edges_from(self._weighted_edges())
        return graph

    def to_frame(self):
        """List the edges in a data frame; needs pandas.

        Returns
        -------
        pandas.DataFrame
            Columns ``source`` and ``target``, which are feature names or indices, and ``weight``;
            the largest absolute weights first.

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
                "to_frame needs pandas: pip install 'sparsekit[dataframe]'."
            ) from error
        frame = pd.DataFrame(self._weighted_edges(), columns=["source", "target", "weight"])
        return frame.sort_values(
            "weight", key=abs, ascending=False, kind="stable", ignore_index=True
        )

    def _labels(self) -> list:
        """How the features are called: by name or by index."""
        return labels_for(getattr(self, "feature_names_in_", None), self.n_features_in_)

    def _weighted_edges(self) -> list[tuple]:
        labels, entries = self._labels(), self.adjacency_.tocoo()
        ends = zip(entries.row.tolist(), entries.col.tolist(), entries.data.tolist(), strict=True)
        return [(labels[i], labels[j], weight) for i, j, weight in ends]

    def _check_samples(self, X: Any) -> tuple[np.ndarray, np.ndarray | None]:
        """Check samples to fit; float32 stays, for blocks of it are converted one at a time."""
        xp, *_ = get_namespace_and_device(X)
        checked = check_array(
            X,
            dtype=(xp.float64, xp.float32),
            ensure_all_finite=False,
            estimator=self,
            input_name="X",
        )
        names = feature_names(X)
        check_finite(checked, labels_for(names, checked.shape[1]), "X", _WITHOUT_NAN)
        return checked, names

    def _add_samples(self, moments: Moments | None, checked: Any) -> Moments:
        """Update moments by checked samples, where these are."""
        if isinstance(checked, np.ndarray):
            return add_samples(moments, checked)
        xp, _, device = get_namespace_and_device(checked)
        return array_api_moments(checked, xp=xp, device=device, moments=moments)

    def _check_new(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        X = to_numpy(X)
        checked = validate_data(self, X, reset=False, dtype=np.float64, ensure_all_finite=False)
        check_finite(checked, self._labels(), "X", "drop those samples or impute them.")
        return checked

    def _resolve(self, n_features: int, names: np.ndarray | None) -> Constraints | None:
        return None if self.background is None else self.background.resolve(n_features, names)

    def _learn(self, moments: Moments, names: np.ndarray | None, constraints: Constraints | None):
        check_n_samples(moments.n_samples)
        constant = moments.covariance.diagonal() == 0
        if constant.any():
            listed = list_labels(labels_for(names, len(constant)), constant)
            warnings.warn(
                f"constant columns, which become isolated nodes: {listed}.",
                UserWarning,
                stacklevel=4,
            )
        return self._fit_moments(moments, names, constraints)

    def _set_model(
        self,
        moments: Moments,
        names: np.ndarray | None,
        adjacency: sp.csr_array,
        floor: float | np.ndarray,
        order: np.ndarray | None = None,
    ) -> None:
        """Set what all estimators of linear models share.

        `floor` is the least noise scale, one for all variables or one for each. `order` is a causal
        order if there is a better one than by the numbers of the nodes.
        """
        order = topological_order(adjacency) if order is None else order
        paths = np.eye(len(order)) - adjacency.toarray()
        variances = np.einsum("ij,ij->j", paths, moments.covariance @ paths)
        self.n_features_in_ = len(order)
        self.n_samples_seen_, self.mean_, self.covariance_ = moments[:3]
        self.adjacency_, self.causal_order_ = adjacency, order
        self.residual_scale_ = np.maximum(np.sqrt(np.maximum(variances, 0.0)), floor)
        if names is not None:
            self.feature_names_in_ = names
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
