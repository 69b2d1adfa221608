"""What this distribution offers to PartGraph.

Nothing heavy is imported here, so that listing plugins stays fast.
"""

from collections.abc import Iterator

from partgraph import Component, hookimpl

_HERE = "partgraph_template_name"


@hookimpl
def partgraph_unaries() -> Iterator[Component]:
    """Offer a unary potential."""
    yield Component(
        "template-name",
        f"{_HERE}.template_name:TemplateName",
        "TEMPLATE-SUMMARY",
        examples=f"{_HERE}.template_name:examples",
    )
