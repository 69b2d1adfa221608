"""What a table of errors must be read against: a pose that ignores the image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from partgraph.learning.dataset import Dataset, MissingTruthError
from partgraph.metrics import similarity_transform

_ROUNDS = 10
_SAMPLES = 2000


def first_poses(data: Dataset) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """`world` in mm and `target` in px, (n, N, 3) each, of the first 2000 samples; those without 3D truth left out.

    Raises
    ------
    MissingTruthError
        When none has it.
    """
    first = (data[k] for k in range(min(len(data), _SAMPLES)))
    poses = [(sample.world, sample.target) for sample in first if sample.is_3d]
    if not poses:
        raise MissingTruthError(
            f"the mean pose needs training samples with 3D truth; found none among the first {_SAMPLES}; "
            f"add a data set with depth to the training data"
        )
    world, target = zip(*poses, strict=True)
    return np.stack(world), np.stack(target)


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
