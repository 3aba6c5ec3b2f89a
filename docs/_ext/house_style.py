"""Notations of our docstrings that reStructuredText would misread.

- ``0 .. n - 1``: two dots look like the end of a sentence, at which summaries are cut;
- ``shape (n_features_in_,)``: a name that ends in an underscore looks like a reference;
- a field of a returned Bunch without a description (``target_names : ndarray``): a definition list
  needs a definition.
"""

import re
from itertools import pairwise

_FIELD = re.compile(r"(?P<indent> {4,})\w+ : \S")


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
    return re.sub(r"\((\w+_),\)", r"(``\1``,)", line)


def setup(app) -> dict:
    """Register the translation behind numpydoc's own."""
    app.connect("autodoc-process-docstring", translate, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
