"""What the core itself offers, through the same hooks as any plugin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from partgraph.components import Component
from partgraph.hookspecs import hookimpl

if TYPE_CHECKING:
    from partgraph.problem import Problem


def _potential(name: str, cls: str, summary: str) -> Component:
    examples = f"partgraph.testing.examples:{name.removeprefix('robust-').replace('-', '_')}"
    return Component(name, f"partgraph.potentials:{cls}", summary, examples=examples)


@hookimpl
def partgraph_unaries() -> Iterator[Component]:
    """Offer priors of a part, and the unary potentials of ADMM and of loss-augmented inference."""
    yield _potential("linear", "Linear", "inner product with a vector, ADMM's multiplier")
    yield _potential("proximal", "Proximal", "pull towards a point, ADMM's penalty")
    yield _potential("euclidean-loss", "EuclideanLoss", "distance to a target, the task loss")
    yield _potential("gaussian-prior", "GaussianPrior", "where a part is, full covariance")
    yield _potential("box-prior", "BoxPrior", "where a part may be, linear or quadratic outside")
    yield _potential("visibility", "Visibility", "what it costs a part not to be seen")


@hookimpl
def partgraph_pairwises() -> Iterator[Component]:
    """Offer the pairwise potential of the paper, and some beyond it."""
    yield _potential("quadratic", "Quadratic", "squared deviation of a displacement, eq. 3")
    yield _potential("full-quadratic", "FullQuadratic", "squared Mahalanobis distance of a displacement")
    yield _potential("limb-length", "LimbLength", "squared deviation of a distance")
    # Named by their family, so that the short names stay free for plugins with terms of their own.
    yield _potential("robust-truncated", "Truncated", "a term that never costs more than a limit")
    yield _potential("robust-huber", "Huber", "a term, linear where it is large")
    yield _potential("robust-cauchy", "Cauchy", "a term, logarithmic where it is large")
    yield _potential("mixture", "Mixture", "the best of several terms")


@hookimpl
def partgraph_solvers() -> Iterator[Component]:
    """Offer the reference solvers."""
    yield Component("exhaustive", "partgraph.reference:Exhaustive", "exact, any graph, few configurations")
    yield Component(
        "dynamic-programming", "partgraph.reference:DynamicProgramming", "exact, trees and forests"
    )


@hookimpl
def partgraph_datasets() -> Iterator[Component]:
    """Offer the mixture of other data sets."""
    yield Component(
        "mixture",
        "partgraph.learning.mixture:Mixture",
        "several data sets in fixed shares",
        requires=("torch", "cattrs"),
        examples="partgraph.testing.learning.examples:mixture",
        extra="learning",
    )


@hookimpl
def partgraph_losses() -> Iterator[Component]:
    """Offer the loss that trains through the search."""
    yield Component(
        "structured-hinge",
        "partgraph.learning.structured:StructuredHinge",
        "hinge over the most violated configurations, section 2.5",
        requires=("torch",),
        examples="partgraph.testing.learning.examples:structured_hinge",
        extra="learning",
    )


@hookimpl(trylast=True)
def partgraph_default_solver(problem: Problem) -> str:
    """Choose a reference solver; plugins with faster ones are asked first."""
    return "builtin:dynamic-programming" if problem.graph.is_forest else "builtin:exhaustive"
