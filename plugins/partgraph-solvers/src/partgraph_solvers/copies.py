"""The copies of shared parts that star-shaped slaves hold, and how they are joined and compared."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from partgraph import Problem, Star
from partgraph_solvers.slaves import Slave


class Copies:
    """All copies of shared parts: C of them, slave after slave.

    Attributes
    ----------
    stars : sequence of Star
        One per slave.
    part, slave, slot : array
        (C,) int: whose copy it is, which slave holds it, and the part's place among the slave's parts.
    of_slave : tuple of array
        For each slave the indices of its copies.
    """

    def __init__(self, problem: Problem, stars: Sequence[Star]) -> None:
        self._problem, self.stars = problem, stars
        self._count, (self.part, self.slave, self.slot), self.of_slave = _places(
            tuple(stars), len(problem.sizes)
        )

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Return for every copy the mean over all copies of its part: (C, D) from (C, D)."""
        total = np.zeros((len(self._count), values.shape[1]))
        np.add.at(total, self.part, values)
        return (total / self._count[:, None])[self.part]

    def solve(
        self, slaves: Sequence[Slave], multipliers: np.ndarray, u: np.ndarray | None, rho: float
    ) -> tuple[list[list[int]], list[float]]:
        """Solve every slave, without penalty where `u` is None; return the labels and the upper bound of each."""
        labels, bounds = [], []
        for slave, own in zip(slaves, self.of_slave, strict=True):
            found, bound = slave.solve(multipliers[own], None if u is None else u[own], rho)
            labels.append(found.tolist())
            bounds.append(bound)
        return labels, bounds

    def positions(self, labels: Sequence[Sequence[int]]) -> np.ndarray:
        """Return where the slaves put their copies: (C, D)."""
        candidates = self._problem.candidates
        rows = [
            candidates[part].positions[labels[s][slot]]
            for part, s, slot in zip(self.part.tolist(), self.slave.tolist(), self.slot.tolist(), strict=True)
        ]
        return np.array(rows).reshape(-1, self._problem.dimensions)

    def votes(self, labels: Sequence[Sequence[int]]) -> list[list[int]]:
        """Return for every part of the problem the labels that slaves give it, slave after slave."""
        votes: list[list[int]] = [[] for _ in self._count]
        for star, own in zip(self.stars, labels, strict=True):
            for part, label in zip(star.parts, own, strict=True):
                votes[part].append(int(label))
        return votes

    def agreed(self, labels: Sequence[Sequence[int]]) -> list[int] | None:
        """Return the configuration in which all copies of every part have the same label, if there is one."""
        votes = self.votes(labels)
        return [own[0] for own in votes] if all(len(set(own)) == 1 for own in votes) else None


@functools.lru_cache(maxsize=64)
def _places(stars: tuple[Star, ...], parts: int) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, ...]]:
    """Return in how many stars each part is (N,), where copies are (3, C), and those of each star; not to be changed.

    Problems of one kind share their graph, and small ones are solved in little more time than this takes.
    """
    count = np.bincount([part for star in stars for part in star.parts], minlength=parts)
    rows = [
        (part, s, slot)
        for s, star in enumerate(stars)
        for slot, part in enumerate(star.parts)
        if count[part] > 1
    ]
    places = np.array(rows, dtype=np.intp).reshape(-1, 3).T
    return count, places, tuple(np.flatnonzero(places[1] == s) for s in range(len(stars)))
