"""What the car sees, in one picture: camera, events, and the car on its track from above."""

from pathlib import Path

import cv2
import numpy as np

from ...perception.events.contract import EventBatch
from ..contract import Observation
from .world import LineWorld

#: colours, (blue, green, red)
_ON, _OFF, _NOTHING = (230, 140, 40), (40, 60, 230), (245, 245, 245)
_LINE, _CAR, _TEXT = (60, 60, 60), (40, 60, 230), (20, 20, 20)
_GAP = 8


def draw(world: LineWorld, observation: Observation, scale: int = 2) -> np.ndarray:
    """Camera and events side by side, above them what is known, beside them the track.

    Parameters
    ----------
    observation : the newest of this world
    scale : size of a camera's pixel in the picture

    Returns
    -------
    (rows, columns, 3) uint8, blue first, as cv2 writes it.
    """
    camera = cv2.cvtColor(_camera(world), cv2.COLOR_GRAY2BGR)
    panels = [
        cv2.resize(panel, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
        for panel in (camera, event_picture(observation.events))
    ]
    panels.append(_from_above(world, panels[0].shape[0]))
    gap = np.full((panels[0].shape[0], _GAP, 3), 255, dtype=np.uint8)
    body = np.hstack([panels[0], gap, panels[1], gap, panels[2]])
    head = np.full((28, body.shape[1], 3), 255, dtype=np.uint8)
    state = observation.state
    words = (
        f'lap {state.lap}, {state.stamp_ns * 1e-9:.2f} s: {state.speed_m_s:.2f} m/s, '
        f'{100.0 * state.lateral_error_m:+.1f} cm left of the line, '
        f'steering {world.car.steering_angle_rad:+.2f} rad, {len(observation.events)} events in '
        f'{1e3 * world.decision_period_s:g} ms'
    )
    cv2.putText(head, words, (6, 19), cv2.FONT_HERSHEY_SIMPLEX, 0.5, _TEXT, 1, cv2.LINE_AA)
    return np.vstack([head, body])


def save(path: str | Path, world: LineWorld, observation: Observation, scale: int = 2) -> None:
    """Write `draw` to a PNG file; OSError where that is not possible."""
    if not cv2.imwrite(str(path), draw(world, observation, scale)):
        raise OSError(f'{path} cannot be written')


def event_picture(events: EventBatch) -> np.ndarray:
    """The newest event of each pixel: blue is ON, red is OFF; (height, width, 3) uint8."""
    image = np.full((events.height, events.width, 3), _NOTHING, dtype=np.uint8)
    image[events.y, events.x] = np.where(events.polarity[:, None], _ON, _OFF)
    return image


def _camera(world: LineWorld) -> np.ndarray:
    """What the photoreceptors see now, (height, width) uint8; white in normal light is 200."""
    brightness = 200.0 * np.sqrt(np.exp(world.sensor.filtered))
    brightness[: world.sensor.camera.rows.first] = 0.0
    return np.clip(brightness, 0, 255).astype(np.uint8)


def _from_above(world: LineWorld, size: int) -> np.ndarray:
    image = np.full((size, size, 3), 255, dtype=np.uint8)
    points = world.centre_line.points
    low, high = points.min(axis=0), points.max(axis=0)
    per_m = 0.86 * size / float((high - low).max())
    middle = 0.5 * (low + high)

    def pixels(places: np.ndarray) -> np.ndarray:
        """In 1/16 pixel, y up."""
        offset = (np.atleast_2d(places) - middle) * per_m * (1.0, -1.0) + 0.5 * size
        return np.rint(16.0 * offset).astype(np.int32)

    cv2.polylines(image, [pixels(points)], True, _LINE, 2, cv2.LINE_AA, 4)
    x, y, heading = world.car.pose
    forward, left = (
        np.array([np.cos(heading), np.sin(heading)]),
        np.array([-np.sin(heading), np.cos(heading)]),
    )
    length, half = 0.58, 0.155  # of the car, drawn three times as wide as it is
    corners = [forward * a + 3.0 * left * b for a, b in ((length, 0.0), (0.0, half), (0.0, -half))]
    cv2.fillPoly(image, [pixels(np.array([x, y]) + np.array(corners))], _CAR, cv2.LINE_AA, 4)
    return image
