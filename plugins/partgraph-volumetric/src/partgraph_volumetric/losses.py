"""Deep supervision (section 2.4): losses on the terms of the score, before inference combines them."""

from __future__ import annotations

from typing import Any, Literal, final

import attrs
import torch
from attrs.validators import gt, in_
from torch import Tensor
from torch.nn import functional

from partgraph.errors import InvalidComponentError
from partgraph.learning.loss import Loss
from partgraph.learning.model import Batch, Network
from partgraph_volumetric.network import VolumeOutputs, VolumetricNetwork, gather_cells


@final
@attrs.frozen
class DeepSupervision(Loss):
    """Voxel cross-entropy, residuals and offsets near the joints, and 2D scores.

    Coordinates that a sample does not know (NaN, see `Sample`) take part in no term: where only the image was
    annotated, 2D scores and the offsets' x and y remain (section 3.3). Each term is a mean over what is known in the
    batch.

    Attributes
    ----------
    voxels : "sigmoid" asks of every voxel whether the joint is near, as the paper does; "softmax" asks which voxel of
        the cube the joint is in, so that scores are log-probabilities up to a constant and compare with the
        log-Gaussians of the pairwise terms
    radius : a voxel is positive when its centre is within this distance of the joint, in voxels; for "softmax" the
        standard deviation of the target is half of it
    near : residuals and offsets are trained at cells whose centre is within this distance of the joint, in cells
    map_weight, residual_weight, offset_weight : factors on the 2D, residual and offset terms
    """

    voxels: Literal["sigmoid", "softmax"] = attrs.field(
        default="sigmoid", validator=in_(("sigmoid", "softmax"))
    )
    radius: float = attrs.field(default=1.0, validator=gt(0))
    near: float = attrs.field(default=1.5, validator=gt(0))
    map_weight: float = 0.2
    residual_weight: float = 0.5
    offset_weight: float = 0.5

    def __call__(self, network: Network, outputs: Any, batch: Batch) -> dict[str, Tensor]:
        if not isinstance(network, VolumetricNetwork) or not isinstance(outputs, VolumeOutputs):
            raise InvalidComponentError(
                f"deep-supervision needs a volumetric network, found {type(network).__name__}; choose another loss"
            )
        volume = network.volume
        known = batch.target.isfinite()  # (B, N, 3)
        solid = known.all(-1)
        target = batch.target.where(known, 0)
        at = (
            target - torch.from_numpy(volume.origin).to(target)
        ) / volume.stride  # voxels from the cube's corner
        sizes = at.new_tensor([volume.cells, volume.cells, volume.bins])
        inside = torch.minimum(at.clamp(min=0.01), sizes - 0.01)
        x, y, z = (
            torch.arange(int(size), device=at.device) + 0.5 - inside[..., axis, None]
            for axis, size in enumerate(sizes)
        )  # (B, N, size): from the joint to the voxels' centres, along each axis
        terms = {
            "voxels": _mean(self._voxels(outputs.voxels, x, y, z), solid),
            "maps": self.map_weight * _mean(_map_loss(outputs.maps, x, y), known[..., :2].all(-1)),
        }
        residual, offset = self._local(network, outputs.features, target, known, inside, z)
        return terms | {"residuals": self.residual_weight * residual, "offsets": self.offset_weight * offset}

    def _voxels(self, scores: Tensor, x: Tensor, y: Tensor, z: Tensor) -> Tensor:
        """(B, N): the cross-entropy of each joint's voxels."""
        if self.voxels == "sigmoid":
            squared = (z**2)[..., None, None] + (y**2)[..., None, :, None] + (x**2)[..., None, None, :]
            target = (squared < self.radius**2).to(scores)
            return functional.binary_cross_entropy_with_logits(scores, target, reduction="none").sum(
                (2, 3, 4)
            )
        # The target is separable, so its product with the scores needs no cube of its own.
        px, py, pz = (torch.softmax(-2 * (axis / self.radius) ** 2, -1) for axis in (x, y, z))
        expected = torch.einsum("bnzyx,bnz,bny,bnx->bn", scores, pz, py, px)
        return torch.logsumexp(scores.flatten(2), -1) - expected

    def _local(
        self,
        network: VolumetricNetwork,
        features: Tensor,
        target: Tensor,
        known: Tensor,
        inside: Tensor,
        z: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """L1 of residuals and smooth L1 of offsets, in voxels, at the cells around each joint."""
        cells, stride = network.volume.cells, network.volume.stride
        reach = torch.arange(-1, 2, device=target.device)
        around = torch.stack(torch.meshgrid(reach, reach, indexing="xy"), -1).view(-1, 2)
        cell = (inside[:, :, None, :2].long() + around).clamp(0, cells - 1)  # (B, N, 9, 2) x, y
        residuals, offsets = network.local(gather_cells(features, cell[..., 1] * cells + cell[..., 0]))
        shift = inside[:, :, None, :2] - (cell + 0.5)  # from the cell's centre to the joint
        near = ((shift**2).sum(-1) < self.near**2).to(features)

        true_residual = torch.cat(
            [
                shift[:, :, :, None].expand(-1, -1, -1, z.shape[-1], -1),
                (-z)[:, :, None, :, None].expand(-1, -1, shift.shape[2], -1, -1),
            ],
            -1,
        )  # (B, N, 9, Z, 3)
        solid = known.all(-1)[:, :, None, None]
        near_voxel = near[..., None] * ((z.abs() < self.near)[:, :, None] & solid)
        residual = _mean((residuals / stride - true_residual).abs().sum(-1), near_voxel)

        true_offset = (target[:, None] - target[:, :, None]) / stride  # (B, i, j, 3)
        error = functional.smooth_l1_loss(
            offsets / stride, true_offset[:, :, None].expand_as(offsets), reduction="none", beta=0.5
        )
        both = known[:, None] & known[:, :, None]  # (B, i, j, 3)
        return residual, 3 * _mean(error, near[..., None, None] * both[:, :, None])  # a sum over three axes


def _map_loss(scores: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """(B, N): sigmoid cross-entropy of the 2D scores (B, N, c, c), summed over cells."""
    target = ((y**2)[..., :, None] + (x**2)[..., None, :] < 1.5).to(scores)
    return functional.binary_cross_entropy_with_logits(scores, target, reduction="none").sum((2, 3))


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    """Mean of `values`, weighted by `weight` of the same shape; zero where nothing counts."""
    weight = weight.to(values)
    return (values * weight).sum() / weight.sum().clamp(min=1)
