"""How long a limb is, whatever its direction."""

from __future__ import annotations

from typing import Any, final

import attrs

from partgraph import arrays
from partgraph.arrays import Array, as_array
from partgraph.potentials import fields
from partgraph.potentials.base import Pairwise


@final
@attrs.frozen(eq=False)
class LimbLength(Pairwise):
    """Deviation of a distance from its expected value: ``-(|y - x| - length)^2 / (2 sigma^2)``.

    Takes positions of any number of axes. The bounds are the exact range. Between the two outer of three parts whose
    limbs are rigid it is a prior of the hinge's angle, by the law of cosines.

    Attributes
    ----------
    length : array or tensor
        () float, > 0, length: expected ``|y - x|``.
    sigma : array or tensor
        () float, > 0, length: standard deviation of ``|y - x|``.
    """

    length: Array = attrs.field(converter=as_array, validator=[fields.scalar, fields.positive])
    sigma: Array = attrs.field(converter=as_array, validator=[fields.scalar, fields.positive])

    def evaluate(self, x: Any, y: Any) -> Any:
        """Return the score of positions `x` (..., D) of the first part and `y` (..., D) of the second: (...)."""
        distance = arrays.sqrt(((y - x) ** 2).sum(-1))
        return (-0.5 / self.sigma**2) * (distance - self.length) ** 2
