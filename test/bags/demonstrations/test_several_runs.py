"""Several runs in one bag, whose simulated time begins anew: nothing of one counts in another."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rtrrl_ros.bags.demonstrations.laps import Recorded, RecordedConfig, recorded_laps
from rtrrl_ros.bags.tracks import Tracks
from rtrrl_ros.perception.events.frames import FrameConfig
from rtrrl_ros.perception.events.windows import WindowConfig
from rtrrl_ros.safety.modes import Mode
from rtrrl_ros.tracking.reference_line import ReferenceLine
from rtrrl_ros.worlds.contract import StepType

FRAMES = FrameConfig(representation='time_surface', tau_ms=30.0, columns=32, rows=16)
#: frames of a run
LONG = 200


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Recorded]:
    def read(path: Path, reference: ReferenceLine | None = None, **config) -> Recorded:
        return recorded_laps(
            [path], WindowConfig(), FRAMES, tmp_path / 'cache', 1.0,
            RecordedConfig(**{'shortest_s': 0.1, **config}), reference=reference,
        )  # fmt: skip

    return read


def labels(recorded: Recorded) -> list[list[float]]:
    """Of each lap the different ones."""
    return [np.unique(lap.actions.round(3)).tolist() for lap in recorded.laps]


def test_every_run_has_its_own_commands(drive_in, read) -> None:
    def fill(drive) -> None:
        for angle in (0.2, -0.2):
            for frame in range(LONG):
                drive.events([frame])
                drive.command(frame, angle=angle)
                drive.executed(frame, Mode.TAKEOVER, angle=angle)
            drive.run()

    recorded = read(drive_in(fill))
    assert [len(lap.actions) for lap in recorded.laps] == [LONG, LONG]
    assert labels(recorded) == [pytest.approx([0.2]), pytest.approx([-0.2])]


def test_who_drove_is_told_by_the_run(drive_in, read) -> None:
    def fill(drive) -> None:
        for mode in (Mode.TAKEOVER, Mode.PASSED):
            for frame in range(LONG):
                drive.ordinary([frame])
                drive.executed(frame, mode)
            drive.run()

    counts = read(drive_in(fill)).counts
    assert (counts.used, counts.policy) == (LONG, LONG)


def test_a_run_without_commands_gets_none_of_another(drive_in, read) -> None:
    def fill(drive) -> None:
        for angle in (0.2, None, -0.2):
            for frame in range(LONG):
                drive.events([frame])
                if angle is not None:
                    drive.command(frame, angle=angle)
            drive.run()

    recorded = read(drive_in(fill))
    assert labels(recorded) == [pytest.approx([0.2]), pytest.approx([-0.2])]
    assert (recorded.counts.used, recorded.counts.stale) == (2 * LONG, LONG)


def test_every_run_has_its_own_rewards(drive_in, read) -> None:
    def fill(drive) -> None:
        for run in (1.0, 2.0, 3.0):
            for frame in range(LONG):
                kind = StepType.FIRST if frame == 0 else StepType.MID
                kind = StepType.LAST if frame == LONG - 1 else kind
                drive.reward(frame, 0, kind, reward=run, terminated=run == 2.0)
                drive.command(frame)
                drive.events([frame])  # the last of each moment: the others begin anew before it
            drive.run()

    laps = read(drive_in(fill)).laps
    assert [lap.rewards.tolist() for lap in laps] == [[run] * LONG for run in (1.0, 2.0, 3.0)]
    assert [lap.rewarded for lap in laps] == [True] * 3
    assert [lap.terminated for lap in laps] == [False, True, False]


def test_a_run_without_rewards_gets_none_of_another(drive_in, read) -> None:
    def fill(drive) -> None:
        for run in range(2):
            for frame in range(LONG):
                drive.ordinary([frame])
                if run == 0:
                    drive.reward(frame, 0, StepType.MID if frame else StepType.FIRST)
            drive.run()

    assert [lap.rewarded for lap in read(drive_in(fill)).laps] == [True, False]


def test_laps_along_a_line_are_those_of_each_run(drive_in, read) -> None:
    turn = np.linspace(0.0, 2.0 * np.pi, 400, endpoint=False)
    line = ReferenceLine.of(np.stack([np.cos(turn), np.sin(turn)], axis=1))

    def fill(drive) -> None:
        for radius in (0.9, 0.95):
            for frame in range(LONG + 1):  # once around
                angle = 2.0 * np.pi * frame / LONG
                x, y = radius * np.cos(angle), radius * np.sin(angle)
                drive.ordinary([frame])
                drive.pose(frame, x, y, angle + 0.5 * np.pi)
            drive.run()

    laps = [lap for lap in read(drive_in(fill), reference=line).laps if lap.rewarded]
    assert [len(lap.actions) for lap in laps] == pytest.approx([LONG, LONG], abs=2)
    expected = [100 * (1 - aside / 0.15) for aside in (0.1, 0.05)]
    assert [lap.task_return for lap in laps] == pytest.approx(expected, abs=1)


def test_no_piece_goes_on_in_the_next_run(drive_in, read) -> None:
    def fill(drive) -> None:
        for commanded in (range(100), range(100, LONG)):
            drive.events(range(LONG))
            for frame in commanded:
                drive.command(frame)
            drive.run()

    laps = read(drive_in(fill), max_skew_s=0.001).laps
    assert [len(lap.actions) for lap in laps] == [100, 100]


def test_only_a_long_way_back_of_the_sensors_stamps_is_another_epoch() -> None:
    tracks = Tracks()
    epochs = []
    for tenths in (0, 50, 45, 0, 60, 40, 41):  # 0: nobody stamped it
        stamp = SimpleNamespace(sec=tenths // 10, nanosec=tenths % 10 * 100_000_000)
        epochs.append(tracks.on_sensor(SimpleNamespace(header=SimpleNamespace(stamp=stamp))))
    assert epochs == [0, 0, 0, 0, 0, 1, 1]
