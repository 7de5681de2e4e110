"""Tasks that need memory: small environments on which RTRRL is compared with published numbers.

Knows neither ROS nor the learner.
"""

from .contract import SCORE, Environment, Observation, Task
from .registry import TASKS, make_task

__all__ = ['SCORE', 'TASKS', 'Environment', 'Observation', 'Task', 'make_task']
