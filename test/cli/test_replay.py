"""`rtrrl replay`: what it asks the launch file for, and one line for every mistake."""

from pathlib import Path
from typing import Any

import pytest

from rtrrl_ros.bags.message_types import MessageTypes
from rtrrl_ros.bags.writing import BagWriter
from rtrrl_ros.cli.main import main
from rtrrl_ros.resources import find_resource

TYPES = MessageTypes()
MS = 1_000_000
EXECUTED, FEATURES, REWARD = (
    f'rtrrl_msgs/msg/{name}' for name in ('Executed', 'Features', 'Reward')
)
IMAGE, PACKET = 'sensor_msgs/msg/Image', 'event_camera_msgs/msg/EventPacket'


def header(stamp: int) -> Any:
    time = TYPES.make('builtin_interfaces/msg/Time', sec=0, nanosec=stamp)
    return TYPES.make('std_msgs/msg/Header', stamp=time, frame_id='')


def features(stamp: int, size: int = 32) -> bytes:
    import numpy as np

    data = np.zeros(size, np.float32)
    return TYPES.serialize(TYPES.make(FEATURES, header=header(stamp), seq=0, data=data), FEATURES)


def reward(stamp: int, first: bool) -> bytes:
    message = TYPES.make(
        REWARD, header=header(stamp), lap=0, step_type=0 if first else 1, terminated=False,
        truncated=False, reward=0.0, task_reward=0.0, lateral_error_m=0.0,
    )  # fmt: skip
    return TYPES.serialize(message, REWARD)


def executed(stamp: int) -> bytes:
    drive = TYPES.make(
        'ackermann_msgs/msg/AckermannDrive', steering_angle=0.0, steering_angle_velocity=0.0,
        speed=0.0, acceleration=0.0, jerk=0.0,
    )  # fmt: skip
    message = TYPES.make(EXECUTED, header=header(stamp), drive=drive, mode=0, reason='')
    return TYPES.serialize(message, EXECUTED)


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    """0.2 s of features, each with reward and executed command, from the start line on."""
    with BagWriter(tmp_path / 'bag') as writer:
        for topic, kind in (('features', FEATURES), ('reward', REWARD), ('executed', EXECUTED)):
            writer.add_topic(f'/{topic}', kind)
        for stamp in range(0, 201 * MS, 10 * MS):
            writer.write('/features', stamp, features(stamp))
            writer.write('/reward', stamp, reward(stamp, first=stamp == 0))
            writer.write('/executed', stamp, executed(stamp))
    return tmp_path / 'bag'


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The arguments of the launch that is asked for instead of running."""
    arguments: dict[str, str] = {}

    def launch(file: str, given: dict[str, str], **callbacks: Any) -> int:
        assert file == 'replay.launch.xml'
        arguments.update(given)
        return 0

    monkeypatch.setattr('rtrrl_ros.launching.runner.launch', launch)
    return arguments


@pytest.fixture
def model() -> str:
    return str(find_resource('models', 'line-lrcssm'))


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    try:
        status: Any = main(['replay', *arguments])
    except SystemExit as stop:
        status = stop.code
    captured = capsys.readouterr()
    assert status == 2
    (line,) = captured.err.splitlines()
    return line


def test_alone_it_is_the_player(bag, launched) -> None:
    assert main(['replay', str(bag), '--rate', '2', '--start', '0.1', '--loop', '--paused']) == 0
    assert launched == {
        'bag': str(bag), 'rate': '2.0', 'start': '0.1', 'loop': 'true', 'paused': 'true',
        'max_gap': '3600.0', 'graph': 'false',
    }  # fmt: skip


def test_the_agent_of_a_bag_without_events_hears_recorded_features(bag, launched, model) -> None:
    assert main(['replay', str(bag), '--model', model, '--lockstep', '--learn']) == 0
    assert launched['sensor'] == 'features'
    assert launched['agent_lockstep'] == launched['learn'] == 'true'
    assert launched['config'].endswith('config/line.yaml')


def test_an_agent_has_the_parameters_of_its_cell(bag, launched) -> None:
    assert main(['replay', str(bag), '--model', str(find_resource('models', 'line-ctrnn'))]) == 0
    assert launched['config'].endswith('config/line_ctrnn.yaml')


def test_an_agent_never_waits_for_what_the_bag_lacks(
    bag, launched, model, tmp_path, capsys
) -> None:
    with BagWriter(tmp_path / 'gap') as writer:
        writer.add_topic('/features', FEATURES)
        writer.add_topic('/reward', REWARD)
        writer.add_topic('/executed', EXECUTED)
        for stamp in range(0, 50 * MS, 10 * MS):
            writer.write('/features', stamp, features(stamp))
            if stamp != 20 * MS:
                writer.write('/reward', stamp, reward(stamp, first=stamp == 0))
            writer.write('/executed', stamp, executed(stamp))
    assert main(['replay', str(tmp_path / 'gap'), '--model', model, '--lockstep']) == 0
    assert launched['agent_lockstep'] == 'false'
    assert '1 of 5 observations have no reward' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('arguments', 'said'),
    [
        (('--rate', '0'), 'must be in'),
        (('--start', '-1'), 'must be in'),
        (('--start', '5'), 'the bag is 0.2 s long'),
        (('--lockstep',), '--lockstep: needs --model'),
        (('--learn',), '--learn: needs --model'),
        (('--save-to', 'x'), '--save-to: needs --model'),
        (('--model', '/no/such'), 'no model folder at /no/such'),
        (('--model', 'MODEL', '--save-to', 'x'), '--save-to: needs --learn'),
        (('--model', 'MODEL', '--learn', '--save-to', '/'), 'exists already'),
        (('--model', 'MODEL', '--config', '/no.yaml'), '--config /no.yaml: no such file'),
        (('--model', 'IMAGES'), 'features have 32 numbers where the model has'),
        (('--exact', '--rate', '2'), '--rate: has no meaning with --exact'),
        (('--exact', '--learner', 'gamma=0.9'), 'give one of them'),
        (('--png', 'x.png'), '--png: needs --exact or --learner'),
    ],
)
def test_a_mistake_is_one_line(capsys, bag, launched, model, arguments, said) -> None:
    models = {'MODEL': model, 'IMAGES': str(find_resource('models', 'car-racing-lrcssm'))}
    line = complaint(capsys, str(bag), *(models.get(word, word) for word in arguments))
    assert said in line
    assert not launched


def test_a_bag_that_cannot_be_played(capsys, launched, tmp_path) -> None:
    assert 'no such file' in complaint(capsys, str(tmp_path / 'none'))
    BagWriter(tmp_path / 'empty').close()
    assert 'not a single message' in complaint(capsys, str(tmp_path / 'empty'))
    assert not launched


def test_a_bag_without_rewards_cannot_be_learned_from(capsys, launched, model, tmp_path) -> None:
    with BagWriter(tmp_path / 'bag') as writer:
        writer.add_topic('/features', FEATURES)
        writer.write('/features', 0, features(0))
    arguments = (str(tmp_path / 'bag'), '--model', model)
    assert 'nothing can be learned' in complaint(capsys, *arguments, '--learn')
    assert main(['replay', *arguments, '--lockstep']) == 0
    assert launched['agent_lockstep'] == 'false'


def test_a_bag_of_something_else_says_what_it_has(capsys, launched, model, tmp_path) -> None:
    with BagWriter(tmp_path / 'bag') as writer:
        writer.add_topic('/executed', EXECUTED)
        writer.write('/executed', 0, executed(0))
    line = complaint(capsys, str(tmp_path / 'bag'), '--model', model)
    assert 'neither /event_camera/events nor /features' in line
    assert line.endswith('the bag has /executed')
