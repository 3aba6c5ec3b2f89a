"""What every estimator must do, found by walking the package so that none can be forgotten."""

import inspect
import pkgutil
from importlib import import_module

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from conftest import JIT_DISABLED
from sklearn.base import BaseEstimator, clone, is_classifier, is_clusterer
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

import sparsekit

# Estimators that can not be built with defaults, each with the reason and where it is tested.
NOT_CHECKED_HERE = {
    "NodeFeatures": "needs a transformer and a graph: tests/test_compose.py",
    "GraphletCounter": "takes a list of graphs: tests/test_graphlet_counter.py",
    "BootstrapEdges": "needs an estimator: tests/test_bootstrap.py",
}


def estimator_classes():
    """All public estimators of the package, by name."""
    found = {}
    for module_info in pkgutil.walk_packages(sparsekit.__path__, "sparsekit."):
        if module_info.name.endswith("__main__"):
            continue
        module = import_module(module_info.name)
        for name, value in vars(module).items():
            if inspect.isclass(value) and issubclass(value, BaseEstimator):
                own = value.__module__.startswith("sparsekit.")
                if own and name[0] != "_" and not inspect.isabstract(value):
                    found[value.__name__] = value
    return found


CLASSES = estimator_classes()
ESTIMATORS = [cls() for name, cls in sorted(CLASSES.items()) if name not in NOT_CHECKED_HERE]
if JIT_DISABLED:
    # The run for coverage interprets the kernels: the same lines in a tenth of the time.
    for estimator in ESTIMATORS:
        smaller = {"n_components": 4, "hop_weights": 2, "pair": (1, 2)}
        smaller |= {"n_restarts": 0, "n_starts": 1, "n_perturbations": 1}
        estimator.set_params(**{k: v for k, v in smaller.items() if k in estimator.get_params()})
every_estimator = pytest.mark.parametrize(
    "estimator", ESTIMATORS, ids=lambda estimator: type(estimator).__name__
)


@parametrize_with_checks(ESTIMATORS, xfail_strict=True)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_discovery():
    assert {"FastRP", "NodeFeatures"} <= set(CLASSES)
    assert "FastRP" in [type(estimator).__name__ for estimator in ESTIMATORS]


@pytest.mark.parametrize("name", [name for name in NOT_CHECKED_HERE if name in CLASSES])
def test_exceptions_are_needed(name):
    """Only what can not be built with defaults, or refuses a matrix, may be left out above."""
    with pytest.raises((TypeError, ValueError)):
        CLASSES[name]().fit(np.eye(4))


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_estimators_can_be_imported_from_their_subpackage(name):
    module = ".".join(CLASSES[name].__module__.split(".")[:2])
    assert name in import_module(module).__all__


def sample_data(estimator):
    """A small X and y of the kind that an estimator takes."""
    rng = np.random.default_rng(0)
    if get_tags(estimator).input_tags.pairwise:
        A = np.triu(rng.random((30, 30)) < 0.2, k=1).astype(float)
        X = A + A.T
    else:
        X = rng.normal(size=(30, 5))
    y = X[:, 0] > 0 if is_classifier(estimator) else X[:, 0]
    return X, y


def fitted(estimator):
    estimator = clone(estimator)
    if "random_state" in estimator.get_params():
        estimator.set_params(random_state=0)
    return estimator.fit(*sample_data(estimator))


def output(estimator):
    """What a fitted estimator says about its data."""
    X, _ = sample_data(estimator)
    if hasattr(estimator, "transform"):
        return estimator.transform(X)
    if is_clusterer(estimator):
        return estimator.labels_
    if hasattr(estimator, "predict"):
        return estimator.predict(X)
    return np.append(estimator.adjacency_.toarray(), estimator.score(X))


@every_estimator
def test_clone_gives_an_unfitted_twin(estimator):
    model = fitted(estimator)
    twin = clone(model)
    assert twin.get_params() == model.get_params()
    assert [name for name in vars(twin) if name.endswith("_")] == []
    assert np.array_equal(output(fitted(twin)), output(model))


@every_estimator
def test_joblib(estimator, tmp_path):
    model = fitted(estimator)
    joblib.dump(model, tmp_path / "model.joblib")
    for mmap_mode in (None, "r"):
        restored = joblib.load(tmp_path / "model.joblib", mmap_mode=mmap_mode)
        assert np.array_equal(output(restored), output(model))


@every_estimator
def test_skops(estimator):
    model = fitted(estimator)
    dumped = skops.io.dumps(model)
    types = skops.io.get_untrusted_types(data=dumped)
    # Users have to read and accept this list.
    assert {name.partition(".")[0] for name in types} <= {"sparsekit", "numpy", "scipy"}
    restored = skops.io.loads(dumped, trusted=types)
    assert np.array_equal(output(restored), output(model))


@every_estimator
def test_representations(estimator):
    name = type(estimator).__name__
    model = fitted(estimator)
    assert repr(type(estimator)()) == f"{name}()"
    assert repr(model).startswith(name)
    for shown in (estimator, model):
        assert name in shown._repr_html_()
        assert "<div" in shown._repr_html_()


@every_estimator
def test_fit_leaves_parameters_and_input_alone(estimator):
    X, y = sample_data(estimator)
    before = X.copy(), y.copy()
    parameters = clone(estimator).get_params()
    model = clone(estimator).fit(X, y)
    assert model.get_params() == parameters
    assert np.array_equal(X, before[0])
    assert np.array_equal(y, before[1])


@pytest.mark.parametrize(
    "estimator",
    [estimator for estimator in ESTIMATORS if hasattr(estimator, "transform")],
    ids=lambda estimator: type(estimator).__name__,
)
def test_output_as_pandas(estimator):
    model = fitted(estimator)
    X, _ = sample_data(estimator)
    plain = model.transform(X)
    frame = model.set_output(transform="pandas").transform(X)
    assert isinstance(frame, pd.DataFrame)
    assert frame.columns.tolist() == model.get_feature_names_out().tolist()
    assert np.array_equal(frame.to_numpy(), plain)
