"""Charbonnier's potential: quadratic near the expected displacement, linear far from it, and smooth everywhere."""

import attrs
import numpy as np

from partgraph import CompiledTerm, Component, Pairwise, hookimpl
from partgraph.arrays import Array, as_array, sqrt


@attrs.frozen(eq=False)
class Charbonnier(Pairwise):
    offset: Array = attrs.field(converter=as_array)  # (D,) float, length: expected displacement
    delta: float = 1.0  # length: where quadratic turns into linear

    @property
    def dimensions(self):
        return self.offset.shape[0]

    def evaluate(self, x, y):
        squared = ((y - x - self.offset) ** 2).sum(-1)
        return -self.delta * (sqrt(squared + self.delta * self.delta) - self.delta)

    def compiled(self):
        import _partgraph_charbonnier as c

        return CompiledTerm(c.VALUES, c.BOUNDS, fields=np.append(self.offset, self.delta))


def examples():
    return [Charbonnier([0.0, 0.0, 1.0], 0.5), Charbonnier([3.0, -4.0], 2.0)]


@hookimpl
def partgraph_pairwises():
    yield Component(
        "charbonnier",
        "partgraph_charbonnier:Charbonnier",
        "a smooth Huber, with a compiled form",
        examples="partgraph_charbonnier:examples",
    )
