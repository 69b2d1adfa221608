"""A potential times a number."""

from __future__ import annotations

from typing import Any, final

import attrs

from partgraph.interval import Interval
from partgraph.potentials.base import Potential


@final
@attrs.frozen(eq=False)
class Scaled(Potential):
    """A potential times a number: a part's term divided among the stars that share it.

    Attributes
    ----------
    factor : float
        Any finite number.
    base : Potential
        The potential that is scaled; gives the arity.
    """

    factor: float
    base: Potential

    @property
    def arity(self) -> int:  # type: ignore[override]
        """Arity of the base."""
        return self.base.arity

    @property
    def dimensions(self) -> int | None:
        """D of the base."""
        return self.base.dimensions

    def evaluate(self, *x: Any) -> Any:
        """Return `factor` times the base's score."""
        return self.factor * self.base.evaluate(*x)

    def bounds(self, *boxes: Interval) -> Interval:
        """Return `factor` times the base's own, perhaps tighter, bounds."""
        return self.factor * self.base.bounds(*boxes)
