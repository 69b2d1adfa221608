"""Which parts are coupled, and how the couplings split into stars.

A loopy graph is solved by slaves that each see one star (paper, section 2.3). The stars of a graph partition its
edges, and every part is in at least one star, so that slave scores add up to the score.
"""

from __future__ import annotations

import abc
import math
import operator
from collections.abc import Iterable
from typing import Any, final

import attrs
import networkx as nx
import numpy as np

from partgraph.covers import DEFAULT, Cover, Edge, Star, check_cover, links_of, stars_of
from partgraph.errors import ProblemError

__all__ = ["Edge", "Graph", "Star", "Topology"]


class Graph(abc.ABC):
    """Parts and the ordered pairs of parts that are coupled.

    Attributes
    ----------
    parts : tuple of str
        N names; their order is the order of every (N, ...) array.
    edges : tuple of (int, int)
        E ordered pairs of part indices; their order is the order of pairwise terms. (i, j) and (j, i) are two
        different edges, each with its own term.
    pose : tuple of (float, ...)
        N positions of D axes to draw the graph in, x to the right and y down; () where there is none.
    """

    parts: tuple[str, ...]
    edges: tuple[Edge, ...]
    pose: tuple[tuple[float, ...], ...] = ()

    @abc.abstractmethod
    def stars(self) -> tuple[Star, ...]:
        """Return stars that partition the edges and together hold every part."""

    def multiplicity(self) -> np.ndarray:
        """Return in how many stars each part is: (N,) int, at least 1."""
        count = np.zeros(len(self.parts), dtype=np.intp)
        for star in self.stars():
            count[list(star.parts)] += 1
        return count

    def shared(self) -> tuple[int, ...]:
        """Return the indices of the parts that are in several stars: R of eq. 4."""
        return tuple(int(part) for part in np.flatnonzero(self.multiplicity() > 1))

    def links(self) -> tuple[Edge, ...]:
        """Return the unordered pairs that are coupled, as (smaller, larger) index, each once, sorted."""
        return links_of(tuple(self.edges))

    @property
    def is_star(self) -> bool:
        """Whether one part is coupled with every other, and nothing else is coupled. A lone part is a star."""
        n, links = len(self.parts), self.links()
        return len(links) == n - 1 and (n < 3 or bool(set(links[0]).intersection(*links[1:])))

    @property
    def is_forest(self) -> bool:
        """Whether the couplings have no cycle; (i, j) and (j, i) together are one coupling."""
        return not self.cycle()

    @property
    def is_tree(self) -> bool:
        """Whether the couplings have no cycle and join all parts."""
        return len(self.links()) == len(self.parts) - 1 and self.is_forest

    def cycle(self) -> tuple[int, ...]:
        """Return the indices of the parts along one cycle, or () if there is none."""
        try:
            return tuple(first for first, _ in nx.find_cycle(nx.Graph(self.links())))
        except nx.NetworkXNoCycle:
            return ()

    def edge_name(self, edge: int) -> str:
        """Return an edge as users wrote it, for messages: ``elbow-l -> wrist-l``."""
        i, j = self.edges[edge]
        return f"{self.parts[i]} -> {self.parts[j]}"

    def with_cover(self, cover: str | Cover) -> Topology:
        """Return the same parts and edges with other stars: those of a cover, see `partgraph.covers`."""
        return Topology(self.parts, self.edges, cover=cover, pose=self.pose)

    def to_networkx(self) -> nx.DiGraph:
        """Return a directed graph over the parts' names; edge attribute ``index`` is the position in `edges`.

        Where there is a pose, its rows are the node attribute ``position``.
        """
        graph = nx.DiGraph()
        graph.add_nodes_from(self.parts)
        nx.set_node_attributes(graph, dict(zip(self.parts, self.pose, strict=False)), "position")
        for index, (i, j) in enumerate(self.edges):
            graph.add_edge(self.parts[i], self.parts[j], index=index)
        return graph


def _as_parts(names: Iterable[Any]) -> tuple[str, ...]:
    return tuple(str(name) for name in names)


def _as_edges(pairs: Iterable[Iterable[Any]]) -> tuple[Edge, ...]:
    try:
        return tuple(tuple(operator.index(part) for part in pair) for pair in pairs)  # type: ignore[misc]
    except TypeError as error:
        raise ProblemError(
            f"edges are pairs of the parts' indices, as in [(0, 1), (1, 2)]: {error}; for edges by the parts' names "
            "use Topology.from_networkx"
        ) from None


def _as_pose(rows: Iterable[Iterable[Any]]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(value) for value in row) for row in rows)


@final
@attrs.frozen
class Topology(Graph):
    """Any graph, given by its parts and edges, and cut into stars by a cover.

    Attributes
    ----------
    parts : tuple of str
        N distinct names.
    edges : tuple of (int, int)
        E distinct ordered pairs of distinct parts.
    cover : str or function
        How edges are divided among stars: a name or a function of `partgraph.covers`.
    pose : tuple of (float, ...)
        () or N positions of two axes at least, to draw the graph in. Equality leaves it out.
    """

    parts: tuple[str, ...] = attrs.field(converter=_as_parts)
    edges: tuple[Edge, ...] = attrs.field(converter=_as_edges, default=())
    cover: str | Cover = attrs.field(default=DEFAULT, validator=check_cover, kw_only=True)
    pose: tuple[tuple[float, ...], ...] = attrs.field(
        converter=_as_pose, default=(), kw_only=True, eq=False, repr=False
    )

    def __attrs_post_init__(self) -> None:
        n = len(self.parts)
        if n == 0:
            raise ProblemError("a graph needs at least one part; found none")
        if len(set(self.parts)) != n:
            twice = sorted({name for name in self.parts if self.parts.count(name) > 1})
            raise ProblemError(
                f"part names must be distinct; found {', '.join(map(repr, twice))} more than once"
            )
        seen: set[Edge] = set()
        for index, edge in enumerate(self.edges):
            if len(edge) != 2 or not all(0 <= part < n for part in edge):
                raise ProblemError(
                    f"edge {index} is {edge}; it must be a pair of part indices between 0 and {n - 1}"
                )
            if edge[0] == edge[1]:
                raise ProblemError(
                    f"edge {index} joins {self.parts[edge[0]]!r} with itself; use a unary potential"
                )
            if edge in seen:
                raise ProblemError(
                    f"edge {self.edge_name(index)} is listed twice; add its two potentials into one, "
                    "or turn one edge round"
                )
            seen.add(edge)
        axes = {len(row) for row in self.pose}
        finite = all(math.isfinite(value) for row in self.pose for value in row)
        if self.pose and (len(self.pose) != n or len(axes) != 1 or min(axes) < 2 or not finite):
            raise ProblemError(
                f"a pose must have a finite position of two axes or more for each of the {n} parts; found "
                f"{len(self.pose)} of {', '.join(map(str, sorted(axes)))} axes"
            )

    @classmethod
    def from_networkx(cls, graph: nx.Graph | nx.DiGraph) -> Topology:
        """Return the topology of a networkx graph: nodes in order become parts, edges keep order and direction.

        The edges of an ``nx.DiGraph`` keep their direction; those of an ``nx.Graph`` are taken as networkx
        reports them, from the node that was added first. Edges come in networkx's own order, or, where every one
        carries an attribute ``index`` (see `Graph.to_networkx`), in the order of that. The node attribute
        ``position``, where all nodes have it, becomes the pose.
        """
        names = list(graph.nodes)
        number = {name: index for index, name in enumerate(names)}
        edges = list(graph.edges(data="index"))
        if all(index is not None for _, _, index in edges):
            edges.sort(key=lambda edge: edge[2])
        pose = list(nx.get_node_attributes(graph, "position").values())
        pose = pose if len(pose) == len(names) else []
        return cls(names, [(number[u], number[v]) for u, v, _ in edges], pose=pose)

    def stars(self) -> tuple[Star, ...]:
        """Return the stars of the cover, those of most links first."""
        return stars_of(self.cover, len(self.parts), self.edges)
