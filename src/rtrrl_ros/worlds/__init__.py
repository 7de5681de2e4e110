"""Worlds to drive in: CarRacing with an image from above, distribution shifts, rewards, an expert."""

from .contract import Observation, StepType, World, WorldState
from .registry import TASKS, config_class, make_world, shift_class
from .shifts import parse_shift, shift_values

__all__ = [
    'TASKS',
    'Observation',
    'StepType',
    'World',
    'WorldState',
    'config_class',
    'make_world',
    'parse_shift',
    'shift_class',
    'shift_values',
]
