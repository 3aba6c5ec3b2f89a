"""The demo of graphs of genes, through `main`."""

import sys

import pytest
from conftest import JIT_DISABLED

from sparsekit.cli import main


@pytest.mark.skipif(JIT_DISABLED, reason="takes minutes without the compiler")
@pytest.mark.slow
class TestDemo:
    def test_table_and_figure(self, capsys, tmp_path):
        image = pytest.importorskip("matplotlib.image")
        assert main(["demo", "dropout", "--output", str(tmp_path)]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        lines = [line for line in out.splitlines() if str(tmp_path) not in line]
        assert max(map(len, lines)) <= 80
        for words in ("no edges", "zeros as values", "DropoutPC", "DropoutGES", "F1", "seconds"):
            assert words in out
        path = tmp_path / "sparsekit-demo-dropout.png"
        assert str(path) in out
        assert image.imread(path).shape[0] > 500

    def test_without_extras(self, capsys, tmp_path, monkeypatch):
        for module in ("rich", "matplotlib", "matplotlib.pyplot"):
            monkeypatch.setitem(sys.modules, module, None)
        assert main(["demo", "dropout", "--output", str(tmp_path)]) == 0
        assert "pip install 'sparsekit[plot]'" in capsys.readouterr().out
        assert list(tmp_path.iterdir()) == []
