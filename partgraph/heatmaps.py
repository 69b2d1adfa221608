"""From maps of scores to candidates: one of every pixel or voxel, in the maps' own order.

The candidate of the voxel with index (x, y, z) is at

    position = A (x, y, z)' + b + residual(x, y, z),

with A the diagonal matrix of spacings and b the origin, or any affine map. Maps are stored with x fastest, (N, Z, Y, X)
or (N, Y, X), as networks return them; positions have x first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, final, get_args

import attrs
import numpy as np

from partgraph import arrays
from partgraph.arrays import Array
from partgraph.candidates import Candidates
from partgraph.errors import ProblemError

Values: TypeAlias = Literal["score", "probability", "logit"]
"""What maps hold: scores as they are, probabilities (the logarithm is taken), or logits (that of the sigmoid)."""


@final
@attrs.frozen(eq=False)
class Heatmaps:
    """Maps of N parts, checked, and all their candidates.

    Attributes
    ----------
    shape : tuple of int
        (Y, X) or (Z, Y, X).
    scores : array or tensor
        (N, K) float, K the number of pixels or voxels.
    positions : tuple of (array or tensor)
        N entries (K, D) float, length; one and the same object where there are no residuals, so that solvers sort it
        once.
    """

    shape: tuple[int, ...]
    scores: Array
    positions: tuple[Array, ...]

    @classmethod
    def of(
        cls,
        maps: Array,
        parts: Sequence[str],
        *,
        values: Values,
        origin: Any,
        spacing: Any,
        affine: Any,
        residuals: Array | None,
    ) -> Heatmaps:
        """Check everything; see `partgraph.Problem.from_heatmaps`."""
        maps = arrays.as_array(maps)
        shape = tuple(maps.shape)
        if len(shape) not in (3, 4) or 0 in shape:
            raise ProblemError(
                f"heatmaps must have shape (N, Y, X) or (N, Z, Y, X), a map for each part; found {shape}"
            )
        if shape[0] != len(parts):
            raise ProblemError(
                f"heatmaps must have a map for each of the graph's {len(parts)} parts ({', '.join(parts)}), in their "
                f"order; found {shape[0]}"
            )
        scores = _scores(maps.reshape(shape[0], -1), values, parts)
        centers = arrays.like(_centers(shape[1:], origin, spacing, affine), maps)
        if residuals is None:
            return cls(shape[1:], scores, (centers,) * len(parts))
        own = field(residuals, len(parts), shape[1:], "residuals", "part")
        return cls(shape[1:], scores, tuple(centers + one for one in own))

    def candidates(self) -> tuple[Candidates, ...]:
        """Return the candidates of every part, x fastest."""
        return tuple(map(Candidates, self.positions, self.scores))

    def best(self, count: int) -> tuple[np.ndarray, ...]:
        """Return the labels of the `count` best candidates of every part, ascending; the first ones on a tie."""
        scores = arrays.detached(self.scores)
        return tuple(np.sort(np.argsort(-own, kind="stable")[:count]) for own in scores)


def field(values: Array, count: int, shape: tuple[int, ...], name: str, what: str) -> Array:
    """Return vectors on the grid of the maps, (count, D, *shape), as (count, K, D)."""
    values = arrays.as_array(values)
    wanted = (count, len(shape), *shape)
    if tuple(values.shape) != wanted:
        raise ProblemError(
            f"{name} must have shape {wanted}: for each {what} the {'xyz'[: len(shape)]} of every pixel or voxel; "
            f"found {tuple(values.shape)}"
        )
    if not arrays.is_finite(arrays.detached(values)):
        raise ProblemError(f"{name} must be finite; found NaN or infinity")
    return values.reshape(count, len(shape), -1).swapaxes(1, 2)


def _scores(maps: Array, values: Values, parts: Sequence[str]) -> Array:
    if values not in get_args(Values):
        raise ProblemError(f"values must be {', '.join(map(repr, get_args(Values)))}; found {values!r}")
    found = arrays.detached(maps)
    for name, own in zip(parts, found, strict=True):
        if np.isnan(own).any() or (own == np.inf).any():
            raise ProblemError(f"the map of {name!r} must be finite, or -inf to forbid; found NaN or +inf")
        if values == "probability" and own.min() < 0:
            raise ProblemError(
                f"the map of {name!r} must hold probabilities; found {own.min():.3g}: clip the maps at a small "
                "positive number, or say values='score' or 'logit' if that is what they are"
            )
    if values == "score":
        return maps
    if values == "probability":
        with np.errstate(divide="ignore"):
            return arrays.log(maps)
    return arrays.minimum(maps, 0.0) - arrays.log(1.0 + arrays.exp(-abs(maps)))


def _centers(shape: tuple[int, ...], origin: Any, spacing: Any, affine: Any) -> np.ndarray:
    """Return where voxels are, (K, D) float64, x fastest."""
    d = len(shape)
    axes = np.meshgrid(*map(np.arange, shape), indexing="ij")[::-1]
    index = np.stack([axis.ravel() for axis in axes], axis=1).astype(np.float64)
    if affine is None:
        return index * _vector(spacing, d, "spacing", nonzero=True) + _vector(origin, d, "origin")
    if origin is not None or spacing is not None:
        raise ProblemError("give an affine matrix or origin and spacing, not both")
    matrix = np.asarray(affine, dtype=np.float64)
    if matrix.shape == (d + 1, d + 1) and np.array_equal(matrix[d], np.eye(d + 1)[d]):
        matrix = matrix[:d]
    if matrix.shape != (d, d + 1) or not np.isfinite(matrix).all():
        raise ProblemError(
            f"affine must be finite, of shape ({d}, {d + 1}), from ({', '.join('xyz'[:d])}, 1) to positions, perhaps "
            f"with a last row of zeros and a one; found shape {matrix.shape}"
        )
    return index @ matrix[:, :d].T + matrix[:, d]


def _vector(given: Any, d: int, name: str, *, nonzero: bool = False) -> np.ndarray:
    vector = np.asarray(float(nonzero) if given is None else given, dtype=np.float64)
    if vector.shape not in ((), (d,)) or not np.isfinite(vector).all() or (nonzero and (vector == 0).any()):
        wanted = " and not zero" * nonzero
        raise ProblemError(
            f"{name} must be a number or one for each of {', '.join('xyz'[:d])}, finite{wanted}; found {given!r}"
        )
    return vector
