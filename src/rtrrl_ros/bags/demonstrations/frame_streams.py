"""Event frames out of recordings, one after the other, as the encoder of a driving car sees."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...errors import UserError
from ...perception.event_stream import EventStream
from ...perception.events.codecs import EventPacket
from ...perception.events.contract import EventBatch
from ...perception.events.frames import FrameBuilder, FrameConfig
from ...perception.events.inivation import Aedat4Source
from ...perception.events.windows import EventWindows, WindowConfig
from ...perception.pipeline import EventPipeline
from ..reading import Bag, require
from ..tracks import TRACK_TOPICS, Tracks, header_stamp_ns

EVENTS = '/event_camera/events'
EVENT_PACKET = 'event_camera_msgs/msg/EventPacket'
#: pixels along one side that no sensor exceeds
LARGEST_SIDE = 4096
_NS_PER_US = 1000


class Frame(NamedTuple):
    """A frame (C, H, W) float32, and stamp and epoch, see `tracks`, of what completed it."""

    stamp_ns: int
    pixels: np.ndarray
    epoch: int = 0


class _Frames(EventPipeline):
    """A pipeline whose features are the frames themselves."""

    def encode(self) -> np.ndarray:
        return self._frame


class BagFrames:
    """The frames of a bag; its small topics go to `tracks` on the way.

    Packets take the way they take in the encoder node: what is damaged, lost or begins anew has
    the same effect. An observation that a world repeated counts once.

    Attributes
    ----------
    size : width and height of the sensor in pixels; known with the first frame
    lost, unusable : packets missing between others; those, and refused or damaged ones
    fault : why the last packet could not be used, one line; '' if it could
    """

    def __init__(self, bag: Bag, window: WindowConfig, frames: FrameConfig, tracks: Tracks) -> None:
        require(bag, {EVENTS: EVENT_PACKET})
        self._bag, self._configs, self._tracks = bag, (window, frames), tracks
        self._stream: EventStream | None = None
        self.size = (0, 0)
        self.fault = 'it holds no event packet'

    @property
    def lost(self) -> int:
        return self._stream.source.counters.lost_packets if self._stream else 0

    @property
    def unusable(self) -> int:
        return self._stream.unusable if self._stream else 0

    def read(self, on_record: Callable[[], None] = lambda: None) -> Iterator[Frame]:
        """One pass through the bag."""
        newest_ns = None
        for record in self._bag.records([EVENTS, *TRACK_TOPICS]):
            on_record()
            if record.topic != EVENTS:
                self._tracks.add(self._bag, record)
                continue
            message = self._bag.message(record)
            epoch = self._tracks.on_sensor(message)
            packet = EventPacket(
                message.encoding, message.width, message.height, message.seq, message.time_base,
                message.is_bigendian, message.events,
            )  # fmt: skip
            stamp_ns = header_stamp_ns(message, record.log_ns)
            stream = self._stream or self._begin(packet)
            if stream is None:
                continue
            pixels = stream.feed(packet, stamp_ns, 0.0)
            self.fault = stream.fault(0.0)
            if pixels is not None and stamp_ns != newest_ns:
                newest_ns = stamp_ns
                yield Frame(stamp_ns, pixels, epoch)

    def _begin(self, packet: EventPacket) -> EventStream | None:
        """The stream of the sensor that the first credible packet tells."""
        size = packet.width, packet.height
        if not 0 < min(size) <= max(size) <= LARGEST_SIDE:
            self.fault = f'an event packet claims a sensor of {size[0]} x {size[1]} pixels'
            return None
        pipeline = _Frames(*self._configs, *size)  # UserError where no frame fits such a sensor
        self.size = size
        self._stream = EventStream(pipeline, *size, silence_s=float('inf'), now_s=0.0)
        return self._stream


class Aedat4Frames:
    """The frames of an .aedat4 recording: one for each window, stamped with the window's end.

    The camera's clock tells microseconds since 1970, so that commands of the same computer fit.
    """

    lost = unusable = 0

    def __init__(self, path: Path, window: WindowConfig, frames: FrameConfig) -> None:
        self._source, self._window, self._frames = Aedat4Source(path), window, frames
        self.size = (0, 0)
        self.fault = 'it is shorter than a window'

    def read(self, on_batch: Callable[[EventBatch], None] = lambda batch: None) -> Iterator[Frame]:
        """One pass through the recording."""
        with self._source as source:
            self.size = source.width, source.height
            windows = EventWindows(self._window, *self.size)
            builder = FrameBuilder(self._frames, *self.size, self._window.window_us)
            while (batch := source.next_batch()) is not None:
                on_batch(batch)
                for window in windows.push(batch):
                    yield Frame(window.end_us * _NS_PER_US, builder.build(window))


def commands_beside(recording: Path) -> Path:
    """The bag with the commands of an .aedat4 recording: of the same name, in the same folder.

    Raises
    ------
    UserError
        there is none
    """
    stem = recording.with_suffix('')
    for path in (stem, stem.with_suffix('.mcap'), stem.with_suffix('.db3')):
        if path.exists():
            return path
    raise UserError(
        f'{recording}: no bag with the commands beside it; put it there as {stem.name}/ or '
        f'{stem.name}.mcap'
    )
