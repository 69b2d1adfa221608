"""The paper's fully convolutional network (section 3.1): a ResNet trunk and single convolutions branching from it.

For an image of S px and cells of s px, c = S / s:

    voxel scores     (N, Z, c, c)        the inner product of a joint's weights with the feature of the cell (2.1)
    residuals        (N, Z, 3, c, c)     from the voxel's centre to the joint
    offsets          (N, N, 3, c, c)     from a joint to every other joint
    2D scores        (N, c, c)

Residuals and offsets matter near joints only, so training evaluates those two heads at a few cells of each joint.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal, final

import attrs
import torch
from attrs.validators import in_, optional
from torch import Tensor, nn
from torch.nn import functional

from partgraph.graph import Graph
from partgraph.learning.model import Model, Network
from partgraph.problem import Problem
from partgraph_volumetric.backbone import load_backbone
from partgraph_volumetric.decode import decode
from partgraph_volumetric.trunk import RESNET18, Layout, NarrowTrunk, Normalise, TopDown, Trunk
from partgraph_volumetric.volume import Volume

ResidualOrigin = Literal["center", "lower-edge"]


@attrs.frozen(eq=False)
class VolumeOutputs:
    """What `VolumetricNetwork` says about a batch.

    Attributes
    ----------
    features : (B, F, c, c) float32
    voxels : (B, N, Z, c, c) float32, score of every voxel for every joint
    maps : (B, N, c, c) float32, score of every cell for every joint
    """

    features: Tensor
    voxels: Tensor
    maps: Tensor


@final
class VolumetricNetwork(Network):
    """Trunk and heads; see the module's docstring for the shapes.

    Parameters
    ----------
    parts : names of the N joints
    volume : the voxels
    trunk : images (B, 3, S, S) to features (B, F, c, c)
    features : F
    candidates : how many of the best voxels of a joint become candidates, all of them when None
    residual_origin : where in a voxel the residual head's outputs are counted from
    refined : whether candidates are moved by their residuals
    prior : probability of an untrained network that a voxel holds a joint
    """

    raw_weight: Tensor

    def __init__(
        self,
        parts: Sequence[str],
        volume: Volume,
        trunk: nn.Module,
        features: int,
        candidates: int | None = None,
        residual_origin: ResidualOrigin = "center",
        refined: bool = True,
        prior: float = 0.0015,
    ) -> None:
        super().__init__()
        self.parts, self.volume, self.candidates = tuple(parts), volume, candidates
        self.input_size, self.refined = volume.size, refined
        # From the voxel's centre to the point that the head counts from, in voxels.
        self._residual_shift = -0.5 if residual_origin == "lower-edge" else 0.0
        joints, bins = len(parts), volume.bins
        self.trunk = trunk
        self.voxel_head = nn.Conv2d(features, joints * bins, 1)
        self.map_head = nn.Conv2d(features, joints, 1)
        self.residual_head = nn.Conv2d(features, joints * bins * 3, 1)
        self.offset_head = nn.Conv2d(features, joints * joints * 3, 1)
        for head in (self.voxel_head, self.map_head, self.residual_head, self.offset_head):
            nn.init.normal_(head.weight, std=0.01)
            nn.init.zeros_(head.bias)
        nn.init.constant_(self.voxel_head.bias, math.log(prior / (1 - prior)))
        nn.init.constant_(self.map_head.bias, math.log(prior * bins / (1 - prior * bins)))
        # c = softplus(raw) / stride^2 is positive whatever is learned; one for every ordered pair and axis.
        self.raw_weight = nn.Parameter(torch.zeros(joints, joints, 3))

    def forward(self, images: Tensor) -> VolumeOutputs:
        """Scores for images (B, 3, S, S) float32 in [0, 1]."""
        return VolumeOutputs(*self._scores(images))

    def compiled(self) -> Callable[[Tensor], VolumeOutputs]:
        scores = torch.compile(self._scores)  # of tensors alone: it knows no attrs classes
        return lambda images: VolumeOutputs(*scores(images))

    def _scores(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The fields of `VolumeOutputs`."""
        features = self.trunk(images)
        batch, _, rows, columns = features.shape
        voxels = self.voxel_head(features).view(batch, len(self.parts), self.volume.bins, rows, columns)
        return features.float(), voxels.float(), self.map_head(features).float()

    def residuals(self, features: Tensor) -> Tensor:
        """(B, N, Z, 3, c, c) px: from a voxel's centre to the joint, for every voxel."""
        batch, _, rows, columns = features.shape
        shape = (batch, len(self.parts), self.volume.bins, 3, rows, columns)
        return (self.residual_head(features).view(shape) + self._residual_shift) * self.volume.stride

    def residuals_at(self, features: Tensor, voxels: Tensor) -> Tensor:
        """(B, N, K, 3) px: the same for some voxels of each joint, (B, N, K) int, counted as in `Volume.centers`."""
        batch, joints, bins, cells = len(features), len(self.parts), self.volume.bins, self.volume.cells**2
        # Cell by cell, as convolutions in the format channels-last write them: nothing is moved but what is taken.
        every = self.residual_head(features).permute(0, 2, 3, 1).reshape(batch, -1)
        joint = torch.arange(joints, device=voxels.device)[:, None]
        first = 3 * ((voxels % cells * joints + joint) * bins + voxels // cells)
        at = first[..., None] + torch.arange(3, device=voxels.device)
        taken = every.gather(1, at.flatten(1)).view(*voxels.shape, 3)
        return (taken + self._residual_shift) * self.volume.stride

    def offsets(self, features: Tensor, edges: Sequence[tuple[int, int]]) -> Tensor:
        """(B, E, 3, c, c) px: expected displacement along each edge, for every cell of its first part."""
        pairs = torch.tensor([i * len(self.parts) + j for i, j in edges], device=features.device)
        rows = (pairs[:, None] * 3 + torch.arange(3, device=features.device)).flatten()
        weight, bias = self.offset_head.weight[rows], self.offset_head.bias[rows]
        batch, _, height, width = features.shape
        out = functional.conv2d(features, weight, bias)
        return out.view(batch, len(edges), 3, height, width) * self.volume.stride

    def local(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """The heads at chosen cells.

        Parameters
        ----------
        features : (B, N, M, F), of M cells near each joint

        Returns
        -------
        residuals : (B, N, M, Z, 3) px, from a voxel's centre to the joint
        offsets : (B, N, M, N, 3) px
        """
        joints, bins = len(self.parts), self.volume.bins
        shape = features.shape[:3]
        residuals = _per_joint(self.residual_head, features, joints).view(*shape, bins, 3)
        offsets = _per_joint(self.offset_head, features, joints).view(*shape, joints, 3)
        return (residuals + self._residual_shift) * self.volume.stride, offsets * self.volume.stride

    def layers(self) -> tuple[nn.Module, tuple[str, ...]]:
        return _Dense(self), ("scores", "residuals", "offsets", "maps")

    def heads(self) -> Iterator[nn.Parameter]:
        for head in (self.voxel_head, self.map_head, self.residual_head, self.offset_head):
            yield from head.parameters()
        yield self.raw_weight

    def pairwise_parameters(self) -> Iterator[nn.Parameter]:
        yield self.raw_weight

    def pairwise_weights(self) -> Tensor:
        """(N, N, 3), 1/px^2: c of eq. 3 for every ordered pair of joints."""
        return functional.softplus(self.raw_weight) / self.volume.stride**2

    def set_pairwise_weights(self, weights: Tensor) -> None:
        scaled = weights.to(self.raw_weight) * self.volume.stride**2
        if not bool(((scaled > 0) & scaled.isfinite()).all()):
            raise ValueError("pairwise weights must be positive and finite for every pair and axis")
        with torch.no_grad():  # softplus, inverted so that large and small values keep their digits
            self.raw_weight.copy_(scaled + torch.log(-torch.expm1(-scaled)))

    def problems(self, outputs: VolumeOutputs, graph: Graph, *, pairwise_scale: float = 1.0) -> list[Problem]:
        return decode(self, outputs, graph, pairwise_scale)

    def averaged(self, outputs: VolumeOutputs, mirrored: VolumeOutputs, flip: Sequence[int]) -> VolumeOutputs:
        """Means of voxel and 2D scores; residuals and offsets stay those of the images themselves."""
        order = list(flip)
        return attrs.evolve(
            outputs,
            voxels=(outputs.voxels + mirrored.voxels[:, order].flip(-1)) / 2,
            maps=(outputs.maps + mirrored.maps[:, order].flip(-1)) / 2,
        )

    def offset_residuals(self, outputs: VolumeOutputs, target: Tensor) -> Tensor:
        cells = self.nearest_cells(target)
        _, offsets = self.local(gather_cells(outputs.features, cells[:, :, None]))
        return target[:, None] - target[:, :, None] - offsets[:, :, 0]

    def nearest_cells(self, target: Tensor) -> Tensor:
        """(B, N) int: index of the cell that each joint lies in, the nearest one for joints outside the crop."""
        at = (target[..., :2] / self.volume.stride).long().clamp(0, self.volume.cells - 1)
        return at[..., 1] * self.volume.cells + at[..., 0]


@final
class _Dense(nn.Module):
    """All heads at all cells: voxel scores, residuals and offsets in px, 2D scores (see the module's docstring)."""

    def __init__(self, network: VolumetricNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        network, outputs = self.network, self.network(images)
        joints = len(network.parts)
        offsets = network.offsets(outputs.features, [(i, j) for i in range(joints) for j in range(joints)])
        return (
            outputs.voxels,
            network.residuals(outputs.features),
            offsets.unflatten(1, (joints, joints)),
            outputs.maps,
        )


def gather_cells(features: Tensor, cells: Tensor) -> Tensor:
    """Features (B, N, M, F) of the cells (B, N, M) from a map (B, F, c, c)."""
    flat = features.flatten(2).transpose(1, 2)  # (B, c * c, F)
    index = cells.flatten(1)[..., None].expand(-1, -1, flat.shape[2])
    return flat.gather(1, index).view(*cells.shape, flat.shape[2])


def _per_joint(head: nn.Conv2d, features: Tensor, joints: int) -> Tensor:
    """Every joint's own rows of a head on features (B, N, M, F): (B, N, M, rows / N)."""
    weight = head.weight.view(joints, -1, head.in_channels)
    assert head.bias is not None
    return torch.einsum("bnmf,nof->bnmo", features, weight) + head.bias.view(joints, 1, -1)


@final
@attrs.frozen
class VolumetricResNet(Model):
    """Options of the paper's network; the defaults are its own.

    Attributes
    ----------
    size, stride, bins : the voxels, see `Volume`
    depth : of torchvision's ResNet
    widths : channels of the four stages of a narrow ResNet of basic blocks in place of `depth`, for CPUs
    blocks : how many of them each stage of it has; those of ResNet-18 when None
    features : channels of a top-down path that returns to `stride`; None takes the last stage, dilated
    candidates : how many of the best voxels of a joint become candidates, all of them when None
    residual_origin : the residual head counts from a voxel's "center", or from its "lower-edge", the corner with the
        smallest coordinates
    residuals : move candidates by them; without, they stay at the voxels' centres, to see what quantised regression
        brings
    layout : of the ResNet's blocks, see `Trunk`
    backbone : file with the weights that training of the trunk starts from, see `load_backbone`; needed until it ends
    recompute : save memory in training, see `Trunk.recompute`
    """

    size: int = 320
    stride: int = 16
    bins: int = 20
    depth: int = 152
    widths: tuple[int, int, int, int] | None = None
    blocks: tuple[int, int, int, int] | None = None
    features: int | None = None
    candidates: int | None = attrs.field(default=None, validator=optional(attrs.validators.gt(0)))
    residual_origin: ResidualOrigin = attrs.field(default="center", validator=in_(("center", "lower-edge")))
    residuals: bool = True
    layout: Layout = attrs.field(default="torchvision", validator=in_(("torchvision", "caffe")))
    backbone: Path | None = None
    recompute: bool = False

    def build(self, parts: Sequence[str]) -> VolumetricNetwork:
        volume = Volume(self.size, self.stride, self.bins)
        if self.blocks is not None and self.widths is None:
            raise ValueError(
                f"blocks belong to a narrow trunk, but depth {self.depth} has its own; give widths, too"
            )
        if self.features is None and self.widths is None:
            trunk: Trunk | NarrowTrunk = Trunk(self.depth, self.stride, self.layout)
            return self._network(parts, volume, _LastStage(trunk), trunk.channels[-1])
        if self.features is None:
            raise ValueError(
                "a narrow trunk ends at stride 32; give features for the top-down path to the stride you want"
            )
        if self.stride not in (4, 8, 16):
            raise ValueError(f"a top-down path returns to stride 4, 8 or 16; found {self.stride}")
        if self.widths is None:
            trunk = Trunk(self.depth, 32, self.layout)
        else:
            trunk = NarrowTrunk(self.widths, self.blocks or RESNET18)
        path = _TopDownTrunk(trunk, self.features, first=(4, 8, 16).index(self.stride))
        return self._network(parts, volume, path, self.features)

    def initialize(self, network: Network) -> None:
        assert isinstance(network, VolumetricNetwork)
        if self.backbone is not None:
            load_backbone(network.trunk.trunk, self.backbone)

    def _network(
        self, parts: Sequence[str], volume: Volume, trunk: nn.Module, features: int
    ) -> VolumetricNetwork:
        if self.recompute:
            trunk.trunk.recompute()
        return VolumetricNetwork(
            parts, volume, trunk, features, self.candidates, self.residual_origin, self.residuals
        )


class _LastStage(nn.Module):
    """Normalised images to the features of a trunk's last stage."""

    def __init__(self, trunk: Trunk | NarrowTrunk) -> None:
        super().__init__()
        self.normalise, self.trunk = Normalise(), trunk

    def forward(self, images: Tensor) -> Tensor:
        return self.trunk(self.normalise(images))[-1]


class _TopDownTrunk(nn.Module):
    """Normalised images to the features of a top-down path that ends at stage `first`."""

    def __init__(self, trunk: Trunk | NarrowTrunk, features: int, first: int) -> None:
        super().__init__()
        self.normalise, self.trunk, self.first = Normalise(), trunk, first
        self.top_down = TopDown(trunk.channels[first:], features)

    def forward(self, images: Tensor) -> Tensor:
        return self.top_down(self.trunk(self.normalise(images))[self.first :])
