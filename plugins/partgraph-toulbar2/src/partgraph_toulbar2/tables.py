"""A problem as tables of scores over some of its candidates, and how far rounding can move a sum of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import attrs
import numpy as np

from partgraph import Problem


@final
@attrs.frozen(eq=False)
class Tables:
    """Scores of parts and of pairs of parts.

    Attributes
    ----------
    labels : tuple of array
        N entries, (k_i,) intp ascending: the candidates that are in question.
    unary : tuple of array
        N entries, (k_i,) float64; every term included.
    links : tuple of (int, int)
        The pairs of parts that are coupled, i < j, each once.
    pairwise : tuple of array
        For each link (k_i, k_j) float64, the sum of the terms between the two, in either direction; -inf forbids.
    """

    labels: tuple[np.ndarray, ...]
    unary: tuple[np.ndarray, ...]
    links: tuple[tuple[int, int], ...]
    pairwise: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, problem: Problem, labels: Sequence[np.ndarray]) -> Tables:
        """Evaluate all terms on these candidates."""
        sums = {(i, j): np.zeros((len(labels[i]), len(labels[j]))) for i, j in problem.graph.links()}
        for e, (i, j) in enumerate(problem.graph.edges):
            x, y = problem.anchor(e)[labels[i]], problem.candidates[j].positions[labels[j]]
            table = problem.pairwise[e].evaluate(x[:, None], y[None])
            sums[min(i, j), max(i, j)] += table if i < j else table.T
        unary = tuple(problem.unary_scores(part)[own] for part, own in enumerate(labels))
        return cls(tuple(labels), unary, tuple(sums), tuple(sums.values()))

    @property
    def all(self) -> tuple[np.ndarray, ...]:
        """Every table, those of parts first."""
        return (*self.unary, *self.pairwise)

    @property
    def tops(self) -> np.ndarray:
        """The highest score of every table: (N + links,) float64. No configuration scores more than their sum."""
        return np.array([table.max() for table in self.all])

    def rounding(self, score: float) -> float:
        """Bound what rounding does to two sums of the summands of a configuration that scores `score` or more.

        With G = |score| + sum of |tops| every summand lies within 2 G, so that n of them, added in any order, err by
        2 n^2 G u at most, u = 2^-53; two such sums, each with parallel terms added beforehand, by less than 8 n^2 G u.
        """
        n = 2 * len(self.unary) + 4 * len(self.links) + 4
        g = abs(score) + float(np.abs(self.tops[np.isfinite(self.tops)]).sum())
        return 8 * n**2 * g * 2.0**-53 + float(np.finfo(float).tiny)
