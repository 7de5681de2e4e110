"""What a whole bag gives, whoever wrote it."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtrrl_ros.bags.contract import Qos, Record, Source
from rtrrl_ros.bags.reading import open_bag, require
from rtrrl_ros.bags.storage.merging import merged
from rtrrl_ros.bags.writing import BagWriter
from rtrrl_ros.errors import UserError

MAKERS = {
    'ours': lambda bags, messages: bags.ours(messages),
    'ours, zstd': lambda bags, messages: bags.ours(messages, compression='zstd'),
    'ours, split': lambda bags, messages: bags.ours(messages, split_bytes=3000),
    'rosbags, mcap': lambda bags, messages: bags.of_rosbags(messages, 'mcap'),
    'rosbags, mcap, zstd file': lambda bags, m: bags.of_rosbags(m, 'mcap', 'file'),
    'rosbags, mcap, zstd messages': lambda bags, m: bags.of_rosbags(m, 'mcap', 'message'),
    'rosbags, sqlite3': lambda bags, messages: bags.of_rosbags(messages, 'sqlite3'),
    'rosbags, sqlite3, zstd file': lambda bags, m: bags.of_rosbags(m, 'sqlite3', 'file'),
    'rosbags, sqlite3, zstd messages': lambda bags, m: bags.of_rosbags(m, 'sqlite3', 'message'),
    'mcap without chunks': lambda bags, messages: bags.of_mcap(messages, use_chunking=False),
    'mcap, small chunks': lambda bags, messages: bags.of_mcap(messages, chunk_size=500),
    'mcap without statistics': lambda bags, m: bags.of_mcap(m, use_statistics=False),
}


@pytest.mark.parametrize('maker', MAKERS)
def test_everybodys_bags_are_read(bags, contents, maker: str) -> None:
    messages = bags.samples(100)
    with open_bag(MAKERS[maker](bags, messages)) as bag:
        assert contents(bag) == messages
        assert bag.incomplete == ''
        assert (bag.start_ns, bag.end_ns) == (messages[0].log_ns, messages[-1].log_ns)
        assert {(t.name, t.type, t.count) for t in bag.topics.values()} == {
            ('/number', 'std_msgs/msg/Int64', 50),
            ('/text', 'std_msgs/msg/String', 50),
        }
        assert [bag.message(r).data for r in bag.records(['/number'])] == list(range(1, 100, 2))
        some = bag.records(['/text'], messages[10].log_ns, messages[20].log_ns)
        assert [r.log_ns for r in some] == [m.log_ns for m in messages[10:21:2]]
        assert list(bag.records(['/nobody'])) == []
        assert list(bag.records([])) == []
        assert contents(bag) == messages  # a bag can be read more than once


def test_two_readings_of_a_bag_at_the_same_time(bags) -> None:
    with open_bag(bags.ours(bags.samples(60))) as bag:
        pairs = list(zip(bag.records(['/text']), bag.records(['/number']), strict=True))
        assert len(pairs) == 30
        assert all(text.log_ns < number.log_ns for text, number in pairs)


def test_a_file_of_a_bag_alone(bags, contents) -> None:
    messages = bags.samples(20)
    folder = bags.ours(messages)
    with open_bag(folder / 'ours_0.mcap') as bag:
        assert contents(bag) == messages
        assert bag.incomplete == ''


def test_a_renamed_folder(bags, contents, tmp_path: Path) -> None:
    messages = bags.samples(40)
    bags.ours(messages, split_bytes=3000).rename(tmp_path / 'renamed')
    with open_bag(tmp_path / 'renamed') as bag:
        assert contents(bag) == messages


def test_a_clock_that_went_back(bags, contents) -> None:
    messages = bags.samples(60)
    written = messages[40:] + messages[:40]
    with open_bag(bags.ours(written)) as bag:
        assert contents(bag) == messages
        assert (bag.start_ns, bag.end_ns) == (messages[0].log_ns, messages[-1].log_ns)


def test_messages_of_one_time_stay_in_the_order_they_were_written_in(tmp_path: Path) -> None:
    with BagWriter(tmp_path / 'bag', least_free_bytes=0) as bag:
        bag.add_topic('/text', 'std_msgs/msg/String')
        for i in range(100):
            bag.write('/text', 7, bytes([0, 1, 0, 0, i]))
            if i % 7 == 0:
                bag.flush()
    with open_bag(tmp_path / 'bag') as bag:
        assert [record.data[-1] for record in bag.records()] == list(range(100))


def test_quality_of_service_is_kept(tmp_path: Path) -> None:
    qos = (Qos('best_effort', 'volatile', 5), Qos('reliable', 'transient_local', 100))
    with BagWriter(tmp_path / 'bag', least_free_bytes=0) as bag:
        bag.add_topic('/text', 'std_msgs/msg/String', qos)
    for path in (tmp_path / 'bag', tmp_path / 'bag' / 'bag_0.mcap'):
        with open_bag(path) as bag:
            assert bag.topics['/text'].qos == qos


def test_what_is_required_and_not_there_is_named(bags) -> None:
    with open_bag(bags.ours(bags.samples(4))) as bag:
        require(bag, {'/text': 'std_msgs/msg/String'})
        with pytest.raises(UserError) as caught:
            require(bag, {'/joy': 'sensor_msgs/msg/Joy', '/text': 'std_msgs/msg/Int64'})
    line = str(caught.value)
    assert 'no topic /joy (sensor_msgs/msg/Joy)' in line
    assert '/text holds std_msgs/msg/String, not std_msgs/msg/Int64' in line
    assert 'the bag has /number, /text' in line


def test_files_of_a_finished_bag_that_went_missing(bags, contents) -> None:
    messages = bags.samples(60)
    folder = bags.ours(messages, split_bytes=3000)
    (folder / 'ours_1.mcap').unlink()
    with open_bag(folder) as bag:
        assert bag.incomplete == 'ours_1.mcap is missing'
        left = contents(bag)
    assert 0 < len(left) < 60 and set(left) < set(messages)


def test_splits_are_sorted_as_numbers_where_no_metadata_names_them(bags, contents) -> None:
    messages = [m for m in bags.samples(200) if m.topic == '/text']
    same_time = [type(m)(m.topic, m.type, 5, m.data) for m in messages]
    folder = bags.ours(same_time, flush_every=5, split_bytes=600)
    assert (folder / 'ours_10.mcap').exists()
    (folder / 'metadata.yaml').unlink()
    with open_bag(folder) as bag:
        assert contents(bag) == same_time


@given(st.lists(st.lists(st.integers(0, 20), max_size=8), max_size=8))
@settings(max_examples=100, deadline=None)
def test_merging_is_sorting(times: list[list[int]]) -> None:
    opened: list[int] = []

    def source(number: int, values: list[int]) -> Source:
        def records():
            opened.append(number)
            return iter([Record(str(number), '', value, b'') for value in sorted(values)])

        return Source(min(values, default=0), records)

    everything = [
        Record(str(number), '', value, b'')
        for number, values in enumerate(times)
        for value in sorted(values)
    ]
    got = merged(source(number, values) for number, values in enumerate(times))
    assert list(got) == sorted(everything, key=lambda record: record.log_ns)
    assert sorted(opened) == list(range(len(times)))


def test_only_sources_whose_time_has_come_are_open() -> None:
    open_now = 0
    most = 0

    def source(start: int) -> Source:
        def records():
            nonlocal open_now, most
            open_now += 1
            most = max(most, open_now)
            yield from (Record('', '', start + i, b'') for i in range(10))
            open_now -= 1

        return Source(start, records)

    assert len(list(merged(source(10 * i) for i in range(50)))) == 500
    assert most == 1


def test_the_original_of_a_copy_is_not_needed(bags, contents, tmp_path: Path) -> None:
    messages = bags.samples(20)
    file = tmp_path / 'alone.db3'
    shutil.copy(next(bags.of_rosbags(messages, 'sqlite3').glob('*.db3')), file)
    before = file.read_bytes()
    with open_bag(file) as bag:
        assert contents(bag) == messages
    assert file.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ['alone.db3']
