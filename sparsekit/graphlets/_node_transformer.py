"""What transformers of an adjacency have in common: intake, tags, memory of the fitted graph."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.callback import CallbackContext, CallbackSupportMixin
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from sparsekit.core import csr
from sparsekit.graph import adjacency_of, as_graph

__all__ = ["_NodeTransformer"]


class _NodeTransformer(
    CallbackSupportMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """Transformer whose X is the adjacency of an undirected graph and whose samples are nodes."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = True
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _checked(self, X: Any) -> Any:
        """Check the values of X; nothing of the estimator is changed, in case of an error."""
        return check_array(
            adjacency_of(X),
            accept_sparse=("csr", "csc", "coo"),
            dtype=(np.float64, np.float32),
            estimator=self,
            input_name="X",
        )

    def _remember(self, X: Any, checked: Any, pattern: sp.csr_array) -> None:
        """Keep the graph of a fit, as the last thing that can fail in it."""
        fitted = csr.pack(csr.canonical(checked)), csr.pack(pattern)
        validate_data(self, adjacency_of(X), skip_check_array=True, reset=True)
        self._fitted, self._pattern = fitted
        self._names = _names_of(X)

    def _new_rows(self, X: Any) -> sp.csr_array:
        """Canonical rows for `transform`, one column a fitted node."""
        check_is_fitted(self)
        rows = csr.canonical(self._checked(X))
        validate_data(self, adjacency_of(X), skip_check_array=True, reset=False)
        names = _names_of(X)
        if self._names is not None and names is not None and names != self._names:
            raise ValueError(
                "the nodes of X are named or ordered otherwise than those of the fitted graph. "
                "Columns go by position: pass the rows of an adjacency in the fitted order."
            )
        return rows

    def _fitted_adjacency(self) -> sp.csr_array:
        """Adjacency as it was fitted, with weights and self-loops."""
        return csr.unpack(self._fitted, self.n_features_in_)

    def _fitted_pattern(self) -> sp.csr_array:
        """Who was adjacent to whom."""
        return csr.unpack(self._pattern, self.n_features_in_)

    @contextmanager
    def _stage(self, context: CallbackContext, name: str) -> Iterator[None]:
        """Report a stage of a fit, all of which are needed: callbacks can not end it early."""
        task = context.subcontext(task_name=name).call_on_fit_task_begin(estimator=self)
        yield
        task.call_on_fit_task_end(estimator=self)


def _names_of(X: Any) -> list | None:
    """Names of the nodes of a graph object; None without names and for a matrix."""
    names = None if adjacency_of(X) is X else as_graph(X).node_names
    return None if names is None else names.tolist()
