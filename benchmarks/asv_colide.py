"""CoLiDE over the history of the project."""

import time
import warnings

import numpy as np

from sparsekit.causal import CoLiDE
from sparsekit.datasets import make_linear_sem


def problem(n_nodes, noise):
    """Covariance of 1000 samples."""
    X, _ = make_linear_sem(1000, n_nodes, noise=noise, random_state=1)
    return np.cov(X.T, bias=True)


class FitSuite:
    """The default fit, one thread."""

    params = ((20, 50, 100), ("equal", "unequal"))
    param_names = ("n_nodes", "noise")
    timer = staticmethod(time.process_time)
    timeout = 300

    def setup(self, n_nodes, noise):
        """Generate the data and compile."""
        warnings.simplefilter("ignore")
        self.covariance = problem(n_nodes, noise)
        self.model = CoLiDE(noise=noise)
        self.model.fit_covariance(problem(4, noise), 1000)

    def time_fit(self, n_nodes, noise):
        """Fit all stages."""
        self.model.fit_covariance(self.covariance, 1000)

    def peakmem_fit(self, n_nodes, noise):
        """Resident memory of the process, interpreter included."""
        self.model.fit_covariance(self.covariance, 1000)

    def track_n_iter(self, n_nodes, noise):
        """Count the iterations of all stages."""
        return self.model.fit_covariance(self.covariance, 1000).n_iter_


class SolverSuite:
    """A hundred iterations a stage, and the search from an estimated graph; 100 variables."""

    params = ("adam", "newton", "bic")
    param_names = ("what",)
    timer = staticmethod(time.process_time)
    timeout = 300

    def setup(self, what):
        """Generate the data and compile."""
        warnings.simplefilter("ignore")
        self.covariance = problem(100, "equal")
        parameters = {
            "adam": {"solver": "adam", "max_iter": 100},
            "newton": {"max_iter": 100, "n_restarts": 0},
            "bic": {"max_iter": 1, "n_restarts": 0, "refine": "bic"},
        }
        self.model = CoLiDE(**parameters[what])
        self.model.fit_covariance(problem(4, "equal"), 1000)

    def time_fit(self, what):
        """Fit."""
        self.model.fit_covariance(self.covariance, 1000)
