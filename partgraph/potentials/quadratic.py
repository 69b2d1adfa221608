"""The pairwise term of the paper (eq. 3)."""

from __future__ import annotations

from typing import Any, final

import attrs

from partgraph.arrays import Array, as_array
from partgraph.potentials import fields
from partgraph.potentials.base import Pairwise


@final
@attrs.frozen(eq=False)
class Quadratic(Pairwise):
    """Deviation of a displacement from its expected value (paper, eq. 3): ``-(w * (y - x - offset)**2).sum(-1)``.

    The offset is the expected displacement *from the first part of the edge to the second*; the paper's mu is
    its negative.

    Attributes
    ----------
    weight : array or tensor
        (D,) float, > 0, unit 1 / length^2: c of eq. 3, the calibration of each axis.
    offset : array or tensor
        (D,) float, length: expected ``y - x``.
    """

    weight: Array = attrs.field(converter=as_array, validator=[fields.vector, fields.positive])
    offset: Array = attrs.field(converter=as_array, validator=fields.vector)

    def __attrs_post_init__(self) -> None:
        fields.same_axes(self, "weight", "offset")

    @property
    def dimensions(self) -> int:
        """D, the length of the weight."""
        return self.weight.shape[0]

    def evaluate(self, x: Any, y: Any) -> Any:
        """Return the score of positions `x` (..., D) of the first part and `y` (..., D) of the second: (...)."""
        return -(self.weight * (y - x - self.offset) ** 2).sum(-1)
