"""A star problem seen from its center: who is the center, what each edge compares, and whose answer is better.

The term of an edge joins two points: the anchor or position of its first part and the position of its second.
Seen from the center, one of them depends on the center's candidate (the *base*), the other on the leaf's
candidate (the *point*). Edges between the same two parts, in either direction, belong to the same leaf.
"""

from __future__ import annotations

from typing import Protocol

import attrs
import numpy as np

from partgraph import Candidates, Graph, Potential, Problem, Star


class Layout(Protocol):
    """Candidates and the terms between them, as stars need them: a problem, or what is left of one."""

    @property
    def graph(self) -> Graph: ...
    @property
    def candidates(self) -> tuple[Candidates, ...]: ...
    @property
    def pairwise(self) -> tuple[Potential, ...]: ...
    @property
    def dimensions(self) -> int: ...
    def anchor(self, edge: int) -> np.ndarray: ...


def star_of(graph: Graph) -> Star | None:
    """Return the whole graph as one star, or None if it is not one. Of two parts the first is the center."""
    if not graph.is_star:
        return None
    center = min(set(range(len(graph.parts))).intersection(*graph.links()))
    leaves = tuple(part for part in range(len(graph.parts)) if part != center)
    return Star(center, leaves, tuple(range(len(graph.edges))))


def not_a_star(graph: Graph) -> str | None:
    """Return None for a star, otherwise why the graph is none and what to do instead."""
    if graph.is_star:
        return None
    cycle = graph.cycle()
    if cycle:
        what = f"the graph has a cycle ({', '.join(graph.parts[part] for part in cycle)})"
    elif len(graph.links()) < len(graph.parts) - 1:
        what = "the graph falls into several pieces"
    else:
        what = "no part is coupled with all the others"
    return (
        f"{what}, and branch and bound needs a star. Use admm, or solve problem.restrict(star) for each star"
    )


def decide(problem: Problem, labels: np.ndarray, n_best: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the n best of the configurations `labels` (M, N) and their scores, ties by lowest labels.

    Searches add up in another order than the problem, so they return near ties as well; these are decided here.
    """
    scores = problem.score(labels)
    order = np.lexsort((*labels.T[::-1], -scores))[:n_best]
    return labels[order], scores[order]


@attrs.frozen(eq=False)
class Spoke:
    """An edge of a star, seen from the center.

    Attributes
    ----------
    term : Potential
        The edge's potential.
    outward : bool
        Whether the center is the first part of the edge.
    base : array
        (K_center, D) float64, what the term sees of the center's candidates.
    point : array
        (K_leaf, D) float64, what the term sees of the leaf's candidates.
    """

    term: Potential
    outward: bool
    base: np.ndarray
    point: np.ndarray


def spokes(problem: Layout, star: Star) -> list[list[Spoke]]:
    """Return the edges of every leaf of a star, in the order of ``star.leaves``."""
    found: dict[int, list[Spoke]] = {leaf: [] for leaf in star.leaves}
    for e in star.edges:
        i, j = problem.graph.edges[e]
        first, second = problem.anchor(e), problem.candidates[j].positions
        outward = i == star.center
        base, point = (first, second) if outward else (second, first)
        found[j if outward else i].append(Spoke(problem.pairwise[e], outward, base, point))
    return list(found.values())
