"""The depth that goes with an image: a pose known up to its size, from the image alone (the paper's section 3.2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def relative_depth(
    projected: NDArray[np.floating], camera: NDArray[np.floating], root: int
) -> NDArray[np.float32]:
    """Depth of each part in pixels, relative to the root (section 3.2 of the paper).

    Neither the distance of the object nor the focal length is needed at test time: z is scaled so that the ratio of
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
