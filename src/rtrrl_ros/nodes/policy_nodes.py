"""encoder_node and agent_node in one process: features are handed on by a call.

Each message between two processes has to be written, sent, waited for and read: what lies between
sensor and motor does so three times instead of four. They are two nodes all the same, with
parameters, lifecycles and diagnostics of their own, and features are published for whoever records
them. Torch is loaded once.
"""

from typing import NoReturn

from .agent_node import AgentNode
from .encoder_node import EncoderNode
from .managed_node import ManagedNode
from .priority import DRIVING
from .process import run_nodes


def make_nodes() -> list[ManagedNode]:
    """The agent first: it is there when the first features are."""
    agent = AgentNode(companions=[EncoderNode], subscribes=False)
    return [agent, EncoderNode(companions=[AgentNode], hand_on=agent.hear_features)]


def main() -> NoReturn:
    """Run both, on the way from sensor to motor."""
    run_nodes(make_nodes, DRIVING)


if __name__ == '__main__':
    main()
