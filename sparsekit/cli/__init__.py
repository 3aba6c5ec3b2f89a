"""The command ``sparsekit``: a thin front that finds its verbs by itself.

A verb is a module ``_verb_<name>.py`` with a function ``add_parser(subparsers)`` that sets the
default ``run=function(arguments)``; a section of the demo is a module ``_demo_<family>.py``. Verb
modules import nothing slow at the top, so that ``--help`` is quick.
"""

import argparse
import os
import pkgutil
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

import sparsekit

__all__ = ["main"]

_USER_ERROR = 2
_INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, default=None
        Arguments without the program name; those of the process if omitted.

    Returns
    -------
    int
        Exit code: 0, 2 after an error (one line on standard error), or 130 if interrupted.

    Examples
    --------
    >>> from sparsekit.cli import main
    >>> main(["--version"])
    sparsekit ...
    0
    """
    try:
        arguments = _build_parser().parse_args(argv)
        arguments.run(arguments)
        sys.stdout.flush()
    except SystemExit as stop:  # argparse: help, version and wrong arguments
        return int(stop.code or 0)
    except KeyboardInterrupt:
        sys.stderr.write("\nsparsekit: interrupted\n")
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader has left, as in `sparsekit demo | head`; Python would flush once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _USER_ERROR
    except (ImportError, MemoryError, OSError, OverflowError, ValueError) as error:
        sys.stderr.write(_error_line(_describe(error)))
        return _USER_ERROR
    return 0


class _Parser(argparse.ArgumentParser):
    """A parser that reports errors on one line, and finds files before, among and after options."""

    _is_mixing = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        # By itself argparse, before Python 3.13, takes `TABLE --option X EDGES` for an error, as
        # EDGES may be missing. The front has commands and can not mix; mixing calls this again.
        if self._subparsers is not None or self._is_mixing:
            return super().parse_known_args(args, namespace)
        self._is_mixing = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._is_mixing = False

    def error(self, message: str) -> NoReturn:
        self.exit(_USER_ERROR, _error_line(f"{message} (see {self.prog} --help)"))


def _build_parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="sparsekit", description=sparsekit.__doc__)
    parser.add_argument("--version", action="version", version=f"sparsekit {sparsekit.__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in pkgutil.iter_modules(__path__):
        if module.name.startswith("_verb_"):
            import_module(f"{__name__}.{module.name}").add_parser(subparsers)
    return parser


def _describe(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error) or type(error).__name__


def _error_line(message: str) -> str:
    return f"sparsekit: error: {' '.join(message.split())}\n"
