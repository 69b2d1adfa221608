"""From the answers of slaves that disagree to configurations: rounding, polishing, and the pool of all found."""

from __future__ import annotations

import numpy as np

from partgraph import Problem
from partgraph_solvers.coordinate_ascent import Polisher
from partgraph_solvers.copies import Copies


class Pool:
    """Distinct configurations with their scores.

    Attributes
    ----------
    best : float
        The best score so far; -inf before the first.
    """

    def __init__(self, problem: Problem, copies: Copies, polisher: Polisher) -> None:
        self._problem, self._copies, self._polisher = problem, copies, polisher
        self._scores: dict[tuple[int, ...], float] = {}
        self._polished: dict[tuple[int, ...], tuple[int, ...]] = {}
        self.best = -np.inf

    @property
    def confirmed(self) -> bool:
        """Whether two different configurations were polished into the best one."""
        ranked = self.ranked(1)
        return bool(ranked) and list(self._polished.values()).count(ranked[0][0]) > 1

    def add(self, labels: list[np.ndarray]) -> None:
        """Round the slaves' labels in two ways, polish both, and keep all.

        By vote: the label most copies of a part have, on a tie the one nearest to their mean. By center: the label from
        the slave whose center the part is, where most of its terms are.
        """
        votes = self._copies.votes(labels)
        voted = np.array([self._vote(part, own) for part, own in enumerate(votes)])
        centers = voted.copy()
        for star, own in reversed(list(zip(self._copies.stars, labels, strict=True))):
            centers[star.center] = own[0]
        for configuration in (voted, centers):
            self.improve(configuration)

    def improve(self, configuration: np.ndarray) -> None:
        """Keep a configuration, (N,) labels, and what it becomes by polishing."""
        key = tuple(configuration.tolist())
        if key not in self._polished:
            polished = self._polisher.polish(configuration)
            self._polished[key] = tuple(polished.tolist())
            self._keep(np.array([configuration, polished]))

    def note(self, configurations: list[tuple[int, ...]]) -> None:
        """Keep configurations as they are."""
        if configurations:
            self._keep(np.array(configurations))

    def widen(self, n_best: int) -> None:
        """Add what the best configuration becomes when a single part moves: where most of the next best are."""
        (best, _), *_ = self.ranked(1)
        rows = [np.array(best)]
        for part in range(len(best)):
            for label in self._polisher.best_labels(part, rows[0], n_best):
                row = rows[0].copy()
                row[part] = label
                rows.append(row)
        self._keep(np.array(rows))

    def ranked(self, n_best: int) -> list[tuple[tuple[int, ...], float]]:
        """Return the n best allowed configurations, ties by lowest labels."""
        allowed = [item for item in self._scores.items() if item[1] > -np.inf]
        return sorted(allowed, key=lambda item: (-item[1], item[0]))[:n_best]

    def _vote(self, part: int, votes: list[int]) -> int:
        if len(set(votes)) == 1:
            return votes[0]
        positions = self._problem.candidates[part].positions[votes]
        away = ((positions - positions.mean(0)) ** 2).sum(1).tolist()
        return min(zip(votes, away, strict=True), key=lambda vote: (-votes.count(vote[0]), vote[1], vote[0]))[
            0
        ]

    def _keep(self, configurations: np.ndarray) -> None:
        for key, score in zip(
            map(tuple, configurations.tolist()), self._problem.score(configurations), strict=True
        ):
            self._scores[key] = float(score)
            self.best = max(self.best, float(score))
