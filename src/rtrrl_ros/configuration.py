"""One YAML file per target, read the same way by nodes (as a ROS parameter file) and by the CLI.

The file gives values only; type, range, unit and description are declared once, in the dataclass
that each section fills.
"""

import dataclasses
from pathlib import Path
from typing import Any

import yaml

from .driving.actuation import Actuation
from .errors import UserError
from .learning.config import LearnerConfig
from .parameters import from_mapping
from .resources import find_resource, list_resources
from .safety.gate import GateLimits
from .worlds.car_racing_config import CarRacingConfig
from .worlds.registry import config_class
from .worlds.rewards import RewardConfig

#: the node that is a task's world
WORLD_NODES = {'car-racing': 'car_racing_node', 'line': 'line_node'}
#: which dataclasses the section of any other node fills
SECTIONS: dict[str, dict[str, type]] = {
    'reward_node': {'reward': RewardConfig},
    'gate_node': {'gate': GateLimits},
    'agent_node': {'actuation': Actuation, 'learner': LearnerConfig},
}


@dataclasses.dataclass(frozen=True)
class TaskConfig:
    """Everything about a target but the model, the shift and the seed.

    Attributes
    ----------
    world : of the task's own class, see `worlds.registry.config_class`
    """

    world: Any = dataclasses.field(default_factory=CarRacingConfig)
    reward: RewardConfig = dataclasses.field(default_factory=RewardConfig)
    gate: GateLimits = dataclasses.field(default_factory=GateLimits)
    actuation: Actuation = dataclasses.field(default_factory=Actuation)
    learner: LearnerConfig = dataclasses.field(default_factory=LearnerConfig)

    def with_learner(self, overrides: dict[str, Any]) -> 'TaskConfig':
        """The same with some learner parameters replaced."""
        values = {**dataclasses.asdict(self.learner), **overrides}
        return dataclasses.replace(self, learner=from_mapping(LearnerConfig, values, 'learner'))


def config_file(task: str, cell: str = '') -> Path:
    """config/<task>_<cell>.yaml where the cell has a file of its own, else config/<task>.yaml."""
    name = task.replace('-', '_')
    own = f'{name}_{cell}.yaml'
    return find_resource('config', own if own in list_resources('config') else f'{name}.yaml')


def load_task_config(task: str, path: str | Path | None = None, cell: str = '') -> TaskConfig:
    """Read the file at `path`, else `config_file(task, cell)`; `UserError` names a bad value."""
    file = Path(path) if path else config_file(task, cell)
    try:
        document = yaml.safe_load(file.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f'{file} cannot be read: {" ".join(str(error).split())}') from None
    if not isinstance(document, dict):
        raise UserError(f'{file}: a ROS parameter file starts with node names')
    world = config_class(task)
    sections = {WORLD_NODES[task]: {'world': world}, **SECTIONS}
    parts: dict[str, Any] = {'world': world()}
    for key, body in document.items():
        node = str(key).rsplit('/', 1)[-1]
        if node not in sections:
            raise UserError(f'{file}: unknown node {key!r}; known: {", ".join(sections)}')
        values = body.get('ros__parameters') if isinstance(body, dict) else None
        if not isinstance(values, dict):
            raise UserError(f'{file}: {key} must hold ros__parameters, a mapping')
        for part, cls in sections[node].items():
            names = {field.name for field in dataclasses.fields(cls)}
            mine = {name: value for name, value in values.items() if name in names}
            parts[part] = from_mapping(cls, mine, f'{file}: {node}')
            values = {name: value for name, value in values.items() if name not in names}
        if values:
            raise UserError(f'{file}: {node} has no parameter {next(iter(values))!r}')
    return TaskConfig(**parts)
