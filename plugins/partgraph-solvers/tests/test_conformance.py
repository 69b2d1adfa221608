"""The conformance kit of the core on every solver of this plugin."""

from __future__ import annotations

import attrs
import numpy as np
from partgraph_solvers import ADMM, BranchAndBound, Exact, KDBranchAndBound

from partgraph import Pairwise, Problem, Solution, Solver
from partgraph.testing import parametrize_with_checks


@attrs.frozen
class Generic(Solver):
    """Branch and bound that is not told which terms are quadratic."""

    exact = True

    def supports(self, problem: Problem) -> str | None:
        return BranchAndBound().supports(problem)

    def init(self, problem: Problem) -> object:
        return BranchAndBound().init(self._hide(problem))

    def compute(self, problem: Problem, state: object, n_best: int) -> Solution:
        return BranchAndBound().compute(self._hide(problem), state, n_best)

    def _hide(self, problem: Problem) -> Problem:
        return attrs.evolve(problem, pairwise=tuple(map(Hidden, problem.pairwise)))


@attrs.frozen(eq=False)
class Hidden(Pairwise):
    """A potential that behaves like another one but is none of the known classes."""

    base: Pairwise

    def evaluate(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return self.base.evaluate(x, y)


@parametrize_with_checks(
    [
        BranchAndBound(),
        KDBranchAndBound(),
        Generic(),
        Exact(),
        ADMM(),
        ADMM(slave=Generic(), max_iterations=5),
    ]
)
def test_conformance(subject: Solver, check) -> None:
    check(subject)
