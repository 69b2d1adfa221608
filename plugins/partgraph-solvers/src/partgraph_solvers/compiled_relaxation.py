"""Relaxation and moves of single parts in compiled code, for graphs whose terms are all quadratic."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from partgraph import Problem, Star
from partgraph_solvers import _loops
from partgraph_solvers.clock import Clock, OutOfTime
from partgraph_solvers.coordinate_ascent import MAX_SWEEPS
from partgraph_solvers.remainder import Remainder


def layout_of(problem: Problem, stars: Sequence[Star], slopes: Sequence[np.ndarray]) -> _loops.Layout:
    """Return the candidates of all parts in blocks, and stars with `slopes` (parts, D) of their linear terms."""
    points = [[own.positions] for own in problem.candidates]
    edges = []
    for (i, j), anchors in zip(problem.graph.edges, problem.anchors, strict=True):
        edges.append((i, j, 0 if anchors is None else len(points[i])))
        if anchors is not None:
            points[i].append(anchors)
    none = np.empty((0, problem.dimensions))
    weight, offset = problem.quadratics or (none, none)
    assert len(weight) == len(edges), "the problem is not detached"
    shares = [(star.parts, star.edges) for star in stars]
    return _loops.Layout(points, edges, weight, offset, shares, slopes)


@attrs.frozen(eq=False)
class CompiledPolisher:
    """Scores of configurations, and moves of single parts."""

    unaries: _loops.Unaries

    def score(self, labels: np.ndarray) -> np.ndarray:
        """Return the scores of configurations (M, N), but for rounding: (M,) float64."""
        return self.unaries.score(labels)

    def complete(self, labels: np.ndarray) -> np.ndarray:
        """Return `labels` (N,) with labels for parts that have none, -1."""
        return self.unaries.complete(labels)

    def polish(self, labels: np.ndarray) -> np.ndarray:
        """Return `labels` (N,) after as many moves as help."""
        return self.unaries.polish(labels, MAX_SWEEPS)

    def best_labels(self, part: int, labels: np.ndarray, n_best: int) -> list[int]:
        """Return the best labels of `part` while the others, (N,) int, stay; best first, ties by lowest label."""
        return self.unaries.best_labels(part, labels, n_best)


class CompiledRelaxation:
    """Stars that share the score, as in `relaxation.Relaxation`; searches run without Python's lock."""

    def __init__(self, problem: Problem, stars: int, unaries: _loops.Unaries, clock: Clock) -> None:
        self._problem, self._stars, self._clock = problem, stars, clock
        self._own = _loops.Relaxation(unaries)
        self._links = problem.graph.links()

    @property
    def bound(self) -> float:
        """No configuration scores more, but for rounding."""
        return self._own.bound

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many candidates of each part are left: (N,)."""
        return self._own.sizes

    @property
    def pairs(self) -> int:
        """How many pairs of candidates the edges join."""
        sizes = self._own.sizes
        return sum(sizes[i] * sizes[j] for i, j in self._links)

    @property
    def labels(self) -> tuple[np.ndarray, ...]:
        """Which candidates of each part are left: N entries, (K_i,) intp, ascending."""
        return self._own.labels

    @property
    def rest(self) -> Remainder:
        """What is left, made anew each time."""
        return Remainder.among(self._problem, self._own.labels)

    def rounding(self, score: float) -> float:
        """Bound the rounding error of all shares, and of scores of the problem, together."""
        return self._own.rounding(score)

    def solve_all(self) -> list[list[int]]:
        """Maximise every share; return the labels of each star's parts."""
        found = self._own.solve_all(self._stars, self._clock.left)
        return [_in_time(labels) for labels in found]

    def drop(self, s: int, score: float, ahead: Collection[int]) -> None:
        """Drop what star `s` shows to be in no configuration of this score."""
        _in_time(self._own.drop(s, score, [t in ahead for t in range(self._stars)], self._clock.left))

    def keep(self, kept: Mapping[int, np.ndarray]) -> None:
        """Keep these candidates of some parts only."""
        for part, labels in kept.items():
            self._own.keep(part, labels)

    def rounded(self, first: int) -> list[int]:
        """Return a configuration, (N,) labels of what is left, from the best of one star."""
        return _in_time(self._own.rounded(first, self._clock.left))


def _in_time(answer: Any) -> Any:
    """Return the answer of a compiled search; raise if it is empty because time was over."""
    if not answer:
        raise OutOfTime
    return answer
