"""Every kind of broken bag gives a result or one clear line: never a traceback, never a hang.

Each row makes a bag and says what becomes of it: how many of its 100 messages are read and what
`incomplete` says, or what the one line says.
"""

import contextlib
import dataclasses
import os
import shutil
import signal
import sqlite3
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rtrrl_ros.bags.message_types import MessageTypes
from rtrrl_ros.bags.reading import open_bag
from rtrrl_ros.bags.writing import BagWriter
from rtrrl_ros.cli.main import build_parser, main
from rtrrl_ros.errors import UserError

COUNT = 100
MAGIC = b'\x89MCAP0\r\n'
#: a bag that takes longer is taken for a hang
PATIENCE_S = 60


@dataclasses.dataclass(frozen=True)
class Read:
    """A result: between `least` and `most` of the messages, and a word of `incomplete`."""

    least: int
    most: int
    says: str = ''


@dataclasses.dataclass(frozen=True)
class Refused:
    """One line with these words in it; `late`: only while the messages are read."""

    says: str
    late: bool = False


Row = tuple[Callable[..., Path], Read | Refused]
ROWS: dict[str, Row] = {}


def row(name: str, expected: Read | Refused) -> Callable:
    def add(make: Callable[..., Path]) -> Callable[..., Path]:
        ROWS[name] = (make, expected)
        return make

    return add


def ours(bags, **options) -> Path:
    return bags.ours(bags.samples(COUNT), **options)


def mcap_of(folder: Path) -> Path:
    return next(folder.glob('*_0.*'))


def cut(file: Path, size: float) -> None:
    """Cut off; a size below 1 is a fraction of what it has."""
    data = file.read_bytes()
    file.write_bytes(data[: int(size * len(data)) if size < 1 else int(size)])


def killed(folder: Path) -> Path:
    """As a recorder that was killed leaves it: no metadata.yaml, no index."""
    (folder / 'metadata.yaml').unlink()
    for file in folder.glob('*.mcap'):
        data = file.read_bytes()
        (summary,) = struct.unpack('<Q', data[-28:-20])
        file.write_bytes(data[: summary - 13])
    return folder


@row('killed recorder', Read(COUNT, COUNT, 'cut off'))
def _(bags) -> Path:
    return killed(ours(bags))


@row('killed recorder, zstd', Read(COUNT, COUNT, 'cut off'))
def _(bags) -> Path:
    return killed(ours(bags, compression='zstd'))


@row('killed recorder, split', Read(COUNT, COUNT, 'the recorder did not end in order'))
def _(bags) -> Path:
    return killed(ours(bags, split_bytes=3000))


@row('killed in the middle of a chunk', Read(60, 99, 'cut off'))
def _(bags) -> Path:
    folder = killed(ours(bags))
    cut(mcap_of(folder), 0.8)
    return folder


@row('killed in the middle of a compressed chunk', Read(40, 99, 'cut off'))
def _(bags) -> Path:
    folder = killed(ours(bags, compression='zstd'))
    cut(mcap_of(folder), 0.8)
    return folder


@row('one big chunk, cut off', Read(40, 60, 'cut off'))
def _(bags) -> Path:
    file = bags.of_mcap(bags.samples(COUNT), compression=no_compression())
    cut(file, 0.5)
    return file


@row('without chunks, cut off', Read(40, 60, 'cut off'))
def _(bags) -> Path:
    file = bags.of_mcap(bags.samples(COUNT), use_chunking=False)
    cut(file, 0.5)
    return file


@row('killed before the first message', Read(0, 0, 'cut off'))
def _(bags) -> Path:
    folder = ours(bags)
    cut(mcap_of(folder), 20)
    return folder


@row('a file of no bytes', Read(0, 0, 'cut off'))
def _(bags) -> Path:
    folder = ours(bags)
    mcap_of(folder).write_bytes(b'')
    return folder


@row('power lost: the end is zeros', Read(50, 99, 'damaged'))
def _(bags) -> Path:
    folder = killed(ours(bags))
    data = mcap_of(folder).read_bytes()
    mcap_of(folder).write_bytes(data[: len(data) * 2 // 3] + bytes(len(data) // 3))
    return folder


@row('a damaged chunk, with an index', Refused('wrong checksum', late=True))
def _(bags) -> Path:
    folder = ours(bags)
    flip(mcap_of(folder), b'message 40 ')
    return folder


@row('a damaged chunk, without an index', Read(30, 40, 'wrong checksum'))
def _(bags) -> Path:
    folder = killed(ours(bags))
    flip(mcap_of(folder), b'message 40 ')
    return folder


@row('a damaged index', Read(COUNT, COUNT))
def _(bags) -> Path:
    folder = ours(bags)
    data = bytearray(mcap_of(folder).read_bytes())
    data[-200:-40] = bytes(160)
    mcap_of(folder).write_bytes(data)
    return folder


@row('an unknown compression', Refused("compressed with 'lzma'", late=True))
def _(bags) -> Path:
    folder = ours(bags, compression='zstd')
    data = mcap_of(folder).read_bytes()
    mcap_of(folder).write_bytes(data.replace(b'\x04\0\0\0zstd', b'\x04\0\0\0lzma'))
    return folder


@row('no metadata.yaml', Read(COUNT, COUNT, 'no metadata.yaml'))
def _(bags) -> Path:
    folder = ours(bags)
    (folder / 'metadata.yaml').unlink()
    return folder


@row('metadata.yaml cut off', Read(COUNT, COUNT, 'metadata.yaml is damaged'))
def _(bags) -> Path:
    folder = ours(bags)
    cut(folder / 'metadata.yaml', 30)
    return folder


@row('metadata.yaml of something else', Read(COUNT, COUNT, 'metadata.yaml is damaged'))
def _(bags) -> Path:
    folder = ours(bags)
    (folder / 'metadata.yaml').write_bytes(b'\xff\xfe\x00 [')
    return folder


@row('metadata.yaml with nonsense in it', Read(COUNT, COUNT, 'metadata.yaml is damaged'))
def _(bags) -> Path:
    folder = ours(bags)
    edit(folder, custom_data=7, message_count='many')
    return folder


@row('metadata.yaml with nonsense for topics', Read(COUNT, COUNT))
def _(bags) -> Path:
    folder = ours(bags)
    edit(folder, topics_with_message_count=['no', {}, {'topic_metadata': {'name': '/text'}}])
    return folder


@row('metadata.yaml that promises more', Read(COUNT, COUNT, 'speaks of 120 messages'))
def _(bags) -> Path:
    folder = ours(bags)
    edit(folder, message_count=120)
    return folder


@row('a split missing', Read(10, 95, 'ours_1.mcap is missing'))
def _(bags) -> Path:
    folder = ours(bags, split_bytes=3000)
    (folder / 'ours_1.mcap').unlink()
    return folder


@row('a split of something else', Read(10, 95, 'ours_1.mcap: neither'))
def _(bags) -> Path:
    folder = ours(bags, split_bytes=3000)
    (folder / 'ours_1.mcap').write_text('hello')
    return folder


@row('every split missing', Refused('it holds no .mcap or .db3 file'))
def _(bags) -> Path:
    folder = ours(bags)
    mcap_of(folder).unlink()
    return folder


@row('a database cut off', Read(1, 99, 'damaged after'))
def _(bags) -> Path:
    folder = bags.of_rosbags(bags.samples(COUNT), 'sqlite3')
    cut(next(folder.glob('*.db3')), 0.9)
    return folder


@row('a database cut off in its head', Refused('of no bag'))
def _(bags) -> Path:
    folder = bags.of_rosbags(bags.samples(COUNT), 'sqlite3')
    cut(next(folder.glob('*.db3')), 60)
    return folder


@row('a database of something else', Refused('of no bag'))
def _(bags) -> Path:
    file = bags.folder / 'other.db3'
    with sqlite3.connect(file) as database:
        database.execute('CREATE TABLE people (name TEXT)')
    database.close()
    return file


@row('a database that is being written', Read(COUNT, COUNT))
def _(bags) -> Path:
    folder = bags.of_rosbags(bags.samples(COUNT), 'sqlite3')
    file = next(folder.glob('*.db3'))
    database = sqlite3.connect(file, isolation_level=None)
    database.execute('PRAGMA journal_mode=WAL')
    database.execute('BEGIN')
    rows = database.execute('SELECT topic_id, timestamp, data FROM messages').fetchall()
    database.execute('DELETE FROM messages')
    database.execute('COMMIT')
    for entry in rows:
        database.execute('INSERT INTO messages(topic_id, timestamp, data) VALUES (?, ?, ?)', entry)
    # as a kill -9 leaves it: what was written lies in the log beside the file
    copy = bags.folder / 'copy'
    copy.mkdir()
    for part in folder.glob('*.db3*'):
        shutil.copy(part, copy)
    database.close()
    assert (copy / f'{file.name}-wal').stat().st_size > 0
    shutil.copy(folder / 'metadata.yaml', copy)
    return copy


@row('a compressed file cut off', Read(0, 99, 'cut off'))
def _(bags) -> Path:
    folder = bags.of_rosbags(bags.samples(COUNT), 'mcap', 'file')
    cut(next(folder.glob('*.zstd')), 0.5)
    return folder


@row('an empty bag', Read(0, 0))
def _(bags) -> Path:
    BagWriter(bags.folder / 'empty', least_free_bytes=0).close()
    return bags.folder / 'empty'


@row('topics without messages', Read(0, 0))
def _(bags) -> Path:
    with BagWriter(bags.folder / 'silent', least_free_bytes=0) as bag:
        bag.add_topic('/text', 'std_msgs/msg/String')
    return bags.folder / 'silent'


@row('an empty database', Read(0, 0))
def _(bags) -> Path:
    return bags.of_rosbags([], 'sqlite3')


@row('an empty folder', Refused('it holds no .mcap or .db3 file'))
def _(bags) -> Path:
    (bags.folder / 'empty').mkdir()
    return bags.folder / 'empty'


@row('nothing at all', Refused('no such file or folder'))
def _(bags) -> Path:
    return bags.folder / 'nothing'


@row('a text', Refused('neither an MCAP file nor a SQLite database'))
def _(bags) -> Path:
    (bags.folder / 'notes.mcap').write_text('this is not a bag')
    return bags.folder / 'notes.mcap'


@row('a bag of ROS 1', Refused('rosbags-convert'))
def _(bags) -> Path:
    (bags.folder / 'old.bag').write_bytes(b'#ROSBAG V2.0\n' + bytes(4096))
    return bags.folder / 'old.bag'


@row('a pipe', Refused('no file'))
def _(bags) -> Path:
    os.mkfifo(bags.folder / 'pipe.mcap')
    return bags.folder / 'pipe.mcap'


@row('a device', Refused('no file'))
def _(bags) -> Path:
    (bags.folder / 'device.mcap').symlink_to('/dev/zero')
    return bags.folder / 'device.mcap'


@row('messages in another encoding', Read(COUNT, COUNT))
def _(bags) -> Path:
    return bags.of_mcap(bags.samples(COUNT), encoding='json')


@row('a clock that went back an hour', Read(COUNT, COUNT))
def _(bags) -> Path:
    messages = bags.samples(COUNT)
    back = [dataclasses.replace(m, log_ns=m.log_ns - 3600 * 10**9) for m in messages[50:]]
    return bags.ours(messages[:50] + back)


@row('log times of the year 2554', Read(COUNT, COUNT))
def _(bags) -> Path:
    messages = bags.samples(COUNT)
    return bags.ours([dataclasses.replace(m, log_ns=2**64 - 1) for m in messages])


def no_compression():
    from mcap.writer import CompressionType

    return CompressionType.NONE


def flip(file: Path, text: bytes) -> None:
    data = file.read_bytes()
    assert data.count(text) == 1
    file.write_bytes(data.replace(text, text.upper()))


def edit(folder: Path, **changes) -> None:
    file = folder / 'metadata.yaml'
    document = yaml.safe_load(file.read_text())
    document['rosbag2_bagfile_information'] |= changes
    file.write_text(yaml.safe_dump(document))


@pytest.fixture(scope='module', autouse=True)
def command_line() -> None:
    """Loaded once, whose time is not that of a bag."""
    build_parser()


@pytest.fixture(autouse=True)
def no_hang() -> Iterator[None]:
    def ring(number, frame):
        raise AssertionError(f'hangs for {PATIENCE_S} s')

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(PATIENCE_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def refusal(path: Path, late: bool) -> str:
    """The line that a bag is refused with, when it is opened or, `late`, when it is read."""
    try:
        with open_bag(path) as bag:
            assert late
            list(bag.records())
    except UserError as error:
        return str(error)
    raise AssertionError('it was read')


@pytest.mark.parametrize('name', ROWS)
def test_a_bad_bag_gives_a_result_or_one_line(bags, contents, name: str) -> None:
    make, expected = ROWS[name]
    path = make(bags)
    if isinstance(expected, Refused):
        line = refusal(path, expected.late)
        assert expected.says in line and str(path) in line and '\n' not in line
        return
    with open_bag(path) as bag:
        messages = contents(bag)
        assert expected.least <= len(messages) <= expected.most
        assert sum(topic.count for topic in bag.topics.values()) == len(messages)
        assert expected.says in bag.incomplete and '\n' not in bag.incomplete
        assert bool(expected.says) == bool(bag.incomplete)
        times = [message.log_ns for message in messages]
        assert times == sorted(times)
        if times:
            assert (bag.start_ns, bag.end_ns) == (times[0], times[-1])
        original = {message.data for message in bags.samples(COUNT)}
        assert {message.data for message in messages} <= original


@pytest.mark.parametrize('name', ROWS)
def test_inspect_of_a_bad_bag_gives_a_result_or_one_line(bags, capsys, name: str) -> None:
    make, expected = ROWS[name]
    status = main(['inspect', str(make(bags))])
    captured = capsys.readouterr()
    if status == 0:  # what is damaged late need not be looked at
        assert isinstance(expected, Read) or expected.late
        assert captured.err == ''
        return
    assert status == 2 and isinstance(expected, Refused)
    assert len(captured.err.splitlines()) == 1 and expected.says in captured.err


# Bags that are whole, with contents that cannot be used.


def test_messages_in_another_encoding_are_not_guessed_at(bags) -> None:
    with open_bag(bags.of_mcap(bags.samples(2), encoding='json')) as bag:
        record = next(bag.records())
        with pytest.raises(UserError, match="/text: messages are encoded as 'json'"):
            bag.message(record)


def test_a_message_that_is_cut_off(bags) -> None:
    message = bags.samples(1)[0]
    for size in (0, 3, 4, 10, len(message.data) - 1):
        bags.folder /= str(size)
        bags.folder.mkdir()
        with open_bag(bags.ours([dataclasses.replace(message, data=message.data[:size])])) as bag:
            record = next(bag.records())
            with pytest.raises(UserError, match=f'a message of {size} bytes is no std_msgs'):
                bag.message(record)


def test_a_type_that_nobody_knows(tmp_path: Path) -> None:
    with BagWriter(tmp_path / 'bag', least_free_bytes=0) as bag:
        bag.add_topic('/odd', 'nobody_msgs/msg/Odd')
        bag.write('/odd', 1, b'\0\1\0\0')
    with open_bag(tmp_path / 'bag') as bag:
        assert bag.topics['/odd'].count == 1
        with pytest.raises(UserError, match='nobody_msgs/msg/Odd: no definition in the bag nor on'):
            bag.message(next(bag.records()))


def test_a_topic_of_two_types(bags, tmp_path: Path) -> None:
    messages = [dataclasses.replace(message, topic='/both') for message in bags.samples(2)]
    for index, message in enumerate(messages):
        bags.folder = tmp_path / str(index)
        bags.folder.mkdir()
        shutil.copy(mcap_of(bags.ours([message])), tmp_path / f'part_{index}.mcap')
    with open_bag(tmp_path) as bag:
        assert bag.topics['/both'].type == 'std_msgs/msg/String and std_msgs/msg/Int64'
        assert [bag.message(record).data for record in bag.records()][1] == 1


@pytest.mark.parametrize(
    'name',
    ['a/msg/B:\n    import os\nclass C', 'a/msg/B"""\nprint(1)\n"""', 'no slash', 'a/b/c/d', ''],
)
def test_the_name_of_a_type_is_no_program(name: str) -> None:
    types = MessageTypes({name: ('ros2msg', 'int64 data\n')})
    with pytest.raises(UserError, match='no message type'):
        types.deserialize(b'\0\1\0\0' + bytes(8), name)


@pytest.mark.parametrize('encoding', ['ros2msg', 'ros2idl'])
@pytest.mark.parametrize(
    'definition', ['int64 data)\n', 'string<=x y\n', 'a/b/c/d e\n', 'nobody_msgs/Other o\n', '\0']
)
def test_a_definition_that_is_none(definition: str, encoding: str) -> None:
    types = MessageTypes({'odd_msgs/msg/Odd': (encoding, definition)})
    with pytest.raises(UserError):
        types.deserialize(b'\0\1\0\0' + bytes(8), 'odd_msgs/msg/Odd')


@pytest.mark.parametrize(
    'definition',
    [
        'int64 data = {0}\n', 'int64 {0}\n', 'string data {0}\n', 'string A={0}\n',
        "string A='\\' + {0} + '\n", 'int64 data {0}\n', '"""\n{0}\n"""',
        'int64 data\n' + '=' * 80 + '\nMSG: a/B"""\n{0}\n"""\nint64 data\n',
    ],
)  # fmt: skip
def test_a_definition_is_no_program(definition: str, tmp_path: Path) -> None:
    program = f'__import__("pathlib").Path("{tmp_path / "ran"}").touch()'
    types = MessageTypes({'odd_msgs/msg/Odd': ('ros2msg', definition.format(program))})
    with contextlib.suppress(UserError):
        types.deserialize(b'\0\1\0\0' + bytes(8), 'odd_msgs/msg/Odd')
    assert not (tmp_path / 'ran').exists()


# Whatever happens to the bytes.


@pytest.fixture(scope='module')
def whole(bags_in, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Files of small bags."""
    files = {}
    for name, storage in (('ours', 'none'), ('zstd', 'zstd'), ('sqlite', ''), ('loose', '')):
        bags = bags_in(tmp_path_factory.mktemp(name))
        messages = bags.samples(30)
        if name == 'sqlite':
            file = next(bags.of_rosbags(messages, 'sqlite3').glob('*.db3'))
        elif name == 'loose':
            file = bags.of_mcap(messages, use_chunking=False)
        else:
            file = mcap_of(bags.ours(messages, flush_every=5, compression=storage))
        files[name] = file.read_bytes()
    return files


def readable(file: Path) -> list[bytes] | None:
    """Every message; None where the file is refused. Any other exception is the test's failure."""
    try:
        with open_bag(file) as bag:
            messages = []
            for record in bag.records():
                messages.append(record.data)
                try:
                    bag.message(record)
                except UserError as error:
                    assert '\n' not in str(error)
            return messages
    except UserError as error:
        assert '\n' not in str(error)
        return None


KINDS = ('ours', 'zstd', 'sqlite', 'loose')


@given(kind=st.sampled_from(KINDS), share=st.floats(0.0, 1.0))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_part_of_a_file_gives_the_messages_before_the_cut(
    whole, bags_in, tmp_path: Path, kind: str, share: float
) -> None:
    data = whole[kind]
    size = round(share * len(data))
    (tmp_path / 'bag').write_bytes(data[:size])
    got = readable(tmp_path / 'bag')
    messages = [message.data for message in bags_in.samples(30)]
    if kind == 'sqlite':  # its pages are not in the order of time
        assert got is None or set(got) <= set(messages)
        return
    assert got is not None or size < 1
    assert got == messages[: len(got or ())]
    # 25 of 30 messages lie in whole chunks before the last one
    if share > 0.95:
        assert len(got or ()) >= (25 if kind == 'zstd' else 28)


@pytest.mark.parametrize('length', [200, 9000])
def test_a_cut_through_a_row_of_a_database_makes_no_message_up(
    bags_in, tmp_path: Path, length: int
) -> None:
    """Rows of a page, and rows of several pages: what is missing would read as zeros."""
    messages = [
        dataclasses.replace(sample, data=sample.data[:4] + bytes([65 + i]) * length)
        for i, sample in enumerate(bags_in.samples(30))
    ]
    data = next(bags_in(tmp_path).of_rosbags(messages, 'sqlite3').glob('*.db3')).read_bytes()
    known, counts = {sample.data for sample in messages}, set()
    for size in range(len(data) - (1 << 16 if length > 4096 else 12_000), len(data), 397):
        (tmp_path / 'bag').write_bytes(data[:size])
        got = readable(tmp_path / 'bag')
        assert got is not None and set(got) <= known, size
        counts.add(len(got))
    assert len(counts) >= 3  # cuts at several places, and no more is given up than must be
    assert max(counts) >= 29


@given(
    kind=st.sampled_from(KINDS),
    changes=st.lists(st.tuples(st.floats(0.0, 0.999), st.integers(0, 255)), min_size=1, max_size=4),
)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_byte_of_a_file_can_do_harm(whole, tmp_path: Path, kind: str, changes) -> None:
    data = bytearray(whole[kind])
    for place, value in changes:
        data[int(place * len(data))] = value
    (tmp_path / 'bag').write_bytes(data)
    readable(tmp_path / 'bag')
