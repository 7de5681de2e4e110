"""The recurrent policy, and what it learns while it drives."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from ackermann_msgs.msg import AckermannDriveStamped
from rclpy.duration import Duration
from rtrrl_msgs.msg import Executed, Features, LearnerStatus, Reward
from std_msgs.msg import String

from ..checkpoint import load_checkpoint
from ..driving.actuation import Actuation
from ..driving.assembly import load_agent, single_threaded
from ..driving.driver import Driver, DriverReport, LapLeft
from ..driving.learner_run import END, LAP, LEFT, RunMark, RunStart, begin_run, mark_run
from ..driving.saving import TunedModel
from ..driving.warm_up import warm_up
from ..learning.config import LearnerConfig
from ..parameters import Checked, parameter
from ..safety.command import Command
from ..safety.modes import Mode
from .diagnostics import OK, WARN
from .learner_messages import learner_run_message, learner_status_message
from .managed_node import ManagedNode
from .messages import drive_message, features_vector, reward_signal, stamp_ns
from .priority import DRIVING
from .process import run_node
from .qos import LEDGER, NEWEST, RECORD


@dataclasses.dataclass(frozen=True)
class AgentNodeConfig(Checked):
    """Parameters of the node beside those of vehicle and learner."""

    model: str = parameter('', 'model folder')
    learn: bool = parameter(False, 'learn while driving; implies explore')
    explore: bool = parameter(False, 'sample actions; false: drive the mean')
    seed: int = parameter(0, 'of the exploration', low=0, high=2**31 - 1)
    lockstep: bool = parameter(
        True, 'act only when everything about the observation before has been learned'
    )
    save_to: str = parameter('', 'folder for the tuned model, while learning; empty: not saved')
    save_period_s: float = parameter(
        5.0, 'how often it is saved; a crash loses no more', unit='s', low=0.5, high=10.0
    )


class AgentNode(ManagedNode):
    """Hands messages to `Driver` and its commands and reports to the graph.

    Parameters
    ----------
    companions : see `ManagedNode`
    subscribes : False where one of them calls `hear_features` instead

    Attributes
    ----------
    hear_features : what to do with a Features message
    """

    sections = (AgentNodeConfig, Actuation, LearnerConfig)

    def __init__(
        self, companions: Sequence[type[ManagedNode]] = (), subscribes: bool = True
    ) -> None:
        super().__init__('agent_node', companions)
        self._subscribes = subscribes
        self.hear_features: Callable[[Features], None] = self.while_active(self._on_features)

    def configure(self) -> None:
        single_threaded()
        config = self._config = self.section(AgentNodeConfig)
        learner = self.section(LearnerConfig)
        checkpoint = load_checkpoint(config.model)
        spare, self._agent = (
            load_agent(
                checkpoint,
                learner,
                learn=config.learn,
                explore=config.explore,
                seed=config.seed,
            )
            for _ in range(2)
        )
        warm_up(spare)
        self._tuned = None
        if config.learn and config.save_to:
            self._tuned = TunedModel(
                Path(config.save_to), checkpoint, self._agent, {'seed': config.seed}
            )
            self.every(config.save_period_s, self._tuned.save)
        kept = LEDGER if config.lockstep else RECORD
        self._proposals = self.advertise(AckermannDriveStamped, 'drive_proposal', kept)
        self._status = self.advertise(LearnerStatus, 'learner_status', kept)
        self._account = self.advertise(String, 'learner_run', LEDGER)
        if self._subscribes:
            self.subscribe(Features, 'features', self._on_features, NEWEST)
        self.subscribe(Executed, 'executed', self._on_executed, RECORD)
        self.subscribe(Reward, 'reward', self._on_reward, RECORD)

    def activate(self) -> None:
        config, actuation = self._config, self.section(Actuation)
        self._agent.restart()
        self._driver = Driver(
            self._agent, actuation, lockstep=config.lockstep, on_report=self._on_report,
            on_left=self._on_left,
        )  # fmt: skip
        self._newest = 0, 0  # stamp and lap of what was learned from last
        lockstep, seed = config.lockstep, config.seed
        self._tell(begin_run(config.model, self._agent, actuation, seed=seed, lockstep=lockstep))

    def deactivate(self) -> None:
        if self.broken:  # perhaps in the midst of an update: what was saved before it stands
            return
        self._tell(mark_run(END, *self._newest, self._agent))
        if self._tuned is not None:
            self._tuned.save()
        # the process may be about to end: a recorder needs to know with which weights
        self._account.wait_for_all_acked(Duration(seconds=0.5))

    @property
    def real_time(self) -> bool:
        return not self._config.lockstep

    def diagnose(self) -> tuple[bytes, str, Mapping[str, Any]]:
        frozen = self._agent.guard.frozen
        line = 'learning stopped by the guard' if frozen else 'active'
        if self._agent.probation.resting:
            line = 'active, but learning rests: it did not pay'
        values = dataclasses.asdict(self._agent.counters)
        if self._agent.aspiration.present:
            values['effort'] = f'{self._agent.aspiration.effort:.2f}'
        return (WARN if frozen else OK), line, values

    def _on_features(self, message: Features) -> None:
        self._send(self._driver.on_features(stamp_ns(message), features_vector(message)))

    def _on_executed(self, message: Executed) -> None:
        self._send(self._driver.on_executed(stamp_ns(message), Mode(message.mode)))

    def _on_reward(self, message: Reward) -> None:
        self._send(self._driver.on_reward(reward_signal(message)))

    def _send(self, commands: Iterator[Command]) -> None:
        for command in commands:  # the driver learns between two of them, and after the last
            self._proposals.publish(drive_message(command))

    def _on_report(self, report: DriverReport) -> None:
        self._newest = report.signal.stamp_ns, report.signal.lap
        self._status.publish(learner_status_message(report, self._agent))
        if report.lap_end is not None:
            self._tell(mark_run(LAP, *self._newest, self._agent, lap_return=report.lap_return))

    def _on_left(self, left: LapLeft) -> None:
        self._tell(
            mark_run(
                LEFT, left.stamp_ns, left.lap, self._agent, acted=left.acted,
                lap_return=left.lap_return,
            )
        )  # fmt: skip

    def _tell(self, account: RunStart | RunMark) -> None:
        self._account.publish(learner_run_message(account))


def main() -> NoReturn:
    """Run the node, on the way from sensor to motor."""
    run_node(AgentNode, DRIVING)


if __name__ == '__main__':
    main()
