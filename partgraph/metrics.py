"""Errors of predicted poses: alignment to the truth, what is left after it, and the usual summaries."""

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
    Y^T X = U S V^T, the rotation is U C V^T and the scale ``trace(S C) / |X|^2``, where C = diag(1, .., 1, +-1) turns
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


def aligned_distances(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return how far each part of a predicted pose is from the true one after the best similarity.

    Parameters
    ----------
    predicted, truth : array
        (..., N, D) float, millimetres. The prediction is aligned to the truth.

    Returns
    -------
    array
        (..., N) float64, millimetres; NaN where a pose has NaN or infinity.
    """
    transform = similarity_transform(predicted, truth)
    return _distances(transform(np.asarray(predicted, np.float64)), truth)


def reconstruction_error(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the mean distance between a predicted and a true pose after the best similarity (paper, table 1).

    Parameters
    ----------
    predicted, truth : array
        (..., N, D) float, millimetres. The prediction is aligned to the truth.

    Returns
    -------
    array
        (...) float64, millimetres; NaN where a pose has NaN or infinity. Also known as PA-MPJPE.
    """
    return aligned_distances(predicted, truth).mean(-1)


def rooted_distances(predicted: np.ndarray, truth: np.ndarray, root: int) -> np.ndarray:
    """Return how far each part is from the true one when the roots coincide and the size is the best one.

    Their mean is the MPJPE of a method that does not know how large a person is (N-MPJPE: Rhodin, Salzmann and
    Fua, 2018). Unlike `aligned_distances` it counts a pose that is turned wrongly.

    Parameters
    ----------
    predicted, truth : array
        (..., N, D) float, millimetres.
    root : int
        The part that both poses are moved to.

    Returns
    -------
    array
        (..., N) float64, millimetres; NaN where a pose has NaN or infinity.
    """
    x, y = (np.asarray(pose, np.float64) for pose in (predicted, truth))
    x, y = x - x[..., root, None, :], y - y[..., root, None, :]
    spread = (x**2).sum((-2, -1), keepdims=True)
    scale = np.divide(
        (x * y).sum((-2, -1), keepdims=True), spread, out=np.ones_like(spread), where=spread != 0
    )
    return _distances(scale * x, y)


def correct_parts(distances: np.ndarray, threshold: float = 150.0) -> np.ndarray:
    """Return the share of parts that are near enough (3D PCK: Mehta et al., 2017).

    Parameters
    ----------
    distances : array
        (..., N) float, millimetres.
    threshold : float
        Largest distance that counts as correct, millimetres.

    Returns
    -------
    array
        (...) float64, 0 to 1. Parts with NaN are not correct.
    """
    return (np.asarray(distances) <= threshold).mean(-1)


def area_under_curve(distances: np.ndarray, largest: float = 150.0, steps: int = 31) -> np.ndarray:
    """Return the mean share of correct parts over thresholds from 0 to `largest` (Mehta et al., 2017).

    Parameters
    ----------
    distances : array
        (..., N) float, millimetres.
    largest : float
        Last threshold, millimetres.
    steps : int
        Number of thresholds, evenly apart, zero and the largest included.

    Returns
    -------
    array
        (...) float64, 0 to 1.
    """
    thresholds = np.linspace(0, largest, steps)
    return np.mean([correct_parts(distances, threshold) for threshold in thresholds], axis=0)


def _distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.sqrt(((a - b) ** 2).sum(-1))
