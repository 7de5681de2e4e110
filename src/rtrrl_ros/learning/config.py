"""Every knob of the learner: typed, bounded, documented once."""

import dataclasses

from ..parameters import Checked, parameter

OPTIMIZERS = ('adam', 'sgd', 'obgd')


@dataclasses.dataclass(frozen=True)
class LearnerConfig(Checked):
    """RTRRL fine-tuning of a pretrained driving policy (arXiv 2311.04830, 2602.02236).

    A bad value raises `UserError` when constructed.
    """

    gamma: float = parameter(
        0.95, 'discount per decision', low=0, high=1, high_open=True, source='2311.04830 alg. 1'
    )
    lambda_actor: float = parameter(
        0.9, 'decay of the eligibility trace of the actor', low=0, high=1, source='2311.04830 eq. 5'
    )
    lambda_critic: float = parameter(
        0.9, 'decay of the eligibility trace of the critic', low=0, high=1,
        source='2311.04830 eq. 4',
    )  # fmt: skip
    actor_learning_rate: float = parameter(2e-5, 'step size of the actor', low=0, high=1)
    critic_learning_rate: float = parameter(1e-3, 'step size of the critic', low=0, high=1)
    optimizer: str = parameter(
        'adam', 'rule that turns TD error x eligibility into a step', choices=OPTIMIZERS
    )
    adam_beta1: float = parameter(0.9, 'decay of the first moment', low=0, high=1, high_open=True)
    adam_beta2: float = parameter(
        0.999, 'decay of the second moment', low=0, high=1, high_open=True
    )
    adam_epsilon: float = parameter(1e-8, 'floor of the second moment', low=0, low_open=True)
    td_error_clip: float = parameter(
        1.0, 'the TD error is clipped to [-clip, clip] before the update', low=0, low_open=True
    )
    drift_penalty: float = parameter(
        0.1, 'beta: every step pulls the actor back by learning rate x beta x (theta - theta_pre)',
        low=0, source='2602.02236',
    )  # fmt: skip
    warmup_laps: int = parameter(
        1, 'laps in which only the critic learns; they also measure the baseline return', low=0
    )
    exploration_std: float = parameter(
        0.05, 'standard deviation of the sampled action, in units of the action range [-1, 1]',
        low=0, low_open=True, high=1,
    )  # fmt: skip
    exploration_correlation: float = parameter(
        0.0, 'correlation of the exploration noise between two decisions', low=0, high=1,
        high_open=True,
    )  # fmt: skip
    guard: bool = parameter(True, 'watch returns and drift; roll back to the best weights so far')
    rollback_margin: float = parameter(
        0.2, 'a lap is bad if its return is below (1 - margin) x baseline', low=0, high=1
    )
    rollback_laps: int = parameter(2, 'bad laps in a row before a roll-back', low=1)
    max_rollbacks: int = parameter(3, 'roll-backs before the actor is frozen for good', low=0)
    drift_limit: float = parameter(
        5.0, 'largest accepted ||theta - theta_pre|| of the actor; beyond it a step is scaled back',
        low=0, low_open=True,
    )  # fmt: skip
