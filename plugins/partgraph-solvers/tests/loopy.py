"""Loopy problems drawn at random, in flavours that solvers find hard."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

from partgraph import Candidates, Pairwise, Problem, Quadratic, Topology

FLAVOURS = (
    "plain", "anchors", "ties", "near-ties", "duplicates", "forbidden", "strong", "flat",
    "millimetres", "far", "huge", "generic", "mixed", "barrier",
)  # fmt: skip


@attrs.frozen(eq=False)
class Distance(Pairwise):
    """How far two parts are from a given distance of each other, on every axis."""

    length: float = 1.0

    def evaluate(self, x: Any, y: Any) -> Any:
        return -abs(abs(y - x) - self.length).sum(-1)


@attrs.frozen(eq=False)
class Attraction(Pairwise):
    """A term that is positive, and largest for equal positions."""

    def evaluate(self, x: Any, y: Any) -> Any:
        return 3.0 / (1.0 + ((y - x) ** 2).sum(-1))


@attrs.frozen(eq=False)
class Barrier(Pairwise):
    """Parts must not be further apart than `most` on any axis."""

    most: float = 1.5

    def evaluate(self, x: Any, y: Any) -> Any:
        far = abs(y - x).sum(-1)
        return np.where(far > self.most, -np.inf, -far)

    def bounds(self, *boxes: Any) -> Any:
        far = abs(boxes[1] - boxes[0]).sum(-1)
        low = np.where(far.hi > self.most, -np.inf, -far.hi)
        return type(far)(low, np.where(far.lo > self.most, -np.inf, -far.lo))


def loopy_problem(seed: int, flavour: str, *, most: int = 6, parts: int = 5) -> Problem:
    """Draw a problem with up to `parts` parts and `most` candidates each, loops, several pieces, edges both ways.

    ties: whole numbers, so that sums are exact; near-ties: the same but for differences in the last bits;
    duplicates: candidates that are the same; strong, flat: terms of edges, or of parts, that hardly matter;
    huge: single scores like -1e30; generic, mixed: terms other than quadratic, everywhere or on some edges;
    barrier: terms that may be -inf.
    """
    rng = np.random.default_rng([seed, FLAVOURS.index(flavour)])
    n, dim = int(rng.integers(1, parts + 1)), int(rng.integers(2, 4))
    length = {"millimetres": 1000.0}.get(flavour, 1.0)
    whole = flavour in ("ties", "near-ties", "duplicates")
    shift = 1e5 * rng.normal(size=dim) if flavour == "far" else np.zeros(dim)
    candidates = []
    for _ in range(n):
        k = 1 if rng.random() < 0.1 else int(rng.integers(1, most + 1))
        positions, scores = length * rng.normal(size=(k, dim)), 3 * rng.normal(size=k)
        if whole:
            positions, scores = np.round(positions), np.round(scores / 3)
        if flavour == "near-ties":
            scores = scores + 1e-15 * rng.normal(size=k)
        if flavour == "flat":
            scores = scores * 1e-3
        if flavour == "huge" and k > 1:
            scores[rng.integers(k)] = -1e30
        if flavour == "duplicates":
            again = rng.integers(0, k, k)
            positions, scores = positions[again], scores[again]
        if flavour == "forbidden" or rng.random() < 0.1:
            scores[rng.random(k) < 0.5] = -np.inf
            scores[int(rng.integers(k))] = 0.0
        candidates.append(Candidates(positions + shift, scores))
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    edges = [pair for pair in pairs if rng.random() < 0.45]
    edges = [edges[k] for k in rng.permutation(len(edges))]
    strength = {"strong": 20.0}.get(flavour, 1.0) / length**2
    terms: list[Pairwise] = []
    for _ in edges:
        weight = np.ones(dim) if whole else strength * rng.uniform(0.1, 2.0, dim)
        offset = np.round(rng.normal(size=dim)) if whole else 0.7 * length * rng.normal(size=dim)
        other = [Distance(float(rng.uniform(0, 2))), Attraction()][int(rng.integers(2))]
        if flavour == "barrier":
            other = Barrier(float(rng.uniform(1, 6)))
        plain = flavour not in ("generic", "mixed", "barrier") or (
            flavour != "generic" and rng.random() < 0.5
        )
        terms.append(Quadratic(weight, offset) if plain else other)
    fields = [
        candidates[i].positions + np.round(rng.normal(size=dim)) * whole
        + (0.0 if whole else 0.5 * length * rng.normal(size=candidates[i].positions.shape))
        if flavour == "anchors" or rng.random() < 0.15 else None
        for i, _ in edges
    ]  # fmt: skip
    return Problem(Topology([f"part-{k}" for k in range(n)], edges), candidates, terms, anchors=fields)
