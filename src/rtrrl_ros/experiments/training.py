"""Learning a task from scratch, episode by episode, with evaluations and early stopping."""

import dataclasses
import math
import time
from collections.abc import Callable
from typing import Any

import torch

from ..cells import make_cell
from ..learning.agent import Agent, input_size
from ..learning.config import LearnerConfig
from ..learning.network import Network
from ..learning.policy import make_policy
from ..parameters import Checked, parameter
from ..tasks import Environment, Task, make_task

#: Episodes of evaluation have numbers that training never reaches.
EVALUATION, FRESH = 10**9, 2 * 10**9


@dataclasses.dataclass(frozen=True)
class TrainingConfig(Checked):
    """How long a learner trains on a task, and how it is judged."""

    hidden_size: int = parameter(32, 'units of each recurrent network', low=1)
    steps: int = parameter(1_000_000, 'steps of the environment at most', low=1)
    evaluate_every: int = parameter(25_000, 'steps between two evaluations', low=1)
    evaluation_episodes: int = parameter(
        20, 'episodes of an evaluation, by the most likely actions, nothing being learned', low=1
    )
    patience: int = parameter(
        12, 'evaluations in a row without a better one after which training stops', low=1,
        source='2311.04830 stops early as well',
    )  # fmt: skip
    stop_at_best: bool = parameter(True, 'stop where no policy can be better')
    fresh_episodes: int = parameter(
        100, 'episodes on which the best weights are judged once more: the best of many noisy '
        'evaluations is partly luck', low=1,
    )  # fmt: skip


@dataclasses.dataclass
class TrainingResult:
    """What came out; `curve` holds (steps, score of the evaluation) pairs."""

    curve: list[tuple[int, float]]
    best: float
    fresh: float
    steps: int
    refused: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """One line of runs.jsonl."""
        return dataclasses.asdict(self)


def make_agent(
    task: Task, cell: str, options: dict[str, Any], hidden_size: int, config: LearnerConfig,
    seed: int,
) -> Agent:  # fmt: skip
    """A fresh learner for a task; the seed decides its weights and its exploration."""
    actions = task.action_size
    policy = make_policy(config, discrete=task.discrete, action_size=actions, seed=seed)
    inputs = input_size(config, task.observation_size, actions)
    shared = config.network == 'shared'
    heads = {'actor': policy.head_size + shared} | ({} if shared else {'critic': 1})
    networks = {}
    for index, (role, size) in enumerate(heads.items()):
        weights = 2 * seed + index
        made = make_cell(cell, inputs, hidden_size, seed=weights, **options)
        networks[role] = Network(made, size, weights)
    return Agent(
        networks, policy, config, observation_size=task.observation_size, action_size=actions,
        learn=True, explore=True,
    )  # fmt: skip


def run_episode(agent: Agent, environment: Environment, number: int) -> tuple[float, int]:
    """One episode; the agent learns from it unless it is frozen. Returns its score and length."""
    agent.restart()
    observation = environment.reset(number)
    reward, total, steps = 0.0, 0.0, 0
    terminated = truncated = False
    while True:
        action = agent.act(observation, reward)
        agent.learn(reward=reward, first=steps == 0, terminated=terminated, executed=True)
        if terminated or truncated:
            return total, steps
        if action is None:  # its state ran over: give this episode up
            return total, max(steps, 1)
        observation, reward, terminated, truncated = environment.step(action)
        total += reward
        steps += 1


def evaluate(agent: Agent, environment: Environment, first: int, episodes: int) -> float:
    """Mean score of the most likely actions; leaves the agent ready to go on learning."""
    with agent.frozen():
        scores = [run_episode(agent, environment, first + k)[0] for k in range(episodes)]
    return math.fsum(scores) / episodes


def train(
    task_name: str, cell: str, options: dict[str, Any], learner: LearnerConfig,
    training: TrainingConfig, seed: int,
    on_evaluation: Callable[[int, float], None] = lambda steps, score: None,
) -> TrainingResult:  # fmt: skip
    """Train until the steps are used up, patience ends, or the best possible score is reached.

    The same arguments give the same result, bit for bit, on the same machine.
    """
    torch.set_num_threads(1)
    start = time.perf_counter()
    task = make_task(task_name)
    if task.needs_previous_action:
        learner = dataclasses.replace(learner, meta_inputs=True)
    agent = make_agent(task, cell, options, training.hidden_size, learner, seed)
    environment = task.make(seed)
    curve: list[tuple[int, float]] = []
    best, best_at, steps, episode = -math.inf, 0, 0, 0
    best_agent = agent.snapshot()
    while steps < training.steps and len(curve) - best_at < training.patience:
        steps += run_episode(agent, environment, episode)[1]
        episode += 1
        if steps < training.evaluate_every * (len(curve) + 1) and steps < training.steps:
            continue
        score = evaluate(agent, environment, EVALUATION, training.evaluation_episodes)
        curve.append((steps, score))
        on_evaluation(steps, score)
        if score > best:
            best, best_at, best_agent = score, len(curve), agent.snapshot()
        if training.stop_at_best and best >= task.best:
            break
    refused = agent.counters.refused
    agent.restore(best_agent)
    fresh = evaluate(agent, environment, FRESH, training.fresh_episodes)
    seconds = time.perf_counter() - start
    return TrainingResult(curve, best, fresh, steps, refused, round(seconds, 3))
