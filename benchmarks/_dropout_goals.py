"""Mean distances and F1 that were found before on other graphs of the same kinds."""

from typing import NamedTuple

__all__ = ["GES_GOALS", "PC_GOALS", "Goal"]


class Goal(NamedTuple):
    """Mean distance of CPDAGs and F1 of skeletons."""

    shd: float
    f1: float


def _by_learner(names: tuple[str, ...], table: dict[str, str]) -> dict[tuple[str, str], Goal]:
    """Goals of tables written as text: a distance and an F1 for each learner."""
    goals = {}
    for label, row in table.items():
        numbers = iter(map(float, row.split()))
        for name, shd, f1 in zip(names, numbers, numbers, strict=True):
            goals[label, name] = Goal(shd, f1)
    return goals


PC_GOALS = _by_learner(
    ("PC, latent", "PC, zeros", "PC, conditioning", "PC, testwise"),
    {
        "Gaussian, fixed rate": "21.3 .861  79.7 .572  28.9 .757  24.3 .836",
        "Gaussian, truncation": "21.3 .861  54.7 .635  26.2 .826  25.1 .835",
        "Gaussian, logistic": "21.3 .861  55.5 .641  25.0 .826  26.7 .819",
        "lognormal, fixed rate": "56.8 .635  88.9 .536  33.7 .679  32.5 .719",
        "lognormal, truncation": "56.8 .635  56.0 .637  24.9 .844  24.3 .843",
        "lognormal, logistic": "56.8 .635  68.9 .592  35.6 .705  32.1 .729",
    },
)
GES_GOALS = _by_learner(
    ("GES, zeros", "GES, conditioning", "GES, testwise"),
    {
        "Gaussian, fixed rate": "18.0 .75  13.2 .86  9.8 .93",
        "Gaussian, truncation": "15.0 .77  12.2 .84  9.8 .85",
        "Gaussian, logistic": "16.0 .77  15.0 .82  7.4 .94",
        "lognormal, fixed rate": "17.4 .76  16.4 .77  17.2 .82",
        "lognormal, truncation": "12.0 .81  11.0 .89  9.8 .83",
        "lognormal, logistic": "15.4 .80  16.4 .82  16.2 .83",
    },
)
