"""A random camera that looks at an object, and the square that is cut out around it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def random_camera(
    target: NDArray[np.floating],
    distance: tuple[float, float],
    elevation: tuple[float, float],
    roll: float,
    random: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rotation (3, 3) into camera coordinates and position (3,) of a camera that looks at `target`.

    Parameters
    ----------
    target : (3,) float, m, z up
    distance : nearest and farthest, m
    elevation : lowest and highest angle above the horizon, radians
    roll : standard deviation of the turn about the line of sight, radians
    """
    azimuth, height = random.uniform(0, 2 * np.pi), random.uniform(*elevation)
    away = np.array([np.cos(azimuth) * np.cos(height), np.sin(azimuth) * np.cos(height), np.sin(height)])
    right = np.cross(-away, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    upright = np.stack([right, np.cross(-away, right), -away])
    turn = random.normal(0, roll)
    cos, sin = np.cos(turn), np.sin(turn)
    rotation = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]) @ upright
    return rotation, target + away * random.uniform(*distance)


def random_crop(
    vertices: NDArray[np.floating],
    joints: NDArray[np.floating],
    margin: tuple[float, float],
    shift: float,
    random: np.random.Generator,
) -> tuple[NDArray[np.float64], float]:
    """Centre (2,) and side of the crop on the image plane at distance one; the object's depth fits in too.

    Parameters
    ----------
    vertices, joints : (V, 3), (N, 3) float, m, camera coordinates
    margin : smallest and largest side of the crop, relative to the object
    shift : standard deviation of its centre, relative to its side
    """
    plane = vertices[:, :2] / vertices[:, 2:]
    low, high = plane.min(0), plane.max(0)
    depth = np.ptp(joints[:, 2]) / joints[:, 2].mean()
    side = max((high - low).max(), 0.9 * depth) * random.uniform(*margin)
    return (low + high) / 2 + random.normal(0, shift, 2) * side, side
