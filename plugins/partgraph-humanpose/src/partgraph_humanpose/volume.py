"""The cube of voxels that a network scores, and the depth that goes with an image.

A crop of `size` pixels is divided into cells of `stride` pixels, and depth into `bins` of the same length, so a voxel
is a cube. Depth is measured in the crop's pixels from the root part, which lies in the middle of the cube.
"""

from __future__ import annotations

import attrs
import numpy as np
from attrs.validators import gt
from numpy.typing import NDArray


@attrs.frozen
class Volume:
    """Geometry of the voxels (section 2.1 of the paper; 320 px, stride 16 and 20 bins are its own).

    Attributes
    ----------
    size : side of the square crop, px
    stride : side of a voxel, px
    bins : number of depth intervals
    """

    size: int = attrs.field(default=320, validator=gt(0))
    stride: int = attrs.field(default=16, validator=gt(0))
    bins: int = attrs.field(default=20, validator=gt(0))

    def __attrs_post_init__(self) -> None:
        if self.size % self.stride:
            raise ValueError(
                f"a crop of {self.size} px does not divide into cells of {self.stride} px; "
                f"choose a size that is a multiple of the stride"
            )

    @property
    def cells(self) -> int:
        """Number of cells along x and along y."""
        return self.size // self.stride

    @property
    def origin(self) -> NDArray[np.float32]:
        """(3,) float32, px: the corner of the cube with the smallest coordinates."""
        return np.array([0, 0, -self.bins * self.stride / 2], np.float32)

    def centers(self) -> NDArray[np.float32]:
        """(bins * cells * cells, 3) float32, px: voxel centres, depth slowest and x fastest."""
        z, y, x = np.meshgrid(
            np.arange(self.bins), np.arange(self.cells), np.arange(self.cells), indexing="ij"
        )
        index = np.stack([x, y, z], -1).reshape(-1, 3)
        return ((index + np.float32(0.5)) * self.stride + self.origin).astype(np.float32)


def relative_depth(
    projected: NDArray[np.floating], camera: NDArray[np.floating], root: int
) -> NDArray[np.float32]:
    """Depth of each part in pixels, relative to the root (section 3.2 of the paper).

    Neither the distance of the person nor the focal length is needed at test time: z is scaled so that the ratio of
    standard deviations of projected and real-world x, y is preserved. A perfect target therefore still has an error
    after similarity alignment, the *floor* that every table shows.

    Parameters
    ----------
    projected : (N, 2) float, px
    camera : (N, 3) float, any unit of length
        The same parts in camera coordinates.
    root : index of the part with depth zero

    Returns
    -------
    (N,) float32, px
    """
    real = camera[:, :2].var(0).sum()
    if not real > np.square(camera[:, :2]).max() * 1e-12:  # but for rounding, or not a number
        raise ValueError(
            "the x and y of all parts are alike or not finite, so their depth has no scale; leave the sample out"
        )
    scale = np.sqrt(projected.var(0).sum() / real)
    return ((camera[:, 2] - camera[root, 2]) * scale).astype(np.float32)
