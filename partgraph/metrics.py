"""Errors of predicted poses: similarity alignment without reflection, and what is left after it."""

from __future__ import annotations

from typing import final

import attrs
import numpy as np


@final
@attrs.frozen(eq=False)
class Similarity:
    """Rotation, scale and translation: ``x -> scale * rotation @ x + translation``.

    Attributes
    ----------
    scale : array
        (...) float64, >= 0.
    rotation : array
        (..., D, D) float64, orthogonal with determinant +1.
    translation : array
        (..., D) float64, length.
    """

    scale: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Return the transformed points (..., N, D)."""
        moved = points @ np.swapaxes(self.rotation, -1, -2)
        return self.scale[..., None, None] * moved + self.translation[..., None, :]


def similarity_transform(source: np.ndarray, target: np.ndarray) -> Similarity:
    """Return the similarity that takes `source` closest to `target` in the least-squares sense.

    Umeyama's closed form: with centred points X (source) and Y (target) and the singular value decomposition
    Y^T X = U S V^T, the rotation is U C V^T and the scale trace(S C) / |X|^2, where C = diag(1, .., 1, +-1) turns
    a reflection into the nearest rotation.

    Parameters
    ----------
    source, target : array
        (..., N, D) float, length. Leading axes broadcast.

    Returns
    -------
    Similarity
        Where all points of the source coincide, scale and rotation are arbitrary: 1 and identity are returned.
        Where a pose has NaN or infinity, all numbers are NaN.
    """
    source, target = np.broadcast_arrays(np.asarray(source, np.float64), np.asarray(target, np.float64))
    if source.ndim < 2 or source.shape[-2] == 0:
        raise ValueError(f"poses must have shape (..., N, D) with N >= 1 points; found {source.shape}")
    valid = (np.isfinite(source) & np.isfinite(target)).all((-2, -1))
    source, target = (np.where(valid[..., None, None], pose, 0.0) for pose in (source, target))
    x_mean, y_mean = source.mean(-2), target.mean(-2)
    x, y = source - x_mean[..., None, :], target - y_mean[..., None, :]
    u, s, vt = np.linalg.svd(np.swapaxes(y, -1, -2) @ x)
    sign = np.where(np.linalg.det(u) * np.linalg.det(vt) < 0, -1.0, 1.0)
    s[..., -1] *= sign
    u[..., -1] *= sign[..., None]
    spread = (x**2).sum((-2, -1))
    # Equal points are not quite equal to their rounded mean.
    extended = (
        spread
        > source.shape[-2] * source.shape[-1] * (np.finfo(np.float64).eps * abs(source).max((-2, -1))) ** 2
    )
    scale = np.where(extended, s.sum(-1) / np.where(extended, spread, 1.0), 1.0)
    rotation = np.where(extended[..., None, None], u @ vt, np.eye(source.shape[-1]))
    scale, rotation = np.where(valid, scale, np.nan), np.where(valid[..., None, None], rotation, np.nan)
    moved = (rotation @ x_mean[..., None])[..., 0]
    return Similarity(scale, rotation, y_mean - scale[..., None] * moved)


def reconstruction_error(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the mean distance between a predicted and a true pose after the best similarity (paper, table 1).

    Parameters
    ----------
    predicted, truth : array
        (..., N, D) float, millimetres. The prediction is aligned to the truth.

    Returns
    -------
    array
        (...) float64, millimetres; NaN where a pose has NaN or infinity.
    """
    transform = similarity_transform(predicted, truth)
    aligned = transform(np.asarray(predicted, np.float64))
    return np.sqrt(((aligned - truth) ** 2).sum(-1)).mean(-1)
