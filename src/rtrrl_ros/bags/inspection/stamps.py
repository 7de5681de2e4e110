"""The stamp of a message, read from its bytes: most messages need not be deserialised for it."""

import dataclasses
from typing import Any

from ...errors import UserError
from ..stamps import stamp_ns

#: messages that are tried before a type counts as unknown
_TRIES = 10


class StampReader:
    """Reads the header stamps of the messages of one topic."""

    def __init__(self) -> None:
        self._has_header: bool | None = None
        self._failures = 0

    @property
    def needs_message(self) -> bool:
        """No message has been shown to `learn` yet, and there is hope for one."""
        return self._has_header is None and self._failures < _TRIES

    def learn(self, message: Any) -> None:
        """Take note of whether messages of this type begin with a header."""
        if self._has_header is None:
            names = [field.name for field in dataclasses.fields(message)]
            self._has_header = bool(names) and names[0] == 'header'

    def fail(self) -> None:
        """A message could not be deserialised: it is damaged, or its type is not known."""
        self._failures += 1

    def read(self, data: bytes) -> int | None:
        """The stamp in ns of a message as recorded; None: no header, or one that was left at 0."""
        if not self._has_header:
            return None
        try:
            return stamp_ns(data) or None
        except UserError:  # too short, or no stamp at all
            return None
