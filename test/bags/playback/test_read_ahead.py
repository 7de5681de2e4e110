"""What belongs together is put together by stamp, whenever it was recorded."""

import dataclasses
import random

from hypothesis import given
from hypothesis import strategies as st

from rtrrl_ros.bags.playback.read_ahead import LOOKAHEAD_NS, ReadAhead

MS = 1_000_000
SENSOR = '/event_camera/events'


def take_all(recording: ReadAhead) -> list:
    """[(stamp of the sensor, its partners)], the leftovers last."""
    steps = []
    while (record := recording.take()) is not None:
        steps.append((record, recording.partners(recording.stamp(record))))
    return [*steps, (None, recording.partners())]


@given(st.integers(1, 12), st.integers(0, 2**32), st.integers(0, LOOKAHEAD_NS // (20 * MS)))
def test_partners_come_with_their_observation_although_recorded_late(
    made, count: int, seed: int, late: int
) -> None:
    delay, records = random.Random(seed), []
    for index in range(count):
        stamp = index * 10 * MS
        records.append(made.sensed(stamp, stamp))
        for make in (made.reward, made.executed):
            records.append(make(stamp, stamp + delay.randint(0, late) * 10 * MS))
    records.sort(key=lambda record: record.log_ns)
    *steps, (_, left) = take_all(ReadAhead(records, SENSOR))
    assert left == []
    assert len(steps) == count
    for sensed, partners in steps:
        stamp = sensed.log_ns
        assert sorted(record.topic for record in partners) == ['/executed', '/reward']
        assert all(made.reward(stamp).data[:12] == record.data[:12] for record in partners)


def test_a_partner_without_an_observation_is_not_lost(made) -> None:
    records = [made.sensed(0), made.reward(0, 1), made.reward(50 * MS, 50 * MS)]
    (_, one), (_, left) = take_all(ReadAhead(records, SENSOR))
    assert one == [records[1]]
    assert left == [records[2]]


def test_others_keep_their_place(made) -> None:
    label = made.message('/label', 0, 5 * MS)
    recording = ReadAhead([made.sensed(0), label, made.sensed(10 * MS)], SENSOR)
    first = recording.take()
    assert first is not None
    assert recording.others(first.log_ns) == []
    second = recording.take()
    assert second is not None
    assert recording.others(second.log_ns) == [label]


def test_what_was_sensed_before_the_first_lap_is_left_out(made) -> None:
    records = []
    for index, first in enumerate([False, False, True, False, True]):
        stamp = index * 10 * MS
        # the reward of an observation may have been recorded before it
        records += [made.reward(stamp, stamp, first), made.sensed(stamp, stamp + 1)]
        records += [made.message('/label', 0, stamp + 2)]
    recording = ReadAhead(records, SENSOR, begins=made.is_first)
    *steps, _ = take_all(recording)
    assert [sensed.log_ns for sensed, _ in steps] == [20 * MS + 1, 30 * MS + 1, 40 * MS + 1]
    assert steps[0][1] == [records[6]]
    assert recording.left_out == 2
    assert len(recording.others()) == 3


def test_a_recording_without_a_lap_has_no_observation(made) -> None:
    records = [made.sensed(0), made.reward(0), made.sensed(10 * MS)]
    recording = ReadAhead(records, SENSOR, begins=made.is_first)
    assert recording.take() is None
    assert recording.left_out == 2


def test_the_offset_of_an_encoder_counts(made) -> None:
    records = [made.sensed(10 * MS), made.reward(7 * MS, 10 * MS, first=True)]
    recording = ReadAhead(records, SENSOR, offset_ns=-3 * MS, begins=made.is_first)
    sensed = recording.take()
    assert sensed is not None
    assert recording.partners(recording.stamp(sensed)) == [records[1]]


IMAGES, S = '/image_raw', 1_000 * MS


def most_held(recording: ReadAhead, monkeypatch) -> int:
    """Take everything; returns how many others waited at most."""
    most, read = 0, recording._read

    def watched() -> None:
        nonlocal most
        read()
        most = max(most, len(recording._others))

    monkeypatch.setattr(recording, '_read', watched)
    while (record := recording.take()) is not None:
        recording.others(record.log_ns)
    return most


def test_a_car_that_stands_before_the_first_lap_fills_no_memory(made, monkeypatch) -> None:
    def records():
        for stamp in range(0, 61 * S, 10 * MS):
            yield made.sensed(stamp)
            yield made.message(IMAGES, stamp)
            yield made.reward(stamp, first=stamp == 60 * S)

    recording = ReadAhead(records(), SENSOR, begins=made.is_first)
    assert most_held(recording, monkeypatch) <= LOOKAHEAD_NS // (10 * MS) + 2
    assert recording.left_out == 6000 and not recording.dropped


def test_a_sensor_that_falls_silent_fills_no_memory(made, monkeypatch) -> None:
    image, most = made.message(IMAGES, 0), 50

    def records():
        yield made.sensed(0)
        for stamp in range(0, 60 * S, 10 * MS):
            yield dataclasses.replace(image, log_ns=stamp)

    recording = ReadAhead(records(), SENSOR, held_bytes=most * len(image.data))
    assert most_held(recording, monkeypatch) <= LOOKAHEAD_NS // (10 * MS) + 1
    kept = [record.log_ns for record in recording.others()]
    assert kept == list(range(60 * S - most * 10 * MS, 60 * S, 10 * MS))
    assert recording.dropped == 6000 - 1 - most


def test_a_gap_of_the_sensor_costs_nothing(made) -> None:
    image = made.message(IMAGES, 0)
    images = [dataclasses.replace(image, log_ns=ns) for ns in range(MS, 20 * S, 10 * MS)]
    recording = ReadAhead([made.sensed(0), *images, made.sensed(20 * S)], SENSOR)
    while (record := recording.take()) is not None:
        heard = recording.others(record.log_ns)
    assert heard == images and not recording.dropped
