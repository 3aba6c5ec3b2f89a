"""Figures that commands write beside their tables."""

import sys
from pathlib import Path
from typing import Any

__all__ = ["check_figure", "save_figure"]

_SUFFIXES = (".pdf", ".png", ".svg")


def check_figure(path: Path, source: Path) -> None:
    """Find out before a long computation whether a figure can be drawn and written.

    Raises
    ------
    OSError, ValueError
        As `sparsekit.cli._files.check_output`.
    ImportError
        If matplotlib is missing.
    """
    from sparsekit.cli._files import check_output
    from sparsekit.plotting._style import import_matplotlib

    check_output(path, source, _SUFFIXES)
    import_matplotlib("--figure")


def save_figure(path: Path, figure: Any) -> None:
    """Write a figure, close it and say where it is."""
    from matplotlib import pyplot

    from sparsekit.cli._files import replacing

    with replacing(path) as file:
        figure.savefig(file, format=path.suffix[1:].lower(), dpi=200)
    pyplot.close(figure)
    sys.stderr.write(f"Figure: {path.resolve()}\n")
