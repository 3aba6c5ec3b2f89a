"""Options of commands with several methods, each of which has options of its own."""

import argparse
from collections.abc import Mapping
from typing import Any

__all__ = ["settle"]


def settle(arguments: argparse.Namespace, defaults: Mapping[str, Mapping[str, Any]]) -> None:
    """Fill in what was not given, for ``arguments.method``.

    Parameters
    ----------
    arguments : argparse.Namespace
        The parser itself gives None, so that options of another method do not pass unnoticed.
    defaults : mapping of str to mapping
        By method: options, under the names that argparse gives them, with what they are unless
        given.

    Raises
    ------
    ValueError
        If an option of another method was given.
    """
    own = defaults[arguments.method]
    for method, options in defaults.items():
        for name in options:
            if name not in own and getattr(arguments, name) is not None:
                raise ValueError(
                    f"--{name.replace('_', '-')} is for --method {method}, got --method "
                    f"{arguments.method}: leave it out, or choose --method {method}."
                )
    for name, default in own.items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, default)
