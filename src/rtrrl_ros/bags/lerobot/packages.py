"""What writes Parquet and video: packages that nothing else needs, named where they are missing."""

from typing import Any

from ...perception.events.optional import optional_module

_WHAT, _FIX = 'a LeRobotDataset', "pip install 'rtrrl_ros[lerobot]'"


def arrow() -> Any:
    """Apache Arrow's pyarrow; raises UserError where it is missing."""
    return optional_module('pyarrow', _WHAT, _FIX)


def parquet() -> Any:
    """pyarrow.parquet; raises UserError where it is missing."""
    return optional_module('pyarrow.parquet', _WHAT, _FIX)


def pyav() -> Any:
    """PyAV, FFmpeg's libraries for Python; raises UserError where it is missing."""
    return optional_module('av', _WHAT, _FIX)


def require_packages() -> None:
    """Raise UserError before the work begins, not after it."""
    arrow()
    pyav()
