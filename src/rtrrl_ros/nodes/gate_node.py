"""The command gate in the graph: proposals in, `drive` and `executed` out.

Its watchdog runs on steady time and speaks up to 50 times a second while anything is in doubt. It
imports nothing that learns or renders, so it keeps working when those do not.
"""

import dataclasses
import time
from collections.abc import Mapping
from typing import Any, NoReturn

from ackermann_msgs.msg import AckermannDriveStamped
from rclpy.duration import Duration
from rtrrl_msgs.msg import Executed
from sensor_msgs.msg import Joy

from ..parameters import Checked, parameter
from ..safety.gate import Gate, GateLimits, GateOutput, Mode
from .awake import AwakeProcessors
from .diagnostics import OK, WARN
from .latencies import Latencies
from .managed_node import ManagedNode
from .messages import drive_command, drive_message, executed_message
from .priority import DRIVING
from .process import run_node
from .qos import DEVICE, RECORD, STREAM

#: max_age_s and this together stay below 200 ms
WATCHDOG_PERIOD_S = 0.02


@dataclasses.dataclass(frozen=True)
class GateNodeConfig(Checked):
    """Parameters of the node beside the limits."""

    deadman_button: int = parameter(
        5, 'index of the deadman in the buttons of joy (5: right bumper)', low=0, high=31
    )
    deadline_s: float = parameter(
        0.01, 'real time: a proposal should be answered within this time of its stamp; those that '
        'are not are counted', unit='s', low=0.001, high=1.0,
    )  # fmt: skip
    keep_awake: bool = parameter(
        True, 'real time: no processor sleeps while the gate is active, where the system permits '
        'asking for that (/dev/cpu_dma_latency); answers come sooner, and it costs power',
    )  # fmt: skip


class GateNode(ManagedNode):
    """Lets through what `safety.gate.Gate` lets through."""

    sections = (GateLimits, GateNodeConfig)

    def __init__(self) -> None:
        super().__init__('gate_node')
        self._awake = AwakeProcessors()

    def configure(self) -> None:
        limits = self.section(GateLimits)
        config = self.section(GateNodeConfig)
        self._button = config.deadman_button
        # a simulated clock moves in the steps of its world: there the world measures
        self._latencies = None
        if not limits.lockstep and not self.get_parameter('use_sim_time').value:
            self._latencies = Latencies(config.deadline_s)
        self._lockstep = limits.lockstep
        self._keep_awake = config.keep_awake
        self._gate = Gate(limits)
        self._counts = dict.fromkeys(Mode, 0)
        self._reason = ''
        self._drive = self.advertise(AckermannDriveStamped, 'drive', STREAM)
        self._executed = self.advertise(Executed, 'executed', RECORD)
        self.subscribe(AckermannDriveStamped, 'drive_proposal', self._on_proposal, STREAM)
        self.subscribe(AckermannDriveStamped, 'teleop', self._on_teleop, DEVICE)
        if limits.require_deadman:
            self.subscribe(Joy, 'joy', self._on_joy, DEVICE)
        self.every(WATCHDOG_PERIOD_S, self._on_watchdog)

    def activate(self) -> None:
        self._gate.reset()
        self._on_watchdog()
        if self.real_time and self._keep_awake:
            self._awake.keep()

    def deactivate(self) -> None:
        self._send(self._gate.stop('deactivated'), answer=not self._lockstep)
        # the process may be about to end: see to it that the stop gets out
        self._drive.wait_for_all_acked(Duration(seconds=0.1))
        self._awake.let_sleep()
        if self._latencies is not None:
            self.get_logger().info(f'from the stamp of the camera to drive: {self._latencies}')

    @property
    def real_time(self) -> bool:
        return not self._lockstep

    def diagnose(self) -> tuple[bytes, str, Mapping[str, Any]]:
        mode = self._gate.mode
        values: dict[str, Any] = {known.name.lower(): n for known, n in self._counts.items()}
        values['processors_awake'] = self._awake.kept
        if self._latencies is not None:
            values |= self._latencies.values()
        line = mode.name.lower() + (f': {self._reason}' if self._reason else '')
        return (OK if mode in (Mode.PASSED, Mode.LIMITED) else WARN), line, values

    def _on_proposal(self, message: AckermannDriveStamped) -> None:
        # in lock-step simulated time stands still, and the world's patience is the limit
        clock_ns = None if self._lockstep else self.get_clock().now().nanoseconds
        command = drive_command(message)
        self._send(self._gate.propose(command, time.monotonic(), clock_ns), answer=True)
        if self._latencies is not None:
            sent_ns = self.get_clock().now().nanoseconds
            self._latencies.add((sent_ns - command.stamp_ns) * 1e-9)

    def _on_teleop(self, message: AckermannDriveStamped) -> None:
        output = self._gate.takeover(drive_command(message), time.monotonic())
        if output is not None:
            self._send(output, answer=True)

    def _on_joy(self, message: Joy) -> None:
        pressed = self._button < len(message.buttons) and message.buttons[self._button] == 1
        output = self._gate.deadman(pressed, time.monotonic())
        if output is not None:
            self._send(output, answer=True)

    def _on_watchdog(self) -> None:
        before = self._gate.mode
        output = self._gate.tick(time.monotonic())
        if output is not None:
            # repeated on `drive`, which must not fall silent, but told to the learner once; never
            # in lock-step, where no world drives it
            first = before is not Mode.STOPPED
            self._send(output, answer=first and not self._lockstep)

    def _send(self, output: GateOutput, answer: bool) -> None:
        message = drive_message(output.command)
        self._drive.publish(message)
        self._counts[output.mode] += 1
        self._reason = output.reason
        if answer:
            self._executed.publish(executed_message(output, message))


def main() -> NoReturn:
    """Run the node; where the system permits, ahead of the others, which learn and render."""
    run_node(GateNode, DRIVING)


if __name__ == '__main__':
    main()
