"""Exact inference on stars by the paper's own variant of branch and bound: a KD-tree per part (its section 2.2).

A best-first queue holds boxes of the center's tree, each with the boxes of every leaf's tree that may support it.
Interval bounds cover the pairwise terms and, in ADMM, the multipliers' and the penalty's terms as well. It needs no
incumbent and no order of candidates; `branch-and-bound` is faster, and this is the baseline it is measured against.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar, final

import attrs
import numpy as np

from partgraph import Linear, Problem, Proximal, Quadratic, Solution, Status
from partgraph_solvers import _kd
from partgraph_solvers.numbers import CompiledLook
from partgraph_solvers.stars import decide, not_a_star, spokes, star_of

T = TypeVar("T")


@final
@attrs.frozen
class KDBranchAndBound(CompiledLook):
    """Find the best configurations of a star of `Quadratic` terms, exactly.

    As `BranchAndBound`: any number of axes, offsets and anchors, edges in either direction and both, forbidden
    candidates, n best. `Linear` and `Proximal` terms are bounded over boxes; other unary terms are evaluated for every
    candidate first.

    Attributes
    ----------
    max_boxes : int, optional
        How many boxes of centers may be opened. Beyond that the best configuration found is returned, with an upper
        bound and the status WORK_LIMIT. None: no limit.
    """

    exact: ClassVar[bool] = True

    max_boxes: int | None = attrs.field(default=None)

    @max_boxes.validator
    def _check(self, attribute: Any, value: int | None) -> None:
        if value is not None and value < 0:
            raise ValueError(f"max_boxes must be at least 0, or None for no limit; found {value}")

    def supports(self, problem: Problem) -> str | None:
        """Refuse what is no star, and terms that are not quadratic."""
        reason = not_a_star(problem.graph)
        if reason is not None:
            return reason
        for e, term in enumerate(problem.pairwise):
            if type(term) is not Quadratic:
                return (
                    f"the term of edge {problem.graph.edge_name(e)} is {type(term).__name__}, and kd-branch-and-bound "
                    "needs Quadratic. Use branch-and-bound, which takes any"
                )
        return None

    def init(self, problem: Problem) -> Trees:
        """Return the star over its trees."""
        return Trees.of(problem)

    def compute(self, problem: Problem, state: Trees, n_best: int) -> Solution:
        """Search the star with the unary terms of `problem`."""
        limit = -1 if self.max_boxes is None else self.max_boxes
        scores, pulls = zip(*(state.unary(problem, slot) for slot in range(len(state.parts))), strict=True)
        labels, bound, proven, opened, visited = state.star.solve(scores, pulls, n_best, limit)
        labels, values = decide(problem, labels, n_best)
        if len(values):
            bound = float(values[0]) if proven else max(bound, float(values[0]))
        stats = {"boxes_opened": opened, "centers_evaluated": visited}
        return Solution(labels, values, bound, Status.OPTIMAL if proven else Status.WORK_LIMIT, stats)


@attrs.frozen(eq=False)
class Trees:
    """A star over the trees of its parts.

    Attributes
    ----------
    parts : tuple of int
        The center, then the leaves.
    trees : tuple of Tree
        Their trees.
    star : Star
        The compiled star over them.
    known : list
        The scores last seen of each part, compared by value, and their maxima over the tree.
    """

    parts: tuple[int, ...]
    trees: tuple[_kd.Tree, ...]
    star: _kd.Star
    known: list[tuple[np.ndarray, _kd.Scores] | None]

    @classmethod
    def of(cls, problem: Problem) -> Trees:
        """Build one tree per part; anchors are boxed along the tree of their part's positions."""
        star = star_of(problem.graph)
        assert star is not None, "supports() was not asked"
        positions = [problem.candidates[part].positions for part in star.parts]
        trees = [_kd.Tree(own) for own in positions]
        view = _once(lambda points, slot: _kd.View(points, trees[slot]))
        compiled = _kd.Star()
        compiled.add(star.center, trees[0], view(positions[0], 0))
        for slot, (leaf, own) in enumerate(zip(star.leaves, spokes(problem, star), strict=True), start=1):
            edges = []
            for spoke in own:
                term: Any = spoke.term
                offset = term.offset if spoke.outward else -term.offset
                edges.append((view(spoke.base, 0), view(spoke.point, slot), term.weight, offset))
            compiled.add(leaf, trees[slot], view(positions[slot], slot), edges)
        return cls(star.parts, tuple(trees), compiled, [None] * len(trees))

    def unary(self, problem: Problem, slot: int) -> tuple[_kd.Scores, list[Any]]:
        """Return what the part at `slot` has in its table, and its terms that are bounded over boxes."""
        part = self.parts[slot]
        pulls: list[Any] = []
        others = []
        for term in problem.unary[part]:
            if type(term) is Linear:
                pulls.append((term.slope, [], 0.0))
            elif type(term) is Proximal:
                pulls.append(([], term.center, term.rho))
            else:
                others.append(term)
        own = problem.candidates[part]
        table = sum((term.evaluate(own.positions) for term in others), own.scores)
        known = self.known[slot]
        if known is None or not np.array_equal(known[0], table):
            known = table.copy(), _kd.Scores(table, self.trees[slot])
            self.known[slot] = known
        return known[1], pulls


def _once(make: Callable[[np.ndarray, int], T]) -> Callable[[np.ndarray, int], T]:
    """Return `make` with memory: one view for each array and tree. Arrays are known by identity, and kept alive."""
    made: dict[tuple[int, int], tuple[np.ndarray, T]] = {}

    def remembered(points: np.ndarray, slot: int) -> T:
        key = id(points), slot
        if key not in made:
            made[key] = points, make(points, slot)
        return made[key][1]

    return remembered
