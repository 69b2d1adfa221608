"""A solver: coordinate ascent from several starts.

Every part's own best candidate is one start, others are drawn. From each, one part after another is given
the candidate that suits its neighbours best, until nothing changes. Fast, for any graph, and stuck in local
optima: so it is not exact, and says how much better the optimum may be. Replace `compute` by your own
method.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, final

import attrs
import numpy as np
from partgraph import Interval, Problem, Solution, Solver, Status


@final
@attrs.frozen
class TemplateName(Solver):
    """Improve one part at a time.

    Attributes
    ----------
    starts : int
        From how many configurations.
    seed : int
        Of those that are drawn: the same problem has the same answer every time.
    """

    exact: ClassVar[bool] = False

    starts: int = attrs.field(default=5, validator=attrs.validators.gt(0))
    seed: int = 0

    def supports(self, problem: Problem) -> str | None:
        """Return None: any problem will do. Otherwise return why not, and what to do instead."""
        return None

    def compute(self, problem: Problem, state: Any, n_best: int) -> Solution:
        """Return the best distinct configurations that were reached."""
        reached = np.unique([self._ascend(problem, start) for start in self._starts(problem)], axis=0)
        scores = problem.score(reached)
        best = np.argsort(-scores, kind="stable")[:n_best]
        stats = {"distinct": len(reached)}
        return Solution(reached[best], scores[best], _upper_bound(problem), Status.CONVERGED, stats)

    def _starts(self, problem: Problem) -> Iterator[np.ndarray]:
        unary = [problem.unary_scores(part) for part in range(len(problem.sizes))]
        yield np.array([own.argmax() for own in unary], dtype=np.intp)
        random = np.random.default_rng(self.seed)
        allowed = [np.flatnonzero(np.isfinite(own)) for own in unary]  # -inf forbids
        for _ in range(self.starts - 1):
            yield np.array([random.choice(own) for own in allowed], dtype=np.intp)

    def _ascend(self, problem: Problem, labels: np.ndarray) -> np.ndarray:
        best = problem.score(labels)
        while True:
            before = best
            for part, size in enumerate(problem.sizes):
                trials = np.repeat(labels[None], size, axis=0)
                trials[:, part] = np.arange(size)
                scores = problem.score(trials)
                if scores.max() > best:  # strictly, so that it ends
                    labels, best = trials[scores.argmax()], scores.max()
            if best == before:
                return labels


def _upper_bound(problem: Problem) -> float:
    """Return the sum of all terms, each at its best on its own: weak, but no configuration is above it."""
    total = sum(problem.unary_scores(part).max() for part in range(len(problem.sizes)))
    for edge, (_, second) in enumerate(problem.graph.edges):
        boxes = Interval.hull(problem.anchor(edge)), Interval.hull(problem.candidates[second].positions)
        total += problem.pairwise[edge].bounds(*boxes).hi
    return float(total + 1e-9 * (1 + abs(total)))  # sums are rounded
