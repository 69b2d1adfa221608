"""From an image to features: ResNets of torchvision, with any output stride the library offers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint
from torchvision.models import resnet
from torchvision.models.resnet import BasicBlock

Layout = Literal["torchvision", "caffe"]

DEPTHS = {
    18: resnet.resnet18,
    34: resnet.resnet34,
    50: resnet.resnet50,
    101: resnet.resnet101,
    152: resnet.resnet152,
}
_BOTTLENECK_FROM = 50
RESNET18 = (2, 2, 2, 2)
# Strides of the last two stages that become dilation, for each output stride.
_DILATED = {32: [False, False, False], 16: [False, False, True], 8: [False, True, True]}


class Trunk(nn.Module):
    """A residual network without its classifier; the state dict has torchvision's layout.

    Parameters
    ----------
    depth : 18, 34, 50, 101 or 152; the paper's "151 layers" are 152 without the classifier
    output_stride : 32, 16 or 8; below 32 the last stages are dilated, which needs depth 50 or more
    layout : how blocks are arranged: as in torchvision, or as in the original Caffe networks and DeeperCut, with the
        same parameters: resolution is reduced by a block's first 1 x 1 convolution rather than by its 3 x 3 one, a
        dilated stage is dilated from its first block on, and pooling windows begin at the image's corner
    """

    recomputes = False

    def __init__(self, depth: int, output_stride: int, layout: Layout = "torchvision") -> None:
        super().__init__()
        if depth not in DEPTHS:
            raise ValueError(f"no ResNet of depth {depth}; choose one of {sorted(DEPTHS)}, or give widths")
        if output_stride not in _DILATED:
            raise ValueError(
                f"output stride {output_stride} is not offered; choose one of {sorted(_DILATED)}"
            )
        if output_stride < 32 and depth < _BOTTLENECK_FROM:
            raise ValueError(
                f"ResNet-{depth} cannot be dilated to output stride {output_stride}; "
                f"choose a depth of 50 or more, or features on a top-down path"
            )
        if layout == "caffe" and depth < _BOTTLENECK_FROM:
            raise ValueError(f"there is no ResNet-{depth} in Caffe's layout; choose a depth of 50 or more")
        net = DEPTHS[depth](weights=None, replace_stride_with_dilation=_DILATED[output_stride])
        self.conv1, self.bn1, self.relu, self.maxpool = net.conv1, net.bn1, net.relu, net.maxpool
        self.layer1, self.layer2, self.layer3, self.layer4 = net.layer1, net.layer2, net.layer3, net.layer4
        if layout == "caffe":
            self._arrange_as_caffe()
        expansion = 4 if depth >= _BOTTLENECK_FROM else 1
        self.channels = tuple(width * expansion for width in (64, 128, 256, 512))

    def _arrange_as_caffe(self) -> None:
        self.maxpool = nn.MaxPool2d(3, 2, padding=0, ceil_mode=True)
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            for block in layer:
                block.conv1.stride, block.conv2.stride = block.conv2.stride, (1, 1)
                block.conv2.dilation = block.conv2.padding = layer[-1].conv2.dilation

    def forward(self, images: Tensor) -> list[Tensor]:
        """Features (B, C_k, H_k, W_k) after each of the four stages."""
        recompute = self.recomputes and self.training and torch.is_grad_enabled()
        x = self.maxpool(self.relu(self.bn1(self.conv1(images))))
        stages = []
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            for block in layer:
                x = checkpoint(block, x, use_reentrant=False) if recompute else block(x)
            stages.append(x)
        return stages

    def recompute(self) -> None:
        """From now on keep only the blocks' inputs for the backward pass, and compute the rest again.

        Activations take a fraction of the memory (Chen et al., 2016) and training a third more time; gradients are
        the same. Batch normalisation then sees every batch twice, so its momentum m becomes 1 - sqrt(1 - m): two
        such updates make one of the old.
        """
        self.recomputes = True
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            for norm in layer.modules():
                if isinstance(norm, nn.BatchNorm2d) and norm.momentum is not None:
                    norm.momentum = 1 - math.sqrt(1 - norm.momentum)


class NarrowTrunk(nn.Module):
    """A ResNet with fewer channels, for CPUs: torchvision's basic blocks in its layout, strides 4 to 32.

    Parameters
    ----------
    widths : channels of the four stages
    blocks : basic blocks in each of them, at least one; what a stage has more than ResNet-18 begins as the identity, so
        that a deeper network can start from the weights of a shallower one and compute the same
    """

    def __init__(self, widths: Sequence[int], blocks: Sequence[int] = RESNET18) -> None:
        super().__init__()
        if len(widths) != 4 or len(blocks) != 4:
            raise ValueError(
                f"a trunk has four stages; found widths {tuple(widths)} and blocks {tuple(blocks)}"
            )
        if min(blocks) < 1:
            raise ValueError(f"each stage has at least one block; found {tuple(blocks)}")
        self.conv1 = nn.Conv2d(3, widths[0], 5, 2, 2, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        before = (widths[0], *widths)
        for stage in range(4):
            layer = _stage(before[stage], widths[stage], blocks[stage], stride=1 if stage == 0 else 2)
            setattr(self, f"layer{stage + 1}", layer)
        self.channels = tuple(widths)

    recomputes = False
    forward = Trunk.forward
    recompute = Trunk.recompute


def _stage(channels: int, width: int, blocks: int, stride: int) -> nn.Sequential:
    down = None
    if stride > 1 or channels != width:
        down = nn.Sequential(nn.Conv2d(channels, width, 1, stride, bias=False), nn.BatchNorm2d(width))
    stage = nn.Sequential(
        BasicBlock(channels, width, stride, down), *(BasicBlock(width, width) for _ in range(blocks - 1))
    )
    for further in stage[RESNET18[0] :]:
        nn.init.zeros_(further.bn2.weight)
    return stage


class TopDown(nn.Module):
    """A path from the coarsest stage back to a finer one, adding each stage on the way.

    Going down to stride 32 and back costs a quarter of dilating everything at stride 8, with as wide a view.

    Parameters
    ----------
    channels : of the stages, finest first
    features : of the result
    """

    def __init__(self, channels: Sequence[int], features: int) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(width, features, 1) for width in channels)
        self.merge = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(features, features, 3, padding=1, bias=False),
                nn.BatchNorm2d(features),
                nn.ReLU(inplace=True),
            )
            for _ in channels[1:]
        )

    def forward(self, stages: Sequence[Tensor]) -> Tensor:
        """(B, features, H, W) at the resolution of the first stage given."""
        x = self.lateral[-1](stages[-1])
        for level in range(len(stages) - 2, -1, -1):
            x = functional.interpolate(x, size=stages[level].shape[-2:], mode="bilinear", align_corners=False)
            x = self.merge[level](x + self.lateral[level](stages[level]))
        return x


class Normalise(nn.Module):
    """Images in [0, 1] to zero mean and unit variance by the statistics torchvision's weights expect."""

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406])[:, None, None], persistent=False)
        self.register_buffer(
            "deviation", torch.tensor([0.229, 0.224, 0.225])[:, None, None], persistent=False
        )

    def forward(self, images: Tensor) -> Tensor:
        return (images - self.mean) / self.deviation
