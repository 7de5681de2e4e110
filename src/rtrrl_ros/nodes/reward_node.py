"""From the state of the world to the reward of the learner."""

from typing import NoReturn

from rtrrl_msgs.msg import Reward, WorldState

from ..driving.reward_signal import RewardSignal
from ..worlds.rewards import RewardConfig, RewardFunction
from .managed_node import ManagedNode
from .messages import reward_message, world_state
from .process import run_node
from .qos import RECORD


class RewardNode(ManagedNode):
    """Publishes one reward per world state; the same state again gives the same reward again."""

    sections = (RewardConfig,)

    def __init__(self) -> None:
        super().__init__('reward_node')

    def configure(self) -> None:
        self._reward = RewardFunction(self.section(RewardConfig))
        self._publisher = self.advertise(Reward, 'reward', RECORD)
        self.subscribe(WorldState, 'world_state', self._on_state, RECORD)

    def _on_state(self, message: WorldState) -> None:
        state = world_state(message)
        signal = RewardSignal.of(state, self._reward.reward(state))
        self._publisher.publish(reward_message(signal))


def main() -> NoReturn:
    """Run the node."""
    run_node(RewardNode)


if __name__ == '__main__':
    main()
