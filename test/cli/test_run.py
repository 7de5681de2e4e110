"""The main job as `make run` starts it, one lap a phase, through the real graph."""

import json
from pathlib import Path

import pytest

from rtrrl_ros.checkpoint import load_checkpoint
from rtrrl_ros.cli.main import main
from rtrrl_ros.resources import find_resource


def run_job(task: str, out: Path, monkeypatch: pytest.MonkeyPatch, graph) -> dict:
    """One lap for each phase; the document that `rtrrl run` wrote."""
    for name, value in graph.environment.items():
        monkeypatch.setenv(name, value)
    laps = ('--laps', '1', '--frozen-laps', '1', '--shifted-laps', '1')
    assert main(('run', task, *laps, '--out', str(out))) == 0
    document = json.loads((out / 'run.json').read_text())
    assert list(document['phases']) == ['frozen', 'frozen, shifted', 'tuned, shifted']
    assert (out / 'laps.png').read_bytes().startswith(b'\x89PNG')
    return document


def alone(task: str, model: str, tmp_path: Path) -> list[dict]:
    """The first lap of the command without ROS, which the graph must drive as well."""
    result = tmp_path / 'alone.json'
    options = ('--model', model, '--laps', '1', '--json', str(result))
    assert main(('evaluate', task, *options)) == 0
    return json.loads(result.read_text())['laps']


def changed(model: str, out: Path) -> set[str]:
    """Names of the weights that are not those of the model any more."""
    before, after = load_checkpoint(model), load_checkpoint(out / 'tuned')
    return {name for name, v in before.tensors.items() if not v.equal(after.tensors[name])}


def test_the_main_job_reports_what_it_drove(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], graph
) -> None:
    document = run_job('line', tmp_path / 'run', monkeypatch, graph)
    model = str(find_resource('models', 'line-lrcssm'))
    phases = document['phases']
    assert document['shift'] == {'steering_offset': 0.1}
    assert phases['frozen']['laps'] == alone('line', model, tmp_path)
    errors = {name: p['laps'][0]['mean_abs_lateral_error_m'] for name, p in phases.items()}
    assert errors['frozen, shifted'] > 2.0 * errors['frozen']
    assert {name.split('.')[0] for name in changed(model, tmp_path / 'run')} == {'actor', 'critic'}
    assert 0 < document['memory_peak_bytes'] < 2 * 2**30
    said = capfd.readouterr().out
    assert 'The mean absolute lateral error in cm: the shift makes it' in said
    assert 'Memory of the whole graph' in said


@pytest.mark.slow
def test_the_same_in_car_racing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, graph) -> None:
    document = run_job('car-racing', tmp_path / 'run', monkeypatch, graph)
    model = str(find_resource('models', 'car-racing-lrcssm'))
    phases = document['phases']
    assert document['shift'] == {'steering_offset': 0.15}
    assert phases['frozen']['laps'] == alone('car-racing', model, tmp_path)
    assert phases['frozen, shifted']['laps'] != phases['frozen']['laps']
    assert document['speed']['graph_to_stock'] < 1.25
    # one lap is the critic's warm-up: only the critic has learned
    names = changed(model, tmp_path / 'run')
    assert names and all(name.startswith('critic.') for name in names)
