"""Worlds to drive in: CarRacing seen from above, distribution shifts, rewards and an expert."""

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
