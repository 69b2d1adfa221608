"""What happens to each sample of a batch, once it is drawn: image and targets change together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import attrs
import torch
from torch import Tensor
from torch.nn import functional

from partgraph.learning.model import Batch


@final
@attrs.frozen(eq=False)
class Motion:
    """A turn, a change of size and a shift of each of B images.

    Attributes
    ----------
    turn : (B, 2, 2), scale included
    scale : (B,), of depth
    shift : (B, 2), relative to the image's side
    """

    turn: Tensor
    scale: Tensor
    shift: Tensor


@final
@attrs.frozen
class Patch:
    """A rectangle that is painted over.

    Attributes
    ----------
    left, top, width, height : px
    color : (3, 1, 1) in [0, 1]
    """

    left: int
    top: int
    width: int
    height: int
    color: Tensor


@final
@attrs.frozen(eq=False)
class Changes:
    """The changes of B samples; what is None is left as it is.

    Attributes
    ----------
    mirrored : (B,) bool
    motion : of the mirrored images
    gain, lift : (B, 3, 1, 1), factor and summand of the channels
    patches : for each sample, at most one
    """

    mirrored: Tensor
    motion: Motion | None = None
    gain: Tensor | None = None
    lift: Tensor | None = None
    patches: tuple[Patch | None, ...] = ()

    def __getitem__(self, which: slice) -> Changes:
        motion = self.motion
        return Changes(
            self.mirrored[which],
            None if motion is None else Motion(motion.turn[which], motion.scale[which], motion.shift[which]),
            None if self.gain is None else self.gain[which],
            None if self.lift is None else self.lift[which],
            self.patches[which],
        )

    def __call__(self, batch: Batch, flip: Sequence[int]) -> Batch:
        """The changed batch, on its own device.

        Parameters
        ----------
        batch : as many samples as there are changes
        flip : order of the parts after mirroring
        """
        return self._patch(self._recolor(self._move(self._mirror(batch, flip))))

    def _mirror(self, batch: Batch, flip: Sequence[int]) -> Batch:
        order, chosen = list(flip), self.mirrored.to(batch.images.device)
        target = batch.target[:, order].clone()
        target[..., 0] = batch.images.shape[-1] - target[..., 0]
        return attrs.evolve(
            batch,
            images=torch.where(chosen[:, None, None, None], batch.images.flip(3), batch.images),
            target=torch.where(chosen[:, None, None], target, batch.target),
            visible=torch.where(chosen[:, None], batch.visible[:, order], batch.visible),
        )

    def _move(self, batch: Batch) -> Batch:
        """Turn, scale and shift; depth is scaled with the image, as the depth convention asks."""
        if self.motion is None:
            return batch
        size, device = batch.images.shape[-1], batch.images.device
        turn, scale = self.motion.turn.to(device), self.motion.scale.to(device)
        shift = self.motion.shift.to(device) * size
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
        return attrs.evolve(batch, images=images, target=target, visible=batch.visible & inside)

    def _recolor(self, batch: Batch) -> Batch:
        if self.gain is None or self.lift is None:
            return batch
        device = batch.images.device
        images = (batch.images * self.gain.to(device) + self.lift.to(device)).clamp_(0, 1)
        return attrs.evolve(batch, images=images)

    def _patch(self, batch: Batch) -> Batch:
        """Paint over rectangles; the parts beneath are no longer seen."""
        if not any(self.patches):
            return batch
        images, visible = batch.images.clone(), batch.visible.clone()
        for index, patch in enumerate(self.patches):
            if patch is None:
                continue
            right, bottom = patch.left + patch.width, patch.top + patch.height
            images[index, :, patch.top : bottom, patch.left : right] = patch.color.to(images.device)
            x, y = batch.target[index, :, 0], batch.target[index, :, 1]
            visible[index] &= ~((x >= patch.left) & (x < right) & (y >= patch.top) & (y < bottom))
        return attrs.evolve(batch, images=images, visible=visible)
