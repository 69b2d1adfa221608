"""Stars of quadratic terms over blocks of candidates, searched by compiled code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import attrs
import numpy as np

from partgraph import Problem, Quadratic, Star
from partgraph_solvers import _star
from partgraph_solvers.clock import Clock
from partgraph_solvers.stars import Layout, spokes


class BlockSet:
    """Blocks of arrays of points, each made once: the slaves of a problem share the blocks of its parts.

    Arrays are known by identity, and kept alive.
    """

    def __init__(self) -> None:
        self._orders: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self._last: dict[int, np.ndarray] = {}  # the order last made of so many candidates
        self._blocks: dict[tuple[int, int], tuple[np.ndarray, _star.Blocks]] = {}

    def add(self, parts: Iterable[np.ndarray]) -> None:
        """Make the blocks of parts with these positions, (K, D) each, all at once and without Python's lock."""
        new = [own for key, own in {id(own): own for own in parts}.items() if (key, key) not in self._blocks]
        for own, blocks in zip(new, _star.blocks_of(new), strict=True):
            key, order = id(own), blocks.order
            self._orders[key] = own, order
            self._last[len(own)] = order
            self._blocks[key, key] = own, blocks

    def of(self, positions: np.ndarray, points: np.ndarray) -> _star.Blocks:
        """Return `points` (K, D) of the part with `positions` (K, D), in the spatial order of the latter."""
        key = id(positions), id(points)
        if key not in self._blocks:
            self._blocks[key] = points, _star.Blocks(points, self._order(positions))
        return self._blocks[key][1]

    def _order(self, positions: np.ndarray) -> np.ndarray:
        """Return the spatial order of a part: that of another part where they share a grid."""
        if id(positions) not in self._orders:
            order = _star.spatial_order(positions, self._last.get(len(positions)))
            self._orders[id(positions)] = positions, order
            self._last[len(positions)] = order
        return self._orders[id(positions)][1]

    def without(self, gone: Iterable[np.ndarray]) -> BlockSet:
        """Return the same set, but for parts with these positions."""
        keys = set(map(id, gone))
        rest = BlockSet()
        rest._orders = {key: own for key, own in self._orders.items() if key not in keys}
        rest._blocks = {key: own for key, own in self._blocks.items() if key[0] not in keys}
        return rest


def compiles(problem: Layout, star: Star) -> bool:
    """Whether the compiled search can take this star of the problem: quadratic terms, not too many of them."""
    parallel = 1 if len(star.edges) == len(star.leaves) else 2  # there and back
    return parallel * problem.dimensions <= _star.MAX_COORDINATES and all(
        type(problem.pairwise[e]) is Quadratic for e in star.edges
    )


def all_compile(problem: Layout) -> bool:
    """Whether the compiled search can take every star of the problem."""
    graph = problem.graph
    parallel = 1 if len(graph.edges) == len(graph.links()) else 2
    return parallel * problem.dimensions <= _star.MAX_COORDINATES and all(
        type(term) is Quadratic for term in problem.pairwise
    )


def compiled_star(
    problem: Layout, star: Star, blocks: BlockSet, slots: Sequence[int] | None = None
) -> _star.Star:
    """Return a star of the problem, over blocks that are made where needed.

    `slots` says where the labels of its parts stand in a configuration; by default as in the problem.
    """
    center_slot, *leaf_slots = star.parts if slots is None else slots

    def points_of(part: int, points: np.ndarray) -> _star.Blocks:
        return blocks.of(problem.candidates[part].positions, points)

    def positions_of(part: int) -> _star.Blocks:
        return points_of(part, problem.candidates[part].positions)

    compiled = _star.Star(center_slot, positions_of(star.center))
    for leaf, slot, own in zip(star.leaves, leaf_slots, spokes(problem, star), strict=True):
        edges = []
        for spoke in own:
            term: Any = spoke.term
            shift = term.offset if spoke.outward else -term.offset
            edges.append(
                (points_of(star.center, spoke.base), points_of(leaf, spoke.point), term.weight, shift)
            )
        compiled.add_leaf(slot, positions_of(leaf), edges)
    return compiled


@attrs.frozen(eq=False)
class CompiledStar:
    """A whole problem that is one star of quadratic terms.

    Attributes
    ----------
    parts : tuple of int
        The center, then the leaves.
    blocks : tuple of Blocks
        Their positions.
    star : Star
        The compiled star over them.
    """

    parts: tuple[int, ...]
    blocks: tuple[_star.Blocks, ...]
    star: _star.Star

    @classmethod
    def of(cls, problem: Problem, star: Star, blocks: BlockSet) -> CompiledStar:
        """Order the candidates of all parts in space and join them into a star."""
        positions = [problem.candidates[part].positions for part in star.parts]
        blocks.add(positions)
        compiled = compiled_star(problem, star, blocks)
        return cls(star.parts, tuple(blocks.of(own, own) for own in positions), compiled)

    def search(self, problem: Problem, n_best: int, max_blocks: int, clock: Clock) -> Any:
        """Return labels, scores, upper bound, whether it is proven, and counts."""
        scores = self.blocked_scores(problem)
        labels, values, bound, proven, opened, visited = self.star.solve(
            scores, [None] * len(scores), n_best, max_blocks, max_seconds=clock.left
        )
        stats = {"blocks": self.blocks[0].count, "blocks_opened": opened, "centers_evaluated": visited}
        return labels, values, bound, proven, stats

    def blocked_scores(self, problem: Problem) -> list[_star.Scores]:
        """Return the scores of all parts, every unary term included, in blocks."""
        return _star.scores_of([problem.unary_scores(part) for part in self.parts], self.blocks)
