"""What this distribution offers to PartGraph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from partgraph.components import Component
from partgraph.hookspecs import hookimpl

if TYPE_CHECKING:
    from partgraph.problem import Problem


@hookimpl
def partgraph_solvers() -> Iterator[Component]:
    """Offer branch and bound in two variants, ADMM, and the exact solver of loopy graphs."""
    yield Component(
        "branch-and-bound", "partgraph_solvers.branch_and_bound:BranchAndBound", "exact, star graphs, n best"
    )
    yield Component(
        "kd-branch-and-bound",
        "partgraph_solvers.kd_branch_and_bound:KDBranchAndBound",
        "exact, star graphs of quadratic terms, n best; the paper's own search over KD-trees",
    )
    yield Component("admm", "partgraph_solvers.admm:ADMM", "approximate with a bound, any graph, star slaves")
    yield Component("exact", "partgraph_solvers.exact:Exact", "exact, any graph, n best, within limits")


@hookimpl
def partgraph_default_solver(problem: Problem) -> str:
    """Choose the exact solver of stars for stars, and the exact solver of any graph otherwise."""
    return "solvers:branch-and-bound" if problem.graph.is_star else "solvers:exact"
