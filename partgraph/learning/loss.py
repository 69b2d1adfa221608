"""The interface of a loss: what training minimises, given a network's outputs and the truth."""

from __future__ import annotations

import abc
from typing import Any

from torch import Tensor

from partgraph.learning.model import Batch, Network


class Loss(abc.ABC):
    """Options of a loss; subclasses are frozen attrs classes that an experiment's file fills in."""

    @abc.abstractmethod
    def __call__(self, network: Network, outputs: Any, batch: Batch) -> dict[str, Tensor]:
        """Named scalar terms, weighted; their sum is minimised."""
