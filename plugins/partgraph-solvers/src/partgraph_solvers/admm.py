"""Approximate inference on any graph: a master coordinates star-shaped slaves (paper, section 2.3).

The graph is cut into stars. Slave s maximises its share S_s of the score over its own copy Phi_s of the parts, and
the copies of a shared part r must agree with a common position u(r) (eq. 4). The augmented Lagrangian

    A = sum_s [ S_s(Phi_s) + sum_r <lambda_s(r), Phi_s(r)> - rho/2 sum_r |Phi_s(r) - u(r)|^2 ] - sum_r <sum_s lambda_s(r), u(r)>

(eq. 5, with the MINUS that a penalty needs in a maximisation; the paper prints plus) is maximised in turn:

    Phi_s     <-  argmax of the slave's part of A                 (eq. 6)  a star problem with two more unary terms
    u(r)      <-  mean over s of Phi_s(r)                         (eq. 7)  as the multipliers of a part sum to zero
    lambda_s  <-  lambda_s - rho (Phi_s(r) - u(r))                (eq. 8)  which keeps that sum at zero

Candidate sets are not convex, so agreement is no proof of optimality. What is proven is weak duality: without the
penalty, and with multipliers that sum to zero,

    sum_s max_Phi_s [ S_s(Phi_s) + <lambda_s, Phi_s> ]  >=  max_Phi sum_s S_s(Phi) = optimum.
"""

from __future__ import annotations

from typing import Any, ClassVar, final

import attrs
import numpy as np

from partgraph import Candidates, Problem, Quadratic, Solution, Solver, Star, Status
from partgraph_solvers.branch_and_bound import BranchAndBound, star_state
from partgraph_solvers.compiled import BlockSet
from partgraph_solvers.coordinate_ascent import CoordinateAscent
from partgraph_solvers.slaves import make_slave


def _positive(instance: Any, attribute: Any, value: float | None) -> None:
    if value is not None and not value > 0:
        raise ValueError(f"{attribute.name} must be positive; found {value}")


@final
@attrs.frozen
class ADMM(Solver):
    """Alternating direction method of multipliers over star slaves, with rounding and an upper bound.

    Attributes
    ----------
    slave : Solver
        Solves the stars; any solver of stars will do. The bound is as good as the slave's own.
    rho : float, optional
        Strength of the penalty, unit 1 / length^2. None: `relative_rho` times the mean curvature of the problem.
    relative_rho : float
        Penalty relative to the curvature of the pairwise terms. Small values find better configurations, large
        values agree sooner.
    max_iterations : int
        Iterations at most.
    tolerance : float
        The run has converged when both residuals, relative to the extent of the candidates, are below this.
    bound_interval : int
        Iterations between two computations of the upper bound, which cost as much as an iteration each.
    """

    exact: ClassVar[bool] = False

    slave: Solver = attrs.field(factory=BranchAndBound, validator=attrs.validators.instance_of(Solver))
    rho: float | None = attrs.field(default=None, validator=_positive)
    relative_rho: float = attrs.field(default=0.5, validator=_positive)
    max_iterations: int = attrs.field(default=60, validator=_positive)
    tolerance: float = attrs.field(default=1e-6, validator=_positive)
    bound_interval: int = attrs.field(default=10, validator=_positive)

    def supports(self, problem: Problem) -> str | None:
        """Support what the slave supports, star by star."""
        for star in problem.graph.stars():
            reason = self.slave.supports(problem.restrict(star))
            if reason is not None:
                return f"its slave {type(self.slave).__name__} cannot solve the star of {problem.graph.parts[star.center]!r}: {reason}"
        return None

    def init(self, problem: Problem) -> State:
        """Return the slaves' own states and the moves of the final polish."""
        blocks = BlockSet()
        slaves = []
        for star in problem.graph.stars():
            own = problem.restrict(star)
            own_state = star_state(own, blocks) if type(self.slave) is BranchAndBound else self.slave.init(own)
            slaves.append((star, own_state))
        return State(tuple(slaves), CoordinateAscent.of(problem, blocks))

    def warm_start(self, state: State, solution: Solution) -> State:
        """Return a state from which a run on a similar problem begins where the run of `solution` ended."""
        return attrs.evolve(state, start=(solution.stats["multipliers"], solution.stats["consensus_positions"]))

    def compute(self, problem: Problem, state: State, n_best: int) -> Solution:
        """Iterate, round every iterate to configurations, and keep the best."""
        if len(state.slaves) == 1:
            return self._single(problem, state, n_best)
        return _Run(self, problem, state).solve(n_best)

    def _single(self, problem: Problem, state: State, n_best: int) -> Solution:
        """Solve a graph that is one star: the slave's answer, with labels back in the problem's order."""
        star, own_state = state.slaves[0]
        solution = self.slave.compute(problem.restrict(star), own_state, n_best)
        labels = np.empty_like(solution.labels)
        labels[:, list(star.parts)] = solution.labels
        return attrs.evolve(solution, labels=labels, stats={**solution.stats, "iterations": 0})


@attrs.frozen(eq=False)
class State:
    """What ADMM prepares once for a graph with its candidates.

    Attributes
    ----------
    slaves : tuple of (Star, object)
        The stars and the slave's state for each.
    moves : CoordinateAscent
        Moves of single parts, to polish configurations.
    start : tuple of two arrays, optional
        Multipliers (C, D) and common positions (N, D) to start from.
    """

    slaves: tuple[tuple[Star, Any], ...]
    moves: CoordinateAscent
    start: tuple[np.ndarray, np.ndarray] | None = None


class _Copies:
    """The copies that slaves hold of shared parts: C of them, in the order of slaves.

    Attributes
    ----------
    part, slave : array
        (C,) int, whose copy it is and who holds it.
    slot : array
        (C,) int, the part's place among the slave's parts.
    count : array
        (N,) int, how many slaves hold each part.
    """

    def __init__(self, stars: list[Star], parts: int) -> None:
        self.count = np.bincount([part for star in stars for part in star.parts], minlength=parts)
        rows = [
            (part, s, slot)
            for s, star in enumerate(stars)
            for slot, part in enumerate(star.parts)
            if self.count[part] > 1
        ]
        self.part, self.slave, self.slot = np.array(rows, dtype=np.intp).reshape(-1, 3).T
        self.of_slave = [np.flatnonzero(self.slave == s) for s in range(len(stars))]

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Return for every copy the mean over all copies of its part, of values (C, D): (C, D)."""
        total = np.zeros((len(self.count), values.shape[1]))
        np.add.at(total, self.part, values)
        return (total / self.count[:, None])[self.part]


class _Run:
    """One run of ADMM on one problem."""

    def __init__(self, options: ADMM, problem: Problem, state: State) -> None:
        self.options, self.state = options, state
        self.problem = tabulated(problem)
        self.stars = [star for star, _ in state.slaves]
        self.copies = copies = _Copies(self.stars, len(problem.sizes))
        self.slaves = [
            make_slave(options.slave, self.problem.restrict(star), own_state, copies.slot[own])
            for (star, own_state), own in zip(state.slaves, copies.of_slave, strict=True)
        ]
        self.polisher = state.moves.polisher(self.problem)
        self.most = sum(abs(float(own.scores.max())) for own in self.problem.candidates)
        self.reach = np.array([np.abs(own.positions).max() for own in self.problem.candidates])
        self.pool: dict[tuple[int, ...], float] = {}
        self.best = -np.inf
        self.polished: set[tuple[int, ...]] = set()
        self.bound = np.inf
        self.slave_solves = 0

    # -- master and slaves ---------------------------------------------------------------------------------------

    def solve(self, n_best: int) -> Solution:
        """Run to the end and return the best configurations."""
        copies, dimensions = self.copies, self.problem.dimensions
        extent = max(float(np.ptp(own.positions, axis=0).max()) for own in self.problem.candidates) or 1.0
        rho = self.options.rho or self.options.relative_rho * curvature(self.problem)
        if self.state.start is None:
            multipliers, u = self._first_multipliers(), None
        else:
            multipliers, positions = self.state.start
            u = positions[copies.part]
        history: dict[str, list[float]] = {"primal_residual": [], "dual_residual": [], "upper_bound": [], "score": []}
        status, labels = Status.ITERATION_LIMIT, []
        for iteration in range(self.options.max_iterations):
            labels, bound = self._slaves(multipliers, u, rho)
            if u is None:
                self._lower_bound_to(bound, multipliers)
            positions = self._positions(labels)
            mean = copies.mean(positions)
            primal = float(np.sqrt(((positions - mean) ** 2).sum(1).mean())) if len(mean) else 0.0
            dual = rho * float(np.sqrt(((mean - u) ** 2).sum(1).mean())) if u is not None and len(mean) else 0.0
            u = mean
            multipliers = multipliers - rho * (positions - u)
            multipliers -= copies.mean(multipliers)  # their sum is zero but for rounding; take that away
            self._round(labels)
            agree = self._agree(labels)
            settled = primal < self.options.tolerance * extent and dual < self.options.tolerance * extent * rho
            if not agree and not settled and iteration % self.options.bound_interval == self.options.bound_interval - 1:
                self._bound_at(multipliers)
            for name, value in zip(history, (primal, dual, self.bound, self.best), strict=True):
                history[name].append(value)
            if self._proven(multipliers):
                status = Status.OPTIMAL
                break
            if agree or (settled and iteration > 0):
                status = Status.CONVERGED
                break
        if status is not Status.OPTIMAL and len(copies.part):
            self._bound_at(multipliers)
            history["upper_bound"][-1], history["score"][-1] = self.bound, self.best
            if self._proven(multipliers):
                status = Status.OPTIMAL
        return self._solution(n_best, status, history, rho, multipliers, labels)

    def _slaves(self, multipliers: np.ndarray, u: np.ndarray | None, rho: float) -> tuple[list[np.ndarray], float]:
        """Solve every slave (eq. 6), without penalty where `u` is None; return labels and the sum of upper bounds."""
        found, total = [], 0.0
        for slave, own in zip(self.slaves, self.copies.of_slave, strict=True):
            labels, bound = slave.solve(multipliers[own], None if u is None else u[own], rho)
            found.append(labels)
            total += bound
        self.slave_solves += len(found)
        return found, total

    def _positions(self, labels: list[np.ndarray]) -> np.ndarray:
        """Return Phi_s(r) for every copy: (C, D)."""
        copies = self.copies
        rows = [
            self.problem.candidates[part].positions[labels[s][slot]]
            for part, s, slot in zip(copies.part, copies.slave, copies.slot, strict=True)
        ]
        return np.array(rows).reshape(-1, self.problem.dimensions)

    def _first_multipliers(self) -> np.ndarray:
        """Return multipliers that take contradictions between expected offsets out of the bound: (C, D).

        With d = y - x, a quadratic term splits around any other offset o*:
            -c (d - o)^2 = -c (d - o*)^2 - <2 c (o* - o), y - x> + const.
        Choose o* = p_j - p_i, consistent along every cycle, by least squares, min_p sum c (p_j - p_i - o)^2. Its
        normal equations say that the linear parts of all edges cancel at every part. So multipliers that cancel
        them in every slave sum to zero, and slaves see offsets that can all be met at once.
        """
        problem, copies = self.problem, self.copies
        multipliers = np.zeros((len(copies.part), problem.dimensions))
        slope = consistent_offsets(problem)
        if slope is None:
            return multipliers
        for c, (part, s) in enumerate(zip(copies.part, copies.slave, strict=True)):
            for e in self.stars[s].edges:
                i, j = problem.graph.edges[e]
                multipliers[c] += slope[e] * (int(part == j) - int(part == i))
        return multipliers - copies.mean(multipliers)

    # -- bounds --------------------------------------------------------------------------------------------------

    def _bound_at(self, multipliers: np.ndarray) -> None:
        """Solve the slaves without the penalty; use their maxima as a bound and their labels as configurations."""
        labels, bound = self._slaves(multipliers, None, 0.0)
        self._lower_bound_to(bound, multipliers)
        self._round(labels)

    def _lower_bound_to(self, bound: float, multipliers: np.ndarray) -> None:
        self.bound = min(self.bound, bound + self._rounding(bound, multipliers))

    def _rounding(self, score: float, multipliers: np.ndarray) -> float:
        """Bound the rounding error of a sum of slave scores.

        Its summands are the scores of the parts, the terms of the edges and the multipliers' terms. Of a
        configuration worth having, each is at most g = |score| + sum of |maxima| + sum of |lambda| |position| in
        size (up to the factor 2 that a score and a term with opposite signs need), and a sum of n numbers errs by
        at most n u times the sum of their sizes, u = 2^-53. Scores divided among slaves and multipliers whose sum
        is only nearly zero err by less.
        """
        copies = self.copies
        g = abs(score) + self.most + float((np.abs(multipliers).sum(axis=1) * self.reach[copies.part]).sum())
        n = len(self.reach) + len(self.problem.graph.edges) + self.problem.dimensions * (len(copies.part) + 2)
        return 2 * n**2 * 2.0**-53 * 2 * g

    def _proven(self, multipliers: np.ndarray) -> bool:
        """Whether the best configuration reaches the bound, but for rounding."""
        return self.best >= self.bound - 2 * self._rounding(self.best, multipliers)

    # -- configurations ------------------------------------------------------------------------------------------

    def _agree(self, labels: list[np.ndarray]) -> bool:
        votes: dict[int, set[int]] = {}
        for star, own in zip(self.stars, labels, strict=True):
            for part, label in zip(star.parts, own, strict=True):
                votes.setdefault(part, set()).add(int(label))
        return all(len(own) == 1 for own in votes.values())

    def _round(self, labels: list[np.ndarray]) -> None:
        """Turn the slaves' answers into configurations, polish them, and add all to the pool.

        Two roundings: per part the label that most copies have (on a tie the one nearest to their mean), and per
        part the label of the slave it is the center of, where its evidence is strongest.
        """
        n = len(self.problem.sizes)
        votes: list[list[int]] = [[] for _ in range(n)]
        center = np.full(n, -1)
        for star, own in zip(self.stars, labels, strict=True):
            for part, label in zip(star.parts, own, strict=True):
                votes[part].append(int(label))
            if center[star.center] < 0:
                center[star.center] = own[0]
        voted = np.array([self._vote(part, own) for part, own in enumerate(votes)])
        for configuration in (voted, np.where(center < 0, voted, center)):
            self._add(configuration)

    def _vote(self, part: int, votes: list[int]) -> int:
        if len(set(votes)) == 1:
            return votes[0]
        positions = self.problem.candidates[part].positions[votes]
        away = ((positions - positions.mean(0)) ** 2).sum(1)
        return min(zip(votes, away, strict=True), key=lambda vote: (-votes.count(vote[0]), vote[1], vote[0]))[0]

    def _add(self, configuration: np.ndarray) -> None:
        key = tuple(map(int, configuration))
        if key in self.polished:
            return
        self.polished.add(key)
        improved = tuple(map(int, self.polisher.polish(configuration)))
        new = [row for row in dict.fromkeys((key, improved)) if row not in self.pool]
        if new:
            self.pool.update(zip(new, self.problem.score(np.array(new)).tolist(), strict=True))
            self.best = max(self.best, *(self.pool[row] for row in new))

    def _solution(
        self,
        n_best: int,
        status: Status,
        history: dict[str, list[float]],
        rho: float,
        multipliers: np.ndarray,
        labels: list[np.ndarray],
    ) -> Solution:
        if n_best > 1:
            self._widen(n_best)
        ranked = sorted(self.pool.items(), key=lambda item: (-item[1], item[0]))
        ranked = [item for item in ranked if item[1] > -np.inf][:n_best]
        scores = np.array([score for _, score in ranked])
        positions = np.zeros((len(self.problem.sizes), self.problem.dimensions))
        if len(self.copies.part):
            positions[self.copies.part] = self.copies.mean(self._positions(labels))
        stats = {name: np.array(values) for name, values in history.items()} | {
            "iterations": len(history["score"]),
            "slaves": len(self.slaves),
            "slave_solves": self.slave_solves,
            "consensus": self._agree(labels),
            "rho": rho,
            "multipliers": multipliers,
            "consensus_positions": positions,
            "n_best": "proven best first, the others from the pool of rounded configurations"
            if status is Status.OPTIMAL
            else "from the pool of rounded configurations",
        }
        bound = float(scores[0]) if status is Status.OPTIMAL else max(self.bound, float(scores[0]))
        return Solution(np.array([own for own, _ in ranked], dtype=np.intp), scores, bound, status, stats)

    def _widen(self, n_best: int) -> None:
        """Add to the pool what the best configuration becomes when a single part moves."""
        best = max(self.pool.items(), key=lambda item: (item[1], tuple(-label for label in item[0])))[0]
        for part, size in enumerate(self.problem.sizes):
            total = self.polisher.conditional(part, np.array(best))
            rows = np.repeat(np.array(best)[None], min(n_best, size), axis=0)
            rows[:, part] = np.argsort(-total, kind="stable")[:n_best]
            self.pool.update(zip(map(tuple, rows.tolist()), self.problem.score(rows).tolist(), strict=True))


def tabulated(problem: Problem) -> Problem:
    """Return the same problem with every unary term in the table of scores."""
    if not any(problem.unary):
        return problem
    candidates = tuple(Candidates(own.positions, problem.unary_scores(i)) for i, own in enumerate(problem.candidates))
    return attrs.evolve(problem, candidates=candidates, unary=())


def consistent_offsets(problem: Problem) -> np.ndarray | None:
    """Return 2 c (o* - o) for every edge, (E, D), o* the consistent offsets nearest to o; None if not all quadratic.

    Where anchors replace positions, o is the mean over candidates.
    """
    if not problem.pairwise or any(type(term) is not Quadratic for term in problem.pairwise):
        return None
    n, edges = len(problem.sizes), problem.graph.edges
    weight = np.array([term.weight for term in problem.pairwise])
    offset = np.array([term.offset for term in problem.pairwise])
    for e, anchors in enumerate(problem.anchors):
        if anchors is not None:
            offset[e] += (anchors - problem.candidates[edges[e][0]].positions).mean(axis=0)
    incidence = np.zeros((len(edges), n))
    rows = np.arange(len(edges))
    incidence[rows, [j for _, j in edges]], incidence[rows, [i for i, _ in edges]] = 1.0, -1.0
    slopes = []
    for c, o in zip(weight.T, offset.T, strict=True):
        root = np.sqrt(c)
        places = np.linalg.lstsq(incidence * root[:, None], o * root, rcond=None)[0]
        slopes.append(2 * c * (incidence @ places - o))
    return np.stack(slopes, axis=1)


def curvature(problem: Problem) -> float:
    """Return the mean curvature of the pairwise terms, unit 1 / length^2: what a penalty is measured against.

    For quadratic terms that is the mean weight. For others: the spread of the scores over the spread of positions.
    """
    weights = [term.weight for term in problem.pairwise if type(term) is Quadratic]
    if weights:
        return float(np.mean(weights))
    spread = [np.ptp(own.scores[np.isfinite(own.scores)]) for own in problem.candidates]
    extent = [(np.ptp(own.positions, axis=0) ** 2).sum() for own in problem.candidates]
    return float(np.mean(spread) / np.mean(extent)) if np.mean(spread) > 0 and np.mean(extent) > 0 else 1.0
