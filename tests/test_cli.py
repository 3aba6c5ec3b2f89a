"""The command line, through `main`: the front, its errors, the terminal and the demo."""

import os
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse as sp
from cli_helpers import assert_error
from conftest import JIT_DISABLED

import sparsekit
from sparsekit.cli import _output, main
from sparsekit.datasets import make_sbm_graph
from sparsekit.embedding import FastRP


@pytest.fixture
def matrix_file(tmp_path):
    path = tmp_path / "graph.npz"
    sp.save_npz(path, make_sbm_graph(60, random_state=0)[0].adjacency)
    return path


def in_a_process(code, **options):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, **options
    )


class TestFront:
    def test_help(self, capsys):
        assert main(["--help"]) == 0
        out = capsys.readouterr().out
        assert all(verb in out for verb in ("embed", "orbits", "dag", "grn", "demo"))

    @pytest.mark.parametrize("verb", ["embed", "dag", "grn", "demo"])
    def test_help_of_verbs_fits_a_terminal(self, capsys, monkeypatch, verb):
        monkeypatch.setenv("COLUMNS", "80")
        assert main([verb, "--help"]) == 0
        out = capsys.readouterr().out
        assert out.startswith(f"usage: sparsekit {verb}")
        assert max(map(len, out.splitlines())) <= 80

    def test_version(self, capsys):
        assert main(["--version"]) == 0
        assert capsys.readouterr().out == f"sparsekit {sparsekit.__version__}\n"

    def test_demo_sections_are_found(self, capsys):
        main(["demo", "--help"])
        out = capsys.readouterr().out
        assert all(section in out for section in ("embedding", "graphlets", "causal"))

    @pytest.mark.parametrize("argv", [["--help"], ["--version"], ["embed", "-h"], ["demo", "-h"]])
    def test_nothing_slow_is_imported(self, argv):
        code = (
            f"import sys; from sparsekit.cli import main; main({argv}); "
            "slow = {'numpy', 'scipy', 'numba', 'sklearn', 'networkx', 'matplotlib', 'rich'}; "
            "sys.exit(str(slow & set(sys.modules)) if slow & set(sys.modules) else 0)"
        )
        done = in_a_process(code)
        assert done.returncode == 0, done.stderr

    def test_as_a_module(self, matrix_file):
        command = [sys.executable, "-m", "sparsekit.cli", "embed", matrix_file, "v.xyz"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert done.stderr.startswith("sparsekit: error: v.xyz: unknown kind of output file")
        assert done.stderr.count("\n") == 1

    @pytest.mark.parametrize(
        ("argv", "word"),
        [
            ([], "COMMAND"),
            (["frobnicate"], "frobnicate"),
            (["embed"], "GRAPH"),
            (["embed", "a.csv", "b.csv", "c.csv"], "c.csv"),
            (["embed", "a.csv", "b.csv", "--bta", "1"], "--bta"),
            (["embed", "a.csv", "b.csv", "--beta", "big"], "--beta"),
            (["embed", "a.csv", "b.csv", "--operator", "laplacian"], "random_walk"),
            (["embed", "a.csv", "b.csv", "--dtype", "float16"], "float32"),
            (["embed", "a.csv", "b.csv", "--hop-weights", "1,x"], "'1,x'"),
            (["embed", "a.csv", "b.csv", "--hop-weights", ""], "--hop-weights"),
            (["demo", "nonsense"], "embedding"),
        ],
    )
    def test_wrong_arguments(self, capsys, argv, word):
        assert_error(capsys, argv, word)

    def test_interrupt(self, capsys, monkeypatch, matrix_file, tmp_path):
        def interrupt(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr(FastRP, "fit", interrupt)
        assert main(["embed", str(matrix_file), str(tmp_path / "v.csv")]) == 130
        assert "Traceback" not in capsys.readouterr().err

    def test_out_of_memory(self, capsys, matrix_file, tmp_path):
        argv = ["embed", matrix_file, tmp_path / "v.csv", "--n-components", 10**14]
        assert_error(capsys, argv)

    def test_a_bug_shows_its_traceback(self, monkeypatch, matrix_file, tmp_path):
        monkeypatch.setattr(FastRP, "fit", lambda *_: {}["missing"])
        with pytest.raises(KeyError):
            main(["embed", str(matrix_file), str(tmp_path / "v.csv")])

    @pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
    def test_reader_leaves(self, matrix_file, tmp_path):
        command = [sys.executable, "-m", "sparsekit.cli", "embed", matrix_file, tmp_path / "v.csv"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdout.close()
        assert b"BrokenPipeError" not in process.stderr.read()
        assert process.wait() == 2
        process.stderr.close()


class TestOutput:
    header = ("name", "score")
    rows = (("first", "1.0"), ("b", "12.5"))

    def test_plain_table(self, capsys, monkeypatch):
        monkeypatch.setitem(sys.modules, "rich", None)
        _output.write_table(self.header, self.rows, n_text_columns=1)
        lines = capsys.readouterr().out.splitlines()
        assert lines == ["name   score", "-----  -----", "first    1.0", "b       12.5"]

    def test_rich_table(self, capsys):
        pytest.importorskip("rich")
        _output.write_table(self.header, self.rows, n_text_columns=1)
        out = capsys.readouterr().out
        assert "first" in out
        assert "12.5" in out

    def test_progress_on_a_terminal_only(self, monkeypatch):
        pytest.importorskip("rich")
        assert _output.progress_bars() == []
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        assert len(_output.progress_bars()) == 1
        monkeypatch.setitem(sys.modules, "rich", None)
        assert _output.progress_bars() == []


@pytest.mark.skipif(JIT_DISABLED, reason="takes minutes without the compiler")
class TestDemo:
    @pytest.mark.slow
    def test_table_and_figure(self, capsys, tmp_path, monkeypatch):
        image = pytest.importorskip("matplotlib.image")
        monkeypatch.chdir(tmp_path)
        assert main(["demo"]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        lines = [line for line in out.splitlines() if str(tmp_path) not in line]
        assert max(map(len, lines)) <= 80
        for word in ("pixels", "node degree", "FastRP", "accuracy", "macro-F1", "seconds"):
            assert word in out
        path = tmp_path / "sparsekit-demo-embedding.png"
        assert str(path) in out
        pixels = image.imread(path)
        assert pixels.shape[0] > 500
        assert len(np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0)) > 100

    @pytest.mark.slow
    def test_without_extras(self, capsys, tmp_path, monkeypatch):
        for module in ("rich", "matplotlib", "matplotlib.pyplot"):
            monkeypatch.setitem(sys.modules, module, None)
        assert main(["demo", "embedding", "--output", str(tmp_path)]) == 0
        out = capsys.readouterr().out
        rows = {line[:19].strip(): line.split() for line in out.splitlines() if "regress" in line}
        accuracy = {name: float(words[-3]) for name, words in rows.items()}
        assert accuracy["node degree"] < 0.2
        assert accuracy["FastRP of the graph"] > 0.95
        assert "pip install 'sparsekit[plot]'" in out
        assert list(tmp_path.iterdir()) == []

    def test_missing_folder(self, capsys, tmp_path):
        assert_error(capsys, ["demo", "--output", tmp_path / "nowhere"], "nowhere")
