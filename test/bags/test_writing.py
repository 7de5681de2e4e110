"""What we write: readable by others, at any moment, and whole when the disk is full."""

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rtrrl_ros.bags import writing
from rtrrl_ros.bags.contract import Qos
from rtrrl_ros.bags.reading import open_bag
from rtrrl_ros.bags.storage import mcap_writing
from rtrrl_ros.bags.writing import BagWriter
from rtrrl_ros.errors import UserError

TEXT = 'std_msgs/msg/String'


@pytest.mark.parametrize('options', [{}, {'compression': 'zstd'}, {'split_bytes': 3000}])
def test_the_library_rosbags_reads_it(bags, options) -> None:
    from rosbags.highlevel import AnyReader

    messages = bags.samples(100)
    with AnyReader([bags.ours(messages, **options)]) as reader:  # it also compares type hashes
        got = [(c.topic, c.msgtype, log_ns, bytes(data)) for c, log_ns, data in reader.messages()]
        numbers = [c for c in reader.connections if c.topic == '/number']
        values = [
            reader.deserialize(data, c.msgtype).data for c, _, data in reader.messages(numbers)
        ]
        assert reader.message_count == 100
        assert reader.start_time == messages[0].log_ns
    assert got == [(m.topic, m.type, m.log_ns, m.data) for m in messages]
    assert values == list(range(1, 100, 2))


@pytest.mark.parametrize('compression', ['none', 'zstd'])
def test_the_library_mcap_reads_it_and_finds_its_checksums_right(bags, compression) -> None:
    from mcap.reader import make_reader

    messages = bags.samples(100)
    with (bags.ours(messages, compression=compression) / 'ours_0.mcap').open('rb') as file:
        reader = make_reader(file, validate_crcs=True)
        got = [(channel.topic, m.log_time, m.data) for _, channel, m in reader.iter_messages()]
        statistics = reader.get_summary().statistics
    assert got == [(m.topic, m.log_ns, m.data) for m in messages]
    assert statistics.message_count == 100 and statistics.chunk_count == 10


def test_the_file_is_whole_after_every_flush(bags, contents) -> None:
    messages = bags.samples(50)
    with BagWriter(bags.folder / 'bag', least_free_bytes=0) as bag:
        for i, message in enumerate(messages):
            bag.add_topic(message.topic, message.type)
            bag.write(message.topic, message.log_ns, message.data)
            if i % 5 == 4:
                bag.flush()
                with open_bag(bags.folder / 'bag') as so_far:
                    assert contents(so_far) == messages[: i + 1]


def test_messages_are_flushed_in_time(bags, contents, monkeypatch) -> None:
    now_s = 100.0
    monkeypatch.setattr(writing.time, 'monotonic', lambda: now_s)
    message = bags.samples(1)[0]
    with BagWriter(bags.folder / 'bag', least_free_bytes=0) as bag:
        bag.add_topic(message.topic, message.type)
        bag.write(message.topic, 1, message.data)
        assert bag.count == 0
        now_s += writing.FLUSH_S
        bag.write(message.topic, 2, message.data)
        assert bag.count == 2


def test_many_messages_are_flushed_at_once(bags, monkeypatch) -> None:
    monkeypatch.setattr(writing.time, 'monotonic', lambda: 0.0)
    with BagWriter(bags.folder / 'bag', least_free_bytes=0) as bag:
        bag.add_topic('/text', TEXT)
        for i in range(3):
            bag.write('/text', i, bytes(writing.CHUNK_BYTES))
            assert bag.count == i + 1


def test_files_are_split_by_size(bags) -> None:
    folder = bags.ours(bags.samples(200), split_bytes=4000)
    sizes = [file.stat().st_size for file in folder.glob('*.mcap')]
    assert len(sizes) > 3
    assert max(sizes) < 3 * 4000  # the index of a file comes on top, and its last chunk


def test_a_topic_stands_in_every_file_and_may_be_silent(bags) -> None:
    messages = bags.samples(100)
    with BagWriter(bags.folder / 'bag', split_bytes=3000, least_free_bytes=0) as bag:
        bag.add_topic('/silent', TEXT)
        for message in messages:
            bag.add_topic(message.topic, message.type)
            bag.add_topic(message.topic, message.type)  # again changes nothing
            bag.write(message.topic, message.log_ns, message.data)
            bag.flush()
    files = sorted((bags.folder / 'bag').glob('*.mcap'))
    assert len(files) > 2
    for file in files:
        with open_bag(file) as one:
            assert set(one.topics) == {'/silent', '/text', '/number'}


def test_a_topic_has_one_type(bags) -> None:
    with BagWriter(bags.folder / 'bag', least_free_bytes=0) as bag:
        bag.add_topic('/text', TEXT)
        with pytest.raises(UserError, match='/text is std_msgs/msg/String, and cannot be'):
            bag.add_topic('/text', 'std_msgs/msg/Int64')


def test_an_unknown_type_is_refused_where_that_matters(bags) -> None:
    with BagWriter(bags.folder / 'bag', least_free_bytes=0) as bag:
        with pytest.raises(UserError, match='nobody_msgs/msg/Odd: no definition'):
            bag.add_topic('/odd', 'nobody_msgs/msg/Odd', need_definition=True)
        bag.add_topic('/odd', 'nobody_msgs/msg/Odd')


def test_what_is_there_already_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / 'bag').mkdir()
    with pytest.raises(UserError, match='exists already; name a new folder'):
        BagWriter(tmp_path / 'bag')
    with pytest.raises(UserError, match='cannot be written'):
        BagWriter(tmp_path / 'no' / 'bag')
    with pytest.raises(UserError, match='one of none, zstd'):
        BagWriter(tmp_path / 'other', compression='lz4')


def test_what_is_noted_about_a_recording(tmp_path: Path) -> None:
    with BagWriter(tmp_path / 'bag', custom={'fault': 'stopped'}, least_free_bytes=0) as bag:
        bag.add_topic('/text', TEXT, [Qos('reliable', 'volatile', 7)])
    with open_bag(tmp_path / 'bag') as bag:
        assert bag.custom == {'fault': 'stopped'}


# The disk is full.


def full_after(monkeypatch, bytes_left: int) -> None:
    """A disk with so much left: what fits of a write is written, as the system does."""
    left = bytes_left

    def limited(descriptor: int, parts) -> int:
        nonlocal left
        if left <= 0:
            raise OSError(errno.ENOSPC, 'No space left on device')
        written = os.write(descriptor, b''.join(parts)[:left])
        left -= written
        return written

    monkeypatch.setattr(mcap_writing.os, 'writev', limited)


@given(bytes_left=st.integers(0, 14_000), compression=st.sampled_from(['none', 'zstd']))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_full_disk_leaves_whole_messages(
    bags_in, contents, tmp_path_factory, bytes_left: int, compression: str
) -> None:
    bags = bags_in(tmp_path_factory.mktemp('disk'))
    messages = bags.samples(60)
    said = ''
    with pytest.MonkeyPatch.context() as patch:
        full_after(patch, bytes_left)
        try:
            bags.ours(messages, flush_every=5, compression=compression)
        except UserError as error:
            said = str(error)
    if not said:
        return
    if 'cannot be written' in said:  # not even the head of the file
        assert bytes_left < 50
        return
    with open_bag(bags.folder / 'ours') as bag:
        got = contents(bag)
    assert got == messages[: len(got)] and len(got) % 5 == 0
    assert f'the disk is full; stopped, its {len(got)} messages are whole' in said


def test_recording_stops_before_the_disk_is_full(bags, contents, monkeypatch) -> None:
    messages = bags.samples(60)
    with pytest.raises(UserError, match='the disk is full; stopped, its 0 messages are whole'):
        BagWriterUntilFull(bags.folder / 'bag', messages)
    with open_bag(bags.folder / 'bag') as bag:
        assert bag.incomplete == ''


def BagWriterUntilFull(folder: Path, messages) -> None:  # noqa: N802
    with BagWriter(folder, least_free_bytes=1 << 60) as bag:
        for message in messages:
            bag.add_topic(message.topic, message.type)
            bag.write(message.topic, message.log_ns, message.data)


ON_A_SMALL_DISK = """
import sys
from rtrrl_ros.bags.writing import BagWriter
from rtrrl_ros.errors import UserError
bag = BagWriter(sys.argv[1], least_free_bytes=0)
bag.add_topic('/text', 'std_msgs/msg/String')
try:
    for i in range(100_000):
        bag.write('/text', i, bytes([0, 1, 0, 0]) + i.to_bytes(4, 'little') + bytes(1000))
        if i % 100 == 99:
            bag.flush()
except UserError as error:
    print(error)
    print(bag.count)
"""


def check_stopped(output: str, folder: Path) -> None:
    line, count = output.splitlines()
    assert int(count) > 500
    with open_bag(folder) as bag:
        numbers = [int.from_bytes(record.data[4:8], 'little') for record in bag.records()]
    assert numbers == list(range(int(count)))
    assert f'{count} messages are whole' in line


def test_a_real_full_disk(tmp_path: Path) -> None:
    """A file system of 2 MB, in a name space of its own where anybody may mount one."""
    mount = tmp_path / 'disk'
    mount.mkdir()
    script = (
        f'mount -t tmpfs -o size=2m none {mount} && {sys.executable} -c "$PROGRAM" {mount}/bag'
        f' && cp -r {mount}/bag {tmp_path}/bag'
    )
    done = subprocess.run(
        ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', script],
        env={**os.environ, 'PROGRAM': ON_A_SMALL_DISK}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if 'unshare' in done.stderr or 'mount' in done.stderr:
        pytest.skip('no name spaces for users here')
    assert done.returncode == 0, done.stderr
    assert 'the disk is full' in done.stdout
    check_stopped(done.stdout, tmp_path / 'bag')
    with open_bag(tmp_path / 'bag') as bag:
        assert bag.incomplete == ''


def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, 1_500_000))

    done = subprocess.run(
        [sys.executable, '-c', ON_A_SMALL_DISK, str(tmp_path / 'bag')],
        preexec_fn=limit, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert 'cannot be written (File too large)' in done.stdout
    check_stopped(done.stdout, tmp_path / 'bag')
