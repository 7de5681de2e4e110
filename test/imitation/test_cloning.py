"""Cloning finds a policy that is there to be found, from images alone, and keeps the best one."""

import numpy as np
import pytest
import torch

from rtrrl_ros.driving.assembly import make_networks
from rtrrl_ros.imitation.cloning import Cloning, CloningConfig, split_laps
from rtrrl_ros.imitation.critic import CriticConfig, discounted_returns, pretrain_critic
from rtrrl_ros.imitation.demonstrations import Demonstration, Perturbation, Push
from rtrrl_ros.perception.encoder import Decoder, Encoder

SIDE = 16


def stripe_laps(count: int, length: int = 60) -> list[Demonstration]:
    """A bright stripe wanders; the expert steers towards it."""
    generator = np.random.default_rng(0)
    laps = []
    for _ in range(count):
        columns = np.clip(8 + np.cumsum(generator.integers(-1, 2, length)), 1, SIDE - 2)
        images = np.zeros((length, SIDE, SIDE), dtype=np.uint8)
        for image, column in zip(images, columns, strict=True):
            image[:, column - 1 : column + 2] = 255
        steering = ((8 - columns) / 8).astype(np.float32)
        actions = np.stack([steering, np.full(length, 0.3, np.float32)], axis=1)
        rewards = 1.0 - np.abs(steering)
        laps.append(Demonstration(images, actions, rewards, False, float(rewards.sum())))
    return laps


def clone(laps: list[Demonstration], epochs: int, seed: int = 0) -> tuple[Cloning, list]:
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    encoder = Encoder(SIDE, 8)
    actor = make_networks('lrcssm', 8, 12, seed=seed)['actor']
    config = CloningConfig(epochs=epochs, batch_laps=4, window=20, learning_rate=5e-3)
    cloning = Cloning(encoder, Decoder(encoder), actor, config, seed)
    return cloning, cloning.run(laps)


@pytest.fixture(scope='module')
def cloned() -> tuple[Cloning, list]:
    return clone(stripe_laps(12), epochs=30)


def test_it_learns_to_steer_from_images_on_laps_it_has_not_seen(cloned) -> None:
    cloning, curve = cloned
    assert curve[-1].held_out_nll < curve[0].held_out_nll - 1.0
    assert curve[-1].reconstruction < 0.5 * curve[0].reconstruction
    error = 0.0
    lap = stripe_laps(14)[-1]
    cloning.actor.reset()
    for image, action in zip(lap.images, lap.actions, strict=True):
        with torch.no_grad():
            features = cloning.encoder(torch.from_numpy(image)[None, None] / 255)[0]
        error += abs(float(cloning.actor.step(features, with_trace=False)[0]) - action[0])
    assert error / len(lap.images) < 0.1


def test_the_seed_decides_the_result_bit_for_bit() -> None:
    weights = [clone(stripe_laps(6), epochs=2)[0].actor.flat for _ in range(2)]
    assert torch.equal(*weights)


def test_the_best_weights_are_kept_when_it_stops_early() -> None:
    laps = stripe_laps(6)
    cloning, curve = clone(laps, epochs=6)
    held_out = split_laps(laps, CloningConfig().held_out)[1]
    best = min(epoch.held_out_nll for epoch in curve)
    assert cloning.evaluate(held_out) == pytest.approx(best, abs=1e-4)


def test_held_out_laps_are_whole_and_disjoint() -> None:
    laps = stripe_laps(10, length=5)
    train, held_out = split_laps(laps, 0.2)
    assert len(train) == 8
    assert len(held_out) == 2
    assert not {id(lap) for lap in train} & {id(lap) for lap in held_out}


def test_returns_are_discounted_sums_of_the_rewards_to_come() -> None:
    returns = discounted_returns(np.array([9.0, 1.0, 2.0, 4.0]), 0.5)
    np.testing.assert_allclose(returns, [1 + 0.5 * 2 + 0.25 * 4, 2 + 0.5 * 4, 4, 0])


def test_the_critic_explains_most_of_the_returns(cloned) -> None:
    cloning, _ = cloned
    critic = make_networks('lrcssm', 8, 12, seed=1)['critic']
    explained = pretrain_critic(
        critic, cloning.actor, cloning.encoder, stripe_laps(8), 0.5,
        CriticConfig(epochs=40, window=20, learning_rate=5e-3),
    )  # fmt: skip
    assert explained > 0.6


def test_a_push_has_its_deviation_and_zero_means_none() -> None:
    generator = np.random.default_rng(0)
    push = Push(Perturbation(steering_std=0.3), generator)
    values = np.array([push.sample() for _ in range(20_000)])
    assert values[200:, 0].std() == pytest.approx(0.3, rel=0.1)
    assert (values[:, 1] == 0).all()
