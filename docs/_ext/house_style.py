"""Notations of our docstrings that reStructuredText would misread, and what our templates ask.

- ``0 .. n - 1``: two dots look like the end of a sentence, at which summaries are cut;
- ``shape (n_features_in_, 3)`` and ``0 .. n_nodes_``: a name that ends in an underscore looks like
  a reference;
- a field of a returned Bunch without a description (``target_names : ndarray``): a definition list
  needs a definition.
"""

import re
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise

_FIELD = re.compile(r"(?P<indent> {4,})\w+ : \S")
_SIZES = re.compile(r"(?<=shape )\(\w+(?:, \w+)*,?\)|(?<= … )\w+_\b")


def translate(app, what, name, obj, options, lines: list[str]) -> None:
    """Change the lines of a docstring in place, after numpydoc has."""
    lines[:] = [line if line.lstrip().startswith(">>>") else _inline(line) for line in lines]
    fields = [_FIELD.match(line) for line in lines]
    bare = [
        number
        for number, (field, following) in enumerate(pairwise(fields))
        if field and following and field["indent"] == following["indent"]
    ]
    for number in reversed(bare):
        lines.insert(number + 1, f"{fields[number]['indent']}    ..")


def _inline(line: str) -> str:
    line = re.sub(r"(?<=\S) \.\. (?=\S)", " … ", line)
    return _SIZES.sub(lambda sizes: re.sub(r"\w+_\b", r"``\g<0>``", sizes[0]), line)


@dataclass(frozen=True)
class Origin:
    """Function for templates; as an object, Sphinx can store it with its settings."""

    def __call__(self, class_name: str, member: str) -> str:
        """Package of the class that defines a member of a class, itself or one of its bases."""
        module, _, name = class_name.rpartition(".")
        bases = getattr(import_module(module), name).__mro__
        definer = next(base for base in bases if member in vars(base))
        return definer.__module__.partition(".")[0]


def setup(app) -> dict:
    """Register the translation behind numpydoc's own."""
    app.connect("autodoc-process-docstring", translate, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
