"""Colours, light and random rectangles: what makes pictures of one object differ where its joints do not."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Texture = Callable[[int, int, np.random.Generator], NDArray[np.float64]]
"""Draws a random rectangle of that height and width: (height, width, 3), RGB in [0, 1]."""


def muted_colors(random: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Random colours (count, 3), mostly muted as in the world around us."""
    grey = random.uniform(0.05, 0.95, (count, 1))
    return grey + (random.uniform(0, 1, (count, 3)) - grey) * random.beta(1.2, 2.2, (count, 1))


def shade(
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


def background(size: int, random: np.random.Generator) -> NDArray[np.float64]:
    """A gradient with soft noise at several scales and a few plain or striped rectangles."""
    top, bottom = muted_colors(random, 2)
    height = np.linspace(0, 1, size)[:, None, None]
    image = np.broadcast_to(top * (1 - height) + bottom * height, (size, size, 3)).copy()
    for cells in (2, 5, 12, 30):
        grid = random.normal(0, random.uniform(0, 0.09), (cells + 1, cells + 1, 1)) * random.uniform(
            0.6, 1, 3
        )
        image += _magnified(grid, size)
    for _ in range(random.integers(0, 6)):
        rectangle(image, random)
    return image


def rectangle(
    image: NDArray[np.float64], random: np.random.Generator, texture: Texture | None = None
) -> tuple[int, int, int, int]:
    """Paint a rectangle with a texture, by default plain or striped; its left, top, right and bottom edge."""
    size = len(image)
    width, height = random.integers(max(1, int(size * 0.1)), max(2, int(size * 0.36)), 2)
    left, top = random.integers(0, size - width), random.integers(0, size - height)
    draw = texture or functools.partial(_striped, max(3, size // 16))
    image[top : top + height, left : left + width] = draw(height, width, random)
    return left, top, left + width, top + height


def _striped(longest: int, height: int, width: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Plain, or with stripes of less than `longest` pixels."""
    stripes = np.zeros((height, width), int)
    pattern, period = random.integers(0, 3), random.integers(2, longest)
    if pattern == 1:
        stripes += (np.arange(height) // period % 2)[:, None]
    elif pattern == 2:
        stripes += np.arange(width) // period % 2
    return muted_colors(random, 2)[stripes]


def _magnified(grid: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Bilinear interpolation of (c, c, k) values to (size, size, k)."""
    at = np.linspace(0, len(grid) - 1.001, size)
    low = at.astype(int)
    part = at - low
    rows = grid[low] * (1 - part)[:, None, None] + grid[low + 1] * part[:, None, None]
    return rows[:, low] * (1 - part)[None, :, None] + rows[:, low + 1] * part[None, :, None]
