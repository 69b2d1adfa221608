"""A unary potential: parts like to be near a plane.

    U(x) = -weight |<normal, x> - level|

Replace the formula by your own: it is written once, in `evaluate`, with operators, ``abs``, ``** 2``,
``.sum(-1)`` and the functions of `partgraph.arrays`. Solvers, gradients and bounds follow.
"""

from __future__ import annotations

from typing import Any, final

import attrs
from partgraph import Unary
from partgraph.arrays import Array, as_array


@final
@attrs.frozen(eq=False)
class TemplateName(Unary):
    """How far a part is from a plane.

    Attributes
    ----------
    normal : array or tensor
        (D,) float: perpendicular to the plane, of length 1 for distances.
    level : float
        Length: where the plane is, along the normal.
    weight : float
        Score per length.
    """

    normal: Array = attrs.field(converter=as_array)
    level: float = 0.0
    weight: float = 1.0

    @property
    def dimensions(self) -> int:
        """D of the positions, that of the normal."""
        return len(self.normal)

    def evaluate(self, x: Any) -> Any:
        """Return the score (...) of positions (..., D)."""
        return -self.weight * abs((self.normal * x).sum(-1) - self.level)


def examples() -> list[TemplateName]:
    """Return instances for the conformance checks: plain ones, and whatever may be awkward."""
    return [
        TemplateName([0.0, 0.0, 1.0]),
        TemplateName([0.6, -0.8], level=-2.5, weight=0.1),
    ]
