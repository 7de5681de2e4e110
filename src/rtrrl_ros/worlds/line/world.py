"""Following a line on the floor with an event camera: the simulated car as a world."""

import dataclasses
import functools
import math
from concurrent.futures import Executor

import numpy as np

from ...errors import UserError
from ...perception.events.contract import EventBatch
from ...safety.command import Command
from ..centre_line import CentreLine, wrapped
from ..contract import Observation, StepType, World, WorldState
from .camera import Camera, floor_rows
from .car import Car
from .config import LineConfig, LineShift
from .event_sensor import EventSensor
from .floor import make_floor
from .floor_map import FloorMap
from .track import random_track

SPLITS = ('training', 'evaluation')
#: brightness of electric light goes up and down twice in a period of the mains
FLICKER_HZ = 100.0
#: amplitude of the flicker in log luminance, per factor e of the light shift
FLICKER = 0.04


class LineWorld(World):
    """Laps around a closed line; an observation is the events since the one before.

    The track and the camera's pixels depend on the seed and the split. A lap differs from another
    in how the car is put on the start line, and in the pixels' noise. Every lap begins there, with
    a car that stands (or rolls, `start_speed_m_s`): also after an intervention, and also where the
    lap before was completed. The task reward of a decision is 100 (1 - |lateral error| /
    closeness_m) times the share of the lap driven in it, so that the return of a perfect lap is 100
    at any speed.

    Parameters
    ----------
    config : what is fixed
    shift : what differs from the world of the training
    seed : not negative
    split : 'evaluation' or 'training': their tracks are different ones
    threads : help to compute what the camera sees, which is the same without

    Attributes
    ----------
    centre_line : the line on the floor
    projection : the rear axle's place on it at the newest observation
    car, sensor : the simulated parts
    flicker_log : (subframes,) float32, flicker of the light in the newest window
    """

    def __init__(
        self,
        config: LineConfig | None = None,
        shift: LineShift | None = None,
        seed: int = 0,
        split: str = 'evaluation',
        threads: Executor | None = None,
    ) -> None:
        if seed < 0:
            raise UserError(f'seed = {seed}: must be 0 or greater')
        if split not in SPLITS:
            raise UserError(f'split = {split!r}: must be one of {", ".join(SPLITS)}')
        self.config = config or LineConfig()
        self.shift = shift or LineShift()
        self.decision_period_s = self.config.decision_ms * 1e-3
        self._key = (seed, SPLITS.index(split))
        texture = self.shift.floor_texture or self.config.floor_texture
        surroundings = dataclasses.replace(self.config, floor_texture=texture)
        self.centre_line, floor = _surroundings(surroundings, self.shift.light, *self._key)
        self.car = Car(self.config, self.shift)
        self.sensor = EventSensor(
            self.config, Camera(self.config, floor), self.config.subframes,
            self.config.subframe_us, self.shift.contrast_threshold,
            np.random.default_rng([*self._key, 1]), threads,
        )  # fmt: skip
        self._stamp_ns = 0
        self._running = self._closed = False

    def reset(self, lap: int) -> Observation:
        if self._closed:
            raise RuntimeError('the world is closed')
        config, line = self.config, self.centre_line
        random = np.random.default_rng([*self._key, 2, lap])
        aside = config.start_lateral_std_m * random.standard_normal()
        turned = config.start_heading_std_rad * random.standard_normal()
        heading, (x, y) = float(line.heading_rad[0]), line.at(0.0)
        self.car.place(
            x - aside * math.sin(heading), y + aside * math.cos(heading), heading + turned,
            config.start_speed_m_s,
        )  # fmt: skip
        pose = self.car.pose
        self.projection = line.project(pose[0], pose[1], near=0)
        self.sensor.reset(pose, random)
        self._lap, self._windows, self._progress_m, self._stalled_s = lap, 0, 0.0, 0.0
        stamp_us = (self._stamp_ns + config.decision_ms * 1_000_000) // 1000
        nothing = EventBatch.empty(config.width, config.height, stamp_us)
        return self._observe(nothing, StepType.FIRST, False, False, 0.0)

    def step(self, command: Command) -> Observation:
        """Hold a command for one decision; ValueError where it is not finite."""
        if not self._running:
            raise RuntimeError('the lap is over: call reset before the next step')
        if not command.finite:
            raise ValueError(f'the command is not finite: {command}')
        poses = self.car.drive(command)
        events = self.sensor.expose(poses, self._stamp_ns // 1000, self._flicker())
        self._windows += 1
        before, line = self.projection, self.centre_line
        self.projection = line.project(poses[-1, 0], poses[-1, 1], near=before.segment)
        progress_m = line.progress(before.arc_m, self.projection.arc_m)
        self._progress_m += progress_m
        terminated = self._intervention()
        complete = self._progress_m >= line.length_m
        late = self._windows * self.decision_period_s >= self.config.time_limit_s - 1e-9
        truncated = not terminated and (complete or late)
        step_type = StepType.LAST if terminated or truncated else StepType.MID
        return self._observe(events, step_type, terminated, truncated, progress_m)

    def close(self) -> None:
        self._closed, self._running = True, False

    def _flicker(self) -> np.ndarray:
        """The flicker at the end of each sub-frame of the coming window."""
        config = self.config
        depth = FLICKER * math.log(self.shift.light)
        frames = self._windows * config.subframes + np.arange(1, config.subframes + 1)
        phase = 2.0 * math.pi * FLICKER_HZ * config.subframe_us * 1e-6 * frames
        self.flicker_log = (depth * np.sin(phase)).astype(np.float32)
        return self.flicker_log

    def _intervention(self) -> bool:
        """Whether somebody would have to carry the car back to the line."""
        config = self.config
        stalled = abs(self.car.speed_m_s) < config.stalled_speed_m_s
        self._stalled_s = self._stalled_s + self.decision_period_s if stalled else 0.0
        return (
            not abs(self.projection.lateral_m) <= config.off_line_m  # also where not a number
            or abs(self._heading_error()) > config.backwards_angle_rad
            or self._stalled_s > config.stalled_time_s + 1e-9
        )

    def _heading_error(self) -> float:
        return wrapped(float(self.car.pose[2]) - self.projection.heading_rad)

    def _observe(
        self, events: EventBatch, step_type: StepType, terminated: bool, truncated: bool,
        progress_m: float,
    ) -> Observation:  # fmt: skip
        self._running = step_type != StepType.LAST
        self._stamp_ns += self.config.decision_ms * 1_000_000
        lateral_m = self.projection.lateral_m
        closeness = 1.0 - abs(lateral_m) / self.config.closeness_m
        state = WorldState(
            stamp_ns=self._stamp_ns,
            lap=self._lap,
            step_type=step_type,
            terminated=terminated,
            truncated=truncated,
            task_reward=_float32(100.0 * closeness * progress_m / self.centre_line.length_m),
            lateral_error_m=_float32(lateral_m),
            heading_error_rad=_float32(self._heading_error()),
            speed_m_s=_float32(self.car.speed_m_s),
            progress_m=_float32(progress_m),
        )
        return Observation(events, state)


@functools.lru_cache(maxsize=2)
def _surroundings(
    config: LineConfig, light: float, seed: int, split: int
) -> tuple[CentreLine, FloorMap]:
    """Line and floor; the last ones are kept, because a floor takes about a second to paint."""
    random = np.random.default_rng([seed, split, 0])
    line = random_track(random, config, config.curvature_limit_1_m)
    rows = floor_rows(config)
    ahead = float(rows.ahead_m.max())
    aside = 0.5 * config.width * float(rows.step_m.max())
    margin = math.hypot(ahead, aside) + config.off_line_m
    return line, make_floor(line, config, margin, random, light)


def _float32(value: float) -> float:
    return float(np.float32(value))
