"""``sparsekit embed``, through `main`: files in, files out, and every way to get it wrong."""

import csv
import gzip
import os
import sys

import numpy as np
import pytest
import scipy.io
import scipy.sparse as sp
from cli_helpers import assert_error

from sparsekit.cli import _build_parser, _files, main
from sparsekit.datasets import make_sbm_graph
from sparsekit.embedding import FastRP
from sparsekit.graph import Graph

NAMES = ["Ann, the first", "Bob", "Çağla", "Dora"]
EDGES = [("Bob", "Ann, the first", 2.5), ("Dora", "Bob", 1.0), ("Çağla", "Dora", 0.25)]


@pytest.fixture
def edge_list(tmp_path):
    """A weighted edge list whose names need quotes and UTF-8."""
    path = tmp_path / "edges.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(EDGES)
    return path


@pytest.fixture
def graph():
    return make_sbm_graph(60, random_state=0)[0]


@pytest.fixture
def matrix_file(tmp_path, graph):
    path = tmp_path / "graph.npz"
    sp.save_npz(path, graph.adjacency)
    return path


def read_csv(path):
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    return header, [row[0] for row in rows], np.array([row[1:] for row in rows], dtype=np.float32)


def expected_embedding(graph, n_components=4, **parameters):
    return FastRP(n_components, random_state=0, **parameters).fit(graph).embedding_


class TestEmbedParameters:
    def defaults(self):
        arguments = vars(_build_parser().parse_args(["embed", "graph.csv", "vectors.csv"]))
        arguments["random_state"] = arguments.pop("seed")
        return arguments

    def test_defaults_are_those_of_the_estimator(self):
        ours, expected = self.defaults(), FastRP().get_params()
        assert set(expected) <= set(ours)
        assert np.dtype(ours.pop("dtype")) == np.dtype(expected.pop("dtype"))
        expected["random_state"] = 0  # two runs of a command should give the same file
        assert {name: ours[name] for name in expected} == expected

    @pytest.mark.parametrize(
        ("options", "parameters"),
        [
            (["--n-components", "7"], {"n_components": 7}),
            (["--hop-weights", "0,0,1,6.67"], {"hop_weights": (0, 0, 1, 6.67)}),
            (["--hop-weights", "3"], {"hop_weights": 3}),
            (["--hop-weights", "3,"], {"hop_weights": (3.0,)}),
            (["--hop-weights=-1,2"], {"hop_weights": (-1.0, 2.0)}),
            (["--self-weight", "0.5"], {"self_weight": 0.5}),
            (["--beta", "-0.64"], {"beta": -0.64}),
            (["--sparsity", "1"], {"sparsity": 1.0}),
            (["--operator", "symmetric"], {"operator": "symmetric"}),
            (["--no-normalize"], {"normalize": False}),
            (["--deflate"], {"deflate": True}),
            (["--standardize"], {"standardize": True}),
            (["--dtype", "float64"], {"dtype": np.float64}),
            (["--seed", "5"], {"random_state": 5}),
            (["--n-jobs", "2"], {"n_jobs": 2}),
        ],
    )
    def test_each_option(self, matrix_file, graph, tmp_path, options, parameters):
        output = tmp_path / "v.npz"
        assert main(["embed", str(matrix_file), str(output), *options]) == 0
        expected = FastRP(**({"random_state": 0} | parameters)).fit_transform(graph)
        with np.load(output) as found:
            assert found["values"].dtype == expected.dtype
            np.testing.assert_array_equal(found["values"], expected)

    @pytest.mark.parametrize(
        ("options", "word"),
        [
            (["--n-components", "0"], "n_components"),
            (["--hop-weights", "0"], "hop_weights"),
            (["--hop-weights", "0,0"], "all zero"),
            (["--hop-weights", "nan"], "hop_weights"),
            (["--beta", "nan"], "beta"),
            (["--sparsity", "0.5"], "sparsity"),
            (["--deflate", "--operator", "adjacency"], "deflate"),
            (["--n-jobs", "0"], "n_jobs"),
        ],
    )
    def test_bad_values(self, capsys, matrix_file, tmp_path, options, word):
        output = tmp_path / "v.csv"
        assert_error(capsys, ["embed", matrix_file, output, *options], word)
        assert not output.exists()


class TestEmbedInput:
    def embed(self, path, *options):
        output = path.with_name("out.npz")
        assert main(["embed", str(path), str(output), "--n-components", "4", *options]) == 0
        with np.load(output) as found:
            return found["node"], found["values"]

    def test_names_and_weights(self, edge_list):
        nodes, values = self.embed(edge_list)
        graph = Graph.from_edges([edge[:2] for edge in EDGES], [edge[2] for edge in EDGES])
        assert nodes.tolist() == graph.node_names.tolist() == sorted(NAMES)
        np.testing.assert_array_equal(values, expected_embedding(graph))

    @pytest.mark.parametrize("suffix", [".txt", ".tsv", ".csv", ".edges", ".txt.gz", ".csv.gz"])
    def test_edge_lists(self, tmp_path, graph, suffix):
        ends = sp.triu(graph.adjacency).tocoo()
        mark = "," if ".csv" in suffix else "\t"
        text = "".join(f"{i}{mark}{j}\n" for i, j in zip(ends.row, ends.col, strict=True))
        path = tmp_path / f"edges{suffix}"
        raw = text.encode()
        path.write_bytes(gzip.compress(raw) if suffix.endswith(".gz") else raw)
        nodes, values = self.embed(path)
        np.testing.assert_array_equal(nodes, np.arange(60))
        np.testing.assert_array_equal(values, expected_embedding(graph))

    def test_upper_case_suffix(self, edge_list):
        path = edge_list.rename(edge_list.with_name("EDGES.CSV"))
        assert len(self.embed(path)[0]) == 4

    @pytest.mark.parametrize("symmetry", ["general", "symmetric"])
    @pytest.mark.parametrize("compress", [False, True])
    def test_matrix_market(self, tmp_path, graph, symmetry, compress):
        path = tmp_path / "graph.mtx"
        scipy.io.mmwrite(path, sp.coo_matrix(graph.adjacency), symmetry=symmetry)
        if compress:
            plain, path = path, tmp_path / "graph.mtx.gz"
            path.write_bytes(gzip.compress(plain.read_bytes()))
        np.testing.assert_array_equal(self.embed(path)[1], expected_embedding(graph))

    @pytest.mark.parametrize("convert", [sp.csr_matrix, sp.csc_array, sp.coo_array])
    def test_npz(self, tmp_path, graph, convert):
        path = tmp_path / "graph.npz"
        sp.save_npz(path, convert(graph.adjacency))
        np.testing.assert_array_equal(self.embed(path)[1], expected_embedding(graph))

    def test_directed_edge_list(self, edge_list):
        pairs, weights = [edge[:2] for edge in EDGES], [edge[2] for edge in EDGES]
        for option, directed in (("--directed", True), ("--no-directed", False)):
            graph = Graph.from_edges(pairs, weights, directed=directed)
            values = self.embed(edge_list, option)[1]
            np.testing.assert_array_equal(values, expected_embedding(graph))

    def test_directed_matrix(self, tmp_path):
        matrix = sp.csr_array(np.array([[0, 1, 0], [0, 0, 2], [0, 1, 0.0]]))
        path = tmp_path / "graph.npz"
        sp.save_npz(path, matrix)
        for options, directed in (([], True), (["--directed"], True), (["--no-directed"], False)):
            expected = expected_embedding(Graph(matrix, directed=directed))
            np.testing.assert_array_equal(self.embed(path, *options)[1], expected)

    @pytest.mark.parametrize(
        ("name", "content", "words"),
        [
            ("missing.csv", None, ["No such file"]),
            ("missing.npz", None, ["No such file"]),
            ("missing.mtx", None, ["No such file"]),
            ("graph.xlsx", b"", ["unknown kind of graph file", ".mtx"]),
            ("graph", b"0 1\n", ["unknown kind of graph file"]),
            ("graph.gz", b"", ["unknown kind of graph file"]),
            ("graph.npz.gz", b"", ["unknown kind of graph file"]),
            ("empty.csv", b"", ["no edges"]),
            ("binary.txt", b"\xff\xfe\x00", ["UTF-8"]),
            ("weight.txt", b"a b heavy\nb c light\n", ["heavy"]),
            ("columns.txt", b"1 2 3 4\n", ["4 column"]),
            ("ragged.txt", b"a b\na b c\n", ["column"]),
            ("plain.txt.gz", b"0 1\n", ["gzip"]),
            ("short.txt.gz", gzip.compress(b"0 1\n" * 99)[:-9], ["gzip"]),
            ("empty.npz", b"", ["save_npz"]),
            ("noise.npz", b"PK\x03\x04 nothing", ["save_npz"]),
            ("noise.mtx", b"hello\n", ["Matrix Market"]),
            ("short.mtx", b"%%MatrixMarket matrix coordinate real general\n3 3 2\n1 1 1\n", []),
            ("plain.mtx.gz", b"%%MatrixMarket matrix", ["Matrix Market"]),
            (
                "wide.mtx",
                b"%%MatrixMarket matrix coordinate real general\n2 3 1\n1 1 1.0\n",
                ["square"],
            ),
            (
                "complex.mtx",
                b"%%MatrixMarket matrix coordinate complex general\n2 2 1\n1 1 1.0 1.0\n",
                ["real numbers"],
            ),
            (
                "negative.mtx",
                b"%%MatrixMarket matrix coordinate real general\n2 2 1\n1 2 -1.0\n",
                ["Negative"],
            ),
        ],
    )
    def test_bad_files(self, capsys, tmp_path, name, content, words):
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        output = tmp_path / "v.csv"
        error = assert_error(capsys, ["embed", path, output], *words)
        assert name in error or name == "negative.mtx"
        assert not output.exists()

    def test_npz_of_something_else(self, capsys, tmp_path):
        path = tmp_path / "arrays.npz"
        np.savez(path, x=np.ones(3))
        assert_error(capsys, ["embed", path, tmp_path / "v.csv"], "save_npz", "arrays.npz")

    def test_folder(self, capsys, tmp_path):
        path = tmp_path / "folder.csv"
        path.mkdir()
        assert_error(capsys, ["embed", path, tmp_path / "v.csv"], "folder.csv")


class TestEmbedOutput:
    def embed(self, edge_list, name, *options):
        output = edge_list.with_name(name)
        argv = ["embed", str(edge_list), str(output), "--n-components", "4", *options]
        assert main(argv) == 0
        return output

    @pytest.fixture
    def expected(self):
        pairs, weights = [edge[:2] for edge in EDGES], [edge[2] for edge in EDGES]
        graph = Graph.from_edges(pairs, weights)
        return graph.node_names.tolist(), expected_embedding(graph)

    columns = ("fastrp0", "fastrp1", "fastrp2", "fastrp3")

    def test_csv(self, edge_list, expected):
        header, nodes, values = read_csv(self.embed(edge_list, "v.csv"))
        assert header == ["node", *self.columns]
        assert nodes == expected[0]
        np.testing.assert_array_equal(values, expected[1])

    def test_csv_is_read_by_pandas(self, edge_list, expected):
        pd = pytest.importorskip("pandas")
        frame = pd.read_csv(self.embed(edge_list, "v.csv"), index_col="node", dtype={1: "f4"})
        assert frame.index.tolist() == expected[0]

    def test_csv_keeps_all_digits(self, edge_list, tmp_path):
        output = self.embed(edge_list, "v.csv", "--dtype", "float64")
        values = np.loadtxt(output, delimiter=",", skiprows=1, usecols=range(1, 5), quotechar='"')
        with np.load(self.embed(edge_list, "v.npz", "--dtype", "float64")) as exact:
            np.testing.assert_array_equal(values, exact["values"])

    def test_npz(self, edge_list, expected):
        with np.load(self.embed(edge_list, "v.npz")) as found:
            assert found["node"].tolist() == expected[0]
            assert found["columns"].tolist() == list(self.columns)
            np.testing.assert_array_equal(found["values"], expected[1])

    @pytest.mark.parametrize("missing", [(), ("pyarrow", "pyarrow.parquet")])
    def test_parquet(self, edge_list, expected, monkeypatch, missing):
        polars = pytest.importorskip("polars")
        for module in missing:
            monkeypatch.setitem(sys.modules, module, None)
        frame = polars.read_parquet(self.embed(edge_list, "v.parquet"))
        assert frame.columns == ["node", *self.columns]
        assert frame["node"].to_list() == expected[0]
        np.testing.assert_array_equal(frame.drop("node").to_numpy(), expected[1])
        assert frame["fastrp0"].dtype == polars.Float32

    def test_parquet_without_a_package(self, capsys, edge_list, monkeypatch):
        for module in ("pyarrow", "pyarrow.parquet", "polars"):
            monkeypatch.setitem(sys.modules, module, None)
        output = edge_list.with_name("v.parquet")
        assert_error(capsys, ["embed", edge_list, output], "pip install 'sparsekit[dataframe]'")

    def test_integer_ids(self, matrix_file):
        _, nodes, _ = read_csv(self.embed(matrix_file, "v.csv"))
        assert nodes == [str(i) for i in range(60)]

    def test_one_line_is_printed(self, capsys, edge_list):
        output = self.embed(edge_list, "v.csv")
        out, err = capsys.readouterr()
        assert out.startswith(f"{output}: 4 nodes x 4 components, from 3 edges in ")
        assert out.count("\n") == 1
        assert err == ""

    def test_replaces(self, edge_list):
        output = self.embed(edge_list, "v.csv")
        before = output.read_bytes()
        output.write_text("old")
        output.chmod(0o640)
        assert self.embed(edge_list, "v.csv").read_bytes() == before
        assert output.stat().st_mode & 0o777 == 0o640

    def test_new_files_have_usual_permissions(self, edge_list):
        usual = edge_list.stat().st_mode
        assert self.embed(edge_list, "v.csv").stat().st_mode == usual

    def test_follows_links(self, edge_list, tmp_path):
        (tmp_path / "real.csv").write_text("old")
        link = tmp_path / "link.csv"
        link.symlink_to(tmp_path / "real.csv")
        self.embed(edge_list, "link.csv")
        assert link.is_symlink()
        assert (tmp_path / "real.csv").read_text().startswith("node,")

    @pytest.mark.parametrize("link", [False, True])
    def test_never_the_input(self, capsys, edge_list, tmp_path, link):
        before, output = edge_list.read_bytes(), edge_list
        if link:
            output = tmp_path / "other.csv"
            output.symlink_to(edge_list)
        assert_error(capsys, ["embed", edge_list, output], "is the input file")
        assert edge_list.read_bytes() == before

    @pytest.mark.parametrize("name", ["v", "v.xlsx", "v.csv.gz", ".csv"])
    def test_unknown_suffix(self, capsys, edge_list, tmp_path, name):
        assert_error(capsys, ["embed", edge_list, tmp_path / name], ".csv, .npz, .parquet")

    def test_missing_folder(self, capsys, edge_list, tmp_path):
        argv = ["embed", edge_list, tmp_path / "nowhere" / "v.csv"]
        assert_error(capsys, argv, "nowhere: No such file or directory")

    def test_folder_is_a_file(self, capsys, edge_list):
        assert_error(capsys, ["embed", edge_list, edge_list / "v.csv"], "Not a directory")

    def test_output_is_a_folder(self, capsys, edge_list, tmp_path):
        (tmp_path / "v.csv").mkdir()
        assert_error(capsys, ["embed", edge_list, tmp_path / "v.csv"], "is not a file")

    @pytest.mark.parametrize("exists", [False, True])
    def test_no_permission(self, capsys, edge_list, tmp_path, monkeypatch, exists):
        output = tmp_path / "v.csv"
        if exists:
            output.write_text("old")
        protected = output if exists else tmp_path
        # As root everything is allowed, so the answer of the system is replaced.
        monkeypatch.setattr(os, "access", lambda path, mode: path != protected)
        assert_error(capsys, ["embed", edge_list, output], "Permission denied")
        assert not exists or output.read_text() == "old"

    @pytest.mark.parametrize("suffix", [".csv", ".npz", ".parquet"])
    def test_no_half_written_file(self, capsys, edge_list, tmp_path, monkeypatch, suffix):
        def fail(file, *_):
            file.write(b"half")
            raise OSError(28, "No space left on device")

        output = tmp_path / f"v{suffix}"
        output.write_text("old")
        before = sorted(tmp_path.iterdir())
        monkeypatch.setitem(_files._WRITERS, suffix, fail)
        assert_error(capsys, ["embed", edge_list, output], "No space left on device")
        assert output.read_text() == "old"
        assert sorted(tmp_path.iterdir()) == before

    def test_interrupt_while_writing(self, edge_list, tmp_path, monkeypatch):
        def interrupt(*_):
            raise KeyboardInterrupt

        before = sorted(tmp_path.iterdir())
        monkeypatch.setitem(_files._WRITERS, ".csv", interrupt)
        assert main(["embed", str(edge_list), str(tmp_path / "v.csv")]) == 130
        assert sorted(tmp_path.iterdir()) == before

    def test_progress_of_embed(self, matrix_file, tmp_path, monkeypatch, capsys):
        pytest.importorskip("rich")
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        assert main(["embed", str(matrix_file), str(tmp_path / "v.csv")]) == 0
        assert "FastRP - fit" in capsys.readouterr().out
