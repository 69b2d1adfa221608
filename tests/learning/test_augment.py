"""Augmentation moves pixels and targets together: a dot drawn at each part is found again where its target went."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from partgraph.learning.augment import Augmentation  # noqa: E402
from partgraph.learning.batches import step_generator  # noqa: E402
from partgraph.learning.model import Batch  # noqa: E402

SIZE = 64
FLIP = (1, 0, 2)


def dots(count=6, seed=0, spread=(0.35, 0.65)):
    """Each part is a smooth dot in its own channel, at a place between pixels."""
    random = torch.Generator().manual_seed(seed)
    low, high = spread
    target = torch.rand(count, 3, 3, generator=random) * (high - low) + low
    target *= SIZE
    target[..., 2] -= SIZE / 2
    pixel = torch.arange(SIZE) + 0.5
    dx = pixel[None, None, None, :] - target[..., 0, None, None]
    dy = pixel[None, None, :, None] - target[..., 1, None, None]
    return Batch(torch.exp(-(dx**2 + dy**2) / 18), target, torch.ones(count, 3, dtype=torch.bool))


def found(images):
    """Centre of mass of every channel: (B, 3, 2)."""
    pixel = torch.arange(SIZE) + 0.5
    mass = images.sum((2, 3))
    x = (images * pixel).sum((2, 3)) / mass
    y = (images * pixel[:, None]).sum((2, 3)) / mass
    return torch.stack([x, y], -1)


def assert_follows(before, after, *, atol):
    """Channel k shows the dot of part k, or of its mirror part where the batch was flipped."""
    seen = found(after.images)
    straight = (seen - after.target[..., :2]).abs().amax((1, 2))
    crossed = (seen - after.target[:, list(FLIP), :2]).abs().amax((1, 2))
    assert (torch.minimum(straight, crossed) < atol).all(), (straight, crossed)
    return crossed < straight


def test_the_finder_finds_the_dots():
    batch = dots()
    assert (found(batch.images) - batch.target[..., :2]).abs().max() < 0.02


def test_all_zero_changes_nothing():
    batch = dots()
    after = Augmentation()(batch, FLIP, step_generator(0, 0))
    assert torch.equal(after.images, batch.images)
    assert torch.equal(after.target, batch.target)
    assert torch.equal(after.visible, batch.visible)


@settings(deadline=None, max_examples=30)
@given(step=st.integers(0, 10**6), kind=st.sampled_from(["rotation", "any", "scale", "shift", "all"]))
def test_targets_move_with_the_pixels(step, kind):
    options = {
        "rotation": {"rotation": 20.0},
        "any": {"any_rotation": 1.0},
        "scale": {"scale": 0.3},
        "shift": {"shift": 0.05},
        "all": {"flip": 0.5, "rotation": 20.0, "any_rotation": 0.3, "scale": 0.2, "shift": 0.02},
    }[kind]
    batch = dots(spread=(0.42, 0.58))
    after = Augmentation(**options)(batch, FLIP, step_generator(0, step))
    whole = ((after.target[..., :2] > 10) & (after.target[..., :2] < SIZE - 10)).all(-1).all(-1)
    kept = Batch(after.images[whole], after.target[whole], after.visible[whole])
    assert_follows(batch, kept, atol=0.15)


def test_flip_mirrors_and_exchanges_left_and_right():
    batch = dots()
    batch.visible[:, 0] = False
    after = Augmentation(flip=1.0)(batch, FLIP, step_generator(0, 0))
    assert torch.equal(after.images, batch.images.flip(3))
    assert assert_follows(batch, after, atol=0.05).all()
    assert torch.equal(after.target[:, 0, 0], SIZE - batch.target[:, 1, 0])
    assert torch.equal(after.target[:, 0, 1:], batch.target[:, 1, 1:])
    assert torch.equal(after.target[:, 2, 2], batch.target[:, 2, 2])
    assert after.visible[:, 1].logical_not().all()
    assert after.visible[:, [0, 2]].all()


def test_half_of_the_images_are_flipped():
    batch = dots(400)
    after = Augmentation(flip=0.5)(batch, FLIP, step_generator(0, 0))
    flipped = (after.target != batch.target).any(-1).any(-1)
    assert 150 < int(flipped.sum()) < 250
    assert torch.equal(after.images[~flipped], batch.images[~flipped])
    assert torch.equal(after.images[flipped], batch.images[flipped].flip(3))


@settings(deadline=None, max_examples=15)
@given(step=st.integers(0, 10**6))
def test_the_whole_target_moves_by_one_similarity(step):
    """Depth is scaled as the image is, so three-dimensional shape is kept up to a turn about the line of sight."""
    batch = dots(3)
    after = Augmentation(rotation=30.0, scale=0.4, shift=0.1)(batch, FLIP, step_generator(1, step))
    before3, after3 = batch.target, after.target
    distance = torch.cdist(before3, before3)
    ratio = torch.cdist(after3, after3)[distance > 1e-3].view(3, -1) / distance[distance > 1e-3].view(3, -1)
    assert (ratio.amax(1) - ratio.amin(1)).max() < 1e-3
    scale = ratio.mean(1)
    assert torch.allclose(after3[..., 2], before3[..., 2] * scale[:, None], atol=1e-3)
    assert (scale > 1 / 1.4 - 1e-3).all()
    assert (scale < 1.4 + 1e-3).all()


def test_any_rotation_turns_about_the_middle_by_every_angle_without_mirroring():
    batch = dots(1)
    target = torch.tensor([[[42.0, 32, 5], [32, 32, 0], [32, 22, 0]]])
    many = Augmentation(any_rotation=1.0)(
        Batch(
            batch.images.expand(500, -1, -1, -1),
            target.expand(500, -1, -1),
            batch.visible.expand(500, -1),
        ),
        FLIP,
        step_generator(0, 0),
    )
    angle = torch.atan2(many.target[:, 0, 1] - 32, many.target[:, 0, 0] - 32)
    other = torch.atan2(many.target[:, 2, 0] - 32, 32 - many.target[:, 2, 1])
    assert torch.allclose(torch.cos(angle), torch.cos(other), atol=1e-4)
    assert torch.allclose(torch.sin(angle), torch.sin(other), atol=1e-4)
    assert {int(a // (math.pi / 2)) for a in angle.tolist()} == {-2, -1, 0, 1}
    assert torch.allclose(many.target[:, 0, 2], torch.tensor(5.0))


def test_spread_of_turns_shifts_and_sizes():
    batch = dots(1)
    target = torch.tensor([[[42.0, 32, 10], [32, 32, 0], [32, 32, 0]]])
    many = Batch(
        batch.images.expand(3000, -1, -1, -1), target.expand(3000, -1, -1), batch.visible.expand(3000, -1)
    )
    small = Batch(many.images[..., ::16, ::16] * 0, many.target * (4 / SIZE), many.visible)
    turned = Augmentation(rotation=10.0)(small, FLIP, step_generator(0, 1)).target / 4 * SIZE
    angle = torch.rad2deg(torch.atan2(turned[:, 0, 1] - 32, turned[:, 0, 0] - 32))
    assert abs(float(angle.std()) - 10) < 0.5
    assert abs(float(angle.mean())) < 0.7
    shifted = Augmentation(shift=0.1)(small, FLIP, step_generator(0, 2)).target / 4 * SIZE
    assert torch.allclose(shifted[:, 1, :2].std(0), torch.tensor(6.4), atol=0.3)
    scaled = Augmentation(scale=0.5)(small, FLIP, step_generator(0, 3)).target[:, 0, 2] / 4 * SIZE / 10
    assert float(scaled.min()) >= 1 / 1.5 - 1e-4
    assert float(scaled.max()) <= 1.5 + 1e-4
    assert abs(float(scaled.log().mean())) < 0.02


def test_parts_that_leave_the_crop_are_not_visible():
    batch = dots(200)
    after = Augmentation(shift=0.5)(batch, FLIP, step_generator(0, 0))
    inside = ((after.target[..., :2] >= 0) & (after.target[..., :2] < SIZE)).all(-1)
    assert torch.equal(after.visible, inside)
    assert 0.1 < float(inside.float().mean()) < 0.9


def test_hidden_parts_stay_hidden():
    batch = dots(50)
    batch.visible[:, 1] = False
    after = Augmentation(rotation=10.0, scale=0.1, erase=1.0)(batch, FLIP, step_generator(0, 0))
    assert not after.visible[:, 1].any()


def test_what_is_erased_is_one_rectangle_of_one_colour_and_hides_what_lies_beneath():
    batch = dots(200)
    after = Augmentation(erase=1.0)(batch, FLIP, step_generator(0, 0))
    assert torch.equal(after.target, batch.target)
    hidden = 0
    for old, new, target, visible in zip(
        batch.images, after.images, batch.target, after.visible, strict=True
    ):
        changed = (old != new).any(0)
        rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
        patch = new[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        assert (patch == patch[:, :1, :1]).all()
        assert 4 <= patch.shape[1] <= SIZE * 0.34
        assert 4 <= patch.shape[2] <= SIZE * 0.34
        x, y = target[:, 0], target[:, 1]
        beneath = (x >= columns[0]) & (x <= columns[-1] + 1) & (y >= rows[0]) & (y <= rows[-1] + 1)
        assert torch.equal(visible, ~beneath)
        hidden += int(beneath.sum())
    assert hidden > 20


def test_colours_change_per_channel_and_stay_in_range():
    batch = dots(50)
    after = Augmentation(color=0.4)(batch, FLIP, step_generator(0, 0))
    assert float(after.images.min()) >= 0
    assert float(after.images.max()) <= 1
    dark = after.images[:, :, 0, 0]  # the background was black: what it is now is the lift
    assert float(dark.max()) <= 0.2 + 1e-6
    assert len(set(dark.flatten().tolist())) > 50
    assert torch.equal(after.target, batch.target)
    linear = (after.images > 0.01) & (after.images < 0.99) & (batch.images > 0.05)
    for image in range(10):
        for channel in range(3):
            inside = linear[image, channel]
            x, y = batch.images[image, channel][inside], after.images[image, channel][inside]
            gain = ((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum()
            assert 0.6 - 1e-3 <= float(gain) <= 1.4 + 1e-3


def test_the_batch_given_is_not_changed():
    batch = dots()
    copy = Batch(batch.images.clone(), batch.target.clone(), batch.visible.clone())
    Augmentation(0.5, 20.0, 0.5, 0.3, 0.1, 0.3, 1.0)(batch, FLIP, step_generator(0, 0))
    assert torch.equal(batch.images, copy.images)
    assert torch.equal(batch.target, copy.target)
    assert torch.equal(batch.visible, copy.visible)


def test_the_generator_decides_everything():
    every = Augmentation(0.5, 20.0, 0.5, 0.3, 0.1, 0.3, 0.5)
    batch = dots()
    one, same, other = (every(batch, FLIP, step_generator(0, step)) for step in (4, 4, 5))
    assert torch.equal(one.images, same.images)
    assert torch.equal(one.target, same.target)
    assert not torch.equal(one.images, other.images)
    assert not torch.equal(one.target, other.target)


def test_changes_of_a_share_are_those_of_the_whole_batch():
    every = Augmentation(0.5, 20.0, 0.5, 0.3, 0.1, 0.3, 0.5)
    batch = dots(8)
    changes = every.draw(8, SIZE, step_generator(0, 4))
    whole = every(batch, FLIP, step_generator(0, 4))
    for part in (slice(0, 3), slice(3, 8)):
        own = changes[part](batch[part], FLIP)
        torch.testing.assert_close(own.images, whole.images[part], rtol=0, atol=1e-6)
        torch.testing.assert_close(own.target, whole.target[part])
        assert torch.equal(own.visible, whole.visible[part])
    nothing = Augmentation().draw(8, SIZE, step_generator(0, 4))[:3](batch[:3], FLIP)
    assert torch.equal(nothing.images, batch.images[:3])
