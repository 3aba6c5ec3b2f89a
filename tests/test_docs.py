"""Docstrings of everything public, by numpydoc's rules and some of our own."""

import inspect
import pkgutil
from importlib import import_module
from types import FunctionType

import pytest
from numpydoc.docscrape import NumpyDocString
from numpydoc.validate import validate

import sparsekit

# Checks of numpydoc that are not applied, each with its reason.
IGNORED_CHECKS = {
    "ES01": "a one-line summary may say it all",
    "SA01": "See Also only where there is something to see",
    "EX01": "examples are asked of classes and functions below, not of every method",
    "GL01": "the summary starts on the line of the opening quotes",
    "SS05": "plural nouns such as 'Names of the features' are taken for verbs",
    "PR06": "'sequence of str' and 'bool' are written as users say them",
    "PR07": "a parameter such as `directed : bool` may need no more words",
    "PR08": "descriptions may start with a symbol in lower case",
    "PR09": "descriptions may end with a formula or a list",
    "RT02": "a returned value may have a name",
    "RT03": "type and shape may say it all",
    "RT04": "as PR08",
    "RT05": "as PR09",
}

# The core is not called by users: its kernels document what differs, not each array again.
CHECKS_OF_THE_CORE = {"GL03", "GL08", "SS01", "SS02", "SS03", "SS06", "PR02", "PR03", "PR10"}

# Public objects without an Examples section, each with its reason.
WITHOUT_EXAMPLES = {
    "sparsekit.graph.read_edge_list": "needs a file",
}


def public_modules():
    """Public modules directly below sparsekit, and those of the core."""
    found = pkgutil.walk_packages(sparsekit.__path__, "sparsekit.")
    names = [module.name for module in found]
    public = [name for name in names if not any(part[0] == "_" for part in name.split("."))]
    return [import_module(name) for name in public if name.count(".") == 1 or is_core(name)]


def is_core(name):
    return name.startswith("sparsekit.core.")


def public_objects():
    """Full names of all classes and functions listed in some __all__, and of public methods."""
    names = []
    for module in public_modules():
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            if not (inspect.isclass(value) or callable(value)):
                continue
            names.append(f"{module.__name__}.{name}")
            if inspect.isclass(value):
                names += [f"{module.__name__}.{name}.{own}" for own in own_methods(value)]
    return names


def own_methods(cls):
    """Public methods and properties that a class of this package defines itself."""
    kinds = (FunctionType, classmethod, staticmethod, property)
    return [
        name for name, value in vars(cls).items() if name[0] != "_" and isinstance(value, kinds)
    ]


OBJECTS = public_objects()
TOP_LEVEL = [name for name in OBJECTS if name.count(".") == 2 and not is_core(name)]


def resolve(name):
    value, parts = sparsekit, name.split(".")[1:]
    for part in parts:
        value = getattr(value, part)
    return value


def test_discovery_finds_the_graph_and_its_methods():
    assert {
        "sparsekit.graph.Graph",
        "sparsekit.graph.Graph.from_edges",
        "sparsekit.graph.Graph.n_edges",
        "sparsekit.graph.as_graph",
        "sparsekit.core.csr.canonical",
        "sparsekit.embedding.FastRP",
        "sparsekit.embedding.FastRP.partial_fit",
        "sparsekit.causal.CoLiDE",
        "sparsekit.metrics.structural_hamming_distance",
        "sparsekit.core.dag.topological_order",
        "sparsekit.core.linalg.invert_m_matrix",
    } <= set(OBJECTS)


@pytest.mark.parametrize("name", OBJECTS)
def test_numpydoc(name):
    errors = validate(name)["errors"]
    if is_core(name):
        assert [error for error in errors if error[0] in CHECKS_OF_THE_CORE] == []
    else:
        assert [error for error in errors if error[0] not in IGNORED_CHECKS] == []


@pytest.mark.parametrize("name", [name for name in OBJECTS if not is_core(name)])
def test_arrays_have_shapes(name):
    documented = NumpyDocString(inspect.getdoc(resolve(name)))
    for section in ("Parameters", "Attributes", "Returns"):
        for entry in documented[section]:
            if any(word in entry.type for word in ("array", "matrix", "csr")):
                text = " ".join([entry.type, *entry.desc])
                assert "shape" in text, f"{section}, {entry.name}: no shape"


@pytest.mark.parametrize("name", TOP_LEVEL)
def test_classes_and_functions_show_an_example(name):
    has_example = ">>>" in "".join(NumpyDocString(inspect.getdoc(resolve(name)))["Examples"])
    assert has_example != (name in WITHOUT_EXAMPLES)


def test_exceptions_name_existing_objects():
    assert set(WITHOUT_EXAMPLES) <= set(TOP_LEVEL)
