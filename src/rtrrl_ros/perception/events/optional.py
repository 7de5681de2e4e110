"""Libraries that only some sources need: imported when used, and named where they are missing."""

import importlib
from typing import Any

from ...errors import UserError


def optional_module(name: str, what: str, fix: str) -> Any:
    """The module `name`; raises UserError '`what` needs ...: `fix`' where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise UserError(f'{what} needs {name}, which is not installed: {fix}') from None


def dv_processing(what: str) -> Any:
    """iniVation's dv-processing, for what it is needed; raises UserError where it is missing."""
    return optional_module('dv_processing', what, "pip install 'rtrrl_ros[dv]'")
