"""A picture of a posed mesh: random camera, crop, light, background and things in front of it."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import numpy as np
from attrs.validators import ge, le
from numpy.typing import NDArray

from partgraph.rendering.camera import random_camera, random_crop
from partgraph.rendering.mesh import PosedMesh
from partgraph.rendering.paint import Texture, background, rectangle, shade
from partgraph.rendering.rasterise import rasterise

Paint = Callable[[np.random.Generator], NDArray[np.floating]]
"""Draws a random colour for every face: (F, 3), RGB in [0, 1]."""


@attrs.frozen
class SceneOptions:
    """Ranges that random scenes are drawn from.

    Attributes
    ----------
    distance : nearest and farthest camera, m
    elevation : lowest and highest angle of the camera above the horizon, radians
    roll : standard deviation of the camera's roll, radians
    margin : smallest and largest side of the crop, relative to the object
    shift : standard deviation of the crop's centre, relative to its side
    occluders : probabilities of zero, one, two ... rectangles in front of the object
    noise : standard deviation of the sensor's noise, of a full scale of one
    photographs : folders of JPEG and PNG files, of which random parts take the place of what else is painted
    photo_background, photo_occluders : how likely they do as the background, and in each rectangle
    """

    distance: tuple[float, float] = (3.5, 5.5)
    elevation: tuple[float, float] = (-0.05, 0.4)
    roll: float = 0.08
    margin: tuple[float, float] = (1.05, 1.2)
    shift: float = 0.02
    occluders: tuple[float, ...] = (0.4, 0.35, 0.2, 0.05)
    noise: float = 0.02
    photographs: tuple[str, ...] = ()
    photo_background: float = attrs.field(default=0.8, validator=[ge(0), le(1)])
    photo_occluders: float = attrs.field(default=0.5, validator=[ge(0), le(1)])


@attrs.frozen(eq=False)
class Picture:
    """A drawn object and where its joints are.

    Attributes
    ----------
    image : (S, S, 3) uint8, RGB
    projected : (N, 2) float64, px
    camera : (N, 3) float64, m, in camera coordinates (x right, y down, z forward)
    visible : (N,) bool
        Neither outside the picture nor behind another limb or a rectangle.
    """

    image: NDArray[np.uint8]
    projected: NDArray[np.float64]
    camera: NDArray[np.float64]
    visible: NDArray[np.bool_]


def draw_scene(
    mesh: PosedMesh,
    paint: Paint,
    size: int,
    options: SceneOptions,
    random: np.random.Generator,
    photographs: Texture | None = None,
) -> Picture:
    """Draw `mesh` into a square image of `size` pixels, everything else at random.

    `photographs` are those that the options name, which nothing is read from here.

    A joint is visible when it lies no farther behind the surface seen at its pixel than `PosedMesh.depth_inside`.
    """
    rotation, eye = random_camera(
        mesh.joints.mean(0), options.distance, options.elevation, options.roll, random
    )
    vertices, joints = (mesh.vertices - eye) @ rotation.T, (mesh.joints - eye) @ rotation.T
    center, side = random_crop(vertices, joints, options.margin, options.shift, random)
    points = (vertices[:, :2] / vertices[:, 2:] - center) * (size / side) + size / 2
    projected = (joints[:, :2] / joints[:, 2:] - center) * (size / side) + size / 2

    a, b, c = (points[corner] for corner in mesh.faces.T)
    edge1, edge2 = b - a, c - a
    front = np.flatnonzero(edge1[:, 0] * edge2[:, 1] - edge1[:, 1] * edge2[:, 0] < 0)
    face, nearest = rasterise(points, vertices[:, 2], mesh.faces[front], size, size)

    photograph = _maybe(photographs, options.photo_background, random)
    image = background(size, random) if photograph is None else photograph(size, size, random)
    seen = face >= 0
    drawn = front[face[seen]]
    image[seen] = paint(random)[drawn] * shade(vertices, mesh.faces[drawn], random)

    pixel = np.clip(projected.astype(int), 0, size - 1)
    visible = joints[:, 2] < nearest[pixel[:, 1], pixel[:, 0]] + mesh.depth_inside
    visible &= ((projected >= 0) & (projected < size)).all(1)
    for _ in range(random.choice(len(options.occluders), p=options.occluders)):
        texture = _maybe(photographs, options.photo_occluders, random)
        left, top, right, bottom = rectangle(image, random, texture)
        x, y = projected.T
        visible &= ~((x >= left) & (x < right) & (y >= top) & (y < bottom))

    image = image * random.uniform(0.8, 1.15) + random.normal(0, options.noise, image.shape)
    return Picture((np.clip(image, 0, 1) * 255).astype(np.uint8), projected, joints, visible)


def _maybe(texture: Texture | None, share: float, random: np.random.Generator) -> Texture | None:
    """The texture, with that probability. Where there is none nothing is drawn: pictures stay as they were."""
    return texture if texture is not None and random.random() < share else None
