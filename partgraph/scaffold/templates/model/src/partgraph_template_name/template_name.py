"""A model: a small convolutional network that scores the voxels of a cube.

A picture of `size` px is divided into cells of `cell` px, and depth into `bins` of the same length. The
candidates of a part are the voxels' centers, each moved by a residual. What an edge expects is a
displacement, learned for every pair. Replace the layers by your own; what PartGraph asks of a network is
`forward`, `problems`, `offset_residuals` and `set_pairwise_weights`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import attrs
import torch
from partgraph import Candidates, Graph, Problem, Quadratic
from partgraph.learning.model import Model, Network
from torch import Tensor, nn
from torch.nn import functional


@attrs.frozen(eq=False)
class Outputs:
    """What the network says about a batch: of a type of its own, which only its loss and itself look into.

    Attributes
    ----------
    scores : (B, N, K) float32
    positions : (B, N, K, 3) float32, px
    """

    scores: Tensor
    positions: Tensor


@final
class VoxelNetwork(Network):
    """Features of cells, and a linear head each for the voxels' scores and residuals."""

    centers: Tensor

    def __init__(self, parts: Sequence[str], options: TemplateName) -> None:
        super().__init__()
        self.parts, self.input_size, self.cell = tuple(parts), options.size, options.cell
        count, voxels = len(self.parts), len(self.parts) * options.bins
        self.features = nn.Sequential(
            nn.Conv2d(3, options.features, options.cell, options.cell),
            nn.LeakyReLU(),
            nn.Conv2d(options.features, options.features, 3, padding=1),
            nn.LeakyReLU(),
        )
        self.score_head = nn.Conv2d(options.features, voxels, 1)
        self.residual_head = nn.Conv2d(options.features, voxels * 3, 1)
        self.offsets = nn.Parameter(torch.zeros(count, count, 3))
        self.raw_weights = nn.Parameter(torch.full((count, count, 3), -5.0))
        self.register_buffer("centers", _centers(options), persistent=False)

    def forward(self, images: Tensor) -> Outputs:
        """Scores and positions for images (B, 3, S, S) float32 in [0, 1]."""
        features = self.features(images - 0.5)
        shape = len(images), len(self.parts), len(self.centers)
        residuals = self.residual_head(features).view(*shape[:2], -1, 3, *features.shape[2:])
        residuals = residuals.movedim(3, -1).reshape(*shape, 3).tanh() * self.cell / 2
        return Outputs(self.score_head(features).view(shape), self.centers + residuals)

    def problems(self, outputs: Outputs, graph: Graph, *, pairwise_scale: float = 1.0) -> list[Problem]:
        """One problem of tensors for each picture."""
        weights = functional.softplus(self.raw_weights) * pairwise_scale
        terms = [Quadratic(weights[i, j], self.offsets[i, j]) for i, j in graph.edges]
        return [
            Problem(graph, [Candidates(*own) for own in zip(places, scores, strict=True)], terms)
            for places, scores in zip(outputs.positions, outputs.scores, strict=True)
        ]

    def offset_residuals(self, outputs: Outputs, target: Tensor) -> Tensor:
        """(B, N, N, 3) px: true minus expected displacement, from which calibration takes the weights."""
        return target[:, None] - target[:, :, None] - self.offsets

    def set_pairwise_weights(self, weights: Tensor) -> None:
        """Set c of every ordered pair, (N, N, 3) > 0, 1/px^2: softplus of what is stored."""
        with torch.no_grad():
            self.raw_weights.copy_(weights + torch.log(-torch.expm1(-weights)))


def _centers(options: TemplateName) -> Tensor:
    """(K, 3) px: centers of the voxels, depth slowest and x fastest, depth around zero."""
    across = (torch.arange(options.size // options.cell) + 0.5) * options.cell
    depth = (torch.arange(options.bins) + 0.5 - options.bins / 2) * options.cell
    z, y, x = torch.meshgrid(depth, across, across, indexing="ij")
    return torch.stack([x, y, z], -1).view(-1, 3)


@final
@attrs.frozen
class TemplateName(Model):
    """Options, which the table [model] of an experiment's file fills in.

    Attributes
    ----------
    size, cell : side of pictures and of cells, px
    bins : number of depth intervals
    features : channels
    """

    size: int = attrs.field(default=64, validator=attrs.validators.gt(0))
    cell: int = attrs.field(default=8, validator=attrs.validators.gt(0))
    bins: int = attrs.field(default=4, validator=attrs.validators.gt(0))
    features: int = attrs.field(default=32, validator=attrs.validators.gt(0))

    def build(self, parts: Sequence[str]) -> VoxelNetwork:
        """Return a network with fresh weights; a ValueError says which options do not go together."""
        if self.size % self.cell:
            raise ValueError(f"{self.size} px do not divide into cells of {self.cell} px; change one of them")
        return VoxelNetwork(parts, self)
