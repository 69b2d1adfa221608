"""Approximate inference on any graph: a master coordinates star-shaped slaves (paper, section 2.3).

The graph is cut into stars. Slave s maximises its share S_s of the score over its own copy Phi_s of the parts, and
the copies of a shared part r must agree with a common position u(r) (eq. 4). The augmented Lagrangian

    A = sum_s [ S_s(Phi_s) + sum_r <lambda_s(r), Phi_s(r)> - rho/2 sum_r |Phi_s(r) - u(r)|^2 ]
        - sum_r <sum_s lambda_s(r), u(r)>

(eq. 5, with the MINUS that a penalty needs in a maximisation; the paper prints plus) is maximised in turn:

    Phi_s     <-  argmax of the slave's part of A                 (eq. 6)  a star problem with two more unary terms
    u(r)      <-  mean over s of Phi_s(r)                         (eq. 7)  as the multipliers of a part sum to zero
    lambda_s  <-  lambda_s - rho (Phi_s(r) - u(r))                (eq. 8)  which keeps that sum at zero

Candidate sets are not convex, so agreement proves nothing; what is proven comes from the dual (see `dual`).
"""

from __future__ import annotations

from typing import Any, ClassVar, final

import attrs
import numpy as np

from partgraph import Candidates, Problem, Quadratic, Solution, Solver, Star, Status
from partgraph.covers import Cover, check_cover
from partgraph_solvers.branch_and_bound import BranchAndBound, star_state
from partgraph_solvers.compiled import BlockSet
from partgraph_solvers.coordinate_ascent import MAX_SWEEPS, CoordinateAscent
from partgraph_solvers.copies import Copies
from partgraph_solvers.dual import Dual, first_multipliers
from partgraph_solvers.numbers import CompiledLook
from partgraph_solvers.rounding import Pool, by_center, by_vote
from partgraph_solvers.slaves import make_slave


def _solver(instance: Any, attribute: Any, value: object) -> None:
    if not isinstance(value, Solver):
        raise TypeError(f"{attribute.name} must be a Solver, for example BranchAndBound(); found {value!r}")


def _positive(instance: Any, attribute: Any, value: float | None) -> None:
    if value is not None and not value > 0:
        raise ValueError(f"{attribute.name} must be positive; found {value}")


@final
@attrs.frozen
class ADMM(CompiledLook):
    """Alternating direction method of multipliers over star slaves, with rounding and an upper bound.

    Every iterate is rounded to configurations, these are polished by coordinate ascent, and the best is returned. The
    status is OPTIMAL only where the upper bound meets the score.

    Attributes
    ----------
    slave : Solver
        Solves the stars; any solver of stars will do. Bounds are as good as the slave's own.
    rho : float, optional
        Strength of the penalty, unit 1 / length^2. None: `relative_rho` times the mean weight of the problem.
    relative_rho : float
        Penalty relative to the pairwise weights. Small values find better configurations, large values agree
        sooner; the default agrees in about 20 iterations on poses of 16 parts.
    balance : bool
        Whether the penalty is adapted in the first half of the iterations, so that neither residual stays far above the
        other; otherwise it is fixed.
    max_iterations : int
        Iterations at most.
    tolerance : float
        The run has converged when the slaves agree, or when both residuals are below this times the extent of the
        candidates (the dual one also times rho).
    polish_sweeps : int
        Sweeps of coordinate ascent over a rounded configuration, at most; 0: none.
    bound_interval : int
        Iterations between two steps on the upper bound, each as costly as an iteration.
    bound_steps : int
        Steps on the upper bound after the last iteration, at most; they end where it meets the score.
    cover : str or function, optional
        How edges are divided among slaves, see `partgraph.covers`; None: the graph's own stars.
    """

    exact: ClassVar[bool] = False

    slave: Solver = attrs.field(factory=BranchAndBound, validator=_solver)
    rho: float | None = attrs.field(default=None, validator=_positive)
    relative_rho: float = attrs.field(default=0.4, validator=_positive)
    balance: bool = False
    max_iterations: int = attrs.field(default=60, validator=_positive)
    tolerance: float = attrs.field(default=1e-6, validator=_positive)
    polish_sweeps: int = attrs.field(default=MAX_SWEEPS, validator=attrs.validators.ge(0))
    bound_interval: int = attrs.field(default=10, validator=_positive)
    bound_steps: int = attrs.field(default=10, validator=attrs.validators.ge(0))
    cover: str | Cover | None = attrs.field(default=None, validator=attrs.validators.optional(check_cover))

    def supports(self, problem: Problem) -> str | None:
        """Support what the slave supports, star by star."""
        problem = self._covered(problem)
        for star in problem.graph.stars():
            reason = self.slave.supports(problem.restrict(star))
            if reason is not None:
                name = problem.graph.parts[star.center]
                return f"its slave {type(self.slave).__name__} cannot solve the star of {name!r}: {reason}"
        return None

    def init(self, problem: Problem) -> State:
        """Return the slaves' own states and the moves of the polish."""
        problem = self._covered(problem)
        blocks, slaves = BlockSet(), []
        for star in problem.graph.stars():
            own = problem.restrict(star)
            shared = type(self.slave) is BranchAndBound
            slaves.append(star_state(own, blocks) if shared else self.slave.init(own))
        return State(problem.graph.stars(), tuple(slaves), CoordinateAscent.of(problem, blocks))

    def warm_start(self, state: State, solution: Solution) -> State:
        """Return a state from which a run on a similar problem begins where the run of `solution` ended."""
        if len(state.stars) == 1:
            return state  # a single slave has nobody to agree with
        names = ("multipliers", "common_positions", "dual_multipliers")
        return attrs.evolve(state, start=Iterate(*(solution.stats[name] for name in names)))

    def compute(self, problem: Problem, state: State, n_best: int) -> Solution:
        """Iterate until the slaves agree; return the best of all rounded iterates."""
        problem = self._covered(problem)
        if len(state.stars) == 1:
            return self._single(problem, state, n_best)
        return _Run(self, problem, state).solve(n_best)

    def _covered(self, problem: Problem) -> Problem:
        return problem if self.cover is None else problem.with_cover(self.cover)

    def _single(self, problem: Problem, state: State, n_best: int) -> Solution:
        """Solve a graph that is one star: the slave's answer, with labels back in the problem's order."""
        star = state.stars[0]
        solution = self.slave.compute(problem.restrict(star), state.slaves[0], n_best)
        labels = np.empty_like(solution.labels)
        labels[:, list(star.parts)] = solution.labels
        return attrs.evolve(solution, labels=labels, stats={**solution.stats, "iterations": 0})


@attrs.frozen(eq=False)
class Iterate:
    """Where a run stands.

    Attributes
    ----------
    multipliers : array
        (C, D) float64, lambda of every copy.
    u : array or None
        (C, D) float64, the common position of every copy's part; None before the first iteration, which has no penalty.
    dual_multipliers : array
        (C, D) float64, the multipliers of the upper bound.
    """

    multipliers: np.ndarray
    u: np.ndarray | None
    dual_multipliers: np.ndarray


@attrs.frozen(eq=False)
class State:
    """What ADMM prepares once for a graph with its candidates.

    Attributes
    ----------
    stars : tuple of Star
        One per slave.
    slaves : tuple
        The slaves' own states.
    moves : CoordinateAscent
        Moves of single parts, to polish configurations.
    start : Iterate, optional
        Where to start from.
    """

    stars: tuple[Star, ...]
    slaves: tuple[Any, ...]
    moves: CoordinateAscent
    start: Iterate | None = None


class _Run:
    """One run on one problem."""

    def __init__(self, options: ADMM, problem: Problem, state: State) -> None:
        self.options = options
        self.problem = problem = tabulated(problem)
        self.copies = copies = Copies(problem, state.stars)
        self.slaves = [
            make_slave(options.slave, problem.restrict(star), own_state, copies.slot[own])
            for star, own_state, own in zip(state.stars, state.slaves, copies.of_slave, strict=True)
        ]
        if state.start is None:
            first = first_multipliers(problem, copies)
            self.now = Iterate(first, None, first)
        else:
            self.now = state.start
        self.pool = Pool(problem, state.moves.polisher(problem, options.polish_sweeps))
        self.dual = Dual(problem, copies, self.slaves, self.now.dual_multipliers)
        self.rho = options.rho or options.relative_rho * curvature(problem)
        self.small = options.tolerance * max(
            float(np.ptp(own.positions, axis=0).max()) for own in problem.candidates
        )
        self.history: dict[str, list[float]] = {
            name: [] for name in ("primal_residual", "dual_residual", "upper_bound", "score", "rho")
        }

    def solve(self, n_best: int) -> Solution:
        """Run to the end and return the best configurations."""
        options = self.options
        status, agreed = Status.ITERATION_LIMIT, None
        for iteration in range(options.max_iterations):
            if iteration % options.bound_interval == 0:
                self._lower_bound()
            agreed, settled = self._iterate()
            if self.dual.proves(self.pool.best):
                break
            if agreed is not None or settled:
                status = Status.CONVERGED
                break
        for _ in range(options.bound_steps):
            if self.dual.proves(self.pool.best):
                break
            self._lower_bound()
        if self.dual.proves(self.pool.best):
            status = Status.OPTIMAL
        self.history["upper_bound"][-1], self.history["score"][-1] = self.dual.bound, self.pool.best
        return self._solution(n_best, status, agreed)

    def _lower_bound(self) -> None:
        self._round(self.dual.step(self.pool.best))

    def _round(self, labels: list[list[int]]) -> None:
        """Round the slaves' labels in two ways, polish both, and keep all."""
        self.pool.add(by_vote(self.problem, self.copies, labels), by_center(self.copies, labels))

    def _iterate(self) -> tuple[list[int] | None, bool]:
        """Do eq. 6 to 8 once; return what the slaves agree on, if they do, and whether the residuals are small."""
        copies, rho, now = self.copies, self.rho, self.now
        labels, _ = copies.solve(self.slaves, now.multipliers, now.u, rho)
        positions = copies.positions(labels)
        u = copies.mean(positions)
        multipliers = now.multipliers - rho * (positions - u)
        multipliers -= copies.mean(multipliers)  # their sum is zero but for rounding; take that away
        self.now = Iterate(multipliers, u, self.dual.multipliers)
        self._round(labels)
        primal, dual = _size(positions - u), np.inf if now.u is None else rho * _size(u - now.u)
        values = primal, dual, self.dual.bound, self.pool.best, rho
        for own, value in zip(self.history.values(), values, strict=True):
            own.append(value)
        # Then it stays: convergence is only known of penalties that stop changing.
        if self.options.balance and 2 * len(self.history["rho"]) < self.options.max_iterations:
            self.rho = balanced(rho, primal, dual / self.history["rho"][0])
        return copies.agreed(labels), primal <= self.small and dual <= rho * self.small

    def _solution(self, n_best: int, status: Status, agreed: list[int] | None) -> Solution:
        if n_best > 1:
            self.pool.widen(n_best)
        ranked = self.pool.ranked(n_best)
        scores = np.array([score for _, score in ranked])
        stats = {name: np.array(values) for name, values in self.history.items()} | {
            "iterations": len(self.history["score"]),
            "consensus": agreed is not None,
            "agreed": None if agreed is None else np.array(agreed, dtype=np.intp),
            "slaves": len(self.slaves),
            "bound_steps": self.dual.steps,
            "n_best": "from the pool of rounded configurations"
            + ("; the best is proven" * (status is Status.OPTIMAL)),
            "multipliers": self.now.multipliers,
            "common_positions": self.now.u,
            "dual_multipliers": self.dual.multipliers,
        }
        bound = float(scores[0]) if status is Status.OPTIMAL else max(self.dual.bound, float(scores[0]))
        return Solution(np.array([own for own, _ in ranked], dtype=np.intp), scores, bound, status, stats)


def _size(rows: np.ndarray) -> float:
    """Return the root mean square length of rows (C, D); 0 if there are none."""
    return float(np.sqrt((rows**2).sum(1).mean())) if len(rows) else 0.0


def balanced(rho: float, primal: float, dual: float) -> float:
    """Return the next penalty (Boyd et al., 2011, section 3.4.1, with the numbers given there).

    A large penalty makes primal residuals small and dual ones large. They can be compared where the dual one is
    divided by the first penalty: both are lengths then. Multipliers are those of eq. 5, not divided by rho, so they
    stay as they are when it changes.
    """
    if primal > 10 * dual:
        return 2 * rho
    return rho / 2 if primal < dual / 10 < np.inf else rho


def tabulated(problem: Problem) -> Problem:
    """Return the same problem with every unary term in the table of scores."""
    if not any(problem.unary):
        return problem
    candidates = tuple(
        Candidates(own.positions, problem.unary_scores(i)) for i, own in enumerate(problem.candidates)
    )
    return attrs.evolve(problem, candidates=candidates, unary=())


def curvature(problem: Problem) -> float:
    """Return what a penalty is measured against, unit 1 / length^2: the mean weight of quadratic terms.

    Where there is none, the spread of scores over the squared extent of positions.
    """
    weights = [term.weight for term in problem.pairwise if type(term) is Quadratic]
    if weights:
        return float(np.mean(weights))
    spread = float(np.mean([np.ptp(own.scores[np.isfinite(own.scores)]) for own in problem.candidates]))
    extent = float(np.mean([(np.ptp(own.positions, axis=0) ** 2).sum() for own in problem.candidates]))
    return spread / extent if spread > 0 and extent > 0 else 1.0
