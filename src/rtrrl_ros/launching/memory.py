"""How much memory a set of processes uses together."""

from collections.abc import Iterable

import psutil


class MemoryMeter:
    """Samples the proportional set size: pages shared by several processes count once.

    Attributes
    ----------
    peak_bytes : largest sum seen; peak: {label: bytes} at that moment
    """

    def __init__(self, every: int = 20) -> None:
        self.peak_bytes = 0
        self.peak: dict[str, int] = {}
        self._every, self._calls = every, 0

    def poll(self, pids: dict[str, int]) -> None:
        """Sample the processes {label: pid} at every n-th call: reading the kernel's maps costs."""
        self._calls += 1
        if self._calls % self._every:
            return
        sizes = {label: self._tree_bytes(pid) for label, pid in pids.items()}
        if sum(sizes.values()) > self.peak_bytes:
            self.peak_bytes, self.peak = sum(sizes.values()), sizes

    @staticmethod
    def _tree_bytes(pid: int) -> int:
        try:
            root = psutil.Process(pid)
            family: Iterable[psutil.Process] = [root, *root.children(recursive=True)]
            return sum(process.memory_full_info().pss for process in family)
        except psutil.Error:  # it ended meanwhile
            return 0
