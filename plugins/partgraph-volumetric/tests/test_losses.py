"""Deep supervision against naive sums over every voxel and cell."""

import attrs
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from partgraph_volumetric.losses import DeepSupervision
from partgraph_volumetric.network import VolumeOutputs, VolumetricResNet

from partgraph import plugins
from partgraph.errors import InvalidComponentError
from partgraph.learning.experiment import Choice
from partgraph.learning.model import Batch
from partgraph.learning.strict import ExperimentError

PARTS = ("a", "b", "c")
CELLS, BINS, STRIDE = 5, 4, 8
SIZE = CELLS * STRIDE
FEATURES = CELLS**2  # one for each cell, so that heads are tables that say anything anywhere


def network():
    torch.manual_seed(0)
    built = VolumetricResNet(
        size=SIZE, stride=STRIDE, bins=BINS, widths=(4, 4, 4, 4), features=FEATURES
    ).build(PARTS)
    with torch.no_grad():
        for head in (built.residual_head, built.offset_head):
            head.weight.normal_()
            head.bias.zero_()
    return built


def one_hot(count):
    return torch.eye(FEATURES).view(1, FEATURES, CELLS, CELLS).expand(count, -1, -1, -1)


def outputs(count, seed=0, scale=2.0):
    random = torch.Generator().manual_seed(seed)
    return VolumeOutputs(
        features=one_hot(count),
        voxels=torch.randn(count, 3, BINS, CELLS, CELLS, generator=random) * scale,
        maps=torch.randn(count, 3, CELLS, CELLS, generator=random) * scale,
    )


def batch(target):
    target = torch.as_tensor(target, dtype=torch.float32)
    return Batch(
        torch.zeros(len(target), 3, SIZE, SIZE), target, torch.ones(target.shape[:2], dtype=torch.bool)
    )


def targets(count=2, seed=0):
    random = np.random.default_rng(seed)
    low, high = [0, 0, -BINS * STRIDE / 2], [SIZE, SIZE, BINS * STRIDE / 2]
    return random.uniform(low, high, (count, 3, 3))


def outside(count=2):
    """Joints far beside, above, below, before and behind the cube."""
    target = targets(count, 5)
    target[0, 0] = [-30, 20, 3]
    target[0, 1] = [90, 100, -400]
    target[1, 2] = [3, -1, 1000]
    return target


def in_cube(joint):
    """The joint in voxels from the cube's corner; what lies outside is moved to the border."""
    at = (np.asarray(joint) - [0, 0, -BINS * STRIDE / 2]) / STRIDE
    return np.clip(at, 0.01, np.array([CELLS, CELLS, BINS]) - 0.01)


def softplus(x):
    return np.log1p(np.exp(-abs(x))) + max(x, 0)


def cross_entropy(score, truth):
    return softplus(score) - score * truth


def naive_sigmoid(out, target, radius):
    total = 0.0
    for b, n, z, y, x in np.ndindex(*out.voxels.shape):
        gap = np.array([x, y, z]) + 0.5 - in_cube(target[b, n])
        total += cross_entropy(out.voxels[b, n, z, y, x].item(), float((gap**2).sum() < radius**2))
    return total / (out.voxels.shape[0] * out.voxels.shape[1])


def naive_softmax(out, target, radius):
    losses = []
    for b, n in np.ndindex(*out.voxels.shape[:2]):
        scores = out.voxels[b, n].numpy().astype(np.float64)
        truth = np.zeros_like(scores)
        for z, y, x in np.ndindex(*scores.shape):
            gap = np.array([x, y, z]) + 0.5 - in_cube(target[b, n])
            truth[z, y, x] = np.exp(-(gap**2).sum() / (2 * (radius / 2) ** 2))
        truth /= truth.sum()
        losses.append(-(truth * (scores - np.log(np.exp(scores).sum()))).sum())
    return np.mean(losses)


def naive_maps(out, target):
    total = 0.0
    for b, n, y, x in np.ndindex(*out.maps.shape):
        gap = np.array([x, y]) + 0.5 - in_cube(target[b, n])[:2]
        total += cross_entropy(out.maps[b, n, y, x].item(), float((gap**2).sum() < 1.5))
    return total / (out.maps.shape[0] * out.maps.shape[1])


def around(joint):
    """The nine cells around a joint; at the border those outside are replaced by the nearest inside."""
    x, y = in_cube(joint)[:2].astype(int)
    for row in (y - 1, y, y + 1):
        for column in (x - 1, x, x + 1):
            yield min(max(column, 0), CELLS - 1), min(max(row, 0), CELLS - 1)


def naive_residuals(net, out, target, near):
    residuals = net.residuals(out.features).detach().numpy() / STRIDE
    total, count = 0.0, 0
    for b, n in np.ndindex(*target.shape[:2]):
        at = in_cube(target[b, n])
        for x, y in around(target[b, n]):
            for z in range(BINS):
                gap = at - (np.array([x, y, z]) + 0.5)
                if (gap[:2] ** 2).sum() < near**2 and abs(gap[2]) < near:
                    total += np.abs(residuals[b, n, z, :, y, x] - gap).sum()
                    count += 1
    return total / count


def naive_offsets(net, out, target, near):
    pairs = [(i, j) for i in range(3) for j in range(3)]
    offsets = net.offsets(out.features, pairs).detach().numpy() / STRIDE
    total, count = 0.0, 0
    for b, n in np.ndindex(*target.shape[:2]):
        for x, y in around(target[b, n]):
            gap = in_cube(target[b, n])[:2] - (np.array([x, y]) + 0.5)
            if (gap**2).sum() < near**2:
                for j in range(3):
                    error = np.abs(offsets[b, n * 3 + j, :, y, x] - (target[b, j] - target[b, n]) / STRIDE)
                    total += np.where(error < 0.5, error**2, error - 0.25).sum() / 3
                count += 1
    return total / count


PLAIN = DeepSupervision(map_weight=1.0, residual_weight=1.0, offset_weight=1.0)


@pytest.mark.parametrize("target", [targets(), outside()], ids=["inside", "outside"])
@pytest.mark.parametrize("radius", [0.4, 1.0, 2.0])
def test_sigmoid_equals_a_sum_over_all_voxels(target, radius):
    out = outputs(2)
    terms = attrs.evolve(PLAIN, radius=radius)(network(), out, batch(target))
    assert terms["voxels"].item() == pytest.approx(naive_sigmoid(out, target, radius), rel=1e-4)


@pytest.mark.parametrize("target", [targets(), outside()], ids=["inside", "outside"])
@pytest.mark.parametrize("radius", [0.4, 1.0, 2.0])
def test_softmax_equals_a_sum_over_all_voxels(target, radius):
    out = outputs(2)
    terms = attrs.evolve(PLAIN, voxels="softmax", radius=radius)(network(), out, batch(target))
    assert terms["voxels"].item() == pytest.approx(naive_softmax(out, target, radius), rel=1e-4)


@pytest.mark.parametrize("target", [targets(), outside()], ids=["inside", "outside"])
def test_maps_equal_a_sum_over_all_cells(target):
    out = outputs(2)
    assert PLAIN(network(), out, batch(target))["maps"].item() == pytest.approx(
        naive_maps(out, target), rel=1e-4
    )


@pytest.mark.parametrize("target", [targets(), outside()], ids=["inside", "outside"])
@pytest.mark.parametrize("near", [0.8, 1.5, 3.0])
def test_residuals_and_offsets_equal_sums_over_the_cells_around(target, near):
    net, out = network(), outputs(2)
    terms = attrs.evolve(PLAIN, near=near)(net, out, batch(target))
    assert terms["residuals"].item() == pytest.approx(naive_residuals(net, out, target, near), rel=1e-4)
    assert terms["offsets"].item() == pytest.approx(naive_offsets(net, out, target, near), rel=1e-4)


def test_factors():
    out, net = outputs(2), network()
    plain = PLAIN(net, out, batch(targets()))
    weighted = DeepSupervision(map_weight=2.0, residual_weight=3.0, offset_weight=0.5)(
        net, out, batch(targets())
    )
    for name, factor in (("voxels", 1.0), ("maps", 2.0), ("residuals", 3.0), ("offsets", 0.5)):
        torch.testing.assert_close(weighted[name], factor * plain[name])


def perfect(target, radius=1.0):
    """A network and outputs that are right everywhere for one sample."""
    net = network()
    at = torch.tensor(np.array([in_cube(joint) for joint in target[0]]), dtype=torch.float32)
    x, y, z = (torch.arange(count) + 0.5 for count in (CELLS, CELLS, BINS))
    gap = torch.stack(torch.broadcast_tensors(x, y[:, None], z[:, None, None]), -1) - at[:, None, None, None]
    sure = 30.0
    voxels = torch.where((gap**2).sum(-1) < radius**2, sure, -sure)[None]
    maps = torch.where((gap[:, 0, :, :, :2] ** 2).sum(-1) < 1.5, sure, -sure)[None]
    with torch.no_grad():
        cells = net.residual_head.weight.view(3, BINS, 3, CELLS, CELLS)
        cells.copy_(-gap.movedim(-1, 2))
        way = torch.as_tensor(target[0][None] - target[0][:, None], dtype=torch.float32) / STRIDE
        net.offset_head.weight.view(3, 3, 3, CELLS, CELLS).copy_(
            way[..., None, None].expand(-1, -1, -1, CELLS, CELLS)
        )
    return net, VolumeOutputs(one_hot(1), voxels, maps)


def test_nothing_is_lost_at_a_perfect_output():
    target = targets(1)
    net, out = perfect(target)
    terms = PLAIN(net, out, batch(target))
    for name, term in terms.items():
        assert abs(term.item()) < 1e-4, name


def test_every_flaw_costs():
    target = targets(1)
    net, out = perfect(target)
    wrong = attrs.evolve(out, voxels=out.voxels.roll(1, -1))
    assert PLAIN(net, wrong, batch(target))["voxels"].item() > 10
    wrong = attrs.evolve(out, maps=-out.maps)
    assert PLAIN(net, wrong, batch(target))["maps"].item() > 10
    with torch.no_grad():
        net.residual_head.bias.fill_(0.5)
        net.offset_head.bias.fill_(1.0)
    terms = PLAIN(net, out, batch(target))
    assert terms["residuals"].item() == pytest.approx(1.5, rel=1e-3)  # 0.5 on each of three axes
    assert terms["offsets"].item() == pytest.approx(3 * 0.75, rel=1e-3)  # smooth L1 of 1 with beta 0.5


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6), st.floats(0.3, 2.0))
def test_softmax_is_least_where_scores_are_log_probabilities(seed, radius):
    """The least value is the entropy of the target, reached there and nowhere lower."""
    target = targets(1, seed)
    loss = attrs.evolve(PLAIN, voxels="softmax", radius=radius)
    net = NET
    gap = [np.arange(count) + 0.5 for count in (CELLS, CELLS, BINS)]
    log = np.zeros((1, 3, BINS, CELLS, CELLS))
    for n in range(3):
        x, y, z = (along - at for along, at in zip(gap, in_cube(target[0, n]), strict=True))
        log[0, n] = -2 * (z[:, None, None] ** 2 + y[:, None] ** 2 + x**2) / radius**2
    best = attrs.evolve(outputs(1), voxels=torch.tensor(log, dtype=torch.float32))
    least = loss(net, best, batch(target))["voxels"].item()
    p = np.exp(log - np.log(np.exp(log).sum((2, 3, 4), keepdims=True)))
    entropy = -(p * np.log(np.maximum(p, 1e-300))).sum((2, 3, 4)).mean()
    assert least == pytest.approx(entropy, abs=1e-4)
    for other in range(3):
        noise = torch.randn(best.voxels.shape, generator=torch.Generator().manual_seed(other))
        worse = attrs.evolve(best, voxels=best.voxels + noise)
        assert loss(net, worse, batch(target))["voxels"].item() > least


NET = network()


@pytest.mark.parametrize("near", [0.8, 1.5])
def test_residual_and_offset_heads_learn_near_joints_only(near):
    """With one feature a cell, the gradient of a head's weights says at which cells it learns."""
    target = targets(1, 3)
    net = network()
    terms = attrs.evolve(PLAIN, near=near)(net, outputs(1), batch(target))
    (terms["residuals"] + terms["offsets"]).backward()
    residual = net.residual_head.weight.grad.view(3, BINS, 3, CELLS, CELLS)
    offset = net.offset_head.weight.grad.view(3, 3, 3, CELLS, CELLS)
    for n in range(3):
        at = in_cube(target[0, n])
        for z, y, x in np.ndindex(BINS, CELLS, CELLS):
            gap = at - (np.array([x, y, z]) + 0.5)
            close = (gap[:2] ** 2).sum() < near**2
            assert bool(offset[n, :, :, y, x].any()) == close
            assert bool(residual[n, z, :, y, x].any()) == (close and abs(gap[2]) < near)


def test_voxels_learn_everywhere():
    out = outputs(1)
    voxels = out.voxels.clone().requires_grad_()
    for kind in ("sigmoid", "softmax"):
        terms = attrs.evolve(PLAIN, voxels=kind)(NET, attrs.evolve(out, voxels=voxels), batch(targets(1)))
        (gradient,) = torch.autograd.grad(terms["voxels"], voxels)
        assert (gradient != 0).all()


def test_the_expected_displacement_is_the_true_one_even_to_joints_outside():
    """Only where a displacement is learned is bound to the cube, not what is learned."""
    target = targets(1)
    target[0, 1] = [200.0, -50, 90]
    net, out = perfect(target)
    assert PLAIN(net, out, batch(target))["offsets"].item() == pytest.approx(0, abs=1e-4)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.floats(1, 1e4), st.sampled_from(["sigmoid", "softmax"]), st.floats(0.05, 3))
def test_joints_anywhere_give_finite_losses_and_gradients(seed, spread, kind, near):
    target = np.random.default_rng(seed).normal(20, spread, (2, 3, 3))
    net, out = NET, outputs(2, seed, scale=20)
    net.zero_grad()
    voxels, maps = out.voxels.clone().requires_grad_(), out.maps.clone().requires_grad_()
    terms = attrs.evolve(PLAIN, voxels=kind, near=near)(
        net, attrs.evolve(out, voxels=voxels, maps=maps), batch(target)
    )
    total = sum(terms.values())
    assert bool(total.isfinite())
    assert all(term.item() >= -1e-5 for term in terms.values())
    total.backward()
    for gradient in (voxels.grad, maps.grad, net.residual_head.weight.grad, net.offset_head.weight.grad):
        assert bool(gradient.isfinite().all())


@pytest.mark.parametrize("kind", ["sigmoid", "softmax"])
def test_one_training_step_lowers_the_loss_on_its_batch(kind):
    torch.manual_seed(0)
    net = network().train()
    loss = DeepSupervision(voxels=kind)
    data = attrs.evolve(batch(targets(4)), images=torch.rand(4, 3, SIZE, SIZE))
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-4)
    before = sum(loss(net, net(data.images), data).values())
    before.backward()
    optimizer.step()
    after = sum(loss(net, net(data.images), data).values())
    assert after.item() < before.item()


def flat(count=2, seed=0):
    """Targets without depth, as of a 2D data set."""
    target = targets(count, seed)
    target[..., 2] = np.nan
    return target


@pytest.mark.parametrize("kind", ["sigmoid", "softmax"])
def test_without_depth_only_the_plane_is_trained(kind):
    """2D scores, and x and y of the offsets (section 3.3): neither voxels nor residuals nor the offsets' z."""
    net, out = NET, outputs(2)
    voxels, maps = out.voxels.clone().requires_grad_(), out.maps.clone().requires_grad_()
    net.zero_grad()
    terms = attrs.evolve(PLAIN, voxels=kind)(net, attrs.evolve(out, voxels=voxels, maps=maps), batch(flat()))
    assert terms["voxels"].item() == terms["residuals"].item() == 0
    assert terms["maps"].item() > 0
    assert terms["offsets"].item() > 0
    sum(terms.values()).backward()
    assert not voxels.grad.any()
    assert maps.grad.any()
    assert net.residual_head.weight.grad is None or not net.residual_head.weight.grad.any()
    _, offsets = net.local(torch.eye(FEATURES).view(1, 1, FEATURES, FEATURES).expand(2, 3, -1, -1))
    gradient = torch.autograd.grad(offsets[..., 2].sum(), net.offset_head.weight)[0] != 0  # what z depends on
    assert not net.offset_head.weight.grad[gradient].any()
    assert net.offset_head.weight.grad[~gradient].any()


def test_the_terms_of_the_plane_do_not_depend_on_depth():
    known, lost = (PLAIN(NET, outputs(2), batch(target)) for target in (targets(), flat()))
    torch.testing.assert_close(lost["maps"], known["maps"])


@pytest.mark.parametrize("kind", ["sigmoid", "softmax"])
def test_in_a_mixed_batch_each_term_is_a_mean_over_what_is_known(kind):
    loss = attrs.evolve(PLAIN, voxels=kind)
    out = outputs(4)
    mixed = loss(NET, out, batch(np.concatenate([targets(2, 1), flat(2, 2)])))
    first = VolumeOutputs(out.features[:2], out.voxels[:2], out.maps[:2])
    solid = loss(NET, first, batch(targets(2, 1)))
    for name in ("voxels", "residuals"):
        torch.testing.assert_close(mixed[name], solid[name])


def test_a_part_that_nobody_annotated_is_left_out():
    """Its own scores are not trained, and no other part's offset to it."""
    target = targets()
    target[:, 1] = np.nan
    net, out = NET, outputs(2)
    voxels, maps = out.voxels.clone().requires_grad_(), out.maps.clone().requires_grad_()
    net.zero_grad()
    terms = PLAIN(net, attrs.evolve(out, voxels=voxels, maps=maps), batch(target))
    sum(terms.values()).backward()
    for gradient in (voxels.grad, maps.grad):
        assert not gradient[:, 1].any()
        assert gradient[:, 0].any()
    _, offsets = net.local(torch.eye(FEATURES).view(1, 1, FEATURES, FEATURES).expand(2, 3, -1, -1))
    for of, to, trained in ((0, 1, False), (1, 0, False), (0, 2, True)):
        rows = (
            torch.autograd.grad(offsets[:, of, :, to].sum(), net.offset_head.weight, retain_graph=True)[0]
            != 0
        )
        assert net.offset_head.weight.grad[rows].any() == trained


def test_where_nothing_is_known_nothing_is_trained():
    terms = PLAIN(NET, outputs(2), batch(np.full((2, 3, 3), np.nan)))
    assert [term.item() for term in terms.values()] == [0, 0, 0, 0]


def test_it_is_registered_with_its_options():
    assert Choice("deep-supervision", {"voxels": "softmax", "near": 2}).build("loss") == DeepSupervision(
        voxels="softmax", near=2.0
    )
    assert plugins.get("loss", "deep-supervision") is DeepSupervision


@pytest.mark.parametrize(
    "options", [{"voxels": "hinge"}, {"radius": 0.0}, {"near": -1.0}, {"map_weight": "much"}, {"weight": 1.0}]
)
def test_wrong_options_are_refused(options):
    with pytest.raises(ExperimentError, match=next(iter(options))):
        Choice("deep-supervision", options).build("loss")


def test_another_network_is_refused_in_one_line():
    other = torch.nn.Linear(1, 1)
    with pytest.raises(InvalidComponentError, match="needs a volumetric network, found Linear") as caught:
        PLAIN(other, outputs(1), batch(targets(1)))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["sigmoid", "softmax"])
def test_means_of_parts_weighted_by_their_counts_are_that_of_the_whole(kind):
    """Samples of very different kinds: in space, in the image alone, outside the cube, and nothing known."""
    target = np.concatenate([targets(2), outside(), targets(2, 1)])
    target[4, :, 2] = np.nan
    target[5] = np.nan
    loss, net, out, whole = DeepSupervision(kind), network(), outputs(6), batch(target)
    expected = {name: value.item() for name, value in loss(net, out, whole).items()}
    counted = dict.fromkeys(expected, 0.0)
    total = {name: count.item() for name, count in loss.counts(net, whole).items()}
    assert total.keys() == expected.keys()
    for k, part in enumerate(whole.split(3)):
        at = slice(2 * k, 2 * k + 2)
        own = VolumeOutputs(out.features[at], out.voxels[at], out.maps[at])
        terms, counts = loss(net, own, part), loss.counts(net, part)
        for name in counted:
            counted[name] += terms[name].item() * counts[name].item() / total[name]
    assert counted == pytest.approx(expected, rel=1e-5)
