"""The architecture, checked from the syntax trees: who imports whom, and how long things get."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import sparsekit

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "sparsekit"
FILES = sorted(PACKAGE.rglob("*.py"))

FOUNDATION = {"core", "graph", "_sklearn_compat"}
FAMILIES = {"embedding", "graphlets", "linear_model", "cluster", "causal"}

# For each layer, the other layers that it may import. A layer is a folder or module directly below
# sparsekit; the modules of graph intake are one layer.
MAY_IMPORT = {
    "core": set(),
    "graph": {"core"},
    "_sklearn_compat": set(),
    "compose": FOUNDATION,
    "datasets": FOUNDATION,
    "metrics": FOUNDATION,
    **dict.fromkeys(FAMILIES, FOUNDATION),
    # The one drawn exception: convex clustering stands on the network lasso's solver.
    "cluster": FOUNDATION | {"linear_model"},
    "plotting": FOUNDATION | FAMILIES | {"compose", "datasets", "metrics"},
    # The demo draws what it has found, so the command line stands on the displays.
    "cli": FOUNDATION | FAMILIES | {"compose", "datasets", "metrics", "plotting"},
}
SAME_LAYER = {"_intake": "graph", "_edge_list": "graph"}

HARD_DEPENDENCIES = {"numpy", "scipy", "sklearn", "networkx", "numba"}
CORE_DEPENDENCIES = {"numpy", "scipy", "numba", "llvmlite"}
# Installed with scikit-learn, whose users are expected to import them.
COME_WITH_SCIKIT_LEARN = {"joblib", "threadpoolctl"}
IMPORT_NAMES = {"scikit-learn": "sklearn"}

MAX_LINES_OF_A_FILE = 400
MAX_LINES_OF_A_FUNCTION = 60


def layer_of(module):
    """Layer of a module of the package; None for the package itself."""
    parts = module.split(".")
    if len(parts) == 1:
        return None
    return SAME_LAYER.get(parts[1], parts[1])


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imports_of(tree, importer=""):
    """Dotted names that a syntax tree imports, with the node; names from a package in full."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in {importer}, line {node.lineno}"
            yield from ((f"{node.module}.{alias.name}", node) for alias in node.names)


def is_package_import(name):
    return name.partition(".")[0] == "sparsekit"


def check_import(importer, name):
    """Say what is wrong with importing `name` in the module `importer`, or return None."""
    own, top = layer_of(importer), name.partition(".")[0]
    if is_package_import(name):
        imported = layer_of(name)
        if imported is None or imported == "__version__" or imported == own:
            return None
        if own not in MAY_IMPORT:
            return f"{importer} is in no layer of this test: add it to MAY_IMPORT"
        if imported not in MAY_IMPORT[own]:
            return f"{importer} must not import {name}"
    elif top in sys.stdlib_module_names:
        return None
    elif own == "core" and top not in CORE_DEPENDENCIES:
        return f"{importer}: the core knows {sorted(CORE_DEPENDENCIES)} only, not {name}"
    elif own != "core" and top in ("numba", "llvmlite"):
        return f"{importer}: {name} belongs into the core"
    elif own == "graph" and top == "sklearn":
        return f"{importer}: graphs enter without scikit-learn, not with {name}"
    elif own != "_sklearn_compat" and top == "sklearn" and re.search(r"\._(?!_)", name):
        return f"{importer}: {name} is private: import it in sparsekit._sklearn_compat alone"
    return None


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_imports_point_one_way(path):
    importer = module_name(path)
    tree = ast.parse(path.read_text())
    problems = [check_import(importer, name) for name, _ in imports_of(tree, importer)]
    assert [problem for problem in problems if problem] == []


@pytest.mark.parametrize(
    ("importer", "name"),
    [
        ("sparsekit.core.csr", "sparsekit.graph.Graph"),
        ("sparsekit.core.csr", "sklearn.base"),
        ("sparsekit.core.csr", "networkx"),
        ("sparsekit._intake", "sparsekit.embedding"),
        ("sparsekit.graph", "sklearn.utils"),
        ("sparsekit.graph", "numba"),
        ("sparsekit.embedding._fastrp", "sparsekit.linear_model"),
        ("sparsekit.embedding._fastrp", "sparsekit.compose"),
        ("sparsekit.embedding._fastrp", "sklearn.utils._param_validation.Interval"),
        ("sparsekit.embedding._fastrp", "sklearn.base._fit_context"),
        ("sparsekit.linear_model._path", "sparsekit.cluster"),
        ("sparsekit.datasets", "sparsekit.cli"),
        ("sparsekit.plotting", "sparsekit.cli"),
        ("sparsekit.new_family._x", "sparsekit.core"),
    ],
)
def test_the_check_finds_what_is_forbidden(importer, name):
    assert check_import(importer, name)


@pytest.mark.parametrize(
    ("importer", "name"),
    [
        ("sparsekit.core.csr", "sparsekit.core.jit.kernel"),
        ("sparsekit.core.jit", "llvmlite.ir"),
        ("sparsekit.graph", "sparsekit._intake"),
        ("sparsekit.cluster._convex", "sparsekit.linear_model._primal_dual"),
        ("sparsekit._sklearn_compat", "sklearn.base._fit_context"),
        ("sparsekit.embedding._fastrp", "sklearn.__version__"),
        ("sparsekit.cli", "sparsekit.__version__"),
    ],
)
def test_the_check_lets_pass_what_is_drawn(importer, name):
    assert check_import(importer, name) is None


def declared_dependencies():
    """Names to import of everything that pyproject.toml lists, the extras included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    requirements = [*project["dependencies"], *(one for extra in extras for one in extra)]
    names = {re.split(r"[\[<>=~! ;]", requirement)[0] for requirement in requirements}
    return {IMPORT_NAMES.get(name, name) for name in names}


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_other_packages_are_declared_and_extras_imported_where_used(path):
    tree = ast.parse(path.read_text())
    inside_functions = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
    }
    core = CORE_DEPENDENCIES if layer_of(module_name(path)) == "core" else set()
    known = declared_dependencies() | COME_WITH_SCIKIT_LEARN | core
    at_the_top = HARD_DEPENDENCIES | COME_WITH_SCIKIT_LEARN | core
    for name, node in imports_of(tree):
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names or is_package_import(name):
            continue
        assert top in known, f"line {node.lineno}: {top} is not in pyproject.toml"
        if id(node) not in inside_functions:
            assert top in at_the_top, f"line {node.lineno}: {top} is an extra: import it where used"


def python_files():
    folders = ("sparsekit", "tests", "benchmarks", "examples")
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("path", python_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_files_are_short(path):
    assert len(path.read_text().splitlines()) <= MAX_LINES_OF_A_FILE


def length_without_docstring(function):
    length = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function, clean=False) is not None:
        docstring = function.body[0]
        length -= docstring.end_lineno - docstring.lineno + 1
    return length


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_functions_are_short(path):
    functions = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    lengths = [(length_without_docstring(function), function.name) for function in functions]
    assert [entry for entry in lengths if entry[0] > MAX_LINES_OF_A_FUNCTION] == []


def test_length_without_docstring():
    tree = ast.parse('def f(\n    x,\n):\n    """One.\n\n    Two.\n    """\n    return x\n')
    assert length_without_docstring(tree.body[0]) == 4


@pytest.mark.parametrize("name", [name for name in sparsekit.__all__ if name[0] != "_"])
def test_what_the_package_lists_can_be_imported(name):
    assert getattr(sparsekit, name) is import_module(f"sparsekit.{name}")


def test_unknown_attributes():
    with pytest.raises(AttributeError, match="'sparsekit' has no attribute 'nonsense'"):
        sparsekit.nonsense  # noqa: B018
    assert set(sparsekit.__all__) <= set(dir(sparsekit))


def modules_after(code):
    """Names of the modules that are loaded after running `code` in a fresh process."""
    script = f"{code}\nimport sys\nprint(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return {name.partition(".")[0] for name in result.stdout.split()}


def test_importing_the_package_alone_loads_nothing_heavy():
    heavy = {"numba", "sklearn", "scipy", "numpy", "networkx", "matplotlib", "pandas", "polars"}
    assert modules_after("import sparsekit; sparsekit.__version__; dir(sparsekit)") & heavy == set()


def test_graphs_load_no_extras_and_no_scikit_learn():
    loaded = modules_after("from sparsekit.graph import Graph")
    assert "numba" in loaded
    assert loaded & {"sklearn", "matplotlib", "pandas", "polars", "igraph", "anndata"} == set()
