"""A camera's own recording, with the commands in a bag beside it."""

from pathlib import Path

import numpy as np
import pytest

from rtrrl_ros.bags.demonstrations.laps import RecordedConfig, recorded_laps
from rtrrl_ros.errors import UserError
from rtrrl_ros.perception.events.frames import FrameConfig
from rtrrl_ros.perception.events.windows import WindowConfig

FRAMES = FrameConfig(representation='time_surface', tau_ms=30.0, columns=32, rows=16)
COUNT = 120


def write_recording(path: Path, batches) -> None:
    dv = pytest.importorskip('dv_processing')
    size = batches[0].width, batches[0].height
    writer = dv.io.MonoCameraWriter(
        str(path), dv.io.MonoCameraWriter.EventOnlyConfig('camera', size)
    )
    for batch in batches:
        store = dv.EventStore()
        columns = batch.t_us, batch.x, batch.y, batch.polarity
        for t, x, y, on in zip(*(column.tolist() for column in columns), strict=True):
            store.push_back(t, x, y, on)
        writer.writeEvents(store)
    del writer  # finishes the file


def read(path: Path, folder: Path):
    return recorded_laps(
        [path], WindowConfig(), FRAMES, folder / 'cache', 0.4, RecordedConfig(shortest_s=0.1)
    )


def test_it_gives_the_laps_that_a_bag_of_the_same_drive_gives(
    tmp_path, drive_in, events_of, command_at
) -> None:
    def commands(drive) -> None:
        for frame in range(COUNT):
            drive.command(frame)

    drive_in(commands, 'monday')
    write_recording(tmp_path / 'monday.aedat4', [events_of(frame) for frame in range(COUNT)])
    (lap,) = read(tmp_path / 'monday.aedat4', tmp_path).laps
    bag = drive_in(lambda drive: drive.ordinary(range(COUNT)), 'bag')
    (expected,) = read(bag, tmp_path).laps
    # the last window is open until an event after it comes
    assert len(lap.actions) == COUNT - 1
    assert np.array_equal(lap.actions, expected.actions[:-1])
    assert np.array_equal(lap.images[:], expected.images[:-1])


def test_without_commands_beside_it_there_is_one_line(tmp_path, events_of) -> None:
    write_recording(tmp_path / 'alone.aedat4', [events_of(frame) for frame in range(5)])
    with pytest.raises(UserError, match=r'no bag with the commands beside it; .* alone\.mcap'):
        read(tmp_path / 'alone.aedat4', tmp_path)


def test_a_recording_that_was_cut_off(tmp_path, drive_in, events_of) -> None:
    drive_in(lambda drive: drive.command(0), 'cut')
    path = tmp_path / 'cut.aedat4'
    write_recording(path, [events_of(frame) for frame in range(50)])
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(UserError, match='cut off'):
        read(path, tmp_path)
