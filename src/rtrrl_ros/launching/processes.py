"""Runs the processes of a launch file together, and ends them together.

Every process leads a process group of its own. When one that matters ends, or on SIGINT or
SIGTERM, all are asked to stop: SIGINT first, SIGTERM and SIGKILL to those that do not. If this
process dies the kernel sends them SIGTERM.

Threading: none; `run` and everything it calls belong to the thread that calls it. The kernel ties
the processes to that thread, so call it from one that lasts, best the main thread.
"""

import contextlib
import ctypes
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from types import FrameType

from .node_element import NodeProcess

#: what is tried to end a process, and for how long before the next
ESCALATION: tuple[tuple[signal.Signals, float], ...] = (
    (signal.SIGINT, 5.0),
    (signal.SIGTERM, 5.0),
    (signal.SIGKILL, 5.0),
)
POLL_S = 0.05
US = 'launch'

Show = Callable[[str, str], None]

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


class Child:
    """A started process and its two output streams."""

    def __init__(self, node: NodeProcess) -> None:
        self.node = node
        self._partial = {'stdout': b'', 'stderr': b''}
        parent = os.getpid()
        self.popen = subprocess.Popen(
            node.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=node.environment,
            start_new_session=True,
            preexec_fn=lambda: _prepare(parent, node.sigint_blocked),
        )
        self.streams = {'stdout': self.popen.stdout, 'stderr': self.popen.stderr}
        for stream in self.streams.values():
            os.set_blocking(stream.fileno(), False)  # type: ignore[union-attr]

    def lines(self, name: str) -> list[str]:
        """Complete lines that a stream holds now; closes it at its end."""
        stream = self.streams.get(name)
        if stream is None:
            return []
        data = self._partial[name]
        while True:
            try:
                chunk = os.read(stream.fileno(), 65536)
            except BlockingIOError:
                break
            if not chunk:
                stream.close()
                self.streams[name] = None
                if data and not data.endswith(b'\n'):
                    data += b'\n'  # last words without a newline are a line too
                break
            data += chunk
        *complete, self._partial[name] = data.split(b'\n')
        return [line.decode(errors='replace').rstrip('\r') for line in complete]

    def signal(self, number: signal.Signals) -> None:
        """Send to the whole process group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, number)

    def reap(self) -> int | None:
        """The exit code, negative for a signal, once the process has ended; ends its group too."""
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        if os.waitid(os.P_PID, self.popen.pid, options) is None:
            return None
        self.signal(signal.SIGKILL)  # what it left behind; its id is still taken, so only that
        return self.popen.wait()


class ProcessGroup:
    """The processes of one launch.

    Parameters
    ----------
    nodes : what to start
    show : called with a label and a line of output; our own lines bear the label 'launch'
    escalation : the signals that end a process, each with the patience after it in seconds, where
        no process that is still running asks for another
    """

    def __init__(
        self,
        nodes: Sequence[NodeProcess],
        show: Show,
        escalation: Sequence[tuple[signal.Signals, float]] = ESCALATION,
    ) -> None:
        self._nodes, self._show, self._escalation = nodes, show, escalation
        self._children: list[Child] = []
        self._due: list[tuple[float, NodeProcess]] = []  # to be started again
        self._faults = 0
        self._asked: signal.Signals | None = None  # by a person or the system
        self._stage = -1  # index in the escalation; -1: not stopping
        self._stage_began_s = 0.0
        self._selector = selectors.DefaultSelector()

    @property
    def pids(self) -> dict[str, int]:
        """Process id by label, of those running now."""
        return {child.node.label: child.popen.pid for child in self._children}

    @property
    def stopping(self) -> bool:
        return self._stage >= 0

    def run(self, on_poll: Callable[[dict[str, int]], None] = lambda pids: None) -> int:
        """Start everything and wait for the end.

        `on_poll` is called about twenty times a second with the process ids by label.

        Returns
        -------
        0 if a process that was to end the launch ended well, or all of them did; 1 if any failed;
        128 + signal if a signal ended it
        """
        before = {number: signal.signal(number, self._on_signal) for number in _OURS}
        try:
            for node in self._nodes:
                if not self._start(node):
                    break
            while self._children or (self._due and not self.stopping):
                for key, _ in self._selector.select(POLL_S):
                    self._forward(*key.data)
                self._collect()
                self._advance()
                on_poll(self.pids)
        finally:
            for child in self._children:  # only after an exception of ours
                child.signal(signal.SIGKILL)
                child.popen.wait()
            for number, handler in before.items():
                signal.signal(number, handler)
            self._selector.close()
        if self._faults:
            return 1
        return 128 + self._asked if self._asked else 0

    def stop(self) -> None:
        """Ask all processes to end; a second call does nothing."""
        if not self.stopping:
            self._enter_stage(0)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._asked = self._asked or signal.Signals(number)

    def _start(self, node: NodeProcess) -> bool:
        try:
            child = Child(node)
        except OSError as error:
            self._fault(f'{node.label} cannot be started: {error.strerror}')
            self.stop()
            return False
        self._children.append(child)
        for name, stream in child.streams.items():
            self._selector.register(stream, selectors.EVENT_READ, (child, name))  # type: ignore[arg-type]
        return True

    def _forward(self, child: Child, name: str) -> None:
        stream = child.streams[name]
        for line in child.lines(name):
            if name == 'stderr' or child.node.output != 'log':
                self._show(child.node.label, line)
        if child.streams[name] is None and stream is not None:
            self._selector.unregister(stream)

    def _collect(self) -> None:
        for child in list(self._children):
            code = child.reap()
            if code is None:
                continue
            for name in ('stdout', 'stderr'):
                stream = child.streams[name]
                if stream is not None:
                    self._selector.unregister(stream)
                    for line in child.lines(name):
                        if name == 'stderr' or child.node.output != 'log':
                            self._show(child.node.label, line)
                    if child.streams[name] is not None:
                        stream.close()
            self._children.remove(child)
            self._judge(child.node, code)

    def _judge(self, node: NodeProcess, code: int) -> None:
        """Take note of how a process ended."""
        if self.stopping:
            sent = [number for number, _ in self._escalation[: self._stage + 1]]
            asked = {-number for number in sent} | {128 + number for number in sent}
            if -code == signal.SIGKILL and signal.SIGKILL in sent:
                self._fault(f'{node.label} did not stop when asked and was killed')
            elif code and code not in asked:
                self._fault(f'{node.label} {_how(code)} while stopping')
            return
        if node.respawn_delay_s is not None:
            self._show(US, f'{node.label} {_how(code)}: starting it again')
            self._due.append((time.monotonic() + node.respawn_delay_s, node))
            return
        if code:
            self._fault(f'{node.label} {_how(code)}')
        if node.shutdown_on_exit:
            self.stop()

    def _advance(self) -> None:
        now_s = time.monotonic()
        if self._asked and not self.stopping:
            self._show(US, f'{self._asked.name}: stopping')
            self.stop()
        if self.stopping:
            last = self._stage + 1 == len(self._escalation)
            if not last and now_s >= self._stage_began_s + self._patience_s():
                self._enter_stage(self._stage + 1)
            return
        for due_s, node in list(self._due):
            if now_s >= due_s:
                self._due.remove((due_s, node))
                self._start(node)

    def _enter_stage(self, stage: int) -> None:
        number, _ = self._escalation[stage]
        self._stage, self._stage_began_s = stage, time.monotonic()
        if stage > 0 and self._children:
            labels = ', '.join(child.node.label for child in self._children)
            self._show(US, f'still running, sending {number.name}: {labels}')
        for child in self._children:
            child.signal(number)

    def _patience_s(self) -> float:
        """How long those that are still running have before the next signal."""
        number, usual_s = self._escalation[self._stage]
        asked = [child.node.patience_s.get(number, usual_s) for child in self._children]
        return max(asked, default=usual_s)

    def _fault(self, message: str) -> None:
        self._faults += 1
        self._show(US, message)


_OURS = (signal.SIGINT, signal.SIGTERM)


def _how(code: int) -> str:
    if code < 0:
        return f'was killed by {signal.Signals(-code).name}'
    return f'exited with status {code}'


def _prepare(parent: int, sigint_blocked: bool) -> None:
    """In the child, before it executes: have the kernel end it when `parent` dies."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died in between
        os._exit(1)
    if sigint_blocked:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
