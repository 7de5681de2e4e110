"""The same update in torch, for comparison."""

import time

import numpy as np

from ..cells import make_cell
from ..learning.config import LearnerConfig
from ..learning.network import Network
from ..learning.reference import ReferenceNetwork
from ..learning.td_network import update_rule


def measure_reference(cell: str, input_size: int, hidden_size: int, steps: int = 500) -> float:
    """Median of one update of `ReferenceNetwork` in microseconds."""
    network = Network(make_cell(cell, input_size, hidden_size, seed=0), head_size=1, seed=0)
    learner = ReferenceNetwork(network, update_rule(LearnerConfig(), 'actor'))
    x, d_out, times = np.ones(input_size, np.float32), np.ones(1, np.float32), []
    for _ in range(steps):
        start = time.perf_counter_ns()
        learner.step(x)
        learner.learn(d_out, 0.1)
        times.append(time.perf_counter_ns() - start)
    return float(np.median(times)) / 1e3
