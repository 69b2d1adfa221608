"""Where a part may be, and what speaks for it."""

from __future__ import annotations

from typing import final

import attrs

from partgraph import arrays
from partgraph.arrays import Array


@final
@attrs.frozen(eq=False)
class Candidates:
    """Where a part may be.

    Attributes
    ----------
    positions : array or tensor
        (K, D) float, length (millimetres for people, pixels in images).
    scores : array or tensor
        (K,) float, the evidence for each candidate; -inf forbids it.
    """

    positions: Array = attrs.field(converter=arrays.as_array)
    scores: Array = attrs.field(converter=arrays.as_array)

    def __len__(self) -> int:
        return self.positions.shape[0]
