"""Recordings made up for tests: messages that are a header and nothing else."""

import struct
from collections.abc import Collection, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from rtrrl_ros.bags.playback.destinations import EVENTS, EXECUTED, FEATURES, REWARD
from rtrrl_ros.bags.reading import Record


def message(topic: str, stamp: int, log_ns: int | None = None, mark: int = 0) -> Record:
    """A message of a topic; `mark` tells messages of one stamp apart."""
    data = b'\0\1\0\0' + struct.pack('<iI', *divmod(stamp, 10**9)) + bytes([mark])
    return Record(topic, 'std_msgs/msg/Header', stamp if log_ns is None else log_ns, data)


def sensed(stamp: int, log_ns: int | None = None, mark: int = 0) -> Record:
    return message(EVENTS, stamp, log_ns, mark)


def reward(stamp: int, log_ns: int | None = None, first: bool = False) -> Record:
    return message(REWARD, stamp, log_ns, mark=0 if first else 1)


def executed(stamp: int, log_ns: int | None = None) -> Record:
    return message(EXECUTED, stamp, log_ns)


def features(stamp: int) -> bytes:
    return message(FEATURES, stamp).data


def is_first(record: Record) -> bool:
    return record.data[-1] == 0


class FakeBag:
    """As much of a bag as `Rounds` uses."""

    def __init__(self, records: list[Record]) -> None:
        self._records = records

    def records(self, topics: Collection[str], start_ns: int) -> Iterator[Record]:
        return (r for r in self._records if r.topic in topics and r.log_ns >= start_ns)

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f'Rounds uses {name}')


@pytest.fixture(scope='session')
def made() -> SimpleNamespace:
    """What tests make recordings of."""
    return SimpleNamespace(
        sensed=sensed, reward=reward, executed=executed, features=features, message=message,
        is_first=is_first, bag=FakeBag,
    )  # fmt: skip
