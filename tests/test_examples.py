"""Every example of the gallery runs, without warnings from the package."""

import runpy
import warnings
from pathlib import Path

import pytest
from conftest import JIT_DISABLED
from threadpoolctl import threadpool_limits

FOLDER = Path(__file__).resolve().parent.parent / "examples"
EXAMPLES = sorted(FOLDER.glob("plot_*.py"))


@pytest.mark.slow
@pytest.mark.skipif(JIT_DISABLED, reason="takes minutes without the compiler")
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path, tmp_path, monkeypatch):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings(), threadpool_limits(1):  # more are slower on a busy machine
        warnings.simplefilter("error")
        runpy.run_path(str(path), run_name="__main__")
    figures = matplotlib.pyplot.get_fignums()
    matplotlib.pyplot.close("all")
    assert figures, "an example of the gallery shows at least one figure"


def test_there_are_examples():
    names = [path.stem.split("_")[1] for path in EXAMPLES]
    assert "embedding" in names
