"""What is known of one part's position beforehand: where it is, where it may be, where it can be seen."""

from __future__ import annotations

from typing import Any, final

import attrs
import numpy as np

from partgraph import arrays
from partgraph.arrays import Array, as_array
from partgraph.errors import ProblemError
from partgraph.interval import Interval
from partgraph.potentials import fields, quadratic_form
from partgraph.potentials.base import Unary


@final
@attrs.frozen(eq=False)
class GaussianPrior(Unary):
    """Where a part is, on average: ``-e' P e / 2`` with ``e = x - mean``, the exponent of a Gaussian.

    The bounds are the exact range but for rounding.

    Attributes
    ----------
    mean : array or tensor
        (D,) float, length.
    precision : array or tensor
        (D, D) float, symmetric and positive definite, unit 1 / length^2: the inverse of the covariance.
    """

    mean: Array = attrs.field(converter=as_array, validator=fields.vector)
    precision: Array = attrs.field(converter=as_array, validator=fields.positive_definite)

    def __attrs_post_init__(self) -> None:
        fields.same_axes(self, "mean", "precision")

    @property
    def dimensions(self) -> int:
        """D, the length of the mean."""
        return self.mean.shape[0]

    def evaluate(self, x: Any) -> Any:
        """Return the score of positions `x` (..., D): (...)."""
        return -0.5 * quadratic_form.value(self.precision, x - self.mean)

    def bounds(self, *boxes: Interval) -> Interval:
        """Return the range of the score over a box."""
        (x,) = boxes
        return -0.5 * quadratic_form.bounds(self.precision, x - self.mean)


def _outside(x: Any, lo: Array, hi: Array) -> Any:
    """Return how far `x` is from [lo, hi] on every axis, 0 inside: (..., D). Exact on intervals."""
    return arrays.maximum(arrays.maximum(lo - x, x - hi), 0.0)


def _ordered(instance: Any) -> None:
    fields.same_axes(instance, "lo", "hi")
    lo, hi = instance.lo, instance.hi
    if not arrays.is_tensor(lo) and not arrays.is_tensor(hi) and np.any(lo > hi):
        raise ProblemError(
            f"{type(instance).__name__}: lo must not be above hi on any axis; "
            f"found lo {lo} and hi {hi}; swap them there"
        )


def _one_or_two(instance: Any, attribute: Any, value: int) -> None:
    if value not in (1, 2):
        raise ProblemError(f"BoxPrior: power must be 1 (linear) or 2 (quadratic); found {value!r}")


@final
@attrs.frozen(eq=False)
class BoxPrior(Unary):
    """Where a part may be: 0 inside a box, outside it ``-(weight * distance**power).sum(-1)``.

    The distance is from the box, on each axis. The bounds are the exact range.

    Attributes
    ----------
    lo, hi : array or tensor
        (D,) float, length: the ends of the box.
    weight : array or tensor
        (D,) float, > 0, unit 1 / length^power.
    power : int
        2 for a quadratic penalty, 1 for a linear one.
    """

    lo: Array = attrs.field(converter=as_array, validator=fields.vector)
    hi: Array = attrs.field(converter=as_array, validator=fields.vector)
    weight: Array = attrs.field(converter=as_array, validator=[fields.vector, fields.positive])
    power: int = attrs.field(default=2, validator=_one_or_two)

    def __attrs_post_init__(self) -> None:
        _ordered(self)
        fields.same_axes(self, "lo", "weight")

    @property
    def dimensions(self) -> int:
        """D, the length of lo."""
        return self.lo.shape[0]

    def evaluate(self, x: Any) -> Any:
        """Return the score of positions `x` (..., D): (...)."""
        distance = _outside(x, self.lo, self.hi)
        return -(self.weight * (distance if self.power == 1 else distance**2)).sum(-1)


@final
@attrs.frozen(eq=False)
class Visibility(Unary):
    """What it costs not to be seen: 0 inside the field of view, `score` for every position well outside.

    A part that may be hidden gets one more candidate, outside the view. ``score * min(1, distance / margin)`` with the
    distance summed over the axes: within the margin the score falls off, so that bounds shrink and gradients exist. The
    bounds are the exact range. With `Truncated` pairwise terms such a candidate pays their limits, wherever it lies.

    Attributes
    ----------
    lo, hi : array or tensor
        (D,) float, length: the field of view.
    score : array or tensor
        () float: of a part that is not seen; below zero, as a rule.
    margin : array or tensor
        () float, > 0, length: how far outside the view a position counts in full as not seen.
    """

    lo: Array = attrs.field(converter=as_array, validator=fields.vector)
    hi: Array = attrs.field(converter=as_array, validator=fields.vector)
    score: Array = attrs.field(converter=as_array, validator=fields.scalar)
    margin: Array = attrs.field(converter=as_array, default=1.0, validator=[fields.scalar, fields.positive])

    def __attrs_post_init__(self) -> None:
        _ordered(self)

    @property
    def dimensions(self) -> int:
        """D, the length of lo."""
        return self.lo.shape[0]

    def evaluate(self, x: Any) -> Any:
        """Return the score of positions `x` (..., D): (...)."""
        distance = _outside(x, self.lo, self.hi).sum(-1)
        return self.score * arrays.minimum(distance * (1.0 / self.margin), 1.0)
