"""Drawing of a gene regulatory network: kinds of edges, p-values, and how often genes are zero."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.stats import norm

from sparsekit.plotting._dag import DAGDisplay
from sparsekit.plotting._dag_edges import (
    Edge,
    Look,
    checked,
    line_of,
    mixed,
    style_color,
)
from sparsekit.plotting._drawing import Drawing
from sparsekit.plotting._layers import order_of
from sparsekit.plotting._style import PALETTE

__all__ = ["GRNDisplay"]

# Colours by kind where there is no graph to compare with.
_COLORS = {"directed": PALETTE[0], "undirected": PALETTE[8], "bidirected": PALETTE[6]}
_HEADS = {"directed": "-|>", "undirected": "-", "bidirected": "<|-|>"}
# Shades of a gene that is never, and of one that is always zero.
_PALEST, _DARKEST = 0.0, 0.75
# Names on boxes of a darker shade than this are written in the colour of the background.
_DARK = 0.54
_SHARES_IN_LEGEND = (0.0, 0.5, 1.0)
# The normal quantile of the least p-value above zero; smaller ones are rounded to zero.
_LARGEST_QUANTILE = 38.0


class GRNDisplay(DAGDisplay):
    """Drawing of a gene regulatory network, or of any graph learned from data with many zeros.

    Create it by `from_estimator` or `from_adjacency`; all parameters are stored as attributes. It
    is laid out as by `DAGDisplay`: directed edges point down. Kinds of edges differ in colour and
    heads, their widths grow with the evidence (the normal quantile of the p-value, or else
    `confidence`), and the shade of a box is the share of cells in which the gene is zero. Required
    edges, which are not tested, are the finest.

    Parameters
    ----------
    adjacency : csr_array of shape (n_genes, n_genes)
        i -> j at [i, j] alone; undirected and bidirected edges at [i, j] and [j, i]. Weights are
        ignored.
    feature_names : ndarray of shape (n_genes,), default=None
        Numbers if omitted.
    bidirected : tuple of (int, int), default=()
        Which of the edges at both entries are bidirected.
    pvalues : csr_array of shape (n_genes, n_genes), default=None
        Symmetric; entries that are not stored are zero, those that are NaN were not tested.
    zero_shares : ndarray of shape (n_genes,), default=None
        Share of cells in which each gene is zero.
    confidence : csr_array of shape (n_genes, n_genes), default=None
        Values in [0, 1], such as frequencies over bootstrap samples: uncertain edges are pale.
    true : csr_array of shape (n_genes, n_genes), default=None
        Graph to compare with, as in `DAGDisplay`; colours then tell what is right.
    positions : ndarray of shape (n_genes, 2), default=None
        Centres of the boxes. Computed if omitted.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    positions_ : ndarray of shape (n_genes, 2)
    edges_ : dict of (int, int) to matplotlib FancyArrowPatch
        By (source, target); an edge without one direction by (smaller, larger), a missing one as in
        `true`.
    nodes_ : list of matplotlib Patch
    names_ : list of matplotlib Text
        Empty where names are left out.
    legend_ : matplotlib Legend or None

    See Also
    --------
    DAGDisplay : Weights and signs instead.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sparsekit.plotting import GRNDisplay
    >>> cpdag = [[0, 1, 0], [0, 0, 0], [0, 1, 0]]
    >>> genes = ["GATA1", "KLF1", "TAL1"]
    >>> display = GRNDisplay.from_adjacency(cpdag, feature_names=genes, zero_shares=[0.2, 0.9, 0.4])
    >>> sorted(display.edges_)
    [(0, 1), (2, 1)]
    >>> plt.show()
    """

    def __init__(
        self,
        adjacency: Any,
        *,
        feature_names: Any = None,
        bidirected: Any = (),
        pvalues: Any = None,
        zero_shares: Any = None,
        confidence: Any = None,
        true: Any = None,
        positions: Any = None,
    ) -> None:
        super().__init__(
            adjacency,
            feature_names=feature_names,
            confidence=confidence,
            true=true,
            positions=positions,
        )
        self.bidirected = bidirected
        self.pvalues = pvalues
        self.zero_shares = zero_shares

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any = None,
        *,
        feature_names: Any = None,
        confidence: Any = None,
        true: Any = None,
        positions: Any = None,
        ax: Any = None,
    ) -> "GRNDisplay":
        """Draw the graph that an estimator has found.

        Parameters
        ----------
        estimator : fitted estimator
            With the attribute `adjacency_`, such as `DropoutPC` or `DropoutGES`; or
            `BootstrapEdges`, which stands for its `estimator_` with `edge_frequencies_` as
            confidence.
        X : {array-like, sparse matrix, AnnData} of shape (n_cells, n_genes), default=None
            Data of the fit, for the shares of zeros; not shown if omitted.
        feature_names : array-like of shape (n_genes,), default=None
            If omitted, `feature_names_in_` of the estimator if it has seen names, else numbers.
        confidence : {array-like, sparse matrix} of shape (n_genes, n_genes) or fitted estimator
            See `from_adjacency`. A fitted `BootstrapEdges` stands for its `edge_frequencies_`.
        true : {array-like, sparse matrix} of shape (n_genes, n_genes), default=None
            Graph to compare with.
        positions : array-like of shape (n_genes, 2), default=None
            `positions_` of another display.
        ax : matplotlib Axes, default=None
            A new figure if omitted.

        Returns
        -------
        GRNDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is no estimator or has no `adjacency_`.
        ValueError
            As `from_adjacency`.
        ImportError
            If matplotlib is missing.
        """
        estimator, given = cls._read_estimator(estimator, feature_names, confidence)
        conflicts = getattr(estimator, "conflicts_", ())
        return cls.from_adjacency(
            estimator.adjacency_,
            **given,
            bidirected=[(i, j) for i, j, kind in conflicts if kind == "bidirected"],
            pvalues=_pvalues_of(estimator),
            zero_shares=None if X is None else _zero_shares(X),
            true=true,
            positions=positions,
            ax=ax,
        )

    @classmethod
    def from_adjacency(
        cls,
        adjacency: Any,
        *,
        feature_names: Any = None,
        bidirected: Iterable[tuple[int, int]] = (),
        pvalues: Any = None,
        zero_shares: Any = None,
        confidence: Any = None,
        true: Any = None,
        positions: Any = None,
        ax: Any = None,
    ) -> "GRNDisplay":
        """Draw a graph.

        Parameters
        ----------
        adjacency : {array-like, sparse matrix} of shape (n_genes, n_genes), Graph or networkx graph
            i -> j at [i, j] alone; edges without one direction at [i, j] and [j, i].
        feature_names : array-like of shape (n_genes,), default=None
            If omitted, the names of the nodes if the graph has any, else numbers.
        bidirected : iterable of (int, int), default=()
            Which of the edges at both entries are bidirected.
        pvalues : {array-like, sparse matrix} of shape (n_genes, n_genes), default=None
            Of the edges; NaN where there was no test. What a sparse matrix does not store is zero,
            and so most certain. None: widths follow `confidence` if there is any, and are equal if
            not.
        zero_shares : array-like of shape (n_genes,), default=None
            Shares of cells in which the genes are zero. None: not shown.
        confidence : {array-like, sparse matrix} of shape (n_genes, n_genes) or fitted estimator
            Values in [0, 1] of the edges. A fitted `BootstrapEdges` stands for its
            `edge_frequencies_`. None: not shown.
        true : {array-like, sparse matrix} of shape (n_genes, n_genes), Graph or networkx graph
            Graph to compare with; nodes are matched by name if both graphs have names. None: no
            comparison.
        positions : array-like of shape (n_genes, 2), default=None
            `positions_` of another display, so that both have their nodes at the same places.
        ax : matplotlib Axes, default=None
            A new figure if omitted. Sizes are made for the axes as they are now: set up all axes of
            a figure before.

        Returns
        -------
        GRNDisplay

        Raises
        ------
        ValueError
            If shapes do not fit, an entry or a position is not finite, a node has an edge to
            itself, or a share, a p-value or a confidence is outside [0, 1].
        ImportError
            If matplotlib is missing.
        """
        given = cls._read_graph(adjacency, feature_names, confidence, true, positions)
        shape = given["adjacency"].shape
        if pvalues is not None:
            pvalues = checked("pvalues", sp.csr_array(pvalues), shape)
            _check_shares("pvalues", pvalues.data[~np.isnan(pvalues.data)])
        if zero_shares is not None:
            zero_shares = checked("zero_shares", np.asarray(zero_shares, float), shape[:1])
            _check_shares("zero_shares", zero_shares)
        display = cls(
            **given,
            bidirected=tuple(tuple(sorted(pair)) for pair in bidirected),
            pvalues=pvalues,
            zero_shares=zero_shares,
        )
        return display.plot(ax)

    # The name that displays of scikit-learn have for what needs no estimator.
    from_predictions = from_adjacency

    def _layering(self, edges: list[Edge]) -> list[tuple[int, int]]:
        """Undirected edges lead down where the directed ones allow it."""
        directed = [edge[:2] for edge in edges if edge.is_directed]
        ends = np.array(directed, dtype=np.int64).reshape(-1, 2)
        rank = order_of(self.adjacency.shape[0], ends)
        pairs = [edge[:2] for edge in edges]
        return [(i, j) if rank[i] < rank[j] else (j, i) for i, j in pairs]

    def _shown_edges(self) -> list[Edge]:
        return [edge._replace(weight=self._evidence(edge)) for edge in super()._shown_edges()]

    def _evidence(self, edge: Edge) -> float:
        """What decides about the width of an edge."""
        if edge.kind == "missing":
            return 0.0
        if self.pvalues is None:
            return 1.0 if self.confidence is None else self._confidence_of(edge)
        pvalue = self.pvalues[edge.source, edge.target]
        if np.isnan(pvalue):
            return 0.0
        return float(np.clip(norm.isf(pvalue / 2), 0.0, _LARGEST_QUANTILE))

    def _kind_of(self, edge: Edge) -> str:
        if edge.is_directed:
            return "directed"
        return "bidirected" if edge[:2] in self.bidirected else "undirected"

    def _heads(self, edge: Edge) -> str:
        return _HEADS[self._kind_of(edge)]

    def _looks(self, edges: list[Edge]) -> list[Look]:
        looks = super()._looks(edges)
        if self.true is not None:
            return looks
        colors = [_COLORS[self._kind_of(edge)] for edge in edges]
        return [look._replace(color=color) for look, color in zip(looks, colors, strict=True)]

    def _draw_nodes(self, drawing: Drawing, points: float) -> None:
        super()._draw_nodes(drawing, points)
        if self.zero_shares is None:
            return
        for box, share in zip(self.nodes_, self.zero_shares, strict=True):
            box.set_facecolor(_shade(share))
        for text, share in zip(self.names_, self.zero_shares, strict=False):
            if share > _DARK / _DARKEST:
                text.set_color(style_color("axes.facecolor"))

    def _legend_groups(self, edges: list[Edge], points: float) -> list[list[Any]]:
        groups = super()._legend_groups(edges, points)
        if self.true is None:
            kinds = {self._kind_of(edge) for edge in edges}
            groups = [[line_of(kind, _COLORS[kind]) for kind in _COLORS if kind in kinds]]
        if self.pvalues is not None:
            groups.append(self._widths_in_legend(edges, points))
        if self.zero_shares is not None:
            groups.append([_shade_in_legend(share) for share in _SHARES_IN_LEGEND])
        return groups

    def _widths_in_legend(self, edges: list[Edge], points: float) -> list[Any]:
        """The boldest and the finest line with their p-values."""
        pairs = zip(self._looks(edges), edges, strict=True)
        widths = sorted(
            (look.width * points, float(self.pvalues[edge.source, edge.target]))
            for look, edge in pairs
            if edge.kind != "missing"
        )
        found = [(width, pvalue) for width, pvalue in widths if not np.isnan(pvalue)]
        ends = dict.fromkeys([found[-1], found[0]]) if found else {}
        return [
            line_of(f"p = {pvalue:.1g}" if pvalue else "p < 1e-300", "0.5", width=width)
            for width, pvalue in ends
        ]


def _shade(share: float) -> np.ndarray:
    line, face = style_color("text.color"), style_color("axes.facecolor")
    return mixed(line, face, _PALEST + (_DARKEST - _PALEST) * share)


def _shade_in_legend(share: float) -> Any:
    from matplotlib.patches import Patch

    frame = mixed(style_color("text.color"), style_color("axes.facecolor"), 0.55)
    return Patch(facecolor=_shade(share), edgecolor=frame, label=f"{share:.0%} zeros")


def _check_shares(name: str, values: np.ndarray) -> None:
    if not all(0 <= value <= 1 for value in values):
        raise ValueError(f"{name} must lie in [0, 1].")


def _pvalues_of(estimator: Any) -> sp.csr_array | None:
    """P-values, NaN for edges that have none: those that were required are not tested."""
    if not hasattr(estimator, "pvalues_"):
        return None
    tested, untested = estimator.pvalues_.copy(), sp.csr_array(estimator.adjacency_ != 0)
    tested.data = np.ones(tested.nnz, dtype=bool)  # also where zero is stored
    untested = sp.csr_array(untested > tested, dtype=np.float64)
    untested.data[:] = np.nan
    return sp.csr_array(estimator.pvalues_ + untested + untested.T)


def _zero_shares(X: Any) -> np.ndarray:
    """Of an array, a sparse matrix, a frame or an AnnData."""
    matrix = X.X if hasattr(X, "var_names") else X
    if sp.issparse(matrix):
        nonzero = np.asarray((matrix != 0).sum(axis=0)).ravel()
        return 1 - nonzero / matrix.shape[0]
    return np.mean(np.asarray(matrix) == 0, axis=0)
