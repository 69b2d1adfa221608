"""The data set `human36m`: the paper's protocol, and samples whose pictures, pixels and millimetres belong together."""

import json

import attrs
import numpy as np
import pytest
from partgraph_humanpose.datasets.errors import DataError
from partgraph_humanpose.datasets.human36m.dataset import Human36M
from partgraph_humanpose.datasets.human36m.joints import OF_32, mpii_joints
from partgraph_humanpose.datasets.human36m.protocol import ACTIONS, CAMERAS
from partgraph_humanpose.skeleton import FLIP, LIMBS, PARTS, ROOT

from partgraph import plugins
from partgraph.learning.cache import CacheError
from partgraph.learning.dataset import Dataset
from partgraph.learning.depth import relative_depth
from partgraph.learning.experiment import Choice
from partgraph.learning.strict import ExperimentError
from partgraph.metrics import reconstruction_error
from partgraph.testing import checks_for

SIZE = 48


@pytest.fixture
def human36m(folders, tmp_path):
    def build(name="mmpose", **options):
        return Human36M(
            **{"folder": folders / name, "split": "test", "size": SIZE, "cache": tmp_path} | options
        )

    return build


def test_it_is_registered_and_built_from_a_file(folders):
    assert plugins.get("dataset", "human36m") is Human36M
    assert issubclass(Human36M, Dataset)
    options = {"folder": str(folders / "cdf"), "split": "train", "subjects": ["S1"], "cameras": ["54138969"]}
    built = Choice("human36m", options | {"drift": "keep", "rate": 25}).build("dataset")
    assert built.folder == folders / "cdf"
    assert built.subjects == ("S1",)
    assert len(built) == 2 * 12


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"rate": 7}, "rate must divide this, found 7"),
        ({"split": "val"}, "split"),
        ({"actions": ["Dancing"]}, "actions"),
        ({"cameras": []}, "cameras"),
        ({"subjects": ["S2"]}, "subjects"),
        ({"drift": "repaired"}, "drift"),
        ({"fps": 10}, "no such key: fps"),
    ],
)
def test_wrong_options_are_refused(folders, options, said):
    with pytest.raises(ExperimentError, match=said):
        Choice("human36m", {"folder": str(folders / "cdf")} | options).build("dataset")


@pytest.mark.parametrize("name", ["cdf", "fetch", "mmpose", "pavlakos", "videopose3d"])
def test_samples_are_the_same_in_every_layout(studio, human36m, name):
    """Pixels of the crop look like what they should: red is the picture's x, green its y, blue the frame."""
    data = human36m(name, actions=("Posing",), cameras=CAMERAS[:2])
    assert len(data) == 10
    for index in (0, 3, 9):
        sample = data[index]
        video, frame = data.frame(index)
        assert (video.action, sample.group, frame) == ("Posing", "Posing", 5 * (index % 5))
        assert video.camera == CAMERAS[index // 5]
        world = mpii_joints(studio.camera("S9", "Posing", video.camera)[frame, OF_32])
        pixels = mpii_joints(studio.pixels("S9", "Posing", video.camera)[frame, OF_32])
        np.testing.assert_allclose(sample.world, world, atol=2e-3)
        assert sample.image.shape == (SIZE, SIZE, 3)
        assert sample.visible.all()
        at = sample.target[:, :2]
        side = np.ptp(pixels, 0).max() * data.margin
        np.testing.assert_allclose(
            at, (pixels - (pixels.min(0) + pixels.max(0)) / 2) * SIZE / side + SIZE / 2, atol=1e-3
        )
        np.testing.assert_allclose(sample.target[:, 2], relative_depth(at, world, ROOT), atol=1e-3)
        inside = at.astype(int)
        colours = sample.image[inside[:, 1], inside[:, 0]].astype(float)
        np.testing.assert_allclose(
            colours[:, :2], pixels, atol=6
        )  # of video or JPEG, and half a pixel of the crop
        assert abs(colours[:, 2].mean() - 10 * frame) < 4


def test_what_the_convention_costs_is_a_floor_and_no_more(human36m):
    data = human36m(actions=("Posing",))
    errors = [reconstruction_error(sample.target, sample.world) for sample in data]
    assert 0 < np.mean(errors) < 60


def test_skeleton_and_groups(human36m):
    data = human36m()
    assert (data.parts, data.limbs, data.flip, data.root) == (PARTS, LIMBS, FLIP, ROOT)
    assert data.groups == ACTIONS
    assert human36m(actions=("Posing", "Directions")).groups == ("Directions", "Posing")


@pytest.mark.parametrize("name", ["cdf", "fetch", "mmpose", "pavlakos", "videopose3d"])
def test_the_protocol_of_the_test_subjects(human36m, name):
    """S9 without what drifts (5 frames x 4 cameras of Posing), S11 without its missing video (5 x (4 + 3))."""
    data = human36m(name)
    seen = [data.frame(index)[0] for index in range(len(data))]
    assert len(data) == 20 + 35
    assert [video.subject for video in seen] == ["S9"] * 20 + ["S11"] * 35
    assert not any(video.drifts or video.is_missing for video in seen)
    assert len(human36m(name, drift="keep")) == 20 + 40 + 35


def test_repairing_moves_joints_by_a_constant_along_the_worlds_x(studio, human36m):
    kept, repaired = (
        human36m(drift=drift, actions=("Greeting",), subjects=("S9",)) for drift in ("keep", "repair")
    )
    assert len(kept) == len(repaired) == 20
    for index in (0, 7, 19):
        video, frame = repaired.frame(index)
        assert kept.frame(index) == (video, frame)
        camera = studio.cameras["S9", video.camera]
        before, after = (camera.to_world(data[index].world) for data in (kept, repaired))
        np.testing.assert_allclose(before - after, np.tile([200, 0, 0], (16, 1)), atol=1e-2)
        joints = camera.project(camera.to_camera(studio.world["S9", "Greeting"][frame] - (200, 0, 0)))[OF_32,]
        pixels = mpii_joints(joints)
        at = repaired[index].target[:, :2]
        scale = np.ptp(pixels, 0).max() * repaired.margin / SIZE
        np.testing.assert_allclose(np.ptp(at, 0) * scale, np.ptp(pixels, 0), rtol=1e-4)
    other, same = (human36m(drift=drift, actions=("Posing",))[3] for drift in ("keep", "repair"))
    np.testing.assert_array_equal(other.world, same.world)


def test_repairing_without_cameras_is_refused(studio, tmp_path):
    studio.write_mmpose(tmp_path / "data")
    data = Human36M(tmp_path / "data", split="test", drift="repair", size=SIZE)
    with pytest.raises(
        DataError, match=r"camera of S9 .*to repair its drift; found none; copy .*metadata\.xml"
    ):
        len(data)


def test_frames_are_thinned_from_the_first(human36m):
    assert [human36m("cdf", actions=("Posing",), rate=10).frame(k)[1] for k in range(6)] == [
        0,
        5,
        10,
        15,
        20,
        0,
    ]
    assert len(human36m("cdf", actions=("Posing",), rate=50)) == 4 * 23


@pytest.mark.parametrize("count", [1, 7, 55, 500])
def test_a_count_takes_even_steps(human36m, count):
    every, some = human36m(), human36m(count=count)
    chosen = (
        [every.frame(k * len(every) // count) for k in range(count)]
        if count < 55
        else [every.frame(k) for k in range(55)]
    )
    assert [some.frame(k) for k in range(len(some))] == chosen


def test_subjects_may_be_chosen(human36m):
    data = human36m(split="train", subjects=("S11", "S1"))
    assert len(data) == 35 + 40
    assert data.frame(0)[0].subject == "S11"
    assert data.frame(-1)[0].subject == "S1"
    with pytest.raises(IndexError, match="sample 75 of 75"):
        data[75]


def test_absent_subjects_are_named(human36m):
    with pytest.raises(
        DataError, match="poses of S5; found S1, S9, S11; copy the subject there, or choose `subjects`"
    ):
        len(human36m(split="train"))


def test_nothing_left_is_said(human36m):
    with pytest.raises(DataError, match="frames of S9, S11 in the actions and cameras chosen; found none"):
        len(human36m(actions=("Eating",)))


# Preparing


def test_preparing_makes_what_is_asked_for_once_and_one_file_per_subject(human36m, monkeypatch):
    data = human36m(count=9)
    assert data.pending() == 9
    made = []
    data.prepare(workers=0, advance=made.append)
    assert sum(made) == 9
    assert data.pending() == 0
    folder = data.store.shards[0].path.parent
    assert sorted(path.name for path in folder.iterdir()) == [
        "S11.npy",
        "S11.npz",
        "S9.npy",
        "S9.npz",
        "recipe.json",
    ]
    whole = human36m()
    assert whole.pending() == len(whole) - 9, "other selections share the files"
    monkeypatch.setattr("partgraph_humanpose.datasets.crops.crop_photo", None)
    again = human36m(count=9)
    assert all(sample.is_3d for sample in again), "made samples are read, not made"


def test_preparing_goes_on_where_it_was_killed(human36m):
    class Stop(Exception):
        pass

    def stop(made):
        raise Stop

    data = human36m(rate=50, actions=("Posing",), cameras=CAMERAS[:1], name="cdf")
    with pytest.raises(Stop):
        data.prepare(workers=0, advance=stop)
    again = attrs.evolve(data)
    assert 0 < again.pending() < len(again) == 23
    again.prepare(workers=0)
    assert again.pending() == 0


@pytest.mark.slow
def test_other_processes_make_the_same(human36m, tmp_path):
    one, other = human36m("cdf"), human36m("cdf", cache=tmp_path / "other")
    one.prepare(workers=0)
    other.prepare(workers=2)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a.image, b.image)
        np.testing.assert_array_equal(a.target, b.target)


@pytest.mark.parametrize("field", ["image", "target", "world", "visible"])
def test_a_damaged_record_is_noticed(human36m, field):
    data = human36m(count=9)
    data.prepare(workers=0)
    shard = data.store.shards[0]
    number = shard.chosen[1]
    shard.cache.records[field][number].reshape(-1).view(np.uint8)[0] ^= 1
    again = human36m(count=9)
    assert again[0].is_3d
    with pytest.raises(
        CacheError, match=rf"S9\.npy: record {number} is damaged; delete the file to make it anew"
    ):
        again[1]
    found = Human36M.inspect(shard.path.parent)
    assert found.layout == "prepared crops"
    assert any("1 damaged records" in problem for problem in found.problems)


@pytest.mark.parametrize("change", [{"size": 64}, {"margin": 1.5}, {"rate": 5}, {"drift": "repair"}])
def test_other_options_have_other_files(human36m, change):
    one, other = human36m(), human36m(**change)
    assert one.store.shards[0].path != other.store.shards[0].path


def test_changed_annotation_has_another_file(studio, tmp_path):
    studio.write_mmpose(tmp_path / "data")
    before = Human36M(tmp_path / "data", "test", size=SIZE).store.shards[0].path
    (tmp_path / "data" / "annotation_body3d" / "fps10" / "h36m_more.npz").write_bytes(b"")
    path = tmp_path / "data" / "annotation_body3d" / "fps10" / "h36m_test.npz"
    with np.load(path) as arrays:
        np.savez(path.with_name("h36m_more.npz"), **{name: values[:0] for name, values in arrays.items()})
    assert Human36M(tmp_path / "data", "test", size=SIZE).store.shards[0].path != before


# What a folder holds


@pytest.mark.parametrize("name", ["cdf", "fetch", "mmpose", "pavlakos", "videopose3d"])
def test_an_inventory_counts_what_is_there(folders, name):
    found = Human36M.inspect(folders / name)
    contents = json.loads(json.dumps(found.contents))
    assert contents["subjects"] == ["S1", "S9", "S11"]
    assert contents["actions"] == ["Directions", "Greeting", "Photo", "Posing", "Waiting"]
    assert contents["cameras"] == list(CAMERAS)
    assert contents["videos that drift"] == 8
    per_video = 23 if name in ("cdf", "videopose3d") else 5
    assert contents["frames of each subject"]["S9"] == 3 * 4 * per_video
    assert any("no poses of S5, S6, S7, S8" in problem for problem in found.problems)
    if name == "videopose3d":  # without metadata.xml
        said = [problem for problem in found.problems if problem.startswith("S9: not 2 takes")]
        assert len(said) == 1
        assert "Greeting 1, " in said[0]
    else:
        assert "S9: no poses of Directions 1, Directions, Photo, which metadata.xml has" in found.problems
        assert (
            "S1: no poses of Directions, Greeting, Posing, Waiting 1, which metadata.xml has"
            in found.problems
        )
    assert not any("no pictures" in problem or "no poses from" in problem for problem in found.problems)


def test_an_inventory_says_which_pictures_are_missing(studio, tmp_path):
    studio.write_cdf(tmp_path)
    problems = Human36M.inspect(tmp_path).problems
    assert any(
        "S1: no pictures of 8 of 8 videos, as " in problem and ".mp4" in problem for problem in problems
    )


def test_an_inventory_goes_on_after_a_malformed_file(studio, tmp_path):
    studio.write_cdf(tmp_path)
    studio.write_pose(
        tmp_path / "S1/MyPoseFeatures/D2_Positions/TakingPhoto.54138969.cdf", np.zeros((3, 17, 2))
    )
    found = Human36M.inspect(tmp_path)
    assert any("TakingPhoto.54138969.cdf" in problem for problem in found.problems)
    assert found.contents["frames of each subject"] == {"S9": 276, "S11": 184}


def test_nothing_is_recognised_in_another_folder(tmp_path):
    assert Human36M.inspect(tmp_path) is None
    (tmp_path / "recipe.json").write_text('{"dataset": "other"}')
    assert Human36M.inspect(tmp_path) is None


def test_groupings_are_those_of_the_papers_tables(human36m):
    data = human36m(drift="keep")
    assert list(data.groupings) == ["action", "subject", "camera", "take"]
    assert data.groupings["action"] == data.groups == ACTIONS
    assert data.groupings["subject"] == ("S9", "S11")
    assert data.groupings["camera"] == CAMERAS
    assert set(data.groupings["take"]) == {
        "S9 Greeting",
        "S9 Posing",
        "S9 Waiting 1",
        "S11 Directions",
        "S11 Directions 1",
    }
    assert data.clips == "take"
    for index in range(0, len(data), 7):
        video, _ = data.frame(index)
        assert data.labels(index) == {
            "action": data.group(index),
            "subject": video.subject,
            "camera": video.camera,
            "take": f"{video.subject} {video.take}",
        }
        assert all(value in data.groupings[name] for name, value in data.labels(index).items())


def test_published_errors_are_the_papers_and_of_its_subjects_only(human36m):
    found = {(own.method, own.source): own.errors for own in human36m().published}
    two_hop = found["two-hop", "Kinauer et al., table 1"]
    assert [*two_hop] == [*ACTIONS, ""]
    assert (two_hop["Directions"], two_hop["SittingDown"], two_hop[""]) == (48.89, 78.20, 50.87)
    for (_, source), errors in found.items():  # what was copied adds up, to the rounding of what is printed
        if source.endswith("table 1"):
            assert np.mean([errors[action] for action in ACTIONS]) == pytest.approx(errors[""], abs=0.3)
    by_camera = found["two-hop", "Kinauer et al., table 3"]
    assert (by_camera["S11/60457274"], by_camera["S9"], by_camera["54138969"]) == (41.90, 54.54, 53.72)
    assert found["Pavlakos et al., 2016", "Kinauer et al., table 2"] == {"": 53.2}
    assert human36m(subjects=("S9",)).published == ()


@pytest.mark.parametrize("name", ["mmpose", "cdf"])
def test_conformance(human36m, name):
    dataset = human36m(name)
    for check in checks_for(dataset):
        check(dataset)
