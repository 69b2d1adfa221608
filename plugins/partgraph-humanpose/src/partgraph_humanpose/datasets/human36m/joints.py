"""From the 32 recorded joints of Human3.6M over the usual 17 to the 16 of MPII (section 3.3 of the paper).

The paper follows Sun et al.: a thorax half-way between the shoulders is added, chin and abdomen are left out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

OF_32: tuple[int, ...] = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)
"""The 17 of the 32 joints that move: the others repeat some of them or are the ends of hands and feet."""

NAMES_17: tuple[str, ...] = (
    *("pelvis", "right-hip", "right-knee", "right-ankle", "left-hip", "left-knee", "left-ankle"),
    *("abdomen", "neck", "chin", "head-top"),
    *("left-shoulder", "left-elbow", "left-wrist", "right-shoulder", "right-elbow", "right-wrist"),
)

_LEFT_SHOULDER, _RIGHT_SHOULDER = NAMES_17.index("left-shoulder"), NAMES_17.index("right-shoulder")
_THORAX = 17  # behind the seventeen
_MPII_FROM_18 = (3, 2, 1, 4, 5, 6, 0, _THORAX, 8, 10, 16, 15, 14, 11, 12, 13)


def select_17(joints: NDArray[np.floating]) -> NDArray[np.floating]:
    """The 17 joints (..., 17, D) of all 32 (..., 32, D)."""
    return joints[..., OF_32, :]


def mpii_joints(joints: NDArray[np.floating]) -> NDArray[np.floating]:
    """The joints of MPII (..., 16, D) from the seventeen (..., 17, D), in any coordinates.

    In pixels the thorax is the middle of the projected shoulders, not the projection of their middle: they differ by
    less than a pixel in this data set, and so all layouts agree, also those without camera.
    """
    thorax = (joints[..., _LEFT_SHOULDER, :] + joints[..., _RIGHT_SHOULDER, :]) / 2
    return np.concatenate([joints, thorax[..., None, :]], -2)[..., _MPII_FROM_18, :]
