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

from partgraph import Problem, Solution, Solver, Status
from partgraph_solvers.boxes import BoxStar
from partgraph_solvers.compiled import BlockSet, CompiledStar, compiles
from partgraph_solvers.stars import star_of


@final
@attrs.frozen
class BranchAndBound(Solver):
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
    """

    exact: ClassVar[bool] = True

    max_blocks: int | None = attrs.field(default=None)

    @max_blocks.validator
    def _check(self, attribute: Any, value: int | None) -> None:
        if value is not None and value < 0:
            raise ValueError(f"max_blocks must be at least 0, or None for no limit; found {value}")

    def supports(self, problem: Problem) -> str | None:
        """Refuse everything but a star."""
        graph = problem.graph
        if graph.is_star:
            return None
        cycle = graph.cycle()
        if cycle:
            what = f"the graph has a cycle ({', '.join(graph.parts[part] for part in cycle)})"
        elif len(graph.links()) < len(graph.parts) - 1:
            what = "the graph falls into several pieces"
        else:
            what = "no part is coupled with all the others"
        return f"{what}, and branch and bound needs a star. Use admm, or solve problem.restrict(star) for each star"

    def init(self, problem: Problem) -> Any:
        """Return the star's blocks and boxes."""
        return star_state(problem, BlockSet())

    def compute(self, problem: Problem, state: Any, n_best: int) -> Solution:
        """Search the star with the unary terms of `problem`."""
        limit = -1 if self.max_blocks is None else self.max_blocks
        labels, _, bound, proven, stats = state.search(problem, n_best, limit)
        # The search adds up in another order than the problem, so it returns near ties as well; they are decided here.
        scores = problem.score(labels)
        order = np.lexsort((*labels.T[::-1], -scores))[:n_best]
        labels, scores = labels[order], scores[order]
        if len(scores):
            bound = float(scores[0]) if proven else max(bound, float(scores[0]))
        return Solution(labels, scores, bound, Status.OPTIMAL if proven else Status.WORK_LIMIT, stats)


def star_state(problem: Problem, blocks: BlockSet) -> CompiledStar | BoxStar:
    """Return the state of a star problem; `blocks` may hold blocks of its parts from elsewhere."""
    star = star_of(problem.graph)
    assert star is not None, "supports() was not asked"
    return CompiledStar.of(problem, star, blocks) if compiles(problem, star) else BoxStar.of(problem, star)
