"""Exact inference on any graph, with a proof: bounds from star-shaped slaves drop candidates until a search ends.

Every round lowers the dual bound B (see `dual`) and raises the score T that a configuration must reach: the n-th best
found. A configuration with candidate v of part r scores at most

    B - sum over the stars s that hold r of [ max S_s - max with v S_s ],

so v is dropped where that is below T. Multipliers from consistent offsets make stars see hardly any contradiction,
so that few candidates are left after the first round; the next rounds have it easier. What is left at the end fits
into tables and is searched (see `kernel/dense.h`).
"""

from __future__ import annotations

from typing import Any, ClassVar, final

import attrs
import numpy as np

from partgraph import Candidates, Problem, Quadratic, Solution, Solver, Status
from partgraph_solvers import _dense
from partgraph_solvers.admm import ADMM, State, tabulated
from partgraph_solvers.branch_and_bound import BranchAndBound
from partgraph_solvers.copies import Copies
from partgraph_solvers.dual import Dual, first_multipliers
from partgraph_solvers.rounding import Pool
from partgraph_solvers.slaves import CompiledSlave, make_slave


def _at_least_one(instance: Any, attribute: Any, value: int | None) -> None:
    if value is not None and value < 1:
        raise ValueError(f"{attribute.name} must be at least 1; found {value}")


@final
@attrs.frozen
class Exact(Solver):
    """Find the best configurations of any graph of quadratic terms, and prove it.

    Constant offsets and anchors, any unary term, forbidden candidates, graphs in several pieces. The n best are exact
    and distinct, ties by lowest labels; near ties are decided by ``problem.score``.

    Attributes
    ----------
    max_rounds : int
        Rounds of lowering the bound and dropping candidates, at most.
    steps : int
        Steps on the bound in every round but the first, which has one.
    easy_pairs : int
        The final search begins when the edges join no more pairs of candidates than this.
    max_pairs : int
        If rounds no longer help, the search also begins with up to this many pairs; tables take 24 bytes for each.
        With more the answer has the status WORK_LIMIT.
    max_nodes : int, optional
        Labels to try in the search, at most; None: no limit.
    """

    exact: ClassVar[bool] = True

    max_rounds: int = attrs.field(default=30, validator=_at_least_one)
    steps: int = attrs.field(default=5, validator=_at_least_one)
    easy_pairs: int = attrs.field(default=200_000, validator=_at_least_one)
    max_pairs: int = attrs.field(default=10_000_000, validator=_at_least_one)
    max_nodes: int | None = attrs.field(default=1_000_000, validator=_at_least_one)

    def supports(self, problem: Problem) -> str | None:
        """Support every graph whose terms are all quadratic."""
        for e, term in enumerate(problem.pairwise):
            if type(term) is not Quadratic:
                return (
                    f"the term of edge {problem.graph.edge_name(e)} is {type(term).__name__}, and exact needs "
                    "Quadratic. Use admm, branch-and-bound on a star, or exhaustive if there are few candidates"
                )
        return None

    def init(self, problem: Problem) -> State:
        """Return the slaves' blocks and the moves of the polish."""
        return ADMM().init(problem)

    def compute(self, problem: Problem, state: State, n_best: int) -> Solution:
        """Drop candidates until the rest can be searched."""
        if len(state.stars) == 1:
            return ADMM(slave=BranchAndBound()).compute(problem, state, n_best)
        return _Search(self, tabulated(problem), n_best).run(state)


class _Search:
    """The candidates left of a problem whose unary terms are all tabulated, and the configurations found."""

    def __init__(self, options: Exact, problem: Problem, n_best: int) -> None:
        self.options, self.problem, self.n_best = options, problem, n_best
        self.left = [np.arange(size) for size in problem.sizes]
        self.found: dict[tuple[int, ...], float] = {}
        self.bound = np.inf
        self.steps = 0
        self.history: list[int] = []

    @property
    def threshold(self) -> float:
        """The n-th best score found: what a configuration must reach; -inf while there are fewer."""
        scores = sorted(self.found.values(), reverse=True)
        return scores[self.n_best - 1] if len(scores) >= self.n_best else -np.inf

    def run(self, state: State) -> Solution:
        """Do rounds while they help, then search."""
        problem, multipliers = self.problem, None
        for round_ in range(self.options.max_rounds):
            pairs = _pairs(problem)
            multipliers, kept = self._round(
                problem, state, multipliers, 1 if round_ == 0 else self.options.steps
            )
            self.left = [own[keep] for own, keep in zip(self.left, kept, strict=True)]
            self.history.append(sum(map(len, self.left)))
            if not all(map(len, self.left)):
                break  # what was found cannot be surpassed
            problem = _restricted(problem, kept)
            if _pairs(problem) <= self.options.easy_pairs:
                break
            if round_ > 2 and _pairs(problem) > 0.9 * pairs and _pairs(problem) <= self.options.max_pairs:
                break
            state = ADMM().init(problem)
        return self._finish(problem)

    def _round(
        self, problem: Problem, state: State, multipliers: np.ndarray | None, steps: int
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        """Lower the bound, look for configurations; return multipliers, and which candidates of each part to keep."""
        copies = Copies(problem, state.stars)
        slaves = []
        for star, own_state, own in zip(state.stars, state.slaves, copies.of_slave, strict=True):
            slave = make_slave(BranchAndBound(), problem.restrict(star), own_state, copies.slot[own])
            assert isinstance(slave, CompiledSlave)
            slaves.append(slave)
        pool = Pool(problem, copies, state.moves.polisher(problem))
        if multipliers is None:
            multipliers = first_multipliers(problem, copies)
        dual = Dual(problem, copies, slaves, multipliers)
        for _ in range(steps):
            pool.add(dual.step(max(pool.best, max(self.found.values(), default=-np.inf))))
        self.steps += dual.steps
        if self.n_best > 1:
            pool.widen(self.n_best)
        self._remember(pool)
        self.bound = min(self.bound, dual.bound)
        return dual.multipliers, self._kept(problem, copies, slaves, dual)

    def _remember(self, pool: Pool) -> None:
        """Note configurations of a round under the labels of the whole problem."""
        for labels, score in pool.ranked(self.n_best):
            self.found[tuple(int(own[label]) for own, label in zip(self.left, labels, strict=True))] = score

    def _kept(
        self, problem: Problem, copies: Copies, slaves: list[CompiledSlave], dual: Dual
    ) -> list[np.ndarray]:
        """Return for every part the labels that may be part of a configuration that reaches the threshold."""
        multipliers, shares = dual.lowest
        gap = dual.bound - self.threshold + 2 * dual.rounding(dual.bound)
        sizes = problem.sizes
        deficit = [np.zeros(size) for size in sizes]
        for star, slave, own, share in zip(copies.stars, slaves, copies.of_slave, shares, strict=True):
            for part, (labels, values) in zip(
                star.parts, slave.marginals(multipliers[own], share - gap), strict=True
            ):
                lost = np.full(sizes[part], np.inf)
                lost[labels] = share - values
                deficit[part] += lost
        return [np.flatnonzero((own <= gap) & (own < np.inf)) for own in deficit]

    def _finish(self, problem: Problem) -> Solution:
        """Search what is left, if it fits into tables; otherwise return the best found."""
        stats: dict[str, Any] = {"candidates_left": np.array(self.history), "bound_steps": self.steps}
        proven = not all(map(len, self.left))
        if not proven and _pairs(problem) <= self.options.max_pairs:
            limit = -1 if self.options.max_nodes is None else self.options.max_nodes
            labels, bound, proven, counts = _dense.search(
                *_tables(problem), self.n_best, self.threshold, 100, limit
            )
            stats |= counts
            self.bound = min(self.bound, bound)
            for row in labels:
                self.found[tuple(int(own[label]) for own, label in zip(self.left, row, strict=True))] = 0.0
        labels = np.array(list(self.found), dtype=np.intp)
        scores = self.problem.score(labels)
        order = np.lexsort((*labels.T[::-1], -scores))[: self.n_best]
        labels, scores = labels[order], scores[order]
        bound = float(scores[0]) if proven else max(self.bound, float(scores[0]))
        return Solution(labels, scores, bound, Status.OPTIMAL if proven else Status.WORK_LIMIT, stats)


def _pairs(problem: Problem) -> int:
    """Return how many pairs of candidates the edges join."""
    sizes = problem.sizes
    return sum(sizes[i] * sizes[j] for i, j in problem.graph.links())


def _restricted(problem: Problem, kept: list[np.ndarray]) -> Problem:
    """Return the problem with these candidates of every part only."""
    candidates = [
        Candidates(own.positions[keep], own.scores[keep])
        for own, keep in zip(problem.candidates, kept, strict=True)
    ]
    anchors = [
        None if anchors is None else anchors[kept[i]]
        for (i, _), anchors in zip(problem.graph.edges, problem.anchors, strict=True)
    ]
    return attrs.evolve(problem, candidates=candidates, anchors=anchors)


def _tables(problem: Problem) -> tuple[list[np.ndarray], list[tuple[int, int]], list[np.ndarray]]:
    """Return the unary scores, the links (i < j), and the sum of all terms between i and j as (K_i, K_j) tables."""
    sizes = problem.sizes
    tables = {(i, j): np.zeros((sizes[i], sizes[j])) for i, j in problem.graph.links()}
    for e, (i, j) in enumerate(problem.graph.edges):
        x, y = problem.anchor(e), problem.candidates[j].positions
        table = problem.pairwise[e].evaluate(x[:, None], y[None])
        tables[min(i, j), max(i, j)] += table if i < j else table.T
    return [own.scores for own in problem.candidates], list(tables), list(tables.values())
