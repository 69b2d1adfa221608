"""The camera model: values worked out by hand, OpenCV's formula where both agree, and what the release stores."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from partgraph_humanpose.datasets.errors import DataError
from partgraph_humanpose.datasets.human36m.camera import Camera, rotation_of_quaternion
from partgraph_humanpose.datasets.human36m.cameras import find_cameras, read_json, read_metadata
from partgraph_humanpose.datasets.human36m.protocol import CAMERAS

LIKE_THE_REAL_ONES = (1145, 1143, 512.5, 515.5, -0.2, 0.24, -0.002, -0.0009, -0.0016)


def camera(intrinsic=LIKE_THE_REAL_ONES, extrinsic=(0.0,) * 6):
    return Camera.from_numbers(extrinsic, intrinsic)


def opencv(points, intrinsic):
    """OpenCV's documented model with its coefficients k1, k2, p1, p2, k3."""
    fx, fy, cx, cy, k1, k2, k3, p1, p2 = intrinsic
    x, y = points[..., 0] / points[..., 2], points[..., 1] / points[..., 2]
    r2 = x**2 + y**2
    radial = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3
    return np.stack(
        [
            fx * (x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x**2)) + cx,
            fy * (y * radial + p1 * (r2 + 2 * y**2) + 2 * p2 * x * y) + cy,
        ],
        -1,
    )


def test_a_projection_worked_out_by_hand():
    """x = 0.5, y = 0.25, r2 = 0.3125; radial = 1 + 0.1 * 0.3125 = 1.03125;
    tangential = 0.02 * 0.25 + 0.04 * 0.5 = 0.025;
    u = 100 (0.5 * 1.05625 + 0.04 * 0.3125) + 10, v = 200 (0.25 * 1.05625 + 0.02 * 0.3125) + 20.
    """
    own = camera((100, 200, 10, 20, 0.1, 0, 0, 0.02, 0.04))
    np.testing.assert_allclose(own.project([1000.0, 500.0, 2000.0]), [64.0625, 74.0625], rtol=0, atol=1e-12)


def test_all_radial_terms_by_hand():
    """x = 1, y = 0, r2 = 1: radial = 1 + k1 + k2 + k3."""
    own = camera((100, 100, 0, 0, 0.1, 0.02, 0.003, 0, 0))
    np.testing.assert_allclose(own.project([2.0, 0.0, 2.0]), [112.3, 0], atol=1e-12)


@given(st.integers(0, 10_000))
def test_it_is_opencvs_without_tangential_distortion_and_another_with(seed):
    random = np.random.default_rng(seed)
    points = np.column_stack([random.uniform(-900, 900, (8, 2)), random.uniform(3000, 6000, 8)])
    without = (*LIKE_THE_REAL_ONES[:7], 0.0, 0.0)
    np.testing.assert_allclose(camera(without).project(points), opencv(points, without), atol=1e-9)
    difference = camera().project(points) - opencv(points, LIKE_THE_REAL_ONES)
    assert 1e-4 < np.abs(difference).max() < 1.0


@given(st.integers(0, 10_000))
def test_unprojecting_undoes_projecting(seed):
    random = np.random.default_rng(seed)
    points = np.column_stack([random.uniform(-1500, 1500, (5, 2)), random.uniform(3000, 7000, 5)])
    own = camera()
    np.testing.assert_allclose(own.unproject(own.project(points), points[:, 2]), points, atol=1e-6)


def test_the_centre_of_the_picture_lies_straight_ahead():
    own = camera((1000, 1000, 500, 500, *[0.0] * 5))
    np.testing.assert_allclose(own.unproject([500, 500], 4000), [0, 0, 4000])
    np.testing.assert_allclose(
        own.unproject([[600, 500], [500, 400]], 2000), [[200, 0, 2000], [0, -200, 2000]]
    )


def test_points_that_are_not_in_front_are_not_seen():
    assert np.isnan(camera().project([[10, 10, 0], [10, 10, -5]])).all()
    assert np.isfinite(camera().project([10, 10, 5])).all()


def test_where_the_distortion_cannot_be_undone_there_is_no_point():
    own = camera((100, 100, 0, 0, -0.5, 0, 0, 0, 0))
    assert np.isnan(own.unproject([[5000, 0]], [1.0])).all()
    found = own.unproject([[5000, 0], [10, 0]], [1.0, 1.0])
    assert np.isfinite(found[1]).all()


def test_the_camera_looks_from_where_it_stands():
    """A quarter turn about x takes the world's y to the camera's z: R (0, 1, 0) = (0, 0, 1)."""
    own = camera(extrinsic=(np.pi / 2, 0, 0, 10, 20, 30))
    np.testing.assert_allclose(own.to_camera([10, 20, 30]), [0, 0, 0], atol=1e-12)
    np.testing.assert_allclose(own.to_camera([10, 120, 30]), [0, 0, 100], atol=1e-12)
    np.testing.assert_allclose(own.to_world([0, 0, 100]), [10, 120, 30], atol=1e-12)


def test_angles_turn_about_x_after_y_after_z():
    """Rz takes x to y, Ry takes z to x, Rx takes y to z; the product applies z first."""
    quarter = np.pi / 2
    x = np.array([1.0, 0, 0])
    np.testing.assert_allclose(camera(extrinsic=(0, 0, quarter, 0, 0, 0)).to_camera(x), [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(
        camera(extrinsic=(quarter, 0, quarter, 0, 0, 0)).to_camera(x), [0, 0, 1], atol=1e-12
    )
    np.testing.assert_allclose(
        camera(extrinsic=(0, quarter, 0, 0, 0, 0)).to_camera(x), [0, 0, -1], atol=1e-12
    )


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_world_and_camera_are_inverse_and_rigid(seed):
    random = np.random.default_rng(seed)
    own = camera(extrinsic=(*random.uniform(-3, 3, 3), *random.uniform(-5000, 5000, 3)))
    points = random.normal(0, 2000, (6, 3))
    np.testing.assert_allclose(own.to_world(own.to_camera(points)), points, atol=1e-8)
    np.testing.assert_allclose(own.rotation @ own.rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(own.rotation) == pytest.approx(1)


def test_quaternions():
    half = np.sqrt(0.5)
    np.testing.assert_allclose(rotation_of_quaternion([1, 0, 0, 0]), np.eye(3))
    quarter_about_z = rotation_of_quaternion([half, 0, 0, half])
    np.testing.assert_allclose(quarter_about_z @ [1, 0, 0], [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(rotation_of_quaternion([2, 0, 0, 2]), quarter_about_z, atol=1e-12)


def test_metadata_has_extrinsics_by_camera_and_subject_then_intrinsics(studio, tmp_path):
    studio.write_metadata(tmp_path)
    cameras = read_metadata(tmp_path / "metadata.xml")
    assert len(cameras) == 44
    for k, name in enumerate(CAMERAS):
        for subject in (1, 7, 11):
            own = cameras[f"S{subject}", name]
            np.testing.assert_array_equal(own.position, studio.extrinsic[k, subject - 1, 3:])
            np.testing.assert_array_equal(own.focal, studio.intrinsic[k, :2])
            np.testing.assert_array_equal(own.center, studio.intrinsic[k, 2:4])
            np.testing.assert_array_equal(own.radial, studio.intrinsic[k, 4:7])
            np.testing.assert_array_equal(own.tangential, studio.intrinsic[k, 7:])


def test_cameras_from_json_are_those_of_metadata(studio, tmp_path):
    studio.write_metadata(tmp_path)
    studio.write_cameras_json(tmp_path)
    one, other = read_metadata(tmp_path / "metadata.xml"), read_json(tmp_path / "cameras.json")
    assert ("S2", CAMERAS[0]) not in other
    for key, own in other.items():
        for name in ("rotation", "position", "focal", "center", "radial", "tangential"):
            np.testing.assert_allclose(getattr(own, name), getattr(one[key], name), atol=1e-12)


def test_cameras_are_looked_for_in_the_folder_and_above_it(studio, tmp_path):
    (tmp_path / "inner").mkdir()
    assert find_cameras(tmp_path / "inner") is None
    studio.write_metadata(tmp_path)
    assert len(find_cameras(tmp_path / "inner")) == 44


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<a><w0>[1 2 3]</w0></a>", "found 3"),
        ("<a></a>", "found 0"),
        ("<a><w0>[1 2 x]</w0></a>", "could not convert"),
        ("no xml", "syntax error"),
        ("<a><w0>[" + "nan " * 300 + "]</w0></a>", "found 0"),
    ],
)
def test_other_metadata_is_refused_in_one_line(tmp_path, text, found):
    path = tmp_path / "metadata.xml"
    path.write_text(text)
    with pytest.raises(DataError, match=found) as caught:
        read_metadata(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"intrinsic": [], "extrinsic": {"S1": [{}]}},
        [],
        {"intrinsic": [{}], "extrinsic": {"S1": [{"a": 1}]}},
    ],
)
def test_other_json_is_refused(tmp_path, values):
    path = tmp_path / "cameras.json"
    path.write_text(json.dumps(values))
    with pytest.raises(DataError, match=r"cameras\.json: .*docs/data.md"):
        read_json(path)
