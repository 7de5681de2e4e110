"""Parameters of every node that is a simulated world, beside those of the world and its shift."""

import dataclasses

from ..parameters import Checked, parameter

SPLITS = ('training', 'evaluation')


@dataclasses.dataclass(frozen=True)
class WorldNodeConfig(Checked):
    """How the course is driven, and how long the node waits for whom."""

    seed: int = parameter(0, 'decides the tracks', low=0, high=2**31 - 1)
    split: str = parameter('evaluation', 'which tracks', choices=SPLITS)
    laps: int = parameter(10, 'how many laps; 0: without end', unit='laps', low=0, high=1_000_000)
    lockstep: bool = parameter(True, 'wait for each command; false: real time')
    real_time_factor: float = parameter(
        1.0, 'simulated time per real time, without lock-step', low=0.01, high=100.0
    )
    retry_period_s: float = parameter(
        0.5, 'lock-step: publish the observation again after', unit='s', low=0.05, high=60.0
    )
    lockstep_timeout_s: float = parameter(
        10.0, 'lock-step: give up without a command after', unit='s', low=0.1, high=3600.0
    )
    start_timeout_s: float = parameter(
        90.0, 'give up unless the other nodes are up by then', unit='s', low=0.1, high=3600.0
    )
    command_timeout_s: float = parameter(
        0.2, 'real time: an older command is not driven', unit='s', low=0.01, high=10.0
    )
    settle_s: float = parameter(
        2.0, 'real time: after its first answer the first observation is shown on for so long; '
        'the middleware may take a third of a second for the first message between two processes',
        unit='s', low=0.0, high=60.0,
    )  # fmt: skip
    publish_clock: bool = parameter(False, 'publish the simulated time on /clock')
