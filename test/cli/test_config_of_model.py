"""Every command that is given a model takes the parameters that were tuned for its cell."""

from pathlib import Path
from typing import Any

import pytest

from rtrrl_ros.cli import trials
from rtrrl_ros.cli.main import main
from rtrrl_ros.configuration import TaskConfig
from rtrrl_ros.errors import UserError
from rtrrl_ros.resources import find_resource

RATES = {'lrcssm': 4e-5, 'lru': 4e-5, 'ctrnn': 8e-5}


def config_driven(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> TaskConfig:
    """The configuration of the trial that a command would drive."""
    asked: list[TaskConfig] = []

    def run_trial(trial: Any, *callbacks: Any) -> None:
        asked.append(trial.config)
        raise UserError('known: driving it would take a minute')

    monkeypatch.setattr(trials, 'run_trial', run_trial)
    assert main(arguments) == 2
    return asked[0]


@pytest.mark.parametrize('cell', RATES)
@pytest.mark.parametrize('command', ['evaluate', 'finetune'])
def test_without_ros(monkeypatch: pytest.MonkeyPatch, command: str, cell: str) -> None:
    drive = (command, 'line', '--model', str(find_resource('models', f'line-{cell}')))
    assert config_driven(monkeypatch, *drive).learner.actor_learning_rate == RATES[cell]
    given = ('--config', str(find_resource('config', 'line.yaml')))
    assert config_driven(monkeypatch, *drive, *given).learner.actor_learning_rate == 4e-5


@pytest.mark.parametrize(
    ('task', 'model', 'file'),
    [
        ('line', 'line-lrcssm', 'line.yaml'),
        ('line', 'line-ctrnn', 'line_ctrnn.yaml'),
        ('car-racing', 'car-racing-lrcssm', 'car_racing.yaml'),
    ],
)
def test_through_ros(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, task: str, model: str, file: str
) -> None:
    given: dict[str, str] = {}

    def launch(name: str, arguments: dict[str, str], **callbacks: Any) -> int:
        given.update(arguments)
        return 1

    monkeypatch.setattr('rtrrl_ros.launching.runner.launch', launch)
    folder = str(find_resource('models', model))
    assert main(('run', task, '--model', folder, '--out', str(tmp_path / 'out'))) == 1
    assert given['config'] == str(find_resource('config', file).resolve())
