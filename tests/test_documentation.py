"""The documentation, as far as it can be executed or compared with the code.

The code of a page is run from top to bottom in one namespace, as a reader would paste it.
"""

import contextlib
import doctest
import io
import re
import shlex
import textwrap
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest
from conftest import JIT_DISABLED
from threadpoolctl import threadpool_limits

from sparsekit.cli import main

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
GENERATED = {"_build", "auto_examples", "generated"}

PYTHON_FENCE = re.compile(r"^```(?P<language>\w+)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
DIRECTIVE = re.compile(
    r"^\.\. (?:code-block:: (?P<language>\w+)|(?P<plot>plot)::)\n"
    r"(?:   :[^\n]*\n)*\n"
    r"(?P<code>(?:(?:   [^\n]*)?\n)+)",
    re.MULTILINE,
)


class Block(NamedTuple):
    """A piece of code on a page."""

    language: str
    code: str
    line: int


def pages():
    """Pages that are written by hand, and the README."""
    found = [path for path in DOCS.rglob("*.rst") if not GENERATED & set(path.parts)]
    return [ROOT / "README.md", *sorted(found)]


def blocks_of(path):
    """Blocks of code of a page, in order."""
    text = path.read_text(encoding="utf-8") + "\n"
    pattern = PYTHON_FENCE if path.suffix == ".md" else DIRECTIVE
    for found in pattern.finditer(text):
        language = found["language"] or "python"
        line = text.count("\n", 0, found.start("code")) + 1
        yield Block(language, textwrap.dedent(found["code"]).rstrip() + "\n", line)


def name_of(path):
    return path.relative_to(ROOT).as_posix()


WITH_CODE = [path for path in pages() if any(b.language != "text" for b in blocks_of(path))]


def run_prompts(block, namespace, path):
    """Run a block of prompts and compare what it prints."""
    test = doctest.DocTestParser().get_doctest(
        block.code, namespace, name_of(path), str(path), block.line - 1
    )
    assert test.examples, f"no prompt in the block at line {block.line}"
    report = io.StringIO()
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    runner = doctest.DocTestRunner(optionflags=flags)
    runner.run(test, out=report.write, clear_globs=False)
    namespace.update(test.globs)
    assert runner.failures == 0, report.getvalue()


def run_script(block, namespace, path):
    """Run a block without prompts; what it prints is the text block that follows, if any."""
    printed = io.StringIO()
    code = compile("\n" * (block.line - 1) + block.code, path, "exec")
    with contextlib.redirect_stdout(printed):
        exec(code, namespace)
    return printed.getvalue()


def run_commands(block, folder):
    """Run the lines of a shell block that call the package, except the demo, tested elsewhere."""
    (folder / "edges.csv").write_text("a,b\nb,c\nc,a\nc,d\n")
    for line in block.code.splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["sparsekit"] and words[1:] != ["demo"]:
            assert main(words[1:]) == 0, line


@pytest.mark.slow
@pytest.mark.skipif(JIT_DISABLED, reason="takes minutes without the compiler")
@pytest.mark.parametrize("path", WITH_CODE, ids=name_of)
def test_code_of_a_page(path, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib").use("Agg")
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "__main__"}
    printed = None
    with threadpool_limits(1):  # on a busy machine, more are many times slower
        for block in blocks_of(path):
            if block.language == "pycon":
                run_prompts(block, namespace, path)
            elif block.language == "bash":
                run_commands(block, tmp_path)
            elif block.language == "text" and printed:
                assert printed == block.code, f"line {block.line}"
            printed = run_script(block, namespace, path) if block.language == "python" else None
    import_module("matplotlib.pyplot").close("all")


def test_pages_with_code_are_found():
    names = {name_of(path) for path in WITH_CODE}
    assert {"README.md", "docs/tour.rst", "docs/user_guide/embedding.rst"} <= names
    languages = [block.language for block in blocks_of(DOCS / "tour.rst")]
    assert {"pycon", "python", "bash"} == set(languages)


def test_readme_has_the_two_commands():
    code = [block.code.strip() for block in blocks_of(ROOT / "README.md")]
    environment = "python3 -m venv .venv && .venv/bin/pip install -q"
    assert f"{environment} '.[demo]' && .venv/bin/sparsekit demo" in code
    assert f"{environment} -e '.[test]' && .venv/bin/pytest" in code


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        *(
            f"docs/user_guide/{page}.rst"
            for page in ("causal", "dropout", "embedding", "graphlets", "order_search")
        ),
    ],
)
def test_formulas_are_where_the_page_says(page):
    """A row names functions and the file that defines them, in this order."""
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    found = 0
    for number, line in enumerate(lines):
        location = re.search(r"`(sparsekit/[\w/]+\.py)`", line)
        row = line if line.startswith("|") else lines[number - 1]
        functions = re.findall(r"`(\w+)`", row)
        if not location or not functions or not line.lstrip().startswith(("|", "-")):
            continue
        source = (ROOT / location[1]).read_text(encoding="utf-8")
        for function in functions:
            assert f"def {function}(" in source, f"{page}: {function} is not in {location[1]}"
            found += 1
    assert found >= 8


@pytest.mark.parametrize(
    "module",
    [
        *("graph", "embedding", "graphlets", "causal", "metrics"),
        *("compose", "datasets", "plotting"),
    ],
)
def test_everything_public_is_in_the_reference(module):
    page = (DOCS / "api" / f"{module}.rst").read_text(encoding="utf-8")
    listed = set(re.findall(r"^   (\w+)$", page, re.MULTILINE))
    assert listed == set(import_module(f"sparsekit.{module}").__all__)


@pytest.mark.parametrize(
    "module",
    [
        *("bits", "cliques", "csr", "cycles", "dag"),
        *("jit", "linalg", "memory", "ordering", "partition", "pdag", "random"),
    ],
)
def test_the_core_is_described(module):
    page = (DOCS / "api" / "core.rst").read_text(encoding="utf-8")
    section = page.partition(f".. module:: sparsekit.core.{module}\n")[2]
    section = section.partition(".. module::")[0]
    for name in import_module(f"sparsekit.core.{module}").__all__:
        assert re.search(rf"\b{name}\b", section), f"{name} is missing in docs/api/core.rst"


def test_links_between_files_of_the_repository():
    for path in [*ROOT.glob("*.md"), *DOCS.glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:\s]+)\)", path.read_text(encoding="utf-8")):
            is_generated = target.endswith("benchmarks.md")
            assert is_generated or (path.parent / target).exists(), f"{path.name}: {target}"


@pytest.fixture
def to_rst(monkeypatch):
    pytest.importorskip("docutils")
    monkeypatch.syspath_prepend(str(DOCS / "_ext"))
    return import_module("include_markdown").to_rst


class TestMarkdown:
    """The directive that includes Markdown files."""

    def test_headings_and_lists(self, to_rst):
        lines = to_rst("# Title\n## Part\ntext:\n- one\n- two\n")
        assert lines == [
            *("", "Title", "=====", ""),
            *("", "Part", "----", ""),
            *("text:", "", "- one", "- two"),
        ]

    def test_code(self, to_rst):
        lines = to_rst("```python\nx = `1`\n\ny\n```\n")
        assert lines == ["", ".. code-block:: python", "", "   x = `1`", "   ", "   y", ""]

    def test_table(self, to_rst):
        lines = to_rst("| a | b |\n|---|---:|\n| `x` | 1 |\n| y | |\n\nafter")
        assert [line.strip() for line in lines if line] == [
            ".. list-table::",
            ":header-rows: 1",
            ":class: numbers-from-1",
            *("* - a", "- b"),
            *("* - ``x``", "- 1"),
            *("* - y", "-"),
            "after",
        ]

    @pytest.mark.parametrize(
        ("markdown", "rst"),
        [
            ("the `code`s", "the ``code``\\ s"),
            ("see [`LICENSE`](LICENSE).", "see `LICENSE <LICENSE>`__."),
            ("a name_ and `name_`", "a name\\_ and ``name_``"),
            ("**bold** snake_case", "**bold** snake_case"),
            ("**bold `code`**", "**bold code**"),
        ],
    )
    def test_inline(self, to_rst, markdown, rst):
        assert to_rst(markdown) == [rst]

    def test_comments_are_dropped(self, to_rst):
        assert to_rst("<!-- not\nhere -->\nhere") == ["here"]
