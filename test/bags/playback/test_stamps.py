"""Stamps read from and moved in serialised messages."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtrrl_ros.bags.message_types import MessageTypes
from rtrrl_ros.bags.stamps import moved, stamp_ns
from rtrrl_ros.errors import UserError

TYPES = MessageTypes()
HEADER, TIME = 'std_msgs/msg/Header', 'builtin_interfaces/msg/Time'
stamps = st.integers(0, 2**31 * 10**9 - 1)


def header(stamp: int) -> bytes:
    time = TYPES.make(TIME, sec=stamp // 10**9, nanosec=stamp % 10**9)
    return TYPES.serialize(TYPES.make(HEADER, stamp=time, frame_id='camera'), HEADER)


@given(stamps)
def test_it_is_the_stamp_that_was_written(stamp: int) -> None:
    assert stamp_ns(header(stamp)) == stamp


@given(stamps, st.integers(-(10**18), 10**18))
def test_a_moved_message_differs_in_its_stamp_only(stamp: int, shift: int) -> None:
    there = stamp + shift
    fits = 0 <= there < 2**31 * 10**9
    assert moved(header(stamp), shift) == header(there if fits else stamp)


def test_big_endian_messages_have_a_stamp_as_well() -> None:
    data = b'\0\0\0\0' + struct.pack('>iI', 3, 5) + b'\0\0\0\0'
    assert stamp_ns(data) == 3_000_000_005
    assert moved(data, 1) == b'\0\0\0\0' + struct.pack('>iI', 3, 6) + b'\0\0\0\0'


@pytest.mark.parametrize('data', [b'', b'\0\1\0\0\1\0', header(1)[:8] + b'\xff' * 8])
def test_what_has_no_stamp_is_told_in_one_line(data: bytes) -> None:
    with pytest.raises(UserError, match='stamp'):
        stamp_ns(data)
