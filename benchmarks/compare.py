"""Compare sparsekit with its peers, side by side in one run.

Prints tables and writes them to ``docs/benchmarks.md``. Each family is a file beside this one with
a ``TITLE`` and a generator ``run(options)``; a new family adds a file and changes none.

    python benchmarks/compare.py --data FOLDER      the page, within 40 minutes
    python benchmarks/compare.py --quick            a look, within 5 minutes; writes nothing
    python benchmarks/compare.py --only embedding   one family; the page keeps the others
"""

import argparse
import importlib
import os
import re
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # as a script, only this folder is on the path
    sys.path.insert(0, str(ROOT))

from benchmarks._measure import ONE_THREAD, conditions  # noqa: E402
from benchmarks._report import Options, Table  # noqa: E402

PAGE = ROOT / "docs" / "benchmarks.md"

_INTRODUCTION = """\
# Benchmarks

Written by `python benchmarks/compare.py`; do not edit by hand. Contenders run in turn in one
process, one thread each unless threads are the subject; given are minima of the repetitions, and a
ratio is that of two minima of CPU time from the same run. Compiled code is warm; what compiling
costs is under [Latency](#latency). How each figure is measured: `benchmarks/README.md`.
"""


def families() -> dict[str, str]:
    """Module names of the comparisons, by short name."""
    files = sorted(Path(__file__).parent.glob("[!_]*.py"))
    names = [file.stem for file in files if not file.stem.startswith(("asv_", "compare."))]
    return {name.removeprefix("compare_"): name for name in names if name != "compare"}


def chosen(only: Sequence[str]) -> dict[str, str]:
    """Families whose name is, or starts with, one of `only`; all if there is none."""
    known = families()
    found = {
        name: module
        for name, module in known.items()
        if not only or any(name == asked or name.startswith(f"{asked}_") for asked in only)
    }
    if not found:
        raise SystemExit(f"no such family: {', '.join(only)}; there are {', '.join(known)}.")
    return found


def needs_data(module_name: str) -> bool:
    """Whether a family measures nothing without --data."""
    family = importlib.import_module(f"benchmarks.{module_name}")
    return getattr(family, "NEEDS_DATA", False)


def run_family(module_name: str, options: Options) -> Iterator[str | Table]:
    """Blocks of one family, conditions first."""
    family = importlib.import_module(f"benchmarks.{module_name}")
    yield f"## {family.TITLE}"
    yield f"Conditions: {conditions()}"
    yield from family.run(options)


def printed(blocks: Iterator[str | Table]) -> Iterator[str]:
    """Print each block as it comes, and pass it on as Markdown."""
    for block in blocks:
        if isinstance(block, Table):
            print(block.to_text(), end="\n\n", flush=True)
            yield block.to_markdown()
        else:
            print(textwrap.fill(block, 96), end="\n\n", flush=True)
            yield block


def sections_of(page: str) -> dict[str, str]:
    """Sections of a written page, by their headings."""
    parts = re.split(r"^(?=## )", page, flags=re.MULTILINE)[1:]
    return {part.partition("\n")[0]: part.strip() for part in parts}


def write_page(path: Path, sections: dict[str, str]) -> None:
    """Write the page; sections that were not run now are kept as they were."""
    before = sections_of(path.read_text(encoding="utf-8")) if path.exists() else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    merged = before | sections
    path.write_text("\n\n".join([_INTRODUCTION.strip(), *merged.values()]) + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="smaller, within five minutes")
    parser.add_argument("--data", type=Path, help="folder with cora.npz, pubmed.npz and ppi.npz")
    parser.add_argument("--only", action="append", default=[], metavar="FAMILY")
    parser.add_argument("--output", type=Path, help="Markdown page (default: docs/benchmarks.md)")
    given = parser.parse_args(arguments)
    if given.data is not None and not given.data.is_dir():
        parser.error("--data is no folder")
    os.environ.update(ONE_THREAD)  # before any family imports numpy
    started, sections = time.perf_counter(), {}
    for module_name in chosen(given.only).values():
        if given.data is None and needs_data(module_name):
            print(f"Skipped without --data: {module_name}. The page keeps its section.\n")
            continue
        heading, *blocks = printed(run_family(module_name, Options(given.quick, given.data)))
        sections[heading] = "\n\n".join([heading, *blocks])
    output = given.output or (None if given.quick else PAGE)
    if output is not None:
        write_page(output, sections)
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
