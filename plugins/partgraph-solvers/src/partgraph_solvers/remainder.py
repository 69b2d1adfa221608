"""What is left of a problem when candidates have been dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
import numpy as np

from partgraph import Candidates, Graph, Potential, Problem, Quadratic
from partgraph_solvers import _dense


@attrs.frozen(eq=False)
class Remainder:
    """The candidates of every part that are still in question; narrowing it costs little, unlike a new problem.

    Attributes
    ----------
    graph, pairwise
        Of the problem.
    candidates : tuple of Candidates
        N entries; the scores are the parts' own, with every unary term.
    anchors : tuple of (array or None)
        E entries, (K_i, D) float64 or None.
    labels : tuple of array
        N entries, (K_i,) intp, ascending: which labels of the problem they are.
    links : tuple of (int, int)
        The pairs of parts that are coupled, each once.
    """

    graph: Graph
    pairwise: tuple[Potential, ...]
    candidates: tuple[Candidates, ...]
    anchors: tuple[np.ndarray | None, ...]
    labels: tuple[np.ndarray, ...]
    links: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, problem: Problem) -> Remainder:
        """Return all of a problem whose unary terms are tabulated."""
        labels = tuple(np.arange(size) for size in problem.sizes)
        return cls(
            problem.graph,
            problem.pairwise,
            problem.candidates,
            problem.anchors,
            labels,
            problem.graph.links(),
        )

    @classmethod
    def among(cls, problem: Problem, labels: Sequence[np.ndarray]) -> Remainder:
        """Return these candidates, (K_i,) intp ascending, of every part."""
        candidates = [
            Candidates(own.positions[kept], own.scores[kept])
            for own, kept in zip(problem.candidates, labels, strict=True)
        ]
        anchors = [
            None if field is None else field[labels[i]]
            for (i, _), field in zip(problem.graph.edges, problem.anchors, strict=True)
        ]
        links = problem.graph.links()
        return cls(problem.graph, problem.pairwise, tuple(candidates), tuple(anchors), tuple(labels), links)

    @property
    def dimensions(self) -> int:
        """D."""
        return self.candidates[0].positions.shape[1]

    @property
    def sizes(self) -> tuple[int, ...]:
        """K_i for every part: (N,)."""
        return tuple(map(len, self.labels))

    @property
    def pairs(self) -> int:
        """How many pairs of candidates the edges join."""
        sizes = self.sizes
        return sum(sizes[i] * sizes[j] for i, j in self.links)

    def anchor(self, edge: int) -> np.ndarray:
        """Return the positions that stand for the candidates of the edge's first part: (K_i, D)."""
        anchors = self.anchors[edge]
        return self.candidates[self.graph.edges[edge][0]].positions if anchors is None else anchors

    def only(self, kept: Mapping[int, np.ndarray]) -> Remainder:
        """Return what is left with these candidates, (count,) int ascending, of some parts."""
        if not kept:
            return self
        candidates, labels, anchors = list(self.candidates), list(self.labels), list(self.anchors)
        for part, keep in kept.items():
            own = candidates[part]
            candidates[part] = Candidates(own.positions[keep], own.scores[keep])
            labels[part] = labels[part][keep]
        for e, (i, _) in enumerate(self.graph.edges):
            field = anchors[e]
            if i in kept and field is not None:
                anchors[e] = field[kept[i]]
        return attrs.evolve(self, candidates=tuple(candidates), labels=tuple(labels), anchors=tuple(anchors))

    def allowed(self) -> dict[int, np.ndarray]:
        """Return, for parts with forbidden candidates (score -inf), the others."""
        allowed = {part: np.flatnonzero(own.scores > -np.inf) for part, own in enumerate(self.candidates)}
        return {part: labels for part, labels in allowed.items() if len(labels) < self.sizes[part]}

    def distinct(self, n_best: int) -> dict[int, np.ndarray]:
        """Return, for parts with more than `n_best` equal candidates, the others and the first `n_best` of the equal.

        Configurations that differ in equal candidates score the same, and of those the lowest labels come first.
        """
        kept = {}
        for part, own in enumerate(self.candidates):
            seen = [own.positions, own.scores[:, None]]
            seen += [
                field
                for (i, _), field in zip(self.graph.edges, self.anchors, strict=True)
                if i == part and field is not None
            ]
            rows = np.concatenate(seen, axis=1)
            order = np.lexsort(rows.T)  # stable: labels ascend among equals
            new = np.ones(len(rows), dtype=bool)
            new[1:] = (rows[order[1:]] != rows[order[:-1]]).any(axis=1)
            place = np.arange(len(rows))
            repeated = place - np.maximum.accumulate(np.where(new, place, 0))
            if (repeated >= n_best).any():
                kept[part] = np.sort(order[repeated < n_best])
        return kept

    def in_problem(self, part_labels: Sequence[int]) -> tuple[int, ...]:
        """Return labels of the problem, (N,), for labels of what is left."""
        return tuple(int(own[label]) for own, label in zip(self.labels, part_labels, strict=True))

    def tables(self, score: float) -> tuple[list[np.ndarray], tuple[tuple[int, int], ...], list[np.ndarray]]:
        """Return the unary scores, the links (i < j), and the sum of all terms between i and j as (K_i, K_j) tables.

        All of them finite: a pair whose terms are -inf gets a number so low that no configuration with it reaches
        `score`, or any other score where that is -inf.
        """
        sizes = self.sizes
        unary = [own.scores for own in self.candidates]
        sums = {(i, j): np.zeros((sizes[i], sizes[j])) for i, j in self.links}
        for e, (i, j) in enumerate(self.graph.edges):
            x, y, term = self.anchor(e), self.candidates[j].positions, self.pairwise[e]
            table = sums[i, j] if i < j else sums[j, i].T
            if isinstance(term, Quadratic) and term.dimensions <= _dense.MAX_AXES:
                _dense.add_quadratic(table, x, y, term.weight, term.offset)
            else:
                table += term.evaluate(x[:, None], y[None])
        tables = list(sums.values())
        if _dense.lowest(tables) == -np.inf:
            finite = [own[own > -np.inf] for own in (*unary, *tables)]
            most, least = (float(sum(end(own, initial=0.0) for own in finite)) for end in (np.max, np.min))
            low = (score if score > -np.inf else least) - most - 1.0
            tables = [np.maximum(table, low) for table in tables]
        return unary, self.links, tables
