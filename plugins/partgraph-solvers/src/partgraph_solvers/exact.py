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

from partgraph import Problem, Solution, SolveError, Star, Status
from partgraph.covers import Cover, check_cover
from partgraph_solvers import _dense
from partgraph_solvers.admm import tabulated
from partgraph_solvers.clock import Clock, OutOfTime
from partgraph_solvers.copies import Copies
from partgraph_solvers.numbers import CompiledLook
from partgraph_solvers.preparation import Preparation, Relaxing, prepare
from partgraph_solvers.remainder import Remainder
from partgraph_solvers.rounding import Polishing, Pool, by_center, by_vote
from partgraph_solvers.stars import decide

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
class Exact(CompiledLook):
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
        Time for one call, looked at inside every search; None: no limit.
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
        sizes = problem.sizes
        pairs = sum(sizes[i] * sizes[j] for i, j in problem.graph.links())
        return State(None if pairs <= self.easy_pairs else prepare(problem))

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
        trouble = self.why_unsolvable(problem)
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
    """What does not depend on unary terms; `preparation` is None where stars are not needed."""

    preparation: Preparation | None


class Search:
    """One run on a problem whose unary terms are all tabulated."""

    def __init__(
        self, options: Exact, problem: Problem, state: State, n_best: int, watch: Watch | None = None
    ) -> None:
        self.options, self.problem, self.n_best, self.watch = options, problem, n_best, watch
        self.preparation = state.preparation
        self.clock = Clock(options.max_seconds)
        self.relaxation: Relaxing | None = None
        polisher: Polishing | None = None
        if state.preparation is not None:
            self.relaxation, polisher = state.preparation.begin(problem, self.clock)
        self.pool = Pool(problem, polisher)
        self.bound = np.inf
        self.history: list[int] = []
        self.stats: dict[str, Any] = {"sweeps": 0, "nodes": 0, "passes": 0, "labels_left": 0}

    @property
    def threshold(self) -> float:
        """The n-th best score found: what a configuration must reach; -inf while there are fewer."""
        return self.pool.threshold(self.n_best)

    def run(self) -> Solution:
        """Drop candidates while that helps, then search the rest."""
        limit = None
        try:
            self._narrow()
            if self.bound > -np.inf:
                limit = self._search_rest()
        except OutOfTime:
            limit = "max_seconds"
        return self._solution(limit)

    def narrow(self) -> Narrowed:
        """Drop candidates while that helps."""
        limit = "max_sweeps"
        try:
            self._narrow()
        except OutOfTime:
            limit = "max_seconds"
        return Narrowed(self._rest().labels, self._solution(limit))

    def _rest(self) -> Remainder:
        """Return the allowed candidates that are left."""
        rest = Remainder.of(self.problem) if self.relaxation is None else self.relaxation.rest
        return rest.only(rest.allowed())

    def _narrow(self) -> None:
        """Let stars drop candidates, sweep after sweep, until few are left or it no longer helps."""
        if self.preparation is None or self.relaxation is None:
            return
        relaxation, copies = self.relaxation, self.preparation.copies
        self._first_configurations(relaxation, copies)
        if self.threshold == -np.inf:
            return  # every configuration is wanted
        order = list(range(len(copies.stars)))
        for _ in range(self.options.max_sweeps):
            pairs = relaxation.pairs
            order = self._sweep(relaxation, copies.stars, order)
            if relaxation.pairs <= self.options.easy_pairs:
                return
            if relaxation.pairs > 0.5 * pairs:
                relaxation.keep(relaxation.rest.distinct(self.n_best))
            if 0.8 * pairs < relaxation.pairs <= self.options.max_pairs:
                return
            self._add(relaxation, order[-1])
            order.reverse()

    def _first_configurations(self, relaxation: Relaxing, copies: Copies) -> None:
        """Look for good configurations, from one star after the other, until the best is found three times."""
        try:
            own = relaxation.solve_all()
        finally:  # what interrupted stars know is a bound as well
            self._lower(relaxation)
        if self.bound == -np.inf:
            return  # terms that are -inf everywhere
        self.pool.add(by_vote(self.problem, copies, own), by_center(copies, own))
        for star, labels in zip(copies.stars, own, strict=True):
            if self.pool.confirmed:
                break
            self.clock.check()
            self.pool.grow(star.parts, labels)
        if self.n_best > 1:
            self.pool.widen(self.n_best)

    def _sweep(self, relaxation: Relaxing, stars: Sequence[Star], order: Sequence[int]) -> list[int]:
        """Let one star after the other drop candidates; return in which order they did.

        The first one is the largest, as a rule, and on most problems drops nearly all candidates of its parts. Where it
        does not, the small ones come next: they take least time, and large ones exclude more when they have messages.
        """
        self.stats["sweeps"] += 1
        done: list[int] = []
        waiting = list(order)
        while waiting and (not done or relaxation.pairs > self.options.easy_pairs):
            self.clock.check()
            s, *waiting = waiting
            before = relaxation.sizes
            relaxation.drop(s, self.threshold, waiting)
            self._lower(relaxation)
            if self.watch:
                self.watch(f"star {s}", self.bound, relaxation.labels)
            if self.stats["sweeps"] == 1 and not done:
                after, parts = relaxation.sizes, stars[s].parts
                if 2 * sum(after[part] for part in parts) > sum(before[part] for part in parts):
                    waiting.reverse()
            done.append(s)
        self.history.append(sum(relaxation.sizes))
        return done + waiting

    def _lower(self, relaxation: Relaxing) -> None:
        bound = relaxation.bound
        self.bound = min(self.bound, bound + relaxation.rounding(bound))

    def _add(self, relaxation: Relaxing, s: int) -> None:
        """Round the stars to a configuration, from the best of star `s`, polish it, and note it."""
        found = zip(relaxation.labels, relaxation.rounded(s), strict=True)
        self.pool.add(np.array([own[label] for own, label in found]))
        if self.n_best > 1:
            self.pool.widen(self.n_best)

    def _search_rest(self) -> str | None:
        """Search what is left, if it fits into tables; return the name of the limit reached, if any."""
        rest = self._rest()
        if rest.pairs > self.options.easy_pairs:
            rest = rest.only(rest.distinct(self.n_best))
        if rest.pairs > self.options.max_pairs:
            return "max_pairs"
        nodes = -1 if self.options.max_nodes is None else self.options.max_nodes
        unary, links, tables = rest.tables(self.threshold)
        labels, bound, proven, counts = _dense.search(
            unary, links, tables, self.n_best, self.threshold, 100, nodes, self.clock.left
        )
        self.stats |= counts
        self.bound = min(self.bound, bound)
        self.pool.note([rest.in_problem(row) for row in labels])
        if proven:
            return None
        return "max_nodes" if self.clock.left > 0 else "max_seconds"

    def _solution(self, limit: str | None) -> Solution:
        ranked = self.pool.ranked()
        if not ranked:  # an answer is owed even then
            self.pool.note([tuple(int(own.scores.argmax()) for own in self.problem.candidates)])
            ranked = self.pool.ranked()
        found = np.array(self._contenders(ranked), dtype=np.intp).reshape(-1, len(self.problem.sizes))
        labels, scores = decide(self.problem, found, self.n_best)
        best = float(scores[0]) if len(scores) else -np.inf
        status = Status.OPTIMAL if limit is None else Status.WORK_LIMIT
        stats = {**self.stats, "candidates_left": np.array(self.history), "limit": limit}
        return Solution(labels, scores, best if limit is None else max(self.bound, best), status, stats)

    def _contenders(self, ranked: list[tuple[tuple[int, ...], float]]) -> list[tuple[int, ...]]:
        """Return the configurations that may be among the n best when the problem scores them, not the polisher."""
        if len(ranked) <= self.n_best or self.relaxation is None:
            return [labels for labels, _ in ranked]
        last = ranked[self.n_best - 1][1]
        # Each of two configurations is scored twice, with an error of at most this each time.
        slack = 4 * self.relaxation.rounding(last)
        return [labels for labels, score in ranked if score >= last - slack]
