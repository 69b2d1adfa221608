"""toulbar2, an exact solver of cost function networks, on the candidates that bounds leave.

Tables for all pairs of thousands of candidates do not fit into memory, so bounds drop candidates first (`pruning`).
The rest becomes a network of whole-numbered costs (`costs`). toulbar2 finds the configuration that costs least, which
gives a score to reach, and then lists all that may reach it after the conversion; ``problem.score`` decides among
these. So the answer is exact in float64, ties by lowest labels, though toulbar2 knows other numbers.
"""

from __future__ import annotations

import math
import time
from typing import Any, ClassVar, final

import attrs
import numpy as np

from partgraph import Problem, Solution, Solver, Status
from partgraph_toulbar2 import network
from partgraph_toulbar2.costs import Costs
from partgraph_toulbar2.pruning import Pruned, pruned
from partgraph_toulbar2.tables import Tables


def _at_least_one(instance: Any, attribute: Any, value: int | None) -> None:
    if value is not None and value < 1:
        raise ValueError(f"{attribute.name} must be at least 1; found {value}")


def _positive(instance: Any, attribute: Any, value: float | None) -> None:
    if value is not None and not value > 0:
        raise ValueError(f"{attribute.name} must be positive; found {value}")


@final
@attrs.frozen
class Toulbar2(Solver):
    """Find the best configurations of any graph with toulbar2, and pass on its proof.

    Any potentials, anchors, forbidden candidates and pairs. The n best are exact and distinct, ties by lowest labels.

    Attributes
    ----------
    easy_pairs : int
        Bounds drop candidates until the edges join no more pairs than this, or no more can be dropped.
    max_pairs : int
        toulbar2 is given up to this many pairs; where more are left, the status is WORK_LIMIT.
    max_solutions : int
        How many configurations that may tie, or be among the n best, are listed at most; beyond it, WORK_LIMIT.
    max_seconds : float, optional
        Time for one call. toulbar2 counts in whole seconds of processor time, at least one in each of its two runs.
    keep : int, optional
        Of what bounds leave, keep this many candidates a part, those of the highest scores. That is a heuristic: where
        it drops any, the status is CONVERGED, and the upper bound is that of the pruning. None: keep all.
    """

    exact: ClassVar[bool] = True

    easy_pairs: int = attrs.field(default=50_000, validator=_at_least_one)
    max_pairs: int = attrs.field(default=2_000_000, validator=_at_least_one)
    max_solutions: int = attrs.field(default=10_000, validator=_at_least_one)
    max_seconds: float | None = attrs.field(default=None, validator=_positive)
    keep: int | None = attrs.field(default=None, validator=_at_least_one)

    def supports(self, problem: Problem) -> str | None:
        """Support everything."""
        return None

    def compute(self, problem: Problem, state: Any, n_best: int) -> Solution:
        """Drop candidates, then search."""
        return Search(self, problem, n_best).run()


class Search:
    """One run: the best configurations known, an upper bound, and what limits it met."""

    def __init__(self, options: Toulbar2, problem: Problem, n_best: int) -> None:
        self.options, self.problem, self.n_best = options, problem, n_best
        self.end = math.inf if options.max_seconds is None else time.monotonic() + options.max_seconds
        self.labels = np.empty((0, len(problem.sizes)), dtype=np.intp)
        self.scores = np.empty(0)
        self.bound = math.inf
        self.stats: dict[str, Any] = {"nodes": 0, "candidates_left": 0, "pairs": 0, "limit": None}

    @property
    def seconds(self) -> float:
        """Time left."""
        return max(0.0, self.end - time.monotonic())

    @property
    def threshold(self) -> float:
        """The n-th best score known; -inf while there are fewer."""
        return float(self.scores[self.n_best - 1]) if len(self.scores) >= self.n_best else -np.inf

    def run(self) -> Solution:
        """Prune, find the best, list the ties."""
        left = pruned(self.problem, self.n_best, self.seconds, self.options.easy_pairs)
        self._note(left.found)
        self.bound = left.upper_bound
        labels, dropped = self._kept(left)
        sizes = [len(own) for own in labels]
        pairs = sum(sizes[i] * sizes[j] for i, j in self.problem.graph.links())
        self.stats |= {"candidates_left": sum(sizes), "pairs": pairs, "candidates_dropped": dropped}
        if not all(sizes):
            self.bound = max(self.scores, default=-np.inf)
        elif pairs > self.options.max_pairs:
            self.stats["limit"] = "max_pairs"
        elif self.seconds == 0:
            self.stats["limit"] = "max_seconds"
        else:
            self._search(Tables.of(self.problem, labels), heuristic=dropped > 0)
        return self._solution(heuristic=dropped > 0)

    def _kept(self, left: Pruned) -> tuple[tuple[np.ndarray, ...], int]:
        """Return the labels to search, and how many a heuristic dropped."""
        keep = self.options.keep
        if keep is None:
            return left.labels, 0
        kept = []
        for part, own in enumerate(left.labels):
            scores = self.problem.unary_scores(part)[own]
            kept.append(np.sort(own[np.argsort(-scores, kind="stable")[:keep]]))
        return tuple(kept), sum(map(len, left.labels)) - sum(map(len, kept))

    def _search(self, tables: Tables, heuristic: bool) -> None:
        if any(np.isneginf(top) for top in tables.tops):
            return  # two parts that exclude each other altogether
        costs = Costs.of(tables, self.threshold)
        found = network.cheapest(costs, self.seconds)
        self._take(found, tables)
        if not heuristic:
            self.bound = min(self.bound, costs.upper_bound(found.lower_cost))
        self.stats |= {"resolution": costs.resolution}
        if not found.complete:
            self.stats["limit"] = "max_seconds"
            return
        while True:
            least = self.threshold
            costs = Costs.of(tables, least)
            found = network.all_within(costs, self.options.max_solutions, self.seconds)
            self._take(found, tables)
            if found.complete:
                return
            if self.seconds == 0 or not self.threshold > least:
                self.stats["limit"] = "max_seconds" if self.seconds == 0 else "max_solutions"
                return

    def _take(self, found: network.Found, tables: Tables) -> None:
        self.stats["nodes"] += found.nodes
        columns = [own[column] for own, column in zip(tables.labels, found.labels.T, strict=True)]
        self._note(np.stack(columns, axis=1))

    def _note(self, labels: np.ndarray) -> None:
        """Add configurations (M, N); the n best stay, ties by lowest labels."""
        labels = np.unique(np.concatenate([self.labels, labels]), axis=0)  # in the order of labels
        scores = self.problem.score(labels)
        best = np.argsort(-scores, kind="stable")[: self.n_best]
        best = best[scores[best] > -np.inf]
        self.labels, self.scores = labels[best], scores[best]

    def _solution(self, heuristic: bool) -> Solution:
        best = float(self.scores[0]) if len(self.scores) else -np.inf
        if self.stats["limit"] is not None:
            status = Status.WORK_LIMIT
        else:
            status = Status.CONVERGED if heuristic else Status.OPTIMAL
        bound = best if status is Status.OPTIMAL else max(self.bound, best)
        return Solution(self.labels, self.scores, bound, status, self.stats)
