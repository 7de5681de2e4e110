"""How long one update of one network takes, beside the time that its memory traffic alone takes.

An update is what `FusedNetwork` does per control step: forward, trace, eligibility, optimiser, pull
towards the origin, drift limit. The floor reads and writes as many bytes once and computes next
to nothing; it is measured in turns with the updates, so that both see the same machine.
"""

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from .. import make_cell
from .compiling import ZERO, Array, entry_point, forward_kernel, source_stamp
from .network import FusedNetwork, UpdateRule

TURN = 1000  # updates, then as many floors
WARM_UP = 200  # of each, not counted


@dataclasses.dataclass(frozen=True)
class Times:
    """Percentiles of one call in microseconds."""

    p50_us: float
    p99_us: float
    p999_us: float
    max_us: float

    @classmethod
    def of(cls, nanoseconds: Array) -> 'Times':
        """The percentiles of these durations (N,)."""
        values = np.percentile(nanoseconds / 1e3, (50, 99, 99.9, 100))
        return cls(*(float(value) for value in values))


@dataclasses.dataclass(frozen=True)
class Measurement:
    """One network of `hidden_size` units; `bytes` are those that one update reads or writes."""

    cell: str
    input_size: int
    hidden_size: int
    optimizer: str
    steps: int
    bytes: int
    update: Times
    floor: Times


def measure(
    cell_name: str, input_size: int, hidden_size: int, steps: int = 100_000, seed: int = 0, *,
    optimizer: str = 'adam', on_turn: Callable[[int], None] = lambda done: None,
) -> Measurement:  # fmt: skip
    """Time `steps` updates of an actor with one output under pull and drift limit.

    on_turn : called between two turns, when nothing is timed, with the number of updates so far
    """
    network = _network(cell_name, input_size, hidden_size, optimizer, seed)
    written, read = network.traffic()
    compiled, memory = _floor(written, read), np.ones(written + read, np.float32)
    floor = entry_point(compiled)
    generator = np.random.default_rng(seed)
    inputs = generator.standard_normal((TURN, input_size)).astype(np.float32)
    errors = (0.1 * generator.standard_normal(TURN)).tolist()
    _update_times(network, inputs[:WARM_UP], errors)
    _floor_times(floor, memory, WARM_UP)
    updates, floors = [], []
    for done in range(0, steps, TURN):
        count = min(TURN, steps - done)
        updates.append(_update_times(network, inputs[:count], errors))
        floors.append(_floor_times(floor, memory, count))
        on_turn(done + count)
    return Measurement(
        cell_name, input_size, hidden_size, optimizer, steps, 4 * (2 * written + read),
        Times.of(np.concatenate(updates)), Times.of(np.concatenate(floors)),
    )  # fmt: skip


def _network(
    cell_name: str, input_size: int, hidden_size: int, optimizer: str, seed: int
) -> FusedNetwork:
    cell = make_cell(cell_name, input_size, hidden_size, seed)
    head = 0.1 * torch.randn(cell.output_size + 1, generator=torch.Generator().manual_seed(seed))
    rule = UpdateRule(optimizer, learning_rate=1e-5, decay=0.9, pull=1e-6, drift_limit=5.0)
    return FusedNetwork(cell, 1, torch.cat((cell.flat_parameters, head)), rule)


def _update_times(network: FusedNetwork, inputs: Array, errors: list[float]) -> Array:
    """Nanoseconds of the update with each of these inputs."""
    clock, times, one = time.perf_counter_ns, np.empty(len(inputs)), np.ones(1, np.float32)
    for k, x in enumerate(inputs):
        start = clock()
        network.step(x)
        network.learn(one, errors[k])
        times[k] = clock() - start
    return times


def _floor_times(floor: Callable[[Array], bool], memory: Array, count: int) -> Array:
    """Nanoseconds of each of `count` floors."""
    clock, times = time.perf_counter_ns, np.empty(count)
    for k in range(count):
        start = clock()
        floor(memory)
        times[k] = clock() - start
    return times


def _floor(written: int, read: int) -> Any:
    """A kernel that reads `written` numbers and writes them back, then reads `read` more."""
    half = np.float32(0.5)
    stamp = source_stamp()

    @forward_kernel
    def touch(memory: Array) -> np.bool:
        _ = stamp
        total = ZERO
        for k in range(written):
            memory[k] = half + half * memory[k]
        for k in range(written, written + read):
            total += memory[k]
        return total > ZERO

    return touch
