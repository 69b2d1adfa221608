"""The network: shapes, and its two sparse heads against the dense ones."""

import attrs
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from partgraph_volumetric.network import VolumetricNetwork, VolumetricResNet, gather_cells
from partgraph_volumetric.trunk import DEPTHS, NarrowTrunk, Normalise, TopDown, Trunk
from torchvision.models import resnet18

from partgraph import plugins
from partgraph.errors import PartGraphError
from partgraph.graph import Topology
from partgraph.learning.experiment import Choice, Evaluation
from partgraph.learning.infer import Decoder
from partgraph.learning.strict import ExperimentError

PARTS = tuple(f"part-{k}" for k in range(16))
TINY = VolumetricResNet(size=32, stride=8, bins=3, widths=(4, 6, 8, 10), features=5)


def tiny(parts=PARTS, **options):
    torch.manual_seed(0)
    network = attrs.evolve(TINY, **options).build(parts).eval()
    with torch.no_grad():
        for head in (network.voxel_head, network.map_head, network.residual_head, network.offset_head):
            head.weight.normal_()
            head.bias.normal_()
    return network


def images(count=2, size=32):
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(1))


def test_it_is_registered():
    assert plugins.get("model", "volumetric-resnet") is VolumetricResNet
    assert Choice("volumetric-resnet", {"depth": 50, "widths": None}).build("model").depth == 50


def test_the_defaults_are_the_papers():
    options = VolumetricResNet()
    assert (options.size, options.stride, options.bins, options.depth) == (320, 16, 20, 152)
    assert options.features is None
    assert options.widths is None


CASES = {
    "narrow, stride 8": (TINY, 2, 5),
    "narrow, stride 4": (attrs.evolve(TINY, stride=4), 2, 5),
    "narrow, stride 16": (attrs.evolve(TINY, stride=16, size=64), 2, 5),
    "depth 18 with a top-down path": (VolumetricResNet(64, 16, 2, depth=18, features=7), 2, 7),
    "depth 50 at output stride 16": (VolumetricResNet(32, 16, 2, depth=50), 1, 2048),
}
# On the meta device shapes are computed and nothing else, so the paper's own network costs nothing.
SHAPES_ONLY = {
    "depth 50 at output stride 8": (VolumetricResNet(64, 8, 2, depth=50), 1, 2048),
    "depth 34 with a top-down path to stride 4": (VolumetricResNet(64, 4, 2, depth=34, features=9), 2, 9),
    "the paper's": (VolumetricResNet(), 1, 2048),
}


@pytest.mark.parametrize("case", [*CASES, *SHAPES_ONLY])
def test_shapes(case):
    options, count, features = (CASES | SHAPES_ONLY)[case]
    device = "cpu" if case in CASES else "meta"
    cells = options.size // options.stride
    with torch.device(device):
        network = options.build(PARTS[:3]).eval()
    assert isinstance(network, VolumetricNetwork)
    assert network.input_size == options.size
    with torch.inference_mode(), torch.device(device):
        outputs = network(images(count, options.size).to(device))
        assert outputs.features.shape == (count, features, cells, cells)
        assert outputs.voxels.shape == (count, 3, options.bins, cells, cells)
        assert outputs.maps.shape == (count, 3, cells, cells)
        assert network.residuals(outputs.features).shape == (count, 3, options.bins, 3, cells, cells)
        assert network.offsets(outputs.features, [(0, 1), (2, 0)]).shape == (count, 2, 3, cells, cells)
        at = outputs.features.new_zeros(count, 3, 4, features)
        residuals, offsets = network.local(at)
        assert residuals.shape == (count, 3, 4, options.bins, 3)
        assert offsets.shape == (count, 3, 4, 3, 3)
        assert network.pairwise_weights().shape == (3, 3, 3)
    if device == "cpu":
        assert all(bool(tensor.isfinite().all()) for tensor in (outputs.voxels, outputs.maps))


def test_trunk_is_torchvisions():
    """With its weights it computes its features, so published weights can be loaded as they are."""
    torch.manual_seed(0)
    reference, trunk = resnet18(weights=None).eval(), Trunk(18, 32).eval()
    missing, unexpected = trunk.load_state_dict(reference.state_dict(), strict=False)
    assert missing == []
    assert unexpected == ["fc.weight", "fc.bias"]
    with torch.inference_mode():
        x = images(1, 64)
        stages = trunk(x)
        pooled = stages[-1].mean((2, 3))
        torch.testing.assert_close(reference.fc(pooled), reference(x))
        assert [stage.shape[-1] for stage in stages] == [16, 8, 4, 2]
        assert tuple(stage.shape[1] for stage in stages) == trunk.channels


@pytest.mark.parametrize(("depth", "strides"), [(34, [32]), (50, [32, 16, 8]), (152, [16])])
def test_weights_have_torchvisions_layout_whatever_the_stride(depth, strides):
    with torch.device("meta"):
        reference = {name: t.shape for name, t in DEPTHS[depth](weights=None).state_dict().items()}
        del reference["fc.weight"], reference["fc.bias"]
        for stride in strides:
            assert {name: t.shape for name, t in Trunk(depth, stride).state_dict().items()} == reference


def test_images_are_normalised_as_torchvision_expects():
    normalised = Normalise()(torch.tensor([0.485, 0.456, 0.406])[None, :, None, None].expand(1, 3, 2, 2))
    torch.testing.assert_close(normalised, torch.zeros(1, 3, 2, 2))
    torch.testing.assert_close(
        Normalise()(torch.ones(1, 3, 1, 1)).flatten(),
        torch.tensor([2.2489, 2.4286, 2.6400]),
        atol=1e-4,
        rtol=0,
    )
    assert list(Normalise().state_dict()) == []


def test_top_down_path_sees_every_stage():
    torch.manual_seed(0)
    path = TopDown((4, 6, 8), 5).eval()
    stages = [
        torch.randn(1, width, side, side, requires_grad=True) for width, side in ((4, 8), (6, 4), (8, 2))
    ]
    out = path(stages)
    assert out.shape == (1, 5, 8, 8)
    out.square().sum().backward()
    assert all(float(stage.grad.abs().sum()) > 0 for stage in stages)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"size": 100}, "100 px does not divide into cells of 8 px"),
        ({"features": None}, "give features"),
        ({"stride": 32}, "stride 4, 8 or 16; found 32"),
        ({"stride": 2}, "stride 4, 8 or 16; found 2"),
        ({"widths": (4, 4, 4)}, "four stages"),
        ({"blocks": (2, 2, 2)}, "four stages"),
        ({"blocks": (2, 2, 0, 2)}, "at least one block"),
        ({"widths": None, "depth": 50, "blocks": (2, 2, 2, 2)}, "blocks belong to a narrow trunk"),
        ({"widths": None, "features": None, "depth": 18, "stride": 16}, "ResNet-18 cannot be dilated"),
        ({"widths": None, "features": None, "depth": 50, "stride": 4}, "output stride 4 is not offered"),
        ({"widths": None, "depth": 51}, "no ResNet of depth 51"),
        ({"bins": 0}, "must be > 0"),
    ],
)
def test_options_that_do_not_go_together(options, words):
    with pytest.raises(ValueError, match=words) as caught:
        attrs.evolve(TINY, **options).build(PARTS)
    assert "\n" not in str(caught.value)


def test_wrong_options_in_an_experiment_are_said_in_one_line():
    with pytest.raises(PartGraphError, match="candidates"):
        Choice("volumetric-resnet", {"candidates": 0}).build("model")


def test_narrow_trunk_needs_four_stages():
    with pytest.raises(ValueError, match="four stages"):
        NarrowTrunk((4, 4, 4))


def test_further_blocks_change_nothing_at_first():
    """A deeper network with the weights of a shallower one computes the same until it is trained."""
    shallow, deep = tiny(), tiny(blocks=(3, 2, 4, 5))
    missing, unexpected = deep.load_state_dict(shallow.state_dict(), strict=False)
    assert unexpected == []
    assert {name.rsplit(".", 2)[0] for name in missing} == {
        f"trunk.trunk.{block}"
        for block in ("layer1.2", "layer3.2", "layer3.3", "layer4.2", "layer4.3", "layer4.4")
    }
    with torch.inference_mode():
        torch.testing.assert_close(deep(images()).voxels, shallow(images()).voxels)
    deep.train()(images()).voxels.square().sum().backward()
    assert float(deep.trunk.trunk.layer4[4].bn2.weight.grad.abs().sum()) > 0


def test_blocks_of_each_stage():
    network = tiny(blocks=(1, 3, 2, 4))
    assert [len(getattr(network.trunk.trunk, f"layer{k}")) for k in (1, 2, 3, 4)] == [1, 3, 2, 4]


def test_an_untrained_network_finds_nothing():
    """The prior: a voxel holds a joint with probability 0.0015, a cell of the map with `bins` times that."""
    torch.manual_seed(0)
    network = TINY.build(PARTS).eval()
    with torch.inference_mode():
        outputs = network(images())
    assert float(torch.sigmoid(outputs.voxels).mean()) == pytest.approx(0.0015, rel=0.2)
    assert float(torch.sigmoid(outputs.maps).mean()) == pytest.approx(0.0045, rel=0.2)


@pytest.mark.parametrize("origin", ["center", "lower-edge"])
def test_local_equals_the_dense_heads_at_those_cells(origin):
    network = tiny(residual_origin=origin)
    with torch.inference_mode():
        features = network(images()).features
        cells = torch.randint(16, (2, 16, 5), generator=torch.Generator().manual_seed(0))
        residuals, offsets = network.local(gather_cells(features, cells))
        dense_residuals = network.residuals(features).flatten(4)  # (B, N, Z, 3, c * c)
        pairs = [(i, j) for i in range(16) for j in range(16)]
        dense_offsets = network.offsets(features, pairs).flatten(3).view(2, 16, 16, 3, 16)
        for image in range(2):
            for i in range(16):
                for m in range(5):
                    cell = cells[image, i, m]
                    torch.testing.assert_close(
                        residuals[image, i, m], dense_residuals[image, i, :, :, cell], atol=1e-3, rtol=1e-4
                    )
                    torch.testing.assert_close(
                        offsets[image, i, m], dense_offsets[image, i, :, :, cell], atol=1e-3, rtol=1e-4
                    )


@settings(deadline=None, max_examples=20)
@given(
    st.lists(
        st.tuples(st.integers(0, 15), st.integers(0, 15)).filter(lambda edge: edge[0] != edge[1]),
        min_size=1,
        max_size=6,
    )
)
def test_offsets_are_the_full_heads_rows(edges):
    network = NETWORK
    with torch.inference_mode():
        features = network(images()).features
        full = network.offset_head(features).view(2, 16, 16, 3, 4, 4) * 8
        for e, (i, j) in enumerate(edges):
            torch.testing.assert_close(
                network.offsets(features, edges)[:, e], full[:, i, j], atol=1e-3, rtol=1e-4
            )


NETWORK = tiny()


def test_gather_cells_by_hand():
    features = torch.arange(2 * 3 * 4 * 4).view(2, 3, 4, 4).float()
    cells = torch.tensor([[[0, 5], [15, 3]], [[1, 1], [8, 14]]])
    found = gather_cells(features, cells)
    assert found.shape == (2, 2, 2, 3)
    for b in range(2):
        for n in range(2):
            for m in range(2):
                row, column = divmod(int(cells[b, n, m]), 4)
                assert torch.equal(found[b, n, m], features[b, :, row, column])


def test_everything_is_in_pixels():
    """Heads speak in cells; a network of twice the stride with the same weights says twice as much."""
    coarse, fine = tiny(stride=16, size=64), tiny(stride=8, size=64)
    for head in ("residual_head", "offset_head"):
        getattr(coarse, head).load_state_dict(getattr(fine, head).state_dict())
    features = torch.randn(1, 5, 2, 2)
    with torch.inference_mode():
        torch.testing.assert_close(coarse.residuals(features), 2 * fine.residuals(features))
        torch.testing.assert_close(coarse.offsets(features, [(0, 3)]), 2 * fine.offsets(features, [(0, 3)]))
        for wide, narrow in zip(
            coarse.local(features.view(1, 1, 4, 5).expand(-1, 16, -1, -1)),
            fine.local(features.view(1, 1, 4, 5).expand(-1, 16, -1, -1)),
            strict=True,
        ):
            torch.testing.assert_close(wide, 2 * narrow)


@settings(deadline=None)
@given(st.floats(-7, 3))
def test_pairwise_weights_round_trip(exponent):
    network = NETWORK
    weights = 10**exponent * torch.rand(16, 16, 3, generator=torch.Generator().manual_seed(0)).add(0.1)
    network.set_pairwise_weights(weights)
    torch.testing.assert_close(network.pairwise_weights().detach(), weights, rtol=1e-4, atol=0)


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_pairwise_weights_must_be_positive(value):
    network = tiny()
    before = network.raw_weight.clone()
    weights = torch.ones(16, 16, 3)
    weights[3, 4, 1] = value
    with pytest.raises(ValueError, match="positive"):
        network.set_pairwise_weights(weights)
    assert torch.equal(network.raw_weight, before)


def test_pairwise_weights_stay_positive_whatever_is_learned():
    network = tiny()
    with torch.no_grad():
        network.raw_weight.uniform_(-30, 30)
    assert (network.pairwise_weights() > 0).all()


def test_nearest_cells():
    network = tiny()
    target = torch.tensor([[[0.0, 0, 0], [7.9, 0, 0], [8.0, 0, 9], [0, 31.9, 0], [-5, 40, 0], [100, -3, 0]]])
    assert network.nearest_cells(target).tolist() == [[0, 0, 1, 12, 12, 3]]


def test_offset_residuals_are_true_minus_expected_at_the_true_part():
    network = tiny()
    target = torch.rand(2, 16, 3, generator=torch.Generator().manual_seed(3)) * 32
    with torch.inference_mode():
        outputs = network(images())
        residuals = network.offset_residuals(outputs, target)
        pairs = [(i, j) for i in range(16) for j in range(16)]
        dense = network.offsets(outputs.features, pairs).view(2, 16, 16, 3, 4, 4)
    assert residuals.shape == (2, 16, 16, 3)
    for b, i, j in ((0, 0, 1), (1, 5, 2), (1, 15, 15), (0, 7, 7)):
        column, row = (target[b, i, :2] // 8).long().tolist()
        expected = target[b, j] - target[b, i] - dense[b, i, j, :, row, column]
        torch.testing.assert_close(residuals[b, i, j], expected, atol=1e-3, rtol=1e-4)


def test_any_object():
    """Nothing in it knows of people: two parts of something else do as well."""
    network = tiny(("front", "back"))
    outputs = network(images())
    assert outputs.voxels.shape == (2, 2, 3, 4, 4)
    assert np.prod(network.residual_head.weight.shape[:1]) == 2 * 3 * 3


def test_averaging_with_mirrored_images_treats_left_and_right_alike():
    network, flip = tiny(), [1, 0, *range(2, 16)]
    batch = images()
    with torch.inference_mode():
        plain, mirrored = network(batch), network(batch.flip(3))
        one, other = network.averaged(plain, mirrored, flip), network.averaged(mirrored, plain, flip)
    torch.testing.assert_close(one.voxels, other.voxels[:, flip].flip(-1))
    torch.testing.assert_close(one.maps, other.maps[:, flip].flip(-1))
    assert not torch.allclose(one.voxels, plain.voxels)
    assert one.features is plain.features  # residuals and offsets are read off these


def test_evaluation_averages_where_it_is_asked_to():
    network, flip = tiny(residuals=False), (1, 0, *range(2, 16))
    graphs = {"none": Topology(PARTS, [])}
    picture = images()
    mirrored = Decoder(graphs, flip=flip)(network, picture.flip(3))
    for here, there in zip(Decoder(graphs, flip=flip)(network, picture), mirrored, strict=True):
        np.testing.assert_allclose(
            there["none"].positions[list(flip)] * [-1, 1, 1] + [32, 0, 0], here["none"].positions
        )
    plain = Decoder(graphs)(network, picture)
    assert any((own["none"].score != other["none"].score) for own, other in zip(plain, mirrored, strict=True))


def test_mirroring_asks_for_the_parts_that_change_places():
    evaluation = Evaluation(mirror=True)
    assert Decoder.of(evaluation, PARTS, range(16)).flip == range(16)
    assert Decoder.of(Evaluation(), PARTS, range(16)).flip is None
    with pytest.raises(ExperimentError, match="which parts change places"):
        Decoder.of(evaluation, PARTS)
