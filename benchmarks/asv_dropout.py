"""Dropout-aware structure learning over the history of the project."""

import time
import warnings

import scipy.sparse as sp

from sparsekit.causal import DropoutGES, DropoutPC
from sparsekit.datasets import make_dropout_sem

ZERO_HANDLINGS = ("conditioning", "testwise", "none")


def problem(n_nodes, n_samples=5000):
    """Samples with logistic dropouts, 1.5 edges a node."""
    return make_dropout_sem(n_samples, n_nodes, degree=1.5, mechanism="logistic", random_state=1)[0]


class _Suite:
    param_names = ("n_nodes", "zero_handling")
    timer = staticmethod(time.process_time)
    timeout = 300

    def make(self, zero_handling):
        """Return the estimator."""
        raise NotImplementedError

    def setup(self, n_nodes, zero_handling):
        """Generate the data and compile."""
        warnings.simplefilter("ignore")
        self.X = problem(n_nodes, self.n_samples)
        self.model = self.make(zero_handling)
        self.model.fit(problem(5, 200))

    def time_fit(self, n_nodes, zero_handling):
        """Fit."""
        self.model.fit(self.X)

    def peakmem_fit(self, n_nodes, zero_handling):
        """Resident memory of the process, interpreter included."""
        self.model.fit(self.X)


class TestsSuite(_Suite):
    """PC, level 0.01, one thread."""

    params = ((20, 50, 100), ZERO_HANDLINGS)
    n_samples = 5000

    def make(self, zero_handling):
        """Return PC; zeros that are values make dense graphs: sets stay small."""
        return DropoutPC(0.01, zero_handling=zero_handling, max_cond_size=3)

    def track_n_tests(self, n_nodes, zero_handling):
        """Watch the number of tests."""
        return int(self.model.fit(self.X).n_tests_.sum())


class ScoresSuite(_Suite):
    """GES, penalty 2, one thread."""

    params = ((20, 50, 100), ZERO_HANDLINGS)
    n_samples = 2000

    def make(self, zero_handling):
        """Return GES."""
        return DropoutGES(zero_handling=zero_handling)

    def track_score(self, n_nodes, zero_handling):
        """Watch the score that is maximised."""
        return self.model.fit(self.X).score_


class SparseSuite:
    """PC on a sparse table that is large for its number of variables."""

    timer = staticmethod(time.process_time)
    timeout = 300

    def setup(self):
        """Generate the data and compile."""
        warnings.simplefilter("ignore")
        make = {"mechanism_params": (0.85, 0.95), "random_state": 1}
        self.X = sp.csr_array(make_dropout_sem(20_000, 100, degree=1, **make)[0])
        self.model = DropoutPC(0.01, max_cond_size=2)
        self.model.fit(sp.csr_array(problem(5, 200)))

    def time_fit(self):
        """Fit."""
        self.model.fit(self.X)

    def peakmem_fit(self):
        """Resident memory of the process, interpreter included."""
        self.model.fit(self.X)
