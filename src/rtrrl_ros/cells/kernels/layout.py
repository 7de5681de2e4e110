"""Where things lie in the one piece of memory of a network: offsets in float32 numbers."""

from .td import ARRAYS

LINE = 16  # float32 numbers in a cache line of 64 bytes
PAGE = 64  # lines in 4096 bytes
SPREAD = 9  # lines


class Layout:
    """Hands out offsets, each at the start of a cache line; sizes are known before any memory is.

    The arrays of P parameters come first (`td`), `stride` apart. A processor compares only the
    last 12 bits of two addresses before it lets a load pass an older store; arrays that the same
    loop walks over are therefore placed `SPREAD` lines apart modulo a page. Without that the loop
    takes 1.5 times as long.
    """

    def __init__(self, parameters: int) -> None:
        self.parameters = parameters
        self.stride = LINE * _placed(-(-parameters // LINE), SPREAD)
        self.size = ARRAYS * self.stride
        self.blocks: dict[str, tuple[int, int]] = {}

    def block(self, name: str, count: int, beside: int | None = None, place: int = 0) -> None:
        """Add a block of `count` numbers.

        beside : the offset of the parameters that a loop walks over together with this block
        place : which one of several blocks beside the same parameters
        """
        line = self.size // LINE
        if beside is not None:
            line = _placed(line, beside // LINE + (ARRAYS + place) * SPREAD)
        self.blocks[name] = (LINE * line, count)
        self.size = LINE * (line - (-count // LINE))

    def offsets(self, *names: str) -> tuple[int, ...]:
        """Where the blocks of these names start."""
        return tuple(self.blocks[name][0] for name in names)


def _placed(line: int, phase: int) -> int:
    """The first line from `line` on that lies `phase` lines after the start of a page."""
    return line + (phase - line) % PAGE
