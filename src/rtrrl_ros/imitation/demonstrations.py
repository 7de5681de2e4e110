"""Demonstrations: who drives, what is pushed, and the expert's label for each frame."""

import concurrent.futures
import dataclasses
import multiprocessing
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from ..parameters import Checked, parameter
from ..perception.events.contract import EventBatch
from ..safety.command import Command
from ..worlds.contract import Observation, StepType


@dataclasses.dataclass(frozen=True)
class Perturbation(Checked):
    """An autocorrelated push on the executed steering; the label stays the expert's own action.

    Recovery is in the data then: without it a cloned policy has never seen the road's edge.
    """

    steering_std: float = parameter(0.0, 'standard deviation, in units of the range', low=0)
    correlation: float = parameter(0.9, 'between two decisions', low=0, high=1, high_open=True)
    throttle_std: float = parameter(0.0, 'standard deviation, in units of the range', low=0)


class Frames(Protocol):
    """What a lap looked like: an array, or a part of a file that is read where it is sliced."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype: ...

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> np.ndarray: ...


@dataclasses.dataclass
class Demonstration:
    """One lap; T observations.

    Attributes
    ----------
    images : (T, S, S) uint8 or (T, C, H, W) float16, what the encoder sees
    actions : (T, A) float32, the label: what the expert would do
    rewards : (T,) float32, of the transition into each observation
    terminated : did the lap end in an intervention?
    task_return : sum of the task's own rewards
    rewarded : are the rewards known? They are zeros otherwise
    """

    images: Frames
    actions: np.ndarray
    rewards: np.ndarray
    terminated: bool
    task_return: float
    rewarded: bool = True


def as_frames(images: np.ndarray | Tensor) -> Tensor:
    """Images or frames of demonstrations as (..., C, H, W) float32, uint8 scaled to [0, 1].

    Images are (T, S, S) or (B, T, S, S) uint8; frames have their channels already.
    """
    tensor = torch.as_tensor(images)
    if tensor.dtype == torch.uint8:
        return tensor.float().unsqueeze(-3) * (1.0 / 255.0)
    return tensor.float()


class Push:
    """The perturbation as a process."""

    def __init__(self, config: Perturbation, generator: np.random.Generator) -> None:
        self.config, self.generator = config, generator
        self.value = np.zeros(2)
        self.std = np.array([config.steering_std, config.throttle_std])

    def sample(self) -> np.ndarray:
        """The next push (2,)."""
        rho = self.config.correlation
        innovation = self.generator.standard_normal(2) * self.std
        self.value = rho * self.value + np.sqrt(1 - rho * rho) * innovation
        return self.value


def record_lap(
    first: Observation, step: Callable[[Command], Observation],
    label: Callable[[Observation], np.ndarray], drive: Callable[[Observation], np.ndarray] | None,
    see: Callable[[np.ndarray | EventBatch], np.ndarray],
    command: Callable[[int, np.ndarray], Command],
    reward: Callable[[Observation], float], push: Push,
) -> Demonstration:  # fmt: skip
    """Record one lap from its first observation on.

    `label` gives the expert's action; `drive` the action of who drives, None: the expert drives.
    """
    images, actions, rewards, total = [], [], [], 0.0
    observation = first
    while True:
        action = label(observation)
        images.append(see(observation.sensed))
        actions.append(action)
        rewards.append(reward(observation))
        total += observation.state.task_reward
        if observation.state.step_type is StepType.LAST:
            break
        driven = action if drive is None else drive(observation)
        driven = np.clip(driven + push.sample()[: len(driven)], -1.0, 1.0).astype(np.float32)
        observation = step(command(observation.stamp_ns, driven))
    return Demonstration(
        np.stack(images), np.stack(actions).astype(np.float32),
        np.array(rewards, dtype=np.float32), observation.state.terminated, total,
    )  # fmt: skip


def in_parallel(
    task: Callable[..., Demonstration], jobs: Sequence[tuple], workers: int,
    on_done: Callable[[], None] = lambda: None,
) -> list[Demonstration]:  # fmt: skip
    """Run `task(*job)` for every job on `workers` processes; results in the order of the jobs.

    Each job is seeded by its arguments, so the number of workers changes nothing but the time.
    """
    if workers <= 1:
        results = []
        for job in jobs:
            results.append(task(*job))
            on_done()
        return results
    # spawn: a forked child of a process that has used torch's threads can hang
    context = multiprocessing.get_context('spawn')
    with concurrent.futures.ProcessPoolExecutor(workers, mp_context=context) as pool:
        futures = [pool.submit(task, *job) for job in jobs]
        for future in futures:
            future.add_done_callback(lambda done: on_done())
        return [future.result() for future in futures]
