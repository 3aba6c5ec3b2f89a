"""Small real graphs; the data come with scikit-learn and networkx, nothing is shipped here."""

from numbers import Integral
from typing import Any

import networkx as nx
import numpy as np
from sklearn.datasets import load_digits
from sklearn.neighbors import kneighbors_graph
from sklearn.utils import Bunch, check_scalar

from sparsekit.graph import Graph, as_graph

__all__ = ["load_digits_graph", "load_karate_club", "load_les_miserables"]

_DIGITS_DESCR = """\
Nearest-neighbour graph of handwritten digits
---------------------------------------------

:Nodes: 1797 images of 8 x 8 pixels, integers 0 .. 16
:Edges: undirected, unweighted; two images are joined if one is among the {n_neighbors} nearest
        neighbours (Euclidean distance of the pixels) of the other: {n_edges} edges
:Target: the digit, 0 .. 9

The images are the test set of "Optical Recognition of Handwritten Digits" (E. Alpaydin, C. Kaynak,
1998), UCI Machine Learning Repository, https://doi.org/10.24432/C50P49, which distributes it under
the licence CC BY 4.0. They are read from the copy that is part of scikit-learn.

References
..........
- E. Alpaydin, C. Kaynak: "Cascading classifiers", Kybernetika 34 (1998), 369-374.
- M. D. Garris et al.: "NIST form-based handprint recognition system", NISTIR 5469 (1994).
"""

_KARATE_DESCR = """\
Zachary's karate club
---------------------

:Nodes: 34 members of a university karate club; node 0 is the instructor ("Mr. Hi"), node 33 the
        club's president ("Officer")
:Edges: 78, undirected; two members who met outside the club, weighted by the number of contexts
        (1 .. 7) in which they did
:Target: the club a member joined after the split, 0 "Mr. Hi" or 1 "Officer"

The data were published as tables in the paper below and are read from networkx, whose licence is
BSD-3-Clause.

References
..........
- W. W. Zachary: "An information flow model for conflict and fission in small groups", Journal of
  Anthropological Research 33 (1977), 452-473.
"""

_LES_MISERABLES_DESCR = """\
Characters of Les Miserables
----------------------------

:Nodes: 77 characters of Victor Hugo's novel, by name
:Edges: 254, undirected; two characters who appear in the same chapter, weighted by the number of
        such chapters (1 .. 31)
:Target: none

The data belong to the Stanford GraphBase and are read from networkx, whose licence is BSD-3-Clause.

References
..........
- D. E. Knuth: "The Stanford GraphBase: a platform for combinatorial computing", ACM Press (1993).
"""


def load_digits_graph(
    *, n_neighbors: int = 10, return_X_y: bool = False, as_frame: bool = False
) -> Bunch | tuple:
    """Load the nearest-neighbour graph of scikit-learn's handwritten digits (classification).

    Two images are joined if one is among the `n_neighbors` nearest of the other (Euclidean
    distance of the pixels). The graph knows the pixels of all images and no label.

    Parameters
    ----------
    n_neighbors : int, default=10
        Between 1 and 1796.
    return_X_y : bool, default=False
        Return ``(adjacency, target)`` instead of a Bunch.
    as_frame : bool, default=False
        Return the target as a pandas Series and the features as a DataFrame. The adjacency stays
        sparse.

    Returns
    -------
    data : Bunch
        data : csr_array of shape (1797, 1797), float64
            Symmetric adjacency with weights 1 and read-only arrays.
        graph : Graph
            The same, as a graph.
        target : ndarray or Series of shape (1797,), int64
            The digit.
        target_names : ndarray of shape (10,), int64
        features : ndarray or DataFrame of shape (1797, 64), float64
            Pixels.
        feature_names : list of 64 str
        DESCR : str
            Source and licence.
    (adjacency, target) : tuple
        If `return_X_y` is true.

    Raises
    ------
    TypeError, ValueError
        If `n_neighbors` is not an integer in the range.
    ImportError
        If `as_frame` is true and pandas is missing.

    Examples
    --------
    >>> from sparsekit.datasets import load_digits_graph
    >>> digits = load_digits_graph()
    >>> digits.graph
    Graph(n_nodes=1797, n_edges=12..., undirected, unweighted)
    >>> digits.features.shape
    (1797, 64)
    """
    digits = load_digits()
    check_scalar(n_neighbors, "n_neighbors", Integral, min_val=1, max_val=len(digits.target) - 1)
    directed = kneighbors_graph(digits.data, int(n_neighbors), mode="connectivity")
    graph = Graph(directed, directed=False)
    bunch = Bunch(
        data=graph.adjacency,
        graph=graph,
        target=digits.target.astype(np.int64),
        target_names=digits.target_names,
        features=digits.data,
        feature_names=digits.feature_names,
        DESCR=_DIGITS_DESCR.format(n_neighbors=n_neighbors, n_edges=graph.n_edges),
    )
    return _finish(bunch, return_X_y, as_frame, target_name="digit")


def load_karate_club(*, return_X_y: bool = False, as_frame: bool = False) -> Bunch | tuple:
    """Load Zachary's karate club, a weighted graph of 34 people (classification).

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(adjacency, target)`` instead of a Bunch.
    as_frame : bool, default=False
        Return the target as a pandas Series. The adjacency stays sparse.

    Returns
    -------
    data : Bunch
        data : csr_array of shape (34, 34), float64
            Symmetric weighted adjacency with read-only arrays.
        graph : Graph
            The same, as a graph.
        target : ndarray or Series of shape (34,), int64
            The club after the split, a position in `target_names`.
        target_names : ndarray of shape (2,), str
            "Mr. Hi" and "Officer".
        DESCR : str
            Source and licence.
    (adjacency, target) : tuple
        If `return_X_y` is true.

    Raises
    ------
    ImportError
        If `as_frame` is true and pandas is missing.

    Examples
    --------
    >>> from sparsekit.datasets import load_karate_club
    >>> club = load_karate_club()
    >>> club.graph
    Graph(n_nodes=34, n_edges=78, undirected, weighted)
    >>> club.target_names[club.target[[0, 33]]].tolist()
    ['Mr. Hi', 'Officer']
    """
    network = nx.karate_club_graph()
    clubs = [club for _, club in network.nodes(data="club")]
    target_names, target = np.unique(clubs, return_inverse=True)
    graph = as_graph(network)
    bunch = Bunch(
        data=graph.adjacency,
        graph=graph,
        target=target.astype(np.int64),
        target_names=target_names,
        DESCR=_KARATE_DESCR,
    )
    return _finish(bunch, return_X_y, as_frame, target_name="club")


def load_les_miserables(*, return_X_y: bool = False, as_frame: bool = False) -> Bunch | tuple:
    """Load who meets whom in Les Miserables, a weighted graph of 77 named nodes (no target).

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(adjacency, None)`` instead of a Bunch.
    as_frame : bool, default=False
        Add the edges as a pandas table to the Bunch.

    Returns
    -------
    data : Bunch
        data : csr_array of shape (77, 77), float64
            Symmetric weighted adjacency with read-only arrays.
        graph : Graph
            The same, as a graph that knows the names.
        node_names : ndarray of shape (77,), str
            Characters.
        frame : DataFrame of shape (254, 3)
            Columns source, target and weight, if `as_frame` is true.
        target : None
        DESCR : str
            Source and licence.
    (adjacency, None) : tuple
        If `return_X_y` is true.

    Raises
    ------
    ImportError
        If `as_frame` is true and pandas is missing.

    Examples
    --------
    >>> from sparsekit.datasets import load_les_miserables
    >>> novel = load_les_miserables()
    >>> novel.graph
    Graph(n_nodes=77, n_edges=254, undirected, weighted, named)
    >>> valjean = novel.graph.indices_of(["Valjean"])
    >>> str(novel.node_names[novel.data[valjean].argmax()])
    'Cosette'
    """
    network = nx.les_miserables_graph()
    graph = as_graph(network)
    bunch = Bunch(
        data=graph.adjacency,
        graph=graph,
        target=None,
        node_names=graph.node_names,
        DESCR=_LES_MISERABLES_DESCR,
    )
    if as_frame:
        edges = network.edges(data="weight")
        bunch.frame = _import_pandas().DataFrame(edges, columns=["source", "target", "weight"])
    return _finish(bunch, return_X_y)


def _finish(
    bunch: Bunch, return_X_y: bool, as_frame: bool = False, target_name: str | None = None
) -> Any:
    """Apply the two options that all loaders share with scikit-learn's."""
    if as_frame:
        pd = _import_pandas()
        bunch.target = pd.Series(bunch.target, name=target_name)
        if "features" in bunch:
            bunch.features = pd.DataFrame(bunch.features, columns=bunch.feature_names)
    return (bunch.data, bunch.target) if return_X_y else bunch


def _import_pandas() -> Any:
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            "as_frame=True needs pandas: pip install 'sparsekit[dataframe]'."
        ) from error
    return pandas
