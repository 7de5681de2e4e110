"""Processors that do not go to sleep while the car drives. No ROS.

A processor with nothing to do for a moment sleeps, the deeper the longer, and takes its time to
come back: up to milliseconds where a virtual machine's host gives it to somebody else meanwhile.
Linux lets a process ask that no processor needs longer than so many microseconds, as long as it
holds /dev/cpu_dma_latency open (PM QoS, Documentation/power/pm_qos_interface.rst); the request ends
with the process, however that ends. `cyclictest` asks for 0 in the same way.
"""

import struct
from pathlib import Path
from typing import BinaryIO

PM_QOS = Path('/dev/cpu_dma_latency')
#: a signed 32-bit number of microseconds, in the order of the machine
NO_LATENCY = struct.pack('=i', 0)


class AwakeProcessors:
    """A request to the system that can be made and withdrawn any number of times.

    Attributes
    ----------
    kept : whether it is made now
    """

    def __init__(self) -> None:
        self._request: BinaryIO | None = None

    @property
    def kept(self) -> bool:
        return self._request is not None

    def keep(self) -> None:
        """Ask; nothing happens where the system does not permit it (by default, to root only)."""
        if self._request is not None:
            return
        try:
            # not 'wb': what is missing is not to be created as an ordinary file
            request = open(PM_QOS, 'r+b', buffering=0)  # noqa: SIM115
        except OSError:
            return
        try:
            request.write(NO_LATENCY)
        except OSError:
            request.close()
            return
        self._request = request

    def let_sleep(self) -> None:
        """Withdraw the request, if there is one."""
        if self._request is not None:
            self._request.close()
            self._request = None
