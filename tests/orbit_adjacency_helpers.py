"""What the tests of orbit adjacencies share."""

import naive_graphlets as oracle
import numpy as np
import scipy.sparse as sp

KEYS = oracle.pair_orbits()


def assert_canonical(matrix, n_nodes):
    """The form that every orbit adjacency has."""
    assert isinstance(matrix, sp.csr_array)
    assert matrix.shape == (n_nodes, n_nodes)
    assert matrix.dtype == np.int64
    assert matrix.indices.dtype == matrix.indptr.dtype == np.int32
    assert np.count_nonzero(matrix.data) == matrix.nnz
    checked = sp.csr_array((matrix.data, matrix.indices, matrix.indptr), shape=matrix.shape)
    checked.check_format(full_check=True)
    assert checked.has_canonical_format  # looked up, not believed


def equal(left, right):
    """Whether two csr matrices agree in every array."""
    assert left.format == right.format == "csr"
    names = ("data", "indices", "indptr")
    return all(np.array_equal(getattr(left, name), getattr(right, name)) for name in names)
