"""What the agent tells about its learning, as messages. Apart from `messages`: this needs torch."""

from rtrrl_msgs.msg import LearnerStatus
from std_msgs.msg import String

from ..driving.driver import DriverReport
from ..driving.learner_run import RunMark, RunStart, to_text
from ..learning.guarded import GuardedAgent
from .messages import make_header


def learner_status_message(report: DriverReport, agent: GuardedAgent) -> LearnerStatus:
    """How learning went at the observation of a report, and so far."""
    signal, update, counters = report.signal, report.update, agent.counters
    return LearnerStatus(
        header=make_header(signal.stamp_ns, 'base_link'),
        lap=signal.lap,
        step=counters.steps,
        learning=report.learning,
        td_error=update.td_error,
        value=update.value,
        reward=signal.reward,
        drift=report.drift,
        act_latency_s=report.act_latency_s,
        learn_latency_s=report.learn_latency_s,
        updates=counters.updates,
        refused=counters.refused,
        missed=counters.missed,
        rollbacks=counters.rollbacks,
        frozen=agent.guard.frozen,
        note=report.lap_end.note if report.lap_end is not None else '',
    )


def learner_run_message(account: RunStart | RunMark) -> String:
    """Part of the account of a run, as JSON."""
    return String(data=to_text(account))
