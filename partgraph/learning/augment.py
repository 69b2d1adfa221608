"""Random changes of a training batch that keep images and targets together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import final

import attrs
import torch
from torch import Tensor
from torch.nn import functional

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

    def __call__(self, batch: Batch, flip: Sequence[int], random: torch.Generator) -> Batch:
        """A changed batch.

        Parameters
        ----------
        batch : images (B, 3, S, S) in [0, 1] and their targets
        flip : order of the parts after mirroring
        random : decides everything
        """
        mirrored = _mirror(batch, flip, torch.rand(len(batch.images), generator=random) < self.flip)
        moved = self._move(mirrored, random)
        return self._erase(attrs.evolve(moved, images=self._recolor(moved.images, random)), random)

    def _move(self, batch: Batch, random: torch.Generator) -> Batch:
        """Turn, scale and shift; depth is scaled with the image, as the depth convention asks."""
        if not (self.rotation or self.any_rotation or self.scale or self.shift):
            return batch
        count, size = len(batch.images), batch.images.shape[-1]
        angle = torch.randn(count, generator=random) * math.radians(self.rotation)
        anywhere = torch.rand(count, generator=random) < self.any_rotation
        angle = torch.where(anywhere, torch.rand(count, generator=random) * 2 * math.pi, angle)
        scale = torch.exp((torch.rand(count, generator=random) * 2 - 1) * math.log1p(self.scale))
        shift = torch.randn(count, 2, generator=random) * self.shift * size

        cos, sin = torch.cos(angle), torch.sin(angle)
        turn = (
            torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2)
            * scale[:, None, None]
        )
        target = batch.target.clone()
        target[..., :2] = (batch.target[..., :2] - size / 2) @ turn.mT + size / 2 + shift[:, None]
        target[..., 2] *= scale[:, None]
        # The sampling grid asks where each new pixel comes from, in units of half the image's side.
        back = torch.linalg.inv(turn)
        origin = -(back @ (shift / (size / 2))[..., None])
        grid = functional.affine_grid(
            torch.cat([back, origin], -1), list(batch.images.shape), align_corners=False
        )
        images = functional.grid_sample(batch.images, grid, padding_mode="border", align_corners=False)
        inside = ((target[..., :2] >= 0) & (target[..., :2] < size)).all(-1)
        return Batch(images, target, batch.visible & inside)

    def _recolor(self, images: Tensor, random: torch.Generator) -> Tensor:
        if not self.color:
            return images
        shape = (len(images), 3, 1, 1)
        gain = 1 + (torch.rand(shape, generator=random) * 2 - 1) * self.color
        lift = (torch.rand(shape, generator=random) * 2 - 1) * self.color / 2
        return (images * gain + lift).clamp_(0, 1)

    def _erase(self, batch: Batch, random: torch.Generator) -> Batch:
        """Paint over rectangles; the parts beneath are no longer seen."""
        if not self.erase:
            return batch
        size = batch.images.shape[-1]
        images, visible = batch.images.clone(), batch.visible.clone()
        for index in torch.nonzero(torch.rand(len(images), generator=random) < self.erase).flatten().tolist():
            width, height = (torch.rand(2, generator=random) * 0.25 * size + 0.08 * size).int().tolist()
            left, top = (torch.rand(2, generator=random) * (size - max(width, height))).int().tolist()
            color = torch.rand(3, 1, 1, generator=random)
            images[index, :, top : top + height, left : left + width] = color
            x, y = batch.target[index, :, 0], batch.target[index, :, 1]
            beneath = (x >= left) & (x < left + width) & (y >= top) & (y < top + height)
            visible[index] &= ~beneath
        return attrs.evolve(batch, images=images, visible=visible)


def _mirror(batch: Batch, flip: Sequence[int], chosen: Tensor) -> Batch:
    order = list(flip)
    target = batch.target[:, order].clone()
    target[..., 0] = batch.images.shape[-1] - target[..., 0]
    return Batch(
        images=torch.where(chosen[:, None, None, None], batch.images.flip(3), batch.images),
        target=torch.where(chosen[:, None, None], target, batch.target),
        visible=torch.where(chosen[:, None], batch.visible[:, order], batch.visible),
    )
