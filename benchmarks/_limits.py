"""Data that do not fit, or hardly determine, the model of the order search."""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from scipy.stats import norm, rankdata

from sparsekit.core.dag import topological_order
from sparsekit.datasets import make_linear_sem

__all__ = ["CASES", "RECIPES", "Case", "Recipe", "data", "normal_scores"]

STRONG, WEAK = (0.5, 2.0), (0.25, 1.0)
_N_CONFOUNDED = 3  # children of a hidden variable


class Recipe(NamedTuple):
    """How data are made; the defaults are those of the other benchmarks, with unequal noise.

    Attributes
    ----------
    graph, degree, weights : str, float, (float, float)
        As `make_linear_sem` has them.
    reverse : bool
        Whether to turn all edges round.
    noise : str
        Name in `NOISES`.
    equal : bool
        Whether noise has the same scale everywhere.
    link : str
        Name in `LINKS`: what parents do to a variable.
    n_hidden : int
        Hidden variables, each a cause of three others.
    distorted : bool
        Whether every variable is observed through an increasing function of its own.
    """

    graph: str = "er"
    degree: float = 4
    weights: tuple[float, float] = STRONG
    reverse: bool = False
    noise: str = "normal"
    equal: bool = False
    link: str = "linear"
    n_hidden: int = 0
    distorted: bool = False


class Case(NamedTuple):
    """Kind of data: group and name of the recipe, variables, samples."""

    group: str
    kind: str
    n_nodes: int = 20
    n_samples: int = 1000


def _lognormal(generator: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    skewed = generator.lognormal(size=shape)
    return (skewed - np.exp(0.5)) / np.sqrt(np.e * (np.e - 1))


# Variance 1 where there is one.
NOISES: dict[str, Callable[[np.random.Generator, tuple[int, int]], np.ndarray]] = {
    "normal": lambda generator, shape: generator.standard_normal(shape),
    "Laplace": lambda generator, shape: generator.laplace(scale=np.sqrt(0.5), size=shape),
    "Student t, 3": lambda generator, shape: generator.standard_t(3, shape) / np.sqrt(3),
    "Student t, 2": lambda generator, shape: generator.standard_t(2, shape),
    "lognormal": _lognormal,
}


def _tanh(parents: np.ndarray) -> np.ndarray:
    return np.tanh(2 * parents)


def _quadratic(parents: np.ndarray) -> np.ndarray:
    return (parents**2 - 1) / np.sqrt(2)


def _mixed(parents: np.ndarray) -> np.ndarray:
    """Functions of each kind in turn."""
    kinds = (lambda t: t, _tanh, _quadratic, lambda t: np.sin(2 * t))
    columns = [kinds[k % len(kinds)](column) for k, column in enumerate(parents.T)]
    return np.column_stack(columns)


def _products(parents: np.ndarray) -> np.ndarray:
    """Each parent times the next one, the last times the first; a single one as it is."""
    return parents if parents.shape[1] == 1 else parents * np.roll(parents, -1, axis=1)


# From standardised parents to what is weighted and added up; linear ones are not standardised.
LINKS = {
    "tanh": _tanh,
    "quadratic": _quadratic,
    "mixed": _mixed,
    "products": _products,
}

RECIPES = {
    ("reference", "strong weights"): Recipe(),
    ("reference", "weak weights"): Recipe(weights=WEAK),
    **{("non-linear", link): Recipe(link=link) for link in LINKS},
    ("non-linear", "distorted"): Recipe(weights=WEAK, distorted=True),
    **{("tails", name): Recipe(noise=name) for name in NOISES if name != "normal"},
    ("few samples", "4 edges a node"): Recipe(),
    ("few samples", "1 edge a node"): Recipe(degree=1),
    ("dense", "6 edges a node"): Recipe(degree=6),
    ("dense", "8 edges a node"): Recipe(degree=8),
    ("hubs", "many children"): Recipe(graph="sf", weights=WEAK),
    ("hubs", "many parents"): Recipe(graph="sf", weights=WEAK, reverse=True),
    ("hidden causes", "5"): Recipe(n_hidden=5),
    ("hidden causes", "10"): Recipe(n_hidden=10),
    ("equal noise", "4 edges a node"): Recipe(equal=True),
    ("equal noise", "1 edge a node"): Recipe(equal=True, degree=1),
    ("equal noise", "1 edge, weak"): Recipe(equal=True, degree=1, weights=WEAK),
}
_SIZES = {
    "few samples": ((50, 30), (50, 50), (50, 100), (50, 200)),
    "hubs": ((20, 1000), (50, 1000)),
    "equal noise": ((20, 1000), (20, 100)),
}
CASES = [
    Case(group, kind, *size) for group, kind in RECIPES for size in _SIZES.get(group, ((20, 1000),))
]


@lru_cache(maxsize=4)
def data(case: Case, seed: int) -> tuple[np.ndarray, sp.csr_array]:
    """Read-only samples, and the adjacency of the true graph among what is observed."""
    recipe = RECIPES[case.group, case.kind]
    _, adjacency = make_linear_sem(
        1,
        case.n_nodes,
        graph=recipe.graph,
        degree=recipe.degree,
        weight_range=recipe.weights,
        random_state=seed,
    )
    adjacency = adjacency.T.tocsr() if recipe.reverse else adjacency
    generator = np.random.default_rng(seed)
    X = _noise(recipe, generator, (case.n_samples, case.n_nodes))
    weights = adjacency.toarray()
    for node in topological_order(adjacency):
        parents = np.flatnonzero(weights[:, node])
        if len(parents):
            X[:, node] += _effects(recipe.link, X[:, parents]) @ weights[parents, node]
    if recipe.distorted:
        X = _distort(X, generator)
    X.flags.writeable = False
    return X, adjacency


def _noise(recipe: Recipe, generator: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Noise, and what hidden variables add to it."""
    variances = np.ones(shape[1]) if recipe.equal else generator.uniform(0.5, 10.0, shape[1])
    noise = NOISES[recipe.noise](generator, shape) * np.sqrt(variances)
    for _ in range(recipe.n_hidden):
        children = generator.choice(shape[1], _N_CONFOUNDED, replace=False)
        signs = generator.choice([-1.0, 1.0], _N_CONFOUNDED)
        strengths = signs * generator.uniform(*recipe.weights, _N_CONFOUNDED)
        hidden = generator.standard_normal(shape[0]) * np.sqrt(variances.mean())
        noise[:, children] += np.outer(hidden, strengths)
    return noise


def _effects(link: str, parents: np.ndarray) -> np.ndarray:
    if link == "linear":
        return parents
    return LINKS[link]((parents - parents.mean(axis=0)) / parents.std(axis=0))


def _distort(X: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Observe each variable, standardised, through its exponential, cube or signed root."""
    functions = (np.exp, lambda t: t**3, lambda t: np.sign(t) * np.sqrt(np.abs(t)))
    t = (X - X.mean(axis=0)) / X.std(axis=0)
    chosen = [functions[generator.integers(len(functions))] for _ in t.T]
    return np.column_stack([chosen[j](t[:, j]) for j in range(len(chosen))])


def normal_scores(X: np.ndarray) -> np.ndarray:
    """Normal quantiles of the ranks of each variable."""
    return norm.ppf((rankdata(X, axis=0) - 0.5) / len(X))
