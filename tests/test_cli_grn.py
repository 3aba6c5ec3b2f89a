"""``sparsekit grn``, through `main`: files in, files out, errors."""

import csv
import gzip
import json
import sys
from types import SimpleNamespace

import networkx as nx
import numpy as np
import pytest
import scipy.io
import scipy.sparse as sp
from cli_dag_helpers import write_csv
from cli_helpers import assert_error

from sparsekit.causal import BackgroundKnowledge, BootstrapEdges, DropoutGES, DropoutPC
from sparsekit.cli import main
from sparsekit.cli._verb_grn import _columns

NAMES = ["GATA1", "KLF1", "TAL1", "FLI1", 'a, "b"']


@pytest.fixture(scope="module")
def cells():
    """Two causes of a gene that leads to a fourth, and one by itself; 20 % of all are zero."""
    generator = np.random.default_rng(0)
    X = generator.normal(size=(400, 5))
    X[:, 2] += X[:, 0] + X[:, 1]
    X[:, 3] += X[:, 2]
    X[generator.random(X.shape) < 0.2] = 0
    return X.round(3)


@pytest.fixture
def table(tmp_path, cells):
    write_csv(tmp_path / "x.csv", [NAMES, *cells.tolist()])
    return tmp_path / "x.csv"


def run(capsys, *argv):
    """Standard output and error of a command that succeeds."""
    assert main(["grn", *map(str, argv)]) == 0
    return capsys.readouterr()


def rows_of(capsys, *argv):
    """Header and rows of the edges."""
    header, *rows = csv.reader(run(capsys, *argv).out.splitlines())
    return header, rows


def expected(model, names=NAMES):
    """Edges of a fitted model as `DropoutPC.edge_table` or its twin lists them."""
    frame = model.edge_table()
    for end in ("source", "target"):
        frame[end] = [names[number] for number in frame[end]]
    return frame


def assert_edges(rows, model, names=NAMES):
    frame = expected(model, names)
    assert [row[:3] for row in rows] == frame[["source", "target", "kind"]].values.tolist()
    if "pvalue" in frame:
        np.testing.assert_allclose([float(row[3]) for row in rows], frame["pvalue"], rtol=1e-6)
        assert [int(row[4]) for row in rows] == frame["n_effective"].tolist()


class TestFiles:
    def test_standard_output(self, capsys, table, cells):
        header, rows = rows_of(capsys, table)
        assert header == ["source", "target", "kind", "pvalue", "n_effective"]
        model = DropoutPC().fit(cells)
        assert_edges(rows, model)
        assert {(row[0], row[1]) for row in rows if row[2] == "directed"} >= {("GATA1", "TAL1")}

    def test_all_kinds_of_tables(self, capsys, table, tmp_path, cells):
        folder, matrix = tmp_path / "in", sp.csc_array(cells)
        folder.mkdir()
        names = folder / "names.txt"
        names.write_text('GATA1\nKLF1\nTAL1\nFLI1\n"a, ""b"""\n', encoding="utf-8")
        features = folder / "features.tsv.gz"
        listed = "".join(f"ENSG{i}\t{name}\tGene\n" for i, name in enumerate(NAMES[:4]))
        listed += 'ENSG4\t"a, ""b"""\tGene\n'
        features.write_bytes(gzip.compress(listed.encode()))
        genes = [["gene", *(f"cell{i}" for i in range(400))]]
        genes += [[name, *row] for name, row in zip(NAMES, cells.T.tolist(), strict=True)]
        write_csv(folder / "genes.csv", genes)
        write_csv(folder / "r.tsv", [genes[0][1:], *genes[1:]], "\t")
        write_csv(folder / "bare.csv", genes[1:])
        write_csv(folder / "numbered.csv", [["", *range(400)], *genes[1:]])
        np.save(folder / "x.npy", cells.T)
        sp.save_npz(folder / "sparse.npz", matrix)
        scipy.io.mmwrite(folder / "x.mtx", matrix.T.tocoo())
        scipy.io.mmwrite(folder / "dense.mtx", cells)
        (folder / "x.mtx.gz").write_bytes(gzip.compress((folder / "x.mtx").read_bytes()))
        model = DropoutPC().fit(cells)
        for argv in (
            ["genes.csv", "--transpose"],
            ["r.tsv", "--transpose"],
            ["bare.csv", "--transpose"],
            ["numbered.csv", "--transpose"],
            ["x.npy", "--transpose", "--gene-names", names],
            ["sparse.npz", "--gene-names", names],
            ["x.mtx", "--transpose", "--gene-names", features],
            ["x.mtx.gz", "--transpose", "--gene-names", features],
            ["dense.mtx", "--gene-names", names],
        ):
            _, rows = rows_of(capsys, folder / argv[0], *argv[1:])
            assert_edges(rows, model)

    def test_tables_without_names(self, capsys, tmp_path, cells):
        sp.save_npz(tmp_path / "x.npz", sp.csr_array(cells))
        np.savez(tmp_path / "dense.npz", cells)
        write_csv(tmp_path / "rows.csv", cells.T.tolist())
        for argv in (["x.npz"], ["dense.npz"], ["rows.csv", "--transpose"]):
            _, rows = rows_of(capsys, tmp_path / argv[0], *argv[1:])
            assert_edges(rows, DropoutPC().fit(cells), "01234")

    @pytest.mark.parametrize("index", [None, "gene"])
    def test_parquet_of_genes(self, capsys, tmp_path, cells, index):
        pytest.importorskip("pyarrow")
        pd = pytest.importorskip("pandas")
        frame = pd.DataFrame(cells.T, index=pd.Index(NAMES, name=index))
        frame.columns = [f"cell{i}" for i in range(400)]
        frame.to_parquet(tmp_path / "x.parquet")
        _, rows = rows_of(capsys, tmp_path / "x.parquet", "--transpose")
        assert_edges(rows, DropoutPC().fit(cells))

    @pytest.mark.parametrize("is_sparse", [False, True])
    def test_annotated_data(self, capsys, tmp_path, cells, is_sparse):
        anndata = pytest.importorskip("anndata")
        pd = pytest.importorskip("pandas")
        matrix = sp.csr_array(cells) if is_sparse else cells
        raw = anndata.AnnData(X=matrix, var=pd.DataFrame(index=NAMES))
        data = raw[:, NAMES[1:]].copy()
        data.layers["double"] = 2 * data.X
        data.X = cells[:, 1:] + 1
        data.raw = raw
        data.write_h5ad(tmp_path / "x.h5ad")
        _, rows = rows_of(capsys, tmp_path / "x.h5ad", "--layer", "raw")
        assert_edges(rows, DropoutPC().fit(cells))
        _, rows = rows_of(capsys, tmp_path / "x.h5ad", "--layer", "double")
        assert_edges(rows, DropoutPC().fit(cells[:, 1:]), NAMES[1:])
        assert "no exact zero" in run(capsys, tmp_path / "x.h5ad").err
        assert_error(capsys, ["grn", tmp_path / "x.h5ad", "--layer", "no"], "no", "double, raw")

    def test_json(self, capsys, table, cells):
        path = table.with_name("edges.json")
        run(capsys, table, path, "--alpha", 0.01, "--min-samples", 0.1, "--insufficient", "keep")
        found = json.loads(path.read_text(encoding="utf-8"))
        model = DropoutPC(0.01, min_samples=0.1, insufficient="keep").fit(cells)
        assert_edges([[*edge.values()] for edge in found["edges"]], model)
        assert found["n_tests"] == model.n_tests_.tolist()
        wanted = {
            "method": "pc",
            "alpha": 0.01,
            "min_samples": 0.1,
            "zero_handling": "conditioning",
        }
        assert wanted.items() <= found.items()
        assert [node["name"] for node in found["nodes"]] == NAMES
        shares = [node["zero_share"] for node in found["nodes"]]
        np.testing.assert_allclose(shares, (cells == 0).mean(axis=0))

    def test_search(self, capsys, table, cells):
        path = table.with_name("edges.json")
        argv = [
            "--method",
            "ges",
            "--penalty",
            1,
            "--max-parents",
            2,
            "--zero-handling",
            "testwise",
        ]
        run(capsys, table, path, *argv)
        found = json.loads(path.read_text(encoding="utf-8"))
        model = DropoutGES(1, max_parents=2, zero_handling="testwise").fit(cells)
        edges = sorted([*edge.values()] for edge in found["edges"])
        assert edges == sorted(expected(model).values.tolist())
        assert found["score"] == model.score_
        assert found["n_operators"] == model.n_operators_

    @pytest.mark.parametrize("suffix", ["parquet", "graphml", "tsv"])
    def test_other_outputs(self, capsys, table, cells, suffix):
        path = table.with_name(f"edges.{suffix}")
        run(capsys, table, path, "--require", "FLI1,KLF1")
        known = BackgroundKnowledge(required=[(3, 1)])
        frame = expected(DropoutPC(background=known).fit(cells))
        if suffix == "parquet":
            found = pytest.importorskip("pandas").read_parquet(path)
            np.testing.assert_allclose(found["pvalue"], frame["pvalue"])  # NaN equals NaN
            rows = found[["source", "target", "kind"]].values.tolist()
        elif suffix == "graphml":
            graph = nx.read_graphml(path)
            assert list(graph) == NAMES
            assert "pvalue" not in graph.edges["FLI1", "KLF1"]
            rows = [[i, j, kind] for i, j, kind in graph.edges(data="kind")]
        else:
            with path.open(encoding="utf-8", newline="") as file:
                rows = [*csv.reader(file, delimiter="\t")][1:]
            assert ["FLI1", "KLF1", "directed", "", "0"] in rows
            rows = [row[:3] for row in rows]
        assert sorted(rows) == sorted(frame[["source", "target", "kind"]].values.tolist())


class TestOptions:
    def test_options_between_files(self, capsys, table):
        path = table.with_name("edges.csv")
        run(capsys, table, "--alpha", 0.01, path)
        first = path.read_bytes()
        run(capsys, "--alpha", 0.01, table, path)
        assert path.read_bytes() == first

    def test_parameters(self, capsys, table, cells):
        argv = ["--ci-test", "spearman", "--max-cond-size", 1, "--sepset-rule", "all"]
        argv += ["--conflict", "first", "--zero-handling", "testwise", "--n-jobs", 2]
        settings = {"ci_test": "spearman", "max_cond_size": 1, "sepset_rule": "all"}
        model = DropoutPC(zero_handling="testwise", conflict="first", **settings).fit(cells)
        _, rows = rows_of(capsys, table, *argv)
        assert_edges(rows, model)

    def test_chosen_genes(self, capsys, table, tmp_path, cells):
        file = tmp_path / "genes.txt"
        file.write_text('TAL1\n\nKLF1\n"a, ""b"""\nTAL1\n', encoding="utf-8")
        model = DropoutPC().fit(cells[:, [2, 1, 4]])
        for genes in (f"@{file}", 'TAL1,KLF1,"a, ""b"""'):
            _, rows = rows_of(capsys, table, "--genes", genes)
            assert_edges(rows, model, [NAMES[2], NAMES[1], NAMES[4]])

    def test_rare_genes(self, capsys, tmp_path, cells):
        rare = np.column_stack([cells, np.where(np.arange(400) < 9, 1.0, 0)])
        write_csv(tmp_path / "x.csv", [[*NAMES, "rare"], *rare.tolist()])
        assert "among 5 genes" in run(capsys, tmp_path / "x.csv", "--min-cells", 10).err
        assert "among 6 genes" in run(capsys, tmp_path / "x.csv", "--min-cells", 9).err

    def test_knowledge(self, capsys, table, cells):
        known = BackgroundKnowledge(forbidden=[(0, 2)], tiers=[[1], [2]])
        argv = ["--forbid", "GATA1,TAL1", "--tiers", "KLF1;TAL1"]
        assert_edges(rows_of(capsys, table, *argv)[1], DropoutPC(background=known).fit(cells))

    @pytest.mark.parametrize("method", ["pc", "ges"])
    def test_bootstrap(self, capsys, table, cells, method):
        header, rows = rows_of(capsys, table, "--method", method, "--bootstrap", 4, "--seed", 3)
        assert header[-2:] == ["confidence", "joined"]
        estimator = DropoutPC() if method == "pc" else DropoutGES()
        bootstrap = BootstrapEdges(estimator, 4, random_state=3).fit(cells)
        assert len(rows) == bootstrap.estimator_.skeleton_.nnz / 2
        for row in rows:
            i, j = NAMES.index(row[0]), NAMES.index(row[1])
            assert float(row[-2]) == bootstrap.edge_frequencies_[i, j]
            assert float(row[-1]) == bootstrap.skeleton_frequencies_[i, j]

    def test_figure(self, capsys, table):
        pyplot = pytest.importorskip("matplotlib.pyplot")
        before = pyplot.get_fignums()
        path = table.with_name("graph.svg")
        err = run(capsys, table, "--figure", path, "--bootstrap", 2).err
        assert str(path) in err
        assert path.stat().st_size > 5000
        assert pyplot.get_fignums() == before

    def test_bidirected_edges(self, capsys, table, monkeypatch):
        """Two wanted arrowheads on one edge."""
        ones = np.array([[0, 1, 0], [1, 0, 1], [0, 0, 0]])
        fit = SimpleNamespace(
            adjacency_=sp.csr_array(ones),
            conflicts_=[(0, 1, "bidirected")],
            pvalues_=sp.csr_array(ones + ones.T) * 0.01,
            n_effective_=sp.csr_array(ones + ones.T) * 50,
        )
        kinds = dict(
            zip(*(_columns(fit)[name].tolist() for name in ("target", "kind")), strict=True)
        )
        assert kinds == {1: "bidirected", 2: "directed"}

    def test_summary(self, capsys, table):
        lines = run(capsys, table).err.splitlines()
        assert " edges among 5 genes, from 400 cells in " in lines[0]
        assert lines[1].endswith(" tests, 0% of them with too few cells")
        assert max(map(len, lines)) <= 80

    def test_warnings_name_genes(self, capsys, tmp_path, cells):
        pytest.importorskip("pandas")
        constant = cells.copy()
        constant[:, 4] = 0
        sp.save_npz(tmp_path / "x.npz", sp.csr_array(constant))
        names = tmp_path / "names.csv"
        write_csv(names, [[name] for name in NAMES])
        err = run(capsys, tmp_path / "x.npz", "--gene-names", names).err
        assert "sparsekit: warning: constant or empty columns" in err
        assert NAMES[4] in err

    def test_help_fits_a_terminal(self, capsys, monkeypatch):
        monkeypatch.setenv("COLUMNS", "80")
        assert max(map(len, run(capsys, "--help").out.splitlines())) <= 80

    def test_totals_are_of_all_genes(self, capsys, tmp_path):
        generator = np.random.default_rng(0)
        X = generator.poisson(1.0, size=(300, 4))
        np.save(tmp_path / "x.npy", X)
        argv = [tmp_path / "x.npy", "--log-normalize", "--genes", "0,2", "--alpha", 0.9]
        _, rows = rows_of(capsys, *argv)
        totals = X.sum(axis=1, keepdims=True)
        scaled = X * np.where(totals > 0, np.median(totals[totals > 0]) / np.maximum(totals, 1), 1)
        assert_edges(rows, DropoutPC(0.9).fit(np.log1p(scaled)[:, [0, 2]]), "02")


class TestErrors:
    @pytest.mark.parametrize(
        ("options", "words"),
        [
            (["--method", "ges", "--alpha", "0.05"], ["--alpha", "--method pc"]),
            (["--method", "ges", "--min-samples", "5"], ["--min-samples", "--method pc"]),
            (["--penalty", "1"], ["--penalty", "--method ges"]),
            (["--max-parents", "1"], ["--max-parents", "--method ges"]),
            (["--alpha", "2"], ["alpha"]),
            (["--min-samples", "few"], ["a share below 1", "'few'"]),
            (["--min-samples", "1.5"], ["min_samples"]),
            (["--zero-handling", "some"], ["testwise"]),
            (["--genes", "GATA1,SOX2"], ["'SOX2'", "5 genes", "GATA1"]),
            (["--genes", "a,b,c,d,e,f,g"], ["'a'", "'e' and 2 more"]),
            (["--genes", "@missing.txt"], ["missing.txt"]),
            (["--min-cells", "1000"], ["no genes are left"]),
            (["--layer", "raw"], ["--layer", ".h5ad"]),
            (["--forbid", "GATA1,SOX2"], ["'SOX2'"]),
            (["--require", "GATA1,KLF1", "--require", "KLF1,GATA1"], ["cycle"]),
            (["--gene-names", "x.csv"], ["401 names for the 5 genes"]),
            (["--bootstrap", "0"], ["n_resamples"]),
            (["--figure", "graph.gif"], ["graph.gif", ".svg"]),
        ],
    )
    def test_options(self, capsys, table, monkeypatch, options, words):
        monkeypatch.chdir(table.parent)
        assert_error(capsys, ["grn", table, *options], *words)

    def test_negative_counts(self, capsys, tmp_path):
        np.save(tmp_path / "x.npy", [[1.0, -1], [2, 3]])
        assert_error(capsys, ["grn", tmp_path / "x.npy", "--log-normalize"], "negative")

    def test_table_that_looks_turned(self, capsys, tmp_path, cells):
        np.save(tmp_path / "x.npy", cells[:4].T)
        assert "--transpose" not in run(capsys, tmp_path / "x.npy").err
        assert "leave out --transpose" in run(capsys, tmp_path / "x.npy", "--transpose").err
        np.save(tmp_path / "x.npy", cells[:4])
        assert "or add --transpose" in run(capsys, tmp_path / "x.npy").err

    def test_no_names_of_genes(self, capsys, table):
        empty = table.with_name("empty.txt")
        empty.touch()
        for genes in ("", " , ", f"@{empty}"):
            assert_error(capsys, ["grn", table, "--genes", genes], "--genes", "no names")

    def test_too_many_genes(self, capsys, tmp_path):
        sp.save_npz(tmp_path / "x.npz", sp.csr_array((3, 10_001)))
        assert_error(capsys, ["grn", tmp_path / "x.npz"], "10001 genes", "--transpose")

    def test_names_that_repeat(self, capsys, tmp_path, cells):
        np.save(tmp_path / "x.npy", cells)
        names = tmp_path / "names.txt"
        names.write_text("a\nb\na\nc\nd\n")
        argv = ["grn", tmp_path / "x.npy", "--gene-names", names]
        assert_error(capsys, argv, "two genes are called 'a'")
        assert_error(capsys, [*argv, "--genes", "a,b"], "2 genes are called 'a'")
        run(capsys, *argv[1:], "--genes", "b,c")

    def test_rows_and_columns_swapped(self, capsys, tmp_path, cells):
        np.save(tmp_path / "x.npy", cells.T)
        names = tmp_path / "names.txt"
        names.write_text("\n".join(NAMES[:4]) + "\ne\n")
        argv = ["grn", tmp_path / "x.npy", "--gene-names", names]
        assert_error(capsys, argv, "5 names for the 400 genes", "--transpose")

    @pytest.mark.parametrize("name", ["x.mtx", "x.mtx.gz", "x.npz", "x.h5ad", "x.xlsx"])
    def test_broken_files(self, capsys, tmp_path, name):
        assert_error(capsys, ["grn", tmp_path / name], name)
        (tmp_path / name).write_bytes(b"\xff\xfe not at all")
        assert_error(capsys, ["grn", tmp_path / name], name)

    @pytest.mark.parametrize("content", [np.ones((2, 2)) * 1j, np.ones((0, 3))])
    def test_no_numbers(self, capsys, tmp_path, content):
        sp.save_npz(tmp_path / "x.npz", sp.csr_array(content))
        assert_error(capsys, ["grn", tmp_path / "x.npz"], "x.npz: expected")

    def test_broken_names(self, capsys, tmp_path, cells):
        np.save(tmp_path / "x.npy", cells)
        for name in ("names.txt", "names.txt.gz"):
            (tmp_path / name).write_bytes(b"\xff\xfe")
            argv = ["grn", tmp_path / "x.npy", "--gene-names", tmp_path / name]
            assert_error(capsys, argv, name)

    def test_annotated_data_need_their_package(self, capsys, tmp_path, monkeypatch):
        (tmp_path / "x.h5ad").write_bytes(b"")
        monkeypatch.setitem(sys.modules, "anndata", None)
        assert_error(capsys, ["grn", tmp_path / "x.h5ad"], "sparsekit[anndata]")
        assert_error(capsys, ["grn", tmp_path / "x.h5ad", "--transpose"], "leave out --transpose")
