"""The graph of the simulated line car: the loop without ROS, bit for bit; and in real time."""

import dataclasses
import json
from pathlib import Path

import pytest
import yaml

from rtrrl_ros.checkpoint import load_checkpoint
from rtrrl_ros.configuration import load_task_config
from rtrrl_ros.driving.trial import Trial, run_trial
from rtrrl_ros.launching.description import describe
from rtrrl_ros.launching.runner import launch
from rtrrl_ros.nodes.line_node import SHIFT_NAMES
from rtrrl_ros.resources import find_resource
from rtrrl_ros.worlds.line import LineShift
from rtrrl_ros.worlds.shifts import parse_shift

LAPS = 2
LAP_S = 0.6


@pytest.fixture
def config(tmp_path) -> Path:
    """The shipped configuration with short laps, learned from at once."""
    document = yaml.safe_load(find_resource('config', 'line.yaml').read_text())
    changes = {
        'line_node': {'time_limit_s': LAP_S}, 'agent_node': {'warmup_laps': 0},
        'gate_node': {'max_age_s': 0.17},  # of the steady clock, also where the world is slow
    }  # fmt: skip
    for key, body in document.items():
        body['ros__parameters'] |= changes.get(key.rpartition('/')[2], {})
    path = tmp_path / 'config.yaml'
    path.write_text(yaml.safe_dump(document))
    return path


@pytest.fixture
def run(graph, untrained_line_model, config, tmp_path, monkeypatch):
    """Run the graph with these launch arguments; returns exit status, result and output."""
    for name, value in graph.environment.items():
        monkeypatch.setenv(name, value)

    def run(**arguments: str):
        out = tmp_path / 'out.json'
        output: list[tuple[str, str]] = []
        given = {'model': str(untrained_line_model), 'config': str(config), 'laps': str(LAPS)}
        given |= {'out': str(out), **arguments}
        status = launch('line.launch.xml', given, on_output=lambda *line: output.append(line))
        result = json.loads(out.read_text()) if out.is_file() else None
        out.unlink(missing_ok=True)
        return status, result, output

    return run


def without_ros(model: Path, config: Path, seed: int, shift: list[str]) -> list[dict]:
    """The laps of the same learning run in one process."""
    trial = Trial(
        'line', load_checkpoint(model), load_task_config('line', config),
        parse_shift('line', shift), seed=seed, laps=LAPS, learn=True, explore=True,
    )  # fmt: skip
    return run_trial(trial).to_json()['laps']


def test_learning_in_the_graph_equals_learning_in_one_process(run, untrained_line_model, config):
    arguments = {'learn': 'true', 'seed': '5', 'steering_offset': '0.1', 'light': '2.0'}
    first, second = run(**arguments), run(**arguments)
    shift = ['steering_offset=0.1', 'light=2.0']
    expected = without_ros(untrained_line_model, config, 5, shift)
    for status, result, output in (first, second):
        assert status == 0, output
        assert result['laps'] == expected
        assert result['learner']['updates'] == LAPS * round(LAP_S / 0.01)
        assert result['learner']['missed'] == result['lost_rewards'] == 0
        assert result['drive_latency'] == {}  # means nothing where the world waits
    assert first[1]['learner']['drift'] == second[1]['learner']['drift'] > 0.0


@pytest.mark.slow
def test_in_real_time_it_tells_how_long_it_takes_to_drive(run):
    # slowed down, so that this holds on a machine with other things to do
    status, result, output = run(learn='true', lockstep='false', real_time_factor='0.2')
    assert status == 0, output
    assert len(result['laps']) == LAPS
    assert result['learner']['updates'] > 60
    assert result['modes']['passed'] + result['modes']['limited'] > 60
    latency = result['drive_latency']
    assert 0.0 < latency['latency_p50_ms'] <= latency['latency_p99_ms'] <= latency['latency_max_ms']
    decisions = LAPS * (round(LAP_S / 0.01) + 1)
    assert decisions - 5 <= latency['in_time'] + latency['missed_deadlines'] <= decisions
    last = [line for label, line in output if label == 'line_node'][-1]
    assert 'from observation to drive: latency_p50_ms' in last


def line_node(**arguments: str) -> list[str]:
    """The command line of the world."""
    file = find_resource('launch', 'line.launch.xml')
    nodes = describe(file, {'model': 'm', **arguments}, {})
    (world,) = [node for node in nodes if node.label == 'line_node']
    return world.command


def test_the_launch_file_passes_every_shift():
    for field in dataclasses.fields(LineShift):
        name = SHIFT_NAMES.get(field.name, field.name)
        value = 'wood' if field.default == '' else '0.5'
        assert f'{name}:={value}' in line_node(**{field.name: value})


@pytest.mark.parametrize('file', ['line.launch.xml', 'sim.launch.xml'])
def test_everyone_is_told_whether_the_world_waits(file):
    for lockstep in ('true', 'false'):
        nodes = describe(find_resource('launch', file), {'model': 'm', 'lockstep': lockstep}, {})
        told = {node.label for node in nodes if f'lockstep:={lockstep}' in node.command}
        assert {'gate_node', 'policy_nodes'} < told
        assert told & {'line_node', 'car_racing_node'}


def test_a_bad_shift_fails_the_whole_with_the_reason(run):
    status, result, output = run(floor_texture='lava')
    assert (status, result) == (1, None)
    said = [line for label, line in output if label == 'line_node']
    assert any("floor = 'lava': must be one of" in line for line in said)
