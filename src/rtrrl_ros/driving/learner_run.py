"""The agent's account of its own run: enough to repeat it, and to see whether it was repeated.

An account is published as JSON, one object at a time: a start, then a mark at the end of each lap
and at the end of the run. Each mark holds digests of the weights, so that a run that was cut off
can be checked up to its last lap. A lap that was left without having learned from its end, as may
happen in real time, is marked as well.
"""

import dataclasses
import hashlib
import json
import platform
import time
import types
import typing
from pathlib import Path
from typing import Any

import numba  # type: ignore[import-untyped]
import numpy as np
import torch

from .. import __version__
from ..checkpoint import CONFIG, WEIGHTS
from ..errors import UserError
from ..learning.config import LearnerConfig
from ..learning.guarded import GuardedAgent
from ..machine import processor_name
from ..parameters import from_mapping
from .actuation import Actuation

FORMAT = 1
START, LAP, LEFT, END = 'start', 'lap', 'left', 'end'


@dataclasses.dataclass(frozen=True)
class RunStart:
    """What a run is a function of, apart from what the car senses.

    Attributes
    ----------
    model : the folder it was loaded from
    files : SHA-256 of the files in it
    weights : SHA-256 of the parameters of each network, by role, at the start
    steps : steps that the agent had learned from before; not 0 where it goes on with another run
    software : versions of what computes, and the processor: the same on another may round otherwise
    time_ns : when it began, ns since 1970
    """

    model: str
    files: dict[str, str]
    learner: LearnerConfig
    actuation: Actuation
    seed: int
    learn: bool
    explore: bool
    lockstep: bool
    weights: dict[str, str]
    steps: int
    software: dict[str, str]
    time_ns: int


@dataclasses.dataclass(frozen=True)
class RunMark:
    """How the agent is at the end of a lap, or of the run.

    Attributes
    ----------
    event : 'lap', 'left' or 'end'
    stamp_ns : of the newest observation that was learned from, 0: none; 'left': of the observation
        that told of another lap
    lap : its lap; 'left': the lap that was left, None: nobody knows which
    acted : 'left': that observation had been acted on already
    lap_return : what the guard judged the lap by; None if it did not
    weights : as in `RunStart`, after whatever the guard did
    counters : see `learning.agent.Counters`
    """

    event: str
    stamp_ns: int
    lap: int | None
    acted: bool
    lap_return: float | None
    weights: dict[str, str]
    counters: dict[str, int]
    frozen: bool
    time_ns: int


def begin_run(
    model: str, agent: GuardedAgent, actuation: Actuation, *, seed: int, lockstep: bool
) -> RunStart:
    """The start of a run with an agent that was loaded from the folder `model`."""
    folder = Path(model).resolve()
    return RunStart(
        str(folder), file_digests(folder), agent.config, actuation, seed, agent.learning,
        agent.explore, lockstep, weight_digests(agent), agent.counters.steps, software(),
        time.time_ns(),
    )  # fmt: skip


def mark_run(
    event: str, stamp_ns: int, lap: int | None, agent: GuardedAgent, *,
    acted: bool = True, lap_return: float | None = None,
) -> RunMark:  # fmt: skip
    """The agent as it is now."""
    return RunMark(
        event, stamp_ns, lap, acted, lap_return, weight_digests(agent),
        dataclasses.asdict(agent.counters), agent.guard.frozen, time.time_ns(),
    )  # fmt: skip


def file_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of the files of a model folder that decide how it drives."""
    return {name: _digest((folder / name).read_bytes()) for name in (CONFIG, WEIGHTS)}


def weight_digests(agent: GuardedAgent) -> dict[str, str]:
    """SHA-256 of the parameters of each network, bit for bit, by role."""
    return {
        role: _digest(network.flat.detach().numpy().tobytes())
        for role, network in sorted(agent.networks.items())
    }


def software() -> dict[str, str]:
    """Versions of what computes, and the processor."""
    return {
        'rtrrl_ros': __version__, 'python': platform.python_version(), 'numpy': np.__version__,
        'torch': torch.__version__, 'numba': numba.__version__, 'processor': processor_name(),
    }  # fmt: skip


def to_text(account: RunStart | RunMark) -> str:
    """The JSON that is published."""
    event = START if isinstance(account, RunStart) else account.event
    return json.dumps({'format': FORMAT, 'event': event, **dataclasses.asdict(account)})


def from_text(text: str) -> RunStart | RunMark:
    """What was published; `UserError` where it is no account that can be read here."""
    try:
        document = json.loads(text)
        if document.pop('format') != FORMAT:
            raise UserError('learner_run: of another format; use the release that recorded it')
        if document.get('event') == START:
            return _start({k: v for k, v in document.items() if k != 'event'})
        return _checked(RunMark, document)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(f'learner_run: not an account of a run ({error!r})') from None


def _start(values: dict[str, Any]) -> RunStart:
    for name, section in (('learner', LearnerConfig), ('actuation', Actuation)):
        values[name] = from_mapping(section, values[name], f'learner_run: {name}')
    return _checked(RunStart, values)


def _checked(kind: type[Any], values: dict[str, Any]) -> Any:
    """An account whose fields are of the declared types; extra or missing ones are a TypeError."""
    account = kind(**values)
    for field in dataclasses.fields(kind):
        expected: Any = typing.get_origin(field.type) or field.type
        if expected is types.UnionType:
            expected = field.type
        if not isinstance(getattr(account, field.name), expected):
            raise TypeError(f'{field.name} is {getattr(account, field.name)!r}')
    return account


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
