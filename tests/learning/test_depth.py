"""The depth that goes with an image."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from partgraph.learning.depth import relative_depth
from partgraph.metrics import reconstruction_error


def pose(seed, parts=16):
    random = np.random.default_rng(seed)
    return random.normal(0, [200, 500, 150], (parts, 3)) + random.normal(0, 500, 3) + [0, 0, 4000]


def orthographic(camera, scale, center):
    return camera[:, :2] * scale + center


@given(st.integers(0, 10**6), st.floats(1e-3, 10), st.integers(0, 15))
def test_orthographic_projections_have_no_floor(seed, scale, root):
    """Image and depth together are then the pose itself, scaled: nothing is left after similarity alignment."""
    camera = pose(seed)
    projected = orthographic(camera, scale, np.array([64.0, 60]))
    target = np.column_stack([projected, relative_depth(projected, camera, root)])
    assert reconstruction_error(target, camera) < 1e-3 * np.sqrt(camera.var(0).sum()) * 0.01
    assert target[root, 2] == 0


@given(st.integers(0, 10**6), st.floats(1e-3, 1e3), st.floats(0.01, 100))
def test_depth_does_not_depend_on_the_unit_of_length_and_scales_with_the_image(seed, unit, zoom):
    camera = pose(seed)
    projected = camera[:, :2] / camera[:, 2:] * 1000
    depth = relative_depth(projected, camera, 6)
    np.testing.assert_allclose(relative_depth(projected, camera * unit, 6), depth, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(relative_depth(projected * zoom, camera, 6), depth * zoom, rtol=1e-4)


@given(st.integers(0, 10**6), st.integers(0, 15))
def test_ratio_of_standard_deviations_is_that_of_the_image(seed, root):
    """Section 3.2: what holds for x and y together holds for z."""
    camera = pose(seed)
    projected = camera[:, :2] / camera[:, 2:] * 1000 + 30
    depth = relative_depth(projected, camera, root)
    assert depth.dtype == np.float32
    assert depth[root] == 0
    ratio = np.sqrt(projected.var(0).sum() / camera[:, :2].var(0).sum())
    assert depth.std() / camera[:, 2].std() == pytest.approx(ratio, rel=1e-5)
    assert np.corrcoef(depth, camera[:, 2])[0, 1] == pytest.approx(1)


def test_farther_is_larger():
    camera = pose(0)
    camera[3, 2] = camera[6, 2] + 300
    projected = camera[:, :2] / camera[:, 2:] * 1000
    assert relative_depth(projected, camera, 6)[3] > 0


def test_perspective_leaves_a_floor_that_shrinks_with_distance():
    near, far = pose(1), pose(1)
    near[:, 2] += 3000 - near[:, 2].mean()
    far[:, 2] += 30000 - far[:, 2].mean()
    errors = []
    for camera in (near, far):
        projected = camera[:, :2] / camera[:, 2:] * 1000
        target = np.column_stack([projected, relative_depth(projected, camera, 6)])
        errors.append(float(reconstruction_error(target, camera)))
    assert errors[0] > 3 * errors[1] > 0


@pytest.mark.parametrize("value", [0.0, 0.1, 1234.5678])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_parts_on_one_line_of_sight_are_refused(value, kind):
    camera = np.full((16, 3), value, kind)
    camera[:, 2] = np.arange(16)
    with pytest.raises(ValueError, match="no scale"):
        relative_depth(camera[:, :2], camera, 6)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_positions_that_are_not_finite_are_refused(value):
    camera = pose(0)
    camera[3, 0] = value
    with np.errstate(invalid="ignore"), pytest.raises(ValueError, match="not finite"):
        relative_depth(camera[:, :2], camera, 6)


def test_a_turned_orthographic_pose_keeps_its_shape():
    camera = pose(2)
    turned = (camera - camera.mean(0)) @ Rotation.random(random_state=0).as_matrix().T
    projected = orthographic(turned, 0.2, np.zeros(2))
    target = np.column_stack([projected, relative_depth(projected, turned, 6)])
    assert reconstruction_error(target, camera) < 1e-3
