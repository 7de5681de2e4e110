"""What is done so that a time is that of the code: one core, one thread, no garbage collection."""

import contextlib
import dataclasses
import gc
import os
import platform
import resource
from collections.abc import Iterator

import numba  # type: ignore[import-untyped]
import numpy as np
import torch

from ..machine import processor_name


@dataclasses.dataclass
class Conditions:
    """Where and how it was measured; the last two are filled in at the end.

    `preemptions` counts how often another process took the core away: each is one slow step.
    """

    machine: str
    processor: str
    python: str
    numpy: str
    torch: str
    numba: str
    core: int | None
    load_before: float
    load_after: float = 0.0
    preemptions: int = 0


@contextlib.contextmanager
def quiet() -> Iterator[Conditions]:
    """Hold this thread on one core, torch on one thread and the garbage collector still."""
    threads, cores = torch.get_num_threads(), _cores()
    collecting = gc.isenabled()
    core = _pin(cores)
    torch.set_num_threads(1)
    gc.collect()
    gc.disable()
    conditions = Conditions(
        platform.machine(), processor_name(), platform.python_version(), np.__version__,
        torch.__version__, numba.__version__, core, os.getloadavg()[0],
    )  # fmt: skip
    preemptions = _preemptions()
    try:
        yield conditions
    finally:
        conditions.preemptions = _preemptions() - preemptions
        conditions.load_after = os.getloadavg()[0]
        if collecting:
            gc.enable()
        torch.set_num_threads(threads)
        if core is not None:
            os.sched_setaffinity(0, cores)


def _preemptions() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw


def _cores() -> set[int]:
    """The cores that this process may use; empty where the system does not tell."""
    return os.sched_getaffinity(0) if hasattr(os, 'sched_getaffinity') else set()


def _pin(cores: set[int]) -> int | None:
    """Stay on the last core, since interrupts tend to go to the first; None if it cannot be."""
    if not cores:
        return None
    try:
        os.sched_setaffinity(0, {max(cores)})
    except OSError:
        return None
    return max(cores)
