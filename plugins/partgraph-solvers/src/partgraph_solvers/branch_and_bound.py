"""Exact inference on stars by branch and bound (paper, section 2.2).

Given the center's candidate the leaves are independent, so the best configuration is the best center, with the best
answer of every leaf. Centers are searched in blocks that are close together in space. Interval bounds of the
pairwise terms between a block of centers and blocks of a leaf's candidates give an upper bound for every block of
centers; blocks are opened best first, until the next bound is below the best configuration found.
"""

from __future__ import annotations

from typing import Any, ClassVar, final

import attrs
import numpy as np

from partgraph import Candidates, Problem, Solution, SolveError, Status, UnsupportedProblemError
from partgraph_solvers.boxes import BoxStar
from partgraph_solvers.clock import Clock
from partgraph_solvers.compiled import BlockSet, CompiledStar, compiles
from partgraph_solvers.numbers import CompiledLook
from partgraph_solvers.stars import decide, not_a_star, star_of


@final
@attrs.frozen(eq=False)
class Marginals:
    """The candidates of one part that some good configuration holds, and how good the best of these is.

    Attributes
    ----------
    labels : array
        (count,) intp, ascending.
    scores : array
        (count,) float64, for each the best score of all configurations with this candidate: its max-marginal.
    """

    labels: np.ndarray
    scores: np.ndarray


@final
@attrs.frozen
class BranchAndBound(CompiledLook):
    """Find the best configurations of a star, exactly.

    Works with any number of axes, constant offsets and anchors, edges in either direction and both, any unary term, and
    forbidden candidates. `Quadratic` terms are searched by compiled code, other terms through their ``bounds``.
    The configurations returned are the n best, distinct, ties by lowest labels; near ties are decided by
    ``problem.score``.

    Attributes
    ----------
    max_blocks : int, optional
        How many blocks of 64 center candidates may be opened. Beyond that the best configuration found is
        returned, with an upper bound and the status WORK_LIMIT. None: no limit.
    max_seconds : float, optional
        Time for one call, after which the same is returned; None: no limit.
    """

    exact: ClassVar[bool] = True

    max_blocks: int | None = attrs.field(default=None)
    max_seconds: float | None = attrs.field(default=None)

    @max_blocks.validator
    def _check(self, attribute: Any, value: int | None) -> None:
        if value is not None and value < 0:
            raise ValueError(f"max_blocks must be at least 0, or None for no limit; found {value}")

    @max_seconds.validator
    def _check_seconds(self, attribute: Any, value: float | None) -> None:
        if value is not None and not value > 0:
            raise ValueError(f"max_seconds must be positive, or None for no limit; found {value}")

    def supports(self, problem: Problem) -> str | None:
        """Refuse everything but a star."""
        return not_a_star(problem.graph)

    def init(self, problem: Problem) -> Any:
        """Return the star's blocks and boxes."""
        return star_state(problem, BlockSet())

    def compute(self, problem: Problem, state: Any, n_best: int) -> Solution:
        """Search the star with the unary terms of `problem`."""
        limit = -1 if self.max_blocks is None else self.max_blocks
        labels, _, bound, proven, stats = state.search(problem, n_best, limit, Clock(self.max_seconds))
        labels, scores = decide(problem, labels, n_best)
        if len(scores):
            bound = float(scores[0]) if proven else max(bound, float(scores[0]))
        return Solution(labels, scores, bound, Status.OPTIMAL if proven else Status.WORK_LIMIT, stats)

    def marginals(self, problem: Problem, threshold: float, *, state: Any = None) -> tuple[Marginals, ...]:
        """Find every candidate that is part of a configuration of at least some score. Limits do not apply.

        Parameters
        ----------
        problem : Problem
            A star. Tensors are detached.
        threshold : float
            The score to reach; -inf for all allowed candidates.
        state : object
            What `init` returned for this problem or for one that differs in scores and unary terms alone.

        Returns
        -------
        tuple of Marginals
            One for each part. No candidate of a configuration that reaches the threshold is missing; one that misses it
            by rounding alone may be there.

        Raises
        ------
        UnsupportedProblemError
            If the problem is no star.
        SolveError
            If no configuration has a finite score.
        """
        problem = self._checked(problem, threshold)
        state = self.init(problem) if state is None else state
        if isinstance(state, CompiledStar):
            scores = state.blocked_scores(problem)
            own = state.star.marginals(scores, [None] * len(scores), float(threshold))
            found = [own[state.parts.index(part)] for part in range(len(own))]
        else:
            tables = [problem.unary_scores(part) for part in range(len(problem.sizes))]
            found = state.marginals(tables, float(threshold), Clock())
        return tuple(Marginals(labels, scores) for labels, scores in found)

    def above(
        self, problem: Problem, threshold: float, *, limit: int = 10_000, state: Any = None
    ) -> Solution:
        """Find all configurations of at least some score, best first.

        Candidates of no such configuration are left out first, so that what is searched is small.

        Parameters
        ----------
        problem, threshold, state
            As for `marginals`.
        limit : int
            Return no more configurations than this, the best ones: their number may grow exponentially.

        Returns
        -------
        Solution
            Configurations with ``problem.score(labels) >= threshold``, ties by lowest labels. OPTIMAL if these are all,
            WORK_LIMIT if there are more than `limit`. Where there is none, the upper bound is the threshold.

        Raises
        ------
        UnsupportedProblemError, SolveError
            As `marginals`.
        """
        if limit < 1:
            raise ValueError(f"limit must be at least 1; found {limit}")
        problem = self._checked(problem, threshold)
        kept = [own.labels for own in self.marginals(problem, threshold, state=state)]
        if not all(len(labels) for labels in kept):
            none = np.empty((0, len(kept)), dtype=np.intp)
            return Solution(none, np.empty(0), float(threshold), Status.OPTIMAL)
        few, search = _only(problem, kept), BranchAndBound()
        state, asked = search.init(few), 0
        while True:
            asked = min(max(64, 4 * asked), limit + 1)  # one more tells whether there are more
            found = search.compute(few, state, asked)
            if asked > limit or len(found.scores) < asked or found.scores[-1] < threshold:
                break
        reach = found.scores >= threshold
        labels = np.stack(
            [own[column] for own, column in zip(kept, found.labels[reach][:limit].T, strict=True)], 1
        )
        scores = problem.score(labels)
        bound = float(scores[0]) if len(scores) else float(threshold)
        status = Status.OPTIMAL if reach.sum() <= limit else Status.WORK_LIMIT
        return Solution(labels, scores, bound, status, {"candidates_left": [len(own) for own in kept]})

    def _checked(self, problem: Problem, threshold: float) -> Problem:
        """Return the problem detached; raise if it or the threshold cannot be used."""
        if not threshold < np.inf:
            raise ValueError(f"threshold must be a number, or -inf for no threshold; found {threshold}")
        problem = problem.detach()
        trouble = self.why_unsolvable(problem)
        if trouble is not None:
            raise SolveError(trouble)
        reason = self.supports(problem)
        if reason is not None:
            raise UnsupportedProblemError(f"BranchAndBound cannot solve this problem: {reason}")
        return problem


def _only(problem: Problem, kept: list[np.ndarray]) -> Problem:
    """Return the problem with only these candidates, (count,) labels for each part."""
    candidates = tuple(
        Candidates(own.positions[labels], own.scores[labels])
        for own, labels in zip(problem.candidates, kept, strict=True)
    )
    anchors = tuple(
        None if own is None else own[kept[i]]
        for own, (i, _) in zip(problem.anchors, problem.graph.edges, strict=True)
    )
    return attrs.evolve(problem, candidates=candidates, anchors=anchors)


def star_state(problem: Problem, blocks: BlockSet) -> CompiledStar | BoxStar:
    """Return the state of a star problem; `blocks` may hold blocks of its parts from elsewhere."""
    star = star_of(problem.graph)
    assert star is not None, "supports() was not asked"
    return CompiledStar.of(problem, star, blocks) if compiles(problem, star) else BoxStar.of(problem, star)
