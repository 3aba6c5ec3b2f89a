"""``sparsekit demo``: what each family does, on real data, against honest baselines."""

import argparse
import pkgutil
from importlib import import_module
from pathlib import Path

__all__ = ["add_parser"]

_PREFIX = "_demo_"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command ``demo``."""
    families = _families()
    parser = subparsers.add_parser(
        "demo",
        help="try the package on real data",
        description="Compare the methods of this package with simple baselines on real data that "
        "come with scikit-learn: a table in the terminal and a figure a section.",
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "families",
        nargs="*",
        metavar="SECTION",
        help=f"sections to run (all): {', '.join(families)}",
    )
    parser.add_argument(
        "--output",
        metavar="FOLDER",
        type=Path,
        default=Path(),
        help="where the figures go (the current folder)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Run the chosen sections one after the other."""
    families = _families()
    unknown = sorted(set(arguments.families) - set(families))
    if unknown:
        raise ValueError(f"unknown section {unknown[0]!r}: choose from {', '.join(families)}.")

    from sparsekit.cli._files import check_folder

    check_folder(arguments.output)
    for family in arguments.families or families:
        import_module(f"sparsekit.cli.{_PREFIX}{family}").section(arguments.output)


def _families() -> list[str]:
    """Names of the sections; their modules are slow to import."""
    import sparsekit.cli

    names = [module.name for module in pkgutil.iter_modules(sparsekit.cli.__path__)]
    return [name.removeprefix(_PREFIX) for name in names if name.startswith(_PREFIX)]
