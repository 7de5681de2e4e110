"""Laps out of recordings: the right command at each frame, and never all in memory."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rtrrl_ros.bags.demonstrations.frame_streams import EVENTS
from rtrrl_ros.bags.demonstrations.laps import (
    Recorded,
    RecordedConfig,
    recorded_laps,
)
from rtrrl_ros.errors import UserError
from rtrrl_ros.perception.events.contract import EventBatch
from rtrrl_ros.perception.events.frames import FrameConfig
from rtrrl_ros.perception.events.windows import WindowConfig
from rtrrl_ros.safety.modes import Mode
from rtrrl_ros.tracking.reference_line import ReferenceLine
from rtrrl_ros.worlds.contract import StepType

FRAMES = FrameConfig(representation='time_surface', tau_ms=30.0, columns=32, rows=16)
MOST_RAD = 0.4


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Recorded]:
    def read(*paths: Path, reference: ReferenceLine | None = None, **config) -> Recorded:
        return recorded_laps(
            paths, WindowConfig(), FRAMES, tmp_path / 'cache', MOST_RAD,
            RecordedConfig(**{'shortest_s': 0.1, **config}), reference=reference,
        )  # fmt: skip

    return read


def labels(recorded: Recorded) -> np.ndarray:
    return np.concatenate([lap.actions[:, 0] for lap in recorded.laps])


def test_every_frame_has_the_command_of_its_stamp(drive_in, read, command_at) -> None:
    recorded = read(drive_in(lambda drive: drive.ordinary(range(200))))
    (lap,) = recorded.laps
    assert lap.images.shape == (200, 2, 16, 32)
    assert not lap.rewarded
    expected = [command_at(frame) / MOST_RAD for frame in range(200)]
    assert lap.actions[:, 0] == pytest.approx(expected, abs=1e-6)
    assert recorded.size == (64, 48)
    assert recorded.notes == []


def test_frames_are_those_of_the_pipeline_wherever_they_are_sliced(drive_in, read) -> None:
    (lap,) = read(drive_in(lambda drive: drive.ordinary(range(60)))).laps
    whole = lap.images[:]
    assert whole.dtype == np.float16
    assert len(np.unique(whole.reshape(60, -1), axis=0)) == 60
    for part in (slice(0, 7), slice(30, 60), slice(55, 90), slice(60, 70)):
        assert np.array_equal(lap.images[part], whole[part])


def test_a_command_too_far_away_in_time_is_not_taken(drive_in, read) -> None:
    def fill(drive) -> None:
        drive.events(range(100))
        for frame in range(40):
            drive.command(frame + 0.4)

    recorded = read(drive_in(fill), max_skew_s=0.05)
    # the last command, at 39.4, counts for frames up to 44
    assert (recorded.counts.used, recorded.counts.stale) == (45, 55)


def test_slow_commands_are_matched_to_the_nearest_frame(drive_in, read, command_at) -> None:
    def fill(drive) -> None:
        drive.events(range(100))
        for frame in range(0, 100, 4):
            drive.command(frame)

    found = labels(read(drive_in(fill))) * MOST_RAD
    # in the middle between two the earlier command counts
    expected = [command_at(min(4 * ((frame + 1) // 4), 96)) for frame in range(100)]
    assert found == pytest.approx(expected, abs=1e-6)


def test_what_a_policy_drove_is_not_learned_from(drive_in, read) -> None:
    def fill(drive) -> None:
        drive.ordinary(range(100))
        for frame in range(100):
            drive.executed(frame, Mode.TAKEOVER if frame < 60 else Mode.PASSED)

    counts = read(drive_in(fill)).counts
    assert (counts.used, counts.policy) == (60, 40)


def test_takeovers_are_enough_where_there_is_no_teleop(drive_in, read) -> None:
    def fill(drive) -> None:
        drive.events(range(100))
        for frame in range(100):
            drive.executed(frame, Mode.TAKEOVER if 20 <= frame < 60 else Mode.LIMITED, angle=0.2)

    recorded = read(drive_in(fill))
    assert (recorded.counts.used, recorded.counts.policy) == (40, 60)
    assert labels(recorded) == pytest.approx(0.5)


def test_the_muxs_commands_count_unless_a_policy_drove_as_well(drive_in, read) -> None:
    def fill(drive) -> None:
        drive.events(range(50))
        for frame in range(50):
            drive.command(frame, topic='/ackermann_cmd')

    assert read(drive_in(fill)).counts.used == 50

    def with_policy(drive) -> None:
        fill(drive)
        drive.command(50, topic='/drive')

    with pytest.raises(UserError, match='nobody knows what a person did'):
        read(drive_in(with_policy, 'policy'))


def test_a_standing_car_and_a_broken_joystick_teach_nothing(drive_in, read) -> None:
    def fill(drive) -> None:
        for frame in range(90):
            drive.events([frame])
            speed, angle = (0.0, 0.0) if frame < 30 else (1.0, np.nan if frame < 40 else 0.1)
            drive.command(frame, speed=speed, angle=angle)

    counts = read(drive_in(fill)).counts
    assert (counts.standing, counts.stale, counts.used) == (30, 10, 50)


def test_laps_are_those_of_the_rewards(drive_in, read) -> None:
    def fill(drive) -> None:
        for frame in range(150):
            drive.events([frame])
            drive.command(frame)
            lap, place = divmod(frame, 50)
            last = StepType.LAST if place == 49 else StepType.MID
            kind = StepType.FIRST if place == 0 else last
            drive.reward(frame, lap, kind, reward=lap, terminated=frame == 99)

    laps = read(drive_in(fill)).laps
    assert [len(lap.actions) for lap in laps] == [50, 50, 50]
    assert [lap.terminated for lap in laps] == [False, True, False]
    assert all(lap.rewarded for lap in laps)
    assert [lap.rewards.tolist() for lap in laps] == [[k] * 50 for k in (0.0, 1.0, 2.0)]
    assert [lap.task_return for lap in laps] == [0.0, 100.0, 200.0]


def test_a_missing_reward_is_not_zero(drive_in, read) -> None:
    def fill(drive) -> None:
        drive.ordinary(range(100))
        for frame in range(100):
            if frame != 70:
                lap, place = divmod(frame, 50)
                drive.reward(frame, lap, StepType.FIRST if place == 0 else StepType.MID)

    assert [lap.rewarded for lap in read(drive_in(fill)).laps] == [True, False]


def test_pauses_part_laps_and_short_pieces_are_left_out(drive_in, read) -> None:
    def fill(drive) -> None:
        drive.events(range(200))
        for frame in [*range(80), *range(110, 115), *range(150, 200)]:
            drive.command(frame)

    recorded = read(drive_in(fill), max_skew_s=0.001, max_gap_s=0.2, shortest_s=0.3)
    assert [len(lap.actions) for lap in recorded.laps] == [80, 50]
    assert (recorded.counts.used, recorded.counts.short) == (130, 5)


def test_a_short_hole_ends_no_lap(drive_in, read) -> None:
    def fill(drive) -> None:
        drive.events(range(100))
        for frame in [*range(40), *range(45, 100)]:
            drive.command(frame)

    (lap,) = read(drive_in(fill), max_skew_s=0.001).laps
    (whole,) = read(drive_in(lambda drive: drive.ordinary(range(100)), 'whole')).laps
    kept = np.r_[0:40, 45:100]
    assert np.array_equal(lap.images[:], whole.images[:][kept])
    assert np.array_equal(lap.images[35:60], whole.images[:][kept[35:60]])


def test_a_long_drive_without_laps_is_cut(drive_in, read) -> None:
    laps = read(drive_in(lambda drive: drive.ordinary(range(250))), longest_s=1.0).laps
    assert [len(lap.actions) for lap in laps] == [100, 100, 50]


def test_laps_along_a_reference_line(drive_in, read) -> None:
    turn = np.linspace(0.0, 2.0 * np.pi, 400, endpoint=False)
    line = ReferenceLine.of(np.stack([np.cos(turn), np.sin(turn)], axis=1))

    def fill(drive) -> None:
        drive.ordinary(range(500))
        for tick in range(251):  # two and a half times around, 0.1 m aside
            angle = 2.5 * 2.0 * np.pi * tick / 250
            x, y = 0.9 * np.cos(angle), 0.9 * np.sin(angle)
            drive.pose(2 * tick, x, y, angle + 0.5 * np.pi)

    laps = read(drive_in(fill), reference=line).laps
    assert [len(lap.actions) for lap in laps] == pytest.approx([200, 200, 100], abs=2)
    assert all(lap.rewarded for lap in laps)
    assert laps[0].task_return == pytest.approx(100 * (1 - 0.1 / 0.15), abs=1)

    with pytest.raises(UserError, match=r'/odom is needed'):
        read(drive_in(lambda drive: drive.ordinary(range(50)), 'blind'), reference=line)


def test_a_camera_that_starts_anew_starts_a_lap(drive_in, read) -> None:
    def fill(drive) -> None:
        drive.ordinary(range(50))
        drive.seq = 0
        drive.ordinary(range(150, 220))

    laps = read(drive_in(fill)).laps
    (alone,) = read(drive_in(lambda drive: drive.ordinary(range(150, 220)), 'alone')).laps
    assert [len(lap.actions) for lap in laps] == [50, 70]
    assert np.array_equal(laps[1].images[:], alone.images[:])


def test_an_observation_that_was_repeated_counts_once(drive_in, read) -> None:
    def fill(drive) -> None:
        for frame in range(50):
            drive.ordinary([frame])
            if frame % 10 == 0:
                drive.seq -= 1
                drive.ordinary([frame])

    assert read(drive_in(fill)).counts.recorded == 50


def test_lost_packets_are_told(drive_in, read) -> None:
    def fill(drive) -> None:
        drive.ordinary(range(50))
        drive.seq += 3
        drive.ordinary(range(50, 100))

    (note,) = read(drive_in(fill)).notes
    assert '3 event packets are missing' in note


def test_several_recordings_give_their_laps_in_order(drive_in, read) -> None:
    one = drive_in(lambda drive: drive.ordinary(range(50)), 'one')
    two = drive_in(lambda drive: drive.ordinary(range(100, 170)), 'two')
    recorded = read(one, two, one)
    assert [len(lap.actions) for lap in recorded.laps] == [50, 70, 50]
    assert recorded.counts.recorded == 170


@pytest.mark.parametrize(
    ('fill', 'line'),
    [
        (lambda drive: drive.command(0), 'no topic /event_camera/events'),
        (lambda drive: drive.events(range(30)), 'nobody knows what a person did'),
        (lambda drive: drive.events([]) or drive.reward(0, 0, StepType.FIRST), 'no topic'),
        (
            lambda drive: drive.events(range(30)) or drive.command(10_000),
            'do the clocks agree',
        ),
        (lambda drive: drive.events([0]) or drive.command(0, speed=0.0), '1 standing'),
    ],
)
def test_useless_recordings_are_refused_in_one_line(drive_in, read, fill, line) -> None:
    with pytest.raises(UserError, match=line) as error:
        read(drive_in(fill))
    assert '\n' not in str(error.value)


def test_a_packet_that_cannot_be_is_passed_over(drive_in, read) -> None:
    def fill(drive) -> None:
        nothing = EventBatch.empty(0, 0, drive.stamp(0) // 1000)
        for packet in drive.messages.event_packets(nothing, drive.stamp(0), 0):
            drive.write(EVENTS, 0, packet)
        drive.ordinary(range(1, 60))

    assert read(drive_in(fill)).size == (64, 48)


def test_there_is_no_such_recording(read, tmp_path) -> None:
    with pytest.raises(UserError, match='no such recording'):
        read(tmp_path / 'nothing')
