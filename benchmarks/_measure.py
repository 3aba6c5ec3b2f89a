"""Clocks, alternation, fresh processes and memory: how every comparison measures."""

import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

__all__ = [
    "ONE_THREAD",
    "ROOT",
    "OtherLoad",
    "Timing",
    "alternate",
    "busy_seconds",
    "cold_and_warm",
    "conditions",
    "cpu_seconds",
    "empty_kernel_cache",
    "in_fresh_process",
    "memory_can_be_measured",
    "peak_extra_bytes",
]

ROOT = Path(__file__).resolve().parent.parent

# Or the matrix products of a peer would use all cores.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

_PATIENCE = 20.0  # wall seconds after which a slow contender is not measured a third time
_PACKAGES = ("sparsekit", "numpy", "scipy", "numba", "scikit-learn", "networkx", "scikit-network")
_RESET_PEAK = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")


class Timing(NamedTuple):
    """Repeated measurements of one contender, in seconds."""

    cpu: float  # the minimum
    median_cpu: float
    wall: float  # the minimum
    median_wall: float
    repeats: int


def cpu_seconds() -> float:
    """CPU time of this process, all its threads and its finished children."""
    ended = os.times()
    return time.process_time() + ended.children_user + ended.children_system


def busy_seconds() -> float | None:
    """CPU time of all processes of the machine since its start, or None if it does not tell."""
    try:
        fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()
    except OSError:
        return None
    user, nice, system = (int(field) for field in fields[1:4])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


class OtherLoad:
    """Cores that other processes have kept busy since this object was made."""

    def __init__(self) -> None:
        self._start = self._clocks()

    @staticmethod
    def _clocks() -> tuple[float, float | None]:
        busy = busy_seconds()
        return time.perf_counter(), None if busy is None else busy - cpu_seconds()

    def cores(self) -> str:
        """In words; empty if the system does not tell."""
        (start, before), (end, after) = self._start, self._clocks()
        if before is None or after is None:
            return ""
        return f"{max(0.0, (after - before) / (end - start)):.1f} cores"


def alternate(contenders: Mapping[str, Callable[[], Any]], repeats: int) -> dict[str, Timing]:
    """Run contenders in turn, so that a busy minute of the machine slows all of them.

    Parameters
    ----------
    contenders : mapping of str to callable
        Warm them up before: compile time is measured apart.
    repeats : int
        Rounds; a contender that has used up the patience sits out after its second one.

    Returns
    -------
    dict of str to Timing
    """
    cpu: dict[str, list[float]] = {name: [] for name in contenders}
    wall: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(repeats):
        for name, call in contenders.items():
            if len(wall[name]) >= 2 and sum(wall[name]) > _PATIENCE:
                continue
            wall_start, cpu_start = time.perf_counter(), cpu_seconds()
            result = call()
            cpu[name].append(cpu_seconds() - cpu_start)
            wall[name].append(time.perf_counter() - wall_start)
            del result  # its memory goes back before the next contender asks for some
    return {name: _timing(cpu[name], wall[name]) for name in contenders}


def _timing(cpu: Sequence[float], wall: Sequence[float]) -> Timing:
    middle = statistics.median
    return Timing(min(cpu), middle(cpu), min(wall), middle(wall), len(cpu))


def in_fresh_process(
    arguments: Sequence[str], environment: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Run Python with these arguments; the last line that it prints is JSON."""
    command = [sys.executable, *arguments]
    child = dict(os.environ, **ONE_THREAD, **(environment or {}))
    done = subprocess.run(command, env=child, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"a process of the benchmark failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def empty_kernel_cache() -> Iterator[dict[str, str]]:
    """Environment with an empty directory for compiled kernels."""
    with tempfile.TemporaryDirectory(prefix="sparsekit-bench-") as directory:
        yield {"NUMBA_CACHE_DIR": directory}


def cold_and_warm(
    first: Callable[[dict[str, str]], dict[str, float]], *, quick: bool
) -> tuple[dict[str, float], dict[str, float]]:
    """Seconds by name in a fresh process with nothing compiled, and the least of those after it.

    Parameters
    ----------
    first : callable
        Measures in a fresh process with this environment.
    quick : bool
        Whether one process with compiled code on disk is enough.
    """
    with empty_kernel_cache() as environment:
        cold = first(environment)
        runs = [first(environment) for _ in range(1 if quick else 3)]
    return cold, {name: min(run[name] for run in runs) for name in cold}


def memory_can_be_measured() -> bool:
    """Whether the system tells and resets the peak of resident memory (Linux does)."""
    return os.access(_RESET_PEAK, os.W_OK) and _STATUS.exists()


def peak_extra_bytes(call: Callable[[], Any]) -> int:
    """Peak of resident memory during a call, its result included, beyond that before it."""
    _RESET_PEAK.write_text("5", encoding="ascii")
    before = _resident_bytes("VmRSS")
    result = call()
    peak = _resident_bytes("VmHWM")
    del result
    return peak - before


def _resident_bytes(field: str) -> int:
    lines = _STATUS.read_text(encoding="ascii").splitlines()
    line = next(line for line in lines if line.startswith(f"{field}:"))
    return int(line.split()[1]) * 1024


def conditions() -> str:
    """Processor and versions, in one sentence; nothing that names the machine."""
    versions = [f"{name} {_version(name)}" for name in _PACKAGES]
    return (
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()}; "
        f"Python {platform.python_version()}, {', '.join(versions)}."
    )


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "(missing)"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
