import pytest

from rtrrl_ros.errors import UserError
from rtrrl_ros.worlds import TASKS, config_class, make_world, parse_shift, shift_class
from rtrrl_ros.worlds.car_racing import CarRacingConfig, CarRacingShift, CarRacingWorld


def test_every_task_makes_a_world_with_its_own_classes():
    for task in TASKS:
        world = make_world(task, config_class(task)(), shift_class(task)(), seed=1)
        assert world.decision_period_s > 0.0
        world.close()


def test_a_mapping_becomes_a_checked_configuration():
    shift = parse_shift('car-racing', ['light=2'])
    world = make_world('car-racing', {'frame_skip': 4}, shift, seed=2, split='training')
    assert isinstance(world, CarRacingWorld)
    assert world.config == CarRacingConfig(frame_skip=4)
    assert world.shift == CarRacingShift(light=2.0)
    assert world.decision_period_s == 0.08
    world.close()


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (('boat-racing',), 'known: car-racing'),
        (('car-racing', {'frame_skip': 0}), 'frame_skip'),
        (('car-racing', {'frames': 2}), 'unknown parameter'),
        (('car-racing', None, CarRacingConfig()), 'CarRacingShift'),
    ],
)
def test_mistakes_name_the_fix(arguments, words):
    with pytest.raises(UserError, match=words):
        make_world(*arguments)
