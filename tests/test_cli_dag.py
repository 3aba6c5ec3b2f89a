"""``sparsekit dag`` and the demo of causal graphs, through `main`: files in, files out, errors."""

import csv
import gzip
import json
import sys

import networkx as nx
import numpy as np
import pytest
from cli_dag_helpers import NAMES, close, expected_rows, run, write_csv
from cli_helpers import assert_error
from conftest import JIT_DISABLED

from sparsekit.causal import BackgroundKnowledge, BootstrapEdges, CoLiDE, colide_path
from sparsekit.causal.colide import _estimator
from sparsekit.cli import main


@pytest.fixture(scope="module")
def samples():
    """Three variables in a chain with noise of one scale, and one apart, rounded as in files."""
    noise = np.random.default_rng(0).normal(size=(300, 4))
    noise[:, 1] += 1.5 * noise[:, 0]
    noise[:, 2] -= 0.8 * noise[:, 1]
    return noise.round(6)


@pytest.fixture
def table(tmp_path, samples):
    """A csv file whose names need quotes and UTF-8."""
    path = tmp_path / "samples.csv"
    write_csv(path, [NAMES, *samples.tolist()])
    return path


@pytest.fixture(scope="module")
def fitted(samples):
    return CoLiDE().fit(samples)


def read_csv(path, delimiter=","):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter=delimiter))


class Without:
    """Finder that does not find some packages."""

    def __init__(self, *names):
        self.names = names

    def find_spec(self, name, path=None, target=None):
        if name in self.names:
            raise ModuleNotFoundError(name)


def hide(monkeypatch, *names):
    """Make packages look missing; None in sys.modules would stop scikit-learn."""
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(sys, "meta_path", [Without(*names), *sys.meta_path])


class TestFormats:
    def test_standard_output(self, capsys, table, fitted):
        out, err = run(capsys, table)
        header, *rows = csv.reader(out.splitlines())
        assert header == ["source", "target", "weight"]
        close(rows, expected_rows(fitted))
        assert {(row[0], row[1]) for row in rows} == {tuple(NAMES[:2]), tuple(NAMES[1:3])}
        assert "2 edges among 4 variables, from 300 samples" in err
        assert max(map(len, err.splitlines())) <= 80

    @pytest.mark.parametrize(("suffix", "delimiter"), [("csv", ","), ("tsv", "\t")])
    def test_text(self, capsys, table, fitted, suffix, delimiter):
        path = table.with_name(f"edges.{suffix}")
        out, err = run(capsys, table, path)
        assert out == ""
        assert err.startswith(f"{path}: 2 edges")
        header, *rows = read_csv(path, delimiter)
        assert header == ["source", "target", "weight"]
        close(rows, expected_rows(fitted))

    def test_json(self, capsys, table, fitted):
        path = table.with_name("edges.json")
        run(capsys, table, path)
        found = json.loads(path.read_text(encoding="utf-8"))
        close([[*edge.values()] for edge in found["edges"]], expected_rows(fitted))
        assert [node["name"] for node in found["nodes"]] == NAMES
        for name in ("noise_scale", "residual_scale"):
            values = [node[name] for node in found["nodes"]]
            np.testing.assert_allclose(values, getattr(fitted, f"{name}_"), 1e-6)
        assert found["n_samples"] == 300
        settings = {name: found[name] for name in ("alpha", "start", "n_restarts", "refine")}
        assert settings == {"alpha": 0.05, "start": "auto", "n_restarts": 3, "refine": None}
        assert found["varsortability"] == fitted.varsortability_

    def test_graphml(self, capsys, table, fitted):
        path = table.with_name("edges.graphml")
        run(capsys, table, path)
        graph = nx.read_graphml(path)
        assert list(graph) == NAMES
        rows = [[i, j, weight] for i, j, weight in graph.edges(data="weight")]
        close(sorted(rows), sorted(expected_rows(fitted)))
        assert graph.nodes["rain"]["noise_scale"] == pytest.approx(fitted.noise_scale_[0])

    @pytest.mark.parametrize("missing", [(), ("pyarrow",)])
    def test_parquet_in_and_out(self, capsys, table, samples, fitted, monkeypatch, missing):
        polars = pytest.importorskip("polars")
        hide(monkeypatch, *missing)
        source, path = table.with_name("samples.parquet"), table.with_name("edges.parquet")
        polars.DataFrame(samples, schema=NAMES).write_parquet(source)
        run(capsys, source, path)
        found = polars.read_parquet(path)
        assert found.columns == ["source", "target", "weight"]
        close([list(row) for row in found.rows()], expected_rows(fitted))

    def test_tables_without_names(self, capsys, tmp_path, samples, fitted):
        write_csv(tmp_path / "x.csv", samples.tolist())
        np.savetxt(tmp_path / "x.txt", samples)
        np.save(tmp_path / "x.npy", samples)
        np.savez(tmp_path / "x.npz", samples)
        (tmp_path / "x.csv.gz").write_bytes(gzip.compress((tmp_path / "x.csv").read_bytes()))
        for kind in ("csv", "txt", "npy", "npz", "csv.gz"):
            out = run(capsys, tmp_path / f"x.{kind}").out
            _, *rows = csv.reader(out.splitlines())
            close(rows, expected_rows(fitted, "0123"))

    def test_names_in_other_tables(self, capsys, tmp_path, samples, fitted):
        rows = [["", *NAMES], *([f"cell {i}", *row] for i, row in enumerate(samples.tolist()))]
        write_csv(tmp_path / "x.csv", rows)
        write_csv(tmp_path / "x.tsv", [NAMES, *samples.tolist()], "\t")
        np.savez(tmp_path / "x.npz", values=samples, columns=np.array(NAMES))
        for kind in ("csv", "tsv", "npz"):
            _, *rows = csv.reader(run(capsys, tmp_path / f"x.{kind}").out.splitlines())
            close(rows, expected_rows(fitted))

    @pytest.mark.parametrize("has_index", [False, True])
    def test_numbered_columns(self, capsys, tmp_path, samples, fitted, has_index):
        rows = [[*range(4)], *samples.tolist()]
        if has_index:
            rows = [["" if not i else i - 1, *row] for i, row in enumerate(rows)]
        write_csv(tmp_path / "x.csv", rows)
        out, err = run(capsys, tmp_path / "x.csv")
        close([*csv.reader(out.splitlines())][1:], expected_rows(fitted, "0123"))
        assert "from 300 samples" in err

    def test_index_of_a_frame(self, capsys, tmp_path, samples, fitted):
        pytest.importorskip("pyarrow")
        pd = pytest.importorskip("pandas")
        frame = pd.DataFrame(samples, columns=NAMES, index=np.arange(300) ** 2)
        frame.to_parquet(tmp_path / "x.parquet")
        out, err = run(capsys, tmp_path / "x.parquet")
        close([*csv.reader(out.splitlines())][1:], expected_rows(fitted))
        assert "4 variables" in err

    def test_without_data_frames(self, capsys, table, fitted, monkeypatch):
        hide(monkeypatch, "pandas", "polars")
        _, *rows = csv.reader(run(capsys, table).out.splitlines())
        close(rows, expected_rows(fitted))


class TestOptions:
    def test_parameters(self, capsys, table, samples):
        argv = ["--alpha", 0.2, "--noise", "unequal", "--threshold", 0, "--refine", "bic"]
        model = CoLiDE(0.2, noise="unequal", threshold=0, refine="bic").fit(samples)
        _, *rows = csv.reader(run(capsys, table, *argv).out.splitlines())
        close(rows, expected_rows(model))

    @pytest.mark.parametrize("alpha", [0.05, "ebic"])
    def test_start_and_restarts(self, capsys, table, samples, monkeypatch, alpha):
        solve, calls = _estimator.solve, []

        def watched(problem, **settings):
            draw = settings["random_state"].random_sample()
            calls.append((settings["start"], settings["n_restarts"], draw))
            return solve(problem, **settings)

        monkeypatch.setattr(_estimator, "solve", watched)
        settings = ["--start", "zero", "--restarts", 1, "--seed", 3]
        run(capsys, table, "--alpha", alpha, "--noise", "unequal", *settings)
        draw = np.random.RandomState(3).random_sample()
        assert set(calls) == {("zero", 1, draw)}
        assert len(calls) > (alpha == "ebic")

    def test_knowledge(self, capsys, table, samples, tmp_path):
        argv = ["--forbid", 'rain,"the ""big"" river"', "--require", "rain, Ärger"]
        known = BackgroundKnowledge(forbidden=[(0, 1)], required=[(0, 3)])
        _, *rows = csv.reader(run(capsys, table, *argv).out.splitlines())
        close(rows, expected_rows(CoLiDE(background=known).fit(samples)))
        assert ["rain", "Ärger"] in [row[:2] for row in rows]

    def test_tiers(self, capsys, table, samples, tmp_path):
        model = CoLiDE(background=BackgroundKnowledge(tiers=[[2], [1, 3], [0]])).fit(samples)
        file = tmp_path / "tiers.txt"
        file.write_text('"harvest, wheat"\n\n"the ""big"" river",Ärger\nrain\n', encoding="utf-8")
        given = '"harvest, wheat";"the ""big"" river",Ärger;rain'
        for tiers in (given, f"@{file}"):
            _, *rows = csv.reader(run(capsys, table, "--tiers", tiers).out.splitlines())
            close(rows, expected_rows(model))

    def test_variables_by_number(self, capsys, tmp_path, samples):
        np.save(tmp_path / "x.npy", samples)
        out = run(capsys, tmp_path / "x.npy", "--require", "3,0").out
        assert ["3", "0"] in [row[:2] for row in csv.reader(out.splitlines())]

    def test_covariance(self, capsys, tmp_path, samples, fitted):
        write_csv(tmp_path / "c.csv", [NAMES, *np.cov(samples.T, bias=True).tolist()])
        out, err = run(capsys, tmp_path / "c.csv", "--covariance", 300)
        close([*csv.reader(out.splitlines())][1:], expected_rows(fitted))
        assert "from 300 samples" in err

    @pytest.mark.parametrize("option", [[], ["--covariance", 300]])
    def test_choice_of_alpha(self, capsys, tmp_path, samples, option):
        values = np.cov(samples.T, bias=True) if option else samples
        np.save(tmp_path / "x.npy", values)
        best = colide_path(samples).alpha_best
        err = run(capsys, tmp_path / "x.npy", "--alpha", "ebic", *option).err
        assert f"alpha {best:.3g}," in err

    def test_bootstrap(self, capsys, table, samples):
        out = run(capsys, table, "--bootstrap", 5, "--seed", 3).out
        header, *rows = csv.reader(out.splitlines())
        assert header == ["source", "target", "weight", "confidence"]
        bootstrap = BootstrapEdges(CoLiDE(), 5, random_state=3).fit(samples)
        frequencies = bootstrap.edge_frequencies_.toarray()
        close([row[:3] for row in rows], expected_rows(bootstrap.estimator_))
        for source, target, _, confidence in rows:
            assert float(confidence) == frequencies[NAMES.index(source), NAMES.index(target)]

    def test_refinement_by_orders(self, capsys, table, samples):
        _, *rows = csv.reader(run(capsys, table, "--refine", "order").out.splitlines())
        close(rows, expected_rows(CoLiDE(refine="order").fit(samples)))

    @pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
    def test_figure(self, capsys, table, suffix):
        pyplot = pytest.importorskip("matplotlib.pyplot")
        path = table.with_name(f"graph.{suffix}")
        before = pyplot.get_fignums()
        err = run(capsys, table, "--figure", path).err
        assert str(path) in err
        assert path.stat().st_size > 5000
        assert pyplot.get_fignums() == before

    def test_warnings_are_lines(self, capsys, tmp_path, samples):
        constant = samples.copy()
        constant[:, 3] = 7
        write_csv(tmp_path / "x.csv", [NAMES, *constant.tolist()])
        lines = run(capsys, tmp_path / "x.csv", "--bootstrap", 3).err.splitlines()
        found = [line for line in lines if line.startswith("sparsekit: warning: constant")]
        assert len(found) >= 1
        assert "'Ärger'" in found[0]
        assert not any("Warning" in line for line in lines)

    def test_help_fits_a_terminal(self, capsys, monkeypatch):
        monkeypatch.setenv("COLUMNS", "80")
        out = run(capsys, "--help").out
        assert max(map(len, out.splitlines())) <= 80


class TestErrors:
    @pytest.mark.parametrize(
        ("options", "words"),
        [
            (["--alpha", "much"], ["expected a number or ebic"]),
            (["--alpha", "-1"], ["alpha"]),
            (["--forbid", "rain"], ["--forbid rain", "A,B"]),
            (["--forbid", "rain,snow"], ["'snow'", "4 variables", "rain"]),
            (["--require", "rain,Ärger", "--require", "Ärger,rain"], ["cycle"]),
            (["--tiers", "rain;snow"], ["--tiers", "'snow'"]),
            (["--tiers", "@missing.txt"], ["missing.txt"]),
            (["--tiers", ""], ["--tiers", "no names"]),
            (["--covariance", "300"], ["no covariance matrix", "--covariance"]),
            (["--covariance", "300", "--bootstrap", "5"], ["--bootstrap"]),
            (["--bootstrap", "0"], ["n_resamples"]),
            (["--figure", "graph.gif"], ["graph.gif", ".svg"]),
            (["--noise", "some"], ["unequal"]),
            (["--start", "some"], ["zero"]),
            (["--restarts", "-1"], ["n_restarts"]),
            (["--method", "boss", "--alpha", "0.05"], ["--alpha", "--method colide"]),
            (["--method", "boss", "--refine", "bic"], ["--refine", "--method colide"]),
            (["--gamma", "1"], ["--gamma", "--method boss"]),
            (["--max-parents", "2"], ["--max-parents", "--method boss"]),
            (["--perturbations", "2"], ["--perturbations", "--method boss"]),
            (["--method", "boss", "--gamma", "-1"], ["gamma"]),
            (["--method", "boss", "--starts", "0"], ["n_starts"]),
        ],
    )
    def test_options(self, capsys, table, monkeypatch, options, words):
        monkeypatch.chdir(table.parent)
        assert_error(capsys, ["dag", table, *options], *words)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("a,b\n1,2\n3,x\n", ["row 2", "column 2 (b)", "'x'"]),
            ("a,b\n1,2\n,4\n5,6\n", ["row 2", "column 1 (a)"]),
            ("a,b\n1,2\n3\n", ["row 2 has 1 cells"]),
            ("a,a\n1,2\n", ["two columns are called 'a'"]),
            ("a,b\n", ["no rows"]),
            ("", ["no rows"]),
            ("a,b\n1,2\n", ["n_samples=1"]),
            ("a,b\n1,2\n3,nan\n", ["NaN", "b"]),
            ("1,,3\n4,5,6\n7,8,10\n", ["row 1, column 2: "]),
            ("1,NA,3\n4,5,6\n7,8,10\n", ["row 1, column 2: ", "'NA'"]),
            (",2.5,3\n4,5,6\n7,8,10\n", ["row 1, column 1: "]),
            ("a;b\n1,5;2,5\n2,5;3,5\n", ["row 1, column 2: ", "'5;2'", "by commas"]),
            ("a,,c\n1,2,3\n4,5,7\n", ["column 2 has no name"]),
            ("a,b\n2,1\n1,3\n", ["symmetric", "--covariance N"]),
        ],
    )
    def test_cells(self, capsys, tmp_path, text, words):
        path = tmp_path / "x.csv"
        path.write_text(text)
        assert_error(capsys, ["dag", path], *words)

    def test_files(self, capsys, table, tmp_path):
        assert_error(capsys, ["dag", tmp_path / "nowhere.csv"], "nowhere.csv")
        assert_error(capsys, ["dag", table, "edges.xlsx"], "edges.xlsx", ".graphml")
        assert_error(capsys, ["dag", table, table], "is the input file")
        for name in ("x.xlsx", "x.npy", "x.npz", "x.parquet", "x.csv.gz"):
            (tmp_path / name).write_bytes(b"\xff\xfe not at all")
            assert_error(capsys, ["dag", tmp_path / name], name)

    def test_damaged_archive(self, capsys, tmp_path):
        data = bytearray(gzip.compress(b"a,b\n" + b"1.25,3.5\n2.5,7.75\n" * 50))
        data[12:30] = bytes(18)
        (tmp_path / "x.csv.gz").write_bytes(data)
        assert_error(capsys, ["dag", tmp_path / "x.csv.gz"], "x.csv.gz", "broken")

    def test_arrays(self, capsys, tmp_path, samples):
        np.savez(tmp_path / "two.npz", a=samples, b=samples)
        assert_error(capsys, ["dag", tmp_path / "two.npz"], "one table", "['a', 'b']")
        np.save(tmp_path / "vector.npy", samples[0])
        assert_error(capsys, ["dag", tmp_path / "vector.npy"], "table of numbers")
        np.savez(tmp_path / "names.npz", values=samples, columns=np.array(["a"]))
        assert_error(capsys, ["dag", tmp_path / "names.npz"], "1 names for 4 columns")

    def test_figures_need_matplotlib(self, capsys, table, monkeypatch):
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
        argv = ["dag", table, "--figure", table.with_name("g.png")]
        assert_error(capsys, argv, "sparsekit[plot]")


@pytest.mark.skipif(JIT_DISABLED, reason="takes minutes without the compiler")
@pytest.mark.slow
class TestDemo:
    def test_table_and_figure(self, capsys, tmp_path):
        image = pytest.importorskip("matplotlib.image")
        assert main(["demo", "causal", "--output", str(tmp_path)]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        lines = [line for line in out.splitlines() if str(tmp_path) not in line]
        assert max(map(len, lines)) <= 80
        for words in ("no edges", "sort by variance", "standardised", "equal noise", "BIC", "BOSS"):
            assert words in out
        path = tmp_path / "sparsekit-demo-causal.png"
        assert str(path) in out
        assert image.imread(path).shape[0] > 500

    def test_without_extras(self, capsys, tmp_path, monkeypatch):
        for module in ("rich", "matplotlib", "matplotlib.pyplot"):
            monkeypatch.setitem(sys.modules, module, None)
        assert main(["demo", "causal", "--output", str(tmp_path)]) == 0
        assert "pip install 'sparsekit[plot]'" in capsys.readouterr().out
        assert list(tmp_path.iterdir()) == []
