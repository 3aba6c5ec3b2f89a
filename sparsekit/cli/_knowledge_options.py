"""Options for what is known of a causal graph, shared by the commands that learn one."""

import argparse
import csv
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sparsekit.causal import BackgroundKnowledge

__all__ = ["add_knowledge", "lines_of", "names_in", "read_knowledge"]


def add_knowledge(group: argparse._ArgumentGroup) -> None:
    """Add --forbid, --require and --tiers."""
    edges: dict[str, Any] = {"action": "append", "metavar": "A,B", "default": []}
    group.add_argument("--forbid", help="no edge A -> B; may be repeated", **edges)
    group.add_argument("--require", help="an edge A -> B; may be repeated", **edges)
    group.add_argument(
        "--tiers",
        help='no edge from a later tier to an earlier one: "A,B;C,D", or @FILE with one tier a '
        "line",
        metavar="TIERS",
    )


def read_knowledge(
    arguments: argparse.Namespace, names: Iterable[Any]
) -> "BackgroundKnowledge | None":
    """Knowledge from the options, by position; None if there is none.

    Parameters
    ----------
    arguments : argparse.Namespace
        With the options of `add_knowledge`.
    names : iterable of str or int
        Names of the variables, or their numbers.

    Raises
    ------
    OSError
        If a file can not be read.
    ValueError
        If a name is unknown, or an option has not the form that it should have.
    """
    from sparsekit.causal import BackgroundKnowledge

    if not (arguments.forbid or arguments.require or arguments.tiers is not None):
        return None
    numbers = {str(name): number for number, name in enumerate(names)}
    tiers = None
    if arguments.tiers is not None:
        tiers = [_numbers_of("--tiers", tier, numbers) for tier in _tiers(arguments.tiers)]
        if not any(tiers):
            raise ValueError(f'--tiers {arguments.tiers}: no names: expected tiers as in "A,B;C".')
    return BackgroundKnowledge(
        forbidden=[_pair("--forbid", edge, numbers) for edge in arguments.forbid],
        required=[_pair("--require", edge, numbers) for edge in arguments.require],
        tiers=tiers,
    )


def names_in(flag: str, text: str) -> list[str]:
    """Names separated by commas; those with a comma are in quotes.

    Raises
    ------
    ValueError
        If the text can not be split.
    """
    try:
        [names] = csv.reader([text], skipinitialspace=True)
    except (csv.Error, ValueError):
        raise ValueError(f"{flag} {text!r}: expected names separated by commas.") from None
    return [name.strip() for name in names]


def _numbers_of(flag: str, text: str, numbers: dict[str, int]) -> list[int]:
    """Positions of variables that are separated by commas.

    Raises
    ------
    ValueError
        If a name is unknown.
    """
    names = names_in(flag, text)
    for name in names:
        if name not in numbers:
            some = ", ".join(list(numbers)[:3])
            raise ValueError(
                f"{flag}: {name!r} is not among the {len(numbers)} variables, such as {some}."
            )
    return [numbers[name] for name in names]


def _tiers(text: str) -> list[str]:
    """Tiers as they were given, or the lines of a file."""
    return lines_of("--tiers", text) if text.startswith("@") else text.split(";")


def lines_of(flag: str, text: str) -> list[str]:
    """Lines with something on them, of the file that ``@FILE`` names.

    Raises
    ------
    OSError
        If it can not be read.
    ValueError
        If it is no text.
    """
    try:
        lines = Path(text[1:]).read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"{flag} {text}: not a text file in UTF-8.") from None
    return [line for line in lines if line.strip()]


def _pair(flag: str, text: str, numbers: dict[str, int]) -> list[int]:
    pair = _numbers_of(flag, text, numbers)
    if len(pair) != 2:
        raise ValueError(f"{flag} {text}: expected two variables, as in {flag} A,B.")
    return pair
