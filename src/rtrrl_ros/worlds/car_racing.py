"""CarRacing-v3 as a world: laps on random tracks, an image from above, a command per decision."""

import math

import numpy as np

from ..errors import UserError
from ..safety.command import Command
from .car_racing_config import SPLITS, CarRacingConfig, CarRacingShift, track_seed
from .car_racing_env import FastCarRacing, car_racing
from .centre_line import CentreLine, Projection, wrapped
from .contract import Observation, StepType, World, WorldState

#: half the width of the road, without the kerbs
HALF_WIDTH_M = car_racing.TRACK_WIDTH
FRAME_S = 1.0 / car_racing.FPS
FRAME_NS = 1_000_000_000 // car_racing.FPS


class CarRacingWorld(World):
    """CarRacing-v3 with continuous actions; it opens no window.

    Parameters
    ----------
    config : what is fixed
    shift : what differs from the world of the training
    seed : not negative; with the lap's index it decides the track
    split : 'evaluation' or 'training': their tracks are different ones

    Attributes
    ----------
    centre_line : of this lap's track, from the first `reset` on
    projection : the car's place on it at the newest observation
    """

    centre_line: CentreLine
    projection: Projection

    def __init__(
        self,
        config: CarRacingConfig | None = None,
        shift: CarRacingShift | None = None,
        seed: int = 0,
        split: str = 'evaluation',
    ) -> None:
        if seed < 0:
            raise UserError(f'seed = {seed}: must be 0 or greater')
        if split not in SPLITS:
            raise UserError(f'split = {split!r}: must be one of {", ".join(SPLITS)}')
        self.config = config or CarRacingConfig()
        self.shift = shift or CarRacingShift()
        self.decision_period_s = self.config.frame_skip * FRAME_S
        self._seed, self._split = seed, split
        self._env = FastCarRacing(
            self.config.lap_complete_percent, self.shift.engine_power, self.shift.friction
        )
        brightness = np.clip(np.round(np.arange(256) * self.shift.light), 0, 255)
        self._brightness = brightness.astype(np.uint8)
        self._stamp_ns = 0
        self._lap = -1
        self._running = self._closed = False

    # What an expert may see beside the image.

    @property
    def position_m(self) -> tuple[float, float]:
        """The hull's origin, between the axles."""
        x, y = self._env.car.hull.position
        return float(x), float(y)

    @property
    def heading_rad(self) -> float:
        """Where the car points, 0 along x, positive to the left; not wrapped."""
        return float(self._env.car.hull.angle) + 0.5 * math.pi

    @property
    def velocity_m_s(self) -> tuple[float, float]:
        """Forward and leftward speed of the hull."""
        hull = self._env.car.hull
        right, forward = hull.GetLocalVector(hull.linearVelocity)
        return float(forward), -float(right)

    @property
    def yaw_rate_rad_s(self) -> float:
        return float(self._env.car.hull.angularVelocity)

    @property
    def image(self) -> np.ndarray:
        """The newest observation's image, (96, 96, 3) uint8."""
        return self._image

    def reset(self, lap: int) -> Observation:
        if self._closed:
            raise RuntimeError('the world is closed')
        env = self._env
        picture, _ = env.reset(seed=track_seed(self._seed, lap, self._split))
        self.centre_line = CentreLine(np.array(env.track)[:, 2:4])
        self.projection = self.centre_line.project(*self.position_m)
        self._lap, self._running = lap, True
        self._frames_left = math.ceil(self.config.time_limit_s / FRAME_S - 1e-9)
        self._off_track_s = self._backwards_s = self._stalled_s = 0.0
        return self._observe(picture, StepType.FIRST, False, False, 0.0, 0.0)

    def step(self, command: Command) -> Observation:
        """Hold a command for the frames of one decision; ValueError where it is not finite."""
        if not self._running:
            raise RuntimeError('the lap is over: call reset before the next step')
        if not command.finite:
            raise ValueError(f'the command is not finite: {command}')
        env, action = self._env, self._action(command)
        reward, over, picture = 0.0, False, None
        for frame in range(self.config.frame_skip):
            # The lap may end with any frame, but only then is a frame before the last looked at.
            env.visible = frame == self.config.frame_skip - 1 or self._frames_left == 1
            picture, frame_reward, over, _, info = env.step(action)
            reward += float(frame_reward)
            self._frames_left -= 1
            if over or self._frames_left == 0:
                break
        if picture is None:
            picture = env.picture()
        before, self.projection = (
            self.projection,
            self.centre_line.project(*self.position_m, near=self.projection.segment),
        )
        progress_m = self.centre_line.progress(before.arc_m, self.projection.arc_m)
        complete = over and info['lap_finished']
        terminated = not complete and (over or self._intervention(progress_m))
        truncated = complete or (not terminated and self._frames_left == 0)
        step_type = StepType.LAST if terminated or truncated else StepType.MID
        return self._observe(picture, step_type, terminated, truncated, reward, progress_m)

    def close(self) -> None:
        if not self._closed:
            self._closed, self._running = True, False
            self._env.close()

    def _action(self, command: Command) -> np.ndarray:
        """Gymnasium's action: steering (positive to the right), gas, brake; (3,) float32."""
        steering = command.steering_angle_rad / self.config.max_steering_angle_rad
        steer = np.float32(np.clip(steering + self.shift.steering_offset, -1.0, 1.0))
        pedal = np.float32(
            np.clip(command.acceleration_m_s2 / self.config.max_acceleration_m_s2, -1.0, 1.0)
        )
        return np.array([-steer, max(pedal, 0.0), max(-pedal, 0.0)], dtype=np.float32)

    def _intervention(self, progress_m: float) -> bool:
        """Whether somebody would have to carry the car back to the road."""
        config = self.config
        lost = not any(wheel.tiles for wheel in self._env.car.wheels)
        self._off_track_s = self._off_track_s + self.decision_period_s if lost else 0.0
        error = wrapped(self.heading_rad - self.projection.heading_rad)
        backwards = abs(error) > config.backwards_angle_rad and progress_m < 0.0
        self._backwards_s = self._backwards_s + self.decision_period_s if backwards else 0.0
        stalled = abs(self.velocity_m_s[0]) < config.stalled_speed_m_s
        self._stalled_s = self._stalled_s + self.decision_period_s if stalled else 0.0
        return (
            self._off_track_s > config.off_track_time_s + 1e-9
            or self._backwards_s > config.backwards_time_s + 1e-9
            or self._stalled_s > config.stalled_time_s + 1e-9
            or abs(self.projection.lateral_m) > config.off_track_half_widths * HALF_WIDTH_M
        )

    def _observe(
        self,
        picture: np.ndarray,
        step_type: StepType,
        terminated: bool,
        truncated: bool,
        reward: float,
        progress_m: float,
    ) -> Observation:
        self._running = step_type != StepType.LAST
        self._stamp_ns += self.config.frame_skip * FRAME_NS
        state = WorldState(
            stamp_ns=self._stamp_ns,
            lap=self._lap,
            step_type=step_type,
            terminated=bool(terminated),
            truncated=bool(truncated),
            task_reward=_float32(reward),
            lateral_error_m=_float32(self.projection.lateral_m),
            heading_error_rad=_float32(wrapped(self.heading_rad - self.projection.heading_rad)),
            speed_m_s=_float32(self.velocity_m_s[0]),
            progress_m=_float32(progress_m),
        )
        self._image = picture if self.shift.light == 1.0 else self._brightness[picture]
        return Observation(self._image, state)


def _float32(value: float) -> float:
    return float(np.float32(value))
