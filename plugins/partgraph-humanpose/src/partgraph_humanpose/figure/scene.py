"""A picture of a posed body: random camera, light, clothes, background and things in front."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from partgraph_humanpose.figure.body import BodyModel, PosedBody
from partgraph_humanpose.figure.rasterise import rasterise

_SKIN_TONES = np.array([[0.93, 0.76, 0.65], [0.82, 0.61, 0.47], [0.63, 0.43, 0.31], [0.40, 0.27, 0.20]])
_VISIBLE_WITHIN = 0.12  # m: a joint lies inside the body, this far behind the surface at most


@attrs.frozen
class SceneOptions:
    """Ranges that random scenes are drawn from.

    Attributes
    ----------
    distance : nearest and farthest camera, m
    elevation : lowest and highest angle of the camera above the horizon, radians
    roll : standard deviation of the camera's roll, radians
    margin : smallest and largest side of the crop, relative to the figure
    shift : standard deviation of the crop's centre, relative to its side
    occluders : probabilities of zero, one, two ... rectangles in front of the figure
    noise : standard deviation of the sensor's noise, of a full scale of one
    """

    distance: tuple[float, float] = (3.5, 5.5)
    elevation: tuple[float, float] = (-0.05, 0.4)
    roll: float = 0.08
    margin: tuple[float, float] = (1.05, 1.2)
    shift: float = 0.02
    occluders: tuple[float, ...] = (0.4, 0.35, 0.2, 0.05)
    noise: float = 0.02


@attrs.frozen(eq=False)
class Picture:
    """A drawn figure and where its joints are.

    Attributes
    ----------
    image : (S, S, 3) uint8, RGB
    projected : (16, 2) float64, px
    camera : (16, 3) float64, m, in camera coordinates (x right, y down, z forward)
    visible : (16,) bool
    """

    image: NDArray[np.uint8]
    projected: NDArray[np.float64]
    camera: NDArray[np.float64]
    visible: NDArray[np.bool_]


def draw_scene(
    body: BodyModel, posed: PosedBody, size: int, options: SceneOptions, random: np.random.Generator
) -> Picture:
    """Draw `posed` into a square image of `size` pixels, everything else at random."""
    rotation, eye = _camera(posed.joints.mean(0), options, random)
    vertices, joints = (posed.vertices - eye) @ rotation.T, (posed.joints - eye) @ rotation.T
    center, side = _crop(vertices, joints, options, random)
    points = (vertices[:, :2] / vertices[:, 2:] - center) * (size / side) + size / 2
    projected = (joints[:, :2] / joints[:, 2:] - center) * (size / side) + size / 2

    edge1, edge2 = (points[body.faces[:, k]] - points[body.faces[:, 0]] for k in (1, 2))
    front = np.flatnonzero(edge1[:, 0] * edge2[:, 1] - edge1[:, 1] * edge2[:, 0] < 0)
    face, nearest = rasterise(points, vertices[:, 2], body.faces[front], size, size)

    image = _background(size, random)
    seen = face >= 0
    drawn = front[face[seen]]
    image[seen] = _clothes(body, random)[drawn] * _shade(vertices, body.faces[drawn], random)

    pixel = np.clip(projected.astype(int), 0, size - 1)
    visible = joints[:, 2] < nearest[pixel[:, 1], pixel[:, 0]] + _VISIBLE_WITHIN
    visible &= ((projected >= 0) & (projected < size)).all(1)
    for _ in range(random.choice(len(options.occluders), p=options.occluders)):
        left, top, right, bottom = _rectangle(image, random)
        x, y = projected.T
        visible &= ~((x >= left) & (x < right) & (y >= top) & (y < bottom))

    image = image * random.uniform(0.8, 1.15) + random.normal(0, options.noise, image.shape)
    return Picture((np.clip(image, 0, 1) * 255).astype(np.uint8), projected, joints, visible)


def _camera(
    target: NDArray[np.floating], options: SceneOptions, random: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rotation (3, 3) into camera coordinates and position (3,) of a camera that looks at `target`."""
    azimuth, elevation = random.uniform(0, 2 * np.pi), random.uniform(*options.elevation)
    away = np.array(
        [np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)]
    )
    right = np.cross(-away, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    upright = np.stack([right, np.cross(-away, right), -away])
    roll = random.normal(0, options.roll)
    cos, sin = np.cos(roll), np.sin(roll)
    return np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]) @ upright, target + away * random.uniform(
        *options.distance
    )


def _crop(
    vertices: NDArray[np.floating],
    joints: NDArray[np.floating],
    options: SceneOptions,
    random: np.random.Generator,
) -> tuple[NDArray[np.float64], float]:
    """Centre (2,) and side of the crop on the image plane at distance one; the depth of the figure fits in too."""
    plane = vertices[:, :2] / vertices[:, 2:]
    low, high = plane.min(0), plane.max(0)
    depth = np.ptp(joints[:, 2]) / joints[:, 2].mean()
    side = max((high - low).max(), 0.9 * depth) * random.uniform(*options.margin)
    return (low + high) / 2 + random.normal(0, options.shift, 2) * side, side


def _shade(
    vertices: NDArray[np.floating], faces: NDArray[np.integer], random: np.random.Generator
) -> NDArray[np.float64]:
    """Lambert's law under one distant lamp and a grey sky: a factor (f, 1) for each face."""
    corner = vertices[faces]
    normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-12
    normal *= np.where(normal[:, 2:] < 0, 1, -1)  # towards the camera
    lamp = np.array([random.uniform(-1, 1), random.uniform(-1.2, -0.2), random.uniform(-1.2, -0.2)])
    lamp /= np.linalg.norm(lamp)
    ambient = random.uniform(0.25, 0.55)
    return (ambient + (1 - ambient) * np.clip(normal @ lamp, 0, 1))[:, None]


def _clothes(body: BodyModel, random: np.random.Generator) -> NDArray[np.float64]:
    """Colour (F, 3) of every face: skin, hair, shirt, trousers and shoes of random cut and pattern."""
    rest, heads = body.rest(np.zeros(len(body.components)))
    position = rest[body.faces].mean(1)
    region = body.region[body.faces[:, 0]]
    bone = dict(zip(body.bones, heads, strict=True))

    skin = _SKIN_TONES[random.integers(len(_SKIN_TONES))] * random.uniform(0.85, 1.1)
    skin = np.clip(skin + random.normal(0, 0.02, 3), 0, 1)
    trousers, shirt, shoes = _colors(random, 3)
    color = np.array([skin, trousers, shirt, shoes])[region]

    owner = body.skin[body.faces[:, 0]].argmax(1)
    arm = np.isin(
        owner, [k for k, name in enumerate(body.bones) if name.startswith(("upperarm", "lowerarm"))]
    )
    reach = np.abs(position[:, 0])
    sleeve = random.uniform(abs(bone["upperarm01.L"][0]), abs(bone["wrist.L"][0]))
    color[arm & (reach < sleeve)] = shirt
    hem = random.uniform(bone["foot.L"][2], bone["upperleg01.L"][2])
    color[(region == 1) & (position[:, 2] < hem)] = skin
    face_front = bone["head"][1] - 0.02
    hairline = bone["head"][2] + random.uniform(0.0, 0.12)
    hair = (owner == body.bones.index("head")) & (position[:, 2] > hairline) & (position[:, 1] > face_front)
    hair |= (owner == body.bones.index("head")) & (position[:, 2] > bone["head"][2] + 0.11)
    if random.random() < 0.9:
        color[hair] = random.uniform(0.02, 0.75) * np.array([1.0, 0.82, 0.6])

    for cloth in (1, 2):  # stripes or a weave on trousers and shirt
        if random.random() < 0.35:
            axis, period = random.integers(0, 3), random.uniform(0.02, 0.12)
            stripe = (position[:, axis] / period % 1 < random.uniform(0.2, 0.8)) & (region == cloth)
            color[stripe] = _colors(random, 1)[0]
    return np.clip(color + random.normal(0, random.uniform(0, 0.04), (len(color), 1)), 0, 1)


def _colors(random: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Random colours (count, 3), mostly muted as in the world around us."""
    grey = random.uniform(0.05, 0.95, (count, 1))
    return grey + (random.uniform(0, 1, (count, 3)) - grey) * random.beta(1.2, 2.2, (count, 1))


def _background(size: int, random: np.random.Generator) -> NDArray[np.float64]:
    """A gradient with soft noise at several scales and a few plain or striped rectangles."""
    top, bottom = _colors(random, 2)
    height = np.linspace(0, 1, size)[:, None, None]
    image = np.broadcast_to(top * (1 - height) + bottom * height, (size, size, 3)).copy()
    for cells in (2, 5, 12, 30):
        grid = random.normal(0, random.uniform(0, 0.09), (cells + 1, cells + 1, 1)) * random.uniform(
            0.6, 1, 3
        )
        image += _magnified(grid, size)
    for _ in range(random.integers(0, 6)):
        _rectangle(image, random)
    return image


def _magnified(grid: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Bilinear interpolation of (c, c, k) values to (size, size, k)."""
    at = np.linspace(0, len(grid) - 1.001, size)
    low = at.astype(int)
    part = at - low
    rows = grid[low] * (1 - part)[:, None, None] + grid[low + 1] * part[:, None, None]
    return rows[:, low] * (1 - part)[None, :, None] + rows[:, low + 1] * part[None, :, None]


def _rectangle(image: NDArray[np.float64], random: np.random.Generator) -> tuple[int, int, int, int]:
    """Paint a plain or striped rectangle; its left, top, right and bottom edge."""
    size = len(image)
    width, height = random.integers(max(1, int(size * 0.1)), max(2, int(size * 0.36)), 2)
    left, top = random.integers(0, size - width), random.integers(0, size - height)
    stripes = np.zeros((height, width), int)
    pattern, period = random.integers(0, 3), random.integers(2, max(3, size // 16))
    if pattern == 1:
        stripes += (np.arange(height) // period % 2)[:, None]
    elif pattern == 2:
        stripes += np.arange(width) // period % 2
    image[top : top + height, left : left + width] = _colors(random, 2)[stripes]
    return left, top, left + width, top + height
