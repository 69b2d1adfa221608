"""Positions in space from pixels and depths relative to the root, as the annotation of Pavlakos et al. has them.

The distance of the root is the one at which the limbs are nearest to their mean lengths in the training data, which is
how that work itself recovers poses from its volume.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from partgraph_humanpose.datasets.human36m.camera import Camera

_LIMBS = np.array(
    [
        *((0, 1), (0, 4), (0, 7), (1, 2), (2, 3), (4, 5), (5, 6), (7, 8)),
        *((8, 9), (8, 11), (8, 14), (9, 10), (11, 12), (12, 13), (14, 15), (15, 16)),
    ]
)
_LENGTHS = np.array(  # mm: limb_train.mat of geopavlakos/c2f-vol-demo
    [
        *(134.0501, 134.0509, 238.3751, 449.2042, 445.5815, 449.2057, 445.5819, 255.3401),
        *(116.0794, 148.8358, 148.8347, 115.0009, 279.7591, 249.5236, 279.7623, 249.5228),
    ]
)
_FIRST, _LAST, _INTERVALS = -1005.18590298, 980.85986183, 64  # mm: voxel_limits.mat, ibidem
_START, _NEAREST, _FARTHEST = 5000.0, 1000.0, 20000.0  # mm
_ROUNDS = 30


def depth_of_interval(number: NDArray[np.floating]) -> NDArray[np.float64]:
    """The depth relative to the root, mm, in the middle of intervals numbered from 1 to 64."""
    return _FIRST + (np.asarray(number, np.float64) - 0.5) * (_LAST - _FIRST) / _INTERVALS


def lift(camera: Camera, pixels: NDArray[np.floating], depth: NDArray[np.floating]) -> NDArray[np.float64]:
    """Positions in camera coordinates.

    Parameters
    ----------
    pixels : (n, 17, 2) float, px
    depth : (n, 17) float, mm, relative to the root

    Returns
    -------
    (n, 17, 3) float64, mm
    """
    rays = camera.unproject(pixels, np.ones(pixels.shape[:-1]))  # positions are rays times (distance + depth)
    start, end = _LIMBS.T
    fixed = (rays * depth[..., None])[:, start] - (rays * depth[..., None])[:, end]
    slope = rays[:, start] - rays[:, end]
    distance = np.full(len(pixels), _START)
    for _ in range(_ROUNDS):  # Gauss-Newton for one unknown a frame
        limbs = fixed + slope * distance[:, None, None]
        length = np.linalg.norm(limbs, axis=-1)
        gradient = (limbs * slope).sum(-1) / length
        step = (gradient * (_LENGTHS - length)).sum(-1) / (gradient**2).sum(-1)
        distance = np.clip(distance + step, _NEAREST, _FARTHEST)
    return rays * (distance[:, None] + depth)[..., None]
