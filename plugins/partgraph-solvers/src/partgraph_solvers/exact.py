"""Exact inference on any graph, with a proof: bounds drop candidates until those left can be searched.

Stars share the score (see `relaxation`): their maxima add up to an upper bound B, and what a star lacks with candidate
v of one of its parts shows that no configuration with v reaches the score T of the n-th best one found. One star
after the other drops candidates, so that every star sees those that are left by the ones before, and hands what it
knows about the rest on to the next. B falls, T rises, and after a few turns hardly anything is left. That fits
into tables and is searched (see `kernel/dense.h`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, final

import attrs
import numpy as np

from partgraph import Problem, Solution, SolveError, Solver, Status
from partgraph.covers import Cover, check_cover
from partgraph.solver import why_unsolvable
from partgraph_solvers import _dense
from partgraph_solvers.admm import tabulated
from partgraph_solvers.clock import Clock, OutOfTime
from partgraph_solvers.compiled import BlockSet
from partgraph_solvers.coordinate_ascent import CoordinateAscent
from partgraph_solvers.copies import Copies
from partgraph_solvers.dual import first_multipliers
from partgraph_solvers.relaxation import Relaxation
from partgraph_solvers.remainder import Remainder
from partgraph_solvers.rounding import Pool, by_center, by_vote
from partgraph_solvers.subproblems import Subproblem, subproblem

Watch = Callable[[str, float, Sequence[np.ndarray]], None]
"""Called at every stage with its name, the upper bound, and the labels left of every part; for tests."""


def _at_least_one(instance: Any, attribute: Any, value: int | None) -> None:
    if value is not None and value < 1:
        raise ValueError(f"{attribute.name} must be at least 1; found {value}")


def _positive(instance: Any, attribute: Any, value: float | None) -> None:
    if value is not None and not value > 0:
        raise ValueError(f"{attribute.name} must be positive; found {value}")


@final
@attrs.frozen
class Exact(Solver):
    """Find the best configurations of any graph, and prove it.

    Any pairwise potential, constant offsets and anchors, any unary term, forbidden candidates, graphs in several
    pieces. Stars of `Quadratic` terms are searched by compiled code, others through their ``bounds``, which is slower.
    The n best are exact and distinct, ties by lowest labels; near ties are decided by ``problem.score``, unless there
    are more than a thousand: then scores that differ by rounding only count as equal.

    At a limit the best configuration found is returned, with a valid upper bound and the status WORK_LIMIT;
    ``stats["limit"]`` is the name of the option.

    Attributes
    ----------
    max_sweeps : int
        How often all stars drop candidates, at most.
    easy_pairs : int
        The final search begins when the edges join no more pairs of candidates than this.
    max_pairs : int
        If sweeps no longer help, the search also begins with up to this many pairs; tables take 24 bytes for each.
    max_nodes : int, optional
        Labels to try in the final search, at most; None: no limit.
    max_seconds : float, optional
        Time for one call, looked at between stars and inside the final search; None: no limit.
    cover : str or function, optional
        How edges are divided among stars, see `partgraph.covers`; None: the graph's own stars.
    """

    exact: ClassVar[bool] = True

    max_sweeps: int = attrs.field(default=100, validator=_at_least_one)
    easy_pairs: int = attrs.field(default=50_000, validator=_at_least_one)
    max_pairs: int = attrs.field(default=10_000_000, validator=_at_least_one)
    max_nodes: int | None = attrs.field(default=1_000_000, validator=_at_least_one)
    max_seconds: float | None = attrs.field(default=None, validator=_positive)
    cover: str | Cover | None = attrs.field(default=None, validator=attrs.validators.optional(check_cover))

    def supports(self, problem: Problem) -> str | None:
        """Support everything."""
        return None

    def init(self, problem: Problem) -> State:
        """Return stars and moves of single parts over blocks of candidates; nothing where they are not needed."""
        if self.cover is not None:
            problem = problem.with_cover(self.cover)
        rest = Remainder.of(problem)
        return State(None if rest.pairs <= self.easy_pairs else Prepared.of(problem, rest))

    def compute(self, problem: Problem, state: State, n_best: int) -> Solution:
        """Drop candidates until the rest can be searched."""
        return Search(self, tabulated(problem), state, n_best).run()

    def narrow(self, problem: Problem, *, n_best: int = 1) -> Narrowed:
        """Drop candidates by bounds, and leave the search of the rest to others.

        Parameters
        ----------
        problem : Problem
            Tensors are detached.
        n_best : int
            How many configurations are wanted.

        Raises
        ------
        SolveError
            If no configuration has a finite score.
        """
        problem = problem.detach()
        trouble = why_unsolvable(problem)
        if trouble is not None:
            raise SolveError(trouble)
        search = Search(self, tabulated(problem), self.init(problem), n_best)
        return search.narrow()


@final
@attrs.frozen(eq=False)
class Narrowed:
    """What bounds leave of a problem.

    Attributes
    ----------
    labels : tuple of array
        N entries, (count,) intp ascending: every part's candidates that may be in one of the n best configurations. Of
        equal candidates, for every n best there is one with the lowest labels among these.
    best : Solution
        The best configurations found so far, and an upper bound.
    """

    labels: tuple[np.ndarray, ...]
    best: Solution


@attrs.frozen(eq=False)
class State:
    """What does not depend on unary terms; `prepared` is None where stars are not needed."""

    prepared: Prepared | None


@attrs.frozen(eq=False)
class Prepared:
    """Stars and moves, prepared for all candidates.

    Attributes
    ----------
    copies : Copies
        The stars, which partition the edges, and the copies of the parts they share.
    slopes : list of array
        For each star (parts, D) float64: multipliers that cancel contradictions between expected offsets.
    blocks : BlockSet
        Blocks of all candidates.
    subproblems : list of Subproblem
        One per star.
    moves : CoordinateAscent
        Moves of single parts, to polish configurations.
    """

    copies: Copies
    slopes: list[np.ndarray]
    blocks: BlockSet
    subproblems: list[Subproblem]
    moves: CoordinateAscent

    @classmethod
    def of(cls, problem: Problem, rest: Remainder) -> Prepared:
        """Build everything; `rest` is all of the problem."""
        stars = problem.graph.stars()
        copies, blocks = Copies(problem, stars), BlockSet()
        multipliers = first_multipliers(problem, copies)
        slopes = [np.zeros((len(star.parts), rest.dimensions)) for star in stars]
        for own, of_slave in zip(slopes, copies.of_slave, strict=True):
            own[copies.slot[of_slave]] = multipliers[of_slave]
        subproblems = [subproblem(rest, star, own, blocks) for star, own in zip(stars, slopes, strict=True)]
        return cls(copies, slopes, blocks, subproblems, CoordinateAscent.of(problem, blocks))


class Search:
    """One run on a problem whose unary terms are all tabulated."""

    def __init__(
        self, options: Exact, problem: Problem, state: State, n_best: int, watch: Watch | None = None
    ) -> None:
        self.options, self.problem, self.n_best, self.watch = options, problem, n_best, watch
        self.prepared = state.prepared
        self.clock = Clock(options.max_seconds)
        polisher = None if state.prepared is None else state.prepared.moves.polisher(problem)
        self.pool = Pool(problem, polisher)
        self.rest = Remainder.of(problem)
        self.bound = np.inf
        self.history: list[int] = []
        self.stats: dict[str, Any] = {"sweeps": 0, "nodes": 0, "passes": 0, "labels_left": 0}

    @property
    def threshold(self) -> float:
        """The n-th best score found: what a configuration must reach; -inf while there are fewer."""
        ranked = self.pool.ranked(self.n_best)
        return ranked[-1][1] if len(ranked) == self.n_best else -np.inf

    def run(self) -> Solution:
        """Drop candidates while that helps, then search the rest."""
        limit = None
        try:
            if self.prepared is not None:
                self._narrow(self.prepared)
            if self.bound > -np.inf:
                limit = self._search_rest()
        except OutOfTime:
            limit = "max_seconds"
        return self._solution(limit)

    def narrow(self) -> Narrowed:
        """Drop candidates while that helps."""
        limit = "max_sweeps"
        try:
            if self.prepared is not None:
                self._narrow(self.prepared)
            self.rest = self.rest.only(self.rest.allowed())
        except OutOfTime:
            limit = "max_seconds"
        return Narrowed(self.rest.labels, self._solution(limit))

    def _narrow(self, prepared: Prepared) -> None:
        """Let stars drop candidates, sweep after sweep, until few are left or it no longer helps."""
        relaxation = Relaxation(
            self.rest,
            prepared.copies.stars,
            prepared.slopes,
            prepared.blocks,
            prepared.subproblems,
            self.clock,
        )
        self._first_configurations(relaxation, prepared.copies)
        if self.threshold == -np.inf:
            return  # every configuration is wanted
        order = list(range(len(relaxation.stars)))
        for _ in range(self.options.max_sweeps):
            pairs = self.rest.pairs
            self._sweep(relaxation, order)
            if self.rest.pairs <= self.options.easy_pairs:
                return
            if self.rest.pairs > 0.5 * pairs:
                relaxation.keep(self.rest.distinct(self.n_best))
                self.rest = relaxation.rest
            if self.rest.pairs > 0.8 * pairs and self.rest.pairs <= self.options.max_pairs:
                return
            self._add(relaxation.rounded(order[-1]))
            order.reverse()

    def _first_configurations(self, relaxation: Relaxation, copies: Copies) -> None:
        """Look for good configurations, from one star after the other, until the best is found a second time."""
        everywhere = range(len(relaxation.stars))
        own = [relaxation.solve(s) for s in everywhere]
        self._lower(relaxation)
        if self.bound == -np.inf:
            return  # terms that are -inf everywhere
        self.pool.add(by_vote(self.problem, copies, own), by_center(copies, own))
        for s in everywhere:
            if self.pool.confirmed:
                break
            self._add(relaxation.rounded(s))
        if self.n_best > 1:
            self.pool.widen(self.n_best)

    def _sweep(self, relaxation: Relaxation, order: Sequence[int]) -> None:
        """Let one star after the other drop candidates."""
        self.stats["sweeps"] += 1
        for turn, s in enumerate(order):
            self.clock.check()
            relaxation.drop(s, self.threshold, order[turn + 1 :])
            self._lower(relaxation)
            self.rest = relaxation.rest
            if self.watch:
                self.watch(f"star {s}", self.bound, self.rest.labels)
            if self.rest.pairs <= self.options.easy_pairs:
                break
        self.history.append(sum(self.rest.sizes))

    def _lower(self, relaxation: Relaxation) -> None:
        bound = relaxation.bound
        self.bound = min(self.bound, bound + relaxation.rounding(bound))

    def _add(self, labels: Sequence[int]) -> None:
        """Polish a configuration, labels of what is left, and note it."""
        self.pool.add(np.array(self.rest.in_problem(labels)))
        if self.n_best > 1:
            self.pool.widen(self.n_best)

    def _search_rest(self) -> str | None:
        """Search what is left, if it fits into tables; return the name of the limit reached, if any."""
        self.rest = self.rest.only(self.rest.allowed())
        if self.rest.pairs > self.options.easy_pairs:
            self.rest = self.rest.only(self.rest.distinct(self.n_best))
        if self.rest.pairs > self.options.max_pairs:
            return "max_pairs"
        nodes = -1 if self.options.max_nodes is None else self.options.max_nodes
        unary, links, tables = self.rest.tables(self.threshold)
        labels, bound, proven, counts = _dense.search(
            unary, links, tables, self.n_best, self.threshold, 100, nodes, self.clock.left
        )
        self.stats |= counts
        self.bound = min(self.bound, bound)
        self.pool.note([self.rest.in_problem(row) for row in labels])
        if proven:
            return None
        return "max_nodes" if self.clock.left > 0 else "max_seconds"

    def _solution(self, limit: str | None) -> Solution:
        ranked = self.pool.ranked(self.n_best)
        if not ranked:  # an answer is owed even then
            self.pool.note([tuple(int(own.scores.argmax()) for own in self.problem.candidates)])
            ranked = self.pool.ranked(self.n_best)
        labels = np.array([own for own, _ in ranked], dtype=np.intp).reshape(-1, len(self.problem.sizes))
        scores = np.array([score for _, score in ranked])
        best = float(scores[0]) if len(scores) else -np.inf
        status = Status.OPTIMAL if limit is None else Status.WORK_LIMIT
        stats = {**self.stats, "candidates_left": np.array(self.history), "limit": limit}
        return Solution(labels, scores, best if limit is None else max(self.bound, best), status, stats)
