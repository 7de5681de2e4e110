"""An iniVation camera, its network stream or a recording as the topic /event_camera/events.

A camera that is not there when the node starts is refused with one line. One that is unplugged
while the node is active is an error on /diagnostics, and is looked for once a second.

Packets are stamped with the time at which their last event was sensed, as well as that is known
(`SensorClock`). What a stall of the node or of the network has kept back is as old as it is.
"""

import dataclasses
import time
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np
from event_camera_msgs.msg import EventPacket

from ..errors import UserError
from ..parameters import Checked, parameter
from ..perception.events.contract import EventBatch, EventSource
from ..perception.events.inivation import Aedat4Source, CameraSource, NetworkSource
from ..perception.events.playback import Playback
from ..perception.events.sensor_clock import JUMP_NS, SensorClock, steady_ns
from .diagnostics import ERROR, OK, WARN
from .event_messages import event_packet_messages
from .managed_node import ManagedNode
from .process import run_node
from .qos import EVENTS

TOPIC = '/event_camera/events'
REOPEN_PERIOD_S = 1.0
#: batches taken in one go for each millisecond between two, so that a flood does not keep the node
#: from anything else
MOST_BATCHES = 20


@dataclasses.dataclass(frozen=True)
class DvCameraNodeConfig(Checked):
    """Parameters of the node: which one of the three sources, and how it is read."""

    serial: str = parameter('', 'serial number of the camera; empty: the first one found')
    file: str = parameter('', '.aedat4 recording to play instead of a camera')
    address: str = parameter('', 'host of a network stream to read instead of a camera')
    port: int = parameter(7777, 'port of the network stream', low=1, high=65535)
    noise_filter_us: int = parameter(
        0, 'drop events without a neighbour within this time; 0: keep all', unit='us',
        low=0, high=1_000_000,
    )  # fmt: skip
    poll_ms: int = parameter(
        1, 'how often the source is asked, and length of the packets of a recording', unit='ms',
        low=1, high=50,
    )  # fmt: skip
    rate: float = parameter(
        1.0, 'speed at which a recording is played', low=0.0, low_open=True, high=100.0
    )
    silence_s: float = parameter(
        1.0, 'a camera without any event for longer is worth a warning', unit='s',
        low=0.05, high=60.0,
    )  # fmt: skip


class DvCameraNode(ManagedNode):
    """Publishes what an `EventSource` of dv-processing gives, as packets of encoding evt3."""

    sections = (DvCameraNodeConfig,)

    def __init__(self) -> None:
        super().__init__('dv_camera_node')

    def configure(self) -> None:
        config = self._config = self.section(DvCameraNodeConfig)
        self._source = self._make_source(config)
        self._source.open()  # UserError: refuse
        self._packets = self.advertise(EventPacket, TOPIC, EVENTS)
        nothing = EventBatch.empty(self._source.width, self._source.height, until_us=0)
        list(event_packet_messages(nothing, 0, 0))  # compiles the encoder
        self.every(1e-3 * config.poll_ms, self._on_poll)
        self.every(REOPEN_PERIOD_S, self._on_reopen)

    def _make_source(self, config: DvCameraNodeConfig) -> EventSource:
        if bool(config.file) + bool(config.address) + bool(config.serial) > 1:
            raise UserError('give one of serial, file and address, not several')
        if config.file:
            return Aedat4Source(config.file, config.noise_filter_us)
        if config.address:
            return NetworkSource(config.address, config.port, config.noise_filter_us)
        return CameraSource(config.serial, config.noise_filter_us)

    def activate(self) -> None:
        self._fault, self._seq, self._until_us = '', 0, 0
        self._counts = dict.fromkeys(('packets', 'events', 'unordered', 'undated', 'reopened'), 0)
        self._age_ns = self._stamp_ns = 0
        self._sensor_clock = SensorClock()
        self._playback: Playback | None = None
        self._heard_s = self._asked_s = time.monotonic()
        self._counted = 0
        self._open = False
        self._reopen()
        self._counts['reopened'] = 0

    def deactivate(self) -> None:
        self._source.close()
        self._open = False

    def diagnose(self) -> tuple[bytes, str, Mapping[str, Any]]:
        now_s = time.monotonic()
        rate = (self._counts['events'] - self._counted) / max(now_s - self._asked_s, 1e-9)
        self._asked_s, self._counted = now_s, self._counts['events']
        values = {**self._counts, 'events_per_s': f'{rate:.0f}'}
        if not self._open:
            return ERROR, f'{self._fault}; looking for it once a second', values
        values['rejected_events'] = self._source.counters.rejected_events
        values['age_ms'] = f'{1e-6 * self._age_ns:.1f}'
        if now_s - self._heard_s > self._config.silence_s:
            return WARN, f'no event for {now_s - self._heard_s:.1f} s: lens cap, biases?', values
        if self._playback is None and not self._sensor_clock.settled:
            return WARN, 'how old the events are is not known yet: nothing is published', values
        return OK, f'{self._source.width} x {self._source.height} pixels', values

    def _on_poll(self) -> None:
        if not self._open:
            return
        try:
            batches, ended = self._read()
        except UserError as error:
            self._lose(str(error))
            return
        for batch in batches:
            self._heard_s = time.monotonic()
            self._publish(batch, batches[-1])
        if not ended:
            if self._sensor_clock.late(steady_ns()):  # reopened, nothing old is on the way any more
                self._lose(f'all events come late, now by {1e-9 * self._age_ns:.2f} s')
            return
        if self._playback is not None:
            self.get_logger().info(f'{self._config.file}: played to its end')
            self.finish(0)
        else:
            self._lose('the camera is gone: unplugged, or its sender has ended')

    def _read(self) -> tuple[list[EventBatch], bool]:
        """What is there now, and whether that was the last."""
        if self._playback is not None:
            self._due_ns = steady_ns()
            return self._playback.due(time.monotonic()), self._playback.ended
        batches: list[EventBatch] = []
        while len(batches) < MOST_BATCHES * self._config.poll_ms:
            batch = self._source.next_batch()
            if batch is None:
                return batches, True
            if not len(batch) and batch.until_us <= self._until_us:
                self._sensor_clock.catch_up()
                break
            if self._sensor_clock.hear(batch.until_us, steady_ns(), batch.restart):
                # as if the driver was started again: so does everybody's time
                self._counts['undated'] += len(batches)
                batches, self._seq, self._until_us = [], 0, 0
            self._until_us = max(self._until_us, batch.until_us)
            batches.append(batch)
        return batches, False

    def _publish(self, batch: EventBatch, newest: EventBatch) -> None:
        stamp = self._stamp(batch, newest)
        if stamp is None:
            self._counts['undated'] += 1
            return
        if np.any(batch.t_us[1:] < batch.t_us[:-1]):
            self._counts['unordered'] += 1
            batch = batch.take(np.argsort(batch.t_us, kind='stable'))
        for message in event_packet_messages(batch, stamp, self._seq):
            self._packets.publish(message)
            self._seq += 1
            self._counts['packets'] += 1
        self._counts['events'] += len(batch)

    def _stamp(self, batch: EventBatch, newest: EventBatch) -> int | None:
        """When a batch was sensed; None: not known. `newest`: of what came with it."""
        # before the steady clock: a pause between the two makes a batch older, never younger
        host_ns = self.get_clock().now().nanoseconds
        now_ns = steady_ns()
        if self._playback is None:
            stamp = self._sensor_clock.stamp_ns(batch.until_us, host_ns, now_ns)
        else:  # the newest slice is the one that was due when it was asked for
            before_us = max(0, newest.until_us - batch.until_us)
            behind_ns = round(1000 * before_us / self._config.rate)
            stamp = max(0, host_ns - (now_ns - self._due_ns) - behind_ns)
        if stamp is None:
            return None
        if 0 < self._stamp_ns - stamp <= JUMP_NS:  # by such a pause, or a small step of the clock
            stamp = min(self._stamp_ns, host_ns)
        self._stamp_ns, self._age_ns = stamp, host_ns - stamp
        return stamp

    def _lose(self, fault: str) -> None:
        self._fault, self._open = fault, False
        self._source.close()
        self.get_logger().error(f'{fault}; looking for it once a second')

    def _on_reopen(self) -> None:
        if not self._open:
            self._reopen()

    def _reopen(self) -> None:
        try:
            self._source.open()
        except UserError as error:
            self._fault = str(error)
            return
        # numbers begin anew, as a driver's that was started again: so does everybody's time
        self._open, self._seq, self._until_us = True, 0, 0
        self._counts['reopened'] += 1
        self._sensor_clock = SensorClock()
        self._playback = None
        if self._config.file:
            self._playback = Playback(self._source, 1000 * self._config.poll_ms, self._config.rate)
        size = f'{self._source.width} x {self._source.height} pixels'
        self.get_logger().info(f'event source open: {size}')


def main() -> NoReturn:
    """Run the node."""
    run_node(DvCameraNode)


if __name__ == '__main__':
    main()
