"""What ADMM adds to a slave's parts (paper, eq. 5, with the sign of a maximisation)."""

from __future__ import annotations

from typing import Any, final

import attrs

from partgraph.arrays import Array, as_array
from partgraph.potentials import fields
from partgraph.potentials.base import Unary


@final
@attrs.frozen(eq=False)
class Linear(Unary):
    """Inner product with a fixed vector, ``(slope * x).sum(-1)``: the multiplier's term of eq. 5.

    Attributes
    ----------
    slope : array or tensor
        (D,) float, unit 1 / length.
    """

    slope: Array = attrs.field(converter=as_array, validator=fields.vector)

    @property
    def dimensions(self) -> int:
        """D, the length of the slope."""
        return self.slope.shape[0]

    def evaluate(self, x: Any) -> Any:
        """Return the score of positions `x` (..., D): (...)."""
        return (self.slope * x).sum(-1)


@final
@attrs.frozen(eq=False)
class Proximal(Unary):
    """Pull towards a point, ``-rho/2 * ((x - center)**2).sum(-1)``: the penalty of eq. 5.

    The paper prints the penalty with a plus; in a maximisation it must be minus.

    Attributes
    ----------
    center : array or tensor
        (D,) float, length: u of eq. 5.
    rho : float
        > 0, unit 1 / length^2.
    """

    center: Array = attrs.field(converter=as_array, validator=fields.vector)
    rho: float = attrs.field(validator=fields.positive)

    @property
    def dimensions(self) -> int:
        """D, the length of the center."""
        return self.center.shape[0]

    def evaluate(self, x: Any) -> Any:
        """Return the score of positions `x` (..., D): (...)."""
        return -(self.rho / 2) * ((x - self.center) ** 2).sum(-1)
