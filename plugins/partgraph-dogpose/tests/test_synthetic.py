"""The data set `synthetic-dog`: the same seed draws the same pictures, and what is seen is what the z-buffer shows."""

from collections import Counter

import attrs
import numpy as np
import pytest
from partgraph_dogpose.figure.coat import coat
from partgraph_dogpose.figure.programs import TEST_PROGRAMS
from partgraph_dogpose.skeleton import FLIP, LIMBS, PARTS, ROOT
from partgraph_dogpose.synthetic import SyntheticDog
from PIL import Image

from partgraph import plugins
from partgraph.learning.depth import relative_depth
from partgraph.metrics import reconstruction_error
from partgraph.rendering import SceneOptions, rasterise
from partgraph.rendering import scene as scene_module

SPLITS = ("train", "validation", "test")
SIZE = 48


@pytest.fixture(scope="module", params=SPLITS)
def drawn(request, tmp_path_factory):
    data = SyntheticDog(request.param, 10, SIZE, folder=tmp_path_factory.mktemp("pictures"))
    data.prepare(workers=0)
    return data


def assert_same(one, other):
    for field in attrs.fields(type(one)):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name))


def test_it_is_registered():
    assert plugins.get("dataset", "synthetic-dog") is SyntheticDog


def test_a_sample_is_what_samples_are(drawn):
    assert (drawn.parts, drawn.limbs, drawn.flip, drawn.root) == (PARTS, LIMBS, FLIP, ROOT)
    for sample in drawn:
        assert sample.image.shape == (SIZE, SIZE, 3)
        assert sample.image.dtype == np.uint8
        assert sample.image.std() > 5
        assert sample.target.shape == sample.world.shape == (25, 3)
        assert sample.target.dtype == sample.world.dtype == np.float32
        assert sample.visible.dtype == np.bool_
        assert sample.group in drawn.groups
        assert sample.target[ROOT, 2] == 0
        assert 1500 < sample.world[ROOT, 2] < 5000  # mm from the camera


def test_targets_are_the_projected_world(drawn):
    """x and y by a pinhole up to the crop, depth by the convention; what the convention costs is small."""
    for sample in drawn:
        world = sample.world.astype(np.float64)
        plane = world[:, :2] / world[:, 2:]
        shown = sample.target[:, :2]
        centered = plane - plane.mean(0)
        scale = (centered * (shown - shown.mean(0))).sum() / (centered**2).sum()
        np.testing.assert_allclose(shown - shown.mean(0), scale * centered, atol=1e-4)
        np.testing.assert_allclose(sample.target[:, 2], relative_depth(shown, world, ROOT), atol=1e-3)
        assert reconstruction_error(sample.target, sample.world) < 40


def test_a_picture_depends_on_seed_and_index_alone(drawn, tmp_path):
    backwards = attrs.evolve(drawn, folder=tmp_path)
    assert backwards.path.name == drawn.path.name
    for index in (9, 4, 0):
        assert_same(backwards[index], drawn[index])
    other = attrs.evolve(drawn, folder=tmp_path, seed=1)
    assert other.path != backwards.path
    assert not np.array_equal(other[0].image, drawn[0].image)


def test_other_options_are_other_files(drawn):
    changed = [
        attrs.evolve(drawn, **change)
        for change in ({"size": 64}, {"count": 11}, {"seed": 3}, {"scene": SceneOptions(roll=0.5)})
    ]
    assert len({data.path for data in (drawn, *changed)}) == 5


def test_programs_take_turns_where_errors_are_measured(drawn):
    count = Counter(sample.group for sample in drawn)
    if drawn.split == "test":
        assert count == dict.fromkeys(TEST_PROGRAMS, 2)
    if drawn.split == "validation":
        assert max(count.values()) - min(count.values()) <= 1


def test_splits_share_no_program():
    groups = [set(SyntheticDog(split).groups) for split in SPLITS]
    assert sum(map(len, groups)) == len(set.union(*groups))


def test_visibility_agrees_with_the_z_buffer(monkeypatch, tmp_path):
    """A part is seen where nothing is drawn further than the dog's depth before it, and the picture reaches it."""
    seen = {}

    def spy(points, depth, faces, height, width):
        face, nearest = rasterise(points, depth, faces, height, width)
        seen["nearest"] = nearest
        return face, nearest

    monkeypatch.setattr(scene_module, "rasterise", spy)
    scene = SceneOptions(distance=(2.2, 4.0), occluders=(1.0,))
    data = SyntheticDog("train", 40, 128, scene=scene, folder=tmp_path)
    hidden = shown = 0
    for index in range(25):
        picture, _ = data.draw(index)
        column, row = picture.projected.astype(int).T
        inside = ((picture.projected >= 0) & (picture.projected < 128)).all(1)
        front = np.full(25, np.inf)
        front[inside] = seen["nearest"][row[inside], column[inside]]
        behind = picture.camera[:, 2] - front
        assert not picture.visible[~inside].any()
        assert picture.visible[
            inside & (behind < 0.079)
        ].all()  # a small dog's joints are 8 cm inside at most
        assert not picture.visible[behind > 0.121].any()  # a large one's 12 cm
        hidden, shown = hidden + (~picture.visible).sum(), shown + picture.visible.sum()
    assert hidden > 50
    assert shown > 2 * hidden


def test_a_flipped_picture_is_of_the_flipped_parts(tmp_path):
    """Mirrored by the training's augmentation: what was the left fore paw's place is the right one's, mirrored."""
    import torch

    from partgraph.learning.augment import Augmentation
    from partgraph.learning.batches import collate

    data = SyntheticDog("test", 2, SIZE, folder=tmp_path)
    batch = collate([data[0], data[1]])
    flipped = Augmentation(flip=1.0)(batch, data.flip, torch.Generator().manual_seed(0))
    torch.testing.assert_close(flipped.images, batch.images.flip(3))
    for first, second in (("left-fore-paw", "right-fore-paw"), ("right-hip", "left-hip"), ("nose", "nose")):
        one, other = flipped.target[:, PARTS.index(first)], batch.target[:, PARTS.index(second)]
        torch.testing.assert_close(one[:, 0], SIZE - other[:, 0])
        torch.testing.assert_close(one[:, 1:], other[:, 1:])


def test_coats_differ(dog):
    coats = [coat(dog, np.random.default_rng(seed)) for seed in range(12)]
    for own in coats:
        assert own.shape == (len(dog.faces), 3)
        assert ((own >= 0) & (own <= 1)).all()
    means = np.array([own.mean(0) for own in coats])
    assert np.ptp(means.mean(1)) > 0.3
    assert sum(own.std(0).mean() > 0.12 for own in coats) >= 2  # some are of more than one colour


def test_photographs_of_ones_own_are_behind_and_in_front(tmp_path):
    """Green ones, in pictures that are the same again when other processes draw them, in a file of their own."""
    (tmp_path / "green").mkdir()
    Image.new("RGB", (90, 70), (0, 200, 0)).save(tmp_path / "green" / "a.jpg")
    scene = SceneOptions(
        photographs=(str(tmp_path / "green"),), photo_background=1.0, photo_occluders=1.0, noise=0.0
    )
    own = SyntheticDog("train", 4, SIZE, scene=scene, folder=tmp_path / "one")
    plain = SyntheticDog("train", 4, SIZE, scene=SceneOptions(noise=0.0), folder=tmp_path / "one")
    assert own.path != plain.path
    for sample, other in zip(own, plain, strict=True):
        red, green, blue = np.moveaxis(sample.image.astype(int), -1, 0)
        assert ((green > 90) & (red < 40) & (blue < 40)).mean() > 0.3
        red, green, blue = np.moveaxis(other.image.astype(int), -1, 0)
        assert ((green > 90) & (red < 40) & (blue < 40)).mean() < 0.3
    again = attrs.evolve(own, folder=tmp_path / "two")
    again.prepare(workers=1)
    for one, same in zip(own, again, strict=True):
        assert_same(one, same)
