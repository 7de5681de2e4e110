"""Pausing a node from outside: a service, and a signal where no service can be called."""

import signal
from types import FrameType
from typing import Protocol

from rclpy.node import Node
from std_srvs.srv import SetBool


class Pausable(Protocol):
    """What can be paused."""

    @property
    def paused(self) -> bool:
        """Whether it stands still."""

    def pause(self, now_s: float) -> None:
        """Stand still."""

    def resume(self, now_s: float) -> None:
        """Go on."""


class PauseSwitch:
    """The service ~/pause (std_srvs/SetBool, true: pause), and SIGUSR1, which toggles.

    `flip` must be called now and then: nothing is paused in the middle of something else.

    Parameters
    ----------
    node : has the service until `close`
    paused : whether to begin paused
    """

    def __init__(self, node: Node, paused: bool) -> None:
        self._wanted, self._toggle = paused, False
        self._node = node
        self._service = node.create_service(SetBool, '~/pause', self._on_request)
        signal.signal(signal.SIGUSR1, self._on_signal)

    def close(self) -> None:
        """From now on nothing pauses."""
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        self._node.destroy_service(self._service)

    def flip(self, what: Pausable, now_s: float) -> None:
        """Pause or resume as was asked for."""
        if self._toggle:
            self._wanted, self._toggle = not self._wanted, False
        if self._wanted and not what.paused:
            what.pause(now_s)
        elif what.paused and not self._wanted:
            what.resume(now_s)

    def _on_request(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        self._wanted, self._toggle = request.data, False
        response.success, response.message = True, 'paused' if request.data else 'going on'
        return response

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._toggle = True
