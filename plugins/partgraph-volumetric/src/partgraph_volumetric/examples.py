"""Small instances for the conformance checks; see `partgraph.Component.examples`."""

from __future__ import annotations

from partgraph.testing import LossCase
from partgraph_volumetric.losses import DeepSupervision
from partgraph_volumetric.network import VolumetricResNet


def networks() -> list[VolumetricResNet]:
    """Return a network of all voxels, and one of the best whose residuals count from their edges."""
    return [
        VolumetricResNet(64, 16, 4, widths=(8, 8, 8, 8), features=8),
        VolumetricResNet(
            64, 8, 8, widths=(8, 8, 8, 8), features=8, candidates=20, residual_origin="lower-edge"
        ),
    ]


def losses() -> list[LossCase]:
    """Return both losses on voxels; the weights c are calibrated later, and have no gradient."""
    network = networks()[0]
    return [
        LossCase(DeepSupervision(voxels), network, untrained=("raw_weight",))
        for voxels in ("sigmoid", "softmax")
    ]
