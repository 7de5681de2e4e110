"""Watches a run: a line per lap, a JSON at the end, and the exit status of the whole.

It exits with 0 once all laps are over, with 1 where the record has gaps.
"""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from diagnostic_msgs.msg import DiagnosticArray
from rtrrl_msgs.msg import Executed, LearnerStatus, Reward

from ..errors import UserError
from ..parameters import Checked, parameter
from ..safety.modes import Mode
from .diagnostics import OK, WARN, status_values
from .managed_node import ManagedNode
from .messages import reward_signal, stamp_ns
from .priority import WATCHING
from .process import run_node
from .qos import DEVICE, LEDGER
from .run_record import RunRecord, Step

PROGRESS_PERIOD_S = 1.0
#: what a Step takes over from a LearnerStatus
STEP_FIELDS = [field.name for field in dataclasses.fields(Step) if field.name != 'stamp_ns']


@dataclasses.dataclass(frozen=True)
class MonitorNodeConfig(Checked):
    """Parameters of the node."""

    laps: int = parameter(10, 'end after; 0: never', unit='laps', low=0, high=1_000_000)
    out: str = parameter('', 'JSON file to write at the end; empty: none')
    about: str = parameter('{}', 'JSON object whose entries the file begins with')


class MonitorNode(ManagedNode):
    """Feeds `RunRecord` and prints what it says."""

    sections = (MonitorNodeConfig,)

    def __init__(self) -> None:
        super().__init__('monitor_node')

    def configure(self) -> None:
        config = self.section(MonitorNodeConfig)
        self._out = Path(config.out) if config.out else None
        if self._out is not None and not self._out.resolve().parent.is_dir():
            raise UserError(f'out = {config.out}: no such folder')
        try:
            self._about = dict(json.loads(config.about))
        except (ValueError, TypeError):
            raise UserError(f'about = {config.about!r}: must be a JSON object') from None
        self._laps = config.laps
        self.subscribe(Reward, 'reward', self._on_reward, LEDGER)
        self.subscribe(LearnerStatus, 'learner_status', self._on_status, LEDGER)
        self.subscribe(Executed, 'executed', self._on_executed, LEDGER)
        self.subscribe(DiagnosticArray, '/diagnostics', self._on_diagnostics, DEVICE)
        self.every(PROGRESS_PERIOD_S, self._on_progress)

    def activate(self) -> None:
        self._record = RunRecord(self._laps)

    def deactivate(self) -> None:
        if self.exit_status is None and self._record.laps:
            self._write()  # stopped half way: keep what was driven

    def diagnose(self) -> tuple[bytes, str, Mapping[str, Any]]:
        lost = self._record.lost
        return (WARN if lost else OK), self._record.progress(), {'lost_rewards': lost}

    def _on_reward(self, message: Reward) -> None:
        self._record.on_reward(reward_signal(message))
        self._tell()

    def _on_status(self, message: LearnerStatus) -> None:
        values = {name: getattr(message, name) for name in STEP_FIELDS}
        self._record.on_step(Step(stamp_ns(message), **values))
        self._tell()

    def _on_executed(self, message: Executed) -> None:
        self._record.on_executed(Mode(message.mode))

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            self._record.on_diagnostic(status_values(status))

    def _on_progress(self) -> None:
        print(self._record.progress(), flush=True)

    def _tell(self) -> None:
        for line in self._record.news():
            print(line, flush=True)
        if self._record.complete and self.exit_status is None:
            self._write()
            lost = self._record.lost
            fault = f'{lost} rewards were lost: the returns cannot be trusted' if lost else ''
            self.finish(1 if lost else 0, fault)

    def _write(self) -> None:
        if self._out is None:
            return
        document = {**self._about, **self._record.to_json()}
        part = self._out.with_name(self._out.name + '.part')
        try:
            part.write_text(json.dumps(document, indent=2) + '\n')
            part.replace(self._out)
        except OSError as error:
            raise UserError(f'out = {self._out}: {error.strerror}') from None


def main() -> NoReturn:
    """Run the node; it gives way to those that drive."""
    run_node(MonitorNode, WATCHING)


if __name__ == '__main__':
    main()
