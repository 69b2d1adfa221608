"""What this distribution offers to PartGraph.

Nothing heavy is imported here, so that listing plugins stays fast.
"""

from collections.abc import Iterator

from partgraph import Component, hookimpl

_HERE = "partgraph_template_name"


@hookimpl
def partgraph_losses() -> Iterator[Component]:
    """Offer a loss."""
    yield Component(
        "template-name",
        f"{_HERE}.template_name:TemplateName",
        "TEMPLATE-SUMMARY",
        requires=("torch",),
        examples=f"{_HERE}.template_name:examples",
    )
