"""Every layout yields the same joints, and says in one line what is missing or malformed."""

import numpy as np
import pytest
from partgraph_humanpose.datasets import errors
from partgraph_humanpose.datasets.errors import DataError
from partgraph_humanpose.datasets.human36m.annotations import Annotations, thin
from partgraph_humanpose.datasets.human36m.detect import LAYOUTS, find_layout, layout_of
from partgraph_humanpose.datasets.human36m.inventory import inspect_layout
from partgraph_humanpose.datasets.human36m.joints import OF_32
from partgraph_humanpose.datasets.human36m.protocol import (
    ACTION_OF_NUMBER,
    ACTIONS,
    CAMERAS,
    Video,
    action_of,
)
from partgraph_humanpose.datasets.human36m.takes import read_takes, take_of
from partgraph_humanpose.datasets.human36m.video import read_frame
from PIL import Image

from partgraph.errors import MissingPackageError
from partgraph.learning.photo import PhotoError

h5py = pytest.importorskip("h5py")

NAMES = ("cdf", "fetch", "mmpose", "pavlakos", "videopose3d")
TITLES = dict(zip(NAMES, ("official CDF", "h36m-fetch", "MMPose", "Pavlakos", "VideoPose3D"), strict=True))


def official(studio, take):
    """The official name of a take by any name."""
    known = {other: name for name, other in studio.fetched.items()}
    return known.get(take, take).replace("TakingPhoto", "Photo")


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_is_recognised_by_its_files(folders, name):
    layout = layout_of(folders / name)
    assert TITLES[name] in layout.title
    assert layout.subjects() == ("S1", "S9", "S11")
    assert all(path.is_file() for path in layout.files())
    assert sum(own.recognises(folders / name) for own in LAYOUTS) == 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("subject", ["S1", "S9", "S11"])
def test_all_layouts_have_the_same_joints(studio, folders, name, subject):
    read = layout_of(folders / name).read(subject).where(lambda video: not video.is_missing).at_rate(10)
    takes = [take for own, take in studio.world if own == subject]
    assert {official(studio, video.take) for video in read.videos} == {
        official(studio, take) for take in takes
    }
    assert len(read.videos) == 4 * len(takes) - (subject == "S11")
    by_name = {official(studio, take): take for take in takes}
    for k, video in enumerate(read.videos):
        own, take = read.video == k, by_name[official(studio, video.take)]
        assert read.frame[own].tolist() == [0, 5, 10, 15, 20]
        camera = studio.camera(subject, take, video.camera)[::5, OF_32]
        pixels = studio.pixels(subject, take, video.camera)[::5, OF_32]
        np.testing.assert_allclose(read.camera[own], camera, atol=2e-3)  # single precision in some files
        np.testing.assert_allclose(read.pixels[own], pixels, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_pictures_are_those_of_the_frame(studio, folders, name):
    layout = layout_of(folders / name)
    read = layout.read("S1").at_rate(10)
    for k in (2, 1, len(read) - 1):
        video, frame = read.videos[read.video[k]], int(read.frame[k])
        assert layout.picture_path(video, frame).is_file()
        found = layout.picture(video, frame).astype(int)
        assert found.shape == studio.picture(frame).shape
        assert np.abs(found - studio.picture(frame)).mean() < 3
        assert abs(found[..., 2].mean() - 10 * frame) < 3


@pytest.mark.parametrize("order", [(0, 1, 2), (22, 3, 21), (7, 7, 6), (11, 23 - 1, 0)])
def test_frames_of_a_video_in_any_order(folders, order):
    path = folders / "cdf" / "S1" / "Videos" / "Directions 1.54138969.mp4"
    for number in order:
        assert abs(read_frame(path, number)[..., 2].mean() - 10 * number) < 3


def test_a_frame_beyond_the_video_is_said_and_others_still_read(studio, folders):
    path = folders / "cdf" / "S1" / "Videos" / "Directions 1.54138969.mp4"
    with pytest.raises(DataError, match=r"frame 23 .*found 23 frames"):
        read_frame(path, studio.frames)
    assert abs(read_frame(path, 4)[..., 2].mean() - 40) < 3


def test_a_missing_slow_or_broken_video_is_said(studio, tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_frame(tmp_path / "none.mp4", 0)
    studio.write_video(tmp_path / "slow.mp4", rate=25)
    with pytest.raises(DataError, match="a video of 50 frames a second; found 25"):
        read_frame(tmp_path / "slow.mp4", 0)
    (tmp_path / "broken.mp4").write_bytes(b"nothing")
    with pytest.raises(DataError, match="cannot be read"):
        read_frame(tmp_path / "broken.mp4", 0)


# Official files


@pytest.mark.parametrize(
    "options",
    [
        {"mono": False},
        {"flat": False},
        {"mono": False, "flat": False},
        {"world": False},
        {"form": "Poses_{}"},
        {"form": "{}"},
    ],
)
def test_official_poses_in_whatever_is_there(studio, folders, tmp_path, options):
    studio.write_cdf(tmp_path, **options)
    studio.write_metadata(tmp_path)
    read, whole = (layout_of(folder).read("S9") for folder in (tmp_path, folders / "cdf"))
    assert read.videos == whole.videos
    np.testing.assert_allclose(read.camera, whole.camera, atol=2e-3)
    np.testing.assert_allclose(read.pixels, whole.pixels, atol=1e-3)


@pytest.mark.parametrize(
    ("options", "what"), [({"mono": False}, "camera coordinates"), ({"flat": False}, "in pixels")]
)
def test_without_cameras_the_release_must_be_whole(studio, tmp_path, options, what):
    studio.write_cdf(tmp_path, **options)
    with pytest.raises(DataError, match=f"{what}, or metadata.xml .*copy one of them there"):
        layout_of(tmp_path).read("S1")


def test_the_calibration_takes_are_left_out(studio, tmp_path):
    studio.write_cdf(tmp_path)
    for camera in CAMERAS:
        for kind in ("D2_Positions", "D3_Positions_mono"):
            path = tmp_path / "S1" / "MyPoseFeatures" / kind / f"_ALL 1.{camera}.cdf"
            studio.write_pose(path, np.ones((3, 32, 2 + ("3" in kind))))
    assert {video.action for video in layout_of(tmp_path).read("S1").videos} == {"Directions", "Photo"}


def test_malformed_official_files_are_said(studio, tmp_path):
    studio.write_cdf(tmp_path)
    folder = tmp_path / "S1" / "MyPoseFeatures" / "D3_Positions_mono"
    path = folder / "Directions 1.54138969.cdf"
    studio.write_pose(path, np.zeros((studio.frames, 17, 3)))
    with pytest.raises(DataError, match=r"Pose of 96 numbers a frame; found shape \(1, 23, 51\)"):
        layout_of(tmp_path).read("S1")
    studio.write_pose(path, np.zeros((studio.frames - 1, 32, 3)))
    with pytest.raises(DataError, match=r"2D joints must have shape \(22, 17, 2\); found \(23, 17, 2\)"):
        layout_of(tmp_path).read("S1")
    studio.write_pose(path, np.full((studio.frames, 32, 3), np.nan))
    with pytest.raises(DataError, match="3D joints must be finite numbers; found 23 frames that are not"):
        layout_of(tmp_path).read("S1")
    path.write_bytes(b"no cdf")
    with pytest.raises(DataError, match=r"a CDF file .*copy the file anew") as caught:
        layout_of(tmp_path).read("S1")
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


# h36m-fetch


def test_old_output_of_fetch_is_refused_with_what_is_missing(studio, tmp_path):
    studio.write_fetch(tmp_path)
    path = tmp_path / "processed" / "S1" / "Directions-1" / "annot.h5"
    with h5py.File(path, "r+") as file:
        del file["pose/3d"]
    with pytest.raises(DataError, match="none named pose/3d; make the file again with a current version"):
        layout_of(tmp_path).read("S1")
    path.write_bytes(b"")
    with pytest.raises(DataError, match="an HDF5 file"):
        layout_of(tmp_path).read("S1")


def test_arrays_of_other_shapes_are_refused(studio, tmp_path):
    studio.write_fetch(tmp_path)
    path = tmp_path / "processed" / "S1" / "Directions-1" / "annot.h5"
    with h5py.File(path, "r+") as file:
        del file["frame"]
        file["frame"] = np.arange(3)
    with pytest.raises(DataError, match=r"frame must have shape \(N\) with N = 92; found \(3,\)"):
        layout_of(tmp_path).read("S1")


@pytest.mark.parametrize("inner", [".", "processed"])
def test_fetch_is_found_from_its_folder_or_the_one_above(folders, inner):
    assert layout_of(folders / "fetch" / inner).subjects() == ("S1", "S9", "S11")


# MMPose


def test_mmpose_at_fifty_frames_is_thinned_to_the_same(studio, folders, tmp_path):
    studio.write_mmpose(tmp_path, "fps50")
    fast, slow = (layout_of(folder).read("S9") for folder in (tmp_path, folders / "mmpose"))
    assert len(fast) == 12 * studio.frames
    assert fast.at_rate(10).frame.tolist() == slow.at_rate(10).frame.tolist() == slow.frame.tolist()


def test_pickled_names_of_mmpose_are_refused_with_a_command(folders, tmp_path):
    (tmp_path / "annotation_body3d" / "fps10").mkdir(parents=True)
    path = tmp_path / "annotation_body3d" / "fps10" / "h36m_train.npz"
    with np.load(folders / "mmpose" / "annotation_body3d" / "fps10" / path.name) as arrays:
        np.savez(path, **dict(arrays) | {"imgname": arrays["imgname"].astype(object)})
    with pytest.raises(
        DataError, match=r"without unpickling.*; found a pickle; .*np\.savez\('h36m_train\.npz'"
    ):
        layout_of(tmp_path).subjects()


@pytest.mark.parametrize("change", ["missing", "shape", "name", "damaged"])
def test_malformed_arrays_of_mmpose_are_said(folders, tmp_path, change):
    (tmp_path / "annotation_body3d" / "fps10").mkdir(parents=True)
    path = tmp_path / "annotation_body3d" / "fps10" / "h36m_train.npz"
    with np.load(folders / "mmpose" / "annotation_body3d" / "fps10" / path.name) as file:
        arrays = dict(file)
    if change == "missing":
        del arrays["S"]
    elif change == "shape":
        arrays["S"] = arrays["S"][:, :16]
    elif change == "name":
        arrays["imgname"][3] = "coco/000001.jpg"
    np.savez(path, **arrays)
    if change == "damaged":
        path.write_bytes(path.read_bytes()[:1000])
    said = {
        "missing": "none named S",
        "shape": r"\(N, 17, 4\)",
        "name": "'coco/000001.jpg'",
        "damaged": "an .npz file",
    }
    with pytest.raises(DataError, match=said[change]) as caught:
        layout_of(tmp_path).subjects()
    assert "\n" not in str(caught.value)


# VideoPose3D


def test_the_pickle_of_videopose3d_is_refused_with_a_command_that_works(studio, tmp_path, monkeypatch):
    import subprocess
    import sys

    studio.write_videopose3d(tmp_path, pickled=True)
    studio.write_metadata(tmp_path)
    layout = layout_of(tmp_path)
    with pytest.raises(DataError, match="found a pickle; where you trust the file") as caught:
        layout.read("S1")
    command = str(caught.value).partition("convert it once with: ")[2]
    assert command.startswith("python -c ")
    subprocess.run(["bash", "-c", command.replace("python", sys.executable, 1)], cwd=tmp_path, check=True)
    assert len(layout_of(tmp_path).read("S1").videos) == 8


def test_videopose3d_needs_cameras(studio, tmp_path):
    studio.write_videopose3d(tmp_path)
    with pytest.raises(DataError, match=r"cameras are needed: metadata\.xml or cameras\.json"):
        layout_of(tmp_path).read("S1")


def test_videopose3d_with_fewer_joints_is_refused(studio, tmp_path):
    studio.write_metadata(tmp_path)
    np.savez(tmp_path / "data_3d_h36m_plain.npz", **{"S1/Directions 1": np.zeros((4, 17, 3))})
    with pytest.raises(
        DataError, match=r"'S1/Directions 1' must have shape \(F, 32, 3\); found \(4, 17, 3\)"
    ):
        layout_of(tmp_path).read("S1")


# Pavlakos et al.


def test_without_s_positions_come_from_intervals_and_limbs(studio, folders, tmp_path):
    """A person with the mean limbs is found where it stands, but for half an interval of depth."""
    from partgraph_humanpose.datasets.human36m.lift import _LENGTHS, _LIMBS, depth_of_interval, lift

    random = np.random.default_rng(0)
    pose = np.zeros((17, 3))
    for (start, end), length in zip(_LIMBS, _LENGTHS, strict=True):
        way = random.normal(size=3)
        pose[end] = pose[start] + length * way / np.linalg.norm(way)
    camera = studio.cameras["S1", CAMERAS[0]]
    true = pose + np.array([200, -100, 4700.0])
    pixels = camera.project(true)[None]
    depth = (true[:, 2] - true[0, 2])[None]
    np.testing.assert_allclose(lift(camera, pixels, depth)[0], true, atol=1e-3)
    interval = np.ceil((depth + 1005.18590298) / 31.03196507)
    assert np.abs(depth_of_interval(interval) - depth).max() <= 31.04 / 2
    assert np.linalg.norm(lift(camera, pixels, depth_of_interval(interval))[0] - true, axis=-1).max() < 400


def test_intervals_are_the_published_ones():
    from partgraph_humanpose.datasets.human36m.lift import depth_of_interval

    assert depth_of_interval(1) == pytest.approx(-1005.18590298 + 31.03196507 / 2)
    assert depth_of_interval(64) == pytest.approx(980.85986183 - 31.03196507 / 2)


def test_train_without_s_keeps_pixels_and_depths(studio, tmp_path):
    studio.write_pavlakos(tmp_path)
    with pytest.raises(DataError, match=r"camera of S1 .*copy the release's metadata\.xml"):
        layout_of(tmp_path).read("S1")
    studio.write_metadata(tmp_path)
    read = layout_of(tmp_path).read("S1")
    own = read.video == 0
    video = read.videos[0]
    np.testing.assert_allclose(read.pixels[own], studio.pixels("S1", video.take, video.camera)[::5, OF_32])
    true = studio.camera("S1", video.take, video.camera)[::5, OF_32]
    found = read.camera[own]
    np.testing.assert_allclose(found[..., 2] - found[:, :1, 2], true[..., 2] - true[:, :1, 2], atol=31.1)
    np.testing.assert_allclose(studio.cameras["S1", video.camera].project(found), read.pixels[own], atol=1e-6)


def test_valid_without_part_is_projected(studio, folders, tmp_path):
    """As in the published sample, whose valid.h5 has centres and scales only."""
    studio.write_pavlakos(tmp_path, flat=("train",))
    studio.write_metadata(tmp_path)
    read, whole = (layout_of(folder).read("S9") for folder in (tmp_path, folders / "pavlakos"))
    np.testing.assert_allclose(read.pixels, whole.pixels, atol=1e-9)


def test_lists_of_other_lengths_are_refused(studio, tmp_path):
    studio.write_pavlakos(tmp_path)
    studio.write_metadata(tmp_path)
    for name in ("train", "valid"):
        path = tmp_path / "annot" / f"{name}_images.txt"
        path.write_text("\n".join(path.read_text().split()[:-1]))
    with pytest.raises(DataError, match="one row for each of the 39 lines"):
        layout_of(tmp_path).read("S1")
    with pytest.raises(DataError, match=r"imgname must name the frames of valid_images\.txt"):
        layout_of(tmp_path).read("S9")


# What they have in common


def test_no_layout_no_guess(tmp_path):
    assert find_layout(tmp_path) is None
    with pytest.raises(DataError, match=r"in one of the layouts .*; found none of them; see docs/data.md"):
        layout_of(tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        layout_of(tmp_path / "absent")


def test_an_optional_package_that_is_missing_is_named(folders, monkeypatch):
    def absent(name):
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr(errors.importlib, "import_module", absent)
    with pytest.raises(
        MissingPackageError, match=r"need the package cdflib.*pip install 'partgraph-humanpose\[datasets\]'"
    ):
        layout_of(folders / "cdf").read("S1")


def test_a_missing_picture_is_named(studio, tmp_path):
    studio.write_mmpose(tmp_path)
    layout = layout_of(tmp_path)
    video = layout.read("S1").videos[0]
    layout.picture_path(video, 5).unlink()
    with pytest.raises(PhotoError, match=r"000006\.jpg: no such file"):
        layout.picture(video, 5)


def test_actions_have_the_papers_names_and_order():
    assert len(ACTIONS) == len(set(ACTIONS)) == 15
    assert ACTIONS[5:8] == ("Photo", "Posing", "Purchases")
    assert set(ACTION_OF_NUMBER.values()) == set(ACTIONS)
    assert ACTION_OF_NUMBER[12] == "Photo"
    assert ACTION_OF_NUMBER[7] == "Posing"
    for take, action in (
        ("TakingPhoto 1", "Photo"),
        ("WalkingDog", "WalkDog"),
        ("WalkingTogether-2", "WalkTogether"),
        ("Walking 2", "Walking"),
        ("SittingDown", "SittingDown"),
        ("Sitting 1", "Sitting"),
    ):
        assert action_of(take) == action


def test_takes_have_the_names_of_metadata(studio, tmp_path):
    studio.write_metadata(tmp_path)
    takes = read_takes(tmp_path / "metadata.xml")
    assert list(takes) == ["S1", "S9", "S11"]
    assert take_of("Directions", "S1", takes) == ("Directions", 2)
    assert take_of("TakingPhoto", "S1", takes) == take_of("Photo", "S1", takes) == ("Photo", 2)
    assert take_of("WalkingDog-1", "S1", takes) == ("WalkDog", 1)
    assert take_of("_ALL 1", "S1", takes) is None
    assert take_of("Directions 3", "S1", takes) is None
    for own, take in studio.world:
        assert take_of(take, own, takes) == take_of(studio.fetched[take], own, takes)
    assert read_takes(tmp_path / "none.xml") == {}
    (tmp_path / "other.xml").write_text("<a><mapping><tr><td>x</td></tr></mapping></a>")
    assert read_takes(tmp_path / "other.xml") == {}


def test_a_take_that_metadata_does_not_have_is_said(studio, tmp_path):
    studio.write_mmpose(tmp_path)
    studio.write_metadata(tmp_path)
    path = tmp_path / "metadata.xml"
    path.write_text(path.read_text().replace("<td>TakingPhoto</td>", "<td>TakingPhoto 1</td>"))
    problems = inspect_layout(layout_of(tmp_path)).problems
    assert "S1: metadata.xml has no TakingPhoto" in problems
    assert any(problem.startswith("S1: no poses of ") and "Photo 1, " in problem for problem in problems)


def test_twelve_videos_drift_and_one_is_missing():
    takes = ["Greeting", "Greeting 1", "SittingDown", "SittingDown 1", "Waiting", "Waiting 1", "Posing"]
    videos = [
        Video(subject, take, camera) for subject in ("S9", "S11") for take in takes for camera in CAMERAS
    ]
    assert [video.take for video in videos if video.drifts and video.camera == CAMERAS[0]] == [
        "Greeting",
        "SittingDown 1",
        "Waiting 1",
    ]
    assert sum(video.drifts for video in videos) == 12
    fetched = {Video("S9", take, CAMERAS[0]).drifts for take in ("Greeting-2", "SittingDown-2", "Waiting-1")}
    assert fetched == {True}
    assert not Video("S9", "Greeting-1", CAMERAS[0]).drifts
    assert Video("S11", "Directions", "54138969").is_missing
    assert Video("S11", "Directions-2", "54138969").is_missing
    assert not Video("S11", "Directions 1", "54138969").is_missing
    assert not Video("S11", "Directions", "55011271").is_missing


@pytest.mark.parametrize(
    ("frames", "rate", "expected"),
    [
        (range(12), 10, [0, 5, 10]),
        (range(3, 15), 25, [0, 2, 4, 6, 8, 10]),
        (range(0, 50, 5), 10, list(range(10))),
        (range(0, 50, 5), 5, [0, 2, 4, 6, 8]),
        (range(0, 640, 64), 10, list(range(10))),  # every 64th: there are no more
        ([0, 3, 11, 12, 40], 10, [0, 1, 2, 3, 4]),  # chosen by movement
        ([7], 10, [0]),
        ([], 10, []),
    ],
)
def test_thinning(frames, rate, expected):
    assert thin(list(frames), rate, "video").tolist() == expected


def test_a_rate_that_cannot_be_had_is_said():
    with pytest.raises(DataError, match=r"video: 10 frames a second were asked for; found every 3rd of 50"):
        thin(list(range(0, 30, 3)), 10, "video")


def test_annotations_are_kept_as_they_are(folders, tmp_path):
    read = layout_of(folders / "cdf").read("S9")
    read.save(tmp_path / "inner" / "S9.npz")
    again = Annotations.load(tmp_path / "inner" / "S9.npz")
    assert again.videos == read.videos
    for name in ("video", "frame", "pixels", "camera"):
        np.testing.assert_array_equal(getattr(again, name), getattr(read, name))
    assert [path.name for path in (tmp_path / "inner").iterdir()] == ["S9.npz"]


def test_nothing_can_be_joined_and_filtered():
    nothing = Annotations.join([])
    assert len(nothing) == len(nothing.where(lambda video: True)) == len(nothing.at_rate(10)) == 0


def test_frames_are_sorted(studio):
    order = np.array([4, 0, 2])
    one = Annotations.of_video(
        Video("S1", "Posing", CAMERAS[0]),
        order,
        np.zeros((3, 17, 2)),
        np.arange(3 * 51.0).reshape(3, 17, 3),
        "here",
    )
    assert one.frame.tolist() == [0, 2, 4]
    assert one.camera[:, 0, 0].tolist() == [51, 102, 0]


def test_pictures_are_read_as_they_are(folders):
    layout = layout_of(folders / "mmpose")
    path = layout.picture_path(Video("S1", "Directions 1", CAMERAS[0]), 5)
    np.testing.assert_array_equal(
        layout.picture(Video("S1", "Directions 1", CAMERAS[0]), 5), np.asarray(Image.open(path))
    )
