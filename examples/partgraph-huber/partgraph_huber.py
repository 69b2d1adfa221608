"""The Huber potential: quadratic near the expected displacement, linear far from it, so that outliers cost less."""

import attrs

from partgraph import Component, Pairwise, hookimpl
from partgraph.arrays import Array, as_array, maximum, minimum


@attrs.frozen(eq=False)
class Huber(Pairwise):
    offset: Array = attrs.field(converter=as_array)  # (D,) float, length: expected displacement
    delta: float = 1.0  # length: where quadratic turns into linear

    def evaluate(self, x, y):
        distance = abs(y - x - self.offset)
        near, far = minimum(distance, self.delta), maximum(distance - self.delta, 0)
        return -(0.5 * near**2 + self.delta * far).sum(-1)


def examples():
    return [Huber([0.0, 0.0, 1.0], 0.5), Huber([3.0, -4.0, 0.0])]


@hookimpl
def partgraph_pairwises():
    yield Component(
        "huber", "partgraph_huber:Huber", "quadratic near, linear far", examples="partgraph_huber:examples"
    )
