"""Parameters of the bag player."""

import dataclasses

from ..parameters import Checked, parameter

SENSORS = ('events', 'images', 'features')


@dataclasses.dataclass(frozen=True)
class BagPlayerConfig(Checked):
    """What is played, how fast, and for whom."""

    bag: str = parameter('', 'recording: a folder, an .mcap or a .db3 file')
    rate: float = parameter(1.0, 'recorded seconds per second', low=0.001, high=1000.0)
    start_s: float = parameter(
        0.0, 'begin so long after the first message', unit='s', low=0.0, high=1e7
    )
    loop: bool = parameter(False, 'begin again at the end, for ever; time goes on')
    paused: bool = parameter(False, 'begin paused; the service ~/pause and SIGUSR1 change it')
    max_gap_s: float = parameter(
        3600.0, 'a longer silence of the recording is shortened to this', unit='s',
        low=0.001, high=1e7,
    )  # fmt: skip
    graph: bool = parameter(False, 'wait for an encoder and an agent below /replay')
    delay_s: float = parameter(
        1.0, 'without a graph: time for subscribers to find the topics', unit='s',
        low=0.0, high=60.0,
    )  # fmt: skip
    clock: bool = parameter(True, 'publish /clock')
    lockstep: bool = parameter(
        False, 'as fast as the graph answers: the next observation after drive_proposal'
    )
    sensor: str = parameter('events', 'what the graph hears', choices=SENSORS)
    from_lap_start: bool = parameter(
        True, 'lock-step: leave out what comes before the beginning of a lap, as a learner in '
        'lock-step needs',
    )  # fmt: skip
    stamp_offset_s: float = parameter(
        0.0, 'lock-step: the stamp_offset_s of the encoder', unit='s', low=-0.1, high=0.1
    )
    retry_period_s: float = parameter(
        0.5, 'lock-step: ask again after', unit='s', low=0.05, high=60.0
    )
    lockstep_timeout_s: float = parameter(
        10.0, 'lock-step: give up without an answer after', unit='s', low=0.1, high=3600.0
    )
    start_timeout_s: float = parameter(
        90.0, 'give up unless the graph is up by then', unit='s', low=0.1, high=3600.0
    )
