"""From the network's outputs to problems: quantised regression (section 2.1) and per-candidate offsets (2.2).

The candidate of voxel v is the voxel's centre plus its residual, p_i^v = centre(v) + r_i(v). Where an edge (i, j)
expects part j, seen from candidate v of part i, is the refined candidate plus the offset of the cell that v lies in:
anchor = p_i^v + offset_ij(cell(v)). The pairwise term is then -c (p_j - anchor)^2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from partgraph.errors import ProblemError
from partgraph.graph import Graph
from partgraph.potentials import Quadratic
from partgraph.problem import Candidates, Problem

if TYPE_CHECKING:
    from partgraph_volumetric.network import VolumeOutputs, VolumetricNetwork


def decode(
    network: VolumetricNetwork, outputs: VolumeOutputs, graph: Graph, pairwise_scale: float
) -> list[Problem]:
    """One problem of tensors for each image; see `Network.problems`."""
    if tuple(graph.parts) != network.parts:
        raise ProblemError(
            f"the network scores the parts {', '.join(network.parts)}, but the graph couples {', '.join(graph.parts)}; "
            f"use a graph over the network's parts, in their order"
        )
    positions, scores, cells = candidates(network, outputs)
    weights = network.pairwise_weights() * pairwise_scale
    zero = positions.new_zeros(3)
    pairwise = [Quadratic(weight=weights[i, j], offset=zero) for i, j in graph.edges]
    anchors = expected(network, outputs, graph, positions, cells)
    # Iterating over a tensor unbinds it, whose derivative is one stack; that of many indices is as many whole arrays.
    return [
        Problem(
            graph=graph,
            candidates=[Candidates(*own) for own in zip(places, values, strict=True)],
            pairwise=pairwise,
            anchors=tuple(seen),
        )
        for places, values, seen in zip(positions, scores, anchors, strict=True)
    ]


def expected(
    network: VolumetricNetwork, outputs: VolumeOutputs, graph: Graph, positions: Tensor, cells: Tensor
) -> Tensor:
    """(B, E, K, 3) px: where the second part of every edge is expected, seen from each candidate of its first part."""
    if not graph.edges:
        return positions[:, :0]
    first = [i for i, _ in graph.edges]
    offsets = network.offsets(outputs.features, graph.edges).flatten(3)
    at = cells[:, first, None].expand(-1, -1, 3, -1)
    return positions[:, first] + offsets.gather(3, at).transpose(2, 3)


def candidates(network: VolumetricNetwork, outputs: VolumeOutputs) -> tuple[Tensor, Tensor, Tensor]:
    """Candidates of every joint of every image, in the order of voxels: depth slowest, x fastest.

    Solvers cut candidates into blocks that are close together in space; in this order they come as such blocks, or as
    a grid, and need not be sorted.

    Returns
    -------
    positions : (B, N, K, 3) px, centre of the voxel plus its residual, or the centre alone (see `refined`)
    scores : (B, N, K)
    cells : (B, N, K) int, the image cell that each candidate's voxel lies in
    """
    volume, keep = network.volume, network.candidates
    scores = outputs.voxels.flatten(2)  # (B, N, Z * c * c)
    centers = torch.from_numpy(volume.centers()).to(scores)
    if keep is None or keep >= scores.shape[2]:
        positions = centers.expand(*scores.shape, 3)
        if network.refined:
            positions = positions + network.residuals(outputs.features).movedim(3, -1).flatten(2, 4)
        cells = torch.arange(volume.cells**2, device=scores.device).repeat(volume.bins)
        return positions, scores, cells.expand(scores.shape)
    voxels = scores.topk(keep, dim=2, sorted=False).indices.sort(dim=2).values
    positions = centers[voxels]
    if network.refined:
        positions = positions + network.residuals_at(outputs.features, voxels)
    return positions, scores.gather(2, voxels), voxels % volume.cells**2
