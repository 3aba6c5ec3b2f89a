"""Order search over the history of the project."""

import time
import warnings

import numpy as np

from sparsekit.causal import BOSS
from sparsekit.datasets import make_linear_sem


def problem(n_nodes):
    """Covariance of 1000 standardised samples."""
    X, _ = make_linear_sem(1000, n_nodes, noise="unequal", random_state=1)
    return np.corrcoef(X.T)


class FitSuite:
    """One start, one thread."""

    params = ((20, 50, 100), ("equal", "unequal"))
    param_names = ("n_nodes", "noise")
    timer = staticmethod(time.process_time)
    timeout = 300

    def setup(self, n_nodes, noise):
        """Generate the data and compile."""
        warnings.simplefilter("ignore")
        self.covariance = problem(n_nodes)
        self.model = BOSS(noise=noise, n_starts=1, random_state=0)
        self.model.fit_covariance(problem(4), 1000)

    def time_fit(self, n_nodes, noise):
        """Fit."""
        self.model.fit_covariance(self.covariance, 1000)

    def peakmem_fit(self, n_nodes, noise):
        """Resident memory of the process, interpreter included."""
        self.model.fit_covariance(self.covariance, 1000)

    def track_score(self, n_nodes, noise):
        """Watch the score that is minimised."""
        return self.model.fit_covariance(self.covariance, 1000).score_
