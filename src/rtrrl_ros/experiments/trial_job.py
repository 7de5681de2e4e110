"""Trials as jobs of an experiment: plain data in, the JSON of evaluate and finetune out."""

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

from ..checkpoint import WEIGHTS, load_checkpoint
from ..configuration import TaskConfig, load_task_config
from ..driving.trial import Trial, run_trial
from ..worlds.shifts import parse_shift

#: (learn, explore) of each arm
ARMS = {'frozen': (False, False), 'frozen, exploring': (False, True), 'tuned': (True, True)}
COLOURS = {'frozen': '#d62728', 'frozen, exploring': '#ff9f40', 'tuned': '#1f77b4'}


def shared_by_jobs(task: str, model: Path, config: TaskConfig, laps: int) -> dict[str, Any]:
    """What every job of a model has in common; with 'shift', 'arm' and 'seed' it is a job."""
    return {
        'task': task,
        'model': str(_portable(model)),
        'weights': hashlib.sha256((model / WEIGHTS).read_bytes()).hexdigest()[:16],
        'laps': laps,
        'learner': dataclasses.asdict(config.learner),
        'reward': dataclasses.asdict(config.reward),
        'world': dataclasses.asdict(config.world),
    }


def _portable(path: Path) -> Path:
    """The path from here, so that results can be taken up elsewhere."""
    here = Path.cwd()
    return path.resolve().relative_to(here) if path.resolve().is_relative_to(here) else path


def run_job(job: dict[str, Any]) -> dict[str, Any]:
    """One trial, as the JSON of evaluate and finetune."""
    learn, explore = ARMS[job['arm']]
    task = job['task']
    config = load_task_config(task).with_learner(job['learner'])
    shift, checkpoint = parse_shift(task, job['shift']), load_checkpoint(job['model'])
    trial = Trial(task, checkpoint, config, shift, job['seed'], job['laps'], learn, explore)
    return run_trial(trial).to_json()
