"""Several processes that train one network: each takes a share of every batch, and their gradients are added up.

They are started by ``torchrun``, on one machine or several. Gradients are added up once the whole batch has been worked
through. torch's `DistributedDataParallel` sends them earlier, but for that all parameters must be used within one
`forward`, and parts of a batch must not overlap; here losses ask the heads for what they need, and they do overlap.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar, final

import attrs
import torch
from torch import Tensor, distributed, nn

from partgraph.errors import PartGraphError

_Value = TypeVar("_Value")

_PATIENCE = timedelta(
    hours=12
)  # others wait while the first process calibrates; torchrun ends all when one fails
_BUCKET = 2**24  # numbers that are sent at once


class ProcessesError(PartGraphError, RuntimeError):
    """Processes that cannot work together."""


@final
@attrs.frozen
class Processes:
    """Those that train together, as seen by one of them; by default it is alone.

    Attributes
    ----------
    rank, size : which one, of how many
    local_rank : which one on its machine
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @property
    def leads(self) -> bool:
        """Whether this is the one that writes files and reports."""
        return self.rank == 0

    def share(self, batch: int) -> slice:
        """Which samples of a batch are this process's."""
        if batch % self.size:
            raise ProcessesError(
                f"a batch of {batch} cannot be shared by {self.size} processes; choose a batch that is a multiple of it"
            )
        each = batch // self.size
        return slice(self.rank * each, (self.rank + 1) * each)

    def agree(self, make: Callable[[], _Value]) -> _Value:
        """What the first process makes, for all of them: numbers, text, lists and tables of these, as JSON has them.

        torch would send any object, but pickled.
        """
        if self.size == 1:
            return make()
        text = json.dumps(make()).encode() if self.leads else b""
        length = torch.tensor(len(text))
        distributed.broadcast(length, src=0)
        sent = torch.zeros(int(length), dtype=torch.uint8)
        if self.leads:
            sent = torch.frombuffer(bytearray(text), dtype=torch.uint8)
        distributed.broadcast(sent, src=0)
        value: _Value = json.loads(sent.numpy().tobytes())
        return value

    def wait(self) -> None:
        """Go on when all processes have come here."""
        self.agree(lambda: None)

    def sum(self, tensors: Iterable[Tensor]) -> None:
        """Add up tensors over the processes, in place."""
        if self.size == 1:
            return
        bucket: list[Tensor] = []
        for tensor in tensors:
            bucket.append(tensor)
            if sum(own.numel() for own in bucket) >= _BUCKET:
                _sum(bucket)
                bucket = []
        if bucket:
            _sum(bucket)

    def sum_gradients(self, network: nn.Module) -> None:
        """Give every parameter the sum of its gradients; one without gradient anywhere keeps none."""
        if self.size == 1:
            return
        parameters = list(network.parameters())
        used = parameters[0].new_tensor([float(own.grad is not None) for own in parameters])
        self.sum([used])
        for parameter, times in zip(parameters, used.tolist(), strict=True):
            if times and parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        self.sum(own.grad for own in parameters if own.grad is not None)

    def normalise_together(self, network: nn.Module) -> None:
        """Let batch normalisation on GPUs see the whole batch; for CPUs, torch has no such layer."""
        if self.size > 1 and next(network.parameters()).device.type == "cuda":
            nn.SyncBatchNorm.convert_sync_batchnorm(network)

    def average_statistics(self, network: nn.Module) -> None:
        """Give batch normalisation that saw shares of a batch the mean of their running statistics."""
        if self.size == 1:
            return
        kept = [
            statistics
            for module in network.modules()
            if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.training
            for statistics in (module.running_mean, module.running_var)
            if statistics is not None
        ]
        self.sum(kept)
        for statistics in kept:
            statistics /= self.size


@contextmanager
def joined(device: str) -> Iterator[Processes]:
    """The processes that ``torchrun`` started, this one among them; without ``torchrun`` it is alone.

    Parameters
    ----------
    device : of the networks; its kind decides how tensors travel
    """
    if "WORLD_SIZE" not in os.environ:
        yield Processes()
        return
    distributed.init_process_group(
        "cpu:gloo,cuda:nccl" if torch.device(device).type == "cuda" else "gloo", timeout=_PATIENCE
    )
    try:
        yield Processes(
            distributed.get_rank(), distributed.get_world_size(), int(os.environ.get("LOCAL_RANK", 0))
        )
    finally:
        distributed.destroy_process_group()


def _sum(tensors: list[Tensor]) -> None:
    flat = torch.cat([tensor.detach().flatten() for tensor in tensors])
    distributed.all_reduce(flat)
    for tensor, summed in zip(tensors, flat.split([own.numel() for own in tensors]), strict=True):
        with torch.no_grad():
            tensor.copy_(summed.view_as(tensor))
