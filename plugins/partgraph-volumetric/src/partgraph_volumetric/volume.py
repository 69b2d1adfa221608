"""The cube of voxels that a network scores.

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
