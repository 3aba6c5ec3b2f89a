"""The methods of ``sparsekit dag``: their options, their estimators, and what to say of a fit."""

import argparse
from typing import TYPE_CHECKING, Any

from sparsekit.cli._options import settle

if TYPE_CHECKING:
    from sparsekit.causal import BackgroundKnowledge

__all__ = ["EBIC", "add_parameters", "facts_of", "make_model", "settle_parameters", "summary_of"]

EBIC = "ebic"

# Options by method, with what they are unless given.
_DEFAULTS: dict[str, dict[str, Any]] = {
    "colide": {
        "noise": "equal",
        "alpha": 0.05,
        "threshold": 0.3,
        "start": "auto",
        "restarts": 3,
        "refine": None,
    },
    "boss": {
        "noise": "unequal",
        "gamma": 1.0,
        "starts": 3,
        "perturbations": 10,
        "max_parents": None,
    },
}

# Starts whose scores differ by rounding only have found equally good graphs.
_ABSOLUTE, _RELATIVE = 1e-6, 1e-9


def add_parameters(parser: argparse.ArgumentParser) -> None:
    """Add the options of the methods: those of both, then those of one alone."""
    _add_common(parser.add_argument_group("method"))
    _add_colide(parser.add_argument_group("parameters of --method colide"))
    _add_boss(parser.add_argument_group("parameters of --method boss"))


def _add_common(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--method",
        help="what learns the graph: CoLiDE from the scale of the noise, or a search over orders "
        "(BOSS), which does not see scale (%(default)s)",
        choices=tuple(_DEFAULTS),
        default="colide",
    )
    group.add_argument(
        "--noise",
        help="one noise scale, or one a variable (colide: equal; boss: unequal)",
        choices=("equal", "unequal"),
    )
    group.add_argument("--n-jobs", help="threads, -1 for all cores (1)", type=int, metavar="N")


def _add_colide(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--alpha",
        help="weight of the l1 penalty (0.05), or ebic to choose it by the extended BIC",
        type=_alpha,
        metavar="X",
    )
    group.add_argument(
        "--threshold",
        help="edges have absolute weights above this (0.3)",
        type=float,
        metavar="X",
    )
    group.add_argument(
        "--start",
        help="start of the path for unequal noise (auto)",
        choices=("auto", "equal", "zero"),
    )
    group.add_argument(
        "--restarts",
        help="returns to an early stage, for a lower objective (3); after the third, from a random "
        "part of the weights",
        type=int,
        metavar="N",
    )
    group.add_argument(
        "--refine",
        help="search on from the graph: bic by single edges, order by orders as boss does",
        choices=("bic", "order"),
    )


def _add_boss(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--gamma",
        help="extended BIC: each edge costs (log n)/2 + X log d (1); 0 is the usual BIC",
        type=float,
        metavar="X",
    )
    group.add_argument("--starts", help="random orders to start from (3)", type=int, metavar="N")
    group.add_argument(
        "--perturbations",
        help="random steps from which each start searches on (10)",
        type=int,
        metavar="N",
    )
    group.add_argument(
        "--max-parents", help="most parents of a variable (no limit)", type=int, metavar="N"
    )


def _alpha(text: str) -> float | str:
    if text == EBIC:
        return text
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number or ebic, got {text!r}") from None


def settle_parameters(arguments: argparse.Namespace) -> None:
    """Fill in what was not given; raise ValueError for an option of the other method."""
    settle(arguments, _DEFAULTS)


def make_model(arguments: argparse.Namespace, background: "BackgroundKnowledge | None") -> Any:
    """Estimator of the method; where alpha is to be chosen by `EBIC`, with its default."""
    from sparsekit.causal import BOSS, CoLiDE

    common = {
        "noise": arguments.noise,
        "background": background,
        "random_state": arguments.seed,
        "n_jobs": arguments.n_jobs,
    }
    if arguments.method == "boss":
        return BOSS(
            arguments.gamma,
            n_starts=arguments.starts,
            n_perturbations=arguments.perturbations,
            max_parents=arguments.max_parents,
            **common,
        )
    model = CoLiDE(
        threshold=arguments.threshold,
        start=arguments.start,
        n_restarts=arguments.restarts,
        refine=arguments.refine,
        **common,
    )
    return model if arguments.alpha == EBIC else model.set_params(alpha=arguments.alpha)


def facts_of(model: Any, method: str) -> dict[str, Any]:
    """Parameters that were used, and what the fit says of itself."""
    names = {
        "colide": ("alpha", "noise", "threshold", "start", "n_restarts", "refine"),
        "boss": ("gamma", "noise", "n_starts", "n_perturbations", "max_parents"),
    }[method]
    facts = {"method": method} | {name: getattr(model, name) for name in names}
    facts |= {"n_samples": model.n_samples_seen_, "converged": bool(model.converged_)}
    if method == "boss":
        return facts | {"score": model.score_, "start_scores": model.start_scores_.tolist()}
    # JSON knows no NaN, which stands for a graph without edges.
    return facts | {"varsortability": model.varsortability_ if model.adjacency_.nnz else None}


def summary_of(model: Any, method: str) -> str:
    """One line on a fit."""
    scale = model.noise_scale_
    noise = f"{scale[0]:.3g}" if model.noise == "equal" else f"{scale.min():.3g}-{scale.max():.3g}"
    if method == "boss":
        scores = model.start_scores_
        rounding = _ABSOLUTE + _RELATIVE * abs(scores.min())
        n_alike = int((scores <= scores.min() + rounding).sum())
        starts = f"score {model.score_:.6g}, from {n_alike} of {len(scores)} starts"
        return f"gamma {model.gamma:.3g}, noise scale {noise}, {starts}"
    agreement = f", varsortability {model.varsortability_:.2f}" if model.adjacency_.nnz else ""
    return f"alpha {model.alpha:.3g}, noise scale {noise}{agreement}"
