"""What the master of ADMM asks of a slave: maximise a star plus multipliers and a penalty (paper, eq. 6).

max_Phi  S_s(Phi) + sum_r <lambda(r), Phi(r)> - rho/2 sum_r |Phi(r) - u(r)|^2        over the shared parts r of star s
"""

from __future__ import annotations

import abc
from typing import Any

import attrs
import numpy as np

from partgraph import Linear, Problem, Proximal, Solver, Unary
from partgraph_solvers import _star
from partgraph_solvers.branch_and_bound import BranchAndBound
from partgraph_solvers.compiled import CompiledStar


class Slave(abc.ABC):
    """A star problem whose shared parts, at places `slots` among its parts, are pulled."""

    @abc.abstractmethod
    def solve(self, multipliers: np.ndarray, u: np.ndarray | None, rho: float) -> tuple[np.ndarray, float]:
        """Return the best labels (parts of the star,) and an upper bound of the maximum.

        Parameters
        ----------
        multipliers : array
            (shared parts, D) float64, lambda.
        u : array or None
            (shared parts, D) float64, the common positions; None without penalty.
        rho : float
            Strength of the penalty.
        """


def make_slave(solver: Solver, problem: Problem, state: Any, slots: np.ndarray) -> Slave:
    """Return the fastest slave for a solver and its state."""
    if type(solver) is BranchAndBound and isinstance(state, CompiledStar):
        limit = -1 if solver.max_blocks is None else solver.max_blocks
        return CompiledSlave(state.star, state.blocked_scores(problem), len(problem.sizes), slots, limit)
    return SolverSlave(solver, problem, state, slots)


@attrs.frozen(eq=False)
class SolverSlave(Slave):
    """A slave that any solver of stars solves, with the master's terms as unary potentials."""

    solver: Solver
    problem: Problem
    state: Any
    slots: np.ndarray

    def solve(self, multipliers: np.ndarray, u: np.ndarray | None, rho: float) -> tuple[np.ndarray, float]:
        """Ask the solver."""
        unary = list(self.problem.unary)
        for row, slot in enumerate(self.slots):
            terms: tuple[Unary, ...] = (Linear(multipliers[row]),)
            unary[slot] += terms if u is None else (*terms, Proximal(u[row], rho))
        solution = self.solver.compute(attrs.evolve(self.problem, unary=tuple(unary)), self.state, 1)
        return solution.labels[0], solution.upper_bound


@attrs.frozen(eq=False)
class CompiledSlave(Slave):
    """The same for branch and bound on quadratic terms, without a detour over problems.

    The compiled search absorbs multipliers and penalty into its quadratics, so that no box is ever rebuilt.
    """

    star: _star.Star
    scores: list[_star.Scores]
    size: int
    slots: np.ndarray
    max_blocks: int

    def solve(self, multipliers: np.ndarray, u: np.ndarray | None, rho: float) -> tuple[np.ndarray, float]:
        """Call the compiled search."""
        labels, _, bound, *_ = self.star.solve(
            self.scores, self._pulls(multipliers, u, rho), 1, self.max_blocks
        )
        return labels[0], bound

    def _pulls(self, multipliers: np.ndarray, u: np.ndarray | None, rho: float) -> list[Any]:
        pulls: list[Any] = [None] * self.size
        for row, slot in enumerate(self.slots.tolist()):
            slope = multipliers[row].tolist()
            pulls[slot] = (slope, 0.0, [0.0] * len(slope)) if u is None else (slope, rho / 2, u[row].tolist())
        return pulls
