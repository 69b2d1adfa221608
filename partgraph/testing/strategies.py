"""Hypothesis strategies for boxes, points, potentials, graphs and problems. They need ``partgraph[testing]``.

Ties, duplicates, forbidden candidates, lone parts and edges in both directions are drawn often and on purpose: that
is where solvers go wrong. Every strategy takes keyword arguments only.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from hypothesis import strategies as st

from partgraph.candidates import Candidates
from partgraph.graph import Topology
from partgraph.interval import Interval
from partgraph.potentials import EuclideanLoss, Linear, Pairwise, Potential, Proximal, Quadratic, Scaled
from partgraph.problem import Problem

__all__ = [
    "arrays",
    "boxes",
    "candidates",
    "extreme_boxes",
    "extreme_problems",
    "graphs",
    "loops",
    "pairwises",
    "points_in",
    "problems",
    "stars",
    "sub_boxes",
    "trees",
    "unaries",
]

T = TypeVar("T")
Strategy = st.SearchStrategy[T]


# -- numbers, points and boxes -----------------------------------------------------------------------------------

_GRID = np.array([0.0, *(sign * k / 2 for k in range(1, 8) for sign in (1, -1)), 8.0])
"""16 multiples of 1/2, the simplest first: sums and products of a few are exact in any order."""


@functools.cache
def _table(limit: float) -> np.ndarray:
    """Return the 65,536 numbers that two drawn bytes stand for: half of them from the grid, so that ties happen."""
    generator = np.random.default_rng(0)
    rounded = generator.uniform(-limit, limit, 2**15)
    rounded[:8] = limit, -limit, 1 / 3, -1 / 3, 1e-6, -1e-6, limit / 3, -limit / 3
    return np.concatenate([np.resize(np.clip(_GRID, -limit, limit), 2**15), rounded])


@functools.cache
def arrays(*, shape: tuple[int, ...], exact: bool = False, limit: float = 100.0) -> Strategy[np.ndarray]:
    """Draw arrays of numbers, many of them equal.

    Parameters
    ----------
    shape : tuple of int
        Shape of the arrays, float64.
    exact : bool
        Draw small multiples of 1/2 only. Scores made of them have no rounding, so that ties are equal bits.
    limit : float
        Largest magnitude where `exact` is False.
    """
    # One draw of bytes costs hypothesis a third of a millisecond whatever its length, each drawn number 50 us.
    size = 2 * math.prod(shape)
    table = np.resize(_GRID, 2**16) if exact else _table(limit)
    return st.binary(min_size=size, max_size=size).map(
        lambda data: table[np.frombuffer(data, dtype=">u2")].reshape(shape)
    )


def boxes(*, dim: int = 3, limit: float = 100.0) -> Strategy[Interval]:
    """Draw boxes (dim,), some of them flat."""
    return arrays(shape=(2, dim), limit=limit).map(Interval.hull)


@st.composite
def extreme_boxes(draw: Any, *, dim: int = 3) -> Interval:
    """Draw boxes (dim,) of every size: points, slivers, ends at zero, from 1e-150 to 1e75 wide, near or far from 0.

    For enclosure, which must hold for all of them. Where numbers of such sizes meet, nothing else is precise.
    """
    scale = draw(st.sampled_from([1.0, 0.0, 1e-3, 1e-12, 1e-150, 1e6, 1e75]))
    center = draw(st.sampled_from([0.0, 1.0, 1e6])) * draw(arrays(shape=(dim,), limit=1.0))
    return Interval.hull(center + scale * draw(arrays(shape=(2, dim), limit=1.0)))


@functools.cache
def _fractions(dim: int) -> Strategy[np.ndarray]:
    """Draw (dim,) numbers between 0 and 1; a third of them one or the other."""
    table = np.concatenate([np.resize([0.0, 1.0], 86), np.linspace(0, 1, 170)])
    return st.binary(min_size=dim, max_size=dim).map(lambda data: table[np.frombuffer(data, dtype=np.uint8)])


def points_in(*, box: Interval) -> Strategy[np.ndarray]:
    """Draw points (dim,) of a box, its corners and faces often."""
    return _fractions(box.shape[-1]).map(lambda t: np.clip(box.lo + t * (box.hi - box.lo), box.lo, box.hi))


def sub_boxes(*, box: Interval) -> Strategy[Interval]:
    """Draw boxes inside a box."""
    points = points_in(box=box)
    return st.tuples(points, points).map(lambda pair: Interval.hull(np.stack(pair)))


# -- potentials --------------------------------------------------------------------------------------------------


@functools.cache
def pairwises(*, dim: int = 3, exact: bool = False) -> Strategy[Pairwise]:
    """Draw quadratic terms; with `exact`, of weights that are powers of two."""
    weights = [0.25, 0.5, 1.0, 2.0] if exact else [1.0, 0.5, 2.0, 1e-4, 0.01, 0.1, 1 / 3, 10.0]
    turned = [np.resize(np.roll(weights, -k), dim) for k in range(len(weights))]  # different on every axis
    return st.builds(Quadratic, st.sampled_from(turned), arrays(shape=(dim,), exact=exact))


@functools.cache
def unaries(*, dim: int = 3, exact: bool = False) -> Strategy[Potential]:
    """Draw linear, proximal, loss and scaled terms; with `exact`, none whose scores are rounded."""
    vector = arrays(shape=(dim,), exact=exact)
    made: list[Callable[[np.ndarray], Potential]] = [
        lambda v: Linear(v),
        lambda v: Proximal(v, 0.5),
        lambda v: Proximal(v, 2.0),
    ]
    if not exact:
        made += [
            lambda v: EuclideanLoss(v, 1 / 16),
            lambda v: EuclideanLoss(v, 3.0),
            lambda v: Scaled(1 / 3, EuclideanLoss(v)),
            lambda v: Scaled(-0.5, Proximal(v, 0.1)),
        ]
    return st.tuples(st.sampled_from(made), vector).map(lambda drawn: drawn[0](drawn[1]))


# -- graphs ------------------------------------------------------------------------------------------------------


def _names(n: int) -> list[str]:
    return [f"part-{i}" for i in range(n)]


@st.composite
def _directed(draw: Any, n: int, links: list[tuple[int, int]]) -> Topology:
    """Turn unordered pairs into edges: one way, the other, or both; then shuffle."""
    edges: list[tuple[int, int]] = []
    for i, j in links:
        edges += draw(st.sampled_from([[(i, j)], [(j, i)], [(i, j), (j, i)]]))
    return Topology(_names(n), draw(st.permutations(edges)))


@st.composite
def stars(draw: Any, *, max_parts: int = 5) -> Topology:
    """Draw graphs in which one part is coupled with every other."""
    n = draw(st.integers(1, max_parts))
    center = draw(st.integers(0, n - 1))
    return draw(_directed(n, [(center, part) for part in range(n) if part != center]))


@st.composite
def trees(draw: Any, *, max_parts: int = 5) -> Topology:
    """Draw trees, chains and stars among them."""
    n = draw(st.integers(1, max_parts))
    number = draw(st.permutations(range(n)))
    return draw(_directed(n, [(number[draw(st.integers(0, k - 1))], number[k]) for k in range(1, n)]))


@st.composite
def graphs(draw: Any, *, max_parts: int = 5) -> Topology:
    """Draw any graphs: with and without cycles, in several pieces, with lone parts."""
    n = draw(st.integers(1, max_parts))
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    return draw(_directed(n, [pair for pair in pairs if draw(st.booleans())]))


def loops(*, max_parts: int = 5) -> Strategy[Topology]:
    """Draw graphs with at least one cycle."""
    return graphs(max_parts=max(3, max_parts)).filter(lambda graph: not graph.is_forest)


# -- problems ----------------------------------------------------------------------------------------------------


@st.composite
def candidates(
    draw: Any, *, dim: int = 3, max_size: int = 4, exact: bool = False, forbidden: bool = True
) -> Candidates:
    """Draw 1 to `max_size` candidates: some twice, some forbidden (never all)."""
    k = draw(st.integers(1, max_size))
    numbers = draw(arrays(shape=(k, dim + 1), exact=exact))
    positions, scores = numbers[:, :dim].copy(), numbers[:, dim].copy()
    if k > 1 and draw(st.booleans()):
        positions[-1], scores[-1] = positions[0], scores[0]
    if k > 1 and forbidden:
        kept = draw(st.sampled_from([None, None, 0, 1]))
        if kept is not None:
            scores[np.arange(k) % 2 != kept] = -np.inf
    return Candidates(positions, scores)


@st.composite
def problems(
    draw: Any,
    *,
    graph: Strategy[Topology] | None = None,
    dim: int | None = None,
    max_size: int = 4,
    exact: bool = False,
    anchors: bool = True,
    unary: bool = True,
    forbidden: bool = True,
    pairwise: Strategy[Pairwise] | None = None,
) -> Problem:
    """Draw problems that have at least one allowed configuration.

    Parameters
    ----------
    graph : strategy, optional
        Of graphs; by default `graphs`.
    dim : int, optional
        D; by default 2 or 3.
    max_size : int
        Largest number of candidates of a part.
    exact : bool
        See `coordinates`: scores then have no rounding at all.
    anchors, unary, forbidden : bool
        Whether some edges have anchors, some parts extra terms, some candidates a score of -inf.
    pairwise : strategy, optional
        Of pairwise terms for `dim` dimensions; by default `pairwises`.
    """
    topology = draw(graphs() if graph is None else graph)
    d = draw(st.sampled_from([3, 2])) if dim is None else dim
    one = candidates(dim=d, max_size=max_size, exact=exact, forbidden=forbidden)
    own = [draw(one) for _ in topology.parts]
    term = pairwises(dim=d, exact=exact) if pairwise is None else pairwise
    terms = [draw(term) for _ in topology.edges]
    extra: list[list[Any]] = [[] for _ in topology.parts]
    if unary:
        for part in draw(st.lists(st.integers(0, len(topology.parts) - 1), max_size=3)):
            extra[part].append(draw(unaries(dim=d, exact=exact)))
    anchored: list[np.ndarray | None] = [None for _ in topology.edges]
    if anchors and topology.edges:
        for edge in draw(st.sets(st.integers(0, len(topology.edges) - 1))):
            shape = own[topology.edges[edge][0]].positions.shape
            anchored[edge] = draw(arrays(shape=shape, exact=exact))
    return Problem(topology, own, terms, extra, anchored)


@st.composite
def extreme_problems(draw: Any, *, graph: Strategy[Topology] | None = None) -> Problem:
    """Draw problems in other units: positions of millionths or millions, near or far from 0, and scores likewise.

    What is best does not depend on units, so whatever has tolerances must measure them by the problem's own numbers.

    Parameters
    ----------
    graph : strategy, optional
        Of graphs; by default `graphs`.
    """
    plain = draw(problems(graph=graph, anchors=False, unary=False, pairwise=pairwises(dim=3), dim=3))
    length, score = draw(_UNITS), draw(_UNITS)
    origin = length * draw(st.sampled_from([0.0, 1e3]))
    own = [Candidates(origin + length * each.positions, score * each.scores) for each in plain.candidates]
    terms = [Quadratic(score / length**2 * term.weight, length * term.offset) for term in plain.pairwise]
    return Problem(plain.graph, own, terms)


_UNITS = st.sampled_from([1e-3, 1e-6, 1e6])
