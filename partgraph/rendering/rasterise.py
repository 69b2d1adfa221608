"""A z-buffer in NumPy for meshes whose triangles are about as small as a pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Triangles are drawn together with others whose bounding boxes need at most this many pixels a side.
_SIZE_CLASSES = (1, 2, 4, 8, 16, 32, 64, 128, 1 << 30)
_PIXELS_AT_ONCE = 2_000_000
_NEAREST_DEPTH = 0.05


def rasterise(
    points: NDArray[np.floating],
    depth: NDArray[np.floating],
    faces: NDArray[np.integer],
    height: int,
    width: int,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Which face is seen at every pixel, and how far away.

    Parameters
    ----------
    points : (V, 2) float, px
        Projected vertices; pixel centres lie at half integers.
    depth : (V,) float, any unit of length
        Distance of the vertices along the viewing axis; nearer than 0.05 is not drawn.
    faces : (F, 3) int
    height, width : size of the image in pixels

    Returns
    -------
    face : (H, W) int32, -1 where nothing is seen
    nearest : (H, W) float32, inf where nothing is seen
    """
    corner_depth = depth[faces].astype(np.float32)  # (F, 3)
    in_front = (corner_depth > _NEAREST_DEPTH).all(1)
    # What is not in front may be projected anywhere, to infinity too.
    corner = np.where(in_front[:, None, None], points[faces], 0).astype(np.float32)  # (F, 3, 2)
    end = np.array([width, height])
    a, b, c = (
        corner[:, 0],
        corner[:, 1],
        corner[:, 2],
    )  # a reduction over an axis of three is several times slower
    low, high = np.minimum(np.minimum(a, b), c), np.maximum(np.maximum(a, b), c)
    first = np.ceil((low - 0.5).clip(0, end)).astype(np.int32)
    last = np.floor((high - 0.5).clip(-1, end - 1)).astype(np.int32)
    extent = last - first + 1
    side1, side2 = b - a, c - a
    area = side1[:, 0] * side2[:, 1] - side1[:, 1] * side2[:, 0]
    visible = (np.abs(area) > 1e-9) & (extent > 0).all(1) & in_front
    drawn = np.flatnonzero(visible)
    size = extent[drawn].max(1, initial=0)

    pixels, depths, owners = [], [], []
    smaller = 0
    for largest in _SIZE_CLASSES:
        chosen = drawn[(size > smaller) & (size <= largest)]
        smaller = largest
        if not len(chosen):
            continue
        side = int(extent[chosen].max())
        step = max(1, _PIXELS_AT_ONCE // (side * side))
        for start in range(0, len(chosen), step):
            some = chosen[start : start + step]
            grid = np.arange(side, dtype=np.int32)
            column = first[some, 0, None] + grid  # (f, side)
            row = first[some, 1, None] + grid
            dx = (column + np.float32(0.5) - corner[some, 0, 0, None])[:, None, :]
            dy = (row + np.float32(0.5) - corner[some, 0, 1, None])[:, :, None]
            scale = (1 / area[some])[:, None, None]
            u = (dx * side2[some, 1, None, None] - dy * side2[some, 0, None, None]) * scale
            v = (dy * side1[some, 0, None, None] - dx * side1[some, 1, None, None]) * scale
            inside = (u >= -1e-6) & (v >= -1e-6) & (u + v <= 1 + 1e-6)
            inside &= (column <= last[some, 0, None])[:, None, :] & (row <= last[some, 1, None])[:, :, None]
            which, i, j = np.nonzero(inside)
            # Perspective: the inverse of depth, not depth itself, is linear in the image.
            inverse = 1 / corner_depth[some]
            u, v = u[which, i, j], v[which, i, j]
            z = 1 / (inverse[which, 0] * (1 - u - v) + inverse[which, 1] * u + inverse[which, 2] * v)
            pixels.append(row[which, i] * width + column[which, j])
            depths.append(z)
            owners.append(some[which])

    face = np.full(height * width, -1, np.int32)
    nearest = np.full(height * width, np.inf, np.float32)
    if pixels:
        pixel, z, owner = np.concatenate(pixels), np.concatenate(depths), np.concatenate(owners)
        far_to_near = np.argsort(-z, kind="stable")  # the nearest is written last and stays
        face[pixel[far_to_near]] = owner[far_to_near]
        nearest[pixel[far_to_near]] = z[far_to_near]
    return face.reshape(height, width), nearest.reshape(height, width)
