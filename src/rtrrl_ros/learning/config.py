"""Every knob of the learner: typed, bounded, documented once."""

import dataclasses

from ..cells.kernels.rule import OPTIMIZERS
from ..errors import UserError
from ..parameters import Checked, parameter


@dataclasses.dataclass(frozen=True)
class LearnerConfig(Checked):
    """RTRRL fine-tuning of a pretrained driving policy (arXiv 2311.04830, 2602.02236).

    A bad value raises `UserError` when constructed.
    """

    network: str = parameter(
        'separate', 'actor and critic with a recurrent network each, or one with both heads',
        choices=('separate', 'shared'), source='2602.02236; 2311.04830 sec. 4',
    )  # fmt: skip
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
    discount_actor_gradient: bool = parameter(
        False, "weigh the actor's gradient at step t of an episode by gamma^t",
        source='2311.04830 alg. 1 (I)',
    )  # fmt: skip
    actor_weight: float = parameter(
        1.0, "eta_A: factor of the actor's gradient beside the critic's (felt in a shared network)",
        low=0, source='2311.04830 table 1',
    )  # fmt: skip
    entropy_coefficient: float = parameter(
        0.0, 'eta_H: weight of the gradient of the entropy; no effect on a fixed deviation', low=0,
        source='2311.04830 table 1: 1e-5',
    )  # fmt: skip
    average_reward_rate: float = parameter(
        0.0, 'learning rate of the average reward, which is subtracted; 0: none', low=0, high=1,
        source='2311.04830 alg. 1 (r bar)',
    )  # fmt: skip
    feedback: str = parameter(
        'transported', 'what carries errors from the heads into the cell: their weights, or a '
        'fixed random matrix (feedback alignment)',
        choices=('transported', 'random'), source='2311.04830 sec. 4',
    )  # fmt: skip
    feedback_seed: int = parameter(0, 'of the random matrix', low=0, high=2**31 - 1)
    meta_inputs: bool = parameter(
        False, 'feed the previous action (one-hot if discrete) and reward to the network as well',
        source='2311.04830 sec. 4',
    )  # fmt: skip
    normalize_observations: bool = parameter(
        False, 'running mean and variance, the same in training and evaluation',
        source='2410.14606',
    )  # fmt: skip
    scale_rewards: bool = parameter(
        False, 'divide by the running deviation of the discounted return', source='2410.14606'
    )
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
    gradient_clip: float = parameter(
        0.0, 'largest ||TD error x eligibility trace|| of a network; longer ones are scaled; 0: '
        'any length', low=0, source='2311.04830 table 1: 1.0',
    )  # fmt: skip
    drift_penalty: float = parameter(
        0.1, 'beta: every step pulls the actor back by learning rate x beta x (theta - theta_pre)',
        low=0, source='2602.02236',
    )  # fmt: skip
    drift_anchor: str = parameter(
        'pretrained', 'what the drift penalty pulls to: theta_pre, or the weights of the best lap '
        'so far, once there is one', choices=('pretrained', 'best'),
    )  # fmt: skip
    warmup_laps: int = parameter(
        1,
        'laps in which only the critic learns; they also measure the baseline return; 0: the '
        'first lap does',
        low=0,
    )
    exploration: str = parameter(
        'fixed', 'deviation of continuous actions: fixed, or a further output that is learned',
        choices=('fixed', 'learned'),
    )  # fmt: skip
    exploration_std: float = parameter(
        0.05, 'standard deviation of the sampled action, in units of the action range [-1, 1]',
        low=0, low_open=True, high=1,
    )  # fmt: skip
    exploration_correlation: float = parameter(
        0.0, 'correlation of the exploration noise between two decisions', low=0, high=1,
        high_open=True,
    )  # fmt: skip
    aspiration_reward: float = parameter(
        0.0, 'mean reward of a decision that is good enough: what is explored and learned shrinks '
        'with what is missing to it',
    )  # fmt: skip
    aspiration_band: float = parameter(
        0.0, 'what is missing where exploration and learning are full; 0: always full', low=0
    )
    aspiration_floor: float = parameter(
        0.1, 'share of them that remains where nothing is missing', low=0, low_open=True, high=1
    )
    aspiration_memory: int = parameter(
        200, 'decisions over which rewards are averaged for this', low=1
    )
    guard: bool = parameter(True, 'watch returns and drift; roll back to the best weights so far')
    rollback_reference: str = parameter(
        'baseline', 'what a lap is compared with: the return before learning, or what the best '
        'weights so far are worth, so that learning never wanders far from them',
        choices=('baseline', 'best'),
    )  # fmt: skip
    rollback_margin: float = parameter(
        0.2, 'a lap is bad if its return is below (1 - margin) x reference', low=0, high=1
    )
    rollback_laps: int = parameter(2, 'bad laps in a row before a roll-back', low=1)
    max_rollbacks: int = parameter(
        3,
        'roll-backs before the actor is frozen for good, without noise; with reference best: in a '
        'row',
        low=0,
    )
    probation_laps: int = parameter(
        0, 'laps in which learning must pay: unless the second half of them is clearly better than '
        'the first, the weights from before drive on, without noise, until driving gets worse by '
        'rollback_margin; 0: not judged', low=0,
    )  # fmt: skip
    drift_limit: float = parameter(
        5.0, 'largest accepted ||theta - theta_pre|| of the actor; beyond it a step is scaled back',
        low=0, low_open=True,
    )  # fmt: skip
    backend: str = parameter(
        'auto', 'compiled kernels, the reference in torch, or kernels where the cell has them',
        choices=('auto', 'fused', 'reference'),
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if 0 < self.probation_laps < 4:
            raise UserError(
                f'probation_laps = {self.probation_laps}: must be 0, or 4 or greater: fewer laps '
                'do not tell what is chance'
            )
        if self.network == 'shared':
            for one, other in (
                ('lambda_actor', 'lambda_critic'),
                ('actor_learning_rate', 'critic_learning_rate'),
            ):
                if getattr(self, one) != getattr(self, other):
                    raise UserError(
                        f'{one} = {getattr(self, one):g}, {other} = {getattr(self, other):g}: '
                        'must be equal in a shared network'
                    )
