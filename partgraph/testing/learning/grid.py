"""A small network on a grid of voxels: what losses are checked with that take any network.

A picture of S px is divided into cells of s px and depth into bins of the same length. Candidates are the voxels'
centres, each moved by a residual of its own; their scores, the residuals and what is expected of pairs are learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import attrs
import torch
from attrs.validators import gt
from torch import Tensor, nn
from torch.nn import functional

from partgraph.graph import Graph
from partgraph.learning.model import Model, Network
from partgraph.potentials import Quadratic
from partgraph.problem import Candidates, Problem


@attrs.frozen(eq=False)
class GridOutputs:
    """Scores (B, N, K) and positions (B, N, K, 3), px, of the candidates of a batch."""

    scores: Tensor
    positions: Tensor


@final
class GridNetwork(Network):
    """One layer of features, and a linear head each for scores and residuals."""

    centers: Tensor

    def __init__(self, parts: Sequence[str], size: int, cell: int, bins: int, features: int) -> None:
        super().__init__()
        self.parts, self.input_size, self.cell = tuple(parts), size, cell
        joints = len(self.parts)
        self.features = nn.Sequential(nn.Conv2d(3, features, cell, cell), nn.LeakyReLU())
        self.score_head = nn.Conv2d(features, joints * bins, 1)
        self.residual_head = nn.Conv2d(features, joints * bins * 3, 1)
        self.offsets = nn.Parameter(torch.zeros(joints, joints, 3))
        self.raw_weights = nn.Parameter(torch.full((joints, joints, 3), -5.0))
        across = (torch.arange(size // cell) + 0.5) * cell
        depth = (torch.arange(bins) + 0.5 - bins / 2) * cell
        z, y, x = torch.meshgrid(depth, across, across, indexing="ij")
        self.register_buffer("centers", torch.stack([x, y, z], -1).view(-1, 3), persistent=False)

    def forward(self, images: Tensor) -> GridOutputs:
        """Scores and positions for images (B, 3, S, S) float32 in [0, 1]."""
        features = self.features(images - 0.5)
        shape = len(images), len(self.parts), len(self.centers)
        residuals = self.residual_head(features).view(*shape[:2], -1, 3, *features.shape[2:])
        moved = self.centers + residuals.movedim(3, -1).reshape(*shape, 3).tanh() * self.cell / 2
        return GridOutputs(self.score_head(features).view(shape), moved)

    def problems(self, outputs: GridOutputs, graph: Graph, *, pairwise_scale: float = 1.0) -> list[Problem]:
        weights = functional.softplus(self.raw_weights) * pairwise_scale
        terms = [Quadratic(weights[i, j], self.offsets[i, j]) for i, j in graph.edges]
        return [
            Problem(graph, [Candidates(*own) for own in zip(places, scores, strict=True)], terms)
            for places, scores in zip(outputs.positions, outputs.scores, strict=True)
        ]

    def offset_residuals(self, outputs: GridOutputs, target: Tensor) -> Tensor:
        return target[:, None] - target[:, :, None] - self.offsets

    def set_pairwise_weights(self, weights: Tensor) -> None:
        with torch.no_grad():  # softplus, inverted
            self.raw_weights.copy_(weights + torch.log(-torch.expm1(-weights)))


@final
@attrs.frozen
class GridModel(Model):
    """Options of the network.

    Attributes
    ----------
    size, cell : side of pictures and of cells, px
    bins : number of depth intervals
    features : channels
    """

    size: int = attrs.field(default=24, validator=gt(0))
    cell: int = attrs.field(default=8, validator=gt(0))
    bins: int = attrs.field(default=3, validator=gt(0))
    features: int = attrs.field(default=16, validator=gt(0))

    def build(self, parts: Sequence[str]) -> GridNetwork:
        if self.size % self.cell:
            raise ValueError(f"{self.size} px do not divide into cells of {self.cell} px")
        return GridNetwork(parts, self.size, self.cell, self.bins, self.features)
