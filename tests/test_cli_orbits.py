"""``sparsekit orbits`` and the demo of graphlets, through `main`: files in, files out, errors."""

import csv
import gzip
import sys

import numpy as np
import pytest
import scipy.io
import scipy.sparse as sp
from cli_helpers import assert_error
from conftest import JIT_DISABLED
from naive_graphlets import edge_orbits, node_orbits

from sparsekit.cli import _build_parser, main
from sparsekit.graph import Graph

NAMES = ["Ann, the first", "Bob", "Dora", "Eve", "Çağla"]  # as sorted
# Weighted, with a self-loop: both are ignored.
EDGES = [
    ("Bob", "Ann, the first", 2.5),
    ("Dora", "Bob", 1.0),
    ("Çağla", "Dora", 0.25),
    ("Çağla", "Bob", -3.0),
    ("Eve", "Dora", 1.0),
    ("Eve", "Eve", 4.0),
]


@pytest.fixture
def edge_list(tmp_path):
    """An edge list whose names need quotes and UTF-8."""
    path = tmp_path / "edges.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(EDGES)
    return path


@pytest.fixture(scope="module")
def dense():
    return Graph.from_edges([edge[:2] for edge in EDGES]).adjacency.toarray()


@pytest.fixture
def matrix_file(tmp_path, dense):
    path = tmp_path / "graph.npz"
    sp.save_npz(path, sp.csr_array(dense))
    return path


def run(source, name, *options):
    output = source.with_name(name)
    assert main(["orbits", str(source), str(output), *map(str, options)]) == 0
    return output


def read_csv(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


class TestNodes:
    def test_csv(self, edge_list, dense):
        header, *rows = read_csv(run(edge_list, "c.csv"))
        assert header == ["node", *(f"orbit_{number}" for number in range(15))]
        assert [row[0] for row in rows] == NAMES
        assert [[int(x) for x in row[1:]] for row in rows] == node_orbits(dense).tolist()

    def test_npz(self, edge_list, dense):
        with np.load(run(edge_list, "c.npz")) as found:
            assert found["node"].tolist() == NAMES
            assert found["columns"].tolist() == [f"orbit_{number}" for number in range(15)]
            assert found["values"].dtype == np.int64
            np.testing.assert_array_equal(found["values"], node_orbits(dense))

    @pytest.mark.parametrize("missing", [(), ("pyarrow", "pyarrow.parquet")])
    def test_parquet(self, edge_list, dense, monkeypatch, missing):
        polars = pytest.importorskip("polars")
        for module in missing:
            monkeypatch.setitem(sys.modules, module, None)
        frame = polars.read_parquet(run(edge_list, "c.parquet"))
        assert frame["node"].to_list() == NAMES
        assert frame["orbit_14"].dtype == polars.Int64
        np.testing.assert_array_equal(frame.drop("node").to_numpy(), node_orbits(dense))

    @pytest.mark.parametrize("suffix", ["out", "ndump2", "OUT"])
    def test_plain(self, edge_list, dense, suffix):
        text = run(edge_list, f"c.{suffix}").read_text("ascii")
        expected = [" ".join(map(str, row)) for row in node_orbits(dense).tolist()]
        assert text.splitlines() == expected
        assert text.endswith("\n")

    @pytest.mark.parametrize("induced", [True, False])
    @pytest.mark.parametrize("max_nodes", [4, 5])
    def test_options(self, matrix_file, dense, max_nodes, induced):
        options = [] if induced else ["--not-induced"]
        output = run(matrix_file, "c.out", "--max-nodes", max_nodes, "--n-jobs", 2, *options)
        expected = node_orbits(dense, max_nodes, induced)
        np.testing.assert_array_equal(np.loadtxt(output, dtype=np.int64), expected)

    def test_integer_ids(self, matrix_file):
        assert [row[0] for row in read_csv(run(matrix_file, "c.csv"))[1:]] == list("01234")

    def test_matrix_market(self, tmp_path, dense):
        path = tmp_path / "graph.mtx"
        scipy.io.mmwrite(path, sp.coo_matrix(dense), symmetry="symmetric")
        found = np.loadtxt(run(path, "c.out"), dtype=np.int64)
        np.testing.assert_array_equal(found, node_orbits(dense))

    @pytest.mark.parametrize("suffix", ["gz", "GZ"])
    def test_compressed(self, tmp_path, dense, suffix):
        path = tmp_path / f"graph.mtx.{suffix}"
        with gzip.open(path, "wb") as file:
            scipy.io.mmwrite(file, sp.coo_matrix(dense))
        found = np.loadtxt(run(path, "c.out"), dtype=np.int64)
        np.testing.assert_array_equal(found, node_orbits(dense))

    @pytest.mark.parametrize("kind", ["node", "edge"])
    def test_only_the_pattern_has_to_be_symmetric(self, capsys, tmp_path, dense, kind):
        """Transition probabilities: the adjacency with rows divided by their sums."""
        path = tmp_path / "graph.npz"
        sp.save_npz(path, sp.csr_array(dense / dense.sum(axis=1, keepdims=True)))
        found = np.loadtxt(run(path, "c.out", "--kind", kind), dtype=np.int64)
        expected = node_orbits(dense) if kind == "node" else edge_orbits(dense)
        np.testing.assert_array_equal(found, expected)
        assert "from 5 edges in " in capsys.readouterr().out

    def test_no_edges(self, tmp_path):
        path = tmp_path / "graph.npz"
        sp.save_npz(path, sp.csr_array((3, 3)))
        np.testing.assert_array_equal(np.loadtxt(run(path, "c.out")), np.zeros((3, 15)))

    def test_one_line_is_printed(self, capsys, edge_list):
        output = run(edge_list, "c.csv")
        out, err = capsys.readouterr()
        assert out.startswith(f"{output}: 5 nodes x 15 orbits, from 5 edges in ")
        assert out.count("\n") == 1
        assert err == ""


class TestEdges:
    def test_csv(self, edge_list, dense):
        header, *rows = read_csv(run(edge_list, "c.csv", "--kind", "edge"))
        assert header == ["source", "target", *(f"orbit_{number}" for number in range(12))]
        pairs = zip(*np.nonzero(np.triu(dense, k=1)), strict=True)
        assert [row[:2] for row in rows] == [[NAMES[i], NAMES[j]] for i, j in pairs]
        assert [[int(x) for x in row[2:]] for row in rows] == edge_orbits(dense).tolist()

    @pytest.mark.parametrize("max_nodes", [4, 5])
    def test_npz(self, matrix_file, dense, max_nodes):
        output = run(matrix_file, "c.npz", "--kind", "edge", "--max-nodes", max_nodes)
        with np.load(output) as found:
            assert set(found.files) == {"source", "target", "values", "columns"}
            assert np.all(found["source"] < found["target"])
            np.testing.assert_array_equal(found["values"], edge_orbits(dense, max_nodes))

    def test_one_line_is_printed(self, capsys, edge_list):
        output = run(edge_list, "c.out", "--kind", "edge")
        out, _ = capsys.readouterr()
        assert out.startswith(f"{output}: 5 edges x 12 orbits, from 5 edges in ")


class TestChosenNodes:
    def test_in_this_order(self, edge_list, dense):
        _, *rows = read_csv(run(edge_list, "c.csv", "--nodes", 'Dora, "Ann, the first",Dora'))
        assert [row[0] for row in rows] == ["Dora", "Ann, the first", "Dora"]
        expected = node_orbits(dense)[[2, 0, 2]].tolist()
        assert [[int(x) for x in row[1:]] for row in rows] == expected

    def test_from_a_file(self, edge_list, dense):
        edge_list.with_name("names.txt").write_text("Ann, the first\n\nÇağla \n", "utf-8")
        output = run(edge_list, "c.out", "--nodes", f"@{edge_list.with_name('names.txt')}")
        np.testing.assert_array_equal(np.loadtxt(output), node_orbits(dense)[[0, 4]])

    def test_numbers(self, matrix_file, dense):
        output = run(matrix_file, "c.csv", "--nodes", "4,0")
        assert [row[0] for row in read_csv(output)[1:]] == ["4", "0"]

    def test_integer_names(self, tmp_path):
        path = tmp_path / "edges.txt"
        path.write_text("10 30\n30 20\n")
        _, *rows = read_csv(run(path, "c.csv", "--nodes", "30,10"))
        assert [row[:4] for row in rows] == [["30", "2", "0", "1"], ["10", "1", "1", "0"]]

    def test_negative_names(self, tmp_path):
        path = tmp_path / "edges.txt"
        path.write_text("-3 5\n5 7\n")
        _, *rows = read_csv(run(path, "c.csv", "--nodes=-3,5"))
        assert [row[0] for row in rows] == ["-3", "5"]

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ('"Ann, the first"\nEve\n', [0, 3]),
            ("\ufeffDora\r\nBob", [2, 1]),
            ('"Eve"\n\n"Dora" \n', [3, 2]),
        ],
    )
    def test_files_as_programs_write_them(self, edge_list, dense, text, expected):
        """Quotes, a byte order mark, ends of lines of Windows."""
        path = edge_list.with_name("names.txt")
        path.write_bytes(text.encode("utf-8"))
        found = np.loadtxt(run(edge_list, "c.out", "--nodes", f"@{path}"))
        np.testing.assert_array_equal(found, node_orbits(dense)[expected])

    def test_names_with_unusual_line_separators(self, tmp_path):
        """An edge list ends its lines at carriage returns and line feeds only."""
        path = tmp_path / "edges.csv"
        path.write_text("a\u2028b,c\n", "utf-8")
        names = tmp_path / "names.txt"
        names.write_text("a\u2028b\n", "utf-8")
        assert len(read_csv(run(path, "c.csv", "--nodes", f"@{names}"))) == 2

    @pytest.mark.parametrize("text", ['"Ann","Bob"', "Bob\x00"])
    def test_lines_that_are_no_id(self, capsys, edge_list, text):
        path = edge_list.with_name("names.txt")
        path.write_text(text, "utf-8")
        argv = ["orbits", edge_list, edge_list.with_name("c.csv"), "--nodes", f"@{path}"]
        assert_error(capsys, argv, "not in the graph")

    def test_encoding(self, capsys, edge_list):
        path = edge_list.with_name("names.txt")
        path.write_bytes("Çağla".encode("utf-16"))
        argv = ["orbits", edge_list, edge_list.with_name("c.csv"), "--nodes", f"@{path}"]
        assert_error(capsys, argv, "names.txt", "UTF-8")

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            (["--nodes", "Bob,Zoe,Yan"], ["'Zoe'", "Ann, the first"]),
            (["--nodes", "3"], ["'3'"]),
            (["--nodes", ""], ["no id"]),
            (["--nodes", ", ,"], ["no id"]),
            (["--nodes", "@missing.txt"], ["missing.txt", "No such file"]),
            (["--nodes", "Bob\nEve"], ["--nodes", "Bob"]),
            (["--nodes", "Bob", "--kind", "edge"], ["--nodes", "--kind edge"]),
        ],
    )
    def test_bad(self, capsys, edge_list, options, words):
        output = edge_list.with_name("c.csv")
        assert_error(capsys, ["orbits", edge_list, output, *options], *words)
        assert not output.exists()


class TestErrors:
    def test_directed(self, capsys, tmp_path):
        matrix = np.triu(np.ones((4, 4)), k=1)
        path = tmp_path / "graph.npz"
        sp.save_npz(path, sp.csr_array(matrix))
        argv = ["orbits", path, tmp_path / "c.out"]
        assert_error(capsys, argv, "graph.npz", "undirected", "--undirected")
        found = np.loadtxt(run(path, "c.out", "--undirected"), dtype=np.int64)
        np.testing.assert_array_equal(found, node_orbits(matrix + matrix.T))

    def test_no_nodes(self, capsys, tmp_path):
        path = tmp_path / "graph.npz"
        sp.save_npz(path, sp.csr_array((0, 0)))
        assert_error(capsys, ["orbits", path, tmp_path / "c.out"], "graph.npz", "one node")

    @pytest.mark.parametrize(
        ("options", "word"),
        [
            (["--max-nodes", "6"], "--max-nodes"),
            (["--kind", "triangle"], "--kind"),
            (["--n-jobs", "0"], "argument --n-jobs: expected a number of threads"),
            (["--n-jobs", "all"], "or -1 for all cores, got 'all'"),
        ],
    )
    def test_bad_options(self, capsys, edge_list, options, word):
        assert_error(capsys, ["orbits", edge_list, edge_list.with_name("c.csv"), *options], word)

    @pytest.mark.parametrize("name", ["c", "c.xlsx", "c.csv.gz"])
    def test_unknown_suffix(self, capsys, edge_list, name):
        expected = ".csv, .npz, .parquet, .ndump2, .out"
        assert_error(capsys, ["orbits", edge_list, edge_list.with_name(name)], expected)

    def test_vectors_are_not_written_as_integers(self, capsys, edge_list):
        assert_error(capsys, ["embed", edge_list, edge_list.with_name("v.out")], "unknown kind")

    def test_unknown_input(self, capsys, tmp_path):
        assert_error(capsys, ["orbits", tmp_path / "no.csv", tmp_path / "c.csv"], "No such file")

    def test_overflow_is_one_line(self, capsys, edge_list, monkeypatch):
        def overflow(*_, **__):
            raise OverflowError("counts of orbit 23 may exceed 64 bits")

        monkeypatch.setattr("sparsekit.graphlets.count_orbits", overflow)
        output = edge_list.with_name("c.csv")
        assert_error(capsys, ["orbits", edge_list, output], "orbit 23")
        assert not output.exists()


def test_help_fits_a_terminal(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["orbits", "--help"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("usage: sparsekit orbits")
    assert max(map(len, out.splitlines())) <= 80


def test_defaults_are_those_of_the_function():
    arguments = _build_parser().parse_args(["orbits", "graph.csv", "counts.csv"])
    assert (arguments.max_nodes, arguments.kind, arguments.nodes) == (4, "node", None)
    assert not arguments.not_induced
    assert arguments.n_jobs is None


@pytest.mark.slow
@pytest.mark.skipif(JIT_DISABLED, reason="the times of the demo mean nothing then")
class TestDemo:
    def test_tables_and_figure(self, capsys, tmp_path):
        image = pytest.importorskip("matplotlib.image")
        assert main(["demo", "graphlets", "--output", str(tmp_path)]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        lines = [line for line in out.splitlines() if str(tmp_path) not in line]
        assert max(map(len, lines)) <= 80
        assert "Enumeration gives the same counts." in lines
        [valjean] = [line.split() for line in lines if "Valjean" in line]
        assert valjean[1:3] == ["36", "554"]
        path = tmp_path / "sparsekit-demo-graphlets.png"
        assert str(path) in out
        assert image.imread(path).shape[0] > 500

    def test_without_extras(self, capsys, tmp_path, monkeypatch):
        for module in ("rich", "matplotlib", "matplotlib.pyplot"):
            monkeypatch.setitem(sys.modules, module, None)
        assert main(["demo", "graphlets", "--output", str(tmp_path)]) == 0
        assert "pip install 'sparsekit[plot]'" in capsys.readouterr().out
        assert list(tmp_path.iterdir()) == []
