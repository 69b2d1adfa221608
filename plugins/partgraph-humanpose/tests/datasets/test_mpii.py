"""The data set `mpii`: three forms of the same annotation, written as they are published."""

import json

import attrs
import numpy as np
import pytest
from partgraph_humanpose.datasets import mpii_files
from partgraph_humanpose.datasets.errors import DataError
from partgraph_humanpose.datasets.mpii import Mpii
from PIL import Image
from scipy.io import savemat

from partgraph import plugins
from partgraph.learning.dataset import Dataset
from partgraph.testing import checks_for

h5py = pytest.importorskip("h5py")

SIZE = 32
NAMES = ("015601864.jpg", "015601864.jpg", "060111501.jpg")
MIDDLE = np.array([[80.0, 70.0], [120.0, 75.0], [100.0, 90.0]])
SCALE = np.array([0.5, 0.4, 0.6])  # times 200 px
FORMS = ("json", "h5", "mat")


@pytest.fixture(scope="module")
def joints():
    """(3, 16, 2) px from one; ankles of the second person and the first's head top are missing."""
    random = np.random.default_rng(1)
    joints = MIDDLE[:, None] + random.integers(-40, 40, (3, 16, 2)) + 0.25
    joints[1, [0, 5]] = joints[0, 9] = np.nan
    return joints


@pytest.fixture(scope="module")
def visible(joints):
    """The wrist of the third person is annotated but hidden."""
    visible = np.isfinite(joints).all(2)
    visible[2, 10] = False
    return visible


@pytest.fixture(scope="module", params=FORMS)
def folder(request, joints, visible, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    write_pictures(folder)
    {"json": write_json, "h5": write_h5, "mat": write_mat}[request.param](folder, joints, visible)
    return folder


def write_pictures(folder):
    y, x = np.mgrid[:180, :200]
    (folder / "images").mkdir()
    for name in set(NAMES):
        Image.fromarray(np.stack([x, y, x * 0], -1).astype(np.uint8)).save(
            folder / "images" / name, quality=95, subsampling=0
        )


def write_json(folder, joints, visible, name="train"):
    people = [
        {
            "joints_vis": [int(flag) for flag in visible[k]],
            "joints": np.where(np.isnan(joints[k]), -1.0, joints[k]).tolist(),
            "image": NAMES[k],
            "scale": float(SCALE[k]),
            "center": MIDDLE[k].tolist(),
        }
        for k in range(3)
    ]
    (folder / "annot").mkdir(exist_ok=True)
    (folder / "annot" / f"{name}.json").write_text(json.dumps(people))


def write_h5(folder, joints, visible, name="train", inside=False):
    """Newell's: centres 15 px times scale lower, scales a quarter larger, names in a file beside it."""
    (folder / "annot").mkdir(exist_ok=True)
    with h5py.File(folder / "annot" / f"{name}.h5", "w") as file:
        file["part"] = np.where(np.isnan(joints), 0.0, joints)
        file["visible"] = visible.astype(np.float64)
        file["center"] = MIDDLE + np.column_stack([0 * SCALE, 15 * SCALE])
        file["scale"] = SCALE * 1.25
        if inside:
            file["imgname"] = np.array([own.encode() for own in NAMES], "S16")
    if not inside:
        (folder / "annot" / f"{name}_images.txt").write_text("\n".join(NAMES) + "\n")


def write_mat(folder, joints, visible):
    """RELEASE with its nesting and its oddities: a single person is no array, flags are numbers, texts or nothing."""

    def points(k):
        return [
            {
                "x": x,
                "y": y,
                "id": i,
                "is_visible": np.empty((0, 0)) if i in (8, 9) else [str(int(flag)), int(flag)][i % 2],
            }
            for i, ((x, y), flag) in enumerate(zip(joints[k], visible[k], strict=True))
            if np.isfinite(x)
        ]

    def person(k):
        own = {"x1": 1, "y1": 1, "x2": 20, "y2": 20, "annopoints": {"point": structs(points(k))}}
        return own | {"scale": SCALE[k], "objpos": {"x": MIDDLE[k, 0], "y": MIDDLE[k, 1]}}

    def structs(rows):
        """A MATLAB struct array."""
        kind = np.dtype([(name, object) for name in rows[0]])
        array = np.empty((1, len(rows)), kind)
        for column, row in enumerate(rows):
            array[0, column] = tuple(row.values())
        return array

    nobody = {"x1": 1, "y1": 1, "x2": 2, "y2": 2, "annopoints": [], "scale": [], "objpos": []}
    pictures = [
        {"image": {"name": NAMES[0]}, "annorect": structs([person(0), person(1), nobody])},
        {"image": {"name": NAMES[2]}, "annorect": person(2)},
        {
            "image": {"name": "000001163.jpg"},
            "annorect": {"scale": 1.0, "objpos": {"x": 5.0, "y": 5.0}},
        },  # for testing
        {"image": {"name": "000004812.jpg"}, "annorect": []},
    ]
    release = {
        "annolist": structs(pictures),
        "img_train": np.array([[1, 1, 0, 1]], np.uint8),
        "version": "12",
    }
    inner = folder / "mpii_human_pose_v1_u12_2"
    inner.mkdir()
    savemat(inner / "mpii_human_pose_v1_u12_1.mat", {"RELEASE": release})


def test_it_is_registered():
    assert plugins.get("dataset", "mpii") is Mpii
    assert issubclass(Mpii, Dataset)


def test_all_forms_have_the_same_people(folder, joints, visible):
    data = Mpii(folder, size=SIZE)
    assert len(data) == 3
    for k, sample in enumerate(data):
        side = 200 * SCALE[k] * 1.25
        corner = MIDDLE[k] + (0, 15 * SCALE[k]) - 0.5 - side / 2
        at = (joints[k] - 0.5 - corner) * SIZE / side
        np.testing.assert_allclose(sample.target[:, :2], at, atol=1e-4)
        assert np.isnan(sample.target[:, 2]).all()
        assert np.isnan(sample.world).all()
        assert sample.world.shape == (16, 3)
        assert sample.visible.tolist() == visible[k].tolist()
        assert sample.group == "mpii"
        assert not sample.is_3d
        assert sample.image.shape == (SIZE, SIZE, 3)
        inside = np.isfinite(at).all(1) & ((at >= 0) & (at < SIZE)).all(1)
        cell = at[inside].astype(int)
        colours = sample.image[cell[:, 1], cell[:, 0], :2].astype(float)
        np.testing.assert_allclose(colours, joints[k][inside] - 1, atol=5)


def test_names_may_be_inside_the_arrays(joints, visible, tmp_path):
    write_h5(tmp_path, joints, visible, inside=True)
    assert mpii_files.read_hdf5(tmp_path / "annot" / "train.h5", 1.0).names.tolist() == list(NAMES)


def test_people_without_joints_are_left_out(joints, visible, tmp_path):
    write_pictures(tmp_path)
    nobody = joints.copy()
    nobody[1] = np.nan
    write_json(tmp_path, nobody, visible & False)
    assert len(Mpii(tmp_path, size=SIZE)) == 2


def test_splits(joints, visible, tmp_path):
    write_pictures(tmp_path)
    write_json(tmp_path, joints, visible, "valid")
    assert len(Mpii(tmp_path, "validation", count=2, size=SIZE)) == 2
    with pytest.raises(DataError, match=r"MPII's train annotation, annot/train\.json or .*; found none"):
        len(Mpii(tmp_path, size=SIZE))


def test_the_official_file_has_no_validation_split(joints, visible, tmp_path):
    write_mat(tmp_path, joints, visible)
    with pytest.raises(
        DataError, match=r"validation annotation, annot/valid\.json or annot/valid\.h5; found none"
    ):
        len(Mpii(tmp_path, "validation"))


def test_an_inventory(folder, joints):
    found = Mpii.inspect(folder)
    number = int(np.isfinite(joints).all(2).sum())
    assert f"3 people in 2 pictures, {number} joints" in found.contents["train"]
    assert found.problems == ("no annotation for validation",)
    assert Mpii.inspect(folder / "images") is None


def test_an_inventory_names_missing_pictures(joints, visible, tmp_path):
    write_json(tmp_path, joints, visible)
    assert any("no file for 2 of 2 pictures" in problem for problem in Mpii.inspect(tmp_path).problems)


def test_annotation_of_human36m_in_this_form_is_not_mpii(studio, tmp_path):
    studio.write_pavlakos(tmp_path)
    assert Mpii.inspect(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{}", "[{}]", '[{"joints": [[1, 2]], "joints_vis": [1]}]', "nonsense"])
def test_malformed_json_is_said(tmp_path, text):
    (tmp_path / "annot").mkdir()
    (tmp_path / "annot" / "train.json").write_text(text)
    with pytest.raises(DataError, match=r"train\.json: a list of people with joints") as caught:
        len(Mpii(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_list_of_nobody_is_said(tmp_path):
    (tmp_path / "annot").mkdir()
    (tmp_path / "annot" / "train.json").write_text("[]")
    with pytest.raises(DataError, match="annotated people for train; found none"):
        len(Mpii(tmp_path))


@pytest.mark.parametrize("change", ["empty", "other", "short"])
def test_a_malformed_official_file_is_said(joints, visible, tmp_path, change):
    path = tmp_path / "mpii_human_pose_v1_u12_1.mat"
    if change == "empty":
        path.write_bytes(b"")
    elif change == "other":
        savemat(path, {"joints": np.zeros(3)})
    else:
        savemat(path, {"RELEASE": {"annolist": [], "version": "12"}})
    said = {
        "empty": "a MATLAB file",
        "other": "the variable RELEASE",
        "short": "a field img_train; found annolist",
    }
    with pytest.raises(DataError, match=said[change]):
        len(Mpii(tmp_path))


def test_prepared_crops_are_read_again(folder, tmp_path, monkeypatch):
    data = Mpii(folder, size=SIZE, cache=tmp_path)
    data.prepare(workers=0)
    assert data.pending() == 0
    monkeypatch.setattr("partgraph_humanpose.datasets.crops.crop_photo", None)
    assert len(list(attrs.evolve(data))) == 3
    assert Mpii.inspect(data.store.shards[0].path.parent).contents["records"] == {"train": "3 of 3 made"}


def test_conformance(folder):
    dataset = Mpii(folder, size=SIZE)
    for check in checks_for(dataset):
        check(dataset)
