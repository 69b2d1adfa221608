"""What this distribution offers to PartGraph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from partgraph.components import Component
from partgraph.hookspecs import hookimpl

if TYPE_CHECKING:
    from partgraph.problem import Problem


@hookimpl
def partgraph_solvers() -> Iterator[Component]:
    """Offer branch and bound, and ADMM."""
    yield Component(
        "branch-and-bound", "partgraph_solvers.branch_and_bound:BranchAndBound", "exact, star graphs, n best"
    )
    yield Component("admm", "partgraph_solvers.admm:ADMM", "approximate with a bound, any graph, star slaves")


@hookimpl
def partgraph_default_solver(problem: Problem, installed: Sequence[str]) -> str:
    """Choose the exact solver for stars, ADMM for everything else."""
    return "solvers:branch-and-bound" if problem.graph.is_star else "solvers:admm"
