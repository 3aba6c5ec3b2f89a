"""Kernels and threads: work that is split, fails, nests, forks or can not be cached."""

import os
import shutil
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import naive
import numba
import numpy as np
import pytest
from conftest import JIT_DISABLED

from sparsekit.core import jit

ROOT = Path(__file__).resolve().parent.parent
RANGES = [(i, i + 1) for i in range(200)]


@pytest.fixture(autouse=True)
def four_threads(monkeypatch):
    """As on a machine with four cores, with a pool of its own."""
    monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", 4)
    jit._forget_pool()
    yield
    if jit._pool is not None:
        jit._pool.shutdown()
    jit._forget_pool()


def run_script(script, environment=None, cwd=ROOT):
    """Run Python code in a fresh process and return what it printed."""
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env=os.environ | (environment or {}),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.split()


class Recorder:
    """A task that notes which ranges it was called for and by which threads."""

    def __init__(self, action=lambda lo: None):
        self.action = action
        self.ranges, self.threads = [], set()
        self.lock = threading.Lock()

    def __call__(self, lo, hi):
        with self.lock:
            self.ranges.append((lo, hi))
            self.threads.add(threading.current_thread().name)
        self.action(lo)


class TestEffectiveThreads:
    @pytest.mark.parametrize(
        ("n_jobs", "expected"),
        [(None, 1), (1, 1), (3, 3), (4, 4), (5, 4), (999, 4), (-1, 4), (-2, 3), (-4, 1), (-9, 1)],
    )
    def test_values(self, n_jobs, expected):
        assert jit.effective_threads(n_jobs) == expected

    def test_zero_has_no_meaning(self):
        for call in (jit.effective_threads, lambda n: jit.run_ranges(Recorder(), RANGES, n)):
            for wrong in (0, 2.5, "2"):
                with pytest.raises(ValueError, match="expected n_jobs to be None, a positive"):
                    call(wrong)

    def test_workers_of_joblib_lower_the_limit(self, monkeypatch):
        monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", 1)
        assert jit.effective_threads(-1) == 1
        assert jit.effective_threads(8) == 1


class TestRunRanges:
    @pytest.mark.parametrize("n_jobs", [None, 1, 2, 4, -1])
    def test_every_range_runs_once(self, n_jobs):
        task = Recorder()
        jit.run_ranges(task, RANGES, n_jobs)
        assert sorted(task.ranges) == RANGES

    def test_one_thread_is_the_calling_one_in_order(self):
        task = Recorder()
        jit.run_ranges(task, RANGES, None)
        assert task.ranges == RANGES
        assert task.threads == {threading.current_thread().name}
        assert jit._pool is None

    def test_all_threads_take_part(self):
        meeting = threading.Barrier(4, timeout=30)
        task = Recorder(lambda lo: meeting.wait())
        jit.run_ranges(task, RANGES[:4], 4)
        assert len(task.threads) == 4

    def test_no_ranges(self):
        task = Recorder()
        jit.run_ranges(task, [], 4)
        assert task.ranges == []

    def test_arguments_are_passed_on(self):
        out = np.zeros(200)

        def fill(lo, hi, array, value):
            array[lo:hi] = value

        jit.run_ranges(fill, RANGES, 3, out, 7.0)
        assert np.all(out == 7)

    def test_the_given_ranges_are_not_consumed(self):
        ranges = list(RANGES)
        jit.run_ranges(Recorder(), ranges, 2)
        assert ranges == RANGES

    @pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, SystemExit])
    @pytest.mark.parametrize("n_jobs", [1, 4])
    def test_an_exception_stops_the_rest(self, error, n_jobs):
        started = threading.Event()

        def fail_at_five(lo):
            if lo == 5:
                started.set()
                raise error("at five")
            if lo > 5:
                started.wait(30)

        task = Recorder(fail_at_five)
        with pytest.raises(error, match="at five"):
            jit.run_ranges(task, RANGES, n_jobs)
        assert (5, 6) in task.ranges
        # Each of the other threads may have taken a few ranges before the rest was dropped.
        assert len(task.ranges) < len(RANGES) // 2

    @pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
    def test_an_exception_in_a_helper_reaches_the_caller(self, error):
        caller = threading.current_thread()
        meeting = threading.Barrier(2, timeout=30)

        def fail_in_helper(lo, hi):
            meeting.wait()
            if threading.current_thread() is not caller:
                raise error("in a helper")

        with pytest.raises(error, match="in a helper"):
            jit.run_ranges(fail_in_helper, RANGES[:2], 2)

    @pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
    def test_no_helper_writes_after_the_call_has_ended(self, error):
        caller = threading.current_thread()
        meeting = threading.Barrier(2, timeout=30)
        finished = []

        def slow_in_helper(lo, hi):
            meeting.wait()
            if threading.current_thread() is caller:
                raise error("in the caller")
            threading.Event().wait(0.2)
            finished.append(lo)

        with pytest.raises(error, match="in the caller"):
            jit.run_ranges(slow_in_helper, RANGES[:2], 2)
        assert len(finished) == 1

    def test_the_pool_works_after_an_exception(self):
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                jit.run_ranges(lambda lo, hi: 1 / 0, RANGES, 4)
        task = Recorder()
        jit.run_ranges(task, RANGES, 4)
        assert sorted(task.ranges) == RANGES

    def test_nested_calls_finish(self):
        inner = Recorder()
        jit.run_ranges(lambda lo, hi: jit.run_ranges(inner, RANGES[:9], 4), RANGES[:20], 4)
        assert sorted(inner.ranges) == sorted(RANGES[:9] * 20)

    def test_a_nested_call_from_a_pool_thread_stays_on_it(self):
        caller = threading.current_thread()
        meeting = threading.Barrier(2, timeout=30)
        own = []

        def outer(lo, hi):
            meeting.wait()
            if threading.current_thread() is not caller:
                inner = Recorder()
                jit.run_ranges(inner, RANGES, 4)
                own.append(inner.threads == {threading.current_thread().name})

        jit.run_ranges(outer, RANGES[:2], 2)
        assert own == [True]

    def test_many_python_threads_at_once(self):
        tasks = [Recorder() for _ in range(8)]
        callers = [
            threading.Thread(target=jit.run_ranges, args=(task, RANGES, 4)) for task in tasks
        ]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(30)
        assert all(sorted(task.ranges) == RANGES for task in tasks)


class TestProcesses:
    @pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform has no fork")
    def test_a_forked_child_has_a_pool_of_its_own(self):
        script = """
            import os, sys, threading, numba
            numba.config.NUMBA_NUM_THREADS = 4
            from sparsekit.core.jit import run_ranges

            def names():
                meeting = threading.Barrier(3, timeout=30)
                seen = set()
                def task(lo, hi):
                    meeting.wait()
                    seen.add(threading.current_thread().name)
                run_ranges(task, [(0, 1), (1, 2), (2, 3)], 3)
                return len(seen)

            assert names() == 3
            child = os.fork()
            if child == 0:
                os._exit(40 + names())
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), names())
        """
        assert run_script(script) == ["43", "3"]

    @pytest.mark.skipif(JIT_DISABLED, reason="without the compiler there is nothing to cache")
    def test_kernels_run_uncached_where_no_cache_can_be_written(self, tmp_path):
        shutil.copytree(
            ROOT / "sparsekit", tmp_path / "sparsekit", ignore=shutil.ignore_patterns("__pycache__")
        )
        # A file in the place of each directory keeps out the superuser as well.
        (tmp_path / "sparsekit" / "core" / "__pycache__").touch()
        (tmp_path / "file").touch()
        unwritable = str(tmp_path / "file" / "cache")
        script = """
            import numba, sparsekit
            from sparsekit.core import partition, random

            print(sparsekit.__file__)
            print(type(random.mix64._cache).__name__)
            print(random.sparse_signs(0, 2, 8, 3.0).ravel().tolist())
            try:
                numba.njit(cache=True)(partition.split_rows)
            except RuntimeError:
                print("no cache")
        """
        printed = run_script(
            script,
            {
                "NUMBA_CACHE_DIR": unwritable,
                "HOME": unwritable,
                "XDG_CACHE_HOME": unwritable,
                "LOCALAPPDATA": unwritable,
                "PYTHONPATH": str(tmp_path),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            cwd=tmp_path,
        )
        assert printed[0] == str(tmp_path / "sparsekit" / "__init__.py")
        assert printed[1] == "NullCache"
        expected = naive.sparse_signs(0, 2, 8, 3.0).ravel().tolist()
        assert "".join(printed[2:-2]) == str(expected).replace(" ", "")
        assert printed[-2:] == ["no", "cache"]


class TestKernel:
    def test_options(self):
        @jit.kernel
        def plain(x):
            return x + 1

        @jit.kernel(reassociate=True)
        def reassociated(x):
            return x + 1

        assert plain(1) == reassociated(1) == 2
        if JIT_DISABLED:
            assert not hasattr(plain, "targetoptions")
            return
        for dispatcher in (plain, reassociated):
            assert dispatcher.targetoptions["nogil"]
            assert dispatcher.targetoptions["error_model"] == "numpy"
        assert plain.targetoptions["fastmath"] is False
        # NaN and infinity keep their meaning in both.
        assert set(reassociated.targetoptions["fastmath"]) == {"reassoc", "contract", "arcp", "nsz"}

    def test_division_by_zero_does_not_raise(self):
        @jit.kernel
        def ratio(a, b):
            return a / b

        with np.errstate(divide="ignore"):
            assert ratio(np.float64(1), np.float64(0)) == np.inf

    @pytest.mark.skipif(JIT_DISABLED, reason="without the compiler there is nothing to cache")
    def test_the_tests_keep_their_own_cache(self):
        from sparsekit.core import random

        assert os.environ["NUMBA_CACHE_DIR"] == numba.config.CACHE_DIR
        assert random.mix64.stats.cache_path.startswith(numba.config.CACHE_DIR)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8])
    @pytest.mark.parametrize("n_columns", [0, 1, 16, 100])
    def test_prefetch_changes_nothing(self, dtype, n_columns):
        @jit.kernel
        def touch(array):
            for i in range(array.shape[0]):
                jit.prefetch(array, i)
            return array.shape[0]

        array = np.ones((5, n_columns), dtype=dtype)
        assert touch(array) == 5
        assert np.all(array == 1)
