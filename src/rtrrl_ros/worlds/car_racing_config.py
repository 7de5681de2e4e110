"""What is fixed about the CarRacing world, what a shift changes, and which tracks there are."""

import dataclasses
import math

import numpy as np

from ..parameters import Checked, parameter

SPLITS = ('training', 'evaluation')


@dataclasses.dataclass(frozen=True)
class CarRacingConfig(Checked):
    """What is fixed about the world."""

    frame_skip: int = parameter(
        2, 'frames of 20 ms for which a command is held', unit='frames', low=1, high=50
    )
    time_limit_s: float = parameter(
        20.0, 'simulated time after which a lap is truncated', unit='s', low=0.02, high=3600.0
    )
    lap_complete_percent: float = parameter(
        0.95, 'share of the tiles after which the lap is complete', low=0.0, high=1.0, low_open=True
    )
    max_steering_angle_rad: float = parameter(
        1.0,
        'steering angle that is the full action of the stock environment, whose action is the '
        'target of the wheels in rad; the wheels themselves stop at 0.4 rad',
        unit='rad', low=0.0, high=math.pi, low_open=True,
    )  # fmt: skip
    max_acceleration_m_s2: float = parameter(
        32.0,
        'acceleration that is full gas, and deceleration that is full brake: a nominal scale '
        '(on the road the stock car reaches 44 m/s2, and brakes with 131 m/s2)',
        unit='m/s2', low=0.0, high=1000.0, low_open=True,
    )  # fmt: skip
    off_track_time_s: float = parameter(
        0.5, 'intervention when no wheel touched the road for longer', unit='s', low=0.0, high=60.0
    )
    off_track_half_widths: float = parameter(
        3.0, 'intervention when the car is further from the centre line', unit='half road widths',
        low=1.0, high=50.0,
    )  # fmt: skip
    backwards_angle_rad: float = parameter(
        0.5 * math.pi, 'heading error from which the car counts as turned round', unit='rad',
        low=0.5 * math.pi, high=math.pi,
    )  # fmt: skip
    backwards_time_s: float = parameter(
        0.5, 'intervention when the car, turned round, lost ground for longer', unit='s',
        low=0.0, high=60.0,
    )  # fmt: skip
    stalled_time_s: float = parameter(
        2.0, 'intervention when the car stood still for longer', unit='s', low=0.0, high=3600.0
    )
    stalled_speed_m_s: float = parameter(
        0.5, 'slower than this counts as standing still', unit='m/s', low=0.0, high=10.0
    )


@dataclasses.dataclass(frozen=True)
class CarRacingShift(Checked):
    """What is different from the world the policy was trained in; the default is no shift."""

    steering_offset: float = parameter(
        0.0, 'added to the normalised steering, positive to the left', unit='action range',
        low=-1.0, high=1.0,
    )  # fmt: skip
    engine_power: float = parameter(
        1.0, 'factor on the power of the engine', low=0.0, high=4.0, low_open=True
    )
    friction: float = parameter(
        1.0, 'factor on the grip of the tyres, on road and grass', low=0.0, high=4.0, low_open=True
    )
    light: float = parameter(
        1.0, 'factor on the brightness of the image; it saturates', low=0.0, high=16.0
    )


def track_seed(seed: int, lap: int, split: str) -> int:
    """The seed of a lap's track: even for training, odd for evaluation, so that none is shared."""
    sequence = np.random.SeedSequence([seed, lap, SPLITS.index(split)])
    word = int(sequence.generate_state(1, np.uint64)[0])
    return (word >> 1 << 1) + SPLITS.index(split)
