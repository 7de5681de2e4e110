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
#: settings of the learner that decide how a policy drives that does not learn; one that explores
ACTING = ('network', 'meta_inputs', 'normalize_observations', 'exploration')
EXPLORING = ('exploration_std', 'exploration_correlation')
#: values of the actuation and of the gate under which docs/results/ was made. A job names only what
#: differs, else its published result would be driven again. A new setting goes in here with the
#: value that changes nothing; `lockstep` is not here, since a trial always sets it.
PUBLISHED: dict[str, dict[str, dict[str, Any]]] = {
    'line': {
        'actuation': {
            'max_steering_angle_rad': 0.4189, 'max_acceleration_m_s2': 1.0, 'speed_m_s': 1.6,
        },
        'gate': {
            'max_steering_angle_rad': 0.4189, 'max_speed_m_s': 2.0, 'max_acceleration_m_s2': 3.0,
            'max_brake_m_s2': 3.0, 'max_steering_rate_rad_s': 20.0, 'max_speed_rate_m_s2': 0.0,
            'max_jerk_m_s3': 0.0, 'max_age_s': 0.05, 'takeover_timeout_s': 0.2,
            'require_deadman': False, 'deadman_timeout_s': 0.3,
        },
    },
    'car-racing': {
        'actuation': {
            'max_steering_angle_rad': 1.0, 'max_acceleration_m_s2': 32.0, 'speed_m_s': 0.0,
        },
        'gate': {
            'max_steering_angle_rad': 1.0, 'max_speed_m_s': 0.0, 'max_acceleration_m_s2': 32.0,
            'max_brake_m_s2': 32.0, 'max_steering_rate_rad_s': 20.0, 'max_speed_rate_m_s2': 0.0,
            'max_jerk_m_s3': 1600.0, 'max_age_s': 0.15, 'takeover_timeout_s': 0.2,
            'require_deadman': False, 'deadman_timeout_s': 0.3,
        },
    },
}  # fmt: skip
COLOURS = {'frozen': '#d62728', 'frozen, exploring': '#ff9f40', 'tuned': '#1f77b4'}


def shared_by_jobs(task: str, model: Path, config: TaskConfig, laps: int) -> dict[str, Any]:
    """What every job of a model has in common; see `make_job`.

    The model's config.json is left out: it is written with the weights, and not to be edited.
    """
    return {
        'task': task,
        'model': str(_portable(model)),
        'weights': hashlib.sha256((model / WEIGHTS).read_bytes()).hexdigest()[:16],
        'laps': laps,
        'learner': dataclasses.asdict(config.learner),
        'reward': dataclasses.asdict(config.reward),
        'world': dataclasses.asdict(config.world),
        **_unpublished(task, config),
    }


def _unpublished(task: str, config: TaskConfig) -> dict[str, dict[str, Any]]:
    """The values of the actuation and the gate that differ from the published ones."""
    parts = {
        'actuation': dataclasses.asdict(config.actuation),
        'gate': {k: v for k, v in dataclasses.asdict(config.gate).items() if k != 'lockstep'},
    }
    changed = {
        part: {k: v for k, v in values.items() if (k, v) not in PUBLISHED[task][part].items()}
        for part, values in parts.items()
    }
    return {part: values for part, values in changed.items() if values}


def make_job(shared: dict[str, Any], shift: list[str], arm: str, seed: int) -> dict[str, Any]:
    """The trial of an arm, without those settings of the learner that it does not depend on.

    When the others change, what a frozen policy did need not be driven again.
    """
    learn, explore = ARMS[arm]
    learner = shared['learner']
    if not learn:
        names = ACTING + (EXPLORING if explore else ())
        learner = {name: learner[name] for name in names}
    return {**shared, 'learner': learner, 'shift': shift, 'arm': arm, 'seed': seed}


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
