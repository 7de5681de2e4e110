"""launch/car.launch.xml: what each stage starts, and that only two of them can move the car."""

import pytest
import yaml

from rtrrl_ros.errors import UserError
from rtrrl_ros.launching.description import describe
from rtrrl_ros.resources import find_resource

GIVEN = {'model': 'MODEL', 'reference': 'LINE.csv', 'drivers': 'false'}
OURS = {'gate_node', 'track_reward_node', 'policy_nodes', 'monitor_node'}
STAGES = ('replay', 'shadow', 'low-speed', 'full')


def nodes(**arguments):
    file = find_resource('launch', 'car.launch.xml')
    described = describe(file, {**GIVEN, **arguments}, {})
    return {node.label: node.command for node in described}


def value(command, name):
    """The value of a parameter or remapping on a command line; the last one holds."""
    found = [word.split(':=', 1)[1] for word in command if word.startswith(f'{name}:=')]
    return found[-1] if found else None


@pytest.mark.parametrize('stage', STAGES)
def test_every_stage_has_the_gate_with_its_deadman(stage):
    started = nodes(stage=stage)
    assert set(started) == OURS
    assert value(started['gate_node'], 'require_deadman') == 'true'


@pytest.mark.parametrize('stage', ['replay', 'shadow'])
@pytest.mark.parametrize('topic', ['drive', '/car/drive'])
def test_replay_and_shadow_cannot_reach_drive(stage, topic):
    for label, command in nodes(stage=stage, drive_topic=topic).items():
        targets = [word.split(':=', 1)[1] for word in command if ':=' in word]
        assert topic not in targets, label
    output = value(nodes(stage=stage, drive_topic=topic)['gate_node'], 'drive')
    assert output == f'{stage}/drive_without_effect'


@pytest.mark.parametrize(('stage', 'speed'), [('low-speed', 0.8), ('full', 1.9)])
def test_the_driving_stages_reach_drive_at_their_speed(stage, speed):
    started = nodes(stage=stage, drive_topic='/car/drive', speed='1.9')
    assert value(started['gate_node'], 'drive') == '/car/drive'
    assert float(value(started['gate_node'], 'max_speed_m_s')) == speed
    assert float(value(started['policy_nodes'], 'speed_m_s')) == speed


@pytest.mark.parametrize('stage', STAGES)
def test_only_a_bag_is_played_with_its_own_clock(stage):
    for command in nodes(stage=stage).values():
        assert value(command, 'use_sim_time') == ('true' if stage == 'replay' else 'false')


def test_the_stage_replay_hears_what_rtrrl_replay_publishes_and_the_others_the_car():
    for stage, sensed, others in (('replay', 'replay/', 'recorded/'), ('full', '', '')):
        started = nodes(stage=stage)
        events = value(started['policy_nodes'], '/event_camera/events')
        assert events == f'/{sensed}event_camera/events'
        assert value(started['track_reward_node'], 'odom') == f'{sensed}odom'
        assert value(started['gate_node'], 'joy') == f'{others}joy'
        assert value(started['gate_node'], 'teleop') == f'{others}teleop'
    # as `ros2 bag play` publishes it
    again = nodes(stage='replay', events_topic='/event_camera/events', odom_topic='odom')
    assert value(again['policy_nodes'], '/event_camera/events') == '/event_camera/events'
    assert value(again['track_reward_node'], 'odom') == 'odom'


@pytest.fixture
def car(tmp_path, monkeypatch):
    """The packages of a car, as far as a launch file sees them."""
    programs = {
        'joy': ['joy_node'], 'joy_teleop': ['joy_teleop'], 'vesc_driver': ['vesc_driver_node'],
        'vesc_ackermann': ['ackermann_to_vesc_node', 'vesc_to_odom_node'],
        'ackermann_mux': ['ackermann_mux'], 'f1tenth_stack': [],
    }  # fmt: skip
    for package, executables in programs.items():
        marker = tmp_path / 'share/ament_index/resource_index/packages' / package
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
        for executable in executables:
            path = tmp_path / 'lib' / package / executable
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text('#!/bin/sh\n')
            path.chmod(0o755)
    configs = tmp_path / 'share/f1tenth_stack/config'
    configs.mkdir(parents=True)
    for name in ('joy_teleop', 'vesc', 'mux'):
        (configs / f'{name}.yaml').write_text('{}')
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path))


BASE = {'vesc_driver_node', 'ackermann_to_vesc_node', 'vesc_to_odom_node', 'ackermann_mux'}


@pytest.mark.usefixtures('car')
def test_the_drivers_of_the_car_are_started_unless_told_otherwise():
    drivers = {'dv_camera_node', 'joy', 'joy_teleop', *BASE}
    for stage in ('shadow', 'low-speed', 'full'):
        assert set(nodes(stage=stage, drivers='true')) == OURS | drivers
    assert set(nodes(stage='replay', drivers='true')) == OURS
    without = nodes(stage='full', drivers='true', camera='false', base='false')
    assert set(without) == OURS | {'joy', 'joy_teleop'}


def test_nothing_is_learned_where_commands_have_no_effect():
    for stage, learns in zip(STAGES, ('false', 'false', 'true', 'true'), strict=True):
        assert value(nodes(stage=stage, learn='true')['policy_nodes'], 'learn') == learns
        assert value(nodes(stage=stage)['policy_nodes'], 'learn') == 'false'


@pytest.mark.usefixtures('car')
def test_the_camera_publishes_where_the_encoder_listens():
    started = nodes(stage='full', drivers='true', events_topic='/front/events')
    for name in ('dv_camera_node', 'policy_nodes'):
        assert value(started[name], '/event_camera/events') == '/front/events'


def test_the_reward_from_frames_needs_no_reference():
    started = nodes(stage='shadow', reward='frame', reference='')
    assert set(started) == OURS - {'track_reward_node'} | {'frame_reward_node'}


def test_a_stage_must_be_named_and_known():
    with pytest.raises(UserError, match="'stage' is required"):
        nodes()
    with pytest.raises(UserError, match='stage:=fast: must be one of replay, shadow'):
        nodes(stage='fast')


def test_the_parameter_file_holds_only_what_the_nodes_know():
    """Misspelt limits would be refused on the car; here already."""
    import dataclasses

    from rtrrl_ros.driving.actuation import Actuation
    from rtrrl_ros.learning.config import LearnerConfig
    from rtrrl_ros.nodes.frame_reward_node import FrameRewardNode
    from rtrrl_ros.nodes.gate_node import GateNode
    from rtrrl_ros.nodes.track_reward_node import TrackRewardNode

    sections = {
        'gate_node': GateNode.sections, 'track_reward_node': TrackRewardNode.sections,
        'frame_reward_node': FrameRewardNode.sections, 'agent_node': (Actuation, LearnerConfig),
    }  # fmt: skip
    document = yaml.safe_load(find_resource('config', 'car.yaml').read_text())
    assert {key.rpartition('/')[2] for key in document} == set(sections)
    for key, body in document.items():
        values = dict(body['ros__parameters'])
        for section in sections[key.rpartition('/')[2]]:
            names = {field.name for field in dataclasses.fields(section)} & set(values)
            section(**{name: values.pop(name) for name in names})
        assert not values, key
