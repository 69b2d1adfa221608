"""What this distribution offers to PartGraph.

Nothing heavy is imported here, so that listing plugins stays fast.
"""

from collections.abc import Iterator

from partgraph import Component, hookimpl

_HERE = "partgraph_template_name"


@hookimpl
def partgraph_graphs() -> Iterator[Component]:
    """Offer a graph."""
    yield Component(
        "template-name",
        f"{_HERE}.template_name:template_name",
        "TEMPLATE-SUMMARY",
    )
