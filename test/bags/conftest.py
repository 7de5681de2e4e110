"""Messages to record, and recordings of them by other people's libraries."""

import dataclasses
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from rtrrl_ros.bags.message_types import MessageTypes
from rtrrl_ros.bags.reading import Bag, Record
from rtrrl_ros.bags.writing import BagWriter

TEXT = 'std_msgs/msg/String'
NUMBER = 'std_msgs/msg/Int64'
S_NS = 1_000_000_000
#: log time of the first message
START_NS = 1_700_000_000 * S_NS


@dataclasses.dataclass(frozen=True)
class Sample:
    """A message to be recorded."""

    topic: str
    type: str
    log_ns: int
    data: bytes


def samples(count: int) -> list[Sample]:
    """Two topics in turn, a message every 10 ms, each longer than nothing and unlike the others."""
    types = MessageTypes()
    made = []
    for i in range(count):
        if i % 2:
            topic, kind, value = '/number', NUMBER, types.make(NUMBER, data=i)
        else:
            topic, kind, value = '/text', TEXT, types.make(TEXT, data=f'message {i} ' + 'x' * 200)
        data = types.serialize(value, kind)
        made.append(Sample(topic, kind, START_NS + i * 10_000_000, data))
    return made


def as_samples(records: Iterable[Record]) -> list[Sample]:
    return [Sample(record.topic, record.type, record.log_ns, record.data) for record in records]


class Bags:
    """Makes bags in a folder of the test."""

    samples = staticmethod(samples)
    start_ns = START_NS

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def ours(self, messages: list[Sample], flush_every: int = 10, **options) -> Path:
        """Written by us, in many chunks."""
        path = self.folder / 'ours'
        with BagWriter(path, least_free_bytes=0, **options) as bag:
            for sample in messages:
                bag.add_topic(sample.topic, sample.type)
            for i, sample in enumerate(messages):
                bag.write(sample.topic, sample.log_ns, sample.data)
                if i % flush_every == flush_every - 1:
                    bag.flush()
        return path

    def of_rosbags(self, messages: list[Sample], storage: str, compression: str = 'none') -> Path:
        """Written by the library rosbags: mcap or sqlite3, 'file' or 'message' compressed."""
        from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

        path = self.folder / f'rosbags-{storage}-{compression}'
        writer = Writer(path, version=9, storage_plugin=StoragePlugin[storage.upper()])
        writer.set_compression(CompressionMode[compression.upper()], CompressionFormat.ZSTD)
        types, connections = MessageTypes(), {}
        with writer:
            for sample in messages:
                if sample.topic not in connections:
                    text, digest = types.definition(sample.type)
                    connections[sample.topic] = writer.add_connection(
                        sample.topic, sample.type, msgdef=text, rihs01=digest
                    )
                writer.write(connections[sample.topic], sample.log_ns, sample.data)
        return path

    def of_mcap(self, messages: list[Sample], encoding: str = 'cdr', **options) -> Path:
        """One file written by the library mcap, without chunks or index if asked to."""
        from mcap.writer import Writer

        path = self.folder / 'other.mcap'
        with path.open('wb') as file:
            writer = Writer(file, **options)
            writer.start(profile='ros2', library='test')
            types, channels = MessageTypes(), {}
            for sample in messages:
                if sample.topic not in channels:
                    text = types.definition(sample.type)[0].encode()
                    schema = writer.register_schema(sample.type, 'ros2msg', text)
                    channels[sample.topic] = writer.register_channel(
                        sample.topic, encoding, schema, {}
                    )
                writer.add_message(
                    channels[sample.topic], sample.log_ns, sample.data, sample.log_ns
                )
            writer.finish()
        return path


@pytest.fixture
def bags(tmp_path: Path) -> Bags:
    return Bags(tmp_path)


@pytest.fixture
def contents() -> Callable[[Bag], list[Sample]]:
    """Everything in a bag, in its order."""
    return lambda bag: as_samples(bag.records())


@pytest.fixture(scope='session')
def bags_in() -> type[Bags]:
    """Makes the same in a folder that is named."""
    return Bags
