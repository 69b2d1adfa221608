"""The interface of a loss: what training minimises, given a network's outputs and the truth."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor

from partgraph.learning.model import Batch, Network


class Loss(abc.ABC):
    """Options of a loss; subclasses are frozen attrs classes that an experiment's file fills in."""

    @abc.abstractmethod
    def __call__(self, network: Network, outputs: Any, batch: Batch) -> dict[str, Tensor]:
        """Named scalar terms, weighted; their sum is minimised. Each is a mean over what counts for it in the batch."""

    def begin(self, network: Network, outputs: Any, batch: Batch) -> Callable[[], dict[str, Tensor]]:
        """Start what needs no torch, such as a search by threads of its own; what is returned waits for it.

        The terms are those of a plain call, which is also all that this does by default.
        """
        return lambda: self(network, outputs, batch)

    def started(self) -> Loss:
        """The loss as one run of training uses it, which may remember things of each sample."""
        return self

    def state(self) -> dict[str, Tensor]:
        """What a started loss remembers; see `Resumable`."""
        return {}

    def restore(self, state: Mapping[str, Tensor]) -> None:  # noqa: B027 - most losses remember nothing
        """Remember that again."""

    def counts(self, network: Network, batch: Batch) -> dict[str, Tensor]:
        """Of how many things each term is the mean, where these are not the batch's samples.

        The mean over a batch that is worked through in parts, or by several processes, is the parts' means weighted by
        these numbers. A term that counts nothing is zero.
        """
        return {}

    @property
    def remembers(self) -> bool:
        """Whether the loss remembers places in each sample's image, which must then not be moved."""
        return False

    @property
    def graph(self) -> str | None:
        """Name of the graph whose problems the loss solves; None where it solves none."""
        return None

    def check(self, parts: Sequence[str]) -> None:  # noqa: B027 - most losses leave it as it is
        """Raise for what would fail with a network of these parts; asked before the data are made."""
