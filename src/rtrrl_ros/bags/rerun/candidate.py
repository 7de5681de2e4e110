"""Another learner for a recorded drive: what is asked for, on top of what was."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from ...checkpoint import Checkpoint
from ...configuration import load_task_config
from ...driving.actuation import Actuation
from ...driving.learner_run import RunStart
from ...errors import UserError
from ...learning.config import LearnerConfig
from ...parameters import from_mapping
from ...worlds.rewards import RewardConfig

REWARD = 'reward.'


@dataclasses.dataclass(frozen=True)
class Candidate:
    """What is to be tried.

    Attributes
    ----------
    reward : None: the rewards as they were recorded
    actuation : what an action means; that of the recorded run, if it is known
    changed : {parameter: (recorded, candidate)}, where the recorded run is known
    """

    checkpoint: Checkpoint
    learner: LearnerConfig
    reward: RewardConfig | None
    actuation: Actuation
    changed: dict[str, tuple[Any, Any]]


def parse_candidate(
    items: Sequence[str], checkpoint: Checkpoint, start: RunStart | None
) -> Candidate:
    """Read parameter files and K=V items, later ones over earlier ones.

    A file replaces the whole learner, as it would for a node, and the reward if it has a section
    for it; reward.K=V changes the shipped reward of the task.

    Raises
    ------
    UserError
        an item is neither a file nor K=V, or a value is not accepted
    """
    task = checkpoint.get('task', str)
    shipped = load_task_config(task, cell=checkpoint.get('cell', str))
    learner = shipped.learner if start is None else start.learner
    actuation = shipped.actuation if start is None else start.actuation
    reward: RewardConfig | None = None
    for item in items:
        path = Path(item)
        if path.is_file():
            config = load_task_config(task, path)
            nodes = _nodes(path)
            learner = config.learner if 'agent_node' in nodes else learner
            reward = config.reward if 'reward_node' in nodes else reward
            continue
        name, separator, text = item.partition('=')
        if not separator:
            raise UserError(f'--learner {item}: no such file, and not K=V')
        if name.startswith(REWARD):
            base: Any = reward or shipped.reward
            reward = _replaced(base, name.removeprefix(REWARD), text, item)
        else:
            learner = _replaced(learner, name, text, item)
    changed = {} if start is None else _changes(start.learner, learner)
    return Candidate(checkpoint, learner, reward, actuation, changed)


def _nodes(path: Path) -> set[str]:
    document = yaml.safe_load(path.read_text())
    return {str(key).rsplit('/', 1)[-1] for key in document}


def _replaced(section: Any, name: str, text: str, item: str) -> Any:
    """The section with one parameter replaced; YAML says what the text is."""
    values = dataclasses.asdict(section)
    kinds = {field.name: type(field.default) for field in dataclasses.fields(section)}
    if name not in values:
        raise UserError(f'--learner {item}: K=V with K one of {", ".join(sorted(values))}')
    kind = kinds[name]
    try:
        value: Any = text if kind is str else yaml.safe_load(text)
        if kind is float and not isinstance(value, bool):
            value = float(value)  # YAML takes 1e-3 for a text
    except (yaml.YAMLError, TypeError, ValueError):
        raise UserError(f'--learner {item}: {kind.__name__} expected') from None
    return from_mapping(type(section), {**values, name: value}, f'--learner {item}')


def _changes(recorded: LearnerConfig, candidate: LearnerConfig) -> dict[str, tuple[Any, Any]]:
    before, after = dataclasses.asdict(recorded), dataclasses.asdict(candidate)
    return {name: (before[name], after[name]) for name in after if before[name] != after[name]}
