"""What this distribution adds to PartGraph."""

from __future__ import annotations

from collections.abc import Iterator

from partgraph.plugins import Component, hookimpl

_HERE = "partgraph_volumetric"


@hookimpl
def partgraph_models() -> Iterator[Component]:
    """The fully convolutional network of section 3.1."""
    yield Component(
        "volumetric-resnet",
        f"{_HERE}.network:VolumetricResNet",
        "ResNet with voxel, residual, offset and 2D heads",
        requires=("torch", "torchvision"),
        examples=f"{_HERE}.examples:networks",
    )


@hookimpl
def partgraph_losses() -> Iterator[Component]:
    """The losses of section 2.4."""
    yield Component(
        "deep-supervision",
        f"{_HERE}.losses:DeepSupervision",
        "voxel cross-entropy, residuals, offsets and 2D scores, before inference",
        requires=("torch",),
        examples=f"{_HERE}.examples:losses",
    )
