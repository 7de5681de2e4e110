"""What our nodes have in common: a lifecycle with autostart, parameters, diagnostics.

Threading: one thread runs everything. configure loads and warms up, activate drives, deactivate
stops, cleanup forgets. Subclasses fill in the four hooks; the rest is here.
"""

import contextlib
import dataclasses
import functools
import gc
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription

from ..errors import UserError
from ..parameters import Checked, parameter
from . import priority
from .diagnostics import OK, diagnostic_array
from .node_parameters import NodeParameters
from .watchdog import Watchdog

T = TypeVar('T')

DIAGNOSTICS_PERIOD_S = 1.0


@dataclasses.dataclass(frozen=True)
class StartConfig(Checked):
    """Parameters of every node."""

    autostart: bool = parameter(
        True, 'configure and activate by itself; false: a lifecycle manager does'
    )


Transition = Callable[['ManagedNode', LifecycleState], TransitionCallbackReturn]


def _orderly(transition: Transition) -> Transition:
    """If it raises, the node says why and leaves nothing behind; rclpy would do neither."""

    @functools.wraps(transition)
    def orderly(node: 'ManagedNode', state: LifecycleState) -> TransitionCallbackReturn:
        try:
            return transition(node, state)
        except Exception as error:
            node._abandon(error, 1)
            return TransitionCallbackReturn.ERROR  # from here to unconfigured

    return orderly


class ManagedNode(LifecycleNode):
    """Base of our nodes.

    Parameters
    ----------
    name : of the node
    companions : of the same process; what is given to a process as a whole reaches each of its
        nodes, so that their parameters are no unknown ones here

    Attributes
    ----------
    sections : dataclasses whose fields are the node's parameters (class attribute)
    active : driving, as opposed to loaded or idle
    exit_status : set it, with `finish`, to end the process
    failure_status : exit status due to a transition that failed, until it is configured again
    raised : a callback raised, of this node or of one that it called
    broken : so it ends: what it was working on may be half done
    """

    sections: tuple[type, ...] = ()

    def __init__(self, name: str, companions: Sequence[type['ManagedNode']] = ()) -> None:
        super().__init__(name)
        self.active = False
        self.exit_status: int | None = None
        self.failure_status = 0
        self.raised = self.broken = False
        self._steady = Clock(clock_type=ClockType.STEADY_TIME)
        theirs = [section for companion in companions for section in companion.sections]
        self._declared = NodeParameters(self, (StartConfig, *self.sections), theirs)
        self._own: list[Callable[[], Any]] = []  # undo what configure made
        self._watchdog = Watchdog()

    # Hooks for subclasses. UserError in `configure` means: refuse, with this line. Whatever they
    # raise, nothing that configure made is left, and the node can be configured again.

    def configure(self) -> None:
        """Load, make publishers and subscriptions, warm up."""

    def activate(self) -> None:
        """Begin to drive."""

    def deactivate(self) -> None:
        """Stop the car."""

    def diagnose(self) -> tuple[bytes, str, Mapping[str, Any]]:
        """Level, one line and values for /diagnostics, asked once a second while active."""
        return OK, 'active', {}

    @property
    def real_time(self) -> bool:
        """Whether it drives a car that does not wait for it; asked when it is activated."""
        return False

    # For subclasses.

    def section(self, cls: type[T]) -> T:
        """The parameters of one dataclass, checked."""
        return self._declared.section(cls)

    def advertise(self, kind: type, topic: str, qos: QoSProfile) -> Publisher:
        """A publisher that lives until cleanup."""
        publisher = self.create_publisher(kind, topic, qos)
        self._own.append(lambda: self.destroy_publisher(publisher))
        return publisher

    def subscribe(
        self, kind: type, topic: str, callback: Callable[[Any], None], qos: QoSProfile
    ) -> Subscription:
        """A subscription that lives until cleanup and is heard only while active."""
        subscription = self.create_subscription(kind, topic, self.while_active(callback), qos)
        self._own.append(lambda: self.destroy_subscription(subscription))
        return subscription

    def every(self, period_s: float, callback: Callable[[], None]) -> None:
        """A timer on steady time, called while active, that lives until cleanup."""

        def due() -> None:
            if self.active:
                self._watchdog.feed()
                with self._noticing():
                    callback()

        timer = self.create_timer(period_s, due, clock=self._steady)
        self._own.append(lambda: self.destroy_timer(timer))

    def while_active(self, callback: Callable[[T], None]) -> Callable[[T], None]:
        """The same callback for messages, but it is not called unless the node is active."""

        def heard(message: T) -> None:  # rclpy looks at the number of parameters
            if self.active:
                self._watchdog.feed()
                with self._noticing():
                    callback(message)

        return heard

    @contextlib.contextmanager
    def _noticing(self) -> Iterator[None]:
        """Remember whose callback raised."""
        try:
            yield
        except BaseException:
            self.raised = True
            raise

    def finish(self, status: int, line: str = '') -> None:
        """End the process with this exit status; a line says why it is not 0."""
        if self.exit_status is None:
            if line:
                self.get_logger().error(line)
            self.exit_status = status

    @property
    def autostart(self) -> bool:
        return self.get_parameter('autostart').value

    def shut_down(self) -> None:
        """The process is about to end, from whatever state."""
        self._watchdog.rest()
        if self.active:
            self.trigger_deactivate()

    # The lifecycle of rclpy.

    @_orderly
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.failure_status = 0
        try:
            self._declared.section(StartConfig)
            self.configure()
        except UserError as error:
            self._abandon(error, 2)
            return TransitionCallbackReturn.FAILURE
        self._declared.frozen = True
        self._diagnostics = self.advertise(DiagnosticArray, '/diagnostics', QoSProfile(depth=10))
        self.every(DIAGNOSTICS_PERIOD_S, self.publish_diagnostics)
        return super().on_configure(state)

    @_orderly
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.activate()
        # what was loaded stays: the collector need not look at it again while the car drives
        gc.collect()
        gc.freeze()
        if self.real_time:
            priority.go_ahead()
        self.active = True
        return super().on_activate(state)

    @_orderly
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._stop()
        return super().on_deactivate(state)

    @_orderly
    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._forget()
        return super().on_cleanup(state)

    @_orderly
    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        if self.active:
            self._stop()
        self._forget()
        return super().on_shutdown(state)

    def _stop(self) -> None:
        self._watchdog.rest()
        try:
            self.deactivate()
        finally:
            self.active = False
            if self.real_time:
                priority.fall_back()

    def _forget(self) -> None:
        self._declared.frozen = False
        with contextlib.ExitStack() as undo:  # last comes first; one that raises stops no other
            for step in self._own:
                undo.callback(step)
            self._own.clear()

    def _abandon(self, error: Exception, status: int) -> None:
        """A transition raised this: say so in one line, and be as if never configured."""
        self.failure_status = status
        self.get_logger().error(_line(error))
        self.get_logger().debug(''.join(traceback.format_exception(error)))
        self._watchdog.rest()
        try:
            self._forget()
        except Exception:  # what went wrong first has been said
            self.get_logger().debug(traceback.format_exc())

    def publish_diagnostics(self) -> None:
        """Say how it is now; done once a second while active."""
        stamp = self.get_clock().now().to_msg()
        name = self.get_fully_qualified_name()
        self._diagnostics.publish(diagnostic_array(stamp, name, *self.diagnose()))


def _line(error: Exception) -> str:
    if isinstance(error, UserError):
        return str(error)
    at = traceback.extract_tb(error.__traceback__)[-1]
    where = f'{Path(at.filename).name}:{at.lineno} in {at.name}'
    return f'bug: {type(error).__name__}: {" ".join(str(error).split())} ({where})'
