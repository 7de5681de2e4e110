"""What a recorded camera sent, encoded again as the encoder of the graph did."""

import math
from typing import Any, Protocol

import numpy as np

from ...checkpoint import Checkpoint
from ...driving.assembly import load_pipeline, single_threaded
from ...errors import UserError
from ...perception.event_stream import EventStream
from ...perception.events.codecs import EventPacket
from ...perception.pipeline import EventPipeline, Pipeline
from ...perception.rgb import rgb_pixels
from ..reading import Bag

EVENTS_TOPIC, IMAGES_TOPIC = '/event_camera/events', '/image_raw'
KEPT, GAP, ANEW = 'kept', 'gap', 'anew'
_S_NS = 1_000_000_000


class Sight(Protocol):
    """Encodes the messages of one topic, in their order.

    Attributes
    ----------
    topic, type : what it takes
    offset_ns : added to the stamps of the camera
    past : what the newest features remember: KEPT, all that came; GAP, some of it is not in the
        bag; ANEW, nothing
    """

    topic: str
    type: str
    offset_ns: int
    past: str

    def feed(self, message: Any, stamp_ns: int) -> np.ndarray | None:
        """Features (latent,) float32 that this message completes, if they can be known."""

    def remarks(self) -> list[str]:
        """What was wrong with the messages, a line each."""


class EventSight:
    """Event packets. Their windows and frames have a past.

    From a recording that begins in the midst of a run, features are known from the next start of
    the sensor on.
    """

    topic, type = EVENTS_TOPIC, 'event_camera_msgs/msg/EventPacket'

    def __init__(self, pipeline: EventPipeline, width: int, height: int, offset_ns: int) -> None:
        self.offset_ns = offset_ns
        self._stream = EventStream(pipeline, width, height, math.inf, 0.0)
        self.past = KEPT
        self._known = self._began = False
        self._missing = 0  # packets, when there were features last
        self._before = 0  # packets that came before anything was known
        self._fault = ''

    def feed(self, message: Any, stamp_ns: int) -> np.ndarray | None:
        self._began = self._began or message.seq == 0
        self._known = self._known or self._began
        self._before += not self._known
        packet = EventPacket(
            message.encoding, message.width, message.height, int(message.seq),
            int(message.time_base), bool(message.is_bigendian), message.events,
        )  # fmt: skip
        features = self._stream.feed(packet, stamp_ns, 0.0)
        self._fault = self._fault or self._stream.fault(0.0)
        if features is not None:
            lost = self._stream.unusable > self._missing
            self.past = ANEW if self._began else GAP if lost else KEPT
            self._missing, self._began = self._stream.unusable, False
        return features if self._known else None

    def remarks(self) -> list[str]:
        counters = self._stream.source.counters
        lines = []
        if self._before:
            lines.append(
                f'features: {self._before} event packets from before the first start of the sensor '
                'are of no use; what the encoder had seen until then is not in the bag'
            )
        if counters.lost_packets:
            lines.append(f'features: {counters.lost_packets} event packets are not in the bag')
        if self._fault:
            lines.append(f'features: {self._fault}')
        return lines


class ImageSight:
    """Camera images, each encoded by itself."""

    topic, type = IMAGES_TOPIC, 'sensor_msgs/msg/Image'

    def __init__(self, pipeline: Pipeline, offset_ns: int) -> None:
        self._pipeline, self.offset_ns, self.past = pipeline, offset_ns, ANEW
        self._fault = ''

    def feed(self, message: Any, stamp_ns: int) -> np.ndarray | None:
        try:
            pixels = rgb_pixels(
                message.encoding, message.width, message.height, message.step, message.data
            )
        except UserError as error:
            self._fault = self._fault or str(error)
            return None
        return self._pipeline.observe(pixels)

    def remarks(self) -> list[str]:
        return [f'features: {self._fault}'] if self._fault else []


def make_sight(checkpoint: Checkpoint, stamp_offset_s: float = 0.0) -> Sight:
    """The eye of a model.

    stamp_offset_s : as the encoder's parameter of this name was when it was recorded
    """
    single_threaded()
    pipeline, offset_ns = load_pipeline(checkpoint), round(stamp_offset_s * _S_NS)
    if isinstance(pipeline, EventPipeline):
        size = checkpoint.get('width', int), checkpoint.get('height', int)
        return EventSight(pipeline, *size, offset_ns)
    return ImageSight(pipeline, offset_ns)


def sees(bag: Bag, sight: Sight) -> bool:
    """Whether the bag holds anything that it takes."""
    return sight.topic in bag.topics and bag.topics[sight.topic].count > 0
