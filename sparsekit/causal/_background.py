"""What is known of a causal graph in advance: one class for every causal estimator."""

import reprlib
from collections.abc import Iterable
from typing import Any, NamedTuple

import networkx as nx
import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from sparsekit.causal._knowledge_forms import Edges, Feature, Tiers, as_edges, as_tiers
from sparsekit.core.dag import topological_order

__all__ = ["BackgroundKnowledge", "Constraints"]


class Constraints(NamedTuple):
    """Background knowledge about the features of given data.

    Attributes
    ----------
    forbidden : ndarray of shape (n_features, n_features), bool
        Also what would close a cycle with required edges, among it the diagonal.
    required : ndarray of shape (n_features, n_features), bool
        An acyclic graph, no edge of which is forbidden.
    """

    forbidden: np.ndarray
    required: np.ndarray


class BackgroundKnowledge:
    """Edges that a causal graph must not have, or must have.

    Parameters
    ----------
    forbidden : sequence of pairs or boolean matrix of shape (n_features, n_features), default=()
        Edges that must not be. A pair ``(i, j)`` is the edge i -> j between two features, each
        given by its index or name. A matrix may be an array, sparse (all that is stored and not
        zero) or a data frame; a frame with string columns goes by name, and one with the columns
        ``source`` and ``target`` is a list of pairs. The diagonal of a matrix is ignored.
    required : sequence of pairs or boolean matrix of shape (n_features, n_features), default=()
        Edges that must be, in the same forms.
    tiers : sequence of sequences of features, default=None
        Groups in the order of time: no edge leads from a later tier to an earlier one. Features in
        no tier are free.

    Attributes
    ----------
    forbidden, required : tuple of pairs or ndarray of shape (n_features, n_features), bool
        Arrays are read-only.
    tiers : tuple of tuples, or None

    Raises
    ------
    ValueError, TypeError
        If something has none of these forms. Whether the knowledge is free of contradictions and
        fits the data is checked when an estimator is fitted.

    Notes
    -----
    Immutable, equal by content (the order of pairs does not matter) and hashable. With the required
    edges, everything that would close a cycle with them is forbidden.

    Examples
    --------
    >>> from sparsekit.causal import BackgroundKnowledge
    >>> knowledge = BackgroundKnowledge(required=[("age", "income")], tiers=[["age"], ["job"]])
    >>> knowledge
    BackgroundKnowledge(required=(('age', 'income'),), tiers=(('age',), ('job',)))
    >>> knowledge.resolve(3, ["age", "job", "income"]).forbidden
    array([[ True, False, False],
           [ True,  True, False],
           [ True, False,  True]])
    """

    __slots__ = ("_forbidden", "_required", "_tiers")

    def __init__(self, *, forbidden: Any = (), required: Any = (), tiers: Any = None) -> None:
        self._forbidden = as_edges(forbidden, "forbidden")
        self._required = as_edges(required, "required")
        self._tiers = None if tiers is None else as_tiers(tiers) or None

    @property
    def forbidden(self) -> Edges:
        """Edges that must not be."""
        return self._forbidden

    @property
    def required(self) -> Edges:
        """Edges that must be."""
        return self._required

    @property
    def tiers(self) -> Tiers | None:
        """Groups of features in the order of time."""
        return self._tiers

    def resolve(self, n_features: int, feature_names: Iterable[str] | None = None) -> Constraints:
        """Apply the knowledge to given features; estimators call this.

        Parameters
        ----------
        n_features : int
        feature_names : sequence of str of length n_features, default=None

        Returns
        -------
        Constraints
            Two boolean matrices, `forbidden` and `required`. Forbidden is also the diagonal and
            what would close a cycle with required edges.

        Raises
        ------
        ValueError
            If a name is unknown, an index out of range, a matrix of another size, a feature in two
            tiers, an edge a self-loop, an edge both required and forbidden, or if required edges
            form a cycle. The message names the entry.
        """
        features = _Features(n_features, feature_names)
        forbidden = features.matrix(self._forbidden, "forbidden")
        required = features.matrix(self._required, "required")
        np.fill_diagonal(forbidden, False)  # of matrices; pairs have been checked
        if required.diagonal().any():
            raise features.self_loop(int(np.argmax(required.diagonal())), "required")
        numbers = features.tier_numbers(self._tiers or ())
        backwards = (numbers[:, None] > numbers) & (numbers >= 0)
        features.check_disjoint(required, forbidden, "forbidden")
        features.check_disjoint(required, backwards, "forbidden by the tiers")
        features.check_acyclic(required)
        forbidden |= backwards | _closes_cycle(required)
        return Constraints(forbidden, required)

    def number_tiers(
        self, n_features: int, feature_names: Iterable[str] | None = None
    ) -> np.ndarray:
        """Tier of each of the given features; estimators that look at time call this.

        Parameters
        ----------
        n_features : int
        feature_names : sequence of str of length n_features, default=None

        Returns
        -------
        ndarray of shape (n_features,), int
            Numbered from 0; -1 for features in none.

        Raises
        ------
        ValueError
            If a name is unknown, an index out of range, or a feature in two tiers.

        Examples
        --------
        >>> from sparsekit.causal import BackgroundKnowledge
        >>> BackgroundKnowledge(tiers=[[2], [0]]).number_tiers(3)
        array([ 1, -1,  0])
        """
        return _Features(n_features, feature_names).tier_numbers(self._tiers or ())

    def _content(self) -> tuple:
        tiers = None if self._tiers is None else tuple(map(frozenset, self._tiers))
        return (_hashable(self._forbidden), _hashable(self._required), tiers)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BackgroundKnowledge):
            return NotImplemented
        return self._content() == other._content()

    def __hash__(self) -> int:
        return hash(self._content())

    def __sklearn_clone__(self) -> "BackgroundKnowledge":
        return self

    def __copy__(self) -> "BackgroundKnowledge":
        return self

    def __deepcopy__(self, memo: dict) -> "BackgroundKnowledge":
        return self

    def __getstate__(self) -> dict:
        return {"forbidden": self._forbidden, "required": self._required, "tiers": self._tiers}

    def __setstate__(self, state: dict) -> None:
        self.__init__(**state)

    def __repr__(self) -> str:
        parts = self.__getstate__().items()
        known = [(name, part) for name, part in parts if part is not None and len(part)]
        shown = ", ".join(f"{name}={_shown(part)}" for name, part in known)
        return f"BackgroundKnowledge({shown})"


class _Features:
    """Features of given data, by index or name."""

    def __init__(self, n_features: int, names: Iterable[str] | None) -> None:
        self.n_features = n_features
        self.names = None if names is None else [str(name) for name in names]
        self.position = {name: i for i, name in enumerate(self.names or ())}

    def index(self, feature: Feature, what: str) -> int:
        if isinstance(feature, str):
            if self.names is None:
                raise ValueError(
                    f"{what} names the feature {feature!r}, but the data have no feature names: "
                    "give an index, or fit a data frame."
                )
            if feature not in self.position:
                raise ValueError(
                    f"{what} names {feature!r}, which is no feature: they are "
                    f"{reprlib.repr(self.names)}."
                )
            return self.position[feature]
        if not 0 <= feature < self.n_features:
            raise ValueError(
                f"{what} has the index {feature}, expected 0 .. {self.n_features - 1} for data of "
                f"{self.n_features} features."
            )
        return feature

    def label(self, index: int) -> Feature:
        return index if self.names is None else self.names[index]

    def matrix(self, edges: Edges, what: str) -> np.ndarray:
        """Edges as a new boolean matrix."""
        shape = (self.n_features, self.n_features)
        if isinstance(edges, np.ndarray):
            if edges.shape != shape:
                raise ValueError(
                    f"expected {what} of shape {shape}, one row and column a feature, got "
                    f"{edges.shape}."
                )
            return edges.copy()
        result = np.zeros(shape, dtype=bool)
        for source, target in edges:
            i, j = self.index(source, what), self.index(target, what)
            if i == j:
                raise self.self_loop(i, what)
            result[i, j] = True
        return result

    def tier_numbers(self, tiers: Tiers) -> np.ndarray:
        """Number of each feature's tier, -1 for free ones."""
        numbers = np.full(self.n_features, -1)
        for number, tier in enumerate(tiers):
            for feature in tier:
                index = self.index(feature, "tiers")
                if numbers[index] not in (-1, number):
                    raise ValueError(f"{self.label(index)!r} is in two tiers: leave it in one.")
                numbers[index] = number
        return numbers

    def self_loop(self, index: int, what: str) -> ValueError:
        return ValueError(
            f"{what} has an edge from {self.label(index)!r} to itself, which a directed acyclic "
            "graph can not have: leave it out."
        )

    def check_disjoint(self, required: np.ndarray, forbidden: np.ndarray, how: str) -> None:
        both = np.argwhere(required & forbidden)
        if len(both):
            source, target = (self.label(index) for index in both[0].tolist())
            raise ValueError(
                f"the edge {source!r} -> {target!r} is required and {how}: leave one out."
            )

    def check_acyclic(self, required: np.ndarray) -> None:
        n_components = connected_components(
            sp.csr_array(required), connection="strong", return_labels=False
        )
        if n_components < len(required):
            graph = nx.DiGraph(np.argwhere(required).tolist())
            cycle = [source for source, _ in nx.find_cycle(graph)]
            path = " -> ".join(repr(self.label(index)) for index in cycle + cycle[:1])
            raise ValueError(f"required edges form the cycle {path}: leave one out.")


def _closes_cycle(required: np.ndarray) -> np.ndarray:
    """Edges to an ancestor by required edges, the diagonal included."""
    descendants = np.eye(len(required), dtype=bool)
    for node in topological_order(required)[::-1]:
        children = np.flatnonzero(required[node])
        descendants[node] |= descendants[children].any(axis=0)
    return descendants.T


def _hashable(edges: Edges) -> tuple | frozenset:
    if isinstance(edges, np.ndarray):
        return (len(edges), edges.tobytes())
    return frozenset(edges)


def _shown(part: Any) -> str:
    if isinstance(part, np.ndarray):
        return f"<{np.count_nonzero(part)} edges among {len(part)} features>"
    return reprlib.repr(part)
