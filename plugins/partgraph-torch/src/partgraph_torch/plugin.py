"""What this distribution offers to PartGraph."""

from __future__ import annotations

from collections.abc import Iterator

from partgraph.components import Component
from partgraph.hookspecs import hookimpl


@hookimpl
def partgraph_solvers() -> Iterator[Component]:
    """Offer the solver of trees in torch."""
    yield Component(
        "torch",
        "partgraph_torch.solver:Torch",
        "exact, trees and forests, n best; batches of problems, on a GPU where there is one",
        requires=("torch",),
    )
