"""Weights that training starts from: torchvision's arrays, and Caffe's against an interpreter of Caffe's layers."""

import numpy as np
import pytest
import torch
from partgraph_volumetric.backbone import BackboneError, from_caffe, load_backbone
from partgraph_volumetric.network import VolumetricResNet
from partgraph_volumetric.trunk import NarrowTrunk, Normalise, Trunk
from safetensors.torch import save_file
from torch.nn import functional
from torchvision.models import resnet18

BLOCKS = {2: "abc", 3: "abcd", 4: "abcdef", 5: "abc"}  # of ResNet-50
MEAN = (104.0, 117.0, 123.0)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def caffe_arrays(random, bias=True, factor=0.5):
    """The arrays of a ResNet-50 in Caffe, random; `factor` is what its statistics are multiplied with."""
    arrays = {}

    def layer(name, suffix, out, into, side):
        scale = np.sqrt(2 / (into * side * side))
        arrays[f"{name}/0"] = random.normal(size=(out, into, side, side)) * scale
        arrays[f"bn{suffix}/0"] = random.normal(size=out) * 0.1 * factor
        arrays[f"bn{suffix}/1"] = random.uniform(0.5, 1.5, out) * factor
        arrays[f"bn{suffix}/2"] = np.array([factor])
        arrays[f"scale{suffix}/0"] = random.uniform(0.5, 1.0, out)
        arrays[f"scale{suffix}/1"] = random.normal(size=out) * 0.1

    layer("conv1", "_conv1", 64, 3, 7)
    arrays["conv1/0"] /= 60  # images are in 0..255
    if bias:
        arrays["conv1/1"] = random.normal(size=64) * 0.1
    into = 64
    for stage, letters in BLOCKS.items():
        width = 64 * 2 ** (stage - 2)
        for letter in letters:
            if letter == "a":
                layer(f"res{stage}a_branch1", f"{stage}a_branch1", 4 * width, into, 1)
            layer(f"res{stage}{letter}_branch2a", f"{stage}{letter}_branch2a", width, into, 1)
            layer(f"res{stage}{letter}_branch2b", f"{stage}{letter}_branch2b", width, width, 3)
            layer(f"res{stage}{letter}_branch2c", f"{stage}{letter}_branch2c", 4 * width, width, 1)
            into = 4 * width
    return arrays


def caffe_features(arrays, images, dilated):
    """What Caffe computes, layer by layer: images (1, 3, S, S) blue, green, red in 0..255 less the mean."""
    blobs = {name: torch.from_numpy(array) for name, array in arrays.items()}

    def layer(x, name, suffix, stride=1, padding=0, dilation=1):
        x = functional.conv2d(x, blobs[f"{name}/0"], blobs.get(f"{name}/1"), stride, padding, dilation)
        mean, variance, factor = (blobs[f"bn{suffix}/{blob}"] for blob in range(3))
        x = (x - (mean / factor)[:, None, None]) / (variance / factor + 1e-5).sqrt()[:, None, None]
        return x * blobs[f"scale{suffix}/0"][:, None, None] + blobs[f"scale{suffix}/1"][:, None, None]

    x = functional.relu(layer(images, "conv1", "_conv1", 2, 3))
    x = functional.max_pool2d(x, 3, 2, ceil_mode=True)
    for stage, letters in BLOCKS.items():
        dilation = 2 if stage == 5 and dilated else 1
        for letter in letters:
            stride = 2 if letter == "a" and stage > 2 and dilation == 1 else 1
            own = f"{stage}{letter}"
            short = x
            if letter == "a":
                short = layer(x, f"res{own}_branch1", f"{own}_branch1", stride)
            y = functional.relu(layer(x, f"res{own}_branch2a", f"{own}_branch2a", stride))
            y = functional.relu(layer(y, f"res{own}_branch2b", f"{own}_branch2b", 1, dilation, dilation))
            x = functional.relu(short + layer(y, f"res{own}_branch2c", f"{own}_branch2c"))
    return x


def caffe_images(images, mean):
    """Images (1, 3, S, S) red, green, blue in [0, 1] as Caffe takes them."""
    return 255 * images.flip(1) - torch.tensor(mean, dtype=images.dtype)[:, None, None]


@pytest.mark.parametrize(("stride", "bias"), [(32, True), (16, False)])
@torch.inference_mode()
def test_a_caffe_network_computes_the_same_here(stride, bias):
    """With a mean that is the normalisation's, the padding has the same colour, so that nothing differs."""
    mean = tuple((255 * Normalise().mean.flatten().double()).flip(0).tolist())
    arrays = caffe_arrays(np.random.default_rng(0), bias)
    trunk = Trunk(50, stride, "caffe").eval()
    state = {name: torch.from_numpy(array) for name, array in from_caffe(arrays, mean).items()}
    missing, unexpected = trunk.load_state_dict(state, strict=False)
    assert unexpected == []
    assert all(name.endswith("num_batches_tracked") for name in missing)

    images = torch.rand(1, 3, 53, 53, dtype=torch.float64)
    ours = trunk.double()(Normalise().double()(images))[-1]
    expected = caffe_features(arrays, caffe_images(images, mean), dilated=stride == 16)
    torch.testing.assert_close(ours, expected, atol=1e-4 * float(expected.abs().max()), rtol=0)


@torch.inference_mode()
def test_a_caffe_networks_first_layer_takes_another_mean():
    """Away from the border, where the padding has another colour."""
    arrays = caffe_arrays(np.random.default_rng(1), bias=True)
    state = from_caffe(arrays, MEAN)
    images = torch.rand(1, 3, 32, 32, dtype=torch.float64)
    first = torch.from_numpy(state["conv1.weight"]).double()
    ours = functional.conv2d(Normalise().double()(images), first, stride=2)
    ours = ours - torch.from_numpy(state["bn1.running_mean"]).double()[:, None, None]
    blobs = {
        name: torch.from_numpy(arrays[name]) for name in ("conv1/0", "conv1/1", "bn_conv1/0", "bn_conv1/2")
    }
    expected = functional.conv2d(caffe_images(images, MEAN), blobs["conv1/0"], blobs["conv1/1"], stride=2)
    expected = expected - (blobs["bn_conv1/0"] / blobs["bn_conv1/2"])[:, None, None]
    torch.testing.assert_close(ours, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_files_of_torchvisions_weights(tmp_path, suffix):
    reference, trunk = resnet18(weights=None), Trunk(18, 32)
    path = tmp_path / f"resnet18{suffix}"
    if suffix == ".npz":
        np.savez(path, **{name: tensor.numpy() for name, tensor in reference.state_dict().items()})
    else:
        save_file(reference.state_dict(), path)
    load_backbone(trunk, path)
    for name, tensor in trunk.state_dict().items():
        assert torch.equal(tensor, reference.state_dict()[name]), name


def test_files_of_caffes_arrays(tmp_path):
    arrays = caffe_arrays(np.random.default_rng(2))
    np.savez(tmp_path / "caffe.npz", **arrays)
    trunk = Trunk(50, 16, "caffe")
    load_backbone(trunk, tmp_path / "caffe.npz")
    np.testing.assert_array_equal(
        trunk.layer3[2].conv2.weight.detach().numpy(), arrays["res4c_branch2b/0"].astype(np.float32)
    )


@pytest.mark.parametrize(
    ("layer", "place"),
    [
        ("res2a_branch1", "layer1.0.downsample.0"),
        ("res3b7_branch2a", "layer2.7.conv1"),
        ("res4b35_branch2c", "layer3.35.conv3"),
        ("res5c_branch2b", "layer4.2.conv2"),
    ],
)
def test_names_of_caffes_layers(layer, place):
    random = np.random.default_rng(3)
    arrays = {name: array for name, array in caffe_arrays(random).items() if "conv1" in name}
    suffix = layer.removeprefix("res")
    arrays[f"{layer}/0"] = random.normal(size=(2, 2, 1, 1))
    arrays |= {f"bn{suffix}/{blob}": np.ones(2) for blob in (0, 1)} | {f"bn{suffix}/2": np.ones(1)}
    arrays |= {f"scale{suffix}/{blob}": np.ones(2) for blob in (0, 1)}
    assert f"{place}.weight" in from_caffe(arrays)


def test_statistics_that_were_never_gathered():
    """Caffe's factor is zero then, and its statistics count as zero."""
    arrays = caffe_arrays(np.random.default_rng(4), bias=False)
    arrays["bn2a_branch1/2"] = np.zeros(1)
    assert not from_caffe(arrays)["layer1.0.downsample.1.running_mean"].any()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda state: state.pop("layer1.0.conv1.weight"), "lacks layer1.0.conv1.weight"),
        (lambda state: state.update(more=np.zeros(1)), "does not: more"),
        (lambda state: state.update({"bn1.bias": np.zeros(3)}), r"bn1.bias is \(3,\) where \(64,\)"),
    ],
)
def test_weights_of_something_else_are_refused(tmp_path, change, words):
    trunk = Trunk(18, 32)
    before = {name: tensor.clone() for name, tensor in trunk.state_dict().items()}
    state = {name: tensor.numpy() for name, tensor in resnet18(weights=None).state_dict().items()}
    change(state)
    np.savez(tmp_path / "other.npz", **state)
    with pytest.raises(BackboneError, match=words) as caught:
        load_backbone(trunk, tmp_path / "other.npz")
    assert "\n" not in str(caught.value)
    assert all(torch.equal(tensor, before[name]) for name, tensor in trunk.state_dict().items())


def test_a_caffe_network_with_an_array_missing_is_refused():
    arrays = caffe_arrays(np.random.default_rng(5))
    del arrays["scale3b_branch2b/1"]
    with pytest.raises(BackboneError, match="scale3b_branch2b/1"):
        from_caffe(arrays)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("weights.pth", b"", "read from .safetensors or .npz"),
        ("absent.npz", None, "no such file"),
        ("broken.npz", b"no archive", "cannot be read"),
        ("broken.safetensors", b"no header", "cannot be read"),
    ],
)
def test_files_that_cannot_be_read(tmp_path, name, content, words):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(BackboneError, match=words):
        load_backbone(NarrowTrunk((4, 4, 4, 4)), tmp_path / name)


def test_objects_in_a_file_are_refused(tmp_path):
    np.savez(tmp_path / "objects.npz", **{"conv1.weight": np.array([{}], dtype=object)})
    with pytest.raises(BackboneError, match="cannot be read"):
        load_backbone(Trunk(18, 32), tmp_path / "objects.npz")


def test_a_models_option_fills_the_trunk_when_training_begins(tmp_path):
    state = resnet18(weights=None).state_dict()
    save_file(state, tmp_path / "resnet18.safetensors")
    model = VolumetricResNet(
        size=64, bins=2, depth=18, features=4, backbone=tmp_path / "resnet18.safetensors"
    )
    network = model.build(("a", "b", "c"))
    assert not torch.equal(network.trunk.trunk.conv1.weight, state["conv1.weight"])
    model.initialize(network)
    assert torch.equal(network.trunk.trunk.conv1.weight, state["conv1.weight"])


def test_caffes_layout_needs_its_depths():
    with pytest.raises(ValueError, match="50 or more"):
        Trunk(34, 32, "caffe")


@pytest.mark.parametrize("trunk", [lambda: Trunk(50, 16), lambda: NarrowTrunk((4, 6, 8, 10))])
def test_recomputing_changes_memory_and_nothing_else(trunk):
    """The same features, gradients and statistics as without, after two steps."""
    states = []
    for recompute in (False, True):
        torch.manual_seed(0)
        network = trunk()
        if recompute:
            network.recompute()
        for step in range(2):
            images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(step))
            network.zero_grad()
            features = network(images)[-1]
            features.square().mean().backward()
        gradients = {f"gradient of {name}": p.grad for name, p in network.named_parameters()}
        counts = {name for name in network.state_dict() if name.endswith("num_batches_tracked")}
        state = {name: t for name, t in network.state_dict().items() if name not in counts}
        states.append({"features": features, **gradients, **state})
    for name, tensor in states[0].items():
        torch.testing.assert_close(states[1][name], tensor, msg=lambda text, name=name: f"{name}: {text}")
