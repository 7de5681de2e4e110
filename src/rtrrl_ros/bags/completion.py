"""Which message of a sensor completes an observation, as an encoder decides it."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..perception.event_stream import EventStream
from ..perception.events.codecs import EventPacket
from ..perception.events.frames import FrameConfig
from ..perception.events.windows import EventWindow, WindowConfig
from ..perception.pipeline import EventPipeline
from .reading import Bag, Record
from .stamps import stamp_ns

_NO_FRAME = np.zeros((0,), np.float32)


class _NoFrames:
    """A builder of frames that makes none."""

    shape = (0,)

    def build(self, window: EventWindow) -> np.ndarray:
        return _NO_FRAME


class _Windows(EventPipeline):
    """The pipeline of an encoder that cuts windows and does nothing with them."""

    def __init__(self, window: WindowConfig, width: int, height: int) -> None:
        super().__init__(window, FrameConfig(), width, height)
        self.builder: Any = _NoFrames()

    def encode(self) -> np.ndarray:
        return _NO_FRAME


def completes_window(
    bag: Bag, window: WindowConfig, width: int, height: int
) -> Callable[[Record], bool]:
    """Whether a packet makes an encoder with these windows say something; ask for each in order.

    It is the encoder's own reckoning, with damaged packets and restarts, without the network.
    """
    stream = EventStream(_Windows(window, width, height), width, height, math.inf, 0.0)

    def completes(record: Record) -> bool:
        message = bag.message(record)
        packet = EventPacket(
            message.encoding, message.width, message.height, message.seq, message.time_base,
            message.is_bigendian, message.events,
        )  # fmt: skip
        return stream.feed(packet, stamp_ns(record.data), 0.0) is not None

    return completes
