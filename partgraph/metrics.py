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
    valid = np.isfinite(source).all((-2, -1)) & np.isfinite(target).all((-2, -1))
    x_mean, y_mean = source.mean(-2, keepdims=True), target.mean(-2, keepdims=True)
    x, y = source - x_mean, target - y_mean
    covariance = np.where(valid[..., None, None], np.swapaxes(y, -1, -2) @ x, 0.0)
    u, s, vt = np.linalg.svd(covariance)
    sign = np.ones_like(s)
    sign[..., -1] = np.where(np.linalg.det(u) * np.linalg.det(vt) < 0, -1.0, 1.0)
    rotation = (u * sign[..., None, :]) @ vt
    spread = (x**2).sum((-2, -1))
    scale = np.where(spread > 0, (s * sign).sum(-1) / np.where(spread > 0, spread, 1.0), 1.0)
    rotation = np.where((spread > 0)[..., None, None], rotation, np.eye(source.shape[-1]))
    scale = np.where(valid, scale, np.nan)
    rotation = np.where(valid[..., None, None], rotation, np.nan)
    moved = (rotation @ np.swapaxes(x_mean, -1, -2))[..., 0]
    return Similarity(scale, rotation, y_mean[..., 0, :] - scale[..., None] * moved)


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
