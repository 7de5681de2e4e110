"""Frames are decoded once for the same contents, and a cache is whole or not there."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rtrrl_ros.bags.demonstrations import frame_cache
from rtrrl_ros.bags.demonstrations.frame_cache import CachedDrive, cached_drive
from rtrrl_ros.errors import UserError
from rtrrl_ros.perception.events.frames import FrameConfig
from rtrrl_ros.perception.events.windows import WindowConfig

SMALL = FrameConfig(representation='time_surface', columns=32, rows=16)


@pytest.fixture
def cached(tmp_path: Path) -> Callable[..., CachedDrive]:
    def cached(path: Path, frames: FrameConfig = SMALL) -> CachedDrive:
        return cached_drive(path, WindowConfig(), frames, tmp_path / 'cache')

    return cached


@pytest.fixture
def decodings(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Grows with every recording that is decoded."""
    done: list[Path] = []
    decode = frame_cache._decode

    def counted(path: Path, *others: object) -> None:
        done.append(path)
        decode(path, *others)

    monkeypatch.setattr(frame_cache, '_decode', counted)
    return done


def test_the_same_contents_are_decoded_once_wherever_they_lie(
    drive_in, cached, decodings, tmp_path
) -> None:
    path = drive_in(lambda drive: drive.ordinary(range(30)))
    first = cached(path)
    shutil.move(path, tmp_path / 'elsewhere')
    again = cached(tmp_path / 'elsewhere')
    assert decodings == [path]
    assert again.path == tmp_path / 'elsewhere'
    assert np.array_equal(first.frames(np.arange(30))[:], again.frames(np.arange(30))[:])
    assert np.array_equal(first.stamps_ns, again.stamps_ns)


def test_other_frames_or_another_drive_are_decoded_anew(drive_in, cached, decodings) -> None:
    path = drive_in(lambda drive: drive.ordinary(range(30)))
    cached(path)
    cached(path, FrameConfig(representation='histogram', columns=32, rows=16))
    cached(drive_in(lambda drive: drive.ordinary(range(31)), 'other'))
    assert len(decodings) == 3


def test_what_was_broken_off_leaves_nothing(drive_in, cached, tmp_path, monkeypatch) -> None:
    def stop(self, frame) -> None:
        raise KeyboardInterrupt

    path = drive_in(lambda drive: drive.ordinary(range(30)))
    with monkeypatch.context() as patch:
        patch.setattr(frame_cache.FrameWriter, 'append', stop)
        with pytest.raises(KeyboardInterrupt):
            cached(path)
    assert list((tmp_path / 'cache').iterdir()) == []
    assert len(cached(path).stamps_ns) == 30


def test_a_full_disk_is_one_line_that_names_the_option(drive_in, cached, monkeypatch) -> None:
    def full(self, frame) -> None:
        raise OSError(28, 'No space left on device')

    path = drive_in(lambda drive: drive.ordinary(range(30)))
    monkeypatch.setattr(frame_cache.FrameWriter, 'append', full)
    with pytest.raises(UserError, match='No space left on device; name another folder with --ca'):
        cached(path)


def test_a_damaged_cache_is_not_believed(drive_in, cached) -> None:
    path = drive_in(lambda drive: drive.ordinary(range(30)))
    frames = cached(path).folder / 'frames.f16'
    frames.write_bytes(frames.read_bytes()[:-2])
    with pytest.raises(UserError, match='damaged: remove it'):
        cached(path)


def test_a_cache_that_cannot_be_made(drive_in, tmp_path) -> None:
    (tmp_path / 'file').write_text('')
    path = drive_in(lambda drive: drive.ordinary(range(30)))
    with pytest.raises(UserError, match='--cache'):
        cached_drive(path, WindowConfig(), SMALL, tmp_path / 'file')
