"""Mirrored and distracted demonstrations keep what the label depends on."""

import numpy as np
import torch

from rtrrl_ros.imitation.augmentation import SHORTEST, distracted, distractions, mirrored


def test_in_a_mirror_left_is_right_and_only_the_steering_changes_its_sign() -> None:
    frames = torch.arange(2 * 3 * 1 * 2 * 4, dtype=torch.float32).reshape(2, 3, 1, 2, 4)
    actions = torch.ones(2, 3, 2)
    seen, done = mirrored(frames, actions, torch.tensor([False, True]))
    assert torch.equal(seen[0], frames[0])
    assert torch.equal(seen[1, ..., 0], frames[1, ..., 3])
    assert done[0].eq(1.0).all()
    assert done[1, :, 0].eq(-1.0).all() and done[1, :, 1].eq(1.0).all()
    assert actions.eq(1.0).all() and frames[1, 0, 0, 0, 0] == 24, 'the originals stay'


def test_a_distraction_lasts_a_while_and_never_hides_what_is_stronger() -> None:
    generator = np.random.default_rng(0)
    frames = torch.zeros(6, 20, 1, 4, 4)
    frames[..., 0] = -1.0
    source = torch.full((2, 50, 1, 4, 4), 0.5)
    pieces = distractions(6, 20, source.shape, 0.5, generator)
    seen = distracted(frames, source, pieces)
    assert torch.equal(seen[..., 0], frames[..., 0])
    added = seen[..., 1:].ne(0.0).flatten(2).all(2)
    lengths = added.sum(1).tolist()
    assert all(length == 0 or length >= SHORTEST for length in lengths)
    assert 0 < sum(length > 0 for length in lengths) < 6
    changes = added.int().diff(dim=1).abs().sum(1)
    assert changes.le(2).all(), 'one piece each'
    assert frames[..., 1:].eq(0.0).all()


def test_without_a_chance_nothing_is_laid_over() -> None:
    frames = torch.randn(3, 10, 1, 2, 2)
    assert not distractions(3, 10, frames.shape, 0.0, np.random.default_rng(0))
    assert torch.equal(distracted(frames, frames, []), frames)


def test_a_part_of_the_laps_is_distracted_as_it_is_among_all() -> None:
    generator = np.random.default_rng(0)
    source = torch.randn(5, 40, 2, 4, 4)
    frames = 0.1 * torch.randn(5, 20, 2, 4, 4)
    pieces = distractions(5, 20, source.shape, 0.9, generator)
    assert len(pieces) > 2
    whole = distracted(frames, source, pieces)
    assert not torch.equal(whole, frames)
    for rows in (slice(0, 2), slice(2, 5), slice(3, 3)):
        assert torch.equal(distracted(frames[rows], source, pieces, rows), whole[rows])
