"""A parallel projection of a turned scene; its axes are the crop's: x to the right, y down, z away from the viewer."""

from __future__ import annotations

import math
from typing import final

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray


@final
@attrs.frozen(eq=False)
class View:
    """Where a scene is seen from, and where on a canvas it appears.

    Attributes
    ----------
    yaw : degrees that the viewer walks around the scene; at 90 the scene's left is in front
    pitch : degrees that the viewer looks down
    scale : pixels of the canvas per unit of the scene
    center : (3,) float, the point of the scene that appears at `at`
    at : (2,) float, px
    """

    yaw: float
    pitch: float
    scale: float
    center: NDArray[np.float64] = attrs.field(converter=np.asarray)
    at: NDArray[np.float64] = attrs.field(converter=np.asarray)

    @property
    def rotation(self) -> NDArray[np.float64]:
        """(3, 3): from the scene's axes to right, down and away."""
        yaw, pitch = math.radians(self.yaw), math.radians(self.pitch)
        around = np.array([[math.cos(yaw), 0, math.sin(yaw)], [0, 1, 0], [-math.sin(yaw), 0, math.cos(yaw)]])
        down = np.array(
            [[1, 0, 0], [0, math.cos(pitch), -math.sin(pitch)], [0, math.sin(pitch), math.cos(pitch)]]
        )
        return down @ around

    def __call__(self, points: ArrayLike) -> NDArray[np.float64]:
        """Points (..., 3) on the canvas: (..., 2) px."""
        return (self._turned(points) * self.scale)[..., :2] + self.at

    def depth(self, points: ArrayLike) -> NDArray[np.float64]:
        """How far away points (..., 3) are, in units of the scene: what is farther is drawn first."""
        return self._turned(points)[..., 2]

    def _turned(self, points: ArrayLike) -> NDArray[np.float64]:
        return (np.asarray(points, np.float64) - self.center) @ self.rotation.T
