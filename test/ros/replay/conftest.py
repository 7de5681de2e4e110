"""A drive of the simulated car as a bag, without a graph: what its nodes would have published."""

import dataclasses
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rclpy.serialization import serialize_message

from rtrrl_ros.bags.writing import BagWriter
from rtrrl_ros.checkpoint import load_checkpoint
from rtrrl_ros.configuration import load_task_config
from rtrrl_ros.driving.assembly import load_agent, load_pipeline
from rtrrl_ros.driving.driver import Driver, RewardSignal
from rtrrl_ros.driving.saving import TunedModel
from rtrrl_ros.nodes import messages
from rtrrl_ros.nodes.event_messages import event_packet_messages
from rtrrl_ros.safety.gate import Gate
from rtrrl_ros.worlds.contract import StepType
from rtrrl_ros.worlds.registry import make_world
from rtrrl_ros.worlds.rewards import RewardFunction
from rtrrl_ros.worlds.shifts import parse_shift

#: log time of the first message
START_NS = 1_700_000_000_000_000_000
PERIOD_NS = 10_000_000


class DriveRecorder:
    """Writes messages with log times a microsecond apart within an observation."""

    def __init__(self, folder: Path) -> None:
        self.writer = BagWriter(folder)
        self._log_ns = START_NS

    def begin(self, index: int) -> None:
        self._log_ns = START_NS + index * PERIOD_NS

    def add(self, topic: str, message: Any) -> None:
        package = type(message).__module__.split('.')[0]
        self.writer.add_topic(topic, f'{package}/msg/{type(message).__name__}')
        self.writer.write(topic, self._log_ns, serialize_message(message))
        self._log_ns += 1000


def _record_line(
    folder: Path, model: Path, config: Path | None, *, laps: int, seed: int, learn: bool,
    tuned: Path,
) -> None:  # fmt: skip
    """Drive the line car in lock-step and write a bag; what was learned is saved in `tuned`."""
    with warnings.catch_warnings():  # its parser imports a module that Python deprecates
        warnings.simplefilter('ignore', DeprecationWarning)
        import rosidl_generator_py  # noqa: F401
    checkpoint, parts = load_checkpoint(model), load_task_config('line', config)
    agent = load_agent(checkpoint, parts.learner, learn=learn, explore=learn, seed=seed)
    pipeline, recorder = load_pipeline(checkpoint), DriveRecorder(folder)
    driver = Driver(agent, parts.actuation, lockstep=True)
    gate = Gate(dataclasses.replace(parts.gate, lockstep=True))
    reward = RewardFunction(parts.reward).reward
    world = make_world('line', parts.world, parse_shift('line', []), seed)
    index = 0
    for lap in range(laps):
        observation, seq = world.reset(lap), 0
        pipeline.reset()
        while True:
            recorder.begin(index)
            index += 1
            state = observation.state
            signal = RewardSignal.of(state, reward(state))
            for packet in event_packet_messages(observation.events, state.stamp_ns, seq):
                recorder.add('/event_camera/events', packet)
                seq += 1
            recorder.add('/world_state', messages.world_state_message(state))
            recorder.add('/reward', messages.reward_message(signal))
            features = pipeline.observe(observation.sensed)
            recorder.add('/features', messages.features_message(state.stamp_ns, index, features))
            commands = list(driver.on_features(state.stamp_ns, features))
            commands += driver.on_reward(signal)
            proposal = messages.drive_message(commands[-1])
            output = gate.propose(commands[-1], state.stamp_ns * 1e-9)
            sent = messages.drive_message(output.command)
            list(driver.on_executed(state.stamp_ns, output.mode))
            recorder.add('/drive_proposal', proposal)
            recorder.add('/drive', sent)
            recorder.add('/teleop', sent)
            recorder.add('/ackermann_cmd', sent)
            recorder.add('/executed', messages.executed_message(output, sent))
            if state.step_type is StepType.LAST:
                break
            observation = world.step(output.command)
    world.close()
    recorder.writer.close()
    TunedModel(tuned, checkpoint, agent, {'seed': seed}).save()


@pytest.fixture(scope='session')
def record_line() -> Callable[..., None]:
    return _record_line
