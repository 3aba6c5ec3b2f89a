"""DropoutPC with tables of all kinds: frames, AnnData, bad input, exports, held-out scores."""

import math
import pickle
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.stats import norm
from sklearn.model_selection import GridSearchCV
from test_dropout_pc import X, assert_same, every_handling, everything, make_data

from sparsekit.causal import BackgroundKnowledge, BootstrapEdges, DropoutPC
from sparsekit.core.pdag import consistent_extension

NAMES = list("abcdef")


class TestFrames:
    """Data frames name the variables."""

    def test_frames(self):
        pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
        expected = DropoutPC().fit(X)
        pandas = pd.DataFrame(X, columns=NAMES)
        sparse = pd.DataFrame.sparse.from_spmatrix(sp.csc_matrix(X), columns=NAMES)
        for frame in (pandas, pl.DataFrame(X, schema=NAMES), sparse):
            model = DropoutPC().fit(frame)
            assert_same(model, expected, tolerance=1e-12)
            assert model.feature_names_in_.tolist() == NAMES
            assert model.score(frame) == pytest.approx(expected.score(X))
            with pytest.raises(ValueError, match="feature names should match"):
                model.score(frame[NAMES[::-1]])
        assert "feature_names_in_" not in vars(DropoutPC().fit(pandas).fit(X))

    def test_frames_of_sparse_columns_stay_sparse(self):
        pd = pytest.importorskip("pandas")
        frame = pd.DataFrame.sparse.from_spmatrix(sp.csc_matrix(X), columns=NAMES)
        assert sp.issparse(DropoutPC()._prepare(frame).table.values)


class TestAnnData:
    """AnnData, and what looks like one."""

    def test_fit_and_score(self):
        anndata = pytest.importorskip("anndata")
        data = anndata.AnnData(sp.csr_matrix(X))
        data.var_names = NAMES
        model = DropoutPC(background=BackgroundKnowledge(required=[("a", "b")])).fit(data)
        assert model.feature_names_in_.tolist() == NAMES
        plain = DropoutPC(background=BackgroundKnowledge(required=[(0, 1)])).fit(X)
        assert_same(model, plain, tolerance=1e-12)
        assert model.score(data) == pytest.approx(plain.score(X))
        with pytest.raises(ValueError, match="same var_names"):
            model.score(data[:, NAMES[::-1]])
        assert DropoutPC().fit(X).score(data) == pytest.approx(DropoutPC().fit(X).score(X))
        data.layers["halves"] = sp.csr_matrix(X / 2)
        assert_same(DropoutPC().fit(data.layers["halves"]), DropoutPC().fit(X), tolerance=1e-12)

    def test_backed_files_are_read(self, tmp_path):
        anndata = pytest.importorskip("anndata")
        anndata.AnnData(sp.csr_matrix(X)).write_h5ad(tmp_path / "cells.h5ad")
        data = anndata.read_h5ad(tmp_path / "cells.h5ad", backed="r")
        assert_same(DropoutPC().fit(data), DropoutPC().fit(X), tolerance=1e-12)
        data.file.close()

    def test_repeated_names(self):
        class Cells:
            X = X[:, :3]
            var_names = ("a", "b", "a")

        with pytest.raises(ValueError, match=r"'a' more than once: call .*make_unique"):
            DropoutPC().fit(Cells())
        Cells.var_names = ("a", "b", "c")
        assert DropoutPC().fit(Cells()).feature_names_in_.tolist() == ["a", "b", "c"]

    def test_no_matrix(self):
        anndata = pytest.importorskip("anndata")
        with pytest.raises(ValueError, match="pass one of its layers"):
            DropoutPC().fit(anndata.AnnData(shape=(3, 2)))

    def test_resamples(self):
        anndata = pytest.importorskip("anndata")
        resampled = [
            BootstrapEdges(DropoutPC(), 5, random_state=0).fit(data)
            for data in (X, sp.csr_array(X), anndata.AnnData(sp.csr_matrix(X)))
        ]
        assert not hasattr(resampled[0], "feature_names_in_")
        assert resampled[2].feature_names_in_.tolist() == [str(i) for i in range(X.shape[1])]
        frequencies = [each.edge_frequencies_.toarray() for each in resampled]
        assert 0 < frequencies[0][frequencies[0] > 0].min() < 1
        np.testing.assert_array_equal(frequencies[1], frequencies[0])
        np.testing.assert_array_equal(frequencies[2], frequencies[0])


class TestExports:
    """Tables and graphs of networkx."""

    @pytest.fixture
    def model(self):
        """0 -> 1 with p, 1 - 2, 2 <-> 3 and 3 - 4, which was not tested."""
        frame = pytest.importorskip("pandas").DataFrame(X, columns=NAMES)
        model = DropoutPC(conflict="bidirected").fit(frame)
        adjacency = np.zeros((6, 6))
        for i, j in ((0, 1), (1, 2), (2, 1), (2, 3), (3, 2), (3, 4), (4, 3)):
            adjacency[i, j] = 1
        model.adjacency_ = sp.csr_array(adjacency)
        model.conflicts_ = [(1, 2, "undirected"), (2, 3, "bidirected")]
        pvalues = np.zeros((6, 6))
        pvalues[0, 1], pvalues[1, 2], pvalues[2, 3] = 0.04, 0.02, 0.03
        model.pvalues_, model.n_effective_ = sp.csr_array(pvalues), sp.csr_array(pvalues * 100)
        return model

    def test_table(self, model):
        table = model.edge_table()
        assert table["source"].tolist() == ["b", "c", "a", "d"]
        assert table["target"].tolist() == ["c", "d", "b", "e"]
        kinds = ["undirected", "bidirected", "directed", "undirected"]
        assert table["kind"].tolist() == kinds
        np.testing.assert_allclose(table["pvalue"], [0.02, 0.03, 0.04, np.nan])
        np.testing.assert_allclose(table["n_effective"], [2, 3, 4, np.nan])

    def test_numbers_stay_integers(self):
        table = DropoutPC().fit(X).edge_table()
        assert [table[name].dtype.kind for name in ("source", "n_effective")] == ["i", "i"]

    def test_networkx(self, model):
        graph = model.to_networkx()
        assert list(graph) == NAMES
        assert {(i, j): kind for i, j, kind in graph.edges(data="kind")} == {
            ("a", "b"): "directed",
            **dict.fromkeys([("b", "c"), ("c", "b"), ("d", "e"), ("e", "d")], "undirected"),
            **dict.fromkeys([("c", "d"), ("d", "c")], "bidirected"),
        }
        assert list(DropoutPC().fit(X).to_networkx()) == list(range(6))

    def test_copies(self):
        model = DropoutPC(background=BackgroundKnowledge(required=[(0, 1)])).fit(X)
        restored = pickle.loads(pickle.dumps(model))
        assert everything(restored) == everything(model)
        assert restored.score(X) == model.score(X)


class TestScore:
    """Log-densities by hand."""

    @every_handling
    @pytest.mark.parametrize("matrix", [np.asarray, sp.csr_array])
    def test_by_hand(self, zero_handling, matrix):
        train, new = make_data(200, 4, 1, share=0.1), make_data(80, 4, 1, share=0.3)
        model = DropoutPC(zero_handling=zero_handling).fit(matrix(train))
        dag = consistent_extension(model.adjacency_.toarray() != 0)
        expected = []
        for v in range(4):
            parents = np.flatnonzero(dag[:, v])
            needed = {
                "conditioning": parents,
                "testwise": [*parents, v],
                "listwise": range(4),
                "none": [],
            }[zero_handling]
            fitted, scored = (
                data[(data[:, list(needed)] != 0).all(axis=1)] for data in (train, new)
            )
            design = np.column_stack((np.ones(len(fitted)), fitted[:, parents]))
            (constant, *slopes), *_ = np.linalg.lstsq(design, fitted[:, v])
            residuals = fitted[:, v] - constant - fitted[:, parents] @ np.array(slopes)
            errors = scored[:, v] - constant - scored[:, parents] @ np.array(slopes)
            expected.append(norm.logpdf(errors, scale=np.sqrt(np.mean(residuals**2))).mean())
        assert dag.any()
        assert model.score(matrix(new)) == pytest.approx(np.mean(expected))

    def test_without_a_consistent_extension(self):
        # A ring of four has a collider in every DAG.
        rng = np.random.default_rng(0)
        data = rng.normal(size=(100, 4)) + rng.normal(size=(100, 1))
        model = DropoutPC(zero_handling="none").fit(data)
        ring = np.array([[0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 1, 0]], dtype=bool)
        assert consistent_extension(ring) is None
        model._set_graph(model._prepare(data), ring)
        residuals = [data[:, 0]]
        for v, parents in ((1, [0]), (2, [1]), (3, [0, 2])):
            design = np.column_stack((np.ones(100), data[:, parents]))
            solution, *_ = np.linalg.lstsq(design, data[:, v])
            residuals.append(data[:, v] - design @ solution)
        scales = np.std(residuals, axis=1)
        expected = -np.log(scales).mean() - np.log(2 * np.pi) / 2 - 0.5
        assert model.score(data) == pytest.approx(expected)

    def test_copies_and_huge_values_do_not_break_it(self):
        doubled = np.column_stack((X, X[:, 0]))
        assert math.isfinite(DropoutPC().fit(doubled).score(doubled))
        for scale in (1e100, 1e-100):
            score = DropoutPC().fit(X * scale).score(X * scale)
            assert score == pytest.approx(DropoutPC().fit(X).score(X) - np.log(scale))
        for scale in (1e200, 1e-200):  # no squares
            model = DropoutPC().fit(X * scale)
            assert_same(model, DropoutPC().fit(X), tolerance=1e-12)
            with pytest.raises(ValueError, match="no variable has a density"):
                model.score(X)

    def test_one_sample(self):
        model = DropoutPC(zero_handling="none").fit(X)
        for matrix in (np.asarray, sp.csr_array):
            single = [model.score(matrix(X[row : row + 1])) for row in range(10)]
            assert np.mean(single) == pytest.approx(model.score(X[:10]))

    @every_handling
    @pytest.mark.filterwarnings("ignore::UserWarning")
    def test_a_variable_with_too_many_parents_for_the_samples_does_not_count(self, zero_handling):
        few, new = np.random.default_rng(0).normal(size=(2, 4, 4)) + 9
        knowledge = BackgroundKnowledge(required=[(0, 3), (1, 3), (2, 3)])
        model = DropoutPC(1e-9, zero_handling=zero_handling, background=knowledge).fit(few)
        assert model.skeleton_.nnz == 6
        others = norm.logpdf(new, few.mean(axis=0), few.std(axis=0))[:, :3]
        assert model.score(new) == pytest.approx(others.mean())

    def test_grid_search(self):
        grid = {"alpha": [1e-6, 0.01, 0.3], "zero_handling": ["conditioning", "none"]}
        for data in (X, sp.csr_array(X)):
            search = GridSearchCV(DropoutPC(), grid, cv=3, error_score="raise").fit(data)
            assert np.isfinite(search.cv_results_["mean_test_score"]).all()
            assert len(set(search.cv_results_["mean_test_score"])) > 2

    def test_no_rows(self):
        model = DropoutPC(zero_handling="listwise").fit(X)
        with pytest.raises(ValueError, match="no variable has a density"):
            model.score(np.where(np.arange(6) == 0, 0.0, X))


class TestWarnings:
    """What is warned of, where, and how often."""

    def caught(self, data, **settings):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            DropoutPC(**settings).fit(data)
        assert all(warning.filename == __file__ for warning in caught)
        return [str(warning.message) for warning in caught]

    def test_nothing_to_say(self):
        assert self.caught(X) == self.caught(sp.csr_array(X)) == []
        assert self.caught(np.where(X == 0, 1.5, X), zero_handling="none") == []

    @pytest.mark.parametrize("matrix", [np.asarray, sp.csc_array])
    def test_no_exact_zeros(self, matrix):
        (message,) = self.caught(matrix(X - X.mean(axis=0)))
        assert "no exact zero" in message
        assert "zero_handling='none'" in message

    def test_zeros_in_later_rows_only(self):
        late = np.where(X == 0, 1.5, X)
        late[-1, 3] = 0
        assert self.caught(late) == []
        changing = np.column_stack((np.repeat([2.0, 3.0], [299, 1]), late))
        assert self.caught(changing) == []

    def test_insufficient_tests(self):
        few = make_data(8, 5, share=0.5)
        (message,) = self.caught(few, min_samples=9)
        assert "10 of 10 tests had too few samples, and counted as independent:" in message
        assert "min_samples" in message
        (message,) = self.caught(few, min_samples=9, insufficient="keep", max_cond_size=1)
        assert "counted" not in message

    def test_no_complete_rows(self):
        data = X.copy()
        data[::2, 0] = data[1::2, 1] = 0
        for given_as in (data, sp.csr_array(data)):
            (message,) = self.caught(given_as, zero_handling="listwise")
            assert "leaves no row" in message
            with pytest.warns(UserWarning, match="leaves no row"):
                model = DropoutPC(zero_handling="listwise").fit(given_as)
            assert (model.n_insufficient_, model.n_tests_.tolist()) == (15, [15])
            assert model.n_effective_.data.tolist() == [0] * 30


class TestBadInput:
    """Errors, and that they change nothing."""

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize("matrix", [np.asarray, sp.csr_array, sp.csc_array])
    def test_not_finite(self, bad, matrix):
        data = X.copy()
        data[3, 2] = data[7, 4] = bad
        with pytest.raises(ValueError, match=r"columns 2, 4: .*impute.*zero, not NaN"):
            DropoutPC().fit(matrix(data))

    def test_names_in_messages(self):
        frame = pytest.importorskip("pandas").DataFrame(X.copy(), columns=NAMES)
        frame.loc[4, "c"] = np.nan
        with pytest.raises(ValueError, match="columns 'c': "):
            DropoutPC().fit(frame)

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (X[:, 0], "Expected 2D array"),
            (X[:1], "minimum of 2 is required by DropoutPC"),
            (sp.csr_array(X[:1]), "minimum of 2 is required by DropoutPC"),
            ([["a", "b"], ["c", "d"]], "could not convert"),
            (X + 1j, "Complex data not supported"),
        ],
    )
    def test_no_table(self, data, message):
        with pytest.raises(ValueError, match=message):
            DropoutPC().fit(data)

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"alpha": 0.0}, "alpha"),
            ({"alpha": 1}, "alpha"),
            ({"alpha": np.nan}, "alpha"),
            ({"zero_handling": "pairwise"}, "testwise"),
            ({"ci_test": "kci"}, "fisherz"),
            ({"max_cond_size": -1}, "max_cond_size"),
            ({"min_samples": 1.5}, "min_samples"),
            ({"insufficient": "drop"}, "independent"),
            ({"sepset_rule": "last"}, "majority"),
            ({"conflict": "none"}, "bidirected"),
            ({"background": [(0, 1)]}, "BackgroundKnowledge"),
        ],
    )
    def test_settings(self, settings, message):
        with pytest.raises(ValueError, match=message):
            DropoutPC(**settings).fit(X)

    def test_a_failed_refit_changes_nothing(self):
        model = DropoutPC().fit(X)
        before = everything(model)
        frame = pytest.importorskip("pandas").DataFrame(np.where(X > 2, np.nan, X), columns=NAMES)
        with pytest.raises(ValueError, match="NaN"):
            model.fit(frame)

        def fails(x, y, S):
            if S.shape[1]:
                raise RuntimeError("in the middle")
            return 0.0

        model.set_params(ci_test=fails)
        with pytest.raises(RuntimeError, match="in the middle"):
            model.fit(X[:, :4])
        assert everything(model) == before
        assert model.set_params(ci_test="fisherz").score(X) == DropoutPC().fit(X).score(X)


def test_g_squared_names_the_column_that_is_not_discrete():
    frame = pytest.importorskip("pandas").DataFrame(X, columns=NAMES)
    with pytest.raises(ValueError, match=f"in column '{NAMES[0]}': choose another test"):
        DropoutPC(ci_test="gsquare").fit(frame)
