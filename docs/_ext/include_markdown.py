"""The directive ``include-markdown``: one text for the repository and for the documentation.

It knows the Markdown that this repository uses: headings, paragraphs, flat lists, tables, fenced
code, bold, code and links. Anything beyond that belongs into reStructuredText.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive

_UNDERLINES = "=-~^"
_INLINE = re.compile(
    r"\*\*(?P<bold>[^*]+)\*\*|`(?P<code>[^`]+)`|\[(?P<text>[^\]]+)\]\((?P<target>[^)\s]+)\)"
)
_LIST_ITEM = re.compile(r"(?:[-*]|\d+\.) ")
_LANGUAGES = {"": "text", "sh": "bash", "py": "python"}


class IncludeMarkdown(Directive):
    """Include a Markdown file, given relative to the page; a missing one leaves a remark."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Put the translated lines in place of the directive."""
        environment = self.state.document.settings.env
        relative, absolute = environment.relfn2path(self.arguments[0])
        environment.note_dependency(relative)
        path = Path(absolute)
        if path.exists():
            lines = to_rst(path.read_text(encoding="utf-8"))
        else:
            title = path.stem.capitalize()
            lines = [title, "=" * len(title), "", f"``{path.name}`` is not in this checkout."]
        self.state_machine.insert_input(lines, str(path))
        return []


def to_rst(markdown: str) -> list[str]:
    """Translate Markdown to lines of reStructuredText.

    Parameters
    ----------
    markdown : str

    Returns
    -------
    list of str
    """
    text = re.sub(r"<!--.*?-->\n?", "", markdown, flags=re.DOTALL)
    return list(_translate(iter(text.splitlines())))


def _translate(lines: Iterator[str]) -> Iterator[str]:
    table: list[str] = []
    previous = ""
    for line in lines:
        if table and not line.startswith("|"):
            yield from _table(table)
            table = []
        if line.startswith("|"):
            table.append(line)
        elif line.startswith("```"):
            yield from _code(line[3:].strip(), lines)
        elif heading := re.match(r"(#+) (.*)", line):
            title = _inline(heading[2])
            yield from ("", title, _UNDERLINES[len(heading[1]) - 1] * len(title), "")
        else:
            follows_text = previous and not previous.startswith((" ", "|", "#"))
            if _LIST_ITEM.match(line) and follows_text and not _LIST_ITEM.match(previous):
                yield ""
            yield _inline(line)
        previous = line
    yield from _table(table)


def _code(language: str, lines: Iterator[str]) -> Iterator[str]:
    yield from ("", f".. code-block:: {_LANGUAGES.get(language, language)}", "")
    for line in lines:
        if line.startswith("```"):
            break
        yield f"   {line}"
    yield ""


def _table(rows: list[str]) -> Iterator[str]:
    if not rows:
        return
    cells = [[cell.strip() for cell in row.strip().strip("|").split("|")] for row in rows]
    to_right = [column for column, rule in enumerate(cells[1]) if rule.endswith(":")]
    yield from ("", ".. list-table::", "   :header-rows: 1")
    # The theme aligns text to the left; a class of its own turns columns of numbers round.
    yield from (f"   :class: numbers-from-{to_right[0]}", "") if to_right else ("",)
    for row in [cells[0], *cells[2:]]:
        for column, cell in enumerate(row):
            yield f"   {'*' if column == 0 else ' '} - {_inline(cell)}".rstrip()
    yield ""


def _inline(text: str) -> str:
    parts, end = [], 0
    for found in _INLINE.finditer(text):
        parts.append(_escape(text[end : found.start()]))
        end = found.end()
        if found["bold"]:  # nothing can be nested in reStructuredText
            parts.append(f"**{_escape(found['bold'].replace('`', ''))}**")
        elif found["code"]:
            # A literal may touch neither letter nor digit.
            before = "\\ " if text[: found.start()][-1:].isalnum() else ""
            after = "\\ " if text[end : end + 1].isalnum() else ""
            parts.append(f"{before}``{found['code']}``{after}")
        else:
            parts.append(f"`{found['text'].replace('`', '')} <{found['target']}>`__")
    return "".join([*parts, _escape(text[end:])])


def _escape(text: str) -> str:
    """Keep names that end in an underscore from becoming references."""
    return re.sub(r"(?<=\w)_(?!\w)", r"\\_", text)


def setup(app) -> dict:
    """Register the directive."""
    app.add_directive("include-markdown", IncludeMarkdown)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
