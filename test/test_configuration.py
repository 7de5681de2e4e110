import pytest

from rtrrl_ros.configuration import WORLD_NODES, load_task_config
from rtrrl_ros.errors import UserError
from rtrrl_ros.worlds import TASKS, config_class


@pytest.mark.parametrize('task', TASKS)
def test_every_task_has_a_file_for_its_own_world(task):
    config = load_task_config(task)
    assert type(config.world) is config_class(task)
    assert config.gate.max_steering_angle_rad == config.actuation.max_steering_angle_rad


def test_cells_of_the_line_differ_in_what_was_tuned_for_them():
    common = load_task_config('line')
    for cell in ('lrcssm', 'lru', ''):
        assert load_task_config('line', cell=cell) == common
    assert load_task_config('line', cell='ctrnn') == common.with_learner(
        {'actor_learning_rate': 8e-5}
    )


def test_a_world_without_a_section_has_its_defaults(tmp_path):
    path = tmp_path / 'line.yaml'
    path.write_text('/**/reward_node:\n  ros__parameters:\n    kind: closeness\n')
    config = load_task_config('line', path)
    assert config.world == config_class('line')()
    assert config.reward.kind == 'closeness'


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        (f'/**/{WORLD_NODES["car-racing"]}:\n  ros__parameters:\n    frame_skip: 2\n', 'line_node'),
        ('/**/line_node:\n  ros__parameters:\n    widht: 346\n', 'widht'),
        ('/**/line_node:\n  ros__parameters:\n    width: 5\n', 'width = 5'),
        ('/**/line_node:\n  ros__parameters:\n    subframe_us: 1500\n', 'must divide'),
        ('/**/line_node:\n  ros__parameters:\n    floor_texture: grass\n', 'one of'),
    ],
)
def test_a_mistake_in_the_file_of_another_task_names_it(tmp_path, text, words):
    path = tmp_path / 'line.yaml'
    path.write_text(text)
    with pytest.raises(UserError, match=words):
        load_task_config('line', path)
