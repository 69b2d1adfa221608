"""The network compiled by torch.compile computes what it computes as it is, and has the same gradients."""

import copy
import functools
import shutil

import attrs
import pytest
import torch
from partgraph_volumetric.losses import DeepSupervision
from partgraph_volumetric.network import VolumeOutputs, VolumetricResNet

from partgraph.learning.compiled import compiled
from partgraph.learning.model import Batch

BACKENDS = [
    "aot_eager",
    pytest.param(
        "inductor",
        marks=[
            pytest.mark.slow,
            pytest.mark.skipif(not shutil.which("g++"), reason="inductor needs a C++ compiler"),
        ],
    ),
]


@pytest.mark.parametrize("backend", BACKENDS)
def test_outputs_and_gradients_are_those_of_the_network_as_it_is(backend, monkeypatch):
    """In training, through all terms of the loss; then in evaluation, for a batch of another size."""
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend=backend))
    torch._dynamo.reset()
    torch.manual_seed(0)
    options = VolumetricResNet(
        size=64, stride=8, bins=4, widths=(16, 16, 16, 16), blocks=(1, 1, 1, 1), features=16
    )
    network = options.build(("a", "b", "c")).to(memory_format=torch.channels_last)
    twin = copy.deepcopy(network)
    forward = compiled(network)
    images = torch.rand(4, 3, 64, 64).contiguous(memory_format=torch.channels_last)
    target = torch.rand(4, 3, 3) * 64 - torch.tensor([0, 0, 32])
    batch = Batch(images, target, torch.ones(4, 3, dtype=torch.bool))
    for net, outputs in ((network, forward(images)), (twin, twin(images))):
        assert isinstance(outputs, VolumeOutputs)
        sum(DeepSupervision()(net, outputs, batch).values()).backward()
    for (name, one), other in zip(network.named_parameters(), twin.parameters(), strict=True):
        if other.grad is None:
            assert one.grad is None, name
        else:
            torch.testing.assert_close(one.grad, other.grad, rtol=1e-3, atol=1e-5, msg=name)
    network.eval()
    twin.eval()
    with torch.inference_mode():
        for one, other in zip(*map(attrs.astuple, (forward(images[:3]), twin(images[:3]))), strict=True):
            assert one.dtype == torch.float32
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)
