"""One thread, two threads, joblib workers and Python threads give the same bits."""

import concurrent.futures
import multiprocessing

import joblib
import numpy as np
import pytest
import scipy.sparse as sp

from sparsekit.embedding import FastRP

SETTINGS = {
    "defaults": {},
    "two buffers": {"hop_weights": (0, 0, 1, 6.67), "beta": -0.64},
    "symmetric": {"operator": "symmetric", "self_weight": 0.5, "normalize": False},
    "adjacency": {"operator": "adjacency", "dtype": np.float64},
    "deflated": {"deflate": True, "standardize": True},
}
EXACT = [name for name in SETTINGS if name != "deflated"]


@pytest.fixture(scope="module")
def graph():
    """Power-law graph: rows of very different length make uneven ranges."""
    rng = np.random.default_rng(0)
    share = rng.random(3000) ** -0.6
    ends = rng.choice(3000, size=(2, 20000), p=share / share.sum())
    A = sp.csr_array((rng.random(20000), tuple(ends)), shape=(3000, 3000))
    return A + A.T


def embedding(graph, name, n_jobs=None):
    return FastRP(24, random_state=0, n_jobs=n_jobs, **SETTINGS[name]).fit(graph).embedding_


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("n_jobs", [2, -1])
def test_threads(graph, name, n_jobs):
    np.testing.assert_array_equal(embedding(graph, name, n_jobs), embedding(graph, name))


def test_threads_with_column_sums(graph):
    found, expected = embedding(graph, "deflated", 2), embedding(graph, "deflated")
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_threads_of_transform(graph):
    model = FastRP(8, random_state=0).fit(graph)
    rows = graph[:50]
    alone = model.transform(rows)
    np.testing.assert_array_equal(model.set_params(n_jobs=2).transform(rows), alone)


@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_joblib_workers(graph, backend):
    names = EXACT[:2]
    with joblib.parallel_config(backend=backend, n_jobs=2):
        found = joblib.Parallel()(joblib.delayed(embedding)(graph, name, 2) for name in names)
    for name, result in zip(names, found, strict=True):
        np.testing.assert_array_equal(result, embedding(graph, name))


def test_python_threads_share_the_pool(graph):
    with concurrent.futures.ThreadPoolExecutor(4) as executor:
        found = list(executor.map(lambda _: embedding(graph, "defaults", 2), range(8)))
    for result in found:
        np.testing.assert_array_equal(result, embedding(graph, "defaults"))


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="the platform can not fork"
)
def test_fork_after_threads(graph):
    expected = embedding(graph, "defaults", 2)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        found = pool.apply_async(embedding, (graph, "defaults", 2)).get(timeout=60)
    np.testing.assert_array_equal(found, expected)
