"""What a node says about itself on /diagnostics."""

from collections.abc import Mapping
from typing import Any

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


def diagnostic_array(
    stamp: Time, name: str, level: bytes, line: str, values: Mapping[str, Any]
) -> DiagnosticArray:
    """One status in a message of its own."""
    status = DiagnosticStatus(
        level=level,
        name=name,
        message=line,
        hardware_id='rtrrl_ros',
        values=[KeyValue(key=key, value=str(value)) for key, value in values.items()],
    )
    message = DiagnosticArray(status=[status])
    message.header.stamp = stamp
    return message


def status_values(status: DiagnosticStatus) -> dict[str, str]:
    """The values of a status by their keys."""
    return {value.key: value.value for value in status.values}
