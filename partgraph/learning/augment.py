"""Random changes of a training batch that keep images and targets together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import final

import attrs
import torch
from torch import Tensor

from partgraph.learning.changes import Changes, Motion, Patch
from partgraph.learning.model import Batch


@final
@attrs.frozen
class Augmentation:
    """How training images vary; all zero changes nothing.

    Attributes
    ----------
    flip : probability of a left-right mirror image, with left and right parts exchanged
    rotation : standard deviation of a turn in the image plane, degrees
    any_rotation : probability that the turn is drawn from the whole circle instead
    scale : largest relative change of size
    shift : standard deviation of a displacement, relative to the image's side
    color : largest relative change of each channel's brightness
    erase : probability that a rectangle is painted over
    """

    flip: float = 0.0
    rotation: float = 0.0
    any_rotation: float = 0.0
    scale: float = 0.0
    shift: float = 0.0
    color: float = 0.0
    erase: float = 0.0

    @property
    def moves(self) -> bool:
        """Whether parts change their places."""
        return bool(self.flip or self._turns)

    @property
    def _turns(self) -> bool:
        return bool(self.rotation or self.any_rotation or self.scale or self.shift)

    def __call__(self, batch: Batch, flip: Sequence[int], random: torch.Generator) -> Batch:
        """A changed batch.

        Parameters
        ----------
        batch : images (B, 3, S, S) in [0, 1] and their targets
        flip : order of the parts after mirroring
        random : decides everything
        """
        return self.draw(len(batch.images), batch.images.shape[-1], random)(batch, flip)

    def draw(self, count: int, size: int, random: torch.Generator) -> Changes:
        """The changes of that many images of `size` px; they depend on nothing else that is in the images."""
        mirrored = torch.rand(count, generator=random) < self.flip
        motion = self._motion(count, random)
        gain = lift = None
        if self.color:
            gain = 1 + _around_zero(count, random) * self.color
            lift = _around_zero(count, random) * self.color / 2
        return Changes(mirrored, motion, gain, lift, self._patches(count, size, random))

    def _motion(self, count: int, random: torch.Generator) -> Motion | None:
        if not self._turns:
            return None
        angle = torch.randn(count, generator=random) * math.radians(self.rotation)
        anywhere = torch.rand(count, generator=random) < self.any_rotation
        angle = torch.where(anywhere, torch.rand(count, generator=random) * 2 * math.pi, angle)
        scale = torch.exp((torch.rand(count, generator=random) * 2 - 1) * math.log1p(self.scale))
        shift = torch.randn(count, 2, generator=random) * self.shift
        cos, sin = torch.cos(angle), torch.sin(angle)
        turn = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2)
        return Motion(turn * scale[:, None, None], scale, shift)

    def _patches(self, count: int, size: int, random: torch.Generator) -> tuple[Patch | None, ...]:
        patches: list[Patch | None] = [None] * count
        if not self.erase:
            return tuple(patches)
        for index in torch.nonzero(torch.rand(count, generator=random) < self.erase).flatten().tolist():
            width, height = (torch.rand(2, generator=random) * 0.25 * size + 0.08 * size).int().tolist()
            left, top = (torch.rand(2, generator=random) * (size - max(width, height))).int().tolist()
            patches[index] = Patch(left, top, width, height, torch.rand(3, 1, 1, generator=random))
        return tuple(patches)


def _around_zero(count: int, random: torch.Generator) -> Tensor:
    """(count, 3, 1, 1) in [-1, 1)."""
    return torch.rand(count, 3, 1, 1, generator=random) * 2 - 1
