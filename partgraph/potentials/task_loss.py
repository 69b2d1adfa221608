"""What loss-augmented inference adds to every part (paper, section 2.5)."""

from __future__ import annotations

from typing import Any, final

import attrs

from partgraph import arrays
from partgraph.arrays import Array, as_array
from partgraph.potentials import fields
from partgraph.potentials.base import Unary


@final
@attrs.frozen(eq=False)
class EuclideanLoss(Unary):
    """Distance to a target, ``scale * |x - target|``: the task loss of section 2.5, added to find violators.

    With ``scale = 1 / N`` the sum over all N parts is the mean Euclidean distance. Its gradient at the target
    itself is defined as zero.

    Attributes
    ----------
    target : array or tensor
        (D,) float, length.
    scale : float
        > 0, unit 1 / length.
    """

    target: Array = attrs.field(converter=as_array, validator=fields.vector)
    scale: float = attrs.field(default=1.0, validator=fields.positive)

    @property
    def dimensions(self) -> int:
        """D, the length of the target."""
        return self.target.shape[0]

    def evaluate(self, x: Any) -> Any:
        """Return the score of positions `x` (..., D): (...)."""
        return self.scale * arrays.sqrt(((x - self.target) ** 2).sum(-1))
