"""What the commands write to the terminal: lines, tables, warnings and progress bars."""

import contextlib
import importlib.util
import sys
import warnings
from collections.abc import Iterator, Sequence

__all__ = ["progress_bars", "warnings_as_lines", "write_line", "write_table"]


def write_line(text: str = "") -> None:
    """Write one line to standard output."""
    sys.stdout.write(f"{text}\n")


def write_table(header: Sequence[str], rows: Sequence[Sequence[str]], n_text_columns: int) -> None:
    """Write a table, by rich if it is installed.

    Parameters
    ----------
    header : sequence of str
    rows : sequence of sequences of str
    n_text_columns : int
        So many columns are aligned to the left, the others to the right.
    """
    if not _has_rich():
        _write_plain_table(header, rows, n_text_columns)
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, title in enumerate(header):
        is_text = number < n_text_columns
        table.add_column(title, justify="left" if is_text else "right", no_wrap=not is_text)
    for row in rows:
        table.add_row(*row)
    Console(file=sys.stdout, highlight=False, markup=False).print(table)


def progress_bars() -> list:
    """Callbacks for ``estimator.set_callbacks``: a progress bar on a terminal, otherwise none."""
    if not (sys.stdout.isatty() and _has_rich()):
        return []
    from sklearn.callback import ProgressBar

    # Only the outermost estimator: a bar for every fit of a grid search fills the screen.
    return [ProgressBar(max_propagation_depth=0)]


@contextlib.contextmanager
def warnings_as_lines() -> Iterator[None]:
    """Write warnings to standard error, one line each, without the line of code that gave them."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        yield
    for text in dict.fromkeys(str(warning.message) for warning in caught):
        sys.stderr.write(f"sparsekit: warning: {' '.join(text.split())}\n")


def _has_rich() -> bool:
    return importlib.util.find_spec("rich") is not None


def _write_plain_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], n_text_columns: int
) -> None:
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    rule = ["-" * width for width in widths]
    for row in [header, rule, *rows]:
        cells = [
            cell.ljust(width) if number < n_text_columns else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        write_line("  ".join(cells).rstrip())
