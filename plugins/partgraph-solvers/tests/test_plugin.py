"""What the plugin registers, and which solver it chooses."""

from __future__ import annotations

import attrs
from partgraph_solvers import ADMM, BranchAndBound, Exact, KDBranchAndBound
from partgraph_solvers.plugin import partgraph_default_solver, partgraph_solvers
from test_admm import TRIANGLE, loopy_problem

from partgraph import Pairwise, Topology, plugins


@attrs.frozen(eq=False)
class Distance(Pairwise):
    def evaluate(self, x, y):
        return -abs(y - x).sum(-1)


def test_components_are_found_by_name() -> None:
    assert [component.name for component in partgraph_solvers()] == [
        "branch-and-bound",
        "kd-branch-and-bound",
        "admm",
        "exact",
    ]
    for name, solver in (
        ("branch-and-bound", BranchAndBound),
        ("kd-branch-and-bound", KDBranchAndBound),
        ("admm", ADMM),
        ("exact", Exact),
    ):
        assert plugins.get("solver", f"solvers:{name}") is solver


def test_the_default_solver_is_chosen_by_the_problem() -> None:
    star, loop = loopy_problem(0, [(0, 1), (0, 2)]), loopy_problem(0, TRIANGLE)
    other = attrs.evolve(loop, pairwise=(Distance(),) * 3)
    chosen = [partgraph_default_solver(problem) for problem in (star, loop, other)]
    assert chosen == ["solvers:branch-and-bound", "solvers:exact", "solvers:exact"]
    assert isinstance(loop.graph, Topology)
