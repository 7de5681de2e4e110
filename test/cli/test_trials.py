"""evaluate and finetune as a user runs them, on a few decisions of real CarRacing."""

import json
from pathlib import Path

import pytest
import yaml

from rtrrl_ros.checkpoint import load_checkpoint
from rtrrl_ros.cli.main import main
from rtrrl_ros.resources import find_resource


@pytest.fixture
def model() -> str:
    return str(find_resource('models', 'car-racing-lrcssm'))


@pytest.fixture
def short(tmp_path: Path) -> str:
    """The shipped configuration with laps of two seconds, learning from the first on."""
    document = yaml.safe_load(find_resource('config', 'car_racing.yaml').read_text())
    document['/**/car_racing_node']['ros__parameters']['time_limit_s'] = 2.0
    document['/**/agent_node']['ros__parameters']['warmup_laps'] = 0
    (tmp_path / 'short.yaml').write_text(yaml.safe_dump(document))
    return str(tmp_path / 'short.yaml')


def drive(tmp_path: Path, *arguments: str) -> dict:
    file = tmp_path / 'result.json'
    assert main([*arguments, '--json', str(file)]) == 0
    result = json.loads(file.read_text())
    del result['seconds']
    return result


def test_the_json_has_the_contract_s_fields(tmp_path: Path, model: str, short: str) -> None:
    result = drive(
        tmp_path, 'evaluate', 'car-racing', '--model', model, '--config', short, '--laps', '2',
        '--shift', 'light=0.8', '--seed', '4',
    )  # fmt: skip
    assert result['task'] == 'car-racing'
    assert result['cell'] == 'lrcssm'
    assert result['seed'] == 4
    assert result['shift'] == {'light': 0.8}
    assert [lap['lap'] for lap in result['laps']] == [0, 1]
    for lap in result['laps']:
        assert set(lap) == {
            'lap', 'steps', 'return', 'mean_abs_lateral_error_m', 'interventions', 'rolled_back'
        }  # fmt: skip
        assert 0.0 <= lap['mean_abs_lateral_error_m'] < 10.0
        assert lap['steps'] == 50


@pytest.mark.parametrize('command', ['evaluate', 'finetune'])
def test_the_seed_decides_every_number(
    tmp_path: Path, model: str, short: str, command: str
) -> None:
    def run(seed: str) -> dict:
        return drive(
            tmp_path, command, 'car-racing', '--model', model, '--config', short, '--laps', '2',
            '--seed', seed,
        )  # fmt: skip

    first = run('1')
    assert run('1') == first
    assert run('2')['laps'] != first['laps']


def test_exploration_is_the_only_difference_before_anything_is_learned(
    tmp_path: Path, model: str, short: str
) -> None:
    shared = ('car-racing', '--model', model, '--config', short, '--laps', '1', '--seed', '5')
    explored = drive(tmp_path, 'evaluate', *shared, '--explore')
    warm = drive(tmp_path, 'finetune', *shared, '--set', 'warmup_laps=1')
    assert explored['laps'] == warm['laps']
    assert drive(tmp_path, 'evaluate', *shared)['laps'] != explored['laps']


def test_learning_that_did_not_pay_rests_and_every_lap_is_the_frozen_policy_s(
    tmp_path: Path, model: str, short: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shared = ('car-racing', '--model', model, '--config', short, '--laps', '6')
    frozen = drive(tmp_path, 'evaluate', *shared)['laps']
    tuned = drive(tmp_path, 'finetune', *shared, '--set', 'probation_laps=4')['laps']
    assert 'lap   4' in (told := capsys.readouterr().err)
    assert told.count('the weights from before drive on') == 1
    assert [lap['rolled_back'] for lap in tuned] == [False] * 3 + [True] + [False] * 2
    assert all(tuned[index] != frozen[index] for index in range(4))
    assert tuned[4:] == frozen[4:]


def test_the_tuned_model_is_saved_and_drives(tmp_path: Path, model: str, short: str) -> None:
    out = tmp_path / 'tuned'
    drive(
        tmp_path, 'finetune', 'car-racing', '--model', model, '--config', short, '--laps', '1',
        '--out', str(out),
    )  # fmt: skip
    before, after = load_checkpoint(model), load_checkpoint(out)
    assert not before.tensors['actor.head.bias'].equal(after.tensors['actor.head.bias'])
    assert before.tensors['encoder.linear.bias'].equal(after.tensors['encoder.linear.bias'])
    drive(tmp_path, 'evaluate', 'car-racing', '--model', str(out), '--config', short, '--laps', '1')
