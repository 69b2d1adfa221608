"""The interface of a model: images in, one structured prediction problem for each image out."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import attrs
import torch
from torch import Tensor, nn

from partgraph.errors import InvalidComponentError
from partgraph.graph import Graph
from partgraph.problem import Problem


@attrs.frozen(eq=False)
class Batch:
    """Samples as tensors.

    Attributes
    ----------
    images : (B, 3, S, S) float32 in [0, 1], RGB
    target : (B, N, 3) float32, px of the crop, depth relative to the root, NaN where not known (see `Sample`)
    visible : (B, N) bool
    samples : (B,) int64, which of the data set's samples they are; None where nobody asks
    """

    images: Tensor
    target: Tensor
    visible: Tensor
    samples: Tensor | None = None

    def to(self, device: torch.device | str) -> Batch:
        """The batch on another device."""
        return self._each(lambda tensor: tensor.to(device))

    def split(self, parts: int) -> list[Batch]:
        """The batch in that many parts of the same size."""
        if len(self.images) % parts:
            raise ValueError(f"a batch of {len(self.images)} cannot be split in {parts} equal parts")
        size = len(self.images) // parts
        return [self[start : start + size] for start in range(0, len(self.images), size)]

    def __getitem__(self, which: slice | Tensor) -> Batch:
        return self._each(lambda tensor: tensor[which])

    def _each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        samples = None if self.samples is None else change(self.samples)
        return Batch(change(self.images), change(self.target), change(self.visible), samples)


class Network(nn.Module, abc.ABC):
    """A torch module whose outputs turn into problems.

    Attributes
    ----------
    parts : the N parts it scores
    input_size : side of the square images it takes, px
    """

    parts: tuple[str, ...]
    input_size: int

    @abc.abstractmethod
    def forward(self, images: Tensor) -> Any:
        """Outputs, of a type of the network's own, for images (B, 3, S, S) float32 in [0, 1].

        They are float32 even where autocast lets layers work in half precision: losses and search compare scores.
        """

    def compiled(self) -> Callable[[Tensor], Any]:
        """`forward`, its layers compiled by torch.compile; parameters stay those of this network.

        The default compiles all of it, which must then return tensors, or tuples or dicts of them.
        """
        function: Callable[[Tensor], Any] = torch.compile(self)
        return function

    def layers(self) -> tuple[nn.Module, tuple[str, ...]] | None:
        """The network for other runtimes: a module from images to a tuple of tensors, and their names.

        Together they say all that differs between images; None, the default, where that is not offered.
        """
        return None

    @abc.abstractmethod
    def problems(self, outputs: Any, graph: Graph, *, pairwise_scale: float = 1.0) -> list[Problem]:
        """One problem of tensors for each image of a batch.

        Parameters
        ----------
        outputs : what `forward` returned
        graph : couples the network's parts, in their order
        pairwise_scale : factor on every weight c of the pairwise terms
        """

    def averaged(self, outputs: Any, mirrored: Any, flip: Sequence[int]) -> Any:
        """The outputs for images with scores averaged with those for the same images mirrored left to right.

        Parameters
        ----------
        outputs, mirrored : what `forward` returned for the images, and for the mirrored ones
        flip : order of the parts after mirroring, as `Dataset.flip`

        Raises
        ------
        InvalidComponentError
            By default: where a network does not offer that.
        """
        raise InvalidComponentError(
            f"{type(self).__name__} cannot average its scores with those of mirrored images; leave out mirror, or "
            f"implement Network.averaged"
        )

    @abc.abstractmethod
    def offset_residuals(self, outputs: Any, target: Tensor) -> Tensor:
        """(B, N, N, 3) px: true minus expected displacement from part i to part j, expected at the true part i."""

    def heads(self) -> Iterator[nn.Parameter]:
        """The parameters of the last layers, which fine-tuning may be restricted to; all of them by default."""
        return self.parameters()

    def pairwise_parameters(self) -> Iterator[nn.Parameter]:
        """Those of them that c is made of, which may be trained at a rate of their own; none by default."""
        return iter(())

    @abc.abstractmethod
    def set_pairwise_weights(self, weights: Tensor) -> None:
        """Set c of eq. 3 for every ordered pair of parts: (N, N, 3) float, > 0, 1/px^2."""


class Model(abc.ABC):
    """Options of a network; subclasses are frozen attrs classes that an experiment's file fills in."""

    @abc.abstractmethod
    def build(self, parts: Sequence[str]) -> Network:
        """A network with fresh weights for the parts of an object."""

    def initialize(self, network: Network) -> None:  # noqa: B027  # most models have nothing to add
        """Fill in weights that training starts from, for example of a backbone; called once, when training begins."""
