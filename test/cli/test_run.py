"""The main job as `make run` starts it, one lap a phase, through the real graph."""

import json
from pathlib import Path

import pytest

from rtrrl_ros.checkpoint import load_checkpoint
from rtrrl_ros.cli.main import main
from rtrrl_ros.resources import find_resource


def test_the_main_job_reports_what_it_drove(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], graph
) -> None:
    for name, value in graph.environment.items():
        monkeypatch.setenv(name, value)
    out = tmp_path / 'run'
    arguments = ('run', 'car-racing', '--laps', '1', '--frozen-laps', '1', '--out', str(out))
    assert main(arguments) == 0
    document = json.loads((out / 'run.json').read_text())
    phases = document['phases']
    assert list(phases) == ['frozen', 'frozen, shifted', 'tuned, shifted']
    assert document['shift'] == {'steering_offset': 0.15}
    # the graph drives what the command without ROS drives
    alone = tmp_path / 'alone.json'
    model = str(find_resource('models', 'car-racing-lrcssm'))
    evaluate = ('evaluate', 'car-racing', '--model', model, '--laps', '1', '--json', str(alone))
    assert main(evaluate) == 0
    assert phases['frozen']['laps'] == json.loads(alone.read_text())['laps']
    assert phases['frozen, shifted']['laps'] != phases['frozen']['laps']
    # the targets of the graph
    assert 0 < document['memory_peak_bytes'] < 2 * 2**30
    assert document['speed']['graph_to_stock'] < 1.25
    # one lap is the critic's warm-up: only the critic has learned
    before, after = load_checkpoint(model), load_checkpoint(out / 'tuned')
    changed = {name for name, v in before.tensors.items() if not v.equal(after.tensors[name])}
    assert changed and all(name.startswith('critic.') for name in changed)
    assert (out / 'laps.png').read_bytes().startswith(b'\x89PNG')
    said = capfd.readouterr().out
    assert 'The return: the shift takes' in said
    assert 'Memory of the whole graph' in said
