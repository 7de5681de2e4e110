"""What a learning network keeps in memory, and the most that the process ever had."""

import dataclasses
import resource
import sys

from ..cells.kernels import FusedNetwork
from ..driving.assembly import make_networks
from ..learning.config import LearnerConfig
from ..learning.td_network import make_td_network


@dataclasses.dataclass(frozen=True)
class NetworkMemory:
    """Bytes of one actor under Adam; a frozen one needs the `weights` and little else.

    `origin` is what drift is measured from, `other` are scratch and gaps between arrays.
    """

    cell: str
    input_size: int
    hidden_size: int
    parameters: int
    weights: int
    adam: int
    eligibility: int
    trace: int
    origin: int
    other: int
    total: int


def measure_memory(cell: str, input_size: int, hidden_size: int) -> NetworkMemory:
    """Take the memory of an actor with the default options apart."""
    networks = make_networks(cell, input_size, hidden_size, seed=0)
    learner = make_td_network(networks['actor'], LearnerConfig(backend='fused'), 'actor')
    assert isinstance(learner, FusedNetwork)
    size = learner.flat.nbytes
    written, _ = learner.traffic()  # parameters, eligibility, moments and RTRL trace
    trace = 4 * written - 4 * size
    other = learner.nbytes - 5 * size - trace
    return NetworkMemory(
        cell, input_size, hidden_size, learner.flat.numel(),
        weights=size, adam=2 * size, eligibility=size, trace=trace, origin=size, other=other,
        total=learner.nbytes,
    )  # fmt: skip


def peak_bytes() -> int:
    """The most memory that this process has had resident since it started."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == 'darwin' else 1024 * peak  # everyone else counts in KiB
