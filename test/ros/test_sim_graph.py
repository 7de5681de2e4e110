"""The whole simulated graph: it does what the loop without ROS does, bit for bit, every time."""

import dataclasses
import json
from pathlib import Path

import pytest
import yaml

from rtrrl_ros.checkpoint import load_checkpoint
from rtrrl_ros.configuration import load_task_config
from rtrrl_ros.driving.trial import Trial, run_trial
from rtrrl_ros.launching.runner import launch
from rtrrl_ros.resources import find_resource
from rtrrl_ros.worlds.shifts import parse_shift

LAPS = 2


@pytest.fixture
def config(tmp_path) -> Path:
    """The shipped configuration with laps of two seconds that are learned from at once."""
    document = yaml.safe_load(find_resource('config', 'car_racing.yaml').read_text())
    changes = {'car_racing_node': {'time_limit_s': 2.0}, 'agent_node': {'warmup_laps': 0}}
    for key, body in document.items():
        body['ros__parameters'] |= changes.get(key.rpartition('/')[2], {})
    path = tmp_path / 'config.yaml'
    path.write_text(yaml.safe_dump(document))
    return path


@pytest.fixture
def run(graph, untrained_model, config, tmp_path, monkeypatch):
    """Run the graph with these launch arguments; returns exit status, result and output."""
    for name, value in graph.environment.items():
        monkeypatch.setenv(name, value)

    def run(**arguments: str):
        out = tmp_path / 'out.json'
        output: list[tuple[str, str]] = []
        given = {'model': str(untrained_model), 'config': str(config), 'laps': str(LAPS)}
        given |= {'out': str(out), **arguments}
        status = launch('sim.launch.xml', given, on_output=lambda *line: output.append(line))
        result = json.loads(out.read_text()) if out.is_file() else None
        out.unlink(missing_ok=True)
        return status, result, output

    return run


def without_ros(model: Path, config: Path, learn: bool, seed: int, shift: list[str]) -> list[dict]:
    """The laps of the same run in one process."""
    trial = Trial(
        'car-racing', load_checkpoint(model), load_task_config('car-racing', config),
        parse_shift('car-racing', shift), seed=seed, laps=LAPS, learn=learn, explore=learn,
    )  # fmt: skip
    return run_trial(trial).to_json()['laps']


def test_learning_in_the_graph_equals_learning_in_one_process(run, untrained_model, config):
    arguments = {'learn': 'true', 'seed': '5', 'steering_offset': '0.15'}
    first, second = run(**arguments), run(**arguments)
    expected = without_ros(untrained_model, config, True, 5, ['steering_offset=0.15'])
    for status, result, output in (first, second):
        assert status == 0, output
        assert result['laps'] == expected
        assert result['learner']['updates'] > 50
        assert result['lost_rewards'] == 0
    assert first[1]['learner']['drift'] == second[1]['learner']['drift'] > 0.0


@pytest.mark.slow
def test_another_seed_gives_another_run(run, untrained_model, config):
    status, result, _ = run(learn='true', seed='6')
    assert status == 0
    assert result['laps'] == without_ros(untrained_model, config, True, 6, [])
    assert result['laps'] != without_ros(untrained_model, config, True, 5, [])


@pytest.mark.slow
def test_the_frozen_policy_and_the_output_of_a_run(run, untrained_model, config, tmp_path):
    status, result, output = run(save_to=str(tmp_path / 'tuned'))
    assert status == 0
    assert result['laps'] == without_ros(untrained_model, config, False, 0, [])
    assert result['learner']['updates'] == 0
    assert not (tmp_path / 'tuned').exists()  # nothing was learned
    laps = [line for label, line in output if label == 'monitor_node' and line.startswith('lap ')]
    assert len(laps) == LAPS
    assert not [line for label, line in output if label == 'launch']


@pytest.mark.slow
def test_in_real_time_it_learns_too_and_saves_what_it_learned(run, untrained_model, tmp_path):
    tuned = tmp_path / 'tuned'
    status, result, output = run(
        learn='true', lockstep='false', real_time_factor='0.5', save_to=str(tuned)
    )
    assert status == 0, output
    assert len(result['laps']) == LAPS
    assert result['modes']['passed'] + result['modes']['limited'] > 20
    assert result['learner']['updates'] > 20
    before, after = load_checkpoint(untrained_model), load_checkpoint(tuned)
    assert after.config['finetuned']['updates'] == result['learner']['updates']
    changed = [k for k, v in before.tensors.items() if not v.equal(after.tensors[k])]
    assert changed and all(name.startswith(('actor.', 'critic.')) for name in changed)


def test_a_wrong_argument_starts_nothing(run):
    from rtrrl_ros.errors import UserError

    with pytest.raises(UserError, match="no argument 'lap'"):
        run(lap='3')


def test_a_bad_parameter_fails_the_whole_with_the_reason(run):
    status, result, output = run(friction='-1.0')
    assert (status, result) == (1, None)
    said = [line for label, line in output if label == 'car_racing_node']
    assert any('friction = -1.0: must be in (0, 4]' in line for line in said)
    assert ('launch', 'car_racing_node exited with status 2') in output


def test_the_launch_file_passes_every_shift():
    from rtrrl_ros.launching.description import describe
    from rtrrl_ros.worlds.car_racing import CarRacingShift

    names = [field.name for field in dataclasses.fields(CarRacingShift)]
    file = find_resource('launch', 'sim.launch.xml')
    shifted = dict.fromkeys(names, '0.5')
    (world,) = [
        node for node in describe(file, {'model': 'm', **shifted}, {})
        if node.label == 'car_racing_node'
    ]  # fmt: skip
    for name in names:
        assert f'{name}:=0.5' in world.command
