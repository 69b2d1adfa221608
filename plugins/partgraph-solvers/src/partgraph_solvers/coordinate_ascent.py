"""Polish a configuration: one part at a time moves to its best candidate while the others stay (ICM).

The score never falls, and it ends where no single part can be improved (Besag's iterated conditional modes, 1986).
"""

from __future__ import annotations

import attrs
import numpy as np

from partgraph import Graph, Problem, Star
from partgraph_solvers import _star
from partgraph_solvers.compiled import BlockSet, compiled_star, compiles

MAX_SWEEPS = 100


def neighbourhood(graph: Graph, part: int) -> Star:
    """Return the star of a part with all its edges."""
    edges = tuple(e for e, edge in enumerate(graph.edges) if part in edge)
    leaves = dict.fromkeys(sum(graph.edges[e]) - part for e in edges)
    return Star(part, tuple(leaves), edges)


@attrs.frozen(eq=False)
class CoordinateAscent:
    """Moves of single parts, prepared for one graph with its candidates.

    Attributes
    ----------
    stars : tuple of Star
        The neighbourhood of every part.
    compiled : tuple of compiled stars or None
        The same for the compiled search, where it takes them.
    blocks : tuple of Blocks
        Every part's positions in blocks.
    """

    stars: tuple[Star, ...]
    compiled: tuple[_star.Star | None, ...]
    blocks: tuple[_star.Blocks, ...]

    @classmethod
    def of(cls, problem: Problem, blocks: BlockSet) -> CoordinateAscent:
        """Prepare the neighbourhoods; unary terms are not used."""
        stars = tuple(neighbourhood(problem.graph, part) for part in range(len(problem.sizes)))
        compiled = tuple(
            compiled_star(problem, star, blocks) if compiles(problem, star) else None for star in stars
        )
        return cls(
            stars, compiled, tuple(blocks.of(own.positions, own.positions) for own in problem.candidates)
        )

    def polisher(self, problem: Problem, max_sweeps: int = MAX_SWEEPS) -> Polisher:
        """Return the moves for the scores of `problem`, whose unary terms are all tabulated."""
        scores = _star.scores_of([own.scores for own in problem.candidates], self.blocks)
        return Polisher(self, problem, scores, max_sweeps)


@attrs.frozen(eq=False)
class Polisher:
    """Moves of single parts for given unary scores, at most `max_sweeps` times as many as there are parts."""

    moves: CoordinateAscent
    problem: Problem
    scores: list[_star.Scores]
    max_sweeps: int

    def score(self, labels: np.ndarray) -> np.ndarray:
        """Return the scores of configurations (M, N): (M,) float64."""
        return self.problem.score(labels)

    def best_labels(self, part: int, labels: np.ndarray, n_best: int) -> list[int]:
        """Return the best labels of `part` while the others, (N,) int, stay; best first, ties by lowest label."""
        star = self.moves.compiled[part]
        if star is not None:
            return [
                label for label, _ in star.best_centers(self.scores[part], labels.astype(np.int32), n_best)
            ]
        return np.argsort(-self._conditional(part, labels), kind="stable")[:n_best].tolist()

    def _conditional(self, part: int, labels: np.ndarray) -> np.ndarray:
        """Return the score of every candidate of `part`, with its edges to labelled parts: (K,) float64."""
        problem = self.problem
        total = problem.candidates[part].scores.copy()
        for e in self.moves.stars[part].edges:
            i, j = problem.graph.edges[e]
            if labels[i + j - part] < 0:
                continue
            x, y = problem.anchor(e), problem.candidates[j].positions
            total += problem.pairwise[e].evaluate(*((x, y[labels[j]]) if i == part else (x[labels[i]], y)))
        return total

    def complete(self, labels: np.ndarray) -> np.ndarray:
        """Return `labels` (N,) with labels for parts that have none, -1.

        Each time the part with most labelled neighbours gets its best label beside theirs.
        """
        completed = np.array(labels, dtype=np.int32)
        stars = self.moves.stars
        while (completed < 0).any():
            waiting = np.flatnonzero(completed < 0).tolist()
            part = max(waiting, key=lambda part: (completed[list(stars[part].leaves)] >= 0).sum())
            completed[part] = self._best(part, completed)
        return completed.astype(np.intp)

    def polish(self, labels: np.ndarray) -> np.ndarray:
        """Return `labels` (N,) after as many moves as help."""
        current = np.array(labels, dtype=np.int32)
        waiting = set(range(len(current)))
        for _ in range(self.max_sweeps * len(current)):
            if not waiting:
                break
            part = min(waiting)
            waiting.remove(part)
            label = self._best(part, current)
            if label != current[part]:
                current[part] = label
                waiting.update(self.moves.stars[part].leaves)
        return current.astype(np.intp)

    def _best(self, part: int, labels: np.ndarray) -> int:
        """Return the best label of `part`; its present one, if it has one, where no other is better."""
        star = self.moves.compiled[part]
        if star is not None:
            return star.best_centers(self.scores[part], labels, 1)[0][0]
        total = self._conditional(part, labels)
        best = int(np.argmax(total))
        return best if labels[part] < 0 or total[best] > total[labels[part]] else int(labels[part])
