"""The obvious truth: two exact solvers in plain NumPy, for tests, teaching and small problems."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, ClassVar, final

import attrs
import numpy as np

from partgraph.problem import Problem
from partgraph.solver import Solution, Solver, Status


@final
@attrs.frozen
class Exhaustive(Solver):
    """Score every configuration; exact on any graph, feasible on small ones.

    Attributes
    ----------
    max_configurations : int
        Problems with more configurations than this are refused.
    """

    exact: ClassVar[bool] = True

    max_configurations: int = 10_000_000

    def supports(self, problem: Problem) -> str | None:
        """Refuse problems with too many configurations."""
        count = math.prod(problem.sizes)
        if count > self.max_configurations:
            return (
                f"it has {count:.3g} configurations, more than max_configurations = {self.max_configurations}. "
                "Use dynamic-programming on a tree, branch-and-bound on a star or admm (partgraph-solvers)"
            )
        return None

    def compute(self, problem: Problem, state: Any, n_best: int) -> Solution:
        """Score all configurations in lexicographic order, a block at a time, and keep the best."""
        count, block = math.prod(problem.sizes), 2**16
        labels = np.empty((0, len(problem.sizes)), dtype=np.intp)
        scores = np.empty(0)
        for start in range(0, count, block):
            flat = np.arange(start, min(start + block, count))
            new = np.stack(np.unravel_index(flat, problem.sizes), axis=-1)
            labels = np.concatenate([labels, new])
            scores = np.concatenate([scores, problem.score(new)])
            # Stable, so that of equal scores the lower labels stay first.
            best = np.argsort(-scores, kind="stable")[:n_best]
            best = best[scores[best] > -np.inf]
            labels, scores = labels[best], scores[best]
        return _optimal(labels, scores, {"configurations": count})


def _optimal(labels: np.ndarray, scores: np.ndarray, stats: dict[str, Any]) -> Solution:
    bound = float(scores[0]) if len(scores) else -np.inf
    return Solution(labels, scores, bound, Status.OPTIMAL, stats)


@attrs.frozen(eq=False)
class _Table:
    """The best configurations of a subtree, for each candidate of the part at its root.

    Attributes
    ----------
    parts : tuple of int
        The subtree's parts, sorted.
    labels : array
        (K, M, len(parts)) intp, best first, ties by lowest labels.
    scores : array
        (K, M) float64; -inf where there are fewer than M allowed configurations.
    """

    parts: tuple[int, ...]
    labels: np.ndarray
    scores: np.ndarray


@final
@attrs.frozen
class DynamicProgramming(Solver):
    """Pass the best scores of subtrees from the leaves to the root; exact on trees and forests.

    An edge costs K_i K_j evaluations of its term. They are made in blocks, so that memory stays bounded and parts
    may have thousands of candidates.

    Attributes
    ----------
    block : int
        How many pairs of candidates are evaluated at a time.
    """

    exact: ClassVar[bool] = True

    block: int = 2**18

    def supports(self, problem: Problem) -> str | None:
        """Refuse graphs with a cycle."""
        cycle = problem.graph.cycle()
        if cycle:
            names = ", ".join(problem.graph.parts[part] for part in cycle)
            return (
                f"the graph has a cycle ({names}), and dynamic programming needs a tree. "
                "Use admm (partgraph-solvers), or exhaustive if there are few candidates"
            )
        return None

    def compute(self, problem: Problem, state: Any, n_best: int) -> Solution:
        """Solve each tree of the forest, then combine their best configurations."""
        best = _Table((), np.empty((1, 1, 0), dtype=np.intp), np.zeros((1, 1)))
        for root, order in _trees(problem):
            best = _combine(best, self._tree(problem, root, order, n_best), n_best, self.block)
        allowed = best.scores[0] > -np.inf
        labels = best.labels[0, allowed]
        return _optimal(labels, problem.score(labels), {})

    def _tree(self, problem: Problem, root: int, order: list[tuple[int, int]], n_best: int) -> _Table:
        """Return the best configurations of one tree, as a table with a single row."""
        tables: dict[int, _Table] = {}
        between: dict[frozenset[int], list[int]] = {}
        for e, edge in enumerate(problem.graph.edges):
            between.setdefault(frozenset(edge), []).append(e)

        def table(part: int) -> _Table:
            if part not in tables:
                size = len(problem.candidates[part])
                labels = np.arange(size, dtype=np.intp)[:, None, None]
                tables[part] = _Table((part,), labels, problem.unary_scores(part)[:, None])
            return tables[part]

        for parent, child in reversed(order):  # every child before its parent
            edges = between[frozenset((parent, child))]
            message = self._message(problem, parent, child, edges, table(child), n_best)
            tables[parent] = _combine(table(parent), message, n_best, self.block)
            del tables[child]
        return _best_row(table(root), n_best)

    def _message(
        self, problem: Problem, parent: int, child: int, edges: list[int], below: _Table, n_best: int
    ) -> _Table:
        """Return, for each candidate of `parent`, the best configurations of the subtree of `child`."""
        # One flat list of everything the child offers, in the order of labels: the first maximum is then the one
        # with the lowest labels.
        flat, scores = _in_label_order(below)
        which = flat[:, below.parts.index(child)]
        size = len(problem.candidates[parent])
        m = min(n_best, len(scores))
        chosen, values = np.empty((size, m), dtype=np.intp), np.empty((size, m))
        for rows in _blocks(size, max(1, self.block // max(len(scores), len(problem.candidates[child])))):
            total = _pair_scores(problem, parent, child, edges, rows)[:, which] + scores
            index = np.arange(total.shape[0])
            for rank in range(m):
                first = total.argmax(axis=1)
                chosen[rows, rank], values[rows, rank] = first, total[index, first]
                total[index, first] = -np.inf
        return _Table(below.parts, flat[chosen], values)


def _trees(problem: Problem) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Yield for each connected tree its first part and its (parent, child) pairs, parents before children."""
    neighbours: dict[int, list[int]] = {part: [] for part in range(len(problem.sizes))}
    for i, j in problem.graph.links():
        neighbours[i].append(j)
        neighbours[j].append(i)
    seen: set[int] = set()
    for root in neighbours:
        if root in seen:
            continue
        seen.add(root)
        order: list[tuple[int, int]] = []
        queue = [root]
        for parent in queue:  # grows while it is read: breadth first
            for child in neighbours[parent]:
                if child not in seen:
                    seen.add(child)
                    order.append((parent, child))
                    queue.append(child)
        yield root, order


def _blocks(size: int, step: int) -> Iterator[slice]:
    return (slice(start, min(start + step, size)) for start in range(0, size, step))


def _pair_scores(problem: Problem, parent: int, child: int, edges: list[int], rows: slice) -> np.ndarray:
    """Return the sum of the terms of the `edges` between two parts: (rows of parent, K of child) float64."""
    total = np.zeros((rows.stop - rows.start, len(problem.candidates[child])))
    for e in edges:
        x, y = problem.anchor(e), problem.candidates[problem.graph.edges[e][1]].positions
        if problem.graph.edges[e][0] == parent:
            total += problem.pairwise[e].evaluate(x[rows, None], y[None])
        else:
            total += problem.pairwise[e].evaluate(x[None], y[rows, None])
    return total


def _in_label_order(table: _Table) -> tuple[np.ndarray, np.ndarray]:
    """Return all rows of a table as (K M, parts) labels in lexicographic order, and their (K M,) scores."""
    labels = table.labels.reshape(-1, len(table.parts))
    scores = table.scores.reshape(-1)
    order = np.lexsort(labels.T[::-1])
    return labels[order], scores[order]


def _best_row(table: _Table, n_best: int) -> _Table:
    labels, scores = _in_label_order(table)
    best = np.argsort(-scores, kind="stable")[:n_best]
    return _Table(table.parts, labels[None, best], scores[None, best])


def _combine(first: _Table, second: _Table, n_best: int, block: int) -> _Table:
    """Return, row by row, the best unions of a configuration of `first` and one of `second`."""
    parts = tuple(sorted((*first.parts, *second.parts)))
    column = np.argsort((*first.parts, *second.parts))
    k, a, b = len(first.scores), first.scores.shape[1], second.scores.shape[1]
    m = min(n_best, a * b)
    labels, scores = np.empty((k, m, len(parts)), dtype=np.intp), np.empty((k, m))
    for rows in _blocks(k, max(1, block // (a * b * len(parts)))):
        n = rows.stop - rows.start
        total = (first.scores[rows, :, None] + second.scores[rows, None, :]).reshape(n, a * b)
        left = np.broadcast_to(first.labels[rows, :, None], (n, a, b, len(first.parts)))
        right = np.broadcast_to(second.labels[rows, None, :], (n, a, b, len(second.parts)))
        union = np.concatenate([left, right], axis=-1).reshape(n, a * b, len(parts))[..., column]
        if a * b > 1:
            order = np.lexsort((*np.moveaxis(union, -1, 0)[::-1], -total), axis=-1)[:, :m]
            union = np.take_along_axis(union, order[..., None], axis=1)
            total = np.take_along_axis(total, order, axis=1)
        labels[rows], scores[rows] = union, total
    return _Table(parts, labels, scores)
