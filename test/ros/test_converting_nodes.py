"""Reward node and encoder node give what the core gives, and the same again when asked again."""

import numpy as np
import pytest
from rtrrl_msgs.msg import Features, Reward, WorldState
from sensor_msgs.msg import Image

from rtrrl_ros.driving.assembly import load_encoder
from rtrrl_ros.driving.reward_signal import RewardSignal
from rtrrl_ros.nodes.messages import (
    features_vector,
    image_message,
    reward_signal,
    stamp_ns,
    world_state_message,
)
from rtrrl_ros.nodes.qos import RECORD, STREAM
from rtrrl_ros.worlds import contract
from rtrrl_ros.worlds.rewards import RewardConfig, RewardFunction


def state(stamp: int, **changes) -> contract.WorldState:
    values = {
        'stamp_ns': stamp, 'lap': 2, 'step_type': contract.StepType.MID, 'terminated': False,
        'truncated': False, 'task_reward': float(np.float32(3.3)),
        'lateral_error_m': float(np.float32(-0.7)), 'heading_error_rad': 0.0, 'speed_m_s': 9.0,
        'progress_m': float(np.float32(1.7)),
    }  # fmt: skip
    return contract.WorldState(**{**values, **changes})


def test_reward_node(graph):
    config = {'kind': 'line', 'scale': 0.3, 'lateral_weight': 2.0}
    graph.start('reward_node', **config)
    rewards = graph.collect(Reward, 'reward', RECORD)
    states = graph.publisher(WorldState, 'world_state', RECORD)
    last = {'step_type': contract.StepType.LAST, 'terminated': True}
    graph.until_matched()
    given = [state(10**9), state(2 * 10**9 + 40), state(2 * 10**9 + 40), state(3 * 10**9, **last)]
    for value in given:
        states.publish(world_state_message(value))
    graph.until(lambda: len(rewards) == 4, 'four rewards')
    function = RewardFunction(RewardConfig(**config))
    expected = [RewardSignal.of(value, function.reward(value)) for value in given]
    assert [reward_signal(message) for message in rewards] == expected


def image(stamp: int, seed: int) -> Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (96, 96, 3), np.uint8)
    return image_message(contract.Observation(pixels, state(stamp)))


def test_encoder_node(graph, untrained_model):
    graph.start('encoder_node', model=str(untrained_model))
    features = graph.collect(Features, 'features', STREAM)
    images = graph.publisher(Image, 'image_raw', STREAM)
    graph.until_matched()
    encoder = load_encoder(untrained_model)
    for seed in (1, 2, 1):
        count = len(features)
        message = image(seed * 10**9, seed)
        graph.insist(
            lambda message=message: images.publish(message),
            lambda count=count: len(features) > count,
            'features',
        )
        pixels = np.random.default_rng(seed).integers(0, 256, (96, 96, 3), np.uint8)
        assert np.array_equal(features_vector(features[-1]), encoder.encode(pixels))
        assert stamp_ns(features[-1]) == seed * 10**9
    numbers = [message.seq for message in features]
    assert numbers == sorted(set(numbers))
    late = graph.collect(Features, 'features', RECORD)  # as a recorder that was slow to be found
    graph.until(lambda: len(late) == len(features), 'all of them')


@pytest.mark.parametrize(
    ('change', 'said'),
    [({'encoding': 'mono8'}, 'rgb8 is needed'), ({'height': 97}, 'incomplete')],
)
def test_an_image_that_is_none_ends_the_encoder(graph, untrained_model, change, said):
    process = graph.start('encoder_node', model=str(untrained_model))
    images = graph.publisher(Image, 'image_raw', STREAM)
    graph.until_matched()
    message = image(10**9, 1)
    for name, value in change.items():
        setattr(message, name, value)
    graph.insist(lambda: images.publish(message), lambda: process.poll() is not None, 'the end')
    assert graph.exit_status(process) == 2
    assert said in graph.output(process).splitlines()[-1]


@pytest.mark.parametrize('executable', ['encoder_node', 'agent_node'])
def test_without_a_model_there_is_one_clear_line(graph, executable):
    process = graph.start(executable, model='/no/such/model')
    assert graph.exit_status(process) == 2
    assert graph.output(process).splitlines()[-1].endswith('make one with `rtrrl pretrain`')
    assert 'Traceback' not in graph.output(process)


def test_what_was_learned_in_another_run_is_not_overwritten(graph, untrained_model, tmp_path):
    (tmp_path / 'model.safetensors').write_text('precious')
    parameters = {'model': str(untrained_model), 'learn': True, 'save_to': str(tmp_path)}
    process = graph.start('agent_node', **parameters)
    assert graph.exit_status(process) == 2
    assert 'exists already; name a new folder' in graph.output(process).splitlines()[-1]
    assert (tmp_path / 'model.safetensors').read_text() == 'precious'
