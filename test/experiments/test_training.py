"""Training on a task: it learns, stops when it should, and is the same twice."""

import dataclasses
from pathlib import Path

import pytest

from rtrrl_ros.errors import UserError
from rtrrl_ros.experiments import pomdp
from rtrrl_ros.experiments.training import train
from rtrrl_ros.resources import find_resource

SETTINGS = pomdp.load_settings(find_resource('config', 'pomdp.yaml'), {})


def run(task: str, seed: int = 100, **options):
    training = dataclasses.replace(SETTINGS.training, **options)
    return train(task, 'lru', SETTINGS.cells['lru'], SETTINGS.learner, training, seed)


def test_memory_over_16_steps_is_learned_with_the_shipped_settings() -> None:
    result = run('MemoryChain-16', steps=100_000)
    assert result.best == 1.0
    assert result.fresh >= 0.98
    assert result.refused == 0
    assert result.curve[-1][0] == result.steps < 100_000  # it stops where no more can be had


def test_the_same_seed_gives_the_same_curve() -> None:
    options = {'steps': 3000, 'evaluate_every': 1000, 'evaluation_episodes': 5}
    one, two, other = (run('CartPole-pos', seed, **options) for seed in (1, 1, 2))
    assert one.curve == two.curve
    assert one.curve != other.curve


def test_patience_ends_what_does_not_get_better() -> None:
    options = {'evaluate_every': 500, 'evaluation_episodes': 2, 'patience': 3}
    result = run('DeepSea-16', steps=200_000, **options)  # nobody finds the treasure by chance
    assert 3 <= len(result.curve) < 50


def test_table_and_picture_of_an_experiment(tmp_path: Path) -> None:
    settings = pomdp.load_settings(
        find_resource('config', 'pomdp.yaml'), {'steps': 400, 'evaluate_every': 200}
    )
    arguments = {
        'tasks': ['MemoryChain-4', 'MountainCarContinuous'], 'cells': ['lru'], 'seeds': [0, 1],
        'workers': 2, 'on_run': lambda done, total: None,
    }  # fmt: skip
    rows = pomdp.run(tmp_path, settings, **arguments)
    assert [row.task for row in rows] == arguments['tasks']
    text = (tmp_path / 'table.md').read_text()
    assert '| MemoryChain-4 | ' in text and '| 0.07 | 1.00 | 1.00 |  | 1.00 |' in text
    assert (tmp_path / 'curves.png').stat().st_size > 10_000
    before = (tmp_path / 'runs.jsonl').read_text()
    pomdp.run(tmp_path, settings, **arguments)
    assert (tmp_path / 'runs.jsonl').read_text() == before


@pytest.mark.parametrize(
    'text', ['', 'learner: 3', 'learner: {gama: 1}\ntraining:\ncells:\n', ': :', '[1, 2]']
)
def test_bad_settings_are_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / 'pomdp.yaml'
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        pomdp.load_settings(path, {})
    assert '\n' not in str(caught.value) and str(path) in str(caught.value)
