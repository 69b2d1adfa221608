"""Training the volumetric network through the search: what the structured hinge reaches, and what it leaves alone."""

import pytest
import torch
from partgraph_volumetric.network import VolumetricResNet

from partgraph import plugins
from partgraph.graph import Topology
from partgraph.learning.model import Batch
from partgraph.learning.stage import Stage, Training
from partgraph.learning.structured import StructuredHinge

PARTS = ("a", "b", "c")
LOOP = Topology(PARTS, [(0, 1), (1, 2), (2, 0)])
HEADS = {"voxel_head", "residual_head", "offset_head", "raw_weight"}


@pytest.fixture(autouse=True)
def loop(monkeypatch):
    original = plugins.get
    monkeypatch.setattr(plugins, "get", lambda kind, name: LOOP if name == "loop" else original(kind, name))


def network():
    torch.manual_seed(0)
    built = VolumetricResNet(size=32, stride=8, bins=4, widths=(8, 8, 8, 8), features=8, candidates=9).build(
        PARTS
    )
    with torch.no_grad():
        for head in (built.voxel_head, built.residual_head, built.offset_head):
            head.weight.normal_()
    return built


def batch(count=2):
    random = torch.Generator().manual_seed(1)
    return Batch(
        torch.rand(count, 3, 32, 32, generator=random),
        torch.rand(count, 3, 3, generator=random) * 32 - torch.tensor([0, 0, 16]),
        torch.ones(count, 3, dtype=torch.bool),
    )


def tuned(parameters, **options):
    loss = StructuredHinge("loop", "exhaustive", n_best=5, **options)
    return Stage("structured", ((1.0, loss),), Training(), parameters, tuning=True)


@pytest.mark.parametrize("scale", ["fixed", "free"])
def test_heads_alone_are_trained(scale):
    net, samples = network(), batch()
    stage = tuned("heads", unary_scale=scale)
    stage.prepare(net)
    before = {name: value.clone() for name, value in net.named_buffers()}
    sum(stage.terms(net, net(samples.images), samples).values()).backward()
    reached = {
        name.partition(".")[0]
        for name, own in net.named_parameters()
        if own.grad is not None and own.grad.any()
    }
    assert reached == HEADS
    assert all(own.grad is None for own in net.trunk.parameters())
    for name, value in net.named_buffers():  # the statistics of normalisation
        assert torch.equal(value, before[name]), name


def test_all_parameters_are_trained_without_new_statistics():
    net, samples = network(), batch()
    stage = tuned("all")
    stage.prepare(net)
    before = {name: value.clone() for name, value in net.named_buffers()}
    sum(stage.terms(net, net(samples.images), samples).values()).backward()
    without = {name for name, own in net.named_parameters() if own.grad is None}
    assert without == {"map_head.weight", "map_head.bias"}  # which no candidate depends on
    assert all(torch.equal(value, before[name]) for name, value in net.named_buffers())


def test_a_step_lowers_the_hinge_of_its_batch():
    net, samples = network(), batch(4)
    stage = tuned("heads", unary_scale="free")
    stage.prepare(net)
    optimizer = torch.optim.SGD(list(net.heads()), lr=1e-4)
    before = stage.terms(net, net(samples.images), samples)["hinge"]
    before.backward()
    optimizer.step()
    after = stage.terms(net, net(samples.images), samples)["hinge"]
    assert after.item() < before.item()


def test_c_stays_positive_whatever_is_learned():
    net, samples = network(), batch()
    stage = tuned("heads")
    stage.prepare(net)
    optimizer = torch.optim.SGD([net.raw_weight], lr=5.0)
    for _ in range(3):
        optimizer.zero_grad()
        stage.terms(net, net(samples.images), samples)["hinge"].backward()
        optimizer.step()
    assert (net.pairwise_weights() > 0).all()


def test_its_heads_are_all_but_the_trunk():
    net = network()
    heads = set(map(id, net.heads()))
    for name, own in net.named_parameters():
        assert (id(own) in heads) is not name.startswith("trunk."), name
