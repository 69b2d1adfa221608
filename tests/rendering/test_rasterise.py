"""The z-buffer against a brute-force search at every pixel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from partgraph.rendering import rasterise

TIE = 1e-3  # px: nearer to an edge than this, a pixel may count as inside or outside


def brute(points, depth, faces, height, width):
    """For every pixel and face: whether its centre is inside, how near it is to an edge, and how deep."""
    y, x = np.mgrid[:height, :width] + 0.5
    inside = np.zeros((len(faces), height, width), bool)
    unsure = np.zeros_like(inside)
    z = np.full(inside.shape, np.inf)
    for k, face in enumerate(faces):
        if (depth[face] <= 0.05).any():
            continue
        a, b, c = points[face].astype(np.float64)
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if abs(area) < 1e-9:
            continue
        weights, gaps = [], []
        for p, q in ((b, c), (c, a), (a, b)):
            part = (q[0] - p[0]) * (y - p[1]) - (q[1] - p[1]) * (x - p[0])
            weights.append(part / area)
            gaps.append(part / np.hypot(*(q - p)) * np.sign(area))
        nearest_edge = np.min(gaps, 0)
        inside[k] = nearest_edge > 0
        unsure[k] = np.abs(nearest_edge) < TIE
        z[k] = 1 / sum(w / d for w, d in zip(weights, depth[face], strict=True))
    return inside, unsure, z


def compare(points, depth, faces, height, width):
    face, nearest = rasterise(points, depth, faces, height, width)
    assert face.shape == nearest.shape == (height, width)
    assert face.dtype == np.int32
    assert nearest.dtype == np.float32
    assert ((face >= 0) == np.isfinite(nearest)).all()
    inside, unsure, z = brute(points, depth, faces, height, width)
    depths = np.where(inside & ~unsure, z, np.inf)
    expected = depths.min(0, initial=np.inf)
    clear = ~unsure.any(0)
    np.testing.assert_array_equal(clear & (face >= 0), clear & np.isfinite(expected))
    seen = clear & (face >= 0)
    np.testing.assert_allclose(nearest[seen], expected[seen], rtol=2e-3)
    at = np.nonzero(seen)
    chosen = depths[(face[at], *at)]  # the face named is the nearest one, or as near as makes no difference
    np.testing.assert_allclose(chosen, expected[at], rtol=2e-3)
    return seen.sum()


@st.composite
def meshes(draw):
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    vertices, faces = draw(st.integers(3, 12)), draw(st.integers(1, 12))
    spread = draw(st.sampled_from([2, 10, 30, 100]))
    points = random.normal(draw(st.sampled_from([0, 8, 15])), spread, (vertices, 2))
    depth = random.uniform(0.5, draw(st.sampled_from([0.6, 3, 50])), vertices)
    return points, depth, np.array([random.choice(vertices, 3, replace=False) for _ in range(faces)])


@settings(deadline=None, max_examples=150)
@given(meshes(), st.integers(1, 25), st.integers(1, 25))
def test_equals_brute_force(mesh, height, width):
    compare(*mesh, height, width)


@pytest.mark.parametrize("size", [0.3, 1, 1.5, 3, 6, 12, 24, 48, 96])
def test_every_class_of_sizes(size):
    """From triangles between pixel centres to triangles larger than the image."""
    random = np.random.default_rng(0)
    center = random.uniform(0, 64, (60, 1, 2))
    points = (center + random.normal(0, size, (60, 3, 2))).reshape(-1, 2)
    depth = random.uniform(1, 9, 180)
    seen = compare(points, depth, np.arange(180).reshape(60, 3), 64, 48)
    assert seen > 0


def test_one_triangle_by_hand():
    points = np.array([[1.1, 1], [5.1, 5], [1.1, 5]])
    face, nearest = rasterise(points, np.full(3, 2.0), np.array([[0, 1, 2]]), 6, 6)
    drawn = ["......", ".#....", ".##...", ".###..", ".####.", "......"]
    np.testing.assert_array_equal(face == 0, [[pixel == "#" for pixel in row] for row in drawn])
    np.testing.assert_allclose(nearest[face == 0], 2.0, rtol=1e-6)


def test_both_windings_are_drawn():
    points = np.array([[0.0, 0], [8, 0], [0, 8]])
    faces = [rasterise(points, np.ones(3), np.array([order]), 8, 8)[0] for order in ((0, 1, 2), (0, 2, 1))]
    np.testing.assert_array_equal(*faces)
    assert (faces[0] == 0).sum() > 20


def test_depth_is_perspective_correct():
    """A plane seen at an angle: depth at a pixel is where its ray meets the plane, not the mean of the corners'."""
    focal, size = 20.0, 40
    corners = np.array([[-3.0, -2, 2], [3, -2, 9], [3, 2, 9], [-3, 2, 2]])  # z = 2 + 7 (x + 3) / 6
    points = corners[:, :2] / corners[:, 2:] * focal + size / 2
    face, nearest = rasterise(points, corners[:, 2], np.array([[0, 1, 2], [0, 2, 3]]), size, size)
    column = np.broadcast_to(np.arange(size) + 0.5, (size, size))
    slope = (column - size / 2) / focal  # x = slope z on the pixel's ray
    expected = (2 + 3.5) / (1 - 7 / 6 * slope)
    seen = face >= 0
    assert seen.sum() > 200
    np.testing.assert_allclose(nearest[seen], expected[seen], rtol=1e-4)
    assert np.ptp(nearest[seen]) > 4


def test_the_nearer_of_two_covers_the_farther():
    points = np.array([[0.0, 0], [20, 0], [0, 20], [0, 0], [20, 0], [0, 20]])
    for near in (0, 1):
        depth = np.repeat([1.0 if near == 0 else 3.0, 2.0], 3)
        face, nearest = rasterise(points, depth, np.arange(6).reshape(2, 3), 10, 10)
        assert set(face[:9, :9][face[:9, :9] >= 0]) == {near}
        np.testing.assert_allclose(nearest[face >= 0], min(depth))


def test_planes_that_cross():
    points = np.array([[0.0, 0], [10, 0], [10, 10], [0, 10]])
    rising, falling = np.array([1.0, 3, 3, 1]), np.array([3.0, 1, 1, 3])
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    face, _ = rasterise(
        np.tile(points, (2, 1)), np.concatenate([rising, falling]), np.concatenate([faces, faces + 4]), 10, 10
    )
    assert (face[:, :4] < 2).all()
    assert (face[:, 6:] >= 2).all()


@pytest.mark.parametrize("depth", [0.05, 0.04, 0.0, -1.0])
def test_nearer_than_the_near_plane_nothing_is_drawn(depth):
    points = np.array([[0.0, 0], [8, 0], [0, 8]])
    face, nearest = rasterise(points, np.array([1.0, 1.0, depth]), np.array([[0, 1, 2]]), 8, 8)
    assert (face == -1).all()
    assert np.isinf(nearest).all()


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, 1e30, -1e30])
def test_a_vertex_at_the_camera_has_no_place_and_does_no_harm(value):
    """Projected by a depth of nearly zero, points may be anywhere; the other faces are drawn all the same."""
    points = np.array([[0.0, 0], [8, 0], [0, 8], [value, value]])
    depth = np.array([1.0, 1, 1, 0.01])
    face, _ = rasterise(points, depth, np.array([[0, 1, 2], [1, 2, 3]]), 8, 8)
    alone, _ = rasterise(points[:3], depth[:3], np.array([[0, 1, 2]]), 8, 8)
    np.testing.assert_array_equal(face, alone)
    assert (face == 0).sum() > 20


def test_nothing_to_draw():
    face, nearest = rasterise(np.zeros((0, 2)), np.zeros(0), np.zeros((0, 3), int), 4, 6)
    assert face.shape == (4, 6)
    assert (face == -1).all()
    assert np.isinf(nearest).all()


@pytest.mark.parametrize("shift", [(-100, 0), (100, 0), (0, -100), (0, 100)])
def test_beside_the_image(shift):
    points = np.array([[0.0, 0], [8, 0], [0, 8]]) + shift
    face, _ = rasterise(points, np.ones(3), np.array([[0, 1, 2]]), 8, 8)
    assert (face == -1).all()


def test_triangles_without_area_are_not_drawn():
    points = np.array([[0.0, 0], [4, 4], [8, 8], [3, 3]])
    face, _ = rasterise(points, np.ones(4), np.array([[0, 1, 2], [3, 3, 3], [0, 0, 1]]), 8, 8)
    assert (face == -1).all()


def test_a_closed_mesh_has_no_cracks():
    """Neighbouring triangles share their edges without gaps: a grid of jittered points covers the whole image."""
    random = np.random.default_rng(0)
    count = 24
    y, x = np.mgrid[:count, :count].astype(float)
    points = np.stack([x, y], -1) * 40 / (count - 1) - 4 + random.normal(0, 0.3, (count, count, 2))
    index = np.arange(count * count).reshape(count, count)
    a, b, c, d = (
        index[:-1, :-1].ravel(),
        index[:-1, 1:].ravel(),
        index[1:, 1:].ravel(),
        index[1:, :-1].ravel(),
    )
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    face, _ = rasterise(points.reshape(-1, 2), np.full(count * count, 2.0), faces, 32, 32)
    assert (face >= 0).all()
