"""What a table of errors must be read against: a pose that ignores the image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from partgraph.metrics import similarity_transform

_ROUNDS = 10


def mean_pose(poses: NDArray[np.floating]) -> NDArray[np.float64]:
    """The constant pose that fits many poses best up to similarity (generalised Procrustes analysis).

    Each pose is aligned to the mean, the mean is taken anew, and so on. Aligning first matters: without it, poses that
    face every way would average to a shrunken one that is easier to beat.

    Parameters
    ----------
    poses : (n, N, D) float, mm

    Returns
    -------
    (N, D) float64, mm, of the poses' average size
    """
    centered = np.asarray(poses, np.float64) - np.mean(poses, 1, keepdims=True)
    size = np.linalg.norm(centered, axis=(1, 2), keepdims=True)
    unit = centered / np.where(size > 0, size, 1)
    mean = unit[0]
    for _ in range(_ROUNDS):
        aligned = similarity_transform(unit, mean)(unit)
        mean = aligned.mean(0)
        mean /= np.linalg.norm(mean)
    return mean * size.mean()
