"""What was measured, all in one."""

import dataclasses
from typing import Any

from ..cells.kernels.benchmark import Measurement
from .agent_step import AgentStep
from .conditions import Conditions
from .encoder import EncoderTime
from .memory import NetworkMemory


@dataclasses.dataclass(frozen=True)
class Report:
    """All that was measured; `torch_us` are the medians of the updates in torch, if asked for."""

    conditions: Conditions
    networks: list[Measurement]
    sgd: list[Measurement]
    torch_us: list[float]
    agents: list[AgentStep]
    encoder: EncoderTime
    memory: list[NetworkMemory]
    peak_before: int
    peak: int

    def network(self, cell: str, inputs: int, units: int) -> Measurement | None:
        """The update of this network under Adam, if it was measured."""
        sizes = (cell, inputs, units)
        found = (m for m in self.networks if (m.cell, m.input_size, m.hidden_size) == sizes)
        return next(found, None)

    def agent(self, cell: str, inputs: int, units: int) -> AgentStep | None:
        """The step of this agent, if it was measured."""
        sizes = (cell, inputs, units)
        found = (m for m in self.agents if (m.cell, m.input_size, m.hidden_size) == sizes)
        return next(found, None)

    def to_json(self) -> dict[str, Any]:
        """Without the verdict on it; the keys are described in `rtrrl_ros.benchmarks`."""
        torch_us: list[float | None] = [*self.torch_us]
        torch_us += [None] * (len(self.networks) + len(self.sgd) - len(torch_us))
        return {
            'conditions': dataclasses.asdict(self.conditions),
            'networks': [
                dataclasses.asdict(network)
                | {
                    'ratio': network.update.p50_us / network.floor.p50_us,
                    'spread': network.update.p99_us / network.update.p50_us,
                    'torch_p50_us': reference,
                }
                for network, reference in zip([*self.networks, *self.sgd], torch_us, strict=True)
            ],
            'agents': [dataclasses.asdict(agent) for agent in self.agents],
            'encoder': dataclasses.asdict(self.encoder),
            'memory': {
                'peak_before': self.peak_before,
                'peak': self.peak,
                'networks': [dataclasses.asdict(network) for network in self.memory],
            },
        }
