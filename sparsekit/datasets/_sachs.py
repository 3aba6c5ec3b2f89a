"""Protein signalling data of Sachs et al., with the graphs that are held to be true."""

from importlib.resources import files
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from sparsekit.datasets._graphs import _import_pandas
from sparsekit.graph import Graph

__all__ = ["load_sachs"]

_TRUTHS = ("consensus", "cmu")

_DESCR = """\
Protein signalling in single cells (Sachs et al.)
-------------------------------------------------

:Samples: 853 human T cells, observed without interventions
:Features: amounts of 11 phosphorylated proteins and phospholipids, by flow cytometry; positive, in
        arbitrary units
:Graph: {n_edges} edges, truth="{truth}"

The data are the first 853 of 7466 cells, as distributed by the collection of causal data sets of
Carnegie Mellon University under the licence CC0 1.0.

There is no agreement on the true graph: name the one used with every result. truth="consensus" are
the 17 edges that most papers compare with, from the repository kurowasan/GraN-DAG (licence MIT,
copyright 2019 Authors of Gradient-Based Neural DAG Learning); truth="cmu" are the 20 edges of the
collection above. They share 16 edges. Signalling has feedback, so neither is beyond doubt.

References
..........
- K. Sachs, O. Perez, D. Pe'er, D. A. Lauffenburger, G. P. Nolan: "Causal protein-signaling networks
  derived from multiparameter single-cell data", Science 308 (2005), 523-529.
"""


def load_sachs(
    *, truth: str = "consensus", return_X_y: bool = False, as_frame: bool = False
) -> Bunch | tuple:
    """Load the protein signalling data of Sachs et al. with the graph behind them (causal graphs).

    Parameters
    ----------
    truth : {"consensus", "cmu"}, default="consensus"
        Which graph counts as true: the 17 edges that most papers compare with, or the 20 edges of
        the collection from which the data are.
    return_X_y : bool, default=False
        Return ``(data, adjacency)`` instead of a Bunch.
    as_frame : bool, default=False
        Return the data as a pandas DataFrame. The adjacency stays sparse.

    Returns
    -------
    data : Bunch
        data : ndarray or DataFrame of shape (853, 11), float64
            Amounts of the molecules in each cell, not scaled.
        feature_names : list of 11 str
        adjacency : csr_array of shape (11, 11), float64
            Ones; entry [i, j] is the edge i -> j. Acyclic, with read-only arrays.
        graph : Graph
            The same, as a graph that knows the names.
        truth : str
            The parameter.
        DESCR : str
            Source and licences.
    (data, adjacency) : tuple
        If `return_X_y` is true.

    Raises
    ------
    ValueError
        If `truth` is none of the two.
    ImportError
        If `as_frame` is true and pandas is missing.

    Examples
    --------
    >>> from sparsekit.datasets import load_sachs
    >>> sachs = load_sachs()
    >>> sachs.data.shape
    (853, 11)
    >>> sachs.graph
    Graph(n_nodes=11, n_edges=17, directed, unweighted, named)
    """
    if truth not in _TRUTHS:
        raise ValueError(f"expected truth to be one of {_TRUTHS}, got {truth!r}.")
    names, *rows = _read_table("data.csv")
    data = np.array(rows, dtype=np.float64)
    edges = _read_table(f"edges_{truth}.csv")[1:]
    graph = Graph.from_edges(edges, node_names=names, directed=True)
    bunch = Bunch(
        data=_import_pandas().DataFrame(data, columns=names) if as_frame else data,
        feature_names=names,
        adjacency=graph.adjacency,
        graph=graph,
        truth=truth,
        DESCR=_DESCR.format(truth=truth, n_edges=graph.n_edges),
    )
    return (bunch.data, bunch.adjacency) if return_X_y else bunch


def _read_table(name: str) -> list[list[str]]:
    """Read the cells of a csv file without quotes."""
    file: Any = files("sparsekit.datasets") / "data" / "sachs" / name
    return [line.split(",") for line in file.read_text(encoding="utf-8").splitlines()]
