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
from partgraph_volumetric.volume import Volume


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
        truth = _Truth.of(batch, network.volume, self.near)
        x, y, z = truth.apart
        terms = {
            "voxels": _mean(self._voxels(outputs.voxels, x, y, z), truth.solid),
            "maps": self.map_weight * _mean(_map_loss(outputs.maps, x, y), truth.flat),
        }
        residual, offset = self._local(network, outputs.features, truth)
        return terms | {"residuals": self.residual_weight * residual, "offsets": self.offset_weight * offset}

    def counts(self, network: Network, batch: Batch) -> dict[str, Tensor]:
        assert isinstance(network, VolumetricNetwork)
        truth = _Truth.of(batch, network.volume, self.near)
        counted = {
            "voxels": truth.solid,
            "maps": truth.flat,
            "residuals": truth.near_voxels,
            "offsets": truth.near_pairs,
        }
        return {name: which.sum().float() for name, which in counted.items()}

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

    def _local(self, network: VolumetricNetwork, features: Tensor, truth: _Truth) -> tuple[Tensor, Tensor]:
        """L1 of residuals and smooth L1 of offsets, in voxels, at the cells around each joint."""
        cells, stride = network.volume.cells, network.volume.stride
        residuals, offsets = network.local(
            gather_cells(features, truth.cell[..., 1] * cells + truth.cell[..., 0])
        )
        z = truth.apart[2]
        true_residual = torch.cat(
            [
                truth.shift[:, :, :, None].expand(-1, -1, -1, z.shape[-1], -1),
                (-z)[:, :, None, :, None].expand(-1, -1, truth.shift.shape[2], -1, -1),
            ],
            -1,
        )  # (B, N, 9, Z, 3)
        residual = _mean((residuals / stride - true_residual).abs().sum(-1), truth.near_voxels)

        true_offset = (truth.target[:, None] - truth.target[:, :, None]) / stride  # (B, i, j, 3)
        error = functional.smooth_l1_loss(
            offsets / stride, true_offset[:, :, None].expand_as(offsets), reduction="none", beta=0.5
        )
        return residual, 3 * _mean(error, truth.near_pairs)  # a sum over three axes


@attrs.frozen(eq=False)
class _Truth:
    """Where the joints of a batch are among the voxels, and what is known of them.

    Attributes
    ----------
    target : (B, N, 3) px, zero where not known
    apart : along each axis (B, N, size), in voxels: from the joint to the voxels' centres
    cell : (B, N, 9, 2) int, x and y of the cells around each joint
    shift : (B, N, 9, 2), in voxels: from these cells' centres to the joint
    solid, flat : (B, N) bool, whether the joint is known in space, in the image
    near_voxels : (B, N, 9, Z) bool, where residuals are trained
    near_pairs : (B, N, 9, N, 3) bool, where offsets are trained
    """

    target: Tensor
    apart: tuple[Tensor, Tensor, Tensor]
    cell: Tensor
    shift: Tensor
    solid: Tensor
    flat: Tensor
    near_voxels: Tensor
    near_pairs: Tensor

    @classmethod
    def of(cls, batch: Batch, volume: Volume, near: float) -> _Truth:
        """The truth of a batch; cells and voxels count as near within that many of them."""
        known = batch.target.isfinite()  # (B, N, 3)
        target = batch.target.where(known, 0)
        at = (target - torch.from_numpy(volume.origin).to(target)) / volume.stride  # from the cube's corner
        sizes = at.new_tensor([volume.cells, volume.cells, volume.bins])
        inside = torch.minimum(at.clamp(min=0.01), sizes - 0.01)
        x, y, z = (
            torch.arange(int(size), device=at.device) + 0.5 - inside[..., axis, None]
            for axis, size in enumerate(sizes)
        )
        reach = torch.arange(-1, 2, device=at.device)
        around = torch.stack(torch.meshgrid(reach, reach, indexing="xy"), -1).view(-1, 2)
        cell = (inside[:, :, None, :2].long() + around).clamp(0, volume.cells - 1)
        shift = inside[:, :, None, :2] - (cell + 0.5)
        close = (shift**2).sum(-1) < near**2  # (B, N, 9)
        solid = known.all(-1)
        both = known[:, None] & known[:, :, None]  # (B, i, j, 3)
        return cls(
            target=target,
            apart=(x, y, z),
            cell=cell,
            shift=shift,
            solid=solid,
            flat=known[..., :2].all(-1),
            near_voxels=close[..., None] & ((z.abs() < near)[:, :, None] & solid[:, :, None, None]),
            near_pairs=close[..., None, None] & both[:, :, None],
        )


def _map_loss(scores: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """(B, N): sigmoid cross-entropy of the 2D scores (B, N, c, c), summed over cells."""
    target = ((y**2)[..., :, None] + (x**2)[..., None, :] < 1.5).to(scores)
    return functional.binary_cross_entropy_with_logits(scores, target, reduction="none").sum((2, 3))


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    """Mean of `values`, weighted by `weight` of the same shape; zero where nothing counts."""
    weight = weight.to(values)
    return (values * weight).sum() / weight.sum().clamp(min=1)
