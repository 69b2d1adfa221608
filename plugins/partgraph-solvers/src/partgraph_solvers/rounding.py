"""From the answers of slaves that disagree to configurations: rounding, polishing, and the pool of all found."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from partgraph import Problem
from partgraph_solvers.copies import Copies


class Polishing(Protocol):
    """Scores, and moves of single parts: see `coordinate_ascent.Polisher`."""

    def score(self, labels: np.ndarray) -> np.ndarray: ...
    def complete(self, labels: np.ndarray) -> np.ndarray: ...
    def polish(self, labels: np.ndarray) -> np.ndarray: ...
    def best_labels(self, part: int, labels: np.ndarray, n_best: int) -> list[int]: ...


def by_vote(problem: Problem, copies: Copies, labels: Sequence[Sequence[int]]) -> np.ndarray:
    """Return (N,) labels: for every part the one most slaves give it, on a tie the one nearest to the mean of all."""
    return np.array([_vote(problem, part, votes) for part, votes in enumerate(copies.votes(labels))])


def by_center(copies: Copies, labels: Sequence[Sequence[int]]) -> np.ndarray:
    """Return (N,) labels: those of the slave whose center a part is, where most of its terms are, or of any other."""
    centers = [votes[0] for votes in copies.votes(labels)]
    for star, own in reversed(list(zip(copies.stars, labels, strict=True))):
        centers[star.center] = int(own[0])
    return np.array(centers)


def _vote(problem: Problem, part: int, votes: list[int]) -> int:
    if len(set(votes)) == 1:
        return votes[0]
    positions = problem.candidates[part].positions[votes].tolist()
    mean = [sum(axis) / len(votes) for axis in zip(*positions, strict=True)]
    away = [math.dist(position, mean) for position in positions]
    ranked = min(zip(votes, away, strict=True), key=lambda vote: (-votes.count(vote[0]), vote[1], vote[0]))
    return ranked[0]


class Pool:
    """Distinct configurations with their scores, which may err by rounding where a polisher adds them up.

    Attributes
    ----------
    best : float
        The best score so far; -inf before the first.
    """

    def __init__(self, problem: Problem, polisher: Polishing | None) -> None:
        self._problem, self._polisher = problem, polisher
        self._scores: dict[tuple[int, ...], float] = {}
        self._polished: dict[tuple[int, ...], tuple[int, ...]] = {}
        self._reached: list[tuple[int, ...]] = []
        self.best = -np.inf

    @property
    def confirmed(self) -> bool:
        """Whether three configurations, from different stars or not, were polished into the best one."""
        ranked = self.ranked(1)
        return bool(ranked) and self._reached.count(ranked[0][0]) >= 3

    def add(self, *configurations: np.ndarray) -> None:
        """Keep configurations, (N,) labels each, and what they become by polishing."""
        assert self._polisher is not None
        found = []
        for configuration in configurations:
            key = tuple(configuration.tolist())
            if key not in self._polished:
                self._polished[key] = tuple(self._polisher.polish(configuration).tolist())
                found += [key, self._polished[key]]
            self._reached.append(self._polished[key])
        self.note(found)

    def grow(self, parts: Sequence[int], labels: Sequence[int]) -> None:
        """Complete the labels of some parts to a configuration, and add it."""
        assert self._polisher is not None
        start = np.full(len(self._problem.sizes), -1)
        start[list(parts)] = labels
        self.add(self._polisher.complete(start))

    def note(self, configurations: Sequence[tuple[int, ...]]) -> None:
        """Keep configurations as they are."""
        if configurations:
            self._keep(np.array(configurations))

    def widen(self, n_best: int) -> None:
        """Add what the best configuration becomes when a single part moves: where most of the next best are."""
        assert self._polisher is not None
        if not self.ranked(1):
            return
        (best, _), *_ = self.ranked(1)
        start = np.array([best])
        moved = [start]
        for part in range(len(best)):
            labels = self._polisher.best_labels(part, start[0], n_best)
            rows = start.repeat(len(labels), axis=0)
            rows[:, part] = labels
            moved.append(rows)
        self._keep(np.concatenate(moved))

    def threshold(self, n_best: int) -> float:
        """Return the n-th best score: what a configuration must reach; -inf while there are fewer."""
        best = heapq.nlargest(n_best, self._scores.values())
        return best[-1] if len(best) == n_best else -np.inf

    def ranked(self, n_best: int | None = None) -> list[tuple[tuple[int, ...], float]]:
        """Return the n best allowed configurations, or all of them, ties by lowest labels."""
        allowed = [item for item in self._scores.items() if item[1] > -np.inf]
        return heapq.nsmallest(
            len(allowed) if n_best is None else n_best, allowed, key=lambda item: (-item[1], item[0])
        )

    def _keep(self, configurations: np.ndarray) -> None:
        score = self._problem.score if self._polisher is None else self._polisher.score
        for key, own in zip(map(tuple, configurations.tolist()), score(configurations).tolist(), strict=True):
            self._scores[key] = own
            self.best = max(self.best, own)
