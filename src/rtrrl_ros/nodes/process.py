"""How the process of a node, or of several, starts, spins and ends."""

import contextlib
import gc
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, NoReturn

import rclpy
from rclpy.executors import Executor, SingleThreadedExecutor
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.signals import SignalHandlerOptions
from rclpy.task import Future

from ..errors import UserError
from .priority import set_niceness

SIGNALS = (signal.SIGINT, signal.SIGTERM)
#: how long the thread looks away from `stopped`
SPIN_S = 0.1
#: a process that has not ended this long after it was asked to ends the hard way
PATIENCE_S = 4.0


class StopRequest:
    """Turns SIGINT and SIGTERM, however often they come, into one orderly end.

    The signals are blocked and awaited by a thread of their own: neither a callback nor the
    clean-up is ever interrupted, and a node that hangs is ended all the same, after `patience_s`.
    """

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self.stopped = False
        self._patience_s = patience_s
        for number in SIGNALS:  # for those that reach a thread older than this object
            signal.signal(number, self._on_signal)
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        threading.Thread(target=self._wait, name='signals', daemon=True).start()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.stopped = True

    def _wait(self) -> None:
        signal.sigwait(SIGNALS)
        self.stopped = True
        threading.Event().wait(self._patience_s)
        print('did not end in time: giving up', file=sys.stderr, flush=True)
        os._exit(1)


def make_executor() -> Executor:
    """The EventsExecutor where rclpy has one, a fifth of the cost; one thread in any case."""
    try:
        from rclpy.experimental.events_executor import EventsExecutor
    except ImportError:
        return SingleThreadedExecutor()
    return EventsExecutor()


def spin(executor: Executor, done: Callable[[], bool]) -> None:
    """Serve callbacks until `done`, which is asked at least every `SPIN_S`.

    A plain `spin` of the EventsExecutor burns a processor and hears no signal.
    """
    while not done():
        executor.spin_until_future_complete(Future(), SPIN_S)


def run_node(
    make_node: Callable[[], Any], niceness: int = 0, patience_s: float = PATIENCE_S
) -> NoReturn:
    """`run_nodes` for one."""
    run_nodes(lambda: [make_node()], niceness, patience_s)


def run_nodes(
    make_nodes: Callable[[], Sequence[Any]], niceness: int = 0, patience_s: float = PATIENCE_S
) -> NoReturn:
    """Run `ManagedNode`s until one finishes or is asked to stop, and end the process.

    Exit status 2: one refused its parameters or to configure; 1: one failed, be it in its last act.
    One line says why.

    make_nodes : in the order in which they start; they end in the opposite one
    niceness : of the process; below 0 it goes ahead of others, where the system permits that
    patience_s : how long it may take to end; more for one that must write what it holds
    """
    if niceness:  # else it keeps what it was started with
        set_niceness(niceness)
    try:
        status = _run(make_nodes, patience_s)
    except BaseException:
        traceback.print_exc()
        status = 1
    _let_go()
    # Everything is closed. The interpreter would take seconds to unload torch, for nothing.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _run(make_nodes: Callable[[], Sequence[Any]], patience_s: float) -> int:
    request = StopRequest(patience_s)
    try:
        rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    except Exception as error:  # rclpy raises several kinds for bad --ros-args
        print(' '.join(str(error).split()), file=sys.stderr)
        return 2
    nodes = make_nodes()
    executor = make_executor()
    for node in nodes:
        executor.add_node(node)
    try:
        if _start(nodes):
            spin(executor, lambda: request.stopped or any(n.exit_status is not None for n in nodes))
        _shut_down(nodes)
    except UserError as error:
        _culprits(nodes)[0].get_logger().error(str(error))
        _shut_down(nodes)
        return 2
    except Exception as error:  # a bug in a callback: it stops the car, and keeps what it holds
        traceback.print_exc()
        line = f'bug: {type(error).__name__}: {" ".join(str(error).split())}'
        _culprits(nodes)[0].get_logger().error(line)
        for node in _culprits(nodes):
            node.broken = True
        _shut_down(nodes)
        return 1
    finally:
        for node in nodes:
            executor.remove_node(node)
        executor.shutdown()
        for node in nodes:
            node.destroy_node()
        rclpy.shutdown()
    return next((s for n in nodes for s in (n.exit_status, n.failure_status) if s), 0)


def _let_go() -> None:
    """Have the middleware leave the graph and give back its shared memory.

    It does so when the last object that refers to the node is gone, and a node and its callbacks
    refer to each other. Half a megabyte each would stay in /dev/shm until the next boot.
    """
    gc.unfreeze()  # what `ManagedNode` froze
    gc.collect()


def _start(nodes: Sequence[Any]) -> bool:
    """Have all load before any drives: what drives goes ahead of others, and loading must not."""
    succeeded = TransitionCallbackReturn.SUCCESS
    starting = [node for node in nodes if node.autostart]
    for trigger in ('trigger_configure', 'trigger_activate'):
        for node in starting:
            if getattr(node, trigger)() != succeeded:
                node.failure_status = node.failure_status or 1
                return False
    return True


def _culprits(nodes: Sequence[Any]) -> list[Any]:
    """Whose callback raised; all where nobody knows."""
    return [node for node in nodes if node.raised] or list(nodes)


def _shut_down(nodes: Sequence[Any]) -> None:
    """All of them, the last first, whatever one of them raises."""
    with contextlib.ExitStack() as ending:
        for node in nodes:
            ending.callback(node.shut_down)
