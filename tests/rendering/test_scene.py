"""Pictures of posed meshes: joints where the camera has them, seen where nothing is before them."""

import attrs
import numpy as np
import pytest

from partgraph.metrics import similarity_transform
from partgraph.rendering import SceneOptions, draw_scene, muted_colors, rasterise
from partgraph.rendering import scene as scene_module
from partgraph.rendering.camera import random_camera

SIZE = 96


def one_color(mesh):
    return lambda random: np.broadcast_to(muted_colors(random, 1), (len(mesh.faces), 3))


@pytest.fixture
def draw(mannequin):
    def make(seed, size=SIZE, options=None):
        mesh = mannequin(seed)
        random = np.random.default_rng(seed)
        return draw_scene(mesh, one_color(mesh), size, options or SceneOptions(), random)

    return make


@pytest.mark.parametrize("seed", range(6))
def test_joints_are_projected_by_a_pinhole_up_to_the_crops_similarity(draw, seed):
    """The crop scales and shifts the image plane: one factor, no turn, no mirror."""
    picture = draw(seed)
    plane = picture.camera[:, :2] / picture.camera[:, 2:]
    centered, shown = plane - plane.mean(0), picture.projected - picture.projected.mean(0)
    scale = (centered * shown).sum() / (centered**2).sum()
    assert scale > 0
    np.testing.assert_allclose(shown, scale * centered, atol=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_camera_coordinates_are_the_mesh_moved_and_turned(draw, mannequin, seed):
    """Neither scaled nor mirrored: what is left in the mesh is left in the camera."""
    picture, own = draw(seed), mannequin(seed)
    move = similarity_transform(own.joints, picture.camera)
    assert move.scale == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(move(own.joints), picture.camera, atol=1e-6)


@pytest.mark.parametrize("seed", range(8))
def test_the_camera_is_where_the_options_say(seed):
    target = np.array([0.3, -0.2, 0.9])

    def camera(roll):
        return random_camera(target, (3.0, 4.0), (0.1, 0.3), roll, np.random.default_rng(seed))

    rotation, eye = camera(roll=0.0)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)
    seen = rotation @ (target - eye)
    np.testing.assert_allclose(seen[:2], 0, atol=1e-12)
    assert 3.0 <= seen[2] <= 4.0
    up = rotation @ np.array([0, 0, 1.0])
    assert up[0] == pytest.approx(0, abs=1e-12)
    assert up[1] < -0.9
    assert 0.1 <= np.arcsin((eye - target)[2] / seen[2]) <= 0.3
    rolled, _ = camera(roll=0.5)
    np.testing.assert_allclose(rolled @ rolled.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(rolled[2], rotation[2], atol=1e-12)
    assert abs((rolled @ np.array([0, 0, 1.0]))[0]) > 1e-3


@pytest.mark.parametrize("seed", range(6))
def test_the_mesh_fits_into_the_crop(draw, seed, monkeypatch):
    drawn = {}

    def spy(points, depth, faces, height, width):
        drawn["points"] = points
        return rasterise(points, depth, faces, height, width)

    monkeypatch.setattr(scene_module, "rasterise", spy)
    picture = draw(seed, options=SceneOptions(margin=(1.1, 1.1), shift=0.0))
    points = drawn["points"]
    assert (points > 0).all()
    assert (points < SIZE).all()
    assert np.ptp(points, axis=0).max() <= SIZE / 1.1 + 1e-6
    np.testing.assert_allclose((points.min(0) + points.max(0)) / 2, SIZE / 2, atol=1e-6)
    assert ((picture.projected > 0) & (picture.projected < SIZE)).all()


@pytest.mark.parametrize("seed", range(4))
def test_what_is_drawn_is_turned_to_the_camera(draw, mannequin, seed, monkeypatch):
    """Of a closed mesh the faces that point away are behind the others: leaving them out changes no depth."""
    seen = {}

    def spy(points, depth, faces, height, width):
        seen["face"], seen["nearest"] = rasterise(points, depth, faces, height, width)
        seen["every"] = rasterise(points, depth, mannequin(seed).faces, height, width)[1]
        return seen["face"], seen["nearest"]

    monkeypatch.setattr(scene_module, "rasterise", spy)
    draw(seed)
    both = np.isfinite(seen["nearest"]) & np.isfinite(seen["every"])
    assert both.sum() > 200
    assert (np.abs(seen["nearest"][both] - seen["every"][both]) < 0.02).mean() > 0.98
    assert (np.isfinite(seen["nearest"]) == np.isfinite(seen["every"])).mean() > 0.99


def hits(joint, vertices, faces):
    """Depths along the ray from the camera through a joint at which it meets the mesh."""
    direction = joint / joint[2]
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    edge1, edge2 = b - a, c - a
    p = np.cross(direction, edge2)
    det = (edge1 * p).sum(1)
    safe = np.where(np.abs(det) < 1e-15, 1, det)
    u = (-a * p).sum(1) / safe
    q = np.cross(-a, edge1)
    v = (q @ direction) / safe
    t = (edge2 * q).sum(1) / safe
    met = (np.abs(det) > 1e-15) & (u >= 0) & (v >= 0) & (u + v <= 1) & (t > 0)
    return t[met]


def test_joints_behind_the_mesh_are_hidden(mannequin, monkeypatch):
    """Against rays cast through the whole mesh; near the limit of 0.12 m and at outlines pixels may differ."""
    cameras = {}
    original = scene_module.random_camera

    def spy(*arguments):
        cameras["last"] = original(*arguments)
        return cameras["last"]

    monkeypatch.setattr(scene_module, "random_camera", spy)
    agreed, compared, hidden = 0, 0, 0
    for seed in range(12):
        own = mannequin(seed)
        picture = draw_scene(
            own, one_color(own), 160, SceneOptions(occluders=(1.0,), shift=0.0), np.random.default_rng(seed)
        )
        rotation, eye = cameras["last"]
        vertices = (own.vertices - eye) @ rotation.T
        for joint, visible in zip(picture.camera, picture.visible, strict=True):
            depths = hits(joint, vertices, own.faces)
            nearest = depths.min(initial=np.inf)
            if abs(joint[2] - nearest - 0.12) < 0.02:
                continue
            compared += 1
            agreed += visible == (joint[2] < nearest + 0.12)
            hidden += not visible
    assert hidden > 10
    assert agreed / compared > 0.97


@pytest.mark.parametrize("seed", range(6))
def test_joints_under_an_occluder_are_hidden_and_no_others(draw, seed, monkeypatch):
    painted = []
    original = scene_module.rectangle

    def spy(*arguments):
        painted.append(original(*arguments))
        return painted[-1]

    monkeypatch.setattr(scene_module, "rectangle", spy)
    without = draw(seed, options=SceneOptions(occluders=(1.0, 0.0, 0.0, 0.0)))
    painted.clear()
    covered = draw(seed, options=SceneOptions(occluders=(0.0, 0.0, 0.0, 1.0)))
    np.testing.assert_array_equal(without.projected, covered.projected)
    x, y = covered.projected.T
    under = np.zeros(16, bool)
    for left, top, right, bottom in painted[-3:]:
        assert 0 <= left < right <= SIZE
        assert 0 <= top < bottom <= SIZE
        under |= (x >= left) & (x < right) & (y >= top) & (y < bottom)
    np.testing.assert_array_equal(covered.visible, without.visible & ~under)


def test_joints_outside_the_crop_are_hidden(draw):
    hidden = 0
    for seed in range(5):
        picture = draw(seed, options=SceneOptions(margin=(0.5, 0.5), occluders=(1.0,)))
        outside = ((picture.projected < 0) | (picture.projected >= SIZE)).any(1)
        assert not picture.visible[outside].any()
        hidden += outside.sum()
    assert hidden > 10


def test_most_joints_of_an_uncovered_mesh_are_seen(draw):
    seen = [draw(seed, options=SceneOptions(occluders=(1.0,))).visible.mean() for seed in range(10)]
    assert 0.6 < np.mean(seen) < 1


@pytest.mark.parametrize("size", [16, 40, 96])
def test_pictures_are_bytes_of_the_size_asked_for(draw, size):
    picture = draw(0, size)
    assert picture.image.shape == (size, size, 3)
    assert picture.image.dtype == np.uint8
    assert picture.image.std() > 5


def test_the_mesh_stands_out_where_it_is_drawn(draw, mannequin, monkeypatch):
    """Without noise the same scene with and without colour differs at the mesh's pixels and nowhere else."""
    faces = {}

    def spy(points, depth, chosen, height, width):
        faces["face"], nearest = rasterise(points, depth, chosen, height, width)
        return faces["face"], nearest

    monkeypatch.setattr(scene_module, "rasterise", spy)
    mesh, bare = mannequin(3), SceneOptions(noise=0.0, occluders=(1.0,))
    shown = draw(3, options=bare)
    black = draw_scene(
        mesh, lambda random: np.zeros((len(mesh.faces), 3)), SIZE, bare, np.random.default_rng(3)
    )
    drawn = faces["face"] >= 0
    np.testing.assert_array_equal(black.projected, shown.projected)
    assert (black.image[drawn] == 0).all()
    assert (shown.image[drawn].max(-1) > 0).mean() > 0.9
    assert (black.image[~drawn].max(-1) > 0).mean() > 0.9


def test_the_generator_decides_everything(draw):
    one, same, other = (draw(seed) for seed in (5, 5, 6))
    for field in attrs.fields(type(one)):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(same, field.name))
    assert not np.array_equal(one.image, other.image)
    assert not np.array_equal(one.projected, other.projected)
