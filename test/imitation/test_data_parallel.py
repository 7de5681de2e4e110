"""However many processes share the laps: the model is the same, up to rounding."""

import concurrent.futures
import itertools
import threading
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from rtrrl_ros.driving.assembly import make_networks
from rtrrl_ros.imitation.cloning import Cloning, CloningConfig
from rtrrl_ros.imitation.data_parallel import Group, TorchrunGroup, process_group
from rtrrl_ros.imitation.demonstrations import Demonstration
from rtrrl_ros.perception.encoder import Decoder, FrameEncoder

SHAPE = (2, 16, 16)


class Table:
    """Where the members of a group put their numbers."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.values: list[Tensor] = [torch.zeros(0)] * size
        self.barrier = threading.Barrier(size, timeout=60)


class ThreadGroup(TorchrunGroup):
    """A member of a group of threads: sums as torchrun's processes do, without a network."""

    def __init__(self, rank: int, table: Table) -> None:
        self.rank, self.size, self._table = rank, table.size, table

    def add_up(self, values: Tensor) -> Tensor:
        self._table.values[self.rank] = values.clone()
        self._table.barrier.wait()
        total = torch.stack(self._table.values).sum(0)
        self._table.barrier.wait()
        return total

    def agree(self, weights: Sequence[Tensor]) -> None:
        pass


def laps_of(lengths: Sequence[int]) -> list[Demonstration]:
    random = np.random.default_rng(0)
    laps = []
    for length in lengths:
        frames = random.standard_normal((length, *SHAPE)).astype(np.float16)
        actions = np.tanh(frames[:, 0, :4, :4].astype(np.float32).sum((1, 2)))[:, None]
        laps.append(Demonstration(frames, actions, np.zeros(length, np.float32), False, 0.0))
    return laps


def made(group: Group) -> Cloning:
    """The parts to train, always the same; not to be made by several threads at once."""
    encoder = FrameEncoder(SHAPE, 6)
    decoder = Decoder(encoder)
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in itertools.chain(encoder.parameters(), decoder.parameters()):
            weight.copy_(0.1 * torch.randn(weight.shape, generator=random))
    actor = make_networks('lrcssm', 6, 8, seed=0, action_size=1)['actor']
    config = CloningConfig(
        epochs=2, batch_laps=4, window=10, held_out=0.25, mirror=0.5, distraction=0.7,
        learning_rate=0.1,
    )  # fmt: skip
    return Cloning(encoder, decoder, actor, config, 1, group)


def curve_of(cloning: Cloning, laps: Sequence[Demonstration]) -> list[float]:
    return [epoch.held_out_nll for epoch in cloning.run(laps)]


@pytest.mark.parametrize('size', [2, 5])
def test_the_laps_may_be_shared(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # Adam turns rounding into whole steps where a gradient is all but zero
    monkeypatch.setattr(torch.optim, 'Adam', torch.optim.SGD)
    torch.set_num_threads(1)
    laps = laps_of([20, 15, 13, 12, 18, 20])  # of 5 processes one has nothing to do
    alone, table = made(Group()), Table(size)
    untrained = alone.flat.detach().clone()
    curve = curve_of(alone, laps)
    members = [made(ThreadGroup(rank, table)) for rank in range(size)]
    with concurrent.futures.ThreadPoolExecutor(size) as pool:
        curves = list(pool.map(lambda member: curve_of(member, laps), members))
    for other, other_curve in zip(members, curves, strict=True):
        assert other_curve == pytest.approx(curve, abs=1e-5)
        assert torch.allclose(other.flat, alone.flat, atol=1e-5)
    assert not torch.allclose(alone.flat, untrained, atol=1e-3), 'it has learned something'
    assert all(torch.equal(other.flat, members[0].flat) for other in members)


@pytest.mark.parametrize(('rows', 'size'), [(3, 2), (3, 4), (8, 8), (0, 2), (7, 1)])
def test_every_lap_is_somebodys(rows: int, size: int) -> None:
    shares = []
    for rank in range(size):
        group = Group()
        group.rank, group.size = rank, size
        shares += list(range(rows))[group.share(rows)]
    assert shares == list(range(rows))


def test_without_torchrun_there_is_one() -> None:
    with process_group() as group:
        assert (group.rank, group.size, group.local_size) == (0, 1, 1)
        assert torch.equal(group.add_up(torch.ones(2)), torch.ones(2))
