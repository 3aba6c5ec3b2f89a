"""Many fits at a time: one warning where each would give its own, and frequencies of edges."""

import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.utils.parallel import Parallel, delayed

from sparsekit.core import csr

__all__ = ["frequencies", "run_members"]

# What differs between warnings of one kind: quoted names, numbers, punctuation.
_DETAILS = re.compile(r"'[^']*'|\d|\W")


class _Outcome(NamedTuple):
    result: Any
    caught: list[tuple[str, type[Warning]]]


def run_members(
    task: Callable, arguments: Iterable[tuple], n_jobs: int | None, *, stacklevel: int
) -> list:
    """Call a task with each of the arguments, on joblib's workers.

    Parameters
    ----------
    task : callable
    arguments : iterable of tuple
    n_jobs : int or None
    stacklevel : int
        Of the warnings, seen from the caller: 1 for its own line.

    Returns
    -------
    list
        Results in the order of the arguments.

    Warns
    -----
    Warning
        Of those calls, each kind once: warnings are of one kind if their category is the same, and
        their text but for names and numbers.
    """
    # Threads that record warnings at the same time may take each other's, and may restore a state
    # that is not the first one: so all is recorded here once more, and restored.
    with warnings.catch_warnings(record=True) as strays:
        warnings.simplefilter("always")
        outcomes = Parallel(n_jobs=n_jobs)(delayed(_run)(task, each) for each in arguments)
    caught = [outcome.caught for outcome in outcomes] + [[stray] for stray in _contents(strays)]
    first: dict[tuple, str] = {}
    counts: Counter[tuple] = Counter()
    for each in caught:
        kinds = {(category, _DETAILS.sub("", text)): text for text, category in each}
        counts.update(kinds.keys())
        first = kinds | first
    for kind, count in counts.items():
        text = f"{first[kind]} (in {min(count, len(outcomes))} of {len(outcomes)} fits)"
        warnings.warn(text, kind[0], stacklevel=1 + stacklevel)
    return [outcome.result for outcome in outcomes]


def frequencies(patterns: Sequence[sp.csr_array]) -> sp.csr_array:
    """Share of boolean patterns, csr_arrays of one shape, that have each entry."""
    shares = sum(pattern.astype(np.int64) for pattern in patterns).astype(np.float64)
    # Scipy would multiply by the inverse, and what is in all of 49 patterns had a share below 1.
    shares.data /= len(patterns)
    return csr.canonical(shares)


def _run(task: Callable, arguments: tuple) -> _Outcome:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = task(*arguments)
    return _Outcome(result, _contents(caught))


def _contents(caught: list[warnings.WarningMessage]) -> list[tuple[str, type[Warning]]]:
    return [(str(warning.message), warning.category) for warning in caught]
