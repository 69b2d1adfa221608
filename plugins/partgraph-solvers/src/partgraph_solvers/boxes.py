"""Branch and bound on a star for any pairwise potential, through bounds of whole batches of boxes.

The same search as the compiled one, in NumPy, with the terms themselves compiled where they have such a form: the
bounds of all pairs of blocks are asked for in one call per edge (they do not depend on unary terms), blocks of centers
are opened best first, and leaves are added one at a time until no center of the block can reach the best configuration
found.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from typing import Any

import attrs
import numpy as np

from partgraph import Interval, Problem, Star
from partgraph_solvers import _star
from partgraph_solvers.clock import Clock, OutOfTime
from partgraph_solvers.stars import Layout, spokes
from partgraph_solvers.terms import Boxes, Terms

BLOCK = 64
SPARE = 32  # near ties kept beyond the n best, to be decided by problem.score

Configuration = tuple[float, tuple[int, ...]]
"""Minus the score, and the labels of all parts: sorts best first, ties by lowest labels."""


@attrs.frozen(eq=False)
class BoxLeaf:
    """A leaf of the star.

    Attributes
    ----------
    slot : int
        Where its label stands in a configuration, and its scores in a list of all parts'.
    order : array
        (K,) int, labels in spatial order.
    starts : array
        (B,) int, where each block starts in that order.
    terms : Terms
        Its edges, with points in the given order of candidates.
    lower, upper : array
        (B_center, B) float64, bounds of its pairwise terms for every pair of blocks.
    """

    slot: int
    order: np.ndarray
    starts: np.ndarray
    terms: Terms
    lower: np.ndarray
    upper: np.ndarray


@attrs.frozen(eq=False)
class BoxStar:
    """A star of arbitrary terms: orders, blocks and bounds of its parts."""

    center: int
    order: np.ndarray
    starts: np.ndarray
    leaves: list[BoxLeaf]

    @classmethod
    def of(cls, problem: Layout, star: Star, slots: Sequence[int] | None = None) -> BoxStar:
        """Order all candidates in space and bound every pair of blocks.

        `slots` says where the labels of the star's parts stand in a configuration; by default as in the problem.
        """
        center_slot, *leaf_slots = star.parts if slots is None else slots

        def ordered(part: int) -> tuple[np.ndarray, np.ndarray]:
            order = _star.spatial_order(problem.candidates[part].positions)
            return order, np.arange(0, len(order), BLOCK)

        center = ordered(star.center)
        leaves = []
        for part, slot, edges in zip(star.leaves, leaf_slots, spokes(problem, star), strict=True):
            own, terms = ordered(part), Terms.of(edges)
            bounds = terms.bounds(_boxes_along(*center), _boxes_along(*own))
            leaves.append(BoxLeaf(slot, *own, terms, bounds.lo, bounds.hi))
        return cls(center_slot, *center, leaves)

    @property
    def largest(self) -> float:
        """No sum of pairwise terms, over all leaves, is larger, as far as bounds are finite; at least 0."""
        return float(sum(leaf.upper.max(initial=0.0, where=leaf.upper < np.inf) for leaf in self.leaves))

    def search(self, problem: Problem, n_best: int, max_blocks: int, clock: Clock) -> Any:
        """Return labels, scores, upper bound, whether it is proven, and counts."""
        tables = [problem.unary_scores(i) for i in range(len(problem.sizes))]
        search = _Search(self, tables, n_best, clock)
        bound, proven = search.run(max_blocks)
        labels = np.array([labels for _, labels in search.pool], dtype=np.intp).reshape(
            -1, len(problem.sizes)
        )
        scores = -np.array([minus for minus, _ in search.pool], dtype=np.float64)
        stats = {
            "blocks": len(self.starts),
            "blocks_opened": search.opened,
            "centers_evaluated": search.visited,
        }
        return labels, scores, bound, proven, stats

    def maximum(self, scores: Sequence[np.ndarray], clock: Clock) -> tuple[list[int], float]:
        """Return the labels of the best configuration for `scores`, (K_i,) float64 by slot, and its score.

        Any labels and -inf, where no configuration is allowed.
        """
        search = _Search(self, scores, 1, clock)
        bound, proven = search.run(-1)
        if not proven:
            raise OutOfTime
        return list(search.pool[0][1]) if search.pool else [0] * len(scores), bound

    def marginals(
        self, scores: Sequence[np.ndarray], threshold: float, clock: Clock
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return by slot the labels in configurations of at least `threshold`, ascending, and the best score of each.

        None that reaches the threshold is left out; some that miss it by rounding may be returned.
        """
        search = _Search(self, scores, 1, clock)
        best = search.marginals(threshold)
        found = [np.flatnonzero(own > -np.inf) for own in best]
        return [(labels, own[labels]) for labels, own in zip(found, best, strict=True)]


def _boxes_along(order: np.ndarray, starts: np.ndarray) -> Boxes:
    """Return a function that returns the bounding boxes of the blocks of points (K, D): (B, D)."""

    def boxes(points: np.ndarray) -> Interval:
        points = points[order]
        return Interval(np.minimum.reduceat(points, starts), np.maximum.reduceat(points, starts))

    return boxes


def _highest(values: np.ndarray, count: int) -> np.ndarray:
    """Return the indices of the highest values, -inf left out, best first, ties by lowest index: (count,) at most."""
    least = np.partition(values, -count)[-count] if len(values) > count else -np.inf
    among = np.flatnonzero((values >= least) & (values > -np.inf))
    return among[np.argsort(-values[among], kind="stable")[:count]]


class _Search:
    """One search with given unary scores, (K_i,) float64 for every part of the problem."""

    def __init__(
        self, star: BoxStar, scores: Sequence[np.ndarray], n_best: int, clock: Clock | None = None
    ) -> None:
        self.star, self.scores, self.n_best = star, scores, n_best
        self.clock = Clock() if clock is None else clock
        self.least: float | None = None  # fixed, where everything above it is wanted
        self.pool: list[Configuration] = []
        self.opened = self.visited = 0
        # Every summand of a configuration worth having is at most |best| + the sum of |maxima| in size.
        self.magnitude = float(sum(abs(own.max()) for own in scores)) + star.largest
        self.summands = 2 * len(scores) + sum(len(leaf.terms.spokes) for leaf in star.leaves)
        # What each block of the center gets at most from each leaf: (leaves, blocks of the center).
        tops = [np.maximum.reduceat(scores[leaf.slot][leaf.order], leaf.starts) for leaf in star.leaves]
        self.upper = [leaf.upper + top for leaf, top in zip(star.leaves, tops, strict=True)]
        self.floor = [(leaf.lower + top).max(axis=1) for leaf, top in zip(star.leaves, tops, strict=True)]
        self.most = [upper.max(axis=1) for upper in self.upper]

    @property
    def cut(self) -> float:
        """Score that a configuration needs: the n-th best found, less a margin for different orders of summation."""
        if self.least is not None:
            return self.least
        if len(self.pool) < self.n_best:
            return -np.finfo(float).max
        nth = -self.pool[self.n_best - 1][0]
        return nth - self._margin(nth)

    def _margin(self, score: float) -> float:
        """Return by how much two sums with the same summands, of about that total, differ at most."""
        return 2 * self.summands**2 * float(np.finfo(float).eps) * (abs(score) + self.magnitude)

    def run(self, max_blocks: int) -> tuple[float, bool]:
        """Open blocks best first; return an upper bound and whether the search ended by itself."""
        bound = self._bounds()
        for block in np.argsort(-bound, kind="stable"):
            if bound[block] < self.cut or bound[block] == -np.inf:
                break
            if 0 <= max_blocks <= self.opened or self.clock.left == 0:
                if not self.pool:  # an answer is owed even then
                    self.visit(int(np.argmax(self.scores[self.star.center])))
                best = -self.pool[0][0]
                return max(float(bound[block]), best) + self._margin(best), False
            self.opened += 1
            self.open(int(block))
        while len(self.pool) > self.n_best and -self.pool[-1][0] < self.cut:
            self.pool.pop()
        return (-self.pool[0][0] if self.pool else -np.inf), True

    def marginals(self, threshold: float) -> list[np.ndarray]:
        """Return by slot, for every label, the best score of at least `threshold` with it; -inf where there is none."""
        star = self.star
        self.least = max(-np.finfo(float).max, threshold - self._margin(threshold))
        best = [np.full(len(own), -np.inf) for own in self.scores]
        bound = self._bounds()
        for block in np.flatnonzero((bound >= self.least) & (bound > -np.inf)):
            self.clock.check()
            centers, reached, messages = self.reach(int(block))
            if not len(centers):
                continue
            best[star.center][centers] = reached
            for index, leaf in enumerate(star.leaves):
                others = reached - messages[index]
                open_ = np.flatnonzero(self.upper[index][block] + others.max() >= self.least)
                labels = np.concatenate([leaf.order[leaf.starts[b] :][:BLOCK] for b in open_])
                values = leaf.terms.values(centers, labels) + self.scores[leaf.slot][labels] + others[:, None]
                most = values.max(axis=0)
                labels, most = labels[most >= self.least], most[most >= self.least]
                best[leaf.slot][labels] = np.maximum(best[leaf.slot][labels], most)
        return best

    def _bounds(self) -> np.ndarray:
        """Return upper bounds for the blocks of the center: (B_center,)."""
        star = self.star
        center = np.maximum.reduceat(self.scores[star.center][star.order], star.starts)
        return sum(self.most, center)

    def open(self, block: int) -> None:
        """Put the configurations of one block of centers that are good enough into the pool."""
        centers, reached, _ = self.reach(block)
        for center, score in zip(centers, reached, strict=True):
            if score >= self.cut and score > -np.inf:
                self.visit(int(center))

    def reach(self, block: int) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
        """Replace the bounds of one block of centers by exact values, leaf by leaf, while they can reach the cut.

        Returns the centers that do, their scores, and what each leaf adds to these.
        """
        star = self.star
        centers = star.order[star.starts[block] :][:BLOCK]
        reached = self.scores[star.center][centers]
        remaining = sum(most[block] for most in self.most)
        messages: list[np.ndarray] = []

        def narrow() -> None:
            nonlocal centers, reached
            alive = (reached + remaining >= self.cut) & (reached > -np.inf)
            centers, reached = centers[alive], reached[alive]
            messages[:] = [own[alive] for own in messages]

        for index, leaf in enumerate(star.leaves):
            narrow()
            if not len(centers):
                return centers, reached, messages
            blocks = np.flatnonzero(self.upper[index][block] >= self.floor[index][block])
            labels = np.concatenate([leaf.order[leaf.starts[b] :][:BLOCK] for b in blocks])
            messages.append(leaf.terms.best(centers, labels, self.scores[leaf.slot][labels]))
            reached = reached + messages[-1]
            remaining = sum(most[block] for most in self.most[index + 1 :])
        narrow()
        return centers, reached, messages

    def visit(self, center: int) -> None:
        """Put the configurations of one center that are good enough into the pool."""
        self.visited += 1
        choices = []
        total = self.scores[self.star.center][center]
        for leaf in self.star.leaves:
            values = leaf.terms.values(np.array([center]))[0] + self.scores[leaf.slot]
            best = _highest(values, self.n_best + SPARE)
            choices.append((values[best], best))
            total = total + values.max()
        for _, configuration in zip(range(self.n_best + SPARE), self._ranked(center, choices), strict=False):
            if -configuration[0] < self.cut:
                return
            self.pool.append(configuration)
            self.pool.sort()
            del self.pool[self.n_best + SPARE :]

    def _ranked(self, center: int, choices: list[tuple[np.ndarray, np.ndarray]]) -> Iterator[Configuration]:
        """Yield the configurations of one center, best first (Lawler, 1972)."""
        parts = [leaf.slot for leaf in self.star.leaves]

        def make(ranks: tuple[int, ...]) -> Configuration:
            labels = [center] * (len(parts) + 1)
            score = self.scores[self.star.center][center]
            for part, (values, best), rank in zip(parts, choices, ranks, strict=True):
                labels[part] = int(best[rank])
                score = score + values[rank]
            return -float(score), tuple(labels)

        if any(len(values) == 0 for values, _ in choices):
            return
        first = (0,) * len(parts)
        queue = [(make(first), first, 0)]
        while queue:
            configuration, ranks, last = heapq.heappop(queue)
            yield configuration
            for leaf in range(last, len(parts)):
                if ranks[leaf] + 1 < len(choices[leaf][0]):
                    child = (*ranks[:leaf], ranks[leaf] + 1, *ranks[leaf + 1 :])
                    heapq.heappush(queue, (make(child), child, leaf))
