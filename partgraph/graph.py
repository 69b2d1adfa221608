"""Which parts are coupled, and how the couplings split into stars.

A loopy graph is solved by slaves that each see one star (paper, section 2.3). The stars of a graph partition its
edges, and every part is in at least one star, so that slave scores add up to the score.
"""

from __future__ import annotations

import abc
import functools
from collections.abc import Iterable
from typing import Any, final

import attrs
import networkx as nx
import numpy as np

from partgraph.errors import ProblemError

Edge = tuple[int, int]


@final
@attrs.frozen
class Star:
    """A part, parts it is coupled with, and the edges between them.

    Attributes
    ----------
    center : int
        Index of the part that every edge of the star touches, as its first or its second part.
    leaves : tuple of int
        Indices of the other parts, each once; empty for an isolated part.
    edges : tuple of int
        Indices into the graph's edges. More than leaves where (i, j) and (j, i) are both present.
    """

    center: int
    leaves: tuple[int, ...] = ()
    edges: tuple[int, ...] = ()

    @property
    def parts(self) -> tuple[int, ...]:
        """Indices of the star's parts: the center, then the leaves."""
        return (self.center, *self.leaves)


class Graph(abc.ABC):
    """Parts and the ordered pairs of parts that are coupled.

    Attributes
    ----------
    parts : tuple of str
        N names; their order is the order of every (N, ...) array.
    edges : tuple of (int, int)
        E ordered pairs of part indices; their order is the order of pairwise terms. (i, j) and (j, i) are two
        different edges, each with its own term.
    """

    parts: tuple[str, ...]
    edges: tuple[Edge, ...]

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
        return tuple(sorted({(min(edge), max(edge)) for edge in self.edges}))

    @property
    def is_star(self) -> bool:
        """Whether one part is coupled with every other, and nothing else is coupled. A lone part is a star."""
        n, links = len(self.parts), self.links()
        return len(links) == n - 1 and any(all(part in link for link in links) for part in range(n))

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

    def to_networkx(self) -> nx.DiGraph:
        """Return a directed graph over the parts' names; edge attribute ``index`` is the position in `edges`."""
        graph = nx.DiGraph()
        graph.add_nodes_from(self.parts)
        for index, (i, j) in enumerate(self.edges):
            graph.add_edge(self.parts[i], self.parts[j], index=index)
        return graph


def _as_parts(names: Iterable[Any]) -> tuple[str, ...]:
    return tuple(str(name) for name in names)


def _as_edges(pairs: Iterable[Iterable[Any]]) -> tuple[Edge, ...]:
    return tuple(tuple(int(part) for part in pair) for pair in pairs)  # type: ignore[misc]


@final
@attrs.frozen
class Topology(Graph):
    """Any graph, given by its parts and edges, covered greedily by few stars.

    Attributes
    ----------
    parts : tuple of str
        N distinct names.
    edges : tuple of (int, int)
        E distinct ordered pairs of distinct parts.
    """

    parts: tuple[str, ...] = attrs.field(converter=_as_parts)
    edges: tuple[Edge, ...] = attrs.field(converter=_as_edges, default=())

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

    @classmethod
    def from_networkx(cls, graph: nx.Graph | nx.DiGraph) -> Topology:
        """Return the topology of a networkx graph: nodes in order become parts, edges keep order and direction.

        The edges of an ``nx.DiGraph`` keep their direction; those of an ``nx.Graph`` are taken as networkx
        reports them, from the node that was added first. Edges come in networkx's own order, or, where every one
        carries an attribute ``index`` (see `Graph.to_networkx`), in the order of that.
        """
        names = list(graph.nodes)
        number = {name: index for index, name in enumerate(names)}
        edges = list(graph.edges(data="index"))
        if all(index is not None for _, _, index in edges):
            edges.sort(key=lambda edge: edge[2])
        return cls(names, [(number[u], number[v]) for u, v, _ in edges])

    def stars(self) -> tuple[Star, ...]:
        """Return few stars: repeatedly the part with most edges still uncovered, the first one on a tie."""
        return _greedy_cover(len(self.parts), self.edges)


@functools.lru_cache(maxsize=256)  # a graph is asked for its stars once per slave and image
def _greedy_cover(parts: int, edges: tuple[Edge, ...]) -> tuple[Star, ...]:
    uncovered = dict(enumerate(edges))
    stars = []
    while uncovered:
        degree = np.bincount(np.ravel(list(uncovered.values())), minlength=parts)
        center = int(np.argmax(degree))
        own = {index: edge for index, edge in uncovered.items() if center in edge}
        leaves = dict.fromkeys(j if i == center else i for i, j in own.values())
        stars.append(Star(center, tuple(leaves), tuple(own)))
        for index in own:
            del uncovered[index]
    alone = set(range(parts)).difference(*(star.parts for star in stars))
    return (*stars, *(Star(part) for part in sorted(alone)))
