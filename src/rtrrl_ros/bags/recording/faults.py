"""When the black box is wanted: the car was stopped, or a node reports an error."""

from typing import Any

from ...errors import UserError
from ..message_types import MessageTypes

EXECUTED = 'rtrrl_msgs/msg/Executed'
DIAGNOSTICS = 'diagnostic_msgs/msg/DiagnosticArray'
#: what the gate says when it is asked to end: that is no fault
ORDERLY = ('deactivated',)
#: Executed.mode and DiagnosticStatus.level
_STOPPED = 3
_ERROR = 2


class FaultWatch:
    """Looks at the messages of `EXECUTED` and `DIAGNOSTICS`; the others are of no interest.

    Parameters
    ----------
    own_name : of the node that records, whose own errors are not about the car
    """

    def __init__(self, own_name: str = '') -> None:
        self._types = MessageTypes()
        self._own_name = own_name
        self._driving = False
        self._in_error: set[str] = set()

    def observe(self, type_name: str, data: bytes) -> str:
        """The fault that begins with this message, in a few words; '' if none does."""
        if type_name not in (EXECUTED, DIAGNOSTICS):
            return ''
        try:
            message = self._types.deserialize(data, type_name)
        except UserError:
            return ''  # somebody else's message of that name
        return self._stopped(message) if type_name == EXECUTED else self._errors(message)

    def _stopped(self, message: Any) -> str:
        stopped = message.mode == _STOPPED
        fault = f'stopped: {message.reason}' if self._driving and stopped else ''
        self._driving = not stopped
        return '' if message.reason in ORDERLY else fault

    def _errors(self, message: Any) -> str:
        new = []
        for status in message.status:
            level = status.level[0] if isinstance(status.level, bytes) else int(status.level)
            if level != _ERROR:
                self._in_error.discard(status.name)
            elif status.name not in self._in_error and status.name != self._own_name:
                self._in_error.add(status.name)
                new.append(f'{status.name}: {status.message}')
        return '; '.join(new)
