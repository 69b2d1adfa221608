"""What one would take instead: other ways to the best score, each exact.

A star's edges all go from its center to a leaf here. All pairs: every center against every candidate of every leaf.
Lifted nearest neighbours: the maximum over a leaf's candidates is a distance in one more dimension,

    max_k u_k - |q - y_k|^2  =  u_max - min_k |(q, 0) - (y_k, sqrt(u_max - u_k))|^2

with coordinates scaled by sqrt(c), and trees find it. In a cascade, centers that cannot reach the score of a first
configuration any more are dropped after each leaf.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import attrs
import numpy as np
from partgraph_solvers import BranchAndBound

from partgraph import Candidates, Problem, Quadratic, Topology

Query = Callable[[np.ndarray], np.ndarray]
"""Squared distances (K,) of points (K, D) to their nearest neighbours."""


# -- all pairs ---------------------------------------------------------------------------------------------------------


def _messages(problem: Problem) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return for each edge the scaled queries (K_center, D), scaled points (K_leaf, D) and scores (K_leaf,)."""
    rows = []
    for e, ((_, leaf), term) in enumerate(zip(problem.graph.edges, problem.pairwise, strict=True)):
        own, root = problem.candidates[leaf], np.sqrt(term.weight)
        rows.append(((problem.anchor(e) + term.offset) * root, own.positions * root, own.scores))
    return rows


def _center_scores(problem: Problem) -> np.ndarray:
    return problem.candidates[problem.graph.edges[0][0]].scores


def all_pairs_numpy(problem: Problem, block: int = 64) -> float:
    """Return the best score of a star, a block of centers at a time: more do not fit into the cache."""
    total = _center_scores(problem).copy()
    for query, point, scores in _messages(problem):
        constant, transposed = scores - (point**2).sum(1), 2 * point.T
        for start in range(0, len(query), block):
            q = query[start : start + block]
            values = q @ transposed
            values += constant
            total[start : start + block] += values.max(1) - (q**2).sum(1)
    return float(total.max())


def all_pairs_torch(problem: Problem, block: int = 64) -> float:
    """Return the best score of a star, on one thread of the processor."""
    import torch

    torch.set_num_threads(1)
    total = torch.from_numpy(_center_scores(problem).copy())
    for arrays in _messages(problem):
        query, point, scores = map(torch.from_numpy, arrays)
        constant = scores - (point**2).sum(1)
        for start in range(0, len(query), block):
            q = query[start : start + block]
            total[start : start + block] += torch.addmm(constant, q, point.T, alpha=2).amax(1) - (q**2).sum(1)
    return float(total.max())


# -- lifted nearest neighbours -----------------------------------------------------------------------------------------


def _scipy(points: np.ndarray) -> Query:
    from scipy.spatial import cKDTree

    tree = cKDTree(points)
    return lambda q: tree.query(q)[0] ** 2


def _pykdtree(points: np.ndarray) -> Query:
    from pykdtree.kdtree import KDTree

    tree = KDTree(points)
    return lambda q: tree.query(q, k=1, sqr_dists=True)[0]


def _pynanoflann(points: np.ndarray) -> Query:
    import pynanoflann

    tree = pynanoflann.KDTree(n_neighbors=1, leaf_size=10, metric="l2")
    tree.fit(points)
    return lambda q: tree.kneighbors(q, n_jobs=1)[0][:, 0] ** 2


TREES: dict[str, Callable[[np.ndarray], Query]] = {
    "pykdtree": _pykdtree,
    "pynanoflann": _pynanoflann,
    "scipy": _scipy,
}
"""Libraries of trees, the fastest first."""


@attrs.frozen(eq=False)
class Lifted:
    """The lifted leaves of a star in trees of some library."""

    problem: Problem
    queries: list[np.ndarray]
    tops: list[float]
    trees: list[Query]

    @classmethod
    def build(cls, problem: Problem, library: str) -> Lifted:
        """Lift and build one tree per leaf."""
        queries, tops, trees = [], [], []
        for query, point, scores in _messages(problem):
            top = float(scores.max())
            trees.append(TREES[library](np.column_stack([point, np.sqrt(top - scores)])))
            queries.append(np.column_stack([query, np.zeros(len(query))]))
            tops.append(top)
        return cls(problem, queries, tops, trees)

    def best(self) -> float:
        """Return the best score: every leaf's answer to every center."""
        total = _center_scores(self.problem).copy()
        for query, top, tree in zip(self.queries, self.tops, self.trees, strict=True):
            total += top - tree(query)
        return float(total.max())

    def cascade(self) -> float:
        """Return the best score: centers are dropped on the way."""
        total = _center_scores(self.problem).copy()
        first = [int(total.argmax())]
        reached = total[first]
        for query, top, tree in zip(self.queries, self.tops, self.trees, strict=True):
            reached = reached + top - tree(query[first])
        least = float(reached[0]) - 1e-9 * (1 + abs(float(reached[0])))
        alive, rest = np.arange(len(total)), sum(self.tops)
        for query, top, tree in zip(self.queries, self.tops, self.trees, strict=True):
            alive = alive[total[alive] + rest >= least]
            total[alive] += top - tree(query[alive])
            rest -= top
        return float(total[alive].max())


# -- loops -------------------------------------------------------------------------------------------------------------


def consistent(problem: Problem) -> tuple[Problem, float]:
    """Return the problem with offsets that do not contradict each other along cycles, and what it scores less.

    With p = argmin sum c (p_j - p_i - o)^2 and o* = p_j - p_i, the sums of c (x_j - x_i - o)^2 and of
    c (x_j - x_i - o*)^2 over all edges differ by a constant.
    """
    edges = np.array(problem.graph.edges)
    weight = np.array([term.weight for term in problem.pairwise])
    offset = np.array([term.offset for term in problem.pairwise])
    incidence = np.zeros((len(edges), len(problem.sizes)))
    incidence[np.arange(len(edges)), edges[:, 1]], incidence[np.arange(len(edges)), edges[:, 0]] = 1.0, -1.0
    better = np.empty_like(offset)
    for d in range(problem.dimensions):
        root = np.sqrt(weight[:, d])
        places = np.linalg.lstsq(incidence * root[:, None], offset[:, d] * root, rcond=None)[0]
        better[:, d] = incidence @ places
    terms = tuple(Quadratic(c, o) for c, o in zip(weight, better, strict=True))
    constant = float((weight * (offset - better) ** 2).sum())
    return attrs.evolve(problem, pairwise=terms), constant


def prune(problem: Problem, least: float) -> list[np.ndarray]:
    """Return the labels of each part that may be in a configuration of at least that score.

    One part after the other is the center of the star of all its edges, the candidates left of its neighbours are the
    leaves; the other parts give their highest score at most.
    """
    kept = [np.arange(size) for size in problem.sizes]
    order = sorted(range(len(kept)), key=lambda part: -sum(part in edge for edge in problem.graph.edges))
    for part in order * 2:
        touching = [e for e, edge in enumerate(problem.graph.edges) if part in edge]
        around = sorted({other for e in touching for other in problem.graph.edges[e]})
        place = {other: k for k, other in enumerate(around)}
        own = [
            Candidates(problem.candidates[i].positions[kept[i]], problem.candidates[i].scores[kept[i]])
            for i in around
        ]
        edges = [tuple(place[i] for i in problem.graph.edges[e]) for e in touching]
        star = Problem(Topology(range(len(around)), edges), own, [problem.pairwise[e] for e in touching])
        others = sum(problem.candidates[i].scores[kept[i]].max() for i in range(len(kept)) if i not in place)
        slack = 1e-9 * (1 + abs(least))
        found = BranchAndBound().marginals(star, least - others - slack)
        for i, marginals in zip(around, found, strict=True):
            kept[i] = kept[i][marginals.labels]
    return kept


def toulbar2(problem: Problem, least: float, most_pairs: int = 2_000_000) -> tuple[float, int] | None:
    """Return the best score by pytoulbar2 on pruned candidates, and how many these are; None if too many are left."""
    import pytoulbar2

    problem, constant = consistent(problem)
    kept = prune(problem, least + constant)
    left = sum(map(len, kept))
    if sum(len(kept[i]) * len(kept[j]) for i, j in problem.graph.edges) > most_pairs:
        return None
    network = pytoulbar2.CFN(resolution=6, verbose=-1)
    tops = 0.0
    for i, labels in enumerate(kept):
        scores = problem.candidates[i].scores[labels]
        tops += scores.max()
        network.AddVariable(f"x{i}", range(len(labels)))
        network.AddFunction([f"x{i}"], (scores.max() - scores).tolist())
    for (i, j), term in zip(problem.graph.edges, problem.pairwise, strict=True):
        x, y = (problem.candidates[part].positions[kept[part]] for part in (i, j))
        table = -term.evaluate(x[:, None], y[None])
        network.AddFunction([f"x{i}", f"x{j}"], table.ravel().tolist())
    _, cost, _ = network.Solve()
    return tops - cost - constant, left


# -- who is here -------------------------------------------------------------------------------------------------------


def missing(names: Sequence[str]) -> list[str]:
    """Return a note for every package that is not installed."""
    return [f"not installed, not compared: {name}" for name in names if find_spec(name) is None]


def installed(names: Sequence[str]) -> list[str]:
    """Return those of the packages that are installed."""
    return [name for name in names if find_spec(name) is not None]


def load() -> None:
    """Import what is installed, so that no measurement does."""
    for name in installed(list(TREES)):
        TREES[name](np.zeros((20, 4)))(np.zeros((1, 4)))
    for name in installed(["torch", "pytoulbar2"]):
        import_module(name)


def same(score: Any, best: float, who: str) -> None:
    """Raise if another method found another best score."""
    if not abs(score - best) <= 1e-5 * (1 + abs(best)):
        raise RuntimeError(f"{who} found a best score of {score}, the solver {best}")
