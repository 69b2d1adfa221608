"""What this distribution offers to PartGraph."""

from __future__ import annotations

from collections.abc import Iterator

from partgraph.components import Component
from partgraph.hookspecs import hookimpl


@hookimpl
def partgraph_solvers() -> Iterator[Component]:
    """Offer toulbar2."""
    yield Component(
        "toulbar2",
        "partgraph_toulbar2.solver:Toulbar2",
        "exact, any graph, n best; cost function networks on candidates that bounds leave",
        requires=("pytoulbar2",),
    )
