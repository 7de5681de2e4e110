"""From what the camera senses to the features of the recurrent policy.

The model says which sensor it takes: images (image_raw) or events (/event_camera/events). A stream
of events that falls silent or turns bad gives no features, so that the gate stops the car; when it
comes back, so do the features.
"""

import dataclasses
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
from event_camera_msgs.msg import EventPacket
from rtrrl_msgs.msg import Features
from sensor_msgs.msg import Image

from ..checkpoint import load_checkpoint
from ..driving.assembly import load_pipeline, single_threaded
from ..parameters import Checked, parameter
from ..perception.event_stream import EventStream
from ..perception.events.contract import EventBatch
from ..perception.pipeline import EventPipeline
from .diagnostics import ERROR, OK, WARN
from .event_messages import event_packet
from .managed_node import ManagedNode
from .messages import S_NS, features_message, image_pixels, stamp_ns
from .priority import DRIVING
from .process import run_node
from .qos import EVENTS, EVENTS_COMPLETE, LEDGER, NEWEST, NEWEST_OF_DEVICE, RECORD

WARM_UPS = 5
CHECK_PERIOD_S = 0.05


@dataclasses.dataclass(frozen=True)
class EncoderNodeConfig(Checked):
    """Parameters of the node."""

    model: str = parameter('', 'model folder')
    lockstep: bool = parameter(
        False, 'lose nothing of a simulation that waits; false: hear any device, as best it can'
    )
    stamp_offset_s: float = parameter(
        0.0, 'added to the stamps of the camera: minus the time from exposure to stamp', unit='s',
        low=-0.1, high=0.1,
    )  # fmt: skip
    silence_s: float = parameter(
        0.1, 'events: without a packet for longer the stream counts as broken', unit='s',
        low=0.01, high=10.0,
    )  # fmt: skip


class EncoderNode(ManagedNode):
    """Encodes each image or window of events; the same again gives the same features again.

    Parameters
    ----------
    companions : see `ManagedNode`
    hand_on : of one of them, called with each message before it is published
    """

    sections = (EncoderNodeConfig,)

    def __init__(
        self,
        companions: Sequence[type[ManagedNode]] = (),
        hand_on: Callable[[Features], None] | None = None,
    ) -> None:
        super().__init__('encoder_node', companions)
        self._hand_on = hand_on

    def configure(self) -> None:
        single_threaded()
        config = self._config = self.section(EncoderNodeConfig)
        checkpoint = load_checkpoint(config.model)
        self._pipeline = load_pipeline(checkpoint)
        self._offset_ns = round(config.stamp_offset_s * S_NS)
        kept = LEDGER if config.lockstep else RECORD
        self._features = self.advertise(Features, 'features', kept)
        if isinstance(self._pipeline, EventPipeline):
            self._size = checkpoint.get('width', int), checkpoint.get('height', int)
            blank: np.ndarray | EventBatch = EventBatch.empty(*self._size, until_us=0)
            qos = EVENTS_COMPLETE if config.lockstep else EVENTS
            self.subscribe(EventPacket, '/event_camera/events', self._on_packet, qos)
            self.every(CHECK_PERIOD_S, self._on_check)
        else:
            blank = np.zeros((96, 96, 3), np.uint8)
            newest = NEWEST if config.lockstep else NEWEST_OF_DEVICE
            self.subscribe(Image, 'image_raw', self._on_image, newest)
        for _ in range(WARM_UPS):
            self._pipeline.observe(blank)

    def activate(self) -> None:
        self._seq, self._latency_s, self._fault, self._unusable = 0, 0.0, '', 0
        self._stream: EventStream | None = None
        if isinstance(self._pipeline, EventPipeline):
            silence_s = math.inf if self._config.lockstep else self._config.silence_s
            self._stream = EventStream(self._pipeline, *self._size, silence_s, time.monotonic())

    @property
    def real_time(self) -> bool:
        return not self._config.lockstep

    def diagnose(self) -> tuple[bytes, str, Mapping[str, Any]]:
        values = {'features': self._seq, 'latency_ms': f'{1e3 * self._latency_s:.2f}'}
        if self._stream is None:
            return OK, 'active', values
        now_s = time.monotonic()
        values |= self._stream.values(now_s)
        fault = self._stream.fault(now_s)
        if fault:
            return ERROR, fault, values
        before, self._unusable = self._unusable, self._stream.unusable
        if self._unusable > before:
            return WARN, f'{self._unusable - before} event packets lost or unusable lately', values
        return OK, 'active', values

    def _on_image(self, message: Image) -> None:
        start_s = time.perf_counter()
        self._publish(message, self._pipeline.observe(image_pixels(message)), start_s)

    def _on_packet(self, message: EventPacket) -> None:
        start_s = time.perf_counter()
        assert self._stream is not None
        features = self._stream.feed(event_packet(message), stamp_ns(message), time.monotonic())
        if features is not None:
            self._publish(message, features, start_s)

    def _publish(self, message: Image | EventPacket, features: np.ndarray, start_s: float) -> None:
        stamp = stamp_ns(message) + self._offset_ns
        encoded = features_message(stamp, self._seq, features)
        self._seq += 1
        self._latency_s = time.perf_counter() - start_s
        if self._hand_on is not None:
            self._hand_on(encoded)  # first: the car waits for what comes of it
        self._features.publish(encoded)

    def _on_check(self) -> None:
        """Say at once when the stream breaks, and when it is back."""
        assert self._stream is not None
        fault = self._stream.fault(time.monotonic())
        if fault and fault != self._fault:
            self.get_logger().error(fault)
        elif self._fault and not fault:
            self.get_logger().info('event packets are good again')
        self._fault = fault


def main() -> NoReturn:
    """Run the node, on the way from sensor to motor."""
    run_node(EncoderNode, DRIVING)


if __name__ == '__main__':
    main()
