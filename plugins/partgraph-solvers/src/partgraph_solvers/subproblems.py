"""One star of what is left of a problem: its maximum, and which candidates can take part in a given score.

Scores of the parts are tables that change all the time (see `relaxation`); linear terms <slope, x> stay apart, since
the compiled search absorbs them into its quadratics, which gives tighter bounds than adding them to the scores.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from partgraph import Star
from partgraph_solvers import _star
from partgraph_solvers.boxes import BoxStar
from partgraph_solvers.clock import Clock, OutOfTime
from partgraph_solvers.compiled import BlockSet, compiled_star, compiles
from partgraph_solvers.remainder import Remainder


class Table:
    """Scores of one part's candidates in a star, (K,) float64, never written to; in blocks as soon as asked for."""

    __slots__ = ("_blocked", "_blocks", "values")

    def __init__(self, values: np.ndarray) -> None:
        self.values = values
        self._blocks: _star.Blocks | None = None
        self._blocked: _star.Scores | None = None

    def blocked(self, blocks: _star.Blocks) -> _star.Scores:
        """Return the scores in the order of `blocks`."""
        if self._blocked is None or self._blocks is not blocks:
            self._blocks, self._blocked = blocks, _star.Scores(self.values, blocks)
        return self._blocked

    def at(self, label: int) -> Table:
        """Return a table that allows this label alone."""
        values = np.full(len(self.values), -np.inf)
        values[label] = self.values[label]
        return Table(values)


class Subproblem(abc.ABC):
    """A star whose parts have the numbers 0 (the center), 1, ... (its leaves)."""

    largest: float
    """No pairwise term of a leaf is higher, summed over leaves; at least 0."""

    @abc.abstractmethod
    def maximum(self, tables: Sequence[Table], clock: Clock) -> tuple[list[int], float]:
        """Return the labels of a best configuration, and an upper bound, its score but for rounding."""

    @abc.abstractmethod
    def marginals(
        self, tables: Sequence[Table], threshold: float, clock: Clock
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return per part the labels in configurations of at least `threshold`, and the best score with each.

        Labels ascend. None that reaches the threshold is left out; some that miss it by rounding may be returned.
        """


def subproblem(rest: Remainder, star: Star, slopes: np.ndarray, blocks: BlockSet) -> Subproblem:
    """Return the fastest search of a star, with `slopes` (parts, D) of its linear terms, unit 1 / length."""
    slots = range(len(star.parts))
    if compiles(rest, star):
        positions = [rest.candidates[part].positions for part in star.parts]
        none = [0.0] * rest.dimensions
        return Compiled(
            compiled_star(rest, star, blocks, slots),
            tuple(blocks.of(own, own) for own in positions),
            tuple((slope, 0.0, none) if any(slope) else None for slope in slopes.tolist()),
        )
    linear = [rest.candidates[part].positions @ slope for part, slope in zip(star.parts, slopes, strict=True)]
    boxes = BoxStar.of(rest, star, slots)
    return Boxes(boxes, linear, boxes.largest)


@attrs.frozen(eq=False)
class Compiled(Subproblem):
    """Quadratic terms."""

    star: _star.Star
    blocks: tuple[_star.Blocks, ...]
    pulls: tuple[Any, ...]
    largest: float = 0.0

    def maximum(self, tables: Sequence[Table], clock: Clock) -> tuple[list[int], float]:
        """Call the compiled search."""
        labels, _, bound, proven, *_ = self.star.solve(
            self._scores(tables), self.pulls, 1, -1, max_seconds=clock.left
        )
        if not proven:
            raise OutOfTime
        return labels[0].tolist(), bound

    def marginals(
        self, tables: Sequence[Table], threshold: float, clock: Clock
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Call the compiled search."""
        found = self.star.marginals(self._scores(tables), self.pulls, threshold, clock.left)
        if not found:
            raise OutOfTime
        return found

    def _scores(self, tables: Sequence[Table]) -> list[_star.Scores]:
        return [table.blocked(blocks) for table, blocks in zip(tables, self.blocks, strict=True)]


@attrs.frozen(eq=False)
class Boxes(Subproblem):
    """Any terms, through their bounds."""

    star: BoxStar
    linear: Sequence[np.ndarray]
    largest: float

    def maximum(self, tables: Sequence[Table], clock: Clock) -> tuple[list[int], float]:
        """Search in NumPy."""
        return self.star.maximum(self._scores(tables), clock)

    def marginals(
        self, tables: Sequence[Table], threshold: float, clock: Clock
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Search in NumPy."""
        return self.star.marginals(self._scores(tables), threshold, clock)

    def _scores(self, tables: Sequence[Table]) -> list[np.ndarray]:
        return [table.values + linear for table, linear in zip(tables, self.linear, strict=True)]
