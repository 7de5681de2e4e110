"""Message definitions: those that a bag carries, those of this machine, those of a ROS release."""

import functools
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rosbags.interfaces.typing import Typesdict
from rosbags.typesys import Stores, get_types_from_idl, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from ..errors import UserError

#: what types and fields may be called: rosbags turns definitions into Python and runs it, and the
#: definitions of a bag come from wherever the bag does
_TYPE_NAME = re.compile(r'[A-Za-z]\w*/(msg|srv|action)/[A-Za-z]\w*', re.ASCII)
_FIELD_NAME = re.compile(r'[A-Za-z_]\w*', re.ASCII)
#: begins each part of a schema that holds a message and those it is made of
_SEPARATOR = '=' * 80 + '\n'


def full_type_name(name: str) -> str:
    """'package/msg/Name', also of 'package/Name' as some recorders write it."""
    package, separator, rest = name.partition('/')
    return name if '/' in rest or not separator else f'{package}/msg/{rest}'


def _message_folders(package: str) -> Iterator[Path]:
    """Where .msg files of a package may lie: installed, or in our source tree."""
    for prefix in (*os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep), sys.prefix):
        if prefix:
            yield Path(prefix) / 'share' / package / 'msg'
    interfaces = Path(__file__).resolve().parents[3] / 'interfaces'
    yield interfaces / package / 'msg'
    yield interfaces / 'compat' / package / 'msg'


def _message_file(type_name: str) -> Path | None:
    package, _, name = type_name.partition('/msg/')
    for folder in _message_folders(package):
        if (folder / f'{name}.msg').is_file():
            return folder / f'{name}.msg'
    return None


@functools.cache
def _released() -> Typestore:
    return get_typestore(Stores.ROS2_KILTED)


def _parsed(type_name: str, definition: str, encoding: str) -> Typesdict:
    """The types in the text of a definition, that of `type_name` and those it is made of."""
    if encoding == 'ros2msg':
        return get_types_from_msg(definition, type_name)
    types: Typesdict = {}
    if definition.startswith(f'{_SEPARATOR}IDL: '):
        for part in definition.split(_SEPARATOR)[1:]:
            types.update(get_types_from_idl(part.partition('\n')[2]))
    else:
        types.update(get_types_from_idl(definition))
    return types


def _check_names(types: Typesdict) -> None:
    """Raise `ValueError` where a name of a definition is not what ROS allows."""
    for type_name, (constants, fields) in types.items():
        names = [constant[0] for constant in constants] + [field[0] for field in fields]
        if not _TYPE_NAME.fullmatch(type_name) or not all(map(_FIELD_NAME.fullmatch, names)):
            raise ValueError(f'{type_name!r}: not a name')


def _referenced(fields: Any) -> Iterator[str]:
    """Names of the types of a message's fields."""
    for _, (kind, of) in fields:
        while kind > 2:  # arrays and sequences: (element, size)
            kind, of = of[0]
        if kind == 2:
            yield of


class MessageTypes:
    """Message types by name, for reading and writing CDR.

    Parameters
    ----------
    definitions : {type: (encoding, text)} that a bag carries, encoding 'ros2msg' or 'ros2idl'.
        They come first: a message is read as it was defined when it was recorded. A type without
        a definition is looked for in installed message packages and then in a ROS release
    """

    def __init__(self, definitions: Mapping[str, tuple[str, str]] | None = None) -> None:
        self._store = get_typestore(Stores.EMPTY)
        self._definitions = dict(definitions or {})
        self._ready: set[str] = set()

    def deserialize(self, data: bytes, type_name: str) -> Any:
        """A message from CDR: attributes as in ROS, arrays of numbers as NumPy arrays.

        Raises
        ------
        UserError
            the type is known nowhere, or the bytes are not of this type
        """
        self._prepare(type_name)
        try:
            return self._store.deserialize_cdr(data, type_name)
        except Exception as error:  # the generated code raises whatever the bytes make it raise
            raise UserError(f'a message of {len(data)} bytes is no {type_name}') from error

    def serialize(self, message: Any, type_name: str) -> bytes:
        """CDR, little endian, of a message made by `make`."""
        self._prepare(type_name)
        return bytes(self._store.serialize_cdr(message, type_name))

    def make(self, type_name: str, **fields: Any) -> Any:
        """A message of a type; every field must be given."""
        self._prepare(type_name)
        return self._store.types[type_name](**fields)

    def definition(self, type_name: str) -> tuple[str, str]:
        """Text of the definition (format 'ros2msg') and hash (RIHS01) of a type."""
        self._prepare(type_name)
        text, _ = self._store.generate_msgdef(type_name, ros_version=2)
        return text, self._store.hash_rihs01(type_name)

    def _prepare(self, type_name: str) -> None:
        if type_name in self._ready:
            return
        if not _TYPE_NAME.fullmatch(type_name):
            raise UserError(f'{type_name!r} is no message type')
        try:
            self._add(type_name)
        except UserError:
            raise
        except Exception as error:  # the parsers of rosbags raise several kinds
            raise UserError(f'{type_name}: its definition cannot be read') from error
        self._ready.add(type_name)

    def _add(self, type_name: str) -> None:
        """Register a type and all it is made of, unless they are known."""
        if type_name in self._store.fielddefs:
            return
        types = self._find(type_name)
        _check_names(types)
        self._store.register({k: v for k, v in types.items() if k not in self._store.fielddefs})
        for _, fields in list(types.values()):
            for name in _referenced(fields):
                self._add(name)

    def _find(self, type_name: str) -> Typesdict:
        if type_name in self._definitions:
            encoding, text = self._definitions[type_name]
            return _parsed(type_name, text, encoding)
        file = _message_file(type_name)
        if file is not None:
            return _parsed(type_name, file.read_text(), 'ros2msg')
        if type_name in _released().fielddefs:
            return {type_name: _released().fielddefs[type_name]}
        raise UserError(
            f'{type_name}: no definition in the bag nor on this machine; '
            'source the workspace that has this message'
        )
