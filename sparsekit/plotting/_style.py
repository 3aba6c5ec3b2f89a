"""What all displays share: matplotlib on demand, colours and markers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = [
    "MARKERS",
    "PALETTE",
    "import_matplotlib",
    "new_axes",
    "style_of_classes",
    "widen_for_legend",
]

# Ten colours that stay apart under colour vision deficiency (Petroff: "Accessible color sequences
# for data visualization", arXiv:2107.02270). matplotlib knows them from 3.10 on.
PALETTE = (
    "#3f90da",
    "#ffa90e",
    "#bd1f01",
    "#94a4a2",
    "#832db6",
    "#a96b59",
    "#e76300",
    "#b9ac70",
    "#717581",
    "#92dadd",
)

# Classes that share a colour differ in the marker.
MARKERS = ("o", "^", "s", "X", "D", "v", "P")

N_STYLES = len(PALETTE) * len(MARKERS)


def import_matplotlib(caller: str) -> Any:
    """Import matplotlib, or say how to get it.

    Parameters
    ----------
    caller : str
        What needs it, for the message.

    Returns
    -------
    module
        ``matplotlib``, with ``matplotlib.pyplot`` imported.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    try:
        import matplotlib.pyplot
    except ImportError as error:
        raise ImportError(f"{caller} needs matplotlib: pip install 'sparsekit[plot]'.") from error
    return matplotlib


def new_axes(caller: str) -> Any:
    """Create axes on a new figure that leaves room for a legend beside them."""
    pyplot = import_matplotlib(caller).pyplot
    return pyplot.subplots(figsize=(5.6, 4.6), layout="constrained")[1]


def widen_for_legend(figure: Any, legend: Any) -> None:
    """Let a legend of several columns widen a figure rather than narrow its axes."""
    width, height = figure.get_size_inches()
    extent = legend.get_window_extent()
    figure.set_size_inches(width + max(0.0, extent.width / figure.dpi - 1), height)


def style_of_classes(n_classes: int) -> tuple[np.ndarray, Sequence[str]]:
    """Colour and marker of each class, distinct for up to 70 classes.

    Parameters
    ----------
    n_classes : int

    Returns
    -------
    colors : ndarray of shape (n_classes,), str
    markers : list of n_classes str
    """
    numbers = range(n_classes)
    colors = np.array([PALETTE[i % len(PALETTE)] for i in numbers])
    return colors, [MARKERS[i // len(PALETTE) % len(MARKERS)] for i in numbers]
