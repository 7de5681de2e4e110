"""How a recording goes, in one line a second."""


class RecordingProgress:
    """Rates between two lines; times are those of any clock that does not jump.

    Parameters
    ----------
    now_s : when the recording began
    """

    def __init__(self, now_s: float) -> None:
        self._begun_s = self._told_s = now_s
        self._messages = self._bytes = 0

    def line(self, now_s: float, messages: int, size: int, lost: int) -> str:
        """Time, size and rates; `messages` and `size` count from the beginning."""
        elapsed_s = max(now_s - self._told_s, 1e-3)
        per_s = (messages - self._messages) / elapsed_s
        mb_per_s = (size - self._bytes) * 1e-6 / elapsed_s
        self._told_s, self._messages, self._bytes = now_s, messages, size
        return (
            f'{now_s - self._begun_s:.0f} s  {size * 1e-6:.1f} MB  '
            f'{per_s:.0f} messages/s  {mb_per_s:.2f} MB/s'
        ) + (f'  {lost} lost' if lost else '')
