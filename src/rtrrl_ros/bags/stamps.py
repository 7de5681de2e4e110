"""The stamp of a message with a header, read and moved without deserialising it.

In CDR a message that begins with std_msgs/Header has its stamp right after the four bytes that
tell the encoding: seconds (int32) and nanoseconds (uint32). OMG DDS-XTypes 1.3, section 7.4.3.4.
"""

import struct

from ..errors import UserError

_S_NS = 1_000_000_000
_OFFSET, _SIZE = 4, 8
_MAX_S = (1 << 31) - 1


def stamp_ns(data: bytes) -> int:
    """The stamp, ns; `UserError` where there is none.

    data : CDR of a message whose first field is a header
    """
    seconds, nanoseconds = struct.unpack_from(_format(data), data, _OFFSET)
    if not 0 <= nanoseconds < _S_NS:
        raise UserError(f'a stamp of {seconds} s and {nanoseconds} ns: the message has no header')
    return seconds * _S_NS + nanoseconds


def moved(data: bytes, shift_ns: int) -> bytes:
    """The same message with its stamp later by `shift_ns`; one that would not fit stays.

    data : CDR of a message whose first field is a header
    """
    seconds, nanoseconds = divmod(stamp_ns(data) + shift_ns, _S_NS)
    if not 0 <= seconds <= _MAX_S:
        return data
    stamp = struct.pack(_format(data), seconds, nanoseconds)
    return data[:_OFFSET] + stamp + data[_OFFSET + _SIZE :]


def _format(data: bytes) -> str:
    if len(data) < _OFFSET + _SIZE:
        raise UserError(f'a message of {len(data)} bytes has no stamp')
    return '<iI' if data[1] & 1 else '>iI'
