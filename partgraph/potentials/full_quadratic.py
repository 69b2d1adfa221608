"""A quadratic term whose axes are correlated: the squared Mahalanobis distance (Mahalanobis 1936)."""

from __future__ import annotations

from typing import Any, final

import attrs

from partgraph.arrays import Array, as_array
from partgraph.interval import Interval
from partgraph.potentials import fields, quadratic_form
from partgraph.potentials.base import Pairwise


@final
@attrs.frozen(eq=False)
class FullQuadratic(Pairwise):
    """Deviation of a displacement, ``-e' P e / 2`` with ``e = y - x - offset``: the exponent of a Gaussian.

    With a diagonal precision of twice the weights it is `Quadratic`. The bounds are the exact range but for rounding.

    Attributes
    ----------
    precision : array or tensor
        (D, D) float, symmetric and positive definite, unit 1 / length^2: the inverse of the covariance of ``y - x``.
    offset : array or tensor
        (D,) float, length: expected ``y - x``.
    """

    precision: Array = attrs.field(converter=as_array, validator=fields.positive_definite)
    offset: Array = attrs.field(converter=as_array, validator=fields.vector)

    def __attrs_post_init__(self) -> None:
        fields.same_axes(self, "precision", "offset")

    @property
    def dimensions(self) -> int:
        """D, the length of the offset."""
        return self.offset.shape[0]

    def evaluate(self, x: Any, y: Any) -> Any:
        """Return the score of positions `x` (..., D) of the first part and `y` (..., D) of the second: (...)."""
        return -0.5 * quadratic_form.value(self.precision, y - x - self.offset)

    def bounds(self, *boxes: Interval) -> Interval:
        """Return the range of the score over `boxes`."""
        x, y = boxes
        return -0.5 * quadratic_form.bounds(self.precision, y - x - self.offset)
