"""The simulated car that follows a line with an event camera."""

from .config import LineConfig, LineShift
from .expert import LineExpert, LineExpertConfig
from .world import LineWorld

__all__ = ['LineConfig', 'LineExpert', 'LineExpertConfig', 'LineShift', 'LineWorld']
