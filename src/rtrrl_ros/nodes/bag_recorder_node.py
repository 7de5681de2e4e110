"""Records topics into a bag as they were serialised, and keeps a black box of the last seconds.

`~/dump` (std_srvs/Trigger) writes the black box out, and so does every fault: the gate stops a
driving car, or a node reports an error. Nothing of the graph waits for this node.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from std_srvs.srv import Trigger

from ..bags.recording.black_box import BlackBox
from ..bags.recording.dumps import FaultDumps
from ..bags.recording.faults import FaultWatch
from ..bags.recording.progress import RecordingProgress
from ..bags.recording.recorder import Recorder
from ..bags.writing import BagWriter
from ..errors import UserError
from .bag_recorder_config import TOPICS, BagRecorderConfig
from .diagnostics import ERROR, OK, WARN
from .managed_node import ManagedNode
from .priority import WATCHING
from .process import run_node
from .run_record import PROGRESS
from .topic_intake import TopicIntake

#: the middleware keeps 1000 messages of a topic meanwhile; a camera sends as many in a second
TAKE_PERIOD_S = 0.05
#: what comes up is heard this soon; a world begins as soon as it has been discovered by others
DISCOVER_PERIOD_S = 0.25
SECOND_S = 1.0
#: for what waits for a slow disk in the end; record.launch.xml waits a little longer
PATIENCE_S = 120.0


class BagRecorderNode(ManagedNode):
    """Takes messages in, and hands them to `Recorder`, `BlackBox` and `FaultWatch`."""

    sections = (BagRecorderConfig,)

    def __init__(self) -> None:
        super().__init__('bag_recorder_node')

    def configure(self) -> None:
        config = self.section(BagRecorderConfig)
        if not config.out and not config.black_box:
            raise UserError('out or black_box: name a folder')
        topics = (config.topics.split() or list(TOPICS)) + config.also.split()
        self._recorder: Recorder | None = None
        self._box: BlackBox | None = None
        if config.black_box:
            self._box = BlackBox(config.black_box_s, config.black_box_megabytes << 20)
            self._dumps = FaultDumps(
                self._box, Path(config.black_box), config.black_box_after_s,
                config.black_box_dumps, self.get_logger().warning,
            )  # fmt: skip
            service = self.create_service(Trigger, '~/dump', self._on_dump)
            self._own.append(lambda: self.destroy_service(service))
        self._watch = FaultWatch(self.get_fully_qualified_name())
        self._intake = TopicIntake(self, topics, TOPICS)
        self._own.append(self._intake.close)
        self._ended = False
        self._told: set[str] = set()
        self._taken = 0
        self._progress = RecordingProgress(time.monotonic())
        self.every(TAKE_PERIOD_S, self._take)
        self.every(DISCOVER_PERIOD_S, self._discover)
        self.every(SECOND_S, self._on_second)
        if config.out:  # last: whatever is refused leaves no folder behind
            bag = BagWriter(
                config.out,
                split_bytes=config.split_megabytes * 1_000_000,
                compression=config.compression,
                least_free_bytes=config.least_free_megabytes * 1_000_000,
            )
            for type_name, _ in TOPICS.values():
                bag.prepare(type_name)
            self._recorder = Recorder(bag)
            self._own.append(self._recorder.close)

    def activate(self) -> None:
        if self._ended:
            raise UserError('the bag is closed: clean up, name a new one in out, and configure')

    def deactivate(self) -> None:
        self._take()
        self._ended = True
        if self._recorder is not None:  # first: it must not wait for the disk behind black boxes
            self._recorder.close()
            recorder = self._recorder
            print(f'{recorder.count} messages, {recorder.size * 1e-6:.1f} MB recorded', flush=True)
            if recorder.failure or recorder.lost:
                self.finish(1, recorder.failure or f'{recorder.lost} messages were lost')
        if self._box is not None:
            self._dumps.close()

    def diagnose(self) -> tuple[bytes, str, Mapping[str, Any]]:
        values: dict[str, Any] = {'messages': self._taken, 'topics': len(self._intake.types)}
        recorder = self._recorder
        if recorder is None:
            return OK, 'black box', values
        values |= {'bytes': recorder.size, 'lost': recorder.lost}
        if recorder.failure:
            return ERROR, recorder.failure, values
        return (WARN if recorder.lost else OK), 'recording', values

    def _discover(self) -> None:
        for name, (type_name, qos) in self._intake.discover().items():
            for sink in (self._recorder, self._box):
                if sink is not None:
                    sink.add_topic(name, type_name, qos)
            self.get_logger().info(f'{name} ({type_name})')
        for name, reason in self._intake.refused.items():
            if name not in self._told:
                self._told.add(name)
                self.get_logger().warning(f'{name} is not recorded: {reason}')

    def _take(self) -> None:
        arrivals = self._intake.take()
        self._taken += len(arrivals)
        if self._recorder is not None:
            self._recorder.add(arrivals)
        if self._box is None:
            return
        self._box.add(arrivals)
        now_s = time.monotonic()
        for arrival in arrivals:
            fault = self._watch.observe(self._intake.types[arrival.topic], arrival.data)
            if fault:
                self._dumps.fault(fault, now_s)
        self._dumps.poll(now_s)

    def _on_dump(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._dumps.fault('asked for', time.monotonic())
        response.success, response.message = True, 'the black box is being written'
        return response

    def _on_second(self) -> None:
        self._take()  # a subscription that gives way to another takes along what waits in it
        self._intake.adapt()
        recorder = self._recorder
        if recorder is None:
            return
        if recorder.failure and self.exit_status is None:
            if self._box is None:
                self.finish(1, recorder.failure)
            elif recorder.failure not in self._told:
                self._told.add(recorder.failure)
                self.get_logger().error(recorder.failure)
        line = self._progress.line(time.monotonic(), self._taken, recorder.size, recorder.lost)
        print(PROGRESS + line, flush=True)


def main() -> NoReturn:
    """Run the node; it gives way to those that drive."""
    run_node(BagRecorderNode, WATCHING, PATIENCE_S)


if __name__ == '__main__':
    main()
