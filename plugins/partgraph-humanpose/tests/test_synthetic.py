"""The data set `synthetic-human`: the same seed draws the same pictures, whoever draws them and in whatever order."""

from collections import Counter

import attrs
import numpy as np
import pytest
from partgraph_humanpose import synthetic
from partgraph_humanpose.figure.poses import PoseMixing
from partgraph_humanpose.motion import MotionClip, embedded_clips
from partgraph_humanpose.skeleton import FLIP, LIMBS, PARTS, ROOT
from partgraph_humanpose.synthetic import TEST_CLIPS, SyntheticHuman
from PIL import Image

from partgraph import plugins
from partgraph.errors import PartGraphError
from partgraph.learning.cache import CacheError
from partgraph.learning.dataset import Dataset
from partgraph.learning.depth import relative_depth
from partgraph.metrics import reconstruction_error
from partgraph.rendering import SceneOptions

SPLITS = ("train", "validation", "test")
SIZE = 32


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Pictures drawn once for all tests of this file."""
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture(scope="module", params=SPLITS)
def drawn(request, folder):
    data = SyntheticHuman(request.param, 10, SIZE, folder=folder)
    data.prepare(workers=0)
    return data


def small(folder, **options):
    return SyntheticHuman(**{"count": 10, "size": SIZE, "folder": folder} | options)


def assert_same(one, other):
    for field in attrs.fields(type(one)):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name))


def test_it_is_registered():
    assert plugins.get("dataset", "synthetic-human") is SyntheticHuman
    assert issubclass(SyntheticHuman, Dataset)


def test_a_sample_is_what_samples_are(drawn):
    for sample in drawn:
        assert sample.image.shape == (SIZE, SIZE, 3)
        assert sample.image.dtype == np.uint8
        assert sample.target.shape == sample.world.shape == (16, 3)
        assert sample.target.dtype == sample.world.dtype == np.float32
        assert sample.visible.shape == (16,)
        assert sample.visible.dtype == np.bool_
        assert sample.group in drawn.groups
        assert sample.target[ROOT, 2] == 0


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
        assert reconstruction_error(sample.target, sample.world) < 50


def test_people_are_measured_in_millimetres(drawn):
    for sample in drawn:
        joint = dict(zip(PARTS, sample.world, strict=True))
        assert 150 < np.linalg.norm(joint["left-hip"] - joint["left-knee"]) < 750
        assert 2500 < joint["pelvis"][2] < 6500


def test_it_is_a_sequence(drawn):
    assert len(drawn) == 10
    assert len(list(drawn)) == 10
    assert_same(drawn[-1], drawn[9])
    assert_same(drawn[np.int64(3)], drawn[3])
    for index in (10, -11):
        with pytest.raises(IndexError, match="of 10"):
            drawn[index]


def test_skeleton(drawn):
    assert drawn.parts == PARTS
    assert drawn.limbs == LIMBS
    assert drawn.flip == FLIP
    assert drawn.root == ROOT


def test_changing_a_sample_does_not_change_the_data(drawn):
    before = drawn[4].image.copy()
    sample = drawn[4]
    sample.image[:] = 0
    sample.target[:] = 0
    np.testing.assert_array_equal(drawn[4].image, before)
    assert drawn[4].target.any()


def test_the_same_seed_draws_the_same_pictures(drawn, tmp_path):
    again = attrs.evolve(drawn, folder=tmp_path)
    assert again.path.name == drawn.path.name
    for index in (0, 7):
        assert_same(again[index], drawn[index])


def test_a_picture_depends_on_seed_and_index_alone(drawn, tmp_path):
    """Not on how many were drawn before, in which order, or how many there are."""
    backwards = attrs.evolve(drawn, folder=tmp_path)
    last, first = backwards[9], backwards[0]
    assert_same(last, drawn[9])
    assert_same(first, drawn[0])
    fewer = attrs.evolve(drawn, folder=tmp_path, count=3)
    assert_same(fewer[2], drawn[2])


def test_pictures_differ(drawn):
    assert len({sample.image.tobytes() for sample in drawn}) == 10
    assert len({sample.world.tobytes() for sample in drawn}) == 10


@pytest.mark.parametrize("split", SPLITS)
def test_other_seeds_and_splits_draw_other_pictures(split, folder, tmp_path):
    sample = small(folder, split=split)[0]
    assert not np.array_equal(small(tmp_path, split=split, seed=1)[0].image, sample.image)
    others = (small(folder, split=other)[0] for other in SPLITS if other != split)
    assert not any(np.array_equal(other.image, sample.image) for other in others)


def test_clips_of_test_are_in_no_other_split():
    groups = {split: set(SyntheticHuman(split).groups) for split in SPLITS}
    assert groups["test"] == set(TEST_CLIPS) == {"backflip", "dance_b", "getup_faceup", "kick", "walk"}
    assert not groups["test"] & (groups["train"] | groups["validation"])
    assert groups["train"] == groups["validation"]
    assert len(groups["train"]) == 10
    assert groups["train"] | groups["test"] == {clip.name for clip in embedded_clips()}


def test_every_recorded_frame_is_in_exactly_one_split():
    split_of = {}
    for split in SPLITS:
        for clip in synthetic._clips(split, ()):
            for frame in clip.rotations:
                split_of.setdefault((clip.name, frame.tobytes()), set()).add(split)
    assert all(len(splits) == 1 for splits in split_of.values())
    frames = {(clip.name, frame.tobytes()) for clip in embedded_clips() for frame in clip.rotations}
    assert set(split_of) == frames
    share = Counter(next(iter(splits)) for splits in split_of.values())
    assert 0.08 < share["validation"] / (share["validation"] + share["train"]) < 0.16


def test_training_poses_come_from_training_frames(monkeypatch):
    """Each limb of each pose that is drawn for training is that of a training frame."""
    data = SyntheticHuman(mixing=PoseMixing(limbs=1.0, limb=0.5, root=0.5))
    sampler = synthetic._sampler("train", (), data.motion_share, data.mixing)
    frames = np.concatenate([clip.rotations for clip in synthetic._clips("train", ())])
    legs = {frame[[1, 4, 7]].tobytes() for frame in frames}
    roots = {frame[0].tobytes() for frame in frames}
    random = np.random.default_rng(0)
    for _ in range(200):
        pose, _ = sampler.draw(random)
        assert pose[[1, 4, 7]].tobytes() in legs
        assert pose[0].tobytes() in roots


@pytest.mark.parametrize("split", ["validation", "test"])
def test_other_splits_show_frames_as_recorded(split):
    data = SyntheticHuman(split)
    sampler = synthetic._sampler(split, (), data.motion_share, data.mixing)
    frames = {frame.tobytes() for clip in synthetic._clips(split, ()) for frame in clip.rotations}
    random = np.random.default_rng(0)
    assert all(sampler.draw(random)[0].tobytes() in frames for _ in range(100))


def test_test_clips_take_turns(folder):
    data = small(folder, split="test")
    assert Counter(sample.group for sample in data) == dict.fromkeys(TEST_CLIPS, 2)
    assert [sample.group for sample in data][:5] == list(data.groups)


def test_groups_are_the_clips_torsos_come_from(drawn):
    assert list(drawn.groups) == [clip.name for clip in synthetic._clips(drawn.split, ())]
    assert len({sample.group for sample in drawn}) > 2


def test_pending_counts_what_is_left(tmp_path):
    data = small(tmp_path, count=4)
    assert data.pending() == 4
    data[2]
    assert data.pending() == 3
    told = []
    data.prepare(workers=0, advance=told.append)
    assert data.pending() == 0
    assert sum(told) == 3
    data.prepare(workers=0, advance=told.append)
    assert sum(told) == 3


def test_rendering_goes_on_after_an_interruption(folder, tmp_path, monkeypatch):
    """Half of the pictures, then a crash, then the rest: the file of an uninterrupted run."""
    whole = small(folder)
    whole.prepare(workers=0)
    data = small(tmp_path)
    original, made = synthetic.draw_scene, []

    def crash(*arguments):
        if len(made) == 5:
            raise KeyboardInterrupt
        made.append(None)
        return original(*arguments)

    monkeypatch.setattr(synthetic, "draw_scene", crash)
    with pytest.raises(KeyboardInterrupt):
        data.prepare(workers=0)
    monkeypatch.setattr(synthetic, "draw_scene", original)
    again = small(tmp_path)
    assert again.pending() == 5
    again.prepare(workers=0)
    assert again.path.read_bytes() == whole.path.read_bytes()


def test_a_pool_of_processes_draws_what_this_one_draws(folder, tmp_path):
    one, other = (small(path, split="validation", count=17) for path in (folder, tmp_path))
    one.prepare(workers=0)
    told = []
    other.prepare(workers=1, advance=told.append)
    assert sum(told) == 17
    assert len(told) > 1
    assert other.path.read_bytes() == one.path.read_bytes()


def test_the_file_is_named_after_everything_that_decides_the_pictures(tmp_path):
    same = small(tmp_path)
    assert small(tmp_path).path == same.path
    others = [
        small(tmp_path, split="test"),
        small(tmp_path, count=11),
        small(tmp_path, size=40),
        small(tmp_path, seed=1),
        small(tmp_path, motion_share=0.3),
        small(tmp_path, mixing=PoseMixing()),
        small(tmp_path, mixing=attrs.evolve(same.mixing, noise=0.09)),
        small(tmp_path, scene=SceneOptions(roll=0.1)),
        small(tmp_path, scene=SceneOptions(occluders=(1.0,))),
    ]
    assert len({data.path for data in (same, *others)}) == 10


def test_the_file_is_in_the_users_cache_by_default(tmp_path, monkeypatch):
    monkeypatch.setenv("PARTGRAPH_CACHE", str(tmp_path / "elsewhere"))
    data = SyntheticHuman("test", 2, SIZE)
    assert data.path.parent == tmp_path / "elsewhere"
    data[0]
    assert data.path.exists()


def test_a_file_of_something_else_is_refused(tmp_path):
    data = small(tmp_path)
    np.save(data.path, np.zeros(10))
    with pytest.raises(CacheError, match="delete the file"):
        data[0]


@pytest.fixture
def own_motion(tmp_path, monkeypatch):
    """Motion of one's own: a pose no shipped clip has, in a folder that the reader is told of."""
    rotations = np.zeros((5, 22, 3), np.float32)
    rotations[:, 4] = [1.25, 0, 0]
    clip = MotionClip("own", 30, rotations, np.zeros((5, 3)))
    asked = []

    def read(path):
        asked.append(str(path))
        return (clip,)

    monkeypatch.setattr(synthetic, "read_motion", read)
    yield str(tmp_path / "motion"), clip, asked
    synthetic._clips.cache_clear()
    synthetic._sampler.cache_clear()


def test_further_motion_joins_training_and_nothing_else(own_motion, folder):
    path, clip, asked = own_motion
    groups = {split: SyntheticHuman(split, motion=(path,)).groups for split in SPLITS}
    assert groups["train"][-1] == "own"
    assert len(groups["train"]) == 11
    assert groups["validation"] == SyntheticHuman("validation").groups
    assert groups["test"] == SyntheticHuman("test").groups
    assert asked == [path]
    sampler = synthetic._sampler("train", (path,), 0.25, PoseMixing())
    random = np.random.default_rng(0)
    chosen = [sampler.draw(random)[1] for _ in range(2000)]
    assert np.mean(np.array(chosen) == 10) == pytest.approx(0.25, abs=0.03)
    pose, _ = sampler.draw(random, 10)
    np.testing.assert_array_equal(pose, clip.rotations[0])


def test_the_file_is_named_after_the_motion_not_its_place(own_motion, tmp_path):
    path, _, _ = own_motion
    with_motion = small(tmp_path, motion=(path,)).path
    assert with_motion != small(tmp_path).path
    assert small(tmp_path, motion=(path + "/moved",)).path == with_motion
    assert small(tmp_path, split="test", motion=(path,)).path == small(tmp_path, split="test").path


@pytest.mark.parametrize("options", [{"split": "dev"}, {"count": 0}, {"size": 15}])
def test_wrong_options_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        SyntheticHuman(**options)


def test_missing_motion_is_refused(tmp_path):
    data = SyntheticHuman(motion=(str(tmp_path / "nowhere"),))
    with pytest.raises(PartGraphError, match="nowhere") as caught:
        data.pending()
    assert "\n" not in str(caught.value)


def test_photographs_of_ones_own_are_behind_and_in_front(tmp_path):
    """Green ones, in pictures that are the same again when other processes draw them, in a file of their own."""
    (tmp_path / "green").mkdir()
    Image.new("RGB", (90, 70), (0, 200, 0)).save(tmp_path / "green" / "a.jpg")
    scene = SceneOptions(
        photographs=(str(tmp_path / "green"),), photo_background=1.0, photo_occluders=1.0, noise=0.0
    )
    own = SyntheticHuman("train", 4, SIZE, scene=scene, folder=tmp_path / "one")
    plain = SyntheticHuman("train", 4, SIZE, scene=SceneOptions(noise=0.0), folder=tmp_path / "one")
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
