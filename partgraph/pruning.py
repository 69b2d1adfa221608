"""Which candidates may be in the best configuration: the others are dropped by a bound, without solving.

Candidates near each other form blocks. A bound of a term over two blocks' boxes is a number t_ij(a, b), and the highest
score of a block a number t_i(a); so blocks are the labels of a small problem whose scores are nowhere too low. Messages
m_ij(a) + m_ji(b) >= t_ij(a, b) move what edges are worth to their parts:

    b_i(v) = U_i(v) + sum_j m_ij(block of v),    S  <=  sum_i b_i + sum_(i,j) l_ij,    l_ij = t_ij - m_ij - m_ji <= 0.

The sums of b and of l along the edges of any tree bound S from above, and are maximised over all configurations with
candidate v of its root by passing maxima from the leaves to the root. Where that is below the score of a configuration
in hand, v is not in the best. The tree is the one of shortest paths; the messages are those of max-product linear
programming (Globerson and Jaakkola, 2007), which lower sum_i max b_i:

    m_ij(a) <- -c_i(a) / 2 + max_b [t_ij(a, b) + c_j(b)] / 2,    c_i = t_i + the messages to i from all others than j.

What is left is divided into finer blocks, and so on while that helps: often until one candidate of each part is left.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import attrs
import networkx as nx
import numpy as np

from partgraph import arrays
from partgraph.interval import Interval

if TYPE_CHECKING:
    from partgraph.problem import Problem

_ALONE, _CELLS = 64, 64
"""Of each part, how many of the most promising candidates are blocks of their own, and into how many the rest goes."""

_SWEEPS = 20
_ROUNDS = 6


def possible(problem: Problem, *, within: float = 0.0) -> tuple[np.ndarray, ...]:
    """Return the labels of every part that may be in a best configuration.

    Parameters
    ----------
    problem : Problem
        Any graph, any terms; the tighter their bounds, the more is dropped. Tensors are detached.
    within : float
        Candidates of configurations that score less than the best by no more than this are kept, too.

    Returns
    -------
    tuple of array
        N entries, (K'_i,) intp, ascending. All candidates of all best configurations are among them.
    """
    problem = problem.detach()
    scores = [problem.unary_scores(part) for part in range(len(problem.sizes))]
    kept = tuple(np.flatnonzero(own > -np.inf) for own in scores)
    if not all(map(len, kept)) or not all(
        map(arrays.is_finite, (own[k] for own, k in zip(scores, kept, strict=True)))
    ):
        return tuple(map(np.arange, problem.sizes))  # for `solve` to complain about
    best = -np.inf
    for _ in range(_ROUNDS):
        rest = _Rest.of(problem.only(kept))
        if rest is None:
            break
        stay, best = rest.bounded(best, within)
        before, kept = kept, tuple(own[keep] for own, keep in zip(kept, stay, strict=True))
        if sum(map(len, kept)) > 0.9 * sum(map(len, before)):
            break
    return kept


@attrs.frozen(eq=False)
class _Blocks:
    """Candidates of one part, grouped: those of block a are ``order[starts[a]:starts[a + 1]]``."""

    order: np.ndarray
    starts: np.ndarray
    of: np.ndarray

    @classmethod
    def of_candidates(cls, positions: np.ndarray, scores: np.ndarray) -> _Blocks:
        """Leave those of highest score (K,) alone, and group the others (K, D) by the cells of a grid."""
        low, extent = positions.min(0), np.maximum(np.ptp(positions, axis=0), np.finfo(float).tiny)
        axes = positions.shape[1]
        sides = max(1, round(_CELLS ** (1 / axes)))
        cell = np.minimum(((positions - low) / extent * sides).astype(np.intp), sides - 1)
        cell = cell @ sides ** np.arange(axes)
        alone = np.argsort(-scores, kind="stable")[:_ALONE]
        cell[alone] = -1 - np.arange(len(alone))
        _, of, count = np.unique(cell, return_inverse=True, return_counts=True)
        starts = np.concatenate([[0], np.cumsum(count)[:-1]])
        return cls(np.argsort(of, kind="stable"), starts, of)

    def boxes(self, points: np.ndarray) -> Interval:
        """Return the bounding boxes of points (K, D), one per candidate: (blocks, D)."""
        ordered = points[self.order]
        return Interval(np.minimum.reduceat(ordered, self.starts), np.maximum.reduceat(ordered, self.starts))

    def highest(self, scores: np.ndarray) -> np.ndarray:
        """Return the highest score of each block."""
        return np.maximum.reduceat(scores[self.order], self.starts)


@attrs.frozen(eq=False)
class _Rest:
    """What is left of a problem, in blocks, with bounds of all terms between two coupled parts."""

    problem: Problem
    scores: list[np.ndarray]
    blocks: list[_Blocks]
    tables: dict[tuple[int, int], np.ndarray]

    @classmethod
    def of(cls, problem: Problem) -> _Rest | None:
        """Bound every term over blocks; None where a bound is no finite number."""
        scores = [problem.unary_scores(part) for part in range(len(problem.sizes))]
        blocks = [
            _Blocks.of_candidates(own.positions, score)
            for own, score in zip(problem.candidates, scores, strict=True)
        ]
        counts = [len(own.starts) for own in blocks]
        tables = {(i, j): np.zeros((counts[i], counts[j])) for i, j in problem.graph.links()}
        for e, (i, j) in enumerate(problem.graph.edges):
            x, y = blocks[i].boxes(problem.anchor(e)), blocks[j].boxes(problem.candidates[j].positions)
            table = problem.pairwise[e].bounds(Interval(x.lo[:, None], x.hi[:, None]), y).hi
            tables[min(i, j), max(i, j)] += table if i < j else table.T
        if not all((table < np.inf).all() and (table.max() > -np.inf) for table in tables.values()):
            return None
        return cls(problem, scores, blocks, tables)

    def bounded(self, best: float, within: float) -> tuple[list[np.ndarray], float]:
        """Return which candidates of every part stay, (K_i,) bool, and the highest score found; `best` is known."""
        labels = self._improved(np.array([own.argmax() for own in self.scores]))
        best = max(best, float(self.problem.score(labels)))
        tables = self._clipped(best - within)
        messages = _first_messages(tables)
        for _ in range(_SWEEPS):
            self._pass(tables, messages)
        beliefs = self._beliefs(messages)
        labels = self._improved(np.array([own.argmax() for own in beliefs]))
        best = max(best, float(self.problem.score(labels)))
        bounds = self._bounds(tables, messages, beliefs)
        # Bounds are made of about a thousand sums of numbers of this size; each errs by 1e-16 of it.
        size = sum(float(np.abs(own).max()) for own in (*self.scores, *tables.values(), *beliefs)) + abs(best)
        least = best - within - 1e-11 * size
        return [own >= least for own in bounds], best

    def _bounds(
        self,
        tables: dict[tuple[int, int], np.ndarray],
        messages: dict[tuple[int, int], np.ndarray],
        beliefs: list[np.ndarray],
    ) -> list[np.ndarray]:
        """Return for every candidate what no configuration with it exceeds: (K_i,) of each part."""
        lack = {}
        for (i, j), table in tables.items():
            lack[i, j] = table - messages[j, i][:, None] - messages[i, j]
            lack[j, i] = lack[i, j].T
        links = nx.Graph(tables.keys())
        links.add_nodes_from(range(len(beliefs)))
        highest = [blocks.highest(own) for blocks, own in zip(self.blocks, beliefs, strict=True)]
        bounds = []
        for root, own in enumerate(beliefs):
            up = list(highest)
            tree = list(nx.bfs_edges(links, root))
            for parent, child in reversed(tree):
                up[parent] = up[parent] + (lack[parent, child] + up[child]).max(1)
            apart = set(range(len(beliefs))) - {root} - {child for _, child in tree}
            rest = math.fsum(float(highest[part].max()) for part in apart)
            bounds.append(own + (up[root] - highest[root])[self.blocks[root].of] + rest)
        return bounds

    def _clipped(self, least: float) -> dict[tuple[int, int], np.ndarray]:
        """Raise entries so low that no configuration with them reaches `least` to where that still holds.

        So sums are of the size of what is in question, and finite.
        """
        most = sum(float(own.max()) for own in (*self.scores, *self.tables.values()))
        return {
            link: np.maximum(table, least - most + table.max() - 1.0) for link, table in self.tables.items()
        }

    def _pass(
        self, tables: dict[tuple[int, int], np.ndarray], messages: dict[tuple[int, int], np.ndarray]
    ) -> None:
        """Update the messages of every link."""
        totals = [blocks.highest(own) for blocks, own in zip(self.blocks, self.scores, strict=True)]
        for (_, to), message in messages.items():
            totals[to] = totals[to] + message
        for (i, j), table in tables.items():
            own_i, own_j = totals[i] - messages[j, i], totals[j] - messages[i, j]
            messages[j, i] = 0.5 * ((table + own_j).max(1) - own_i)
            messages[i, j] = 0.5 * ((table + own_i[:, None]).max(0) - own_j)
            totals[i], totals[j] = own_i + messages[j, i], own_j + messages[i, j]

    def _beliefs(self, messages: dict[tuple[int, int], np.ndarray]) -> list[np.ndarray]:
        beliefs = [own.copy() for own in self.scores]
        for (_, to), message in messages.items():
            beliefs[to] += message[self.blocks[to].of]
        return beliefs

    def _improved(self, labels: np.ndarray) -> np.ndarray:
        """Move single parts to their best candidates while the others stay, until none moves (Besag, 1986)."""
        problem = self.problem
        for _ in range(20):
            before = labels.copy()
            for part, own in enumerate(self.scores):
                total = own.copy()
                for e, (i, j) in enumerate(problem.graph.edges):
                    x, y = problem.anchor(e), problem.candidates[j].positions
                    if part == i:
                        total += problem.pairwise[e].evaluate(x, y[labels[j]])
                    elif part == j:
                        total += problem.pairwise[e].evaluate(x[labels[i]], y)
                labels[part] = total.argmax()
            if np.array_equal(labels, before):
                break
        return labels


def _first_messages(tables: dict[tuple[int, int], np.ndarray]) -> dict[tuple[int, int], np.ndarray]:
    """Return messages, from a part to a part, that are together at least what each link is worth: half of it each."""
    return {
        key: message
        for (i, j), table in tables.items()
        for key, message in (((j, i), 0.5 * table.max(1)), ((i, j), 0.5 * table.max(0)))
    }
