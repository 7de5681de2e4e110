"""Whatever a user gets wrong is one clear line on stderr and exit status 2."""

import json
from pathlib import Path

import pytest

from rtrrl_ros.cli.main import main
from rtrrl_ros.resources import find_resource

MODEL = 'models/car-racing-lrcssm'


@pytest.fixture
def model() -> str:
    return str(find_resource('models', 'car-racing-lrcssm'))


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run `rtrrl` with these arguments; returns the one line that it must complain in."""
    try:
        status = main(arguments)
    except SystemExit as stop:  # argparse
        status = stop.code
    captured = capsys.readouterr()
    assert status == 2
    assert captured.out == ''
    lines = captured.err.splitlines()
    assert len(lines) == 1, captured.err
    return lines[0]


def test_a_missing_model(capsys, tmp_path: Path) -> None:
    line = complaint(capsys, 'evaluate', 'car-racing', '--model', str(tmp_path / 'no'))
    assert 'no model folder' in line


def test_a_truncated_model(capsys, tmp_path: Path, model: str) -> None:
    for name in ('config.json', 'model.safetensors'):
        data = (Path(model) / name).read_bytes()
        (tmp_path / name).write_bytes(data if name == 'config.json' else data[:1000])
    line = complaint(capsys, 'finetune', 'car-racing', '--model', str(tmp_path))
    assert 'truncated' in line


def test_a_model_of_another_shape(capsys, tmp_path: Path, model: str) -> None:
    config = json.loads((Path(model) / 'config.json').read_text())
    (tmp_path / 'config.json').write_text(json.dumps({**config, 'hidden_size': 33}))
    (tmp_path / 'model.safetensors').write_bytes((Path(model) / 'model.safetensors').read_bytes())
    line = complaint(capsys, 'evaluate', 'car-racing', '--model', str(tmp_path))
    assert 'shape' in line


@pytest.mark.parametrize(
    ('extra', 'word'),
    [
        (('--shift', 'wind=3'), 'steering_offset'),
        (('--shift', 'steering_offset'), 'NAME=VALUE'),
        (('--shift', 'steering_offset=left'), 'not a number'),
        (('--shift', 'light=nan'), 'light'),
        (('--set', 'actor_learning_rate=-1'), 'actor_learning_rate'),
        (('--set', 'gamma=1.2'), '[0, 1)'),
        (('--set', 'gamma=high'), 'float expected'),
        (('--set', 'gama=0.9'), 'gamma'),
        (('--laps', '0'), 'at least 1'),
        (('--laps', 'ten'), 'laps'),
        (('--seed', '-1'), 'seed'),
        (('--json', '/no/such/folder/x.json'), 'no such folder'),
        (('--config', '/no/such/file.yaml'), 'cannot be read'),
    ],
)
@pytest.mark.parametrize('command', ['evaluate', 'finetune'])
def test_a_bad_option(capsys, model: str, command: str, extra: tuple, word: str) -> None:
    line = complaint(capsys, command, 'car-racing', '--model', model, *extra)
    assert word in line


def test_an_unknown_task(capsys, model: str) -> None:
    assert 'car-racing' in complaint(capsys, 'evaluate', 'moon-racing', '--model', model)


def test_an_unknown_cell(capsys, tmp_path: Path) -> None:
    line = complaint(
        capsys, 'pretrain', 'car-racing', '--cell', 'lstm', '--out', str(tmp_path / 'new')
    )
    assert 'lrcssm' in line


def test_an_output_folder_that_is_not_new(capsys, tmp_path: Path, model: str) -> None:
    (tmp_path / 'old').mkdir()
    (tmp_path / 'old' / 'file').touch()
    for command in (
        ('finetune', 'car-racing', '--model', model, '--out', str(tmp_path / 'old')),
        ('pretrain', 'car-racing', '--out', str(tmp_path / 'old')),
        ('run', 'car-racing', '--model', model, '--out', str(tmp_path / 'old')),
    ):
        assert 'exists already' in complaint(capsys, *command)


def no_work(*arguments: object, **options: object) -> None:
    raise AssertionError('the work was begun')


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever takes hours must not be begun."""
    for name in (
        'imitation.line.pretrain', 'imitation.car_racing.pretrain', 'cli.trials.run_trial',
        'experiments.line_shift.run', 'experiments.car_racing_shift.run', 'experiments.pomdp.run',
        'experiments.stability.run',
    ):  # fmt: skip
        monkeypatch.setattr(f'rtrrl_ros.{name}', no_work)


COMMANDS_WITH_OUT = [
    ('pretrain', 'line'),
    ('pretrain', 'car-racing'),
    ('finetune', 'car-racing', '--model', MODEL),
    ('experiment', 'line-shift'),
    ('experiment', 'car-racing-shift'),
    ('experiment', 'pomdp'),
    ('experiment', 'stability'),
]


@pytest.mark.parametrize('command', COMMANDS_WITH_OUT, ids=' '.join)
@pytest.mark.parametrize('place', ['file/new', 'file/new/er', 'link/new'])
def test_an_output_that_cannot_be_made_is_told_before_the_work(
    capsys, tmp_path: Path, idle, command: tuple[str, ...], place: str
) -> None:
    (tmp_path / 'file').touch()
    (tmp_path / 'link').symlink_to(tmp_path / 'nowhere')
    line = complaint(capsys, *command, '--out', str(tmp_path / place))
    assert f'--out {tmp_path / place}: nothing can be made in {tmp_path}/{place[:4]};' in line


@pytest.mark.parametrize('command', COMMANDS_WITH_OUT, ids=' '.join)
def test_an_output_that_is_a_link_to_nothing(capsys, tmp_path: Path, idle, command: tuple) -> None:
    (tmp_path / 'link').symlink_to(tmp_path / 'nowhere')
    line = complaint(capsys, *command, '--out', str(tmp_path / 'link'))
    assert 'is no folder' in line or 'exists already' in line


def test_a_summary_that_cannot_be_written_is_told_before_the_work(
    capsys, tmp_path: Path, idle
) -> None:
    for file in ('no/folder.json', '.'):
        option = ('--json', str(tmp_path / file))
        line = complaint(capsys, 'pretrain', 'line', '--out', str(tmp_path / 'new'), *option)
        assert f'--json {tmp_path / file}: ' in line


@pytest.mark.parametrize(
    ('text', 'word'),
    [
        ('[1, 2]', 'node names'),
        ('agent_nod:\n  ros__parameters: {}\n', 'unknown node'),
        ('agent_node:\n  ros__parameters: {gamma: 1.5}\n', 'gamma'),
        ('agent_node:\n  ros__parameters: {gama: 0.5}\n', 'gama'),
        ('agent_node: {', 'cannot be read'),
        ('agent_node: 3', 'ros__parameters'),
        ('agent_node:\n  ros__parameters: 3\n', 'ros__parameters'),
    ],
)
def test_a_bad_configuration_file(capsys, tmp_path: Path, model: str, text, word) -> None:
    file = tmp_path / 'config.yaml'
    file.write_text(text)
    line = complaint(capsys, 'evaluate', 'car-racing', '--model', model, '--config', str(file))
    assert word in line
    assert str(file) in line


def test_a_configuration_file_that_is_no_text(capsys, tmp_path: Path, model: str) -> None:
    file = tmp_path / 'config.yaml'
    file.write_bytes('agent_node:  # \xfcber\n'.encode('latin-1'))
    line = complaint(capsys, 'evaluate', 'car-racing', '--model', model, '--config', str(file))
    assert f'{file} cannot be read' in line


def test_a_launch_argument_without_value(capsys) -> None:
    assert 'name:=value' in complaint(capsys, 'launch', 'sim.launch.xml', 'laps=3')


def test_help_shows_an_example_for_every_command(capsys) -> None:
    for command in ('pretrain', 'evaluate', 'finetune', 'run', 'launch'):
        with pytest.raises(SystemExit) as stop:
            main([command, '--help'])
        assert stop.value.code == 0
        assert 'Example: rtrrl ' + command in ' '.join(capsys.readouterr().out.split())


def test_a_graph_that_cannot_be_whole_is_not_left_running(capfd) -> None:
    assert main(['launch', 'sim.launch.xml', 'model:=/no/such/model']) == 1
    output = ''.join(capfd.readouterr())
    assert 'no model folder at /no/such/model' in output
    assert 'Traceback' not in output


@pytest.mark.parametrize(
    ('extra', 'word'),
    [
        (('--task', 'MemoryChain-5'), 'MemoryChain-4'),
        (('--set', 'gamma=1.5'), '[0, 1)'),
        (('--set', 'gama=0.9'), 'gamma'),
        (('--config', '/no/such/file.yaml'), '/no/such/file.yaml'),
        (('--seeds', '0'), 'at least 1'),
        (('--steps', 'many'), 'steps'),
        (('--cell', 'lstm'), 'lrcssm'),
    ],
)
@pytest.mark.parametrize('name', ['pomdp', 'stability'])
def test_a_bad_option_of_an_experiment(
    capsys, tmp_path: Path, name: str, extra: tuple, word: str
) -> None:
    line = complaint(capsys, 'experiment', name, '--out', str(tmp_path / 'new'), *extra)
    assert word in line
    assert not (tmp_path / 'new').exists()


def test_an_output_of_an_experiment_that_is_a_file(capsys, tmp_path: Path) -> None:
    (tmp_path / 'file').touch()
    for name in ('pomdp', 'stability', 'car-racing-shift'):
        line = complaint(capsys, 'experiment', name, '--out', str(tmp_path / 'file'))
        assert 'no folder' in line


@pytest.mark.parametrize(
    'command',
    [
        ('evaluate', 'line', '--model'),
        ('run', 'line', '--laps', '1', '--model'),
        ('experiment', 'line-shift', '--model'),
    ],
)
def test_a_model_of_another_task_is_refused(
    capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    model = str(find_resource('models', 'car-racing-lrcssm'))
    assert complaint(capsys, *command, model).endswith('was trained for car-racing, not for line')


@pytest.mark.parametrize(
    ('options', 'said'),
    [
        (('--shift', 'speedy=3'), "unknown parameter 'speedy'"),
        (('--shift', 'light=100'), 'light = 100.0: must be in [0.1, 16]'),
        (('--cell', 'lrcssm', '--model', 'x'), 'give it or --model'),
        (('--set', 'drift_anchor=worst'), 'must be one of pretrained, best'),
    ],
)
def test_bad_options_of_line_shift(
    capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str
) -> None:
    assert said in complaint(capsys, 'experiment', 'line-shift', *options)


@pytest.mark.parametrize('option', ['--topics', '--also'])
def test_a_topic_that_cannot_be(capsys, tmp_path: Path, option: str) -> None:
    line = complaint(capsys, 'record', str(tmp_path / 'bag'), option, 'camera/image-raw')
    assert "'camera/image-raw' is no name of a topic" in line


def test_the_main_job_looks_first_where_it_will_write(capsys, tmp_path: Path) -> None:
    (tmp_path / 'file').touch()
    line = complaint(capsys, 'run', 'line', '--out', str(tmp_path / 'file' / 'results'))
    assert 'nothing can be made in' in line
