"""Memory that messages are collected in, used over and over."""

#: what a chunk usually takes; a longer one makes it grow, until it is cleared
USUAL_BYTES = 3 << 19


class ChunkBuffer:
    """A growing row of bytes that keeps its memory when it is cleared.

    A new one for every chunk would have the system hand over, and clear, each page once more.

    Attributes
    ----------
    size : bytes that were appended
    """

    def __init__(self) -> None:
        self._memory = bytearray()  # a file that is closed keeps none
        self.size = 0

    def append(self, data: bytes) -> None:
        """Copy something to the end."""
        end = self.size + len(data)
        if end > len(self._memory):
            self._memory.extend(bytes(max(end, USUAL_BYTES, 3 * end // 2) - len(self._memory)))
        self._memory[self.size : end] = data
        self.size = end

    def content(self) -> memoryview:
        """What was appended; to be released before the next call."""
        return memoryview(self._memory)[: self.size]

    def clear(self) -> None:
        """Begin anew."""
        if len(self._memory) > USUAL_BYTES:
            self._memory = bytearray()
        self.size = 0
