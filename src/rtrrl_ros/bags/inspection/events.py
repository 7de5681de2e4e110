"""What the packets of an event camera hold: decoded one by one, counted, and let go."""

from typing import Any

import numpy as np

from ...perception.events.codecs import EventPacket
from ...perception.events.contract import UNKNOWN_US, EventBatch
from ...perception.events.packets import PacketSource
from .accumulators import LineFit, TimeBins

US_S = 1e-6
#: different complaints about packets that are kept
_FAULTS = 3
#: from how long a stretch without a restart the drift of the sensor's clock can be told, in s
_DRIFT_SPAN_S = 5.0


def event_packet(message: Any) -> EventPacket:
    """The packet in a message of event_camera_msgs/EventPacket as a bag gives it."""
    return EventPacket(
        message.encoding, int(message.width), int(message.height), int(message.seq),
        int(message.time_base), bool(message.is_bigendian), message.events,
    )  # fmt: skip


class EventSummary:
    """Counts, rates, losses and the sensor's clock of one topic of events.

    Parameters
    ----------
    topic : its name
    bins : of log time

    Attributes
    ----------
    on, off : events by polarity
    duration_s : sensor time that the packets span; a restart of the sensor does not count
    on_per_bin, off_per_bin, seconds_per_bin : (bins.count,) events, and sensor time they span
    lost_per_bin : (bins.count,) packets missing before those of the bin
    faults : complaints about packets that cannot be used, the first of each kind
    encodings : of all packets, in order of appearance
    """

    def __init__(self, topic: str, bins: TimeBins) -> None:
        self.topic = topic
        self._bins = bins
        self._source = PacketSource()
        self._source.open()
        self.on = self.off = 0
        self.duration_s = 0.0
        self.on_per_bin, self.off_per_bin, self.lost_per_bin = np.zeros((3, bins.count), np.int64)
        self.seconds_per_bin = np.zeros(bins.count)
        self.faults: dict[str, str] = {}
        self.encodings: list[str] = []
        self.size = 0, 0
        self._until_us: int | None = None
        self._clock = self._longest = LineFit()
        self._first_stamp_ns: int | None = None

    def add(self, message: Any, log_ns: int, stamp_ns: int | None) -> None:
        """Take the next packet."""
        packet = event_packet(message)
        if packet.encoding not in self.encodings:
            self.encodings.append(packet.encoding)
        if not any(self.size):
            self.size = packet.width, packet.height
        before = self._source.counters.lost_packets
        batch = self._source.feed(packet)
        index = self._bins.index(log_ns)
        self.lost_per_bin[index] += self._source.counters.lost_packets - before
        if batch is None:
            if len(self.faults) < _FAULTS:
                self.faults.setdefault(_kind_of(self._source.fault), self._source.fault)
            return
        self.size = self._source.width, self._source.height
        on = int(np.count_nonzero(batch.polarity))
        self.on += on
        self.off += len(batch) - on
        self.on_per_bin[index] += on
        self.off_per_bin[index] += len(batch) - on
        self._follow_clock(batch, index, stamp_ns)

    def _follow_clock(self, batch: EventBatch, index: int, stamp_ns: int | None) -> None:
        if batch.until_us == UNKNOWN_US:
            return
        start_us = self._until_us
        if batch.restart or start_us is None:
            start_us = int(batch.t_us[0]) if len(batch) else batch.until_us
            self._clock, self._first_stamp_ns = LineFit(), stamp_ns
        advance_s = max(0, batch.until_us - start_us) * US_S
        self._until_us = batch.until_us
        self.duration_s += advance_s
        self.seconds_per_bin[index] += advance_s
        if stamp_ns is not None and self._first_stamp_ns is not None:
            elapsed_s = (stamp_ns - self._first_stamp_ns) * 1e-9
            self._clock.add(elapsed_s, batch.until_us * US_S - elapsed_s)
            if self._clock.span >= self._longest.span:
                self._longest = self._clock

    @property
    def decoded(self) -> bool:
        """At least one packet could be used."""
        return self._source.counters.packets > 0

    @property
    def count(self) -> int:
        return self.on + self.off

    @property
    def lost_packets(self) -> int:
        return self._source.counters.lost_packets

    @property
    def rate_hz(self) -> float:
        """Events per second of sensor time; 0 where no time has passed."""
        return self.count / self.duration_s if self.duration_s > 0 else 0.0

    @property
    def sensor_drift_ppm(self) -> float | None:
        """How much faster sensor time runs than the stamps, in millionths; None: unknown."""
        fit = self._longest
        return 1e6 * fit.slope if fit.span >= _DRIFT_SPAN_S else None

    def to_json(self) -> dict[str, Any]:
        """Numbers are null where not one packet could be decoded."""
        counters = self._source.counters
        known = self.decoded
        return {
            'topic': self.topic,
            'count': self.count if known else None,
            'on': self.on if known else None, 'off': self.off if known else None,
            'width': self.size[0], 'height': self.size[1], 'encoding': ', '.join(self.encodings),
            'lost_packets': self.lost_packets,
            'duration_s': self.duration_s if known else None,
            'rate_hz': self.rate_hz if known else None,
            'packets': counters.packets, 'rejected_packets': counters.rejected_packets,
            'damaged_packets': counters.damaged_packets,
            'rejected_events': counters.rejected_events, 'restarts': counters.restarts,
            'sensor_drift_ppm': self.sensor_drift_ppm, 'faults': list(self.faults.values()),
        }  # fmt: skip


def _kind_of(fault: str) -> str:
    """A complaint without its numbers."""
    return ''.join(character for character in fault if not character.isdigit())
