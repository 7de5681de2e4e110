"""A sample of the features of a recording: as they were recorded, or by the encoder of a model."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...checkpoint import Checkpoint, load_checkpoint
from ...errors import UserError
from ...perception.pipeline import EventPipeline
from ...perception.rgb import rgb_pixels
from ..inspection import kinds
from ..inspection.accumulators import Reservoir
from ..inspection.events import event_packet
from ..reading import Bag, Record

#: consecutive features from the beginning, from which it is told how long they resemble each other
STRETCH = 8192


class FeatureSample:
    """A uniform random sample of the recorded features of one bag; hears one topic.

    Parameters
    ----------
    name : of the bag, for people
    topic : of rtrrl_msgs/Features
    size, seed : of the sample

    Attributes
    ----------
    seen : finite features so far
    not_finite : the others, which are left out
    """

    source = 'recorded'

    def __init__(self, name: str, topic: str, size: int, seed: int) -> None:
        self.name = name
        self.topics: Sequence[str] = (topic,)
        self._reservoir = Reservoir(size, seed)
        self._stretch: list[np.ndarray] = []
        self._length = 0
        self.not_finite = 0
        self._first_ns = self._last_ns = 0

    def add(self, message: Any, record: Record, stamp_ns: int | None) -> None:
        """Take the features of a message."""
        self.offer(np.asarray(message.data, dtype=np.float64), stamp_ns or record.log_ns)

    def offer(self, features: np.ndarray, time_ns: int) -> None:
        """Take a vector (n,)."""
        if self._length and len(features) != self._length:
            raise UserError(
                f'{self.name}: features of {self._length} and of {len(features)} numbers in one '
                'topic: two encoders were recorded; use --model'
            )
        if not len(features) or not np.isfinite(features).all():
            self.not_finite += 1
            return
        if not self.seen:
            self._length, self._first_ns = len(features), time_ns
        self._last_ns = max(self._last_ns, time_ns)
        if len(self._stretch) < STRETCH:
            self._stretch.append(features)
        self._reservoir.add(features)

    @property
    def seen(self) -> int:
        return self._reservoir.seen

    @property
    def period_s(self) -> float:
        """Mean time from one to the next."""
        return (self._last_ns - self._first_ns) * 1e-9 / max(1, self.seen - 1)

    @property
    def stretch(self) -> np.ndarray:
        """(k, n) the first features, consecutive."""
        return np.array(self._stretch)

    def sample(self) -> tuple[np.ndarray, np.ndarray]:
        """(m,) numbers in the recording, ascending from 0, and (m, n) features.

        Raises UserError where there are fewer than two.
        """
        if self.seen < 2:
            raise UserError(f'{self.name}: {self.seen} features{self.why_none()}; two are needed')
        return self._reservoir.sample()

    def why_none(self) -> str:
        """What is known about why there are so few."""
        return f', {self.not_finite} that are not finite' if self.not_finite else ''


class EncodedSample(FeatureSample):
    """The same of the features that a model's encoder computes from the events or images of a bag.

    Parameters
    ----------
    checkpoint : the model
    topic : of events or images, as the model takes them
    """

    def __init__(self, name: str, topic: str, size: int, seed: int, checkpoint: Checkpoint) -> None:
        # torch is not needed for features that were recorded
        from ...driving.assembly import load_pipeline, single_threaded
        from ...perception.event_stream import EventStream

        super().__init__(name, topic, size, seed)
        single_threaded()
        self.source = str(checkpoint.path)
        self._pipeline = load_pipeline(checkpoint)
        self._fault = ''
        self._stream: EventStream | None = None
        if isinstance(self._pipeline, EventPipeline):
            self._stream = EventStream(
                self._pipeline, checkpoint.get('width', int), checkpoint.get('height', int),
                silence_s=float('inf'), now_s=0.0,
            )  # fmt: skip

    def add(self, message: Any, record: Record, stamp_ns: int | None) -> None:
        """Take a packet or an image."""
        time_ns = stamp_ns or record.log_ns
        if self._stream is None:
            pixels = self._pixels(message)
            self.offer(self._pipeline.observe(pixels).astype(np.float64), time_ns)
            return
        features = self._stream.feed(event_packet(message), time_ns, now_s=0.0)
        self._fault = self._fault or self._stream.fault(0.0)
        if features is not None:
            self.offer(features.astype(np.float64), time_ns)

    def _pixels(self, message: Any) -> np.ndarray:
        """(height, width, 3) uint8 of a sensor_msgs/Image."""
        shape = int(message.width), int(message.height), int(message.step)
        try:
            return rgb_pixels(message.encoding, *shape, message.data)
        except UserError as error:
            raise UserError(f'{self.name}: {error}') from None

    def why_none(self) -> str:
        return f' ({self._fault})' if self._fault else super().why_none()


def feature_sample(bag: Bag, model: Path | None, size: int, seed: int) -> FeatureSample:
    """What to sample of a bag: its features, or with a model what that needs.

    Raises
    ------
    UserError
        the bag does not have it, or the model cannot be read
    """
    name = str(bag.path)
    if model is None:
        topics = kinds.of_type(bag.topics, kinds.FEATURES)
        if not topics:
            raise UserError(f'{name} has no features ({kinds.FEATURES}); use --model')
        return FeatureSample(name, topics[0], size, seed)
    checkpoint = load_checkpoint(model)
    kind = kinds.EVENTS if checkpoint.config.get('sensor') == 'events' else kinds.IMAGE
    topics = kinds.of_type(bag.topics, kind)
    if not topics:
        raise UserError(f'{name} has no {kind}, which {model} needs')
    return EncodedSample(name, topics[0], size, seed, checkpoint)
