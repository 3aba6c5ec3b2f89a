"""How kernels are compiled and how they are run on threads.

This is the only module that sets numba options and the only one that starts threads. A kernel is a
serial function over a range ``(lo, hi)`` of rows that releases the GIL; `run_ranges` hands ranges
to a small thread pool. Compared with numba's own parallel loops this needs no threading layer (so
it is safe under fork, joblib and nested Python threads), changes no global state, and compiles one
variant.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from numbers import Integral
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, config, types
from numba.extending import intrinsic

__all__ = [
    "RANGES_PER_THREAD",
    "count_workers",
    "effective_threads",
    "kernel",
    "prefetch",
    "run_ranges",
    "run_workers",
]

# Enough ranges that uneven rows (power-law graphs) still balance; few enough that dispatch is free.
RANGES_PER_THREAD = 64

# Kernels that opt in see inputs without NaN or infinity; these flags leave both meaningful.
_REASSOCIATE = {"reassoc", "contract", "arcp", "nsz"}


def kernel(
    function: Callable | None = None, *, reassociate: bool = False, inner: bool = False
) -> Any:
    """Compile a function without the GIL and cache the machine code on disk.

    Parameters
    ----------
    function : callable
        The function; omitted when options are given.
    reassociate : bool, default=False
        Let sums be reordered so that they use vector instructions. Only for inner products whose
        inputs are known to be finite.
    inner : bool, default=False
        Only other kernels call it. That saves compiling how Python would, a fifth of the time.

    Returns
    -------
    dispatcher or function
        The plain Python function when ``NUMBA_DISABLE_JIT`` is set.
    """
    if function is None:
        return lambda decorated: kernel(decorated, reassociate=reassociate, inner=inner)
    options: dict[str, Any] = {
        "nogil": True,
        "error_model": "numpy",
        "fastmath": _REASSOCIATE if reassociate else False,
        "no_cfunc_wrapper": True,  # how C would call it
        "no_cpython_wrapper": inner,
    }
    try:
        return numba.njit(function, cache=True, **options)
    except RuntimeError:  # no writable place for the cache, e.g. a read-only container
        return numba.njit(function, **options)


if config.DISABLE_JIT:  # type: ignore[attr-defined]

    def prefetch(array: np.ndarray, row: int) -> None:
        """Do nothing: an intrinsic needs the compiler."""

else:

    @intrinsic
    def prefetch(typing_context: Any, array: types.Array, row: types.Integer) -> Any:
        """Ask for all cache lines of ``array[row]`` (C-contiguous, two-dimensional)."""
        signature = types.void(array, row)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            view = context.make_array(array)(context, builder, arguments[0])
            stride = builder.extract_value(view.strides, 0)
            address = builder.ptrtoint(view.data, stride.type)
            index = context.cast(builder, arguments[1], row, types.intp)
            first = builder.add(address, builder.mul(index, stride))
            byte = ir.IntType(8).as_pointer()
            level = ir.IntType(32)
            function = builder.module.declare_intrinsic(
                "llvm.prefetch", [byte], ir.FunctionType(ir.VoidType(), [byte] + [level] * 3)
            )
            line = ir.Constant(stride.type, 64)
            n_lines = builder.udiv(builder.add(stride, ir.Constant(stride.type, 63)), line)
            with cgutils.for_range(builder, n_lines) as loop:
                pointer = builder.inttoptr(builder.add(first, builder.mul(loop.index, line)), byte)
                # read, keep in every cache level, data cache
                builder.call(function, [pointer, level(0), level(3), level(1)])
            return context.get_dummy_value()

        return signature, generate


def _available_threads() -> int:
    """Cores that numba may use: what users and joblib's workers limit through the environment."""
    return int(config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]


def effective_threads(n_jobs: int | None) -> int:
    """Number of threads that `n_jobs` stands for.

    Parameters
    ----------
    n_jobs : int or None
        ``None`` means one thread; negative values count down from all available cores, as in
        scikit-learn. Never more than ``NUMBA_NUM_THREADS``, which joblib's workers lower.

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    ValueError
        If `n_jobs` is 0 or no integer.
    """
    if n_jobs is None:
        return 1
    if not isinstance(n_jobs, Integral) or n_jobs == 0:
        raise ValueError(
            f"expected n_jobs to be None, a positive number or -1 (all cores), got {n_jobs!r}."
        )
    available = _available_threads()
    wanted = n_jobs if n_jobs > 0 else available + 1 + n_jobs
    return int(max(1, min(wanted, available)))


_pool: ThreadPoolExecutor | None = None
_pool_lock = threading.Lock()
_inside_pool = threading.local()


def _forget_pool() -> None:
    """Drop the pool in a forked child, where its threads do not exist."""
    global _pool, _pool_lock
    _pool, _pool_lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)


def _shared_pool() -> ThreadPoolExecutor:
    global _pool
    with _pool_lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(
                max_workers=max(1, _available_threads() - 1),
                thread_name_prefix="sparsekit",
                initializer=lambda: setattr(_inside_pool, "value", True),
            )
        return _pool


def _drain(task: Callable, waiting: deque[tuple[int, int]], arguments: tuple) -> None:
    try:
        while True:
            try:
                lo, hi = waiting.popleft()
            except IndexError:
                return
            task(lo, hi, *arguments)
    except BaseException:
        waiting.clear()  # the others stop after the range they are in
        raise


def run_ranges(
    task: Callable, ranges: Sequence[tuple[int, int]], n_jobs: int | None, *arguments: Any
) -> None:
    """Call ``task(lo, hi, *arguments)`` for every range, on `n_jobs` threads.

    The ranges must write disjoint parts of the outputs; then the result does not depend on the
    number of threads. An exception, also ``KeyboardInterrupt``, stops the remaining ranges.

    Parameters
    ----------
    task : callable
        A `kernel` (or any function that releases the GIL).
    ranges : sequence of (int, int)
        From `sparsekit.core.partition`.
    n_jobs : int or None
        See `effective_threads`.
    *arguments : object
        Passed on to every call.
    """
    _run(task, ranges, n_jobs, lambda worker: arguments)


def count_workers(ranges: Sequence[tuple[int, int]], n_jobs: int | None) -> int:
    """Number of workers that `run_workers` employs for these ranges, at least 1."""
    return max(1, min(effective_threads(n_jobs), len(ranges)))


def run_workers(
    task: Callable, ranges: Sequence[tuple[int, int]], n_jobs: int | None, *arguments: Any
) -> None:
    """Call ``task(lo, hi, worker, *arguments)`` for every range, on `n_jobs` threads.

    For kernels whose sums land anywhere: each worker, numbered from 0 below `count_workers`, adds
    to an array of its own, and these are added in the end. With integers the result does not depend
    on who did what.

    Parameters
    ----------
    task, ranges, n_jobs, *arguments : object
        As for `run_ranges`.
    """
    _run(task, ranges, n_jobs, lambda worker: (worker, *arguments))


def _run(
    task: Callable,
    ranges: Sequence[tuple[int, int]],
    n_jobs: int | None,
    arguments_of: Callable[[int], tuple],
) -> None:
    waiting = deque(ranges)
    n_threads = count_workers(ranges, n_jobs)
    if n_threads <= 1 or getattr(_inside_pool, "value", False):
        _drain(task, waiting, arguments_of(0))
        return
    pool = _shared_pool()
    helpers: list[Future] = [
        pool.submit(_drain, task, waiting, arguments_of(worker)) for worker in range(1, n_threads)
    ]
    try:
        _drain(task, waiting, arguments_of(0))
    finally:
        # A helper that never started has nothing left to do; one that did must leave the outputs.
        for helper in helpers:
            if not helper.cancel():
                helper.exception()
    for helper in helpers:
        if not helper.cancelled():
            helper.result()
