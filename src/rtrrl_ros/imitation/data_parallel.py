"""Several processes that train one model, each on its own laps of every batch.

The sum of their gradients is that of the whole batch, so that their number changes nothing but the
time and the rounding. Started by torchrun; NCCL where every process has a GPU of its own, else
Gloo.
"""

import contextlib
import datetime
import os
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

#: how long processes wait for one another: while one of them decodes hours of recordings
PATIENCE = datetime.timedelta(days=1)


class Group:
    """One process alone; `TorchrunGroup` is one of several.

    Attributes
    ----------
    rank, size : which of how many
    local_size : how many of them are on this machine
    """

    rank, size, local_size = 0, 1, 1

    def share(self, rows: int) -> slice:
        """Which of so many laps are this process's, perhaps none."""
        return slice(rows * self.rank // self.size, rows * (self.rank + 1) // self.size)

    def add_up(self, values: Tensor) -> Tensor:
        """The sum over the processes."""
        return values

    def add_up_gradients(self, weights: Sequence[Tensor]) -> None:
        """Every process has the sum of the gradients afterwards; one without any counts as 0."""

    def agree(self, weights: Sequence[Tensor]) -> None:
        """Every process has the weights of the first one afterwards."""

    def wait(self) -> None:
        """Until all processes have come here."""


class TorchrunGroup(Group):
    """One of the processes that torchrun started; inside `process_group` only."""

    def __init__(self) -> None:
        self.rank = torch.distributed.get_rank()
        self.size = torch.distributed.get_world_size()
        self.local_size = int(os.environ['LOCAL_WORLD_SIZE'])

    def add_up(self, values: Tensor) -> Tensor:
        values = values.clone()
        torch.distributed.all_reduce(values)
        return values

    def add_up_gradients(self, weights: Sequence[Tensor]) -> None:
        gradients = [torch.zeros_like(w) if w.grad is None else w.grad for w in weights]
        flat = self.add_up(torch.cat([gradient.reshape(-1) for gradient in gradients]))
        parts = flat.split([weight.numel() for weight in weights])
        for weight, gradient, part in zip(weights, gradients, parts, strict=True):
            gradient.copy_(part.view(weight.shape))
            weight.grad = gradient

    def agree(self, weights: Sequence[Tensor]) -> None:
        with torch.no_grad():
            for weight in weights:
                values = weight.contiguous()
                torch.distributed.broadcast(values, 0)
                weight.copy_(values)

    def wait(self) -> None:
        torch.distributed.barrier()


@contextlib.contextmanager
def process_group() -> Iterator[Group]:
    """The group that this process was started in."""
    if not torch.distributed.is_available() or not torch.distributed.is_torchelastic_launched():
        yield Group()
        return
    local, here = int(os.environ['LOCAL_RANK']), int(os.environ['LOCAL_WORLD_SIZE'])
    gpus = torch.cuda.device_count()
    if gpus:
        torch.cuda.set_device(local % gpus)
    torch.distributed.init_process_group('nccl' if here <= gpus else 'gloo', timeout=PATIENCE)
    try:
        yield TorchrunGroup()
    finally:
        torch.distributed.destroy_process_group()
