"""A run of the line car that learns, recorded as its graph would record it, without the graph."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rtrrl_ros.bags.message_types import MessageTypes
from rtrrl_ros.checkpoint import load_checkpoint
from rtrrl_ros.configuration import TaskConfig, load_task_config
from rtrrl_ros.driving.assembly import load_agent, load_pipeline, single_threaded
from rtrrl_ros.driving.driver import Driver, RewardSignal
from rtrrl_ros.driving.learner_run import END, LAP, begin_run, mark_run, to_text
from rtrrl_ros.perception.events.packing import event_packets
from rtrrl_ros.safety.gate import Gate
from rtrrl_ros.worlds.contract import StepType
from rtrrl_ros.worlds.registry import make_world
from rtrrl_ros.worlds.rewards import RewardFunction
from rtrrl_ros.worlds.shifts import parse_shift

TYPES = MessageTypes()
LAPS, LAP_S = 2, 0.2
S_NS = 1_000_000_000
TYPE_OF = {
    '/event_camera/events': 'event_camera_msgs/msg/EventPacket',
    '/features': 'rtrrl_msgs/msg/Features',
    '/reward': 'rtrrl_msgs/msg/Reward',
    '/world_state': 'rtrrl_msgs/msg/WorldState',
    '/drive_proposal': 'ackermann_msgs/msg/AckermannDriveStamped',
    '/executed': 'rtrrl_msgs/msg/Executed',
    '/learner_status': 'rtrrl_msgs/msg/LearnerStatus',
    '/learner_run': 'std_msgs/msg/String',
}


@dataclasses.dataclass
class Message:
    """One message of the recording; `fields` are those of its type."""

    topic: str
    log_ns: int
    fields: dict[str, Any]

    def data(self) -> bytes:
        kind = TYPE_OF[self.topic]
        return TYPES.serialize(TYPES.make(kind, **self.fields), kind)


def header(stamp_ns: int) -> Any:
    stamp = TYPES.make('builtin_interfaces/msg/Time', sec=stamp_ns // S_NS, nanosec=stamp_ns % S_NS)
    return TYPES.make('std_msgs/msg/Header', stamp=stamp, frame_id='')


def drive(command: Any) -> Any:
    return TYPES.make(
        'ackermann_msgs/msg/AckermannDrive', steering_angle=command.steering_angle_rad,
        steering_angle_velocity=0.0, speed=command.speed_m_s,
        acceleration=command.acceleration_m_s2, jerk=0.0,
    )  # fmt: skip


class RecordedLaps:
    """Drives laps and keeps what the graph would have published."""

    def __init__(self, model: Path, config: TaskConfig, seed: int, learn: bool) -> None:
        single_threaded()
        self.messages: list[Message] = []
        self.encoded = 0
        self._now_ns = 1_700_000_000 * S_NS
        checkpoint = load_checkpoint(model)
        self.pipeline = load_pipeline(checkpoint)
        self.agent = load_agent(checkpoint, config.learner, learn=learn, explore=learn, seed=seed)
        self.driver = Driver(self.agent, config.actuation, lockstep=True, on_report=self._on_report)
        self.world = make_world(
            'line', config.world, parse_shift('line', ['steering_offset=0.1']), seed
        )
        self.gate = Gate(dataclasses.replace(config.gate, lockstep=True))
        self.reward = RewardFunction(config.reward).reward
        start = begin_run(str(model), self.agent, config.actuation, seed=seed, lockstep=True)
        self._tell(dataclasses.replace(start, time_ns=self._now_ns))

    def add(self, topic: str, **fields: Any) -> None:
        self._now_ns += 100_000
        self.messages.append(Message(topic, self._now_ns, fields))

    def _tell(self, account: Any) -> None:
        self.add('/learner_run', data=to_text(account))

    def _on_report(self, report: Any) -> None:
        signal, counters = report.signal, self.agent.counters
        self.newest = signal.stamp_ns, signal.lap
        self.add(
            '/learner_status', header=header(signal.stamp_ns), lap=signal.lap,
            step=counters.steps, learning=report.learning, td_error=report.update.td_error,
            value=report.update.value, reward=signal.reward, drift=report.drift,
            act_latency_s=report.act_latency_s, learn_latency_s=report.learn_latency_s,
            updates=counters.updates, refused=counters.refused, missed=counters.missed,
            rollbacks=counters.rollbacks, frozen=self.agent.guard.frozen, note='',
        )  # fmt: skip
        if report.lap_end is not None:
            self._tell(mark_run(LAP, *self.newest, self.agent, lap_return=report.lap_return))

    def drive(self, laps: int) -> list[Message]:
        for index in range(laps):
            self._lap(index)
        self._tell(mark_run(END, *self.newest, self.agent))
        self.world.close()
        return self.messages

    def _lap(self, index: int) -> None:
        observation, seq = self.world.reset(index), 0
        self.pipeline.reset()
        while True:
            state, stamp_ns = observation.state, observation.stamp_ns
            for packet in event_packets(observation.events, seq):
                seq = packet.seq + 1
                self.add(
                    '/event_camera/events', header=header(stamp_ns), height=packet.height,
                    width=packet.width, seq=packet.seq, time_base=packet.time_base_ns,
                    encoding=packet.encoding, is_bigendian=packet.is_bigendian,
                    events=np.frombuffer(packet.events, np.uint8),
                )  # fmt: skip
            common = {
                'header': header(stamp_ns), 'lap': state.lap, 'step_type': int(state.step_type),
                'terminated': state.terminated, 'truncated': state.truncated,
                'task_reward': state.task_reward, 'lateral_error_m': state.lateral_error_m,
            }  # fmt: skip
            self.add(
                '/world_state', **common, heading_error_rad=state.heading_error_rad,
                speed_m_s=state.speed_m_s, progress_m=state.progress_m,
            )  # fmt: skip
            signal = RewardSignal.of(state, self.reward(state))
            features = self.pipeline.observe(observation.sensed)
            self.add('/features', header=header(stamp_ns), seq=self.encoded, data=features)
            self.encoded += 1
            (command,) = self.driver.on_features(stamp_ns, features)
            self.add('/drive_proposal', header=header(stamp_ns), drive=drive(command))
            self.add('/reward', **common, reward=signal.reward)
            list(self.driver.on_reward(signal))
            output = self.gate.propose(command, stamp_ns * 1e-9)
            self.add(
                '/executed', header=header(stamp_ns), drive=drive(output.command),
                mode=int(output.mode), reason=output.reason,
            )  # fmt: skip
            list(self.driver.on_executed(stamp_ns, output.mode))
            if state.step_type is StepType.LAST:
                return
            observation = self.world.step(output.command)


@pytest.fixture(scope='session')
def line_config() -> TaskConfig:
    """The shipped configuration with short laps, learned from at once, and fast."""
    config = load_task_config('line')
    world = dataclasses.replace(config.world, time_limit_s=LAP_S)
    learner = dataclasses.replace(
        config.learner, warmup_laps=0, actor_learning_rate=1e-3, critic_learning_rate=1e-3
    )
    return dataclasses.replace(config, world=world, learner=learner)


@pytest.fixture(scope='session')
def learned(untrained_line_model: Path, line_config: TaskConfig) -> list[Message]:
    """The messages of a run that learns."""
    return RecordedLaps(untrained_line_model, line_config, seed=4, learn=True).drive(LAPS)


@pytest.fixture(scope='session')
def rested(untrained_line_model: Path, line_config: TaskConfig) -> list[Message]:
    """The messages of a run that learns in four laps and rests in two."""
    learner = dataclasses.replace(line_config.learner, probation_laps=4)
    config = dataclasses.replace(line_config, learner=learner)
    run = RecordedLaps(untrained_line_model, config, seed=4, learn=True)
    messages = run.drive(6)
    assert run.agent.resting
    return messages


@pytest.fixture(scope='session')
def frozen(untrained_line_model: Path, line_config: TaskConfig) -> list[Message]:
    """The messages of a run that neither learns nor explores."""
    return RecordedLaps(untrained_line_model, line_config, seed=4, learn=False).drive(LAPS)


@pytest.fixture
def write_bag(tmp_path: Path) -> Callable[[list[Message]], Path]:
    """Write messages into a new bag; returns its path."""
    from rosbags.rosbag2 import StoragePlugin, Writer

    names: Iterator[str] = (f'bag-{index}' for index in range(100))

    def write(messages: list[Message]) -> Path:
        path = tmp_path / next(names)
        with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
            connections: dict[str, Any] = {}
            for message in messages:
                kind = TYPE_OF[message.topic]
                if message.topic not in connections:
                    text, digest = TYPES.definition(kind)
                    connections[message.topic] = writer.add_connection(
                        message.topic, kind, msgdef=text, rihs01=digest
                    )
                writer.write(connections[message.topic], message.log_ns, message.data())
        return path

    return write
