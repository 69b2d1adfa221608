"""Which candidates may be in one of the n best configurations: by the bounds of the solver `exact`, or by stars.

The bound of a star needs the core alone. With candidate v of part r no configuration scores more than

    U_r(v) + sum over neighbours j of r  max_k [ U_j(k) + P(v, k) ]  +  the highest scores of everything else,

which is compared with the score of the n-th best configuration that moves of single parts have found.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import final

import attrs
import numpy as np

from partgraph import Interval, Problem, plugins
from partgraph.errors import UnknownComponentError

TILE = 2**20
"""Pairs of candidates that are evaluated at a time."""


@final
@attrs.frozen(eq=False)
class Pruned:
    """What bounds leave of a problem.

    Attributes
    ----------
    labels : tuple of array
        N entries, (count,) intp ascending: the candidates left.
    found : array
        (M, N) intp, configurations met on the way.
    upper_bound : float
        No configuration scores more.
    """

    labels: tuple[np.ndarray, ...]
    found: np.ndarray
    upper_bound: float


def pruned(problem: Problem, n_best: int, seconds: float, easy_pairs: int) -> Pruned:
    """Use `exact` where it is installed, and stars where it is not."""
    try:
        exact = plugins.get("solver", "solvers:exact")
    except UnknownComponentError:
        return by_stars(problem, n_best)
    limit = None if seconds == math.inf else max(seconds, 1e-3)
    left = exact(easy_pairs=easy_pairs, max_seconds=limit).narrow(problem, n_best=n_best)
    return Pruned(left.labels, left.best.labels, left.best.upper_bound)


def by_stars(problem: Problem, n_best: int) -> Pruned:
    """Drop what the bound of the star around its part excludes; parts with many edges first, twice."""
    unary = [problem.unary_scores(part) for part in range(len(problem.sizes))]
    found = _moves(problem, unary, n_best)
    scores = np.sort(problem.score(found))[::-1]
    least = scores[n_best - 1] if len(scores) >= n_best else -np.inf
    left = [np.flatnonzero(own > -np.inf) for own in unary]
    edges = [_highest(problem, e) for e in range(len(problem.graph.edges))]
    highest = sum(own.max() for own in unary) + sum(edges)
    if not math.isfinite(least):
        return Pruned(tuple(left), found, float(highest))
    n = len(unary) + len(edges) + 2
    margin = 16 * n**2 * 2.0**-53 * (abs(least) + float(sum(abs(own.max()) for own in unary)) + sum(edges))
    order = sorted(range(len(unary)), key=lambda part: -sum(part in edge for edge in problem.graph.edges))
    for part in order * 2:
        around = {sum(edge) - part for edge in problem.graph.edges if part in edge}
        bound = unary[part][left[part]] + sum(_message(problem, part, j, left, unary[j]) for j in around)
        bound = bound + sum(unary[j][left[j]].max() for j in range(len(unary)) if j not in around | {part})
        bound = bound + sum(
            top for top, edge in zip(edges, problem.graph.edges, strict=True) if part not in edge
        )
        left[part] = left[part][bound >= least - margin]
        highest = min(highest, bound.max() + margin)
    return Pruned(tuple(left), found, float(max(highest, scores[0])))


def _highest(problem: Problem, edge: int) -> float:
    """Return a bound of an edge's term, at least 0."""
    x, y = problem.anchor(edge), problem.candidates[problem.graph.edges[edge][1]].positions
    return max(0.0, float(problem.pairwise[edge].bounds(Interval.hull(x), Interval.hull(y)).hi))


def _message(
    problem: Problem, part: int, other: int, left: Sequence[np.ndarray], scores: np.ndarray
) -> np.ndarray:
    """Return what `other` adds at most to each candidate left of `part`, edges between the two included: (count,)."""
    labels, step = left[part], max(1, TILE // len(left[other]))
    best = [
        (_terms(problem, part, other, labels[start : start + step], left[other]) + scores[left[other]]).max(1)
        for start in range(0, len(labels), step)
    ]
    return np.concatenate(best)


def _terms(problem: Problem, part: int, other: int, own: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the sum of all terms between candidates of two parts: (len(own), len(others))."""
    total = np.zeros((len(own), len(others)))
    for e, edge in enumerate(problem.graph.edges):
        if edge == (part, other):
            x, y = problem.anchor(e)[own][:, None], problem.candidates[other].positions[others][None]
        elif edge == (other, part):
            x, y = problem.anchor(e)[others][None], problem.candidates[part].positions[own][:, None]
        else:
            continue
        total += problem.pairwise[e].evaluate(x, y)
    return total


def _moves(problem: Problem, unary: Sequence[np.ndarray], n_best: int) -> np.ndarray:
    """Return configurations of finite score, (M, N): moves of one part at a time, from each part's best on."""
    current = np.array([own.argmax() for own in unary])
    seen = [current[None]]
    for _ in range(20):
        before = current.copy()
        for part, size in enumerate(problem.sizes):
            trials = np.repeat(current[None], size, axis=0)
            trials[:, part] = np.arange(size)
            scores = problem.score(trials)
            best = np.argsort(-scores, kind="stable")[: n_best + 1]
            seen.append(trials[best[scores[best] > -np.inf]])
            if scores[best[0]] > scores[current[part]]:
                current = trials[best[0]]
        if np.array_equal(before, current):
            break
    found = np.unique(np.concatenate(seen), axis=0)
    return found[problem.score(found) > -np.inf]
