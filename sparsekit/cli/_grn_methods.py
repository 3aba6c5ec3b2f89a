"""The methods of ``sparsekit grn``: their options, their estimators, and what to say of a fit."""

import argparse
from typing import TYPE_CHECKING, Any

from sparsekit.cli._options import settle

if TYPE_CHECKING:
    from sparsekit.causal import BackgroundKnowledge

__all__ = ["add_parameters", "facts_of", "make_model", "settle_parameters", "summary_of"]

# Options by method, with what they are unless given.
_DEFAULTS: dict[str, dict[str, Any]] = {
    "pc": {
        "alpha": 0.05,
        "max_cond_size": None,
        "min_samples": None,
        "insufficient": "independent",
        "sepset_rule": "majority",
        "conflict": "undirected",
        "ci_test": "fisherz",
    },
    "ges": {"penalty": 2.0, "max_parents": None},
}


def add_parameters(parser: argparse.ArgumentParser) -> None:
    """Add the options of the methods: those of both, then those of one alone."""
    _add_common(parser.add_argument_group("method"))
    _add_pc(parser.add_argument_group("parameters of --method pc"))
    _add_ges(parser.add_argument_group("parameters of --method ges"))


def _add_common(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--method",
        help="what learns the graph: tests of conditional independence (PC), or greedy search by "
        "a score (GES) (%(default)s)",
        choices=tuple(_DEFAULTS),
        default="pc",
    )
    group.add_argument(
        "--zero-handling",
        help="which cells a test uses: those where the genes that it conditions on are not zero, "
        "where all genes of the test are not, where all genes are not, or all (%(default)s)",
        choices=("conditioning", "testwise", "listwise", "none"),
        default="conditioning",
    )
    group.add_argument("--n-jobs", help="threads, -1 for all cores (1)", type=int, metavar="N")


def _add_pc(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--alpha", help="level of the tests (0.05)", type=float, metavar="X")
    group.add_argument(
        "--max-cond-size", help="most genes to condition on (no limit)", type=int, metavar="N"
    )
    group.add_argument(
        "--min-samples",
        help="tests with fewer cells are insufficient: a number, or a share below 1",
        type=_number_or_share,
        metavar="N",
    )
    group.add_argument(
        "--insufficient",
        help="what an insufficient test does: it counts as independent and removes the edge "
        "(unless given), or it is ignored (keep)",
        choices=("independent", "keep"),
    )
    group.add_argument(
        "--ci-test",
        help="test: correlation (fisherz, unless given), of ranks, of their normal scores, or of "
        "levels of discrete data",
        choices=("fisherz", "spearman", "nonparanormal", "gsquare"),
    )
    group.add_argument(
        "--sepset-rule",
        help="what decides whether two edges meet in a collider (majority)",
        choices=("majority", "max_p", "all", "first"),
    )
    group.add_argument(
        "--conflict",
        help="an edge that is wanted in both directions (undirected)",
        choices=("undirected", "bidirected", "first", "overwrite"),
    )


def _add_ges(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--penalty",
        help="an edge costs X/2 times the logarithm of the number of cells (2); 1 is the usual BIC",
        type=float,
        metavar="X",
    )
    group.add_argument(
        "--max-parents", help="most parents of a gene (no limit)", type=int, metavar="N"
    )


def _number_or_share(text: str) -> float | int:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected a number of cells or a share below 1, got {text!r}"
        ) from None


def settle_parameters(arguments: argparse.Namespace) -> None:
    """Fill in what was not given; raise ValueError for an option of the other method."""
    settle(arguments, _DEFAULTS)


def make_model(arguments: argparse.Namespace, background: "BackgroundKnowledge | None") -> Any:
    """Estimator of the method."""
    from sparsekit.causal import DropoutGES, DropoutPC

    own = {name: getattr(arguments, name) for name in _DEFAULTS[arguments.method]}
    estimator = DropoutPC if arguments.method == "pc" else DropoutGES
    return estimator(
        zero_handling=arguments.zero_handling,
        background=background,
        n_jobs=arguments.n_jobs,
        **own,
    )


def facts_of(model: Any, method: str) -> dict[str, Any]:
    """Parameters that were used, and what the fit says of itself."""
    names = ("zero_handling", *_DEFAULTS[method])
    facts = {"method": method} | {name: getattr(model, name) for name in names}
    if method == "ges":
        return facts | {"score": float(model.score_), "n_operators": int(model.n_operators_)}
    return facts | {
        "n_tests": model.n_tests_.tolist(),
        "n_insufficient": int(model.n_insufficient_),
        "n_ambiguous_triples": len(model.ambiguous_triples_),
        "n_conflicts": len(model.conflicts_),
    }


def summary_of(model: Any, method: str) -> str:
    """What a fit did, in a few words."""
    if method == "ges":
        return f"{model.n_operators_} steps, score {model.score_:.6g}"
    n_tests = int(model.n_tests_.sum())
    share = model.n_insufficient_ / n_tests if n_tests else 0.0
    return f"{n_tests} tests, {share:.0%} of them with too few cells"
