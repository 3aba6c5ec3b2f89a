"""Edges of CoLiDE that are found again in half-samples."""

from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.model_selection import ShuffleSplit
from sklearn.utils import check_random_state, check_scalar

from sparsekit.causal._background import BackgroundKnowledge, Constraints
from sparsekit.causal._inputs import check_share
from sparsekit.causal._members import frequencies, run_members
from sparsekit.causal.colide._estimator import CoLiDE
from sparsekit.causal.colide._path import check_alphas
from sparsekit.core import csr

__all__ = ["StabilitySelection", "stability_selection"]


class StabilitySelection(NamedTuple):
    """Frequencies of edges over half-samples, as `stability_selection` returns them.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,), float64
        Decreasing.
    frequencies : tuple of csr_array of shape (n_features, n_features), float64
        One for each of the alphas: the share of half-samples with each edge.
    stable : csr_array of shape (n_features, n_features), float64
        The largest frequency of each edge, where it reaches the cut-off.
    n_selected : float
        Mean number of edges that a half-sample has at any alpha, without required ones.
    error_bound : float
        Bound on the expected number of unstable edges among `stable`.

    See Also
    --------
    stability_selection : What the fields mean, in full.

    Examples
    --------
    >>> from sparsekit.causal import stability_selection
    >>> from sparsekit.datasets import make_linear_sem
    >>> X, adjacency = make_linear_sem(400, 5, degree=1, random_state=0)
    >>> selection = stability_selection(X, n_pairs=5, random_state=0)
    >>> selection.stable.shape, len(selection.frequencies)
    ((5, 5), 1)
    """

    alphas: np.ndarray
    frequencies: tuple[sp.csr_array, ...]
    stable: sp.csr_array
    n_selected: float
    error_bound: float


def stability_selection(
    X: Any,
    *,
    alphas: Any = 0.05,
    n_pairs: int = 50,
    cutoff: float = 0.75,
    random_state: Any = None,
    n_jobs: int | None = None,
    **parameters: Any,
) -> StabilitySelection:
    """Find the edges that CoLiDE finds in most half-samples, and bound the number of false ones.

    The samples are split at random into two halves, `n_pairs` times, and CoLiDE is fitted to each
    half with each of the alphas (stability selection [1]_ with complementary pairs [2]_).

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Samples of the variables.
    alphas : float or array-like of shape (n_alphas,), default=0.05
        Penalties, for instance those of a `colide_path` above its choice.
    n_pairs : int, default=50
        Number of splits; there are twice as many half-samples.
    cutoff : float, default=0.75
        Frequency above 0.5 from which an edge is stable; usual are 0.6 to 0.9.
    random_state : int, RandomState instance or None, default=None
        For the splits, and for fits with more than three restarts.
    n_jobs : int or None, default=None
        Half-samples at a time, on joblib's workers; ``None`` means 1 and -1 all cores. The result
        does not depend on it.
    **parameters : object
        Further parameters of `CoLiDE`, such as `noise`, `threshold` and `background`.

    Returns
    -------
    StabilitySelection
        ``alphas``, ``frequencies``, ``stable``, ``n_selected`` and ``error_bound``.

    Raises
    ------
    TypeError, ValueError
        If X, a parameter or `background` is not as `CoLiDE` needs it, X has fewer than four
        samples, or the cut-off is not above 0.5.

    See Also
    --------
    BootstrapEdges : Frequencies over bootstrap resamples, for any estimator.
    colide_path : Choice of alpha by extended BIC.

    Notes
    -----
    With q edges in a half-sample on average (at any alpha), of p possible ones, the bound is
    ``q^2 / (p (2 cutoff - 1))``. It holds for the expected number of those stable edges that a
    half-sample has with probability q / p at most, without further assumptions (theorem 1 of
    [2]_). An edge that is an artefact of the method, such as one whose direction follows the scale
    of the data, can be as stable as a true one: the bound is about noise, not about causes.

    Stable edges need not be a DAG: edges that are never in one graph together may form a cycle.

    References
    ----------
    .. [1] Meinshausen, Buehlmann. "Stability selection." Journal of the Royal Statistical Society,
       Series B, 72, 2010.
    .. [2] Shah, Samworth. "Variable selection with error control: another look at stability
       selection." Journal of the Royal Statistical Society, Series B, 75, 2013.

    Examples
    --------
    >>> from sparsekit.causal import stability_selection
    >>> from sparsekit.datasets import make_linear_sem
    >>> X, adjacency = make_linear_sem(400, 5, degree=1, random_state=0)
    >>> selection = stability_selection(X, n_pairs=5, random_state=0)
    >>> bool((selection.frequencies[0][adjacency.nonzero()] == 1).all())
    True
    >>> selection.error_bound < 3
    True
    """
    check_scalar(n_pairs, "n_pairs", Integral, min_val=1)
    check_share(cutoff, "cutoff", above=0.5)
    alphas, base = check_alphas(alphas), CoLiDE(1.0, **parameters)
    base._validate_params()
    samples, names = base._check_samples(X)
    n_samples, d = samples.shape
    if n_samples < 4:
        raise ValueError(f"expected at least 4 samples, 2 in each half, got {n_samples=}.")
    constraints = base._resolve(d, names) or Constraints(
        np.eye(d, dtype=bool), np.zeros((d, d), bool)
    )
    base.set_params(background=BackgroundKnowledge(**constraints._asdict()))
    generator = check_random_state(random_state)
    # Halves of one size, as the bound needs them: of an odd number one sample is left out.
    size = n_samples // 2
    splits = ShuffleSplit(n_pairs, test_size=size, train_size=size, random_state=generator)
    halves = [half for split in splits.split(samples) for half in split]
    seeds = generator.randint(np.iinfo(np.int32).max, size=len(halves)).tolist()
    members = [
        (base, alphas.tolist(), samples, rows, seed)
        for rows, seed in zip(halves, seeds, strict=True)
    ]
    patterns = run_members(_patterns, members, n_jobs, stacklevel=2)

    by_alpha = tuple(frequencies(found) for found in zip(*patterns, strict=True))
    most = np.max([each.toarray() for each in by_alpha], axis=0)
    n_found = sum(int(sum(found).nnz) for found in patterns)
    n_selected = n_found / len(halves) - int(constraints.required.sum())
    n_possible = int((~(constraints.forbidden | constraints.required)).sum())
    bound = n_selected**2 / (max(n_possible, 1) * (2 * cutoff - 1))
    stable = csr.canonical(np.where(most >= cutoff, most, 0.0))
    return StabilitySelection(alphas, by_alpha, stable, n_selected, bound)


def _patterns(
    base: CoLiDE, alphas: list[float], samples: np.ndarray, rows: np.ndarray, seed: int
) -> list[sp.csr_array]:
    """Boolean edges of a half-sample at each of the alphas."""
    half = samples[rows]
    settings = ({"alpha": alpha, "random_state": seed} for alpha in alphas)
    return [clone(base).set_params(**each).fit(half).adjacency_ != 0 for each in settings]
