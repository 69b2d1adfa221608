"""How far means of paired differences may be off: over images, and over clips of images that are alike.

With d_i the difference of two methods on image i, or the sum of such differences over w_i joints of it, the mean is
m = sum d_i / sum w_i, and to first order its error is sum e_i / sum w_i with e_i = d_i - m w_i. Images that are
independent give the variance n / (n - 1) sum e_i^2 / (sum w_i)^2. Frames of one clip are not; their e_i are added up
first, and clips take the place of images (the linearised variance of a ratio under cluster sampling: Cochran,
*Sampling Techniques*, 1977, chapters 6 and 9A).
"""

from __future__ import annotations

from typing import final

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray


@final
@attrs.frozen
class Estimate:
    """A mean and its standard errors; NaN where there are too few images or clips for one.

    Attributes
    ----------
    mean : of the differences
    error : standard error, images taken as independent
    clip_error : standard error, clips taken as independent and the images of one as alike
    """

    mean: float
    error: float
    clip_error: float


def estimate(difference: ArrayLike, clip: ArrayLike, weight: ArrayLike | None = None) -> Estimate:
    """The mean of paired differences, and how far it may be off.

    Parameters
    ----------
    difference : (n,) float, of each image; its sum over the image's joints where there are weights
    clip : (n,) int, which images are alike
    weight : (n,) float, how many joints the sum of each image is over; one when None
    """
    total = np.asarray(difference, np.float64)
    count = np.ones_like(total) if weight is None else np.asarray(weight, np.float64)
    if not count.sum():
        return Estimate(float("nan"), float("nan"), float("nan"))
    mean = total.sum() / count.sum()
    residual = (total - mean * count) / count.sum()
    _, clip = np.unique(clip, return_inverse=True)
    return Estimate(float(mean), _spread(residual), _spread(np.bincount(clip, residual).astype(np.float64)))


def _spread(residuals: NDArray[np.float64]) -> float:
    """Standard deviation of the sum of independent residuals (n,)."""
    n = len(residuals)
    return float(np.sqrt(n / (n - 1) * np.square(residuals).sum())) if n > 1 else float("nan")
