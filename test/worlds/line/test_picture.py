import cv2
import numpy as np
import pytest

from rtrrl_ros.perception.events import EventBatch
from rtrrl_ros.worlds.line import LineConfig, LineExpert, LineWorld, picture

FAST = LineConfig(texel_m=0.01, width=86, height=64, focal_length_px=54.0)


def test_a_picture_shows_camera_events_and_track(tmp_path):
    world = LineWorld(FAST)
    expert, observation = LineExpert(world), world.reset(0)
    for _ in range(60):
        observation = world.step(expert.act(observation.stamp_ns))
    path = tmp_path / 'line.png'
    picture.save(path, world, observation, scale=2)
    image = cv2.imread(str(path))
    assert image.shape == (28 + 128, 2 * 172 + 8 + 8 + 128, 3)
    camera, above = image[28:, :172].astype(int), image[28:, -128:].astype(int)
    assert camera.min() < 80 and camera.max() > 120, 'a dark line on a brighter floor'
    assert np.any(above[..., 2] - above[..., 0] > 100), 'the car is red'
    with pytest.raises(OSError, match='nowhere'):
        picture.save(tmp_path / 'nowhere' / 'line.png', world, observation)


def test_on_is_blue_off_is_red_and_the_newest_counts():
    pixels = np.array([1, 2, 2], np.uint16)
    events = EventBatch(np.array([10, 20, 30]), pixels, pixels, np.array([True, True, False]), 4, 3)
    image = picture.event_picture(events).astype(int)
    assert image[1, 1, 0] > image[1, 1, 2] and image[2, 2, 2] > image[2, 2, 0]
    assert (image[0] == image[0, 0]).all()
