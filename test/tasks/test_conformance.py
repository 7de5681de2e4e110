"""Every task keeps the contract, and the contract's tests fail for tasks that do not."""

from rtrrl_ros.tasks import TASKS
from rtrrl_ros.tasks.conformance import TaskConformance

for _task in TASKS.values():
    _class = 'Test' + _task.name.replace('-', '_')
    globals()[_class] = type(_class, (TaskConformance,), {'task': _task})
