"""Data with dropouts: generated ones, and expression of genes in blood cells."""

import sys
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, ndtr
from sklearn.utils import check_array

from sparsekit.core.dag import topological_order
from sparsekit.datasets import load_pbmc68k_reduced, make_dropout_sem

MECHANISMS = [
    "fixed",
    "truncation",
    "logistic",
    "probit",
    "michaelis_menten",
    "quantile",
    "poisson",
]
DROPOUTS = MECHANISMS[:-1]
DISTRIBUTIONS = ["gaussian", "lognormal"]


def large(mechanism, distribution="gaussian", **options):
    options = {"degree": 1.5, "return_latent": True, "random_state": 0} | options
    return make_dropout_sem(100_000, 6, mechanism=mechanism, distribution=distribution, **options)


class TestModel:
    def test_noise_and_weights(self):
        _, adjacency, latent = large("fixed")
        noise = latent - latent @ adjacency
        covariance = np.cov(noise.T)
        scales = np.sqrt(np.diag(covariance))
        np.testing.assert_allclose(covariance / np.outer(scales, scales), np.eye(6), atol=0.02)
        assert (scales > 0.99).all()
        assert (scales < 2.01).all()
        assert scales.std() > 0.1
        assert (np.abs(noise.mean(axis=0)) < 1.03).all()
        assert noise.mean(axis=0).std() > 0.1
        weights = np.abs(adjacency.data)
        assert (weights >= 0.25).all()
        assert (weights <= 1).all()

    def test_lognormal(self):
        _, _, gaussian = large("fixed")
        _, _, latent = large("fixed", "lognormal")
        standardised = (gaussian - gaussian.mean(axis=0)) / gaussian.std(axis=0)
        np.testing.assert_allclose(np.log(latent), standardised, atol=1e-8)

    @given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.floats(0, 4))
    def test_number_of_edges(self, seed, n_nodes, degree):
        _, adjacency = make_dropout_sem(2, n_nodes, degree=degree, random_state=seed)
        assert adjacency.nnz == min(round(degree * n_nodes), n_nodes * (n_nodes - 1) // 2)
        assert isinstance(adjacency, sp.csr_array)
        assert sorted(topological_order(adjacency)) == list(range(n_nodes))

    def test_every_pair_is_as_likely(self):
        """And the direction says nothing about the order of the columns."""
        counts = sum(
            make_dropout_sem(1, 5, degree=0.6, random_state=seed)[1].toarray() != 0
            for seed in range(2000)
        )
        off_diagonal = counts[~np.eye(5, dtype=bool)]
        assert off_diagonal.sum() == 6000
        assert (np.abs(off_diagonal - 300) < 4 * np.sqrt(300)).all()

    def test_scale_free(self):
        _, adjacency = make_dropout_sem(1, 100, graph="sf", degree=2, random_state=0)
        assert sorted(np.bincount(adjacency.indices, minlength=100)) == [0, 1] + [2] * 98


class TestMechanisms:
    @pytest.mark.parametrize("mechanism", DROPOUTS)
    @pytest.mark.parametrize("distribution", DISTRIBUTIONS)
    def test_what_is_not_zero_is_the_expression(self, mechanism, distribution):
        X, _, latent = large(mechanism, distribution)
        seen = X != 0
        np.testing.assert_array_equal(X[seen], latent[seen])
        assert (latent != 0).all()

    @pytest.mark.parametrize(
        ("mechanism", "gaussian", "lognormal"),
        [("fixed", 0.55, 0.45), ("truncation", 0.35, 0.30), ("logistic", 0.45, 0.45)],
    )
    def test_shares_of_zeros(self, mechanism, gaussian, lognormal):
        """Shares measured in the simulations of the paper."""
        for distribution, share in zip(DISTRIBUTIONS, (gaussian, lognormal), strict=True):
            options = {"mechanism": mechanism, "distribution": distribution}
            zeros = [
                (make_dropout_sem(200, 30, **options, random_state=seed)[0] == 0).mean()
                for seed in range(20)
            ]
            assert np.mean(zeros) == pytest.approx(share, abs=0.02)

    def test_fixed(self):
        X, _, latent = large("fixed", mechanism_params=(0.2, 0.3))
        zeros = X == 0
        rates = zeros.mean(axis=0)
        assert ((rates > 0.19) & (rates < 0.31)).all()
        assert rates.std() > 0.01
        assert all(abs(np.corrcoef(zeros[:, j], latent[:, j])[0, 1]) < 0.02 for j in range(6))

    def test_truncation(self):
        X, _, latent = large("truncation")
        for x, z in zip(X.T, latent.T, strict=True):
            assert z[x == 0].max() < z[x != 0].min()
            assert 0.2 <= (x == 0).mean() <= 0.501

    @pytest.mark.parametrize(("mechanism", "share"), [("logistic", expit), ("probit", ndtr)])
    def test_rates_that_depend_on_the_expression(self, mechanism, share):
        X, _, latent = large(mechanism, mechanism_params=(0.3, -0.8))
        for low, high in [(-2, -1.5), (0, 0.2), (1, 1.2)]:
            inside = (latent >= low) & (latent < high)
            expected = share(0.3 - 0.8 * latent[inside]).mean()
            assert (X == 0)[inside].mean() == pytest.approx(expected, abs=0.02)

    def test_michaelis_menten(self):
        X, _, latent = large("michaelis_menten", mechanism_params=(0.5,))
        level = np.abs(latent).mean(axis=0)
        np.testing.assert_allclose((X == 0).mean(axis=0), 1 - level / (level + 0.5), atol=0.01)

    def test_quantile(self):
        X, _, latent = large("quantile", mechanism_params=(30, 0.25))
        low = latent < np.percentile(latent, 30, axis=0)
        assert not (X == 0)[~low].any()
        assert (X == 0)[low].mean() == pytest.approx(0.25, abs=0.01)

    def test_poisson(self):
        X, _, latent = large("poisson", mechanism_params=(3,))
        np.testing.assert_array_equal(X, np.rint(X))
        assert X[latent <= 0].max() == 0
        counts, means = X[latent > 0], 3 * latent[latent > 0]
        residuals = (counts - means) / np.sqrt(means)
        assert residuals.mean() == pytest.approx(0, abs=0.01)
        assert residuals.std() == pytest.approx(1, abs=0.02)


class TestCalls:
    @pytest.mark.parametrize(
        ("options", "first_row", "edges"),
        [
            (
                {"mechanism": "truncation"},
                [0.4293711292896784, 1.720779213514124, 0.3065011801807549, 2.0193377892113347],
                [(0, 2), (1, 2), (1, 3), (2, 3)],
            ),
            (
                {"graph": "sf", "mechanism": "poisson", "distribution": "lognormal"},
                [3.0, 6.0, 0.0, 1.0],
                [(1, 2), (2, 0), (2, 3)],
            ),
        ],
    )
    def test_a_seed_means_the_same_in_every_release(self, options, first_row, edges):
        """Published results name seeds."""
        X, adjacency = make_dropout_sem(3, 4, degree=1, **options, random_state=0)
        np.testing.assert_allclose(X[0], first_row, rtol=1e-7)
        assert list(zip(*adjacency.nonzero(), strict=True)) == edges

    @pytest.mark.parametrize("mechanism", MECHANISMS)
    def test_the_graph_and_the_expression_do_not_depend_on_the_mechanism(self, mechanism):
        """So that mechanisms can be compared on the same expression."""
        _, adjacency, latent = make_dropout_sem(
            20, 5, mechanism=mechanism, return_latent=True, random_state=1
        )
        _, other, same = make_dropout_sem(20, 5, return_latent=True, random_state=1)
        np.testing.assert_array_equal(latent, same)
        assert (adjacency != other).nnz == 0

    def test_a_single_sample(self):
        X, _ = make_dropout_sem(1, 3, distribution="lognormal", random_state=0)
        assert set(X.ravel()) <= {0.0, 1.0}

    @pytest.mark.parametrize(
        ("parameters", "error", "message"),
        [
            ({"n_samples": 0}, ValueError, "n_samples == 0, must be >= 1"),
            ({"n_nodes": 2.5}, TypeError, "n_nodes must be an instance of int"),
            ({"graph": "ws"}, ValueError, r"graph to be one of \('er', 'sf'\), got 'ws'"),
            ({"mechanism": "probit "}, ValueError, "mechanism to be one of .*'probit'"),
            ({"distribution": None}, ValueError, "distribution to be one of"),
            ({"degree": -1}, ValueError, "degree == -1, must be >= 0"),
            ({"degree": np.nan}, ValueError, "degree to be a finite number, got nan"),
            ({"weight_range": (2, 1)}, ValueError, "weight_range to increase"),
            ({"mechanism_params": 0.5}, ValueError, "'fixed' to be a sequence of 2 numbers"),
            ({"mechanism_params": (0.5,)}, ValueError, r"2 numbers, got \(0.5,\)"),
            ({"mechanism_params": (0.5, 1.5)}, ValueError, r"in \[\[0, 1\], \[0, 1\]\], got"),
            ({"mechanism_params": (0.5, np.nan)}, ValueError, "mechanism_params .* nan"),
            ({"mechanism_params": (0.5, 0.4)}, ValueError, "mechanism_params to increase"),
            ({"mechanism_params": ("a", "b")}, TypeError, "mechanism_params"),
            (
                {"mechanism": "poisson", "mechanism_params": (0,)},
                ValueError,
                "'poisson' in",
            ),
            ({"random_state": "seed"}, ValueError, "seed"),
        ],
    )
    def test_bad_parameters(self, parameters, error, message):
        with pytest.raises(error, match=message):
            make_dropout_sem(**parameters)


class TestPBMC:
    def test_data(self):
        cells = load_pbmc68k_reduced()
        assert isinstance(cells.data, sp.csr_array)
        assert cells.data.shape == (700, 765)
        assert cells.data.dtype == np.float64
        assert cells.data.has_canonical_format
        assert cells.data.nnz == 174_400
        assert cells.data.data.min() > 0
        assert "67 %" in cells.DESCR
        assert 1 - cells.data.nnz / (700 * 765) == pytest.approx(0.67, abs=0.005)
        assert cells.target is None
        # Values as scanpy has them.
        np.testing.assert_array_equal(cells.data[[0], :5].toarray(), [[0, 0, 0, 1.591, 1.591]])

    def test_genes(self):
        genes = load_pbmc68k_reduced().feature_names
        assert len(set(genes)) == 765
        # Monocytes express LYZ, NK cells NKG7: the genes hardly go together.
        cells = load_pbmc68k_reduced(as_frame=True).data
        dense = cells[["LYZ", "NKG7", "GNLY"]].sparse.to_dense()
        correlations = np.corrcoef(dense.T)
        assert correlations[1, 2] > 0.6
        assert correlations[0, 1] < 0

    def test_as_frame(self):
        frame = load_pbmc68k_reduced(as_frame=True).data
        assert isinstance(frame, pd.DataFrame)
        assert list(frame.columns) == load_pbmc68k_reduced().feature_names
        checked = check_array(frame, accept_sparse="csr")
        assert sp.issparse(checked)
        assert (checked != load_pbmc68k_reduced().data).nnz == 0

    def test_return_X_y(self):
        data, target = load_pbmc68k_reduced(return_X_y=True)
        assert target is None
        assert (data != load_pbmc68k_reduced().data).nnz == 0
        frame, _ = load_pbmc68k_reduced(return_X_y=True, as_frame=True)
        assert isinstance(frame, pd.DataFrame)

    def test_missing_pandas(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "pandas", None)
        assert load_pbmc68k_reduced().data.shape == (700, 765)
        with pytest.raises(ImportError, match=r"pip install 'sparsekit\[dataframe\]'"):
            load_pbmc68k_reduced(as_frame=True)

    def test_licences_travel_with_the_data(self):
        folder = files("sparsekit.datasets") / "data" / "pbmc68k"
        notice = (folder / "LICENSE.BSD-3-Clause").read_text()
        assert "Copyright (c) 2025 scverse\n" in notice  # of the release that the data are from
        assert "Copyright (c) 2017 F. Alexander Wolf, P. Angerer, Theis Lab\n" in notice
        assert "Creative Commons Attribution 4.0" in (folder / "LICENSE.CC-BY-4.0").read_text()
        assert "BSD-3-Clause" in load_pbmc68k_reduced().DESCR
        assert "CC BY 4.0" in load_pbmc68k_reduced().DESCR
