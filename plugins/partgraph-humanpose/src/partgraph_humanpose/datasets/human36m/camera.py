"""The camera model of Human3.6M.

With X a point in camera coordinates, (x, y) = (X, Y) / Z and r2 = x^2 + y^2,

    radial = 1 + k1 r2 + k2 r2^2 + k3 r2^3
    tangential = p1 y + p2 x
    u = f (x, y) (radial + tangential) + f (p2, p1) r2 + c

This is not OpenCV's model, which adds 2 p1 x y + p2 (r2 + 2 x^2) to x where this one, with the same p1 and p2, adds
p1 x y + p2 (r2 + x^2); y alike. Both agree where p1 = p2 = 0. World and camera are related by

    X_camera = R (X_world - T),     R = Rx(a) Ry(b) Rz(c)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self, final

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

_ROUNDS = 100
_CLOSE = 1e-12  # of normalised coordinates: far below a millionth of a pixel


@final
@attrs.frozen(eq=False)
class Camera:
    """One camera as one subject saw it.

    Attributes
    ----------
    rotation : (3, 3) float64, R
    position : (3,) float64, mm, T: the camera's centre in the world
    focal : (2,) float64, px, f
    center : (2,) float64, px, c
    radial : (3,) float64, k1, k2, k3
    tangential : (2,) float64, p1, p2
    """

    rotation: NDArray[np.float64]
    position: NDArray[np.float64]
    focal: NDArray[np.float64]
    center: NDArray[np.float64]
    radial: NDArray[np.float64]
    tangential: NDArray[np.float64]

    @classmethod
    def from_numbers(cls, extrinsic: Sequence[float], intrinsic: Sequence[float]) -> Self:
        """A camera from the numbers of ``metadata.xml``.

        Parameters
        ----------
        extrinsic : rx, ry, rz in radians, tx, ty, tz in mm
        intrinsic : fx, fy, cx, cy, k1, k2, k3, p1, p2
        """
        angles, position = np.split(np.asarray(extrinsic, np.float64), [3])
        focal, center, radial, tangential = np.split(np.asarray(intrinsic, np.float64), [2, 4, 7])
        return cls(_rotation(angles), position, focal, center, radial, tangential)

    def to_camera(self, world: ArrayLike) -> NDArray[np.float64]:
        """Points (..., 3) of the world, mm, in camera coordinates: x right, y down, z forward."""
        return (np.asarray(world, np.float64) - self.position) @ self.rotation.T

    def to_world(self, camera: ArrayLike) -> NDArray[np.float64]:
        """Points (..., 3) in camera coordinates, mm, as points of the world."""
        return np.asarray(camera, np.float64) @ self.rotation + self.position

    def project(self, camera: ArrayLike) -> NDArray[np.float64]:
        """Where points (..., 3) in camera coordinates are seen: (..., 2) px, NaN for points not in front."""
        points = np.asarray(camera, np.float64)
        depth = np.where(points[..., 2:] > 0, points[..., 2:], np.nan)
        plane = points[..., :2] / depth
        factor, shift = self._distortion(plane)
        return self.focal * (plane * factor + shift) + self.center

    def unproject(self, pixels: ArrayLike, depth: ArrayLike) -> NDArray[np.float64]:
        """The points (..., 3) mm in camera coordinates that are seen at `pixels` (..., 2) in `depth` (...) mm.

        The distortion is undone by fixed-point iteration; NaN where that does not settle, far outside the picture.
        """
        seen = (np.asarray(pixels, np.float64) - self.center) / self.focal
        plane = seen
        for _ in range(_ROUNDS):
            factor, shift = self._distortion(plane)
            before, plane = plane, (seen - shift) / factor
            if not np.nanmax(np.abs(plane - before), initial=0) > _CLOSE:
                break
        settled = (np.abs(plane - before) <= _CLOSE).all(-1, keepdims=True)
        depth = np.asarray(depth, np.float64)[..., None]
        return np.where(
            settled,
            np.concatenate([plane * depth, np.broadcast_to(depth, (*plane.shape[:-1], 1))], -1),
            np.nan,
        )

    def _distortion(self, plane: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """For points (..., 2) of the plane at depth one the factor (..., 1) and the shift (..., 2)."""
        r2 = (plane**2).sum(-1, keepdims=True)
        k1, k2, k3 = self.radial
        crossed = self.tangential[::-1]
        radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
        return radial + plane @ crossed[:, None], crossed * r2


def _rotation(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rx(a) Ry(b) Rz(c)."""
    (sx, sy, sz), (cx, cy, cz) = np.sin(angles), np.cos(angles)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return about_x @ about_y @ about_z


def rotation_of_quaternion(quaternion: Sequence[float]) -> NDArray[np.float64]:
    """The rotation (3, 3) of a quaternion (w, x, y, z), which need not be of length one."""
    w, x, y, z = np.asarray(quaternion, np.float64) / np.linalg.norm(quaternion)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
