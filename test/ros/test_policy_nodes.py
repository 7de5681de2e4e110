"""Encoder and agent in one process: the same features and commands, and two nodes all the same."""

import json
import sys

import numpy as np
import pytest
from ackermann_msgs.msg import AckermannDriveStamped
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rtrrl_msgs.msg import Features
from sensor_msgs.msg import Image
from std_msgs.msg import String

from rtrrl_ros.checkpoint import load_checkpoint
from rtrrl_ros.driving.actuation import Actuation
from rtrrl_ros.driving.assembly import load_agent, load_encoder
from rtrrl_ros.driving.learner_run import END
from rtrrl_ros.learning.config import LearnerConfig
from rtrrl_ros.nodes.messages import drive_command, features_vector, image_message
from rtrrl_ros.nodes.qos import LEDGER, STREAM
from rtrrl_ros.worlds import contract


def pixels(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (96, 96, 3), np.uint8)


def image(seed: int) -> Image:
    state = contract.WorldState(
        stamp_ns=seed * 10**9, lap=0, step_type=contract.StepType.MID, terminated=False,
        truncated=False, task_reward=0.0, lateral_error_m=0.0, heading_error_rad=0.0, speed_m_s=1.0,
        progress_m=0.0,
    )  # fmt: skip
    return image_message(contract.Observation(pixels(seed), state))


class Rig:
    """The process, and a test in the place of camera, gate and recorder."""

    def __init__(self, graph, model, **parameters):
        self.graph = graph
        self.process = graph.start('policy_nodes', model=str(model), **parameters)
        self.features = graph.collect(Features, 'features', STREAM)
        self.proposals = graph.collect(AckermannDriveStamped, 'drive_proposal', STREAM)
        self.images = graph.publisher(Image, 'image_raw', STREAM)
        graph.until_matched()

    def show(self, seed: int, wanted: list) -> None:
        count = len(wanted)
        self.graph.insist(
            lambda: self.images.publish(image(seed)), lambda: len(wanted) > count, 'an answer'
        )

    def change(self, node: str, transition: int) -> None:
        request = ChangeState.Request(transition=Transition(id=transition))
        assert self.graph.call(ChangeState, f'/{node}/change_state', request).success


def test_features_and_commands_are_those_of_the_core(graph, untrained_model):
    rig = Rig(graph, untrained_model, lockstep=False, speed_m_s=1.5)
    encoder, actuation = load_encoder(untrained_model), Actuation(speed_m_s=1.5)
    agent = load_agent(
        load_checkpoint(untrained_model), LearnerConfig(), learn=False, explore=False, seed=0
    )
    agent.restart()
    for seed in (1, 2, 3):
        rig.show(seed, rig.proposals)
        graph.until(lambda seed=seed: len(rig.features) >= seed, 'features for who records them')
        features = encoder.encode(pixels(seed))
        assert np.array_equal(features_vector(rig.features[-1]), features)
        command = actuation.command(seed * 10**9, np.clip(agent.act(features), -1.0, 1.0))
        heard = drive_command(rig.proposals[-1])
        assert heard.stamp_ns == command.stamp_ns
        assert heard.steering_angle_rad == np.float32(command.steering_angle_rad)
        assert heard.speed_m_s == np.float32(command.speed_m_s)
    # nothing but the test listens: the agent gets them without a message
    assert rig.graph.peer.count_subscribers('features') == 1


def test_each_has_a_lifecycle_of_its_own(graph, untrained_model):
    rig = Rig(graph, untrained_model, lockstep=False)
    rig.show(1, rig.proposals)
    rig.change('agent_node', Transition.TRANSITION_DEACTIVATE)
    count = len(rig.proposals)
    rig.show(2, rig.features)
    graph.for_seconds(0.3)
    assert len(rig.proposals) == count
    rig.change('agent_node', Transition.TRANSITION_ACTIVATE)
    rig.show(3, rig.proposals)
    assert rig.proposals[-1].header.stamp.sec == 3


@pytest.mark.parametrize(
    ('parameters', 'said'),
    [
        ({'gama': 0.5}, "unknown parameter 'gama'"),
        ({'gamma': 1.5}, 'gamma = 1.5: must be in'),
        ({'silence_s': 99.0}, 'silence_s = 99.0: must be in'),
        ({'model': '/no/such/model'}, 'make one with `rtrrl pretrain`'),
    ],
)
def test_what_only_one_of_them_knows_both_refuse_if_it_is_wrong(
    graph, untrained_model, parameters, said
):
    """And what only one of them knows, such as `gamma`, is nothing unknown to the other."""
    given = {'model': str(untrained_model), 'gamma': 0.9, 'silence_s': 0.2, **parameters}
    process = graph.start('policy_nodes', **given)
    assert graph.exit_status(process) == 2
    assert said in graph.output(process).splitlines()[-1]
    assert 'Traceback' not in graph.output(process)


def test_an_image_that_is_none_ends_both_and_the_encoder_says_why(graph, untrained_model):
    rig = Rig(graph, untrained_model)
    account = graph.collect(String, 'learner_run', LEDGER)
    graph.until(lambda: account, 'an account of the run')
    broken = image(1)
    broken.encoding = 'mono8'
    graph.insist(
        lambda: rig.images.publish(broken), lambda: rig.process.poll() is not None, 'the end'
    )
    assert graph.exit_status(rig.process) == 2
    assert 'encoder_node' in graph.output(rig.process).splitlines()[-1]
    assert 'rgb8 is needed' in graph.output(rig.process).splitlines()[-1]
    graph.until(lambda: json.loads(account[-1].data)['event'] == END, 'the end of the account')


@pytest.mark.parametrize(
    ('part', 'method', 'accounted'),
    [('AgentNode', '_on_features', False), ('EncoderNode', '_on_image', True)],
)
def test_a_bug_in_one_ends_both(graph, untrained_model, tmp_path, part, method, accounted):
    """An agent that may be in the midst of an update accounts for nothing; any other does."""
    path, tuned = graph.folder / 'broken.py', tmp_path / 'tuned'
    path.write_text(
        'from rtrrl_ros.nodes.agent_node import AgentNode\n'
        'from rtrrl_ros.nodes.encoder_node import EncoderNode\n'
        'from rtrrl_ros.nodes.policy_nodes import main\n'
        'def broken(self, message): raise ValueError("a bug")\n'
        f'{part}.{method} = broken\n'
        'main()\n'
    )
    values = {'model': untrained_model, 'learn': 'true', 'save_to': tuned}
    words = [word for k, v in values.items() for word in ('-p', f'{k}:={v}')]
    account = graph.collect(String, 'learner_run', LEDGER)
    process = graph.run([sys.executable, str(path), '--ros-args', *words])
    images = graph.publisher(Image, 'image_raw', STREAM)
    graph.until(lambda: account, 'an account of the run')
    graph.until_matched()
    graph.insist(lambda: images.publish(image(1)), lambda: process.poll() is not None, 'the end')
    assert graph.exit_status(process) == 1
    said = [line for line in graph.output(process).splitlines() if 'bug: ValueError' in line]
    assert len(said) == 1 and ('agent_node' if part == 'AgentNode' else 'encoder_node') in said[0]
    graph.for_seconds(0.3)
    told = [json.loads(message.data)['event'] for message in account]
    assert (END in told) == accounted
