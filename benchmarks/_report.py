"""Tables and targets, for a terminal and for the page in the documentation.

A comparison module has a ``TITLE`` and a generator ``run(options)`` that yields paragraphs (str)
and `Table` objects; `compare.py` finds it, prints what it yields and writes the page.
"""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = [
    "Options",
    "Table",
    "Target",
    "count",
    "first_calls_table",
    "seconds",
    "target_table",
    "times",
    "with_targets",
]

_WIDTH = 96


class Options(NamedTuple):
    """What the command line asks for.

    Attributes
    ----------
    quick : bool
        Smaller inputs and fewer repetitions.
    data : Path or None
        Folder with the benchmark graphs that can not be distributed.
    """

    quick: bool = False
    data: Path | None = None


class Table(NamedTuple):
    """A table with a caption; the first column is left-aligned, the others right."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()

    def to_text(self) -> str:
        """Plain text for a terminal."""
        widths = [max(map(len, column)) for column in zip(self.columns, *self.rows, strict=True)]
        lines = [_aligned(self.columns, widths), "  ".join("-" * width for width in widths)]
        lines += [_aligned(row, widths) for row in self.rows]
        notes = [textwrap.fill(note, _WIDTH) for note in self.notes]
        return "\n".join([textwrap.fill(self.caption, _WIDTH), *lines, *notes])

    def to_markdown(self) -> str:
        """GitHub-flavoured Markdown."""
        rule = ["---"] + ["---:"] * (len(self.columns) - 1)
        lines = ["| " + " | ".join(row) + " |" for row in (self.columns, rule, *self.rows)]
        return "\n\n".join([f"**{self.caption}**", "\n".join(lines), *self.notes])


class Target(NamedTuple):
    """One acceptance figure.

    Attributes
    ----------
    what : str
    measured : float
    must : float
        The least (the most, if `upper`) that has to hold.
    aim : float or None
        What is aimed at beyond that.
    unit : str
    upper : bool
        Whether smaller is better.
    reason : str
        Why the aim may not be reached; printed when it is not.
    """

    what: str
    measured: float
    must: float
    aim: float | None = None
    unit: str = ""
    upper: bool = False
    reason: str = ""

    @property
    def verdict(self) -> str:
        """Whether it was reached, in words."""
        if not self._reaches(self.must):
            return "missed"
        return "met" if self.aim is None or self._reaches(self.aim) else "met, aim missed"

    def _reaches(self, bound: float) -> bool:
        return self.measured <= bound if self.upper else self.measured >= bound


def first_calls_table(
    what: str, cold: dict[str, float], warm: dict[str, float], *more: tuple[str, ...]
) -> Table:
    """What compiling costs: seconds by name with nothing compiled and with the code on disk."""
    rows = [(name, seconds(value), seconds(warm[name])) for name, value in cold.items()]
    columns = (f"first {what} in a process", "nothing compiled", "compiled code on disk")
    note = f"In this order in one process: later {what}s find kernels of earlier ones compiled."
    return Table("What compiling costs, CPU time", columns, [*rows, *more], [note])


def target_table(targets: Iterable[Target]) -> Table:
    """Targets, figures and verdicts."""
    rows, notes = [], []
    for target in targets:
        sign = "<=" if target.upper else ">="
        aim = "" if target.aim is None else f"{sign} {target.aim:g}{target.unit}"
        must = f"{sign} {target.must:g}{target.unit}"
        measured = f"{target.measured:.3f}{target.unit}"
        rows.append((target.what, aim, must, measured, target.verdict))
        if target.verdict != "met" and target.reason:
            notes.append(f"{target.what}: {measured}. {target.reason}")
    columns = ("target", "aimed at", "must hold", "measured", "verdict")
    return Table("Targets", columns, rows, notes)


def with_targets(
    parts: Iterable[Iterable[str | Table | list[Target]]],
) -> Iterator[str | Table]:
    """Blocks of all parts; the targets among them are held back for one table at the end."""
    targets: list[Target] = []
    for part in parts:
        for block in part:
            if isinstance(block, list):
                targets += block
            else:
                yield block
    if targets:
        yield target_table(targets)


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    parts = [cells[0].ljust(widths[0])]
    parts += [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
    return "  ".join(parts).rstrip()


def _three_digits(value: float) -> str:
    places = 0 if value >= 99.95 else 1 if value >= 9.995 else 2
    return f"{value:.{places}f}"


def seconds(value: float) -> str:
    """Three significant digits, in s or ms."""
    if value >= 0.9995:
        return f"{_three_digits(value)} s"
    return f"{_three_digits(value * 1e3)} ms"


def times(ratio: float) -> str:
    """How many times something is something else."""
    return f"{_three_digits(ratio)} x"


def count(value: float) -> str:
    """A size: 947 k, 9.48 M."""
    for scale, unit in ((1e6, " M"), (1e3, " k")):
        if value >= 0.9995 * scale:  # not 1e+03 of the next smaller unit
            return f"{value / scale:.3g}{unit}"
    return f"{value:g}"
