"""An agent with a bug ends, and passes nothing on that may be half done."""

import json
import sys

from rtrrl_msgs.msg import Reward
from std_msgs.msg import String

from rtrrl_ros.driving.learner_run import END
from rtrrl_ros.nodes.qos import LEDGER, RECORD

PROGRAM = """
import sys
from rtrrl_ros.nodes.agent_node import AgentNode
from rtrrl_ros.nodes.process import run_node

class Broken(AgentNode):
    def _on_reward(self, message):
        self._agent.counters.updates += 1
        if message.lap == 1:
            self.finish(0)
        else:
            raise ValueError('in the midst of an update')

run_node(Broken)
"""


def run_until_a_reward(graph, model, lap: int):
    """Exit status, events of its account, and updates in the model that it saved."""
    path, tuned = graph.folder / 'broken.py', graph.folder / 'tuned'
    path.write_text(PROGRAM)
    values = {'model': model, 'learn': 'true', 'save_to': tuned}
    words = [word for k, v in values.items() for word in ('-p', f'{k}:={v}')]
    account = graph.collect(String, 'learner_run', LEDGER)
    process = graph.run([sys.executable, str(path), '--ros-args', *words])
    graph.until(lambda: account, 'an account of the run')
    reward = graph.publisher(Reward, 'reward', RECORD)
    graph.insist(
        lambda: reward.publish(Reward(lap=lap)), lambda: process.poll() is not None, 'the end'
    )
    graph.for_seconds(0.3)
    told = [json.loads(message.data)['event'] for message in account]
    updates = json.loads((tuned / 'config.json').read_text())['finetuned']['updates']
    return graph.exit_status(process), told, updates


def test_it_neither_accounts_for_its_weights_nor_saves_them(graph, untrained_model) -> None:
    status, told, updates = run_until_a_reward(graph, untrained_model, lap=0)
    assert (status, updates) == (1, 0)
    assert told and END not in told


def test_one_that_ends_in_order_does(graph, untrained_model) -> None:
    status, told, updates = run_until_a_reward(graph, untrained_model, lap=1)
    assert status == 0 and updates > 0
    assert told[-1] == END
