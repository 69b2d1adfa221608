"""A pairwise potential: a leash, which costs nothing until it is tight.

    P(x, y) = -weight max(|y - x| - reach, 0)^2

Replace the formula by your own: it is written once, in `evaluate`, with operators, ``abs``, ``** 2``,
``.sum(-1)`` and the functions of `partgraph.arrays`. Solvers, gradients and bounds follow. The bounds are
exact where each position occurs once, as here.
"""

from __future__ import annotations

from typing import Any, final

import attrs
from partgraph import Pairwise
from partgraph.arrays import maximum, sqrt


@final
@attrs.frozen(eq=False)
class TemplateName(Pairwise):
    """How far two parts are apart beyond their reach.

    Attributes
    ----------
    reach : float
        Length: how far apart they may be at no cost.
    weight : float
        Score per squared length.
    """

    reach: float = attrs.field(default=1.0, validator=attrs.validators.ge(0))
    weight: float = attrs.field(default=1.0, validator=attrs.validators.gt(0))

    def evaluate(self, x: Any, y: Any) -> Any:
        """Return the score (...) of positions (..., D) of an edge's first and second part."""
        distance = sqrt(((y - x) ** 2).sum(-1))
        return -self.weight * maximum(distance - self.reach, 0.0) ** 2


def examples() -> list[TemplateName]:
    """Return instances for the conformance checks: plain ones, and whatever may be awkward."""
    return [
        TemplateName(),
        TemplateName(reach=0.0, weight=0.01),
        TemplateName(reach=30.0),
    ]
