"""Expression of genes in blood cells: real single-cell data with many zeros."""

from importlib.resources import files
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils import Bunch

from sparsekit.datasets._graphs import _import_pandas

__all__ = ["load_pbmc68k_reduced"]

_DESCR = """\
Gene expression in 700 blood cells (10x Genomics, reduced by scanpy)
--------------------------------------------------------------------

:Samples: 700 peripheral blood mononuclear cells of one healthy donor
:Features: expression of 765 genes, by name; normalised for each cell and log-transformed
:Zeros: 67 % of the values; zeros of the counts stayed zeros
:Graph: none is known

The cells are of several kinds (T, B and NK cells, monocytes, dendritic cells ...). Nothing found
in these data can be checked against a true graph: use them for names, sparse input and scale.

The values are those that scanpy 1.11.5 distributes as raw.X of its data set pbmc68k_reduced
(licence BSD-3-Clause, copyright 2025 scverse, 2017 F. Alexander Wolf, P. Angerer, Theis Lab). The
counts behind them are the data set "Fresh 68k PBMCs (Donor A)" of 10x Genomics, which Bioconductor
distributes under the licence CC BY 4.0; the terms of 10x Genomics itself could not be read.

References
..........
- G. X. Y. Zheng et al.: "Massively parallel digital transcriptional profiling of single cells",
  Nature Communications 8 (2017), 14049.
- F. A. Wolf, P. Angerer, F. J. Theis: "SCANPY: large-scale single-cell gene expression data
  analysis", Genome Biology 19 (2018), 15.
"""


def load_pbmc68k_reduced(*, return_X_y: bool = False, as_frame: bool = False) -> Bunch | tuple:
    """Load the expression of 765 genes in 700 blood cells, sparse and without a target.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(data, None)`` instead of a Bunch.
    as_frame : bool, default=False
        Return the data as a pandas DataFrame with sparse columns, which scikit-learn and sparsekit
        do not make dense.

    Returns
    -------
    data : Bunch
        data : csr_array or DataFrame of shape (700, 765), float64
            Expression, normalised for each cell and log-transformed; 67 % are zeros, which are not
            stored.
        feature_names : list of 765 str
            Genes.
        target : None
        DESCR : str
            Source and licences.
    (data, None) : tuple
        If `return_X_y` is true.

    Raises
    ------
    ImportError
        If `as_frame` is true and pandas is missing.

    Examples
    --------
    >>> from sparsekit.datasets import load_pbmc68k_reduced
    >>> cells = load_pbmc68k_reduced()
    >>> cells.data.shape
    (700, 765)
    >>> cells.feature_names[:3]
    ['HES4', 'TNFRSF4', 'SSU72']
    """
    folder: Any = files("sparsekit.datasets") / "data" / "pbmc68k"
    genes = (folder / "genes.txt").read_text(encoding="utf-8").split()
    with (folder / "expression.npz").open("rb") as file, np.load(file) as stored:
        values = stored["thousandths"] / 1000
        columns = stored["genes_of_values"].astype(np.int32)
        starts = stored["cell_starts"]
    expression = sp.csr_array((values, columns, starts), shape=(len(starts) - 1, len(genes)))
    data: Any = expression
    if as_frame:
        data = _import_pandas().DataFrame.sparse.from_spmatrix(expression, columns=genes)
    if return_X_y:
        return data, None
    return Bunch(data=data, feature_names=genes, target=None, DESCR=_DESCR)
